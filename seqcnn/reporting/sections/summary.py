"""The summary: what was learned, in plain words, with the headline figure beside the baselines'."""

from typing import Any, ClassVar

from seqcnn.plot.canvas import figure
from seqcnn.plot.intervals import draw_forest
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.inputs import extent, made_of
from seqcnn.reporting.material import Figure, Material
from seqcnn.reporting.recipe import parts
from seqcnn.reporting.section import Section
from seqcnn.reporting.sections.relatives import MUCH
from seqcnn.reporting.words import first_upper, interval, listed, named, number, percent, plural, spoken, tiny

#: What people quote, where that is not the figure which decides whether anything was learned.
_QUOTED = {"multiclass": "accuracy", "circular": "median_error"}


class Summary(Section):
    """Suits every task."""

    name: ClassVar[str] = "summary"
    group: ClassVar[str] = "Summary"

    def content(self, material: Material) -> dict[str, Any]:
        """Return the headline, the verdict, sentences, and a small plot beside the baselines."""
        shown = headline(material)
        baselines = [(b, material.figure(shown.name, b)) for b in material.baselines]
        figures = [f for f in [shown, *(f for _, f in baselines)] if f.value is not None]
        plot = ""
        if shown.value is not None and len(figures) > 1:
            fig, (ax,) = figure(430, 52 + 30 * len(figures))
            names = ["this model", *(material.baseline_name(b) for b, f in baselines if f.value is not None)]
            draw_forest(
                names,
                [float(f.value or 0) for f in figures],
                ax,
                intervals=[f.interval for f in figures],
                x=f"{spoken(shown.name)} (95% interval)",
                chance=material.chance(shown.name),
            )
            plot = inline(to_svg(fig, title=f"{spoken(shown.name)} of the model and of the baselines"))
        return {
            "figure": shown,
            "spoken": spoken(shown.name),
            "unit": material.target_unit if shown.name.endswith("_error") else "",
            "beaten": beaten(material),
            "verdict": material.verdict,
            "sentences": [s for s in (performance(material, shown), comparison(material), learned(material)) if s],
            "caveats": caveats(material),
            "plot": plot,
            "facts": facts(material),
            "logos": material.strong[:3],
        }


def headline(material: Material) -> Figure:
    """Return the figure people quote for the task."""
    return material.figure(_QUOTED.get(material.task, material.headline[0]))


def performance(material: Material, shown: Figure) -> str:
    """Return one sentence on how good the predictions are."""
    e = material.evaluation
    if e is None or shown.value is None:
        return (
            "No figures could be computed: there is no record with a known answer that the network has not trained on."
        )
    nouns = material.nouns
    where = f"on {nouns.count(e.n)} that played no part in training"
    if material.out_of_fold:
        where = f"on {nouns.count(e.n)} of the training data, each scored by a network trained without it"
    elif e.source == "stored":
        where = f"on {nouns.count(e.n)} set apart when the model was trained"
    span = f" (95% interval {interval(shown.interval)})" if shown.interval is not None else ""
    if material.task == "binary":
        negative, positive = material.classes
        return (
            f"{first_upper(where)}, a random {nouns.one} of {named(positive)} scores above a random one of "
            f"{named(negative)} {percent(shown.value)} of the time{span}."
        )
    if material.task == "multiclass":
        return (
            f"{first_upper(where)}, the predicted class is the true one for {percent(shown.value)}{span}; "
            f"always naming the commonest class would reach {percent(material.chance('accuracy'))}."
        )
    if material.task == "multilabel":
        return (
            f"{first_upper(where)}, a {nouns.one} with a label scores above one without it {percent(shown.value)} of "
            f"the time, averaged over {plural(len(material.targets), 'label')}{span}."
        )
    if material.period is not None:
        return circular(material, shown, where)
    several = " on average over the targets" if material.per_target else ""
    r2 = material.figure("r2").value
    return (
        f"{first_upper(where)}, predicted and true values have a rank correlation of {number(shown.value)}{several}"
        f"{span}; R² is {number(r2, 2)}."
    )


def circular(material: Material, shown: Figure, where: str) -> str:
    """Return one sentence on how far predictions on a circle are off."""
    unit, digits = material.target_unit, material.digits(shown.name)
    span = "" if shown.interval is None else f" (95% interval {interval(shown.interval, digits)}{unit})"
    several = ", on average over the targets" if material.per_target else ""
    return (
        f"{first_upper(where)}, half of the predictions are within {number(shown.value, digits)}{unit} of the truth"
        f"{several}{span}, the shorter way round the circle of {material.period:g}{unit}; guessing would be within "
        f"{number(material.chance(shown.name), digits)}{unit}."
    )


def beaten(material: Material) -> str:
    """Return the name of the strongest baseline if it is better beyond the interval of the difference, else nothing."""
    found = material.difference(material.baselines[0]) if material.baselines else None
    return material.baseline_name(material.baselines[0]) if found is not None and found[3] < 0 else ""


def comparison(material: Material) -> str:
    """Return one sentence on the strongest baseline."""
    if not material.baselines:
        return "No baseline was fitted, so there is nothing simpler to hold these figures against."
    best = material.baselines[0]
    found = material.difference(best)
    name = material.baseline_name(best)
    if found is None or found[1] != found[1]:
        return ""
    metric, delta, low, high = found
    gap = f"a difference in {spoken(metric)} of {number(delta)}, 95% interval {interval((low, high))}"
    if low > 0:
        return f"That is better than the strongest simple baseline, {name}: {gap}, on the same records."
    if high < 0:
        return f"The strongest simple baseline, {name}, is better: {gap}, on the same records."
    return f"It cannot be told apart from the strongest simple baseline, {name}: {gap}, on the same records."


def learned(material: Material) -> str:
    """Return one sentence on the motifs."""
    if material.motifs is None or material.verdict in ("nothing", "worse"):
        return ""
    if not material.strong:
        return "No single motif could be shown to matter on the records at hand; more held-out records may show one."
    first = material.strong[0]
    match = first.best
    what = ""
    if match is not None:
        what = f"resembles {match.name} ({match.family or 'family unknown'}, q = {tiny(match.qvalue)}); it "
    elif material.motifs.database:
        what = "resembles nothing in the database; it "
    shares = first.shares if len(first.shares) < 3 else sorted(first.shares, key=lambda held: -held[1])[:3]
    held = listed([f"{percent(share)} of {name}" for name, share, _ in shares])
    others = len(material.strong) - 1
    more = (
        f" {first_upper(plural(others, 'more motif'))} {'matters' if others == 1 else 'matter'} measurably."
        if others
        else ""
    )
    return f"The motif it relies on most {what}fires (above half of its strongest activation) in {held}.{more}"


def and_kmers(material: Material) -> str:
    """Say that k-mers and likeness have their say in out-of-fold predictions, where they have."""
    taught = "teacher" in material.model.record.options
    return ", together with k-mer regression and a kernel machine that did not either" if taught else ""


def which_learned(material: Material) -> str:
    """Say that the network in the model file learned from those that were scored, or is made of them, where so."""
    told = material.model.record.options
    if "combined" in told:
        return ", which is all of these side by side"
    return ", which learned to answer as all of these do" if "teacher" in told else ""


def caveats(material: Material) -> list[str]:
    """Return what a careful reader should be told next to the headline."""
    told: list[str] = []
    e = material.evaluation
    if e is None:
        return told
    if material.out_of_fold:
        told.append(
            "These are out-of-fold figures: each record is scored by a network of the same design that did not train "
            f"on it{and_kmers(material)}, not by the one in the model file{which_learned(material)}."
        )
    if e.source == "stored":
        told.append(
            f"These are the figures stored with the model: {material.missing.get('evaluation', 'none could be used')}."
        )
    trained = e.excluded.get("trained_on", 0)
    if trained and e.source == "test data":
        told.append(
            f"{material.nouns.count(trained)} of the data given {'was' if trained == 1 else 'were'} used in training "
            "and left out of every figure here."
        )
    if e.relatives is not None and e.relatives.share >= MUCH:
        told.append(first_upper(e.relatives.sentence(headline(material).name)) + ".")
    if (gap := below_training(material)) is not None:
        told.append(gap)
    smallest = min(e.n_per_class.values(), default=e.n)
    if smallest < 50:
        told.append(f"Few records: the smallest class has {smallest}. Read the intervals, not the figures.")
    calibration = material.figure("ece").value
    if calibration is not None and calibration > 0.1:
        told.append(
            f"The stated probabilities are off by {percent(calibration)} on average: use them to rank, not as chances."
        )
    return told


def below_training(material: Material) -> str | None:
    """Return that these records are predicted worse than those set apart in training, beyond the intervals; or None."""
    record, shown = material.model.record, headline(material)
    stored = record.figures or record.out_of_fold
    if stored is None or material.evaluation is None or material.evaluation.source != "test data":
        return None
    then, pair = stored["metrics"].get(shown.name), stored["ci95"].get(shown.name)
    if then is None or pair is None or None in pair or shown.interval is None:
        return None
    error = shown.name.endswith("_error")
    if (pair[1] >= shown.interval[0]) if error else (pair[0] <= shown.interval[1]):
        return None
    digits = material.digits(shown.name)
    return (
        f"On records set apart in training the {spoken(shown.name)} was {number(then, digits)} (95% interval "
        f"{interval(pair, digits)}), which is better: the records given here are of another kind, or those of training "
        "were more alike than they look."
    )


def facts(material: Material) -> list[tuple[str, str]]:
    """Return short facts: name and value."""
    network = getattr(material.model.network, "name", type(material.model.network).__name__.lower())
    rows = [
        (
            "Task",
            {
                "binary": "two classes",
                "multiclass": f"{len(material.classes)} classes",
                "multilabel": f"{len(material.targets)} labels",
                "regression": "regression",
                "circular": f"numbers on a circle of {material.period or 0:g}{material.target_unit}",
            }.get(material.task, material.task),
        ),
        ("Records", listed([f"{n:,} for {part}" for part, n in parts(material.model)]) or f"{len(material.data):,}"),
        extent(material.model, material.data.lengths),
        ("Network", f"{network}, {material.model.n_parameters:,} weights"),
    ]
    if made := made_of(material.model):
        rows.append(("The network sees", made))
    if material.kind == "codes" and material.model.alphabet is not None and material.model.alphabet.has_complement:
        rows.append(("Strands", "both, averaged" if material.model.strands == "both" else "as given"))
    return rows
