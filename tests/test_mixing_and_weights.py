"""Mixtures, smoothed labels and weights of records, from the loss to the loop: each against sums by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from seqcnn.data.augmentation.mixing import Mixed, cut_mix, mix_up
from seqcnn.data.dataset import Dataset
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import OptionError
from seqcnn.options import TrainOptions
from seqcnn.registry import names
from seqcnn.runtime import seeded
from seqcnn.tasks import fit_task
from seqcnn.training import loop, pieces
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.schedule import Recipe, recipe_for
from seqcnn.workflow.train import train

N = 30
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (N, 1, 5, 7), dtype=np.uint8)
WEIGHTS = np.arange(N) % 4.0
CLASSES = np.arange(N)[:, None] % 3.0
TARGETS = {
    "binary": (("no", "yes"), CLASSES.clip(max=1)),
    "multiclass": (("a", "b", "c"), CLASSES),
    "multilabel": (("u", "v"), np.c_[CLASSES > 0, CLASSES > 1] * 1.0),
    "regression": (("u", "v"), RNG.normal(size=(N, 2))),
    "circular": (("angle",), RNG.uniform(0, 360, (N, 1))),
}
every = pytest.mark.parametrize("name", names("task"))
STILL = Recipe(epochs=1, batch_size=N, lr=1e-12, weight_decay=0)  # a step that changes nothing


class Plain(nn.Module):
    """A network in which no record sees another."""

    def __init__(self, outputs):
        super().__init__()
        self.out = nn.Linear(5 * 7, outputs)
        self.seen = []

    def forward(self, x, lengths=None):
        if self.training:
            self.seen.append(x.detach())
        return self.out(x.flatten(1)).tanh() * 3


def data_of(name, weights=None):
    labels, targets = TARGETS[name]
    return Dataset("pixels", PIXELS, tuple(map(str, range(N))), targets, name, labels, weights=weights)


def example(name):
    """A task, encoded targets and logits."""
    labels, targets = TARGETS[name]
    task = fit_task(name, labels, targets)
    logits = torch.from_numpy(np.random.default_rng(1).normal(size=(N, task.outputs)).astype(np.float32))
    return task, torch.from_numpy(task.encode(targets)), logits


def fitted(name, recipe, *, weights=None, train=None, valid=(), data=None):
    data = data_of(name, weights) if data is None else data
    task = fit_task(name, data.labels, data_of(name).targets)
    with seeded(0):
        network = Plain(task.outputs)
    train, valid = (np.asarray(part, np.int64) for part in (range(len(data)) if train is None else train, valid))
    found = loop.fit(network, Pixels.fit(PIXELS), task, data, train=train, valid=valid, recipe=recipe, precision="32")
    return network, task, found


def logits_of(network):
    with torch.no_grad():
        return network.eval()(Pixels.fit(PIXELS)(torch.from_numpy(PIXELS)))


# --- mixtures ---------------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_a_mixture_is_that_of_both_by_their_shares(name, weighted):
    task, targets, logits = example(name)
    rng = np.random.default_rng(2)
    share, partner = torch.from_numpy(rng.random(N).astype(np.float32)), torch.from_numpy(rng.permutation(N))
    weights = torch.from_numpy(WEIGHTS.astype(np.float32)) if weighted else None
    found = Mixed(logits[:, None, None], None, partner, share).loss(task.loss, logits, targets, weights)
    total = norm = 0.0
    for i in range(N):
        for j, part in ((i, share[i]), (int(partner[i]), 1 - share[i])):
            weight = float(part) * (float(WEIGHTS[j]) if weighted else 1.0)
            total += weight * float(task.loss(logits[i : i + 1], targets[j : j + 1]))
            norm += weight
    assert float(found) == pytest.approx(total / norm, rel=1e-4)


def test_a_mixture_of_classes_is_a_soft_target():
    _, targets, logits = example("multiclass")
    task = fit_task("multiclass", ("a", "b", "c"), np.arange(3.0)[:, None])  # classes of one weight
    mixed = mix_up(torch.rand(N, 1, 5, 7), None, 0.8, torch.Generator().manual_seed(3))
    one = torch.eye(3)[targets[:, 0].long()]
    soft = one * mixed.share[:, None] + one[mixed.partner] * (1 - mixed.share[:, None])
    torch.testing.assert_close(soft.sum(1), torch.ones(N))
    wanted = torch.nn.functional.cross_entropy(logits, soft)
    torch.testing.assert_close(mixed.loss(task.loss, logits, targets, None), wanted)


@pytest.mark.parametrize("mix", [mix_up, cut_mix])
def test_a_record_mixed_with_itself_is_itself(mix):
    image = torch.rand(1, 2, 5, 7)
    mixed = mix(image, torch.tensor([7]), 1.0, torch.Generator().manual_seed(0))
    torch.testing.assert_close(mixed.image, image)
    assert mixed.columns.tolist() == [7]


@pytest.mark.parametrize("mix", [mix_up, cut_mix])
def test_a_mixture_is_as_long_as_the_longer_record(mix):
    lengths = torch.tensor([3, 9, 5, 7])
    mixed = mix(torch.rand(4, 2, 1, 9), lengths, 1.0, torch.Generator().manual_seed(1))
    assert mixed.columns.tolist() == torch.maximum(lengths, lengths[mixed.partner]).tolist()


@every
def test_the_loop_mixes_images_and_targets_alike(name, monkeypatch):
    drawn = []

    def reversed_pairs(image, columns, alpha, generator):
        share, partner = torch.full((len(image),), 0.25), torch.arange(len(image)).flip(0)
        drawn.append((image, alpha))
        return Mixed(image * 0.25 + image[partner] * 0.75, columns, partner, share)

    monkeypatch.setattr(pieces, "mix_up", reversed_pairs)
    network, task, found = fitted(name, replace(STILL, mixup=0.3), weights=WEIGHTS)
    [(image, alpha)], [seen] = drawn, network.seen
    assert alpha == 0.3
    torch.testing.assert_close(seen, image * 0.25 + image.flip(0) * 0.75)
    order = [int((Pixels.fit(PIXELS)(torch.from_numpy(PIXELS)) - x).abs().amax((1, 2, 3)).argmin()) for x in image]
    assert sorted(order) == list(range(N))
    targets, weights = torch.from_numpy(task.encode(TARGETS[name][1]))[order], torch.tensor(WEIGHTS)[order].float()
    with torch.no_grad():
        logits = network.eval()(seen)
    mine, theirs = weights * 0.25, weights.flip(0) * 0.75
    wanted = task.loss(logits, targets, weights=mine, progress=1.0) * mine.sum()
    wanted = wanted + task.loss(logits, targets.flip(0), weights=theirs, progress=1.0) * theirs.sum()
    assert found.history[0]["loss"] == pytest.approx(float(wanted / (mine.sum() + theirs.sum())), rel=1e-4)


def test_two_ways_of_mixing_take_turns_at_random(monkeypatch):
    used = []
    for name in ("mix_up", "cut_mix"):
        plain = getattr(pieces, name)
        monkeypatch.setattr(pieces, name, lambda *given, plain=plain, name=name: used.append(name) or plain(*given))
    for _ in range(2):
        fitted("binary", replace(STILL, epochs=20, mixup=0.2, cutmix=1.0))
    assert used[:20] == used[20:] and 4 < used[:20].count("mix_up") < 16


def test_nothing_is_mixed_unless_asked():
    network, *_ = fitted("binary", STILL)
    plain = Pixels.fit(PIXELS)(torch.from_numpy(PIXELS))
    assert torch.equal(network.seen[0].flatten(1).sort(0)[0], plain.flatten(1).sort(0)[0])


# --- smoothed labels --------------------------------------------------------------------------------------------------


@every
def test_the_loop_smooths_labels(name):
    network, task, found = fitted(name, replace(STILL, smoothing=0.2))
    logits, targets = logits_of(network), torch.from_numpy(task.encode(TARGETS[name][1]))
    assert found.history[0]["loss"] == pytest.approx(float(task.loss(logits, targets, smoothing=0.2)), rel=1e-4)
    assert (task.loss(logits, targets, smoothing=0.2) == task.loss(logits, targets)) == task.numeric


def test_how_much_is_smoothed_and_mixed_follows_the_options():
    assert recipe_for("pixels", 500, TrainOptions()).smoothing == recipe_for("samples", 500, TrainOptions()).smoothing
    assert recipe_for("codes", 500, TrainOptions()).smoothing == 0
    assert recipe_for("pixels", 500, TrainOptions(label_smoothing=0)).smoothing == 0
    found = recipe_for("codes", 500, TrainOptions(label_smoothing=0.3, mixup=0.2, cutmix=1))
    assert (found.smoothing, found.mixup, found.cutmix) == (0.3, 0.2, 1.0)


@pytest.mark.parametrize("options, said", [
    ({"mixup": -0.1}, "--mixup: expected .* found -0.1"),
    ({"cutmix": 11}, "--cutmix: expected .* found 11"),
    ({"label_smoothing": 0.95}, "--label-smoothing: expected .* found 0.95"),
    ({"strength": 1.5}, "--strength: expected .* found 1.5"),
])  # fmt: skip
def test_numbers_out_of_range_are_refused(options, said):
    with pytest.raises(OptionError, match=said):
        TrainOptions(**options)


@pytest.mark.parametrize("name", ["regression", "circular"])
def test_numbers_have_no_labels_to_smooth(name):
    with pytest.raises(OptionError, match=f"--label-smoothing: belongs to classes; the task is {name}; leave it out"):
        train(data_of(name), TrainOptions(network="residual", label_smoothing=0.1, folds=0))


# --- weights ----------------------------------------------------------------------------------------------------------


@every
def test_a_weight_of_two_is_a_record_twice(name):
    task, targets, logits = example(name)
    twice = np.repeat(np.arange(N), WEIGHTS.astype(int))
    found = task.loss(logits, targets, weights=torch.from_numpy(WEIGHTS))
    torch.testing.assert_close(found.float(), task.loss(logits[twice], targets[twice]))


@every
def test_a_record_of_no_weight_changes_no_step(name):
    kept = np.flatnonzero(WEIGHTS)
    recipe = Recipe(epochs=3, batch_size=N, lr=1e-2)
    network, _, found = fitted(name, recipe, weights=WEIGHTS)
    data = data_of(name, WEIGHTS).take(kept)
    targets = TARGETS[name][1].copy()
    targets[WEIGHTS == 0] = targets[WEIGHTS == 0][::-1]
    wrong = replace(data_of(name, WEIGHTS), targets=targets)
    alone, _, single = fitted(name, replace(recipe, batch_size=len(kept)), data=data)
    other, *_ = fitted(name, recipe, data=wrong)
    for ours, theirs, others in zip(*(n.parameters() for n in (network, alone, other)), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(ours, others, atol=1e-6, rtol=1e-5)
    for ours, theirs in zip(found.history, single.history, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


@pytest.mark.parametrize("name", ["binary", "multiclass", "multilabel"])
def test_calibration_counts_records_by_their_weights(name):
    task, targets, logits = example(name)
    z, t = logits.numpy(), targets.numpy()
    kept = np.flatnonzero(WEIGHTS)
    found = fit_calibration(task, z, t, weights=WEIGHTS)
    for other in (
        fit_calibration(task, z[kept], t[kept], weights=WEIGHTS[kept]),
        fit_calibration(task, z, t, weights=7 * WEIGHTS),
    ):
        torch.testing.assert_close(found.scale, other.scale, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(found.bias, other.bias, atol=1e-4, rtol=1e-4)
    large, twice = np.tile(np.arange(N), 60), np.tile(np.repeat(np.arange(N), WEIGHTS.astype(int)), 60)
    many = fit_calibration(task, z[large], t[large], weights=WEIGHTS[large])  # the prior says little now
    same = fit_calibration(task, z[twice], t[twice])
    torch.testing.assert_close(many.scale, same.scale, atol=0.05, rtol=0.02)
    torch.testing.assert_close(many.bias, same.bias, atol=0.05, rtol=0.02)
    assert not torch.allclose(found.bias, fit_calibration(task, z, t).bias, atol=1e-2)


@every
def test_the_validation_loss_is_weighted(name):
    network, task, found = fitted(name, STILL, weights=WEIGHTS, train=range(10, N), valid=range(10))
    truth = task.encode(TARGETS[name][1])[:10]
    logits = logits_of(network)[:10]
    layer = fit_calibration(task, logits.numpy(), truth, weights=WEIGHTS[:10])
    each = task.record_loss(layer(logits), torch.from_numpy(truth)).detach().numpy()
    assert found.history[0]["valid_loss"] == pytest.approx(np.average(each, weights=WEIGHTS[:10]), rel=1e-3)
