"""seqcnn: convolutional networks for sequences and pictures, from data to scores, motifs and a report.

Importing seqcnn is quick and does nothing; what is heavy is loaded when a name is first used.

>>> import seqcnn
>>> data = seqcnn.read("peaks.fa.gz", negatives="shuffle")    # doctest: +SKIP
>>> seqcnn.check(data)                                         # doctest: +SKIP
>>> model = seqcnn.train(data, seed=0)                        # doctest: +SKIP
>>> model.save("ctcf.safetensors")                            # doctest: +SKIP
>>> motifs = seqcnn.find_motifs(model, data)                  # doctest: +SKIP
>>> seqcnn.report(model, data, "report.html")                 # doctest: +SKIP
"""

from collections.abc import Sequence
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from seqcnn.errors import SeqcnnError, SeqcnnWarning
from seqcnn.registry import REGISTRY, register

if TYPE_CHECKING:
    from seqcnn.data.dataset import Dataset
    from seqcnn.estimators import SequenceClassifier, SequenceRegressor
    from seqcnn.model.evaluation import Evaluation
    from seqcnn.model.model import Model
    from seqcnn.motifs.found import MotifSet
    from seqcnn.quality.checked import Checked
    from seqcnn.reporting.document import HTMLReport

__version__ = "0.1.0"

__all__ = [
    "REGISTRY",
    "Dataset",
    "Model",
    "SeqcnnError",
    "SeqcnnWarning",
    "SequenceClassifier",
    "SequenceRegressor",
    "check",
    "evaluate",
    "export",
    "find_motifs",
    "load",
    "read",
    "register",
    "report",
    "train",
]

#: Names that are loaded when they are first used, and the modules that have them.
_LAZY = {
    "Dataset": "seqcnn.data.dataset",
    "Model": "seqcnn.model.model",
    "SequenceClassifier": "seqcnn.estimators",
    "SequenceRegressor": "seqcnn.estimators",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'seqcnn' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def read(
    data: "str | PathLike[str] | Sequence[str | PathLike[str]]", *, split: str = "random", **options: Any
) -> "Dataset":
    """Return files as a `Dataset`; what was inferred and replaced stands in its ``summary``.

    Parameters
    ----------
    data
        A FASTA, FASTQ or GenBank file of positives; two (positives, negatives) or more (one a class), each perhaps
        ``"name=file"``; a table; a folder of pictures with a subfolder a class.
    split
        ``column:NAME`` takes the parts from a column of the table.
    **options
        Fields of `seqcnn.options.DataOptions`, such as ``negatives="shuffle"``, ``target="level"``, ``unknown="mask"``.

    Raises
    ------
    SeqcnnError
        In one line: what, where, expected, found, what to do.
    """
    from seqcnn.options import DataOptions, from_mapping
    from seqcnn.workflow.read import read as read_data

    return read_data(data, DataOptions(**from_mapping(options, "read", DataOptions)), split=split)


def check(
    data: "Dataset", *, valid: "Dataset | None" = None, test: "Dataset | None" = None, seed: int = 0, **options: Any
) -> "Checked":
    """Return what is wrong with data, before any training: repeats, contradictions, shortcuts, wrong labels, ...

    Its repr is the summary; ``findings`` and ``shortcuts`` hold the same as data, ``to_dict()`` as JSON values.

    Parameters
    ----------
    data
        As `read` gives it.
    valid, test
        Further data, whose records should not be in `data`.
    seed
        Of samples and halves.
    **options
        Fields of `seqcnn.options.CheckOptions`, such as ``sample=20_000``, ``identity=0.9``.

    Raises
    ------
    SeqcnnError
        In one line: what, where, expected, found, what to do.
    """
    from seqcnn.options import CheckOptions, from_mapping
    from seqcnn.workflow.check import check as check_data

    chosen = CheckOptions(**from_mapping(options, "check", CheckOptions))
    return check_data(data, chosen, valid=valid, test=test, seed=seed)


def train(
    data: "Dataset",
    *,
    valid: "Dataset | float | None" = None,
    test: "Dataset | float | None" = None,
    progress: bool | None = None,
    **options: Any,
) -> "Model":
    """Return a model learned from data; its repr is a card with its test figures beside those of the baselines.

    Parameters
    ----------
    data
        As `read` gives it.
    valid, test
        Data of their own, or the share of `data` that is held out (a tenth each; under 2,000 records, or with
        ``folds=N``, the figures come from folds instead of a test part, and ``model.out_of_fold`` has the predictions).
    progress
        Whether to show a bar; None shows it in a notebook and on a terminal.
    **options
        Fields of `seqcnn.options.TrainOptions`, such as ``seed=0``, ``network="basset"``, ``epochs=20``, ``folds=10``.

    Raises
    ------
    SeqcnnError
        In one line: what, where, expected, found, what to do.
    """
    from seqcnn.data.dataset import Dataset
    from seqcnn.options import TrainOptions, from_mapping
    from seqcnn.workflow.train import train as train_model

    shares = {"valid": valid, "test": test}
    options |= {name: part for name, part in shares.items() if part is not None and not isinstance(part, Dataset)}
    return train_model(
        data,
        TrainOptions(**from_mapping(options, "train", TrainOptions)),
        valid=valid if isinstance(valid, Dataset) else None,
        test=test if isinstance(test, Dataset) else None,
        progress=progress,
    )


def load(path: "str | PathLike[str]") -> "Model":
    """Return the model in a file that `Model.save` or ``seqcnn train`` wrote.

    Raises
    ------
    ModelFileError
        If the file is cut, edited, foreign or of a newer format.
    """
    from seqcnn.model.file import load as load_model

    return load_model(path)


def evaluate(
    model: "Model", data: "Dataset", *, coverage: float | None = None, seed: int = 0, device: str = "auto"
) -> "Evaluation":
    """Return figures with 95% intervals, the baselines' beside the model's; records it was trained on are left out.

    Parameters
    ----------
    model, data
        The data need targets.
    coverage
        For which sets or intervals of single records are made and counted; None for 0.9 where the model knows them.

    Raises
    ------
    DataError
        If the data have no targets, or other labels than the model.
    """
    from seqcnn.model.evaluation import evaluate as evaluate_model

    return evaluate_model(model, data, coverage=coverage, seed=seed, device=device)


def export(model: "Model", path: "str | PathLike[str]", *, output: str = "probability") -> dict[str, Any]:
    """Write a model as ONNX (``.onnx``) or `torch.export` (``.pt2``), and return its card: how it is fed and read.

    Parameters
    ----------
    model, path
        What to write, and where.
    output
        ``probability``, as `Model.predict` gives it, or ``logit``.

    Examples
    --------
    >>> seqcnn.export(model, "ctcf.onnx")["input"]["shape"]  # doctest: +SKIP
    ['records', 4, 'length']
    """
    from seqcnn.workflow.export import export

    return export(model, path, output=output).card


def find_motifs(model: "Model", data: "Dataset", **options: Any) -> "MotifSet":
    """Return the motifs that the first layer of a model has learned, most important first.

    Parameters
    ----------
    model, data
        The data tell which sites are counted; those of training will do.
    **options
        Fields of `seqcnn.options.MotifOptions`, such as ``taxon="vertebrates"``, ``database="mine.meme"``.
    """
    from seqcnn.motifs.find import find_motifs as find
    from seqcnn.options import MotifOptions, from_mapping

    return find(model, data, options=MotifOptions(**from_mapping(options, "find_motifs", MotifOptions)))


def report(
    model: "Model",
    data: "Dataset",
    path: "str | PathLike[str] | None" = None,
    *,
    evaluation: "Evaluation | None" = None,
    motifs: "MotifSet | None" = None,
    **options: Any,
) -> "HTMLReport":
    """Return the report on a model as one self-contained HTML document, and write it if a path is given.

    Parameters
    ----------
    model, data
        Records that were trained on are left out of the figures.
    path
        HTML file to write.
    evaluation, motifs
        Where they were made already, so that they are not made again.
    **options
        Fields of `seqcnn.options.MotifOptions`.
    """
    from seqcnn.options import MotifOptions, from_mapping
    from seqcnn.workflow.report import report as write_report

    chosen = MotifOptions(**from_mapping(options, "report", MotifOptions))
    return write_report(model, data, path, options=chosen, evaluation=evaluation, motifs=motifs)
