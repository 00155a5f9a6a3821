"""The scikit-learn estimators: clone, pipelines, searches, workers, pickles, and scikit-learn's own checks."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from seqcnn import SequenceClassifier, SequenceRegressor
from seqcnn.errors import AlphabetError, DataError

SITE = "TGACTCATGG"


def example(count: int, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Sequences of unequal length, half of them with a site, and which."""
    rng = np.random.default_rng(seed)
    letters = ["".join(rng.choice(list("ACGT"), rng.integers(30, 40))) for _ in range(count)]
    has = np.arange(count) % 2 == 0
    return [text[:9] + SITE + text[19:] if held else text for text, held in zip(letters, has, strict=True)], has


def quick(**changes: Any) -> SequenceClassifier:
    options: dict[str, Any] = {"network": "deepbind", "epochs": 4, "strands": "forward", "random_state": 0}
    return SequenceClassifier(**(options | changes))


@pytest.fixture(scope="module")
def fitted() -> SequenceClassifier:
    X, has = example(120)
    return quick(epochs=12).fit(X, np.where(has, "bound", "free"))


def test_two_classes(fitted: SequenceClassifier) -> None:
    X, has = example(40, seed=1)
    truth = np.where(has, "bound", "free")
    assert fitted.classes_.tolist() == ["bound", "free"]
    proba, logits = fitted.predict_proba(X), fitted.decision_function(X)
    assert proba.shape == (40, 2) and logits.shape == (40,)
    np.testing.assert_allclose(proba.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(fitted.predict(X), fitted.classes_[proba.argmax(1)])
    np.testing.assert_array_equal(logits > 0, fitted.predict(X) == "free")
    assert fitted.score(X, truth) == np.mean(fitted.predict(X) == truth) > 0.7


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, pd.Series, lambda X: pd.DataFrame({"s": X}), lambda X: np.array(X)[:, None]]
)
def test_sequences_come_in_any_column(fitted: SequenceClassifier, kind: Any) -> None:
    X, _ = example(5, seed=2)
    np.testing.assert_array_equal(fitted.predict_proba(kind(X)), fitted.predict_proba(X))


def test_several_classes_and_labels() -> None:
    X, has = example(60, seed=3)
    three = np.where(has, "a", np.where(np.arange(60) % 3 == 0, "b", "c"))
    model = quick(epochs=1).fit(X, three)
    assert model.predict_proba(X[:7]).shape == model.decision_function(X[:7]).shape == (7, 3)
    assert set(model.predict(X[:7])) <= set("abc")
    labels = np.stack([has, ~has, has], 1).astype(int)
    model = quick(epochs=1).fit(X, labels)
    assert model.predict(X[:7]).shape == model.predict_proba(X[:7]).shape == (7, 3)
    assert set(np.unique(model.predict(X))) <= {0, 1}
    assert 0 <= model.score(X, labels) <= 1


def test_regression_with_missing_targets() -> None:
    X, has = example(60, seed=4)
    y = np.stack([has * 3.0, np.arange(60.0)], 1)
    y[::4, 0] = np.nan
    model = SequenceRegressor(network="deepbind", epochs=1, strands="forward", random_state=0).fit(X, y)
    assert model.predict(X[:7]).shape == (7, 2)
    single = clone(model).fit(X, y[:, 1])
    assert single.predict(X[:7]).shape == (7,)
    assert np.isfinite(single.score(X, y[:, 1]))


def test_clone_and_parameters_are_kept() -> None:
    model = quick(lr=0.01, unknown="mask")
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "model_")
    assert "lr=0.01" in repr(copy)


def test_same_seed_same_model() -> None:
    X, has = example(60, seed=5)
    one, two = (quick(epochs=2).fit(X, has).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_pickle_keeps_every_bit(fitted: SequenceClassifier) -> None:
    X, _ = example(5, seed=6)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.classes_.tolist() == fitted.classes_.tolist()


def test_cross_validation_with_workers() -> None:
    X, has = example(80, seed=7)
    scores = cross_val_score(quick(epochs=2), X, has, cv=2, n_jobs=2, scoring="roc_auc")
    assert scores.shape == (2,) and np.isfinite(scores).all()


def test_grid_search_in_a_pipeline() -> None:
    X, has = example(80, seed=8)
    upper = FunctionTransformer(lambda rows: [text.upper() for text in rows])
    pipeline = Pipeline([("upper", upper), ("cnn", quick())])
    search = GridSearchCV(pipeline, {"cnn__epochs": [1, 2]}, cv=2).fit([text.lower() for text in X], has)
    assert search.best_params_["cnn__epochs"] in (1, 2)
    assert search.predict(X[:3]).shape == (3,)


def test_unfitted() -> None:
    with pytest.raises(NotFittedError, match="SequenceClassifier instance is not fitted yet"):
        quick().predict(["ACGT"])


@pytest.mark.parametrize(
    ("X", "y", "error", "match"),
    [
        ("ACGT", [0], DataError, "found one string"),
        ([["ACGT", "AC"]] * 20, [0, 1] * 10, DataError, r"one column of sequences, found shape \(20, 2\)"),
        ([1.5] * 20, [0, 1] * 10, DataError, "row 1: expected a sequence as a string, found float"),
        (["ACGT"] * 20, [0, 1] * 9, ValueError, "inconsistent numbers of samples"),
        (["ACGT"] * 20, None, ValueError, "y is None"),
        (["ACGT"] * 20, [1] * 20, DataError, "one class only"),
        (["ACGT"] * 20, np.linspace(0, 1, 20), ValueError, "Unknown label type"),
        ([], [], DataError, "0 sequences"),
    ],
)
def test_bad_input(X: Any, y: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        quick().fit(X, y)


def test_letters_outside_the_alphabet(fitted: SequenceClassifier) -> None:
    with pytest.raises(AlphabetError, match="X, record 2, position 3: 'J'"):
        fitted.predict(["ACGT", "ACJT"])


# scikit-learn's own checks bring numbers. They run on the estimators behind a door that writes numbers as letters, so
# that everything which does not concern the letters themselves is checked: parameters, pickles, labels, order, errors.
# Some checks bring under ten records a class, which is an error here, so the door passes each record on several times.

COPIES = 5
BINS = "ACDEFGHIKLMNPQRSTVWY"


def as_sequences(X: np.ndarray) -> list[str]:
    """Each number as a letter, three times in a row; near numbers get near letters."""
    place = np.clip(np.digitize(X, np.linspace(-4, 4, len(BINS) - 1)), 0, len(BINS) - 1)
    return ["".join(BINS[i] * 3 for i in row) for row in place]


class Numbers:
    """The door: validates numbers as scikit-learn asks, then passes on letters."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.two_d_array, tags.input_tags.one_d_array, tags.input_tags.string = True, False, False
        return tags

    def fit(self, X: Any, y: Any = None) -> Any:
        if y is None:
            return super().fit(as_sequences(validate_data(self, X)), y)  # type: ignore[misc]
        X, y = validate_data(self, X, y, multi_output=True)
        return super().fit(as_sequences(X) * COPIES, np.concatenate([y] * COPIES))  # type: ignore[misc]

    def _logits(self, X: Any) -> Any:
        check_is_fitted(self)
        return super()._logits(as_sequences(validate_data(self, X, reset=False)))  # type: ignore[misc]


class NumbersClassifier(Numbers, SequenceClassifier):
    pass


class NumbersRegressor(Numbers, SequenceRegressor):
    pass


def expected_failures(estimator: Any) -> dict[str, str]:
    """The checks that make no sense for sequences, and why."""
    if isinstance(estimator, SequenceRegressor):
        return {
            "check_fit2d_1sample": "the error says in our words how many records are needed",
            "check_methods_subset_invariance": "float32 sums of batches of other widths differ in the seventh digit",
        }
    return {}


@parametrize_with_checks(
    [
        NumbersClassifier(network="deepbind", epochs=8, lr=0.03, valid=0, random_state=0),
        NumbersRegressor(network="deepbind", epochs=8, lr=0.03, valid=0, random_state=0),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


def test_tags_say_that_sequences_are_strings() -> None:
    for estimator in (SequenceClassifier(), SequenceRegressor()):
        tags = get_tags(estimator)
        assert tags.input_tags.string and tags.input_tags.one_d_array and not tags.input_tags.two_d_array
        assert tags.target_tags.required
