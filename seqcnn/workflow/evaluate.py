"""Evaluation as a verb: the figures, as JSON, and the predictions behind them, as a table."""

import os
from typing import Any

from seqcnn.data.dataset import Dataset
from seqcnn.io.tsv import tsv_rows
from seqcnn.model.evaluation import Evaluation
from seqcnn.model.evaluation import evaluate as evaluate_model
from seqcnn.model.model import Model


def evaluate(
    model: Model, data: Dataset, *, coverage: float | None = None, seed: int = 0, device: str = "auto"
) -> Evaluation:
    """Return figures with 95% intervals beside the baselines'; see `seqcnn.model.evaluation.evaluate`."""
    return evaluate_model(model, data, coverage=coverage, seed=seed, device=device)


def write_predictions(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write ``id``, ``truth`` and ``score`` of each record, tab-separated.

    Binary: truth is 1 for the positive class, 0 for the other. Multiclass: truth is the class name, then a column of
    probabilities a class. Several targets or labels: ``truth_NAME`` a target, then a column a target.
    """
    names = ["truth"] if evaluation.truth.shape[1] == 1 else [f"truth_{label}" for label in evaluation.labels]
    with tsv_rows(os.fspath(path), ["id", *names, *evaluation.columns]) as write:
        write(
            (name, *_truth(evaluation, truth), *scores)
            for name, truth, scores in zip(
                evaluation.ids, evaluation.truth.tolist(), evaluation.scores.tolist(), strict=True
            )
        )


def _truth(evaluation: Evaluation, row: list[float]) -> list[Any]:
    if evaluation.task == "multiclass":
        return [evaluation.labels[int(row[0])]]
    if evaluation.task in ("binary", "multilabel"):
        return [None if value != value else int(value) for value in row]
    return list(row)
