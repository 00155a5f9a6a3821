"""The demo's example: a background like a genome's, motifs where they were planted, and a verdict that can be no."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare

from seqcnn.alphabet import DNA
from seqcnn.cli import main
from seqcnn.data.synthetic import GC_MEAN, GC_SD, background, draw_site, plant
from seqcnn.io.fasta import read_fasta
from seqcnn.motif import Motif
from seqcnn.workflow.demo import DECOY, FACTOR, FILES, PARTNER, bundled, generate


def test_background_is_not_uniform() -> None:
    records = background(np.full(1500, 220), np.random.default_rng(0))
    gc = np.array([np.isin(codes, (1, 2)).mean() for codes in records])
    assert abs(gc.mean() - GC_MEAN) < 0.02
    assert abs(gc.std() - GC_SD) < 0.02
    pairs = np.zeros((4, 4))
    for codes in records:
        np.add.at(pairs, (codes[:-1], codes[1:]), 1)
    share = pairs / pairs.sum()
    odds = share / np.outer(share.sum(1), share.sum(0))
    assert odds[1, 2] < 0.5  # CG is rare
    assert odds[3, 0] < 0.85  # TA is rare
    assert odds[1, 0] > 1.1 and odds[3, 2] > 1.1  # CA and TG, what CG becomes


def test_unequal_lengths_are_as_asked() -> None:
    lengths = [3, 17, 0, 5]
    assert [len(codes) for codes in background(lengths, np.random.default_rng(1))] == lengths


def test_sites_follow_the_matrix() -> None:
    matrix = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 0.5, 0.5, 0.0]])
    rng = np.random.default_rng(2)
    sites = np.stack([draw_site(Motif("m", matrix, DNA), rng) for _ in range(4000)])
    for column, expected in zip(sites.T, matrix, strict=True):
        counts = np.bincount(column, minlength=4)
        possible = expected > 0
        assert counts[~possible].sum() == 0
        assert chisquare(counts[possible], 4000 * expected[possible]).pvalue > 1e-4


def test_planting_keeps_length_and_says_where() -> None:
    rng = np.random.default_rng(3)
    one, two = Motif("one", np.eye(4)[[0, 0, 1]], DNA), Motif("two", np.eye(4)[[2, 2, 2, 1, 1]], DNA)
    records = [np.full(size, 3, np.uint8) for size in (40, 25, 9)]
    sites = plant(records, [one, 4, two], at=[20, 0, 4], rng=rng)
    assert [len(codes) for codes in records] == [40, 25, 9]
    assert (records[2] == 3).all()  # too short for 12 letters
    assert {site.record for site in sites} == {0, 1}
    for site in sites:
        codes = records[site.record][site.start : site.end]
        expected = {"one": [0, 0, 1], "two": [2, 2, 2, 1, 1]}[site.motif]
        assert codes.tolist() == (expected if site.strand == "+" else [3 - code for code in reversed(expected)])
    for index in (0, 1):
        first, second = sorted((site.start, site.end) for site in sites if site.record == index)
        assert second[0] - first[1] == 4


def test_example_is_the_same_for_the_same_seed() -> None:
    assert generate(40, 1).records == generate(40, 1).records
    assert generate(40, 1).records != generate(40, 2).records


def test_decoy_is_as_frequent_in_both_classes_and_the_factor_is_not() -> None:
    example = generate(1600, 4)

    def share(motif: Motif, name: str) -> float:
        """Share of records whose best place, on either strand, has 60% of the matrix's highest log-odds."""
        found = 0
        odds = np.log2(motif.probabilities + 0.01) - np.log2(0.25)
        for letters in example.records[name]:
            codes = np.array(["ACGT".index(letter) for letter in letters])
            best = -np.inf
            for strand in (codes, 3 - codes[::-1]):
                windows = np.lib.stride_tricks.sliding_window_view(strand, len(odds))
                best = max(best, odds[np.arange(len(odds)), windows].sum(1).max())
            found += best > 0.8 * odds.max(1).sum()
        return found / len(example.records[name])

    assert abs(share(example.decoy, FILES[0]) - share(example.decoy, FILES[1])) < 0.07
    assert share(example.factor, FILES[0]) > share(example.factor, FILES[1]) + 0.25
    assert share(example.partner, FILES[0]) > share(example.partner, FILES[1]) + 0.15


def test_the_three_motifs_are_of_three_families() -> None:
    assert len({bundled(accession).family for accession in (FACTOR, PARTNER, DECOY)}) == 3


@pytest.mark.usefixtures("few_filters")
def test_a_tiny_demo_goes_the_whole_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "-o", str(tmp_path / "demo"), "--records", "120", "--epochs", "1"]) == 0
    out, err = capsys.readouterr()
    folder = tmp_path / "demo"
    for name in FILES:
        assert sum(1 for _ in read_fasta(folder / name)) == (60 if "/" not in name else 15)
    page = (folder / "report.html").read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert (folder / "model.safetensors").is_file()
    assert len(out.rstrip().splitlines()[-3:]) == 3
    assert "seqcnn train" in out.rstrip().splitlines()[-3]
    assert all(line.startswith("seqcnn: ") for line in err.splitlines())


def test_the_verdict_can_be_no(tmp_path: Path) -> None:
    """A motif set without significant motifs finds nothing, and says so."""
    from seqcnn.motifs.found import MotifSet
    from seqcnn.workflow.demo import Verdict

    example = generate(40, 5)
    nothing = MotifSet((), DNA, np.full(4, 0.25))
    verdict = Verdict(example, None, None, nothing)  # type: ignore[arg-type]
    first, second, third = verdict.sentences()
    assert "FOXA1 was NOT found" in first
    assert "HNF4A was NOT found" in second
    assert "NFYA" in third and "rightly" in third
    assert replace(verdict, motifs=nothing).found(example.factor) is None
