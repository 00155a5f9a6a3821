"""Curves: receiver operating characteristic, precision and recall, reliability, training history."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.plot.canvas import TEXT, dress, legend
from seqcnn.plot.palette import BLUE, FAINT, GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]


def thin(x: npt.ArrayLike, y: npt.ArrayLike, *, points: int = 200) -> tuple[Floats, Floats]:
    """Return at most `points` of a curve, spread evenly along its length, the ends kept.

    >>> x, y = thin(range(1001), range(1001), points=5)
    >>> x.tolist()
    [0.0, 250.0, 500.0, 750.0, 1000.0]
    """
    a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(a) <= points:
        return a, b
    span = max(np.ptp(a), 1e-12), max(np.ptp(b), 1e-12)
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(a)) / span[0] + np.abs(np.diff(b)) / span[1])])
    keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], points)).clip(0, len(a) - 1))
    return a[keep], b[keep]


def draw_curve(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    ax: "Axes",
    *,
    color: str = BLUE,
    label: str = "",
    band: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    style: str = "-",
    width: float = 1.8,
) -> "Axes":
    """Draw one curve of at most 200 points, and its interval ``(x, low, high)`` where given; return `ax`."""
    if band is not None:
        at, low, high = (np.asarray(v, np.float64) for v in band)
        ax.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
    ax.plot(*thin(x, y), color=color, linewidth=width, linestyle=style, label=label or None, solid_capstyle="round")
    return ax


def unit_square(ax: "Axes", *, x: str, y: str, chance: float | None = None, diagonal: bool = False) -> "Axes":
    """Dress `ax` as a unit square with the line that chance would draw; return it."""
    dress(ax, x=x, y=y, grid="both")
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xticks=np.linspace(0, 1, 6), yticks=np.linspace(0, 1, 6))
    ax.set_box_aspect(0.82)
    if diagonal:
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    if chance is not None:
        ax.axhline(chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
    return ax


def draw_history(
    epochs: Sequence[float],
    series: Mapping[str, tuple[Sequence[float | None], str]],
    ax: "Axes",
    *,
    best: int | None = None,
    y: str = "loss",
) -> "Axes":
    """Draw one line a series ``{label: (values, color)}`` over epochs, the best epoch marked; return `ax`."""
    dress(ax, x="epoch", y=y, grid="y")
    marker = "o" if len(epochs) <= 25 else ""
    for label, (values, color) in series.items():
        numbers = np.array([np.nan if v is None else v for v in values], np.float64)
        ax.plot(epochs, numbers, color=color, linewidth=1.6, marker=marker, markersize=3, label=label)
    if best is not None:
        ax.axvline(best, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.annotate(
            "kept", (best, 1), xycoords=("data", "axes fraction"), xytext=(4, -2), textcoords="offset points",
            fontsize=TEXT - 1.5, va="top",
        )  # fmt: skip
    ax.locator_params(axis="x", integer=True)
    return legend(ax, loc="best")


def draw_reliability(
    confidence: npt.ArrayLike,
    observed: npt.ArrayLike,
    ax: "Axes",
    *,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    x: str = "predicted probability",
    y: str = "observed share",
) -> "Axes":
    """Draw observed share against predicted probability, a point a bin, with intervals where given; return `ax`."""
    unit_square(ax, x=x, y=y, diagonal=True)
    at, seen = np.asarray(confidence, np.float64), np.asarray(observed, np.float64)
    if low is not None and high is not None:
        ax.vlines(at, np.asarray(low, np.float64), np.asarray(high, np.float64), color=BLUE, linewidth=1.2, alpha=0.6)
    ax.plot(at, seen, color=BLUE, linewidth=1.4, marker="o", markersize=4)
    return ax


def draw_counts(edges: npt.ArrayLike, counts: npt.ArrayLike, ax: "Axes", *, x: str, y: str = "records") -> "Axes":
    """Draw how many records each bin holds; return `ax`."""
    dress(ax, x=x, y=y)
    bounds = np.asarray(edges, np.float64)
    ax.bar(bounds[:-1], np.asarray(counts), width=np.diff(bounds), align="edge", color=FAINT, edgecolor="none")
    ax.set_xlim(bounds[0], bounds[-1])
    ax.locator_params(axis="y", nbins=3, integer=True)
    return ax
