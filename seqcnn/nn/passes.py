"""Passes over maps between two convolutions, each record while it is in the cache: forward, and for gradients.

Maps are rows ``(N, W, C)``: float32, or the bits of bfloat16 as uint16 (`half`), which are widened on the way in.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.compiling import compiled

Floats = npt.NDArray[np.float32]
Sums = npt.NDArray[np.float64]
Maps = npt.NDArray[Any]
#: Weight, bias and running statistics of a norm; what is added to variances, and the share of the new statistics.
Layer = tuple[Floats, Floats, Floats, Floats, tuple[float, float]]


@compiled
def _value(stored: Any, half: bool) -> Any:
    """Return a number, of the bits of bfloat16 or as it is."""
    if half:
        return np.uint32(np.uint32(stored) << np.uint32(16)).view(np.float32)
    return np.float32(stored)


@compiled
def _put(out: Maps, i: int, j: int, k: int, value: Any, half: bool) -> None:
    """Store a number, as bfloat16 rounded to the nearest."""
    if half:
        bits = np.float32(value).view(np.uint32)
        even = np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
        out[i, j, k] = np.uint16((bits + even) >> np.uint32(16))
    else:
        out[i, j, k] = value


@compiled
def _moments(x: Maps, half: bool, shift: Floats, sums: Sums) -> None:
    """Add up each channel's values less `shift`, and their squares."""
    n, width, channels = x.shape
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for i in range(n):
        one[:] = 0
        two[:] = 0
        for j in range(width):
            for k in range(channels):
                value = _value(x[i, j, k], half) - shift[k]
                one[k] += value
                two[k] += value * value
        for k in range(channels):
            sums[0, k] += one[k]
            sums[1, k] += two[k]


@compiled
def _normalize(sums: Sums, shift: Floats, layer: Layer, count: int, found: Floats) -> None:
    """Fill `found` with mean, scale, factor and offset of each channel, and move the running statistics."""
    weight, bias, running_mean, running_var, (eps, momentum) = layer
    for k in range(len(shift)):
        mean = sums[0, k] / count
        var = max(sums[1, k] / count - mean * mean, 0.0)
        mean += shift[k]
        scale = 1 / np.sqrt(var + eps)
        found[0, k], found[1, k] = mean, scale
        found[2, k] = weight[k] * scale
        found[3, k] = bias[k] - mean * weight[k] * scale
        running_mean[k] += momentum * (mean - running_mean[k])
        running_var[k] += momentum * (var * count / (count - 1) - running_var[k])


@compiled
def _slopes(found: Floats, sums: Sums, count: int, factors: Floats, weight: Floats, bias: Floats) -> None:
    """Fill `factors` with those of gradient, value and 1 in the gradient of a value, and the gradients of the layer.

    `sums` are of the gradients behind the norm, and of their products with values less their mean.
    """
    for k in range(found.shape[1]):
        mean, scale, factor = found[0, k], found[1, k], found[2, k]
        weight[k], bias[k] = sums[1, k] * scale, sums[0, k]
        slope = -factor * scale * sums[1, k] * scale / count
        factors[0, k], factors[1, k] = factor, slope
        factors[2, k] = -factor * sums[0, k] / count - slope * mean


@compiled
def normed_rectifier(
    x: Maps, skip: Maps, skips: bool, mask: Floats, layer: Layer, half: bool, found: Floats, out: Maps
) -> None:
    """Fill `out` with ``relu(middle of skip + mask * norm(x))``, `found` with mean, scale, factor and offset."""
    channels = x.shape[2]
    sums, shift = np.zeros((2, channels)), np.empty(channels, np.float32)
    for k in range(channels):
        shift[k] = _value(x[0, 0, k], half)  # sums of differences from a value lose no digits
    _moments(x, half, shift, sums)
    _normalize(sums, shift, layer, x.shape[0] * x.shape[1], found)
    _rectify(x, skip, skips, mask, found[2], found[3], half, out)


@compiled
def normed_rectifier_back(
    g: Maps,
    y: Maps,
    x: Maps,
    mask: Floats,
    found: Floats,
    half: bool,
    out: Maps,
    wide: Maps,
    skips: bool,
    weight: Floats,
    bias: Floats,
) -> None:
    """Fill `out` and `wide` with the gradients of `x` and of the skip, `weight` and `bias` with those of the layer."""
    sums, factors = np.zeros((2, x.shape[2])), np.empty((3, x.shape[2]), np.float32)
    _rectify_back_sums(g, y, x, mask, found[0], half, sums)
    _slopes(found, sums, x.shape[0] * x.shape[1], factors, weight, bias)
    _rectify_back(g, y, x, mask, factors, half, out, wide, skips)


@compiled
def normed_pool(
    x: Maps,
    added: Floats,
    layer: Layer,
    width: int,
    margin: int,
    half: bool,
    best: Maps,
    winner: npt.NDArray[np.uint8],
    found: Floats,
    out: Maps,
) -> None:
    """Fill `out` with ``norm(maxpool(x)) + added``, minus infinity in margins, of pools of a width; and what gradients
    need.
    """
    channels = x.shape[2]
    sums, shift = np.zeros((2, channels)), np.empty(channels, np.float32)
    for k in range(channels):
        shift[k] = _value(x[0, 0, k], half)
    _pool(x, half, shift, width, best, winner, sums)
    _normalize(sums, shift, layer, best.shape[0] * best.shape[1], found)
    _affine(best, added, found[2], found[3], margin, half, out)


@compiled
def normed_pool_back(
    g: Maps,
    y: Maps,
    best: Maps,
    winner: npt.NDArray[np.uint8],
    width: int,
    margin: int,
    found: Floats,
    half: bool,
    out: Maps,
    weight: Floats,
    bias: Floats,
) -> None:
    """Fill `out` with the gradient of what was pooled, `weight` and `bias` with those of the layer; `y` is the result's
    exponential.
    """
    sums, factors = np.zeros((2, best.shape[2])), np.empty((3, best.shape[2]), np.float32)
    _pool_back_sums(g, y, best, margin, found[0], half, sums)
    _slopes(found, sums, best.shape[0] * best.shape[1], factors, weight, bias)
    _pool_back(g, y, best, winner, width, margin, factors, half, out)


@compiled
def _rectify(
    x: Maps, skip: Maps, skips: bool, mask: Floats, factor: Floats, offset: Floats, half: bool, out: Maps
) -> None:
    """Fill `out` with ``relu(middle of skip + mask * (factor * x + offset))``."""
    n, width, channels = x.shape
    a, b = np.empty(channels, np.float32), np.empty(channels, np.float32)
    side = (skip.shape[1] - width) // 2
    for i in range(n):
        for k in range(channels):
            a[k], b[k] = factor[k] * mask[i, k], offset[k] * mask[i, k]
        for j in range(width):
            if skips:
                for k in range(channels):
                    value = a[k] * _value(x[i, j, k], half) + b[k] + _value(skip[i, j + side, k], half)
                    _put(out, i, j, k, max(value, np.float32(0)), half)
            else:
                for k in range(channels):
                    _put(out, i, j, k, max(a[k] * _value(x[i, j, k], half) + b[k], np.float32(0)), half)


@compiled
def _rectify_back_sums(g: Maps, y: Maps, x: Maps, mask: Floats, mean: Floats, half: bool, sums: Sums) -> None:
    """Add up, by channel, the gradients behind the norm, and their products with values less their mean."""
    n, width, channels = x.shape
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for i in range(n):
        one[:] = 0
        two[:] = 0
        for j in range(width):
            for k in range(channels):
                gradient = _value(g[i, j, k], half)
                gradient = gradient if _value(y[i, j, k], half) > 0 else np.float32(0)
                one[k] += gradient
                two[k] += gradient * (_value(x[i, j, k], half) - mean[k])
        for k in range(channels):
            sums[0, k] += one[k] * mask[i, k]
            sums[1, k] += two[k] * mask[i, k]


@compiled
def _rectify_back(
    g: Maps, y: Maps, x: Maps, mask: Floats, slopes: Floats, half: bool, out: Maps, wide: Maps, skips: bool
) -> None:
    """Fill `out` with the gradient of `x`, `slopes` ``(3, C)`` times gradient, value and 1; `wide` with the skip's."""
    n, width, channels = x.shape
    a = np.empty(channels, np.float32)
    side = (wide.shape[1] - width) // 2
    for i in range(n):
        for k in range(channels):
            a[k] = slopes[0, k] * mask[i, k]
        if skips:
            wide[i, :side] = 0
            wide[i, side + width :] = 0
        for j in range(width):
            for k in range(channels):
                gradient = _value(g[i, j, k], half)
                gradient = gradient if _value(y[i, j, k], half) > 0 else np.float32(0)
                value = a[k] * gradient + slopes[1, k] * _value(x[i, j, k], half) + slopes[2, k]
                _put(out, i, j, k, value, half)
            if skips:
                for k in range(channels):
                    wide[i, j + side, k] = g[i, j, k] if _value(y[i, j, k], half) > 0 else 0


@compiled
def _pool(x: Maps, half: bool, shift: Floats, pool: int, best: Maps, winner: npt.NDArray[np.uint8], sums: Sums) -> None:
    """Fill `best` with the largest of every so many columns and `winner` with which it is; add up moments of it."""
    n, cells, channels = best.shape
    found, place = np.empty(channels, np.float32), np.empty(channels, np.uint8)
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for i in range(n):
        one[:] = 0
        two[:] = 0
        for cell in range(cells):
            for k in range(channels):
                found[k] = _value(x[i, cell * pool, k], half)
                place[k] = 0
            for j in range(1, pool):
                for k in range(channels):
                    value = _value(x[i, cell * pool + j, k], half)
                    place[k] = np.uint8(j) if value > found[k] else place[k]
                    found[k] = max(value, found[k])
            for k in range(channels):
                value = found[k] - shift[k]
                one[k] += value
                two[k] += value * value
                winner[i, cell, k] = place[k]
                _put(best, i, cell, k, found[k], half)
        for k in range(channels):
            sums[0, k] += one[k]
            sums[1, k] += two[k]


@compiled
def _affine(best: Maps, added: Floats, factor: Floats, offset: Floats, margin: int, half: bool, out: Maps) -> None:
    """Fill `out` with ``factor * best + offset + added``, and minus infinity in the margins."""
    n, cells, channels = best.shape
    b = np.empty(channels, np.float32)
    for i in range(n):
        for k in range(channels):
            b[k] = offset[k] + added[i, k]
        for j in range(out.shape[1]):
            if margin <= j < margin + cells:
                for k in range(channels):
                    _put(out, i, j, k, factor[k] * _value(best[i, j - margin, k], half) + b[k], half)
            else:
                for k in range(channels):
                    _put(out, i, j, k, np.float32(-np.inf), half)


@compiled
def _pool_back_sums(g: Maps, y: Maps, best: Maps, margin: int, mean: Floats, half: bool, sums: Sums) -> None:
    """Add up, by channel, the gradients behind the norm, and their products with values less their mean."""
    n, cells, channels = best.shape
    one, two = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for i in range(n):
        one[:] = 0
        two[:] = 0
        for j in range(cells):
            for k in range(channels):
                gradient = _value(g[i, j + margin, k], half) * _value(y[i, j + margin, k], half)
                one[k] += gradient
                two[k] += gradient * (_value(best[i, j, k], half) - mean[k])
        for k in range(channels):
            sums[0, k] += one[k]
            sums[1, k] += two[k]


@compiled
def _pool_back(
    g: Maps,
    y: Maps,
    best: Maps,
    winner: npt.NDArray[np.uint8],
    pool: int,
    margin: int,
    slopes: Floats,
    half: bool,
    out: Maps,
) -> None:
    """Fill `out` with the gradient of what was pooled: zero but where it won. `slopes` as in `_rectify_back`."""
    n, cells, channels = best.shape
    found = np.empty((1, 1, channels), out.dtype)
    for i in range(n):
        out[i, cells * pool :] = 0
        for cell in range(cells):
            for k in range(channels):
                gradient = _value(g[i, cell + margin, k], half) * _value(y[i, cell + margin, k], half)
                value = slopes[0, k] * gradient + slopes[1, k] * _value(best[i, cell, k], half) + slopes[2, k]
                _put(found, 0, 0, k, value, half)
            for j in range(pool):
                for k in range(channels):
                    out[i, cell * pool + j, k] = found[0, 0, k] if winner[i, cell, k] == j else 0
