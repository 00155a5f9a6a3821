"""The precision-recall curve, with bootstrap intervals and the baselines' curves."""

from typing import ClassVar

from seqcnn.reporting.sections.roc import Roc


class PrecisionRecall(Roc):
    """Suits tasks with classes or labels."""

    name: ClassVar[str] = "pr"
    title: ClassVar[str] = "Precision-recall curve"
    which: ClassVar[int] = 1
