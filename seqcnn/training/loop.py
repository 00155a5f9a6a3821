"""The training loop: AdamW on a one-cycle schedule, early stopping, the best weights kept."""

import os
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from seqcnn.data.augmentation.augmentation import Augmentation
from seqcnn.data.batches import shuffled_batches
from seqcnn.data.dataset import Dataset, take
from seqcnn.encode.encoder import Encoder
from seqcnn.errors import TrainingError
from seqcnn.inference.predict import Logits, predict_logits
from seqcnn.nn.calibration import Calibration
from seqcnn.nn.dropout import reseed
from seqcnn.runtime import flushed_denormals, kept_memory, pick_device, quiet, seeded, threads
from seqcnn.tasks.task import Task
from seqcnn.training.averaging import Average
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.memory import is_out_of_memory, out_of_memory
from seqcnn.training.pieces import Pieces
from seqcnn.training.precision import pick_precision
from seqcnn.training.progress import Progress, Silent
from seqcnn.training.replicas import Replicas, workers
from seqcnn.training.schedule import Recipe, parameter_groups

Indices = npt.NDArray[np.int64]

#: Validation records looked at after each epoch; the calibration uses them all.
_STEERING_RECORDS = 4000
#: After numbers that are not finite, training starts again once, at this share of the rate and in full precision.
_SLOWER = 0.1
#: Between the seeds of replicas.
_REPLICA = 1000


@dataclass(frozen=True)
class Fit:
    """What training found, beside the weights it left in the network.

    Parameters
    ----------
    history
        One dict an epoch: ``epoch``, ``loss``, ``lr``, and where there is a validation part ``valid_loss`` and the
        task's primary figure on it, the loss after calibration.
    best_epoch
        Epoch whose weights were kept, from 1.
    calibration, logits
        Layer fitted on the validation part, and the logits ``(n, K)`` it was fitted on.
    recipe, precision
        As used.
    interrupted
        Whether Ctrl-C ended training early.
    notes
        Sentences the user should read.
    """

    history: tuple[dict[str, Any], ...]
    best_epoch: int
    calibration: Calibration
    logits: Logits
    recipe: Recipe
    precision: str
    interrupted: bool = False
    notes: tuple[str, ...] = ()


def fit(
    network: nn.Module,
    encoder: Encoder,
    task: Task,
    data: Dataset,
    *,
    train: Indices,
    valid: Indices,
    recipe: Recipe,
    strands: str = "forward",
    augmentations: tuple[Augmentation, ...] = (),
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
    title: str = "training",
    alone: bool = True,
) -> Fit:
    """Train `network` in place on the records `train` of `data`, steered by the records `valid`.

    The weights left in it are those with the least validation loss after calibration, or the last ones where there is
    no validation part or the recipe asks for them. The same seed gives the same weights on the same machine; the
    caller's random state stays.

    Parameters
    ----------
    encoder
        Raw batches to images, on the device.
    train, valid
        Indices of records; `valid` may be empty.
    strands
        ``both`` validates on the mean logits of both strands.
    augmentations
        Random changes of each training batch.
    device, precision
        As on the command line.
    progress, title
        What is told how far it is.
    alone
        False on one of several threads that train: then this one computes by itself, and leaves the process's own
        generator alone.

    Raises
    ------
    OutOfMemoryError
        Naming the batch size that fits.
    TrainingError
        If the loss is not finite, twice.
    KeyboardInterrupt
        Before the first epoch is done.
    """
    place = pick_device(device)
    chosen = pick_precision(precision, place)
    start = deepcopy(network.state_dict())
    notes: tuple[str, ...] = ()
    for attempt in (recipe, replace(recipe, lr=recipe.lr * _SLOWER)):
        run = _Run(
            network, encoder, task, data, recipe=attempt, strands=strands, place=place, precision=chosen, seed=seed,
            alone=alone,
        )  # fmt: skip
        try:
            with (
                seeded(seed) if alone else nullcontext(),
                flushed_denormals(),
                kept_memory(),
                threads(_wanted_threads()),
                torch.enable_grad(),
            ):
                return run(train, valid, augmentations, progress or Silent(), title, notes)
        except _NotFiniteError:
            network.load_state_dict(start)
            notes = (f"the loss was not finite; trained again in full precision at a rate of {recipe.lr * _SLOWER:g}",)
            chosen = "32"
    raise TrainingError(
        f"training: the loss is not finite, not even at a learning rate of {recipe.lr * _SLOWER:g} in full precision; "
        "pass a lower --lr, and look for extreme targets"
    )


def _wanted_threads() -> int | None:
    """Return how many CPU threads a step uses: one, unless the caller's environment names a number.

    The threads of a convolution's backward pass spin while they wait for each other. On a machine that does anything
    else besides, two of them took up to twenty times as long as one; on an idle one they save a third.
    """
    return None if os.environ.get("OMP_NUM_THREADS") else 1


class _NotFiniteError(ArithmeticError):
    """The loss is NaN or infinite."""


class _Run:
    """One attempt at training."""

    def __init__(
        self,
        network: nn.Module,
        encoder: Encoder,
        task: Task,
        data: Dataset,
        *,
        recipe: Recipe,
        strands: str,
        place: torch.device,
        precision: str,
        seed: int,
        alone: bool,
    ) -> None:
        from lightning_fabric import Fabric

        with quiet("lightning_fabric"):  # it tells of settings that are ours
            self.fabric = Fabric(
                accelerator=place.type,
                devices=[place.index or 0] if place.type == "cuda" else 1,
                precision="bf16-mixed" if precision == "bf16" else "32-true",
            )
        self.network, self.encoder, self.task, self.data = network, deepcopy(encoder).to(place), task, data
        self.recipe, self.strands, self.place, self.precision = recipe, strands, place, precision
        if data.targets is None:
            raise TrainingError("training: the records have no targets")
        self.targets = task.encode(data.targets)
        self.weights = None
        if data.weights is not None:  # of mean 1, so that a batch counts by the weight of its records
            usual = float(data.weights[data.weights > 0].mean()) if data.weights.any() else 1.0
            self.weights = torch.from_numpy((data.weights / usual).astype(np.float32))
        self.alone, self.workers = alone, workers(network, place) if alone else 1
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.pieces = Pieces(
            network, self.encoder, task, data, targets=self.targets, weights=self.weights, recipe=recipe,
            workers=self.workers, place=place, autocast=self.fabric.autocast, seed=seed,
        )  # fmt: skip

    def __call__(
        self,
        train: Indices,
        valid: Indices,
        augmentations: tuple[Augmentation, ...],
        progress: Progress,
        title: str,
        notes: tuple[str, ...],
    ) -> Fit:
        recipe = self.recipe
        origin = next((p.device for p in self.network.parameters()), torch.device("cpu"))
        optimizer = torch.optim.AdamW(
            parameter_groups(self.network, recipe.weight_decay), lr=recipe.lr, betas=(0.9, 0.99), fused=True
        )
        self.wrapped, self.optimizer = self.fabric.setup(self.network, optimizer)
        # Fabric's own backward is for one thread at a time.
        several = self.workers > 1 or not self.alone
        self.replicas = Replicas(self.network, self.workers) if several else None
        for i, network in enumerate(self.replicas.networks if self.replicas else [self.network]):
            reseed(network, self.seed + i * _REPLICA, self.place)
        steps = max(1, len(train) // recipe.batch_size)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            recipe.lr,
            total_steps=max(steps * recipe.epochs, 4) + 1,  # torch divides by zero where the warm-up is no step long
            pct_start=recipe.warm_up,
            cycle_momentum=False,
        )
        self.average = Average(self.network, recipe.averaging * steps * recipe.epochs) if recipe.averaging else None
        steering = self.rng.permutation(valid)[:_STEERING_RECORDS]
        progress.start(title, steps * recipe.epochs)
        history: list[dict[str, Any]] = []
        best, best_loss, best_epoch, interrupted = deepcopy(self.learned.state_dict()), np.inf, 0, False
        try:
            for epoch in range(1, recipe.epochs + 1):
                rate = float(self.schedule.get_last_lr()[0])
                loss = self._epoch(train, augmentations, progress, done=(epoch - 1) * steps, history=history)
                entry = {"epoch": epoch, "loss": loss, "lr": rate} | self._steer(steering)
                value = entry.get("valid_loss", -float(epoch))  # without a validation part, later is better
                history.append(entry)
                if value < best_loss or recipe.latest:
                    best, best_loss, best_epoch = deepcopy(self.learned.state_dict()), value, epoch
                if epoch - best_epoch >= recipe.patience:
                    break
        except KeyboardInterrupt:
            if not best_epoch:
                raise
            interrupted = True
            notes = (*notes, f"interrupted in epoch {len(history) + 1} of {recipe.epochs}: epoch {best_epoch} is kept")
        finally:
            if self.replicas is not None:
                self.replicas.close()
            reseed(self.network, None)
        self.network.load_state_dict(best)
        self.average = None
        try:
            logits = self._logits(valid)
            calibration = self._calibration(valid, logits)
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted, notes = True, (*notes, "interrupted while calibrating: all epochs are done")
            logits = self._logits(valid)
            calibration = self._calibration(valid, logits)
        self.network.to(origin).eval()
        return Fit(tuple(history), best_epoch, calibration, logits, recipe, self.precision, interrupted, notes)

    def _epoch(
        self,
        train: Indices,
        augmentations: tuple[Augmentation, ...],
        progress: Progress,
        *,
        done: int,
        history: list[dict[str, Any]],
    ) -> float:
        """Take the steps of one epoch and return its mean loss."""
        self.wrapped.train()
        if self.replicas is not None:
            self.replicas.train()
        order = shuffled_batches(self.pieces.lengths, train, self.recipe.batch_size, rng=self.rng)
        so_far = torch.zeros((), device=self.place)
        every = max(1, len(order) // 20)
        before = _figures(history[-1], self.task.primary) if history else ""
        for i, indices in enumerate(order, 1):
            share = (done + i) / (len(order) * self.recipe.epochs)
            try:
                so_far += self._step(indices, augmentations, share)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self.optimizer.zero_grad(set_to_none=True)
                trial = partial(self._try, indices, augmentations)
                raise out_of_memory(trial, len(indices)) from None
            self.schedule.step()
            if self.average is not None:
                self.average.update()
            if i % every == 0 or i == len(order):
                mean = float(so_far) / i
                if not np.isfinite(mean):
                    raise _NotFiniteError
                progress.step(done + i, f"loss {mean:.4f}{before}")
        if self.replicas is not None:
            self.replicas.settle()
        return float(so_far) / len(order)

    def _step(self, indices: Indices, augmentations: tuple[Augmentation, ...], share: float) -> torch.Tensor:
        """Take one optimizer step and return the loss."""
        self.optimizer.zero_grad(set_to_none=True)
        parts = self.pieces.split(indices)
        counted = len(indices) if self.weights is None else max(1, int((self.weights[indices] > 0).sum()))
        losses = (self.pieces.loss(part, augmentations, share, counted) for part in parts)
        if self.replicas is not None:
            total = self.replicas.step(list(losses))
        else:
            total = torch.zeros((), device=self.place)
            for part in losses:
                loss = part(self.wrapped)
                self.fabric.backward(loss)
                total += loss.detach()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        return total

    def _try(self, indices: Indices, augmentations: tuple[Augmentation, ...], size: int) -> None:
        self._step(indices[:size], augmentations, 1.0)

    @property
    def learned(self) -> nn.Module:
        """What is kept: the network, or its average over the last steps."""
        return self.network if self.average is None else self.average.network

    def _steer(self, records: Indices) -> dict[str, float]:
        """Return the loss and the primary figure on validation records.

        The loss is that after calibration, as in use: overconfidence, which calibration mends, does not count.
        """
        if not len(records) or self.data.targets is None:
            return {}
        logits = self._logits(records)
        if not np.isfinite(logits).all():
            raise _NotFiniteError
        targets = self.targets[records]
        calibrated = self._calibration(records, logits)(torch.from_numpy(logits))
        each = self.task.record_loss(calibrated, torch.from_numpy(targets))
        loss = float(each.mean()) if self.weights is None else _weighted(each, self.weights[torch.from_numpy(records)])
        figure = self.task.metrics(self.data.targets[records], logits)[self.task.primary]
        return {"valid_loss": loss, self.task.primary: float("nan") if figure is None else figure}

    def _calibration(self, records: Indices, logits: npt.NDArray[np.float32]) -> Calibration:
        weights = None if self.weights is None else self.weights[records].numpy()
        return fit_calibration(self.task, logits, self.targets[records], weights=weights)

    def _logits(self, records: Indices) -> npt.NDArray[np.float32]:
        if not len(records):
            return np.zeros((0, self.task.outputs), np.float32)
        part = take(self.data.raw, records)
        return predict_logits(self.encoder, self.learned, part, strands=self.strands, device=self.place)


def _weighted(values: Tensor, weights: Tensor) -> float:
    """Return the weighted mean, the plain one where all weights are 0."""
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total else float(values.mean())


def _figures(entry: dict[str, Any], primary: str) -> str:
    """Return the validation figures of an epoch in words."""
    return f", {primary} {entry[primary]:.4f}" if primary in entry else ""
