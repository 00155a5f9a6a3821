"""Intervals of what a single figure cannot say: whole curves, shares, and differences between two predictors."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.data.matching import placements

Floats = npt.NDArray[np.float64]
GRID = np.linspace(0, 1, 101)
GROUPS = 1000


@dataclass(frozen=True)
class Curve:
    """A curve and its pointwise 95% interval over `grid`."""

    x: Floats
    y: Floats
    grid: Floats
    low: Floats
    high: Floats


def _steps(truth: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Return positives and negatives at each distinct score, from the highest down (at most `GROUPS` groups)."""
    distinct, place = np.unique(-score, return_inverse=True)
    if len(distinct) > GROUPS:
        place = np.searchsorted(np.quantile(-score, np.linspace(0, 1, GROUPS + 1)[1:-1]), -score)
    size = int(place.max()) + 1
    positives = np.bincount(place, weights=truth, minlength=size).astype(np.float64)
    return positives, np.bincount(place, minlength=size).astype(np.float64) - positives


def _draws(counts: Floats, rng: np.random.Generator, draws: int) -> Floats:
    """Return cumulative shares ``(draws + 1, groups + 1)``: row 0 as observed, the others resampled."""
    total = int(counts.sum())
    drawn = np.vstack([counts, rng.multinomial(total, counts / total, size=draws)])
    return np.hstack([np.zeros((draws + 1, 1)), np.cumsum(drawn, axis=1) / total])


def roc_and_pr(truth: npt.ArrayLike, score: npt.ArrayLike, *, seed: int = 0, draws: int = 400) -> tuple[Curve, Curve]:
    """Return the ROC and the precision-recall curve with intervals from a bootstrap within class.

    Scores are grouped by rank (at most 1,000 groups); resampling records within a class is then a multinomial draw
    over groups, so that the cost does not grow with the number of records.

    Parameters
    ----------
    truth
        0 or 1, ``(N,)``; both must occur.
    score
        Larger for 1, ``(N,)``.

    Examples
    --------
    >>> roc, pr = roc_and_pr([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], draws=10)
    >>> float(roc.y.max()), float(pr.y.min())
    (1.0, 0.5)
    """
    positives, negatives = _steps(np.asarray(truth, np.float64), np.asarray(score, np.float64))
    rng = np.random.default_rng(seed)
    tpr, fpr = _draws(positives, rng, draws), _draws(negatives, rng, draws)
    ratio = negatives.sum() / positives.sum()
    with np.errstate(invalid="ignore"):
        precision = tpr / (tpr + fpr * ratio)
    first = np.isfinite(precision).argmax(axis=1)  # until something is called, precision is that of the first call
    precision = np.where(np.isfinite(precision), precision, np.take_along_axis(precision, first[:, None], axis=1))
    tilt = np.arange(tpr.shape[1]) * 1e-12  # of the equal abscissae of a staircase, the later one counts
    rises = np.array([np.interp(GRID, f + tilt, t) for f, t in zip(fpr[1:], tpr[1:], strict=True)])
    falls = np.array([np.interp(GRID, t + tilt, p) for t, p in zip(tpr[1:], precision[1:], strict=True)])
    roc = Curve(fpr[0], tpr[0], GRID, *np.quantile(rises, [0.025, 0.975], axis=0))
    pr = Curve(tpr[0], precision[0], GRID, *np.quantile(falls, [0.025, 0.975], axis=0))
    return roc, pr


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the 95% score interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    >>> low, high = wilson([5], [10])
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.237], [0.763])
    """
    z = 1.959964
    k, n = np.asarray(successes, np.float64), np.asarray(trials, np.float64)
    share = k / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return center - half, center + half


def _midranks(values: Floats) -> Floats:
    """Return ranks from 1, ties sharing their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])


def _auroc_influence(truth: Floats, score: Floats) -> tuple[float, Floats]:
    """Return the AUROC and what each record contributes to its error, ``(N,)``: their squares sum to its variance."""
    area, influence = np.nan, np.zeros(len(truth))
    positive, negative = truth == 1, truth == 0
    m, n = int(positive.sum()), int(negative.sum())
    if m < 2 or n < 2:
        return area, influence
    above, below = placements(score[positive], score[negative])
    area = float(above.mean())
    influence[positive] = (above - area) / np.sqrt(m * (m - 1))
    influence[negative] = (1 - below - area) / np.sqrt(n * (n - 1))
    return area, influence


def auroc_difference(truth: npt.ArrayLike, ours: npt.ArrayLike, theirs: npt.ArrayLike) -> tuple[float, float, float]:
    """Return AUROC(ours) - AUROC(theirs), averaged over columns, and its 95% interval on the same records.

    The variance is that of DeLong et al. (1988), doi:10.2307/2531595, from midranks (Sun and Xu 2014,
    doi:10.1109/LSP.2014.2337313).

    Parameters
    ----------
    truth
        0 or 1, missing NaN, ``(N, T)``.
    ours, theirs
        Scores, ``(N, T)``.

    Examples
    --------
    >>> truth, ours, theirs = ([[0], [0], [1], [1]], [[1], [2], [3], [4]], [[1], [3], [2], [4]])
    >>> delta, low, high = auroc_difference(truth, ours, theirs)
    >>> round(delta, 2), bool(low <= delta <= high)
    (0.25, True)
    """
    t, a, b = (np.asarray(v, np.float64) for v in (truth, ours, theirs))
    deltas, gaps = [], []
    for column in range(t.shape[1]):
        mine, others = (_auroc_influence(t[:, column], s[:, column]) for s in (a, b))
        if np.isfinite(mine[0]):
            deltas.append(mine[0] - others[0])
            gaps.append(mine[1] - others[1])
    if not deltas:
        return float("nan"), float("nan"), float("nan")
    delta, half = float(np.mean(deltas)), 1.959964 * float(np.sqrt((np.mean(gaps, axis=0) ** 2).sum()))
    return delta, delta - half, delta + half


def mean_difference(ours: npt.ArrayLike, theirs: npt.ArrayLike) -> tuple[float, float, float]:
    """Return the mean of paired differences and its 95% interval.

    >>> mean_difference([1, 1, 1, 0], [1, 0, 1, 0])[0]
    0.25
    """
    gaps = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    half = 1.959964 * float(gaps.std(ddof=1)) / np.sqrt(len(gaps)) if len(gaps) > 1 else 0.0
    return float(gaps.mean()), float(gaps.mean() - half), float(gaps.mean() + half)


def correlation_difference(
    truth: npt.ArrayLike, ours: npt.ArrayLike, theirs: npt.ArrayLike, *, seed: int = 0, draws: int = 500
) -> tuple[float, float, float]:
    """Return the difference of two rank correlations with `truth` and its 95% bootstrap interval.

    Ranks are taken once; each draw resamples records and correlates their ranks.

    >>> delta, low, high = correlation_difference([1, 2, 3, 4], [1, 2, 3, 4], [2, 1, 4, 3], draws=20)
    >>> round(delta, 2)
    0.4
    """
    ranks = np.stack([_midranks(np.asarray(v, np.float64)) for v in (truth, ours, theirs)])  # (3, N)
    rng = np.random.default_rng(seed)

    def gap(columns: Floats) -> float:
        matrix = np.atleast_2d(np.corrcoef(columns))
        return float(matrix[0, 1] - matrix[0, 2])

    size = ranks.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        delta = gap(ranks)
        drawn = [gap(ranks[:, rng.integers(0, size, size)]) for _ in range(draws)]
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    return delta, float(low), float(high)
