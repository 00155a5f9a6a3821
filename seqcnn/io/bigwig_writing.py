"""Tracks of a genome written as bigWig, through pyBigWig, as they are computed."""

import errno
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from seqcnn.errors import MissingExtraError, OutputFileError
from seqcnn.io.layout import Layout, Rows, Write, paths_of
from seqcnn.io.writing import atomic_path, fail
from seqcnn.tiling import Nearest, Stretches

#: Bytes of an entry, and free ones beyond them before which nothing more is written: pyBigWig dies of a full disk.
_BYTES, _ROOM = 12, 1 << 16
#: How each bigWig file ends; one that was cut short does not.
_LAST = 0x888FFC26.to_bytes(4, sys.byteorder)


@contextmanager
def bigwig_rows(path: str, layout: Layout) -> Iterator[Write]:
    """Yield a function that writes a bigWig file for each column of the layout; windows come in order.

    Where windows overlap, a position has the number of the window whose center is the nearest: see `Nearest`.
    Chromosomes stand in the header in the order of the layout. A missing number leaves a gap.

    Raises
    ------
    MissingExtraError
        If pyBigWig is absent.
    OutputFileError
        If the file cannot be written.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(_opened(place, layout.lengths)) for place in paths_of(path, layout.columns)]
        nearest = Nearest()

        def put(part: Stretches) -> None:
            codes = part.chromosomes.codes
            for rows in np.split(np.arange(len(part)), np.flatnonzero(np.diff(codes)) + 1) if len(part) else ():
                name = part.chromosomes.at(rows[0])
                for file, values in zip(files, part.values[rows].T, strict=True):
                    known = rows[np.isfinite(values)]
                    if len(known):
                        _check_room(path, _BYTES * len(known) + _ROOM)
                        file.addEntries(
                            [name] * len(known),
                            part.starts[known],
                            ends=part.ends[known],
                            values=values[np.isfinite(values)],
                        )

        def write(rows: Rows) -> None:
            for part in nearest.add(rows.windows, rows.numbers.astype(np.float64)):
                put(part)

        yield write
        put(nearest.rest())


def _check_room(path: str, needed: int) -> None:
    """Raise `DiskFullError` where the disk has no room for so many bytes."""
    disk = os.statvfs(Path(path).resolve().parent)
    if disk.f_bavail * disk.f_frsize < needed:
        fail(path, OSError(errno.ENOSPC, "no space left"))


@contextmanager
def _opened(path: str, lengths: Mapping[str, int]) -> Iterator[Any]:
    """Yield a bigWig file with a header, which becomes `path` when the block ends well."""
    try:
        import pyBigWig
    except ImportError:
        raise MissingExtraError(f"{path}: bigWig needs pyBigWig; install seqcnn[bigwig], or write .bedgraph") from None
    with atomic_path(path) as partial:
        try:
            file = pyBigWig.open(str(partial), "w")
            try:
                file.addHeader(list(lengths.items()))
                yield file
            finally:
                file.close()
            with open(partial, "rb") as written:
                written.seek(-len(_LAST), os.SEEK_END)
                if written.read() != _LAST:
                    fail(path, OSError(errno.ENOSPC, "the end is missing"))
        except RuntimeError as error:
            raise OutputFileError(f"{path} cannot be written as bigWig: {error}") from None
