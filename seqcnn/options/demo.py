"""Options of the demo."""

from dataclasses import dataclass

from seqcnn.checks import whole
from seqcnn.options.field import opt


@dataclass(frozen=True)
class DemoOptions:
    """How large the demo's example is."""

    records: int = opt(4000, "training records, half of them positive")
    epochs: int | None = opt(None, "passes over the training records (default: by data size)")
    device: str = opt("auto", "auto, cpu, cuda or a GPU's number")
    seed: int = opt(0, "seed of everything random")

    def __post_init__(self) -> None:
        whole(self.records, "--records", 100)
        if self.epochs is not None:
            whole(self.epochs, "--epochs", 1)
        whole(self.seed, "--seed", 0, 2**32 - 1)
