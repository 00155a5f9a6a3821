"""Sequence logos with logomaker's letters: on axes, or as small SVG for pages in light and in dark."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.motif import Motif
from seqcnn.plot.palette import AMBER, BLUE, GREEN, INK, ORANGE, PURPLE, THEMED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Letters to their color: bases, and residues by chemistry (polar, amide, basic, acidic; the others are ink).
BASES: Final = {"A": GREEN, "C": BLUE, "G": AMBER, "T": ORANGE, "U": ORANGE}
RESIDUES: Final = {
    **dict.fromkeys("GSTYC", GREEN),
    **dict.fromkeys("NQ", PURPLE),
    **dict.fromkeys("KRH", BLUE),
    **dict.fromkeys("DE", ORANGE),
}
#: Width of a column, room left for the axis, room under it for the numbers of the positions, in CSS pixels.
COLUMN: Final = 15
AXIS: Final = 26
NUMBERS: Final = 14
#: Units of a letter's outline; letters lower than `_SMALLEST` pixels are left out.
_UNIT: Final = 100
_SMALLEST: Final = 0.4


def letter_color(letter: str, alphabet: Alphabet) -> str:
    """Return the color of a letter; ``currentColor`` where it is simply ink."""
    return (BASES if alphabet.size == 4 else RESIDUES).get(letter, INK)


def heights(motif: Motif) -> npt.NDArray[np.float64]:
    """Return the height of each letter in bits, ``(L, A)``: its probability times the information of the position."""
    tall: npt.NDArray[np.float64] = motif.probabilities * np.maximum(motif.information, 0)[:, None]
    return tall


def draw_logo(motif: Motif, ax: "Axes") -> "Axes":
    """Draw the logo of a motif, its positions numbered from 1, and return the axes.

    References
    ----------
    Schneider & Stephens, Nucleic Acids Research 1990; Tareen & Kinney, Bioinformatics 2020 (logomaker).
    """
    import logomaker
    import pandas as pd

    letters = list(motif.alphabet.letters)
    table = pd.DataFrame(heights(motif), columns=letters)
    ink = {letter: letter_color(letter, motif.alphabet) for letter in letters}
    colors = {letter: "black" if color == INK else color for letter, color in ink.items()}
    logomaker.Logo(table, ax=ax, color_scheme=colors, show_spines=False)
    ax.set_ylim(0, np.log2(motif.alphabet.size))
    ax.set_ylabel("bits")
    ticks = _ticks(len(motif))
    ax.set_xticks([t - 1 for t in ticks], [str(t) for t in ticks])
    return ax


def logo_svg(motif: Motif, *, height: float = 96, title: str = "", key: str = "") -> str:
    """Return the logo of a motif as one small ``<svg>`` element, also valid as a file.

    Parameters
    ----------
    motif
        DNA, RNA or protein.
    height
        In CSS pixels; the width follows from the number of positions.
    title
        The accessible name; by default name and consensus.
    key
        Anything that tells two otherwise equal logos in one page apart.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> svg = logo_svg(Motif("GATA", np.eye(4)[[2, 0, 3, 0]], DNA))
    >>> svg.startswith("<svg"), 'aria-label="GATA: GATA"' in svg
    (True, True)
    """
    width = AXIS + COLUMN * len(motif) + 4
    tall = height - NUMBERS - 6
    parts = [_axis(tall, motif.alphabet), _numbers(len(motif), 0, height - 3), _letters(motif, 0, 6.0, tall, faint=())]
    return letters_svg(
        parts, motif.alphabet, width, height, title=title or f"{motif.label}: {motif.consensus}", key=key
    )


def aligned_logo_svg(
    query: Motif,
    target: Motif,
    *,
    offset: int,
    names: tuple[str, str] | None = None,
    height: float = 200,
    title: str = "",
    key: str = "",
) -> str:
    """Return the logos of two motifs one above the other, columns aligned; columns that face nothing are faint.

    Parameters
    ----------
    query, target
        Of one alphabet, the target already in the orientation in which it matched.
    offset
        Column of the query at which the target starts; negative where it starts before the query.
    names
        What stands above each; by default their labels.
    height
        In CSS pixels.
    title
        The accessible name.
    key
        As in `logo_svg`.
    """
    first, last = min(0, offset), max(len(query), offset + len(target))
    upper, lower = names or (query.label, target.label)
    caption = 14.0
    tall = (height - NUMBERS - 2 * caption) / 2 - 2
    tops = (caption, height - NUMBERS - tall - 1)
    parts = []
    for motif, shift, other, top, name in (
        (query, -first, (offset, offset + len(target)), tops[0], upper),
        (target, offset - first, (-offset, len(query) - offset), tops[1], lower),
    ):
        lonely = [i for i in range(len(motif)) if not other[0] <= i < other[1]]
        parts.append(f'<text x="{AXIS}" y="{short(top - 4)}" font-weight="600">{escape(name)}</text>')
        parts.append(_axis(tall, motif.alphabet, top))
        parts.append(_letters(motif, shift, top, tall, faint=lonely))
    parts.append(_numbers(len(query), -first, height - 3))
    width = AXIS + max(COLUMN * (last - first), 6 * max(len(upper), len(lower))) + 4
    return letters_svg(
        parts, query.alphabet, width, height, title=title or f"{upper}: {query.consensus}, above {lower}", key=key
    )


def _letters(motif: Motif, shift: int, top: float, tall: float, *, faint: Iterable[int]) -> str:
    """Return the stacked letters of a motif, larger ones above, as uses of the outlines."""
    scale = tall / np.log2(motif.alphabet.size)
    bits = heights(motif)
    pale, groups = set(faint), []
    for column, row in enumerate(bits):
        low, letters = top + tall, []
        for i in np.argsort(row, kind="stable"):
            high = float(row[i]) * scale
            if high >= _SMALLEST:
                x, across = AXIS + COLUMN * (column + shift) + 0.5, (COLUMN - 1) / _UNIT
                low -= high
                letters.append(
                    f'<use href="#@{motif.alphabet.letters[i]}" transform="matrix({short(across)} 0 0 '
                    f'{short(high / _UNIT)} {short(x)} {short(low)})"/>'
                )
            else:
                low -= high
        groups.append(f'<g opacity=".35">{"".join(letters)}</g>' if column in pale and letters else "".join(letters))
    return "".join(groups)


def _axis(tall: float, alphabet: Alphabet, top: float = 6.0) -> str:
    """Return the axis of information: a line with the ends and the middle marked in bits."""
    most = float(np.log2(alphabet.size))
    marks = [0, 1, 2] if alphabet.size == 4 else [0, 2, 4]
    x, parts = AXIS - 4, []
    for mark in marks:
        y = top + tall * (1 - mark / most)
        parts.append(f'<path d="M{x - 3} {short(y)}h3" stroke="currentColor" opacity=".6"/>')
        parts.append(f'<text x="{x - 5}" y="{short(y + 3)}" text-anchor="end">{mark}</text>')
    line = f'<path d="M{x} {short(top)}v{short(tall)}" stroke="currentColor" opacity=".6"/>'
    middle = short(top + tall / 2)
    unit = f'<text transform="translate(7 {middle}) rotate(-90)" text-anchor="middle" opacity=".7">bits</text>'
    return line + "".join(parts) + unit


def _numbers(length: int, shift: int, y: float) -> str:
    """Return the numbers of the positions, from 1."""
    return "".join(
        f'<text x="{short(AXIS + COLUMN * (t - 1 + shift) + COLUMN / 2)}" y="{short(y)}" text-anchor="middle" '
        f'opacity=".7">{t}</text>'
        for t in _ticks(length)
    )


def _ticks(length: int) -> list[int]:
    """Return the positions that are numbered: the first, and every fifth."""
    return [1, *range(5, length + 1, 5)]


def letters_svg(parts: list[str], alphabet: Alphabet, width: float, height: float, *, title: str, key: str = "") -> str:
    """Return an ``<svg>``: outlines of the letters used, then `parts`, in which ``@`` becomes a prefix of its own."""
    body = "".join(parts)
    paths = outlines(alphabet)
    defined = "".join(
        f'<path id="@{letter}" d="{paths[letter]}" fill="{_themed(letter_color(letter, alphabet))}"/>'
        for letter in alphabet.letters
        if f'"#@{letter}"' in body
    )
    prefix = "l" + blake2b(f"{key}\0{title}\0{body}".encode(), digest_size=4).hexdigest()
    inner = f"<defs>{defined}</defs>{body}".replace('"#@', f'"#{prefix}').replace('id="@', f'id="{prefix}')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {short(width)} {short(height)}" '
        f'width="{short(width)}" height="{short(height)}" role="img" aria-label="{escape(title)}" '
        f'fill="currentColor" font-size="9" font-family="system-ui,sans-serif">{inner}</svg>'
    )


def _themed(color: str) -> str:
    return THEMED.get(color, color)


def short(value: float) -> str:
    """Return a number with at most three decimals, none where it is whole."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=4)
def outlines(alphabet: Alphabet) -> dict[str, str]:
    """Return the outline of each letter as logomaker draws it, as SVG path data in a square of `_UNIT`.

    Drawing every letter of every logo anew takes logomaker 100 ms a logo; this way it draws each letter once.
    """
    import logomaker
    import pandas as pd
    from matplotlib.figure import Figure

    letters = list(alphabet.letters)
    table = pd.DataFrame(np.eye(len(letters)), columns=letters)
    logo = logomaker.Logo(table, ax=Figure().subplots(), width=1.0, vpad=0.0)
    outlines = {}
    for i, letter in enumerate(letters):
        path = logo.glyph_df.loc[i, letter].patch.get_path()
        codes, text, at = path.codes, [], 0
        vertices = np.round((path.vertices - [i - 0.5, 0]) * [_UNIT, -_UNIT] + [0, _UNIT], 1)
        while at < len(codes):
            command, points = {1: ("M", 1), 2: ("L", 1), 3: ("Q", 2), 4: ("C", 3), 79: ("Z", 1)}[int(codes[at])]
            numbers = " ".join(f"{v:g}" for v in vertices[at : at + points].ravel())
            text.append(command if command == "Z" else command + numbers)
            at += points
        outlines[letter] = "".join(text)
    return outlines
