"""Alleles of a VCF on their way to a model: placed on a genome, skipped with a reason, seen in windows."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seqcnn.alphabet import Alphabet
from seqcnn.chromosome import matched, unknown
from seqcnn.data.alleles import Letters, Neighborhood, Numbers, Pairs, Phase
from seqcnn.errors import DataError
from seqcnn.inference.predict import Logits
from seqcnn.inference.substitutions import Substituter, Work
from seqcnn.io.genome import Genome
from seqcnn.io.vcf import VcfRecord, is_symbolic
from seqcnn.options import VariantsOptions
from seqcnn.sequence import Sequences
from seqcnn.variant import Variant, before
from seqcnn.workflow.inputs import CHUNK

#: Records held at a time, however few of them are scored.
_RECORDS = 20_000
#: Mismatches that are named.
_LISTED = 5

#: Why an allele has no effect, and how its count is said.
SKIPPED = {
    "ref_mismatch": "REF is not the genome's",
    "symbolic": "symbolic alleles",
    "breakend": "breakends",
    "star": "* alleles",
    "no_alt": "without ALT",
}


class Allele(NamedTuple):
    """One alternative allele of a record: scored, padded (scored, a window reaches over the edge), or why not.

    Parameters
    ----------
    alt
        As the VCF has it.
    status
        ``scored``, ``padded`` or a key of `SKIPPED`.
    variant
        Trimmed, under the genome's name of the chromosome; None where it is not scored.
    neighbors
        The most that are applied with it on one haplotype.
    """

    alt: bytes
    status: str
    variant: Variant | None = None
    neighbors: int = 0


@dataclass(frozen=True)
class Chunk:
    """Records that are computed together, the alleles of each, and the windows and replacements of those scored."""

    records: list[tuple[VcfRecord, list[Allele]]]
    pairs: Pairs
    replaced: list[tuple[Work, Numbers]]


class Alleles:
    """The alleles of a VCF as chunks of windows: what has been read so far, and the chunks under way.

    Parameters
    ----------
    genome
        That the variants were called on.
    alphabet
        Of the model.
    width
        Letters of a window.
    options
        Shifts, phase, strictness.
    samples
        Columns of the samples whose haplotypes count.
    name
        Of the file, for errors.
    substituter
        What computes replacements of letters; without one all alleles are seen in windows.
    """

    def __init__(
        self,
        genome: Genome,
        alphabet: Alphabet,
        width: int,
        options: VariantsOptions,
        *,
        samples: list[int],
        name: str,
        substituter: Substituter | None = None,
    ) -> None:
        self.substituter = substituter
        self.genome, self.alphabet, self.width, self.options, self.name = genome, alphabet, width, options, name
        self.phase = Phase(samples, width, name) if options.phased else None
        self.records = 0
        self.counts: Counter[str] = Counter()  # of alleles, by status
        self.kinds: Counter[str] = Counter()
        self.mismatches: list[str] = []
        self.long = self.joined = 0
        self.styled: dict[str, str] = {}
        self.waiting: deque[Chunk] = deque()
        self._placed: dict[str, tuple[str, int]] = {}
        self._letters: Letters | None = None

    def chunks(self, records: Iterable[VcfRecord]) -> Iterator[Sequences]:
        """Yield the windows of chunks of records, in the order of the file."""
        pairs, rows = self._pairs(), []
        around: Iterable[tuple[VcfRecord, Neighborhood | None]]
        around = ((record, None) for record in records) if self.phase is None else self.phase.records(records)
        for record, neighborhood in around:
            rows.append((record, self._alleles(record, neighborhood, pairs)))
            if len(pairs.slots) * self.width >= CHUNK or len(rows) == _RECORDS:
                yield self._send(rows, pairs)
                pairs, rows = self._pairs(), []
        if rows:
            yield self._send(rows, pairs)

    def _pairs(self) -> Pairs:
        return Pairs(self.width, self.options.shifts, self.substituter is not None and self.substituter.why is None)

    def _send(self, rows: list[tuple[VcfRecord, list[Allele]]], pairs: Pairs) -> Sequences:
        """Return the windows of a chunk; begin to compute its replacements."""
        work = []
        if self.substituter is not None:
            work = [(self.substituter.start(some), numbers) for some, numbers in pairs.substitutions(self.alphabet)]
        self.waiting.append(Chunk(rows, pairs, work))
        return pairs.sequences(self.alphabet)

    def means(self, chunk: Chunk, logits: Logits) -> tuple[Logits, Logits]:
        """Return the mean logits of either allele of each variant of a chunk, of whose windows these are the logits."""
        if self.substituter is None or not chunk.replaced:
            return chunk.pairs.means(logits)
        replaced = np.empty((2 * len(chunk.pairs.replaced), logits.shape[1]), np.float32)
        for work, numbers in chunk.replaced:
            found = self.substituter.finish(work)
            replaced[-1 - 2 * numbers], replaced[-2 - 2 * numbers] = found[:, 0], found[:, 1]
        return chunk.pairs.means(np.concatenate([logits, replaced]))

    def place(self, record: VcfRecord) -> tuple[str, int]:
        """Return the genome's name of a record's chromosome, and its length."""
        found = self._placed.get(record.chromosome)
        if found is None:
            lengths, asked = self.genome.lengths, record.chromosome
            name = asked if asked in lengths else matched([asked], list(lengths)).get(asked)
            if name is None:
                raise DataError(
                    f"{self.name}, line {record.number}: {unknown(asked, list(lengths), str(self.genome.path))}"
                )
            if name != asked:
                self.styled[asked] = name
            found = self._placed[asked] = name, lengths[name]
        return found

    def _alleles(self, record: VcfRecord, neighborhood: Neighborhood | None, pairs: Pairs) -> list[Allele]:
        """Return the alleles of a record, the windows of those that are scored added to `pairs`."""
        self.records += 1
        chromosome, length = self.place(record)
        end = record.start + len(record.ref)
        if end > length:
            raise DataError(
                f"{self.name}, line {record.number}: {record.chromosome}:{record.start + 1}-{end} lies beyond the end "
                f"of {chromosome} ({length:,}); is this the genome it was called on?"
            )
        letters = self._letters
        if letters is None or letters.chromosome != chromosome:
            letters = self._letters = Letters(self.genome, chromosome)
        same = letters.agree(record)
        if not same:
            self._mismatch(record, letters(record.start, end))
        if not record.alts:
            self.counts["no_alt"] += 1
            return [Allele(b".", "no_alt")]
        alleles = []
        for number, alt in enumerate(record.alts, 1):
            status = is_symbolic(alt) or ("" if same else "ref_mismatch")
            if status:
                allele = Allele(alt, status)
            else:
                variant = Variant(chromosome, record.start, record.ref, alt).trimmed()
                allele = self._scored(alt, variant, neighborhood, number, pairs=pairs, letters=letters, length=length)
            self.counts[allele.status] += 1
            alleles.append(allele)
        return alleles

    def _scored(
        self,
        alt: bytes,
        variant: Variant,
        neighborhood: Neighborhood | None,
        number: int,
        *,
        pairs: Pairs,
        letters: Letters,
        length: int,
    ) -> Allele:
        """Add the windows of an allele; return it."""
        self.kinds[variant.kind] += 1
        most = max(len(variant.ref), len(variant.alt))
        self.long += most > self.width
        neighbors = 0
        if neighborhood is None:
            pairs.add(letters, variant)
        else:
            found = neighborhood.haplotypes(number, variant, letters)
            neighbors = max(map(len, found))
            self.joined += neighbors > 0
            pairs.add(letters, variant, found, both=self.options.against == "haplotype")
        ref, alternative = (before(self.width, allele) for allele in (variant.ref, variant.alt))
        left = max(ref, alternative) + self.options.shifts
        right = self.width - min(ref + len(variant.ref), alternative + len(variant.alt)) + self.options.shifts
        padded = variant.start < left or variant.end + right > length
        return Allele(alt, "padded" if padded else "scored", variant, neighbors)

    def _mismatch(self, record: VcfRecord, found: bytes) -> None:
        """Keep what is said of a REF that is not the genome's, or stop at it."""
        shown = [text.decode() if len(text) <= 20 else f"{text[:17].decode()}..." for text in (record.ref, found)]
        where = f"{record.chromosome}:{record.start + 1}"
        if self.options.strict:
            raise DataError(
                f"{self.name}, line {record.number}: REF {shown[0]} at {where}, but the genome has {shown[1]}; is this "
                "the genome it was called on? (without --strict such records are counted and left unscored)"
            )
        if len(self.mismatches) < _LISTED:
            self.mismatches.append(f"{where} REF {shown[0]}, genome {shown[1]} (line {record.number})")
