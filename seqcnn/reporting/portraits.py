"""What one picture, series, recording, trajectory or file looks like, as small drawings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from markupsafe import Markup

from seqcnn.data.batches import rectangle
from seqcnn.data.dataset import Raw
from seqcnn.model.model import Model
from seqcnn.plot.lines import MOST_VARIABLES, path_svg, series_svg
from seqcnn.plot.pictures import MOST_PIXELS, heat_uri, montage, picture_uri, signed_uri, thinned
from seqcnn.samples import Samples

Image = npt.NDArray[np.float32]

#: Columns that are kept of an image that is as wide as its record is long.
_WIDEST = 240
#: Height in CSS pixels of the line above a picture of the same width.
_LINE_ABOVE = 34
#: Widths in CSS pixels of a square picture beside a line: of one channel, of several.
_ACROSS = (84, 132)
#: Channels of a picture that are drawn.
_MOST_CHANNELS = 16
#: Variables of a trajectory in `Samples`.
_X, _Y, _CLICK = 1, 2, 3


@dataclass(frozen=True)
class Portrait:
    """The drawings of one record.

    Parameters
    ----------
    layout
        ``picture``: one square picture; ``line``: a line only; ``beside``: a square picture beside a line; ``over``: a
        line over a picture that has the same axis of time.
    picture
        Data URI; empty where there is none.
    line
        Drawing as markup; empty where there is none.
    coarse
        Whether the picture has fewer pixels than it is drawn with, so that its pixels are to show.
    across
        Width of the picture beside a line, in CSS pixels; 0 where the layout settles it.
    """

    layout: str
    picture: str = ""
    line: Markup = Markup("")
    coarse: bool = True
    across: int = 0


def portrait(model: Model, raw: Raw, row: int, *, name: str) -> Portrait:
    """Return the drawings of the record at `row` of `raw`; `name` is what they are labelled with."""
    if isinstance(raw, np.ndarray):
        return Portrait("picture", picture_uri(raw[row]), coarse=max(raw.shape[2:]) < MOST_PIXELS)
    if not isinstance(raw, Samples):
        raise TypeError("sequences are shown as letters")
    values, encoder = raw[row], getattr(model.encoder, "name", "")
    if model.encoder.height == 1:
        return Portrait("line", line=_line(values, name))
    image, _ = image_of(model, raw, row)
    across = _ACROSS[len(image) > 1]
    if encoder == "trajectory":
        way = Markup(path_svg(values[_X], values[_Y], values[_CLICK], title=f"Path of {name}"))
        return Portrait("beside", image_uri(model, image), way, across=across)
    if encoder == "bytes":
        line = Markup(series_svg(values, title=f"Bytes of {name}", span=(0, 255), width=120, height=84))
        return Portrait("beside", image_uri(model, image), line, across=across)
    if encoder == "spectrogram":
        return Portrait("over", image_uri(model, image), _line(values, name, height=_LINE_ABOVE), coarse=False)
    return Portrait("beside", image_uri(model, image), _line(values, name, width=120, height=84), across=across)


def _line(values: npt.NDArray[np.generic], name: str, *, width: int = 220, height: int = 64) -> Markup:
    return Markup(series_svg(values, title=f"Series {name}", width=width, height=height))


def image_of(model: Model, raw: Raw, row: int) -> tuple[Image, int]:
    """Return the image ``(C, H, W)`` that the network sees of a record, and how many of its columns are real."""
    with torch.inference_mode():
        batch, lengths = rectangle(raw, np.array([row]))
        place = next(model.encoder.buffers(), batch).device
        image, columns = model.encoder.image(batch.to(place), lengths.to(place))
    width = image.shape[-1] if columns is None else int(columns[0])
    return np.asarray(image[0].cpu().numpy(), np.float32), width


def image_uri(model: Model, image: Image) -> str:
    """Return an image ``(C, H, W)`` that an encoder made of a record as a data URI; channels stand side by side.

    Rows of a spectrogram are frequencies, the lowest below; its channels stand one under the other.
    """
    name = getattr(model.encoder, "name", "")
    channels = image[:_MOST_CHANNELS]
    if name == "spectrogram":
        stacked = montage(thinned(channels[:, ::-1], rows=64, columns=_WIDEST), columns=1, gap=2)
        return heat_uri(stacked, low=-1, high=1)
    side = max(16, MOST_PIXELS // max(1, round(len(channels) ** 0.5)))
    small = montage(thinned(channels, rows=side, columns=side))
    if name in ("gadf", "gasf"):
        return signed_uri(small, largest=1.0)
    if name == "bytes":
        return picture_uri((127.5 + 127.5 * channels).round().clip(0, 255).astype(np.uint8))
    return heat_uri(small, low=0.0, high=1.0)


def explained(model: Model) -> str:
    """Return how to read the drawings of this model's records, in sentences."""
    encoder = model.encoder
    name = getattr(encoder, "name", "")
    if encoder.raw_kind == "pixels":
        return _pixels_explained(encoder.raw_shape[0], encoder.settings().get("depth", "uint8"))
    several = encoder.raw_shape[0] > 1 and name not in ("trajectory", "bytes")
    lines = "One line a variable, each on its own scale"
    if encoder.raw_shape[0] > MOST_VARIABLES:
        lines += f" (the first {MOST_VARIABLES} of {encoder.raw_shape[0]})"
    lines = f"{lines}." if several else ""
    told = {
        "series": lines or "Each series on its own scale.",
        "gadf": "Beside each series its field as the network sees it: orange positive, blue negative, time running to "
        "the right and down.",
        "gasf": "Beside each series its field as the network sees it: orange positive, blue negative, time running to "
        "the right and down.",
        "mtf": "Beside each series its field as the network sees it: the brighter, the likelier the step; time runs to "
        "the right and down.",
        "recurrence": "Beside each series its plot as the network sees it: the brighter, the farther apart; time runs "
        "to the right and down.",
        "spectrogram": "Below each line its spectrogram as the network sees it, over the same time: low frequencies "
        "below, the brighter the louder.",
        "trajectory": "The path as it was drawn (ring: where it begins; dots: clicks), and beside it what the network "
        "sees: path, speed, acceleration and clicks.",
        "bytes": "The values of the bytes from the beginning of the file to its end, and beside them the picture that "
        "the network sees.",
    }.get(name, "")
    return f"{told} {lines}".strip() if name != "series" else told


def _pixels_explained(channels: int, depth: str) -> str:
    told = []
    if channels == 2:
        told.append("The first channel is drawn in magenta, the second in green.")
    elif channels > 3:
        told.append(f"Of the {channels} channels, the mean is drawn.")
    if depth != "uint8":
        told.append("Each picture is stretched from its 1st to its 99th percentile, for the eye only.")
    return " ".join(told)
