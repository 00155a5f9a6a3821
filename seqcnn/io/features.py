"""Features of genomes by type: which are chosen, where promoters lie, and what each is called."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from seqcnn.checks import did_you_mean
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Intervals

#: What `promoter` takes the start of, the first that a file has.
_GENES = ("gene", "mRNA", "transcript", "CDS")
PROMOTER = "promoter"


class Feature(NamedTuple):
    """One feature: 0-based, half-open; `center` and `first` say where its middle and its first base are, if elsewhere.

    That is so of features in several parts that cross the origin of a circle. `line` is that of the file.
    """

    kind: str
    chromosome: str
    start: int
    end: int
    strand: int
    name: str = ""
    center: int = -1
    first: int = -1
    line: int = 0


def chosen(features: Sequence[Feature], asked: str, name: str) -> tuple[Intervals, list[int]]:
    """Return the features of the types that `asked` names between commas, and where each stands among all.

    ``promoter`` gives genes (or the transcripts of a file without any) with their first bases as summits, on the
    reverse strand the last position; unless the file has features of that type itself. Case does not matter. `name` is
    how errors call the file.

    Raises
    ------
    DataError
        If there is no such feature; the message lists those there are.
    OptionError
        If features and their own promoters are asked for at once.

    Examples
    --------
    >>> genes = chosen([Feature("gene", "chr1", 10, 20, -1, "g1")], "promoter", "a.gff")[0]
    >>> genes.starts.tolist(), genes.summits.tolist(), genes.names
    ([10], [19], ('g1',))
    """
    counts = Counter(feature.kind for feature in features)
    around: set[str] = set()
    kinds: set[str] = set()
    whole: set[str] = set()
    for word in (word.strip() for word in asked.split(",")):
        kind = word
        if word == PROMOTER and word not in counts:
            kind = next((gene for gene in _GENES if gene in counts), "gene")
            around.add(kind)
        else:
            whole.add(kind.lower())
        if kind not in counts:
            kind = next((known for known in counts if known.lower() == kind.lower()), kind)
        if kind not in counts:
            there = ", ".join(f"{found} {count:,}" for found, count in sorted(counts.items())) or "none"
            raise DataError(f"{name} has no feature {kind!r}{did_you_mean(kind, list(counts))}; it has {there}")
        kinds.add(kind)
    if both := sorted(kind for kind in around if kind.lower() in whole):
        raise OptionError(f"--feature {asked}: {PROMOTER} lies around the start of {both[0]}; name one of the two")
    index = [i for i, feature in enumerate(features) if feature.kind in kinds]
    rows = [features[i] for i in index]
    made = Intervals.of([row[1:5] for row in rows])
    summits = [_first(row) if row.kind in around else row.center for row in rows]
    lines = np.array([row.line for row in rows], np.int64)
    return replace(
        made,
        names=_numbered([row.name for row in rows]),
        summits=np.array(summits, np.int64) if max(summits) >= 0 else None,
        lines=lines if lines.any() else None,
    ), index


def _first(feature: Feature) -> int:
    if feature.first >= 0:
        return feature.first
    return feature.end - 1 if feature.strand < 0 else feature.start


def _numbered(names: list[str]) -> tuple[str, ...]:
    """Return names of which none occurs twice: parts of one feature are numbered."""
    counts, seen = Counter(names), Counter[str]()
    told = []
    for name in names:
        seen[name] += 1
        told.append(f"{name}.{seen[name]}" if name and counts[name] > 1 else name)
    return tuple(told)
