"""Sequences as flat codes, and pure functions on them: encode, decode, reverse complement, shuffle."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import INVALID, PAD, SOFT_MASK, Alphabet
from seqcnn.errors import AlphabetError

Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Record:
    """One record as a reader yields it: an identifier, its letters as bytes, the rest of the header line."""

    id: str
    letters: bytes
    description: str = ""


@dataclass(frozen=True)
class Sequences:
    """Codes of many records of any lengths: one flat buffer and N + 1 offsets.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> s = Sequences.from_codes([encode(b"ACGT", DNA), encode(b"gg", DNA)])
    >>> len(s), s.lengths.tolist(), decode(s[1], DNA)
    (2, [4, 2], 'gg')
    """

    buffer: Codes
    offsets: npt.NDArray[np.int64]

    @classmethod
    def from_codes(cls, records: Iterable[Codes]) -> Self:
        """Join arrays of codes."""
        arrays = list(records)
        offsets = np.zeros(len(arrays) + 1, np.int64)
        np.cumsum([len(a) for a in arrays], out=offsets[1:])
        return cls(np.concatenate(arrays) if arrays else np.zeros(0, np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Codes:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.buffer[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[Codes]:
        for i in range(len(self)):
            yield self[i]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each record, ``(N,)``."""
        return np.diff(self.offsets)

    def take(self, indices: npt.ArrayLike) -> "Sequences":
        """Return the records at `indices`, in that order."""
        return Sequences.from_codes([self[int(i)] for i in np.asarray(indices, np.int64)])

    def rectangle(
        self, indices: npt.ArrayLike | None = None, *, width: int | None = None
    ) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Return codes ``(n, width)`` padded with `PAD` at the end, and the lengths ``(n,)``.

        `width` defaults to the longest record taken; a longer record is cut at `width`.
        """
        index = np.arange(len(self)) if indices is None else np.asarray(indices, np.int64)
        starts = self.offsets[index]
        lengths = self.offsets[index + 1] - starts
        if width is None:
            width = int(lengths.max(initial=0))
        lengths = np.minimum(lengths, width)
        place = np.arange(width)
        inside = place < lengths[:, None]
        where = np.where(inside, starts[:, None] + place, 0)
        if len(self.buffer) == 0:
            return np.full((len(index), width), PAD, np.uint8), lengths
        return np.where(inside, self.buffer[where], np.uint8(PAD)), lengths


def encode(letters: bytes | str, alphabet: Alphabet, *, unknown: str = "error", where: str = "sequence") -> Codes:
    """Return the codes of `letters`, ``(L,)`` uint8; lower case sets the soft-mask bit.

    A final ``*`` (stop) is dropped. A letter outside the alphabet is an error, or N (X for protein) with
    ``unknown="mask"``.

    Raises
    ------
    AlphabetError
        Naming `where`, the position (1-based, as people count) and the letter.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> encode("ACGUn", DNA).tolist()
    [0, 1, 2, 3, 142]
    """
    raw = letters.encode("latin-1", "replace") if isinstance(letters, str) else letters
    raw = raw.removesuffix(b"*")
    codes = np.frombuffer(raw.translate(alphabet.lookup), np.uint8)
    wrong = codes == INVALID
    if wrong.any():
        if unknown != "mask":
            at = int(wrong.argmax())
            raise AlphabetError(
                f"{where}, position {at + 1}: {chr(raw[at])!r} is not a letter of the {alphabet.name} alphabet "
                f"({alphabet.symbols}); correct the sequence, name another --alphabet, or mask such letters with "
                "--unknown mask"
            )
        codes = np.where(wrong, np.uint8(alphabet.any_code), codes)
    return codes


def decode(codes: Codes, alphabet: Alphabet) -> str:
    """Return the letters of `codes`, lower case where soft-masked.

    >>> from seqcnn.alphabet import RNA
    >>> decode(encode("ACGTn-", RNA), RNA)
    'ACGUn-'
    """
    return codes.tobytes().translate(alphabet.spelling).decode("ascii")


def reverse_complement(codes: Codes, alphabet: Alphabet) -> Codes:
    """Return the reverse complement along the last axis; ambiguity, soft mask and gaps are kept.

    >>> from seqcnn.alphabet import DNA
    >>> decode(reverse_complement(encode("AACgRN-", DNA), DNA), DNA)
    '-NYcGTT'
    """
    return alphabet.complement[codes[..., ::-1]]


def letter_counts(codes: Codes, alphabet: Alphabet) -> npt.NDArray[np.int64]:
    """Return how often each code of the alphabet occurs, soft-masked or not, ``(len(symbols),)``."""
    return np.bincount(codes & ~np.uint8(SOFT_MASK), minlength=128)[: len(alphabet.symbols)]


def canonical_hash(codes: Codes, alphabet: Alphabet | None = None) -> int:
    """Return a 64-bit hash that a sequence shares with its soft-masked copy and its reverse complement.

    >>> from seqcnn.alphabet import DNA
    >>> canonical_hash(encode("AACG", DNA), DNA) == canonical_hash(encode("cgtt", DNA), DNA)
    True
    """
    from hashlib import blake2b

    plain = codes & ~np.uint8(SOFT_MASK)
    text = plain.tobytes()
    if alphabet is not None and alphabet.has_complement:
        text = min(text, reverse_complement(plain, alphabet).tobytes())
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def as_records(sequences: Sequence[str]) -> list[Record]:
    """Return strings as records whose identifiers are their row numbers, from 1."""
    return [Record(str(i), s.encode("latin-1", "replace")) for i, s in enumerate(sequences, 1)]
