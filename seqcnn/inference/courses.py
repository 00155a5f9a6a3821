"""Courses: maps of records step by step, and how edits run through them, each layer of a network in one pass."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.compiling import compiled
from seqcnn.nn.stages import Act, Conv, Pad, Pool, Residual, Scale, Step

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Edits:
    """What edits of one kind make of the maps of records: `change` at cells that lie as far apart as the edits.

    Parameters
    ----------
    record, first
        Record of each edit, and cell at which its change begins, ``(N,)``; some may lie before or beyond the map.
    change
        ``(w, N, M, C)``: in w cells, of M alternatives an edit.
    """

    record: Tensor
    first: Tensor
    change: Tensor

    @property
    def width(self) -> int:
        """Cells that change."""
        return len(self.change)


class Maps:
    """Maps of records, cell by cell: ``(R, C, 1, W)`` as rows ``(R * W, C)``."""

    def __init__(self, maps: Tensor) -> None:
        self.records, channels, _, self.width = maps.shape
        self.rows = maps.permute(0, 2, 3, 1).reshape(-1, channels).contiguous()

    @property
    def maps(self) -> Tensor:
        """As they were."""
        return self.rows.view(self.records, self.width, 1, -1).permute(0, 3, 2, 1)

    def cells(self, record: Tensor, first: Tensor, width: int) -> Tensor:
        """Return `width` cells from `first`, ``(width, N, 1, C)``; anything where there is no cell."""
        cell = (torch.arange(width, device=first.device)[:, None] + first).clamp(0, self.width - 1)
        cell += record * self.width
        return self.rows.index_select(0, cell.flatten()).view(width, len(first), 1, -1)

    def real(self, edits: Edits) -> Tensor | None:
        """Return which cells of edits there are, ``(w, N, 1, 1)``; None where there are all."""
        if int(edits.first.min()) >= 0 and int(edits.first.max()) + edits.width <= self.width:
            return None
        cell = torch.arange(edits.width, device=edits.first.device)[:, None] + edits.first
        return ((cell >= 0) & (cell < self.width))[:, :, None, None]

    def inside(self, edits: Edits) -> Edits:
        """Return edits that change nothing where there is no cell."""
        real = self.real(edits)
        return edits if real is None else replace(edits, change=edits.change.masked_fill(~real, 0))


class Course:
    """Steps, and the maps of records before each and after the last.

    Residual blocks are taken apart: what is inside them comes first, and they stand for the sum at their end.

    Parameters
    ----------
    steps
        Of a network in use.
    maps
        Of the records, before the first step.
    opened
        Their maps after the first convolution, where they are known.
    """

    def __init__(self, steps: Sequence[Step], maps: Maps, opened: Tensor | None = None) -> None:
        self.steps = tuple(apart(steps))
        self.maps = [maps]
        for i, step in enumerate(self.steps):
            x = self.maps[-1].maps
            if isinstance(step, Residual):
                found = step.middle(self.maps[i - len(step.steps)].maps) + x
            elif isinstance(step, Conv) and opened is not None:
                found, opened = opened, None
            else:
                found = step(x)
            self.maps.append(Maps(found))
        self.taps = {i: _taps(step) for i, step in enumerate(self.steps) if isinstance(step, Conv)}
        self.forks = {i - len(step.steps) for i, step in enumerate(self.steps) if isinstance(step, Residual)}

    def __call__(self, edits: Edits) -> Edits:
        """Return what edits of the first maps are in the last."""
        kept: dict[int, Edits] = {}
        at = 0
        while at < len(self.steps):
            if at in self.forks:
                kept[at] = edits
            step = self.steps[at]
            if isinstance(step, Conv):
                edits, at = self._layer(edits, step, at, kept)
            else:
                source = kept.pop(at - len(step.steps)) if isinstance(step, Residual) else None
                edits = _stepped(step, edits, self.maps[at], self.maps[at + 1], source)
                at += 1
        return edits

    def _layer(self, edits: Edits, conv: Conv, at: int, kept: dict[int, Edits]) -> tuple[Edits, int]:
        """Return the edits after a convolution, and a sum and a rectifier if such follow; and the step after them."""
        edits = replace(
            edits, first=edits.first - conv.lost, change=_spread(edits.change, self.taps[at], conv.dilation)
        )
        at += 1
        skip, step = None, self._step(at)
        if isinstance(step, Residual):
            skip = kept.pop(at - len(step.steps)).change, step.lost - step.side  # in the middle
            at += 1
        step = self._step(at)
        rectified = isinstance(step, Act) and step.function is torch.relu
        before, later = self.maps[at], self.maps[at + rectified]
        settle = _settled if _fast(edits.change) else _settled_anywhere
        return settle(edits, skip, before, later if rectified else None), at + rectified

    def _step(self, at: int) -> Step | None:
        return self.steps[at] if at < len(self.steps) else None


#: What is added to maps of a sum, and the cell from which on.
Skip = tuple[Tensor, int]


def _fast(change: Tensor) -> bool:
    """Return whether there is a kernel for it."""
    return change.device.type == "cpu"


def _spread(change: Tensor, taps: Tensor, dilation: int) -> Tensor:
    """Return what changed cells ``(w, N, M, C)`` change around them, by the taps of a kernel ``(K, C, O)``.

    Cells come first, so that what a tap adds goes to neighboring rows, and is added as it is multiplied.
    """
    width, n, m, channels = change.shape
    rows, (kernel, _, outputs) = change.reshape(-1, channels), taps.shape
    found = change.new_empty(width + (kernel - 1) * dilation, n, m, outputs)
    torch.mm(rows, taps[0], out=found[:width].view(-1, outputs))
    found[width:] = 0
    for k in range(1, kernel):
        found[k * dilation : k * dilation + width].view(-1, outputs).addmm_(rows, taps[k])
    return found


def _settled_anywhere(edits: Edits, skip: Skip | None, before: Maps, later: Maps | None) -> Edits:
    """Return edits after a convolution with what is skipped added, rectified, and nothing where there is no cell.

    Their change is written over: a convolution has just made it.

    Parameters
    ----------
    before, later
        Maps before and after a rectifier; without one `later` is None.
    """
    if skip is not None:
        edits.change[skip[1] : skip[1] + len(skip[0])] += skip[0]
    return before.inside(edits) if later is None else _acted(torch.relu, edits, before, later)


def _settled(edits: Edits, skip: Skip | None, before: Maps, later: Maps | None) -> Edits:
    """Return the same in one pass."""
    added, shift = (edits.change[:0], 0) if skip is None else skip
    rectify, rows = later is not None, (before, later or before)
    maps = [tensor.contiguous().numpy() for tensor in (added, rows[0].rows, rows[1].rows)]
    where = edits.record.numpy() * before.width, edits.first.numpy()
    _settle(*maps, where, (shift, before.width, rectify), edits.change.numpy())
    return edits


@compiled
def _settle(
    skip: Floats,
    before: Floats,
    later: Floats,
    where: tuple[Indices, Indices],
    how: tuple[int, int, bool],
    change: Floats,
) -> None:
    """Add what is skipped to changes of cells ``(w, N, M, O)``, and rectify; where there is no cell nothing changes.

    Parameters
    ----------
    where
        Row of the first cell of each edit's record, and cell at which the change begins.
    how
        Cell at which the skipped begins, cells of a map, whether to rectify.
    """
    rows, firsts = where
    shift, length, rectify = how
    width, count, alternatives, outputs = change.shape
    for c in range(width):
        skipped = 0 <= c - shift < len(skip)
        for n in range(count):
            cell = firsts[n] + c
            row = rows[n] + cell
            for m in range(alternatives):
                if cell < 0 or cell >= length:
                    for o in range(outputs):
                        change[c, n, m, o] = 0
                    continue
                if skipped:
                    for o in range(outputs):
                        change[c, n, m, o] += skip[c - shift, n, m, o]
                if rectify:
                    for o in range(outputs):
                        change[c, n, m, o] = max(before[row, o] + change[c, n, m, o], 0) - later[row, o]


def _stepped(step: Step, edits: Edits, before: Maps, later: Maps, source: Edits | None) -> Edits:
    """Return the edits after a step, of which the maps before and after are known; `source` is what a sum adds."""
    if isinstance(step, Pad):
        return replace(edits, first=edits.first + step.left)
    if isinstance(step, Scale):
        return replace(edits, change=edits.change * step.factor)
    if isinstance(step, Pool):
        return _pooled(step, edits, before, later)
    if isinstance(step, Act):
        return _acted(step, edits, before, later)
    if not isinstance(step, Residual) or source is None:
        raise TypeError(f"{type(step).__name__} is no step that edits run through")
    change = edits.change.clone()
    change[step.lost - step.side :][: source.width] += source.change  # in the middle
    return later.inside(replace(edits, change=change))


def _acted(function: Callable[[Tensor], Tensor], edits: Edits, before: Maps, later: Maps) -> Edits:
    """Return what a function of each value makes of changes."""
    new = function(before.cells(edits.record, edits.first, edits.width) + edits.change)
    return later.inside(replace(edits, change=new - later.cells(edits.record, edits.first, edits.width)))


def _pooled(step: Pool, edits: Edits, before: Maps, later: Maps) -> Edits:
    """Return what a pool makes of changes: whole cells are pooled anew."""
    first = edits.first // step.width  # the same remainder for all
    ahead = int(edits.first[0]) % step.width
    if step.mean:
        return later.inside(replace(edits, first=first, change=_grouped(edits.change, step.width, ahead).mean(1)))
    new = most(edits, before, step.width, ahead)
    return later.inside(replace(edits, first=first, change=new - later.cells(edits.record, first, len(new))))


def most(edits: Edits, maps: Maps, width: int, ahead: int = 0) -> Tensor:
    """Return the largest of every `width` cells of maps with edits in them, ``(cells, N, M, C)``; -inf of no cells.

    The first of them begin `ahead` cells before the edits.
    """
    change, first = edits.change, edits.first - ahead
    cells = -(-(ahead + edits.width) // width)
    if _fast(change):
        found = change.new_empty(cells, *change.shape[1:])
        where = edits.record.numpy() * maps.width, first.numpy()
        _most(change.contiguous().numpy(), maps.rows.numpy(), where, (width, ahead, maps.width), found.numpy())
        return found
    wider = Edits(edits.record, first, _grouped(change, width, ahead).flatten(0, 1))
    new, real = maps.cells(edits.record, first, wider.width) + wider.change, maps.real(wider)
    new = new if real is None else new.masked_fill(~real, -torch.inf)
    return new.view(cells, width, *new.shape[1:]).amax(1)


def _grouped(change: Tensor, width: int, ahead: int) -> Tensor:
    """Return changes and zeros around them by groups of cells, ``(cells, width, N, M, C)``."""
    behind = -(ahead + len(change)) % width
    return nn.functional.pad(change, (0, 0, 0, 0, 0, 0, ahead, behind)).view(-1, width, *change.shape[1:])


@compiled
def _most(
    change: Floats, maps: Floats, where: tuple[Indices, Indices], how: tuple[int, int, int], found: Floats
) -> None:
    """Fill `found` with the largest of every so many cells.

    Parameters
    ----------
    where
        Row of the first cell of each edit's record, and the first cell that counts.
    how
        Cells pooled to one, cells ahead of the change, cells of a map.
    """
    rows, firsts = where
    width, ahead, length = how
    cells, count, alternatives, channels = found.shape
    for p in range(cells):
        for n in range(count):
            for m in range(alternatives):
                for o in range(channels):
                    found[p, n, m, o] = -np.inf
                for at in range(p * width, (p + 1) * width):
                    cell, c = firsts[n] + at, at - ahead
                    if cell < 0 or cell >= length:
                        continue
                    row = rows[n] + cell
                    if 0 <= c < len(change):
                        for o in range(channels):
                            found[p, n, m, o] = max(found[p, n, m, o], maps[row, o] + change[c, n, m, o])
                    else:
                        for o in range(channels):
                            found[p, n, m, o] = max(found[p, n, m, o], maps[row, o])


def apart(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield steps, those inside a residual block before it."""
    for step in steps:
        if isinstance(step, Residual):
            yield from step.steps
        yield step


def _taps(conv: Conv) -> Tensor:
    """Return what a cell adds to each of the cells around it, from the first to the last, ``(K, C, O)``."""
    return conv.weight.flip(2).permute(2, 1, 0).contiguous()
