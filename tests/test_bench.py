"""The benchmarks run on tiny made-up input; their figures are for people, not for tests."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent.parent / "scripts" / "bench" / "accuracy"


def run(*arguments: str, script: Path = BENCH) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(script), *arguments], capture_output=True, text=True, timeout=300)


def test_accuracy_runs_on_tiny_input_and_leaves_the_table_alone() -> None:
    results = BENCH.parent / "RESULTS.md"
    before = results.read_bytes() if results.exists() else None
    done = run("--tiny", "--only", "ecoli")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ecoli_tss_mpra seed 0: Spearman" in done.stdout
    assert (results.read_bytes() if results.exists() else None) == before


def test_accuracy_says_which_data_is_absent(tmp_path: Path) -> None:
    done = run("--data", str(tmp_path), "--only", "splice")
    assert done.returncode == 2
    assert "splice_uci is absent" in done.stderr


def test_accuracy_runs_on_a_tiny_genome() -> None:
    pytest.importorskip("pysam")
    done = run("--tiny", "--only", "BED windows", "readers")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BED windows on E. coli seed 0: 80 of 80 windows are the table's sequences" in done.stdout
    assert "readers of a genome seed 0: 0 wrong of 9 x 160 windows" in done.stdout


def test_accuracy_runs_on_tiny_recordings_and_series() -> None:
    pytest.importorskip("PIL")
    done = run("--tiny", "--only", "audio", "Coffee as gadf")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("audio_fsdd", "Coffee as gadf"):
        assert f"{name} seed 0: accuracy" in done.stdout


def test_accuracy_runs_on_tiny_relatives() -> None:
    done = run("--tiny", "--only", "relatives")
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("splice_uci", "subcell_multiloc", "simulated 30%", "sketches", "million"):
        assert f"relatives {name} seed 0: " in done.stdout


def test_accuracy_runs_on_tiny_genomes() -> None:
    done = run("--tiny", "--only", "matched A.thaliana 200")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "matched A.thaliana 200 bp seed 0: promoter 10: GC 0." in done.stdout


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
    assert "40 SNVs" in found["effects of SNVs, default network"][0][0]


def test_speed_tells_groups_apart() -> None:
    done = run("--only", "nothing", script=BENCH.with_name("speed"))
    assert done.returncode == 2
    assert "no group of rows begins with nothing" in done.stderr


def test_effects_of_variants_are_timed_and_checked_against_applying_each_by_hand() -> None:
    done = run("--tiny", "--only", "variants of")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "variants of C. elegans seed 0: 23 SNVs in" in done.stdout


def test_planted_faults_are_looked_for_on_tiny_input() -> None:
    pytest.importorskip("cleanlab")
    done = run("--tiny", "--only", "check, GC", "check, 1%")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "check, 1% contradict seed 0: contradictions" in done.stdout
