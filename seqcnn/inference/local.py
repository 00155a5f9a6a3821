"""Networks of local steps on codes: records of one length at once, their first layer from tables of words."""

import torch
from torch import Tensor, nn

from seqcnn.alphabet import PAD
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.onehot import OneHot
from seqcnn.nn.stages import Act, Conv, Pad, Pool, Stages, after, run
from seqcnn.nn.tables import Tables


class Local:
    """One part of a network as local steps, of which the first are done on codes.

    Parameters
    ----------
    encoder
        Codes to one-hot images with a channel a letter.
    stages
        Of the network, whose logits it gives or adds to.

    Attributes
    ----------
    sides
        Columns of zeros that surround a record.
    """

    def __init__(self, encoder: OneHot, stages: Stages) -> None:
        self.encoder, self.stages = encoder, stages
        steps = list(stages.steps)
        self.sides = (0, 0)
        if steps and isinstance(steps[0], Pad):
            self.sides = (steps[0].left, steps[0].right)
            del steps[0]
        self.conv: Conv | None = None
        if steps and isinstance(steps[0], Conv) and _tabled(steps[0], encoder):
            self.conv = steps[0]
            del steps[0]
        self.steps = tuple(steps)  # that are left
        self._tables: dict[int, Tables] = {}

    def __call__(self, codes: Tensor) -> Tensor:
        """Return logits ``(n, K)`` of codes ``(n, L)``, all of them real."""
        maps, done = self.opened(codes, 0)
        return self.stages.answer(self.stages.features(run(self.stages.steps[done:], maps, own=True)))

    def opened(self, codes: Tensor, step: int) -> tuple[Tensor, int]:
        """Return maps ``(n, C, 1, W)`` of codes ``(n, L)`` after the first steps, and how many of all steps they are.

        With a `step` of 0 each record is one window; else windows begin every so many letters, and a pool is only taken
        where all of them share it.
        """
        before = len(self.stages.steps) - len(self.steps)
        if sum(self.sides):
            codes = nn.functional.pad(codes, self.sides, value=PAD)
        if self.conv is None:
            return self.encoder(codes), before
        pool = self.steps[0] if self.steps else None
        if isinstance(pool, Pool) and not pool.mean and step % pool.width == 0:
            return self._first(codes, pool), before + 1
        if not step and self._rises():
            return self._first(codes, Pool(after(self.conv, codes.shape[1]))), before
        return self._first(codes, Pool(1)), before

    def _rises(self) -> bool:
        """Return whether only the best site of each filter counts."""
        return all(isinstance(step, Act) and step.rising for step in self.steps) and all(
            summary.kind == "max" and not summary.steps for summary in self.stages.summaries
        )

    def _first(self, codes: Tensor, pool: Pool) -> Tensor:
        """Return maps of codes ``(n, L)`` after the first convolution and a pool."""
        if self.conv is None:
            raise TypeError("the first step is not a convolution of letters")
        if pool.width not in self._tables:
            with torch.autocast(codes.device.type, enabled=False):
                self._tables[pool.width] = Tables(self.conv, self.encoder.table, pool)
        return self._tables[pool.width](codes)


def locals_of(encoder: Encoder, network: nn.Module) -> tuple[Local, ...]:
    """Return a network in use as parts of local steps, whose logits add up; none where it is not made of such."""
    staged = getattr(network, "staged", None)
    if staged is None or not isinstance(encoder, OneHot):
        return ()
    with torch.no_grad():
        return tuple(Local(encoder, stages) for stages in staged())


def _tabled(conv: Conv, encoder: OneHot) -> bool:
    """Return whether a convolution is best computed on codes."""
    return conv.weight.device.type == "cpu" and Tables.suits(conv, encoder.table)
