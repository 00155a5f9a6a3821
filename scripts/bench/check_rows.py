"""Rows of the table on `seqcnn check`: planted faults that must be found, clean data on which nothing may be."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from harness import SIZES, Row, seqcnn

#: Half of the letters are G or C, so that the motif itself shifts nothing.
MOTIF, CONSERVED = "TGACTCATCAGC", 0.9
LENGTH, SPREAD = 200, 20


@dataclass
class Made:
    """Records as a table would have them."""

    sequences: list[str]
    labels: np.ndarray
    ids: list[str]


def background(rng: np.random.Generator, gc: float, length: int) -> np.ndarray:
    """Return letters 0 to 3 of a record whose GC content is drawn around `gc`, as it varies along a genome."""
    share = np.clip(rng.beta(20, 20) + gc - 0.5, 0.05, 0.95)
    strong = rng.random(length) < share
    return np.where(strong, rng.integers(1, 3, length), rng.integers(0, 2, length) * 3)


def clean(rng: np.random.Generator, count: int, *, shift: float = 0.0, longer: int = 0) -> Made:
    """Return records of which every second holds a motif; nothing else tells them apart.

    Lengths vary, a fifth of the records is partly soft-masked, one in fifty holds a run of N, identifiers are places on
    a genome. `shift` is added to the GC content of positives, `longer` to their lengths.
    """
    consensus = np.array(["ACGT".index(letter) for letter in MOTIF])
    labels = rng.permutation(np.arange(count) % 2)
    sequences, ids = [], []
    for label in labels:
        length = max(60, round(rng.normal(LENGTH + longer * label, SPREAD)))
        letters = background(rng, 0.5 + shift * label, length)
        if label:
            site = np.where(rng.random(len(consensus)) < CONSERVED, consensus, rng.integers(0, 4, len(consensus)))
            site = site if rng.random() < 0.5 else 3 - site[::-1]
            at = rng.integers(0, length - len(site) + 1)
            letters[at : at + len(site)] = site
        text = "".join("ACGT"[i] for i in letters)
        if rng.random() < 0.2:
            at, width = rng.integers(0, length), rng.integers(10, 80)
            text = text[:at] + text[at : at + width].lower() + text[at + width :]
        if rng.random() < 0.02:
            at = rng.integers(0, length - 5)
            text = text[:at] + "NNNNN" + text[at + 5 :]
        sequences.append(text)
        start = int(rng.integers(0, 10**8))
        ids.append(f"chr{rng.integers(1, 23)}:{start}-{start + length}")
    return Made(sequences, labels, ids)


def n_at_start(rng: np.random.Generator, count: int) -> Made:
    """Three of ten positives have an N among their first ten letters."""
    made = clean(rng, count)
    for i in np.flatnonzero(made.labels == 1):
        if rng.random() < 0.3:
            at = rng.integers(0, 10)
            made.sequences[i] = made.sequences[i][:at] + "N" + made.sequences[i][at + 1 :]
    return made


def prefix(rng: np.random.Generator, count: int) -> Made:
    """Seven of ten positives are called peak_1, peak_2, ..."""
    made = clean(rng, count)
    made.ids = [
        f"peak_{i}" if label and rng.random() < 0.7 else name
        for i, (label, name) in enumerate(zip(made.labels, made.ids, strict=True))
    ]
    return made


def contradicting(rng: np.random.Generator, count: int) -> Made:
    """One in a hundred records comes again, as the other class, half of them on the other strand."""
    made = clean(rng, count)
    turned = str.maketrans("ACGTacgtN", "TGCAtgcaN")
    for i in rng.choice(count, max(2, count // 100), replace=False):
        text = made.sequences[i]
        made.sequences.append(text if rng.random() < 0.5 else text.translate(turned)[::-1])
        made.ids.append(f"{made.ids[i]}b")
        made.labels = np.append(made.labels, 1 - made.labels[i])
    return made


def flipped(rng: np.random.Generator, count: int) -> Made:
    """One in twenty labels is the other one; such records are called f1, f2, ... so that they can be counted."""
    made = clean(rng, count)
    for i in rng.choice(count, count // 20, replace=False):
        made.labels[i] = 1 - made.labels[i]
        made.ids[i] += "-f"
    return made


#: Seeds below this one served the design of the checks.
_UNSEEN = 200
FAULTS: dict[str, tuple[Callable[..., Made], str]] = {
    "clean": (clean, ""),
    "GC content 5 points higher": (lambda rng, count: clean(rng, count, shift=0.05), "shortcut_gc"),
    "15 letters longer": (lambda rng, count: clean(rng, count, longer=15), "shortcut_length"),
    "N among the first ten letters of 30%": (n_at_start, "shortcut_n"),
    "identifiers of 70% with a prefix": (prefix, "shortcut_ids"),
    "1% contradict": (contradicting, "contradictions"),
    "5% of labels flipped": (flipped, "mislabelled"),
}


def judge(found: dict[str, Any], fault: str) -> tuple[bool, str]:
    """Return whether the planted fault, and no other one, is among the findings; and what is."""
    wanted = FAULTS[fault][1]
    keys = {f["key"]: f for f in found["findings"]}
    told = {key for key in keys if key.startswith("shortcut") or key in ("contradictions", "mislabelled")}
    said = ", ".join(sorted(told)) or "nothing"
    if not wanted:
        return not told, said
    good = wanted in told
    if good and keys[wanted]["figure"]:
        said += f"; {keys[wanted]['figure']['name']} {keys[wanted]['figure']['value']:.3f}"
    if wanted == "mislabelled" and good:
        examples = keys[wanted]["examples"]
        right = sum("-f (" in name for name in examples)
        said += f"; {keys[wanted]['count']} flagged, {right} of the first {len(examples)} were flipped"
        good = 2 * right > len(examples)
    return good, said


def planted(fault: str) -> Callable[..., dict[str, Any]]:
    """Return the row of one fault: made records, checked through the shell."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        made = FAULTS[fault][0](np.random.default_rng(_UNSEEN + seed), SIZES["checked"])
        table = work / "made.tsv"
        with open(table, "w") as out:
            out.write("id\tsequence\tlabel\n")
            for row in zip(made.ids, made.sequences, made.labels, strict=True):
                out.write("\t".join(map(str, row)) + "\n")
        start = time.perf_counter()
        found = json.loads(seqcnn("check", table, "--json", "-", "--quiet", cores=cores)[0])
        good, said = judge(found, fault)
        return {"figure": float(good), "text": said, "seconds": time.perf_counter() - start}

    return run


#: Real data sets: what is checked, the finding that tells their repeats, and how many their READMEs name.
_REPEATS: dict[str, tuple[list[str], str, int]] = {
    "splice_uci": (["splice_uci/splice.csv.gz", "--target", "class", "--id", "name"], "duplicates", 185),
    **{
        f"gue_promoter {name}": (
            [f"gue_promoter/prom_prom_{name}.train.csv.gz", "--test", f"gue_promoter/prom_prom_{name}.test.csv.gz",
             "--positive", "1"],
            "duplicates_test", count,
        )
        for name, count in (("300_tata", 6), ("core_tata", 16), ("core_notata", 30))
    },
    "ecoli_tss_mpra": (
        ["ecoli_tss_mpra/tss_expression.tsv.gz", "--target", "expression", "--id", "name", "--split", "column:split"],
        "duplicates_test", 34,
    ),
}  # fmt: skip


def repeats(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Find the repeats that the READMEs of real data sets name."""
    told, right, start = [], 0, time.perf_counter()
    for name, (arguments, key, count) in _REPEATS.items():
        words = [str(data / word) if word.endswith(".gz") else word for word in arguments]
        skipped = [word for check in ("relatives", "shortcuts", "mislabelled") for word in ("--skip", check)]
        report = json.loads(seqcnn("check", *words, *skipped, "--json", "-", "--quiet", cores=cores)[0])
        found = next((f["count"] for f in report["findings"] if f["key"] == key), 0)
        right += found == count
        told.append(f"{name} {found} of {count}")
    return {"figure": right / len(_REPEATS), "text": ", ".join(told), "seconds": time.perf_counter() - start}


ROWS = [
    Row(
        f"check, {fault}", "nothing in 19 of 20" if not key else "found in 19 of 20", planted(fault), needs="", seeds=20
    )
    for fault, (_, key) in FAULTS.items()
]
ROWS.append(Row("repeats that READMEs name", "all found", repeats, needs="gue_promoter"))
