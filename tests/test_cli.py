"""The shell's face: verbs in process on exact output and exit code, and the bad input that people bring."""

import gzip
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from seqcnn.cli import main
from seqcnn.cli.parameters import flag_of, members
from seqcnn.options import (
    CheckOptions,
    DataOptions,
    DemoOptions,
    ExplainOptions,
    MotifOptions,
    ScoreOptions,
    SitesOptions,
    TrainOptions,
    VariantsOptions,
)

VERBS = (
    "train",
    "evaluate",
    "score",
    "explain",
    "motifs",
    "report",
    "sites",
    "variants",
    "check",
    "export",
    "networks",
    "demo",
)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Result:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code, out, err)

    return call


def sequences(count: int, seed: int, site: str = "") -> list[str]:
    rng = np.random.default_rng(seed)
    made = ["".join(rng.choice(list("ACGT"), rng.integers(40, 60))) for _ in range(count)]
    return [letters[:12] + site + letters[12 + len(site) :] for letters in made]


def fasta(path: Path, letters: list[str], name: str | None = None) -> Path:
    name = path.stem if name is None else name
    path.write_text("".join(f">{name}{i}\n{text}\n" for i, text in enumerate(letters, 1)))
    return path


@dataclass(frozen=True)
class World:
    """Small files that work, and a model trained on them."""

    folder: Path
    positives: Path
    negatives: Path
    fresh: Path
    model: Path
    table: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    positives = fasta(folder / "bound.fa", sequences(60, 1, "TGACTCATGG"))
    negatives = fasta(folder / "free.fa", sequences(60, 2))
    fresh = fasta(folder / "fresh.fa", sequences(7, 3, "TGACTCATGG"), "fresh")
    table = folder / "table.csv"
    rows = [f"{text},{text.count('G')}" for text in sequences(40, 4)]
    table.write_text("sequence,level\n" + "\n".join(rows) + "\n")
    model = folder / "m.safetensors"
    options = ["--epochs", "3", "--network", "deepbind", "--folds", "2", "--strands", "both", "--quiet"]
    assert main(["train", str(positives), str(negatives), "-o", str(model), *options]) == 0
    return World(folder, positives, negatives, fresh, model, table)


def test_no_arguments_show_the_verbs(run: Run) -> None:
    result = run()
    assert (result.code, result.out) == (2, "")
    for name in VERBS:
        assert f"\n  {name} " in result.err


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_has_help(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"Usage: seqcnn {name} ")
    assert "--config FILE.toml" in result.out


OPTIONS = {
    "train": (DataOptions, TrainOptions),
    "evaluate": (DataOptions,),
    "score": (ScoreOptions,),
    "explain": (ExplainOptions,),
    "motifs": (DataOptions, MotifOptions),
    "report": (DataOptions, MotifOptions),
    "sites": (SitesOptions,),
    "variants": (VariantsOptions,),
    "check": (DataOptions, CheckOptions),
    "demo": (DemoOptions,),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_is_shown_with_its_help(run: Run, name: str) -> None:
    shown = run(name, "--help").out
    for field, _ in members(*OPTIONS[name]):
        assert flag_of(field.name) in shown
        assert field.metadata["help"].split(":")[0].split()[0] in shown


def test_version(run: Run) -> None:
    import seqcnn

    assert run("--version") == Result(0, f"{seqcnn.__version__}\n", "")


def test_wrong_usage_is_one_line(run: Run) -> None:
    told = "seqcnn: error: no such command 'trian'. Did you mean 'train', 'variants'?; see 'seqcnn --help'\n"
    assert run("trian") == Result(2, "", told)
    assert run("train", "a.fa") == Result(
        2, "", "seqcnn: error: missing option '-o' / '--out'; see 'seqcnn train --help'\n"
    )
    result = run("train", "a.fa", "-o", "m", "--epcohs", 3)
    assert result.code == 2
    assert result.err.startswith("seqcnn: error: no such option: --epcohs")
    assert "--epochs" in result.err
    result = run("train", "a.fa", "-o", "m", "--network", "motfi")
    assert result.code == 2
    assert "did you mean 'motif'" in result.err


def test_train_prints_figures_and_writes_its_configuration(run: Run, world: World, tmp_path: Path) -> None:
    model = tmp_path / "m.safetensors"
    quick = ("--epochs", 1, "--network", "deepbind", "--folds", 2, "--strands", "forward")
    result = run("train", world.positives, world.negatives, "-o", model, *quick)
    assert result.code == 0
    assert result.err.splitlines()[0] == (
        "seqcnn: read 120 dna records of length 40 to 59; binary: bound 60 (positive), free 60"
    )
    assert result.out.splitlines()[0] == "out-of-fold: 120 records; with a near relative in training: none"
    assert [line.split()[0] for line in result.out.splitlines()[1:-1]] == ["auroc", "model", "95%", "gc", "kmer"]
    assert " out of 2 folds (" in result.out.splitlines()[-1]
    beside = tmp_path / "m.safetensors.config.toml"
    assert tomllib.loads(beside.read_text())["epochs"] == 1
    again = tmp_path / "again.safetensors"
    assert run("train", world.positives, world.negatives, "-o", again, "--config", beside, "--quiet").err == ""
    assert json_figures(run, again, world) == json_figures(run, model, world)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "again.safetensors",
        "again.safetensors.config.toml",
        "m.safetensors",
        "m.safetensors.config.toml",
    ]


def json_figures(run: Run, model: Path, world: World) -> dict[str, object]:
    result = run("evaluate", model, world.positives, world.negatives, "--json", "-", "--quiet")
    assert result.code == 0
    return json.loads(result.out)  # type: ignore[no-any-return]


def test_options_override_the_config(run: Run, world: World, tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text('window = 30\nstep = 10\noutput = "logit"\n')
    out = tmp_path / "s.tsv"
    assert run("score", world.model, world.fresh, "-o", out, "--config", config, "--step", 15).code == 0
    resolved = tomllib.loads((tmp_path / "s.tsv.config.toml").read_text())
    assert (resolved["window"], resolved["step"], resolved["output"]) == (30, 15, "logit")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("widnow = 3\n", "unknown option 'widnow' (did you mean 'window'?)"),
        ('window = "3"\n', "window: expected a whole number, found '3'"),
        ("window = \n", "is not TOML"),
        ("step = 3\n", "--step: needs --window too"),
    ],
)
def test_bad_config(run: Run, world: World, tmp_path: Path, text: str, expected: str) -> None:
    config = tmp_path / "c.toml"
    config.write_text(text)
    result = run("score", world.model, world.fresh, "--config", config)
    assert (result.code, result.out) == (2, "")
    assert expected in result.err
    assert result.err.count("\n") == 1


def test_missing_config(run: Run, world: World, tmp_path: Path) -> None:
    result = run("score", world.model, world.fresh, "--config", tmp_path / "no.toml")
    assert result.code == 2
    assert result.err == (
        f"seqcnn: error: --config: {tmp_path / 'no.toml'}: No such file or directory; name an existing TOML file\n"
    )


def test_score_keeps_ids_and_order(run: Run, world: World) -> None:
    result = run("score", world.model, world.fresh, "--quiet")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert (result.code, result.err) == (0, "")
    assert rows[0] == ["id", "start", "end", "length", "score"]
    assert [row[0] for row in rows[1:]] == [f"fresh{i}" for i in range(1, 8)]
    assert all(0 <= float(row[4]) <= 1 for row in rows[1:])


def test_score_reads_standard_input(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    expected = run("score", world.model, world.fresh, "--quiet").out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(world.fresh.read_bytes()))))
    assert run("score", world.model, "-", "--quiet").out == expected


def test_unequal_line_ends_and_case_just_work(run: Run, world: World, tmp_path: Path) -> None:
    expected = run("score", world.model, world.fresh, "--quiet").out
    odd = tmp_path / "odd.fa"
    lines = []
    for line in world.fresh.read_text().splitlines():
        lines += [line] if line.startswith(">") else [line[:20].lower(), "", line[20:]]
    odd.write_bytes("\r\n".join(lines).encode())
    assert run("score", world.model, odd, "--quiet").out == expected


def test_evaluate_writes_figures_and_predictions(run: Run, world: World, tmp_path: Path) -> None:
    other = fasta(tmp_path / "free.fa", sequences(9, 5))
    bound = f"bound={world.fresh}"
    file, predictions = tmp_path / "f.json", tmp_path / "p.tsv"
    result = run("evaluate", world.model, bound, other, "--json", file, "--predictions", predictions)
    assert result.code == 0
    figures = json.loads(file.read_text())
    assert (figures["task"], figures["n"], figures["n_per_class"]) == ("binary", 16, {"free": 9, "bound": 7})
    assert set(figures["metrics"]) == {"auroc", "auprc", "accuracy", "mcc", "f1", "ece"}
    rows = predictions.read_text().splitlines()
    assert rows[0].split("\t") == ["id", "truth", "score"]
    assert len(rows) == 17
    assert (tmp_path / "f.json.config.toml").is_file()


def test_networks(run: Run) -> None:
    result = run("networks")
    assert (result.code, result.err) == (0, "")
    for name in ("motif", "deepbind", "basset", "lenet", "composition", "kmer"):
        assert name in result.out
    result = run("networks", "motfi")
    assert result.code == 2
    assert "did you mean 'motif'" in result.err


def test_motifs_sites_and_report(run: Run, world: World, tmp_path: Path) -> None:
    folder, page, bed = tmp_path / "motifs", tmp_path / "r.html", tmp_path / "sites.tsv"
    data = (world.positives, world.negatives)
    assert run("motifs", world.model, *data, "-o", folder, "--quiet") == Result(0, "", "")
    assert {"motifs.meme", "motifs.tsv", "matches.tsv", "sites.tsv", "logos"} <= {p.name for p in folder.iterdir()}
    assert run("report", world.model, *data, "-o", page, "--quiet").code == 0
    assert page.read_text().lower().startswith("<!doctype html>")
    assert run("sites", folder / "motifs.meme", world.fresh, "-o", bed, "--quiet").code == 0
    assert bed.stat().st_size > 0


# Bad input: a clear line, exit code 2, nothing written.


def bad(run: Run, *arguments: object, match: str) -> None:
    result = run(*arguments)
    assert result.code == 2, result
    assert result.out == ""
    errors = [line for line in result.err.splitlines() if line.startswith("seqcnn: error: ")]
    assert len(errors) == 1, result.err
    assert result.err.splitlines()[-1] == errors[0]
    assert "Traceback" not in result.err
    assert match in errors[0], errors[0]


def bad_training(run: Run, tmp_path: Path, *data: object, match: str) -> None:
    out = tmp_path / "never.safetensors"
    bad(run, "train", *data, "-o", out, "--epochs", 1, match=match)
    assert not list(tmp_path.glob("never*")) and not list(tmp_path.glob(".never*"))


def test_missing_file(run: Run, world: World, tmp_path: Path) -> None:
    near = world.folder / "bond.fa"
    bad_training(run, tmp_path, near, world.negatives, match=f"{near}: no such file (did you mean 'bound.fa'?)")


def test_empty_file(run: Run, world: World, tmp_path: Path) -> None:
    empty = tmp_path / "empty.fa"
    empty.touch()
    bad_training(run, tmp_path, empty, world.negatives, match=f"{empty} is empty")


def test_truncated_gzip(run: Run, world: World, tmp_path: Path) -> None:
    cut = tmp_path / "cut.fa.gz"
    cut.write_bytes(gzip.compress(world.positives.read_bytes())[:-40])
    bad_training(run, tmp_path, cut, world.negatives, match=f"{cut}: the gzip file ends early")


def test_not_fasta(run: Run, world: World, tmp_path: Path) -> None:
    text = tmp_path / "notes.fa"
    text.write_text("Dear colleague,\nhere are the peaks.\n")
    bad_training(run, tmp_path, text, world.negatives, match=str(text))


def test_record_without_sequence(run: Run, world: World, tmp_path: Path) -> None:
    hollow = tmp_path / "hollow.fa"
    hollow.write_text(">a\nACGTACGTAC\n>b\n>c\nACGTACGTAA\n")
    bad_training(run, tmp_path, hollow, world.negatives, match="b")


def test_letters_outside_the_alphabet(run: Run, world: World, tmp_path: Path) -> None:
    odd = fasta(tmp_path / "odd.fa", [*sequences(20, 6), "ACGTJACGT"])
    bad_training(run, tmp_path, odd, world.negatives, "--alphabet", "dna", match="'J'")


def test_protein_given_for_dna(run: Run, world: World, tmp_path: Path) -> None:
    protein = fasta(tmp_path / "p.fa", ["MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ"] * 3)
    bad(run, "score", world.model, protein, match="protein")
    bad_training(run, tmp_path, protein, world.negatives, match="protein")


def test_one_class_only(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "one.csv"
    table.write_text("sequence,label\n" + "".join(f"{text},yes\n" for text in sequences(30, 7)))
    bad_training(run, tmp_path, table, "--target", "label", match="one")


def test_under_ten_records_a_class(run: Run, world: World, tmp_path: Path) -> None:
    few = fasta(tmp_path / "few.fa", sequences(9, 8))
    bad_training(run, tmp_path, few, world.negatives, match="10")


def test_targets_that_are_text(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    rows = [f"{text},{number}" for number, text in enumerate(sequences(30, 9))]
    table.write_text("sequence,level\n" + "\n".join(rows) + "\nACGTACGTACGT,high\n")
    bad_training(run, tmp_path, table, "--target", "level", "--task", "regression", match="'high'")


def test_targets_that_are_missing(run: Run, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("sequence,level\n" + "".join(f"{text},NaN\n" for text in sequences(30, 9)))
    bad_training(run, tmp_path, table, "--target", "level", "--task", "regression", match="level")


def test_unknown_column(run: Run, world: World, tmp_path: Path) -> None:
    bad_training(run, tmp_path, world.table, "--target", "lebel", match="did you mean 'level'?")


def test_three_files_for_a_two_class_model(run: Run, world: World) -> None:
    bad(run, "evaluate", world.model, world.positives, world.negatives, world.fresh, match="3")


@pytest.mark.parametrize("name", ["m.safetensors", "deeper/m.safetensors"])
def test_output_folder_that_does_not_exist(run: Run, world: World, tmp_path: Path, name: str) -> None:
    out = tmp_path / "nowhere" / name
    for arguments in (
        ("train", world.positives, world.negatives),
        ("score", world.model, world.fresh),
        ("motifs", world.model, world.positives, world.negatives),
        ("report", world.model, world.positives, world.negatives),
    ):
        bad(run, *arguments, "-o", out, match="does not exist")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_output_folder_that_cannot_be_written(run: Run, world: World, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    bad(run, "train", world.positives, world.negatives, "-o", locked / "m", match="cannot be written")


def test_output_that_is_a_folder(run: Run, world: World, tmp_path: Path) -> None:
    bad(run, "train", world.positives, world.negatives, "-o", tmp_path, match="is a folder")


def test_long_record_without_window(run: Run, world: World, tmp_path: Path) -> None:
    long = fasta(tmp_path / "long.fa", sequences(2, 10) + ["ACGT" * 500])
    bad(run, "score", world.model, long, "-o", tmp_path / "s.tsv", match="--window")
    assert not (tmp_path / "s.tsv").exists()
    assert run("score", world.model, long, "--window", 50, "--step", 25, "--quiet").out.count("long3\t") == 79


@pytest.mark.parametrize("how", ["cut", "foreign", "edited", "newer", "empty"])
def test_bad_model_file(run: Run, world: World, tmp_path: Path, how: str) -> None:
    data = world.model.read_bytes()
    size = int.from_bytes(data[:8], "little")
    if how == "cut":
        data = data[: len(data) // 2]
    elif how == "foreign":
        data = b"PK\x03\x04 this is no model of ours" * 9
    elif how == "edited":
        data = data[:-1] + bytes([data[-1] ^ 1])
    elif how == "newer":
        head = (
            data[8 : 8 + size]
            .replace(b'\\"format\\":1', b'\\"format\\":9')
            .replace(b'\\"format\\": 1', b'\\"format\\": 9')
        )
        assert head != data[8 : 8 + size]
        data = data[:8] + head + data[8 + size :]
    else:
        data = b""
    model = tmp_path / "bad.safetensors"
    model.write_bytes(data)
    for verb in ("score", "evaluate"):
        bad(run, verb, model, world.fresh, match=str(model))


def test_missing_model(run: Run, world: World, tmp_path: Path) -> None:
    bad(run, "score", tmp_path / "no.safetensors", world.fresh, match="no.safetensors")


def test_duplicate_ids_are_a_warning(run: Run, world: World, tmp_path: Path) -> None:
    twice = tmp_path / "bound.fa"
    twice.write_text(world.fresh.read_text() + world.fresh.read_text().replace(">fresh1\n", ">other\n"))
    result = run("evaluate", world.model, twice, world.negatives, "--json", "-")
    assert result.code == 0
    warnings = [line for line in result.err.splitlines() if line.startswith("seqcnn: warning: ")]
    assert len(warnings) == 1 and "6" in warnings[0]


# What only a process of its own can show.


def shell(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "seqcnn", *map(str, arguments)]


def test_a_closed_pipe_is_quiet(world: World, tmp_path: Path) -> None:
    many = fasta(tmp_path / "many.fa", sequences(20_000, 11))
    with subprocess.Popen(
        shell("score", world.model, many, "--quiet"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"id\t")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_one_line(world: World) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            shell("score", world.model, world.fresh, "--quiet"), stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert "disk is full" in done.stderr
    assert done.stderr.count("\n") == 1
