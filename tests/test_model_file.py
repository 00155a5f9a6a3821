"""The model file: bit-exact both ways, and refused when anything in it is not as it was written."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save as save_foreign
from small_models import dna_model, letters, picture_model, protein_model

from seqcnn.errors import InputFileError, ModelFileError, OptionError, OutputFileError
from seqcnn.model.container import FORMAT, pack, unpack
from seqcnn.model.file import load, save
from seqcnn.model.model import Model
from seqcnn.model.state import describe
from seqcnn.registry import REGISTRY, register

MODEL = dna_model(oof=True)
BYTES = MODEL.to_bytes()


@pytest.mark.parametrize("make", [dna_model, protein_model, picture_model])
def test_round_trip_is_bit_exact(make: Any, tmp_path: Path) -> None:
    model = make()
    model.save(tmp_path / "m.safetensors")
    back = load(tmp_path / "m.safetensors")
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(tensor, back.network.state_dict()[name])
    assert back.to_bytes() == model.to_bytes() == (tmp_path / "m.safetensors").read_bytes()
    assert back.record.plain() == model.record.plain()
    if model.alphabet is not None:
        some = letters(5, 20, 40, alphabet=model.alphabet.letters)
        np.testing.assert_array_equal(model.logits(some), back.logits(some))


def test_everything_comes_back() -> None:
    back = Model.from_bytes(BYTES)
    assert not any(
        part.training for whole in (back.encoder, back.network, back.calibration) for part in whole.modules()
    )
    assert back.record.oof is not None
    assert MODEL.record.oof is not None
    np.testing.assert_array_equal(back.record.oof.hashes, MODEL.record.oof.hashes)
    np.testing.assert_array_equal(back.record.oof.baselines["gc"], MODEL.record.oof.baselines["gc"])
    assert back.record.oof.ids == MODEL.record.oof.ids
    assert back.record.trained_hashes.dtype == np.uint64
    assert (back.strands, back.longest, back.labels, back.negatives) == ("both", 40, ("unbound", "bound"), "shuffle")
    assert back.calibration.scale.tolist() == [1.5]
    some = letters(4, 10, 50)
    for name in MODEL.baselines:
        np.testing.assert_array_equal(back.baseline_logits(name, some), MODEL.baseline_logits(name, some))
    assert back.network.filters.weight.is_contiguous(memory_format=torch.channels_last)


def test_loading_draws_no_random_number() -> None:
    state = torch.get_rng_state()
    Model.from_bytes(BYTES)
    assert torch.equal(torch.get_rng_state(), state)


@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    edited = bytearray(BYTES)
    edited[place] ^= change
    with pytest.raises(ModelFileError, match=r"x\.safetensors"):
        Model.from_bytes(bytes(edited), "x.safetensors")


@given(st.integers(0, len(BYTES) - 1))
@settings(max_examples=60, deadline=None)
def test_a_cut_file_is_refused(end: int) -> None:
    with pytest.raises(ModelFileError, match="empty" if end == 0 else "cut|not a seqcnn model"):
        Model.from_bytes(BYTES[:end], "x.safetensors")


def test_an_appended_byte_is_refused() -> None:
    with pytest.raises(ModelFileError, match="SHA-256"):
        Model.from_bytes(BYTES + b"\0")


def edited(change: Any) -> bytes:
    """A file whose header or arrays were changed by somebody who knows how to make the SHA-256 right again."""
    header, arrays = describe(MODEL)
    header = json.loads(json.dumps(header))
    change(header, arrays)
    return pack(header, arrays)


def _shape(header: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["network.out.weight"] = arrays["network.out.weight"][:, :-1].copy()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda h, a: h.update(color="red"), "unknown field 'color'"),
        (lambda h, a: h.pop("strands"), "lacks the field 'strands'"),
        (lambda h, a: h["record"].update(mood="good"), "training record has an unknown field 'mood'"),
        (lambda h, a: h["record"].pop("seed"), "training record lacks the field 'seed'"),
        (lambda h, a: h["network"].update(name="motifs"), "network 'motifs' is not registered.*did you mean 'motif'"),
        (lambda h, a: h["network"]["options"].update(colour=1), "unknown option 'colour'"),
        (lambda h, a: h["network"].update(options=3), "does not describe a model"),
        (lambda h, a: h["network"]["options"].update(filters=7), "network.conv.weight.*expected .*7, 4.*found .*6, 4"),
        (lambda h, a: h["task"].update(name="binry"), "unknown task 'binry'"),
        (lambda h, a: h["task"]["options"].update(cutoff=1), "unknown field 'cutoff'"),
        (lambda h, a: h.update(labels=["a", "b"]), "labels .*are not those of its task"),
        (lambda h, a: h.update(strands="auto"), "strands.*'auto'"),
        (lambda h, a: h.update(alphabet="klingon"), "unknown alphabet 'klingon'"),
        (lambda h, a: h.update(window="long"), "does not describe a model"),
        (_shape, "network.out.weight.*expected float32"),
        (lambda h, a: a.pop("calibration.scale"), "'calibration.scale' is missing"),
        (lambda h, a: a.pop("record.trained_hashes"), "record.trained_hashes"),
        (lambda h, a: a.update({"network.extra": np.zeros(1)}), "'network.extra' is unknown"),
        (lambda h, a: a.update(stray=np.zeros(1)), "unknown tensor 'stray'"),
        (lambda h, a: a.update({"network.out.bias": np.full(1, np.nan, np.float32)}), "'network.out.bias' holds NaN"),
        (lambda h, a: a.update({"network.out.bias": np.zeros(1, np.float64)}), "expected float32.*found float64"),
    ],
)
def test_a_file_that_fits_its_hash_but_not_itself_is_refused(change: Any, said: str) -> None:
    with pytest.raises(ModelFileError, match=said) as caught:
        Model.from_bytes(edited(change), "m.safetensors")
    assert str(caught.value).startswith("m.safetensors: ")
    assert "\n" not in str(caught.value)


def test_a_newer_format_says_update(tmp_path: Path) -> None:
    data = BYTES.replace(rf"\"format\":{FORMAT}".encode(), rf"\"format\":{FORMAT + 1}".encode(), 1)
    assert data != BYTES
    with pytest.raises(ModelFileError, match=f"format {FORMAT + 1} is newer.*update seqcnn"):
        Model.from_bytes(data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"hello", "not a seqcnn model file"),
        (b">a\nACGTACGTACGT\n" * 9, "not a seqcnn model file"),
        (b"PK\x03\x04" + b"\0" * 50, "not a seqcnn model file"),
        (struct.pack("<Q", 20) + b"{" * 20, "not a seqcnn model file"),
        (struct.pack("<Q", 2) + b"[]", "not a seqcnn model file"),
        (struct.pack("<Q", 10**12) + b"{}", "not a seqcnn model file"),
        (save_foreign({"weight": np.zeros(3, np.float32)}), "seqcnn did not write"),
        (save_foreign({"w": np.zeros(3)}, metadata={"format": "pt"}), "seqcnn did not write"),
        (save_foreign({"w": np.zeros(3)}, metadata={"seqcnn": "hello"}), "not JSON"),
        (save_foreign({"w": np.zeros(3)}, metadata={"seqcnn": "[1]"}), "not a JSON object"),
        (save_foreign({"w": np.zeros(3)}, metadata={"seqcnn": "{}"}), "SHA-256"),
        (pickle.dumps({"w": 1}), "not a seqcnn model file"),
    ],
)
def test_foreign_files_are_refused_by_name(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="none.safetensors: no such model file"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(ModelFileError, match="a folder"):
        load(tmp_path)
    with pytest.raises(OutputFileError, match="does not exist"):
        save(MODEL, tmp_path / "no" / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_numbers_are_not_saved(tmp_path: Path) -> None:
    model = dna_model()
    with torch.no_grad():
        model.network.out.bias.fill_(float("inf"))
    with pytest.raises(ModelFileError, match="network.out.bias"):
        model.save(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_pack_gives_the_same_bytes_and_unpack_the_same_values() -> None:
    arrays = {"b": np.arange(6, dtype=">i4").reshape(2, 3)[:, ::2], "a": np.array(2.5, np.float32)}
    data = pack({"x": "é", "n": [1, None]}, arrays)
    assert data == pack({"x": "é", "n": [1, None]}, dict(reversed(arrays.items())))
    header, back = unpack(data, "f")
    assert header == {"x": "é", "n": [1, None]}
    np.testing.assert_array_equal(back["b"], arrays["b"])
    assert back["a"].shape == ()


class OwnNetwork(torch.nn.Module):
    """A caller's own network."""

    def __init__(self, filters: int = 3) -> None:
        super().__init__()
        self.config = {"filters": filters}
        self.conv = torch.nn.Conv2d(4, filters, (1, 5))
        self.out = torch.nn.Linear(filters, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.conv(x).amax((2, 3)))


def test_a_network_of_the_callers_own_reloads_under_a_registered_name(monkeypatch: pytest.MonkeyPatch) -> None:
    model = dna_model()
    model.network = OwnNetwork(filters=5)
    with pytest.raises(OptionError, match="OwnNetwork is not registered"):
        model.to_bytes()
    monkeypatch.setitem(REGISTRY, "network", dict(REGISTRY["network"]))
    register("network", "own", f"{__name__}:OwnNetwork")
    data = model.to_bytes()
    back = Model.from_bytes(data)
    some = letters(4, 9, 30)
    np.testing.assert_array_equal(model.logits(some), back.logits(some))
    del REGISTRY["network"]["own"]
    with pytest.raises(ModelFileError, match="network 'own' is not registered here"):
        Model.from_bytes(data)
