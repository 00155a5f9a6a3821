"""Batches: rectangles of raw records with their lengths and targets, for the training loop."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.dataset import Raw
from seqcnn.sequence import Sequences

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Indices = npt.NDArray[np.int64]

#: Records of unequal length are sorted by length within this many batches, so that little is padded.
_POOL = 16


def shuffled_batches(lengths: Indices, indices: Indices, batch_size: int, *, rng: np.random.Generator) -> list[Indices]:
    """Return `indices` in random batches of equal size, records of about one length together.

    Up to ``batch_size - 1`` records are left for another epoch, so that no step is taken on a handful of records;
    fewer records than a batch make one batch.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> [len(b) for b in shuffled_batches(np.full(50, 7), np.arange(25), 10, rng=rng)]
    [10, 10]
    """
    order = rng.permutation(indices)
    size = min(batch_size, len(order))
    order = order[: len(order) // size * size]
    if np.ptp(lengths[order]) == 0:
        return list(order.reshape(-1, size))
    pools = [order[at : at + _POOL * size] for at in range(0, len(order), _POOL * size)]
    batches = [row for pool in pools for row in pool[np.argsort(lengths[pool], kind="stable")].reshape(-1, size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def load_batch(raw: Raw, targets: npt.NDArray[np.float32], indices: Indices, *, width: int | None = None) -> Batch:
    """Return raw codes ``(n, width)`` or pixels ``(n, C, H, W)`` uint8, lengths ``(n,)`` and targets ``(n, T)``.

    `width` defaults to the longest record taken.
    """
    if isinstance(raw, Sequences):
        values, lengths = raw.rectangle(indices, width=width)
    else:
        values, lengths = raw[indices], np.full(len(indices), raw.shape[-1], np.int64)
    return torch.from_numpy(values), torch.from_numpy(lengths), torch.from_numpy(targets[indices])


def batches(
    raw: Raw, targets: npt.NDArray[np.float32], order: list[Indices], *, width: int | None = None
) -> Iterator[Batch]:
    """Yield `load_batch` of each index batch of `order`."""
    for indices in order:
        yield load_batch(raw, targets, indices, width=width)
