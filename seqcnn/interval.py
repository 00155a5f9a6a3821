"""Intervals of chromosomes: 0-based, half-open, with a strand; windows around them, and what happens at the edges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of, within
from seqcnn.errors import ShapeError

Numbers = npt.NDArray[np.int64]
#: No position of a chromosome is so far; numbers beyond it are mistakes.
FARTHEST = 1 << 40
#: What is done with a window that reaches beyond its chromosome.
Edge = Literal["pad", "shift", "drop"]
EDGES = {"pad": "padded with N", "shift": "moved inside", "drop": "left out"}
#: How strands are written.
SIGNS = {1: "+", -1: "-", 0: "."}


class Place(NamedTuple):
    """Where one record lies: 0-based, half-open; strand 1, -1, or 0 for none. No chromosome means no place."""

    chromosome: str = ""
    start: int = 0
    end: int = 0
    strand: int = 0

    def __str__(self) -> str:
        return f"{self.chromosome}:{self.start}-{self.end}" + (f"({SIGNS[self.strand]})" if self.strand else "")

    def part(self, start: int, end: int, size: int, *, length: int | None = None) -> "Place":
        """Return where positions `start` to `end` of the record lie; on the reverse strand it is read from its end.

        What reaches beyond the chromosome, which is `size` long, is cut off; of a part beyond it nothing is left. All
        of a record whose `length` is not that of its place lies in the whole: it was spliced of several parts.

        >>> Place("1", 90, 110, -1).part(2, 6, 107), Place("1", -5, 15).part(0, 10, 107)[1:3]
        (Place(chromosome='1', start=104, end=107, strand=-1), (0, 5))
        """
        if length is not None and length != self.end - self.start:
            return self
        low, high = (self.end - end, self.end - start) if self.strand < 0 else (self.start + start, self.start + end)
        low = min(max(low, 0), size)
        return Place(self.chromosome, low, max(low, min(high, size)), self.strand)


@dataclass(frozen=True)
class Intervals:
    """Stretches of chromosomes, column by column.

    Parameters
    ----------
    chromosomes
        ``(N,)`` names.
    starts, ends
        ``(N,)``; 0-based, the end is not included.
    strands
        ``(N,)`` 1, -1, or 0 where there is none.
    names
        ``(N,)``; empty where there is none.
    summits
        ``(N,)`` position of the summit on the chromosome, -1 where there is none.
    lines
        ``(N,)`` line of the file that each stands on; None where they come from no lines.

    Examples
    --------
    >>> peaks = Intervals.of([("chr1", 90, 110, -1), ("chr2", 0, 7, 0)])
    >>> around = peaks.centered(10)
    >>> around.starts.tolist(), around.ends.tolist()
    ([95, -2], [105, 8])
    >>> fitted, kept = around.fitted({"chr1": 200, "chr2": 50}, "shift")
    >>> fitted.starts.tolist(), kept.tolist()
    ([95, 0], [0, 1])
    """

    chromosomes: tuple[str, ...]
    starts: Numbers
    ends: Numbers
    strands: npt.NDArray[np.int8]
    names: tuple[str, ...] = ()
    summits: Numbers | None = None
    lines: Numbers | None = None

    def __post_init__(self) -> None:
        for name in ("starts", "ends", "strands"):
            if len(getattr(self, name)) != len(self.chromosomes):
                raise ShapeError(
                    f"Intervals: {len(self.chromosomes)} chromosomes, but {len(getattr(self, name))} {name}"
                )

    def __len__(self) -> int:
        return len(self.chromosomes)

    @classmethod
    def of(cls, rows: Iterable[tuple[str, int, int, int]]) -> "Intervals":
        """Return the intervals of rows of chromosome, start, end, strand, such as `Place`."""
        held = list(rows)
        table = np.array([row[1:] for row in held], np.int64).reshape(len(held), 3)
        return cls(tuple(row[0] for row in held), table[:, 0], table[:, 1], table[:, 2].astype(np.int8))

    def places(self) -> list[Place]:
        """Return each interval as a `Place`."""
        columns = (self.starts.tolist(), self.ends.tolist(), self.strands.tolist())
        return [Place(*row) for row in zip(self.chromosomes, *columns, strict=True)]

    def joined(self, other: "Intervals") -> "Intervals":
        """Return these places, then those of `other`; names, summits and lines are left behind."""
        return Intervals.of([*self.places(), *other.places()])

    def loci(self, largest: int) -> Numbers:
        """Return a number for each interval that overlapping ones share, ``(N,)``; -1 where there is no chromosome.

        A chain of overlaps is cut where it holds `largest` intervals, so that windows that tile a chromosome do not
        all become one locus.

        >>> Intervals.of([("1", 5, 9, 1), ("2", 5, 9, 0), ("1", 0, 6, 0), ("1", 9, 12, 0)]).loci(10).tolist()
        [0, 2, 0, 1]
        """
        number = np.full(len(self), -1, np.int64)
        order = np.lexsort((self.starts, np.array(self.chromosomes)))
        current, chromosome, reach, held = -1, "", 0, 0
        ends, starts = self.ends.tolist(), self.starts.tolist()
        for i in order.tolist():
            if not self.chromosomes[i]:
                continue
            if self.chromosomes[i] != chromosome or starts[i] >= reach or held >= largest:
                current, chromosome, reach, held = current + 1, self.chromosomes[i], 0, 0
            number[i], reach, held = current, max(reach, ends[i]), held + 1
        return number

    @property
    def widths(self) -> Numbers:
        """``(N,)`` lengths."""
        return self.ends - self.starts

    def sizes(self, lengths: Mapping[str, int]) -> Numbers:
        """Return the length of each interval's chromosome, ``(N,)``."""
        return np.array([lengths[name] for name in self.chromosomes], np.int64)

    def take(self, indices: npt.ArrayLike) -> "Intervals":
        """Return the intervals at `indices`, in that order."""
        index = np.asarray(indices, np.int64)
        return Intervals(
            tuple(self.chromosomes[i] for i in index),
            self.starts[index],
            self.ends[index],
            self.strands[index],
            tuple(self.names[i] for i in index) if self.names else (),
            None if self.summits is None else self.summits[index],
            None if self.lines is None else self.lines[index],
        )

    def centered(self, width: int) -> "Intervals":
        """Return windows of `width` around the summits, or around the middles where there is none.

        The middle of ``[start, end)`` is ``(start + end) // 2``; a window holds ``width // 2`` positions before it.
        """
        within(width, "--width", 1)
        middle = (self.starts + self.ends) // 2
        if self.summits is not None:
            middle = np.where(self.summits >= 0, self.summits, middle)
        start = middle - width // 2
        return replace(self, starts=start, ends=start + width)

    def fitted(self, lengths: Mapping[str, int], edge: Edge) -> tuple["Intervals", Numbers]:
        """Return the intervals as they are to be read, and the indices of those kept.

        Parameters
        ----------
        lengths
            Of the chromosomes.
        edge
            ``pad`` leaves windows as they are (beyond the edge N is read), ``shift`` moves them inside, ``drop`` leaves
            out those that reach beyond; one longer than its chromosome cannot be moved inside, and is left out.
        """
        one_of(edge, EDGES, "--edge")
        size = self.sizes(lengths)
        if edge == "pad":
            return self, np.arange(len(self))
        if edge == "drop":
            kept = np.flatnonzero((self.starts >= 0) & (self.ends <= size))
            return self.take(kept), kept
        move = np.where(self.starts < 0, -self.starts, 0) - np.where(self.ends > size, self.ends - size, 0)
        kept = np.flatnonzero(self.widths <= size)
        moved = replace(self, starts=self.starts + move, ends=self.ends + move)
        return moved.take(kept), kept
