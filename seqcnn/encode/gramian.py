"""Time series as square pictures: Gramian angular fields, Markov transition fields and recurrence plots."""

from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from seqcnn.checks import whole
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.series import check_samples, filled, inside
from seqcnn.errors import OptionError
from seqcnn.samples import Samples

#: Side of the picture where nothing else is asked for; shorter series give smaller ones.
SIZE = 48
#: Bytes from which on the C library asks the system for each block, at the most it settles on.
_LARGE = 32 << 20
#: What `rescale` may map each series to.
_RANGES = ((-1.0, 1.0), (0.0, 1.0))


class Gramian(Encoder):
    """Samples ``(N, V, T)`` to pictures ``(N, V, S, S)``, a channel a variable; the base of the four kinds.

    Each series is averaged to S segments (piecewise aggregation) and mapped to a range by its own minimum and maximum;
    a constant series is mapped to 0. Missing values are interpolated first, and padding is no part of a series.

    Parameters
    ----------
    variables
        V.
    size
        S, rows and columns of the picture.

    References
    ----------
    Wang & Oates. Imaging time-series to improve classification and imputation. IJCAI (2015).
    """

    raw_kind: ClassVar[str] = "samples"
    files: ClassVar[str | None] = "recording"

    def __init__(self, variables: int, size: int = SIZE, *, rate: float | None = None) -> None:
        super().__init__()
        self.channels, self.raw_shape, self.rate, self.sizeless = variables, (variables,), rate, True
        self.height = self.width = whole(size, "size", 2)

    @classmethod
    def fit(cls, raw: Samples, *, size: int | None = None, rate: float | None = None, **settings: Any) -> Self:
        """Return the encoder with pictures of `size`, or as large as the longest series up to `SIZE`."""
        longest = int(raw.lengths.max(initial=2))
        return cls(raw.variables, size or max(2, min(SIZE, longest)), rate=rate)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {"variables": self.channels, "size": self.height, "rate": self.rate}

    def settings(self) -> dict[str, Any]:
        """Return the size, and the sampling rate of recordings."""
        return {"size": self.height} | ({} if self.rate is None else {"rate": self.rate})

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return float32 ``(N, V, S, S)`` of `raw` ``(N, V, T)``."""
        check_samples(raw, self)
        real = inside(raw, lengths)
        return self.picture(filled(raw.float(), real), real)

    @abstractmethod
    def picture(self, values: Tensor, real: Tensor) -> Tensor:
        """Return the pictures ``(N, V, S, S)`` of whole series ``(N, V, T)``, whose positions `real` count."""


class _Angular(Gramian):
    """A Gramian angular field: a series in polar coordinates, cosines of angles being its rescaled values."""

    def __init__(
        self,
        variables: int,
        size: int = SIZE,
        *,
        low: float = -1.0,
        high: float = 1.0,
        rate: float | None = None,
    ) -> None:
        super().__init__(variables, size, rate=rate)
        if (low, high) not in _RANGES:
            raise OptionError(f"{type(self).__name__}: expected a range of -1..1 or 0..1, found {low}..{high}")
        self.low, self.high = float(low), float(high)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return super().config() | {"low": self.low, "high": self.high}

    def picture(self, values: Tensor, real: Tensor) -> Tensor:
        """Return the field of each series."""
        # In double precision: close to 1 a cosine's rounding error is a hundred times larger in the sine.
        cosine = rescaled(aggregated(values.double(), real, self.height), self.low, self.high)
        sine = (1 - cosine.square()).sqrt()
        return self.field(cosine.float(), sine.float())

    @abstractmethod
    def field(self, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the field ``(..., S, S)`` of angles ``(..., S)``: of rank 2, so written once, as one product."""


class Gadf(_Angular):
    """Gramian angular difference field: ``sin(a_i - a_j)`` of the angles of times i and j.

    Examples
    --------
    >>> raw = torch.tensor([[[1.0, 2.0, 3.0, 2.0]]])
    >>> Gadf(1, 4)(raw).squeeze().round(decimals=2).tolist()[0]
    [0.0, 1.0, 0.0, 1.0]
    """

    name: ClassVar[str] = "gadf"

    def field(self, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the differences' sines."""
        return product([sine, -cosine], [cosine, sine])


class Gasf(_Angular):
    """Gramian angular summation field: ``cos(a_i + a_j)`` of the angles of times i and j."""

    name: ClassVar[str] = "gasf"

    def field(self, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the sums' cosines."""
        return product([cosine, -sine], [cosine, sine])

    def invert(self, field: Tensor) -> Tensor:
        """Return the rescaled series ``(..., S)`` whose field this is.

        The diagonal holds ``2 x^2 - 1``, and the rest of a row tells which values share the sign of the first one that
        is not 0. A series and its negative have the same field, so over -1..1 that value is taken to be positive; over
        0..1 there is nothing to choose.

        >>> encoder = Gasf(1, 5)
        >>> x = torch.tensor([0.5, -0.25, 1.0, 0.0, -1.0])
        >>> encoder.invert(encoder.field(x, (1 - x**2).sqrt())).round(decimals=3).tolist()
        [0.5, -0.25, 1.0, 0.0, -1.0]
        """
        size = ((field.diagonal(dim1=-2, dim2=-1) + 1) / 2).clamp(0, 1).sqrt()
        if self.low == 0:
            return size
        sine = (1 - size.square()).clamp(0, 1).sqrt()
        product = field + sine[..., :, None] * sine[..., None, :]  # x_i x_j
        first = (size > 1e-3).float().argmax(-1)[..., None, None]
        row = product.gather(-2, first.expand(*product.shape[:-2], 1, product.shape[-1])).squeeze(-2)
        return torch.where(row < 0, -size, size)


class Mtf(Gramian):
    """Markov transition field: how likely the level at time i is followed by that at time j.

    Levels are quantiles of each series; their transitions are counted over the whole series, then averaged over pairs
    of segments. No picture of all pairs of times is ever held.

    Parameters
    ----------
    levels
        Number of quantiles.
    """

    name: ClassVar[str] = "mtf"

    def __init__(self, variables: int, size: int = SIZE, *, levels: int = 5, rate: float | None = None) -> None:
        super().__init__(variables, size, rate=rate)
        self.levels = whole(levels, "levels", 2)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return super().config() | {"levels": self.levels}

    def picture(self, values: Tensor, real: Tensor) -> Tensor:
        """Return the field of each series."""
        steps = torch.linspace(0, 1, self.levels + 1, device=values.device)[1:-1]
        edges = torch.nanquantile(torch.where(real, values, torch.nan), steps, dim=-1)  # (levels - 1, N, V)
        level = torch.searchsorted(edges.permute(1, 2, 0).contiguous(), values.contiguous())  # (N, V, T)
        one = torch.nn.functional.one_hot(level, self.levels).float() * real.unsqueeze(-1)  # (N, V, T, levels)
        share = aggregated(one.permute(0, 1, 3, 2).flatten(1, 2), real, self.height)
        share = share.view(*one.shape[:2], self.levels, -1).transpose(-1, -2)  # (N, V, S, levels)
        with torch.autocast(values.device.type, enabled=False):
            counts = one[:, :, :-1].transpose(-1, -2) @ one[:, :, 1:]  # padding counts nowhere: it is no level
            chance = counts / counts.sum(-1, keepdim=True).clamp(min=1)
            return share @ chance @ share.transpose(-1, -2)


class Recurrence(Gramian):
    """Recurrence plot: how far apart the values at times i and j are, each series mapped to 0..1.

    References
    ----------
    Eckmann, Kamphorst, Ruelle. Recurrence plots of dynamical systems. Europhysics Letters 4:973 (1987).
    """

    name: ClassVar[str] = "recurrence"

    def picture(self, values: Tensor, real: Tensor) -> Tensor:
        """Return the distances."""
        x = rescaled(aggregated(values, real, self.height), 0, 1)
        return (x[..., :, None] - x[..., None, :]).abs_()


def product(rows: Sequence[Tensor], columns: Sequence[Tensor]) -> Tensor:
    """Return the sum of the outer products ``(..., S, S)`` of pairs ``(..., S)``, in float32 under autocast too."""
    with torch.autocast(rows[0].device.type, enabled=False):
        left, right = torch.stack(tuple(rows), -1), torch.stack(tuple(columns), -2)
        return torch.matmul(left, right, out=_room(left, right))


def _room(left: Tensor, right: Tensor) -> Tensor | None:
    """Return where to write a product of many megabytes, in large pages, which NumPy asks for and torch does not.

    A block above 32 MB is asked of the system anew each time; to touch it page by page takes longer than the product.
    """
    shape = (*left.shape[:-1], right.shape[-1])
    learned = torch.is_grad_enabled() and (left.requires_grad or right.requires_grad)
    if learned or left.device.type != "cpu" or torch.compiler.is_compiling() or 4 * prod(shape) < _LARGE:
        return None
    return torch.from_numpy(np.empty(shape, np.float32))


def aggregated(values: Tensor, real: Tensor, size: int) -> Tensor:
    """Return the means ``(N, V, size)`` of `size` segments of each record, as equal as whole positions allow.

    The segments of a series of length T begin at ``floor(k T / size)``; a series shorter than `size` repeats values.

    References
    ----------
    Keogh et al. Dimensionality reduction for fast similarity search in large time series databases. KAIS 3:263 (2001).
    """
    length = real.sum(-1)  # (N, 1)
    whole_length = values.shape[-1]
    if whole_length == size and int(length.min()) == size:
        return values
    steps = torch.arange(size, device=values.device, dtype=torch.float64)
    start = (steps * (length.double() / size)).floor().long()  # (N, size), as NumPy's linspace rounds
    place = torch.arange(whole_length, device=values.device).expand(len(values), -1).contiguous()
    segment = torch.searchsorted(start, place, right=True) - 1
    total = torch.zeros(*values.shape[:2], size, dtype=values.dtype, device=values.device)
    total.scatter_add_(2, segment.unsqueeze(1).expand_as(values), torch.where(real, values, 0))
    end = torch.cat([start[:, 1:], length], 1)
    mean = total / (end - start).clamp(min=1).unsqueeze(1)
    if int(length.min()) >= size:
        return mean
    nearest = values.gather(2, start.minimum(length - 1).clamp(min=0).unsqueeze(1).expand(-1, values.shape[1], -1))
    return torch.where((end > start).unsqueeze(1), mean, nearest)


def rescaled(values: Tensor, low: float, high: float) -> Tensor:
    """Return series ``(..., S)`` mapped to ``low..high`` by their own minimum and maximum; a constant one is 0."""
    least, most = values.aminmax(dim=-1, keepdim=True)
    span = most - least
    flat = span <= 1e-6 * most.maximum(-least).clamp(min=1e-30)
    scaled = (values - least) / torch.where(flat, 1, span) * (high - low) + low
    return torch.where(flat, 0, scaled.clamp(low, high))
