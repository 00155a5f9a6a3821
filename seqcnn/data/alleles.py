"""Alleles of variants as sequences: windows of a genome for both alleles of many variants, each distinct one once."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import INVALID, Alphabet
from seqcnn.data.substitutions import Substitutions
from seqcnn.io.genome import Genome
from seqcnn.io.vcf import EVERY, Haplotype, VcfRecord, haplotypes, is_symbolic
from seqcnn.sequence import Codes, Sequences
from seqcnn.variant import Variant, before, window

Numbers = npt.NDArray[np.int64]

#: Letters of a genome read at a time, at least.
_BLOCK = 1 << 14
#: Letters that are replaced by as many, at most.
_LONGEST = 8


class Letters:
    """The letters of one chromosome in upper case, N beyond its ends, read in blocks: neighbors lie in one."""

    def __init__(self, genome: Genome, chromosome: str) -> None:
        self.genome, self.chromosome = genome, chromosome
        self._low, self._high, self._text = 0, -1, b""

    def __call__(self, start: int, end: int) -> bytes:
        """Return the letters of ``[start, end)``."""
        if start < self._low or end > self._high:
            size = max(_BLOCK, 8 * (end - start))
            self._low, self._high = start - size // 4, start + size
            text = self.genome.letters(self.chromosome, self._low, self._high)
            self._text = text.upper().replace(b"U", b"T")
        return self._text[start - self._low : end - self._low]

    def agree(self, record: VcfRecord) -> bool:
        """Return whether the reference allele of a record is what stands there."""
        found = self(record.start, record.start + len(record.ref))
        return found == record.ref or found == record.ref.replace(b"U", b"T")


@dataclass
class Pairs:
    """Windows of both alleles of many variants, gathered one by one.

    Parameters
    ----------
    width
        Letters of a window.
    shifts
        Each window is also taken moved by up to so many letters to either side.
    replacing
        Whether alleles of one length, with no neighbors, are kept as replacements of letters and not as windows.

    Attributes
    ----------
    slots
        The distinct windows, with their rows.
    replaced
        Replacements: the chromosome's letters, start of the window, letters from there to the change, and what stands
        there instead.
    rows
        Of the reference and the alternative windows: the rows of all shifts and haplotypes, variant after variant.
        Those of replacements count from the end: -1 and -2 are the first one's.
    counts
        How many of them each variant has.
    """

    width: int
    shifts: int = 0
    replacing: bool = False
    replaced: list[tuple[Letters, int, int, bytes]] = field(default_factory=list)
    slots: dict[bytes, int] = field(default_factory=dict)
    rows: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    counts: list[int] = field(default_factory=list)

    def add(
        self,
        letters: Letters,
        variant: Variant,
        haplotypes: Iterable[tuple[Variant, ...]] = ((),),
        *,
        both: bool = False,
    ) -> None:
        """Take the windows of a trimmed variant on each of its haplotypes: the neighbors that are on it too.

        With `both` the neighbors are applied to the window of the reference allele as well. Alone, an insertion or
        deletion stands as far to the left as it can; beside neighbors it stays, since it could not pass them.
        """
        slots, count = self.slots, 0
        references, alternatives = self.rows
        for neighbors in haplotypes:
            if self.replacing and not neighbors and 0 < len(variant.ref) == len(variant.alt) <= _LONGEST:
                count += self._replace(letters, variant)
                continue
            around = neighbors if both else ()
            here = variant if neighbors else variant.left_aligned(letters)
            for shift in range(-self.shifts, self.shifts + 1):
                text = window(letters, here, self.width, alternative=False, shift=shift, neighbors=around)
                references.append(slots.setdefault(text, len(slots)))
                text = window(letters, here, self.width, alternative=True, shift=shift, neighbors=neighbors)
                alternatives.append(slots.setdefault(text, len(slots)))
                count += 1
        self.counts.append(count)

    def _replace(self, letters: Letters, variant: Variant) -> int:
        """Keep a variant as replacements of letters in its windows; return how many."""
        for shift in range(-self.shifts, self.shifts + 1):
            ahead = before(self.width, variant.ref, shift)
            for rows, number in zip(self.rows, (1, 2), strict=True):
                rows.append(-2 * len(self.replaced) - number)
            self.replaced.append((letters, variant.start - ahead, ahead, variant.alt))
        return 2 * self.shifts + 1

    def windows(self, variants: Sequence[int]) -> list[tuple[bytes, bytes]]:
        """Return the windows of both alleles of some variants, the middle one of all shifts."""
        slots, firsts = list(self.slots), np.cumsum([0, *self.counts]) + self.shifts
        found = []
        for i in variants:
            reference, alternative = (rows[firsts[i]] for rows in self.rows)
            if reference >= 0:
                found.append((slots[reference], slots[alternative]))
            else:
                letters, start, ahead, alt = self.replaced[(-1 - reference) // 2]
                text = letters(start, start + self.width)
                found.append((text, text[:ahead] + alt + text[ahead + len(alt) :]))
        return found

    def sequences(self, alphabet: Alphabet) -> Sequences:
        """Return the distinct windows; a letter of the genome that is none of the alphabet is read as N."""
        codes = _codes(b"".join(self.slots), alphabet)
        return Sequences(codes, np.arange(len(self.slots) + 1, dtype=np.int64) * self.width)

    def substitutions(self, alphabet: Alphabet) -> list[tuple[Substitutions, Numbers]]:
        """Return the replacements of letters, and the numbers of those in each."""
        alike: dict[tuple[Letters, int, int], list[tuple[int, bytes, int]]] = {}
        for number, (letters, start, ahead, alt) in enumerate(self.replaced):
            alike.setdefault((letters, ahead, len(alt)), []).append((start, alt, number))
        return [
            _substitutions(letters, kept, alphabet, width=self.width, ahead=ahead)
            for (letters, ahead, _), kept in alike.items()
        ]

    def means(self, logits: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the mean logits ``(n, K)`` of the reference and of the alternative windows of each variant.

        Parameters
        ----------
        logits
            Of `sequences`, ``(distinct windows, K)``; then those of replacements, the last one's first: with letters
            replaced, and as it is.
        """
        counts = np.array(self.counts, np.int64)
        reference, alternative = (_means(logits, np.array(rows, np.int64), counts) for rows in self.rows)
        return reference, alternative


def _substitutions(
    letters: Letters, kept: list[tuple[int, bytes, int]], alphabet: Alphabet, *, width: int, ahead: int
) -> tuple[Substitutions, Numbers]:
    """Return replacements in windows of a chromosome, from left to right, and their numbers."""
    starts, instead, numbers = zip(*sorted(kept), strict=True)
    places = np.array(starts, np.int64)
    first = np.flatnonzero(np.concatenate([[True], np.diff(places) > width]))  # of those that lie together
    last = np.append(first[1:], len(places)) - 1
    low, high = places[first], places[last] + width
    text = b"".join(letters(*bounds) for bounds in zip(low.tolist(), high.tolist(), strict=True))
    shift = low - np.concatenate([[0], np.cumsum(high - low)[:-1]])  # from the chromosome to what was read of it
    within = places - np.repeat(shift, last - first + 1)
    codes = _codes(b"".join(instead), alphabet).reshape(len(places), -1)
    return Substitutions(_codes(text, alphabet), within, width, ahead, codes), np.array(numbers, np.int64)


def _codes(text: bytes, alphabet: Alphabet) -> Codes:
    """Return letters as codes; one that is none of the alphabet is read as N."""
    codes = np.frombuffer(text.translate(alphabet.lookup), np.uint8)
    return np.where(codes == INVALID, np.uint8(alphabet.any_code), codes)


def _means(
    logits: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Return the means of runs of `counts` ``(n,)`` rows, ``(n, K)``."""
    if not len(counts) or (counts == 1).all():
        return logits[rows]
    sums = np.add.reduceat(logits[rows].astype(np.float64), np.cumsum(counts) - counts)
    return (sums / counts[:, None]).astype(np.float32)


class Phase:
    """Which variants are on one haplotype with another, close enough to be seen in its window.

    Parameters
    ----------
    samples
        Columns of the samples to look at.
    reach
        Letters from one variant to the farthest neighbor.
    name
        Of the file, for errors.

    Attributes
    ----------
    disordered
        Records that came after one farther down, or after another chromosome: their neighbors may be missed.
    """

    def __init__(self, samples: Sequence[int], reach: int, name: str) -> None:
        self.samples, self.reach, self.name = samples, reach, name
        self.disordered = 0

    def records(self, records: Iterable[VcfRecord]) -> Iterator[tuple[VcfRecord, "Neighborhood"]]:
        """Yield each record with what is around it, reading ahead no farther than `reach`."""
        near: deque[_Placed] = deque()
        waiting: deque[_Placed] = deque()
        seen: set[str] = set()
        for record in records:
            last = near[-1].record if near else None
            new = last is None or last.chromosome != record.chromosome
            if (new and record.chromosome in seen) or (not new and last is not None and record.start < last.start):
                self.disordered += 1
            if new:
                seen.add(record.chromosome)
                yield from self._settle(waiting, near, None)
                near.clear()
            placed = _Placed(record, haplotypes(record, self.samples, self.name))
            near.append(placed)
            waiting.append(placed)
            yield from self._settle(waiting, near, record.start - self.reach)
        yield from self._settle(waiting, near, None)

    def _settle(
        self, waiting: deque["_Placed"], near: deque["_Placed"], before: int | None
    ) -> Iterator[tuple[VcfRecord, "Neighborhood"]]:
        """Yield the records that end before a place, whose neighbors have all been read; all if it is None."""
        while waiting and (before is None or waiting[0].end < before):
            placed = waiting.popleft()
            while near and near[0] is not placed and near[0].end < placed.record.start - self.reach:
                near.popleft()
            yield placed.record, Neighborhood(placed, [other for other in near if other is not placed], self.reach)


@dataclass(frozen=True)
class _Placed:
    """A record, and which haplotypes carry which of its alleles."""

    record: VcfRecord
    carried: dict[Haplotype, tuple[int, bytes]]

    @property
    def end(self) -> int:
        return self.record.start + len(self.record.ref)

    def variant(self, allele: int) -> Variant | None:
        """Return one of the alternative alleles, trimmed; None where it has no letters."""
        record = self.record
        alt = record.alts[allele - 1]
        return None if is_symbolic(alt) else Variant(record.chromosome, record.start, record.ref, alt).trimmed()


@dataclass(frozen=True)
class Neighborhood:
    """A record among the others around it."""

    placed: _Placed
    others: list[_Placed]
    reach: int

    def haplotypes(self, allele: int, variant: Variant, letters: Letters) -> list[tuple[Variant, ...]]:
        """Return the neighbors of an allele on each haplotype that carries it, in order; none on any if none does.

        Neighbors have its phase set, or are on all haplotypes of the sample, and their REF is the genome's; of those
        that overlap the first in the file is taken, and none that overlaps the variant itself.
        """
        found: Counter[tuple[Variant, ...]] = Counter()
        for haplotype, (number, group) in self.placed.carried.items():
            if number != allele:
                continue
            around = [(other, *other.carried[haplotype]) for other in self.others if haplotype in other.carried]
            if group == EVERY:  # it belongs to any set: to the one there is, if there is just one
                groups = {other for _, _, other in around} - {EVERY}
                group = groups.pop() if len(groups) == 1 else EVERY
            chosen: list[Variant] = []
            for other, number, theirs in around:
                neighbor = other.variant(number) if theirs in (group, EVERY) else None
                if neighbor is None or not letters.agree(other.record):
                    continue
                if neighbor.end < variant.start - self.reach or variant.end + self.reach < neighbor.start:
                    continue
                if not any(neighbor.overlaps(taken) for taken in (variant, *chosen)):
                    chosen.append(neighbor)
            found[tuple(sorted(chosen))] += 1
        return list(found.elements()) or [()]
