"""Exact dinucleotide shuffles of the positives as negatives."""

import numpy as np

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.negatives.made import Made, Order, numbered
from seqcnn.errors import DataError
from seqcnn.interval import Numbers
from seqcnn.sequence import Sequences, shuffle_sequences

#: How often a shuffle that equals its source is drawn anew before it is dropped.
REDRAWS = 20


def shuffles(order: Order) -> Made:
    """Return dinucleotide shuffles of each positive, upper-cased, N runs in place; each is the child of its source.

    One that equals its source, or another shuffle of it, is redrawn, then dropped and counted.

    Raises
    ------
    DataError
        If no shuffle differs from its source.
    """
    rng, ratio = order.rng, order.wanted.ratio
    plain = Sequences(order.sequences.buffer & ~np.uint8(SOFT_MASK), order.sequences.offsets)
    made: list[Sequences] = []
    kept, ids = [], list[str]()
    for number in range(ratio):
        shuffled = shuffle_sequences(plain, rng)
        same = _known(plain, shuffled, made)
        for _ in range(REDRAWS):
            if not len(same):
                break
            again = shuffle_sequences(plain.take(same), rng)
            for i, codes in zip(same, again, strict=True):
                shuffled.buffer[plain.offsets[i] : plain.offsets[i + 1]] = codes
            same = same[_known(plain.take(same), again, [one.take(same) for one in made])]
        made.append(shuffled)
        kept.append(np.delete(np.arange(len(plain)), same))
        ids += [numbered(f"{order.ids[i]}_shuffled", number) for i in kept[-1].tolist()]
    parents = np.concatenate(kept)
    if not len(parents):
        raise DataError(
            "negatives: every dinucleotide shuffle equals its source, the records are too short or too simple; "
            "give --negatives FILE"
        )
    lost = ratio * len(plain) - len(parents)
    each = f"{ratio} dinucleotide shuffles of each positive" if ratio > 1 else "dinucleotide shuffles of the positives"
    notes = [f"negatives: {each}, seed {order.seed}"]
    if lost:
        notes.append(f"dropped, shuffles equal to their source after {REDRAWS} more draws: {lost:,}")
    chosen = [shuffled.take(index) for shuffled, index in zip(made, kept, strict=True)]
    sequences = chosen[0] if ratio == 1 else Sequences.from_codes(codes for part in chosen for codes in part)
    return Made(
        sequences, tuple(ids), parents, dropped={"shuffles equal to their source": lost} if lost else {},
        notes=tuple(notes),
    )  # fmt: skip


def _known(source: Sequences, shuffled: Sequences, earlier: list[Sequences]) -> Numbers:
    """Return which shuffles equal their source, or an earlier shuffle of it."""
    return np.unique(np.concatenate([_equal(other, shuffled) for other in (source, *earlier)]))


def _equal(one: Sequences, other: Sequences) -> Numbers:
    """Return which records of two collections of the same lengths are equal."""
    differs = np.concatenate([[0], np.cumsum(one.buffer != other.buffer)])
    return np.flatnonzero(differs[one.offsets[1:]] == differs[one.offsets[:-1]])
