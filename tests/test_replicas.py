"""Replicas: the same step as one network's, the same every time, and errors of their threads where they belong."""

import threading
from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from seqcnn.data.dataset import Dataset
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import OutOfMemoryError
from seqcnn.networks import create
from seqcnn.runtime import seeded
from seqcnn.tasks import fit_task
from seqcnn.training import loop
from seqcnn.training.first_layer import placed
from seqcnn.training.pieces import Pieces
from seqcnn.training.replicas import Replicas, workers
from seqcnn.training.schedule import Recipe

CPU = torch.device("cpu")
RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (61, 2, 9, 11), dtype=np.uint8)
TRUTH = (PIXELS[:, 0, :, :5].mean((1, 2)) > PIXELS[:, 0, :, 6:].mean((1, 2))).astype(float)[:, None]
DATA = Dataset("pixels", PIXELS, tuple(map(str, range(61))), TRUTH, "binary", ("left", "right"))


def residual(**more):
    with seeded(0):
        return create("residual", in_channels=2, outputs=1, height=9, width=11, stem=5, widths=(6, 7), **more).train()


class Normless(nn.Module):
    """A network in which no record sees another."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(2, 5, 3), nn.Linear(5 * 7 * 9, 1)

    def forward(self, x, lengths=None):
        return self.out(self.conv(x).tanh().flatten(1))


def normless():
    with seeded(0):
        return Normless()


def losses(sizes, seed=1):
    """The loss of each part of a batch, as its share of the whole."""
    rng = np.random.default_rng(seed)
    images = [torch.from_numpy(rng.normal(size=(n, 2, 9, 11)).astype(np.float32)) for n in sizes]

    def loss(x):
        return lambda network: network(x).square().mean() * len(x) / sum(sizes)

    return [loss(x) for x in images], images


def gradients(network):
    return [None if p.grad is None else p.grad.clone() for p in network.parameters()]


def step(network, count, parts):
    """One step of so many replicas: the sum of the losses and the gradients."""
    replicas = Replicas(network, count)
    try:
        replicas.train()
        total = replicas.step(parts)
        found = gradients(network)
        replicas.settle()
    finally:
        replicas.close()
    return total, found


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("sizes", [(8, 8, 7), (5,), (3, 9, 4, 6, 2)])
def test_gradients_are_those_of_the_whole_batch(count, sizes):
    parts, images = losses(sizes)
    network = normless()
    plain = deepcopy(network)
    whole = plain(torch.cat(images)).square().mean()
    whole.backward()
    total, found = step(network, count, parts)
    torch.testing.assert_close(total, whole.detach())
    for ours, theirs in zip(found, gradients(plain), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_each_part_is_normalized_by_itself_and_the_statistics_are_averaged():
    parts, _ = losses((8, 7, 9))
    network = residual()
    start = deepcopy(network)
    _, found = step(network, 3, parts)
    alone = [deepcopy(start) for _ in parts]
    for copy, part in zip(alone, parts, strict=True):
        part(copy).backward()
    expected = [sum(g) for g in zip(*map(gradients, alone), strict=True)]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
    for name, buffer in network.named_buffers():
        if buffer.is_floating_point():
            theirs = torch.stack([dict(copy.named_buffers())[name] for copy in alone]).mean(0)
            torch.testing.assert_close(buffer, theirs, atol=1e-6, rtol=1e-5, msg=name)
            assert not torch.equal(buffer, dict(start.named_buffers())[name])


def test_replicas_without_a_part_leave_the_statistics_alone():
    (part,), _ = losses((5,))
    network = residual()
    single = deepcopy(network)
    part(single).backward()
    step(network, 4, [part])
    for name, buffer in network.named_buffers():
        torch.testing.assert_close(buffer, dict(single.named_buffers())[name], msg=name)


def test_every_epoch_starts_from_the_statistics_of_the_network():
    replicas = Replicas(residual(), 2)
    try:
        for _ in range(2):
            replicas.train()
            for ours, theirs in zip(*(n.buffers() for n in replicas.networks), strict=True):
                torch.testing.assert_close(ours, theirs)
            replicas.step(losses((8, 7))[0])
            replicas.settle()
    finally:
        replicas.close()


def test_weights_are_shared_and_frozen_ones_get_no_gradient():
    network = normless()
    network.conv.bias.requires_grad_(False)
    replicas = Replicas(network, 3)
    try:
        for other in replicas.networks[1:]:
            assert all(a is b for a, b in zip(network.parameters(), other.parameters(), strict=True))
        replicas.step(losses((4, 4, 4))[0])
    finally:
        replicas.close()
    assert network.conv.bias.grad is None and network.conv.weight.grad is not None


def test_an_error_of_a_thread_surfaces_and_the_threads_end():
    def broken(network):
        raise ValueError("part 2 cannot be computed")

    before = threading.active_count()
    parts, _ = losses((4, 4, 4))
    with pytest.raises(ValueError, match="part 2 cannot be computed"):
        step(normless(), 3, [parts[0], broken, parts[2]])
    assert threading.active_count() == before


def test_one_replica_a_cpu_unless_something_draws_random_numbers(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for cpus, wanted in ((1, 1), (2, 2), (3, 3), (64, 4)):
        monkeypatch.setattr("seqcnn.training.replicas.cpus", lambda cpus=cpus: cpus)
        assert workers(residual(), CPU) == wanted
    assert workers(residual(dropout=0.1), CPU) == 1
    assert workers(residual(), torch.device("cuda")) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert workers(residual(), CPU) == 1


# --- in the loop ------------------------------------------------------------------------------------------------------


def run(count, monkeypatch, network=None, *, recipe=None, train=None, data=DATA):
    """Train with so many replicas; return the network and what was found."""
    monkeypatch.setattr(loop, "workers", lambda network, place: count)
    network = residual() if network is None else network
    task = fit_task("binary", data.labels, data.targets)
    index = np.arange(len(data))
    recipe = recipe or Recipe(epochs=2, batch_size=24, lr=3e-3)
    train = index[12:] if train is None else train
    found = loop.fit(
        network, Pixels.fit(data.raw), task, data, train=train, valid=index[:12], recipe=recipe, precision="32",
        device="cpu",
    )  # fmt: skip
    return network, found


@pytest.mark.parametrize("count", [2, 3])
def test_training_takes_the_steps_of_one_network(count, monkeypatch):
    one, first = run(1, monkeypatch, normless())
    several, second = run(count, monkeypatch, normless())
    for (name, ours), theirs in zip(one.named_parameters(), several.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3, msg=name)
    for ours, theirs in zip(first.history, second.history, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-3)


def test_the_same_seed_gives_the_same_weights_bit_by_bit(monkeypatch):
    one, first = run(3, monkeypatch)
    two, second = run(3, monkeypatch)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, two.state_dict()[name]), name
    assert first.history == second.history


def test_a_batch_too_small_to_be_shared_out(monkeypatch):
    recipe = Recipe(epochs=2, batch_size=5, lr=1e-3)
    one, _ = run(1, monkeypatch, recipe=recipe)
    four, _ = run(4, monkeypatch, recipe=recipe)
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(tensor, four.state_dict()[name], atol=1e-5, rtol=1e-4, msg=name)


def test_frozen_filters_stay_exactly_what_they_are(monkeypatch):
    network = residual()
    with placed(network, ["sobel", "gaussian"], alphabet=None, frozen=True, called="residual") as held:
        before = network.filters.weight.detach().clone()
        run(3, monkeypatch, network)
        assert torch.equal(network.filters.weight[:held], before[:held])
        assert not torch.equal(network.filters.weight[held:], before[held:])
    assert torch.equal(network.filters.weight[:held], before[:held])


def test_memory_that_runs_out_in_a_thread_names_the_batch_that_fits(monkeypatch):
    plain = Pieces.loss

    def small(self, part, *arguments):
        loss = plain(self, part, *arguments)

        def limited(network):
            if len(part) > 8:
                raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes")
            return loss(network)

        return limited

    before = threading.active_count()
    monkeypatch.setattr(Pieces, "loss", small)
    with pytest.raises(OutOfMemoryError, match="batches of 48 records do not fit in memory; 6 do"):
        run(2, monkeypatch, recipe=Recipe(epochs=1, batch_size=48))
    assert threading.active_count() == before


def test_a_broken_network_is_no_matter_of_memory(monkeypatch):
    network = residual()
    network.out = nn.Linear(3, 1)
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        run(2, monkeypatch, network)


@pytest.mark.parametrize("count", [1, 2])
def test_gradients_lie_in_memory_as_their_parameters_do(count):
    """A fused optimizer goes through both in order: where they lie otherwise it is silently wrong."""
    network = normless()  # of contiguous weights, whose gradients come as the images lie: channels last
    replicas = Replicas(network, count)
    _, images = losses([6, 4])

    def loss(x):
        x = x.contiguous(memory_format=torch.channels_last)
        return lambda network: network(x).square().sum()

    try:
        replicas.step([loss(x) for x in images])
    finally:
        replicas.close()
    assert any(p.dim() == 4 for p in network.parameters())
    assert all(p.grad.stride() == p.stride() for p in network.parameters())


def test_a_regrown_network_keeps_the_fast_layout():
    network = create("motif", in_channels=4, outputs=1, filters=6)
    grown = network.regrown([(network, 2), (network, 4), (network, 0)])
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in grown.parameters() if p.dim() == 4)
