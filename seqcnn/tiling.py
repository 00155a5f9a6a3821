"""Windows over a record: the only window arithmetic there is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqcnn.checks import within
from seqcnn.compiling import compiled
from seqcnn.errors import DataError
from seqcnn.interval import Place
from seqcnn.names import Names
from seqcnn.sequence import Codes, Sequences

Numbers = npt.NDArray[np.int64]


class Run(NamedTuple):
    """So many windows of one record, one step apart: the first begins at `first`; `place` is that of the record."""

    id: str
    first: int
    size: int
    length: int
    place: Place | None = None


#: Chromosomes, starts and ends on them, and strands.
Where = tuple[Names, Numbers, Numbers, Numbers]


@dataclass(frozen=True)
class Windows:
    """Windows of records, column by column, as they are cut one after another.

    Parameters
    ----------
    ids, starts, ends, lengths
        Identifier of the record, start and end in it, and its length, each ``(N,)``.
    places
        Where they lie on a genome; None where each record is its own chromosome.

    Examples
    --------
    >>> run = Run("peak1", 0, 2, 30, Place("1", 90, 120, -1))
    >>> windows = Windows.cut([run], window=10, step=5, sizes={"1": 115})
    >>> windows.starts.tolist(), windows.ends.tolist(), windows.floor
    ([0, 5], [10, 15], 90)
    >>> [column.tolist() for column in windows.where]
    [['1', '1'], [110, 105], [115, 115], [-1, -1]]
    """

    ids: Names
    starts: Numbers
    ends: Numbers
    lengths: Numbers
    places: Where | None = None

    @classmethod
    def cut(
        cls, runs: Sequence[Run], *, window: int | None = None, step: int = 1, sizes: Mapping[str, int] | None = None
    ) -> "Windows":
        """Return the windows of runs; without a `window` each is a whole record. `sizes` are those of chromosomes."""
        counts = np.array([run.size for run in runs], np.int64)
        which = np.repeat(np.arange(len(runs)), counts)
        inside = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        starts = np.array([run.first for run in runs], np.int64)[which] + inside * step
        lengths = np.array([run.length for run in runs], np.int64)[which]
        ends = lengths if window is None else np.minimum(starts + window, lengths)
        ids = Names([run.id for run in runs], which)
        places = [run.place for run in runs if run.place is not None]
        if not places or len(places) < len(runs):
            return cls(ids, starts, ends, lengths)
        chromosomes = Names([place.chromosome for place in places], which)
        first, last, strand = np.array([place[1:] for place in places], np.int64)[which].T
        size = np.array([(sizes or {})[place.chromosome] for place in places], np.int64)[which]
        low = np.where(strand < 0, last - ends, first + starts).clip(0, size)
        high = np.maximum(low, np.minimum(np.where(strand < 0, last - starts, first + ends), size))
        spliced = lengths != last - first  # all of such a record lies in the whole
        return cls(ids, starts, ends, lengths, (chromosomes, *np.where(spliced, (first, last), (low, high)), strand))

    @classmethod
    def whole(
        cls, ids: Sequence[str], lengths: Numbers, places: Sequence[Place | None], *, sizes: Mapping[str, int]
    ) -> "Windows":
        """Return records as they are, one window each."""
        if any(place is not None for place in places):
            rows = zip(ids, lengths.tolist(), places, strict=True)
            return cls.cut([Run(name, 0, 1, length, place) for name, length, place in rows], sizes=sizes)
        return cls(Names.of(ids), np.zeros(len(ids), np.int64), lengths, lengths)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, rows: slice) -> "Windows":
        return Windows(*_part(self.cells, rows), None if self.places is None else _part(self.places, rows))

    @property
    def cells(self) -> Where:
        """Identifiers, starts, ends and lengths."""
        return self.ids, self.starts, self.ends, self.lengths

    @property
    def where(self) -> Where:
        """Chromosomes, starts and ends on them, and strands."""
        if self.places is None:
            return self.ids, self.starts, self.ends, np.zeros(len(self), np.int64)
        return self.places

    def place(self, row: int) -> Place | None:
        """Return where a window lies on a genome, if anywhere."""
        if self.places is None:
            return None
        chromosomes, *numbers = self.places
        return Place(chromosomes.at(row), *(int(column[row]) for column in numbers))

    @property
    def floor(self) -> int:
        """Position on the last chromosome before which no later window begins, where records come in order."""
        start = int(self.starts[-1])
        place = self.place(-1)
        if place is None:
            return start
        return place.end + start - int(self.lengths[-1]) if place.strand < 0 else place.start - start


def _part(columns: Where, rows: slice) -> Where:
    names, first, second, third = columns
    return names[rows], first[rows], second[rows], third[rows]


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
    within(window, "window", 1)
    within(step, "step", 1)
    last = max(0, length - window)
    count = last // step + 1
    size = max(1, (letters - window) // step + 1)
    for at in range(0, count, size):
        yield np.arange(at, min(at + size, count), dtype=np.int64) * step
    if last % step:
        yield np.array([last], np.int64)


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


#: Windows that are looked at together, so that few stretches are held.
_TOGETHER = 1 << 14


@dataclass(frozen=True)
class Stretches:
    """Parts of chromosomes that do not overlap, and what was found of the window that each belongs to.

    Parameters
    ----------
    chromosomes, starts, ends
        Where they lie, each ``(N,)``.
    values
        ``(N, ...)``.
    """

    chromosomes: Names
    starts: Numbers
    ends: Numbers
    values: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[str, int, int, Any]]:
        columns = (self.chromosomes, self.starts, self.ends, self.values)
        return zip(*(column.tolist() for column in columns), strict=True)


class Nearest:
    """Windows that overlap as stretches that do not: a position belongs to the window whose center is the nearest.

    Of equally near windows the one further left is taken. Records come in the order of their chromosome, the windows
    of a record in any order; only stretches that later windows may change are held.

    Examples
    --------
    >>> nearest, windows = Nearest(), Windows.cut([Run("1", 0, 2, 30), Run("1", 20, 1, 30)], window=10, step=4)
    >>> [list(part) for part in nearest.add(windows, np.array([0.25, 0.5, 0.75]))]
    [[('1', 0, 7, 0.25), ('1', 7, 14, 0.5)]]
    >>> list(nearest.rest())
    [('1', 20, 30, 0.75)]
    """

    def __init__(self) -> None:
        self._chromosome = ""
        self._begun: set[str] = set()
        self._held = np.zeros((5, 0), np.int64)  # start, end, twice the center, start of the window, its value's number
        self._values: npt.NDArray[Any] = np.zeros(0)

    def add(self, windows: Windows, values: npt.NDArray[Any]) -> Iterator[Stretches]:
        """Yield the stretches that no later window can change, once these are known too.

        Raises
        ------
        DataError
            If a chromosome comes again after others, or two records without a place are called the same.
        """
        for at in range(0, len(windows), _TOGETHER):
            yield self._some(windows[at : at + _TOGETHER], values[at : at + _TOGETHER])

    def rest(self) -> Stretches:
        """Return the stretches that are left."""
        starts, ends, _, _, which = self._held
        left = Stretches(Names([self._chromosome], np.zeros(len(starts), np.int64)), starts, ends, self._values[which])
        self._held = self._held[:, :0]
        return left

    def _some(self, windows: Windows, values: npt.NDArray[Any]) -> Stretches:
        chromosomes, starts, ends, _ = windows.where
        fresh = self._fresh(chromosomes, np.zeros(0) if windows.places is not None else starts)
        held, before = self._held.shape[1], len(self._values)
        room = np.empty((5, 2 * held + 4 * len(windows)), np.int64)  # each window ends one stretch, and parts another
        room[:, :held] = self._held
        count, settled = _insert(room, np.empty_like(room), held, starts, ends, fresh, before, windows.floor)
        found, which = room[:, :settled], room[4, :settled]
        known = np.concatenate([self._values, values]) if before else values
        codes = np.concatenate([np.zeros(before, np.int64), chromosomes.codes + 1])
        names = Names([self._chromosome, *chromosomes.table], codes[which])
        self._held = room[:, settled:count].copy()
        kept, self._held[4] = np.unique(self._held[4], return_inverse=True)
        self._values, self._chromosome = known[kept], chromosomes.at(-1)
        return Stretches(names, found[0], found[1], known[which])

    def _fresh(self, chromosomes: Names, starts: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Return which windows are the first of a chromosome; a record without a place begins at 0."""
        codes = chromosomes.codes
        fresh = np.append(True, codes[1:] != codes[:-1])
        last = self._chromosome
        first = fresh | (starts == 0) if len(starts) else fresh
        for row in np.flatnonzero(first).tolist():
            name = chromosomes.at(row)
            fresh[row] = name != last or (len(starts) > 0 and starts[row] == 0)
            if fresh[row] and name in self._begun:
                raise DataError(
                    f"two records are called {name}; each is a chromosome of the track: name them apart, or "
                    "pass --format bed"
                )
            self._begun.add(name)
            last = name
        return fresh


@compiled
def _put(held: Numbers, count: int, low: int, high: int, center: int, start: int, which: int) -> int:
    """Hold a stretch, as one with the last where that is of the same window; return how many are held."""
    if low >= high:
        return count
    if count and held[1, count - 1] == low and held[4, count - 1] == which:
        held[1, count - 1] = high
        return count
    held[0, count], held[1, count], held[2, count] = low, high, center
    held[3, count], held[4, count] = start, which
    return count + 1


@compiled
def _insert(
    held: Numbers,
    tail: Numbers,
    count: int,
    starts: Numbers,
    ends: Numbers,
    fresh: npt.NDArray[np.bool_],
    number: int,
    floor: int,
) -> tuple[int, int]:
    """Give each window the positions that no other holds, or that lie nearer to its center.

    Return how many stretches are held, and how many of them no window that begins at `floor` or later can change.
    """
    base = 0  # of the stretches of this chromosome
    for i in range(len(starts)):
        start, end, which = starts[i], ends[i], number + i
        center = start + end
        if fresh[i]:
            base = count
        free, at = start, count
        while at > base and held[1, at - 1] > start:
            low, high, other = held[0, at - 1], held[1, at - 1], held[2, at - 1]
            last = max(min(high, end), low)
            if (
                held[3, at - 1] <= start
                and other <= center
                and (other == center or (center + other - 2) // 4 + 1 >= last)
            ):
                free = high  # that window reaches as far back, and keeps what it has: so do those before
                break
            at -= 1
        left = count - at
        tail[:, :left] = held[:, at:count]
        count = at
        for k in range(left):
            low, high, other, begin, theirs = tail[0, k], tail[1, k], tail[2, k], tail[3, k], tail[4, k]
            count = _put(held, count, free, min(low, end), center, start, which)
            free = high
            first, last = min(max(low, start), high), max(min(high, end), low)  # both want what lies between
            count = _put(held, count, low, first, other, begin, theirs)
            border = last if other == center else min(max((center + other - 2) // 4 + 1, first), last)
            if other <= center:
                count = _put(held, count, first, border, other, begin, theirs)
                count = _put(held, count, border, last, center, start, which)
            else:
                count = _put(held, count, first, border, center, start, which)
                count = _put(held, count, border, last, other, begin, theirs)
            count = _put(held, count, max(first, last), high, other, begin, theirs)
        count = _put(held, count, free, end, center, start, which)
    settled = base
    while settled < count and held[1, settled] <= floor:
        settled += 1
    return count, settled
