"""The result of checking data: findings, gravest first, as text, JSON and HTML."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from seqcnn.model.record import plain
from seqcnn.quality.findings import LEVELS, Finding, Shortcut

#: Columns of a terminal that everybody has.
WIDTH = 80
_INDENT = 9
#: No color of its own: it takes the notebook's, light or dark.
_STYLE = (
    ".seqcnn-check{font:13px/1.5 system-ui,sans-serif;border:1px solid color-mix(in srgb,currentColor 22%,transparent);"
    "border-radius:8px;padding:14px 18px;max-width:760px;display:inline-block;text-align:left}"
    ".seqcnn-check h4{margin:0 0 8px;font-size:15px}.seqcnn-check dl{margin:0}.seqcnn-check dt{font-weight:600;"
    "margin-top:8px}.seqcnn-check dd{margin:0;opacity:.8}.seqcnn-check b.problem{color:#c8452b}"
    ".seqcnn-check b.warning{color:#b98300}"
)


@dataclass(frozen=True)
class Checked:
    """What is wrong with data, and what can be said of them.

    Parameters
    ----------
    findings
        Gravest first.
    shortcuts
        How far each plain property gives the targets away, strongest first.
    read
        Sentences on what was read, dropped and replaced.
    notes
        What could not be looked for, or was looked for in a part of the records only.
    n, kind, task, n_per_class
        Number of records, their raw kind, the task or None, records of each class.
    """

    findings: tuple[Finding, ...]
    shortcuts: tuple[Shortcut, ...] = ()
    read: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    n: int = 0
    kind: str = ""
    task: str | None = None
    n_per_class: dict[str, int] | None = None

    @property
    def clean(self) -> bool:
        """Whether there is nothing above a note."""
        return all(finding.level == "note" for finding in self.findings)

    @property
    def verdict(self) -> str:
        """What was found, in a line.

        >>> Checked(()).verdict
        'nothing found'
        """
        counts = {level: sum(f.level == level for f in self.findings) for level in LEVELS}
        told = [f"{n} {level}{'s' * (n > 1)}" for level, n in counts.items() if n]
        return ", ".join(told) or "nothing found"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values under stable names.

        ``n``, ``kind``, ``task``, ``n_per_class``; ``counts`` of findings by level; ``findings``, each with ``key``,
        ``level``, ``title``, ``advice``, ``count``, ``share``, ``examples`` and ``figure`` (``name``, ``value``,
        ``ci95``, or null); ``shortcuts``, each with ``name``, ``title``, ``contrast``, ``figure``, ``reported`` and
        ``remark``; ``read`` and ``notes``, lists of sentences.
        """

        def figure(of: Finding | Shortcut) -> dict[str, Any] | None:
            one = of.figure
            return None if one is None else {"name": one.name, "value": one.value, "ci95": [one.low, one.high]}

        return {
            "n": self.n,
            "kind": self.kind,
            "task": self.task,
            "n_per_class": self.n_per_class,
            "counts": {level: sum(f.level == level for f in self.findings) for level in LEVELS},
            "findings": [plain(f) | {"figure": plain(figure(f))} for f in self.findings],
            "shortcuts": [plain(s) | {"figure": plain(figure(s))} for s in self.shortcuts],
            "read": list(self.read),
            "notes": list(self.notes),
        }

    def text(self, width: int = WIDTH) -> str:
        """Return the summary for a terminal of `width` columns, problems first."""
        lines = [line for sentence in self.read for line in wrap(sentence, width, subsequent_indent="  ")]
        for finding in self.findings:
            lines += ["", *_finding(finding, width)]
        if self.shortcuts:
            lines += ["", "How far a plain property alone gives the target away (95% interval):", *_table(self, width)]
        if self.notes:
            lines += ["", *(line for note in self.notes for line in wrap(note, width, subsequent_indent="  "))]
        return "\n".join([*lines, "", f"check: {self.verdict}"])

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        items = "".join(
            f"<dt><b class='{f.level}'>{f.level}</b> {escape(f.title)}</dt><dd>{escape(f.advice)}</dd>"
            for f in self.findings
        )
        rows = "".join(
            f"<tr><td>{escape(s.title)}</td><td>{escape(s.contrast)}</td><td>{escape(str(s.figure))}</td></tr>"
            for s in self.shortcuts
        )
        return (
            f"<div class='seqcnn-check'><style>{_STYLE}</style><h4>{escape(self.verdict)}</h4>"
            f"<p>{escape(self.read[0]) if self.read else ''}</p><dl>{items}</dl>"
            f"{f'<table><tbody>{rows}</tbody></table>' if rows else ''}</div>"
        )


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings, gravest first, else as they came."""
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))


def _finding(finding: Finding, width: int) -> Iterator[str]:
    """Yield the lines of a finding: its level, its title, its advice, some records."""
    share = f" ({_percent(finding.share)})" if finding.share is not None and finding.count is not None else ""
    pad = " " * _INDENT
    yield from wrap(
        f"{finding.title}{share}.", width, initial_indent=finding.level.upper().ljust(_INDENT), subsequent_indent=pad
    )
    yield from wrap(finding.advice, width, initial_indent=pad, subsequent_indent=pad)
    if finding.examples:
        told = f"Such as: {', '.join(finding.examples[:5])}"
        yield from wrap(told, width, initial_indent=pad, subsequent_indent=pad, break_on_hyphens=False)


def _percent(share: float) -> str:
    """Return a share as a percentage of two digits or three.

    >>> _percent(0.0031), _percent(0.996)
    ('0.31%', '99.6%')
    """
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.3g}%"


def _table(checked: Checked, width: int) -> Iterator[str]:
    """Yield the rows of the table of shortcuts; an asterisk marks those that are findings."""
    figures = [f"{s.figure.value:.3f}  {s.figure.low:.3f} to {s.figure.high:.3f}" for s in checked.shortcuts]
    several = len({s.contrast for s in checked.shortcuts}) > 1
    right = max(map(len, figures)) + 4
    for s, figure in zip(checked.shortcuts, figures, strict=True):
        title = f"{s.title} ({s.contrast})" if several else s.title
        room = width - right - 2
        title = title if len(title) <= room else title[: room - 1] + "…"
        yield f"{'*' if s.reported else ' '} {title.ljust(room)}  {figure}"
