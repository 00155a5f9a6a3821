"""One network made of those of several folds: taught by them, the default for sequences, or all side by side."""

from dataclasses import replace

import numpy as np

from seqcnn.data.hashes import Hashes
from seqcnn.data.splits import Parts, folds
from seqcnn.model.record import OutOfFold
from seqcnn.options import TrainOptions
from seqcnn.training.convex import Baseline
from seqcnn.training.ensemble import average
from seqcnn.training.folding import Fold, Folded, InterruptedFolds, fit_baselines, out_of_fold
from seqcnn.training.learner import Learned, Plan, fit_likeness
from seqcnn.training.progress import Progress
from seqcnn.training.teaching import Teacher, distill
from seqcnn.workflow.crossvalidation import cross_validated
from seqcnn.workflow.parts import Division

#: Networks where there are no folds, each of which leaves out another one of so many parts.
MEMBERS, PARTS = 4, 5


def is_averaged(plan: Plan) -> bool:
    """Return whether the networks are to be kept side by side."""
    return plan.options.combine == "average"


def is_combined(plan: Plan) -> bool:
    """Return whether several networks make the final one.

    That is on request, and the default for sequences, unless options shape the training.
    """
    options, default = plan.options, TrainOptions()
    shaped = ("epochs", "batch_size", "lr", "filters", "augment", "mixup", "cutmix", "label_smoothing")
    if is_averaged(plan):
        return True
    if plan.network != "motif" or plan.encoder.raw_kind != "codes" or options.members == 1:
        return False
    return options.members is not None or all(getattr(options, name) == getattr(default, name) for name in shaped)


def combined(
    plan: Plan, division: Division, parts: Parts, progress: Progress, *, hashes: Hashes
) -> tuple[dict[str, Baseline], Learned, tuple[OutOfFold, Folded] | None]:
    """Return the baselines, the network that several made, and the out-of-fold predictions where there are folds.

    The several are the models of the folds; where there are none, each of four leaves out another fifth of the
    training and validation records, or all are held against the validation records that were given. They teach the
    final network, or are averaged.

    Ctrl-C among them keeps the one that has learned most.

    Raises
    ------
    KeyboardInterrupt
        Before anything was learned.
    """
    try:
        return _combined(plan, division, parts, progress, hashes=hashes)
    except InterruptedFolds as interruption:
        if not interruption.folds:
            raise
        best = max(interruption.folds, key=lambda fold: len(fold.learned.history))
        if plan.task.numeric and best.plan.task.config() != plan.task.config():  # its numbers are in other units
            raise
        several = "networks to be averaged" if is_averaged(plan) else "teachers"
        note = f"interrupted among the {several}: the final network is one of them"
        learned = replace(best.learned, interrupted=True, notes=(*best.learned.notes, note))
        return {}, learned, None


def _combined(
    plan: Plan, division: Division, parts: Parts, progress: Progress, *, hashes: Hashes
) -> tuple[dict[str, Baseline], Learned, tuple[OutOfFold, Folded] | None]:
    data, options, teaching = division.data, plan.options, not is_averaged(plan)
    seen = np.sort(np.concatenate([parts.train, parts.valid]))
    members = list[Fold]()
    if division.folds:
        found = cross_validated(plan, division, progress, hashes=hashes, each=[members.append], taught=teaching)
        folded = None if found is None else found[1]
    else:
        found, wanted = None, options.members or MEMBERS
        fold = np.full(len(data), -1, np.int64)
        if division.given:
            fold[parts.train], fold[parts.valid] = 1, 0
            rounds = [0] * wanted
        else:
            fold[seen] = folds(replace(data.take(seen), parts=None), max(PARTS, wanted), seed=options.seed)
            rounds = list(range(wanted))
        folded = out_of_fold(plan, data, fold, progress=progress, each=members.append, rounds=rounds, taught=teaching)
    progress.start("baselines", 1)
    baselines = fit_baselines(plan, data, seen) if teaching or options.baselines else {}
    if folded is not None and not teaching:
        return baselines, average(plan, members, folded), found
    if folded is None or folded.blend is None:
        raise RuntimeError("teaching: no fold was predicted")
    kernel = fit_likeness(plan, data, seen)
    teacher = Teacher(plan, members, baselines["kmer"].network, kernel, folded.blend)
    learned = distill(plan, data, seen, teacher=teacher, folded=folded, progress=progress)
    return (baselines if options.baselines else {}), learned, found


def pooled_parts(plan: Plan, division: Division, parts: Parts) -> Parts:
    """Return the parts with the validation records among those that train, where several networks have their own."""
    if not is_combined(plan) or division.given:
        return parts
    return replace(parts, train=np.sort(np.concatenate([parts.train, parts.valid])), valid=parts.valid[:0])
