"""A first layer on codes: what a convolution makes of four letters, looked up in tables of words."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from numba import njit
from torch import Tensor, nn

from seqcnn.nn.stages import Conv, Pool

#: Letters of a word: tables of 256 rows stay in the cache.
WORD, LETTERS = 4, 4
_FORMS = LETTERS**WORD


class Tables:
    """A convolution of one-hot letters, and the pool behind it, as sums of rows of tables.

    A filter of width K is cut into words of four letters; for each there is a table with what the filters make of each
    of its 256 forms. Records with letters other than the four must go the plain way.

    Parameters
    ----------
    conv
        Of four channels, without dilation.
    pool
        Of the maximum, taken at once; None for none.

    Examples
    --------
    >>> conv = Conv(torch.randn(2, 4, 6))
    >>> codes = torch.randint(0, 4, (3, 20), dtype=torch.uint8)
    >>> image = nn.functional.one_hot(codes.long(), 4).float().permute(0, 2, 1)[:, :, None]
    >>> torch.allclose(Tables(conv, Pool(3))(codes), Pool(3)(conv(image)), atol=1e-5)
    True
    """

    def __init__(self, conv: Conv, pool: Pool | None = None) -> None:
        self.every = 1 if pool is None else pool.width
        self.width = conv.weight.shape[2]
        self.pieces = -(-self.width // WORD)
        weight = nn.functional.pad(conv.weight, (0, self.pieces * WORD - self.width)).float().cpu()
        letters = torch.cartesian_prod(*[torch.arange(LETTERS)] * WORD)  # (256, 4)
        rows = [
            sum(weight[:, letters[:, i], piece * WORD + i] for i in range(WORD)).T  # type: ignore[union-attr]
            for piece in range(self.pieces)
        ]
        if conv.bias is not None:
            rows[0] = rows[0] + conv.bias.float().cpu()
        self.rows = torch.cat(rows).contiguous().numpy()  # (pieces * 256, F)

    @staticmethod
    def suits(conv: Conv, pool: Pool | None) -> bool:
        """Return whether there are tables for such a convolution."""
        return conv.weight.shape[1] == LETTERS and conv.dilation == 1 and not (pool is not None and pool.mean)

    def __call__(self, codes: Tensor) -> Tensor:
        """Return maps ``(N, F, 1, cells)`` in channels_last, of codes ``(N, L)`` that are all 0 to 3."""
        words = self.words(codes).numpy()
        cells = (codes.shape[1] - self.width + 1) // self.every
        out = np.empty((len(words), cells, self.rows.shape[1]), np.float32)
        _looked_up(words, self.rows, self.every, out)
        return torch.from_numpy(out).permute(0, 2, 1).unsqueeze(2)

    def words(self, codes: Tensor) -> Tensor:
        """Return the word that begins at each letter, ``(N, L + ...)``; beyond the end it does not matter which."""
        wide = nn.functional.pad(codes, (0, self.pieces * WORD - self.width + WORD)).to(torch.int32)
        pairs = wide[:, :-1] * LETTERS + wide[:, 1:]
        return pairs[:, :-2] * LETTERS**2 + pairs[:, 2:]


@njit(fastmath=True, nogil=True, cache=True)
def _looked_up(words: npt.NDArray[Any], rows: npt.NDArray[Any], every: int, out: npt.NDArray[Any]) -> None:
    """Fill `out` ``(N, cells, F)`` with the largest of every so many sums of rows."""
    pieces, filters = len(rows) // _FORMS, rows.shape[1]
    total = np.empty(filters, np.float32)
    for i in range(out.shape[0]):
        for cell in range(out.shape[1]):
            best = out[i, cell]
            for j in range(every):
                at = cell * every + j
                first = rows[words[i, at]]
                for f in range(filters):
                    total[f] = first[f]
                for piece in range(1, pieces):
                    row = rows[piece * _FORMS + words[i, at + piece * WORD]]
                    for f in range(filters):
                        total[f] += row[f]
                for f in range(filters):
                    if j == 0 or total[f] > best[f]:
                        best[f] = total[f]
