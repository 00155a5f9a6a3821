"""Options of training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seqcnn.checks import one_of, whole, within
from seqcnn.errors import OptionError
from seqcnn.options.field import opt
from seqcnn.registry import names

Strands = Literal["auto", "both", "forward"]
Precision = Literal["auto", "32", "bf16"]
#: Rules of --split, and whether something follows the colon.
SPLITS = (
    ("random", False), ("cluster", False), ("chromosome", False), ("chromosome", True), ("group", True),
    ("column", True),
)  # fmt: skip


@dataclass(frozen=True)
class TrainOptions:
    """How a model is learned from a Dataset."""

    valid: tuple[str, ...] = opt(
        (), "validation FRACTION (default 0.1) or FILE; repeat for each class", metavar="FILE|FRACTION"
    )
    test: tuple[str, ...] = opt(
        (),
        "test FRACTION (default 0.1; none where there are folds) or FILE; repeat for each class",
        metavar="FILE|FRACTION",
    )
    split: str = opt(
        "random",
        "random, cluster (relatives together), chromosome, chromosome:A,B (tested on), group:COLUMN, or column:NAME "
        "whose values are train, valid, test",
    )
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
    show_augmented: Path | None = opt(
        None, "picture (.png, .svg or .pdf) of changed training records to write", output=True
    )
    epochs: int | None = opt(None, "passes over the training records (default: by data size)")
    batch_size: int | None = opt(None, "records a step (default: by data size)")
    lr: float | None = opt(None, "peak learning rate (default: by network)")
    folds: int | None = opt(
        None,
        "cross-validate in N folds, near-duplicates together: figures are out-of-fold (default: 5 under 2,000 records "
        "without a test part; 0 for none)",
    )
    predictions: Path | None = opt(
        None, "out-of-fold predictions to write (.tsv, .csv or .parquet): id, fold, truth, scores", output=True
    )
    members: int | None = opt(
        None,
        "networks that teach the final one together with the k-mers, or are averaged (--combine); 1 for one network "
        "that learns from the labels alone (default: one a fold, else 4; 1 where other options shape its training)",
    )
    combine: Literal["distill", "average"] = opt(
        "distill",
        "how several networks become the saved one: distill (sequences, default network), or average: all are kept "
        "side by side and answer with the mean of their logits (any network trained in steps)",
    )
    baselines: bool = opt(True, "fit the composition and k-mer baselines beside the network")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    precision: Precision = opt("auto", "training precision: auto, 32 or bf16")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        if self.network == "average":
            raise OptionError(
                "--network average: is made of several networks of another kind; pass --combine average, and leave out "
                "--network or name that kind"
            )
        if self.network != "auto":
            one_of(self.network, names("network"), "--network")
        one_of(self.strands, ("auto", "both", "forward"), "--strands")
        one_of(self.positions, ("auto", "aware", "free"), "--positions")
        one_of(self.precision, ("auto", "32", "bf16"), "--precision")
        rule, colon, value = self.split.partition(":")
        if (rule, bool(value)) not in SPLITS or (colon and not value):
            raise OptionError(
                "--split: expected random, cluster, chromosome, chromosome:A,B, group:COLUMN or column:NAME, "
                f"found {self.split!r}"
            )
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
        if self.members is not None:
            whole(self.members, "--members", 1, 20)
        one_of(self.combine, ("distill", "average"), "--combine")
        if self.combine == "average" and self.members == 1:
            raise OptionError(
                "--combine average: one network has no others to be averaged with; pass --members 2 or more, or leave "
                "one of them out"
            )
        if self.folds == 1:
            raise OptionError("--folds: expected 0 for none, or from 2 to 100, found 1")
        if self.folds is not None:
            whole(self.folds, "--folds", 0, 100)
        if self.folds == 0 and self.predictions is not None:
            raise OptionError("--predictions: without folds there are no out-of-fold predictions; leave out --folds 0")
        for name in ("valid", "test"):
            _share(getattr(self, name), f"--{name}")
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
