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


class _Search:
    """One search: the filters of all motifs by width, and the sites so far."""

    def __init__(self, scorers: list[Scorer], *, both: bool, pvalue: float) -> None:
        self.scorers = scorers
        self.alphabet = scorers[0].motif.alphabet
        self.both = both
        self.cutoffs = np.array([scorer.cutoff(pvalue) for scorer in scorers], np.int64)
        self.tested = np.zeros(len(scorers), np.int64)
        self.records = 0
        self.parts: list[tuple[npt.NDArray[np.int64], ...]] = []
        self.letters: list[str] = []
        widths = np.array([len(scorer.motif) for scorer in scorers])
        order = np.argsort(widths, kind="stable")
        self.groups = [order[i : i + _MOTIFS] for i in range(0, len(order), _MOTIFS)]  # of like width

    def scan(self, chunk: Sequences) -> None:
        """Search the records of a chunk, laid end to end with a barred letter after each."""
        lengths = chunk.lengths
        starts = chunk.offsets[:-1] + np.arange(len(chunk))  # of each record, in the joined text
        codes = np.full(int(chunk.offsets[-1]) + len(chunk), PAD, np.uint8)
        place = np.arange(len(chunk.buffer)) + np.repeat(np.arange(len(chunk)), lengths)
        codes[place] = chunk.buffer[chunk.offsets[0] : chunk.offsets[-1]] & ~np.uint8(SOFT_MASK)
        codes = np.minimum(codes, np.uint8(self.alphabet.size))  # every letter that is not canonical is one
        for members in self.groups:
            for begin in range(0, len(codes), _BLOCK):
                self._block(codes, begin, members, starts=starts)
        self.records += len(chunk)

    def _block(
        self, codes: Codes, begin: int, members: npt.NDArray[np.int64], *, starts: npt.NDArray[np.int64]
    ) -> None:
        """Score the windows that start in a block with motifs of like width; beyond the end every letter is barred."""
        size = self.alphabet.size
        widths = np.array([len(self.scorers[m].motif) for m in members])
        longest = int(widths.max())
        count = min(_BLOCK, len(codes) - begin)
        block = np.full(count + longest - 1, size, np.uint8)
        part = codes[begin : begin + len(block)]
        block[: len(part)] = part
        weights = np.zeros((len(members), longest, size + 1), np.float32)
        for row, m in enumerate(members):
            weights[row, : widths[row], :size] = self.scorers[m].weights
            weights[row, : widths[row], size] = _BARRED
        banks = [weights]
        if self.both:
            other = np.append(self.alphabet.complement[:size], size)
            turned = np.zeros_like(weights)
            for row, width in enumerate(widths):
                turned[row, :width] = weights[row, :width][::-1, other]
            banks.append(turned)
        scores = _scores(block, np.concatenate(banks), count)  # (windows, motifs x strands)
        barred = np.concatenate([[0], np.cumsum(block == size)])
        for width in np.unique(widths):
            clean = int((barred[width : width + count] == barred[:count]).sum())
            self.tested[members[widths == width]] += clean * len(banks)
        limits = np.tile(np.maximum(self.cutoffs[members], 0), len(banks)).astype(np.float32)
        window, column = np.nonzero(scores >= limits)
        if not len(window):
            return
        row, reverse = column % len(members), column // len(members)
        at = window + begin
        record = np.searchsorted(starts, at, side="right") - 1
        for w, r, width in zip(window, reverse, widths[row], strict=True):
            site = block[w : w + width]
            shown = self.alphabet.complement[site[::-1]] if r else site
            self.letters.append(shown.tobytes().translate(self.alphabet.spelling).decode("ascii"))
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
        )


def _scores(codes: Codes, weights: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.float32]:
    """Return the sum of weights ``(M, W, letters)`` over the first `count` windows of codes, ``(count, M)``.

    Positions are taken `_PIECE` at a time: one row of a table for each word, all motifs side by side.
    """
    import torch

    motifs, width, letters = weights.shape
    pieces = -(-width // _PIECE)
    padded = np.zeros((motifs, pieces * _PIECE, letters), np.float32)
    padded[:, :width] = weights
    table = padded.reshape(motifs, pieces, _PIECE, letters)
    words = table[:, :, 0]  # (M, pieces, words)
    for place in range(1, _PIECE):
        words = (words[..., None] + table[:, :, place, None, :]).reshape(motifs, pieces, -1)
    rows = letters**_PIECE
    bank = torch.from_numpy(np.ascontiguousarray(words.transpose(1, 2, 0).reshape(pieces * rows, motifs)))
    long = np.concatenate([codes, np.zeros(pieces * _PIECE, np.uint8)]).astype(np.int64)
    index = np.zeros(len(codes) + (pieces - 1) * _PIECE, np.int64)
    for place in range(_PIECE):
        index = index * letters + long[place : place + len(index)]
    taken = np.stack([index[p * _PIECE : p * _PIECE + count] + p * rows for p in range(pieces)], 1)
    with torch.inference_mode():
        return torch.nn.functional.embedding_bag(torch.from_numpy(taken), bank, mode="sum").numpy()


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
