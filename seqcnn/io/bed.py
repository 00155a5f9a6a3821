"""Interval files: BED of three to twelve columns, and narrowPeak with its summits."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqcnn.errors import FormatError
from seqcnn.interval import FARTHEST, Intervals
from seqcnn.io.opening import open_bytes, shown

if TYPE_CHECKING:
    import pandas as pd

#: Words that begin lines that say how a browser is to draw what follows.
_BROWSER = ("track", "browser")
_STRANDS = {"+": 1, "-": -1, ".": 0, "": 0}
#: Column of narrowPeak that holds the summit, counted from the start; -1 where none was called.
_SUMMIT = 9
SUFFIXES = (".bed", ".narrowpeak", ".broadpeak", ".summits")
#: What a line of column names begins with, with or without a number sign.
_CHROMOSOME = frozenset({"chrom", "chr", "chromosome", "seqname", "seqnames", "seqid", "contig"})
_BED = (
    "chrom", "start", "end", "name", "score", "strand",
    "thickStart", "thickEnd", "itemRgb", "blockCount", "blockSizes", "blockStarts",
)  # fmt: skip
_PEAKS = (*_BED[:6], "signalValue", "pValue", "qValue", "peak")
#: Names of columns by suffix, where no line names them; further ones are called by their numbers.
_COLUMNS = {".narrowpeak": _PEAKS, ".broadpeak": _PEAKS[:-1]}


def is_bed(path: str | Path) -> bool:
    """Return whether a file name says BED.

    >>> is_bed("peaks.narrowPeak.gz"), is_bed("peaks.fa")
    (True, False)
    """
    return _suffix(path) in SUFFIXES


def _suffix(path: str | Path) -> str:
    return Path(str(path).lower().removesuffix(".gz")).suffix


def read_bed(path: str | Path) -> tuple[Intervals, list[list[str]]]:
    r"""Return the intervals of a BED or narrowPeak file, and the cells of each line.

    Columns are separated by tabs, or by spaces where there is no tab. A line of column names says which of the further
    columns are name and strand (else the fourth and the sixth); comments, ``track`` and ``browser`` lines and blank
    lines are passed over; the order is free.

    Raises
    ------
    InputFileError
        If the file is missing.
    FormatError
        Naming file, line and what was expected.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.bed"
    >>> _ = path.write_text("track name=x\nchr1\t5\t9\tpeak\t0\t-\n")
    >>> read_bed(path)[0].strands.tolist()
    [-1]
    """
    found, rows, _ = _parsed(path)
    return found, rows


def read_bed_table(path: str | Path) -> tuple[Intervals, "pd.DataFrame"]:
    r"""Return the intervals of a BED or narrowPeak file, and its cells as a table of text, by the names of the columns.

    These are what a line that begins with ``chrom`` or ``#chrom`` says, else those of the format: chrom, start, end,
    name, score, strand, then thickStart and so on of BED, signalValue, pValue, qValue and peak of narrowPeak; further
    columns are called by their numbers, from 1.

    Raises
    ------
    InputFileError, FormatError
        As `read_bed`; and where lines differ in their number of columns.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.bed"
    >>> _ = path.write_text("#chrom\tstart\tend\texpression\nchr1\t5\t9\t2.5\n")
    >>> read_bed_table(path)[1].to_dict("list")
    {'chrom': ['chr1'], 'start': ['5'], 'end': ['9'], 'expression': ['2.5']}
    """
    import pandas as pd

    found, rows, header = _parsed(path)
    count = len(rows[0])
    for number, cells in zip(found.lines if found.lines is not None else (), rows, strict=True):
        if len(cells) != count:
            raise FormatError(
                f"{shown(path)}, line {number}: expected {count} columns as in the lines above, found {len(cells)}"
            )
    columns = header
    if len(columns) != count:
        known = _COLUMNS.get(_suffix(path), _BED)[:count]
        columns = [*known, *(str(number) for number in range(len(known) + 1, count + 1))]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise FormatError(f"{shown(path)}: column {twice[0]!r} occurs twice in the line of names; rename one")
    cells_of = zip(columns, zip(*rows, strict=True), strict=True)
    return found, pd.DataFrame({column: pd.Series(cells, dtype=object) for column, cells in cells_of})


def _parsed(path: str | Path) -> tuple[Intervals, list[list[str]], list[str]]:
    """Return intervals, cells, and names of columns, if a line says them."""
    name = shown(path)
    peaks = _suffix(path) == ".narrowpeak"
    rows: list[list[str]] = []
    starts, ends, strands, summits, lines = [], [], [], [], []
    header: list[str] = []
    named, turned = 3, 5
    for number, cells in _lines(path):
        if not rows and cells[0].lstrip("#").strip().lower() in _CHROMOSOME and "start" in "".join(cells[1:2]).lower():
            header = [cells[0].lstrip("#").strip(), *cells[1:]]
            named, turned = (_place(header, word) for word in ("name", "strand"))
            continue
        if cells[0].startswith("#"):
            continue
        where = f"{name}, line {number}"
        if len(cells) < 3:
            raise FormatError(f"{where}: expected chromosome, start and end, found {len(cells)} column(s)")
        start, end = (_number(cell, what, where) for cell, what in zip(cells[1:3], ("start", "end"), strict=True))
        if start < 0:
            raise FormatError(f"{where}: start {start} is below 0; BED counts from 0")
        if end <= start:
            raise FormatError(
                f"{where}: start {start} is not before end {end}; BED counts from 0, the end not included"
            )
        strand = cells[turned] if len(cells) > turned else "."
        if strand not in _STRANDS:
            raise FormatError(f"{where}, column {turned + 1}: expected a strand, + - or ., found {strand!r}")
        summit = -1
        if peaks and len(cells) > _SUMMIT:
            offset = _number(cells[_SUMMIT], "summit", where)
            if offset >= end - start:
                raise FormatError(f"{where}, column 10: the summit, {offset} from the start, lies beyond the end")
            summit = start + offset if offset >= 0 else -1
        rows.append(cells)
        starts.append(start)
        ends.append(end)
        strands.append(_STRANDS[strand])
        summits.append(summit)
        lines.append(number)
    if not rows:
        raise FormatError(f"{name} holds no interval; expected lines of chromosome, start and end")
    found = Intervals(
        tuple(cells[0] for cells in rows),
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        np.array(strands, np.int8),
        tuple(cells[named] if len(cells) > named and cells[named] != "." else "" for cells in rows),
        np.array(summits, np.int64) if peaks else None,
        np.array(lines, np.int64),
    )
    return found, rows, header


def _place(header: list[str], word: str) -> int:
    """Return the place of a column among the names of all; beyond every line where it is not there."""
    return next((i for i, column in enumerate(header) if column.lower() == word), FARTHEST)


def _lines(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line that may hold an interval, or the names of the columns."""
    with open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            text = line.decode("utf-8", "replace").strip("\r\n")
            words = text.split(maxsplit=1)
            if not words or words[0] in _BROWSER:
                continue
            yield number, [cell.strip() for cell in text.split("\t")] if "\t" in text else text.split()


def _number(cell: str, what: str, where: str) -> int:
    try:
        number = int(cell)
    except ValueError:
        number = FARTHEST
    if "_" in cell or abs(number) >= FARTHEST:
        raise FormatError(f"{where}: expected a whole number as {what}, found {cell!r}")
    return number
