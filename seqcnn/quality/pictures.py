"""Pictures: near-duplicates, dark, bright, blurred, empty ones, and those of an odd size or shape, by cleanvision."""

import contextlib
import io
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seqcnn.errors import MissingExtraError
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Finding, Outcome, counted
from seqcnn.quality.subject import Indices, Subject

#: Pictures that are looked at, and the share of flagged ones from which it is how these pictures are.
_MOST, _USUAL = 20_000, 0.2
#: cleanvision's issue, in words, what to do, and whether files on the disk must tell.
ISSUES: dict[str, tuple[str, str]] = {
    "dark": ("are dark", "Look whether anything can be seen in them; expose them alike, or leave them out."),
    "light": ("are overexposed", "Look whether anything can be seen in them; expose them alike, or leave them out."),
    "blurry": ("are blurred", "Look whether what is to be learned can be seen in them; leave out where it can't."),
    "low_information": ("are almost empty", "Look at them; leave out those that show nothing."),
    "odd_aspect_ratio": (
        "have an odd shape", "They are squeezed to the others' shape: pass --fit crop or letterbox, or leave them out.",
    ),
    "odd_size": (
        "have an odd size", "They are scaled to the others' size, and look sharper or coarser than these: check them.",
    ),
    "near_duplicates": (
        "are near-duplicates of others",
        "Crops, copies and bursts of one picture belong on one side of a split (--split group:COLUMN), or keep one of "
        "each.",
    ),
}  # fmt: skip


class Pictures(Check):
    """Suits pictures."""

    name: ClassVar[str] = "pictures"
    kinds: ClassVar[tuple[str, ...]] = ("pixels",)

    def look(self, subject: Subject) -> Outcome:
        """Return the pictures that cleanvision flags, from their files where there are any."""
        rows, notes = np.arange(len(subject.data)), tuple[str, ...]()
        if len(rows) > _MOST:
            rows = np.sort(np.random.default_rng(subject.seed).permutation(rows)[:_MOST])
            notes = (f"{_MOST:,} of {len(subject.data):,} pictures were looked at, drawn at random",)
        lab = _imagelab(subject, rows)
        if lab is None:
            return Outcome(notes=(*notes, "dark, blurred and odd pictures were not looked for: not of 1 or 3 channels"))
        wanted: dict[str, dict[str, Any]] = {name: {} for name in ISSUES}
        if subject.files is None:  # arrays are of one size
            wanted = {name: {} for name in ISSUES if not name.startswith("odd")}
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            lab.find_issues(wanted, n_jobs=1, verbose=False)
        return Outcome((*_flagged(subject, rows, lab, list(wanted)), *_near_across(subject, rows, lab)), notes=notes)


def _imagelab(subject: Subject, rows: Indices) -> Any:
    """Return cleanvision's view of the pictures; None where it cannot see them."""
    try:
        from cleanvision import Imagelab
        from PIL import Image
    except ImportError:
        raise MissingExtraError("dark, blurred and odd pictures were not looked for: install seqcnn[quality]") from None
    if subject.files is not None and subject.sizes is not None:
        return Imagelab(filepaths=[subject.files[i] for i in rows], verbose=False)
    raw = subject.data.raw
    if not isinstance(raw, np.ndarray) or raw.shape[1] not in (1, 3):
        return None
    scale = max(float(raw.max()), 1e-12) if raw.dtype != np.uint8 else 255.0
    low = min(float(raw.min()), 0.0)

    def drawn(i: int) -> Any:
        pixels = ((raw[i] - low) * (255.0 / (scale - low))).astype(np.uint8) if raw.dtype != np.uint8 else raw[i]
        return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))

    return Imagelab(torchvision_dataset=[(drawn(int(i)),) for i in rows])


def _flagged(subject: Subject, rows: Indices, lab: Any, names: list[str]) -> Iterator[Finding]:
    for name in names:
        hit = lab.issues[f"is_{name}_issue"].to_numpy(bool, copy=True)
        if name == "near_duplicates":
            hit &= ~_repeats(subject.hashes[rows])
        if not hit.any():
            continue
        score = lab.issues[f"{name}_score"].to_numpy(float)
        flagged = np.flatnonzero(hit)
        flagged = flagged[np.argsort(score[flagged], kind="stable")]
        if name == "near_duplicates":
            place = {key: i for i, key in enumerate(lab.issues.index)}
            flagged = np.array([place[key] for one in _sets(lab) for key in one if hit[place[key]]], np.int64)
        words, advice = ISSUES[name]
        share = len(flagged) / len(rows)
        usual = share > _USUAL
        yield Finding(
            name,
            "note" if usual else "warning",
            counted(len(flagged), "picture", words) + (": so many that it is how these pictures are" if usual else ""),
            advice,
            len(flagged),
            share,
            subject.named(rows[flagged]),
        )


def _sets(lab: Any) -> list[list[Any]]:
    """Return the pictures that nearly equal one another, set by set."""
    return list(lab.info.get("near_duplicates", {}).get("sets", []))


def _repeats(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Return which records repeat an earlier one exactly."""
    again = np.ones(len(hashes), bool)
    again[np.unique(hashes, return_index=True)[1]] = False
    return again


def _near_across(subject: Subject, rows: Indices, lab: Any) -> Iterator[Finding]:
    """Yield the pictures of a later part that nearly equal one of an earlier part."""
    parts = subject.data.parts
    if parts is None:
        return
    place = {key: int(rows[i]) for i, key in enumerate(lab.issues.index)}
    for part in ("test", "valid"):
        near = []
        for members in ([place[key] for key in one] for one in _sets(lab)):
            if any(parts[i] not in (part, "test") for i in members):
                near += [i for i in members if parts[i] == part]
        if near:
            total = int((parts == part).sum())
            yield Finding(
                f"near_duplicates_{part}",
                "problem" if len(near) >= 0.01 * total else "warning",
                f"{len(near):,} of {total:,} {part} pictures nearly equal one that is trained on",
                "Figures on them flatter: leave them out, or make the parts anew with relatives together.",
                len(near),
                len(near) / total,
                subject.named(near),
            )
