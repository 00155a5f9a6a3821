"""Pictures and stacks as arrays ``(C, H, W)``, through pillow and tifffile."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of
from seqcnn.errors import DataError, FormatError, InputFileError, MissingExtraError
from seqcnn.io.opening import shown

if TYPE_CHECKING:
    from types import ModuleType

#: ``(C, H, W)`` of uint8, uint16 or float32.
Picture = npt.NDArray[Any]

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
    """Return a picture ``(C, H, W)``: one channel where it is grey, three in color, else those of a stack.

    8 bits give uint8, 16 bits uint16, all else float32; black and white are 0 and 255. Transparency is dropped and the
    rotation that a camera noted is applied. The pages of a TIFF file are channels; of an animation the first frame is
    taken.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        If it is empty, truncated, damaged, without a pixel, or no picture.
    MissingExtraError
        Without pillow, or without tifffile for a stack.
    """
    image_module = _pillow()
    name = shown(path)
    try:
        with image_module.open(path) as image:
            if image.format == "TIFF" and (getattr(image, "n_frames", 1) > 1 or not _plain(image)):
                picture = _stack(path, name)
            else:
                image.load()
                picture = _array(image)
    except FileNotFoundError:
        raise InputFileError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputFileError(f"{name} is a folder; expected a picture") from None
    except PermissionError:
        raise InputFileError(f"{name} cannot be read: permission denied") from None
    except image_module.UnidentifiedImageError:
        if Path(path).stat().st_size == 0:
            raise FormatError(f"{name} is empty; replace or delete it") from None
        if Path(path).suffix.lower() not in (".tif", ".tiff"):
            raise FormatError(
                f"{name} is not a picture that pillow knows, or is damaged; replace or delete it"
            ) from None
        picture = _stack(path, name)  # more channels or bits than pillow reads
    except image_module.DecompressionBombError as error:
        raise FormatError(f"{name}: too large to be safe ({error}); make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError) as error:
        raise FormatError(f"{name}: the picture is truncated or damaged ({error}); replace or delete it") from None
    if not picture.size:
        raise FormatError(f"{name}: the picture has no pixel ({picture.shape[2]} x {picture.shape[1]}); delete it")
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise FormatError(f"{name}: the picture holds values that are no finite numbers; replace or delete it")
    return picture


def picture_size(path: str | Path) -> tuple[int, int] | None:
    """Return width and height of a picture by its header alone; None where pillow cannot tell."""
    try:
        with _pillow().open(path) as image:
            width, height = image.size
            return int(width), int(height)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return None


def _plain(image: Any) -> bool:
    """Return whether pillow reads all of a TIFF page: whole numbers up to 16 bits, of color up to 8, none signed."""
    bits, kinds = image.tag_v2.get(258, (1,)), set(image.tag_v2.get(339, (1,)))  # kinds: 1 unsigned, 2 signed, 3 float
    if len(bits) == 1:
        return kinds == {3} or (kinds <= {1, 4} and max(bits) <= 16)
    return kinds <= {1, 4} and max(bits) <= 8 and image.mode in ("LA", "RGB", "RGBA", "CMYK", "YCbCr")


def _stack(path: str | Path, name: str) -> Picture:
    """Return all pages and channels of a TIFF file."""
    try:
        import tifffile
    except ImportError:
        raise MissingExtraError(f"{name}: stacks need tifffile; install seqcnn[vision]") from None
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            values, axes, page = series.asarray(), series.axes, file.pages.first
            samples = values.shape[axes.index("S")] if "S" in axes else 0
            alpha = sum(int(extra) in (1, 2) for extra in page.extrasamples) or int(
                samples == 4 and page.photometric == 2
            )
            turned = int(page.tags.valueof(274, 1))
    except (tifffile.TiffFileError, ValueError, OSError, IndexError, KeyError, RuntimeError) as error:
        raise FormatError(f"{name}: the stack is damaged, or packed in a way unknown ({error}); save it anew") from None
    if not values.size or "Y" not in axes or "X" not in axes:
        raise FormatError(f"{name}: the picture has no pixel; delete it")
    y, x = axes.index("Y"), axes.index("X")
    if alpha and samples > alpha:
        values = values.take(range(samples - alpha), axis=axes.index("S"))
    picture = np.moveaxis(values, (y, x), (-2, -1)).reshape(-1, values.shape[y], values.shape[x])
    return _typed(_turned(picture, turned))


def _turned(picture: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """Return a picture ``(C, H, W)`` as its EXIF orientation, 1 to 8, says it is to be seen."""
    if orientation in (2, 3, 6, 7):
        picture = picture[:, :, ::-1] if orientation in (2, 3) else picture[:, ::-1, :]
    if orientation in (3, 4, 7, 8):
        picture = picture[:, ::-1, :] if orientation in (3, 4) else picture[:, :, ::-1]
    return picture.swapaxes(1, 2) if orientation in (5, 6, 7, 8) else picture


def _typed(values: npt.NDArray[Any]) -> Picture:
    """Return values as one of the types that pictures have."""
    if values.dtype == bool:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype in (np.uint8, np.uint16):
        return np.ascontiguousarray(values.astype(values.dtype.newbyteorder("=")))
    return np.ascontiguousarray(values, np.float32)


def _array(image: Any) -> Picture:
    """Return a loaded picture's values."""
    if image.getexif().get(0x0112, 1) != 1:
        from PIL import ImageOps

        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.uint16)[None]
    if image.mode == "I":  # how pillow reads some 16-bit files
        values = np.asarray(image)[None]
        return values.astype(np.uint16) if values.min() >= 0 and values.max() < 1 << 16 else values.astype(np.float32)
    if image.mode == "F":
        return np.asarray(image, np.float32)[None]
    if image.mode in ("1", "L", "LA", "La"):
        return np.array(image.convert("L"), np.uint8)[None]
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8).transpose(2, 0, 1))


#: How a picture of another size is made to fit.
FIT_BY = ("resize", "crop", "letterbox")


def conform(picture: Picture, shape: tuple[int, int, int], *, depth: str = "uint8", fit_by: str = "resize") -> Picture:
    """Return a picture of the channels and size of ``shape`` ``(C, H, W)`` and the type `depth`.

    Grey is repeated over the channels, color becomes grey by its luminance. `fit_by` is ``resize`` (stretched to fit),
    ``crop`` (scaled until it covers, the middle cut out) or ``letterbox`` (scaled until it is inside, black around).

    Raises
    ------
    DataError
        If the channels are neither one nor those wanted, nor is one channel wanted.

    Examples
    --------
    >>> conform(np.full((3, 4, 6), 9, np.uint8), (1, 2, 3)).tolist()
    [[[9, 9, 9], [9, 9, 9]]]
    >>> conform(np.full((1, 2, 4), 9, np.uint8), (1, 4, 4), fit_by="letterbox")[0, :, 0].tolist()
    [0, 9, 9, 0]
    """
    channels, height, width = shape
    one_of(fit_by, FIT_BY, "--fit")
    if len(picture) != channels:
        if channels == 1:
            weights = _GREY if len(picture) == 3 else np.full(len(picture), 1 / len(picture))
            grey = np.tensordot(weights, picture, 1)[None]
            picture = (grey if picture.dtype == np.float32 else np.round(grey)).astype(picture.dtype)
        elif len(picture) == 1:
            picture = np.repeat(picture, channels, axis=0)
        else:
            raise DataError(f"a picture of {len(picture)} channels among such of {channels}; give one kind")
    picture = _to_depth(picture, depth)
    if picture.shape[1:] == (height, width):
        return picture
    rows, columns = picture.shape[1:]
    if fit_by == "resize":
        return _resized(picture, height, width)
    ratio = (max if fit_by == "crop" else min)(height / rows, width / columns)
    near = _resized(picture, max(1, round(rows * ratio)), max(1, round(columns * ratio)))
    out = np.zeros(shape, picture.dtype)
    ours, theirs = zip(*(_middle(a, b) for a, b in zip(shape[1:], near.shape[1:], strict=True)), strict=True)
    out[:, ours[0], ours[1]] = near[:, theirs[0], theirs[1]]
    return out


def _middle(wanted: int, found: int) -> tuple[slice, slice]:
    """Return where the middle of a side goes, and where it is taken from."""
    size = min(wanted, found)
    return slice((wanted - size) // 2, (wanted - size) // 2 + size), slice(
        (found - size) // 2, (found - size) // 2 + size
    )


def _resized(picture: Picture, height: int, width: int) -> Picture:
    image_module = _pillow()
    small = picture.dtype == np.uint8
    planes = [
        np.asarray(
            image_module.fromarray(plane if small else plane.astype(np.float32)).resize(
                (width, height), image_module.Resampling.BILINEAR
            )
        )
        for plane in picture
    ]
    out = np.stack(planes)
    return np.round(out).astype(np.uint16) if picture.dtype == np.uint16 else out.astype(picture.dtype)


def _to_depth(picture: Picture, depth: str) -> Picture:
    """Return a picture with another type of values, full scale staying full scale."""
    if str(picture.dtype) == depth:
        return picture
    full = {"uint8": 255.0, "uint16": 65535.0, "float32": 1.0}
    values = picture.astype(np.float32) * np.float32(full[depth] / full[str(picture.dtype)])
    return values if depth == "float32" else np.round(values).clip(0, full[depth]).astype(depth)
