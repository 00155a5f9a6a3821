"""Negatives for positives that come alone: exact dinucleotide shuffles of them."""

from dataclasses import replace

import numpy as np

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError
from seqcnn.interval import Intervals, Place
from seqcnn.sequence import Sequences, shuffle_sequences

#: How often a shuffle that equals its source is drawn anew before it is dropped.
REDRAWS = 20

SHUFFLED = "shuffled"


def add_shuffles(data: Dataset, *, seed: int) -> Dataset:
    """Return the records of `data` as the positive class, and a dinucleotide shuffle of each as the negative one.

    A shuffle that equals its source is redrawn, then dropped and counted. The same seed gives the same shuffles.

    Parameters
    ----------
    data
        Sequences of DNA or RNA; its one label names the positive class. Left as it is.
    seed
        Of the shuffles.

    Raises
    ------
    DataError
        If the records are not DNA or RNA, or no shuffle differs from its source.
    """
    if not isinstance(data.raw, Sequences) or data.alphabet is None or not data.alphabet.has_complement:
        raise DataError("negatives: shuffles are made of DNA and RNA only; give a second file, or --negatives FILE")
    rng = np.random.default_rng(seed)
    plain = Sequences(data.raw.buffer & ~np.uint8(SOFT_MASK), data.raw.offsets)
    shuffled = shuffle_sequences(plain, rng)
    buffer = shuffled.buffer
    same = _equal(plain, shuffled)
    for _ in range(REDRAWS):
        if not len(same):
            break
        again = shuffle_sequences(plain.take(same), rng)
        for i, codes in zip(same, again, strict=True):
            buffer[plain.offsets[i] : plain.offsets[i + 1]] = codes
        same = same[_equal(plain.take(same), again)]
    kept = np.delete(np.arange(len(plain)), same)
    if not len(kept):
        raise DataError(
            "negatives: every dinucleotide shuffle equals its source, the records are too short or too simple; "
            "give --negatives FILE"
        )
    negatives = Sequences(buffer, plain.offsets).take(kept)
    raw = Sequences(
        np.concatenate([data.raw.buffer, negatives.buffer]),
        np.concatenate([data.raw.offsets, data.raw.offsets[-1] + negatives.offsets[1:]]),
    )
    positive = data.labels[0] if data.labels else "positive"
    dropped = dict(data.summary.dropped)
    notes = [f"negatives: dinucleotide shuffles of the positives, seed {seed}"]
    if len(same):
        dropped["shuffles equal to their source"] = len(same)
        notes.append(f"dropped, shuffles equal to their source after {REDRAWS} more draws: {len(same):,}")
    return replace(
        data,
        raw=raw,
        ids=data.ids + tuple(f"{data.ids[i]}_shuffled" for i in kept.tolist()),
        targets=np.repeat([1.0, 0.0], [len(plain), len(kept)])[:, None],
        task="binary",
        labels=(SHUFFLED if positive != SHUFFLED else f"{SHUFFLED}_negative", positive),
        parts=None,
        places=None if data.places is None else data.places.joined(Intervals.of([Place()] * len(kept))),
        parents=np.concatenate([np.full(len(plain), -1), kept]),
        negatives="shuffle",
        summary=replace(data.summary, dropped=dropped, notes=(*data.summary.notes, *notes)),
    )


def _equal(one: Sequences, other: Sequences) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Return which records of two collections of the same lengths are equal."""
    differs = np.concatenate([[0], np.cumsum(one.buffer != other.buffer)])
    return np.flatnonzero(differs[one.offsets[1:]] == differs[one.offsets[:-1]])
