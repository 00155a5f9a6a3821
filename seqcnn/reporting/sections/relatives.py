"""Relatives: how many of the records evaluated are near relatives of training records, and what that is worth."""

from typing import Any, ClassVar

from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import percent, spoken

#: Share of relatives from which a figure should not be quoted alone.
MUCH = 0.05


class Relatives(Section):
    """Suits sequences."""

    name: ClassVar[str] = "relatives"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Relatives in training"
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def content(self, material: Material) -> dict[str, Any]:
        """Return the share of relatives, and each figure on them and on the others."""
        found = None if material.evaluation is None else material.evaluation.relatives
        if found is None:
            return {"missing": "Whether records evaluated are relatives of training records is not known."}
        names = [name for name in material.evaluation.metrics if name != "per_target"] if material.evaluation else []
        rows = [
            (spoken(name), material.digits(name), found.metrics_near.get(name), found.metrics_far.get(name),
             found.ci95_far.get(name))
            for name in names
        ]  # fmt: skip
        return {
            "share": found.share,
            "percent": percent(found.share),
            "near": found.near,
            "n": found.n,
            "aligned": found.aligned,
            "rows": rows if found.near else [],
            "oof": material.out_of_fold,
            "much": found.share >= MUCH,
            "clustered": str(material.model.record.options.get("split", "")).startswith("cluster"),
        }
