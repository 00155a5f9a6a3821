"""Records that occur more than once: within a part, across parts, and with targets that contradict each other."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from seqcnn.alphabet import SOFT_MASK
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Finding, Level, Outcome, counted
from seqcnn.quality.subject import Floats, Indices, Subject
from seqcnn.sequence import Sequences

#: Share of records from which repeats are worth a warning.
MANY = 0.01
#: Targets of one record contradict each other where so many of all targets lie between them, and the difference is so
#: many times the noise; from so many pairs the noise is told.
_BETWEEN, _TIMES_NOISE, _PAIRS = 0.25, 3.0, 10


class Duplicates(Check):
    """Suits every Dataset."""

    name: ClassVar[str] = "duplicates"

    def look(self, subject: Subject) -> Outcome:
        """Return repeats, repeats across parts, and contradictions."""
        return Outcome((*_repeats(subject), *_across(subject), *_contradictions(subject)))


def _repeats(subject: Subject) -> Iterator[Finding]:
    own = np.flatnonzero(subject.given)
    _, first, sizes = np.unique(subject.hashes[own], return_index=True, return_counts=True)
    count = int((sizes - 1).sum())
    if not count:
        return
    turned = _turned(subject, own)
    told = f", {turned:,} of them on the other strand" if turned else ""
    share = count / len(own)
    largest = own[first[np.argsort(-sizes, kind="stable")][: int((sizes > 1).sum())]]
    yield Finding(
        "duplicates",
        "warning" if share >= MANY else "note",
        f"{counted(count, verb='repeat')} an earlier one{told}; one occurs {int(sizes.max()):,} times",
        "Nothing leaks (train keeps equal records in one part), but repeats weigh more: keep one of each unless it is "
        "meant.",
        count,
        share,
        subject.named(largest),
    )


def _turned(subject: Subject, own: Indices) -> int:
    """Return how many repeats are repeats on the other strand only."""
    raw = subject.data.raw
    if not isinstance(raw, Sequences) or subject.data.alphabet is None or not subject.data.alphabet.has_complement:
        return 0
    text = (raw.buffer & ~np.uint8(SOFT_MASK)).tobytes()
    spelled = {text[raw.offsets[i] : raw.offsets[i + 1]] for i in own}
    return len(spelled) - len(np.unique(subject.hashes[own]))


def _across(subject: Subject) -> Iterator[Finding]:
    parts = subject.data.parts
    if parts is None:
        return
    for part, earlier in (("test", ("train", "valid")), ("valid", ("train",))):
        here = np.flatnonzero((parts == part) & subject.given)
        seen = np.isin(parts, earlier)
        if not len(here) or not seen.any():
            continue
        rows = here[np.isin(subject.hashes[here], subject.hashes[seen])]
        if len(rows):
            yield Finding(
                f"duplicates_{part}",
                _graded(len(rows) / len(here)),
                f"{len(rows):,} of {counted(len(here), f'{part} record')} recur in {' or '.join(earlier)}",
                f"Leave them out of {part}: figures on what was trained on flatter (evaluate leaves them out).",
                len(rows),
                len(rows) / len(here),
                subject.named(rows),
            )
        yield from _overlaps(subject, part, earlier)


def _graded(share: float) -> Level:
    return "problem" if share >= MANY else "warning"


def _overlaps(subject: Subject, part: str, earlier: tuple[str, ...]) -> Iterator[Finding]:
    """Yield the records of a part that overlap earlier ones on the genome."""
    places, parts = subject.data.places, subject.data.parts
    if places is None or parts is None:
        return
    here = np.flatnonzero((parts == part) & subject.given)
    known = np.flatnonzero(np.isin(parts, earlier) & subject.given)
    names = np.array(places.chromosomes)
    hit = np.zeros(len(here), bool)
    for chromosome in set(names[here].tolist()) - {""}:
        mine, theirs = here[names[here] == chromosome], known[names[known] == chromosome]
        # An interval overlaps unless all others end before it or start after it.
        begun = np.searchsorted(np.sort(places.starts[theirs]), places.ends[mine], "left")
        ended = np.searchsorted(np.sort(places.ends[theirs]), places.starts[mine], "right")
        hit[names[here] == chromosome] = begun > ended
    rows = here[hit]
    if len(rows):
        yield Finding(
            f"overlaps_{part}",
            _graded(len(rows) / len(here)),
            f"{len(rows):,} of {len(here):,} {part} records overlap one of {' or '.join(earlier)} on the genome",
            "Split by chromosome (--split chromosome:NAME), or leave them out.",
            len(rows),
            len(rows) / len(here),
            subject.named(rows),
        )


def _contradictions(subject: Subject) -> Iterator[Finding]:
    targets = subject.data.targets
    if targets is None:
        return
    order = np.argsort(subject.hashes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(subject.hashes[order]) > 0])
    columns = [_apart(column, order, starts, subject.data.numeric) for column in targets.T]
    rows = np.flatnonzero(np.any(columns, axis=0))
    if not len(rows):
        return
    rows = rows[np.argsort(subject.hashes[rows], kind="stable")]  # those that contradict each other side by side
    what = "targets far apart" if subject.data.numeric else "different classes"
    yield Finding(
        "contradictions",
        "problem",
        f"{counted(len(rows))} contradict each other: the same is given with {what}",
        "Find out which is right, or leave all of them out: a network can only learn their mean.",
        len(rows),
        len(rows) / len(targets),
        subject.named(rows),
    )


def _apart(
    column: Floats, order: Indices, starts: Indices, numeric: bool
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which records share their hash with one whose target is another, ``(N,)``."""
    known = np.isfinite(column)
    low = np.minimum.reduceat(np.where(known, column, np.inf)[order], starts)
    high = np.maximum.reduceat(np.where(known, column, -np.inf)[order], starts)
    members = np.add.reduceat(known[order], starts, dtype=np.int64)
    differs = (members > 1) & (high > low)
    if numeric and differs.any():
        values = np.sort(column[known])
        rank = (np.searchsorted(values, high, "left") - np.searchsorted(values, low, "right")) / len(values)
        spread = np.where(differs, high - low, 0)
        pairs = spread[members > 1]
        noise = float(np.median(pairs)) / 0.954 if len(pairs) >= _PAIRS else 0.0  # median of |x - y| of equal normals
        differs &= (rank > _BETWEEN) & (spread > _TIMES_NOISE * noise)
    out = np.empty(len(column), bool)
    out[order] = np.repeat(differs, np.diff(np.r_[starts, len(column)]))
    return out & known
