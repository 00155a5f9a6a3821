"""The verb report: a model and data in, one HTML document out, which says what it could not show."""

import os

import numpy as np

from seqcnn.data.dataset import Dataset, check_dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.model.evaluation import Evaluation, evaluate
from seqcnn.model.leakage import Leakage
from seqcnn.model.model import Model
from seqcnn.motifs.find import find_motifs
from seqcnn.motifs.found import MotifSet
from seqcnn.options import MotifOptions
from seqcnn.reporting.document import HTMLReport, build_report


def report(
    model: Model,
    data: Dataset,
    path: str | os.PathLike[str] | None = None,
    *,
    options: MotifOptions | None = None,
    evaluation: Evaluation | None = None,
    motifs: MotifSet | None = None,
    command: str = "",
) -> HTMLReport:
    """Return the report on `model` as one self-contained HTML document; write it if a path is given.

    Records the model trained on are left out of every figure. Where none remains, the out-of-fold figures stored with
    the model are shown, else those of its test part, labelled so; where data have no targets, the report says so.

    Parameters
    ----------
    model
        The model.
    data
        Records of the model's kind.
    path
        HTML file to write, whole or not at all.
    options
        How motifs are found and matched; its device and seed hold for the figures too.
    evaluation, motifs
        Where they were made already, so that they are not made again.
    command
        The shell command that makes the report again.

    Raises
    ------
    DataError
        If the data are of another task or other labels than the model.
    OutputFileError
        If the file cannot be written.

    Examples
    --------
    >>> report(model, data, "report.html")                # doctest: +SKIP
    HTMLReport(0.7 MB); .save(path) writes it
    """
    options = MotifOptions() if options is None else options
    check_dataset(data, "report")
    missing: dict[str, str] = {}
    if evaluation is None:
        evaluation = _evaluation(model, data, options, missing)
    if motifs is None:
        motifs = _motifs(model, data, options, evaluation, missing)
    made = HTMLReport(build_report(model, evaluation, motifs, data, command=command, missing=missing))
    if path is not None:
        made.save(path)
    return made


def _evaluation(model: Model, data: Dataset, options: MotifOptions, missing: dict[str, str]) -> Evaluation | None:
    """Return the figures on the data, else those stored with the model, else None and the reason."""
    if data.targets is not None:
        known = np.isfinite(data.targets).any(1)
        seen = np.isin(record_hashes(data.raw, model.alphabet), model.record.trained_hashes)
        if (known & ~seen).any() or model.record.oof is not None:
            return evaluate(model, data, seed=options.seed, device=options.device)
        missing["evaluation"] = "every record given here was used in training"
    else:
        missing["evaluation"] = "the records given here have no known answer"
    return _stored(model)


def _stored(model: Model) -> Evaluation | None:
    """Return the figures of the test part as the model keeps them, without single records."""
    kept = model.record.figures
    if kept is None:
        return None
    return Evaluation(
        task=model.task.name,
        labels=model.labels,
        columns=model.task.columns,
        n=kept["n"],
        n_per_class=kept["n_per_class"],
        threshold=kept["threshold"],
        metrics=kept["metrics"],
        ci95=kept["ci95"],
        baselines=kept["baselines"],
        baselines_ci95=kept["baselines_ci95"],
        excluded=kept["excluded"],
        source="stored",
        ids=(),
        truth=np.zeros((0, 1)),
        logits=np.zeros((0, model.task.outputs), np.float32),
        scores=np.zeros((0, len(model.task.columns)), np.float32),
        relatives=None if kept["relatives"] is None else Leakage(**kept["relatives"]),
    )


def _motifs(
    model: Model, data: Dataset, options: MotifOptions, evaluation: Evaluation | None, missing: dict[str, str]
) -> MotifSet | None:
    """Return the motifs, or None and the reason."""
    if model.kind != "codes":
        return None
    if getattr(model.network, "filters", None) is None:
        missing["motifs"] = f"the {type(model.network).__name__} network has no filters that could be read as motifs"
    elif data.targets is None:
        missing["motifs"] = "importance needs records with a known answer, and the data given here have none"
    else:
        return find_motifs(model, data, options=options, evaluation=evaluation)
    return None
