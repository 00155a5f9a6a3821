"""Batches: rectangles of raw records with their lengths and targets, for the training loop."""

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.dataset import Raw

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


def common_width(longest: int) -> int:
    """Return the width of a batch whose longest record has `longest` positions: one of eight an octave.

    oneDNN compiles a convolution anew for every shape, which takes longer than a small batch; so batches of records of
    many lengths come in few widths, an eighth too wide at most.

    >>> common_width(100), common_width(104), common_width(105), common_width(5)
    (104, 104, 112, 5)
    """
    step = 1 << max(0, longest.bit_length() - 4)
    return -(-longest // step) * step


def rectangle(raw: Raw, indices: Indices, *, width: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Return codes ``(n, width)`` uint8, samples ``(n, V, width)`` or pixels ``(n, C, H, W)``, and lengths ``(n,)``.

    `width` defaults to the longest record taken. Pixels of 16 bits become float32: torch computes little with uint16.
    """
    if isinstance(raw, np.ndarray):
        values, lengths = raw[indices], np.full(len(indices), raw.shape[-1], np.int64)
        values = values.astype(np.float32) if values.dtype == np.uint16 else np.ascontiguousarray(values)
    else:
        values, lengths = raw.rectangle(indices, width=width)
    return torch.from_numpy(values), torch.from_numpy(lengths)
