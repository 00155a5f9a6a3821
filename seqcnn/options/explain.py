"""Options of explaining predictions."""

from dataclasses import dataclass
from typing import Literal

from seqcnn.checks import one_of
from seqcnn.options.field import Unknown, opt
from seqcnn.options.region import RegionOptions


@dataclass(frozen=True)
class ExplainOptions(RegionOptions):
    """How what the letters of records do for a prediction is found."""

    method: Literal["mutagenesis"] = opt("mutagenesis", "mutagenesis: every letter at every place, one at a time")
    column: str | None = opt(None, "class or target to explain (default: the first)")
    format: Literal["tsv", "npz", "bedgraph"] | None = opt(None, "of the output (default: by its suffix, else tsv)")
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self.method, ("mutagenesis",), "--method")
        one_of(self.unknown, ("error", "mask"), "--unknown")
        if self.format is not None:
            one_of(self.format, ("tsv", "npz", "bedgraph"), "--format")
