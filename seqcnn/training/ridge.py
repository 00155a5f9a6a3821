"""Networks whose linear layer alone is fitted: ridge regression, its strength by exact leave-one-out."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.batches import rectangle
from seqcnn.data.dataset import Dataset, lengths_of, take
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import DataError
from seqcnn.inference.features import features_of
from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.task import Task
from seqcnn.training.calibrate import fit_calibration

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
#: Strengths of the penalty that are tried, relative to the mean squared norm of the records.
STRENGTHS = tuple(float(10**power) for power in np.linspace(-3, 3, 13))
#: Scores of +1 and -1 become logits by this factor, which calibration then corrects.
_LOGITS = 4.0
#: Records that the network is shown to set its scales and biases.
_SHOWN = 128
#: Of a record longer than so many times the median, no more than that is shown.
_TIMES = 4


def fit_ridge(
    network: Any,
    encoder: Encoder,
    task: Task,
    data: Dataset,
    *,
    records: Indices,
    device: str,
    groups: Indices | None = None,
) -> tuple[Calibration, dict[str, float], npt.NDArray[np.float32]]:
    """Fit the linear layer of a network in place; return its calibration, what was chosen, and leave-one-out logits.

    Classes are fitted as +1 and -1, numbers as the task encodes them. Calibration rests on the leave-one-out scores,
    so no record has to be set aside.

    Parameters
    ----------
    network
        With ``fit_images``, ``fit_features``, ``plain``, and a linear layer ``out``.
    groups
        Of the records, ``(N,)``: what is held out together, such as duplicates.

    References
    ----------
    Rifkin & Lippert. Notes on regularized least squares. MIT-CSAIL-TR-2007-025.
    """
    x, truth, encoded, weights = _prepared(network, encoder, task, data, records=records, device=device)
    weight, bias, held_out, strength = ridge(x, truth, weights, groups=groups)
    factor = 1.0 if task.numeric else _LOGITS
    network.out.weight.data.copy_(torch.from_numpy(weight.T * factor))
    network.out.bias.data.copy_(torch.from_numpy(bias * factor))
    logits = (held_out * factor).astype(np.float32)
    calibration = fit_calibration(task, logits, encoded, weights=weights, weighted=False)
    return calibration, {"strength": strength, "features": x.shape[1]}, logits


def held_out_scores(
    network: Any,
    encoder: Encoder,
    task: Task,
    data: Dataset,
    *,
    records: Indices,
    device: str,
    groups: Indices | None = None,
) -> Matrix:
    """Return what a network fitted as `fit_ridge` does says of each record when it is left out, ``(N, K)``."""
    x, truth, _, weights = _prepared(network, encoder, task, data, records=records, device=device)
    return ridge(x, truth, weights, groups=groups)[2]


def held_out_errors(
    network: Any,
    encoder: Encoder,
    task: Task,
    data: Dataset,
    *,
    records: Indices,
    device: str,
    groups: Indices | None = None,
) -> Matrix:
    """Return the squared held-out error of each record, ``(N,)``, of a network fitted as `fit_ridge` does."""
    held_out = held_out_scores(network, encoder, task, data, records=records, device=device, groups=groups)
    return np.asarray(np.nansum((held_out - coded(task, _encoded(task, data, records))) ** 2, axis=1))


def _prepared(
    network: Any, encoder: Encoder, task: Task, data: Dataset, *, records: Indices, device: str
) -> tuple[Matrix, Matrix, npt.NDArray[np.float32], Matrix]:
    """Set a network's scales; return its features ``(N, F)``, the truth, the encoded targets and the weights."""
    encoded = _encoded(task, data, records)
    raw = take(data.raw, records)
    shown = np.unique(np.linspace(0, len(records) - 1, min(len(records), _SHOWN)).astype(np.int64))
    lengths = lengths_of(raw)[shown]
    usual = min(int(lengths.max()), _TIMES * int(np.median(lengths)))  # one very long record is not to fill the memory
    network.fit_images(*encoder.image(*rectangle(raw, shown, width=usual)))
    features = torch.from_numpy(features_of(encoder, network, raw, device=device, method="plain"))
    network.fit_features(features)
    x = ((features - network.offset) * network.weight).double().numpy()
    weights = np.ones(len(x)) if data.weights is None else data.weights[records]
    return x, coded(task, encoded), encoded, weights


def _encoded(task: Task, data: Dataset, records: Indices) -> npt.NDArray[np.float32]:
    if data.targets is None:
        raise DataError("the records have no targets")
    return task.encode(data.targets[records])


def coded(task: Task, encoded: npt.NDArray[np.float32]) -> Matrix:
    """Return what the linear layer is to give, ``(N, K)``; NaN where unknown."""
    if task.numeric:
        return encoded.astype(np.float64)
    if task.name == "multiclass":
        known = np.isfinite(encoded)
        return np.where(known, 2.0 * (np.nan_to_num(encoded) == np.arange(task.outputs)) - 1, np.nan)
    return 2.0 * encoded.astype(np.float64) - 1


def ridge(
    x: Matrix, truth: Matrix, weights: Matrix, *, groups: Indices | None = None
) -> tuple[Matrix, Matrix, Matrix, float]:
    """Return weights ``(F, K)``, bias ``(K,)``, leave-one-out predictions ``(N, K)`` and the strength chosen.

    Records of one group are left out together, exactly.

    Parameters
    ----------
    x
        Features ``(N, F)``.
    truth
        ``(N, K)``; NaN is unknown and counts as the mean.
    weights
        Of the records, ``(N,)``.
    groups
        Group of each record, ``(N,)``; None for each its own.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(40, 90))
    >>> weight, bias, held_out, strength = ridge(x, x[:, :1] * 2 + 1, np.ones(40))
    >>> bool(np.corrcoef(x @ weight[:, 0] + bias, x[:, 0])[0, 1] > 0.9)
    True
    """
    from scipy.linalg import eigh

    known = np.isfinite(truth)
    share = weights / weights.sum()
    weighed = share[:, None] * known
    mean_t = np.where(known, truth, 0).T @ share / np.maximum(weighed.sum(0), 1e-12)
    mean_x = share @ x
    counted = weights > 0  # the others are as if they were not there
    root = np.sqrt(weights / weights[counted].mean())[:, None]
    t, centered = np.where(known, truth - mean_t, 0) * root, (x - mean_x) * root
    few = len(x) <= x.shape[1]
    values, vectors = eigh(centered @ centered.T if few else centered.T @ centered)
    values = values.clip(0)
    left = vectors if few else centered @ vectors / np.sqrt(values.clip(1e-12))
    unit = max(values.sum() / counted.sum(), 1e-12)  # records may all be alike
    best: tuple[float, float, Matrix] | None = None
    inner = left.T @ t
    together = [] if groups is None else [rows for rows in _members(groups) if len(rows) > 1]
    for strength in STRENGTHS:
        shrink = values / (values + strength * unit)
        fitted = left @ (shrink[:, None] * inner)
        lever = ((left**2) @ shrink + share).clip(max=1 - 1e-9)
        rest = (t - fitted) / (1 - lever)[:, None]
        for rows in together:
            hat = (left[rows] * shrink) @ left[rows].T + np.sqrt(np.outer(share[rows], share[rows]))
            rest[rows] = np.linalg.solve((1 + 1e-9) * np.eye(len(rows)) - hat, (t - fitted)[rows])
        error = float((rest**2 * known).mean())
        if best is None or error < best[0]:
            best = error, strength, (t - rest) / np.where(root > 0, root, 1) + mean_t
    if best is None:
        raise ValueError("ridge: no strength to try")
    penalty = best[1] * unit
    inverse = 1 / (values + penalty)[:, None]
    weight = centered.T @ (left @ (inner * inverse)) if few else vectors @ (vectors.T @ (centered.T @ t) * inverse)
    bias = mean_t - mean_x @ weight
    held_out = np.where(root > 0, best[2], x @ weight + bias)  # records of no weight were left out anyway
    return weight, bias, held_out, best[1]


def _members(groups: Indices) -> list[Indices]:
    """Return the records of each group."""
    order = np.argsort(groups, kind="stable")
    return list(np.split(order, np.flatnonzero(np.diff(groups[order])) + 1))
