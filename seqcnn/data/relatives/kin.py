"""Kin: which records have a near relative among others, by alignment where that is quick, else by sketches."""

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.data.relatives.pairs import LONGEST, near
from seqcnn.data.relatives.sketches import related, sketch
from seqcnn.sequence import Sequences


def kin(known: Sequences, sequences: Sequences, alphabet: Alphabet) -> tuple[npt.NDArray[np.bool_], bool]:
    """Return which of `sequences` have a near relative among `known`, ``(n,)``, and whether alignments verified it.

    Records longer than 10,000 letters are compared by their sketches, which miss some of the less alike.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> some = Sequences.from_codes([encode("ACGGTCATTACGGACTTGAC", DNA)])
    >>> kin(some, some, DNA)
    (array([ True]), True)
    """
    if max(known.lengths.max(initial=0), sequences.lengths.max(initial=0)) <= LONGEST:
        return near(known, sequences, alphabet), True
    return related(sketch(known, alphabet), sequences, alphabet), False
