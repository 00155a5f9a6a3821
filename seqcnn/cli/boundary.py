"""The edge between the package and the shell: every exception becomes one line and an exit code."""

import errno
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType

import typer

from seqcnn.errors import SeqcnnError, SeqcnnWarning

#: What a shell expects of a program that a signal ended: 128 and the signal's number.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
PIPE_CLOSED = 128 + 13
#: What the system says of a full disk.
FULL = (errno.ENOSPC, errno.EDQUOT)


class Terminated(BaseException):
    """SIGTERM arrived; outputs are cleaned up on the way out."""


class CarriedError(BaseException):
    """Takes its cause past typer, which has answers of its own to Ctrl-C and to closed pipes."""


def say(kind: str, text: str) -> None:
    """Write ``seqcnn: kind: text`` as one line to stderr."""
    line = " ".join(str(text).split())
    print(f"seqcnn: {kind}: {line}" if kind else f"seqcnn: {line}", file=sys.stderr, flush=True)


def warnings_once() -> Callable[..., None]:
    """Return a `warnings.showwarning` that writes each of ours once, as a line on stderr."""
    said: set[str] = set()

    def show(message: Warning | str, *where: object, **more: object) -> None:
        if str(message) not in said:
            said.add(str(message))
            say("warning", str(message))

    return show


def on_terminate(number: int, frame: FrameType | None) -> None:
    """Turn SIGTERM into an exception, so that temporary files are removed; end at once while modules are loading."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):  # torch crashes if its import is interrupted
            os._exit(TERMINATED)
        frame = frame.f_back
    raise Terminated


def guard(work: Callable[[], int], *, show_traceback: Callable[[], bool]) -> int:
    """Run `work`, return the exit code, and say what went wrong in one line on stderr."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", SeqcnnWarning)
            warnings.showwarning = warnings_once()
            code = work()
            if sys.stdout is not None:
                sys.stdout.flush()
            return code
    except BaseException as raised:  # noqa: BLE001  (the edge: whatever arrives is said and becomes an exit code)
        error = raised.__cause__ if isinstance(raised, CarriedError) and raised.__cause__ is not None else raised
        if isinstance(error, BrokenPipeError) or (isinstance(error, OSError) and error.errno in FULL):
            silence_stdout()
        if show_traceback() and not isinstance(error, SystemExit | typer.Exit):
            traceback.print_exception(error)
        return explain(error)


def silence_stdout() -> None:
    """Lead standard output nowhere: Python flushes it once more on its way out, which must not fail again."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # a stdout without a descriptor is not flushed to a pipe either


def explain(error: BaseException) -> int:
    """Say in one line what an exception means, and return its exit code."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, BrokenPipeError):
        return PIPE_CLOSED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        say("", f"interrupted; {_left(error)}")
        return INTERRUPTED
    if isinstance(error, Terminated):
        say("", f"terminated; {_left(error)}")
        return TERMINATED
    if isinstance(error, typer.TyperException):
        say("error", usage(error))
        return 2
    if isinstance(error, SeqcnnError):
        say("error", str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        say("error", "memory ran out; close other programs, or take fewer or shorter records at a time")
        return 1
    if isinstance(error, OSError) and error.errno in FULL:
        say("error", f"{error.filename or 'output'}: the disk is full; free some space and run this again")
        return 1
    if isinstance(error, OSError) and error.filename is not None:
        say("error", f"{error.filename}: {error.strerror or error}")
        return 2
    say("error", f"{type(error).__name__}: {error}; this is a bug; run again with --traceback and report it")
    return 1


def _left(error: BaseException) -> str:
    """Return what is left of the outputs, as who writes them noted it."""
    return "; ".join(getattr(error, "__notes__", [])) or "nothing half-written is left"


def usage(error: typer.TyperException) -> str:
    """Return a usage error of typer's as one sentence that ends in where to find help."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "seqcnn"
    message = error.format_message().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}; see '{path} --help'"
