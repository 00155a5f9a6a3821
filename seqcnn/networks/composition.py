"""The composition baseline: what a record is made of, whatever the order, and a linear map of it."""

from typing import Literal

import torch
from torch import Tensor, nn

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.checks import one_of
from seqcnn.networks.network import Network
from seqcnn.nn.pooling import GlobalMean

Features = Literal["auto", "gc", "residues", "means"]


class Composition(Network):
    """GC content, or amino acids and length, or the mean of each color: what a network must beat.

    Parameters
    ----------
    features
        ``gc``: the share of G and C, one feature; ``residues``: the share of each amino acid and the logarithm of the
        length; ``means``: the mean of each channel. ``auto`` tells it by the shape of the image.
    """

    center: Tensor
    scale: Tensor

    def __init__(
        self, *, in_channels: int, outputs: int, height: int = 1, width: int | None = None, features: Features = "auto"
    ) -> None:
        letters = in_channels if height == 1 else height if in_channels == 1 else 0
        if features == "auto":
            features = "gc" if letters == DNA.size else "residues" if letters == PROTEIN.size else "means"
        one_of(features, ("gc", "residues", "means"), "features")
        super().__init__(in_channels=in_channels, outputs=outputs, height=height, width=width, features=features)
        self.kind = features
        self.mean = GlobalMean()
        counted = {"gc": 1, "residues": letters + 1, "means": in_channels}[features]
        # Set from the records it is fitted on, so that the weights are comparable.
        self.register_buffer("center", torch.zeros(counted))
        self.register_buffer("scale", torch.ones(counted))
        self.out = nn.Linear(counted, outputs)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        z = self.composition(gathered, lengths)
        return (z - self.center) / self.scale

    def composition(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the plain features of an image, before centering and scaling."""
        if self.kind == "means":
            means: Tensor = self.mean(x, lengths)
            return means
        if self.height > 1:
            x = x.transpose(1, 2)  # a picture of letters: (N, 1, A, L) to (N, A, 1, L)
        z: Tensor = self.mean(x, lengths)  # (N, A)
        if self.kind == "gc":
            return z[:, [DNA.letters.index("C"), DNA.letters.index("G")]].sum(1, keepdim=True)
        long = torch.full((x.shape[0],), x.shape[3], device=x.device) if lengths is None else lengths
        return torch.cat([z, long.clamp(min=1).to(z.dtype).log()[:, None]], 1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(z)
        return logits
