"""Made-up data under every name that the rows ask for, so that each path runs in seconds."""

from __future__ import annotations

import gzip
import io
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


def tiny_data(folder: Path) -> None:
    """Write a few made-up records under every name the rows ask for, so that each path runs in seconds."""
    rng = np.random.default_rng(0)

    def text(alphabet: str, length: int, motif: str = "") -> str:
        letters = "".join(rng.choice(list(alphabet), length))
        return letters[:5] + motif + letters[5 + len(motif) :]

    def fasta(
        path: Path, count: int, alphabet: str = "ACGT", motif: str = "", length: int = 60, placed: bool = False
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt") as out:
            for i in range(count):
                name = f"chr1,+,{200 * i},{200 * i + length}" if placed else f"{path.name[:9]}{i}"
                out.write(f">{name}\n{text(alphabet, length, motif)}\n")

    for name in ("CTCFL_K562", "REST_GM12878", "GABPA_GM12878", "FOXA1_HepG2", "USF1_HepG2"):
        place = folder / "tf_chip_deepbind_encode"
        fasta(place / f"{name}.train.pos.fa.gz", 2000 if "GABPA" in name else 40, motif="CCGGAAGTG")
        fasta(place / f"{name}.train.neg_dinuc.fa.gz", 40)
        fasta(place / f"{name}.test.pos.fa.gz", 20, motif="CCGGAAGTG")
        fasta(place / f"{name}.test.neg.fa.gz", 20)
    for part in ("train", "test"):
        fasta(folder / "tf_chip_nfe2_lsgkm" / f"{part}.pos.fa.gz", 40, motif="CACGTGAC")
        fasta(folder / "tf_chip_nfe2_lsgkm" / f"{part}.neg.fa.gz", 40)
        for name, alphabet in (("amp", "ACKLRW"), ("nonamp", "DEGNQS")):
            fasta(folder / "amp_amplify" / f"{part}.{name}.fa.gz", 40, alphabet, length=30)
    rivals(folder, fasta, text)
    for name in ("Gm12878.CTCF.top500.w200.fa.gz", "TAp73alpha.fa.gz"):
        fasta(folder / "peaks_bed_fasta" / name, 40, motif="CCACCAGGGGGCGC")
    genome = text("ACGT", 3000)
    tables = {
        "primer_sim_motif/sequences_labels.tsv.gz": ["sequence\tlabel"]
        + [f"{text('ACGT', 50, 'CGACCGAACTCC' if i % 2 else '')}\t{i % 2}" for i in range(80)],
        "genomes_small/ecoli_K12_MG1655.NC_000913.3.fna.gz": [">NC_000913.3", genome],
        "ecoli_tss_mpra/tss_windows.NC_000913.3.bed.gz": [
            f"NC_000913.3\t{30 * i}\t{30 * i + 50}\tr{i}\t0\t+\ttrain\t{'in' * (i % 2 or i >= 40)}active"
            for i in range(80)
        ],
        "ecoli_tss_mpra/tss_expression.tsv.gz": ["split\tname\tsequence\texpression\tchrom\tactivity\tstart0\tend"]
        + [
            f"{'train' if i % 4 else 'test'}\tr{i}\t{genome[30 * i : 30 * i + 50]}\t{rng.normal():.3f}\tNC_000913.3\t"
            f"{'in' * (i % 3 > 0)}active\t{60 * i}\t{60 * i + 50}"
            for i in range(80)
        ],
        "subcell_multiloc/multiloc.tsv.gz": ["id\tlocation\tsplit_repo\tsequence"]
        + [
            f"r{i}\t{('nuclear', 'ER', 'Golgi')[i % 3]}\t{'test' if i > 39 else 'train'}\t"
            f"{text('ACDEFGHIKLMNPQRSTVWY', 40 + i)}"
            for i in range(60)
        ],
        "splice_uci/splice.csv.gz": ["class,name,sequence"]
        + [f"{'NEI'[i % 3]},r{i},{text('ACGT', 60, ('', 'GTAAGT', 'TTTCAG')[i % 3])}" for i in range(90)],
    }
    for path, lines in tables.items():
        write(folder / path, lines)
    for organism in ("C.elegans", "D.melanogaster", "A.thaliana"):
        fasta(folder / "genomes_small" / f"{organism}.1pct.fa.gz", 1, length=40_000)
        with gzip.open(folder / "genomes_small" / f"{organism}.1pct.gff.gz", "wt") as out:
            for at in range(1000, 39_000, 4000):
                for kind in ("gene", "exon", "CDS"):
                    out.write(f"{organism[:9]}0\t.\t{kind}\t{at}\t{at + 300}\t.\t+\t.\tID={kind}{at}\n")
    (folder / "img_mnist").mkdir()
    digits = np.arange(60, dtype=np.uint8) % 3
    pictures = rng.integers(0, 60, (60, 28, 28), np.uint8) + 90 * digits[:, None, None]
    arrays = {"x_train": pictures, "y_train": digits, "x_test": pictures[:30], "y_test": digits[:30]}
    np.savez(folder / "img_mnist" / "mnist.npz", **arrays)
    images(folder, rng)
    with gzip.open(folder / "genomes_small" / "C.elegans.1pct.fa.gz", "rt") as made:
        name, chromosome = made.read().split("\n")[:2]
    with gzip.open(folder / "genomes_small" / "C.elegans.1pct.variants.vcf.gz", "wt") as out:
        out.write("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for at in range(3, 900, 40):
            other = "CGTA"["ACGT".index(chromosome[at])]
            out.write(f"{name[1:]}\t{at + 1}\t.\t{chromosome[at]}\t{other}\t.\t.\t.\n")


def rivals(folder: Path, fasta: Callable[..., None], text: Callable[..., str]) -> None:
    """Write what only the table of ours beside its rivals asks for."""
    for part in ("train", "test"):
        for kind, motif in (("pos", "TGTATATA"), ("neg", "")):
            fasta(folder / "tf_chip_nanog_h1esc" / f"{part}.{kind}.fa.gz", 40, motif=motif)
            for name in ("PUM2", "QKI", "TDP43"):
                fasta(folder / "rbp_clip_ideeps" / f"{name}.{part}.{kind}.fa.gz", 40, motif=motif, placed=True)
    for name in ("Ecoli", "Arabidopsis"):
        for kind in ("prom", "tata", "non_tata", "non_prom", "non_prom_big"):
            motif = "" if "non_prom" in kind else "TATAAAT"
            fasta(folder / "promoters_cnnprom" / f"{name}_{kind}.fa.gz", 40, motif=motif)
    tables = [f"gue_tf_human/tf_{i}" for i in range(3)]
    tables += [f"gue_promoter/prom_prom_{name}" for name in ("300_tata", "core_tata", "core_notata")]
    for name in tables:
        for part in ("train", "dev", "test"):
            rows = [f"{text('ACGT', 60, 'CCGGAAGT' * (i % 2))},{i % 2}" for i in range(40)]
            write(folder / f"{name}.{part}.csv.gz", ["sequence,label", *rows])
    for name in ("sampled", "three_vs_rest", "two_vs_rest", "low_vs_high"):
        rows = [
            f"{text('AC', 30)},{i / 7:.3f},{'train' if i % 3 else 'test'},{i % 5 == 0}" for i in range(90)
        ]  # fmt: skip
        write(folder / "protein_gb1_flip" / f"{name}.csv.gz", ["sequence,target,set,validation", *rows])
    rows = [f"{part}{i}\t0.5\t1\t{i % 5 + 1}" for part in ("train.pos", "train.neg") for i in range(40)]
    write(folder / "tf_chip_nfe2_lsgkm" / "lsgkm_cv5_predictions.tsv.gz", rows)


def write(path: Path, lines: list[str]) -> None:
    """Write a packed text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as out:
        out.write("\n".join(lines) + "\n")


def images(folder: Path, rng: np.random.Generator) -> None:
    """Write the made-up pictures, recordings and series."""
    from PIL import Image

    for name in ("img_cifar10_small", "audio_fsdd", "ts_ucr", "photos_standard"):
        (folder / name).mkdir()
    with zipfile.ZipFile(folder / "img_cifar10_small" / "cifar10_small.zip", "w") as packed:
        for i in range(60):
            out = io.BytesIO()
            shade = rng.integers(0, 60, (32, 32, 3), np.uint8) + np.uint8(90 * (i % 2))
            Image.fromarray(shade).save(out, "JPEG")
            packed.writestr(f"{'test' if i > 40 else 'train'}/{('cat', 'dog')[i % 2]}/{i}.jpg", out.getvalue())
    with zipfile.ZipFile(folder / "audio_fsdd" / "recordings.zip", "w") as packed:
        for i in range(60):
            time, out = np.arange(int(rng.integers(1600, 4000))) / 8000, io.BytesIO()
            with wave.open(out, "wb") as sound:
                sound.setnchannels(1)
                sound.setsampwidth(2)
                sound.setframerate(8000)
                sound.writeframes((8000 * np.sin(time * (4000, 9000)[i % 2])).astype("<i2").tobytes())
            packed.writestr(f"recordings/{i % 2}_someone_{i // 2}.wav", out.getvalue())
    for name in ("GunPoint", "Coffee", "ArrowHead", "ItalyPowerDemand"):
        for part in ("TRAIN", "TEST"):
            waves = [np.sin(np.arange(40) / (3 + 3 * (i % 2)) + rng.normal()) for i in range(30)]
            with gzip.open(folder / "ts_ucr" / f"{name}_{part}.tsv.gz", "wt") as text:
                text.writelines("\t".join(map(str, [i % 2 + 1, *row])) + "\n" for i, row in enumerate(waves))
    for part in ("TRAIN", "TEST"):
        with gzip.open(folder / "ts_ucr" / f"BasicMotions_{part}.ts.gz", "wt") as text:
            text.write("@problemName Motions\n@univariate false\n@classLabel true walk run\n@data\n")
            for i in range(30):
                rows = rng.normal(size=(3, 40)) * (1 + 4 * (i % 2))
                text.write(":".join(",".join(map(str, row)) for row in rows) + f":{('walk', 'run')[i % 2]}\n")
    for i in range(3):
        slope = np.linspace(0, 200, 200)[:, None] + rng.integers(0, 50, (200, 240))
        Image.fromarray(slope.astype(np.uint8)).save(folder / "photos_standard" / f"{i}.png")
