"""Dense scanning and edits against the plain way, over random stages."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.inference.dense import refusal, scan, sliding
from seqcnn.inference.edits import Edited
from seqcnn.nn.stages import Act, Conv, Pad, Pool, Residual, Scale, Stages, Summary, after

LETTERS = 4


def bounded(x):
    """Return an exponential that stays finite through several layers."""
    return torch.exp(x.clamp(max=2))


def random_stages(rng, *, padded=False):
    """Return random stages of two or three blocks, and the narrowest window they take."""

    def tensor(*shape):
        return torch.from_numpy(rng.normal(size=shape)) / np.sqrt(np.prod(shape[1:]) or 1)

    def conv(inputs, outputs, widest=5):
        bias = tensor(outputs) if rng.random() < 0.5 else None
        return Conv(tensor(outputs, inputs, int(rng.integers(1, widest + 1))), bias, int(rng.integers(1, 4)))

    def norm(count):
        return Scale(tensor(count) + 0.3, tensor(count))

    channels, steps = LETTERS, []
    for _ in range(rng.integers(1, 4)):
        outputs = int(rng.integers(2, 6))
        if padded and rng.random() < 0.5:
            steps.append(Pad(int(rng.integers(0, 4)), int(rng.integers(0, 4))))
        steps.append(conv(channels, outputs, 7))
        if rng.random() < 0.7:
            steps.append(Pool(int(rng.integers(1, 5)), bool(rng.random() < 0.3)))
        steps += [norm(outputs), Act(torch.relu if rng.random() < 0.5 else bounded)]
        if rng.random() < 0.5:
            inner = Conv(tensor(outputs, outputs, 3), None, int(rng.integers(1, 3)))
            inside = (inner, norm(outputs), Act(torch.relu), Conv(tensor(outputs, outputs, 2)), norm(outputs))
            steps += [Residual(inside), Act(torch.tanh)]
        channels = outputs
    kinds = rng.permutation(["max", "mean", "flat"])[: rng.integers(1, 4)]
    summaries = tuple(
        Summary(str(k), (Conv(tensor(channels, channels, 1)), Act(torch.relu)) if rng.random() < 0.3 else ())
        for k in kinds
    )
    made = Stages(tuple(steps), summaries, (torch.ones(1, 1), None), lambda z: z)
    least = next(w for w in range(1, 2000) if all_positive(made, w))
    window = least + int(rng.integers(0, 40))
    features = sum(channels * (made.cells(window) if s.kind == "flat" else 1) for s in summaries)
    dense = (tensor(6, features), tensor(6))
    out = tensor(2, 6)
    return Stages(tuple(steps), summaries, dense, lambda z: torch.relu(z) @ out.T), window


def all_positive(stages, width):
    for step in stages.steps:
        width = after(step, width)
        if width < 1:
            return False
    return True


def one_hot(rng, length):
    """Return the image of random letters, a tenth of them unknown."""
    x = torch.eye(LETTERS, dtype=torch.float64)[rng.integers(0, LETTERS, length)].T.clone()
    x[:, rng.random(length) < 0.1] = 0.25
    return x[None, :, None]


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_a_scan_is_window_by_window(seed):
    rng = np.random.default_rng(seed)
    stages, window = random_stages(rng)
    step, count = int(rng.integers(1, window + 3)), int(rng.integers(1, 12))
    image = one_hot(rng, (count - 1) * step + window)
    found = scan(stages, image, window=window, step=step)
    plain = torch.cat([stages(image[..., i * step : i * step + window]) for i in range(count)])
    torch.testing.assert_close(found, plain)


@given(seed=st.integers(0, 2**31), padded=st.booleans())
@settings(deadline=None, max_examples=60)
def test_edits_are_plain_predictions_of_edited_records(seed, padded):
    rng = np.random.default_rng(seed)
    stages, window = random_stages(rng, padded=padded)
    image = one_hot(rng, window)
    edited = Edited(stages, image)
    width, phase = int(rng.integers(1, min(4, window + 1))), int(rng.integers(0, stages.stride))
    first = torch.arange(phase, window - width + 1, stages.stride)
    if not len(first):
        return
    change = torch.from_numpy(rng.normal(size=(len(first), 3, LETTERS, width)))
    found = edited.logits(first, change)
    for i, at in enumerate(first.tolist()):
        many = image.repeat(3, 1, 1, 1)
        many[:, :, 0, at : at + width] += change[i]
        torch.testing.assert_close(found[i], stages(many))


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 13])
def test_sliding(width):
    x = torch.from_numpy(np.random.default_rng(width).normal(size=(2, 3, 20)))
    windows = x.unfold(2, width, 1)
    torch.testing.assert_close(sliding(x, width, torch.maximum), windows.amax(3))
    torch.testing.assert_close(sliding(x, width, torch.add), windows.sum(3))


def test_a_refusal_says_why():
    conv, dense = Conv(torch.ones(2, LETTERS, 3)), (torch.ones(1, 2), None)
    free = Stages((conv,), (Summary("max"),), dense, lambda z: z)
    padded = Stages((Pad(2, 2), conv), (Summary("max"),), dense, lambda z: z)
    fixed = Stages((conv,), (Summary("max"),), dense, lambda z: z, width=30)
    assert refusal(free, 20, 5) is None and refusal(fixed, 30, 5) is None
    assert "local" in refusal(None, 20, 5) and "zeros" in refusal(padded, 20, 5)
    assert "30" in refusal(fixed, 20, 5) and "overlap" in refusal(free, 20, 20)
