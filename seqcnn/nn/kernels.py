"""Fixed filters of pictures and series: smoothing, edges, sharpening, as weights of the same layer that learns."""

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor, nn

from seqcnn.errors import OptionError, ShapeError

#: A Gaussian is cut off at so many standard deviations, as scipy.ndimage does.
_TRUNCATE = 4.0


def moving_average(size: int | tuple[int, int] = 3) -> Tensor:
    """Return the mean of a window as weights ``(1, 1, h, w)``; ``(1, n)`` is that of a series.

    >>> moving_average((1, 4)).flatten().tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    height, width = (size, size) if isinstance(size, int) else size
    if min(height, width) < 1:
        raise OptionError(f"moving_average: expected a size of 1 or more, found {size}")
    return torch.full((1, 1, height, width), 1 / (height * width))


def gaussian(sigma: float, *, series: bool = False) -> Tensor:
    """Return a Gaussian of `sigma` pixels as weights ``(1, 1, n, n)``, or ``(1, 1, 1, n)`` for a series; the sum is 1.

    >>> gaussian(1.0).shape, gaussian(1.0, series=True).shape, round(float(gaussian(1.0).sum()), 5)
    (torch.Size([1, 1, 9, 9]), torch.Size([1, 1, 1, 9]), 1.0)
    """
    bell, _, _ = _bell(sigma)
    return (bell[None] if series else bell[:, None] * bell)[None, None]


def gaussian_gradient(sigma: float, *, series: bool = False) -> Tensor:
    """Return the derivative of a Gaussian along x and along y as weights ``(2, 1, n, n)``; a series has x only.

    It smooths and takes the slope at once: brighter to the right (and below) is positive.
    """
    bell, slope, _ = _bell(sigma)
    if series:
        return slope[None, None, None]
    return torch.stack([bell[:, None] * slope, slope[:, None] * bell])[:, None]


def laplacian(*, diagonals: bool = False) -> Tensor:
    """Return the sum of second differences as weights ``(1, 1, 3, 3)``, along rows and columns or diagonals as well.

    >>> laplacian()[0, 0].int().tolist(), laplacian(diagonals=True)[0, 0, 0].int().tolist()
    ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], [1, 1, 1])
    """
    if diagonals:
        return torch.tensor([[[[1.0, 1, 1], [1, -8, 1], [1, 1, 1]]]])
    return torch.tensor([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]])


def laplacian_of_gaussian(sigma: float) -> Tensor:
    """Return the Laplacian of a Gaussian as weights ``(1, 1, n, n)``; edges are where it crosses zero.

    What cutting the Gaussian off leaves is taken away evenly, so that even light gives 0.

    References
    ----------
    Marr and Hildreth (1980), Proc. R. Soc. Lond. B 207, 187-217.
    """
    bell, _, curve = _bell(sigma)
    weights = bell[:, None] * curve + curve[:, None] * bell
    return (weights - weights.mean())[None, None]


def laplacian_8() -> Tensor:
    """Return the Laplacian with the diagonals, weights ``(1, 1, 3, 3)``."""
    return laplacian(diagonals=True)


def prewitt() -> Tensor:
    """Return differences of three pixels along x and y, weights ``(2, 1, 3, 3)``."""
    return _pair([1.0, 1.0, 1.0])


def sobel() -> Tensor:
    """Return differences of three pixels along x and y, the middle ones twice, weights ``(2, 1, 3, 3)``.

    >>> sobel()[0, 0].int().tolist()
    [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    """
    return _pair([1.0, 2.0, 1.0])


def roberts() -> Tensor:
    """Return the two diagonal differences of four pixels, weights ``(2, 1, 2, 2)`` (Roberts 1963)."""
    return torch.tensor([[[[1.0, 0], [0, -1]]], [[[0.0, 1], [-1, 0]]]])


def sharpen(amount: float = 1.0, *, diagonals: bool = False) -> Tensor:
    """Return the picture minus `amount` of its Laplacian as weights ``(1, 1, 3, 3)``.

    >>> sharpen()[0, 0].int().tolist()
    [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    """
    weights = -amount * laplacian(diagonals=diagonals)
    weights[0, 0, 1, 1] += 1
    return weights


def fixed(weights: Tensor, *, channels: int = 1, trainable: bool = False) -> nn.Conv2d:
    """Return fixed filters as a layer: torch's own convolution.

    The output has the size of the input; an even filter reaches one further forward than back. Filters of one channel
    go over each channel by itself, edges continued, and give ``channels * F`` channels, those of the first input
    channel first. Filters of as many channels as the image, such as the matrix of a motif, sum over them and give F;
    beyond the ends of a sequence there is nothing.

    Parameters
    ----------
    weights
        ``(F, 1, h, w)``, as the functions of this file make them, or ``(F, channels, h, w)``, as
        `seqcnn.nn.filters.pwm_weights` does.
    channels
        C of the image.
    trainable
        Whether training may change them; a frozen layer is a fixed filter for good.

    Raises
    ------
    ShapeError
        If the weights have another shape.

    Examples
    --------
    >>> fixed(sobel(), channels=3)(torch.zeros(2, 3, 17, 11)).shape
    torch.Size([2, 6, 17, 11])
    """
    if weights.dim() != 4 or weights.shape[1] not in (1, channels):
        raise ShapeError(f"fixed: expected weights (F, 1, h, w) or (F, {channels}, h, w), found {tuple(weights.shape)}")
    filters, read, height, width = weights.shape
    groups = channels // read
    layer = nn.Conv2d(
        channels, groups * filters, (height, width), padding="same", groups=groups, bias=False,
        padding_mode="replicate" if read == 1 else "zeros",
    )  # fmt: skip
    with torch.no_grad():
        layer.weight.copy_(weights.repeat(groups, 1, 1, 1))
    layer.weight.requires_grad_(trainable)
    return layer


def filtered(image: Tensor, weights: Tensor) -> Tensor:
    """Return an image ``(N, C, H, W)``, picture ``(H, W)`` or series ``(T,)`` after fixed filters, in its own shape.

    Several filters, or channels, give ``(N, C * F, H, W)`` or ``(F, H, W)``; filters that sum over the channels give
    ``(N, F, H, W)``: with the matrix of a motif, its score at each place of a sequence.

    Examples
    --------
    >>> from seqcnn.encode.onehot import OneHot
    >>> from seqcnn.nn.filters import pwm_weights
    >>> codes = torch.tensor([[3, 3, 0, 2, 1]], dtype=torch.uint8)  # TTAGC
    >>> tag = torch.eye(4)[[3, 0, 2]].numpy() * 0.96 + 0.01
    >>> filtered(OneHot("dna")(codes), pwm_weights([tag], 3)).squeeze().argmax().item()
    2
    >>> filtered(torch.tensor([0.0, 0, 3, 0, 0]), moving_average((1, 3))).tolist()
    [0.0, 1.0, 1.0, 1.0, 0.0]
    """
    if image.dim() not in (1, 2, 4):
        raise ShapeError(f"filtered: expected (T,), (H, W) or (N, C, H, W), found {tuple(image.shape)}")
    whole = image.double()  # so that even light gives 0 within float32
    whole = whole.reshape((1,) * (4 - image.dim()) + image.shape) if image.dim() < 4 else whole
    layer = fixed(weights, channels=whole.shape[1]).to(whole.device, whole.dtype)
    found: Tensor = layer(whole).float()
    if image.dim() == 4:
        return found
    maps = found[0] if len(weights) > 1 else found[0, 0]
    return maps.squeeze(-2) if image.dim() == 1 else maps


@dataclass(frozen=True)
class Gradient:
    """How steeply, and which way, a picture gets brighter.

    Parameters
    ----------
    magnitude
        Slope, of the shape of one map.
    direction
        Radians from the x axis towards y (downwards), -pi to pi.
    """

    magnitude: Tensor
    direction: Tensor


def gradient(image: Tensor, weights: Tensor | None = None) -> Gradient:
    """Return magnitude and direction of the gradient of a picture ``(H, W)`` or image ``(N, 1, H, W)``.

    `weights` are a pair along x and y, `sobel` if not given; `gaussian_gradient` smooths first. The pair of `roberts`
    runs along the diagonals: its magnitude is one, its direction is turned by 135 degrees.

    Examples
    --------
    >>> ramp = torch.arange(5.0).repeat(4, 1)
    >>> found = gradient(ramp)
    >>> found.magnitude[1, 2].item(), found.direction[1, 2].item()
    (8.0, 0.0)
    """
    pair = sobel() if weights is None else weights
    if len(pair) != 2 or (image.dim() == 4 and image.shape[1] != 1):
        raise ShapeError(
            f"gradient: expected two filters and one channel, found {len(pair)} and an image {tuple(image.shape)}"
        )
    x, y = filtered(image, pair).unbind(-3)
    return Gradient(torch.hypot(x, y), torch.atan2(y, x))


def zero_crossings(response: Tensor, *, threshold: float | None = None) -> Tensor:
    """Return where a response ``(..., H, W)`` changes sign towards the right or below, by more than `threshold`.

    Without `threshold` what is below a ten-thousandth of the largest response counts as 0, which is no side.

    Examples
    --------
    >>> zero_crossings(torch.tensor([[1.0, -1.0, -2.0, 3.0]])).int().tolist()
    [[1, 0, 1, 0]]
    """
    least = 1e-4 * float(response.abs().max()) if threshold is None and response.numel() else 0.0
    sides = torch.where(response.abs() > least, response, 0)
    crossed = torch.zeros_like(response, dtype=torch.bool)
    for axis in (-1, -2):
        for step in (1, 2):  # two, where a 0 stands between
            size = response.shape[axis] - step
            if size < 1:
                continue
            here, there = sides.narrow(axis, 0, size), sides.narrow(axis, step, size)
            change = (here * there < 0) & ((here - there).abs() > (threshold or 0.0))
            if step == 2:
                change &= sides.narrow(axis, 1, size) == 0
            crossed.narrow(axis, 0, size).logical_or_(change)
    return crossed


def _bell(sigma: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return a Gaussian, its slope and its curvature as correlation weights, each ``(n,)``."""
    if not sigma > 0:
        raise OptionError(f"sigma: expected a positive number of pixels, found {sigma}")
    reach = int(_TRUNCATE * sigma + 0.5) or ceil(sigma)
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    bell = torch.exp(-0.5 * (x / sigma) ** 2)
    bell = bell / bell.sum()
    slope, curve = bell * x / sigma**2, bell * (x**2 / sigma**4 - 1 / sigma**2)
    return bell.float(), slope.float(), curve.float()


def _pair(across: list[float]) -> Tensor:
    along_x = torch.tensor(across)[:, None] * torch.tensor([-1.0, 0.0, 1.0])
    return torch.stack([along_x, along_x.T])[:, None]
