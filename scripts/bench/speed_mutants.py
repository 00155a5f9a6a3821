"""Rows of the table of speeds on mutagenesis: every letter at every place of one sequence."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from contest import Contest, Ratio, Setting, fastest
from speed_models import best_of, letters_of, model_of, network_of, one_hot, plainly, random_codes, tangermeme
from tangermeme.utils import TangermemeWarning

from seqcnn.inference.mutagenesis import substituted


def mutagenesis(setting: Setting) -> Iterator[Contest]:
    """One sequence of 1,000 bp: beside all mutants in batches, and tangermeme with and without its fast way."""
    length, device = setting.size(1000, 300), setting.device
    codes = random_codes(1, length)
    for shape, goal in (("basset", 12), ("motif", 20)):
        network = network_of(setting, shape, length)
        model = model_of(network, length)
        text, x = letters_of(codes), one_hot(codes)
        form, batch, told = best_of(setting, network, one_hot(random_codes(512, length)), "32")

        def ours(model: Any = model, text: list[str] = text) -> np.ndarray:
            return model.mutagenesis(text, device=device)[0].T

        def plain(form: torch.nn.Module = form, batch: int = batch) -> np.ndarray:
            # The letter that is there is left out, as it is by tangermeme.
            many = substituted(codes[0], 0, length, 4)
            other = np.flatnonzero((many != codes).any(1))
            found = np.zeros(4 * length, np.float32)
            logits = plainly(
                form, torch.cat([one_hot(codes), one_hot(many[other])]), batch=batch, precision="32", device=device
            )
            found[other] = logits[1:, 0] - logits[0, 0]
            return found.reshape(length, 4)

        def peer(fast: bool, module: torch.nn.Module, batch: int, x: torch.Tensor = x) -> np.ndarray:
            # The package has a function of the module's name.
            there = importlib.import_module("tangermeme.saturation_mutagenesis")
            there._FAST_MIN_SECONDS, there._FAST_MAX_RELATIVE_TIME = 0.0, 1e9  # type: ignore[attr-defined]
            with warnings.catch_warnings():
                warnings.simplefilter("error", TangermemeWarning)  # of a fast way not taken
                done = there.saturation_mutagenesis(
                    module, x, batch_size=batch, device=device, raw_outputs=True, fast=fast
                )
            return (done.y_hat[0, :, :, 0] - done.y0[0]).T.cpu().numpy()

        fast = {f"{tangermeme()} fast, batch {size}": partial(peer, True, form, size) for size in (32, 128, 512)}
        quick = fastest(fast)
        sides = {
            "ours": ours,
            f"plain PyTorch, {told}": plain,
            f"{tangermeme()}, {told}": partial(peer, False, form, batch),
            quick: fast[quick],
        }
        a, *others = sides
        ratios = tuple(Ratio(a, b, wanted) for b, wanted in zip(others, (goal, None, 3), strict=True))
        equal = f"weights; one sequence of {length:,} bp, fp32, in memory; of fast=True the 30 s threshold lifted"
        yield Contest(f"mutagenesis, {shape}", equal, sides, ratios)
