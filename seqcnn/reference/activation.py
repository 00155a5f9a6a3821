"""Non-linearities, softmax and cross-entropy, each with its gradient."""

import numpy as np
import numpy.typing as npt

from seqcnn.reference.convolution import Array


def relu(x: npt.ArrayLike) -> Array:
    """Return x where it is positive, else 0: without a bend, layers would add up to one linear layer.

    >>> relu([-2, 0, 3]).tolist()
    [0.0, 0.0, 3.0]
    """
    return np.asarray(np.maximum(np.asarray(x, float), 0), float)


def relu_gradient(x: npt.ArrayLike) -> Array:
    """Return the slope of `relu` at x: 1 or 0, 0 at the bend.

    >>> relu_gradient([-2, 0, 3]).tolist()
    [0.0, 0.0, 1.0]
    """
    return (np.asarray(x, float) > 0).astype(float)


def tanh(x: npt.ArrayLike) -> Array:
    """Return the hyperbolic tangent, which LeNet-5 used: between -1 and 1, and flat far out, where learning stalls.

    >>> tanh([-100, 0, 100]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return np.asarray(np.tanh(np.asarray(x, float)), float)


def tanh_gradient(x: npt.ArrayLike) -> Array:
    """Return the slope of `tanh` at x.

    >>> tanh_gradient([-100, 0]).tolist()
    [0.0, 1.0]
    """
    return 1 - tanh(x) ** 2


def softmax(logits: npt.ArrayLike) -> Array:
    """Return probabilities over the last axis; the largest logit is subtracted first, so that none overflows.

    >>> softmax([1000, 1000]).tolist(), softmax([0, np.log(3)]).round(3).tolist()
    ([0.5, 0.5], [0.25, 0.75])
    """
    logits = np.asarray(logits, float)
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities: Array = shifted / shifted.sum(-1, keepdims=True)
    return probabilities


def cross_entropy(logits: npt.ArrayLike, classes: npt.ArrayLike) -> float:
    """Return the mean loss of the true classes from logits: exact however sure the network is.

    Parameters
    ----------
    logits
        ``(N, K)``.
    classes
        ``(N,)``, 0 to K - 1.

    Examples
    --------
    Guessing among ten costs log 10; being wrong and sure costs as much as the logits are apart:

    >>> round(cross_entropy(np.zeros((2, 10)), [3, 4]), 4), cross_entropy([[800, 0]], [1])
    (2.3026, 800.0)
    """
    logits = np.asarray(logits, float)
    top = logits.max(-1, keepdims=True)
    total = np.log(np.exp(logits - top).sum(-1)) + top[:, 0]
    return float(np.mean(total - logits[np.arange(len(logits)), np.asarray(classes, int)]))


def cross_entropy_from_probabilities(
    probabilities: npt.ArrayLike, classes: npt.ArrayLike, *, least: float = 1e-12
) -> float:
    """Return the mean loss of the true classes from probabilities ``(N, K)``.

    A probability that was rounded to 0 has an infinite loss, so that nothing below `least` is believed: the reason why
    losses take logits.

    Examples
    --------
    >>> round(cross_entropy_from_probabilities([[.25, .75]], [1]), 4)
    0.2877
    >>> round(cross_entropy_from_probabilities(softmax([[800, 0]]), [1]), 1)
    27.6
    """
    probabilities = np.asarray(probabilities, float)
    chosen = probabilities[np.arange(len(probabilities)), np.asarray(classes, int)]
    return float(-np.mean(np.log(np.maximum(chosen, least))))


def cross_entropy_gradient(logits: npt.ArrayLike, classes: npt.ArrayLike) -> Array:
    """Return the gradient of `cross_entropy` by logits ``(N, K)``: what was said minus what was true.

    >>> cross_entropy_gradient([[0, 0]], [1]).tolist()
    [[0.5, -0.5]]
    """
    wrong = softmax(logits)
    wrong[np.arange(len(wrong)), np.asarray(classes, int)] -= 1
    return wrong / len(wrong)
