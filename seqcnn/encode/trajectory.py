"""Pointer trajectories drawn as pictures: the path, its speed, its acceleration and the clicks."""

from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seqcnn.checks import whole
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.series import check_samples, filled, inside
from seqcnn.samples import Samples

SIZE = 48
#: Points drawn along a path, for each row of the picture.
_POINTS = 32


class Trajectory(Encoder):
    """Samples ``(N, 4, T)`` of time, x, y and click (0 or 1) to pictures ``(N, 4, S, S)``.

    The channels are how much of the path runs through a pixel, mean speed and mean size of the acceleration there
    (each as a share of the record's largest), and how often was clicked there. The path is scaled to fill the picture,
    height and width alike, and y points down as on a screen.

    Parameters
    ----------
    size
        S.

    Examples
    --------
    >>> path = torch.tensor([[[0.0, 1, 2, 3], [0, 10, 10, 10], [0, 0, 10, 10], [0, 0, 0, 1]]])
    >>> picture = Trajectory(3)(path)
    >>> (picture[0, 0] > 0).int().tolist(), picture[0, 3].tolist()
    ([[1, 1, 1], [0, 0, 1], [0, 0, 1]], [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    """

    name: ClassVar[str] = "trajectory"
    raw_kind: ClassVar[str] = "samples"
    files: ClassVar[str | None] = "trajectory"
    channels = 4
    raw_shape = (4,)
    amounts = (1, 2)

    def __init__(self, size: int = SIZE) -> None:
        super().__init__()
        self.height = self.width = whole(size, "size", 2)

    @classmethod
    def fit(cls, raw: Samples, *, size: int | None = None, **settings: Any) -> Self:
        """Return the encoder with pictures of `size`."""
        return cls(size or SIZE)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {"size": self.height}

    def settings(self) -> dict[str, Any]:
        """Return the size."""
        return {"size": self.height}

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return float32 ``(N, 4, S, S)`` of `raw` ``(N, 4, T)``."""
        check_samples(raw, self)
        real = inside(raw, lengths)
        time, x, y, click = filled(raw.float(), real).unbind(1)
        within = real[:, 0]
        place = torch.stack([x, y], 1)  # (N, 2, T)
        low = torch.where(real, place, torch.inf).amin(-1, keepdim=True)
        high = torch.where(real, place, -torch.inf).amax(-1, keepdim=True)
        span = (high - low).amax(1, keepdim=True).clamp(min=1e-12)
        place = (place - (low + high) / 2) / span * (self.height - 1) + (self.height - 1) / 2
        move = place.diff(dim=-1, prepend=place[..., :1])  # (N, 2, T): how the pointer came to each point
        moved = within & torch.cat([torch.zeros_like(within[:, :1]), within[:, :-1]], 1)
        move = move * moved.unsqueeze(1)
        wait = time.diff(dim=-1, prepend=time[:, :1]).clamp(min=0) * moved
        usual = (wait.sum(-1, keepdim=True) / moved.sum(-1, keepdim=True).clamp(min=1)).clamp(min=1e-12)
        wait = wait.clamp(min=usual * 1e-2)
        velocity = move / wait.unsqueeze(1)
        speed = velocity.norm(dim=1)
        again = moved & torch.cat([torch.zeros_like(moved[:, :1]), moved[:, :-1]], 1)  # a step that follows a step
        change = velocity.diff(dim=-1, prepend=velocity[..., :1]).norm(dim=1) * again * 2 / (wait + wait.roll(1, -1))
        # No acceleration counts as large that would take longer than the record to stop the pointer.
        least = speed.amax(-1, keepdim=True) / (wait * moved).sum(-1, keepdim=True).clamp(min=1e-12)
        along = torch.stack([_share(speed), _share(change, least)], 1)  # (N, 2, T)
        ink, drawn = self._draw(place, move.norm(dim=1).cumsum(-1), along, last=within.sum(-1, keepdim=True) - 1)
        clicks = self._splat(place.round(), (click * within).unsqueeze(1))[:, 0]
        return torch.cat([ink, drawn, clicks.clamp(max=1).unsqueeze(1)], 1)

    def _draw(self, place: Tensor, way: Tensor, along: Tensor, *, last: Tensor) -> tuple[Tensor, Tensor]:
        """Return the path ``(N, 1, S, S)`` and the means of `along` ``(N, 2, S, S)`` where it runs, at equal steps."""
        points = _POINTS * self.height
        total = way[:, -1:].clamp(min=1e-12)
        steps = torch.linspace(0, 1, points, device=way.device) * total  # (N, points)
        high = torch.searchsorted(way.contiguous(), steps.contiguous()).clamp(min=1)
        high = torch.minimum(high, last.clamp(min=0))
        low = (high - 1).clamp(min=0)
        before, after = way.gather(1, low), way.gather(1, high)
        share = ((steps - before) / (after - before).clamp(min=1e-12)).clamp(0, 1).unsqueeze(1)

        def at(values: Tensor, index: Tensor) -> Tensor:
            return values.gather(2, index.unsqueeze(1).expand(-1, values.shape[1], -1))

        spot = torch.lerp(at(place, low), at(place, high), share)
        worth = at(along, high)
        drawn = self._splat(spot.round(), torch.cat([torch.ones_like(worth[:, :1]), worth], 1))
        count = drawn[:, :1]
        ink = (count * total.view(-1, 1, 1, 1) / points).clamp(max=1)  # one pass through a pixel is 1
        ink = torch.where(total.view(-1, 1, 1, 1) <= 1e-9, (count > 0).float(), ink)
        return ink, drawn[:, 1:] / count.clamp(min=1)

    def _splat(self, place: Tensor, values: Tensor) -> Tensor:
        """Return pictures ``(N, K, S, S)`` in which `values` ``(N, K, T)`` are added at `place` ``(N, 2, T)``."""
        cell = place.clamp(0, self.height - 1).long()
        index = (cell[:, 1] * self.height + cell[:, 0]).unsqueeze(1).expand_as(values)
        picture = torch.zeros(*values.shape[:2], self.height**2, device=values.device)
        return picture.scatter_add_(2, index, values).view(*values.shape[:2], self.height, self.height)


def _share(values: Tensor, least: Tensor | float = 0.0) -> Tensor:
    """Return `values` ``(N, T)`` as shares of each record's largest, or of `least` where that is larger."""
    return values / values.amax(-1, keepdim=True).clamp(min=1e-12).clamp(min=least)
