"""Joining: two Datasets of the same kind as one."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, Raw
from seqcnn.errors import DataError
from seqcnn.interval import Intervals, Place
from seqcnn.samples import Samples
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
    raw = _joined(first.raw, second.raw, name)
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
        weights=_weights(first, second),
        parts=None,
        parents=parents,
        places=_places(first, second),
        groups=_groups(first, m),
        files=None if first.files is None or second.files is None else first.files + second.files,
    )


def _joined(first: Raw, second: Raw, name: str) -> Raw:
    """Return raw records of one kind, those of `first` first."""
    if isinstance(first, Sequences) and isinstance(second, Sequences):
        offsets = np.concatenate([first.offsets, second.offsets[1:] + len(first.buffer)])
        return Sequences(np.concatenate([first.buffer, second.buffer]), offsets)
    if isinstance(first, Samples) and isinstance(second, Samples):
        if first.variables != second.variables:
            raise DataError(f"{name}: expected series of {first.variables} variables, found {second.variables}")
        offsets = np.concatenate([first.offsets, second.offsets[1:] + first.values.shape[1]])
        return Samples(np.concatenate([first.values, second.values], axis=1), offsets)
    if not isinstance(first, np.ndarray) or not isinstance(second, np.ndarray):
        raise DataError(f"{name}: expected records of the same kind as the training data")
    if first.shape[1:] != second.shape[1:]:
        raise DataError(f"{name}: expected pictures of shape {first.shape[1:]}, found {second.shape[1:]}")
    return np.concatenate([first, second])


def _places(first: Dataset, second: Dataset) -> Intervals | None:
    if first.places is None and second.places is None:
        return None
    nowhere = [Intervals.of([Place()] * len(d)) for d in (first, second)]
    return (first.places or nowhere[0]).joined(second.places or nowhere[1])


def _groups(first: Dataset, more: int) -> npt.NDArray[np.int64] | None:
    """Return the groups of `first`, and one of its own for each of the others."""
    if first.groups is None:
        return None
    return np.concatenate([first.groups, first.groups.max(initial=-1) + 1 + np.arange(more)])


def _weights(first: Dataset, second: Dataset) -> npt.NDArray[np.float64] | None:
    if first.weights is None and second.weights is None:
        return None
    return np.concatenate([np.ones(len(d)) if d.weights is None else d.weights for d in (first, second)])
