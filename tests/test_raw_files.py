"""Every encoder goes through the model file: a model, and raw files elsewhere, give the numbers of training."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from seqcnn.cli import main
from seqcnn.model.file import load
from seqcnn.options import DataOptions, TrainOptions
from seqcnn.registry import names, resolve
from seqcnn.workflow.read import read
from seqcnn.workflow.train import train

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
QUICK = {"epochs": 1, "folds": 0, "baselines": False, "precision": "32", "test": ("0.2",)}
CLASSES, EACH = ("bad", "good"), 12


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same numbers, alone or after others."""
    RNG.bit_generator.state = START


def picture(path: Path, i: int, kind: int) -> None:
    """Mostly grey pictures of one size; some larger, or in color."""
    image = pytest.importorskip("PIL.Image", reason="pillow is an extra")
    shape = [(16, 18), (16, 18), (20, 17), (16, 18, 3), (16, 18)][i % 5]
    image.fromarray(RNG.integers(0, 200 + 40 * kind, shape, dtype=np.uint8)).save(path.with_suffix(".png"))


def recording(path: Path, i: int, kind: int) -> None:
    """Mostly mono recordings of one rate; some of another, or stereo."""
    rate = 11025 if i % 5 == 2 else 8000
    tone = np.sin(np.arange(rate // 20 + 9 * i) * (0.2 + 0.3 * kind)) + 0.1 * RNG.normal(size=rate // 20 + 9 * i)
    wave = np.stack([tone, tone / 2], 1) if i % 5 == 3 else tone
    wavfile.write(path.with_suffix(".wav"), rate, (wave * 9000).astype(np.int16))


def trajectory(path: Path, i: int, kind: int) -> None:
    time = np.cumsum(RNG.uniform(5, 20, 20 + i))
    turn = np.linspace(0, 3 + kind, len(time))
    rows = [
        f"{t:.1f},{300 + 90 * np.cos(a):.2f},{200 * np.sin(a):.2f},{a > 2}" for t, a in zip(time, turn, strict=True)
    ]
    path.with_suffix(".csv").write_text("\n".join(["t,x,y,click", *rows]) + "\n")


def anything(path: Path, i: int, kind: int) -> None:
    path.with_suffix((".bin", ".tsv", ".txt")[i % 3]).write_bytes(
        RNG.integers(0, 120 + 100 * kind, 60 + 31 * i, np.uint8)
    )


MAKE = {"picture": picture, "recording": recording, "trajectory": trajectory, "file": anything}


def folder(root: Path, files: str) -> Path:
    for kind, name in enumerate(CLASSES):
        (root / name).mkdir(parents=True)
        for i in range(EACH):
            MAKE[files](root / name / f"{i:02}", i, kind)
    return root


def table(path: Path, *, labelled: bool = True) -> Path:
    """Series of unequal length with gaps, in the layout of the UCR archive."""
    rng = np.random.default_rng(1)
    with path.open("w") as out:
        for i in range(2 * EACH):
            values = [
                f"{v:.4f}" for v in np.sin(np.arange(30 + i % 7) * (0.2 + 0.3 * (i % 2))) + rng.normal(size=30 + i % 7)
            ]
            values[5 + i] = "NaN" if i % 4 == 0 else values[5 + i]
            out.write("\t".join([*([str(i % 2 + 1)] if labelled else []), *values]) + "\n")
    return path


def options_of(name: str) -> DataOptions:
    """Small pictures, so that the tests are quick."""
    return DataOptions(input=name, size=None if name == "series" else 12)


def scores(path: Path) -> dict[str, list[float]]:
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return {row[0]: [float(cell) for cell in row[4:]] for row in rows}


CASES = [
    (name, resolve("encoder", name).files) for name in names("encoder") if resolve("encoder", name).raw_kind != "codes"
]
CASES += [(name, "table") for name, files in CASES if files == "recording"]


def test_every_kind_of_file_has_an_example():
    assert {files for _, files in CASES} <= {*MAKE, "table"}


@pytest.mark.parametrize("name, files", CASES)
def test_a_model_and_raw_files_elsewhere_give_the_same_numbers(name, files, tmp_path, monkeypatch, capsys):
    source = tmp_path / "data"
    source.mkdir()
    source = table(source / "a.tsv") if files == "table" else folder(source / "files", files)
    data = read(source, options_of(name))
    assert data.encoder == name and data.kind == resolve("encoder", name).raw_kind
    model = train(data, TrainOptions(network="deepbind", **QUICK))
    wanted = dict(zip(data.ids, model.predict(data).tolist(), strict=True))
    assert np.isfinite(list(wanted.values())).all() and np.ptp(list(wanted.values())) > 0
    elsewhere = tmp_path / "a" / "b"
    elsewhere.mkdir(parents=True)
    model.save(elsewhere / "m.safetensors")
    raw = shutil.move(source, elsewhere / ("raw.tsv" if files == "table" else "raw"))
    monkeypatch.chdir(elsewhere)
    again = load("m.safetensors")
    assert again.encoder.config() == model.encoder.config()
    np.testing.assert_allclose(again.predict(data), model.predict(data), rtol=1e-6)

    assert main(["score", "m.safetensors", raw.name, "-o", "s.tsv", "--quiet"]) == 0
    found = scores(Path("s.tsv"))
    assert list(found) == list(data.ids)
    np.testing.assert_allclose([found[i][0] for i in data.ids], [wanted[i] for i in data.ids], rtol=1e-4, atol=1e-6)
    if files == "table":
        bare = table(Path("bare.tsv"), labelled=False)
        assert main(["score", "m.safetensors", str(bare), "-o", "bare.out", "--quiet"]) == 0
        assert list(scores(Path("bare.out"))) == list(data.ids)
    else:
        one = next(p for p in sorted(raw.rglob("*")) if p.is_file())
        assert main(["score", "m.safetensors", str(one), "-o", "one.tsv", "--quiet"]) == 0
        [alone] = scores(Path("one.tsv")).values()
        assert alone[0] == pytest.approx(wanted[str(one.relative_to(raw))], rel=1e-3, abs=1e-5)

    assert main(["evaluate", "m.safetensors", raw.name, "--json", "f.json", "--predictions", "p.tsv", "--quiet"]) == 0
    rows = [line.split("\t") for line in Path("p.tsv").read_text().splitlines()[1:]]
    for identifier, _, score in rows:
        assert float(score) == pytest.approx(wanted[identifier], rel=1e-3, abs=1e-5)
    assert "error" not in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name, files in CASES if files == "table"])
def test_values_in_the_columns_of_a_table_are_known_again(name, tmp_path, capsys):
    waves = [np.sin(np.arange(20) * (0.2 + 0.02 * i)) + 0.1 * RNG.normal(size=20) for i in range(24)]
    rows = [[f"r{i}", f"{i * 0.3:.1f}", "2", *(f"{v:.4f}" for v in wave)] for i, wave in enumerate(waves)]
    rows[4][-6:] = ["NaN", "", "", "", "", ""]
    head = ["id", "level", "w", *(f"v{i}" for i in range(20))]

    def write(path, columns):
        (tmp_path / path).write_text("".join(",".join(row[i] for i in columns) + "\n" for row in [head, *rows]))
        return str(tmp_path / path)

    options = DataOptions(input=name, target=("level",), weight="w")
    data = read(write("t.csv", range(23)), options)
    assert data.summary.columns == tuple(head[3:])
    model = train(data, TrainOptions(network="deepbind", **QUICK))
    model.save(tmp_path / "m.safetensors")
    for path, ids in (
        (write("t.csv", range(23)), [row[0] for row in rows]),
        (write("other.csv", [*range(22, 2, -1), 1]), [str(i) for i in range(1, 25)]),  # another order, without ids
    ):
        assert main(["score", str(tmp_path / "m.safetensors"), path, "-o", str(tmp_path / "s.tsv"), "--quiet"]) == 0
        found = scores(tmp_path / "s.tsv")
        assert list(found) == ids
        np.testing.assert_allclose(np.ravel(list(found.values())), model.predict(data), rtol=1e-4, atol=1e-5)
    again = read(tmp_path / "t.csv", DataOptions(target=("level",)), like=model)  # and the weights are no value
    np.testing.assert_array_equal(again.raw.values, data.raw.values)
    assert main(["score", str(tmp_path / "m.safetensors"), write("few.csv", range(9))]) == 2
    assert "few.csv: no column 'v6' (values of the series)" in capsys.readouterr().err


@pytest.mark.parametrize("name, files", [c for c in CASES if c[1] != "table"])
def test_files_that_a_table_names_are_scored_alike(name, files, tmp_path):
    root = folder(tmp_path / "files", files)
    paths = sorted(p for p in root.rglob("*") if p.is_file())
    level = {p: i * 0.5 + 0.1 for i, p in enumerate(paths)}
    listing = tmp_path / "t.csv"
    listing.write_text("which,level\n" + "".join(f"{p.relative_to(tmp_path)},{level[p]}\n" for p in paths))
    data = read(listing, replace(options_of(name), image="which", target=("level",)))
    assert data.task == "regression"
    model = train(data, TrainOptions(network="deepbind", **QUICK))
    model.save(tmp_path / "m.safetensors")
    out = tmp_path / "s.tsv"
    argv = ["score", tmp_path / "m.safetensors", listing, "--image", "which", "-o", out, "--quiet"]
    assert main([str(a) for a in argv]) == 0
    found = list(scores(out).values())
    np.testing.assert_allclose(np.ravel(found), model.predict(data), rtol=1e-4, atol=1e-5)
