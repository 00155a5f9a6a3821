"""Methods in words, versions, warnings, and the command that makes the report again."""

from collections.abc import Mapping
from typing import Any, ClassVar

from seqcnn.motifs.compare import SHUFFLES
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import count, listed, number, plural
from seqcnn.runtime import versions


class Methods(Section):
    """Suits every task."""

    name: ClassVar[str] = "methods"
    group: ClassVar[str] = "Methods"

    def content(self, material: Material) -> dict[str, Any]:
        """Return paragraphs, options, versions, notes and commands."""
        record = material.model.record
        now = versions()
        return {
            "paragraphs": [p for p in paragraphs(material) if p],
            "options": [(k.replace("_", " "), v) for k, v in flat(record.options)],
            "network": [(k.replace("_", " "), v) for k, v in flat(getattr(material.model.network, "config", {}))],
            "versions": now,
            "trained_with": {k: v for k, v in record.versions.items() if now.get(k) != v},
            "created": record.created,
            "seed": record.seed,
            "notes": list(dict.fromkeys([*record.notes, *getattr(material.model.task, "notes", ())])),
            "command": material.command,
            "train_command": record.command,
        }


def flat(values: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Return nested options as name and text, those without a value left out."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{before}{key} ")
        elif value not in (None, "", [], ()):
            if isinstance(value, list | tuple):
                value = ", ".join(map(str, value)) if len(value) <= 12 else f"{len(value)} values"
            rows.append((before + key, f"{value:.4g}" if isinstance(value, float) else str(value)))
    return rows


def paragraphs(material: Material) -> list[str]:
    """Return the methods, a paragraph a step."""
    return [
        input_(material),
        network(material),
        training(material),
        strands(material),
        figures(material),
        motifs(material),
    ]


def input_(material: Material) -> str:
    """Say how a record becomes an image."""
    if material.kind == "pixels":
        shape = material.data.raw.shape  # type: ignore[union-attr]
        return (
            f"Input. Each picture is an image of {plural(shape[1], 'channel')} and {shape[2]} × {shape[3]} pixels, "
            "scaled to mean 0 and standard deviation 1 over the training pictures."
        )
    alphabet = material.model.alphabet
    size = alphabet.size if alphabet is not None else 0
    name = alphabet.name.upper() if alphabet is not None and alphabet.name != "protein" else "protein"
    return (
        f"Input. Each {name} sequence is an image of {size} channels, height 1 and the sequence's length: one channel "
        f"a letter. Ambiguous letters are spread over the letters they stand for. Sequences may differ in length; "
        "padding never changes a score."
    )


def network(material: Material) -> str:
    """Say what the network is."""
    net = material.model.network
    layers = [type(layer).__name__ for layer in net.modules() if not list(layer.children())]
    kinds = dict.fromkeys(layers)
    told = listed([f"{layers.count(k)} {k}" for k in kinds])
    first = getattr(net, "filters", None)
    text = f"Network. {type(net).__name__}, {count(material.model.n_parameters)} trainable weights; its layers: {told}."
    if first is not None:
        height, width = first.kernel_size
        size = f"{width} positions wide" if height == 1 else f"of {height} × {width} pixels"
        text += f" The first layer has {first.out_channels} filters {size}."
    return text


def training(material: Material) -> str:
    """Say how it was trained."""
    record = material.model.record
    told = record.options
    counts = listed([f"{n:,} for {part}" for part, n in record.counts.items() if n])
    if "fit" in told:
        name = told.get("network", "network")
        return (
            f"Training. The {name} network was fitted to the least regularized loss, the strength by cross-validation."
        )
    text = "Training. AdamW under a one-cycle schedule, stopped early on the validation part, the best weights kept"
    numbers = [
        f"{name} {told[key]:g}"
        for key, name in (("lr", "peak learning rate"), ("weight_decay", "weight decay"), ("batch_size", "batches of"))
        if isinstance(told.get(key), int | float)
    ]
    if isinstance(told.get("epochs"), int):
        numbers.append(f"at most {plural(told['epochs'], 'epoch')}")
    text += f" ({', '.join(numbers)})" if numbers else ""
    text += f"; records: {counts}." if counts else "."
    if told.get("seeded_motifs"):
        seeded = plural(int(told["seeded_motifs"]), "first-layer filter")
        text += f" {seeded} started from words enriched in the training records."
    if material.task != "regression":
        text += " The logits were then calibrated on the validation part: scaled and shifted"
        said = [(name, record.calibration.get(key)) for name, key in (("slope", "scale"), ("offset", "bias"))]
        known = [f"{name} {number(value)}" for name, value in said if isinstance(value, int | float)]
        text += f" ({', '.join(known)})." if known else "."
    if material.baselines:
        baselines = listed([material.baseline_name(b) for b in material.baselines])
        text += f" The baselines ({baselines}) were fitted on the same records."
    return text


def strands(material: Material) -> str:
    """Say how strands were treated."""
    alphabet = material.model.alphabet
    if alphabet is None or not alphabet.has_complement:
        return ""
    if material.model.strands == "both":
        return "Strands. Each record and its reverse complement are scored and their logits averaged."
    return "Strands. Records are read on the given strand only."


def figures(material: Material) -> str:
    """Say how the figures were made."""
    e = material.evaluation
    if e is None:
        return ""
    text = (
        "Figures. Records that were trained or validated on, their soft-masked copies and reverse complements are left "
        "out of every figure. Intervals are 95% percentile bootstrap intervals (1,000 seeded draws"
    )
    text += ", within class)." if material.classes else ")."
    if material.out_of_fold:
        text += (
            " Nothing remained of the data given, so the stored out-of-fold predictions are shown: each training "
            "record is scored by a network trained without its fold."
        )
    return text + " Differences to the baselines are paired: on the same records (AUROC: DeLong 1988)."


def motifs(material: Material) -> str:
    """Say how motifs were found and compared."""
    found = material.motifs
    if found is None:
        return ""
    text = (
        "Motifs. A filter's sites are the places where its activation exceeds "
        f"{found.threshold:g} of its maximum; the letters at the sites, aligned, are counted into a matrix, filters "
        "that hold the same motif are merged, and flanks without information are dropped. Importance is the mean rise "
        "of a record's loss (in nats) when the motif's filters output their mean and the model is calibrated anew"
    )
    if not found.database:
        return text + ". The motifs were not compared with a database."
    return text + (
        f". The matrices were compared with {found.database} by TOMTOM (Gupta 2007, as in memelite); a match counts "
        f"where its q-value is at most {found.qvalue:g} and at most 5% of its {SHUFFLES} column shuffles do as well."
    )
