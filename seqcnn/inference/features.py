"""Features: what the last layer of a network sees of each record."""

from typing import Any

import torch
from torch import Tensor, nn

from seqcnn.data.dataset import Raw
from seqcnn.encode.encoder import Encoder
from seqcnn.inference.predict import Logits, predict_logits


class FeatureView(nn.Module):
    """A network whose answer is its features ``(N, F)``, not its logits.

    Parameters
    ----------
    network
        With ``features(x, lengths)``, or another method of that shape.
    method
        Its name.
    """

    def __init__(self, network: Any, method: str = "features") -> None:
        super().__init__()
        self.network, self.method = network, method
        self.fixed_width = getattr(network, "fixed_width", None)
        self.batch_bytes = getattr(network, "batch_bytes", None)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the features of images ``(N, C, H, W)``."""
        if self.method != "features":
            x, lengths = self.network.prepare(x, lengths)
        found: Tensor = getattr(self.network, self.method)(x, lengths)
        return found


def features_of(
    encoder: Encoder,
    network: nn.Module,
    raw: Raw,
    *,
    strands: str = "forward",
    device: str | torch.device | None = None,
    method: str = "features",
) -> Logits:
    """Return the features of each record, ``(N, F)`` float32; with ``both`` strands, the mean of the two."""
    return predict_logits(encoder, FeatureView(network, method), raw, strands=strands, device=device)
