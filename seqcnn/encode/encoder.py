"""The base of encoders: what turns a raw batch into an image ``(N, C, H, W)``, on the device."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from seqcnn.registry import resolve


class Encoder(nn.Module, ABC):
    """A serializable module from a raw batch to a float32 image.

    A subclass sets the class variables, the shape of its image, ``fit``, ``config`` and ``forward``, and is registered
    by one line in `seqcnn.registry`; ``Encoder(**encoder.config())`` is the same encoder again.

    Attributes
    ----------
    name
        What it is registered under.
    raw_kind
        ``codes``, ``samples`` or ``pixels``: what it reads.
    files
        Kind of file that holds one record (see `seqcnn.data.sources.files`); None where files hold many.
    channels, height, width
        C, H and W of the image; W is None where records have any length.
    raw_shape
        ``(C, H, W)`` of pixels, ``(V,)`` of samples, ``()`` of codes.
    """

    name: ClassVar[str]
    raw_kind: ClassVar[str]
    files: ClassVar[str | None] = None
    channels: int
    height: int
    width: int | None = None
    raw_shape: tuple[int, ...] = ()
    #: Whether a record has another strand to be read from.
    has_complement: bool = False
    #: Whether the image is the same whatever a variable of a record is multiplied by.
    sizeless: bool = False
    #: Variables that are amounts, which noise can be added to; None for all.
    amounts: ClassVar[tuple[int, ...] | None] = None

    @classmethod
    @abstractmethod
    def fit(cls, raw: Any, **settings: Any) -> Self:
        """Return the encoder for training records; `settings` are what data and user say, unknown ones are ignored."""

    def columns(self, lengths: Tensor) -> Tensor | None:
        """Return how many columns of the image are real for records of these `lengths` ``(N,)``; None for all."""
        return None

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments, fit for JSON."""

    def settings(self) -> dict[str, Any]:
        """Return what reading another file the same way takes, such as the sampling rate."""
        return {}

    def image(self, raw: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the image of a raw batch, and how many of its columns are real; None where all are."""
        columns = self.columns(lengths)
        image = self(raw, lengths)
        if columns is not None and (not len(columns) or int(columns.min()) >= image.shape[-1]):
            columns = None
        return image, columns

    def cells(self, length: int) -> int:
        """Return the pixels ``H * W`` of the image of a record of this length."""
        from torch import tensor

        columns = self.columns(tensor([length]))
        return self.height * int(self.width or (length if columns is None else int(columns[0])))


def create(name: str, **config: Any) -> Encoder:
    """Return the encoder registered under `name`, built from its `config`.

    >>> create("onehot", alphabet="rna").channels
    4
    """
    encoder: Encoder = resolve("encoder", name)(**config)
    return encoder
