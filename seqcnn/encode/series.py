"""Time series as images of height 1, a channel a variable, each series normalized."""

from math import isfinite
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seqcnn.checks import one_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import ShapeError
from seqcnn.samples import Samples

NORMALIZE = ("record", "set", "none")


class Series(Encoder):
    """Samples ``(N, V, T)`` to ``(N, V, 1, T)``; missing values are interpolated, padding is zero.

    Parameters
    ----------
    variables
        V.
    normalize
        ``record`` gives each series of each record mean 0 and deviation 1; ``set`` uses the mean and deviation of each
        variable over the training records, where level and height mean something; ``none`` leaves values as they are.
    mean, std
        Of each variable, for ``set``.

    Examples
    --------
    >>> raw = torch.tensor([[[1.0, float("nan"), 3.0, 5.0]], [[7.0, 7.0, float("nan"), float("nan")]]])
    >>> Series(1)(raw, torch.tensor([4, 2])).squeeze().double().round(decimals=2).tolist()
    [[-1.22, -0.61, 0.0, 1.22], [0.0, 0.0, 0.0, 0.0]]
    """

    name: ClassVar[str] = "series"
    raw_kind: ClassVar[str] = "samples"
    files: ClassVar[str | None] = "recording"
    height = 1
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        variables: int,
        *,
        normalize: str = "record",
        mean: list[float] | None = None,
        std: list[float] | None = None,
        rate: float | None = None,
    ) -> None:
        super().__init__()
        self.channels, self.raw_shape, self.rate = variables, (variables,), rate
        self.normalize = one_of(normalize, NORMALIZE, "normalize")
        self.sizeless = normalize == "record"
        # They stand in the configuration, so they are no part of the tensors of a saved model.
        self.register_buffer("mean", torch.tensor(mean or [0.0] * variables).view(-1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std or [1.0] * variables).view(-1, 1), persistent=False)

    @classmethod
    def fit(cls, raw: Samples, *, normalize: str = "record", rate: float | None = None, **settings: Any) -> Self:
        """Return the encoder with the mean and deviation of each variable of `raw`."""
        if normalize != "set":
            return cls(raw.variables, normalize=normalize, rate=rate)
        mean, std = moments(torch.from_numpy(raw.values))
        return cls(raw.variables, normalize="set", mean=mean.flatten().tolist(), std=std.flatten().tolist(), rate=rate)

    def columns(self, lengths: Tensor) -> Tensor:
        """Every value is a column."""
        return lengths

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {
            "variables": self.channels, "normalize": self.normalize, "rate": self.rate,
            "mean": self.mean.flatten().tolist(), "std": self.std.flatten().tolist(),
        }  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """Return the sampling rate of recordings."""
        return {"normalize": self.normalize} | ({} if self.rate is None else {"rate": self.rate})

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return float32 ``(N, V, 1, T)`` of `raw` ``(N, V, T)``."""
        check_samples(raw, self)
        known, real = raw.isfinite(), inside(raw, lengths)
        values = filled(raw.float(), real)
        if self.normalize == "record":
            mean, std = moments(values, known & real)
            values = (values - mean) / std
        elif self.normalize == "set":
            values = (values - self.mean) / self.std
        return torch.where(real, values, 0).unsqueeze(2)


def check_samples(raw: Tensor, encoder: Encoder) -> None:
    """Raise `ShapeError` unless `raw` is a batch of samples of the encoder's number of variables."""
    variables = encoder.raw_shape[0]
    if raw.dim() != 3 or raw.shape[1] != variables:
        raise ShapeError(
            f"{type(encoder).__name__}: expected samples (N, {variables}, T), found {tuple(raw.shape)}; "
            "pass records with as many variables as in training"
        )


def inside(raw: Tensor, lengths: Tensor | None) -> Tensor:
    """Return which positions of `raw` ``(N, V, T)`` are within their record, ``(N, 1, T)``."""
    if lengths is None:
        return torch.ones(1, dtype=torch.bool, device=raw.device).expand(len(raw), 1, raw.shape[-1])
    place = torch.arange(raw.shape[-1], device=raw.device)
    return (place < lengths.to(raw.device)[:, None]).unsqueeze(1)


def moments(values: Tensor, known: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over the last axis where `known`; a constant has the deviation 1."""
    known = values.isfinite() if known is None else known
    count = known.sum(-1, keepdim=True).clamp(min=1)
    mean = torch.where(known, values, 0).sum(-1, keepdim=True) / count
    mean = mean + torch.where(known, values - mean, 0).sum(-1, keepdim=True) / count  # what float32 lost the first time
    rest = torch.where(known, values - mean, 0)
    std = (rest.square().sum(-1, keepdim=True) / count).sqrt()
    return mean, torch.where(std > 1e-6 * mean.abs().clamp(min=1e-6), std, 1)


def filled(raw: Tensor, real: Tensor) -> Tensor:
    """Return `raw` ``(N, V, T)`` with missing values interpolated; ends take the nearest value, nothing known is 0.

    >>> nan = float("nan")
    >>> filled(torch.tensor([[[nan, 1.0, nan, nan, 4.0, nan]]]), torch.ones(1, 1, 6, dtype=torch.bool)).tolist()
    [[[1.0, 1.0, 2.0, 3.0, 4.0, 4.0]]]
    """
    within = torch.where(real, raw, 0)
    if isfinite(within.sum()):  # as it only is where each value is
        return within
    known, length = raw.isfinite() & real, raw.shape[-1]
    place = torch.arange(length, device=raw.device).expand(raw.shape)
    left = torch.where(known, place, -1).cummax(-1).values
    right = torch.where(known, place, length).flip(-1).cummin(-1).values.flip(-1)
    low, high = left.clamp(min=0), right.clamp(max=length - 1)
    clean = torch.where(known, raw, 0)
    before, after = clean.gather(-1, low), clean.gather(-1, high)
    before, after = torch.where(left >= 0, before, after), torch.where(right < length, after, before)
    share = (place - low) / (high - low).clamp(min=1)
    return torch.where(real, torch.lerp(before, after, share.clamp(0, 1).float()), 0)
