"""The options of each verb, one frozen dataclass a verb, shared by shell, config file and notebook."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from seqcnn.checks import did_you_mean, one_of, whole, within
from seqcnn.errors import OptionError
from seqcnn.registry import names


def opt(default: Any, help: str, **extra: Any) -> Any:
    """Return a dataclass field whose metadata carries the help text that the shell shows."""
    return field(default=default, metadata={"help": help, **extra})


Strands = Literal["auto", "both", "forward"]
Unknown = Literal["error", "mask"]
Precision = Literal["auto", "32", "bf16"]


@dataclass(frozen=True)
class DataOptions:
    """How DATA is read: shared by train, evaluate, motifs and report."""

    negatives: str | None = opt(
        None, "negatives for a single positive FASTA: 'shuffle' or a file", metavar="shuffle|FILE"
    )
    targets: Path | None = opt(None, "table whose columns are joined to the records by id")
    target: tuple[str, ...] = opt((), "target column of a table; repeatable")
    genome: Path | None = opt(None, "FASTA, plain or bgzip, whose letters the intervals of a BED or GFF file are")
    feature: str | None = opt(None, "type of the features of a GFF or GTF file: gene, CDS, exon, promoter, ...")
    width: int | None = opt(None, "windows of this width around summits or middles (default: intervals as they are)")
    edge: Literal["pad", "shift", "drop"] = opt("pad", "windows over the edge of a chromosome: N, moved, or left out")
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
        one_of(self.unknown, ("error", "mask"), "--unknown")
        if self.alphabet is not None:
            one_of(self.alphabet, names("alphabet"), "--alphabet")
        if self.task is not None:
            one_of(self.task, names("task"), "--task")
        if self.input is not None:
            one_of(self.input, names("encoder"), "--input")
        if self.width is not None:
            whole(self.width, "--width", 1)
        one_of(self.edge, ("pad", "shift", "drop"), "--edge")
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


@dataclass(frozen=True)
class TrainOptions:
    """How a model is learned from a Dataset."""

    valid: tuple[str, ...] = opt(
        (), "validation FRACTION (default 0.1) or FILE; repeat for each class", metavar="FILE|FRACTION"
    )
    test: tuple[str, ...] = opt(
        (),
        "test FRACTION (default 0.1; under 2,000 records 5 folds instead) or FILE; repeat for each class",
        metavar="FILE|FRACTION",
    )
    split: str = opt("random", "random, or column:NAME whose values are train, valid, test")
    network: str = opt("auto", "architecture; see 'seqcnn networks'")
    strands: Strands = opt("auto", "score both strands, or the given one; auto compares them on training folds")
    positions: Literal["auto", "aware", "free"] = opt("auto", "whether the place in the record may matter")
    filters: tuple[str, ...] = opt(
        (),
        "fixed filters for the first layer: a name (sobel, gaussian, ...) or a MEME file; repeatable",
        metavar="NAME|FILE",
    )
    frozen: bool = opt(False, "leave the filters of --filters as they are in training")
    augment: tuple[str, ...] = opt(
        (),
        "random change of training records: a name, MODULE:FUNCTION, or none; repeatable (default: what suits)",
        metavar="NAME",
    )
    strength: float = opt(0.5, "how strongly records are changed, from 0 to 1")
    mixup: float | None = opt(None, "mix pairs of records: alpha of the weights' Beta distribution (default: 0, off)")
    cutmix: float | None = opt(None, "paste a part of one record into another: alpha, as for --mixup (default: 0, off)")
    label_smoothing: float | None = opt(None, "share of each label given to all classes (default: by kind of data)")
    show_augmented: Path | None = opt(None, "picture (.png, .svg or .pdf) of changed training records to write")
    epochs: int | None = opt(None, "passes over the training records (default: by data size)")
    batch_size: int | None = opt(None, "records a step (default: by data size)")
    lr: float | None = opt(None, "peak learning rate (default: by network)")
    folds: int = opt(5, "folds for out-of-fold figures under 2,000 records; 0 for none")
    baselines: bool = opt(True, "fit the composition and k-mer baselines beside the network")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    precision: Precision = opt("auto", "training precision: auto, 32 or bf16")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        if self.network != "auto":
            one_of(self.network, names("network"), "--network")
        one_of(self.strands, ("auto", "both", "forward"), "--strands")
        one_of(self.positions, ("auto", "aware", "free"), "--positions")
        one_of(self.precision, ("auto", "32", "bf16"), "--precision")
        if self.split != "random" and not self.split.startswith("column:"):
            raise OptionError(f"--split: expected random or column:NAME, found {self.split!r}")
        for name in self.filters:
            if "." not in name:
                one_of(name, names("filter"), "--filters")
        if self.frozen and not self.filters:
            raise OptionError("--frozen: there is nothing to freeze; name filters with --filters")
        within(self.strength, "--strength", 0.0, 1.0)
        for name in ("mixup", "cutmix"):
            if getattr(self, name) is not None:
                within(getattr(self, name), f"--{name}", 0.0, 10.0)
        if self.label_smoothing is not None:
            within(self.label_smoothing, "--label-smoothing", 0.0, 0.9)
        for change in self.augment:
            if not callable(change) and ":" not in change:
                one_of(change, ["none", *names("augmentation")], "--augment")
        if "none" in self.augment and len(self.augment) > 1:
            raise OptionError(f"--augment none: means no other; found {', '.join(self.augment)}")
        if self.epochs is not None:
            whole(self.epochs, "--epochs", 1)
        if self.batch_size is not None:
            whole(self.batch_size, "--batch-size", 1)
        if self.lr is not None:
            within(self.lr, "--lr", 1e-8, 10)
        if self.folds == 1:
            raise OptionError("--folds: expected 0 for none, or from 2 to 100, found 1")
        whole(self.folds, "--folds", 0, 100)
        for name in ("valid", "test"):
            _share(getattr(self, name), f"--{name}")
        whole(self.seed, "--seed", 0, 2**32 - 1)


@dataclass(frozen=True)
class ScoreOptions:
    """How records are scored."""

    window: int | None = opt(None, "score long records in windows of this length")
    step: int | None = opt(None, "distance between window starts (default: half the window)")
    output: Literal["probability", "logit"] = opt("probability", "calibrated probability, or logit")
    top: int | None = opt(None, "only the K best classes with their scores; neighbours of --neighbours", metavar="K")
    neighbours: Path | None = opt(
        None, "input whose most similar records, in the network's eyes, are named for each record (--top, default: 5)"
    )
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    genome: Path | None = opt(None, "FASTA, plain or bgzip, whose letters the intervals of a BED or GFF file are")
    feature: str | None = opt(None, "type of the features of a GFF or GTF file: gene, CDS, exon, promoter, ...")
    width: int | None = opt(None, "windows of this width around summits or middles (default: intervals as they are)")
    edge: Literal["pad", "shift", "drop"] = opt("pad", "windows over the edge of a chromosome: N, moved, or left out")
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    image: str | None = opt(None, "column of a table that names a file a record (default: image)")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")

    def __post_init__(self) -> None:
        one_of(self.output, ("probability", "logit"), "--output")
        one_of(self.unknown, ("error", "mask"), "--unknown")
        if self.width is not None:
            whole(self.width, "--width", 1)
        one_of(self.edge, ("pad", "shift", "drop"), "--edge")
        if self.top is not None:
            whole(self.top, "--top", 1)
        if self.window is not None:
            whole(self.window, "--window", 1)
        if self.step is not None:
            whole(self.step, "--step", 1)
            if self.window is None:
                raise OptionError("--step: needs --window too; pass both, or neither")


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
class SitesOptions:
    """How a MEME file's motifs are found in sequences."""

    pvalue: float = opt(1e-4, "largest p-value of a site")
    qvalue: float = opt(1.0, "largest Benjamini-Hochberg q-value of a site")
    alphabet: str | None = opt(None, "dna, rna or protein (default: told from the first 1,000 records)")
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    strands: Literal["both", "forward"] = opt(
        "both", "search both strands, or the given one (always so for RNA and protein)"
    )

    def __post_init__(self) -> None:
        within(self.pvalue, "--pvalue", 0.0, 1.0)
        within(self.qvalue, "--qvalue", 0.0, 1.0)
        one_of(self.strands, ("both", "forward"), "--strands")


@dataclass(frozen=True)
class DemoOptions:
    """How large the demo's example is."""

    records: int = opt(4000, "training records, half of them positive")
    epochs: int | None = opt(None, "passes over the training records (default: by data size)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        whole(self.records, "--records", 100)
        if self.epochs is not None:
            whole(self.epochs, "--epochs", 1)
        whole(self.seed, "--seed", 0, 2**32 - 1)


def _share(values: tuple[str, ...], name: str) -> None:
    """Refuse a fraction that leaves nothing, or one among files; names of files are not looked at."""
    for value in values:
        try:
            share = float(value)
        except ValueError:
            continue
        if len(values) > 1 or not 0 <= share < 1:
            raise OptionError(f"{name}: expected one fraction from 0 to below 1, or files, found {' '.join(values)}")


def from_mapping(values: Mapping[str, Any], where: str, *classes: type) -> dict[str, Any]:
    """Return `values` with dashes turned to underscores, refusing names that no class has.

    An option that may be repeated takes one value or a list.

    Raises
    ------
    OptionError
        Naming the unknown key and the closest known one.

    Examples
    --------
    >>> from_mapping({"batch-size": 32, "valid": 0.2}, "seqcnn.toml", TrainOptions)
    {'batch_size': 32, 'valid': ('0.2',)}
    """
    defaults = {f.name: f.default for options in classes for f in fields(options)}
    clean = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in defaults:
            raise OptionError(f"{where}: unknown option {key!r}{did_you_mean(name, defaults)}")
        if isinstance(defaults[name], tuple):
            given = value if isinstance(value, list | tuple) else (value,)
            value = tuple(v if callable(v) else str(v) for v in given)
        clean[name] = value
    return clean
