"""Pictures with their predictions, and the filters of the first layer."""

from typing import Any, ClassVar

import numpy as np

from seqcnn.plot.pictures import filter_uri, picture_uri
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.sections.examples import said

EACH = 12
MOST_FILTERS = 64


class Pictures(Section):
    """Suits every task on pictures."""

    name: ClassVar[str] = "pictures"
    group: ClassVar[str] = "Pictures"
    kinds: ClassVar[tuple[str, ...]] = ("pixels",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return the best and the worst predicted pictures, and the filters, as small PNG images."""
        groups = []
        rows = np.flatnonzero(material.rows >= 0) if material.has_records else np.zeros(0, np.int64)
        if len(rows):
            order = rows[np.argsort(-material.losses[rows], kind="stable")]
            rng = np.random.default_rng(0)
            some = np.sort(rng.choice(rows, min(EACH, len(rows)), replace=False))
            groups = [
                ("Worst predicted", self._cards(material, order[:EACH])),
                ("Drawn at random", self._cards(material, some)),
            ]
        conv = getattr(material.model.network, "filters", None)
        filters = []
        if conv is not None:
            weights = conv.weight.detach().cpu().numpy()
            filters = [filter_uri(w) for w in weights[:MOST_FILTERS]]
        return {"groups": groups, "filters": filters, "count": 0 if conv is None else conv.out_channels}

    def _cards(self, material: Material, rows: Any) -> list[tuple[str, str, list[tuple[str, str]]]]:
        cards = []
        for at in rows:
            row = int(material.rows[at])
            cards.append(
                (picture_uri(np.asarray(material.data.raw[row])), material.data.ids[row], said(material, int(at)))
            )
        return cards
