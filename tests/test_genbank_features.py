"""Tests of GenBank and EMBL features as data: against Biopython's extract, promoters, joins, circles, the shell."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqFeature import BeforePosition, CompoundLocation, SeqFeature, SimpleLocation
from Bio.SeqRecord import SeqRecord

import seqcnn
from seqcnn.cli import main
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, FormatError, OptionError
from seqcnn.io.genbank import read_features

LENGTH = 6000


def made(form: str = "genbank") -> SeqRecord:
    letters = "".join(np.random.default_rng(4).choice(list("ACGT"), LENGTH))
    record = SeqRecord(Seq(letters), "REC1.1", "REC1", annotations={"molecule_type": "DNA", "topology": "circular"})

    def add(kind: str, location: object, **names: str) -> None:
        record.features.append(SeqFeature(location, kind, qualifiers={k: [v] for k, v in names.items()}))

    for i in range(40):
        start = 100 * i + 7
        add("gene", SimpleLocation(start, start + 71 + i, 1 if i % 3 else -1), locus_tag=f"b{i:04}")
    add("CDS", SimpleLocation(BeforePosition(10), 100, 1), gene="whole")
    parts = [SimpleLocation(200, 260, 1), SimpleLocation(300, 345, 1), SimpleLocation(500, 509, 1)]
    add("CDS", CompoundLocation(parts), gene="joined")
    add("CDS", CompoundLocation([SimpleLocation(p.start, p.end, -1) for p in parts[::-1]]), gene="reverse")
    add("CDS", CompoundLocation([SimpleLocation(5900, 6000, 1), SimpleLocation(0, 41, 1)]), gene="circle")
    add("CDS", CompoundLocation([SimpleLocation(0, 41, -1), SimpleLocation(5900, 6000, -1)]), gene="circle")
    add("CDS", CompoundLocation([SimpleLocation(10, 40, 1), SimpleLocation(90, 130, -1)]), gene="trans")
    add("tRNA", SimpleLocation(1000, 1075, -1), product="tRNA Ala")
    return record


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    SeqIO.write(made(), "g.gb", "genbank")
    SeqIO.write(made(), "g.embl", "embl")
    Path("packed.gbk.gz").write_bytes(gzip.compress(Path("g.gb").read_bytes()))
    SeqIO.write(made(), "g.fa", "fasta")
    return tmp_path


@pytest.mark.parametrize("file", ["g.gb", "g.embl", "packed.gbk.gz"])
@pytest.mark.parametrize("kind", ["gene", "CDS", "tRNA"])
def test_whole_features_are_what_biopython_extracts(file, kind, desk):
    record = made()
    wanted = [str(f.extract(record.seq)) for f in record.features if f.type == kind]
    found = list(Regions(feature=kind).windows(file))
    assert [r.letters.decode() for r in found] == wanted
    assert all(r.place is not None for r in found)


def test_names_are_tags_genes_or_products_and_told_apart(desk):
    assert [r.id for r in Regions(feature="CDS").windows("g.gb")] == [
        "whole", "joined", "reverse", "circle.1", "circle.2", "trans",
    ]  # fmt: skip
    assert [r.id for r in Regions(feature="tRNA").windows("g.gb")] == ["tRNA Ala"]
    assert next(iter(Regions(feature="gene").windows("g.gb"))).id == "b0000"


def test_windows_lie_around_the_middle_of_the_span_or_of_the_longest_part_at_the_origin(desk):
    regions = Regions(feature="CDS", width=30)
    found = {r.id: r for r in regions.windows("g.gb")}
    letters = str(made().seq)
    assert found["joined"].place[1:] == (339, 369, 1)  # the middle of 200 to 509
    assert found["joined"].letters.decode() == letters[339:369]
    assert found["reverse"].letters.decode() == str(Seq(letters[339:369]).reverse_complement())
    assert found["circle.1"].place[1:] == (5935, 5965, 1)
    assert found["circle.2"].place[1:] == (5935, 5965, -1)
    assert "features of several parts, taken as the span of all: 5" in regions.notes
    spliced = Regions(feature="CDS")
    list(spliced.windows("g.gb"))
    assert "features of several parts, spliced: 5" in spliced.notes


def test_promoters_lie_around_the_first_base_even_across_the_origin(desk):
    letters = str(made().seq)
    found = list(Regions(feature="promoter", width=20).windows("g.gb"))
    assert len(found) == 40
    assert found[1].letters.decode() == letters[97:117]
    assert found[3].letters.decode() == str(Seq(letters[370:390]).reverse_complement())
    assert found[0].place.strand == -1 and found[3].place[1:3] == (370, 390)
    record = made()
    record.features = [f for f in record.features if f.type == "CDS"]
    SeqIO.write(record, "cds.gb", "genbank")
    by_name = {r.id: r for r in Regions(feature="promoter", width=20).windows("cds.gb")}
    assert by_name["circle.1"].place[1:] == (5890, 5910, 1)
    assert by_name["circle.2"].place[1:] == (30, 50, -1)
    with pytest.raises(OptionError, match="--feature promoter: needs --width N"):
        list(Regions(feature="promoter").windows("cds.gb"))


def test_a_genome_given_brings_the_letters(desk):
    Path("other.fa").write_text(">rec1.1\n" + "T" * LENGTH + "\n")
    found = list(Regions(Path("other.fa"), feature="tRNA").windows("g.gb"))
    assert [r.letters for r in found] == [b"A" * 75]
    record = made()
    record.seq = Seq(None, LENGTH)
    text = SeqRecord(Seq("A" * LENGTH), "REC1.1", "REC1", features=record.features, annotations=record.annotations)
    SeqIO.write(text, "bare.gb", "genbank")
    lines = Path("bare.gb").read_text().split("ORIGIN")[0]
    Path("bare.gb").write_text(lines + "ORIGIN\n//\n")
    with pytest.raises(DataError, match="bare.gb, record REC1.1: no sequence; pass --genome FASTA"):
        list(Regions(feature="tRNA").windows("bare.gb"))
    (one,) = Regions(Path("g.fa"), feature="tRNA").windows("bare.gb")
    assert one.letters.decode() == str(made().seq[1000:1075].reverse_complement())


def test_several_types_between_commas_and_unknown_ones(desk):
    assert len(list(Regions(feature="gene,tRNA").windows("g.gb"))) == 41
    assert len(list(Regions(feature="cds").windows("g.gb"))) == 6
    with pytest.raises(DataError, match=r"g.gb has no feature 'gen' .did you mean 'gene'..; it has CDS 6, gene 40"):
        list(Regions(feature="gen").windows("g.gb"))


def test_parts_elsewhere_are_left_out_and_counted(desk):
    text = Path("g.gb").read_text().replace("complement(1001..1075)", "join(J00194.1:5..90,1001..1075)")
    text = text.replace(
        "     gene            complement(8..78)", "     tRNA            12^13\n     tRNA            5..9"
    )
    Path("far.gb").write_text(text)
    regions = Regions(feature="tRNA")
    assert [r.letters.decode() for r in regions.windows("far.gb")] == [str(made().seq[4:9])]
    assert "features in other records or between two bases, left out: 2" in regions.notes


def test_what_is_wrong_is_said(desk):
    text = Path("g.gb").read_text()
    Path("twice.gb").write_text(text + text)
    with pytest.raises(FormatError, match="twice.gb: two records are called 'REC1.1'"):
        read_features("twice.gb", "CDS")
    Path("cut.gb").write_text(text[: len(text) // 2])
    with pytest.raises(FormatError, match="cut.gb, after the start: not a whole genbank record"):
        read_features("cut.gb", "CDS")
    with pytest.raises(OptionError, match="--width: belongs to intervals; g.gb holds none; name its features"):
        seqcnn.read("g.gb", width=50)
    with pytest.raises(OptionError, match="--feature CDS: belongs to GFF, GTF, GenBank and EMBL; g.fa is none"):
        seqcnn.read("g.fa", feature="CDS")


def test_without_a_feature_a_flat_file_is_its_records(desk):
    data = seqcnn.read("g.gb")
    assert data.ids[0] == "REC1.1" and data.lengths.tolist() == [LENGTH, LENGTH] and data.places is None


def test_the_shell_trains_and_scores_features(desk, capsys):
    common = ["--feature", "gene", "--width", "60"]
    motif = "".join(f"{row}\n" for row in ("1 0 0 0", "0 1 0 0", "0 0 1 0", "0 0 0 1") * 2)
    head = "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF M1\nletter-probability matrix: alength= 4 w= 8\n"
    Path("m.meme").write_text(head + motif)
    learn = ["--network", "deepbind", "--epochs", "1", "--folds", "0", "--no-baselines"]
    assert main(["train", "g.gb", *common, *learn, "-o", "m.safetensors"]) == 0
    assert seqcnn.load("m.safetensors").labels == ("shuffled", "g")
    assert main(["score", "m.safetensors", "g.embl", *common, "-o", "s.tsv"]) == 0
    rows = [line.split("\t") for line in Path("s.tsv").read_text().splitlines()[1:]]
    places = [record.place for record in Regions(feature="gene", width=60).windows("g.embl")]
    assert [row[-4:] for row in rows] == [[p[0], str(p[1]), str(p[2]), "+" if p[3] > 0 else "-"] for p in places]
    if importlib.util.find_spec("pyBigWig"):
        again = ["score", "m.safetensors", "g.embl", *common, "--edge", "drop", "--format", "bigwig", "-o", "s.bw"]
        assert main(again) == 0
    assert main(["sites", "m.meme", "g.gb", *common, "--pvalue", ".01", "-o", "sites.tsv"]) == 0
    assert "REC1.1" in Path("sites.tsv").read_text()
    assert main(["score", "m.safetensors", "g.gb", "--feature", "CDS", "--window", "60", "-o", "cds.tsv"]) == 0
    rows = [line.split("\t") for line in Path("cds.tsv").read_text().splitlines()[1:]]
    assert [row[-4:] for row in rows if row[0] == "joined"] == [["REC1.1", "200", "509", "+"]] * 3
    assert ["whole", "30", "90", "90"] in [row[:4] for row in rows]
    assert main(["sites", "m.meme", "g.gb", "--feature", "CDS"]) == 2
    assert "joined: spliced of several parts, so its sites lie nowhere" in capsys.readouterr().err
