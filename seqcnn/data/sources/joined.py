"""FASTA or interval files whose targets stand in a table, joined by id."""

from collections.abc import Sequence

import numpy as np

from seqcnn.data.dataset import Dataset, Expected, Source, Summary
from seqcnn.data.sources.columns import (
    ID_COLUMNS,
    divided,
    kept_rows,
    target_columns,
    targets_of,
    task_options,
    weights_of,
)
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named, read_files
from seqcnn.data.sources.records import replaced_notes
from seqcnn.errors import DataError
from seqcnn.io.opening import sha256_of
from seqcnn.io.table import column_of, read_table
from seqcnn.options import DataOptions


def read_joined(
    files: Sequence[Named], options: DataOptions, *, expected: Expected | None = None, split: str = "random"
) -> Dataset:
    """Return the records of FASTA files with the targets that ``--targets`` gives their ids.

    Records without a row, and rows without a target, are dropped and counted.

    Raises
    ------
    DataError
        If no id is in the table, or the table has an id twice.
    """
    path = str(options.targets)
    frame, rows, notes = kept_rows(read_table(path), options, path)
    known = {str(column).lower(): str(column) for column in frame.columns}
    key = options.id or next((known[name] for name in ID_COLUMNS if name in known), str(frame.columns[0]))
    keys = column_of(frame, key, path, "--id")
    place: dict[str, int] = {}
    for i, cell in enumerate(keys):
        if cell in place:
            raise DataError(f"{path}, row {rows[i]}, column {key!r}: id {cell!r} occurs twice; keep one row")
        place[cell] = i
    columns = target_columns(frame, options, expected, path)
    targets = targets_of(columns, rows, path, options=options, expected=expected)
    found = read_files(files, options, expected)
    ids = found.ids
    notes += found.notes
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
    parts, groups = divided(frame, rows, path, split)
    weights = weights_of(frame, rows, options, path)
    return described(
        Dataset(
            "codes",
            found.sequences.take(kept),
            tuple(ids[i] for i in kept),
            targets=targets.values[row],
            task=targets.task,
            labels=targets.labels,
            alphabet=found.alphabet,
            task_options=task_options(options, targets.task),
            weights=weights if weights is None else weights[row],
            parts=None if parts is None else parts[row],
            groups=None if groups is None else groups[row],
            places=None if found.places is None else found.places.take(kept),
            summary=Summary(
                (*found.sources, Source("targets", path, len(rows), sha256_of(path))),
                {name: number for name, number in dropped.items() if number},
                found.replaced,
                (*notes, *targets.notes, *replaced_notes(found.replaced)),
            ),
        )
    )
