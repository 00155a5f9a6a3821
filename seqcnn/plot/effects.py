"""The distribution of effects: how many variants do how much, on a logarithmic scale of counts."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.plot.canvas import dress
from seqcnn.plot.palette import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_effects(values: npt.ArrayLike, strongest: npt.ArrayLike, ax: "Axes", *, x: str, bins: int = 61) -> "Axes":
    """Draw a histogram of effects, zero in the middle of a bin, with ticks where the strongest lie; return `ax`.

    Parameters
    ----------
    values
        Effects ``(n,)``; those that are NaN are left out.
    strongest
        Effects to mark.
    x
        What an effect is.
    """
    dress(ax, x=x, y="alleles")
    numbers = np.asarray(values, np.float64)
    numbers, marks = numbers[np.isfinite(numbers)], np.asarray(strongest, np.float64)
    most = max([float(np.abs(part).max()) for part in (numbers, marks[np.isfinite(marks)]) if len(part)], default=1.0)
    edges = np.linspace(-1, 1, bins + 1) * (most or 1.0) * 1.04
    counts = np.histogram(numbers, edges)[0]
    ax.stairs(counts, edges, color=BLUE, fill=True, alpha=0.25, linewidth=0)
    ax.stairs(counts, edges, color=BLUE, linewidth=1.3)
    ax.set_yscale("symlog", linthresh=1)
    highest = max(float(counts.max()), 1.0)
    ax.set_ylim(0, highest * 2)
    ticks = [10**i for i in range(9) if 10**i <= highest * 1.5]
    ax.set_yticks([0, *ticks], ["0", *(f"{tick:,}" for tick in ticks)])
    ax.minorticks_off()
    ax.plot(marks, np.full(len(marks), 0.0), "|", color=ORANGE, markersize=12, markeredgewidth=1.8, clip_on=False)
    ax.axvline(0, color="black", linewidth=0.6, alpha=0.4)
    return ax
