"""Tab-separated rows, written as they are computed to a file (whole or not at all) or to standard output."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from seqcnn.errors import OutputFileError
from seqcnn.io.opening import STDIN
from seqcnn.io.writing import FULL, atomic, fail

_SPACE = str.maketrans("\t\n\r", "   ")

Write = Callable[[Iterable[Sequence[object]]], None]


def cell(value: object) -> str:
    r"""Return a value as a cell: numbers to 6 digits, a missing one empty, tabs and line ends as spaces.

    >>> cell(0.1234567), cell(None), cell("a\tb"), cell(float("nan")), cell(12345678)
    ('0.123457', '', 'a b', '', '12345678')
    """
    if type(value) is int:  # most cells are
        return str(value)
    if value is None:
        return ""
    if isinstance(value, str):
        return value.translate(_SPACE)
    if isinstance(value, float) or (hasattr(value, "dtype") and value.dtype.kind == "f"):
        return "" if value != value else f"{value:.6g}"
    return str(value)


@contextmanager
def tsv_rows(path: str | Path, columns: Sequence[str] = (), *, comma: bool = False) -> Iterator[Write]:
    """Yield a function that writes rows below a header of `columns`, if any; ``-`` is standard output.

    With `comma`, cells are separated by commas, and quoted where they hold one.

    A file whose name ends in ``.gz`` is packed in blocks (bgzip), so that tabix can index it.

    >>> with tsv_rows("-", ["id", "score"]) as write:
    ...     write([("a", 0.5), ("b", 0.25)])  # doctest: +NORMALIZE_WHITESPACE
    id score
    a  0.5
    b  0.25
    """
    if str(path) == STDIN:
        try:
            stream = standard_output()
            yield _writer(stream.write, stream.flush, columns, comma)
        except OSError as error:
            if error.errno not in FULL:
                raise
            fail("standard output", error)
    elif str(path).endswith(".gz"):
        from Bio.bgzf import BgzfWriter

        with (
            atomic(path, "wb") as file,
            os.fdopen(os.dup(file.fileno()), "wb") as own,  # which the next one closes
            closing(BgzfWriter(fileobj=own)) as packed,  # type: ignore[no-untyped-call]
        ):
            pack: Callable[[bytes], object] = packed.write
            yield _writer(lambda text: pack(text.encode()), lambda: None, columns, comma)
    else:
        with atomic(path) as file:
            yield _writer(file.write, file.flush, columns, comma)


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


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _writer(
    put: Callable[[str], object], flush: Callable[[], object], columns: Sequence[str], comma: bool = False
) -> Write:
    """Write the header; return the function that writes rows."""

    def line(row: Sequence[object]) -> str:
        return ",".join(_quoted(cell(value)) for value in row) if comma else "\t".join(map(cell, row))

    def rows(values: Iterable[Sequence[object]]) -> None:
        put("".join(line(row) + "\n" for row in values))
        flush()

    if columns:
        rows([columns])
    return rows
