"""LeNet-5 in NumPy: each layer knows how to go forward, and how to send the blame for the loss back."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seqcnn.reference.activation import cross_entropy, cross_entropy_gradient, tanh, tanh_gradient
from seqcnn.reference.convolution import Array, correlate_channels, pad, windows
from seqcnn.reference.pooling import pool, unpool_nearest


class Layer(Protocol):
    """What every layer has: the arrays it learns, their gradients, and a way there and back."""

    weights: list[Array]
    gradients: list[Array]

    def forward(self, x: Array) -> Array:
        """Return what the layer makes of x, and remember what `backward` will need."""
        ...

    def backward(self, gradient: Array) -> Array:
        """Return the gradient by what came in, of that by what went out; note that by the weights."""
        ...


class Convolution:
    """Filters over a padded picture.

    Parameters
    ----------
    rng
        Draws the first weights.
    channels, filters, kernel
        C in, F out, and the side of each filter.
    padding
        Zeros on every side.

    Attributes
    ----------
    weights, gradients
        The filters ``(F, C, kernel, kernel)`` and biases ``(F,)``, and how the loss changes with each.
    """

    def __init__(self, rng: np.random.Generator, channels: int, filters: int, *, kernel: int, padding: int = 0) -> None:
        fan_in = channels * kernel**2
        self.weights = [rng.normal(0, fan_in**-0.5, (filters, channels, kernel, kernel)), np.zeros(filters)]
        self.gradients = [np.zeros_like(w) for w in self.weights]
        self.kernel, self.padding = kernel, padding

    def forward(self, x: Array) -> Array:
        """Return maps ``(N, F, H', W')`` of pictures ``(N, C, H, W)``."""
        self.x = pad(x, [(self.padding, self.padding)] * 2)
        return correlate_channels(self.x, *self.weights)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient by the pictures, of that by the maps; note that by the weights."""
        seen = windows(self.x, (self.kernel, self.kernel))  # (N, C, H', W', kernel, kernel)
        # A weight met one pixel at every stop: it takes the blame for each, times that pixel.
        self.gradients = [np.tensordot(gradient, seen, ((0, 2, 3), (0, 2, 3))), gradient.sum((0, 2, 3))]
        # A pixel was met by every weight in turn: the same filters, turned round, over the padded gradient.
        turned = np.flip(self.weights[0], (2, 3)).swapaxes(0, 1)
        by_padded = correlate_channels(gradient, turned, padding=self.kernel - 1)
        rows, columns = (slice(self.padding, size - self.padding) for size in by_padded.shape[2:])
        return by_padded[:, :, rows, columns]


class Tanh:
    """The bend between two linear layers."""

    weights: list[Array] = []  # noqa: RUF012
    gradients: list[Array] = []  # noqa: RUF012

    def forward(self, x: Array) -> Array:
        """Return tanh of x, same shape."""
        self.x = x
        return tanh(x)

    def backward(self, gradient: Array) -> Array:
        """Return the gradient times the slope."""
        return gradient * tanh_gradient(self.x)


class MeanPool:
    """Each 2 x 2 pixels become their mean."""

    weights: list[Array] = []  # noqa: RUF012
    gradients: list[Array] = []  # noqa: RUF012

    def forward(self, x: Array) -> Array:
        """Return maps of half the height and width."""
        return pool(x, (2, 2), how="mean")

    def backward(self, gradient: Array) -> Array:
        """Return a quarter of the gradient at each of the four pixels."""
        return unpool_nearest(gradient, (2, 2)) / 4


class Dense:
    """A weighted sum of everything: a convolution whose filter is as large as what it sees.

    Parameters
    ----------
    rng
        Draws the first weights.
    inputs, outputs
        Numbers in and out.
    """

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        self.weights = [rng.normal(0, inputs**-0.5, (inputs, outputs)), np.zeros(outputs)]
        self.gradients = [np.zeros_like(w) for w in self.weights]

    def forward(self, x: Array) -> Array:
        """Return ``(N, outputs)`` of ``(N, ...)``."""
        self.shape, self.x = x.shape, x.reshape(len(x), -1)
        outputs: Array = self.x @ self.weights[0] + self.weights[1]
        return outputs

    def backward(self, gradient: Array) -> Array:
        """Return the gradient in the shape that came in."""
        self.gradients = [self.x.T @ gradient, gradient.sum(0)]
        by_input: Array = gradient @ self.weights[0].T
        return by_input.reshape(self.shape)


class LeNet5:
    """Two rounds of filters and pooling, then three dense layers (LeCun et al. 1998, Proc. IEEE 86, 2278-2324).

    Two liberties: every map of the second convolution sees all six of the first (the paper left some out, to save
    work), and the outputs are logits rather than distances to drawn digits.

    Parameters
    ----------
    classes
        Number of outputs.
    seed
        Of the first weights.

    Examples
    --------
    >>> network = LeNet5()
    >>> network.forward(np.zeros((3, 1, 28, 28))).shape
    (3, 10)
    >>> sum(w.size for w in network.weights())
    61706
    """

    def __init__(self, classes: int = 10, *, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.layers: list[Layer] = [
            Convolution(rng, 1, 6, kernel=5, padding=2), Tanh(), MeanPool(),  # 28 -> 28 -> 14
            Convolution(rng, 6, 16, kernel=5), Tanh(), MeanPool(),  # 14 -> 10 -> 5
            Dense(rng, 16 * 5 * 5, 120), Tanh(),
            Dense(rng, 120, 84), Tanh(),
            Dense(rng, 84, classes),
        ]  # fmt: skip

    def forward(self, x: npt.ArrayLike) -> Array:
        """Return logits ``(N, classes)`` of pictures ``(N, 1, 28, 28)``."""
        x = np.asarray(x, float)
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, gradient: Array) -> Array:
        """Return the gradient by the pictures, of that by the logits: the chain rule, layer by layer, last first."""
        for layer in reversed(self.layers):
            gradient = layer.backward(gradient)
        return gradient

    def weights(self) -> list[Array]:
        """Return the arrays that are learned, in order."""
        return [w for layer in self.layers for w in layer.weights]

    def gradients(self) -> list[Array]:
        """Return the gradient of each, from the last `backward`."""
        return [g for layer in self.layers for g in layer.gradients]


def train(
    network: LeNet5,
    pictures: npt.ArrayLike,
    classes: npt.ArrayLike,
    *,
    epochs: int = 8,
    batch_size: int = 32,
    rate: float = 0.05,
    momentum: float = 0.9,
    seed: int = 0,
) -> Iterator[float]:
    """Yield the mean training loss of each epoch, while the network learns by gradient descent with momentum.

    Parameters
    ----------
    network
        Changed as it learns.
    pictures
        ``(N, 1, 28, 28)``, best with mean about 0 and standard deviation about 1.
    classes
        ``(N,)`` integers.
    epochs, batch_size
        Passes over the pictures, and how many are looked at before a step.
    rate
        Length of the first steps; it falls along a cosine to zero.
    momentum
        How much of each step goes on in the next.
    seed
        Of the order.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bright = rng.integers(0, 2, 40)
    >>> pictures = rng.normal(bright[:, None, None, None] - 0.5, 1, (40, 1, 28, 28))
    >>> losses = list(train(LeNet5(2), pictures, bright, epochs=3))
    >>> losses[-1] < 0.1 < losses[0]
    True
    """
    pictures, classes = np.asarray(pictures, float), np.asarray(classes, int)
    rng = np.random.default_rng(seed)
    moving = [np.zeros_like(w) for w in network.weights()]
    batches = -(-len(pictures) // batch_size)
    for epoch in range(epochs):
        order, losses = rng.permutation(len(pictures)), []
        for step, batch in enumerate(np.array_split(order, batches)):
            logits = network.forward(pictures[batch])
            losses.append(cross_entropy(logits, classes[batch]))
            network.backward(cross_entropy_gradient(logits, classes[batch]))
            done = (epoch + step / batches) / epochs
            length = rate * (1 + np.cos(np.pi * done)) / 2
            for weight, speed, gradient in zip(network.weights(), moving, network.gradients(), strict=True):
                speed *= momentum
                speed -= length * gradient
                weight += speed
        yield float(np.mean(losses))
