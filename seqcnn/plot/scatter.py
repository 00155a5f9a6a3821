"""Predicted against true values, as points or, where they are many, as density."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.plot.canvas import dress
from seqcnn.plot.palette import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    if len(a) <= MOST_POINTS:
        ax.plot(a, b, linestyle="", marker="o", markersize=3.2, color=BLUE, alpha=0.5, markeredgewidth=0)
    else:
        counts, xs, ys = np.histogram2d(a, b, bins=42)
        strength = np.log1p(counts.T) / np.log1p(counts.max())
        paint = np.zeros((*strength.shape, 4))
        paint[..., :3] = [int(BLUE[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        paint[..., 3] = np.where(counts.T > 0, 0.15 + 0.85 * strength, 0)
        extent = (float(xs[0]), float(xs[-1]), float(ys[0]), float(ys[-1]))
        ax.imshow(paint, extent=extent, origin="lower", aspect="auto", interpolation="none")
    low, high = max(a.min(), b.min()), min(a.max(), b.max())
    ax.plot([low, high], [low, high], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    ax.set_box_aspect(0.82)
    return ax
