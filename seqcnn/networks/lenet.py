"""LeNet: two convolutions and three dense layers, for pictures."""

from collections.abc import Sequence

from torch import Tensor, nn

from seqcnn.errors import OptionError
from seqcnn.networks.network import Network, minimum_through
from seqcnn.nn.padding import masked, normalized, out_lengths

#: The flattened map has at most so many rows and columns; larger pictures get larger pools.
_LARGEST_MAP = 12


class LeNet(Network):
    """The picture network everyone starts from, with today's rectifiers, norms and dropout (LeCun et al. 1998).

    Pictures of any size and number of channels; of a sequence (height 1) it reads rows of letters. Large pictures are
    pooled more, so that the dense layers stay small.

    Parameters
    ----------
    filters
        Number of filters of the two convolutions.
    kernel
        Side of the filters.
    pools
        Side of the pool after each convolution; None sets them by the size of the picture, 2 and 2 up to about 60.
    hidden
        Units of the two hidden dense layers.
    dropout
        Share of features dropped in training.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner. Proceedings of the IEEE 86:2278 (1998). doi:10.1109/5.726791
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        filters: Sequence[int] = (16, 32),
        kernel: int = 5,
        pools: Sequence[int] | None = None,
        hidden: Sequence[int] = (120, 84),
        dropout: float = 0.25,
    ) -> None:
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, filters=list(filters),
            kernel=kernel, pools=None if pools is None else list(pools), hidden=list(hidden), dropout=dropout,
        )  # fmt: skip
        if width is None:
            raise OptionError("lenet: needs the width of the pictures; pass width=")
        if len(filters) != 2 or len(hidden) != 2 or (pools is not None and len(pools) != 2):
            raise OptionError(
                f"lenet: expected two filters, two pools and two hidden layers, found {list(filters)}, {pools} "
                f"and {list(hidden)}"
            )
        rows = [(1, 1)] * 4 if height == 1 else _steps(height, kernel, pools)  # a sequence has one row from end to end
        self.steps = _steps(width, kernel, pools)
        lowest, narrowest = minimum_through(*rows), minimum_through(*self.steps)
        if height > 1 and (height < lowest or width < narrowest):
            raise OptionError(
                f"lenet: expected pictures of at least {lowest} x {narrowest} pixels, found {height} x {width}; "
                f"enlarge them (--size {max(lowest, narrowest)}), or take a smaller kernel or another network"
            )
        self.minimum_width, self.fixed_width = narrowest, width
        sides = [(row[0], step[0]) for row, step in zip(rows, self.steps, strict=True)]
        self.conv1 = nn.Conv2d(in_channels, filters[0], sides[0], bias=False)
        self.norm1, self.act1 = nn.BatchNorm2d(filters[0]), nn.ReLU()
        self.pool1 = nn.MaxPool2d(sides[1])
        self.conv2 = nn.Conv2d(filters[0], filters[1], sides[2], bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(filters[1]), nn.ReLU()
        self.pool2 = nn.MaxPool2d(sides[3])
        cells = _left(height, rows) * _left(max(width, narrowest), self.steps)
        self.dense = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(filters[1] * cells, hidden[0]), nn.ReLU(),
            nn.Linear(hidden[0], hidden[1]), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden[1], outputs),
        )  # fmt: skip

    @property
    def filters(self) -> nn.Conv2d:
        """The first convolution."""
        return self.conv1

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        lengths = out_lengths(lengths, *self.steps[0])
        return masked(self.act1(normalized(self.norm1, self.conv1(x), lengths)), lengths)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        for step in self.steps[:3]:
            lengths = out_lengths(lengths, *step)
        x = normalized(self.norm2, self.conv2(self.pool1(gathered)), lengths)
        x = masked(self.act2(x), lengths)
        z: Tensor = self.pool2(x)
        return z.flatten(1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.dense(z)
        return logits


def _left(side: int, steps: Sequence[tuple[int, int]]) -> int:
    """Return the rows or columns that (kernel, stride) steps leave of `side`."""
    for kernel, stride in steps:
        side = (side - kernel) // stride + 1
    return side


def _steps(side: int, kernel: int, pools: Sequence[int] | None) -> list[tuple[int, int]]:
    """Return (kernel, stride) of convolution, pool, convolution, pool; pools grow until the map is small enough."""
    first, second = (2, 2) if pools is None else pools
    while True:
        steps = [(kernel, 1), (first, first), (kernel, 1), (second, second)]
        if pools is not None or _left(side, steps) <= _LARGEST_MAP:
            return steps
        first, second = (first, second + 1) if second <= first else (first + 1, second)
