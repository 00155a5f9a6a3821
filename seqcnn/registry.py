"""Names to objects, as text, so that help lists every choice without importing torch."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from seqcnn.checks import did_you_mean
from seqcnn.errors import OptionError


@dataclass(frozen=True)
class Entry:
    """One registered object: where it lives (``"module:Object"``) and what it is, in a line.

    One that is `internal` is made of others by training, and not named by users.
    """

    target: str
    summary: str
    internal: bool = False


#: kind -> name -> entry. A new network, task, encoder, augmentation or report section is one file and one line here.
REGISTRY: dict[str, dict[str, Entry]] = {
    "alphabet": {
        "dna": Entry("seqcnn.alphabet:DNA", "A C G T and the IUPAC codes"),
        "rna": Entry("seqcnn.alphabet:RNA", "A C G U and the IUPAC codes"),
        "protein": Entry("seqcnn.alphabet:PROTEIN", "the 20 amino acids, B Z J X U O"),
    },
    "encoder": {
        "onehot": Entry("seqcnn.encode.onehot:OneHot", "codes to 4 x 1 x L, 20 x 1 x L or 1 x A x L images"),
        "pixels": Entry("seqcnn.encode.pixels:Pixels", "pictures to normalized C x H x W images"),
        "series": Entry("seqcnn.encode.series:Series", "time series to normalized V x 1 x T images"),
        "gadf": Entry("seqcnn.encode.gramian:Gadf", "series to Gramian angular difference fields"),
        "gasf": Entry("seqcnn.encode.gramian:Gasf", "series to Gramian angular summation fields"),
        "mtf": Entry("seqcnn.encode.gramian:Mtf", "series to Markov transition fields"),
        "recurrence": Entry("seqcnn.encode.gramian:Recurrence", "series to recurrence plots"),
        "spectrogram": Entry("seqcnn.encode.spectrogram:Spectrogram", "recordings or series to log-power pictures"),
        "trajectory": Entry("seqcnn.encode.trajectory:Trajectory", "pointer movements drawn as pictures"),
        "bytes": Entry("seqcnn.encode.bytes:Bytes", "the bytes of any file as a grey picture"),
    },
    "network": {
        "motif": Entry("seqcnn.networks.motif:Motif", "first-layer filters that are whole motifs (default)"),
        "deepbind": Entry("seqcnn.networks.deepbind:DeepBind", "one convolution, global pooling (Alipanahi 2015)"),
        "basset": Entry("seqcnn.networks.basset:Basset", "three convolutions, two dense layers (Kelley 2016)"),
        "lenet": Entry("seqcnn.networks.lenet:LeNet", "pictures: two convolutions, three dense layers (LeCun 1998)"),
        "residual": Entry(
            "seqcnn.networks.residual:Residual", "pictures, spectrograms, series: residual blocks (He 2016)"
        ),
        "rocket": Entry(
            "seqcnn.networks.rocket:Rocket", "few series or pictures: random filters, linear layer (Dempster 2020)"
        ),
        "composition": Entry(
            "seqcnn.networks.composition:Composition", "baseline: GC or amino acids and length, linear"
        ),
        "kmer": Entry("seqcnn.networks.kmer:Kmer", "baseline: presence of k-mers, linear"),
        "average": Entry(
            "seqcnn.networks.average:Average",
            "several networks that answer together (--combine average)",
            internal=True,
        ),
    },
    "task": {
        "binary": Entry("seqcnn.tasks.binary:Binary", "two classes, one logit"),
        "multiclass": Entry("seqcnn.tasks.multiclass:Multiclass", "one of K classes"),
        "multilabel": Entry("seqcnn.tasks.multilabel:Multilabel", "several yes/no labels at once"),
        "regression": Entry("seqcnn.tasks.regression:Regression", "one or several numbers"),
        "circular": Entry("seqcnn.tasks.circular:Circular", "angles, hours and other numbers on a circle"),
    },
    "augmentation": {
        "reverse_complement": Entry("seqcnn.data.augmentation.codes:ReverseComplement", "codes: either strand"),
        "mutation": Entry("seqcnn.data.augmentation.codes:Mutation", "codes: letters replaced at random"),
        "shift": Entry("seqcnn.data.augmentation.shift:Shift", "any: moved by a few positions or pixels"),
        "jitter": Entry("seqcnn.data.augmentation.samples:Jitter", "samples: noise added"),
        "scaling": Entry("seqcnn.data.augmentation.samples:Scaling", "samples: made larger or smaller"),
        "warp": Entry("seqcnn.data.augmentation.samples:Warp", "samples: time runs faster and slower"),
        "flip": Entry("seqcnn.data.augmentation.pixels:Flip", "pixels: left and right exchanged"),
        "rotate": Entry("seqcnn.data.augmentation.pixels:Rotate", "pixels: turned"),
        "shear": Entry("seqcnn.data.augmentation.pixels:Shear", "pixels: sheared"),
        "zoom": Entry("seqcnn.data.augmentation.pixels:Zoom", "pixels: nearer or farther"),
        "blur": Entry("seqcnn.data.augmentation.pixels:Blur", "pixels: blurred"),
        "elastic": Entry("seqcnn.data.augmentation.pixels:Elastic", "pixels: bent like rubber"),
        "noise": Entry("seqcnn.data.augmentation.pixels:Noise", "pixels: noise added"),
        "cutout": Entry("seqcnn.data.augmentation.pixels:CutOut", "pixels: a rectangle blackened"),
    },
    "filter": {
        "moving_average": Entry("seqcnn.nn.kernels:moving_average", "mean of a window"),
        "gaussian": Entry("seqcnn.nn.kernels:gaussian", "smooths"),
        "gaussian_gradient": Entry("seqcnn.nn.kernels:gaussian_gradient", "slope after smoothing, x and y"),
        "laplacian": Entry("seqcnn.nn.kernels:laplacian", "second differences along rows and columns"),
        "laplacian_8": Entry("seqcnn.nn.kernels:laplacian_8", "second differences, along diagonals as well"),
        "laplacian_of_gaussian": Entry("seqcnn.nn.kernels:laplacian_of_gaussian", "blobs; edges where it crosses zero"),
        "prewitt": Entry("seqcnn.nn.kernels:prewitt", "edges, x and y"),
        "sobel": Entry("seqcnn.nn.kernels:sobel", "edges, x and y, smoothed across"),
        "roberts": Entry("seqcnn.nn.kernels:roberts", "edges, both diagonals"),
        "sharpen": Entry("seqcnn.nn.kernels:sharpen", "sharpens"),
    },
    "check": {
        "reading": Entry("seqcnn.quality.reading:Reading", "what was dropped, replaced, or holds next to nothing"),
        "classes": Entry("seqcnn.quality.classes:Classes", "missing targets, classes too small or too unequal"),
        "duplicates": Entry(
            "seqcnn.quality.duplicates:Duplicates", "repeats, repeats across parts, contradicting targets"
        ),
        "relatives": Entry("seqcnn.quality.relatives:Relatives", "codes: near-duplicates and homologs"),
        "pictures": Entry("seqcnn.quality.pictures:Pictures", "pixels: near-duplicates, dark, blurred, odd ones"),
        "shortcuts": Entry("seqcnn.quality.shortcuts:Shortcuts", "plain properties that give the targets away"),
        "mislabelled": Entry("seqcnn.quality.mislabelled:Mislabelled", "classes: records that are likely mislabelled"),
    },
    "section": {
        "summary": Entry(
            "seqcnn.reporting.sections.summary:Summary",
            "what was learned, with the headline figure beside the baselines'",
        ),
        "data": Entry("seqcnn.reporting.sections.data:Data", "sources, balance, lengths, what was replaced or dropped"),
        "negatives": Entry(
            "seqcnn.reporting.sections.negatives:Negatives", "what GC, length and repeats alone tell of the class"
        ),
        "training": Entry("seqcnn.reporting.sections.training:Training", "loss and metric over epochs"),
        "figures": Entry("seqcnn.reporting.sections.figures:Figures", "every figure with its interval and meaning"),
        "roc": Entry("seqcnn.reporting.sections.roc:Roc", "ROC curves with intervals"),
        "pr": Entry("seqcnn.reporting.sections.pr:PrecisionRecall", "precision-recall curves with intervals"),
        "scores": Entry("seqcnn.reporting.sections.scores:Scores", "scores by class"),
        "calibration": Entry(
            "seqcnn.reporting.sections.calibration:Calibration", "stated against observed probability"
        ),
        "coverage": Entry(
            "seqcnn.reporting.sections.coverage:Coverage", "sets and intervals for single records: stated against found"
        ),
        "confusion": Entry("seqcnn.reporting.sections.confusion:Confusion", "true against predicted class"),
        "scatter": Entry("seqcnn.reporting.sections.scatter:Scatter", "predicted against true values"),
        "labels": Entry("seqcnn.reporting.sections.labels:Labels", "figures for each class, label or target"),
        "relatives": Entry(
            "seqcnn.reporting.sections.relatives:Relatives",
            "how much the figures rest on relatives of training records",
        ),
        "baselines": Entry("seqcnn.reporting.sections.baselines:Baselines", "what something simpler reaches"),
        "motifs": Entry("seqcnn.reporting.sections.motifs:Motifs", "the motif gallery"),
        "examples": Entry(
            "seqcnn.reporting.sections.examples:Examples", "best and worst predicted sequences with their sites"
        ),
        "pictures": Entry(
            "seqcnn.reporting.sections.pictures:Pictures", "best and worst predicted pictures, series or files"
        ),
        "filters": Entry("seqcnn.reporting.sections.filters:Filters", "first-layer filters and feature maps"),
        "methods": Entry("seqcnn.reporting.sections.methods:Methods", "methods in words, versions, commands"),
        "downloads": Entry("seqcnn.reporting.sections.downloads:Downloads", "files held inside the page"),
    },
}


def names(kind: str) -> list[str]:
    """Return the registered names of a kind that users may choose among, in order.

    >>> names("task")
    ['binary', 'multiclass', 'multilabel', 'regression', 'circular']
    """
    return [name for name, entry in REGISTRY[kind].items() if not entry.internal]


def resolve(kind: str, name: str) -> Any:
    """Import and return the object registered under `name`; `OptionError` with a did-you-mean otherwise."""
    table = REGISTRY[kind]
    if name not in table:
        known = names(kind)
        raise OptionError(f"unknown {kind} {name!r}; expected one of {', '.join(known)}{did_you_mean(name, known)}")
    module, _, attribute = table[name].target.partition(":")
    return getattr(import_module(module), attribute)


def register(kind: str, name: str, target: str, *, summary: str = "") -> None:
    """Register ``"module:Object"`` under `name`, so that models which use it reload.

    Raises
    ------
    OptionError
        If the kind is unknown, the name is taken by something else, or the target is not ``module:Object``.
    """
    if kind not in REGISTRY:
        raise OptionError(f"unknown kind {kind!r}; expected one of {', '.join(REGISTRY)}{did_you_mean(kind, REGISTRY)}")
    if target.count(":") != 1:
        raise OptionError(f"register {kind} {name!r}: expected 'module:Object', found {target!r}")
    known = REGISTRY[kind].get(name)
    if known is not None and known.target != target:
        raise OptionError(f"{kind} {name!r} is already {known.target}; choose another name")
    REGISTRY[kind][name] = Entry(target, summary)
