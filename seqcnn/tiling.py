"""Windows over a record: the only window arithmetic there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.checks import within
from seqcnn.errors import DataError
from seqcnn.interval import Place
from seqcnn.sequence import Codes, Sequences


@dataclass
class Windows:
    """Windows of records, column by column, as they are cut one after another.

    Parameters
    ----------
    ids, starts, ends, lengths
        Identifier of the record, start and end in it, and its length, each ``(N,)``.
    places
        Places on a genome, ``(N,)``; empty where each record is its own chromosome.

    Examples
    --------
    >>> windows = Windows()
    >>> windows.extend("peak1", np.array([0]), np.array([10]), 30, places=[Place("1", 90, 100, -1)])
    >>> len(windows), windows.where, windows.floor
    (1, (['1'], [90], [100], [-1]), 70)
    """

    ids: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)

    def append(self, id: str, start: int, end: int, length: int) -> None:
        """Add a window."""
        self.ids.append(id)
        self.starts.append(start)
        self.ends.append(end)
        self.lengths.append(length)

    def extend(
        self,
        id: str,
        starts: npt.NDArray[np.int64],
        ends: npt.NDArray[np.int64],
        length: int,
        *,
        places: Sequence[Place] = (),
    ) -> None:
        """Add windows of one record."""
        self.ids += [id] * len(starts)
        self.starts += starts.tolist()
        self.ends += ends.tolist()
        self.lengths += [length] * len(starts)
        self.places += places

    @property
    def cells(self) -> tuple[list[str], list[int], list[int], list[int]]:
        """Identifiers, starts, ends and lengths."""
        return self.ids, self.starts, self.ends, self.lengths

    @property
    def where(self) -> tuple[list[str], list[int], list[int], list[int]]:
        """Chromosomes, starts and ends on them, and strands."""
        if not self.places:
            return self.ids, self.starts, self.ends, [0] * len(self)
        chromosomes, starts, ends, strands = map(list, zip(*self.places, strict=True))
        return chromosomes, starts, ends, strands

    @property
    def floor(self) -> int:
        """Position on the last chromosome before which no later window begins, where records come in order."""
        if not self.places:
            return self.starts[-1]
        place = self.places[-1]
        return place.end + self.starts[-1] - self.lengths[-1] if place.strand < 0 else place.start - self.starts[-1]


def windows(length: int, window: int, step: int) -> npt.NDArray[np.int64]:
    """Return the starts of the windows that cover a record from end to end, ``(n,)``.

    Windows start every `step` positions; one more, flush with the end, is added where the last would leave positions
    out. A record no longer than the window has one window, at 0, which ends where the record ends. With a step longer
    than the window there are gaps, as asked for.

    Raises
    ------
    OptionError
        If `window` or `step` is less than 1.

    Examples
    --------
    >>> windows(10, 4, 3).tolist(), windows(11, 4, 3).tolist(), windows(3, 4, 3).tolist()
    ([0, 3, 6], [0, 3, 6, 7], [0])
    """
    within(window, "window", 1)
    within(step, "step", 1)
    last = max(0, length - window)
    starts = np.arange(0, last + 1, step, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)


def stretches(length: int, window: int, step: int, *, letters: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the starts of `windows` in runs that are `step` apart, each over about so many letters.

    >>> [run.tolist() for run in stretches(11, 4, 3, letters=8)]
    [[0, 3], [6], [7]]
    """
    starts = windows(length, window, step)
    flush = len(starts) > 1 and starts[-1] - starts[-2] != step
    regular = starts[:-1] if flush else starts
    size = max(1, (letters - window) // step + 1)
    for at in range(0, len(regular), size):
        yield regular[at : at + size]
    if flush:
        yield starts[-1:]


@dataclass(frozen=True)
class Overlapping(Sequences):
    """Windows as records, the letters that they share held once: each stretch of the buffer holds one or more.

    Parameters
    ----------
    window, step
        Letters of a window, and from one to the next. A stretch no longer than a window is a window of its length.

    Examples
    --------
    >>> letters = np.arange(10, dtype=np.uint8)
    >>> cut = Overlapping(letters, np.array([0, 7, 10]), window=4, step=3)
    >>> [one.tolist() for one in cut]
    [[0, 1, 2, 3], [3, 4, 5, 6], [7, 8, 9]]
    """

    window: int
    step: int

    @classmethod
    def joined(cls, stretches: Sequence[Codes], window: int, step: int) -> "Overlapping":
        """Return the windows of stretches of letters."""
        one = Sequences.from_codes(stretches)
        return cls(one.buffer, one.offsets, window, step)

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Windows of each stretch."""
        found: npt.NDArray[np.int64] = np.maximum(0, np.diff(self.offsets) - self.window) // self.step + 1
        return found

    @cached_property
    def firsts(self) -> npt.NDArray[np.int64]:
        """Number of the first window of each stretch, and of all, ``(stretches + 1,)``."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    def __len__(self) -> int:
        return int(self.firsts[-1])

    @cached_property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where in the buffer each window begins, ``(N,)``."""
        inside = np.arange(len(self)) - np.repeat(self.firsts[:-1], self.counts)
        found: npt.NDArray[np.int64] = np.repeat(self.offsets[:-1], self.counts) + inside * self.step
        return found

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each window, ``(N,)``."""
        return np.repeat(np.minimum(np.diff(self.offsets), self.window), self.counts)


#: Chromosome, start and end of a stretch, and what it holds.
Stretch = tuple[str, int, int, Any]


class Nearest:
    """Windows that overlap as stretches that do not: a position belongs to the window whose center is the nearest.

    Of equally near windows the one further left is taken. Records come in the order of their chromosome, the windows
    of a record in any order; only stretches that later windows may change are held.

    Examples
    --------
    >>> nearest = Nearest()
    >>> nearest.add(Windows(["1", "1", "1"], [0, 4, 20], [10, 14, 30], [30, 30, 30]), ["a", "b", "c"])
    [('1', 0, 7, 'a'), ('1', 7, 14, 'b')]
    >>> nearest.rest()
    [('1', 20, 30, 'c')]
    """

    def __init__(self) -> None:
        self._chromosome = ""
        self._begun: set[str] = set()
        self._held: list[tuple[int, int, int, Any]] = []  # start, end, twice the center, value

    def add(self, windows: Windows, values: Sequence[Any]) -> list[Stretch]:
        """Return the stretches that no later window can change, once these are known too.

        Raises
        ------
        DataError
            If a chromosome comes again after others, or two records without a place are called the same.
        """
        settled: list[Stretch] = []
        whole = not windows.places
        for chromosome, start, end, _, value in zip(*windows.where, values, strict=True):
            if chromosome != self._chromosome or (whole and not start):
                settled += self.rest()
                if chromosome in self._begun:
                    raise DataError(
                        f"two records are called {chromosome}; each is a chromosome of the track: name them apart, or "
                        "pass --format bed"
                    )
                self._begun.add(chromosome)
                self._chromosome = chromosome
            self._insert(start, end, value)
        floor = windows.floor
        return settled + self._taken(next((i for i, held in enumerate(self._held) if held[1] > floor), None))

    def rest(self) -> list[Stretch]:
        """Return the stretches that are left."""
        return self._taken(None)

    def _taken(self, count: int | None) -> list[Stretch]:
        taken = self._held[:count]
        del self._held[:count]
        return [(self._chromosome, start, end, value) for start, end, _, value in taken]

    def _insert(self, start: int, end: int, value: Any) -> None:
        """Give a window the positions that no other holds, or that lie nearer to its center."""
        center, tail = start + end, []
        while self._held and self._held[-1][1] > start:
            tail.append(self._held.pop())
        free = start
        for low, high, other, theirs in reversed(tail):
            self._put(free, min(low, end), center, value)
            free = high
            first, last = min(max(low, start), high), max(min(high, end), low)  # both want what lies between
            self._put(low, first, other, theirs)
            border = last if other == center else min(max((center + other - 2) // 4 + 1, first), last)
            if other <= center:
                self._put(first, border, other, theirs)
                self._put(border, last, center, value)
            else:
                self._put(first, border, center, value)
                self._put(border, last, other, theirs)
            self._put(max(first, last), high, other, theirs)
        self._put(free, end, center, value)

    def _put(self, low: int, high: int, center: int, value: Any) -> None:
        """Hold a stretch, as one with the last where that is of the same window."""
        if low < high:
            held = self._held
            if held and held[-1][1] == low and held[-1][2] == center and held[-1][3] is value:
                low = held.pop()[0]
            held.append((low, high, center, value))
