"""The data: where they came from, what was replaced or dropped, how classes and lengths are spread."""

from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup

from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import count, first_upper, plural

NEGATIVES = {
    "shuffle": "The negatives are dinucleotide shuffles of the positives: same length, same letters and same pairs of "
    "neighbors, in another order. They are easy to tell from real sequence; a high figure here does not promise the "
    "same against genomic background.",
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
                if s.get("sha256") not in {o.sha256 for o in data.summary.sources}
            ],
            "negatives": NEGATIVES.get(record.negatives or "", "") if material.task == "binary" else "",
            "balance": balance(material),
            "parts": [(part, n) for part, n in record.counts.items() if n],
            "changes": changes(data.summary.dropped, data.summary.replaced),
            "training_changes": changes(training.get("dropped", {}), training.get("replaced", {})),
            "notes": [first_upper(n) for n in data.summary.notes if not n.startswith("letters:")],
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


def balance(material: Material) -> list[tuple[str, int, float, str]]:
    """Return label, records, share and color of each class or label; nothing for regression."""
    targets = material.data.targets
    if targets is None or material.task == "regression":
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
    """Return drawings with captions: lengths by class where they vary, the targets of a regression."""
    drawn = []
    data = material.data
    lengths = data.lengths
    targets = data.targets
    if len(lengths) and lengths.min() != lengths.max():
        groups: dict[str, Any] = {"all records": lengths}
        if material.classes and targets is not None and len(material.classes) <= 6:
            groups = {c: lengths[targets[:, 0] == i] for i, c in enumerate(material.classes)}
        fig, (ax,) = figure(400, 220)
        draw_histograms(groups, ax, x=f"length ({material.unit})", colors=material.colors)
        caption = f"Length of the {plural(len(lengths), 'record')}, median {np.median(lengths):,.0f} {material.unit}."
        drawn.append((inline(to_svg(fig, title="Distribution of lengths")), caption))
    if material.task == "regression" and targets is not None:
        for i, name in enumerate(material.model.labels[:4]):
            values = targets[np.isfinite(targets[:, i]), i]
            fig, (ax,) = figure(400, 220)
            low, high = np.quantile(values, [0.01, 0.99])
            heavy = getattr(material.model.task, "transforms", ())[i : i + 1] not in ((), ("identity",))
            span = (float(low), float(high)) if heavy and low < high else None
            draw_histograms({name: values}, ax, x=name, bins=40, span=span)
            if (drawn_legend := ax.get_legend()) is not None:
                drawn_legend.remove()
            caption = f"Target {name}: {plural(len(values), 'record')} with a value, median {np.median(values):.3g}"
            caption += "; the lowest and highest 1% are drawn at the edges." if span else "."
            drawn.append((inline(to_svg(fig, title=f"Distribution of {name}")), caption))
    return drawn
