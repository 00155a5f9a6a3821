"""Options of the effects of variants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import one_of, whole
from seqcnn.options.field import opt


@dataclass(frozen=True)
class VariantsOptions:
    """How the effects of variants are computed."""

    genome: Path | None = opt(None, "FASTA, plain or bgzip, that the variants were called on")
    width: int | None = opt(None, "letters of the window of either allele (default: the length trained on)")
    effect: Literal["logit", "log2fold", "probability"] | None = opt(
        None,
        "difference of logits, log2 fold of probabilities, or difference of probabilities or of numbers in their own "
        "units (default: logit of classes, probability of numbers)",
    )
    strands: Literal["auto", "both"] = opt("auto", "as the model was trained, or both strands averaged")
    shifts: int = opt(0, "also average over windows moved by up to N letters to either side")
    phased: bool = opt(False, "apply the neighbors that are on one haplotype, by GT and PS, together")
    against: Literal["reference", "haplotype"] = opt(
        "reference", "with --phased: compare with the reference, or with the haplotype without the variant itself"
    )
    sample: tuple[str, ...] = opt((), "with --phased: haplotypes of this sample; repeatable (default: of all)")
    strict: bool = opt(False, "stop at the first REF that is not the genome's")
    report: Path | None = opt(None, "HTML file that draws the strongest variants", output=True)
    top: int = opt(12, "variants that the report draws")
    database: Path | None = opt(
        None, "report: MEME file whose motifs are looked for (default: the bundled JASPAR CORE)"
    )
    taxon: str | None = opt(None, "report: JASPAR taxonomic group, such as vertebrates, plants, insects")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")

    def __post_init__(self) -> None:
        if self.width is not None:
            whole(self.width, "--width", 1)
        if self.effect is not None:
            one_of(self.effect, ("logit", "log2fold", "probability"), "--effect")
        one_of(self.strands, ("auto", "both"), "--strands")
        one_of(self.against, ("reference", "haplotype"), "--against")
        whole(self.shifts, "--shifts", 0, 1000)
        whole(self.top, "--top", 1, 100)
