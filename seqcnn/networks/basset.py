"""Basset: three convolutions and two dense layers over a fixed window."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqcnn.errors import OptionError
from seqcnn.networks.network import Network, minimum_through
from seqcnn.nn.padding import masked, normalized, out_lengths
from seqcnn.nn.stages import Act, Pool, Stages, Step, Summary, convolved, headed


class Basset(Network):
    """Accessibility's classic: filters, filters of filters, and their places (Kelley, Snoek, Rinn 2016).

    It flattens, so it declares the window it was built for. Convolutions are valid: a window narrower than the
    receptive field gets zero columns up to it.

    Parameters
    ----------
    filters, filter_widths, pools
        Number and width of each convolution's filters, and the pool after it.
    hidden
        Units of each dense layer.
    dropout
        Share of dense units dropped in training.

    References
    ----------
    Kelley, Snoek, Rinn. Genome Research 26:990 (2016). doi:10.1101/gr.200535.115
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        filters: Sequence[int] = (300, 200, 200),
        filter_widths: Sequence[int] = (19, 11, 7),
        pools: Sequence[int] = (3, 4, 4),
        hidden: Sequence[int] = (1000, 1000),
        dropout: float = 0.3,
    ) -> None:
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, filters=list(filters),
            filter_widths=list(filter_widths), pools=list(pools), hidden=list(hidden), dropout=dropout,
        )  # fmt: skip
        if not len(filters) == len(filter_widths) == len(pools) > 0:
            raise OptionError(
                f"basset: expected filters, filter_widths and pools of one length, found {list(filters)}, "
                f"{list(filter_widths)}, {list(pools)}"
            )
        if width is None:
            raise OptionError("basset: needs the width of its window; pass width=, the longest record")
        self.kernels, self.pools = tuple(filter_widths), tuple(pools)
        steps = [step for k, p in zip(filter_widths, pools, strict=True) for step in ((k, 1), (p, p))]
        self.minimum_width = minimum_through(*steps)
        self.fixed_width = width
        self.convs, self.norms, self.pooling = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.acts = nn.ModuleList(nn.ReLU() for _ in filters)
        channels, rows, cells = in_channels, height, max(width, self.minimum_width)
        for count, kernel, pool in zip(filters, filter_widths, pools, strict=True):
            self.convs.append(nn.Conv2d(channels, count, (rows, kernel), bias=False))
            self.norms.append(nn.BatchNorm2d(count))
            self.pooling.append(nn.MaxPool2d((1, pool)))
            channels, rows, cells = count, 1, (cells - kernel + 1) // pool
        dense: list[nn.Module] = []
        units = channels * cells
        for count in hidden:
            dense += [nn.Linear(units, count), nn.ReLU(), nn.Dropout(dropout)]
            units = count
        self.dense = nn.Sequential(*dense, nn.Linear(units, outputs))

    @property
    def filters(self) -> nn.Conv2d:
        """The first convolution."""
        conv = self.convs[0]
        if not isinstance(conv, nn.Conv2d):
            raise TypeError("the first layer of a basset is a Conv2d")
        return conv

    def block(self, i: int, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return convolution, norm and rectifier `i`, of `lengths` columns that stay real after them."""
        x = normalized(self.norms[i], self.convs[i](x), lengths)  # type: ignore[arg-type]
        return masked(self.acts[i](x), lengths)

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return self.block(0, x, out_lengths(lengths, self.kernels[0]))

    def gathered(self, activations: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        best: Tensor = self.pooling[0](activations)
        return best

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        x = gathered
        lengths = out_lengths(lengths, self.kernels[0])
        for i in range(1, len(self.kernels)):
            lengths = out_lengths(out_lengths(lengths, self.pools[i - 1], self.pools[i - 1]), self.kernels[i])
            x = self.pooling[i](self.block(i, x, lengths))
        return x.flatten(1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.dense(z)
        return logits

    def staged(self) -> tuple[Stages, ...]:  # noqa: D102
        if self.height > 1:
            return ()
        steps: list[Step] = []
        for conv, norm, pool in zip(self.convs, self.norms, self.pools, strict=True):
            # the best of rectified values is the best, rectified
            steps += [convolved(conv, norm), Pool(pool), Act(torch.relu, rising=True)]  # type: ignore[arg-type]
        width = max(self.fixed_width or 1, self.minimum_width)
        return (Stages(tuple(steps), (Summary("flat"),), *headed(self.dense), width=width),)
