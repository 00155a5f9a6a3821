"""Pixels and filters as small PNG images that stand inside a page."""

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

MOST_PIXELS = 160


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    r"""Return the bytes of a PNG file of grey ``(H, W)`` or color ``(H, W, 3)`` pixels.

    >>> png(np.zeros((2, 3), np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1)
    plain = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()  # filter 0 before each row

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(plain, 9)) + chunk(b"IEND", b"")


def _uri(pixels: npt.NDArray[np.uint8]) -> str:
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode()


def picture_uri(pixels: npt.NDArray[np.uint8]) -> str:
    """Return a picture ``(C, H, W)`` as a data URI; large ones are thinned to at most 160 pixels a side.

    Three channels are red, green and blue; of any other number the mean is shown in grey.
    """
    step = -(-max(pixels.shape[1:]) // MOST_PIXELS)
    small = pixels[:, ::step, ::step]
    return _uri(small.transpose(1, 2, 0) if len(small) == 3 else small.mean(0).round().astype(np.uint8))


def filter_uri(weights: npt.NDArray[np.float32]) -> str:
    """Return a filter ``(C, h, w)`` as a data URI: mid-grey is zero, brighter positive, darker negative."""
    largest = float(np.abs(weights).max()) or 1.0
    levels = (127.5 + 127.5 * weights / largest).round().astype(np.uint8)
    return _uri(levels.transpose(1, 2, 0) if len(levels) == 3 else levels.mean(0).round().astype(np.uint8))
