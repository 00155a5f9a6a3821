"""Explaining: what the letters of records do for their predictions."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from seqcnn.checks import one_of
from seqcnn.errors import OptionError
from seqcnn.inference.effects import effect_columns
from seqcnn.inference.local import locals_of
from seqcnn.inference.mutagenesis import why_plain
from seqcnn.io.effects import EFFECT_WRITERS, Effects, effects_format
from seqcnn.io.opening import STDIN
from seqcnn.io.writing import check_writable
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import Model
from seqcnn.options import ExplainOptions, ScoreOptions
from seqcnn.sequence import Sequences
from seqcnn.workflow.inputs import Inputs, check_inputs

#: Letters of all mutants of the records that are computed together, where each is computed in full.
_LETTERS = 1 << 26


@dataclass(frozen=True)
class Explained:
    """What was explained.

    Parameters
    ----------
    records, letters
        Read, and how long they are together.
    column
        Class or target that was explained.
    notes
        Sentences that say so, and how.
    """

    records: int
    letters: int
    column: str
    notes: tuple[str, ...]


def explain(
    model: Model,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: ExplainOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
) -> Explained:
    """Write what each letter of each record would do if it were another, in the order they are read.

    The change is that of the calibrated logit, or of a number in its own units. A table has a row a letter: ``id start
    letter``, a column for each letter of the alphabet, and ``importance``: how much higher the output is than with the
    other letters on average. ``.npz`` holds the changes as one array ``(N, A, L)``, and stays in memory until the end;
    ``.bedgraph`` the importance alone, on the genome where records are intervals of one.

    Parameters
    ----------
    model
        Of sequences.
    paths
        Sequence files, tables with a sequence column, intervals with ``options.genome``, ``-`` for standard input.
    options
        Method, class or target, unknown letters, device.
    output
        A file, which appears whole or not at all, or ``-`` for a table on standard output.

    Raises
    ------
    OptionError
        If the model reads something else than sequences, or has no such class or target.
    DataError
        If a record is longer than the model can be trusted with.
    InputFileError, FormatError, AlphabetError, OutputFileError
        As reading and writing find them.

    References
    ----------
    Zhou, Troyanskaya. Nature Methods 12:931 (2015). doi:10.1038/nmeth.3547
    """
    options = options or ExplainOptions()
    alphabet = model.alphabet
    if alphabet is None:
        raise OptionError(f"explain: belongs to sequences; this model reads {KINDS[model.kind]}")
    files = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    reading = _reading(options)
    check_inputs(model, files, reading)
    place = os.fspath(output)
    kind = effects_format(place, options.format)
    columns = effect_columns(model.task, "probability" if model.task.numeric else "logit")
    column = columns[0] if options.column is None else one_of(options.column, columns, "--column")
    if place != STDIN:
        check_writable(place)
    job = Inputs(model, reading, in_order=kind == "bedgraph", whole=True)
    placed = job.regions.genome is not None or all(job.regions.holds(file) for file in files)
    parts, plain = locals_of(model.encoder, model.network), dict[str, int]()
    least, letters = getattr(model.network, "minimum_width", 1), 0
    chunks = job.sequences(files)
    start = list(islice(chunks, 1))  # so that input which cannot be read leaves no lone header
    with EFFECT_WRITERS[kind](place, alphabet, placed=placed) as write:
        for raw in chain(start, chunks):
            if not isinstance(raw, Sequences):
                raise TypeError("sequences come as codes")
            cut = job.waiting.popleft()
            for rows in _groups(raw.lengths, alphabet.size):
                changes = model.mutagenesis(raw.take(rows), output=columns.index(column), device=options.device)
                for row, found in zip(rows.tolist(), changes, strict=True):
                    codes = raw[row]
                    write(Effects(cut.ids.at(row), codes, found[:, : len(codes)], cut.place(row)))
                    letters += len(codes)
                    why = why_plain(parts, len(codes), least)
                    if why is not None:
                        plain[why] = plain.get(why, 0) + 1
    what = f"mutagenesis of {letters:,} letters (records: {job.records:,})"
    unit = "number" if model.task.numeric else "logit"
    said = [f"{what}: change of the {unit}{f' of {column}' if len(columns) > 1 else ''}"]
    said += [f"each mutant was computed in full: {why} (records: {count:,})" for why, count in plain.items()]
    if job.replaced:
        said.append("changed: " + ", ".join(f"{count:,} {what}" for what, count in job.replaced.items()))
    return Explained(job.records, letters, column, (*said, *job.notes))


def _reading(options: ExplainOptions) -> ScoreOptions:
    """Return how inputs are read, as for scoring."""
    shared = {field.name for field in fields(ExplainOptions)} & {field.name for field in fields(ScoreOptions)}
    return ScoreOptions(**{name: getattr(options, name) for name in shared - {"format", "column"}})


def _groups(lengths: npt.NDArray[np.int64], size: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield rows whose mutants are computed together."""
    total = np.cumsum(size * lengths.astype(np.float64) ** 2)
    group = np.floor((total - size * lengths.astype(np.float64) ** 2) / _LETTERS)
    yield from np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(group)) + 1)
