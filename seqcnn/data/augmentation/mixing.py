"""Mixing: images of two records in one, and how much of each; the loss is mixed alike."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from seqcnn.nn.padding import inside


@dataclass(frozen=True)
class Mixed:
    """A mixed batch.

    Parameters
    ----------
    image
        ``(N, C, H, W)``.
    columns
        Real columns of each image, or None for all.
    partner
        Record that each was mixed with, ``(N,)``.
    share
        What of each image is its own, ``(N,)``; the rest is the partner's.
    """

    image: torch.Tensor
    columns: torch.Tensor | None
    partner: torch.Tensor
    share: torch.Tensor

    def loss(
        self,
        criterion: Callable[..., torch.Tensor],
        logits: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return the loss of `logits` for what is a record's own and for what is its partner's, each by its share.

        `criterion` takes logits, targets and the keyword ``weights`` ``(N,)``, and returns a weighted mean.
        """
        own = torch.ones_like(self.share) if weights is None else weights
        shares = torch.cat([own * self.share, own[self.partner] * (1 - self.share)])
        return criterion(torch.cat([logits, logits]), torch.cat([targets, targets[self.partner]]), weights=shares)


def mix_up(image: torch.Tensor, columns: torch.Tensor | None, alpha: float, generator: torch.Generator) -> Mixed:
    """Return weighted means of pairs of images, the weights from ``Beta(alpha, alpha)``.

    References
    ----------
    Zhang, Cisse, Dauphin, Lopez-Paz. mixup: beyond empirical risk minimization. ICLR (2018). arXiv:1710.09412

    Examples
    --------
    >>> two = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    >>> mixed = mix_up(two, None, 1.0, torch.Generator().manual_seed(0))
    >>> torch.equal(mixed.image[0, 0, 0, 0], 1 - mixed.share[0]) or int(mixed.partner[0]) == 0
    True
    """
    share, partner = _drawn(image, alpha, generator)
    own = share.view(-1, 1, 1, 1)
    whole = None if columns is None else columns.maximum(columns[partner])
    return Mixed(image * own + image[partner] * (1 - own), whole, partner, share)


def cut_mix(image: torch.Tensor, columns: torch.Tensor | None, alpha: float, generator: torch.Generator) -> Mixed:
    """Return images in which a rectangle (of height 1: a stretch) is the partner's.

    References
    ----------
    Yun et al. CutMix: regularization strategy to train strong classifiers. ICCV (2019). arXiv:1905.04899
    """
    share, partner = _drawn(image, alpha, generator)
    height, width = image.shape[2:]
    side = (1 - share) ** (0.5 if height > 1 else 1)
    place = torch.rand(2, len(image), generator=generator).to(image.device)

    def stretch(size: int, at: torch.Tensor, long: torch.Tensor) -> torch.Tensor:
        start = (at * (size - long * size)).round()
        index = torch.arange(size, device=image.device)
        return (index >= start[:, None]) & (index < (start + (long * size).round())[:, None])

    columns_in = stretch(width, place[1], side)
    rows_in = stretch(height, place[0], side if height > 1 else torch.ones_like(side))
    pasted = rows_in[:, :, None] & columns_in[:, None, :]  # (N, H, W)
    whole = None if columns is None else columns.maximum(columns[partner])
    mixed = torch.where(pasted[:, None], image[partner], image)
    if whole is None:
        return Mixed(mixed, whole, partner, 1 - pasted.float().mean((1, 2)))
    real = inside(whole.to(image.device), width)[:, None]  # (N, 1, W): of either record
    return Mixed(mixed, whole, partner, 1 - (pasted & real).sum((1, 2)) / (height * whole.clamp(min=1)))


def _drawn(image: torch.Tensor, alpha: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the own share and the partner of each record."""
    n = len(image)
    parts = torch._standard_gamma(torch.full((2, n), float(alpha)), generator=generator)
    share = parts[0] / parts.sum(0).clamp(min=1e-12)
    return share.to(image.device), torch.randperm(n, generator=generator).to(image.device)
