"""Variants: letters of a chromosome and what replaces them, trimmed, named by kind, seen in windows of both alleles."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Letters ``[start, end)`` of one chromosome; N beyond its ends.
Letters = Callable[[int, int], bytes]

#: What `Variant.kind` may be.
KINDS = ("SNV", "MNV", "insertion", "deletion", "indel", "none")


class Variant(NamedTuple):
    """Letters of a chromosome, and the letters that stand there instead.

    Parameters
    ----------
    chromosome
        Its name.
    start
        0-based place of the first letter replaced.
    ref, alt
        Letters of the chromosome, and of the other allele; either may be empty.

    Examples
    --------
    >>> Variant("chr1", 99, b"CAG", b"CG").trimmed()
    Variant(chromosome='chr1', start=100, ref=b'A', alt=b'')
    """

    chromosome: str
    start: int
    ref: bytes
    alt: bytes

    @property
    def end(self) -> int:
        """End of the letters replaced, not included."""
        return self.start + len(self.ref)

    @property
    def kind(self) -> str:
        """SNV, MNV, insertion, deletion, indel (letters replaced by another number of letters), or none.

        >>> pairs = (b"A", b"G"), (b"AC", b"GT"), (b"TA", b"T"), (b"AC", b"G")
        >>> [Variant("1", 0, ref, alt).kind for ref, alt in pairs]
        ['SNV', 'MNV', 'deletion', 'indel']
        """
        _, _, ref, alt = self.trimmed()
        if not ref or not alt:
            return "insertion" if alt else "deletion" if ref else "none"
        if len(ref) != len(alt):
            return "indel"
        return "SNV" if len(ref) == 1 else "MNV"

    def trimmed(self) -> "Variant":
        """Return the variant without the letters that both alleles end, then begin with.

        VCF puts a letter before insertions and deletions to anchor them; here nothing but the change remains.
        """
        ref, alt, start = self.ref, self.alt, self.start
        if len(ref) == len(alt) == 1 and ref != alt:
            return self
        most, same = min(len(ref), len(alt)), 0
        while same < most and ref[-1 - same] == alt[-1 - same]:
            same += 1
        ref, alt = ref[: len(ref) - same], alt[: len(alt) - same]
        most, same = most - same, 0
        while same < most and ref[same] == alt[same]:
            same += 1
        return Variant(self.chromosome, start + same, ref[same:], alt[same:])

    def left_aligned(self, letters: Letters) -> "Variant":
        """Return the trimmed variant as far to the left as an insertion or deletion can stand without another outcome.

        So all spellings of one change are one variant.

        References
        ----------
        Tan, Abecasis & Kang, Bioinformatics 2015, doi:10.1093/bioinformatics/btv112.

        Examples
        --------
        >>> Variant("1", 5, b"", b"CA").left_aligned(lambda start, end: b"TCACAC"[start:end])
        Variant(chromosome='1', start=1, ref=b'', alt=b'CA')
        """
        if bool(self.ref) == bool(self.alt):
            return self
        start, moved = self.start, self.ref or self.alt
        while start > 0 and letters(start - 1, start) == moved[-1:]:
            start, moved = start - 1, moved[-1:] + moved[:-1]
        return self._replace(start=start, ref=moved if self.ref else b"", alt=moved if self.alt else b"")

    def overlaps(self, other: "Variant") -> bool:
        """Return whether both, trimmed, change the same letters, or insert at the same place."""
        if self.start == other.start:
            return True
        first, second = sorted((self, other), key=lambda variant: variant.start)
        return second.start < first.end


def before(width: int, allele: bytes, shift: int = 0) -> int:
    """Return how many letters of a window stand before an allele in its middle, negative where it is cut.

    The middle is that of `seqcnn.interval.Intervals.centered`; `shift` moves the window to the right.

    >>> before(7, b"A"), before(7, b"ACG"), before(7, b""), before(2, b"ACGTACGT")
    (3, 2, 3, -3)
    """
    return width // 2 - len(allele) // 2 - shift


def window(
    letters: Letters,
    variant: Variant,
    width: int,
    *,
    alternative: bool,
    shift: int = 0,
    neighbors: Sequence[Variant] = (),
) -> bytes:
    """Return the window of one allele: `width` letters of the chromosome that carries it, the allele in the middle.

    Both alleles of a variant have windows of one width, each centered on its own letters: what an insertion adds is
    taken from both ends of the window alike, what a deletion frees is filled from both sides alike.

    Parameters
    ----------
    letters
        Of the variant's chromosome.
    variant
        Trimmed.
    width
        Letters of the window; of a longer allele the middle is seen.
    alternative
        Whether the other allele, or that of the chromosome.
    shift
        Letters by which the window is moved to the right.
    neighbors
        Variants of the same haplotype, trimmed, in order, none overlapping another or `variant`; they are applied too.

    Examples
    --------
    >>> def letters(start, end):
    ...     return b"AAAACGTTTT"[start:end]
    >>> insertion = Variant("1", 5, b"", b"gg")
    >>> [window(letters, insertion, 6, alternative=alternative) for alternative in (False, True)]
    [b'AACGTT', b'ACggGT']
    """
    allele = variant.alt if alternative else variant.ref
    left = before(width, allele, shift)
    right = width - left - len(allele)
    if not neighbors:
        pieces = [letters(variant.start - left, variant.start) if left > 0 else b"", allele]
        pieces.append(letters(variant.end, variant.end + right) if right > 0 else b"")
    else:
        lower = [other for other in neighbors if other.start < variant.start]
        upper = [other for other in neighbors if other.start > variant.start]
        pieces = [_leftward(letters, variant.start, left, lower), allele]
        pieces.append(_rightward(letters, variant.end, right, upper))
    start = max(0, -left)
    return b"".join(pieces)[start : start + width]


def _leftward(letters: Letters, at: int, need: int, neighbors: Sequence[Variant]) -> bytes:
    """Return the `need` letters before `at` of the chromosome with its `neighbors`."""
    text = b""
    for other in reversed(neighbors):
        if len(text) + at - other.end >= need:
            break
        text, at = other.alt + letters(other.end, at) + text, other.start
    text = letters(at - max(0, need - len(text)), at) + text
    return text[len(text) - max(0, need) :]


def _rightward(letters: Letters, at: int, need: int, neighbors: Sequence[Variant]) -> bytes:
    """Return the `need` letters from `at` of the chromosome with its `neighbors`."""
    text = b""
    for other in neighbors:
        if len(text) + other.start - at >= need:
            break
        text, at = text + letters(at, other.start) + other.alt, other.end
    text += letters(at, at + max(0, need - len(text)))
    return text[: max(0, need)]
