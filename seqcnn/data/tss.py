"""Distances to the nearest start of transcription, as an annotation names them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqcnn.chromosome import matched
from seqcnn.interval import Intervals, Numbers
from seqcnn.io.gff import read_gff

#: Distance on a chromosome without any start.
NOWHERE = 10**9


@dataclass(frozen=True)
class Starts:
    """Positions where transcription starts, sorted, by chromosome."""

    positions: dict[str, Numbers]

    @classmethod
    def read(cls, path: str, chromosomes: list[str]) -> "Starts":
        """Return the starts of the genes in a GFF or GTF file, under the names that `chromosomes` has for them.

        Raises
        ------
        DataError
            If the file has no genes, transcripts or coding sequences.
        FormatError, InputFileError
            If it cannot be read.
        """
        genes = read_gff(path, "promoter")
        names = matched(genes.chromosomes, chromosomes)
        held: dict[str, list[int]] = {}
        summits = genes.starts if genes.summits is None else genes.summits
        for name, position in zip(genes.chromosomes, summits.tolist(), strict=True):
            if name in names:
                held.setdefault(names[name], []).append(position)
        return cls({name: np.unique(np.array(found, np.int64)) for name, found in held.items()})

    def distances(self, chromosome: str, middles: npt.ArrayLike) -> Numbers:
        """Return how far the nearest start is from each position of a chromosome.

        >>> Starts({"1": np.array([10, 50])}).distances("1", [0, 29, 31, 90]).tolist()
        [10, 19, 19, 40]
        """
        asked = np.asarray(middles, np.int64)
        here = self.positions.get(chromosome)
        if here is None:
            return np.full(len(asked), NOWHERE)
        after = np.searchsorted(here, asked)
        left, right = here[np.maximum(after - 1, 0)], here[np.minimum(after, len(here) - 1)]
        nearest: Numbers = np.minimum(np.abs(asked - left), np.abs(asked - right))
        return nearest

    def of(self, places: Intervals) -> npt.NDArray[np.float64]:
        """Return the distance from the middle of each interval, ``(N,)``; NaN for those without a place."""
        found = np.full(len(places), np.nan)
        names = np.array(places.chromosomes)
        middles = (places.starts + places.ends) // 2
        for name in np.unique(names[names != ""]).tolist():
            here = np.flatnonzero(names == name)
            found[here] = self.distances(name, middles[here])
        return found
