"""Small models, evaluations and motifs with hostile names that the tests of the report share."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from small_models import dataset, dna_model, letters

from seqcnn.alphabet import DNA
from seqcnn.data.dataset import Dataset, Source, Summary
from seqcnn.model.evaluation import Evaluation, figures
from seqcnn.model.model import Model
from seqcnn.motif import Motif
from seqcnn.motifs.compare import Match
from seqcnn.motifs.found import FoundMotif, MotifSet, Sites
from seqcnn.reporting.document import build_report
from seqcnn.tasks import fit_task

HOSTILE = "<script>alert(1)</script>"
LABEL = '"><img src=x onerror=alert(2)>'
N = 83


def learned_logits(classes: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Logits ``(N, 1)`` that tell the classes apart well, not perfectly."""
    truth = np.asarray(classes, np.float64)
    return (4 * (truth - 0.5) + np.random.default_rng(4).normal(size=len(truth)) * 1.5)[:, None].astype(np.float32)


def motif_set(rows: int = N) -> MotifSet:
    """One motif with a match, one whose only match fails against shuffles, one that does not matter."""
    rng = np.random.default_rng(6)

    def matrix(length: int) -> npt.NDArray[np.float64]:
        return rng.dirichlet(np.full(4, 0.2), length)

    def sites(count: int) -> Sites:
        records = np.arange(count) % rows
        starts = rng.integers(0, 19, count)
        return Sites(
            ids=tuple(f"{HOSTILE}{r}" for r in records), records=records, starts=starts, ends=starts + 8,
            strands=tuple("+-"[i % 2] for i in range(count)), sequences=("ACGTACGT",) * count,
            activations=np.linspace(1, 0.5, count),
        )  # fmt: skip

    def found(rank: int, importance: float, *matches: Match, significant: bool = True) -> FoundMotif:
        return FoundMotif(
            motif=Motif(f"motif_{rank}", matrix(8), DNA, nsites=40), filters=(rank, 5), sites=sites(40),
            shares={"unbound": 0.1 * rank, LABEL: 0.7}, positions=rng.integers(0, 9, (2, 20)), importance=importance,
            importance_se=0.01, effects={LABEL: 1.5 - rank}, matches=matches, significant=significant,
        )  # fmt: skip

    def match(name: str, *, significant: bool) -> Match:
        target = Motif("MA0139.2", matrix(10), DNA, alt=name, family="C2H2 & more")
        return Match(target, 1e-9, 1e-7, 0.01 if significant else 0.4, -1, 8, True, significant)

    motifs = (
        found(1, 0.4, match("CTCF", significant=True), match(HOSTILE, significant=True)),
        found(2, 0.2, match("NOT-THIS", significant=False)),
        found(3, 0.0, significant=False),
    )
    return MotifSet(motifs, DNA, np.full(4, 0.25), dead=(7,), learned=True, database="JASPAR", notes=("a note",))


def binary(*, learned: bool = True) -> tuple[Model, Evaluation, MotifSet, Dataset]:
    """Model, evaluation, motifs and data of a binary task whose names are hostile."""
    classes = [float(i % 2) for i in range(N)]
    labels = ("unbound", LABEL)
    data = dataset(letters(N, 30, 40, seed=2), classes, labels)
    summary = Summary((Source(LABEL, f"{HOSTILE}.fa", N, "0" * 64),), {"no target": 2}, {"N": 3}, (HOSTILE,))
    data = replace(data, ids=tuple(f"{HOSTILE}{i}" for i in range(N)), summary=summary)
    model = dna_model()
    model.task = fit_task("binary", labels, data.targets)
    history = tuple(
        {"epoch": e, "loss": 1 / e, "valid_loss": 1.1 / e, "auroc": 1 - 0.5 / e, "lr": 1e-3} for e in range(1, 400)
    )
    model.record = replace(model.record, history=history, notes=(HOSTILE,), command=f"seqcnn train {HOSTILE}.fa")
    truth = np.array(classes)
    logits = learned_logits(truth) if learned else learned_logits(np.random.default_rng(0).permutation(truth))
    evaluation = figures(
        model.task, data.targets, logits, baselines={"gc": 0.1 * logits[::-1], "kmer": 0.5 * logits - 0.2},
        ids=data.ids, excluded={"trained_on": 5}, kept=np.arange(N),
    )  # fmt: skip
    return model, evaluation, motif_set(), data


def report_of(model: Model, evaluation: Evaluation | None, motifs: MotifSet | None, data: Dataset) -> str:
    """The report, as the command line asks for it."""
    return build_report(model, evaluation, motifs, data, command=f"seqcnn report m.safetensors {HOSTILE}.fa -o r.html")
