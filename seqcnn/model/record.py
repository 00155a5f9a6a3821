"""The training record: how a model came to be, kept with it and in its file."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.conformal import Conformity
from seqcnn.data.hashes import Hashes
from seqcnn.data.relatives import Sketches

Floats = npt.NDArray[np.float64]
#: Fields of the record that are stored as tensors, not as text.
ARRAYS = ("trained_hashes", "oof", "sketches", "conformity")


@dataclass(frozen=True)
class FoldMotifs:
    """The motifs of the folds' models, by which those of the final model are known to be found again.

    Parameters
    ----------
    columns
        Letter probabilities of all matrices, one below the other, ``(sum of lengths, A)`` float16.
    lengths, folds, sites
        Of each matrix: its positions, its fold (from 0) and the sites it was counted from, ``(M,)``.
    """

    columns: npt.NDArray[np.float16]
    lengths: npt.NDArray[np.int32]
    folds: npt.NDArray[np.int32]
    sites: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for each training record by a model that had not seen it (contract 7).

    Parameters
    ----------
    hashes
        Canonical hash of each record, ``(N,)`` uint64.
    truth
        Targets, ``(N, T)`` float64, missing values NaN.
    logits
        Calibrated logits, ``(N, K)`` float32.
    baselines
        Name of a baseline to its logits, each ``(N, K)`` float32.
    ids
        Identifier of each record; may be empty.
    near
        Which records have a near relative in another fold, ``(N,)``; None where that is not known.
    fold
        Fold of each record, from 0, ``(N,)``; None in files of an earlier seqcnn.
    motifs
        What the folds' models learned; None where they have no motifs.
    """

    hashes: Hashes
    truth: Floats
    logits: npt.NDArray[np.float32]
    baselines: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    near: npt.NDArray[np.bool_] | None = None
    fold: npt.NDArray[np.int64] | None = None
    motifs: FoldMotifs | None = None


def _no_hashes() -> Hashes:
    return np.zeros(0, np.uint64)


@dataclass(frozen=True)
class TrainingRecord:
    """What training did; everything but `ARRAYS` is plain JSON.

    Parameters
    ----------
    created
        ISO date and time.
    command
        The shell command that made the model, or empty.
    versions, options, seed
        Of the software, as resolved, and of everything random.
    data
        Summary of the Dataset: sources with their SHA-256, dropped, replaced, notes, number of records.
    counts
        Records in ``train``, ``valid`` and ``test``.
    n_per_class
        Training records of each class; empty for regression.
    negatives
        Recorded kind of negatives: "shuffle", "matched", "flank", "file" or None; how they were made stands in `data`.
    history
        One dict an epoch.
    choices
        What was found rather than assumed: ``{"strands": {...}, "positions": {...}}``.
    calibration
        How the logits were calibrated.
    figures, out_of_fold
        `Evaluation.to_dict` of the test part and of the folds; None where there is none.
    notes
        Sentences the user was told.
    baselines
        Name of a baseline to what was chosen for it (k, C, ...).
    seconds
        Wall time of training.
    trained_hashes
        Canonical hash of each training and validation record, sorted, uint64.
    oof
        The predictions behind `out_of_fold`.
    sketches
        K-mer sketches of the training and validation records, by which relatives of theirs are known; None of others
        than sequences.
    conformity
        How far held-out records were off, by which sets and intervals are made; None where no record was held out.
    """

    created: str = ""
    command: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    n_per_class: dict[str, int] = field(default_factory=dict)
    negatives: str | None = None
    history: tuple[dict[str, Any], ...] = ()
    choices: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] | None = None
    out_of_fold: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    baselines: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: float = 0.0
    trained_hashes: Hashes = field(default_factory=_no_hashes)
    oof: OutOfFold | None = None
    sketches: Sketches | None = None
    conformity: Conformity | None = None

    def plain(self) -> dict[str, Any]:
        """Return all but the arrays as JSON values."""
        return {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name not in ARRAYS}


def plain(value: Any) -> Any:
    """Return `value` as JSON values: NumPy scalars and arrays unwrapped, paths as text, NaN and infinity null.

    >>> plain({"auroc": np.float32(0.5), "f1": float("nan"), "labels": ("no", "yes")})
    {'auroc': 0.5, 'f1': None, 'labels': ['no', 'yes']}
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"expected a value that JSON can hold, found {type(value).__name__}")
