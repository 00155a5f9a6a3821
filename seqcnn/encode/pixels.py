"""Pictures as normalized images."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.errors import OptionError, ShapeError

#: Pictures that `Pixels.fit` looks at, evenly spread: enough for three digits of a mean.
_FIT_PICTURES = 4096


class Pixels(nn.Module):
    """Pixels ``(N, C, H, W)`` uint8 to an image with mean 0 and standard deviation 1 a channel.

    Parameters
    ----------
    channels, height, width
        Of every picture.
    mean, std
        A number a channel, of pixels scaled to 0..1.

    Examples
    --------
    >>> raw = np.arange(2 * 1 * 3 * 5, dtype=np.uint8).reshape(2, 1, 3, 5)
    >>> image = Pixels.fit(raw)(torch.from_numpy(raw))
    >>> image.shape, abs(round(float(image.mean()), 5)), round(float(image.std(correction=0)), 5)
    (torch.Size([2, 1, 3, 5]), 0.0, 1.0)
    """

    name: ClassVar[str] = "pixels"
    raw_kind: ClassVar[str] = "pixels"
    has_complement: bool = False
    mean: Tensor
    std: Tensor

    def __init__(self, channels: int, height: int, width: int, *, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != channels or len(std) != channels or not all(s > 0 for s in std):
            raise OptionError(
                f"Pixels: expected {channels} means and {channels} positive standard deviations, "
                f"found {list(mean)} and {list(std)}"
            )
        self.channels, self.height, self.width = channels, height, width
        # Both stand in the configuration, so they are no part of the tensors of a saved model.
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)

    @classmethod
    def fit(cls, raw: npt.NDArray[np.uint8]) -> Self:
        """Return the encoder whose mean and deviation are those of `raw` ``(N, C, H, W)``."""
        sample = raw[:: -(-len(raw) // _FIT_PICTURES)] if len(raw) else raw
        values = sample.transpose(1, 0, 2, 3).reshape(raw.shape[1], -1)
        levels = np.arange(256) / 255
        mean, std = [], []
        for channel in values:
            share = np.bincount(channel, minlength=256) / max(1, channel.size)
            middle = float(share @ levels)
            spread = float(np.sqrt(share @ (levels - middle) ** 2))
            mean.append(middle)
            std.append(spread or 1.0)
        return cls(*raw.shape[1:], mean=mean, std=std)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {
            "channels": self.channels,
            "height": self.height,
            "width": self.width,
            "mean": [float(m) for m in self.mean.flatten()],
            "std": [float(s) for s in self.std.flatten()],
        }

    def forward(self, raw: Tensor) -> Tensor:
        """Return the image of `raw` ``(N, C, H, W)`` uint8: float32 of the same shape.

        Raises
        ------
        ShapeError
            If the pictures have other channels, height or width.
        """
        expected = (self.channels, self.height, self.width)
        if raw.dim() != 4 or tuple(raw.shape[1:]) != expected or raw.dtype != torch.uint8:
            raise ShapeError(
                f"Pixels: expected uint8 pictures (N, C, H, W) with (C, H, W) = {expected}, found "
                f"{str(raw.dtype).removeprefix('torch.')} {tuple(raw.shape)}; resize the pictures"
            )
        return (raw.float() / 255 - self.mean) / self.std
