"""The colors of every drawing: Okabe and Ito's palette, told apart by color-blind eyes too, themed through CSS."""

from typing import Final

#: Text, axes and everything else that is simply ink.
INK: Final = "currentColor"

# Okabe M, Ito K (2008) Color Universal Design, https://jfly.uni-koeln.de/color/
BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"  # the palette's "vermillion"
GREEN: Final = "#009e73"
PURPLE: Final = "#cc79a7"
AMBER: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREY: Final = "#808891"
FAINT: Final = "#b9c0c7"

#: The order in which series, classes and motifs take their colors.
CYCLE: Final = (BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, "#7a6fb0", "#8c6d31", "#5b8c2a", GREY)

#: What `seqcnn.plot.svg` writes in place of each color.
THEMED: Final = {
    "#000000": INK,
    BLUE: f"var(--blue,{BLUE})",
    ORANGE: f"var(--orange,{ORANGE})",
    GREEN: f"var(--green,{GREEN})",
    PURPLE: f"var(--purple,{PURPLE})",
    AMBER: f"var(--amber,{AMBER})",
    SKY: f"var(--sky,{SKY})",
    GREY: f"var(--grey,{GREY})",
    FAINT: f"var(--faint,{FAINT})",
}
