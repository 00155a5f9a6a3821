"""Convolution and cross-correlation: a filter slides over a signal, and each stop is a weighted sum."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
#: Nothing, as much as keeps the size (at stride 1), or this many zeros on every side, or on each side of an axis.
Padding = Literal["valid", "same"] | int | Sequence[tuple[int, int]]
#: One number for every axis, or one an axis.
PerAxis = int | Sequence[int]


def output_size(size: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Return how often a filter fits: ``floor((Nin - Nfilt + 2 padding) / stride) + 1``.

    A dilated filter has holes, and covers ``dilation * (kernel - 1) + 1`` positions.

    Parameters
    ----------
    size
        Nin, positions of the input along one axis.
    kernel
        Nfilt, positions of the filter.
    stride
        Positions from one stop to the next.
    padding
        Zeros on either side.
    dilation
        Positions from one weight to the next.

    Raises
    ------
    ValueError
        If the filter does not fit even once.

    Examples
    --------
    A filter of 5 on 28 pixels leaves 24; with 2 zeros on either side all 28; at stride 2 every other:

    >>> output_size(28, 5), output_size(28, 5, padding=2), output_size(28, 5, padding=2, stride=2)
    (24, 28, 14)
    """
    covered = dilation * (kernel - 1) + 1
    if min(size, kernel, stride, dilation) < 1 or padding < 0:
        raise ValueError(
            "output_size: expected size, kernel, stride and dilation of 1 or more and padding of 0 or more, "
            f"found {size}, {kernel}, {stride}, {dilation} and {padding}"
        )
    if covered > size + 2 * padding:
        raise ValueError(f"output_size: a filter over {covered} positions does not fit {size} and {padding} each side")
    return (size - covered + 2 * padding) // stride + 1


def windows(x: npt.ArrayLike, kernel: Sequence[int], *, stride: PerAxis = 1, dilation: PerAxis = 1) -> Array:
    """Return every stop of a filter: ``(..., *stops, *kernel)``, a view of x ``(..., *size)`` that copies nothing.

    A convolution is nothing but these windows times the weights, summed; a pooling is their maximum or mean.

    Examples
    --------
    >>> windows([3, 2, 1, 7, 1], [3]).astype(int).tolist()
    [[3, 2, 1], [2, 1, 7], [1, 7, 1]]
    >>> windows([3, 2, 1, 7, 1], [2], stride=2, dilation=2).astype(int).tolist()
    [[3, 1], [1, 1]]
    """
    x = np.asarray(x, float)
    axes = len(kernel)
    strides, dilations = per_axis(stride, axes), per_axis(dilation, axes)
    covered = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    for size, k, s, d in zip(x.shape[-axes:], kernel, strides, dilations, strict=True):
        output_size(size, k, stride=s, dilation=d)  # says so where it does not fit
    every = np.lib.stride_tricks.sliding_window_view(x, covered, axis=tuple(range(-axes, 0)))
    stops_and_holes: tuple[Any, ...] = (..., *[slice(None, None, step) for step in (*strides, *dilations)])
    view: Array = every[stops_and_holes]
    return view


def pad(x: npt.ArrayLike, sides: Sequence[tuple[int, int]], *, value: float = 0.0) -> Array:
    """Return x with `value` added before and after each of its last axes.

    >>> pad([1, 2, 3], [(1, 2)]).tolist()
    [0.0, 1.0, 2.0, 3.0, 0.0, 0.0]
    """
    x = np.asarray(x, float)
    return np.pad(x, [(0, 0)] * (x.ndim - len(sides)) + [(int(a), int(b)) for a, b in sides], constant_values=value)


def padding_sides(
    padding: Padding, size: Sequence[int], kernel: Sequence[int], *, stride: PerAxis = 1, dilation: PerAxis = 1
) -> list[tuple[int, int]]:
    """Return the zeros before and after each axis.

    ``"same"`` gives an output of ``ceil(size / stride)``; an odd zero goes after.

    Examples
    --------
    >>> padding_sides("same", [28], [5]), padding_sides("same", [28], [4]), padding_sides(2, [28], [5])
    ([(2, 2)], [(1, 2)], [(2, 2)])
    """
    axes = len(kernel)
    if isinstance(padding, int | np.integer):
        return [(padding, padding)] * axes
    if padding == "valid":
        return [(0, 0)] * axes
    if padding != "same":
        if isinstance(padding, str) or len(padding) != axes:
            raise ValueError(f"padding: expected valid, same, a number, or {axes} pairs, found {padding!r}")
        return [(int(before), int(after)) for before, after in padding]
    sides = []
    for n, k, s, d in zip(size, kernel, per_axis(stride, axes), per_axis(dilation, axes), strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        sides.append((total // 2, total - total // 2))
    return sides


def correlate(
    x: npt.ArrayLike, w: npt.ArrayLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1
) -> Array:
    r"""Return the cross-correlation of a signal or picture with a filter: what deep learning calls convolution.

    :math:`y_i = \sum_j w_j \, x_{i s + j d}`, and the same over two axes. One channel; `correlate_channels` sums over
    several.

    Parameters
    ----------
    x
        Signal ``(L,)`` or picture ``(H, W)``.
    w
        Filter with as many axes.
    stride, dilation
        A number for all axes, or one an axis.
    padding
        ``valid``, ``same``, zeros a side, or a pair an axis.

    Raises
    ------
    ValueError
        If the axes differ, or the filter does not fit.

    Examples
    --------
    A filter answers most where the signal looks like it; here 1 7 1 looks like 0 1 0:

    >>> correlate([3, 2, 1, 7, 1, 2], [0, 1, 0]).tolist()
    [2.0, 1.0, 7.0, 1.0]

    Moving the signal moves the answer and changes nothing else (equivariance):

    >>> correlate([0, 3, 2, 1, 7, 1], [0, 1, 0]).tolist()
    [3.0, 2.0, 1.0, 7.0]
    """
    x, w = np.asarray(x, float), np.asarray(w, float)
    if x.ndim != w.ndim or x.ndim == 0:
        raise ValueError(f"correlate: expected a signal and a filter with as many axes, found {x.shape} and {w.shape}")
    maps = correlate_channels(x[None, None], w[None, None], stride=stride, padding=padding, dilation=dilation)
    return np.asarray(maps[0, 0], float)


def convolve(
    x: npt.ArrayLike, w: npt.ArrayLike, *, stride: PerAxis = 1, padding: Padding = "valid", dilation: PerAxis = 1
) -> Array:
    r"""Return the true convolution: cross-correlation with the filter turned round along every axis.

    :math:`y_i = \sum_j w_j \, x_{i s - j d}`. Turning is what makes it commute; a network learns its filters and does
    not care which way round they are, so it leaves it out. Parameters and errors are those of `correlate`.

    Examples
    --------
    Filter 1/2 3/4 1 1/4 turned is 1/4 1 3/4 1/2. Its first stop is 3 2 1 7, so 3/4 + 2 + 3/4 + 7/2 = 7; the next,
    two further on, is 1 7 1 2, and the last 1 2 5 4:

    >>> convolve([3, 2, 1, 7, 1, 2, 5, 4], [1/2, 3/4, 1, 1/4], stride=2).tolist()
    [7.0, 9.0, 8.0]

    A picture of 3 x 3 with a zero all round, every second place:

    >>> X = [[2, 1, 2], [5, 0, 1], [1, 7, 3]]
    >>> W = [[.5, .7, .4], [.3, .4, .1], [.5, 1, .5]]
    >>> convolve(X, W, padding=1, stride=2).round(10).tolist()
    [[4.6, 1.6], [7.5, 2.9]]
    """
    return correlate(x, np.flip(np.asarray(w, float)), stride=stride, padding=padding, dilation=dilation)


def correlate_channels(
    x: npt.ArrayLike,
    filters: npt.ArrayLike,
    bias: npt.ArrayLike | None = None,
    *,
    stride: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Array:
    """Return a convolutional layer: every filter over every record, its channels summed.

    A filter has a plane for each channel (red, green, blue; A, C, G, T). The planes' answers are added, so that each
    filter gives one map, however many channels came in.

    Parameters
    ----------
    x
        Records ``(N, C, *size)``.
    filters
        ``(F, C, *kernel)``.
    bias
        A number a filter, ``(F,)``.
    stride, padding, dilation
        As in `correlate`.

    Returns
    -------
    Array
        Maps ``(N, F, *output)``.

    Raises
    ------
    ValueError
        If channels or axes differ, or a filter does not fit.

    Examples
    --------
    A motif is a filter: TATA over the one-hot picture of CTATAG answers 4 where it stands.

    >>> one_hot = np.array([[letter == base for base in "CTATAG"] for letter in "ACGT"])
    >>> tata = np.array([[letter == base for base in "TATA"] for letter in "ACGT"])
    >>> correlate_channels(one_hot[None], tata[None]).tolist()
    [[[0.0, 4.0, 0.0]]]
    """
    x, filters = np.asarray(x, float), np.asarray(filters, float)
    if x.ndim != filters.ndim or x.ndim < 3 or x.shape[1] != filters.shape[1]:
        raise ValueError(
            "correlate_channels: expected records (N, C, ...) and filters (F, C, ...) with as many channels and axes, "
            f"found {x.shape} and {filters.shape}"
        )
    kernel = filters.shape[2:]
    sides = padding_sides(padding, x.shape[2:], kernel, stride=stride, dilation=dilation)
    seen = windows(pad(x, sides), kernel, stride=stride, dilation=dilation)  # (N, C, *output, *kernel)
    axes = len(kernel)
    summed = (1, *range(-axes, 0)), (1, *range(2, 2 + axes))  # channels and places in the kernel
    maps: Array = np.moveaxis(np.tensordot(seen, filters, summed), -1, 1)  # (N, F, *output)
    if bias is not None:
        maps = maps + np.asarray(bias, float).reshape(-1, *[1] * axes)
    return maps


def per_axis(value: PerAxis, axes: int) -> tuple[int, ...]:
    """Return a number for each axis.

    >>> per_axis(2, 2), per_axis([1, 3], 2)
    ((2, 2), (1, 3))
    """
    numbers = (value,) * axes if isinstance(value, int | np.integer) else tuple(int(v) for v in value)
    if len(numbers) != axes:
        raise ValueError(f"expected one number, or {axes}, found {len(numbers)}")
    return numbers
