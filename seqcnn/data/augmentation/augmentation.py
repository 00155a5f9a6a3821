"""The base of augmentations: a random change of a raw batch that leaves its meaning alone, on the device."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, ClassVar

import torch

from seqcnn.checks import within
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import OptionError
from seqcnn.registry import REGISTRY, resolve

Batch = tuple[torch.Tensor, torch.Tensor]
_EXPECTED = "expected function(raw, lengths, generator, strength) that returns raw, lengths"


class Augmentation(ABC):
    """A random change of raw batches: codes ``(N, L)``, samples ``(N, V, T)`` or pixels ``(N, C, H, W)``.

    Parameters
    ----------
    strength
        From 0, which changes nothing, to 1, the most that leaves records recognizable.
    encoder
        Of the model.
    shortest
        No record becomes shorter than this.
    """

    #: Raw kinds it can change.
    kinds: ClassVar[tuple[str, ...]]

    def __init__(self, strength: float, *, encoder: Encoder, shortest: int = 1) -> None:
        within(strength, "--strength", 0.0, 1.0)
        self.strength, self.encoder, self.shortest = float(strength), encoder, shortest

    @abstractmethod
    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return the changed batch and its lengths; what came in is left as it was.

        `generator` is on the CPU. Pixels may come back as float32 on the scale they had.
        """


class Own(Augmentation):
    """A function of the user's: ``function(raw, lengths, generator, strength)`` gives ``raw, lengths``."""

    kinds: ClassVar[tuple[str, ...]] = ("codes", "samples", "pixels")

    def __init__(self, function: Any, strength: float, *, encoder: Encoder, shortest: int = 1) -> None:
        super().__init__(strength, encoder=encoder, shortest=shortest)
        self.function = function

    def __call__(self, raw: torch.Tensor, lengths: torch.Tensor, generator: torch.Generator) -> Batch:
        """Return what the function returns."""
        called = getattr(self.function, "__name__", str(self.function))
        try:
            found = self.function(raw, lengths, generator, self.strength)
        except Exception as error:
            raise OptionError(
                f"--augment {called}: failed with {type(error).__name__}: {error}; {_EXPECTED}"
            ) from error
        if not (isinstance(found, tuple) and len(found) == 2 and all(isinstance(t, torch.Tensor) for t in found)):
            raise OptionError(f"--augment {called}: returned {type(found).__name__}; {_EXPECTED}")
        changed, left = found
        if changed.dim() != raw.dim() or len(changed) != len(raw) or left.shape != lengths.shape:
            raise OptionError(
                f"--augment {called}: returned shapes {tuple(changed.shape)} and {tuple(left.shape)} "
                f"for {tuple(raw.shape)} and {tuple(lengths.shape)}; keep the records and their axes"
            )
        return changed, left


def make(name: "str | Callable[..., Batch]", strength: float, *, encoder: Encoder, shortest: int = 1) -> Augmentation:
    """Return a registered augmentation, or a function: itself, or ``module:function`` (the current folder counts).

    Raises
    ------
    OptionError
        If there is no such augmentation, or it does not suit the records.

    Examples
    --------
    >>> from seqcnn.encode.onehot import OneHot
    >>> type(make("mutation", 0.5, encoder=OneHot("dna"))).__name__
    'Mutation'
    """
    found: Any
    if not isinstance(name, str):
        found = name
    elif ":" in name and name not in REGISTRY["augmentation"]:
        module, _, attribute = name.partition(":")
        try:
            with _here():
                found = getattr(import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise OptionError(f"--augment {name}: cannot be imported ({error}); expected MODULE:FUNCTION") from None
    else:
        found = resolve("augmentation", name)
    if not (isinstance(found, type) and issubclass(found, Augmentation)):
        return Own(found, strength, encoder=encoder, shortest=shortest)
    if encoder.raw_kind not in found.kinds:
        suited = ", ".join(n for n in REGISTRY["augmentation"] if suits(n, encoder.raw_kind))
        raise OptionError(f"--augment {name}: belongs to {' and '.join(found.kinds)}; these records take {suited}")
    made: Augmentation = found(strength, encoder=encoder, shortest=shortest)
    return made


@contextmanager
def _here() -> Iterator[None]:
    """Let modules in the current folder be imported."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        sys.path.remove("")


def suits(name: str, kind: str) -> bool:
    """Return whether a registered augmentation can change records of a raw kind."""
    return kind in getattr(resolve("augmentation", name), "kinds", Own.kinds)


def uniform(count: int, low: float, high: float, *, generator: torch.Generator, device: torch.device) -> torch.Tensor:
    """Return `count` numbers between `low` and `high` on a device."""
    return (torch.rand(count, generator=generator) * (high - low) + low).to(device)


@contextmanager
def drawn_from(generator: torch.Generator) -> Iterator[None]:
    """Seed torch's global randomness, which libraries draw from, by the generator; then put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        yield
