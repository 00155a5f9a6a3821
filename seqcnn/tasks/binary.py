"""Binary classification: two classes, one logit."""

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from seqcnn import metrics
from seqcnn.errors import DataError
from seqcnn.tasks.task import (
    Figures,
    Floats,
    Task,
    balanced_weights,
    check_targets,
    figures_with_intervals,
    or_none,
    weighted_mean,
)


@dataclass(frozen=True)
class Binary(Task):
    """One of two classes; the logit is that of the second label, the positive one.

    Examples
    --------
    >>> task = Binary.fit(("unbound", "bound"), np.array([[0.0], [0.0], [1.0]]))
    >>> task.class_weights, task.output([[0.0]]).tolist()
    ((0.75, 1.5), [[0.5]])
    """

    name: ClassVar[str] = "binary"
    primary: ClassVar[str] = "auroc"
    evidence: ClassVar[tuple[str, float]] = ("auroc", 0.5)
    sections: ClassVar[tuple[str, ...]] = ("roc", "pr", "calibration", "scores")
    exclusive: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("auroc", "auprc", "accuracy", "mcc", "f1", "ece")

    class_weights: tuple[float, ...] = (1.0, 1.0)

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task with class weights from training targets ``(N, 1)`` of 0 and 1."""
        if len(labels) != 2:
            raise DataError(f"binary: expected two labels, found {len(labels)}: {', '.join(labels)}")
        table = check_targets(targets, cls.name, whole_below=2)
        counts = np.bincount(table[np.isfinite(table)].astype(np.intp), minlength=2)
        return cls(tuple(labels), balanced_weights(counts))

    @property
    def outputs(self) -> int:
        """One logit."""
        return 1

    @property
    def columns(self) -> tuple[str, ...]:
        """One column, the score of the positive class."""
        return ("score",)

    @property
    def prior_shift(self) -> tuple[float, ...]:
        """The logarithm of the ratio of the weights."""
        negative, positive = self.class_weights
        return (log(negative / positive),)

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the class-weighted cross-entropy."""
        known = torch.isfinite(targets)
        truth = torch.nan_to_num(targets)
        negative, positive = self.class_weights
        factor = negative + (positive - negative) * truth
        smooth = truth * (1 - smoothing) + smoothing / 2
        return weighted_mean(
            factor * binary_cross_entropy_with_logits(logits, smooth, reduction="none"), known, weights
        )

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of each record, ``(N,)``."""
        known = torch.isfinite(targets)
        entropy = binary_cross_entropy_with_logits(logits, torch.nan_to_num(targets), reduction="none")
        return (entropy * known).sum(1)

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probability of the positive class."""
        return torch.sigmoid(logits)

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``auroc auprc accuracy mcc f1 ece``."""
        truth, score = self._known(targets, logits)
        return {name: or_none(getattr(metrics, name)(truth, score)) for name in self.figures}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return the intervals of the same figures, resampled within class."""
        truth, score = self._known(targets, logits)
        return figures_with_intervals(truth, score, self.figures, seed=seed, within=truth)

    def _known(self, targets: Floats, logits: npt.ArrayLike) -> tuple[Floats, Floats]:
        known = np.isfinite(targets[:, 0])
        logit = np.asarray(logits, np.float64)[known, 0]
        return targets[known, 0], 0.5 * (1 + np.tanh(logit / 2))  # (N,), sigmoid without overflow or float32 ties
