"""Predicted against true values."""

from typing import Any, ClassVar

import numpy as np

from seqcnn.plot.canvas import figure
from seqcnn.plot.scatter import MOST_POINTS, draw_scatter
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section

MOST_TARGETS = 6


class Scatter(Section):
    """Suits regression: one drawing a target."""

    name: ClassVar[str] = "scatter"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Predicted and true values"
    tasks: ClassVar[tuple[str, ...]] = ("regression",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return a drawing a target, in the units the network learned in where these differ."""
        if not material.has_records:
            return {"missing": "No scatter plot: no predictions for single records are at hand."}
        plots = []
        transforms = getattr(material.model.task, "transforms", ())
        for i, name in enumerate(material.model.labels[:MOST_TARGETS]):
            truth, score = material.truth[:, i], material.scores[:, i]
            known = np.isfinite(truth) & np.isfinite(score)
            heavy = i < len(transforms) and transforms[i] != "identity"
            fig, (ax,) = figure(400, 340)
            draw_scatter(truth[known], score[known], ax, title=name)
            if heavy and known.any():
                logarithmic(ax, truth[known], score[known])
            caption = f"{name}: {known.sum():,} records" + (
                "; darker where there are more" if known.sum() > MOST_POINTS else ""
            )
            caption += "; logarithmic axes, because the target is heavy-tailed" if heavy else ""
            plots.append((inline(to_svg(fig, title=f"Predicted against true {name}")), caption + "."))
        return {"plots": plots, "hidden": max(len(material.model.labels) - MOST_TARGETS, 0)}


def logarithmic(ax: Any, truth: Any, score: Any) -> None:
    """Make both axes logarithmic over one range, linear around zero where values are not all positive."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, SymmetricalLogLocator

    values = np.concatenate([truth, score])
    low, high = values.min(), values.max()
    ax.lines[-1].set_data([low, high], [low, high])
    positive = values.min() > 0
    linear = 10.0 ** np.floor(np.log10(np.quantile(np.abs(truth), 0.75) or 1.0))
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        if positive:
            getattr(ax, f"set_{name}scale")("log")
            axis.set_major_locator(LogLocator(base=10, numticks=8))
        else:
            getattr(ax, f"set_{name}scale")("symlog", linthresh=linear, linscale=1)
            axis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=linear))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        getattr(ax, f"set_{name}lim")((low / 1.3, high * 1.3) if positive else (low - linear / 5, high * 1.3))
