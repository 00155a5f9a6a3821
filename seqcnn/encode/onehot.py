"""One-hot images of sequences, by one table lookup on the device."""

from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from seqcnn.alphabet import PAD, SOFT_MASK
from seqcnn.checks import one_of
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OptionError, ShapeError
from seqcnn.registry import resolve

Layout = Literal["channels", "picture"]


class OneHot(Encoder):
    """Codes ``(N, L)`` to an image: a channel a letter, or a black-and-white picture with a row a letter.

    Ambiguity letters become probabilities, gaps and padding become zero columns; the soft mask is ignored.

    Parameters
    ----------
    alphabet
        Registered name: ``dna``, ``rna``, ``protein``.
    layout
        ``channels`` gives ``(N, A, 1, L)``, ``picture`` gives ``(N, 1, A, L)``.

    Examples
    --------
    >>> from seqcnn.alphabet import DNA
    >>> from seqcnn.sequence import encode
    >>> codes = torch.from_numpy(encode("aCN", DNA).copy())[None]
    >>> OneHot("dna")(codes)[0, :, 0].tolist()
    [[1.0, 0.0, 0.25], [0.0, 1.0, 0.25], [0.0, 0.0, 0.25], [0.0, 0.0, 0.25]]
    """

    name: ClassVar[str] = "onehot"
    raw_kind: ClassVar[str] = "codes"
    table: Tensor
    complement: Tensor

    def __init__(self, alphabet: str, layout: Layout = "channels") -> None:
        super().__init__()
        self.alphabet = resolve("alphabet", alphabet)
        self.layout = one_of(layout, ("channels", "picture"), "layout")
        self.channels, self.height = (self.alphabet.size, 1) if layout == "channels" else (1, self.alphabet.size)
        self.has_complement = bool(self.alphabet.has_complement)
        probabilities = torch.from_numpy(self.alphabet.probabilities)  # (symbols, A)
        table = torch.zeros(256, self.alphabet.size)
        table[: len(probabilities)] = probabilities
        table[SOFT_MASK : SOFT_MASK + len(probabilities)] = probabilities
        # Both follow from the alphabet, so they are no part of a saved model.
        self.register_buffer("table", table, persistent=False)
        other = [int(code) for code in self.alphabet.complement] if self.has_complement else []
        self.register_buffer("complement", torch.tensor(other, dtype=torch.uint8), persistent=False)

    @classmethod
    def fit(cls, raw: Any, *, alphabet: str = "dna", layout: Layout = "channels", **settings: Any) -> Self:
        """Return the encoder of an alphabet: nothing is learned from the records."""
        return cls(alphabet, layout)

    def columns(self, lengths: Tensor) -> Tensor:
        """Every letter is a column."""
        return lengths

    def config(self) -> dict[str, Any]:
        """Return the constructor's keyword arguments."""
        return {"alphabet": self.alphabet.name, "layout": self.layout}

    def forward(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the image of `codes` ``(N, L)`` uint8: float32 ``(N, A, 1, L)``, or ``(N, 1, A, L)`` as a picture.

        Raises
        ------
        ShapeError
            If `codes` is not a batch of codes.
        """
        if codes.dim() != 2 or codes.dtype != torch.uint8:
            raise ShapeError(
                f"OneHot: expected uint8 codes (N, L), found {str(codes.dtype).removeprefix('torch.')} "
                f"{tuple(codes.shape)}; encode the sequences with seqcnn.sequence.encode"
            )
        rows = nn.functional.embedding(codes.int(), self.table)  # (N, L, A)
        image = rows.transpose(1, 2)  # (N, A, L), letters adjacent in memory: channels_last
        return image.unsqueeze(2) if self.layout == "channels" else image.unsqueeze(1)

    def reverse_complement(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the codes ``(N, L)`` of the other strand; padding stays at the end.

        Raises
        ------
        OptionError
            If the alphabet has no complement.
        """
        if not self.has_complement:
            raise OptionError(f"{self.alphabet.name} has no reverse complement; score the forward strand")
        other = self.complement.index_select(0, codes.flip(1).flatten().int()).view(codes.shape)
        if lengths is None:
            return other
        place = torch.arange(codes.shape[1], device=codes.device)
        source = place + (codes.shape[1] - lengths.to(codes.device)[:, None])  # (N, L): where base i of a record went
        inside = source < codes.shape[1]
        return torch.where(inside, other.gather(1, source.clamp(max=codes.shape[1] - 1)), PAD)
