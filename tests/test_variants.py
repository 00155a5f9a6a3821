"""Tests of the effects of variants: each applied to its chromosome by hand; what is skipped, counted and refused."""

import csv
import gzip
import io
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pysam
import pytest
import torch
from small_models import dna_model, letters, picture_model, protein_model

from seqcnn.alphabet import DNA, RNA
from seqcnn.cli import main
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import OptionError
from seqcnn.inference.effects import effects
from seqcnn.inference.mutagenesis import mutagenesis
from seqcnn.model.model import Model
from seqcnn.motif import Motif
from seqcnn.motifs.changes import Allele, motif_changes
from seqcnn.networks import create
from seqcnn.options import VariantsOptions
from seqcnn.tasks.circular import Circular
from seqcnn.tasks.multiclass import Multiclass
from seqcnn.tasks.multilabel import Multilabel
from seqcnn.tasks.regression import Regression
from seqcnn.variant import Variant, window
from seqcnn.workflow.variants import variants

WIDTH = 31
CHROMOSOMES = dict(zip(("chr1", "chr2", "chrM"), letters(3, 400, 400, seed=5), strict=True))
CHROMOSOMES["chr2"] = CHROMOSOMES["chr2"][:45]
HEAD = (
    '##fileformat=VCFv4.2\n##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">\n'
    "##contig=<ID=chr1,length=400>\n##contig=<ID=chr2,length=45>\n##contig=<ID=chrM,length=400>\n"
)
NAMES = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


def at(chromosome: str, position: int, size: int = 1) -> str:
    """Letters of a made-up chromosome, counted from 1."""
    return CHROMOSOMES[chromosome][position - 1 : position - 1 + size]


def other(letter: str, step: int = 1) -> str:
    return "ACGT"[("ACGT".index(letter) + step) % 4]


def line(chromosome: str, position: int, ref: str, alt: str, *more: str, info: str = ".") -> str:
    return "\t".join([chromosome, str(position), ".", ref, alt, ".", ".", info, *more])


def mixed() -> list[str]:
    """Variants of every kind, some over the edge, some of several alleles."""
    a, b, c = at("chr1", 100), at("chr1", 120, 4), at("chr1", 150, 9)
    return [
        line("chr1", 100, a, other(a)),
        line("chr1", 100, a, other(a, 2), info="DP=3"),
        line("chr1", 100, a, f"{other(a)},{other(a, 2)},{other(a, 3)}"),
        line("chr1", 120, b, "".join(map(other, b))),
        line("chr1", 120, b, b[0] + "".join(map(other, b[1:3])) + b[3]),
        line("chr1", 150, c, c[0]),
        line("chr1", 150, c[0], c[0] + "GATTACA"),
        line("chr1", 150, c, f"{c[0]}GG,<DEL>,*,{c}TT,{c[0]}"),
        line("chr1", 60, at("chr1", 60, 50), at("chr1", 60)),
        line("chr1", 60, at("chr1", 60), at("chr1", 60) + letters(1, 50, 50)[0]),
        line("chr1", 3, at("chr1", 3), other(at("chr1", 3))),
        line("chr2", 44, at("chr2", 44, 2), at("chr2", 44)),
        line("chr1", 90, at("chr1", 90), at("chr1", 90)),
        line("chrM", 9, at("chrM", 9), "N"),
        line("chrM", 7, at("chrM", 7), "."),
        line("chrM", 5, at("chrM", 5), "]chr1:7]A"),
    ]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    genome = ""
    for name, text in CHROMOSOMES.items():
        soft = text[:50] + text[50:200].lower() + text[200:]
        genome += f">{name}\n" + "".join(f"{soft[i : i + 60]}\n" for i in range(0, len(soft), 60))
    Path("g.fa").write_text(genome)
    return tmp_path


def vcf(rows: list[str], name: str = "in.vcf", samples: str = "") -> str:
    Path(name).write_text(HEAD + NAMES + samples + "\n" + "".join(f"{row}\n" for row in rows))
    return name


def small(strands: str = "both", seed: int = 0) -> Model:
    model = dna_model(strands=strands, seed=seed)
    model.longest = WIDTH
    return model


def table(model: Model, path: str, out: str = "out.tsv", **options: object) -> list[dict[str, str]]:
    variants(model, path, VariantsOptions(genome=Path("g.fa"), **options), output=out)  # type: ignore[arg-type]
    with open(out, newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def cut(chromosome: str, low: int, high: int, width: int = WIDTH, shift: int = 0) -> str:
    """The window of a whole chromosome around the allele at ``[low, high)``; N beyond the ends."""
    start = (low + high) // 2 - width // 2 + shift
    return ("N" * 500 + chromosome + "N" * 500)[500 + start : 500 + start + width]


def by_hand(chromosome: str, position: int, ref: str, alt: str, shift: int = 0) -> tuple[str, str]:
    """Both windows, by replacing the letters in the chromosome's string."""
    text = CHROMOSOMES[chromosome]
    start, ref, alt = trimmed(position - 1, ref, alt)
    changed = text[:start] + alt + text[start + len(ref) :]
    return cut(text, start, start + len(ref), shift=shift), cut(changed, start, start + len(alt), shift=shift)


def trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    return start, ref, alt


# --- both alleles ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strands", ["both", "forward"])
def test_every_kind_equals_applying_it_by_hand(desk, strands):
    model = small(strands)
    rows = table(model, vcf(mixed()))
    scored = 0
    for row in rows:
        if row["status"] not in ("scored", "padded"):
            assert row["effect"] == row["ref_score"] == ""
            continue
        reference, alternative = model.logits(by_hand(row["chrom"], int(row["pos"]), row["ref"], row["alt"]))
        assert float(row["ref_score"]) == pytest.approx(float(reference[0]), abs=1e-5)
        assert float(row["effect"]) == pytest.approx(float(alternative[0] - reference[0]), abs=1e-5)
        scored += 1
    assert scored == 18
    assert [row["kind"] for row in rows] == [
        "SNV", "SNV", "SNV", "SNV", "SNV", "MNV", "MNV", "deletion", "insertion", "indel", "", "", "insertion",
        "deletion", "deletion", "insertion", "SNV", "deletion", "none", "SNV", "", "",
    ]  # fmt: skip
    assert [i for i, row in enumerate(rows) if row["status"] == "padded"] == [16, 17, 19]
    assert [row["status"] for row in rows[-2:]] == ["no_alt", "breakend"]
    assert [row["status"] for row in rows[10:12]] == ["symbolic", "star"]


def test_shifts_and_strands_are_averaged_on_request(desk):
    model = small("forward")
    path = vcf([row for row in mixed() if "<" not in row and "]" not in row and "\t.\t.\t.\t." not in row])
    both = small("both")
    for row in table(model, path, shifts=2, strands="both"):
        pairs = [by_hand(row["chrom"], int(row["pos"]), row["ref"], row["alt"], shift) for shift in range(-2, 3)]
        reference, alternative = (both.logits(list(side)).mean() for side in zip(*pairs, strict=True))
        assert float(row["effect"]) == pytest.approx(float(alternative - reference), abs=1e-5)


def test_effects_of_a_binary_model(desk):
    model = small()
    path = vcf(mixed()[:3])
    probability, fold = (table(model, path, effect=kind) for kind in ("probability", "log2fold"))
    for row, other_row in zip(probability, fold, strict=True):
        reference, alternative = model.predict(by_hand(row["chrom"], int(row["pos"]), row["ref"], row["alt"]))
        assert float(row["effect"]) == pytest.approx(alternative - reference, abs=1e-5)
        assert float(other_row["effect"]) == pytest.approx(np.log2(alternative / reference), abs=1e-5)
        assert float(other_row["alt_score"]) == pytest.approx(alternative, abs=1e-5)


def tasks() -> dict[str, tuple[object, int]]:
    rng = np.random.default_rng(0)
    return {
        "multiclass": (Multiclass.fit(("EI", "donor site", "N"), np.array([[0.0], [1.0], [2.0]])), 3),
        "multilabel": (Multilabel.fit(("a", "b"), np.array([[0.0, 1.0], [1.0, 0.0]])), 2),
        "regression": (Regression.fit(("level",), rng.normal(5, 3, (50, 1))), 1),
        "circular": (Circular.fit(("phase",), np.array([[1.0], [2.0]]), period=24.0), 2),
    }


@pytest.mark.parametrize("name", ["multiclass", "multilabel", "regression", "circular"])
@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=["dna", "rna"])
def test_every_task_has_its_outputs(desk, name, alphabet):
    task, outputs = tasks()[name]
    torch.manual_seed(1)
    network = create("deepbind", in_channels=4, outputs=outputs, filters=5, filter_width=6, hidden=0)
    model = Model(OneHot(alphabet.name), network, task, alphabet=alphabet, longest=WIDTH)
    rows = table(model, vcf(mixed()[:6]), effect="probability")
    columns = task.columns
    for row in rows:
        windows = by_hand(row["chrom"], int(row["pos"]), row["ref"], row["alt"])
        low, high = np.asarray(model.predict(list(windows))).reshape(2, -1)
        difference = (high - low + 12) % 24 - 12 if name == "circular" else high - low
        got = [float(row["effect" if len(columns) == 1 else f"effect_{column}"]) for column in columns]
        assert got == pytest.approx(difference, abs=1e-4)
    out = variants(model, "in.vcf", VariantsOptions(genome=Path("g.fa")), output="out.vcf")
    info = set(pysam.VariantFile("out.vcf").header.info)
    wanted = {
        "multiclass": {"SEQCNN_EFFECT_EI", "SEQCNN_EFFECT_donor_site", "SEQCNN_EFFECT_N"},
        "multilabel": {"SEQCNN_EFFECT_a", "SEQCNN_EFFECT_b"},
        "regression": {"SEQCNN_EFFECT"},
        "circular": {"SEQCNN_EFFECT"},
    }[name]
    assert wanted <= info and out.scored == 8
    assert ("prediction of the alternative" if task.numeric else "logit of the alternative") in out.notes[0]


def test_folds_need_something_positive(desk):
    task, _ = tasks()["circular"]
    network = create("deepbind", in_channels=4, outputs=2, filters=5, filter_width=6, hidden=0)
    model = Model(OneHot("dna"), network, task, alphabet=DNA, longest=WIDTH)
    options = VariantsOptions(genome=Path("g.fa"), effect="log2fold")
    with pytest.raises(OptionError, match="--effect log2fold: the model's outputs are angles"):
        variants(model, vcf(mixed()[:1]), options)
    regression, _ = tasks()["regression"]
    deep = np.array([[-9.0]], np.float32)
    assert np.isnan(effects(regression, deep, np.zeros((1, 1), np.float32), "log2fold")[2]).all()


def test_spellings_of_one_change_have_one_effect(desk):
    CHROMOSOMES["chr1"], kept = (
        CHROMOSOMES["chr1"][:200] + "GCACACACAT" + CHROMOSOMES["chr1"][210:],
        CHROMOSOMES["chr1"],
    )
    try:
        Path("g.fa").write_text("".join(f">{name}\n{text}\n" for name, text in CHROMOSOMES.items()))
        spellings = [(201, "G", "GCA"), (203, "A", "ACA"), (208, "C", "CAC"), (209, "A", "ACA"), (206, "CAC", "CACAC")]
        rows = table(small(), vcf([line("chr1", *spelling) for spelling in spellings]))
        assert len({(row["effect"], row["ref_score"], row["kind"]) for row in rows}) == 1
        deletions = [(201, "GCA", "G"), (207, "ACA", "A")]
        rows = table(small(), vcf([line("chr1", *spelling) for spelling in deletions]))
        assert len({(row["effect"], row["ref_score"], row["kind"]) for row in rows}) == 1
    finally:
        CHROMOSOMES["chr1"] = kept


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["vcf", "vcf.gz", "bcf"])
def test_the_vcf_keeps_its_lines_and_order_and_htslib_reads_it(desk, suffix):
    model = small()
    path = vcf(mixed()[::-1])  # unsorted just works
    rows = table(model, path)
    variants(model, path, VariantsOptions(genome=Path("g.fa")), output=f"o.{suffix}", command="seqcnn variants")
    got = list(pysam.VariantFile(f"o.{suffix}"))
    if suffix == "vcf":
        text = Path("o.vcf").read_text().splitlines()
        assert text[: HEAD.count("\n")] == HEAD.splitlines()
        body = [row.split("\t") for row in text if not row.startswith("#")]
        assert [cells[:7] for cells in body] == [row.split("\t")[:7] for row in mixed()[::-1]]
        assert body[-2][7].startswith("DP=3;SEQCNN_EFFECT=")
    assert [(r.contig, r.pos) for r in got] == [(r.split("\t")[0], int(r.split("\t")[1])) for r in mixed()[::-1]]
    values = iter(rows)
    for record in got:
        if not record.alts:
            assert not list(record.info) and next(values)["status"] == "no_alt"
            continue
        own = [next(values) for _ in record.alts]
        if any(row["effect"] for row in own):
            assert len(record.info["SEQCNN_EFFECT"]) == len(record.alts)
            for row, effect, alternative in zip(
                own, record.info["SEQCNN_EFFECT"], record.info["SEQCNN_ALT"], strict=True
            ):
                assert effect == (pytest.approx(float(row["effect"]), abs=1e-6) if row["effect"] else None)
                assert alternative == (pytest.approx(float(row["alt_score"]), abs=1e-6) if row["effect"] else None)
        if any(row["status"] != "scored" for row in own):
            assert list(record.info["SEQCNN_STATUS"]) == [row["status"] for row in own]
        else:
            assert "SEQCNN_STATUS" not in record.info


def test_an_annotated_vcf_is_annotated_anew(desk):
    model, path = small(), vcf(mixed())
    options = VariantsOptions(genome=Path("g.fa"))
    variants(model, path, options, output="one.vcf")
    variants(model, "one.vcf", options, output="two.vcf")
    assert Path("two.vcf").read_text() == Path("one.vcf").read_text()


def test_standard_input_gzip_and_chunks_give_the_same_table(desk, monkeypatch, capsys):
    model, path = small(), vcf(mixed())
    model.save("m.safetensors")
    whole = table(model, path)
    Path("in.vcf.gz").write_bytes(gzip.compress(Path(path).read_bytes()))
    assert table(model, "in.vcf.gz") == whole
    text = Path(path).read_bytes()
    monkeypatch.setattr("seqcnn.workflow.alleles._RECORDS", 2)
    for row, same in zip(table(model, path), whole, strict=True):
        assert float(row["effect"] or 0) == pytest.approx(float(same["effect"] or 0), abs=1e-6)
    monkeypatch.undo()
    monkeypatch.chdir(desk)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["variants", "m.safetensors", "-", "--genome", "g.fa", "--quiet"]) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t")) == whole


def test_nothing_to_score(desk):
    model = small()
    assert table(model, vcf([])) == []
    only = vcf([line("chr1", 9, at("chr1", 9), "<DEL>"), line("chr1", 10, at("chr1", 10), "*")])
    assert [row["status"] for row in table(model, only)] == ["symbolic", "star"]
    variants(model, only, VariantsOptions(genome=Path("g.fa")), output="o.vcf.gz")
    assert [dict(record.info) for record in pysam.VariantFile("o.vcf.gz")] == [
        {"SEQCNN_STATUS": ("symbolic",)}, {"SEQCNN_STATUS": ("star",)}
    ]  # fmt: skip


def test_names_in_another_style(desk):
    model = small()
    rows = table(model, vcf([row.replace("chr", "") for row in mixed()[:12]]))
    assert [row["effect"] for row in rows] == [row["effect"] for row in table(model, vcf(mixed()[:12]))]
    notes = variants(model, vcf(["1" + mixed()[0][4:]]), VariantsOptions(genome=Path("g.fa")), output="o.tsv").notes
    assert "chromosomes called otherwise in the genome, such as 1 for chr1: 1" in notes


def test_a_packed_genome(desk):
    pysam.tabix_compress("g.fa", "g.fa.gz")
    model, path = small(), vcf(mixed())
    variants(model, path, VariantsOptions(genome=Path("g.fa.gz")), output="o.tsv")
    table(model, path)
    assert Path("o.tsv").read_text() == Path("out.tsv").read_text()


# --- REF that is not the genome's -----------------------------------------------------------------------------------


def test_mismatches_are_counted_listed_and_left_unscored(desk):
    wrong = [line("chr1", p, other(at("chr1", p)), at("chr1", p)) for p in range(100, 108)]
    found = variants(small(), vcf(mixed()[:2] + wrong), VariantsOptions(genome=Path("g.fa")), output="o.vcf")
    assert found.skipped == {"ref_mismatch": 8} and found.scored == 2
    assert any("not scored: REF is not the genome's (8)" in note for note in found.notes)
    [note] = [note for note in found.notes if note.startswith("REF that")]
    assert f"chr1:100 REF {other(at('chr1', 100))}, genome {at('chr1', 100)} (line 9)" in note
    assert note.count("(line") == 5 and note.endswith(", ...; is this the genome the variants were called on?")
    records = list(pysam.VariantFile("o.vcf"))
    assert [record.info.get("SEQCNN_STATUS") for record in records] == [None] * 2 + [("ref_mismatch",)] * 8


# --- phase ----------------------------------------------------------------------------------------------------------


def phased_rows() -> list[str]:
    """Five variants of two samples: the first three neighbors, the last out of reach."""
    places = (100, 104, 108, 111, 300)
    refs = [at("chr1", p) for p in places]
    alts = [other(refs[0]), refs[1] + "GAT", other(refs[2]), other(refs[3]), other(refs[4])]
    refs[3] = at("chr1", 111, 4)
    alts[3] = at("chr1", 111)
    genotypes = [("0|1:5", "0|0:."), ("0|1:5", "0|1:."), ("1|0:5", "0|1:."), ("0|1:6", "0|1:."), ("1/1:.", "0/1:.")]
    return [
        line("chr1", p, ref, alt, "GT:PS", *gt) for p, ref, alt, gt in zip(places, refs, alts, genotypes, strict=True)
    ]


def applied(chosen: list[int], focal: int, *, alternative: bool = True) -> str:
    """The window of a haplotype: the chosen variants replaced in the string from right to left."""
    text, middle = CHROMOSOMES["chr1"], (0, 0)
    cells = [row.split("\t") for row in phased_rows()]
    moved = 0
    for i in sorted({*chosen, focal}, reverse=True):
        position, ref, alt = int(cells[i][1]) - 1, cells[i][3], cells[i][4]
        position, ref, alt = trimmed(position, ref, alt)
        if i == focal:
            middle = (position, position + len(alt if alternative else ref))
            if not alternative:
                continue
        text = text[:position] + alt + text[position + len(ref) :]
        if i < focal:
            moved += len(alt) - len(ref)
    return cut(text, middle[0] + moved, middle[1] + moved)


NEIGHBORS = {0: [[1]], 1: [[0], [2, 3]], 2: [[], [1, 3]], 3: [[], [1, 2]], 4: [[], []]}


def effects_of(rows):
    return [float(row["effect"]) for row in rows]


@pytest.mark.parametrize("against", ["reference", "haplotype"])
def test_neighbors_of_one_haplotype_are_applied_together(desk, against):
    model = small()
    path = vcf(phased_rows(), samples="\tFORMAT\tone\ttwo")
    rows = table(model, path, phased=True, against=against)
    assert [int(row["neighbors"]) for row in rows] == [1, 2, 2, 2, 0]
    for i, row in enumerate(rows):
        alternatives = [applied(chosen, i) for chosen in NEIGHBORS[i]]
        references = [
            applied(chosen if against == "haplotype" else [], i, alternative=False) for chosen in NEIGHBORS[i]
        ]
        effect = model.logits(alternatives).mean() - model.logits(references).mean()
        assert float(row["effect"]) == pytest.approx(float(effect), abs=1e-5)
    one = table(model, path, phased=True, against=against, sample=("one",))
    assert [int(row["neighbors"]) for row in one] == [1, 1, 0, 0, 0]
    alone = table(model, path)
    assert effects_of(one[2:]) == pytest.approx(effects_of(alone[2:]), abs=1e-6)
    out = variants(model, path, VariantsOptions(genome=Path("g.fa"), phased=True), output="o.vcf")
    assert [record.info["SEQCNN_NEIGHBORS"] for record in pysam.VariantFile("o.vcf")] == [(n,) for n in (1, 2, 2, 2, 0)]
    assert "alleles with neighbors of one haplotype, applied together: 4" in out.notes


def test_a_neighbor_whose_ref_is_not_the_genomes_is_left_out(desk):
    rows = [row.split("\t") for row in phased_rows()]
    rows[0][3] = other(rows[0][3], 2)
    found = table(small(), vcf(["\t".join(row) for row in rows], samples="\tFORMAT\tone\ttwo"), phased=True)
    assert [row["neighbors"] for row in found] == ["", "2", "2", "2", "0"] and found[0]["status"] == "ref_mismatch"
    alone = table(small(), vcf(phased_rows()[1:], samples="\tFORMAT\tone\ttwo"), phased=True)
    assert effects_of(found[1:]) == pytest.approx(effects_of(alone), abs=1e-6)


def test_phased_records_out_of_order_are_said(desk):
    path = vcf(phased_rows()[::-1], samples="\tFORMAT\tone\ttwo")
    found = variants(small(), path, VariantsOptions(genome=Path("g.fa"), phased=True), output="o.tsv")
    assert any(note.startswith("records out of order: 4; neighbors that stand apart") for note in found.notes)
    assert found.records == 5


def test_windows_of_random_haplotypes_equal_replacing_letters():
    rng = np.random.default_rng(0)
    chromosome = CHROMOSOMES["chr1"].encode()

    def read(start: int, end: int) -> bytes:
        return (b"N" * 500 + chromosome + b"N" * 500)[500 + start : 500 + end]

    for _ in range(300):
        starts = np.sort(rng.choice(np.arange(20, 380), 6, replace=False))
        edits = []
        for start, limit in zip(starts, [*starts[1:], 390], strict=True):
            ref = chromosome[start : start + int(rng.integers(0, min(9, limit - start)))]
            edits.append(
                Variant("chr1", int(start), ref, bytes(rng.choice(list(b"ACGT"), rng.integers(0, 12)).tolist()))
            )
        i, width, shift = int(rng.integers(6)), int(rng.integers(1, 90)), int(rng.integers(-5, 6))
        text, moved = chromosome, sum(len(edit.alt) - len(edit.ref) for edit in edits[:i])
        for edit in edits[::-1]:
            text = text[: edit.start] + edit.alt + text[edit.end :]
        low = edits[i].start + moved
        wanted = cut(text.decode(), low, low + len(edits[i].alt), width, shift)
        neighbors = [edit for edit in edits if edit is not edits[i]]
        got = window(read, edits[i], width, alternative=True, shift=shift, neighbors=neighbors)
        assert got.decode() == wanted


# --- the report -----------------------------------------------------------------------------------------------------


def test_mutagenesis_equals_replacing_letters():
    model = small("forward")
    texts = [text.encode() for text in letters(3, 12, 17, seed=9)]
    records = [(np.frombuffer(text.translate(DNA.lookup), np.uint8), 2, 7) for text in texts]
    got = mutagenesis(model.encoder, model.network, [*records, (records[0][0], 5, 5)])
    for text, logits in zip(texts, got, strict=False):
        changed = [text[:i] + letter + text[i + 1 :] for i in range(2, 7) for letter in (b"A", b"C", b"G", b"T")]
        wanted = model.logits([one.decode() for one in changed])
        assert model.calibrated(logits.reshape(-1, 1)) == pytest.approx(wanted, abs=1e-5)
    assert got[3].shape == (0, 4, 1)


def box(text: str) -> Motif:
    return Motif("box", np.eye(4)[["ACGT".index(letter) for letter in text]] * 0.96 + 0.01, DNA, alt="BOX")


def test_a_motif_gained_or_lost_is_named_on_either_strand():
    rng = np.random.default_rng(2)
    motifs = [box("TGACGTCATG"), Motif("other", rng.dirichlet(np.ones(4), 9), DNA)]
    for site in ("TGACGTCATG", "CATGACGTCA"):
        base = "A" * 25 + site + "A" * 25
        broken = base[:29] + other(base[29]) + base[30:]
        importance = np.zeros(60)
        importance[25:35] = 1.0
        sides = [
            Allele(np.frombuffer(text.encode().translate(DNA.lookup), np.uint8), 29, 30, weight)
            for text, weight in ((base, importance), (broken, importance * 0))
        ]
        pairs = [(sides[0], sides[1]), (sides[1], sides[0]), (replace(sides[0], importance=-importance), sides[1])]
        [lost], [gained], nowhere = motif_changes(motifs, pairs)
        assert (lost.motif.label, lost.gained, lost.start, lost.reverse) == ("BOX", False, 25, site != "TGACGTCATG")
        assert gained.gained and gained.pvalues == lost.pvalues[::-1] and lost.pvalues[0] < 1e-5 < lost.pvalues[1]
        assert not nowhere


def test_the_report_draws_the_strongest(desk, monkeypatch):
    Path("box.meme").write_text(
        "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF box BOX\nletter-probability matrix: alength= 4 w= 4\n"
        + "1 0 0 0\n" * 4
    )
    model, path = small(), vcf(mixed())
    options = {"genome": Path("g.fa"), "report": Path("r.html"), "top": 5, "database": Path("box.meme")}
    monkeypatch.setattr("seqcnn.workflow.alleles._RECORDS", 3)
    variants(model, path, VariantsOptions(**options), output="o.tsv")
    html = Path("r.html").read_text()
    with open("o.tsv", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["effect"]]
    rows.sort(key=lambda row: -abs(float(row["effect"])))
    shown = re.findall(r'<h3 id="variant-\d+-h">(\S+) ', html)
    assert shown == [f"{row['chrom']}:{row['pos']}" for row in rows[:5]]
    assert html.count('<article class="motif variant"') == 5 and "box.meme (1 matrices)" in html
    assert not re.search(r"(src|href)=.https?:", html) and "<h1>Variants of in.<wbr>vcf</h1>" in html


@pytest.mark.parametrize("name", ["multiclass", "regression", "circular"])
def test_the_report_of_other_tasks(desk, name):
    task, outputs = tasks()[name]
    torch.manual_seed(1)
    network = create("deepbind", in_channels=4, outputs=outputs, filters=5, filter_width=6, hidden=0)
    model = Model(OneHot("rna"), network, task, alphabet=RNA, longest=WIDTH)
    variants(model, vcf(mixed()), VariantsOptions(genome=Path("g.fa"), report=Path("r.html")), output="o.tsv")
    html = Path("r.html").read_text()
    assert html.count('<article class="motif variant"') > 2 and ("All outputs" in html) == (name == "multiclass")


def test_a_report_without_effects(desk):
    variants(small(), vcf([]), VariantsOptions(genome=Path("g.fa"), report=Path("r.html")), output="o.tsv")
    assert "No allele changes any score" in Path("r.html").read_text()


# --- what people bring ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def run(desk: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    small().save("m.safetensors")

    def call(*arguments: object) -> Result:
        code = main(["variants", "m.safetensors", *map(str, arguments)])
        return Result(code, *capsys.readouterr())

    return call


def refused(result: Result, said: str, code: int = 2) -> None:
    assert result.code == code
    lines = result.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("seqcnn: error: ") and said in lines[0], result.err
    assert not list(Path().glob("o.*"))


def test_bad_input_is_one_line_with_file_and_line(run):
    go = ("--genome", "g.fa", "-o", "o.vcf")
    rows = mixed()
    refused(run(vcf([*rows, line("chr7", 5, "A", "G")]), *go), "in.vcf, line 23: g.fa has no chromosome 'chr7'")
    refused(
        run(vcf([line("chr2", 44, "ACGT", "A")]), *go), "in.vcf, line 7: chr2:44-47 lies beyond the end of chr2 (45)"
    )
    refused(run(vcf([line("chr2", 99, "A", "T")]), *go), "in.vcf, line 7: chr2:99-99 lies beyond the end of chr2 (45)")
    refused(run(vcf([*rows, line("chr1", 9, "A", "Q")]), *go), "in.vcf, line 23: expected bases as ALT, found 'Q'")
    refused(run(vcf([line("chr1", 0, "A", "C")]), *go), "in.vcf, line 7: expected a whole number from 1 as POS")
    wrong = [rows[0], line("chr1", 120, other(at("chr1", 120)), "G")]
    refused(run(vcf(wrong), *go, "--strict"), f"in.vcf, line 8: REF {wrong[1].split()[3]} at chr1:120, but the genome")
    refused(run("no.vcf", *go), "no.vcf: no such file")
    refused(run("m.safetensors", *go), "m.safetensors")
    refused(run("g.fa", *go), "g.fa, line 1: expected the line #CHROM")
    refused(run(vcf(rows), *go, "--phased"), "in.vcf: --phased needs genotypes (GT), and the file has no sample")
    refused(
        run(vcf([line("chr1", 100, at("chr1", 100), "N", "DP", "3")], samples="\tFORMAT\tone"), *go, "--phased"),
        "in.vcf, line 7: --phased needs genotypes (GT); found 'DP'",
    )
    named = vcf(phased_rows(), samples="\tFORMAT\tone\ttwo")
    refused(run(named, *go, "--phased", "--sample", "tow"), "--sample 'tow': in.vcf has no such sample (did you mean")


def test_options_that_do_not_go_together(run):
    path = vcf(mixed())
    refused(run(path, "-o", "o.vcf"), "--genome: name the FASTA that the variants were called on")
    Path("g.fa.gz").write_bytes(gzip.compress(Path("g.fa").read_bytes()))
    refused(run(path, "--genome", "g.fa.gz", "-o", "o.vcf"), "g.fa.gz is gzip, in which no place can be found")
    refused(run(path, "--genome", "no.fa", "-o", "o.vcf"), "no.fa: no such file")
    refused(run(path, "--genome", "g.fa", "-o", "in.vcf"), "in.vcf is an input and an output; name another output")
    refused(run(path, "--genome", "g.fa", "-o", "o.txt"), "-o o.txt: expected a name that ends in .vcf")
    refused(run(path, "--genome", "g.fa", "-o", "no/o.vcf"), "the folder no does not exist")
    refused(run(path, "--genome", "g.fa", "-o", "o.vcf", "--effect", "fold"), "--effect: 'fold' is not one of")
    refused(run(path, "--genome", "g.fa", "-o", "o.vcf", "--against", "haplotype"), "--against: belongs to --phased")
    refused(run(path, "--genome", "g.fa", "-o", "o.vcf", "--width", "0"), "--width: expected 1 or more")


def test_models_of_other_things(desk):
    for model, what in ((protein_model(), "protein sequences"), (picture_model(), "pictures")):
        with pytest.raises(OptionError, match=f"variants: belong to DNA and RNA; this model reads {what}"):
            variants(model, vcf(mixed()), VariantsOptions(genome=Path("g.fa")))
    with pytest.raises(OptionError, match=r"--width 41: this network reads at most 40 positions"):
        variants(dna_model(width=40), vcf(mixed()), VariantsOptions(genome=Path("g.fa"), width=41))


def test_what_is_said(run):
    result = run(vcf(mixed()), "--genome", "g.fa", "-o", "o.vcf", "--shifts", "1")
    assert result.code == 0 and result.out == ""
    said = result.err.splitlines()
    assert said[0] == (
        "seqcnn: scored 18 alleles of 16 records (7 SNV, 2 MNV, 3 insertion, 4 deletion, 1 indel, 1 none): logit of "
        "the alternative minus that of the reference allele; windows of 31 with the change in the middle, both "
        "strands, 3 shifts averaged"
    )
    assert said[1:] == [
        "seqcnn: not scored: symbolic alleles (1), breakends (1), * alleles (1), without ALT (1)",
        "seqcnn: windows over the edge of a chromosome, padded with N: 3",
        "seqcnn: alleles longer than the window, of which the middle was seen: 2",
    ]
    assert Path("o.vcf.config.toml").exists()
