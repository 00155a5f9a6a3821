"""The first note of a Dataset: what was read, and what it was taken for."""

from dataclasses import replace

from seqcnn.data.dataset import Dataset
from seqcnn.sequence import Sequences


def described(data: Dataset) -> Dataset:
    """Return data whose first note says what was read."""
    return replace(data, summary=replace(data.summary, notes=(_description(data), *data.summary.notes)))


def _description(data: Dataset) -> str:
    """Return the line that says what was read: records, alphabet or shape, lengths, task and classes."""
    if isinstance(data.raw, Sequences):
        lengths = data.raw.lengths
        span = f"{lengths.min():,}" if lengths.min() == lengths.max() else f"{lengths.min():,} to {lengths.max():,}"
        what = f"{len(data):,} {'' if data.alphabet is None else data.alphabet.name} records of length {span}"
    else:
        channels, height, width = data.raw.shape[1:]
        what = f"{len(data):,} pictures of {width} x {height} pixels, {channels} channel{'s' * (channels > 1)}"
    if data.targets is None or data.task is None:
        return f"read {what}"
    if data.task in ("binary", "multiclass"):
        counts = [f"{label} {int((data.targets[:, 0] == i).sum()):,}" for i, label in enumerate(data.labels)]
        if data.task == "binary":
            return f"read {what}; binary: {counts[1]} (positive), {counts[0]}"
        return f"read {what}; multiclass: {', '.join(counts)}"
    return f"read {what}; {data.task}: {', '.join(data.labels)}"
