"""Architectures, one a file, created by their registered name."""

import inspect
from typing import Any

import torch

from seqcnn.checks import did_you_mean
from seqcnn.errors import OptionError
from seqcnn.networks.network import Network
from seqcnn.registry import resolve

__all__ = ["Network", "create", "options"]

_SHAPE = ("in_channels", "outputs", "height", "width")


def options(name: str) -> dict[str, Any]:
    """Return the options of a network and their defaults.

    >>> options("deepbind")["filter_width"]
    24
    """
    parameters = inspect.signature(resolve("network", name)).parameters
    return {key: p.default for key, p in parameters.items() if key not in _SHAPE}


def create(
    name: str, *, in_channels: int, outputs: int, height: int = 1, width: int | None = None, **settings: Any
) -> Network:
    """Build the network registered under `name`, its weights laid out for the fastest convolutions.

    Parameters
    ----------
    name
        Registered name; see ``seqcnn networks``.
    in_channels, height, width
        C, H and W of the images; `width` is the longest record, and None where any length will do.
    outputs
        Number of logits.
    **settings
        Options of the architecture.

    Raises
    ------
    OptionError
        If the name or an option is unknown, or the images are too small for the network.

    Examples
    --------
    >>> create("deepbind", in_channels=4, outputs=1, filters=8)(torch.zeros(3, 4, 40)).shape
    torch.Size([3, 1])
    """
    known = options(name)
    for key in settings:
        if key not in known:
            guess = did_you_mean(key, known)
            raise OptionError(f"network {name}: unknown option {key!r}{guess}; it has {', '.join(known)}")
    network: Network = resolve("network", name)(
        in_channels=in_channels, outputs=outputs, height=height, width=width, **settings
    )
    # A run-time layout, never identity: files and exports are contiguous.
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
