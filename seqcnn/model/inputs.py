"""What a caller may pass to a model, as raw records: strings, sequences, series, pixels, data sets."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from seqcnn.alphabet import INVALID, Alphabet
from seqcnn.data.dataset import Dataset, Pixels, Raw
from seqcnn.errors import DataError
from seqcnn.samples import Samples
from seqcnn.sequence import Codes, Sequences, encode


def as_raw(values: Any, *, encoder: Any, alphabet: Alphabet | None, unknown: str = "error") -> Raw:
    """Return `values` as the raw records that an encoder reads.

    Parameters
    ----------
    values
        Strings (a list, tuple, Series or array of them, or one), `Sequences`; series ``(N, V, T)``, ``(N, T)`` of one
        variable, or a list of such of unequal lengths, `Samples`; pixels ``(N, C, H, W)``, or ``(N, H, W)`` of one
        channel; or a `Dataset`.
    encoder
        Of the model.
    alphabet
        Of sequences; lower case is read too.
    unknown
        ``mask`` reads a letter outside the alphabet as N (X for protein).

    Raises
    ------
    AlphabetError
        Naming the record and the position of a letter outside the alphabet.
    DataError
        If the values are of another kind than the model reads, or a record is empty.
    """
    if isinstance(values, Dataset):
        theirs = values.alphabet
        if alphabet is not None and theirs is not None and theirs.has_complement != alphabet.has_complement:
            raise DataError(f"this model reads {alphabet.name} sequences; the data are {theirs.name}")
        values = values.raw
    if alphabet is None:
        if isinstance(values, Sequences):
            raise DataError(f"this model reads {KINDS[encoder.raw_kind]}; the data are sequences")
        if encoder.raw_kind == "samples":
            return _samples(values, encoder.raw_shape[0])
        return _pixels(values, *encoder.raw_shape[:1], depth=encoder.settings().get("depth", "uint8"))
    if isinstance(values, Sequences):
        return values
    strings = [values] if isinstance(values, str | bytes) else _listed(values, alphabet)
    for i, text in enumerate(strings, 1):
        if not isinstance(text, str | bytes):
            raise DataError(f"record {i}: expected a {alphabet.name} sequence as text, found {type(text).__name__}")
    letters = [s.encode("latin-1", "replace") if isinstance(s, str) else s for s in strings]
    return encode_many(letters, alphabet, names=None, unknown=unknown)


#: What people call the raw kinds.
KINDS = {"codes": "sequences", "samples": "series", "pixels": "pictures"}


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


def _samples(values: Any, variables: int) -> Samples:
    """Return series as samples of so many variables."""
    if isinstance(values, Samples):
        if values.variables != variables:
            raise DataError(f"this model reads series of {variables} variables; found {values.variables}")
        return values
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
        raise DataError(f"expected series as an array or a list of arrays, found {type(values).__name__}")
    try:
        samples = Samples.from_arrays(list(values), variables=variables)
    except (TypeError, ValueError) as error:
        raise DataError(f"this model reads series of {variables} variables: {error}") from None
    for i, record in enumerate(samples, 1):
        if not record.shape[1]:
            raise DataError(f"record {i}: no value; remove the record")
        if record.dtype != np.uint8 and (np.isinf(record).any() or np.isnan(record).all()):
            what = "infinity" if np.isinf(record).any() else "only NaN"
            raise DataError(f"record {i}: expected numbers, found {what}")
    return samples


def _pixels(values: Any, channels: int, *, depth: str) -> Pixels:
    if isinstance(values, Samples):
        raise DataError("this model reads pictures; the data are series")
    try:
        pixels = np.asarray(values)
    except ValueError:
        raise DataError("pixels: expected pictures of one size; resize them first") from None
    if pixels.ndim == 3 and channels == 1:
        pixels = pixels[:, None]
    if pixels.ndim != 4 or pixels.shape[1] != channels:
        raise DataError(f"this model reads pictures: expected pixels (N, {channels}, H, W), found {pixels.shape}")
    if str(pixels.dtype) != depth:
        what = "from 0 to 255" if depth == "uint8" else "as in training"
        raise DataError(f"pixels: expected {depth} {what}, found {pixels.dtype}; convert with .astype({depth!r})")
    return pixels
