"""What every row of the accuracy table shares: running the shell verbs, reading their figures, writing the table."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any

#: Arguments added to a verb; and how much is measured on: what `--tiny` changes.
EXTRA: dict[str, list[str]] = {"train": []}
SIZES = {
    "scored": 100_000, "crops": 300, "windows": 100_000, "families": 5_000, "million": 1_000_000, "variants": 1_000_000,
    "genome": 10_000_000, "checked": 2000, "planted": 10_000,
}  # fmt: skip


@dataclass
class Row:
    """One line of the table: what was measured, its target, and one figure a seed."""

    name: str
    target: str
    run: Callable[..., dict[str, Any]]
    needs: str
    seeds: int = 1
    timed: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)


def shell(command: list[str], cores: str) -> tuple[str, float]:
    """Run a command on some cores; return standard output and wall seconds."""
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS" or EXTRA["train"]}
    if cores and sys.platform == "linux" and not EXTRA["train"]:
        command = ["taskset", "-c", cores, *command]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-600:]}")
    return done.stdout, seconds


def seqcnn(*arguments: object, cores: str = "") -> tuple[str, float]:
    """Run the command line as a user would; return standard output and wall seconds."""
    return shell(verb(*arguments), cores)


def measured(*arguments: object, cores: str = "") -> tuple[str, float, float]:
    """Run the command line as a user would; return standard output, wall seconds and peak memory in MB."""
    with tempfile.NamedTemporaryFile("r") as said:
        launcher = [sys.executable, "-S", str(Path(__file__).with_name("peak.py")), said.name]
        out, seconds = shell([*launcher, *verb(*arguments)], cores)
        return out, seconds, int(said.read()) / 1024


def verb(*arguments: object) -> list[str]:
    """Return the command of a verb."""
    return [sys.executable, "-m", "seqcnn", *map(str, arguments), *EXTRA.get(str(arguments[0]), [])]


def evaluate(model: Path, data: list[object], cores: str) -> dict[str, Any]:
    """Return what `seqcnn evaluate --json -` prints."""
    return json.loads(seqcnn("evaluate", model, *data, "--json", "-", "--quiet", cores=cores)[0])


def interval(figures: dict[str, Any], metric: str) -> str:
    """Return 'value (low-high)' of one metric."""
    low, high = figures["ci95"][metric]
    return f"{figures['metrics'][metric]:.4f} ({low:.4f}-{high:.4f})"


def against_baselines(figures: dict[str, Any], metric: str) -> str:
    """Return the same metric of each baseline."""
    known = {name: values.get(metric) for name, values in figures["baselines"].items()}
    return ", ".join(f"{name} {value:.4f}" for name, value in known.items() if value is not None)


def figure_of(
    model: Path, test: list[object], metric: str, *, seconds: float, cores: str, called: str = ""
) -> dict[str, Any]:
    """Return the result of a row: one metric on test files, with its interval and the baselines."""
    figures = evaluate(model, test, cores)
    return {
        "figure": figures["metrics"][metric],
        "text": f"{called or metric} {interval(figures, metric)}; baselines {against_baselines(figures, metric)}",
        "seconds": seconds,
    }


def measure(row: Row, data: Path, seeds: list[int] | None, cores: str) -> None:
    """Run a row for each of the seeds given, or of its own, printing each result as it comes."""
    for seed in seeds or range(row.seeds):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            try:
                result = row.run(data, Path(folder), seed, cores=cores)
            except (RuntimeError, OSError, LookupError, TypeError, ValueError) as error:
                result = {"figure": None, "text": f"failed: {error}", "seconds": time.perf_counter() - start}
            result["seed"] = seed
            row.results.append(result)
            print(f"{row.name} seed {seed}: {result['text']} [{result['seconds']:.0f} s]", flush=True)
            for motif in result.get("motifs", []):
                print(f"    {motif}", flush=True)


def in_lanes(work: Callable[[Any, str], object], items: list[Any], lanes: int, *, cores: int = 2) -> None:
    """Do work on items side by side, in as many lanes, each on cores of its own; see `accuracy --lanes`."""
    free: Queue[str] = Queue()
    count = max(cores, os.cpu_count() or cores)
    for lane in range(lanes):
        free.put(",".join(str((cores * lane + i) % count) for i in range(cores)))

    def one(item: Any) -> None:
        lane = free.get()
        try:
            work(item, lane)
        finally:
            free.put(lane)

    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(one, items))


def markdown(rows: list[Row], name: str, *, minutes: float) -> str:
    """Return the table, one line a row with mean and range over seeds, then one line a seed."""
    from seqcnn.runtime import versions

    known = ", ".join(f"{name} {version}" for name, version in versions().items())
    lines = [
        {"RESULTS.md": "# Accuracy", "GENOMES.md": "# Genomes, variants and honest data"}[name],
        "",
        f"Remade by `scripts/bench/accuracy --table {name}` on {datetime.date.today()} in {minutes:.0f} minutes; "
        f"{known}; {platform.machine()}, two cores a run. Default options; 95% intervals by bootstrap within class.",
        "",
        "| what | must reach | mean over seeds (range) | first two motifs in the family | seconds |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        values = [r["figure"] for r in row.results if r["figure"] is not None]
        figure = "failed"
        if values and row.name == "null control":
            counts = [sum(bool(r.get(key)) for r in row.results) for key in ("covers", "silent", "said")]
            figure = "covers .5 in {}, silent in {}, said in {} of {}".format(*counts, len(row.results))
        elif values and row.timed:
            figure = row.results[0]["text"]
        elif values:
            figure = f"{sum(values) / len(values):.4f} ({min(values):.4f}-{max(values):.4f})"
        families = "; ".join(r["families"] for r in row.results if "families" in r) or "-"
        seconds = [r["seconds"] for r in row.results]
        lines.append(f"| {row.name} | {row.target} | {figure} | {families} | {min(seconds):.0f}-{max(seconds):.0f} |")
    lines += ["", "## Every seed", ""]
    for row in rows:
        for r in row.results:
            lines.append("; ".join([f"- {row.name}, seed {r['seed']}: {r['text']}", *r.get("motifs", [])]))
    return "\n".join(lines) + "\n"
