"""Options of motifs and their sites."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import one_of, within
from seqcnn.options.field import Unknown, opt
from seqcnn.options.region import RegionOptions


@dataclass(frozen=True)
class MotifOptions:
    """How filters become motifs, and against what they are matched."""

    database: Path | None = opt(None, "MEME file to match against (default: the bundled JASPAR CORE)")
    taxon: str | None = opt(None, "JASPAR taxonomic group, such as vertebrates, plants, insects")
    threshold: float = opt(0.5, "a site is an activation above this share of the filter's maximum")
    qvalue: float = opt(0.05, "largest q-value of a match that counts as significant")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        within(self.threshold, "--threshold", 0.0, 0.99)
        within(self.qvalue, "--qvalue", 0.0, 1.0)


@dataclass(frozen=True)
class SitesOptions(RegionOptions):
    """How a MEME file's motifs are found in sequences."""

    pvalue: float = opt(1e-4, "largest p-value of a site")
    qvalue: float = opt(1.0, "largest Benjamini-Hochberg q-value of a site")
    alphabet: str | None = opt(None, "dna, rna or protein (default: told from the first 1,000 records)")
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    strands: Literal["both", "forward"] = opt(
        "both", "search both strands, or the given one (always so for RNA and protein)"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        within(self.pvalue, "--pvalue", 0.0, 1.0)
        within(self.qvalue, "--qvalue", 0.0, 1.0)
        one_of(self.strands, ("both", "forward"), "--strands")
