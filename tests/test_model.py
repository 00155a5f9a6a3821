"""The Model: what it takes, what it gives, its card, copies and pickles, and other people's tools on its network."""

import copy
import pickle
import warnings
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from small_models import dataset, dna_model, letters, picture_model, protein_model

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.hashes import record_hashes
from seqcnn.errors import AlphabetError, DataError, OptionError
from seqcnn.model.inputs import encode_many
from seqcnn.model.model import Model
from seqcnn.model.record import TrainingRecord, plain
from seqcnn.sequence import Sequences, canonical_hash, encode

MODEL = dna_model()
SOME = letters(7, 12, 40)


def test_predict_is_the_calibrated_probability() -> None:
    logits = MODEL.logits(SOME)
    assert logits.shape == (7, 1)
    assert logits.dtype == np.float32
    np.testing.assert_allclose(MODEL.predict(SOME), 1 / (1 + np.exp(-logits[:, 0])), atol=1e-6)
    bare = Model(MODEL.encoder, MODEL.network, MODEL.task, alphabet=DNA, longest=40, strands="both")
    np.testing.assert_allclose(logits, bare.logits(SOME) * 1.5 - 0.25, atol=1e-5)


@pytest.mark.parametrize(
    "form",
    [
        tuple,
        np.array,
        pd.Series,
        lambda s: [x.encode() for x in s],
        lambda s: [x.lower() for x in s],
        lambda s: [x.replace("T", "U") for x in s],
        lambda s: [x + "*" for x in s],
        lambda s: dataset(s, [0.0] * len(s)),
        lambda s: dataset(s, [0.0] * len(s)).raw,
        lambda s: (x for x in s),
    ],
)
def test_predict_takes_any_form_of_sequences(form: Any) -> None:
    np.testing.assert_allclose(MODEL.predict(form(SOME)), MODEL.predict(SOME), atol=1e-6)


@pytest.mark.parametrize(
    "wrong,found",
    [
        (None, "NoneType"),
        (5, "int"),
        ({"a": "ACGT"}, "dict"),
        ({"ACGT"}, "set"),
        (np.array("ACGT"), r"ndarray of shape \(\)"),
        (np.array([["ACGT"], ["GG"]]), r"ndarray of shape \(2, 1\)"),
        (pd.DataFrame({"seq": ["ACGT"]}), r"DataFrame of shape \(1, 1\)"),
    ],
)
def test_what_holds_no_one_column_of_text_is_refused(wrong: Any, found: str) -> None:
    with pytest.raises(DataError, match=f"expected dna sequences as a list or one column of text, found {found}"):
        MODEL.predict(wrong)


def test_one_string_is_one_record() -> None:
    np.testing.assert_allclose(MODEL.predict(SOME[0]), MODEL.predict(SOME)[:1], atol=1e-6)
    assert MODEL.predict([]).shape == (0,)


def test_several_classes_give_a_column_each() -> None:
    found = protein_model().predict(["MKTAYIAKQR", "ACDEF"])
    assert found.shape == (2, 3)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-6)


def test_pictures() -> None:
    model = picture_model()
    raw = np.random.default_rng(0).integers(0, 256, (4, 1, 13, 17), np.uint8)
    np.testing.assert_allclose(model.predict(raw), model.predict(raw[:, 0]), atol=1e-6)
    assert model.kind == "pixels"
    for wrong, said in (
        (raw.astype(float), "uint8"), (raw[0, 0], "reads pictures"), (["ACGT"], "reads pictures"),
        (MODEL.raw(SOME), "are sequences"), (np.repeat(raw, 3, 1), r"expected pixels \(N, 1"),
        ([raw[0], raw[0, :, 1:]], "one size"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            model.predict(wrong)


def test_errors_name_record_and_position() -> None:
    with pytest.raises(AlphabetError, match="record 2, position 3: 'J'"):
        MODEL.predict(["ACGT", "ACJT"])
    with pytest.raises(DataError, match="record 2: no sequence"):
        MODEL.predict(["ACGT", ""])
    with pytest.raises(DataError, match="record 2: expected a dna sequence as text, found float"):
        MODEL.predict(["ACGT", float("nan")])
    proteins = replace(dataset(SOME, [0.0] * 7), alphabet=PROTEIN)
    with pytest.raises(DataError, match="reads dna sequences; the data are protein"):
        MODEL.predict(proteins)
    with pytest.raises(DataError, match="record 3: length 41; this network reads at most 40"):
        dna_model(width=40).predict(["ACGT", "A" * 40, "A" * 41])
    with pytest.raises(OptionError, match="needs DNA or RNA"):
        Model(MODEL.encoder, MODEL.network, MODEL.task, alphabet=None, longest=3, strands="both")
    with pytest.raises(OptionError, match="baseline: 'kmers'.*did you mean 'kmer'"):
        MODEL.baseline_logits("kmers", SOME)


def test_encode_many_equals_one_by_one() -> None:
    raw = [b"ACGTN", b"acg*", b"RYU"]
    found = encode_many(raw, DNA)
    assert [c.tolist() for c in found] == [encode(text, DNA).tolist() for text in raw]
    masked = encode_many([b"AC!T"], DNA, unknown="mask")
    assert masked[0].tolist() == encode(b"ACNT", DNA).tolist()


def test_record_hashes_equal_the_reference() -> None:
    raw = MODEL.raw([*SOME, SOME[0].lower(), "ACGT", ""[:0] or "NNRY-"])
    assert record_hashes(raw, DNA).tolist() == [canonical_hash(codes, DNA) for codes in raw]
    protein = Sequences.from_codes([np.array([3, 1], np.uint8)])
    assert record_hashes(protein, None).tolist() == [canonical_hash(protein[0])]
    pictures = np.zeros((3, 1, 2, 5), np.uint8)
    pictures[2, 0, 0, 0] = 128  # the bit that marks a soft-masked letter is an ordinary one in a picture
    found = record_hashes(pictures, None)
    assert found[0] == found[1] != found[2]


def test_copies_and_pickles_predict_alike() -> None:
    expected = MODEL.predict(SOME)
    for other in (pickle.loads(pickle.dumps(MODEL)), copy.deepcopy(MODEL), copy.copy(MODEL)):
        np.testing.assert_array_equal(other.predict(SOME), expected)
    deep = copy.deepcopy(MODEL)
    with torch.no_grad():
        deep.network.out.bias += 1
    np.testing.assert_array_equal(MODEL.predict(SOME), expected)
    own = copy.deepcopy(MODEL)
    own.network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4 * 6, 1))
    assert copy.deepcopy(own).logits(["ACGTAC"]).shape == (1, 1)  # copies need no registered name


def test_joblib_takes_it_to_another_process(tmp_path: Any) -> None:
    import joblib

    joblib.dump(MODEL, tmp_path / "m.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "m.joblib").predict(SOME), MODEL.predict(SOME))


def test_the_network_works_in_tangermeme_and_captum() -> None:
    from captum.attr import IntegratedGradients
    from tangermeme.predict import predict

    x = torch.nn.functional.one_hot(torch.randint(0, 4, (3, 37)), 4).float().transpose(1, 2)  # (N, 4, L)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = predict(MODEL.network, x, device="cpu")
    assert found.shape == (3, 1)
    network = copy.deepcopy(MODEL.network).eval()
    assert IntegratedGradients(network).attribute(x, target=0, n_steps=5).shape == x.shape


def test_plain_makes_json_of_it() -> None:
    from pathlib import Path

    value = {"a": np.int64(3), "b": (np.float32(0.5), float("inf")), 1: {Path("x/y")}, "n": np.arange(2)}
    assert plain(value) == {"a": 3, "b": [0.5, None], "1": ["x/y"], "n": [0, 1]}
    with pytest.raises(TypeError, match="found object"):
        plain(object())


class Checked(HTMLParser):
    """Collects text and refuses tags that are not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag not in ("line", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_cards_say_what_the_model_is() -> None:
    from seqcnn.tasks.binary import Binary

    figures = {
        "task": "binary", "n": 1234, "n_per_class": {}, "threshold": 0.5, "source": "test data",
        "metrics": {"auroc": 0.987, "auprc": None}, "ci95": {"auroc": [0.981, 0.992], "auprc": None},
        "baselines": {"gc": {"auroc": 0.61, "auprc": 0.5}, "kmer": {"auroc": None, "auprc": None}},
        "baselines_ci95": {"gc": {"auroc": [0.6, 0.63]}, "kmer": {"auroc": None}}, "excluded": {"trained_on": 0},
    }  # fmt: skip
    model = dna_model()
    model.task = Binary(("<script>alert(1)</script>", "a & b"))
    model.record = TrainingRecord(**{**model.record.__dict__, "figures": figures, "n_per_class": {"a & b": 12}})
    text = repr(model)
    for said in ("binary, a & b against <script>", "parameters", "both strands averaged", "seed 7", "2026-01-02 03:04",
                 "20 training, 5 validation", "auroc 0.987 (0.981 to 0.992); gc 0.610; kmer undefined"):  # fmt: skip
        assert said in text
    parser = Checked()
    parser.feed(model._repr_html_())
    assert parser.open == []
    assert "script" not in parser.tags
    for said in ("a & b against <script>", "0.987", "0.981 to 0.992", "0.610", "undefined", "1,234 records"):
        assert said in parser.text
    for model in (dna_model(), protein_model(), picture_model()):
        parser = Checked()
        parser.feed(model._repr_html_())
        assert parser.open == []
        assert "trained" in repr(model) or "pictures of 1 x 13 x 17" in repr(model)
