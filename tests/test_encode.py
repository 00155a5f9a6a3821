"""Encoders: images against Alphabet probabilities and NumPy, both strands, configurations."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqcnn.alphabet import DNA, PAD, PROTEIN, RNA
from seqcnn.encode.encoder import Encoder, create
from seqcnn.encode.onehot import OneHot
from seqcnn.encode.pixels import Pixels
from seqcnn.errors import OptionError, ShapeError
from seqcnn.registry import names, resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences, encode, reverse_complement

#: Encoders whose settings cannot be read off the records alone; any other is made by its `fit`.
MAKE = {
    "onehot": lambda: OneHot("rna", "picture"),
    "pixels": lambda: Pixels(2, 3, 5, mean=[0.25, 0.5], std=[0.5, 0.25]),
}
LENGTHS = (1, 7, 90, 64, 33, 90)


def samples_for(kind):
    """Records of unequal length, as bytes or as numbers with a gap in them."""
    rng = np.random.default_rng(0)
    variables = kind.raw_shape[0] if kind.raw_shape else 1 if kind.files == "file" else 2
    if kind.files == "file":
        return Samples.from_arrays([rng.integers(0, 256, (variables, n), dtype=np.uint8) for n in LENGTHS])
    records = [rng.normal(size=(variables, n)).astype(np.float32) for n in LENGTHS]
    records[2][0, 5:8] = np.nan
    return Samples.from_arrays(records)


@pytest.mark.parametrize("name", names("encoder"))
def test_every_encoder_keeps_the_protocol(name):
    kind = resolve("encoder", name)
    if kind.raw_kind == "samples":
        records = samples_for(kind)
        encoder = kind.fit(records)
        raw, lengths = (torch.from_numpy(a) for a in records.rectangle())
    else:
        encoder = MAKE[name]()
        shape = (3, 17) if encoder.raw_kind == "codes" else (3, *encoder.raw_shape)
        raw = torch.from_numpy(np.random.default_rng(0).integers(0, 4, shape, dtype=np.uint8))
        lengths = torch.full((3,), 17)
    assert isinstance(encoder, Encoder)
    again = create(encoder.name, **json.loads(json.dumps(encoder.config())))
    assert again.config() == encoder.config()
    image, columns = encoder.image(raw, lengths)
    assert image.dtype == torch.float32
    assert image.isfinite().all()
    assert image.shape[:3] == (len(raw), encoder.channels, encoder.height)
    assert image.shape[3] == (encoder.width or image.shape[3])
    assert torch.equal(again.image(raw, lengths)[0], image)
    assert not encoder.state_dict()  # everything stands in the configuration
    assert encoder.cells(int(lengths.max())) == encoder.height * image.shape[3]
    if columns is not None:
        assert int(columns.max()) <= image.shape[3]
        for row, n in zip(image, columns.tolist(), strict=True):
            assert not row[..., n:].any()  # padding is nothing


@pytest.mark.parametrize("name", [n for n in names("encoder") if resolve("encoder", n).raw_kind == "samples"])
def test_a_record_gives_the_same_image_alone_and_beside_longer_ones(name):
    records = samples_for(resolve("encoder", name))
    encoder = resolve("encoder", name).fit(records)
    together, columns = encoder.image(*(torch.from_numpy(a) for a in records.rectangle()))
    for i in range(len(LENGTHS)):
        alone, _ = encoder.image(*(torch.from_numpy(a) for a in records.rectangle(np.array([i]))))
        width = alone.shape[-1] if columns is None else int(columns[i])
        torch.testing.assert_close(together[i, :, :, :width], alone[0, :, :, :width], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_an_image_holds_the_probabilities_of_each_letter(alphabet):
    text = alphabet.symbols
    codes = Sequences.from_codes([encode(text + text.lower(), alphabet), encode("A", alphabet)]).rectangle()[0]
    image = OneHot(alphabet.name)(torch.from_numpy(codes))
    assert image.shape == (2, alphabet.size, 1, 2 * len(text))
    expected = np.concatenate([alphabet.probabilities] * 2).T
    np.testing.assert_array_equal(image[0, :, 0].numpy(), expected)
    np.testing.assert_array_equal(image[1, :, 0, 0].numpy(), alphabet.probabilities[0])
    assert not image[1, :, :, 1:].any()  # padding is nothing
    picture = OneHot(alphabet.name, "picture")(torch.from_numpy(codes))
    assert torch.equal(picture, image.transpose(1, 2))


def test_letters_are_adjacent_in_memory():
    image = OneHot("dna")(torch.zeros(3, 17, dtype=torch.uint8))
    assert image.is_contiguous(memory_format=torch.channels_last)


@given(st.lists(st.text("ACGTRYKMSWBDHVNacgtn-", max_size=23), min_size=1, max_size=5))
def test_the_other_strand_is_the_reverse_complement_of_each_record(texts):
    sequences = Sequences.from_codes([encode(t, DNA) for t in texts])
    codes, lengths = sequences.rectangle(width=23)
    before = codes.copy()
    found = OneHot("dna").reverse_complement(torch.from_numpy(codes), torch.from_numpy(lengths)).numpy()
    for row, record in zip(found, sequences, strict=True):
        np.testing.assert_array_equal(row[: len(record)], reverse_complement(record, DNA))
        assert (row[len(record) :] == PAD).all()
    np.testing.assert_array_equal(codes, before)


def test_the_other_strand_without_lengths_turns_the_whole_rectangle():
    codes = torch.from_numpy(np.random.default_rng(0).integers(0, 16, (3, 17), dtype=np.uint8))
    found = OneHot("rna").reverse_complement(codes)
    np.testing.assert_array_equal(found.numpy(), reverse_complement(codes.numpy(), RNA))


def test_proteins_have_one_strand():
    with pytest.raises(OptionError, match="protein has no reverse complement"):
        OneHot("protein").reverse_complement(torch.zeros(1, 5, dtype=torch.uint8))


def test_codes_of_a_wrong_kind_are_refused():
    with pytest.raises(ShapeError, match=r"expected uint8 codes \(N, L\), found float32 \(3, 4, 17\)"):
        OneHot("dna")(torch.zeros(3, 4, 17))
    with pytest.raises(OptionError, match=r"unknown alphabet 'dan'.*did you mean 'dna'"):
        OneHot("dan")


def test_pixels_are_normalized_by_channel():
    raw = np.random.default_rng(0).integers(0, 256, (7, 3, 5, 4), dtype=np.uint8)
    raw[:, 2] = 9  # a flat channel
    encoder = Pixels.fit(raw)
    image = encoder(torch.from_numpy(raw)).numpy()
    scaled = raw[:, :2] / 255
    expected = (scaled - scaled.mean((0, 2, 3), keepdims=True)) / scaled.std((0, 2, 3), keepdims=True)
    np.testing.assert_allclose(image[:, :2], expected, atol=1e-5)
    np.testing.assert_allclose(image[:, 2], 0, atol=1e-6)


def test_pictures_of_another_size_are_refused():
    with pytest.raises(ShapeError, match=r"\(C, H, W\) = \(2, 3, 5\), found uint8 \(1, 2, 3, 6\)"):
        MAKE["pixels"]()(torch.zeros(1, 2, 3, 6, dtype=torch.uint8))
    with pytest.raises(OptionError, match="expected 2 means and 2 positive standard deviations"):
        Pixels(2, 3, 5, mean=[0.0, 0.0], std=[1.0, 0.0])
