"""Canonical hashes of records, by which copies are known: soft-masked, of the other strand, or of absent records."""

from hashlib import blake2b
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.data.dataset import Raw
from seqcnn.sequence import Sequences

Hashes = npt.NDArray[np.uint64]


def record_hashes(raw: Raw, alphabet: Alphabet | None) -> Hashes:
    """Return the canonical hash of each record, ``(N,)``: that of its soft-masked copy and of its other strand.

    For codes they equal `seqcnn.sequence.canonical_hash`; a picture or series is hashed by its values as they are.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> two = Sequences.from_codes([encode("AACG", DNA), encode("cgtt", DNA)])
    >>> len(set(record_hashes(two, DNA).tolist()))
    1
    """
    hashes = np.empty(len(raw), np.uint64)
    if not isinstance(raw, Sequences):
        shape = repr(raw.shape[1:]).encode() if isinstance(raw, np.ndarray) else b""
        for i, record in enumerate(raw):
            hashes[i] = _hash(shape + np.ascontiguousarray(record).tobytes())
        return hashes
    codes = raw.buffer & ~np.uint8(SOFT_MASK)
    forward = codes.tobytes()
    size = len(forward)
    other = None
    if alphabet is not None and alphabet.has_complement:
        other = alphabet.complement[codes[::-1]].tobytes()
    for i, (start, stop) in enumerate(pairwise(raw.offsets.tolist())):
        text = forward[start:stop]
        if other is not None:
            text = min(text, other[size - stop : size - start])
        hashes[i] = _hash(text)
    return hashes


def _hash(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")
