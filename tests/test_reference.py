"""The NumPy reference against scipy and torch, and the fast core against the reference, at uneven sizes."""

import itertools

import numpy as np
import pytest
import scipy.signal
import torch

from seqcnn.networks.basset import Basset
from seqcnn.networks.deepbind import DeepBind
from seqcnn.networks.lenet import LeNet
from seqcnn.reference.activation import (
    cross_entropy,
    cross_entropy_from_probabilities,
    cross_entropy_gradient,
    relu,
    relu_gradient,
    softmax,
    tanh_gradient,
)
from seqcnn.reference.convolution import convolve, correlate, correlate_channels, output_size, padding_sides
from seqcnn.reference.lenet import LeNet5, train
from seqcnn.reference.matrix import convolution_matrix, transposed_convolution
from seqcnn.reference.pooling import (
    depth_pool,
    global_pool,
    maxima,
    pool,
    unpool_bed_of_nails,
    unpool_maxima,
    unpool_nearest,
)

#: Sizes and kernels of one axis and of two, all different.
SHAPES = [((17,), (5,)), ((9,), (4,)), ((1,), (1,)), ((11, 8), (3, 5)), ((6, 13), (4, 1))]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(("size", "kernel"), SHAPES)
def test_valid_and_full_convolution_are_those_of_scipy(size, kernel, rng) -> None:
    x, w = rng.normal(size=size), rng.normal(size=kernel)
    np.testing.assert_allclose(convolve(x, w), scipy.signal.convolve(x, w, "valid"), atol=1e-12)
    np.testing.assert_allclose(correlate(x, w), scipy.signal.correlate(x, w, "valid"), atol=1e-12)
    full = [(k - 1, k - 1) for k in kernel]
    np.testing.assert_allclose(convolve(x, w, padding=full), scipy.signal.convolve(x, w, "full"), atol=1e-12)


def test_same_convolution_of_odd_filters_is_that_of_scipy(rng) -> None:
    x, w = rng.normal(size=(10, 7)), rng.normal(size=(5, 3))
    np.testing.assert_allclose(convolve(x, w, padding="same"), scipy.signal.convolve(x, w, "same"), atol=1e-12)


@pytest.mark.parametrize(("size", "kernel"), SHAPES)
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, 2, 2), (1, 3, 2)])
def test_layer_is_that_of_torch(size, kernel, stride, padding, dilation, rng) -> None:
    if any(dilation * (k - 1) + 1 > s + 2 * padding for s, k in zip(size, kernel, strict=True)):
        pytest.skip("a filter of this dilation is larger than the padded signal")
    x, filters, bias = rng.normal(size=(3, 4, *size)), rng.normal(size=(6, 4, *kernel)), rng.normal(size=6)
    fast = torch.nn.functional.conv1d if len(size) == 1 else torch.nn.functional.conv2d
    expected = fast(
        torch.tensor(x), torch.tensor(filters), torch.tensor(bias), stride=stride, padding=padding, dilation=dilation
    ).numpy()
    found = correlate_channels(x, filters, bias, stride=stride, padding=padding, dilation=dilation)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    sizes = tuple(
        output_size(s, k, stride=stride, padding=padding, dilation=dilation) for s, k in zip(size, kernel, strict=True)
    )
    assert found.shape == (3, 6, *sizes)


@pytest.mark.parametrize(("kernel", "dilation"), [(5, 1), (4, 1), (3, 3)])
def test_same_padding_is_that_of_torch(kernel, dilation, rng) -> None:
    x, w = rng.normal(size=(2, 3, 17)), rng.normal(size=(5, 3, kernel))
    expected = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(w), padding="same", dilation=dilation)
    np.testing.assert_allclose(correlate_channels(x, w, padding="same", dilation=dilation), expected, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_leaves_the_ceiling(stride) -> None:
    for size, kernel in itertools.product(range(5, 12), range(1, 6)):
        (sides,) = padding_sides("same", [size], [kernel], stride=stride)
        assert (size + sum(sides) - kernel) // stride + 1 == -(-size // stride)


@pytest.mark.parametrize(("size", "kernel"), SHAPES)
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 0, 1), (2, 1, 1), (3, "same", 1), (1, "same", 2)])
def test_matrix_is_the_convolution_and_its_transpose_the_transposed(
    size, kernel, stride, padding, dilation, rng
) -> None:
    x, w = rng.normal(size=size), rng.normal(size=kernel)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    y = correlate(x, w, **options)
    np.testing.assert_allclose(convolution_matrix(w, size, **options) @ x.ravel(), y.ravel(), atol=1e-12)
    # The transpose is defined by <Mx, y> = <x, M'y>.
    other = rng.normal(size=y.shape)
    spread = transposed_convolution(other, w, size, **options)
    assert np.vdot(y, other) == pytest.approx(np.vdot(x, spread))


def test_transposed_convolution_is_that_of_torch(rng) -> None:
    y, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 5))
    expected = torch.nn.functional.conv_transpose2d(
        torch.tensor(y)[None, None], torch.tensor(w)[None, None], stride=2, padding=1, output_padding=(1, 0)
    )[0, 0].numpy()
    np.testing.assert_allclose(transposed_convolution(y, w, expected.shape, stride=2, padding=1), expected, atol=1e-12)


@pytest.mark.parametrize("how", ["max", "mean", "min"])
@pytest.mark.parametrize("stride", [None, 1, 3])
def test_pool_is_that_of_torch(how, stride, rng) -> None:
    x = rng.normal(size=(2, 3, 11, 8))
    fast = torch.nn.functional.avg_pool2d if how == "mean" else torch.nn.functional.max_pool2d
    sign = -1 if how == "min" else 1
    expected = sign * fast(torch.tensor(sign * x), (3, 2), stride).numpy()
    np.testing.assert_allclose(pool(x, (3, 2), stride=stride, how=how), expected, atol=1e-12)


def test_global_and_depth_pools_are_those_of_numpy(rng) -> None:
    x = rng.normal(size=(3, 6, 5, 7))
    np.testing.assert_allclose(global_pool(x, how="mean"), x.mean((2, 3)))
    np.testing.assert_allclose(depth_pool(x, 2), np.maximum(x[:, 0::2], x[:, 1::2]))


@pytest.mark.parametrize("size", [(8, 6), (9, 7)])
def test_unpooling_of_maxima_is_that_of_torch(size, rng) -> None:
    x = rng.normal(size=(2, 3, *size))
    pooled, places = torch.nn.functional.max_pool2d(torch.tensor(x), 2, return_indices=True)
    expected = torch.nn.functional.max_unpool2d(pooled, places, 2, output_size=x.shape).numpy()
    np.testing.assert_array_equal(unpool_maxima(pool(x, (2, 2)), maxima(x, (2, 2)), (2, 2)), expected)


def test_each_unpooling_pools_back(rng) -> None:
    y = rng.random((2, 4, 3)) + 1  # positive, so that zeros are never the maximum
    for unpooled in (unpool_nearest(y, (2, 5)), unpool_bed_of_nails(y, (2, 5))):
        np.testing.assert_array_equal(pool(unpooled, (2, 5)), y)


def test_losses_and_slopes_are_those_of_torch(rng) -> None:
    logits, classes = rng.normal(size=(5, 3)) * 4, np.array([0, 2, 1, 1, 0])
    tensor = torch.tensor(logits, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(tensor, torch.tensor(classes))
    loss.backward()
    assert cross_entropy(logits, classes) == pytest.approx(loss.item())
    assert cross_entropy_from_probabilities(softmax(logits), classes) == pytest.approx(loss.item())
    np.testing.assert_allclose(cross_entropy_gradient(logits, classes), tensor.grad, atol=1e-12)
    for slope, fast in ((relu_gradient, torch.relu), (tanh_gradient, torch.tanh)):
        x = torch.tensor(logits, requires_grad=True)
        fast(x).sum().backward()
        np.testing.assert_allclose(slope(logits), x.grad, atol=1e-12)


def test_lenet_backward_is_the_slope_of_its_loss(rng) -> None:
    network = LeNet5(3, seed=1)
    x, classes = rng.normal(size=(2, 1, 28, 28)), np.array([2, 0])
    by_picture = network.backward(cross_entropy_gradient(network.forward(x), classes))
    gradients = [g.copy() for g in network.gradients()]
    step = 1e-5
    for array, gradient in [*zip(network.weights(), gradients, strict=True), (x, by_picture)]:
        place = tuple(rng.integers(side) for side in array.shape)
        losses = []
        for sign in (1, -1):
            array[place] += sign * step
            losses.append(cross_entropy(network.forward(x), classes))
            array[place] -= sign * step
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(gradient[place], abs=1e-8)


def test_lenet_learns_what_it_has_not_seen(rng) -> None:
    """Upright and lying bars, anywhere: positions differ between the pictures it learns from and the others."""
    classes = rng.integers(0, 2, 240)
    pictures = rng.normal(0, 0.3, (240, 1, 28, 28))
    for picture, lying in zip(pictures[:, 0], classes, strict=True):
        row, column = rng.integers(2, 16, 2)
        picture[(slice(row, row + 2), slice(column, column + 10))[:: 1 if lying else -1]] += 2
    network = LeNet5(2)
    losses = list(train(network, pictures[:160], classes[:160], epochs=5, batch_size=8))
    assert losses[-1] < losses[0]
    assert (network.forward(pictures[160:]).argmax(1) == classes[160:]).mean() > 0.9


@pytest.mark.parametrize("network", [DeepBind, Basset])
def test_first_layer_of_sequence_networks_is_the_reference(network, rng) -> None:
    fast = network(in_channels=4, outputs=1, width=83).eval()
    x = rng.normal(size=(3, 4, 83))
    filters = fast.filters.weight.detach().double().numpy()[:, :, 0, :]
    bias = None if fast.filters.bias is None else fast.filters.bias.detach().double().numpy()
    expected = correlate_channels(x, filters, bias)
    found = fast.filters(torch.tensor(x, dtype=torch.float32)[:, :, None]).detach()[:, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_fast_lenet_is_the_reference_layer_by_layer(rng) -> None:
    fast = LeNet(in_channels=3, outputs=4, height=23, width=31).eval()
    with torch.no_grad():
        for norm in (fast.norm1, fast.norm2):  # statistics that matter
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
            norm.weight.uniform_(-1, 1)
            norm.bias.normal_()
        x = rng.normal(size=(2, 3, 23, 31))
        expected = x
        for convolution, norm, act_pool in ((fast.conv1, fast.norm1, fast.pool1), (fast.conv2, fast.norm2, fast.pool2)):
            expected = correlate_channels(expected, convolution.weight.double().numpy())
            scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).double().numpy()[:, None, None]
            shift = norm.bias.double().numpy()[:, None, None]
            expected = relu((expected - norm.running_mean.double().numpy()[:, None, None]) * scale + shift)
            size = act_pool.kernel_size
            expected = pool(expected, (size, size) if isinstance(size, int) else size)
        found = fast.features(torch.tensor(x, dtype=torch.float32))
    np.testing.assert_allclose(found, expected.reshape(2, -1), atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: output_size(3, 5), "5 positions does not fit 3"),
        (lambda: correlate([1, 2, 3], [[1, 2]]), r"found \(3,\) and \(1, 2\)"),
        (lambda: correlate_channels(np.zeros((1, 3, 9)), np.zeros((2, 4, 3))), r"found \(1, 3, 9\) and \(2, 4, 3\)"),
        (lambda: correlate([1, 2, 3], [1], padding="full"), "found 'full'"),
        (lambda: correlate(np.zeros((4, 4)), np.zeros((2, 2)), stride=[1, 2, 3]), "found 3"),
        (lambda: pool([1, 2], 2, how="median"), "found 'median'"),
        (lambda: transposed_convolution([1, 2, 3], [1, 2], 9), "expected 8 numbers for this size, found 3"),
    ],
)
def test_mistakes_are_named(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()
