"""Small untrained models that the tests of prediction, files, evaluation and scoring share."""

import numpy as np
import torch

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.encode.onehot import OneHot
from seqcnn.encode.pixels import Pixels
from seqcnn.model.model import Model
from seqcnn.model.record import OutOfFold, TrainingRecord
from seqcnn.networks import create
from seqcnn.nn.calibration import Calibration
from seqcnn.sequence import Sequences
from seqcnn.tasks.binary import Binary
from seqcnn.tasks.multiclass import Multiclass


def letters(n: int, low: int, high: int, *, seed: int = 0, alphabet: str = "ACGT") -> list[str]:
    """Random sequences of lengths from low to high."""
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(alphabet), rng.integers(low, high + 1))) for _ in range(n)]


def dna_model(*, strands: str = "both", width: int | None = None, oof: bool = False, seed: int = 0) -> Model:
    """A binary DNA model with both baselines, a moved calibration and a record; with `width` it flattens."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        options = {"positions": True, "width": width} if width else {}
        network = create("motif", in_channels=4, outputs=1, filters=6, filter_width=5, context=3, **options)
        baselines = {
            "gc": create("composition", in_channels=4, outputs=1),
            "kmer": create("kmer", in_channels=4, outputs=1, ks=[2, 3], canonical=True),
        }
        torch.nn.init.normal_(baselines["kmer"].weight)
    calibration = Calibration(1)
    calibration.scale[:] = 1.5
    calibration.bias[:] = -0.25
    known = training_data()
    record = TrainingRecord(
        created="2026-01-02T03:04:05", command="seqcnn train a.fa", seed=7, counts={"train": 20, "valid": 5},
        history=({"epoch": 1, "loss": 0.5},), notes=("a note",), negatives="shuffle",
        trained_hashes=np.sort(record_hashes(known.raw, DNA)), versions={"seqcnn": "0.1.0"},
    )  # fmt: skip
    task = Binary.fit(("unbound", "bound"), known.targets)
    model = Model(
        OneHot("dna"), network, task, alphabet=DNA, longest=40, strands=strands, calibration=calibration,
        baselines=baselines, record=record,
    )  # fmt: skip
    if oof:
        rng = np.random.default_rng(3)
        logits = rng.normal(size=(len(known), 1)).astype(np.float32)
        held = OutOfFold(record_hashes(known.raw, DNA), known.targets, logits, {"gc": -logits}, known.ids)
        model.record = TrainingRecord(**{**record.__dict__, "oof": held})
    return model


def training_data() -> Dataset:
    """The 25 records that `dna_model` counts as trained on."""
    return dataset(letters(25, 30, 40, seed=1), [i % 2 for i in range(25)])


def dataset(sequences: list[str], classes: list[float], labels: tuple[str, ...] = ("unbound", "bound")) -> Dataset:
    """A binary DNA Dataset of strings."""
    codes = Sequences.from_codes([np.frombuffer(s.encode().translate(DNA.lookup), np.uint8) for s in sequences])
    ids = tuple(f"r{i}" for i in range(len(sequences)))
    targets = np.array(classes, np.float64)[:, None]
    return Dataset("codes", codes, ids, targets=targets, task="binary", labels=labels, alphabet=DNA)


def protein_model() -> Model:
    """A model of three classes of proteins."""
    task = Multiclass.fit(("a", "b", "c"), np.array([[0.0], [1.0], [2.0], [2.0]]))
    network = create("deepbind", in_channels=20, outputs=3, filters=5, filter_width=4, hidden=0)
    return Model(OneHot("protein"), network, task, alphabet=PROTEIN, longest=30)


def picture_model() -> Model:
    """A model of two classes of pictures of one channel, 13 by 17 pixels."""
    task = Binary.fit(("plain", "striped"), np.array([[0.0], [1.0]]))
    network = create("lenet", in_channels=1, outputs=1, height=13, width=17, filters=(3, 5), kernel=3, hidden=(7, 6))
    return Model(Pixels(1, 13, 17, mean=[0.4], std=[0.3]), network, task, alphabet=None, longest=17)
