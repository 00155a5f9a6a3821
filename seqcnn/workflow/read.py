"""The reading of DATA: paths and options in, a Dataset or a stream of records out."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Dataset, Expected
from seqcnn.data.sources.columns import named_path, sequence_cells
from seqcnn.data.sources.fasta import Named, read_classes, refuse_making
from seqcnn.data.sources.files import FILE_KINDS, form_of, stream_files
from seqcnn.data.sources.files import Record as FileRecord
from seqcnn.data.sources.folder import read_folder
from seqcnn.data.sources.intervals import read_intervals, targeted
from seqcnn.data.sources.joined import read_joined
from seqcnn.data.sources.records import Batch, Coder, told_alphabet
from seqcnn.data.sources.regions import Regions
from seqcnn.data.sources.series import check_variables, read_series_table
from seqcnn.data.sources.table import read_table_data, row_values
from seqcnn.errors import DataError, InputFileError, OptionError
from seqcnn.io.fasta import looks_like_sequences
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.io.pictures import is_picture
from seqcnn.io.recordings import is_recording
from seqcnn.io.series import is_series_table, read_series
from seqcnn.io.table import column_of, is_table, read_table
from seqcnn.model.inputs import KINDS
from seqcnn.options import DataOptions
from seqcnn.record import LETTERS, Letters, Record, together
from seqcnn.registry import resolve

PathLike = str | os.PathLike[str]


def read(
    paths: PathLike | Sequence[PathLike],
    options: DataOptions | None = None,
    *,
    like: Any = None,
    split: str = "random",
) -> Dataset:
    r"""Return DATA as a Dataset; what was inferred stands in ``summary.notes``.

    Parameters
    ----------
    paths
        One FASTA, FASTQ or GenBank file of positives, two of positives and negatives, or one a class, each perhaps
        ``NAME=FILE`` or ``-``; with ``options.genome`` BED or GFF files likewise, and with ``options.feature`` the
        features of GenBank and EMBL files; or one file of intervals whose targets are its columns or tracks; or a
        table; or a table of series (label, then values); or a folder of pictures or recordings with one subfolder a
        class.
    options
        How to read them.
    like
        A Model, or the training Dataset, whose task, labels, alphabet and negatives the data must have.
    split
        ``column:NAME`` fills ``parts`` from that column of the table, ``group:COLUMN`` fills ``groups``.

    Raises
    ------
    InputFileError, FormatError, AlphabetError, DataError, OptionError
        In one line: what, where (file, line, record, column), expected, found, what to do.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "peaks.fa"
    >>> _ = path.write_text(">a\nACGTTGCATTACG\n>b\nGGATCCATTGACAG\n")
    >>> data = read(path)
    >>> data.labels, data.targets.ravel().tolist()
    (('shuffled', 'peaks'), [1.0, 1.0, 0.0, 0.0])
    >>> data.summary.notes[0]
    'read 4 dna records of length 13 to 14; binary: peaks 2 (positive), shuffled 2'
    """
    options = DataOptions() if options is None else options
    files = [named(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    if not files:
        raise DataError("no data given; pass FASTA files, a table, or a folder of pictures or recordings")
    for file in files:
        if file.path != STDIN and not Path(file.path).exists():
            open_bytes(file.path)  # says that it is missing, and what is there
    expected = None if like is None else _expected(like)
    kinds = {kind_of(file.path) for file in files}
    if len(kinds) > 1:
        raise DataError(f"{', '.join(shown(f.path) for f in files)}: {' and '.join(sorted(kinds))} don't go together")
    (kind,) = kinds
    if kind == "sequence files" and targeted(files, options, expected):
        kind = "intervals"
    _refuse_options(kind, files, options, expected, split)
    if kind == "folders":
        data = read_folder(files[0].path, options, expected=expected)
    elif kind == "series tables":
        data = read_series_table(files[0].path, options, expected=expected)
    elif kind == "tables":
        data = read_table_data(files[0].path, options, expected=expected, split=split)
    elif kind == "intervals":
        data = read_intervals(files, options, expected=expected, split=split)
    elif options.targets is not None:
        data = read_joined(files, options, expected=expected, split=split)
    else:
        data = read_classes(files, options, expected=expected)
    _refuse_useless(options, data)
    return data


def named(path: PathLike) -> Named:
    """Return ``NAME=FILE`` or a bare path as a named file; a file that exists is never cut at its ``=``.

    >>> named("ctcf=a.fa"), named("a.fa").given
    (Named(path='a.fa', given='ctcf'), None)
    """
    text = os.fspath(path)
    name, equals, rest = text.partition("=")
    if equals and name and rest and "/" not in name and not Path(text).exists():
        return Named(rest, name)
    return Named(text)


def kind_of(path: str) -> str:
    """Return which kind of input a path is; content decides where a name says table but FASTA is inside."""
    if path != STDIN and Path(path).is_dir():
        return "folders"
    if path != STDIN and is_series_table(path):
        return "series tables"
    if path != STDIN and is_table(path) and (not Path(path).is_file() or not _is_sequences(path)):
        return "tables"
    for name, kind in FILE_KINDS.items():
        if name in ("picture", "recording") and kind.holds(Path(path)):
            raise DataError(f"{path} is a {name}; pass a folder with one subfolder of {kind.plural} a class")
    return "sequence files"


def _is_sequences(path: str) -> bool:
    """Return whether a file with a table's suffix holds FASTA."""
    return not path.endswith(".parquet") and looks_like_sequences(path)


def _refuse_options(
    kind: str, files: Sequence[Named], options: DataOptions, expected: Expected | None, split: str
) -> None:
    """Raise where options don't suit the kind of input."""
    asked = options.input or (None if expected is None else expected.encoder)
    encoder = None if asked is None else resolve("encoder", asked)
    if expected is not None and options.input not in (None, expected.encoder):
        raise OptionError(f"--input {options.input}: the model reads {expected.encoder}; leave it out")
    who = f"--input {asked}" if options.input else "the model"
    found = _found(kind, options)
    if encoder is not None and found is not None and encoder.raw_kind not in found:
        raise DataError(
            f"{shown(files[0].path)}: {KINDS[found[0]]}, but {who} reads {KINDS[encoder.raw_kind]}; "
            "give data of that kind"
        )
    if (
        expected is not None
        and expected.alphabet is not None
        and options.alphabet not in (None, expected.alphabet.name)
    ):
        raise OptionError(f"--alphabet {options.alphabet}: the model reads {expected.alphabet.name}; leave it out")
    if kind not in ("sequence files", "intervals") and len(files) > 1:
        raise DataError(f"{len(files)} {kind}: expected one ({files[0].path} is the first); join them beforehand")
    tabular = kind in ("tables", "intervals") or options.targets is not None
    for name in ("sequence", "image", "target", "id", "where", "weight"):
        needs_table = name in ("sequence", "image")
        if getattr(options, name) and (kind != "tables" if needs_table else not tabular):
            what = "a table" if needs_table else "a table, --targets, or a BED file with --target or --signal"
            raise OptionError(f"--{name}: belongs to {what}; none is given")
    if split.startswith(("column:", "group:")) and not tabular:
        raise OptionError(
            f"--split {split}: belongs to a table, --targets, or a BED file with --target or --signal; none is given"
        )
    if options.signal and kind != "intervals":
        raise OptionError(f"--signal: belongs to intervals of a genome; {shown(files[0].path)} holds none")
    if options.signal_by != DataOptions().signal_by and not options.signal:
        raise OptionError(f"--signal-by {options.signal_by}: belongs to --signal; none is given")
    if options.genome is not None and kind not in ("sequence files", "intervals"):
        raise OptionError(f"--genome: belongs to intervals; {shown(files[0].path)} holds none")
    if options.targets is not None and kind != "sequence files":
        raise OptionError("--targets: joins a table to FASTA records; the data are no FASTA")
    if options.alphabet is not None and (kind in ("folders", "series tables") or options.image is not None):
        raise OptionError(f"--alphabet {options.alphabet}: belongs to sequences; these are none")
    if options.negatives is not None and (kind != "sequence files" or options.targets is not None):
        raise OptionError("--negatives: belongs to one FASTA file of positives")
    if kind != "sequence files" or options.targets is not None:
        refuse_making(options)
    if sum(file.path == STDIN for file in files) > 1:
        raise OptionError("-: standard input can be read once only")


def _refuse_useless(options: DataOptions, data: Dataset) -> None:
    """Raise where an option had nothing to do."""
    if data.task != "circular" and options.period != DataOptions().period:
        raise OptionError(f"--period {options.period:g}: belongs to --task circular; the task is {data.task}")
    if data.kind != "pixels" and options.fit != DataOptions().fit:
        raise OptionError(f"--fit {options.fit}: belongs to pictures; these records are {KINDS[data.kind]}")


def _found(kind: str, options: DataOptions) -> tuple[str, ...] | None:
    """Return the raw kinds that an input of this kind may hold, the likeliest first; None for any."""
    if kind == "tables":
        return ("pixels", "samples") if options.image is not None else None
    return {
        "folders": ("pixels", "samples"),
        "series tables": ("samples",),
        "sequence files": ("codes",),
        "intervals": ("codes",),
    }[kind]


def _expected(like: Any) -> Expected:
    """Return what a Model or a Dataset expects."""
    task = like.task if isinstance(like.task, str) else like.task.name
    if isinstance(like, Dataset):
        name, settings, longest = like.encoder, like.settings, int(like.lengths.max(initial=0))
        shape = like.raw.shape[1:] if isinstance(like.raw, np.ndarray) else (getattr(like.raw, "variables", 0),)
        columns, made, taken = like.summary.columns, like.summary.made, like.places
    else:
        name, settings, longest = like.encoder.name, like.encoder.settings(), like.longest
        shape = like.encoder.raw_shape
        columns, made, taken = like.columns, like.made, None
    return Expected(
        like.kind, task, tuple(like.labels), like.alphabet, like.negatives, name, settings, tuple(shape), longest,
        tuple(columns), made, taken,
    )  # fmt: skip


def stream_sequences(
    path: PathLike,
    alphabet: Alphabet,
    unknown: str = "error",
    *,
    sequence: str | None = None,
    id: str | None = None,
    counts: dict[str, int] | None = None,
    regions: Regions | None = None,
    size: int = LETTERS,
) -> Iterator[Batch]:
    """Yield ids, codes and places of the records of a FASTA, FASTQ, GenBank or BED file, a table, or standard input.

    They come in order, about `size` letters at a time.

    Parameters
    ----------
    path
        The input; ``-`` is standard input.
    alphabet
        The alphabet of the model.
    unknown
        ``error``, or ``mask`` to read unknown letters as N or X.
    sequence, id
        Columns of a table.
    counts
        Where to add what was replaced, with its count, when the input ends.
    regions
        How a BED file is read.
    size
        Letters.

    Raises
    ------
    AlphabetError, FormatError, InputFileError
        Naming file, record and position.
    """
    text = os.fspath(path)
    name = shown(text)
    if text != STDIN and Path(text).is_dir():
        raise InputFileError(f"{text} is a folder; expected a file of sequences")
    if is_picture(text) or is_recording(text):
        what = "picture" if is_picture(text) else "recording"
        raise DataError(f"{text} is a {what}; the model reads {alphabet.name} sequences")
    _, records = told_alphabet(_letters(text, sequence, id, regions or Regions()), name, asked=alphabet)
    coder = Coder(alphabet, unknown=unknown)
    yield from coder.batches(records, name, size=size)
    if counts is not None:
        for what, number in coder.replaced.items():
            counts[what] = counts.get(what, 0) + number


def _letters(path: str, sequence: str | None, id: str | None, regions: Regions) -> Iterator[Letters]:
    """Yield the records of sequence files and tables, many at a time."""
    if kind_of(path) != "tables":
        for name, column in (("sequence", sequence), ("id", id)):
            if column is not None:
                raise OptionError(f"--{name} {column}: belongs to a table; {shown(path)} is none")
        regions.refuse([path])
        yield from regions.letters(path)
        return
    frame = read_table(path)
    cells = sequence_cells(frame, sequence, path)
    named = id is not None or "id" in frame.columns
    ids = column_of(frame, id or "id", path, "--id") if named else [""] * len(cells)
    yield from together(
        Record(identifier or str(row), cell.encode("latin-1", "replace"))
        for row, (identifier, cell) in enumerate(zip(ids, cells, strict=True), 1)
    )


def stream_files_of(
    path: PathLike, like: Any, *, changes: Counter[str], image: str | None = None, id: str | None = None
) -> Iterator[tuple[str, FileRecord]]:
    """Yield id and record of a file, of all in a folder, of a table's column of file names, or of a table of series.

    Each is brought to the form that the model reads. Identifiers are paths in the folder, as written in the table, or
    row numbers.

    Parameters
    ----------
    path
        The input.
    like
        A Model of pictures or samples.
    changes
        Where to count what was converted, and how.
    image, id
        Columns of a table.

    Raises
    ------
    InputFileError, FormatError, DataError
        Naming a file that is missing, truncated or of another kind.
    """
    text = os.fspath(path)
    expected = _expected(like)
    files = type(like.encoder).files
    if Path(text).is_dir():
        yield from stream_files(form_of(files, expected, text), Path(text), changes)
    elif like.kind == "samples" and image is None and files == "recording" and is_series_table(text):
        yield from _stream_series(text, expected)
    elif is_table(text) and image is None and expected.columns:
        yield from _stream_values(text, expected, id)
    elif is_table(text) and (image is not None or files not in ("trajectory", "file")):
        frame = read_table(text)
        cells = column_of(frame, image or "image", text, "--image")
        ids = cells if id is None else column_of(frame, id, text, "--id")
        form = form_of(files, expected, text)
        for row, (name, cell) in enumerate(zip(ids, cells, strict=True), 1):
            yield name, form.one(named_path(cell, text, row), changes)
    else:
        form = form_of(files, expected, text)
        if not form.holds(Path(text)) and Path(text).is_file():
            raise DataError(f"{text}: expected a {form.name}, a folder of {form.plural}, or a table that names them")
        yield Path(text).name, form.one(Path(text), changes)


def _stream_values(path: str, expected: Expected, id: str | None) -> Iterator[tuple[str, FileRecord]]:
    """Yield id and series of each row of a table that holds values in the columns of the model."""
    frame = read_table(path)
    numbers = range(1, len(frame) + 1)
    named = id is not None or "id" in frame.columns
    ids = column_of(frame, id or "id", path, "--id") if named else [""] * len(frame)
    series = row_values(frame, expected.columns, numbers, path)
    yield from zip([cell or str(row) for cell, row in zip(ids, numbers, strict=True)], series, strict=True)


def _stream_series(path: str, expected: Expected) -> Iterator[tuple[str, FileRecord]]:
    """Yield row number and values of each series of a table, with or without labels."""
    for i, series in enumerate(read_series(path, length=expected.longest), 1):
        check_variables([series], expected, path)
        yield str(i), series.values
