"""The card of a Dataset: what a terminal and a notebook show of it."""

from pathlib import Path

import numpy as np

import seqcnn
from seqcnn.data.dataset import Dataset


def test_classes(examples: Path) -> None:
    data = seqcnn.read([examples / "pos.fa", examples / "neg.fa"])
    assert repr(data) == ("seqcnn Dataset: 300 dna records of length 60 to 80; binary: pos 150 (positive), neg 150")
    assert repr(data.take(np.arange(7))).startswith("seqcnn Dataset: 7 dna records")
    html = data._repr_html_()
    assert "300 dna records of length 60 to 80" in html and html.count("<tr>") == 4


def test_numbers_and_pictures(examples: Path) -> None:
    data = seqcnn.read(examples / "expression.csv", target="expression")
    assert "; regression: expression" in repr(data)
    assert "300 known" in data._repr_html_()
    shapes = seqcnn.read(examples / "shapes")
    assert "120 pictures of 20 x 20 pixels, 1 channel" in shapes._repr_html_()


def test_names_are_escaped() -> None:
    pixels = np.zeros((2, 1, 3, 5), np.uint8)
    data = Dataset("pixels", pixels, ("a", "b"), np.array([[0.0], [1.0]]), "binary", ("<b>", "<script>"))
    assert "<script>" not in data._repr_html_()
    assert "&lt;script&gt;" in data._repr_html_()
