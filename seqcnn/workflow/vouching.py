"""What held-out records vouch for: the calibration of the final model, and its sets and intervals."""

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.conformal import Conformity, conformity
from seqcnn.data.dataset import Dataset
from seqcnn.model.record import OutOfFold
from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.task import Task
from seqcnn.training.learner import Learned
from seqcnn.training.pooling import calibrated_on_folds


def calibrated(
    task: Task, learned: Learned, data: Dataset, *, shared: Calibration | None, notes: list[str]
) -> Calibration:
    """Return the calibration on out-of-fold predictions (`shared`), or else that on the validation part.

    It is noted where the validation part contradicts the folds.
    """
    held = learned.validation
    if shared is None or held is None or data.targets is None:
        return learned.calibration
    layer = calibrated_on_folds(task, learned.calibration, shared, logits=held.logits, targets=data.targets[held.rows])
    if layer is None:
        notes.append(
            "calibrated on the validation part alone: its records contradict the calibration on folds; are they of "
            "another kind?"
        )
    return learned.calibration if layer is None else layer


def conformity_of(
    task: Task,
    learned: Learned,
    data: Dataset,
    *,
    calibration: Calibration,
    out_of_fold: OutOfFold | None,
    fold: npt.NDArray[np.int64] | None,
) -> Conformity | None:
    """Return how far held-out records were off; None where none were.

    Parameters
    ----------
    out_of_fold
        Predictions of all folds; without them the validation part is taken.
    fold
        Fold of each record of the data, -1 for none, ``(N,)``.
    """
    if out_of_fold is not None and fold is not None:
        odd = task.nonconformity(out_of_fold.truth, out_of_fold.logits)
        return conformity(odd if data.weights is None else odd[data.weights[fold >= 0] > 0], folds=True)
    held = learned.held_out
    if held is None or data.targets is None:
        return None
    logits = calibration(torch.from_numpy(held.logits)).numpy()
    return conformity(task.nonconformity(data.targets[held.rows], logits))
