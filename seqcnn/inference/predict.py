"""Prediction: logits of raw records, in batches whose activations stay in the cache."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from copy import deepcopy
from functools import cached_property
from itertools import chain
from queue import Empty, SimpleQueue
from threading import Barrier
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from seqcnn.data.batches import common_width, rectangle
from seqcnn.data.dataset import Raw, lengths_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OutOfMemoryError
from seqcnn.inference.dense import bytes_a_letter, scan, why_apart
from seqcnn.inference.local import Local, locals_of
from seqcnn.runtime import compute_alone, pick_device, threads
from seqcnn.sequence import Sequences
from seqcnn.tiling import Overlapping

Logits = npt.NDArray[np.float32]
M = TypeVar("M", bound=nn.Module)
T = TypeVar("T")

#: Bytes of the widest activation of a batch: on a CPU it should stay in the cache, a GPU wants more work at a time.
BATCH_BYTES = {"cpu": 16 << 20, "cuda": 512 << 20}
#: Letters of a chunk from which on tables of words pay for being made.
_MANY = 200_000
#: Cells of a chunk up to which it is not worth a thread.
_FEW = 1 << 13


def predict_logits(
    encoder: Encoder,
    network: nn.Module,
    raw: Raw,
    *,
    strands: str = "forward",
    device: str | torch.device | None = None,
    precision: str = "32",
    batch_bytes: int | None = None,
) -> Logits:
    """Return the network's logits for each record, ``(N, K)`` float32, in the order of the records.

    They do not depend on the size or the order of the batches. The caller's modules keep their mode and device, and
    no random number is drawn.

    Parameters
    ----------
    encoder
        Raw batches to images; with a ``reverse_complement`` for both strands.
    network
        Images to logits ``(n, K)``. One that takes no `lengths` only ever sees records of one length together.
    raw
        `Sequences` or `Samples` of any lengths, or pixels ``(N, C, H, W)``.
    strands
        ``both`` averages the logits of a record and of its reverse complement; ``forward`` reads it as given.
    device
        As `seqcnn.runtime.pick_device` takes it; None is where the network is.
    precision
        ``32``, or ``bf16`` for autocast.
    batch_bytes
        Bytes the widest activation of a batch may take.

    Raises
    ------
    OutOfMemoryError
        If one record alone does not fit.
    """
    [logits] = stream_logits(
        encoder, network, [raw], strands=strands, device=device, precision=precision, batch_bytes=batch_bytes
    )
    return logits


def stream_logits(
    encoder: Encoder,
    network: nn.Module,
    chunks: Iterable[Raw],
    *,
    strands: str = "forward",
    device: str | torch.device | None = None,
    precision: str = "32",
    batch_bytes: int | None = None,
) -> Iterator[Logits]:
    """Yield the logits of each chunk of records, as `predict_logits` does for one.

    The next chunk is read while the last one is computed, so two are held at a time.
    """
    if device is None:
        place = device_of(network)
    else:
        place = pick_device(device) if isinstance(device, str) else device
    wanted = getattr(network, "batch_bytes", None) if place.type == "cpu" else None
    limit = batch_bytes or wanted or BATCH_BYTES.get(place.type, BATCH_BYTES["cuda"])
    runner = _Runner(encoder, network, both=strands == "both", place=place, precision=precision, limit=limit)
    with ExitStack() as stack:
        pool: ThreadPoolExecutor | None = None
        waiting: _Work | None = None
        for chunk in chunks:
            if pool is None and not runner.little(chunk):
                # Batches side by side on one thread each beat one batch on all threads: nothing waits for the slowest.
                pool = stack.enter_context(_workers(torch.get_num_threads() if place.type == "cpu" else 1))
            work = runner.start(chunk, pool or _HERE)
            if waiting is not None:
                yield runner.finish(waiting)
            waiting = work
        if waiting is not None:
            yield runner.finish(waiting)


class _Here(Executor):
    """Does what others do in a pool at once, by the caller: threads cost more than a little work takes."""

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> "Future[T]":
        """Return what is done."""
        future: Future[T] = Future()
        with threads(1):
            future.set_result(work(*arguments, **named))
        return future


_HERE = _Here()


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    """Lend threads that compute by themselves, each on one CPU; the caller keeps its number of threads."""
    before, pool = torch.get_num_threads(), ThreadPoolExecutor(count)
    try:
        ready = Barrier(count)
        for worker in [pool.submit(_alone, ready) for _ in range(count)]:
            worker.result()
        torch.set_num_threads(before)
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def frozen(module: M, place: torch.device) -> M:
    """Return a copy in evaluation mode on a device; where it is there already, the copy shares the weights."""
    tensors = [*module.parameters(), *module.buffers()]
    shared = {id(tensor): tensor for tensor in tensors} if all(t.device == place for t in tensors) else {}
    return deepcopy(module, shared).to(place).eval()


def still(module: M, place: torch.device) -> M:
    """Return a module in evaluation mode on a device: itself if it is so."""
    there = all(tensor.device == place for tensor in chain(module.parameters(), module.buffers()))
    return module if there and not any(part.training for part in module.modules()) else frozen(module, place)


def _alone(ready: Barrier) -> None:
    """Make a worker's thread compute by itself; the barrier sees to it that each thread comes here once."""
    compute_alone()
    ready.wait()


#: Rows of a chunk, and the batch that gives their logits, for all batches under way.
_Work = list[tuple[npt.NDArray[np.int64], Future[Logits]]]


class _Runner:
    """Encoder and network on one device, and copies of them, fed with batches by bytes."""

    def __init__(
        self, encoder: Encoder, network: nn.Module, *, both: bool, place: torch.device, precision: str, limit: int
    ) -> None:
        self.encoder, self.network = still(encoder, place), still(network, place)
        self.both, self.place, self.limit, self.bf16 = both, place, limit, precision == "bf16"
        self.takes_lengths = "lengths" in inspect.signature(network.forward).parameters
        self.uniform = encoder.columns(torch.ones(1, dtype=torch.int64)) is None
        self.width = getattr(network, "fixed_width", None) or 1  # shorter records are padded up to it
        self.flat = not any(isinstance(m, nn.Conv2d) for m in network.modules())  # it may only know (N, C, L)
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv1d | nn.Conv2d)]
        self.channels = max((m.out_channels for m in convolutions), default=64)
        self.least = getattr(network, "minimum_width", 1)
        self.free: SimpleQueue[tuple[Any, nn.Module]] = SimpleQueue()
        self.free.put((self.encoder, self.network))

    @cached_property
    def parts(self) -> tuple[Local, ...]:
        """The network as local steps; made by the thread that hands out work, in full precision."""
        return locals_of(self.encoder, self.network)

    def little(self, raw: Raw) -> bool:
        """Return whether the records of a chunk are few and small."""
        lengths = lengths_of(raw)
        return len(lengths) * self.encoder.cells(int(lengths.max(initial=0))) <= _FEW

    def start(self, raw: Raw, pool: Executor) -> _Work:
        """Hand the batches of a chunk to the workers, the longest records first."""
        lengths = lengths_of(raw)
        work: _Work = []
        left = np.arange(len(lengths))
        if isinstance(raw, Overlapping) and why_apart(self.parts, raw.window, raw.step, self.least) is None:
            left = np.flatnonzero(np.repeat(raw.counts, raw.counts) == 1)
            for stretch in np.flatnonzero(raw.counts > 1).tolist():
                for rows in self._tiles(raw, stretch):
                    work.append((rows, pool.submit(self._scan, raw, rows)))
        order = left[np.argsort(-lengths[left], kind="stable")]
        fast = self.place.type == "cpu" and int(lengths.sum()) >= _MANY and bool(self.parts)
        at = 0
        while at < len(order) or not work:
            size = self._batch(int(lengths[order[at]]) if len(order) else 0)
            part = order[at : at + size]
            if not self.takes_lengths and not self.uniform:
                part = part[lengths[part] == lengths[part[:1]]]
            work.append((part, pool.submit(self._run, raw, part, fast)))
            at += max(1, len(part))
        return work

    def finish(self, work: _Work) -> Logits:
        """Return the logits of a chunk in the order of its records."""
        found = [(rows, batch.result()) for rows, batch in work]
        back = np.empty((sum(len(rows) for rows, _ in found), found[0][1].shape[1]), np.float32)
        for rows, logits in found:
            back[rows] = logits
        return back

    def _tiles(self, raw: Overlapping, stretch: int) -> Iterator[npt.NDArray[np.int64]]:
        """Yield the windows of a stretch, as many together as keep their maps within bounds, four widths at least."""
        cell = max(bytes_a_letter(part.stages, raw.step) for part in self.parts)
        letters = max(self.limit // cell, 4 * raw.window)
        first, last = raw.firsts[stretch : stretch + 2]
        size = max(1, (letters - raw.window) // raw.step + 1)
        for at in range(first, last, size):
            yield np.arange(at, min(last, at + size))

    def _scan(self, raw: Overlapping, rows: npt.NDArray[np.int64]) -> Logits:
        """Return the logits of neighboring windows, which share their work."""
        start, end = raw.starts[rows[0]], raw.starts[rows[-1]] + raw.window
        with self._ready() as (encoder, _), torch.inference_mode(), self._precise():
            codes = torch.from_numpy(raw.buffer[start:end]).to(self.place)[None]
            logits = torch.stack([scan(part, codes, window=raw.window, step=raw.step) for part in self.parts]).sum(0)
            if self.both:
                other = encoder.reverse_complement(codes, None)
                for part in self.parts:
                    logits += scan(part, other, window=raw.window, step=raw.step).flip(0)
                logits *= 0.5
            return logits.float().cpu().numpy()

    def _batch(self, length: int) -> int:
        """How many records of this length make a batch."""
        length = common_width(length) if self.takes_lengths else length
        cells = max(self.encoder.cells(length), self.width * self.encoder.height)
        return max(1, self.limit // max(4 * self.channels * cells, 4 * length, 1))

    def _columns(self, raw: Raw, part: npt.NDArray[np.int64]) -> int | None:
        """How wide the batch of these sequences is made; None where nothing but their own width will do."""
        if not isinstance(raw, Sequences) or not self.takes_lengths or self.width > 1 or not len(part):
            return None
        return common_width(int(raw.lengths[part].max()))

    @contextmanager
    def _ready(self) -> Iterator[tuple[Any, nn.Module]]:
        """Lend a pair of modules that no other worker has: layers may keep notes while they run."""
        try:
            pair = self.free.get_nowait()
        except Empty:
            pair = frozen(self.encoder, self.place), frozen(self.network, self.place)
        try:
            yield pair
        finally:
            self.free.put(pair)

    @contextmanager
    def _precise(self) -> Iterator[None]:
        """Compute in the precision asked for."""
        cuda = self.place.type == "cuda"
        with (
            torch.autocast(self.place.type, dtype=torch.bfloat16, enabled=self.bf16),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False) if cuda else nullcontext(),
        ):
            yield

    def _run(self, raw: Raw, part: npt.NDArray[np.int64], fast: bool) -> Logits:
        """Return the logits of some records, of similar length and sorted by it."""
        with self._ready() as (encoder, network), torch.inference_mode(), self._precise():
            length = self._one_length(raw, part) if fast else None
            if (
                length is not None
                and length >= self.least
                and all(p.stages.width in (None, length) for p in self.parts)
            ):
                return self._local(encoder, raw, part)
            return self._logits(encoder, network, raw, part)

    def _one_length(self, raw: Raw, part: npt.NDArray[np.int64]) -> int | None:
        """Return the length of some sequences, if they have one."""
        lengths = raw.lengths[part] if isinstance(raw, Sequences) else np.zeros(0)
        return int(lengths[0]) if len(lengths) and lengths[0] == lengths[-1] else None

    def _local(self, encoder: Any, raw: Raw, part: npt.NDArray[np.int64]) -> Logits:
        """Return the logits of sequences of one length, from tables of words."""
        codes, _ = rectangle(raw, part)
        logits = torch.stack([local(codes) for local in self.parts]).sum(0)
        if self.both:
            other = encoder.reverse_complement(codes, None)
            logits = (logits + torch.stack([local(other) for local in self.parts]).sum(0)) * 0.5
        return logits.float().numpy()

    def _logits(self, encoder: Any, network: nn.Module, raw: Raw, part: npt.NDArray[np.int64]) -> Logits:
        try:
            batch, lengths = (tensor.to(self.place) for tensor in rectangle(raw, part, width=self._columns(raw, part)))
            logits = self._forward(network, *encoder.image(batch, lengths))
            if self.both:
                other = encoder.image(encoder.reverse_complement(batch, lengths), lengths)
                logits = (logits + self._forward(network, *other)) * np.float32(0.5)
            return logits
        except torch.OutOfMemoryError:
            if len(part) == 1:
                raise OutOfMemoryError(
                    f"scoring one record of length {lengths_of(raw)[part[0]]:,} "
                    f"does not fit in the memory of {self.place}; pass --window, or --device cpu"
                ) from None
        half = len(part) // 2
        return np.concatenate([self._logits(encoder, network, raw, p) for p in (part[:half], part[half:])])

    def _forward(self, network: nn.Module, image: torch.Tensor, lengths: torch.Tensor | None) -> Logits:
        if self.flat and image.ndim == 4 and image.shape[2] == 1:
            image = image.squeeze(2)
        out = network(image, lengths) if lengths is not None else network(image)
        logits: Logits = (out.flatten(1) if out.ndim > 1 else out[:, None]).float().cpu().numpy()
        return logits


def device_of(network: nn.Module) -> torch.device:
    """Return where a network is."""
    for tensor in chain(network.parameters(), network.buffers()):
        return tensor.device
    return torch.device("cpu")
