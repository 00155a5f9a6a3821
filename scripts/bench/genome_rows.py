"""Rows of the table on reading genomes: windows against a table's sequences, and readers side by side."""

from __future__ import annotations

import gzip
import os
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from harness import SIZES, Row

GENOME = Path("genomes_small", "ecoli_K12_MG1655.NC_000913.3.fna.gz")
#: Letters of a window, and readers at a time.
WIDTH, WORKERS = 500, 8


def unpacked(data: Path, work: Path) -> Path:
    """Return the E. coli genome as a plain file."""
    plain = work / "ecoli.fa"
    plain.write_bytes(gzip.decompress((data / GENOME).read_bytes()))
    return plain


def mpra_windows(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """The BED windows of ecoli_tss_mpra on the genome: the sequences that the table holds."""
    from seqcnn.data.sources.regions import Regions

    plain = unpacked(data, work)
    start = time.perf_counter()
    records = Regions(plain).windows(str(data / "ecoli_tss_mpra" / "tss_windows.NC_000913.3.bed.gz"))
    found = Counter((record.id, record.letters.decode().upper()) for record in records)
    seconds = time.perf_counter() - start
    with gzip.open(data / "ecoli_tss_mpra" / "tss_expression.tsv.gz", "rt") as lines:
        head, *rows = (line.rstrip("\n").split("\t") for line in lines)
    name, sequence, chromosome = (head.index(column) for column in ("name", "sequence", "chrom"))
    wanted = Counter((row[name], row[sequence]) for row in rows if row[chromosome])
    same = (found & wanted).total()
    said = f"{same:,} of {found.total():,} windows are the table's sequences ({wanted.total():,} have a place)"
    return {"figure": same, "text": f"{said}; {seconds:.1f} s", "seconds": seconds}


def read_some(genome: Any, seed: int, count: int) -> tuple[list[tuple[str, int]], list[bytes]]:
    """Return random places, over both edges too, and the letters that a genome has there."""
    import numpy as np

    rng = np.random.default_rng(seed)
    names = rng.choice(sorted(genome.lengths), count).tolist()
    places = [(name, int(rng.integers(-WIDTH, genome.lengths[name] + WIDTH))) for name in names]
    return places, [genome.letters(name, start, start + WIDTH) for name, start in places]


def readers(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Windows read by 8 forked, spawned and threaded workers from plain, bgzip and copied genomes: how many are wrong.

    The reference is the file read whole with Biopython.
    """
    import pysam
    from Bio import SeqIO

    from seqcnn.io.genome import Genome

    plain, packed = unpacked(data, work), work / "ecoli.fa.gz"
    pysam.tabix_compress(str(plain), str(packed))
    whole = {r.id: "N" * 2 * WIDTH + str(r.seq) + "N" * 2 * WIDTH for r in SeqIO.parse(plain, "fasta")}
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(work / "cache")
    count = SIZES["windows"] // WORKERS
    jobs = [range(seed * 100 + 1, seed * 100 + 1 + WORKERS), [count] * WORKERS]
    said, wrong, start = [], 0, time.perf_counter()
    try:
        for kind, path, cache in (("plain", plain, False), ("bgzip", packed, False), ("cached", packed, True)):
            genome = Genome(path, cache=cache)
            read_some(genome, 0, 5)  # a handle is open before the workers come
            times = []
            for method in ("fork", "spawn", "threads"):
                began = time.perf_counter()
                pool = (
                    ThreadPoolExecutor(WORKERS)
                    if method == "threads"
                    else ProcessPoolExecutor(WORKERS, mp_context=get_context(method))
                )
                with pool:
                    for places, found in pool.map(read_some, [genome] * WORKERS, *jobs):
                        wrong += sum(
                            whole[name][at + 2 * WIDTH : at + 3 * WIDTH].encode() != letters
                            for (name, at), letters in zip(places, found, strict=True)
                        )
                times.append(f"{method} {time.perf_counter() - began:.1f} s")
            began = time.perf_counter()
            read_some(genome, seed + 50, count * WORKERS)
            said.append(f"{kind}: alone {time.perf_counter() - began:.1f} s, {', '.join(times)}")
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before
    text = f"{wrong} wrong of 9 x {count * WORKERS:,} windows of {WIDTH}; {'; '.join(said)}"
    return {"figure": wrong, "text": text, "seconds": time.perf_counter() - start}


ROWS = [
    Row("BED windows on E. coli", "17,663 equal", mpra_windows, "ecoli_tss_mpra"),
    Row("readers of a genome", "0 wrong", readers, "genomes_small", 1, True),
]
