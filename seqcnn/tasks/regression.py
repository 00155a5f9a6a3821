"""Regression: one or several numbers, heavy tails transformed and the transform undone in the output."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from seqcnn import metrics
from seqcnn.tasks.task import Figures, Floats, Kind, Task, as_intervals, check_targets, or_none, weighted_mean

#: Distance of the far 1% from the median over the interquartile range: 1.7 for a normal, 2.9 for an exponential,
#: 6 for a log-normal distribution. Above this, and with excess kurtosis above `HEAVY_KURTOSIS`, a tail is heavy.
HEAVY_TAIL = 4.0
HEAVY_KURTOSIS = 3.0
#: Predictions stay within the training targets and this share of their (transformed) range beyond.
MARGIN = 0.25


@dataclass(frozen=True)
class Regression(Task):
    """Numbers. Each target has its transform (identity, log or asinh), found on the training targets.

    The network learns ``(f(x) - mean) / std`` with ``f(x) = x``, ``log x`` or ``asinh((x - center) / scale)``.

    Examples
    --------
    >>> heavy = np.exp(2 * np.random.default_rng(0).normal(size=(500, 1)))
    >>> task = Regression.fit(("expression",), heavy)
    >>> task.transforms, bool(np.allclose(task.output(task.encode(heavy[:9])), heavy[:9], rtol=1e-3))
    (('log',), True)
    """

    name: ClassVar[str] = "regression"
    primary: ClassVar[str] = "spearman"
    evidence: ClassVar[tuple[str, float]] = ("spearman", 0.0)
    sections: ClassVar[tuple[str, ...]] = ("scatter",)
    numeric: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("pearson", "spearman", "r2", "rmse")

    transforms: tuple[str, ...]
    center: tuple[float, ...]
    scale: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task with a transform for each column of the training targets ``(N, T)``."""
        table = check_targets(targets, cls.name)
        columns = [_fit_column(column[np.isfinite(column)]) for column in table.T]
        names = tuple(labels) if labels else tuple(f"target{i}" for i in range(1, table.shape[1] + 1))
        kinds, *numbers = zip(*columns, strict=True)
        return cls(names, tuple(kinds), *(tuple(row) for row in numbers))

    @property
    def outputs(self) -> int:
        """One number a target."""
        return len(self.transforms)

    @property
    def columns(self) -> tuple[str, ...]:
        """``score`` for one target, else the target names."""
        return ("score",) if self.outputs == 1 else self.labels

    @property
    def notes(self) -> tuple[str, ...]:
        """Say which targets were transformed, and how."""
        formula = {"log": "log(x)", "asinh": "asinh((x - {center:.3g}) / {scale:.3g})"}
        return tuple(
            f"target {label} is heavy-tailed: learned as {formula[kind].format(center=center, scale=scale)}, "
            "undone in the output"
            for label, kind, center, scale in zip(self.labels, self.transforms, self.center, self.scale, strict=True)
            if kind != "identity"
        )

    def encode(self, targets: Floats) -> npt.NDArray[np.float32]:
        """Return transformed and standardized targets, ``(N, T)``."""
        table = np.array(targets, np.float64)
        for i, kind in enumerate(self.transforms):
            transformed = _forward(table[:, i], kind, self.center[i], self.scale[i])
            table[:, i] = (transformed - self.mean[i]) / self.std[i]
        return table.astype(np.float32)

    def output(self, logits: npt.ArrayLike, kind: Kind = "probability") -> npt.NDArray[np.float32]:
        """Return predictions in the units of the targets (or the network's numbers), ``(N, T)``."""
        table = np.array(logits, np.float64)
        if kind == "probability":
            table = self._decoded(self._bounded(table))
        return table.astype(np.float32)

    def nonconformity(self, targets: Floats, logits: npt.ArrayLike) -> Floats:
        """Return the absolute error of each target, ``(N, T)``, in the standardized units the network learned in."""
        return np.abs(self.encode(targets).astype(np.float64) - self._bounded(np.asarray(logits, np.float64)))

    def ranges(self, logits: npt.ArrayLike, limits: Floats) -> Floats:
        """Return what is within the limits ``(T,)`` of the predictions, ``(N, T, 2)``, in the units of the targets.

        The ends lie equally far off in the units that the network learned in, so that a heavy tail has the wider side.
        """
        middle = self._bounded(np.asarray(logits, np.float64))
        return np.stack([self._decoded(middle - limits), self._decoded(middle + limits)], 2)

    def _bounded(self, logits: Floats) -> Floats:
        """Return the network's numbers ``(N, T)``, those far beyond the training targets brought back."""
        mean, std, low, high = (np.array(row, np.float64) for row in (self.mean, self.std, self.low, self.high))
        return np.clip(logits, (low - mean) / std, (high - mean) / std)

    def _decoded(self, table: Floats) -> Floats:
        """Return the network's numbers ``(N, T)`` in the units of the targets."""
        values = [
            _backward(column * self.std[i] + self.mean[i], kind, self.center[i], self.scale[i])
            for i, (column, kind) in enumerate(zip(table.T, self.transforms, strict=True))
        ]
        return np.stack(values, 1)

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the mean squared error of the standardized targets that are known."""
        known = torch.isfinite(targets)
        return weighted_mean((logits - torch.nan_to_num(targets)) ** 2, known, weights)

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return half the squared error, summed over known targets: a unit normal's, up to a constant, ``(N,)``."""
        known = torch.isfinite(targets)
        return (0.5 * (logits - torch.nan_to_num(targets)) ** 2 * known).sum(1)

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the logits: they are the transformed values."""
        return logits

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``pearson spearman r2 rmse`` in original units; several targets under ``per_target``, and means."""
        predicted = self.output(logits).astype(np.float64)
        rows = []
        for truth, score in zip(targets.T, predicted.T, strict=True):
            known = np.isfinite(truth)
            rows.append({name: getattr(metrics, name)(truth[known], score[known]) for name in self.figures})
        clean = [{name: or_none(value) for name, value in row.items()} for row in rows]
        if len(rows) == 1:
            return dict(clean[0])
        means: Figures = {name: or_none(float(np.mean([row[name] for row in rows]))) for name in self.figures}
        return means | {"per_target": dict(zip(self.labels, clean, strict=True))}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return the intervals of the same figures (of each target, where there are several)."""
        predicted = self.output(logits).astype(np.float64)
        rows = []
        for truth, score in zip(targets.T, predicted.T, strict=True):
            known = np.isfinite(truth)
            rows.append(as_intervals(metrics.bootstrap(truth[known], score[known], self.figures, seed=seed)))
        return rows[0] if len(rows) == 1 else {"per_target": dict(zip(self.labels, rows, strict=True))}


def _forward(x: Floats, kind: str, center: float, scale: float) -> Floats:
    if kind == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(x > 0, np.log(x), np.log(scale))  # not positive: as small as the smallest trained on
    return np.arcsinh((x - center) / scale) if kind == "asinh" else x


def _backward(y: Floats, kind: str, center: float, scale: float) -> Floats:
    if kind == "log":
        return np.exp(y)
    return np.sinh(y) * scale + center if kind == "asinh" else y


def _tail(x: Floats) -> float:
    """Return how far the farther 1% lies from the median, in interquartile ranges."""
    low, first, median, third, high = np.quantile(x, [0.01, 0.25, 0.5, 0.75, 0.99])
    reach = max(high - median, median - low)
    return float(reach / (third - first)) if third > first else (np.inf if reach > 0 else 0.0)


def _kurtosis(x: Floats) -> float:
    """Return the excess kurtosis, 0 for constant values."""
    z = x - x.mean()
    variance = float((z**2).mean())
    return float((z**4).mean()) / variance**2 - 3 if variance > 0 else 0.0


def _fit_column(x: Floats) -> tuple[str, float, float, float, float, float, float]:
    """Return the transform of one target: kind, center, scale; mean, std and bounds of the transformed values."""
    kind, center, scale = "identity", 0.0, 1.0
    if _tail(x) > HEAVY_TAIL and _kurtosis(x) > HEAVY_KURTOSIS:
        median = float(np.median(x))
        spread = float(np.subtract(*np.quantile(x, [0.75, 0.25]))) / 1.349  # of a normal: its standard deviation
        choices = [("asinh", median, spread if spread > 0 else float(np.abs(x - median).mean()))]
        if x.min() > 0:
            choices.append(("log", 0.0, float(x.min())))
        kind, center, scale = min(choices, key=lambda choice: _tail(_forward(x, *choice)))
    y = _forward(x, kind, center, scale)
    margin = MARGIN * float(np.ptp(y))
    std = float(y.std())
    bounds = float(y.min()) - margin, float(y.max()) + margin
    return kind, center, scale, float(y.mean()), std if std > 0 else 1.0, *bounds
