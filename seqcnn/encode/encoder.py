"""The protocol of encoders: what turns a raw batch into an image ``(N, C, H, W)``."""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from seqcnn.registry import resolve


@runtime_checkable
class Encoder(Protocol):
    """A serializable `torch.nn.Module` from a raw uint8 batch to a float32 image.

    ``Encoder(**encoder.config())`` is the same encoder again; ``name`` is what it is registered under.
    """

    name: str
    raw_kind: str

    @property
    def channels(self) -> int:
        """C of the image."""
        ...

    @property
    def height(self) -> int:
        """H of the image: 1 for sequences as channels."""
        ...

    @property
    def width(self) -> int | None:
        """W of the image, None where records have any length."""
        ...

    @property
    def has_complement(self) -> bool:
        """Whether a record has another strand to be read from."""
        ...

    def __call__(self, raw: Tensor) -> Tensor:
        """Return the image of a raw batch."""
        ...

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments, fit for JSON."""
        ...

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move to a device, as modules do."""
        ...


def create(name: str, **config: Any) -> Encoder:
    """Return the encoder registered under `name`, built from its `config`.

    >>> create("onehot", alphabet="rna").channels
    4
    """
    encoder: Encoder = resolve("encoder", name)(**config)
    return encoder
