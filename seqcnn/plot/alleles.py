"""Two alleles one above the other: letters as tall as they matter, columns aligned, the motif that one has below."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.motif import Motif
from seqcnn.plot.logo import AXIS, heights, letters_svg, short
from seqcnn.plot.palette import AMBER, BLUE, THEMED

#: Width of a column; height of a track, of the logo, of a line of text, in CSS pixels.
_COLUMN: Final = 15.0
_TRACK: Final = 96.0
_LOGO: Final = 58.0
_LINE: Final = 17.0
#: Room on the left, for the names of the tracks and their axis.
_LEFT: Final = AXIS + 34.0
#: Share of a track below which letters are left out, as logos do.
_SMALLEST: Final = 0.6


@dataclass(frozen=True)
class Track:
    """One allele.

    Parameters
    ----------
    name
        What stands beside it.
    letters
        Of each column; a space where it has none.
    heights
        Of each letter; below 0 it hangs upside down.
    """

    name: str
    letters: str
    heights: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Site:
    """A motif and the columns that it matches, already as it reads from left to right."""

    name: str
    motif: Motif
    columns: tuple[int, ...]
    track: int


def alleles_svg(
    tracks: Sequence[Track],
    changed: tuple[int, int],
    alphabet: Alphabet,
    *,
    site: Site | None = None,
    unit: str = "",
    title: str = "",
    key: str = "",
) -> str:
    """Return both alleles as one ``<svg>``, to one scale.

    Parameters
    ----------
    tracks
        Reference, then alternative allele; of as many columns each.
    changed
        First and last column, not included, of what differs: marked.
    alphabet
        Of the letters.
    site
        A motif, drawn below with a frame around the letters that it matches.
    unit
        What the heights are.
    title, key
        As for `seqcnn.plot.logo.logo_svg`.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> one, other = (Track(name, letters, np.ones(3)) for name, letters in (("ref", "ACG"), ("alt", "ATG")))
    >>> alleles_svg([one, other], (1, 2), DNA, title="a <b>").count('<use href="#')
    6
    """
    columns = len(tracks[0].letters)
    everything = np.concatenate([track.heights for track in tracks])
    top, bottom = max(0.0, float(everything.max())), min(0.0, float(everything.min()))
    span = (top - bottom) or 1.0
    width = _LEFT + _COLUMN * columns + 6
    parts = []
    tops = [_LINE + i * (_TRACK + _LINE) for i in range(len(tracks))]
    end = tops[-1] + _TRACK
    left = _LEFT + _COLUMN * changed[0]
    band = _COLUMN * (changed[1] - changed[0])
    parts.append(
        f'<rect x="{short(left)}" y="{short(tops[0] - 4)}" width="{short(band)}" height="{short(end - tops[0] + 8)}" '
        f'fill="{THEMED[AMBER]}" opacity=".2" rx="2"/>'
    )
    for track, high in zip(tracks, tops, strict=True):
        zero = high + _TRACK * top / span
        parts.append(_scale(top, bottom, high, zero, width))
        middle = short(high + _TRACK / 2 + 4)
        parts.append(f'<text x="0" y="{middle}" font-weight="600" font-size="11">{escape(track.name)}</text>')
        parts.append(_letters(track, zero, _TRACK / span, alphabet))
    if unit:
        parts.append(f'<text x="{short(_LEFT)}" y="9" opacity=".7">{escape(unit)}</text>')
    if site is not None:
        high = tops[site.track]
        x, wide = _LEFT + _COLUMN * min(site.columns), _COLUMN * (max(site.columns) - min(site.columns) + 1)
        parts.append(
            f'<rect x="{short(x)}" y="{short(high - 2)}" width="{short(wide)}" height="{short(_TRACK + 4)}" '
            f'fill="none" stroke="{THEMED[BLUE]}" stroke-width="1.5" rx="3"/>'
        )
        high, end = end + _LINE + 4, end + 2 * _LINE + _LOGO + 4
        tall = heights(site.motif) * _LOGO / np.log2(alphabet.size)
        for column, row in zip(site.columns, tall, strict=True):
            parts.append(_stack(row, _LEFT + _COLUMN * column, high + _LOGO, alphabet))
        parts.append(
            f'<path d="M{short(x)} {short(high + _LOGO)}h{short(wide)}" stroke="{THEMED[BLUE]}" stroke-width="1.5"/>'
            f'<text x="{short(x + wide / 2)}" y="{short(end - 4)}" text-anchor="middle" font-size="11" '
            f'font-weight="600">{escape(site.name)}</text>'
        )
    return letters_svg(parts, alphabet, width, end + 6, title=title, key=key)


def _scale(top: float, bottom: float, high: float, zero: float, width: float) -> str:
    """Return the line of zero, and the axis with its ends."""
    x = _LEFT - 5
    parts = [f'<path d="M{short(_LEFT)} {short(zero)}H{short(width - 6)}" stroke="currentColor" opacity=".25"/>']
    parts.append(f'<path d="M{short(x)} {short(high)}v{short(_TRACK)}" stroke="currentColor" opacity=".6"/>')
    span = (top - bottom) or 1.0
    marks = [0.0, *(value for value in (top, bottom) if abs(value) > 0.15 * span)]
    for mark in marks:
        y = high + _TRACK * (top - mark) / span
        parts.append(f'<path d="M{short(x - 3)} {short(y)}h3" stroke="currentColor" opacity=".6"/>')
        said = f"{mark:.2g}".replace("-", "−")
        parts.append(f'<text x="{short(x - 5)}" y="{short(y + 3)}" text-anchor="end">{said}</text>')
    return "".join(parts)


def _use(letter: str, x: float, y: float, tall: float) -> str:
    """Return a letter whose foot is at `y`; one of negative height hangs from there."""
    return (
        f'<use href="#@{letter}" transform="matrix({short((_COLUMN - 1) / 100)} 0 0 {tall / 100:.4f} '
        f'{short(x + 0.5)} {short(y - tall)})"/>'
    )


def _letters(track: Track, zero: float, scale: float, alphabet: Alphabet) -> str:
    """Return the letters of a track; those too low to be seen as dots, what is missing as a dash."""
    parts = []
    for column, (letter, height) in enumerate(zip(track.letters, track.heights, strict=True)):
        x, tall = _LEFT + _COLUMN * column, float(height) * scale
        if letter == " ":
            middle = short(x + _COLUMN / 2)
            parts.append(f'<text x="{middle}" y="{short(zero + 3)}" text-anchor="middle" opacity=".6">–</text>')
        elif letter not in alphabet.letters:
            middle = short(x + _COLUMN / 2)
            parts.append(f'<text x="{middle}" y="{short(zero - 2)}" text-anchor="middle">{escape(letter)}</text>')
        elif abs(tall) >= _SMALLEST:
            parts.append(_use(letter, x, zero, tall))
    return "".join(parts)


def _stack(row: npt.NDArray[np.float64], x: float, foot: float, alphabet: Alphabet) -> str:
    """Return the letters of one column of a logo, larger ones above."""
    parts = []
    for i in np.argsort(row, kind="stable"):
        if row[i] >= _SMALLEST:
            parts.append(_use(alphabet.letters[i], x, foot, float(row[i])))
        foot -= float(row[i])
    return "".join(parts)
