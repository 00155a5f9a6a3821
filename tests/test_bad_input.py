"""What people bring by mistake to pictures, recordings and series: one line that names it, nothing left."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from seqcnn.cli import main
from seqcnn.model.file import load
from seqcnn.registry import names, resolve

image = pytest.importorskip("PIL.Image", reason="pillow is an extra")

QUICK = ("--epochs", "1", "--folds", "0", "--no-baselines", "--test", "0")
CLASSES, EACH = ("a", "b"), 11


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command line in an empty folder; returns exit code, stdout and the lines of stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return code, out, err.splitlines()

    return call


def bad(run, *arguments, match):
    before = sorted(Path().rglob("*"))
    code, out, lines = run(*arguments)
    errors = [line for line in lines if line.startswith("seqcnn: error: ")]
    assert (code, out, len(errors)) == (2, "", 1), lines
    assert lines[-1] == errors[0] and not any("Traceback" in line for line in lines)
    assert match in errors[0]
    assert sorted(Path().rglob("*")) == before  # nothing is written


def train(*data):
    return ("train", *data, "-o", "m.safetensors", *QUICK)


def pictures(root="photos", *, shape=(9, 11), classes=CLASSES, each=EACH, suffix=".png"):
    rng = np.random.default_rng(0)
    for kind, name in enumerate(classes):
        (Path(root) / name).mkdir(parents=True)
        for i in range(each):
            pixels = rng.integers(0, 200 + 40 * kind, shape, dtype=np.uint8)
            image.fromarray(pixels).save(Path(root) / name / f"{i:02}{suffix}")
    return Path(root)


def recordings(root="sounds"):
    rng = np.random.default_rng(0)
    for kind, name in enumerate(CLASSES):
        (Path(root) / name).mkdir(parents=True)
        for i in range(EACH):
            wave = 9000 * np.sin(np.arange(500) * (0.2 + 0.3 * kind)) + 99 * rng.normal(size=500)
            wavfile.write(Path(root) / name / f"{i:02}.wav", 8000, wave.astype(np.int16))
    return Path(root)


def series(path="s.tsv", *more, length=20):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(2 * EACH):
        values = np.sin(np.arange(length) * (0.2 + 0.3 * (i % 2))) + 0.1 * rng.normal(size=length)
        rows.append("\t".join([str(i % 2 + 1), *(f"{v:.3f}" for v in values)]))
    Path(path).write_text("\n".join([*rows, *more]) + "\n")
    return Path(path)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


NO_PIXEL = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 0, 0, 0, 0))
NO_PIXEL += chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, content, said", [
    ("03.png", lambda data: data[: len(data) // 2], "the picture is truncated or damaged"),
    ("03.png", lambda data: data[:41] + bytes(40), "truncated or damaged"),
    ("03.png", lambda data: b"", "is empty; replace or delete it"),
    ("03.png", lambda data: b"no picture", "is not a picture that pillow knows, or is damaged"),
    ("03.png", lambda data: NO_PIXEL, "is not a picture that pillow knows, or is damaged"),
    ("x.tif", lambda data: b"II*\0" + bytes(9), "x.tif"),
])  # fmt: skip
def test_a_broken_picture(run, name, content, said):
    root = pictures()
    path = root / "b" / name
    path.write_bytes(content((root / "b" / "03.png").read_bytes()))
    bad(run, *train(root), match=str(path))
    bad(run, *train(root), match=said)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read anything")
@pytest.mark.parametrize("make, name", [(pictures, "00.png"), (recordings, "00.wav")])
def test_a_file_that_must_not_be_read(run, make, name):
    path = make() / "a" / name
    path.chmod(0)
    bad(run, *train(path.parents[1]), match=f"{path} cannot be read: permission denied")


def test_a_stack_without_a_pixel(run):
    tifffile = pytest.importorskip("tifffile", reason="tifffile is an extra")
    root = pictures()
    with pytest.warns(UserWarning, match="zero-size array"):
        tifffile.imwrite(root / "a" / "none.tif", np.zeros((0, 5), np.uint8))
    bad(run, *train(root), match="photos/a/none.tif: the picture has no pixel; delete it")


def test_mixed_channels_are_converted_and_said(run):
    root = pictures()
    image.fromarray(np.full((9, 11, 3), 77, np.uint8)).save(root / "a" / "color.png")
    code, _, lines = run(*train(root))
    assert code == 0 and "seqcnn: pictures converted to grey: 1" in lines


def test_folders_that_cannot_be_learned_from(run):
    bad(run, *train(pictures("one", classes=("a",))), match="one holds one class only, 'a'; expected two subfolders")
    root = pictures("hollow")
    (root / "c").mkdir()
    bad(run, *train(root), match="hollow/c holds no picture; add some, or delete the folder")
    single = pictures("single", classes=("a",), each=1)
    bad(run, *train(single), match="single holds one class only, 'a'")
    bad(run, *train(single / "a" / "00.png"), match="single/a/00.png is a picture; pass a folder with one subfolder")
    bad(run, *train(single / "a"), match="single/a is a folder whose pictures are in no class")
    bad(run, *train(pictures("few", each=1)), match="class 'a': expected 10 records or more, found 1")
    Path("empty").mkdir()
    bad(run, *train("empty"), match="empty is a folder that holds no picture")


def test_tables_that_name_pictures(run):
    files = sorted(pictures().rglob("*.png"))
    rows = ["file,y,w", *(f"{path},{i * 0.3},1" for i, path in enumerate(files))]

    def table(*more):
        Path("t.csv").write_text("\n".join([*rows, *more]) + "\n")
        return *train("t.csv"), "--image", "file", "--target", "y"

    bad(run, *table("photos/none.png,1,1"), match="photos/none.png: no such file")
    bad(run, *table(",1,1"), match="t.csv, row 23: expected the name of a file, found an empty cell")
    bad(run, *table("photos/a,1,1"), match="photos/a is a folder; expected a picture")
    bad(run, *table("t.csv,1,1"), match="t.csv is not a picture that pillow knows")
    bad(
        run, *table("photos/a/00.png,1,-2"), "--weight", "w", match="row 23, column 'w': expected a weight of 0 or more"
    )
    bad(run, *table(), "--weight", "wt", match="t.csv: no column 'wt' (--weight); the columns are file, y, w")
    assert run(*table(), "--weight", "w")[0] == 0
    Path("t.csv").write_text("id,image\n1,photos/a/00.png\n2,\n")
    bad(run, "score", "m.safetensors", "t.csv", match="t.csv, row 2: expected the name of a file, found an empty cell")


# --- recordings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content, said", [
    (lambda data: data[: len(data) // 2], "the recording is truncated (522 bytes are missing); replace or delete it"),
    (lambda data: data[:30], "the recording is truncated or damaged"),
    (lambda data: b"", "is empty"),
    (lambda data: b"no recording at all", "is no .wav recording; convert it to .wav, or delete it"),
    (lambda data: data[:4] + struct.pack("<I", 36) + data[8:40] + bytes(4), "the recording holds no sample; delete it"),
])  # fmt: skip
def test_a_broken_recording(run, content, said):
    root = recordings()
    path = root / "a" / "05.wav"
    path.write_bytes(content(path.read_bytes()))
    bad(run, *train(root), match=f"{path}")
    bad(run, *train(root), match=said)


def test_a_broken_file_to_score(run):
    photos, sounds = pictures(), recordings()
    for root, name in ((photos, "04.png"), (sounds, "04.wav")):
        assert run(*train(root))[0] == 0
        path = root / "b" / name
        path.write_bytes(path.read_bytes()[:60])
        for verb in ("score", "evaluate"):
            bad(run, verb, "m.safetensors", root, match=f"{path}: the ")
    bad(
        run,
        "score",
        "m.safetensors",
        photos,
        match="photos is a folder without recordings, which this model reads; expected some",
    )
    bad(run, "evaluate", "m.safetensors", photos, match="photos is a folder that holds no recording")


# --- series -----------------------------------------------------------------------------------------------------------


def test_series_of_nothing(run):
    bad(run, *train(series("s.tsv", "1" + "\tNaN" * 20)), match="s.tsv, line 23: no value but NaN; delete the line")
    bad(run, *train(series("s.tsv", "1" + "\tinf" * 20)), match="s.tsv, line 23: an infinite value; expected numbers")
    bad(run, *train(series("s.tsv", "1\t2\tx" + "\t3" * 18)), match="s.tsv, line 23, value 2: expected a number")
    Path("x.ts").write_text("@classLabel true a b\n@data\n1,2:3,4:a\n1,2:b\n")
    bad(run, *train("x.ts"), match="x.ts, line 4: expected 2 variables as before, found 1")
    Path("x.ts").write_text("@classLabel true a b\n@data\n")
    bad(run, *train("x.ts"), match="x.ts holds no series")


@pytest.mark.parametrize("encoder", [n for n in names("encoder") if resolve("encoder", n).files == "recording"])
def test_constant_series_work(run, encoder):
    for rows in (["1" + "\t5" * 20, "2" + "\t7e9" * 20], [f"{i % 2 + 1}" + f"\t{i}" * 20 for i in range(22)]):
        series("s.tsv", *rows) if len(rows) == 2 else Path("s.tsv").write_text("\n".join(rows) + "\n")
        code, _, lines = run(*train("s.tsv"), "--input", encoder)
        assert code == 0 and f"seqcnn: series that are constant: {len(rows)}" in lines
        code, out, _ = run("score", "m.safetensors", "s.tsv")
        assert code == 0
        assert all(np.isfinite(float(line.split("\t")[4])) for line in out.splitlines()[1:])


def test_series_that_a_model_cannot_read(run):
    assert run(*train(series()))[0] == 0
    long = series("long.tsv", length=50)
    bad(
        run, "score", "m.safetensors", long, match="long.tsv, record 1: 50 long, but the longest training record was 20"
    )
    Path("two.ts").write_text("@classLabel false\n@data\n1,2:3,4\n")
    bad(run, "score", "m.safetensors", "two.ts", match="two.ts: series of 2 variables; the model reads 1")
    bad(run, "score", "m.safetensors", "s.tsv", "--window", 5, match="--window: this model reads series, which are")
    bad(
        run,
        "score",
        "m.safetensors",
        "s.tsv",
        "--neighbours",
        "t.tsv",
        match="t.tsv: no such file (did you mean 's.tsv",
    )
    bad(run, "score", "m.safetensors", "s.tsv", "--top", 2, match="--top: belongs to several classes")
    bad(
        run,
        "motifs",
        "m.safetensors",
        "s.tsv",
        "-o",
        "d",
        match="motifs are found in sequences; this model reads series",
    )


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_network_too_deep_names_the_smallest_picture(run):
    said = "lenet: expected pictures of at least 16 x 16 pixels, found 9 x 11; enlarge them (--size 16)"
    bad(run, *train(pictures()), "--network", "lenet", match=said)
    assert run(*train("photos"), "--network", "lenet", "--size", 16)[0] == 0
    said = "lenet: expected pictures of at least 16 x 16 pixels, found 12 x 12"
    bad(run, *train(series(length=12)), "--input", "gadf", "--network", "lenet", match=said)
    assert run(*train("s.tsv"), "--input", "gadf", "--network", "lenet", "--size", 16)[0] == 0


@pytest.mark.parametrize("network", names("network"))
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 2), (3, 5), (7, 1)])
def test_every_network_reads_tiny_pictures_or_says_why_not(run, network, shape):
    root = pictures(shape=shape)
    if network == "kmer":
        bad(
            run,
            *train(root),
            "--network",
            network,
            match="--network kmer: belongs to sequences; pass --network residual",
        )
    elif network == "lenet" and shape[0] > 1:
        bad(run, *train(root), "--network", network, match="lenet: expected pictures of at least 16 x 16 pixels")
    else:
        code, _, lines = run(*train(root), "--network", network)
        assert code == 0, lines
        assert run("score", "m.safetensors", root)[0] == 0


@pytest.mark.parametrize("network", names("network"))
@pytest.mark.parametrize("length", [1, 2, 3, 5])
def test_every_network_reads_short_series(run, network, length):
    rng = np.random.default_rng(0)
    rows = [",".join(f"{v:.3f}" for v in rng.normal(size=length) + i % 2) + f":{'ab'[i % 2]}" for i in range(2 * EACH)]
    Path("x.ts").write_text("\n".join(["@classLabel true a b", "@data", *rows]) + "\n")
    if network == "kmer":
        bad(run, *train("x.ts"), "--network", network, match="--network kmer: belongs to sequences")
        return
    code, _, lines = run(*train("x.ts"), "--network", network)
    assert code == 0, lines
    code, out, _ = run("score", "m.safetensors", "x.ts")
    assert code == 0 and all(np.isfinite(float(line.split("\t")[4])) for line in out.splitlines()[1:])


# --- options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options, said", [
    (("--input", "gadff"), "--input: 'gadff' is not one of onehot, pixels, series, gadf"),
    (("--input", "gadff"), "(did you mean 'gadf'?)"),
    (("--augment", "jiter"), "(did you mean 'jitter'?)"),
    (("--network", "residul"), "(did you mean 'residual'?)"),
    (("--filters", "sobl"), "--filters: 'sobl' is not one of moving_average"),
    (("--filters", "sobl"), "(did you mean 'sobel'?)"),
    (("--normalize", "recrd"), "(did you mean 'record'?)"),
    (("--fit", "crp"), "(did you mean 'crop'?)"),
    (("--task", "circlar"), "(did you mean 'circular'?)"),
    (("--inptu", "gadf"), "no such option: --inptu"),
    (("--frozen",), "--frozen: there is nothing to freeze"),
    (("--size", "3"), "--size: expected from 4 to 4096, found 3"),
    (("--mixup", "-1"), "--mixup: expected from 0.0 to 10.0, found -1"),
    (("--input", "bytes"), "--input bytes: s.tsv holds series; pass series, gadf, spectrogram"),
    (("--input", "pixels"), "s.tsv: series, but --input pixels reads pictures"),
    (("--input", "gadf", "--normalize", "set"), "--normalize set: gadf has no use for it"),
    (("--size", "9"), "--size 9: series has no use for it"),
    (("--augment", "flip"), "--augment flip: belongs to pixels; these records take shift, jitter, scaling, warp"),
    (("--network", "rocket", "--mixup", "0.3"), "--mixup: the rocket network is fitted at once"),
    (("--positions", "aware"), "--positions aware: the rocket network has no such choice"),
    (("--strands", "both"), "--strands both: these records have no other strand"),
])  # fmt: skip
def test_options_that_do_not_exist_or_do_not_suit(run, options, said):
    bad(run, *train(series()), *options, match=said)


def test_mixing_is_for_networks_that_are_trained(run):
    code, _, lines = run(*train(series()), "--mixup", 0.3, "--label-smoothing", 0.2, "--augment", "jitter")
    assert code == 0, lines  # few series, but a network that is trained in steps is taken
    record = load("m.safetensors").record
    assert record.options["network"] == "residual" and record.options["augment"] == ["jitter"]
