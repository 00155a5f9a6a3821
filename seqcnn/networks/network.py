"""The base of every network: shapes and lengths are settled here once, so that an architecture is only its layers."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from seqcnn.errors import OptionError, ShapeError
from seqcnn.nn.padding import masked
from seqcnn.nn.stages import Stages


class Network(nn.Module):
    """Images ``(N, C, H, W)``, or sequences ``(N, C, L)``, to logits ``(N, outputs)``.

    A subclass passes every option of its constructor on as a keyword, sets `minimum_width` (and `fixed_width` if it
    flattens), and defines ``first``, ``rest`` and ``head``, and ``gathered`` where the rest would begin with a pool; a
    baseline without filters defines ``rest`` and ``head``.

    Parameters
    ----------
    in_channels, height
        C and H of the image.
    outputs
        Number of logits.
    width
        Length of the longest record; needed only where positions matter.
    **options
        What else the subclass was built with; JSON-able.

    Attributes
    ----------
    config
        The constructor's keyword arguments: ``create(name, **network.config)`` builds the same network again.
    minimum_width
        Receptive field; a shorter record gets zero columns up to it.
    fixed_width
        None where any length will do; else the longest record that the network was built for.
    begins
        Column of a record with which the first layer begins.
    """

    #: Whether the linear layer alone is fitted, at once (see `seqcnn.training.ridge`).
    closed_form: ClassVar[bool] = False
    #: Bytes of a batch's widest layer that prediction on a CPU takes at a time; None for the usual.
    batch_bytes: ClassVar[int | None] = None
    minimum_width: int = 1
    fixed_width: int | None = None
    begins: int = 0

    def __init__(
        self, *, in_channels: int, outputs: int, height: int = 1, width: int | None = None, **options: Any
    ) -> None:
        super().__init__()
        for name, value in (("in_channels", in_channels), ("outputs", outputs), ("height", height)):
            if value < 1:
                raise OptionError(f"{type(self).__name__}: expected {name} of 1 or more, found {value}")
        self.in_channels, self.outputs, self.height = in_channels, outputs, height
        self.config: dict[str, Any] = {
            "in_channels": in_channels, "outputs": outputs, "height": height, "width": width, **options
        }  # fmt: skip

    @property
    def filters(self) -> nn.Conv2d | None:
        """The first layer, whose filters are motifs; None for baselines."""
        return None

    def first(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the first layer's activations ``(N, F, H', W')`` after its non-linearity, zero beyond each record."""
        return x

    def gathered(self, activations: Tensor, lengths: Tensor | None) -> Tensor:
        """Return what the rest needs of each map of first-layer activations, ``(N, F, ...)``: all, or the best."""
        return activations

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features of what was gathered; `lengths` are those of the image."""
        raise NotImplementedError(f"{type(self).__name__} defines no rest()")

    def head(self, z: Tensor) -> Tensor:
        """Return logits ``(N, outputs)`` of features."""
        raise NotImplementedError(f"{type(self).__name__} defines no head()")

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what the head sees, of an image ``(N, C, H, W)`` or ``(N, C, L)``."""
        x, lengths = self.prepare(x, lengths)
        return self.rest(self.gathered(self.first(x, lengths), lengths), lengths)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits ``(N, outputs)``; `lengths` ``(N,)`` says how many columns of each record are real.

        Raises
        ------
        ShapeError
            If the image has other channels, another height, or more columns than a fixed width allows.
        """
        return self.head(self.features(x, lengths))

    def reads(self, lengths: Tensor) -> Tensor:
        """Return how many columns of records of `lengths` the first layer reads, ``(N,)``."""
        return lengths.clamp(min=self.minimum_width)

    def staged(self) -> tuple[Stages, ...]:
        """Return the network in use as local steps, in parts whose logits add up; none where it is not made of such."""
        return ()

    def filter_activations(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the first layer's activations ``(N, F, H', W')`` at every position of the image."""
        return self.first(*self.prepare(x, lengths))

    def forward_with_filters(self, activations: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits of given, possibly edited, `filter_activations`; `lengths` as they were given for those."""
        return self.forward_with_gathered(self.gather(activations, lengths), lengths)

    def gather(self, activations: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return what is `gathered` of `filter_activations`; `lengths` as they were given for those."""
        return self.gathered(activations, self._counted(activations, lengths))

    def forward_with_gathered(self, gathered: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits of what was gathered, possibly edited; `lengths` as they were given for the activations."""
        return self.head(self.rest(gathered, self._counted(gathered, lengths)))

    def _counted(self, maps: Tensor, lengths: Tensor | None) -> Tensor | None:
        return None if lengths is None else lengths.to(maps.device).clamp(min=self.minimum_width)

    def prepare(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the image ``(N, C, H, W)``, zero beyond each record and wide enough, and the lengths that count."""
        if x.dim() == 3:
            x = x.unsqueeze(2 if self.height == 1 else 1)
        if x.dim() != 4 or x.shape[1] != self.in_channels or x.shape[2] != self.height:
            raise ShapeError(
                f"{type(self).__name__}: expected images (N, {self.in_channels}, {self.height}, W)"
                f"{f' or (N, {self.in_channels}, L)' if self.height == 1 else ''}, found {tuple(x.shape)}"
            )
        width = x.shape[3]
        if self.fixed_width is not None and width > self.fixed_width:
            raise ShapeError(
                f"{type(self).__name__}: built for records of at most {self.fixed_width} columns, found {width}; "
                "score such records in windows, or use a network without a fixed width"
            )
        wanted = max(self.minimum_width, self.fixed_width or 1)
        if lengths is None and self.fixed_width is not None and width < wanted:
            lengths = torch.full((len(x),), width, device=x.device)
        if lengths is not None and not torch.compiler.is_compiling() and int(lengths.min()) >= max(width, wanted):
            lengths = None  # every column is real
        if lengths is not None:
            lengths = lengths.to(x.device)
            x = masked(x, lengths)
            lengths = lengths.clamp(min=self.minimum_width)
        if width < wanted:
            x = nn.functional.pad(x, (0, wanted - width))
        return x, lengths


def minimum_through(*layers: tuple[int, int]) -> int:
    """Return the fewest columns of which every layer, given as (kernel, stride) in order, leaves at least one.

    >>> minimum_through((19, 1), (3, 3), (11, 1))
    51
    """
    width = 1
    for kernel, stride in reversed(layers):
        width = (width - 1) * stride + kernel
    return width
