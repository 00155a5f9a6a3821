"""Tables of time series: the UCR layout (label, then values), sktime's .ts and Weka's .arff, plain or gzip."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seqcnn.errors import FormatError
from seqcnn.io.opening import open_bytes, shown
from seqcnn.io.table import suffix_of

#: Cells that say that a value is missing.
_MISSING = frozenset({"", "?", "na", "nan", "null", "none"})
#: A headerless line of at least so many numbers is a series, not the header of a table.
_FEWEST = 6
#: A line of numbers that begins with one of these is a header whose columns are numbered.
_HEADERS = frozenset({"", "id", "label", "class", "target", "y"})
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf)", re.IGNORECASE)


@dataclass(frozen=True)
class LabelledSeries:
    """One line of a table: what it is called, its label (None where the file has none) and values ``(V, T)``."""

    line: int
    label: str | None
    values: npt.NDArray[np.float32]


def is_series_table(path: str | Path) -> bool:
    """Return whether a file holds series: by its suffix, or by a first line of numbers without a header."""
    if suffix_of(path) in (".ts", ".arff"):
        return True
    if suffix_of(path) not in (".tsv", ".csv", ".txt", ".tab", ".dat") or not Path(path).is_file():
        return False
    with open_bytes(path, empty=True) as stream:
        first, end, _ = stream.peek(4096)[:4096].lstrip(b" \r\n").partition(b"\n")
    label, *cells = _cells(first.decode("latin-1").rstrip()) or [""]
    if label.lower() in _HEADERS or label.startswith(">"):
        return False
    whole = cells if end else cells[:-1]  # the last cell may be cut
    return len(cells) >= _FEWEST and all(cell.lower() in _MISSING or _NUMBER.fullmatch(cell) for cell in whole)


def read_series(path: str | Path, *, labelled: bool = True, length: int | None = None) -> Iterator[LabelledSeries]:
    """Yield the series of a table, in order.

    Parameters
    ----------
    path
        ``.ts`` (one or several variables, divided by ``:``), ``.arff``, or lines of a label and values divided by tabs,
        commas or blanks. ``?`` and ``NaN`` are missing values.
    labelled
        Whether lines begin with a label.
    length
        Number of values of a line without label: lines that all have so many cells are taken as such, whatever
        `labelled` says.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        Naming the line: a cell that is no number, an infinite value, no value at all, another number of variables.
    """
    name = shown(path)
    suffix = suffix_of(path)
    variables: int | None = None
    found = False
    if length is not None and suffix not in (".ts", ".arff"):
        labelled = labelled and not _all_of(path, length)
    for series in _lines(path, name, suffix, labelled):
        if variables is None:
            variables = len(series.values)
        elif len(series.values) != variables:
            raise FormatError(
                f"{name}, line {series.line}: expected {variables} variables as before, found {len(series.values)}"
            )
        if np.isinf(series.values).any():
            raise FormatError(f"{name}, line {series.line}: an infinite value; expected numbers, or NaN for missing")
        if np.isnan(series.values).all():
            raise FormatError(f"{name}, line {series.line}: no value but NaN; delete the line")
        found = True
        yield series
    if not found:
        raise FormatError(f"{name} holds no series; expected lines of a label and values")


def _all_of(path: str | Path, length: int) -> bool:
    """Return whether every line of a table has so many cells."""
    with open_bytes(path) as stream:
        lines = (_clean(raw) for raw in stream)
        return all(len(_cells(text)) == length for text in lines if text and text[0] not in "#%")


def _clean(raw: bytes) -> str:
    """Return a line without blanks around it; a tab before it follows a label that is missing."""
    return raw.decode("utf-8", "replace").rstrip().lstrip(" ")


def _lines(path: str | Path, name: str, suffix: str, labelled: bool) -> Iterator[LabelledSeries]:
    header = suffix in (".ts", ".arff")  # until @data
    has_label = labelled
    with open_bytes(path) as stream:
        for number, raw in enumerate(stream, 1):
            text = _clean(raw)
            if not text or text[0] in "#%":
                continue
            if header and text.startswith("@"):
                words = text.split()
                key = words[0].lower()
                if key == "@data":
                    header = False
                elif key in ("@classlabel", "@targetlabel"):
                    has_label = len(words) > 1 and words[1].lower() == "true"
                continue
            if header:
                raise FormatError(f"{name}, line {number}: expected a line of the header (@...) before @data")
            yield _series(text, name, number, suffix, has_label)


def _series(text: str, name: str, number: int, suffix: str, labelled: bool) -> LabelledSeries:
    """Return one line as a series."""
    label: str | None = None
    if suffix == ".ts":
        parts = text.split(":")
        if labelled:
            *parts, label = parts
        rows = [_values([c.strip() for c in part.split(",")], name, number) for part in parts]
    elif suffix == ".arff" and text[0] in "'\"":  # relational: 'v1,v1,...\nv2,v2,...',label
        body, _, rest = text[1:].rpartition(text[0])
        label = rest.strip(", ") or None
        rows = [_values(part.split(","), name, number) for part in body.split("\\n")]
    else:
        cells = _cells(text)
        if suffix == ".arff":
            label, cells = (cells[-1], cells[:-1]) if labelled else (None, cells)
        elif labelled:
            label, cells = cells[0], cells[1:]
        rows = [_values(cells, name, number)]
    if not rows or not all(len(row) for row in rows):
        raise FormatError(f"{name}, line {number}: no values; expected a label and numbers")
    out = np.full((len(rows), max(map(len, rows))), np.nan, np.float32)
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, which is refused
        for i, row in enumerate(rows):
            out[i, : len(row)] = row
    return LabelledSeries(number, label, out)


def _cells(text: str) -> list[str]:
    """Return the cells of a line: divided by tabs, else commas, else blanks."""
    for delimiter in ("\t", ",", ";"):
        if delimiter in text:
            return [cell.strip() for cell in text.strip("\r\n").split(delimiter)]
    return text.split()


def _values(cells: Sequence[str], name: str, number: int) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        pass
    values = []
    for i, cell in enumerate(cells, 1):
        text = cell.strip()
        try:
            values.append(np.nan if text.lower() in _MISSING else float(text))
        except ValueError:
            raise FormatError(f"{name}, line {number}, value {i}: expected a number, found {text!r}") from None
    return values
