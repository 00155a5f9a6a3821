"""Tests of what a student takes over from its teachers: the best one's company, and the filters that matter to any."""

import numpy as np
import pytest
import torch

from seqcnn.encode.onehot import OneHot
from seqcnn.networks.motif import Motif
from seqcnn.reporting.recipe import _first_layer
from seqcnn.sequence import Sequences
from seqcnn.training.inheritance import FEWEST, filter_effects, inherit


def records(n: int = 50, seed: int = 0) -> Sequences:
    rng = np.random.default_rng(seed)
    return Sequences.from_codes(
        [rng.integers(0, 4, int(length)).astype(np.uint8) for length in rng.integers(60, 90, n)]
    )


def grown(seed: int, **options: object) -> Motif:
    torch.manual_seed(seed)
    network = Motif(in_channels=4, outputs=2, **options)  # type: ignore[arg-type]
    for name, value in network.named_parameters():
        if "norm" in name:
            torch.nn.init.uniform_(value, 0.2, 1.0)
    for name, buffer in network.named_buffers():
        if "running" in name:
            buffer.uniform_(0.5, 1.5)
    return network.eval()


@pytest.mark.parametrize("options", [{"filters": 12}, {"filters": 12, "positions": True, "width": 90}])
def test_a_network_with_all_its_own_filters_in_another_order_answers_as_before(options: dict[str, object]) -> None:
    network = grown(0, **options)
    order = np.random.default_rng(0).permutation(12)
    again = network.regrown([(network, int(f)) for f in order]).eval()
    x = torch.randn(3, 4, 1, 90)
    assert again.config == network.config
    torch.testing.assert_close(again(x), network(x))


def test_filters_of_others_come_with_their_norm_and_are_heard_softly() -> None:
    network, other = grown(0, filters=12), grown(1, filters=12)
    x = torch.randn(3, 4, 1, 90)
    again = network.regrown([*((network, f) for f in range(12)), (other, 3), (other, 7)]).eval()
    torch.testing.assert_close(again.first(x, None)[:, :12], network.first(x, None))
    torch.testing.assert_close(again.first(x, None)[:, 12:], other.first(x, None)[:, [3, 7]])
    own, theirs = again.context.weight[:, :12].std(), again.context.weight[:, 12:].std()
    assert 0 < theirs < 0.5 * own


def test_the_effect_of_a_filter_is_that_of_silencing_it() -> None:
    torch.manual_seed(0)
    network = grown(0, filters=10)
    with torch.no_grad():
        network.context.weight[:, 4] = 0
        network.context.weight *= 1e-3 ** (torch.arange(10) == 6).float()[:, None, None]
    raw, encoder = records(), OneHot("dna")
    effects = filter_effects(network, encoder, raw)
    assert effects[4] == 0 and effects[6] < 0.02 * effects.max()
    codes, lengths = raw.rectangle()
    x, columns = network.prepare(*encoder.image(torch.from_numpy(codes), torch.from_numpy(lengths)))
    with torch.no_grad():
        maps = network.first(x, columns)
        whole, silenced = network.forward_with_filters(maps, columns), []
        for f in range(10):
            without = maps.clone()  # a step towards silence: the effect is of first order
            without[:, f] += 0.05 * (maps[:, f].mean() - maps[:, f])
            moved = whole - network.forward_with_filters(without, columns)
            silenced.append(moved.var(0, correction=0).sum().sqrt() / 0.05)
    measured = torch.stack(silenced)
    assert np.corrcoef(measured, effects)[0, 1] > 0.95


def test_only_filters_that_matter_are_inherited_the_best_ones_first() -> None:
    networks = [grown(i, filters=40) for i in range(3)]
    with torch.no_grad():
        for network, some in zip(networks, (4, 9, 7), strict=True):
            network.context.weight[:, some:] = 0
    student = inherit(networks, 1, OneHot("dna"), records())
    assert student.filters.out_channels == max(FEWEST, 20)
    own = networks[1].filters.weight[:9]
    assert {tuple(w.flatten().tolist()) for w in student.filters.weight[:9]} == {
        tuple(w.flatten().tolist()) for w in own
    }
    written = {tuple(w.flatten().tolist()) for network in networks for w in network.filters.weight}
    taken = [tuple(w.flatten().tolist()) for w in student.filters.weight]
    assert len(taken) == 20 and written.issuperset(taken)


def test_a_network_that_ignores_its_filters_still_has_a_student() -> None:
    networks = [grown(i, filters=24) for i in range(2)]
    with torch.no_grad():
        for network in networks:
            network.context.weight.zero_()
    assert inherit(networks, 0, OneHot("dna"), records()).filters.out_channels == FEWEST


@pytest.mark.parametrize(("seeded", "words"), [([2, 2], "with 2 motifs"), ([1, 3], "with 1 to 3 motifs"), ([0, 0], "")])
def test_the_report_says_where_the_filters_come_from(seeded: list[int], words: str) -> None:
    told = {"inherited_filters": 16, "inherited_moved": [0.1, 0.4, 0.2], "seeded_motifs": seeded}
    text = _first_layer(told)
    assert "started as the 16 filters" in text and text.endswith(
        "moved them by 0.20 (median of 1 - cosine; at most 0.40)."
    )
    assert words in text and ("enriched" in text) == any(seeded)
