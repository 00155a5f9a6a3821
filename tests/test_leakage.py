"""Tests of leakage: relatives of training records are known from sketches, and figures told without them as well."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_models import dataset, dna_model, letters, training_data

import seqcnn
from seqcnn.alphabet import DNA
from seqcnn.cli.tables import figures_table
from seqcnn.data.grouping import grouped
from seqcnn.data.relatives import kin, sketch
from seqcnn.data.splits import split
from seqcnn.errors import DataError
from seqcnn.model.evaluation import evaluate
from seqcnn.reporting.document import build_report
from seqcnn.sequence import decode


def mutant(text: str, rng: np.random.Generator, *, changed: int) -> str:
    made = list(text)
    for at in rng.choice(len(made), changed, replace=False):
        made[at] = rng.choice(sorted(set("ACGT") - {made[at]}))
    return "".join(made)


@pytest.fixture(scope="module")
def judged():
    """A model that knows 40 sequences of 120 bases, and 40 records of which half are mutants of known ones."""
    rng = np.random.default_rng(5)
    known = letters(40, 120, 120, seed=2)
    model = dna_model()
    model.longest = 120
    model.record = replace(model.record, sketches=sketch(dataset(known, [0] * 40).raw, DNA))
    others = [mutant(text, rng, changed=6) for text in known[:20]] + letters(20, 120, 120, seed=3)
    return model, dataset(others, [i % 2 for i in range(40)])


def test_mutants_of_training_records_are_counted_and_told_apart(judged):
    model, data = judged
    found = evaluate(model, data)
    assert found.relatives is not None
    assert (found.relatives.n, found.relatives.near, found.relatives.share) == (40, 20, 0.5)
    far = found.truth[20:], found.logits[20:]
    assert found.relatives.metrics_far == model.task.metrics(*far)
    assert found.relatives.metrics_near == model.task.metrics(found.truth[:20], found.logits[:20])
    assert "with a near relative in training: at least 20\n" in figures_table(found.to_dict())


def test_sketches_survive_the_file(judged, tmp_path: Path):
    model, data = judged
    model.save(tmp_path / "m.safetensors")
    again = seqcnn.load(tmp_path / "m.safetensors")
    assert evaluate(again, data).to_dict() == evaluate(model, data).to_dict()


def test_the_report_says_it(judged):
    model, data = judged
    page = build_report(model, evaluate(model, data), None, data)
    assert "At least 20 of 40 records (50%) have a near relative among the records trained on" in " ".join(page.split())
    assert "--split cluster" in page


def test_models_without_sketches_say_nothing(judged):
    _, data = judged
    found = evaluate(dna_model(), training_data_unlike(data))
    assert found.relatives is None and "relative" not in figures_table(found.to_dict())


def training_data_unlike(data):
    return data.take(np.arange(20, 40))


def test_training_keeps_clusters_whole_and_says_what_leaks(tmp_path: Path):
    rng = np.random.default_rng(0)
    parents = letters(60, 90, 90, seed=9)
    texts = [mutant(text, rng, changed=4) for text in parents for _ in range(4)]
    data = dataset(texts, [i // 4 % 2 for i in range(240)])
    fast = {"network": "deepbind", "epochs": 1, "test": 0.2, "strands": "forward"}
    whole = seqcnn.train(data, split="cluster", **fast)
    assert whole.record.figures["relatives"]["near"] == 0
    assert any(note.startswith("clusters: 60 of 240 records; the largest holds 4") for note in whole.record.notes)
    random = seqcnn.train(data, **fast)
    assert random.record.figures["relatives"]["share"] > 0.9
    folded = seqcnn.train(data, **(fast | {"test": 0.0, "folds": 3}))
    assert folded.record.out_of_fold["relatives"]["near"] == 0 == folded.record.oof.near.sum()


def test_long_records_are_compared_by_sketches():
    rng = np.random.default_rng(1)
    parent = "".join(rng.choice(list("ACGT"), 12_000))
    known = dataset([parent, *letters(3, 200, 300)], [0, 1, 0, 1])
    asked = dataset([mutant(parent, rng, changed=200), *letters(2, 300, 400, seed=8)], [0, 1, 0])
    found, aligned = kin(known.raw, asked.raw, DNA)
    assert found.tolist() == [True, False, False] and not aligned
    with pytest.raises(DataError, match="--split cluster: compares records of up to 10,000 letters, .* 12,000"):
        grouped(known, "cluster")


def test_clusters_are_for_sequences():
    data = training_data()
    grouped_data, _ = grouped(data, "cluster")
    assert len(set(grouped_data.groups.tolist())) == len({decode(c, DNA) for c in data.raw})
    parts = split(grouped_data, test=0.2)
    assert len(parts.train) + len(parts.valid) + len(parts.test) == len(data)
    pictures = seqcnn.Dataset("pixels", np.zeros((4, 1, 5, 5), np.uint8), tuple("abcd"))
    with pytest.raises(DataError, match="--split cluster: belongs to sequences"):
        grouped(pictures, "cluster")
