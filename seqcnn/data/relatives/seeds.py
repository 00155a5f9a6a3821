"""Seeds: words with gaps that two records share, as sorted lists of where each word stands."""

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.compiling import compiled
from seqcnn.data.relatives.canonical import AMBIGUOUS, mixed

#: By number of letters compared: patterns (1 compared, 0 free) that together, and with the one without gaps, are most
#: likely to hit a random alignment of 75-80% identity. They read the same backwards, so that a seed and its reverse
#: complement are one; found by random search in the manner of Ma, Tromp & Li (PatternHunter), Bioinformatics 2002,
#: doi:10.1093/bioinformatics/18.3.440.
_NUCLEIC = {
    4: ("11011", "1100011"),
    5: ("1101011", "1011101"),
    6: ("11010001011", "110101011"),
    7: ("1100101010011", "11001110011"),
    8: ("1011100011101", "11010100101011"),
    9: ("111001010100111", "11011000100011011"),
    10: ("1101100010100011011", "11011100000111011"),
    11: ("111001001010100100111", "100110100111001011001"),
    12: ("10111001100000110011101", "11010100011011000101011"),
    13: ("110101110010011101011", "1111010010001000100101111"),
    14: ("1001111001010101001111001", "1110101000110110001010111"),
    15: ("11011001010001110001010011011", "110110101100010001101011011"),
}
_AMINO = {
    2: ("101", "1001"),
    3: ("10101", "1001001"),
    4: ("110011", "1100011"),
    5: ("1101011", "100111001"),
    6: ("110101011", "11001010011"),
    7: ("111010111", "11100100111"),
    8: ("111010010111", "11101010111"),
}


def letter_bits(alphabet: Alphabet) -> int:
    """Return how many bits a canonical letter takes.

    >>> from seqcnn.alphabet import DNA, PROTEIN
    >>> letter_bits(DNA), letter_bits(PROTEIN)
    (2, 5)
    """
    return (alphabet.size - 1).bit_length()


def weights(alphabet: Alphabet) -> range:
    """Return the numbers of letters that a seed may compare.

    >>> from seqcnn.alphabet import PROTEIN
    >>> weights(PROTEIN)
    range(2, 9)
    """
    table = _NUCLEIC if alphabet.size == 4 else _AMINO
    return range(min(table), max(table) + 1)


def patterns(weight: int, alphabet: Alphabet) -> tuple[str, ...]:
    """Return the patterns that compare `weight` letters.

    >>> from seqcnn.alphabet import DNA
    >>> patterns(5, DNA)
    ('11111', '1101011', '1011101')
    """
    return ("1" * weight, *(_NUCLEIC if alphabet.size == 4 else _AMINO)[weight])


def places(
    letters: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    pattern: str,
    alphabet: Alphabet,
    *,
    part: tuple[int, int] = (0, 1),
) -> npt.NDArray[np.uint64]:
    """Return where the words of a pattern stand, one number an occurrence, equal words next to each other.

    Parameters
    ----------
    letters, offsets
        As in `Contents`. A word with an ambiguous letter, even at a free place, is no word.
    pattern
        From `patterns`.
    part
        ``(i, n)`` for the i-th of n parts of the words, which bounds memory.

    Returns
    -------
    numpy.ndarray
        Sorted; the high bits are the word's hash, the next `place_bits` the place in `letters` where the word begins,
        the lowest whether it is the reverse complement that was hashed.
    """
    low, rules = place_bits(len(letters)), rules_of(pattern, alphabet)
    share = int(len(letters) / part[1] * 1.1) + 1024
    found = np.empty(min(len(letters), share), np.uint64)
    count = _fill(letters, offsets, rules, low, part, found)
    if count > len(found):  # some word is far more frequent than others
        found = np.empty(count, np.uint64)
        _fill(letters, offsets, rules, low, part, found)
    found = found[:count]
    found.sort()
    return found


def rules_of(pattern: str, alphabet: Alphabet) -> tuple[int, np.uint64, int, bool]:
    """Return what `rolled` must know of a pattern: span, bits that count, bits a letter, whether there are strands."""
    bits = letter_bits(alphabet)
    mask = 0
    for place in pattern:
        mask = mask << bits | (int(place) * ((1 << bits) - 1))
    return len(pattern), np.uint64(mask), bits, alphabet.has_complement


def place_bits(n_letters: int) -> int:
    """Return how many bits a place takes."""
    return max(1, int(n_letters).bit_length())


@compiled
def rolled(window, letter, rules):  # type: ignore[no-untyped-def]
    """Return the window of the last letters moved on by one, and the word in it: that of the strand which comes first.

    A window is its letters on either strand and how many of them are known in a row, the word a number and whether it
    is the reverse complement's; it is a word only where they are as many as the pattern is long.
    """
    forward, backward, run = window
    span, mask, bits, has_strands = rules
    if letter == AMBIGUOUS:
        return (forward, backward, 0), np.uint64(0), np.uint64(0)
    code = np.uint64(letter)
    forward = ((forward << np.uint64(bits)) | code) & np.uint64((1 << (bits * span)) - 1)
    word, strand = forward & mask, np.uint64(0)
    if has_strands:
        backward = (backward >> np.uint64(bits)) | ((np.uint64(3) - code) << np.uint64(bits * (span - 1)))
        other = backward & mask
        if other < word:
            word, strand = other, np.uint64(1)
    return (forward, backward, run + 1), word, strand


@compiled
def _fill(letters, offsets, rules, low, part, out):  # type: ignore[no-untyped-def]
    span = rules[0]
    keep = np.uint64(low + 1)
    index, parts = np.uint64(part[0]), np.uint64(part[1])
    count = 0
    for r in range(len(offsets) - 1):
        window = (np.uint64(0), np.uint64(0), 0)
        for place in range(offsets[r], offsets[r + 1]):
            window, word, strand = rolled(window, letters[place], rules)
            if window[2] < span:
                continue
            key = mixed(word + np.uint64(1))
            if ((key >> np.uint64(32)) * parts) >> np.uint64(32) != index:
                continue
            if count < len(out):
                out[count] = ((key >> keep) << keep) | (np.uint64(place - span + 1) << np.uint64(1)) | strand
            count += 1
    return count
