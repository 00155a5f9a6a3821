"""Pooling, which keeps what was found and forgets where exactly, and unpooling, which makes room again."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqcnn.reference.convolution import Array, PerAxis, per_axis, windows

How = Literal["max", "mean", "min"]

_HOW: dict[str, Callable[..., Array]] = {"max": np.max, "mean": np.mean, "min": np.min}


def pool(x: npt.ArrayLike, size: int | Sequence[int], *, stride: PerAxis | None = None, how: How = "max") -> Array:
    """Return the maximum, mean or minimum of each window of the last axes.

    Parameters
    ----------
    x
        ``(..., *size)``: the axes before the window's are left alone.
    size
        Of the window, one number an axis; a single number is one axis.
    stride
        From window to window; the window's size if not given, so that windows don't overlap.
    how
        ``max``, ``mean`` (average) or ``min``.

    Raises
    ------
    ValueError
        If a window does not fit, or `how` is none of the three.

    Examples
    --------
    >>> X = np.array([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]])
    >>> pool(X, (2, 2)).tolist()
    [[5.0, 6.0], [7.0, 8.0]]
    >>> pool(X, (2, 2), how="mean").tolist()
    [[2.75, 3.0], [3.25, 3.75]]

    Small changes don't matter (invariance): move each maximum within its window, and the result is the same.

    >>> moved = np.array([[5, 2, 2, 3], [3, 1, 1, 6], [7, 2, 8, 1], [1, 3, 4, 2]])
    >>> pool(moved, (2, 2)).tolist()
    [[5.0, 6.0], [7.0, 8.0]]
    """
    if how not in _HOW:
        raise ValueError(f"pool: expected one of {', '.join(_HOW)}, found {how!r}")
    window = (size,) if isinstance(size, int | np.integer) else tuple(size)
    steps = window if stride is None else per_axis(stride, len(window))
    return _HOW[how](windows(x, window, stride=steps), axis=tuple(range(-len(window), 0)))


def global_pool(x: npt.ArrayLike, *, how: How = "max") -> Array:
    """Return one number a channel of x ``(N, C, *size)``: whether a motif is there at all, wherever it is.

    >>> global_pool([[[1, 5, 2], [0, 0, 3]]]).tolist()
    [[5.0, 3.0]]
    """
    x = np.asarray(x, float)
    return pool(x, x.shape[2:], how=how).reshape(x.shape[:2])


def depth_pool(x: npt.ArrayLike, size: int, *, how: How = "max") -> Array:
    """Return the pool over each `size` channels of x ``(N, C, *size)``: whichever of a few filters answers.

    >>> depth_pool([[[1, 5], [4, 0], [2, 2], [3, 1]]], 2).tolist()
    [[[4.0, 5.0], [3.0, 2.0]]]
    """
    return np.moveaxis(pool(np.moveaxis(np.asarray(x, float), 1, -1), size, how=how), -1, 1)


def maxima(x: npt.ArrayLike, size: int | Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return where the maximum of each window lies, True for the first of equals; windows don't overlap.

    >>> maxima([[1, 2, 6, 3], [3, 5, 2, 1]], (2, 2)).astype(int).tolist()
    [[0, 0, 1, 0], [0, 1, 0, 0]]
    """
    x = np.asarray(x, float)
    window = (size,) if isinstance(size, int | np.integer) else tuple(size)
    axes = len(window)
    seen = windows(x, window, stride=window)
    stops = seen.shape[-2 * axes : -axes]
    flat = seen.reshape(*seen.shape[:-axes], -1)
    first = np.arange(flat.shape[-1]) == flat.argmax(-1)[..., None]  # (..., *stops, places)
    mask = np.zeros(x.shape, bool)
    inside: tuple[Any, ...] = (..., *[slice(0, s * k) for s, k in zip(stops, window, strict=True)])
    mask[inside] = _tiles(first.reshape(seen.shape), axes)
    return mask


def unpool_nearest(y: npt.ArrayLike, size: int | Sequence[int]) -> Array:
    """Return each number repeated over its window (nearest neighbor).

    >>> unpool_nearest([[5, 6], [7, 8]], (2, 2)).astype(int).tolist()
    [[5, 5, 6, 6], [5, 5, 6, 6], [7, 7, 8, 8], [7, 7, 8, 8]]
    """
    y = np.asarray(y, float)
    window = (size,) if isinstance(size, int | np.integer) else tuple(size)
    for axis, k in enumerate(reversed(window)):
        y = np.repeat(y, k, axis=y.ndim - 1 - axis)
    return y


def unpool_bed_of_nails(y: npt.ArrayLike, size: int | Sequence[int]) -> Array:
    """Return each number at the first place of its window, zeros elsewhere.

    >>> unpool_bed_of_nails([[5, 6], [7, 8]], (2, 2)).astype(int).tolist()
    [[5, 0, 6, 0], [0, 0, 0, 0], [7, 0, 8, 0], [0, 0, 0, 0]]
    """
    spread = unpool_nearest(y, size)
    return np.where(maxima(np.zeros_like(spread), size), spread, 0.0)


def unpool_maxima(y: npt.ArrayLike, where: npt.ArrayLike, size: int | Sequence[int]) -> Array:
    """Return each number where the maximum of its window was, as `maxima` remembers it; zeros elsewhere.

    This is also the gradient of max pooling: only the winner gets it.

    Examples
    --------
    >>> X = [[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]
    >>> unpool_maxima(pool(X, (2, 2)), maxima(X, (2, 2)), (2, 2)).astype(int).tolist()
    [[0, 0, 6, 0], [0, 5, 0, 0], [0, 0, 0, 0], [7, 0, 0, 8]]
    """
    where = np.asarray(where, bool)
    spread = unpool_nearest(y, size)
    # What the windows left over at the edges holds no maximum.
    missing = [(0, whole - part) for whole, part in zip(where.shape, spread.shape, strict=True)]
    return np.where(where, np.pad(spread, missing), 0.0)


def _tiles(seen: npt.NDArray[np.bool_], axes: int) -> npt.NDArray[np.bool_]:
    """Return windows ``(..., *stops, *kernel)`` laid side by side: ``(..., *size)``."""
    lead = seen.ndim - 2 * axes
    order = [axis for i in range(axes) for axis in (lead + i, lead + axes + i)]
    sizes = [seen.shape[lead + i] * seen.shape[lead + axes + i] for i in range(axes)]
    return seen.transpose(*range(lead), *order).reshape(*seen.shape[:lead], *sizes)
