"""Small models, data and motifs, some with hostile names, and a page taken apart: what tests of the report share."""

import base64
import gzip
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from small_models import dataset, dna_model, letters

from seqcnn.alphabet import DNA
from seqcnn.conformal import conformity
from seqcnn.data.dataset import Dataset, Source, Summary
from seqcnn.model.evaluation import Evaluation, figures
from seqcnn.model.model import Model
from seqcnn.motif import Motif
from seqcnn.motifs.compare import Match
from seqcnn.motifs.found import FoundMotif, MotifSet, Sites
from seqcnn.networks import create
from seqcnn.registry import resolve
from seqcnn.reporting.document import build_report
from seqcnn.samples import Samples
from seqcnn.tasks import fit_task

HOSTILE = "<script>alert(1)</script>"
LABEL = '"><img src=x onerror=alert(2)>'
N = 83
#: Tags without an end.
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


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
    held_out = conformity(model.task.nonconformity(data.targets, logits - 0.5))
    model.record = replace(model.record, conformity=held_out)
    evaluation = figures(
        model.task, data.targets, logits, baselines={"gc": 0.1 * logits[::-1], "kmer": 0.5 * logits - 0.2},
        ids=data.ids, excluded={"trained_on": 5}, kept=np.arange(N),
    )  # fmt: skip
    return model, evaluation, motif_set(), data


def report_of(model: Model, evaluation: Evaluation | None, motifs: MotifSet | None, data: Dataset) -> str:
    """The report, as the command line asks for it."""
    return build_report(model, evaluation, motifs, data, command=f"seqcnn report m.safetensors {HOSTILE}.fa -o r.html")


class Page(HTMLParser):
    """A page taken apart: every tag is closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        assert len(attrs) == len({k for k, _ in attrs}), f"<{tag}> has an attribute twice: {attrs}"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def sections(self) -> list[str]:
        return [a["data-section"] for _, a in self.tags if "data-section" in a]

    def file(self, name: str) -> str:
        """The text of a file held in the page."""
        (uri,) = [a["href"] for a in self.all("a") if a.get("download", "").removesuffix(".gz") == name]
        data = base64.b64decode(uri.split("base64,")[1])
        return (gzip.decompress(data) if uri.startswith("data:application/gzip") else data).decode()


def pixels(channels: int, *, dtype: type = np.uint8, n: int = 19, height: int = 13, width: int = 17) -> Any:
    """Random pictures ``(N, C, H, W)``."""
    high = {np.uint8: 256, np.uint16: 65536}.get(dtype, 1)
    drawn = np.random.default_rng(channels).random((n, channels, height, width)) * high
    return drawn.astype(dtype)


def samples(variables: int, *, n: int = 19, missing: bool = False, kind: str = "series") -> Samples:
    """Records of unequal lengths; of trajectories time, x, y and click, of bytes uint8."""
    rng = np.random.default_rng(variables)
    records: list[npt.NDArray[Any]] = []
    for i in range(n):
        values = rng.normal(size=(variables, 40 + 3 * i)).astype(np.float32)
        if kind == "trajectory":
            values[0] = np.arange(values.shape[1])
            values[3] = values[3] > 1.5
        if missing:
            values[0, 5:9] = np.nan
        records.append(rng.integers(0, 256, (1, 90 + i), np.uint8) if kind == "bytes" else values)
    return Samples.from_arrays(records)


def labelled(raw: Any, task: str = "multiclass", *, encoder: str = "pixels", labels: Sequence[str] = ()) -> Dataset:
    """Data of three classes, or of numbers from 0 to 300."""
    n = len(raw)
    classes = task in ("binary", "multiclass")
    labels = tuple(labels) or (("no", "yes") if task == "binary" else ("ant", "bee", "cat") if classes else ("angle",))
    targets = np.arange(n)[:, None] % float(len(labels)) if classes else np.linspace(0, 300, n)[:, None]
    kind = "samples" if isinstance(raw, Samples) else "pixels"
    return Dataset(kind, raw, tuple(f"r{i}" for i in range(n)), targets, task, labels, encoder=encoder)


def untrained(data: Dataset, network: str = "residual", **settings: Any) -> Model:
    """An untrained model for the data."""
    encoder = resolve("encoder", data.encoder).fit(data.raw, **settings)
    task = fit_task(str(data.task), data.labels, data.targets, {"period": 360.0} if data.task == "circular" else {})
    width = encoder.width or int(encoder.columns(torch.from_numpy(data.lengths)).max())
    with torch.random.fork_rng():
        torch.manual_seed(0)
        small = {"stem": 4, "widths": (5, 6)} if network == "residual" else {}
        small = {"groups": 2, "dilations": 2, "biases": 1} if network == "rocket" else small
        made = create(
            network, in_channels=encoder.channels, outputs=task.outputs, height=encoder.height, width=width, **small
        )
    return Model(encoder, made, task, alphabet=None, longest=int(data.lengths.max()))
