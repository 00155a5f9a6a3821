"""Near-duplicates and homologs: records that align with others, and those that do so across parts."""

from typing import ClassVar

import numpy as np

from seqcnn.data.relatives import LONGEST, families
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Finding, Outcome
from seqcnn.quality.subject import Subject
from seqcnn.sequence import Sequences

#: Share of records with a relative that is worth a warning, and letters beyond which a sample is looked at.
_MANY, _LETTERS = 0.05, 50_000_000


class Relatives(Check):
    """Suits sequences of letters."""

    name: ClassVar[str] = "relatives"
    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def look(self, subject: Subject) -> Outcome:
        """Return how many records have relatives, and how many of a later part have one in an earlier part."""
        data, options = subject.data, subject.options
        if not isinstance(data.raw, Sequences) or data.alphabet is None:
            return Outcome()
        rows = np.flatnonzero(subject.given)
        notes = []
        long = int((data.raw.lengths[rows] > LONGEST).sum())
        if long:
            notes.append(f"relatives were not looked for among {long:,} records longer than {LONGEST:,}")
            rows = rows[data.raw.lengths[rows] <= LONGEST]
        if not len(rows):
            return Outcome(notes=tuple(notes))
        if data.raw.lengths[rows].sum() > _LETTERS:
            drawn = np.random.default_rng(subject.seed).permutation(rows)
            kept = int(np.searchsorted(np.cumsum(data.raw.lengths[drawn]), _LETTERS))
            notes.append(f"relatives were looked for among {kept:,} of {len(rows):,} records, drawn at random")
            rows = np.sort(drawn[: max(kept, 2)])
        family = families(data.raw.take(rows), data.alphabet, identity=options.identity, coverage=options.coverage)
        # Equal records are told of as duplicates; here each counts once.
        _, first = np.unique(subject.hashes[rows], return_index=True)
        sizes = np.bincount(family[first], minlength=int(family.max(initial=0)) + 1)
        related = sizes[family] > 1
        told = f"{options.identity:.0%} identity over {options.coverage:.0%} of the shorter"
        found = []
        if related.any():
            distinct = first[related[first]]
            order = distinct[np.lexsort((distinct, family[distinct], -sizes[family[distinct]]))]
            share = len(distinct) / len(first)
            found.append(
                Finding(
                    "relatives",
                    "warning" if share >= _MANY else "note",
                    f"{len(distinct):,} records are near-duplicates or homologs of others ({told}), in "
                    f"{int((sizes > 1).sum()):,} families of up to {int(sizes.max()):,}",
                    "A random split puts relatives on both sides and flatters: train with --split cluster.",
                    len(distinct),
                    share,
                    subject.named(rows[order]),
                )
            )
        if data.parts is not None:
            parts = data.parts[rows]
            for part, earlier in (("test", ("train", "valid")), ("valid", ("train",))):
                seen = np.isin(parts, earlier)
                here = np.flatnonzero(parts == part)
                if not len(here) or not seen.any():
                    continue
                new = here[~np.isin(subject.hashes[rows[here]], subject.hashes[rows[seen]])]
                near = new[np.isin(family[new], family[seen])]
                if len(near):
                    share = len(near) / len(here)
                    found.append(
                        Finding(
                            f"relatives_{part}",
                            "problem" if share >= _MANY else "warning",
                            f"{len(near):,} of {len(here):,} {part} records have a relative in {' or '.join(earlier)} "
                            f"({told})",
                            "Figures on them flatter: leave them out, or make the parts anew with --split cluster.",
                            len(near),
                            share,
                            subject.named(rows[near]),
                        )
                    )
        return Outcome(tuple(found), notes=tuple(notes))
