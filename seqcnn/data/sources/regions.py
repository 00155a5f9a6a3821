"""Regions of a genome as records: the windows that a BED or GFF file names, in the letters of an indexed FASTA file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqcnn.alphabet import DNA, INVALID
from seqcnn.chromosome import matched, unknown
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Edge, Intervals
from seqcnn.io.bed import is_bed, read_bed
from seqcnn.io.fasta import read_sequences
from seqcnn.io.genome import Genome
from seqcnn.io.gff import is_gff, read_gff
from seqcnn.io.opening import shown
from seqcnn.sequence import Record


def _complements() -> bytes:
    """Return the table from each letter to its complement; what is no letter stays."""
    letters = np.arange(256, dtype=np.uint8)
    codes = np.frombuffer(DNA.lookup, np.uint8)
    other = np.frombuffer(DNA.spelling, np.uint8)[DNA.complement[codes]]
    return np.where(codes == INVALID, letters, other).astype(np.uint8).tobytes()


_COMPLEMENTS = _complements()


class Regions:
    """How files of sequences are read: FASTA as it is, BED and GFF as the windows of a genome.

    Parameters
    ----------
    genome
        Indexed FASTA; None where all files are FASTA.
    feature
        Type of the features of a GFF or GTF file, such as gene, CDS or promoter.
    width
        Of the windows around summits or middles; None for the intervals as they are.
    edge
        What is done with a window that reaches beyond its chromosome.

    Attributes
    ----------
    changes
        What was moved, padded or left out, with its count.
    """

    def __init__(
        self, genome: Path | None = None, *, feature: str | None = None, width: int | None = None, edge: Edge = "pad"
    ) -> None:
        self.path, self.feature, self.width, self.edge = genome, feature, width, edge
        self.genome = None if genome is None else Genome(genome)
        self.changes: Counter[str] = Counter()

    @property
    def notes(self) -> list[str]:
        """Sentences that say what was changed."""
        return [f"{what}: {count:,}" for what, count in self.changes.items()]

    def refuse(self, files: Sequence[str]) -> None:
        """Raise `OptionError` or `DataError` where the options don't go with the files."""
        features = [file for file in files if is_gff(file)]
        intervals = [file for file in files if is_bed(file)] + features
        if intervals and self.genome is None:
            raise DataError(f"{shown(intervals[0])} holds intervals; pass --genome FASTA, whose letters they are")
        if features and self.feature is None:
            raise DataError(
                f"{shown(features[0])} holds features of all kinds; pass --feature gene, CDS, promoter, ..."
            )
        if self.feature is not None and not features:
            raise OptionError(f"--feature {self.feature}: belongs to GFF and GTF; {shown(files[0])} is neither")
        for name, value in (("genome", self.path), ("width", self.width)):
            if value is not None and not intervals:
                raise OptionError(f"--{name}: belongs to intervals; {shown(files[0])} holds none")

    def records(self, path: str) -> Iterator[Record]:
        """Yield the records of a FASTA, FASTQ, GenBank, BED or GFF file; those on the reverse strand are turned round.

        Identifiers are the names that the file gives, or ``chromosome:start-end(strand)``.

        Raises
        ------
        DataError
            If the genome has no chromosome of that name, in any style, or an interval lies beyond its end.
        """
        if self.genome is None or not (is_bed(path) or is_gff(path)):
            yield from read_sequences(path)
            return
        wanted = read_gff(path, self.feature or "gene") if is_gff(path) else read_bed(path)[0]
        windows = self._placed(wanted, self.genome, path)
        places = windows.places()
        for i, letters in enumerate(self.genome.windows(windows)):
            place = places[i]
            name = windows.names[i] if windows.names else ""
            if place.strand < 0:
                letters = letters.translate(_COMPLEMENTS)[::-1]
            yield Record(name or str(place), letters, place=place)

    def _placed(self, wanted: Intervals, genome: Genome, path: str) -> Intervals:
        """Return the windows to read, under the names of the genome."""
        lengths = genome.lengths
        names = matched(wanted.chromosomes, list(lengths))
        for number, name in enumerate(wanted.chromosomes, 1):
            if name not in names:
                error = unknown(name, list(lengths), str(self.path))
                raise DataError(f"{shown(path)}, interval {number}: {error}")
        styled = {name: other for name, other in names.items() if name != other}
        if styled:
            first = next(iter(styled.items()))
            self.changes[f"chromosomes called otherwise in the genome, such as {first[0]} for {first[1]}"] += len(
                styled
            )
        placed = replace(wanted, chromosomes=tuple(names[name] for name in wanted.chromosomes))
        size = placed.sizes(lengths)
        beyond = np.flatnonzero(placed.ends > size)
        if len(beyond):
            i = int(beyond[0])
            raise DataError(
                f"{shown(path)}, interval {i + 1}: {wanted.chromosomes[i]}:{placed.starts[i]}-{placed.ends[i]} lies "
                f"beyond the end of {placed.chromosomes[i]} ({size[i]:,}); is this the genome it was made for?"
            )
        if self.width is None:
            return placed
        around = placed.centered(self.width)
        over = int(((around.starts < 0) | (around.ends > around.sizes(lengths))).sum())
        fitted, kept = around.fitted(lengths, self.edge)
        lost = len(around) - len(kept)
        done = {"pad": "padded with N", "shift": "moved inside", "drop": "left out"}[self.edge]
        for what, count in (
            (f"windows over the edge of a chromosome, {done}", over if self.edge != "shift" else over - lost),
            ("windows wider than their chromosome, left out", lost if self.edge == "shift" else 0),
        ):
            self.changes.update({what: count} if count else {})
        return fitted
