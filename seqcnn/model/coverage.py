"""Coverage: how often sets and intervals for single records hold the truth, and how large they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.checks import between
from seqcnn.conformal import Conformity
from seqcnn.errors import DataError
from seqcnn.tasks.task import Floats, Task

#: What evaluations state where nothing else is asked for.
COVERAGE = 0.9


@dataclass(frozen=True)
class Coverage:
    """What sets or intervals that were made for a coverage reached on records of known truth.

    Parameters
    ----------
    stated, found, ci95
        Coverage asked for; share of truths that were held; its 95% interval (Clopper & Pearson 1934).
    n
        Truths: a record's class, or each of its labels or known targets.
    size, median_size
        Number of classes or labels of a set, or width of an interval in the unit of the targets; None where there are
        several targets, for which `each` tells.
    each
        Class, label or target to its own ``found``, ``n`` and, of targets, ``size`` and ``median_size``.
    held_out, source
        Predictions the limits rest on: how many, and whether ``out-of-fold`` or of the ``validation part``.
    """

    stated: float
    found: float
    ci95: tuple[float, float]
    n: int
    size: float | None
    median_size: float | None
    each: dict[str, dict[str, Any]]
    held_out: int
    source: str


def limits_of(task: Task, conformity: Conformity | None, coverage: float, name: str = "coverage") -> Floats:
    """Return the limits of a model's sets or intervals, ``(J,)``.

    Raises
    ------
    OptionError
        If the coverage, called `name`, is not between 0 and 1.
    DataError
        If the model does not know how far off it is, or too few records were held out.
    """
    between(coverage, name, 0, 1)
    if conformity is None:
        raise DataError(
            f"{name} {coverage:g}: the model file keeps no errors of held-out records, so its sets and intervals are "
            "unknown; train again, with --folds or --valid"
        )
    return conformity.checked(coverage, task.labels, pool=not task.numeric, option=name)


def measured(task: Task, conformity: Conformity, truth: Floats, logits: npt.ArrayLike, *, coverage: float) -> Coverage:
    """Return the coverage of calibrated logits ``(N, K)`` of records with targets ``(N, T)``.

    Raises
    ------
    OptionError, DataError
        As `limits_of`.
    """
    limits = limits_of(task, conformity, coverage)
    if task.numeric:
        known, (low, high) = np.isfinite(truth), np.moveaxis(task.ranges(logits, limits), 2, 0)
        period = getattr(task, "period", None)
        inside, sizes = (low <= truth) & (truth <= high), high - low
        if period is not None:
            sizes = np.where(sizes < 0, sizes + period, sizes)
            inside = np.mod(truth - low, period) <= sizes
        sizes = np.where(known, sizes, np.nan)
    else:
        known, inside = task.holds(truth), task.sets(logits, limits)
        sizes = inside.sum(1)[np.isfinite(truth).any(1), None].astype(np.float64)
    each: dict[str, dict[str, Any]] = {}
    for j, label in enumerate(task.labels):
        each[label] = {"found": _mean(inside[known[:, j], j]), "n": int(known[:, j].sum())}
        each[label] |= _sizes(sizes[:, j]) if task.numeric else {}
    n, right = int(known.sum()), int((inside & known).sum())
    whole = _sizes(sizes) if sizes.shape[1] == 1 else {"size": None, "median_size": None}
    return Coverage(
        stated=float(coverage),
        found=right / n if n else float("nan"),
        ci95=_clopper_pearson(right, n),
        n=n,
        each=each,
        held_out=int(conformity.counts.sum() if not task.numeric else conformity.counts.min()),
        source="out-of-fold" if conformity.folds else "validation part",
        **whole,
    )


def coverage_sentence(stored: Mapping[str, Any] | None, task: str) -> str:
    """Return what a stored coverage says; empty where there is nothing to say.

    >>> found = {"stated": 0.9, "found": 0.915, "ci95": [0.88, 0.94], "n": 400, "size": 1.25, "held_out": 600,
    ...          "source": "out-of-fold"}
    >>> print(coverage_sentence(found, "binary"))
    sets for a coverage of 90% hold 91.5% of 400 true classes (95% interval 88.0% to 94.0%), 1.25 classes on average
    """
    if not stored or stored["found"] is None:
        return ""
    kinds = {"binary": ("sets", "true classes", "classes"), "multiclass": ("sets", "true classes", "classes")}
    kinds["multilabel"] = ("sets", "labels held", "labels")
    what, truths, unit = kinds.get(task, ("intervals", "true values", "wide"))
    low, high = stored["ci95"]
    text = f"{what} for a coverage of {100 * stored['stated']:g}% hold {100 * stored['found']:.1f}% of "
    text += f"{stored['n']:,} {truths} (95% interval {100 * low:.1f}% to {100 * high:.1f}%)"
    return text if stored["size"] is None else f"{text}, {stored['size']:.3g} {unit} on average"


def _mean(values: npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _sizes(values: Floats) -> dict[str, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return {"size": float("nan"), "median_size": float("nan")}
    return {"size": float(known.mean()), "median_size": float(np.median(known))}


def _clopper_pearson(right: int, n: int) -> tuple[float, float]:
    """Return the exact 95% interval of a share.

    >>> _clopper_pearson(0, 10)[0], round(_clopper_pearson(0, 10)[1], 4)
    (0.0, 0.3085)
    """
    from scipy.special import betaincinv

    low = float(betaincinv(right, n - right + 1, 0.025)) if right else 0.0
    return low, float(betaincinv(right + 1, n - right, 0.975)) if right < n else 1.0
