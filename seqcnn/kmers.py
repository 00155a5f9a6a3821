"""K-mers of sequences as numbers: codes, strand-canonical indices, and which ones a record holds."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.sequence import Codes, Sequences

Ints = npt.NDArray[np.int64]

#: Letters that `presence` turns to k-mers at a time, which bounds its memory.
_CHUNK_LETTERS = 2_000_000


def default_ks(alphabet: Alphabet) -> tuple[int, ...]:
    """Return the lengths of k-mers used by default: 4 to 8 of nucleotides, 1 to 4 of amino acids.

    >>> from seqcnn.alphabet import RNA
    >>> default_ks(RNA)
    (4, 5, 6, 7, 8)
    """
    return (4, 5, 6, 7, 8) if alphabet.size == 4 else (1, 2, 3, 4)


def words(codes: Codes, k: int, alphabet: Alphabet) -> Ints:
    """Return every k-mer of `codes` ``(L,)`` as a number to the base of the alphabet, -1 with an ambiguous letter.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> words(encode("AACGNT", DNA), 2, DNA).tolist()
    [0, 1, 6, -1, -1]
    """
    letters = codes & ~np.uint8(SOFT_MASK)
    places = len(codes) - k + 1
    if places < 1:
        return np.zeros(0, np.int64)
    known = letters < alphabet.size
    number = np.zeros(places, np.int64)
    whole = np.ones(places, bool)
    for j in range(k):
        number *= alphabet.size
        number += letters[j : j + places]
        whole &= known[j : j + places]
    number[~whole] = -1
    return number


@lru_cache(maxsize=32)
def indices(k: int, alphabet: Alphabet, canonical: bool) -> npt.NDArray[np.int32]:
    """Return the index of each of the ``A**k`` words: its number, or one that it shares with its reverse complement.

    >>> from seqcnn.alphabet import DNA
    >>> indices(1, DNA, True).tolist()
    [0, 1, 1, 0]
    """
    number = np.arange(alphabet.size**k)
    if not canonical:
        return number.astype(np.int32)
    complement = alphabet.complement[: alphabet.size].astype(np.int64)
    other, rest = np.zeros_like(number), number.copy()
    for _ in range(k):
        rest, last = np.divmod(rest, alphabet.size)
        other = other * alphabet.size + complement[last]
    return np.unique(np.minimum(number, other), return_inverse=True)[1].astype(np.int32)


def n_kmers(k: int, alphabet: Alphabet, canonical: bool) -> int:
    """Return how many k-mers there are, a word and its reverse complement counted once if `canonical`.

    >>> from seqcnn.alphabet import DNA
    >>> n_kmers(4, DNA, False), n_kmers(4, DNA, True)
    (256, 136)
    """
    if not canonical:
        return int(alphabet.size**k)
    palindromes = alphabet.size ** (k // 2) if k % 2 == 0 else 0
    return int(alphabet.size**k + palindromes) // 2


def kmer_codes(codes: Codes, k: int, alphabet: Alphabet, *, canonical: bool = False) -> Ints:
    """Return the index of the k-mer at each place of `codes` ``(L,)``, -1 where it holds an ambiguous letter.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> a, b = kmer_codes(encode("AACNTT", DNA), 2, DNA, canonical=True)[[0, 4]]
    >>> bool(a == b)
    True
    """
    number = words(codes, k, alphabet)
    return np.where(number < 0, -1, indices(k, alphabet, canonical)[number])


def kmer_word(code: int, k: int, alphabet: Alphabet, *, canonical: bool = False) -> str:
    """Return the letters of a k-mer by its index; of a word and its reverse complement, the first in the alphabet.

    >>> from seqcnn.alphabet import DNA
    >>> kmer_word(6, 2, DNA)
    'CG'
    """
    if canonical:
        code = int((indices(k, alphabet, True) == code).argmax())
    word = ""
    for _ in range(k):
        code, last = divmod(code, alphabet.size)
        word = alphabet.letters[last] + word
    return word


def presence(
    sequences: Sequences, ks: tuple[int, ...], alphabet: Alphabet, *, canonical: bool = False
) -> tuple[Ints, npt.NDArray[np.int32]]:
    """Return which k-mers each record holds, as ``(indptr (N + 1,), indices)`` of a sparse 0/1 matrix.

    Columns are the k-mers of ``ks[0]``, then those of ``ks[1]``, and so on; a k-mer counts once, not as it occurs.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> some = Sequences.from_codes([encode("AAAC", DNA), encode("A", DNA)])
    >>> indptr, columns = presence(some, (1, 2), DNA)
    >>> indptr.tolist(), columns.tolist()
    ([0, 4, 5], [0, 1, 4, 5, 0])
    """
    counts: list[Ints] = [np.zeros(1, np.int64)]
    columns: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
    first = 0
    while first < len(sequences):
        reach = sequences.offsets[first] + _CHUNK_LETTERS
        last = max(first + 1, int(np.searchsorted(sequences.offsets, reach, "right")) - 1)
        found, each = _presence_chunk(sequences, slice(first, last), ks, alphabet, canonical)
        columns.append(found)
        counts.append(each)
        first = last
    return np.cumsum(np.concatenate(counts)), np.concatenate(columns)


def _presence_chunk(
    sequences: Sequences, records: slice, ks: tuple[int, ...], alphabet: Alphabet, canonical: bool
) -> tuple[npt.NDArray[np.int32], Ints]:
    offsets = sequences.offsets[records.start : records.stop + 1]
    codes = sequences.buffer[offsets[0] : offsets[-1]]
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))  # (letters,): the record of each
    total = sum(n_kmers(k, alphabet, canonical) for k in ks)
    keys, start = [], 0
    for k in ks:
        index = kmer_codes(codes, k, alphabet, canonical=canonical)
        places = len(index)
        good = (index >= 0) & (owner[:places] == owner[k - 1 : k - 1 + places])  # inside one record
        keys.append(owner[:places][good] * total + index[good] + start)
        start += n_kmers(k, alphabet, canonical)
    joined = np.sort(np.concatenate(keys))
    fresh = np.ones(len(joined), bool)
    fresh[1:] = joined[1:] != joined[:-1]
    row, column = np.divmod(joined[fresh], total)
    return column.astype(np.int32), np.bincount(row, minlength=len(offsets) - 1).astype(np.int64)
