"""The distribution of scores by true class."""

from typing import Any, ClassVar

from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section


class Scores(Section):
    """Suits binary tasks."""

    name: ClassVar[str] = "scores"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "Scores by class"
    tasks: ClassVar[tuple[str, ...]] = ("binary",)

    def half(self, material: Material) -> bool:
        """Return True: it is one drawing."""
        return True

    def content(self, material: Material) -> dict[str, Any]:
        """Return the drawing and the number of records of each class."""
        if not material.has_records:
            return {"missing": "No score distribution: no predictions for single records are at hand."}
        truth, scores = material.truth[:, 0], material.scores[:, 0]
        groups = {label: scores[truth == i] for i, label in enumerate(material.classes)}
        fig, (ax,) = figure(400, 340)
        draw_histograms(
            groups, ax, x=f"predicted probability of {material.classes[1]}", span=(0.0, 1.0), bins=25,
            colors=material.colors, where="upper center",
        )  # fmt: skip
        counts = [(label, len(values)) for label, values in groups.items()]
        return {"plot": inline(to_svg(fig, title="Distribution of scores by class")), "counts": counts}
