"""One model from one set of training records: the network made, seeded and trained, or fitted at once."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.augmentation import Augmentation
from seqcnn.data.dataset import Dataset, Raw
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.networks import Network, create, options
from seqcnn.nn.calibration import Calibration
from seqcnn.options import TrainOptions
from seqcnn.registry import resolve
from seqcnn.runtime import pick_device, seeded
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Task
from seqcnn.training.convex import Baseline, fit_composition, fit_kmer
from seqcnn.training.loop import Fit, fit
from seqcnn.training.progress import Progress
from seqcnn.training.schedule import Recipe, recipe_for
from seqcnn.training.seeding import seed_filters

Indices = npt.NDArray[np.int64]
#: Networks that are fitted at once, not trained in steps.
CONVEX = ("composition", "kmer")


@dataclass(frozen=True)
class Plan:
    """How a model is made, settled before any record is looked at.

    Parameters
    ----------
    network, strands, positions
        As chosen: names, not ``auto``.
    task, encoder
        Of the model; the encoder is a module that follows `seqcnn.encode.encoder.Encoder`.
    width
        Longest record that must be read.
    groups
        Group of each record, ``(N,)``: relatives share one.
    options
        Of the verb.
    """

    network: str
    task: Task
    encoder: Any
    strands: str
    positions: str
    width: int
    groups: Indices
    options: TrainOptions


@dataclass(frozen=True)
class Learned:
    """A model's parts, and how they came to be."""

    network: Network
    calibration: Calibration
    history: tuple[dict[str, Any], ...] = ()
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


def knows_positions(network: str) -> bool:
    """Return whether a network can be built with and without knowledge of place.

    >>> knows_positions("motif"), knows_positions("lenet")
    (True, False)
    """
    return "positions" in options(network)


def learn(
    plan: Plan,
    data: Dataset,
    *,
    train: Indices,
    valid: Indices,
    progress: Progress | None = None,
    title: str = "training",
    steps: int | None = None,
) -> Learned:
    """Return what is learned from the records `train`, steered by the records `valid`.

    Parameters
    ----------
    steps
        About how many steps to take, where they are to be few; None as the recipe says.
    """
    if plan.network in CONVEX:
        both = np.sort(np.concatenate([train, valid]))
        baseline = fit_baseline(plan, data, both, plan.network)
        details = {"fit": baseline.choice}
        return Learned(baseline.network, Calibration(plan.task.outputs), notes=baseline.notes, details=details)
    seed = plan.options.seed
    settings = {"positions": plan.positions == "aware"} if knows_positions(plan.network) else {}
    encoder = plan.encoder
    with seeded(seed):
        network = create(
            plan.network,
            in_channels=encoder.channels,
            outputs=plan.task.outputs,
            height=encoder.height,
            width=plan.width,
            **settings,
        )
    seeds = 0
    if plan.network == "motif" and data.alphabet is not None and network.filters is not None:
        seeds = seed_filters(
            network.filters, plan.task, data.take(train), alphabet=data.alphabet, strands=plan.strands, seed=seed
        )
    recipe = recipe_for(data.kind, len(train), plan.options, positions=plan.positions == "aware", steps=steps)
    found: Fit = fit(
        network,
        encoder,
        plan.task,
        data,
        train=train,
        valid=valid,
        recipe=recipe,
        strands=plan.strands,
        augmentations=augmentations(plan, network, recipe),
        device=plan.options.device,
        precision=plan.options.precision,
        seed=seed,
        progress=progress,
        title=title,
    )
    described = {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "lr": found.recipe.lr,
        "weight_decay": recipe.weight_decay,
        "precision": found.precision,
        "best_epoch": found.best_epoch,
        "seeded_motifs": seeds,
    }
    return Learned(network, found.calibration, found.history, found.interrupted, found.notes, described)


def predict(plan: Plan, learned: Learned, raw: Raw) -> Logits:
    """Return calibrated logits ``(N, K)`` of raw records."""
    logits = predict_logits(
        plan.encoder, learned.network, raw, strands=plan.strands, device=pick_device(plan.options.device)
    )
    return np.asarray(learned.calibration(torch.from_numpy(logits)).numpy(), np.float32)


def augmentations(plan: Plan, network: Network, recipe: Recipe) -> tuple[Augmentation, ...]:
    """Return the random changes that leave the meaning of these records alone."""
    if plan.encoder.raw_kind == "pixels":
        return (resolve("augmentation", "jitter")(recipe.shift),)
    changes: list[Augmentation] = []
    if plan.strands == "both":
        changes.append(resolve("augmentation", "reverse_complement")(plan.encoder))
    if network.fixed_width is None and recipe.shift:
        changes.append(resolve("augmentation", "shift")(recipe.shift, shortest=network.minimum_width))
    return tuple(changes)


def fit_baseline(plan: Plan, data: Dataset, records: Indices, name: str) -> Baseline:
    """Return a baseline, ``composition`` or ``kmer``, fitted on `records`."""
    part = data.take(records)
    targets = cast(npt.NDArray[np.float64], part.targets)
    groups, seed, task = plan.groups[records], plan.options.seed, cast(Any, plan.task)
    if name == "kmer" and isinstance(part.raw, Sequences) and part.alphabet is not None:
        return fit_kmer(
            part.raw,
            targets,
            task=task,
            alphabet=part.alphabet,
            strands=plan.strands,
            groups=groups,
            seed=seed,
        )
    return fit_composition(part.raw, targets, task=task, encoder=plan.encoder, groups=groups, seed=seed)
