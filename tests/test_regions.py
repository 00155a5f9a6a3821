"""Tests of regions of a genome as data: BED files through the verbs, names in other styles, windows over the edge."""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Seq import Seq

import seqcnn
from seqcnn.cli import main
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, OptionError
from seqcnn.sequence import decode

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a genome whose windows with TGACGTCA are peaks, and others that are none."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACGT"), 40_000)
    peaks, others = [], []
    for i in range(120):
        start = 100 + 300 * i
        (peaks if i % 2 else others).append(("chr1", start, start + 80, f"w{i}", 0, "+-"[i % 3 == 0]))
        if i % 2:
            letters[start + 30 : start + 38] = list("TGACGTCA")
    sequence = "".join(letters)
    lines = "\n".join(sequence[i : i + 70] for i in range(0, len(sequence), 70))
    Path("g.fa").write_text(f">1 made\n{lines}\n>2\nACGT\n")
    for name, rows in (("peaks.bed", peaks), ("others.bed", others)):
        Path(name).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return tmp_path


def test_windows_are_those_of_the_genome_strands_and_names_too(desk):
    data = seqcnn.read(["peaks.bed", "others.bed"], genome="g.fa")
    genome = "".join(Path("g.fa").read_text().split(">2")[0].split("\n")[1:])
    for identifier, codes in zip(data.ids, data.raw, strict=True):
        i = int(identifier[1:])
        wanted = genome[100 + 300 * i : 180 + 300 * i]
        assert decode(codes, data.alphabet) == (str(Seq(wanted).reverse_complement()) if i % 3 == 0 else wanted)
    assert any("chromosomes called otherwise in g.fa: chr1 is read as 1" in n for n in data.summary.notes)


def test_every_verb_reads_intervals(desk, capsys):
    window = ["--genome", "g.fa", "--width", "60"]
    common = ["--network", "deepbind", "--epochs", "3", "--folds", "0"]
    assert main(["train", "peaks.bed", "others.bed", *window, *common, "-o", "m.safetensors"]) == 0
    assert main(["evaluate", "m.safetensors", "peaks.bed", "others.bed", *window, "--json", "e.json"]) in (0, 2)
    assert main(["score", "m.safetensors", "peaks.bed", *window, "-o", "s.tsv"]) == 0
    rows = [line.split("\t") for line in Path("s.tsv").read_text().splitlines()[1:]]
    assert [row[0] for row in rows] == [f"w{i}" for i in range(1, 120, 2)]
    assert {row[3] for row in rows} == {"60"}
    model = seqcnn.load("m.safetensors")
    data = seqcnn.read(["peaks.bed", "others.bed"], genome="g.fa", width=60)
    np.testing.assert_allclose([float(row[4]) for row in rows], model.predict(data)[: len(rows)], rtol=1e-5)
    capsys.readouterr()


def test_peaks_alone_get_shuffles(desk):
    data = seqcnn.read("peaks.bed", genome="g.fa", width=50, negatives="shuffle")
    assert data.labels == ("shuffled", "peaks") and len(data) == 120
    assert set(data.lengths.tolist()) == {50}


@pytest.mark.parametrize(
    ("edge", "count", "said"),
    [("pad", 2, "padded with N: 1"), ("shift", 2, "moved inside: 1"), ("drop", 1, "left out: 1")],
)
def test_windows_over_the_edge_follow_the_policy(edge, count, said, desk):
    Path("edge.bed").write_text("1\t0\t10\n1\t500\t510\n")
    regions = Regions(Path("g.fa"), width=40, edge=edge)
    records = list(regions.windows("edge.bed"))
    assert len(records) == count and {len(r.letters) for r in records} == {40}
    assert [r.letters.startswith(b"N" * 15) for r in records] == ([True, False] if edge == "pad" else [False] * count)
    assert said in regions.notes[0]


def test_a_window_wider_than_its_chromosome_cannot_be_moved_inside(desk):
    Path("wide.bed").write_text("2\t0\t4\n1\t500\t510\n")
    regions = Regions(Path("g.fa"), width=40, edge="shift")
    assert [r.id for r in regions.windows("wide.bed")] == ["1:500-510"]
    assert regions.notes == ["windows wider than their chromosome, left out: 1"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["train", "peaks.bed", "-o", "m"], "peaks.bed holds intervals; pass --genome FASTA"),
        (["train", "g.fa", "--genome", "g.fa", "-o", "m"], "--genome: belongs to intervals; g.fa holds none"),
        (["train", "peaks.bed", "--genome", "none.fa", "-o", "m"], "none.fa: no such file"),
        (
            ["train", "far.bed", "--genome", "g.fa", "-o", "m"],
            "far.bed, line 2: chr1:39990-40010 lies beyond the end of 1",
        ),
        (["train", "odd.bed", "--genome", "g.fa", "-o", "m"], "odd.bed, line 1: g.fa has no chromosome 'chr7'"),
        (["train", "bad.bed", "--genome", "g.fa", "-o", "m"], "bad.bed, line 1: start 9 is not before end 3"),
        (["train", "peaks.bed", "--genome", "g.fa", "--width", "0", "-o", "m"], "--width"),
        (["train", "peaks.bed", "--genome", "g.fa", "--edge", "clip", "-o", "m"], "--edge"),
        (["train", "peaks.bed", "--genome", "g.fa.gz", "-o", "m"], "g.fa.gz is gzip, in which no place can be found"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(command, said, desk, capsys):
    Path("far.bed").write_text("chr1\t0\t10\nchr1\t39990\t40010\n")
    Path("odd.bed").write_text("chr7\t0\t10\n")
    Path("bad.bed").write_text("chr1\t9\t3\n")
    Path("g.fa.gz").write_bytes(gzip.compress(Path("g.fa").read_bytes()))
    assert main(command) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("seqcnn: error")]
    assert len(lines) == 1 and said in lines[0], lines
    assert not Path("m").exists()


def test_features_are_read_by_type_and_promoters_lie_around_their_starts(desk):
    Path("a.gff").write_text("1\t.\tgene\t101\t180\t.\t-\t.\tID=g1\n1\t.\tCDS\t401\t480\t.\t+\t.\tID=c1\n")
    genome = "".join(Path("g.fa").read_text().split(">2")[0].split("\n")[1:])
    (gene,) = Regions(Path("g.fa"), feature="gene").windows("a.gff")
    assert gene.letters.decode() == str(Seq(genome[100:180]).reverse_complement()) and gene.id == "g1"
    (promoter,) = Regions(Path("g.fa"), feature="promoter", width=20).windows("a.gff")
    assert promoter.letters.decode() == str(Seq(genome[169:189]).reverse_complement())
    with pytest.raises(DataError, match="a.gff holds features of all kinds; pass --feature"):
        seqcnn.read("a.gff", genome="g.fa")
    with pytest.raises(
        OptionError, match="--feature gene: belongs to GFF, GTF, GenBank and EMBL; peaks.bed is none of them"
    ):
        seqcnn.read("peaks.bed", genome="g.fa", feature="gene")


def test_options_of_intervals_belong_to_intervals(desk):
    with pytest.raises(OptionError, match="--width: belongs to intervals"):
        seqcnn.read("g.fa", width=40)
    with pytest.raises(DataError, match="holds intervals; pass --genome"):
        seqcnn.read("peaks.bed")


def test_windows_of_the_e_coli_genome_are_the_sequences_of_the_table(tmp_path):
    table, bed = (SHARED / "ecoli_tss_mpra" / n for n in ("tss_expression.tsv.gz", "tss_windows.NC_000913.3.bed.gz"))
    packed = SHARED / "genomes_small" / "ecoli_K12_MG1655.NC_000913.3.fna.gz"
    if not (table.exists() and bed.exists() and packed.exists()):
        pytest.skip("ecoli_tss_mpra or genomes_small is absent")
    fasta = tmp_path / "ecoli.fa"
    fasta.write_bytes(gzip.decompress(packed.read_bytes()))
    found = Counter((r.id, r.letters.decode().upper()) for r in Regions(fasta).windows(str(bed)))
    head, *rows = (line.split("\t") for line in gzip.decompress(table.read_bytes()).decode().splitlines())
    wanted = Counter((row[head.index("name")], row[head.index("sequence")]) for row in rows if row[head.index("chrom")])
    assert sum(found.values()) == 17_663
    assert found == wanted


def test_how_many_intervals_are_concerned_is_said_with_the_first_line(desk):
    Path("odd.bed").write_text("track name=x\n1\t0\t9\nchr7\t0\t9\n\nchr8\t0\t9\n1\t4\t9\n")
    with pytest.raises(DataError, match=r"odd.bed, line 3: g.fa has no chromosome 'chr7'.*\(2 of 4 intervals are so\)"):
        seqcnn.read("odd.bed", genome="g.fa")
    Path("far.bed").write_text("1\t0\t9\n1\t39990\t40010\n2\t3\t5\n2\t1\t4\n")
    with pytest.raises(DataError, match=r"far.bed, line 2: 1:39990-40010 lies .* \(2 of 4 intervals are so\)"):
        seqcnn.read("far.bed", genome="g.fa")
    Path("a.gff").write_text("##gff-version 3\n9\t.\tgene\t1\t80\t.\t-\t.\tID=g1\n")
    with pytest.raises(DataError, match="a.gff, line 2: g.fa has no chromosome '9'"):
        seqcnn.read("a.gff", genome="g.fa", feature="gene")


def test_windows_that_all_reach_beyond_are_said(desk):
    Path("small.bed").write_text("2\t0\t4\n")
    with pytest.raises(DataError, match="small.bed: every window of 5,000 reaches beyond its chromosome; lower --w"):
        seqcnn.read("small.bed", genome="g.fa", width=5000, edge="drop")
    with pytest.raises(DataError, match="--width 90,000: the longest chromosome of g.fa has 40,000; lower it"):
        seqcnn.read("peaks.bed", genome="g.fa", width=90_000)


def test_records_without_a_name_are_called_as_their_file_says(desk):
    Path("bare.bed").write_text("chr1\t500\t510\nchr1\t700\t720\t.\t0\t-\n")
    data = seqcnn.read("bare.bed", genome="g.fa", width=30, negatives="shuffle")
    assert data.ids[:2] == ("chr1:500-510", "chr1:700-720(-)")
    assert str(data.places.places()[0]) == "1:490-520"


def test_a_packed_genome_is_copied_on_request(desk, monkeypatch, capsys):
    pysam = pytest.importorskip("pysam")
    monkeypatch.setenv("XDG_CACHE_HOME", str(desk / "cache"))
    pysam.tabix_compress("g.fa", "packed.fa.gz")
    plain = seqcnn.read("peaks.bed", genome="g.fa", width=60)
    for cache, kept in ((False, 0), (True, 1)):
        data = seqcnn.read("peaks.bed", genome="packed.fa.gz", width=60, cache=cache)
        assert np.array_equal(data.raw.buffer, plain.raw.buffer)
        assert len(list(desk.rglob("*.letters"))) == kept
    assert any(note.startswith("--cache: an unpacked copy was made, 0.0 MB in") for note in data.summary.notes)


def test_coding_features_of_e_coli_are_its_proteins(tmp_path):
    names = ("ecoli_K12_MG1655.NC_000913.3.fna.gz", "ecoli_K12_MG1655.gff.gz", "ecoli_K12_MG1655.protein.faa.gz")
    packed, features, proteins = (SHARED / "genomes_small" / name for name in names)
    if not proteins.exists():
        pytest.skip("genomes_small is absent")
    (tmp_path / "ecoli.fa").write_bytes(gzip.decompress(packed.read_bytes()))
    with gzip.open(proteins, "rt") as stream:
        known = {str(record.seq)[1:] for record in SeqIO.parse(stream, "fasta")}
    records = list(Regions(tmp_path / "ecoli.fa", feature="CDS").windows(str(features)))[::10]
    letters = [r.letters.decode() for r in records]
    whole = [Seq(one[: len(one) // 3 * 3]).translate(table=11).rstrip("*")[1:] for one in letters]
    assert len(records) == 434 and sum(str(one) in known for one in whole) >= 428  # a few frames are shifted or joined
