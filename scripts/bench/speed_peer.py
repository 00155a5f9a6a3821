#!/usr/bin/env python3
"""Whole commands as a user of tangermeme would write them: FASTA to a table of scores, a VCF to effects.

Usage: speed_peer.py score NETWORK.pt IN.fa OUT.tsv --batch 128 --precision 32|bf16 --device cpu
       speed_peer.py variants NETWORK.pt IN.vcf OUT.tsv --genome G.fa --width 200 --batch 128 ...

The second prints the seconds that went into variants, without the start.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from tangermeme.predict import predict
from tangermeme.utils import one_hot_encode


def read(path: str) -> tuple[list[str], list[str]]:
    """Return names and letters of a FASTA file."""
    with open(path) as stream:
        records = stream.read().split(">")[1:]
    names, texts = [], []
    for record in records:
        head, _, body = record.partition("\n")
        names.append(head.split()[0])
        texts.append(body.replace("\n", "").upper())
    return names, texts


def logits(network: torch.nn.Module, texts: list[str], *, batch: int, precision: str, device: str) -> list[float]:
    """Return the first logit of each sequence."""
    x = torch.stack([one_hot_encode(text) for text in texts])
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    y = predict(network, x, batch_size=batch, dtype=dtype, device=device)
    return y[:, 0].float().tolist()  # type: ignore[union-attr,call-overload]


def score(network: torch.nn.Module, path: str, out: str, **how: Any) -> None:
    """Write a score of each record of a FASTA file."""
    names, texts = read(path)
    found = logits(network, texts, **how)
    with open(out, "w") as stream:
        stream.write("id\tscore\n")
        stream.writelines(f"{name}\t{value:.6g}\n" for name, value in zip(names, found, strict=True))


def variants(network: torch.nn.Module, path: str, out: str, *, genome: str, width: int, **how: Any) -> None:
    """Write the effect of each SNV of a VCF, and print the seconds that reading the genome took and the rest."""
    start = time.perf_counter()
    chromosomes = dict(zip(*read(genome), strict=True))
    fixed, start = time.perf_counter() - start, time.perf_counter()
    half, rows, low, high = width // 2, [], [], []
    for line in Path(path).read_text().splitlines():
        if line[0] == "#":
            continue
        chromosome, place, _, ref, alt, *_ = line.split("\t")
        at, text = int(place) - 1, chromosomes[chromosome]
        before = text[max(0, at - half) : at].rjust(half, "N")
        after = text[at + 1 : at + width - half].ljust(width - half - 1, "N")
        rows.append(f"{chromosome}\t{place}\t{ref}\t{alt}")
        low.append(before + ref + after)
        high.append(before + alt + after)
    effects = zip(rows, logits(network, low, **how), logits(network, high, **how), strict=True)
    with open(out, "w") as stream:
        stream.writelines(f"{row}\t{b - a:.6g}\n" for row, a, b in effects)
    print(fixed, time.perf_counter() - start)


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("verb", choices=("score", "variants"))
    parser.add_argument("network")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--precision", choices=("32", "bf16"), default="32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--genome")
    parser.add_argument("--width", type=int)
    options = parser.parse_args()
    torch.backends.cudnn.allow_tf32 = False
    network = torch.load(options.network, weights_only=False)
    how = {"batch": options.batch, "precision": options.precision, "device": options.device}
    if options.verb == "score":
        score(network, options.input, options.output, **how)
    else:
        variants(network, options.input, options.output, genome=options.genome, width=options.width, **how)


if __name__ == "__main__":
    main()
