"""What reading did: records dropped, letters replaced, identifiers that occur again, records of almost no letters."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from seqcnn.alphabet import SOFT_MASK
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Finding, Outcome, counted
from seqcnn.quality.subject import Subject
from seqcnn.sequence import Sequences

#: Share of dropped records that is worth a warning; of ambiguous letters from which a record says little.
_MANY, _UNKNOWN = 0.05, 0.5
#: Share of records of next to no letters that is worth a warning.
_WORTH = 0.01
#: What in `Summary.replaced` is a letter read as usual.
_HARMLESS = frozenset({"soft-masked", "final * dropped"})


class Reading(Check):
    """Suits every Dataset."""

    name: ClassVar[str] = "reading"

    def look(self, subject: Subject) -> Outcome:
        """Return what was dropped and replaced on the way in, and records that hold next to nothing."""
        return Outcome((*_dropped(subject), *_replaced(subject), *_ids(subject), *_empty(subject)))


def _dropped(subject: Subject) -> Iterator[Finding]:
    n = len(subject.data)
    for why, count in subject.data.summary.dropped.items():
        share = count / (n + count)
        yield Finding(
            "dropped",
            "warning" if share >= _MANY else "note",
            f"{counted(count, verb='are')} left out: {why.replace('_', ' ')}",
            "Look whether they are meant to be missing; if not, complete the input.",
            count,
            share,
        )


def _replaced(subject: Subject) -> Iterator[Finding]:
    replaced = subject.data.summary.replaced
    letters = {what: n for what, n in replaced.items() if n and what not in _HARMLESS}
    if not letters or not isinstance(subject.data.raw, Sequences):
        return
    count, total = sum(letters.values()), max(len(subject.data.raw.buffer), 1)
    unknown = sum(n for what, n in letters.items() if what.startswith("unknown"))
    told = ", ".join(f"{n:,} {what}" for what, n in letters.items())
    yield Finding(
        "letters",
        "warning" if unknown else "note",
        f"{counted(count, 'letter', verb='are')} none of the plain ones: {told}",
        "Nothing to do: a network sees them as equal chances of the letters they may stand for."
        if not unknown
        else "Letters of no alphabet are masked; is the file of another alphabet (--alphabet), or damaged?",
        None,
        count / total,
    )


def _ids(subject: Subject) -> Iterator[Finding]:
    ids = [name for name, own in zip(subject.data.ids, subject.given, strict=True) if own]
    seen: set[str] = set()
    again = [name for name in ids if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if again:
        yield Finding(
            "repeated_ids",
            "note",
            f"{counted(len(again), verb='have')} an identifier that occurred before",
            "Predictions can be told apart by order only; name the records one by one if that matters.",
            len(again),
            len(again) / len(ids),
            tuple(dict.fromkeys(again))[:5],
        )


def _empty(subject: Subject) -> Iterator[Finding]:
    raw, alphabet = subject.data.raw, subject.data.alphabet
    if not isinstance(raw, Sequences) or alphabet is None or not len(raw.buffer):
        return
    unknown = (raw.buffer & ~np.uint8(SOFT_MASK)) >= alphabet.size
    counts = np.add.reduceat(unknown, raw.offsets[:-1], dtype=np.int64)
    rows = np.flatnonzero((counts / np.maximum(raw.lengths, 1) >= _UNKNOWN) & subject.given)
    if len(rows):
        yield Finding(
            "unknown_letters",
            "warning" if len(rows) / len(raw) >= _WORTH else "note",
            f"{counted(len(rows), verb='are')} {alphabet.any_letter} or gaps by half or more",
            "Leave them out: there is nothing in them to learn from, and their class is learned from the gaps.",
            len(rows),
            len(rows) / len(raw),
            subject.named(rows[np.argsort(-counts[rows], kind="stable")]),
        )
