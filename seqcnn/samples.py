"""Samples: time series, recordings and files as numbers over time, of any lengths, in one flat buffer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from seqcnn.errors import ShapeError

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Samples:
    """Series of V variables and any lengths: values ``(V, total)`` and N + 1 offsets.

    A missing value is NaN; missing values at the end of a record count as its end, as the UCR archive pads.

    Parameters
    ----------
    values
        float32, or uint8 for the bytes of files.
    offsets
        Where records begin and end, ``(N + 1,)``.

    Examples
    --------
    >>> s = Samples.from_arrays([[1, 2, 3], [[4, 5, np.nan]]])
    >>> len(s), s.variables, s.lengths.tolist(), s[1].tolist()
    (2, 1, [3, 2], [[4.0, 5.0]])
    >>> s.rectangle()[0][:, 0].tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, nan]]
    """

    values: Values
    offsets: npt.NDArray[np.int64]

    @classmethod
    def from_arrays(cls, records: Iterable[npt.ArrayLike], *, variables: int | None = None) -> Self:
        """Join records ``(V, T)``, or ``(T,)`` of one variable.

        Parameters
        ----------
        variables
            V, where there may be no record to tell it.

        Raises
        ------
        ShapeError
            If a record has another number of variables than the first one, or more than two axes.
        """
        arrays = []
        for i, record in enumerate(records, 1):
            array = np.asarray(record)
            array = array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
            array = array[None] if array.ndim == 1 else array
            if array.ndim != 2 or (variables is not None and len(array) != variables):
                wanted = "one or more" if variables is None else variables
                raise ShapeError(
                    f"record {i}: expected a series (variables, length) of {wanted} variables, "
                    f"found shape {np.shape(record)}"
                )
            variables = len(array)
            arrays.append(array[:, : _end(array)])
        offsets = np.zeros(len(arrays) + 1, np.int64)
        np.cumsum([a.shape[1] for a in arrays], out=offsets[1:])
        empty = np.zeros((variables or 1, 0), np.float32)
        return cls(np.concatenate(arrays, axis=1) if arrays else empty, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Values:
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return self.values[:, self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[Values]:
        for i in range(len(self)):
            yield self[i]

    @property
    def variables(self) -> int:
        """V, the number of series a record holds."""
        return int(self.values.shape[0])

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Length of each record, ``(N,)``."""
        return np.diff(self.offsets)

    def take(self, indices: npt.ArrayLike) -> "Samples":
        """Return the records at `indices`, in that order."""
        chosen = [self[int(i)] for i in np.asarray(indices, np.int64)]
        offsets = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum([a.shape[1] for a in chosen], out=offsets[1:])
        return Samples(np.concatenate(chosen, axis=1) if chosen else self.values[:, :0], offsets)

    def rectangle(
        self, indices: npt.ArrayLike | None = None, *, width: int | None = None
    ) -> tuple[Values, npt.NDArray[np.int64]]:
        """Return values ``(n, V, width)`` padded at the end with NaN (bytes: 0), and the lengths ``(n,)``.

        `width` defaults to the longest record taken; a longer record is cut at `width`.
        """
        index = np.arange(len(self)) if indices is None else np.asarray(indices, np.int64)
        lengths = self.lengths[index]
        width = int(lengths.max(initial=0)) if width is None else width
        lengths = np.minimum(lengths, width)
        padding = 0 if self.values.dtype == np.uint8 else np.nan
        out = np.full((len(index), self.variables, width), padding, self.values.dtype)
        for row, (start, length) in enumerate(zip(self.offsets[index], lengths, strict=True)):
            out[row, :, :length] = self.values[:, start : start + length]
        return out, lengths


def _end(array: Values) -> int:
    """Return where a record ends: behind the last column that holds a number, but not before its first column."""
    if array.dtype == np.uint8 or not array.shape[1]:
        return int(array.shape[1])
    known = np.flatnonzero(~np.isnan(array).all(0))
    return int(known[-1]) + 1 if len(known) else 1
