"""Pictures as uint8 arrays, through pillow."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqcnn.errors import FormatError, InputFileError, MissingExtraError
from seqcnn.io.opening import shown

if TYPE_CHECKING:
    from types import ModuleType

Picture = npt.NDArray[np.uint8]

SUFFIXES = frozenset({
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm",
})  # fmt: skip

#: Weights of red, green and blue in grey (ITU-R 601, as pillow has them).
_GREY = np.array([0.299, 0.587, 0.114])


def is_picture(path: str | Path) -> bool:
    """Return whether a file name says picture.

    >>> is_picture("a/b.PNG"), is_picture("a.fa")
    (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def _pillow() -> "ModuleType":
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pictures need pillow; install seqcnn[vision]") from None
    return Image


def read_picture(path: str | Path) -> Picture:
    """Return a picture ``(C, H, W)``: one channel where it is grey, else red, green and blue.

    Transparency is dropped, 16-bit grey is scaled to 8, the first frame is taken of several, and the rotation that a
    camera noted is applied.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        If it is empty, truncated, damaged, or no picture.
    MissingExtraError
        Without pillow.
    """
    image_module = _pillow()
    name = shown(path)
    try:
        with image_module.open(path) as image:
            image.load()
            return _array(image)
    except FileNotFoundError:
        raise InputFileError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputFileError(f"{name} is a folder; expected a picture") from None
    except PermissionError:
        raise InputFileError(f"{name} cannot be read: permission denied") from None
    except image_module.UnidentifiedImageError:
        what = "is empty" if Path(path).stat().st_size == 0 else "is not a picture that pillow knows, or is damaged"
        raise FormatError(f"{name} {what}; replace or delete it") from None
    except image_module.DecompressionBombError as error:
        raise FormatError(f"{name}: too large to be safe ({error}); make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise FormatError(f"{name}: the picture is truncated or damaged ({error}); replace or delete it") from None


def _array(image: Any) -> Picture:
    """Return a loaded picture's values."""
    if image.getexif().get(0x0112, 1) != 1:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return np.asarray(np.asarray(image, np.uint16)[None] >> 8, np.uint8)
    if image.mode in ("I", "F"):
        values = np.asarray(image, np.float64)
        depth = 1 if values.max(initial=0) < 256 else 257  # "I" is how pillow reads some 16-bit files
        return np.clip(values / depth, 0, 255).astype(np.uint8)[None]
    if image.mode in ("1", "L", "LA", "La"):
        return np.array(image.convert("L"), np.uint8)[None]
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8).transpose(2, 0, 1))


def conform(picture: Picture, shape: tuple[int, int, int]) -> Picture:
    """Return a picture converted to the channels and resized to the size of ``shape`` ``(C, H, W)``.

    >>> conform(np.full((3, 4, 6), 9, np.uint8), (1, 2, 3)).tolist()
    [[[9, 9, 9], [9, 9, 9]]]
    """
    channels, height, width = shape
    if picture.shape == shape:
        return picture
    if len(picture) != channels:
        if channels == 1:
            picture = np.round(np.tensordot(_GREY, picture[:3], 1)).astype(np.uint8)[None]
        else:
            picture = np.repeat(picture[:1], channels, axis=0)
    if picture.shape[1:] != (height, width):
        image_module = _pillow()
        picture = np.stack(
            [
                np.asarray(image_module.fromarray(plane).resize((width, height), image_module.Resampling.BILINEAR))
                for plane in picture
            ]
        )
    return picture


def list_pictures(folder: str | Path) -> Iterator[Path]:
    """Yield the pictures in a folder and the folders in it, by name; hidden files and other kinds are passed over."""
    for path in sorted(Path(folder).rglob("*")):
        if is_picture(path) and path.is_file() and not path.name.startswith("."):
            yield path
