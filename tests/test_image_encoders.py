"""Encoders that draw series as pictures, against pyts, scipy and direct loops."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.signal import stft

from seqcnn.encode.bytes import Bytes
from seqcnn.encode.gramian import Gadf, Gasf, Mtf, Recurrence
from seqcnn.encode.series import Series
from seqcnn.encode.spectrogram import RANGE, Spectrogram, mel_filters
from seqcnn.errors import OptionError
from seqcnn.registry import names, resolve
from seqcnn.samples import Samples

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state
LENGTHS = (40, 61, 150)
SIZES = (40, 17, 5)  # some divide a length, some do not
PICTURES = [n for n in names("encoder") if resolve("encoder", n).raw_kind == "samples"]


@pytest.fixture(autouse=True)
def _same_numbers():
    """Each test draws the same numbers, alone or after others."""
    RNG.bit_generator.state = START


def walks(n, length, variables=1):
    return RNG.normal(size=(n, variables, length)).cumsum(-1).astype(np.float32)


def image(encoder, raw, lengths=None):
    """The image of NumPy samples, as NumPy."""
    lengths = None if lengths is None else torch.tensor(lengths)
    return encoder(torch.from_numpy(np.asarray(raw)), lengths).numpy()


def segments(x, size):
    """Means of segments that begin at floor(k T / size), the direct way; a short series repeats values."""
    edges = [k * len(x) // size for k in range(size + 1)]
    return np.array([np.mean(x[a:b]) if b > a else x[a] for a, b in pairwise(edges)])


def unit(x):
    """A series mapped to 0..1."""
    return (x - x.min()) / (x.max() - x.min())


@pytest.fixture(scope="module")
def pyts():
    """The pictures of pyts, as plain Python: its loops take twenty seconds to compile and none to run."""
    import numba

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "DISABLE_JIT", True)
        return pytest.importorskip("pyts.image", reason="pyts is a development package")


# --- Gramian angular fields, transition fields, recurrence plots ------------------------------------------------------


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind, method", [(Gadf, "difference"), (Gasf, "summation")])
@pytest.mark.parametrize("low", [-1, 0])
def test_angular_fields_are_those_of_pyts(kind, method, low, size, length, pyts):
    raw = walks(4, length)
    wanted = pyts.GramianAngularField(size, sample_range=(low, 1), method=method).fit_transform(raw[:, 0])
    found = image(kind(1, size, low=low), raw)
    assert found.dtype == np.float32 and found.shape == (4, 1, size, size)
    np.testing.assert_allclose(found[:, 0], wanted, atol=1e-5)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("levels", [5, 8])
def test_transition_fields_are_those_of_pyts(size, length, levels, pyts):
    raw = walks(4, length)
    wanted = pyts.MarkovTransitionField(size, n_bins=levels).fit_transform(raw[:, 0])
    np.testing.assert_allclose(image(Mtf(1, size, levels=levels), raw)[:, 0], wanted, atol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_recurrence_plots_are_those_of_pyts(size, pyts):
    raw = walks(4, 61)
    reduced = np.stack([unit(segments(x, size)) for x in raw[:, 0].astype(float)])
    np.testing.assert_allclose(
        image(Recurrence(1, size), raw)[:, 0], pyts.RecurrencePlot().fit_transform(reduced), atol=1e-5
    )


def test_a_field_by_hand():
    x = np.array([0.0, 3.0, 1.0, 2.0, 7.0, 5.0, 4.0])
    a = np.arccos(2 * unit(segments(x, 3)) - 1)
    found = image(Gadf(1, 3), x[None, None])[0, 0]
    np.testing.assert_allclose(found, np.sin(a[:, None] - a), atol=1e-6)
    np.testing.assert_allclose(image(Gasf(1, 3), x[None, None])[0, 0], np.cos(a[:, None] + a), atol=1e-6)


@pytest.mark.parametrize("kind", [Gadf, Gasf, Mtf, Recurrence])
def test_variables_are_channels_of_their_own(kind):
    raw = walks(3, 33, variables=4)
    found = image(kind(4, 11), raw)
    assert found.shape == (3, 4, 11, 11)
    for v in range(4):
        np.testing.assert_allclose(found[:, v], image(kind(1, 11), raw[:, v : v + 1])[:, 0], atol=1e-6)


@pytest.mark.parametrize("kind", [Gadf, Gasf, Mtf, Recurrence])
@pytest.mark.parametrize("size", [24, 7])
def test_padding_is_no_part_of_a_series(kind, size):
    records = [walks(1, n)[0] for n in (50, 24, 9, 31, 2)]
    raw, lengths = Samples.from_arrays(records).rectangle()
    found = image(kind(1, size), raw, lengths)
    for row, record in zip(found, records, strict=True):
        np.testing.assert_allclose(row, image(kind(1, size), record[None])[0], atol=1e-5)


def test_a_series_shorter_than_the_picture_repeats_values():
    x = np.array([1.0, 4.0, 2.0])
    spread = x[[0, 0, 0, 1, 1, 2, 2]]  # value floor(3 k / 7)
    np.testing.assert_allclose(image(Gadf(1, 7), x[None, None]), image(Gadf(1, 7), spread[None, None]), atol=1e-6)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("value", [0.0, 1.0, -3e-8, 7e9])
def test_a_constant_series_gives_finite_numbers(name, value):
    kind = resolve("encoder", name)
    raw = Samples.from_arrays([np.full((kind.raw_shape or (1,))[0:1] + (n,), value, np.float32) for n in (33, 9, 1)])
    encoder = kind.fit(raw)
    found = image(encoder, *raw.rectangle())
    assert np.isfinite(found).all()
    if name in ("gadf", "recurrence", "series"):
        np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.parametrize("kind", [Gadf, Gasf, Mtf, Recurrence])
def test_level_and_size_of_a_series_do_not_matter(kind):
    raw = walks(3, 61)
    np.testing.assert_allclose(image(kind(1, 17), raw), image(kind(1, 17), 3 * raw - 50), atol=1e-3)


def test_missing_values_are_interpolated_before_a_picture_is_drawn():
    gap = np.array([[[np.nan, 2.0, 4.0, np.nan, np.nan, 10.0, 3.0, np.nan]]], np.float32)
    whole = np.array([[[2.0, 2.0, 4.0, 6.0, 8.0, 10.0, 3.0, 3.0]]], np.float32)
    for kind in (Gadf, Gasf, Mtf, Recurrence):
        np.testing.assert_allclose(image(kind(1, 4), gap), image(kind(1, 4), whole), atol=1e-6)


@pytest.mark.parametrize("low", [-1, 0])
@pytest.mark.parametrize("leading", [None, 0.0])
def test_a_summation_field_is_inverted(low, leading):
    x = torch.from_numpy(RNG.uniform(low, 1, (3, 2, 13)))
    if leading is not None:
        x[..., 0] = leading  # the sign is told by the first value that is not 0
    x[..., 4] = 1.0
    encoder = Gasf(2, 13, low=low)
    back = encoder.invert(encoder.field(x, (1 - x**2).sqrt()))
    sign = torch.sign(x[..., 1 if leading == 0 else 0])[..., None] if low else 1
    torch.testing.assert_close(back, x * sign, atol=1e-6, rtol=0)


def test_ranges_and_sizes_that_do_not_exist_are_refused():
    with pytest.raises(OptionError, match=r"Gadf: expected a range of -1..1 or 0..1, found 0..2"):
        Gadf(1, 9, low=0, high=2)
    with pytest.raises(OptionError, match="size: expected .* found 1"):
        Gasf(1, 1)
    with pytest.raises(OptionError, match="levels: expected .* found 1"):
        Mtf(1, 9, levels=1)


def test_a_picture_is_as_large_as_the_longest_series_up_to_a_limit():
    for length, size in ((31, 31), (500, 48), (1, 2)):
        assert Gadf.fit(Samples.from_arrays([np.zeros(length), np.zeros(1)])).height == size
    assert Gadf.fit(Samples.from_arrays([np.zeros(9)]), size=20).width == 20


# --- series -----------------------------------------------------------------------------------------------------------


def test_series_are_normalized_by_record_or_by_set():
    records = [RNG.normal(5, 3, (2, n)).astype(np.float32) for n in (17, 9, 30)]
    records[1][1] = 4.0  # constant
    raw = Samples.from_arrays(records)
    both = np.concatenate(records, 1)
    for name, scale in (
        ("record", lambda r: (r.mean(1, keepdims=True), r.std(1, keepdims=True))),
        ("set", lambda r: (both.mean(1, keepdims=True), both.std(1, keepdims=True))),
        ("none", lambda r: (0, np.ones((2, 1)))),
    ):
        found = image(Series.fit(raw, normalize=name), *raw.rectangle())
        for row, record in zip(found, records, strict=True):
            mean, std = scale(record)
            wanted = (record - mean) / np.where(std == 0, 1, std)
            np.testing.assert_allclose(row[:, 0, : record.shape[1]], wanted, atol=2e-5, err_msg=name)
            assert not row[:, 0, record.shape[1] :].any()


# --- spectrograms -----------------------------------------------------------------------------------------------------


def decibels(power):
    """Power as a picture: the loudest cell of a record is 1, what is 80 dB below it or quieter -1."""
    return 2 * (10 * np.log10(np.maximum(power / power.max(), 10 ** (-RANGE / 10)))) / RANGE + 1


def mels(bands, size, rate):
    """Triangles of height 1 between frequencies equally far apart in mels, by loops."""
    to_mel, to_hertz = (lambda f: 1127 * np.log(1 + f / 700)), (lambda m: 700 * (np.exp(m / 1127) - 1))
    edges = [to_hertz(m) for m in np.linspace(to_mel(20), to_mel(rate / 2), bands + 2)]
    found = np.zeros((bands, size // 2 + 1))
    for b in range(bands):
        for k in range(size // 2 + 1):
            f = k * rate / size
            if edges[b] <= f <= edges[b + 1]:
                found[b, k] = (f - edges[b]) / (edges[b + 1] - edges[b])
            elif edges[b + 1] <= f <= edges[b + 2]:
                found[b, k] = (edges[b + 2] - f) / (edges[b + 2] - edges[b + 1])
    return found


@pytest.mark.parametrize("window, hop", [(64, 16), (64, 23), (50, 25), (200, 80)])
@pytest.mark.parametrize("bands", [0, 9])
def test_a_spectrogram_is_the_power_of_scipys_transform(window, hop, bands):
    raw = RNG.normal(size=(3, 2, 701)).astype(np.float32)
    encoder = Spectrogram(2, window=window, hop=hop, bands=bands, rate=8000)
    size = 1 << (window - 1).bit_length()
    centered = raw.astype(float) - raw.mean(-1, keepdims=True)
    _, _, parts = stft(centered, nperseg=window, noverlap=window - hop, nfft=size, boundary="zeros", padded=True)
    power = np.abs(parts) ** 2
    filters = mels(bands, size, 8000.0) if bands else np.eye(size // 2 + 1)
    found = image(encoder, raw)
    assert found.shape == (3, 2, len(filters), 701 // hop + 1)
    wanted = [decibels(filters @ p)[..., : found.shape[-1]] for p in power]
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_mel_filters_are_triangles_and_never_empty():
    np.testing.assert_allclose(mel_filters(9, 256, 8000.0), mels(9, 256, 8000.0), atol=1e-6)
    many = mel_filters(60, 64, 8000.0)  # more bands than frequencies in places
    assert (many.sum(1) > 0).all() and many.max() <= 1


def test_a_tone_stands_in_the_row_of_its_frequency():
    time = np.arange(4000) / 8000
    for hertz in (250, 1000, 3000):
        found = image(Spectrogram(1, window=256, hop=80, rate=8000), np.sin(2 * np.pi * hertz * time)[None, None])
        assert found[0, 0, :, 20].argmax() == hertz * 256 // 8000


def test_loudness_level_and_padding_do_not_show_in_a_spectrogram():
    records = [RNG.normal(size=(1, n)).astype(np.float32) for n in (700, 333, 60)]
    raw, lengths = Samples.from_arrays(records).rectangle()
    encoder = Spectrogram(1, window=64, hop=16, bands=8, rate=8000)
    found, columns = encoder.image(torch.from_numpy(raw), torch.from_numpy(lengths))
    assert columns.tolist() == [44, 21, 4]
    for row, record, n in zip(found.numpy(), records, columns.tolist(), strict=True):
        np.testing.assert_allclose(row[..., :n], image(encoder, record[None] * 0.01 + 5)[0], atol=2e-2)
        assert not row[..., n:].any()


def test_silence_is_finite():
    assert np.isfinite(image(Spectrogram(1, window=64, hop=16, rate=8000), np.zeros((2, 1, 300), np.float32))).all()


def test_windows_suit_the_rate_or_else_the_length():
    raw = Samples.from_arrays([np.zeros((1, 800)), np.zeros((1, 90))])
    found = Spectrogram.fit(raw, rate=16000)
    assert (found.window, found.hop, found.bands) == (400, 160, 40)
    plain = Spectrogram.fit(raw)
    assert plain.bands == 0 and int(plain.columns(torch.tensor([800]))) >= 32
    assert Spectrogram.fit(raw, rate=8000, size=13).height == 13
    assert Spectrogram.fit(Samples.from_arrays([np.zeros((1, 3))])).window == 16


# --- bytes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 5, 24, 25, 26, 251])
def test_bytes_are_means_of_equal_pieces_row_by_row(length):
    data = RNG.integers(0, 256, length, dtype=np.uint8)
    found = image(Bytes(5), data[None, None])
    wanted = segments(data.astype(float), 25).reshape(5, 5) / 127.5 - 1
    np.testing.assert_allclose(found[0, 0], wanted, atol=1e-5)


def test_zeros_at_the_end_of_a_file_are_bytes_and_padding_is_none():
    records = [np.array([255, 0, 0, 0], np.uint8), RNG.integers(0, 256, 9, dtype=np.uint8)]
    raw, lengths = Samples.from_arrays(records).rectangle()
    found = image(Bytes(2), raw, lengths)
    assert found[0, 0].tolist() == [[1, -1], [-1, -1]]
    np.testing.assert_allclose(found[1], image(Bytes(2), records[1][None, None])[0], atol=1e-6)
    with pytest.raises(OptionError, match="bytes: expected one value at a time, found 3"):
        Bytes.fit(Samples.from_arrays([np.zeros((3, 4))]))
