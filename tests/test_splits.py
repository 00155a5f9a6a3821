"""Tests of the splits: shares, classes, relatives on one side, parts the data name."""

from dataclasses import replace

import numpy as np
import pytest

from seqcnn.alphabet import DNA
from seqcnn.data.dataset import Dataset
from seqcnn.data.joining import join
from seqcnn.data.splits import check_classes, folds, split, split_groups, strata
from seqcnn.errors import DataError
from seqcnn.sequence import Sequences, reverse_complement


def random_data(counts, seed=0, length=17):
    rng = np.random.default_rng(seed)
    n = sum(counts)
    raw = Sequences.from_codes([rng.integers(0, 4, length, dtype=np.uint8) for _ in range(n)])
    targets = np.repeat(np.arange(len(counts)), counts)[:, None].astype(float)
    labels = tuple(f"class{i}" for i in range(len(counts)))
    task = "binary" if len(counts) == 2 else "multiclass"
    return Dataset("codes", raw, tuple(map(str, range(n))), targets, task, labels, DNA)


def test_relatives_share_a_group():
    data = random_data([7, 5])
    records = list(data.raw)
    records[3] = reverse_complement(records[1], DNA)
    records[6] = records[1] | np.uint8(0x80)
    parents = np.full(12, -1)
    parents[9] = 3  # a shuffle of the reverse complement of record 1
    data = replace(data, raw=Sequences.from_codes(records), parents=parents)
    group = split_groups(data)
    assert len({group[i] for i in (1, 3, 6, 9)}) == 1
    assert len(set(group.tolist())) == 12 - 3


def test_a_part_gets_its_share_of_each_class_and_no_group_is_torn():
    data = random_data([300, 60, 40])
    records = list(data.raw)
    for i in range(0, 60, 3):
        records[i + 1] = records[i]
    data = replace(data, raw=Sequences.from_codes(records))
    parts = split(data, valid=0.1, test=0.2, seed=3)
    everything = np.concatenate([parts.train, parts.valid, parts.test])
    assert sorted(everything.tolist()) == list(range(400))
    group = split_groups(data)
    assert not set(group[parts.train]) & set(group[parts.test])
    assert not set(group[parts.train]) & set(group[parts.valid])
    for part, share in ((parts.valid, 0.1), (parts.test, 0.2)):
        counts = np.bincount(data.targets[part, 0].astype(int), minlength=3)
        np.testing.assert_allclose(counts, np.array([300, 60, 40]) * share, atol=2)


def test_a_shuffle_stays_with_its_parent():
    data = random_data([50, 50])
    parents = np.r_[np.arange(50) + 50, np.full(50, -1)]
    parts = split(replace(data, parents=parents), valid=0.1, test=0.1)
    for part in (parts.train, parts.valid, parts.test):
        assert set((part[part < 50] + 50).tolist()) == set(part[part >= 50].tolist())


def test_the_split_is_seeded():
    data = random_data([50, 50])
    assert split(data, seed=1).test.tolist() == split(data, seed=1).test.tolist()
    assert split(data, seed=1).test.tolist() != split(data, seed=2).test.tolist()


def test_parts_that_the_data_name_are_obeyed_and_valid_is_carved_from_train():
    data = random_data([60, 40])
    named = np.where(np.arange(100) % 4 == 0, "test", "train")
    parts = split(replace(data, parts=named), valid=0.2, test=0.1)
    assert parts.test.tolist() == list(range(0, 100, 4))
    assert len(parts.valid) == 15 and not set(parts.valid.tolist()) & set(parts.test.tolist())
    named = np.where(np.arange(100) % 5 == 0, "valid", named)
    assert split(replace(data, parts=named)).valid.tolist() == list(range(0, 100, 5))


def test_no_record_left_to_train_on_is_an_error():
    data = random_data([10, 10])
    with pytest.raises(DataError, match="no record is left to train on: 0 valid and 20 test"):
        split(replace(data, parts=np.full(20, "test")), valid=0)


def test_folds_hold_each_record_once_and_each_class_evenly():
    data = random_data([103, 41])
    fold = folds(data, 5, seed=2)
    for label in range(2):
        counts = np.bincount(fold[data.targets[:, 0] == label], minlength=5)
        assert counts.max() - counts.min() <= 1


def test_numbers_and_labels_are_stratified():
    data = random_data([40, 40])
    numbers = replace(data, task="regression", targets=np.arange(80.0)[:, None], labels=("t",))
    assert np.bincount(strata(numbers)).tolist() == [8] * 10
    labels = np.zeros((80, 3))
    labels[:20, 0], labels[10:14, 1] = 1, 1
    many = replace(data, task="multilabel", targets=labels, labels=("a", "b", "c"))
    stratum = strata(many)
    assert stratum[12] == 1 and stratum[2] == 0 and stratum[50] == -1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": np.ones((24, 1))}, r"two classes or more, found 1 \('class1', 24 records\)"),
        ({"targets": np.r_[np.zeros(20), np.ones(4)][:, None]}, "class 'class1': expected 10 records or more, found 4"),
        ({"targets": np.full((24, 1), np.nan)}, "targets of all 24 records are missing"),
        ({"targets": np.r_[np.inf, np.ones(23)][:, None]}, "record '0' has an infinite target"),
        ({"targets": None}, "no targets"),
        ({"task": "regression", "targets": np.full((24, 1), 3.5), "labels": ("t",)}, "target 't'.*all are 3.5"),
        ({"task": "multilabel", "targets": np.ones((24, 1)), "labels": ("t",)}, "label 't'.*found only 1"),
    ],
)
def test_data_that_cannot_be_learned_from_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        check_classes(replace(random_data([12, 12]), **change))


def test_few_records_are_refused_for_numbers():
    data = replace(random_data([8, 8]), task="regression", labels=("t",), targets=np.arange(16.0)[:, None])
    with pytest.raises(DataError, match="expected 20 records or more to learn from, found 16"):
        check_classes(data)


def test_joining_keeps_records_and_moves_parents():
    first, second = random_data([3, 4]), replace(random_data([2, 3], seed=1), parents=np.array([-1, -1, 0, -1, 1]))
    both = join(first, second, "--valid")
    assert len(both) == 12 and both.ids == first.ids + second.ids
    np.testing.assert_array_equal(both.raw[8], second.raw[1])
    assert both.parents.tolist() == [-1] * 7 + [-1, -1, 7, -1, 8]
    with pytest.raises(DataError, match="--valid: expected data of the same labels"):
        join(first, replace(second, labels=("a", "b")), "--valid")
