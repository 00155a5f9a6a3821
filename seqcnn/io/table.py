"""Tables (.csv, .tsv, .gz, .parquet) as data frames of text: identifiers such as 001 or NA stay what they are."""

import csv
import io
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from seqcnn.checks import did_you_mean
from seqcnn.errors import FormatError, InputFileError, MissingExtraError
from seqcnn.io.opening import open_bytes, shown

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".tab", ".parquet")
_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_FIELD_LIMIT = Lock()


def suffix_of(path: str | Path) -> str:
    """Return the lower-case suffix of a file name without ``.gz`` or ``.bgz``.

    >>> suffix_of("x/peaks.v2.TSV.gz")
    '.tsv'
    """
    name = Path(path).name.lower()
    for packed in (".gz", ".bgz"):
        name = name.removesuffix(packed)
    return Path(name).suffix


def is_table(path: str | Path) -> bool:
    """Return whether a file name says table."""
    return suffix_of(path) in SUFFIXES


def read_table(path: str | Path) -> "pd.DataFrame":
    r"""Return a table with a header line; every cell is text as written, without blanks around it.

    The delimiter is told from the suffix, or from the header line where that lacks it. Quoted cells may hold
    delimiters and line ends. Blank lines, and empty columns without a name, are skipped.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        Naming the line, if a row is ragged, a column name occurs twice, or there is no row.
    MissingExtraError
        For parquet without pyarrow.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.csv"
    >>> _ = path.write_text('id,sequence,y\n001,ACGT,1\nNA,GG,"2"\n')
    >>> read_table(path).to_dict("list")
    {'id': ['001', 'NA'], 'sequence': ['ACGT', 'GG'], 'y': ['1', '2']}
    """
    import pandas as pd

    if suffix_of(path) == ".parquet":
        return _read_parquet(path)
    name = shown(path)
    with open_bytes(path) as stream:
        data = stream.read()
    if b"\0" in data[:4096]:
        raise FormatError(f"{name} is binary data; expected a table of text (.csv or .tsv)")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    if text.lstrip()[:1] == "<":
        raise FormatError(f"{name} is HTML or XML, not a table (a failed download?); expected .csv or .tsv")
    columns, rows = _parse(text, _delimiter(text, suffix_of(path)), name)
    values = list(zip(*rows, strict=True))
    return pd.DataFrame({column: pd.Series(cells, dtype=object) for column, cells in zip(columns, values, strict=True)})


def _delimiter(text: str, suffix: str) -> str:
    """Return the delimiter of a table from its suffix, or from its first line where that lacks it."""
    header = text.lstrip("\r\n").split("\n", 1)[0].split("\r", 1)[0]
    usual = _DELIMITERS.get(suffix, "\t")
    if usual in header:
        return usual
    best = max("\t,;|", key=header.count)
    return best if best in header else usual


def _parse(text: str, delimiter: str, name: str) -> tuple[list[str], list[list[str]]]:
    """Return column names and rows of text cells."""
    rows: list[list[str]] = []
    columns: list[str] | None = None
    with _FIELD_LIMIT:  # the limit is global to Python and far below a chromosome
        limit = csv.field_size_limit(sys.maxsize)
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
            for row in reader:
                cells = [cell.strip() for cell in row]
                if not any(cells):
                    continue
                if columns is None:
                    columns = cells
                    continue
                if len(cells) != len(columns):
                    raise FormatError(
                        f"{name}, line {reader.line_num}: expected {len(columns)} cells as in the header, found "
                        f"{len(cells)}; complete the row, or quote cells that hold the delimiter"
                    )
                rows.append(cells)
        except csv.Error as error:
            raise FormatError(f"{name}, line {reader.line_num}: {error}; check the quotes of this row") from None
        finally:
            csv.field_size_limit(limit)
    if columns is None:
        raise FormatError(f"{name} holds only blank lines; expected a header line and rows")
    held = [i for i, column in enumerate(columns) if column or any(row[i] for row in rows)]
    if len(held) < len(columns):  # spreadsheets leave empty columns without a name
        columns, rows = [columns[i] for i in held], [[row[i] for i in held] for row in rows]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise FormatError(f"{name}, line 1: column {twice[0]!r} occurs twice; rename one")
    if not rows:
        raise FormatError(f"{name} has a header line and no rows; expected at least one")
    return columns, rows


def _read_parquet(path: str | Path) -> "pd.DataFrame":
    """Return a parquet table as text cells."""
    import pandas as pd

    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise MissingExtraError(f"{path}: parquet needs pyarrow; install seqcnn[parquet], or save as .csv") from None
    if not Path(path).is_file():
        raise InputFileError(f"{path}: no such file")
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a whole parquet file ({error})") from None
    if not len(frame):
        raise FormatError(f"{path} has no rows; expected at least one")
    return pd.DataFrame(
        {
            str(column): pd.Series(["" if pd.isna(cell) else str(cell) for cell in frame[column]], dtype=object)
            for column in frame.columns
        }
    )


def column_of(frame: "pd.DataFrame", column: str, name: str, option: str) -> list[str]:
    """Return a column's cells; a missing one is an error with a did-you-mean.

    Raises
    ------
    FormatError
        Naming the table, the option and the closest column.
    """
    known = [str(c) for c in frame.columns]
    if column not in known:
        raise FormatError(
            f"{name}: no column {column!r} ({option}); the columns are {', '.join(known[:20])}"
            f"{', ...' if len(known) > 20 else ''}{did_you_mean(column, known)}"
        )
    return [str(cell) for cell in frame[column]]
