"""Intervals of chromosomes: 0-based, half-open, with a strand; windows around them, and what happens at the edges."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of, within
from seqcnn.errors import ShapeError

Numbers = npt.NDArray[np.int64]
#: What is done with a window that reaches beyond its chromosome.
Edge = Literal["pad", "shift", "drop"]
EDGES = ("pad", "shift", "drop")


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

    def __post_init__(self) -> None:
        for name in ("starts", "ends", "strands"):
            if len(getattr(self, name)) != len(self.chromosomes):
                raise ShapeError(
                    f"Intervals: {len(self.chromosomes)} chromosomes, but {len(getattr(self, name))} {name}"
                )

    def __len__(self) -> int:
        return len(self.chromosomes)

    @classmethod
    def of(cls, rows: list[tuple[str, int, int, int]]) -> "Intervals":
        """Return the intervals of rows of chromosome, start, end, strand."""
        table = np.array([row[1:] for row in rows], np.int64).reshape(len(rows), 3)
        return cls(tuple(row[0] for row in rows), table[:, 0], table[:, 1], table[:, 2].astype(np.int8))

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
