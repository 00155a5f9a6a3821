"""Small drawings of series, pointer paths and filters of series, written as SVG directly."""

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

from seqcnn.plot.palette import BLUE, CYCLE, FAINT, GREY, ORANGE, THEMED

Floats = npt.NDArray[np.float64]

#: Variables that are drawn, and about how many points of all of them together.
MOST_VARIABLES, _POINTS = 8, 640
_WIDTH, _HEIGHT, _MARGIN = 220, 64, 2.0


def series_svg(
    values: npt.ArrayLike,
    *,
    title: str,
    width: int = _WIDTH,
    height: int = _HEIGHT,
    span: tuple[float, float] | None = None,
    colors: Sequence[str] = CYCLE,
) -> str:
    """Return series ``(V, T)`` as a small ``<svg>``: a line a variable, one under the other, each on its own scale.

    Long series are drawn as the band between the lowest and the highest value of each piece; missing values are gaps;
    of many variables the first eight are drawn.

    Parameters
    ----------
    width, height
        In CSS pixels; several variables make it up to twice as high.
    span
        What the lowest and the highest place stand for; None for the range of each variable.

    Examples
    --------
    >>> series_svg([[0, 1, 0], [5, 5, 5]], title="two").count("<path")
    2
    """
    table = np.atleast_2d(np.asarray(values, np.float64))[:MOST_VARIABLES]
    lanes = len(table)
    lane = height if lanes == 1 else max(height / lanes, min(20.0, 2 * height / lanes))
    points = max(60, _POINTS // lanes)
    parts = []
    for i, row in enumerate(table):
        known = row[np.isfinite(row)]
        low, high = span or ((known.min(), known.max()) if len(known) else (0.0, 1.0))
        scale = (lane - 2 * _MARGIN) / ((high - low) or 1.0)
        middle = 0.0 if high > low else lane / 2 - _MARGIN  # a constant runs through the middle
        floor = (i + 1) * lane - _MARGIN - middle
        ink = THEMED.get(colors[i % len(colors)], colors[i % len(colors)])
        parts.append(_line(floor - (row - low) * scale, width, points, ink))
    return _svg("".join(parts), width, lane * lanes, title)


def path_svg(x: npt.ArrayLike, y: npt.ArrayLike, clicks: npt.ArrayLike, *, title: str, side: int = 84) -> str:
    """Return a pointer's path as a small square ``<svg>``: a ring where it begins, dots where it was clicked.

    >>> path_svg([0, 4, 9], [0, 1, 5], [0, 0, 1], title="path").count("<circle")
    2
    """
    place = np.stack([np.asarray(x, np.float64), np.asarray(y, np.float64)])
    real = np.isfinite(place).all(0)
    place, pressed = place[:, real], np.asarray(clicks, np.float64)[real] > 0
    if not place.shape[1]:
        return _svg("", side, side, title)
    low, high = place.min(1, keepdims=True), place.max(1, keepdims=True)
    room = side - 10
    at = (place - (low + high) / 2) * (room / (float((high - low).max()) or 1.0)) + side / 2
    step = -(-at.shape[1] // _POINTS)
    points = " ".join(f"{a:.1f} {b:.1f}" for a, b in at[:, ::step].T)
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" style="fill:{THEMED[ORANGE]}"/>' for a, b in at[:, pressed].T[:20]
    )
    line = f'<path d="M{points}" style="fill:none;stroke:{THEMED[BLUE]};stroke-width:1.4;stroke-linejoin:round"/>'
    a, b = at[:, 0]
    ring = f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" style="fill:none;stroke:{THEMED[GREY]};stroke-width:1.4"/>'
    return _svg(line + dots + ring, side, side, title)


def taps_svg(weights: npt.ArrayLike, *, title: str, width: int = 68, height: int = 44) -> str:
    """Return a filter of a series ``(n,)`` as bars from zero: orange up is positive, blue down negative.

    >>> taps_svg([1, -2, 0.5], title="filter 0").count("<rect")
    3
    """
    taps = np.asarray(weights, np.float64)
    largest = float(np.abs(taps).max(initial=0)) or 1.0
    wide, middle = width / max(len(taps), 1), height / 2
    bars = []
    for i, weight in enumerate(taps):
        tall = abs(weight) / largest * (middle - 1)
        top = middle - tall if weight > 0 else middle
        ink = THEMED[ORANGE if weight > 0 else BLUE]
        bars.append(
            f'<rect x="{i * wide + 0.5:.1f}" y="{top:.1f}" width="{max(wide - 1, 0.5):.1f}" height="{tall:.1f}" '
            f'style="fill:{ink}"/>'
        )
    axis = f'<line x1="0" x2="{width}" y1="{middle}" y2="{middle}" style="stroke:{THEMED[FAINT]}"/>'
    return _svg(axis + "".join(bars), width, height, title)


def _line(ys: Floats, width: int, points: int, ink: str) -> str:
    """Return heights ``(T,)``, NaN where missing, as a path: a line or, where it is long, the band of its extremes."""
    size = len(ys)
    if size > points:
        starts = np.arange(points // 2) * size // (points // 2)
        top = np.fmin.reduceat(ys, starts)  # fmin passes over missing values
        bottom = np.fmax.reduceat(ys, starts)
        xs = (starts + 0.5 * np.diff(starts, append=size)) / size * width
        real = np.isfinite(top)
        around = [
            *zip(xs[real], top[real] - 0.4, strict=True),
            *zip(xs[real][::-1], bottom[real][::-1] + 0.4, strict=True),
        ]
        outline = "L".join(f"{x:.1f} {y:.1f}" for x, y in around)
        return f'<path d="M{outline}Z" style="fill:{ink}"/>' if around else ""
    xs = (np.arange(size) + 0.5) / max(size, 1) * width
    pieces, drawing = [], False
    for x, y in zip(xs, ys, strict=True):
        if np.isfinite(y):
            pieces.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}")
        drawing = bool(np.isfinite(y))
    return f'<path d="{"".join(pieces)}" style="fill:none;stroke:{ink};stroke-width:1.4;stroke-linejoin:round"/>'


def _svg(body: str, width: float, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )
