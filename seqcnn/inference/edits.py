"""Edits of records: logits of many copies that differ from them in a few letters, from what changes alone."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from seqcnn.inference.courses import Course, Edits, Maps, most
from seqcnn.inference.dense import sliding, summed
from seqcnn.nn.stages import Conv, Pool, Stages, Summary


class Edited:
    """Records, and what becomes of their logits where letters of them are replaced.

    Edits begin at columns that are equal modulo the pools, so that cells of all of them line up.

    Parameters
    ----------
    stages
        Of a network in use.
    images
        Of records of one length, ``(R, C, 1, L)``, as wide as the network wants them.
    window
        Letters of the windows that the network is to see of the records, several if it pads nothing; with None it sees
        them whole, and edits may be anywhere in them.
    opened
        Maps after the first convolution, where they are known.
    """

    def __init__(
        self, stages: Stages, images: Tensor, *, window: int | None = None, opened: Tensor | None = None
    ) -> None:
        self.stages, self.windowed = stages, window is not None
        self.course = Course(stages.steps, Maps(images), opened)
        self.maps = self.course.maps[-1].maps
        self.cells = self.maps.shape[3] if window is None else stages.cells(window)
        ends = [Course(summary.steps, self.course.maps[-1]) for summary in stages.summaries]
        wide = [
            end.maps[-1].rows.shape[1] * (self.cells if s.kind == "flat" else 1)
            for s, end in zip(stages.summaries, ends, strict=True)
        ]
        weights = torch.split(stages.dense[0], wide, 1)
        self.parts = [
            _Part(summary, end, weight, self.cells, windowed=self.windowed)
            for summary, end, weight in zip(stages.summaries, ends, weights, strict=True)
        ]

    def bytes_an_edit(self, alternatives: int) -> int:
        """Return the bytes of the widest change of one letter by so many alternatives, about."""
        cells = widest = 1
        for step in self.course.steps:
            if isinstance(step, Conv):
                cells += step.lost
                widest = max(widest, cells * step.weight.shape[0])
            cells = -(-cells // step.width) + 1 if isinstance(step, Pool) else cells
        return 4 * alternatives * widest

    def dense(self, record: Tensor, start: Tensor | None = None) -> Tensor:
        """Return what the dense layer makes of records as they are, or of windows from columns `start`, ``(N, H)``."""
        if start is None:
            return nn.functional.linear(self.stages.features(self.maps), *self.stages.dense)[record]
        cell = start // self.stages.stride
        parts = [summed(summary, self.maps, record, cell, cells=self.cells) for summary in self.stages.summaries]
        return nn.functional.linear(torch.cat(parts, 1), *self.stages.dense)

    def logits(self, dense: Tensor, record: Tensor, first: Tensor, change: Tensor, *, ahead: int = 0) -> Tensor:
        """Return logits ``(N, M, K)`` of records, or windows, with changes of their images.

        Parameters
        ----------
        dense
            What `dense` returns of each, ``(N, H)``.
        record, first
            Record, and column at which the change begins, ``(N,)``; columns are equal modulo the stride of the stages.
        change
            In w columns, of M alternatives, ``(w, N, M, C)``.
        ahead
            Columns from the start of a window to the change.
        """
        start = (first - ahead) // self.stages.stride if self.windowed else torch.zeros_like(first)
        edits = self.course(Edits(record, first, change))
        changed = dense[:, None] + sum(part(edits, start) for part in self.parts)
        return self.stages.head(changed.flatten(0, 1)).view(*change.shape[1:3], -1)


class _Part:
    """What edits change of the dense layer's output through one summary.

    Parameters
    ----------
    summary
        Of the stages.
    end
        Its own steps.
    weight
        Of the dense layer for its features, ``(H, F)``.
    cells
        That it sees.
    windowed
        Whether these are some of the cells of a record, not all.
    """

    def __init__(self, summary: Summary, end: Course, weight: Tensor, cells: int, *, windowed: bool) -> None:
        self.kind, self.end, self.cells, self.windowed = summary.kind, end, cells, windowed
        self.whole, self.weight = end.maps[-1], weight.T
        self.best: dict[int, Tensor] = {}  # of so many neighboring cells
        if self.kind == "max" and not windowed:
            self.left, self.right = _around(self.whole)
        if self.kind == "flat":  # (cells, C, H)
            self.weight = weight.view(len(weight), -1, cells).permute(2, 1, 0).contiguous()

    def __call__(self, edits: Edits, start: Tensor) -> Tensor:
        """Return the change ``(N, M, H)`` for windows that begin at cell `start`."""
        edits = self.end(edits)
        before = int(edits.first[0] - start[0])  # of each window, where there are any
        if self.windowed:
            edits = _within(edits, before, self.cells)
        if not edits.width:
            return edits.change.new_zeros(*edits.change.shape[1:3], self.weight.shape[-1])
        if self.kind == "mean":
            return edits.change.sum(0) / self.cells @ self.weight
        if self.kind == "flat":
            return self._flat(edits, edits.first - start)
        same = replace(edits, change=torch.zeros_like(edits.change[:, :, :1]))
        rest = self._rest(edits, start)[:, None]
        was, new = (torch.maximum(rest, most(some, self.whole, edits.width)[0]) for some in (same, edits))
        return (new - was) @ self.weight

    def _rest(self, edits: Edits, start: Tensor) -> Tensor:
        """Return the largest value of the cells that do not change, ``(N, C)``."""
        after = edits.first + edits.width
        if not self.windowed:
            cells = (edits.first.clamp(0, self.cells), after.clamp(0, self.cells))
            return torch.maximum(self.left[edits.record, cells[0]], self.right[edits.record, cells[1]])
        before = int(edits.first[0] - start[0])
        sides = [(before, start), (self.cells - before - edits.width, after)]
        found = [self._best(width)[edits.record, at] for width, at in sides if width > 0]
        none = self.whole.rows.new_full((len(after), self.whole.rows.shape[1]), -torch.inf)
        return torch.stack(found).amax(0) if found else none

    def _best(self, width: int) -> Tensor:
        """Return the largest value of every `width` neighboring cells, ``(R, W - width + 1, C)``."""
        if width not in self.best:
            found = sliding(self.whole.maps[:, :, 0], width, torch.maximum)
            self.best[width] = found.transpose(1, 2).contiguous()
        return self.best[width]

    def _flat(self, edits: Edits, place: Tensor) -> Tensor:
        """Return the change of a dense layer of all cells, of edits from cell `place` of them on."""
        width, n, m, _ = edits.change.shape
        found = edits.change.new_zeros(n, m, self.weight.shape[2])
        for first in torch.unique(place).tolist():
            low, high = max(0, -first), min(width, self.cells - first)
            if low < high:
                mine = place == first
                table = self.weight[first + low : first + high].flatten(0, 1)
                found[mine] = edits.change[low:high, mine].permute(1, 2, 0, 3).flatten(2) @ table
        return found


def _within(edits: Edits, before: int, cells: int) -> Edits:
    """Return what edits change of windows of so many cells, `before` of which lie before the change."""
    low, high = max(0, -before), max(0, min(edits.width, cells - before))
    return replace(edits, first=edits.first + low, change=edits.change[low:high])


def _around(maps: Maps) -> tuple[Tensor, Tensor]:
    """Return the largest value before, and from, each cell of a record, each ``(R, W + 1, C)``."""
    rows = maps.rows.view(maps.records, maps.width, -1)
    none = rows.new_full((maps.records, 1, rows.shape[2]), -torch.inf)
    left = torch.cat([none, rows.cummax(1).values], 1)
    right = torch.cat([rows.flip(1).cummax(1).values.flip(1), none], 1)
    return left, right
