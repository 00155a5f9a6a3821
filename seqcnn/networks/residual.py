"""A residual network for pictures, spectrograms and series: the default wherever records are many."""

from collections.abc import Sequence
from math import ceil, log2

import torch
from torch import Tensor, nn

from seqcnn.checks import whole
from seqcnn.networks.network import Network
from seqcnn.nn.padding import masked, normalized
from seqcnn.nn.pooling import GlobalMax, GlobalMean

#: Shorter sides up to so many pixels go through the stages as they are; larger pictures are halved first.
_LARGEST = 48
#: Length of filters of images of height 1, where `kernel` is the side of square ones.
_LONG = {3: 9, 5: 15, 7: 21}


class Block(nn.Module):
    """Two convolutions whose result is added to their input (He et al. 2016); padding stays zero."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        same = (kernel[0] // 2, kernel[1] // 2)
        self.conv1 = nn.Conv2d(channels, channels, kernel, padding=same, bias=False)
        self.norm1, self.act1 = nn.BatchNorm2d(channels), nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, kernel, padding=same, bias=False)
        self.norm2, self.act2 = nn.BatchNorm2d(channels), nn.ReLU()

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features ``(N, C, H, W)``, zero beyond `lengths`."""
        z = masked(self.act1(normalized(self.norm1, self.conv1(x), lengths)), lengths)
        return masked(self.act2(x + normalized(self.norm2, self.conv2(z), lengths)), lengths)


class Stage(nn.Module):
    """A convolution, a pool that halves, and a residual block."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int], pool: tuple[int, int], block: bool) -> None:
        super().__init__()
        same = (kernel[0] // 2, kernel[1] // 2)
        self.pooled = pool[1]
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=same, bias=False)
        self.pool = nn.MaxPool2d(pool)
        self.norm, self.act = nn.BatchNorm2d(outputs), nn.ReLU()
        self.block = Block(outputs, kernel) if block else None

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the features and how many of their columns are real."""
        x = self.pool(masked(self.conv(x), lengths))
        lengths = None if lengths is None else lengths // self.pooled
        x = masked(self.act(normalized(self.norm, x, lengths)), lengths)
        return (x if self.block is None else self.block(x, lengths)), lengths


class Residual(Network):
    """Stages of a convolution, a halving pool and a residual block; then the mean and the maximum over the map.

    Images of any height and any width: an image of height 1 gets filters of height 1, pictures whose shorter side is
    over 48 pixels are halved first until it is not, and columns beyond a record's length never count.

    Parameters
    ----------
    stem
        Filters of the first layer.
    widths
        Filters of each stage.
    kernel
        Side of the filters, an odd number; an image of height 1 gets filters three times as long.
    dropout
        Share of features dropped in training.

    References
    ----------
    He, Zhang, Ren, Sun. Deep residual learning for image recognition. CVPR (2016). doi:10.1109/CVPR.2016.90
    """

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        stem: int = 16,
        widths: Sequence[int] = (32, 64, 128),
        kernel: int = 3,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, stem=stem, widths=list(widths),
            kernel=kernel, dropout=dropout,
        )  # fmt: skip
        long = whole(kernel, "kernel", 1) if height > 1 else _LONG.get(kernel, kernel)
        sides = (kernel if height > 1 else 1, long)
        same = (sides[0] // 2, sides[1] // 2)
        self.conv1 = nn.Conv2d(in_channels, stem, sides, padding=same, bias=False)
        self.norm1, self.act1 = nn.BatchNorm2d(stem), nn.ReLU()
        shorter = min(height, width or height) if height > 1 else 1
        halved = max(0, ceil(log2(shorter / _LARGEST)))
        stages, rows, columns, before = [], height, width or 1 << 30, stem
        self.minimum_width = 2  # two columns are left at least
        for outputs_of, block in [*((stem, False) for _ in range(halved)), *((w, True) for w in widths)]:
            pool = (2 if rows >= 4 else 1, 2 if columns >= 4 else 1)
            rows, columns = rows // pool[0], columns // pool[1]
            self.minimum_width *= pool[1]
            stages.append(Stage(before, outputs_of, sides, pool, block))
            before = outputs_of
        self.stages = nn.ModuleList(stages)
        self.mean, self.max = GlobalMean(), GlobalMax()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(2 * before, outputs)

    @property
    def filters(self) -> nn.Conv2d:
        """The first convolution."""
        return self.conv1

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return masked(self.act1(normalized(self.norm1, self.conv1(x), lengths)), lengths)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        x = gathered
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        return self.pooled(x, lengths)

    def pooled(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return mean and maximum of each channel of the last map."""
        return torch.cat([self.mean(x, lengths), self.max(x, lengths)], 1)

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(self.dropout(z))
        return logits
