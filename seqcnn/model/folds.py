"""Figures fold by fold: how much those of a cross-validation vary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.inference.predict import Logits
from seqcnn.tasks.task import Floats, Task


@dataclass(frozen=True)
class FoldFigures:
    """Figures of each fold, and their mean and standard deviation over folds.

    Parameters
    ----------
    n
        Records of each fold.
    metrics
        Figures of each fold; None where undefined.
    mean, sd
        Of each figure over the folds where it is defined; of one fold alone the deviation is None.
    """

    n: tuple[int, ...]
    metrics: tuple[dict[str, Any], ...]
    mean: dict[str, float | None]
    sd: dict[str, float | None]


def fold_figures(task: Task, truth: Floats, logits: Logits, fold: npt.NDArray[np.int64] | None) -> FoldFigures | None:
    """Return the figures of each fold of N records; None where the folds are not known."""
    if fold is None:
        return None
    parts = [np.flatnonzero(fold == f) for f in np.unique(fold)]
    metrics = tuple(task.metrics(truth[part], logits[part]) for part in parts)
    mean: dict[str, float | None] = {}
    sd: dict[str, float | None] = {}
    for name in metrics[0]:
        values = [found[name] for found in metrics if isinstance(found.get(name), int | float)]
        values = [value for value in values if np.isfinite(value)]
        if values:
            mean[name] = float(np.mean(values))
            sd[name] = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return FoldFigures(tuple(map(len, parts)), metrics, mean, sd)


def folds_sentence(figures: Mapping[str, Any]) -> str:
    """Return how the first figure of stored ones (`Evaluation.to_dict`) varies over folds; empty if that is not known.

    >>> folds_sentence({
    ...     "metrics": {"auroc": 0.981},
    ...     "folds": {"n": [9, 9], "metrics": [{"auroc": 0.975}, {"auroc": 0.99}], "mean": {"auroc": 0.9825},
    ...               "sd": {"auroc": 0.0106}},
    ... })
    'auroc 0.981 out of 2 folds (0.975-0.990; mean 0.983, sd 0.011)'
    """
    folds = figures.get("folds")
    name = next((name for name, value in figures["metrics"].items() if folds and name in folds["mean"]), None)
    if not folds or name is None:
        return ""
    values = [found[name] for found in folds["metrics"] if found.get(name) is not None]
    mean, sd = folds["mean"][name], folds["sd"][name]
    spread = "" if sd is None else f", sd {sd:.3f}"
    whole = figures["metrics"][name]
    told = "undefined" if whole is None else f"{whole:.3f}"
    return (
        f"{name} {told} out of {len(folds['n'])} folds ({min(values):.3f}-{max(values):.3f}; mean {mean:.3f}{spread})"
    )
