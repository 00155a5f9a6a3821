"""Interval files: BED of three to twelve columns, and narrowPeak with its summits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from seqcnn.errors import FormatError
from seqcnn.interval import Intervals
from seqcnn.io.opening import open_bytes, shown

#: Lines that say how a browser is to draw what follows.
_SKIPPED = ("#", "track", "browser")
_STRANDS = {"+": 1, "-": -1, ".": 0, "": 0}
#: Column of narrowPeak that holds the summit, counted from the start; -1 where none was called.
_SUMMIT = 9
SUFFIXES = (".bed", ".narrowpeak", ".broadpeak", ".summits")


def is_bed(path: str | Path) -> bool:
    """Return whether a file name says BED.

    >>> is_bed("peaks.narrowPeak.gz"), is_bed("peaks.fa")
    (True, False)
    """
    return str(path).lower().removesuffix(".gz").endswith(SUFFIXES)


def read_bed(path: str | Path) -> tuple[Intervals, list[list[str]]]:
    r"""Return the intervals of a BED or narrowPeak file, and the cells of each line.

    Columns are separated by tabs, or by spaces where there is no tab. Comments, ``track`` and ``browser`` lines and
    blank lines are passed over; the order is free.

    Raises
    ------
    InputFileError
        If the file is missing.
    FormatError
        Naming file, line and what was expected.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.bed"
    >>> _ = path.write_text("track name=x\nchr1\t5\t9\tpeak\t0\t-\n")
    >>> read_bed(path)[0].strands.tolist()
    [-1]
    """
    name = shown(path)
    peaks = str(path).lower().removesuffix(".gz").endswith(".narrowpeak")
    rows, starts, ends, strands, summits = [], [], [], [], []
    for number, cells in _lines(path):
        where = f"{name}, line {number}"
        if len(cells) < 3:
            raise FormatError(f"{where}: expected chromosome, start and end, found {len(cells)} column(s)")
        start, end = (_number(cell, what, where) for cell, what in zip(cells[1:3], ("start", "end"), strict=True))
        if start < 0:
            raise FormatError(f"{where}: start {start} is below 0; BED counts from 0")
        if end <= start:
            raise FormatError(
                f"{where}: start {start} is not before end {end}; BED counts from 0, the end not included"
            )
        strand = cells[5] if len(cells) > 5 else "."
        if strand not in _STRANDS:
            raise FormatError(f"{where}, column 6: expected a strand, + - or ., found {strand!r}")
        summit = -1
        if peaks and len(cells) > _SUMMIT:
            offset = _number(cells[_SUMMIT], "summit", where)
            if offset >= end - start:
                raise FormatError(f"{where}, column 10: the summit, {offset} from the start, lies beyond the end")
            summit = start + offset if offset >= 0 else -1
        rows.append(cells)
        starts.append(start)
        ends.append(end)
        strands.append(_STRANDS[strand])
        summits.append(summit)
    if not rows:
        raise FormatError(f"{name} holds no interval; expected lines of chromosome, start and end")
    found = Intervals(
        tuple(cells[0] for cells in rows),
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.array(strands, np.int8),
        tuple(cells[3] if len(cells) > 3 and cells[3] != "." else "" for cells in rows),
        np.array(summits, np.int64) if peaks else None,
    )
    return found, rows


def _lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line that holds an interval."""
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text.strip() or text.split(maxsplit=1)[0].startswith(_SKIPPED):
                continue
            yield number, [cell.strip() for cell in text.split("\t")] if "\t" in text else text.split()


def _number(cell: str, what: str, where: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise FormatError(f"{where}: expected a whole number as {what}, found {cell!r}") from None
