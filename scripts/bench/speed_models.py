"""Networks, models and records of the table of speeds, and a peer's best way to predict with them."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contest import Setting
from torch import Tensor, nn

from seqcnn.alphabet import DNA
from seqcnn.encode.onehot import OneHot
from seqcnn.model.model import Model
from seqcnn.networks import Network, create
from seqcnn.tasks.binary import Binary

#: Batches that a peer is given the choice of.
BATCHES = {"cpu": (32, 128, 512), "cuda": (128, 1024, 8192)}
#: Networks by what they are called in the table.
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "deepbind": ("deepbind", {"filters": 64, "filter_width": 15}),
    "motif": ("motif", {}),
    "basset": ("basset", {}),
}
#: What half of the records hold that networks are trained on.
PLANTED = (1, 0, 1, 2, 3, 2, 0, 1)
CALLED = {"32": "fp32", "bf16": "bf16"}


def random_codes(count: int, length: int, seed: int = 0) -> np.ndarray:
    """Return made-up DNA ``(count, length)`` as codes."""
    return np.random.default_rng(seed).integers(0, 4, (count, length), dtype=np.uint8)


def letters_of(codes: np.ndarray) -> list[str]:
    """Return codes ``(n, L)`` as strings."""
    return [row.tobytes().decode() for row in np.frombuffer(b"ACGT", np.uint8)[codes]]


def one_hot(codes: np.ndarray) -> Tensor:
    """Return codes ``(n, L)`` as a peer takes them: ``(n, 4, L)`` int8."""
    return torch.eye(4, dtype=torch.int8)[torch.from_numpy(codes.astype(np.int32))].permute(0, 2, 1).contiguous()


def network_of(setting: Setting, shape: str, width: int, **options: Any) -> Network:
    """Return a network trained for a few steps, so that its answers spread and its norms know letters."""
    name, settings = SHAPES[shape]
    torch.manual_seed(0)
    network = create(name, in_channels=4, outputs=1, width=width, **settings | options).train()
    length = width if network.fixed_width else min(width, 500)
    count = max(8, 12_800 // length)
    adam = torch.optim.AdamW(network.parameters(), 1e-3)
    for seed in range(setting.size(40, 2)):
        codes = random_codes(count, length, seed)
        codes[::2, length // 2 : length // 2 + len(PLANTED)] = PLANTED
        loss = nn.functional.soft_margin_loss(
            network(one_hot(codes).float())[:, 0], torch.tensor([1.0, -1.0]).repeat(count // 2 + 1)[:count]
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    return network.eval()


def model_of(network: Network, width: int, strands: str = "forward") -> Model:
    """Return a model of letters around a network, in use as one that was loaded."""
    task = Binary(["0", "1"])
    return Model(OneHot("dna").eval(), network, task, alphabet=DNA, longest=width, strands=strands)


class PlainBasset(nn.Sequential):
    """The same layers and weights as they are usually written: Conv1d - BatchNorm1d - ReLU - MaxPool1d, then dense."""

    def __init__(self, network: Any) -> None:
        layers: list[nn.Module] = []
        for conv, norm, pool in zip(network.convs, network.norms, network.pools, strict=True):
            plain = nn.Conv1d(conv.in_channels, conv.out_channels, conv.kernel_size[1], bias=False)
            plain.weight.data = conv.weight.data[:, :, 0].contiguous()
            normed = nn.BatchNorm1d(conv.out_channels)
            normed.load_state_dict(norm.state_dict())
            layers += [plain, normed, nn.ReLU(), nn.MaxPool1d(pool)]
        super().__init__(*layers, nn.Flatten(), *network.dense)
        self.eval()


def plainly(network: nn.Module, x: Tensor, *, batch: int, precision: str, device: str) -> np.ndarray:
    """Return logits ``(n, K)`` of one-hot letters ``(n, 4, L)``, batch by batch, with torch alone."""
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
        return torch.cat([network(part.to(device).float()).float().cpu() for part in x.split(batch)]).numpy()


def best_of(setting: Setting, network: Any, sample: Tensor, precision: str) -> tuple[nn.Module, int, str]:
    """Return the form of a network and the batch that a peer predicts fastest with, and both in words.

    Its forms are our own module (Conv2d in channels_last) and, of Basset, Conv1d layers.
    """
    device, batches = setting.device, BATCHES[setting.device][: setting.size(3, 1)]
    torch.backends.cudnn.allow_tf32 = False  # as ours: full precision is asked for
    forms: dict[str, nn.Module] = {"our module": network.to(device)}
    if hasattr(network, "convs"):
        forms["Conv1d"] = PlainBasset(network).to(device)
    seconds = {}
    for form, module in forms.items():
        for batch in batches:
            times = []
            for _ in range(3):  # the first is to warm up
                start = time.perf_counter()
                plainly(module, sample, batch=batch, precision=precision, device=device)
                times.append(time.perf_counter() - start)
            seconds[form, batch] = min(times[1:])
    form, batch = min(seconds, key=lambda key: seconds[key])
    return forms[form], batch, f"{form}, batch {batch}"


def tangermeme() -> str:
    """Return the peer's name and version."""
    return f"tangermeme {version('tangermeme')}"


def write_fasta(path: Path, codes: np.ndarray) -> Path:
    """Write made-up records to a file."""
    path.write_text("".join(f">r{i}\n{letters}\n" for i, letters in enumerate(letters_of(codes))))
    return path


def wrapped_fasta(path: Path, codes: np.ndarray, name: str = "chr1", width: int = 80) -> Path:
    """Write one chromosome to a file, in lines of `width`."""
    letters = np.frombuffer(b"ACGT", np.uint8)[codes]
    rows = (letters[i : i + width].tobytes() for i in range(0, len(letters), width))
    path.write_bytes(b">" + name.encode() + b"\n" + b"\n".join(rows) + b"\n")
    return path
