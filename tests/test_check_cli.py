"""The verb check in the shell: exact output and exit codes, JSON, HTML, --strict, real data with known repeats."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqcnn.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def texts(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("ACGT"), rng.integers(40, 60))) for _ in range(count)]


def table(path: Path, sequences: list[str], labels: list[object], header: str = "id\tsequence\tlabel") -> Path:
    order = np.random.default_rng(0).permutation(len(sequences))
    ids = [f"r{i}" for i in np.random.default_rng(1).permutation(len(sequences))]
    rows = [f"{ids[i]}\t{sequences[i]}\t{labels[i]}" for i in order]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_clean_data_are_said_to_be_clean(run: Run, tmp_path: Path) -> None:
    data = table(tmp_path / "t.tsv", texts(120, 1), [i % 2 for i in range(120)])
    code, out, err = run("check", data, "--strict", "--skip", "relatives")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "read 120 dna records of length 40 to 59; binary: 1 60 (positive), 0 60"
    assert "How far a plain property alone gives the target away (95% interval):" in out
    assert out.splitlines()[-1] == "check: nothing found"


def test_findings_problems_first_and_strict_exit(run: Run, tmp_path: Path) -> None:
    sequences = texts(60, 2)
    data = table(tmp_path / "t.tsv", [*sequences, *sequences[:2]], [i % 2 for i in range(60)] + [0, 0])
    arguments = ("check", data, "--skip", "relatives", "--skip", "shortcuts", "--skip", "mislabelled")
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert out == (
        "read 62 dna records of length 40 to 59; binary: 1 30 (positive), 0 32\n"
        "positive class: '1' of column 'label'\n"
        "\n"
        "PROBLEM  2 records contradict each other: the same is given with different\n"
        "         classes (3.2%).\n"
        "         Find out which is right, or leave all of them out: a network can only\n"
        "         learn their mean.\n"
        f"         Such as: {', '.join(told(data, sequences[1]))}\n"
        "\n"
        "WARNING  2 records repeat an earlier one; one occurs 2 times (3.2%).\n"
        "         Nothing leaks (train keeps equal records in one part), but repeats\n"
        "         weigh more: keep one of each unless it is meant.\n"
        f"         Such as: {', '.join(firsts(data, sequences[:2]))}\n"
        "\n"
        "NOTE     2 classes have few records: 1 (30), 0 (32); figures on them will have\n"
        "         wide intervals (100%).\n"
        "         Add records where there are any.\n"
        "         Such as: 1 (30), 0 (32)\n"
        "\n"
        "check: 1 problem, 1 warning, 1 note\n"
    )
    assert run(*arguments, "--strict") == (1, out, "")


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()[1:]]


def told(path: Path, sequence: str) -> list[str]:
    return [row[0] for row in rows(path) if row[1] == sequence]


def firsts(path: Path, sequences: list[str]) -> list[str]:
    """Return the ids of the first of each sequence, in the order in which check names them: that of their hashes."""
    from seqcnn.alphabet import DNA
    from seqcnn.sequence import canonical_hash, encode

    return [told(path, s)[0] for s in sorted(sequences, key=lambda s: canonical_hash(encode(s, DNA), DNA))]


def test_json_and_html_with_their_configuration(run: Run, tmp_path: Path) -> None:
    data = table(tmp_path / "t.tsv", texts(60, 3), [i % 2 for i in range(60)])
    page, figures = tmp_path / "c.html", tmp_path / "c.json"
    code, out, err = run("check", data, "--skip", "relatives", "--html", page, "--json", figures)
    assert (code, err) == (0, "")
    assert out.endswith("check: 1 note\n")
    held = json.loads(figures.read_text())
    assert held["n_per_class"] == {"0": 30, "1": 30}
    assert page.read_text().startswith("<!doctype html>")
    assert tomllib.loads((tmp_path / "c.json.config.toml").read_text())["skip"] == ["relatives"]
    code, out, err = run("check", data, "--skip", "relatives", "--json", "-", "--quiet")
    assert (code, err) == (0, "")
    assert json.loads(out) == held


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no.fa",), "no.fa"),
        (("t.tsv", "--sample", "3"), "--sample"),
        (("t.tsv", "--skip", "duplicate"), "did you mean 'duplicates'"),
        (("t.tsv", "--split", "cluster:3"), "--split"),
        (("t.tsv", "--split", "column:part"), "no column 'part'"),
        (("t.tsv", "--target", "labl"), "did you mean 'label'"),
        (("t.tsv", "--html", "x", "--json", "x"), "name two outputs"),
        (("t.tsv", "--html", "no/x.html"), "does not exist"),
        (("t.tsv", "--test", "no.tsv"), "no.tsv"),
        (("empty.fa",), "empty.fa"),
        (("folder",), "folder"),
    ],
)
def test_bad_input_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    table(tmp_path / "t.tsv", texts(30, 4), [i % 2 for i in range(30)])
    (tmp_path / "empty.fa").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, err = run("check", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("seqcnn: error: ")
    assert told in err
    assert err.count("\n") == 1


def test_what_training_refuses_is_a_problem_not_an_end(run: Run, tmp_path: Path) -> None:
    one_class = table(tmp_path / "t.tsv", texts(30, 5), ["x"] * 30)
    code, out, _ = run("check", one_class, "--strict", "--skip", "relatives")
    assert code == 1
    assert "PROBLEM" in out
    assert out.splitlines()[0].startswith("read 30 dna records")
    proteins = tmp_path / "p.fa"
    proteins.write_text("".join(f">p{i}\nMKTAYIAKQRQISFVK{'ACDEFGHIKL'[i]}\n" for i in range(10)))
    code, out, _ = run("check", proteins, "--skip", "relatives")
    assert code == 0
    assert "proteins need negatives" in " ".join(out.split())


def test_bed_with_strange_chromosomes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "g.fa").write_text(">1\n" + "".join(texts(20, 6)) + "\n")
    bed = tmp_path / "p.bed"
    bed.write_text("".join(f"chr1\t{30 * i}\t{30 * i + 40}\n" for i in range(12)) + "chr9\t0\t9\nchr9\t3\t9\n")
    code, out, _ = run("check", bed, "--genome", tmp_path / "g.fa", "--strict", "--skip", "relatives")
    assert code == 1
    assert "2 intervals lie on chromosomes that" in " ".join(out.split())
    assert "chr9 (2)" in out
    code, _, err = run("train", bed, "--genome", tmp_path / "g.fa", "-o", tmp_path / "m.safetensors")
    assert code == 2
    assert "line 13" in err
    all_strange = tmp_path / "q.bed"
    all_strange.write_text("chr9\t0\t9\n")
    code, out, _ = run("check", all_strange, "--genome", tmp_path / "g.fa")
    assert code == 0
    assert "no record could be read, so nothing else was looked for" in out


# Real data whose README names the repeats.


def counted(run: Run, *arguments: object) -> dict[str, int]:
    code, out, _ = run("check", *arguments, "--skip", "relatives", "--skip", "mislabelled", "--json", "-", "--quiet")
    assert code == 0
    return {finding["key"]: finding["count"] for finding in json.loads(out)["findings"]}


def test_splice_repeats(run: Run, real_data: Path) -> None:
    found = counted(run, real_data / "splice_uci" / "splice.csv.gz", "--target", "class", "--id", "name")
    assert found["duplicates"] == 185


@pytest.mark.parametrize(("name", "count"), [("300_tata", 6), ("core_tata", 16), ("core_notata", 30)])
def test_promoters_that_recur(run: Run, real_data: Path, name: str, count: int) -> None:
    parts = [real_data / "gue_promoter" / f"prom_prom_{name}.{part}.csv.gz" for part in ("train", "test")]
    found = counted(run, parts[0], "--test", parts[1], "--positive", 1)
    assert found["duplicates_test"] == count


def test_ecoli_promoters_that_recur_and_overlap(run: Run, real_data: Path) -> None:
    expression = real_data / "ecoli_tss_mpra" / "tss_expression.tsv.gz"
    found = counted(run, expression, "--target", "expression", "--id", "name", "--split", "column:split")
    assert found["duplicates_test"] == 34
