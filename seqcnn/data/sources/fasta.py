"""FASTA, FASTQ and GenBank files as a Dataset: one class a file, or targets joined from a table."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seqcnn.alphabet import PROTEIN, Alphabet
from seqcnn.data.dataset import Dataset, Expected, Negatives, Source, Summary
from seqcnn.data.negatives import KINDS, add_negatives
from seqcnn.data.sources.described import described
from seqcnn.data.sources.records import Batch, Coder, gather, replaced_notes, told_alphabet, warn_duplicates
from seqcnn.data.sources.regions import Regions
from seqcnn.errors import DataError, OptionError, SeqcnnWarning
from seqcnn.interval import Intervals, Place
from seqcnn.io.genome import Genome
from seqcnn.io.opening import STDIN, sha256_of, shown
from seqcnn.options import DataOptions
from seqcnn.sequence import Sequences

#: Suffixes that are no part of a class name.
SUFFIXES = frozenset({
    ".fa", ".fasta", ".fna", ".faa", ".fas", ".ffn", ".frn", ".pep", ".seq", ".txt",
    ".bed", ".narrowpeak", ".broadpeak", ".gff", ".gff3", ".gtf",
    ".fq", ".fastq", ".gb", ".gbk", ".gbff", ".genbank", ".embl", ".csv", ".tsv", ".bw", ".bigwig",
})  # fmt: skip

#: The same files get the same negatives whatever ``--seed`` says, so that `evaluate` knows those that were trained on.
NEGATIVES_SEED = 0


@dataclass(frozen=True)
class Named:
    """A file with the name it was given by ``NAME=FILE``, or None."""

    path: str
    given: str | None = None

    @property
    def name(self) -> str:
        """The class name: as given, else the stem without ``.gz`` and suffix.

        >>> Named("x/pos.train.fa.gz").name, Named("-").name
        ('pos.train', 'stdin')
        """
        if self.given is not None:
            return self.given
        if self.path == STDIN:
            return "stdin"
        stem = Path(self.path).name
        for packed in (".gz", ".bgz"):
            stem = stem.removesuffix(packed)
        return Path(stem).stem if Path(stem).suffix.lower() in SUFFIXES else stem


def read_classes(files: Sequence[Named], options: DataOptions, *, expected: Expected | None = None) -> Dataset:
    """Return the records of FASTA files as a Dataset with one class a file.

    One file is the positive class, held against ``options.negatives``; two are binary, the first positive; more are
    classes. With `expected`, names match the labels, else files are taken in training order, which is noted.

    Raises
    ------
    DataError
        If the files don't make two or more classes, or not those of the model.
    AlphabetError, FormatError, InputFileError
        Naming what is wrong with a file.
    """
    if options.positive is not None:
        raise OptionError("--positive: belongs to a table; of FASTA files the first is the positive class")
    if options.task is not None and options.task not in ("binary", "multiclass"):
        raise OptionError(f"--task {options.task}: needs targets; pass a table, or --targets TABLE")
    if expected is not None and expected.task not in ("binary", "multiclass"):
        raise DataError(
            f"{shown(files[0].path)}: FASTA alone has no targets, the model's task is {expected.task} "
            f"({', '.join(expected.labels)}); pass --targets TABLE"
        )
    wanted, kind, files = _with_negatives(files, options, expected)
    _refuse_clashes(files)
    labels, order, notes = _labels(files, wanted is not None, expected)
    if options.task == "binary" and len(labels) > 2:
        raise DataError(f"--task binary: {len(labels)} classes ({', '.join(labels)}); binary needs two")
    found = read_files(files, options, expected)
    if wanted is not None and found.alphabet is PROTEIN:
        raise DataError(
            f"{shown(files[0].path)}: proteins need negatives; give a second file, or --negatives FILE "
            "(others are made of DNA and RNA only)"
        )
    data = Dataset(
        "codes",
        found.sequences,
        found.ids,
        targets=np.repeat(np.array(order, float), [source.records for source in found.sources])[:, None],
        task=options.task or ("binary" if len(labels) == 2 else "multiclass"),
        labels=labels,
        alphabet=found.alphabet,
        negatives=kind,
        places=found.places,
        summary=Summary(
            found.sources, replaced=found.replaced, notes=(*notes, *found.notes, *replaced_notes(found.replaced))
        ),
    )
    if wanted is not None:
        taken = None if expected is None else expected.taken
        data = add_negatives(
            replace(data, labels=labels[-1:]), wanted, seed=NEGATIVES_SEED, genome=found.genome, taken=taken
        )
        if expected is not None:
            data = replace(data, labels=labels)
    return described(data)


@dataclass(frozen=True)
class Read:
    """What files of records held: alphabet, sources, what was replaced, notes on windows, and places on a genome."""

    ids: tuple[str, ...]
    sequences: Sequences
    alphabet: Alphabet
    sources: tuple[Source, ...]
    replaced: dict[str, int]
    notes: list[str]
    places: Intervals | None
    genome: Genome | None


def read_files(files: Sequence[Named], options: DataOptions, expected: Expected | None) -> Read:
    """Return the records of files, in order."""
    coder: Coder | None = None
    parts: list[Batch] = []
    sources: list[Source] = []
    asked: str | Alphabet | None = options.alphabet or (None if expected is None else expected.alphabet)
    regions = Regions.of(options)
    regions.refuse([file.path for file in files])
    for file in files:
        name = shown(file.path)
        own, records = told_alphabet(regions.letters(file.path), name, asked=None if coder else asked)
        if coder is None:
            coder = Coder(own, unknown=options.unknown)
        elif own is not coder.alphabet:
            own = _reconcile(own, coder.alphabet, file, files[0], asked=asked is not None)
            _, records = told_alphabet(records, name, asked=own)
        before = coder.records
        parts += coder.batches(records, name)
        sources.append(Source(file.name, file.path, coder.records - before, sha256_of(file.path)))
    if coder is None:
        raise DataError("no file to read; pass at least one")
    ids, sequences, places = gather(parts)
    warn_duplicates(ids)
    return Read(
        tuple(ids),
        sequences,
        coder.alphabet,
        tuple(sources),
        coder.replaced,
        regions.notes,
        Intervals.of(place or Place() for place in places) if any(places) else None,
        regions.genome,
    )


def _reconcile(own: Alphabet, first: Alphabet, file: Named, other: Named, *, asked: bool) -> Alphabet:
    """Return the alphabet to read a later file in, whose records look like another one."""
    if not asked and PROTEIN in (own, first):
        raise DataError(
            f"{shown(file.path)} looks like {own.name}, {shown(other.path)} like {first.name}; "
            "give files of one alphabet, or name it with --alphabet"
        )
    if not asked:
        warnings.warn(
            f"{shown(file.path)} looks like {own.name}, {shown(other.path)} like {first.name}; read as {first.name}",
            SeqcnnWarning,
            stacklevel=2,
        )
    return first


def _with_negatives(
    files: Sequence[Named], options: DataOptions, expected: Expected | None
) -> tuple[Negatives | None, str | None, list[Named]]:
    """Return which negatives to make, the kind of negatives to record, and the files with that of the negatives."""
    if len(files) != 1:
        refuse_making(options)
    if len(files) == 2:
        if options.negatives is not None:
            raise OptionError("--negatives: belongs to one file of positives; two files are given")
        return None, "file", list(files)
    if len(files) != 1:
        if options.negatives is not None:
            raise OptionError(f"--negatives: belongs to one file of positives; {len(files)} files are given")
        return None, None, list(files)
    if expected is not None and expected.task != "binary":
        raise DataError(
            f"one file for a {expected.task} model of {', '.join(expected.labels)}; "
            "pass a file a class, a table, or --targets TABLE"
        )
    wanted = options.negatives
    if wanted is None:
        wanted = "shuffle" if expected is None else expected.negatives
        if wanted not in (*KINDS, None):
            raise DataError(
                f"{shown(files[0].path)}: one file of positives, and the model was trained against a file of "
                "negatives; pass that or another as the second file, or --negatives FILE|shuffle"
            )
        if wanted is None:
            raise DataError(
                f"{shown(files[0].path)}: one file of positives for a model trained on classes of its own; "
                "pass a second file, or --negatives FILE|shuffle"
            )
    if wanted in KINDS:
        return _making(wanted, options, expected), wanted, list(files)
    refuse_making(options)
    name, _, path = wanted.partition("=")
    named = Named(path, name) if path and not Path(wanted).exists() else Named(wanted)
    return None, "file", [*files, named]


def refuse_making(options: DataOptions) -> None:
    """Raise where options say how to make negatives, and none are made."""
    for name in ("ratio", "match", "blacklist", "annotation"):
        if getattr(options, name):
            raise OptionError(
                f"--{name}: belongs to negatives that are made, --negatives {', '.join(KINDS)}; none are here"
            )


def _making(kind: str, options: DataOptions, expected: Expected | None) -> Negatives:
    """Return how to make negatives of a kind: as asked for, else as the model was trained."""
    known = Negatives(kind) if expected is None or expected.made is None else expected.made
    known = known if known.kind == kind else Negatives(kind)
    if options.match and kind != "matched":
        raise OptionError(f"--match: belongs to --negatives matched; these are {kind}")
    if options.blacklist is not None and not KINDS[kind].on_genome:
        raise OptionError("--blacklist: belongs to --negatives matched or flank; shuffles lie nowhere on a genome")
    match = options.matched_on or known.match
    if options.annotation is not None and "tss" not in match:
        raise OptionError("--annotation: belongs to --match tss; ask for it, or leave this out")
    wanted = Negatives(
        kind,
        known.ratio if options.ratio is None else options.ratio,
        match,
        str(options.blacklist or known.blacklist),
        str(options.annotation or known.annotation) if "tss" in match else "",
    )
    if "tss" in match and not wanted.annotation:
        raise OptionError("--match tss: needs the starts of transcription; pass --annotation GFF")
    for name in ("blacklist", "annotation"):
        path = getattr(known, name)
        if path and path == getattr(wanted, name) and getattr(options, name) is None and not Path(path).exists():
            raise DataError(f"the model's negatives were made with {path}, which is not here; pass --{name} FILE")
    return wanted


def _refuse_clashes(files: Sequence[Named]) -> None:
    """Raise where two files share a name, or are one file."""
    for i, file in enumerate(files):
        for other in files[:i]:
            same = file.path == other.path or (
                STDIN not in (file.path, other.path) and Path(file.path).resolve() == Path(other.path).resolve()
            )
            if same:
                raise DataError(f"{shown(file.path)} is given twice; pass one file a class")
            if file.name == other.name:
                raise DataError(
                    f"{other.path} and {file.path} would both be class {file.name!r}; name them with NAME=FILE"
                )


def _labels(
    files: Sequence[Named], made: bool, expected: Expected | None
) -> tuple[tuple[str, ...], list[int], list[str]]:
    """Return the labels, the class of each file, and notes."""
    names = [file.name for file in files]
    if expected is None:
        if made:
            return (names[0],), [0], []
        labels = (names[1], names[0]) if len(names) == 2 else tuple(names)
        return labels, [labels.index(name) for name in names], []
    labels = expected.labels
    if made:
        return labels, [1], []
    if len(names) > len(labels):
        kind = "two-class" if len(labels) == 2 else f"{len(labels)}-class"
        raise DataError(f"{len(names)} files for a {kind} model ({', '.join(labels)}); pass a file a class")
    if set(names) <= set(labels):
        return labels, [labels.index(name) for name in names], []
    if len(names) < len(labels):
        raise DataError(
            f"{len(names)} files for a model of {len(labels)} classes ({', '.join(labels)}), and the names "
            f"{', '.join(names)} don't match; pass a file a class, or NAME=FILE"
        )
    order = [1, 0] if expected.task == "binary" else list(range(len(names)))
    said = ", ".join(f"{file.path} is {labels[i]!r}" for file, i in zip(files, order, strict=True))
    return labels, order, [f"files taken in training order: {said}"]
