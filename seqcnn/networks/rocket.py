"""ROCKET's family: random filters that are never trained, and one linear layer; the default where records are few."""

from itertools import combinations
from math import ceil, log2
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from seqcnn.checks import whole
from seqcnn.networks.network import Network
from seqcnn.nn.padding import inside

#: Filters of a group, and their longer side; of the fixed filters, the number of weights of 2 among weights of -1.
_PER_GROUP, _LONG, _TWOS = 8, 9, 3
#: A bias is so far from the responses that gave it, and one that counts from 0, that rounding does not matter.
_APART = 1e-4
#: Shorter sides up to so many pixels stay as they are.
_LARGEST = 64


class Rocket(Network):
    """Random convolutions at several dilations, how often each wins and how long it stays on, and a linear layer.

    Two kinds of features, both of the image and of its differences from column to column. *Competing* filters come in
    groups of eight: at each place the strongest one wins, and what it wins by is summed; the weakest one is counted.
    *Runs*, of images of height 1 only: the longest stretch over which the response of a fixed filter exceeds a bias.
    Nothing but the linear layer is fitted, at once and by ridge regression, so training takes seconds. Pictures whose
    shorter side is over 64 pixels are averaged down first.

    Parameters
    ----------
    groups
        Groups of eight competing filters, at each dilation.
    dilations
        Most dilations; they grow by powers until a filter spans the image.
    biases
        Of each fixed filter: quantiles of its responses to training records. 0 leaves runs out.
    seed
        Of the filters.

    References
    ----------
    Dempster, Petitjean, Webb. ROCKET. DMKD 34:1454 (2020). doi:10.1007/s10618-020-00701-z
    Dempster, Schmidt, Webb. Hydra: competing convolutional kernels. DMKD 37:1779 (2023).
    Tan, Dempster, Bergmeir, Webb. MultiRocket. DMKD 36:1623 (2022). doi:10.1007/s10618-022-00844-1
    """

    closed_form: ClassVar[bool] = True
    batch_bytes: ClassVar[int] = 2 << 20  # all is passes over the responses, which are to stay in the cache
    center: Tensor
    scale: Tensor
    offset: Tensor
    weight: Tensor

    def __init__(
        self,
        *,
        in_channels: int,
        outputs: int,
        height: int = 1,
        width: int | None = None,
        groups: int = 16,
        dilations: int = 6,
        biases: int = 3,
        seed: int = 0,
    ) -> None:
        whole(groups, "groups", 1)
        super().__init__(
            in_channels=in_channels, outputs=outputs, height=height, width=width, groups=groups, dilations=dilations,
            biases=biases, seed=seed,
        )  # fmt: skip
        self.groups = groups
        shrunk = ceil(min(height, width or height) / _LARGEST) if height > 1 else 1
        self.shrink = nn.AvgPool2d(shrunk) if shrunk > 1 else None
        self.shrunk, self.minimum_width = shrunk, _LONG * shrunk
        height, longest = height // shrunk, 2 * _LONG if width is None else width // shrunk
        generator = torch.Generator().manual_seed(seed)
        competing: list[_Competing] = []
        running: list[_Running] = []
        sides = [(1, _LONG)] if height == 1 else [(3, 3), (1, _LONG), (_LONG, 1)]
        for side in sides:
            for differences in (False, True):
                across = max(longest - differences, 1)
                span = across if side[0] == 1 else height if side[1] == 1 else min(height, across)
                steps = _steps(span, max(side), dilations)
                competing += [self._competing(side, step, differences, generator) for step in steps]
        if height == 1 and biases:
            for differences in (False, True):
                steps = _steps(max(longest - differences, 1), _LONG, dilations)
                running += [self._running(step, differences, biases, generator) for step in steps]
        self.competing, self.running = nn.ModuleList(competing), nn.ModuleList(running)
        count = 2 * groups * _PER_GROUP * len(competing), sum(bank.bias.numel() for bank in running)
        self.blocks = [n for n in count if n]
        # All set from the training records: of the image, and of the features.
        self.register_buffer("center", torch.zeros(in_channels, 1, 1))
        self.register_buffer("scale", torch.ones(in_channels, 1, 1))
        self.register_buffer("offset", torch.zeros(sum(count)))
        self.register_buffer("weight", torch.ones(sum(count)))
        self.out = nn.Linear(sum(count), outputs)

    def _competing(
        self, side: tuple[int, int], step: int, differences: bool, generator: torch.Generator
    ) -> "_Competing":
        weight = torch.randn(self.groups * _PER_GROUP, self.in_channels, *side, generator=generator)
        weight = weight - weight.mean((2, 3), keepdim=True)
        return _Competing(weight / weight.abs().sum((1, 2, 3), keepdim=True), step, differences)

    def _running(self, step: int, differences: bool, biases: int, generator: torch.Generator) -> "_Running":
        """Return all 84 choices of three weights of 2 among nine of -1, each over a random part of the channels."""
        chosen = list(combinations(range(_LONG), _TWOS))
        fixed = torch.full((len(chosen), 1, 1, _LONG), -1.0)
        for i, places in enumerate(chosen):
            fixed[i, 0, 0, list(places)] = 2.0
        used = torch.ones(len(chosen), self.in_channels, 1, 1)
        if self.in_channels > 1:
            for i in range(len(chosen)):
                most = log2(min(self.in_channels, _LONG) + 1)
                number = int(2 ** (float(torch.rand(1, generator=generator)) * most))
                used[i] = 0
                used[i, torch.randperm(self.in_channels, generator=generator)[:number]] = 1
        return _Running(fixed * used, step, differences, biases)

    def standard(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the image with channels on one scale, and which columns are real, ``(N, 1, 1, W)`` or None."""
        z = (x - self.center) / self.scale
        if lengths is None:
            return (z if self.shrink is None else self.shrink(z)), None
        if self.shrink is not None:
            z, lengths = self.shrink(z * inside(lengths, x.shape[-1])[:, None, None]), lengths // self.shrunk
        real = inside(lengths, z.shape[-1])[:, None, None]
        return z * real, real

    def plain(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return the features ``(N, F)`` before they are put on one scale."""
        z, real = self.standard(x, lengths)
        return torch.cat([bank(z, real) for bank in (*self.competing, *self.running)], 1)

    def rest(self, gathered: Tensor, lengths: Tensor | None) -> Tensor:  # noqa: D102
        return (self.plain(gathered, lengths) - self.offset) * self.weight

    def head(self, z: Tensor) -> Tensor:  # noqa: D102
        logits: Tensor = self.out(z)
        return logits

    @torch.no_grad()
    def fit_images(self, image: Tensor, lengths: Tensor | None) -> None:
        """Set the scale of the channels and the biases from images ``(N, C, H, W)`` of training records."""
        image, lengths = self.prepare(image, lengths)
        real = (
            torch.ones_like(image[:, :1, :1]).bool()
            if lengths is None
            else inside(lengths, image.shape[-1])[:, None, None]
        )
        values = image.movedim(1, 0)[:, real.expand(-1, 1, *image.shape[2:])[:, 0]]  # (C, P)
        self.center.copy_(values.mean(1).view(-1, 1, 1))
        spread = values.std(1, correction=0)
        self.scale.copy_(torch.where(spread > 1e-6, spread, 1).view(-1, 1, 1))
        z, mask = self.standard(image, lengths)
        for bank in self.running:
            cast(_Running, bank).fit(z, mask)

    @torch.no_grad()
    def fit_features(self, features: Tensor) -> None:
        """Set the scale of the features ``(N, F)`` of training records: those that are rarely seen count less.

        Both kinds get the same weight, whatever their number.
        """
        self.offset.copy_(features.mean(0))
        spread = features.std(0, correction=0) + (features == 0).float().mean(0).pow(4).clamp(min=1e-8)
        scaled = (features - self.offset) / spread
        wild = scaled.abs().max(0)[0] > 1e4
        weight = torch.where(wild, 0, 1 / spread)
        start = 0
        for count in self.blocks:
            part = slice(start, start + count)
            norm = torch.where(wild[part], 0, scaled[:, part]).square().sum(1).mean().sqrt()
            weight[part] /= norm.clamp(min=1e-8)
            start += count
        self.weight.copy_(weight)


class _Bank(nn.Module):
    """Frozen filters of one dilation on the image, or on its differences from column to column."""

    def __init__(self, weight: Tensor, step: int, differences: bool) -> None:
        super().__init__()
        filters, channels, height, width = weight.shape
        self.differences = differences
        dilation = (step if height > 1 else 1, step if width > 1 else 1)
        same = (dilation[0] * (height - 1) // 2, dilation[1] * (width - 1) // 2)
        self.conv = nn.Conv2d(channels, filters, (height, width), dilation=dilation, padding=same, bias=False)
        self.conv.weight.data.copy_(weight)
        self.conv.weight.requires_grad_(False)

    def respond(self, x: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the responses ``(N, F, H, W)`` and which count, 0 or 1 ``(N, 1, 1, W)``."""
        if self.differences:
            x = x[..., 1:] - x[..., :-1]
            if real is not None:
                real = real[..., 1:]
                x = x * real
        responses: Tensor = self.conv(x)
        if real is None:
            return responses, responses.new_ones(1, 1, 1, responses.shape[-1])
        return responses, real.to(responses.dtype)


class _Competing(_Bank):
    """In each group the strongest response of a place is summed, and the weakest one counted."""

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Return the square roots of mean wins, and of shares of defeats, ``(N, 2 F)``."""
        responses, counts = self.respond(x, real)
        responses = nn.functional.hardshrink(responses, _APART)  # where nothing changes, rounding is no winner
        n, filters, height, width = responses.shape
        # Places side by side in memory, and comparisons with the extremes: argmax over filters is ten times slower.
        grouped = responses.contiguous().view(n, filters // _PER_GROUP, _PER_GROUP, height * width)
        counts = counts.expand(n, 1, height, width).reshape(n, 1, 1, height * width)
        total = counts.sum(3).clamp(min=1)  # (N, 1, 1)
        most, least = grouped.amax(2, keepdim=True), grouped.amin(2, keepdim=True)
        wins = (_where_equal(grouped, most) * (most.clamp(min=0) * counts)).sum(3) / total
        defeats = (_where_equal(grouped, least) * counts).sum(3) / total
        return torch.cat([wins.sqrt().flatten(1), defeats.sqrt().flatten(1)], 1)


class _Running(_Bank):
    """The longest stretch over which a response exceeds each of its biases."""

    bias: Tensor

    def __init__(self, weight: Tensor, step: int, differences: bool, biases: int) -> None:
        super().__init__(weight, step, differences)
        self.register_buffer("bias", torch.zeros(len(weight), biases))

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """Return the stretches as shares of the record, ``(N, F * biases)``, bias by bias."""
        responses, counts = self.respond(x, real)
        responses, counts = responses[:, :, 0], counts[:, :, 0]
        total = counts.sum(2).clamp(min=1)  # (N, 1)
        place = torch.arange(1, responses.shape[2] + 1, dtype=responses.dtype, device=responses.device)
        found = []
        for bias in self.bias.T:
            on = (responses > bias[:, None]) & (counts > 0)
            off = torch.where(on, 0, place).cummax(2)[0]  # the last place that was not on
            found.append((place - off).max(2)[0] / total)
        return torch.cat(found, 1)

    def fit(self, x: Tensor, real: Tensor | None) -> None:
        """Set the biases to quantiles of the responses, spread by the golden section."""
        responses, counts = self.respond(x, real)
        flat = responses[:, :, 0].transpose(0, 1)[:, (counts[:, 0, 0] > 0).expand(len(responses), -1)]
        ordered = flat.sort(1)[0]  # (F, P)
        number = self.bias.numel()
        golden = (5**0.5 - 1) / 2
        share = 0.01 + 0.98 * ((torch.arange(1, number + 1, dtype=torch.float64) * golden) % 1)
        at = (share.view(self.bias.shape) * (ordered.shape[1] - 1)).long().to(ordered.device)
        value, next_value = ordered.gather(1, at), ordered.gather(1, (at + 1).clamp(max=ordered.shape[1] - 1))
        self.bias.copy_(value + ((next_value - value) / 2).clamp(min=_APART))


def _where_equal(x: Tensor, y: Tensor) -> Tensor:
    """Return 1 where `x` is `y` and 0 elsewhere, of the type of `x`: six times faster than through booleans."""
    return torch.eq(x.detach(), y.detach(), out=torch.empty_like(x.detach()))


def _steps(span: int, taps: int, most: int) -> list[int]:
    """Return at most `most` dilations of a filter of so many taps, up to one that spans an image.

    >>> _steps(150, 9, 6), _steps(12, 9, 6)
    ([1, 3, 5, 10, 18], [1])
    """
    top = log2(max(1, (span - 1) // (taps - 1)))
    return sorted({int(2 ** (top * i / max(most - 1, 1)) + 1e-9) for i in range(most)})
