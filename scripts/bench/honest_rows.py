"""Rows of the accuracy table on what splits and negatives are worth: the same data, judged kindly and strictly."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Row, against_baselines, interval, seqcnn

import seqcnn as package


def stored(model: Path, metric: str) -> tuple[dict[str, Any], str]:
    """Return the figures that a model keeps of its own held-out part, and what they say."""
    record = package.load(model).record
    figures = record.figures or record.out_of_fold
    kin = figures["relatives"] or {"near": 0, "n": 0, "metrics_far": {}}
    text = f"{interval(figures, metric)} on {figures['n']:,}; {against_baselines(figures, metric)}"
    text += f"; {kin['near']:,} of them with a near relative in training"
    if kin["near"] and kin["metrics_far"].get(metric) is not None:
        text += f", {metric} {kin['metrics_far'][metric]:.4f} on the others"
    return figures, text


def promoters(negatives: str, split: str) -> Callable[..., dict[str, Any]]:
    """Active E. coli promoters, 150 bp, against made negatives, split in a stated way."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        rows = gzip.decompress((data / "ecoli_tss_mpra" / "tss_windows.NC_000913.3.bed.gz").read_bytes()).decode()
        peaks, genome, model = work / "active.bed", work / "ecoli.fa", work / "m.safetensors"
        peaks.write_text("".join(f"{row}\n" for row in rows.splitlines() if row.endswith("\tactive")))
        packed = (data / "genomes_small" / "ecoli_K12_MG1655.NC_000913.3.fna.gz").read_bytes()
        genome.write_bytes(gzip.decompress(packed))
        made = ["train", peaks, "--genome", genome, "--negatives", negatives, "--split", split, "-o", model]
        _, seconds = seqcnn(*made, "--seed", seed, "--quiet", cores=cores)
        figures, text = stored(model, "auroc")
        return {"figure": figures["metrics"]["auroc"], "text": f"AUROC {text}", "seconds": seconds}

    return run


def proteins(split: str) -> Callable[..., dict[str, Any]]:
    """Location of proteins in the cell: the split that the data came with, or clusters of relatives kept together."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        table, model = data / "subcell_multiloc" / "multiloc.tsv.gz", work / "m.safetensors"
        select = [table, "--target", "location", "--id", "id", "--split", split, "-o", model]
        share = ["--test", "0.2"] if split == "cluster" else []
        _, seconds = seqcnn("train", *select, *share, "--seed", seed, "--quiet", cores=cores)
        figures, text = stored(model, "accuracy")
        return {"figure": figures["metrics"]["accuracy"], "text": f"accuracy {text}", "seconds": seconds}

    return run


ROWS = [
    Row("E. coli promoters, shuffles, random split", "-", promoters("shuffle", "random"), "genomes_small", 3),
    Row("E. coli promoters, matched, random split", "-", promoters("matched", "random"), "genomes_small", 3),
    Row("E. coli promoters, matched, clusters", "-", promoters("matched", "cluster"), "genomes_small", 3),
    Row("subcell_multiloc, given split", "beside the next", proteins("column:split_repo"), "subcell_multiloc", 3),
    Row("subcell_multiloc, clusters", "-", proteins("cluster"), "subcell_multiloc", 3),
]
