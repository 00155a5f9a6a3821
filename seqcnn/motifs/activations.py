"""The strongest site of each filter in each record, kept in one pass over the network and in constant memory."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seqcnn.errors import DataError
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import Model
from seqcnn.networks.network import Network
from seqcnn.runtime import flushed_denormals, pick_device, threads
from seqcnn.sequence import Sequences

Result = TypeVar("Result")

#: Sites kept for each filter: the strongest, at most one a record.
KEPT_SITES: Final = 2000
#: Bytes of first-layer activations held at a time.
BATCH_BYTES: Final = {"cpu": 4 << 20, "cuda": 512 << 20}
#: Records between two merges of the strongest sites.
_MERGE: Final = 8192


@dataclass(frozen=True)
class FirstLayer:
    """A model's first layer, ready to run: copies of encoder and network on the device.

    Parameters
    ----------
    encoder, network
        In evaluation mode.
    both
        Whether the model reads both strands.
    place
        The device.
    """

    encoder: Any
    network: Network
    both: bool
    place: torch.device

    @classmethod
    def of(cls, model: Model, device: str) -> "FirstLayer":
        """Return the first layer of a model of sequences.

        Raises
        ------
        DataError
            If the model reads pictures or series, or its network has no filters that are motifs.
        """
        network = model.network
        filters = getattr(network, "filters", None)
        if model.alphabet is None:
            raise DataError(f"motifs are found in sequences; this model reads {KINDS[model.kind]}")
        if not isinstance(network, Network) or filters is None:
            raise DataError(
                f"{type(network).__name__} has no first layer of filters, so it has no motifs; "
                "train with --network motif"
            )
        place = pick_device(device)
        encoder, network = deepcopy(model.encoder).to(place).eval(), deepcopy(network).to(place).eval()
        return cls(encoder, network, model.strands == "both", place)

    @property
    def width(self) -> int:
        """Width of the filters."""
        return int(self._conv.kernel_size[1])

    @property
    def count(self) -> int:
        """Number of filters."""
        return int(self._conv.out_channels)

    @property
    def _conv(self) -> torch.nn.Conv2d:
        conv = self.network.filters
        if conv is None or conv.stride[1] != 1 or conv.dilation[1] != 1:
            raise DataError("motifs need first-layer filters of stride 1 without dilation")
        return conv

    def each(
        self, raw: Sequences, indices: npt.NDArray[np.int64], work: Callable[["Activated"], Result]
    ) -> Iterator[Result]:
        """Yield what `work` makes of the first-layer activations of each batch of the records at `indices`, in order.

        Records of like length stand together. On a CPU, batches run beside each other, one thread and one copy of the
        network each: so many small steps would spend their time waiting for each other if they shared the threads.
        """
        parts = self._parts(raw, indices)
        workers = min(torch.get_num_threads(), len(parts)) if self.place.type == "cpu" else 1
        free: SimpleQueue[FirstLayer] = SimpleQueue()
        for _ in range(max(workers, 1)):
            free.put(replace(self, encoder=deepcopy(self.encoder), network=deepcopy(self.network)))

        def run(part: npt.NDArray[np.int64]) -> Result:
            layer = free.get()
            try:
                with torch.inference_mode(), flushed_denormals():
                    return work(layer.activated(raw, part))
            finally:
                free.put(layer)

        with threads(1 if workers > 1 else None), ThreadPoolExecutor(max(workers, 1)) as pool:
            waiting: deque[Future[Result]] = deque()
            for part in parts:
                waiting.append(pool.submit(run, part))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _parts(self, raw: Sequences, indices: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
        """Return the records of each batch, longest first."""
        order = indices[np.argsort(-raw.lengths[indices], kind="stable")]
        limit = BATCH_BYTES.get(self.place.type, BATCH_BYTES["cuda"])
        parts, at = [], 0
        while at < len(order):
            longest = max(int(raw.lengths[order[at]]), self.network.minimum_width)
            parts.append(order[at : at + max(1, limit // (4 * self.count * longest))])
            at += len(parts[-1])
        return parts

    def activated(self, raw: Sequences, part: npt.NDArray[np.int64]) -> "Activated":
        """Return the first-layer activations of the records at `part`."""
        codes, lengths = raw.rectangle(part)
        batch, sizes = torch.from_numpy(codes).to(self.place), torch.from_numpy(lengths).to(self.place)
        known = None if lengths.min() == lengths.max() else sizes
        strands = [self.network.filter_activations(self.encoder(batch), known)]
        if self.both:
            other = self.encoder.reverse_complement(batch, sizes)
            strands.append(self.network.filter_activations(self.encoder(other), known))
        pad = int(self._conv.padding[1]) if not isinstance(self._conv.padding, str) else (self.width - 1) // 2
        cells = self.network.reads(sizes) + 2 * pad - self.width + 1
        return Activated(part, sizes, known, tuple(strands), cells, pad - self.network.begins, self.network)


@dataclass(frozen=True)
class Activated:
    """First-layer activations of a batch.

    Parameters
    ----------
    records
        Index of each record, ``(n,)``.
    sizes, known
        Lengths of the records ``(n,)``; the same as the network was given them (None: all equal).
    strands
        Activations ``(n, F, 1, W')``, one a strand read.
    cells
        Number of real cells of each record, ``(n,)``.
    pad
        Cell of position 0: the zero columns before it, less the columns that are not read.
    network
        The copy of the network that made them.
    """

    records: npt.NDArray[np.int64]
    sizes: Tensor
    known: Tensor | None
    strands: tuple[Tensor, ...]
    cells: Tensor
    pad: int
    network: Network

    @property
    def inside(self) -> Tensor:
        """Whether a cell is real, ``(n, W')``."""
        return torch.arange(self.strands[0].shape[-1], device=self.cells.device) < self.cells[:, None]


@dataclass(frozen=True)
class Strongest:
    """The strongest sites of each filter, at most one a record, strongest first.

    Parameters
    ----------
    values
        Activations, ``(F, K)`` float32; -inf where there are fewer than K records.
    records, starts, reverse
        Record, first position of the filter's window on the forward strand, and strand of each site, ``(F, K)``.
    mean
        Mean activation of each filter over all positions and strands, ``(F,)``.
    width
        Of the filters.
    """

    values: npt.NDArray[np.float32]
    records: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    reverse: npt.NDArray[np.bool_]
    mean: npt.NDArray[np.float64]
    width: int

    @property
    def maximum(self) -> npt.NDArray[np.float32]:
        """Largest activation of each filter, ``(F,)``."""
        return self.values[:, 0]


def best_sites(batch: Activated, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return activation, start and strand of the strongest site of each filter in each record, ``(n, F)`` each.

    Starts count on the forward strand; a filter that reaches beyond a short record may start before or end after it.
    """
    shape = batch.strands[0].shape[:2]
    values = torch.full(shape, -torch.inf, device=batch.sizes.device)
    starts = torch.zeros(shape, dtype=torch.int64, device=batch.sizes.device)
    reverse = torch.zeros(shape, dtype=torch.bool, device=batch.sizes.device)
    for strand, activations in enumerate(batch.strands):
        flat = activations[:, :, 0].masked_fill(~batch.inside[:, None], -torch.inf)  # (n, F, W')
        value, place = flat.max(-1)
        start = place - batch.pad
        if strand:
            start = batch.sizes[:, None] - start - width
        better = value > values
        values = torch.where(better, value, values)
        starts = torch.where(better, start, starts)
        reverse = torch.where(better, torch.full_like(better, bool(strand)), reverse)
    return values, starts, reverse


def strongest_sites(
    layer: FirstLayer, raw: Sequences, indices: npt.NDArray[np.int64], *, keep: int = KEPT_SITES
) -> Strongest:
    """Return the `keep` strongest sites of each filter among the records at `indices`, in one streaming pass.

    Memory does not grow with the number of records: activations are dropped batch by batch.
    """
    filters = layer.count
    table = [torch.full((filters, keep), -torch.inf), torch.zeros((3, filters, keep), dtype=torch.int64)]
    waiting: list[tuple[Tensor, Tensor]] = []
    waiting_records = 0
    total = torch.zeros(filters, dtype=torch.float64)
    cells = 0

    def look(batch: Activated) -> tuple[Tensor, Tensor, Tensor, int]:
        value, start, reverse = best_sites(batch, layer.width)
        record = torch.from_numpy(batch.records).to(layer.place)[:, None].expand_as(start)
        where = torch.stack([record, start, reverse.long()])  # (3, n, F)
        kept = [activations[:, :, 0] * batch.inside[:, None] for activations in batch.strands]
        sums = torch.stack([k.sum((0, 2), dtype=torch.float64) for k in kept]).sum(0)
        return value.T.cpu(), where.transpose(1, 2).cpu(), sums.cpu(), int(batch.cells.sum()) * len(kept)

    for value, where, sums, count in layer.each(raw, indices, look):
        waiting.append((value, where))
        waiting_records += value.shape[1]
        total += sums
        cells += count
        if waiting_records >= _MERGE:
            table, waiting, waiting_records = _merged(table, waiting, keep), [], 0
    table = _merged(table, waiting, keep)
    values, where = table
    record, start, reverse = where.numpy()
    return Strongest(values.numpy(), record, start, reverse > 0, (total / max(cells, 1)).numpy(), layer.width)


def _merged(table: list[Tensor], waiting: list[tuple[Tensor, Tensor]], keep: int) -> list[Tensor]:
    """Return the table with the strongest of its own and the waiting sites."""
    values = torch.cat([table[0], *(v for v, _ in waiting)], 1)
    where = torch.cat([table[1], *(w for _, w in waiting)], 2)
    top, index = values.topk(min(keep, values.shape[1]), dim=1)
    return [top, where.gather(2, index.expand(3, -1, -1))]
