"""Tab-separated rows, written as they are computed to a file (whole or not at all) or to standard output."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seqcnn.errors import OutputFileError
from seqcnn.io.opening import STDIN
from seqcnn.io.writing import FULL, atomic, fail

_SPACE = str.maketrans("\t\n\r", "   ")


def cell(value: object) -> str:
    r"""Return a value as a cell: numbers to 6 digits, a missing one empty, tabs and line ends as spaces.

    >>> cell(0.1234567), cell(None), cell("a\tb"), cell(float("nan")), cell(12345678)
    ('0.123457', '', 'a b', '', '12345678')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value.translate(_SPACE)
    if isinstance(value, float) or (hasattr(value, "dtype") and value.dtype.kind == "f"):
        return "" if value != value else f"{value:.6g}"
    return str(value)


@contextmanager
def tsv_rows(path: str | Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[Sequence[object]]], None]]:
    """Yield a function that writes rows below a header of `columns`; ``-`` is standard output.

    >>> with tsv_rows("-", ["id", "score"]) as write:
    ...     write([("a", 0.5), ("b", 0.25)])  # doctest: +NORMALIZE_WHITESPACE
    id score
    a  0.5
    b  0.25
    """
    if str(path) == STDIN:
        try:
            yield _writer(standard_output(), columns)
        except OSError as error:
            if error.errno not in FULL:
                raise
            fail("standard output", error)
        return
    with atomic(path) as stream:
        yield _writer(stream, columns)


def standard_output() -> TextIO:
    """Return standard output.

    Raises
    ------
    OutputFileError
        If it is closed.
    """
    if sys.stdout is None:
        raise OutputFileError("standard output is closed; name a file to write to")
    return sys.stdout


def _writer(stream: object, columns: Sequence[str]) -> Callable[[Iterable[Sequence[object]]], None]:
    """Write the header; return the function that writes rows."""
    write: Callable[[str], int] = stream.write  # type: ignore[attr-defined]
    flush: Callable[[], None] = stream.flush  # type: ignore[attr-defined]

    def rows(values: Iterable[Sequence[object]]) -> None:
        write("".join("\t".join(map(cell, row)) + "\n" for row in values))
        flush()

    rows([columns])
    return rows
