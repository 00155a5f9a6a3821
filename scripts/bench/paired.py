"""Figures of several systems on the same records, and the paired bootstrap of their differences."""

from __future__ import annotations

from inspect import unwrap
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from seqcnn import metrics

Floats = npt.NDArray[np.float64]

#: Bootstrap draws, and the cells (records by draws) held at a time.
DRAWS, CELLS = 1000, 500_000
#: Measures that take probabilities; the others take anything that rises with them.
PROBABLE = ("mcc", "ece", "accuracy", "f1")


def scores(metric: str, logits: Floats) -> Floats:
    """Return logits (N, K) as the measure takes them."""
    if logits.shape[1] > 1:
        return logits  # the largest is the call
    return 1 / (1 + np.exp(-logits[:, 0].clip(-500, 500))) if metric in PROBABLE else logits[:, 0]


def figure(metric: str, truth: Floats, logits: Floats) -> float:
    """Return one figure."""
    return float(getattr(metrics, metric)(truth, scores(metric, logits)))


def drawn(metric: str, seeds: list[dict[str, Floats]], systems: tuple[str, ...], *, classes: bool) -> dict[str, Floats]:
    """Return for each system the mean over seeds of its figure on each bootstrap draw of the test records, (DRAWS,).

    Records are resampled within classes where there are any. The same test records are always resampled alike, for
    every seed, system and row, so that differences are paired, and rows that share them move together.

    Parameters
    ----------
    seeds
        For each seed ``truth`` (N,) and the logits (N, K) of each system.
    """
    measure: Any = unwrap(getattr(metrics, metric))
    sums = {name: np.zeros(DRAWS) for name in systems}
    for seed in seeds:
        truth = seed["truth"]
        within = truth if classes else np.zeros(len(truth))
        rng = np.random.default_rng(crc32(truth.tobytes()))
        group = max(1, min(DRAWS, CELLS // len(truth)))
        for start in range(0, DRAWS, group):
            counts = metrics.resampled_counts(within, min(group, DRAWS - start), rng)
            for name in systems:
                sums[name][start : start + group] += measure(truth, scores(metric, seed[name]), counts)
    return {name: total / len(seeds) for name, total in sums.items()}


def interval(draws: Floats) -> tuple[float, float]:
    """Return the 95% percentile interval."""
    low, high = np.nanpercentile(draws, [2.5, 97.5])
    return float(low), float(high)
