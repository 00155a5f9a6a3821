"""The baselines: what something much simpler reaches on the same records."""

from typing import Any, ClassVar

from seqcnn.model.model import Model
from seqcnn.reporting.material import Figure, Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import spoken

EXPLAINED = {
    "gc": "logistic or ridge regression on the share of G and C",
    "composition": "regression on how often each letter occurs, and on the length",
    "kmer": "regression on which short words occur in a record",
}


class Baselines(Section):
    """Suits every task."""

    name: ClassVar[str] = "baselines"
    group: ClassVar[str] = "Baselines"

    def content(self, material: Material) -> dict[str, Any]:
        """Return a row a predictor with all its figures, and how far the model is ahead."""
        e = material.evaluation
        if e is None or not e.baselines:
            return {
                "missing": "No baselines are shown: none was fitted with this model, or nothing could be evaluated."
            }
        names = [n for n in e.metrics if n != "per_target"]
        rows: list[tuple[str, str, list[Figure], Any]] = [("this model", "", [material.figure(n) for n in names], None)]
        for b in material.baselines:
            chosen = material.model.record.baselines.get(b, {})
            rows.append(
                (
                    material.baseline_name(b),
                    describe(b, chosen, material),
                    [material.figure(n, b) for n in names],
                    material.difference(b),
                )
            )
        return {"names": [spoken(n) for n in names], "rows": rows, "n": e.n, "spoken": spoken}


def describe(name: str, chosen: dict[str, Any], material: Material) -> str:
    """Return what a baseline is, with what was chosen for it."""
    text = EXPLAINED.get(name, "")
    if name == "composition" and material.kind != "codes":
        several = material.model.encoder.channels > 1
        text = f"regression on the {'means of the channels' if several else 'mean'} of the image"
        if means_nothing(material.model):
            text += ", which is 0 for every record here: it knows the frequencies or the mean, and nothing else"
    shown = []
    if "ks" in chosen:
        shown.append(f"k = {min(chosen['ks'])} to {max(chosen['ks'])}")
    if isinstance(chosen.get("C"), int | float):
        shown.append(f"C = {chosen['C']:g} by cross-validation")
    return f"{text} ({', '.join(shown)})" if shown else text


def means_nothing(model: Model) -> bool:
    """Return whether the image of every record has mean 0: normalized series, and antisymmetric fields."""
    name, config = getattr(model.encoder, "name", ""), model.encoder.config()
    return name == "gadf" or (name == "series" and config.get("normalize") == "record")
