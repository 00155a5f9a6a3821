"""Contact sheets: records as given, and the copies that augmentation made of each beside them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import SOFT_MASK, Alphabet
from seqcnn.plot.canvas import TEXT, figure
from seqcnn.plot.logo import letter_color
from seqcnn.plot.palette import CYCLE
from seqcnn.plot.pictures import picture_colors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Raw records of one kind and their lengths: codes ``(N, L)``, samples ``(N, V, T)`` or pixels ``(N, C, H, W)``.
Copy = tuple[npt.NDArray[np.generic], npt.NDArray[np.int64]]

#: Letters of a sequence that are shown, width of one and height of a line, in CSS pixels.
_LETTERS, _LETTER, _LINE = 80, 9.0, 13.0
_CELL, _SERIES = 96.0, (150.0, 72.0)


def contact_sheet(
    copies: Sequence[Copy], *, ids: Sequence[str], title: str, alphabet: Alphabet | None = None
) -> "Figure":
    """Return a figure of N records: as given in the first column (sequences: line), changed in the others.

    Parameters
    ----------
    copies
        The records as given, then each changed version of all of them.
    ids
        Names of the records.
    title
        What changed them.
    alphabet
        Of codes.

    Examples
    --------
    >>> given = np.zeros((2, 3, 8, 8), np.uint8), np.array([8, 8])
    >>> len(contact_sheet([given, given, given], ids=["a", "b"], title="flip").axes)
    6
    """
    rows, columns = len(ids), len(copies)
    if alphabet is not None:
        widest = min(_LETTERS, max(int(lengths.max(initial=1)) for _, lengths in copies))
        fig, axes = figure(max(360.0, widest * _LETTER + 110), rows * (columns * _LINE + 26) + 30, rows=rows)
        for i, ax in enumerate(axes):
            _letters([(np.asarray(raw[i]), int(lengths[i])) for raw, lengths in copies], ax, alphabet, widest)
            ax.set_title(ids[i], fontsize=TEXT, loc="left")
    else:
        pictures = copies[0][0].ndim == 4
        across, down = (_CELL, _CELL) if pictures else _SERIES
        fig, axes = figure(columns * across, rows * (down + 20) + 40, rows=rows, columns=columns)
        for i in range(rows):
            span = np.asarray([raw[i] for raw, _ in copies[:1]], np.float64)
            for j, (raw, lengths) in enumerate(copies):
                ax = axes[i * columns + j]
                if pictures:
                    _picture(np.asarray(raw[i]), ax)
                else:
                    _series(np.asarray(raw[i], np.float64)[:, : int(lengths[i])], ax, span)
                if not j:
                    ax.set_title(ids[i][:16], fontsize=TEXT - 1, loc="left")
    fig.suptitle(f"As given, and changed by {title}", fontsize=TEXT + 1, x=0.01, ha="left")
    return fig


def _picture(pixels: npt.NDArray[np.generic], ax: "Axes") -> None:
    colors = picture_colors(pixels, most=256)
    ax.imshow(colors if colors.shape[2] == 3 else colors[:, :, 0], cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()


def _series(values: npt.NDArray[np.float64], ax: "Axes", given: npt.NDArray[np.float64]) -> None:
    for k, row in enumerate(values):
        ax.plot(row, color=CYCLE[k % len(CYCLE)], linewidth=1)
    known = given[np.isfinite(given)]
    if len(known) and known.max() > known.min():
        room = 0.3 * float(known.max() - known.min())  # one scale for all copies, so that sizes can be compared
        ax.set_ylim(float(known.min()) - room, float(known.max()) + room)
    ax.set_axis_off()


def _letters(lines: list[tuple[npt.NDArray[np.generic], int]], ax: "Axes", alphabet: Alphabet, widest: int) -> None:
    """Write a record and its copies one under the other; the record is bold."""
    for j, (codes, length) in enumerate(lines):
        text = "".join(alphabet.symbols[int(c) & (SOFT_MASK - 1)] for c in codes[: min(length, widest)])
        for x, letter in enumerate(text):
            color = letter_color(letter, alphabet)
            ax.text(
                x, -j, letter, color="black" if color == "currentColor" else color, ha="center", va="center",
                fontsize=TEXT - 1, family="monospace", weight="bold" if j == 0 else "normal",
            )  # fmt: skip
    ax.set_xlim(-0.7, widest)
    ax.set_ylim(-len(lines) + 0.4, 0.7)
    ax.set_axis_off()
