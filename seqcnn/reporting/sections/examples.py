"""Single records: the best and the worst predicted, with the sites of the motifs drawn on them."""

from typing import Any, ClassVar

import numpy as np
from markupsafe import Markup

from seqcnn.io.effects import Effects
from seqcnn.plot.alleles import Track, alleles_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.records import at_hand, best_and_worst, said
from seqcnn.reporting.section import Section
from seqcnn.reporting.tracks import Mark, pieces
from seqcnn.sequence import Sequences, decode

EACH = 4
#: Motifs whose sites are drawn: the most important ones.
MOST_DRAWN = 6
#: Letters whose importance is drawn, and of the longest record whose importance is found.
DRAWN_LETTERS, LONGEST_MUTATED = 60, 5000


class Examples(Section):
    """Suits every task on sequences."""

    name: ClassVar[str] = "examples"
    group: ClassVar[str] = "Examples"
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return groups of records: title, what they are, and each record cut into pieces."""
        if not len(at_hand(material)):
            return {"missing": "No single records are shown: the figures do not rest on the sequences given here."}
        marks = sites_by_row(material)
        groups: list[tuple[str, str, list[dict[str, Any]]]] = []
        for chosen in best_and_worst(material, EACH):
            records = [record(material, int(at), marks) for at in chosen.records]
            if not groups:  # the best
                for shown, at in zip(records, chosen.records, strict=True):
                    shown["importance"] = importance(material, int(at))
            groups.append((chosen.title, chosen.text, records))
        drawn = {mark.rank: mark for _, _, records in groups for r in records for mark in r["marks"]}
        return {
            "groups": groups,
            "key": [drawn[rank] for rank in sorted(drawn)],
            "unit": material.unit,
            "importance": any(shown["importance"] for _, _, records in groups for shown in records),
            "left_out": max(len(material.strong) - MOST_DRAWN, 0),
        }


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
        "importance": None,
    }


def importance(material: Material, at: int) -> Markup | None:
    """Return the letters of an evaluated record, as tall as they matter, where they matter most; None if it is long.

    What matters is found by in-silico mutagenesis, for the positive class, the class that is predicted, or the number.
    """
    raw, alphabet, row = material.data.raw, material.model.alphabet, int(material.rows[at])
    if not isinstance(raw, Sequences) or alphabet is None or not 1 < len(raw[row]) <= LONGEST_MUTATED:
        return None
    output = int(material.scores[at].argmax()) if material.task == "multiclass" else 0
    codes = raw[row]
    found = Effects(material.data.ids[row], codes, material.model.mutagenesis(raw.take([row]), output=output)[0])
    tall = found.importance
    width = min(DRAWN_LETTERS, len(codes))
    sums = np.convolve(np.abs(tall), np.ones(width), "valid")
    start = int(sums.argmax())
    letters = decode(codes[start : start + width], alphabet).upper()
    measure = "number" if material.numeric else "logit"
    label = material.model.labels[output] if material.task == "multiclass" else ""
    where = f"{start + 1:,}–{start + width:,} of {len(codes):,} {material.unit}"
    unit = f"importance: change in {measure}{f' of {label}' if label else ''}; {where}"
    track = Track("", letters, tall[start : start + width])
    title = f"Importance of each letter of {material.data.ids[row]}, {where}"
    return inline(alleles_svg([track], (0, 0), alphabet, unit=unit, title=title, key=str(row)))
