"""Methods in words, versions, warnings, and the command that makes the report again."""

from collections.abc import Mapping
from typing import Any, ClassVar

from seqcnn.conformal import FEWEST_BEYOND
from seqcnn.motifs.compare import SHUFFLES
from seqcnn.motifs.find import STABLE
from seqcnn.reporting.inputs import described
from seqcnn.reporting.material import Material
from seqcnn.reporting.recipe import built, settled, trained
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import listed
from seqcnn.runtime import versions

#: Options that mean nothing for other records.
_OF_SEQUENCES = ("strands", "positions", "seeded_motifs", "negatives")
#: Beginnings of notes on what `settled` tells better.
_SAID_BELOW = ("mirror images mean", "level and size of the series")


class Methods(Section):
    """Suits every task."""

    name: ClassVar[str] = "methods"
    group: ClassVar[str] = "Methods"

    def content(self, material: Material) -> dict[str, Any]:
        """Return paragraphs, options, versions, notes and commands."""
        record = material.model.record
        now = versions()
        told = [*record.notes, *getattr(material.model.task, "notes", ())]
        return {
            "paragraphs": [p for p in paragraphs(material) if p],
            "options": [
                (k.replace("_", " "), v)
                for k, v in flat(record.options)
                if material.kind == "codes" or k not in _OF_SEQUENCES
            ],
            "network": [(k.replace("_", " "), v) for k, v in flat(getattr(material.model.network, "config", {}))],
            "versions": now,
            "trained_with": {k: v for k, v in record.versions.items() if now.get(k) != v},
            "created": record.created,
            "seed": record.seed,
            "notes": [note for note in dict.fromkeys(told) if not note.startswith(_SAID_BELOW)],
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
        f"Input. {described(material.model)}",
        f"Network. {built(material.model)}",
        training(material),
        f"Found. {found}" if (found := settled(material.model)) else "",
        strands(material),
        figures(material),
        regions(material),
        motifs(material),
    ]


def training(material: Material) -> str:
    """Say how the network and its baselines were trained."""
    text = f"Training. {trained(material.model)}"
    if material.baselines:
        baselines = listed([material.baseline_name(b) for b in material.baselines])
        one = len(material.baselines) == 1
        text += (
            f" The baseline{'' if one else 's'} ({baselines}) {'was' if one else 'were'} fitted on the same records."
        )
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
    text = "Figures. Records that were trained or validated on are left out of every figure"
    if material.kind == "codes":
        text = (
            "Figures. Records that were trained or validated on, their soft-masked copies and reverse complements are "
            "left out of every figure"
        )
    text += ". Intervals are 95% percentile bootstrap intervals (1,000 seeded draws"
    text += ", within class)." if material.classes else ")."
    if material.out_of_fold:
        text += (
            " Nothing remained of the data given, so the stored out-of-fold predictions are shown: each training "
            "record is scored by a network trained without its fold."
        )
    if e.source == "stored":
        text += " Nothing remained of the data given, so the figures stored with the model are shown."
    if not material.baselines or not material.has_records:
        return text
    how = {
        "binary": " (AUROC: DeLong 1988)",
        "multilabel": " (AUROC: DeLong 1988)",
        "regression": " (rank correlation: bootstrap)",
    }.get(material.task, "")
    return f"{text} Differences to the baselines are paired: on the same records{how}."


def regions(material: Material) -> str:
    """Say how sets and intervals for single records are made."""
    known = material.model.record.conformity
    if known is None:
        return ""
    made = {
        "regression": "Intervals reach equally far to both sides, in the units that the network learned in",
        "circular": "Arcs reach equally far to both sides",
        "multilabel": "Sets hold each label whose probability is large enough, with a limit for each label",
    }.get(
        material.task,
        "Sets hold each class whose probability is large enough (Sadinle et al. 2019), and the likeliest in any case, "
        "with a limit for each class",
    )
    text = f"Coverage. {made}"
    if not material.numeric:
        text += f" that has enough held-out records ({FEWEST_BEYOND} beyond it) and one for all others"
    text += (
        "; limits are order statistics of the errors of held-out records, with the correction for their finite number"
    )
    if known.folds:
        return text + (
            " (conformal prediction, Vovk et al. 2005, on out-of-fold predictions). For new records like those trained "
            "on, coverage is as stated where networks of the folds err as the final one does; whatever the network, "
            "predicting by all networks of the folds would guarantee 1 − 2α (Barber et al. 2021)."
        )
    return text + (
        " (split-conformal prediction, Vovk et al. 2005, Lei et al. 2018). For new records like those trained on, "
        "coverage is as stated up to what stopping and calibration took from the same records."
    )


def motifs(material: Material) -> str:
    """Say how motifs were found and compared."""
    found = material.motifs
    if found is None:
        return ""
    text = (
        "Motifs. A filter's sites are the places where its activation exceeds "
        f"{found.threshold:g} of its maximum; the letters at the sites, aligned, are counted into a matrix, filters "
        "that hold the same motif are merged, and flanks without information are dropped. Importance (in nats) is the "
        "mean of two: what a record's loss rises when the motif's filters are silenced (they output their mean), and "
        "what it falls, all filters being silenced, when they are not; the model is calibrated anew each time (the "
        "last and the first step of a Shapley value, Covert 2020)"
    )
    again = f" {STABLE}" if found.folds else ""
    if not found.database:
        return f"{text}. The motifs were not compared with a database.{again}"
    return text + (
        f". The matrices were compared with {found.database} by TOMTOM (Gupta 2007, as in memelite); a match counts "
        f"where its q-value is at most {found.qvalue:g} and at most 5% of its {SHUFFLES} column shuffles do as "
        f"well.{again}"
    )
