"""Pictures as normalized images."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqcnn.checks import one_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OptionError, ShapeError

#: Pixels a channel that `Pixels.fit` looks at, in pictures evenly spread: enough for three digits of a mean.
_FIT_PIXELS = 1 << 23
#: The value that 1.0 stands for, by the type of the pixels.
FULL = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}


class Pixels(Encoder):
    """Pixels ``(N, C, H, W)`` to an image with mean 0 and standard deviation 1 a channel over the training pictures.

    Parameters
    ----------
    channels, height, width
        Of every picture.
    mean, std
        A number a channel, of pixels as shares of full scale.
    depth
        ``uint8``, ``uint16`` or ``float32``: type of the pixels, whose full scale is 255, 65535 and 1.
    fit_by
        How pictures of other sizes are made to fit: see `seqcnn.io.pictures.conform`.

    Examples
    --------
    >>> raw = np.arange(2 * 1 * 3 * 5, dtype=np.uint8).reshape(2, 1, 3, 5)
    >>> image = Pixels.fit(raw)(torch.from_numpy(raw))
    >>> image.shape, abs(round(float(image.mean()), 5)), round(float(image.std(correction=0)), 5)
    (torch.Size([2, 1, 3, 5]), 0.0, 1.0)
    """

    name: ClassVar[str] = "pixels"
    raw_kind: ClassVar[str] = "pixels"
    files: ClassVar[str | None] = "picture"
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        channels: int,
        height: int,
        width: int,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        depth: str = "uint8",
        fit_by: str = "resize",
    ) -> None:
        super().__init__()
        if len(mean) != channels or len(std) != channels or not all(s > 0 for s in std):
            raise OptionError(
                f"Pixels: expected {channels} means and {channels} positive standard deviations, "
                f"found {list(mean)} and {list(std)}"
            )
        self.channels, self.height, self.width = self.raw_shape = channels, height, width
        self.depth, self.fit_by = one_of(depth, list(FULL), "depth"), fit_by
        # Both stand in the configuration, so they are no part of the tensors of a saved model.
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(-1, 1, 1), persistent=False)

    @classmethod
    def fit(cls, raw: npt.NDArray[Any], *, fit_by: str = "resize", **settings: Any) -> Self:
        """Return the encoder whose mean and deviation are those of `raw` ``(N, C, H, W)``."""
        sample = raw[:: max(1, raw[:, 0].size // _FIT_PIXELS)]
        depth = one_of(str(raw.dtype), list(FULL), "pixels of type")
        mean, std = [], []
        for channel in range(raw.shape[1]):
            values = sample[:, channel].astype(np.float64).ravel() / FULL[depth]
            mean.append(float(values.mean()) if len(values) else 0.0)
            std.append((float(values.std()) if len(values) else 0.0) or 1.0)
        return cls(*raw.shape[1:], mean=mean, std=std, depth=depth, fit_by=fit_by)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {
            "channels": self.channels, "height": self.height, "width": self.width,
            "mean": [float(m) for m in self.mean.flatten()], "std": [float(s) for s in self.std.flatten()],
            "depth": self.depth, "fit_by": self.fit_by,
        }  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return the type of the pixels and how other sizes are made to fit."""
        return {"depth": self.depth, "fit_by": self.fit_by}

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the image of `raw` ``(N, C, H, W)``, of the type trained on or float32: float32 of the same shape.

        Raises
        ------
        ShapeError
            If the pictures have other channels, height or width.
        """
        kind = str(raw.dtype).removeprefix("torch.")
        if raw.dim() != 4 or tuple(raw.shape[1:]) != self.raw_shape or kind not in (self.depth, "float32"):
            raise ShapeError(
                f"Pixels: expected {self.depth} pictures (N, C, H, W) with (C, H, W) = {self.raw_shape}, found "
                f"{kind} {tuple(raw.shape)}; convert or resize the pictures"
            )
        return (raw.float() / FULL[self.depth] - self.mean) / self.std
