"""What a student learns: to answer as a teacher does, whose logits are its targets."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.tasks.task import Figures, Floats, Task, weighted_mean


@dataclass(frozen=True)
class Imitation(Task):
    """The task of a student whose teacher learned the task `of`; targets are the teacher's logits ``(N, K)``.

    References
    ----------
    Hinton, Vinyals, Dean. Distilling the knowledge in a neural network (2015). arXiv:1503.02531

    Examples
    --------
    >>> from seqcnn.tasks.binary import Binary
    >>> task = Imitation(("no", "yes"), of=Binary(("no", "yes")))
    >>> logits = torch.tensor([[2.0], [-1.0]])
    >>> bool(task.loss(logits, logits) < task.loss(logits + 1, logits))
    True
    """

    name: ClassVar[str] = "imitation"
    primary: ClassVar[str] = "agreement"
    evidence: ClassVar[tuple[str, float]] = ("agreement", 0.0)
    sections: ClassVar[tuple[str, ...]] = ()
    numeric: ClassVar[bool] = True

    of: Task

    @classmethod
    def fit(cls, labels: tuple[str, ...], targets: Floats, **options: Any) -> Self:
        """Return the task; the option `of` is the teacher's, and nothing is learned from the targets."""
        return cls(tuple(labels), options["of"])

    @property
    def outputs(self) -> int:
        """As many logits as the teacher's."""
        return self.of.outputs

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the teacher's task."""
        return self.of.columns

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        *,
        weights: torch.Tensor | None = None,
        progress: float = 1.0,
        smoothing: float = 0.0,
    ) -> torch.Tensor:
        """Return the mean divergence from the teacher."""
        each = self.record_loss(logits, targets)
        return weighted_mean(each[:, None], torch.ones_like(each[:, None], dtype=torch.bool), weights)

    def record_loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the divergence of each record from the teacher, ``(N,)``."""
        return self.of.divergence(logits, targets)

    def activation(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what the logits stand for in the teacher's task."""
        return self.of.activation(logits)

    def metrics(self, targets: Floats, logits: npt.ArrayLike) -> Figures:
        """Return ``agreement``: the correlation of the logits with the teacher's; None where either is constant."""
        mine, theirs = np.asarray(logits, np.float64).ravel(), np.asarray(targets, np.float64).ravel()
        if mine.std() == 0 or theirs.std() == 0:
            return {"agreement": None}
        return {"agreement": float(np.corrcoef(mine, theirs)[0, 1])}

    def intervals(self, targets: Floats, logits: npt.ArrayLike, seed: int = 0) -> Figures:
        """Return nothing: agreement with a teacher is no figure of merit."""
        return {"agreement": None}
