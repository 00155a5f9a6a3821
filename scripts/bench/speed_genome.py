"""Rows of the table of speeds on genomes: windows all along E. coli, the whole genome as a command, a million SNVs."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from pathlib import Path

import harness
import numpy as np
import torch
from contest import Contest, Figure, Ratio, Setting, Timed, program
from speed_models import (
    CALLED,
    best_of,
    letters_of,
    model_of,
    network_of,
    one_hot,
    plainly,
    random_codes,
    tangermeme,
    wrapped_fasta,
)  # fmt: skip
from speed_scoring import column

HERE = Path(__file__).resolve().parent
GENOME = Path("genomes_small", "ecoli_K12_MG1655.NC_000913.3.fna.gz")
WINDOW = 512


def ecoli(setting: Setting) -> np.ndarray:
    """Return the codes of E. coli; of made-up letters where tiny."""
    if setting.tiny:
        return random_codes(1, 4000)[0]
    text = gzip.decompress((setting.data / GENOME).read_bytes()).split(b"\n", 1)[1].translate(None, b"\n")
    table = np.zeros(256, np.uint8)
    table[list(b"ACGT")] = range(4)
    return table[np.frombuffer(text, np.uint8)]


def scanned(
    setting: Setting, name: str, codes: np.ndarray, *, step: int, goal: float | None, bf16: bool
) -> list[Contest]:
    """Windows of 512 all along a sequence by the default network, beside each by itself: a contest a precision."""
    network, device = network_of(setting, "motif", WINDOW), setting.device
    model, text = model_of(network, WINDOW), letters_of(codes[None])[0]
    windows = (len(codes) - WINDOW) // step + 1
    few = min(setting.size(2000, 20), windows)
    images = one_hot(np.lib.stride_tricks.sliding_window_view(codes, WINDOW)[: few * step : step])
    found = []
    for precision, called in list(CALLED.items())[: 2 if bf16 else 1]:
        form, batch, told = best_of(setting, network, images[:512], precision)

        def ours(precision: str = precision) -> np.ndarray:
            return model.scan(text, window=WINDOW, step=step, device=device, precision=precision).scores

        def theirs(precision: str = precision, form: torch.nn.Module = form, batch: int = batch) -> Timed:
            start = time.perf_counter()
            logits = plainly(form, images, batch=batch, precision=precision, device=device)[:, 0]
            return Timed(1 / (1 + np.exp(-logits)), (time.perf_counter() - start) * windows / few)

        a, b = f"ours {called}", f"window by window {called}, {told}"
        equal = f"weights; default network, {windows:,} windows of {WINDOW} bp, theirs from {few:,}; one strand"
        found.append(Contest(name, equal, {a: ours, b: theirs}, (Ratio(a, b, goal),)))
    return found


def scan(setting: Setting) -> Iterator[Contest]:
    """Windows all along E. coli; at a step of 1 a quarter of it will do."""
    codes = ecoli(setting)
    yield from scanned(
        setting, "scan E. coli, step 1", codes[: max(1000, len(codes) // 4)], step=1, goal=100, bf16=True
    )
    yield from scanned(setting, "scan E. coli, step 16", codes, step=16, goal=20, bf16=True)


def genome(setting: Setting) -> Iterator[Figure]:
    """All of E. coli as a command, and a file ten times as long."""
    codes, work = ecoli(setting), setting.work
    model_of(network_of(setting, "motif", WINDOW), WINDOW, "both").save(work / "m.safetensors")
    found = {}
    for times, rounds in ((1, setting.rounds), (10, 1)):
        path = wrapped_fasta(work / f"g{times}.fa", np.tile(codes, times))
        runs = []
        for _ in range(rounds):
            _, seconds, megabytes = harness.measured(
                "score", work / "m.safetensors", path, "--window", WINDOW, "--step", 16, "-o", work / "g.tsv",
                "--quiet", "--device", setting.device,
            )  # fmt: skip
            runs.append((seconds, megabytes))
        found[times] = np.median([s for s, _ in runs]), max(m for _, m in runs)
    (seconds, memory), (longer, more) = found[1], found[10]
    yield Figure(
        "score all of E. coli, step 16, both strands",
        f"`seqcnn score` of {len(codes):,} bp, default network, windows of {WINDOW}, fp32, FASTA to TSV, start-up in",
        f"{seconds:.1f} s, {memory:.0f} MB; ten times as long: {longer:.0f} s, {more:.0f} MB",
        "60 s, 1 GB, and no more on ten times as much",
    )


def variants(setting: Setting) -> Iterator[Contest]:
    """SNVs ten bases apart, in windows that the default network reads as they are, and in those that it pads."""
    yield snvs(setting, WINDOW, setting.size(1_000_000, 40))
    if not setting.tiny:
        yield snvs(setting, 200, 200_000)


def snvs(setting: Setting, width: int, count: int) -> Contest:
    """SNVs as a command, beside a program that predicts both alleles of each."""
    rng, work = np.random.default_rng(0), setting.work
    codes, few = random_codes(1, 10 * count + 4 * width)[0], setting.size(20_000, 10)
    wrapped_fasta(work / "v.fa", codes)
    network = network_of(setting, "motif", width)
    model_of(network, width).save(work / "v.safetensors")
    # Beyond the ends ours reads N as a quarter of each letter, a one-hot as none.
    places = width + np.sort(rng.choice(len(codes) - 2 * width, count, replace=False))
    head = (
        f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={len(codes)}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    )
    rows = [
        f"chr1\t{at + 1}\t.\t{'ACGT'[ref]}\t{'ACGT'[(ref + more) % 4]}\t.\t.\t.\n"
        for at, ref, more in zip(
            places.tolist(), codes[places].tolist(), rng.integers(1, 4, count).tolist(), strict=True
        )
    ]
    (work / "v.vcf").write_text(head + "".join(rows))
    (work / "few.vcf").write_text(head + "".join(rows[:few]))
    form, batch, told = best_of(setting, network, one_hot(random_codes(1000, width)), "32")
    torch.save(form, work / "v.pt")

    def ours() -> Timed:
        _, seconds, megabytes = harness.measured(
            "variants", work / "v.safetensors", work / "v.vcf", "--genome", work / "v.fa", "-o", work / "ours.tsv",
            "--quiet", "--device", setting.device,
        )  # fmt: skip
        return Timed(column(work / "ours.tsv", "effect"), seconds, megabytes)

    def theirs() -> Timed:
        said, seconds, _ = program(
            HERE / "speed_peer.py", "variants", work / "v.pt", work / "few.vcf", work / "theirs.tsv", "--genome",
            work / "v.fa", "--width", width, "--batch", batch, "--device", setting.device,
        )  # fmt: skip
        each = float(said.split()[1])
        made = np.loadtxt(work / "theirs.tsv", usecols=4, ndmin=1)
        return Timed(made, seconds - each + each * count / few)

    a, b = "ours fp32", f"{tangermeme()} of both alleles fp32, {told}"
    equal = (
        f"weights; {count:,} SNVs in windows of {width} bp, one strand, VCF and FASTA to TSV, start-up in; "
        f"theirs from {few:,} of them"
    )
    return Contest(f"effects of SNVs, default network, W = {width}", equal, {a: ours, b: theirs}, (Ratio(a, b, 5),))
