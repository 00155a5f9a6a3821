"""Predicted against true values, on a line or on a circle, as points or, where they are many, as density."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.plot.canvas import dress
from seqcnn.plot.palette import BLUE, FAINT, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
MOST_POINTS = 600


def draw_scatter(truth: npt.ArrayLike, predicted: npt.ArrayLike, ax: "Axes", *, title: str = "") -> "Axes":
    """Draw predicted against true values and the line where they agree; over 600 points, a density; return `ax`.

    The density is a grid of squares whose opacity grows with the logarithm of the count.
    """
    a, b = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    dress(ax, x="true value", y="predicted value", title=title, grid="both")
    if not len(a):
        return ax
    _cloud(a, b, ax)
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    ax.plot([low, high], [low, high], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set_box_aspect(0.82)
    return ax


def draw_circular_scatter(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, ax: "Axes", *, period: float, title: str = ""
) -> "Axes":
    """Draw predicted against true values on a circle and the line where they agree; return `ax`.

    A prediction is drawn on the turn of the circle that is nearest the truth, so that 359 for a truth of 1 lies just
    under the line: the axis of predictions goes on half a turn below 0 and above the period, on grey ground.
    """
    a = np.mod(np.asarray(truth, np.float64), period)
    error = (np.asarray(predicted, np.float64) - a + period / 2) % period - period / 2
    known = np.isfinite(error)
    a, b = a[known], (a + error)[known]
    dress(ax, x="true value", y="predicted value", title=title, grid="both")
    turns = period * np.array([-0.5, 0.0, 1.0, 1.5])
    for low, high in (turns[:2], turns[2:]):
        ax.axhspan(low, high, color=FAINT, alpha=0.22, linewidth=0)
    if len(a):
        _cloud(a, b, ax)
    ax.plot([0, period], [0, period], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ticks = period * np.arange(-2, 7) / 4
    ax.set_xticks(ticks[2:7], [f"{t:g}" for t in ticks[2:7]])
    ax.set_yticks(ticks, [f"{t % period if t != period else t:g}" for t in ticks])
    ax.set_xlim(-0.01 * period, 1.01 * period)
    ax.set_ylim(turns[0], turns[3])
    ax.set_box_aspect(1.1)
    return ax


def _cloud(a: Floats, b: Floats, ax: "Axes") -> None:
    """Draw points, or over 600 of them a density: squares whose opacity grows with the logarithm of the count."""
    if len(a) <= MOST_POINTS:
        ax.plot(a, b, linestyle="", marker="o", markersize=3.2, color=BLUE, alpha=0.5, markeredgewidth=0)
        return
    counts, xs, ys = np.histogram2d(a, b, bins=42)
    strength = np.log1p(counts.T) / np.log1p(counts.max())
    paint = np.zeros((*strength.shape, 4))
    paint[..., :3] = [int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    paint[..., 3] = np.where(counts.T > 0, 0.15 + 0.85 * strength, 0)
    extent = (float(xs[0]), float(xs[-1]), float(ys[0]), float(ys[-1]))
    ax.imshow(paint, extent=extent, origin="lower", aspect="auto", interpolation="none")
