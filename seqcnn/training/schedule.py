"""Recipes: how long, how fast and in what steps a network is trained, by its kind and the number of records."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from torch import nn

from seqcnn.options import TrainOptions


@dataclass(frozen=True)
class Recipe:
    """The numbers of one training.

    Parameters
    ----------
    epochs, batch_size
        Passes over the training records, records a step.
    lr, weight_decay
        Peak learning rate of AdamW; decay of weight matrices and filters (not of offsets and norms).
    warm_up
        Share of the steps in which the rate rises; it falls as a cosine afterwards (one-cycle, Smith 2018).
    clip
        Largest norm of the gradient.
    patience
        Epochs without a better validation loss before training stops.
    smoothing
        Share of each label that is given to all classes.
    mixup, cutmix
        Alpha of mixing pairs of records; 0 is off.
    averaging
        Share of the steps over which the weights that are kept are averaged, exponentially; 0 is off.
    latest
        Keep the last weights, not those of the epoch with the least validation loss.
    """

    epochs: int
    batch_size: int
    lr: float = 6e-3
    weight_decay: float = 0.1
    warm_up: float = 0.25
    clip: float = 1.0
    patience: int = 10
    smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    averaging: float = 0.0
    latest: bool = False


#: Of each raw kind; the epochs follow from the steps.
_BASES = {
    "codes": Recipe(epochs=0, batch_size=128, averaging=0.2),
    "pixels": Recipe(epochs=0, batch_size=128, lr=6e-3, weight_decay=0.05, smoothing=0.1),
    "samples": Recipe(epochs=0, batch_size=32, lr=5e-3, weight_decay=0.05, smoothing=0.1),
}
#: Steps that a network needs, and the fewest and the most epochs they may make: of each raw kind, of sequences whose
#: places matter, and of variants of one sequence.
_STEPS = {
    "codes": (1000, 5, 40),
    "places": (700, 5, 40),
    "variants": (2800, 5, 80),
    "pixels": (2500, 6, 40),
    "samples": (850, 8, 100),
}
#: Letters that sequences of any length are read for, beyond those of the fewest epochs: long records take fewer steps.
_LETTERS = 24_000_000
#: From so many records on, steps are taken on twice as many.
_MANY = 30_000


def recipe_for(
    kind: str,
    records: int,
    options: TrainOptions,
    *,
    positions: bool = False,
    variants: bool = False,
    steps: int | None = None,
    length: float = 1.0,
) -> Recipe:
    """Return the recipe for `records` training records of a raw kind; what `options` name is obeyed.

    Parameters
    ----------
    positions
        Whether the network flattens and so learns places by heart sooner.
    variants
        Whether the records are variants of one sequence: what they differ in is little, and all of it matters.
    steps
        About how many steps to take in all, for a short trial; None as many as the network needs.
    length
        Mean length of the records, of sequences.

    >>> recipe_for("codes", 1000, TrainOptions(epochs=3)).epochs
    3
    """
    plan = kind if kind != "codes" or not positions else "variants" if variants else "places"
    base, (wanted, fewest, most) = _BASES[kind], _STEPS[plan]
    size = base.batch_size * 2 if records > _MANY else min(base.batch_size, max(16, records // 8))
    size = size if options.batch_size is None else options.batch_size
    each = max(1, records // size)
    wanted = min(wanted, round(_LETTERS / (size * length))) if kind == "codes" else wanted
    epochs = max(fewest, min(most, round(wanted / each))) if options.epochs is None else options.epochs
    if steps is not None:
        epochs = max(1, min(epochs, round(steps / each)))
    lr = base.lr if options.lr is None else options.lr
    smoothing = base.smoothing if options.label_smoothing is None else options.label_smoothing
    return replace(
        base,
        epochs=int(epochs),  # a grid search gives NumPy's numbers
        batch_size=int(size),
        lr=float(lr),
        smoothing=float(smoothing),
        mixup=float(options.mixup or 0.0),
        cutmix=float(options.cutmix or 0.0),
    )


def parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return trainable parameters in two groups: matrices and filters decay, vectors do not."""

    def group(chosen: Iterable[nn.Parameter], decay: float) -> dict[str, object]:
        return {"params": list(chosen), "weight_decay": decay}

    trainable = [p for p in network.parameters() if p.requires_grad]
    matrices, vectors = [p for p in trainable if p.dim() > 1], [p for p in trainable if p.dim() < 2]
    return [g for g in (group(matrices, weight_decay), group(vectors, 0)) if g["params"]]
