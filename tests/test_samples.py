"""Tests of Samples: records in, the same records out, missing ends cut, rectangles padded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqcnn.errors import ShapeError
from seqcnn.samples import Samples

NAN = np.nan
THREE = Samples.from_arrays([np.arange(10).reshape(2, 5), np.arange(34.0).reshape(2, 17), [[7], [8]]])


@given(st.lists(st.integers(0, 17), min_size=1, max_size=6), st.integers(1, 4), st.data())
def test_records_come_out_as_they_went_in(lengths, variables, data):
    values = st.floats(-1e6, 1e6, width=32)
    records = [data.draw(arrays(np.float32, (variables, n), elements=values)) for n in lengths]
    samples = Samples.from_arrays(records)
    assert len(samples) == len(lengths) and samples.variables == variables
    assert samples.lengths.tolist() == lengths
    for found, record in zip(samples, records, strict=True):
        np.testing.assert_array_equal(found, record)
    block, ends = samples.rectangle()
    assert block.shape == (len(lengths), variables, max(lengths))
    for row, end, record in zip(block, ends, records, strict=True):
        np.testing.assert_array_equal(row[:, :end], record)
        assert np.isnan(row[:, end:]).all()


def test_a_record_of_one_variable_needs_no_axis_for_it():
    samples = Samples.from_arrays([[1, 2, 3], np.array([[4.5, 5.5]]), (6,)])
    assert samples.values.dtype == np.float32 and samples.variables == 1
    assert [r.tolist() for r in samples] == [[[1, 2, 3]], [[4.5, 5.5]], [[6]]]


def test_missing_values_at_the_end_are_no_part_of_a_record():
    samples = Samples.from_arrays([[1, NAN, 3, NAN, NAN], [NAN, NAN], [NAN, 2]])
    assert samples.lengths.tolist() == [3, 1, 2]  # a record of nothing known keeps one place
    np.testing.assert_array_equal(samples[0], [[1, NAN, 3]])
    several = Samples.from_arrays([[[1, NAN, NAN, NAN], [1, 2, 3, NAN]]])
    np.testing.assert_array_equal(several[0], [[1, NAN, NAN], [1, 2, 3]])


def test_take_follows_the_order_asked_for():
    taken = THREE.take([2, 0, 0, -2])
    assert taken.lengths.tolist() == [1, 5, 5, 17]
    for found, i in zip(taken, (2, 0, 0, 1), strict=True):
        np.testing.assert_array_equal(found, THREE[i])
    none = THREE.take([])
    assert len(none) == 0 and none.variables == 2 and none.rectangle()[0].shape == (0, 2, 0)


def test_a_rectangle_of_some_records_cut_at_a_width():
    block, lengths = THREE.rectangle([1, 2], width=3)
    assert lengths.tolist() == [3, 1]
    np.testing.assert_array_equal(block, [[[0, 1, 2], [17, 18, 19]], [[7, NAN, NAN], [8, NAN, NAN]]])
    assert THREE.rectangle(width=20)[0].shape == (3, 2, 20)
    block[:] = 0  # the caller's own
    assert THREE[1].any()


def test_bytes_stay_bytes_and_are_padded_with_zero():
    samples = Samples.from_arrays([np.array([3, 0, 0], np.uint8), np.array([[255]], np.uint8)])
    assert samples.values.dtype == np.uint8
    assert samples.lengths.tolist() == [3, 1]  # a zero is a byte
    assert samples.rectangle()[0].tolist() == [[[3, 0, 0]], [[255, 0, 0]]]
    assert samples.take([1]).values.dtype == np.uint8


def test_no_records_at_all():
    none = Samples.from_arrays([], variables=3)
    assert (len(none), none.variables, none.lengths.tolist()) == (0, 3, [])
    assert none.rectangle(width=4)[0].shape == (0, 3, 4)


def test_records_are_found_by_number():
    assert THREE[-1].tolist() == [[7], [8]]
    for index in (3, -4):
        with pytest.raises(IndexError, match=str(index)):
            THREE[index]


def test_another_number_of_variables_is_named():
    with pytest.raises(ShapeError, match=r"record 2: expected a series \(variables, length\) of 2 .*shape \(3, 5\)"):
        Samples.from_arrays([np.zeros((2, 17)), np.zeros((3, 5))])
    with pytest.raises(ShapeError, match=r"record 1: .* of 4 variables, found shape \(2, 5\)"):
        Samples.from_arrays([np.zeros((2, 5))], variables=4)
    with pytest.raises(ShapeError, match=r"record 1: .* of one or more variables, found shape \(1, 2, 3\)"):
        Samples.from_arrays([np.zeros((1, 2, 3))])
    with pytest.raises(ShapeError, match=r"record 1: .*found shape \(\)"):
        Samples.from_arrays([5.0])
