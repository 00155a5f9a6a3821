"""Rows of the table of speeds on scoring: a first layer on codes, and whole files to tables."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import harness
import numpy as np
import speed_peer
import torch
from contest import Contest, Ratio, Setting, Timed, fastest, program
from speed_models import CALLED, best_of, model_of, network_of, one_hot, random_codes, tangermeme, write_fasta

from seqcnn.encode.onehot import OneHot
from seqcnn.nn.stages import Conv
from seqcnn.nn.tables import Tables
from seqcnn.options import ScoreOptions
from seqcnn.runtime import compute_alone
from seqcnn.workflow.score import score as workflow_score

HERE = Path(__file__).resolve().parent


def first_layer(setting: Setting) -> Iterator[Contest]:
    """A first layer from codes in memory, beside torch's Conv1d on one-hot floats in memory."""
    count, length = setting.size(2048, 64), 500
    codes = torch.from_numpy(random_codes(count, length))
    floats = one_hot(codes.numpy()).float()
    workers = torch.get_num_threads()
    with ThreadPoolExecutor(workers, initializer=compute_alone) as pool:
        for filters in (128, 300):
            torch.manual_seed(0)
            conv = torch.nn.Conv1d(4, filters, 19)
            tables = Tables(Conv(conv.weight.detach(), conv.bias.detach()), OneHot("dna").table)

            def ours(size: int, tables: Tables = tables) -> np.ndarray:
                return list(pool.map(lambda part: tables(part)[-4:, :, 0].clone(), codes.split(size)))[-1].numpy()

            def theirs(size: int, conv: torch.nn.Conv1d = conv) -> np.ndarray:
                with torch.inference_mode():
                    return [conv(part)[-4:].clone() for part in floats.split(size)][-1].numpy()

            sides = {f"ours, batch {size}": partial(ours, size) for size in (4, 16, 64)}
            peers = {f"torch Conv1d, batch {size}": partial(theirs, size) for size in (4, 16, 64)}
            a, b = fastest(sides), fastest(peers)
            equal = f"weights, {count:,} x {length} bp in memory, fp32, best batch of each, {workers} threads"
            yield Contest(f"first layer {filters} x 19", equal, {a: sides[a], b: peers[b]}, (Ratio(a, b, 3.5),))


def column(path: Path, name: str) -> np.ndarray:
    """Return a column of a table as numbers."""
    with open(path, newline="") as stream:
        return np.array([float(row[name]) for row in csv.DictReader(stream, delimiter="\t")])


def whole_files(
    setting: Setting, shape: str, count: int, length: int, goals: tuple[float | None, ...]
) -> Iterator[Contest]:
    """FASTA to TSV by `seqcnn score`, and by a program around tangermeme's predict: as commands, then without start-up.

    The goals are of fp32 to fp32, of bf16 to bf16, and of ours in bf16 to theirs in fp32.
    """
    codes, work, device = random_codes(count, length), setting.work, setting.device
    network = network_of(setting, shape, length)
    path, saved = write_fasta(work / f"{shape}.fa", codes), work / f"{shape}.safetensors"
    model = model_of(network, length)
    model.save(saved)
    sample, mine, other = one_hot(codes[: max(32, count // 100)]), work / "ours.tsv", work / "theirs.tsv"
    commands: dict[str, Callable[[], Timed]] = {}
    calls: dict[str, Callable[[], Timed]] = {}
    for precision, name in CALLED.items():
        form, batch, told = best_of(setting, network, sample, precision)
        torch.save(form, work / f"{shape}{precision}.pt")
        options = ScoreOptions(output="logit", precision=precision, device=device)

        def ours(precision: str = precision) -> Timed:
            _, seconds, megabytes = harness.measured(
                "score", saved, path, "-o", mine, "--output", "logit", "--quiet", "--precision", precision,
                "--device", device,
            )  # fmt: skip
            return Timed(column(mine, "score"), seconds, megabytes)

        def theirs(precision: str = precision, batch: int = batch) -> Timed:
            _, seconds, megabytes = program(
                HERE / "speed_peer.py", "score", work / f"{shape}{precision}.pt", path, other, "--batch", batch,
                "--precision", precision, "--device", device,
            )  # fmt: skip
            return Timed(column(other, "score"), seconds, megabytes)

        def ours_within(options: ScoreOptions = options) -> Timed:
            start = time.perf_counter()
            workflow_score(model, path, options, output=mine)
            return Timed(column(mine, "score"), time.perf_counter() - start)

        def theirs_within(precision: str = precision, form: torch.nn.Module = form, batch: int = batch) -> Timed:
            start = time.perf_counter()
            speed_peer.score(form, str(path), str(other), batch=batch, precision=precision, device=device)
            return Timed(column(other, "score"), time.perf_counter() - start)

        commands |= {f"ours {name}": ours, f"{tangermeme()} {name}, {told}": theirs}
        calls |= {f"ours {name}": ours_within, f"{tangermeme()} {name}, {told}": theirs_within}
    a, b, c, d = commands
    ratios = tuple(Ratio(*pair, goal) for pair, goal in zip(((a, b), (c, d), (c, b)), goals, strict=True))
    equal = f"weights; {count:,} x {length} bp from a FASTA file to a TSV file"
    yield Contest(f"score, {shape}", f"{equal}, start-up out", calls, ratios)
    yield Contest(f"score, {shape}, as commands", f"{equal}, start-up in", commands, ratios)


def score(setting: Setting) -> Iterator[Contest]:
    """Score 100,000 short records."""
    count = setting.size(100_000, 40)
    yield from whole_files(setting, "deepbind", count, 200, (3, 3, None))
    yield from whole_files(setting, "motif", count, 200, (3, 3, None))


def basset(setting: Setting) -> Iterator[Contest]:
    """Score records of 600 bp by the shape of Basset."""
    yield from whole_files(setting, "basset", setting.size(10_000, 8), 600, (1.1, 1.3, 2.5))


def score_gpu(setting: Setting) -> Iterator[Contest]:
    """The same on a GPU, on more records."""
    for shape, count, length in (("deepbind", 500_000, 200), ("motif", 500_000, 200), ("basset", 100_000, 600)):
        yield from whole_files(setting, shape, setting.size(count, 8), length, (None, None, None))
