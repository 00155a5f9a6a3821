"""Tests of the drawings: SVG that stands in a page, curves that are thinned, small PNG images."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from seqcnn.plot.canvas import figure, legend
from seqcnn.plot.curves import draw_counts, draw_curve, draw_history, draw_reliability, thin, unit_square
from seqcnn.plot.distributions import draw_histograms
from seqcnn.plot.intervals import draw_forest
from seqcnn.plot.palette import BLUE, CYCLE, THEMED
from seqcnn.plot.pictures import filter_uri, picture_uri, png
from seqcnn.plot.scatter import MOST_POINTS, draw_scatter
from seqcnn.plot.sparks import outlines_svg
from seqcnn.plot.svg import to_svg

HOSTILE = '<script>alert("1")</script> & co'


def drawing() -> Figure:
    """A figure with clipping, markers, a picture, a legend and hostile words."""
    fig, (ax,) = figure(300, 200)
    ax.plot([0, 1], [0, 1], color=BLUE, label=HOSTILE, marker="o")
    ax.imshow(np.arange(12).reshape(3, 4), extent=(0, 1, 0, 1))
    ax.set_title(HOSTILE)
    legend(ax)
    return fig


def test_svg_is_wellformed_and_escapes_its_words() -> None:
    root = ET.fromstring(to_svg(drawing(), title=HOSTILE, description=HOSTILE))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == HOSTILE
    assert not [e for e in root.iter() if e.tag.endswith(("script", "style", "metadata"))]
    assert HOSTILE in [e.text for e in root.iter() if e.tag.endswith("text")]


def test_svg_has_no_prolog_no_address_and_no_font() -> None:
    text = to_svg(drawing(), title="t")
    assert text.startswith("<svg ")
    assert "DOCTYPE" not in text
    assert "font-family" not in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]


def test_svg_ink_is_currentcolor_and_palette_is_themed() -> None:
    text = to_svg(drawing(), title="t")
    assert "#000000" not in text
    assert "currentColor" in text
    assert THEMED[BLUE] in text


def test_svg_ids_are_those_referred_to_and_differ_between_drawings() -> None:
    texts = [to_svg(drawing(), title="t", key=key) for key in ("a", "b")]
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in texts]
    for text, found in zip(texts, ids, strict=True):
        assert found and len(found) == len(set(found))
        assert set(re.findall(r"#(s[0-9a-f]{10}-\d+)", text)) == set(found)
    assert not set(ids[0]) & set(ids[1])


def test_svg_is_the_same_twice_and_leaves_the_figure_alone() -> None:
    fig = drawing()
    size = fig.get_size_inches().tolist()
    assert to_svg(fig, title="t") == to_svg(drawing(), title="t")
    assert fig.get_size_inches().tolist() == size


def test_thin_keeps_ends_and_shape() -> None:
    x = np.linspace(0, 1, 5001)
    y = np.sqrt(x)
    a, b = thin(x, y, points=60)
    assert len(a) <= 60
    assert (a[0], a[-1], b[0], b[-1]) == (0, 1, 0, 1)
    assert np.abs(np.interp(x, a, b) - y).max() < 0.03


def test_curve_has_at_most_200_points() -> None:
    _, (ax,) = figure()
    draw_curve(np.linspace(0, 1, 9999), np.linspace(0, 1, 9999), unit_square(ax, x="x", y="y", diagonal=True))
    assert len(ax.lines[-1].get_xdata()) <= 200


def test_drawings_take_and_return_ax() -> None:
    grid = np.linspace(0, 1, 7)
    calls = [
        lambda ax: draw_curve(grid, grid, ax, band=(grid, grid - 0.1, grid + 0.1)),
        lambda ax: draw_history([1, 2, 3], {"valid": ([0.5, None, 0.3], BLUE)}, ax, best=3),
        lambda ax: draw_reliability(grid, grid, ax, low=grid - 0.1, high=grid + 0.1),
        lambda ax: draw_counts(np.linspace(0, 1, 6), [1, 0, 3, 2, 9], ax, x="p"),
        lambda ax: draw_histograms({"a": [1, 2, 2], "b": [], "c": [np.nan, 3]}, ax, x="length"),
        lambda ax: draw_histograms({"a": []}, ax, x="nothing"),
        lambda ax: draw_histograms({"a": [5, 5]}, ax, x="constant"),
        lambda ax: draw_forest(["a", "b"], [0.9, 0.5], ax, intervals=[(0.8, 1), None], x="AUROC", chance=0.5),
        lambda ax: draw_scatter([], [], ax),
        lambda ax: draw_scatter([1, 2, np.nan], [1, 3, 3], ax),
    ]
    for call in calls:
        fig, (ax,) = figure(300, 220)
        assert call(ax) is ax
        ET.fromstring(to_svg(fig, title="t"))


def test_scatter_of_many_points_is_one_small_picture() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, MOST_POINTS * 20))
    fig, (ax,) = figure()
    draw_scatter(values[0], values.sum(0), ax)
    assert len(to_svg(fig, title="many")) < 30_000


def test_outlines_are_wellformed_and_scaled_to_the_highest_bin() -> None:
    root = ET.fromstring(outlines_svg([[0, 0.5, 0.25], [0.1, 0, 0]], CYCLE[:2], title=HOSTILE, width=30, height=66))
    assert root.attrib["aria-label"] == HOSTILE
    heights = [float(v) for v in re.findall(r"V([\d.]+)", root.findall("path")[1].attrib["d"])]
    assert heights == [64, 4, 34, 64]


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_png_is_read_back_the_same(shape: tuple[int, ...]) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow reads the picture back")
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert np.array_equal(np.asarray(image.open(io.BytesIO(png(pixels)))), pixels)


def test_picture_and_filter_are_data_uris() -> None:
    rng = np.random.default_rng(0)
    for channels in (1, 2, 3):
        assert picture_uri(rng.integers(0, 256, (channels, 9, 5)).astype(np.uint8)).startswith("data:image/png;base64,")
        assert filter_uri(rng.normal(size=(channels, 3, 4)).astype(np.float32)).startswith("data:image/png;base64,")
    assert len(picture_uri(np.zeros((1, 2000, 1500), np.uint8))) < 2000
