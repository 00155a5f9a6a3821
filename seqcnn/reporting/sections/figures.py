"""The table of figures: each metric with its interval and what it means."""

from typing import Any, ClassVar

from seqcnn.model.folds import folds_sentence
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
        shown = [name for name in e.metrics if name != "per_target"]
        rows = [(spoken(name), material.figure(name), meaning(name, material)) for name in shown]
        return {
            "rows": rows,
            "n": e.n,
            "threshold": e.threshold,
            "per_class": e.n_per_class,
            "oof": material.out_of_fold,
            "folds": folds_sentence(e.to_dict()),
        }


def meaning(name: str, material: Material) -> str:
    """Return what a figure means, in a line; of errors on a circle also how long its scale is."""
    text = MEANING.get(name, "")
    guess = material.chance(name)
    if name == "accuracy" and guess is not None:
        text += f"; always naming the commonest class reaches {guess:.3f}"
    if material.period is not None and name.endswith("_error") and guess is not None:
        unit = material.target_unit
        period = f"a quarter of the period of {material.period:g}{unit}"
        text = text.replace("a quarter of the period", f"{guess:g}{unit}, {period}")
    return text
