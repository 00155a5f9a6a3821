"""Scoring: inputs of any size to rows of predictions, in constant memory."""

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Raw
from seqcnn.data.sources.files import Record
from seqcnn.errors import DataError, OptionError
from seqcnn.inference.predict import stream_logits
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import check_writable
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import LONGER, Model
from seqcnn.options import ScoreOptions
from seqcnn.samples import Samples
from seqcnn.sequence import Codes, Sequences
from seqcnn.tiling import windows
from seqcnn.workflow.read import stream_files_of, stream_records

#: Letters, values or pixels computed at a time: many batches, yet rows appear soon.
CHUNK = 1 << 19

#: Identifier, start, end and length of the record.
_Place = tuple[str, int, int, int]


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Parameters
    ----------
    records, rows
        Read, and written: a row a record, or a row a window.
    short
        Rows shorter than the network's receptive field, which were padded with zero columns.
    replaced
        What letters were replaced, with their counts.
    """

    records: int
    rows: int
    short: int
    replaced: dict[str, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say so."""
        split = f" in {self.rows:,} windows" if self.rows != self.records else ""
        said = [f"scored {self.records:,} records{split}"]
        if self.short:
            said.append(f"{self.short:,} shorter than the network's receptive field were padded with zeros up to it")
        if self.replaced:
            said.append("letters: " + ", ".join(f"{count:,} {what}" for what, count in self.replaced.items()))
        return tuple(said)


def score(
    model: Model,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: ScoreOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
) -> Scored:
    """Write a row of predictions for each record, or each window of a record, in the order they are read.

    The columns are ``id start end length`` (0-based, half-open; of the record), then ``score`` or one a class or
    target. Rows appear as they are computed; memory does not grow with the input.

    Parameters
    ----------
    model
        Made by `train` or `load`.
    paths
        Sequence files, tables with a sequence column, ``-`` for standard input; pictures or folders of them for a
        model of pictures.
    options
        Windows, kind of output, unknown letters, device.
    output
        A file, which appears whole or not at all, or ``-`` for standard output.

    Raises
    ------
    DataError
        If a record is longer than the model can be trusted with; the message names it and the windows to ask for.
    InputFileError, FormatError, AlphabetError, OutputFileError
        As reading and writing find them.
    """
    options = options or ScoreOptions()
    files = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    _check(model, files, options)
    job = _Job(model, options)
    chunks = job.files(files) if model.alphabet is None else job.sequences(files)
    stream = stream_logits(model.encoder, model.network, chunks, strands=model.strands, device=options.device)
    if os.fspath(output) != STDIN:
        check_writable(output)
    start = list(islice(stream, 1))  # so that input which cannot be read leaves no lone header
    with tsv_rows(os.fspath(output), ["id", "start", "end", "length", *model.task.columns]) as write:
        for logits in chain(start, stream):
            values = model.task.output(model.calibrated(logits), options.output)
            places = job.waiting.popleft()
            write([(*place, *row) for place, row in zip(places, values.tolist(), strict=True)])
    return Scored(job.records, job.rows, job.short, job.replaced)


def _check(model: Model, files: Sequence[str], options: ScoreOptions) -> None:
    """Refuse what can be refused before any work."""
    if not files:
        raise DataError("no input given; pass sequence files, or - for standard input")
    if files.count(STDIN) > 1:
        raise OptionError("-: standard input can be read once only")
    if STDIN in files and model.alphabet is None:
        raise DataError(f"standard input: this model reads {KINDS[model.kind]}; pass files, or folders of them")
    for file in files:
        if file != STDIN and not Path(file).exists():
            open_bytes(file)  # says that it is missing, and what is there
    if options.window is not None:
        if model.alphabet is None:
            raise OptionError(f"--window: this model reads {KINDS[model.kind]}, which are scored whole; leave it out")
        width = model.fixed_width
        if width is not None and options.window > width:
            raise OptionError(f"--window {options.window}: this network reads at most {width} positions; pass {width}")


class _Job:
    """One run: what has been read so far, and the places of the chunks under way."""

    def __init__(self, model: Model, options: ScoreOptions) -> None:
        self.model, self.options = model, options
        self.window = options.window
        self.step = options.step or max(1, (options.window or 2) // 2)
        self.unknown = options.unknown
        self.least = getattr(model.network, "minimum_width", 1)
        self.records = self.rows = self.short = 0
        self.replaced: dict[str, int] = {}
        self.waiting: deque[list[_Place]] = deque()

    def sequences(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records, or of their windows."""
        alphabet = self.model.alphabet
        if alphabet is None:
            raise OptionError(f"this model reads {KINDS[self.model.kind]}")
        pieces: list[Codes] = []
        places: list[_Place] = []
        letters = 0
        for file in files:
            for name, codes in self._records(file, alphabet):
                self.records += 1
                length = len(codes)
                for start in self._starts(name, length, file):
                    end = length if self.window is None else min(length, start + self.window)
                    pieces.append(codes[start:end])
                    places.append((name, start, end, length))
                    self.short += end - start < self.least
                    letters += end - start
                    if letters >= CHUNK:
                        yield self._send(places, Sequences.from_codes(pieces))
                        pieces, places, letters = [], [], 0
        if pieces:
            yield self._send(places, Sequences.from_codes(pieces))

    def _records(self, file: str, alphabet: Alphabet) -> Iterator[tuple[str, Codes]]:
        columns = {"sequence": self.options.sequence, "id": self.options.id}
        return stream_records(file, alphabet, self.unknown, counts=self.replaced, **columns)

    def files(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of pictures or samples."""
        records: list[Record] = []
        places: list[_Place] = []
        values = 0
        for file in files:
            options = self.options
            for name, record in stream_files_of(file, self.model, image=options.image, id=options.id):
                length = record.shape[-1]
                if self.model.encoder.columns(torch.tensor([length])) is not None:
                    self._starts(name, length, file)
                self.records += 1
                records.append(record)
                places.append((name, 0, length, length))
                values += record.size
                if values >= CHUNK:
                    yield self._send(places, self._joined(records))
                    records, places, values = [], [], 0
        if records:
            yield self._send(places, self._joined(records))

    def _joined(self, records: list[Record]) -> Raw:
        return np.stack(records) if self.model.kind == "pixels" else Samples.from_arrays(records)

    def _send(self, places: list[_Place], raw: Raw) -> Raw:
        self.rows += len(places)
        self.waiting.append(places)
        return raw

    def _starts(self, name: str, length: int, file: str) -> Sequence[int]:
        """Return where the windows of a record start; refuse one that is too long to be scored whole."""
        if self.window is not None:
            return [0] if length <= self.window else windows(length, self.window, self.step).tolist()
        longest, width = self.model.longest, self.model.fixed_width
        columns = self.model.encoder.columns(torch.tensor([length]))
        if width is not None and columns is not None and int(columns) > width:
            why = f"this network reads at most {width:,} positions"
        elif longest and length > LONGER * longest:
            why = f"the longest training record was {longest:,}"
        else:
            return [0]
        best = width or longest
        do = f"score it in windows: --window {best} --step {max(1, best // 2)}"
        if self.model.alphabet is None:
            do = "cut it, or train on records as long"
        raise DataError(f"{shown(file)}, record {name}: {length:,} long, but {why}; {do}")
