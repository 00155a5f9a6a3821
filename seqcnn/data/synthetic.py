"""Sequences made up on purpose: a genome-like background and motifs planted in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.motif import Motif

Letters = npt.NDArray[np.uint8]

#: How often each pair of bases occurs in the human genome against chance, rows and columns A C G T; the measure is of
#: Burge, Campbell and Karlin 1992 (doi:10.1073/pnas.89.4.1358). CG is the famous one.
HUMAN_PAIRS = np.array(
    [[1.12, 0.84, 1.17, 0.88], [1.21, 1.18, 0.23, 1.17], [1.01, 1.01, 1.18, 0.84], [0.73, 1.01, 1.21, 1.12]]
)
#: Odds of CG in a CpG island, where methylation has not worn it away (Gardiner-Garden and Frommer 1987).
ISLAND_CG = 0.8
#: GC content of open chromatin: mean and standard deviation over records of some hundred bases.
GC_MEAN, GC_SD = 0.48, 0.09
#: Records at or above this GC content are CpG islands.
ISLAND_GC = 0.58
#: Share of records that hold a simple repeat, and the repeats.
REPEATS, REPEAT_UNITS = 0.08, ("A", "T", "CA", "TG", "GGAA", "TTCC")


def background(lengths: npt.ArrayLike, rng: np.random.Generator) -> list[Letters]:
    """Return sequences ``(L,)`` of base codes 0-3 with the pairs, the uneven GC content and the repeats of a genome.

    Each record is a Markov chain of its own: its GC content is drawn from a beta distribution, the pairs of bases are
    as over- and under-represented as in human DNA, CpG islands keep their CG, and some records hold a simple repeat.

    Examples
    --------
    >>> [len(record) for record in background([5, 8], np.random.default_rng(0))]
    [5, 8]
    """
    sizes = np.asarray(lengths, np.int64)
    spread = GC_MEAN * (1 - GC_MEAN) / GC_SD**2 - 1
    gc = rng.beta(GC_MEAN * spread, (1 - GC_MEAN) * spread, len(sizes))
    base = np.stack([1 - gc, gc, gc, 1 - gc], 1) / 2  # (N, 4)
    pairs = np.repeat(HUMAN_PAIRS[None], len(sizes), 0)
    pairs[gc >= ISLAND_GC, 1, 2] = ISLAND_CG
    chain = pairs * base[:, None, :]
    limits = np.cumsum(chain / chain.sum(-1, keepdims=True), -1)  # (N, 4, 4)
    rows = np.arange(len(sizes))
    width = int(sizes.max(initial=0))
    codes = np.zeros((len(sizes), width), np.uint8)
    draws = rng.random((len(sizes), width))
    last = (draws[:, :1] > np.cumsum(base, 1)[:, :3]).sum(1)
    for place in range(width):
        last = (draws[:, place, None] > limits[rows, last, :3]).sum(1)
        codes[:, place] = last
    records = [row[:size].copy() for row, size in zip(codes, sizes, strict=True)]
    for index in np.flatnonzero(rng.random(len(sizes)) < REPEATS):
        unit = ["ACGT".index(letter) for letter in REPEAT_UNITS[rng.integers(len(REPEAT_UNITS))]]
        size = min(int(rng.integers(10, 25)), len(records[index]))
        start = int(rng.integers(len(records[index]) - size + 1))
        records[index][start : start + size] = np.resize(unit, size)
    return records


@dataclass(frozen=True)
class Planted:
    """One site that was written into a record: motif, record index, 0-based half-open place, strand."""

    motif: str
    record: int
    start: int
    end: int
    strand: str


def draw_site(motif: Motif, rng: np.random.Generator) -> Letters:
    """Return one site ``(L,)``, each letter drawn from its column of the matrix."""
    limits = np.cumsum(motif.probabilities, 1)[:, :-1]
    site: Letters = (rng.random((len(limits), 1)) > limits).sum(1).astype(np.uint8)
    return site


def plant(
    records: Sequence[Letters], parts: Sequence[Motif | int], *, at: npt.ArrayLike, rng: np.random.Generator
) -> list[Planted]:
    """Write motifs and gaps (numbers of bases left as they are), side by side, into records, each on either strand.

    Parameters
    ----------
    records
        Codes 0-3; they are edited.
    parts
        Motifs and gaps from left to right, as they stand on the plus strand.
    at
        For each record where the middle of the whole should be, ``(N,)``; what would stick out is moved inside, and a
        record that is too short is left as it is.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> record = np.zeros(9, np.uint8)
    >>> gg = Motif("GG", np.eye(4)[[2, 2]], DNA)
    >>> sites = plant([record], [gg, 1, gg], at=[4], rng=np.random.default_rng(1))
    >>> [(site.start, site.end) for site in sites], "".join("ACGT"[code] for code in record)
    ([(2, 4), (5, 7)], 'AAGGAGGAA')
    """
    planted = []
    width = sum(part if isinstance(part, int) else len(part) for part in parts)
    for index, (record, middle) in enumerate(zip(records, np.asarray(at, np.int64), strict=True)):
        if len(record) < width:
            continue
        start = int(np.clip(middle - width // 2, 0, len(record) - width))
        reverse = bool(rng.random() < 0.5)
        place = start
        for part in reversed(parts) if reverse else parts:
            if isinstance(part, int):
                place += part
                continue
            site = draw_site(part, rng)
            end = place + len(part)
            record[place:end] = 3 - site[::-1] if reverse else site
            planted.append(Planted(part.name, index, place, end, "-" if reverse else "+"))
            place = end
    return planted
