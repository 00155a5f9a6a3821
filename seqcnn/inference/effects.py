"""Effects of alleles: how much the outputs of two windows differ, as logits, fold or in the task's own units."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from seqcnn.errors import OptionError
from seqcnn.tasks.circular import Circular
from seqcnn.tasks.task import Task

Floats = npt.NDArray[np.float32]
Effect = Literal["logit", "log2fold", "probability"]

#: Probabilities below this are taken for it in folds, so that a fold is a number.
_LEAST = float(np.finfo(np.float32).tiny)


def effect_columns(task: Task, effect: Effect) -> tuple[str, ...]:
    """Return the names of the outputs that `effects` compares.

    Raises
    ------
    OptionError
        If the task has no such effect.
    """
    if isinstance(task, Circular):
        if effect == "log2fold":
            raise OptionError("--effect log2fold: the model's outputs are angles, which have no fold; pass probability")
        if effect == "logit":
            return tuple(f"{name}_{part}" for name in task.labels for part in ("cosine", "sine"))
    return task.columns


def effects(task: Task, reference: Floats, alternative: Floats, effect: Effect) -> tuple[Floats, Floats, Floats]:
    """Return the scores of both alleles and the effect of the alternative one, each ``(N, columns)``.

    Parameters
    ----------
    task
        What the logits mean.
    reference, alternative
        Calibrated logits ``(N, outputs)``.
    effect
        ``logit``: difference of logits; ``probability``: difference of probabilities, or of numbers in the units of
        the target (of angles the shorter way round); ``log2fold``: log2 of their ratio, NaN unless both are positive.

    Examples
    --------
    >>> from seqcnn.tasks.binary import Binary
    >>> low, high = np.zeros((1, 1), np.float32), np.full((1, 1), np.log(3), np.float32)
    >>> [round(float(effects(Binary(("no", "yes")), low, high, kind)[2][0, 0]), 3) for kind in ("logit", "probability")]
    [1.099, 0.25]
    """
    kind: Literal["logit", "probability"] = "logit" if effect == "logit" else "probability"
    before, after = task.output(reference, kind), task.output(alternative, kind)
    if effect == "log2fold":
        low, high = (values if task.numeric else np.maximum(values, _LEAST) for values in (before, after))
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.log2(high.astype(np.float64)) - np.log2(low.astype(np.float64))
        change = np.where((low > 0) & (high > 0), change, np.nan)
    else:
        change = after.astype(np.float64) - before
    if isinstance(task, Circular) and effect == "probability":
        change = np.mod(change + task.period / 2, task.period) - task.period / 2
    return before, after, change.astype(np.float32)
