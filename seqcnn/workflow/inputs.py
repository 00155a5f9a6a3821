"""Inputs of scoring: files of any size to chunks of raw records, with the place of each."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.data.dataset import Raw
from seqcnn.data.sources.files import Record
from seqcnn.data.sources.records import Batch, gather
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, OptionError
from seqcnn.inference.dense import why_apart
from seqcnn.inference.local import locals_of
from seqcnn.interval import Place
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import LONGER, Model
from seqcnn.options import ScoreOptions
from seqcnn.samples import Samples
from seqcnn.sequence import Codes, Sequences
from seqcnn.tiling import Overlapping, Run, Windows, stretches
from seqcnn.workflow.read import stream_files_of, stream_sequences

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

    With `in_order` the intervals of a genome are read as they lie on it, not as their file has them; `whole` says that
    records are not to be cut into windows.
    """

    def __init__(self, model: Model, options: ScoreOptions, *, in_order: bool = False, whole: bool = False) -> None:
        self.model, self.options, self.whole = model, options, whole
        self.window = options.window
        self.step = options.step or max(1, (options.window or 2) // 2)
        self.unknown = options.unknown
        self.regions = Regions.of(options, in_order=in_order)
        self.least = getattr(model.network, "minimum_width", 1)
        parts = () if self.window is None else locals_of(model.encoder, model.network)
        #: Why windows are computed one by one; None where they share their work, or there are none.
        self.apart = None if self.window is None else why_apart(parts, self.window, self.step, self.least)
        self.records = self.rows = self.short = self.narrow = self.blank = 0
        self.replaced: Counter[str] = Counter()
        self.waiting: deque[Windows] = deque()
        self.fitting: set[int] = set()  # lengths that the model reads whole

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was done to windows."""
        said = list(self.regions.notes)
        if self.window is not None and self.rows > self.records:
            if self.step > self.window:
                said.append(
                    f"windows begin every {self.step:,} letters: {self.step - self.window:,} between are unseen"
                )
            elif self.apart is not None and self.step < self.window:
                said.append(f"overlapping windows were computed one by one: {self.apart}")
        if self.narrow:
            which = "1 record" if self.narrow == 1 else f"{self.narrow:,} records"
            said.append(f"{which} shorter than the window: one window each, as long as the record")
        if self.blank and self.model.alphabet is not None:
            what, letter = "row" if self.blank == 1 else "rows", self.model.alphabet.any_letter
            said.append(f"{self.blank:,} {what} of {letter} alone: their scores say nothing of a sequence")
        return tuple(said)

    def chunks(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records, of whichever kind the model reads."""
        return self.files(files) if self.model.alphabet is None else self.sequences(files)

    def sequences(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records, or of their windows."""
        return self._whole(files) if self.window is None else self._cut(files, self.window)

    def _whole(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of records."""
        held: list[Batch] = []
        letters = 0
        for file in files:
            for batch in self._batches(file, self.replaced):
                ids, records, _ = batch
                lengths, first = np.unique(records.lengths, return_index=True)
                for row, length in sorted(zip(first.tolist(), lengths.tolist(), strict=True)):
                    self._check(ids[row], length, file)
                held.append(batch)
                self.records += len(ids)
                letters += len(records.buffer)
                if letters >= CHUNK:
                    yield self._together(held)
                    held, letters = [], 0
        if held:
            yield self._together(held)

    def _together(self, batches: list[Batch]) -> Raw:
        ids, records, places = gather(batches)
        return self._send(Windows.whole(ids, records.lengths, places, sizes=self.regions.lengths), records)

    def _cut(self, files: Sequence[str], window: int) -> Iterator[Raw]:
        """Yield chunks of windows."""
        pieces: list[Codes] = []
        cut: list[Run] = []
        letters = 0
        for file in files:
            for name, codes, place in self._records(file, self.replaced):
                length = len(codes)
                self.records += 1
                self.narrow += length < window
                for first, count in self._runs(length, window):
                    end = min(length, first + (count - 1) * self.step + window)
                    pieces.append(codes[first:end])
                    cut.append(Run(name, first, count, length, place))
                    letters += end - first if self.apart is None else count * window
                    if letters >= CHUNK:
                        yield self._overlapping(cut, pieces, window)
                        pieces, cut, letters = [], [], 0
        if pieces:
            yield self._overlapping(cut, pieces, window)

    def _runs(self, length: int, window: int) -> Iterable[tuple[int, int]]:
        """Return the first start, and the number, of windows that are computed together."""
        if length <= window:
            return [(0, 1)]
        some = CHUNK if self.apart is None else window + CHUNK // window * self.step
        return ((int(run[0]), len(run)) for run in stretches(length, window, self.step, letters=some))

    def _overlapping(self, cut: list[Run], pieces: list[Codes], window: int) -> Raw:
        windows = Windows.cut(cut, window=window, step=self.step, sizes=self.regions.lengths)
        return self._send(windows, Overlapping.joined(pieces, window, self.step))

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
                found |= {name: len(codes) for name, codes, _ in self._records(file, None)}
        return found

    def _batches(self, file: str, counts: Counter[str] | None) -> Iterator[Batch]:
        """Yield some records at a time."""
        alphabet = self.model.alphabet
        if alphabet is None:
            raise OptionError(f"this model reads {KINDS[self.model.kind]}")
        columns = {"sequence": self.options.sequence, "id": self.options.id}
        return stream_sequences(
            file, alphabet, self.unknown, counts=counts, regions=self.regions, size=CHUNK, **columns
        )

    def _records(self, file: str, counts: Counter[str] | None) -> Iterator[tuple[str, Codes, Place | None]]:
        """Yield one record at a time."""
        for ids, records, places in self._batches(file, counts):
            yield from zip(ids, records, places, strict=True)

    def files(self, files: Sequence[str]) -> Iterator[Raw]:
        """Yield chunks of pictures or samples."""
        ids: list[str] = []
        records: list[Record] = []
        values = 0
        for file in files:
            for name, record in self._files(file):
                length = record.shape[-1]
                if self.model.encoder.columns(torch.tensor([length])) is not None:
                    self._check(name, length, file)
                self.records += 1
                ids.append(name)
                records.append(record)
                values += record.size
                if values >= CHUNK:
                    yield self._joined(ids, records)
                    ids, records, values = [], [], 0
        if records:
            yield self._joined(ids, records)

    def _files(self, file: str) -> Iterator[tuple[str, Record]]:
        options = self.options
        return stream_files_of(file, self.model, changes=self.replaced, image=options.image, id=options.id)

    def _joined(self, ids: list[str], records: list[Record]) -> Raw:
        lengths = np.array([record.shape[-1] for record in records], np.int64)
        raw = np.stack(records) if self.model.kind == "pixels" else Samples.from_arrays(records)
        return self._send(Windows.whole(ids, lengths, (), sizes={}), raw)

    def _send(self, windows: Windows, raw: Raw) -> Raw:
        self.rows += len(windows)
        if self.model.alphabet is not None:
            self.short += int((windows.ends - windows.starts < self.least).sum())
            self.blank += blank(raw, self.model.alphabet) if isinstance(raw, Sequences) else 0
        self.waiting.append(windows)
        return raw

    def _check(self, name: str, length: int, file: str) -> None:
        """Refuse a record that is too long to be scored whole."""
        if length in self.fitting:
            return
        longest, width = self.model.longest, self.model.fixed_width
        columns = self.model.encoder.columns(torch.tensor([length]))
        if width is not None and columns is not None and int(columns) > width:
            why = f"this network reads at most {width:,} positions"
        elif longest and length > LONGER * longest:
            why = f"the longest training record was {longest:,}"
        else:
            self.fitting.add(length)
            return
        best = width or longest
        do = f"score it in windows: --window {best} --step {max(1, best // 2)}"
        if self.whole:
            do = "cut it into shorter records"
        elif self.model.alphabet is None:
            do = "cut it, or train on records as long"
        raise DataError(f"{shown(file)}, record {name}: {length:,} long, but {why}; {do}")


def blank(records: Sequences, alphabet: Alphabet) -> int:
    """Return how many records have no letter but those that may be any, and gaps.

    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> blank(Overlapping.joined([encode("ANNNn-C", DNA)], window=3, step=1), DNA)
    3
    """
    if records.buffer.max(initial=0) < alphabet.size:
        return 0
    codes = records.buffer & ~np.uint8(SOFT_MASK)
    told = (codes != alphabet.any_code) & (codes != alphabet.gap_code)
    if told.all():
        return 0
    before = np.concatenate([[0], np.cumsum(told)])
    return int((before[records.starts] == before[records.starts + records.lengths]).sum())
