"""Explaining from the shell and the notebook: tables, archives and tracks of what each letter does."""

import numpy as np
import pytest
from small_models import letters, picture_model
from test_sweeps import swept

from seqcnn.alphabet import DNA
from seqcnn.errors import DataError, OptionError
from seqcnn.io.effects import Effects
from seqcnn.options import ExplainOptions
from seqcnn.workflow.explain import explain


@pytest.fixture
def fasta(tmp_path):
    sequences = letters(3, 20, 60, alphabet="ACGTN", seed=5)
    path = tmp_path / "some.fa"
    path.write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(sequences)))
    return path, sequences


def test_a_table_has_a_row_a_letter(tmp_path, fasta):
    path, sequences = fasta
    model = swept("motif", strands="both", width=60)
    explained = explain(model, path, output=tmp_path / "out.tsv")
    lines = [line.split("\t") for line in (tmp_path / "out.tsv").read_text().splitlines()]
    assert lines[0] == ["id", "start", "letter", "A", "C", "G", "T", "importance"]
    assert [(line[0], int(line[1]), line[2]) for line in lines[1:]] == [
        (f"r{i}", at, letter) for i, text in enumerate(sequences) for at, letter in enumerate(text)
    ]
    expected = np.concatenate(
        [found[:, : len(text)].T for found, text in zip(model.mutagenesis(sequences), sequences, strict=True)]
    )
    np.testing.assert_allclose(np.array([line[3:7] for line in lines[1:]], float), expected, rtol=1e-5, atol=1e-9)
    known = np.array([line[2] in "ACGT" for line in lines[1:]])
    importance = np.where(known, -expected.sum(1) / 3, 0)
    np.testing.assert_allclose(np.array([line[7] for line in lines[1:]], float), importance, rtol=1e-3, atol=1e-8)
    assert explained.records == 3 and explained.letters == sum(map(len, sequences))


def test_an_archive_holds_all(tmp_path, fasta):
    path, sequences = fasta
    model = swept("deepbind", width=60)
    explain(model, path, output=tmp_path / "out.npz")
    with np.load(tmp_path / "out.npz") as archive:
        assert archive["sequences"].tolist() == sequences
        assert archive["ids"].tolist() == ["r0", "r1", "r2"]
        assert "".join(archive["letters"]) == "ACGT"
        np.testing.assert_allclose(archive["changes"], model.mutagenesis(sequences), atol=1e-6)


def test_a_track_lies_on_the_genome(tmp_path):
    genome = tmp_path / "genome.fa"
    [text] = letters(1, 300, 300, seed=8)
    genome.write_text(f">chr1\n{text}\n")
    bed = tmp_path / "two.bed"
    bed.write_text("chr1\t200\t260\tb\t0\t-\nchr1\t10\t70\ta\t0\t+\n")
    model = swept("motif", width=60)
    explain(model, bed, ExplainOptions(genome=genome), output=tmp_path / "out.bedgraph")
    rows = [line.split("\t") for line in (tmp_path / "out.bedgraph").read_text().splitlines()]
    assert [int(row[1]) for row in rows] == [*range(10, 70), *range(200, 260)]
    turned = text[200:260][::-1].translate(str.maketrans("ACGT", "TGCA"))
    codes = np.frombuffer(turned.encode().translate(DNA.lookup), np.uint8)
    expected = Effects("b", codes, model.mutagenesis([turned])[0]).importance[::-1]
    np.testing.assert_allclose([float(row[3]) for row in rows[60:]], expected, rtol=1e-4, atol=1e-8)


def test_where_mutants_are_computed_in_full_it_says_why(tmp_path, fasta):
    path, _ = fasta
    explained = explain(swept("kmer", width=60), path, output=tmp_path / "out.tsv")
    assert any("computed in full: the network does not say" in note and "3" in note for note in explained.notes)


def test_what_cannot_be_explained_is_refused(tmp_path, fasta):
    path, _ = fasta
    model = swept("motif", width=60)
    with pytest.raises(OptionError, match="belongs to sequences"):
        explain(picture_model(), path)
    with pytest.raises(OptionError, match="--column"):
        explain(model, path, ExplainOptions(column="nothing"))
    with pytest.raises(OptionError, match="standard output"):
        explain(model, path, ExplainOptions(format="npz"))
    with pytest.raises(OptionError, match="--method"):
        ExplainOptions(method="magic")
    long = tmp_path / "long.fa"
    long.write_text(">r\n" + "ACGT" * 100 + "\n")
    with pytest.raises(DataError, match="record r.*; cut it"):
        explain(model, long, output=tmp_path / "none.tsv")
    assert not (tmp_path / "none.tsv").exists()
