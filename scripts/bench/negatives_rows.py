"""Rows of the accuracy table on negatives: how far matched windows of real genomes are from their positives in GC."""

from __future__ import annotations

import gzip
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Row

#: Width of the windows around features to the features; None takes them whole.
WINDOWS: dict[int | None, tuple[str, ...]] = {
    None: ("exon", "CDS"),
    200: ("promoter", "gene", "exon", "CDS"),
    500: ("promoter", "gene", "exon", "CDS"),
}
TARGET = "mean GC within .02; low end of the GC-only AUROC's interval at most .55"


def matched(organism: str, width: int | None) -> Callable[..., dict[str, Any]]:
    """Draw matched negatives for windows around features; the figure is the largest difference in mean GC."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        import seqcnn
        from seqcnn.data.matching import matching

        base = data / "genomes_small"
        fasta = work / "genome.fa"
        fasta.write_bytes(gzip.decompress((base / f"{organism}.1pct.fa.gz").read_bytes()))
        start, worst, told = time.perf_counter(), 0.0, []
        for feature in WINDOWS[width]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # features that share a window
                records = seqcnn.read(
                    base / f"{organism}.1pct.gff.gz", genome=fasta, feature=feature, width=width, negatives="matched"
                )
            gc = matching(records)["GC"]
            reached = abs(gc.difference) < 0.02 and gc.interval[0] <= 0.55
            worst = max(worst, abs(gc.difference))
            overlap = next((n.split(": ")[1] for n in records.summary.notes if "overlap another" in n), "none")
            told.append(
                f"{feature} {int(records.targets.sum())}: GC {gc.positives:.4f} and {gc.negatives:.4f}, AUROC "
                f"{gc.auroc:.3f} ({gc.interval[0]:.3f}-{gc.interval[1]:.3f}), overlapping {overlap}, "
                f"{'reached' if reached else 'NOT REACHED'}"
            )
        return {"figure": worst, "text": "; ".join(told), "seconds": time.perf_counter() - start}

    return run


ROWS = [
    Row(
        f"matched {organism} {'whole' if width is None else f'{width} bp'}",
        TARGET,
        matched(organism, width),
        "genomes_small",
    )
    for organism in ("C.elegans", "D.melanogaster", "A.thaliana")
    for width in WINDOWS
]
