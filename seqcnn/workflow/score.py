"""Scoring: inputs of any size to rows of predictions, in constant memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.errors import OptionError
from seqcnn.inference.predict import stream_logits
from seqcnn.io.opening import STDIN
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import check_writable
from seqcnn.model.model import Model
from seqcnn.options import ScoreOptions
from seqcnn.workflow.inputs import Inputs, check_inputs
from seqcnn.workflow.neighbours import write_neighbours


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Parameters
    ----------
    records, rows
        Read, and written: a row a record, or a row a window.
    short
        Rows shorter than the network's shortest input, which were padded with zero columns.
    replaced
        What letters were replaced, or files converted, with their counts.
    """

    records: int
    rows: int
    short: int
    replaced: dict[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say so."""
        split = f" in {self.rows:,} windows" if self.rows != self.records else ""
        said = [f"scored {self.records:,} records{split}"]
        if self.short:
            said.append(f"{self.short:,} shorter than the network's shortest input were padded with zeros up to it")
        if self.replaced:
            said.append("changed: " + ", ".join(f"{count:,} {what}" for what, count in self.replaced.items()))
        return tuple(said)


def score(
    model: Model,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: ScoreOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
) -> Scored:
    """Write a row of predictions for each record, or each window of a record, in the order they are read.

    The columns are ``id start end length`` (0-based, half-open; of the record), then ``score`` or one a class or
    target; with ``options.top`` the best classes and their scores; with ``options.neighbours`` a row for each of the
    most similar records of that input. Rows appear as they are computed; memory does not grow with the input.

    Parameters
    ----------
    model
        Made by `train` or `load`.
    paths
        Sequence files, tables with a sequence column, ``-`` for standard input; pictures or folders of them for a
        model of pictures.
    options
        Windows, kind of output, unknown letters, device.
    output
        A file, which appears whole or not at all, or ``-`` for standard output.

    Raises
    ------
    DataError
        If a record is longer than the model can be trusted with; the message names it and the windows to ask for.
    InputFileError, FormatError, AlphabetError, OutputFileError
        As reading and writing find them.
    """
    options = options or ScoreOptions()
    files = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    check_inputs(model, files, options)
    job = Inputs(model, options)
    if options.neighbours is not None:
        write_neighbours(model, files, options, job, output=os.fspath(output))
        return Scored(job.records, job.rows, job.short, job.replaced)
    if options.top is not None and model.task.name != "multiclass":
        raise OptionError(f"--top: belongs to several classes, or to --neighbours; the task is {model.task.name}")
    stream = stream_logits(
        model.encoder, model.network, job.chunks(files), strands=model.strands, device=options.device
    )
    if os.fspath(output) != STDIN:
        check_writable(output)
    start = list(islice(stream, 1))  # so that input which cannot be read leaves no lone header
    columns = model.task.columns
    if options.output == "logit" and model.task.outputs != len(columns):
        columns = tuple(f"{name}_{part}" for name in model.labels for part in ("cosine", "sine"))
    top = None if options.top is None else min(options.top, len(columns))
    if top is not None:
        columns = tuple(name for i in range(1, top + 1) for name in (f"top{i}", f"score{i}"))
    with tsv_rows(os.fspath(output), ["id", "start", "end", "length", *columns]) as write:
        for logits in chain(start, stream):
            values = model.task.output(model.calibrated(logits), options.output)
            rows: list[list[Any]] = values.tolist() if top is None else top_classes(values, model.labels, top)
            write([(*place, *row) for place, row in zip(job.waiting.popleft(), rows, strict=True)])
    return Scored(job.records, job.rows, job.short, job.replaced)


def top_classes(values: npt.NDArray[np.float32], labels: Sequence[str], top: int) -> list[list[Any]]:
    """Return the `top` classes of each record with their scores, the best first: label, score, label, score, ...

    >>> top_classes(np.array([[0.25, 0.5, 0.25]], np.float32), ("a", "b", "c"), 2)
    [['b', 0.5, 'a', 0.25]]
    """
    order = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return [
        [cell for k in row for cell in (labels[k], float(scores[k]))] for row, scores in zip(order, values, strict=True)
    ]
