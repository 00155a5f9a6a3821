"""Out-of-fold predictions: every record by a model that saw neither it nor its relatives."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.relatives import kin
from seqcnn.data.splits import folds, split
from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.nn.calibration import Calibration
from seqcnn.sequence import Sequences
from seqcnn.tasks import fit_task
from seqcnn.training.convex import Baseline
from seqcnn.training.learner import Plan, fit_baseline, learn, predict
from seqcnn.training.pooling import pooled, standardizing
from seqcnn.training.progress import Progress

Indices = npt.NDArray[np.int64]

#: Share of the records of the other folds that steers a model.
_STEERING = 0.1


def fit_baselines(plan: Plan, data: Dataset, records: Indices) -> dict[str, Baseline]:
    """Return the baselines that suit the records: ``gc`` or ``composition``, and for sequences ``kmer``."""
    nucleic = data.alphabet is not None and data.alphabet.has_complement
    found = {"gc" if nucleic else "composition": fit_baseline(plan, data, records, "composition")}
    if isinstance(data.raw, Sequences):
        found["kmer"] = fit_baseline(plan, data, records, "kmer")
    return found


def out_of_fold(
    plan: Plan, data: Dataset, progress: Progress
) -> tuple[Logits, dict[str, Logits], npt.NDArray[np.bool_] | None, Calibration | None]:
    """Return calibrated logits ``(N, K)`` of the model, and logits of its baselines, each fold predicted by the others.

    The third thing is which records have a near relative in another fold, ``(N,)``; None of others than sequences. The
    last is the calibration of the standardized logits (`seqcnn.training.pooling`); None of networks that have no need.

    Strands and positions stay as they were chosen on all records: two choices, each between two.

    Raises
    ------
    KeyboardInterrupt
        If a training is interrupted: half the folds are no figures.
    """
    k, seed = plan.options.folds, plan.options.seed
    if data.targets is None:
        raise DataError("out-of-fold figures need targets")
    fold = folds(data, k, seed=seed)
    logits = np.zeros((len(data), plan.task.outputs), np.float32)
    others: dict[str, Logits] = {}
    scaled: list[bool] = []
    for f in range(k):
        held, rest = np.flatnonzero(fold == f), data.counted(np.flatnonzero(fold != f))
        if not len(held):
            continue
        inner = split(replace(data.take(rest), parts=None), valid=_STEERING, test=0, seed=seed)
        own = replace(plan, task=fit_task(plan.task.name, data.labels, data.targets[rest], data.task_options))
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
    shared = None
    if scaled and all(scaled):
        logits, shared = pooled(plan.task, logits, data.targets, fold, weights=data.weights)
    return logits, others, _near(data, fold), shared


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
