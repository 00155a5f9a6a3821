"""A matplotlib figure as compact SVG that can stand many times in one HTML page, in light and in dark."""

import io
import re
import xml.etree.ElementTree as ET
from hashlib import blake2b
from typing import TYPE_CHECKING

from seqcnn.plot.palette import INK, THEMED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}"
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font:\s*(?:(bold|[\d]+)\s+)?([\d.]+)px[^;]*")
_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
_NO_TURN = re.compile(r"rotate\(-?0[^)]*\)")


def to_svg(fig: "Figure", *, title: str, description: str = "", key: str = "") -> str:
    """Return `fig` as one ``<svg>`` element without prolog, fonts, background or network address.

    Text stays text, in the page's font and ``currentColor``; the colors of `seqcnn.plot.palette` become CSS
    variables with themselves as fallback, so a page can lighten them on a dark ground. Only ids that something
    refers to are kept, prefixed by a hash of the drawing, `title` and `key`.

    Parameters
    ----------
    fig
        The figure; it is not changed.
    title
        The accessible name (``aria-label``).
    description
        A longer text for screen readers (``<desc>``).
    key
        Anything that tells two otherwise equal drawings in one page apart.

    Returns
    -------
    str
        The element, with ``viewBox`` and ``role="img"``; saved as it is, it is also a valid SVG file.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> to_svg(Figure(figsize=(2, 1)), title="a <b>")[:58]
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 144 7'
    """
    import matplotlib as mpl

    stream = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "seqcnn"}):
        fig.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(stream.getvalue())
    for child in list(root):
        if child.tag == f"{{{SVG}}}metadata":
            root.remove(child)
    prefix = "s" + blake2b(f"{title}\0{key}\0{stream.getvalue()}".encode(), digest_size=5).hexdigest()
    _rename_ids(root, prefix)
    for element in root.iter():
        _restyle(element)
    _prune(root)
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    root.attrib.clear()
    root.attrib.update(
        {
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "role": "img",
            "aria-label": title,
            "fill": INK,
            "stroke-linejoin": "round",
        }
    )
    if description:
        note = ET.Element(f"{{{SVG}}}desc")
        note.text = description
        root.insert(0, note)
    for element in root.iter():  # the HTML parser wants plain names, so the namespace is declared once, by hand
        element.tag = element.tag.removeprefix(f"{{{SVG}}}")
    text = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<svg xmlns="{SVG}"' + text.removeprefix("<svg")


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Keep the ids that are referred to, under short names that start with `prefix`; drop the others."""
    used: dict[str, str] = {}

    def short(name: str) -> str:
        return used.setdefault(name, f"{prefix}-{len(used)}")

    for element in root.iter():
        link = element.attrib.pop(f"{XLINK}href", None)
        if link is not None:
            element.attrib["href"] = "#" + short(link[1:]) if link.startswith("#") else link
        for name, value in element.attrib.items():
            if "url(#" in value:
                element.attrib[name] = _REFERENCE.sub(lambda m: f"url(#{short(m.group(1))})", value)
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used:
            element.attrib["id"] = used[name]


def _round(text: str, digits: int) -> str:
    """Return `text` with its decimal numbers rounded, trailing zeros dropped."""
    return _NUMBER.sub(lambda m: f"{float(m.group()):.{digits}f}".rstrip("0").rstrip("."), text)


def _restyle(element: ET.Element) -> None:
    """Theme the colors, drop fonts and false precision."""
    style = element.attrib.get("style")
    if style is not None:
        for hexadecimal, variable in THEMED.items():
            style = re.sub(hexadecimal, variable, style, flags=re.IGNORECASE)
        style = _FONT.sub(lambda m: f"font-size: {m.group(2)}px" + ("; font-weight: 600" if m.group(1) else ""), style)
        element.attrib["style"] = re.sub(r"\s*([:;])\s*", r"\1", _FAMILY.sub("", style)).strip("; ")
    for name, digits in (("d", 2), ("x", 2), ("y", 2), ("transform", 4)):
        if name in element.attrib:
            element.attrib[name] = " ".join(_round(element.attrib[name], digits).split())
    if "transform" in element.attrib and _NO_TURN.fullmatch(element.attrib["transform"]):
        del element.attrib["transform"]
    if element.attrib.get("href", "").startswith("data:"):
        element.attrib["href"] = "".join(element.attrib["href"].split())
    if element.text is not None and not element.text.strip():
        element.text = None
    element.tail = None


def _prune(element: ET.Element) -> None:
    """Remove what shows nothing: style sheets, empty groups and groups that only wrap."""
    for child in list(element):
        _prune(child)
        tag = child.tag.removeprefix(f"{{{SVG}}}")
        at = list(element).index(child)
        unused = element.tag == f"{{{SVG}}}defs" and "id" not in child.attrib
        empty = tag in ("g", "defs") and not len(child)
        if tag == "style" or unused or empty:
            element.remove(child)
        elif tag == "g" and not child.attrib:
            element[at : at + 1] = list(child)
