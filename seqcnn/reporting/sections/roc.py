"""The receiver operating characteristic, with bootstrap intervals and the baselines' curves."""

from typing import Any, ClassVar

from seqcnn import metrics
from seqcnn.plot.canvas import figure, legend
from seqcnn.plot.curves import draw_curve, unit_square
from seqcnn.plot.palette import AMBER, GREEN
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.bands import roc_and_pr
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import number

MOST_CURVES = 10
#: More curves than this have their legend below the axes.
MOST_INSIDE = 5
MOST_BANDS = 4
BASELINE_STYLE = ((GREEN, (0, (5, 2))), (AMBER, (0, (1.5, 1.5))))


class Roc(Section):
    """Suits tasks with classes or labels: one curve, or one a class against the rest."""

    name: ClassVar[str] = "roc"
    group: ClassVar[str] = "Performance"
    title: ClassVar[str] = "ROC curve"
    tasks: ClassVar[tuple[str, ...]] = ("binary", "multiclass", "multilabel")
    which: ClassVar[int] = 0

    def half(self, material: Material) -> bool:
        """Return True: it is one drawing."""
        return True

    def content(self, material: Material) -> dict[str, Any]:
        """Return the drawing and what its caption states."""
        curves = list(material.one_against_rest()) if material.has_records else []
        if not curves:
            return {"missing": f"No {self.title}: no predictions for records of both kinds are at hand."}
        shown = curves[:MOST_CURVES]
        fig, (ax,) = figure(400, 340)
        chance = float(shown[0][1].mean()) if self.which == 1 and len(shown) == 1 else None
        if self.which == 0:
            unit_square(ax, x="false positive rate", y="true positive rate", diagonal=True)
        else:
            unit_square(ax, x="recall", y="precision", chance=chance)
        for name, truth, score in shown:
            curve = roc_and_pr(truth, score)[self.which]
            band = (curve.grid, curve.low, curve.high) if len(shown) <= MOST_BANDS else None
            label = "this model" if material.task == "binary" else name
            area = (metrics.auroc, metrics.auprc)[self.which](truth, score)
            draw_curve(curve.x, curve.y, ax, color=material.colors[name], label=f"{label} {number(area)}", band=band)
        if material.task == "binary":
            self._baselines(material, shown[0][1], ax)
        if len(shown) > MOST_INSIDE:
            legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
        else:
            legend(ax, loc="lower right" if self.which == 0 else "best")
        return {
            "plot": inline(to_svg(fig, title=self.title)),
            "n": len(material.truth),
            "bands": len(shown) <= MOST_BANDS,
            "chance": chance,
            "several": material.task != "binary",
            "hidden": len(curves) - len(shown),
            "baselines": material.task == "binary" and bool(material.baselines),
        }

    def _baselines(self, material: Material, truth: Any, ax: Any) -> None:
        for (color, style), name in zip(BASELINE_STYLE, material.baselines, strict=False):
            scores = material.baseline_scores(name)
            if scores is None or len(scores) != len(truth):
                continue
            curve = roc_and_pr(truth, scores[:, 0], draws=1)[self.which]
            area = (metrics.auroc, metrics.auprc)[self.which](truth, scores[:, 0])
            label = f"{material.baseline_name(name)} {number(area)}"
            draw_curve(curve.x, curve.y, ax, color=color, label=label, style=style, width=1.2)  # type: ignore[arg-type]
