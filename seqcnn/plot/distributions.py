"""Distributions of a number by class: scores, lengths, positions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.plot.canvas import dress, legend
from seqcnn.plot.palette import CYCLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_histograms(
    groups: Mapping[str, npt.ArrayLike],
    ax: "Axes",
    *,
    x: str,
    y: str = "share of records",
    bins: int = 30,
    span: tuple[float, float] | None = None,
    colors: Mapping[str, str] | None = None,
    where: str = "best",
) -> "Axes":
    """Draw a stepped histogram a group, each scaled to 1, over the same bins; return `ax`.

    Parameters
    ----------
    groups
        Label to values; empty groups are left out.
    span
        Lowest and highest edge; by default those of the data.
    """
    dress(ax, x=x, y=y)
    values = {k: np.asarray(v, np.float64) for k, v in groups.items()}
    values = {k: v[np.isfinite(v)] for k, v in values.items()}
    values = {k: v for k, v in values.items() if len(v)}
    if not values:
        return ax
    low, high = span or (min(v.min() for v in values.values()), max(v.max() for v in values.values()))
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, bins + 1)
    for i, (label, numbers) in enumerate(values.items()):
        color = (colors or {}).get(label, CYCLE[i % len(CYCLE)])
        share = np.histogram(numbers.clip(low, high), edges)[0] / len(numbers)
        ax.stairs(share, edges, color=color, fill=True, alpha=0.18, linewidth=0)
        ax.stairs(share, edges, color=color, linewidth=1.5, label=label)
    ax.set_xlim(low, high)
    ax.set_ylim(0, None)
    return legend(ax, loc=where)
