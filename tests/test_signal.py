"""Tests of targets of intervals: columns of BED files, tables joined by id, and the signal of bigWig tracks."""

import json
from pathlib import Path

import numpy as np
import pytest

import seqcnn
from seqcnn.cli import main
from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.interval import Intervals
from seqcnn.io.bigwig import Track
from seqcnn.options import DataOptions
from seqcnn.workflow.read import read

pyBigWig = pytest.importorskip("pyBigWig")

LENGTHS = {"1": 9000, "2": 333}
COMMON = ["--network", "deepbind", "--epochs", "1", "--folds", "0", "--no-baselines"]


def values_of(seed: int) -> dict[str, np.ndarray]:
    """Return the value at each position, NaN where there is none."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, length in LENGTHS.items():
        values = np.repeat(rng.normal(2, 3, length), rng.integers(1, 9, length))[:length].astype(np.float32)
        for start in rng.integers(0, length, length // 100):
            values[start : start + 60] = np.nan
        found[name] = values
    return found


def write_track(path: Path, values: dict[str, np.ndarray], names: dict[str, str] | None = None) -> None:
    track = pyBigWig.open(str(path), "w")
    names = names or {}
    track.addHeader([(names.get(name, name), len(found)) for name, found in values.items()])
    for name, found in values.items():
        at = np.flatnonzero(~np.isnan(found))
        called = [names.get(name, name)] * len(at)
        track.addEntries(called, at.tolist(), ends=(at + 1).tolist(), values=found[at].astype(float).tolist())
    track.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A genome, 120 intervals with a score, and two tracks."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    Path("g.fa").write_text("".join(f">{n}\n{''.join(rng.choice(list('ACGT'), k))}\n" for n, k in LENGTHS.items()))
    rows = []
    for i in range(120):
        start = 5 + 74 * i
        split = "train" if i < 90 else "test"
        rows.append(("chr1", start, start + 40, f"p{i}", round(rng.normal(), 3), "+-."[i % 3], split, "ab"[i % 2]))
    Path("p.bed").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    Path("named.bed").write_text(
        "#chrom\tstart\tend\tname\texpression\tstrand\tpart\tkind\n" + Path("p.bed").read_text()
    )
    write_track(Path("t.bw"), values_of(1))
    write_track(Path("u.bw"), values_of(2), {"1": "chr1", "2": "chr2"})
    return tmp_path


def read_like(model: seqcnn.Model, **options: object) -> seqcnn.Dataset:
    return read("p.bed", DataOptions(genome=Path("g.fa"), **options), like=model)


def cells(column: int) -> list[str]:
    return [line.split("\t")[column] for line in Path("p.bed").read_text().splitlines()]


@pytest.mark.parametrize("by", ["mean", "max", "total"])
def test_the_signal_over_windows_is_that_of_numpy(by, desk):
    rng = np.random.default_rng(3)
    rows = []
    for name, length in LENGTHS.items():
        for _ in range(200):
            start = int(rng.integers(-20, length - 1))
            rows.append((name, start, start + int(rng.integers(1, 90)), 0))
    values = values_of(1)
    wanted = []
    for name, start, end, _ in rows:
        found = values[name][max(start, 0) : max(end, 0)].astype(float)
        known = found[~np.isnan(found)]
        one = {"mean": known.sum() / (end - start), "total": known.sum(), "max": known.max(initial=-np.inf)}[by]
        wanted.append(one if len(known) else np.nan)
    assert np.isnan(wanted).any() and np.isfinite(wanted).sum() > 300
    found = Track("t.bw").over(Intervals.of(rows), by, LENGTHS)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_tracks_are_targets_of_the_windows_that_are_read(desk):
    data = seqcnn.read("p.bed", genome="g.fa", width=60, signal=["t.bw", "second=u.bw"], signal_by="total")
    assert (data.task, data.labels, len(data)) == ("regression", ("t", "second"), 120)
    for column, seed in enumerate((1, 2)):
        found = np.nan_to_num(values_of(seed)["1"].astype(float))
        wanted = [found[max(0, p.start) : p.end].sum() for p in data.places.places()]
        np.testing.assert_allclose(data.targets[:, column], wanted, rtol=1e-9, atol=1e-9)
    assert data.ids[:2] == ("p0", "p1") and data.places.widths.tolist() == [60] * 120
    notes = " | ".join(data.summary.notes)
    assert "chromosomes called otherwise in u.bw: 1 is read as chr1" in notes
    assert "target 't': total of t.bw over each window" in notes
    assert [source.name for source in data.summary.sources] == ["p", "signal", "signal"]


def test_windows_left_out_at_the_edge_take_their_targets_along(desk):
    data = seqcnn.read("p.bed", genome="g.fa", width=60, edge="drop", target="score")
    assert len(data) == 119 and data.ids[0] == "p1"
    assert data.targets[:, 0].tolist() == [float(cell) for cell in cells(4)[1:]]


def test_windows_without_any_value_count_as_0_and_are_counted(desk):
    write_track(Path("sparse.bw"), {"1": np.where(np.arange(9000) < 300, 1.5, np.nan), "2": np.full(333, 1.0)})
    data = seqcnn.read("p.bed", genome="g.fa", signal="sparse.bw")
    assert data.targets[:4, 0].tolist() == [1.5] * 4 and data.targets[4:, 0].max() == 0
    assert "windows in which sparse.bw has no value, taken as 0: 116" in data.summary.notes


@pytest.mark.parametrize("column", ["score", "5"])
def test_a_column_of_a_bed_file_is_the_target_by_name_or_number(column, desk):
    data = seqcnn.read("p.bed", genome="g.fa", target=column)
    assert (data.task, data.labels, data.ids[0]) == ("regression", ("score",), "p0")
    assert data.targets[:, 0].tolist() == [float(cell) for cell in cells(4)]
    plain = seqcnn.read("p.bed", genome="g.fa", negatives="shuffle")
    assert all(np.array_equal(a, b) for a, b in zip(data.raw, plain.raw, strict=False))
    assert data.places.places() == plain.places.places()[:120]


def test_a_line_of_names_names_the_columns(desk):
    data = seqcnn.read("named.bed", genome="g.fa", target=["expression"], where="part=test", id="name")
    assert data.labels == ("expression",) and data.ids == tuple(f"p{i}" for i in range(90, 120))
    two = seqcnn.read("named.bed", genome="g.fa", target="kind", positive="b", split="column:part")
    assert (two.task, two.labels) == ("binary", ("a", "b"))
    assert two.parts.tolist() == ["train"] * 90 + ["test"] * 30
    grouped = seqcnn.read("named.bed", genome="g.fa", target="5", split="group:8", weight="start")
    assert grouped.groups.tolist() == [0, 1] * 60 and grouped.weights[:2].tolist() == [5, 79]
    with pytest.raises(DataError, match="named.bed, line 2, column 'kind': 'a' is no part"):
        seqcnn.read("named.bed", genome="g.fa", target="5", split="column:kind")


def test_standard_columns_of_peaks_have_their_names(desk):
    row = "1\t{}\t{}\tx{}\t7\t.\t{}\t3\t2\t20\n"
    Path("a.narrowPeak").write_text(
        "track type=narrowPeak\n" + "".join(row.format(50 * i, 50 * i + 40, i, i / 7) for i in range(99))
    )
    data = seqcnn.read("a.narrowPeak", genome="g.fa", width=30, target="signalValue")
    np.testing.assert_array_equal(data.targets[:, 0], np.arange(99) / 7)
    assert data.places.starts.tolist() == [50 * i + 5 for i in range(99)]
    several = seqcnn.read("a.narrowPeak", genome="g.fa", target=["signalValue", "start"])
    assert (several.task, several.labels) == ("regression", ("signalValue", "start"))


@pytest.mark.parametrize("named", [True, False])
def test_a_table_is_joined_by_the_names_of_intervals_or_their_places(named, desk):
    rows = [line.split("\t") for line in Path("p.bed").read_text().splitlines()]
    if not named:
        Path("p.bed").write_text("".join("\t".join(row[:3]) + "\n" for row in rows))
    ids = [row[3] if named else f"{row[0]}:{row[1]}-{row[2]}" for row in rows]
    Path("t.csv").write_text("id,y\n" + "".join(f"{name},{i / 3}\n" for i, name in reversed(list(enumerate(ids)))))
    data = seqcnn.read("p.bed", genome="g.fa", targets="t.csv", width=50)
    np.testing.assert_allclose(data.targets[:, 0], np.arange(120) / 3)
    assert data.ids == tuple(ids) and data.places.places()[1][1:3] == (74, 124)


def test_every_verb_takes_a_signal_and_evaluation_asks_for_it(desk, capsys):
    windows = ["--genome", "g.fa", "--width", "40"]
    Path("q.bed").write_text("".join(f"1\t{i}\t{i + 40}\n" for i in range(30, 3000, 91)))
    learn = ["--signal", "t.bw", "--test", "q.bed", "--cache", *COMMON, "-o", "m.safetensors"]
    assert main(["train", "p.bed", *windows, *learn]) == 0
    said = capsys.readouterr()
    assert "test data: 32 records; left out: 1 trained on" in said.out
    assert "report m.safetensors p.bed --genome g.fa --width 40 --cache --signal t.bw -o report.html" in said.err
    assert seqcnn.load("m.safetensors").labels == ("t",)
    assert main(["evaluate", "m.safetensors", "p.bed", *windows]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "the model's task is regression of t, and no targets are given; pass --signal TRACK, --target" in error
    other = [*windows, "--signal", "another=u.bw", "--signal-by", "max"]
    assert main(["evaluate", "m.safetensors", "p.bed", *other, "--json", "-"]) in (0, 2)
    assert main(["evaluate", "m.safetensors", "q.bed", *other, "--json", "e.json"]) == 0
    assert json.loads(Path("e.json").read_text())["task"] == "regression"
    assert main(["report", "m.safetensors", "q.bed", *other, "-o", "r.html"]) == 0
    assert main(["motifs", "m.safetensors", "q.bed", *other, "-o", "motifs"]) == 0
    capsys.readouterr()


def test_a_model_of_a_column_finds_it_again(desk, capsys):
    windows = ["--genome", "g.fa"]
    assert main(["train", "p.bed", *windows, "--target", "score", *COMMON, "-o", "m.safetensors"]) == 0
    model = seqcnn.load("m.safetensors")
    again = read_like(model)
    assert again.labels == ("score",) and again.targets[:, 0].tolist() == [float(cell) for cell in cells(4)]
    assert main(["train", "p.bed", *windows, "--target", "8", "--positive", "a", *COMMON, "-o", "n.safetensors"]) == 0
    with pytest.raises(DataError, match="p.bed: one file for a model of b, a; pass --target COLUMN of the BED file"):
        read_like(seqcnn.load("n.safetensors"))
    with pytest.raises(DataError, match="--signal: the model's task is binary, not regression"):
        read_like(seqcnn.load("n.safetensors"), signal=("t.bw",))
    with pytest.raises(DataError, match=r"--signal: 2 tracks for a model of 1 \(score\); give as many"):
        read_like(model, signal=("t.bw", "u.bw"))
    capsys.readouterr()


def test_features_take_a_signal_too(desk):
    Path("a.gff").write_text("chr1\t.\tgene\t101\t180\t.\t-\t.\tID=g1\nchr1\t.\tgene\t401\t480\t.\t+\t.\tID=g2\n")
    data = seqcnn.read("a.gff", genome="g.fa", feature="gene", signal="t.bw")
    found = np.nan_to_num(values_of(1)["1"].astype(float))
    np.testing.assert_allclose(data.targets[:, 0], [found[100:180].mean(), found[400:480].mean()])


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"signal": "none.bw"}, InputFileError, "none.bw: no such file"),
        ({"signal": "p.bed"}, FormatError, "p.bed is no bigWig; expected a .bw file"),
        ({"signal": "t.bw", "target": "score"}, OptionError, "--signal and --target: pass one of the two"),
        ({"signal": "t.bw", "targets": "x.csv"}, OptionError, "--signal and --targets: pass one of the two"),
        ({"signal": ["t.bw", "t.bw"]}, OptionError, "--signal t.bw: there is a column 't' already; call it NAME=t.bw"),
        ({"signal_by": "max"}, OptionError, "--signal-by max: belongs to --signal; none is given"),
        ({"signal": "t.bw", "signal_by": "median"}, OptionError, "--signal-by"),
        ({"target": "scor"}, FormatError, r"p.bed: no column 'scor' \(--target\); .*did you mean 'score'"),
        ({"target": "name"}, DataError, "p.bed, column 'name': 120 different texts in 120 rows are neither"),
        ({"target": "score", "weight": "8"}, DataError, "p.bed, line 1, column 'thickEnd': expected a weight of 0"),
        ({"weight": "score"}, OptionError, "--weight: belongs to a table, --targets, or a BED file with --target"),
    ],
)
def test_what_cannot_be_used_is_said(options, error, said, desk):
    with pytest.raises(error, match=said):
        seqcnn.read("p.bed", genome="g.fa", **options)


def test_a_wrong_cell_and_a_short_line_are_named_with_their_line(desk):
    lines = Path("p.bed").read_text().splitlines()
    lines[7] = lines[7].replace(lines[7].split("\t")[4], "high")
    Path("q.bed").write_text("# made\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match="q.bed, line 9, column 'score': 'high' is not a number"):
        seqcnn.read("q.bed", genome="g.fa", target="score")
    lines[7] = "chr1\t7\t9"
    Path("q.bed").write_text("# made\n" + "\n".join(lines) + "\n")
    with pytest.raises(FormatError, match="q.bed, line 9: expected 8 columns as in the lines above, found 3"):
        seqcnn.read("q.bed", genome="g.fa", target="score")


def test_tracks_of_other_genomes_are_refused(desk):
    write_track(Path("few.bw"), {"2": np.full(333, 1.0)})
    with pytest.raises(DataError, match=r"few.bw has no chromosome '1'.*; it has 2 .120 of 120 intervals lie on such"):
        seqcnn.read("p.bed", genome="g.fa", signal="few.bw")
    write_track(Path("long.bw"), {"1": np.full(9001, 1.0)})
    with pytest.raises(DataError, match="long.bw: 1 is 9,001 long, 1 of the genome 9,000; is this track of another"):
        seqcnn.read("p.bed", genome="g.fa", signal="long.bw")
    with pytest.raises(OptionError, match="--signal: belongs to intervals of a genome; g.fa holds none"):
        seqcnn.read("g.fa", signal="t.bw")


def test_a_hole_in_a_track_is_no_zero(desk):
    data = bytearray(Path("t.bw").read_bytes())
    middle = len(data) // 3
    data[middle : middle + 500] = bytes(500)
    Path("hole.bw").write_bytes(data)
    places = Intervals.of([("1", i, i + 50, 0) for i in range(0, 8900, 50)])
    with pytest.raises(FormatError, match="hole.bw: the bigWig is truncated or damaged"):
        Track("hole.bw").over(places, "mean", LENGTHS)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_track_cut_anywhere_gives_an_error_or_the_right_values(share, desk):
    whole = Path("t.bw").read_bytes()
    Path("cut.bw").write_bytes(whole[: int(len(whole) * share)])
    places = Intervals.of([("1", i, i + 50, 0) for i in range(0, 8900, 50)])
    try:
        found = Track("cut.bw").over(places, "mean", LENGTHS)
    except FormatError as error:
        assert "cut.bw" in str(error) and "truncated" in str(error)
    else:
        np.testing.assert_array_equal(found, Track("t.bw").over(places, "mean", LENGTHS))
