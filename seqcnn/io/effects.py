"""What every letter at every place would do, as a table, a NumPy archive, or a track of importance."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.errors import OptionError
from seqcnn.interval import SIGNS, Place
from seqcnn.io.opening import STDIN
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import atomic
from seqcnn.sequence import Codes, decode

#: Suffixes of each format; anything else is a table.
_SUFFIXES = {"npz": (".npz",), "bedgraph": (".bedgraph", ".bdg", ".bedgraph.gz", ".bdg.gz")}


@dataclass(frozen=True)
class Effects:
    """One record.

    Parameters
    ----------
    id
        Of the record.
    codes
        Its letters ``(L,)``.
    changes
        What each letter at each place does to the output, ``(A, L)``; 0 for the letter that is there.
    place
        On a genome; None where the record is its own chromosome.
    """

    id: str
    codes: Codes
    changes: npt.NDArray[np.float32]
    place: Place | None = None

    @property
    def importance(self) -> npt.NDArray[np.float64]:
        """How much higher the output is than with other letters on average, at each place ``(L,)``; 0 at N and gaps.

        >>> Effects("a", np.array([0, 4], np.uint8), np.array([[0, 1], [-1, 1], [-2, 1], [-3, 1]])).importance.tolist()
        [2.0, 0.0]
        """
        known = (self.codes & ~np.uint8(SOFT_MASK)) < len(self.changes)
        found: npt.NDArray[np.float64] = np.where(known, -self.changes.sum(0, dtype=np.float64), 0.0)
        return found / (len(self.changes) - 1)


Write = Callable[[Effects], None]


def effects_format(path: str, asked: str | None = None) -> str:
    """Return the format that an option asks for, or the name of a file says.

    Raises
    ------
    OptionError
        If it cannot be written there.

    Examples
    --------
    >>> effects_format("a.npz"), effects_format("a.bedGraph.gz"), effects_format("-")
    ('npz', 'bedgraph', 'tsv')
    """
    told = (kind for kind, suffixes in _SUFFIXES.items() if path.lower().endswith(suffixes))
    found = asked or next(told, "tsv")
    if found == "npz" and path == STDIN:
        raise OptionError("--format npz: cannot be written to standard output; name a file with -o")
    return found


@contextmanager
def effects_table(path: str, alphabet: Alphabet, *, placed: bool) -> Iterator[Write]:
    """Yield a function that writes a row a letter: record, place from 0, letter, what each letter does, importance."""
    names = ["id", "start", "letter", *alphabet.letters, "importance"]
    with tsv_rows(path, [*names, "chromosome", "chrom_start", "chrom_strand"] if placed else names) as put:

        def write(one: Effects) -> None:
            letters, count = decode(one.codes, alphabet), len(one.codes)
            columns = [[one.id] * count, range(count), letters, *one.changes.tolist(), one.importance.tolist()]
            if placed:
                chromosome, positions, strand = _where(one)
                columns += [[chromosome] * count, positions, [SIGNS[strand]] * count]
            put(zip(*columns, strict=True))

        yield write


@contextmanager
def effects_track(path: str, alphabet: Alphabet, *, placed: bool) -> Iterator[Write]:
    """Yield a function that writes the importance of each letter as bedGraph, on the chromosome or on the record."""
    with tsv_rows(path) as put:

        def write(one: Effects) -> None:
            chromosome, positions, _ = _where(one)
            rows = sorted(zip(positions, one.importance.tolist(), strict=True))
            put((chromosome, at, at + 1, value) for at, value in rows if at >= 0)

        yield write


@contextmanager
def effects_archive(path: str, alphabet: Alphabet, *, placed: bool) -> Iterator[Write]:
    """Yield a function that keeps records; at the end an ``.npz`` of all is written.

    It holds ``changes`` ``(N, A, L)`` with NaN behind the end of a record, ``ids``, ``sequences``, ``lengths`` and
    ``letters``; with places also ``chromosomes``, ``starts``, ``ends`` and ``strands``.
    """
    kept: list[Effects] = []
    yield kept.append
    longest = max((len(one.codes) for one in kept), default=0)
    changes = np.full((len(kept), alphabet.size, longest), np.nan, np.float32)
    for row, one in enumerate(kept):
        changes[row, :, : len(one.codes)] = one.changes
    arrays = {
        "changes": changes,
        "ids": np.array([one.id for one in kept], str),
        "sequences": np.array([decode(one.codes, alphabet) for one in kept], str),
        "lengths": np.array([len(one.codes) for one in kept], np.int64),
        "letters": np.array(list(alphabet.letters)),
    }
    if placed:
        places = [one.place or Place(one.id, 0, len(one.codes), 0) for one in kept]
        names = ("chromosomes", "starts", "ends", "strands")
        arrays |= {name: np.array(column) for name, column in zip(names, zip(*places, strict=True), strict=True)}
    with atomic(path, "wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _where(one: Effects) -> tuple[str, list[int], int]:
    """Return the chromosome, the position on it of each letter, and the strand."""
    place = one.place or Place(one.id, 0, len(one.codes), 0)
    positions = range(place.start, place.start + len(one.codes))
    return place.chromosome, list(positions[::-1] if place.strand < 0 else positions), place.strand


#: Format to what opens a file of it.
EFFECT_WRITERS: dict[str, Callable[..., AbstractContextManager[Write]]] = {
    "tsv": effects_table,
    "npz": effects_archive,
    "bedgraph": effects_track,
}
