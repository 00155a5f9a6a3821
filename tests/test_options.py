"""Tests of the options: values of the wrong kind or out of range are refused before any work, in one line."""

from typing import Any

import numpy as np
import pytest

from seqcnn.errors import DataError, OptionError
from seqcnn.model.evaluation import evaluate
from seqcnn.options import DemoOptions, ScoreOptions, TrainOptions
from seqcnn.training.schedule import recipe_for
from seqcnn.workflow.report import report
from seqcnn.workflow.train import train


@pytest.mark.parametrize(
    "options,given,words",
    [
        (TrainOptions, {"epochs": 0}, "--epochs: expected 1 or more, found 0"),
        (TrainOptions, {"epochs": 1.5}, "--epochs: expected a whole number, found 1.5"),
        (TrainOptions, {"epochs": "1"}, "--epochs: expected a number, found '1'"),
        (TrainOptions, {"epochs": True}, "--epochs: expected a number, found True"),
        (TrainOptions, {"seed": None}, "--seed: expected a number, found None"),
        (TrainOptions, {"seed": -1}, "--seed: expected from 0 to 4294967295, found -1"),
        (TrainOptions, {"lr": float("nan")}, "--lr: expected from 1e-08 to 10, found nan"),
        (TrainOptions, {"folds": 1}, "--folds: expected 0 for none, or from 2 to 100, found 1"),
        (TrainOptions, {"valid": ("1.5",)}, "--valid: expected one fraction from 0 to below 1, or files, found 1.5"),
        (TrainOptions, {"test": ("nan",)}, "--test: expected one fraction from 0 to below 1, or files, found nan"),
        (TrainOptions, {"test": ("0.1", "x.fa")}, "--test: expected one fraction .* or files, found 0.1 x.fa"),
        (ScoreOptions, {"window": 7.5}, "--window: expected a whole number, found 7.5"),
        (DemoOptions, {"records": "many"}, "--records: expected a number, found 'many'"),
    ],
)
def test_values_that_cannot_be(options: Any, given: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        options(**given)


def test_numbers_of_numpy_train_as_plain_ones() -> None:
    given = TrainOptions(epochs=np.int64(2), batch_size=np.int64(32), lr=np.float64(0.01), seed=np.int64(3))
    recipe = recipe_for("codes", 1000, given)
    assert [type(value) for value in (recipe.epochs, recipe.batch_size, recipe.lr)] == [int, int, float]


def test_files_and_fractions() -> None:
    assert TrainOptions(valid=("a.fa", "b.fa"), test=("0.2",), folds=0).test == ("0.2",)


@pytest.mark.parametrize("verb", [train, lambda data: evaluate(None, data), lambda data: report(None, data)])
@pytest.mark.parametrize("wrong,found", [("pos.fa", "str"), (None, "NoneType"), (["ACGT"], "list")])
def test_verbs_want_a_dataset(verb: Any, wrong: Any, found: str) -> None:
    with pytest.raises(DataError, match=f"expected a Dataset, as seqcnn.read returns it, found {found}"):
        verb(wrong)
