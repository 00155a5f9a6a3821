"""The strongest of any number of variants, and a sample of all effects, in constant memory."""

import heapq

import numpy as np
import numpy.typing as npt

from seqcnn.reporting.variants import Strong
from seqcnn.workflow.alleles import Chunk
from seqcnn.workflow.annotations import Scores

#: Effects kept for the distribution.
_SAMPLE = 100_000
#: Letters of an allele that are shown in words.
_SHOWN = 16


class Strongest:
    """The variants of the largest effect so far.

    Parameters
    ----------
    top
        How many.
    """

    def __init__(self, top: int) -> None:
        self.top, self.seen = top, 0
        self._heap: list[tuple[float, int, Strong]] = []
        self._sample: list[npt.NDArray[np.float32]] = []
        self._rng = np.random.default_rng(0)

    def add(self, chunk: Chunk, scores: Scores) -> None:
        """Look at the alleles of a chunk that were scored."""
        effects = scores[2]
        self._keep(effects)
        size = np.nan_to_num(np.abs(effects), nan=0.0).max(1, initial=0.0)
        least = self._heap[0][0] if len(self._heap) == self.top else 0.0
        better = np.flatnonzero(size > least)
        if len(better) > self.top:
            better = np.sort(better[np.argsort(-size[better], kind="stable")[: self.top]])
        if len(better):
            alleles = [(r, a, a.variant) for r, each in chunk.records for a in each if a.variant is not None]
            for i, windows in zip(better.tolist(), chunk.pairs.windows(better.tolist()), strict=True):
                record, allele, variant = alleles[i]
                name = record.cells[2].decode("utf-8", "replace")
                strong = Strong(
                    place=f"{record.chromosome}:{record.start + 1}",
                    name="" if name == "." else name,
                    change=f"{_short(record.ref)}>{_short(allele.alt)}",
                    kind=variant.kind,
                    scores=(scores[0][i], scores[1][i], effects[i]),
                    windows=windows,
                    sizes=(len(variant.ref), len(variant.alt)),
                    neighbors=allele.neighbors,
                )
                entry = (float(size[i]), -(self.seen + i), strong)  # of equal ones the first in the file
                (heapq.heappush if len(self._heap) < self.top else heapq.heappushpop)(self._heap, entry)
        self.seen += len(effects)

    def _keep(self, effects: npt.NDArray[np.float32]) -> None:
        """Keep a random sample of the effects: all of them while there are few."""
        self._sample.append(effects)
        if sum(map(len, self._sample)) >= 2 * _SAMPLE:
            joined = np.concatenate(self._sample)
            self._sample = [joined[self._rng.permutation(len(joined))[:_SAMPLE]]]

    @property
    def variants(self) -> list[Strong]:
        """The strongest, the strongest first."""
        return [strong for _, _, strong in sorted(self._heap, key=lambda entry: (-entry[0], -entry[1]))]

    @property
    def sample(self) -> npt.NDArray[np.float32]:
        """Effects ``(n, columns)`` of all alleles, or of a sample of them."""
        return np.concatenate(self._sample) if self._sample else np.zeros((0, 1), np.float32)


def _short(allele: bytes) -> str:
    """Return an allele in words, cut where it is long."""
    text = allele.decode()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]}… ({len(text)})"
