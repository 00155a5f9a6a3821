"""Reliability: how far stated probabilities lie from observed shares, without the part that chance alone makes."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Equal-width bins of the expected calibration error (Guo et al. 2017).
CALIBRATION_BINS = 15
#: Standard normal quantile of the level at which a calibration error counts as proven.
_PROVEN = 1.96


def calibration_error(truth: Floats, score: Floats, counts: Floats) -> Floats:
    """Return the debiased expected calibration error of draws of records, ``(B,)``; NaN where none was drawn.

    In bins of equal width, the mean over records of how far the share of positives is from the mean probability. Chance
    alone makes shares differ from probabilities, and the plain mean counts that as error: of 60 records of perfectly
    calibrated probabilities it is about 0.15. So what it is expected to exceed the truth by, if shares scatter normally
    around the gap that was found, is subtracted (Kumar, Liang & Ma 2019, arXiv:1909.10155).

    Parameters
    ----------
    truth, score
        0 or 1, and the probability of 1, ``(N,)``.
    counts
        How often each record was drawn, ``(N, B)``.
    """
    gap, deviation = _gaps(truth, score, counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(deviation > 0, gap / deviation, np.inf)
    # Mean of |x| for x normal around the gap, less the gap: never negative.
    excess = deviation * (np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2)) - 2 * gap * _upper(ratio)
    total = counts.sum(0)
    out = np.full(len(total), np.nan)
    np.divide(np.maximum((gap - np.maximum(excess, 0)).sum(0), 0), total, out=out, where=total > 0)
    return out


def calibration_interval(truth: Floats, score: Floats, draws: Floats) -> tuple[float, float]:
    """Return the 95% interval of the calibration error, given that of bootstrap draws ``(B,)``.

    A resample scatters once more, so that its error is too large again: the draws tell the width of the interval, moved
    to the error itself. It begins at 0 unless the gaps are more than perfect calibration explains.
    """
    one = np.ones((len(truth), 1))
    found = calibration_error(truth, score, one)[0]
    low, high = found + np.percentile(draws, [2.5, 97.5]) - draws.mean()
    gap, deviation = _gaps(truth, score, one)
    by_chance = np.sqrt(2 / np.pi) * deviation.sum() + _PROVEN * np.sqrt((1 - 2 / np.pi) * (deviation**2).sum())
    return max(float(low), 0.0) if gap.sum() > by_chance else 0.0, max(float(high), float(found), 0.0)


def calibration_curve(truth: npt.ArrayLike, probability: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Return mean probability, share of positives and number of records of each of 15 bins that is not empty.

    >>> predicted, observed, n = calibration_curve([0, 1, 1, 1], [.3, .3, .9, .9])
    >>> observed.tolist(), n.tolist()
    ([0.5, 1.0], [2.0, 2.0])
    """
    t, p = np.asarray(truth, np.float64), np.asarray(probability, np.float64)
    which = _bins(p)
    n = np.bincount(which, minlength=CALIBRATION_BINS).astype(np.float64)
    full = n > 0
    predicted = np.bincount(which, p, CALIBRATION_BINS)[full] / n[full]
    return predicted, np.bincount(which, t, CALIBRATION_BINS)[full] / n[full], n[full]


def _bins(probability: Floats) -> npt.NDArray[np.intp]:
    return np.minimum((probability * CALIBRATION_BINS).astype(np.intp), CALIBRATION_BINS - 1)


def _gaps(truth: Floats, score: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Return how many positives each bin has too many or too few, and their standard deviation, ``(bins, B)``."""
    which = _bins(score)
    each, spread = counts * (truth - score)[:, None], counts * (score * (1 - score))[:, None]
    gap = np.stack([np.abs(each[which == b].sum(0)) for b in range(CALIBRATION_BINS)])
    return gap, np.sqrt(np.stack([spread[which == b].sum(0) for b in range(CALIBRATION_BINS)]))


def _upper(ratio: Floats) -> Floats:
    """Return the chance that a standard normal is above `ratio`."""
    from scipy.special import ndtr

    return np.asarray(ndtr(-ratio), np.float64)
