"""The reading of DATA: paths and options in, a Dataset or a stream of records out."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Dataset, Expected, Pixels
from seqcnn.data.sources.fasta import Named, read_classes
from seqcnn.data.sources.pictures import read_picture_folder
from seqcnn.data.sources.records import Coder, told_alphabet
from seqcnn.data.sources.table import picture_path, read_joined, read_table_data, sequence_cells
from seqcnn.errors import DataError, InputFileError, OptionError
from seqcnn.io.fasta import looks_like_sequences, read_sequences
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.io.pictures import conform, is_picture, list_pictures, read_picture
from seqcnn.io.table import column_of, is_table, read_table
from seqcnn.options import DataOptions
from seqcnn.sequence import Codes, Record

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
        ``NAME=FILE`` or ``-``; or a table; or a folder of pictures with one subfolder a class.
    options
        How to read them.
    like
        A Model, or the training Dataset, whose task, labels, alphabet and negatives the data must have.
    split
        ``column:NAME`` fills ``parts`` from that column of the table; anything else leaves them None.

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
        raise DataError("no data given; pass FASTA files, a table, or a folder of pictures")
    for file in files:
        if file.path != STDIN and not Path(file.path).exists():
            open_bytes(file.path)  # says that it is missing, and what is there
    expected = None if like is None else _expected(like)
    column = split.removeprefix("column:") if split.startswith("column:") else None
    kinds = {_kind(file.path) for file in files}
    if len(kinds) > 1:
        raise DataError(f"{', '.join(shown(f.path) for f in files)}: {' and '.join(sorted(kinds))} don't go together")
    (kind,) = kinds
    _refuse_options(kind, files, options, expected, column)
    if kind == "folders":
        return read_picture_folder(files[0].path, options, expected=expected)
    if kind == "tables":
        return read_table_data(files[0].path, options, expected=expected, split=column)
    if options.targets is not None:
        return read_joined(files, options, expected=expected, split=column)
    return read_classes(files, options, expected=expected)


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


def _kind(path: str) -> str:
    """Return which kind of input a path is; content decides where a name says table but FASTA is inside."""
    if path != STDIN and Path(path).is_dir():
        return "folders"
    if path != STDIN and is_table(path) and (not Path(path).is_file() or not _is_sequences(path)):
        return "tables"
    if is_picture(path):
        raise DataError(f"{path} is a picture; pass a folder with one subfolder of pictures a class")
    return "sequence files"


def _is_sequences(path: str) -> bool:
    """Return whether a file with a table's suffix holds FASTA."""
    return not path.endswith(".parquet") and looks_like_sequences(path)


def _refuse_options(
    kind: str, files: Sequence[Named], options: DataOptions, expected: Expected | None, column: str | None
) -> None:
    """Raise where options don't suit the kind of input."""
    if options.input not in (None, "codes", "pixels"):
        raise OptionError(f"--input: expected codes or pixels, found {options.input!r}")
    pixels = kind == "folders" or (kind == "tables" and options.image is not None)
    for wanted, who in ((options.input, "--input"), (None if expected is None else expected.kind, "the model")):
        if (wanted == "codes" and pixels) or (wanted == "pixels" and kind == "sequence files"):
            what = "pictures" if pixels else "sequences"
            raise DataError(f"{shown(files[0].path)}: {what}, but {who} says {wanted}; give data of that kind")
    if (
        expected is not None
        and expected.alphabet is not None
        and options.alphabet not in (None, expected.alphabet.name)
    ):
        raise OptionError(f"--alphabet {options.alphabet}: the model reads {expected.alphabet.name}; leave it out")
    if kind != "sequence files" and len(files) > 1:
        raise DataError(f"{len(files)} {kind}: expected one ({files[0].path} is the first); join them beforehand")
    tabular = kind == "tables" or options.targets is not None
    for name in ("sequence", "image", "target", "id", "where"):
        needs_table = name in ("sequence", "image")
        if getattr(options, name) and (kind != "tables" if needs_table else not tabular):
            raise OptionError(f"--{name}: belongs to a table{'' if needs_table else ' or --targets'}; none is given")
    if column is not None and not tabular:
        raise OptionError(f"--split column:{column}: belongs to a table or --targets; none is given")
    if options.targets is not None and kind != "sequence files":
        raise OptionError("--targets: joins a table to FASTA records; the data are no FASTA")
    if pixels and options.alphabet is not None:
        raise OptionError(f"--alphabet {options.alphabet}: belongs to sequences; these are pictures")
    if options.negatives is not None and (kind != "sequence files" or options.targets is not None):
        raise OptionError("--negatives: belongs to one FASTA file of positives")
    if sum(file.path == STDIN for file in files) > 1:
        raise OptionError("-: standard input can be read once only")


def _expected(like: Any) -> Expected:
    """Return what a Model or a Dataset expects."""
    shape = None
    if like.kind == "pixels":
        encoder = getattr(like, "encoder", None)
        shape = like.raw.shape[1:] if encoder is None else (encoder.channels, encoder.height, encoder.width)
    task = like.task if isinstance(like.task, str) else like.task.name
    return Expected(like.kind, task, tuple(like.labels), like.alphabet, like.negatives, shape)


def stream_records(
    path: PathLike,
    alphabet: Alphabet,
    unknown: str = "error",
    *,
    sequence: str | None = None,
    id: str | None = None,
    counts: dict[str, int] | None = None,
) -> Iterator[tuple[str, Codes]]:
    """Yield id and codes of each record of a FASTA, FASTQ or GenBank file, a table, or standard input, as it is read.

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

    Raises
    ------
    AlphabetError, FormatError, InputFileError
        Naming file, record and position.
    """
    text = os.fspath(path)
    name = shown(text)
    if text != STDIN and Path(text).is_dir():
        raise InputFileError(f"{text} is a folder; expected a file of sequences")
    if is_picture(text):
        raise DataError(f"{text} is a picture; the model reads {alphabet.name} sequences")
    _, records = told_alphabet(_letters(text, sequence, id), name, asked=alphabet)
    coder = Coder(alphabet, unknown=unknown)
    for ids, sequences in coder.batches(records, name):
        yield from zip(ids, sequences, strict=True)
    if counts is not None:
        for what, number in coder.replaced.items():
            counts[what] = counts.get(what, 0) + number


def _letters(path: str, sequence: str | None, id: str | None) -> Iterator[Record]:
    """Yield the records of sequence files and tables."""
    if _kind(path) != "tables":
        for name, column in (("sequence", sequence), ("id", id)):
            if column is not None:
                raise OptionError(f"--{name} {column}: belongs to a table; {shown(path)} is none")
        yield from read_sequences(path)
        return
    frame = read_table(path)
    cells = sequence_cells(frame, sequence, path)
    named = id is not None or "id" in frame.columns
    ids = column_of(frame, id or "id", path, "--id") if named else [""] * len(cells)
    for row, (identifier, cell) in enumerate(zip(ids, cells, strict=True), 1):
        yield Record(identifier or str(row), cell.encode("latin-1", "replace"))


def stream_pictures(
    path: PathLike, shape: tuple[int, int, int], *, image: str | None = None, id: str | None = None
) -> Iterator[tuple[str, Pixels]]:
    """Yield id and pixels ``(C, H, W)`` of a picture, of all in a folder, or of a table's image column.

    Each is converted to the model's `shape`. Identifiers are paths in the folder, or as written in the table.

    Raises
    ------
    InputFileError, FormatError
        Naming a picture that is missing, truncated or none.
    """
    text = os.fspath(path)
    if Path(text).is_dir():
        found = False
        for file in list_pictures(text):
            found = True
            yield str(file.relative_to(text)), conform(read_picture(file), shape)
        if not found:
            raise DataError(f"{text} is a folder without pictures; expected some")
    elif is_table(text):
        frame = read_table(text)
        cells = column_of(frame, image or "image", text, "--image")
        ids = cells if id is None else column_of(frame, id, text, "--id")
        for name, cell in zip(ids, cells, strict=True):
            yield name, conform(read_picture(picture_path(cell, text)), shape)
    else:
        yield Path(text).name, conform(read_picture(text), shape)
