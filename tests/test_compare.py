"""Comparison with databases: the right target, orientation and offset; q-values; the null of shuffled columns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from seqcnn.alphabet import DNA, PROTEIN, RNA
from seqcnn.errors import DataError, OptionError, SeqcnnWarning
from seqcnn.motif import Motif
from seqcnn.motifs.compare import Database, compare, open_database
from seqcnn.motifs.fdr import q_values
from seqcnn.motifs.jaspar import TAXA, jaspar


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_q_values_equal_scipy(p: list[float]) -> None:
    np.testing.assert_allclose(q_values(p), false_discovery_control(p))


def test_q_values_of_the_smallest_only() -> None:
    p = np.sort(np.random.default_rng(0).random(100)) ** 3
    np.testing.assert_allclose(
        q_values(p[:30], tests=100), np.minimum.accumulate((p * 100 / np.arange(1, 101))[:30][::-1])[::-1]
    )


def test_jaspar_is_whole_and_says_family() -> None:
    motifs = jaspar()
    assert len(motifs) == 2633
    assert sum(len(jaspar(taxon)) for taxon in TAXA) == 2633
    by_name = {m.name: m for m in motifs}
    assert by_name["MA0148.5"].alt == "FOXA1"
    assert by_name["MA0148.5"].family == "FOX"
    assert by_name["MA0062.4"].taxon == "vertebrates"
    assert by_name["MA0138.3"].tf_class == "C2H2 zinc finger factors"
    with pytest.raises(OptionError, match="vertebrate.*did you mean 'vertebrates'"):
        jaspar("vertebrate")


def test_jaspar_equals_an_older_release(real_data) -> None:
    from seqcnn.io.meme import read_meme

    ours = {m.name: m for m in jaspar()}
    theirs = read_meme(real_data / "motif_databases" / "JASPAR2024_CORE_all.meme.gz")
    same = [(ours[m.name], m) for m in theirs if m.name in ours]
    assert len(same) > 2000
    for mine, other in same:
        assert mine.nsites == other.nsites
        np.testing.assert_allclose(mine.probabilities, other.probabilities, atol=2e-3)


def jaspar_motif(accession: str) -> Motif:
    return next(m for m in jaspar() if m.name == accession)


@pytest.mark.parametrize(
    ("first", "last", "pad", "flip"),
    [(0, 15, 0, False), (3, 13, 0, False), (3, 13, 0, True), (0, 15, 4, False), (0, 15, 4, True)],
)
def test_offset_and_orientation(first: int, last: int, pad: int, flip: bool) -> None:
    ctcf = jaspar_motif("MA0139.2")
    matrix = np.concatenate([np.full((pad, 4), 0.25), ctcf.probabilities[first:last]])
    query = replace(ctcf, name="q", probabilities=matrix)
    if flip:
        query = query.reverse_complement()
    best = compare([query], open_database("jaspar", taxon="vertebrates"))[0][0]
    assert best.accession == "MA0139.2"
    assert best.name == "CTCF"
    assert best.reverse is flip
    assert best.significant
    assert best.qvalue < 1e-5
    columns = np.arange(len(best.target)) + best.offset
    inside = (columns >= (0 if flip else pad)) & (columns < (len(query) - pad if flip else len(query)))
    assert inside.sum() == last - first
    np.testing.assert_allclose(query.probabilities[columns[inside]], best.aligned.probabilities[inside])


def test_low_complexity_and_chance_are_not_significant() -> None:
    poor = Motif("poly", np.tile([0.85, 0.05, 0.05, 0.05], (12, 1)), DNA, nsites=300)
    assert not [m for m in compare([poor], open_database())[0] if m.significant]
    rng = np.random.default_rng(5)
    chance = [Motif(f"r{i}", rng.dirichlet(np.full(4, 0.5), 11), DNA, nsites=200) for i in range(20)]
    found = compare(chance, open_database())
    assert sum(any(m.significant for m in matches) for matches in found) <= 4


def test_reports_sorted_within_the_q_value() -> None:
    ets = jaspar_motif("MA0062.4")
    matches = compare([ets], open_database(), qvalue=0.01, keep=6)[0]
    assert len(matches) == 6
    assert [m.qvalue for m in matches] == sorted(m.qvalue for m in matches)
    assert matches[-1].qvalue <= 0.01
    assert compare([], open_database()) == ()


def test_small_databases_files_and_alphabets(tmp_path) -> None:
    from seqcnn.io.meme import write_meme

    ctcf, rest = jaspar_motif("MA0139.2"), jaspar_motif("MA0138.3")
    write_meme(tmp_path / "two.meme", [ctcf, rest])
    database = open_database(tmp_path / "two.meme")
    assert database.name == "two.meme"
    best = compare([rest], database, shuffles=9)[0][0]
    assert (best.accession, best.significant) == ("MA0138.3", False)  # 9 shuffles cannot show 5%
    assert compare([rest], database)[0][0].significant
    protein = Motif("p", np.eye(20)[[3, 5, 1]], PROTEIN)
    with pytest.raises(DataError, match=r"JASPAR CORE 2026: dna motifs cannot be compared with protein ones"):
        compare([protein], open_database())
    with pytest.raises(DataError, match="no motif to compare with"):
        compare([ctcf], Database("empty", ()))
    with pytest.raises(DataError, match="--taxon plants: only JASPAR"):
        open_database(tmp_path / "two.meme", taxon="plants")


def test_protein_databases_find_the_right_target() -> None:
    rng = np.random.default_rng(0)
    targets = [Motif(f"t{i}", rng.dirichlet(np.full(20, 0.05), 8), PROTEIN, nsites=50) for i in range(20)]
    with pytest.warns(SeqcnnWarning, match="holds 20 motifs"):
        (matches,) = compare([replace(targets[13], name="q")], open_database(targets))
    assert (matches[0].accession, matches[0].reverse, matches[0].offset) == ("t13", False, 0)


def test_rna_is_compared_on_one_strand() -> None:
    ctcf = jaspar_motif("MA0139.2")
    rna = Motif("r", ctcf.reverse_complement().probabilities, RNA, nsites=500)
    assert all(m.accession != "MA0139.2" for m in compare([rna], open_database())[0])
    forward = Motif("r", ctcf.probabilities, RNA, nsites=500)
    assert compare([forward], open_database())[0][0].accession == "MA0139.2"


def test_torch_keeps_its_threads() -> None:
    threads = torch.get_num_threads()
    compare([jaspar_motif("MA0138.3")], open_database(), shuffles=2)
    assert torch.get_num_threads() == threads
