"""Joining: two Datasets of the same kind as one."""

from dataclasses import replace

import numpy as np

from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError
from seqcnn.sequence import Sequences


def join(first: Dataset, second: Dataset, name: str) -> Dataset:
    """Return the records of `first`, then those of `second`; the parts the data name are forgotten.

    Parameters
    ----------
    name
        What the second one is called in an error.

    Raises
    ------
    DataError
        If they differ in kind, alphabet, task or labels, or in the size of their pictures.
    """
    for what in ("kind", "task", "labels", "alphabet"):
        ours, theirs = getattr(first, what), getattr(second, what)
        if ours != theirs:
            ours, theirs = getattr(ours, "name", ours), getattr(theirs, "name", theirs)
            raise DataError(f"{name}: expected data of the same {what} as the training data, {ours}, found {theirs}")
    if first.targets is None or second.targets is None:
        raise DataError(f"{name}: expected records with targets")
    n, m = len(first), len(second)
    if isinstance(first.raw, Sequences) and isinstance(second.raw, Sequences):
        offsets = np.concatenate([first.raw.offsets, second.raw.offsets[1:] + len(first.raw.buffer)])
        raw: Sequences | np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = Sequences(
            np.concatenate([first.raw.buffer, second.raw.buffer]), offsets
        )
    elif isinstance(first.raw, Sequences) or isinstance(second.raw, Sequences):
        raise DataError(f"{name}: expected sequences with sequences, or pictures with pictures")
    elif first.raw.shape[1:] != second.raw.shape[1:]:
        raise DataError(f"{name}: expected pictures of shape {first.raw.shape[1:]}, found {second.raw.shape[1:]}")
    else:
        raw = np.concatenate([first.raw, second.raw])
    parents = None
    if first.parents is not None or second.parents is not None:
        mine = np.full(n, -1, np.int64) if first.parents is None else first.parents
        theirs = np.full(m, -1, np.int64) if second.parents is None else second.parents
        parents = np.concatenate([mine, np.where(theirs < 0, -1, theirs + n)])
    return replace(
        first,
        raw=raw,
        ids=first.ids + second.ids,
        targets=np.concatenate([first.targets, second.targets]),
        parts=None,
        parents=parents,
    )
