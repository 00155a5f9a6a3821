"""Edits of a record: logits of many copies that differ from it in a few letters, from what changes alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqcnn.nn.stages import Act, Conv, Pad, Pool, Residual, Scale, Stages, Step, Summary


@dataclass(frozen=True)
class Edits:
    """What edits of one kind make of the maps of a record: `change` at cells that lie as far apart as the edits.

    Parameters
    ----------
    first
        Cell at which the change of each edit begins, ``(N,)``; some may lie before or beyond the map.
    change
        ``(N, M, C, w)``: of M alternatives an edit, in w cells.
    """

    first: Tensor
    change: Tensor


class Edited:
    """A record's maps after every step, and how edits run through them.

    Edits begin at columns that are equal modulo the pools, so that cells of all of them line up.

    Parameters
    ----------
    stages
        Of a network in use.
    image
        Of one record, ``(1, C, 1, L)``, as wide as the network wants it.
    """

    def __init__(self, stages: Stages, image: Tensor) -> None:
        self.stages = stages
        self.maps = [image[0, :, 0]]  # (C, L), before each step and after the last
        self.inner: dict[int, list[Tensor]] = {}
        for i, step in enumerate(stages.steps):
            self.maps.append(step(self.maps[-1][None, :, None])[0, :, 0])
            if isinstance(step, Residual):
                self.inner[i] = _through(step.steps, self.maps[i])
        self.last = [_through(summary.steps, self.maps[-1]) for summary in stages.summaries]
        self.around = {i: _around(self.last[i][-1]) for i, s in enumerate(stages.summaries) if s.kind == "max"}
        self.base = nn.functional.linear(stages.features(self.maps[-1][None, :, None]), *stages.dense)  # (1, H)

    def bytes_an_edit(self, alternatives: int) -> int:
        """Return the bytes of the widest change of one letter by so many alternatives, about."""
        cells = widest = 1
        for step in self.stages.steps:
            inner = step.steps if isinstance(step, Residual) else (step,)
            for one in inner:
                if isinstance(one, Conv):
                    widest = max(widest, cells * one.weight.shape[0] * one.weight.shape[2])
                    cells += one.lost
            cells = -(-cells // step.width) + 1 if isinstance(step, Pool) else cells
        return 4 * alternatives * widest

    def logits(self, first: Tensor, change: Tensor) -> Tensor:
        """Return logits ``(N, M, K)`` of the record with changes ``(N, M, C, w)`` of its image from columns `first`.

        Columns `first` are equal modulo the stride of the stages.
        """
        edits = Edits(first, change)
        for i, step in enumerate(self.stages.steps):
            edits = self._stepped(step, edits, self.maps[i], self.maps[i + 1], self.inner.get(i))
        n, m = change.shape[:2]
        dense = self.base + sum(
            self._part(summary, edits, i, columns)
            for (i, summary), columns in zip(enumerate(self.stages.summaries), self._columns(), strict=True)
        )
        return self.stages.head(dense.reshape(n * m, -1)).reshape(n, m, -1)

    def _stepped(
        self, step: Step, edits: Edits, before: Tensor, later: Tensor, inner: list[Tensor] | None = None
    ) -> Edits:
        """Return the edits after a step, of which the maps ``(C, L)`` before and after are known."""
        if isinstance(step, Pad):
            return Edits(edits.first + step.left, edits.change)
        if isinstance(step, Conv):
            return _convolved(step, edits, later)
        if isinstance(step, Scale):
            return Edits(edits.first, edits.change * step.factor[:, None])
        if isinstance(step, Act):
            width = edits.change.shape[3]
            new = step(_cells(before, edits.first, width)[:, None] + edits.change)
            return _inside(Edits(edits.first, new - _cells(later, edits.first, width)[:, None]), later)
        if isinstance(step, Pool):
            return _pooled(step, edits, before, later)
        if inner is None:
            raise TypeError("a residual step needs the maps inside it")
        found = edits
        for one, x, y in zip(step.steps, inner[:-1], inner[1:], strict=True):
            found = self._stepped(one, found, x, y)
        return _added(step, edits, found, later)

    def _columns(self) -> Iterator[slice]:
        """Yield which columns of the dense layer's weight belong to each summary."""
        start = 0
        for summary, maps in zip(self.stages.summaries, self.last, strict=True):
            channels, cells = maps[-1].shape
            count = channels * cells if summary.kind == "flat" else channels
            yield slice(start, start + count)
            start += count

    def _part(self, summary: Summary, edits: Edits, index: int, columns: slice) -> Tensor:
        """Return what the edits change of the dense layer's output through one summary, ``(N, M, H)``."""
        maps, weight = self.last[index], self.stages.dense[0][:, columns]
        for step, before, later in zip(summary.steps, maps[:-1], maps[1:], strict=True):
            edits = self._stepped(step, edits, before, later)
        whole, (n, m, channels, width) = maps[-1], edits.change.shape
        if summary.kind == "mean":
            return edits.change.sum(3) / whole.shape[1] @ weight.T
        if summary.kind == "max":
            left, right = self.around[index]
            first = edits.first.clamp(0, whole.shape[1])
            last = (edits.first + width).clamp(0, whole.shape[1])
            rest = torch.maximum(left[:, first], right[:, last]).T  # (N, C)
            new = (_cells(whole, edits.first, width)[:, None] + edits.change).masked_fill(
                ~_real(edits.first, width, whole.shape[1])[:, None, None], -torch.inf
            )
            return (torch.maximum(rest[:, None], new.amax(3)) - whole.amax(1)) @ weight.T
        table = nn.functional.pad(weight.reshape(-1, channels, whole.shape[1]), (width, width))
        found = edits.change.new_empty(n, m, len(weight))
        for first in sorted(set(edits.first.tolist())):
            mine = edits.first == first
            at = min(max(first, -width), whole.shape[1]) + width
            found[mine] = edits.change[mine].flatten(2) @ table[:, :, at : at + width].flatten(1).T
        return found


def _through(steps: tuple[Conv | Scale | Act, ...], maps: Tensor) -> list[Tensor]:
    """Return maps ``(C, L)`` before each step and after the last."""
    found = [maps]
    for step in steps:
        found.append(step(found[-1][None, :, None])[0, :, 0])
    return found


def _around(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest value before, and from, each cell of maps ``(C, L)``, each ``(C, L + 1)``."""
    none = maps.new_full((len(maps), 1), -torch.inf)
    left = torch.cat([none, maps.cummax(1).values], 1)
    right = torch.cat([maps.flip(1).cummax(1).values.flip(1), none], 1)
    return left, right


def _real(first: Tensor, width: int, length: int) -> Tensor:
    """Return which of `width` cells from `first` lie in a map, ``(N, width)``."""
    cell = first[:, None] + torch.arange(width, device=first.device)
    return (cell >= 0) & (cell < length)


def _cells(maps: Tensor, first: Tensor, width: int) -> Tensor:
    """Return `width` cells from `first` of maps ``(C, L)``, ``(N, C, width)``; anything where there is no cell."""
    cell = (first[:, None] + torch.arange(width, device=first.device)).clamp(0, maps.shape[1] - 1)
    return maps[:, cell].transpose(0, 1)


def _inside(edits: Edits, maps: Tensor) -> Edits:
    """Return edits that change nothing where the maps have no cell."""
    width, length = edits.change.shape[3], maps.shape[1]
    if int(edits.first.min()) >= 0 and int(edits.first.max()) + width <= length:
        return edits
    return Edits(edits.first, edits.change * _real(edits.first, width, length)[:, None, None])


def _convolved(step: Conv, edits: Edits, later: Tensor) -> Edits:
    """Return what a convolution makes of changes: a matrix product for each cell, added up where cells meet."""
    n, m, channels, width = edits.change.shape
    outputs, _, kernel = step.weight.shape
    table = step.weight.flip(2).permute(1, 2, 0).reshape(channels, kernel * outputs)
    found = (edits.change.permute(0, 1, 3, 2).reshape(-1, channels) @ table).view(n * m, width, kernel, outputs)
    total = found.new_zeros(n * m, width + step.lost, outputs)
    for k in range(kernel):
        total[:, k * step.dilation : k * step.dilation + width] += found[:, :, k]
    change = total.view(n, m, width + step.lost, outputs).transpose(2, 3)
    return _inside(Edits(edits.first - step.lost, change), later)


def _pooled(step: Pool, edits: Edits, before: Tensor, later: Tensor) -> Edits:
    """Return what a pool makes of changes: whole cells are pooled anew."""
    width = edits.change.shape[3]
    first = edits.first // step.width  # the same remainder for all
    ahead = int(edits.first[0]) % step.width
    cells = -(-(ahead + width) // step.width)
    rest = cells * step.width - ahead - width
    new = _cells(before, first * step.width, cells * step.width)[:, None]
    new = new + nn.functional.pad(edits.change, (ahead, rest))
    new = new.view(*new.shape[:3], cells, step.width)
    new = new.mean(4) if step.mean else new.amax(4)
    return _inside(Edits(first, new - _cells(later, first, cells)[:, None]), later)


def _added(step: Residual, edits: Edits, found: Edits, later: Tensor) -> Edits:
    """Return the changes of a sum: of what was given, in the middle, and of what was found."""
    change = found.change.clone()
    width = edits.change.shape[3]
    shift = step.lost - step.side  # the middle of the input begins `side` columns in
    change[..., shift : shift + width] += edits.change
    return _inside(Edits(found.first, change), later)
