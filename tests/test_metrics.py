"""Tests of the figures against scikit-learn and SciPy, and of their bootstrap against naive resampling."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from seqcnn import metrics, reliability

RNG = np.random.default_rng(5)
TRUTH = RNG.integers(0, 2, 137).astype(float)
SCORE = np.round(1 / (1 + np.exp(-(TRUTH + RNG.normal(size=137)))), 2)  # rounded: many ties
CLASSES = RNG.integers(0, 4, 151).astype(float)
PROBABILITIES = RNG.dirichlet(np.ones(4), 151) + 0.3 * np.eye(4)[CLASSES.astype(int)]
PROBABILITIES /= PROBABILITIES.sum(1, keepdims=True)
LABELS = RNG.integers(0, 2, (83, 3)).astype(float)
LABEL_SCORES = RNG.normal(size=(83, 3)) + LABELS
NUMBERS = np.round(RNG.normal(size=97), 1)
PREDICTED = NUMBERS + RNG.normal(size=97)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("auroc", sk.roc_auc_score(TRUTH, SCORE)),
        ("auprc", sk.average_precision_score(TRUTH, SCORE)),
        ("accuracy", sk.accuracy_score(TRUTH, SCORE >= 0.5)),
        ("mcc", sk.matthews_corrcoef(TRUTH, SCORE >= 0.5)),
        ("f1", sk.f1_score(TRUTH, SCORE >= 0.5)),
    ],
)
def test_binary_figures_are_those_of_scikit_learn(name, reference):
    assert getattr(metrics, name)(TRUTH, SCORE) == pytest.approx(reference, abs=1e-12)


def test_multiclass_figures_are_those_of_scikit_learn():
    called = PROBABILITIES.argmax(1)
    assert metrics.accuracy(CLASSES, PROBABILITIES) == pytest.approx(sk.accuracy_score(CLASSES, called))
    assert metrics.macro_f1(CLASSES, PROBABILITIES) == pytest.approx(sk.f1_score(CLASSES, called, average="macro"))
    wanted = sk.roc_auc_score(CLASSES, PROBABILITIES, multi_class="ovr")
    assert metrics.auroc_ovr(CLASSES, PROBABILITIES) == pytest.approx(wanted)


def test_multilabel_figures_are_means_over_labels_and_skip_missing_truths():
    assert metrics.auroc_macro(LABELS, LABEL_SCORES) == pytest.approx(sk.roc_auc_score(LABELS, LABEL_SCORES))
    assert metrics.auprc_macro(LABELS, LABEL_SCORES) == pytest.approx(sk.average_precision_score(LABELS, LABEL_SCORES))
    holes = LABELS.copy()
    holes[:20, 1] = np.nan
    known = np.isfinite(holes)
    wanted = [sk.roc_auc_score(holes[k, i], LABEL_SCORES[k, i]) for i, k in enumerate(known.T)]
    assert metrics.auroc_macro(holes, LABEL_SCORES) == pytest.approx(np.mean(wanted))


def test_regression_figures_are_those_of_scipy_and_scikit_learn():
    assert metrics.pearson(NUMBERS, PREDICTED) == pytest.approx(stats.pearsonr(NUMBERS, PREDICTED).statistic)
    assert metrics.spearman(NUMBERS, PREDICTED) == pytest.approx(stats.spearmanr(NUMBERS, PREDICTED).statistic)
    assert metrics.r2(NUMBERS, PREDICTED) == pytest.approx(sk.r2_score(NUMBERS, PREDICTED))
    assert metrics.rmse(NUMBERS, PREDICTED) == pytest.approx(sk.root_mean_squared_error(NUMBERS, PREDICTED))


def test_ece_is_the_weighted_gap_of_a_naive_loop_less_what_chance_adds():
    total, rng = 0.0, np.random.default_rng(0)
    for b in range(15):
        inside = (np.minimum((SCORE * 15).astype(int), 14)) == b
        if inside.any():
            gap = abs(TRUTH[inside].sum() - SCORE[inside].sum())
            drawn = np.abs(rng.normal(gap, np.sqrt((SCORE * (1 - SCORE))[inside].sum()), 200_000))
            total += gap - max(drawn.mean() - gap, 0)
    assert metrics.ece(TRUTH, SCORE) == pytest.approx(total / len(TRUTH), abs=1e-3)


@pytest.mark.parametrize(("sharper", "n"), [(1.0, 60), (1.0, 1000), (2.0, 200), (2.0, 1000)])
def test_ece_and_its_interval_hold_on_small_sets(sharper, n):
    """Of probabilities that are perfect, and of twice too sharp ones: their error is known from very many records."""
    rng = np.random.default_rng(n)
    many = 2 * rng.normal(size=200_000)
    stated, right = 1 / (1 + np.exp(-sharper * many)), 1 / (1 + np.exp(-many))
    bins = (stated * 15).astype(int)
    known = sum(abs((right - stated)[bins == b].sum()) for b in range(15)) / len(many)
    errors, plain, inside = [], [], 0
    for seed in range(40):
        logit = 2 * rng.normal(size=n)
        truth = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
        score = 1 / (1 + np.exp(-sharper * logit))
        errors.append(metrics.ece(truth, score))
        low, high = metrics.bootstrap(truth, score, ["ece"], draws=200, seed=seed, within=truth)["ece"]
        inside += low <= known + 1e-3 and known <= high
        gaps = [abs((truth - score)[(score * 15).astype(int) == b].sum()) for b in range(15)]
        plain.append(sum(gaps) / n)
    assert known - 0.02 < np.mean(errors) < np.mean(plain)
    assert abs(np.mean(errors) - known) < 0.7 * abs(np.mean(plain) - known)
    assert inside >= 32


def test_curves_are_those_of_scikit_learn():
    for ours, theirs in zip(metrics.roc_curve(TRUTH, SCORE), sk.roc_curve(TRUTH, SCORE), strict=True):
        np.testing.assert_allclose(ours, theirs)
    for ours, theirs in zip(metrics.pr_curve(TRUTH, SCORE), sk.precision_recall_curve(TRUTH, SCORE), strict=True):
        np.testing.assert_allclose(ours, theirs)
    predicted, observed, n = reliability.calibration_curve(TRUTH, SCORE)
    assert n.sum() == len(TRUTH)
    assert (n * observed).sum() == TRUTH.sum()
    assert (n * predicted).sum() == pytest.approx(SCORE.sum())


@pytest.mark.parametrize("name", ["auroc", "auprc", "mcc"])
def test_figures_of_one_class_are_undefined(name):
    assert np.isnan(getattr(metrics, name)(np.zeros(5), SCORE[:5]))


def test_constant_predictions_have_no_correlation():
    assert np.isnan(metrics.pearson(NUMBERS, np.full(97, 0.3)))
    assert np.isnan(metrics.spearman(np.full(97, 0.1), PREDICTED))
    assert np.isnan(metrics.r2(np.full(97, 2.0), PREDICTED))


def test_figures_of_no_records_are_undefined():
    assert np.isnan(metrics.auroc([], []))
    assert all(np.isnan(v) for v in metrics.bootstrap([], [], ["auroc"])["auroc"])


def test_unequal_lengths_are_refused():
    with pytest.raises(ValueError, match="auroc: 3 truths for 2 scores"):
        metrics.auroc([0, 1, 1], [0.1, 0.2])


@pytest.mark.parametrize(
    ("truth", "score", "names"),
    [
        (TRUTH, SCORE, ["auroc", "auprc", "accuracy", "mcc", "f1", "ece"]),
        (CLASSES, PROBABILITIES, ["accuracy", "macro_f1", "auroc_ovr"]),
        (NUMBERS, PREDICTED, ["pearson", "spearman", "r2", "rmse"]),
        (LABELS, LABEL_SCORES, ["auroc_macro", "auprc_macro"]),
    ],
)
def test_counted_figures_are_those_of_the_records_drawn(truth, score, names):
    counts = metrics.resampled_counts(np.zeros(len(truth)), 7, np.random.default_rng(1))
    for name in names:
        together = metrics._COUNTED[name](truth, score, counts)
        for b in range(7):
            rows = np.repeat(np.arange(len(truth)), counts[:, b].astype(int))
            assert together[b] == pytest.approx(getattr(metrics, name)(truth[rows], score[rows]), abs=1e-9)


def test_resampling_keeps_each_class_at_its_size():
    counts = metrics.resampled_counts(CLASSES, 11, np.random.default_rng(2))
    for k in range(4):
        assert (counts[k == CLASSES].sum(0) == (k == CLASSES).sum()).all()


def test_bootstrap_is_seeded_and_covers_the_figure():
    first = metrics.bootstrap(TRUTH, SCORE, ["auroc"], seed=3, within=TRUTH)
    assert first == metrics.bootstrap(TRUTH, SCORE, ["auroc"], seed=3, within=TRUTH)
    assert first != metrics.bootstrap(TRUTH, SCORE, ["auroc"], seed=4, within=TRUTH)
    low, high = first["auroc"]
    assert low < metrics.auroc(TRUTH, SCORE) < high


def test_bootstrap_interval_is_about_as_wide_as_hanley_and_mcneil_say():
    area = metrics.auroc(TRUTH, SCORE)
    n1, n0 = TRUTH.sum(), len(TRUTH) - TRUTH.sum()
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    error = np.sqrt((area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (n1 * n0))
    low, high = metrics.bootstrap(TRUTH, SCORE, ["auroc"], within=TRUTH)["auroc"]
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1, abs=0.15)
