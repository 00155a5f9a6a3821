"""Tests of cross-validation: folds hold relatives together, and what is predicted, written and counted is right."""

import csv
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, roc_auc_score
from small_models import dataset, dna_model, letters

import seqcnn
from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.cli import main
from seqcnn.data.crossvalidation import cross_folds, together
from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError, SeqcnnError
from seqcnn.io.columns import write_table
from seqcnn.io.meme import write_meme
from seqcnn.model.model import Model
from seqcnn.model.state import describe, restore
from seqcnn.motif import Motif
from seqcnn.motifs.stability import found_in, kept, motifs_of, opened
from seqcnn.options import MotifOptions, TrainOptions
from seqcnn.sequence import Sequences, decode
from seqcnn.training import folding
from seqcnn.workflow import crossvalidation
from seqcnn.workflow.motifs import motifs as write_motifs
from seqcnn.workflow.parts import divide
from seqcnn.workflow.train import train

CORE = "ACCGTAGGC"
COMPLEMENT = str.maketrans("ACGT", "TGCA")
FAST = {"network": "deepbind", "epochs": 3, "strands": "forward", "precision": "32"}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def relatives(n: int = 40, *, length: int = 70, seed: int = 0) -> Dataset:
    """2n records of which the odd ones hold the core; each has a near-duplicate, every third on the other strand."""
    rng = np.random.default_rng(seed)
    texts = []
    for i, text in enumerate(letters(n, length, length, seed=seed + 1)):
        if i % 2:
            text = text[:20] + CORE + text[20 + len(CORE) :]
        other = list(text)
        for at in rng.choice([*range(20), *range(30, length)], 5, replace=False):
            other[at] = "ACGT"[("ACGT".index(other[at]) + 1) % 4]
        twin = "".join(other)
        texts += [text, twin[::-1].translate(COMPLEMENT) if i % 3 == 0 else twin]
    return dataset(texts, [i // 2 % 2 for i in range(2 * n)])


def alike(one: str, other: str) -> bool:
    """Whether two texts of one length differ in fewer than a tenth of their letters, on either strand."""
    return any(
        sum(a != b for a, b in zip(one, text, strict=True)) < len(one) / 10
        for text in (other, other[::-1].translate(COMPLEMENT))
    )


@pytest.mark.parametrize(("k", "seed"), [(2, 0), (5, 1), (7, 2)])
def test_folds_partition_the_records_and_hold_near_duplicates_together(k, seed):
    data = relatives(43, seed=seed)
    grouped, notes = together(data, k)
    fold = cross_folds(grouped, k, seed=seed)
    assert notes == ["folds: near-duplicates stay together (43 families of 86 records; the largest holds 2)"]
    assert np.bincount(fold, minlength=k).sum() == 86 and set(fold.tolist()) == set(range(k))
    for label in (0, 1):
        sizes = np.bincount(fold[data.targets[:, 0] == label], minlength=k)
        assert sizes.max() - sizes.min() <= 2
    texts = [decode(codes, DNA) for codes in data.raw]
    pairs = [(i, j) for i, j in combinations(range(86), 2) if alike(texts[i], texts[j])]
    assert len(pairs) == 43
    assert all(fold[i] == fold[j] for i, j in pairs)


def test_a_family_that_fills_the_folds_is_spread_but_for_its_copies():
    rng = np.random.default_rng(0)
    (parent,) = letters(1, 80, 80, seed=5)
    family = ["".join(rng.choice(list("ACGT")) if i == j else c for j, c in enumerate(parent)) for i in range(0, 80, 2)]
    texts = [*family, family[0], *letters(21, 80, 80, seed=6)]
    data = dataset(texts, [i % 2 for i in range(len(texts))])
    grouped, notes = together(data, 5)
    fold = cross_folds(grouped, 5)
    assert notes[-1].startswith("folds: 41 of 62 records are too many of a kind to share a fold")
    assert fold[0] == fold[40] and len(set(fold[:40].tolist())) == 5


def test_only_sequences_of_a_length_that_can_be_aligned_and_without_groups_are_compared():
    data = relatives(12)
    own = replace(data, groups=np.arange(24) // 6)
    assert together(own, 3)[0] is own
    pixels = Dataset("pixels", np.zeros((4, 1, 5, 5), np.uint8), tuple("abcd"))
    assert together(pixels, 2) == (pixels, [])
    long = dataset(letters(2, 10_001, 10_001), [0, 1])
    assert together(long, 2)[1] == [
        "folds: records of more than 10,000 letters are not aligned; only copies are sure to share a fold"
    ]


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({}, {"folds": 50}, "--folds 50: class 'unbound' has only 40 records; pass --folds 40 or fewer"),
        ({}, {"folds": 1}, "--folds: expected 0 for none, or from 2 to 100, found 1"),
        ({}, {"folds": 101}, "--folds: .* 100, found 101"),
        ({}, {"folds": 0, "predictions": "p.tsv"}, "--predictions: without folds there are no out-of-fold"),
        ({"groups": np.arange(80) // 20}, {"folds": 5, "split": "group:g"}, "the 80 records form 4 groups that stay"),
        (
            {"groups": np.zeros(80, int)},
            {"folds": 3, "split": "group:g"},
            "1 group of records that stay together .* split otherwise",
        ),
        (
            {"groups": np.where(np.arange(80) // 2 % 2, 0, 1 + np.arange(80))},
            {"folds": 2, "split": "group:g"},
            "nothing is left to learn class 'bound' from, because its records stay together",
        ),
        ({"groups": np.arange(80) % 3}, {"folds": 2, "split": "group:g"}, "without fold 1 one group is left, too few"),
    ],
)
def test_folds_that_cannot_be_are_one_line_errors(change, options, match):
    with pytest.raises(SeqcnnError, match=match):
        divide(replace(relatives(40), **change), TrainOptions(**options))


def test_folds_nobody_asked_for_give_way_to_a_test_part():
    data = replace(relatives(40), groups=np.where(np.arange(80) // 2 % 2, np.arange(80) // 20, 1 + np.arange(80)))
    one = replace(data, groups=np.arange(80) // 20)
    division = divide(one, TrainOptions(split="group:g"))
    assert division.folds == 0 and len(division.parts.test)
    assert division.notes[0].startswith("no out-of-fold figures; --folds 5: the 80 records form 4 groups")
    assert divide(data, TrainOptions(split="group:g")).folds == 5
    assert divide(data, TrainOptions(split="group:g", test=("0.2",))).folds == 0
    assert divide(data, TrainOptions(split="group:g", folds=0)).folds == 0


def test_groups_of_the_split_are_obeyed_and_named_test_parts_left_out():
    data = replace(relatives(40), groups=np.arange(80) % 9)
    division = divide(data, TrainOptions(split="group:g", folds=4))
    assert all(len(set(division.fold[data.groups == g].tolist())) == 1 for g in range(9))
    named = replace(relatives(40), parts=np.where(np.arange(80) < 16, "test", "train"))
    division = divide(named, TrainOptions(split="column:p", folds=4))
    assert (division.fold[:16] == -1).all() and set(division.fold[16:].tolist()) == {0, 1, 2, 3}
    assert division.parts.test.tolist() == list(range(16))


def test_validation_records_are_cross_validated_with_their_relatives():
    data = relatives(40)
    division = divide(data.take(np.arange(0, 80, 2)), TrainOptions(folds=4), valid=data.take(np.arange(1, 80, 2)))
    assert (division.fold[:40] == division.fold[40:]).all()


def test_no_record_is_predicted_by_a_model_that_saw_a_relative(monkeypatch):
    data, seen = relatives(30), {}
    plain_learn, plain_predict = folding.learn, folding.predict

    def learn(plan, records, *, train, valid, **more):
        learned = plain_learn(plan, records, train=train, valid=valid, **more)
        known = [decode(codes, DNA) for codes in records.take(np.concatenate([train, valid])).raw]
        seen[id(learned.network)] = known
        return learned

    def predict(plan, learned, raw, **more):
        asked = [decode(codes, DNA) for codes in raw]
        assert asked and not any(alike(one, other) for one in asked for other in seen[id(learned.network)])
        return plain_predict(plan, learned, raw, **more)

    monkeypatch.setattr(folding, "learn", learn)
    monkeypatch.setattr(folding, "predict", predict)
    model = train(data, TrainOptions(**FAST, folds=3, baselines=False))
    assert len(seen) == 3 and model.record.out_of_fold["relatives"]["near"] == 0


def test_each_fold_hands_over_its_model(monkeypatch):
    data, folds = relatives(30), []
    plain = crossvalidation.cross_validated
    monkeypatch.setattr(
        "seqcnn.workflow.train.cross_validated", lambda *args, **more: plain(*args, **more, each=[folds.append])
    )
    model = train(data, TrainOptions(**FAST, folds=3, baselines=False))
    assert [fold.number for fold in folds] == [0, 1, 2]
    assert len({fold.plan.options.seed for fold in folds} | {model.record.seed}) == 4
    for fold in folds:
        assert sorted([*fold.train, *fold.valid, *fold.held]) == list(range(60))
        own = crossvalidation.model_of(fold, data)
        told, alone = model.record.oof.logits[fold.held, 0], own.logits(data.take(fold.held))[:, 0]
        np.testing.assert_allclose(np.polyval(np.polyfit(alone, told, 1), alone), told, atol=1e-5)  # calibrated anew
    weights = [fold.learned.network.filters.weight for fold in folds]
    assert not any(torch.equal(a, b) for a, b in combinations(weights, 2))


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A folder with records, what the shell printed, and the model and predictions of four folds with a test part."""
    place = tmp_path_factory.mktemp("folds")
    data = relatives(60)
    rows = [(i, decode(codes, DNA), int(t)) for i, codes, t in zip(data.ids, data.raw, data.targets[:, 0], strict=True)]
    write_table(place / "records.csv", dict(zip(("id", "sequence", "bound"), zip(*rows, strict=True), strict=True)))
    return place


def words(place: Path, name: str, *more: str) -> list[str]:
    options = [f"--{key.replace('_', '-')}={value}" for key, value in FAST.items()]
    return ["train", str(place / "records.csv"), "--target", "bound", "-o", str(place / name), *options, *more]


@pytest.mark.parametrize("suffix", ["tsv", "csv", "parquet"])
def test_predictions_equal_the_record_and_give_the_figures_told(shell, suffix, capsys):
    path = shell / f"oof.{suffix}"
    assert main(words(shell, "m.safetensors", "--folds", "4", "--predictions", str(path))) == 0
    out, err = capsys.readouterr()
    read = {
        "tsv": lambda: pd.read_csv(path, sep="\t", dtype={"id": str}),
        "csv": lambda: pd.read_csv(path, dtype={"id": str}),
        "parquet": lambda: pd.read_parquet(path),
    }
    found = read[suffix]()
    model = seqcnn.load(shell / "m.safetensors")
    oof, told = model.record.oof, model.record.out_of_fold
    assert list(found) == ["id", "fold", "truth", "score"] and list(found["id"]) == list(oof.ids)
    pd.testing.assert_frame_equal(found, model.out_of_fold, rtol=1e-5, check_dtype=False)
    np.testing.assert_array_equal(found["fold"], oof.fold + 1)
    np.testing.assert_allclose(found["score"], 1 / (1 + np.exp(-oof.logits[:, 0])), rtol=1e-5, atol=1e-7)
    assert told["metrics"]["auroc"] == pytest.approx(roc_auc_score(found["truth"], found["score"]), abs=1e-3)
    each = [accuracy_score(part["truth"], part["score"] > 0.5) for _, part in found.groupby("fold")]
    assert [fold["accuracy"] for fold in told["folds"]["metrics"]] == pytest.approx(each)
    assert told["folds"]["mean"]["accuracy"] == pytest.approx(np.mean(each))
    assert told["folds"]["sd"]["accuracy"] == pytest.approx(np.std(each, ddof=1))
    assert told["folds"]["n"] == np.bincount(oof.fold).tolist()
    areas = [roc_auc_score(part["truth"], part["score"]) for _, part in found.groupby("fold")]
    lines = out.splitlines()
    assert lines[0] == "out-of-fold: 120 records; with a near relative in training: none"
    assert lines[-1].startswith(
        f"auroc {told['metrics']['auroc']:.3f} out of 4 folds ({min(areas):.3f}-{max(areas):.3f}"
    )
    assert "seqcnn: folds: near-duplicates stay together (60 families of 120 records; the largest holds 2)" in err
    assert (shell / f"oof.{suffix}.config.toml").exists()


def test_a_test_part_and_folds_have_figures_of_either(shell, capsys):
    assert main(words(shell, "both.safetensors", "--folds", "3", "--test", "0.2", "--quiet")) == 0
    out, err = capsys.readouterr()
    record = seqcnn.load(shell / "both.safetensors").record
    assert err == "" and record.counts["test"] == record.figures["n"] == 120 - record.out_of_fold["n"] > 15
    assert [line for line in out.splitlines() if "records" in line] == [
        f"test data: {record.figures['n']} records; with a near relative in training: none",
        f"out-of-fold: {record.out_of_fold['n']} records; with a near relative in training: none",
    ]
    assert record.options["folds"] == 3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            ("--test", "0.2", "--predictions", "p.tsv"),
            "--predictions p.tsv: the figures come from a test part,",
        ),
        (("--predictions", "no/such/p.tsv"), "no/such/p.tsv: the folder no/such does not exist; make it first"),
        (("--folds", "61"), "--folds 61: class '0' has only 60 records; pass --folds 60 or fewer"),
        (("--folds", "1"), "--folds: expected 0 for none, or from 2 to 100, found 1"),
    ],
)
def test_mistakes_are_one_line(shell, more, said, capsys):
    assert main(words(shell, "no.safetensors", *more)) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[-1].startswith(f"seqcnn: error: {said}")
    assert not (shell / "no.safetensors").exists()


def test_the_notebook_gets_the_same(tmp_path):
    data = relatives(30)
    model = seqcnn.train(data, **FAST, folds=3, baselines=False, predictions=tmp_path / "p.csv", progress=False)
    with open(tmp_path / "p.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == list(model.out_of_fold["id"]) == list(data.ids)
    with pytest.raises(DataError, match="no out-of-fold predictions; train with folds"):
        _ = dna_model().out_of_fold


@pytest.mark.parametrize("task", ["regression", "multilabel", "multiclass"])
def test_other_tasks_write_their_truth_and_columns(task):
    data = relatives(30)
    rng = np.random.default_rng(0)
    hit = data.targets
    targets, labels, columns = {
        "regression": (hit + rng.normal(size=(60, 1)), ("level",), ["truth", "score"]),
        "multilabel": (np.c_[hit, np.arange(60) // 2 % 3 == 0], ("x", "y"), ["truth_x", "truth_y", "x", "y"]),
        "multiclass": (hit + (np.arange(60) // 4 % 2)[:, None], ("a", "b", "c"), ["truth", "a", "b", "c"]),
    }[task]
    data = replace(data, targets=targets.astype(float), task=task, labels=labels)
    model = seqcnn.train(data, **FAST, folds=3, baselines=False, progress=False)
    table = model.out_of_fold
    assert (
        list(table)[:2] == ["id", "fold"]
        and list(table)[2 : 2 + len(columns)][: targets.shape[1]] == columns[: targets.shape[1]]
    )
    assert len(table.columns) == 2 + targets.shape[1] + len(model.task.columns)
    truth = table["truth"] if "truth" in table else table[["truth_x", "truth_y"]]
    expected = {"a": 0.0, "b": 1.0, "c": 2.0}
    np.testing.assert_allclose(
        [expected[t] for t in truth] if task == "multiclass" else truth.to_numpy().reshape(60, -1)[:, 0], targets[:, 0]
    )


def test_files_of_an_earlier_seqcnn_still_load():
    data = relatives(30)
    model = seqcnn.train(data, network="motif", epochs=1, strands="forward", positions="free", folds=2, progress=False)
    back = Model.from_bytes(model.to_bytes())
    for name in ("columns", "lengths", "folds", "sites"):
        np.testing.assert_array_equal(getattr(back.record.oof.motifs, name), getattr(model.record.oof.motifs, name))
    np.testing.assert_array_equal(back.record.oof.fold, model.record.oof.fold)
    header, arrays = describe(model)
    older = {name: a for name, a in arrays.items() if ".motifs." not in name and not name.endswith("oof.fold")}
    oof = Model(**restore(header, older, "old.safetensors")).record.oof
    assert oof.fold is None and oof.motifs is None
    np.testing.assert_array_equal(oof.logits, model.record.oof.logits)


def random_motif(rng: np.random.Generator, length: int, *, alphabet=DNA) -> Motif:
    return Motif("m", rng.dirichlet(np.full(alphabet.size, 0.2), length), alphabet, nsites=50)


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN])
def test_a_motif_is_found_where_a_fold_holds_it_and_not_elsewhere(alphabet):
    rng = np.random.default_rng(1)
    planted = random_motif(rng, 10, alphabet=alphabet)
    noisy = replace(planted, probabilities=0.9 * planted.probabilities + 0.1 / alphabet.size)
    turned = noisy.reverse_complement() if alphabet.has_complement else noisy
    others = [[random_motif(rng, int(n), alphabet=alphabet) for n in rng.integers(7, 15, 20)] for _ in range(5)]
    folds = [[*others[0], noisy], others[1], [turned, *others[2]], [*others[3], planted], others[4]]
    strangers = [random_motif(rng, int(n), alphabet=alphabet) for n in rng.integers(7, 15, 12)]
    counts = found_in([planted, *strangers], kept(folds))
    assert 3 <= counts[0] <= 4 and np.mean(counts[1:]) < 0.75  # by chance one time in twenty
    assert found_in([], kept(folds)) == [] and kept([[], []]) is None
    back = opened(kept(folds), alphabet)
    assert [len(m) for m in back] == [len(m) for fold in folds for m in fold]
    for one, other in zip(back, [m for fold in folds for m in fold], strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-3)


def test_motifs_say_in_how_many_folds_they_were_found(tmp_path):
    data = relatives(50, seed=3)
    model = seqcnn.train(data, **(FAST | {"epochs": 8}), folds=3, baselines=False, progress=False)
    database = tmp_path / "few.meme"
    core = Motif("CORE", 0.97 * np.eye(4)[["ACGT".index(c) for c in CORE]] + 0.0075, DNA, nsites=99)
    write_meme(database, [core], np.full(4, 0.25))
    chosen = MotifOptions(database=str(database))
    found = write_motifs(model, data, tmp_path / "motifs", options=chosen)
    table = pd.read_csv(tmp_path / "motifs" / "motifs.tsv", sep="\t")
    assert table["folds_found"].tolist() == [m.folds_found for m in found] and set(table["folds"]) == {3}
    best = next(m for m in found if m.best is not None)
    assert best.folds_found == 3 and "in 3 of 3 folds" in repr(found) + found._repr_html_()
    page = seqcnn.report(model, data, motifs=found).html
    assert re.search("3 of 3( folds</dd>|</td>)", page) and "is found in a fold of the cross-validation" in page
    assert "Fold by fold: auroc" in page
    assert motifs_of(dna_model(), data, np.arange(10)) is not None


def test_a_table_of_columns_quotes_what_holds_commas(tmp_path):
    columns = {"id": ['a,"b"', "c\td"], "score": [0.25, None]}
    write_table(tmp_path / "t.csv", columns)
    with open(tmp_path / "t.csv", newline="") as stream:
        assert list(csv.reader(stream)) == [["id", "score"], ['a,"b"', "0.25"], ["c d", ""]]
    write_table(tmp_path / "t.tsv", columns)
    assert (tmp_path / "t.tsv").read_text() == 'id\tscore\na,"b"\t0.25\nc d\t\n'


def test_sequences_keep_their_order_in_the_table():
    data = relatives(20)
    raw = Sequences.from_codes(list(data.raw)[::-1])
    other = replace(data, raw=raw, ids=data.ids[::-1], targets=data.targets[::-1])
    model = seqcnn.train(other, **FAST, folds=2, baselines=False, progress=False)
    assert list(model.out_of_fold["id"]) == list(data.ids[::-1])
    assert list(model.out_of_fold["truth"]) == data.targets[::-1, 0].astype(int).tolist()
