"""Rows of the accuracy table on sequences."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import SIZES, Row, against_baselines, evaluate, figure_of, interval, seqcnn


def first_motifs(model: Path, data: list[object], folder: Path, cores: str, count: int = 2) -> list[dict[str, str]]:
    """Return the first rows of motifs.tsv, most important first."""
    seqcnn("motifs", model, *data, "-o", folder, "--quiet", cores=cores)
    with open(folder / "motifs.tsv", newline="") as handle:
        return [row for _, row in zip(range(count), csv.DictReader(handle, delimiter="\t"), strict=False)]


def describe(row: dict[str, str]) -> str:
    """Return one motif as 'consensus = match (family, q)'."""
    if not row["match"]:
        return f"{row['consensus']} = no significant match"
    return f"{row['consensus']} = {row['match']} ({row['match_family']}, q {float(row['match_qvalue']):.2g})"


def tf(name: str, families: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    """Train on one transcription factor with its given negatives, evaluate on its test files, name its motifs."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        base = data / "tf_chip_deepbind_encode"
        train = [base / f"{name}.train.pos.fa.gz", base / f"{name}.train.neg_dinuc.fa.gz"]
        model = work / "m.safetensors"
        _, seconds = seqcnn("train", *train, "-o", model, "--seed", seed, "--quiet", cores=cores)
        test = [base / f"{name}.test.pos.fa.gz", base / f"{name}.test.neg.fa.gz"]
        found = figure_of(model, test, "auroc", seconds=seconds, cores=cores, called="AUROC")
        return found | named_motifs(model, train, work / "motifs", cores, families=families)

    return run


def family_check(motifs: list[dict[str, str]], wanted: tuple[str, ...]) -> str:
    """Return how many of the first two motifs match a wanted TF family or factor at q < .05."""
    good = 0
    for row in motifs:
        known = f"{row['match']} {row['match_family']} {row['match_class']}".lower()
        good += bool(row["match"]) and float(row["match_qvalue"]) < 0.05 and any(w.lower() in known for w in wanted)
    return f"{good} of {len(motifs)}"


def named_motifs(
    model: Path, data: list[object], folder: Path, cores: str, *, families: tuple[str, ...]
) -> dict[str, Any]:
    """Return the first two motifs of a model, and how many of them are of the families."""
    motifs = first_motifs(model, data, folder, cores)
    return {"motifs": [describe(m) for m in motifs], "families": family_check(motifs, families)}


def peaks(file: str, families: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
    """Train on positives alone (shuffled negatives) and name the first two motifs."""

    def run(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
        source = data / "peaks_bed_fasta" / file
        model = work / "m.safetensors"
        _, seconds = seqcnn("train", source, "-o", model, "--seed", seed, "--quiet", cores=cores)
        figures = evaluate(model, [source, "--negatives", "shuffle"], cores)
        found = {
            "figure": figures["metrics"]["auroc"],
            "text": f"AUROC on {figures['source']} {interval(figures, 'auroc')}; {against_baselines(figures, 'auroc')}",
            "seconds": seconds,
        }
        return found | named_motifs(model, [source], work / "motifs", cores, families=families)

    return run


def nfe2(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """NFE2: 644 + 644 training peaks; its test files; the E-box is the expected motif."""
    base = data / "tf_chip_nfe2_lsgkm"
    train = [base / "train.pos.fa.gz", base / "train.neg.fa.gz"]
    model = work / "m.safetensors"
    _, seconds = seqcnn("train", *train, "-o", model, "--seed", seed, "--quiet", cores=cores)
    test = [f"train.pos={base / 'test.pos.fa.gz'}", f"train.neg={base / 'test.neg.fa.gz'}"]
    found = figure_of(model, test, "auroc", seconds=seconds, cores=cores, called="AUROC")
    return found | named_motifs(model, train, work / "motifs", cores, families=("bHLH",))


def primer(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """The simulated primer set: the planted 12-mer must be the first motif, letter by letter."""
    table = data / "primer_sim_motif" / "sequences_labels.tsv.gz"
    model = work / "m.safetensors"
    with_target = [table, "--target", "label"]
    _, seconds = seqcnn("train", *with_target, "-o", model, "--seed", seed, "--quiet", cores=cores)
    motif = first_motifs(model, with_target, work / "motifs", cores, 1)[0]["consensus"]
    exact = motif in ("CGACCGAACTCC", "GGAGTTCGGTCG")
    said = f"first motif {motif}: {'exact' if exact else 'not exact'}"
    return {"figure": float(exact), "text": said, "seconds": seconds}


def null(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """1,000 shuffles against 1,000 others: nothing may be found, and the report must say so."""
    import numpy as np

    from seqcnn.alphabet import DNA
    from seqcnn.io.fasta import read_fasta
    from seqcnn.sequence import decode, dinucleotide_shuffle, encode

    source = data / "tf_chip_deepbind_encode" / "GABPA_GM12878.train.pos.fa.gz"
    records = list(read_fasta(str(source)))
    rng = np.random.default_rng(1000 + seed)
    chosen = rng.permutation(len(records))[:2000]
    files = [work / "one.fa", work / "other.fa"]
    for file, part in zip(files, (chosen[:1000], chosen[1000:]), strict=True):
        with open(file, "w") as out:
            for i in part:
                shuffled = decode(dinucleotide_shuffle(encode(records[i].letters, DNA), rng), DNA)
                out.write(f">{records[i].id}_{i}\n{shuffled}\n")
    model = work / "m.safetensors"
    _, seconds = seqcnn("train", *files, "-o", model, "--seed", seed, "--quiet", cores=cores)
    figures = evaluate(model, list(files), cores)
    low, high = figures["ci95"]["auroc"]
    seqcnn("motifs", model, *files, "-o", work / "motifs", "--quiet", cores=cores)
    with open(work / "motifs" / "motifs.tsv", newline="") as handle:
        listed = [r for r in csv.DictReader(handle, delimiter="\t") if r["significant"] == "True"]
    seqcnn("report", model, *files, "-o", work / "report.html", "--quiet", cores=cores)
    said = "nothing was learned" in (work / "report.html").read_text().lower()
    return {
        "figure": float(low <= 0.5 <= high and not listed and said),
        "covers": low <= 0.5 <= high,
        "silent": not listed,
        "said": said,
        "text": f"AUROC {interval(figures, 'auroc')}, significant motifs {len(listed)}, report says so: {said}",
        "seconds": seconds,
    }


def scoring(data: Path, work: Path, seed: int, cores: str = "") -> dict[str, Any]:
    """Seconds to score 100,000 x 200 bp from FASTA to TSV, start included, with the default network."""
    import numpy as np

    source = data / "tf_chip_deepbind_encode"
    train = [source / "GABPA_GM12878.train.pos.fa.gz", source / "GABPA_GM12878.train.neg_dinuc.fa.gz"]
    model = work / "m.safetensors"
    _, training = seqcnn("train", *train, "-o", model, "--seed", seed, "--quiet", cores=cores)
    letters = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(seed).integers(0, 4, (SIZES["scored"], 200))]
    fasta = work / "many.fa"
    with open(fasta, "wb") as out:
        for i, row in enumerate(letters):
            out.write(b">r%d\n%s\n" % (i, row.tobytes()))
    times = []
    for _ in range(3):
        _, seconds = seqcnn("score", model, fasta, "--window", 200, "-o", work / "s.tsv", "--quiet", cores=cores)
        times.append(seconds)
    lines = len((work / "s.tsv").read_bytes().splitlines())
    helps = [seqcnn("--help", cores=cores)[1] for _ in range(5)]
    return {
        "figure": sorted(times)[1],
        "text": f"score {sorted(times)[1]:.1f} s ({min(times):.1f}-{max(times):.1f}), {lines - 1} rows; "
        f"train GABPA {training:.1f} s; --help {sorted(helps)[2]:.2f} s",
        "seconds": training,
    }


BHLH, ETS = ("bHLH",), ("Ets", "ZBTB7A", "ZBTB11", "ZBTB2")
ROWS = [
    Row("CTCFL_K562", "AUROC .990; CTCF/CTCFL", tf("CTCFL_K562", ("CTCF",)), "tf_chip_deepbind_encode", 3),
    Row("REST_GM12878", "AUROC .997; REST", tf("REST_GM12878", ("REST",)), "tf_chip_deepbind_encode", 3),
    Row("GABPA_GM12878", "AUROC .975; Ets or ZBTB", tf("GABPA_GM12878", ETS), "tf_chip_deepbind_encode", 3),
    Row("FOXA1_HepG2", "forkhead", tf("FOXA1_HepG2", ("forkhead", "fork head")), "tf_chip_deepbind_encode"),
    Row("USF1_HepG2", "bHLH", tf("USF1_HepG2", BHLH), "tf_chip_deepbind_encode"),
    Row("NFE2", "bHLH", nfe2, "tf_chip_nfe2_lsgkm", 3),
    Row("CTCF 500 peaks", "CTCF", peaks("Gm12878.CTCF.top500.w200.fa.gz", ("CTCF",)), "peaks_bed_fasta", 3),
    Row("TAp73alpha 1,000 peaks", "p53", peaks("TAp73alpha.fa.gz", ("p53",)), "peaks_bed_fasta", 3),
    Row("primer_sim_motif", "CGACCGAACTCC exact, first", primer, "primer_sim_motif", 3),
    Row("null control", "covers .5 in 18, silent in 19 of 20", null, "tf_chip_deepbind_encode", 20),
    Row("speed", "score 20 s; train 60 s; --help 0.3 s", scoring, "tf_chip_deepbind_encode", 1, True),
]
