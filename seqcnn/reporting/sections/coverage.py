"""Coverage: how often sets and intervals for single records hold the truth, and how large they are."""

from typing import Any, ClassVar

import numpy as np

from seqcnn.model.coverage import measured
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section

#: Coverages that are shown, where the held-out records can vouch for them.
SHOWN = (0.8, 0.9, 0.95, 0.99)
#: Classes, labels or targets that have a column of their own.
MOST = 12


class Coverage(Section):
    """Suits every task of models that know how far off they were on held-out records."""

    name: ClassVar[str] = "coverage"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Single records"

    def suits(self, material: Material) -> bool:
        """Return whether sets or intervals can be made."""
        return super().suits(material) and material.model.record.conformity is not None

    def content(self, material: Material) -> dict[str, Any]:
        """Return a row a coverage: what was found, with its interval, and the size of the sets or intervals."""
        known, task = material.model.record.conformity, material.model.task
        if known is None or not material.has_records:
            return {"missing": "No sets or intervals: no predictions for single records are at hand."}
        possible = [c for c in SHOWN if np.isfinite(known.limits(c, pool=not task.numeric)).all()]
        if not possible or material.evaluation is None:
            return {"missing": "No sets or intervals: too few records were held out of training."}
        found = [measured(task, known, material.truth, material.evaluation.logits, coverage=c) for c in possible]
        shown = found[0].size is None or (len(found[0].each) > 1 and not material.out_of_fold)
        return {
            "rows": found,
            "what": "interval" if material.numeric else "set",
            "unit": material.target_unit if material.numeric else "labels" if task.name == "multilabel" else "classes",
            "each": list(found[0].each)[:MOST] if shown else [],
            "oof": material.out_of_fold,
        }
