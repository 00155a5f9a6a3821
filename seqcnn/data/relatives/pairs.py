"""Families of near-duplicate and homologous records: seeds shared, verified by alignment, linked."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.checks import within
from seqcnn.data.relatives.canonical import Contents, contents
from seqcnn.data.relatives.examine import compare_all, compare_seeded, merge, root
from seqcnn.data.relatives.seeds import patterns, place_bits, places, weights
from seqcnn.sequence import Sequences, tally

Indices = npt.NDArray[np.int64]

#: Letters of a record beyond which alignments of all that share a word may take hours.
LONGEST = 10_000
#: Cells that may be aligned to compare the shortest records with all others, without seeds.
_ALL_CELLS = 1e8
#: Seeds that unrelated records of the same composition may share by chance, for each pattern; decides their length.
_CHANCE_SEEDS = 1e7
#: Cells that may be aligned for seeds whose extension is good by chance; decides how good it must be.
_CHANCE_CELLS = 1e8
#: Occurrences of words held at a time, by each of the threads.
_ENTRIES = 1 << 24
_THREADS = 2
#: Near pairs by chance that a record may expect among all others; and the law of chance scores, K m n exp(-rate * S)
#: for lengths m and n (Karlin & Altschul, PNAS 1990): K, and the rate for nucleic acids and proteins, as measured on
#: the pairs of splice_uci and on random proteins.
_EXPECTED = 0.1
_K = 0.3
_RATES = (0.65, 2.6)


@dataclass(frozen=True)
class Pairs:
    """Pairs of near records.

    Parameters
    ----------
    first, second
        ``(M,)`` the records; ``first < second``.
    identity
        ``(M,)`` float32: matches over matches and errors of their alignment, 1 for copies. An error is a mismatch or a
        letter against a gap; a gap of g > 3 letters counts as 3 + g/8.
    reverse
        ``(M,)`` whether the one is near the other's reverse complement.
    """

    first: Indices
    second: Indices
    identity: npt.NDArray[np.float32]
    reverse: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class _Search:
    """What a search for near pairs is given: contents, limits, and sides where only pairs across are wanted."""

    contents: Contents
    alphabet: Alphabet
    identity: float
    coverage: float
    side: npt.NDArray[np.int8]

    @property
    def strands(self) -> int:
        return 1 + self.alphabet.has_complement

    @property
    def rules(self) -> tuple[float, float, float, float, int]:
        """Least score a letter of the shorter; share left out; what makes a score too good for chance; strands."""
        share = (2 * self.identity - 1) * self.coverage
        chance = _K * self.strands * len(self.contents) / _EXPECTED
        return share, 1 - self.coverage, chance, _RATES[self.alphabet.size > 4], self.strands


def near_pairs(sequences: Sequences, alphabet: Alphabet, *, identity: float = 0.8, coverage: float = 0.8) -> Pairs:
    """Return near pairs of records: not all of them, but just enough to connect each family.

    Two records are near if an alignment spans the shorter but for ``1 - coverage`` of its letters at either end, and
    its matches less its errors are at least ``(2 * identity - 1) * coverage`` of the shorter's length. Whatever
    aligner one prefers: if it finds a stretch of `coverage` of the shorter with `identity` of its columns matching,
    the pair is near. So is one of somewhat less identity over more (80% over 80%: 74% over the whole).

    Strands, case and order do not matter. Ambiguous letters match nothing, though copies are near whatever they hold.
    Of records so short that such a pair comes by chance (among ten random records below some 35 bases or 6 residues,
    among 3,000 below 58 or 12), only better pairs, or only copies, are near: else chance would link everything.

    Seeds (three patterns of as few letters as the number of records allows) find the pairs to be aligned. The shortest
    records are compared with all others, without seeds, which for small sets is each pair. Of a word that occurs very
    often, each occurrence is held against the next ones only. Alignments of more than four million cells keep within
    1,024 diagonals of their seed.

    Parameters
    ----------
    identity
        Above 0.5.
    coverage
        Share of the shorter record.

    Raises
    ------
    OptionError
        If `identity` or `coverage` is out of range.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> texts = ("ACGGTCATTACGGACTTGAC", "gtcaagtccgtaatgaccgt", "TTGACCAGATATTACAACGG")
    >>> pairs = near_pairs(Sequences.from_codes([encode(text, DNA) for text in texts]), DNA)
    >>> pairs.first.tolist(), pairs.second.tolist(), pairs.identity.tolist(), pairs.reverse.tolist()
    ([0], [1], [1.0], [True])
    """
    found = contents(sequences, alphabet)
    parent = np.arange(len(found), dtype=np.int32)
    kept: list[tuple[Any, ...]] = []
    for pair, same, turned in _near(_search(found, alphabet, identity, coverage), parent):
        new = merge(parent, pair[:, 0], pair[:, 1])
        kept.append((pair[new], same[new], turned[new]))
    a, b = (np.concatenate([pair[:, k] for pair, *_ in kept] or [np.zeros(0, np.int32)]) for k in (0, 1))
    one, other = found.first[a], found.first[b]
    copies = np.flatnonzero(found.first[found.content] != np.arange(len(sequences)))
    original = found.first[found.content[copies]]
    first = np.concatenate([np.minimum(one, other), original])
    second = np.concatenate([np.maximum(one, other), copies])
    same = np.concatenate([*(values for _, values, _ in kept), np.ones(len(copies), np.float32)])
    turned = np.concatenate([np.zeros(0, bool), *(values for *_, values in kept)])
    turned ^= found.flipped[one] ^ found.flipped[other]
    reverse = np.concatenate([turned, found.flipped[original] ^ found.flipped[copies]])
    order = np.lexsort((second, first))
    return Pairs(first[order], second[order], same[order].astype(np.float32), reverse[order])


def families(sequences: Sequences, alphabet: Alphabet, *, identity: float = 0.8, coverage: float = 0.8) -> Indices:
    """Return the number of each record's family, ``(N,)``, counted by first appearance.

    A family is what near pairs connect (single linkage); see `near_pairs` for what is near, and for what is raised.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> texts = ("ACGGTCATTACGGACTTGAC", "TTGACCAGATATTACAACGG", "gtcaagtccgtaatgaccgt")
    >>> families(Sequences.from_codes([encode(text, DNA) for text in texts]), DNA).tolist()
    [0, 1, 0]
    """
    found = contents(sequences, alphabet)
    parent = np.arange(len(found), dtype=np.int32)
    for pair, *_ in _near(_search(found, alphabet, identity, coverage), parent):
        merge(parent, pair[:, 0], pair[:, 1])
    roots = np.array([root(parent, i) for i in range(len(parent))], np.int64)
    _, first, family = np.unique(roots[found.content], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[family].astype(np.int64)


def near(
    known: Sequences, sequences: Sequences, alphabet: Alphabet, *, identity: float = 0.8, coverage: float = 0.8
) -> npt.NDArray[np.bool_]:
    """Return which of `sequences` are near one of `known`, ``(n,)``; see `near_pairs` for what is near and raised.

    Examples
    --------
    >>> from seqcnn.alphabet import PROTEIN
    >>> from seqcnn.sequence import encode
    >>> known, asked = ("MKTAYIAKQRQISFVKSHFSRQ",), ("AYIAKQRQISWVKSHFSR", "MWWLAPGTRDELKNVCEHSYTI")
    >>> data = [Sequences.from_codes([encode(s, PROTEIN) for s in some]) for some in (known, asked)]
    >>> near(*data, PROTEIN).tolist()
    [True, False]
    """
    buffer = np.concatenate([known.buffer, sequences.buffer])
    offsets = np.concatenate([known.offsets, known.offsets[-1] + sequences.offsets[1:]])
    found = contents(Sequences(buffer, offsets), alphabet)
    of_known = found.content[: len(known)]
    side = np.ones(len(found), np.int8)
    side[of_known] = 0
    parent = np.arange(len(found), dtype=np.int32)
    for pair, *_ in _near(_search(found, alphabet, identity, coverage, side), parent):
        parent[np.where(side[pair[:, 0]] == 1, pair[:, 0], pair[:, 1])] = -1
    answer = (side == 0) | (parent < 0)
    return np.asarray(answer[found.content[len(known) :]], bool)


def _search(
    found: Contents, alphabet: Alphabet, identity: float, coverage: float, side: npt.NDArray[np.int8] | None = None
) -> _Search:
    within(identity, "identity", 0.5, 1)
    within(coverage, "coverage", 0, 1)
    return _Search(found, alphabet, identity, coverage, np.zeros(0, np.int8) if side is None else side)


def _near(search: _Search, parent: npt.NDArray[np.int32]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield near pairs of contents, part by part; the caller joins them in `parent`, and no joined pair comes again.

    Threads work on copies of `parent`, two at a time, so that the result does not depend on which is faster.
    """
    letters, offsets = search.contents.letters, search.contents.offsets
    lengths = np.diff(offsets)
    if len(lengths) < 2 or not lengths.any():
        return
    order = np.argsort(lengths, kind="stable")
    after = lengths.sum() - np.cumsum(lengths[order])
    exhaustive = int(np.searchsorted(np.cumsum(lengths[order] * after) * search.strands, _ALL_CELLS, "right"))
    done = np.zeros(len(lengths), bool)
    done[order[:exhaustive]] = True

    def all_of(rows: Indices) -> Any:
        return compare_all((letters, offsets), (order, rows), (parent.copy(), search.side), search.rules)

    yield from _by_twos(all_of, [np.arange(k, exhaustive, 16) for k in range(min(16, exhaustive))])
    rest = int(lengths[~done].sum())
    if exhaustive >= len(lengths) - 1 or not rest:
        return
    weight, window, least = _plan(search, rest)
    blocks = np.searchsorted(offsets, np.arange(0, len(letters) + 64, 64), "right").astype(np.int32) - 1
    parts = -(-len(letters) // (2 * _ENTRIES)) * 2 if len(letters) > 1 << 16 else 1
    low = place_bits(len(letters))
    for pattern in patterns(weight, search.alphabet):

        def seeded(part: int, pattern: str = pattern) -> Any:
            entries = places(letters, offsets, pattern, search.alphabet, part=(part, parts))
            words = (entries, low, len(pattern), window, least)
            state = (parent.copy(), search.side)
            return compare_seeded((letters, offsets, blocks, done), words, state, search.rules)

        yield from _by_twos(seeded, range(parts))


def _by_twos(work: Callable[[Any], Any], items: Any) -> Iterator[Any]:
    """Yield the results of items in order, two threads at a time, none started before the last two were taken."""
    with ThreadPoolExecutor(_THREADS) as pool:
        for first in range(0, len(items), _THREADS):
            yield from list(pool.map(work, items[first : first + _THREADS]))


def _plan(search: _Search, rest: int) -> tuple[int, int, int]:
    """Return how many letters a seed compares, with how many others an occurrence, and an extension's least score."""
    letters = search.contents.letters
    counts = tally(letters)[: search.alphabet.size]
    alike = float(((counts / max(1, counts.sum())) ** 2).sum())  # how often two letters match by chance
    lengths = np.diff(search.contents.offsets).astype(float)
    pairs = rest * rest / 2 * search.strands
    if len(search.side):
        asked = float(lengths[search.side == 1].sum())
        pairs = asked * (rest - asked) * search.strands
    weight = next(
        (w for w in weights(search.alphabet) if pairs * alike**w <= _CHANCE_SEEDS), weights(search.alphabet)[-1]
    )
    expected = rest * alike**weight * search.strands  # occurrences of a word
    rate = np.log((1 - alike) / alike) if alike < 0.45 else 0.2
    least = np.log(max(1.0, _K * pairs * float((lengths**2).mean()) / _CHANCE_CELLS)) / rate
    return weight, int(max(50, 20 * expected)), int(np.ceil(least))
