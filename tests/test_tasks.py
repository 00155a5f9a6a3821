"""Contract tests over every registered task, and the particulars of each."""

import json

import numpy as np
import pytest
import torch

from seqcnn.errors import DataError, OptionError
from seqcnn.registry import names
from seqcnn.tasks import fit_task, task_from_config

N = 37
RNG = np.random.default_rng(3)
EXAMPLES = {
    "binary": (("no", "yes"), (RNG.random((N, 1)) < 0.3).astype(float)),
    "multiclass": (("a", "b", "c"), np.r_[np.arange(3), RNG.integers(0, 3, N - 3)][:, None].astype(float)),
    "multilabel": (("x", "y", "z", "w"), (RNG.random((N, 4)) < 0.4).astype(float)),
    "circular": (("angle", "phase"), RNG.uniform(0, 360, (N, 2))),
    "regression": (("u", "v"), np.c_[RNG.normal(5, 2, N), np.exp(3 * RNG.normal(size=N))]),
}


@pytest.fixture(params=names("task"))
def example(request):
    labels, targets = EXAMPLES[request.param]
    targets = targets.copy()
    targets[4, 0] = np.nan
    task = fit_task(request.param, labels, targets)
    logits = np.random.default_rng(1).normal(size=(N, task.outputs)).astype(np.float32)
    return task, targets, logits


def test_a_task_survives_json(example):
    task, *_ = example
    assert task_from_config(json.loads(json.dumps(task.config()))) == task


def test_unknown_and_missing_fields_are_refused(example):
    task, *_ = example
    with pytest.raises(OptionError, match=r"unknown field 'labls'.*did you mean 'labels'"):
        task_from_config(task.config() | {"labls": []})
    short = task.config()
    del short["labels"]
    with pytest.raises(OptionError, match="'labels' is missing"):
        task_from_config(short)


def test_loss_takes_logits_and_masks_missing_targets(example):
    task, targets, logits = example
    encoded = torch.from_numpy(task.encode(targets))
    assert torch.isnan(encoded[4, 0])
    one = torch.tensor(logits, requires_grad=True)
    loss = task.loss(one, encoded)
    assert loss.dim() == 0 and torch.isfinite(loss)
    loss.backward()
    assert torch.isfinite(one.grad).all()
    assert one.grad[4, 0] == 0 or task.name == "multilabel"
    changed = logits.copy()
    if task.numeric:
        changed[4, : task.outputs // len(task.labels)] += 9
    elif task.name != "multilabel":
        changed[4] += np.arange(1, task.outputs + 1)
    assert task.loss(torch.from_numpy(changed), encoded).item() == pytest.approx(loss.item())


def test_record_weights_of_zero_leave_records_out(example):
    task, targets, logits = example
    encoded, z = torch.from_numpy(task.encode(targets)), torch.from_numpy(logits)
    weights = torch.zeros(N)
    weights[7:20] = 1
    assert task.loss(z, encoded, weights=weights).item() == pytest.approx(task.loss(z[7:20], encoded[7:20]).item())


def test_record_loss_is_one_number_a_record_and_falls_towards_the_truth(example):
    task, targets, logits = example
    encoded = torch.from_numpy(task.encode(targets))
    value = task.record_loss(torch.from_numpy(logits), encoded)
    assert value.shape == (N,) and torch.isfinite(value).all()
    better = torch.nan_to_num(encoded)
    if task.name == "multiclass":
        better = torch.eye(task.outputs)[better[:, 0].long()]
    if not task.numeric:
        better = better * 20 - 10
    if task.name == "circular":
        better = better * 100
    assert (task.record_loss(better, encoded) <= value + 1e-6).all()


def test_output_has_the_named_columns_in_range(example):
    task, _, logits = example
    out = task.output(logits)
    assert out.shape == (N, len(task.columns)) and np.isfinite(out).all()
    np.testing.assert_array_equal(task.output(logits, "logit"), logits)
    if not task.numeric:
        assert (out >= 0).all() and (out <= 1).all()


def test_figures_are_json_and_the_intervals_name_the_same(example):
    task, targets, logits = example
    figures, intervals = task.metrics(targets, logits), task.intervals(targets, logits, seed=1)
    json.dumps([figures, intervals], allow_nan=False)
    if task.numeric:
        assert set(figures["per_target"]) == set(intervals["per_target"]) == set(task.labels)
        figures, intervals = (table["per_target"][task.labels[0]] for table in (figures, intervals))
    assert set(figures) == set(intervals)
    for name, (low, high) in intervals.items():
        assert low <= high
        assert low - 0.1 <= figures[name] <= high + 0.1
    primary = task.metrics(targets, logits)[task.primary]
    assert isinstance(primary, float)
    assert task.sections


def test_infinite_and_all_missing_targets_are_refused(example):
    task, targets, _ = example
    infinite = targets.copy()
    infinite[2, 0] = np.inf
    with pytest.raises(DataError, match="record 3 has an infinite target"):
        fit_task(task.name, EXAMPLES[task.name][0], infinite)
    with pytest.raises(DataError, match=r"target 1 of .* is missing in every record"):
        fit_task(task.name, EXAMPLES[task.name][0], np.full_like(targets, np.nan))


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel"])
def test_values_that_are_no_class_are_refused(name):
    labels, targets = EXAMPLES[name]
    with pytest.raises(DataError, match="found 7"):
        fit_task(name, labels, np.where(np.arange(N)[:, None] == 5, 7.0, targets))


def test_an_unknown_task_is_refused():
    with pytest.raises(OptionError, match=r"'binry'.*did you mean 'binary'"):
        fit_task("binry", ("a", "b"), np.zeros((3, 1)))


def test_class_weights_balance_up_to_a_cap():
    mild = fit_task("binary", ("n", "p"), np.repeat([0.0, 1.0], [30, 10])[:, None])
    assert mild.class_weights == pytest.approx((2 / 3, 2.0))
    rare = fit_task("binary", ("n", "p"), np.repeat([0.0, 1.0], [5000, 10])[:, None])
    assert rare.class_weights[1] / rare.class_weights[0] == pytest.approx(10)


def test_figures_of_one_class_are_null():
    task = fit_task("binary", *EXAMPLES["binary"])
    figures = task.metrics(np.zeros((5, 1)), np.arange(5.0)[:, None] - 0.5)
    assert figures["auroc"] is None and figures["accuracy"] == 0.2
    assert task.intervals(np.zeros((5, 1)), np.arange(5.0)[:, None])["auroc"] is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (RNG.normal(3, 2, 4000), "identity"),
        (RNG.uniform(0, 9, 4000), "identity"),
        (RNG.exponential(1, 4000), "identity"),
        (np.exp(2 * RNG.normal(size=4000)), "log"),
        (np.sinh(3 * RNG.normal(size=4000)), "asinh"),
        (RNG.standard_cauchy(4000), "asinh"),
        (np.full(50, 3.0), "identity"),
    ],
)
def test_only_heavy_tails_are_transformed_and_the_output_is_in_the_units_of_the_targets(values, kind):
    task = fit_task("regression", ("t",), values[:, None])
    assert task.transforms == (kind,)
    assert bool(task.notes) == (kind != "identity")
    encoded = task.encode(values[:, None])
    assert abs(encoded.mean()) < 1e-2 and (encoded.std() == pytest.approx(1, abs=1e-2) or np.ptp(values) == 0)
    np.testing.assert_allclose(task.output(encoded)[:, 0], values, rtol=2e-3, atol=2e-3)
    assert np.isfinite(task.output(np.array([[1e6]]))).all()
    assert task.output(np.array([[1e6]]))[0, 0] < 1e4 * np.abs(values).max()


def test_single_and_several_targets_of_regression():
    single = fit_task("regression", ("t",), RNG.normal(size=(N, 1)))
    assert single.columns == ("score",)
    figures = single.metrics(RNG.normal(size=(N, 1)), RNG.normal(size=(N, 1)))
    assert set(figures) == {"pearson", "spearman", "r2", "rmse"}
    assert fit_task("regression", *EXAMPLES["regression"]).columns == ("u", "v")


def test_smoothing_gives_a_share_of_each_label_to_all_classes(example):
    task, targets, logits = example
    encoded, z = torch.from_numpy(task.encode(targets)), torch.from_numpy(logits)
    plain, smooth = task.loss(z, encoded), task.loss(z, encoded, smoothing=0.2)
    assert (plain == smooth) == task.numeric
    if task.name == "multiclass":
        known = torch.isfinite(encoded[:, 0])
        weight = torch.tensor(task.class_weights)[encoded[known, 0].long()]
        log = torch.log_softmax(z[known], 1)
        mixed = 0.8 * torch.eye(3)[encoded[known, 0].long()] + 0.2 / 3
        assert smooth.item() == pytest.approx(float((-(log * mixed).sum(1) * weight).mean()), rel=1e-5)


def test_angles_are_directions():
    task = fit_task("circular", ("angle",), np.array([[10.0], [350.0]]))
    for angle in (0.0, 12.5, 90, 180, 270, 359.9):
        assert task.output(5 * task.encode(np.array([[angle]])))[0, 0] == pytest.approx(angle, abs=1e-3)
    hours = fit_task("circular", ("hour",), np.array([[23.0], [1.0]]), {"period": 24})
    figures = hours.metrics(np.array([[23.0], [1.0]]), hours.encode(np.array([[1.0], [1.5]])))
    assert figures["mean_error"] == pytest.approx(1.25) and figures["median_error"] == pytest.approx(1.25)
    # the likelihood is that of scipy's von Mises distribution
    from scipy.stats import vonmises

    z = torch.tensor([[1.5, -2.0]])
    angle = np.deg2rad(77.0)
    found = task.record_loss(z, torch.from_numpy(task.encode(np.array([[77.0]]))))
    assert found.item() == pytest.approx(-vonmises.logpdf(angle, 2.5, loc=np.arctan2(-2.0, 1.5)), rel=1e-5)
