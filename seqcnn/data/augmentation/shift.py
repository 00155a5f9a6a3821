"""Shift: records moved by a few positions or pixels."""

from typing import ClassVar

import torch

from seqcnn.data.augmentation.augmentation import Augmentation, Batch

#: Largest shift at strength 1: letters, share of a series, share of a picture's side.
_LETTERS, _SERIES, _PICTURE = 6, 0.1, 0.2


class Shift(Augmentation):
    """Records move by up to 6 letters, a tenth of a series, or a fifth of a picture at strength 1.

    Of sequences and series the whole batch loses its first few columns, so that pooling windows fall elsewhere. Each
    picture moves on its own, the pixels of its edge repeated.

    Examples
    --------
    >>> from seqcnn.encode.onehot import OneHot
    >>> codes, lengths = torch.arange(6, dtype=torch.uint8).repeat(2, 1), torch.tensor([6, 5])
    >>> moved, left = Shift(0.5, encoder=OneHot("dna"))(codes, lengths, torch.Generator().manual_seed(1))
    >>> moved[0].tolist(), left.tolist()
    ([1, 2, 3, 4, 5], [5, 4])
    """

    kinds: ClassVar[tuple[str, ...]] = ("codes", "samples", "pixels")

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the moved records."""
        if self.encoder.raw_kind == "pixels":
            return self._moved(raw, generator), lengths
        most = _LETTERS if self.encoder.raw_kind == "codes" else int(_SERIES * int(lengths.min()))
        room = max(0, min(round(most * self.strength), int(lengths.min()) - self.shortest))
        start = int(torch.randint(room + 1, (), generator=generator))
        return raw[..., start:], lengths - start

    def _moved(self, raw: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return pictures moved up to so many pixels each way."""
        n, _, height, width = raw.shape
        most = round(_PICTURE * self.strength * min(height, width))
        move = (torch.randint(2 * most + 1, (2, n), generator=generator) - most).to(raw.device)
        rows = (move[0, :, None] + torch.arange(height, device=raw.device)).clamp(0, height - 1)  # (N, H)
        columns = (move[1, :, None] + torch.arange(width, device=raw.device)).clamp(0, width - 1)  # (N, W)
        record = torch.arange(n, device=raw.device)[:, None, None]
        return raw[record, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
