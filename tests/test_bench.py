"""The benchmarks run on tiny made-up input; their figures are for people, not for tests."""

import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parent.parent / "scripts" / "bench" / "accuracy"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(BENCH), *arguments], capture_output=True, text=True, timeout=300)


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
