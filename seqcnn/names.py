"""Names of many rows, each distinct one held once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Names:
    """A column of names: which of a few each row has.

    Parameters
    ----------
    table
        The names.
    codes
        Which of them each row has, ``(N,)``.

    Examples
    --------
    >>> names = Names(("chr1", "chr2"), np.array([0, 0, 1]))
    >>> names.tolist(), names.at(2), names[:2].tolist()
    (['chr1', 'chr1', 'chr2'], 'chr2', ['chr1', 'chr1'])
    """

    table: Sequence[str]
    codes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, names: Sequence[str]) -> "Names":
        """Return a column of names as they stand, row by row."""
        return cls(names, np.arange(len(names)))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | npt.NDArray[np.int64]) -> "Names":
        return Names(self.table, self.codes[rows])

    def at(self, row: int) -> str:
        """Return the name of one row."""
        return self.table[int(self.codes[row])]

    def tolist(self) -> list[str]:
        """Return the name of each row."""
        table = self.table
        return [table[code] for code in self.codes.tolist()]
