"""Calibration on out-of-fold predictions: all records are held out once, where a validation part is a tenth of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.inference.predict import Logits
from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.task import Floats, Task
from seqcnn.training.calibrate import fit_calibration, minimize, shares

#: Standard deviation of standardized logits: that of probabilities that tell most records apart.
_SPREAD = 2.0
#: Nats by which validation records may do better under their own calibration before it is kept: a likelihood ratio
#: with two degrees of freedom at a level of 0.001.
_CONTRADICTION = 7.0
#: Spread of what is believed of the logarithm of an expert's weight before any record is seen.
_DOUBT = 3.0


def standardizing(task: Task, logits: Logits) -> Calibration:
    """Return the layer that gives the logits ``(N, K)`` of held-out records a mean of 0 and a common spread.

    Networks of different folds, and the final one, learn for more or fewer epochs and so end on scales that differ
    several times over; standardized, they share one. No target is looked at.

    >>> from seqcnn.tasks.binary import Binary
    >>> layer = standardizing(Binary(("no", "yes")), np.array([[10.0], [30.0]], np.float32))
    >>> layer(torch.tensor([[10.0], [20.0], [30.0]])).tolist()
    [[-2.0], [0.0], [2.0]]
    """
    table = logits.astype(np.float64)
    if task.name == "multiclass":  # only differences between classes mean something
        table = table - table.mean(1, keepdims=True)
    deviation = table - table.mean(0)
    spread = np.sqrt((deviation**2).mean(None if task.name == "multiclass" else 0))
    scale = np.broadcast_to(_SPREAD / np.where(spread > 0, spread, _SPREAD), table.shape[1:])
    layer = Calibration(table.shape[1])
    layer.scale.copy_(torch.from_numpy(scale.copy()))
    layer.bias.copy_(torch.from_numpy(-table.mean(0) * scale))
    return layer


def pooled(
    task: Task,
    logits: Logits,
    targets: Floats,
    fold: npt.NDArray[np.int64],
    *,
    weights: npt.NDArray[np.floating] | None = None,
) -> tuple[Logits, Calibration]:
    """Return standardized out-of-fold logits ``(N, K)``, calibrated, and the calibration of all of them.

    Each fold is calibrated on the others, so that its logits stay out-of-fold; one alone by all of itself.
    """
    encoded, out, folds = task.encode(targets), np.array(logits), np.unique(fold)

    def fitted(part: npt.NDArray[np.bool_]) -> Calibration:
        share = None if weights is None else weights[part]
        return fit_calibration(task, logits[part], encoded[part], weights=share, weighted=False)

    whole = fitted(np.ones(len(fold), bool))
    if len(folds) < 2:
        return whole(torch.from_numpy(logits)).numpy(), whole
    for f in folds:
        held = fold == f
        out[held] = fitted(~held)(torch.from_numpy(logits[held])).numpy()
    return out, whole


@dataclass(frozen=True)
class Blend:
    """Logits of several experts, weighed and summed.

    Parameters
    ----------
    weights
        Of the experts, ``(E,)``, all positive.
    offset
        Added to each output, ``(K,)``.
    """

    weights: tuple[float, ...]
    offset: tuple[float, ...]

    def __call__(self, experts: Sequence[Logits]) -> Logits:
        """Return the sum ``(N, K)`` of the experts' logits, each ``(N, K)``."""
        total = sum(w * logits.astype(np.float64) for w, logits in zip(self.weights, experts, strict=True))
        return np.asarray(total + np.array(self.offset), np.float32)


def fit_blend(
    task: Task, experts: Sequence[Logits], targets: Floats, *, weights: npt.NDArray[np.floating] | None = None
) -> Blend:
    """Return the blend of experts that makes the likelihood of records they have not seen largest.

    A weak normal prior on the logarithm of each weight stands in where records are few.

    References
    ----------
    Wolpert. Stacked generalization. Neural Networks 5:241 (1992). doi:10.1016/S0893-6080(05)80023-1
    """
    z = torch.from_numpy(np.stack(experts)).double()  # (E, N, K)
    t = torch.from_numpy(task.encode(targets)).double()
    each = shares(weights, len(t))
    logs = torch.full((len(z),), -float(np.log(len(z))), dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(task.outputs, dtype=torch.float64, requires_grad=True)

    def loss() -> torch.Tensor:
        fit = (task.record_loss((z * logs.exp()[:, None, None]).sum(0) + offset, t) * each).sum()
        return fit + 0.5 * (logs / _DOUBT).square().sum() + 0.5 * offset.square().sum()

    minimize(loss, [logs, offset], steps=200)
    return Blend(tuple(logs.detach().exp().tolist()), tuple(offset.detach().tolist()))


def blended(
    task: Task,
    experts: Sequence[Logits],
    targets: Floats,
    fold: npt.NDArray[np.int64],
    *,
    weights: npt.NDArray[np.floating] | None = None,
) -> tuple[Logits, Blend]:
    """Return the blend of out-of-fold logits ``(N, K)``, each fold weighed by the others, and the blend of all."""

    def fitted(part: npt.NDArray[np.bool_]) -> Blend:
        share = None if weights is None else weights[part]
        return fit_blend(task, [logits[part] for logits in experts], targets[part], weights=share)

    whole = fitted(np.ones(len(fold), bool))
    folds = np.unique(fold)
    if len(folds) < 2:
        return whole(experts), whole
    out = np.zeros_like(experts[0])
    for f in folds:
        held = fold == f
        out[held] = fitted(~held)([logits[held] for logits in experts])
    return out, whole


def calibrated_on_folds(
    task: Task, own: Calibration, shared: Calibration, *, logits: Logits, targets: Floats
) -> Calibration | None:
    """Return the calibration of a network by that of standardized out-of-fold logits.

    None where the validation records contradict it, which means that they, or the network, are of another kind than
    the folds'.

    Parameters
    ----------
    own
        Calibration on the validation part.
    shared
        That of `pooled`.
    logits, targets
        The network's own logits ``(N, K)`` of validation records, and their targets.
    """
    first = standardizing(task, logits)
    layer = Calibration(task.outputs)
    layer.scale.copy_(first.scale * shared.scale)
    layer.bias.copy_(first.bias * shared.scale + shared.bias)
    truth, z = torch.from_numpy(task.encode(targets)), torch.from_numpy(logits)
    worse = task.record_loss(layer(z), truth).sum() - task.record_loss(own(z), truth).sum()
    return layer if float(worse) < _CONTRADICTION else None
