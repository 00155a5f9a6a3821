"""Single records: the best and the worst predicted, with the sites of the motifs drawn on them."""

from typing import Any, ClassVar

from seqcnn.reporting.material import Material
from seqcnn.reporting.records import at_hand, best_and_worst, said
from seqcnn.reporting.section import Section
from seqcnn.reporting.tracks import Mark, pieces
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
        if not len(at_hand(material)):
            return {"missing": "No single records are shown: the figures do not rest on the sequences given here."}
        marks = sites_by_row(material)
        groups = [
            (chosen.title, chosen.text, [record(material, int(at), marks) for at in chosen.records])
            for chosen in best_and_worst(material, EACH)
        ]
        drawn = {mark.rank: mark for _, _, records in groups for r in records for mark in r["marks"]}
        return {
            "groups": groups,
            "key": [drawn[rank] for rank in sorted(drawn)],
            "unit": material.unit,
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
    }
