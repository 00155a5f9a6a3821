"""The motif gallery: what the first layer learned, what it resembles, where it lies and how much it matters."""

from typing import Any, ClassVar

from seqcnn.reporting.gallery import MOST_SHOWN
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import listed


class Motifs(Section):
    """Suits every task on sequences."""

    name: ClassVar[str] = "motifs"
    group: ClassVar[str] = "Motifs"
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return the motifs that count, those that do not, and how they were found."""
        found = material.motifs
        if found is None:
            why = material.missing.get(
                "motifs", "this network has no first layer of filters that could be read as motifs"
            )
            return {"missing": f"There are no motifs to show: {why}."}
        shown = material.gallery[:MOST_SHOWN]
        return {
            "null": not material.strong,
            "strong": material.strong,
            "weak": [s for s in shown if s not in material.strong],
            "hidden": len(found.motifs) - len(shown),
            "database": found.database,
            "threshold": found.threshold,
            "folds": found.folds,
            "notes": found.notes,
            "classes": listed(list(shown[0].found.shares)) if shown else "",
        }
