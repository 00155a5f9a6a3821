"""Mirror images: used where left and right mean nothing, left alone where they tell the classes."""

import numpy as np
import pytest
import torch

from seqcnn.data.dataset import Dataset
from seqcnn.options import TrainOptions
from seqcnn.tasks import fit_task
from seqcnn.training.symmetry import choose_mirror, guess_loss
from seqcnn.workflow.train import train

N = 200


def pictures(where):
    """Pictures of two classes that differ in the place of a bright bar: ``where(class, rng)`` is its row or column."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 120, (N, 1, 10, 12), dtype=np.uint8)
    truth = np.arange(N) % 2
    for picture, kind in zip(pixels, truth, strict=True):
        rows, columns = where(kind, rng)
        picture[0, rows, columns] += 100
    return Dataset("pixels", pixels, tuple(map(str, range(N))), truth[:, None].astype(float), "binary", ("a", "b"))


def left_or_right(kind, rng):
    return slice(2, 8), slice(1, 4) if kind else slice(8, 11)


def above_or_below(kind, rng):
    return slice(0, 3) if kind else slice(7, 10), slice(3, 9) if rng.random() < 0.5 else slice(2, 10)


@pytest.mark.parametrize("where, chosen", [(above_or_below, "mirrored"), (left_or_right, "as given")])
def test_mirror_images_are_used_where_they_mean_the_same(where, chosen):
    options = TrainOptions(network="residual", epochs=4, folds=0, baselines=False, test=("0.2",), precision="32")
    model = train(pictures(where), options)
    choice = model.record.choices["mirror"]
    assert (choice["chosen"], choice["how"]) == (chosen, "compared")
    assert ("flip" in model.record.options["augment"]) == (chosen == "mirrored")
    said = "mirror images mean the same" if chosen == "mirrored" else "mirror images mean something else"
    assert any(note.startswith(said) for note in model.record.notes)
    assert model.record.figures["metrics"]["auroc"] > 0.9


@pytest.mark.parametrize("more", [{"augment": ("shift",)}, {"augment": ("none",)}, {"strength": 0.0}])
def test_what_is_asked_for_is_not_compared(more):
    options = TrainOptions(network="residual", epochs=1, folds=0, baselines=False, test=("0",), **more)
    assert "mirror" not in train(pictures(left_or_right), options).record.choices


def test_a_loss_that_rises_little_and_surely_so_is_no_reason_against():
    rng = np.random.default_rng(1)
    plain, guess = rng.uniform(0, 0.4, 500), np.full(500, 0.7)

    def chosen(mirrored):
        return choose_mirror(lambda: (plain, mirrored, guess)).chosen

    assert chosen(plain) == "mirrored"
    assert chosen(plain + 0.02) == "mirrored"  # 4% of the 0.5 that is explained
    assert chosen(plain + 0.1) == "as given"  # 20%
    assert chosen(plain + 0.02 + np.tile([1.0, -1.0], 250)) == "as given"  # 4%, but nobody knows


def test_a_network_that_learned_nothing_tells_nothing():
    bad = np.full(50, 0.9)
    choice = choose_mirror(lambda: (bad, bad, np.full(50, 0.7)))
    assert choice.chosen == "as given" and choice.figures["explained"] < 0


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression", "circular"])
def test_the_guess_knows_frequencies_and_nothing_else(task):
    rng = np.random.default_rng(2)
    labels, targets = {
        "binary": (("a", "b"), (rng.random((40, 1)) < 0.3) * 1.0),
        "multiclass": (("a", "b", "c"), rng.choice(3, (40, 1), p=[0.2, 0.3, 0.5]) * 1.0),
        "multilabel": (("a", "b", "c"), (rng.random((40, 3)) < [0.2, 0.5, 0.8]) * 1.0),
        "regression": (("u", "v"), rng.normal(size=(40, 2))),
        "circular": (("angle",), rng.normal(90, 30, (40, 1))),
    }[task]
    made = fit_task(task, labels, targets)
    encoded = made.encode(targets)
    found = guess_loss(made, encoded)
    assert found.shape == (40,) and np.isfinite(found).all()
    if task in ("binary", "multilabel"):
        share = targets.mean(0)
        wanted = -(targets * np.log(share) + (1 - targets) * np.log(1 - share)).sum(1)
        np.testing.assert_allclose(found, wanted, rtol=1e-4)
    elif task == "multiclass":
        share = np.bincount(targets[:, 0].astype(int)) / 40
        np.testing.assert_allclose(found, -np.log(share)[targets[:, 0].astype(int)], rtol=1e-4)
    else:
        mean = torch.from_numpy(encoded.mean(0)).expand(40, -1)
        np.testing.assert_allclose(found, made.record_loss(mean, torch.from_numpy(encoded)), rtol=1e-4)
    gaps = encoded.copy()
    gaps[3] = np.nan
    assert guess_loss(made, gaps)[3] == 0 and np.isfinite(guess_loss(made, gaps)).all()
