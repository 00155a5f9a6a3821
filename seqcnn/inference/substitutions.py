"""Substitutions: logits of windows as they are and with letters replaced, those that overlap computed together."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.alphabet import PAD
from seqcnn.data.substitutions import Substitutions
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.onehot import OneHot
from seqcnn.inference.dense import bytes_a_letter
from seqcnn.inference.edits import Edited
from seqcnn.inference.local import Local, locals_of
from seqcnn.inference.mutagenesis import CHECKED, agree, crew, why_plain
from seqcnn.inference.predict import Logits, predict_logits, still

Indices = npt.NDArray[np.int64]

#: Bytes of the widest maps of a stretch, of the changes of a batch, and letters of the windows of a batch, about.
_MAPS, _CHANGES, _LETTERS = 2 << 20, 4 << 20, 1 << 14


@dataclass(frozen=True)
class _Batch:
    """Some substitutions that are computed at once.

    Parameters
    ----------
    rows
        Which they are, ``(n,)``.
    codes
        Letters of one stretch, ``(1, L)``, or each window by itself, ``(n, window)``.
    starts
        Of the windows in the stretch; None where each is by itself.
    """

    rows: Indices
    codes: npt.NDArray[np.uint8]
    starts: Indices | None


class Substituter:
    """A network in use that sees windows before and after letters of them are replaced.

    Parameters
    ----------
    encoder, network, strands
        As for `seqcnn.inference.predict.predict_logits`.
    window
        Letters of each window.
    place
        Device.
    """

    def __init__(
        self,
        encoder: Encoder,
        network: nn.Module,
        *,
        strands: str,
        window: int,
        place: torch.device,
    ) -> None:
        self.encoder, self.network = still(encoder, place), still(network, place)
        self.strands, self.window, self.place = strands, window, place
        self.pool = crew(place)
        self.parts = locals_of(self.encoder, self.network)
        #: Why windows are computed in full; None where they need not be.
        self.why = why_plain(self.parts, window, getattr(network, "minimum_width", 1))
        self.checked = False

    def start(self, some: Substitutions) -> "Work":
        """Begin to compute; `finish` returns what was found."""
        encoder = self.encoder
        if self.why is not None or not isinstance(encoder, OneHot):
            return Work(some, [])
        sides = [some, some.turned(encoder.alphabet)] if self.strands == "both" else [some]
        return Work(
            some, [[(b.rows, self.pool.submit(self._computed, side, b)) for b in self._batches(side)] for side in sides]
        )

    def finish(self, work: "Work") -> Logits:
        """Return the logits ``(n, 2, K)`` of the windows as they are, and with their letters replaced."""
        some = work.some
        if not work.sides:
            return self._plainly(some)
        found = [_gathered(side, len(some)) for side in work.sides]
        logits = found[0] if len(found) == 1 else (found[0] + found[1][::-1]) * np.float32(0.5)
        if not self.checked:
            rows = np.unique(np.linspace(0, len(some) - 1, CHECKED).astype(np.int64))
            plain = self._plainly(some.take(rows))
            if not agree(logits[rows], plain):
                self.why = "a few windows, computed in full, disagree"
                return self._plainly(some)
            self.checked = True
        return logits

    def close(self) -> None:
        """Let the threads go."""
        self.pool.shutdown(cancel_futures=True)

    def _plainly(self, some: Substitutions) -> Logits:
        logits = predict_logits(self.encoder, self.network, some.whole(), strands=self.strands, device=self.place)
        return np.stack(np.split(logits, 2), 1)

    def _batches(self, some: Substitutions) -> Iterator[_Batch]:
        """Yield batches: of windows that overlap where that pays, of windows by themselves."""
        ends = some.starts + self.window
        borders = np.flatnonzero(np.concatenate([[True], some.starts[1:] >= ends[:-1], [True]]))
        sharing = not any(part.stages.padded for part in self.parts)
        stride = max(part.stages.stride for part in self.parts)
        letters = max(4 * self.window, _MAPS // max(bytes_a_letter(part.stages, 1) for part in self.parts))
        alone = []
        for low, high in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True):
            rows = np.arange(low, high)
            # A stretch is computed once for each start that windows have modulo the pools.
            if not sharing or (ends[high - 1] - some.starts[low]) * stride >= len(rows) * self.window:
                alone.append(rows)
                continue
            for tile in np.split(
                rows, np.flatnonzero(np.diff((some.starts[rows] - some.starts[low]) // (letters - self.window))) + 1
            ):
                first = some.starts[tile[0]]
                yield _Batch(tile, some.codes[None, first : ends[tile[-1]]], some.starts[tile] - first)
        left = np.concatenate([np.zeros(0, np.int64), *alone])
        size = max(1, _LETTERS // self.window)
        for rows in (left[at : at + size] for at in range(0, len(left), size)):
            yield _Batch(rows, some.codes[some.starts[rows, None] + np.arange(self.window)], None)

    @torch.inference_mode()
    def _computed(self, some: Substitutions, batch: _Batch) -> Logits:
        """Return the logits ``(n, 2, K)`` of a batch."""
        instead = torch.from_numpy(some.instead[batch.rows]).to(self.place)
        codes = torch.from_numpy(batch.codes).to(self.place)
        found = [self._part(part, codes, batch.starts, some.ahead, instead) for part in self.parts]
        logits: Logits = torch.stack(found).sum(0).float().cpu().numpy()
        return logits

    def _part(self, part: Local, codes: Tensor, starts: Indices | None, ahead: int, instead: Tensor) -> Tensor:
        """Return the logits of one part of the network."""
        record = torch.arange(len(instead), device=codes.device)
        start = torch.zeros_like(record)
        if starts is not None:
            stride, length = part.stages.stride, codes.shape[1]
            codes = nn.functional.pad(codes, (0, stride), value=PAD)
            codes = torch.cat([codes[:, phase : phase + length] for phase in range(stride)])
            at = torch.from_numpy(starts).to(codes.device)
            record, start = at % stride, at - at % stride
        images = part.encoder(codes)
        opened = part.opened(codes, 1)[0] if part.conv is not None else None
        edited = Edited(part.stages, images, window=self.window, opened=opened)
        dense, first = edited.dense(record, start), start + ahead
        places = first[:, None] + torch.arange(instead.shape[1], device=codes.device)
        change = part.encoder.table[instead.int()] - images[record[:, None], :, 0, places]  # (n, k, C)
        change = change.transpose(0, 1)[:, :, None]
        size = max(1, _CHANGES // edited.bytes_an_edit(1))
        batches = zip(*(torch.split(x, size) for x in (dense, record, first)), change.split(size, 1), strict=True)
        changed = torch.cat([edited.logits(*each, ahead=ahead)[:, 0] for each in batches])
        return torch.stack([part.stages.head(dense), changed], 1)


@dataclass(frozen=True)
class Work:
    """What is being computed of some substitutions: for each strand, rows and their logits to be; nothing in full."""

    some: Substitutions
    sides: list[list[tuple[Indices, Future[Logits]]]]


def _gathered(side: list[tuple[Indices, Future[Logits]]], count: int) -> Logits:
    """Return the logits of all rows, ``(count, 2, K)``."""
    found = [(rows, work.result()) for rows, work in side]
    logits = np.empty((count, *found[0][1].shape[1:]), np.float32)
    for rows, some in found:
        logits[rows] = some
    return logits
