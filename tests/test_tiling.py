"""Windows cover a record from end to end, against a naive loop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqcnn.errors import OptionError
from seqcnn.tiling import windows


def naive(length: int, window: int, step: int) -> list[int]:
    starts = [0]
    while starts[-1] + window < length:
        starts.append(min(starts[-1] + step, length - window))
    return starts


@given(st.integers(0, 300), st.integers(1, 60), st.integers(1, 80))
def test_windows_equal_a_naive_loop(length: int, window: int, step: int) -> None:
    assert windows(length, window, step).tolist() == naive(length, window, step)


@given(st.integers(1, 300), st.integers(1, 60), st.data())
def test_every_position_is_in_a_window_that_lies_inside(length: int, window: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, window))
    starts = windows(length, window, step)
    ends = [min(length, s + window) for s in starts]
    assert set().union(*(range(s, e) for s, e in zip(starts, ends, strict=True))) == set(range(length))
    assert len(set(starts.tolist())) == len(starts)


@pytest.mark.parametrize(("window", "step", "name"), [(0, 3, "window"), (5, 0, "step"), (-2, 1, "window")])
def test_impossible_windows_are_refused(window: int, step: int, name: str) -> None:
    with pytest.raises(OptionError, match=f"{name}: expected 1 or more"):
        windows(17, window, step)
