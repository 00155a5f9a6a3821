"""What is checked: a Dataset, how to look at it, and what several checks need to know of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import Hashes, record_hashes
from seqcnn.io.pictures import picture_size
from seqcnn.options import CheckOptions

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

#: Identifiers that a finding names.
EXAMPLES = 5
#: Fewer records than this on either side of a contrast tell nothing.
_FEWEST = 5
#: Classes that are held against the rest, the largest first.
_MOST_CONTRASTS = 30


@dataclass(frozen=True)
class Contrast:
    """Targets as one column: a class against the rest (0 and 1), or numbers; NaN where unknown or not counted."""

    name: str
    other: str
    truth: Floats
    numeric: bool = False


@dataclass(frozen=True)
class Subject:
    """Data under examination.

    Parameters
    ----------
    data
        The records.
    options
        How they are looked at.
    seed
        Of everything random.
    """

    data: Dataset
    options: CheckOptions
    seed: int = 0

    @cached_property
    def given(self) -> npt.NDArray[np.bool_]:
        """Which records were given, not made by seqcnn as shuffles of others, ``(N,)``."""
        parents = self.data.parents
        return np.ones(len(self.data), bool) if parents is None else parents < 0

    @cached_property
    def hashes(self) -> Hashes:
        """Hash of each record, which its other strand shares, ``(N,)``."""
        return record_hashes(self.data.raw, self.data.alphabet)

    @property
    def files(self) -> tuple[str, ...] | None:
        """The file of each record, where it has one."""
        return self.data.files

    @cached_property
    def sizes(self) -> Indices | None:
        """Width and height of each picture as its file has it, ``(N, 2)``; None where there are no such files."""
        if self.files is None or self.data.kind != "pixels":
            return None
        found = [picture_size(file) for file in self.files]
        return np.array([size for size in found if size is not None]) if all(found) else None

    @cached_property
    def groups(self) -> Indices:
        """Number of each record's group of equal records, a shuffle going with its parent, ``(N,)``."""
        _, group = np.unique(self.hashes, return_inverse=True)
        if self.data.parents is not None:
            group = np.where(self.given, group, group[np.maximum(self.data.parents, 0)])
        return group.astype(np.int64)

    @cached_property
    def half(self) -> npt.NDArray[np.bool_]:
        """One half of the records, ``(N,)``: what is chosen on it is measured on the other one; equals share a half."""
        rng = np.random.default_rng(self.seed)
        sides = rng.permutation(int(self.groups.max(initial=0)) + 1) % 2 == 0
        return np.asarray(sides[self.groups])

    @cached_property
    def contrasts(self) -> tuple[Contrast, ...]:
        """The columns that shortcuts are measured against; none where there is nothing to tell apart."""
        data = self.data
        if data.targets is None or data.task is None:
            return ()
        if data.numeric or data.task == "multilabel":
            known = np.where(np.isfinite(data.targets), data.targets, np.nan)
            found = [
                Contrast(label, f"without {label}", column, data.numeric)
                for label, column in zip(data.labels, known.T, strict=True)
            ]
            return tuple(c for c in found if _tells(c))
        truth = data.targets[:, 0]
        classes = list(range(len(data.labels)))
        if len(classes) == 2:
            classes = [1]
        counts = np.bincount(truth[np.isfinite(truth)].astype(np.int64), minlength=len(data.labels))
        classes = sorted(sorted(classes, key=lambda k: -counts[k])[:_MOST_CONTRASTS])
        found = [
            Contrast(
                data.labels[k],
                data.labels[0] if len(data.labels) == 2 else "the other classes",
                np.where(np.isfinite(truth), (truth == k).astype(np.float64), np.nan),
            )
            for k in classes
        ]
        return tuple(c for c in found if _tells(c))

    def named(self, indices: Iterable[int]) -> tuple[str, ...]:
        """Return the identifiers of the first few of some records."""
        return tuple(self.data.ids[int(i)] for _, i in zip(range(EXAMPLES), indices, strict=False))


def _tells(contrast: Contrast) -> bool:
    known = contrast.truth[np.isfinite(contrast.truth)]
    if contrast.numeric:
        return len(known) >= 2 * _FEWEST and bool(np.ptp(known) > 0)
    return bool(min((known == 1).sum(), (known == 0).sum()) >= _FEWEST)
