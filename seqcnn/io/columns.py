"""A table held as columns, written as TSV, CSV or Parquet by the suffix of its file."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqcnn.errors import MissingExtraError
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import atomic, check_writable


def check_table(path: str | os.PathLike[str]) -> None:
    """Raise `OutputFileError` or `MissingExtraError` where a table cannot be written, before long work.

    >>> check_table("no/such/table.csv")
    Traceback (most recent call last):
    seqcnn.errors.OutputFileError: no/such/table.csv: the folder no/such does not exist; make it first
    """
    check_writable(path)
    if Path(path).suffix.lower() == ".parquet":
        _pyarrow(path)


def write_table(path: str | os.PathLike[str], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns of equal length: Parquet to .parquet, commas to .csv and .csv.gz, else tab-separated.

    Parameters
    ----------
    path
        Where the file is to be; ``-`` is standard output.
    columns
        Name to values; None is a missing one.

    Raises
    ------
    OutputFileError, MissingExtraError
        If the place cannot be written, or pyarrow is absent.

    Examples
    --------
    >>> write_table("-", {"id": ["a", "b"], "score": [0.5, None]})  # doctest: +NORMALIZE_WHITESPACE
    id score
    a  0.5
    b
    """
    name = os.fspath(path).lower()
    if name.endswith(".parquet"):
        pyarrow, parquet = _pyarrow(path)
        table = pyarrow.table({column: list(values) for column, values in columns.items()})
        with atomic(path, "wb") as stream:
            parquet.write_table(table, stream)
        return
    with tsv_rows(os.fspath(path), list(columns), comma=name.endswith((".csv", ".csv.gz"))) as write:
        write(zip(*columns.values(), strict=True))


def _pyarrow(path: str | os.PathLike[str]) -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(f"{path}: Parquet needs pyarrow; install seqcnn[parquet], or write .tsv") from None
    return pyarrow, parquet
