"""Plain properties of records, which may give their targets away: of letters, values, pixels, files and names."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.matching import TSS_DISTANCE, composition, tss_distance
from seqcnn.quality.subject import Floats, Subject
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences

#: Share of records masked in part from which masking follows the sequence, not the file.
_PARTLY = 0.1
#: How a property stands to the network: it sees it as such; it may be what is to be learned; it never sees it.
SEEN, SIGNAL, UNSEEN = "seen", "signal", "unseen"


@dataclass(frozen=True)
class Property:
    """One number, or one name, a record.

    Parameters
    ----------
    name
        Short, stable name.
    family
        Of properties that say much the same, the strongest alone is a finding.
    title
        What it is, in words that can begin a sentence.
    values
        ``(N,)`` numbers, or names.
    standing
        `SEEN`, `SIGNAL` or `UNSEEN`.
    advice
        What to do where it gives the targets away.
    percent
        Whether values are shares.
    grave
        Whether it is worth a warning though the network never sees it.
    """

    name: str
    family: str
    title: str
    values: npt.NDArray[np.generic]
    standing: str
    advice: str
    percent: bool = False
    grave: bool = False


def properties(subject: Subject) -> Iterator[Property]:
    """Yield the properties of the records that are not the same for all."""
    raw = subject.data.raw
    found = [*_of_names(subject)]
    if isinstance(raw, Sequences):
        found = [*_of_letters(subject, raw), *found]
    elif isinstance(raw, Samples):
        found = [*_of_values(raw), *found]
    else:
        found = [*_of_pixels(raw), *_of_files(subject), *found]
    for one in found:
        if len(one.values) and (one.values != one.values[0]).any():
            yield one


_LENGTH = "See to it that lengths don't follow the target (--width for intervals; cut otherwise)."


def _of_letters(subject: Subject, raw: Sequences) -> Iterator[Property]:
    alphabet = subject.data.alphabet
    if alphabet is None:
        return
    codes, n = raw.buffer & ~np.uint8(SOFT_MASK), len(raw)
    lengths = np.maximum(raw.lengths, 1)
    owner = np.repeat(np.arange(n), raw.lengths)

    def count(hit: npt.NDArray[np.bool_]) -> Floats:
        return np.bincount(owner[hit], minlength=n).astype(np.float64)

    yield Property("length", "length", "length", raw.lengths.astype(np.float64), SEEN, _LENGTH)
    if alphabet.size == 4:
        yield Property(
            "gc", "gc", "GC content", np.nan_to_num(composition(raw)[0]), SEEN,
            "Show that the model beats this figure (the gc baseline)."
            if subject.data.numeric
            else "Choose negatives of the same GC content (--negatives matched), or show that the model beats this "
            "figure (the gc baseline).",
            percent=True,
        )  # fmt: skip
    else:
        first = codes[np.minimum(raw.offsets[:-1], max(len(codes) - 1, 0))] == alphabet.letters.index("M")
        yield Property(
            "starts_with_m", "start", "starting with M", first.astype(np.float64), SEEN,
            "Whole proteins begin with M, fragments don't: take whole proteins, or fragments, in both classes.",
            percent=True,
        )  # fmt: skip
    unknown = codes >= alphabet.size
    advice = "Leave out records with such letters, or see to it that both classes have them alike."
    any_letter = alphabet.any_letter
    yield Property(
        "n_share", "n", f"share of {any_letter} and other ambiguous letters", count(unknown) / lengths, SEEN, advice,
        percent=True,
    )  # fmt: skip
    place = np.arange(len(codes)) - np.repeat(raw.offsets[:-1], raw.lengths)
    at, who = place[unknown], owner[unknown]
    none = float(lengths.max(initial=1))  # where there is no such letter, whatever the length
    first_place, last_place = np.full(n, none), np.full(n, none)
    np.minimum.at(first_place, who, at)
    np.minimum.at(last_place, who, lengths[who] - 1 - at)
    yield Property("n_first", "n", f"distance of the first {any_letter} from the start", first_place, SEEN, advice)
    yield Property("n_last", "n", f"distance of the last {any_letter} from the end", last_place, SEEN, advice)
    masked = count((raw.buffer & np.uint8(SOFT_MASK)) > 0) / lengths
    shuffled = subject.data.negatives == "shuffle"
    yield Property(
        "soft_mask", "soft_mask", "soft-masked share", masked, UNSEEN,
        "Shuffles are upper-cased, and letters are read alike in either case: the network cannot see it."
        if shuffled
        else "Letters are read alike in either case, so the network cannot see it; but it sees the repeats that are "
        "masked: choose negatives with as many (--negatives matched).",
        percent=True,
        grave=not shuffled and bool(((masked > 0) & (masked < 1)).mean() > _PARTLY),
    )  # fmt: skip
    if (distance := tss_distance(subject.data)) is not None:
        yield Property("tss_distance", "tss", TSS_DISTANCE, distance, UNSEEN, "Match them in it (--match tss).")


def _of_values(raw: Samples) -> Iterator[Property]:
    rows = [np.asarray(record, np.float64) for record in raw]
    what = "If it is not what is to be learned, normalize each record, or take the classes from the same source."
    yield Property("length", "length", "length", raw.lengths.astype(np.float64), SEEN, _LENGTH)
    with np.errstate(all="ignore"):
        known = [r[np.isfinite(r)] if np.isfinite(r).any() else np.zeros(1) for r in rows]
    for name, title, values in (
        ("mean", "mean", [r.mean() for r in known]),
        ("deviation", "standard deviation", [r.std() for r in known]),
        ("missing", "share of missing values", [1 - np.isfinite(r).mean() if r.size else 0.0 for r in rows]),
    ):
        standing = SEEN if name == "missing" else SIGNAL
        yield Property(name, "statistics" if standing == SIGNAL else name, title, np.round(values, 9), standing, what)


def _of_pixels(raw: npt.NDArray[np.generic]) -> Iterator[Property]:
    n = len(raw)
    flat = raw.reshape(n, raw.shape[1], -1)
    mean = flat.mean(2, dtype=np.float64)  # (N, C)
    what = "If it is not what is to be learned, look whether the classes come from different cameras or sessions."
    yield Property("brightness", "brightness", "mean brightness", mean.mean(1), SIGNAL, what)
    spread = np.array([p.std(dtype=np.float64) for p in flat])
    yield Property("contrast", "contrast", "contrast", spread, SIGNAL, what)
    if raw.shape[1] > 1:
        names = ("red", "green", "blue") if raw.shape[1] == 3 else [f"channel {c + 1}" for c in range(raw.shape[1])]
        for name, values in zip(names, (mean - mean.mean(1, keepdims=True)).T, strict=True):
            title = f"{name} above the mean of the channels"
            yield Property(f"mean_{name.replace(' ', '_')}", "color", title, np.round(values, 9), SIGNAL, what)


def _of_files(subject: Subject) -> Iterator[Property]:
    what = "Save all pictures in the same size and format: how files were made must not follow the class."
    sizes = subject.sizes
    if sizes is not None:
        width, height = sizes.T.astype(np.float64)
        yield Property("width", "size", "width of the file's picture", width, SEEN, what)
        yield Property("height", "size", "height of the file's picture", height, SEEN, what)
        yield Property(
            "aspect", "size", "width by height of the file's picture", np.round(width / height, 6), SEEN, what
        )
    if subject.files:
        kinds = np.array([Path(file).suffix.lower() for file in subject.files])
        yield Property("file_type", "file_type", "file type", kinds, SEEN, what)


_NAMES = (
    "The network never reads identifiers; but classes that are named apart may have been made apart: look for batches, "
    "and split by them (--split group:COLUMN)."
)


def _of_names(subject: Subject) -> Iterator[Property]:
    """Yield what identifiers and the order of records tell; nothing of names that seqcnn itself gave."""
    data = subject.data
    if data.summary.made is not None or data.negatives == "shuffle":
        return
    ids = [Path(name).name if data.kind == "pixels" else name for name in data.ids]
    several = len([s for s in data.summary.sources if s.name in data.labels]) > 1  # a file or folder a class
    if all(re.fullmatch(r"\d+( \[\w+\])?", name) for name in ids):
        ids = []  # row numbers, or as good as
    if ids:
        yield Property(
            "id_prefix", "ids", "the beginning of identifiers",
            np.array([re.split(r"[\d_.:|/-]", name, maxsplit=1)[0] for name in ids]), UNSEEN, _NAMES,
        )  # fmt: skip
        yield Property(
            "id_pattern", "ids", "the pattern of identifiers", np.array([re.sub(r"\d+", "0", name) for name in ids]),
            UNSEEN, _NAMES,
        )  # fmt: skip
        numbers = [re.search(r"(\d{1,15})\D*$", name) for name in ids]
        if all(numbers):
            yield Property(
                "id_number", "ids", "the last number of identifiers",
                np.array([float(m[1]) for m in numbers if m is not None]), UNSEEN, _NAMES,
            )  # fmt: skip
    if not several:
        yield Property(
            "order", "order", "the order of the records", np.arange(len(data.ids), dtype=np.float64), UNSEEN,
            "train shuffles, so it does no harm there; elsewhere never split by position in the file.",
        )  # fmt: skip
