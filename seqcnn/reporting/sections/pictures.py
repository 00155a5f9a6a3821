"""Single pictures, series, recordings, trajectories or files: the best and the worst predicted, and some at random."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from seqcnn.reporting.material import Material
from seqcnn.reporting.portraits import Portrait, explained, portrait
from seqcnn.reporting.records import Chosen, at_hand, best_and_worst, said, wrong
from seqcnn.reporting.section import Section

#: Records a group, by how much room their drawings take.
EACH = {"picture": 14, "line": 6, "beside": 6, "over": 6}


@dataclass(frozen=True)
class Card:
    """One record as it is shown."""

    id: str
    portrait: Portrait
    said: list[tuple[str, str]]
    wrong: bool


class Pictures(Section):
    """Suits every task on pictures and on samples."""

    name: ClassVar[str] = "pictures"
    group: ClassVar[str] = "Examples"
    kinds: ClassVar[tuple[str, ...]] = ("samples", "pixels")

    def content(self, material: Material) -> dict[str, Any]:
        """Return groups of records, each with its drawings, truth and prediction, and how to read them."""
        rows = at_hand(material)
        if not len(rows):
            many = material.nouns.many
            return {"missing": f"No single {many} are shown: the figures do not rest on the {many} given here."}
        layout = portrait(material.model, material.data.raw, int(material.rows[rows[0]]), name="").layout
        each = EACH[layout]
        some = np.sort(np.random.default_rng(0).choice(rows, min(each, len(rows)), replace=False))
        groups = [
            *best_and_worst(material, each),
            Chosen("Drawn at random", "Chosen by chance, not by how well they were predicted.", some),
        ]
        return {
            "groups": [(chosen, [card(material, int(at)) for at in chosen.records]) for chosen in groups],
            "layout": layout,
            "explained": explained(material.model),
            "wrong": any(wrong(material, int(at)) for chosen in groups for at in chosen.records),
        }


def card(material: Material, at: int) -> Card:
    """Return an evaluated record as it is shown."""
    row = int(material.rows[at])
    name = material.data.ids[row]
    drawn = portrait(material.model, material.data.raw, row, name=name)
    return Card(name, drawn, said(material, at), wrong(material, at))
