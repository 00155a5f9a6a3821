"""Tests of augmentation: what each change may do to a batch, and a contract over the registry."""

import inspect

import numpy as np
import pytest
import torch

from seqcnn.alphabet import DNA, PAD
from seqcnn.data.augmentation import PixelShift, ReverseComplement, Shift
from seqcnn.data.batches import batches, load_batch, shuffled_batches
from seqcnn.encode.onehot import OneHot
from seqcnn.registry import names, resolve
from seqcnn.sequence import Sequences, reverse_complement

LENGTHS = np.array([17, 11, 9])
CODES = Sequences.from_codes(
    [np.random.default_rng(i).integers(0, 4, n, dtype=np.uint8) for i, n in enumerate(LENGTHS)]
)
PIXELS = torch.from_numpy(np.random.default_rng(0).integers(1, 256, (5, 3, 7, 9), dtype=np.uint8))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch():
    codes, lengths = CODES.rectangle()
    return torch.from_numpy(codes), torch.from_numpy(lengths)


def test_either_strand_about_half_the_time_padding_at_the_end():
    change = ReverseComplement(OneHot("dna"))
    codes, lengths = batch()
    turned = 0
    for seed in range(60):
        out, same = change(codes, lengths, generator(seed))
        assert same is lengths
        for i, n in enumerate(LENGTHS):
            given, other = CODES[i], reverse_complement(CODES[i], DNA)
            found = out[i, :n].numpy()
            turned += bool((found == other).all())
            assert (found == given).all() or (found == other).all()
            assert (out[i, n:] == PAD).all()
    assert 60 < turned < 120


def test_shift_drops_leading_letters_and_keeps_the_shortest():
    codes, lengths = batch()
    seen = set()
    for seed in range(40):
        out, left = Shift(3, shortest=7)(codes, lengths, generator(seed))
        start = codes.shape[1] - out.shape[1]
        seen.add(start)
        assert (left == lengths - start).all()
        assert torch.equal(out, codes[:, start:])
    assert seen == {0, 1, 2}


def test_pixels_move_and_zeros_move_in():
    out, _ = PixelShift(2)(PIXELS, torch.full((5,), 9), generator(3))
    wide = torch.nn.functional.pad(PIXELS, (2, 2, 2, 2))
    for i in range(5):
        views = [wide[i, :, r : r + 7, c : c + 9] for r in range(5) for c in range(5)]
        assert any(torch.equal(out[i], view) for view in views)


@pytest.mark.parametrize("name", names("augmentation"))
def test_every_augmentation_keeps_its_input_and_follows_the_generator(name):
    kind = resolve("augmentation", name)
    first = next(iter(inspect.signature(kind).parameters))
    change = kind(OneHot("dna") if first == "encoder" else 2)
    raw, lengths = (PIXELS, torch.full((5,), 9)) if name == "jitter" else batch()
    before = raw.clone(), lengths.clone()
    state = torch.get_rng_state()
    one, two = change(raw, lengths, generator(1)), change(raw, lengths, generator(1))
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    assert torch.equal(raw, before[0]) and torch.equal(lengths, before[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert one[0].dtype == torch.uint8 and len(one[0]) == len(raw)


def test_batches_hold_every_record_once_but_for_a_remainder():
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 90, 203)
    order = shuffled_batches(lengths, np.arange(3, 203), 13, rng=rng)
    flat = np.concatenate(order)
    assert {len(b) for b in order} == {13} and len(flat) == len(set(flat.tolist())) == 195
    assert flat.min() >= 3
    padded = sum(len(b) * lengths[b].max() for b in order)
    assert padded < 1.25 * lengths[flat].sum()


def test_fewer_records_than_a_batch_make_one_batch():
    assert [len(b) for b in shuffled_batches(np.full(9, 4), np.arange(5), 64, rng=np.random.default_rng(0))] == [5]


def test_a_batch_is_a_rectangle_with_lengths_and_targets():
    targets = np.arange(6, dtype=np.float32).reshape(3, 2)
    raw, lengths, y = load_batch(CODES, targets, np.array([2, 0]))
    assert raw.shape == (2, 17) and lengths.tolist() == [9, 17] and y.tolist() == [[4, 5], [0, 1]]
    assert (raw[0, 9:] == PAD).all()
    both = list(batches(PIXELS.numpy(), np.zeros((5, 1), np.float32), [np.array([4]), np.array([1, 2])]))
    assert torch.equal(both[1][0], PIXELS[1:3])
