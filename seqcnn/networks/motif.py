"""The default network: whole motifs in the first layer, their company in the second."""

from typing import Literal

import torch
from torch import Tensor, nn

from seqcnn.checks import one_of
from seqcnn.errors import OptionError
from seqcnn.networks.network import Network, minimum_through
from seqcnn.nn.exponential import Exponential
from seqcnn.nn.padding import masked, normalized, out_lengths
from seqcnn.nn.pooling import GlobalMax

#: Start of the first norm's scale: an exponential of one standard deviation would be a steep start.
_FIRST_SCALE = 0.3


class Motif(Network):
    """Wide filters that each learn one motif; the best site of each, and what stands beside what.

    The head sees the strongest site of every filter, so that a filter has to be a motif on its own, and one more
    convolution over the maps of sites for spacing, order and clusters. The pool comes before norm and activation,
    which is three times faster.

    Parameters
    ----------
    filters, filter_width
        Number and width of the motifs.
    positions
        Whether the head sees where in the record things are; needs `width`.
    pool
        Positions among which only the best site of a filter counts: 4, or 1 with `positions` (a pool of 4 cost two
        points of accuracy on splice sites).
    context, context_width
        Filters of the second convolution (64, or 32 with `positions`), and their width in pooled positions.
    activation
        Of the first layer: ``exponential`` for clear motifs, or ``relu``.
    map_dropout
        Share of whole maps dropped in training.
    dropout
        Share of features dropped in training: 0.2, or 0.5 with `positions`.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        filters: int = 128,
        filter_width: int = 21,
        positions: bool = False,
        pool: int | None = None,
        context: int | None = None,
        context_width: int = 7,
        activation: Literal["exponential", "relu"] = "exponential",
        map_dropout: float = 0.1,
        dropout: float | None = None,
    ) -> None:
        pool = (1 if positions else 4) if pool is None else pool
        context = (32 if positions else 64) if context is None else context
        dropout = (0.5 if positions else 0.2) if dropout is None else dropout
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, filters=filters,
            filter_width=filter_width, positions=positions, pool=pool, context=context, context_width=context_width,
            activation=activation, map_dropout=map_dropout, dropout=dropout,
        )  # fmt: skip
        one_of(activation, ("exponential", "relu"), "activation")
        self.minimum_width = minimum_through((filter_width, 1), (pool, pool), (context_width, 1))
        cells = 1
        if positions:
            if width is None:
                raise OptionError("motif: positions=True needs the width of the longest record; pass width=")
            self.fixed_width = width
            cells = (max(width, self.minimum_width) - filter_width + 1) // pool - context_width + 1
        self.filter_width, self.pool_width, self.context_width = filter_width, pool, context_width
        self.conv = nn.Conv2d(in_channels, filters, (height, filter_width), bias=False)
        self.pool = nn.MaxPool2d((1, pool))
        self.norm = nn.BatchNorm2d(filters)
        nn.init.constant_(self.norm.weight, _FIRST_SCALE if activation == "exponential" else 1.0)
        self.act = Exponential() if activation == "exponential" else nn.ReLU()
        self.map_drop = nn.Dropout2d(map_dropout)
        self.strongest = GlobalMax()
        self.context = nn.Conv2d(filters, context, (1, context_width), bias=False)
        self.context_norm, self.context_act = nn.BatchNorm2d(context), nn.ReLU()
        self.context_strongest = None if positions else GlobalMax()
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(filters + context * cells, outputs)

    @property
    def filters(self) -> nn.Conv2d:
        """The convolution whose filters are motifs."""
        return self.conv

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:  # noqa: D102
        x, lengths = self.prepare(x, lengths)
        lengths = self.pooled(lengths)
        maps = self.act(normalized(self.norm, self.pool(self.conv(x)), lengths))  # (N, F, 1, cells)
        return self.company(masked(maps, lengths), lengths)

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        lengths = out_lengths(lengths, self.filter_width)
        return masked(self.act(normalized(self.norm, self.conv(x), lengths)), lengths)

    def rest(self, activations: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        # Where the norm turns a map upside down, the best site of the convolution is the least activation.
        sign = torch.where(self.norm.weight < 0, -1.0, 1.0)[:, None, None]
        lengths = self.pooled(lengths)
        return self.company(masked(self.pool(activations * sign) * sign, lengths), lengths)

    def pooled(self, lengths: Tensor | None) -> Tensor | None:
        """Return how many pooled positions are real in records of `lengths`."""
        return out_lengths(out_lengths(lengths, self.filter_width), self.pool_width, self.pool_width)

    def company(self, maps: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features of pooled maps ``(N, F, 1, cells)``."""
        maps = self.map_drop(maps)
        strongest = self.strongest(maps, lengths)  # (N, F)
        lengths = out_lengths(lengths, self.context_width)
        around = masked(self.context_act(normalized(self.context_norm, self.context(maps), lengths)), lengths)
        where = around.flatten(1) if self.context_strongest is None else self.context_strongest(around, lengths)
        return torch.cat([strongest, where], 1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(self.drop(z))
        return logits
