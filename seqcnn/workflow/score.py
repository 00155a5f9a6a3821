"""Scoring: inputs of any size to rows of predictions, in constant memory."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from seqcnn.data.dataset import Raw, take
from seqcnn.errors import OptionError
from seqcnn.inference.predict import predict_logits, stream_logits
from seqcnn.io.layout import ORDERED, TRACKS, Layout, Rows, format_of, paths_of
from seqcnn.io.opening import STDIN
from seqcnn.io.resuming import Kept
from seqcnn.io.scores import WRITERS
from seqcnn.io.writing import check_apart, check_writable
from seqcnn.model.inputs import KINDS
from seqcnn.model.model import Model
from seqcnn.options import ScoreOptions
from seqcnn.runtime import pick_device
from seqcnn.training.precision import pick_precision
from seqcnn.workflow.answers import Answers
from seqcnn.workflow.inputs import CHUNK, Inputs, check_inputs
from seqcnn.workflow.neighbours import write_neighbours
from seqcnn.workflow.peaks import Caller, chance_of
from seqcnn.workflow.resuming import terms_of, why_anew

#: Records of which bf16 is compared with float32.
_COMPARED = 200


@dataclass(frozen=True)
class Scored:
    """What was scored.

    Parameters
    ----------
    records, rows
        Read, and written: a row a record, or a row a window.
    short
        Rows shorter than the network's shortest input, which were padded with zero columns.
    replaced
        What letters were replaced, or files converted, with their counts.
    said
        What was done to windows of a genome, and how peaks were told.
    """

    records: int
    rows: int
    short: int
    replaced: dict[str, int]
    said: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say so."""
        split = f" in {self.rows:,} windows" if self.rows != self.records else ""
        said = [f"scored {self.records:,} records{split}"]
        if self.short:
            said.append(f"{self.short:,} shorter than the network's shortest input were padded with zeros up to it")
        if self.replaced:
            said.append("changed: " + ", ".join(f"{count:,} {what}" for what, count in self.replaced.items()))
        return (*said, *self.said)


def score(
    model: Model,
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: ScoreOptions | None = None,
    *,
    output: str | os.PathLike[str] = STDIN,
) -> Scored:
    """Write a row of predictions for each record, or each window of a record, in the order they are read.

    The columns are ``id start end length`` (0-based, half-open; of the record), then ``score`` or one a class or
    target; with ``options.top`` the best classes and their scores; with ``options.neighbours`` a row for each of the
    most similar records of that input; with ``options.coverage`` follow ``low`` and ``high`` of an interval
    (``NAME_low`` of several targets), or ``set``: classes, likeliest first, separated by commas. Where the records are
    intervals of a genome, ``chromosome chrom_start chrom_end chrom_strand`` follow: what of the window lies on the
    chromosome, on its forward strand. Rows appear as they are computed; memory does not grow with the input.

    The suffix of `output` or ``options.format`` asks for other forms than TSV. Parquet has the same columns. BED, as
    read, has the score times 1,000 in its fifth column and as it is in a seventh. In bedGraph and bigWig a position has
    the score of the window whose center is the nearest; intervals are read as they lie on the genome. These three write
    a file for each of several classes or targets, its name before the suffix. With ``options.peaks`` the inputs are
    read twice: see `seqcnn.workflow.peaks`.

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
        A file, which appears whole or not at all, or ``-`` for standard output. Where a run that writes TSV or BED is
        cut off, what it wrote is kept beside, and with ``options.resume`` the next goes on: see `Kept`.

    Raises
    ------
    DataError
        If a record is longer than the model can be trusted with; the message names it and the windows to ask for.
    InputFileError, FormatError, AlphabetError, OutputFileError
        As reading and writing find them.
    """
    options = options or ScoreOptions()
    files = [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
    check_inputs(model, files, options)
    place = os.fspath(output)
    kind = format_of(place, options.format)
    anew = why_anew(model, files, options, place=place, kind=kind)
    _refuse(model, files, options, kind=kind, anew=anew)
    job = Inputs(model, options, in_order=kind in ORDERED)
    if options.neighbours is not None:
        write_neighbours(model, files, options, job, output=place)
        return Scored(job.records, job.rows, job.short, job.replaced, job.notes)
    answers = Answers(model, options)
    places = paths_of(place, answers.names) if kind in TRACKS else [place]
    for path in places:
        if path != STDIN:
            check_writable(path)
    caller = None if options.peaks is None else _caller(model, files, options, answers, place)
    lengths = job.lengths(files) if kind == "bigwig" else {}
    placed = job.regions.genome is not None or all(job.regions.holds(file) for file in files)
    layout = Layout((*answers.names, *answers.regions), placed, answers.texts, lengths)
    chunks, said, kept = job.chunks(files), list[str](), None
    if anew is None:
        terms = terms_of(model, files, options, kind=kind, letters=CHUNK)
        kept = Kept(places, terms, resume=options.resume)
        if options.resume:
            chunks = _after(kept.steps, chunks, job, said)
    if options.precision == "bf16":
        chunks = _told(model, chunks, options, said)
    stream = stream_logits(
        model.encoder, model.network, chunks, strands=model.strands, device=options.device, precision=options.precision
    )
    start = list(islice(stream, 1))  # so that input which cannot be read leaves no lone header
    with ExitStack() as stack:
        opened = {} if kept is None else {"opened": stack.enter_context(kept).opened}
        write = stack.enter_context(WRITERS[kind](place, layout, **opened))
        call = None if caller is None else stack.enter_context(caller.opened(str(options.peaks)))
        for logits in chain(start, stream):
            table, windows = answers.table(logits), job.waiting.popleft()
            columns = answers.columns(table)
            write(Rows(windows, [*columns, *answers.beside(logits)], answers.shades(table) if kind == "bed" else ()))
            if kept is not None:
                kept.mark()
            if call is not None:
                call(windows, np.asarray(columns[0]))
    notes = (*said, *job.notes, *([] if caller is None else caller.notes))
    return Scored(job.records, job.rows, job.short, job.replaced, notes)


def _after(steps: int, chunks: Iterator[Raw], job: Inputs, said: list[str]) -> Iterator[Raw]:
    """Yield the chunks after those whose rows are written already."""
    rows = sum(len(job.waiting.pop()) for _ in islice(chunks, steps))
    said.append(
        f"went on after {rows:,} rows written before" if steps else "nothing was kept to go on with: begun anew"
    )
    yield from chunks


def _told(model: Model, chunks: Iterator[Raw], options: ScoreOptions, said: list[str]) -> Iterator[Raw]:
    """Yield the chunks as they are, and say how far bf16 is from float32 on records of the first."""
    pick_precision("bf16", pick_device(options.device))
    for number, chunk in enumerate(chunks):
        if number == 0 and len(chunk):
            some = take(chunk, np.linspace(0, len(chunk) - 1, min(len(chunk), _COMPARED)).astype(np.int64))
            exact, fast = (
                model.calibrated(
                    predict_logits(
                        model.encoder, model.network, some, strands=model.strands, device=options.device,
                        precision=precision,
                    )
                )
                for precision in ("32", "bf16")
            )  # fmt: skip
            apart = float(np.abs(exact - fast).max())
            said.append(
                f"computed in bf16: logits of {len(some):,} records differ from those of float32 by {apart:.2g} at most"
            )
        yield chunk


def _refuse(model: Model, files: Sequence[str], options: ScoreOptions, *, kind: str, anew: str | None) -> None:
    """Raise where the form of the output does not suit the model or other options; `anew` speaks against --resume."""
    if kind in TRACKS and model.alphabet is None:
        raise OptionError(
            f"--format {kind}: this model reads {KINDS[model.kind]}, which lie on no chromosome; write tsv or parquet"
        )
    if options.resume and anew is not None:
        raise OptionError(f"--resume: {anew}")
    if options.neighbours is not None and (kind != "tsv" or options.peaks is not None or options.column is not None):
        raise OptionError("--neighbours: writes TSV of its own; leave --format, --column and --peaks out")
    if options.neighbours is not None and options.precision != "32":
        raise OptionError(f"--precision {options.precision}: features are compared in float32; leave it out")
    if options.top is not None and (kind in TRACKS or options.peaks is not None or options.column is not None):
        raise OptionError("--top: goes with tsv and parquet only, and without --column and --peaks; leave it out")
    if options.coverage is not None and (kind in TRACKS or options.neighbours is not None or options.output == "logit"):
        raise OptionError(
            "--coverage: goes with tsv and parquet, not with --neighbours or --output logit; leave it out"
        )
    if kind in ORDERED and (options.genome or options.feature) is not None and len(files) > 1:
        raise OptionError(f"--format {kind}: intervals of several files overlap or mingle; join the files beforehand")


def _caller(model: Model, files: Sequence[str], options: ScoreOptions, answers: Answers, place: str) -> Caller:
    """Return what calls peaks; refuse what has none."""
    if model.alphabet is None:
        raise OptionError(f"--peaks: this model reads {KINDS[model.kind]}; peaks belong to sequences")
    if len(answers.names) > 1:
        raise OptionError(f"--peaks: pass --column with one of {', '.join(answers.names)}")
    if STDIN in files:
        raise OptionError("--peaks: reads its input twice, standard input can be read once only; pass a file")
    check_apart([str(options.peaks), *([] if place == STDIN else [place])], files)
    if str(options.peaks) != STDIN:
        check_writable(str(options.peaks))
    return Caller(chance_of(model, files, options))
