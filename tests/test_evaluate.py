"""Evaluation: figures against scikit-learn, trained-on records left out, out-of-fold figures where nothing remains."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from small_models import dataset, dna_model, letters, protein_model, training_data

from seqcnn.data.dataset import Dataset
from seqcnn.errors import DataError, SeqcnnWarning
from seqcnn.io.jsons import write_json
from seqcnn.model.evaluation import aligned_targets, trained_on
from seqcnn.workflow.evaluate import evaluate, write_predictions

MODEL = dna_model(oof=True)
FRESH = dataset(letters(60, 20, 40, seed=9), [float(i % 3 == 0) for i in range(60)])


def joined(*parts: Dataset) -> Dataset:
    strings = [c.tobytes().translate(MODEL.alphabet.spelling).decode() for part in parts for c in part.raw]
    return dataset(strings, [t for part in parts for t in part.targets[:, 0]])


def turned(data: Dataset) -> Dataset:
    """The same records read from the other strand, in lower case."""
    table = str.maketrans("ACGT", "tgca")
    strings = [c.tobytes().translate(MODEL.alphabet.spelling).decode()[::-1].translate(table) for c in data.raw]
    return dataset(strings, list(data.targets[:, 0]))


def test_figures_equal_scikit_learns() -> None:
    found = evaluate(MODEL, FRESH)
    truth, score = FRESH.targets[:, 0], MODEL.predict(FRESH)
    assert found.n == 60
    assert found.n_per_class == {"unbound": 40, "bound": 20}
    assert found.metrics["auroc"] == pytest.approx(roc_auc_score(truth, score))
    assert found.metrics["auprc"] == pytest.approx(average_precision_score(truth, score))
    assert found.baselines["kmer"]["auroc"] == pytest.approx(
        roc_auc_score(truth, MODEL.baseline_logits("kmer", FRESH)[:, 0])
    )
    for name in ("auroc", "auprc", "accuracy", "mcc", "f1", "ece"):
        low, high = found.ci95[name]
        assert low <= high
    assert found.ci95["auroc"][0] <= found.metrics["auroc"] <= found.ci95["auroc"][1]
    np.testing.assert_allclose(found.scores[:, 0], score, atol=1e-6)


@pytest.mark.parametrize("known", [training_data(), turned(training_data())])
def test_records_that_were_trained_on_are_left_out_and_counted(known: Dataset) -> None:
    alone, both = evaluate(MODEL, FRESH), evaluate(MODEL, joined(known, FRESH))
    assert both.excluded == {"trained_on": 25}
    assert both.source == "test data"
    assert both.metrics == alone.metrics
    assert both.ids == tuple(f"r{i}" for i in range(25, 85))
    assert both.kept.tolist() == list(range(25, 85))


def test_nothing_left_gives_the_stored_out_of_fold_figures() -> None:
    found = evaluate(MODEL, training_data())
    assert found.source == "out-of-fold"
    assert found.excluded == {"trained_on": 25}
    assert MODEL.record.oof is not None
    truth, logits = MODEL.record.oof.truth[:, 0], MODEL.record.oof.logits[:, 0]
    assert found.metrics["auroc"] == pytest.approx(roc_auc_score(truth, logits))
    assert found.baselines["gc"]["auroc"] == pytest.approx(1 - roc_auc_score(truth, logits))
    assert "out-of-fold: 25 records; left out: 25 trained on" in repr(found)
    assert "binary, out-of-fold" in found._repr_html_()
    with pytest.raises(DataError, match="all 25 records were trained on.*no out-of-fold figures"):
        evaluate(dna_model(), training_data())


def test_missing_targets_are_left_out_and_counted() -> None:
    targets = FRESH.targets.copy()
    targets[:7] = np.nan
    found = evaluate(MODEL, replace(FRESH, targets=targets))
    assert found.excluded == {"trained_on": 0, "no_target": 7}
    assert found.n == 53


def test_one_class_left_is_undefined_not_a_crash() -> None:
    found = evaluate(MODEL, replace(FRESH, targets=np.ones((60, 1))))
    assert found.metrics["auroc"] is None
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["ci95"]["auroc"] is None


def test_json_has_the_documented_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(MODEL, FRESH)
    write_json(found.to_dict(), tmp_path / "f.json")
    stored = json.loads((tmp_path / "f.json").read_text())
    assert list(stored)[:8] == ["task", "n", "n_per_class", "threshold", "metrics", "ci95", "baselines", "excluded"]
    assert stored["threshold"] == 0.5
    assert list(stored["metrics"]) == ["auroc", "auprc", "accuracy", "mcc", "f1", "ece"]
    assert set(stored["baselines"]) == {"gc", "kmer"}
    write_json(found.to_dict(), "-")
    assert json.loads(capsys.readouterr().out) == stored


def test_predictions_are_rows(tmp_path: Path) -> None:
    write_predictions(evaluate(MODEL, FRESH), tmp_path / "p.tsv")
    rows = [line.split("\t") for line in (tmp_path / "p.tsv").read_text().splitlines()]
    assert rows[0] == ["id", "truth", "score"]
    assert rows[1][:2] == ["r0", "1"]
    assert roc_auc_score([int(r[1]) for r in rows[1:]], [float(r[2]) for r in rows[1:]]) == pytest.approx(
        evaluate(MODEL, FRESH).metrics["auroc"], abs=1e-3
    )


def test_predictions_of_several_classes(tmp_path: Path) -> None:
    model = protein_model()
    data = Dataset(
        "codes", model.raw(["MKTAY", "ACDEF", "GHIKL", "MNPQR"]), tuple("wxyz"), np.array([[0.0], [2], [1], [2]]),
        "multiclass", ("a", "b", "c"), model.alphabet,
    )  # fmt: skip
    found = evaluate(model, data)
    assert found.threshold is None
    write_predictions(found, tmp_path / "p.tsv")
    rows = [line.split("\t") for line in (tmp_path / "p.tsv").read_text().splitlines()]
    assert rows[0] == ["id", "truth", "a", "b", "c"]
    assert [r[1] for r in rows[1:]] == ["a", "c", "b", "c"]


def test_labels_in_another_order_are_matched_by_name() -> None:
    other = dataset(letters(60, 20, 40, seed=9), [1 - t for t in FRESH.targets[:, 0]], labels=("bound", "unbound"))
    assert evaluate(MODEL, other).metrics == evaluate(MODEL, FRESH).metrics
    with pytest.warns(SeqcnnWarning, match="taken in order: no as unbound, yes as bound"):
        aligned = aligned_targets(MODEL, replace(FRESH, labels=("no", "yes")))
    np.testing.assert_array_equal(aligned, FRESH.targets)


def test_data_of_another_kind_are_refused() -> None:
    with pytest.raises(DataError, match="the data have no targets"):
        evaluate(MODEL, replace(FRESH, targets=None, task=None))
    with pytest.raises(DataError, match="the model is binary, the data are multiclass"):
        evaluate(MODEL, replace(FRESH, task="multiclass", labels=("a", "b", "c")))
    with pytest.raises(DataError, match="knows 2 labels .unbound, bound., the data have 3"):
        evaluate(MODEL, replace(FRESH, labels=("a", "b", "c")))


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert evaluate(MODEL, FRESH, seed=3).to_dict() == evaluate(MODEL, FRESH, seed=3).to_dict()


def test_swapped_classes_are_asked_about() -> None:
    logits = MODEL.logits(FRESH)[:, 0]
    ranked = replace(FRESH, targets=(logits < np.median(logits)).astype(float)[:, None])
    with pytest.warns(SeqcnnWarning, match="AUROC 0.000 is worse than chance; are the two classes swapped"):
        evaluate(MODEL, ranked)


def test_scores_of_long_records_are_warned_of() -> None:
    with pytest.warns(SeqcnnWarning, match="1 of 2 records are longer than 1.5 times the longest training record"):
        MODEL.predict(["ACGTTGCA" * 5, "ACGT" * MODEL.longest])


def test_shuffles_of_records_that_were_trained_on_are_left_out() -> None:
    """Another file's shuffles of the same parents are new letters, but no news."""
    seen = training_data()
    new = FRESH.take(np.arange(len(seen)) % len(FRESH))
    both = joined(seen, new)
    parents = np.r_[np.full(len(seen), -1), np.arange(len(seen))]
    kept = trained_on(MODEL, replace(both, parents=parents))
    assert kept[: len(seen)].all() and kept[len(seen) :].all()
    assert not trained_on(MODEL, both)[len(seen) :].any()
