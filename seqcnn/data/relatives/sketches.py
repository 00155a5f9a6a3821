"""Sketches of records: a small filter of sampled words, by which the relatives of absent records are told."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.compiling import compiled
from seqcnn.data.relatives.canonical import Contents, contents, mixed
from seqcnn.data.relatives.seeds import letter_bits, patterns, rolled, rules_of, weights
from seqcnn.sequence import Sequences, tally

#: Size of a sketch: most bytes for each different record, and least and most of all.
_BYTES = 128
_LEAST_BYTES = 1 << 13
_MOST_BYTES = 1 << 24
#: Bits of the filter for each word in it, and bits set for each (Bloom, Communications of the ACM 1970).
_BITS = 10
_PROBES = 3
#: How often a word of an unrelated record may be among the words of the known ones; decides how long words are.
_SHARED = 0.01
#: Share of unrelated records that may have enough words in the filter by chance, and fewest words that are enough.
_FALSE = 1e-5
_FEWEST = 3
#: Words found must be spread over the record: their standard deviation is at least this share of its length (that of
#: words all over it is 0.29, all over 80% of it 0.23, over one half 0.14).
_SPREAD = 0.18
#: A word in which this share of letters repeats the letter 1, 2 or 3 before is not used.
_REPEATS = 0.7
#: Records read backwards, of the known ones, by which false hits are counted.
_DECOYS = 2000
_WHOLE = 1 << 32


@dataclass(frozen=True)
class Sketches:
    """A filter that holds sampled words of records, but not the records.

    Parameters
    ----------
    filter
        uint8: the bits of a Bloom filter; 8 kB to 16 MB, between which 10 bits a letter or 128 bytes a record.
    weight
        Letters that a word compares.
    sampled, chance
        Of ``2**32`` words, how many are looked at, and how many of unrelated records are found.
    """

    filter: npt.NDArray[np.uint8]
    weight: int
    sampled: int
    chance: int


def sketch(sequences: Sequences, alphabet: Alphabet) -> Sketches:
    """Return the sketch of records, by which `related` knows their near relatives.

    Words of letters with gaps between, and of either strand, are sampled by their hash and put in a Bloom filter. The
    words are as long as it takes for an unrelated record to share one in a hundred or fewer. How many it does share is
    counted on records read backwards (without complement), which are of the same composition.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> rng = np.random.default_rng(0)
    >>> made = sketch(Sequences(rng.integers(0, 4, 200_000, dtype=np.uint8), np.arange(1001) * 200), DNA)
    >>> made.filter.nbytes, made.weight
    (128000, 13)
    """
    found = contents(sequences, alphabet)
    counts = tally(found.letters)[: alphabet.size]
    total = int(counts.sum())
    size = min(_MOST_BYTES, max(_LEAST_BYTES, min(_BYTES * len(found), total * _BITS // 8)))
    alike = float(((counts / max(1, total)) ** 2).sum())
    strands = 1 + alphabet.has_complement
    heaviest = 58 // letter_bits(alphabet) if alphabet.size == 4 else weights(alphabet)[-1]
    lengths = range(weights(alphabet)[0], heaviest + 1)
    weight = next((w for w in lengths if strands * total * alike**w <= _SHARED), lengths[-1])
    sampled = int(_WHOLE * min(1.0, 8 * size / (_BITS * max(1, total))))
    bits = np.zeros(size, np.uint8)
    _look(found.letters, found.offsets, _words(weight, alphabet, sampled), (bits, True))
    decoys = _backwards(found)
    tallies = _look(decoys.letters, decoys.offsets, _words(weight, alphabet, sampled), (bits, False))
    looked, hits = tallies[:, 0].sum(), tallies[:, 1].sum()
    filled = float(np.unpackbits(bits).mean()) ** _PROBES
    chance = max(filled, (hits + 1) / (looked + 1) if looked > _DECOYS else filled + _SHARED)
    return Sketches(bits, weight, sampled, int(chance * _WHOLE))


def related(known: Sketches, sequences: Sequences, alphabet: Alphabet) -> npt.NDArray[np.bool_]:
    """Return which records have a near relative among the sketched ones, ``(n,)``.

    A record is taken to have one if it shares more words with the sketched records, spread over more of its length,
    than one unrelated record in 100,000 would. What is shared cannot be aligned any more, so that relatives are missed
    where `near`, which needs the records themselves, finds them. Measured on 200 letters with mismatches and a few
    gaps: copies are always found; of proteins of 80% identity 19 in 20; of DNA of 95%, 90%, 85% and 80% identity 100,
    92, 44 and 12 in 100 if a thousand records were sketched, 98, 73, 25 and 3 if 20,000, and 90, 42, 8 and 2 if
    250,000. A record that is longer than its relative by half or more, or that has few words, is not found.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> rng = np.random.default_rng(0)
    >>> made = Sequences(rng.integers(0, 4, 2000, dtype=np.uint8), np.arange(11) * 200)
    >>> related(sketch(made.take(range(5)), DNA), made, DNA).astype(int).tolist()
    [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    """
    from scipy.stats import binom

    found = contents(sequences, alphabet)
    words = _words(known.weight, alphabet, known.sampled)
    span = words[0][0]
    tallies = _look(found.letters, found.offsets, words, (known.filter, False))
    looked, hits, places, squares = tallies.T
    enough = np.maximum(_FEWEST, 1 + binom.isf(_FALSE, looked, known.chance / _WHOLE))
    number = np.maximum(1, hits)
    spread = np.sqrt(np.maximum(0, squares / number - (places / number) ** 2))
    room = np.diff(found.offsets) - span + 1  # places where a word can end
    answer = (hits >= enough) & (spread >= _SPREAD * room)
    return np.asarray(answer[found.content], bool)


def _backwards(found: Contents) -> Contents:
    """Return the first records read backwards, which are unrelated to them."""
    offsets = found.offsets[: _DECOYS + 1]
    letters = found.letters[: offsets[-1]][::-1].copy()
    return Contents(letters, offsets[-1] - offsets[::-1], found.first, found.content, found.flipped)


def _words(weight: int, alphabet: Alphabet, sampled: int) -> tuple[tuple[int, np.uint64, int, bool], np.uint64]:
    """Return rules and sampling of words."""
    pattern = patterns(weight, alphabet)[1] if weight in weights(alphabet) else "1" * weight
    return rules_of(pattern, alphabet), np.uint64(sampled)


@compiled
def _dull(letters, place, span):  # type: ignore[no-untyped-def]
    """Return whether a word repeats itself at a distance of 1, 2 or 3 letters."""
    for period in range(1, 4):
        alike = 0
        for t in range(place + period, place + span):
            alike += letters[t] == letters[t - period]
        if alike >= _REPEATS * (span - period):
            return True
    return False


@compiled
def _look(letters, offsets, words, table):  # type: ignore[no-untyped-def]
    """Put the sampled words of records in a filter, or look them up.

    Return for each record the words looked at, those found, and the sums of their places and of these squared.
    """
    rules, sampled = words
    span = rules[0]
    filled, insert = table
    n_bits = np.uint64(8 * len(filled))
    tallies = np.zeros((len(offsets) - 1, 4))
    for r in range(len(offsets) - 1):
        window = (np.uint64(0), np.uint64(0), 0)
        for place in range(offsets[r], offsets[r + 1]):
            window, word, _ = rolled(window, letters[place], rules)
            if window[2] < span:
                continue
            key = mixed(word + np.uint64(1))
            if key >> np.uint64(32) >= sampled or _dull(letters, place - span + 1, span):
                continue
            inside = 0
            for _ in range(_PROBES):
                key = mixed(key + np.uint64(1))
                bit = key % n_bits
                slot, one = bit >> np.uint64(3), np.uint8(1 << (bit & np.uint64(7)))
                if insert:
                    filled[slot] |= one
                elif filled[slot] & one:
                    inside += 1
                else:
                    break
            tallies[r, 0] += 1
            if inside == _PROBES:
                at = float(place - offsets[r])
                tallies[r, 1] += 1
                tallies[r, 2] += at
                tallies[r, 3] += at * at
    return tallies
