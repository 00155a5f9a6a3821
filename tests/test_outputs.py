"""Tests that no verb writes over what it reads, and that what cannot be split or windowed is said."""

from pathlib import Path

import numpy as np
import pytest
from small_models import dataset, dna_model, letters

from seqcnn.cli import main
from seqcnn.data.splits import split
from seqcnn.errors import DataError, OptionError
from seqcnn.io.features import Feature, chosen
from seqcnn.io.writing import check_apart

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "genome"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model, a genome with its index, peaks and variants."""
    monkeypatch.chdir(tmp_path)
    for name in ("genome.fa", "peaks.bed", "variants.vcf"):
        Path(name).write_bytes((SAMPLE / name).read_bytes())
    dna_model().save("m.safetensors")
    assert main(["score", "m.safetensors", "peaks.bed", "--genome", "genome.fa", "--width", "40", "-o", "s.tsv"]) == 0
    return tmp_path


READS = ["peaks.bed", "--genome", "genome.fa", "--width", "40"]


@pytest.mark.parametrize(
    "command",
    [
        ["train", *READS, "-o", "genome.fa"],
        ["train", *READS, "-o", "./peaks.bed"],
        ["train", "p=peaks.bed", "--genome", "genome.fa", "-o", "peaks.bed"],
        ["score", "m.safetensors", *READS, "-o", "genome.fa"],
        ["score", "m.safetensors", *READS, "-o", "genome.fa.fai"],
        ["score", "m.safetensors", *READS, "-o", "m.safetensors"],
        ["score", "m.safetensors", *READS, "-o", "x.tsv", "--peaks", "peaks.bed"],
        ["score", "m.safetensors", *READS, "-o", "x.tsv", "--peaks", "./x.tsv"],
        ["evaluate", "m.safetensors", *READS, "--json", "genome.fa"],
        ["evaluate", "m.safetensors", *READS, "--predictions", "m.safetensors"],
        ["evaluate", "m.safetensors", *READS, "--json", "a.json", "--predictions", "a.json"],
        ["report", "m.safetensors", *READS, "-o", "peaks.bed"],
        ["check", *READS, "--html", "genome.fa"],
        ["check", *READS, "--html", "a", "--json", "a"],
        ["variants", "m.safetensors", "variants.vcf", "--genome", "genome.fa", "--report", "m.safetensors"],
        ["variants", "m.safetensors", "variants.vcf", "--genome", "genome.fa", "-o", "variants.vcf"],
    ],
    ids=" ".join,
)
def test_no_verb_writes_over_what_it_reads(command, desk, capsys):
    before = {path.name: path.read_bytes() for path in desk.iterdir()}
    assert main(command) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in desk.iterdir()} == before


def test_devices_may_be_named_twice():
    check_apart(["/dev/null", "/dev/null"], ["/dev/null"])
    with pytest.raises(OptionError, match="a and ./a are one file; name two outputs"):
        check_apart(["a", "./a"], [])


def test_parts_are_never_empty():
    data = dataset(letters(60, 20, 20), [i % 2 for i in range(60)])
    object.__setattr__(data, "groups", np.repeat(np.arange(3), [40, 15, 5]))
    parts = split(data)
    assert sorted(map(len, (parts.train, parts.valid, parts.test))) == [5, 15, 40]
    object.__setattr__(data, "groups", np.repeat(np.arange(2), 30))
    with pytest.raises(DataError, match="2 groups of records .* cannot fill the parts train, valid, test"):
        split(data)


def test_a_feature_and_its_promoter_are_not_asked_for_at_once():
    with pytest.raises(OptionError, match="--feature gene,promoter: promoter lies around the start of gene"):
        chosen([Feature("gene", "1", 0, 9, 1)], "gene,promoter", "a.gff")


def test_windows_wider_than_any_chromosome(desk, capsys):
    assert main(["train", "peaks.bed", "--genome", "genome.fa", "--width", "30000", "-o", "w"]) == 2
    assert "--width 30,000: the longest chromosome of genome.fa has 28,000; lower it" in capsys.readouterr().err


def test_intervals_are_no_stream(desk, capsys):
    assert main(["score", "m.safetensors", "-", "--genome", "genome.fa"]) == 2
    assert "which are read from files; name the BED or GFF file" in capsys.readouterr().err
