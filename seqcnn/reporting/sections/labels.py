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
            rows = [(label, None, [v.get(n) for n in names]) for label, v in material.per_target.items()]
            what = "target"
        elif material.has_records:
            names = ["auroc", "auprc"] + (["precision", "recall"] if material.task == "multiclass" else [])
            rows = [
                (label, int(truth.sum()), [metrics.auroc(truth, score), metrics.auprc(truth, score), *extra])
                for label, truth, score, extra in self._each(material)
            ]
            what = "class, against the rest" if material.task == "multiclass" else "label"
        if not rows:
            return {"missing": "No table by class: no predictions for single records are at hand."}
        return {"names": [spoken(n) for n in names], "rows": rows, "what": what}

    def _each(self, material: Material) -> Any:
        called = material.scores.argmax(1)
        for name, truth, score in material.one_against_rest():
            extra: list[float] = []
            if material.task == "multiclass":
                i = material.classes.index(name)
                hits = float(((called == i) & (material.truth[:, 0] == i)).sum())
                extra = [hits / n if (n := float((called == i).sum())) else np.nan, hits / float(truth.sum())]
            yield name, truth, score, extra
