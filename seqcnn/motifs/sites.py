"""Where motifs occur in sequences, with exact p-values: the search of FIMO for any alphabet and background.

memelite's FIMO knows four letters of equal frequency only, so the search is our own: log-odds on a fine grid of
integers, their distribution by dynamic programming, and the scan by looking up the score of four letters at a time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import PAD, SOFT_MASK
from seqcnn.errors import DataError
from seqcnn.motif import Motif
from seqcnn.motifs.fdr import q_values
from seqcnn.sequence import Codes, Sequences

Floats = npt.NDArray[np.float64]

#: Steps of the grid between a motif's lowest and highest log-odds; sums stay exact in 32-bit floats.
STEPS: Final = 20_000
#: Sites of background letters added to a motif's own, as FIMO does.
PSEUDOCOUNT: Final = 0.1
#: Positions, and motifs, scanned at a time.
_BLOCK: Final = 1 << 15
_MOTIFS: Final = 32
#: Letters of a word whose score is looked up at once.
_PIECE: Final = 4
#: What a window gets for a letter that is not canonical: out of reach of any threshold.
_BARRED: Final = -float(1 << 21)


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


def _tail(weights: npt.NDArray[np.int64], background: Floats) -> Floats:
    """Return P(score >= s) for every s, by adding one position at a time."""
    density = np.ones(1)
    for row in weights:
        grown = np.zeros(len(density) + int(row.max()))
        for step, frequency in zip(row, background, strict=True):
            grown[step : step + len(density)] += frequency * density
        density = grown
    return np.append(np.minimum(np.cumsum(density[::-1])[::-1], 1.0), 0.0)


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
    scorers = [Scorer.of(motif, ground) for motif in motifs]
    search = _Search(scorers, both=both, pvalue=pvalue)
    for chunk in chunks:
        search.scan(chunk)
    return search.result(qvalue)


class _Bank:
    """Motifs of like width side by side, on both strands: a row of scores for each word of `_PIECE` letters."""

    def __init__(self, scorers: list[Scorer], members: npt.NDArray[np.int64], *, both: bool) -> None:
        import torch

        alphabet = scorers[0].motif.alphabet
        size = alphabet.size
        self.members = members
        self.widths = np.array([len(scorers[m].motif) for m in members])
        self.longest = int(self.widths.max())
        self.pieces = -(-self.longest // _PIECE)
        self.letters = size + 1  # the last one stands for all that are not canonical
        self.strands = 2 if both else 1
        weights = np.zeros((self.strands, len(members), self.pieces * _PIECE, self.letters), np.float32)
        for row, (m, width) in enumerate(zip(members, self.widths, strict=True)):
            weights[:, row, :width, size] = _BARRED
            weights[0, row, :width, :size] = scorers[m].weights
            if both:
                weights[1, row, :width, :size] = scorers[m].weights[::-1, alphabet.complement[:size]]
        pieces = weights.reshape(-1, self.pieces, _PIECE, self.letters)
        words = pieces[:, :, 0]  # (motifs x strands, pieces, words)
        for place in range(1, _PIECE):
            words = (words[..., None] + pieces[:, :, place, None, :]).reshape(*words.shape[:2], -1)
        table = words.transpose(1, 2, 0).reshape(-1, len(pieces))
        self.table = torch.from_numpy(np.ascontiguousarray(table))

    def scores(self, block: Codes, count: int) -> npt.NDArray[np.float32]:
        """Return the scores of the first `count` windows of codes, ``(count, strands x motifs)``."""
        import torch

        long = np.concatenate([block, np.zeros(self.pieces * _PIECE, np.uint8)]).astype(np.int64)
        index = np.zeros(count + (self.pieces - 1) * _PIECE, np.int64)
        for place in range(_PIECE):
            index = index * self.letters + long[place : place + len(index)]
        rows = self.letters**_PIECE
        words = np.stack([index[p * _PIECE : p * _PIECE + count] + p * rows for p in range(self.pieces)], 1)
        with torch.inference_mode():
            return torch.nn.functional.embedding_bag(torch.from_numpy(words), self.table, mode="sum").numpy()


class _Search:
    """One search: banks of motifs, and the sites so far."""

    def __init__(self, scorers: list[Scorer], *, both: bool, pvalue: float) -> None:
        self.scorers = scorers
        self.alphabet = scorers[0].motif.alphabet
        self.cutoffs = np.array([scorer.cutoff(pvalue) for scorer in scorers], np.int64)
        self.tested = np.zeros(len(scorers), np.int64)
        self.records = 0
        self.parts: list[tuple[npt.NDArray[np.int64], ...]] = []
        self.letters: list[str] = []
        order = np.argsort([len(scorer.motif) for scorer in scorers], kind="stable")
        self.banks = [_Bank(scorers, order[i : i + _MOTIFS], both=both) for i in range(0, len(order), _MOTIFS)]

    def scan(self, chunk: Sequences) -> None:
        """Search the records of a chunk, laid end to end with a barred letter after each."""
        size = self.alphabet.size
        starts = chunk.offsets[:-1] + np.arange(len(chunk))  # of each record, in the joined text
        codes = np.full(int(chunk.offsets[-1]) + len(chunk), PAD, np.uint8)
        place = np.arange(len(chunk.buffer)) + np.repeat(np.arange(len(chunk)), chunk.lengths)
        codes[place] = chunk.buffer & ~np.uint8(SOFT_MASK)
        codes = np.minimum(codes, np.uint8(size))
        for bank in self.banks:
            for begin in range(0, len(codes), _BLOCK):
                count = min(_BLOCK, len(codes) - begin)
                block = np.full(count + bank.longest - 1, size, np.uint8)  # beyond the end every letter is barred
                part = codes[begin : begin + len(block)]
                block[: len(part)] = part
                self._block(bank, block, begin, count, starts=starts)
        self.records += len(chunk)

    def _block(self, bank: _Bank, block: Codes, begin: int, count: int, *, starts: npt.NDArray[np.int64]) -> None:
        """Keep the sites among the `count` windows that start in a block."""
        members = bank.members
        barred = np.concatenate([[0], np.cumsum(block == self.alphabet.size)])
        for width in np.unique(bank.widths):
            clean = int((barred[width : width + count] == barred[:count]).sum())
            self.tested[members[bank.widths == width]] += clean * bank.strands
        limits = np.tile(np.maximum(self.cutoffs[members], 0), bank.strands).astype(np.float32)
        scores = bank.scores(block, count)
        above = scores >= limits
        some = np.flatnonzero(above.any(1))  # few windows have a site: looking at those only is much faster
        if not len(some):
            return
        window, column = np.nonzero(above[some])
        window = some[window]
        row, reverse = column % len(members), column // len(members)
        for first, turned, width in zip(window, reverse, bank.widths[row], strict=True):
            site = block[first : first + width]
            shown = self.alphabet.complement[site[::-1]] if turned else site
            self.letters.append(shown.tobytes().translate(self.alphabet.spelling).decode("ascii"))
        at = window + begin
        record = np.searchsorted(starts, at, side="right") - 1
        value = np.rint(scores[window, column]).astype(np.int64)
        self.parts.append((members[row], record + self.records, at - starts[record], reverse, value))

    def result(self, qvalue: float) -> Found:
        """Return all sites with their q-values, sorted."""
        nothing = [np.zeros(0, np.int64)] * 5
        parts = [np.concatenate(column) for column in zip(*self.parts, strict=True)] if self.parts else nothing
        motif, record, start, reverse, score = parts
        p, q, bits = np.zeros(len(motif)), np.zeros(len(motif)), np.zeros(len(motif))
        ends = start.copy()
        for m, scorer in enumerate(self.scorers):
            mine = np.flatnonzero(motif == m)
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
