"""The empty figure that every drawing starts from: quiet axes, no background, sizes in CSS pixels."""

from typing import TYPE_CHECKING, Any

from seqcnn.plot.palette import FAINT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PIXELS_PER_INCH = 72  # matplotlib's SVG unit is the point; drawn one to one, a point is a CSS pixel
TEXT = 11.5


def figure(
    width: float = 400, height: float = 300, *, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple["Figure", list["Axes"]]:
    """Return a figure of `width` by `height` CSS pixels and its axes, row by row.

    Figures are made without pyplot, so nothing of the caller's matplotlib state is touched.

    Examples
    --------
    >>> fig, (ax,) = figure(200, 100)
    >>> fig.get_size_inches().round(2).tolist()
    [2.78, 1.39]
    """
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH, layout="constrained")
    axes = list(fig.subplots(rows, columns, squeeze=False, **grid).flat)
    for ax in axes:
        dress(ax)
    return fig, axes


def dress(ax: "Axes", *, x: str = "", y: str = "", title: str = "", grid: str = "") -> "Axes":
    """Return `ax` with two spines, small ticks and labels; `grid` is ``"x"``, ``"y"``, ``"both"`` or empty."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_linewidth(0.8)
    ax.tick_params(labelsize=TEXT - 1, length=3, width=0.8)
    if x:
        ax.set_xlabel(x, fontsize=TEXT)
    if y:
        ax.set_ylabel(y, fontsize=TEXT)
    if title:
        ax.set_title(title, fontsize=TEXT, loc="left")
    if grid:
        ax.grid(axis=grid, color=FAINT, linewidth=0.5, alpha=0.6)  # type: ignore[arg-type]
        ax.set_axisbelow(True)
    return ax


def legend(ax: "Axes", **where: Any) -> "Axes":
    """Return `ax` with a frameless legend, if anything in it has a label."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=TEXT - 0.5, handlelength=1.4, **where)
    return ax
