"""Tab-separated rows, written as they are computed to a file (whole or not at all) or to standard output."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import IO, TextIO

from seqcnn.errors import OutputFileError
from seqcnn.io.cells import Column, cell, lines
from seqcnn.io.opening import STDIN
from seqcnn.io.writing import FULL, atomic, fail

Write = Callable[[Iterable[Sequence[object]]], None]
#: Writes text, all of it.
Put = Callable[[str], object]
#: Opens a file of text that becomes the path named when it is closed in order.
Opened = Callable[[str], AbstractContextManager[IO[str]]]


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

    def line(row: Sequence[object]) -> str:
        return ",".join(_quoted(cell(value)) for value in row) if comma else "\t".join(map(cell, row))

    with _opened(str(path), line(columns)) as put:

        def rows(values: Iterable[Sequence[object]]) -> None:
            put("".join(line(row) + "\n" for row in values))

        yield rows


@contextmanager
def tsv_columns(
    path: str, columns: Sequence[str] = (), *, opened: Opened = atomic
) -> Iterator[Callable[[Sequence[Column]], None]]:
    """Yield a function that writes rows given column by column, as `tsv_rows` writes them.

    A file that `opened` hands over with something in it has its header already.
    """
    with _opened(path, "\t".join(map(cell, columns)), opened) as put:
        written = 0

        def rows(values: Sequence[Column]) -> None:
            nonlocal written
            for text in lines(values, before=written):
                put(text)
            written += len(values[0])

        yield rows


@contextmanager
def _opened(path: str, header: str, opened: Opened = atomic) -> Iterator[Put]:
    """Yield a function that writes text to a file, packed where its name ends in .gz, or to standard output."""
    head = header and header + "\n"
    if path == STDIN:
        try:
            with ThreadPoolExecutor(1) as thread:  # where no signal comes between, so that lines are whole
                out = standard_output()
                thread.submit(_written, out, head).result()
                yield lambda text: thread.submit(_written, out, text).result()
        except OSError as error:
            if error.errno not in FULL:
                raise
            fail("standard output", error)
    elif path.endswith(".gz"):
        from Bio.bgzf import BgzfWriter

        with (
            atomic(path, "wb") as file,
            os.fdopen(os.dup(file.fileno()), "wb") as own,  # which the next one closes
            closing(BgzfWriter(fileobj=own)) as packed,  # type: ignore[no-untyped-call]
        ):
            pack: Callable[[bytes], object] = packed.write
            pack(head.encode())
            yield lambda text: pack(text.encode())
    else:
        with opened(path) as stream:
            if opened is atomic or not stream.tell():
                _written(stream, head)
            yield lambda text: _written(stream, text)


def _written(stream: IO[str], text: str) -> None:
    stream.write(text)
    stream.flush()


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
