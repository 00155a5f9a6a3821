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
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    image: str | None = opt(None, "column of picture paths in a table")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    positive: str | None = opt(None, "which of two values is the positive class")
    where: tuple[str, ...] = opt((), "keep the rows with COLUMN=VALUE; repeatable", metavar="COLUMN=VALUE")
    task: str | None = opt(None, "binary, multiclass, multilabel or regression (default: told from the targets)")
    input: str | None = opt(None, "codes or pixels (default: told from the data)")
    alphabet: str | None = opt(None, "dna, rna or protein (default: told from the first 1,000 records)")
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        one_of(self.unknown, ("error", "mask"), "--unknown")
        if self.alphabet is not None:
            one_of(self.alphabet, names("alphabet"), "--alphabet")
        if self.task is not None:
            one_of(self.task, names("task"), "--task")
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
    unknown: Unknown = opt("error", "letters outside the alphabet: stop, or mask them and count")
    sequence: str | None = opt(None, "sequence column of a table (default: sequence or seq)")
    image: str | None = opt(None, "column of picture paths in a table (default: image)")
    id: str | None = opt(None, "id column of a table (default: the column called id, else row numbers)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")

    def __post_init__(self) -> None:
        one_of(self.output, ("probability", "logit"), "--output")
        one_of(self.unknown, ("error", "mask"), "--unknown")
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
            value = tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)
        clean[name] = value
    return clean
