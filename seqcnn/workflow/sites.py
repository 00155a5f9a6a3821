"""The verb sites: motifs and sequences in, the places where they occur out."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, log10
from pathlib import Path

import numpy as np

from seqcnn.alphabet import RNA
from seqcnn.checks import did_you_mean
from seqcnn.data.sources.records import Coder, told_alphabet
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import SIGNS, Place
from seqcnn.io.cells import Column
from seqcnn.io.layout import PLACE_COLUMNS
from seqcnn.io.meme import read_meme_file
from seqcnn.io.opening import STDIN, shown
from seqcnn.io.table import is_table
from seqcnn.io.tsv import tsv_columns
from seqcnn.io.writing import check_writable
from seqcnn.motif import Motif
from seqcnn.motifs.sites import Found, chunked, find_sites
from seqcnn.names import Names
from seqcnn.options import SitesOptions
from seqcnn.record import Letters
from seqcnn.registry import resolve
from seqcnn.sequence import Codes

COLUMNS = ("motif", "name", "id", "start", "end", "strand", "score", "pvalue", "qvalue", "sequence")


@dataclass(frozen=True)
class Located:
    """Where motifs were found.

    Parameters
    ----------
    motifs
        As they were searched with.
    ids
        Identifier of every record that was read.
    found
        The sites; its ``motifs`` and ``records`` point into the two above.
    notes
        Sentences that say how the search was done.
    places
        Of every record on a genome; empty where each is its own chromosome.
    lengths
        Of the chromosomes of the genome.
    """

    motifs: tuple[Motif, ...]
    ids: tuple[str, ...]
    found: Found
    notes: tuple[str, ...]
    places: tuple[Place, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of `table`."""
        return (*COLUMNS, *(PLACE_COLUMNS if self.places else ()))

    def table(self) -> list[Column]:
        """Return the cells of `columns` of all sites, column by column; 0-based, half-open."""
        f = self.found
        return [
            Names([motif.name for motif in self.motifs], f.motifs),
            Names([motif.alt for motif in self.motifs], f.motifs),
            *self._on_records(),
            f.scores,
            f.pvalues,
            f.qvalues,
            Names.of(f.sequences),
            *(self.where() if self.places else ()),
        ]

    def where(self) -> list[Column]:
        """Return chromosome, start, end and strand of all sites: on the genome, or on records as they are."""
        f = self.found
        if not self.places:
            return self._on_records()
        found = []
        for record, start, end, reverse in zip(
            f.records.tolist(), f.starts.tolist(), f.ends.tolist(), f.reverse.tolist(), strict=True
        ):
            place = self.places[record]
            part = place.part(start, end, self.lengths[place.chromosome])
            found.append(part._replace(strand=(-1 if reverse else 1) * (part.strand or 1)))
        return [
            Names.of([place.chromosome for place in found]),
            np.array([place.start for place in found], np.int64),
            np.array([place.end for place in found], np.int64),
            Names.of([SIGNS[place.strand] for place in found]),
        ]

    def _on_records(self) -> list[Column]:
        """Return record, start, end and strand of all sites."""
        f = self.found
        return [Names(self.ids, f.records), f.starts, f.ends, Names("+-", f.reverse.astype(np.int64))]


def sites(
    motifs: str | os.PathLike[str] | Sequence[Motif],
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: SitesOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
) -> Located:
    """Write where motifs occur in sequences, record by record, as TSV, or as BED where `output` ends in ``.bed``.

    Sites in intervals of a genome have its coordinates in BED, and in four more columns of TSV.

    P-values are exact for the letter frequencies that the MEME file states (equal ones for given motifs); q-values are
    Benjamini and Hochberg's over all positions and strands at which a motif was tested. Both strands are searched for
    DNA, the given one for RNA and protein. Starts are 0-based, ends exclusive. Records stream through; the sites stay
    in memory until the last is known, since their q-values depend on it.

    Parameters
    ----------
    motifs
        A MEME file, or motifs.
    paths
        FASTA, FASTQ, GenBank or EMBL files, or with ``options.genome`` BED, narrowPeak, GFF or GTF, plain or .gz; ``-``
        is standard input.
    options
        Genome and windows, largest p- and q-value, alphabet, unknown letters, strands.
    output
        A file, written whole or not at all, or ``-`` for standard output.

    Raises
    ------
    OptionError
        If the alphabet asked for is not the motifs'.
    InputFileError, FormatError, AlphabetError, OutputFileError
        As reading and writing find them.
    """
    options = SitesOptions() if options is None else options
    files = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    if not files:
        raise OptionError("sites: no input given; pass sequence files, or - for standard input")
    if files.count(STDIN) > 1:
        raise OptionError("-: standard input can be read once only")
    for path in files:
        if path != STDIN and is_table(path):
            raise DataError(f"{shown(path)} is a table; sites reads FASTA, FASTQ, GenBank, BED or GFF")
    place = os.fspath(output)
    if place != STDIN:
        check_writable(place)
    if isinstance(motifs, str | os.PathLike):
        file = read_meme_file(Path(motifs))
        wanted, background = list(file.motifs), file.background
    else:
        wanted, background = list(motifs), None
    regions = Regions.of(options)
    for path in files:
        regions.refuse([path])
    first, records = _opened(files[0], wanted, options, regions)
    if first != wanted[0].alphabet.name:
        wanted = [replace(motif, alphabet=resolve("alphabet", first)) for motif in wanted]
    alphabet = wanted[0].alphabet
    coder = Coder(alphabet, unknown=options.unknown)
    ids: list[str] = []
    places: list[Place] = []

    def codes() -> Iterator[Codes]:
        for number, path in enumerate(files):
            stream = records if number == 0 else told_alphabet(regions.letters(path), shown(path), asked=alphabet)[1]
            for names, batch, lie in coder.batches(stream, shown(path)):
                ids.extend(names)
                places.extend(_whole(lie, names, batch.lengths.tolist()))
                yield from batch

    both = options.strands == "both" and alphabet.name == "dna"
    found = find_sites(
        wanted, chunked(codes()), background=background, pvalue=options.pvalue, qvalue=options.qvalue, both_strands=both
    )
    notes = [
        *_notes(
            located_in=len(ids), sites=len(found), both=both, stated=background is not None, letters=coder.replaced
        ),
        *regions.notes,
    ]
    beyond = [motif.name for motif, least in zip(wanted, found.least, strict=True) if least > options.pvalue]
    if beyond:
        reach = max(float(least) for least in found.least)
        notes.append(
            f"too short to reach a p-value of {options.pvalue:g} anywhere, so not found: {', '.join(beyond)}; "
            f"pass --pvalue {10.0 ** ceil(log10(reach)):g}"
        )
    located = Located(tuple(wanted), tuple(ids), found, tuple(notes), tuple(places), regions.lengths)
    bed = place.lower().removesuffix(".gz").endswith(".bed")
    with tsv_columns(place, () if bed else located.columns) as write:
        write(_bed(located) if bed else located.table())
    return located


def _opened(
    path: str, motifs: Sequence[Motif], options: SitesOptions, regions: Regions
) -> tuple[str, Iterator[Letters]]:
    """Return the name of the alphabet to search in, told from the first input, and the records of that input."""
    if not motifs:
        raise OptionError("sites: no motif given")
    alphabet = motifs[0].alphabet
    if options.alphabet is not None:
        asked = resolve("alphabet", options.alphabet)
        if asked.size != alphabet.size:
            raise OptionError(
                f"--alphabet {options.alphabet}: the motifs are {alphabet.name}"
                f"{did_you_mean(options.alphabet, [alphabet.name])}; leave it out"
            )
        return asked.name, told_alphabet(regions.letters(path), shown(path), asked=asked)[1]
    told, records = told_alphabet(regions.letters(path), shown(path))
    records = told_alphabet(records, shown(path), asked=alphabet)[1]
    return (RNA.name if told is RNA and alphabet.size == RNA.size else alphabet.name), records


def _whole(places: Sequence[Place | None], ids: Sequence[str], lengths: Sequence[int]) -> Iterator[Place]:
    """Yield the places there are; refuse that of a record which was spliced."""
    for place, identifier, length in zip(places, ids, lengths, strict=True):
        if place is not None and length != place.end - place.start:
            raise DataError(
                f"{identifier}: spliced of several parts, so its sites lie nowhere as a whole; pass --width N"
            )
        if place is not None:
            yield place


def _notes(*, located_in: int, sites: int, both: bool, stated: bool, letters: dict[str, int]) -> Iterator[str]:
    """Yield sentences that say how the search was done."""
    yield (
        f"{sites:,} sites in {located_in:,} records, {'both strands' if both else 'one strand'}; p-values for "
        f"{'the letter frequencies of the motif file' if stated else 'equal letter frequencies'}"
    )
    if letters:
        yield "letters: " + ", ".join(f"{count:,} {what}" for what, count in letters.items())


def _bed(located: Located) -> list[Column]:
    """Return the columns of BED6: the score is -100 times the logarithm of the p-value, at most 1000."""
    chromosomes, starts, ends, strands = located.where()
    found = located.found
    names = [f"{motif.name}{f'|{motif.alt}' if motif.alt else ''}" for motif in located.motifs]
    scores = np.minimum(1000, np.rint(-100 * np.log10(np.maximum(found.pvalues, 1e-10)))).astype(np.int64)
    return [chromosomes, starts, ends, Names(names, found.motifs), scores, strands]
