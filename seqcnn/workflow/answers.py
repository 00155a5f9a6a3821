"""Logits to the columns that are asked for: probabilities or logits, all of them, one, or the best."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of
from seqcnn.errors import OptionError
from seqcnn.io.cells import Column
from seqcnn.model.coverage import limits_of
from seqcnn.model.model import Model
from seqcnn.names import Names
from seqcnn.options import ScoreOptions

Floats = npt.NDArray[np.float32]


class Answers:
    """What is written of each window.

    Attributes
    ----------
    names
        Of the columns.
    regions
        Names of the columns that follow with ``options.coverage``: the ends of an interval, or a set of classes.
    texts
        Those that hold names of classes, not numbers.
    """

    def __init__(self, model: Model, options: ScoreOptions) -> None:
        self.model, self.kind = model, options.output
        columns = model.task.columns
        if self.kind == "logit" and model.task.outputs != len(columns):
            columns = tuple(f"{name}_{part}" for name in model.labels for part in ("cosine", "sine"))
        if options.top is not None and model.task.name != "multiclass":
            raise OptionError(f"--top: belongs to several classes, or to --neighbours; the task is {model.task.name}")
        self.top = None if options.top is None else min(options.top, len(columns))
        self.chosen = slice(None)
        if options.column is not None:
            at = columns.index(one_of(options.column, columns, "--column"))
            self.chosen, columns = slice(at, at + 1), columns[at : at + 1]
        if self.top is not None:
            columns = tuple(name for i in range(1, self.top + 1) for name in (f"top{i}", f"score{i}"))
        self.names = columns
        self.limits = None
        if options.coverage is not None:
            self.limits = limits_of(model.task, model.record.conformity, options.coverage, "--coverage")
        self.regions = self._regions()
        self.texts = frozenset(
            [*(columns[::2] if self.top is not None else ()), *(() if model.task.numeric else self.regions)]
        )

    def _regions(self) -> tuple[str, ...]:
        if self.limits is None:
            return ()
        if not self.model.task.numeric:
            return ("set",)
        if len(self.model.labels) == 1:
            return ("low", "high")
        return tuple(f"{name}_{end}" for name in self.model.labels[self.chosen] for end in ("low", "high"))

    def beside(self, logits: Floats) -> list[Column]:
        """Return the columns `regions` of the network's logits ``(N, K)``, each ``(N,)``."""
        if self.limits is None:
            return []
        calibrated = self.model.calibrated(logits)
        if not self.model.task.numeric:
            return [Names.of([",".join(held) for held in self.model.named_sets(calibrated, self.limits)])]
        ends = self.model.task.ranges(calibrated, self.limits)[:, self.chosen]
        return list(ends.reshape(len(ends), -1).T)

    def table(self, logits: Floats) -> Floats:
        """Return numbers for the network's logits, ``(N, columns)``."""
        return self.model.task.output(self.model.calibrated(logits), self.kind)

    def columns(self, table: Floats) -> list[Column]:
        """Return the columns that are written of a table of numbers, each ``(N,)``."""
        if self.top is not None:
            return top_classes(table, self.model.labels, self.top)
        return list(table[:, self.chosen].T)

    def shades(self, table: Floats) -> list[npt.NDArray[Any]]:
        """Return how dark each number is drawn, from 0 to 1: probabilities as they are, logits as if of two classes.

        Numbers by their rank among training targets, if those were normal after their transform; angles are not drawn.
        """
        from scipy.special import expit, ndtr

        task = self.model.task
        shades: npt.NDArray[Any]
        if task.outputs != len(task.columns):
            shades = np.zeros(table.shape)
        elif task.numeric:
            shades = ndtr(table if self.kind == "logit" else task.encode(table.astype(np.float64)))
        else:
            shades = expit(table) if self.kind == "logit" else table
        return list(shades[:, self.chosen].T)


def top_classes(values: Floats, labels: Sequence[str], top: int) -> list[Column]:
    """Return columns of the `top` classes of each record with their scores, the best first: label, score, label, ...

    >>> [column.tolist() for column in top_classes(np.array([[0.25, 0.5, 0.25]], np.float32), ("a", "b", "c"), 2)]
    [['b'], [0.5], ['a'], [0.25]]
    """
    order = np.argsort(-values, axis=1, kind="stable")[:, :top]
    scores = np.take_along_axis(values, order, 1)
    return [column for k in range(top) for column in (Names(labels, order[:, k]), scores[:, k])]
