"""Sets and intervals for single records: coverage against known distributions, naive references, files, the shell."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_examples import Page, binary, report_of
from scipy.stats import binom
from small_models import dataset, dna_model, letters, protein_model, training_data

from seqcnn.cli import main
from seqcnn.conformal import FEWEST_BEYOND, MOST_KEPT, conformity
from seqcnn.errors import DataError, OptionError, SeqcnnWarning
from seqcnn.model.coverage import coverage_sentence, limits_of, measured
from seqcnn.model.evaluation import evaluate
from seqcnn.model.model import Model
from seqcnn.options import ScoreOptions
from seqcnn.tasks.binary import Binary
from seqcnn.tasks.circular import Circular
from seqcnn.tasks.multiclass import Multiclass
from seqcnn.tasks.multilabel import Multilabel
from seqcnn.tasks.regression import Regression
from seqcnn.workflow.score import score

ONE = Regression.fit(("y",), np.array([[-1.0], [1.0]]))  # mean 0, standard deviation 1, no transform


def naive_limit(scores: list[float], coverage: float) -> float:
    """The definition, by counting: the smallest score that (n + 1) c of n + 1 lie at or below."""
    n = len(scores)
    for s in sorted(scores):
        if sum(other <= s for other in scores) >= (n + 1) * coverage - 1e-9:
            return s
    return np.inf


def chance(right: int, n: int, coverage: float, *, more: float = 0.0) -> bool:
    """Whether a count is what `coverage` gives, or up to `more` above it, at a level of one in a million."""
    return bool(binom.cdf(right, n, coverage) > 1e-6 and binom.sf(right - 1, n, min(coverage + more, 1)) > 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 12).map(float), min_size=1, max_size=60),
    st.sampled_from([0.05, 0.5, 0.8, 0.9, 0.95, 0.99]),
)
def test_limits_are_those_of_the_definition_ties_and_all(scores: list[float], coverage: float) -> None:
    assert conformity(np.array(scores)[:, None]).limits(coverage)[0] == naive_limit(scores, coverage)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 1000, 1001, 7777])
def test_thinned_scores_err_on_the_safe_side(n: int) -> None:
    scores = np.random.default_rng(n).normal(size=n) ** 2
    kept = conformity(scores[:, None])
    assert len(kept.scores) == min(n, MOST_KEPT) and kept.counts.tolist() == [n]
    for coverage in (0.1, 0.5, 0.9, 0.95, 0.999):
        exact, found = naive_limit(scores.tolist(), coverage) if n < 2000 else None, kept.limits(coverage)[0]
        rank = (scores <= found).sum()
        if np.isinf(found):
            assert np.ceil((n + 1) * coverage) > n
        else:
            assert np.ceil((n + 1) * coverage - 1e-9) <= rank <= np.ceil((n + 1) * coverage) + n / MOST_KEPT + 1
            assert exact is None or found >= exact


def test_too_few_records_are_told_the_most_that_is_possible() -> None:
    kept = conformity(np.arange(9.0)[:, None])
    assert kept.checked(0.9, ("y",)).tolist() == [8.0]
    with pytest.raises(DataError, match=r"coverage 0\.95: 9 held-out records cannot vouch for it; the most is 0\.9; "):
        kept.checked(0.95, ("y",))
    with pytest.raises(DataError, match=r"1 held-out records of target 'b' cannot vouch for it; the most is 0\.5"):
        conformity([[1.0, 1.0], [2.0, np.nan]]).checked(0.6, ("a", "b"))
    with pytest.raises(DataError, match="0 held-out records cannot vouch for it; none is possible"):
        conformity(np.zeros((0, 1))).checked(0.9, ("y",))


@pytest.mark.parametrize("n", [19, 60, 333])
@pytest.mark.parametrize("noise", ["normal", "cauchy", "ties"])
def test_intervals_cover_whatever_the_noise(n: int, noise: str) -> None:
    """Over many draws of held-out records and one new record each: at least c, at most 1 / (n + 1) more (no ties)."""
    rng = np.random.default_rng(n)
    draws, coverage = 3000, 0.9
    z = rng.normal(size=(draws, n + 1))
    errors = {
        "normal": lambda: rng.normal(size=z.shape), "cauchy": lambda: rng.standard_cauchy(z.shape),
        "ties": lambda: rng.integers(-3, 4, z.shape).astype(float),
    }[noise]()  # fmt: skip
    inside = 0
    for logits, truth in zip(z, z + errors, strict=True):
        limits = conformity(np.abs(truth[:n] - logits[:n])[:, None]).limits(coverage)
        inside += abs(truth[n] - logits[n]) <= limits[0]
    rank = np.ceil((n + 1) * coverage)
    assert chance(inside, draws, coverage, more=1.0 if noise == "ties" else rank / (n + 1) - coverage)


def test_the_order_of_held_out_records_does_not_matter() -> None:
    scores = np.random.default_rng(0).normal(size=(5000, 3))
    kept, other = conformity(scores), conformity(scores[::-1])
    np.testing.assert_array_equal(kept.scores, other.scores)


def draw_classes(n: int, seed: int, *, rare: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Targets of three unequal classes and logits that tell them apart badly, the rare one worst."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(3, n, p=[0.9 - rare, 0.1, rare])
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[truth]
    return truth[:, None].astype(float), logits + np.array([1.0, 0.0, -1.0])


def test_each_class_is_covered_where_records_suffice() -> None:
    task = Multiclass.fit(("a", "b", "c"), np.arange(3.0)[:, None])
    within, held = [], []
    for seed in range(8):
        kept = conformity(task.nonconformity(*draw_classes(3000, seed)))
        truth, logits = draw_classes(3000, 100 + seed)
        within.append(
            np.nanmean(
                np.where(
                    np.isnan(odd := task.nonconformity(truth, logits)), np.nan, odd <= kept.limits(0.9, pool=True)
                ),
                axis=0,
            )
        )
        held.append([each["found"] for each in measured(task, kept, truth, logits, coverage=0.9).each.values()])
    np.testing.assert_allclose(np.mean(within, axis=0), 0.9, atol=0.015)
    assert (np.mean(held, axis=0) >= np.mean(within, axis=0)).all(), "the likeliest class is held in any case"
    few = conformity(task.nonconformity(*draw_classes(60, 0))).limits(0.9, pool=True)
    assert len(set(few.tolist())) == 1, "few records share one limit"


def test_small_classes_share_a_limit_and_a_large_one_has_its_own() -> None:
    rng = np.random.default_rng(1)
    sizes = (500, 60, 90)
    columns = [rng.random(size) for size in sizes]
    table = np.full((max(sizes), 3), np.nan)
    for j, column in enumerate(columns):
        table[: len(column), j] = column
    limits = conformity(table).limits(0.9, pool=True)
    assert 500 * 0.1 >= FEWEST_BEYOND > 90 * 0.1
    assert limits[0] == pytest.approx(naive_limit(columns[0].tolist(), 0.9), rel=1e-6)
    assert limits[1] == limits[2] == pytest.approx(naive_limit([*columns[1], *columns[2]], 0.9), rel=1e-6)
    alone = conformity(table[:, [0, 1]][:500]).limits(0.999, pool=True)  # none alone can: all together cannot either
    assert np.isinf(alone).all()


def test_sets_are_those_of_a_loop_and_never_empty() -> None:
    task = Multiclass.fit(("a", "b", "c"), np.arange(3.0)[:, None])
    truth, logits = draw_classes(400, 3)
    limits = conformity(task.nonconformity(truth, logits)).limits(0.5, pool=True)
    found = task.sets(logits, limits)
    for row, z in zip(found, logits, strict=True):
        p = np.exp(z) / np.exp(z).sum()
        assert row.tolist() == [bool(1 - p[k] <= limits[k]) or k == p.argmax() for k in range(3)]


def test_binary_sets_hold_both_where_unsure() -> None:
    task = Binary.fit(("no", "yes"), np.array([[0.0], [1.0]]))
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, (4000, 1)).astype(float)
    logits = 2 * (2 * truth - 1) + 2 * rng.normal(size=truth.shape)  # calibrated: the log-odds of two normals
    kept = conformity(task.nonconformity(truth[:2000], logits[:2000]))
    assert kept.counts.sum() == 2000 and len(kept.counts) == 2
    found = measured(task, kept, truth[2000:], logits[2000:], coverage=0.95)
    assert found.ci95[0] <= 0.955 and found.ci95[1] >= 0.945
    assert 1 < found.size < 1.5
    assert task.sets([[0.0], [9.0], [-9.0]], kept.limits(0.95)).tolist() == [[True, True], [False, True], [True, False]]


def test_labels_that_are_held_are_in_the_set() -> None:
    task = Multilabel.fit(("a", "b"), np.array([[0.0, 1.0], [1.0, 0.0]]))
    rng = np.random.default_rng(2)
    truth = (rng.random((4000, 2)) < [0.5, 0.2]).astype(float)
    logits = 3 * truth + 2 * rng.normal(size=truth.shape) - 1
    truth[rng.random(truth.shape) < 0.1] = np.nan
    kept = conformity(task.nonconformity(truth[:2000], logits[:2000]))
    assert kept.counts.tolist() == [(truth[:2000, j] == 1).sum() for j in range(2)]
    found = measured(task, kept, truth[2000:], logits[2000:], coverage=0.9)
    for j, label in enumerate("ab"):
        assert found.each[label]["n"] == (truth[2000:, j] == 1).sum()
        assert found.each[label]["found"] == pytest.approx(0.9, abs=0.05)


def test_several_targets_with_missing_values_and_a_heavy_tail() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(size=(3000, 2))
    truth = np.stack([np.exp(2 * z[:, 0]), z[:, 1]], 1) * np.exp(0.3 * rng.normal(size=(3000, 2)))
    truth[::7, 1] = np.nan
    task = Regression.fit(("level", "rate"), truth)
    assert task.transforms[0] == "log"
    logits = task.encode(np.stack([np.exp(2 * z[:, 0]), z[:, 1]], 1))
    kept = conformity(task.nonconformity(truth[:1500], logits[:1500]))
    ends = task.ranges(logits[1500:], kept.limits(0.8))
    point = task.output(logits[1500:])
    assert ends.shape == (1500, 2, 2)
    assert ((ends[..., 0] <= point * (1 + 1e-5) + 1e-5) & (point <= ends[..., 1] * (1 + 1e-5) + 1e-5)).all()
    assert (ends[:, 0] > 0).all(), "a level learned as its logarithm stays positive"
    for j in range(2):
        known = np.isfinite(truth[1500:, j])
        inside = ((ends[:, j, 0] <= truth[1500:, j]) & (truth[1500:, j] <= ends[:, j, 1]))[known]
        assert inside.mean() == pytest.approx(0.8, abs=0.04)
    found = measured(task, kept, truth[1500:], logits[1500:], coverage=0.8)
    assert found.size is None and found.each["rate"]["n"] == np.isfinite(truth[1500:, 1]).sum()
    assert found.each["level"]["median_size"] < found.each["level"]["size"]


def test_angles_are_within_arcs_that_may_pass_the_end_of_the_scale() -> None:
    task = Circular(("angle",), 24.0)
    rng = np.random.default_rng(6)
    angle = rng.random((2000, 1)) * 24
    logits = task.encode(angle)
    truth = np.mod(angle + rng.normal(size=angle.shape), 24)
    kept = conformity(task.nonconformity(truth[:1000], logits[:1000]))
    found = measured(task, kept, truth[1000:], logits[1000:], coverage=0.9)
    assert found.found == pytest.approx(0.9, abs=0.04)
    assert found.size == pytest.approx(2 * 1.645, rel=0.1)
    low, high = task.ranges(task.encode(np.array([[23.5]])), np.array([1.0]))[0, 0]
    assert (low, high) == (pytest.approx(22.5, abs=1e-4), pytest.approx(0.5, abs=1e-4))
    assert task.ranges(logits[:1], np.array([12.0])).tolist() == [[[0.0, 24.0]]]


def with_conformity(model: Model, n: int = 400, seed: int = 0) -> Model:
    """A model that knows how odd random truths look to it."""
    task, rng = model.task, np.random.default_rng(seed)
    logits = rng.normal(size=(n, task.outputs))
    truth = rng.integers(0, len(task.labels), (n, 1)).astype(float)
    model.record = type(model.record)(
        **{**model.record.__dict__, "conformity": conformity(task.nonconformity(truth, logits), folds=True)}
    )
    return model


def test_a_file_keeps_them_and_older_files_say_that_they_are_unknown() -> None:
    model = with_conformity(dna_model())
    copy = Model.from_bytes(model.to_bytes())
    np.testing.assert_array_equal(copy.record.conformity.scores, model.record.conformity.scores)
    assert copy.record.conformity.folds is True and copy.to_bytes() == model.to_bytes()
    some = letters(9, 20, 40)
    sets = model.predict_set(some, coverage=0.9)
    assert sets == copy.predict_set(some, coverage=0.9)
    p = model.predict(some)
    assert all((s[0] == "bound") == (q > 0.5) for s, q in zip(sets, p, strict=True))
    older = Model.from_bytes(dna_model().to_bytes())
    assert older.record.conformity is None
    with pytest.raises(DataError, match=r"coverage 0\.9: the model file keeps no errors of held-out records"):
        older.predict_set(some)
    assert evaluate(older, dataset(some, [0, 1] * 4 + [0])).coverage is None


def test_intervals_belong_to_numbers_and_sets_to_classes() -> None:
    with pytest.raises(OptionError, match="predict_interval: belongs to numbers, the task is binary; call predict_set"):
        dna_model().predict_interval(["ACGT"])
    model = with_conformity(protein_model())
    with pytest.raises(OptionError, match="coverage: expected a number above 0 and below 1, found 1"):
        model.predict_set(["MKV"], coverage=1)
    model.task = ONE
    with pytest.raises(OptionError, match="predict_set: belongs to classes, the task is regression; call predict_int"):
        model.predict_set(["MKV"])
    with pytest.raises(OptionError, match="intervals belong to numbers; the task is binary"):
        Binary(("a", "b")).ranges(np.zeros((1, 1)), np.zeros(2))


def test_evaluation_counts_what_is_covered() -> None:
    model = with_conformity(dna_model())
    some = letters(60, 20, 40, seed=9)
    truth = [i % 2 for i in range(60)]
    found = evaluate(model, dataset(some, truth), coverage=0.8)
    sets = model.predict_set(some, coverage=0.8)
    held = [model.labels[t] in s for t, s in zip(truth, sets, strict=True)]
    assert found.coverage is not None and found.coverage.stated == 0.8
    assert found.coverage.found == pytest.approx(np.mean(held))
    assert found.coverage.size == pytest.approx(np.mean([len(s) for s in sets]))
    stored = found.to_dict()["coverage"]
    assert stored["source"] == "out-of-fold" and stored["held_out"] == 400
    assert f"hold {100 * np.mean(held):.1f}% of 60 true classes" in coverage_sentence(stored, "binary")
    assert coverage_sentence(None, "binary") == ""
    with pytest.raises(DataError, match=r"--coverage 0\.999: 400 held-out records cannot vouch for it"):
        evaluate(model, dataset(some, truth), coverage=0.999)
    with pytest.raises(OptionError, match="--coverage: expected a number above 0 and below 1, found 0"):
        limits_of(model.task, model.record.conformity, 0, "--coverage")


def cells(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_score_adds_a_set(tmp_path: Path) -> None:
    some = letters(12, 20, 40, seed=2)
    fasta = tmp_path / "some.fa"
    fasta.write_text("".join(f">r{i}\n{s}\n" for i, s in enumerate(some)))
    model = with_conformity(dna_model())
    score(model, fasta, ScoreOptions(coverage=0.9), output=tmp_path / "o.tsv")
    head, *rows = cells(tmp_path / "o.tsv")
    assert head == ["id", "start", "end", "length", "score", "set"]
    assert [row[5] for row in rows] == [",".join(s) for s in model.predict_set(some, coverage=0.9)]
    for options in ({"output": "logit"}, {"neighbours": fasta}, {"format": "bed"}):
        with pytest.raises(OptionError, match="--coverage: goes with tsv and parquet, not with --neighbours or"):
            score(model, fasta, ScoreOptions(coverage=0.9, **options), output=tmp_path / "o")


def number_model(labels: tuple[str, ...]) -> Model:
    """A protein model of numbers with known errors."""
    model = protein_model()
    rng = np.random.default_rng(0)
    model.task = Regression.fit(labels, rng.normal(size=(50, len(labels))))
    logits = rng.normal(size=(200, len(labels)))
    kept = conformity(model.task.nonconformity(rng.normal(size=logits.shape), logits))
    model.record = type(model.record)(**{**model.record.__dict__, "conformity": kept})
    return model


def test_score_adds_the_ends_of_intervals(tmp_path: Path) -> None:
    some = letters(5, 10, 30, alphabet="ACDEFGHIKLMNPQRSTVWY")
    fasta = tmp_path / "some.fa"
    fasta.write_text("".join(f">r{i}\n{s}\n" for i, s in enumerate(some)))
    model = number_model(("x", "y", "z"))
    score(model, fasta, ScoreOptions(coverage=0.9), output=tmp_path / "o.tsv")
    head, *rows = cells(tmp_path / "o.tsv")
    assert head[4:] == ["x", "y", "z", "x_low", "x_high", "y_low", "y_high", "z_low", "z_high"]
    expected = model.predict_interval(some, coverage=0.9)
    assert expected.shape == (5, 3, 2)
    np.testing.assert_allclose([[float(c) for c in row[7:]] for row in rows], expected.reshape(5, 6), rtol=1e-5)
    score(model, fasta, ScoreOptions(coverage=0.9, column="y"), output=tmp_path / "o.tsv")
    assert cells(tmp_path / "o.tsv")[0][4:] == ["y", "y_low", "y_high"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", "--coverage: expected a number above 0 and below 1, found 0.0"),
        ("1", "--coverage: expected a number above 0 and below 1, found 1.0"),
        ("1.5", "--coverage: expected a number above 0 and below 1, found 1.5"),
        ("nan", "--coverage: expected a number above 0 and below 1, found nan"),
        ("much", "invalid value for '--coverage'"),
        ("0.999", "--coverage 0.999: 400 held-out records cannot vouch for it; the most is 0.997; ask for less"),
    ],
)
@pytest.mark.parametrize("verb", ["score", "evaluate"])
def test_bad_coverages_are_one_line(
    verb: str, value: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_conformity(dna_model()).save(tmp_path / "m.safetensors")
    data = [str(tmp_path / "bound.fa"), str(tmp_path / "unbound.fa")]
    for seed, path in enumerate(data):
        Path(path).write_text("".join(f">r{seed}{i}\n{s}\n" for i, s in enumerate(letters(9, 20, 40, seed=3 + seed))))
    assert main([verb, str(tmp_path / "m.safetensors"), *data, "--coverage", value]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and said in printed.err.splitlines()[-1] and "Traceback" not in printed.err


def test_the_report_has_a_row_a_coverage_that_is_possible() -> None:
    model, evaluation, motifs, data = binary()
    words = " ".join(Page(report_of(model, evaluation, motifs, data)).text)
    count = model.record.conformity.counts.sum()
    assert f"from {count} predictions for the validation part" in words
    found = measured(model.task, model.record.conformity, evaluation.truth, evaluation.logits, coverage=0.9)
    assert f"{100 * found.found:.1f}%" in words and "99%" not in words.partition("Coverage stated")[2][:200]
    assert "split-conformal prediction" in words
    model.record = replace(model.record, conformity=None)
    assert "Coverage stated" not in " ".join(Page(report_of(model, evaluation, motifs, data)).text)


def test_coverage_is_not_counted_on_the_predictions_it_rests_on() -> None:
    model = with_conformity(dna_model(oof=True))
    with pytest.warns(SeqcnnWarning, match="coverage is not counted on records that were trained on"):
        found = evaluate(model, training_data(), coverage=0.9)
    assert found.source == "out-of-fold" and found.coverage is None
