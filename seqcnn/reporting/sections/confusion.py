"""The confusion matrix: true classes down, predicted classes across."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section

MOST_CLASSES = 30
#: Letters of all class names together, and classes, up to which the matrix is narrow.
NARROW = (20, 5)


class Confusion(Section):
    """Suits tasks with classes."""

    name: ClassVar[str] = "confusion"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Confusion matrix"
    tasks: ClassVar[tuple[str, ...]] = ("binary", "multiclass")

    def half(self, material: Material) -> bool:
        """Return whether there are so few classes, of such short names, that the matrix is narrow."""
        letters, most = NARROW
        return len(material.classes) <= most and sum(map(len, material.classes)) <= letters

    def content(self, material: Material) -> dict[str, Any]:
        """Return counts and row shares, and the commonest confusions in words."""
        if not material.has_records:
            return {"missing": "No confusion matrix: no predictions for single records are at hand."}
        size = len(material.classes)
        table = np.zeros((size, size), np.int64)
        np.add.at(table, (material.truth[:, 0].astype(int), called(material)), 1)
        shares = table / table.sum(1, keepdims=True).clip(1)
        wrong = table.copy()
        np.fill_diagonal(wrong, 0)
        worst = [divmod(int(i), size) for i in np.argsort(-wrong, axis=None, kind="stable")[:3]]
        return {
            "classes": material.classes,
            "rows": [
                (label, [(int(n), float(s)) for n, s in zip(table[i], shares[i], strict=True)], int(table[i].sum()))
                for i, label in enumerate(material.classes)
            ],
            "worst": [
                (material.classes[i], material.classes[j], int(wrong[i, j]), int(table[i].sum()))
                for i, j in worst
                if wrong[i, j]
            ],
            "precision": [int(table[i, i]) / n if (n := int(table[:, i].sum())) else None for i in range(size)],
            "threshold": material.threshold if material.task == "binary" else None,
            "too_many": size > MOST_CLASSES,
            "n": int(table.sum()),
        }


def called(material: Material) -> npt.NDArray[np.int64]:
    """Return the class that was predicted for each evaluated record, ``(N,)``."""
    if material.task == "binary":
        return np.asarray(material.scores[:, 0] >= material.threshold, np.int64)
    return np.asarray(material.scores.argmax(1), np.int64)
