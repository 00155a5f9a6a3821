"""Outputs that appear whole or not at all: written beside, then renamed."""

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NoReturn
from uuid import uuid4

from seqcnn.errors import DiskFullError, OptionError, OutputFileError, SeqcnnError

#: What the system calls a full disk, or a full share of one.
FULL = (errno.ENOSPC, errno.EDQUOT)


def fail(path: str | os.PathLike[str], error: OSError) -> NoReturn:
    """Raise `DiskFullError` or `OutputFileError` for what the system says of an output."""
    if error.errno in FULL:
        raise DiskFullError(f"{path}: the disk is full; no partial file remains; free some space") from None
    raise OutputFileError(f"{path} cannot be written: {error.strerror or error}") from None


def check_apart(outputs: Iterable[str], inputs: Iterable[str]) -> None:
    """Raise `OptionError` where an output is an input too, or an input's index, or two outputs are one file.

    >>> check_apart(["a.tsv", "./a.tsv"], ["a.fa"])
    Traceback (most recent call last):
    seqcnn.errors.OptionError: a.tsv and ./a.tsv are one file; name two outputs
    """
    written: dict[str, str] = {}
    for output in outputs:
        place = os.path.realpath(output)
        if _special(Path(place)):
            continue
        if place in written:
            raise OptionError(f"{written[place]} and {output} are one file; name two outputs")
        written[place] = output
    for source in inputs:
        for name in (source, f"{source}.fai", f"{source}.gzi"):
            if (output := written.get(os.path.realpath(name), "")) and os.path.exists(name):
                raise OptionError(f"{output} is an input and an output; name another output")


def check_writable(path: str | os.PathLike[str], *, folder: bool = False) -> Path:
    """Return `path` if it can be written, to be called before long work.

    Parameters
    ----------
    path
        Where a file (or, with `folder`, a folder of files) is to be.
    folder
        Whether the output is a folder, which may exist already.

    Raises
    ------
    OutputFileError
        If the folder it is to lie in does not exist, or either cannot be written, or one is not what is expected.

    Examples
    --------
    >>> check_writable("no/such/my.model")
    Traceback (most recent call last):
    seqcnn.errors.OutputFileError: no/such/my.model: the folder no/such does not exist; make it first
    """
    path = Path(path)
    parent = path.parent
    if not os.path.lexists(parent):
        raise OutputFileError(f"{path}: the folder {parent} does not exist; make it first")
    if not parent.is_dir():
        raise OutputFileError(f"{path}: {parent} is not a folder; name another place")
    if path.is_dir() and not folder:
        raise OutputFileError(f"{path} is a folder; expected the name of a file")
    if folder and path.exists() and not path.is_dir():
        raise OutputFileError(f"{path} is a file; expected the name of a folder")
    if not os.access(path if path.exists() else parent, os.W_OK):
        raise OutputFileError(f"{path} cannot be written: permission denied")
    if not os.access(parent, os.W_OK) and not folder and not _special(path):
        raise OutputFileError(f"{path} cannot be written: the folder {parent} does not allow it")
    return path


def _special(path: Path) -> bool:
    """Return whether `path` is a device or pipe, such as /dev/null, which is written in place."""
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


def _beside(path: Path) -> Path:
    """Return a new hidden name in the folder of `path`."""
    return path.with_name(f".{path.name[:100]}.{uuid4().hex[:12]}.part")


def _nameless(folder: Path) -> int | None:
    """Open a file without a name in `folder` (Linux), of which even a killed process leaves nothing; else None."""
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        return os.open(folder, flag | os.O_RDWR, 0o666)
    except OSError:
        return None


def _name(nameless: int, path: Path) -> None:
    """Give a file without a name one; where the file system cannot, copy it."""
    source = f"/proc/self/fd/{nameless}"
    try:
        os.link(source, path, src_dir_fd=nameless, follow_symlinks=True)  # with a descriptor Python calls linkat
    except OSError:
        shutil.copyfile(source, path)


@contextmanager
def atomic(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Yield a file that becomes `path` when the block ends well, and vanishes when it does not.

    The permissions are those that ``open`` would give, or those of the file that is replaced. Devices and pipes are
    written in place.

    Parameters
    ----------
    path
        Where the file is to be.
    mode
        ``w`` (UTF-8 text, line ends as written) or ``wb``.

    Raises
    ------
    OutputFileError
        If the place cannot be written.
    DiskFullError
        If the disk fills up meanwhile.
    """
    check_writable(path)
    text: dict[str, str] = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
    final = Path(os.path.realpath(path))
    partial = _beside(final)
    nameless: int | None = None
    try:
        if _special(final):
            with open(path, mode, **text) as stream:  # type: ignore[call-overload]
                yield stream
            return
        nameless = _nameless(final.parent)
        with open(partial if nameless is None else nameless, mode, **text) as stream:  # type: ignore[call-overload]
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if nameless is not None:
                _name(nameless, partial)
        if final.exists():
            shutil.copymode(final, partial)
        os.replace(partial, final)
    except (SeqcnnError, BrokenPipeError):
        raise
    except OSError as error:
        if error.filename not in (None, str(path), str(partial), str(final), f"/proc/self/fd/{nameless}"):
            raise
        fail(path, error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a name beside `path` for a library that opens files itself; the file there becomes `path` at the end.

    Raises
    ------
    OutputFileError
        If the place cannot be written, or is a device or a pipe.
    DiskFullError
        If the disk fills up meanwhile.
    """
    final = Path(os.path.realpath(check_writable(path)))
    if _special(final):
        raise OutputFileError(f"{path} is a device or a pipe, which this format cannot be written to; name a file")
    partial = _beside(final)
    try:
        yield partial
        if final.exists():
            shutil.copymode(final, partial)
        os.replace(partial, final)
    except OSError as error:
        if isinstance(error, SeqcnnError) or error.filename not in (None, str(partial), str(final)):
            raise
        fail(path, error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], *, ours: Sequence[str] = ()) -> Iterator[Path]:
    """Yield an empty folder whose files move to `path` when the block ends well.

    Files that lie there already and are not written anew stay, except those that match a pattern of `ours`.

    Parameters
    ----------
    path
        The folder; made if it does not exist (its parent must).
    ours
        Glob patterns, such as ``logos/*.svg``, of files of an earlier run that must not outlive it.

    Raises
    ------
    OutputFileError
        If the place cannot be written.
    DiskFullError
        If the disk fills up meanwhile.
    """
    final = Path(os.path.realpath(check_writable(path, folder=True)))
    partial = _beside(final) if os.access(final.parent, os.W_OK) else final / _beside(final).name
    try:
        partial.mkdir()
        yield partial
        final.mkdir(exist_ok=True)
        written = sorted(p.relative_to(partial) for p in partial.rglob("*"))
        for pattern in ours:
            for old in final.glob(pattern):
                if old.relative_to(final) not in written and old.is_file():
                    old.unlink()
        for name in written:
            if (partial / name).is_dir():
                (final / name).mkdir(exist_ok=True)
            else:
                os.replace(partial / name, final / name)
    except SeqcnnError:
        raise
    except OSError as error:
        if error.errno not in FULL and not str(error.filename or "").startswith((str(partial), str(final))):
            raise
        fail(path, error)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
