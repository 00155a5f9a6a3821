"""Many motifs searched at once: a word of letters says which of them may have a site there, and only those are scored.

Of each motif the few neighbors that tell most are its anchor. A site loses little there (a loss is how far a score is
below the best one), so of all words of that many letters a motif admits few; a table has the motifs that each word
admits, and what is left to them to lose. The search reads the word at each place and takes off what the motifs in its
row lose on both sides of the anchor, a few letters at once and those that tell most first, until nothing is left. No
site is missed: a part never loses more than the whole.

References
----------
Pizzi, Rastas & Ukkonen. Finding significant matches of position weight matrices in linear time. IEEE/ACM Transactions
on Computational Biology and Bioinformatics 8:69 (2011). doi:10.1109/TCBB.2009.35
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from seqcnn.compiling import compiled
from seqcnn.sequence import Codes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Most words in the table of anchors, and in that of letters beside them.
_WORDS: Final = 1 << 19, 1 << 8
#: Bits of what is left to lose in an entry of the table of anchors; the motif stands above.
_BITS: Final = 16
#: What a letter that is not canonical loses: more than any site can.
_BARRED: Final = (1 << _BITS) - 1


class Filtration:
    """Motifs side by side, and which of them each word of letters admits.

    Parameters
    ----------
    weights
        Of each motif, as it reads the text, ``(L, A)``: whole numbers, whose sums are less than 65,535 apart.
    cutoffs
        Smallest score of a site of each.

    Attributes
    ----------
    tops
        Largest score of each.
    margin
        Letters that a text needs before and behind the places that are searched, such as codes of A: no site has them.

    Examples
    --------
    >>> filtration = Filtration([np.array([[9, 0, 0, 0], [0, 0, 9, 0]])], np.array([18]))
    >>> text = np.full(2 * filtration.margin + 4, 4, np.uint8)
    >>> text[filtration.margin :][:4] = [1, 0, 2, 3]
    >>> (filtration(text, filtration.margin, filtration.margin + 4) - [filtration.margin, 0, 0]).tolist()
    [[1, 0, 18]]
    """

    def __init__(self, weights: Sequence[npt.NDArray[np.int64]], cutoffs: npt.NDArray[np.int64]) -> None:
        self.letters = weights[0].shape[1] + 1
        self.size, self.piece = (int(np.log(most) / np.log(self.letters)) for most in _WORDS)
        lengths = np.array([len(some) for some in weights])
        side, width = self.piece - 1, max(int(lengths.max()), self.size)  # a piece may reach beyond the motif
        self.margin = side + width + side
        losses = np.zeros((len(weights), self.margin, self.letters), np.int64)
        for row, some in zip(losses[:, side:], weights, strict=True):
            row[: len(some), :-1] = some.max(1, keepdims=True) - some
            row[: len(some), -1] = _BARRED
        telling = losses[:, :, :-1].mean(2)
        self.anchors = sliding_window_view(telling[:, side : side + width], self.size, 1).sum(2).argmax(1)
        self.tops = np.array([int(some.max(1).sum()) for some in weights])
        self.lowest = np.maximum(cutoffs, 0)
        heads = _taken(losses, side + self.anchors[:, None], self.size)[:, 0]
        self.starts, self.entries = _admissions(heads, self.tops - self.lowest)
        self.steps, self.left = self._sides(lengths, telling)
        pieces = _taken(losses, side + self.anchors[:, None] + self.steps, self.piece)
        words = pieces[:, :, 0]
        for place in range(1, self.piece):
            words = (words[..., None] + pieces[:, :, place, None, :]).reshape(*words.shape[:2], -1)
        self.tables = np.minimum(words, _BARRED).astype(np.uint16)

    def _sides(self, lengths: Ints, telling: Floats) -> tuple[Ints, Ints]:
        """Return where the pieces beside the anchor of each motif begin, from the anchor on, and how many there are.

        Those that tell most come first.
        """
        steps = np.zeros((len(lengths), 2 + self.margin // self.piece), np.int64)
        left = np.zeros(len(lengths), np.int64)
        for row, (anchor, length) in enumerate(zip(self.anchors.tolist(), lengths.tolist(), strict=True)):
            first = self.piece - 1 + anchor
            before = range(-self.piece, -anchor - self.piece, -self.piece)
            after = range(self.size, length - anchor, self.piece)
            told = {step: telling[row, first + step : first + step + self.piece].sum() for step in (*before, *after)}
            left[row] = len(told)
            steps[row, : len(told)] = sorted(told, key=told.__getitem__, reverse=True)
        return steps, left

    def __call__(self, text: Codes, begin: int, end: int, *, expected: int = 0) -> Ints:
        """Return the sites, ``(n, 3)``: start, motif and score; those whose anchor begins from `begin` to before `end`.

        Parameters
        ----------
        text
            Codes from 0 to A, with margins.
        begin, end
            Places in it.
        expected
            Sites, about.
        """
        part = text[begin - self.margin : end + self.margin]
        words = part
        for place in range(1, self.piece):
            words = words[:-1] * np.uint8(self.letters) + part[place:]
        room = 256 + 2 * expected
        while True:
            found = np.empty((room, 3), np.int64)
            count = _located(
                part, words, self.margin, self.size, self.letters, self.starts, self.entries, self.steps, self.left,
                self.tables, found,
            )  # fmt: skip
            if count <= room:
                sites = found[:count]
                sites[:, 0] += begin - self.margin - self.anchors[sites[:, 1]]
                sites[:, 2] += self.lowest[sites[:, 1]]
                return sites
            room = count


def _taken(losses: Ints, begin: Ints, count: int) -> Ints:
    """Return `count` neighbors of each motif from places ``(M, P)`` on, ``(M, P, count, letters)``."""
    places = begin[:, :, None] + np.arange(count)
    found: Ints = losses[np.arange(len(losses))[:, None, None], places]
    return found


def _admissions(heads: Ints, budgets: Ints) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
    """Return a table of the motifs that each word admits, row by row, and where each row starts (and the last ends)."""
    counts = np.zeros(heads.shape[2] ** heads.shape[1], np.int64)
    _admitted(heads, budgets, counts, np.zeros(0, np.uint32))
    starts = np.concatenate([[0], np.cumsum(counts)])
    entries = np.zeros(int(starts[-1]), np.uint32)
    _admitted(heads, budgets, starts[:-1].copy(), entries)
    return starts.astype(np.int32), entries


@compiled
def _admitted(heads, budgets, ends, entries):  # type: ignore[no-untyped-def]
    """Add to `ends` how many motifs admit each word and, where there is room, write them from there on.

    Words grow letter by letter, and one that costs a motif more than its budget grows no further.
    """
    rows, size, letters = heads.shape
    left, prefix, letter = np.zeros(size, np.int64), np.zeros(size, np.int64), np.full(size, -1)
    for row in range(rows):
        depth = 0
        left[0] = budgets[row]
        while depth >= 0:
            letter[depth] += 1
            if letter[depth] == letters:
                letter[depth] = -1
                depth -= 1
                continue
            rest = left[depth] - heads[row, depth, letter[depth]]
            if rest < 0:
                continue
            word = prefix[depth] * letters + letter[depth]
            if depth + 1 < size:
                depth += 1
                left[depth], prefix[depth] = rest, word
                continue
            if len(entries):
                entries[ends[word]] = (row << _BITS) | rest
            ends[word] += 1


@compiled
def _located(part, words, margin, size, letters, starts, entries, steps, left, tables, found):  # type: ignore[no-untyped-def]
    """Write anchor, motif and what is left to lose of each site while there is room; return how many there are."""
    high = letters ** (size - 1)
    word = 0
    for at in range(margin - 1, margin + size - 1):
        word = word * letters + part[at]
    count = 0
    for at in range(margin, len(part) - margin):
        word = (word - part[at - 1] * high) * letters + part[at + size - 1]
        for i in range(starts[word], starts[word + 1]):
            row = entries[i] >> _BITS
            rest = np.int64(entries[i] & ((1 << _BITS) - 1))
            for j in range(left[row]):
                rest -= tables[row, j, words[at + steps[row, j]]]
                if rest < 0:
                    break
            if rest >= 0:
                if count < len(found):
                    found[count, 0], found[count, 1], found[count, 2] = at, row, rest
                count += 1
    return count
