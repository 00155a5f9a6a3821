"""Contests of speed: several ways to do the same work, timed in turn, and the lines of the table made of them."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HEADER = (
    "| what | held equal | ours | theirs | their time / ours (range) | must reach | largest difference |\n"
    "|---|---|---|---|---|---|---|"
)

#: Packages whose absence the table tells.
PEERS = ("tangermeme", "memelite", "seqpro", "pyts")


@dataclass(frozen=True)
class Setting:
    """Where and how rows are measured: on real `data`, in a folder to `work` in, on a device, on some cores."""

    data: Path
    work: Path
    rounds: int
    device: str
    tiny: bool
    cores: tuple[int, ...]

    def size(self, full: int, tiny: int) -> int:
        """Return how much is measured on."""
        return tiny if self.tiny else full


@dataclass(frozen=True)
class Timed:
    """What a side made, where it knows its time better than the clock around it: of a command, or of a slice."""

    made: Any
    seconds: float
    megabytes: float | None = None


@dataclass(frozen=True)
class Ratio:
    """Two sides of a contest, and the ratio of their times to reach."""

    ours: str
    theirs: str
    goal: float | None = None


@dataclass(frozen=True)
class Contest:
    """Sides by what they are called, each doing the same work; they return what they made as an array, or `Timed`.

    A side may have made a part only, the beginning: of a slice, say.
    """

    name: str
    equal: str
    sides: dict[str, Callable[[], Any]]
    ratios: tuple[Ratio, ...]


@dataclass(frozen=True)
class Figure:
    """A line without a peer: what was found and what must be reached, in words."""

    name: str
    equal: str
    found: str
    goal: str

    def lines(self, setting: Setting) -> list[str]:
        """Return the line."""
        return [f"| {self.name} | {self.equal} | {self.found} | - | - | {self.goal} | - |"]


def lines(contest: Contest | Figure, setting: Setting) -> list[str]:
    """Return a line of the table for each ratio: every side runs once unmeasured, then all in turn."""
    if isinstance(contest, Figure):
        return contest.lines(setting)
    made = {name: _timed(work).made for name, work in contest.sides.items()}
    runs: dict[str, list[Timed]] = {name: [] for name in contest.sides}
    for _ in range(setting.rounds):
        for name, work in contest.sides.items():
            pin(setting.cores)
            done = _timed(work)
            runs[name].append(Timed(None, done.seconds, done.megabytes))
    said = []
    for ratio in contest.ratios:
        each = [b.seconds / a.seconds for a, b in zip(runs[ratio.ours], runs[ratio.theirs], strict=True)]
        low, middle, high = np.percentile(each, [0, 50, 100])
        goal = "-" if ratio.goal is None else f"{ratio.goal:g}"
        apart = difference(made[ratio.ours], made[ratio.theirs])
        said.append(
            f"| {contest.name} | {contest.equal} | {_told(ratio.ours, runs)} | {_told(ratio.theirs, runs)} | "
            f"{middle:.1f} ({low:.1f}-{high:.1f}) | {goal} | {'-' if apart is None else f'{apart:.1e}'} |"
        )
    return said


def fastest(sides: dict[str, Callable[[], Any]]) -> str:
    """Return the side that takes the least time."""
    seconds = {}
    for name, work in sides.items():
        work()
        seconds[name] = min(_timed(work).seconds for _ in range(3))
    return min(seconds, key=lambda name: seconds[name])


def difference(ours: Any, theirs: Any) -> float | None:
    """Return the largest difference of what both made, as a share of its standard deviation."""
    if ours is None or theirs is None:
        return None
    a, b = (np.asarray(side, np.float64) for side in (ours, theirs))
    if a.shape != b.shape:
        count = min(len(a), len(b))
        a, b = a[:count], b[:count]
    if a.shape != b.shape:
        raise ValueError(f"the sides made arrays of {a.shape} and {b.shape}: not the same work")
    return float(np.abs(a - b).max() / max(float(b.std()), 1e-30))


def _timed(work: Callable[[], Any]) -> Timed:
    start = time.perf_counter()
    made = work()
    seconds = time.perf_counter() - start
    return made if isinstance(made, Timed) else Timed(made, seconds)


def _told(name: str, runs: dict[str, list[Timed]]) -> str:
    seconds = float(np.median([run.seconds for run in runs[name]]))
    text = f"{name}: {seconds * 1000:.3g} ms" if seconds < 1 else f"{name}: {seconds:.3g} s"
    megabytes = [run.megabytes for run in runs[name] if run.megabytes is not None]
    return text + (f", {max(megabytes):.0f} MB" if megabytes else "")


def program(*arguments: object) -> tuple[str, float, float]:
    """Run a Python program in a process of its own; return its output, wall seconds and peak memory in MB."""
    import harness

    with tempfile.NamedTemporaryFile("r") as said:
        launcher = [sys.executable, "-S", str(Path(__file__).with_name("peak.py")), said.name, sys.executable]
        out, seconds = harness.shell([*launcher, *map(str, arguments)], "")
        return out, seconds, int(said.read()) / 1024


def pin(cores: Sequence[int]) -> None:
    """Keep all threads of this process, and what it starts, on some cores, with as many threads as there are.

    To be said again now and then: where processes are moved between groups, the system forgets it.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.pop(name, None)
    if sys.platform == "linux":
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), cores)
    else:
        os.environ["OMP_NUM_THREADS"] = str(len(cores))


def run_group(name: str, where: str, setting: Setting) -> tuple[list[str], bool]:
    """Return the lines of a group of rows, printing each as it comes, and whether all were measured.

    A peer that is not installed, and a failure, is a line too.

    Parameters
    ----------
    name, where
        Of the group, and "module.function" of what yields its rows.
    setting
        What to measure on; the folder to work in is one of its own.
    """
    import torch

    pin(setting.cores)
    torch.set_num_threads(len(setting.cores))
    torch.set_flush_denormal(True)
    found: list[str] = []
    module, function = where.split(".")
    try:
        for row in getattr(importlib.import_module(module), function)(setting):
            for line in lines(row, setting):
                found.append(line)
                print(line, flush=True)
    except (RuntimeError, OSError, LookupError, TypeError, ValueError, ImportError, Warning) as error:
        if isinstance(error, ModuleNotFoundError) and error.name in PEERS:
            return [*found, _absent(name, f"{error.name} is not installed here")], True
        traceback.print_exc()
        return [*found, _absent(name, f"failed: {' '.join(str(error).split())[:300]}")], False
    return found, True


def _absent(name: str, why: str) -> str:
    """Return and print the line of a group that was not measured to the end."""
    line = f"| {name} | - | - | {why} | - | - | - |"
    print(line, flush=True)
    return line
