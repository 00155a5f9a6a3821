"""Level and size of series: whether they mean something, found by leave-one-out on training records."""

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, take
from seqcnn.encode.series import Series
from seqcnn.networks import create
from seqcnn.samples import Samples
from seqcnn.tasks.task import Task
from seqcnn.training.ridge import held_out_errors
from seqcnn.training.selection import MATERIAL, Choice

#: Records looked at; how far means and deviations of series may be from 0 and 1 that are normalized already.
_RECORDS, _NORMAL = 500, 0.05
_SMALL = {"groups": 8, "dilations": 5, "biases": 1}


def choose_normalize(
    data: Dataset, task: Task, *, groups: npt.NDArray[np.int64] | None = None, device: str = "auto", seed: int = 0
) -> Choice:
    """Return ``set`` if the level and size of a series help to predict it, else ``record``.

    Random filters and ridge regression are fitted to series normalized one by one, and to series on one scale; their
    leave-one-out errors are compared.

    Parameters
    ----------
    data
        Training records only, of series.
    groups
        Of the records, ``(N,)``: what is held out together, such as duplicates.
    """
    index = np.arange(len(data))
    if len(data) > _RECORDS:
        index = np.sort(np.random.default_rng(seed).permutation(len(data))[:_RECORDS])
    raw = take(data.raw, index)
    if not isinstance(raw, Samples):
        raise TypeError("normalization is compared for series only")
    if _is_normal(raw):
        return Choice("record", "the series are normalized already", {})
    part, everything = data.take(index), np.arange(len(index))
    together = None if groups is None else groups[index]
    errors = {}
    for name in ("record", "set"):
        encoder = Series.fit(raw, normalize=name)
        network = create(
            "rocket", in_channels=raw.variables, outputs=task.outputs, width=int(raw.lengths.max()), seed=seed, **_SMALL
        )
        errors[name] = held_out_errors(network, encoder, task, part, records=everything, groups=together, device=device)
    losses = {name: float(error.mean()) for name, error in errors.items()}
    helps = losses["set"] < losses["record"] * (1 - MATERIAL)
    figures = losses | {"by": "random filters, leave-one-out", "records": len(part)}
    return Choice("set" if helps else "record", "compared", figures)


def _is_normal(raw: Samples) -> bool:
    """Return whether each series of each record has about mean 0 and deviation 1."""
    known = [record for record in raw if record.shape[1] > 1 and np.isfinite(record).any()]
    means = np.array([np.nanmean(record, axis=1) for record in known])
    spreads = np.array([np.nanstd(record, axis=1) for record in known])
    return bool(len(means) and (np.abs(means) < _NORMAL).all() and (np.abs(spreads - 1) < _NORMAL).all())
