"""Leakage: records that have a near relative among those trained on, and the figures with and without them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Raw
from seqcnn.data.relatives import LONGEST, kin, related
from seqcnn.inference.predict import Logits
from seqcnn.model.model import Model
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Floats, Task

#: Fewer records than this have no figures of their own.
_FEWEST = 10


@dataclass(frozen=True)
class Relatives:
    """Which records have a near relative among those trained on, ``(N,)``, and whether alignment verified it."""

    near: npt.NDArray[np.bool_]
    aligned: bool


@dataclass(frozen=True)
class Leakage:
    """How much of an evaluation rests on relatives of training records.

    Parameters
    ----------
    n, near, share
        Records evaluated, those of them with a near relative in training, and their share.
    metrics_near, metrics_far
        Figures of those with a near relative and of those without; empty where they are fewer than ten.
    ci95_far
        Intervals of the latter.
    aligned
        Whether relatives were verified by alignment, as in training; sketches miss some of the less alike.
    """

    n: int
    near: int
    share: float
    metrics_near: dict[str, Any]
    metrics_far: dict[str, Any]
    ci95_far: dict[str, Any]
    aligned: bool

    def sentence(self, metric: str) -> str:
        """Return what was found, with one figure on both sides.

        >>> Leakage(200, 50, 0.25, {"auroc": 0.99}, {"auroc": 0.9}, {}, aligned=True).sentence("auroc")
        '50 of 200 records (25%) have a near relative in training: auroc 0.990 on them, 0.900 on the others'
        >>> Leakage(200, 0, 0.0, {}, {}, {}, aligned=True).sentence("auroc")
        'no record has a near relative in training'
        """
        if not self.near:
            return "no record has a near relative in training"
        said = f"{'' if self.aligned else 'at least '}{self.near:,} of {self.n:,} records ({100 * self.share:.0f}%)"
        said += " have a near relative in training"
        pair = [side.get(metric) for side in (self.metrics_near, self.metrics_far)]
        if any(value is None or not math.isfinite(value) for value in pair):
            return said if self.near == self.n else f"{said}; too few are left on one side for figures of their own"
        return f"{said}: {metric} {pair[0]:.3f} on them, {pair[1]:.3f} on the others"


def leakage(task: Task, truth: Floats, logits: Logits, relatives: Relatives | None, *, seed: int = 0) -> Leakage | None:
    """Return the leakage of an evaluation of N records; None where relatives are not known."""
    if relatives is None:
        return None
    near = relatives.near

    def metrics(part: npt.NDArray[np.bool_]) -> dict[str, Any]:
        return task.metrics(truth[part], logits[part]) if part.sum() >= _FEWEST else {}

    far = ~near
    intervals = task.intervals(truth[far], logits[far], seed=seed) if far.sum() >= _FEWEST and near.any() else {}
    share = float(near.mean()) if len(near) else 0.0
    return Leakage(len(near), int(near.sum()), share, metrics(near), metrics(far), intervals, relatives.aligned)


def near_training(model: Model, raw: Raw, known: Raw | None = None) -> Relatives | None:
    """Return which records have a near relative among those trained on; None where that is not known.

    Relatives of `known`, the records trained on, are verified by alignment; without them the model's sketches tell.
    """
    if model.alphabet is None or not isinstance(raw, Sequences):
        return None
    if isinstance(known, Sequences):
        return Relatives(*kin(known, raw, model.alphabet))
    sketches = model.record.sketches
    return None if sketches is None else Relatives(related(sketches, raw, model.alphabet), aligned=False)


def near_other_folds(model: Model, near: npt.NDArray[np.bool_] | None) -> Relatives | None:
    """Return the records with a near relative in another fold, as training found them; None where it did not look."""
    return None if near is None else Relatives(near, aligned=model.longest <= LONGEST)
