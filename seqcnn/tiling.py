"""Windows over a record: the only window arithmetic there is."""

import numpy as np
import numpy.typing as npt

from seqcnn.checks import within


def windows(length: int, window: int, step: int) -> npt.NDArray[np.int64]:
    """Return the starts of the windows that cover a record from end to end, ``(n,)``.

    Windows start every `step` positions; one more, flush with the end, is added where the last would leave positions
    out. A record no longer than the window has one window, at 0, which ends where the record ends. With a step longer
    than the window there are gaps, as asked for.

    Raises
    ------
    OptionError
        If `window` or `step` is less than 1.

    Examples
    --------
    >>> windows(10, 4, 3).tolist(), windows(11, 4, 3).tolist(), windows(3, 4, 3).tolist()
    ([0, 3, 6], [0, 3, 6, 7], [0])
    """
    within(window, "window", 1)
    within(step, "step", 1)
    last = max(0, length - window)
    starts = np.arange(0, last + 1, step, dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, last)
