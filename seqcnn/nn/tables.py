"""A first layer on codes: what a convolution makes of letters, looked up in tables of words."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.compiling import compiled
from seqcnn.nn.stages import Conv, Pool

#: Words that a table has a row for, at most: so many rows of a hundred filters stay in the cache.
_FORMS = 512


class Tables:
    """A convolution of the columns of codes, and the pool behind it, as sums of rows of tables.

    A filter of width K is cut into words of some letters (DNA: four); for each there is a table with what the filters
    make of each word (of 256). Where a word holds other symbols, or no letter, columns are added one by one.

    Parameters
    ----------
    conv
        Of as many channels as there are letters, without dilation.
    columns
        The column of the image that each code becomes, ``(256, A)``: of letter i, code i, a one in channel i.
    pool
        Of the maximum, taken at once; None for none.

    Examples
    --------
    >>> conv, columns = Conv(torch.randn(2, 4, 6)), torch.eye(256, 4)
    >>> codes = torch.randint(0, 5, (3, 20), dtype=torch.uint8)
    >>> image = columns[codes.int()].permute(0, 2, 1)[:, :, None]
    >>> torch.allclose(Tables(conv, columns, Pool(3))(codes), Pool(3)(conv(image)), atol=1e-5)
    True
    """

    def __init__(self, conv: Conv, columns: Tensor, pool: Pool | None = None) -> None:
        weight = conv.weight.float().cpu()  # (F, A, K)
        _, size, self.width = weight.shape
        self.every = 1 if pool is None else pool.width
        self.size, self.word = size, max(1, int(np.log(_FORMS) / np.log(size)))
        # Soft-masked letters, other symbols and no letter: as many columns as there are different ones.
        kinds, symbol = torch.unique(columns.float().cpu(), dim=0, return_inverse=True)  # (S, A)
        plain = [int(symbol[i]) for i in range(size)]
        order = [*plain, *(i for i in range(len(kinds)) if i not in plain)]
        place = torch.empty(len(kinds), dtype=torch.int64)
        place[order] = torch.arange(len(kinds))
        self.symbol = place[symbol].numpy().astype(np.uint8)  # (256,): letters are 0 .. A - 1
        single = torch.einsum("sa,fak->ksf", kinds[order], weight)  # (K, S, F)
        if conv.bias is not None:
            single[0] += conv.bias.float().cpu()
        single = nn.functional.pad(single, (0, 0, 0, 256 - single.shape[1]))
        self.single = single.flatten(0, 1).contiguous().numpy()  # (K * 256, F)
        pieces = -(-self.width // self.word)
        whole = nn.functional.pad(single[:, :size], (0, 0, 0, 0, 0, pieces * self.word - self.width))
        letters = torch.cartesian_prod(*[torch.arange(size)] * self.word).view(-1, self.word)
        words = whole.view(pieces, self.word, size, -1)
        rows = [sum(piece[i, letters[:, i]] for i in range(1, self.word)) + piece[0, letters[:, 0]] for piece in words]
        rows.append(torch.zeros(1, weight.shape[0]))  # of no word
        self.rows = torch.cat(rows).contiguous().numpy()  # (pieces * A ** word + 1, F)

    @staticmethod
    def suits(conv: Conv, columns: Tensor) -> bool:
        """Return whether there are tables for such a convolution."""
        size = conv.weight.shape[1]
        return conv.dilation == 1 and columns.shape[1] == size and torch.equal(columns[:size].cpu(), torch.eye(size))

    def __call__(self, codes: Tensor) -> Tensor:
        """Return maps ``(N, F, 1, cells)`` in channels_last, of codes ``(N, L)``."""
        cells = (codes.shape[1] - self.width + 1) // self.every
        out = np.empty((len(codes), cells, self.rows.shape[1]), np.float32)
        _summed(codes.numpy(), self.symbol, self.rows, self.single, (self.size, self.word, self.every), out)
        return torch.from_numpy(out).permute(0, 2, 1).unsqueeze(2)


@compiled
def _summed(
    codes: npt.NDArray[np.uint8],
    symbol: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.float32],
    single: npt.NDArray[np.float32],
    sizes: tuple[int, int, int],
    out: npt.NDArray[np.float32],
) -> None:
    """Fill `out` ``(N, cells, F)`` with the largest of every so many sums of rows.

    Rows are named by number, not taken as views, whose counting takes longer than their sums; four and what there is
    are summed at a time, so that sums stay in registers.
    """
    size, word, every = sizes
    forms, filters, width = size**word, rows.shape[1], len(single) // 256
    none = len(rows) - 1
    pieces = none // forms
    fifth = 1 if pieces % 4 == 1 and pieces > 1 else 0
    length = codes.shape[1]
    letters = np.zeros(length + (pieces + 1) * word, np.int32)  # beyond the end it does not matter which
    words = np.empty(length + pieces * word, np.int32)
    clear = np.zeros(length + 1, np.int32)  # letters from each place to the next other symbol
    total = np.empty(filters, rows.dtype)
    for i in range(out.shape[0]):
        for at in range(length - 1, -1, -1):
            letter = symbol[codes[i, at]]
            clear[at] = clear[at + 1] + 1 if letter < size else 0
            letters[at] = letter if letter < size else 0
        words[:] = 0
        for j in range(word):
            for at in range(len(words)):
                words[at] = words[at] * size + letters[at + j]
        for cell in range(out.shape[1]):
            for j in range(every):
                at = cell * every + j
                if clear[at] >= width:
                    carry = words[at + (pieces - 1) * word] + (pieces - 1) * forms if fifth else none
                    for piece in range(0, pieces - fifth, 4):
                        place, row = at + piece * word, piece * forms
                        a = words[place] + row
                        b = words[place + word] + row + forms if piece + 1 < pieces else none
                        c = words[place + 2 * word] + row + 2 * forms if piece + 2 < pieces else none
                        d = words[place + 3 * word] + row + 3 * forms if piece + 3 < pieces else none
                        if piece == 0:
                            for f in range(filters):
                                total[f] = (rows[a, f] + rows[b, f]) + (rows[c, f] + rows[d, f]) + rows[carry, f]
                        else:
                            for f in range(filters):
                                total[f] += (rows[a, f] + rows[b, f]) + (rows[c, f] + rows[d, f])
                else:
                    a = int(symbol[codes[i, at]])
                    for f in range(filters):
                        total[f] = single[a, f]
                    for k in range(1, width):
                        a = k * 256 + int(symbol[codes[i, at + k]])
                        for f in range(filters):
                            total[f] += single[a, f]
                if j == 0:
                    for f in range(filters):
                        out[i, cell, f] = total[f]
                else:
                    for f in range(filters):
                        out[i, cell, f] = max(out[i, cell, f], total[f])
