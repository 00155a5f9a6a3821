"""Single records: the best and the worst predicted, with the sites of the motifs drawn on them."""

from typing import Any, ClassVar

import numpy as np

from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.tracks import Mark, pieces
from seqcnn.reporting.words import number, percent
from seqcnn.sequence import Sequences, decode

EACH = 4
#: Motifs whose sites are drawn: the most important ones.
MOST_DRAWN = 6


class Examples(Section):
    """Suits every task on sequences."""

    name: ClassVar[str] = "examples"
    group: ClassVar[str] = "Examples"
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return groups of records: title, what they are, and each record cut into pieces."""
        rows = np.flatnonzero(material.rows >= 0) if material.has_records else np.zeros(0, np.int64)
        if not len(rows):
            return {"missing": "No single records are shown: the figures do not rest on the sequences given here."}
        marks = sites_by_row(material)
        groups = [
            (title, text, [record(material, int(i), marks) for i in chosen])
            for title, text, chosen in chosen_records(material, rows)
            if len(chosen)
        ]
        drawn = {mark.rank: mark for _, _, records in groups for r in records for mark in r["marks"]}
        return {
            "groups": groups,
            "key": [drawn[rank] for rank in sorted(drawn)],
            "unit": material.unit,
            "left_out": max(len(material.strong) - MOST_DRAWN, 0),
        }


def chosen_records(material: Material, rows: Any) -> list[tuple[str, str, Any]]:
    """Return title, explanation and evaluated records of each group: the best and the worst predicted."""
    losses = material.losses[rows]
    order = rows[np.argsort(losses, kind="stable")]
    order = order[np.isfinite(material.losses[order])]
    if material.task == "binary":
        negative, positive = material.classes
        truth = material.truth[order, 0]
        yes, no = order[truth == 1], order[truth == 0]
        return [
            ("Best recognized", f"{positive} with the highest scores.", yes[:EACH]),
            ("Missed", f"{positive} with the lowest scores.", yes[::-1][:EACH]),
            ("False alarms", f"{negative} with the highest scores.", no[::-1][:EACH]),
        ]
    what = "smallest and largest error" if material.task == "regression" else "most and least probable true answer"
    half = min(EACH, len(order) // 2)
    return [
        (
            "Best predicted",
            f"Of all records, those with the {what.split(' and ')[0]} {what.split(' ', 3)[-1]}.",
            order[:half],
        ),
        ("Worst predicted", f"Of all records, those with the {what.split(' and ')[1]}.", order[::-1][:EACH]),
    ]


def sites_by_row(material: Material) -> dict[int, list[Mark]]:
    """Return the sites of the significant motifs on each row of the data."""
    found: dict[int, list[Mark]] = {}
    for shown in material.strong[:MOST_DRAWN]:
        for row, site in zip(shown.found.sites.records, shown.found.sites, strict=True):
            mark = Mark(site.start, site.end, site.strand, shown.rank, shown.title, shown.color, site.activation)
            found.setdefault(int(row), []).append(mark)
    return found


def record(material: Material, at: int, marks: dict[int, list[Mark]]) -> dict[str, Any]:
    """Return what is shown of one evaluated record."""
    row = int(material.rows[at])
    raw, alphabet = material.data.raw, material.model.alphabet
    letters = decode(raw[row], alphabet) if isinstance(raw, Sequences) and alphabet is not None else ""
    mine = sorted(marks.get(row, []), key=lambda m: -m.rank)  # the most important on top
    return {
        "id": material.data.ids[row],
        "length": len(letters),
        "said": said(material, at),
        "marks": mine,
        "pieces": pieces(letters, mine),
    }


def said(material: Material, at: int) -> list[tuple[str, str]]:
    """Return truth and prediction of an evaluated record as words."""
    truth, scores = material.truth[at], material.scores[at]
    labels = material.model.labels
    if material.task == "binary":
        return [("score", number(scores[0])), ("truly", labels[int(truth[0])])]
    if material.task == "multiclass":
        best = int(scores.argmax())
        return [("truly", labels[int(truth[0])]), ("predicted", f"{labels[best]} ({percent(scores[best])})")]
    if material.task == "multilabel":
        held = [labels[i] for i in np.flatnonzero(truth == 1)]
        called = [f"{labels[i]} ({percent(scores[i])})" for i in np.flatnonzero(scores >= 0.5)]
        return [("truly", ", ".join(held[:6]) or "none"), ("predicted", ", ".join(called[:6]) or "none")]
    shown = range(min(len(labels), 4))
    return [(labels[i], f"{scores[i]:.3g}, truly {truth[i]:.3g}") for i in shown]
