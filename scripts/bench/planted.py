"""Planted truth: made-up records whose motifs are known, and how many of them a model shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from harness import SIZES

from seqcnn.alphabet import DNA
from seqcnn.data.synthetic import background
from seqcnn.motif import Motif
from seqcnn.motifs.compare import Database, compare, open_database
from seqcnn.motifs.found import MotifSet
from seqcnn.motifs.jaspar import jaspar
from seqcnn.sequence import decode

LENGTH, FACTORS = 200, 12
#: Matrices of so many columns and bits are planted: shorter ones stand in any 200 bp by chance.
COLUMNS, BITS = (8, 20), 10
#: Candidates whose likeness is measured; at most so many planted sites and decoys a record.
CANDIDATES, SITES, DECOYS = 120, 3, 2
#: q-value from which a match does not count.
QVALUE = 0.05


@lru_cache
def factors(seed: int) -> tuple[tuple[Motif, ...], tuple[Motif, ...]]:
    """Return 12 vertebrate matrices of JASPAR to plant and 12 decoys: of 24 families, no two alike (TOMTOM)."""
    usable = [m for m in jaspar("vertebrates") if COLUMNS[0] <= len(m) <= COLUMNS[1] and m.information.sum() >= BITS]
    order = np.random.default_rng(seed).permutation(len(usable))[:CANDIDATES]
    drawn = [usable[i] for i in order]
    alike = compare(drawn, Database("candidates", tuple(drawn)), qvalue=QVALUE, shuffles=0, keep=CANDIDATES)
    chosen: list[Motif] = []
    for motif, matches in zip(drawn, alike, strict=True):
        near = {match.accession for match in matches}
        if motif.family and all(motif.family != m.family and m.name not in near for m in chosen):
            chosen.append(motif)
    return tuple(chosen[:FACTORS]), tuple(chosen[FACTORS : 2 * FACTORS])


def planted_records(part: str) -> Callable[[Path, int], pd.DataFrame]:
    """Return a reader that makes records up: 10,000 of each class to train on, or a fifth as many to test on.

    Each is a genome-like 200 bp. A positive holds sites of 1 to 3 of the 12 factors, each drawn from its matrix and
    put on either strand; every record, positive or not, holds sites of 0 to 2 of the 12 decoys. Sites do not overlap.
    The seed draws the factors too.
    """

    def read(data: Path, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng([seed, part == "test"])
        count = SIZES["planted"] if part == "train" else SIZES["planted"] // 5
        truth, decoys = factors(seed)
        labels = np.repeat([1, 0], count)
        sequences = []
        for codes, label in zip(background([LENGTH] * len(labels), rng), labels, strict=True):
            motifs = [decoys[i] for i in rng.permutation(len(decoys))[: rng.integers(0, DECOYS + 1)]]
            if label:
                motifs += [truth[i] for i in rng.permutation(len(truth))[: rng.integers(1, SITES + 1)]]
            plant(codes, motifs, rng)
            sequences.append(decode(codes, DNA))
        return pd.DataFrame({"sequence": sequences, "target": labels})

    return read


def plant(codes: np.ndarray[Any, Any], motifs: list[Motif], rng: np.random.Generator) -> None:
    """Write a site of each motif into a record, none over another."""
    free = np.ones(len(codes), bool)
    for motif in motifs:
        matrix = motif.probabilities if rng.random() < 0.5 else motif.reverse_complement().probabilities
        width = len(matrix)
        starts = [s for s in range(len(codes) - width + 1) if free[s : s + width].all()]
        start = starts[rng.integers(len(starts))]
        codes[start : start + width] = (rng.random((width, 1)) > matrix.cumsum(1)[:, :3]).sum(1)
        free[start : start + width] = False


def shown(found: MotifSet, seed: int, filters: int) -> dict[str, float]:
    """Return how a model's motifs compare with what was planted.

    Live filters are those that `seqcnn motifs` calls neither dead nor flat (of no common motif); the share is of those
    whose merged motif has a planted matrix among all JASPAR matrices that it matches at q < .05. Filters of motifs
    that are not listed (beyond the 30 most important) are live and match nothing.
    """
    names = {motif.name for motif in factors(seed)[0]}
    database = open_database("jaspar")
    matches = compare([m.motif for m in found], database, qvalue=QVALUE, keep=len(database.motifs))
    hits = [{match.accession for match in row if match.significant} & names for row in matches]
    live = filters - len(found.dead) - len(found.flat)
    matched = {index for motif, hit in zip(found, hits, strict=True) if hit for index in motif.filters}
    recovered = set().union(*hits)
    return {
        "recovered": len(recovered),
        "live": live,
        "matching": len(matched) / max(live, 1),
        "motifs a factor": sum(map(len, hits)) / len(recovered) if recovered else float("inf"),
        "listed": len(hits),
        "listed without a factor": sum(not hit for hit in hits),
    }
