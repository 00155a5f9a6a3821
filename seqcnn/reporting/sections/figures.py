"""The table of figures: each metric with its interval and what it means."""

from typing import Any, ClassVar

from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import MEANING, spoken


class Figures(Section):
    """Suits every task."""

    name: ClassVar[str] = "figures"
    group: ClassVar[str] = "Performance"

    def content(self, material: Material) -> dict[str, Any]:
        """Return a row a metric: name, value, interval, meaning."""
        e = material.evaluation
        if e is None:
            return {
                "missing": "There is no performance to show: the data have no targets, and the model keeps no figures."
            }
        rows = [
            (spoken(name), material.figure(name), MEANING.get(name, "")) for name in e.metrics if name != "per_target"
        ]
        return {
            "rows": rows,
            "n": e.n,
            "threshold": e.threshold,
            "per_class": e.n_per_class,
            "oof": material.out_of_fold,
        }
