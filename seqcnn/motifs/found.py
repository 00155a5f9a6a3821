"""What was found in a model: motifs with their sites, shares, importance and matches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.errors import OptionError
from seqcnn.io.meme import meme_text
from seqcnn.motif import Motif
from seqcnn.motifs.compare import Match, compare, open_database
from seqcnn.plot.logo import logo_svg

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Site:
    """One place a motif was counted from; 0-based, half-open, on the forward strand."""

    id: str
    start: int
    end: int
    strand: str
    sequence: str
    activation: float


@dataclass(frozen=True)
class Sites:
    """Sites of a motif, strongest first, column by column; coordinates are 0-based, half-open, forward strand.

    Parameters
    ----------
    ids, records
        Identifier of each record, and its row in the data, ``(n,)``.
    starts, ends, strands
        Where: ``strands`` holds + and -.
    sequences
        Letters as the motif reads them, on the site's own strand.
    activations
        Share of the filter's maximum, ``(n,)``.
    """

    ids: tuple[str, ...]
    records: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    strands: tuple[str, ...]
    sequences: tuple[str, ...]
    activations: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Site]:
        for i in range(len(self)):
            yield Site(
                self.ids[i],
                int(self.starts[i]),
                int(self.ends[i]),
                self.strands[i],
                self.sequences[i],
                float(self.activations[i]),
            )


@dataclass(frozen=True)
class FoundMotif:
    """A motif that filters of a network learned.

    Parameters
    ----------
    motif
        The matrix counted from `sites`: the very one that is matched, drawn and written.
    filters
        Indices of the filters that were merged.
    sites
        The sites it was counted from.
    shares
        Class (binary: negative, positive; multilabel: records with the label; regression: lower and upper half of the
        first target) to the share of its records that hold the motif.
    positions
        Histogram of the middle of each record's best site along the record, ``(classes, bins)``: bin b of B spans
        b/B to (b+1)/B of the record.
    importance, importance_se
        Mean of what a record's loss (nats) rises when the filters output their mean and what it falls, all filters
        doing so, when they do not, the model calibrated anew each time; and its standard error.
    effects
        Output (binary: the positive class) to the mean rise of its logit, in records that hold the motif, over the same
        with its filters silenced: what the motif speaks for.
    matches
        Targets of the database at the q-value asked for, best first; see `Match.significant`.
    significant
        Whether the model learned something and the importance is clearly above 0; the set's notes give the rule.
    folds_found, folds
        In how many folds of cross-validation it was found, and of how many; None and 0 where that is not known.
    """

    motif: Motif
    filters: tuple[int, ...]
    sites: Sites = field(repr=False)
    shares: dict[str, float]
    positions: npt.NDArray[np.int64] = field(repr=False)
    importance: float
    importance_se: float
    effects: dict[str, float]
    matches: tuple[Match, ...] = ()
    significant: bool = False
    folds_found: int | None = None
    folds: int = 0

    @property
    def name(self) -> str:
        """``motif_1`` is the most important one."""
        return self.motif.name

    @property
    def importance_interval(self) -> tuple[float, float]:
        """95% interval of the importance over records."""
        return (self.importance - 1.96 * self.importance_se, self.importance + 1.96 * self.importance_se)

    @property
    def share_positive(self) -> float | None:
        """Share of the positives of a binary task that hold the motif; None for other tasks."""
        return list(self.shares.values())[1] if len(self.shares) == 2 else None

    @property
    def share_negative(self) -> float | None:
        """Share of the negatives of a binary task that hold the motif; None for other tasks."""
        return next(iter(self.shares.values())) if len(self.shares) == 2 else None

    @property
    def significant_matches(self) -> tuple[Match, ...]:
        """The matches that beat the column shuffles too."""
        return tuple(match for match in self.matches if match.significant)

    @property
    def best(self) -> Match | None:
        """The best significant match, or None."""
        return next(iter(self.significant_matches), None)

    def _repr_html_(self) -> str:
        return _gallery([self])


@dataclass(frozen=True)
class MotifSet:
    """The motifs of a model, most important first.

    Parameters
    ----------
    motifs
        Those found, motif_1 first.
    alphabet, background
        Letters, and their frequencies in the data ``(A,)``.
    dead, flat
        Filters that were never active, and filters whose sites have no position that tells anything.
    learned
        Whether the model's figures on records it was not trained on are beyond chance.
    database
        What the motifs were compared with; empty if they were not.
    threshold
        A site is an activation above this share of its filter's maximum.
    qvalue
        A match counts up to this q-value.
    notes
        Sentences that say how this came about.
    folds
        How many folds of cross-validation the model was measured in; 0 where their motifs are not known.
    """

    motifs: tuple[FoundMotif, ...]
    alphabet: Alphabet
    background: npt.NDArray[np.float64]
    dead: tuple[int, ...] = ()
    flat: tuple[int, ...] = ()
    learned: bool = False
    database: str = ""
    threshold: float = 0.5
    qvalue: float = 0.05
    notes: tuple[str, ...] = ()
    folds: int = 0

    def __len__(self) -> int:
        return len(self.motifs)

    def __iter__(self) -> Iterator[FoundMotif]:
        return iter(self.motifs)

    def __getitem__(self, index: int) -> FoundMotif:
        return self.motifs[index]

    @property
    def significant(self) -> tuple[FoundMotif, ...]:
        """The motifs that are significant."""
        return tuple(m for m in self.motifs if m.significant)

    def to_meme(self) -> str:
        """Return the motifs, most important first, as the text of a MEME file.

        Raises
        ------
        FormatError
            If there is no motif.
        """
        return "".join(meme_text([m.motif for m in self.motifs], self.background))

    def match(
        self,
        database: str | Path | Sequence[Motif] = "jaspar",
        *,
        taxon: str | None = None,
        qvalue: float = 0.05,
        seed: int = 0,
    ) -> "MotifSet":
        """Return the set with its motifs compared with another database; see `seqcnn.motifs.compare.compare`.

        Parameters
        ----------
        database
            ``"jaspar"``, a MEME file, or motifs.
        taxon
            A taxonomic group of JASPAR.
        qvalue
            Largest q-value of a match.
        seed
            Of the column shuffles.

        Raises
        ------
        OptionError
            For protein motifs against JASPAR, which holds DNA motifs.
        """
        if database == "jaspar" and not self.alphabet.has_complement:
            raise OptionError("JASPAR holds DNA motifs; pass a MEME file of protein motifs as the database")
        opened = open_database(database, taxon=taxon)
        found = compare([m.motif for m in self.motifs], opened, qvalue=qvalue, seed=seed)
        motifs = tuple(replace(m, matches=matches) for m, matches in zip(self.motifs, found, strict=True))
        return replace(self, motifs=motifs, database=opened.name)

    def to_table(self) -> "pd.DataFrame":
        """Return one row a motif: name, consensus, sites, shares, importance and its interval, best match."""
        import pandas as pd

        return pd.DataFrame([motif_row(m) for m in self.motifs], columns=None if self.motifs else ["motif"])

    def __repr__(self) -> str:
        lines = [f"MotifSet: {len(self.motifs)} motifs, {len(self.significant)} significant"]
        for m in self.motifs[:10]:
            best = f"{m.best.name} ({m.best.family}), q {m.best.qvalue:.1g}" if m.best else "no match"
            again = f"  in {m.folds_found} of {m.folds} folds" if m.folds else ""
            lines.append(f"  {m.name:9} {m.motif.consensus:24} importance {m.importance:+.4f}{again}  {best}")
        return "\n".join(lines + ["  ..."] * (len(self.motifs) > 10))

    def _repr_html_(self) -> str:
        shown = self.motifs[:12]
        head = f"<p><b>{len(self.motifs)} motifs</b>, {len(self.significant)} significant"
        more = f"; the {len(shown)} most important</p>" if len(shown) < len(self.motifs) else "</p>"
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return head + more + _gallery(shown) + (f"<ul style='font-size:.85em'>{notes}</ul>" if notes else "")


def motif_row(found: FoundMotif) -> dict[str, Any]:
    """Return what motifs.tsv says of a motif."""
    low, high = found.importance_interval
    best = found.best
    return {
        "motif": found.name,
        "consensus": found.motif.consensus,
        "width": len(found.motif),
        "information": round(float(found.motif.information.sum()), 3),
        "nsites": found.motif.nsites,
        "importance": found.importance,
        "importance_low": low,
        "importance_high": high,
        "significant": found.significant,
        "folds_found": found.folds_found,
        "folds": found.folds or None,
        **{f"effect_{label}": rise for label, rise in found.effects.items()},
        **{f"share_{label}": share for label, share in found.shares.items()},
        "match": best.name if best else "",
        "match_accession": best.accession if best else "",
        "match_family": best.family if best else "",
        "match_class": best.target.tf_class if best else "",
        "match_qvalue": best.qvalue if best else None,
        "filters": " ".join(map(str, found.filters)),
    }


def _gallery(motifs: Sequence[FoundMotif]) -> str:
    """Return motifs as an HTML table: logo, what it resembles, shares, importance as a bar, folds that found it."""
    widest = max((abs(m.importance) for m in motifs), default=0) or 1
    rows, faint = [], " style='opacity:.6'"
    for m in motifs:
        best = m.best
        what = f"<b>{escape(best.name)}</b><br>{escape(best.family)}<br>q {best.qvalue:.1e}" if best else "no match"
        shares = "<br>".join(f"{escape(label)} {share:.1%}" for label, share in m.shares.items())
        bar = 90 * abs(m.importance) / widest
        color = "#0072b2" if m.importance >= 0 else "#d55e00"
        cells = (
            f"<b>{escape(m.name)}</b><br>{m.motif.nsites:,} sites"
            + (f"<br>in {m.folds_found} of {m.folds} folds" if m.folds else ""),
            logo_svg(m.motif, height=56),
            what,
            shares,
            f"<div style='width:{bar:.0f}px;height:8px;background:{color}'></div>{m.importance:+.3f} ± "
            f"{1.96 * m.importance_se:.3f}{'' if m.significant else '<br>not significant'}",
        )
        row = "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells)
        rows.append(f"<tr{'' if m.significant else faint}>{row}</tr>")
    names = ("motif", "logo", "resembles", "records that hold it", "importance (nats)")
    header = "".join(f"<th style='text-align:left'>{name}</th>" for name in names)
    return f"<table><thead><tr>{header}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
