"""Substitutions: windows of a text of letters, and what stands at one place of each instead."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seqcnn.alphabet import Alphabet
from seqcnn.sequence import Codes, Sequences


@dataclass(frozen=True)
class Substitutions:
    """Windows of some letters, and what stands at one place of each instead.

    Parameters
    ----------
    codes
        Letters of all windows, ``(L,)``; those of windows that overlap once.
    starts
        Of each window in them, ``(n,)``, rising.
    window
        Its letters.
    ahead
        Letters from its start to those replaced.
    instead
        What replaces them, ``(n, k)``.
    """

    codes: Codes
    starts: npt.NDArray[np.int64]
    window: int
    ahead: int
    instead: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: npt.NDArray[np.int64]) -> "Substitutions":
        """Return some of them."""
        return replace(self, starts=self.starts[rows], instead=self.instead[rows])

    def whole(self) -> Sequences:
        """Return the windows as they are, then with letters replaced, ``2 n`` records."""
        windows = self.codes[self.starts[:, None] + np.arange(self.window)]
        changed = windows.copy()
        changed[:, self.ahead : self.ahead + self.instead.shape[1]] = self.instead
        return Sequences.from_codes([*windows, *changed])

    def turned(self, alphabet: Alphabet) -> "Substitutions":
        """Return the same on the other strand, in the opposite order."""
        complement = np.array(list(alphabet.complement), np.uint8)
        return Substitutions(
            complement[self.codes[::-1]],
            len(self.codes) - self.window - self.starts[::-1],
            self.window,
            self.window - self.ahead - self.instead.shape[1],
            complement[self.instead[::-1, ::-1]],
        )
