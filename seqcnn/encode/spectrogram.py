"""Recordings and series as spectrograms: power by frequency and time, on a mel and a decibel scale."""

from math import ceil, log2
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqcnn.checks import whole
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.series import check_samples, filled, inside
from seqcnn.samples import Samples

#: Seconds of a window, and between windows, of a recording; mel bands, and the lowest frequency in hertz.
WINDOW, HOP, BANDS, LOWEST = 0.025, 0.010, 40, 20.0
#: A window holds at least so many samples; a series without a rate has so many windows along its longest record.
_FEWEST, _WINDOWS = 16, 32
#: Decibels below the loudest cell of a record that are still told apart.
RANGE = 80.0
#: Frequency in hertz of a number of mels, and back (O'Shaughnessy 1987).
_BREAK, _MELS = 700.0, 1127.0


class Spectrogram(Encoder):
    """Samples ``(N, V, T)`` to pictures ``(N, V, F, frames)``: log power, a row a band, a column a window.

    Windows are centred on their column, the record padded with zeros: column t stands for sample ``t * hop``. The
    loudest cell of a record is 1 and what is 80 dB below it, or quieter, is -1, so that loudness does not matter.

    Parameters
    ----------
    variables
        V: audio channels, or the variables of a series.
    window, hop
        Samples of a window (Hann), and between windows.
    bands
        Mel bands from 20 Hz to half the rate; 0 keeps all frequencies as they are.
    rate
        Samples a second; None for series, which have no hertz and so no mels.

    Examples
    --------
    >>> tone = torch.sin(torch.arange(800) * 2 * torch.pi * 1000 / 8000)[None, None]
    >>> encoder = Spectrogram(1, window=256, hop=80, rate=8000)
    >>> image = encoder(tone)
    >>> image.shape, int(image[0, 0, :, 5].argmax()) * 8000 / 256
    (torch.Size([1, 1, 129, 11]), 1000.0)
    """

    name: ClassVar[str] = "spectrogram"
    raw_kind: ClassVar[str] = "samples"
    files: ClassVar[str | None] = "recording"
    hann: Tensor
    mel: Tensor

    def __init__(self, variables: int, *, window: int, hop: int, bands: int = 0, rate: float | None = None) -> None:
        super().__init__()
        self.channels, self.raw_shape, self.rate, self.sizeless = variables, (variables,), rate, variables == 1
        self.window, self.hop = whole(window, "window", 2), whole(hop, "hop", 1)
        self.bands = whole(bands, "bands", 0)
        self.size = 2 ** ceil(log2(window))  # of the transform
        frequencies = self.size // 2 + 1
        self.height = bands or frequencies
        mel = mel_filters(bands, self.size, float(rate or window)) if bands else np.eye(frequencies, dtype=np.float32)
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.register_buffer("mel", torch.from_numpy(mel), persistent=False)

    @classmethod
    def fit(cls, raw: Samples, *, rate: float | None = None, size: int | None = None, **settings: Any) -> Self:
        """Return the encoder whose windows suit the rate, or else the lengths, of `raw`.

        Parameters
        ----------
        rate
            Samples a second.
        size
            Bands of a recording.
        """
        if rate is None:
            longest = int(raw.lengths.max(initial=1))
            window = max(_FEWEST, 2 ** round(log2(max(longest / 8, 1))))
            return cls(raw.variables, window=window, hop=max(1, min(window // 4, longest // _WINDOWS)))
        window = max(_FEWEST, round(WINDOW * rate))
        bands = min(size or BANDS, window // 2)
        return cls(raw.variables, window=window, hop=max(1, round(HOP * rate)), bands=bands, rate=rate)

    def columns(self, lengths: Tensor) -> Tensor:
        """Return the number of windows of records of these lengths."""
        return lengths // self.hop + 1

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {
            "variables": self.channels, "window": self.window, "hop": self.hop, "bands": self.bands, "rate": self.rate
        }  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return the sampling rate of recordings."""
        return {} if self.rate is None else {"rate": self.rate, "size": self.bands}

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return float32 ``(N, V, F, frames)`` of `raw` ``(N, V, T)``; columns beyond a record are zero."""
        check_samples(raw, self)
        real = inside(raw, lengths)
        values = filled(raw.float(), real)
        count = real.sum(-1, keepdim=True).clamp(min=1)
        values = torch.where(real, values - values.sum(-1, keepdim=True) / count, 0)
        with torch.autocast(raw.device.type, enabled=False):
            flat = torch.nn.functional.pad(values.flatten(0, 1), (self.size // 2,) * 2)
            parts = torch.stft(
                flat, self.size, self.hop, self.window, self.hann, center=False, return_complex=True
            )  # (N * V, frequencies, frames)
            power = self.mel @ (parts.real.square() + parts.imag.square())
        bands = power.reshape(*values.shape[:2], self.height, -1)
        frames = self.columns(real[:, 0].sum(-1))
        shown = (torch.arange(bands.shape[-1], device=raw.device) < frames[:, None])[:, None, None]
        peak = torch.where(shown, bands, 0).amax((1, 2, 3), keepdim=True).clamp(min=1e-20)
        decibel = 10 * torch.log10((bands / peak).clamp(min=10 ** (-RANGE / 10)))
        return torch.where(shown, decibel * (2 / RANGE) + 1, 0)


def mel_filters(bands: int, size: int, rate: float) -> npt.NDArray[np.float32]:
    """Return triangles ``(bands, size // 2 + 1)`` of height 1 whose centres are equally far apart in mels.

    They reach from 20 Hz to half the rate; a band narrower than a frequency takes the nearest one.

    >>> mel_filters(2, 8, 8000.0).astype(float).round(2).tolist()
    [[0.0, 0.7, 0.0, 0.0, 0.0], [0.0, 0.3, 0.92, 0.46, 0.0]]
    """
    centre = np.arange(size // 2 + 1) * rate / size
    lowest, top = (_MELS * np.log1p(f / _BREAK) for f in (min(LOWEST, rate / 4), rate / 2))
    edges = _BREAK * np.expm1(np.linspace(lowest, top, bands + 2) / _MELS)
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weight = np.minimum((centre - left) / (middle - left), (right - centre) / (right - middle)).clip(0)
    empty = np.flatnonzero(weight.sum(1) == 0)
    weight[empty, np.abs(centre - middle[empty]).argmin(1)] = 1
    return np.asarray(weight, np.float32)
