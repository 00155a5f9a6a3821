"""Changes of pictures, through kornia: mirrored, turned, sheared, zoomed, blurred, bent, noisy, cut out."""

from abc import abstractmethod
from typing import Any, ClassVar, cast

import torch

from seqcnn.data.augmentation.augmentation import Augmentation, Batch, drawn_from
from seqcnn.encode.pixels import FULL, Pixels
from seqcnn.errors import MissingExtraError


class Flip(Augmentation):
    """Each picture left to right or as it is, half and half, whatever the strength above 0."""

    kinds: ClassVar[tuple[str, ...]] = ("pixels",)

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the pictures, about half of them mirrored."""
        if not self.strength:
            return raw, lengths
        turned = torch.rand(len(raw), generator=generator).to(raw.device) < 0.5
        return torch.where(turned[:, None, None, None], raw.flip(3), raw), lengths


class _Kornia(Augmentation):
    """A change that kornia makes; pixels are shares of full scale meanwhile."""

    kinds: ClassVar[tuple[str, ...]] = ("pixels",)
    _made: Any = None

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the changed pictures as float32 on the scale they had."""
        if not self.strength:
            return raw, lengths
        if self._made is None:
            try:
                import kornia.augmentation as library
            except ImportError:
                raise MissingExtraError(
                    f"--augment {type(self).__name__.lower()}: needs kornia; install seqcnn[vision]"
                ) from None
            self._made = self.make(library, min(raw.shape[2:]))
        low, span = _scale(cast(Pixels, self.encoder))
        with drawn_from(generator), torch.no_grad():
            changed: torch.Tensor = self._made((raw.float() - low) / span)
        return changed * span + low, lengths

    @abstractmethod
    def make(self, library: Any, side: int) -> Any:
        """Return the layer for pictures whose shorter side is `side`."""


def _scale(encoder: Pixels) -> tuple[float, float]:
    """Return black, and how far white is from it; of float pictures three deviations below and above the mean."""
    if encoder.depth != "float32":
        return 0.0, float(FULL[encoder.depth])
    mean, reach = torch.tensor(encoder.mean), 3 * torch.tensor(encoder.std)
    low, high = float((mean - reach).min()), float((mean + reach).max())
    return low, (high - low) or 1.0


class Rotate(_Kornia):
    """Turned by up to 60 degrees at strength 1."""

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        return library.RandomAffine(degrees=60 * self.strength, padding_mode="border", p=1.0)


class Shear(_Kornia):
    """Sheared by up to 30 degrees each way at strength 1."""

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        reach = 30 * self.strength
        return library.RandomAffine(degrees=0.0, shear=(-reach, reach, -reach, reach), padding_mode="border", p=1.0)


class Zoom(_Kornia):
    """Zoomed by a factor from 0.6 to 1.4 at strength 1."""

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        reach = 0.4 * self.strength
        return library.RandomAffine(degrees=0.0, scale=(1 - reach, 1 + reach), padding_mode="border", p=1.0)


class Blur(_Kornia):
    """Blurred by a Gaussian of up to 2 pixels at strength 1."""

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        kernel = min(9, side // 2 * 2 - 1)
        return library.RandomGaussianBlur(
            (kernel, kernel), (0.1, 0.1 + 1.9 * self.strength), border_type="replicate", p=0.5
        )


class Elastic(_Kornia):
    """Bent like rubber: neighboring pixels move together, by a few hundredths of the side at strength 1.

    References
    ----------
    Simard, Steinkraus, Platt. Best practices for convolutional neural networks. ICDAR (2003).
    """

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        kernel = min(63, max(3, side // 2 * 2 - 1))
        reach = self.strength
        return library.RandomElasticTransform(
            (kernel, kernel), (kernel / 6, kernel / 6), (reach, reach), padding_mode="border", p=1.0
        )


class Noise(_Kornia):
    """Normal noise with a deviation of 0.2 of full scale at strength 1."""

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        return library.RandomGaussianNoise(std=0.2 * self.strength, p=1.0)


class CutOut(_Kornia):
    """A rectangle of up to a third of the picture's area at strength 1 is black.

    References
    ----------
    DeVries & Taylor. Improved regularization with cutout. arXiv:1708.04552 (2017).
    """

    def make(self, library: Any, side: int) -> Any:
        """Return the layer."""
        return library.RandomErasing(scale=(0.02, 0.02 + 0.31 * self.strength), ratio=(0.5, 2.0), p=1.0)
