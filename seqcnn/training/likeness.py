"""What makes two sequences alike, as numbers: their words, what stands where, and how they begin and end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import PAD, SOFT_MASK, Alphabet
from seqcnn.kmers import kmer_codes, n_kmers
from seqcnn.sequence import Codes, Sequences

Matrix = npt.NDArray[np.float32]

#: Letters at either end that count each by itself, and those whose words count.
LETTERS, REACH = 5, 32


class View(Protocol):
    """One way of looking at sequences; the square of the distance between two rows says how unlike two records are."""

    def fit(self, raw: Sequences) -> "View":
        """Return the view with what it must know of typical records."""
        ...

    def __call__(self, raw: Sequences) -> Matrix:
        """Return features ``(N, F)``."""
        ...


@dataclass(frozen=True)
class Words:
    """How often each k-mer occurs, as a direction: every length of k-mers is a unit vector of its own.

    Parameters
    ----------
    ks
        Lengths of the k-mers.
    alphabet, canonical
        Of the records; whether a word and its reverse complement are one.
    first, last
        Only of so many letters at the beginning or at the end; 0 for all.

    References
    ----------
    Leslie, Eskin, Noble. The spectrum kernel. PSB (2002) 564.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> some = Sequences.from_codes([encode(s, DNA) for s in ("AAC", "CAA", "GGG")])
    >>> x = Words((1,), DNA)(some)
    >>> (x @ x.T).round(3).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    ks: tuple[int, ...]
    alphabet: Alphabet
    canonical: bool = False
    first: int = 0
    last: int = 0

    def fit(self, raw: Sequences) -> "Words":  # noqa: D102
        return self

    def __call__(self, raw: Sequences) -> Matrix:  # noqa: D102
        raw = _part(raw, self.first, self.last)
        owner = np.repeat(np.arange(len(raw)), raw.lengths)
        found = []
        for k in self.ks:
            size = n_kmers(k, self.alphabet, self.canonical)
            index = kmer_codes(raw.buffer, k, self.alphabet, canonical=self.canonical)
            good = (index >= 0) & (owner[: len(index)] == owner[k - 1 : k - 1 + len(index)])
            count = np.bincount(owner[: len(index)][good] * size + index[good], minlength=len(raw) * size)
            table = count.reshape(len(raw), size).astype(np.float32)
            found.append(table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1))
        return np.concatenate(found, 1, dtype=np.float32) / np.float32(np.sqrt(len(self.ks)))


@dataclass(frozen=True)
class Places:
    """Which word stands at each place: of records of one length at all places, else of the first and the last letters.

    Places where all typical records agree tell nothing and are left out.

    Parameters
    ----------
    ks
        Lengths of the words.
    alphabet
        Of the records.
    ends
        Letters at either end; 0 for all places.
    kept
        For each k which place and word is which feature, -1 for none, as `fit` finds it.

    References
    ----------
    Raetsch, Sonnenburg. Accurate splice site detection for C. elegans (the weighted degree kernel). In: Kernel methods
    in computational biology. MIT Press (2004) 277.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> some = Sequences.from_codes([encode(s, DNA) for s in ("AAC", "AGC", "AAT")])
    >>> Places((1,), DNA).fit(some)(some).astype(bool).tolist()
    [[True, False, True, False], [False, True, True, False], [True, False, False, True]]
    """

    ks: tuple[int, ...]
    alphabet: Alphabet
    ends: int = 0
    kept: tuple[npt.NDArray[np.int64], ...] = ()

    def fit(self, raw: Sequences) -> "Places":  # noqa: D102
        kept = []
        for k, words in zip(self.ks, self._words(raw), strict=True):
            size = self.alphabet.size**k
            place = np.arange(words.shape[1])
            count = np.bincount((place * size + words)[words >= 0], minlength=words.shape[1] * size)
            telling = (count > 0) & (count < len(raw))
            kept.append(np.where(telling, np.cumsum(telling) - 1, -1))
        return replace(self, kept=tuple(kept))

    def __call__(self, raw: Sequences) -> Matrix:  # noqa: D102
        found = []
        for k, words, column in zip(self.ks, self._words(raw), self.kept, strict=True):
            words = words[:, : len(column) // self.alphabet.size**k]
            place = np.arange(words.shape[1]) * self.alphabet.size**k
            at = np.where(words >= 0, column[place + words], -1)
            row, _ = np.nonzero(at >= 0)
            table = np.zeros((len(raw), int(column.max(initial=-1)) + 1), np.float32)
            table[row, at[at >= 0]] = 1 / np.sqrt(max(1, len(place)))
            found.append(table)
        return np.concatenate(found, 1) / np.float32(np.sqrt(len(self.ks)))

    def _words(self, raw: Sequences) -> list[npt.NDArray[np.int64]]:
        """Return for each k the word at each place, ``(N, places)``, -1 where there is none."""
        letters = raw.rectangle()[0] if not self.ends else _ends(raw, self.ends)
        flat = np.pad(letters.ravel(), (0, max(self.ks)), constant_values=PAD)
        n, width = letters.shape
        return [
            kmer_codes(flat, k, self.alphabet)[: n * width].reshape(n, width)[:, : max(0, width - k + 1)]
            for k in self.ks
        ]


def views(raw: Sequences, alphabet: Alphabet, *, strands: str) -> tuple[View, ...]:
    """Return the ways of looking that suit records: places count where one strand is read.

    Parameters
    ----------
    raw
        Typical records.
    strands
        ``forward``, or both in one way or another.
    """
    nucleic = alphabet.size == 4
    whole, short = ((3, 4, 5, 6), (3, 4)) if nucleic else ((1, 2), (1, 2))
    if alphabet.has_complement and strands != "forward":
        return (Words(whole, alphabet, canonical=True),)
    found: list[View] = [Words(whole, alphabet)]
    if raw.lengths.min() == raw.lengths.max():
        found.append(Places((1, 2) if nucleic else (1,), alphabet))
    else:
        found += [Places((1,), alphabet, ends=LETTERS)]
        found += [Words(short, alphabet, first=REACH), Words(short, alphabet, last=REACH)]
    return tuple(view.fit(raw) for view in found)


def scaled(some: Sequence[View], raw: Sequences, scales: Sequence[float]) -> Matrix:
    """Return the features of all views whose scale is not 0, side by side ``(N, F)``, each times its scale."""
    used = [view(raw) * np.float32(scale) for view, scale in zip(some, scales, strict=True) if scale > 0]
    return np.concatenate(used, 1) if used else np.zeros((len(raw), 1), np.float32)


def _part(raw: Sequences, first: int, last: int) -> Sequences:
    """Return the first or the last letters of every record; all of them where both are 0."""
    if not first and not last:
        return raw
    lengths = np.minimum(raw.lengths, max(first, last))
    starts = raw.offsets[:-1] if first else raw.offsets[1:] - lengths
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    where = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
    return Sequences(raw.buffer[where], offsets)


def _ends(raw: Sequences, letters: int) -> Codes:
    """Return the first letters of every record and its last, the very last one first, ``(N, 2 letters)``."""
    place = np.arange(letters)
    inside = place < raw.lengths[:, None]
    ways = [raw.offsets[:-1, None] + place, raw.offsets[1:, None] - 1 - place]
    codes = [np.where(inside, raw.buffer[np.where(inside, way, 0)], np.uint8(PAD)) for way in ways]
    return np.concatenate(codes, 1) & ~np.uint8(SOFT_MASK)
