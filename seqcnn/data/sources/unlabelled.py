"""Records without targets as a Dataset, for those who look at records before their targets are in order."""

from collections.abc import Sequence
from pathlib import Path

from seqcnn.data.dataset import Dataset, Source, Summary
from seqcnn.data.sources.columns import ids_of, kept_rows, named_path, sequence_cells
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named, read_files
from seqcnn.data.sources.files import file_kind
from seqcnn.data.sources.folder import encoder_for
from seqcnn.data.sources.records import replaced_notes
from seqcnn.data.sources.table import unread, with_codes, with_files
from seqcnn.errors import DataError
from seqcnn.io.series import read_series
from seqcnn.io.table import column_of, read_table
from seqcnn.options import DataOptions
from seqcnn.record import Record
from seqcnn.registry import resolve
from seqcnn.samples import Samples


def read_unlabelled(kind: str, files: Sequence[Named], options: DataOptions) -> Dataset:
    """Return the records of an input of one kind, whatever its targets are.

    Parameters
    ----------
    kind
        ``sequence files``, ``tables``, ``series tables`` or ``folders``.
    files
        The input.
    options
        How it is read; what they say of targets is passed over.

    Raises
    ------
    DataError, FormatError, AlphabetError, InputFileError
        If there is no record, or one cannot be read.
    """
    path = files[0].path
    if kind == "folders":
        return described(_folder(path, options))
    if kind == "series tables":
        rows = list(read_series(path))
        raw = Samples.from_arrays([row.values for row in rows])
        ids = tuple(str(i) for i in range(1, len(rows) + 1))
        return described(Dataset("samples", raw, ids, summary=Summary((Source(Named(path).name, path, len(rows)),))))
    if kind == "tables":
        return described(_table(path, options))
    found = read_files(files, options, None)
    summary = Summary(found.sources, replaced=found.replaced, notes=(*found.notes, *replaced_notes(found.replaced)))
    return described(
        Dataset("codes", found.sequences, found.ids, alphabet=found.alphabet, places=found.places, summary=summary)
    )


def _table(path: str, options: DataOptions) -> Dataset:
    frame, rows, notes = kept_rows(read_table(path), options, path)
    summary = Summary((Source(Named(path).name, path, len(rows)),), notes=tuple(notes))
    base = unread(ids_of(frame, rows, options, path), summary=summary)
    if options.image is not None:
        cells = column_of(frame, options.image, path, "--image")
        paths = [named_path(cell, path, row) for cell, row in zip(cells, rows, strict=True)]
        return with_files(base, options.input or "pixels", paths, path, options=options)
    if options.input not in (None, "onehot"):
        raise DataError(f"{path}: which columns hold the values cannot be told without a target; name it with --target")
    cells = sequence_cells(frame, options.sequence, path)
    records = [Record(str(row), cell.encode("latin-1", "replace")) for row, cell in zip(rows, cells, strict=True)]
    return with_codes(base, records, path, options=options)


def _folder(path: str, options: DataOptions) -> Dataset:
    root = Path(path)
    encoder = encoder_for(root, options.input)
    inside = file_kind(resolve("encoder", encoder).files, path).files_in(root)
    if not inside:
        raise DataError(f"{path}: a folder without records; expected one subfolder a class")
    ids = [str(file.relative_to(root)) for file in inside]
    base = unread(ids, summary=Summary((Source(root.name, path, len(inside)),)))
    return with_files(base, encoder, inside, path, options=options)
