"""One safetensors file with a JSON header and a SHA-256 over every byte of it."""

import hashlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.errors import ModelFileError

#: Rises when an older seqcnn could no longer read the file.
FORMAT = 1
_KEY = "seqcnn"
_NO_DIGEST = "0" * 64

Arrays = dict[str, npt.NDArray[Any]]


def pack(header: dict[str, Any], arrays: Arrays) -> bytes:
    """Return the bytes of a file that holds a JSON header and named arrays; the same bytes for the same content.

    Raises
    ------
    ValueError
        If the header holds NaN, infinity or what JSON cannot hold.
    """
    from safetensors.numpy import save

    full = {"sha256": _NO_DIGEST, "format": FORMAT, **header}
    text = json.dumps(full, allow_nan=False, separators=(",", ":"))
    data = save({name: _stored(array) for name, array in arrays.items()}, metadata={_KEY: text})
    return data.replace(_NO_DIGEST.encode(), hashlib.sha256(data).hexdigest().encode(), 1)


def unpack(data: bytes, where: str) -> tuple[dict[str, Any], Arrays]:
    """Return the header (without format and digest) and the arrays of a file's bytes.

    The digest is that of the whole file with the digest itself written as zeros, so any changed byte is found.

    Raises
    ------
    ModelFileError
        If the bytes are empty, cut, foreign, edited, or of a newer format; it names `where`.
    """
    if not data:
        raise ModelFileError(f"{where}: the file is empty; expected a seqcnn model")
    safetensors_header = _safetensors_header(data, where)
    text = (safetensors_header.get("__metadata__") or {}).get(_KEY)
    if text is None:
        raise ModelFileError(
            f"{where}: a safetensors file that seqcnn did not write (no {_KEY!r} in its metadata); expected a model "
            "saved by 'seqcnn train' or Model.save"
        )
    try:
        header = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise ModelFileError(f"{where}: the seqcnn header is not JSON: the file was edited; restore it") from None
    if not isinstance(header, dict):
        raise ModelFileError(f"{where}: the seqcnn header is not a JSON object; the file was edited; restore it")
    found = header.pop("format", None)
    if isinstance(found, int) and found > FORMAT:
        raise ModelFileError(
            f"{where}: model format {found} is newer than this seqcnn reads (format {FORMAT}); update seqcnn "
            "(pip install -U seqcnn)"
        )
    digest = header.pop("sha256", None)
    written = digest.encode("utf-8", "replace") if isinstance(digest, str) and digest else b"\0"
    plain = data.replace(written, _NO_DIGEST.encode(), 1)
    if hashlib.sha256(plain).hexdigest() != digest:
        raise ModelFileError(
            f"{where}: the SHA-256 of its header and weights does not match: the file was edited or damaged; "
            "restore it from a copy or train again"
        )
    if found != FORMAT:
        raise ModelFileError(f"{where}: model format {found!r} is unknown; this seqcnn reads format {FORMAT}")
    from safetensors.numpy import load

    return header, load(data)


def _safetensors_header(data: bytes, where: str) -> dict[str, Any]:
    """Return the JSON that safetensors itself keeps, having checked that the bytes are all there."""
    foreign = f"{where}: not a seqcnn model file (not safetensors); pass a file saved by 'seqcnn train' or Model.save"
    size = int.from_bytes(data[:8], "little")
    if data[8:9] != b"{" or size > 100_000_000:
        raise ModelFileError(foreign)
    cut = f"{where}: the model file is cut: {len(data):,} bytes are there, it needs {{}}; copy it again or train again"
    if len(data) < 8 + size:
        raise ModelFileError(cut.format(f"more than {8 + size:,}"))
    try:
        header = json.loads(data[8 : 8 + size])
        end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        raise ModelFileError(foreign) from None
    if isinstance(end, int) and len(data) < 8 + size + end:
        raise ModelFileError(cut.format(f"{8 + size + end:,}"))
    if not isinstance(header.get("__metadata__") or {}, dict):
        raise ModelFileError(foreign)
    return dict(header)


def _stored(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array in C order and little-endian, as safetensors keeps it."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).reshape(array.shape)
