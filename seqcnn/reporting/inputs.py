"""What the records of a model are called and measured in, and how an image is made of one, in words."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.encode.encoder import Encoder
from seqcnn.model.model import Model
from seqcnn.reporting.words import plural

_LETTERS = {"dna": "bp", "rna": "nt", "protein": "aa"}
_BITS = {"uint8": "8 bits", "uint16": "16 bits", "float32": "floating point"}
#: The fields that a square picture of a series may hold: name and what stands in row i and column j.
_FIELDS = {
    "gadf": ("Gramian angular difference field", "the sine of the difference of the angles of segments i and j"),
    "gasf": ("Gramian angular summation field", "the cosine of the sum of the angles of segments i and j"),
    "mtf": ("Markov transition field", "how likely the level at segment i is followed by that at segment j"),
    "recurrence": ("recurrence plot", "how far apart the values at segments i and j are"),
}
_NORMALIZED = {
    "record": "brought to mean 0 and standard deviation 1 in each record, so that level and height mean nothing",
    "set": "scaled by its mean and standard deviation over the training records, so that level and height count",
    "none": "left as it is",
}


@dataclass(frozen=True)
class Nouns:
    """What records are called, and what their length is counted in."""

    one: str
    many: str
    unit: str

    def count(self, number: int) -> str:
        """Return a number of them: ``1 picture``, ``40 series``."""
        return plural(number, self.one, self.many)


def nouns_of(model: Model) -> Nouns:
    """Return what the records of a model are called."""
    encoder = model.encoder
    if encoder.raw_kind == "pixels":
        return Nouns("picture", "pictures", "px")
    if encoder.raw_kind == "codes":
        return Nouns("sequence", "sequences", _LETTERS.get(model.alphabet.name if model.alphabet else "", "letters"))
    name = getattr(encoder, "name", "")
    if name == "bytes":
        return Nouns("file", "files", "bytes")
    if name == "trajectory":
        return Nouns("trajectory", "trajectories", "points")
    if rate_of(encoder) is not None:
        return Nouns("recording", "recordings", "s")
    return Nouns("series", "series", "points")


def rate_of(encoder: Encoder) -> float | None:
    """Return samples a second of recordings; None for other records."""
    rate = encoder.settings().get("rate")
    return None if rate is None else float(rate)


def measured(lengths: npt.NDArray[np.int64], encoder: Encoder) -> npt.NDArray[np.float64]:
    """Return lengths ``(N,)`` in the unit they are told in: seconds of recordings, else as they are."""
    return lengths / (rate_of(encoder) or 1.0)


def extent(model: Model, lengths: npt.NDArray[np.int64]) -> tuple[str, str]:
    """Return what the size of the records is called, and the size: ``("Length", "60–80 bp")``."""
    encoder = model.encoder
    if encoder.raw_kind == "pixels":
        channels, height, width = encoder.raw_shape
        depth = encoder.settings().get("depth", "uint8")
        bits = f", {_BITS[depth]}" if depth != "uint8" else ""
        return "Size", f"{width} × {height} px, {plural(channels, 'channel')}{bits}"
    if not len(lengths):
        return "Length", "none"
    unit, rate = nouns_of(model).unit, rate_of(encoder)
    low, high = (float(v) for v in (lengths.min(), lengths.max()))
    if rate is None:
        span = f"{low:,.0f}" if low == high else f"{low:,.0f}–{high:,.0f}"
    else:
        span = f"{low / rate:.3g}" if low == high else f"{low / rate:.3g}–{high / rate:.3g}"
    return "Length", f"{span} {unit}" + (f" at {rate:,.0f} samples/s" if rate else "")


def made_of(model: Model) -> str:
    """Return in a few words what image is made of a record; empty where it is the record itself."""
    encoder = model.encoder
    name, config = getattr(encoder, "name", ""), encoder.config()
    if name in _FIELDS:
        return f"{_FIELDS[name][0]}, {encoder.height} × {encoder.height}"
    if name == "spectrogram":
        bands = f"{config['bands']} mel bands" if config["bands"] else f"{encoder.height} frequencies"
        return f"spectrogram, {bands}"
    if name == "trajectory":
        return f"drawn picture, {encoder.height} × {encoder.height}"
    if name == "bytes":
        return f"grey picture, {encoder.height} × {encoder.height}"
    if encoder.raw_kind == "samples":
        return f"the series itself, {plural(encoder.channels, 'variable')}"
    return ""


def described(model: Model) -> str:
    """Return how a record becomes an image, in sentences, from the encoder's own settings."""
    encoder = model.encoder
    if encoder.raw_kind == "codes":
        return _codes(model)
    if encoder.raw_kind == "pixels":
        return _pixels(encoder)
    name, config = getattr(encoder, "name", ""), encoder.config()
    if name == "series":
        text = (
            f"Each {nouns_of(model).one} is an image of {plural(encoder.channels, 'channel')}, one a variable, height "
            f"1 and its own length. Each variable is {_NORMALIZED[config['normalize']]}"
        )
    elif name in _FIELDS:
        text = _field(name, config)
    elif name == "spectrogram":
        text = _spectrogram(model, config)
    elif name == "trajectory":
        side = config["size"]
        return (
            f"Each trajectory is drawn into a picture of {side} × {side} pixels and 4 channels: how much of the path "
            "runs through a pixel, mean speed and mean size of the acceleration there (each as a share of the record's "
            "largest), and clicks. The path is scaled to fill the picture, height and width alike."
        )
    elif name == "bytes":
        side = config["size"]
        return (
            f"Each file is cut into {side} × {side} equal pieces, and each piece is a grey pixel of the mean of its "
            "bytes, row by row; a short file repeats bytes (Nataraj et al. 2011)."
        )
    else:
        return f"An image is made of each record by the {name or type(encoder).__name__} encoder."
    tail = " Missing values are interpolated."
    if encoder.width is None:
        tail += f" {nouns_of(model).many.capitalize()} may differ in length; padding never changes a score."
    return f"{text}.{tail}"


def _codes(model: Model) -> str:
    alphabet = model.alphabet
    size = alphabet.size if alphabet is not None else 0
    name = alphabet.name.upper() if alphabet is not None and alphabet.name != "protein" else "protein"
    shape = f"{size} channels, height 1 and the sequence's length: one channel a letter"
    if model.encoder.height > 1:
        shape = f"one channel, {size} rows and the sequence's length: one row a letter"
    return (
        f"Each {name} sequence is an image of {shape}. Ambiguous letters are spread over the letters they stand for. "
        "Sequences may differ in length; padding never changes a score."
    )


def _pixels(encoder: Encoder) -> str:
    channels, height, width = encoder.raw_shape
    settings = encoder.settings()
    way = {
        "resize": "resized",
        "crop": "cut to their middle",
        "letterbox": "made smaller or larger in proportion, with a margin",
    }.get(settings.get("fit_by", ""), "resized")
    depth = _BITS.get(settings.get("depth", "uint8"), "8 bits")
    return (
        f"Each picture is an image of {plural(channels, 'channel')} and {width} × {height} pixels of {depth}, "
        "each channel scaled to mean 0 and standard deviation 1 over the training pictures. Pictures of other sizes "
        f"are {way}."
    )


def _field(name: str, config: dict[str, Any]) -> str:
    title, cell = _FIELDS[name]
    side = config["size"]
    if name == "mtf":
        steps = (
            f"Its values are put into {config['levels']} levels, quantiles of the series, and the steps from level to "
            f"level are counted; averaged over {side} segments,"
        )
    elif name == "recurrence":
        steps = f"The series is averaged to {side} segments and mapped to 0..1 by its own minimum and maximum;"
    else:
        steps = (
            f"The series is averaged to {side} segments, mapped to {config['low']:g}..{config['high']:g} by its own "
            "minimum and maximum, and each value taken for the cosine of an angle;"
        ).replace("-", "−")
    source = "Eckmann et al. 1987" if name == "recurrence" else "Wang & Oates 2015"
    return (
        f"Each variable becomes a {title} ({source}), a picture of {side} × {side} pixels and a channel of the image. "
        f"{steps} row i and column j hold {cell}"
    )


def _spectrogram(model: Model, config: dict[str, Any]) -> str:
    rate = config["rate"]
    one = nouns_of(model).one
    if rate:
        windows = f"{1000 * config['window'] / rate:.3g} ms every {1000 * config['hop'] / rate:.3g} ms"
        bands = f"{config['bands']} mel bands from 20 Hz to {rate / 2000:.3g} kHz"
        if not config["bands"]:
            bands = f"{model.encoder.height} frequencies up to {rate / 2000:.3g} kHz"
    else:
        windows = f"{config['window']} points every {plural(config['hop'], 'point')}"
        bands = f"{config['bands']} mel bands" if config["bands"] else f"{model.encoder.height} frequencies"
    rated = f" ({rate:,.0f} samples a second)" if rate else ""
    each = "" if model.encoder.channels == 1 else f", a channel for each of the {model.encoder.channels} variables"
    return (
        f"Each {one}{rated} becomes a spectrogram: the power in {bands} (rows) in windows of {windows} (columns)"
        f"{each}. Power is in decibels: the loudest cell of a record is 1, what is 80 dB below it or quieter is −1, so "
        "that loudness means nothing"
    )
