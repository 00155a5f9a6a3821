"""Changes of sequences: the other strand, letters replaced."""

from typing import ClassVar, cast

import torch

from seqcnn.alphabet import SOFT_MASK
from seqcnn.data.augmentation.augmentation import Augmentation, Batch
from seqcnn.encode.encoder import Encoder
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import OptionError

#: Share of letters that `Mutation` replaces at strength 1.
_MUTATED = 0.1


class ReverseComplement(Augmentation):
    """Each record from either strand, half and half, whatever the strength above 0."""

    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def __init__(self, strength: float, *, encoder: Encoder, shortest: int = 1) -> None:
        super().__init__(strength, encoder=encoder, shortest=shortest)
        if not encoder.has_complement:
            raise OptionError("--augment reverse_complement: these records have no other strand; leave it out")

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the codes, about half of the records replaced by their other strand."""
        if not self.strength:
            return raw, lengths
        flip = torch.rand(len(raw), generator=generator).to(raw.device) < 0.5
        other = cast(OneHot, self.encoder).reverse_complement(raw, lengths)
        return torch.where(flip[:, None], other, raw), lengths


class Mutation(Augmentation):
    """Letters are replaced at random by letters of the alphabet: one in ten at strength 1."""

    kinds: ClassVar[tuple[str, ...]] = ("codes",)

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the codes with some letters replaced; what is no plain letter stays."""
        size = int(cast(OneHot, self.encoder).alphabet.size)
        hit = torch.rand(raw.shape, generator=generator) < _MUTATED * self.strength
        other = torch.randint(size, raw.shape, generator=generator, dtype=torch.uint8)
        plain = (raw & (SOFT_MASK - 1)) < size
        return torch.where(hit.to(raw.device) & plain, other.to(raw.device), raw), lengths
