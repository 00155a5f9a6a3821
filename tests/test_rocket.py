"""Random filters and ridge regression: features by direct loops, leave-one-out by real refits, weights, every task."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from seqcnn.data.dataset import Dataset
from seqcnn.encode.series import Series
from seqcnn.errors import OptionError
from seqcnn.networks import create
from seqcnn.options import TrainOptions
from seqcnn.samples import Samples
from seqcnn.tasks import fit_task
from seqcnn.training.normalizing import choose_normalize
from seqcnn.training.ridge import STRENGTHS, fit_ridge, held_out_errors, ridge
from seqcnn.workflow.train import train

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
SMALL = {"groups": 2, "dilations": 3, "biases": 2}


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same numbers, alone or after others."""
    RNG.bit_generator.state = START


def rocket(channels=2, height=1, width=40, outputs=3, **more):
    return create("rocket", in_channels=channels, outputs=outputs, height=height, width=width, **SMALL | more)


def settled(network, image, lengths=None):
    """A network whose scales and biases were set from images."""
    network.fit_images(torch.from_numpy(image), None if lengths is None else torch.tensor(lengths))
    return network


def responses(image, bank, real):
    """Responses ``(F, H, W)`` of a bank to one image ``(C, H, W)``, zero beyond its edges, at its real columns."""
    if bank.differences:
        image, real = np.diff(image, axis=-1), real - 1
    weight = bank.conv.weight.numpy().astype(float)
    (down, across), (top, left) = bank.conv.dilation, bank.conv.padding
    image = np.pad(image[..., :real], ((0, 0), (top, top), (left, left)))
    rows, columns = (image.shape[1] - down * (weight.shape[2] - 1), image.shape[2] - across * (weight.shape[3] - 1))
    out = np.zeros((len(weight), rows, columns))
    for f, c, i, j in np.ndindex(weight.shape):
        out[f] += weight[f, c, i, j] * image[c, i * down : i * down + rows, j * across : j * across + columns]
    return out


def competing(image, bank, real):
    """Roots of mean wins and of shares of defeats in groups of eight; of equals all count, and next to 0 is 0."""
    found = responses(image, bank, real)
    found[np.abs(found) < 1e-4] = 0
    wins, defeats = np.zeros(len(found)), np.zeros(len(found))
    for row, column in np.ndindex(found.shape[1:]):
        for group in range(0, len(found), 8):
            place = found[group : group + 8, row, column]
            wins[group + np.flatnonzero(place == place.max())] += max(place.max(), 0)
            defeats[group + np.flatnonzero(place == place.min())] += 1
    return np.sqrt(np.r_[wins, defeats] / found[0].size)


def running(image, bank, real):
    """The longest stretch above each bias, as a share of the record, bias by bias."""
    found = responses(image, bank, real)[:, 0]
    longest = []
    for b, f in np.ndindex(bank.bias.T.shape):
        stretch = best = 0
        for value in found[f]:
            stretch = stretch + 1 if value > float(bank.bias[f, b]) else 0
            best = max(best, stretch)
        longest.append(best / found.shape[1])
    return np.array(longest)


# --- features ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels, height, width", [(1, 1, 40), (3, 1, 29), (2, 11, 14)])
@torch.no_grad()
def test_features_are_those_of_direct_loops(channels, height, width):
    image = RNG.normal(size=(3, channels, height, width)).astype(np.float32)
    network = settled(rocket(channels, height, width), image)
    center, scale = image.mean((0, 2, 3), keepdims=True), image.std((0, 2, 3), keepdims=True)
    standard = ((image - center) / scale).astype(float)
    wanted = [
        np.concatenate(
            [competing(one, bank, width) for bank in network.competing]
            + [running(one, bank, width) for bank in network.running]
        )
        for one in standard
    ]
    found = network.plain(torch.from_numpy(image), None).numpy()
    assert len(network.running) == (0 if height > 1 else len(network.competing)) and found.std(0).max() > 0
    np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 4])
@torch.no_grad()
def test_a_record_alone_equals_the_same_beside_longer_ones(channels):
    lengths = [40, 23, 31, 9]
    image = RNG.normal(size=(4, channels, 1, 40)).astype(np.float32)
    for row, n in zip(image, lengths, strict=True):
        row[..., n:] = 0
    network = settled(rocket(channels), image, lengths)
    together = network.plain(torch.from_numpy(image), torch.tensor(lengths))
    for row, one, n in zip(together, image, lengths, strict=True):
        alone = network.plain(torch.from_numpy(one[None, ..., :n].copy()), None)
        torch.testing.assert_close(row, alone[0], atol=1e-5, rtol=0)
        looped = [competing(s, b, n) for b in network.competing for s in network.standard(
            torch.from_numpy(one[None]), torch.tensor([n]))[0].numpy().astype(float)]  # fmt: skip
        np.testing.assert_allclose(row[: sum(map(len, looped))], np.concatenate(looped), atol=1e-4)


@torch.no_grad()
def test_steps_and_plateaus_are_no_matter_of_rounding():
    lengths = [40, 31, 22]
    image = RNG.integers(0, 2, (3, 3, 1, 40)).repeat(5, 3)[..., :40].astype(np.float32)
    for row, n in zip(image, lengths, strict=True):
        row[..., n:] = 0
    network = settled(rocket(3), image, lengths)
    together = network.plain(torch.from_numpy(image), torch.tensor(lengths))
    start = sum(2 * len(bank.conv.weight) for bank in network.competing)
    for row, one, n in zip(together, image, lengths, strict=True):
        standard, _ = network.standard(torch.from_numpy(one[None]), torch.tensor([n]))
        wanted = [running(standard[0].double().numpy(), bank, n) for bank in network.running]
        np.testing.assert_allclose(row[start:], np.concatenate(wanted), atol=1e-6)


@pytest.mark.parametrize("channels, height, width", [(1, 20, 23), (3, 1, 90)])
@torch.no_grad()
def test_what_is_flat_is_no_matter_of_rounding(channels, height, width):
    image = np.zeros((20, channels, height, width), np.float32)
    image[:, :, height // 3 : height // 3 + 7, 30 % width : 30 % width + 9] = RNG.random(
        (20, channels, min(height, 7), 9)
    )
    network = settled(rocket(channels, height, width), image)
    together = network.plain(torch.from_numpy(image), None)
    for size in (1, 3, 7):
        parts = [network.plain(part, None) for part in torch.from_numpy(image).split(size)]
        torch.testing.assert_close(torch.cat(parts), together, atol=1e-5, rtol=0)
    standard = network.standard(torch.from_numpy(image), None)[0].double().numpy()
    wanted = [np.concatenate([competing(one, bank, width) for bank in network.competing]) for one in standard[:3]]
    np.testing.assert_allclose(together[:3, : len(wanted[0])], wanted, atol=1e-4)


@torch.no_grad()
def test_large_pictures_are_averaged_down():
    image = RNG.normal(size=(3, 2, 70, 75)).astype(np.float32)
    large, small = rocket(2, 70, 75), rocket(2, 35, 37)
    settled(large, image)
    standard, _ = large.standard(torch.from_numpy(image), None)
    plain = (image - image.mean((0, 2, 3), keepdims=True)) / image.std((0, 2, 3), keepdims=True)
    means = plain[..., :74].reshape(3, 2, 35, 2, 37, 2).mean((3, 5))
    np.testing.assert_allclose(standard, means, atol=1e-5)
    found = large.plain(torch.from_numpy(image), None)
    torch.testing.assert_close(found, small.plain(torch.from_numpy(means), None), atol=1e-4, rtol=0)
    real = torch.tensor([75, 60, 41])
    masked = torch.from_numpy(image) * (torch.arange(75) < real[:, None])[:, None, None]
    for row, one, n in zip(large.plain(masked, real), masked, real.tolist(), strict=True):
        alone = large.plain(one[None, ..., : n // 2 * 2], None)[0]
        torch.testing.assert_close(row, alone, atol=1e-4, rtol=0)


@torch.no_grad()
def test_scales_are_those_of_real_columns_and_biases_are_quantiles():
    lengths = [40, 17, 25]
    image = RNG.normal(3, 2, (3, 2, 1, 40)).astype(np.float32)
    for row, n in zip(image, lengths, strict=True):
        row[..., n:] = 0
    network = settled(rocket(), image, lengths)
    real = np.concatenate([row[:, 0, :n] for row, n in zip(image, lengths, strict=True)], 1)
    np.testing.assert_allclose(network.center.flatten(), real.mean(1), rtol=1e-5)
    np.testing.assert_allclose(network.scale.flatten(), real.std(1), rtol=1e-5)
    standard, _ = network.standard(torch.from_numpy(image), torch.tensor(lengths))
    for bank in network.running:
        pooled = np.concatenate(
            [responses(s, bank, n)[:, 0] for s, n in zip(standard.numpy().astype(float), lengths, strict=True)], 1
        )
        below = (pooled[:, :, None] < bank.bias.numpy()[:, None] - 1e-4).mean(1)  # share under each bias
        golden = (5**0.5 - 1) / 2
        wanted = 0.01 + 0.98 * ((np.arange(1, below.size + 1) * golden) % 1).reshape(below.shape)
        np.testing.assert_allclose(below, wanted, atol=0.03)


def test_constant_channels_and_features_stay_finite():
    image = np.zeros((5, 2, 1, 40), np.float32)
    image[:, 0] = RNG.normal(size=(5, 1, 40))
    network = settled(rocket(), image)
    plain = network.plain(torch.from_numpy(image), None)
    network.fit_features(torch.cat([plain, plain]))
    assert torch.isfinite(network(torch.from_numpy(image))).all()
    assert torch.isfinite(network.weight).all()


def test_filters_follow_the_seed_and_are_not_trained():
    one, same, other = rocket(seed=3), rocket(seed=3), rocket(seed=4)
    for bank, twin, another in zip(one.competing, same.competing, other.competing, strict=True):
        assert torch.equal(bank.conv.weight, twin.conv.weight)
        assert not torch.equal(bank.conv.weight, another.conv.weight)
        torch.testing.assert_close(bank.conv.weight.abs().sum((1, 2, 3)), torch.ones(16))
    assert {n for n, p in one.named_parameters() if p.requires_grad} == {"out.weight", "out.bias"}


# --- ridge regression -------------------------------------------------------------------------------------------------


def problem(n, features, outputs=2, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, features)) @ rng.normal(size=(features, features)) + 3
    return x, x[:, :outputs] * [1.0, -2.0][:outputs] + rng.normal(size=(n, outputs)) + 5


def penalty(x, weights, strength):
    """The penalty of scikit-learn that a strength stands for."""
    weights = weights / weights.mean()
    centered = x - np.average(x, axis=0, weights=weights)
    return strength * np.average((centered**2).sum(1), weights=weights)


@pytest.mark.parametrize("n, features", [(23, 7), (17, 40)])
@pytest.mark.parametrize("weighted", [False, True])
def test_leave_one_out_equals_real_refits(n, features, weighted):
    x, truth = problem(n, features)
    weights = np.random.default_rng(2).uniform(0.2, 3, n) if weighted else np.ones(n)
    weight, bias, held_out, strength = ridge(x, truth, weights)
    scaled, errors = weights / weights.mean(), []
    for tried in STRENGTHS:
        alpha = penalty(x, weights, tried)
        left = np.array([
            Ridge(alpha).fit(*(np.delete(a, i, 0) for a in (x, truth)), np.delete(scaled, i)).predict(x[i : i + 1])[0]
            for i in range(n)
        ])  # fmt: skip
        errors.append((scaled[:, None] * (left - truth) ** 2).mean())
        if tried == strength:
            np.testing.assert_allclose(held_out, left, rtol=1e-6, atol=1e-6)
            whole = Ridge(alpha).fit(x, truth, scaled)
            np.testing.assert_allclose(x @ weight + bias, whole.predict(x), rtol=1e-6, atol=1e-6)
    assert strength == STRENGTHS[int(np.argmin(errors))]


@pytest.mark.parametrize("n, features", [(23, 7), (17, 40)])
def test_a_record_of_no_weight_is_as_if_it_were_not_there(n, features):
    x, truth = problem(n, features)
    weights = np.ones(n)
    weights[[2, 9]] = 0
    wrong = truth + 1000 * (weights == 0)[:, None]
    kept = weights > 0
    found, alone = ridge(x, wrong, weights), ridge(x[kept], truth[kept], weights[kept])
    for ours, theirs in zip(found[:2], alone[:2], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(found[2][kept], alone[2], rtol=1e-7)
    np.testing.assert_allclose(found[2][~kept], x[~kept] @ alone[0] + alone[1], rtol=1e-6)
    assert found[3] == alone[3]


def test_only_the_ratios_of_weights_matter():
    x, truth = problem(23, 7)
    weights = np.random.default_rng(2).uniform(0.2, 3, 23)
    for ours, theirs in zip(ridge(x, truth, weights), ridge(x, truth, 50 * weights), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_an_unknown_target_counts_as_the_mean_and_leaves_the_others_alone():
    x, truth = problem(23, 7)
    gaps = truth.copy()
    gaps[[4, 11], 1] = np.nan
    filled = np.where(np.isnan(gaps), np.nanmean(gaps, 0), gaps)
    strength = ridge(x, gaps, np.ones(23))[3]
    whole = Ridge(penalty(x, np.ones(23), strength)).fit(x, filled)
    weight, bias, held_out, _ = ridge(x, gaps, np.ones(23))
    np.testing.assert_allclose(x @ weight + bias, whole.predict(x), rtol=1e-6)
    assert np.isfinite(held_out).all()
    only = ridge(x, gaps[:, :1], np.ones(23))
    if only[3] == strength:
        np.testing.assert_allclose(weight[:, 0], only[0][:, 0], rtol=1e-8)


# --- every task -------------------------------------------------------------------------------------------------------


def waves(n=60, *, shift=0.0):
    """Sines of one, two or three periods a record, unequal lengths, and their number of periods."""
    rng = np.random.default_rng(5)
    periods = np.repeat([1, 2, 3], n // 3)
    lengths = rng.integers(30, 41, n)
    records = [
        np.sin(2 * np.pi * (p * np.arange(m) / 40 + rng.random())) + 0.2 * rng.normal(size=m) + shift
        for p, m in zip(periods, lengths, strict=True)
    ]
    return Samples.from_arrays(records), periods


def series(raw, targets, task, labels, **more):
    targets = np.asarray(targets, float).reshape(len(raw), -1)
    return Dataset("samples", raw, tuple(map(str, range(len(raw)))), targets, task, labels, **more)


def targets_of(task, periods):
    rng = np.random.default_rng(8)
    return {
        "binary": (("few", "many"), periods > 1),
        "multiclass": (("one", "two", "three"), periods - 1),
        "multilabel": (("odd", "three"), np.c_[periods % 2, periods == 3]),
        "regression": (("periods",), periods + 0.1 * rng.normal(size=len(periods))),
        "circular": (("angle",), periods * 100.0 + rng.normal(size=len(periods))),
    }[task]


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression", "circular"])
def test_every_task_is_fitted_at_once(task):
    raw, periods = waves()
    labels, targets = targets_of(task, periods)
    data = series(raw, targets, task, labels)
    made = fit_task(task, labels, data.targets, {})
    network, encoder = rocket(1, outputs=made.outputs), Series(1)
    everything = np.arange(len(data))
    calibration, chosen, _ = fit_ridge(network, encoder, made, data, records=everything, device="cpu")
    assert chosen["strength"] in STRENGTHS and chosen["features"] == network.out.in_features
    with torch.no_grad():
        logits = calibration(network(*encoder.image(*(torch.from_numpy(a) for a in raw.rectangle()))))
    figure = made.metrics(data.targets, logits.numpy())[made.primary]
    assert figure > 0.9, figure
    errors = held_out_errors(rocket(1, outputs=made.outputs), encoder, made, data, records=everything, device="cpu")
    spread = made.encode(data.targets)
    if task == "multiclass":
        spread = np.eye(3)[spread[:, 0].astype(int)]
    scale = 1 if made.numeric else 4  # classes are fitted as +1 and -1
    assert errors.shape == (60,) and errors.mean() < 0.5 * scale * spread.var(0).sum()


def test_records_without_a_class_teach_nothing():
    raw, periods = waves()
    labels, targets = targets_of("multiclass", periods)
    gaps = targets.astype(float)
    gaps[[1, 30, 50]] = np.nan
    data = series(raw, gaps, "multiclass", labels)
    made = fit_task("multiclass", labels, data.targets, {})
    network = rocket(1)
    calibration, _, _ = fit_ridge(network, Series(1), made, data, records=np.arange(60), device="cpu")
    assert all(torch.isfinite(p).all() for p in network.parameters()) and torch.isfinite(calibration.scale).all()


def test_weights_of_the_records_reach_the_fit_and_zero_leaves_them_out():
    raw, periods = waves()
    labels, targets = targets_of("binary", periods)
    wrong = targets.astype(float)
    odd = np.arange(60) % 3 == 1
    wrong[odd] = 1 - wrong[odd]
    weights = np.where(odd, 0.0, 1.0)
    options = TrainOptions(network="rocket", folds=0, baselines=False, test=("0",))
    given = train(series(raw, wrong, "binary", labels, weights=weights, settings={"normalize": "record"}), options)
    right = train(series(raw, targets, "binary", labels, weights=weights, settings={"normalize": "record"}), options)
    np.testing.assert_array_equal(given.predict(raw), right.predict(raw))
    assert given.record.counts["train"] + given.record.counts["valid"] == 40
    assert "records of weight 0, left out of training: 20" in given.record.notes
    for some, followed in ((weights + 1e-3, targets), (1.001 - weights, wrong)):
        data = series(raw, wrong, "binary", labels, weights=some, settings={"normalize": "record"})
        assert ((train(data, options).predict(raw) > 0.5) == followed)[some > 0.5].mean() > 0.9


@pytest.mark.parametrize("network", ["rocket", "composition"])
@pytest.mark.parametrize("option, said", [
    ({"mixup": 0.4}, "--mixup"), ({"cutmix": 1.0}, "--cutmix"), ({"label_smoothing": 0.1}, "--label-smoothing"),
    ({"augment": ("jitter",)}, "--augment"), ({"filters": ("gaussian",)}, "--filters"),
])  # fmt: skip
def test_what_a_fit_at_once_cannot_use_is_refused(network, option, said):
    raw, periods = waves()
    data = series(raw, periods > 1, "binary", ("few", "many"))
    with pytest.raises(OptionError, match=rf"{said}: the {network} network is fitted at once.*--network residual"):
        train(data, TrainOptions(network=network, folds=0, **option))


# --- normalization ----------------------------------------------------------------------------------------------------


def test_one_scale_is_chosen_where_the_size_tells_the_classes():
    rng = np.random.default_rng(0)
    truth = np.arange(80) % 2
    shapes = rng.normal(size=(80, 50)).cumsum(1)
    task = fit_task("binary", ("small", "large"), truth[:, None].astype(float))
    for records in (shapes * np.where(truth, 3.0, 1.0)[:, None], shapes + 30 * truth[:, None]):
        data = series(Samples.from_arrays(list(records)), truth, "binary", ("small", "large"))
        choice = choose_normalize(data, task, device="cpu")
        assert (choice.chosen, choice.how) == ("set", "compared")
        assert choice.figures["set"] < choice.figures["record"] and choice.figures["records"] == 80


def test_each_record_is_normalized_by_itself_where_only_its_form_tells():
    raw, periods = waves()
    rng = np.random.default_rng(1)
    records = [r * rng.lognormal(0, 2) + rng.normal(0, 50) for r in raw]
    task = fit_task("multiclass", ("one", "two", "three"), (periods - 1.0)[:, None])
    data = series(Samples.from_arrays(records), periods - 1, "multiclass", ("one", "two", "three"))
    choice = choose_normalize(data, task, device="cpu")
    assert choice.chosen == "record" and choice.figures["record"] < choice.figures["set"]


def test_series_that_are_normalized_already_are_not_compared():
    raw, periods = waves()
    records = [(r - r.mean()) / r.std() for r in raw]
    task = fit_task("binary", ("few", "many"), (periods > 1)[:, None].astype(float))
    choice = choose_normalize(series(Samples.from_arrays(records), periods > 1, "binary", ("few", "many")), task)
    assert (choice.chosen, choice.how, choice.figures) == ("record", "the series are normalized already", {})


def test_records_of_one_group_are_left_out_together():
    rng = np.random.default_rng(5)
    x, truth, weights = rng.normal(size=(23, 40)), rng.normal(size=(23, 2)), rng.uniform(0.5, 2, 23)
    groups = np.r_[np.arange(15), [0, 0, 3, 7, 7, 7, 15, 15]]
    _, _, held_out, strength = ridge(x, truth, weights, groups=groups)
    share = weights / weights.sum()
    centered = (x - share @ x) * np.sqrt(weights / weights.mean())[:, None]
    penalty = strength * (centered**2).sum() / 23 * weights.mean()
    for group in np.unique(groups):
        kept = groups != group
        other = Ridge(alpha=penalty).fit(x[kept], truth[kept], sample_weight=weights[kept])
        np.testing.assert_allclose(held_out[~kept], other.predict(x[~kept]), rtol=1e-4, atol=1e-5)


def test_duplicates_do_not_tell_on_each_other():
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(40, 80)), rng.choice([-1.0, 1.0], (40, 1))
    twice = np.concatenate([x, x]), np.concatenate([truth, truth]), np.ones(80)
    groups = np.r_[np.arange(40), np.arange(40)]
    together, naive = ridge(*twice, groups=groups), ridge(*twice)
    assert np.corrcoef(naive[2][:, 0], twice[1][:, 0])[0, 1] > 0.9
    assert np.corrcoef(together[2][:, 0], twice[1][:, 0])[0, 1] < 0.4
    assert together[3] > naive[3]
