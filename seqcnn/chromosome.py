"""Names of chromosomes: chr1, 1 and NC_000001.11 are one and the same."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from seqcnn.checks import did_you_mean
from seqcnn.errors import DataError

_PREFIX = re.compile(r"^chr(omosome)?[_ ]?(?=.)", re.IGNORECASE)
_ACCESSION = re.compile(r"^NC_0*(\d+)\.\d+$")
_MITOCHONDRION: Final = frozenset({"m", "mt", "mtdna", "mito", "mitochondrion"})
#: RefSeq numbers of the first autosome, and what the chromosomes are called from there on: man, mouse.
_REFSEQ: Final = (
    (1, [*map(str, range(1, 23)), "x", "y"]),
    (67, [*map(str, range(1, 20)), "x", "y"]),
)
_REFSEQ_MITOCHONDRION: Final = frozenset({12920, 1807, 5089})


def canonical(name: str) -> str:
    """Return what all names of one chromosome have in common.

    Accessions are known of man and mouse; any other name is compared without ``chr`` and without regard to case.

    >>> [canonical(name) for name in ("chr1", "1", "NC_000001.11", "chrM", "MT", "chrX", "NC_000086.8")]
    ['1', '1', '1', 'mt', 'mt', 'x', 'x']
    """
    accession = _ACCESSION.match(name)
    if accession:
        number = int(accession[1])
        if number in _REFSEQ_MITOCHONDRION:
            return "mt"
        for first, called in _REFSEQ:
            if first <= number < first + len(called):
                return called[number - first]
        return name.lower()
    plain = _PREFIX.sub("", name).lower()
    return "mt" if plain in _MITOCHONDRION else plain


def matched(wanted: Iterable[str], available: Sequence[str]) -> dict[str, str]:
    """Return which of the `available` chromosomes each of the `wanted` ones is; those that are none are left out.

    A name that stands as it is comes first; otherwise the one that is called so in another style, if there is just one.

    >>> matched(["chr1", "X", "chr9"], ["1", "2", "X"])
    {'chr1': '1', 'X': 'X'}
    """
    exact = set(available)
    styles: dict[str, list[str]] = {}
    for name in available:
        styles.setdefault(canonical(name), []).append(name)
    found = {}
    for name in dict.fromkeys(wanted):
        same = styles.get(canonical(name), [])
        if name in exact:
            found[name] = name
        elif len(same) == 1:
            found[name] = same[0]
    return found


def unknown(name: str, available: Sequence[str], where: str) -> DataError:
    """Return the error for a chromosome that a genome does not have."""
    shown = ", ".join(available[:5]) + (", ..." if len(available) > 5 else "")
    return DataError(f"{where} has no chromosome {name!r}{did_you_mean(name, available)}; it has {shown}")
