"""Tests of pointer trajectories: tables read, faults named, the picture as a slow drawing makes it."""

import re

import numpy as np
import pytest
import torch

from seqcnn.encode.trajectory import Trajectory
from seqcnn.errors import DataError, FormatError, InputFileError
from seqcnn.io.trajectories import read_trajectory
from seqcnn.options import DataOptions
from seqcnn.samples import Samples
from seqcnn.workflow.read import read

NAN = np.nan
SIZE = 13


def table(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, text, wanted", [
    ("a.csv", "t,x,y\n0,1,2\n1,3,-4\n", [[0, 1], [1, 3], [2, -4], [0, 0]]),
    ("a.csv", "x,y\n1,2\n3,4\n5,6\n", [[0, 1, 2], [1, 3, 5], [2, 4, 6], [0, 0, 0]]),  # equally spaced
    ("a.tsv", "y\tnote\tX\ttimestamp\n2\ta\t1\t1700000000016\n4\tb\t3\t1700000000048\n",
     [[0, 32], [1, 3], [2, 4], [0, 0]]),  # any order, any case, others ignored, from 0
    ("a.csv", "ms;client_x;client_y;pressed\n9;1;2;True\n5;3;4;no\n", [[4, 0], [1, 3], [2, 4], [1, 0]]),
    ("a.csv", "t,x,y,state\n0,1,1,Move\n1,1,1,Pressed\n2,1,1,Drag\n3,1,1,Released\n4,1,1,\n",
     [[0, 1, 2, 3, 4], [1] * 5, [1] * 5, [0, 1, 1, 0, 0]]),
    ("a.csv", "t,x,y,button\n0,1,2,NoButton\n,NA,3,Left\n2,nan,,0.0\n",
     [[0, NAN, 2], [1, NAN, NAN], [2, 3, NAN], [0, 1, 0]]),
])  # fmt: skip
def test_columns_are_known_by_many_names(name, text, wanted, tmp_path):
    found = read_trajectory(table(tmp_path / name, text))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(wanted, np.float32))


@pytest.mark.parametrize("text, words", [
    ("t,x\n0,1\n", "a.csv: no column 'y'; expected columns t, x, y and click, found t, x"),
    ("0,1,2\n1,2,3\n", "a.csv: no column 'x'; expected columns t, x, y and click, found 0, 1, 2"),
    ("t,x,y\n0,1,2\n1,up,3\n", "a.csv, row 2, column 'x': expected a number, found 'up'"),
    ("t,x,y\nnoon,1,2\n", "a.csv, row 1, column 'time': expected a number, found 'noon'"),
    ("t,x,y\n0,1,inf\n", "a.csv, row 1, column 'y': expected a number, found 'inf'"),
    ("t,x,y\n0,1,1e40\n", "a.csv, row 1, column 'y': expected a number, found '1e40'"),  # more than float32 holds
    ("t,x,y\n0,1,\n1,2,nan\n", "a.csv: no value in column x or y; delete the file"),
    ("t,x,y\n", "a.csv has a header line and no rows"),
    ("", "a.csv is empty"),
    ("t,x,y\n0,1\n", "a.csv, line 2: expected 3 cells as in the header, found 2"),
])  # fmt: skip
def test_faults_are_named(text, words, tmp_path):
    with pytest.raises(FormatError, match=re.escape(words)) as caught:
        read_trajectory(table(tmp_path / "a.csv", text))
    assert "\n" not in str(caught.value)
    with pytest.raises(InputFileError, match=r"none.csv: no such file"):
        read_trajectory(tmp_path / "none.csv")


def test_a_folder_of_trajectories(tmp_path):
    for name, n in (("circle/b.csv", 5), ("circle/a.tsv", 3), ("line/c.csv", 4)):
        mark = "\t" if name.endswith("tsv") else ","
        rows = [f"{i}{mark}{i * i}{mark}{-i}" for i in range(n)]
        table(tmp_path / name, "\n".join([f"t{mark}x{mark}y", *rows]))
    data = read(tmp_path, DataOptions(input="trajectory"))
    assert (data.kind, data.encoder, data.labels) == ("samples", "trajectory", ("circle", "line"))
    assert data.ids == ("circle/a.tsv", "circle/b.csv", "line/c.csv") and data.lengths.tolist() == [3, 5, 4]
    assert data.raw[2].tolist() == [[0, 1, 2, 3], [0, 1, 4, 9], [0, -1, -2, -3], [0, 0, 0, 0]]
    table(tmp_path / "line" / "d.csv", "t,x\n0,1\n")
    with pytest.raises(FormatError, match=r"line/d.csv: no column 'y'"):
        read(tmp_path, DataOptions(input="trajectory"))
    with pytest.raises(DataError, match="is a folder without pictures"):
        read(tmp_path / "circle")


# --- the picture ------------------------------------------------------------------------------------------------------


def drawn(record, size=SIZE, steps=4000):
    """The picture of time, x, y and click ``(4, T)``, drawn with many small dots."""
    time, x, y, click = np.asarray(record, float)
    span = max(np.ptp(x), np.ptp(y))
    place = np.stack([(v - (v.min() + v.max()) / 2) / span * (size - 1) + (size - 1) / 2 for v in (x, y)])
    move, wait = np.diff(place), np.diff(time)
    speed = np.hypot(*move) / wait
    turn = np.hypot(*np.diff(move / wait)) / ((wait[1:] + wait[:-1]) / 2)
    slow = speed.max() / (time[-1] - time[0])
    values = speed / speed.max(), np.r_[0, turn] / max(turn.max(initial=0), slow)
    picture, count, length = np.zeros((4, size, size)), np.zeros((size, size)), np.hypot(*move).sum()
    for i, part in enumerate(np.hypot(*move)):
        dots = max(1, round(part / length * steps))
        for share in (np.arange(dots) + 0.5) / dots:
            column, row = np.round(place[:, i] + share * move[:, i]).astype(int)
            count[row, column] += 1
            picture[0, row, column] += part / dots
            picture[1:3, row, column] += [v[i] for v in values]
    picture[1:3] /= np.maximum(count, 1)
    for i in np.flatnonzero(click):
        column, row = np.round(place[:, i]).astype(int)
        picture[3, row, column] = 1
    picture[0] = picture[0].clip(max=1)
    return picture


def scribbles(n=4):
    """Paths of unequal length that turn, wait and click."""
    rng = np.random.default_rng(3)
    for length in (3, 40, 17, 9)[:n]:
        time = np.cumsum(rng.uniform(0.5, 2, length))
        x, y = rng.normal(size=(2, length)).cumsum(1) * [[30], [12]]
        yield np.stack([time - time[0], x, y, rng.random(length) < 0.2]).astype(np.float32)


def pictures(records, size=SIZE):
    raw, lengths = Samples.from_arrays(list(records)).rectangle()
    return Trajectory(size)(torch.from_numpy(raw), torch.from_numpy(lengths)).numpy()


def test_the_picture_is_what_a_slow_drawing_gives():
    records = list(scribbles())
    for found, record in zip(pictures(records), records, strict=True):
        wanted = drawn(record)
        ink, speed, change, clicks = np.abs(found - wanted)
        # What is drawn with 32 dots a row differs from what is drawn with many at the edges of pixels.
        assert ink.max() < 0.12 and ink.mean() < 0.01
        assert speed.mean() < 0.01 and change.mean() < 0.02
        assert np.median(speed[wanted[0] > 0.3]) < 0.02 and np.median(change[wanted[0] > 0.3]) < 0.02
        assert not clicks.any()


def test_a_path_by_hand():
    record = np.array([[0, 1, 3], [5, 9, 9], [2, 2, 4], [0, 1, 0]])  # four right, two down at a quarter of the speed
    found = pictures([record], 5)[0]
    assert (found[0] > 0).tolist() == [[0] * 5, [1] * 5, [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    np.testing.assert_allclose(found[1, 1, :4], 1)
    np.testing.assert_allclose(found[1, 2:4, 4], 0.25)
    assert found[3].nonzero() == (1, 4)


def test_place_size_and_clock_do_not_matter():
    records = list(scribbles())
    plain = pictures(records)
    for scale, shift in ((3.0, 0.0), (0.02, 0.0), (1.0, 900.0), (1.0, -1e4)):
        other = [np.stack([7 * t, scale * x + shift, scale * y - shift, c]) for t, x, y, c in records]
        moved = np.abs(pictures(other) - plain)
        assert (moved > 1e-2).mean() < 5e-3, (scale, shift)  # a dot on the edge of a pixel may fall either way
    mirrored = pictures([np.stack([t, -x, y, c]) for t, x, y, c in records])[..., ::-1]
    assert (np.abs(mirrored - plain) > 0.05).mean() < 0.02


@pytest.mark.parametrize("points", [120, 400])
def test_how_often_a_smooth_path_is_sampled_does_not_matter(points):
    def path(n):
        u = np.linspace(0, 1, n)
        time = 5 * (u + 0.6 * u**2)  # the faster the later
        angle = 2 * np.pi * (u**2 + u) / 2 * 0.9
        return np.stack([time, np.cos(angle), 0.8 * np.sin(angle) * (1 - u / 2), 0 * u])

    fine, coarse = pictures([path(3000)])[0], pictures([path(points)])[0]
    assert np.abs(fine - coarse)[:, fine[0] > 0.2].mean(1).max() < 0.03
    uneven = path(3000)[:, np.unique(np.random.default_rng(0).integers(0, 3000, 300))]
    assert np.abs(fine - pictures([uneven])[0])[:2, fine[0] > 0.2].mean(1).max() < 0.06


def test_even_motion_has_no_acceleration_and_a_corner_has():
    t = np.arange(20.0)
    assert pictures([[t, 3.3 * t + 0.1, 0.7 * t, 0 * t]])[0, 2].max() < 1e-3
    corner = pictures([[t, t.clip(max=10), (t - 10).clip(min=0), 0 * t]])[0, 2]
    assert corner[1, -1] > 0.2 and corner[:, :9].max() < 1e-3


def test_missing_points_are_interpolated():
    whole = np.array([[0, 1, 2, 3, 4], [0, 2, 4, 6, 8], [8, 6, 4, 2, 0], [0, 0, 1, 0, 0]], float)
    gaps = whole.copy()
    gaps[0, 1], gaps[1, 2], gaps[2, 1:3] = NAN, NAN, NAN
    np.testing.assert_allclose(pictures([gaps]), pictures([whole]), atol=1e-5)


@pytest.mark.parametrize("record", [
    [[0], [5], [5], [1]],  # one point
    [[0, 1, 2], [5, 5, 5], [5, 5, 5], [0, 0, 1]],  # never moves
    [[0, 0, 0], [1, 2, 3], [1, 2, 3], [0, 0, 0]],  # no time passes
    [[5, 4, 3], [1, 2, 3], [1, 2, 3], [0, 0, 0]],  # the clock goes back
    [[NAN, NAN], [1, 2], [1, 2], [0, 0]],  # no clock
    [[0, 1, 2], [1, 2, 4], [7, 7, 7], [0, 0, 0]],  # a flat path
])  # fmt: skip
def test_odd_paths_give_finite_pictures(record):
    found = pictures([record])[0]
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    assert found[0].any()
