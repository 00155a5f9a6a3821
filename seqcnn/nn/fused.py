"""Layers that train in one pass over memory: norm, dropout, residual and rectifier; pool, norm and exponential.

On a CPU a training step of a small network spends more time on carrying maps to and from memory than on convolutions.
Here what stands between two convolutions is done record by record while the maps are in the cache, forward and
backward, in float32 whatever the maps' own precision; the gradients are the textbook's (Ioffe and Szegedy 2015).
Elsewhere (a GPU, records of unequal lengths, a network in use) the layers themselves are called.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from seqcnn.nn import passes
from seqcnn.nn.dropout import Dropout
from seqcnn.nn.exponential import Exponential
from seqcnn.nn.padding import masked, normalized
from seqcnn.nn.passes import Floats, Maps

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
    if mask is None:
        return np.ones(x.shape[:2], np.float32)
    kept: Floats = mask.float().numpy().reshape(x.shape[:2])
    return kept


def _normed(norm: nn.BatchNorm2d) -> tuple[Floats, Floats, Floats, Floats, tuple[float, float]]:
    """Return weight, bias and running statistics of a norm, what is added to variances, and the share of the new."""
    mean, var, momentum = norm.running_mean, norm.running_var, norm.momentum
    if mean is None or var is None or momentum is None:
        raise TypeError(f"{norm}: expected running statistics")
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    return norm.weight.numpy(), norm.bias.numpy(), mean.numpy(), var.numpy(), (norm.eps, momentum)


class _Rectified(torch.autograd.Function):
    """``relu(middle of skip + mask * norm(x))``."""

    @staticmethod
    def forward(ctx: Any, *given: Any) -> Tensor:
        x, _weight, _bias, skip, mask, norm = given
        maps, half = _rows(x)
        y, rows = _empty(maps.shape, half)
        found = np.empty((4, maps.shape[2]), np.float32)
        other = maps if skip is None else _rows(skip.to(x.dtype))[0]
        passes.normed_rectifier(maps, other, skip is not None, mask, _normed(norm), half, found, rows)
        ctx.x, ctx.y, ctx.half, ctx.found, ctx.mask = maps, rows, half, found, mask
        ctx.wide = None if skip is None else skip.shape[3]
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        x, half = ctx.x, ctx.half
        n, _, channels = x.shape
        dx, rows = _empty(x.shape, half)
        wide, whole = (dx, rows) if ctx.wide is None else _empty((n, ctx.wide, channels), half)
        weight, bias = np.empty(channels, np.float32), np.empty(channels, np.float32)
        g = _rows(gradients[0])[0]
        passes.normed_rectifier_back(
            g, ctx.y, x, ctx.mask, ctx.found, half, rows, whole, ctx.wide is not None, weight, bias
        )
        skip = None if ctx.wide is None else wide
        return dx, torch.from_numpy(weight), torch.from_numpy(bias), skip, None, None


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
        found = np.empty((4, channels), np.float32)
        y, rows = _empty((n, cells + sum(margin), channels), half)
        with np.errstate(divide="ignore"):
            gone = np.log(mask)  # what is dropped, and the margins, are the exponential of minus infinity
        passes.normed_pool(maps, gone, _normed(norm), pool, margin[0], half, best, winner, found, rows)
        torch.exp(y, out=y)
        ctx.y, ctx.half, ctx.found, ctx.best, ctx.winner = rows, half, found, best, winner
        ctx.pool, ctx.margin, ctx.width = pool, margin[0], width
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        best, half = ctx.best, ctx.half
        n, _, channels = best.shape
        dx, rows = _empty((n, ctx.width, channels), half)
        weight, bias = np.empty(channels, np.float32), np.empty(channels, np.float32)
        g = _rows(gradients[0])[0]
        passes.normed_pool_back(g, ctx.y, best, ctx.winner, ctx.pool, ctx.margin, ctx.found, half, rows, weight, bias)
        return dx, torch.from_numpy(weight), torch.from_numpy(bias), None, None, None, None


# Threads that train side by side wait for each other whenever one comes back from torch to Python; so as little as can
# be is asked of torch here.


def _empty(shape: Sequence[int], half: bool) -> tuple[Tensor, Maps]:
    """Return maps ``(N, C, 1, W)`` yet to be filled, channels adjacent in memory as convolutions want them; as rows."""
    n, width, channels = shape
    strides = (width * channels, 1, width * channels, channels)
    maps = torch.empty_strided((n, channels, 1, width), strides, dtype=torch.bfloat16 if half else torch.float32)
    return maps, _rows(maps)[0]


def _rows(x: Tensor) -> tuple[Maps, bool]:
    """Return maps ``(N, C, 1, W)`` as an array ``(N, W, C)``, bfloat16 as its bits, and whether they are such."""
    half = x.dtype == torch.bfloat16
    rows = (x.view(torch.uint16) if half else x).numpy()[:, :, 0].transpose(0, 2, 1)
    return np.ascontiguousarray(rows), half
