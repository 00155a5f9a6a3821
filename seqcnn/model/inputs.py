"""What a caller may pass to a model, as raw records: strings, sequences, data sets, pixels."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from seqcnn.alphabet import INVALID, Alphabet
from seqcnn.data.dataset import Dataset, Pixels, Raw
from seqcnn.errors import DataError
from seqcnn.sequence import Codes, Sequences, encode


def as_raw(values: Any, *, alphabet: Alphabet | None, channels: int | None = None, unknown: str = "error") -> Raw:
    """Return `values` as the raw records that a model of this alphabet (None: pictures) reads.

    Parameters
    ----------
    values
        Strings (a list, tuple, Series or array of them, or one), `Sequences`, a `Dataset`, or pixels uint8
        ``(N, C, H, W)``; ``(N, H, W)`` too where there is one channel.
    alphabet
        Of the model; lower case is read too.
    channels
        Of the pictures.
    unknown
        ``mask`` reads a letter outside the alphabet as N (X for protein).

    Raises
    ------
    AlphabetError
        Naming the record and the position of a letter outside the alphabet.
    DataError
        If the values are of another kind than the model reads, or a sequence is empty.
    """
    if isinstance(values, Dataset):
        theirs = values.alphabet
        if alphabet is not None and theirs is not None and theirs.has_complement != alphabet.has_complement:
            raise DataError(f"this model reads {alphabet.name} sequences; the data are {theirs.name}")
        values = values.raw
    if alphabet is None:
        return _pixels(values, channels)
    if isinstance(values, Sequences):
        return values
    strings = [values] if isinstance(values, str | bytes) else _listed(values, alphabet)
    for i, text in enumerate(strings, 1):
        if not isinstance(text, str | bytes):
            raise DataError(f"record {i}: expected a {alphabet.name} sequence as text, found {type(text).__name__}")
    letters = [s.encode("latin-1", "replace") if isinstance(s, str) else s for s in strings]
    return encode_many(letters, alphabet, names=None, unknown=unknown)


def _listed(values: Any, alphabet: Alphabet) -> list[Any]:
    """Return what is in a list-like of strings; a table, mapping or set has no one column or order to take."""
    shape = getattr(values, "shape", None)
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable) or (shape is not None and len(shape) != 1):
        found = type(values).__name__ + ("" if shape is None else f" of shape {tuple(shape)}")
        raise DataError(f"expected {alphabet.name} sequences as a list or one column of text, found {found}")
    return list(values)


def encode_many(
    letters: Sequence[bytes],
    alphabet: Alphabet,
    *,
    names: Sequence[str] | None = None,
    unknown: str = "error",
    where: str = "",
) -> Sequences:
    """Return the codes of many records, translated all at once.

    Raises
    ------
    AlphabetError, DataError
        Naming `where` and the record: its name, or its number from 1.
    """
    offsets = np.zeros(len(letters) + 1, np.int64)
    np.cumsum([len(text) for text in letters], out=offsets[1:])
    codes: Codes = np.frombuffer(b"".join(letters).translate(alphabet.lookup), np.uint8)
    if (codes == INVALID).any() or (np.diff(offsets) == 0).any():
        one_by_one = []
        for i, text in enumerate(letters):
            name = f"{where}record {i + 1 if names is None else names[i]}"
            if not text.removesuffix(b"*"):
                raise DataError(f"{name}: no sequence; remove the record")
            one_by_one.append(encode(text, alphabet, unknown=unknown, where=name))
        return Sequences.from_codes(one_by_one)
    return Sequences(codes, offsets)


def _pixels(values: Any, channels: int | None) -> Pixels:
    if isinstance(values, Sequences):
        raise DataError("this model reads pictures; the data are sequences")
    try:
        pixels = np.asarray(values)
    except ValueError:
        raise DataError("pixels: expected pictures of one size; resize them first") from None
    if pixels.ndim == 3 and channels == 1:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or (channels is not None and pixels.shape[1] != channels):
        raise DataError(
            f"this model reads pictures: expected pixels (N, {channels or 'C'}, H, W), found {pixels.shape}"
        )
    if pixels.dtype != np.uint8:
        raise DataError(f"pixels: expected uint8 from 0 to 255, found {pixels.dtype}; convert with .astype('uint8')")
    return pixels
