"""Signal along genomes: the values of a bigWig track over intervals, through pyBigWig."""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of
from seqcnn.chromosome import matched, unknown
from seqcnn.errors import DataError, FormatError, MissingExtraError
from seqcnn.interval import Intervals, Numbers
from seqcnn.io.opening import open_bytes

Summary = Literal["mean", "max", "total"]
_BIGWIG, _BIGBED = 0x888FFC26, 0x8789F2EB
#: Positions between intervals that are read with them rather than skipped, and positions read at a time.
_GAP, _SPAN = 10_000, 1 << 20
#: Of the header: magic, version, zooms, then places of the chromosomes, the data and the index.
_HEADER = "IHHQQQ"


class Track:
    """A bigWig file.

    Attributes
    ----------
    lengths
        Name and length of each chromosome.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        If it is no bigWig, or cut short.
    MissingExtraError
        Without pyBigWig.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        _check(self.path)
        try:
            import pyBigWig
        except ImportError:
            raise MissingExtraError(f"{self.path}: bigWig needs pyBigWig; install seqcnn[bigwig]") from None
        try:
            self._file: Any = pyBigWig.open(str(self.path))
            self.lengths: dict[str, int] = dict(self._file.chroms())
        except (RuntimeError, OSError, AttributeError, TypeError):
            raise _cut(self.path) from None
        if not self.lengths:
            raise FormatError(f"{self.path} is a bigWig without chromosomes; expected values")

    def over(self, places: Intervals, by: Summary, lengths: dict[str, int]) -> npt.NDArray[np.float64]:
        """Return one value for each interval, ``(N,)``; NaN where the track has none at all.

        Positions without a value count as 0 in ``mean`` and ``total``, as those beyond the chromosome do; ``max`` is
        that of the values there are.

        Parameters
        ----------
        places
            Intervals; a chromosome may be called in another style.
        by
            ``mean``, ``max`` or ``total`` of the values at the positions of an interval.
        lengths
            Of the chromosomes of the genome that the intervals are of.

        Raises
        ------
        DataError
            If the track lacks a chromosome, or has one of another length.
        """
        one_of(by, ("mean", "max", "total"), "--signal-by")
        names = self.called(places, lengths)
        limits = np.array([self.lengths[names[name]] for name in places.chromosomes], np.int64)
        starts, ends = np.maximum(places.starts, 0), np.minimum(places.ends, limits)
        found = np.full(len(places), np.nan)
        for run in _runs(places.chromosomes, starts, ends):
            low, high = int(starts[run[0]]), int(ends[run].max())
            try:
                values = self._file.values(names[places.chromosomes[run[0]]], low, high, numpy=True)
            except RuntimeError:
                raise _cut(self.path) from None
            values = np.append(values.astype(np.float64), 0.0)  # so that an end may be the last
            known = ~np.isnan(values)
            pairs = np.stack([starts[run], ends[run]], axis=1).ravel() - low
            if by == "max":
                found[run] = np.fmax.reduceat(values, pairs)[::2]
            else:
                sums = np.add.reduceat(np.where(known, values, 0.0), pairs)[::2]
                found[run] = np.where(np.add.reduceat(known, pairs)[::2] > 0, sums, np.nan)
        return found / places.widths if by == "mean" else found

    def called(self, places: Intervals, lengths: dict[str, int]) -> dict[str, str]:
        """Return what the track calls the chromosomes of intervals."""
        names = matched(places.chromosomes, list(self.lengths))
        lost = [name for name in places.chromosomes if name not in names]
        if lost:
            among = f" ({len(lost):,} of {len(places):,} intervals lie on such chromosomes)"
            raise DataError(f"{unknown(lost[0], list(self.lengths), str(self.path))}{among}")
        for name, other in names.items():
            if lengths.get(name, self.lengths[other]) != self.lengths[other]:
                raise DataError(
                    f"{self.path}: {other} is {self.lengths[other]:,} long, {name} of the genome {lengths[name]:,}; "
                    "is this track of another assembly?"
                )
        return names


def _runs(chromosomes: Sequence[str], starts: Numbers, ends: Numbers) -> Iterator[Numbers]:
    """Yield the indices of intervals that are near enough to be read at once, in order of their starts."""
    run: list[int] = []
    reach = 0
    for i in np.lexsort((starts, np.array(chromosomes))).tolist():
        if ends[i] <= starts[i]:
            continue
        first = run[0] if run else i
        near = starts[i] <= reach + _GAP and max(reach, ends[i]) - starts[first] <= _SPAN
        if run and (chromosomes[i] != chromosomes[first] or not near):
            yield np.array(run)
            run, reach = [], 0
        run.append(i)
        reach = max(reach, int(ends[i]))
    if run:
        yield np.array(run)


def _check(path: Path) -> None:
    """Raise where a file does not begin as a bigWig, or ends before what its header says is in it."""
    with open_bytes(path):
        pass  # says what is wrong with a file that is missing or empty
    size = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(struct.calcsize("<" + _HEADER))
    for order in "<>":
        magic = struct.unpack(order + "I", head[:4])[0] if len(head) >= 4 else 0
        if magic == _BIGBED:
            raise FormatError(f"{path} is a bigBed; expected a bigWig of values")
        if magic == _BIGWIG:
            if len(head) < struct.calcsize("<" + _HEADER):
                raise _cut(path)
            if max(struct.unpack(order + _HEADER, head)[3:]) >= size:
                raise _cut(path)
            return
    raise FormatError(f"{path} is no bigWig; expected a .bw file (of a bedGraph: bedGraphToBigWig makes one)")


def _cut(path: Path) -> FormatError:
    return FormatError(f"{path}: the bigWig is truncated or damaged; copy or download it again")
