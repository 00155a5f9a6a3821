"""Calibration: whether a stated probability is what is observed, bin by bin."""

from typing import Any, ClassVar

import numpy as np

from seqcnn.plot.canvas import figure
from seqcnn.plot.curves import draw_counts, draw_reliability
from seqcnn.plot.svg import to_svg
from seqcnn.reliability import CALIBRATION_BINS as BINS
from seqcnn.reliability import calibration_error
from seqcnn.reporting.bands import wilson
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section


class Calibration(Section):
    """Suits tasks with classes or labels; several classes are judged by the confidence in the one predicted."""

    name: ClassVar[str] = "calibration"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Calibration"
    tasks: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "multilabel")

    def half(self, material: Material) -> bool:
        """Return True: it is one drawing."""
        return True

    def content(self, material: Material) -> dict[str, Any]:
        """Return the reliability diagram with the number of records a bin, and the calibration error."""
        if not material.has_records:
            return {"missing": "No calibration curve: no predictions for single records are at hand."}
        if material.task == "multiclass":
            stated = material.scores.max(axis=1)
            seen = (material.scores.argmax(axis=1) == material.truth[:, 0]).astype(float)
            x, y = "confidence in the predicted class", "share predicted right"
        else:
            known = np.isfinite(material.truth)
            stated, seen = material.scores[known], material.truth[known]
            x, y = "predicted probability", "observed share"
        edges = np.linspace(0, 1, BINS + 1)
        place = np.minimum((stated * BINS).astype(int), BINS - 1)
        counts = np.bincount(place, minlength=BINS)
        full = np.flatnonzero(counts)
        means = np.bincount(place, stated, BINS)[full] / counts[full]
        right = np.bincount(place, seen, BINS)[full]
        low, high = wilson(right, counts[full])
        fig, (top, bottom) = figure(400, 340, rows=2, columns=1, height_ratios=(4, 1), sharex=True)
        draw_reliability(means, right / counts[full], top, low=low, high=high, x="", y=y)
        top.set_box_aspect(None)
        draw_counts(edges, counts, bottom, x=x, y="n")
        top.tick_params(labelbottom=False)
        error = material.figure("ece")
        gap = float(calibration_error(seen, stated, np.ones((len(seen), 1)))[0])
        return {
            "plot": inline(to_svg(fig, title="Reliability diagram")),
            "error": error.value if error.value is not None else gap,
            "interval": error.interval,
            "n": int(counts.sum()),
            "bins": BINS,
        }
