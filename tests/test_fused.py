"""Layers that train in one pass, against the layers themselves."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from seqcnn.networks import create
from seqcnn.nn import fused
from seqcnn.nn.dropout import Dropout, reseed
from seqcnn.nn.exponential import Exponential


def laid_out(*shape, dtype=torch.float32):
    return torch.randn(*shape).to(dtype).to(memory_format=torch.channels_last).requires_grad_()


def both_ways(monkeypatch, work, *modules, inputs):
    """Return outputs and all gradients of `work`, as computed here and by the layers."""
    found = []
    for plain in (False, True):
        with monkeypatch.context() as patch:
            if plain:
                patch.setattr(fused, "_suits", lambda norm, x: False)
            copies = deepcopy(modules)
            for module in copies:
                reseed(module.train(), 3)
            own = [x.detach().clone(memory_format=torch.preserve_format).requires_grad_() for x in inputs]
            y = work(*copies, *own)
            weights = [p for module in copies for p in module.parameters()]
            scale = torch.linspace(-1, 1, y.numel()).view(y.shape).to(y.dtype)
            gradients = torch.autograd.grad((y * scale).float().sum(), [*own, *weights])
            state = [b.float() for module in copies for b in module.buffers()]
            found.append([y.detach(), *gradients, *state])
    return found


def norm_of(channels):
    norm = nn.BatchNorm2d(channels)
    nn.init.uniform_(norm.weight, -1, 2)
    nn.init.normal_(norm.bias)
    return norm


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(("n", "channels", "width"), [(5, 3, 7), (2, 20, 33), (1, 4, 12)])
@pytest.mark.parametrize("skips", [False, True])
@pytest.mark.parametrize("dropped", [0.0, 0.5])
def test_rectified_is_norm_dropout_residual_and_relu(monkeypatch, dtype, n, channels, width, skips, dropped):
    torch.manual_seed(n)
    norm, drop = norm_of(channels), Dropout(dropped, maps=True)
    inputs = [laid_out(n, channels, 1, width, dtype=dtype)]
    if skips:
        inputs.append(laid_out(n, channels, 1, width + 6, dtype=dtype))

    def work(norm, drop, x, skip=None):
        return fused.rectified(x, None, norm=norm, act=nn.ReLU(), skip=skip, drop=drop)

    assert fused._suits(norm.train(), inputs[0])
    for ours, theirs in zip(*both_ways(monkeypatch, work, norm, drop, inputs=inputs), strict=True):
        close(ours, theirs, dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    ("n", "channels", "width", "pool"), [(5, 3, 17, 4), (2, 20, 9, 1), (3, 4, 5, 5), (4, 3, 11, 4), (40, 20, 31, 8)]
)
@pytest.mark.parametrize("margin", [(0, 0), (3, 2)])
def test_best_sites_are_pool_norm_exponential_and_dropout(monkeypatch, dtype, n, channels, width, pool, margin):
    torch.manual_seed(n)
    norm, drop = norm_of(channels), Dropout(0.3, maps=True)

    def work(norm, drop, x):
        return fused.best_sites(
            x, None, pool=nn.MaxPool2d((1, pool)), norm=norm, act=Exponential(), drop=drop, margin=margin
        )

    inputs = [laid_out(n, channels, 1, width, dtype=dtype)]
    for ours, theirs in zip(*both_ways(monkeypatch, work, norm, drop, inputs=inputs), strict=True):
        close(ours, theirs, dtype)


def close(ours, theirs, dtype):
    """In bfloat16 the plain way rounds after every layer, which can turn a rectifier: few values may be apart."""
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    apart, scale = (ours.float() - theirs.float()).abs(), float(theirs.float().abs().max())
    if dtype == torch.float32:
        assert float(apart.max()) <= 2e-5 * scale + 1e-5
    else:
        assert float(apart.mean()) <= 0.01 * scale
        assert float((apart > 0.03 * scale).float().mean()) < 0.01


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize("width", [40, 61])
def test_a_motif_network_learns_the_same(monkeypatch, positions, width):
    torch.manual_seed(0)
    network = create("motif", in_channels=4, outputs=2, width=width, positions=positions, filters=16)
    image = nn.functional.one_hot(torch.randint(0, 4, (9, width)), 4).float().permute(0, 2, 1)

    def work(network, image):
        return network(image)

    for ours, theirs in zip(*both_ways(monkeypatch, work, network, inputs=[image]), strict=True):
        close(ours, theirs, torch.float32)


def test_records_of_unequal_lengths_go_through_the_layers():
    network = create("motif", in_channels=4, outputs=1, width=60).train()
    image, lengths = torch.zeros(4, 4, 60), torch.tensor([60, 31, 20, 44])
    loss = network(image, lengths).sum()
    loss.backward()
    assert all(p.grad is not None for p in network.parameters())


def test_far_from_zero_no_digits_are_lost():
    """Sums of squares of values around 1000 would lose the variance."""
    norm = nn.BatchNorm2d(2)
    x = (torch.randn(8, 2, 1, 50, dtype=torch.float64) + 1000).float().to(memory_format=torch.channels_last)
    expected = torch.relu(nn.BatchNorm2d(2, dtype=torch.float64)(x.double())).float()
    torch.testing.assert_close(fused.rectified(x, None, norm=norm, act=nn.ReLU()), expected, atol=2e-4, rtol=1e-3)
