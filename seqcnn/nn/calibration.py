"""Calibration of logits as a layer: a scale and an offset an output."""

import torch
from torch import Tensor, nn


class Calibration(nn.Module):
    """``logits * scale + bias``, one of each an output; it starts as the identity.

    Temperature scaling (Guo et al. 2017, arXiv:1706.04599) is ``scale = 1 / temperature``; with a bias it is Platt
    scaling. Both are buffers: they are fitted on validation records after training, never by gradient steps of it.

    Examples
    --------
    >>> layer = Calibration(2)
    >>> layer.scale[:] = 0.5
    >>> layer(torch.tensor([[2.0, -4.0]])).tolist()
    [[1.0, -2.0]]
    """

    scale: Tensor
    bias: Tensor

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("scale", torch.ones(outputs))
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, logits: Tensor) -> Tensor:
        """Return the calibrated logits ``(N, outputs)``."""
        return logits * self.scale + self.bias
