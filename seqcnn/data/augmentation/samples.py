"""Changes of series and recordings: noise, size, and the speed of time."""

from typing import ClassVar

import torch

from seqcnn.data.augmentation.augmentation import Augmentation, Batch, uniform
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OptionError
from seqcnn.nn.padding import inside

#: At strength 1: noise as a share of a series' deviation, change of its size, of its speed; knots of the speed.
_NOISE, _SCALE, _SPEED, _KNOTS = 0.3, 0.4, 0.3, 5


class Jitter(Augmentation):
    """Normal noise is added to each value, up to 0.3 deviations of the series at strength 1."""

    kinds: ClassVar[tuple[str, ...]] = ("samples",)

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the noisy samples; missing values and padding stay so."""
        values = raw.float()
        known = values.isfinite()
        count = known.sum(-1, keepdim=True).clamp(min=1)
        mean = torch.where(known, values, 0).sum(-1, keepdim=True) / count
        spread = (torch.where(known, values - mean, 0).square().sum(-1, keepdim=True) / count).sqrt()
        amount = uniform(len(raw), 0, _NOISE * self.strength, generator=generator, device=raw.device).view(-1, 1, 1)
        noise = torch.randn(raw.shape, generator=generator).to(raw.device)
        return torch.where(_sized(self.encoder, values), values + noise * spread * amount, values), lengths


def _sized(encoder: Encoder, raw: torch.Tensor) -> torch.Tensor:
    """Return which variables ``(1, V, 1)`` are amounts; time and clicks of a trajectory are none."""
    amounts = torch.ones(1, raw.shape[1], 1, dtype=torch.bool, device=raw.device)
    if encoder.amounts is not None:
        amounts = torch.zeros_like(amounts)
        amounts[:, list(encoder.amounts)] = True
    return amounts


class Scaling(Augmentation):
    """Each variable of each record is multiplied by its own factor, from 0.6 to 1.4 at strength 1."""

    kinds: ClassVar[tuple[str, ...]] = ("samples",)

    def __init__(self, strength: float, *, encoder: Encoder, shortest: int = 1) -> None:
        super().__init__(strength, encoder=encoder, shortest=shortest)
        if encoder.sizeless:
            raise OptionError(
                "--augment scaling: changes nothing where each record is put on a scale of its own; leave it out, "
                "or pass --normalize set for series"
            )

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the samples, larger or smaller."""
        reach = _SCALE * self.strength
        factor = uniform(raw.shape[0] * raw.shape[1], 1 - reach, 1 + reach, generator=generator, device=raw.device)
        values = raw.float()
        return torch.where(_sized(self.encoder, values), values * factor.view(*raw.shape[:2], 1), values), lengths


class Warp(Augmentation):
    """Time runs faster here and slower there, up to 30% at strength 1; a record keeps its length.

    References
    ----------
    Um et al. Data augmentation of wearable sensor data. ICMI (2017). doi:10.1145/3136755.3136817
    """

    kinds: ClassVar[tuple[str, ...]] = ("samples",)

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the samples at warped times, interpolated between neighbors."""
        n, variables, width = raw.shape
        if width < 3:
            return raw, lengths
        reach = _SPEED * self.strength
        knots = uniform(n * _KNOTS, 1 - reach, 1 + reach, generator=generator, device=raw.device).view(n, 1, _KNOTS)
        share = (torch.arange(width, device=raw.device) / (lengths.to(raw.device)[:, None] - 1).clamp(min=1)).clamp(
            max=1
        )
        at = share * (_KNOTS - 1)
        low = at.floor().clamp(max=_KNOTS - 2).long()
        speed = torch.lerp(knots[:, 0].gather(1, low), knots[:, 0].gather(1, low + 1), at - low)
        real = inside(lengths.to(raw.device), width)
        steps = torch.where(real, speed, 0)
        time = steps.cumsum(1) - steps[:, :1]
        last = (lengths.to(raw.device) - 1).clamp(min=0)[:, None]
        time = time / time.gather(1, last).clamp(min=1e-6) * last  # (N, T): begins at 0 and ends at the last value
        before = time.floor().clamp(min=0).long().minimum((last - 1).clamp(min=0))
        between = (time - before).clamp(0, 1)[:, None]
        values = raw.float()

        def taken(index: torch.Tensor) -> torch.Tensor:
            return values.gather(2, index[:, None].expand(-1, variables, -1))

        first, second = taken(before), taken((before + 1).minimum(last))
        warped = torch.lerp(first, second, between)
        # Next to a missing value, a time that falls on a value keeps it.
        warped = torch.where(between < 1e-4, first, torch.where(between > 1 - 1e-4, second, warped))
        return torch.where(real[:, None], warped, values), lengths
