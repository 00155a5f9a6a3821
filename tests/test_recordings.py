"""Tests of recordings: every width of sample, faults named, folders of mixed rates and channels brought together."""

import struct
import wave

import numpy as np
import pytest
from scipy.io import wavfile
from scipy.signal import resample_poly

from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.io.recordings import is_recording, read_recording, remixed, resampled
from seqcnn.options import DataOptions
from seqcnn.workflow.read import read

RNG = np.random.default_rng(0)
WIDE = RNG.uniform(-1, 1, (37, 2))


def integers(bits):
    """Values of so many bits that reach both ends of the scale, ``(37, 2)``."""
    scale = 2 ** (bits - 1)
    values = np.round(WIDE * (scale - 1)).astype(np.int64)
    values[5], values[9] = [-scale, scale - 1], 0
    return values


def save_pcm(path, values, *, bits, rate=8000):
    """Write whole numbers ``(T, channels)`` as a wav file by the standard library."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(values.shape[1])
        out.setsampwidth(bits // 8)
        out.setframerate(rate)
        shifted = values + 128 if bits == 8 else values
        little = shifted.astype("<i8").reshape(-1, 1).view(np.uint8)[:, : bits // 8]
        out.writeframes(little.tobytes())
    return path


def save(path, samples, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, samples)
    return path


def tone(n, *, rate=8000, hertz=440, channels=1):
    found = 0.5 * np.sin(2 * np.pi * hertz * np.arange(n) / rate + np.arange(channels)[:, None])
    return found.T.squeeze().astype(np.float32)


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
@pytest.mark.parametrize("channels", [1, 2])
def test_whole_numbers_of_any_width(bits, channels, tmp_path):
    values = integers(bits)[:, :channels]
    found, rate = read_recording(save_pcm(tmp_path / "a.wav", values, bits=bits, rate=11025))
    assert rate == 11025 and found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_allclose(found, values.T / 2 ** (bits - 1), atol=1e-7)
    assert found.min() == -1 and np.abs(found).max() <= 1 and not found[:, 9].any()


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_what_scipy_writes(dtype, tmp_path):
    if dtype == "u1":
        values, wanted = np.arange(0, 185, 5, dtype=dtype).reshape(37, 1), np.arange(0, 185, 5) / 128 - 1
    elif dtype[0] == "i":
        values = integers(8 * int(dtype[1]))[:, :1].astype(dtype)
        wanted = values.ravel() / 2.0 ** (8 * int(dtype[1]) - 1)
    else:
        values = (3 * WIDE[:, :1]).astype(dtype)  # floats may exceed full scale
        wanted = values.ravel()
    found, rate = read_recording(save(tmp_path / "a.WAV", values, 22050))
    assert rate == 22050
    np.testing.assert_allclose(found, [wanted], atol=1e-7)


@pytest.mark.parametrize("dtype", ["i2", "f4"])
def test_the_most_significant_byte_may_come_first(dtype, tmp_path):
    values = integers(16).astype(dtype) if dtype == "i2" else WIDE.astype(dtype)
    wanted, _ = read_recording(save(tmp_path / "a.wav", values))
    head = struct.pack(">HHIIHH", 1 if dtype == "i2" else 3, 2, 8000, 8000 * values[0].nbytes, values[0].nbytes,
                       8 * values.itemsize)  # fmt: skip
    chunks = b"fmt " + struct.pack(">I", 16) + head + b"data" + struct.pack(">I", values.nbytes)
    body = chunks + values.astype(f">{dtype}").tobytes()
    (tmp_path / "b.wav").write_bytes(b"RIFX" + struct.pack(">I", len(body) + 4) + b"WAVE" + body)
    found, _ = read_recording(tmp_path / "b.wav")
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, wanted)
    (tmp_path / "b.wav").write_bytes((tmp_path / "b.wav").read_bytes()[: -5 * values[0].nbytes])
    with pytest.raises(FormatError, match=rf"b.wav: the recording is truncated \({5 * values[0].nbytes} bytes"):
        read_recording(tmp_path / "b.wav")


def test_chunks_of_other_kinds_are_passed_over(tmp_path):
    data = save(tmp_path / "a.wav", tone(37)).read_bytes()
    wanted, _ = read_recording(tmp_path / "a.wav")
    words = b"LIST" + struct.pack("<I", 10) + b"INFOwords!"
    odd = b"junk" + struct.pack("<I", 3) + b"abc\0"
    at = data.index(b"data")
    for name, parts in (("before", data[:at] + words + odd + data[at:]), ("after", data + words)):
        (tmp_path / f"{name}.wav").write_bytes(parts[:4] + struct.pack("<I", len(parts) - 8) + parts[8:])
        np.testing.assert_array_equal(read_recording(tmp_path / f"{name}.wav")[0], wanted)


def test_a_damaged_file_is_an_error_of_ours(tmp_path):
    rng = np.random.default_rng(0)
    data = save(tmp_path / "good.wav", WIDE.astype(np.float32)).read_bytes()
    cut = [data[:n] for n in range(0, len(data), 3)]
    changed = np.tile(np.frombuffer(data, np.uint8), (300, 1))
    changed[np.arange(300)[:, None], rng.integers(0, 64, (300, 2))] = rng.integers(0, 256, (300, 2))
    for content in (*cut, *map(bytes, changed)):
        (tmp_path / "bad.wav").write_bytes(content)
        try:
            samples, rate = read_recording(tmp_path / "bad.wav")
        except FormatError as error:
            assert "bad.wav" in str(error)
        else:
            assert len(content) == len(data) and rate > 0 and np.isfinite(samples).all()


def test_faults_are_named(tmp_path):
    data = save(tmp_path / "good.wav", np.arange(400, dtype=np.int16)).read_bytes()
    stereo = save(tmp_path / "good2.wav", np.zeros((400, 2), np.float32)).read_bytes()
    mp3 = data.replace(b"\x10\x00\x00\x00\x01\x00", b"\x10\x00\x00\x00\x55\x00", 1)
    silent = data[:24] + bytes(8) + data[32:]
    for name, content, words in (
        ("cut.wav", data[: len(data) // 2], "the recording is truncated .* bytes are missing"),
        ("odd.wav", data[:-1], "the recording is truncated"),
        ("cut2.wav", stereo[:-5], "the recording is truncated"),
        ("head.wav", data[:30], "the recording is truncated or damaged"),
        ("lacks.wav", data.replace(b"data", b"date"), r"the recording is truncated or damaged \(it lacks a part\)"),
        ("mp3.wav", mp3, "the recording is truncated or damaged"),
        ("rate.wav", silent, "the recording says 0 samples a second"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"no recording at all", "is no .wav recording; convert it"),
        ("riff.wav", b"RIFF" + data[4:8] + b"AVI " + data[12:], "is no .wav recording"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=f"{name}.*{words}"):
            read_recording(tmp_path / name)
    for name, values, words in (
        ("none.wav", np.zeros(0, np.int16), "the recording holds no sample; delete it"),
        ("nan.wav", np.array([0, np.nan], np.float32), "values that are no finite numbers"),
        ("inf.wav", np.array([0, -np.inf]), "values that are no finite numbers"),
    ):
        with pytest.raises(FormatError, match=f"{name}: .*{words}"):
            read_recording(save(tmp_path / name, values))
    with pytest.raises(InputFileError, match=r"nowhere.wav: no such file"):
        read_recording(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("rate, wanted, up, down", [
    (8000, 16000, 2, 1), (44100, 16000, 160, 441), (11025, 8000, 320, 441),
])  # fmt: skip
def test_another_rate_is_scipys_polyphase_filter(rate, wanted, up, down):
    recording = np.stack([tone(501, rate=rate), tone(501, rate=rate, hertz=300)])
    found = resampled(recording, rate, wanted)
    assert found.dtype == np.float32 and found.shape == (2, -(-501 * up // down))
    np.testing.assert_allclose(found, [resample_poly(row.astype(float), up, down) for row in recording], atol=1e-5)
    clean = tone(found.shape[1], rate=wanted)
    assert np.abs(found[0] - clean)[40:-40].max() < 0.01  # the same tone
    assert resampled(recording, rate, rate) is recording


def test_channels_are_averaged_or_repeated():
    stereo = WIDE.T.astype(np.float32)
    np.testing.assert_allclose(remixed(stereo, 1), stereo.mean(0, keepdims=True))
    np.testing.assert_array_equal(remixed(stereo[:1], 3), np.repeat(stereo[:1], 3, 0))
    np.testing.assert_allclose(remixed(stereo, 5), [stereo.mean(0)] * 5)
    assert remixed(stereo, 2) is stereo
    assert is_recording("x.wave") and not is_recording("x.flac")


def test_a_folder_of_recordings(tmp_path):
    for name, n in (("no/b.wav", 170), ("no/a.wav", 99), ("yes/deep/c.wave", 41)):
        save(tmp_path / name, tone(n))
    (tmp_path / "no" / "words.txt").write_text("x")
    (tmp_path / "no" / ".hidden.wav").write_text("x")
    data = read(tmp_path)
    assert (data.kind, data.encoder, data.task, data.labels) == ("samples", "spectrogram", "binary", ("no", "yes"))
    assert data.ids == ("no/a.wav", "no/b.wav", "yes/deep/c.wave")
    assert data.lengths.tolist() == [99, 170, 41] and data.raw.variables == 1
    assert data.targets.ravel().tolist() == [0, 0, 1] and data.settings == {"rate": 8000}
    np.testing.assert_array_equal(data.raw[1][0], tone(170))
    assert data.summary.notes[0].startswith("read 3 ") and "of 0.00513 to 0.0213 s at 8000 Hz" in data.summary.notes[0]
    for name, more in (("series", {"normalize": "set"}), ("gadf", {"size": 9}), ("spectrogram", {"size": 9})):
        asked = read(tmp_path, DataOptions(input=name, **more))
        assert (asked.encoder, asked.settings) == (name, {"rate": 8000} | more)
    for name, more in (("gadf", {"normalize": "set"}), ("series", {"size": 9})):
        with pytest.raises(OptionError, match=rf"--{next(iter(more))} \w+: {name} has no use for it; leave it out"):
            read(tmp_path, DataOptions(input=name, **more))


def test_other_rates_and_channels_are_converted_and_said(tmp_path):
    save(tmp_path / "a" / "1.wav", tone(400))
    save(tmp_path / "a" / "2.wav", tone(300))
    save(tmp_path / "b" / "1.wav", tone(441, rate=22050), 22050)
    save(tmp_path / "b" / "2.wav", tone(50, channels=2))
    save(tmp_path / "b" / "3.wav", tone(882, rate=44100, channels=2), 44100)
    save(tmp_path / "loose.wav", tone(9))
    data = read(tmp_path)
    assert data.lengths.tolist() == [400, 300, 160, 50, 160] and data.raw.variables == 1
    for said in (
        "recordings resampled to 8000 Hz: 1", "recordings mixed to mono: 1",
        "recordings mixed to mono and resampled to 8000 Hz: 1", "recordings passed over",
    ):  # fmt: skip
        assert any(said in note for note in data.summary.notes), said
    np.testing.assert_allclose(data.raw[3][0], tone(50, channels=2).mean(1), atol=1e-6)


def test_the_rate_and_channels_of_a_model_are_obeyed(tmp_path):
    for name in ("a/1.wav", "b/1.wav"):
        save(tmp_path / "train" / name, tone(120, rate=16000, channels=2), 16000)
    like = read(tmp_path / "train")
    assert like.raw.variables == 2
    save(tmp_path / "more" / "b" / "1.wav", tone(80))
    data = read(tmp_path / "more", like=like)
    assert data.raw.variables == 2 and data.lengths.tolist() == [160] and data.labels == ("a", "b")
    assert data.targets.tolist() == [[1]]
    assert any("mixed to stereo and resampled to 16000 Hz: 1" in note for note in data.summary.notes)


def test_folders_that_are_no_classes_of_recordings(tmp_path):
    one = tmp_path / "one"
    save(one / "a" / "1.wav", tone(50))
    with pytest.raises(DataError, match=r"holds one class only, 'a'; expected two subfolders"):
        read(one)
    (one / "b").mkdir()
    with pytest.raises(DataError, match=r"b holds no recording; add some, or delete the folder"):
        read(one)
    (one / "b" / "bad.wav").write_bytes(save(one / "a" / "1.wav", tone(50)).read_bytes()[:70])
    with pytest.raises(FormatError, match=r"b/bad.wav: the recording is truncated"):
        read(one)
    flat = tmp_path / "flat"
    save(flat / "1.wav", tone(50))
    with pytest.raises(DataError, match=r"flat is a folder whose recordings are in no class; put them in"):
        read(flat)
    with pytest.raises(DataError, match=r"1.wav is a recording; pass a folder with one subfolder of"):
        read(flat / "1.wav")
    with pytest.raises(DataError, match=r"one: pictures, but --input onehot reads sequences"):
        read(one, DataOptions(input="onehot"))
    with pytest.raises(OptionError, match=r"--alphabet dna: belongs to sequences"):
        read(one, DataOptions(alphabet="dna"))


def test_pictures_among_recordings_need_a_word(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="pillow is an extra")
    for name in ("a", "b"):
        save(tmp_path / name / "1.wav", tone(50))
        image.fromarray(np.zeros((3, 5), np.uint8)).save(tmp_path / name / "1.png")
    with pytest.raises(DataError, match=r"holds pictures and recordings; pass --input pixels or --input spectrogram"):
        read(tmp_path)
    assert read(tmp_path, DataOptions(input="spectrogram")).ids == ("a/1.wav", "b/1.wav")
    assert read(tmp_path, DataOptions(input="pixels")).ids == ("a/1.png", "b/1.png")


def test_a_table_of_recordings(tmp_path):
    for i, n in enumerate((99, 41, 170), 1):
        save(tmp_path / "sounds" / f"{i}.wav", tone(n))
    path = tmp_path / "t.csv"
    path.write_text("file,pitch,w\nsounds/1.wav,440.5,1\nsounds/2.wav,300,0\nsounds/3.wav,880,2.5\n")
    data = read(path, DataOptions(image="file", input="spectrogram", target=("pitch",), weight="w"))
    assert (data.kind, data.task, data.encoder) == ("samples", "regression", "spectrogram")
    assert data.lengths.tolist() == [99, 41, 170] and data.weights.tolist() == [1, 0, 2.5]
    path.write_text("file,pitch\nsounds/1.wav,440.5\nsounds/9.wav,300\nsounds/2.wav,7\n")
    with pytest.raises(InputFileError, match=r"sounds/9.wav: no such file"):
        read(path, DataOptions(image="file", input="spectrogram", target=("pitch",)))
