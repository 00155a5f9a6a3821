"""Alphabets: which letters a sequence may have, their codes, and what each code means as probabilities."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

#: Set on a code when the letter was lower case (soft-masked); the other seven bits are the code.
SOFT_MASK = 0x80
#: Code of no letter at all: fills the end of a record in a batch. Its column in every encoding is zero.
PAD = 0x7F
#: What `Alphabet.lookup` gives for a byte that is no letter of the alphabet.
INVALID = 0x7E


@dataclass(frozen=True)
class Alphabet:
    """An immutable alphabet; codes ``0 .. size-1`` are its canonical letters, later ones are ambiguous.

    Parameters
    ----------
    name
        Registered name: ``dna``, ``rna`` or ``protein``.
    letters
        Canonical letters, in the order of the channels.
    ambiguous
        Ambiguity letter to the canonical letters it may stand for (equal probabilities); an empty string is a gap.
    synonyms
        Letter to the letter it is read as (U as T).
    complements
        Canonical letter to its complement; empty where there is none (protein).

    Examples
    --------
    >>> DNA.size, DNA.symbols
    (4, 'ACGTRYSWKMBDHVN-')
    >>> DNA.probabilities[DNA.symbols.index("R")].tolist()
    [0.5, 0.0, 0.5, 0.0]
    """

    name: str
    letters: str
    ambiguous: dict[str, str] = field(default_factory=dict, hash=False)
    synonyms: dict[str, str] = field(default_factory=dict, hash=False)
    complements: dict[str, str] = field(default_factory=dict, hash=False)
    any_letter: str = "N"

    @property
    def size(self) -> int:
        """Number of canonical letters."""
        return len(self.letters)

    @cached_property
    def symbols(self) -> str:
        """All letters by code: canonical ones, then ambiguous ones, then the gap."""
        return self.letters + "".join(self.ambiguous)

    @property
    def any_code(self) -> int:
        """Code of the letter that may be anything: N or X."""
        return self.symbols.index(self.any_letter)

    @property
    def gap_code(self) -> int:
        """Code of the gap ``-``."""
        return self.symbols.index("-")

    @property
    def has_complement(self) -> bool:
        """Whether the alphabet has a reverse complement."""
        return bool(self.complements)

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Probability of each canonical letter by code, ``(len(symbols), size)``; a gap is all zero."""
        table = np.zeros((len(self.symbols), self.size), np.float32)
        for code, symbol in enumerate(self.symbols):
            meaning = self.ambiguous.get(symbol, symbol)
            for letter in meaning:
                table[code, self.letters.index(letter)] = 1 / len(meaning)
        return table

    @cached_property
    def lookup(self) -> bytes:
        """256-byte table from an ASCII byte to a code: ``sequence.translate(alphabet.lookup)``."""
        table = bytearray([INVALID]) * 256
        spelled = {symbol: code for code, symbol in enumerate(self.symbols)}
        spelled.update({letter: spelled[target] for letter, target in self.synonyms.items()})
        for letter, code in spelled.items():
            table[ord(letter.lower())] = code | (SOFT_MASK if letter.isalpha() else 0)
            table[ord(letter)] = code
        return bytes(table)

    @cached_property
    def spelling(self) -> bytes:
        """256-byte table from a code to its letter, lower case where soft-masked; padding is ``.``."""
        table = bytearray(b"?" * 256)
        for code, symbol in enumerate(self.symbols):
            table[code] = ord(symbol)
            table[code | SOFT_MASK] = ord(symbol.lower())
        table[PAD] = ord(".")
        return bytes(table)

    @cached_property
    def complement(self) -> npt.NDArray[np.uint8]:
        """256-entry table from a code to the code of its complement (soft mask and padding kept).

        Raises
        ------
        AttributeError
            If the alphabet has no complement.
        """
        if not self.has_complement:
            raise AttributeError(f"{self.name} has no complement")
        table = np.arange(256, dtype=np.uint8)
        meaning = {symbol: frozenset(self.ambiguous.get(symbol, symbol)) for symbol in self.symbols}
        for code, symbol in enumerate(self.symbols):
            wanted = frozenset(self.complements[letter] for letter in meaning[symbol])
            other = next(i for i, candidate in enumerate(self.symbols) if meaning[candidate] == wanted)
            table[code] = other
            table[code | SOFT_MASK] = other | SOFT_MASK
        return table


_NUCLEIC = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT", "-": "",
}  # fmt: skip

DNA = Alphabet(
    "dna",
    "ACGT",
    _NUCLEIC,
    {"U": "T", "X": "N", ".": "-"},
    {"A": "T", "C": "G", "G": "C", "T": "A"},
)

RNA = Alphabet(
    "rna",
    "ACGU",
    {symbol: meaning.replace("T", "U") for symbol, meaning in _NUCLEIC.items()},
    {"T": "U", "X": "N", ".": "-"},
    {"A": "U", "C": "G", "G": "C", "U": "A"},
)

#: Selenocysteine (U) and pyrrolysine (O) are read as the residues they are built like, C and K.
PROTEIN = Alphabet(
    "protein",
    "ACDEFGHIKLMNPQRSTVWY",
    {"B": "DN", "Z": "EQ", "J": "IL", "X": "ACDEFGHIKLMNPQRSTVWY", "U": "C", "O": "K", "-": ""},
    {".": "-"},
    any_letter="X",
)
