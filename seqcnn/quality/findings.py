"""What a check has to say: findings, and how far something simple gives the targets away."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["problem", "warning", "note"]
#: From the gravest: a problem spoils training or its figures, a warning may, a note is to be known.
LEVELS: tuple[Level, ...] = ("problem", "warning", "note")


@dataclass(frozen=True)
class Figure:
    """A figure with its 95% interval.

    Parameters
    ----------
    name
        ``auroc``, or ``spearman`` where targets are numbers.
    value, low, high
        The figure and the ends of its interval.
    """

    name: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        called = {"auroc": "AUROC", "spearman": "Spearman"}.get(self.name, self.name)
        return f"{called} {self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Finding:
    """One thing that is to be known of data.

    Parameters
    ----------
    key
        Short, stable name, such as ``duplicates`` or ``shortcut_gc``.
    level
        ``problem``, ``warning`` or ``note``.
    title
        What was found, a sentence without its full stop.
    advice
        What to do.
    count, share
        Records concerned, and their share of those looked at; None where it is not about records.
    examples
        Identifiers of some of them, the clearest first.
    figure
        Where it has one.
    """

    key: str
    level: Level
    title: str
    advice: str
    count: int | None = None
    share: float | None = None
    examples: tuple[str, ...] = ()
    figure: Figure | None = None


@dataclass(frozen=True)
class Shortcut:
    """How far one plain property of the records gives the targets away.

    Parameters
    ----------
    name
        Short, stable name, such as ``gc``.
    title
        What it is, in words.
    contrast
        Class held against the rest, or name of the target.
    figure
        Of that property alone, turned so that an AUROC is 0.5 or more.
    reported
        Whether it is strong and sure enough to be a finding.
    remark
        How it was measured or in what it differs; may be empty.
    """

    name: str
    title: str
    contrast: str
    figure: Figure
    reported: bool
    remark: str = ""


def counted(n: int, noun: str = "record", verb: str = "") -> str:
    """Return a number with its noun and, where given, the verb that goes with it: ``are``, ``have``, ``repeat``.

    >>> counted(1, verb="have"), counted(1200, verb="repeat"), counted(2, "picture")
    ('1 record has', '1,200 records repeat', '2 pictures')
    """
    words = f"{n:,} {noun}{'' if n == 1 else 'es' if noun.endswith('s') else 's'}"
    if not verb:
        return words
    first, *rest = verb.split(" ", 1)
    one = {"are": "is", "have": "has"}.get(first, first + "s")
    return " ".join([words, one if n == 1 else first, *rest])


@dataclass(frozen=True)
class Outcome:
    """What one check found, and what it could not do or looked at in part only."""

    findings: tuple[Finding, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    notes: tuple[str, ...] = ()
