"""The Dataset: raw records of one kind with their identifiers, targets and provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.data.card import html_card, text_card
from seqcnn.errors import DataError
from seqcnn.interval import Intervals
from seqcnn.registry import resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences

RawKind = Literal["codes", "samples", "pixels"]
#: ``(N, C, H, W)``: uint8, uint16 or float32.
Pixels = npt.NDArray[Any]
Raw = Sequences | Samples | Pixels


#: The encoder of each raw kind where nothing else is asked for.
DEFAULT_ENCODERS: dict[str, str] = {"codes": "onehot", "samples": "series", "pixels": "pixels"}


def lengths_of(raw: Raw) -> npt.NDArray[np.int64]:
    """Return the length of each sequence or series, or the width of each picture, ``(N,)``."""
    return np.full(len(raw), raw.shape[-1], np.int64) if isinstance(raw, np.ndarray) else raw.lengths


def take(raw: Raw, indices: npt.NDArray[np.int64]) -> Raw:
    """Return the records at `indices`, in that order."""
    return raw[indices] if isinstance(raw, np.ndarray) else raw.take(indices)


@dataclass(frozen=True)
class Source:
    """One input a Dataset was read from: class or role, path as given, number of records, SHA-256 of the bytes."""

    name: str
    path: str
    records: int
    sha256: str = ""


@dataclass(frozen=True)
class Negatives:
    """How negatives are made for positives that come alone: enough to make the same ones again.

    Parameters
    ----------
    kind
        ``shuffle``, ``matched`` or ``flank``.
    ratio
        Negatives for each positive.
    match
        What matched ones share with the positives beside length, GC content and repeats: "chromosome", "tss".
    blacklist, annotation
        Path of the BED file that negatives stay away from, and of the one that names starts of transcription; or empty.
    """

    kind: str
    ratio: int = 1
    match: tuple[str, ...] = ()
    blacklist: str = ""
    annotation: str = ""


@dataclass(frozen=True)
class Summary:
    """What happened on the way in: sources, what was dropped, what was replaced, and sentences that say so.

    `columns` are those of a table that hold the values of a series; `made` says how negatives were made.
    """

    sources: tuple[Source, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    made: Negatives | None = None


@dataclass(frozen=True)
class Expected:
    """What a trained model, or the training part, expects of data that are read for it.

    Parameters
    ----------
    kind, task, labels, alphabet, negatives, encoder, settings
        As in `Dataset`.
    shape
        ``(C, H, W)`` of pictures, ``(V,)`` of samples.
    longest
        Length of the longest record that was trained on.
    columns
        Of a table, whose rows were the series that were trained on.
    made
        How the negatives were made.
    taken
        Where the records of the training part lie on a genome; negatives made for others stay away from them.
    """

    kind: str
    task: str
    labels: tuple[str, ...]
    alphabet: Alphabet | None = None
    negatives: str | None = None
    encoder: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    longest: int = 0
    columns: tuple[str, ...] = ()
    made: Negatives | None = None
    taken: Intervals | None = None


def check_dataset(data: object, who: str) -> None:
    """Raise `DataError` where something else than a Dataset is passed; `who` is the verb."""
    if not isinstance(data, Dataset):
        raise DataError(f"{who}: expected a Dataset, as seqcnn.read returns it, found {type(data).__name__}")


@dataclass(frozen=True)
class Dataset:
    """Raw records of one kind, immutable.

    Parameters
    ----------
    kind
        ``codes``, ``samples`` or ``pixels``.
    raw
        `Sequences`, `Samples`, or pixels ``(N, C, H, W)`` of uint8, uint16 or float32.
    ids
        Identifier of each record, N of them; duplicates are legal.
    targets
        ``(N, T)`` float64, missing values NaN; None for records without targets. Binary and multiclass hold one
        column of class indices into `labels`; multilabel 0/1 a label; regression the numbers.
    task
        Registered task name, or None without targets.
    labels
        Class names (binary: negative, positive) or target names.
    alphabet
        Of codes; None for others.
    encoder
        Registered name of the encoder that is to make images of the records.
    settings
        What that encoder's ``fit`` is told beside the records: how files were read, what was asked for.
    task_options
        What the task's ``fit`` is told beside the targets.
    weights
        ``(N,)`` weight of each record in training; None for equal ones.
    parts
        ``(N,)`` of "train", "valid" or "test" where the data say so (``--split column:NAME``); else None.
    parents
        ``(N,)`` index of the record that this one is a shuffle or flank of, -1 for none; both share a side of a split.
    negatives
        Recorded kind of negatives: "shuffle", "matched", "flank", "file", or None where there is no such role.
    places
        ``(N,)`` where each record lies on a genome; None where none does.
    groups
        ``(N,)`` number that records share which must stay on one side of a split; None without.
    files
        Path of each record's own file; None where records have none.
    """

    kind: RawKind
    raw: Raw
    ids: tuple[str, ...]
    targets: npt.NDArray[np.float64] | None = None
    task: str | None = None
    labels: tuple[str, ...] = ()
    alphabet: Alphabet | None = None
    encoder: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    task_options: Mapping[str, Any] = field(default_factory=dict)
    weights: npt.NDArray[np.float64] | None = None
    parts: npt.NDArray[np.str_] | None = None
    parents: npt.NDArray[np.int64] | None = None
    negatives: str | None = None
    places: Intervals | None = None
    groups: npt.NDArray[np.int64] | None = None
    files: tuple[str, ...] | None = None
    summary: Summary = field(default_factory=Summary)

    def __post_init__(self) -> None:
        if not self.encoder:
            object.__setattr__(self, "encoder", DEFAULT_ENCODERS[self.kind])
        for name in ("targets", "weights", "parts", "parents", "places", "groups", "files"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.raw):
                raise DataError(f"Dataset: {name} has {len(value)} rows, the records are {len(self.raw)}")
        if len(self.ids) != len(self.raw):
            raise DataError(f"Dataset: {len(self.ids)} ids for {len(self.raw)} records")

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        return text_card(self)

    def _repr_html_(self) -> str:
        return html_card(self)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each sequence or series, or the width of each picture, ``(N,)``."""
        return lengths_of(self.raw)

    @property
    def numeric(self) -> bool:
        """Whether the targets are numbers, not classes."""
        return self.task is not None and bool(resolve("task", self.task).numeric)

    def counted(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return those of `indices` whose records have a weight above 0."""
        return indices if self.weights is None else indices[self.weights[indices] > 0]

    def take(self, indices: npt.ArrayLike) -> "Dataset":
        """Return the records at `indices`, in that order; a parent that is left behind is forgotten."""
        index = np.asarray(indices, np.int64)
        parents = None
        if self.parents is not None:
            moved = np.full(len(self) + 1, -1, np.int64)
            moved[index] = np.arange(len(index))
            parents = moved[self.parents[index]]
        return replace(
            self,
            raw=take(self.raw, index),
            ids=tuple(self.ids[int(i)] for i in index),
            targets=None if self.targets is None else self.targets[index],
            weights=None if self.weights is None else self.weights[index],
            parts=None if self.parts is None else self.parts[index],
            parents=parents,
            places=None if self.places is None else self.places.take(index),
            groups=None if self.groups is None else self.groups[index],
            files=None if self.files is None else tuple(self.files[int(i)] for i in index),
        )
