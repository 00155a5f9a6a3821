"""Records without their order, strand and copies: each content once, on one strand, in an order of its own."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.compiling import compiled
from seqcnn.sequence import Sequences

Indices = npt.NDArray[np.int64]

#: Code of every ambiguous letter, which equals no other.
AMBIGUOUS = 254


@dataclass(frozen=True)
class Contents:
    """The different contents of some records, so that whatever follows depends on neither order nor strand.

    Parameters
    ----------
    letters, offsets
        Codes of U contents, one after the other: canonical letters as they are, all others `AMBIGUOUS`.
    first
        ``(U,)`` the first record that has each content.
    content
        ``(N,)`` the content of each record.
    flipped
        ``(N,)`` whether the record is the reverse complement of its content.
    """

    letters: npt.NDArray[np.uint8]
    offsets: Indices
    first: Indices
    content: Indices
    flipped: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.first)


def contents(sequences: Sequences, alphabet: Alphabet) -> Contents:
    """Return the different contents of records, ordered by a hash of their letters.

    Soft-masked letters are their upper case; a nucleic acid and its reverse complement are one content.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> some = contents(Sequences.from_codes([encode(s, DNA) for s in ("AACG", "cgtt", "AACC")]), DNA)
    >>> len(some), some.first[some.content].tolist(), some.flipped.tolist()
    (2, [0, 0, 2], [False, True, False])
    """
    has_strands = alphabet.has_complement
    other = alphabet.complement if has_strands else np.arange(256, dtype=np.uint8)
    hashes, flipped = _hashes(sequences.buffer, sequences.offsets, other, has_strands)
    _, first, content = np.unique(hashes, return_index=True, return_inverse=True)
    offsets = np.zeros(len(first) + 1, np.int64)
    np.cumsum(sequences.lengths[first], out=offsets[1:])
    plain = np.arange(256, dtype=np.uint8) & np.uint8(~SOFT_MASK & 0xFF)
    known = np.where(plain < alphabet.size, plain, np.uint8(AMBIGUOUS))
    letters = _copied(sequences.buffer, sequences.offsets, first, flipped, offsets, known, known[other])
    return Contents(letters, offsets, first.astype(np.int64), content.astype(np.int64), flipped)


@compiled
def mixed(x):  # type: ignore[no-untyped-def]
    """Return 64 bits that all depend on all bits of `x` (the finalizer of SplitMix64)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@compiled
def _hashes(buffer, offsets, other, has_strands):  # type: ignore[no-untyped-def]
    """Return the hash of each record on the strand that comes first in the alphabet, and whether that is the other."""
    n = len(offsets) - 1
    hashes = np.empty(n, np.uint64)
    flipped = np.zeros(n, np.bool_)
    for r in range(n):
        low, high = offsets[r], offsets[r + 1]
        if has_strands:
            for t in range(high - low):
                x, y = buffer[low + t] & 0x7F, other[buffer[high - 1 - t]] & 0x7F
                if x != y:
                    flipped[r] = y < x
                    break
        value = np.uint64(high - low)
        for t in range(high - low):
            letter = other[buffer[high - 1 - t]] if flipped[r] else buffer[low + t]
            value = mixed(value * np.uint64(0x9E3779B97F4A7C15) + np.uint64(letter & 0x7F))
        hashes[r] = value
    return hashes, flipped


@compiled
def _copied(buffer, from_offsets, first, flipped, offsets, known, known_other):  # type: ignore[no-untyped-def]
    letters = np.empty(offsets[-1], np.uint8)
    for u in range(len(first)):
        r = first[u]
        low, high = from_offsets[r], from_offsets[r + 1]
        for t in range(high - low):
            if flipped[r]:
                letters[offsets[u] + t] = known_other[buffer[high - 1 - t]]
            else:
                letters[offsets[u] + t] = known[buffer[low + t]]
    return letters
