"""Cross-validation: folds that hold relatives together, refused before anything is trained where they cannot be."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.relatives import LONGEST, families
from seqcnn.data.splits import folds, split_groups
from seqcnn.errors import OptionError
from seqcnn.sequence import Sequences

#: A family may fill so many folds, and this share of all records: a larger one would leave too little to learn from.
_FOLDS_FILLED, _SHARE_FILLED = 2, 0.5


def together(data: Dataset, k: int) -> tuple[Dataset, list[str]]:
    """Return the data with near-duplicates in one group, so that `k` folds keep them on one side, and notes.

    Near-duplicates are those of ``--split cluster``: 80% identity over 80% of the shorter, either strand. A family that
    would fill more than two folds, or half of the records, is no group: its members are spread, copies together. Data
    that have groups of their own keep them, and only sequences have near-duplicates.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> texts = ("ACGGTCATTACGGACTTGAC", "TTGACCAGATATTACAACGG", "gtcaagtccgtaatgaccgt", "CTCTAGAGGGATCCATGCAT")
    >>> raw = Sequences.from_codes([encode(text, DNA) for text in texts])
    >>> together(Dataset("codes", raw, tuple("abcd"), alphabet=DNA), 2)[0].groups.tolist()
    [0, 1, 0, 2]
    """
    if data.groups is not None or not isinstance(data.raw, Sequences) or data.alphabet is None:
        return data, []
    if data.lengths.max(initial=0) > LONGEST:
        return data, [
            f"folds: records of more than {LONGEST:,} letters are not aligned; only copies are sure to share a fold"
        ]
    family = families(data.raw, data.alphabet)
    linked = split_groups(replace(data, groups=family))
    large = np.bincount(linked)[linked] > len(data) * min(_FOLDS_FILLED / k, _SHARE_FILLED)
    notes = []
    sizes = np.bincount(family[~large])
    if sizes.max(initial=0) > 1:
        notes.append(
            f"folds: near-duplicates stay together ({int((sizes > 0).sum()):,} families of {int((~large).sum()):,} "
            f"records; the largest holds {sizes.max():,})"
        )
    if large.any():
        notes.append(
            f"folds: {int(large.sum()):,} of {len(data):,} records are too many of a kind to share a fold; their near "
            "relatives lie in other folds (--split cluster keeps them together)"
        )
    return replace(data, groups=np.where(large, -1, family)), notes


def cross_folds(data: Dataset, k: int, *, seed: int = 0) -> npt.NDArray[np.int64]:
    """Return the fold, 0 to k - 1, of each record, ``(N,)``: each holds records, and leaves some of every class.

    Raises
    ------
    OptionError
        If there are more folds than groups of records that stay together, or than records of a class, or a class or
        label cannot be learned without one of the folds.

    Examples
    --------
    >>> data = Dataset("pixels", np.arange(30, dtype=np.uint8).reshape(30, 1, 1, 1), ("",) * 30)
    >>> np.bincount(cross_folds(data, 3)).tolist()
    [10, 10, 10]
    """
    said = f"--folds {k}"
    classes = data.targets[:, 0] if data.task in ("binary", "multiclass") and data.targets is not None else None
    if classes is not None:
        present, counts = np.unique(classes[np.isfinite(classes)].astype(np.intp), return_counts=True)
        if counts.min(initial=k) < k:
            label, count = data.labels[int(present[counts.argmin()])], counts.min()
            less = f"pass --folds {count} or fewer" if count > 1 else "leave the class out"
            raise OptionError(f"{said}: class {label!r} has only {count} records; {less}")
    number = split_groups(data)
    groups, fold = len(np.unique(number)), folds(data, k, seed=seed)
    if groups < k or len(np.unique(fold)) < k:
        less = f"pass --folds {groups} or fewer, or " if groups > 1 else ""
        raise OptionError(
            f"{said}: the {len(data):,} records form {groups} group{'s' * (groups != 1)} that stay together, too few "
            f"for so many folds; {less}split otherwise"
        )
    for f in range(k):
        rest = data.take(data.counted(np.flatnonzero(fold != f)))
        if len(np.unique(number[fold != f])) < 2:
            raise OptionError(f"{said}: without fold {f + 1} one group is left, too few to learn from; split otherwise")
        if lost := _lost(data, rest):
            raise OptionError(
                f"{said}: without fold {f + 1} nothing is left to learn {lost} from, because its records stay "
                "together; pass fewer folds, or split otherwise"
            )
    return fold


def _lost(data: Dataset, rest: Dataset) -> str:
    """Return which class or label of the data cannot be learned from the rest; empty if all can."""
    if data.targets is None or rest.targets is None:
        return ""
    if data.task in ("binary", "multiclass"):
        missing = np.setdiff1d(data.targets[:, 0], rest.targets[:, 0])
        return f"class {data.labels[int(missing[0])]!r}" if len(missing) else ""
    spread = [np.nanmax(t, 0, initial=-np.inf) > np.nanmin(t, 0, initial=np.inf) for t in (data.targets, rest.targets)]
    flat = np.flatnonzero(spread[0] & ~spread[1])
    return f"target {data.labels[int(flat[0])]!r}" if len(flat) and data.labels else ""
