"""Convolution as a matrix, and the transposed convolution as its transpose."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqcnn.reference.convolution import Array, Padding, PerAxis, pad, padding_sides, per_axis, windows


def convolution_matrix(
    w: npt.ArrayLike,
    size: int | Sequence[int],
    *,
    stride: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Array:
    """Return the matrix M for which ``M @ x.ravel()`` is the cross-correlation of x with w, raveled.

    A row a stop, with the weights where the filter lies and zeros elsewhere: a convolution is a dense layer that sees
    little at a time (sparse) and the same everywhere (shared weights). Turn w round for a true convolution.

    Parameters
    ----------
    w
        Filter of one axis or two.
    size
        Of x: a number, or one an axis.
    stride, padding, dilation
        As in `seqcnn.reference.convolution.correlate`.

    Returns
    -------
    Array
        ``(outputs, inputs)``.

    Examples
    --------
    >>> convolution_matrix([1, 2, 3], 5).astype(int)
    array([[1, 2, 3, 0, 0],
           [0, 1, 2, 3, 0],
           [0, 0, 1, 2, 3]])
    >>> convolution_matrix([1, 2, 3], 5, stride=2, padding=1).astype(int)
    array([[2, 3, 0, 0, 0],
           [0, 1, 2, 3, 0],
           [0, 0, 0, 1, 2]])
    """
    w = np.asarray(w, float)
    shape = per_axis(size, w.ndim)
    sides = padding_sides(padding, shape, w.shape, stride=stride, dilation=dilation)
    # Number the places of x from 1, so that the zeros of the padding stay 0: the windows then say which place each
    # weight meets.
    places = pad(np.arange(1, 1 + np.prod(shape)).reshape(shape), sides)
    met = windows(places, w.shape, stride=stride, dilation=dilation).reshape(-1, w.size).astype(int)
    matrix = np.zeros((len(met), 1 + int(np.prod(shape))))
    np.add.at(matrix, (np.arange(len(met))[:, None], met), w.ravel())
    return matrix[:, 1:]


def transposed_convolution(
    y: npt.ArrayLike,
    w: npt.ArrayLike,
    size: int | Sequence[int],
    *,
    stride: PerAxis = 1,
    padding: Padding = "valid",
    dilation: PerAxis = 1,
) -> Array:
    """Return y spread out by the filter: each number stamps a copy of w, times itself, where its window was.

    It is the transpose of the matrix, so it is also how a gradient flows back through a convolution, and how a
    network makes a larger picture of a smaller one. It restores the size, not the values.

    Parameters
    ----------
    y
        What a cross-correlation of this size, stride, padding and dilation gives.
    w
        Filter of one axis or two.
    size
        Of the result: a number, or one an axis.
    stride, padding, dilation
        Of the convolution that is transposed.

    Raises
    ------
    ValueError
        If y does not have the size that such a convolution gives.

    Examples
    --------
    Overlaps add up:

    >>> transposed_convolution([1, 10], [1, 2, 3], 5, stride=2).tolist()
    [1.0, 2.0, 13.0, 20.0, 30.0]
    """
    y, w = np.asarray(y, float), np.asarray(w, float)
    matrix = convolution_matrix(w, size, stride=stride, padding=padding, dilation=dilation)
    if y.size != len(matrix):
        raise ValueError(f"transposed_convolution: expected {len(matrix)} numbers for this size, found {y.size}")
    spread: Array = (matrix.T @ y.ravel()).reshape(per_axis(size, w.ndim))
    return spread
