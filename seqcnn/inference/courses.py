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
        ``(N, M, w, C)``: of M alternatives an edit, in w cells.
    """

    record: Tensor
    first: Tensor
    change: Tensor

    @property
    def width(self) -> int:
        """Cells that change."""
        return self.change.shape[2]


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
        """Return `width` cells from `first`, ``(N, 1, width, C)``; anything where there is no cell."""
        cell = (first[:, None] + torch.arange(width, device=first.device)).clamp(0, self.width - 1)
        cell += record[:, None] * self.width
        return self.rows.index_select(0, cell.flatten()).view(len(first), 1, width, -1)

    def real(self, edits: Edits) -> Tensor | None:
        """Return which cells of edits there are, ``(N, 1, w, 1)``; None where there are all."""
        if int(edits.first.min()) >= 0 and int(edits.first.max()) + edits.width <= self.width:
            return None
        cell = edits.first[:, None] + torch.arange(edits.width, device=edits.first.device)
        return ((cell >= 0) & (cell < self.width))[:, None, :, None]

    def inside(self, edits: Edits) -> Edits:
        """Return edits that change nothing where there is no cell."""
        real = self.real(edits)
        return edits if real is None else replace(edits, change=edits.change * real)


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
        self.tables = {i: _table(step) for i, step in enumerate(self.steps) if isinstance(step, Conv)}
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
        n, m, width, channels = edits.change.shape
        outputs, _, kernel = conv.weight.shape
        parts = (edits.change.reshape(-1, channels) @ self.tables[at]).view(n, m, width, kernel, outputs)
        at += 1
        skip, step = None, self._step(at)
        if isinstance(step, Residual):
            skip = kept.pop(at - len(step.steps)).change, step.lost - step.side  # in the middle
            at += 1
        step = self._step(at)
        rectified = isinstance(step, Act) and step.function is torch.relu
        before, later = self.maps[at], self.maps[at + rectified]
        found = replace(edits, first=edits.first - conv.lost)
        settle = _settled if _fast(parts) else _settled_anywhere
        return settle(found, parts, conv.dilation, skip, before, later if rectified else None), at + rectified

    def _step(self, at: int) -> Step | None:
        return self.steps[at] if at < len(self.steps) else None


#: What is added to maps of a sum, and the cell from which on.
Skip = tuple[Tensor, int]


def _fast(parts: Tensor) -> bool:
    """Return whether there is a kernel for it."""
    return parts.device.type == "cpu"


def _settled_anywhere(
    edits: Edits, parts: Tensor, dilation: int, skip: Skip | None, before: Maps, later: Maps | None
) -> Edits:
    """Return edits after a convolution: what each changed cell adds to those around it, ``(N, M, w, K, O)``, joined.

    Parameters
    ----------
    edits
        From the first cell that changes.
    before, later
        Maps before and after a rectifier; without one `later` is None.
    """
    n, m, width, kernel, outputs = parts.shape
    change = parts.new_zeros(n, m, width + (kernel - 1) * dilation, outputs)
    for k in range(kernel):
        change[:, :, k * dilation : k * dilation + width] += parts[:, :, :, k]
    if skip is not None:
        change[:, :, skip[1] : skip[1] + skip[0].shape[2]] += skip[0]
    found = replace(edits, change=change)
    return before.inside(found) if later is None else _acted(torch.relu, found, before, later)


def _settled(edits: Edits, parts: Tensor, dilation: int, skip: Skip | None, before: Maps, later: Maps | None) -> Edits:
    """Return the same in one pass."""
    n, m, width, kernel, outputs = parts.shape
    change = parts.new_empty(n, m, width + (kernel - 1) * dilation, outputs)
    added, shift = (parts[:, :, :0, 0], 0) if skip is None else skip
    rectify, rows = later is not None, (before, later or before)
    maps = [tensor.contiguous().numpy() for tensor in (parts, added, rows[0].rows, rows[1].rows)]
    where = edits.record.numpy() * before.width, edits.first.numpy()
    _joined(*maps, where, (dilation, shift, before.width, rectify), change.numpy())
    return replace(edits, change=change)


@compiled
def _joined(
    parts: Floats,
    skip: Floats,
    before: Floats,
    later: Floats,
    where: tuple[Indices, Indices],
    how: tuple[int, int, int, bool],
    change: Floats,
) -> None:
    """Join the parts of a convolution, add what is skipped, and rectify: changes of cells ``(N, M, w, O)``.

    Parameters
    ----------
    where
        Row of the first cell of each edit's record, and cell at which the change begins.
    how
        Cells from one of the kernel's taps to the next, cell at which the skipped begins, cells of a map, whether to
        rectify.
    """
    rows, firsts = where
    dilation, shift, length, rectify = how
    count, alternatives, width, kernel, outputs = parts.shape
    for n in range(count):
        for m in range(alternatives):
            for c in range(change.shape[2]):
                cell = firsts[n] + c
                if cell < 0 or cell >= length:
                    for o in range(outputs):
                        change[n, m, c, o] = 0
                    continue
                row = rows[n] + cell
                if 0 <= c - shift < skip.shape[2]:
                    for o in range(outputs):
                        change[n, m, c, o] = skip[n, m, c - shift, o]
                else:
                    for o in range(outputs):
                        change[n, m, c, o] = 0
                for k in range(kernel):
                    i = c - k * dilation
                    if 0 <= i < width:
                        for o in range(outputs):
                            change[n, m, c, o] += parts[n, m, i, k, o]
                if rectify:
                    for o in range(outputs):
                        new = before[row, o] + change[n, m, c, o]
                        change[n, m, c, o] = max(new, 0) - later[row, o]


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
    change[:, :, step.lost - step.side :][:, :, : source.width] += source.change  # in the middle
    return later.inside(replace(edits, change=change))


def _acted(function: Callable[[Tensor], Tensor], edits: Edits, before: Maps, later: Maps) -> Edits:
    """Return what a function of each value makes of changes."""
    new = function(before.cells(edits.record, edits.first, edits.width) + edits.change)
    return later.inside(replace(edits, change=new - later.cells(edits.record, edits.first, edits.width)))


def _pooled(step: Pool, edits: Edits, before: Maps, later: Maps) -> Edits:
    """Return what a pool makes of changes: whole cells are pooled anew."""
    first = edits.first // step.width  # the same remainder for all
    ahead = int(edits.first[0]) % step.width
    cells = -(-(ahead + edits.width) // step.width)
    new = before.cells(edits.record, first * step.width, cells * step.width)
    new = new + nn.functional.pad(edits.change, (0, 0, ahead, cells * step.width - ahead - edits.width))
    new = new.view(*new.shape[:2], cells, step.width, -1)
    new = new.mean(3) if step.mean else new.amax(3)
    return later.inside(replace(edits, first=first, change=new - later.cells(edits.record, first, cells)))


def apart(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield steps, those inside a residual block before it."""
    for step in steps:
        if isinstance(step, Residual):
            yield from step.steps
        yield step


def _table(conv: Conv) -> Tensor:
    """Return what a cell adds to the cells around it, from the first to the last, ``(C, K * O)``."""
    return conv.weight.flip(2).permute(1, 2, 0).flatten(1).contiguous()
