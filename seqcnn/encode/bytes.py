"""Files of any kind as grey pictures of their bytes."""

from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seqcnn.checks import whole
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.gramian import aggregated
from seqcnn.encode.series import check_samples, inside
from seqcnn.errors import OptionError
from seqcnn.samples import Samples

SIZE = 64


class Bytes(Encoder):
    """Bytes ``(N, 1, T)`` uint8 to grey pictures ``(N, 1, S, S)``, read row by row; 0 is black (-1), 255 white (1).

    A long file is cut into S x S equal pieces, each a pixel of the mean of its bytes; a short one repeats bytes. So a
    part of a file has the same place in the picture whatever the file's length.

    Parameters
    ----------
    size
        S.

    References
    ----------
    Nataraj et al. Malware images: visualization and automatic classification. VizSec (2011).

    Examples
    --------
    >>> raw = torch.arange(0, 256, dtype=torch.uint8)[None, None]
    >>> Bytes(2)(raw).squeeze().round(decimals=2).tolist()
    [[-0.75, -0.25], [0.25, 0.75]]
    """

    name: ClassVar[str] = "bytes"
    raw_kind: ClassVar[str] = "samples"
    files: ClassVar[str | None] = "file"
    channels = 1
    raw_shape = (1,)

    def __init__(self, size: int = SIZE) -> None:
        super().__init__()
        self.height = self.width = whole(size, "size", 2)

    @classmethod
    def fit(cls, raw: Samples, *, size: int | None = None, **settings: Any) -> Self:
        """Return the encoder with pictures of `size`."""
        if raw.variables != 1:
            raise OptionError(f"bytes: expected one value at a time, found {raw.variables}; pass files")
        return cls(size or SIZE)

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {"size": self.height}

    def settings(self) -> dict[str, Any]:
        """Return the size."""
        return {"size": self.height}

    def forward(self, raw: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return float32 ``(N, 1, S, S)`` of `raw` ``(N, 1, T)``."""
        check_samples(raw, self)
        real = inside(raw, lengths)
        values = torch.nan_to_num(raw.float())
        means = aggregated(values, real, self.height**2)
        return (means / 127.5 - 1).reshape(-1, 1, self.height, self.height)
