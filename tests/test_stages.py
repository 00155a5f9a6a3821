"""Dense scanning and edits against the plain way, over random stages."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.alphabet import DNA, SOFT_MASK
from seqcnn.encode.onehot import OneHot
from seqcnn.inference import courses
from seqcnn.inference.dense import scan, sliding, why_apart
from seqcnn.inference.edits import Edited
from seqcnn.inference.local import Local, locals_of
from seqcnn.networks import create, options
from seqcnn.nn.stages import Act, Conv, Pad, Pool, Residual, Scale, Stages, Summary, after
from seqcnn.registry import names

LETTERS = 4


def bounded(x):
    """Return an exponential that stays finite through several layers."""
    return torch.exp(x.clamp(max=2))


def random_stages(rng, *, padded=False, dtype=torch.float64):
    """Return random stages of two or three blocks, and the narrowest window they take."""

    def tensor(*shape):
        return (torch.from_numpy(rng.normal(size=shape)) / np.sqrt(np.prod(shape[1:]) or 1)).to(dtype)

    def conv(inputs, outputs, widest=5):
        bias = tensor(outputs) if rng.random() < 0.5 else None
        return Conv(tensor(outputs, inputs, int(rng.integers(1, widest + 1))), bias, int(rng.integers(1, 4)))

    def norm(count):
        return Scale(tensor(count) + 0.3, tensor(count))

    channels, steps = LETTERS, []
    for _ in range(rng.integers(1, 4)):
        outputs = int(rng.integers(2, 6))
        if padded and rng.random() < 0.5:
            steps.append(Pad(int(rng.integers(0, 4)), int(rng.integers(0, 4))))
        steps.append(conv(channels, outputs, 7))
        if rng.random() < 0.7:
            steps.append(Pool(int(rng.integers(1, 5)), bool(rng.random() < 0.3)))
        steps += [norm(outputs), Act(torch.relu if rng.random() < 0.5 else bounded)]
        if rng.random() < 0.5:
            inner = Conv(tensor(outputs, outputs, 3), None, int(rng.integers(1, 3)))
            inside = (inner, norm(outputs), Act(torch.relu), Conv(tensor(outputs, outputs, 2)), norm(outputs))
            steps += [Residual(inside), Act(torch.tanh)]
        channels = outputs
    kinds = rng.permutation(["max", "mean", "flat"])[: rng.integers(1, 4)]
    summaries = tuple(
        Summary(str(k), (Conv(tensor(channels, channels, 1)), Act(torch.relu)) if rng.random() < 0.3 else ())
        for k in kinds
    )
    made = Stages(tuple(steps), summaries, (torch.ones(1, 1), None), lambda z: z)
    least = next(w for w in range(1, 2000) if all_positive(made, w))
    window = least + int(rng.integers(0, 40))
    features = sum(channels * (made.cells(window) if s.kind == "flat" else 1) for s in summaries)
    dense = (tensor(6, features), tensor(6))
    out = tensor(2, 6)
    return Stages(tuple(steps), summaries, dense, lambda z: torch.tanh(z) @ out.T), window


def all_positive(stages, width):
    for step in stages.steps:
        width = after(step, width)
        if width < 1:
            return False
    return True


def one_hot(rng, length):
    """Return the image of random letters, a tenth of them unknown."""
    return image_of(torch.from_numpy(some_codes(rng, 1, length))).double()


def some_codes(rng, count, length):
    """Return random letters, a tenth of them ambiguous or soft-masked."""
    codes = rng.integers(0, LETTERS, (count, length)).astype(np.uint8)
    odd = rng.random(codes.shape) < 0.1
    return np.where(odd, rng.integers(0, len(DNA.symbols), codes.shape) | rng.choice([0, SOFT_MASK]), codes).astype(
        np.uint8
    )


ENCODER = OneHot("dna")


def image_of(codes):
    return ENCODER(codes)


def near(found, expected):
    """Equal to a hundred thousandth of the spread."""
    spread = float(expected.std()) if expected.numel() > 1 else 0.0
    torch.testing.assert_close(found.double(), expected, atol=1e-5 * max(spread, float(expected.abs().mean())), rtol=0)


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_a_scan_is_window_by_window(seed):
    rng = np.random.default_rng(seed)
    stages, window = random_stages(np.random.default_rng(seed))
    ours, _ = random_stages(np.random.default_rng(seed), dtype=torch.float32)
    step, count = int(rng.integers(1, window + 3)), int(rng.integers(1, 12))
    codes = torch.from_numpy(some_codes(rng, 1, (count - 1) * step + window))
    found = scan(Local(ENCODER, ours), codes, window=window, step=step)
    image = image_of(codes).double()
    near(found, torch.cat([stages(image[..., i * step : i * step + window]) for i in range(count)]))


@given(seed=st.integers(0, 2**31), padded=st.booleans())
@settings(deadline=None, max_examples=40)
def test_tables_of_words_are_the_image(seed, padded):
    rng = np.random.default_rng(seed)
    stages, window = random_stages(np.random.default_rng(seed), padded=padded)
    ours, _ = random_stages(np.random.default_rng(seed), padded=padded, dtype=torch.float32)
    codes = torch.from_numpy(some_codes(rng, 3, window))
    near(Local(ENCODER, ours)(codes), stages(image_of(codes).double()))


@pytest.mark.parametrize("name", [name for name in names("network") if name not in ("lenet", "residual", "rocket")])
@pytest.mark.parametrize("layout", [{}, {"positions": True}, {"mean": True}, {"hidden": 0}])
@pytest.mark.parametrize("alphabet", ["dna", "protein"])
def test_a_network_in_use_is_its_stages(name, layout, alphabet):
    encoder, width = OneHot(alphabet), 220
    if not set(layout) <= set(options(name)):
        pytest.skip(f"{name} has no such option")
    layout = {"hidden": ()} if name == "basset" and "hidden" in layout else layout
    torch.manual_seed(0)
    network = create(name, in_channels=encoder.channels, outputs=3, width=width, **layout).eval()
    lively(network)
    check_stages(network, encoder, width)


@pytest.mark.parametrize("positions", [False, True])
def test_an_average_in_use_is_the_sum_of_its_stages(positions):
    torch.manual_seed(0)
    network = create("average", in_channels=4, outputs=2, width=90, count=3, member_options={"positions": positions})
    lively(network)
    torch.nn.init.normal_(network.scale)
    torch.nn.init.normal_(network.bias)
    assert len(network.staged()) == 3
    check_stages(network.eval(), ENCODER, 90)


def lively(network):
    """Give norms statistics and scales of either sign."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight, -0.5, 1)
            torch.nn.init.normal_(module.bias, std=0.2)


def check_stages(network, encoder, width):
    rng = np.random.default_rng(0)
    codes = torch.from_numpy(rng.integers(0, len(encoder.alphabet.symbols), (5, width)).astype(np.uint8))
    parts = locals_of(encoder, network)
    if not parts:
        pytest.skip("not made of local steps")
    with torch.inference_mode():
        found = sum(part(codes) for part in parts)
        near(found, network.double()(encoder(codes).double()))


@given(seed=st.integers(0, 2**31), padded=st.booleans(), compiled=st.booleans())
@settings(deadline=None, max_examples=60)
def test_edits_are_plain_predictions_of_edited_records(seed, padded, compiled):
    with patch.object(courses, "_fast", lambda change: compiled):
        check_edits(np.random.default_rng(seed), padded)


def check_edits(rng, padded):
    stages, window = random_stages(rng, padded=padded)
    images = image_of(torch.from_numpy(some_codes(rng, 2, window))).double()
    edited = Edited(stages, images)
    width, phase = int(rng.integers(1, min(4, window + 1))), int(rng.integers(0, stages.stride))
    first = torch.arange(phase, window - width + 1, stages.stride)
    if not len(first):
        return
    record = torch.from_numpy(rng.integers(0, 2, len(first)))
    change = torch.from_numpy(rng.normal(size=(width, len(first), 3, LETTERS)))
    found = edited.logits(edited.dense(record), record, first, change)
    for i, at in enumerate(first.tolist()):
        many = images[record[i]].repeat(3, 1, 1, 1)
        many[:, :, 0, at : at + width] += change[:, i].permute(1, 2, 0)
        torch.testing.assert_close(found[i], stages(many))


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_edits_of_windows_are_plain_predictions_of_edited_windows(seed):
    rng = np.random.default_rng(seed)
    stages, window = random_stages(rng)
    width = int(rng.integers(1, min(4, window + 1)))
    ahead, count = int(rng.integers(0, window - width + 1)), int(rng.integers(1, 6))
    phase, stride = int(rng.integers(0, stages.stride)), stages.stride
    start = torch.from_numpy(rng.integers(0, count, 7)) * stride
    letters = torch.from_numpy(some_codes(rng, 2, (count - 1) * stride + window + phase))
    images = image_of(letters).double()[..., phase:]
    edited = Edited(stages, images, window=window)
    record = torch.from_numpy(rng.integers(0, 2, len(start)))
    change = torch.from_numpy(rng.normal(size=(width, len(start), 2, LETTERS)))
    dense = edited.dense(record, start)
    found, plain = edited.logits(dense, record, start + ahead, change, ahead=ahead), stages.head(dense)
    for i, at in enumerate(start.tolist()):
        one = images[record[i] : record[i] + 1, ..., at : at + window]
        many = one.repeat(2, 1, 1, 1)
        many[:, :, 0, ahead : ahead + width] += change[:, i].permute(1, 2, 0)
        torch.testing.assert_close(found[i], stages(many))
        torch.testing.assert_close(plain[i : i + 1], stages(one))


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 13])
def test_sliding(width):
    x = torch.from_numpy(np.random.default_rng(width).normal(size=(2, 3, 20)))
    windows = x.unfold(2, width, 1)
    torch.testing.assert_close(sliding(x, width, torch.maximum), windows.amax(3))
    torch.testing.assert_close(sliding(x, width, torch.add), windows.sum(3))


def test_why_windows_are_computed_apart():
    conv, dense = Conv(torch.ones(2, LETTERS, 3)), (torch.ones(1, 2), None)
    free, padded, fixed = (
        [Local(ENCODER, Stages(steps, (Summary("max"),), dense, lambda z: z, width=width))]
        for steps, width in (((conv,), None), ((Pad(2, 2), conv), None), ((conv,), 30))
    )
    assert why_apart(free, 20, 5) is None and why_apart(fixed, 30, 5) is None
    assert "local" in why_apart((), 20, 5) and "zeros" in why_apart(padded, 20, 5)
    assert "30" in why_apart(fixed, 20, 5) and "overlap" in why_apart(free, 20, 20)
    assert "21 letters" in why_apart(free, 20, 5, 21)
