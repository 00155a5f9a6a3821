"""Intervals of a genome as a table: targets in their own columns, or the signal of bigWig tracks over their windows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqcnn.data.dataset import Dataset, Expected, Source
from seqcnn.data.sources.fasta import Named
from seqcnn.data.sources.regions import Regions, Windows
from seqcnn.data.sources.table import Located, read_table_data
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import SIGNS
from seqcnn.io.bed import is_bed, read_bed_table
from seqcnn.io.bigwig import Track
from seqcnn.io.opening import sha256_of, shown
from seqcnn.options import DataOptions
from seqcnn.registry import resolve

if TYPE_CHECKING:
    import pandas as pd


def targeted(files: Sequence[Named], options: DataOptions, expected: Expected | None) -> bool:
    """Return whether the targets of files of intervals are to be read by `read_intervals`.

    That is so with ``--signal`` or ``--target``, and where the one BED file has columns called as the targets of a
    trained model are.

    Raises
    ------
    DataError
        If a trained model needs targets and none are named.
    """
    if options.targets is not None:
        return False
    bed = all(is_bed(file.path) for file in files)
    if options.signal or (options.target and bed):
        return True
    if expected is None or not (bed or options.genome or options.feature):
        return False
    if not resolve("task", expected.task).numeric:
        if bed and len(files) == 1 and expected.negatives is None and options.negatives is None:
            raise DataError(
                f"{shown(files[0].path)}: one file for a model of {', '.join(expected.labels)}; pass --target COLUMN "
                "of the BED file, --targets TABLE, or a file a class"
            )
        return False
    if bed and len(files) == 1 and set(expected.labels) <= set(read_bed_table(files[0].path)[1].columns):
        return True
    raise DataError(
        f"{shown(files[0].path)}: the model's task is {expected.task} of {', '.join(expected.labels)}, and no targets "
        "are given; pass --signal TRACK, --target COLUMN of the BED file, or --targets TABLE, as in training"
    )


def read_intervals(
    files: Sequence[Named], options: DataOptions, *, expected: Expected | None = None, split: str = "random"
) -> Dataset:
    """Return the windows of one file of intervals with the targets that its columns or bigWig tracks hold.

    Columns of a BED file are named by a line that begins with ``#chrom``, by the format, or by their numbers from 1;
    ``--weight``, ``--id``, ``--where`` and ``--split`` take them too.

    Raises
    ------
    FormatError, DataError, OptionError
        Naming line and column of what cannot be used.
    """
    path = files[0].path
    if len(files) > 1:
        raise DataError(f"{len(files)} files of intervals with targets: expected one ({path} is the first); join them")
    regions = Regions.of(options)
    regions.refuse([path])
    if not regions.holds(path):
        raise OptionError(f"--signal: belongs to intervals of a genome; {shown(path)} holds none")
    frame: pd.DataFrame | None = None
    wanted = None
    if is_bed(path):
        wanted, frame = read_bed_table(path)
    windows = regions.windows(path, wanted)
    lines = windows.places.lines
    if frame is None or wanted is None or wanted.lines is None or lines is None:
        frame = _bare(windows)
    else:
        frame = frame.iloc[np.searchsorted(wanted.lines, lines)]
    options, split = _by_name(options, frame), _named_split(split, frame)
    sources: list[Source] = []
    notes = regions.notes
    if options.signal:
        options = _with_signal(frame := frame.copy(), windows, options, expected, notes=notes, sources=sources)
    rows = range(1, len(frame) + 1) if lines is None else lines.tolist()
    located = Located(frame, tuple(windows), tuple(rows), tuple(sources), tuple(notes))
    return read_table_data(path, options, expected=expected, split=split, located=located)


def _bare(windows: Windows) -> "pd.DataFrame":
    """Return the little that all intervals have as a table."""
    import pandas as pd

    places = windows.places
    columns = {
        "chrom": list(places.chromosomes),
        "name": list(places.names),
        "strand": [SIGNS[strand] for strand in places.strands.tolist()],
    }
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def _named_column(text: str, frame: "pd.DataFrame") -> str:
    """Return the name of a column that is given by its number, from 1; any other text as it is."""
    if text in frame.columns or not text.isdecimal() or not 1 <= int(text) <= frame.shape[1]:
        return text
    return str(frame.columns[int(text) - 1])


def _by_name(options: DataOptions, frame: "pd.DataFrame") -> DataOptions:
    """Return options whose columns are given by name."""
    clauses = [clause.partition("=") for clause in options.where]
    return replace(
        options,
        target=tuple(_named_column(column, frame) for column in options.target),
        where=tuple(f"{_named_column(column.strip(), frame)}={value}" for column, _, value in clauses),
        weight=None if options.weight is None else _named_column(options.weight, frame),
        id=None if options.id is None else _named_column(options.id, frame),
    )


def _named_split(split: str, frame: "pd.DataFrame") -> str:
    rule, _, column = split.partition(":")
    return f"{rule}:{_named_column(column, frame)}" if rule in ("column", "group") else split


def _with_signal(
    frame: "pd.DataFrame",
    windows: Windows,
    options: DataOptions,
    expected: Expected | None,
    *,
    notes: list[str],
    sources: list[Source],
) -> DataOptions:
    """Add a column for each track to `frame`, and return options that name them as targets."""
    if expected is not None and not resolve("task", expected.task).numeric:
        raise DataError(f"--signal: the model's task is {expected.task}, not regression; leave the option out")
    if expected is not None and len(options.signal) != len(expected.labels):
        raise DataError(
            f"--signal: {len(options.signal)} tracks for a model of {len(expected.labels)} "
            f"({', '.join(expected.labels)}); give as many"
        )
    called = []
    for text in options.signal:
        given, _, path = text.partition("=")
        file = Named(path, given) if path and not Path(text).exists() else Named(text)
        if file.name in frame.columns:
            raise OptionError(f"--signal {text}: there is a column {file.name!r} already; call it NAME={file.path}")
        track = Track(file.path)
        lengths = windows.genome.lengths
        values = track.over(windows.places, options.signal_by, lengths)
        empty = np.isnan(values)
        if empty.all():
            raise DataError(f"{file.path}: no value in any window; is this track of another genome?")
        other = next(((a, b) for a, b in track.called(windows.places, lengths).items() if a != b), None)
        if other is not None:
            notes.append(f"chromosomes called otherwise in {file.path}: {other[0]} is read as {other[1]}")
        notes.append(f"target {file.name!r}: {options.signal_by} of {file.path} over each window")
        if empty.any():
            notes.append(f"windows in which {file.path} has no value, taken as 0: {int(empty.sum()):,}")
        frame[file.name] = [repr(value) for value in np.where(empty, 0.0, values).tolist()]
        sources.append(Source("signal", file.path, int((~empty).sum()), sha256_of(file.path)))
        called.append(file.name)
    task = options.task or ("regression" if expected is None else None)
    return replace(options, signal=(), target=tuple(called), task=task)
