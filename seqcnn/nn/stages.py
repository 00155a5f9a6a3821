"""A network as local steps and a summary of the window: what dense scanning and mutagenesis need to know of it."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Conv:
    """A valid convolution of step 1.

    Parameters
    ----------
    weight, bias
        ``(O, C, K)``, and ``(O,)`` or None.
    dilation
        Columns from one of the K to the next.
    """

    weight: Tensor
    bias: Tensor | None = None
    dilation: int = 1

    @property
    def lost(self) -> int:
        """Columns fewer than there were."""
        return (self.weight.shape[2] - 1) * self.dilation

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps ``(N, O, 1, W - lost)`` of maps ``(N, C, 1, W)``."""
        return nn.functional.conv2d(x, self.weight[:, :, None], self.bias, dilation=(1, self.dilation))

    def scaled(self, scale: "Scale") -> "Conv":
        """Return a convolution that scales what it finds."""
        bias = scale.offset if self.bias is None else scale.offset + self.bias * scale.factor
        return Conv(self.weight * scale.factor[:, None, None], bias, self.dilation)


@dataclass(frozen=True)
class Pool:
    """The best, or with `mean` the mean, of every so many columns; columns left over at the end are dropped."""

    width: int
    mean: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps ``(N, C, 1, W // width)``, twice as fast as torch's own pools of channels_last."""
        cells = x.shape[3] // self.width
        columns = x[..., : cells * self.width].permute(0, 2, 3, 1)
        parts = columns.reshape(*columns.shape[:2], cells, self.width, columns.shape[3])
        best: Tensor = parts.mean(3) if self.mean else parts.amax(3)
        return best.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Scale:
    """A factor and an offset a channel, as a norm applies them in use; each ``(C,)``."""

    factor: Tensor
    offset: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return torch.addcmul(self.offset[:, None, None], x, self.factor[:, None, None])


@dataclass(frozen=True)
class Act:
    """A function of each value by itself.

    Parameters
    ----------
    function
        Of tensors of any shape.
    rising
        Whether it never falls: then the largest value is that of the largest argument, and pools may go first.
    """

    function: Callable[[Tensor], Tensor]
    rising: bool = False

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return self.function(x)

    def over(self, x: Tensor) -> Tensor:
        """Return the same, written over `x` where torch can."""
        return _OVER.get(self.function, self.function)(x)


#: Functions that write what they find over what they are given.
_OVER: dict[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]] = {torch.relu: torch.relu_, torch.exp: torch.exp_}


@dataclass(frozen=True)
class Pad:
    """Columns of zeros on both sides of the window."""

    left: int
    right: int

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps that are wider, in the precision of the convolution that they are for.

        Zeros are written at the sides only, and a convolution of wider maps is faster than one that pads by itself.
        """
        kind, (count, channels, height, width) = x.device.type, x.shape
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
        wide = x.new_empty(count, height, self.left + width + self.right, channels, dtype=dtype).permute(0, 3, 1, 2)
        wide[..., : self.left] = wide[..., self.left + width :] = 0
        wide[..., self.left : self.left + width] = x
        return wide


@dataclass(frozen=True)
class Residual:
    """What some steps find, added to the middle of what they are given; none of them pads or pools."""

    steps: "tuple[Conv | Scale | Act, ...]"

    @property
    def lost(self) -> int:
        """Columns fewer than there were."""
        return sum(step.lost for step in self.steps if isinstance(step, Conv))

    @property
    def side(self) -> int:
        """Columns of the input before its middle."""
        return self.lost // 2

    def middle(self, x: Tensor) -> Tensor:
        """Return what is added to, of maps ``(..., W)``."""
        return x[..., self.side : x.shape[-1] - self.lost + self.side]

    def __call__(self, x: Tensor) -> Tensor:
        """Return maps ``(N, C, 1, W - lost)``."""
        return run(self.steps, x).add_(self.middle(x))


Step = Conv | Pool | Scale | Act | Pad | Residual


@dataclass(frozen=True)
class Summary:
    """One part of the features of a window, made of its last maps.

    Parameters
    ----------
    kind
        ``max`` or ``mean`` over all columns, or ``flat``: every column, ``(N, C * W)``.
    steps
        Taken first: each column by itself.
    """

    kind: str
    steps: tuple[Conv | Scale | Act, ...] = ()

    def __call__(self, x: Tensor) -> Tensor:
        """Return features ``(N, F)`` of maps ``(N, C, 1, W)``."""
        x = run(self.steps, x)
        return x.amax((2, 3)) if self.kind == "max" else x.mean((2, 3)) if self.kind == "mean" else x.flatten(1)


@dataclass(frozen=True)
class Stages:
    """A network in use, as steps from the image of a window to its logits.

    Parameters
    ----------
    steps
        Local: what a column becomes depends on columns near it.
    summaries
        The features of the window, side by side.
    dense
        The layer that sees them: weight ``(H, F)`` and bias ``(H,)`` or None.
    head
        From its ``(N, H)`` to logits ``(N, K)``.
    width
        The only width of a window that will do; None for any.

    Examples
    --------
    >>> conv, dense = torch.ones(2, 4, 3), torch.ones(1, 2)
    >>> stages = Stages((Conv(conv), Pool(2)), (Summary("max"),), (dense, None), lambda z: z)
    >>> stages.stride, stages.cells(9), stages(torch.ones(1, 4, 1, 9)).tolist()
    (2, 3, [[24.0]])
    """

    steps: tuple[Step, ...]
    summaries: tuple[Summary, ...]
    dense: tuple[Tensor, Tensor | None]
    head: Callable[[Tensor], Tensor]
    width: int | None = None
    stride: int = field(init=False)

    def __post_init__(self) -> None:
        stride = 1
        for step in self.steps:
            stride *= step.width if isinstance(step, Pool) else 1
        object.__setattr__(self, "stride", stride)

    @property
    def padded(self) -> bool:
        """Whether the window is surrounded by zeros: then what is found at its ends belongs to it alone."""
        return any(isinstance(step, Pad) for step in self.steps)

    def cells(self, width: int) -> int:
        """Return the columns of the last maps of a window of so many columns."""
        for step in self.steps:
            width = after(step, width)
        return width

    def features(self, maps: Tensor) -> Tensor:
        """Return what the dense layer sees, ``(N, F)``, of the last maps."""
        return torch.cat([summary(maps) for summary in self.summaries], 1)

    def answer(self, features: Tensor) -> Tensor:
        """Return logits ``(N, K)`` of what the dense layer sees."""
        return self.head(nn.functional.linear(features, *self.dense))

    def __call__(self, image: Tensor) -> Tensor:
        """Return logits ``(N, K)`` of images ``(N, C, 1, W)``."""
        return self.answer(self.features(run(self.steps, image)))


def run(steps: Sequence[Step], x: Tensor, *, own: bool = False) -> Tensor:
    """Return the maps after some steps; those given may be written over where they are its `own`."""
    for step in steps:
        x, own = (step.over if isinstance(step, Act) and own else step)(x), True
    return x


def folded(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return steps that do the same in fewer passes: a norm behind a pool becomes a part of the convolution before it.

    The largest value stays the largest under a factor above zero.
    """
    found: list[Step] = []
    for step in steps:
        conv, pool = found[-2:] if len(found) > 1 else (None, None)
        if (
            isinstance(step, Scale) and isinstance(pool, Pool) and isinstance(conv, Conv)
            and (pool.mean or bool((step.factor > 0).all()))
        ):  # fmt: skip
            found[-2] = conv.scaled(step)
        else:
            found.append(step)
    return tuple(found)


def after(step: Step, width: int) -> int:
    """Return how many columns a step leaves of so many.

    >>> after(Pool(4), 11), after(Pad(1, 2), 5), after(Act(torch.relu), 3)
    (2, 8, 3)
    """
    if isinstance(step, Pool):
        return width // step.width
    if isinstance(step, Pad):
        return width + step.left + step.right
    return width - (step.lost if isinstance(step, Conv | Residual) else 0)


def normed(norm: nn.BatchNorm2d | nn.BatchNorm1d) -> Scale:
    """Return what a norm does in use."""
    mean, var = norm.running_mean, norm.running_var
    if mean is None or var is None or norm.weight is None:
        raise TypeError(f"{norm}: expected running statistics and a learned scale")
    factor = norm.weight.detach() / torch.sqrt(var + norm.eps)
    return Scale(factor, norm.bias.detach() - mean * factor)


def convolved(conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None) -> Conv:
    """Return a convolution of height 1, whatever its padding, with the norm behind it folded into its weights."""
    bias = None if conv.bias is None else conv.bias.detach()
    found = Conv(conv.weight.detach()[:, :, 0], bias, int(conv.dilation[1]))
    return found if norm is None else found.scaled(normed(norm))


def headed(layers: Iterable[nn.Module]) -> tuple[tuple[Tensor, Tensor | None], Callable[[Tensor], Tensor]]:
    """Return the weight and bias of the first of some layers, and what the others do in use."""
    first, *rest = layers
    if not isinstance(first, nn.Linear):
        raise TypeError(f"expected a linear layer first, found {first}")
    head = deepcopy(nn.Sequential(*rest)).eval().requires_grad_(False)
    return (first.weight.detach(), None if first.bias is None else first.bias.detach()), head
