"""Grouping: which records must stay on one side of a split, by the rule of ``--split``."""

from dataclasses import replace

import numpy as np

from seqcnn.checks import did_you_mean
from seqcnn.chromosome import matched
from seqcnn.data.dataset import Dataset
from seqcnn.data.relatives import LONGEST, families
from seqcnn.errors import DataError, OptionError
from seqcnn.sequence import Sequences


def grouped(data: Dataset, rule: str) -> tuple[Dataset, list[str]]:
    """Return the data with the groups or the parts that a rule makes, and notes.

    Parameters
    ----------
    rule
        ``cluster`` groups near-duplicates and homologs (80% identity over 80% of the shorter, either strand);
        ``chromosome`` groups the records of a chromosome; ``chromosome:A,B`` tests on those chromosomes. Other rules,
        whose groups or parts stand in a table, are left as they are.

    Raises
    ------
    DataError, OptionError
        If the records are not of the kind that the rule needs, or a chromosome is not among them.
    """
    kind, _, value = rule.partition(":")
    if kind == "cluster":
        return _by_family(data)
    if kind == "chromosome":
        return _by_chromosome(data, [name for name in value.split(",") if name])
    words = {"group": "groups", "column": "parts"}
    missing = {"group": data.groups is None, "column": data.parts is None}
    if missing.get(kind):
        raise OptionError(
            f"--split {rule}: the data name no {words[kind]}; pass a table, or --targets, that has this column"
        )
    return data, []


def _by_family(data: Dataset) -> tuple[Dataset, list[str]]:
    if not isinstance(data.raw, Sequences) or data.alphabet is None:
        raise DataError("--split cluster: belongs to sequences; for others pass --split group:COLUMN of a table")
    longest = int(data.lengths.max(initial=0))
    if longest > LONGEST:
        raise DataError(
            f"--split cluster: compares records of up to {LONGEST:,} letters, the longest has {longest:,}; pass "
            "--split chromosome, or group:COLUMN of a table"
        )
    groups = np.full(len(data), -1, np.int64)
    own = np.arange(len(data)) if data.parents is None else np.flatnonzero(data.parents < 0)
    groups[own] = families(data.raw.take(own), data.alphabet)
    sizes = np.bincount(groups[own])
    note = f"clusters: {len(sizes):,} of {len(own):,} records; the largest holds {sizes.max(initial=0):,}"
    return replace(data, groups=groups), [note]


def _by_chromosome(data: Dataset, tested: list[str]) -> tuple[Dataset, list[str]]:
    if data.places is None:
        raise DataError(
            "--split chromosome: belongs to intervals of a genome (BED, GFF); for a table pass --split group:COLUMN"
        )
    names = np.array(data.places.chromosomes)
    if data.parents is not None:
        orphan = (names == "") & (data.parents >= 0)  # a shuffle lies where its parent lies
        names = np.where(orphan, names[data.parents], names)
    there = [name for name in dict.fromkeys(names.tolist()) if name]
    if not tested:
        numbers = np.unique(names, return_inverse=True)[1].astype(np.int64)
        return replace(data, groups=np.where(names == "", -1, numbers)), [f"chromosomes stay whole: {len(there)}"]
    known = matched(tested, there)
    for name in tested:
        if name not in known:
            raise DataError(
                f"--split chromosome:{','.join(tested)}: no record lies on {name!r}{did_you_mean(name, there)}; "
                f"there are {', '.join(there[:8])}{', ...' if len(there) > 8 else ''}"
            )
    test = np.isin(names, list(known.values()))
    note = f"tested on {', '.join(known.values())}: {int(test.sum()):,} of {len(data):,} records"
    return replace(data, parts=np.where(test, "test", "train")), [note]
