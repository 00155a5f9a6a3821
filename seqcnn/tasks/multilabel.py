"""Multilabel classification: several yes/no labels at once, a logit each."""

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from seqcnn import metrics
from seqcnn.tasks.task import (
    WEIGHT_CAP,
    Figures,
    Floats,
    Task,
    check_targets,
    figures_with_intervals,
    or_none,
    weighted_mean,
)


@dataclass(frozen=True)
class Multilabel(Task):
    """Labels that each hold or do not; a missing one (NaN) is neither learned from nor counted.

    Examples
    --------
    >>> task = Multilabel.fit(("a", "b"), np.array([[0.0, 1.0], [1.0, np.nan], [0.0, 0.0]]))
    >>> task.positive_weights
    (2.0, 1.0)
    """

    name: ClassVar[str] = "multilabel"
    primary: ClassVar[str] = "auroc_macro"
    evidence: ClassVar[tuple[str, float]] = ("auroc_macro", 0.5)
    sections: ClassVar[tuple[str, ...]] = ("roc", "pr", "calibration")
    figures: ClassVar[tuple[str, ...]] = ("auroc_macro", "auprc_macro")

    positive_weights: tuple[float, ...]

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task with a weight for the positives of each label from targets ``(N, T)`` of 0 and 1."""
        table = check_targets(targets, cls.name, whole_below=2)
        positive, negative = np.nansum(table == 1, 0), np.nansum(table == 0, 0)
        weights = np.clip(negative / np.maximum(positive, 1), 1 / WEIGHT_CAP, WEIGHT_CAP)
        return cls(tuple(labels), tuple(float(w) for w in weights))

    @property
    def outputs(self) -> int:
        """One logit a label."""
        return len(self.labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """One probability a label."""
        return self.labels

    @property
    def prior_shift(self) -> tuple[float, ...]:
        """Minus the logarithm of each weight."""
        return tuple(-log(weight) for weight in self.positive_weights)

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the cross-entropy over the known labels, positives weighted."""
        known = torch.isfinite(targets)
        entropy = binary_cross_entropy_with_logits(
            logits,
            torch.nan_to_num(targets) * (1 - smoothing) + smoothing / 2,
            reduction="none",
            pos_weight=logits.new_tensor(self.positive_weights),
        )
        return weighted_mean(entropy, known, weights)

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the summed cross-entropy of the known labels of each record, ``(N,)``."""
        known = torch.isfinite(targets)
        entropy = binary_cross_entropy_with_logits(logits, torch.nan_to_num(targets), reduction="none")
        return (entropy * known).sum(1)

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probability of each label."""
        return torch.sigmoid(logits)

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``auroc_macro auprc_macro``."""
        score = np.asarray(logits, np.float64)
        return {name: or_none(getattr(metrics, name)(targets, score)) for name in self.figures}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return the intervals of the same figures; records are resampled together, labels have no one class."""
        score = np.asarray(logits, np.float64)
        return figures_with_intervals(targets, score, self.figures, seed=seed, within=None)
