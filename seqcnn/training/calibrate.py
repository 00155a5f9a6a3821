"""Calibration: a scale and an offset of the logits, fitted on validation records."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.task import Task

#: Spread of what is believed of the offsets before any record is seen; that of the log-scale is 1.
_OFFSET_SPREAD = 2.0


def fit_calibration(
    task: Task,
    logits: npt.NDArray[np.float32],
    targets: npt.NDArray[np.float32],
    *,
    weights: npt.NDArray[np.floating] | None = None,
    weighted: bool = True,
    taught: bool = False,
) -> Calibration:
    """Return the layer that makes the likelihood of the validation records largest.

    Platt's scaling for binary and multilabel tasks; for a multiclass task one temperature and an offset a class. A
    weak normal prior (scale 1, offsets that undo the class weights) stands in where records are few, so a perfectly
    separated or an empty validation part still gives finite numbers, and the order of scores is never turned around.
    Numbers (regression) are left as they are.

    Parameters
    ----------
    logits
        Of validation records, ``(N, K)``.
    targets
        As `Task.encode` gives them, ``(N, T)``.
    weights
        Of the records, ``(N,)``; only their ratios matter.
    weighted
        Whether the network was trained with the task's class weights.
    taught
        Whether the targets are the logits of a teacher ``(N, K)``, from whom the layer brings a student least far.

    References
    ----------
    Platt (1999), Advances in Large Margin Classifiers. Guo et al. (2017), arXiv:1706.04599.
    """
    layer = Calibration(task.outputs)
    if task.numeric:
        return layer
    expected = torch.tensor(task.prior_shift, dtype=torch.float64) * float(weighted)
    z, t = torch.from_numpy(logits).double(), torch.from_numpy(targets).double()
    each = shares(weights, len(logits))
    log_scale = torch.zeros(1 if task.name == "multiclass" else task.outputs, dtype=torch.float64, requires_grad=True)
    offset = torch.zeros(task.outputs, dtype=torch.float64, requires_grad=True)

    far = task.divergence if taught else task.record_loss

    def loss() -> torch.Tensor:
        fit = (far(z * log_scale.exp() + expected + offset, t) * each).sum()
        return fit + 0.5 * (log_scale**2).sum() + 0.5 * ((offset / _OFFSET_SPREAD) ** 2).sum()

    minimize(loss, [log_scale, offset], steps=100)
    layer.scale.copy_(log_scale.detach().exp().expand(task.outputs))
    layer.bias.copy_(expected + offset.detach())
    return layer


def shares(weights: npt.NDArray[np.floating] | None, n: int) -> torch.Tensor:
    """Return how much each of n records counts, ``(n,)`` with a mean of 1 over those that count at all."""
    share = np.ones(n) if weights is None else np.asarray(weights, np.float64)
    return torch.from_numpy(share / share[share > 0].mean() if share.any() else share)


def minimize(loss: Callable[[], torch.Tensor], parameters: list[torch.Tensor], *, steps: int) -> None:
    """Move the parameters to where a smooth loss of theirs is least (L-BFGS), in at most so many steps."""
    solver = torch.optim.LBFGS(parameters, max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        value = loss()
        torch.autograd.backward(value)
        return value

    with torch.enable_grad():
        solver.step(closure)  # type: ignore[no-untyped-call]
