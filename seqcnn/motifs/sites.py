"""Where motifs occur in sequences, with exact p-values: the search of FIMO for any alphabet and background.

memelite's FIMO knows four letters of equal frequency only, so the search is our own: log-odds on a fine grid of
integers, their distribution by dynamic programming, and the scan by filtration.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK
from seqcnn.compiling import compiled
from seqcnn.errors import DataError
from seqcnn.motif import Motif
from seqcnn.motifs.fdr import q_values
from seqcnn.motifs.filtration import Filtration
from seqcnn.runtime import cpus
from seqcnn.sequence import Codes, Sequences, decode, reverse_complement

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Steps of the grid between a motif's lowest and highest log-odds; a loss fits in 16 bits.
STEPS: Final = 20_000
#: Sites of background letters added to a motif's own, as FIMO does.
PSEUDOCOUNT: Final = 0.1
#: Letters, and motifs, searched at a time.
_BLOCK: Final = 1 << 18
_MOTIFS: Final = 128


@dataclass(frozen=True)
class Scorer:
    """A motif's log-odds on a grid of integers, and the p-value of each score.

    Parameters
    ----------
    motif
        As it was given.
    weights
        Log-odds in steps, ``(L, A)`` int64, each position's smallest being 0.
    tail
        Probability of a score of at least s steps in the background, ``(highest score + 2,)``.
    bits, floor
        Bits a step is worth, and of a score of 0.
    """

    motif: Motif
    weights: npt.NDArray[np.int64]
    tail: Floats
    bits: float
    floor: float

    @classmethod
    def of(cls, motif: Motif, background: Floats) -> "Scorer":
        """Return the scorer of a motif against letter frequencies ``(A,)``.

        Examples
        --------
        >>> from seqcnn.alphabet import DNA
        >>> scorer = Scorer.of(Motif("m", np.eye(4)[[0, 1]], DNA), np.full(4, 0.25))
        >>> scorer.pvalue(int(scorer.weights.max(1).sum()))
        0.0625
        """
        sites = motif.nsites or 20
        matrix = (motif.probabilities * sites + PSEUDOCOUNT * background) / (sites + PSEUDOCOUNT)
        odds = np.log2(matrix / background)
        low = odds.min(1, keepdims=True)
        span = float((odds.max(1, keepdims=True) - low).sum())
        bits = span / STEPS if span > 0 else 1.0
        weights = np.rint((odds - low) / bits).astype(np.int64)
        tail = _tail(weights, background)
        return cls(motif, weights, tail, bits, float(low.sum()))

    def pvalue(self, score: int) -> float:
        """Return the probability that a random window scores `score` steps or more."""
        return float(self.tail[score])

    def cutoff(self, pvalue: float) -> int:
        """Return the smallest score in steps whose p-value is `pvalue` or less; beyond reach if there is none."""
        return int(np.searchsorted(-self.tail, -pvalue * (1 + 1e-12), side="left"))


@compiled
def _tail(weights, background):  # type: ignore[no-untyped-def]
    """Return P(score >= s) for every s, by adding one position at a time."""
    density = np.ones(1)
    for row in weights:
        grown = np.zeros(len(density) + row.max())
        for step, frequency in zip(row, background):  # noqa: B905
            part = grown[step : step + len(density)]
            for i in range(len(density)):
                part[i] += frequency * density[i]
        density = grown
    tail = np.zeros(len(density) + 1)
    total = 0.0
    for i in range(len(density) - 1, -1, -1):
        total += density[i]
        tail[i] = min(total, 1.0)
    return tail


@dataclass(frozen=True)
class Found:
    """Sites of all motifs, in the order of the records, then of their starts.

    Parameters
    ----------
    motifs
        Index of the motif of each site, ``(n,)``.
    records, starts, ends, reverse
        Row of the record, 0-based half-open place on the forward strand, strand, each ``(n,)``.
    scores
        Log-odds in bits.
    pvalues, qvalues
        Of the site; the q-value by Benjamini and Hochberg over all positions and strands the motif was tested at.
    sequences
        Letters as the motif reads them.
    least
        Smallest p-value that each motif can reach, ``(M,)``: a short one has few words to choose from.
    """

    motifs: npt.NDArray[np.int64]
    records: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    reverse: npt.NDArray[np.bool_]
    scores: Floats
    pvalues: Floats
    qvalues: Floats
    sequences: tuple[str, ...]
    least: Floats

    def __len__(self) -> int:
        return len(self.motifs)


def find_sites(
    motifs: Sequence[Motif],
    chunks: Iterable[Sequences],
    *,
    background: Floats | None = None,
    pvalue: float = 1e-4,
    qvalue: float = 1.0,
    both_strands: bool = True,
) -> Found:
    """Return where motifs occur in records that come in chunks, at a p-value of `pvalue` or less.

    A window that holds an ambiguous letter is not tested; lower case counts as upper case. Only the sites stay in
    memory.

    Parameters
    ----------
    motifs
        Of one alphabet.
    chunks
        Records of that alphabet; rows are counted through all chunks.
    background
        Letter frequencies ``(A,)``, equal ones if None. With both strands a letter and its complement get their mean.
    pvalue, qvalue
        Largest ones of a site.
    both_strands
        Whether the other strand is searched too: DNA only.

    Raises
    ------
    DataError
        If there is no motif, alphabets differ, or a background frequency is 0.

    References
    ----------
    Grant, Bailey & Noble, FIMO, Bioinformatics 2011, doi:10.1093/bioinformatics/btr064.
    """
    if not motifs:
        raise DataError("no motif to search with")
    alphabet = motifs[0].alphabet
    if any(motif.alphabet != alphabet for motif in motifs):
        raise DataError("the motifs are of different alphabets; search with one alphabet at a time")
    both = both_strands and alphabet.name == "dna"
    ground = np.full(alphabet.size, 1 / alphabet.size) if background is None else np.asarray(background, np.float64)
    if both:
        ground = (ground + ground[alphabet.complement[: alphabet.size]]) / 2
    if ground.shape != (alphabet.size,) or not (ground > 0).all():
        raise DataError(f"background: expected {alphabet.size} frequencies above 0, found {ground.tolist()}")
    ground = ground / ground.sum()
    with ThreadPoolExecutor(cpus()) as pool:
        scorers = list(pool.map(lambda motif: Scorer.of(motif, ground), motifs))
        search = _Search(scorers, pool, both=both, pvalue=pvalue)
        for chunk in chunks:
            search.scan(chunk)
    return search.result(qvalue)


class _Search:
    """One search: motifs that are filtered together, and the sites so far."""

    def __init__(self, scorers: list[Scorer], pool: ThreadPoolExecutor, *, both: bool, pvalue: float) -> None:
        self.scorers, self.pool, self.strands, self.pvalue = scorers, pool, 2 if both else 1, pvalue
        self.alphabet = scorers[0].motif.alphabet
        self.cutoffs = np.array([scorer.cutoff(pvalue) for scorer in scorers], np.int64)
        self.widths = np.array([len(scorer.motif) for scorer in scorers])
        self.tested = np.zeros(len(scorers), np.int64)
        self.records = 0
        self.parts: list[tuple[Ints, ...]] = []
        self.letters: list[str] = []
        self.filtrations = list(pool.map(self._filtration, range(0, len(scorers), _MOTIFS)))
        self.margin = max(filtration.margin for _, filtration in self.filtrations)

    def _filtration(self, first: int) -> tuple[int, Filtration]:
        """Return the filtration of some motifs, forward and turned around, and which the first is."""
        some = slice(first, first + _MOTIFS)
        rows = [scorer.weights for scorer in self.scorers[some]]
        if self.strands == 2:
            rows += [row[::-1, self.alphabet.complement[: self.alphabet.size]] for row in rows]
        return first, Filtration(rows, np.tile(self.cutoffs[some], self.strands))

    def scan(self, chunk: Sequences) -> None:
        """Search the records of a chunk, laid end to end with a barred letter after each."""
        size, margin = np.uint8(self.alphabet.size), self.margin
        bars = np.concatenate([np.zeros(margin, np.int64), chunk.offsets[1:], np.full(margin, chunk.offsets[-1])])
        text = np.insert(np.minimum(chunk.buffer & ~np.uint8(SOFT_MASK), size), bars, size)
        starts = margin + chunk.offsets[:-1] + np.arange(len(chunk))  # of each record, in the text
        stretches = np.diff(np.flatnonzero(text == size)) - 1
        for m, width in enumerate(self.widths):
            windows = stretches - width + 1
            self.tested[m] += self.strands * int(windows[windows > 0].sum())
        places = range(margin, len(text) - margin, _BLOCK)
        blocks = [(first, filtration, place) for place in places for first, filtration in self.filtrations]
        for at, motif, reverse, score, letters in self.pool.map(lambda block: self._block(text, *block), blocks):
            record = np.searchsorted(starts, at, side="right") - 1
            self.parts.append((motif, record + self.records, at - starts[record], reverse, score))
            self.letters += letters
        self.records += len(chunk)

    def _block(
        self, text: Codes, first: int, filtration: Filtration, place: int
    ) -> tuple[Ints, Ints, Ints, Ints, list[str]]:
        """Return place, motif, strand, score and letters of the sites in one block."""
        begin, end = place, min(place + _BLOCK, len(text) - self.margin)
        rows = len(filtration.tops)
        at, row, score = filtration(text, begin, end, expected=int(self.pvalue * (end - begin) * rows)).T
        reverse, motif = np.divmod(row, rows // self.strands)
        motif += first
        low = begin - self.margin
        part = text[low : end + self.margin]
        strands = [decode(part, self.alphabet)]
        if self.strands == 2:
            strands.append(decode(reverse_complement(part, self.alphabet), self.alphabet))
        starts, ends = at - low, at - low + self.widths[motif]
        starts, ends = (np.where(reverse, len(part) - there, here) for here, there in ((starts, ends), (ends, starts)))
        places = zip(reverse.tolist(), starts.tolist(), ends.tolist(), strict=True)
        return at, motif, reverse, score, [strands[strand][start:end] for strand, start, end in places]

    def result(self, qvalue: float) -> Found:
        """Return all sites with their q-values, sorted."""
        nothing = [np.zeros(0, np.int64)] * 5
        parts = [np.concatenate(column) for column in zip(*self.parts, strict=True)] if self.parts else nothing
        motif, record, start, reverse, score = parts
        p, q, bits = np.zeros(len(motif)), np.zeros(len(motif)), np.zeros(len(motif))
        ends = start.copy()
        of_motif = np.argsort(motif, kind="stable")
        ends_of = np.searchsorted(motif[of_motif], np.arange(1, len(self.scorers)))
        for m, (scorer, mine) in enumerate(zip(self.scorers, np.split(of_motif, ends_of), strict=True)):
            p[mine] = scorer.tail[score[mine]]
            q[mine] = q_values(p[mine], tests=max(int(self.tested[m]), 1))
            bits[mine] = score[mine] * scorer.bits + scorer.floor
            ends[mine] += len(scorer.motif)
        order = np.lexsort((reverse, motif, start, record))
        order = order[q[order] <= qvalue]
        return Found(
            motif[order],
            record[order],
            start[order],
            ends[order],
            reverse[order] > 0,
            bits[order],
            p[order],
            q[order],
            tuple(self.letters[i] for i in order),
            np.array([scorer.pvalue(int(scorer.weights.max(1).sum())) for scorer in self.scorers]),
        )


def chunked(records: Iterable[Codes], letters: int = 1 << 22) -> Iterator[Sequences]:
    """Yield records in chunks of about so many letters, so that no more is held at a time than the longest record."""
    waiting: list[Codes] = []
    held = 0
    for codes in records:
        waiting.append(codes)
        held += len(codes)
        if held >= letters:
            yield Sequences.from_codes(waiting)
            waiting, held = [], 0
    if waiting:
        yield Sequences.from_codes(waiting)
