"""Layers of our own against plain torch on each record alone."""

import numpy as np
import pytest
import torch
from torch import nn

from seqcnn.errors import ShapeError
from seqcnn.nn.calibration import Calibration
from seqcnn.nn.exponential import Exponential
from seqcnn.nn.filters import pwm_weights, weights_pwm
from seqcnn.nn.padding import inside, masked, normalized, out_lengths
from seqcnn.nn.pooling import GlobalMax, GlobalMean

N, C, H, W = 4, 3, 2, 17


@pytest.fixture
def x():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(N, C, H, W)).astype(np.float32))


@pytest.fixture
def lengths():
    return torch.tensor([17, 9, 1, 4])


@pytest.mark.parametrize("kernel, stride", [(1, 1), (5, 1), (4, 4), (3, 2), (17, 1)])
def test_lengths_are_those_torch_leaves(kernel, stride):
    lengths = torch.arange(kernel, 40)
    pool = nn.MaxPool1d(kernel, stride)
    expected = [pool(torch.zeros(1, 1, int(n))).shape[2] for n in lengths]
    assert out_lengths(lengths, kernel, stride).tolist() == expected
    assert out_lengths(torch.tensor([kernel - 1, 0]), kernel, stride).tolist() == [0, 0]
    assert out_lengths(None, kernel, stride) is None


def test_global_pools_see_only_the_record(x, lengths):
    positive = x.relu()
    for pool, reference in ((GlobalMax(), torch.amax), (GlobalMean(), torch.mean)):
        expected = torch.stack([reference(positive[i, :, :, :n], (1, 2)) for i, n in enumerate(lengths)])
        torch.testing.assert_close(pool(positive, lengths), expected)
        torch.testing.assert_close(pool(positive), reference(positive, (2, 3)))


def test_mask(x, lengths):
    assert inside(lengths, W).sum(1).tolist() == lengths.tolist()
    assert not masked(x, lengths)[2, :, :, 1:].any()
    assert torch.equal(masked(x, lengths)[0], x[0])
    assert masked(x, None) is x


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_batch_norm_over_real_positions(x, lengths, layout):
    norm, reference = nn.BatchNorm2d(C), nn.BatchNorm1d(C)
    real = torch.cat([x[i, :, :, :n].reshape(C, -1) for i, n in enumerate(lengths)], 1).T  # (P, C)
    image = x.to(memory_format=layout).requires_grad_()
    found = normalized(norm, image, lengths)
    expected = reference(real)
    torch.testing.assert_close(norm.running_mean, reference.running_mean)
    torch.testing.assert_close(norm.running_var, reference.running_var)
    joined = torch.cat([found[i, :, :, :n].reshape(C, -1) for i, n in enumerate(lengths)], 1).T
    torch.testing.assert_close(joined, expected)
    assert not found[2, :, :, 1:].any()
    found.square().sum().backward()
    assert not image.grad[2, :, :, 1:].any()
    torch.testing.assert_close(normalized(norm.eval(), x, lengths), norm(x))


def test_calibration_is_saved_and_not_trained():
    layer = Calibration(5)
    logits = torch.randn(3, 5)
    assert torch.equal(layer(logits), logits)
    assert set(layer.state_dict()) == {"scale", "bias"}
    assert not list(layer.parameters())


def test_exponential_is_exp(x):
    assert torch.equal(Exponential()(x), x.exp())


def test_filters_score_log_odds():
    rng = np.random.default_rng(0)
    matrices = [rng.dirichlet(np.ones(4), 5), rng.dirichlet(np.ones(4), 7)]
    background = np.array([0.3, 0.2, 0.2, 0.3])
    weights = pwm_weights(matrices, 7, background=background)
    letters = rng.integers(0, 4, 7)
    image = torch.eye(4)[torch.from_numpy(letters)].T[None, :, None]  # (1, 4, 1, 7)
    found = nn.functional.conv2d(image, weights)[0, :, 0, 0]
    for i, (matrix, start) in enumerate(zip(matrices, (1, 0), strict=True)):
        smooth = (matrix + 1e-3) / 1.004
        expected = sum(np.log(row[letters[start + j]] / background[letters[start + j]]) for j, row in enumerate(smooth))
        assert float(found[i]) == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(weights_pwm(weights, background=background)[1], (matrices[1] + 1e-3) / 1.004, atol=1e-6)
    with pytest.raises(ShapeError, match="matrix 2: expected at most 6 positions of 4 letters, found 7 x 4"):
        pwm_weights(matrices, 6)
