"""MEME files: read whole, against Biopython; written so that they are read again; errors with file and line."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from Bio import motifs as bio
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.alphabet import DNA, PROTEIN, RNA, Alphabet
from seqcnn.errors import FormatError, InputFileError
from seqcnn.io.meme import read_meme, read_meme_file, write_meme
from seqcnn.motif import Motif

HEAD = "MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\nBackground letter frequencies\nA 0.3 C 0.2 G 0.2 T 0.3\n\n"
ONE = "MOTIF MA1 first\nletter-probability matrix: alength= 4 w= 2 nsites= 17 E= 4.1e-009\n1 0 0 0\n0.5 0.5 0 0\n"
TWO = "URL http://x.org/1\n\nMOTIF second\nletter-probability matrix: alength= 4 w= 1\n0.1 0.2 0.3 0.4"


def file(folder: Path, text: str, name: str = "m.meme") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_reads_the_last_motif_and_zeros(tmp_path: Path) -> None:
    got = read_meme_file(file(tmp_path, HEAD + ONE + TWO))
    first, second = got.motifs
    assert (first.name, first.alt, first.nsites, first.evalue, first.url) == (
        "MA1",
        "first",
        17,
        4.1e-9,
        "http://x.org/1",
    )
    assert first.probabilities.tolist() == [[1, 0, 0, 0], [0.5, 0.5, 0, 0]]
    assert (second.name, second.alt, second.nsites, len(second)) == ("second", "", 0, 1)
    assert got.alphabet is DNA
    assert got.both_strands
    np.testing.assert_allclose(got.background, [0.3, 0.2, 0.2, 0.3])


def test_crlf_gz_tabs_and_a_row_of_zeros(tmp_path: Path) -> None:
    text = (HEAD + ONE.replace("0.5 0.5 0 0", "\t0\t0\t0\t0")).replace("\n", "\r\n")
    path = tmp_path / "m.meme.gz"
    path.write_bytes(gzip.compress(text.encode()))
    (only,) = read_meme(path)
    assert only.probabilities[1].tolist() == [0.25] * 4


def test_rounded_rows_are_scaled(tmp_path: Path) -> None:
    (only,) = read_meme(file(tmp_path, HEAD + "MOTIF m\nletter-probability matrix: w= 1\n0.33 0.33 0.33 0.0\n"))
    np.testing.assert_allclose(only.probabilities.sum(1), 1, atol=1e-15)
    assert only.probabilities[0, 0] == pytest.approx(1 / 3)


def test_full_text_of_meme(tmp_path: Path) -> None:
    text = """*****
MEME - Motif discovery tool
*****
MEME version 5.5.2 (Release date: Sun)

ALPHABET "DNA" DNA-LIKE
A "Adenine" CC0000 ~ T "Thymine" 008000
C "Cytosine" 0000CC ~ G "Guanine" FFB300
N "Any base" = ACGT
. = ACGT
END ALPHABET
strands: + -
Background letter frequencies (from file `x'):
A 0.29 C 0.21
G 0.21 T 0.29
MOTIF CACGTG MEME-1\twidth =   2  sites =  13  llr = 136  E-value = 2.1e-004
\tMotif CACGTG MEME-1 Description
Simplified        A  :a
\tMotif CACGTG MEME-1 position-specific scoring matrix
log-odds matrix: alength= 4 w= 2 n= 130 bayes= 6.1 E= 2.1e-004
   -100    178  -1035  -1035
    145  -1035    -35  -1035
\tMotif CACGTG MEME-1 position-specific probability matrix
letter-probability matrix: alength= 4 w= 2 nsites= 13 E= 2.1e-004
 0.000000  1.000000  0.000000  0.000000
 0.846154  0.000000  0.153846  0.000000
\tMotif CACGTG MEME-1 regular expression
C[AG]
Stopped because requested number of motifs (1) found.
"""
    got = read_meme_file(file(tmp_path, text))
    (only,) = got.motifs
    assert (only.name, only.alt, only.nsites, only.consensus) == ("CACGTG", "MEME-1", 13, "CA")
    np.testing.assert_allclose(got.background, [0.29, 0.21, 0.21, 0.29])


def test_old_names_with_widths(tmp_path: Path) -> None:
    (only,) = read_meme(file(tmp_path, HEAD + "MOTIF 1 width = 1 sites = 9\nletter-probability matrix:\n1 0 0 0\n"))
    assert (only.name, only.alt) == ("1", "")


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_alphabet_and_strands(tmp_path: Path, alphabet: Alphabet) -> None:
    made = Motif("m", np.full((3, alphabet.size), 1 / alphabet.size), alphabet, nsites=4)
    path = tmp_path / "m.meme"
    write_meme(path, [made])
    got = read_meme_file(path)
    assert got.alphabet is alphabet
    assert got.both_strands is (alphabet is DNA)
    assert got.motifs[0] == Motif("m", made.probabilities, alphabet, nsites=4, evalue=0)


def test_alphabet_told_from_the_columns(tmp_path: Path) -> None:
    row = " ".join(["0.05"] * 20)
    (only,) = read_meme(
        file(tmp_path, f"MEME version 4\nMOTIF m\nletter-probability matrix: alength= 20 w= 1\n{row}\n")
    )
    assert only.alphabet is PROTEIN


WORDS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=9).filter(str.strip)


@st.composite
def some_motifs(draw: st.DrawFn) -> list[Motif]:
    alphabet = draw(st.sampled_from([DNA, RNA, PROTEIN]))
    found = []
    for number in range(draw(st.integers(1, 3))):
        length = draw(st.integers(1, 5))
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        matrix = rng.dirichlet(np.full(alphabet.size, 0.2), length)
        name = f"{draw(WORDS)}{number}"
        found.append(Motif(name, matrix, alphabet, nsites=draw(st.integers(0, 10**6)), alt=draw(WORDS), evalue=1e-300))
    return found


@settings(max_examples=50)
@given(some_motifs())
def test_write_then_read(tmp_path_factory: pytest.TempPathFactory, made: list[Motif]) -> None:
    path = tmp_path_factory.mktemp("meme") / "m.meme"
    background = np.random.default_rng(1).dirichlet(np.ones(made[0].alphabet.size) * 9)
    write_meme(path, made, background)
    got = read_meme_file(path)
    assert len(got.motifs) == len(made)
    np.testing.assert_allclose(got.background, background, atol=2e-4)
    for ours, theirs in zip(made, got.motifs, strict=True):
        assert theirs.name.startswith("_".join(ours.name.split()))
        assert (theirs.alt, theirs.nsites, theirs.evalue) == ("_".join(ours.alt.split()), ours.nsites, ours.evalue)
        np.testing.assert_allclose(theirs.probabilities, ours.probabilities, atol=2e-5)


def test_biopython_reads_what_we_write() -> None:
    rng = np.random.default_rng(0)
    made = [Motif(f"m{i}", rng.dirichlet(np.ones(4), 3 + i), DNA, nsites=1000) for i in range(3)]
    stream = io.StringIO()
    write_meme(stream, made)
    stream.seek(0)
    theirs = bio.parse(stream, "minimal")
    assert [m.name for m in theirs] == ["m0", "m1", "m2"]
    for ours, them in zip(made, theirs, strict=True):
        matrix = np.array([them.pwm[letter] for letter in "ACGT"]).T
        np.testing.assert_allclose(matrix, ours.probabilities, atol=1.1e-3)  # it keeps counts of 1,000 sites


def test_reads_what_biopython_reads(real_data: Path) -> None:
    path = real_data / "motif_databases" / "JASPAR2022_CORE_vertebrates_nr.meme.gz"
    ours = read_meme(path)
    with gzip.open(path, "rt") as stream:
        theirs = bio.parse(stream, "minimal")
    assert len(ours) == len(theirs) == 838
    assert ours[-1].name == theirs[-1].name.split()[0]
    for mine, them in zip(ours[::97], list(theirs)[::97], strict=True):
        matrix = np.array([them.pwm[letter] for letter in "ACGT"]).T
        np.testing.assert_allclose(mine.probabilities, matrix, atol=0.5 / mine.nsites + 1e-3)
    assert len(read_meme(real_data / "motif_databases" / "HOCOMOCO_v12_H12CORE.meme.gz")) == 1443


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "m.meme is empty"),
        (">seq1\nACGT\n", r"m.meme, line 1: expected 'MEME version 4', found '>seq1'"),
        ("some notes\n", "m.meme, line 1: expected a line 'MEME version 4'"),
        ("<?xml version='1.0'?>\n", "line 1: expected MEME text, found XML or HTML"),
        (HEAD, "line 9: expected at least one motif"),
        (HEAD + "letter-probability matrix: w= 1\n1 0 0 0\n", "line 10: expected a MOTIF line"),
        (HEAD + ONE.replace("w= 2", "w= 3"), r"expected 3 rows in motif 'MA1', found 2; the matrix is cut short"),
        (HEAD + ONE.replace("w= 2", "w= 1"), r"line 13: expected 1 rows in motif 'MA1', as its w= says, found more"),
        (HEAD + ONE.replace("0.5 0.5", "0.5 0.9"), r"line 13: expected probabilities that sum to 1 .* a sum of 1.4"),
        (HEAD + ONE.replace("0.5 0.5 0 0", "0.5 0.5"), r"line 13: expected 4 probabilities in motif 'MA1', found 2"),
        (HEAD + ONE.replace("0.5 0.5", "0.5 x.5"), r"line 13: expected a number, found 'x.5'"),
        (HEAD + "MOTIF\n", "line 10: expected a name after MOTIF"),
        (HEAD.replace("ACGT", "ACGX") + ONE, "line 3: expected the alphabet"),
        (HEAD.replace("ACGT", "TGCA") + ONE, "line 3: expected letters in the order ACGT, found TGCA"),
        (HEAD + ONE.replace("alength= 4", "alength= 5"), "expected 5 probabilities"),
    ],
)
def test_errors_name_file_and_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_meme(file(tmp_path, text))


def test_missing_and_truncated_files(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="none.meme"):
        read_meme(tmp_path / "none.meme")
    path = tmp_path / "cut.meme.gz"
    path.write_bytes(gzip.compress((HEAD + ONE * 50).encode())[:60])
    with pytest.raises(FormatError, match="cut.meme.gz"):
        read_meme(path)


def test_what_cannot_be_written() -> None:
    with pytest.raises(FormatError, match="no motif to write"):
        write_meme(io.StringIO(), [])
    with pytest.raises(FormatError, match="one alphabet"):
        write_meme(io.StringIO(), [Motif("a", np.eye(4), DNA), Motif("b", np.eye(4), RNA)])
