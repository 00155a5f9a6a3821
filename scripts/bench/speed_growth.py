"""Rows of the table of speeds on how cost grows with length, number of records, step and size of the network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from contest import Contest, Ratio, Setting
from speed_genome import scanned
from speed_models import best_of, letters_of, model_of, network_of, one_hot, random_codes, tangermeme


def predictions(setting: Setting, name: str, codes: np.ndarray, **options: Any) -> Contest:
    """Predictions of records in memory, beside tangermeme's."""
    from tangermeme.predict import predict

    count, length = codes.shape
    device = setting.device
    network = network_of(setting, "motif", length, **options)
    model, text, x = model_of(network, length), letters_of(codes), one_hot(codes)
    form, batch, told = best_of(setting, network, x[: max(1, min(200_000 // length, count))], "32")

    def theirs() -> np.ndarray:
        with torch.no_grad():
            return predict(form, x, batch_size=batch, device=device).numpy()  # type: ignore[union-attr]

    a, b = "ours", f"{tangermeme()}, {told}"
    equal = f"weights; default network, {count:,} x {length:,} bp, fp32, ours from strings, theirs from one-hot"
    return Contest(name, equal, {a: lambda: model.logits(text, device=device), b: theirs}, (Ratio(a, b),))


def growth(setting: Setting) -> Iterator[Contest]:
    """How cost grows with the length and number of records, the filters of the network, and the step of a scan."""
    total = setting.size(1_000_000, 4000)
    for length in (100, 1000, 10_000)[: setting.size(3, 2)]:
        yield predictions(setting, f"growth, records of {length:,} bp", random_codes(max(1, total // length), length))
    for count in (10, 1000, 100_000)[: setting.size(3, 1)]:
        yield predictions(setting, f"growth, {count:,} records", random_codes(count, 101))
    for filters in (32, 128, 512)[: setting.size(3, 1)]:
        codes = random_codes(max(1, total // 500), 500)
        yield predictions(setting, f"growth, {filters} filters", codes, filters=filters, context=filters // 2)
    codes = random_codes(1, setting.size(300_000, 1000))[0]
    for step in (1, 4, 16, 64, 256)[: setting.size(5, 2)]:
        yield from scanned(setting, f"growth, a step of {step}", codes, step=step, goal=None, bf16=False)
