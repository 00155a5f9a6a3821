"""How often each letter occurs in records: what motifs are held against."""

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.sequence import Sequences, letter_counts


def letter_frequencies(raw: Sequences, alphabet: Alphabet, *, both: bool) -> npt.NDArray[np.float64]:
    """Return the frequency of each canonical letter in the records, ``(A,)``, the same for complements if `both`."""
    counts = letter_counts(raw.buffer, alphabet)[: alphabet.size] + 1.0
    if both:
        counts = counts + counts[alphabet.complement[: alphabet.size]]
    frequencies: npt.NDArray[np.float64] = counts / counts.sum()
    return frequencies
