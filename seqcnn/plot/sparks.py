"""Small drawings that stand between words: outlines of histograms, written as SVG directly."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from seqcnn.plot.palette import FAINT, THEMED


def outlines_svg(
    shares: npt.ArrayLike, colors: Sequence[str], *, title: str, width: int = 300, height: int = 64
) -> str:
    """Return stepped outlines over common bins, a row of `shares` each, as a small ``<svg>``.

    Parameters
    ----------
    shares
        Heights ``(rows, bins)``; the highest fills the drawing.
    colors
        One a row.

    Examples
    --------
    >>> outlines_svg([[0.5, 0.5]], ["#0072b2"], title="where").count("<path")
    2
    """
    table = np.atleast_2d(np.asarray(shares, np.float64))
    bins = table.shape[1]
    top = float(table.max(initial=0)) or 1.0
    step = width / max(bins, 1)
    paths = []
    for row, color in zip(table, colors, strict=False):
        ink = THEMED.get(color, color)
        ys = height - 2 - row / top * (height - 6)
        outline = "".join(f"V{y:.1f}H{(i + 1) * step:.1f}" for i, y in enumerate(ys))
        floor = height - 2
        paths.append(
            f'<path d="M0 {floor}{outline}V{floor}Z" style="fill:{ink};fill-opacity:.16"/>'
            f'<path d="M0 {floor}{outline}V{floor}" style="fill:none;stroke:{ink};stroke-width:1.5"/>'
        )
    axis = f'<line x1="0" x2="{width}" y1="{height - 1}" y2="{height - 1}" style="stroke:{THEMED[FAINT]}"/>'
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(title)}">{axis}{"".join(paths)}</svg>'
    )
