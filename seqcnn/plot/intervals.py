"""A forest plot: figures with their intervals, one line each, under a common axis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqcnn.plot.canvas import TEXT, dress
from seqcnn.plot.palette import BLUE, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_forest(
    names: Sequence[str],
    values: Sequence[float],
    ax: "Axes",
    *,
    intervals: Sequence[tuple[float, float] | None],
    x: str,
    chance: float | None = None,
    first: str = BLUE,
    colors: Sequence[str] | None = None,
) -> "Axes":
    """Draw a dot and an interval a name, from the top down, and return `ax`.

    The first is drawn in `first` and the rest in grey, unless `colors` says otherwise.
    """
    dress(ax, x=x, grid="x")
    for row, (value, interval) in enumerate(zip(values, intervals, strict=True)):
        color = colors[row] if colors is not None else first if row == 0 else GREY
        if interval is not None and np.isfinite(interval).all():
            ax.plot(interval, [row, row], color=color, linewidth=2.4, alpha=0.55, solid_capstyle="round")
        ax.plot([value], [row], color=color, marker="o", markersize=6)
    if chance is not None:
        ax.axvline(chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.annotate(
            "chance", (chance, 0), xycoords=("data", "axes fraction"), xytext=(4, 3), textcoords="offset points",
            fontsize=TEXT - 1.5,
        )  # fmt: skip
    ax.set_yticks(range(len(names)), list(names), fontsize=TEXT)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=6)
    return ax
