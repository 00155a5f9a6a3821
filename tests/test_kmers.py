"""K-mers against strings and naive loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqcnn import kmers
from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.sequence import Sequences, encode

SWAP = str.maketrans("ACGT", "TGCA")


def strand(word: str) -> str:
    return min(word, word.translate(SWAP)[::-1])


@given(st.text("ACGTacgtNR-", max_size=40), st.integers(1, 5), st.booleans())
def test_kmers_at_every_place_spell_the_sequence(text, k, canonical):
    found = kmers.kmer_codes(encode(text, DNA), k, DNA, canonical=canonical)
    assert len(found) == max(0, len(text) - k + 1)
    for i, code in enumerate(found):
        word = text[i : i + k].upper()
        if set(word) <= set("ACGT"):
            assert kmers.kmer_word(code, k, DNA, canonical=canonical) == (strand(word) if canonical else word)
        else:
            assert code == -1


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("canonical", [True, False])
def test_every_kmer_has_its_own_index(k, canonical):
    count = kmers.n_kmers(k, DNA, canonical)
    every = [kmers.kmer_word(code, k, DNA, canonical=canonical) for code in range(count)]
    assert len(set(every)) == count
    table = kmers.indices(k, DNA, canonical)
    assert sorted(set(table.tolist())) == list(range(count))
    assert len(table) == 4**k


@given(st.lists(st.text("ACGTN", max_size=30), max_size=6), st.booleans())
def test_presence_is_the_set_of_words(texts, canonical):
    ks = (1, 3)
    sequences = Sequences.from_codes([encode(t, DNA) for t in texts])
    kmers_before = kmers._CHUNK_LETTERS
    try:
        kmers._CHUNK_LETTERS = 20  # several chunks
        indptr, columns = kmers.presence(sequences, ks, DNA, canonical=canonical)
    finally:
        kmers._CHUNK_LETTERS = kmers_before
    assert len(indptr) == len(texts) + 1
    for i, text in enumerate(texts):
        row = columns[indptr[i] : indptr[i + 1]]
        assert (np.diff(row) > 0).all()
        split = kmers.n_kmers(1, DNA, canonical)
        found = {kmers.kmer_word(c, 1, DNA, canonical=canonical) for c in row if c < split}
        found |= {kmers.kmer_word(c - split, 3, DNA, canonical=canonical) for c in row if c >= split}
        words = {text[j : j + k] for k in ks for j in range(len(text) - k + 1)}
        words = {w for w in words if "N" not in w}
        assert found == ({strand(w) for w in words} if canonical else words)


def test_proteins_too():
    assert kmers.default_ks(PROTEIN) == (1, 2, 3, 4)
    assert kmers.kmer_word(int(kmers.kmer_codes(encode("WYV", PROTEIN), 3, PROTEIN)[0]), 3, PROTEIN) == "WYV"
    assert kmers.kmer_codes(encode("WXV", PROTEIN), 2, PROTEIN).tolist() == [-1, -1]
