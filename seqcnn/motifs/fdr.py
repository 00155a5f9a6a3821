"""The false discovery rate of Benjamini and Hochberg."""

import numpy as np
import numpy.typing as npt


def q_values(p_values: npt.ArrayLike, *, tests: int | None = None) -> npt.NDArray[np.float64]:
    """Return Benjamini-Hochberg q-values along the last axis, in the order given.

    Parameters
    ----------
    p_values
        ``(..., M)``.
    tests
        Number of tests made, where only the M smallest p-values were kept.

    Examples
    --------
    >>> q_values([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]

    References
    ----------
    Benjamini & Hochberg, Journal of the Royal Statistical Society B 1995.
    """
    p = np.asarray(p_values, np.float64)
    count = p.shape[-1]
    order = np.argsort(p, axis=-1, kind="stable")
    raised = np.take_along_axis(p, order, -1) * (tests or count) / np.arange(1, count + 1)
    smallest = np.minimum.accumulate(raised[..., ::-1], axis=-1)[..., ::-1]
    result = np.empty_like(p)
    np.put_along_axis(result, order, np.minimum(smallest, 1), -1)
    return result
