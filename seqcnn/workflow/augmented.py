"""The contact sheet of augmentation: training records as given, and as the network sees them in training."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from seqcnn.data.augmentation.mixing import cut_mix, mix_up
from seqcnn.data.batches import rectangle
from seqcnn.data.dataset import Dataset, take
from seqcnn.errors import OptionError
from seqcnn.io.writing import atomic, check_writable
from seqcnn.plot.contact import contact_sheet
from seqcnn.training.learner import Plan, augmentation_names, augmentations, build

#: Records on a sheet, and changed copies of each.
_RECORDS, _COPIES = 8, 6
_MIX = {"mixup": mix_up, "cutmix": cut_mix}
#: Files that a sheet can be written as.
FORMATS = (".png", ".svg", ".pdf")


def check_drawing(path: str | os.PathLike[str]) -> None:
    """Raise `OptionError` or `OutputFileError` where a sheet cannot be written."""
    if Path(path).suffix.lower() not in FORMATS:
        raise OptionError(f"--show-augmented {path}: expected a name that ends in {', '.join(FORMATS)}")
    check_writable(path)


def write_augmented(path: str | os.PathLike[str], plan: Plan, data: Dataset, train: npt.NDArray[np.int64]) -> None:
    """Draw some training records, and beside each what the augmentations of the plan make of it.

    Mixtures (mixup, cutmix) are drawn for pictures and series, of the records on the sheet with each other.

    Raises
    ------
    OptionError
        If nothing is changed in training.
    OutputFileError
        If the file cannot be written.
    """
    options = plan.options
    network = build(plan)
    changes = augmentations(plan, network)
    alphas = {"mixup": options.mixup, "cutmix": options.cutmix} if data.kind != "codes" else {}
    mixes = [(name, alpha) for name, alpha in alphas.items() if alpha]
    if not (changes and options.strength) and not mixes:
        raise OptionError("--show-augmented: nothing is changed in training; pass --augment NAME")
    generator = torch.Generator().manual_seed(options.seed)
    chosen = train[np.unique(np.linspace(0, len(train) - 1, _RECORDS).astype(np.int64))]
    raw = take(data.raw, chosen)
    everything = np.arange(len(chosen))
    copies = []
    for i in range(_COPIES):
        values, lengths = rectangle(raw, everything)
        for change in changes:
            values, lengths = change(values, lengths, generator)
        if mixes:
            (name, alpha), shape = mixes[i % len(mixes)], values.shape
            image = values.float().reshape(shape if values.dim() == 4 else (*shape[:2], 1, -1))
            mixed = _MIX[name](image, lengths if values.dim() == 3 else None, alpha, generator)
            values = mixed.image.reshape(shape)
            lengths = lengths if mixed.columns is None else mixed.columns
        if values.dim() == 4 and plan.encoder.depth == "uint8":
            values = values.clamp(0, 255).round().byte()
        copies.append(_numpy(values, lengths))
    names = [getattr(name, "__name__", name) for name in augmentation_names(plan, network)]
    fig = contact_sheet(
        [_numpy(*rectangle(raw, everything)), *copies],
        ids=[data.ids[i] for i in chosen],
        alphabet=data.alphabet,
        title=", ".join([*names, *(name for name, _ in mixes)]),
    )
    with atomic(path, "wb") as stream:
        fig.savefig(stream, format=Path(path).suffix[1:].lower(), dpi=144)


def _numpy(values: torch.Tensor, lengths: torch.Tensor) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.int64]]:
    return values.numpy(), lengths.numpy()
