"""Negatives as a kind makes them, before they join their positives."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Negatives
from seqcnn.data.negatives.room import Room
from seqcnn.errors import DataError
from seqcnn.interval import Intervals
from seqcnn.sequence import Codes, Sequences, encode, reverse_complement


@dataclass(frozen=True)
class Made:
    """What one kind of negatives made of its positives.

    Parameters
    ----------
    sequences, ids
        The negatives, M of them.
    parents
        ``(M,)`` index of the positive that each must stay with, -1 for none.
    places
        Where they lie; None where they lie nowhere.
    dropped, notes
        As in `Summary`.
    """

    sequences: Sequences
    ids: tuple[str, ...]
    parents: npt.NDArray[np.int64]
    places: Intervals | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Order:
    """What is asked of a kind of negatives.

    Parameters
    ----------
    sequences, ids, alphabet
        The positives, N of them, of DNA or RNA.
    places
        ``(N,)`` where they lie on the genome; None where no genome is needed.
    wanted
        Kind, ratio and what is matched.
    rng, seed
        Of all draws, and what it was made from.
    room
        Where on the genome negatives may lie; None where no genome is needed.
    """

    sequences: Sequences
    ids: tuple[str, ...]
    alphabet: Alphabet
    wanted: Negatives
    seed: int
    rng: np.random.Generator
    places: Intervals | None = None
    room: Room | None = None

    @property
    def outside(self) -> str:
        """Where on the genome no negative lies, in words."""
        return "outside positives, blacklist and gaps" if self.wanted.blacklist else "outside positives and gaps"

    def on_genome(self) -> tuple[Intervals, Room]:
        """Return places and room; `DataError` where there are none."""
        if self.places is None or self.room is None:
            raise DataError(
                f"negatives: {self.wanted.kind} ones need a genome, and positives whose places on it are known"
            )
        return self.places, self.room


def numbered(stem: str, number: int) -> str:
    """Return an identifier, the second and later ones numbered.

    >>> numbered("a_shuffled", 0), numbered("a_shuffled", 1)
    ('a_shuffled', 'a_shuffled2')
    """
    return f"{stem}{number + 1}" if number else stem


def read_windows(places: Intervals, room: Room, alphabet: Alphabet) -> Sequences:
    """Return the codes of windows of the genome, those on the reverse strand turned round, soft mask kept."""
    pieces: list[Codes] = []
    for letters, strand in zip(room.genome.windows(places), places.strands.tolist(), strict=True):
        codes = encode(letters, alphabet, unknown="mask")
        pieces.append(reverse_complement(codes, alphabet) if strand < 0 else codes)
    return Sequences.from_codes(pieces)
