"""The demo: an example whose truth is known, taken the whole way from FASTA to report."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from seqcnn.data.synthetic import Letters, background, plant
from seqcnn.io.writing import atomic
from seqcnn.model.evaluation import Evaluation, evaluate
from seqcnn.model.model import Model
from seqcnn.motif import Motif
from seqcnn.motifs.find import find_motifs
from seqcnn.motifs.found import FoundMotif, MotifSet
from seqcnn.motifs.jaspar import jaspar
from seqcnn.options import DemoOptions, MotifOptions, TrainOptions
from seqcnn.workflow.read import read
from seqcnn.workflow.report import report
from seqcnn.workflow.train import train

#: JASPAR accessions of the factor, of its partner in liver enhancers, and of a decoy that is as frequent in negatives.
FACTOR, PARTNER, DECOY = "MA0148.5", "MA0114.5", "MA0060.4"
#: Preferred distance between the factor's site and the partner's, in bases, and how far it varies.
SPACING: Final = 12
SPACING_JITTER: Final = 2
#: Share of positives with a site of the factor; of those, share that have the partner beside it.
WITH_FACTOR, WITH_PARTNER = 0.85, 0.6
#: Share of all records with the decoy; share of negatives with a lonely site of the partner.
WITH_DECOY, LONELY_PARTNER = 0.35, 0.1
#: Lengths of the records, and how far from the middle (standard deviation) a factor is bound.
SHORTEST, LONGEST, SUMMIT_SD = 160, 240, 20
#: Held-out records for each training record.
HELD_OUT: Final = 0.25

#: Names of the files: the stems are the class names, the same in training and held out.
FILES = ("positives.fa", "negatives.fa", "heldout/positives.fa", "heldout/negatives.fa")


@dataclass(frozen=True)
class Example:
    """The generated records by file name, and the motifs that were planted."""

    records: dict[str, list[str]]
    factor: Motif
    partner: Motif
    decoy: Motif


def bundled(accession: str) -> Motif:
    """Return one matrix of the bundled JASPAR collection."""
    return next(motif for motif in jaspar("vertebrates") if motif.name == accession)


def generate(records: int, seed: int = 0) -> Example:
    """Return an example with `records` training records, half of them positive, and a quarter as many held out.

    Examples
    --------
    >>> {name: len(letters) for name, letters in generate(40).records.items()}
    {'positives.fa': 20, 'negatives.fa': 20, 'heldout/positives.fa': 5, 'heldout/negatives.fa': 5}
    """
    rng = np.random.default_rng(seed)
    factor, partner, decoy = bundled(FACTOR), bundled(PARTNER), bundled(DECOY)
    half = records // 2
    made = {}
    for name, count in zip(FILES, (half, half, int(half * HELD_OUT), int(half * HELD_OUT)), strict=True):
        sequences = background(rng.integers(SHORTEST, LONGEST + 1, count), rng)
        scatter([decoy], sequences, share=WITH_DECOY, rng=rng)
        if "positives" in name:
            bind(sequences, factor, partner, rng)
        else:
            scatter([partner], sequences, share=LONELY_PARTNER, rng=rng)
        made[name] = ["".join("ACGT"[code] for code in codes) for codes in sequences]
    return Example(made, factor, partner, decoy)


def scatter(motifs: Sequence[Motif], sequences: list[Letters], *, share: float, rng: np.random.Generator) -> None:
    """Plant `motifs` anywhere in a share of the sequences."""
    chosen = [codes for codes in sequences if rng.random() < share]
    plant(chosen, motifs, at=[int(rng.integers(len(codes))) for codes in chosen], rng=rng)


def bind(sequences: list[Letters], factor: Motif, partner: Motif, rng: np.random.Generator) -> None:
    """Plant the factor near the middle of most sequences, in many of them with its partner at the preferred spacing."""
    for codes in sequences:
        if rng.random() >= WITH_FACTOR:
            continue
        parts: list[Motif | int] = [factor]
        if rng.random() < WITH_PARTNER:
            parts += [SPACING + int(rng.integers(-SPACING_JITTER, SPACING_JITTER + 1)), partner]
        plant([codes], parts, at=[round(rng.normal(len(codes) / 2, SUMMIT_SD))], rng=rng)


def fasta(names: str, records: Iterable[str], width: int = 80) -> str:
    r"""Return records as FASTA text, named by `names` and a number.

    >>> fasta("peak", ["ACGT"])
    '>peak_1\nACGT\n'
    """
    lines = []
    for number, letters in enumerate(records, 1):
        lines.append(f">{names}_{number}")
        lines.extend(letters[start : start + width] for start in range(0, len(letters), width))
    return "\n".join(lines) + "\n"


def write_example(example: Example, folder: Path) -> None:
    """Write the example's FASTA files into a folder that exists."""
    (folder / "heldout").mkdir(exist_ok=True)
    for name, letters in example.records.items():
        with atomic(folder / name) as stream:
            stream.write(fasta(name.removesuffix("s.fa").replace("/", "_"), letters))


@dataclass(frozen=True)
class Verdict:
    """What the demo came to: the trained model, its figures, its motifs, and whether they are the planted ones."""

    example: Example
    model: Model
    evaluation: Evaluation
    motifs: MotifSet

    def found(self, planted: Motif) -> FoundMotif | None:
        """Return the most important significant motif whose best JASPAR match is of the planted one's family."""
        for motif in self.motifs.significant:
            if motif.best is not None and motif.best.family == planted.family:
                return motif
        return None

    def sentences(self) -> list[str]:
        """Say of each planted motif whether it was found, and of the decoy whether it was left alone."""
        lines = []
        for role, planted in (("factor", self.example.factor), ("partner", self.example.partner)):
            motif = self.found(planted)
            if motif is None or motif.best is None:
                lines.append(f"the planted {role} {planted.alt} was NOT found among the significant motifs")
            else:
                lines.append(
                    f"the planted {role} {planted.alt} was found: {motif.name} resembles {motif.best.name} "
                    f"({motif.best.family}), q {motif.best.qvalue:.1g}"
                )
        decoy = self.example.decoy.alt
        if self.found(self.example.decoy) is None:
            lines.append(f"the decoy {decoy}, as frequent in the negatives, was rightly left out")
        else:
            lines.append(f"the decoy {decoy} was WRONGLY listed, though it is as frequent in the negatives")
        return lines


def demo(folder: Path, options: DemoOptions, *, say: Callable[[str], None], progress: bool | None = None) -> Verdict:
    """Generate the example in a folder that exists, train, evaluate, find motifs, and write ``report.html``.

    Parameters
    ----------
    folder
        Where everything goes: FASTA files, ``model.safetensors``, ``report.html``.
    options
        Size and seed of the example.
    say
        Told what is being done, a sentence at a time.
    progress
        Whether to show a bar; None shows it on a terminal.

    Raises
    ------
    OutputFileError, DiskFullError
        If the folder cannot be written.
    """
    example = generate(options.records, options.seed)
    say(
        f"generated {options.records:,} training records: {example.factor.alt} sites, often {SPACING} bases from "
        f"{example.partner.alt}, in {WITH_FACTOR:.0%} of the positives; {example.decoy.alt} as a decoy in both classes"
    )
    write_example(example, folder)
    data = read([folder / name for name in FILES[:2]])
    for note in data.summary.notes:
        say(note)
    held_out = read([folder / name for name in FILES[2:]], like=data)
    given = ["seqcnn", "demo", "-o", folder, "--records", options.records, "--seed", options.seed]
    given += [] if options.epochs is None else ["--epochs", options.epochs]
    given += [] if options.device == "auto" else ["--device", options.device]
    command = shlex.join(map(str, given))
    learning = TrainOptions(epochs=options.epochs, device=options.device, seed=options.seed)
    model = train(data, learning, test=held_out, progress=progress, command=command)
    model.save(folder / "model.safetensors")
    for note in model.record.notes:
        say(note)
    say("trained; now the figures on held-out records, the motifs, and their matches in JASPAR")
    evaluation = evaluate(model, held_out, seed=options.seed)
    chosen = MotifOptions(seed=options.seed, device=options.device)
    motifs = find_motifs(model, held_out, options=chosen, evaluation=evaluation)
    page = folder / "report.html"
    report(model, held_out, page, options=chosen, evaluation=evaluation, motifs=motifs, command=command)
    return Verdict(example, model, evaluation, motifs)
