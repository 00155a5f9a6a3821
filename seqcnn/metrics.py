"""Measures of how good predictions are, and their bootstrap intervals, in plain NumPy.

A bootstrap draw is a vector of counts, how often each record was drawn, so each measure is written once for counts
``(N, B)`` of B draws; the plain figure is the one draw that takes each record once.
"""

from collections.abc import Callable, Sequence
from functools import wraps

import numpy as np
import numpy.typing as npt

from seqcnn.reliability import calibration_error, calibration_interval

Floats = npt.NDArray[np.float64]
Counted = Callable[[Floats, Floats, Floats], Floats]

#: A probability from here on is the positive class.
THRESHOLD = 0.5
#: Counts held at once by the bootstrap: draws go in groups that stay in cache.
_CELLS = 500_000

_COUNTED: dict[str, Counted] = {}


def _measure(counted: Counted) -> Callable[[npt.ArrayLike, npt.ArrayLike], float]:
    """Register ``counted(truth, score, counts (N, B)) -> (B,)`` and return the plain ``(truth, score) -> float``."""
    _COUNTED[counted.__name__] = counted

    @wraps(counted)
    def plain(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
        t, s = np.asarray(truth, np.float64), np.asarray(score, np.float64)
        if len(t) != len(s):
            raise ValueError(f"{counted.__name__}: {len(t)} truths for {len(s)} scores")
        if not len(t):
            return float("nan")
        return float(counted(t, s, np.ones((len(t), 1)))[0])

    return plain


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return ``above / below``, NaN where `below` is zero."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def _cumulated(counts: Floats) -> Floats:
    """Return running sums with a leading row of zeros, ``(N + 1, B)``."""
    out = np.zeros((len(counts) + 1, counts.shape[1]))
    np.cumsum(counts, axis=0, out=out[1:])
    return out


def _mean_defined(values: Sequence[Floats]) -> Floats:
    """Return the mean over those rows that are defined, NaN where none is."""
    table = np.stack(values)
    known = np.isfinite(table)
    return _ratio(np.where(known, table, 0).sum(0), known.sum(0).astype(np.float64))


@_measure
def auroc(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the area under the ROC curve: the chance that a positive scores above a negative, ties half.

    `truth` is 0 or 1, `score` anything that rises with the chance of 1, both ``(N,)``.

    >>> auroc([0, 0, 1, 1], [.1, .4, .35, .8])
    0.75
    """
    positive = truth == 1
    order = np.argsort(score[~positive], kind="stable")
    ranked = score[~positive][order]
    below = _cumulated(counts[~positive][order])  # (negatives + 1, B)
    low, high = (np.searchsorted(ranked, score[positive], side) for side in ("left", "right"))
    wins = np.einsum("nb,nb->b", counts[positive], below[low] + below[high]) / 2
    return _ratio(wins, counts[positive].sum(0) * below[-1])


@_measure
def auprc(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the area under the precision-recall curve as average precision (no interpolation).

    >>> round(auprc([0, 0, 1, 1], [.1, .4, .35, .8]), 4)
    0.8333
    """
    positive = truth == 1
    above = []
    for side in (positive, ~positive):
        order = np.argsort(-score[side], kind="stable")
        at = np.searchsorted(-score[side][order], -score[positive], "right")
        above.append(_cumulated(counts[side][order])[at])  # drawn at or above each positive, (positives, B)
    precision = np.nan_to_num(_ratio(above[0], above[0] + above[1]))
    drawn = counts[positive]
    return _ratio(np.einsum("nb,nb->b", drawn, precision), drawn.sum(0))


def _calls(score: Floats) -> npt.NDArray[np.intp]:
    """Return the class called for each record: by threshold for one column, by the largest of several."""
    if score.ndim == 2:
        return np.asarray(score.argmax(axis=1), np.intp)
    return (score >= THRESHOLD).astype(np.intp)


def _confusion(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return drawn records by true and called class, ``(K, K, B)``."""
    k = score.shape[1] if score.ndim == 2 else 2
    cell = truth.astype(np.intp) * k + _calls(score)
    return np.stack([counts[cell == c].sum(0) for c in range(k * k)]).reshape(k, k, -1)


@_measure
def accuracy(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the share of records called right; `score` is a probability ``(N,)`` or one a class ``(N, K)``.

    >>> accuracy([0, 2, 1], [[.8, .1, .1], [.1, .2, .7], [.6, .3, .1]])
    0.6666666666666666
    """
    return _ratio(counts[_calls(score) == truth].sum(0), counts.sum(0))


@_measure
def mcc(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return Matthews' correlation with the call at 0.5: undefined for one true class, 0 where all calls are one.

    >>> mcc([0, 1, 1, 0], [.2, .7, .4, .1])
    0.5773502691896258
    """
    (tn, fp), (fn, tp) = _confusion(truth, score, counts)
    calls = (tp + fp) * (tn + fn)
    value = np.nan_to_num(_ratio(tp * tn - fp * fn, np.sqrt(calls * (tp + fn) * (tn + fp))))
    return np.where((tp + fn) * (tn + fp) == 0, np.nan, value)


@_measure
def f1(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the harmonic mean of precision and recall of the positive class at 0.5.

    >>> f1([0, 1, 1, 0], [.2, .7, .4, .1])
    0.6666666666666666
    """
    (_, fp), (fn, tp) = _confusion(truth, score, counts)
    return _ratio(2 * tp, 2 * tp + fp + fn)


@_measure
def macro_f1(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the mean F1 of the classes that occur or are called; `score` is ``(N, K)``.

    >>> macro_f1([0, 1, 1], [[.9, .1], [.2, .8], [.7, .3]])
    0.6666666666666666
    """
    table = _confusion(truth, score, counts)
    right = table[np.arange(len(table)), np.arange(len(table))]  # (K, B)
    return _mean_defined(list(_ratio(2 * right, table.sum(0) + table.sum(1))))


@_measure
def auroc_ovr(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the mean over classes of the AUROC of one class against the rest; `score` is ``(N, K)``.

    A class that does not occur is left out.

    >>> auroc_ovr([0, 1, 2], [[.7, .2, .1], [.3, .6, .1], [.2, .3, .5]])
    1.0
    """
    counted = _COUNTED["auroc"]
    return _mean_defined([counted((truth == k).astype(np.float64), score[:, k], counts) for k in range(score.shape[1])])


def _per_label(name: str, truth: Floats, score: Floats, counts: Floats) -> Floats:
    values = []
    for t, s in zip(truth.T, score.T, strict=True):
        known = np.isfinite(t)
        values.append(_COUNTED[name](t[known], s[known], counts[known]))
    return _mean_defined(values)


@_measure
def auroc_macro(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the mean AUROC over labels, ``(N, T)`` both; missing truths (NaN) are left out.

    >>> auroc_macro([[0, 1], [1, 0], [1, float("nan")]], [[.1, .9], [.8, .2], [.7, .1]])
    1.0
    """
    return _per_label("auroc", truth, score, counts)


@_measure
def auprc_macro(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the mean average precision over labels, ``(N, T)`` both; missing truths (NaN) are left out.

    >>> auprc_macro([[0, 1], [1, 0], [1, float("nan")]], [[.1, .9], [.8, .2], [.7, .1]])
    1.0
    """
    return _per_label("auprc", truth, score, counts)


@_measure
def ece(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the expected calibration error of probabilities of the positive class, debiased, in 15 equal bins.

    The mean over records of how far the share of positives in their bin is from the mean probability there
    (Naeini et al. 2015; Guo et al. 2017), less what chance adds; see `seqcnn.reliability`.

    >>> round(ece([0] * 30 + [1] * 70, [.9] * 100), 3)
    0.2
    """
    return calibration_error(truth, score, counts)


def _pearson(x: Floats, y: Floats, counts: Floats) -> Floats:
    """Return the counted correlation of `x` and `y`, each ``(N, 1)`` or ``(N, B)``."""
    n = counts.sum(0)
    dx = x - (counts * x).sum(0) / n
    dy = y - (counts * y).sum(0) / n
    xx, yy = (counts * dx * dx).sum(0), (counts * dy * dy).sum(0)
    tiny = 1e-14 * np.maximum((counts * x * x).sum(0), 1e-300), 1e-14 * np.maximum((counts * y * y).sum(0), 1e-300)
    flat = (xx <= tiny[0]) | (yy <= tiny[1])  # constant up to rounding
    return _ratio((counts * dx * dy).sum(0), np.where(flat, 0, np.sqrt(xx * yy)))


@_measure
def pearson(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return Pearson's correlation, ``(N,)`` both; undefined where either is constant.

    >>> round(pearson([1, 2, 3], [1, 3, 2]), 6)
    0.5
    """
    return _pearson(truth[:, None], score[:, None], counts)


def _midranks(values: Floats, counts: Floats) -> Floats:
    """Return the mid-rank of each record among the drawn ones, ``(N, B)``."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0])
    drawn = np.add.reduceat(counts[order], starts, axis=0)  # (groups, B)
    return np.asarray((np.cumsum(drawn, axis=0) - drawn / 2)[group])


@_measure
def spearman(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return Spearman's rank correlation, ``(N,)`` both, ties at mid-rank.

    >>> round(spearman([1, 2, 30], [1, 3, 2]), 6)
    0.5
    """
    return _pearson(_midranks(truth, counts), _midranks(score, counts), counts)


@_measure
def r2(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the coefficient of determination; below zero is worse than the mean.

    >>> r2([1, 2, 3], [1, 2, 4])
    0.5
    """
    mean = (counts * truth[:, None]).sum(0) / counts.sum(0)
    total = (counts * (truth[:, None] - mean) ** 2).sum(0)
    return 1 - _ratio((counts * ((truth - score) ** 2)[:, None]).sum(0), total)


@_measure
def rmse(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the root of the mean squared error, in the unit of the targets.

    >>> rmse([1, 2], [1, 4])
    1.4142135623730951
    """
    return np.sqrt(_ratio((counts * ((truth - score) ** 2)[:, None]).sum(0), counts.sum(0)))


def resampled_counts(within: npt.ArrayLike, draws: int, rng: np.random.Generator) -> Floats:
    """Return how often each record is drawn, ``(N, draws)``, each class of `within` resampled to its own size.

    >>> resampled_counts([0, 0, 1], 5, np.random.default_rng(0)).sum(0).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """
    classes = np.asarray(within)
    counts = np.empty((len(classes), draws))
    for value in np.unique(classes):
        rows = np.flatnonzero(classes == value)
        picked = rng.integers(0, len(rows), (len(rows), draws)) * draws + np.arange(draws)
        counts[rows] = np.bincount(picked.ravel(), minlength=len(rows) * draws).reshape(len(rows), draws)
    return counts


def bootstrap(
    truth: npt.ArrayLike,
    score: npt.ArrayLike,
    names: Sequence[str],
    *,
    draws: int = 1000,
    seed: int = 0,
    within: npt.ArrayLike | None = None,
) -> dict[str, tuple[float, float]]:
    """Return the 95% percentile bootstrap interval of each named measure; of ``ece`` see `seqcnn.reliability`.

    Parameters
    ----------
    truth, score
        As the measures take them.
    names
        Such as ``["auroc", "auprc"]``; `KeyError` for one that is no measure.
    draws, seed
        Number of resamples and their seed.
    within
        Class of each record, ``(N,)``: resampling keeps every class at its size; None resamples all together.

    Examples
    --------
    >>> bootstrap([0, 0, 1, 1], [.1, .2, .7, .9], ["auroc"])
    {'auroc': (1.0, 1.0)}

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap.
    """
    t, s = np.asarray(truth, np.float64), np.asarray(score, np.float64)
    counted = {name: _COUNTED[name] for name in names}
    if not len(t):
        return {name: (float("nan"), float("nan")) for name in names}
    strata = np.zeros(len(t)) if within is None else np.asarray(within)
    rng = np.random.default_rng(seed)
    found: dict[str, list[Floats]] = {name: [] for name in names}
    group = max(1, min(draws, _CELLS // len(t)))
    for start in range(0, draws, group):
        counts = resampled_counts(strata, min(group, draws - start), rng)
        for name, measure in counted.items():
            found[name].append(measure(t, s, counts))
    intervals = {}
    for name, parts in found.items():
        values = np.concatenate(parts)
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, [2.5, 97.5]) if len(values) else (np.nan, np.nan)
        if name == "ece" and len(values):
            low, high = calibration_interval(t, s, values)
        intervals[name] = (float(low), float(high))
    return intervals


def roc_curve(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return false-positive rates, true-positive rates and thresholds, from the strictest down, corners only.

    >>> fpr, tpr, _ = roc_curve([0, 0, 1, 1], [.1, .4, .35, .8])
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    tp, fp, thresholds = _running(truth, score)
    if len(tp) > 2:
        corner = np.r_[True, np.logical_or(np.diff(fp, 2), np.diff(tp, 2)), True]
        tp, fp, thresholds = tp[corner], fp[corner], thresholds[corner]
    tp, fp, thresholds = np.r_[0.0, tp], np.r_[0.0, fp], np.r_[np.inf, thresholds]
    return _ratio(fp, np.full(len(fp), fp[-1])), _ratio(tp, np.full(len(tp), tp[-1])), thresholds


def pr_curve(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and thresholds, recall falling; the last point is precision 1 at recall 0.

    >>> precision, recall, _ = pr_curve([0, 0, 1, 1], [.1, .4, .35, .8])
    >>> recall.tolist()
    [1.0, 1.0, 0.5, 0.5, 0.0]
    """
    tp, fp, thresholds = _running(truth, score)
    precision = _ratio(tp, tp + fp)
    recall = _ratio(tp, np.full(len(tp), tp[-1]))
    return np.r_[precision[::-1], 1.0], np.r_[recall[::-1], 0.0], thresholds[::-1]


def _running(truth: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return true and false positives called at each distinct score, highest first, and those scores."""
    t, s = np.asarray(truth, np.float64), np.asarray(score, np.float64)
    order = np.argsort(-s, kind="stable")
    t, s = t[order], s[order]
    last = np.r_[np.flatnonzero(np.diff(s)), len(s) - 1]
    tp = np.cumsum(t)[last]
    return tp, last + 1 - tp, s[last]
