"""Letters replaced in windows against plain predictions of whole windows."""

import numpy as np
import pytest
import torch

from seqcnn.alphabet import DNA
from seqcnn.data.alleles import Letters, Pairs
from seqcnn.data.substitutions import Substitutions
from seqcnn.encode.onehot import OneHot
from seqcnn.inference import substitutions
from seqcnn.inference.predict import predict_logits
from seqcnn.inference.substitutions import Substituter
from seqcnn.io.genome import Genome
from seqcnn.networks import create
from seqcnn.variant import Variant

ENCODER, CPU = OneHot("dna"), torch.device("cpu")


def network_of(name, width, **layout):
    torch.manual_seed(0)
    network = create(name, in_channels=4, outputs=2, width=width, **layout).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            torch.nn.init.normal_(module.running_mean, std=0.2)
            torch.nn.init.uniform_(module.weight, -0.5, 1)
    return network


def some(rng, *, window, letters, count, width=1):
    codes = rng.integers(0, 4, letters).astype(np.uint8)
    codes[rng.random(letters) < 0.02] = DNA.any_code
    starts = np.sort(rng.integers(0, letters - window + 1, count))
    ahead = int(rng.integers(0, window - width + 1))
    instead = rng.integers(0, 4, (count, width)).astype(np.uint8)
    instead[0] = DNA.any_code
    return Substitutions(codes, starts, window, ahead, instead)


@pytest.mark.parametrize("strands", ["forward", "both"])
@pytest.mark.parametrize("letters", [1100, 20_000])  # near each other, and far apart
@pytest.mark.parametrize(
    ("name", "window", "layout"),
    [
        ("motif", 150, {}),  # surrounded by zeros
        ("motif", 530, {}),
        ("motif", 203, {"positions": True}),
        ("basset", 251, {}),
        ("deepbind", 101, {}),
        ("average", 203, {"count": 2, "member_options": {"padded": False}}),
    ],
)
def test_replaced_letters_are_plain_predictions(name, window, layout, letters, strands):
    rng = np.random.default_rng(window)
    network = network_of(name, window, **layout)
    swap = Substituter(ENCODER, network, strands=strands, window=window, place=CPU)
    for width in (1, 3):
        given = some(rng, window=window, letters=letters, count=57, width=width)
        found = swap.finish(swap.start(given))
        plain = predict_logits(ENCODER, network, given.whole(), strands=strands).reshape(2, 57, 2).transpose(1, 0, 2)
        np.testing.assert_allclose(found, plain, atol=1e-5 * plain.std(), rtol=0)
    assert swap.why is None and swap.checked
    swap.close()


def test_windows_that_overlap_are_computed_together_where_that_pays():
    rng = np.random.default_rng(0)
    swap = Substituter(ENCODER, network_of("motif", 530), strands="forward", window=530, place=CPU)
    near = list(swap._batches(some(rng, window=530, letters=1100, count=57)))
    far = list(swap._batches(some(rng, window=530, letters=200_000, count=57)))
    assert all(len(batch.codes) == 1 for batch in near) and all(len(batch.codes) == len(batch.rows) for batch in far)
    for batches in (near, far):
        assert np.sort(np.concatenate([batch.rows for batch in batches])).tolist() == list(range(57))


def test_windows_are_computed_in_full_where_a_few_of_them_disagree(monkeypatch):
    def wrong(self, dense, *rest, **more):
        return dense[:, None] * 0 + 5

    monkeypatch.setattr(substitutions.Edited, "logits", wrong)
    network = network_of("motif", 150, hidden=0)
    swap = Substituter(ENCODER, network, strands="forward", window=150, place=CPU)
    given = some(np.random.default_rng(0), window=150, letters=900, count=20)
    plain = predict_logits(ENCODER, network, given.whole()).reshape(2, 20, 2).transpose(1, 0, 2)
    np.testing.assert_array_equal(swap.finish(swap.start(given)), plain)
    assert "disagree" in swap.why
    np.testing.assert_array_equal(swap.finish(swap.start(given)), plain)


def test_networks_that_are_not_local_are_computed_in_full():
    network = network_of("residual", 64)
    swap = Substituter(ENCODER, network, strands="forward", window=64, place=CPU)
    given = some(np.random.default_rng(0), window=64, letters=90, count=3)
    assert "local" in swap.why and swap.finish(swap.start(given)).shape == (3, 2, 2)


@pytest.mark.parametrize("shifts", [0, 2])
def test_replacements_are_the_windows_of_both_alleles(tmp_path, shifts):
    rng = np.random.default_rng(shifts)
    text = "".join(rng.choice(list("ACGTN"), 700))
    path = tmp_path / "g.fa"
    path.write_text(f">1\n{text}\n>2\n{text[::-1]}\n")
    genome = Genome(path)
    windows, replacing = Pairs(31, shifts), Pairs(31, shifts, replacing=True)
    for number in range(80):
        chromosome, width = ("1", "2")[number > 40], 1 + number % 3
        letters = Letters(genome, chromosome)
        start = int(rng.integers(0, 698))
        alt = "".join(rng.choice(list("ACGT"), 4 if number % 9 == 0 else width)).encode()  # some insert letters too
        variant = Variant(chromosome, start, letters(start, start + width), alt).trimmed()
        for pairs in (windows, replacing):
            pairs.add(letters, variant)
    value = rng.normal(size=(31, len(DNA.symbols)))  # what a letter at a place counts

    def logits(codes):
        return value[np.arange(31), codes].sum(1, keepdims=True).astype(np.float32)

    def whole(pairs):
        return logits(pairs.sequences(DNA).buffer.reshape(-1, 31))

    swapped = np.full((2 * len(replacing.replaced), 1), np.nan, np.float32)
    for given, numbers in replacing.substitutions(DNA):
        both = logits(given.whole().buffer.reshape(-1, 31))
        swapped[-1 - 2 * numbers], swapped[-2 - 2 * numbers] = np.split(both, 2)
    found = replacing.means(np.concatenate([whole(replacing), swapped]))
    for one, other in zip(found, windows.means(whole(windows)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert replacing.windows(range(80)) == windows.windows(range(80))
    assert len(replacing.replaced) > 100 * shifts and len(replacing.slots) > 5
