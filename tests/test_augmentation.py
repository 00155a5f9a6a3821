"""Tests of augmentation: what each change may do to a batch, and a contract over the registry."""

from pathlib import Path

import numpy as np
import pytest
import torch

import seqcnn
from seqcnn.alphabet import DNA, PAD
from seqcnn.data.augmentation.augmentation import make
from seqcnn.data.augmentation.codes import ReverseComplement
from seqcnn.data.augmentation.mixing import cut_mix, mix_up
from seqcnn.data.augmentation.shift import Shift
from seqcnn.data.batches import rectangle, shuffled_batches
from seqcnn.encode.gramian import Gadf
from seqcnn.encode.onehot import OneHot
from seqcnn.encode.pixels import Pixels
from seqcnn.encode.series import Series
from seqcnn.encode.spectrogram import Spectrogram
from seqcnn.encode.trajectory import Trajectory
from seqcnn.errors import OptionError, SeqcnnError
from seqcnn.plot.contact import contact_sheet
from seqcnn.registry import names, resolve
from seqcnn.samples import Samples
from seqcnn.sequence import Sequences, reverse_complement

DATA = Path(__file__).parents[1] / "data"
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
    change = ReverseComplement(1.0, encoder=OneHot("dna"))
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
        out, left = Shift(0.5, encoder=OneHot("dna"), shortest=7)(codes, lengths, generator(seed))
        start = codes.shape[1] - out.shape[1]
        seen.add(start)
        assert (left == lengths - start).all()
        assert torch.equal(out, codes[:, start:])
    assert seen == {0, 1, 2}


def test_pixels_move_and_edges_are_repeated():
    encoder = Pixels(3, 7, 9, mean=[0] * 3, std=[1] * 3)
    out, _ = Shift(1.0, encoder=encoder)(PIXELS, torch.full((5,), 9), generator(3))
    wide = torch.nn.functional.pad(PIXELS.float(), (1, 1, 1, 1), mode="replicate").byte()
    for i in range(5):
        views = [wide[i, :, r : r + 7, c : c + 9] for r in range(3) for c in range(3)]
        assert any(torch.equal(out[i], view) for view in views)


ENCODERS = {
    "codes": OneHot("dna"),
    "samples": Series(2, normalize="none"),
    "pixels": Pixels(3, 24, 20, mean=[0] * 3, std=[1] * 3),
}


def raw_of(kind):
    """A raw batch of 64 records, of unequal lengths where they may be, and the lengths."""
    rng = np.random.default_rng(2)
    if kind == "pixels":
        pictures = torch.from_numpy(rng.integers(1, 256, (64, 3, 24, 20), dtype=np.uint8))
        return pictures, torch.full((64,), 20)
    lengths = rng.integers(30, 61, 64)
    lengths[0] = 60
    if kind == "codes":
        codes, n = Sequences.from_codes([rng.integers(0, 4, n, dtype=np.uint8) for n in lengths]).rectangle()
        return torch.from_numpy(codes), torch.from_numpy(n)
    series = [rng.normal(size=(2, n)).astype(np.float32).cumsum(1) for n in lengths]
    series[3][1, 4:9] = np.nan
    values, n = Samples.from_arrays(series).rectangle()
    return torch.from_numpy(values), torch.from_numpy(n)


CASES = [(name, kind) for name in names("augmentation") for kind in resolve("augmentation", name).kinds]


@pytest.mark.parametrize("name, kind", CASES)
def test_every_augmentation_keeps_its_input_and_follows_the_generator(name, kind):
    change = make(name, 0.7, encoder=ENCODERS[kind], shortest=20)
    raw, lengths = raw_of(kind)
    before = raw.clone(), lengths.clone()
    state = torch.get_rng_state()
    one, two = change(raw, lengths, generator(1)), change(raw, lengths, generator(1))
    other = change(raw, lengths, generator(2))
    torch.testing.assert_close(one, two, rtol=0, atol=0, equal_nan=True)
    torch.testing.assert_close((raw, lengths), before, rtol=0, atol=0, equal_nan=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert one[0].shape[0] == 64 and one[0].dim() == raw.dim() and int(one[1].min()) >= 20
    assert one[0].dtype in (raw.dtype, torch.float32)
    assert not (one[0].shape == other[0].shape and torch.equal(torch.nan_to_num(one[0]), torch.nan_to_num(other[0])))
    image = ENCODERS[kind].image(*one)[0]  # the encoder reads what comes out, and it is finite
    assert torch.isfinite(image).all() and len(image) == 64
    if kind == "samples":
        place = torch.arange(one[0].shape[-1])
        assert not torch.isfinite(one[0])[(place >= one[1][:, None])[:, None].expand(one[0].shape)].any()
    if kind == "pixels":
        assert float(one[0].float().min()) > -260 and float(one[0].float().max()) < 520


@pytest.mark.parametrize("name, kind", CASES)
def test_strength_zero_changes_nothing(name, kind):
    raw, lengths = raw_of(kind)
    out, left = make(name, 0.0, encoder=ENCODERS[kind])(raw, lengths, generator(4))
    torch.testing.assert_close(out.float(), raw.float(), rtol=1e-5, atol=1e-4, equal_nan=True)
    assert torch.equal(left, lengths)


def stripes(raw, lengths, generator, strength):
    """An augmentation of one's own."""
    return torch.where(torch.arange(raw.shape[-1]) % 2 == 0, raw, 0), lengths


def test_a_function_of_ones_own_plugs_in_by_name():
    raw, lengths = raw_of("pixels")
    out, _ = make(f"{__name__}:stripes", 0.5, encoder=ENCODERS["pixels"])(raw, lengths, generator())
    assert (out[..., 1::2] == 0).all() and torch.equal(out[..., ::2], raw[..., ::2])
    with pytest.raises(OptionError, match="--augment no.such:thing: cannot be imported"):
        make("no.such:thing", 0.5, encoder=ENCODERS["pixels"])
    with pytest.raises(OptionError, match="--augment warp: belongs to samples; these records take shift, flip"):
        make("warp", 0.5, encoder=ENCODERS["pixels"])
    with pytest.raises(OptionError, match="unknown augmentation 'flop'.*did you mean 'flip'"):
        make("flop", 0.5, encoder=ENCODERS["pixels"])


def test_mutations_are_as_many_as_the_strength_says():
    raw, lengths = raw_of("codes")
    out, _ = make("mutation", 1.0, encoder=ENCODERS["codes"])(raw.repeat(20, 1), lengths.repeat(20), generator())
    plain = raw.repeat(20, 1) < 4
    assert 0.06 < (out != raw.repeat(20, 1))[plain].float().mean() < 0.09  # a quarter of one in ten stays the same
    assert torch.equal(out[~plain], raw.repeat(20, 1)[~plain])


@pytest.mark.parametrize("mix", [mix_up, cut_mix])
@pytest.mark.parametrize("shape", [(40, 3, 8, 12), (40, 4, 1, 30)])
def test_mixed_images_hold_as_much_of_each_as_they_say(mix, shape):
    record = torch.arange(40.0).view(-1, 1, 1, 1).expand(shape)
    mixed = mix(record, None, 1.0, generator(5))
    own, partner = torch.arange(40.0), mixed.partner.float()
    expected = own * mixed.share + partner * (1 - mixed.share)
    torch.testing.assert_close(mixed.image.mean((1, 2, 3)), expected, rtol=1e-4, atol=1e-3)
    assert (mixed.share >= 0).all() and (mixed.share <= 1).all() and mixed.share.std() > 0.1


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


def test_a_batch_is_a_rectangle_with_lengths():
    raw, lengths = rectangle(CODES, np.array([2, 0]))
    assert raw.shape == (2, 17) and lengths.tolist() == [9, 17]
    assert (raw[0, 9:] == PAD).all()
    assert torch.equal(rectangle(PIXELS.numpy(), np.array([1, 2]))[0], PIXELS[1:3])
    deep, _ = rectangle(PIXELS.numpy().astype(np.uint16) * 257, np.array([4]))
    assert deep.dtype == torch.float32 and torch.equal(deep, PIXELS[4:].float() * 257)


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        (["shapes"], {"augment": ("rotate", "flip"), "mixup": 0.4, "cutmix": 1.0}),
        (["pos.fa", "neg.fa"], {}),
    ],
    ids=["pictures", "sequences"],
)
def test_a_contact_sheet_shows_records_and_their_copies(inputs, options, tmp_path):
    matplotlib_image = pytest.importorskip("matplotlib.image")
    if "augment" in options:
        pytest.importorskip("kornia")
    path = tmp_path / "sheet.png"
    data = seqcnn.read([DATA / name for name in inputs])
    seqcnn.train(data, **options, show_augmented=path, epochs=1, folds=0, baselines=False, progress=False)
    sheet = matplotlib_image.imread(path)[..., :3]
    rows = (sheet < 0.5).any(2).any(1)
    assert rows.sum() > 100
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]


def test_a_contact_sheet_of_series_keeps_each_records_length():
    given = np.random.default_rng(0).normal(size=(2, 1, 9)), np.array([9, 4])
    fig = contact_sheet([given, given], ids=["a", "b"], title="jitter")
    assert [len(ax.lines[0].get_xdata()) for ax in fig.axes] == [9, 9, 4, 4]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"show_augmented": "sheet.gif"}, "sheet.gif: expected a name that ends in .png"),
        ({"show_augmented": "none/sheet.png"}, "none"),
        ({"show_augmented": "sheet.png", "augment": ("none",)}, "nothing is changed in training"),
        ({"show_augmented": "sheet.png", "network": "rocket"}, "the rocket network is fitted at once"),
    ],
)
def test_a_contact_sheet_that_cannot_be_drawn_is_refused_before_training(options, said, tmp_path):
    path = tmp_path / options.pop("show_augmented")
    with pytest.raises(SeqcnnError, match=said):
        seqcnn.train(seqcnn.read(DATA / "shapes"), show_augmented=path, progress=False, **options)
    assert not list(tmp_path.iterdir())


def test_random_changes_make_auto_choose_a_network_that_is_trained_in_steps():
    data = seqcnn.read(DATA / "shapes")
    quick = {"epochs": 1, "folds": 0, "baselines": False, "progress": False}
    assert seqcnn.train(data, augment=("shift",), **quick).record.options["network"] == "residual"
    assert seqcnn.train(data, **quick).record.options["network"] == "rocket"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *given: 1 / 0, "failed with ZeroDivisionError.*expected function"),
        (lambda raw, lengths, generator, strength: raw, "returned Tensor; expected function"),
        (lambda raw, lengths, generator, strength: (raw[:3], lengths), "keep the records"),
        (lambda raw: (raw, raw), "failed with TypeError"),
    ],
)
def test_a_function_of_ones_own_that_fails_is_named(function, said):
    with pytest.raises(OptionError, match=f"--augment <lambda>: .*{said}"):
        make(function, 0.5, encoder=ENCODERS["pixels"])(*raw_of("pixels"), generator())


def test_functions_in_the_current_folder_and_functions_themselves_are_taken(tmp_path, monkeypatch):
    (tmp_path / "my_changes.py").write_text("def same(raw, lengths, generator, strength):\n    return raw, lengths\n")
    monkeypatch.chdir(tmp_path)
    for name in ("my_changes:same", stripes):
        assert make(name, 0.5, encoder=ENCODERS["pixels"])(*raw_of("pixels"), generator())[0].shape[0] == 64
    model = seqcnn.train(
        seqcnn.read(DATA / "shapes"), augment=stripes, epochs=1, folds=0, baselines=False, progress=False
    )
    assert model.record.options["augment"] == ["stripes"]


@pytest.mark.parametrize("encoder", [Series(2), Gadf(2), Spectrogram(1, window=8, hop=4)], ids=lambda e: e.name)
def test_scaling_is_refused_where_it_changes_nothing(encoder):
    raw = torch.randn(3, encoder.raw_shape[0], 40)
    torch.testing.assert_close(encoder(raw), encoder(1.7 * raw), atol=1e-4, rtol=1e-4)
    with pytest.raises(OptionError, match="--augment scaling: changes nothing"):
        make("scaling", 0.5, encoder=encoder)


@pytest.mark.parametrize("name", ["jitter", "scaling"])
def test_time_and_clicks_of_a_trajectory_are_no_amounts(name):
    raw = torch.randn(5, 4, 30)
    changed, _ = make(name, 1.0, encoder=Trajectory())(raw, torch.full((5,), 30), generator())
    assert torch.equal(changed[:, [0, 3]], raw[:, [0, 3]])
    assert (changed[:, 1:3] != raw[:, 1:3]).any(2).all()


def test_cut_mix_counts_real_columns_only():
    image, columns = torch.zeros(40, 1, 1, 100), torch.tensor([20, 60] * 20)
    image[:, :, :, :] = torch.arange(40.0).view(-1, 1, 1, 1)
    mixed = cut_mix(image, columns, 1.0, generator())
    for i in range(40):
        real = mixed.image[i, 0, 0, : mixed.columns[i]]
        assert (
            float(mixed.share[i]) == pytest.approx(float((real == i).float().mean()), abs=1e-6) or i == mixed.partner[i]
        )


@pytest.mark.parametrize("size", [1e-3, 1e4])
def test_noise_on_float_pictures_follows_their_own_scale(size):
    pytest.importorskip("kornia")
    raw = torch.rand(8, 1, 20, 20) * size
    encoder = Pixels(1, 20, 20, depth="float32", mean=[0.5 * size], std=[0.3 * size])
    changed, _ = make("noise", 0.5, encoder=encoder)(raw, torch.full((8,), 20), generator())
    assert 0.05 * size < float((changed - raw).std()) < 0.5 * size
