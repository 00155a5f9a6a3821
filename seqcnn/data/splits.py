"""Splits: which records train, steer and test, by class and with relatives kept on one side."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.errors import DataError

Indices = npt.NDArray[np.int64]

#: Fewer records of a class than this cannot be split into parts that mean anything.
FEWEST_RECORDS = 10
#: Quantile bins by which numbers are stratified.
_BINS = 10
#: A chain of overlapping records is cut where it holds more than one in so many.
_LOCI = 50


@dataclass(frozen=True)
class Parts:
    """Indices of the records that train, steer (valid) and test, each sorted; disjoint."""

    train: Indices
    valid: Indices
    test: Indices


def split_groups(dataset: Dataset) -> Indices:
    """Return a group number for each record, ``(N,)``: relatives share one and must stay on one side of a split.

    Relatives are duplicates (soft-masked or not), reverse-complement duplicates, a shuffle and its parent, records that
    overlap on a genome, those of one of the data's groups, and whatever these link together.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import Sequences, encode
    >>> raw = Sequences.from_codes([encode(s, DNA) for s in (b"AACG", b"cgtt", b"TTTT", b"GACA")])
    >>> data = Dataset("codes", raw, ("a", "b", "c", "d"), alphabet=DNA, parents=np.array([-1, -1, -1, 1]))
    >>> split_groups(data).tolist()
    [0, 0, 1, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, same = np.unique(record_hashes(dataset.raw, dataset.alphabet), return_inverse=True)
    n = len(dataset)
    links = [(np.arange(n), same + n)]
    if dataset.parents is not None:
        child = np.flatnonzero(dataset.parents >= 0)
        links.append((child, dataset.parents[child]))
    numbers = [] if dataset.groups is None else [dataset.groups]
    if dataset.places is not None:
        numbers.append(dataset.places.loci(max(_BINS, n // _LOCI)))
    for number in numbers:
        held = np.flatnonzero(number >= 0)
        _, first, same = np.unique(number[held], return_index=True, return_inverse=True)
        links.append((held, held[first][same]))
    rows, columns = (np.concatenate(side) for side in zip(*links, strict=True))
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(2 * n, 2 * n))
    _, label = connected_components(graph, directed=False)
    _, first, group = np.unique(label[:n], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group].astype(np.int64)  # numbered by first appearance


def check_classes(dataset: Dataset, *, fewest: int = FEWEST_RECORDS) -> None:
    """Raise `DataError` unless there are targets, two classes or more, and `fewest` records in each.

    Raises
    ------
    DataError
        Naming the class that is too small.
    """
    if dataset.targets is None or dataset.task is None:
        raise DataError("the records have no targets; pass two files, --negatives, or a table with --target")
    infinite = np.isinf(dataset.targets).any(1)
    if infinite.any():
        raise DataError(
            f"record {dataset.ids[int(infinite.argmax())]!r} has an infinite target; expected numbers or missing values"
        )
    known = np.isfinite(dataset.targets).any(1)
    if not known.any():
        raise DataError(f"the targets of all {len(dataset):,} records are missing; name the column that holds them")
    if dataset.task in ("binary", "multiclass"):
        counts = np.bincount(dataset.targets[known, 0].astype(np.intp), minlength=len(dataset.labels))
        present = np.flatnonzero(counts)
        if len(present) < 2:
            only = f" ({dataset.labels[present[0]]!r}, {counts.sum()} records)" if len(present) else ""
            raise DataError(f"expected two classes or more, found {len(present)}{only}; add records of another class")
        for label, count in zip(dataset.labels, counts, strict=True):
            if count < fewest:
                raise DataError(
                    f"class {label!r}: expected {fewest} records or more, found {count}; "
                    "add records, or leave the class out"
                )
    elif known.sum() < 2 * fewest:
        raise DataError(f"expected {2 * fewest} records or more to learn from, found {known.sum()}")
    if dataset.task == "multilabel":
        for label, column in zip(dataset.labels, dataset.targets.T, strict=True):
            found = set(column[np.isfinite(column)].tolist())
            if len(found) == 1:
                raise DataError(f"label {label!r}: expected both 0 and 1, found only {found.pop():g}; leave it out")
    if dataset.numeric:
        for label, column in zip(dataset.labels, dataset.targets.T, strict=False):
            finite = column[np.isfinite(column)]
            if len(finite) and np.ptp(finite) == 0:
                raise DataError(f"target {label!r}: expected numbers that differ, all are {finite[0]:g}; leave it out")


def strata(dataset: Dataset) -> Indices:
    """Return by what each record is stratified, ``(N,)``: class, rarest label held, or tenth of the first number."""
    n = len(dataset)
    if dataset.targets is None:
        return np.zeros(n, np.int64)
    targets = dataset.targets
    if dataset.task == "multilabel":
        rarest = np.argsort(np.nansum(targets, 0))
        held = np.nan_to_num(targets)[:, rarest] > 0
        return np.where(held.any(1), rarest[held.argmax(1)], -1).astype(np.int64)
    first = targets[:, 0]
    known = np.isfinite(first)
    if dataset.numeric:
        edges = np.quantile(first[known], np.linspace(0, 1, _BINS + 1)[1:-1]) if known.any() else np.zeros(0)
        return np.where(known, np.searchsorted(edges, first), -1).astype(np.int64)
    return np.where(known, first, -1).astype(np.int64)


def split(dataset: Dataset, *, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Parts:
    """Return random parts, stratified, relatives together; parts that the data themselves name are obeyed.

    Parameters
    ----------
    valid, test
        Share of the records that are not yet in a part; a part the data name is not drawn again.
    seed
        Of the draw.

    Raises
    ------
    DataError
        If no record is left to train on.

    Examples
    --------
    >>> data = Dataset("pixels", np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1), ("",) * 100)
    >>> parts = split(data, valid=0.1, test=0.2)
    >>> len(parts.train), len(parts.valid), len(parts.test)
    (70, 10, 20)
    """
    part = np.full(len(dataset), "train", "<U5") if dataset.parts is None else dataset.parts.astype("<U5")
    free = np.flatnonzero(part == "train")
    wanted = {
        name: share for name, share in (("valid", valid), ("test", test)) if share > 0 and not (part == name).any()
    }
    if len(free) and wanted:
        names = ["train", *wanted]
        shares = [1 - sum(wanted.values()), *wanted.values()]
        rest = dataset.take(free)
        groups = split_groups(rest)
        part[free] = np.array(names)[_filled(_allot(groups, strata(rest), shares, seed), groups, names)]
    parts = Parts(*(np.flatnonzero(part == name) for name in ("train", "valid", "test")))
    if not len(parts.train):
        raise DataError(f"no record is left to train on: {len(parts.valid)} valid and {len(parts.test)} test records")
    return parts


def _filled(parts: Indices, groups: Indices, names: list[str]) -> Indices:
    """Return the parts, where one is empty with the smallest group of the training part in it.

    Raises
    ------
    DataError
        If the groups are too few for the parts.
    """
    for number in range(len(names) - 1, 0, -1):
        if (parts == number).any():
            continue
        sizes = np.bincount(groups[parts == 0])
        there = np.flatnonzero(sizes)
        if len(there) < 2:
            count = len(np.unique(groups))
            raise DataError(
                f"{count} group{'s' * (count != 1)} of records that stay together cannot fill the parts "
                f"{', '.join(names)}; name what is tested on (--split chromosome:NAME, column:NAME), or split otherwise"
            )
        smallest = there[np.argmin(sizes[there])]
        parts = np.where(groups == smallest, number, parts)
    return parts


def folds(dataset: Dataset, k: int, *, seed: int = 0) -> Indices:
    """Return the fold, 0 to k - 1, of each record, ``(N,)``: stratified, relatives together.

    >>> data = Dataset("pixels", np.arange(30, dtype=np.uint8).reshape(30, 1, 1, 1), ("",) * 30)
    >>> np.bincount(folds(data, 3)).tolist()
    [10, 10, 10]
    """
    return _allot(split_groups(dataset), strata(dataset), [1 / k] * k, seed)


def _allot(groups: Indices, stratum: Indices, shares: list[float], seed: int) -> Indices:
    """Return the part of each record: whole groups, each kind of group shared out as `shares` says.

    Groups of one kind (the same strata, equally often) come in random order and each goes to the part that lacks most.
    """
    rng = np.random.default_rng(seed)
    order = np.lexsort((stratum, groups))
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) > 0])
    sizes = np.diff(np.r_[starts, len(order)])
    kinds: dict[bytes, list[int]] = {}
    ordered = stratum[order]
    for number, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        kinds.setdefault(ordered[start : start + size].tobytes(), []).append(number)
    part_of_group = np.zeros(len(starts), np.int64)
    leftover = [0.0] * len(shares)  # kinds too rare to be shared out on their own are shared out together
    for members in kinds.values():
        lack = [0.0] * len(shares) if len(members) >= max(FEWEST_RECORDS, len(shares)) else leftover
        for number in rng.permutation(members):
            size = int(sizes[number])
            for i, share in enumerate(shares):
                lack[i] += size * share
            part = max(range(len(shares)), key=lack.__getitem__)
            lack[part] -= size
            part_of_group[number] = part
    out = np.empty(len(groups), np.int64)
    out[order] = np.repeat(part_of_group, sizes)
    return out
