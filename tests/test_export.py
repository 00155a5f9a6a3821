"""Exported files, run by other runtimes, against the model."""

import json

import numpy as np
import pytest
import torch
from small_models import letters, picture_model, protein_model
from test_sweeps import swept

import seqcnn
from seqcnn.alphabet import DNA
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import MissingExtraError, ModelFileError, OptionError
from seqcnn.model.model import Model
from seqcnn.networks import create
from seqcnn.tasks import fit_task
from seqcnn.workflow import export as exporting
from seqcnn.workflow.export import export

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def run_onnx(path, image):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image.numpy()})[0]


def run_torch(path, image):
    return torch.export.load(str(path)).module()(image).numpy()


RUN = {".onnx": run_onnx, ".pt2": run_torch}


def images(model, sequences):
    """The images of sequences of one length, as a program without seqcnn makes them."""
    codes = torch.from_numpy(np.stack([codes & 0x7F for codes in model.raw(sequences)]))
    return model.encoder(codes)[:, :, 0].contiguous()


@pytest.mark.parametrize("suffix", RUN)
@pytest.mark.parametrize(
    ("network", "options", "strands"),
    [
        ("motif", {}, "both"),
        ("motif", {"padded": False}, "forward"),
        ("motif", {"positions": True}, "both"),
        ("deepbind", {}, "both"),
        ("basset", {}, "forward"),
        ("kmer", {}, "both"),
    ],
)
def test_another_program_predicts_the_same(tmp_path, suffix, network, options, strands):
    model = swept(network, strands=strands, width=120, **options)
    path = tmp_path / f"model{suffix}"
    exported = export(model, path)
    assert exported.apart is not None
    for count, length in ((1, 120), (3, 120), (2, 150)) if model.fixed_width is None else ((1, 120), (3, 120)):
        sequences = letters(count, length, length, alphabet="ACGTNR", seed=count)
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(
                RUN[suffix](path, images(model, sequences))[:, 0], model.predict(sequences), atol=1e-5
            )


@pytest.mark.parametrize(
    ("name", "targets", "more"),
    [
        ("multiclass", [0, 1, 2, 1], {}),
        ("regression", [0.1, 2.0, 3.5, -1], {}),
        ("regression", [*np.linspace(1, 2, 60), 4e3, 9e4], {}),
        ("circular", [0.1, 5.0, 8.0, 11.0], {"period": 12.0}),
    ],
)
def test_every_task_answers_in_its_own_units(tmp_path, name, targets, more):
    task = fit_task(name, ("a", "b", "c")[: 3 if name == "multiclass" else 1], np.array(targets, float)[:, None], more)
    torch.manual_seed(1)
    network = create("deepbind", in_channels=4, outputs=task.outputs, filters=6)
    model = Model(OneHot("dna"), network, task, alphabet=DNA, longest=80)
    sequences = letters(4, 80, 80)
    for kind in ("probability", "logit"):
        export(model, tmp_path / "model.onnx", output=kind)
        expected = task.output(model.logits(sequences), kind)
        found = run_onnx(tmp_path / "model.onnx", images(model, sequences))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_the_card_says_how_to_feed_it(tmp_path):
    model = protein_model()
    card = seqcnn.export(model, tmp_path / "model.onnx")
    stored = {entry.key: entry.value for entry in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(stored["seqcnn"]) == card and "seqcnn model" in stored["card"]
    assert card["input"]["letters"] == "ACDEFGHIKLMNPQRSTVWY" and card["input"]["shape"][1] == 20
    text = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ"
    fed = np.array([[card["input"]["columns"][letter] for letter in text]], np.float32).transpose(0, 2, 1)
    found = run_onnx(tmp_path / "model.onnx", torch.from_numpy(np.ascontiguousarray(fed)))
    np.testing.assert_allclose(np.squeeze(found), np.squeeze(model.predict([text])), atol=1e-5)
    extra = {"seqcnn.json": ""}
    seqcnn.export(model, tmp_path / "model.pt2")
    torch.export.load(str(tmp_path / "model.pt2"), extra_files=extra)
    assert json.loads(extra["seqcnn.json"]) == card


def test_pictures_are_exported_too(tmp_path):
    model = picture_model()
    export(model, tmp_path / "model.onnx")
    pixels = np.random.default_rng(0).integers(0, 256, (3, *model.encoder.raw_shape), dtype=np.uint8)
    image, _ = model.encoder.image(torch.from_numpy(pixels), torch.full((3,), pixels.shape[-1]))
    found = run_onnx(tmp_path / "model.onnx", image.contiguous())
    np.testing.assert_allclose(np.squeeze(found), np.squeeze(model.predict(pixels)), atol=1e-5)


def test_what_cannot_be_exported_is_refused(tmp_path, monkeypatch):
    model = swept("deepbind")
    with pytest.raises(OptionError, match=r"ends in .onnx or .pt2"):
        export(model, tmp_path / "model.txt")
    own = Model(OneHot("dna"), torch.nn.Flatten(), model.task, alphabet=DNA, longest=20)
    with pytest.raises(OptionError, match="no network of seqcnn"):
        export(own, tmp_path / "model.pt2")
    wrong = exporting._run
    monkeypatch.setattr(exporting, "_run", lambda *given: wrong(*given) + 1)
    with pytest.raises(ModelFileError, match="predicts otherwise"):
        export(model, tmp_path / "model.pt2")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(MissingExtraError, match="onnxscript"):
        export(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
