"""The .fai index of a FASTA file: where each chromosome lies, made where there is none."""

import mmap
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqcnn.errors import FormatError, OutputFileError
from seqcnn.io.caching import cache_folder, stamped
from seqcnn.io.writing import atomic

Bytes = npt.NDArray[np.uint8]
_NEWLINE = ord("\n")
#: What every whole bgzip file ends with.
_LAST_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
#: Bytes of a chromosome that are checked at a time.
_CHUNK = 1 << 26


@dataclass(frozen=True)
class Entry:
    """One chromosome, as a line of a .fai file.

    Parameters
    ----------
    name
        Up to the first space of the header.
    length
        Letters.
    offset
        Byte of the first letter.
    letters, width
        Letters of a line, and its bytes with the line end.
    """

    name: str
    length: int
    offset: int
    letters: int
    width: int

    def place(self, position: int) -> int:
        """Return the byte of a position.

        >>> Entry("a", 10, 3, 4, 5).place(9)
        14
        """
        return self.offset + position // self.letters * self.width + position % self.letters


def read_index(path: Path) -> list[Entry]:
    """Return the entries of a .fai file; `FormatError` where it is none."""
    entries = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        cells = line.split("\t")
        try:
            length, offset, letters, width = (int(cell) for cell in cells[1:5])
        except ValueError:
            raise FormatError(f"{path}, line {number}: expected a line of a .fai index, found {line[:40]!r}") from None
        entries.append(Entry(cells[0], length, offset, letters, width))
    return entries


def write_index(path: Path, entries: list[Entry]) -> None:
    """Write a .fai file, whole or not at all: two processes may do so at once."""
    with atomic(path) as stream:
        for e in entries:
            stream.write(f"{e.name}\t{e.length}\t{e.offset}\t{e.letters}\t{e.width}\n")


def index_of(fasta: Path, notes: list[str] | None = None) -> list[Entry]:
    """Return the index of a plain FASTA file: the one beside it, or one made now.

    An index older than the file, or one that does not fit it, is made again. Where the folder cannot be written the
    index is kept in the user's cache folder instead, under a name that changes with the file. `notes` gets a sentence
    where an index that was there is made again.

    Raises
    ------
    FormatError
        If the file is no FASTA, or has lines of unequal length.
    """
    stamp = fasta.stat()
    beside = fasta.with_name(fasta.name + ".fai")
    elsewhere = cache_folder("index") / f"{fasta.name}.{stamped(fasta, stamp)[:16]}.fai"
    for place in (beside, elsewhere):
        try:
            if place.stat().st_mtime_ns < stamp.st_mtime_ns:
                why = "older than the file"
            elif _fits(entries := read_index(place), stamp.st_size):
                return entries
            else:
                why = "of another file"
        except FormatError:
            why = "no index"
        except OSError:
            continue
        if notes is not None:
            notes.append(f"{place} was {why}: made again")
    entries = build_index(fasta)
    for place in (beside, elsewhere):
        try:
            if place is elsewhere:
                place.parent.mkdir(parents=True, exist_ok=True)
            write_index(place, entries)
            break
        except (OSError, OutputFileError):
            continue  # kept nowhere, it is made again the next time
    return entries


def _fits(entries: list[Entry], size: int) -> bool:
    """Return whether an index may be that of a file of so many bytes."""
    last = max(entries, key=lambda e: e.offset, default=None)
    return last is not None and (last.length == 0 or last.place(last.length - 1) < size)


def packed_index_of(fasta: Path, notes: list[str] | None = None) -> tuple[Path, Path]:
    """Return where the two indices of a bgzip FASTA file lie, .fai and .gzi; made through pysam where there are none.

    As for a plain file, those that are older are made again, each appears whole or not at all, and where the folder
    cannot be written they are kept in the user's cache folder.

    Raises
    ------
    FormatError
        If the file is no FASTA, or truncated.
    OutputFileError
        If the indices can be kept nowhere.
    """
    import pysam
    from pysam.utils import SamtoolsError

    if not _whole(fasta):
        raise FormatError(f"{fasta} lacks the block that ends a bgzip file (truncated); copy or pack it again")
    stamp = fasta.stat()
    beside = fasta.with_name(fasta.name + ".fai"), fasta.with_name(fasta.name + ".gzi")
    stem = f"{fasta.name}.{stamped(fasta, stamp)[:16]}"
    folder = cache_folder("index")
    elsewhere = folder / f"{stem}.fai", folder / f"{stem}.gzi"
    for pair in (beside, elsewhere):
        if all(place.is_file() for place in pair):
            if all(place.stat().st_mtime_ns >= stamp.st_mtime_ns for place in pair):
                return pair
            if notes is not None:
                notes.append(f"{pair[0]} was older than the file: made again")
    with tempfile.TemporaryDirectory() as made:
        new = Path(made, "fai"), Path(made, "gzi")
        loud = pysam.set_verbosity(0)  # htslib would write lines of its own to standard error
        try:
            pysam.faidx(str(fasta), "-o", str(new[0]), "--gzi-idx", str(new[1]))
        except SamtoolsError:
            raise FormatError(
                f"{fasta}: cannot be indexed; expected FASTA of lines of equal length, packed with bgzip"
            ) from None
        finally:
            pysam.set_verbosity(loud)
        for pair in (beside, elsewhere):
            try:
                if pair is elsewhere:
                    folder.mkdir(parents=True, exist_ok=True)
                for source, place in zip(new[::-1], pair[::-1], strict=True):
                    with atomic(place, "wb") as stream:
                        stream.write(source.read_bytes())
                return pair
            except (OSError, OutputFileError):
                continue
    raise OutputFileError(
        f"{fasta}: its index can be kept neither beside it nor in {folder}; make one of them writable"
    )


def _whole(packed: Path) -> bool:
    """Return whether a bgzip file ends with the empty block that says so."""
    with open(packed, "rb") as stream:
        stream.seek(max(0, packed.stat().st_size - len(_LAST_BLOCK)))
        return stream.read() == _LAST_BLOCK


def build_index(fasta: Path) -> list[Entry]:
    r"""Return the index of a plain FASTA file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.fa"
    >>> _ = path.write_bytes(b">one of two\nACGT\nACGT\nAC\n>two\nTT\n")
    >>> [(e.name, e.length, e.offset) for e in build_index(path)]
    [('one', 10, 12), ('two', 2, 30)]
    """
    if not fasta.stat().st_size:
        raise FormatError(f"{fasta} is empty; expected at least one record")
    entries: list[Entry] = []
    values: Bytes = np.memmap(fasta, np.uint8, "r")
    with open(fasta, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:1] != b">":
            raise FormatError(f"{fasta}: expected FASTA, which starts with '>', found {data[:20].decode('latin-1')!r}")
        header = 0
        while header >= 0:
            end = data.find(b"\n", header)
            body = len(data) if end < 0 else end + 1
            following = data.find(b"\n>", body - 1)
            stop = len(data) if following < 0 else following + 1
            name = data[header + 1 : body].split(maxsplit=1)
            if not name:
                raise FormatError(f"{fasta}, byte {header}: a record without a name; name each chromosome")
            entries.append(_entry(name[0].decode("utf-8", "replace"), values, body, stop, fasta))
            header = -1 if following < 0 else following + 1
    names = [e.name for e in entries]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"{fasta}: two records are called {twice!r}; give each chromosome a name of its own")
    return entries


def _entry(name: str, values: Bytes, body: int, stop: int, fasta: Path) -> Entry:
    """Return the entry of the record whose letters lie in bytes ``body`` to ``stop``."""
    while stop > body and values[stop - 1] in b"\r\n \t":
        stop -= 1
    if stop == body:
        return Entry(name, 0, body, 1, 2)
    head = values[body : min(stop, body + _CHUNK)]
    breaks = np.flatnonzero(head == _NEWLINE)
    if not len(breaks):
        if stop - body > len(head):
            breaks = np.flatnonzero(values[body:stop] == _NEWLINE)
        if not len(breaks):
            return Entry(name, stop - body, body, stop - body, stop - body + 1)
    width = int(breaks[0]) + 1
    letters = width - 1 - int(width > 1 and values[body + width - 2] == ord("\r"))
    lines = -(-(stop - body) // width)
    if letters:
        at = body + width * np.arange(1, lines, dtype=np.int64) - 1
        found = sum(
            int(np.count_nonzero(values[i : min(stop, i + _CHUNK)] == _NEWLINE)) for i in range(body, stop, _CHUNK)
        )
        if found == lines - 1 and bool((values[at] == _NEWLINE).all()):
            return Entry(name, stop - body - (lines - 1) * (width - letters), body, letters, width)
    raise FormatError(f"{fasta}, record {name}: lines of unequal length, which cannot be indexed; wrap them evenly")
