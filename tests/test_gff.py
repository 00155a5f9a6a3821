"""Tests of features: GFF3 and GTF in the wild, counted from 1, on both strands, and lines that are wrong."""

import gzip
from pathlib import Path

import pytest

from seqcnn.errors import DataError, FormatError
from seqcnn.io.gff import is_gff, read_gff

GFF = """##gff-version 3
# made
chr1\tme\tgene\t11\t20\t.\t+\t.\tID=g1;Name=lac%20Z
chr1\tme\tCDS\t11\t15\t.\t+\t0\tID=c1;Parent=g1
chr1\tme\tCDS\t17\t20\t.\t+\t0\tID=c1;Parent=g1

chr2\tme\tgene\t1\t9\t.\t-\t.\tName=lac%20Y
##FASTA
>chr1
ACGT
"""
GTF = 'chr1\tme\texon\t5\t9\t.\t-\t.\tgene_id "G1"; transcript_id "T1"; exon_number "1";\n'


def test_features_count_from_1_and_include_their_end(tmp_path):
    path = tmp_path / "a.gff3.gz"
    path.write_bytes(gzip.compress(GFF.encode()))
    genes = read_gff(path, "gene")
    assert genes.chromosomes == ("chr1", "chr2") and genes.names == ("g1", "lac Y")
    assert genes.starts.tolist() == [10, 0] and genes.ends.tolist() == [20, 9]
    assert genes.strands.tolist() == [1, -1] and genes.summits is None
    assert read_gff(path, "CDS").names == ("c1.1", "c1.2")


def test_promoters_lie_around_the_first_base(tmp_path):
    (tmp_path / "a.gff").write_text(GFF)
    found = read_gff(tmp_path / "a.gff", "promoter")
    assert found.summits.tolist() == [10, 8]
    assert found.centered(4).starts.tolist() == [8, 6]


def test_gtf(tmp_path):
    (tmp_path / "a.gtf").write_text(GTF)
    found = read_gff(tmp_path / "a.gtf", "exon")
    assert found.names == ("G1",) and found.starts.tolist() == [4] and found.ends.tolist() == [9]
    assert is_gff("A.GTF") and is_gff("a.gff3.gz") and not is_gff("a.bed")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chr1\tme\tgene\tx\t20\t.\t+\t.\tID=g", "line 1: expected whole numbers as start and end, found 'x' and '20'"),
        ("chr1\tme\tgene\t0\t20\t.\t+\t.\tID=g", "line 1: start 0 and end 20; GFF counts from 1"),
        ("chr1\tme\tgene\t9\t2\t.\t+\t.\tID=g", "line 1: start 9 and end 2"),
        ("chr1\tme\tgene\t1\t2\t.\tx\t.\tID=g", "line 1, column 7: expected a strand"),
        ("chr1 me gene 1 2 . + . ID=g", "line 1: expected 9 columns between tabs, found 1"),
    ],
)
def test_a_wrong_line_is_named(line, said, tmp_path):
    (tmp_path / "a.gff").write_text(line + "\n")
    with pytest.raises(FormatError, match=f"a.gff, {said}"):
        read_gff(tmp_path / "a.gff", "gene")


def test_an_unknown_feature_lists_those_there_are(tmp_path):
    (tmp_path / "a.gff").write_text(GFF)
    with pytest.raises(DataError, match=r"no feature 'genes' \(did you mean 'gene'\?\); it has CDS 2, gene 2"):
        read_gff(tmp_path / "a.gff", "genes")


def test_real_annotation(tmp_path):
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / "genomes_small" / "ecoli_K12_MG1655.gff.gz"
    if not path.exists():
        pytest.skip("genomes_small is absent")
    genes, cds = read_gff(path, "gene"), read_gff(path, "CDS")
    assert len(genes) > 4000 and len(cds) > 4000
    assert int(genes.ends.max()) <= 4_641_652
    assert len(set(genes.names)) == len(genes)


def test_several_types_in_any_case_and_the_file_s_own_promoters(tmp_path):
    (tmp_path / "a.gff").write_text(GFF)
    assert read_gff(tmp_path / "a.gff", "cds,gene").names == ("g1", "c1.1", "c1.2", "lac Y")
    assert read_gff(tmp_path / "a.gff", "CDS").lines.tolist() == [4, 5]
    mixed = read_gff(tmp_path / "a.gff", "promoter,CDS")
    assert mixed.summits.tolist() == [10, -1, -1, 8]
    (tmp_path / "b.gff").write_text(GFF.split("##FASTA")[0] + "chr1\tme\tpromoter\t3\t9\t.\t+\t.\tID=p\n")
    own = read_gff(tmp_path / "b.gff", "promoter")
    assert own.names == ("p",) and own.summits is None


def test_gtf_exons_and_their_windows_are_spelled_as_the_strand_says(tmp_path):
    (tmp_path / "a.gtf").write_text(GTF + GTF.replace("exon", "CDS").replace("-", "+"))
    found = read_gff(tmp_path / "a.gtf", "exon,CDS")
    assert found.strands.tolist() == [-1, 1] and found.lines.tolist() == [1, 2]
