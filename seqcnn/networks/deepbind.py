"""DeepBind: one convolution, a rectifier, global pooling, a dense layer."""

import torch
from torch import Tensor, nn

from seqcnn.networks.network import Network
from seqcnn.nn.padding import masked, out_lengths
from seqcnn.nn.pooling import GlobalMax, GlobalMean
from seqcnn.nn.stages import Act, Stages, Summary, convolved, headed


class DeepBind(Network):
    """How well the best place of each filter fits, weighed by a small dense network (Alipanahi et al. 2015).

    Parameters
    ----------
    filters, filter_width
        Number and width of the filters.
    mean
        Pool by the mean as well as by the maximum, as the paper does for RNA.
    hidden
        Units of a hidden layer; 0 for none.
    dropout
        Share of features dropped in training.

    References
    ----------
    Alipanahi, Delong, Weirauch, Frey. Nature Biotechnology 33:831 (2015). doi:10.1038/nbt.3300
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        filters: int = 64,
        filter_width: int = 24,
        mean: bool = False,
        hidden: int = 32,
        dropout: float = 0.25,
    ) -> None:
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, filters=filters,
            filter_width=filter_width, mean=mean, hidden=hidden, dropout=dropout,
        )  # fmt: skip
        self.minimum_width = filter_width
        self.conv = nn.Conv2d(in_channels, filters, (height, filter_width))
        self.act = nn.ReLU()
        self.maximum = GlobalMax()
        self.mean = GlobalMean() if mean else None
        pooled = filters * (2 if mean else 1)
        self.drop = nn.Dropout(dropout)
        self.hidden = nn.Sequential(nn.Linear(pooled, hidden), nn.ReLU()) if hidden else nn.Identity()
        self.out = nn.Linear(hidden or pooled, outputs)

    @property
    def filters(self) -> nn.Conv2d:
        """The convolution."""
        return self.conv

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return masked(self.act(self.conv(x)), out_lengths(lengths, self.minimum_width))

    def gathered(self, activations: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        lengths = out_lengths(lengths, self.minimum_width)
        found = [self.maximum(activations, lengths)]  # of (N, F)
        if self.mean is not None:
            found.append(self.mean(activations, lengths))
        return torch.stack(found, 2)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return gathered.mT.flatten(1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(self.hidden(self.drop(z)))
        return logits

    def staged(self) -> tuple[Stages, ...]:  # noqa: D102
        if self.height > 1:
            return ()
        summaries = (Summary("max"), Summary("mean"))[: 1 if self.mean is None else 2]
        layers = [*(self.hidden if isinstance(self.hidden, nn.Sequential) else ()), self.out]
        return (Stages((convolved(self.conv), Act(torch.relu, rising=True)), summaries, *headed(layers)),)
