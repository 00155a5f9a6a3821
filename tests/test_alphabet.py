"""Tests of the alphabets: what letters mean, against Biopython and a naive reading of the IUPAC codes."""

import numpy as np
import pytest
from Bio.Data.IUPACData import ambiguous_dna_values, ambiguous_rna_values
from Bio.Seq import Seq

from seqcnn.alphabet import DNA, INVALID, PAD, PROTEIN, RNA, SOFT_MASK, Alphabet
from seqcnn.registry import names, resolve
from seqcnn.sequence import decode, encode, reverse_complement

EVERY = [resolve("alphabet", name) for name in names("alphabet")]


@pytest.fixture(params=EVERY, ids=lambda alphabet: alphabet.name)
def alphabet(request) -> Alphabet:
    return request.param


def test_codes_and_letters_are_inverse(alphabet):
    symbols = alphabet.symbols
    codes = encode(symbols, alphabet)
    assert codes.tolist() == list(range(len(symbols)))
    assert decode(codes, alphabet) == symbols


def test_lower_case_is_soft_masked_and_means_the_same(alphabet):
    for letter in alphabet.symbols.rstrip("-") + "".join(alphabet.synonyms):
        if letter.isalpha():
            assert encode(letter.lower(), alphabet)[0] == encode(letter, alphabet)[0] | SOFT_MASK


def test_probabilities_are_distributions_but_for_the_gap(alphabet):
    table = alphabet.probabilities
    assert table.shape == (len(alphabet.symbols), alphabet.size)
    sums = table.sum(1)
    assert sums[alphabet.gap_code] == 0
    np.testing.assert_allclose(np.delete(sums, alphabet.gap_code), 1, rtol=1e-6)
    np.testing.assert_allclose(table[alphabet.any_code], 1 / alphabet.size, rtol=1e-6)
    np.testing.assert_array_equal(table[: alphabet.size], np.eye(alphabet.size))


@pytest.mark.parametrize("alphabet,values", [(DNA, ambiguous_dna_values), (RNA, ambiguous_rna_values)])
def test_iupac_codes_mean_what_biopython_says(alphabet, values):
    for symbol, meaning in values.items():
        row = alphabet.probabilities[encode(symbol, alphabet)[0]]
        letters = set(meaning) if symbol != "X" else set(alphabet.letters)
        np.testing.assert_allclose(row, [(c in letters) / len(letters) for c in alphabet.letters], rtol=1e-6)


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=lambda alphabet: alphabet.name)
def test_complement_is_biopython_s(alphabet):
    text = alphabet.symbols + alphabet.symbols.lower().rstrip("-")
    seq = Seq(text)
    wanted = seq.reverse_complement_rna() if alphabet is RNA else seq.reverse_complement()
    assert decode(reverse_complement(encode(text, alphabet), alphabet), alphabet) == str(wanted)


def test_complement_keeps_padding_and_is_its_own_inverse():
    table = DNA.complement
    assert table[PAD] == PAD
    codes = np.arange(len(DNA.symbols), dtype=np.uint8)
    np.testing.assert_array_equal(table[table[codes]], codes)
    np.testing.assert_array_equal(table[codes | SOFT_MASK], table[codes] | SOFT_MASK)


def test_protein_has_no_complement():
    assert not PROTEIN.has_complement
    with pytest.raises(AttributeError, match="protein has no complement"):
        _ = PROTEIN.complement


def test_u_and_t_are_one_letter():
    assert encode("ACGU", DNA).tolist() == encode("ACGT", RNA).tolist() == [0, 1, 2, 3]


def test_selenocysteine_and_pyrrolysine_are_read_as_cysteine_and_lysine():
    table = PROTEIN.probabilities
    np.testing.assert_array_equal(table[encode("UO", PROTEIN)], table[encode("CK", PROTEIN)])


def test_every_other_byte_is_invalid(alphabet):
    legal = alphabet.symbols + "".join(alphabet.synonyms)
    legal = set(legal.encode()) | set(legal.lower().encode())
    found = {byte for byte in range(256) if alphabet.lookup[byte] != INVALID}
    assert found == legal


def test_codes_stay_clear_of_padding_and_of_the_mask(alphabet):
    assert len(alphabet.symbols) < INVALID < PAD < SOFT_MASK
