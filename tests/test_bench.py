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
    "ecoli": "torch", "BED windows": "pysam", "readers": "pysam", "audio": "PIL", "Coffee as gadf": "PIL",
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
    assert "ecoli_tss_mpra seed 0: Spearman" in told


def test_accuracy_says_which_data_is_absent(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path), "--only", "splice")
    assert done.returncode == 2
    assert "splice_uci is absent" in done.stderr


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


def test_speed_compares_equal_pictures() -> None:
    pytest.importorskip("pyts")
    done = run("--tiny", "--rounds", "1", script=BENCH.with_name("speed"), NUMBA_DISABLE_JIT="1")  # pyts: 20 s
    assert done.returncode == 0, done.stdout + done.stderr
    for kind, line in zip(("gadf", "gasf", "mtf"), done.stdout.splitlines(), strict=True):
        assert line.startswith(f"| {kind}, made up")
        assert float(line.split("|")[-2]) < 1e-5


def test_effects_of_variants_are_timed_and_checked_against_applying_each_by_hand(told: str) -> None:
    assert "variants of C. elegans seed 0: 23 SNVs in" in told


def test_planted_faults_are_looked_for_on_tiny_input(told: str) -> None:
    pytest.importorskip("cleanlab")
    assert "check, 1% contradict seed 0: contradictions" in told
