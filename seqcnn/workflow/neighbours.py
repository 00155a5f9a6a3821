"""Nearest neighbours: the records of one input that a network sees as most like those of another."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from seqcnn.errors import DataError, OptionError
from seqcnn.inference.features import FeatureView
from seqcnn.inference.predict import stream_logits
from seqcnn.io.opening import STDIN
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import check_writable
from seqcnn.model.model import Model
from seqcnn.options import ScoreOptions
from seqcnn.tiling import Windows
from seqcnn.workflow.inputs import Inputs, check_inputs

Features = npt.NDArray[np.float32]
#: Neighbours where no number is given.
_COUNT = 5


def write_neighbours(model: Model, files: Sequence[str], options: ScoreOptions, job: Inputs, *, output: str) -> None:
    """Write the most similar records of ``options.neighbours`` for each record of `files`, the most similar first.

    Similarity is the cosine between the features that the network's last layer sees, from -1 to 1; those of both
    strands are averaged where the model reads both. The columns are ``id start end length rank neighbour similarity``.

    Raises
    ------
    DataError
        If there is nothing to be near to.
    OptionError
        If the network has no features.
    """
    if not hasattr(model.network, "features"):
        raise OptionError(f"--neighbours: {type(model.network).__name__} has no features to compare")
    reference = [str(options.neighbours)]
    check_inputs(model, reference, options)
    known = Inputs(model, options)
    names, found = [], []
    for windows, features in _features(model, known, reference, options):
        names += windows.ids.tolist()
        found.append(features)
    if not names:
        raise DataError(f"--neighbours {options.neighbours}: no record; expected some to compare with")
    table = np.concatenate(found)
    count = min(options.top or _COUNT, len(names))
    if output != STDIN:
        check_writable(output)
    stream = _features(model, job, files, options)
    start = list(islice(stream, 1))  # so that input which cannot be read leaves no lone header
    with tsv_rows(output, ["id", "start", "end", "length", "rank", "neighbour", "similarity"]) as write:
        for windows, features in chain(start, stream):
            cells = [column.tolist() for column in windows.cells]
            for *window, (nearest, similarity) in zip(*cells, _nearest(features, table, count), strict=True):
                write(
                    (*window, rank, names[k], float(value))
                    for rank, (k, value) in enumerate(zip(nearest, similarity, strict=True), 1)
                )


def _features(
    model: Model, job: Inputs, files: Sequence[str], options: ScoreOptions
) -> Iterator[tuple[Windows, Features]]:
    """Yield windows and features of length 1, chunk by chunk."""
    view = FeatureView(model.network)
    for features in stream_logits(model.encoder, view, job.chunks(files), strands=model.strands, device=options.device):
        norm = np.linalg.norm(features, axis=1, keepdims=True)
        yield job.waiting.popleft(), (features / np.maximum(norm, 1e-12)).astype(np.float32)


def _nearest(features: Features, table: Features, count: int) -> Iterator[tuple[npt.NDArray[np.int64], Features]]:
    """Yield the rows of `table` nearest to each of `features`, of equals the first, and how similar they are."""
    similarity = (features @ table.T).clip(-1, 1)
    least = np.partition(similarity, -count, axis=1)[:, -count]
    for row, bound in zip(similarity, least, strict=True):
        candidates = np.flatnonzero(row >= bound)
        order = candidates[np.argsort(-row[candidates], kind="stable")][:count]
        yield order, row[order]
