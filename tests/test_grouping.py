"""Tests of splits that keep together what belongs together: loci, chromosomes, groups of a table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqcnn
from seqcnn.alphabet import DNA
from seqcnn.data.dataset import Dataset, Negatives
from seqcnn.data.grouping import grouped
from seqcnn.data.joining import join
from seqcnn.data.negatives import add_negatives
from seqcnn.data.splits import folds, split, split_groups
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Intervals, Place
from seqcnn.options import TrainOptions
from seqcnn.sequence import Sequences


def dataset(places: list[tuple[str, int, int, int]]) -> Dataset:
    rng = np.random.default_rng(0)
    raw = Sequences.from_codes([rng.integers(0, 4, end - start).astype(np.uint8) for _, start, end, _ in places])
    return Dataset(
        "codes", raw, tuple(map(str, range(len(places)))), targets=rng.integers(0, 2, (len(places), 1)).astype(float),
        task="binary", labels=("no", "yes"), alphabet=DNA, places=Intervals.of(places),
    )  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.integers(1, 20)), max_size=25))
def test_loci_are_the_chains_of_overlaps(rows):
    placed = Intervals.of((name, start, start + width, 0) for name, start, width in rows)
    number = placed.loci(1000)
    reach = np.eye(len(rows), dtype=bool)
    for i, a in enumerate(placed.places()):
        for j, b in enumerate(placed.places()):
            reach[i, j] |= a.chromosome == b.chromosome and a.start < b.end and b.start < a.end
    for _ in rows:
        reach = reach @ reach
    assert ((number[:, None] == number) == reach).all()


def test_long_chains_are_cut():
    tiled = Intervals.of(("chr1", 10 * i, 10 * i + 50, 0) for i in range(100))
    assert np.bincount(tiled.loci(20)).tolist() == [20] * 5


def test_overlapping_records_stay_on_one_side():
    places = [("chr1", 1000 * (i // 3) + 10 * (i % 3), 1000 * (i // 3) + 10 * (i % 3) + 40, 1) for i in range(300)]
    parts = split(dataset(places), seed=3)
    for part in (parts.train, parts.valid, parts.test):
        assert len(part) and all({3 * (i // 3) + k for k in range(3)} <= set(part.tolist()) for i in part.tolist())


def test_chromosomes_are_tested_on_whole_and_shuffles_follow(tmp_path: Path):
    data = dataset([(f"chr{i % 5}", 1000 * i, 1000 * i + 30, 0) for i in range(100)])
    both = add_negatives(replace(data, labels=("yes",)), Negatives("shuffle"), seed=0)
    with_parts, notes = grouped(both, "chromosome:3,chr4")
    assert with_parts.parts is not None and notes == ["tested on chr3, chr4: 80 of 200 records"]
    names = np.array(both.places.chromosomes)
    names = np.where(both.parents >= 0, names[both.parents], names)
    assert ((with_parts.parts == "test") == np.isin(names, ["chr3", "chr4"])).all()
    whole, notes = grouped(both, "chromosome")
    assert notes == ["chromosomes stay whole: 5"]
    fold = folds(whole, 5)
    assert all(len(set(fold[names == name].tolist())) == 1 for name in set(names))


def test_chromosomes_that_are_none():
    data = dataset([("chr1", 0, 20, 0), ("chr2", 0, 20, 0)])
    with pytest.raises(DataError, match="no record lies on 'chr22'.*; there are chr1, chr2"):
        grouped(data, "chromosome:chr22")
    with pytest.raises(DataError, match="--split chromosome: belongs to intervals of a genome"):
        grouped(replace(data, places=None), "chromosome")


@pytest.mark.parametrize("wrong", ["chromosome:", "group", "group:", "colum:x", "random:1", "cluster:2"])
def test_rules_that_are_none(wrong):
    with pytest.raises(OptionError, match=f"--split: expected random, cluster, .* found '{wrong}'"):
        TrainOptions(split=wrong)


def test_groups_of_a_table_stay_together(tmp_path: Path):
    rng = np.random.default_rng(1)
    rows = ["sequence\tlabel\tfamily"]
    rows += [
        f"{''.join(rng.choice(list('ACGT'), 20))}\t{i % 2}\t{'f' + str(i // 4) if i < 80 else ''}" for i in range(100)
    ]
    (tmp_path / "t.tsv").write_text("\n".join(rows) + "\n")
    data = seqcnn.read(tmp_path / "t.tsv", target=("label",), split="group:family")
    number = split_groups(data)
    assert [len(set(number[4 * k : 4 * k + 4].tolist())) for k in range(20)] == [1] * 20
    assert len(set(number[80:].tolist())) == 20
    with pytest.raises(OptionError, match="the data name no groups; pass a table"):
        grouped(replace(data, groups=None), "group:family")


def test_places_go_with_their_records():
    one, other = dataset([("a", 5, 9, 1), ("b", 2, 8, -1)]), replace(dataset([("a", 0, 4, 0)]), places=None)
    joined = join(one, other, "--valid")
    assert joined.places is not None
    assert joined.places.places() == [Place("a", 5, 9, 1), Place("b", 2, 8, -1), Place()]
    assert joined.take([2, 0]).places.places() == [Place(), Place("a", 5, 9, 1)]
    assert str(Place("chr1", 5, 9, -1)) == "chr1:5-9(-)"
