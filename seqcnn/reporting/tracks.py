"""A sequence with the sites of motifs drawn on it: boxes on a line, and marked letters that wrap anywhere."""

from dataclasses import dataclass

LONGEST_SHOWN = 240
AROUND = 15


@dataclass(frozen=True)
class Mark:
    """A site on a record: half-open, 0-based; `rank` of the motif from 1, with its title and color."""

    start: int
    end: int
    strand: str
    rank: int
    title: str
    color: str
    strength: float


@dataclass(frozen=True)
class Piece:
    """A run of letters under one mark (or none), or a number of letters left out."""

    text: str = ""
    mark: Mark | None = None
    first: bool = False
    left_out: int = 0


def pieces(letters: str, marks: list[Mark], *, longest: int = LONGEST_SHOWN, around: int = AROUND) -> list[Piece]:
    """Return `letters` cut into pieces by `marks`; where marks overlap, the motif of the lower rank owns the letters.

    A record longer than `longest` is shown around its marks only (its beginning, if it has none), and what is left
    out is counted.

    Examples
    --------
    >>> site = Mark(2, 4, "+", 1, "CTCF", "#0072b2", 0.9)
    >>> [(p.text, p.mark is not None) for p in pieces("AACGTT", [site])]
    [('AA', False), ('CG', True), ('TT', False)]
    >>> [(p.text, p.left_out) for p in pieces("A" * 9, [site], longest=8, around=1)]
    [('', 1), ('A', 0), ('AA', 0), ('A', 0), ('', 4)]
    """
    size = len(letters)
    owner: list[Mark | None] = [None] * size
    for mark in sorted(marks, key=lambda m: (-m.rank, m.strength)):
        for at in range(max(mark.start, 0), min(mark.end, size)):
            owner[at] = mark
    shown = [True] * size
    if size > longest:
        shown = [False] * size
        spans = [(m.start - around, m.end + around) for m in marks] or [(0, longest)]
        for start, end in spans:
            for at in range(max(start, 0), min(end, size)):
                shown[at] = True
    result: list[Piece] = []
    seen: set[int] = set()
    at = 0
    while at < size:
        stop = at + 1
        while stop < size and shown[stop] == shown[at] and (not shown[at] or owner[stop] is owner[at]):
            stop += 1
        covering = owner[at]
        if not shown[at]:
            result.append(Piece(left_out=stop - at))
        else:
            result.append(Piece(letters[at:stop], covering, covering is not None and id(covering) not in seen))
            if covering is not None:
                seen.add(id(covering))
        at = stop
    return result
