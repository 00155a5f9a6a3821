"""Motifs that an allele makes or breaks: whose best match across the change differs most, where the model looks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK
from seqcnn.motif import Motif
from seqcnn.motifs.sites import Scorer
from seqcnn.sequence import Codes

Floats = npt.NDArray[np.float64]

#: Largest p-value of the match in the allele that has the motif.
PVALUE = 1e-3
#: Least ratio of the p-values of both alleles.
RATIO = 10.0
#: Least correlation of what a motif and what the model makes of the letters around the change.
AGREEMENT = 0.6
#: Letters on either side of the change whose importance a motif is to explain.
AROUND = 20


@dataclass(frozen=True)
class Allele:
    """A stretch of letters with the change in it, and what each letter does for the model.

    Parameters
    ----------
    codes
        ``(L,)``.
    start, end
        Of the change; equal where the allele lacks letters.
    importance
        Of each letter, ``(L,)``, positive where a match speaks for the allele's score.
    """

    codes: Codes
    start: int
    end: int
    importance: Floats


@dataclass(frozen=True)
class MotifChange:
    """A motif that one allele has and the other lacks.

    Parameters
    ----------
    motif
        As its database has it.
    gained
        Whether the alternative allele has it.
    start
        First letter of the match in the allele that has it.
    reverse
        Whether it reads on the other strand.
    pvalues
        Of the best match across the change, in the reference and in the alternative allele.
    agreement
        Correlation of what the motif and what the model makes of the letters around the change.
    """

    motif: Motif
    gained: bool
    start: int
    reverse: bool
    pvalues: tuple[float, float]
    agreement: float


def motif_changes(motifs: Sequence[Motif], pairs: Sequence[tuple[Allele, Allele]]) -> list[list[MotifChange]]:
    """Return for each pair of alleles the motifs gained or lost, the most convincing first.

    Of each motif the best match that touches the change is found in either allele, on both strands. One is kept if its
    p-value in the better allele is `PVALUE` or less, that in the other at least `RATIO` times as large, and if it
    values the letters around the change as the model does: information times how much more probable the letter is than
    the others, where the motif matches, and nothing elsewhere, against the importance. They are ordered by the
    logarithm of the ratio times the square of that agreement. p-values are those of one place: many motifs are tried,
    so what the model makes of the letters must say the same.

    Parameters
    ----------
    motifs
        Of one alphabet.
    pairs
        Reference and alternative allele.
    """
    found: list[list[tuple[float, MotifChange]]] = [[] for _ in pairs]
    for motif in motifs:
        scorer = Scorer.of(motif, np.full(motif.alphabet.size, 1 / motif.alphabet.size))
        for i, pair in enumerate(pairs):
            matches = [_best(scorer, allele) for allele in pair]
            low, high = (scorer.pvalue(score) if score >= 0 else 1.0 for score, _, _ in matches)
            if min(low, high) > PVALUE or max(low, high) < RATIO * min(low, high):
                continue
            gained = high < low
            _, start, reverse = matches[gained]
            agreement = _agreement(motif, pair[gained], start, reverse)
            if agreement >= AGREEMENT:
                ratio = float(np.log10(max(low, high) / min(low, high)))
                found[i].append(
                    (ratio * agreement**2, MotifChange(motif, gained, start, reverse, (low, high), agreement))
                )
    return [[change for _, change in sorted(changes, key=lambda item: -item[0])] for changes in found]


def _best(scorer: Scorer, allele: Allele) -> tuple[int, int, bool]:
    """Return score in steps, start and strand of the best match that touches the change; -1 where there is none."""
    weights, size = scorer.weights, scorer.motif.alphabet.size
    width, codes = len(weights), allele.codes & ~np.uint8(SOFT_MASK)
    # Of an allele without letters, matches lie across the place where they would be.
    last = max(allele.end - 1, allele.start - 1)
    starts = np.arange(max(0, allele.start - width + 1), min(last, len(codes) - width) + 1)
    if not len(starts):
        return -1, 0, False
    letters = codes[starts[:, None] + np.arange(width)]  # (n, L)
    real = (letters < size).all(1)
    letters = np.minimum(letters, size - 1)
    best = (-1, 0, False)
    strands = [(weights, False)]
    if scorer.motif.alphabet.has_complement:
        strands.append((weights[::-1, scorer.motif.alphabet.complement[:size]], True))
    for matrix, reverse in strands:
        scores = np.where(real, matrix[np.arange(width), letters].sum(1), -1)
        at = int(scores.argmax())
        if scores[at] > best[0]:
            best = int(scores[at]), int(starts[at]), reverse
    return best


def _agreement(motif: Motif, allele: Allele, start: int, reverse: bool) -> float:
    """Return the correlation of what a motif makes of the letters, nothing beside it, with their importance."""
    low, high = max(0, allele.start - AROUND), min(len(allele.codes), allele.end + AROUND)
    read = motif.reverse_complement() if reverse else motif
    size = motif.alphabet.size
    letters = (allele.codes[start : start + len(read)] & ~np.uint8(SOFT_MASK)).astype(np.int64)  # all of them real
    own = read.probabilities[np.arange(len(read)), letters]
    values = np.zeros(len(allele.codes))
    values[start : start + len(read)] = read.information * (own - (1 - own) / (size - 1))
    values, importance = values[low:high], allele.importance[low:high]
    if np.ptp(values) == 0 or np.ptp(importance) == 0:
        return 0.0
    return float(np.corrcoef(values, importance)[0, 1])
