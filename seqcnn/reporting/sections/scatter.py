"""Predicted against true values."""

from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup

from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.palette import GREY
from seqcnn.plot.scatter import MOST_POINTS, draw_circular_scatter, draw_scatter
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section

MOST_TARGETS = 6
#: Bins of the errors along a circle: of so many records, and of fewer.
_BINS, _MANY = (48, 24), 500


class Scatter(Section):
    """Suits regression: one drawing a target, of circular ones two."""

    name: ClassVar[str] = "scatter"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Predicted and true values"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "circular")

    def content(self, material: Material) -> dict[str, Any]:
        """Return a drawing a target, in the units the network learned in where these differ."""
        if not material.has_records:
            return {"missing": "No scatter plot: no predictions for single records are at hand."}
        plots = []
        for i, name in enumerate(material.model.labels[:MOST_TARGETS]):
            plots += circular(material, i, name) if material.period is not None else [linear(material, i, name)]
        return {
            "plots": plots,
            "hidden": max(len(material.model.labels) - MOST_TARGETS, 0),
            "period": material.period,
            "unit": material.target_unit,
        }


def linear(material: Material, i: int, name: str) -> tuple[Markup, str]:
    """Return the drawing of a target, and its caption."""
    transforms = getattr(material.model.task, "transforms", ())
    truth, score = material.truth[:, i], material.scores[:, i]
    known = np.isfinite(truth) & np.isfinite(score)
    heavy = i < len(transforms) and transforms[i] != "identity"
    fig, (ax,) = figure(400, 340)
    draw_scatter(truth[known], score[known], ax, title=name)
    if heavy and known.any():
        logarithmic(ax, truth[known], score[known])
    caption = f"{name}: {material.nouns.count(int(known.sum()))}{_darker(int(known.sum()))}"
    caption += "; logarithmic axes, because the target is heavy-tailed" if heavy else ""
    return inline(to_svg(fig, title=f"Predicted against true {name}")), caption + "."


def circular(material: Material, i: int, name: str) -> list[tuple[Markup, str]]:
    """Return the drawing of a circular target and that of its errors, with captions."""
    period, unit = material.period or 1.0, material.target_unit
    truth, score = material.truth[:, i], material.scores[:, i]
    fig, (ax,) = figure(400, 400)
    draw_circular_scatter(truth, score, ax, period=period, title=name)
    known = int((np.isfinite(truth) & np.isfinite(score)).sum())
    caption = (
        f"{name}: {material.nouns.count(known)}{_darker(known)}. Each prediction is drawn on the turn nearest the "
        "truth; on grey ground the scale goes on beyond its end."
    )
    drawings = [(inline(to_svg(fig, title=f"Predicted against true {name}, on a circle")), caption)]
    errors = material.turned(score - truth)
    errors = errors[np.isfinite(errors)]
    fig, (ax,) = figure(400, 300)
    half, bins = period / 2, _BINS[len(errors) < _MANY]
    draw_histograms(
        {name: errors}, ax, x=f"error of {name}{f' ({unit})' if unit else ''}", bins=bins, span=(-half, half)
    )
    if (drawn_legend := ax.get_legend()) is not None:
        drawn_legend.remove()
    ax.axhline(1 / bins, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set_xticks(period * np.arange(-2, 3) / 4)
    caption = f"Error along the circle, from minus to plus half of {period:g}{unit}. Dashed: guessing."
    return [*drawings, (inline(to_svg(fig, title=f"Errors of {name} along the circle")), caption)]


def _darker(count: int) -> str:
    return "; darker where there are more" if count > MOST_POINTS else ""


def logarithmic(ax: Any, truth: Any, score: Any) -> None:
    """Make both axes logarithmic over one range, linear around zero where values are not all positive."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, SymmetricalLogLocator

    values = np.concatenate([truth, score])
    low, high = values.min(), values.max()
    ax.lines[-1].set_data([low, high], [low, high])
    positive = values.min() > 0
    threshold = 10.0 ** np.floor(np.log10(np.quantile(np.abs(truth), 0.75) or 1.0))
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        if positive:
            getattr(ax, f"set_{name}scale")("log")
            axis.set_major_locator(LogLocator(base=10, numticks=8))
        else:
            getattr(ax, f"set_{name}scale")("symlog", linthresh=threshold, linscale=1)
            axis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=threshold))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        getattr(ax, f"set_{name}lim")((low / 1.3, high * 1.3) if positive else (low - threshold / 5, high * 1.3))
