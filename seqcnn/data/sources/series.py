"""A table of time series as a Dataset: a label, then values, a line a record."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqcnn.data.dataset import Dataset, Expected, Source, Summary
from seqcnn.data.sources.columns import targets_of, task_options
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named
from seqcnn.data.sources.folder import encoder_settings
from seqcnn.data.sources.targets import MISSING_CLASS, POSITIVE
from seqcnn.errors import DataError, OptionError
from seqcnn.io.opening import sha256_of, shown
from seqcnn.io.series import LabelledSeries, read_series
from seqcnn.options import DataOptions
from seqcnn.registry import resolve
from seqcnn.samples import Samples


def read_series_table(path: str, options: DataOptions, *, expected: Expected | None = None) -> Dataset:
    """Return a table of labelled series as a Dataset; identifiers are row numbers.

    Of two classes whose names don't tell, the last one in alphabetical order is the positive one.

    Raises
    ------
    FormatError
        Naming file and line.
    DataError
        If lines have no label, or the series have another number of variables than the model reads.
    OptionError
        If `options` name an encoder that reads no series.
    """
    encoder = series_encoder(options.input or (None if expected is None else expected.encoder), path)
    rows = list(read_series(path))
    missing = next((row for row in rows if row.label is None), None)
    if missing is not None:
        raise DataError(f"{shown(path)}, line {missing.line}: no label; expected a label, then values")
    check_variables(rows, expected, path)
    cells = [str(row.label) for row in rows]
    told = replace(options, positive=options.positive or _positive(cells, expected, options))
    targets = targets_of({"label": cells}, [row.line for row in rows], shown(path), options=told, expected=expected)
    raw = Samples.from_arrays([row.values for row in rows])
    gaps = int(np.isnan(raw.values).sum())
    notes = [*targets.notes, *([f"missing values, interpolated: {gaps:,}"] if gaps else [])]
    constant = sum(bool((np.nanmax(v, 1) == np.nanmin(v, 1)).all()) for v in raw if not np.isnan(v).all(1).any())
    if constant:
        notes.append(f"series that are constant: {constant:,}")
    return described(
        Dataset(
            "samples",
            raw,
            tuple(str(i) for i in range(1, len(rows) + 1)),
            targets=targets.values,
            task=targets.task,
            labels=targets.labels,
            encoder=encoder,
            settings=encoder_settings(options, encoder),
            task_options=task_options(options, targets.task),
            summary=Summary((Source(Named(path).name, path, len(rows), sha256_of(path)),), notes=tuple(notes)),
        )
    )


def series_encoder(asked: str | None, path: str) -> str:
    """Return the encoder of a table of series: the one asked for, if it reads series, else ``series``."""
    if asked is None:
        return "series"
    encoder = resolve("encoder", asked)
    if encoder.raw_kind != "samples" or encoder.files not in (None, "recording"):
        raise OptionError(f"--input {asked}: {shown(path)} holds series; pass series, gadf, spectrogram, ...")
    return asked


def check_variables(rows: Sequence[LabelledSeries], expected: Expected | None, path: str | Path) -> None:
    """Raise `DataError` if the model reads another number of variables."""
    if expected is not None and expected.shape and rows and len(rows[0].values) != expected.shape[0]:
        raise DataError(
            f"{shown(path)}: series of {len(rows[0].values)} variables; the model reads {expected.shape[0]}"
        )


def _positive(cells: Sequence[str], expected: Expected | None, options: DataOptions) -> str | None:
    """Return the positive one of two classes where their names don't tell."""
    found = sorted({cell for cell in cells if cell.lower() not in MISSING_CLASS})
    if expected is not None or len(found) != 2 or options.task not in (None, "binary"):
        return None
    return None if sum(cell.lower() in POSITIVE for cell in found) == 1 else found[-1]
