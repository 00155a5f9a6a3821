"""Intervals and the genome they are read from: strange chromosomes, other names, windows out of range."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from seqcnn.chromosome import matched
from seqcnn.interval import EDGES, Intervals
from seqcnn.io.bed import is_bed, read_bed
from seqcnn.io.genome import Genome
from seqcnn.io.gff import is_gff, read_gff
from seqcnn.io.opening import STDIN, shown
from seqcnn.options import DataOptions
from seqcnn.quality.findings import Finding
from seqcnn.quality.subject import EXAMPLES


def placement(files: Sequence[str], options: DataOptions) -> list[Finding]:
    """Return what is wrong with where intervals lie, for all of them: reading alone would stop at the first.

    Parameters
    ----------
    files
        Of which those that hold intervals are looked at.
    options
        The genome, and the width of windows.

    Raises
    ------
    FormatError, InputFileError
        If a file is malformed or missing.
    """
    if options.genome is None:
        return []
    lengths = Genome(options.genome).lengths
    found: list[Finding] = []
    for file in files:
        if file != STDIN and (is_bed(file) or (is_gff(file) and options.feature)):
            wanted = read_gff(file, options.feature or "") if is_gff(file) else read_bed(file)[0]
            found += _placed(wanted, lengths, shown(file), options)
    return found


def _placed(wanted: Intervals, lengths: dict[str, int], file: str, options: DataOptions) -> Iterator[Finding]:
    names = matched(wanted.chromosomes, list(lengths))
    n = max(len(wanted), 1)
    strange = np.array([name not in names for name in wanted.chromosomes], bool)
    if strange.any():
        counts = Counter(name for name in wanted.chromosomes if name not in names)
        shown_names = ", ".join(f"{name} ({count:,})" for name, count in counts.most_common(3))
        more = f" and {len(counts) - 3:,} more" if len(counts) > 3 else ""
        yield Finding(
            "unknown_chromosomes",
            "problem",
            f"{file}: {int(strange.sum()):,} intervals lie on chromosomes that {options.genome} has not: "
            f"{shown_names}{more}",
            f"Give the genome they were made for (this one has {', '.join(list(lengths)[:3])}, ...), or leave them out "
            "with --unplaced drop.",
            int(strange.sum()),
            float(strange.mean()),
            _named(wanted, strange),
        )
    styled = {name: other for name, other in names.items() if name != other}
    if styled:
        first, other = next(iter(styled.items()))
        count = sum(name in styled for name in wanted.chromosomes)
        yield Finding(
            "chromosome_names",
            "note",
            f"{file}: {len(styled):,} chromosomes are called otherwise in the genome, such as {first} for {other}",
            "They are matched; make sure that it is the same assembly.",
            count,
            count / n,
        )
    known = wanted.take(np.flatnonzero(~strange))
    placed = replace(known, chromosomes=tuple(names[name] for name in known.chromosomes))
    size = placed.sizes(lengths)
    beyond = placed.ends > size
    if beyond.any():
        yield Finding(
            "beyond_the_end",
            "problem",
            f"{file}: {int(beyond.sum()):,} intervals lie beyond the end of their chromosome",
            "Give the genome they were made for: another assembly has other lengths; or leave them out with --unplaced "
            "drop.",
            int(beyond.sum()),
            int(beyond.sum()) / n,
            _named(placed, beyond),
        )
    if options.width is not None:
        inside = placed.take(np.flatnonzero(~beyond))
        around = inside.centered(options.width)
        over = (around.starts < 0) | (around.ends > around.sizes(lengths))
        if over.any():
            share = int(over.sum()) / n
            yield Finding(
                "windows_over_the_edge",
                "warning" if share >= 0.01 and options.edge == "pad" else "note",
                f"{file}: {int(over.sum()):,} windows reach over the edge of their chromosome; they are "
                f"{EDGES[options.edge]}",
                "Padding is seen by the network: where one class has more of it, pass --edge shift or drop.",
                int(over.sum()),
                share,
                _named(around, over),
            )


def _named(intervals: Intervals, hit: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> tuple[str, ...]:
    return tuple(map(str, intervals.take(np.flatnonzero(hit)[:EXAMPLES]).places()))
