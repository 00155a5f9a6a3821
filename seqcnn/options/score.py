"""Options of scoring."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import between, one_of, whole, within
from seqcnn.errors import OptionError
from seqcnn.options.field import Unknown, opt
from seqcnn.options.region import RegionOptions


@dataclass(frozen=True)
class ScoreOptions(RegionOptions):
    """How records are scored."""

    window: int | None = opt(None, "score long records in windows of this length")
    step: int | None = opt(None, "distance between window starts (default: half the window)")
    output: Literal["probability", "logit"] = opt("probability", "calibrated probability, or logit")
    format: Literal["tsv", "bed", "bedgraph", "bigwig", "parquet"] | None = opt(
        None, "of the output (default: by its suffix, else tsv); bedgraph and bigwig show the nearest window"
    )
    column: str | None = opt(None, "write this class or target only (default: all; of tracks a file each)")
    peaks: Path | None = opt(
        None, "narrowPeak file to write: where windows score higher than shuffled ones", output=True
    )
    fdr: float = opt(0.05, "largest share of false windows among those of --peaks")
    top: int | None = opt(None, "only the K best classes with their scores; neighbours of --neighbours", metavar="K")
    coverage: float | None = opt(
        None, "add low and high of an interval, or the set of classes, that holds the truth for this share of records"
    )
    neighbours: Path | None = opt(
        None, "input whose most similar records, in the network's eyes, are named for each record (--top, default: 5)"
    )
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    image: str | None = opt(None, "column of a table that names a file a record (default: image)")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    precision: Literal["32", "bf16"] = opt("32", "32, or bf16: faster where the machine has it; its error is told")
    resume: bool = opt(
        False, "go on with what a run that was cut off wrote to -o: same model, inputs and options; tsv and bed only"
    )
    seed: int = opt(0, "seed of the shuffles that --peaks compares with")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self.output, ("probability", "logit"), "--output")
        one_of(self.unknown, ("error", "mask"), "--unknown")
        one_of(self.precision, ("32", "bf16"), "--precision")
        within(self.fdr, "--fdr", 0.0, 1.0)
        if self.coverage is not None:
            between(self.coverage, "--coverage", 0, 1)
        if self.format is not None:
            one_of(self.format, ("tsv", "bed", "bedgraph", "bigwig", "parquet"), "--format")
        if self.top is not None:
            whole(self.top, "--top", 1)
        if self.window is not None:
            whole(self.window, "--window", 1)
        if self.step is not None:
            whole(self.step, "--step", 1)
            if self.window is None:
                raise OptionError("--step: needs --window too; pass both, or neither")
