"""Figures for each class, label or target."""

from typing import Any, ClassVar

import numpy as np

from seqcnn import metrics
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import spoken


class Labels(Section):
    """Suits tasks with several classes, labels or targets."""

    name: ClassVar[str] = "labels"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "One by one"
    tasks: ClassVar[tuple[str, ...]] = ("multiclass", "multilabel", "regression", "circular")

    def suits(self, material: Material) -> bool:
        """Return whether there is more than one thing to list."""
        return super().suits(material) and len(material.model.labels) > 1

    def content(self, material: Material) -> dict[str, Any]:
        """Return a table: a row a class, label or target."""
        rows: list[tuple[str, int | None, list[Any]]] = []
        if material.numeric:
            names = list(getattr(material.model.task, "figures", ()))
            spans = {} if material.evaluation is None else material.evaluation.ci95.get("per_target", {})
            rows = [
                (label, None, [(v.get(n), spans.get(label, {}).get(n)) for n in names])
                for label, v in material.per_target.items()
            ]
            what = "target"
        elif material.has_records:
            names = ["auroc", "auprc", "precision", "recall"]
            rows = [
                (label, int(truth.sum()), [(v, None) for v in (*_areas(truth, score), *extra)])
                for label, truth, score, extra in self._each(material)
            ]
            what = "class, against the rest" if material.task == "multiclass" else "label"
        if not rows:
            return {"missing": "No table by class: no predictions for single records are at hand."}
        return {"names": names, "spoken": spoken, "rows": rows, "what": what}

    def _each(self, material: Material) -> Any:
        """Yield name, truth, score, and precision and recall of what is called, of each class or label."""
        best = material.scores.argmax(1)
        for name, truth, score in material.one_against_rest():
            if material.task == "multiclass":
                called = best == material.classes.index(name)
            else:
                called = score >= material.threshold
            hits = float((called & (truth == 1)).sum())
            yield name, truth, score, [hits / n if (n := float(called.sum())) else np.nan, hits / float(truth.sum())]


def _areas(truth: Any, score: Any) -> tuple[float, float]:
    return metrics.auroc(truth, score), metrics.auprc(truth, score)
