"""A motif along a promoter: the same layer that learns, with the matrices of known motifs as its weights.

Usage: python scripts/examples/promoter.py [FASTA] [-o promoter.png] [--motifs MEME]

Without FASTA the lacUV5 promoter of E. coli is read, and without --motifs the -35 and the -10 box of
sigma 70 (shares of each consensus letter: Lisser & Margalit, Nucleic Acids Res 21, 1507, 1993; the other letters
share the rest). A score is the log-odds, in bits, of a motif that starts at a place, against equal frequencies.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from seqcnn.alphabet import DNA
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import SeqcnnError
from seqcnn.io.fasta import read_sequences
from seqcnn.io.meme import read_meme
from seqcnn.io.writing import atomic
from seqcnn.nn.filters import pwm_weights
from seqcnn.nn.kernels import filtered
from seqcnn.plot.canvas import figure
from seqcnn.plot.palette import CYCLE
from seqcnn.sequence import encode

#: From the site of CRP to the operator; transcription starts at the A of ...GTGTGGAATTGTGAGC.
LAC = (
    "CAACGCAATTAATGTGAGTTAGCTCACTCATTAGGCACCCCAGGCTTTACACTTTATGCT"
    "TCCGGCTCGTATAATGTGTGGAATTGTGAGCGGATAACAATTTCACACAGGAAACAGCT"
)
BOXES = {"-35 box": ("TTGACA", (69, 79, 61, 56, 54, 54)), "-10 box": ("TATAAT", (77, 76, 60, 61, 56, 82))}


def consensus(letters: str, shares: tuple[int, ...]) -> np.ndarray:
    """Return the matrix ``(L, 4)`` of a motif whose consensus letters have these shares, in percent."""
    matrix = np.empty((len(letters), 4))
    for row, letter, share in zip(matrix, letters, shares, strict=True):
        row[:] = (100 - share) / 300
        row["ACGT".index(letter)] = share / 100
    return matrix


def scores(sequence: str, matrices: list[np.ndarray]) -> torch.Tensor:
    """Return the log-odds in bits ``(F, L)`` of each motif that starts at each place; NaN where it would not fit."""
    image = OneHot("dna")(torch.from_numpy(encode(sequence, DNA).copy())[None])
    rows = []
    for matrix in matrices:
        odd = len(matrix) | 1  # the matrix stands at the left of an even filter
        centered = filtered(image, pwm_weights([matrix], odd))[0, 0, 0] / np.log(2)
        row, places = torch.full_like(centered, torch.nan), max(0, len(sequence) - len(matrix) + 1)
        row[:places] = centered[odd // 2 :][:places]
        rows.append(row)
    return torch.stack(rows)


def main() -> None:
    """Draw the scores along one promoter, and print the best place of each motif."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("fasta", nargs="?", help="FASTA file; its first record is read")
    parser.add_argument("-o", "--out", type=Path, default=Path("promoter.png"), help="picture to write")
    parser.add_argument("--motifs", type=Path, help="motifs in MEME format")
    options = parser.parse_args()
    try:
        name, sequence = "lacUV5", LAC
        if options.fasta:
            record = next(iter(read_sequences(options.fasta)))
            name, sequence = record.id, record.sequence
        motifs = {key: consensus(*box) for key, box in BOXES.items()}
        if options.motifs:
            motifs = {motif.name: motif.probabilities for motif in read_meme(options.motifs)}
        found = scores(sequence, list(motifs.values()))
        fig, axes = figure(900, 110 * len(motifs) + 40, rows=len(motifs), sharex=True)
        for ax, (title, matrix), row, color in zip(axes, motifs.items(), found, CYCLE * len(motifs), strict=False):
            best = int(torch.nan_to_num(row, nan=-1e9).argmax())
            site = sequence[best : best + len(matrix)]
            print(f"{title}\tposition {best + 1}\t{site}\t{row[best]:.1f} bits")
            ax.bar(np.arange(len(row)) + 1, row.clamp(min=0), color=color, width=0.9)
            ax.annotate(f" {site}", (best + 1, float(row[best])), fontsize=10, color=color, va="top")
            ax.set_ylabel("bits")
            ax.set_title(title, loc="left")
        axes[-1].set_xlabel(f"start in {name}")
        with atomic(options.out, "wb") as stream:
            fig.savefig(stream, dpi=110, format=options.out.suffix[1:] or "png")
    except SeqcnnError as error:
        raise SystemExit(f"promoter: {error}") from None
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
