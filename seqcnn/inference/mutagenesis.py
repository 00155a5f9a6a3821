"""In-silico mutagenesis: what each letter of a stretch does for the logits, by replacing it with every other letter."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.alphabet import SOFT_MASK
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.onehot import OneHot
from seqcnn.inference.edits import Edited
from seqcnn.inference.local import Local, locals_of
from seqcnn.inference.predict import Logits, device_of, predict_logits, still
from seqcnn.runtime import compute_alone, pick_device, threads
from seqcnn.sequence import Codes, Sequences

Indices = npt.NDArray[np.int64]

#: Bytes of the maps that a batch of mutants changes, about.
_BYTES = 4 << 20
#: Mutants that are also computed the plain way, and how far apart they may be: a share of the largest logit.
CHECKED, _APART = 6, 1e-3


def substituted(codes: Codes, start: int, end: int, size: int) -> Codes:
    """Return a record with each letter of ``[start, end)`` replaced by each letter, ``((end - start) * size, L)``.

    >>> substituted(np.array([3, 2], np.uint8), 1, 2, 3).tolist()
    [[3, 0], [3, 1], [3, 2]]
    """
    count = max(0, end - start)
    many = np.repeat((codes & ~np.uint8(SOFT_MASK))[None], count * size, 0)
    rows = np.arange(count * size)
    many[rows, start + rows // size] = rows % size
    return many


def mutagenesis(
    encoder: Encoder,
    network: nn.Module,
    records: list[tuple[Codes, int, int]],
    *,
    size: int = 4,
    strands: str = "forward",
    device: str | torch.device | None = None,
) -> list[Logits]:
    """Return the logits of records with each letter of a stretch replaced by each letter in turn.

    Of a network made of local steps only what a letter changes is computed; `why_plain` says of which that is not so.
    A few mutants of the first record are always computed the plain way too, and all are where they do not agree.

    Parameters
    ----------
    encoder, network, strands, device
        As for `seqcnn.inference.predict.predict_logits`.
    records
        Codes ``(L,)``, start and end of the stretch.
    size
        Letters of the alphabet.

    Returns
    -------
    list of numpy.ndarray
        ``(end - start, size, K)`` a record; where the letter is the record's own, its logits as it is.

    References
    ----------
    Zhou & Troyanskaya, Nature Methods 2015, doi:10.1038/nmeth.3547.
    """
    place = pick_device(str(device)) if device is not None else device_of(network)
    own = still(encoder, place)
    parts, least = locals_of(own, still(network, place)), getattr(network, "minimum_width", 1)
    found: dict[int, Logits] = {}
    local = [i for i, (x, start, end) in enumerate(records) if why_plain(parts, len(x), least) is None and end > start]
    if local and isinstance(own, OneHot):
        places, letters, many = _some(*records[local[0]], size)
        with threads(None), crew(place) as pool:
            check = pool.submit(predict_logits, encoder, network, many, strands=strands, device=place)
            found = {i: _both(own, parts, records[i], strands, pool) for i in local}
        if not agree(found[local[0]][places, letters], check.result()):
            found.clear()
    left = [i for i in range(len(records)) if i not in found]
    if left:
        plain = _plainly(encoder, network, [records[i] for i in left], size=size, strands=strands, place=place)
        found |= dict(zip(left, plain, strict=True))
    return [found[i] for i in range(len(records))]


def crew(place: torch.device) -> ThreadPoolExecutor:
    """Return threads that compute by themselves, as many as torch uses here; they begin when first asked."""
    return ThreadPoolExecutor(torch.get_num_threads() if place.type == "cpu" else 1, initializer=compute_alone)


def agree(found: Logits, plain: Logits) -> bool:
    """Return whether logits are those computed the plain way, but for rounding."""
    return bool(np.abs(plain - found).max() <= _APART * max(1.0, float(np.abs(plain).max())))


def why_plain(parts: Sequence[Local], length: int, least: int) -> str | None:
    """Return why mutants of a record of this length are computed in full, in words; None where they need not be."""
    if not parts:
        return "the network does not say which of its steps are local"
    if length < least or any(part.stages.width not in (None, length) for part in parts):
        return "the record is narrower than what the network reads"
    return None


def _plainly(
    encoder: Encoder,
    network: nn.Module,
    records: Sequence[tuple[Codes, int, int]],
    *,
    size: int,
    strands: str,
    place: torch.device,
) -> list[Logits]:
    """Return the logits of all mutants of each record, each computed in full."""
    made = [substituted(codes, start, end, size) for codes, start, end in records]
    sequences = Sequences.from_codes(row for many in made for row in many)
    logits = predict_logits(encoder, network, sequences, strands=strands, device=place)
    bounds = np.cumsum([0, *(len(many) for many in made)])
    return [
        logits[low:high].reshape(max(0, end - start), size, logits.shape[1])
        for (_, start, end), low, high in zip(records, bounds[:-1], bounds[1:], strict=True)
    ]


def _both(
    encoder: OneHot, parts: Sequence[Local], record: tuple[Codes, int, int], strands: str, pool: Executor
) -> Logits:
    """Return the logits of all mutants of a stretch, ``(n, A, K)``, on one strand or on the mean of both."""
    codes, start, end = record
    with torch.inference_mode():
        own = torch.from_numpy(codes & ~np.uint8(SOFT_MASK))[None].to(encoder.table.device)
        logits = _mutants(encoder, parts, own, (start, end), pool)
        if strands == "both":
            length, letters = len(codes), encoder.complement[: encoder.alphabet.size].long()
            other = encoder.reverse_complement(own)
            turned = _mutants(encoder, parts, other, (length - end, length - start), pool)
            logits = (logits + turned.flip(0)[:, letters]) * 0.5
        made: Logits = logits.float().cpu().numpy()
        return made


def _mutants(
    encoder: OneHot, parts: Sequence[Local], codes: Tensor, stretch: tuple[int, int], pool: Executor
) -> Tensor:
    """Return the logits of all mutants of codes ``(1, L)`` as they are given, ``(n, A, K)``."""
    image, size = encoder(codes), encoder.alphabet.size  # (1, A, 1, L)
    own = codes[0].long()
    total: Tensor | None = None
    for part in parts:
        edited = Edited(part.stages, image)
        dense = edited.dense(torch.zeros_like(own[:1]))
        found = part.stages.head(dense).expand(stretch[1] - stretch[0], size, -1).clone()
        work = partial(_replaced, edited, dense, image)
        at_once = max(1, _BYTES // edited.bytes_an_edit(size - 1))
        batches = list(_batches(own, stretch, size, stride=part.stages.stride, at_once=at_once))
        for (at, letters), logits in zip(batches, pool.map(work, *zip(*batches, strict=True)), strict=True):
            found[at[:, None] - stretch[0], letters] = logits
        total = found if total is None else total + found
    if total is None:
        raise TypeError("a network of no parts has no logits")
    return total


def _batches(
    own: Tensor, stretch: tuple[int, int], size: int, *, stride: int, at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield places ``(n,)`` that are equal modulo `stride`, and the letters to put there: all that are not there."""
    for phase in range(stride):
        first = torch.arange(stretch[0], stretch[1], device=own.device)
        first = first[first % stride == phase]
        known = own[first] < size
        for some, least in ((first[known], 1), (first[~known], 0)):  # of a letter all others, of no letter all
            if len(some):
                letters = (own[some, None] * least + torch.arange(least, size, device=own.device)) % size
                count = -(-len(some) // at_once)  # of even size: threads finish together
                yield from zip(torch.tensor_split(some, count), torch.tensor_split(letters, count), strict=True)


@torch.inference_mode()
def _replaced(edited: Edited, dense: Tensor, image: Tensor, at: Tensor, letters: Tensor) -> Tensor:
    """Return the logits ``(n, M, K)`` of a record with letters ``(n, M)`` at places ``(n,)``."""
    columns = torch.eye(image.shape[1], device=image.device)[letters]
    change = columns - image[0, :, 0, at].T[:, None]  # (n, M, channels)
    return edited.logits(dense.expand(len(at), -1), torch.zeros_like(at), at, change[None])


def _some(codes: Codes, start: int, end: int, size: int) -> tuple[Indices, Indices, Sequences]:
    """Return a few places of a stretch, a letter for each, and the mutants that these make."""
    rng = np.random.default_rng(len(codes))
    places, letters = rng.integers(0, end - start, CHECKED), rng.integers(0, size, CHECKED)
    many = np.repeat((codes & ~np.uint8(SOFT_MASK))[None], CHECKED, 0)
    many[np.arange(CHECKED), start + places] = letters
    return places, letters, Sequences.from_codes(many)
