"""The page on variants: the strongest as two alleles, letters as tall as they matter, with the motif that changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from seqcnn.alphabet import DNA, INVALID, Alphabet
from seqcnn.inference.effects import Effect, effects
from seqcnn.inference.mutagenesis import mutagenesis
from seqcnn.model.model import Model
from seqcnn.motif import Motif
from seqcnn.motifs.changes import AGREEMENT, AROUND, PVALUE, RATIO, Allele, MotifChange, motif_changes
from seqcnn.plot.alleles import Site, Track, alleles_svg
from seqcnn.plot.canvas import figure
from seqcnn.plot.effects import draw_effects
from seqcnn.plot.svg import to_svg
from seqcnn.reporting.document import Group, HTMLReport, Part, Run, environment, page
from seqcnn.sequence import Codes
from seqcnn.variant import before

Floats = npt.NDArray[np.float64]

#: Letters drawn on either side of a change, and of a long allele.
_FLANK = AROUND
_LETTERS = 30


@dataclass(frozen=True)
class Strong:
    """A variant that is drawn.

    Parameters
    ----------
    place, name, change, kind
        As people write them: ``chr1:7``, its ID, ``A>G``, SNV.
    scores
        Of the reference and the alternative allele, and the effect, each ``(columns,)``.
    windows
        Of both alleles.
    sizes
        Letters of both alleles, in the middle of their windows.
    neighbors
        Variants of the same haplotype that were applied with it.
    """

    place: str
    name: str
    change: str
    kind: str
    scores: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]
    windows: tuple[bytes, bytes]
    sizes: tuple[int, int]
    neighbors: int = 0

    @property
    def output(self) -> int:
        """The output that changes most."""
        return int(np.nan_to_num(np.abs(self.scores[2]), nan=0.0).argmax())

    @property
    def effect(self) -> float:
        """Its effect."""
        return float(self.scores[2][self.output])

    @property
    def spans(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where both alleles lie in their windows, as far as they are seen."""
        width = len(self.windows[0])
        starts = [before(width, b"N" * size) for size in self.sizes]
        low, high = ((max(0, s), min(width, s + size)) for s, size in zip(starts, self.sizes, strict=True))
        return low, high


@dataclass(frozen=True)
class Findings:
    """What the page tells.

    Parameters
    ----------
    title
        Of the page.
    strong
        The strongest variants, the strongest first.
    sample
        Effects of all alleles, or of a sample of them, ``(n, columns)``.
    columns
        Names of the outputs compared.
    effect, meaning, unit
        What an effect is, in words, and of what.
    strands
        ``both`` or ``forward``.
    facts
        Names and values for the summary.
    notes
        What was said on the way.
    command
        That makes the page again.
    """

    title: str
    strong: Sequence[Strong]
    sample: npt.NDArray[np.float32]
    columns: tuple[str, ...]
    effect: Effect
    meaning: str
    unit: str
    strands: str
    facts: Sequence[tuple[str, str]]
    notes: Sequence[str]
    command: str = ""


def variants_report(
    model: Model, findings: Findings, *, motifs: Sequence[Motif] = (), database: str = "", device: str = "auto"
) -> HTMLReport:
    """Return the page on the strongest variants.

    Parameters
    ----------
    model
        That the effects are of.
    findings
        What was found.
    motifs
        Whose gain and loss is looked for; none to leave it out.
    database
        What the motifs are called together.
    device
        As `seqcnn.runtime.pick_device` takes it.
    """
    alphabet = model.alphabet or DNA
    pairs = _alleles(model, findings, alphabet, device)
    signed = [
        tuple(replace(one, importance=one.importance * sign) for one, sign in zip(pair, _signs(strong), strict=True))
        for strong, pair in zip(findings.strong, pairs, strict=True)
    ]
    changes = motif_changes(motifs, [(low, high) for low, high in signed]) if motifs else [[] for _ in pairs]
    unit = "logit" if _kind(model, findings) == "logit" else findings.unit
    cards = [
        _card(rank, strong, pair, found, findings=findings, alphabet=alphabet, unit=unit)
        for rank, (strong, pair, found) in enumerate(zip(findings.strong, pairs, changes, strict=True), 1)
    ]
    content = {
        "f": findings,
        "unit": unit,
        "cards": cards,
        "database": database,
        "motifs": len(motifs),
        "pvalue": PVALUE,
        "ratio": RATIO,
        "agreement": AGREEMENT,
        "several": len(findings.columns) > 1,
        "plot": _distribution(findings),
        "model": model,
    }
    groups: list[Group] = []
    for name, title in (("summary", "Summary"), ("strongest", "Strongest variants"), ("methods", "Methods")):
        text = environment().get_template(f"variants_{name}.j2").render(content)
        part = Part(f"variants_{name}", "", Markup(text.strip()))
        groups.append(Group(title, name, not groups, [Run(False, [part])]))
    made = [f"model of {model.record.created[:10]}"] if model.record.created else []
    facts = [f"{type(model.network).__name__} network", *made]
    return HTMLReport(page(groups, title=findings.title, facts=facts, kind="variant report"))


def _signs(strong: Strong) -> tuple[float, float]:
    """Return what makes the importance of letters in favor of each allele's score positive where its motif acts."""
    sign = 1.0 if strong.effect > 0 else -1.0
    return -sign, sign


def _kind(model: Model, findings: Findings) -> Effect:
    """Return in what importance is measured: in logits of classes, in the numbers' own units or in their logits."""
    return "probability" if model.task.numeric and findings.effect != "logit" else "logit"


def _alleles(model: Model, findings: Findings, alphabet: Alphabet, device: str) -> list[tuple[Allele, Allele]]:
    """Return both alleles of each variant with the importance of the letters that are drawn."""
    kind = _kind(model, findings)
    records: list[tuple[Codes, int, int]] = []
    for strong in findings.strong:
        for text, (start, end) in zip(strong.windows, strong.spans, strict=True):
            codes = np.frombuffer(text.translate(alphabet.lookup), np.uint8)
            codes = np.where(codes == INVALID, np.uint8(alphabet.any_code), codes)
            records.append((codes, max(0, start - _FLANK), min(end, start + _LETTERS)))
            records.append((codes, end, min(len(codes), end + _FLANK)))
    logits = mutagenesis(
        model.encoder, model.network, records, size=alphabet.size, strands=findings.strands, device=device
    )
    made = []
    for i in range(0, len(records), 2):
        strong = findings.strong[i // 4]
        codes = records[i][0]
        importance = np.zeros(len(codes))
        for (_, low, high), all_logits in zip(records[i : i + 2], logits[i : i + 2], strict=True):
            importance[low:high] = _importance(model, codes[low:high], all_logits, kind, strong.output)
        made.append(Allele(codes, *strong.spans[i // 2 % 2], importance))
    return list(zip(made[::2], made[1::2], strict=True))


def _importance(model: Model, codes: Codes, logits: npt.NDArray[np.float32], kind: Effect, output: int) -> Floats:
    """Return how much higher the output is with each letter than with the others on average, ``(n,)``."""
    count, size, outputs = logits.shape
    own = np.minimum(codes & 0x7F, size - 1).astype(np.int64)
    as_is = np.repeat(logits[np.arange(count), own], size, 0)
    changed, kept = (model.calibrated(part) for part in (logits.reshape(-1, outputs), as_is))
    difference = effects(model.task, changed, kept, kind)[2][:, output].reshape(count, size).astype(np.float64)
    known = (codes & 0x7F) < size
    return np.where(known, difference.sum(1) / (size - 1), 0.0)


def _card(
    rank: int,
    strong: Strong,
    pair: tuple[Allele, Allele],
    changes: Sequence[MotifChange],
    *,
    findings: Findings,
    alphabet: Alphabet,
    unit: str,
) -> dict[str, Any]:
    """Return what the template shows of one variant."""
    left = min(_FLANK, *(allele.start for allele in pair))
    right = min(_FLANK, *(len(allele.codes) - allele.end for allele in pair))
    wide = max(min(_LETTERS, allele.end - allele.start) for allele in pair)
    cut = any(allele.end - allele.start > _LETTERS for allele in pair)
    columns = [_columns(allele, left, wide + cut, right) for allele in pair]
    tracks = []
    for name, allele, places in zip(("ref", "alt"), pair, columns, strict=True):
        letters = ["…" if cut and i == left + wide and allele.end - allele.start > _LETTERS else " "
                   for i in range(left + wide + cut + right)]  # fmt: skip
        tall = np.zeros(len(letters))
        for place, column in places.items():
            letters[column] = alphabet.spelling.decode("latin-1")[int(allele.codes[place]) & 0x7F]
            tall[column] = allele.importance[place]
        tracks.append(Track(name, "".join(letters), tall))
    best = changes[0] if changes else None
    drawn = alleles_svg(
        tracks,
        (left, left + wide + cut),
        alphabet,
        site=None if best is None else _site(best, columns[best.gained]),
        unit=f"importance: change in {unit}",
        title=f"{strong.place} {strong.change}: importance of each letter in both alleles",
        key=str(rank),
    )
    others = (
        list(dict.fromkeys(change.motif.label for change in changes[1:] if change.motif.label != best.motif.label))
        if best
        else []
    )
    return {
        "rank": rank,
        "anchor": f"variant-{rank}",
        "v": strong,
        "svg": Markup(drawn),
        "low": float(strong.scores[0][strong.output]),
        "high": float(strong.scores[1][strong.output]),
        "output": findings.columns[strong.output],
        "outputs": [
            (name, *(float(part[k]) for part in strong.scores)) for k, name in enumerate(findings.columns)
        ],
        "best": best,
        "others": others[:4],
        "share": abs(strong.effect) / max(abs(findings.strong[0].effect), 1e-12),
    }  # fmt: skip


def _columns(allele: Allele, left: int, wide: int, right: int) -> dict[int, int]:
    """Return the column in which each letter of an allele stands, by its place in the window."""
    places = {allele.start - left + i: i for i in range(left)}
    places |= {allele.start + i: left + i for i in range(min(_LETTERS, allele.end - allele.start))}
    return places | {allele.end + i: left + wide + i for i in range(right)}


def _site(change: MotifChange, columns: dict[int, int]) -> Site | None:
    """Return the site of a motif in the columns that are drawn."""
    motif = change.motif.reverse_complement() if change.reverse else change.motif
    shown = [i for i in range(len(motif)) if change.start + i in columns]
    if not shown:
        return None
    sign = "gained" if change.gained else "lost"
    name = f"{motif.label}{' (−)' if change.reverse else ''} {sign}"
    part = replace(motif, probabilities=motif.probabilities[shown])
    return Site(name, part, tuple(columns[change.start + i] for i in shown), int(change.gained))


def _distribution(findings: Findings) -> Markup | None:
    """Return the distribution of effects, of the output that changes most in the strongest variant."""
    if not findings.strong:
        return None
    output = findings.strong[0].output
    fig, (ax,) = figure(560, 240)
    of = f" for {findings.columns[output]}" if len(findings.columns) > 1 else ""
    name = {"logit": "difference of logits", "log2fold": "log2 fold"}.get(
        findings.effect, f"difference of {findings.unit}"
    )
    strongest = [float(strong.scores[2][output]) for strong in findings.strong]
    draw_effects(findings.sample[:, output], strongest, ax, x=f"effect{of}: {name}")
    return Markup(to_svg(fig, title="Distribution of effects"))
