"""The benchmarks run on tiny made-up input; their figures are for people, not for tests."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "scripts" / "bench" / "accuracy"
#: Beginnings of the rows that are run, and the package that some need.
ROWS = {
    "primer": "torch", "BED windows": "pysam", "readers": "pysam", "audio": "PIL", "Coffee as gadf": "PIL",
    "relatives": "torch", "matched A.thaliana 200": "torch", "variants of": "torch", "check, GC": "cleanlab",
    "check, 1%": "cleanlab",
}  # fmt: skip


def run(*arguments: str, script: Path = BENCH, **environment: str) -> subprocess.CompletedProcess[str]:
    command, environment = [sys.executable, str(script), *arguments], os.environ | environment
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)


@pytest.fixture(scope="module")
def told() -> str:
    """What the rows that can be run here print, all in one run, which leaves the tables alone."""
    tables = sorted(BENCH.parent.glob("*.md"))
    before = [table.read_bytes() for table in tables]
    done = run("--tiny", "--only", *(row for row, package in ROWS.items() if find_spec(package)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert tables and [table.read_bytes() for table in tables] == before
    return done.stdout


def test_accuracy_runs_on_tiny_input(told: str) -> None:
    assert "primer_sim_motif seed 0: first motif" in told


def test_accuracy_says_which_data_is_absent(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path), "--only", "primer")
    assert done.returncode == 2
    assert "primer_sim_motif is absent" in done.stderr


def test_accuracy_runs_on_a_tiny_genome(told: str) -> None:
    pytest.importorskip("pysam")
    assert "BED windows on E. coli seed 0: 80 of 80 windows are the table's sequences" in told
    assert "readers of a genome seed 0: 0 wrong of 9 x 160 windows" in told


def test_accuracy_runs_on_tiny_recordings_and_series(told: str) -> None:
    pytest.importorskip("PIL")
    for name in ("audio_fsdd", "Coffee as gadf"):
        assert f"{name} seed 0: accuracy" in told


def test_accuracy_runs_on_tiny_relatives(told: str) -> None:
    for name in ("splice_uci", "subcell_multiloc", "simulated 30%", "sketches", "million"):
        assert f"relatives {name} seed 0: " in told


def test_accuracy_runs_on_tiny_genomes(told: str) -> None:
    assert "matched A.thaliana 200 bp seed 0: promoter 10: GC 0." in told


def ratios(*groups: str) -> dict[str, list[list[str]]]:
    """Cells of the lines of some groups of the table of speeds, by the name of their rows."""
    table = BENCH.with_name("SPEED.md")
    before = table.read_bytes()
    done = run("--tiny", "--rounds", "1", "--only", *groups, script=BENCH.with_name("speed"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert table.read_bytes() == before
    found: dict[str, list[list[str]]] = {}
    for line in done.stdout.splitlines():
        name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found.setdefault(name, []).append(cells)
    return found


def test_speed_compares_equal_work() -> None:
    for package in ("pyts", "tangermeme"):
        pytest.importorskip(package)
    found = ratios("first layer", "fields", "mutagenesis", "training")
    for name in ("first layer 128 x 19", "gadf, made up", "gasf, made up", "mtf, made up", "mutagenesis, motif"):
        assert all(float(cells[-1]) < 1e-3 for cells in found[name]), found[name]
    assert [cells[-2] for cells in found["training steps, 101 bp"]] == ["2.5", "2.5", "1.3", "1.8"]


def test_speed_compares_commands() -> None:
    pytest.importorskip("tangermeme")
    found = ratios("basset", "variants")
    assert [cells[-2] for cells in found["score, basset"]] == ["1.1", "1.3", "2.5"]
    assert float(found["score, basset"][0][-1]) < 1e-3
    assert "40 SNVs" in found["effects of SNVs, default network, W = 512"][0][0]


def test_speed_tells_groups_apart() -> None:
    done = run("--only", "nothing", script=BENCH.with_name("speed"))
    assert done.returncode == 2
    assert "no group of rows begins with nothing" in done.stderr


def test_effects_of_variants_are_timed_and_checked_against_applying_each_by_hand(told: str) -> None:
    assert "variants of C. elegans seed 0: 23 SNVs in" in told


def test_planted_faults_are_looked_for_on_tiny_input(told: str) -> None:
    pytest.importorskip("cleanlab")
    assert "check, 1% contradict seed 0: contradictions" in told
