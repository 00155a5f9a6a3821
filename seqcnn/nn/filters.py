"""Fixed convolution filters: position weight matrices to weights and back."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqcnn.errors import ShapeError

#: Added to each probability before the logarithm, so that a zero is unlikely and not impossible.
PSEUDOCOUNT = 1e-3


def pwm_weights(
    matrices: Sequence[npt.NDArray[np.float64]], width: int, *, background: npt.ArrayLike | None = None
) -> Tensor:
    """Return convolution weights ``(F, A, 1, width)`` whose activation is the log-odds score of each matrix.

    A matrix ``(L, A)`` narrower than `width` stands in the middle, with zeros (no preference) around it.

    Raises
    ------
    ShapeError
        If a matrix is wider than `width`.

    Examples
    --------
    >>> pwm = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]])
    >>> weights = pwm_weights([pwm], 3)
    >>> weights.shape, round(float(weights[0, 0, 0, 0]), 2)
    (torch.Size([1, 4, 1, 3]), 1.03)
    """
    if not matrices:
        raise ShapeError("pwm_weights: no matrices were given")
    letters = matrices[0].shape[1]
    odds = np.full(letters, 1 / letters) if background is None else np.asarray(background, np.float64)
    weights = np.zeros((len(matrices), letters, 1, width), np.float32)
    for i, matrix in enumerate(matrices):
        if matrix.shape[0] > width or matrix.shape[1] != letters:
            raise ShapeError(
                f"pwm_weights, matrix {i + 1}: expected at most {width} positions of {letters} letters, "
                f"found {matrix.shape[0]} x {matrix.shape[1]}; use wider filters"
            )
        start = (width - len(matrix)) // 2
        smooth = (matrix + PSEUDOCOUNT) / (1 + letters * PSEUDOCOUNT)
        weights[i, :, 0, start : start + len(matrix)] = np.log(smooth / odds).T
    return torch.from_numpy(weights)


def weights_pwm(weights: Tensor, *, background: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
    """Return the matrices ``(F, width, A)`` whose log-odds are `weights` ``(F, A, 1, width)`` up to a shift a column.

    >>> pwm = np.array([[0.7, 0.1, 0.1, 0.1]])
    >>> weights_pwm(pwm_weights([pwm], 1))[0].round(2).tolist()
    [[0.7, 0.1, 0.1, 0.1]]
    """
    letters = weights.shape[1]
    odds = np.full(letters, 1 / letters) if background is None else np.asarray(background, np.float64)
    scores = weights.detach().cpu().double().numpy()[:, :, 0, :].transpose(0, 2, 1)  # (F, width, A)
    odds_scores = odds * np.exp(scores - scores.max(-1, keepdims=True))
    result: npt.NDArray[np.float64] = odds_scores / odds_scores.sum(-1, keepdims=True)
    return result
