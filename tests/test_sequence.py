"""Tests of sequences: encoding, reverse complement, hashes, and the exact dinucleotide shuffle against enumeration."""

import re
from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from seqcnn.alphabet import DNA, PAD, PROTEIN, RNA
from seqcnn.errors import AlphabetError
from seqcnn.sequence import (
    Sequences,
    canonical_hash,
    decode,
    dinucleotide_shuffle,
    encode,
    letter_counts,
    reverse_complement,
    shuffle_sequences,
    tell_alphabet,
)

nucleic = st.text("ACGTRYSWKMBDHVN-acgtryswkmbdhvn", max_size=40)
plain = st.text("ACGT", min_size=1, max_size=40)


@given(nucleic)
def test_decode_of_encode_is_identity(text):
    assert decode(encode(text, DNA), DNA) == text


@given(nucleic)
def test_reverse_complement_is_biopython_s_and_its_own_inverse(text):
    codes = encode(text, DNA)
    assert decode(reverse_complement(codes, DNA), DNA) == str(Seq(text).reverse_complement())
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes, DNA), DNA), codes)


@given(nucleic)
def test_hash_is_shared_by_case_and_strand_only(text):
    codes = encode(text, DNA)
    assert canonical_hash(codes, DNA) == canonical_hash(encode(text.swapcase(), DNA), DNA)
    assert canonical_hash(codes, DNA) == canonical_hash(reverse_complement(codes, DNA), DNA)
    assert canonical_hash(codes, DNA) != canonical_hash(encode(text + "A", DNA), DNA)


def test_a_final_stop_is_dropped_and_an_inner_one_is_an_error():
    assert len(encode("MKL*", PROTEIN)) == 3
    with pytest.raises(AlphabetError, match=r"position 3: '\*' is not a letter of the protein alphabet"):
        encode("MK*L", PROTEIN)


@pytest.mark.parametrize("text,at,letter", [("ACGJ", 4, "J"), ("1ACG", 1, "1"), ("AC T", 3, " "), ("AC\u20ac", 3, "?")])
def test_unknown_letters_are_named_or_masked(text, at, letter):
    with pytest.raises(AlphabetError, match=rf"x\.fa, record r, position {at}: '{re.escape(letter)}' is not a letter"):
        encode(text, DNA, where="x.fa, record r")
    masked = encode(text, DNA, unknown="mask")
    assert decode(masked, DNA)[at - 1] == "N"


def test_protein_for_dna_is_told():
    with pytest.raises(AlphabetError, match=r"position 3: 'L' .* looks like protein: give dna, or pass --alphabet"):
        encode("MKLFWIEQPNDS", DNA)


def test_sequences_of_uneven_lengths_make_a_padded_rectangle():
    records = [encode(text, DNA) for text in ("ACG", "", "TTTTTTT", "g")]
    sequences = Sequences.from_codes(records)
    codes, lengths = sequences.rectangle([2, 0, 1])
    assert lengths.tolist() == [7, 3, 0]
    assert codes.tolist() == [[3] * 7, [0, 1, 2, *[PAD] * 4], [PAD] * 7]
    assert sequences.rectangle([2], width=5)[0].tolist() == [[3] * 5]
    assert [decode(s, DNA) for s in sequences.take([3, 0])] == ["g", "ACG"]
    with pytest.raises(IndexError, match="4"):
        sequences[4]
    assert len(Sequences.from_codes([])) == 0


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(0, 5) | st.none(), st.data())
def test_rectangles_hold_the_records_asked_for(sizes, width, data):
    codes = np.arange(sum(sizes), dtype=np.uint8)
    sequences = Sequences(codes, np.cumsum([0, *sizes]))
    first = data.draw(st.integers(0, len(sizes)))
    rows = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=5) | st.just([*range(first, len(sizes))]))
    found, lengths = sequences.rectangle(rows, width=width)
    widest = max([sizes[row] for row in rows], default=0) if width is None else width
    wanted = [[*sequences[row][:widest].tolist(), *[PAD] * (widest - sizes[row])] for row in rows]
    assert found.tolist() == wanted
    assert lengths.tolist() == [min(sizes[row], widest) for row in rows]
    assert not np.shares_memory(found, codes)


def test_letter_counts_ignore_the_soft_mask():
    assert letter_counts(encode("AaCn-", DNA), DNA)[[0, 1, DNA.any_code, DNA.gap_code]].tolist() == [2, 1, 1, 1]


@pytest.mark.parametrize(
    "sample,wanted",
    [
        (["ACGT"], DNA),
        (["acgu", "gcau"], RNA),
        (["ACGU", "ACGT"], DNA),
        (["NNNN"], DNA),
        ([], DNA),
        (["--NN"], DNA),
        (["ACGTRYKM" * 3, "ACGTACGTACGT"], DNA),
        (["ACCT", "GAG", "MKLVWFEQ"], PROTEIN),
        (["MKTAYIAKQR*"], PROTEIN),
        (["XXX", "LIVE"], PROTEIN),
        (["ACGTJACGTACGT"], DNA),
    ],
)
def test_alphabet_is_told_from_all_letters_of_the_sample(sample, wanted):
    assert tell_alphabet(text.encode() for text in sample) is wanted


# --- the shuffle


def pairs(text: str) -> Counter:
    return Counter(pairwise(text))


def every_shuffle(text: str) -> set[str]:
    """All sequences with the first letter and the dinucleotide counts of `text`, by brute force over its pairs."""
    found = set()

    def walk(so_far: str, left: Counter) -> None:
        if not left:
            found.add(so_far)
        for pair in list(left):
            if pair[0] == so_far[-1]:
                walk(so_far + pair[1], left - Counter([pair]))

    walk(text[0], pairs(text))
    return found


def drawn(text: str, number: int, seed: int = 0) -> Counter:
    copies = Sequences.from_codes([encode(text, DNA)] * number)
    return Counter(decode(s, DNA) for s in shuffle_sequences(copies, np.random.default_rng(seed)))


def test_the_72_shuffles_are_reached_equally_often():
    text = "ACCCACGATGATA"
    wanted = every_shuffle(text)
    assert len(wanted) == 72
    counts = drawn(text, 72 * 400)
    assert set(counts) == wanted
    assert chisquare([counts[s] for s in sorted(wanted)]).pvalue > 1e-3


@pytest.mark.parametrize("text", ["AACCGTTACGA", "ACGTACGTA", "AAAACAAAGA", "TCTGTATATCG", "ACACACGCGC"])
def test_other_texts_too_are_shuffled_uniformly(text):
    wanted = every_shuffle(text)
    counts = drawn(text, 300 * len(wanted), seed=1)
    assert set(counts) == wanted
    assert len(wanted) == 1 or chisquare([counts[s] for s in sorted(wanted)]).pvalue > 1e-3


def test_brute_force_agrees_with_permutations_of_the_text():
    text = "ACCACGA"
    inner = {text[0] + "".join(p) + text[-1] for p in permutations(text[1:-1])}
    assert every_shuffle(text) == {s for s in inner if pairs(s) == pairs(text)}


@settings(deadline=None)
@given(st.lists(plain, min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_shuffle_keeps_dinucleotides_and_both_ends_of_each_record(texts, seed):
    shuffled = shuffle_sequences(Sequences.from_codes([encode(t, DNA) for t in texts]), np.random.default_rng(seed))
    for text, codes in zip(texts, shuffled, strict=True):
        other = decode(codes, DNA)
        assert pairs(other) == pairs(text)
        assert (other[0], other[-1]) == (text[0], text[-1])


@settings(deadline=None)
@given(nucleic, st.integers(0, 99))
def test_runs_of_other_letters_stay_in_place_and_the_result_is_upper_case(text, seed):
    other = decode(dinucleotide_shuffle(encode(text, DNA), np.random.default_rng(seed)), DNA)
    assert other == other.upper()
    blank = str.maketrans("ACGT", "....")
    assert other.translate(blank) == text.upper().translate(blank)


def test_shuffle_of_protein_letters():
    text = "MKKLAMKLLAKKM"
    rng = np.random.default_rng(3)
    other = decode(dinucleotide_shuffle(encode(text, PROTEIN), rng, size=PROTEIN.size), PROTEIN)
    assert pairs(other) == pairs(text)


def test_same_seed_same_shuffle_and_the_source_is_left_alone():
    codes = encode("ACGTTGCATTACGGATTACA" * 5, DNA)
    before = codes.copy()
    one, two, three = (dinucleotide_shuffle(codes, np.random.default_rng(seed)) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()
    np.testing.assert_array_equal(codes, before)


def test_nothing_to_shuffle():
    rng = np.random.default_rng(0)
    for text in ("", "N", "A", "NNN", "AAAA"):
        assert decode(dinucleotide_shuffle(encode(text, DNA), rng), DNA) == text
    assert len(shuffle_sequences(Sequences.from_codes([]), rng)) == 0


def test_long_and_monotonous_records_are_fast_and_in_parts_too(monkeypatch):
    monkeypatch.setattr("seqcnn.sequence._SHUFFLE_LETTERS", 1000)
    texts = ["A" * 3000 + "C" + "A" * 50, "ACGT" * 400, "G", "", "CATTAG" * 30]
    shuffled = shuffle_sequences(Sequences.from_codes([encode(t, DNA) for t in texts]), np.random.default_rng(0))
    assert [pairs(decode(s, DNA)) for s in shuffled] == [pairs(t) for t in texts]
