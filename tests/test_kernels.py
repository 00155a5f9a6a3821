"""Fixed filters against scipy.ndimage, at uneven sizes."""

import numpy as np
import pytest
import scipy.ndimage
import torch
from torch import nn

from seqcnn.errors import OptionError, ShapeError
from seqcnn.nn import kernels


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(23, 17))


def seen(picture: np.ndarray, weights: torch.Tensor) -> np.ndarray:
    return kernels.filtered(torch.from_numpy(picture), weights).numpy()


@pytest.mark.parametrize(
    ("weights", "reference"),
    [
        (kernels.moving_average(5), lambda x: scipy.ndimage.uniform_filter(x, 5, mode="nearest")),
        (kernels.moving_average((1, 3)), lambda x: scipy.ndimage.uniform_filter1d(x, 3, axis=1, mode="nearest")),
        (kernels.gaussian(1.3), lambda x: scipy.ndimage.gaussian_filter(x, 1.3, mode="nearest")),
        (kernels.laplacian(), lambda x: scipy.ndimage.laplace(x, mode="nearest")),
        (kernels.laplacian_of_gaussian(1.7), lambda x: scipy.ndimage.gaussian_laplace(x, 1.7, mode="nearest")),
        (kernels.sobel()[:1], lambda x: scipy.ndimage.sobel(x, axis=1, mode="nearest")),
        (kernels.sobel()[1:], lambda x: scipy.ndimage.sobel(x, axis=0, mode="nearest")),
        (kernels.prewitt()[:1], lambda x: scipy.ndimage.prewitt(x, axis=1, mode="nearest")),
        (kernels.prewitt()[1:], lambda x: scipy.ndimage.prewitt(x, axis=0, mode="nearest")),
        (
            kernels.gaussian_gradient(2.0)[:1],
            lambda x: scipy.ndimage.gaussian_filter(x, 2.0, order=(0, 1), mode="nearest"),
        ),
        (kernels.sharpen(0.7), lambda x: x - 0.7 * scipy.ndimage.laplace(x, mode="nearest")),
    ],
)
def test_filters_are_those_of_scipy(weights, reference, picture) -> None:
    np.testing.assert_allclose(seen(picture, weights), reference(picture), atol=1e-4)  # scipy leaves the cut-off tail


def test_series_are_pictures_of_one_row() -> None:
    series = np.random.default_rng(4).normal(size=31)
    for weights, order in ((kernels.gaussian(1.5, series=True), 0), (kernels.gaussian_gradient(1.5, series=True), 1)):
        expected = scipy.ndimage.gaussian_filter1d(series, 1.5, order=order, mode="nearest")
        np.testing.assert_allclose(seen(series, weights), expected, atol=1e-5)


def test_roberts_takes_diagonal_differences(picture) -> None:
    found = seen(picture, kernels.roberts())
    assert found.shape == (2, 23, 17)
    np.testing.assert_allclose(found[0, :-1, :-1], picture[:-1, :-1] - picture[1:, 1:], atol=1e-5)
    np.testing.assert_allclose(found[1, :-1, :-1], picture[:-1, 1:] - picture[1:, :-1], atol=1e-5)


def test_gradient_points_to_the_light() -> None:
    rows, columns = torch.meshgrid(torch.arange(9.0), torch.arange(12.0), indexing="ij")
    for x, y in ((1, 0), (0, 1), (-1, 2), (3, -1)):
        found = kernels.gradient(x * columns + y * rows, kernels.gaussian_gradient(0.8))
        middle = found.direction[4, 6].item()
        assert middle == pytest.approx(np.arctan2(y, x), abs=1e-4)
        assert found.magnitude[4, 6].item() == pytest.approx(np.hypot(x, y), rel=0.02)


def test_zero_crossings_outline_a_disc() -> None:
    rows, columns = np.mgrid[:41, :37]
    radius = np.hypot(rows - 20, columns - 18)
    response = kernels.filtered(torch.from_numpy((radius < 10).astype(float)), kernels.laplacian_of_gaussian(2.0))
    edge = kernels.zero_crossings(response, threshold=1e-3).numpy()
    assert edge.sum() > 40
    assert np.abs(radius[edge] - 10).max() < 1.6


@pytest.mark.parametrize("trainable", [False, True])
def test_fixed_filters_are_a_layer_like_any_other(trainable) -> None:
    layer = kernels.fixed(kernels.sobel(), channels=3, trainable=trainable)
    assert type(layer) is nn.Conv2d and layer.weight.requires_grad is trainable
    image = torch.randn(2, 3, 11, 7)
    for channel in range(3):
        for k, weights in enumerate(kernels.sobel()):
            alone = kernels.filtered(image[:, channel : channel + 1], weights[None])
            torch.testing.assert_close(layer(image)[:, 2 * channel + k], alone[:, 0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kernels.gaussian(0), OptionError, "found 0"),
        (lambda: kernels.moving_average((0, 3)), OptionError, r"found \(0, 3\)"),
        (lambda: kernels.fixed(torch.zeros(2, 3, 3, 3)), ShapeError, r"found \(2, 3, 3, 3\)"),
        (lambda: kernels.filtered(torch.zeros(2, 3, 3), kernels.sobel()), ShapeError, r"found \(2, 3, 3\)"),
        (lambda: kernels.gradient(torch.zeros(4, 4), kernels.laplacian()), ShapeError, "found 1"),
    ],
)
def test_mistakes_are_named(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_filters_of_several_channels_sum_over_them_and_see_nothing_beyond_the_ends():
    rng = np.random.default_rng(0)
    image, weights = rng.normal(size=(2, 4, 1, 11)), rng.normal(size=(3, 4, 1, 5))
    found = kernels.filtered(torch.from_numpy(image), torch.from_numpy(weights).float()).numpy()
    padded = np.pad(image, ((0, 0), (0, 0), (0, 0), (2, 2)))
    for i in range(11):
        expected = np.einsum("nchw,fchw->nf", padded[..., i : i + 5], weights)
        np.testing.assert_allclose(found[:, :, 0, i], expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ShapeError, match=r"expected weights \(F, 1, h, w\) or \(F, 3, h, w\)"):
        kernels.filtered(torch.zeros(1, 3, 5, 5), torch.zeros(2, 4, 3, 3))


@pytest.mark.parametrize("light", [0.0, 0.3, 200.0])
@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_even_light_has_no_zero_crossings(light: float, sigma: float) -> None:
    square = torch.full((80, 80), light)
    square[25:55, 25:55] += 1
    crossed = kernels.zero_crossings(kernels.filtered(square, kernels.laplacian_of_gaussian(sigma))).nonzero()
    assert len(crossed) >= 100
    assert int(crossed.min()) >= 25 - 1 - sigma and int(crossed.max()) <= 55 + sigma
