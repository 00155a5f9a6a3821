"""Columns of a table by their roles: targets, identifiers, weights, parts, groups, sequences, names of files."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Expected
from seqcnn.data.sources.targets import Targets, read_targets
from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.io.table import column_of
from seqcnn.options import DataOptions

if TYPE_CHECKING:
    import pandas as pd

#: Column names that are taken where no option names one, in this order.
SEQUENCE_COLUMNS = ("sequence", "seq")
TARGET_COLUMNS = ("target", "label", "class", "y")
ID_COLUMNS = ("id", "name")

_PARTS = {
    "train": "train", "training": "train",
    "valid": "valid", "val": "valid", "validation": "valid", "dev": "valid",
    "test": "test", "testing": "test",
}  # fmt: skip


def task_options(options: DataOptions, task: str | None) -> dict[str, object]:
    """Return what the task is to be told beside the targets."""
    return {"period": options.period} if task == "circular" else {}


def weights_of(
    frame: "pd.DataFrame", rows: Sequence[int], options: DataOptions, path: str, *, unit: str = "row"
) -> npt.NDArray[np.float64] | None:
    """Return the weights of the records; None where no column is named. `unit` is how errors call a row."""
    if options.weight is None:
        return None
    weights = np.empty(len(rows))
    for i, cell in enumerate(column_of(frame, options.weight, path, "--weight")):
        try:
            weights[i] = float(cell)
        except ValueError:
            weights[i] = np.nan
        if not (np.isfinite(weights[i]) and weights[i] >= 0):
            raise DataError(
                f"{path}, {unit} {rows[i]}, column {options.weight!r}: expected a weight of 0 or more, found {cell!r}"
            )
    if not weights.any():
        raise DataError(f"{path}, column {options.weight!r}: every weight is 0; expected some above")
    return weights


def kept_rows(frame: "pd.DataFrame", options: DataOptions, path: str) -> tuple["pd.DataFrame", list[int], list[str]]:
    """Return the rows that every ``--where`` keeps, their numbers from 1, and notes."""
    keep = np.ones(len(frame), bool)
    for clause in options.where:
        column, _, value = clause.partition("=")
        cells = column_of(frame, column.strip(), path, "--where")
        hit = np.array([cell == value.strip() for cell in cells])
        if not hit.any():
            values = [v for v, _ in Counter(cells).most_common(10)]
            raise DataError(f"{path}: no row with --where {clause}; the column holds {', '.join(map(repr, values))}")
        keep &= hit
    if not keep.any():
        raise DataError(f"{path}: no row satisfies all of --where {' '.join(options.where)}")
    index = np.flatnonzero(keep)
    notes = [f"{len(index):,} of {len(frame):,} rows kept by --where"] if len(index) < len(frame) else []
    return frame.iloc[index], [int(i) + 1 for i in index], notes


def ids_of(frame: "pd.DataFrame", rows: Sequence[int], options: DataOptions, path: str) -> list[str]:
    """Return the ids: a column's (the one called id, unless another is named), else row numbers."""
    if options.id is None and "id" not in frame.columns:
        return [str(row) for row in rows]
    cells = column_of(frame, options.id or "id", path, "--id")
    return [cell or str(row) for cell, row in zip(cells, rows, strict=True)]


def target_columns(
    frame: "pd.DataFrame", options: DataOptions, expected: Expected | None, path: str
) -> dict[str, list[str]]:
    """Return the target columns' cells: those named, those of the model, or the one that is called so."""
    names: Sequence[str] = options.target
    known = {str(column).lower(): str(column) for column in frame.columns}
    if not names and expected is not None and all(label in frame.columns for label in expected.labels):
        names = expected.labels
    if not names:
        names = [known[name] for name in TARGET_COLUMNS if name in known][:1]
    if not names:
        raise DataError(
            f"{path}: which column is the target? name it with --target; the columns are {', '.join(known.values())}"
        )
    if len(set(names)) < len(names):
        raise OptionError(f"--target: {', '.join(names)} names a column twice")
    return {name: column_of(frame, name, path, "--target") for name in names}


def targets_of(
    columns: dict[str, list[str]],
    rows: Sequence[int],
    path: str,
    *,
    options: DataOptions,
    expected: Expected | None,
    unit: str = "row",
) -> Targets:
    """Return the targets that the cells of `target_columns` hold; `unit` is how errors call a row."""
    return read_targets(columns, rows, path, task=options.task, positive=options.positive, expected=expected, unit=unit)


def sequence_cells(frame: "pd.DataFrame", column: str | None, path: str) -> list[str]:
    """Return the sequences of a table, without blanks and line ends: of the named column, or of sequence or seq."""
    if column is None:
        known = {str(name).lower(): str(name) for name in frame.columns}
        column = next((known[name] for name in SEQUENCE_COLUMNS if name in known), None)
        if column is None:
            raise FormatError(
                f"{path}: no column 'sequence' or 'seq'; name it with --sequence (or pictures with --image); "
                f"the columns are {', '.join(known.values())}"
            )
    return ["".join(cell.split()) for cell in column_of(frame, column, path, "--sequence")]


def named_path(cell: str, table: str, row: int) -> Path:
    """Return the place of a file that a row of a table names: beside the table, else as written."""
    if not cell:
        raise DataError(f"{table}, row {row}: expected the name of a file, found an empty cell; fill or delete the row")
    beside = Path(table).parent / cell
    if not beside.exists() and not Path(cell).exists():
        raise InputFileError(f"{table}, row {row}: {cell}: no such file, neither beside the table nor from here")
    return beside if beside.exists() else Path(cell)


def divided(
    frame: "pd.DataFrame", rows: Sequence[int], path: str, split: str, *, unit: str = "row"
) -> tuple[npt.NDArray[np.str_] | None, npt.NDArray[np.int64] | None]:
    """Return the part of each row that ``column:NAME`` says, and the group that ``group:COLUMN`` says; None without.

    Rows of one value are a group; an empty cell is a group of its own.
    """
    rule, _, column = split.partition(":")
    if rule not in ("column", "group"):
        return None, None
    cells = column_of(frame, column, path, "--split")
    if rule == "group":
        numbers = np.unique(cells, return_inverse=True)[1].astype(np.int64)
        return None, np.where(np.array(cells) == "", -1, numbers)
    for row, cell in zip(rows, cells, strict=True):
        if cell.lower() not in _PARTS:
            raise DataError(
                f"{path}, {unit} {row}, column {column!r}: {cell!r} is no part; expected train, valid (val, dev) or "
                "test"
            )
    return np.array([_PARTS[cell.lower()] for cell in cells]), None
