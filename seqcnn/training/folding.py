"""Out-of-fold predictions: every record by a model that saw neither it nor its relatives."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.dataset import Dataset, Raw
from seqcnn.data.relatives import kin
from seqcnn.data.splits import split
from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.networks import Network
from seqcnn.nn.calibration import Calibration
from seqcnn.runtime import compute_alone, pick_device, seeded, threads
from seqcnn.sequence import Sequences
from seqcnn.tasks import fit_task
from seqcnn.training.convex import Baseline
from seqcnn.training.learner import Learned, Plan, build, fit_baseline, fit_likeness, learn, predict
from seqcnn.training.pooling import Blend, blended, pooled, standardizing
from seqcnn.training.progress import Progress, Shared
from seqcnn.training.replicas import workers

Indices = npt.NDArray[np.int64]

#: Share of the records of the other folds that steers a model.
_STEERING = 0.1
#: Seeds are below this.
_SEEDS = 2**32


@dataclass(frozen=True)
class Fold:
    """One fold, and the model that learned from the others.

    Parameters
    ----------
    number
        From 0.
    plan, learned
        How the model was made (its task is fitted on its own records, unless numbers are averaged), and its network and
        calibration.
    train, valid, held
        Rows of the data that it learned from, that steered it, and that it never saw.
    scale
        What brings the logits of all folds to one scale; None where there is no need.
    """

    number: int
    plan: Plan
    learned: Learned
    train: Indices
    valid: Indices
    held: Indices
    scale: Calibration | None = None


@dataclass(frozen=True)
class Folded:
    """What cross-validation gives.

    Parameters
    ----------
    records, fold
        Rows of the data that lie in folds, and the fold of each, ``(n,)``.
    logits, baselines
        Calibrated logits of the models, and logits of each baseline, ``(n, K)``.
    near
        Which have a near relative in another fold, ``(n,)``; None of others than sequences.
    calibration
        Of the standardized logits of all folds (`seqcnn.training.pooling`); None of networks that have no need of it.
    blend
        What makes one answer of those of the networks, the k-mers and the kernel machine, where `taught`.
    """

    records: Indices
    fold: Indices
    logits: Logits
    baselines: dict[str, Logits]
    near: npt.NDArray[np.bool_] | None
    calibration: Calibration | None = None
    blend: Blend | None = None


class InterruptedFolds(KeyboardInterrupt):
    """Ctrl-C among the folds; `folds` are those whose models had learned something."""

    def __init__(self, folds: Sequence[Fold]) -> None:
        super().__init__()
        self.folds = tuple(folds)


def fit_baselines(plan: Plan, data: Dataset, records: Indices) -> dict[str, Baseline]:
    """Return the baselines that suit the records: ``gc`` or ``composition``, and for sequences ``kmer``."""
    nucleic = data.alphabet is not None and data.alphabet.has_complement
    found = {"gc" if nucleic else "composition": fit_baseline(plan, data, records, "composition")}
    if isinstance(data.raw, Sequences):
        found["kmer"] = fit_baseline(plan, data, records, "kmer")
    return found


def out_of_fold(
    plan: Plan,
    data: Dataset,
    fold: Indices,
    *,
    progress: Progress,
    each: Callable[[Fold], None] | None = None,
    rounds: Sequence[int] | None = None,
    taught: bool = False,
) -> Folded:
    """Return calibrated logits of the model and logits of its baselines, each fold predicted by the others.

    Strands and positions stay as they were chosen on all records: two choices, each between two. Each model starts from
    random weights of its own, so that what several of them find is not what they began with.

    Parameters
    ----------
    fold
        Fold of each record, from 0, ``(N,)``; a record of none (-1) is left out altogether.
    each
        Called with every fold once its model has learned, while that is at hand.
    rounds
        Folds to hold out; one that is named again is predicted by several models, whose logits are averaged. None for
        every fold once.
    taught
        Whether the logits of networks, k-mers and a kernel machine are blended, as those of a teacher are.

    Raises
    ------
    InterruptedFolds
        If a training is interrupted: half the folds are no figures.
    """
    if data.targets is None:
        raise DataError("out-of-fold figures need targets")
    logits = np.zeros((len(data), plan.task.outputs), np.float32)
    others: dict[str, Logits] = {}
    wanted = list(range(int(fold.max()) + 1)) if rounds is None else list(rounds)
    wanted = [f for f in wanted if (fold == f).any()]
    found = _learned(plan, data, fold, wanted, progress)
    for model in found:
        if each is not None:
            each(model)
    first = {model.number: model for model in reversed(found)}
    several = min(torch.get_num_threads(), len(first)) if plan.options.baselines or taught else 0
    with threads(1 if several > 1 else None), ThreadPoolExecutor(max(1, several)) as pool:
        asked = pool.map(lambda model: _others(plan, data, model, taught=taught), first.values() if several else ())
        for model, theirs in zip(first.values(), asked, strict=False):
            for name, said in theirs.items():
                others.setdefault(name, np.zeros_like(logits))[model.held] = said
    for f, model in first.items():
        raw = data.take(model.held).raw
        logits[model.held] = np.mean([answer(plan, one, raw) for one in found if one.number == f], axis=0)
    kept = np.flatnonzero(np.isin(fold, wanted))
    near = _near(data.take(kept), fold[kept]) if rounds is None else None
    logits, weights = logits[kept], None if data.weights is None else data.weights[kept]
    others = {name: other[kept] for name, other in others.items()}
    shared, blend = None, None
    if taught:
        experts = [logits, others["kmer"], others.pop("kernel")]
        logits, blend = blended(plan.task, experts, data.targets[kept], fold[kept], weights=weights)
    elif all(one.scale is not None for one in found):
        logits, shared = pooled(plan.task, logits, data.targets[kept], fold[kept], weights=weights)
    others = others if plan.options.baselines else {}
    return Folded(kept, fold[kept], logits, others, near, shared, blend)


def _others(plan: Plan, data: Dataset, model: Fold, *, taught: bool) -> dict[str, Logits]:
    """Return what the baselines, and for teaching a kernel machine, say of the records that a model never saw."""
    rest, raw = np.sort(np.concatenate([model.train, model.valid])), data.take(model.held).raw
    fitted = fit_baselines(model.plan, data, rest)
    said = {name: predict_logits(plan.encoder, one.network, raw) for name, one in fitted.items()}
    if taught and isinstance(raw, Sequences):
        said["kernel"] = fit_likeness(model.plan, data, rest)(raw)
    return {name: _in_units_of(plan, model.plan, logits) for name, logits in said.items()}


def answer(plan: Plan, model: Fold, raw: Raw, *, precision: str = "32") -> Logits:
    """Return the logits ``(n, K)`` of one fold's model, on the scale of all, as the task of `plan` gives them."""
    logits = predict(model.plan, model.learned, raw, calibration=model.scale, precision=precision)
    return _in_units_of(plan, model.plan, logits)


def _learned(plan: Plan, data: Dataset, fold: Indices, rounds: Sequence[int], progress: Progress) -> list[Fold]:
    """Return a model of every round, learned side by side where that is faster."""
    targets = np.zeros((len(data), 0)) if data.targets is None else data.targets
    one_unit = plan.task.numeric and plan.options.combine == "average"  # means of numbers in other units mean nothing
    several = workers(build(plan), pick_device(plan.options.device)) if plan.network == "motif" else 1
    several = min(several, len(rounds))
    shared = Shared(progress, len(rounds), "folds" if len(rounds) > 1 else "training")

    def one(i: int, f: int, network: Network | None) -> Fold:
        held, rest, own = np.flatnonzero(fold == f), rests[i], plans[i]
        inner = split(replace(data.take(rest), parts=None), valid=_STEERING, test=0, seed=own.options.seed)
        train, valid = rest[inner.train], rest[inner.valid]
        to = shared.part() if several > 1 else progress
        title = f"fold {i + 1} of {len(rounds)}"
        learned = learn(own, data, train=train, valid=valid, progress=to, title=title, network=network)
        if learned.interrupted:
            shared.stop()  # the others too
        steering = None if plan.task.numeric else learned.validation
        scale = None if steering is None else standardizing(own.task, steering.logits)
        return Fold(f, own, learned, train, valid, held, scale)

    rests = [data.counted(np.flatnonzero((fold != f) & (fold >= 0))) for f in rounds]
    plans = []
    for i, rest in enumerate(rests):
        task = plan.task if one_unit else fit_task(plan.task.name, data.labels, targets[rest], data.task_options)
        seed = (plan.options.seed + 1 + i) % _SEEDS
        plans.append(replace(plan, task=task, options=replace(plan.options, seed=seed)))
    if several < 2:
        made = list[Fold]()
        for i, f in enumerate(rounds):
            try:
                made.append(one(i, f, None))
            except KeyboardInterrupt:
                raise InterruptedFolds(made) from None
            if made[-1].learned.interrupted:
                raise InterruptedFolds(made)
        return made
    networks = [build(own) for own in plans]
    before = torch.get_num_threads()
    try:
        with seeded(plan.options.seed), ThreadPoolExecutor(several, initializer=compute_alone) as pool:
            waiting = [
                pool.submit(one, i, f, network) for i, (f, network) in enumerate(zip(rounds, networks, strict=True))
            ]
            try:
                made = [work.result() for work in waiting]
            except BaseException:
                shared.stop()
                pool.shutdown(cancel_futures=True)
                raise
    except KeyboardInterrupt:
        done = [work for work in waiting if not work.cancelled() and work.exception() is None]
        raise InterruptedFolds([work.result() for work in done]) from None
    finally:
        torch.set_num_threads(before)  # of the caller: a new thread's number becomes everyone's
    if any(model.learned.interrupted for model in made):
        raise InterruptedFolds(made)
    return made


def _near(data: Dataset, fold: Indices) -> npt.NDArray[np.bool_] | None:
    """Return which records have a near relative in another fold."""
    if not isinstance(data.raw, Sequences) or data.alphabet is None:
        return None
    found = np.zeros(len(data), bool)
    for f in np.unique(fold).tolist():
        held = np.flatnonzero(fold == f)
        found[held], _ = kin(data.raw.take(np.flatnonzero(fold != f)), data.raw.take(held), data.alphabet)
    return found


def _in_units_of(plan: Plan, own: Plan, logits: Logits) -> Logits:
    """Return a fold's logits as the final model's task would give them: its targets may be transformed otherwise."""
    if not plan.task.numeric or plan.task.config() == own.task.config():
        return logits
    return plan.task.encode(own.task.output(logits).astype(np.float64))
