"""Options of whatever reads intervals of a genome."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import one_of, whole
from seqcnn.options.field import opt


@dataclass(frozen=True)
class RegionOptions:
    """How intervals of a genome become windows: shared by all that read BED, GFF and the like."""

    genome: Path | None = opt(None, "FASTA, plain or bgzip, whose letters the intervals of a BED or GFF file are")
    feature: str | None = opt(
        None, "type of the features of a GFF, GTF, GenBank or EMBL file: gene, CDS, exon, promoter, ... or A,B"
    )
    width: int | None = opt(None, "windows of this width around summits or middles (default: intervals as they are)")
    cache: bool = opt(False, "keep an unpacked copy of a bgzip genome in the user's cache folder, which is read faster")
    edge: Literal["pad", "shift", "drop"] = opt("pad", "windows over the edge of a chromosome: N, moved, or left out")

    unplaced: Literal["error", "drop"] = opt(
        "error", "intervals that the genome has no place for: stop, or leave them out and count"
    )

    def __post_init__(self) -> None:
        if self.width is not None:
            whole(self.width, "--width", 1)
        one_of(self.edge, ("pad", "shift", "drop"), "--edge")
        one_of(self.unplaced, ("error", "drop"), "--unplaced")
