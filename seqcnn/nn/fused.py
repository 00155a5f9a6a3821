"""Layers that train in one pass over memory: norm, dropout, residual and rectifier; pool, norm and exponential.

On a CPU a training step of a small network spends more time on carrying maps to and from memory than on convolutions.
Here what stands between two convolutions is done record by record while the maps are in the cache, forward and
backward, in float32 whatever the maps' own precision; the gradients are the textbook's (Ioffe and Szegedy 2015).
Elsewhere (a GPU, records of unequal lengths, a network in use) the layers themselves are called.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from seqcnn.nn import passes
from seqcnn.nn.dropout import Dropout
from seqcnn.nn.exponential import Exponential
from seqcnn.nn.padding import masked, normalized
from seqcnn.nn.passes import Floats, Maps, Sums

#: Positions of a pool that its winner can be numbered among.
_WIDEST = 256


def rectified(
    x: Tensor,
    lengths: Tensor | None,
    *,
    norm: nn.BatchNorm2d,
    act: nn.Module,
    skip: Tensor | None = None,
    drop: Dropout | None = None,
) -> Tensor:
    """Return ``act(norm(x))``, zero beyond `lengths`; with a dropout between, added to the middle of a wider `skip`.

    Parameters
    ----------
    x, skip
        Maps ``(N, C, 1, W)`` and ``(N, C, 1, W + 2 n)``.
    lengths
        How many columns of each record are real; None for all.
    """
    if lengths is None and isinstance(act, nn.ReLU) and _suits(norm, x):
        mask = _kept(drop, x)
        y: Tensor = _Rectified.apply(x, norm.weight, norm.bias, skip, mask, norm)  # type: ignore[no-untyped-call]
        return y
    z = normalized(norm, x, lengths)
    z = z if drop is None else drop(z)
    if skip is not None:
        side = (skip.shape[3] - z.shape[3]) // 2
        z = nn.functional.pad(skip, (-side, -side)) + z  # a slice's gradient would come in another layout
    return masked(act(z), lengths)


def best_sites(
    x: Tensor,
    lengths: Tensor | None,
    *,
    pool: nn.MaxPool2d,
    norm: nn.BatchNorm2d,
    act: nn.Module,
    drop: Dropout,
    margin: tuple[int, int],
) -> Tensor:
    """Return ``drop(act(norm(pool(x))))``, zero beyond `lengths` and in `margin` columns on both sides.

    Parameters
    ----------
    x
        Maps ``(N, C, 1, W)``.
    lengths
        How many pooled columns of each record are real; None for all.
    """
    width = int(pool.kernel_size[1])  # type: ignore[index]
    if lengths is None and isinstance(act, Exponential) and width <= _WIDEST and _suits(norm, x):
        kept = _kept(drop, x)
        y: Tensor = _BestSites.apply(x, norm.weight, norm.bias, kept, norm, width, margin)  # type: ignore[no-untyped-call]
        return y
    return nn.functional.pad(drop(masked(act(normalized(norm, pool(x), lengths)), lengths)), margin)


def _suits(norm: nn.BatchNorm2d, x: Tensor) -> bool:
    """Return whether the maps can be computed here."""
    return (
        norm.training
        and torch.is_grad_enabled()
        and x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.bfloat16)
        and x.shape[2] == 1
        and x.shape[0] * x.shape[3] > 1
        and norm.momentum is not None
        and norm.running_mean is not None
    )


def _kept(drop: Dropout | None, x: Tensor) -> Floats:
    """Return what each map is multiplied by, ``(N, C)``."""
    mask = None if drop is None else drop.mask(x)
    return (torch.ones(x.shape[:2]) if mask is None else mask.float().view(x.shape[:2])).numpy()


def _normalize(norm: nn.BatchNorm2d, sums: Sums, shift: Floats, count: int) -> Floats:
    """Return mean, scale, factor and offset of each channel, ``(4, C)``, and move the running statistics."""
    mean, var, tracked = norm.running_mean, norm.running_var, norm.num_batches_tracked
    if mean is None or var is None or tracked is None or norm.momentum is None:
        raise TypeError(f"{norm}: expected running statistics")
    found = np.empty((4, len(shift)), np.float32)
    weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    passes.normalize(sums, shift, weight, bias, (count, norm.eps, norm.momentum), mean.numpy(), var.numpy(), found)
    tracked.add_(1)
    return found


def _slopes(found: Floats, sums: Sums, count: int) -> tuple[Floats, Tensor, Tensor]:
    """Return the factors ``(3, C)`` of gradient, value and 1 in the gradient of a value, and those of the layer.

    Parameters
    ----------
    found
        As of `_normalize`.
    sums
        Of the gradients, and of their products with values less their mean.
    """
    factors, layer = np.empty((3, found.shape[1]), np.float32), np.empty((2, found.shape[1]), np.float32)
    passes.slopes(found, sums, count, factors, layer)
    weight, bias = torch.from_numpy(layer)
    return factors, weight, bias


class _Rectified(torch.autograd.Function):
    """``relu(middle of skip + mask * norm(x))``."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, _weight, _bias, skip, mask, norm = given
        maps, half = _rows(x)
        n, width, channels = maps.shape
        shift = _first(maps, half)
        sums = np.zeros((2, channels))
        passes.moments(maps, half, shift, sums)
        found = _normalize(norm, sums, shift, n * width)
        y, rows = _empty(x, n, channels, width)
        other = _rows(skip.to(x.dtype))[0] if skip is not None else maps
        passes.rectify(maps, other, skip is not None, mask, found[2], found[3], half, rows)
        ctx.x, ctx.y, ctx.half, ctx.found, ctx.mask = maps, rows, half, found, mask
        ctx.wide = None if skip is None else skip.shape[3]
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        x, y, half, mask = ctx.x, ctx.y, ctx.half, ctx.mask
        n, width, channels = x.shape
        gradient = gradients[0]
        g = _rows(gradient)[0]
        sums = np.zeros((2, channels))
        passes.rectify_back_sums(g, y, x, mask, ctx.found[0], half, sums)
        slopes, weight, bias = _slopes(ctx.found, sums, n * width)
        dx, rows = _empty(gradient, n, channels, width)
        wide, whole = (dx, rows) if ctx.wide is None else _empty(gradient, n, channels, ctx.wide)
        passes.rectify_back(g, y, x, mask, slopes, half, rows, whole, ctx.wide is not None)
        return dx, weight, bias, None if ctx.wide is None else wide, None, None


class _BestSites(torch.autograd.Function):
    """``mask * exp(norm(maxpool(x)))`` between margins of zeros."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, _weight, _bias, mask, norm, pool, margin = given
        maps, half = _rows(x)
        n, width, channels = maps.shape
        cells = width // pool
        best = np.empty((n, cells, channels), maps.dtype)
        winner = np.empty((n, cells, channels), np.uint8)
        shift = _first(maps, half)
        sums = np.zeros((2, channels))
        passes.pool(maps, half, shift, best, winner, sums)
        found = _normalize(norm, sums, shift, n * cells)
        y, rows = _empty(x, n, channels, cells + sum(margin))
        with np.errstate(divide="ignore"):
            gone = np.log(mask)  # what is dropped, and the margins, are the exponential of minus infinity
        passes.affine(best, gone, found[2], found[3], margin[0], half, rows)
        torch.exp(y, out=y)
        ctx.y, ctx.half, ctx.found, ctx.best, ctx.winner = rows, half, found, best, winner
        ctx.margin, ctx.width = margin[0], width
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        y, half, best, margin = ctx.y, ctx.half, ctx.best, ctx.margin
        gradient = gradients[0]
        g = _rows(gradient)[0]
        sums = np.zeros((2, best.shape[2]))
        passes.pool_back_sums(g, y, best, margin, ctx.found[0], half, sums)
        slopes, weight, bias = _slopes(ctx.found, sums, best.shape[0] * best.shape[1])
        dx, rows = _empty(gradient, len(best), best.shape[2], ctx.width)
        passes.pool_back(g, y, best, ctx.winner, margin, slopes, half, rows)
        return dx, weight, bias, None, None, None, None


def _empty(like: Tensor, n: int, channels: int, width: int) -> tuple[Tensor, Maps]:
    """Return maps ``(N, C, 1, W)`` yet to be filled, channels adjacent in memory as convolutions want them; as rows."""
    maps = like.new_empty((n, width, channels))
    return maps.permute(0, 2, 1).unsqueeze(2), _array(maps)[0]


def _rows(x: Tensor) -> tuple[Maps, bool]:
    """Return maps ``(N, C, 1, W)`` as an array ``(N, W, C)``, bfloat16 as its bits, and whether they are such."""
    return _array(x.detach().squeeze(2).permute(0, 2, 1).contiguous())


def _array(rows: Tensor) -> tuple[Maps, bool]:
    if rows.dtype == torch.bfloat16:
        return rows.view(torch.uint16).numpy(), True
    return rows.numpy(), False


def _first(maps: Maps, half: bool) -> Floats:
    """Return the first value of each channel: sums of differences from it lose no digits."""
    row: Floats = (maps[0, 0].astype(np.uint32) << 16).view(np.float32) if half else maps[0, 0].astype(np.float32)
    return row
