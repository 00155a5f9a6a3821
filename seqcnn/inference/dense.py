"""Dense scanning: windows that overlap share their work, and each gets exactly the logits it would get by itself."""

from collections.abc import Callable, Sequence
from math import gcd

import torch
from torch import Tensor, nn

from seqcnn.alphabet import PAD
from seqcnn.inference.courses import apart
from seqcnn.inference.local import Local
from seqcnn.nn.stages import Conv, Pool, Stages, Summary, run


def why_apart(parts: Sequence[Local], window: int, step: int, least: int = 1) -> str | None:
    """Return why windows cannot share their work, in words; None where they can.

    Parameters
    ----------
    parts
        Of the network.
    window, step, least
        In letters; the network reads at least so many.
    """
    if not parts:
        return "the network does not say which of its steps are local"
    if any(part.stages.padded for part in parts):
        return "the network surrounds each window with zeros"
    for width in (part.stages.width for part in parts):
        if width is not None and width != window:
            return f"the network knows windows of {width} only"
    if window < least:
        return f"the network reads {least} letters at least"
    if step >= window:
        return "the windows do not overlap"
    apart, together = (sum(cost(part.stages, window, step, share) for part in parts) for share in (False, True))
    return None if together < apart else "the windows have too little in common"


def cost(stages: Stages, window: int, step: int, share: bool) -> float:
    """Return the multiplications of convolutions a window, about, where windows share them and where they do not."""
    total, stride = 0.0, 1
    for stage in apart(stages.steps):
        if isinstance(stage, Conv):
            total += stage.weight.numel() * (step / gcd(step, stride) if share else window / stride)
        stride *= stage.width if isinstance(stage, Pool) else 1
    return total


def bytes_a_letter(stages: Stages, step: int) -> int:
    """Return the bytes of the widest maps for each letter that is scanned."""
    widest, stride = 4, 1
    for stage in apart(stages.steps):
        if isinstance(stage, Conv):
            widest = max(widest, 4 * len(stage.weight) // gcd(step, stride))
        stride *= stage.width if isinstance(stage, Pool) else 1
    return widest


def scan(part: Local, codes: Tensor, *, window: int, step: int) -> Tensor:
    """Return the logits ``(n, K)`` of the windows at 0, `step`, 2 `step`, ... of one stretch of codes ``(1, L)``.

    A convolution is computed once for all windows. Behind a pool of p, windows that start at different columns modulo
    p see different cells, so the maps fall into fragments, one for each start (modulo the pools so far) that some
    window has; what follows treats fragments as records of a batch.

    Parameters
    ----------
    part
        Of a network that pads nothing.
    codes
        A whole number of steps longer than a window.
    window, step
        In letters.

    References
    ----------
    Giusti, Ciresan, Masci, Gambardella, Schmidhuber. Fast image scanning with deep max-pooling convolutional neural
    networks. ICIP (2013). arXiv:1302.1700
    """
    stages = part.stages
    count = (codes.shape[1] - window) // step + 1
    codes = nn.functional.pad(codes, (0, stages.stride), value=PAD)  # so that all fragments are of one length
    maps, done = part.opened(codes, step)
    offsets, stride = [0], 1
    for stage in stages.steps[:done]:
        stride *= stage.width if isinstance(stage, Pool) else 1
    for stage in stages.steps[done:]:
        if isinstance(stage, Pool):
            maps, offsets = _fragments(stage, maps, offsets, stride=stride, step=step)
            stride *= stage.width
        else:
            maps = stage(maps)
    every = gcd(step, stride)
    starts = torch.arange(count, device=maps.device) * step
    fragment, first = (starts % stride) // every, starts // stride
    cells = stages.cells(window)
    parts = [summed(summary, maps, fragment, first, cells=cells) for summary in stages.summaries]
    return stages.answer(torch.cat(parts, 1))


def _fragments(pool: Pool, maps: Tensor, offsets: list[int], *, stride: int, step: int) -> tuple[Tensor, list[int]]:
    """Return the pooled maps of all starts that windows have modulo the new stride, and those starts."""
    wide = stride * pool.width
    wanted = list(range(0, wide, gcd(step, wide)))
    held = {offset: i for i, offset in enumerate(offsets)}
    shifts = [(held[offset % stride], offset // stride) for offset in wanted]
    columns = maps.shape[3] - max(shift for _, shift in shifts)
    parts = [pool(maps[i : i + 1, :, :, shift : shift + columns]) for i, shift in shifts]
    return torch.cat(parts), wanted


def summed(summary: Summary, maps: Tensor, fragment: Tensor, first: Tensor, *, cells: int) -> Tensor:
    """Return a part of the features ``(n, F)`` of windows that begin at cell `first` of a fragment."""
    maps = run(summary.steps, maps)[:, :, 0]  # (fragments, C, cells)
    if summary.kind == "flat":
        return maps.unfold(2, cells, 1).permute(0, 2, 1, 3)[fragment, first].flatten(1)
    if summary.kind == "max":
        found = sliding(maps, cells, torch.maximum)
    else:
        found = sliding(maps, cells, torch.add) / cells
    return found.permute(0, 2, 1)[fragment, first]


def sliding(x: Tensor, width: int, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return what `join` makes of every `width` neighbors along the last axis, ``(..., L - width + 1)``.

    By doubling: of stretches of 1, 2, 4, ... columns.

    >>> sliding(torch.tensor([1.0, 5.0, 2.0, 3.0]), 3, torch.add).tolist()
    [8.0, 10.0]
    """
    total, done, power = None, 0, 1
    columns = x.shape[-1] - width + 1
    while True:
        if width & power:
            part = x[..., done : done + columns]
            total = part if total is None else join(total, part)
            done += power
        power *= 2
        if power > width:
            return x if total is None else total
        x = join(x[..., : x.shape[-1] - power // 2], x[..., power // 2 :])
