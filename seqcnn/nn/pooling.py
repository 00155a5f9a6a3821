"""Pooling over a whole record: masked global maximum and mean."""

import torch
from torch import Tensor, nn

from seqcnn.nn.padding import masked


class GlobalMax(nn.Module):
    """Largest value of each channel: ``(N, C, H, W)`` to ``(N, C)``.

    The values must be non-negative (after a ReLU or an exponential), because the columns beyond a record's length
    are held at zero. The maximum is a child `torch.nn.MaxPool2d` as wide as the map, which attribution tools know a
    rule for. Under export and without gradients it is ``amax``: no width is kept there, so threads may share the layer.

    Examples
    --------
    >>> x = torch.tensor([[[[1.0, 5.0, 9.0]]], [[[1.0, 5.0, 9.0]]]])
    >>> GlobalMax()(x, torch.tensor([2, 3])).tolist()
    [[5.0], [9.0]]
    """

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(1)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the maxima ``(N, C)`` over the first `lengths` columns of each record."""
        x = masked(x, lengths)
        if torch.compiler.is_compiling() or not torch.is_grad_enabled():
            return x.amax((2, 3))
        self.pool.kernel_size = self.pool.stride = (x.shape[2], x.shape[3])
        pooled: Tensor = self.pool(x)
        return pooled.flatten(1)


class GlobalMean(nn.Module):
    """Mean of each channel over the real columns: ``(N, C, H, W)`` to ``(N, C)``.

    Examples
    --------
    >>> x = torch.tensor([[[[1.0, 5.0, 9.0]]], [[[1.0, 5.0, 9.0]]]])
    >>> GlobalMean()(x, torch.tensor([2, 3])).tolist()
    [[3.0], [5.0]]
    """

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the means ``(N, C)`` over the first `lengths` columns of each record."""
        if lengths is None:
            return x.sum((2, 3)) / (x.shape[2] * x.shape[3])  # a mean's gradient would come in another layout
        return masked(x, lengths).sum((2, 3)) / (lengths.clamp(min=1) * x.shape[2])[:, None].to(x.dtype)
