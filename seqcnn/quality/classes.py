"""Targets: missing ones, classes too small or too unequal, numbers that are all alike or far out."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from seqcnn.data.splits import FEWEST_RECORDS
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Finding, Outcome, counted
from seqcnn.quality.subject import Subject

#: A class this many times larger than another is told, and warned of.
_UNEQUAL, _VERY_UNEQUAL = 4, 20
#: Fewer records of a class than this give intervals too wide to compare anything.
_SMALL = 50
#: The largest distance from the median, in interquartile ranges, of numbers on a scale that suits them.
_FAR = 20


class Classes(Check):
    """Suits every Dataset."""

    name: ClassVar[str] = "classes"

    def look(self, subject: Subject) -> Outcome:
        """Return what is wrong with the targets as such."""
        data = subject.data
        if data.targets is None or data.task is None:
            return Outcome()
        found = [*_missing(subject)]
        if data.numeric:
            found += _numbers(subject)
        elif data.task == "multilabel":
            for label, column in zip(data.labels, data.targets.T, strict=True):
                known = column[np.isfinite(column)]
                counts = {f"with {label}": int((known == 1).sum()), f"without {label}": int((known == 0).sum())}
                found += _balance(counts)
        else:
            known = data.targets[np.isfinite(data.targets[:, 0]), 0].astype(np.int64)
            counts = np.bincount(known, minlength=len(data.labels)).tolist()
            found += _balance(dict(zip(data.labels, counts, strict=True)))
        return Outcome(tuple(found))


def _missing(subject: Subject) -> Iterator[Finding]:
    targets = subject.data.targets
    if targets is None:
        return
    for what, rows in (
        ("infinite", np.flatnonzero(np.isinf(targets).any(1))),
        ("missing", np.flatnonzero(np.isnan(targets).any(1))),
    ):
        if len(rows):
            yield Finding(
                f"{what}_targets",
                "problem" if what == "infinite" else "note",
                f"{counted(len(rows), verb='have')} {'an infinite' if what == 'infinite' else 'a missing'} target",
                "Training stops at infinite targets: correct them, or leave the cells empty."
                if what == "infinite"
                else "They are masked: such a record counts for the targets it has, or not at all.",
                len(rows),
                len(rows) / len(targets),
                subject.named(rows),
            )


def _balance(counts: dict[str, int]) -> Iterator[Finding]:
    present = {label: n for label, n in counts.items() if n}
    if len(present) < 2:
        yield Finding(
            "one_class",
            "problem",
            f"there is one class only: {next(iter(present), 'none')} ({sum(counts.values()):,} records)",
            "Add records of another class: training cannot start.",
            sum(counts.values()),
        )
        return
    total = sum(counts.values())
    for level, low, high, said, advice in (
        ("problem", 0, FEWEST_RECORDS, f"training wants {FEWEST_RECORDS} or more", "Add records, or leave them out."),
        (
            "note",
            FEWEST_RECORDS,
            _SMALL,
            "figures on them will have wide intervals",
            "Add records where there are any.",
        ),
    ):
        small = sorted((n, label) for label, n in counts.items() if low <= n < high)
        if small:
            names = tuple(f"{label} ({n:,})" for n, label in small)
            shown = ", ".join(names[:4]) + (f" and {len(names) - 4:,} more" if len(names) > 4 else "")
            title = f"{counted(len(small), 'class', 'have')} few records: {shown}; {said}"
            count = sum(n for n, _ in small)
            yield Finding("small_class", level, title, advice, count, count / total, names[:5])  # type: ignore[arg-type]
    rarest, commonest = (pick(present, key=present.__getitem__) for pick in (min, max))
    ratio = present[commonest] / present[rarest]
    if ratio >= _UNEQUAL:
        yield Finding(
            "imbalance",
            "warning" if ratio >= _VERY_UNEQUAL else "note",
            f"{commonest!r} has {ratio:.0f} times as many records as {rarest!r}",
            f"Accuracy will flatter (always {commonest!r} reaches {present[commonest] / total:.2f}): look at AUPRC and "
            "MCC; or give fewer of them.",
            present[rarest],
            present[rarest] / total,
        )


def _numbers(subject: Subject) -> Iterator[Finding]:
    data = subject.data
    if data.targets is None:
        return
    for label, column in zip(data.labels, data.targets.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 2 * FEWEST_RECORDS:
            title = f"target {label!r} is known for {len(known):,} records; training wants {2 * FEWEST_RECORDS} or more"
            yield Finding("few_targets", "problem", title, "Add records.", len(known))
        elif np.ptp(known) == 0:
            title = f"target {label!r} is {known[0]:g} for every record"
            yield Finding("constant_target", "problem", title, "There is nothing to learn: leave it out.", len(known))
        elif data.task != "circular":
            low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
            far = np.abs(column - middle) > _FAR * max(high - low, 1e-300)
            if high > low and far.any():
                rows = np.flatnonzero(far)
                rows = rows[np.argsort(-np.abs(column[rows] - middle), kind="stable")]
                yield Finding(
                    "far_targets",
                    "note",
                    f"target {label!r}: {len(rows):,} values over {_FAR} interquartile ranges from the median",
                    "A few large values rule the squared error: if they are real, take logarithms (of what is above "
                    "a floor) before training.",
                    len(rows),
                    len(rows) / len(known),
                    subject.named(rows),
                )
