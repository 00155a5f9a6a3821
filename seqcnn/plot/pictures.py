"""Pixels, filters and feature maps as small PNG images that stand inside a page."""

import base64
import struct
import zlib
from functools import cache
from math import ceil

import numpy as np
import numpy.typing as npt

from seqcnn.plot.palette import BLUE, ORANGE

Colors = npt.NDArray[np.uint8]
Values = npt.NDArray[np.generic]

#: Larger pictures are thinned to so many pixels a side.
MOST_PIXELS = 96
#: What 16-bit and float pictures are stretched between, in percent of their pixels.
STRETCH = (1.0, 99.0)
#: Zero, on the scale from negative (blue) to positive (orange).
_PALE = "#f4f4f2"


def png(pixels: Colors, *, palette: Colors | None = None) -> bytes:
    r"""Return the bytes of a PNG file of grey ``(H, W)`` or color ``(H, W, 3)`` pixels.

    Parameters
    ----------
    palette
        Colors ``(256, 3)`` that grey pixels are looked up in; the last one is transparent.

    >>> png(np.zeros((2, 3), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width = pixels.shape[:2]
    kind = 3 if palette is not None else 2 if pixels.ndim == 3 else 0
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    sample = 3 if pixels.ndim == 3 else 1
    left, above = np.zeros_like(rows), np.zeros_like(rows)
    left[:, sample:], above[1:] = rows[:, :-sample], rows[:-1]
    packed = []
    for number, filtered in enumerate((rows, rows - left, rows - above)):  # PNG's filters: none, left, above
        marked = np.concatenate([np.full((height, 1), number, np.uint8), filtered], axis=1)
        packed.append(zlib.compress(marked.tobytes(), 9))

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))
    colors = b""
    if palette is not None:
        opaque = bytes([255] * (len(palette) - 1) + [0])
        colors = chunk(b"PLTE", palette.astype(np.uint8).tobytes()) + chunk(b"tRNS", opaque)
    return b"\x89PNG\r\n\x1a\n" + header + colors + chunk(b"IDAT", min(packed, key=len)) + chunk(b"IEND", b"")


def picture_uri(pixels: Values, *, most: int = MOST_PIXELS) -> str:
    """Return a picture ``(C, H, W)`` of any depth as a data URI; large ones are thinned to `most` pixels a side.

    Three channels are red, green and blue, two are magenta and green; of more the mean is shown in grey. Pixels of 8
    bits are shown as they are, others are stretched from the picture's 1st to its 99th percentile.
    """
    colors = picture_colors(pixels, most=most)
    return _uri(png(colors if colors.shape[2] == 3 else colors[:, :, 0]))


def picture_colors(pixels: Values, *, most: int = MOST_PIXELS) -> Colors:
    """Return the colors ``(h, w, 3)``, or the grey ``(h, w, 1)``, that a picture ``(C, H, W)`` is shown in.

    >>> picture_colors(np.zeros((1, 200, 100), np.uint8)).shape
    (67, 34, 1)
    """
    step = ceil(max(pixels.shape[1:]) / most)
    small = thinned(pixels, rows=ceil(pixels.shape[1] / step), columns=ceil(pixels.shape[2] / step))
    levels = small / 255 if pixels.dtype == np.uint8 else stretched(small, pixels)
    if len(levels) == 2:
        levels = levels[[0, 1, 0]]
    elif len(levels) != 3:
        levels = levels.mean(0, keepdims=True)
    return (255 * levels).round().astype(np.uint8).transpose(1, 2, 0)


def thinned(values: Values, *, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """Return the last two axes of `values` with at most so many rows and columns: means of equal pieces.

    >>> thinned(np.arange(6.0).reshape(1, 6), rows=1, columns=3).tolist()
    [[0.5, 2.5, 4.5]]
    """
    found = np.asarray(values, np.float64)
    for axis, most in ((-2, rows), (-1, columns)):
        size = found.shape[axis]
        if size > most:
            starts = np.arange(most) * size // most
            counts = np.diff(starts, append=size)
            sums = np.add.reduceat(found, starts, axis=axis)
            found = sums / (counts[:, None] if axis == -2 else counts)
    return found


def stretched(values: Values, of: Values) -> npt.NDArray[np.float64]:
    """Return `values` ``(C, H, W)`` as shares from the 1st to the 99th percentile of the picture `of`.

    Red, green and blue are stretched together, so that hues stay; other channels each on its own.
    """
    axes = None if len(of) == 3 else (1, 2)
    low, high = np.percentile(np.asarray(of, np.float64), STRETCH, axis=axes, keepdims=True)
    least, most = of.min(axes, keepdims=True), of.max(axes, keepdims=True)
    low, high = np.where(high > low, low, least), np.where(high > low, high, most)
    return np.asarray((values - low) / np.where(high > low, high - low, 1)).clip(0, 1)


def montage(channels: Values, *, gap: int = 1, columns: int | None = None) -> npt.NDArray[np.float64]:
    """Return channels ``(C, H, W)`` side by side in one array, NaN between them.

    Parameters
    ----------
    gap
        Pixels between channels.
    columns
        Channels in a row; None makes the whole about square.

    >>> montage(np.ones((3, 2, 2)), columns=2).shape
    (5, 5)
    """
    count, height, width = channels.shape
    if columns is None:
        columns = min(count, max(1, round((count * height / width) ** 0.5)))
    rows = ceil(count / columns)
    whole = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap), np.nan)
    for i, channel in enumerate(channels):
        y, x = i // columns * (height + gap), i % columns * (width + gap)
        whole[y : y + height, x : x + width] = channel
    return whole


def heat_uri(values: Values, *, low: float, high: float) -> str:
    """Return values ``(H, W)`` from `low` (dark) to `high` (bright) as a data URI; NaN is transparent."""
    return _mapped((np.asarray(values, np.float64) - low) / ((high - low) or 1.0), _heat())


def signed_uri(values: Values, *, largest: float | None = None) -> str:
    """Return values ``(H, W)`` around zero as a data URI: blue is negative, orange positive, pale zero.

    Parameters
    ----------
    largest
        What the fullest color stands for; None for the largest of these values.
    """
    array = np.asarray(values, np.float64)
    if largest is None:
        largest = float(np.nanmax(np.abs(array)))
    return _mapped(0.5 + 0.5 * array / (largest or 1.0), _signed())


def filter_uri(weights: npt.NDArray[np.float32]) -> str:
    """Return a filter ``(C, h, w)`` as a data URI.

    Three channels are drawn as one color picture, mid-grey being zero; any other number side by side in blue
    (negative) and orange (positive).
    """
    if len(weights) != 3:
        return signed_uri(
            montage(weights, columns=len(weights) if weights.shape[1] > 1 else 1, gap=weights.shape[1] > 1)
        )
    largest = float(np.abs(weights).max()) or 1.0
    return _uri(png((127.5 + 127.5 * weights / largest).round().astype(np.uint8).transpose(1, 2, 0)))


def _mapped(shares: npt.NDArray[np.float64], palette: Colors) -> str:
    """Return shares from 0 to 1 looked up in the first 255 colors of a palette; NaN is its last one."""
    levels = np.where(np.isfinite(shares), (np.nan_to_num(shares).clip(0, 1) * 254).round(), 255)
    return _uri(png(levels.astype(np.uint8), palette=palette))


@cache
def _heat() -> Colors:
    from matplotlib import colormaps

    return _palette(np.asarray(colormaps["magma"](np.linspace(0, 1, 255)))[:, :3])


@cache
def _signed() -> Colors:
    blue, pale, orange = (np.array([int(c[i : i + 2], 16) for i in (1, 3, 5)]) / 255 for c in (BLUE, _PALE, ORANGE))
    share = np.abs(np.linspace(-1, 1, 255))[:, None]
    ends = np.where(np.arange(255)[:, None] < 127, blue, orange)
    return _palette(pale + (ends - pale) * share)


def _palette(colors: npt.NDArray[np.float64]) -> Colors:
    return np.vstack([(255 * colors).round(), [[128, 128, 128]]]).astype(np.uint8)


def _uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()
