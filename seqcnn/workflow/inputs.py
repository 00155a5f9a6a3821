"""Inputs of scoring: files of any size to chunks of raw records, with the place of each."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from seqcnn.alphabet import Alphabet
from seqcnn.data.dataset import Raw
from seqcnn.data.sources.files import Record
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, OptionError
from seqcnn.interval import Place
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import LONGER, Model
from seqcnn.options import ScoreOptions
from seqcnn.samples import Samples
from seqcnn.sequence import Codes, Sequences
from seqcnn.tiling import Windows, windows
from seqcnn.workflow.read import stream_files_of, stream_records

#: Letters, values or pixels computed at a time: many batches, yet rows appear soon.
CHUNK = 1 << 19


def check_inputs(model: Model, files: Sequence[str], options: ScoreOptions) -> None:
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


class Inputs:
    """Inputs as chunks of raw records: what has been read so far, and the windows of the chunks under way.

    With `in_order` the intervals of a genome are read as they lie on it, not as their file has them.
    """

    def __init__(self, model: Model, options: ScoreOptions, *, in_order: bool = False) -> None:
        self.model, self.options = model, options
        self.window = options.window
        self.step = options.step or max(1, (options.window or 2) // 2)
        self.unknown = options.unknown
        self.regions = Regions.of(options, in_order=in_order)
        self.least = getattr(model.network, "minimum_width", 1)
        self.records = self.rows = self.short = 0
        self.replaced: Counter[str] = Counter()
        self.waiting: deque[Windows] = deque()

    def chunks(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records, of whichever kind the model reads."""
        return self.files(files) if self.model.alphabet is None else self.sequences(files)

    def sequences(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records, or of their windows."""
        alphabet = self.model.alphabet
        if alphabet is None:
            raise OptionError(f"this model reads {KINDS[self.model.kind]}")
        pieces: list[Codes] = []
        cut = Windows()
        letters = 0
        for file in files:
            for name, codes, place in self._records(file, alphabet, self.replaced):
                self.records += 1
                length = len(codes)
                for start in self._starts(name, length, file):
                    end = length if self.window is None else min(length, start + self.window)
                    part = place and place.part(start, end, self.regions.lengths[place.chromosome], length=length)
                    pieces.append(codes[start:end])
                    cut.append(name, start, end, length, place=part)
                    self.short += end - start < self.least
                    letters += end - start
                    if letters >= CHUNK:
                        yield self._send(cut, Sequences.from_codes(pieces))
                        pieces, cut, letters = [], Windows(), 0
        if pieces:
            yield self._send(cut, Sequences.from_codes(pieces))

    def lengths(self, files: Sequence[str]) -> dict[str, int]:
        """Return the chromosomes that the records lie on, and their lengths: the records themselves of FASTA files."""
        if self.regions.genome is not None:
            return self.regions.genome.lengths
        if self.model.alphabet is None or STDIN in files:
            raise OptionError(
                "--format bigwig: the lengths of all records must be known before the first is scored; pass files, or "
                "--format bedgraph"
            )
        found: dict[str, int] = {}
        for file in files:
            if self.regions.holds(file):
                found |= Regions.of(self.options).windows(file).genome.lengths
            else:
                found |= {name: len(codes) for name, codes, _ in self._records(file, self.model.alphabet, None)}
        return found

    def _records(
        self, file: str, alphabet: Alphabet, counts: Counter[str] | None
    ) -> Iterator[tuple[str, Codes, Place | None]]:
        columns = {"sequence": self.options.sequence, "id": self.options.id}
        return stream_records(file, alphabet, self.unknown, counts=counts, regions=self.regions, **columns)

    def files(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of pictures or samples."""
        records: list[Record] = []
        cut = Windows()
        values = 0
        for file in files:
            for name, record in self._files(file):
                length = record.shape[-1]
                if self.model.encoder.columns(torch.tensor([length])) is not None:
                    self._starts(name, length, file)
                self.records += 1
                records.append(record)
                cut.append(name, 0, length, length)
                values += record.size
                if values >= CHUNK:
                    yield self._send(cut, self._joined(records))
                    records, cut, values = [], Windows(), 0
        if records:
            yield self._send(cut, self._joined(records))

    def _files(self, file: str) -> Iterator[tuple[str, Record]]:
        options = self.options
        return stream_files_of(file, self.model, changes=self.replaced, image=options.image, id=options.id)

    def _joined(self, records: list[Record]) -> Raw:
        return np.stack(records) if self.model.kind == "pixels" else Samples.from_arrays(records)

    def _send(self, cut: Windows, raw: Raw) -> Raw:
        self.rows += len(cut)
        self.waiting.append(cut)
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
