"""The verb train: a Dataset in, a Model out, with everything found on the way kept in its record."""

import warnings
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, check_dataset
from seqcnn.data.grouping import grouped
from seqcnn.data.hashes import record_hashes
from seqcnn.data.relatives import sketch
from seqcnn.data.splits import Parts, check_classes
from seqcnn.errors import OptionError, SeqcnnWarning
from seqcnn.io.columns import check_table, write_table
from seqcnn.model.evaluation import evaluate, out_of_fold_figures
from seqcnn.model.model import Model
from seqcnn.model.predictions import out_of_fold_columns
from seqcnn.model.record import OutOfFold, TrainingRecord, plain
from seqcnn.nn.calibration import Calibration
from seqcnn.options import TrainOptions
from seqcnn.runtime import pick_device, versions
from seqcnn.sequence import Sequences
from seqcnn.training.convex import Baseline
from seqcnn.training.folding import Folded, fit_baselines
from seqcnn.training.learner import learn
from seqcnn.training.planning import chosen, plan_training
from seqcnn.training.progress import progress_bar
from seqcnn.workflow.augmented import check_drawing, write_augmented
from seqcnn.workflow.combined import combined, is_combined, pooled_parts
from seqcnn.workflow.crossvalidation import cross_validated
from seqcnn.workflow.parts import Division, divide
from seqcnn.workflow.vouching import calibrated, conformity_of


def train(
    data: Dataset,
    options: TrainOptions | None = None,
    *,
    valid: Dataset | None = None,
    test: Dataset | None = None,
    progress: bool | None = None,
    command: str = "",
) -> Model:
    """Learn a model and its baselines, and measure them on records they have not seen.

    Strands and positions are found by comparison on the training records (contract 8). Figures come from the test
    part, or from folds where these are asked for, or there are fewer than 2,000 records and no test part (contract 7);
    with both, there are figures of either, and the folds are of the other records. Duplicates, other strands and
    shuffles of a record stay on its side, in folds its near-duplicates too. Ctrl-C keeps the best model so far.

    Parameters
    ----------
    data
        Records with targets; their ``parts`` are obeyed.
    options
        None for the defaults.
    valid, test
        Records that steer, and that test, where they are not drawn from `data`.
    progress
        None shows a bar on a terminal; False never.
    command
        The shell command, for the record.

    Raises
    ------
    DataError
        Before any training: no targets, one class, under ten records a class, infinite or missing targets.
    OptionError
        If an option does not suit the data.
    OutOfMemoryError
        Naming the batch size that fits.

    Examples
    --------
    >>> model = train(data)                               # doctest: +SKIP
    >>> model.record.figures["metrics"]["auroc"]          # doctest: +SKIP
    0.981
    """
    options = TrainOptions() if options is None else options
    started, notes = monotonic(), list[str]()
    check_dataset(data, "train")
    if options.show_augmented is not None:
        check_drawing(options.show_augmented)
    pick_device(options.device)
    check_classes(data)
    data = _with_targets(data, notes)
    _warn_of_contradictions(data)
    data, grouping = grouped(data, options.split)
    notes += grouping
    valid = None if valid is None else _with_targets(valid, [])
    division = divide(data, options, valid=valid, tested=test is not None)
    if options.predictions is not None:
        _check_predictions(options.predictions, division)
    if division.folds and options.members not in (None, 1):
        raise OptionError(
            f"--members {options.members}: there are {division.folds} folds, and their networks make the final one; "
            "leave it out, or pass --folds 0"
        )
    notes += division.notes
    data, parts = division.data, _weighed(division.data, division.parts, notes)
    check_classes(data.take(np.concatenate([parts.train, parts.valid])), fewest=2)
    longest = 0 if test is None else int(test.lengths.max(initial=0))
    seen = np.sort(np.concatenate([parts.train, parts.valid]))
    with progress_bar(progress) as bar:
        plan, choices = plan_training(data, options, parts, bar, longest=longest)
        notes += [*plan.task.notes, *chosen(choices), *plan.notes]
        if options.show_augmented is not None:
            write_augmented(options.show_augmented, plan, data, parts.train)
        hashes, own = record_hashes(data.raw, data.alphabet), _own(data, seen)
        baselines: dict[str, Baseline] = {}
        folded: tuple[OutOfFold, Folded] | None = None
        if is_combined(plan):
            baselines, learned, folded = combined(plan, division, parts, bar, hashes=hashes)
            stop = _Stop(learned.interrupted, notes)
        else:
            learned = learn(plan, data, train=parts.train, valid=parts.valid, progress=bar)
            stop = _Stop(learned.interrupted, notes)
            if options.baselines:
                bar.start("baselines", 1)
                baselines = stop.guard(lambda: fit_baselines(plan, data, seen), "the baselines") or {}
            if division.folds:
                folded = stop.guard(
                    lambda: cross_validated(plan, division, bar, hashes=hashes), "the out-of-fold figures"
                )
        notes += learned.notes
        notes += [f"{name} baseline: {note}" for name, fitted in baselines.items() for note in fitted.notes]
    oof = None if folded is None else folded[0]
    shared = None if folded is None or is_combined(plan) else folded[1].calibration  # the combined have theirs
    parts = pooled_parts(plan, division, parts)
    layer = calibrated(plan.task, learned, data, shared=shared, notes=notes)
    record = TrainingRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        versions=versions(),
        options=plain(asdict(options) | learned.details | {"network": plan.network, "folds": division.folds}),
        seed=options.seed,
        data=plain(data.summary) | {"records": len(data)},
        counts={"train": len(parts.train), "valid": len(parts.valid), "test": len(parts.test)},
        n_per_class=_per_class(data.take(parts.train)),
        negatives=data.negatives,
        history=learned.history,
        choices={name: choice.to_dict() for name, choice in choices.items()},
        calibration=_calibration(layer) | ({} if layer is learned.calibration else {"on": "folds"}),
        baselines={name: plain(baseline.choice) for name, baseline in baselines.items()},
        trained_hashes=np.unique(hashes[seen]),
        oof=oof,
        sketches=None if own is None or data.alphabet is None else sketch(own, data.alphabet),
        conformity=conformity_of(plan.task, learned, data, calibration=layer, out_of_fold=oof, fold=division.fold),
    )
    model = Model(
        plan.encoder,
        learned.network,
        plan.task,
        alphabet=data.alphabet,
        longest=int(data.lengths[seen].max()),
        strands=plan.strands,
        calibration=layer,
        baselines={name: baseline.network for name, baseline in baselines.items()},
        record=record,
    )
    held_out = test if test is not None else data.take(parts.test)
    measured = stop.guard(lambda: _measured(model, held_out, own, options, notes), "the figures on held-out records")
    model.record = record if measured is None else measured
    model.record = replace(model.record, notes=tuple(dict.fromkeys(notes)), seconds=monotonic() - started)
    if options.predictions is not None and model.record.oof is not None:
        write_table(options.predictions, out_of_fold_columns(model))
    return model


class _Stop:
    """Ctrl-C: the first one skips what is left, a second one stops."""

    def __init__(self, pressed: bool, notes: list[str]) -> None:
        self.pressed, self.notes = pressed, notes

    def guard(self, work: Callable[[], Any], what: str) -> Any:
        """Return what `work` returns; None where it was interrupted, which is noted."""
        if self.pressed and what != "the baselines":
            self.notes.append(f"interrupted: {what} were left out")
            return None
        try:
            return work()
        except KeyboardInterrupt:
            if self.pressed:
                raise
            self.pressed = True
            self.notes.append(f"interrupted: {what} were left out")
            return None


def _with_targets(data: Dataset, notes: list[str]) -> Dataset:
    """Return the records that have a target."""
    known = np.isfinite(data.targets).any(1) if data.targets is not None else np.zeros(len(data), bool)
    if known.all():
        return data
    notes.append(f"{int((~known).sum()):,} records without a target were left out")
    return data.take(np.flatnonzero(known))


def _check_predictions(path: Path, division: Division) -> None:
    """Refuse to write out-of-fold predictions where there are no folds, or the place cannot be written."""
    if not division.folds:
        raise OptionError(f"--predictions {path}: the figures come from a test part, not from folds; pass --folds N")
    check_table(path)


def _warn_of_contradictions(data: Dataset) -> None:
    """Warn of records that occur in more than one class, as they are or as the other strand."""
    if data.task not in ("binary", "multiclass") or data.targets is None:
        return
    _, same = np.unique(record_hashes(data.raw, data.alphabet), return_inverse=True)
    pairs = np.unique(np.stack([same, data.targets[:, 0].astype(np.int64)], axis=1), axis=0)
    twice = int((np.bincount(pairs[:, 0]) > 1).sum())
    if twice:
        strands = " (either strand counts)" if data.alphabet is not None and data.alphabet.has_complement else ""
        warnings.warn(
            f"{twice:,} records occur in more than one class{strands}: their labels contradict; remove them from one",
            SeqcnnWarning,
            stacklevel=3,
        )


def _measured(
    model: Model, held_out: Dataset, own: Sequences | None, options: TrainOptions, notes: list[str]
) -> TrainingRecord:
    """Return the record with the figures of the test part and of the folds, as there are."""
    counts = len(held_out)
    record = replace(model.record, counts=model.record.counts | {"test": counts})
    if record.oof is not None:
        record = replace(record, out_of_fold=out_of_fold_figures(model, seed=options.seed).to_dict())
    if not counts:
        return record
    twice = int(np.isin(record_hashes(held_out.raw, model.alphabet), record.trained_hashes).sum())
    if twice:
        notes.append(f"{twice:,} test records are also among the training records: left out of the figures")
    if twice == counts:
        return record
    found = evaluate(model, held_out, trained=own, seed=options.seed, device=options.device)
    return replace(record, figures=found.to_dict())


def _own(data: Dataset, seen: npt.NDArray[np.int64]) -> Sequences | None:
    """Return the sequences at `seen` that are no shuffles of others there; None of records of another kind."""
    if not isinstance(data.raw, Sequences):
        return None
    return data.raw.take(seen if data.parents is None else seen[~np.isin(data.parents[seen], seen)])


def _weighed(data: Dataset, parts: Parts, notes: list[str]) -> Parts:
    """Return the parts without the training and validation records whose weight is 0, which is noted."""
    train, valid = data.counted(parts.train), data.counted(parts.valid)
    left = len(parts.train) + len(parts.valid) - len(train) - len(valid)
    if left:
        notes.append(f"records of weight 0, left out of training: {left:,}")
    return replace(parts, train=train, valid=valid)


def _per_class(data: Dataset) -> dict[str, int]:
    if data.targets is None or data.numeric:
        return {}
    if data.task == "multilabel":
        return {label: int((data.targets[:, i] == 1).sum()) for i, label in enumerate(data.labels)}
    return {label: int((data.targets[:, 0] == i).sum()) for i, label in enumerate(data.labels)}


def _calibration(layer: Calibration) -> dict[str, Any]:
    scale, bias = layer.scale.tolist(), layer.bias.tolist()
    return {"scale": scale[0], "bias": bias[0]} if len(bias) == 1 else {"scale": scale, "bias": bias}
