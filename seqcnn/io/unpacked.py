"""Unpacked copies of bgzip genomes in the user's cache folder: a byte a letter, named by the content of the file.

A copy holds the letters of all chromosomes one after the other, a line of JSON that says where each lies, and the
length of that line. Letters rather than codes are kept, as codes depend on the alphabet and are one table look-up away.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time_ns
from typing import Any

from seqcnn.errors import DiskFullError, FormatError, SeqcnnError
from seqcnn.io.caching import cache_folder, content_key
from seqcnn.io.faidx import Entry
from seqcnn.io.opening import BLOCK
from seqcnn.io.writing import atomic

#: Ends each copy: the kind of file, and its version.
_MAGIC = b"seqcnn1\n"
#: Bytes of the number that says how long the line of JSON is.
_NUMBER = 8

Pieces = Callable[[], Iterator[tuple[str, Iterator[bytes]]]]


def unpacked(path: Path, pieces: Pieces, notes: list[str]) -> tuple[Path, list[Entry]] | None:
    """Return the copy of a genome and where its chromosomes lie; None where none can be kept.

    Parameters
    ----------
    path
        The genome. Its content names the copy, so that a file of the same name with other letters has another one.
    pieces
        Yields each chromosome's name and its letters in pieces.
    notes
        Gets sentences on a copy that was made, remade or could not be kept.
    """
    key = content_key(path)
    copy = cache_folder("genomes") / f"{key}.letters"
    try:
        entries = _read(copy, key)
        if entries is not None:
            return copy, entries
        again = copy.exists()
        copy.parent.mkdir(parents=True, exist_ok=True)
        _write(copy, key, pieces)
        entries = _read(copy, key)
    except DiskFullError:
        notes.append(f"--cache: no room in {copy.parent} for a copy of {path}; read without one")
        return None
    except FormatError:
        raise  # the genome itself is damaged
    except (OSError, SeqcnnError):
        notes.append(f"--cache: no copy of {path} can be kept in {copy.parent}; read without one")
        return None
    if entries is None:
        return None
    size = copy.stat().st_size
    what = "a damaged copy was made again" if again else "an unpacked copy was made"
    notes.append(f"--cache: {what}, {size / 1e6:,.1f} MB in {copy.parent}")
    return copy, entries


def _write(copy: Path, key: str, pieces: Pieces) -> None:
    """Write a copy, whole or not at all; its time is the one it names."""
    chromosomes: list[tuple[str, int]] = []
    check = 0
    written = time_ns() // 10**9 * 10**9  # whole seconds, which every file system keeps
    with atomic(copy, "wb") as stream:
        for name, parts in pieces():
            length = 0
            for part in parts:
                stream.write(part)
                length += len(part)
                check = zlib.crc32(part, check)
            chromosomes.append((name, length))
        line = json.dumps({"key": key, "check": check, "written": written, "chromosomes": chromosomes}).encode()
        stream.write(line + len(line).to_bytes(_NUMBER, "little") + _MAGIC)
    os.utime(copy, ns=(written, written))


def _read(copy: Path, key: str) -> list[Entry] | None:
    """Return where the chromosomes lie in a copy; None where there is none, or it is not what was written.

    The letters are compared with their checksum only where the file was touched since.
    """
    try:
        stamp = copy.stat()
        with open(copy, "rb") as stream:
            stream.seek(-_NUMBER - len(_MAGIC), os.SEEK_END)
            size = int.from_bytes(stream.read(_NUMBER), "little")
            if stream.read() != _MAGIC:
                return None
            letters = stamp.st_size - _NUMBER - len(_MAGIC) - size
            stream.seek(letters)
            said: dict[str, Any] = json.loads(stream.read(size))
            if said["key"] != key or sum(length for _, length in said["chromosomes"]) != letters:
                return None
            if said["written"] != stamp.st_mtime_ns:
                stream.seek(0)
                check = 0
                while letters and (block := stream.read(min(BLOCK, letters))):
                    check = zlib.crc32(block, check)
                    letters -= len(block)
                if check != said["check"]:
                    return None
                os.utime(copy, ns=(said["written"], said["written"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    entries, at = [], 0
    for name, length in said["chromosomes"]:
        entries.append(Entry(name, length, at, max(1, length), max(1, length) + 1))
        at += length
    return entries
