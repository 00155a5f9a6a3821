"""What a report is made from: the model, its evaluation, its motifs and the data, looked at from the reader's side."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.model.evaluation import Evaluation
from seqcnn.model.model import Model
from seqcnn.motifs.found import MotifSet
from seqcnn.plot.palette import BLUE, CYCLE, GREY, ORANGE
from seqcnn.reporting.bands import auroc_difference, correlation_difference, mean_difference
from seqcnn.reporting.gallery import Shown
from seqcnn.reporting.inputs import Nouns, nouns_of
from seqcnn.reporting.words import named, spoken

Floats = npt.NDArray[np.float64]

#: A motif this much less important than the first is listed, not shown: many such are found by chance alone.
NEGLIGIBLE = 0.01
#: Probability from which a class or label is called, where the evaluation does not say.
_THRESHOLD = 0.5
#: Errors along a circle of at least this length are told with one decimal.
_LONG_CIRCLE = 100.0
#: Units of a circular scale that its length tells.
_CIRCLES = {360.0: "°"}


@dataclass(frozen=True)
class Figure:
    """One headline figure of the model or of a baseline: its value and 95% interval."""

    name: str
    value: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Material:
    """Everything the sections draw on.

    Parameters
    ----------
    model, evaluation, motifs, data
        As their own rooms make them; `evaluation` is None where there is nothing to evaluate on, `motifs` for
        pictures and for networks without a first layer of filters.
    command
        The shell command that makes this report again; may be empty.
    version
        Of seqcnn.
    """

    model: Model
    evaluation: Evaluation | None
    motifs: MotifSet | None
    data: Dataset
    command: str = ""
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """Name of the task."""
        return self.model.task.name

    @property
    def kind(self) -> str:
        """``codes``, ``samples`` or ``pixels``."""
        return self.model.kind

    @property
    def nouns(self) -> Nouns:
        """What the records are called."""
        return nouns_of(self.model)

    @property
    def unit(self) -> str:
        """What lengths count: bp, nt, aa, px, points, s or bytes."""
        return self.nouns.unit

    @property
    def numeric(self) -> bool:
        """Whether the targets are numbers, not classes."""
        return bool(self.model.task.numeric)

    @property
    def period(self) -> float | None:
        """Length of the scale of circular targets; None for others."""
        return getattr(self.model.task, "period", None)

    @property
    def target_unit(self) -> str:
        """The unit of the targets where it is known: degrees, of a circle of 360."""
        return _CIRCLES.get(self.period or 0.0, "")

    def digits(self, metric: str) -> int:
        """Return how many decimals a figure is told with: errors in degrees need no more than one."""
        return 1 if metric.endswith("_error") and (self.period or 0) >= _LONG_CIRCLE else 3

    def turned(self, difference: npt.ArrayLike) -> Floats:
        """Return differences of circular values along the shorter way: from minus to plus half a period."""
        period = self.period or 1.0
        return np.asarray((np.asarray(difference, np.float64) + period / 2) % period - period / 2)

    @property
    def threshold(self) -> float:
        """Probability from which on a class or label is called."""
        given = None if self.evaluation is None else self.evaluation.threshold
        return _THRESHOLD if given is None else float(given)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of binary and multiclass tasks, none otherwise."""
        return self.model.labels if self.task in ("binary", "multiclass") else ()

    @property
    def targets(self) -> tuple[str, ...]:
        """What each column of the scores is about, named as in the data."""
        return self.model.labels[1:] if self.task == "binary" else self.model.labels

    @property
    def colors(self) -> dict[str, str]:
        """A color for each class, label or target; the positive class is blue."""
        if self.task == "binary":
            return dict(zip(self.model.labels, (GREY, BLUE), strict=True))
        order = (BLUE, ORANGE, *CYCLE[2:])
        return {name: order[i % len(order)] for i, name in enumerate(self.model.labels)}

    @property
    def out_of_fold(self) -> bool:
        """Whether the figures come from folds of the training data rather than from records set apart."""
        return self.evaluation is not None and self.evaluation.source == "out-of-fold"

    @property
    def headline(self) -> tuple[str, float]:
        """The metric that decides whether anything was learned, and its value by chance."""
        return self.model.task.evidence

    def chance(self, metric: str) -> float | None:
        """Return what guessing reaches in a metric, where that is known; in accuracy, naming the commonest class."""
        if self.period is not None and metric in ("median_error", "mean_error"):
            return self.period / 4
        if metric == "accuracy":
            counts = self.evaluation.n_per_class if self.evaluation is not None else {}
            return max(counts.values()) / max(sum(counts.values()), 1) if counts else None
        return self.headline[1] if metric == self.headline[0] else None

    def figure(self, metric: str, baseline: str | None = None) -> Figure:
        """Return one figure of the model, or of a baseline, with its interval."""
        if self.evaluation is None:
            return Figure(metric, None, None)
        e = self.evaluation
        values = e.metrics if baseline is None else e.baselines.get(baseline, {})
        intervals = e.ci95 if baseline is None else e.baselines_ci95.get(baseline, {})
        pair = intervals.get(metric)
        if pair is None or any(v is None for v in pair):
            return Figure(metric, values.get(metric), None)
        return Figure(metric, values.get(metric), (float(pair[0]), float(pair[1])))

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines that were evaluated, the strongest first."""
        if self.evaluation is None:
            return []
        name = self.headline[0]
        return sorted(self.evaluation.baselines, key=lambda b: -(self.evaluation.baselines[b].get(name) or -9e9))  # type: ignore[union-attr]

    @property
    def per_target(self) -> dict[str, dict[str, Any]]:
        """Figures of each target of a regression on several."""
        return dict(self.evaluation.metrics.get("per_target", {})) if self.evaluation is not None else {}

    @cached_property
    def verdict(self) -> str:
        """``learned``, ``nothing`` (chance lies in the interval), ``worse`` than chance, or ``unknown``."""
        metric, chance = self.headline
        if self.per_target and self.evaluation is not None:
            pairs = [v.get(metric) for v in self.evaluation.ci95.get("per_target", {}).values()]
        else:
            pairs = [self.figure(metric).interval]
        known = [p for p in pairs if p is not None and p[0] is not None]
        if not known:
            return "unknown"
        if any(low > chance for low, _ in known):
            return "learned"
        return "worse" if all(high < chance for _, high in known) else "nothing"

    # -- records ------------------------------------------------------------------------------------------------------

    @cached_property
    def truth(self) -> Floats:
        """Targets of the evaluated records, ``(N, T)``."""
        return _table(self.evaluation.truth) if self.evaluation is not None else np.zeros((0, 1))

    @cached_property
    def scores(self) -> Floats:
        """Predictions for the evaluated records, ``(N, columns)``."""
        return _table(self.evaluation.scores) if self.evaluation is not None else np.zeros((0, 1))

    def baseline_scores(self, name: str) -> Floats | None:
        """Return a baseline's predictions for the evaluated records, ``(N, columns)``, where they are at hand."""
        found = {} if self.evaluation is None else self.evaluation.baseline_scores
        return _table(found[name]) if name in found and len(found[name]) else None

    @property
    def has_records(self) -> bool:
        """Whether predictions for single records are at hand."""
        return len(self.truth) > 0 and len(self.scores) == len(self.truth)

    @property
    def n_evaluated(self) -> int:
        """Number of records the figures rest on."""
        return 0 if self.evaluation is None else self.evaluation.n

    @cached_property
    def rows(self) -> npt.NDArray[np.int64]:
        """Row in `data` of each evaluated record, -1 where it is not there, ``(N,)``."""
        size = len(self.truth)
        if self.evaluation is not None and len(self.evaluation.kept) == size:
            return self.evaluation.kept
        oof = self.model.record.oof
        if self.out_of_fold and oof is not None and len(oof.hashes) == size:
            place = {int(h): i for i, h in enumerate(record_hashes(self.data.raw, self.model.alphabet))}
            return np.array([place.get(int(h), -1) for h in oof.hashes], np.int64)
        return np.full(size, -1, np.int64)

    @cached_property
    def losses(self) -> Floats:
        """How bad the prediction for each evaluated record is, ``(N,)``; NaN where nothing is known.

        Negative log-likelihood of classes and labels; of numbers the mean error over the targets, each on its own scale
        (their standard deviation, or the period).
        """
        if self.numeric:
            if self.period is not None:
                errors, spread = (
                    np.abs(self.turned(self.scores - self.truth)),
                    np.full(self.truth.shape[1], self.period),
                )
            else:
                errors, spread = np.abs(self.truth - self.scores), np.nanstd(self.truth, axis=0)
            return _row_means(errors / np.where(spread > 0, spread, 1))
        p = self.scores.clip(1e-12, 1 - 1e-12)
        if self.task == "multiclass":
            return np.asarray(-np.log(p[np.arange(len(p)), self.truth[:, 0].astype(int)]))
        return np.asarray(
            np.nansum(-np.where(self.truth == 1, np.log(p), np.log1p(-p)) * np.isfinite(self.truth), axis=1)
        )

    def one_against_rest(self) -> Iterator[tuple[str, Floats, Floats]]:
        """Yield name, truth (0 or 1) and score of each class or label that has both kinds of records."""
        for i, name in enumerate(self.targets):
            truth = (self.truth[:, 0] == i).astype(float) if self.task == "multiclass" else self.truth[:, i]
            known = np.isfinite(truth)
            if 0 < truth[known].sum() < known.sum():
                yield name, truth[known], self.scores[known, i]

    def difference(self, baseline: str) -> tuple[str, float, float, float] | None:
        """Return the metric compared, how far the model is ahead of a baseline in it, and the 95% interval of that."""
        theirs = self.baseline_scores(baseline)
        if not self.has_records or theirs is None or len(theirs) != len(self.scores):
            return None
        if self.task == "multiclass":
            right = [s.argmax(1) == self.truth[:, 0] for s in (self.scores, theirs)]
            return ("accuracy", *mean_difference(*right))
        if self.task in ("binary", "multilabel"):
            return (self.headline[0], *auroc_difference(self.truth, self.scores, theirs))
        if self.period is not None:
            ours, other = (
                _row_means(np.cos((s - self.truth) * (2 * np.pi / self.period))) for s in (self.scores, theirs)
            )
            told = np.isfinite(ours)
            return ("mean_cosine", *mean_difference(ours[told], other[told]))
        if self.truth.shape[1] > 1:
            return None
        known = np.isfinite(self.truth[:, 0])
        return ("spearman", *correlation_difference(self.truth[known, 0], self.scores[known, 0], theirs[known, 0]))

    # -- motifs -------------------------------------------------------------------------------------------------------

    @cached_property
    def gallery(self) -> tuple[Shown, ...]:
        """The motifs, by importance."""
        found = () if self.motifs is None else self.motifs.motifs
        return tuple(Shown(motif, rank, self.colors) for rank, motif in enumerate(found, 1))

    @property
    def strong(self) -> tuple[Shown, ...]:
        """The motifs that count: significant, not negligible beside the first, of a model that learned something."""
        if self.verdict in ("nothing", "worse"):
            return ()
        significant = [s for s in self.gallery if s.found.significant]
        floor = NEGLIGIBLE * max((s.found.importance for s in significant), default=0.0)
        return tuple(s for s in significant if s.found.importance >= floor)

    @property
    def title(self) -> str:
        """What the network was asked to do, as a title."""
        labels = self.model.labels
        if self.task == "binary":
            return f"Telling {named(labels[1])} from {named(labels[0])}"
        if self.task == "multiclass":
            return f"Telling {len(labels)} classes apart"
        if self.task == "multilabel":
            return f"Recognizing {len(labels)} labels"
        return f"Predicting {labels[0]}" if len(labels) == 1 else f"Predicting {len(labels)} targets"

    def baseline_name(self, name: str) -> str:
        """Return a baseline's name as people say it."""
        if name == "composition":
            if self.kind == "codes":
                protein = self.model.alphabet is not None and self.model.alphabet.name == "protein"
                return "amino acids and length" if protein else "composition"
            if self.kind == "samples" and self.model.encoder.height == 1:
                return "mean of each variable" if self.model.encoder.channels > 1 else "mean of the series"
            one = "mean brightness" if self.kind == "pixels" else "mean of the picture"
            return "mean of each channel" if self.model.encoder.channels > 1 else one
        return spoken(name)


def _row_means(values: Floats) -> Floats:
    """Return the mean over the known values of each row, ``(N,)``; NaN where none is."""
    known = np.isfinite(values)
    counts = known.sum(1)
    return np.where(counts > 0, np.where(known, values, 0).sum(1) / counts.clip(1), np.nan)


def _table(values: npt.ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    return array[:, None] if array.ndim == 1 else array
