"""Inputs as byte streams: files, standard input and gzip told by content, with errors that name the file."""

import io
import os
import stat
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from seqcnn.checks import did_you_mean
from seqcnn.errors import FormatError, InputFileError

#: Bytes taken from the disk at a time: so many that Python's cost a block vanishes, and that they stay in the cache.
BLOCK = 1 << 18

STDIN = "-"

#: First bytes of files people pass by mistake, and what to say of them.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip or Excel file; unpack it, or save it as .csv"),
    (b"BZh", "bzip2-compressed; unpack it, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "xz-compressed; unpack it, or compress it with gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed; unpack it, or compress it with gzip"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
)


def shown(path: str | Path) -> str:
    """Return how messages name an input: its path as given, or ``standard input``."""
    return "standard input" if str(path) == STDIN else str(path)


class _Gunzip(io.RawIOBase):
    """A gzip stream of any number of members (so bgzip too), decompressed in large blocks."""

    def __init__(self, source: io.BufferedReader, name: str) -> None:
        self._source = source
        self._name = name
        self._inflate = zlib.decompressobj(wbits=31)
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        while True:
            if self._inflate.eof:
                self._waiting = self._inflate.unused_data or self._source.read1(BLOCK)
                while self._waiting and not self._waiting.strip(b"\0"):  # tapes pad the end with zeros
                    self._waiting = self._source.read1(BLOCK)
                if not self._waiting:
                    return 0
                self._inflate = zlib.decompressobj(wbits=31)
            elif not self._waiting:
                self._waiting = self._source.read1(BLOCK)
                if not self._waiting:
                    raise FormatError(f"{self._name}: the gzip file ends early (truncated); copy or download it again")
            try:
                data = self._inflate.decompress(self._waiting, len(target))
            except zlib.error as error:
                raise FormatError(
                    f"{self._name}: the gzip file is damaged ({error}); copy or download it again"
                ) from None
            self._waiting = self._inflate.unconsumed_tail
            if data:
                target[: len(data)] = data
                return len(data)

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def open_bytes(path: str | Path, *, empty: bool = False) -> io.BufferedReader:
    """Return the bytes of a file, or of standard input for ``-``, unzipped where they are gzip.

    Compression is told by content, not by name; a UTF-8 byte-order mark is skipped. The stream can be peeked.

    Parameters
    ----------
    path
        A file, or ``-``.
    empty
        Whether nothing at all is fine; otherwise an empty input is an error.

    Raises
    ------
    InputFileError
        If the file is missing, a folder, or not allowed to be read.
    FormatError
        If the input is empty, truncated or damaged gzip, compressed otherwise, or UTF-16 text.
    """
    name = shown(path)
    if str(path) == STDIN:
        if sys.stdin is None:
            raise InputFileError("standard input is closed; name a file")
        raw: io.BufferedReader = io.BufferedReader(_Borrowed(sys.stdin.buffer), BLOCK)
    else:
        raw = _open_file(path)
    head = raw.peek(6)
    stream: io.BufferedReader = raw
    if head[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(_Gunzip(raw, name), BLOCK)
        head = stream.peek(6)
    if not head and not empty:
        stream.close()
        raise FormatError(f"{name} is empty; expected at least one record")
    for signature, meaning in _SIGNATURES:
        if head.startswith(signature):
            stream.close()
            raise FormatError(f"{name} is {meaning}")
    if head.startswith(b"\xef\xbb\xbf"):
        stream.read(3)
    return stream


class _Borrowed(io.RawIOBase):
    """Standard input, which closing the reader must not close."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, target: memoryview) -> int:  # type: ignore[override]
        read = getattr(self._source, "read1", self._source.read)
        data: bytes = read(len(target))
        target[: len(data)] = data
        return len(data)


def _open_file(path: str | Path) -> io.BufferedReader:
    """Open a file for reading, with our own errors."""
    try:
        return io.BufferedReader(io.FileIO(path), BLOCK)
    except FileNotFoundError:
        raise InputFileError(f"{path}: no such file{_near(Path(path))}") from None
    except IsADirectoryError:
        raise InputFileError(f"{path} is a folder; expected a file") from None
    except PermissionError:
        raise InputFileError(f"{path} cannot be read: permission denied") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputFileError(f"{path} cannot be read: {reason}") from None


def _near(path: Path) -> str:
    """Return a did-you-mean of the files beside a missing one."""
    try:
        return did_you_mean(path.name, os.listdir(path.parent))
    except OSError:
        return f"; the folder {path.parent} does not exist"


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as they lie on the disk; empty for pipes, which can be read only once."""
    from hashlib import sha256

    if str(path) == STDIN:
        return ""
    with _open_file(path) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return ""
        digest = sha256()
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
