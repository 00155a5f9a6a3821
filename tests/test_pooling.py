"""Calibration on out-of-fold predictions: one scale for networks of many, and better probabilities on small sets."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqcnn.alphabet import DNA
from seqcnn.data.dataset import Dataset
from seqcnn.options import TrainOptions
from seqcnn.sequence import Sequences
from seqcnn.tasks.binary import Binary
from seqcnn.tasks.multiclass import Multiclass
from seqcnn.tasks.multilabel import Multilabel
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.pooling import calibrated_on_folds, pooled, standardizing
from seqcnn.workflow.train import train

BINARY = Binary(("no", "yes"))
TASKS = [BINARY, Multiclass(("a", "b", "c"), (1.0, 1.0, 1.0)), Multilabel(("a", "b", "c"), (1.0, 1.0, 1.0))]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_standardized_logits_do_not_depend_on_scale_and_offset(task) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(40, task.outputs)).astype(np.float32)
    scale = rng.uniform(0.1, 9, task.outputs) if task.name == "multilabel" else 7.0
    moved = (logits * scale + rng.normal(size=task.outputs)).astype(np.float32)
    here, there = (standardizing(task, z)(torch.from_numpy(z)) for z in (logits, moved))
    torch.testing.assert_close(task.activation(here), task.activation(there), atol=1e-4, rtol=1e-4)
    assert here.mean(0).abs().max() < (1 if task.name == "multiclass" else 1e-5)
    same = standardizing(task, np.full((5, task.outputs), 9, np.float32))(torch.full((1, task.outputs), 9.0))
    assert float(same.std()) < 1e-6 if task.name == "multiclass" else float(same.abs().max()) < 1e-6


def test_each_fold_is_calibrated_by_the_others() -> None:
    rng = np.random.default_rng(1)
    fold = rng.integers(0, 3, 90)
    truth = rng.integers(0, 2, (90, 1)).astype(float)
    logits = (truth * 3 + rng.normal(size=truth.shape)).astype(np.float32)
    found, whole = pooled(BINARY, logits, truth, fold)
    for f in range(3):
        layer = fit_calibration(BINARY, logits[fold != f], truth[fold != f].astype(np.float32), weighted=False)
        np.testing.assert_allclose(found[fold == f], layer(torch.from_numpy(logits[fold == f])).numpy(), rtol=1e-6)
        other = truth.copy()
        other[fold == f] = 1 - other[fold == f]
        again, _ = pooled(BINARY, logits, other, fold)
        np.testing.assert_array_equal(again[fold == f], found[fold == f])
    assert whole.scale.item() > 0
    halved, _ = pooled(BINARY, logits, truth, fold, weights=np.full(90, 0.5))
    np.testing.assert_allclose(halved, found, rtol=1e-5)


def networks(n: int, seed: int) -> tuple[np.ndarray, ...]:
    """Logits of five folds' networks and of the final one, each on a scale of its own, for n records and 2,000 new."""
    rng = np.random.default_rng(seed)

    def drawn(size: int) -> tuple[np.ndarray, np.ndarray]:
        truth = rng.permutation(np.arange(size) % 2)[:, None].astype(float)  # parts are stratified
        return truth, (2 * truth - 1) * 1.2 + rng.normal(size=truth.shape) * 1.2

    truth, logits = drawn(n)
    fold = rng.permutation(n) % 5
    out = np.zeros((n, 1), np.float32)
    for f in range(5):
        scale, offset = np.exp(rng.normal()), rng.normal()
        layer = standardizing(BINARY, (drawn(n // 10)[1] * scale + offset).astype(np.float32))
        out[fold == f] = layer(torch.from_numpy((logits[fold == f] * scale + offset).astype(np.float32))).numpy()
    scale, offset = np.exp(rng.normal()), rng.normal()
    valid_truth, valid = drawn(n // 10)
    new_truth, new = drawn(2000)
    own, there = ((z * scale + offset).astype(np.float32) for z in (valid, new))
    return fold, truth, out, valid_truth, own, new_truth, there


@pytest.mark.parametrize("n", [200, 600])
def test_probabilities_of_new_records_are_better_than_by_a_tenth_of_the_records(n: int) -> None:
    losses = []
    for seed in range(12):
        fold, truth, out, valid_truth, own, new_truth, new = networks(n, seed)
        _, shared = pooled(BINARY, out, truth, fold)
        alone = fit_calibration(BINARY, own, valid_truth.astype(np.float32), weighted=False)
        layer = calibrated_on_folds(BINARY, alone, shared, logits=own, targets=valid_truth)
        target = torch.from_numpy(new_truth.astype(np.float32))
        z = torch.from_numpy(new)
        losses.append([float(BINARY.record_loss(c(z), target).mean()) for c in (alone, layer or alone)])
    before, after = np.mean(losses, axis=0)
    assert after < before


def test_validation_records_of_another_kind_are_believed() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, (300, 1)).astype(float)
    out = (2 * (2 * truth - 1) + rng.normal(size=truth.shape)).astype(np.float32)
    _, shared = pooled(BINARY, out, truth, np.arange(300) % 5)
    other = 1 - truth[:60]
    alone = fit_calibration(BINARY, out[:60], other.astype(np.float32), weighted=False)
    assert calibrated_on_folds(BINARY, alone, shared, logits=out[:60], targets=other) is None


def planted(n: int, task: str = "binary") -> Dataset:
    """Records of which half hold a word; numbers rise with it."""
    rng = np.random.default_rng(0)
    records = [rng.integers(0, 4, 40, dtype=np.uint8) for _ in range(n)]
    for record in records[: n // 2]:
        record[10:19] = [0, 1, 1, 2, 3, 0, 2, 2, 1]
    target = (np.arange(n) < n // 2).astype(float)
    if task == "regression":
        target = target + rng.normal(size=n) * 0.3
    if task == "multilabel":
        target = np.stack([target, rng.integers(0, 2, n).astype(float)], 1)
    labels = {"binary": ("without", "with"), "regression": ("level",), "multilabel": ("with", "coin")}[task]
    ids = tuple(f"r{i}" for i in range(n))
    targets = np.asarray(target).reshape(n, -1)
    return Dataset("codes", Sequences.from_codes(records), ids, targets, task, labels, DNA, negatives="file")


FAST = TrainOptions(network="deepbind", epochs=1, strands="forward", baselines=False)


@pytest.mark.parametrize("task", ["binary", "regression", "multilabel"])
@pytest.mark.parametrize("folds", [2, 0])
def test_training_keeps_what_held_out_records_vouch_for(task: str, folds: int) -> None:
    data = planted(120, task)
    model = train(data, replace(FAST, folds=folds, test=("0",)), progress=False)
    kept = model.record.conformity
    assert kept is not None and kept.folds == bool(folds)
    held = {"binary": 1, "regression": 1, "multilabel": None}[task]
    if held:
        assert kept.counts.sum() == (120 if folds else model.record.counts["valid"])
    assert ("on" in model.record.calibration) == (folds > 0 and task != "regression")
    if task == "regression":
        ends = model.predict_interval(data, coverage=0.8)
        assert ends.shape == (120, 2) and (ends[:, 0] < ends[:, 1]).all()
    else:
        assert all(len(held) <= 2 for held in model.predict_set(data, coverage=0.6))


def test_records_of_no_weight_vouch_for_nothing() -> None:
    weights = np.ones(120)
    weights[::3] = 0
    model = train(replace(planted(120), weights=weights), replace(FAST, folds=2, test=("0",)), progress=False)
    assert model.record.conformity is not None and model.record.conformity.counts.sum() == 80


def test_a_fit_at_once_has_none_without_folds() -> None:
    model = train(planted(120), replace(FAST, network="kmer", folds=0, test=("0.2",)), progress=False)
    assert model.record.conformity is None and model.record.figures["coverage"] is None
    assert train(planted(120), replace(FAST, network="kmer", folds=2), progress=False).record.conformity is not None
