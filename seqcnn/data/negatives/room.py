"""Where on a genome negatives may lie: what is free, what is claimed already, and what the letters there are."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from seqcnn.interval import Intervals, Numbers
from seqcnn.io.genome import Genome

#: Letters of a chromosome are counted in blocks of this many: running counts are kept at their edges only.
_BLOCK = 64
#: Letters read at a time, and windows counted at a time.
_CHUNK, _WINDOWS = 1 << 24, 1 << 15
#: What is counted: C and G, lower case, and letters other than A, C, G and T.
_MARKS = 3


def _marks() -> bytes:
    """Return the table from each letter to one bit a mark."""
    letters = [chr(i) for i in range(256)]
    bits = [(c in "CGcg") + 2 * c.islower() + 4 * (c not in "ACGTUacgtu") for c in letters]
    return bytes(bits)


_TABLE = _marks()


class Room:
    r"""The stretches of a genome that nothing takes: no positive, nothing of a blacklist.

    Parameters
    ----------
    genome
        Whose chromosomes they are.
    taken
        Intervals on its chromosomes, overlapping or not; those without a chromosome take nothing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "g.fa"
    >>> _ = path.write_bytes(b">1\nACGTACGTACGT\n")
    >>> room = Room(Genome(path), [Intervals.of([("1", 3, 5, 0), ("1", 4, 6, 0)])])
    >>> room.starts.tolist(), room.ends.tolist()
    ([0, 6], [3, 12])
    """

    def __init__(self, genome: Genome, taken: Iterable[Intervals]) -> None:
        self.genome = genome
        self.names = list(genome.lengths)
        #: Name to number of each chromosome.
        self.number = {name: i for i, name in enumerate(self.names)}
        columns: list[list[tuple[int, int]]] = [[] for _ in self.names]
        for intervals in taken:
            for name, start, end in zip(
                intervals.chromosomes, intervals.starts.tolist(), intervals.ends.tolist(), strict=True
            ):
                if name in self.number:
                    columns[self.number[name]].append((start, end))
        chromosomes, starts, ends = [], [], []
        for i, (name, column) in enumerate(zip(self.names, columns, strict=True)):
            reach = 0
            for start, end in [*sorted(column), (genome.lengths[name], genome.lengths[name])]:
                stop = min(start, genome.lengths[name])
                if stop > reach:
                    chromosomes.append(i)
                    starts.append(reach)
                    ends.append(stop)
                reach = max(reach, end)
        #: Free stretches in order: number of the chromosome, start, end.
        self.chromosomes, self.starts, self.ends = (np.array(c, np.int64) for c in (chromosomes, starts, ends))
        self._first = np.searchsorted(self.chromosomes, np.arange(len(self.names) + 1))

    def free(self, name: str, start: int, end: int) -> bool:
        """Return whether nothing of ``[start, end)`` is taken or beyond the chromosome."""
        i = self.number[name]
        low, high = self._first[i], self._first[i + 1]
        at = int(np.searchsorted(self.starts[low:high], start, "right")) - 1 + int(low)
        return at >= low and end <= int(self.ends[at])

    def sample(
        self, rng: np.random.Generator, length: int, count: int, *, chromosome: int | None = None
    ) -> tuple[Numbers, Numbers]:
        """Return chromosome and start of at most `count` free windows of one length, no two alike, in order.

        All there are where these are no more than `count`; else uniform draws.
        """
        places = np.maximum(0, self.ends - self.starts - length + 1)
        if chromosome is not None:
            places = np.where(self.chromosomes == chromosome, places, 0)
        after = np.cumsum(places)
        total = int(after[-1]) if len(after) else 0
        drawn = np.arange(total) if total <= count else np.unique(rng.integers(0, total, count))
        where = np.searchsorted(after, drawn, "right")
        return self.chromosomes[where], self.starts[where] + drawn - (after - places)[where]

    def counted(self, chromosomes: Numbers, starts: Numbers, lengths: Numbers) -> Numbers:
        """Return how many letters of each window are C or G, are soft-masked, and are no plain letter, ``(N, 3)``.

        One chromosome is held at a time, a byte a letter.
        """
        found = np.zeros((len(starts), _MARKS), np.int64)
        for i in np.unique(chromosomes).tolist():
            here = np.flatnonzero(chromosomes == i)
            running = _Running(self._letters(self.names[i]), self.genome.lengths[self.names[i]])
            for part in np.array_split(here, max(1, len(here) // _WINDOWS)):
                found[part] = running.at(starts[part] + lengths[part]) - running.at(starts[part])
        return found

    def _letters(self, name: str) -> Iterator[bytes]:
        length = self.genome.lengths[name]
        return (self.genome.letters(name, at, min(length, at + _CHUNK)) for at in range(0, length, _CHUNK))


class _Running:
    """Running counts of the marks along one chromosome."""

    def __init__(self, letters: Iterable[bytes], length: int) -> None:
        blocks = length // _BLOCK + 1
        self.marks = np.zeros(blocks * _BLOCK, np.uint8)
        self.before = np.zeros((blocks + 1, _MARKS), np.int64)
        at = 0
        for chunk in letters:
            self.marks[at : at + len(chunk)] = np.frombuffer(chunk.translate(_TABLE), np.uint8)
            first, last = at // _BLOCK, -(-(at + len(chunk)) // _BLOCK)
            whole = self.marks[first * _BLOCK : last * _BLOCK].reshape(-1, _BLOCK)
            for mark in range(_MARKS):
                self.before[first + 1 : last + 1, mark] = ((whole >> mark) & 1).sum(1)
            at += len(chunk)
        np.cumsum(self.before, axis=0, out=self.before)

    def at(self, positions: Numbers) -> Numbers:
        """Return the counts before each position, ``(N, 3)``."""
        block = positions // _BLOCK
        place = block[:, None] * _BLOCK + np.arange(_BLOCK)
        rest = np.where(place < positions[:, None], self.marks[place], 0)
        inside = np.stack([((rest >> mark) & 1).sum(1) for mark in range(_MARKS)], axis=1)
        counts: npt.NDArray[np.int64] = self.before[block] + inside
        return counts


class Claims:
    """Windows that negatives have claimed, by chromosome, and how far another may overlap them."""

    def __init__(self) -> None:
        self._held: dict[int | str, list[tuple[int, int]]] = {}
        self._longest = 0
        #: Windows claimed that overlap one claimed before, and the largest share of one.
        self.overlapping, self.worst = 0, 0.0

    def open(self, chromosomes: Numbers, starts: Numbers, length: int, *, overlap: float) -> npt.NDArray[np.bool_]:
        """Return which of many windows of one length may still be claimed, ``(N,)``, as far as their neighbors tell.

        Only the windows claimed that start just before and just after are looked at, which is all there is to see
        where lengths are equal.
        """
        free = np.ones(len(starts), bool)
        for chromosome in np.unique(chromosomes).tolist():
            held = np.array(self._held.get(chromosome, ()), np.int64).reshape(-1, 2)
            here = np.flatnonzero(chromosomes == chromosome)
            after = np.searchsorted(held[:, 0], starts[here])
            for side in (after - 1, after):
                known = (side >= 0) & (side < len(held))
                other, mine = held[side[known]], starts[here[known]]
                shared = np.minimum(mine + length, other[:, 1]) - np.maximum(mine, other[:, 0])
                free[here[known]] &= shared <= overlap * np.maximum(length, other[:, 1] - other[:, 0])
        return free

    def claim(self, chromosome: int | str, start: int, end: int, *, overlap: float = 0.0) -> bool:
        """Claim ``[start, end)`` unless it shares too much with one claimed before; return whether it was.

        Two windows may share the part `overlap` of the longer one, but never their start.

        >>> claims = Claims()
        >>> [claims.claim(0, start, start + 10, overlap=share) for start, share in ((0, 0), (9, 0), (10, 0), (5, 0.5))]
        [True, False, True, True]
        """
        held = self._held.setdefault(chromosome, [])
        at = bisect_left(held, (start, end))
        worst = 0.0
        for other in _around(held, at, start - self._longest, end):
            shared = min(end, other[1]) - max(start, other[0])
            worst = max(worst, shared / max(end - start, other[1] - other[0]), float(other[0] == start))
        if worst > overlap:
            return False
        held.insert(at, (start, end))
        self._longest = max(self._longest, end - start)
        self.overlapping, self.worst = self.overlapping + (worst > 0), max(worst, self.worst)
        return True


def _around(held: Sequence[tuple[int, int]], at: int, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Yield what starts between `low` and `high`, on both sides of the place `at`."""
    i = at - 1
    while i >= 0 and held[i][0] >= low:
        yield held[i]
        i -= 1
    for i in range(at, len(held)):
        if held[i][0] >= high:
            return
        yield held[i]
