"""The negatives: how far what they are made of tells them from the positives, before anything is learned."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from seqcnn.data.matching import TSS_DISTANCE, Matching, compared, measured
from seqcnn.plot.canvas import figure
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.gallery import inline
from seqcnn.reporting.material import Material
from seqcnn.reporting.section import Section
from seqcnn.reporting.words import listed

#: A property whose AUROC lies, with its whole interval, farther from 0.5 than this gives labels away.
SUSPICIOUS = 0.05
#: Properties that stand in the letters or go with them.
_READ = ("GC", "length", "repeats")
_AXES = {
    "GC": "GC content",
    "repeats": "share of soft-masked letters",
    TSS_DISTANCE: "log10 of the distance to a TSS in bp",
}
#: Bins of a histogram: a GC content of a short record takes few values.
_BINS = 25


class Negatives(Section):
    """Suits binary tasks on DNA and RNA."""

    name: ClassVar[str] = "negatives"
    group: ClassVar[str] = "Data"
    title: ClassVar[str] = "Positives and negatives compared"
    tasks: ClassVar[tuple[str, ...]] = ("binary",)
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def suits(self, material: Material) -> bool:
        """Return whether there are two classes of DNA or RNA."""
        alphabet, targets = material.data.alphabet, material.data.targets
        return (
            super().suits(material)
            and alphabet is not None
            and alphabet.has_complement
            and targets is not None
            and len(np.unique(targets[np.isfinite(targets)])) == 2
        )

    def content(self, material: Material) -> dict[str, Any]:
        """Return the table of properties, what it says, and the drawings of those that vary."""
        data, properties = material.data, measured(material.data)
        truth = np.zeros((len(data), 1)) if data.targets is None else data.targets
        found = compared(properties, truth[:, 0])
        return {"properties": found.properties, "verdict": verdict(found), "plots": plots(material, properties)}


def verdict(found: Matching) -> str:
    """Return in a sentence which properties alone give labels away.

    >>> from seqcnn.data.matching import Property
    >>> verdict(Matching((Property("GC", 0.6, 0.4, 0.9, (0.88, 0.92)),)))
    'GC alone tells positives from negatives to some extent, so that a part of the figures below may be due to it.'
    """
    given = [
        p.name
        for p in found.properties
        if p.name in _READ and not p.interval[0] - SUSPICIOUS <= 0.5 <= p.interval[1] + SUSPICIOUS
    ]
    if not given:
        return "Neither GC content, length nor repeats alone tell positives from negatives."
    verb, them = ("tells", "it") if len(given) == 1 else ("each tell", "them")
    names = listed(given)
    return (
        f"{names[:1].upper()}{names[1:]} alone {verb} positives from negatives to some extent, so that a part of the "
        f"figures below may be due to {them}."
    )


def plots(material: Material, properties: Mapping[str, npt.NDArray[np.float64]]) -> list[tuple[Markup, str]]:
    """Return drawings, with captions, of the properties that vary, but for length, which the data section draws."""
    targets, drawn = material.data.targets, []
    for name, values in properties.items():
        finite = values[np.isfinite(values)]
        if name not in _AXES or targets is None or not len(finite) or np.ptp(finite) == 0:
            continue
        groups = {label: values[targets[:, 0] == i] for i, label in enumerate(material.classes)}
        fig, (ax,) = figure(400, 220)
        draw_histograms(groups, ax, x=_AXES[name], bins=_BINS, colors=material.colors)
        svg = inline(to_svg(fig, title=f"Distribution of {name} by class"))
        drawn.append((svg, f"{name[:1].upper()}{name[1:]} of both classes, each scaled to 1."))
    return drawn
