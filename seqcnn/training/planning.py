"""Planning: what kind of model to make of these records, found on the training part."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.dataset import Dataset, Raw, take
from seqcnn.data.splits import Parts, folds, split, split_groups
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import DataError, OptionError
from seqcnn.networks import options as network_options
from seqcnn.options import TrainOptions
from seqcnn.registry import resolve
from seqcnn.runtime import pick_device
from seqcnn.sequence import Sequences
from seqcnn.tasks import fit_task
from seqcnn.tasks.task import Task
from seqcnn.training.learner import CONVEX, Plan, knows_positions, learn, predict
from seqcnn.training.normalizing import choose_normalize
from seqcnn.training.precision import pick_precision
from seqcnn.training.progress import Progress
from seqcnn.training.schedule import recipe_for
from seqcnn.training.selection import Choice, Probes, Trial, choose_positions, choose_strands
from seqcnn.training.symmetry import MirrorTrial, choose_mirror, guess_loss

Indices = npt.NDArray[np.int64]

#: The network of each raw kind where no other is asked for.
DEFAULT_NETWORKS = {"codes": "motif", "pixels": "residual", "samples": "residual"}
#: Under so many pictures or series, random filters beat trained ones.
FEW_RECORDS = 2000
#: The short training that compares mirror images: steps, and one fold of so many is held out.
_MIRROR_STEPS, _MIRROR_FOLDS = 200, 5
#: Times the median that the longest record may have for a place to mean the same in most records.
_ONE_LENGTH = 2.0
#: Records that tell most sets apart from variants of one sequence.
_GLANCE = 1000
#: Share of the records of a short training that steers it.
_STEERING = 0.1
#: The short trainings that compare position-aware and position-free networks: steps and letters about, one fold of so
#: many is held out; so many records steer at most.
_TRIAL_STEPS, _TRIAL_LETTERS, _TRIAL_FOLDS, _TRIAL_STEERING = 300, 6_000_000, 5, 1000


def plan_training(
    data: Dataset, options: TrainOptions, parts: Parts, bar: Progress, *, longest: int = 0
) -> tuple[Plan, dict[str, Choice]]:
    """Return how the model is to be made, and how strands and positions were chosen.

    Only the training and validation parts are looked at. Records that come later have at most `longest` positions.

    Raises
    ------
    OptionError
        If an option does not suit the records or the network.
    """
    part = data.take(np.sort(np.concatenate([parts.train, parts.valid])))
    if data.task is None or data.targets is None:
        raise DataError("the records have no targets; pass two files, --negatives, or a table with --target")
    network = options.network
    if network == "auto":
        few = data.kind != "codes" and len(part) < FEW_RECORDS
        network = "rocket" if few and not _in_steps(options) else DEFAULT_NETWORKS[data.kind]
    task = fit_task(data.task, data.labels, data.targets[parts.train], data.task_options)
    _refuse_unsuited(options, network, task, data.kind)
    choices: dict[str, Choice] = {}
    if data.encoder == "series" and "normalize" not in data.settings:
        bar.start("comparing normalizations", 2)
        choices["normalize"] = choose_normalize(
            part, task, groups=split_groups(part), device=options.device, seed=options.seed
        )
        data = replace(data, settings={**data.settings, "normalize": choices["normalize"].chosen})
    plan = Plan(
        network=network,
        task=task,
        encoder=fit_encoder(data, parts.train),
        strands="forward",
        positions="free",
        width=1,
        groups=split_groups(data),
        options=options,
    )
    plan = replace(plan, width=_width(plan.encoder, max(longest, int(data.lengths.max()))))
    bar.start("comparing strands", 2)
    probes = Probes(part, plan.task, seed=options.seed)
    strands = _strands(plan, probes)
    alone = strands.chosen == "forward" and "span" in network_options(plan.network)
    plan = replace(plan, strands=strands.chosen, varying=varying(part.raw, plan.width) if alone else None)
    bar.start("comparing positions", 2)
    positions = _positions(plan, part, bar, probes=probes)
    plan = replace(plan, positions=positions.chosen)
    choices |= {"strands": strands, "positions": positions}
    if data.kind == "pixels" and not options.augment and options.strength and not _at_once(plan.network):
        choices["mirror"] = choose_mirror(_mirror_trial(plan, part, bar))
        plan = replace(plan, mirrored=choices["mirror"].chosen == "mirrored")
    return plan, choices


def varying(raw: Raw, width: int) -> tuple[int, int] | None:
    """Return the first and the end of the columns in which records differ, where these are variants of one sequence.

    That is where all have one length and agree in half the columns and more before and behind. Such columns tell
    nothing, and take most of the time.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> varying(Sequences.from_codes([encode(s, DNA) for s in ("ACGTACGT", "ACGaACGT", "ACGTCCGT")]), 8)
    (3, 5)
    """
    if not isinstance(raw, Sequences) or len(raw) < 2 or raw.lengths.min() != raw.lengths.max():
        return None
    codes = raw.buffer.reshape(len(raw), -1)
    found = None
    for part in (codes[:_GLANCE], codes):  # most are told by a few
        places = np.flatnonzero((part & ~np.uint8(SOFT_MASK) != codes[0] & ~np.uint8(SOFT_MASK)).any(0))
        if not len(places) or 2 * (places[-1] + 1 - places[0]) > codes.shape[1] or codes.shape[1] > width:
            return None
        found = int(places[0]), int(places[-1]) + 1
    return found


def _refuse_unsuited(options: TrainOptions, network: str, task: Task, kind: str) -> None:
    """Raise `OptionError` where an option would change nothing."""
    if network == "kmer" and kind != "codes":
        raise OptionError(
            f"--network kmer: belongs to sequences; pass --network {DEFAULT_NETWORKS[kind]}, or leave it out"
        )
    if _at_once(network):
        for name in _in_steps(options):
            raise OptionError(
                f"--{name}: the {network} network is fitted at once, with filters of its own; leave it out, or pass "
                f"--network {DEFAULT_NETWORKS[kind]}"
            )
    if options.label_smoothing and task.numeric:
        raise OptionError(f"--label-smoothing: belongs to classes; the task is {task.name}; leave it out")


def _at_once(network: str) -> bool:
    """Return whether a network is fitted at once, not trained in steps."""
    return network in CONVEX or bool(resolve("network", network).closed_form)


def _in_steps(options: TrainOptions) -> list[str]:
    """Return the options given that only a training in steps can obey."""
    asked = {
        "filters": options.filters, "augment": options.augment not in ((), ("none",)), "mixup": options.mixup,
        "cutmix": options.cutmix, "label-smoothing": options.label_smoothing,
        "show-augmented": options.show_augmented, "combine average": options.combine == "average",
    }  # fmt: skip
    return [name for name, value in asked.items() if value]


def fit_encoder(data: Dataset, train: Indices) -> Encoder:
    """Return the encoder that the data ask for, fitted on the records `train`."""
    settings = dict(data.settings)
    if data.kind == "codes":
        if data.alphabet is None:
            raise DataError("the sequences have no alphabet; pass --alphabet dna, rna or protein")
        settings["alphabet"] = data.alphabet.name
    kind: type[Encoder] = resolve("encoder", data.encoder)
    if kind.raw_kind != data.kind:
        raise DataError(f"--input {data.encoder}: reads {kind.raw_kind}; the records are {data.kind}")
    return kind.fit(take(data.raw, train), **settings)


def _width(encoder: Encoder, longest: int) -> int:
    """Return the columns of the widest image."""
    columns = encoder.columns(torch.tensor([longest]))
    return int(encoder.width or longest) if columns is None else int(columns[0])


def _strands(plan: Plan, probes: Probes) -> Choice:
    wanted = plan.options.strands
    if not plan.encoder.has_complement:
        if wanted == "both":
            raise OptionError("--strands both: these records have no other strand; pass forward")
        return Choice("forward", "there is no other strand", {})
    if wanted != "auto":
        return Choice(wanted, "given", {})
    return choose_strands(probes)


def _positions(plan: Plan, part: Dataset, bar: Progress, *, probes: Probes) -> Choice:
    wanted = plan.options.positions
    if not knows_positions(plan.network):
        if wanted != "auto":
            raise OptionError(f"--positions {wanted}: the {plan.network} network has no such choice; leave it out")
        return Choice("fixed", f"the {plan.network} network settles it", {})
    if not isinstance(part.raw, Sequences):
        if wanted == "aware":
            raise OptionError("--positions aware: belongs to sequences; leave it out, or pass --network lenet")
        return Choice("free", "these records are no sequences", {})
    if wanted != "auto":
        return Choice(wanted, "given", {})
    if part.lengths.max(initial=0) > _ONE_LENGTH * np.median(part.lengths):
        return Choice("free", "records of many lengths share no places", {})
    return choose_positions(probes, strands=plan.strands, trial=_trial(plan, part, bar))


def _trial(plan: Plan, part: Dataset, bar: Progress) -> Trial:
    """Return a short training with or without knowledge of place, giving held-out losses."""

    def losses(aware: bool) -> npt.NDArray[np.float64]:
        seed = plan.options.seed
        held = folds(part, _TRIAL_FOLDS, seed=seed) == 0
        rest, tested = np.flatnonzero(~held), part.take(np.flatnonzero(held))
        few = min(_STEERING, _TRIAL_STEERING / len(rest))
        inner = split(replace(part.take(rest), parts=None), valid=few, test=0, seed=seed)
        train, valid = rest[inner.train], rest[inner.valid]
        own = replace(plan, positions="aware" if aware else "free", groups=split_groups(part))
        size = recipe_for("codes", len(train), plan.options).batch_size
        steps = min(_TRIAL_STEPS, max(1, _TRIAL_LETTERS // (size * plan.width)))
        title = f"positions: {own.positions}"
        learned = learn(own, part, train=train, valid=valid, progress=bar, title=title, steps=steps)
        if learned.interrupted:
            raise KeyboardInterrupt
        precision = pick_precision(own.options.precision, pick_device(own.options.device))
        logits = torch.from_numpy(predict(own, learned, tested.raw, precision=precision))
        targets = np.zeros((0, 1)) if tested.targets is None else tested.targets
        return own.task.record_loss(logits, torch.from_numpy(own.task.encode(targets))).double().numpy()

    return losses


def _mirror_trial(plan: Plan, part: Dataset, bar: Progress) -> MirrorTrial:
    """Return a short training, giving held-out losses of pictures, of their mirror images, and of a guess."""

    def losses() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        seed = plan.options.seed
        held = folds(part, _MIRROR_FOLDS, seed=seed) == 0
        train, tested = np.flatnonzero(~held), part.take(np.flatnonzero(held))
        inner = split(replace(part.take(train), parts=None), valid=_STEERING, test=0, seed=seed)
        learned = learn(
            plan, part, train=train[inner.train], valid=train[inner.valid], progress=bar, title="mirror images",
            steps=_MIRROR_STEPS,
        )  # fmt: skip
        if learned.interrupted:
            raise KeyboardInterrupt
        encoded = plan.task.encode(np.zeros((0, 1)) if tested.targets is None else tested.targets)
        pixels = cast(npt.NDArray[Any], tested.raw)
        found = [
            plan.task.record_loss(torch.from_numpy(predict(plan, learned, raw)), torch.from_numpy(encoded))
            for raw in (pixels, np.ascontiguousarray(pixels[..., ::-1]))
        ]
        return found[0].double().numpy(), found[1].double().numpy(), guess_loss(plan.task, encoded)

    return losses


def chosen(choices: dict[str, Choice]) -> list[str]:
    """Return what was found by comparison, in sentences."""
    said = {
        "both": "strands: both are averaged",
        "forward": "strands: records are read as given",
        "aware": "positions: knowing the place in the record helps",
        "free": "positions: no clear gain from knowing the place in the record",
    }
    told = []
    for name, choice in choices.items():
        if name == "mirror" and "rise" not in choice.figures:
            told.append("mirror images: a short training explained nothing that they could spoil; none is used")
        elif name == "mirror":
            told.append(
                (
                    "mirror images mean the same: half of each batch is mirrored"
                    if choice.chosen == "mirrored"
                    else "mirror images mean something else: none is used"
                )
                + f" (held-out loss rises by {choice.figures['rise']:.1%} of what is explained)"
            )
        elif name == "normalize" and choice.how == "compared":
            told.append(
                (
                    "level and size of the series help: all are on one scale"
                    if choice.chosen == "set"
                    else "level and size of the series do not help: each is normalized by itself"
                )
                + f" (held-out error: record {choice.figures['record']:.4g}, set {choice.figures['set']:.4g})"
            )
        elif choice.how == "compared":
            losses = ", ".join(f"{name} {v:.4g}" for name, v in choice.figures.items() if name in said)
            told.append(
                f"{said[choice.chosen]} ({choice.figures['by']}, held-out loss: {losses}; z {choice.figures['z']:.1f})"
            )
    return told
