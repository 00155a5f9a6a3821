"""The page on checked data: findings, shortcuts with their intervals, what the records are like by class."""

from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from seqcnn.data.dataset import Dataset
from seqcnn.data.matching import measured
from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.intervals import draw_forest
from seqcnn.plot.palette import CYCLE, GREY, ORANGE
from seqcnn.plot.pictures import MOST_PIXELS, picture_uri
from seqcnn.plot.svg import to_svg
from seqcnn.quality.checked import Checked
from seqcnn.quality.findings import LEVELS, Finding, Shortcut
from seqcnn.reporting.document import Group, Part, Run, environment, page
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.words import count, plural

#: Classes that are drawn apart, properties and pictures that are shown.
_MOST_CLASSES, _MOST_ROWS, _MOST_PICTURES = 6, 14, 5
#: More values than this are drawn in narrow bins.
_MANY = 500
_WORDS = {"problem": "Problem", "warning": "Warning", "note": "Note"}


def build_check_page(checked: Checked, data: Dataset | None, *, title: str, command: str = "") -> str:
    """Return what was found in data as one HTML document that loads nothing from anywhere.

    Parameters
    ----------
    checked
        The findings.
    data
        The records they are about, for the drawings; None where none could be read.
    title
        What the data are called.
    command
        The shell command that makes the page again.
    """
    sections: list[tuple[str, str, dict[str, Any]]] = [
        ("Findings", "check_findings", {
            "findings": [(f, _WORDS[f.level], _pictures(f, data)) for f in checked.findings],
            "counts": [(_WORDS[level], level, sum(f.level == level for f in checked.findings)) for level in LEVELS],
            "notes": checked.notes,
        }),
    ]  # fmt: skip
    if checked.shortcuts:
        sections.append(("Shortcuts", "check_shortcuts", _shortcuts(checked.shortcuts)))
    sections.append(("The data", "check_data", {
        "read": checked.read,
        "balance": _balance(checked),
        "sources": [] if data is None else [(s.name, s.path, s.records) for s in data.summary.sources],
        "plots": [] if data is None else _plots(data),
        "command": command,
    }))  # fmt: skip
    groups = list[Group]()
    for name, template, content in sections:
        text = environment().get_template(f"{template}.j2").render(checked=checked, **content)
        part = Part(template, "", Markup(text.strip()))
        groups.append(Group(name, name.lower().replace(" ", "-"), not groups, [Run(False, [part])]))
    return page(groups, title=title, facts=[plural(checked.n, "record"), checked.verdict], kind="check")


def _pictures(finding: Finding, data: Dataset | None) -> list[tuple[str, str, bool]]:
    """Return name and drawing of some pictures that a finding is about."""
    if data is None or not isinstance(data.raw, np.ndarray):
        return []
    places = {name: i for i, name in enumerate(data.ids)}
    shown = [name.split(" (given ")[0] for name in finding.examples[:_MOST_PICTURES]]
    coarse = max(data.raw.shape[2:]) < MOST_PIXELS
    return [(name, picture_uri(data.raw[places[name]]), coarse) for name in shown if name in places]


def _shortcuts(shortcuts: tuple[Shortcut, ...]) -> dict[str, Any]:
    """Return the drawing and the rows of the table of shortcuts."""
    several = len({s.contrast for s in shortcuts}) > 1
    shown = shortcuts[:_MOST_ROWS]
    correlation = shown[0].figure.name == "spearman"
    fig, (ax,) = figure(620, 46 + 25 * len(shown))
    draw_forest(
        [_short(s.title) for s in shown],
        [s.figure.value for s in shown],
        ax,
        intervals=[(s.figure.low, s.figure.high) for s in shown],
        x="Spearman's correlation with the target" if correlation else "AUROC of this property alone",
        chance=0.0 if correlation else 0.5,
        colors=[ORANGE if s.reported else GREY for s in shown],
    )
    if not correlation:
        ax.set_xlim(min(0.48, min(s.figure.low for s in shown) - 0.01), 1.01)
    return {
        "plot": inline(to_svg(fig, title="How far each property gives the target away")),
        "rows": shortcuts,
        "several": several,
        "correlation": correlation,
    }


def _short(title: str) -> str:
    return title if len(title) <= 42 else title[:41] + "…"


def _balance(checked: Checked) -> list[tuple[str, int, float, str]]:
    counts = checked.n_per_class or {}
    whole = max(sum(counts.values()), 1)
    return [(label, n, n / whole, CYCLE[i % len(CYCLE)]) for i, (label, n) in enumerate(counts.items())]


def _plots(data: Dataset) -> list[tuple[Markup, str]]:
    """Return drawings of what records are like, by class (length, GC content, brightness), and numeric targets."""
    named: list[tuple[str, npt.NDArray[np.float64], str]] = []
    if data.kind != "pixels":
        named.append(("length", data.lengths.astype(np.float64), "Length by class"))
    if data.alphabet is not None and data.alphabet.has_complement:
        for name, values in measured(data).items():
            if name != "length":
                called = {"GC": "GC content", "repeats": "soft-masked share"}.get(name, name)
                named.append((called, np.nan_to_num(values), f"{called[:1].upper()}{called[1:]} by class"))
    if isinstance(data.raw, np.ndarray):
        bright = data.raw.reshape(len(data), -1).mean(1, dtype=np.float64)
        named.append(("mean brightness", bright, "Mean brightness by class"))
    drawn = []
    for x, values, caption in named:
        if len(values) and values.min() < values.max():
            drawn.append(_histogram(_by_class(data, values), x, caption))
    if data.numeric and data.targets is not None:
        for label, column in list(zip(data.labels, data.targets.T, strict=True))[:4]:
            known = column[np.isfinite(column)]
            if len(known):
                drawn.append(_histogram({label: known}, label, f"Target {label}"))
    return drawn


def _by_class(data: Dataset, values: npt.NDArray[np.float64]) -> dict[str, npt.NDArray[np.float64]]:
    if data.targets is None or data.task not in ("binary", "multiclass") or len(data.labels) > _MOST_CLASSES:
        return {"all records": values}
    return {label: values[data.targets[:, 0] == i] for i, label in enumerate(data.labels)}


def _histogram(groups: dict[str, npt.NDArray[np.float64]], x: str, caption: str) -> tuple[Markup, str]:
    every = np.concatenate(list(groups.values()))
    low, high = (float(v) for v in np.quantile(every, [0.005, 0.995]))
    if low >= high:
        low, high = float(every.min()), float(every.max())
    cut = every.min() < low or every.max() > high
    fig, (ax,) = figure(400, 220)
    colors = {label: CYCLE[i % len(CYCLE)] for i, label in enumerate(groups)}
    draw_histograms(groups, ax, x=x, bins=40 if len(every) > _MANY else 20, colors=colors, span=(low, high))
    if len(groups) == 1 and (legend := ax.get_legend()) is not None:
        legend.remove()
        caption = caption.removesuffix(" by class")
    ending = "; the outermost half percent on either side is drawn at the edges." if cut else "."
    return inline(to_svg(fig, title=caption)), f"{caption}, {count(len(every))} records{ending}"
