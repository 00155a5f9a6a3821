"""Circular regression: angles, hours of the day, phases, where the end of the scale is its beginning."""

from dataclasses import dataclass
from math import log, pi
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.checks import within
from seqcnn.tasks.task import Figures, Floats, Kind, Task, check_targets, or_none, weighted_mean


@dataclass(frozen=True)
class Circular(Task):
    """Numbers on a circle. The network's two outputs a target are a vector: its direction is the answer.

    Trained by the likelihood of a von Mises distribution whose concentration is the length of the vector, so that a
    network which is unsure says so with a short one.

    Parameters
    ----------
    period
        Length of the scale: 360 for degrees, 24 for hours.

    References
    ----------
    Mardia & Jupp. Directional Statistics. Wiley (2000). doi:10.1002/9780470316979

    Examples
    --------
    >>> task = Circular.fit(("angle",), np.array([[350.0], [10.0], [20.0]]))
    >>> task.output([[0.0, -2.0]]).round().tolist()
    [[270.0]]
    >>> round(task.metrics(np.array([[359.0]]), task.encode(np.array([[1.0]])))["median_error"], 3)
    2.0
    """

    name: ClassVar[str] = "circular"
    primary: ClassVar[str] = "mean_cosine"
    evidence: ClassVar[tuple[str, float]] = ("mean_cosine", 0.0)
    sections: ClassVar[tuple[str, ...]] = ("scatter",)
    numeric: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("median_error", "mean_error", "mean_cosine")

    period: float

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, *, period: float = 360.0, **options: Any) -> Self:
        """Return the task; nothing is learned from the training targets ``(N, T)`` but their number."""
        table = check_targets(targets, cls.name)
        within(period, "--period", 1e-9, 1e12)
        names = tuple(labels) if labels else tuple(f"target{i}" for i in range(1, table.shape[1] + 1))
        return cls(names, float(period))

    @property
    def outputs(self) -> int:
        """Two numbers a target: cosine and sine."""
        return 2 * len(self.labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """``score`` for one target, else the target names."""
        return ("score",) if len(self.labels) == 1 else self.labels

    def encode(self, targets: Floats) -> npt.NDArray[np.float32]:
        """Return unit vectors ``(N, 2 T)``: cosine and sine of each target."""
        angle = np.asarray(targets, np.float64) * (2 * pi / self.period)
        return np.stack([np.cos(angle), np.sin(angle)], 2).reshape(len(angle), -1).astype(np.float32)

    def output(self, logits: npt.ArrayLike, kind: Kind = "probability") -> npt.NDArray[np.float32]:
        """Return angles from 0 to the period ``(N, T)``, or the vectors ``(N, 2 T)`` as logits."""
        raw = np.asarray(logits, np.float64)
        if kind == "logit":
            return raw.astype(np.float32)
        angle = np.arctan2(raw[:, 1::2], raw[:, ::2]) * (self.period / (2 * pi))
        turned = np.mod(angle, self.period).astype(np.float32)
        return np.where(turned >= self.period, np.float32(0), turned)

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the mean negative log-likelihood of the targets that are known."""
        return weighted_mean(self._each(logits, targets), targets[:, ::2].isfinite(), weights)

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the negative log-likelihood of each record, ``(N,)``."""
        return (self._each(logits, targets) * targets[:, ::2].isfinite()).sum(1)

    def _each(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the negative log-likelihood of each target, ``(N, T)``."""
        z = logits.reshape(len(logits), -1, 2)
        truth = torch.nan_to_num(targets).reshape(z.shape)
        # The norm has no gradient at 0; a length is never quite that.
        concentration = (z.square().sum(2) + 1e-12).sqrt()
        loss: torch.Tensor = torch.special.i0e(concentration).log() + concentration - (z * truth).sum(2) + log(2 * pi)
        return loss

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the unit vectors."""
        return torch.nn.functional.normalize(logits.reshape(len(logits), -1, 2), dim=2).flatten(1)

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``median_error mean_error mean_cosine``; several targets under ``per_target``, and means."""
        rows = [_figures(error, self.period) for error in self.errors(targets, logits).T]
        clean = [{name: or_none(value) for name, value in row.items()} for row in rows]
        if len(rows) == 1:
            return dict(clean[0])
        means: Figures = {name: or_none(float(np.mean([row[name] for row in rows]))) for name in self.figures}
        return means | {"per_target": dict(zip(self.labels, clean, strict=True))}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return the intervals of the same figures (of each target, where there are several)."""
        rows = [_intervals(error[np.isfinite(error)], self.period, seed) for error in self.errors(targets, logits).T]
        return rows[0] if len(rows) == 1 else {"per_target": dict(zip(self.labels, rows, strict=True))}

    def nonconformity(self, targets: Floats, logits: npt.ArrayLike) -> Floats:
        """Return the distance along the circle of each target, ``(N, T)``."""
        return self.errors(targets, logits)

    def ranges(self, logits: npt.ArrayLike, limits: Floats) -> Floats:
        """Return the ends of the arcs within the limits ``(T,)``, ``(N, T, 2)``: from 0 to the period if all is."""
        middle = self.output(logits).astype(np.float64)
        arcs = np.mod(np.stack([middle - limits, middle + limits], 2), self.period)
        return np.where((limits >= self.period / 2)[None, :, None], [0.0, self.period], arcs)

    def errors(self, targets: Floats, logits: npt.ArrayLike) -> Floats:
        """Return the distance along the circle of each prediction, ``(N, T)``, at most half a period; NaN unknown."""
        apart = np.mod(self.output(logits).astype(np.float64) - targets, self.period)
        return np.minimum(apart, self.period - apart)


#: Resamples of a bootstrap interval.
_DRAWS = 1000


def _intervals(error: Floats, period: float, seed: int) -> Figures:
    """Return 95% percentile bootstrap intervals of the figures; None where there is nothing to resample."""
    if not len(error):
        return dict.fromkeys(Circular.figures)
    rng = np.random.default_rng(seed)
    draws = [_figures(error[rng.integers(len(error), size=len(error))], period) for _ in range(_DRAWS)]
    return {
        name: [float(v) for v in np.percentile([draw[name] for draw in draws], [2.5, 97.5])]
        for name in Circular.figures
    }


def _figures(error: Floats, period: float) -> dict[str, float]:
    """Return the figures of distances along the circle."""
    known = error[np.isfinite(error)]
    if not len(known):
        return dict.fromkeys(Circular.figures, float("nan"))
    return {
        "median_error": float(np.median(known)),
        "mean_error": float(known.mean()),
        "mean_cosine": float(np.cos(known * (2 * pi / period)).mean()),
    }
