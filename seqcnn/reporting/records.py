"""Single records: which ones are shown, and what is said of their truth and prediction."""

from dataclasses import dataclass
from itertools import chain, zip_longest
from math import ceil, log10

import numpy as np
import numpy.typing as npt

from seqcnn.reporting.material import Material
from seqcnn.reporting.words import number, percent

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Chosen:
    """A group of evaluated records: its title, what they have in common, and their places among those evaluated."""

    title: str
    text: str
    records: Indices


def at_hand(material: Material) -> Indices:
    """Return the evaluated records that are among the data given and whose loss is known."""
    if not material.has_records:
        return np.zeros(0, np.int64)
    return np.flatnonzero((material.rows >= 0) & np.isfinite(material.losses))


def best_and_worst(material: Material, each: int) -> list[Chosen]:
    """Return groups of at most `each` records: the best and the worst predicted, none of them empty."""
    rows = at_hand(material)
    order = rows[np.argsort(material.losses[rows], kind="stable")]
    if material.task == "binary" and material.kind == "codes":
        negative, positive = material.classes
        truth = material.truth[order, 0]
        yes, no = order[truth == 1], order[truth == 0]
        groups = [
            Chosen("Best recognized", f"{positive} with the highest scores.", yes[:each]),
            Chosen("Missed", f"{positive} with the lowest scores.", yes[::-1][:each]),
            Chosen("False alarms", f"{negative} with the highest scores.", no[::-1][:each]),
        ]
    else:
        best, worst = ("most probable true answer", "least probable true answer")
        if material.numeric:
            best, worst = "smallest error", "largest error"
        half = order[: min(each, len(order) // 2)]
        many = material.nouns.many
        text, told = f"Of all {many}, those with the {best}.", f"Of all {many}, those with the {worst}"
        if material.classes:
            half = np.array(_in_turn(material, order)[: len(half)], np.int64)
            text = f"Of each class in turn, the {many} with the most probable true answer."
            missed = sum(wrong(material, int(at)) for at in order)
            told += f"; {f'{missed:,}' if missed else 'none'} of the {material.nouns.count(len(order))} predicted wrong"
        groups = [Chosen("Best predicted", text, half), Chosen("Worst predicted", f"{told}.", order[::-1][:each])]
    return [group for group in groups if len(group.records)]


def _in_turn(material: Material, order: Indices) -> list[int]:
    """Return records class by class in turn: the first of each, then the second of each."""
    truth = material.truth[order, 0]
    classes = [order[truth == i].tolist() for i in range(len(material.classes))]
    return [int(at) for at in chain.from_iterable(zip_longest(*classes)) if at is not None]


def said(material: Material, at: int) -> list[tuple[str, str]]:
    """Return truth and prediction of an evaluated record as words."""
    truth, scores = material.truth[at], material.scores[at]
    labels = material.model.labels
    if material.task == "binary":
        if material.kind == "codes":
            return [("score", number(scores[0])), ("truly", labels[int(truth[0])])]
        share = float(scores[0])
        called = int(share >= material.threshold)
        return [
            ("truly", labels[int(truth[0])]),
            ("predicted", f"{labels[called]} ({percent([1 - share, share][called])})"),
        ]
    if material.task == "multiclass":
        best, real = int(scores.argmax()), int(truth[0])
        truly = labels[real] if best == real else f"{labels[real]} ({percent(scores[real])})"
        return [("truly", truly), ("predicted", f"{labels[best]} ({percent(scores[best])})")]
    if material.task == "multilabel":
        held = [labels[i] for i in np.flatnonzero(truth == 1)]
        found = [f"{labels[i]} ({percent(scores[i])})" for i in np.flatnonzero(scores >= material.threshold)]
        unknown = [labels[i] for i in np.flatnonzero(np.isnan(truth))]
        parts = [", ".join(held[:6])] if held else []
        parts += [f"not known: {', '.join(unknown[:6])}"] if unknown else []
        return [("truly", "; ".join(parts) or "none"), ("predicted", ", ".join(found[:6]) or "none")]
    return [(labels[i], _number_said(material, truth[i], scores[i])) for i in range(min(len(labels), 4))]


def _number_said(material: Material, truth: float, score: float) -> str:
    """Return the prediction of a number and, where it is known, the truth; on a circle also how far it is off."""
    if material.period is None:
        return f"{score:.3g}" + (f", truly {truth:.3g}" if np.isfinite(truth) else "")
    digits, unit = max(0, 3 - ceil(log10(material.period))), material.target_unit
    text = f"{score:.{digits}f}{unit}"
    if not np.isfinite(truth):
        return text
    off = abs(float(material.turned(score - truth)))
    return f"{text}, truly {truth % material.period:.{digits}f}{unit}, off by {off:.{digits}f}{unit}"


def wrong(material: Material, at: int) -> bool:
    """Return whether the class that was predicted for an evaluated record is not the true one."""
    truth, scores = material.truth[at], material.scores[at]
    if material.task == "binary":
        return bool((scores[0] >= material.threshold) != (truth[0] == 1))
    return material.task == "multiclass" and int(scores.argmax()) != int(truth[0])
