"""The verb check: data in, what is wrong with them out, before any training."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqcnn.data.card import class_counts
from seqcnn.data.dataset import Dataset, check_dataset
from seqcnn.data.grouping import grouped
from seqcnn.data.joining import join
from seqcnn.data.sources.unlabelled import read_unlabelled
from seqcnn.errors import AlphabetError, DataError, MissingExtraError
from seqcnn.io.opening import STDIN
from seqcnn.options import CheckOptions, DataOptions
from seqcnn.quality.check import Check
from seqcnn.quality.checked import Checked, ordered
from seqcnn.quality.findings import Finding, Outcome, Shortcut
from seqcnn.quality.placement import placement
from seqcnn.quality.subject import Subject
from seqcnn.registry import names, resolve
from seqcnn.reporting.check_page import build_check_page
from seqcnn.reporting.document import HTMLReport
from seqcnn.workflow.read import PathLike, kind_of, named, read


def read_to_check(
    paths: Sequence[PathLike], options: DataOptions | None = None, *, split: str = "random"
) -> tuple[Dataset | None, tuple[Finding, ...]]:
    """Return data as far as they can be read, and what keeps `seqcnn.workflow.read.read` from reading all.

    Intervals without a place on the genome are left out, unknown letters masked, targets that cannot be used left
    aside, each with a finding.

    Raises
    ------
    SeqcnnError
        In one line, where nothing can be read.
    """
    options = DataOptions() if options is None else options
    files = [named(path) for path in paths]
    found = placement([file.path for file in files], options)
    if any(finding.level == "problem" for finding in found):
        options = replace(options, unplaced="drop")
    try:
        return read(paths, options, split=split), tuple(found)
    except AlphabetError as error:
        if options.unknown == "mask" or STDIN in (file.path for file in files):
            raise
        title = str(error).rstrip(".")
        found.append(Finding("unknown_letter", "problem", title, "Training stops there until it is settled."))
        options = replace(options, unknown="mask")
    except DataError as error:
        return _without_targets(paths, options, error, found)
    try:
        return read(paths, options, split=split), tuple(found)
    except DataError as error:
        return _without_targets(paths, options, error, found)


def _without_targets(
    paths: Sequence[PathLike], options: DataOptions, error: DataError, found: list[Finding]
) -> tuple[Dataset | None, tuple[Finding, ...]]:
    """Return the records alone, and why there is no more; `error` where not even they can be read."""
    files = [named(path) for path in paths]
    if not files or len({kind_of(file.path) for file in files}) != 1 or STDIN in (file.path for file in files):
        raise error
    unusable = Finding("unusable", "problem", str(error).rstrip("."), "Training stops there until it is settled.")
    try:
        data = read_unlabelled(kind_of(files[0].path), files, options)
    except DataError:
        if found:
            return None, (*found, unusable)
        raise error from None
    return data, (*found, unusable)


def check(
    data: Dataset | None,
    options: CheckOptions | None = None,
    *,
    valid: Dataset | None = None,
    test: Dataset | None = None,
    before: Sequence[Finding] = (),
    seed: int = 0,
) -> Checked:
    """Return what is wrong with data; nothing is trained, nothing of the caller's is changed.

    Parameters
    ----------
    data
        The records; None where none could be read.
    options
        What is looked for, and in how many records.
    valid, test
        Further records that `data` are not to be found in.
    before
        What was found in reading.
    seed
        Of samples and halves.

    Raises
    ------
    DataError
        If `valid` or `test` are of another kind than `data`.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import Sequences, encode
    >>> raw = Sequences.from_codes([encode(s, DNA) for s in ("ACGTTGCA", "TGCAACGT", "GGGTACCA")])
    >>> found = check(Dataset("codes", raw, ("a", "b", "c"), alphabet=DNA))
    >>> [finding.key for finding in found.findings]
    ['no_targets', 'duplicates']
    """
    options = CheckOptions() if options is None else options
    if data is None or (before and isinstance(data, Dataset) and not len(data)):
        return Checked(ordered(before), notes=("no record could be read, so nothing else was looked for",))
    check_dataset(data, "check")
    data = _with_parts(grouped(data, options.split)[0], valid, test)
    findings, notes = list(before), list[str]()
    shortcuts = list[Shortcut]()
    if not len(data):
        raise DataError("check: there is no record to look at")
    if data.targets is None and not any(finding.key == "unusable" for finding in before):
        findings.append(
            Finding(
                "no_targets", "problem", "the records have no targets",
                "Training needs them: pass two files, --negatives, --targets TABLE, or a table with --target.",
            )
        )  # fmt: skip
    subject = Subject(data, options, seed)
    for name in names("check"):
        made: Check = resolve("check", name)()
        if name not in options.skip and made.suits(data):
            outcome = _looked(made, subject)
            findings += outcome.findings
            notes += outcome.notes
            shortcuts += outcome.shortcuts
    return Checked(
        ordered(findings), tuple(shortcuts), data.summary.notes, tuple(notes), len(data), data.kind, data.task,
        class_counts(data) or None,
    )  # fmt: skip


def _looked(made: Check, subject: Subject) -> Outcome:
    """Return what a check finds; without the extra it needs, what to install."""
    try:
        return made.look(subject)
    except MissingExtraError as error:
        return Outcome(notes=(str(error),))


def _with_parts(data: Dataset, valid: Dataset | None, test: Dataset | None) -> Dataset:
    """Return the data and those held out beside them as one, with the part of each record."""
    parts = [np.full(len(data), "train", "<U5") if data.parts is None else data.parts.astype("<U5")]
    summary = data.summary
    for name, more in (("valid", valid), ("test", test)):
        if more is not None:
            more = replace(more, ids=tuple(f"{identifier} [{name}]" for identifier in more.ids))
            data = join(data, more, f"--{name}")
            parts.append(np.full(len(more), name, "<U5"))
            summary = replace(summary, notes=(*summary.notes, f"{name}: {more.summary.notes[0]}"))
    if len(parts) > 1:
        return replace(data, parts=np.concatenate(parts), summary=summary)
    return data


def write_html(checked: Checked, data: Dataset | None, path: str | os.PathLike[str], *, command: str = "") -> None:
    """Write the findings as one self-contained HTML file, whole or not at all."""
    HTMLReport(build_check_page(checked, data, title=_title(data), command=command)).save(path)


def _title(data: Dataset | None) -> str:
    """Return what data are called: by their files, or the folder of their classes."""
    sources = () if data is None else data.summary.sources
    if len(sources) > 2:
        return Path(sources[0].path).parent.name or "The data"
    return " and ".join(source.name for source in sources) or "The data"
