"""Feature maps: where in a record the filters of the first layer respond."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.batches import rectangle
from seqcnn.data.dataset import Raw
from seqcnn.model.model import Model

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Responses:
    """What the first layer answers to one record.

    Parameters
    ----------
    maps
        Activations ``(F, H', W')`` at the places that are real.
    strongest
        Filters ``(k,)`` by how strongly they respond, the strongest first; silent ones are left out.
    """

    maps: Maps
    strongest: npt.NDArray[np.int64]


def has_filters(model: Model) -> bool:
    """Return whether the network has a first layer of filters that can be shown and asked."""
    network: Any = model.network
    return getattr(network, "filters", None) is not None and hasattr(network, "filter_activations")


def responses(model: Model, raw: Raw, row: int, *, most: int) -> Responses:
    """Return the feature maps of the first layer for the record at `row` of `raw`.

    A filter's strength is how far its largest activation lies above its mean one: one that answers everywhere alike
    says nothing about a place.

    Parameters
    ----------
    most
        Filters to name.
    """
    network: Any = deepcopy(model.network).cpu().eval()
    encoder = deepcopy(model.encoder).cpu().eval()
    with torch.inference_mode():
        image, columns = encoder.image(*rectangle(raw, np.array([row])))
        found = network.filter_activations(image, columns)[0]
    width = found.shape[-1]
    if columns is not None:  # a valid convolution has fewer places than the image has columns
        width = max(1, int(columns[0]) - max(0, image.shape[-1] - width))
    maps = np.asarray(found[..., :width].numpy(), np.float32)
    strength = maps.max((1, 2)) - maps.mean((1, 2))
    order = np.argsort(-strength, kind="stable")[:most]
    return Responses(maps, order[strength[order] > 0])
