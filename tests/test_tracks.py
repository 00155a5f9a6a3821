"""Scores as tracks and tables that other tools read: formats in their own readers, places on a genome, peaks."""

import gzip
import sys
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from small_models import dna_model, letters, picture_model, protein_model

from seqcnn.alphabet import DNA
from seqcnn.cli import main
from seqcnn.data.sources import records as records_module
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import AlphabetError, DataError, DiskFullError, MissingExtraError, OptionError, OutputFileError
from seqcnn.interval import Place
from seqcnn.io import bigwig_writing as bigwig_module
from seqcnn.io import parquet as parquet_module
from seqcnn.io.layout import format_of, paths_of
from seqcnn.io.writing import atomic_path
from seqcnn.model.model import Model
from seqcnn.names import Names
from seqcnn.networks import create
from seqcnn.options import ScoreOptions
from seqcnn.sequence import Sequences, encode, shuffle_sequences
from seqcnn.tasks.regression import Regression
from seqcnn.tiling import Nearest, Run, Windows
from seqcnn.workflow import inputs as inputs_module
from seqcnn.workflow import peaks as peaks_module
from seqcnn.workflow.answers import Answers
from seqcnn.workflow.peaks import Chance, Runs
from seqcnn.workflow.score import score

MODEL = dna_model()
#: What is read of a genome: unsorted, overlapping, on both strands, over both edges, in chromosome names of two styles.
BED = (
    "track name=x\nchrB\t0\t10\ttop\t0\t-\nA\t150\t260\tfar\t0\t+\nchrA\t100\t190\tleft\t0\t-\nA\t100\t190\n"
    "A\t120\t133\tsmall\t0\t.\nB\t80\t90\tend\t0\t+\n"
)


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype={"id": str, "chromosome": str}, keep_default_na=False)


def lines(path: Path) -> list[list[str]]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    return [line.split("\t") for line in text.splitlines()]


def painted(rows: pd.DataFrame, lengths: dict[str, int]) -> dict[str, np.ndarray]:
    """What a track holds of windows, position by position: the score of the window whose center is the nearest."""
    found = {name: np.full(size, np.nan) for name, size in lengths.items()}
    for name, values in found.items():
        mine = rows[rows.chromosome == name]
        spans = list(zip(mine.chrom_start, mine.chrom_end, mine.score, strict=True))
        for x in range(len(values)):
            near = [(abs(2 * x + 1 - a - b), a + b, v) for a, b, v in spans if a <= x < b]
            if near:
                values[x] = min(near, key=lambda item: item[:2])[2]
    return found


def read_bigwig(path: Path) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    bigwig = pytest.importorskip("pyBigWig")
    with bigwig.open(str(path)) as track:
        sizes = track.chroms()
        return sizes, {name: np.array(track.values(name, 0, size)) for name, size in sizes.items()}


def read_bedgraph(path: Path, lengths: dict[str, int]) -> dict[str, np.ndarray]:
    found = {name: np.full(size, np.nan) for name, size in lengths.items()}
    last = ("", 0)
    for name, start, end, value in lines(path):
        assert int(start) < int(end) and (name != last[0] or int(start) >= last[1])
        assert np.isnan(found[name][int(start) : int(end)]).all()
        found[name][int(start) : int(end)] = float(value)
        last = (name, int(end))
    return found


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    one, two = letters(2, 150, 190, seed=5)
    path = tmp_path / "some.fa"
    path.write_text(f">one x\n{one}\n>tiny\nACGTACGTACGTA\n>two\n{two}\n")
    return path


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A genome of two chromosomes and intervals on it, in the working folder."""
    monkeypatch.chdir(tmp_path)
    genome = dict(zip("AB", letters(2, 90, 320, seed=3), strict=True))
    genome = {"A": (genome["A"] * 4)[:320], "B": (genome["B"] * 2)[:91]}
    Path("g.fa").write_text("".join(f">{name}\n{sequence}\n" for name, sequence in genome.items()))
    Path("r.bed").write_text(BED)
    return genome


WINDOWS = ScoreOptions(window=40, step=15)


@pytest.mark.parametrize("chunk", [100, 1 << 19])
def test_tracks_of_fasta_hold_what_the_table_says(
    chunk: int, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs_module, "CHUNK", chunk)
    monkeypatch.setattr(parquet_module, "GROUP", 4)
    for name in ("o.tsv", "o.bed", "o.bedGraph", "o.bw", "o.parquet"):
        score(MODEL, fasta, WINDOWS, output=tmp_path / name)
    rows = table(tmp_path / "o.tsv")
    assert list(rows) == ["id", "start", "end", "length", "score"]
    bed = lines(tmp_path / "o.bed")
    assert [row[:4] for row in bed] == [[i, str(a), str(b), i] for i, a, b in rows.iloc[:, :3].to_numpy()]
    assert [row[4:6] for row in bed] == [[str(round(1000 * v)), "."] for v in rows.score]
    assert [float(row[6]) for row in bed] == rows.score.tolist()
    lengths = dict(zip(rows.id, rows.length, strict=True))
    expected = painted(rows.rename(columns={"id": "chromosome", "start": "chrom_start", "end": "chrom_end"}), lengths)
    graph = read_bedgraph(tmp_path / "o.bedGraph", lengths)
    sizes, wig = read_bigwig(tmp_path / "o.bw")
    assert list(sizes.items()) == list(lengths.items()) and [len(v) for v in wig.values()] == list(lengths.values())
    for name, values in expected.items():
        assert not np.isnan(values).any()
        np.testing.assert_array_equal(graph[name], values)
        np.testing.assert_allclose(wig[name], values, rtol=1e-5)
    whole = pd.read_parquet(tmp_path / "o.parquet")
    assert whole.dtypes.astype(str).tolist()[1:] == ["int64"] * 3 + ["float32"]
    pd.testing.assert_frame_equal(whole.astype(rows.dtypes), rows, rtol=1e-5)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("window", [None, 25])
def test_places_on_a_genome_are_those_of_the_letters_scored(window: int | None, desk: dict[str, str]) -> None:
    options = ScoreOptions(genome=Path("g.fa"), width=50, edge="pad", window=window, step=window and 10)
    done = score(MODEL, "r.bed", options, output="o.tsv")
    rows = table(Path("o.tsv"))
    assert list(rows) == [
        "id",
        "start",
        "end",
        "length",
        "score",
        "chromosome",
        "chrom_start",
        "chrom_end",
        "chrom_strand",
    ]
    assert "windows over the edge of a chromosome, padded with N: 2" in done.notes
    assert "chromosomes called otherwise in g.fa: chrB is read as B, and 1 more" in done.notes
    assert list(dict.fromkeys(rows.id)) == ["top", "far", "left", "A:100-190", "small", "end"]
    texts = []
    for row in rows.itertuples():
        text = desk[row.chromosome][row.chrom_start : row.chrom_end]
        missing = "N" * (row.end - row.start - len(text))
        text = missing + text if row.chrom_start == 0 else text + missing
        texts.append(str(Seq(text).reverse_complement()) if row.chrom_strand == "-" else text)
    forward = Model(MODEL.encoder, MODEL.network, MODEL.task, alphabet=DNA, longest=40, calibration=MODEL.calibration)
    score(forward, "r.bed", options, output="f.tsv")
    np.testing.assert_allclose(table(Path("f.tsv")).score, forward.predict(texts), rtol=1e-5)
    assert set(rows.chrom_strand) == {"+", "-", "."}


@pytest.mark.parametrize("window", [None, 20])
def test_tracks_of_unsorted_overlapping_intervals(window: int | None, desk: dict[str, str]) -> None:
    options, model = ScoreOptions(genome=Path("g.fa"), window=window, step=window and 7), dna_model()
    model.longest = 200
    for name in ("o.tsv", "o.bed.gz", "o.bedgraph.gz", "o.bigWig", "o.parquet"):
        score(model, "r.bed", options, output=name)
    rows = table(Path("o.tsv"))
    bed = [[row[k] for k in (3, 0, 1, 2, 5)] for row in lines(Path("o.bed.gz"))]
    assert bed == rows[["id", "chromosome", "chrom_start", "chrom_end", "chrom_strand"]].astype(str).to_numpy().tolist()
    lengths = {name: len(sequence) for name, sequence in desk.items()}
    graph, (sizes, wig) = read_bedgraph(Path("o.bedgraph.gz"), lengths), read_bigwig(Path("o.bigWig"))
    assert sizes == lengths
    for name, values in painted(rows, lengths).items():
        assert np.isnan(values).any() and np.isfinite(values).any()
        np.testing.assert_array_equal(graph[name], values)
        np.testing.assert_allclose(wig[name], values, rtol=1e-5)
    pd.testing.assert_frame_equal(pd.read_parquet("o.parquet").astype(rows.dtypes), rows, rtol=1e-5)


def test_packed_tracks_are_indexed_by_tabix(desk: dict[str, str]) -> None:
    pysam = pytest.importorskip("pysam")
    score(MODEL, "g.fa", WINDOWS, output="o.bedgraph.gz")
    pysam.tabix_index("o.bedgraph.gz", preset="bed")
    with pysam.TabixFile("o.bedgraph.gz") as track:
        found = [line.split("\t") for line in track.fetch("A", 100, 130)]
    assert found == [
        row for row in lines(Path("o.bedgraph.gz")) if row[0] == "A" and int(row[2]) > 100 and int(row[1]) < 130
    ]
    assert found


def test_windows_of_padding_alone_are_left_out_of_tracks(desk: dict[str, str]) -> None:
    Path("e.bed").write_text("A\t0\t2\tedge\t0\t-\n")
    options = ScoreOptions(genome=Path("g.fa"), width=80, window=20, step=20)
    for name in ("o.tsv", "o.bed", "o.bg"):
        score(MODEL, "e.bed", options, output=name)
    assert table(Path("o.tsv"))[["chrom_start", "chrom_end"]].to_numpy().tolist() == [[21, 41], [1, 21], [0, 1], [0, 0]]
    assert [row[1:3] for row in lines(Path("o.bed"))] == [["21", "41"], ["1", "21"], ["0", "1"]]
    assert [row[1:3] for row in lines(Path("o.bg"))] == [["0", "1"], ["1", "21"], ["21", "41"]]


def test_several_classes_are_a_file_each_or_one_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.fa"
    path.write_text(">x\nMKTAYIAKQR\n>y\nACDEFGHIKLMN\n")
    model = protein_model()
    score(model, path, output=tmp_path / "o.tsv")
    rows = table(tmp_path / "o.tsv")
    for suffix in (".bed", ".bedgraph", ".bw"):
        score(model, path, output=tmp_path / f"o{suffix}")
    for name in "abc":
        np.testing.assert_array_equal([float(row[6]) for row in lines(tmp_path / f"o.{name}.bed")], rows[name])
        np.testing.assert_array_equal([float(row[3]) for row in lines(tmp_path / f"o.{name}.bedgraph")], rows[name])
        _, wig = read_bigwig(tmp_path / f"o.{name}.bw")
        np.testing.assert_allclose([wig["x"][3], wig["y"][11]], rows[name], rtol=1e-5)
    score(model, path, ScoreOptions(column="b"), output=tmp_path / "b.bed")
    assert (tmp_path / "b.bed").read_text() == (tmp_path / "o.b.bed").read_text()
    score(model, path, ScoreOptions(column="b"), output=tmp_path / "b.tsv")
    assert table(tmp_path / "b.tsv").b.tolist() == rows.b.tolist() and list(table(tmp_path / "b.tsv"))[4:] == ["b"]
    score(model, path, ScoreOptions(top=2), output=tmp_path / "t.parquet")
    score(model, path, ScoreOptions(top=2), output=tmp_path / "t.tsv")
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "t.parquet"), table(tmp_path / "t.tsv"), check_dtype=False, rtol=1e-5
    )
    with pytest.raises(OptionError, match="columns a, b, c need a file each; name one with -o, or pass --column"):
        score(model, path, ScoreOptions(format="bed"))
    with pytest.raises(OptionError, match="--column: 'd' is not one of a, b, c"):
        score(model, path, ScoreOptions(column="d"))
    with pytest.raises(OptionError, match="--peaks: pass --column with one of a, b, c"):
        score(model, path, ScoreOptions(peaks=tmp_path / "p.narrowPeak"), output=tmp_path / "o.tsv")


def test_shades_of_probabilities_logits_and_numbers(tmp_path: Path) -> None:
    logits = MODEL.network(torch.zeros(1, 4, 1, 50)).detach().numpy().repeat(3, 0) + np.float32([[-9], [0], [9]])
    chances, raw = Answers(MODEL, ScoreOptions()), Answers(MODEL, ScoreOptions(output="logit"))
    np.testing.assert_allclose(
        chances.shades(chances.table(logits)), raw.shades(raw.table(logits)), atol=1e-6
    )  # of two classes both are the probability
    targets = np.exp(np.random.default_rng(0).normal(size=(400, 1)))
    network = create("deepbind", in_channels=4, outputs=1, filters=5, filter_width=4, hidden=0)
    model = Model(OneHot("dna"), network, Regression.fit(("level",), targets), alphabet=DNA, longest=30)
    for options in (ScoreOptions(), ScoreOptions(output="logit")):
        answers = Answers(model, options)
        shades = answers.shades(answers.table(np.float32([[-1.0], [0.0], [1.0]])))
        np.testing.assert_allclose(shades, [[0.1587, 0.5, 0.8413]], atol=1e-3)


@pytest.mark.parametrize(
    ("module", "name", "extra"), [("pyBigWig", "o.bw", "bigwig"), ("pyarrow", "o.parquet", "parquet")]
)
def test_a_missing_extra_is_named(
    module: str, name: str, extra: str, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"{name}: \w+ needs {module}; install seqcnn\[{extra}\]"):
        score(MODEL, fasta, WINDOWS, output=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["some.fa"]


def test_a_full_disk_leaves_no_bigwig(fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bigwig_module.os, "statvfs", lambda _: SimpleNamespace(f_bavail=7, f_frsize=4096))
        with pytest.raises(DiskFullError, match="o.bw: the disk is full"):
            score(MODEL, fasta, WINDOWS, output=tmp_path / "o.bw")
    monkeypatch.setattr(bigwig_module, "_LAST", b"else")  # the end is not as it should be: the file was cut short
    with pytest.raises(DiskFullError, match="o.bw: the disk is full; no partial file remains"):
        score(MODEL, fasta, WINDOWS, output=tmp_path / "o.bw")
    assert [p.name for p in tmp_path.iterdir()] == ["some.fa"]


@pytest.mark.parametrize("name", ["o.tsv.gz", "o.bed", "o.bg", "o.bw", "o.parquet"])
def test_what_fails_leaves_no_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_module, "CHUNK", 500)
    monkeypatch.setattr(records_module, "LETTERS", 500)
    path = tmp_path / "bad.fa"
    path.write_text("".join(f">r{i}\n{'ACGTTGCA' * 6}\n" for i in range(90)) + ">bad\nAC!T\n")
    with pytest.raises(AlphabetError, match="bad.fa, record bad, position 3"):
        score(MODEL, path, output=tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.fa"]


@pytest.mark.parametrize(
    ("options", "output", "said"),
    [
        ({"format": "bigwig"}, "-", "--format bigwig: cannot be written to standard output; name a file with -o"),
        ({"format": "parquet"}, "-", "--format parquet: cannot be written to standard output; name a file with -o"),
        ({}, "o.bw.gz", "o.bw.gz: bigwig is packed already; name it without .gz"),
        ({"format": "bed", "top": 2}, "o.bed", "the task is binary|--top: goes with tsv and parquet only"),
        ({"format": "bed", "neighbours": Path("some.fa")}, "o.tsv", "--neighbours: writes TSV of its own"),
        ({"column": "scoer"}, "o.tsv", "--column: 'scoer' is not one of score .did you mean 'score'"),
        ({"peaks": Path("o.tsv")}, "o.tsv", "o.tsv and o.tsv are one file; name two outputs"),
    ],
)
def test_what_does_not_go_together_is_refused(
    options: dict, output: str, said: str, fasta: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(fasta.parent)
    with pytest.raises(OptionError, match=said):
        score(MODEL, "some.fa", ScoreOptions(window=40, **options), output=output)
    assert [p.name for p in fasta.parent.iterdir()] == ["some.fa"]


def test_inputs_that_make_no_track(fasta: Path, desk: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--format bed: this model reads pictures, which lie on no chromosome"):
        score(picture_model(), tmp_path, output="o.bed")
    with pytest.raises(OptionError, match="--format bigwig: the lengths of all records must be known"):
        score(MODEL, "-", WINDOWS, output="o.bw")
    with pytest.raises(OptionError, match="--peaks: reads its input twice, standard input can be read once only"):
        score(MODEL, "-", ScoreOptions(window=40, peaks=Path("p.narrowPeak")), output="o.tsv")
    with pytest.raises(OptionError, match="--format bedgraph: intervals of several files overlap or mingle"):
        score(MODEL, ["r.bed", "r.bed"], ScoreOptions(genome=Path("g.fa")), output="o.bedgraph")
    for name in ("o.bg", "o.bw"):
        with pytest.raises(DataError, match="two records are called one; each is a chromosome of the track"):
            score(MODEL, [fasta, fasta], WINDOWS, output=name)
        Path("twice.fa").write_text(">a\nACGTACGTACGTAA\n>a\nACGTACGTACGTAA\n")
        with pytest.raises(DataError, match="two records are called a; each is a chromosome of the track"):
            score(MODEL, "twice.fa", output=name)
        assert not Path(name).exists()
    score(MODEL, "twice.fa", output="o.bed")
    assert len(lines(Path("o.bed"))) == 2
    with pytest.raises(OutputFileError, match="is a folder"):
        score(MODEL, fasta, WINDOWS, output=tmp_path)


def test_the_shell_writes_tracks_to_standard_output(desk: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    MODEL.save("m.safetensors")
    assert main(["score", "m.safetensors", "g.fa", "--window", "40", "--format", "bedgraph", "--quiet"]) == 0
    out, err = capsys.readouterr()
    score(MODEL, "g.fa", ScoreOptions(window=40), output="o.bg")
    assert (out, err) == (Path("o.bg").read_text(), "")
    assert (
        main(["score", "m.safetensors", "r.bed", "--genome", "g.fa", "--width", "50", "--edge", "drop", "-o", "o.bed"])
        == 0
    )
    assert "windows over the edge of a chromosome, left out: 2" in capsys.readouterr().err
    assert len(lines(Path("o.bed"))) == 4
    assert main(["score", "m.safetensors", "g.fa", "--window", "40", "--format", "wig"]) == 2
    assert "seqcnn: error: --format: 'wig' is not one of tsv, bed, bedgraph" in capsys.readouterr().err
    assert main(["score", "m.safetensors", "g.fa", "--window", "40", "--format", "bigwig"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_names_say_formats_and_files() -> None:
    names = ["a.BED", "a.bdg", "a.bg.gz", "a.bigWig", "a.parquet", "a.tsv.gz", "a.txt", "-", "bed"]
    formats = ["bed", "bedgraph", "bedgraph", "bigwig", "parquet", "tsv", "tsv", "tsv", "tsv"]
    assert [format_of(name) for name in names] == formats
    assert paths_of("no_suffix", ["a", "b"]) == ["no_suffix.a", "no_suffix.b"]
    with pytest.raises(OptionError, match="columns a b, a/b: file names of some would be the same"):
        paths_of("o.bw", ["a b", "a/b"])


def test_a_file_that_a_library_writes_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with atomic_path(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    path.chmod(0o600)
    with pytest.raises(ZeroDivisionError, match="division"), atomic_path(path) as partial:
        partial.write_text(str(1 / 0))
    with atomic_path(path) as partial:
        partial.write_text("newer")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("newer", 0o600)
    with pytest.raises(OutputFileError, match="/dev/null is a device or a pipe"), atomic_path("/dev/null"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), min_size=1, max_size=14)


@settings(max_examples=200, deadline=None)
@given(SPANS, st.integers(0, 14), st.booleans())
def test_stretches_belong_to_the_nearest_window(spans: list[tuple[int, int]], cut: int, whole: bool) -> None:
    spans = sorted((start, start + width + 1) for start, width in spans)
    if whole:  # of one record from its beginning on: only the first window starts there
        spans = [(0, 9), *(span for span in spans if span[0])]
    nearest, found = Nearest(), []
    for part, first in ((spans[:cut], 0), (spans[cut:], len(spans[:cut]))):
        if not part:
            continue
        starts, ends = np.array(part).T
        names = Names.of(["1"] * len(part))
        zeros, sizes = np.zeros_like(starts), np.full_like(starts, 200) if whole else ends - starts
        within = (starts, ends) if whole else (zeros, sizes)
        places = None if whole else (names, starts, ends, (-1) ** starts)
        windows = Windows(names, *within, sizes, places)
        found += chain.from_iterable(nearest.add(windows, np.arange(first, first + len(part))))
    found += nearest.rest()
    got = np.full(120, -1)
    last = 0
    for name, start, end, value in found:
        assert name == "1" and last <= start < end
        got[start:end], last = value, end
    for x in range(120):
        near = [(abs(2 * x + 1 - a - b), a + b, i) for i, (a, b) in enumerate(spans) if a <= x < b]
        assert got[x] == (min(near)[2] if near else -1)


def test_few_stretches_are_held_of_a_long_chromosome() -> None:
    nearest, held, count = Nearest(), [], 0
    for block in range(0, 40_000, 1000):
        windows = Windows.cut([Run("c", block, 100, 40_200)], window=200, step=10)
        count += sum(map(len, nearest.add(windows, windows.starts)))
        held.append(nearest._held.shape[1])
    assert max(held) <= 21 and count + len(nearest.rest()) == 4000


def test_p_and_q_values_are_those_of_the_procedures() -> None:
    rng = np.random.default_rng(0)
    observed, shuffled = np.sort(rng.normal(0.5, 1, 70)), np.sort(rng.normal(size=999).round(2))
    chance = Chance(observed, shuffled, 0.2)
    p = np.array([(1 + (shuffled >= value).sum()) / 1000 for value in observed])
    np.testing.assert_allclose(chance.pvalues(observed), p)
    np.testing.assert_allclose(chance.qvalues(observed), false_discovery_control(p))
    assert chance.qvalues([-99.0, 99.0]).tolist() == [1.0, chance.qvalues(observed)[-1]]
    assert chance.threshold == observed[false_discovery_control(p) <= 0.2].min()


def test_the_false_discovery_rate_is_kept() -> None:
    """Of windows that are like shuffles nearly none stands out; of a mixture at most the share asked for is false."""
    rng = np.random.default_rng(0)
    none = [
        np.isfinite(Chance(np.sort(rng.normal(size=150)), np.sort(rng.normal(size=4000)), 0.05).threshold)
        for _ in range(800)
    ]
    assert np.mean(none) < 0.07
    shares, power = [], []
    for _ in range(200):
        false, true = rng.normal(size=900), rng.normal(4, 1, size=100)
        chance = Chance(np.sort(np.concatenate([false, true])), np.sort(rng.normal(size=10_000)), 0.1)
        called = (false >= chance.threshold).sum(), (true >= chance.threshold).sum()
        shares.append(called[0] / max(1, sum(called)))
        power.append(called[1] / 100)
    assert np.mean(shares) < 0.11 and np.mean(power) > 0.8


MOTIF = "TGACGTCATC"


def motif_model() -> Model:
    """A model that finds MOTIF on the strand given, by one filter."""
    network = create("deepbind", in_channels=4, outputs=1, filters=1, filter_width=10, hidden=0)
    with torch.no_grad():
        network.conv.weight.zero_()
        for i, letter in enumerate(MOTIF):
            network.conv.weight[0, "ACGT".index(letter), 0, i] = 1
        network.conv.bias.fill_(-7)
        network.out.weight.fill_(4)
        network.out.bias.fill_(-6)
    return Model(OneHot("dna"), network, dna_model().task, alphabet=DNA, longest=100, strands="both")


def planted(rng: np.random.Generator, size: int, every: int) -> tuple[str, list[int]]:
    chromosome, at = rng.choice(list("ACGT"), size), list(range(every, size - every, every))
    for place in at:
        chromosome[place : place + 10] = list(MOTIF)
    return "".join(chromosome), at


def test_planted_motifs_are_peaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks_module, "_SHUFFLES", 4000)
    text, at = planted(np.random.default_rng(1), 30_000, 1100)
    (tmp_path / "c.fa").write_text(f">c\n{text}\n")
    options = ScoreOptions(window=100, step=20, peaks=tmp_path / "p.narrowPeak", fdr=0.1)
    done = score(motif_model(), tmp_path / "c.fa", options, output=tmp_path / "o.tsv")
    found = lines(tmp_path / "p.narrowPeak")
    summits = np.array([int(row[1]) + int(row[9]) for row in found])
    assert {len(row) for row in found} == {10} and [row[3] for row in found[:2]] == ["peak1", "peak2"]
    distances = [np.abs(summits - place - 5).min() for place in at]
    assert max(distances) <= 50 and np.median(distances) <= 10
    assert len(found) <= len(at) * 1.15
    assert f"{len(found)} peaks with a score of" in done.notes[-1] and "4,000 dinucleotide shuffles" in done.notes[-1]
    rows = table(tmp_path / "o.tsv")
    for name, start, end, _, mark, strand, value, p, q, offset in found:
        inside = rows[(rows.start >= int(start)) & (rows.end <= int(end))]
        assert (name, strand) == ("c", ".") and float(value) == inside.score.max()
        assert float(q) >= 1 and float(p) > float(q) and int(mark) == min(1000, round(100 * float(q)))
        assert 0 <= int(offset) < int(end) - int(start)
    again = ScoreOptions(window=100, step=20, peaks=tmp_path / "q.narrowPeak", fdr=0.1)
    score(motif_model(), tmp_path / "c.fa", again, output=tmp_path / "o.tsv")
    assert (tmp_path / "q.narrowPeak").read_text() == (tmp_path / "p.narrowPeak").read_text()


def test_shuffled_sequence_has_no_peaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks_module, "_SHUFFLES", 3000)
    false = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        text, _ = planted(rng, 6000, 300)
        pieces = Sequences.from_codes([encode(text, DNA)])
        shuffled = shuffle_sequences(pieces, rng).buffer
        (tmp_path / "c.fa").write_text(">c\n" + "".join("ACGT"[code] for code in shuffled) + "\n")
        options = ScoreOptions(window=60, peaks=tmp_path / "p.narrowPeak", seed=seed)
        done = score(dna_model(seed=seed), tmp_path / "c.fa", options, output=tmp_path / "o.tsv")
        false += len(lines(tmp_path / "p.narrowPeak"))
    assert false <= 1
    assert "no peaks: windows do not score higher than 3,000 dinucleotide shuffles of 199 windows" in done.notes[-1]


def test_peaks_of_intervals_lie_on_the_genome(desk: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks_module, "_SHUFFLES", 3000)
    text, at = planted(np.random.default_rng(2), 20_000, 500)
    Path("c.fa").write_text(f">c\n{text}\n")
    starts = [*(place - 30 for place in at[:12]), *range(200, 18_000, 250)]
    Path("c.bed").write_text("".join(f"c\t{s}\t{s + 70}\tr{i}\t0\t{'+-'[i % 2]}\n" for i, s in enumerate(starts)))
    options = ScoreOptions(genome=Path("c.fa"), peaks=Path("p.narrowPeak"))
    score(motif_model(), "c.bed", options, output="o.bed")
    peaks = lines(Path("p.narrowPeak"))
    assert {int(row[1]) for row in peaks} >= set(starts[:12])
    assert {row[5] for row in peaks} == {"+", "-"} and {int(row[2]) - int(row[1]) for row in peaks} == {70}


def test_runs_join_what_overlaps_whichever_way_it_is_read() -> None:
    places = [Place("c", s, s + 15, -1) for s in (50, 40, 30, 0)]
    windows = Windows.cut([Run("r", 0, 1, 15, place) for place in places], sizes={"c": 90})
    runs = Runs(1.0)
    assert runs.add(windows, [2.0, 2.0, 1.0, 3.0]) == [(Place("c", 30, 65, -1), 52, 2.0)]
    assert runs.rest() == [(Place("c", 0, 15, -1), 7, 3.0)] and runs.rest() == []


def test_windows_are_drawn_evenly() -> None:
    chunks = [Sequences.from_codes([np.array([i], np.uint8) for i in range(k, k + 5)]) for k in range(0, 100, 5)]
    counts = np.zeros(100)
    for seed in range(300):
        drawn = peaks_module._drawn(chunks, 10, np.random.default_rng(seed))
        assert len(drawn) == 10 and len(set(drawn.buffer.tolist())) == 10
        counts[drawn.buffer] += 1
    assert abs(counts - 30).max() < 25  # five standard deviations


def test_letters_are_counted_once_where_lengths_are_read_first(tmp_path: Path) -> None:
    pytest.importorskip("pyBigWig")
    (tmp_path / "x.fa").write_text(f">one\n{letters(1, 50, 50, seed=3)[0].lower()}NN\n")
    table_of, track = (score(MODEL, tmp_path / "x.fa", output=tmp_path / name) for name in ("o.tsv", "o.bw"))
    assert track == table_of and track.replaced == {"soft-masked": 50, "N": 2}
