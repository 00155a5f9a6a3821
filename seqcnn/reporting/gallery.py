"""A found motif as the report shows it: rank, title, color, drawings and what is said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from markupsafe import Markup

from seqcnn.motifs.compare import Match
from seqcnn.motifs.found import FoundMotif
from seqcnn.plot.logo import AXIS, COLUMN, NUMBERS, aligned_logo_svg, logo_svg
from seqcnn.plot.palette import CYCLE
from seqcnn.plot.sparks import outlines_svg
from seqcnn.reporting.words import number

MOST_SHOWN = 30


def inline(svg: str) -> Markup:
    """Return a drawing as it stands in a page: markup, without the namespace that only a file needs."""
    return Markup(svg.replace(' xmlns="http://www.w3.org/2000/svg"', "", 1))  # drawings escape their text


@dataclass(frozen=True)
class Shown:
    """One motif of the gallery.

    Parameters
    ----------
    found
        The motif as it was found.
    rank
        From 1, by importance.
    colors
        Class, label or target to its color.
    """

    found: FoundMotif
    rank: int
    colors: Mapping[str, str]

    @property
    def anchor(self) -> str:
        """The id of its card."""
        return f"motif-{self.rank}"

    @property
    def best(self) -> Match | None:
        """The best significant match."""
        return self.found.best

    @property
    def title(self) -> str:
        """What people would call it: the name of what it matches, else its own."""
        return self.best.name if self.best is not None else self.found.name

    @property
    def color(self) -> str:
        """The color of its sites."""
        return CYCLE[(self.rank - 1) % len(CYCLE)]

    @property
    def significant(self) -> bool:
        """Whether its importance is beyond chance."""
        return self.found.significant

    @property
    def speaks_for(self) -> str:
        """The class or label whose score it raises most, and by how much; empty where that is not known."""
        known = {name: effect for name, effect in self.found.effects.items() if np.isfinite(effect)}
        if not known:
            return ""
        name = max(known, key=lambda n: known[n])
        effect = known[name]
        others = [label for label in self.found.shares if label != name]
        if effect < 0 and len(known) == 1 and len(others) == 1:
            return f"{others[0]} ({number(effect, 2)} on the logit of {name})"
        return f"{name} ({'+' if effect >= 0 else ''}{number(effect, 2)} on its logit)"

    @property
    def shares(self) -> list[tuple[str, float, str]]:
        """Class, share of its records that hold the motif, and color; of two classes the positive one first."""
        pairs = list(self.found.shares.items())
        if len(pairs) == 2:
            pairs.reverse()
        return [(name, share, self.colors.get(name, CYCLE[i % len(CYCLE)])) for i, (name, share) in enumerate(pairs)]

    @cached_property
    def logo(self) -> Markup:
        """The logo of the matrix that was matched, as the summary shows it."""
        return inline(logo_svg(self.found.motif, key="summary"))

    @cached_property
    def mini(self) -> Markup:
        """The logo without axis and numbers, for a line of a table."""
        svg = logo_svg(self.found.motif, key="table")
        width, height = AXIS + COLUMN * len(self.found.motif) + 4, 96
        return inline(
            svg.replace(f'viewBox="0 0 {width} {height}"', f'viewBox="{AXIS} 0 {width - AXIS} {height - NUMBERS}"', 1)
            .replace(f'width="{width}" height="{height}"', f'width="{(width - AXIS) / 2:g}" height="41"', 1)
        )  # fmt: skip

    @cached_property
    def alignment(self) -> Markup:
        """The logo above that of its best match, in the orientation and place in which they were aligned."""
        if self.best is None:
            return inline(logo_svg(self.found.motif))
        names = (self.found.name, self.best.name)
        return inline(aligned_logo_svg(self.found.motif, self.best.aligned, offset=self.best.offset, names=names))

    @property
    def placed(self) -> Markup:
        """Where in the records its best sites lie, an outline a class."""
        counts = np.atleast_2d(self.found.positions)
        rows = dict(zip(self.found.shares, counts / counts.sum(axis=1, keepdims=True).clip(1), strict=False))
        return inline(
            outlines_svg(
                [rows[name] for name, _, _ in self.shares],
                [color for _, _, color in self.shares],
                title=f"Where the best sites of {self.title} lie along the record, by class",
            )
        )
