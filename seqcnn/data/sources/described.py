"""The first note of a Dataset: what was read, and what it was taken for."""

from dataclasses import replace

from seqcnn.data.card import description
from seqcnn.data.dataset import Dataset


def described(data: Dataset) -> Dataset:
    """Return data whose first note says what was read."""
    return replace(data, summary=replace(data.summary, notes=(f"read {description(data)}", *data.summary.notes)))
