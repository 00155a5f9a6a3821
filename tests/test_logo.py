"""Logos: heights against the definition, letters and order in the SVG, ids that don't clash, themes."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from seqcnn.alphabet import DNA, PROTEIN, RNA, Alphabet
from seqcnn.motif import Motif
from seqcnn.plot.logo import aligned_logo_svg, draw_logo, heights, letter_color, logo_svg

RNG = np.random.default_rng(0)


def motif(length: int = 17, alphabet: Alphabet = DNA, name: str = "m") -> Motif:
    return Motif(name, RNG.dirichlet(np.full(alphabet.size, 0.2), length), alphabet)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg.replace('xmlns="http://www.w3.org/2000/svg" ', ""))


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_letters_stack_to_the_information_of_the_position(alphabet: Alphabet) -> None:
    made = motif(5, alphabet)
    np.testing.assert_allclose(heights(made).sum(1), made.information)
    root = parsed(logo_svg(made, height=120))
    columns: dict[float, list[tuple[str, float, float]]] = {}
    for use in root.iter("use"):
        _, _, _, high, x, top = map(float, re.findall(r"-?[\d.]+", use.attrib["transform"]))
        columns.setdefault(x, []).append((use.attrib["href"][-1], high * 100, top))
    assert len(columns) == 5
    for column, (_, stack) in enumerate(sorted(columns.items())):
        tall = 100 / np.log2(alphabet.size)
        letter, high, top = min(stack, key=lambda s: s[2])
        assert letter == made.consensus[column]
        assert high == pytest.approx(heights(made)[column].max() * tall, abs=0.1)
        assert top == pytest.approx(106 - made.information[column] * tall, abs=0.1)
    assert set(root[0].attrib) == {"id", "d", "fill"} or root[0].tag == "defs"


def test_two_logos_in_one_page_share_no_id() -> None:
    one, two = motif(), motif()
    ids = [re.findall(r' id="([^"]+)"', logo_svg(m)) for m in (one, two)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    assert logo_svg(one) == logo_svg(one)
    assert logo_svg(one, key="again") != logo_svg(one)


def test_every_reference_is_defined() -> None:
    for svg in (logo_svg(motif(4, PROTEIN)), aligned_logo_svg(motif(), motif(6), offset=-2)):
        assert set(re.findall(r'href="#([^"]+)"', svg)) == set(re.findall(r' id="([^"]+)"', svg))


def test_small_themed_and_escaped() -> None:
    svg = logo_svg(motif(), title="a <b> & 'c'")
    assert parsed(svg).attrib["aria-label"] == "a <b> & 'c'"
    assert "<b>" not in svg
    assert "var(--blue,#0072b2)" in svg
    assert 'fill="currentColor"' in svg
    assert len(svg) < 8000
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert letter_color("A", PROTEIN) == "currentColor"
    assert letter_color("U", RNA) == letter_color("T", DNA)


def test_aligned_logos_stand_column_under_column() -> None:
    query = Motif("q", np.eye(4)[[0, 1, 2]], DNA)
    target = Motif("t", np.eye(4)[[3, 0, 1, 2, 3]], DNA, alt="<T>")
    root = parsed(aligned_logo_svg(query, target, offset=-1))
    places = [
        (use.attrib["href"][-1], *map(float, re.findall(r"-?[\d.]+", use.attrib["transform"])[4:]))
        for use in root.iter("use")
    ]
    above, below = places[:3], places[3:]
    assert "".join(p[0] for p in above) == "ACG"
    assert "".join(p[0] for p in below) == "TACGT"
    assert [p[1] for p in above] == [p[1] for p in below[1:4]]
    assert above[0][2] < below[0][2]
    faint = [group for group in root.iter("g") if group.attrib.get("opacity") == ".35"]
    assert ["".join(u.attrib["href"][-1] for u in g) for g in faint] == ["T", "T"]
    assert "<T>" in [text.text for text in root.iter("text")]


def test_drawn_on_axes() -> None:
    ax = Figure().subplots()
    assert draw_logo(motif(7), ax) is ax
    assert ax.get_ylim() == (0, 2)
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "5"]
    assert draw_logo(motif(3, PROTEIN), Figure().subplots()).get_ylim()[1] == pytest.approx(np.log2(20))
