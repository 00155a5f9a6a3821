"""Multiclass classification: one of K classes, K logits."""

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

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
class Multiclass(Task):
    """One of several classes.

    Examples
    --------
    >>> task = Multiclass.fit(("EI", "IE", "N"), np.array([[0.0], [1.0], [2.0]]))
    >>> task.columns, task.outputs
    (('EI', 'IE', 'N'), 3)
    """

    name: ClassVar[str] = "multiclass"
    primary: ClassVar[str] = "accuracy"
    evidence: ClassVar[tuple[str, float]] = ("auroc_ovr", 0.5)
    sections: ClassVar[tuple[str, ...]] = ("roc", "pr", "confusion", "calibration")
    exclusive: ClassVar[bool] = True
    figures: ClassVar[tuple[str, ...]] = ("accuracy", "macro_f1", "auroc_ovr")

    class_weights: tuple[float, ...]

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task with class weights from training targets ``(N, 1)`` of class indices."""
        if len(labels) < 2:
            raise DataError(f"multiclass: expected two labels or more, found {len(labels)}: {', '.join(labels)}")
        table = check_targets(targets, cls.name, whole_below=len(labels))
        counts = np.bincount(table[np.isfinite(table)].astype(np.intp), minlength=len(labels))
        return cls(tuple(labels), balanced_weights(counts))

    @property
    def outputs(self) -> int:
        """One logit a class."""
        return len(self.labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """One probability a class."""
        return self.labels

    @property
    def prior_shift(self) -> tuple[float, ...]:
        """Minus the logarithm of each weight."""
        return tuple(-log(weight) for weight in self.class_weights)

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
        known = torch.isfinite(targets[:, 0])
        truth = torch.nan_to_num(targets[:, 0]).long()
        factor = logits.new_tensor(self.class_weights)[truth]
        entropy = torch.nn.functional.cross_entropy(logits, truth, reduction="none", label_smoothing=smoothing)
        return weighted_mean(factor * entropy, known, weights)

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the cross-entropy of each record, ``(N,)``."""
        known = torch.isfinite(targets[:, 0])
        truth = torch.nan_to_num(targets[:, 0]).long()
        return torch.nn.functional.cross_entropy(logits, truth, reduction="none") * known

    def divergence(self, logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Return the Kullback-Leibler divergence of the teacher's probabilities, ``(N,)``."""
        theirs = teacher.log_softmax(1)
        return (theirs.exp() * (theirs - logits.log_softmax(1))).sum(1)

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class."""
        return torch.softmax(logits, dim=-1)

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``accuracy macro_f1 auroc_ovr``."""
        truth, score = self._known(targets, logits)
        return {name: or_none(getattr(metrics, name)(truth, score)) for name in self.figures}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return the intervals of the same figures, resampled within class."""
        truth, score = self._known(targets, logits)
        return figures_with_intervals(truth, score, self.figures, seed=seed, within=truth)

    def _known(self, targets: Floats, logits: npt.ArrayLike) -> tuple[Floats, Floats]:
        known = np.isfinite(targets[:, 0])
        logit = np.asarray(logits, np.float64)[known]
        return targets[known, 0], torch.softmax(torch.from_numpy(logit), dim=1).numpy()
