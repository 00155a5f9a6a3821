"""How good a model is on records it was not trained on, beside its baselines."""

import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, Raw, check_dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.errors import DataError, SeqcnnWarning
from seqcnn.inference.predict import Logits
from seqcnn.metrics import THRESHOLD
from seqcnn.model.card import figures_card
from seqcnn.model.coverage import COVERAGE, Coverage, limits_of, measured
from seqcnn.model.folds import FoldFigures, fold_figures
from seqcnn.model.leakage import Leakage, Relatives, leakage, near_other_folds, near_training
from seqcnn.model.model import Model
from seqcnn.model.record import plain
from seqcnn.tasks.task import Floats, Task

#: Tasks whose labels are decided by a threshold.
_THRESHOLDED = ("binary", "multilabel")
_CLASSES = ("binary", "multiclass")


@dataclass(frozen=True)
class Evaluation:
    """Figures with 95% intervals, and the predictions they rest on.

    Parameters
    ----------
    task, labels, columns
        Of the model.
    n, n_per_class
        Records the figures rest on; of each class (multilabel: holding each label), empty for regression.
    threshold
        Above which a probability is a yes; None where there is none.
    metrics, ci95
        Figure to value, and to ``[low, high]``; None where undefined.
    baselines, baselines_ci95
        The same of each baseline.
    excluded
        Why to how many records were left out: ``trained_on``, ``no_target``.
    source
        ``test data``, or ``out-of-fold`` where only the stored figures of the folds could be shown.
    ids, truth, logits, scores
        The N records: targets ``(N, T)``, calibrated logits ``(N, K)``, predictions ``(N, columns)``.
    baseline_logits
        Name to ``(N, K)``.
    kept
        Index of the N records in the data that were given, ``(N,)``; empty for out-of-fold figures.
    relatives
        How much the figures rest on relatives of training records; None where that is not known.
    coverage
        What sets or intervals for single records reach; None where that is not known: of out-of-fold figures, whose
        predictions they rest on.
    folds
        Out-of-fold figures fold by fold; None for others, or where the folds are not known.
    """

    task: str
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    n: int
    n_per_class: dict[str, int]
    threshold: float | None
    metrics: dict[str, Any]
    ci95: dict[str, Any]
    baselines: dict[str, dict[str, Any]]
    baselines_ci95: dict[str, dict[str, Any]]
    excluded: dict[str, int]
    source: str
    ids: tuple[str, ...]
    truth: Floats
    logits: Logits
    scores: Logits
    baseline_logits: dict[str, Logits] = field(default_factory=dict)
    baseline_scores: dict[str, Logits] = field(default_factory=dict)
    kept: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    relatives: Leakage | None = None
    coverage: Coverage | None = None
    folds: FoldFigures | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values, without the records; undefined is None."""
        names: tuple[str, ...] = (
            "task",
            "n",
            "n_per_class",
            "threshold",
            "metrics",
            "ci95",
            "baselines",
            "excluded",
            "source",
        )
        return {
            name: plain(getattr(self, name)) for name in (*names, "baselines_ci95", "relatives", "coverage", "folds")
        }

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Return the figures as a table: column names, then a row for the model and for each baseline."""
        names = [name for name, value in self.metrics.items() if not isinstance(value, dict)]
        systems = {"model": (self.metrics, self.ci95)}
        systems |= {name: (self.baselines[name], self.baselines_ci95.get(name, {})) for name in self.baselines}
        rows = [[who, *(_cell(metrics.get(n), ci95.get(n)) for n in names)] for who, (metrics, ci95) in systems.items()]
        return ["", *names], rows

    def __repr__(self) -> str:
        head, rows = self.table()
        widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
        pairs = [zip(row, widths, strict=True) for row in [head, *rows]]
        lines = ["  ".join(f"{cell:<{width}}" for cell, width in row) for row in pairs]
        left = ", ".join(f"{count:,} {why.replace('_', ' ')}" for why, count in self.excluded.items() if count)
        title = f"{self.source}: {self.n:,} records" + (f"; left out: {left}" if left else "")
        return "\n".join([title, *(line.rstrip() for line in lines)])

    def _repr_html_(self) -> str:
        return figures_card(self.to_dict())


def evaluate(
    model: Model,
    data: Dataset,
    *,
    trained: Raw | None = None,
    coverage: float | None = None,
    seed: int = 0,
    device: str = "auto",
) -> Evaluation:
    """Evaluate a model on data, leaving out the records it was trained on.

    Records count as trained on when they, their soft-masked copy or their reverse complement were in the training or
    validation part, and shuffles when their parent was. If nothing remains, the stored out-of-fold figures are
    returned, labelled so.

    Parameters
    ----------
    trained
        The records trained on, where they are at hand, by which near relatives of theirs are known for sure; else the
        model's sketches tell.
    coverage
        For which sets or intervals of single records are made and counted; None for 0.9 where the model knows them.

    Raises
    ------
    DataError
        If the data have no targets, another task or other labels, or hold only records that were trained on and
        there are no out-of-fold figures; if the model cannot vouch for the coverage.
    OptionError
        If the coverage is not between 0 and 1.
    """
    check_dataset(data, "evaluate")
    if coverage is not None:
        limits_of(model.task, model.record.conformity, coverage, "--coverage")
    targets = aligned_targets(model, data)
    seen = trained_on(model, data)
    known = np.isfinite(targets).any(1)
    kept = np.flatnonzero(~seen & known)
    excluded = {"trained_on": int(seen.sum())}
    if (~known & ~seen).any():
        excluded["no_target"] = int((~known & ~seen).sum())
    if len(kept) == 0:
        if coverage is not None:
            warnings.warn(
                "evaluate: coverage is not counted on records that were trained on: sets and intervals rest on their "
                "out-of-fold predictions; pass other records",
                SeqcnnWarning,
                stacklevel=2,
            )
        return out_of_fold_figures(model, excluded=excluded, seed=seed)
    part = data.take(kept)
    found = figures(
        model.task,
        targets[kept],
        model.logits(part.raw, device=device),
        baselines={name: model.baseline_logits(name, part.raw, device=device) for name in model.baselines},
        ids=part.ids,
        excluded=excluded,
        kept=kept,
        relatives=near_training(model, part.raw, trained),
        seed=seed,
    )
    found = replace(found, coverage=_coverage(model, found, coverage))
    high = (found.ci95.get("auroc") or (0, 1))[1]
    if model.task.name == "binary" and high is not None and high < 0.5:
        warnings.warn(
            f"evaluate: AUROC {found.metrics['auroc']:.3f} is worse than chance; are the two classes swapped? The "
            f"positive one is {model.labels[1]}",
            SeqcnnWarning,
            stacklevel=2,
        )
    return found


def figures(
    task: Task,
    truth: Floats,
    logits: Logits,
    *,
    baselines: dict[str, Logits] | None = None,
    ids: tuple[str, ...] = (),
    excluded: dict[str, int] | None = None,
    source: str = "test data",
    kept: npt.NDArray[np.int64] | None = None,
    relatives: Relatives | None = None,
    fold: npt.NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Return the evaluation of calibrated logits ``(N, K)`` against targets ``(N, T)``."""
    others = baselines or {}
    return Evaluation(
        task=task.name,
        labels=task.labels,
        columns=task.columns,
        n=len(truth),
        n_per_class=_per_class(task, truth),
        threshold=THRESHOLD if task.name in _THRESHOLDED else None,
        metrics=task.metrics(truth, logits),
        ci95=task.intervals(truth, logits, seed=seed),
        baselines={name: task.metrics(truth, other) for name, other in others.items()},
        baselines_ci95={name: task.intervals(truth, other, seed=seed) for name, other in others.items()},
        excluded={"trained_on": 0} if excluded is None else excluded,
        source=source,
        ids=ids,
        truth=truth,
        logits=logits,
        scores=task.output(logits),
        baseline_logits=others,
        baseline_scores={name: task.output(other) for name, other in others.items()},
        kept=np.zeros(0, np.int64) if kept is None else kept,
        relatives=leakage(task, truth, logits, relatives, seed=seed),
        folds=fold_figures(task, truth, logits, fold),
    )


def _coverage(model: Model, found: Evaluation, coverage: float | None) -> Coverage | None:
    """Return the coverage that was asked for, or the usual one where the model can vouch for it."""
    known = model.record.conformity
    if known is None or (coverage is None and np.isinf(known.limits(COVERAGE, pool=not model.task.numeric)).any()):
        return None
    return measured(model.task, known, found.truth, found.logits, coverage=COVERAGE if coverage is None else coverage)


def trained_on(model: Model, data: Dataset) -> npt.NDArray[np.bool_]:
    """Return which records, or the records they are shuffles of, were in the training or validation part, ``(N,)``."""
    seen: npt.NDArray[np.bool_] = np.isin(record_hashes(data.raw, model.alphabet), model.record.trained_hashes)
    if data.parents is not None:
        seen = seen | ((data.parents >= 0) & seen[data.parents])
    return seen


def aligned_targets(model: Model, data: Dataset) -> Floats:
    """Return the targets of `data` in the order of the model's labels, ``(N, T)``.

    Raises
    ------
    DataError
        If there are none, or they are of another task or another number of labels.
    """
    if data.targets is None or data.task is None:
        raise DataError("evaluate: the data have no targets; name their column with --target, or give a file a class")
    if data.task != model.task.name:
        raise DataError(f"evaluate: the model is {model.task.name}, the data are {data.task}; pass data of its kind")
    targets = np.asarray(data.targets, np.float64)
    ours, theirs = list(model.labels), list(data.labels)
    if ours == theirs or not theirs:
        return targets
    if len(ours) != len(theirs):
        raise DataError(
            f"evaluate: the model knows {len(ours)} labels ({', '.join(ours)}), the data have {len(theirs)} "
            f"({', '.join(theirs)})"
        )
    if sorted(ours) != sorted(theirs):
        pairs = ", ".join(f"{theirs[i]} as {ours[i]}" for i in range(len(ours)))
        warnings.warn(f"evaluate: labels differ from the model's; taken in order: {pairs}", SeqcnnWarning, stacklevel=3)
        return targets
    if data.task not in _CLASSES:
        return targets[:, [theirs.index(name) for name in ours]]
    place = np.array([ours.index(name) for name in theirs], np.float64)
    moved = np.full_like(targets, np.nan)
    known = np.isfinite(targets)
    moved[known] = place[targets[known].astype(np.intp)]
    return moved


def out_of_fold_figures(model: Model, *, excluded: dict[str, int] | None = None, seed: int = 0) -> Evaluation:
    """Return the figures of the stored out-of-fold predictions; `excluded` as in `Evaluation`.

    Raises
    ------
    DataError
        If the model holds none.
    """
    oof = model.record.oof
    if oof is None:
        count = sum((excluded or {}).values())
        raise DataError(
            f"evaluate: all {count:,} records were trained on or have no target, and the model file holds no "
            "out-of-fold figures; pass records that were not used in training"
        )
    ids = oof.ids or tuple(str(i) for i in range(1, len(oof.truth) + 1))
    return figures(
        model.task, oof.truth, oof.logits, baselines=oof.baselines, ids=ids, excluded=excluded, source="out-of-fold",
        relatives=near_other_folds(model, oof.near), fold=oof.fold, seed=seed,
    )  # fmt: skip


def _per_class(task: Task, truth: Floats) -> dict[str, int]:
    if task.name in _CLASSES:
        return {label: int((truth[:, 0] == i).sum()) for i, label in enumerate(task.labels)}
    if task.name == "multilabel":
        return {label: int((truth[:, i] == 1).sum()) for i, label in enumerate(task.labels)}
    return {}


def _cell(value: float | None, pair: list[float] | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.4g}" if not pair else f"{value:.3f} [{pair[0]:.3f}, {pair[1]:.3f}]"
