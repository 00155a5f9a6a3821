"""Rows of the table on the effects of variants: the real C. elegans variants, and a million made up."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from harness import EXTRA, SIZES, Row, seqcnn

#: Runs the shell in a process of its own, and prints the most memory that it held.
_CHILD = (
    "import json, resource, sys; from seqcnn.cli import main; code = main(sys.argv[1:]); "
    "print(json.dumps([code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))"
)


def measured(*arguments: object, cores: str = "") -> tuple[float, float]:
    """Run a verb; return its wall seconds, start included, and the most memory it held in GB."""
    command = [sys.executable, "-c", _CHILD, *map(str, arguments)]
    if cores and sys.platform == "linux" and not EXTRA["train"]:
        command = ["taskset", "-c", cores, *command]
    environment = {k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"}
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    seconds = time.perf_counter() - start
    if done.returncode or json.loads(done.stdout.splitlines()[-1])[0]:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()[-600:]}")
    return seconds, json.loads(done.stdout.splitlines()[-1])[1] / (1 << 20)


def network(data: Path, work: Path, seed: int, cores: str) -> Path:
    """Train the default network on 200 bp; how well does not matter here."""
    model = work / "m.safetensors"
    peaks = data / "peaks_bed_fasta" / "Gm12878.CTCF.top500.w200.fa.gz"
    few = ["--epochs", 5, "--folds", 0, "--no-baselines", "--strands", "both", "--positions", "free"]
    seqcnn("train", peaks, "-o", model, "--seed", seed, "--quiet", *few, cores=cores)
    return model


def real(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """The C. elegans variants, both alleles, both strands: seconds, and how far from applying each by hand."""
    import numpy as np

    import seqcnn as package

    base = data / "genomes_small"
    model = network(data, work, seed, cores)
    genome = work / "g.fa"
    genome.write_bytes(gzip.decompress((base / "C.elegans.1pct.fa.gz").read_bytes()))
    variants, out = base / "C.elegans.1pct.variants.vcf.gz", work / "o.tsv"
    seconds, memory = measured("variants", model, variants, "--genome", genome, "-o", out, cores=cores)
    chromosomes: dict[str, str] = {}
    for record in genome.read_text().split(">")[1:]:
        name, *lines = record.split("\n")
        chromosomes[name.split()[0]] = "".join(lines).upper()
    with open(out, newline="") as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    width = package.load(model).longest
    pairs: tuple[list[str], list[str]] = [], []
    for row in rows:
        text, at = chromosomes[row["chrom"]], int(row["pos"]) - 1
        for side, letter in zip(pairs, (row["ref"], row["alt"]), strict=True):
            changed = "N" * width + text[:at] + letter + text[at + 1 :] + "N" * width
            side.append(changed[at + width - width // 2 :][:width])
    low, high = (package.load(model).logits(side)[:, 0] for side in pairs)
    apart = float(np.abs(np.array([float(row["effect"]) for row in rows]) - (high - low)).max())
    text = f"{len(rows):,} SNVs in {seconds:.1f} s, {memory:.2f} GB; at most {apart:.1g} from applying each by hand"
    return {"figure": seconds, "text": text, "seconds": 0.0}


def made_up(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """A million SNVs on a genome of 10 Mb: seconds and memory, to a VCF."""
    import numpy as np

    model = network(data, work, seed, cores)
    rng = np.random.default_rng(seed)
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, SIZES["genome"])]
    genome, variants, out = work / "g.fa", work / "v.vcf", work / "o.vcf"
    genome.write_bytes(
        b">chr1\n" + b"\n".join(letters[i : i + 60].tobytes() for i in range(0, len(letters), 60)) + b"\n"
    )
    places = np.sort(rng.choice(len(letters), SIZES["variants"], replace=False))
    others = (np.searchsorted(np.frombuffer(b"ACGT", np.uint8), letters[places]) + rng.integers(1, 4, len(places))) % 4
    with open(variants, "w") as stream:
        stream.write(f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length={len(letters)}>\n")
        stream.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for place, other in zip(places.tolist(), others.tolist(), strict=True):
            stream.write(f"chr1\t{place + 1}\t.\t{chr(letters[place])}\t{'ACGT'[other]}\t.\t.\t.\n")
    few = work / "few.vcf"
    with open(variants) as stream:
        few.write_text("".join(islice(stream, 3 + SIZES["variants"] // 20)))
    _, less = measured("variants", model, few, "--genome", genome, "-o", out, cores=cores)
    seconds, memory = measured("variants", model, variants, "--genome", genome, "-o", out, cores=cores)
    text = (
        f"{len(places):,} SNVs in {seconds:.0f} s, {len(places) / seconds:,.0f} a second; "
        f"{memory:.2f} GB, {less:.2f} GB for a twentieth of them"
    )
    return {"figure": seconds, "text": text, "seconds": 0.0}


ROWS = [
    Row("variants of C. elegans", "60 s; 1e-5 from applying by hand", real, "genomes_small", 1, True),
    Row("a million variants", "under 1.5 GB; variants a second stated", made_up, "genomes_small", 1, True),
]
