#!/usr/bin/env python3
"""A plain two-layer CNN in torch alone, as anyone would write it: the opponent in the table of accuracy.

Usage: plain.py TABLE.tsv OUT.npz --task binary|multiclass|regression --letters ACGT [--seed 0] [--epochs 40]

Conv1d 64x15 - BatchNorm - ReLU - MaxPool 2 - Conv1d 64x7 - BatchNorm - ReLU - global max or flatten - dropout - dense.
Adam 1e-3, batches of 64; stops 5 epochs after the lowest loss on the 10% of training records that are held out (or on
the part `valid` where there is one). By that loss it chooses between global max and, where every record has one length,
flatten; for DNA also whether to train on both strands (each record turned or not by chance), and whether to average the
logits of both at prediction. Padding is masked; records beyond 500 letters keep 250 at each end, as is the custom for
proteins.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional as F

BATCH, RATE, DROPOUT, HELD, LONGEST = 64, 1e-3, 0.3, 0.1, 500
#: On fewer letters than this (2,000 records of 100 bp) every choice is trained to the end; on more each for two epochs,
#: and the best one on.
FEW_LETTERS, GLANCE, PATIENCE = 200_000, 2, 5


class Plain(nn.Module):
    """Two convolutions and a dense layer; (N, C, L) and lengths to (N, K)."""

    def __init__(self, letters: int, outputs: int, width: int | None) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv1d(letters, 64, 15, padding=7, bias=False), nn.BatchNorm1d(64)
        self.conv2, self.norm2 = nn.Conv1d(64, 64, 7, padding=3, bias=False), nn.BatchNorm1d(64)
        self.flat = width is not None
        self.drop, self.dense = nn.Dropout(DROPOUT), nn.Linear(64 * (width or 1), outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        x = within(F.relu(self.norm1(self.conv1(x))), lengths)
        x = F.max_pool1d(x, 2)
        x = within(F.relu(self.norm2(self.conv2(x))), (lengths + 1) // 2)
        x = x.flatten(1) if self.flat else x.amax(2)  # after ReLU the masked zeros are never a maximum
        return self.dense(self.drop(x))


def within(x: Tensor, lengths: Tensor) -> Tensor:
    """Return (N, C, L) with zeros beyond the end of each record."""
    if int(lengths.min()) >= x.shape[2]:
        return x
    return x * (torch.arange(x.shape[2]) < lengths[:, None])[:, None]


class Records:
    """Sequences as letter numbers (N, L), padded, with their lengths and targets."""

    def __init__(self, frame: pd.DataFrame, letters: str, targets: Tensor) -> None:
        table = np.full(256, -1, np.int8)
        for i, letter in enumerate(letters):
            table[[ord(letter), ord(letter.lower())]] = i
        if letters == "ACGT":
            table[[ord("U"), ord("u")]] = 3
        texts = [s if len(s) <= LONGEST else s[: LONGEST // 2] + s[-LONGEST // 2 :] for s in frame.sequence]
        self.lengths = torch.tensor([len(text) for text in texts])
        width = int(self.lengths.max()) + int(self.lengths.max()) % 2  # even, for the pool
        codes = np.full((len(texts), width), -1, np.int8)
        for row, text in zip(codes, texts, strict=True):
            row[: len(text)] = table[np.frombuffer(text.encode(), np.uint8)]
        self.codes, self.letters, self.targets = torch.from_numpy(codes), len(letters), targets

    def batch(self, rows: Tensor, *, reverse: bool = False) -> tuple[Tensor, Tensor]:
        """Return the one-hot image (N, C, L) and lengths of some records; unknown letters are zeros."""
        codes, lengths = self.codes[rows].long(), self.lengths[rows]
        if reverse:  # a reverse complement still starts in the first column
            place = lengths[:, None] - 1 - torch.arange(codes.shape[1])
            turned = codes.gather(1, place.clamp(min=0))
            codes = torch.where((place >= 0) & (turned >= 0), 3 - turned, -1)
        return F.one_hot(codes + 1, self.letters + 1)[:, :, 1:].permute(0, 2, 1).float(), lengths


def predict(model: Plain, records: Records, rows: Tensor, *, both: bool) -> Tensor:
    model.eval()
    with torch.inference_mode():
        parts = []
        for some in rows.split(512):
            out = model(*records.batch(some))
            parts.append((out + model(*records.batch(some, reverse=True))) / 2 if both else out)
    return torch.cat(parts)


def loss_of(task: str, logits: Tensor, targets: Tensor) -> Tensor:
    if task == "multiclass":
        return F.cross_entropy(logits, targets.long())
    if task == "binary":
        return F.binary_cross_entropy_with_logits(logits[:, 0], targets)
    return F.mse_loss(logits[:, 0], targets)


class Fit:
    """One network in training: epoch after epoch until the held-out loss no longer falls."""

    def __init__(
        self, records: Records, task: str, outputs: int, *, flat: bool, turned: bool, epochs: int, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.records, self.task, self.epochs, self.turned = records, task, epochs, turned
        self.model = Plain(records.letters, outputs, records.codes.shape[1] // 2 if flat else None)
        self.adam = torch.optim.Adam(self.model.parameters(), RATE)
        self.epoch, self.best, self.since = 0, float("inf"), 0
        self.kept = copy.deepcopy(self.model.state_dict())

    def loss(self, rows: Tensor, *, both: bool) -> float:
        logits = predict(self.model, self.records, rows, both=both)
        return loss_of(self.task, logits, self.records.targets[rows]).item()

    def run(self, train: Tensor, held: Tensor, until: int) -> None:
        while self.epoch < min(until, self.epochs) and self.since < PATIENCE:
            self.model.train()
            for rows in train[torch.randperm(len(train))].split(BATCH):
                if len(rows) < 2:
                    continue  # batch-norm needs two
                x, lengths = self.records.batch(rows)
                if self.turned:
                    turn = torch.rand(len(rows)) < 0.5
                    x = torch.where(turn[:, None, None], self.records.batch(rows, reverse=True)[0], x)
                self.adam.zero_grad()
                loss_of(self.task, self.model(x, lengths), self.records.targets[rows]).backward()
                self.adam.step()
            loss = self.loss(held, both=self.turned)
            self.epoch, self.since = self.epoch + 1, self.since + 1
            if loss < self.best:
                self.best, self.since, self.kept = loss, 0, copy.deepcopy(self.model.state_dict())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", required=True, choices=("binary", "multiclass", "regression"))
    parser.add_argument("--letters", required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    start = time.perf_counter()
    torch.set_flush_denormal(True)
    frame = pd.read_csv(options.table, sep="\t", dtype={"sequence": str}, keep_default_na=False)
    part = frame.part.to_numpy()
    labels = sorted(frame.target[part != "test"].unique()) if options.task == "multiclass" else []
    center, scale = 0.0, 1.0
    if options.task == "multiclass":
        frame = frame.assign(target=frame.target.map({label: i for i, label in enumerate(labels)}).fillna(-1))
    elif options.task == "regression":
        center, scale = frame.target[part == "train"].mean(), frame.target[part == "train"].std()
    targets = torch.tensor((frame.target.to_numpy(float) - center) / scale, dtype=torch.float32)
    records = Records(frame, options.letters, targets)
    train, test, held = (torch.from_numpy(np.flatnonzero(part == name)) for name in ("train", "test", "valid"))
    if not len(held):
        order = torch.from_numpy(np.random.default_rng(options.seed).permutation(train.numpy()))
        count = max(1, round(HELD * len(order)))
        held, train = order[:count], order[count:]

    heads = [False, True] if len(records.lengths.unique()) == 1 else [False]
    choices = [{"flat": flat, "turned": False} for flat in heads]
    if options.letters == "ACGT":
        choices.append({"flat": False, "turned": True})
    outputs, seed, epochs = max(len(labels), 1), options.seed, options.epochs
    fits = [Fit(records, options.task, outputs, **choice, epochs=epochs, seed=seed) for choice in choices]
    if len(fits) > 1:
        small = len(train) * records.codes.shape[1] < FEW_LETTERS
        for fit in fits:
            fit.run(train, held, epochs if small else GLANCE)
    fit = min(fits, key=lambda some: some.best)
    fit.run(train, held, epochs)
    fit.model.load_state_dict(fit.kept)
    both = options.letters == "ACGT" and fit.loss(held, both=True) < fit.loss(held, both=False)
    logits = predict(fit.model, records, test, both=both).double().numpy() * scale + center
    np.savez(options.out, plain=logits, labels=np.array(labels, dtype=str))
    said = {
        "head": "flatten" if fit.model.flat else "global max",
        "strands": ("both" if both else "forward") + " (trained on both)" * fit.turned,
        "epochs": fit.epoch,
        "parameters": sum(p.numel() for p in fit.model.parameters()),
        "seconds": round(time.perf_counter() - start, 1),
    }
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
