"""One model from one set of training records: the network made, seeded and trained, or fitted at once."""

from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.augmentation.augmentation import Augmentation, make
from seqcnn.data.dataset import Dataset, Raw
from seqcnn.errors import DataError, OptionError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.networks import Network, create, options
from seqcnn.nn.calibration import Calibration
from seqcnn.options import TrainOptions
from seqcnn.runtime import pick_device, seeded
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Task
from seqcnn.training.convex import Baseline, fit_composition, fit_kmer
from seqcnn.training.first_layer import placed
from seqcnn.training.kernel import Kernel, fit_kernel
from seqcnn.training.loop import Fit, fit
from seqcnn.training.progress import Progress
from seqcnn.training.ridge import fit_ridge
from seqcnn.training.schedule import recipe_for
from seqcnn.training.seeding import Seeded, seed_filters

Indices = npt.NDArray[np.int64]
#: Networks that are fitted at once, not trained in steps.
CONVEX = ("composition", "kmer")
#: An amino acid costs as much as so many nucleotides: the first layer has five times as many channels, the rest not.
_AMINO_ACID = 2.0
#: The changes of each raw kind where none are named, if the records allow them.
DEFAULT_AUGMENTATIONS = {"codes": ("reverse_complement", "shift"), "samples": (), "pixels": ("shift", "flip")}


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
    mirrored
        Whether a picture means the same left to right.
    varying
        Of variants of one sequence the columns in which they differ, first and end, if the network can read them alone.
    """

    network: str
    task: Task
    encoder: Any
    strands: str
    positions: str
    width: int
    groups: Indices
    options: TrainOptions
    mirrored: bool = False
    varying: tuple[int, int] | None = None

    @property
    def aware(self) -> bool:
        """Whether the network knows where in a record it is."""
        return self.positions == "aware"

    @property
    def span(self) -> tuple[int, int] | None:
        """Columns that are read, first and end; None for all, as where places do not matter."""
        return self.varying if self.aware else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is not read."""
        if self.span is None:
            return ()
        first, end = self.span
        return (f"only letters {first + 1} to {end} of {self.width} differ between records: no other is read",)


@dataclass(frozen=True)
class HeldOut:
    """Logits ``(n, K)``, before calibration, of the records at `rows` of the data, from which no weight was learned."""

    rows: Indices
    logits: Logits


@dataclass(frozen=True)
class Learned:
    """A model's parts, and how they came to be.

    `held_out` are the validation records, or all where each was left out in turn; None where there are none.
    """

    network: Network
    calibration: Calibration
    history: tuple[dict[str, Any], ...] = ()
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    held_out: HeldOut | None = None

    @property
    def validation(self) -> HeldOut | None:
        """The validation records, which stopped the training and set its calibration; None of a fit at once."""
        return None if self.network.closed_form else self.held_out


def knows_positions(network: str) -> bool:
    """Return whether a network can be built with and without knowledge of place.

    >>> knows_positions("motif"), knows_positions("lenet")
    (True, False)
    """
    return "positions" in options(network)


def columns_read(plan: Plan, lengths: Indices) -> float:
    """Return how many columns are read of records of `lengths`, on average."""
    return float(lengths.mean()) if plan.span is None else float(plan.span[1] - plan.span[0])


def letter_cost(plan: Plan) -> float:
    """Return how many times as long a letter takes as one of DNA does; that its place counts is paid for elsewhere."""
    return 1.0 if plan.encoder.has_complement or plan.aware else _AMINO_ACID


def learn(
    plan: Plan,
    data: Dataset,
    *,
    train: Indices,
    valid: Indices,
    progress: Progress | None = None,
    title: str = "training",
    steps: int | None = None,
    network: Network | None = None,
) -> Learned:
    """Return what is learned from the records `train`, steered by the records `valid`.

    Parameters
    ----------
    steps
        About how many steps to take, where they are to be few; None as the recipe says.
    network
        As `build` made it, where several learn side by side; None for making it here.
    """
    if plan.network in CONVEX:
        both = np.sort(np.concatenate([train, valid]))
        baseline = fit_baseline(plan, data, both, plan.network)
        details = {"fit": baseline.choice}
        return Learned(baseline.network, Calibration(plan.task.outputs), notes=baseline.notes, details=details)
    alone, encoder, seed = network is None, plan.encoder, plan.options.seed
    network = build(plan) if network is None else network
    if network.closed_form:
        if progress is not None:
            progress.start(title, 1)
        both = np.sort(np.concatenate([train, valid]))
        calibration, chosen, logits = fit_ridge(
            network, encoder, plan.task, data, records=both, groups=plan.groups[both], device=plan.options.device
        )
        return Learned(network, calibration, details={"fit": chosen}, held_out=HeldOut(both, logits))
    seeded_with = sown(plan, network, data.take(train)) if plan.network == "motif" else None
    recipe = recipe_for(
        data.kind,
        len(train),
        plan.options,
        positions=plan.aware,
        variants=plan.span is not None,
        steps=steps,
        length=columns_read(plan, data.lengths[train]) * letter_cost(plan),
    )
    held = placed(
        network, plan.options.filters, alphabet=data.alphabet, frozen=plan.options.frozen, called=plan.network
    )
    with held as fixed:
        found: Fit = fit(
            network,
            encoder,
            plan.task,
            data,
            train=train,
            valid=valid,
            recipe=recipe,
            strands=plan.strands,
            augmentations=augmentations(plan, network),
            device=plan.options.device,
            precision=plan.options.precision,
            seed=seed,
            progress=progress,
            title=title,
            alone=alone,
        )
    described = {
        **described_fit(found, seeded_with, network),
        "augment": [name if isinstance(name, str) else name.__name__ for name in augmentation_names(plan, network)],
        "fixed_filters": fixed,
    }
    held_out = HeldOut(valid, found.logits) if len(valid) else None
    return Learned(network, found.calibration, found.history, found.interrupted, found.notes, described, held_out)


def sown(plan: Plan, network: Network, part: Dataset) -> Seeded | None:
    """Return what the first filters start as, grown from words enriched in training records; None without filters."""
    if part.alphabet is None or network.filters is None:
        return None
    return seed_filters(
        network.filters, plan.task, part, alphabet=part.alphabet, strands=plan.strands, seed=plan.options.seed
    )


def described_fit(found: Fit, seeded_with: Seeded | None, network: Network) -> dict[str, Any]:
    """Return what the record says of a training in steps, and of how far it moved filters that were seeded."""
    recipe = found.recipe
    return {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "lr": recipe.lr,
        "weight_decay": recipe.weight_decay,
        "precision": found.precision,
        "best_epoch": found.best_epoch,
        **({} if seeded_with is None else seeded_with.told(network.filters)),
    }


def build(plan: Plan) -> Network:
    """Return the network before it has learned, the same for the same seed."""
    seed = plan.options.seed
    settings: dict[str, Any] = {"positions": plan.aware} if knows_positions(plan.network) else {}
    settings |= {} if plan.span is None else {"span": plan.span}
    if "padded" in options(plan.network) and not plan.encoder.has_complement:
        settings["padded"] = True  # a protein begins where it begins, a window anywhere
    settings |= {"seed": seed} if "seed" in options(plan.network) else {}
    with seeded(seed):
        return create(
            plan.network,
            in_channels=plan.encoder.channels,
            outputs=plan.task.outputs,
            height=plan.encoder.height,
            width=plan.width,
            **settings,
        )


def predict(
    plan: Plan, learned: Learned, raw: Raw, *, calibration: Calibration | None = None, precision: str = "32"
) -> Logits:
    """Return logits ``(N, K)`` of raw records, calibrated as was learned or by another layer."""
    layer = learned.calibration if calibration is None else calibration
    logits = uncalibrated(plan, learned.network, raw, precision)
    return np.asarray(layer(torch.from_numpy(logits)).numpy(), np.float32)


def uncalibrated(plan: Plan, network: Network, raw: Raw, precision: str = "32") -> Logits:
    """Return the network's own logits ``(N, K)`` of raw records."""
    device = pick_device(plan.options.device)
    return predict_logits(plan.encoder, network, raw, strands=plan.strands, device=device, precision=precision)


def augmentation_names(plan: Plan, network: Network) -> tuple[Any, ...]:
    """Return the random changes asked for, or those that leave the meaning of these records alone.

    Raises
    ------
    OptionError
        If one shifts what the network reads by place.
    """
    wanted, kind = plan.options.augment, plan.encoder.raw_kind
    places = kind != "pixels" and network.fixed_width is not None and plan.encoder.width is None
    if wanted == ("none",) or network.closed_form:
        return ()
    whole = kind == "codes" and not plan.encoder.has_complement  # a protein begins where it begins, a window anywhere
    if wanted:
        if places and "shift" in wanted:
            raise OptionError(f"--augment shift: the {plan.network} network reads by place; leave it out")
        return wanted
    return tuple(
        name
        for name in DEFAULT_AUGMENTATIONS[kind]
        if not (name == "reverse_complement" and plan.strands != "both")
        and not (name == "shift" and (places or whole))
        and not (name == "flip" and not plan.mirrored)
    )


def augmentations(plan: Plan, network: Network) -> tuple[Augmentation, ...]:
    """Return the random changes of training batches; `OptionError` if one does not suit the records."""
    shortest = network.minimum_width if plan.encoder.width is None else 1
    return tuple(
        make(name, plan.options.strength, encoder=plan.encoder, shortest=shortest)
        for name in augmentation_names(plan, network)
    )


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


def fit_likeness(plan: Plan, data: Dataset, records: Indices) -> Kernel:
    """Return a kernel machine fitted on `records`; `DataError` of others than sequences with targets."""
    part = data.take(records)
    if not isinstance(part.raw, Sequences) or part.alphabet is None or part.targets is None:
        raise DataError("a kernel machine compares sequences whose targets are known")
    return fit_kernel(
        part.raw, part.targets, task=plan.task, alphabet=part.alphabet, strands=plan.strands,
        groups=plan.groups[records], seed=plan.options.seed,
    )  # fmt: skip
