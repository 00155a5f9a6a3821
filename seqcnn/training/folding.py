"""Out-of-fold predictions: every record by a model that saw neither it nor its relatives."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.relatives import kin
from seqcnn.data.splits import split
from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.nn.calibration import Calibration
from seqcnn.sequence import Sequences
from seqcnn.tasks import fit_task
from seqcnn.training.convex import Baseline
from seqcnn.training.learner import Learned, Plan, fit_baseline, learn, predict
from seqcnn.training.pooling import pooled, standardizing
from seqcnn.training.progress import Progress

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
        How the model was made (its task is fitted on its own records), and its network and calibration.
    train, valid, held
        Rows of the data that it learned from, that steered it, and that it never saw.
    """

    number: int
    plan: Plan
    learned: Learned
    train: Indices
    valid: Indices
    held: Indices


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
    """

    records: Indices
    fold: Indices
    logits: Logits
    baselines: dict[str, Logits]
    near: npt.NDArray[np.bool_] | None
    calibration: Calibration | None = None


def fit_baselines(plan: Plan, data: Dataset, records: Indices) -> dict[str, Baseline]:
    """Return the baselines that suit the records: ``gc`` or ``composition``, and for sequences ``kmer``."""
    nucleic = data.alphabet is not None and data.alphabet.has_complement
    found = {"gc" if nucleic else "composition": fit_baseline(plan, data, records, "composition")}
    if isinstance(data.raw, Sequences):
        found["kmer"] = fit_baseline(plan, data, records, "kmer")
    return found


def out_of_fold(
    plan: Plan, data: Dataset, fold: Indices, *, progress: Progress, each: Callable[[Fold], None] | None = None
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

    Raises
    ------
    KeyboardInterrupt
        If a training is interrupted: half the folds are no figures.
    """
    if data.targets is None:
        raise DataError("out-of-fold figures need targets")
    logits = np.zeros((len(data), plan.task.outputs), np.float32)
    others: dict[str, Logits] = {}
    k = int(fold.max()) + 1
    scaled: list[bool] = []
    for f in range(k):
        held, rest = np.flatnonzero(fold == f), data.counted(np.flatnonzero((fold != f) & (fold >= 0)))
        if not len(held):
            continue
        seed = (plan.options.seed + 1 + f) % _SEEDS
        inner = split(replace(data.take(rest), parts=None), valid=_STEERING, test=0, seed=seed)
        own = replace(
            plan,
            task=fit_task(plan.task.name, data.labels, data.targets[rest], data.task_options),
            options=replace(plan.options, seed=seed),
        )
        train, valid = rest[inner.train], rest[inner.valid]
        learned = learn(own, data, train=train, valid=valid, progress=progress, title=f"fold {f + 1} of {k}")
        if learned.interrupted:
            raise KeyboardInterrupt
        raw = data.take(held).raw
        steering = None if plan.task.numeric else learned.validation
        scale = None if steering is None else standardizing(own.task, steering.logits)
        scaled.append(scale is not None)
        logits[held] = _in_units_of(plan, own, predict(own, learned, raw, calibration=scale))
        if plan.options.baselines:
            for name, baseline in fit_baselines(own, data, rest).items():
                theirs = predict_logits(own.encoder, baseline.network, raw)
                others.setdefault(name, np.zeros_like(logits))[held] = _in_units_of(plan, own, theirs)
        if each is not None:
            each(Fold(f, own, learned, train, valid, held))
    kept = np.flatnonzero(fold >= 0)
    near = _near(data.take(kept), fold[kept])
    logits, weights, shared = logits[kept], None if data.weights is None else data.weights[kept], None
    if scaled and all(scaled):
        logits, shared = pooled(plan.task, logits, data.targets[kept], fold[kept], weights=weights)
    return Folded(kept, fold[kept], logits, {name: other[kept] for name, other in others.items()}, near, shared)


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
