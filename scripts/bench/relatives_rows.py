"""Rows of the accuracy table on relatives: pairs that a split by families leaves across sets, as Biopython judges."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness import SIZES, Row

from seqcnn.alphabet import DNA, PROTEIN, Alphabet
from seqcnn.data.relatives import families, near, related, sketch
from seqcnn.sequence import Sequences, decode, encode, reverse_complement

#: Biopython's aligners that judge: mode, match, mismatch, opening and extending a gap; None is BLOSUM62, -11, -1.
JUDGES = (
    ("local", 1, -1, -1, -1),
    ("local", 2, -3, -5, -2),
    ("local", 5, -4, -10, -0.5),
    ("global", 1, -1, -1, -1),
    ("global", 5, -4, -10, -0.5),
)
DIVERGENCES = (0.1, 0.2, 0.3)


def read(path: Path, alphabet: Alphabet) -> Sequences:
    """Return the sequences of a table of the real data."""
    csv.field_size_limit(1 << 24)
    text = gzip.decompress(path.read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text), delimiter="\t" if ".tsv" in path.name else ",")
    return Sequences.from_codes([encode(row["sequence"].strip(), alphabet, unknown="mask") for row in rows])


def aligners(alphabet: Alphabet) -> list[Any]:
    """Return the judges; proteins are also aligned by BLOSUM62."""
    from Bio.Align import PairwiseAligner, substitution_matrices

    made = []
    for mode, match, mismatch, opening, extending in JUDGES:
        judge = PairwiseAligner(mode=mode, match_score=match, mismatch_score=mismatch)
        judge.open_gap_score, judge.extend_gap_score = opening, extending
        made.append(judge)
    if alphabet is PROTEIN:
        for mode in ("local", "global"):
            judge = PairwiseAligner(mode=mode, substitution_matrix=substitution_matrices.load("BLOSUM62"))
            judge.open_gap_score, judge.extend_gap_score = -11, -1
            made.append(judge)
    return made


def reading(one: str, other: str, judges: list[Any]) -> int:
    """Return 2 for a leak: an alignment in which 80% of columns match, over 80% of the shorter; 1 for a loose one.

    Loosely, letters against gaps are not counted, and 80% of the shorter's letters match somewhere: of a global
    alignment of a fragment, they may be scattered. A leak scores 0.48 of the shorter's length or more by the first
    judge's points, whatever the judge that finds it; pairs below 0.4 need no other.
    """
    shorter = min(len(one), len(other))
    if judges[0].score(one, other) < 0.4 * shorter:
        return 0
    found = 0
    for judge in judges:
        best = judge.align(one, other)[0]
        counts = best.counts()
        side = 0 if len(one) <= len(other) else 1
        start, stop = best.coordinates[side][0], best.coordinates[side][-1]
        paired = counts.identities + counts.mismatches
        covered = paired if judge.mode == "global" else abs(stop - start)
        if counts.identities >= 0.8 * (paired + counts.gaps) and covered >= 0.8 * shorter:
            return 2
        if counts.identities >= 0.8 * shorter and counts.identities >= 0.8 * paired:
            found = 1
    return found


def leaks(sequences: Sequences, alphabet: Alphabet, pairs: Iterator[tuple[int, int]]) -> tuple[int, str]:
    """Return how many of the pairs are leaks on either strand, and a text that also says how many were judged."""
    texts = [decode(codes & np.uint8(0x7F), alphabet) for codes in sequences]
    turned = [decode(reverse_complement(c & np.uint8(0x7F), alphabet), alphabet) for c in sequences if alphabet is DNA]
    judges = aligners(alphabet)
    found = [0, 0, 0]
    for i, j in pairs:
        others = (texts[j], turned[j]) if turned else (texts[j],)
        found[max(reading(texts[i], other, judges) for other in others)] += 1
    return found[2], f"{found[2]} leaks ({found[1]} by the loose reading) in {sum(found):,} pairs judged"


def sides(family: np.ndarray, seed: int) -> np.ndarray:
    """Return which records test: a fifth of the families."""
    return np.random.default_rng(seed).random(family.max() + 1)[family] < 0.2


def all_across(sequences: Sequences, test: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield every pair across the sets."""
    for i in np.flatnonzero(test):
        for j in np.flatnonzero(~test):
            yield int(i), int(j)


def sharing_words(sequences: Sequences, test: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the pairs across the sets that share different words of 3 letters, at least a quarter of the shorter.

    Were the errors of an alignment of 80% over 80% spread evenly, the worst case, 0.32 of the shorter's words remain.
    """
    from scipy.sparse import csr_array

    from seqcnn.kmers import presence

    indptr, columns = presence(sequences, (3,), PROTEIN)
    held = csr_array((np.ones(len(columns), np.int32), columns, indptr), shape=(len(sequences), PROTEIN.size**3))
    train = np.flatnonzero(~test)
    known = held[train].T.tocsr()
    for i in np.flatnonzero(test):
        shared = (held[[i]] @ known).tocoo()
        other = train[shared.coords[1]]
        shorter = np.minimum(sequences.lengths[i], sequences.lengths[other])
        for j in other[shared.data >= 0.25 * shorter]:
            yield int(i), int(j)


def split_judged(path: str, alphabet: Alphabet, across: Callable[..., Iterator[tuple[int, int]]]) -> Callable[..., Any]:
    """Return a row that splits real data by families and counts leaks."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        sequences = read(data / path, alphabet)
        start = time.perf_counter()
        family = families(sequences, alphabet)
        seconds = time.perf_counter() - start
        test = sides(family, seed)
        found, judged = leaks(sequences, alphabet, across(sequences, test))
        random = np.random.default_rng(seed).random(len(sequences)) < 0.2
        before = near(sequences.take(np.flatnonzero(~random)), sequences.take(np.flatnonzero(random)), alphabet).mean()
        text = (
            f"{judged}; {len(sequences):,} records, {family.max() + 1:,} families, the "
            f"largest {np.bincount(family).max()}; of a random split {before:.1%} of the test records are near training"
        )
        return {"figure": found, "text": text, "seconds": seconds}

    return run


def evolved(codes: np.ndarray, divergence: float, rng: np.random.Generator) -> np.ndarray:
    """Return a copy with substitutions and, one in ten, letters inserted or deleted."""
    change = rng.random(len(codes)) < divergence
    kind = rng.random(len(codes))
    out = np.where(change & (kind >= 0.1), (codes + rng.integers(1, 4, len(codes))) % 4, codes)
    out = np.delete(out, np.flatnonzero(change & (kind < 0.05)))
    more = np.flatnonzero(rng.random(len(out)) < 0.05 * divergence)
    return np.insert(out, more, rng.integers(0, 4, len(more))).astype(np.uint8)


def simulated(divergence: float) -> Callable[..., Any]:
    """Return a row on families of an ancestor of 200 bp and three copies of it, on either strand."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        records = []
        for _ in range(SIZES["families"]):
            ancestor = rng.integers(0, 4, 200, dtype=np.uint8)
            for k in range(4):
                child = evolved(ancestor, divergence, rng) if k else ancestor
                records.append(reverse_complement(child, DNA) if rng.random() < 0.5 else child)
        sequences = Sequences.from_codes(records)
        start = time.perf_counter()
        family = families(sequences, DNA)
        seconds = time.perf_counter() - start
        test = sides(family, seed)
        each = np.arange(len(records)).reshape(-1, 4)
        pairs = [(int(g[a]), int(g[b])) for g in each for a in range(4) for b in range(a)]
        joined = np.mean([family[i] == family[j] for i, j in pairs])
        with_ancestor = np.mean([family[g[0]] == family[j] for g in each for j in g[1:]])
        _, judged = leaks(sequences, DNA, ((i, j) for i, j in pairs if family[i] != family[j]))
        across = sum(bool(test[i] != test[j]) for i, j in pairs)
        mixed = len(np.unique(np.stack([family, np.arange(len(records)) // 4]), axis=1).T) - (family.max() + 1)
        text = (
            f"recall {with_ancestor:.4f} of pairs with the ancestor, {joined:.4f} of all pairs; {judged} of true "
            f"families in two families ({across:,} across the sets); {mixed} families mix"
        )
        return {"figure": float(with_ancestor), "text": text, "seconds": seconds}

    return run


_MILLION = """
import json, resource, sys, time
import numpy as np
from seqcnn.alphabet import DNA
from seqcnn.data.relatives import families
from seqcnn.sequence import Sequences
n = int(sys.argv[1])
rng = np.random.default_rng(0)
buffer = rng.integers(0, 4, n * 200, dtype=np.uint8).reshape(n, 200)
half = n // 2  # the second half: copies of the first, one letter in ten changed
change = rng.random((half, 200), dtype=np.float32) < 0.1
buffer[half : 2 * half] = (buffer[:half] + change * rng.integers(1, 4, (half, 200), dtype=np.uint8)) % 4
del change
families(Sequences(buffer[:9].ravel().copy(), np.arange(10) * 200), DNA)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
family = families(Sequences(buffer.ravel(), np.arange(n + 1) * 200), DNA)
seconds = time.perf_counter() - start
found = float((family[:half] == family[half : 2 * half]).mean())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
figures = {"seconds": seconds, "gb": peak / 1e6, "before": before / 1e6, "found": found}
print(json.dumps(figures | {"largest": int(np.bincount(family).max())}))
"""


def million(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Time and memory of a million records of 200 bp, half of which are copies with a tenth of the letters changed."""
    command = [sys.executable, "-c", _MILLION, str(SIZES["million"])]
    got = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    text = (
        f"{got['seconds']:.0f} s, peak {got['gb']:.1f} GB ({got['before']:.1f} GB before); {got['found']:.4f} of "
        f"copies of 90% identity found, largest family {got['largest']}"
    )
    return {"figure": got["seconds"], "text": text, "seconds": got["seconds"]}


def sketched(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Recall of sketches of 20,000 records of 200 bp, by identity, and the share of unrelated records flagged."""
    rng = np.random.default_rng(seed)
    count = 4 * SIZES["families"]
    known = Sequences(rng.integers(0, 4, count * 200, dtype=np.uint8), np.arange(count + 1) * 200)
    start = time.perf_counter()
    made = sketch(known, DNA)
    seconds = time.perf_counter() - start
    some = min(1000, count)
    recall = []
    for divergence in (0, 0.05, 0.1, 0.15, 0.2):
        asked = Sequences.from_codes([evolved(known[i], divergence, rng) for i in range(some)])
        recall.append(float(related(made, asked, DNA).mean()))
    others = Sequences(rng.integers(0, 4, 10 * some * 200, dtype=np.uint8), np.arange(10 * some + 1) * 200)
    flagged = float(related(made, others, DNA).mean())
    shares = ", ".join(f"{share:.3f}" for share in recall)
    text = f"recall at 100, 95, 90, 85, 80% identity {shares}; unrelated {flagged:.5f}; {made.filter.nbytes:,} bytes"
    return {"figure": recall[2], "text": text, "seconds": seconds}


_SPLICE, _SUBCELL = "splice_uci/splice.csv.gz", "subcell_multiloc/multiloc.tsv.gz"
ROWS = [
    Row("relatives splice_uci", "0 leaks", split_judged(_SPLICE, DNA, all_across), "splice_uci"),
    Row("relatives subcell_multiloc", "0 leaks", split_judged(_SUBCELL, PROTEIN, sharing_words), "subcell_multiloc"),
    *(Row(f"relatives simulated {d:.0%}", "0 leaks; recall stated", simulated(d), ".") for d in DIVERGENCES),
    Row("relatives sketches", "recall stated", sketched, "."),
    Row("relatives million", "minutes, a few GB", million, ".", timed=True),
]
