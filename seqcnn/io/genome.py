"""Genomes: any stretch of an indexed FASTA file, read through a memory map that threads and processes may share."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.chromosome import unknown
from seqcnn.errors import FormatError, MissingExtraError
from seqcnn.interval import Intervals
from seqcnn.io.faidx import Entry, index_of, packed_index_of
from seqcnn.io.opening import open_bytes
from seqcnn.io.unpacked import unpacked

#: First bytes of a bgzip file: gzip with an extra field.
_BGZIP = b"\x1f\x8b\x08\x04"
#: Letters of a bgzip file that are unpacked at a time.
_PIECE = 1 << 24


class Chromosomes(ABC):
    """Sequences of which any stretch can be read.

    Attributes
    ----------
    name
        How errors call them.
    lengths
        Name and letters of each, in order.
    """

    name: str
    lengths: dict[str, int]

    def letters(self, chromosome: str, start: int, end: int) -> bytes:
        """Return the letters of ``[start, end)`` as they stand, lower case for soft-masked; N beyond the chromosome.

        Raises
        ------
        DataError
            If there is no such chromosome.
        """
        length = self.lengths.get(chromosome)
        if length is None:
            raise unknown(chromosome, list(self.lengths), self.name)
        low, high = min(max(start, 0), length), max(min(end, length), 0)
        found = self._inside(chromosome, low, high) if high > low else b""
        before = min(max(0, -start), max(0, end - start))
        return b"N" * before + found + b"N" * (max(0, end - start) - before - len(found))

    @abstractmethod
    def _inside(self, chromosome: str, start: int, end: int) -> bytes:
        """Return the letters of a stretch that lies within the chromosome."""

    def windows(self, intervals: Intervals) -> Iterator[bytes]:
        """Yield the letters of each interval, as they stand on the forward strand."""
        where = zip(intervals.chromosomes, intervals.starts.tolist(), intervals.ends.tolist(), strict=True)
        return (self.letters(name, start, end) for name, start, end in where)


class HeldChromosomes(Chromosomes):
    """Chromosomes held in memory, such as the records of a GenBank file.

    >>> HeldChromosomes({"a": b"ACGT"}, "a.gb").letters("a", 2, 6)
    b'GTNN'
    """

    def __init__(self, sequences: Mapping[str, bytes], name: str) -> None:
        self.name, self._sequences = name, sequences
        self.lengths = {chromosome: len(letters) for chromosome, letters in sequences.items()}

    def _inside(self, chromosome: str, start: int, end: int) -> bytes:
        return self._sequences[chromosome][start:end]


class Genome(Chromosomes):
    r"""The chromosomes of a FASTA file, plain or bgzip; the index is made where there is none.

    Nothing is read until asked for. Of a plain file only a memory map is held, which has no position that readers could
    move for each other: threads, forked and spawned processes all read right. Of a bgzip file each thread of each
    process opens its own handle.

    Parameters
    ----------
    path
        The file.
    cache
        Whether a bgzip file is read from an unpacked copy in the user's cache folder, which is made where there is
        none: see `seqcnn.io.unpacked`. A plain file is read as it is: nothing would be gained.

    Attributes
    ----------
    notes
        Sentences on what was made on the way: an index made anew, a copy.

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

    def __init__(self, path: str | os.PathLike[str], *, cache: bool = False) -> None:
        self.path, self.name, self.cache = Path(path), str(path), cache
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
        self.notes: list[str] = []
        self._handles: dict[tuple[int, int], Any] = {}
        self._entries: dict[str, Entry] | None = None
        if not self.packed:
            self._map(self.path, index_of(self.path, self.notes))
            if self.cache:
                self.notes.append(f"--cache: {self.path} is not packed, and read as fast without a copy")
            return
        copy = unpacked(self.path, self._pieces, self.notes) if self.cache else None
        if copy is None:
            handle = self._handle()
            self.lengths = dict(zip(handle.references, handle.lengths, strict=True))
        else:
            self._map(*copy)

    def _map(self, path: Path, entries: list[Entry]) -> None:
        """Read from a memory map of a plain file from now on."""
        self._bytes: npt.NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
        self._entries = {entry.name: entry for entry in entries}
        self.lengths = {entry.name: entry.length for entry in entries}

    def _pieces(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield each chromosome of a bgzip file, and its letters in pieces."""
        handle = self._handle()
        for name, length in zip(handle.references, handle.lengths, strict=True):
            starts = range(0, length, _PIECE)
            yield name, (self._fetched(name, start, min(start + _PIECE, length)) for start in starts)

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "name": self.name, "packed": self.packed, "cache": self.cache}

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
            index, blocks = packed_index_of(self.path, self.notes)
            try:
                self._handles[key] = pysam.FastaFile(str(self.path), str(index), str(blocks))
            except (OSError, ValueError) as error:
                raise _damaged(self.path, error) from None
        return self._handles[key]

    def _inside(self, chromosome: str, start: int, end: int) -> bytes:
        if self._entries is None:
            return self._fetched(chromosome, start, end)
        entry = self._entries[chromosome]
        lines = self._bytes[entry.place(start) : entry.place(end - 1) + 1]
        if start // entry.letters == (end - 1) // entry.letters:
            return lines.tobytes()
        return lines.tobytes().translate(None, b"\r\n")

    def _fetched(self, chromosome: str, start: int, end: int) -> bytes:
        """Return a stretch of a bgzip file."""
        try:
            text: str = self._handle().fetch(chromosome, start, end)
        except (OSError, ValueError) as error:
            raise _damaged(self.path, error) from None
        if len(text) < end - start:
            raise _damaged(self.path, f"{chromosome} ends at {start + len(text):,}")
        return text.encode("latin-1")


def _damaged(path: Path, reason: object) -> FormatError:
    words = " ".join(str(reason).split())
    return FormatError(f"{path}: the bgzip file is damaged or truncated ({words}); copy or download it again")
