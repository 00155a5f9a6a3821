"""What each motif is worth to the network, by what is lost without it and what it tells alone; where it stands."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError
from seqcnn.model.evaluation import aligned_targets, trained_on
from seqcnn.model.model import Model
from seqcnn.motifs.activations import Activated, FirstLayer
from seqcnn.sequence import Sequences

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Records on which motifs are weighed, and on which those worth weighing are chosen first.
WEIGHED: Final = 1500
GLANCED: Final = 300
#: Fewest held-out records of each class that are enough.
ENOUGH: Final = 50
#: Weight of the belief that offsets are near 0 and scales near 1, against a mean loss.
_PRIOR: Final = 1e-5
#: Bins of the histogram of positions.
BINS: Final = 20


@dataclass(frozen=True)
class Sample:
    """The records on which motifs are weighed.

    Parameters
    ----------
    indices
        Rows of the data, ``(n,)``.
    targets
        As the task encodes them, ``(n, T)`` float32.
    groups
        Name to the membership of each record, ``(n,)`` bool: classes, labels, or halves of the first target.
    strata
        Class of each record; the importance is the mean of the classes' means. ``(n,)``.
    held_out
        Whether no record was trained on.
    """

    indices: Integers
    targets: npt.NDArray[np.float32]
    groups: dict[str, npt.NDArray[np.bool_]]
    strata: Integers
    held_out: bool


def sample(model: Model, data: Dataset, *, seed: int, size: int = WEIGHED) -> Sample:
    """Draw the records on which motifs are weighed: equally many a class, held-out ones where there are enough.

    Raises
    ------
    DataError
        If the data have no targets.
    """
    if data.targets is None:
        raise DataError("motifs are weighed by what the model loses without them; the data need targets or negatives")
    targets = aligned_targets(model, data)
    known = np.isfinite(targets).any(1)
    fresh = known & ~trained_on(model, data)
    classed = model.task.name in ("binary", "multiclass")
    classes = np.where(known, targets[:, 0], -1).astype(np.int64) if classed else np.zeros(len(targets), np.int64)
    levels = np.unique(classes[known])
    held_out = all((classes[fresh] == level).sum() >= ENOUGH for level in levels)
    usable = fresh if held_out else known
    rng = np.random.default_rng(seed)
    picked = [
        rng.permutation(np.flatnonzero(usable & (classes == level)))[: max(1, size // len(levels))] for level in levels
    ]
    indices = np.sort(np.concatenate(picked))
    chosen = targets[indices]
    if classed:
        groups = {label: chosen[:, 0] == i for i, label in enumerate(model.labels)}
    elif model.task.name == "multilabel":
        groups = {label: chosen[:, i] == 1 for i, label in enumerate(model.labels)}
    else:
        upper = chosen[:, 0] > np.nanmedian(chosen[:, 0])
        groups = {"lower half": ~upper, "upper half": upper}
    return Sample(indices, np.asarray(model.task.encode(chosen), np.float32), groups, classes[indices], held_out)


@dataclass(frozen=True)
class Weights:
    """What the motifs are worth, in the order they were given.

    Parameters
    ----------
    importance, error
        Mean over records of what a motif is worth in loss, and its standard error, ``(M,)``.
    shares
        Share of each group's records that hold the motif, ``(M, groups)``.
    holders
        How many of the weighed records hold the motif, ``(M,)``.
    positions
        Histogram of the best site's middle along the record, ``(M, groups, BINS)``.
    effects
        Mean rise of each output's logit in records that hold the motif, ``(M, K)``.
    """

    importance: Floats
    error: Floats
    shares: Floats
    holders: Integers
    positions: Integers
    effects: Floats


def weigh(
    layer: FirstLayer,
    model: Model,
    raw: Sequences,
    *,
    chosen: Sample,
    motifs: list[tuple[int, ...]],
    mean: Floats,
    cutoff: Floats,
) -> Weights:
    """Weigh motifs in one pass over the chosen records: one batch at a time, every motif silenced in turn.

    A motif is worth the mean of what the loss rises when it is silenced and of what it falls, all being silenced, when
    it alone is not: the last and the first step of the ways in which motifs can be added one after another, whose mean
    is its Shapley value. Either by itself misleads: of what several filters know in their own ways, no one is missed;
    what a motif adds to others only, it cannot tell alone.

    A silenced motif gives no record a peak, so all logits shift alike, and a loss would blame any filter for that;
    and a model that is too sure of a few records would seem better without what made it sure. The model is therefore
    calibrated anew (scale and offset), with and without the motif: what counts is what it tells apart.

    Parameters
    ----------
    layer, model, raw
        The network, its task and calibration, the records.
    chosen
        From `sample`.
    motifs
        The filters of each; they are silenced together.
    mean
        Mean activation of each filter, put in its place, ``(F,)``.
    cutoff
        Activation above which a filter's site counts, ``(F,)``.

    References
    ----------
    Covert, Lundberg, Lee. Understanding global feature contributions with additive importance measures. NeurIPS (2020).
    arXiv:2004.00668
    """
    n, m = len(chosen.indices), len(motifs)
    place = {int(row): i for i, row in enumerate(chosen.indices)}
    holds, middle = np.zeros((n, m), bool), np.zeros((n, m))
    found = torch.zeros((2 + 2 * m, n, model.task.outputs))  # as it is, without each, with nothing, with each alone
    calibration = _copy(model.calibration, layer.place)
    silent = torch.from_numpy(mean).float().to(layer.place)
    limit = torch.from_numpy(cutoff).float().to(layer.place)

    def logits(batch: Activated, maps: list[torch.Tensor]) -> torch.Tensor:
        parts = [batch.network.forward_with_gathered(one, batch.known) for one in maps]
        return calibration(torch.stack(parts).mean(0)).cpu()  # type: ignore[no-any-return]

    def measure(batch: Activated) -> None:
        rows = np.array([place[int(r)] for r in batch.records])
        best, middles = _strengths(batch, limit, layer.width)
        every = [batch.network.gather(a, batch.known) for a in batch.strands]
        none = batch.network.gather(silent[:, None, None] * batch.inside[:, None, None], batch.known)
        found[0, rows], found[1 + m, rows] = logits(batch, every), logits(batch, [none] * len(every))
        for j, filters in enumerate(motifs):
            channels = list(filters)
            without, alone = [maps.clone() for maps in every], [none.clone() for _ in every]
            for less, more, maps in zip(without, alone, every, strict=True):
                less[:, channels], more[:, channels] = none[:, channels], maps[:, channels]
            found[1 + j, rows], found[2 + m + j, rows] = logits(batch, without), logits(batch, alone)
            top, which = best[:, channels].max(1)
            holds[rows, j] = (top > 1).cpu().numpy()
            middle[rows, j] = middles[:, channels].gather(1, which[:, None])[:, 0].cpu().numpy()

    for _ in layer.each(raw, chosen.indices, measure):
        pass  # each batch writes the rows of its own records
    losses = _losses(model, recalibrated(model, found, chosen), chosen).numpy()
    worth = (losses[1 : 1 + m] - losses[0] + losses[1 + m] - losses[2 + m :]) / 2
    moved = (found[:1] - found[1 : 1 + m]).permute(1, 0, 2).double().numpy()
    return _summary(chosen, worth.T, holds, middle=middle, moved=moved)


def recalibrated(model: Model, logits: torch.Tensor, chosen: Sample) -> torch.Tensor:
    """Return logits ``(V, n, K)`` of V variants of the model, each scaled and shifted to its least mean loss.

    Each output has an offset and a positive scale of its own; those of several classes share one scale, and numbers
    (regression) keep theirs. Classes weigh the same. A weak normal prior stands in where records are separated
    perfectly.
    """
    logits = logits.double()
    logits = logits - logits.mean(1, keepdim=True)
    _, stratum, sizes = np.unique(chosen.strata, return_inverse=True, return_counts=True)
    share = torch.from_numpy(1 / (len(sizes) * sizes[stratum]))
    variants, _, outputs = logits.shape
    scaled = {"regression": 0, "multiclass": 1}.get(model.task.name, outputs)
    offset = torch.zeros(variants, 1, outputs, dtype=torch.float64, requires_grad=True)
    log_scale = torch.zeros(variants, 1, max(1, scaled), dtype=torch.float64, requires_grad=scaled > 0)
    parameters = [offset, log_scale] if scaled else [offset]
    solver = torch.optim.LBFGS(parameters, max_iter=200, tolerance_change=1e-12, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        solver.zero_grad()
        loss = (_losses(model, logits * log_scale.exp() + offset, chosen) * share).sum()
        loss = loss + _PRIOR * sum((parameter**2).sum() for parameter in parameters)
        torch.autograd.backward(loss)
        return loss

    with torch.enable_grad():
        solver.step(closure)  # type: ignore[no-untyped-call]
    return (logits * log_scale.exp() + offset).detach()


def _losses(model: Model, logits: torch.Tensor, chosen: Sample) -> torch.Tensor:
    """Return the loss of each record for each variant, ``(V, n)``."""
    targets = torch.from_numpy(chosen.targets).double().repeat(len(logits), 1)
    return model.task.record_loss(logits.flatten(0, 1), targets).reshape(logits.shape[:2])


def _strengths(batch: Activated, limit: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return each filter's best activation as a multiple of its cut-off, and where it stands (0 to 1), ``(n, F)``."""
    best, where = None, None
    for strand, activations in enumerate(batch.strands):
        value, cell = activations[:, :, 0].masked_fill(~batch.inside[:, None], -torch.inf).max(-1)
        spot = (cell - batch.pad + width / 2) / batch.sizes[:, None]
        spot = 1 - spot if strand else spot
        if best is None or where is None:
            best, where = value, spot
        else:
            where = torch.where(value > best, spot, where)
            best = torch.maximum(value, best)
    if best is None or where is None:
        raise DataError("no strand was read")
    return torch.where(limit > 0, best / limit.clamp(min=1e-30), torch.zeros_like(best)), where


def _summary(
    chosen: Sample,
    worth: Floats,
    holds: npt.NDArray[np.bool_],
    *,
    middle: Floats,
    moved: Floats,
) -> Weights:
    """Return means over records of what was measured in each."""
    m = worth.shape[1]
    means, variances = [], []
    for level in np.unique(chosen.strata):
        part = worth[chosen.strata == level]
        means.append(part.mean(0))
        variances.append(part.var(0, ddof=1) / len(part) if len(part) > 1 else np.full(m, np.inf))
    groups = list(chosen.groups.values())
    shares = np.stack([holds[g].mean(0) if g.any() else np.full(m, np.nan) for g in groups], 1)
    bins = np.clip((middle * BINS).astype(np.int64), 0, BINS - 1)
    positions = np.zeros((m, len(groups), BINS), np.int64)
    for k, group in enumerate(groups):
        for j in range(m):
            positions[j, k] = np.bincount(bins[group & holds[:, j], j], minlength=BINS)
    held = np.maximum(holds.sum(0), 1)[:, None]
    effects = (moved * holds[:, :, None]).sum(0) / held
    return Weights(
        np.mean(means, 0), np.sqrt(np.sum(variances, 0)) / len(means), shares, holds.sum(0), positions, effects
    )


def _copy(module: Any, place: torch.device) -> Any:
    from copy import deepcopy

    return deepcopy(module).to(place).eval()
