"""Running out of memory: telling it from other errors, and finding the batch size that fits."""

from collections.abc import Callable

import torch

from seqcnn.errors import OutOfMemoryError

_WORDS = ("not enough memory", "out of memory", "can't allocate memory", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on whatever device.

    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"))
    True
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


def out_of_memory(try_step: Callable[[int], None], batch_size: int) -> OutOfMemoryError:
    """Return the error to raise, which names the largest halving of `batch_size` of which one step fits.

    Parameters
    ----------
    try_step
        Takes a training step of so many records.
    """
    size = batch_size // 2
    while size >= 1:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        try:
            try_step(size)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            size //= 2
        else:
            return OutOfMemoryError(
                f"training: batches of {batch_size} records do not fit in memory; {size} do: pass --batch-size {size}"
            )
    return OutOfMemoryError(
        "training: not even one record fits in memory; cut the records, or choose a smaller network"
    )
