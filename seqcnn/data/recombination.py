"""New records out of known ones: the beginning of one and the end of another, with letters of others here and there."""

import numpy as np

from seqcnn.sequence import Sequences

#: Share of the new records that two others make up, and the largest share of letters that come from elsewhere.
CHIMERAS, FOREIGN = 0.5, 0.15


def recombined(raw: Sequences, count: int, rng: np.random.Generator) -> Sequences:
    """Return `count` records that no one has measured, for a teacher to label.

    Half of them are a known record up to a random place and another one from that place on. Then letters, up to 15%
    of them, are replaced by what some record has at the very place: records of one length keep what stands where, and
    a letter that all share stays.

    Parameters
    ----------
    raw
        At least one record.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import decode, encode
    >>> known = Sequences.from_codes([encode(b"AACCA", DNA), encode(b"CCACA", DNA)])
    >>> all(decode(codes, DNA)[3:] == "CA" for codes in recombined(known, 20, np.random.default_rng(0)))
    True
    """
    lengths = raw.lengths
    first, second = rng.integers(0, len(raw), (2, count))
    cut = (rng.random(count) * np.minimum(lengths[first], lengths[second])).astype(np.int64)
    cut = np.where(rng.random(count) < CHIMERAS, cut, lengths[first])  # the others are one record throughout
    size = np.where(cut < lengths[first], lengths[second], lengths[first])
    offsets = np.concatenate([[0], np.cumsum(size)])
    owner = np.repeat(np.arange(count), size)
    place = np.arange(offsets[-1]) - offsets[owner]
    source = np.where(place < cut[owner], first[owner], second[owner])
    foreign = rng.random(len(owner)) < (rng.random(count) * FOREIGN)[owner]
    other = rng.integers(0, len(raw), int(foreign.sum()))
    source[foreign] = np.where(place[foreign] < lengths[other], other, source[foreign])
    return Sequences(raw.buffer[raw.offsets[source] + place], offsets)
