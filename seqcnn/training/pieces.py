"""Pieces of a batch: as many as keep memory within bounds and every replica busy, each with a loss of its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.data.augmentation.augmentation import Augmentation
from seqcnn.data.augmentation.mixing import cut_mix, mix_up
from seqcnn.data.batches import common_width, rectangle
from seqcnn.data.dataset import Dataset
from seqcnn.encode.encoder import Encoder
from seqcnn.sequence import Sequences
from seqcnn.tasks.task import Task
from seqcnn.training.replicas import Loss
from seqcnn.training.schedule import Recipe

Indices = npt.NDArray[np.int64]

#: Bytes of the widest activation of a step; a batch with more is taken in pieces, of at least so many records.
_PIECE_BYTES, _FEWEST = {"cpu": 32 << 20, "cuda": 2 << 30}, 8


class Pieces:
    """What turns rows of the data into losses of a network.

    Parameters
    ----------
    network, encoder, task, data
        What learns what from which images; the encoder on the device.
    targets, weights
        As the task codes them, and of mean 1 or None; of all records.
    recipe
        Smoothing and mixing.
    workers
        Networks that are to be kept busy.
    place, autocast, seed
        Device, its precision, and the seed of random changes.
    """

    def __init__(
        self,
        network: nn.Module,
        encoder: Encoder,
        task: Task,
        data: Dataset,
        *,
        targets: npt.NDArray[np.float32],
        weights: Tensor | None,
        recipe: Recipe,
        workers: int,
        place: torch.device,
        autocast: Callable[[], AbstractContextManager[Any]],
        seed: int,
    ) -> None:
        self.network, self.encoder, self.task, self.data = network, encoder, task, data
        self.targets, self.weights, self.recipe, self.workers = targets, weights, recipe, workers
        self.place, self.autocast, self.generator = place, autocast, torch.Generator().manual_seed(seed)
        self.channels = max((m.out_channels for m in network.modules() if isinstance(m, nn.Conv2d)), default=1)
        self.lengths = data.lengths
        fixed = getattr(network, "fixed_width", None) is not None
        self.uneven = isinstance(data.raw, Sequences) and not fixed and np.ptp(self.lengths) > 0

    def split(self, indices: Indices) -> list[Indices]:
        """Return a batch in as few equal pieces as keep the widest activation within bounds, and every replica busy.

        Their gradients add up.
        """
        longest = int(self.lengths[indices].max())
        widest = getattr(self.network, "fixed_width", None) or 1
        places = max(self.encoder.cells(longest), widest * self.encoder.height)
        pieces = max(self.workers, -(-len(indices) * places * self.channels * 4 // _PIECE_BYTES[self.place.type]))
        return np.array_split(indices, max(1, min(pieces, len(indices) // _FEWEST)))

    def loss(self, part: Indices, augmentations: tuple[Augmentation, ...], progress: float, of: int) -> Loss:
        """Return what computes the share of some records in the loss of `of`, as changed at random now, on any thread.

        A step counts the more, the heavier its records are.
        """
        width = common_width(int(self.lengths[part].max())) if self.uneven else None
        batch = (*rectangle(self.data.raw, part, width=width), torch.from_numpy(self.targets[part]))
        raw, lengths, targets = (t.to(self.place, non_blocking=True) for t in batch)
        for change in augmentations:
            raw, lengths = change(raw, lengths, self.generator)
        weights = None if self.weights is None else self.weights[torch.from_numpy(part)].to(self.place)
        weight = (len(part) if weights is None else float(weights.sum())) / of
        recipe = self.recipe
        criterion = partial(self.task.loss, progress=progress, smoothing=recipe.smoothing)
        ways = [(f, a) for f, a in ((mix_up, recipe.mixup), (cut_mix, recipe.cutmix)) if a]
        drawn = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=self.generator))) if ways else None

        def loss(network: nn.Module) -> Tensor:
            image, columns = self.encoder.image(raw, lengths)
            mixed = None
            if drawn is not None:
                mix, alpha = ways[int(torch.randint(len(ways), (), generator=drawn))]
                mixed = mix(image, columns, alpha, drawn)
                image, columns = mixed.image, mixed.columns
            with self.autocast():
                logits = network(image, columns).float()
            if mixed is None:
                return criterion(logits, targets, weights=weights) * weight
            return mixed.loss(criterion, logits, targets, weights) * weight

        return loss
