"""Records without targets as a Dataset, for those who look at records before their targets are in order."""

from collections.abc import Sequence
from pathlib import Path

from seqcnn.data.dataset import Dataset, Source, Summary
from seqcnn.data.sources.columns import ids_of, kept_rows, named_path, sequence_cells
from seqcnn.data.sources.described import described
from seqcnn.data.sources.fasta import Named, read_files
from seqcnn.data.sources.files import file_kind, read_files_of
from seqcnn.data.sources.folder import encoder_for
from seqcnn.data.sources.records import Coder, gather, replaced_notes, told_alphabet
from seqcnn.errors import DataError
from seqcnn.io.series import read_series
from seqcnn.io.table import column_of, read_table
from seqcnn.options import DataOptions
from seqcnn.registry import resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Record


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
    ids = tuple(ids_of(frame, rows, options, path))
    source = (Source(Named(path).name, path, len(rows)),)
    if options.image is not None:
        cells = column_of(frame, options.image, path, "--image")
        paths = [named_path(cell, path, row) for cell, row in zip(cells, rows, strict=True)]
        return _files(options.input or "pixels", paths, ids, options, Summary(source, notes=tuple(notes)))
    if options.input not in (None, "onehot"):
        raise DataError(f"{path}: which columns hold the values cannot be told without a target; name it with --target")
    cells = sequence_cells(frame, options.sequence, path)
    records = [Record(str(row), cell.encode("latin-1", "replace")) for row, cell in zip(rows, cells, strict=True)]
    alphabet, stream = told_alphabet(records, path, asked=options.alphabet, unit="row")
    coder = Coder(alphabet, unknown=options.unknown, unit="row")
    _, sequences = gather(coder.batches(stream, path))
    told = (*notes, *replaced_notes(coder.replaced))
    return Dataset("codes", sequences, ids, alphabet=alphabet, summary=Summary(source, {}, coder.replaced, told))


def _folder(path: str, options: DataOptions) -> Dataset:
    root = Path(path)
    encoder = encoder_for(root, options.input)
    inside = file_kind(resolve("encoder", encoder).files, path).files_in(root)
    if not inside:
        raise DataError(f"{path}: a folder without records; expected one subfolder a class")
    ids = tuple(str(file.relative_to(root)) for file in inside)
    return _files(encoder, inside, ids, options, Summary((Source(root.name, path, len(inside)),)))


def _files(
    encoder: str, paths: Sequence[Path], ids: tuple[str, ...], options: DataOptions, summary: Summary
) -> Dataset:
    made = resolve("encoder", encoder)
    raw, settings, notes = read_files_of(file_kind(made.files, str(paths[0])), paths, options, None)
    return Dataset(
        made.raw_kind,
        raw,
        ids,
        encoder=encoder,
        settings=settings,
        files=tuple(map(str, paths)),
        summary=Summary(summary.sources, notes=(*summary.notes, *notes)),
    )
