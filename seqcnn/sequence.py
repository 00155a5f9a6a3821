"""Sequences as flat codes, and pure functions on them: encode, decode, reverse complement, shuffle."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import DNA, INVALID, PAD, PROTEIN, RNA, SOFT_MASK, Alphabet
from seqcnn.errors import AlphabetError

Codes = npt.NDArray[np.uint8]


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
        start = self.starts[index]
        return self.buffer[start : start + self.lengths[index]]

    def __iter__(self) -> Iterator[Codes]:
        for i in range(len(self)):
            yield self[i]

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where in the buffer each record begins, ``(N,)``."""
        return self.offsets[:-1]

    @cached_property
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
        starts, lengths = self.starts[index], self.lengths[index]
        if width is None:
            width = int(lengths.max(initial=0))
        lengths = np.minimum(lengths, width)
        if len(index) and (np.diff(starts) == width).all() and (lengths == width).all():  # as they lie
            return self.buffer[starts[0] : starts[-1] + width].reshape(len(index), width).copy(), lengths
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
            what = f"{where}, position {at + 1}: {chr(raw[at])!r} is not a letter of the {alphabet.name} alphabet"
            protein = INVALID not in raw.translate(PROTEIN.lookup) and tell_alphabet([raw]) is PROTEIN
            if protein and alphabet is not PROTEIN:
                raise AlphabetError(
                    f"{what}; this looks like protein: give {alphabet.name}, or pass --alphabet protein to train"
                )
            raise AlphabetError(
                f"{what} ({alphabet.symbols}); correct the sequence, name another --alphabet, or mask such letters "
                "with --unknown mask"
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
    counts = tally(codes)
    return (counts[:128] + counts[128:])[: len(alphabet.symbols)]


def tally(values: Codes | bytes) -> npt.NDArray[np.int64]:
    """Return how often each of 256 values occurs; NumPy alone would hold eight bytes for each of a genome's letters.

    >>> tally(b"ACCA")[[65, 67]].tolist()
    [2, 2]
    """
    array = np.frombuffer(values, np.uint8) if isinstance(values, bytes) else values
    counts = np.zeros(256, np.int64)
    for at in range(0, len(array), _TALLIED):
        counts += np.bincount(array[at : at + _TALLIED], minlength=256)
    return counts


#: Values counted at a time.
_TALLIED = 1 << 18


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


def tell_alphabet(letters: Iterable[bytes]) -> Alphabet:
    """Return the alphabet that a sample of records is written in: DNA, RNA or protein.

    Of what is neither N nor X, nucleic acids are at least 3/4 A, C, G, T and U, or half where no other letter but IUPAC
    codes occurs; RNA holds U and no T; nothing but N is DNA.

    >>> tell_alphabet([b"ACGTNN", b"acgt"]).name, tell_alphabet([b"ACGU"]).name, tell_alphabet([b"MKTAYIAK*"]).name
    ('dna', 'rna', 'protein')
    """
    counts = np.zeros(256, np.int64)
    for text in letters:
        counts += tally(text)

    def count(symbols: bytes) -> int:
        return int(counts[list(symbols + symbols.lower())].sum())

    told = count(b"ABCDEFGHIJKLMOPQRSTUVWYZ")
    if count(b"ACGTU") < (0.75 if count(b"EFIJLOPQZ") else 0.5) * told:
        return PROTEIN
    return RNA if count(b"U") and not count(b"T") else DNA


def dinucleotide_shuffle(codes: Codes, rng: np.random.Generator, *, size: int = 4) -> Codes:
    """Return one of the sequences with the same dinucleotide counts, each equally likely.

    Runs of the canonical letters (codes below `size`) are shuffled, each keeping its first and last letter; runs of
    other letters, such as N, stay in place. The result is upper-cased.

    Parameters
    ----------
    codes
        ``(L,)`` uint8.
    rng
        Source of randomness.
    size
        Number of canonical letters: 4 for DNA and RNA.

    References
    ----------
    Altschul & Erickson, Mol Biol Evol 2:526 (1985); Wilson, STOC (1996), for the uniform spanning tree.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> decode(dinucleotide_shuffle(encode("ACCNaaat", DNA), np.random.default_rng(0)), DNA)
    'ACCNAAAT'
    """
    return shuffle_sequences(Sequences.from_codes([codes]), rng, size=size).buffer


def shuffle_sequences(sequences: Sequences, rng: np.random.Generator, *, size: int = 4) -> Sequences:
    """Return a dinucleotide shuffle of each record; see `dinucleotide_shuffle`."""
    buffer = sequences.buffer & ~np.uint8(SOFT_MASK)
    shuffled = buffer.copy()
    start = 0
    while start < len(sequences):  # in parts, so that working memory is bounded
        stop = int(np.searchsorted(sequences.offsets, sequences.offsets[start] + _SHUFFLE_LETTERS, side="right")) - 1
        stop = min(max(stop, start + 1), len(sequences))
        low, high = sequences.offsets[start], sequences.offsets[stop]
        _shuffle_runs(buffer[low:high], sequences.offsets[start : stop + 1] - low, shuffled[low:high], rng, size)
        start = stop
    return Sequences(shuffled, sequences.offsets)


#: Letters shuffled at a time.
_SHUFFLE_LETTERS = 1 << 21


def _shuffle_runs(
    codes: Codes, offsets: npt.NDArray[np.int64], out: Codes, rng: np.random.Generator, size: int
) -> None:
    """Write to `out` a shuffle of each canonical run of `codes`; `offsets` are where records begin and end.

    A run is an Eulerian walk over its letters. A walk is fixed by the order in which each letter is left; an order is
    a whole walk when the last exits form a tree towards the final letter. So: a uniform tree, the rest in any order.
    """
    canonical = codes < size
    begins = canonical.copy()
    begins[1:] &= ~canonical[:-1]
    inner = offsets[offsets < len(codes)]
    begins[inner] = canonical[inner]
    first = np.flatnonzero(begins)
    if not len(first):
        return
    run = np.cumsum(begins) - 1  # of each letter; meaningless where not canonical
    edge = np.flatnonzero(canonical[:-1] & canonical[1:] & ~begins[1:])  # from this letter to the next one
    length = np.bincount(run[canonical], minlength=len(first))
    final = codes[first + length - 1].astype(np.int64)
    bucket = run[edge] * size + codes[edge]
    target = codes[edge + 1]
    order = rng.random(len(edge)) * 0.5
    exits = _last_exits(np.bincount(bucket * size + target, minlength=len(first) * size * size), final, rng, size)
    some = np.zeros(len(first) * size * size, np.int64)
    some[bucket * size + target] = np.arange(len(edge))  # one edge of each kind; which one does not matter
    chosen = np.flatnonzero(exits >= 0)
    order[some[chosen * size + exits[chosen]]] = 0.75
    successors = target[np.argsort(bucket + order)].tobytes()
    sizes = np.bincount(bucket, minlength=len(first) * size)
    ends = np.cumsum(sizes)
    starts = (ends - sizes).reshape(-1, size).tolist()
    stops = ends.reshape(-1, size).tolist()
    walk = bytearray(out)
    for at, steps, low, high in zip(first.tolist(), length.tolist(), starts, stops, strict=True):
        leave = [iter(successors[a:b]).__next__ for a, b in zip(low, high, strict=True)]
        letter = walk[at]
        for place in range(at + 1, at + steps):
            letter = leave[letter]()
            walk[place] = letter
    out[:] = np.frombuffer(walk, np.uint8)


def _last_exits(
    counts: npt.NDArray[np.int64], final: npt.NDArray[np.int64], rng: np.random.Generator, size: int
) -> npt.NDArray[np.int64]:
    """Return for each run and letter the letter after its last occurrence, ``(S * size,)``; -1 where free.

    The exits form a uniformly drawn spanning tree towards `final`, ``(S,)``: draw an exit for each letter in proportion
    to `counts` ``(S * size * size,)``, then redraw those on cycles until none is left (cycle popping).
    """
    weights = counts.reshape(-1, size, size) * (1 - np.eye(size, dtype=np.int64))  # a loop is never the last exit
    weights[np.arange(len(final)), final] = 0
    heights = weights.cumsum(-1)  # (S, size, size)
    leaves = heights[..., -1] > 0
    exits = np.where(leaves, 0, -1)
    again = np.argwhere(leaves)
    while len(again):
        rows, letters = again.T
        height = heights[rows, letters]
        draw = rng.integers(0, height[:, -1])
        exits[rows, letters] = (height <= draw[:, None]).sum(-1)
        active = np.unique(rows)
        step = np.where(exits[active] >= 0, exits[active], np.arange(size))  # letters that are never left stay
        reached = step
        cyclic = np.zeros_like(step, dtype=bool)
        for _ in range(size - 1):
            reached = np.take_along_axis(step, reached, 1)
            cyclic |= reached == np.arange(size)
        cyclic &= leaves[active]
        where = np.argwhere(cyclic)
        again = np.stack([active[where[:, 0]], where[:, 1]], 1)
    return exits.ravel()
