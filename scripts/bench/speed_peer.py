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
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32

    def logits(texts: list[str]) -> list[float]:
        x = torch.stack([one_hot_encode(text) for text in texts])
        y = predict(network, x, batch_size=options.batch, dtype=dtype, device=options.device)
        return y[:, 0].float().tolist()  # type: ignore[union-attr,call-overload]

    if options.verb == "score":
        names, texts = read(options.input)
        with open(options.output, "w") as out:
            out.write("id\tscore\n")
            out.writelines(f"{name}\t{value:.6g}\n" for name, value in zip(names, logits(texts), strict=True))
        return
    start = time.perf_counter()
    chromosomes = dict(zip(*read(options.genome), strict=True))
    fixed, start = time.perf_counter() - start, time.perf_counter()
    half, width = options.width // 2, options.width
    rows, low, high = [], [], []
    for line in Path(options.input).read_text().splitlines():
        if line[0] == "#":
            continue
        chromosome, place, _, ref, alt, *_ = line.split("\t")
        at = int(place) - 1
        text = chromosomes[chromosome]
        before = text[max(0, at - half) : at].rjust(half, "N")
        after = text[at + 1 : at + width - half].ljust(width - half - 1, "N")
        rows.append(f"{chromosome}\t{place}\t{ref}\t{alt}")
        low.append(before + ref + after)
        high.append(before + alt + after)
    effects = zip(rows, logits(low), logits(high), strict=True)
    with open(options.output, "w") as out:
        out.writelines(f"{row}\t{b - a:.6g}\n" for row, a, b in effects)
    print(fixed, time.perf_counter() - start)


if __name__ == "__main__":
    main()
