"""Recordings (.wav) as float32 samples, through scipy."""

import warnings
from io import BytesIO
from math import gcd
from pathlib import Path
from struct import error as StructError
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqcnn.errors import FormatError
from seqcnn.io.opening import open_bytes, shown

Recording = tuple[npt.NDArray[np.float32], float]
#: Full scale of the integer types that wav files hold; 24 bits come as the upper ones of 32.
_SCALE = {np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31, np.dtype(np.int64): 2.0**63}

#: What scipy raises where a file is damaged.
_DAMAGE = (
    ValueError, EOFError, OSError, KeyError, IndexError, ZeroDivisionError, TypeError, UnboundLocalError, StructError
)  # fmt: skip


def is_recording(path: str | Path) -> bool:
    """Return whether a file name says recording.

    >>> is_recording("a/b.WAV"), is_recording("a.mp3")
    (True, False)
    """
    return Path(path).suffix.lower() in (".wav", ".wave")


def read_recording(path: str | Path) -> Recording:
    """Return a recording ``(channels, T)`` float32, full scale being -1..1, and its samples a second.

    8-, 16-, 24- and 32-bit integers and floats of any rate and number of channels are read.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        If it is empty, truncated, damaged, or no wav file.
    """
    from scipy.io import wavfile

    name = shown(path)
    with open_bytes(path) as stream:
        data = stream.read()
    if data[:4] not in (b"RIFF", b"RIFX", b"RF64") or data[8:12] != b"WAVE":
        raise FormatError(f"{name} is no .wav recording; convert it to .wav, or delete it")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rate, values = wavfile.read(BytesIO(data))
    except _DAMAGE as error:
        why = "it lacks a part" if isinstance(error, UnboundLocalError) else error
        raise FormatError(f"{name}: the recording is truncated or damaged ({why}); replace or delete it") from None
    early = next((str(w.message) for w in caught if "EOF" in str(w.message)), None)
    missing = _missing(data)
    if early or missing:
        lost = f"{missing:,} bytes are missing" if missing else early
        raise FormatError(f"{name}: the recording is truncated ({lost}); replace or delete it")
    if rate <= 0:
        raise FormatError(f"{name}: the recording says {rate} samples a second; replace or delete it")
    if not len(values):
        raise FormatError(f"{name}: the recording holds no sample; delete it")
    samples = _as_float(np.asarray(values, values.dtype.newbyteorder("=")))
    if not np.isfinite(samples).all():
        raise FormatError(f"{name}: the recording holds values that are no finite numbers; replace or delete it")
    return np.ascontiguousarray(samples[None] if samples.ndim == 1 else samples.T), float(rate)


def _missing(data: bytes) -> int:
    """Return how many bytes of its data chunk a wav file lacks; 0 where that cannot be told."""
    order: Literal["big", "little"] = "big" if data[:4] == b"RIFX" else "little"
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], order)
        if data[at : at + 4] == b"data":
            return 0 if size in (0, 0xFFFFFFFF) else max(0, at + 8 + size - len(data))
        at += 8 + size + size % 2
    return 0


def _as_float(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - np.float32(128)) / np.float32(128)
    scale = _SCALE.get(values.dtype)
    return (values / scale).astype(np.float32) if scale else values.astype(np.float32)


def resampled(recording: npt.NDArray[np.float32], rate: float, wanted: float) -> npt.NDArray[np.float32]:
    """Return a recording ``(channels, T)`` of another rate, by a polyphase filter.

    >>> tone = np.sin(np.arange(4000) * 2 * np.pi * 100 / 8000)[None].astype(np.float32)
    >>> resampled(tone, 8000, 16000).shape
    (1, 8000)
    """
    if rate == wanted:
        return recording
    from scipy.signal import resample_poly

    ours, theirs = round(wanted), round(rate)
    shared = gcd(ours, theirs)
    return np.asarray(resample_poly(recording, ours // shared, theirs // shared, axis=1), np.float32)


def remixed(recording: npt.NDArray[np.float32], channels: int) -> npt.NDArray[np.float32]:
    """Return a recording of another number of channels: their mean for one, the mean repeated for more.

    >>> remixed(np.array([[1.0, 0.0], [0.0, 1.0]], np.float32), 1).tolist()
    [[0.5, 0.5]]
    """
    if len(recording) == channels:
        return recording
    return np.repeat(recording.mean(0, keepdims=True), channels, axis=0)
