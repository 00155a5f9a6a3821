"""Shortcuts: plain properties that give the targets away, each with its figure, interval and verdict."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from seqcnn.kmers import kmer_word, n_kmers, presence
from seqcnn.quality.check import Check
from seqcnn.quality.findings import Figure, Finding, Level, Outcome, Shortcut
from seqcnn.quality.intervals import Measured, auroc_interval, spearman_interval
from seqcnn.quality.properties import SIGNAL, UNSEEN, Property, properties
from seqcnn.quality.subject import Contrast, Floats, Subject
from seqcnn.sequence import Sequences

#: AUROC and Spearman's correlation from which a property matters; what may itself be the signal matters later.
MATTERS = {"auroc": 0.60, "spearman": 0.30}
SIGNAL_MATTERS = {"auroc": 0.90, "spearman": 0.70}
#: From here on a property all but decides, and is a problem.
DECIDES = {"auroc": 0.95, "spearman": 0.90}
#: Nearest to chance that the interval may reach; its level is this, divided by the number of figures looked at.
_LEAST = {"auroc": 0.55, "spearman": 0.20}
_LEVEL = 0.01
#: A rule by bins is told instead of a monotone one where it is so much better.
_BETTER = 0.05
_BINS = 10
#: Words up to this length, and letters of the records they are looked for in.
_WORDS, _LETTERS = (1, 2, 3, 4, 5, 6), 20_000_000


@dataclass(frozen=True)
class _Row:
    one: Property
    contrast: Contrast
    measured: Measured
    remark: str = ""


class Shortcuts(Check):
    """Suits whatever has targets."""

    name: ClassVar[str] = "shortcuts"
    needs_targets: ClassVar[bool] = True

    def look(self, subject: Subject) -> Outcome:
        """Return the table of figures, strongest first, and those that matter and are sure as findings."""
        contrasts = subject.contrasts
        if not contrasts:
            return Outcome(notes=("shortcuts were not looked for: there are not two classes of five records or more",))
        rows = [_measure(one, contrast, subject) for one in properties(subject) for contrast in contrasts]
        notes: tuple[str, ...] = ()
        if isinstance(subject.data.raw, Sequences):
            words, notes = _words(subject, subject.data.raw)
            rows += words
        table, findings = [], []
        z = _normal_tail(_LEVEL / max(2 * len(rows), 1))
        names = list(dict.fromkeys(row.one.name for row in rows))
        best = [max((r for r in rows if r.one.name == name), key=_strength) for name in names]
        best.sort(key=_strength, reverse=True)
        told: set[str] = set()
        for row in best:
            sure = row.measured.z > z and row.measured.least(z) >= _LEAST[row.measured.figure.name]
            limits = SIGNAL_MATTERS if row.one.standing == SIGNAL else MATTERS
            matters = sure and abs(row.measured.figure.value) >= limits[row.measured.figure.name]
            table.append(
                Shortcut(row.one.name, row.one.title, row.contrast.name, row.measured.figure, matters, _said(row))
            )
            if matters and row.one.family not in told:
                told.add(row.one.family)
                findings.append(_finding(row))
        return Outcome(tuple(findings), tuple(table), notes)


def _normal_tail(p: float) -> float:
    from scipy.stats import norm

    return float(norm.isf(p))


def _strength(row: _Row) -> float:
    figure = row.measured.figure
    return figure.value - 0.5 if figure.name == "auroc" else abs(figure.value) / 2


def _measure(one: Property, contrast: Contrast, subject: Subject) -> _Row:
    """Return how far one property gives one contrast away."""
    known = np.isfinite(contrast.truth)
    truth, values, half = contrast.truth[known], one.values[known], subject.half[known]
    if values.dtype.kind == "U":
        _, codes = np.unique(values, return_inverse=True)
        return _Row(one, contrast, _score(truth, _by_bins(truth, codes, half), contrast.numeric), "held out")
    numbers = values.astype(np.float64)
    plain = _score(truth, numbers, contrast.numeric)
    edges = np.unique(np.quantile(numbers[half], np.linspace(0, 1, _BINS + 1)[1:-1])) if half.any() else np.zeros(0)
    binned = _score(truth, _by_bins(truth, np.searchsorted(edges, numbers, "right"), half), contrast.numeric)
    if binned.rises and abs(binned.figure.value) > abs(plain.figure.value) + _BETTER:
        return _Row(one, contrast, binned, "in tenths, held out: neither more nor less, but certain values")
    return _Row(one, contrast, plain)


def _score(truth: Floats, values: npt.ArrayLike, numeric: bool) -> Measured:
    return spearman_interval(truth, values) if numeric else auroc_interval(truth, values)


def _by_bins(truth: Floats, bins: npt.NDArray[np.intp], half: npt.NDArray[np.bool_]) -> Floats:
    """Return for each record the mean target of its bin in the other half of the records, ``(N,)``."""
    size = int(bins.max(initial=0)) + 1
    scores = np.full(len(truth), float(truth.mean()))
    for here in (half, ~half):
        if not (~here).any():
            continue
        mean = float(truth[~here].mean())
        total = np.bincount(bins[~here], truth[~here], size) + mean  # as if each bin held one more record, a mean one
        scores[here] = (total / (np.bincount(bins[~here], minlength=size) + 1))[bins[here]] - mean
    return scores


def _words(subject: Subject, raw: Sequences) -> tuple[list[_Row], tuple[str, ...]]:
    """Return the k-mer whose presence tells most for each contrast: chosen on one half, measured on the other."""
    from scipy.sparse import csr_matrix

    alphabet = subject.data.alphabet
    if alphabet is None:
        return [], ()
    rows, notes = np.arange(len(raw)), tuple[str, ...]()
    if len(raw.buffer) > _LETTERS:
        drawn = np.random.default_rng(subject.seed).permutation(len(raw))
        rows = np.sort(drawn[: max(int(np.searchsorted(np.cumsum(raw.lengths[drawn]), _LETTERS)), 2)])
        raw = raw.take(rows)
        notes = (f"single k-mers were looked for in {len(rows):,} records, drawn at random",)
    ks = _WORDS if alphabet.size == 4 else (1, 2, 3)
    canonical = alphabet.has_complement
    starts = np.cumsum([0, *(n_kmers(k, alphabet, canonical) for k in ks)])
    indptr, columns = presence(raw, ks, alphabet, canonical=canonical)
    held = csr_matrix((np.ones(len(columns), np.float32), columns, indptr), shape=(len(raw), int(starts[-1])))
    found = []
    half = subject.half[rows]
    for contrast in subject.contrasts:
        truth = contrast.truth[rows]
        known = np.isfinite(truth)
        one, other = known & half, known & ~half
        if min(one.sum(), other.sum()) < 2 * _BINS or not (_varied(truth[one]) and _varied(truth[other])):
            continue
        ranks = _ranks(truth[one])
        part = held[one]
        mean = np.asarray(part.mean(0)).ravel()
        lean = np.asarray(part.T @ (ranks - ranks.mean())).ravel() / len(ranks)
        if contrast.numeric:
            lean = lean / np.sqrt(np.maximum(mean * (1 - mean), 1e-3))
        at = int(np.abs(lean).argmax())
        k = ks[int(np.searchsorted(starts, at, "right")) - 1]
        word = kmer_word(at - int(starts[ks.index(k)]), k, alphabet, canonical=canonical)
        has = np.asarray(held[other][:, [at]].toarray()).ravel().astype(np.float64)
        if not _varied(has):
            continue
        strand = " on either strand" if canonical else ""
        one_word = Property(
            "kmer", "kmer", f"presence of {word}{strand}", held[:, [at]].toarray().ravel(), SIGNAL,
            "If it is not the motif sought, look for adapters, primers, barcodes or tags, and cut them off.",
            percent=True,
        )  # fmt: skip
        truth_other = replace(contrast, truth=np.where(other, truth, np.nan))
        found.append(
            _Row(
                one_word,
                truth_other,
                _score(truth[other], has, contrast.numeric),
                "chosen on one half, measured on the other",
            )
        )
    return found, notes


def _varied(values: Floats) -> bool:
    return len(values) > 0 and bool((values != values[0]).any())


def _ranks(values: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values)) / len(values)


def _said(row: _Row) -> str:
    """Return the means of both sides, or the direction, and how the figure was measured."""
    values, truth = row.one.values, row.contrast.truth
    parts = []
    if values.dtype.kind != "U":
        numbers = values.astype(np.float64)
        if row.contrast.numeric:
            parts.append("more goes with more" if row.measured.rises else "more goes with less")
        else:
            sides = [float(np.nanmean(numbers[truth == side])) for side in (1, 0)]
            shown = [f"{100 * v:.1f}%" if row.one.percent else f"{v:.4g}" for v in sides]
            parts.append(f"on average {shown[0]} against {shown[1]}")
    return "; ".join([*parts, *([row.remark] if row.remark else [])])


def _finding(row: _Row) -> Finding:
    one, figure = row.one, row.measured.figure
    if row.contrast.numeric:
        title = f"{one.title} alone goes with target {row.contrast.name!r}"
    else:
        title = f"{one.title} alone tells {row.contrast.name!r} from {row.contrast.other!r}".replace(
            "'the other classes'", "the other classes"
        )
    said = _said(row).split(";")[0] if one.values.dtype.kind != "U" else _examples(row)
    return Finding(
        f"shortcut_{one.family}",
        _graded(one, figure),
        f"{title[:1].upper()}{title[1:]}: {figure}" + (f", {said}" if said else ""),
        one.advice,
        figure=figure,
    )


def _examples(row: _Row) -> str:
    """Return the commonest names on either side."""
    shown = []
    for side in (1, 0):
        values = row.one.values[row.contrast.truth == side]
        if len(values):
            names, counts = np.unique(values, return_counts=True)
            shown.append(repr(str(names[counts.argmax()])))
    return "mostly " + " against ".join(shown) if len(set(shown)) == 2 else ""


def _graded(one: Property, figure: Figure) -> Level:
    if one.standing == UNSEEN:
        return "warning" if one.grave else "note"
    return "problem" if one.standing != SIGNAL and abs(figure.value) >= DECIDES[figure.name] else "warning"
