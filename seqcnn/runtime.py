"""The machine: device, threads, seeds, denormal numbers and versions."""

import ctypes
import logging
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from seqcnn.errors import OptionError

if TYPE_CHECKING:
    import torch

#: Packages whose versions a training record and a report name.
_PACKAGES = ("seqcnn", "torch", "numpy", "pandas", "scikit-learn", "lightning-fabric", "memelite", "biopython")


def pick_device(name: str = "auto") -> "torch.device":
    """Return the device called `name`: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, or a GPU's number.

    Raises
    ------
    OptionError
        If there is no such device; the message says what there is.

    Examples
    --------
    >>> pick_device("cpu")
    device(type='cpu')
    """
    import torch

    text = str(name).strip().lower()
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if text == "cpu":
        return torch.device("cpu")
    if text == "auto":
        return torch.device("cuda", 0) if found else torch.device("cpu")
    number = text.removeprefix("cuda").removeprefix(":") or "0"
    if not number.isascii() or not number.isdigit():
        raise OptionError(f"--device: expected auto, cpu, cuda or a GPU's number, found {name!r}")
    if not found:
        raise OptionError(
            f"--device {name}: torch {torch.__version__} finds no GPU (cuda) on this machine; pass cpu or auto"
        )
    if int(number) >= found:
        raise OptionError(f"--device {name}: this machine has {found} GPU(s), numbered from 0; pass 0 to {found - 1}")
    return torch.device("cuda", int(number))


def cpus() -> int:
    """Return how many CPUs this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def compute_alone() -> None:
    """Make the thread that calls this compute by itself, with denormal numbers as zero."""
    import torch

    torch.get_num_threads()  # a thread takes the caller's number when first asked; then it can be changed
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Let torch use `number` CPU threads inside the block; None leaves it as it is."""
    import torch

    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch (CPU and every GPU in use) inside the block; the caller's generators are put back after it."""
    import torch

    in_use = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = list(range(torch.cuda.device_count())) if in_use else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


#: Loggers belong to the process.
_LOGGING = threading.Lock()


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Let the logger called `name` tell of errors only inside the block."""
    logger = logging.getLogger(name)
    with _LOGGING:
        before = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(before)


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat denormal numbers as zero inside the block (they slow CPU convolutions 40 to 100 times)."""
    import torch

    before = bool((torch.tensor(1e-310, dtype=torch.float64) * 1.0 == 0).item())
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


#: glibc's numbers for mallopt, and the sizes it settles on by itself once large blocks have been freed.
_TRIM_THRESHOLD, _MMAP_MAX, _SETTLED_TRIM, _SETTLED_MMAPS = -1, -4, 64 << 20, 65536


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory for the next step inside the block, where the C library is glibc; then hand it back.

    By default each block over 32 MiB is asked of the system anew and zeroed page by page: on 5 kb sequences that took
    more time than the arithmetic.
    """
    if platform.libc_ver()[0] != "glibc":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        libc.mallopt(_MMAP_MAX, _SETTLED_MMAPS)
        libc.mallopt(_TRIM_THRESHOLD, _SETTLED_TRIM)
        libc.malloc_trim(0)


def versions() -> dict[str, str]:
    """Return the versions of Python, seqcnn and the packages that decide its figures, and the machine's kind."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["platform"] = f"{platform.system()} {platform.machine()}"
    return found
