"""Outputs that a run which was cut off leaves behind, to be gone on with by the next one."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Any, NoReturn

from seqcnn.errors import DiskFullError, OptionError, OutputFileError, SeqcnnError
from seqcnn.io.writing import FULL, atomic, fail

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds between two records of how far a run has come.
_EVERY = 2.0


class Kept:
    """Text files that appear when they are whole, as `atomic` ones do, but stay beside where the run is cut off.

    ``.NAME.part`` grows beside each output, and ``.NAME.resume`` beside the first says in JSON on which terms they are
    written, how many steps of the work they hold, and the bytes of each. An interrupt, a full disk, a kill leave both;
    what is wrong with the input leaves nothing.

    Parameters
    ----------
    paths
        The outputs.
    terms
        What decides the bytes that are written: names and values.
    resume
        Whether to go on with what is kept; else it is begun anew.

    Attributes
    ----------
    steps
        Of the work that are done and written.

    Raises
    ------
    OptionError
        If what is kept was made on other terms, or is damaged.
    """

    def __init__(self, paths: Sequence[str], terms: Mapping[str, Any], *, resume: bool = False) -> None:
        self.terms = json.loads(json.dumps(terms))
        self._given = list(paths)
        self._finals = [Path(os.path.realpath(path)) for path in paths]
        self._parts = [final.with_name(f".{final.name}.part") for final in self._finals]
        self._record = self._finals[0].with_name(f".{self._finals[0].name}.resume")
        self._streams: list[IO[str]] = []
        self.steps, self._bytes = self._found() if resume and self._record.exists() else (0, [0] * len(self._parts))
        self._saved = -_EVERY

    def _found(self) -> tuple[int, list[int]]:
        """Return steps and bytes of what is kept."""
        anew = "leave --resume out to begin anew"
        try:
            held = json.loads(self._record.read_text("utf-8"))
            terms, steps, sizes = held["terms"], int(held["steps"]), [int(size) for size in held["bytes"]]
            short = [part for part, size in zip(self._parts, sizes, strict=True) if part.stat().st_size < size]
        except (OSError, ValueError, KeyError, TypeError):
            raise OptionError(f"--resume: {self._record} or its .part file is damaged; {anew}") from None
        if short:
            raise OptionError(f"--resume: {short[0]} is shorter than it was; {anew}")
        for name in dict.fromkeys([*terms, *self.terms]):
            then, now = terms.get(name), self.terms.get(name)
            if then != now:
                raise OptionError(
                    f"--resume: {self._given[0]} was begun with {name} {_said(then)}, now it is {_said(now)}; "
                    f"pass the same, or {anew}"
                )
        return steps, sizes

    def __enter__(self) -> "Kept":
        try:
            for path, part, size in zip(self._given, self._parts, self._bytes, strict=True):
                stream = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o666), "w", encoding="utf-8", newline="")
                self._streams.append(stream)
                try:
                    if fcntl is not None:
                        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise OutputFileError(f"{path} is being written by another run; wait for it") from None
                except OSError:
                    pass  # a file system without locks
                if not self.steps:
                    self._record.unlink(missing_ok=True)
                os.ftruncate(stream.fileno(), size)
                stream.seek(size)
        except BaseException as error:
            self._close()
            if isinstance(error, OSError) and not isinstance(error, SeqcnnError):
                fail(self._given[0], error)
            raise
        return self

    @contextmanager
    def opened(self, path: str) -> Iterator[IO[str]]:
        """Yield the file that becomes one of the outputs; it begins with what was kept.

        Raises
        ------
        DiskFullError
            If the disk fills up.
        OutputFileError
            If the file cannot be written.
        """
        try:
            yield self._streams[self._given.index(path)]
        except OSError as error:
            if isinstance(error, SeqcnnError) or error.filename is not None:
                raise
            self._fail(path, error)

    def _fail(self, path: str, error: OSError) -> NoReturn:
        if error.errno in FULL and self.steps:
            raise DiskFullError(
                f"{path}: the disk is full; what was written is kept: free some space and pass --resume to go on"
            ) from None
        fail(path, error)

    def mark(self) -> None:
        """Say that one more step is done, and what it wrote is in the files."""
        self._bytes = [os.fstat(stream.fileno()).st_size for stream in self._streams]
        self.steps += 1
        if monotonic() - self._saved >= _EVERY:
            for stream in self._streams:
                os.fsync(stream.fileno())
            self._save()
            self._saved = monotonic()

    def _save(self) -> None:
        with atomic(self._record) as stream:
            json.dump({"terms": self.terms, "steps": self.steps, "bytes": self._bytes}, stream, indent=1)

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._settle()
        elif self.steps and _cut_off(error):
            with suppress(OSError):  # the last record holds, too
                for stream, size in zip(self._streams, self._bytes, strict=True):
                    os.ftruncate(stream.fileno(), size)
                self._save()
            error.add_note("what was written is kept: the same command with --resume goes on")
            self._close()
        else:
            self._remove()

    def _settle(self) -> None:
        try:
            for stream in self._streams:
                stream.flush()
                os.fsync(stream.fileno())
            for part, final in zip(self._parts, self._finals, strict=True):
                if final.exists():
                    shutil.copymode(final, part)
                os.replace(part, final)
            self._record.unlink(missing_ok=True)
        except OSError as error:
            self._fail(self._given[0], error)
        finally:
            self._close()

    def _remove(self) -> None:
        for path in (self._record, *self._parts):
            path.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        for stream in self._streams:
            with suppress(OSError):  # bytes that a full disk did not take are not wanted
                stream.close()


def _cut_off(error: BaseException) -> bool:
    """Return whether a run could have gone on, but for its surroundings."""
    return not isinstance(error, SeqcnnError) or isinstance(error, OutputFileError) or error.exit_code == 1


def _said(value: Any) -> str:
    return "not given" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
