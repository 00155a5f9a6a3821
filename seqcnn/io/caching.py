"""The user's cache folder: what is kept there is named by the file it was made of."""

import hashlib
import os
import tempfile
from pathlib import Path

from seqcnn.errors import SeqcnnError
from seqcnn.io.opening import sha256_of
from seqcnn.io.writing import atomic


def cache_folder(kind: str) -> Path:
    """Return the folder for one kind of thing, which need not exist: below ``XDG_CACHE_HOME``, or ``~/.cache``."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # a user without a home
        root = Path(tempfile.gettempdir())
    return root / "seqcnn" / kind


def stamped(path: Path, stamp: os.stat_result) -> str:
    """Return 64 characters that change with a file's place, size and time."""
    key = f"{path.resolve()}\0{stamp.st_size}\0{stamp.st_mtime_ns}"
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def content_key(path: Path) -> str:
    """Return the SHA-256 of a file; that of one whose place, size and time are known is remembered.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    memo = cache_folder("sha256") / stamped(path, path.stat())
    try:
        known = memo.read_text("ascii").strip()
        if len(known) == 64 and set(known) <= set("0123456789abcdef"):
            return known
    except (OSError, UnicodeDecodeError):
        pass
    key = sha256_of(path)
    try:
        memo.parent.mkdir(parents=True, exist_ok=True)
        with atomic(memo) as stream:
            stream.write(key + "\n")
    except (OSError, SeqcnnError):
        pass  # it is computed again the next time
    return key
