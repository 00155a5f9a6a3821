"""AUROC and Spearman's correlation with analytic intervals: fast enough for many figures on many records."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.data.matching import placements
from seqcnn.quality.findings import Figure

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A figure, and what decides whether it is sure.

    Parameters
    ----------
    figure
        Turned so that an AUROC is at least 0.5; Spearman's correlation keeps its sign.
    rises
        Whether larger values go with the class, or with larger targets.
    z
        Distance from chance in standard errors under chance.
    error
        Standard error on the scale of the interval: logit of the AUROC, inverse hyperbolic tangent of the correlation.
    """

    figure: Figure
    rises: bool
    z: float
    error: float

    def least(self, z: float) -> float:
        """Return the end of an interval of `z` standard errors that lies nearest to chance; 0.5 or 0 at chance."""
        if self.figure.name == "auroc":
            return max(0.5, float(_expit(_logit(self.figure.value) - z * self.error)))
        return max(0.0, float(np.tanh(np.arctanh(min(abs(self.figure.value), 1 - 1e-9)) - z * self.error)))


def _logit(value: float) -> float:
    value = min(max(value, 1e-9), 1 - 1e-9)
    return float(np.log(value / (1 - value)))


def _expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def auroc_interval(truth: npt.ArrayLike, score: npt.ArrayLike) -> Measured:
    """Return the AUROC of a score ``(N,)`` for classes 0 and 1 ``(N,)``, by DeLong's variance on the logit scale.

    Below 0.5 the score is turned round. Where the classes are told apart without a mistake the variance vanishes, so
    half a record is allowed for.

    Examples
    --------
    >>> m = auroc_interval([0, 0, 0, 1, 1, 1], [1, 2, 3, 3, 4, 5])
    >>> round(m.figure.value, 3), m.rises
    (0.944, True)

    References
    ----------
    DeLong, DeLong, Clarke-Pearson. Comparing the areas under two or more correlated ROC curves. Biometrics 44 (1988).
    """
    t, s = np.asarray(truth), np.asarray(score, np.float64)
    positive, negative = s[t == 1], s[t == 0]
    m, n = len(positive), len(negative)
    above, below = placements(positive, negative)
    value = float(above.mean())
    rises = value >= 0.5
    value = max(value, 1 - value)
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n if min(m, n) > 1 else 0.25
    safe = min(value, 1 - 0.5 / min(m, n))
    if safe < value:
        variance = safe * (1 - safe) / (m + n)
    variance = max(float(variance), 1e-12)
    error = float(np.sqrt(variance)) / (safe * (1 - safe))
    _, ties = np.unique(np.concatenate([positive, negative]), return_counts=True)
    total = m + n
    chance = ((total + 1) - (ties**3 - ties).sum() / (total * (total - 1))) / (12 * m * n)
    ends = (float(_expit(_logit(safe) + sign * 1.96 * error)) for sign in (-1, 1))
    low, high = ends
    figure = Figure("auroc", value, min(low, value), max(high, value))
    return Measured(figure, rises, abs(value - 0.5) / float(np.sqrt(max(chance, 1e-12))), error)


def spearman_interval(truth: npt.ArrayLike, score: npt.ArrayLike) -> Measured:
    """Return Spearman's correlation of two columns ``(N,)``, its interval by Fisher's transform.

    >>> m = spearman_interval([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    >>> round(m.figure.value, 3)
    0.9

    References
    ----------
    Bonett, Wright. Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
    Psychometrika 65 (2000).
    """
    from scipy.stats import rankdata

    x, y = (rankdata(np.asarray(v, np.float64)) for v in (truth, score))
    x, y = x - x.mean(), y - y.mean()
    value = float((x * y).sum() / np.sqrt(max((x * x).sum() * (y * y).sum(), 1e-300)))
    n = len(x)
    error = float(np.sqrt((1 + value**2 / 2) / max(n - 3, 1)))
    center = np.arctanh(np.clip(value, -1 + 1e-9, 1 - 1e-9))
    low, high = (float(np.tanh(center + sign * 1.96 * error)) for sign in (-1, 1))
    return Measured(Figure("spearman", value, low, high), value >= 0, abs(value) * float(np.sqrt(max(n - 1, 1))), error)
