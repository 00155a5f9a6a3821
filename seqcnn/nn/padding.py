"""What keeps padding out of a network: masks by length arithmetic, and batch statistics over real positions."""

import torch
from torch import Tensor, nn


def out_lengths(lengths: Tensor | None, kernel: int, stride: int = 1) -> Tensor | None:
    """Return how many positions of each record a valid convolution or pool leaves, at least 0.

    >>> out_lengths(torch.tensor([17, 9]), 5).tolist(), out_lengths(torch.tensor([17, 9]), 4, 4).tolist()
    ([13, 5], [4, 2])
    """
    if lengths is None:
        return None
    return (torch.div(lengths - kernel, stride, rounding_mode="floor") + 1).clamp(min=0)


def inside(lengths: Tensor, width: int) -> Tensor:
    """Return which columns are real, boolean ``(N, width)``.

    >>> inside(torch.tensor([1, 3]), 3).tolist()
    [[True, False, False], [True, True, True]]
    """
    return torch.arange(width, device=lengths.device) < lengths[:, None]


def masked(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return `x` ``(N, C, H, W)`` with zeros in the columns beyond each record's length."""
    if lengths is None:
        return x
    return x * inside(lengths, x.shape[-1])[:, None, None, :].to(x.dtype)


def normalized(norm: nn.BatchNorm2d, x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return ``norm(x)``; in training its statistics are those of real positions only, and padding becomes zero.

    The real positions are gathered into one long record ``(P, C, 1, 1)``, which the layer normalizes as it would
    any batch, and are put back: the layer stays a plain `torch.nn.BatchNorm2d` for whatever looks at it.
    """
    if lengths is None or not norm.training:
        z: Tensor = norm(x)
        return z
    n, c, h, w = x.shape
    real = inside(lengths, w)[:, None, :].expand(n, h, w).reshape(-1).nonzero().squeeze(1)  # (P,)
    rows = x.permute(0, 2, 3, 1).reshape(-1, c)  # (N*H*W, C), no copy in channels_last
    z = norm(rows.index_select(0, real)[:, :, None, None])[:, :, 0, 0]
    spread = z.new_zeros(rows.shape).index_copy(0, real, z)
    return spread.view(n, h, w, c).permute(0, 3, 1, 2)
