"""Evaluation as a verb: the figures, as JSON, and the predictions behind them, as a table."""

import os

from seqcnn.data.dataset import Dataset
from seqcnn.io.columns import write_table
from seqcnn.model.evaluation import Evaluation
from seqcnn.model.evaluation import evaluate as evaluate_model
from seqcnn.model.model import Model
from seqcnn.model.predictions import prediction_columns


def evaluate(
    model: Model, data: Dataset, *, coverage: float | None = None, seed: int = 0, device: str = "auto"
) -> Evaluation:
    """Return figures with 95% intervals beside the baselines'; see `seqcnn.model.evaluation.evaluate`."""
    return evaluate_model(model, data, coverage=coverage, seed=seed, device=device)


def write_predictions(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """Write ``id``, ``truth`` and ``score`` of each record, as TSV, CSV or Parquet by the suffix.

    The columns are those of `seqcnn.model.predictions.prediction_columns`.
    """
    e = evaluation
    write_table(path, prediction_columns(e.task, e.labels, e.columns, ids=e.ids, truth=e.truth, scores=e.scores))
