"""Several networks of one design side by side, which answer as one: what --combine average saves."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from seqcnn.checks import whole
from seqcnn.networks import create
from seqcnn.networks.network import Network
from seqcnn.nn.stages import Stages


class Average(Network):
    """Networks of one design, which answer with the mean of their logits, each on a scale of its own.

    First layers, features and heads stand side by side, so that whatever asks one network for its filters finds those
    of all, and silencing or editing a filter changes the answer by its network's share. It is made of networks that
    have learned (`seqcnn.training.ensemble`), not trained itself.

    Parameters
    ----------
    member
        Registered name of the networks.
    member_options
        What each was built with beside the shape of the images; JSON-able.
    count
        How many there are.

    Attributes
    ----------
    members
        The networks.
    scale, bias
        What brings the logits of each to the common scale, ``logits * scale + bias``; ``(count, outputs)``.

    References
    ----------
    Lakshminarayanan, Pritzel, Blundell. Simple and scalable predictive uncertainty estimation using deep ensembles.
    NeurIPS (2017). arXiv:1612.01474

    Examples
    --------
    >>> network = Average(in_channels=4, outputs=1, member="deepbind", member_options={"filters": 8}, count=3).eval()
    >>> x = torch.zeros(2, 4, 40)
    >>> bool(torch.allclose(network(x), torch.stack([member(x) for member in network.members]).mean(0)))
    True
    >>> network.filters.out_channels
    24
    """

    scale: Tensor
    bias: Tensor

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        member: str = "motif",
        member_options: dict[str, Any] | None = None,
        count: int = 4,
    ) -> None:
        shape: dict[str, Any] = {"in_channels": in_channels, "outputs": outputs, "height": height, "width": width}
        settings = dict(member_options or {})
        super().__init__(**shape, member=member, member_options=settings, count=whole(count, "count", 1))
        self.members = nn.ModuleList(create(member, **shape, **settings) for _ in range(count))
        self.register_buffer("scale", torch.ones(count, outputs))
        self.register_buffer("bias", torch.zeros(count, outputs))
        first = next(self._each())
        self.minimum_width, self.fixed_width = first.minimum_width, first.fixed_width
        self.begins = first.begins

    def _each(self) -> Iterator[Network]:
        return (cast(Network, member) for member in self.members)

    @property
    def filters(self) -> nn.Conv2d | None:
        """A layer that holds a copy of the filters of all, those of the first network first."""
        layers = [member.filters for member in self._each()]
        if layers[0] is None:
            return None
        found = deepcopy(layers[0])
        found.out_channels *= len(layers)
        for name in ("weight", "bias"):
            values = [getattr(layer, name) for layer in layers]
            if values[0] is not None:
                setattr(found, name, nn.Parameter(torch.cat([v.detach() for v in values]), requires_grad=False))
        return found

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:  # noqa: D102
        return torch.cat([member.features(x, lengths) for member in self._each()], 1)

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return torch.cat([member.first(x, lengths) for member in self._each()], 1)

    def gathered(self, activations: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return torch.cat([member.gathered(part, lengths) for member, part in self._parts(activations)], 1)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return torch.cat([member.rest(part, lengths) for member, part in self._parts(gathered)], 1)

    def _parts(self, maps: Tensor) -> Iterator[tuple[Network, Tensor]]:
        return zip(self._each(), maps.chunk(len(self.members), 1), strict=True)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        parts = z.chunk(len(self.members), 1)
        logits = torch.stack([member.head(part) for member, part in zip(self._each(), parts, strict=True)], 1)
        return (logits * self.scale + self.bias).mean(1)  # of (N, count, outputs)

    def reads(self, lengths: Tensor) -> Tensor:  # noqa: D102
        return next(self._each()).reads(lengths)

    def staged(self) -> tuple[Stages, ...]:  # noqa: D102
        found = []
        for member, scale, bias in zip(self._each(), self.scale / len(self.members), self.bias, strict=True):
            offset = bias / len(self.members)
            for stages in member.staged():
                found.append(replace(stages, head=_scaled(stages.head, scale, offset)))
                offset = torch.zeros_like(offset)
        return tuple(found)


def _scaled(head: Callable[[Tensor], Tensor], scale: Tensor, offset: Tensor) -> Callable[[Tensor], Tensor]:
    """Return a head whose logits are on another scale."""
    return lambda z: head(z) * scale + offset
