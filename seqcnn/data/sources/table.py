"""Tables as Datasets: sequences or names of files in a column, or a series in a row."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, Expected, Source, Summary
from seqcnn.data.sources.columns import (
    divided,
    ids_of,
    kept_rows,
    named_path,
    sequence_cells,
    target_columns,
    targets_of,
    task_options,
    weights_of,
)
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named
from seqcnn.data.sources.files import file_kind, read_files_of
from seqcnn.data.sources.folder import encoder_settings
from seqcnn.data.sources.records import Coder, gather, replaced_notes, told_alphabet, warn_duplicates
from seqcnn.data.sources.targets import MISSING
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Intervals, Place
from seqcnn.io.opening import sha256_of
from seqcnn.io.table import column_of, read_table
from seqcnn.options import DataOptions
from seqcnn.record import Record, together
from seqcnn.registry import resolve
from seqcnn.samples import Samples

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Located:
    """A table whose sequences stand elsewhere, such as the windows of a genome that a BED file names.

    Parameters
    ----------
    frame
        The table, N rows of text.
    records
        The sequence of each row, with its identifier and its place.
    lines
        Line of the file that each row stands on, for messages.
    sources, notes
        What else was read, and sentences on it.
    """

    frame: "pd.DataFrame"
    records: Sequence[Record]
    lines: Sequence[int]
    sources: tuple[Source, ...] = ()
    notes: tuple[str, ...] = ()


def read_table_data(
    path: str,
    options: DataOptions,
    *,
    expected: Expected | None = None,
    split: str = "random",
    located: Located | None = None,
) -> Dataset:
    """Return a table of sequences or picture paths as a Dataset.

    Parameters
    ----------
    path
        The table.
    options
        Which columns hold sequences (or pictures), targets and ids, and which rows are kept.
    expected
        Of a trained model, or None.
    split
        ``column:NAME`` of values train, valid (val, dev) and test, ``group:COLUMN`` of what stays together, or else.
    located
        The table and its sequences, where these stand in no column; None to read the table.

    Raises
    ------
    FormatError, DataError, AlphabetError, OptionError
        Naming row and column of what cannot be used.
    """
    frame, rows, notes = kept_rows(read_table(path) if located is None else located.frame, options, path)
    encoder, raw_kind, files = _encoder(options, expected)
    cells: list[str] = []
    records: list[Record] = []
    if located is not None:
        records = [located.records[row - 1] for row in rows]
        rows = [located.lines[row - 1] for row in rows]
        notes = [*located.notes, *notes]
    elif files:
        cells = column_of(frame, options.image or "image", path, "--image")
    elif raw_kind == "codes":
        cells = sequence_cells(frame, options.sequence, path)
        records = [Record(str(row), cell.encode("latin-1", "replace")) for row, cell in zip(rows, cells, strict=True)]
    unit = "row" if located is None else "line"
    if located is not None and options.id is None:
        ids = [record.id for record in records]
    else:
        ids = ids_of(frame, rows, options, path)
    columns = target_columns(frame, options, expected, path)
    targets = targets_of(columns, rows, path, options=options, expected=expected, unit=unit)
    parts, groups = divided(frame, rows, path, split, unit=unit)
    base = unread(
        ids,
        targets=targets.values,
        task=targets.task,
        labels=targets.labels,
        task_options=task_options(options, targets.task),
        weights=weights_of(frame, rows, options, path, unit=unit),
        parts=parts,
        groups=groups,
        places=None if located is None else Intervals.of(record.place or Place() for record in records),
    )
    kept = np.flatnonzero(~np.isnan(targets.values).all(axis=1))
    base = base.take(kept)
    source = Source(Named(path).name, path, len(kept), sha256_of(path))
    dropped = len(rows) - len(kept)
    gaps = int(np.isnan(targets.values[kept]).sum())
    if dropped:
        notes.append(f"dropped, rows without target: {dropped:,}")
    if gaps:
        notes.append(f"missing targets, masked: {gaps:,}")
    sources = (source, *(() if located is None else located.sources))
    summary = Summary(sources, {"rows without target": dropped} if dropped else {}, notes=(*notes, *targets.notes))
    base = replace(base, summary=summary)
    if files:
        paths = [named_path(cells[i], path, rows[i]) for i in kept]
        data = with_files(base, encoder, paths, path, options=options, expected=expected)
    elif raw_kind == "samples":
        used = {*targets.labels, *columns, options.weight, split.partition(":")[2]}
        used |= {options.id or "id", *(clause.partition("=")[0].strip() for clause in options.where)}
        data = _with_values(base, encoder, frame, kept, rows, used, path, options, expected)
    else:
        unit = "row" if located is None else "record"
        data = with_codes(base, [records[i] for i in kept], path, options=options, expected=expected, unit=unit)
    warn_duplicates(data.ids)
    return described(data)


def _encoder(options: DataOptions, expected: Expected | None) -> tuple[str, str, bool]:
    """Return encoder and raw kind of a table's records, and whether the table names a file for each."""
    asked = options.input or (None if expected is None else expected.encoder)
    if options.image is not None and options.sequence is not None:
        raise OptionError("--image and --sequence: pass one of the two")
    if asked is None:
        asked = "onehot" if options.image is None else "pixels"
    encoder = resolve("encoder", asked)
    if encoder.files is None and options.image is not None:
        raise OptionError(f"--image: belongs to files; {asked} reads the table itself")
    files = encoder.files is not None and (options.image is not None or encoder.files != "recording")
    return asked, encoder.raw_kind, files


def unread(ids: Sequence[str], **known: Any) -> Dataset:
    """Return a Dataset of records that are yet to be read, with whatever else is known of them."""
    return Dataset("codes", np.zeros((len(ids), 1, 1, 1), np.uint8), tuple(ids), **known)


def with_codes(
    base: Dataset,
    records: Sequence[Record],
    path: str,
    *,
    options: DataOptions,
    expected: Expected | None = None,
    unit: str = "row",
) -> Dataset:
    """Return `base` with the codes of its records; `unit` is how errors call one."""
    asked = options.alphabet or (None if expected is None else expected.alphabet)
    alphabet, stream = told_alphabet(together(records), path, asked=asked, unit=unit)
    coder = Coder(alphabet, unknown=options.unknown, unit=unit)
    _, sequences, _ = gather(coder.batches(stream, path))
    replaced = coder.replaced
    summary = replace(base.summary, replaced=replaced, notes=(*base.summary.notes, *replaced_notes(replaced)))
    return replace(base, raw=sequences, alphabet=alphabet, summary=summary)


def with_files(
    base: Dataset,
    encoder: str,
    paths: Sequence[Path],
    path: str,
    *,
    options: DataOptions,
    expected: Expected | None = None,
) -> Dataset:
    """Return `base` with files as its records; `path` is where they are named."""
    made = resolve("encoder", encoder)
    raw, settings, notes = read_files_of(file_kind(made.files, path), paths, options, expected)
    return replace(
        base,
        kind=made.raw_kind,
        raw=raw,
        encoder=encoder,
        settings=settings | encoder_settings(options, encoder),
        files=tuple(map(str, paths)),
        summary=replace(base.summary, notes=(*base.summary.notes, *notes)),
    )


def _with_values(
    base: Dataset,
    encoder: str,
    frame: "pd.DataFrame",
    kept: npt.NDArray[np.int64],
    rows: Sequence[int],
    used: Set[str | None],
    path: str,
    options: DataOptions,
    expected: Expected | None,
) -> Dataset:
    """Return `base` with the series that a row's other columns are, in their order, or those of the model."""
    columns = () if expected is None else expected.columns
    columns = columns or tuple(str(column) for column in frame.columns if str(column) not in used)
    if not columns:
        raise DataError(f"{path}: no column is left for the values of a series; found only {', '.join(frame.columns)}")
    made = resolve("encoder", encoder)
    notes = (*base.summary.notes, f"values of a series: columns {columns[0]} to {columns[-1]}")
    return replace(
        base,
        kind=made.raw_kind,
        raw=row_values(frame.iloc[kept], columns, [rows[i] for i in kept], path),
        encoder=encoder,
        settings=encoder_settings(options, encoder),
        summary=replace(base.summary, columns=columns, notes=notes),
    )


def row_values(frame: "pd.DataFrame", columns: Sequence[str], rows: Sequence[int], path: str) -> Samples:
    """Return the series that the rows of a table hold in `columns`; `rows` are their numbers.

    Raises
    ------
    FormatError, DataError
        Naming a column that the table lacks, or row and column of what is no number.
    """
    values = np.empty((len(frame), len(columns)), np.float32)
    for j, column in enumerate(columns):
        for i, cell in enumerate(column_of(frame, column, path, "values of the series")):
            try:
                value = np.nan if cell.lower() in MISSING else float(cell)
            except ValueError:
                value = np.inf
            if abs(value) > float(np.finfo(np.float32).max):
                raise DataError(
                    f"{path}, row {rows[i]}, column {column!r}: expected a number of the series, found {cell!r}"
                )
            values[i, j] = value
    empty = np.isnan(values).all(1)
    if empty.any():
        raise DataError(f"{path}, row {rows[int(empty.argmax())]}: no value but NaN; delete the row")
    return Samples.from_arrays(list(values))
