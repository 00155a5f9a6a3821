"""Edits of records: logits of many copies that differ from them in a few letters, from what changes alone."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from seqcnn.inference.courses import Course, Edits, Maps
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
        Letters of the windows that the network is to see of the records, if it pads nothing; None where it sees them
        whole.
    """

    def __init__(self, stages: Stages, images: Tensor, *, window: int | None = None) -> None:
        self.stages, self.windowed = stages, window is not None
        self.course = Course(stages.steps, Maps(images))
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
        self.base = None if self.windowed else nn.functional.linear(stages.features(self.maps), *stages.dense)  # (R, H)

    def bytes_an_edit(self, alternatives: int) -> int:
        """Return the bytes of the widest change of one letter by so many alternatives, about."""
        cells = widest = 1
        for step in self.course.steps:
            if isinstance(step, Conv):
                widest = max(widest, cells * step.weight.shape[0] * step.weight.shape[2])
                cells += step.lost
            cells = -(-cells // step.width) + 1 if isinstance(step, Pool) else cells
        return 4 * alternatives * widest

    def logits(self, record: Tensor, first: Tensor, change: Tensor, *, ahead: int = 0) -> Tensor:
        """Return logits ``(N, M, K)`` of records with changes ``(N, M, w, C)`` of their images from columns `first`.

        Columns `first` are equal modulo the stride of the stages. Windows begin `ahead` columns before them.
        """
        start = (first - ahead) // self.stages.stride if self.windowed else torch.zeros_like(first)
        edits = self.course(Edits(record, first, change))
        dense = self._unchanged(record, start)[:, None] + sum(part(edits, start) for part in self.parts)
        logits = self.stages.head(dense.flatten(0, 1))
        return logits.view(*change.shape[:2], -1)

    def plain(self, record: Tensor, start: Tensor | None = None) -> Tensor:
        """Return logits ``(N, K)`` of the records as they are, or of windows that begin at columns `start`."""
        return self.stages.head(self._unchanged(record, record if start is None else start // self.stages.stride))

    def _unchanged(self, record: Tensor, start: Tensor) -> Tensor:
        """Return what the dense layer makes of records, or windows of them from a cell on, as they are, ``(N, H)``."""
        if self.base is not None:
            return self.base[record]
        parts = [summed(summary, self.maps, record, start, cells=self.cells) for summary in self.stages.summaries]
        return nn.functional.linear(torch.cat(parts, 1), *self.stages.dense)


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
            return edits.change.new_zeros(*edits.change.shape[:2], self.weight.shape[-1])
        if self.kind == "mean":
            return edits.change.sum(2) / self.cells @ self.weight
        if self.kind == "flat":
            return self._flat(edits, edits.first - start)
        was = self.whole.cells(edits.record, edits.first, edits.width)
        new, real = was + edits.change, self.whole.real(edits)
        if real is not None:
            was, new = was.masked_fill(~real, -torch.inf), new.masked_fill(~real, -torch.inf)
        rest = self._rest(edits, start)[:, None]
        was, new = (torch.maximum(rest, cells.amax(2)) for cells in (was, new))
        return (new - was) @ self.weight

    def _rest(self, edits: Edits, start: Tensor) -> Tensor:
        """Return the largest value of the cells that do not change, ``(N, C)``."""
        after = edits.first + edits.width
        if not self.windowed:
            cells = (edits.first.clamp(0, self.cells), after.clamp(0, self.cells))
            return torch.maximum(self.left[edits.record, cells[0]], self.right[edits.record, cells[1]])
        before = int(edits.first[0] - start[0])
        sides = [(before, start), (self.cells - before - edits.width, after)]
        maps = self.whole.maps[:, :, 0]
        found = [sliding(maps, width, torch.maximum)[edits.record, :, at] for width, at in sides if width > 0]
        return torch.stack(found).amax(0) if found else maps.new_full((len(after), maps.shape[1]), -torch.inf)

    def _flat(self, edits: Edits, place: Tensor) -> Tensor:
        """Return the change of a dense layer of all cells, of edits from cell `place` of them on."""
        n, m, width, _ = edits.change.shape
        found = edits.change.new_zeros(n, m, self.weight.shape[2])
        for first in torch.unique(place).tolist():
            low, high = max(0, -first), min(width, self.cells - first)
            if low < high:
                mine = place == first
                table = self.weight[first + low : first + high].flatten(0, 1)
                found[mine] = edits.change[mine][:, :, low:high].flatten(2) @ table
        return found


def _within(edits: Edits, before: int, cells: int) -> Edits:
    """Return what edits change of windows of so many cells, `before` of which lie before the change."""
    low, high = max(0, -before), max(0, min(edits.width, cells - before))
    return replace(edits, first=edits.first + low, change=edits.change[:, :, low:high])


def _around(maps: Maps) -> tuple[Tensor, Tensor]:
    """Return the largest value before, and from, each cell of a record, each ``(R, W + 1, C)``."""
    rows = maps.rows.view(maps.records, maps.width, -1)
    none = rows.new_full((maps.records, 1, rows.shape[2]), -torch.inf)
    left = torch.cat([none, rows.cummax(1).values], 1)
    right = torch.cat([rows.flip(1).cummax(1).values.flip(1), none], 1)
    return left, right
