"""Tables as Datasets: sequences or names of files in a column, series in a row, or targets joined to FASTA by id."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.data.dataset import Dataset, Expected, Source, Summary
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named, read_files
from seqcnn.data.sources.files import file_kind, read_files_of
from seqcnn.data.sources.folder import encoder_settings
from seqcnn.data.sources.records import Coder, gather, replaced_notes, told_alphabet, warn_duplicates
from seqcnn.data.sources.targets import MISSING, read_targets
from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.io.opening import sha256_of
from seqcnn.io.table import column_of, read_table
from seqcnn.options import DataOptions
from seqcnn.registry import resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Record

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


def read_table_data(
    path: str, options: DataOptions, *, expected: Expected | None = None, split: str | None = None
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
        Column whose values are train, valid (val, dev) and test; None without.

    Raises
    ------
    FormatError, DataError, AlphabetError, OptionError
        Naming row and column of what cannot be used.
    """
    frame, rows, notes = _kept(read_table(path), options, path)
    encoder, raw_kind, files = _encoder(options, expected)
    cells: list[str] = []
    if files:
        cells = column_of(frame, options.image or "image", path, "--image")
    elif raw_kind == "codes":
        cells = sequence_cells(frame, options.sequence, path)
    ids = _ids(frame, rows, options, path)
    targets = read_targets(
        _target_columns(frame, options, expected, path),
        rows,
        path,
        task=options.task,
        positive=options.positive,
        expected=expected,
    )
    base = Dataset(
        "codes",
        np.zeros((len(rows), 1, 1, 1), np.uint8),
        tuple(ids),
        targets=targets.values,
        task=targets.task,
        labels=targets.labels,
        task_options=task_options(options, targets.task),
        weights=_weights(frame, rows, options, path),
        parts=None if split is None else _parts(column_of(frame, split, path, "--split"), rows, path, split),
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
    summary = Summary((source,), {"rows without target": dropped} if dropped else {}, notes=(*notes, *targets.notes))
    if files:
        paths = [named_path(cells[i], path, rows[i]) for i in kept]
        data = _with_files(base, encoder, paths, path, summary, options, expected)
    elif raw_kind == "samples":
        used = {*targets.labels, *_target_columns(frame, options, expected, path), options.weight, split}
        used |= {options.id or "id", *(clause.partition("=")[0].strip() for clause in options.where)}
        data = _with_values(base, encoder, frame, kept, rows, used, path, summary, options, expected)
    else:
        records = [Record(str(rows[i]), cells[i].encode("latin-1", "replace")) for i in kept]
        data = _with_codes(base, records, path, summary, options, expected)
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


def task_options(options: DataOptions, task: str | None) -> dict[str, object]:
    """Return what the task is to be told beside the targets."""
    return {"period": options.period} if task == "circular" else {}


def _weights(
    frame: "pd.DataFrame", rows: Sequence[int], options: DataOptions, path: str
) -> npt.NDArray[np.float64] | None:
    """Return the weights of the records; None where no column is named."""
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
                f"{path}, row {rows[i]}, column {options.weight!r}: expected a weight of 0 or more, found {cell!r}"
            )
    if not weights.any():
        raise DataError(f"{path}, column {options.weight!r}: every weight is 0; expected some above")
    return weights


def _kept(frame: "pd.DataFrame", options: DataOptions, path: str) -> tuple["pd.DataFrame", list[int], list[str]]:
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


def _ids(frame: "pd.DataFrame", rows: Sequence[int], options: DataOptions, path: str) -> list[str]:
    """Return the ids: a column's (the one called id, unless another is named), else row numbers."""
    if options.id is None and "id" not in frame.columns:
        return [str(row) for row in rows]
    cells = column_of(frame, options.id or "id", path, "--id")
    return [cell or str(row) for cell, row in zip(cells, rows, strict=True)]


def _target_columns(
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


def _parts(cells: Sequence[str], rows: Sequence[int], path: str, column: str) -> npt.NDArray[np.str_]:
    """Return the part that each row belongs to."""
    for row, cell in zip(rows, cells, strict=True):
        if cell.lower() not in _PARTS:
            raise DataError(
                f"{path}, row {row}, column {column!r}: {cell!r} is no part; expected train, valid (val, dev) or test"
            )
    return np.array([_PARTS[cell.lower()] for cell in cells])


def _with_codes(
    base: Dataset,
    records: Sequence[Record],
    path: str,
    summary: Summary,
    options: DataOptions,
    expected: Expected | None,
) -> Dataset:
    """Return `base` with the codes of its records."""
    asked = options.alphabet or (None if expected is None else expected.alphabet)
    alphabet, stream = told_alphabet(records, path, asked=asked, unit="row")
    coder = Coder(alphabet, unknown=options.unknown, unit="row")
    _, sequences = gather(coder.batches(stream, path))
    replaced = coder.replaced
    summary = replace(summary, replaced=replaced, notes=(*summary.notes, *replaced_notes(replaced)))
    return replace(base, raw=sequences, alphabet=alphabet, summary=summary)


def _with_files(
    base: Dataset,
    encoder: str,
    paths: Sequence[Path],
    path: str,
    summary: Summary,
    options: DataOptions,
    expected: Expected | None,
) -> Dataset:
    """Return `base` with the files that a column names."""
    made = resolve("encoder", encoder)
    raw, settings, notes = read_files_of(file_kind(made.files, path), paths, options, expected)
    return replace(
        base,
        kind=made.raw_kind,
        raw=raw,
        encoder=encoder,
        settings=settings | encoder_settings(options, encoder),
        summary=replace(summary, notes=(*summary.notes, *notes)),
    )


def _with_values(
    base: Dataset,
    encoder: str,
    frame: "pd.DataFrame",
    kept: npt.NDArray[np.int64],
    rows: Sequence[int],
    used: Set[str | None],
    path: str,
    summary: Summary,
    options: DataOptions,
    expected: Expected | None,
) -> Dataset:
    """Return `base` with the series that a row's other columns are, in their order, or those of the model."""
    columns = () if expected is None else expected.columns
    columns = columns or tuple(str(column) for column in frame.columns if str(column) not in used)
    if not columns:
        raise DataError(f"{path}: no column is left for the values of a series; found only {', '.join(frame.columns)}")
    made = resolve("encoder", encoder)
    notes = (*summary.notes, f"values of a series: columns {columns[0]} to {columns[-1]}")
    return replace(
        base,
        kind=made.raw_kind,
        raw=row_values(frame.iloc[kept], columns, [rows[i] for i in kept], path),
        encoder=encoder,
        settings=encoder_settings(options, encoder),
        summary=replace(summary, columns=columns, notes=notes),
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


def read_joined(
    files: Sequence[Named], options: DataOptions, *, expected: Expected | None = None, split: str | None = None
) -> Dataset:
    """Return the records of FASTA files with the targets that ``--targets`` gives their ids.

    Records without a row, and rows without a target, are dropped and counted.

    Raises
    ------
    DataError
        If no id is in the table, or the table has an id twice.
    """
    path = str(options.targets)
    frame, rows, notes = _kept(read_table(path), options, path)
    known = {str(column).lower(): str(column) for column in frame.columns}
    key = options.id or next((known[name] for name in ID_COLUMNS if name in known), str(frame.columns[0]))
    keys = column_of(frame, key, path, "--id")
    place: dict[str, int] = {}
    for i, cell in enumerate(keys):
        if cell in place:
            raise DataError(f"{path}, row {rows[i]}, column {key!r}: id {cell!r} occurs twice; keep one row")
        place[cell] = i
    targets = read_targets(
        _target_columns(frame, options, expected, path),
        rows,
        path,
        task=options.task,
        positive=options.positive,
        expected=expected,
    )
    ids, sequences, alphabet, sources, replaced, changed = read_files(files, options, expected)
    notes += changed
    present = set(np.flatnonzero(~np.isnan(targets.values).all(axis=1)).tolist())
    kept = [i for i, identifier in enumerate(ids) if identifier in place and place[identifier] in present]
    absent = sum(identifier not in place for identifier in ids)
    if absent == len(ids):
        raise DataError(
            f"{path}: no record's id is in column {key!r}; the records are called {ids[0]!r}, the column holds "
            f"{keys[0]!r}; name the column with --id"
        )
    if not kept:
        raise DataError(f"{path}: no record has a target; fill the column, or name another --target")
    row = [place[ids[i]] for i in kept]
    unused = len(place) - len({ids[i] for i in range(len(ids)) if ids[i] in place})
    gaps = len(ids) - absent - len(kept)
    dropped = {"records without a row": absent, "records without a target": gaps}
    if gaps:
        notes.append(f"dropped, records without a target: {gaps:,}")
    if absent:
        notes.append(f"dropped, records whose ids are not in {path}: {absent:,}")
    if unused:
        notes.append(f"rows of {path} that belong to no record: {unused:,}")
    parts = None if split is None else _parts(column_of(frame, split, path, "--split"), rows, path, split)[row]
    weights = _weights(frame, rows, options, path)
    return described(
        Dataset(
            "codes",
            sequences.take(kept),
            tuple(ids[i] for i in kept),
            targets=targets.values[row],
            task=targets.task,
            labels=targets.labels,
            alphabet=alphabet,
            task_options=task_options(options, targets.task),
            weights=weights if weights is None else weights[row],
            parts=parts,
            summary=Summary(
                (*sources, Source("targets", path, len(rows), sha256_of(path))),
                {name: number for name, number in dropped.items() if number},
                replaced,
                (*notes, *targets.notes, *replaced_notes(replaced)),
            ),
        )
    )
