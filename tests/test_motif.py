"""The motif: consensus, information, reverse complement, trimming and what it refuses."""

import io

import numpy as np
import pytest
from Bio import motifs as bio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqcnn.alphabet import DNA, PROTEIN, RNA, Alphabet
from seqcnn.errors import DataError
from seqcnn.motif import Motif, from_counts, information, span, unique_names, with_pseudocount

COUNTS = arrays(np.float64, st.tuples(st.integers(1, 17), st.just(4)), elements=st.integers(0, 50)).filter(
    lambda c: (c.sum(1) > 0).all()
)


def motif(counts: np.ndarray, alphabet: Alphabet = DNA) -> Motif:
    return Motif("m", counts / counts.sum(1, keepdims=True), alphabet, nsites=9)


@given(COUNTS)
def test_equals_biopython(counts: np.ndarray) -> None:
    text = "".join(f"{letter} [{' '.join(f'{v:.0f}' for v in counts[:, i])}]\n" for i, letter in enumerate("ACGT"))
    theirs = bio.read(io.StringIO(">MA1 m\n" + text), "jaspar")
    ours = motif(counts)
    flipped = theirs.reverse_complement()
    turned = np.array([flipped.counts[letter] for letter in "ACGT"]).T
    np.testing.assert_allclose(ours.reverse_complement().probabilities, turned / turned.sum(1, keepdims=True))
    np.testing.assert_allclose(ours.information, [_bits(row) for row in counts], atol=1e-9)


def _bits(row: np.ndarray) -> float:
    p = row[row > 0] / row.sum()
    return 2 + float((p * np.log2(p)).sum())


@given(COUNTS)
def test_reverse_complement_twice_is_the_same(counts: np.ndarray) -> None:
    ours = motif(counts)
    assert ours.reverse_complement().reverse_complement() == ours


def test_rna_turns_and_protein_does_not() -> None:
    assert Motif("m", np.eye(4)[[0, 0, 1]], RNA).reverse_complement().consensus == "GUU"
    protein = Motif("m", np.eye(20)[[0, 19, 4]], PROTEIN)
    assert protein.consensus == "AYF"
    with pytest.raises(AttributeError, match="protein has no complement"):
        protein.reverse_complement()


def test_trimming_keeps_weak_positions_inside() -> None:
    flat, strong = [0.25] * 4, [0.97, 0.01, 0.01, 0.01]
    ours = Motif("m", np.array([flat, strong, flat, flat, strong, flat]), DNA)
    assert ours.trimmed().consensus == "AAAA"
    assert len(Motif("m", np.array([flat, flat]), DNA).trimmed()) == 2
    assert span(np.zeros(3), 0.1) == (0, 0)


def test_information_against_a_background() -> None:
    matrix = np.array([[0.5, 0.0, 0.0, 0.5]])
    assert information(matrix)[0] == pytest.approx(1)
    assert information(matrix, np.array([0.4, 0.1, 0.1, 0.4]))[0] == pytest.approx(np.log2(0.5 / 0.4))


def test_pseudocounts() -> None:
    counts = np.array([[8.0, 0, 0, 2]])
    matrix = from_counts(counts, np.array([0.1, 0.2, 0.3, 0.4]), pseudocount=2)
    np.testing.assert_allclose(matrix, [[8.2 / 12, 0.4 / 12, 0.6 / 12, 2.8 / 12]])
    raised = with_pseudocount(Motif("m", np.eye(4), DNA, nsites=10), 0.1)
    assert raised.min() > 0
    np.testing.assert_allclose(raised.sum(1), 1)


def test_the_callers_matrix_stays_apart() -> None:
    matrix = np.eye(4)
    ours = Motif("m", matrix, DNA)
    matrix[0] = 0.25
    assert ours.information[0] == 2
    with pytest.raises(ValueError, match="read-only"):
        ours.probabilities[0, 0] = 1


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.ones((3, 5)) / 5, r"\(L, 4\).*\(3, 5\)"),
        (np.zeros((0, 4)), r"found \(0, 4\)"),
        (np.array([[1, 0, 0, 0], [0.5, 0.2, 0, 0]]), "position 2: expected probabilities that sum to 1"),
        (np.array([[1.5, -0.5, 0, 0]]), "position 1"),
        (np.array([[np.nan, 0.5, 0.5, 0]]), "position 1"),
    ],
)
def test_refuses_what_is_no_matrix(matrix: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Motif("odd", matrix, DNA)


def test_names_are_made_unique() -> None:
    one = Motif("a", np.eye(4), DNA)
    assert [m.name for m in unique_names([one, one, one])] == ["a", "a_2", "a_3"]
    assert {one, Motif("a", np.eye(4), DNA)} == {one}
    assert one != Motif("b", np.eye(4), DNA)
    assert one != "a"
