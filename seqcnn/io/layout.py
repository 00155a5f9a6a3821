"""What rows of scores hold, whichever format they are written in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqcnn.errors import OptionError
from seqcnn.interval import SIGNS
from seqcnn.io.cells import Column
from seqcnn.io.opening import STDIN
from seqcnn.names import Names
from seqcnn.tiling import Windows

#: Columns of a window, and of its place on a genome.
WINDOW_COLUMNS = ("id", "start", "end", "length")
PLACE_COLUMNS = ("chromosome", "chrom_start", "chrom_end", "chrom_strand")

#: Suffixes of each format; of a name that has none of them rows are tab-separated.
FORMATS: dict[str, tuple[str, ...]] = {
    "tsv": (".tsv",),
    "bed": (".bed",),
    "bedgraph": (".bedgraph", ".bdg", ".bg"),
    "bigwig": (".bw", ".bigwig"),
    "parquet": (".parquet",),
}
#: Formats that are no text: a file each, packed already.
BINARY = ("bigwig", "parquet")
#: Formats that hold chromosomes, one number a position or interval: a file a column.
TRACKS = ("bed", "bedgraph", "bigwig")
#: Formats in which positions must be in order and not overlap.
ORDERED = ("bedgraph", "bigwig")


@dataclass(frozen=True)
class Layout:
    """What all rows have in common.

    Parameters
    ----------
    columns
        Names of what was found of each window.
    placed
        Whether the records are intervals of a genome, so that windows have places.
    texts
        Those of the columns that hold names.
    lengths
        Of the chromosomes, in the order in which rows come; only formats that hold them need it.
    """

    columns: tuple[str, ...]
    placed: bool = False
    texts: frozenset[str] = frozenset()
    lengths: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of a table."""
        return (*WINDOW_COLUMNS, *self.columns, *(PLACE_COLUMNS if self.placed else ()))


@dataclass(frozen=True)
class Rows:
    """Some rows.

    Parameters
    ----------
    windows
        Where they lie.
    columns
        What was found, a column of ``(N,)`` numbers or names for each of the layout's.
    shades
        From 0 to 1, how dark a browser draws each number of each column.
    """

    windows: Windows
    columns: Sequence[Column]
    shades: Sequence[npt.NDArray[Any]] = ()

    @property
    def numbers(self) -> npt.NDArray[Any]:
        """What was found as a table ``(N, columns)``, where all of it is numbers."""
        return np.stack([column for column in self.columns if not isinstance(column, Names)], 1)

    def cells(self, *, placed: bool) -> list[Column]:
        """Return the columns of a table: windows, what was found, and places if they are `placed`."""
        if not placed:
            return [*self.windows.cells, *self.columns]
        chromosomes, starts, ends, strands = self.windows.where
        return [*self.windows.cells, *self.columns, chromosomes, starts, ends, signs(strands)]


def signs(strands: npt.NDArray[np.int64]) -> Names:
    """Return how strands are written."""
    return Names([SIGNS[strand] for strand in (0, 1, -1)], strands % 3)


Write = Callable[[Rows], None]


def format_of(path: str, asked: str | None = None) -> str:
    """Return the format that an option asks for, or the name of a file says.

    Raises
    ------
    OptionError
        If the format is unknown, or cannot be written there.

    Examples
    --------
    >>> format_of("scores.bedGraph.gz"), format_of("scores.txt"), format_of("-", "bed")
    ('bedgraph', 'tsv', 'bed')
    """
    name = path.lower()
    told = {suffix: kind for kind, suffixes in FORMATS.items() for suffix in suffixes}
    found = told.get(Path(name.removesuffix(".gz")).suffix, "tsv")
    if asked is not None:
        found = asked
    if found in BINARY and path == STDIN:
        raise OptionError(f"--format {found}: cannot be written to standard output; name a file with -o")
    if found in BINARY and name.endswith(".gz"):
        raise OptionError(f"{path}: {found} is packed already; name it without .gz")
    return found


def paths_of(path: str, columns: Sequence[str]) -> list[str]:
    """Return the file of each column: the one that is named, or several with the column before the suffix.

    Raises
    ------
    OptionError
        If several columns would go to standard output, or to one file.

    Examples
    --------
    >>> paths_of("out.bw", ["score"]), paths_of("a/out.bed.gz", ["cyto", "nuc/lus"])
    (['out.bw'], ['a/out.cyto.bed.gz', 'a/out.nuc_lus.bed.gz'])
    """
    if len(columns) == 1:
        return [path]
    if path == STDIN:
        raise OptionError(f"columns {', '.join(columns)} need a file each; name one with -o, or pass --column")
    bare = path.removesuffix(".gz")
    ending = Path(bare).suffix + path[len(bare) :]
    stem = path.removesuffix(ending) if ending else path
    names = ["".join(c if c.isalnum() or c in "+-._" else "_" for c in name) for name in columns]
    if len(set(names)) < len(names):
        raise OptionError(f"columns {', '.join(columns)}: file names of some would be the same; pass --column")
    return [f"{stem}.{name}{ending}" for name in names]
