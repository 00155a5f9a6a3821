"""Genomes: any stretch of an indexed FASTA file, read through a memory map that threads and processes may share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.chromosome import unknown
from seqcnn.errors import FormatError, MissingExtraError
from seqcnn.interval import Intervals
from seqcnn.io.faidx import Entry, index_of
from seqcnn.io.opening import open_bytes

#: First bytes of a bgzip file: gzip with an extra field.
_BGZIP = b"\x1f\x8b\x08\x04"


class Genome:
    r"""The chromosomes of a FASTA file, plain or bgzip; the index is made where there is none.

    Nothing is read until asked for. Of a plain file only a memory map is held, which has no position that readers could
    move for each other: threads, forked and spawned processes all read right. Of a bgzip file each thread of each
    process opens its own handle.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        If it is no FASTA, gzip that is not bgzip, or has lines of unequal length.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "g.fa"
    >>> _ = path.write_bytes(b">chr1\nACGTA\nCGT\n>chr2\nTTTT\n")
    >>> genome = Genome(path)
    >>> genome.lengths, genome.letters("chr1", 3, 7)
    ({'chr1': 8, 'chr2': 4}, b'TACG')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        with open_bytes(self.path):
            pass  # says what is wrong with a file that is missing, empty or packed otherwise
        with open(self.path, "rb") as stream:
            head = stream.read(4)
        self.packed = head[:2] == b"\x1f\x8b"
        if self.packed and head != _BGZIP:
            raise FormatError(
                f"{self.path} is gzip, in which no place can be found; unpack it (gunzip -k {self.path.name}), or pack "
                "it with bgzip"
            )
        self._open()

    def _open(self) -> None:
        self._handles: dict[tuple[int, int], Any] = {}
        if self.packed:
            handle = self._handle()
            self.lengths: dict[str, int] = dict(zip(handle.references, handle.lengths, strict=True))
            return
        self._entries: dict[str, Entry] = {entry.name: entry for entry in index_of(self.path)}
        self.lengths = {name: entry.length for name, entry in self._entries.items()}
        self._bytes: npt.NDArray[np.uint8] = np.memmap(self.path, np.uint8, "r")

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "packed": self.packed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def _handle(self) -> Any:
        """Return this thread's own handle of a bgzip file."""
        from threading import get_ident

        key = os.getpid(), get_ident()
        if key not in self._handles:
            try:
                import pysam
            except ImportError:
                raise MissingExtraError(
                    f"{self.path}: bgzip needs pysam; install seqcnn[genome], or unpack it"
                ) from None
            self._handles[key] = pysam.FastaFile(str(self.path))
        return self._handles[key]

    def letters(self, chromosome: str, start: int, end: int) -> bytes:
        """Return the letters of ``[start, end)`` as they stand, lower case for soft-masked; N beyond the chromosome.

        Raises
        ------
        DataError
            If there is no such chromosome.
        """
        length = self.lengths.get(chromosome)
        if length is None:
            raise unknown(chromosome, list(self.lengths), str(self.path))
        low, high = min(max(start, 0), length), max(min(end, length), 0)
        found = self._inside(chromosome, low, high) if high > low else b""
        before = min(max(0, -start), max(0, end - start))
        return b"N" * before + found + b"N" * (max(0, end - start) - before - len(found))

    def _inside(self, chromosome: str, start: int, end: int) -> bytes:
        if self.packed:
            text: str = self._handle().fetch(chromosome, start, end)
            return text.encode("latin-1")
        entry = self._entries[chromosome]
        lines = self._bytes[entry.place(start) : entry.place(end - 1) + 1]
        if start // entry.letters == (end - 1) // entry.letters:
            return lines.tobytes()
        return lines.tobytes().translate(None, b"\r\n")

    def windows(self, intervals: Intervals) -> Iterator[bytes]:
        """Yield the letters of each interval, as they stand on the forward strand."""
        where = zip(intervals.chromosomes, intervals.starts.tolist(), intervals.ends.tolist(), strict=True)
        return (self.letters(name, start, end) for name, start, end in where)
