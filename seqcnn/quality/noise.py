"""Wrong labels told from hard records: a logistic curve with floors, fitted to held-out scores."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Largest share of wrong labels that is considered.
_MOST = 0.45
#: A floor that gains less than this gains nothing; the other one then must gain so much more.
_BOTH, _ALONE = 0.5, 8.0


@dataclass(frozen=True)
class LabelNoise:
    """How labels hang on held-out scores.

    The chance of label 1 is ``a + (1 - a - b) p``, where ``p`` is the logistic chance that the record is truly of class
    1, `false_positives` a is the share of class 0 that is labelled 1, `false_negatives` b that of class 1 labelled 0.

    Parameters
    ----------
    false_positives, false_negatives
        The floors.
    positives_ratio, negatives_ratio
        Twice the log likelihood that each floor gains over none.
    chance
        ``(N,)`` p.
    """

    false_positives: float
    false_negatives: float
    positives_ratio: float
    negatives_ratio: float
    chance: Floats

    def sure(self, least: float) -> bool:
        """Return whether the floors together gain `least` or more.

        Wrong labels go both ways. Where one floor alone gains, records of one class may just be weak (a peak whose
        motif has several letters changed), so more is asked for.
        """
        alone = min(self.positives_ratio, self.negatives_ratio) < _BOTH
        return self.positives_ratio + self.negatives_ratio >= least + alone * _ALONE

    def wrong(self, label: npt.ArrayLike, least: float) -> Floats:
        """Return the chance that each label ``(N,)`` is wrong; 0 for all where that is not `sure`."""
        a, b = (self.false_positives, self.false_negatives) if self.sure(least) else (0.0, 0.0)
        p = self.chance
        truly = np.where(np.asarray(label) == 1, (1 - b) * p, (1 - a) * (1 - p))
        not_so = np.where(np.asarray(label) == 1, a * (1 - p), b * p)
        return np.asarray(not_so / np.maximum(truly + not_so, 1e-300))


def label_noise(score: npt.ArrayLike, label: npt.ArrayLike) -> LabelNoise:
    """Return how much likelier labels ``(N,)`` of 0 and 1 get where some of them may be wrong.

    A record that is merely hard has a middling score; a wrong label has a clear one on the wrong side, more often than
    a logistic curve allows for.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> score = rng.normal(size=2000) * 4
    >>> label = rng.random(2000) < 1 / (1 + np.exp(-2 * score))
    >>> found = label_noise(score, label)
    >>> max(found.positives_ratio, found.negatives_ratio) < 4
    True
    >>> found = label_noise(score, label ^ (rng.random(2000) < 0.05))
    >>> found.positives_ratio > 20, 0.03 < found.false_positives < 0.07
    (True, True)

    References
    ----------
    Natarajan, Dhillon, Ravikumar, Tewari. Learning with noisy labels. NeurIPS (2013), for class-conditional noise.
    """
    from scipy.optimize import minimize

    z, y = np.asarray(score, np.float64), np.asarray(label, np.float64)
    z = (z - z.mean()) / max(float(z.std()), 1e-12)

    def fit(positives: bool, negatives: bool) -> tuple[float, Floats]:
        def loss(parameters: Floats) -> tuple[float, Floats]:
            slope, shift, a, b = parameters
            p = 1 / (1 + np.exp(-np.clip(slope * z + shift, -500, 500)))
            span = 1 - a - b
            q = np.clip(a + span * p, 1e-12, 1 - 1e-12)
            outer = (q - y) / (q * (1 - q))  # derivative of the loss by q
            inner = outer * span * p * (1 - p)
            slopes = np.array([(inner * z).sum(), inner.sum(), (outer * (1 - p)).sum(), -(outer * p).sum()])
            return float(-(y * np.log(q) + (1 - y) * np.log1p(-q)).sum()), slopes

        bounds = [(0.0, 100.0), (-50.0, 50.0), (0.0, _MOST * positives), (0.0, _MOST * negatives)]
        tries = [
            minimize(loss, [start, 0.0, 0.03 * positives, 0.03 * negatives], jac=True, bounds=bounds, method="L-BFGS-B")
            for start in (1.0, 3.0, 8.0)
        ]
        best = min(tries, key=lambda result: float(result.fun))
        return float(best.fun), np.asarray(best.x)

    both, found = fit(True, True)
    without_a, without_b = fit(False, True)[0], fit(True, False)[0]
    slope, shift, a, b = found
    chance = 1 / (1 + np.exp(-np.clip(slope * z + shift, -500, 500)))
    return LabelNoise(float(a), float(b), max(0.0, 2 * (without_a - both)), max(0.0, 2 * (without_b - both)), chance)
