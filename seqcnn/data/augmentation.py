"""Augmentation: random changes of a raw batch that leave its meaning alone, on the device, one class a change.

Each takes ``(raw, lengths, generator)`` and returns ``(raw, lengths)``; the generator is torch's, on the CPU.
"""

from typing import Protocol

import torch

Batch = tuple[torch.Tensor, torch.Tensor]


class Augmentation(Protocol):
    """A random change of raw batches: codes ``(N, L)`` with lengths ``(N,)``, or pixels ``(N, C, H, W)``."""

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the changed batch and its lengths; what came in is left as it was."""
        ...


class Reversible(Protocol):
    """What can reverse-complement codes on the device, as `seqcnn.encode.onehot.OneHot` does."""

    def reverse_complement(self, codes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the codes of the other strand, padding at the end."""
        ...


class ReverseComplement:
    """Codes: each record from either strand, half and half.

    Parameters
    ----------
    encoder
        That reverse-complements codes on the device.
    """

    def __init__(self, encoder: Reversible) -> None:
        self.encoder = encoder

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the codes, about half of the records replaced by their other strand."""
        flip = torch.rand(len(raw), generator=generator).to(raw.device) < 0.5
        return torch.where(flip[:, None], self.encoder.reverse_complement(raw, lengths), raw), lengths


class Shift:
    """Codes: the whole batch loses up to `most` letters at its start, so that pooling windows fall elsewhere.

    Parameters
    ----------
    most
        Largest shift, in positions.
    shortest
        No record becomes shorter than this.

    Examples
    --------
    >>> codes, lengths = torch.arange(6, dtype=torch.uint8).repeat(2, 1), torch.tensor([6, 5])
    >>> moved, left = Shift(3)(codes, lengths, torch.Generator().manual_seed(1))
    >>> moved[0].tolist(), left.tolist()
    ([1, 2, 3, 4, 5], [5, 4])
    """

    def __init__(self, most: int, *, shortest: int = 1) -> None:
        self.most, self.shortest = most, shortest

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the codes without the first few columns."""
        room = max(0, min(self.most, int(lengths.min()) - self.shortest))
        start = int(torch.randint(room + 1, (), generator=generator))
        return raw[:, start:], lengths - start


class PixelShift:
    """Pixels: each picture moves by up to `most` pixels each way; zeros move in.

    Parameters
    ----------
    most
        Largest move, in pixels.
    """

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the moved pictures, same shape."""
        n, _, height, width = raw.shape
        wide = torch.nn.functional.pad(raw, (self.most,) * 4)
        move = torch.randint(2 * self.most + 1, (2, n), generator=generator).to(raw.device)
        rows = move[0, :, None] + torch.arange(height, device=raw.device)  # (N, H)
        columns = move[1, :, None] + torch.arange(width, device=raw.device)  # (N, W)
        record = torch.arange(n, device=raw.device)[:, None, None]
        return wide[record, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2), lengths
