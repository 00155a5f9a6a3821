"""The contract of every registered network: a new entry is tested by being registered."""

import inspect
import json
import warnings

import numpy as np
import pytest
import torch
from tangermeme import saturation_mutagenesis as ism
from tangermeme.deep_lift_shap import deep_lift_shap
from torch import nn

from seqcnn.errors import OptionError, ShapeError
from seqcnn.networks import create, options
from seqcnn.networks.network import minimum_through
from seqcnn.nn.dropout import Dropout
from seqcnn.nn.exponential import Exponential, rescale
from seqcnn.registry import names
from seqcnn.workflow.networks import describe, networks, overview

WIDTH = 97  # no multiple of any pool
BATCH, CLASSES = 3, 5
SMALL = {
    "motif": {"filters": 12, "context": 6},
    "deepbind": {"filters": 12, "hidden": 7},
    "basset": {"filters": (12, 8, 6), "filter_widths": (9, 5, 3), "pools": (3, 2, 2), "hidden": (20, 10)},
    "lenet": {"filters": (6, 8), "hidden": (20, 10)},
    "residual": {"stem": 6, "widths": (8, 10)},
    "rocket": {"groups": 2, "dilations": 3},
    "composition": {},
    "kmer": {"ks": (2, 3)},
    "average": {"member_options": {"filters": 12, "context": 6}, "count": 3},
}
#: Why an attribution method does not suit a network: it is a step function of its image, so there is no gradient.
NOT_ATTRIBUTED = {
    "kmer": "presence of k-mers is a step function: the gradient to the image is zero",
    "rocket": "which filter wins, and how long it stays on, are step functions of the image",
}

CASES = [(name, {}) for name in names("network")] + [("motif", {"positions": True}), ("deepbind", {"mean": True})]
CASES += [("motif", {"positions": True, "span": (20, 50)})]
CASES += [("motif", {"activation": "relu"}), ("motif", {"pool": 3, "positions": True}), ("average", {})]
CASES += [
    ("average", {"member": member, "member_options": settings, "count": 2})
    for member, settings in [
        ("motif", SMALL["motif"] | {"positions": True}),
        ("motif", SMALL["motif"] | {"positions": True, "span": (9, 70)}),
        ("deepbind", SMALL["deepbind"]),
    ]
]
every = pytest.mark.parametrize("name, extra", CASES, ids=lambda v: v if isinstance(v, str) else ",".join(v))


def build(name, extra=None, *, height=1, width=WIDTH, seed=0):
    """Return a small network with batch-norm statistics that are not the initial ones."""
    torch.manual_seed(seed)
    channels = 4 if height == 1 else 1
    settings = SMALL.get(name, {}) | (extra or {})
    network = create(name, in_channels=channels, outputs=CLASSES, height=height, width=width, **settings)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.3, 0.6)
            nn.init.normal_(module.bias, std=0.2)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    for parameter in network.parameters():
        if not parameter.any():  # baselines start at zero
            nn.init.normal_(parameter)
    if name == "average":
        nn.init.uniform_(network.scale, 0.5, 2.0)
        nn.init.normal_(network.bias)
    return network.eval()


def training(network):
    """Return the network in training mode, without the randomness of dropout."""
    for module in network.train().modules():
        if isinstance(module, (nn.Dropout, nn.Dropout2d, Dropout)):
            module.p = 0.0
    return network


def images(lengths, *, width=None, seed=1):
    """Return one-hot images ``(N, 4, L)``, zero beyond each length, and the lengths."""
    rng = np.random.default_rng(seed)
    lengths = torch.tensor(lengths)
    x = torch.eye(4)[torch.from_numpy(rng.integers(0, 4, (len(lengths), width or int(lengths.max()))))].mT
    return x * (torch.arange(x.shape[2]) < lengths[:, None])[:, None], lengths


def test_every_network_has_a_small_version():
    assert set(SMALL) >= set(names("network"))
    assert set(NOT_ATTRIBUTED) <= set(names("network"))


@every
def test_threads_may_share_a_network_in_use(name, extra):
    """Without gradients no layer keeps a note of what it saw, which another thread could read."""
    network = build(name, extra).eval()
    before = [dict(vars(part)) for part in network.modules()]
    with torch.no_grad():
        network(torch.rand(BATCH, 4, 1, WIDTH))
    for part, was in zip(network.modules(), before, strict=True):
        assert vars(part).keys() == was.keys()
        assert all(value is was[key] or value == was[key] for key, value in vars(part).items()), type(part)


@every
def test_logits_and_features_have_the_declared_shape(name, extra):
    network = build(name, extra)
    x, _ = images([WIDTH] * BATCH)
    z = network.features(x)
    assert network(x).shape == (BATCH, CLASSES)
    assert z.dim() == 2
    torch.testing.assert_close(network.head(z), network(x))


@every
def test_three_axes_are_the_same_as_four(name, extra):
    network = build(name, extra)
    x, _ = images([WIDTH] * BATCH)
    assert torch.equal(network(x), network(x[:, :, None]))


@every
@torch.no_grad()
def test_padding_never_changes_a_score(name, extra):
    network = build(name, extra)
    x, lengths = images([WIDTH, 61, 40, 9, 1])
    together = network(x, lengths)
    alone = torch.cat([network(x[i : i + 1, :, :n]) for i, n in enumerate(lengths)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    garbage = x + (torch.arange(WIDTH) >= lengths[:, None])[:, None] * 0.25
    torch.testing.assert_close(network(garbage, lengths), alone, atol=1e-5, rtol=0)


@every
@torch.no_grad()
def test_a_score_does_not_depend_on_its_batch(name, extra):
    network = build(name, extra)
    x, lengths = images([90, WIDTH, 70, 55])
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(network(x[order], lengths[order]), network(x, lengths)[order], atol=1e-5, rtol=0)


@every
def test_a_gradient_reaches_every_parameter(name, extra):
    network = training(build(name, extra))
    x, lengths = images([WIDTH, 80, 70, 60, 50, 41])
    for counted in (None, lengths):
        network.zero_grad()
        network(x, counted).square().sum().backward()
        for key, parameter in network.named_parameters():
            if not parameter.requires_grad:
                continue  # frozen filters
            assert parameter.grad is not None, key
            assert parameter.grad.abs().sum() > 0, key


@every
@torch.no_grad()
def test_batch_norm_in_training_sees_real_positions_only(name, extra):
    if not any(isinstance(m, nn.BatchNorm2d) for m in build(name, extra).modules()):
        pytest.skip("has no batch norm")
    x, lengths = images([70] * 4)
    tight, padded = training(build(name, extra)), training(build(name, extra))
    if tight.fixed_width is not None:
        pytest.skip("the window is as wide as the padding; nn.padding is tested on its own")
    tight(x)
    padded(nn.functional.pad(x, (0, 27)), lengths)
    for (key, a), b in zip(tight.state_dict().items(), padded.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-5, msg=key)


@every
@torch.no_grad()
def test_first_layer_activations_give_the_same_logits(name, extra):
    network = build(name, extra)
    if hasattr(network, "norm"):
        network.norm.weight[::2] *= -1  # a negative scale turns the order of norm and pool around
    x, lengths = images([WIDTH, 61, 40, 9])
    for counted in (None, lengths):
        activations = network.filter_activations(x, counted)
        torch.testing.assert_close(network.forward_with_filters(activations, counted), network(x, counted))
    if network.filters is not None:
        assert activations.shape[1] == network.filters.out_channels
        # activation j of filter f is that of the window which starts at base j, less the padding, and what is not read
        kernel, pad, read = network.filters.kernel_size[1], network.filters.padding[1], network.reads(lengths)
        assert activations.shape[3] == max(WIDTH, network.minimum_width) - kernel + 1 + 2 * pad or network.begins
        assert activations.shape[3] == read[0] - kernel + 1 + 2 * pad
        assert not activations[1, :, :, read[1] - kernel + 1 + 2 * pad :].any()
        first, *_ = network.filter_activations(x[:1, :, 8:], None)
        torch.testing.assert_close(first[..., pad : pad + 8], activations[0, ..., 8 + pad : 16 + pad])


@pytest.mark.parametrize("padded", [True, False])
@torch.no_grad()
def test_columns_outside_of_the_span_are_not_read(padded):
    begin, end = 21, 21 + 60
    settings = {"positions": True, "padded": padded, "dilations": (1,)}
    whole = build("motif", settings | {"span": (begin, end)})
    part = build("motif", settings, width=end - begin)
    x, lengths = images([WIDTH, 61, 90])
    torch.testing.assert_close(whole(x, lengths), part(x[:, :, begin:end], (lengths - begin).clamp(max=end - begin)))
    x[:, :, :begin], x[:, :, end:] = x[:, :, :begin].flip(1), 0
    torch.testing.assert_close(whole(x, lengths), part(x[:, :, begin:end], (lengths - begin).clamp(max=end - begin)))


@pytest.mark.parametrize(
    ("span", "settings"),
    [((5, 5), {}), ((-1, 20), {}), ((5, WIDTH + 1), {}), ((5, 9), {"padded": False}), ((5, 50), {"positions": False})],
)
def test_a_span_that_cannot_be_read_is_refused(span, settings):
    with pytest.raises(OptionError, match="motif: span="):
        create("motif", in_channels=4, outputs=1, width=WIDTH, span=span, **({"positions": True} | settings))


@every
@torch.no_grad()
def test_the_callers_tensors_are_unedited(name, extra):
    network = build(name, extra)
    x, lengths = images([WIDTH, 61, 9])
    before = x.clone(), lengths.clone()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    network(x, lengths)
    network.forward_with_filters(network.filter_activations(x, lengths), lengths)
    assert torch.equal(x, before[0])
    assert torch.equal(lengths, before[1])
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


@every
def test_config_and_weights_rebuild_the_network(name, extra):
    network = build(name, extra)
    config = json.loads(json.dumps(network.config))
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    again = create(name, **config).eval()
    again.load_state_dict(state)
    x, lengths = images([WIDTH, 61, 9])
    assert torch.equal(again(x, lengths), network(x, lengths))
    assert set(options(name)) | {"in_channels", "outputs", "height", "width"} == set(config)


@every
def test_weights_are_channels_last_in_memory_only(name, extra):
    network = build(name, extra)
    for key, value in network.state_dict().items():
        if value.dim() == 4:
            assert value.is_contiguous(memory_format=torch.channels_last), key


@every
def test_deep_lift_is_complete(name, extra):
    if name in NOT_ATTRIBUTED:
        pytest.skip(NOT_ATTRIBUTED[name])
    network = build(name, extra)
    x, _ = images([WIDTH] * BATCH)
    reference, _ = images([WIDTH] * BATCH, seed=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        multipliers = deep_lift_shap(
            network, x, target=1, references=reference[:, None], raw_outputs=True, device="cpu",
            warning_threshold=1.0, additional_nonlinear_ops={Exponential: rescale},
        )  # fmt: skip
    with torch.no_grad():
        difference = (network(x) - network(reference))[:, 1]
    found = ((x - reference) * multipliers[:, 0]).sum((1, 2))
    assert ((found - difference).abs() <= 1e-3 * difference.abs() + 1e-7).all()  # float32 ends there


@every
def test_fast_mutagenesis_captures_the_network(name, extra, monkeypatch):
    if name in NOT_ATTRIBUTED:
        pytest.skip(NOT_ATTRIBUTED[name])
    monkeypatch.setattr(ism, "_FAST_MIN_SECONDS", 0)  # else a small job is done the plain way, untried
    monkeypatch.setattr(ism, "_FAST_MAX_RELATIVE_TIME", 1e9)
    network = build(name, extra)
    x, _ = images([WIDTH] * BATCH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fast = ism.saturation_mutagenesis(network, x, raw_outputs=True, device="cpu")
    mutant = x.clone()
    mutant[1, :, 50] = torch.eye(4)[2]
    with torch.no_grad():
        torch.testing.assert_close(fast.y_hat[1, 2, 50], network(mutant)[1], atol=1e-5, rtol=1e-4)


@every
def test_exports_with_dynamic_batch_and_length(name, extra):
    network = build(name, extra).to(memory_format=torch.contiguous_format)
    shapes = {0: torch.export.Dim("batch", min=2, max=64)}
    if network.fixed_width is None:
        shapes[2] = torch.export.Dim("length", min=network.minimum_width + 4, max=4096)
    x, _ = images([WIDTH] * BATCH)
    program = torch.export.export(network, (x.contiguous(),), dynamic_shapes=(shapes,)).module()
    other, _ = images([WIDTH if network.fixed_width else 131] * 4, seed=3)
    torch.testing.assert_close(program(other), network(other))


@pytest.mark.parametrize("name", [n for n in names("network") if n != "lenet"])
@torch.no_grad()
def test_a_picture_of_letters_works_too(name):
    network = build(name, height=4)
    x, lengths = images([WIDTH, 61, 9])
    together = network(x[:, None], lengths)
    assert together.shape == (3, CLASSES)
    alone = torch.cat([network(x[i : i + 1, None, :, :n]) for i, n in enumerate(lengths)])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@every
def test_pools_norms_and_rectifiers_are_torchs_own_classes(name, extra):
    for module in build(name, extra).modules():
        ours = type(module).__module__.startswith("seqcnn.")
        theirs = next(base for base in type(module).__mro__ if not base.__module__.startswith("seqcnn."))
        assert not ours or theirs is nn.Module


@pytest.mark.parametrize("name", names("network"))
def test_options_are_written_out(name):
    parameters = inspect.signature(create(name, in_channels=4, outputs=1, width=300).__class__).parameters
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters.values())


def test_a_misspelt_option_is_refused():
    with pytest.raises(OptionError, match=r"unknown option 'filter_with'.*did you mean 'filter_width'"):
        create("motif", in_channels=4, outputs=1, filter_with=9)
    with pytest.raises(OptionError, match=r"unknown network 'motfi'.*did you mean 'motif'"):
        create("motfi", in_channels=4, outputs=1)


def test_wrong_channels_are_refused():
    with pytest.raises(ShapeError, match=r"expected images \(N, 4, 1, W\).*found \(3, 20, 1, 50\)"):
        build("motif")(torch.zeros(3, 20, 50))


@pytest.mark.parametrize("name, extra", [("basset", {}), ("lenet", {}), ("motif", {"positions": True})])
def test_a_fixed_width_refuses_longer_records(name, extra):
    network = build(name, extra)
    assert network.fixed_width == WIDTH
    with pytest.raises(ShapeError, match=f"at most {WIDTH} columns, found 98"):
        network(torch.zeros(2, 4, 98))
    settings = SMALL[name] | extra
    with pytest.raises(OptionError, match="width"):
        create(name, in_channels=4, outputs=1, **settings)


@pytest.mark.parametrize("channels, height, width", [(1, 28, 28), (3, 32, 41), (5, 16, 16), (1, 200, 131), (2, 1, 300)])
def test_lenet_takes_pictures_of_any_size(channels, height, width):
    network = create("lenet", in_channels=channels, outputs=CLASSES, height=height, width=width)
    x = torch.rand(BATCH, channels, height, width)
    assert network(x).shape == (BATCH, CLASSES)
    assert sum(p.numel() for p in network.parameters()) < 1_000_000


def test_lenet_names_the_smallest_picture():
    with pytest.raises(OptionError, match="at least 16 x 16 pixels, found 15 x 40"):
        create("lenet", in_channels=1, outputs=10, height=15, width=40)
    assert create("lenet", in_channels=1, outputs=10, height=16, width=16)(torch.zeros(2, 1, 16, 16)).shape == (2, 10)
    with pytest.raises(OptionError, match="two pools"):
        create("lenet", in_channels=1, outputs=10, height=28, width=28, pools=(2,))


def test_minimum_width_is_the_shortest_input():
    rng = np.random.default_rng(0)
    for _ in range(20):
        steps = [(int(k), int(s)) for k, s in rng.integers(1, 6, (4, 2))]
        fewest = minimum_through(*steps)

        def left(width, steps=steps):
            for kernel, stride in steps:
                width = (width - kernel) // stride + 1 if width >= kernel else 0
            return width

        assert left(fewest) == 1
        assert left(fewest - 1) == 0


def reference_kmers(text, ks, canonical):
    """Return the distinct k-mers of a string, a naive loop."""
    swap = str.maketrans("ACGT", "TGCA")
    found = {text[i : i + k] for k in ks for i in range(len(text) - k + 1)}
    found = {w for w in found if set(w) <= set("ACGT")}
    return {min(w, w.translate(swap)[::-1]) for w in found} if canonical else found


@pytest.mark.parametrize("canonical", [True, False])
@torch.no_grad()
def test_kmer_network_counts_each_word_once(canonical):
    from seqcnn.alphabet import DNA
    from seqcnn.encode.onehot import OneHot
    from seqcnn.kmers import kmer_word, n_kmers
    from seqcnn.sequence import Sequences, encode

    texts = ["ACGTNACGTACCA", "TTTTTTT", "A", "CCANNGG-ACGT"]
    ks = (2, 3)
    network = create("kmer", in_channels=4, outputs=1, ks=ks, canonical=canonical)
    weights = dict(
        zip(
            [kmer_word(c, k, DNA, canonical=canonical) for k in ks for c in range(n_kmers(k, DNA, canonical))],
            torch.rand(len(network.weight)).tolist(),
            strict=True,
        )
    )
    network.weight[:, 0] = torch.tensor(list(weights.values()))
    codes, lengths = Sequences.from_codes([encode(t, DNA) for t in texts]).rectangle()
    expected = [sum(weights[w] for w in reference_kmers(t, ks, canonical)) for t in texts]
    found = network(OneHot("dna")(torch.from_numpy(codes)), torch.from_numpy(lengths))[:, 0]
    torch.testing.assert_close(found, torch.tensor(expected))


@torch.no_grad()
def test_composition_features():
    x, lengths = images([WIDTH, 40, 7])
    network = build("composition")
    expected = torch.stack([x[i, 1:3, :n].sum() / n for i, n in enumerate(lengths)])[:, None]
    torch.testing.assert_close(network.features(x, lengths), expected)
    protein = create("composition", in_channels=20, outputs=1)
    z = protein.features(torch.nn.functional.pad(x, (0, 0, 0, 16)), lengths)
    assert z.shape == (3, 21)
    torch.testing.assert_close(z[:, -1], lengths.float().log())
    pictures = create("composition", in_channels=3, outputs=1, height=5, width=7)
    image = torch.rand(2, 3, 5, 7)
    torch.testing.assert_close(pictures.features(image), image.mean((2, 3)))


@pytest.mark.parametrize("name", names("network"))
def test_descriptions_count_what_is_there(name):
    described = describe(name, outputs=CLASSES)
    network = create(
        name, outputs=CLASSES, **dict(zip(("in_channels", "height", "width"), described.image, strict=True))
    )
    assert described.parameters == sum(p.numel() for p in network.parameters())
    assert sum(layer.parameters for layer in described.layers) == described.parameters
    assert described.layers[-1].shape == (CLASSES,)
    assert described.shortest == network.minimum_width
    assert f"{described.parameters:,}" in str(described)
    assert f"{name} " in "\n".join(row[0] + " " for row in overview())


def test_describing_leaves_the_callers_randomness_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    assert "conv" in networks("motif")
    assert torch.equal(torch.rand(3), expected)
    with pytest.raises(OptionError, match="did you mean 'basset'"):
        networks("baset")
