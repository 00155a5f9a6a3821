"""Tracks of a genome as text: BED, bedGraph, and peaks as narrowPeak."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from math import log10
from typing import NamedTuple

import numpy as np

from seqcnn.interval import SIGNS, Place
from seqcnn.io.cells import Column
from seqcnn.io.layout import Layout, Rows, Write, paths_of, signs
from seqcnn.io.tsv import Opened, tsv_columns, tsv_rows
from seqcnn.io.writing import atomic
from seqcnn.tiling import Nearest, Stretches


class Peak(NamedTuple):
    """A stretch whose score stands out: its place, summit and score, and how likely it is by chance.

    Parameters
    ----------
    place
        Where it lies.
    summit
        Position of the highest score, on the chromosome.
    score
        The highest one.
    pvalue, qvalue
        Share of random sequences that score as high, and of false ones among peaks as high.
    """

    place: Place
    summit: int
    score: float
    pvalue: float
    qvalue: float


@contextmanager
def bed_rows(path: str, layout: Layout, *, opened: Opened = atomic) -> Iterator[Write]:
    """Yield a function that writes BED6 and the exact number as a seventh column; a file a column of the layout.

    Windows come as they are read. The score of BED is the shade times 1,000; a window beyond the edge of its chromosome
    has no row.
    """
    with ExitStack() as stack:
        places = paths_of(path, layout.columns)
        writers = [stack.enter_context(tsv_columns(place, opened=opened)) for place in places]

        def write(rows: Rows) -> None:
            chromosomes, starts, ends, strands = rows.windows.where
            inside = np.flatnonzero(starts < ends)
            before: list[Column] = [chromosomes[inside], starts[inside], ends[inside], rows.windows.ids[inside]]
            sign = signs(strands[inside])
            for put, values, shades in zip(writers, rows.columns, rows.shades, strict=True):
                shade = np.rint(1000 * shades[inside].astype(np.float64)).astype(np.int64)
                put([*before, shade, sign, values[inside]])

        yield write


@contextmanager
def bedgraph_rows(path: str, layout: Layout) -> Iterator[Write]:
    """Yield a function that writes bedGraph, a file a column of the layout; windows come in order.

    Where windows overlap, a position has the number of the window whose center is the nearest: see `Nearest`.
    """
    with ExitStack() as stack:
        writers = [stack.enter_context(tsv_columns(place)) for place in paths_of(path, layout.columns)]
        nearest = Nearest()

        def put(part: Stretches) -> None:
            for k, writer in enumerate(writers):
                writer([part.chromosomes, part.starts, part.ends, part.values[:, k]])

        def write(rows: Rows) -> None:
            for part in nearest.add(rows.windows, rows.numbers):
                put(part)

        yield write
        put(nearest.rest())


@contextmanager
def peak_rows(path: str) -> Iterator[Callable[[Iterable[Peak]], None]]:
    """Yield a function that writes peaks as narrowPeak: signalValue is the score, p and q stand as -log10.

    The score of BED is -100 times the logarithm of the q-value, at most 1,000.
    """
    with tsv_rows(path) as put:
        numbers = count(1)

        def row(peak: Peak) -> tuple[object, ...]:
            (name, start, end, strand), q = peak.place, -log10(peak.qvalue)
            shade, sign = min(1000, round(100 * q)), SIGNS[strand]
            p = -log10(peak.pvalue)
            return name, start, end, f"peak{next(numbers)}", shade, sign, peak.score, p, q, peak.summit - start

        yield lambda peaks: put(map(row, peaks))
