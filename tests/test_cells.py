"""Lines of many rows are those of few: numbers and names, compiled, as Python writes them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqcnn.io import cells as module
from seqcnn.io.cells import cell, lines
from seqcnn.names import Names


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MANY", 1)


def written(*columns: object) -> list[list[str]]:
    return [line.split("\t") for line in "".join(lines(columns)).split("\n")[:-1]]  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats() | st.floats(width=32) | st.integers(-(10**9), 10**9).map(lambda n: n / 2**11), min_size=1))
@example([0.0, -0.0, np.inf, -np.inf, np.nan, 1e5, 1e6, 999999.5, 999999.4, 99999.95, 1e-4, 1e-5, 9.9999995e-5, 5e-324])
@example([0.1234565, 1234565.0, 0.001953125, -123456.5, 123455.5, 2.5e-7, 1e22, 1e-300, 1.7976931348623157e308])
def test_numbers_are_written_as_python_does(values: list[float]) -> None:
    assert [row[0] for row in written(np.array(values))] == [cell(value) for value in values]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_scores_are_written_as_python_does(kind: type) -> None:
    rng = np.random.default_rng(0)
    for values in (rng.random(5000), rng.normal(0, 40, 5000), np.exp(rng.normal(-5, 30, 5000))):
        numbers = values.clip(None, 1e38).astype(kind)
        assert [row[0] for row in written(numbers)] == [cell(value) for value in numbers.tolist()]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1 - 2**63, 2**63 - 1), min_size=1))
def test_whole_numbers(values: list[int]) -> None:
    assert [row[0] for row in written(np.array(values, np.int64))] == [str(value) for value in values]


@pytest.mark.parametrize("block", [1, 60, 1 << 20])
def test_rows_are_whole_whatever_is_made_together(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    names = Names(["chr1", "", "a\tb\n", "é" * 9], np.array([0, 0, 3, 2, 1, 0, 3]))
    scores = np.array([0.5, np.nan, -1e-7, 3, 1e9, 0, 12.25], np.float32)
    found = written(names, np.arange(7) * -11, scores[::-1], names[np.arange(6, -1, -1)])
    columns = (names.tolist(), range(0, -77, -11), scores[::-1].tolist(), names.tolist()[::-1])
    assert found == [[cell(value) for value in row] for row in zip(*columns, strict=True)]
