"""The sets of the table of accuracy: what each is read from, and how it is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from dividing import RESIDUES, Frame, Reader, Set
from planted import planted_records

from seqcnn.io.fasta import read_fasta


def fasta(folder: str, positive: str, negative: str, linked: str = "") -> Reader:
    """Return a reader of two FASTA files; `linked` is "shuffle" or "place", told by the names of records."""

    def read(data: Path, seed: int) -> Frame:
        parts = []
        for file, label in ((positive, 1), (negative, 0)):
            records = list(read_fasta(str(data / folder / file)))
            letters = [record.letters.decode() for record in records]
            parts.append(pd.DataFrame({"name": [r.id for r in records], "sequence": letters, "target": label}))
        frame = pd.concat(parts, ignore_index=True)
        if linked == "shuffle":  # seq_00001_peak and seq_00001_peak_dishuf
            frame["linked"] = frame.name.str.replace("_dishuf", "")
        elif linked == "place":  # chr1,+,69315,69415
            place = frame.name.str.split(",", expand=True)
            frame["linked"] = chained(place[0] + place[1], place[2].astype(int), place[3].astype(int))
        return frame

    return read


def table(path: str, target: str, *, keep: tuple[str, str] | None = None) -> Reader:
    """Return a reader of a table's sequence and target columns, of the rows where a column has a value."""

    def read(data: Path, seed: int) -> Frame:
        frame = pd.read_csv(data / path, sep="\t" if ".tsv" in path else ",", dtype={"sequence": str})
        if keep is not None:
            frame = frame[frame[keep[0]] == keep[1]]
        return frame.rename(columns={target: "target"})[["sequence", "target"]].reset_index(drop=True)

    return read


def nfe2_folds(data: Path, seed: int) -> Frame:
    """The training peaks of NFE2 in the folds that came with LS-GKM's predictions."""
    frame = fasta("tf_chip_nfe2_lsgkm", "train.pos.fa.gz", "train.neg.fa.gz")(data, seed)
    columns = ["name", "score", "label", "fold"]
    given = pd.read_csv(data / "tf_chip_nfe2_lsgkm" / "lsgkm_cv5_predictions.tsv.gz", sep="\t", names=columns)
    return frame.merge(given[["name", "fold"]], on="name", validate="1:1")


def ecoli(target: str, part: str) -> Reader:
    """Return a reader of the promoters of E. coli: whether active, or the logarithm of the expression."""

    def read(data: Path, seed: int) -> Frame:
        frame = pd.read_csv(data / "ecoli_tss_mpra" / "tss_expression.tsv.gz", sep="\t")
        frame = frame[frame.split == part].rename(columns={"start0": "start"}).reset_index(drop=True)
        active = (frame.activity == "active").astype(int)
        frame["target"] = active if target == "active" else np.log2(frame.expression.clip(lower=0.05))
        frame["linked"] = chained(frame.chrom, frame.start, frame.end)
        return frame[["sequence", "target", "chrom", "start", "end", "linked"]]

    return read


def deepbind(name: str, weight: float) -> Set:
    """One factor of the DeepBind supplement."""
    folder, train, test = "tf_chip_deepbind_encode", f"{name}.train", f"{name}.test"
    reader = fasta(folder, f"{train}.pos.fa.gz", f"{train}.neg_dinuc.fa.gz", "shuffle")
    return Set(name, folder, reader, fasta(folder, f"{test}.pos.fa.gz", f"{test}.neg.fa.gz"), weight=weight)


def bound(name: str) -> Set:
    """One RNA-binding protein."""
    folder = "rbp_clip_ideeps"
    train, test = (
        fasta(folder, f"{name}.{part}.pos.fa.gz", f"{name}.{part}.neg.fa.gz", "place") for part in ("train", "test")
    )
    return Set(name, folder, train, test, weight=30)


def gue(folder: str, name: str, weight: float) -> Set:
    """One task of GUE: its dev file steers the training."""
    train, valid, test = (table(f"{folder}/{name}.{part}.csv.gz", "label") for part in ("train", "dev", "test"))
    return Set(name.removeprefix("prom_"), folder, train, test, valid, weight=weight)


def cnnprom(name: str, positive: str, negative: str, weight: float) -> Set:
    """Promoters of CNNProm: no fixed split, so five folds, of which one is enough where it holds over 1,500 records."""
    folder, tested = "promoters_cnnprom", (1,) if weight > 7.5 else ()
    return Set(name, folder, fasta(folder, positive, negative), metric="mcc", folds=5, tested=tested, weight=weight)


def gb1(name: str, rehearse: str) -> Set:
    """One split of FLIP's GB1; its marks for early stopping are not used."""
    train, test = (table(f"protein_gb1_flip/{name}.csv.gz", "target", keep=("set", part)) for part in ("train", "test"))
    folder, named = "protein_gb1_flip", f"gb1 {name}"
    return Set(named, folder, train, test, None, "spearman", "regression", RESIDUES, rehearse=rehearse, weight=6)


def chained(chrom: pd.Series[str], start: pd.Series[int], end: pd.Series[int]) -> npt.NDArray[np.int64]:
    """Return numbers that windows share where they overlap, directly or through others."""
    order = np.lexsort((start, chrom.fillna("").astype(str)))
    names, starts, ends = chrom.fillna("").astype(str).to_numpy()[order], start.to_numpy()[order], end.to_numpy()[order]
    number, reach, found = -1, 0, np.zeros(len(order), np.int64)
    for i, place in enumerate(order):
        if i == 0 or not names[i] or names[i] != names[i - 1] or starts[i] >= reach:
            number, reach = number + 1, 0
        reach = max(reach, ends[i])
        found[place] = number
    return found


NFE2, AMP, CELL = "tf_chip_nfe2_lsgkm", "amp_amplify", "subcell_multiloc/multiloc.tsv.gz"
NANOG = [fasta("tf_chip_nanog_h1esc", f"{part}.pos.fa.gz", f"{part}.neg.fa.gz") for part in ("train", "test")]
PROTEINS = [table(CELL, "location", keep=("split_repo", part)) for part in ("train", "test")]
PEPTIDES = [fasta(AMP, f"{part}.amp.fa.gz", f"{part}.nonamp.fa.gz") for part in ("train", "test")]
SETS = [
    *(deepbind(f"{n}_{cell}", w) for n, cell, w in (
        ("CTCFL", "K562", 22), ("FOXA1", "HepG2", 85), ("GABPA", "GM12878", 12), ("REST", "GM12878", 13),
        ("USF1", "HepG2", 43),
    )),
    Set("NFE2 folds", NFE2, nfe2_folds, folds=5),
    Set("NFE2 test", NFE2, fasta(NFE2, "train.pos.fa.gz", "train.neg.fa.gz"),
        fasta(NFE2, "test.pos.fa.gz", "test.neg.fa.gz")),
    Set("NANOG", "tf_chip_nanog_h1esc", *NANOG, weight=20),
    *(gue("gue_tf_human", f"tf_{i}", w) for i, w in enumerate((32, 31, 19))),
    *(gue("gue_promoter", f"prom_prom_{n}", w) for n, w in (("300_tata", 15), ("core_tata", 4), ("core_notata", 32))),
    Set("splice_uci", "splice_uci", table("splice_uci/splice.csv.gz", "class"), None, None, "accuracy", "multiclass",
        folds=10, weight=2),
    cnnprom("E. coli promoters", "Ecoli_prom.fa.gz", "Ecoli_non_prom.fa.gz", 3),
    cnnprom("Arabidopsis TATA", "Arabidopsis_tata.fa.gz", "Arabidopsis_non_prom.fa.gz", 9),
    cnnprom("Arabidopsis non-TATA", "Arabidopsis_non_tata.fa.gz", "Arabidopsis_non_prom_big.fa.gz", 34),
    Set("E. coli active", "ecoli_tss_mpra", ecoli("active", "train"), ecoli("active", "test"), weight=18),
    Set("E. coli expression", "ecoli_tss_mpra", ecoli("expression", "train"), ecoli("expression", "test"), None,
        "spearman", "regression", weight=18),
    *(bound(name) for name in ("PUM2", "QKI", "TDP43")),
    Set("amp_amplify", AMP, *PEPTIDES, None, "accuracy", letters=RESIDUES, weight=5),
    Set("subcell_multiloc", "subcell_multiloc", *PROTEINS, None, "accuracy", "multiclass", RESIDUES,
        rehearse="random", weight=30),
    *(gb1(n, how) for n, how in (
        ("sampled", "random"), ("three_vs_rest", "farthest"), ("two_vs_rest", "random"), ("low_vs_high", "highest"),
    )),
]  # fmt: skip
_BY_NAME = {found.name: found for found in SETS}
SETS += [
    Set(f"{name.split('_')[0]} {count}", full.needs, full.train, full.test, positives=count)
    for name in ("FOXA1_HepG2", "REST_GM12878", "PUM2")
    for full in [_BY_NAME[name]]
    for count in (100, 300, 1000)
]
SETS.append(Set("planted truth", ".", planted_records("train"), planted_records("test"), rehearse="random", weight=40))
