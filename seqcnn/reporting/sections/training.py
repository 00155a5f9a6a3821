"""The training curves: loss and metric over epochs, and which epoch was kept."""

from typing import Any, ClassVar

from seqcnn.plot.canvas import figure
from seqcnn.plot.curves import draw_history
from seqcnn.plot.palette import BLUE, ORANGE
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.recipe import closed_form, smoothing, trained
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import first_upper, listed, spoken

MOST_POINTS = 200
_SERIES = {"loss": ("training", BLUE), "valid_loss": ("validation", ORANGE)}
_SILENT = ("epoch", "seconds", "lr", "loss", "valid_loss")


class Training(Section):
    """Suits every task."""

    name: ClassVar[str] = "training"
    group: ClassVar[str] = "Training"

    def content(self, material: Material) -> dict[str, Any]:
        """Return the loss curve, the metric's curve and the facts of training."""
        record = material.model.record
        shared = {
            "seconds": record.seconds,
            "choices": choices(material),
            "fitted": closed_form(material.model),
            "how": trained(material.model) if closed_form(material.model) else "",
        }
        history = list(record.history)
        if not history:
            return shared | {"plots": [], "epochs": 0, "best": None, "harder": ""}
        history = history[:: -(-len(history) // MOST_POINTS)]
        epochs = [float(row.get("epoch", i + 1)) for i, row in enumerate(history)]
        best = best_epoch(history, material)
        plots = []
        fig, (ax,) = figure(400, 260)
        losses = {
            label: ([row.get(key) for row in history], color)
            for key, (label, color) in _SERIES.items()
            if any(row.get(key) is not None for row in history)
        }
        draw_history(epochs, losses, ax, best=best, y="loss")
        plots.append(
            (
                inline(to_svg(fig, title="Loss over epochs")),
                "Divergence from the teacher on sequences it learned from, and on others; lower is better."
                if "teacher" in record.options
                else f"Loss on the training and the validation part{of_one(material)}; lower is better.",
            )
        )
        metric = next((k for k in history[-1] if k not in _SILENT and isinstance(history[-1][k], int | float)), None)
        if metric is not None:
            fig, (ax,) = figure(400, 260)
            name = spoken(metric.removeprefix("valid_"))
            draw_history(epochs, {"validation": ([row.get(metric) for row in history], ORANGE)}, ax, best=best, y=name)
            plots.append(
                (
                    inline(to_svg(fig, title=f"{name} over epochs")),
                    "Correlation of the logits with the teacher's, on sequences the network did not learn from."
                    if "teacher" in record.options
                    else f"{first_upper(name)} on the validation part{of_one(material)}.",
                )
            )
        return shared | {
            "plots": plots,
            "epochs": len(record.history),
            "best": best,
            "harder": listed(harder(material)),
        }


def of_one(material: Material) -> str:
    """Say that several networks learned, of which the first is shown, where that is so."""
    told = material.model.record.options.get("combined")
    return f" of the first of {told['networks']} networks" if told else ""


def harder(material: Material) -> list[str]:
    """Return what the training loss counts and the validation loss does not."""
    told = material.model.record.options
    told_of = ["smoothed labels"] if smoothing(material.model) else []
    if told.get("augment"):
        told_of.append("randomly changed records")
    if told.get("mixup") or told.get("cutmix"):
        told_of.append("mixed records")
    if any(material.model.task.prior_shift):
        told_of.append("class weights")
    return told_of


def best_epoch(history: list[dict[str, Any]], material: Material) -> int | None:
    """Return the epoch whose weights were kept: as the record says, else that of the lowest validation loss."""
    said = material.model.record.options.get("best_epoch")
    if isinstance(said, int):
        return said
    known = [row for row in history if row.get("valid_loss") is not None]
    return int(min(known, key=lambda row: float(row["valid_loss"])).get("epoch", 0)) if known else None


SAID = {
    "both": "both strands, averaged",
    "forward": "the given strand only",
    "aware": "knowing the place in the record helps",
    "free": "no clear gain from knowing the place in the record",
    "record": "each series normalized by itself",
    "set": "level and size of the series help: all on one scale",
    "mirrored": "mirror images mean the same",
    "as given": "mirror images mean something else, or it could not be told",
}
#: What was measured, where that is said otherwise than what was found; and the question, where its name is short.
_MEASURED = SAID | {
    "record": "each by itself",
    "set": "all on one scale",
    "as given": "pictures",
    "mirrored": "mirror images",
}
_QUESTIONS = {"normalize": "level and size of series", "mirror": "mirror images"}


def choices(material: Material) -> list[tuple[str, str, str, list[tuple[str, float]]]]:
    """Return what was found rather than assumed: question, outcome, how it was found, held-out losses."""
    rows = []
    for name, found in material.model.record.choices.items():
        chosen, how, measured = str(found.get("chosen", "")), str(found.get("how", "")), found.get("figures", {})
        if how not in ("given", "compared"):
            continue
        losses = [(said, float(measured[key])) for key, said in _MEASURED.items() if _is_number(measured.get(key))]
        if how == "compared":
            how = f"compared: {measured.get('by', 'models on folds')}, {measured.get('records', 0):,} held-out records"
        rows.append((_QUESTIONS.get(name, name), SAID.get(chosen, chosen), how, losses))
    return rows


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
