"""The motif: a position probability matrix with its name, alphabet and what is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.errors import DataError

Matrix = npt.NDArray[np.float64]

#: Trimming drops outer columns that tell less than this, in bits.
TRIM_BITS = 0.25


@dataclass(frozen=True, eq=False)
class Motif:
    """An immutable motif.

    Parameters
    ----------
    name
        Identifier, the first word of a MEME file's MOTIF line (``MA0139.2``, ``motif_1``).
    probabilities
        Probability of each canonical letter at each position, ``(L, A)`` float64; every row sums to 1.
    alphabet
        DNA, RNA or protein.
    nsites
        Number of sites the matrix was counted from; 0 where unknown.
    alt
        Alternate name, the second word of a MOTIF line (``CTCF``); may be empty.
    evalue
        E-value, where a program gave one.
    family, tf_class, taxon
        Of the transcription factor, where a database says so.

    Raises
    ------
    DataError
        If the matrix is not ``(L, A)`` with L of 1 or more, or its rows are not probabilities.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> m = Motif("m", np.eye(4)[[0, 0, 1, 2]], DNA)
    >>> m.consensus, m.reverse_complement().consensus, m.information.tolist()
    ('AACG', 'CGTT', [2.0, 2.0, 2.0, 2.0])
    """

    name: str
    probabilities: Matrix = field(repr=False)
    alphabet: Alphabet = field(repr=False)
    nsites: int = 0
    alt: str = ""
    evalue: float | None = None
    family: str = ""
    tf_class: str = ""
    taxon: str = ""
    url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        matrix = np.array(self.probabilities, np.float64)  # a copy: the caller's stays its own
        if matrix.ndim != 2 or len(matrix) == 0 or matrix.shape[1] != self.alphabet.size:
            raise DataError(
                f"motif {self.name!r}: expected a matrix (L, {self.alphabet.size}) with a row for each position, "
                f"found {matrix.shape}"
            )
        sums = matrix.sum(1)
        if not np.isfinite(matrix).all() or (matrix < 0).any() or not np.allclose(sums, 1, atol=1e-6):
            row = int(np.argmax(~(np.isclose(sums, 1, atol=1e-6) & (matrix >= 0).all(1))))
            raise DataError(
                f"motif {self.name!r}, position {row + 1}: expected probabilities that sum to 1, "
                f"found {matrix[row].tolist()}"
            )
        matrix.flags.writeable = False
        object.__setattr__(self, "probabilities", matrix)

    def __len__(self) -> int:
        return len(self.probabilities)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Motif):
            return NotImplemented
        mine = (self.name, self.alt, self.alphabet.name, self.nsites, self.evalue, self.family, self.url)
        yours = (other.name, other.alt, other.alphabet.name, other.nsites, other.evalue, other.family, other.url)
        return mine == yours and np.array_equal(self.probabilities, other.probabilities)

    def __hash__(self) -> int:
        return hash((self.name, self.alt, self.probabilities.tobytes()))

    @property
    def label(self) -> str:
        """The name people use: the alternate one where there is one."""
        return self.alt or self.name

    @property
    def consensus(self) -> str:
        """The most probable letter at each position."""
        return "".join(self.alphabet.letters[i] for i in self.probabilities.argmax(1))

    @property
    def information(self) -> npt.NDArray[np.float64]:
        """Information of each position in bits, against equal letters, ``(L,)``."""
        return information(self.probabilities)

    def reverse_complement(self) -> "Motif":
        """Return the motif as it reads on the other strand.

        Raises
        ------
        AttributeError
            If the alphabet has no complement (protein).
        """
        order = self.alphabet.complement[: self.alphabet.size]
        return replace(self, probabilities=self.probabilities[::-1, order])

    def trimmed(self, threshold: float = TRIM_BITS) -> "Motif":
        """Return the motif from its first to its last position of `threshold` bits or more; whole if none has.

        >>> from seqcnn.alphabet import DNA
        >>> Motif("m", np.array([[.25] * 4, [1, 0, 0, 0], [.25] * 4, [0, 0, 1, 0]]), DNA).trimmed().consensus
        'AAG'
        """
        start, stop = span(self.information, threshold)
        return replace(self, probabilities=self.probabilities[start:stop]) if stop > start else self


def information(probabilities: Matrix, background: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64]:
    """Return the relative entropy of each row to `background` (equal letters if None) in bits, ``(L,)``.

    References
    ----------
    Schneider & Stephens, Nucleic Acids Research 1990, doi:10.1093/nar/18.20.6097.
    """
    size = probabilities.shape[1]
    ground = np.full(size, 1 / size) if background is None else background
    ratio = np.log2(np.where(probabilities > 0, probabilities, 1) / np.where(probabilities > 0, ground, 1))
    bits: npt.NDArray[np.float64] = (probabilities * ratio).sum(1)
    return bits


def span(bits: npt.NDArray[np.float64], threshold: float) -> tuple[int, int]:
    """Return the half-open range from the first to the last value of `threshold` or more; (0, 0) if there is none.

    >>> span(np.array([.1, 1., 0., .3, .2]), .25)
    (1, 4)
    """
    (strong,) = np.nonzero(bits >= threshold)
    return (int(strong[0]), int(strong[-1]) + 1) if len(strong) else (0, 0)


def from_counts(
    counts: npt.NDArray[np.float64], background: npt.NDArray[np.float64], *, pseudocount: float = 1.0
) -> Matrix:
    """Return probabilities ``(L, A)`` of letter counts ``(L, A)`` with `pseudocount` shared out as `background`.

    >>> from_counts(np.array([[3., 0, 0, 0]]), np.full(4, .25)).tolist()
    [[0.8125, 0.0625, 0.0625, 0.0625]]
    """
    raised = counts + pseudocount * background
    matrix: Matrix = raised / raised.sum(1, keepdims=True)
    return matrix


def with_pseudocount(motif: Motif, pseudocount: float = 0.1, *, nsites: int = 20) -> Matrix:
    """Return the motif's probabilities ``(L, A)`` with `pseudocount` sites of equal letters added to its own.

    A matrix that does not say its sites counts as `nsites`. Rows of zeros in a database become finite log-odds.
    """
    sites = motif.nsites or nsites
    size = motif.alphabet.size
    matrix: Matrix = (motif.probabilities * sites + pseudocount / size) / (sites + pseudocount)
    return matrix


def unique_names(motifs: Sequence[Motif]) -> list[Motif]:
    """Return the motifs, a repeated name made different by a number at its end.

    >>> from seqcnn.alphabet import DNA
    >>> a = Motif("a", np.eye(4), DNA)
    >>> [m.name for m in unique_names([a, a])]
    ['a', 'a_2']
    """
    seen: dict[str, int] = {}
    result = []
    for motif in motifs:
        seen[motif.name] = seen.get(motif.name, 0) + 1
        count = seen[motif.name]
        result.append(motif if count == 1 else replace(motif, name=f"{motif.name}_{count}"))
    return result
