"""Regions of a genome as records: the windows that BED, GFF or GenBank files name, in the letters of their genome."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seqcnn.alphabet import DNA, INVALID
from seqcnn.chromosome import matched, unknown
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import EDGES, Edge, Intervals, Numbers
from seqcnn.io.bed import is_bed, read_bed
from seqcnn.io.fasta import read_letters
from seqcnn.io.features import PROMOTER
from seqcnn.io.genbank import Part, flat_form, read_features
from seqcnn.io.genome import Chromosomes, Genome, HeldChromosomes
from seqcnn.io.gff import is_gff, read_gff
from seqcnn.io.opening import STDIN, shown
from seqcnn.options import RegionOptions
from seqcnn.record import Letters, Record, together


def _complements() -> bytes:
    """Return the table from each letter to its complement; what is no letter stays."""
    letters = np.arange(256, dtype=np.uint8)
    codes = np.frombuffer(DNA.lookup, np.uint8)
    other = np.frombuffer(DNA.spelling, np.uint8)[DNA.complement[codes]]
    return np.where(codes == INVALID, letters, other).astype(np.uint8).tobytes()


_COMPLEMENTS = _complements()


@dataclass(frozen=True)
class Windows:
    """What one file of intervals asks to be read.

    Parameters
    ----------
    genome
        Whose letters they are.
    places
        Where they are read, under the names of the genome; ``names`` are the identifiers.
    parts
        Of features in several parts that are to be spliced, in the order of reading; else None.
    """

    genome: Chromosomes
    places: Intervals
    parts: tuple[tuple[Part, ...], ...] | None = None

    def __iter__(self) -> Iterator[Record]:
        """Yield the records; those on the reverse strand are turned round."""
        for i, place in enumerate(self.places.places()):
            spans = [place[1:]] if self.parts is None else self.parts[i]
            letters = b"".join(self._strand(place.chromosome, *span) for span in spans)
            yield Record(self.places.names[i], letters, place=place)

    def in_order(self) -> "Windows":
        """Return the same windows as they lie on the genome."""
        rank = {name: number for number, name in enumerate(self.genome.lengths)}
        order = np.lexsort((self.places.starts, np.array([rank[name] for name in self.places.chromosomes])))
        parts = None if self.parts is None else tuple(self.parts[i] for i in order)
        return Windows(self.genome, self.places.take(order), parts)

    def _strand(self, chromosome: str, start: int, end: int, strand: int) -> bytes:
        letters = self.genome.letters(chromosome, start, end)
        return letters.translate(_COMPLEMENTS)[::-1] if strand < 0 else letters


class Regions:
    """How files of sequences are read: FASTA as it is, BED, GFF and the features of GenBank as windows of a genome.

    Parameters
    ----------
    genome
        Indexed FASTA; None where all files bring their own sequence.
    feature
        Type of the features of a GFF, GTF, GenBank or EMBL file, such as gene, CDS or promoter; several between commas.
    width
        Of the windows around summits or middles; None for the intervals as they are, features in several parts spliced.
    edge
        What is done with a window that reaches beyond its chromosome.
    cache
        Whether a bgzip genome is read from an unpacked copy: see `Genome`.
    unplaced
        ``drop`` leaves out, and counts, intervals that the genome has no place for; ``error`` stops at the first.
    in_order
        Whether windows are read as they lie on the genome, instead of as the file has them.

    Attributes
    ----------
    changes
        What was moved, padded or left out, with its count.
    lengths
        Of the chromosomes: those of the genome, or of the files read so far that bring their own sequence.
    """

    def __init__(
        self,
        genome: Path | None = None,
        *,
        feature: str | None = None,
        width: int | None = None,
        edge: Edge = "pad",
        cache: bool = False,
        unplaced: str = "error",
        in_order: bool = False,
    ) -> None:
        self.path, self.feature, self.width, self.edge, self.in_order = genome, feature, width, edge, in_order
        self.unplaced = unplaced
        self.genome = None if genome is None else Genome(genome, cache=cache)
        self.changes: Counter[str] = Counter()
        self.lengths: dict[str, int] = {} if self.genome is None else self.genome.lengths
        self._told: list[str] = []

    @classmethod
    def of(cls, options: RegionOptions, *, in_order: bool = False) -> "Regions":
        """Return the regions that options describe."""
        return cls(
            options.genome,
            feature=options.feature,
            width=options.width,
            edge=options.edge,
            cache=options.cache,
            unplaced=options.unplaced,
            in_order=in_order,
        )

    @property
    def notes(self) -> list[str]:
        """Sentences that say what was changed."""
        made = [] if self.genome is None else self.genome.notes
        return [*dict.fromkeys([*made, *self._told]), *(f"{what}: {count:,}" for what, count in self.changes.items())]

    def holds(self, path: str) -> bool:
        """Return whether a file is read as intervals."""
        return is_bed(path) or is_gff(path) or (self.feature is not None and flat_form(path) is not None)

    def refuse(self, files: Sequence[str]) -> None:
        """Raise `OptionError` or `DataError` where the options don't go with the files."""
        features = [file for file in files if is_gff(file)]
        flat = [file for file in files if self.feature is not None and flat_form(file) is not None]
        intervals = [file for file in files if is_bed(file)] + features
        if intervals and self.genome is None:
            raise DataError(f"{shown(intervals[0])} holds intervals; pass --genome FASTA, whose letters they are")
        if features and self.feature is None:
            raise DataError(
                f"{shown(features[0])} holds features of all kinds; pass --feature gene, CDS, promoter, ..."
            )
        if self.feature is not None and not features and not flat:
            raise OptionError(
                f"--feature {self.feature}: belongs to GFF, GTF, GenBank and EMBL; {shown(files[0])} is none of them"
            )
        for name, value in (("genome", self.path), ("width", self.width)):
            if value is not None and STDIN in files:
                raise OptionError(
                    f"--{name}: belongs to intervals, which are read from files; name the BED or GFF file"
                )
            if value is not None and not intervals and not flat:
                do = "; name its features with --feature" if flat_form(files[0]) else ""
                raise OptionError(f"--{name}: belongs to intervals; {shown(files[0])} holds none{do}")

    def letters(self, path: str) -> Iterator[Letters]:
        """Yield the records of a FASTA, FASTQ, GenBank, BED or GFF file, many at a time.

        Those on the reverse strand are turned round. Identifiers are the names that the file gives, or the interval as
        it stands there: ``chr1:9-20(+)``.

        Raises
        ------
        DataError
            If the genome has no chromosome of that name, in any style, or an interval lies beyond its end.
        """
        if not self.holds(path):
            return read_letters(path)
        windows = self.windows(path)
        return together(windows.in_order() if self.in_order else windows)

    def windows(self, path: str, wanted: Intervals | None = None) -> Windows:
        """Return what a BED, GFF or GenBank file asks to be read; `wanted` are its intervals, where they are known."""
        genome: Chromosomes | None = self.genome
        parts: tuple[tuple[Part, ...], ...] | None = None
        if wanted is None and is_bed(path):
            wanted = read_bed(path)[0]
        elif wanted is None and is_gff(path):
            wanted = read_gff(path, self.feature or "gene")
        elif wanted is None:
            found = read_features(path, self.feature or "gene")
            wanted = found.intervals
            genome = genome or HeldChromosomes(found.chromosomes, shown(path))
            for name in dict.fromkeys(wanted.chromosomes):
                if self.genome is None and not found.chromosomes[name]:
                    raise DataError(f"{shown(path)}, record {name}: no sequence; pass --genome FASTA, or download it")
            several = sum(len(pieces) > 1 for pieces in found.parts)
            if self.width is None:
                parts = found.parts
                self._count("features of several parts, spliced", several)
            else:
                self._count("features of several parts, taken as the span of all", several)
            self._count("features in other records or between two bases, left out", found.left)
        if genome is None:
            raise DataError(f"{shown(path)} holds intervals; pass --genome FASTA, whose letters they are")
        if self.width is None and wanted.summits is not None and PROMOTER in (self.feature or "").split(","):
            raise OptionError(f"--feature {self.feature}: needs --width N, the windows around the starts of genes")
        kept = self._kept(wanted, genome, path)
        if len(kept) < len(wanted):
            wanted, parts = wanted.take(kept), None if parts is None else tuple(parts[i] for i in kept)
        if self.genome is None:
            self.lengths = self.lengths | genome.lengths
        called = wanted.names or ("",) * len(wanted)
        named = (name or str(place) for name, place in zip(called, wanted.places(), strict=True))
        return Windows(genome, self._placed(replace(wanted, names=tuple(named)), genome, path), parts)

    def _count(self, what: str, count: int) -> None:
        if count:
            self.changes[what] += count

    def _kept(self, wanted: Intervals, genome: Chromosomes, path: str) -> Numbers:
        """Return which intervals the genome has a place for; the others are counted, or raised for."""
        lengths = genome.lengths
        names = matched(wanted.chromosomes, list(lengths))
        size = np.array([lengths[names[name]] if name in names else -1 for name in wanted.chromosomes], np.int64)
        lost, beyond = np.flatnonzero(size < 0), np.flatnonzero((size >= 0) & (wanted.ends > size))
        if self.unplaced == "error" and len(lost):
            error = unknown(wanted.chromosomes[lost[0]], list(lengths), genome.name)
            raise DataError(f"{_where(path, wanted, lost[0])}: {error}{_among(lost, wanted)}")
        if self.unplaced == "error" and len(beyond):
            i = int(beyond[0])
            raise DataError(
                f"{_where(path, wanted, i)}: {wanted.chromosomes[i]}:{wanted.starts[i]}-{wanted.ends[i]} lies beyond "
                f"the end of {names[wanted.chromosomes[i]]} ({size[i]:,}); is this the genome it was made for?"
                f"{_among(beyond, wanted)}"
            )
        self._count("intervals of chromosomes that the genome has not, left out", len(lost))
        self._count("intervals beyond the end of their chromosome, left out", len(beyond))
        return np.flatnonzero(wanted.ends <= size)

    def _placed(self, wanted: Intervals, genome: Chromosomes, path: str) -> Intervals:
        """Return the windows to read, under the names of the genome."""
        lengths = genome.lengths
        names = matched(wanted.chromosomes, list(lengths))
        styled = [(name, other) for name, other in names.items() if name != other]
        if styled:
            name, other = styled[0]
            more = f", and {len(styled) - 1:,} more" if len(styled) > 1 else ""
            self._told.append(f"chromosomes called otherwise in {genome.name}: {name} is read as {other}{more}")
        placed = replace(wanted, chromosomes=tuple(names[name] for name in wanted.chromosomes))
        if self.width is None:
            return placed
        longest = max(lengths.values(), default=0)
        if self.width > longest:
            raise DataError(
                f"--width {self.width:,}: the longest chromosome of {genome.name} has {longest:,}; lower it"
            )
        around = placed.centered(self.width)
        over = int(((around.starts < 0) | (around.ends > around.sizes(lengths))).sum())
        fitted, kept = around.fitted(lengths, self.edge)
        gone = len(around) - len(kept)
        done = EDGES[self.edge]
        self._count(f"windows over the edge of a chromosome, {done}", over if self.edge != "shift" else over - gone)
        self._count("windows wider than their chromosome, left out", gone if self.edge == "shift" else 0)
        if not len(kept):
            raise DataError(
                f"{shown(path)}: every window of {self.width:,} reaches beyond its chromosome; lower --width, or pass "
                "--edge pad"
            )
        return fitted


def _where(path: str, intervals: Intervals, i: int) -> str:
    """Return how errors name an interval."""
    if intervals.lines is not None:
        return f"{shown(path)}, line {intervals.lines[i]}"
    return f"{shown(path)}, feature {intervals.names[i]}"


def _among(faulty: Numbers, intervals: Intervals) -> str:
    """Return how many intervals a mistake concerns, if more than one."""
    return f" ({len(faulty):,} of {len(intervals):,} intervals are so)" if len(faulty) > 1 else ""
