"""The data: where they came from, what was replaced or dropped, how classes and lengths are spread."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.inputs import measured
from seqcnn.reporting.material import Material
from seqcnn.reporting.recipe import parts
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import count, first_upper, listed, plural

#: More values than this are drawn in narrow bins.
_MANY = 500
#: Lengths over so many times the median are drawn at the edge; classes up to which lengths are drawn for each.
_LONG, _MOST_GROUPS = 10, 6
#: Beginnings of notes that are shown otherwise.
_SHOWN = ("letters:", "positives against negatives:")
NEGATIVES = {
    "shuffle": "The negatives are dinucleotide shuffles of the positives: same length, same letters and same pairs of "
    "neighbors, in another order. They are easy to tell from real sequence; a high figure here does not promise the "
    "same against genomic background.",
    "matched": "The negatives are windows of the genome outside the positives, chosen to match them in length, GC "
    "content and share of repeats.",
    "flank": "The negatives are windows of the genome beside the positives, as long as these.",
    "file": "The negatives were given, not made.",
}


class Data(Section):
    """Suits every task."""

    name: ClassVar[str] = "data"
    group: ClassVar[str] = "Data"

    def content(self, material: Material) -> dict[str, Any]:
        """Return sources, balance, the spread of lengths or targets, and what happened on the way in."""
        data, record = material.data, material.model.record
        training = record.data
        return {
            "sources": [(s.name, s.path, s.records, s.sha256) for s in data.summary.sources],
            "training_sources": [
                (s.get("name", ""), s.get("path", ""), s.get("records", 0), s.get("sha256", ""))
                for s in training.get("sources", [])
                if (s.get("sha256") or s.get("path")) not in {o.sha256 or o.path for o in data.summary.sources}
            ],
            "negatives": NEGATIVES.get(record.negatives or "", "") if material.task == "binary" else "",
            "balance": balance(material),
            "parts": parts(material.model),
            "together": together(material),
            "changes": changes(data.summary.dropped, data.summary.replaced),
            "training_changes": changes(training.get("dropped", {}), training.get("replaced", {})),
            "notes": [first_upper(n) for n in data.summary.notes if not n.startswith(_SHOWN)],
            "excluded": 0 if material.evaluation is None else material.evaluation.excluded.get("trained_on", 0),
            "n": len(data),
            "evaluated": material.n_evaluated,
            "stored": material.evaluation is not None and material.evaluation.source == "stored",
            "plots": plots(material),
        }


def changes(dropped: dict[str, int], replaced: dict[str, int]) -> list[str]:
    """Return what was dropped, and what letters were not plain ones, as short sentences.

    >>> changes({"no_target": 2}, {"N": 56})
    ['2 records dropped: no target', 'Letters: 56 N']
    """
    told = [f"{plural(n, 'record')} dropped: {why.replace('_', ' ')}" for why, n in dropped.items() if n]
    letters = [f"{count(n)} {what}" for what, n in replaced.items() if n]
    return told + ([f"Letters: {', '.join(letters)}"] if letters else [])


def together(material: Material) -> str:
    """Return what is never divided among parts, as the beginning of a sentence."""
    if material.kind != "codes":
        return "Duplicates"
    kept = ["duplicates", "reverse complements of one another"]
    kept += ["windows that overlap"] if material.data.places is not None else []
    kept += [f"a {kind} with its parent" for kind in ("shuffle", "flank") if material.model.negatives == kind]
    return first_upper(listed(kept))


def balance(material: Material) -> list[tuple[str, int, float, str]]:
    """Return label, records, share and color of each class or label; nothing for regression."""
    targets = material.data.targets
    if targets is None or material.numeric:
        return []
    if material.task == "multilabel":
        counts = [int((targets[:, i] == 1).sum()) for i in range(targets.shape[1])]
    else:
        counts = [int((targets[:, 0] == i).sum()) for i in range(len(material.classes))]
    whole = max(len(targets), 1)
    return [
        (label, n, n / whole, material.colors[label]) for label, n in zip(material.model.labels, counts, strict=True)
    ]


def plots(material: Material) -> list[tuple[Markup, str]]:
    """Return drawings with captions: lengths by class where they vary, targets that are numbers."""
    lengths = measured(material.data.lengths, material.model.encoder)
    vary = len(lengths) > 0 and lengths.min() != lengths.max()
    return [
        *([_length_plot(material, lengths)] if vary else []),
        *(_target_plots(material) if material.numeric else []),
    ]


def _length_plot(material: Material, lengths: npt.NDArray[np.float64]) -> tuple[Markup, str]:
    """Return the drawing of lengths, and its caption; a few very long records do not squeeze the others."""
    targets = material.data.targets
    groups: dict[str, Any] = {"all records": lengths}
    if material.classes and targets is not None and len(material.classes) <= _MOST_GROUPS:
        groups = {c: lengths[targets[:, 0] == i] for i, c in enumerate(material.classes)}
    low, middle, high = (float(v) for v in np.quantile(lengths, [0, 0.5, 0.95]))
    cut = lengths.max() > _LONG * middle and high > low
    fig, (ax,) = figure(400, 220)
    draw_histograms(
        groups, ax, x=f"length ({material.unit})", bins=40 if len(lengths) > _MANY else 15, colors=material.colors,
        span=(low, high) if cut else None,
    )  # fmt: skip
    median = f"{middle:.3g}" if lengths.max() < 100 else f"{middle:,.0f}"
    caption = f"Length of the {material.nouns.count(len(lengths))}, median {median} {material.unit}"
    caption += "; the longest 5% are drawn at the edge." if cut else "."
    return inline(to_svg(fig, title="Distribution of lengths")), caption


def _target_plots(material: Material) -> list[tuple[Markup, str]]:
    """Return the drawing of each target that is a number, with its caption."""
    drawn = []
    targets = material.data.targets
    if targets is not None:
        for i, name in enumerate(material.model.labels[:4]):
            values = targets[np.isfinite(targets[:, i]), i]
            if not len(values):
                continue
            fig, (ax,) = figure(400, 220)
            low, high = np.quantile(values, [0.01, 0.99])
            heavy = getattr(material.model.task, "transforms", ())[i : i + 1] not in ((), ("identity",))
            span = (float(low), float(high)) if heavy and low < high else None
            unit = f" ({material.target_unit})" if material.target_unit else ""
            if material.period is not None:
                span, values = (0.0, material.period), values % material.period
            bins = 40 if len(values) > _MANY else 20
            draw_histograms({name: values}, ax, x=f"{name}{unit}", bins=bins, span=span)
            if (drawn_legend := ax.get_legend()) is not None:
                drawn_legend.remove()
            caption = f"Target {name}: {material.nouns.count(len(values))} with a value"
            caption += f", median {np.median(values):.3g}" if material.period is None else ""
            caption += "; the lowest and highest 1% are drawn at the edges." if heavy and span else "."
            drawn.append((inline(to_svg(fig, title=f"Distribution of {name}")), caption))
    return drawn
