"""Records as readers yield them: one, or the letters of many, one behind the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqcnn.interval import Place

#: Letters held together at a time: small enough for the cache and for a slow pipe, and Python's cost vanishes.
LETTERS = 1 << 18


class Record(NamedTuple):
    """One record: identifier, letters, rest of the header line, place on a genome."""

    id: str
    letters: bytes
    description: str = ""
    place: Place | None = None


@dataclass(frozen=True)
class Letters:
    """The letters of some records, one behind the other.

    Parameters
    ----------
    ids
        Identifiers.
    text
        Letters of all.
    offsets
        Where in `text` each begins, and where the last ends, ``(N + 1,)``.
    descriptions, places
        As of `Record`; empty where none has any.

    Examples
    --------
    >>> some = Letters.of([Record("a", b"ACGT"), Record("b", b"gg", "of two")])
    >>> some.text, some.offsets.tolist(), some.part(1, 2).ids, [record.description for record in some]
    (b'ACGTgg', [0, 4, 6], ['b'], ['', 'of two'])
    """

    ids: Sequence[str]
    text: bytes
    offsets: npt.NDArray[np.int64]
    descriptions: Sequence[str] = field(default=())
    places: Sequence[Place | None] = field(default=())

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Letters":
        """Join records."""
        ids, letters, descriptions, places = (list(column) for column in zip(*records, strict=True))
        return cls(
            ids, b"".join(letters), ends_of(map(len, letters)), descriptions, places if any(places) else ()
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Record]:
        ends = self.offsets.tolist()
        for row, identifier in enumerate(self.ids):
            description = self.descriptions[row] if self.descriptions else ""
            place = self.places[row] if self.places else None
            yield Record(identifier, self.text[ends[row] : ends[row + 1]], description, place)

    def part(self, first: int, last: int) -> "Letters":
        """Return some of the records, from `first` on, up to `last`."""
        start, end = self.offsets[first], self.offsets[last]
        return Letters(
            self.ids[first:last], self.text[start:end], self.offsets[first : last + 1] - start,
            self.descriptions[first:last], self.places[first:last],
        )  # fmt: skip


def ends_of(lengths: Iterable[int]) -> npt.NDArray[np.int64]:
    """Return where records of these lengths begin, and where the last ends."""
    return np.cumsum([0, *lengths], dtype=np.int64)


def together(records: Iterable[Record]) -> Iterator[Letters]:
    """Yield the records, as many together as hold `LETTERS` or the first beyond."""
    some, letters = list[Record](), 0
    for record in records:
        some.append(record)
        letters += len(record.letters)
        if letters >= LETTERS:
            yield Letters.of(some)
            some, letters = [], 0
    if some:
        yield Letters.of(some)
