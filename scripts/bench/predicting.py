#!/usr/bin/env python3
"""What a trained model and its k-mer baseline say of the test part of a table, for the table of accuracy.

Usage: predicting.py MODEL TABLE.tsv OUT.npz [--planted SEED]

Writes the truth and the calibrated logits of the model and of the baseline, (N, K) in the order of the table
(regression: predictions in the target's unit), and prints what the model is. With `--planted` the motifs of the model
are found too and held against what was planted.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from planted import shown

import seqcnn
from seqcnn.model.model import Model
from seqcnn.motifs.activations import FirstLayer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--planted", type=int)
    options = parser.parse_args()
    model = seqcnn.load(options.model)
    frame = pd.read_csv(options.table, sep="\t", dtype={"sequence": str}, keep_default_na=False)
    test = frame[frame.part == "test"]
    found = {}
    for name in ("ours", "kmer"):
        raw = model.raw(test.sequence.tolist(), unknown="mask")
        logits = model.logits(raw) if name == "ours" else model.baseline_logits("kmer", raw)
        found[name] = (model.task.output(logits) if model.task.numeric else logits).astype(np.float64)
    truth = test.target.to_numpy()
    labels = np.array([] if model.task.name != "multiclass" else model.labels, dtype=str)
    if len(labels):
        truth = np.array([[*labels].index(label) for label in truth])
    np.savez(options.out, truth=truth.astype(np.float64), labels=labels, **found)
    record = model.record
    said = {
        "megabytes": options.model.stat().st_size / 1e6,
        "parameters": sum(p.numel() for p in model.network.parameters()),
        "network": record.options.get("network"),
        "choices": {name: choice.get("chosen") for name, choice in record.choices.items()},
    }
    if options.planted is not None:
        said["planted"] = motifs(model, options.table, options.planted)
    print(json.dumps(said))
    return 0


def motifs(model: Model, table: Path, seed: int) -> dict[str, float]:
    """Return what `seqcnn motifs` finds, held against what was planted."""
    data = seqcnn.read(table, split="column:part", target=("target",), id="id")
    return shown(seqcnn.find_motifs(model, data), seed, FirstLayer.of(model, "cpu").count)


if __name__ == "__main__":
    sys.exit(main())
