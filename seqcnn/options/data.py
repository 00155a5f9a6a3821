"""Options of how DATA is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import one_of, whole
from seqcnn.errors import OptionError
from seqcnn.options.field import Unknown, opt
from seqcnn.options.region import RegionOptions
from seqcnn.registry import names

#: Names that ``--match`` takes.
ALWAYS_MATCHED, MATCHED_ON_REQUEST = ("gc", "length", "repeats"), ("chromosome", "tss")


@dataclass(frozen=True)
class DataOptions(RegionOptions):
    """How DATA is read: shared by train, evaluate, motifs and report."""

    negatives: str | None = opt(
        None,
        "negatives for one file of positives: shuffle (dinucleotide shuffles, the default), matched or flank (windows "
        "of --genome that are like them, or beside them), or a file",
        metavar="shuffle|matched|flank|FILE",
    )
    ratio: int | None = opt(None, "negatives made for each positive (default: 1)")
    match: tuple[str, ...] = opt(
        (),
        "what matched negatives share with positives beside gc, length and repeats: chromosome, tss (distance to the "
        "nearest start in --annotation); repeatable",
        metavar="NAME",
    )
    blacklist: Path | None = opt(None, "BED file of regions that matched and flanking negatives stay away from")
    annotation: Path | None = opt(None, "GFF or GTF file whose genes start where --match tss measures from")
    targets: Path | None = opt(None, "table whose columns are joined to the records by id")
    target: tuple[str, ...] = opt((), "target column of a table, or of a BED file (a name or a number); repeatable")
    signal: tuple[str, ...] = opt(
        (), "bigWig track whose value over each interval is the target; repeatable", metavar="FILE|NAME=FILE"
    )
    signal_by: Literal["mean", "max", "total"] = opt(
        "mean", "value of --signal: positions without one count as 0 in mean and total"
    )
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    image: str | None = opt(None, "column of a table that names a file a record: pictures, recordings, ...")
    weight: str | None = opt(None, "column of a table that weighs the records in training")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    positive: str | None = opt(None, "which of two values is the positive class")
    where: tuple[str, ...] = opt((), "keep the rows with COLUMN=VALUE; repeatable", metavar="COLUMN=VALUE")
    task: str | None = opt(
        None, "binary, multiclass, multilabel, regression or circular (default: told from the targets)"
    )
    period: float = opt(360.0, "length of the scale of circular targets: 360 degrees, 24 hours")
    input: str | None = opt(
        None,
        "what records become: onehot, pixels, series, gadf, gasf, mtf, recurrence, spectrogram, trajectory or bytes "
        "(default: told from the data)",
        metavar="ENCODER",
    )
    size: int | None = opt(None, "side of the pictures in pixels; bands of a spectrogram (default: by the data)")
    fit: Literal["resize", "crop", "letterbox"] = opt("resize", "how pictures of other sizes are made to fit")
    normalize: Literal["record", "set", "none"] | None = opt(
        None, "series: by each record's own mean and deviation (default), by those of the training set, or not at all"
    )
    alphabet: str | None = opt(None, "dna, rna or protein (default: told from the first 1,000 records)")
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(self.unknown, ("error", "mask"), "--unknown")
        one_of(self.signal_by, ("mean", "max", "total"), "--signal-by")
        for name, value in (("target", self.target), ("targets", self.targets)):
            if self.signal and value:
                raise OptionError(f"--signal and --{name}: pass one of the two")
        if self.alphabet is not None:
            one_of(self.alphabet, names("alphabet"), "--alphabet")
        if self.task is not None:
            one_of(self.task, names("task"), "--task")
        if self.input is not None:
            one_of(self.input, names("encoder"), "--input")
        if self.size is not None:
            whole(self.size, "--size", 4, 4096)
        one_of(self.fit, ("resize", "crop", "letterbox"), "--fit")
        if self.normalize is not None:
            one_of(self.normalize, ("record", "set", "none"), "--normalize")
        if not self.period > 0:
            raise OptionError(f"--period: expected a number above 0, found {self.period}")
        for clause in self.where:
            if "=" not in clause:
                raise OptionError(f"--where: expected COLUMN=VALUE, found {clause!r}")
        whole(self.seed, "--seed", 0, 2**32 - 1)
        if self.ratio is not None:
            whole(self.ratio, "--ratio", 1, 1000)
        for name in ",".join(self.match).split(",") if self.match else ():
            one_of(name, (*ALWAYS_MATCHED, *MATCHED_ON_REQUEST), "--match")

    @property
    def matched_on(self) -> tuple[str, ...]:
        """What `match` asks for beyond what is always matched, in order."""
        asked = ",".join(self.match).split(",")
        return tuple(name for name in MATCHED_ON_REQUEST if name in asked)
