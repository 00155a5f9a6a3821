"""Predictions as the columns of a table: identifiers, truth in the words of the data, scores."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits
from seqcnn.tasks.task import Floats

if TYPE_CHECKING:
    from seqcnn.model.model import Model


def prediction_columns(
    task: str,
    labels: Sequence[str],
    names: Sequence[str],
    *,
    ids: Sequence[str],
    truth: Floats,
    scores: Logits,
    fold: npt.NDArray[np.integer[Any]] | None = None,
) -> dict[str, list[Any]]:
    """Return the columns ``id``, ``fold`` (from 1, where given), ``truth`` and the scores of N records.

    Binary: truth is 1 for the positive class, 0 for the other. Multiclass: truth is the class name, then a column of
    probabilities a class. Several targets or labels: ``truth_NAME`` a target, then a column a target. A missing truth
    is None.

    Parameters
    ----------
    task, labels, names
        Name of the task, its labels, and the names of its score columns.
    ids
        N of them; where there are none, records are counted from 1.
    truth, scores
        Targets ``(N, T)`` and predictions ``(N, columns)``.
    fold
        ``(N,)``, from 0.

    Examples
    --------
    >>> told = prediction_columns(
    ...     "binary", ("no", "yes"), ("score",), ids=("a", "b"), truth=np.array([[1.0], [np.nan]]),
    ...     scores=np.array([[0.5], [0.25]], np.float32), fold=np.array([0, 1]),
    ... )
    >>> told
    {'id': ['a', 'b'], 'fold': [1, 2], 'truth': [1, None], 'score': [0.5, 0.25]}
    """
    columns: dict[str, list[Any]] = {"id": list(ids) or [str(i) for i in range(1, len(truth) + 1)]}
    if fold is not None:
        columns["fold"] = (np.asarray(fold, np.int64) + 1).tolist()
    titles = ["truth"] if truth.shape[1] == 1 else [f"truth_{label}" for label in labels]
    for title, values in zip(titles, truth.T.tolist(), strict=True):
        columns[title] = [None if value != value else _told(task, labels, value) for value in values]
    return columns | dict(zip(names, np.asarray(scores).T.tolist(), strict=True))


def _told(task: str, labels: Sequence[str], value: float) -> Any:
    if task == "multiclass":
        return labels[int(value)]
    return int(value) if task in ("binary", "multilabel") else value


def out_of_fold_columns(model: "Model") -> dict[str, list[Any]]:
    """Return the stored out-of-fold predictions of a model as columns.

    Raises
    ------
    DataError
        If there are none.
    """
    oof, task = model.record.oof, model.task
    if oof is None:
        raise DataError("the model holds no out-of-fold predictions; train with folds (--folds N)")
    return prediction_columns(
        task.name, task.labels, task.columns, ids=oof.ids, truth=oof.truth, scores=task.output(oof.logits),
        fold=oof.fold,
    )  # fmt: skip
