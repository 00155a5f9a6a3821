"""Dropout that draws from a generator of its own, so that networks trained side by side stay reproducible."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Zero a share of the features, or of whole maps, in training; the identity otherwise.

    PyTorch's layer draws from one generator for the whole process, in an order that threads change.

    Parameters
    ----------
    p
        Share that is dropped; what stays is scaled by ``1 / (1 - p)``.
    maps
        Drop whole maps ``(N, C)`` of an image ``(N, C, H, W)``.

    References
    ----------
    Srivastava et al. Journal of Machine Learning Research 15:1929 (2014).

    Examples
    --------
    >>> layer = Dropout(0.5)
    >>> layer.eval()(torch.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, p: float, *, maps: bool = False) -> None:
        super().__init__()
        self.p, self.maps = p, maps
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with a share of it zero."""
        mask = self.mask(x)
        return x if mask is None else x * mask

    def mask(self, x: Tensor) -> Tensor | None:
        """Return what `x` is multiplied by; None where nothing is dropped."""
        if not self.training or self.p == 0:
            return None
        kept = x.new_empty(x.shape[:2] + (1,) * (x.dim() - 2) if self.maps else x.shape)
        return kept.bernoulli_(1 - self.p, generator=self.generator).div_(1 - self.p)

    def extra_repr(self) -> str:
        """Return the options, for ``print(network)``."""
        return f"p={self.p}, maps={self.maps}"


def reseed(network: nn.Module, seed: int | None, device: torch.device | str = "cpu") -> None:
    """Give every dropout of a network its own generator, or with None back that of the process.

    Parameters
    ----------
    seed
        Of the first layer; the next ones count on.
    """
    layers = [m for m in network.modules() if isinstance(m, Dropout)]
    for i, layer in enumerate(layers):
        layer.generator = None if seed is None else torch.Generator(device).manual_seed(seed + i)
