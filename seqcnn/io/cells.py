"""Columns of numbers and names as lines of text: cell by cell for few rows, compiled for many."""

from collections.abc import Iterator, Sequence
from math import floor, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.compiling import compiled
from seqcnn.names import Names

Column = Names | npt.NDArray[Any]
Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]

_SPACE = str.maketrans("\t\n\r", "   ")
#: Rows from which on the compiled way is faster, compiling included.
_MANY = 4096
#: Bytes of lines that are made together, so that they stay in the cache.
_BLOCK = 1 << 20
#: Bytes of the longest whole number, and of the longest other one, with what separates it from the next.
_WHOLE, _FLOAT = 21, 14
#: Powers of ten from 10^-_FARTHEST on.
_FARTHEST = 300
_POWERS = np.array([float(f"1e{power}") for power in range(-_FARTHEST, _FARTHEST + 1)])
#: How near to the middle of two numbers of 6 digits a third must be for exact arithmetic to decide.
_TIE = 2.0**-20


def cell(value: object) -> str:
    r"""Return a value as a cell: numbers to 6 digits, a missing one empty, tabs and line ends as spaces.

    >>> cell(0.1234567), cell(None), cell("a\tb"), cell(float("nan")), cell(12345678)
    ('0.123457', '', 'a b', '', '12345678')
    """
    if isinstance(value, str):
        return value if value.isprintable() else value.translate(_SPACE)
    if value is None:
        return ""
    if isinstance(value, float) or (hasattr(value, "dtype") and value.dtype.kind == "f"):
        return "" if value != value else f"{value:.6g}"
    return str(value)


def lines(columns: Sequence[Column], *, before: int = 0) -> Iterator[str]:
    r"""Yield the lines of a table, many in one text: cells as `cell` writes them, with tabs between.

    Rows that came `before` these count too for which way is the faster.

    >>> list(lines([Names.of(["a", "b"]), np.array([1, 20]), np.array([0.5, np.nan])]))
    ['a\t1\t0.5\nb\t20\t\n']
    """
    count = len(columns[0])
    if count + before < _MANY or not count:
        yield "".join(["\t".join(row) + "\n" for row in zip(*map(_texts, columns), strict=True)])
        return
    held = [_spelled(column) for column in columns]
    width = sum(widest for *_, widest in held)
    size = min(count, max(1, _BLOCK // width))
    rows_, flat = np.empty((size, width), np.uint8), np.empty(size * width, np.uint8)
    for at in range(0, count, size):
        ends = np.zeros(min(size, count - at), np.int64)
        for number, (values, spelled, _) in enumerate(held, 1):
            mark = ord("\n") if number == len(held) else ord("\t")
            part = values[at : at + size]
            if spelled is not None:
                _put_names(part, *spelled, rows_, ends, mark)
            elif part.dtype.kind == "f":
                _floats(part, rows_, ends, mark)
            else:
                _put_whole(part, rows_, ends, mark)
        yield flat[: _packed(rows_, ends, flat)].tobytes().decode()


def _texts(column: Column) -> list[str]:
    """Return a column as cells."""
    values = column.tolist()
    if not isinstance(column, Names) and column.dtype.kind in "iu":
        return list(map(str, values))
    return [cell(value) for value in values]


def _spelled(column: Column) -> tuple[npt.NDArray[Any], tuple[Bytes, Numbers] | None, int]:
    """Return the values of a column, letters and starts of its names, and the bytes of a cell at most."""
    if isinstance(column, Names):
        table, text = column.table, "".join(column.table)
        if not text.isascii() or any(space in text for space in "\t\n\r"):
            table = [cell(name).encode().decode("latin-1") for name in table]  # a character a byte
            text = "".join(table)
        offsets = np.cumsum([0, *map(len, table)])
        letters = np.frombuffer(text.encode("latin-1") or b" ", np.uint8)
        return np.ascontiguousarray(column.codes), (letters, offsets), int(np.diff(offsets).max(initial=0)) + 1
    if column.dtype.kind == "f":
        return np.ascontiguousarray(column, np.float64), None, _FLOAT
    return np.ascontiguousarray(column, np.int64), None, _WHOLE


def _floats(values: npt.NDArray[np.float64], rows: Bytes, ends: Numbers, mark: int) -> None:
    """Add a cell to each row; what arithmetic of 53 bits cannot decide is left to Python."""
    left = np.empty(len(values), np.int64)
    for row in left[: _put_floats(values, values.view(np.int64), _POWERS, rows, ends, mark, left)].tolist():
        text = np.frombuffer(f"{values[row]:.6g}".encode() + bytes([mark]), np.uint8)
        rows[row, ends[row] : ends[row] + len(text)] = text
        ends[row] += len(text)


@compiled
def _put_names(codes: Numbers, letters: Bytes, offsets: Numbers, rows: Bytes, ends: Numbers, mark: int) -> None:
    """Add a name to each row."""
    for i in range(len(codes)):
        at, first = ends[i], offsets[codes[i]]
        size = offsets[codes[i] + 1] - first
        for j in range(size):
            rows[i, at + j] = letters[first + j]
        rows[i, at + size] = mark
        ends[i] = at + size + 1


@compiled
def _put_whole(values: Numbers, rows: Bytes, ends: Numbers, mark: int) -> None:
    """Add a whole number to each row."""
    for i in range(len(values)):
        at, value = ends[i], values[i]
        if value < 0:
            rows[i, at] = 45  # -
            at, value = at + 1, -value
        size, rest = 1, value // 10
        while rest:
            size, rest = size + 1, rest // 10
        for j in range(at + size - 1, at - 1, -1):
            rows[i, j] = 48 + value % 10
            value //= 10
        rows[i, at + size] = mark
        ends[i] = at + size + 1


@compiled
def _put_floats(
    values: npt.NDArray[np.float64],
    bits: Numbers,
    powers: npt.NDArray[np.float64],
    rows: Bytes,
    ends: Numbers,
    mark: int,
    left: Numbers,
) -> int:
    """Add a number of 6 digits to each row, as ``%.6g`` writes it; return how many rows are `left`, and name them.

    A product with a power of ten is off by 2^-32 of its last digit at most, so that only what lies next to the middle
    of two neighbors, endless numbers, minus zero and the very large and small are left.
    """
    count = 0
    for i in range(len(values)):
        at, raised = ends[i], (bits[i] >> 52) & 0x7FF
        if raised == 0x7FF and bits[i] & 0xFFFFFFFFFFFFF:  # missing
            rows[i, at] = mark
            ends[i] = at + 1
            continue
        if bits[i] == 0:
            rows[i, at], rows[i, at + 1] = 48, mark
            ends[i] = at + 2
            continue
        if raised < 50 or raised > 1950:
            left[count] = i
            count += 1
            continue
        value = abs(values[i])
        power = floor(log10(value))
        scaled = value * powers[305 - power]
        if scaled < 100000.0:
            power -= 1
            scaled = value * powers[305 - power]
        elif scaled >= 1000000.0:
            power += 1
            scaled = value * powers[305 - power]
        digits = int(scaled)
        beyond = scaled - digits
        if abs(beyond - 0.5) < _TIE:
            left[count] = i
            count += 1
            continue
        if beyond > 0.5:
            digits += 1
        if digits == 1000000:
            digits, power = 100000, power + 1
        size = 6
        while digits % 10 == 0 and size > 1:
            digits, size = digits // 10, size - 1
        if bits[i] < 0:
            rows[i, at] = 45  # -
            at += 1
        plain = -4 <= power < 6
        before = power + 1 if plain else 1  # digits before the point
        if before <= 0:
            rows[i, at], rows[i, at + 1] = 48, 46  # 0.
            for j in range(-before):
                rows[i, at + 2 + j] = 48
            at += 2 - before
            before = size
        dot = 1 if size > before else 0
        for j in range(size - 1, -1, -1):
            rows[i, at + j + (dot if j >= before else 0)] = 48 + digits % 10
            digits //= 10
        if dot:
            rows[i, at + before] = 46  # .
        at += size + dot
        if plain:
            for _ in range(before - size):
                rows[i, at] = 48
                at += 1
        else:
            rows[i, at], rows[i, at + 1] = 101, 45 if power < 0 else 43  # e-, e+
            power = abs(power)
            at += 2
            if power >= 100:
                rows[i, at] = 48 + power // 100
                at += 1
            rows[i, at], rows[i, at + 1] = 48 + power // 10 % 10, 48 + power % 10
            at += 2
        rows[i, at] = mark
        ends[i] = at + 1
    return count


@compiled
def _packed(rows: Bytes, ends: Numbers, flat: Bytes) -> int:
    """Copy each row up to its end, one behind the other; return where the last ends."""
    at = 0
    for i in range(len(ends)):
        for j in range(ends[i]):
            flat[at + j] = rows[i, j]
        at += ends[i]
    return at
