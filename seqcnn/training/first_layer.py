"""Fixed filters as the first layer of a network: named ones, or the motifs of a MEME file; frozen or to be trained."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from seqcnn.alphabet import Alphabet
from seqcnn.errors import OptionError
from seqcnn.io.meme import read_meme
from seqcnn.networks import Network
from seqcnn.nn.filters import pwm_weights
from seqcnn.registry import REGISTRY, resolve


def filter_weights(names: Sequence[str], shape: tuple[int, int, int], *, alphabet: Alphabet | None = None) -> Tensor:
    """Return the weights ``(F, C, h, w)`` of named filters, or of the motifs in MEME files.

    A filter smaller than `shape` stands in the middle. Over several channels it reads their mean.

    Parameters
    ----------
    names
        Of registered filters such as ``sobel``, or paths of MEME files.
    shape
        ``(C, h, w)`` of the layer's filters.
    alphabet
        Of sequences.

    Raises
    ------
    OptionError
        If a filter does not fit, or does not suit the records.

    Examples
    --------
    >>> filter_weights(["sobel", "laplacian"], (1, 3, 3)).shape
    torch.Size([3, 1, 3, 3])
    """
    return torch.cat([_weights(name, shape, alphabet) for name in names])


def _weights(name: str, shape: tuple[int, int, int], alphabet: Alphabet | None) -> Tensor:
    channels, height, width = shape
    if name not in REGISTRY["filter"]:
        if alphabet is None:
            raise OptionError(
                f"--filters {name}: motifs belong to sequences; pass one of {', '.join(REGISTRY['filter'])}"
            )
        motifs = read_meme(Path(name))
        if motifs[0].alphabet.has_complement != alphabet.has_complement:
            raise OptionError(f"--filters {name}: motifs of {motifs[0].alphabet.name}; the records are {alphabet.name}")
        wide = next((m for m in motifs if len(m.probabilities) > width), None)
        if wide is not None:
            raise OptionError(
                f"--filters {name}: motif {wide.name!r} has {len(wide.probabilities)} positions, the filters {width}; "
                "pass --network with wider filters, or leave it out"
            )
        return pwm_weights([m.probabilities for m in motifs], width)
    if alphabet is not None:
        raise OptionError(f"--filters {name}: belongs to pictures and series; pass a MEME file of motifs")
    function = resolve("filter", name)
    given = inspect.signature(function).parameters
    settings: dict[str, object] = {}
    if "sigma" in given:
        settings["sigma"] = max(width if height == 1 else min(height, width), 3) / 4
    if height == 1:
        if "size" in given:
            settings["size"] = (1, 3)
        elif "series" in given:
            settings["series"] = True
        else:
            raise OptionError(f"--filters {name}: belongs to pictures; these records are series")
    kernel: Tensor = function(**settings)  # (F, 1, h, w)
    for axis, side in ((2, height), (3, width)):
        beyond = kernel.shape[axis] - side
        if beyond > 0:  # the tail of a Gaussian
            kernel = kernel.narrow(axis, beyond // 2, side)
    if "sigma" in given and name == "gaussian":
        kernel = kernel / kernel.sum((2, 3), keepdim=True)
    elif "sigma" in given:  # whose tails were cut off: even light is nothing still
        kernel = kernel - kernel.mean((2, 3), keepdim=True)
    weights = torch.zeros(len(kernel), channels, height, width)
    top, left = (height - kernel.shape[2]) // 2, (width - kernel.shape[3]) // 2
    weights[:, :, top : top + kernel.shape[2], left : left + kernel.shape[3]] = kernel / channels
    return weights


class _Held(nn.Module):
    """The first filters of a layer as they were given, the rest as learned."""

    def __init__(self, fixed: Tensor) -> None:
        super().__init__()
        self.register_buffer("fixed", fixed, persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        fixed: Tensor = self.fixed  # type: ignore[assignment]
        return torch.cat([fixed.to(weight.device), weight[len(fixed) :]])


@contextmanager
def placed(
    network: Network, names: Sequence[str], *, alphabet: Alphabet | None, frozen: bool, called: str
) -> Iterator[int]:
    """Put fixed filters first in the first layer; if `frozen`, training inside the block leaves them as they are.

    Yields their number. The layer is a plain convolution again afterwards.
    """
    if not names:
        yield 0
        return
    layer = network.filters
    if layer is None:
        raise OptionError(f"--filters: the {called} network has no first layer of its own; pass another --network")
    weights = filter_weights(names, (layer.in_channels, *layer.kernel_size), alphabet=alphabet)  # type: ignore[arg-type]
    if len(weights) > layer.out_channels:
        raise OptionError(
            f"--filters: {len(weights)} filters, but the first layer of {called} has {layer.out_channels}; pass fewer"
        )
    with torch.no_grad():
        layer.weight[: len(weights)] = weights
    if not frozen:
        yield len(weights)
        return
    parametrize.register_parametrization(layer, "weight", _Held(weights))
    try:
        yield len(weights)
    finally:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
