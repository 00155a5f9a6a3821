"""Scans and mutagenesis of models, against predictions of each window and of each mutant."""

import warnings

import numpy as np
import pytest
import torch
from small_models import letters, picture_model, protein_model

from seqcnn.alphabet import DNA
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import AlphabetError, OptionError, SeqcnnWarning
from seqcnn.inference import mutagenesis as kernel
from seqcnn.inference import predict
from seqcnn.model.model import Model
from seqcnn.networks import create
from seqcnn.nn.calibration import Calibration
from seqcnn.tasks.binary import Binary
from seqcnn.tiling import Overlapping, stretches, windows

SMALL = {
    "motif": {"filters": 6, "filter_width": 5, "context": 3},
    "deepbind": {"filters": 6, "filter_width": 7, "mean": True},
    "basset": {"filters": (5, 4), "filter_widths": (7, 5), "pools": (3, 2), "hidden": (6,)},
    "kmer": {"ks": [2, 3]},
}


def swept(name="motif", *, strands="forward", width=120, **options):
    """An untrained model of DNA."""
    torch.manual_seed(0)
    network = create(name, in_channels=4, outputs=1, width=width, **SMALL[name] | options)
    if name == "kmer":
        torch.nn.init.normal_(network.weight)
    return Model(
        OneHot("dna"), network, Binary(("no", "yes")), alphabet=DNA, longest=width, strands=strands,
        calibration=Calibration(1),
    )  # fmt: skip


def texts_of(sequence, starts, window):
    return [sequence[start : start + window] for start in starts]


@pytest.mark.parametrize("strands", ["forward", "both"])
@pytest.mark.parametrize(
    ("network", "options"), [("motif", {"padded": False}), ("motif", {}), ("deepbind", {}), ("basset", {})]
)
@pytest.mark.parametrize(("length", "step"), [(331, 1), (300, 7), (299, 48), (120, 200), (90, 3)])
def test_a_scan_is_the_predictions_of_its_windows(strands, network, options, length, step):
    model = swept(network, strands=strands, width=120, **options)
    [sequence] = letters(1, length, length, alphabet="ACGTN", seed=step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SeqcnnWarning)
        found = model.scan(sequence, window=120, step=step)
        expected = model.predict(texts_of(sequence, found.starts, 120))
    np.testing.assert_array_equal(found.starts, windows(length, 120, step))
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_a_long_scan_is_cut_into_tiles(monkeypatch):
    model = swept("motif", width=120, padded=False)
    [sequence] = letters(1, 1500, 1500, seed=3)
    expected = model.scan(sequence, window=120, step=5)
    monkeypatch.setattr("seqcnn.model.sweeps.CHUNK", 400)
    monkeypatch.setattr(predict, "BATCH_BYTES", {"cpu": 1, "cuda": 1})
    found = model.scan(sequence, window=120, step=5)
    np.testing.assert_array_equal(found.starts, expected.starts)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def test_a_scan_says_why_windows_are_computed_one_by_one():
    model = swept("motif", width=120)
    [sequence] = letters(1, 300, 300)
    with pytest.warns(SeqcnnWarning, match="surrounds each window with zeros"):
        model.scan(sequence, window=120, step=5)


def test_what_cannot_be_scanned_is_refused():
    model = swept("basset", width=120)
    with pytest.raises(OptionError, match="reads at most 120"):
        model.scan("ACGT" * 100, window=200)
    with pytest.raises(OptionError, match="step"):
        model.scan("ACGT" * 100, step=0)
    with pytest.raises(OptionError, match="one sequence"):
        model.scan(["ACGT" * 100, "ACGT"])
    with pytest.raises(AlphabetError, match="position 5"):
        model.scan("ACGT!")
    with pytest.raises(OptionError, match="one sequence"):
        picture_model().scan(np.zeros((1, 1, 12, 12), np.uint8))


@pytest.mark.parametrize("strands", ["forward", "both"])
@pytest.mark.parametrize(
    ("network", "options"),
    [("motif", {}), ("motif", {"positions": True}), ("deepbind", {}), ("basset", {}), ("kmer", {})],
)
def test_mutagenesis_is_the_change_of_each_mutant(strands, network, options):
    model = swept(network, strands=strands, width=110, **options)
    sequences = letters(2, 110, 110, alphabet="ACGTN", seed=4)
    found = model.mutagenesis(sequences)
    assert found.shape == (2, 4, 110)
    as_is = model.logits(sequences)[:, 0]
    for row, sequence in enumerate(sequences):
        mutants = [sequence[:i] + letter + sequence[i + 1 :] for letter in "ACGT" for i in range(110)]
        expected = (model.logits(mutants)[:, 0] - as_is[row]).reshape(4, 110)
        np.testing.assert_allclose(found[row], expected, atol=1e-5)


def test_mutagenesis_of_proteins_of_two_lengths():
    model = protein_model()
    found = model.mutagenesis(["MKTAYIAKQRQISFVK", "MKT"])
    assert found.shape == (2, 20, 16)
    assert np.isnan(found[1, :, 3:]).all() and np.isfinite(found[1, :, :3]).all()
    assert found[0, model.alphabet.letters.index("M"), 0] == 0


def test_mutants_that_disagree_are_computed_in_full(monkeypatch):
    model = swept("motif", width=80)
    sequences = letters(1, 80, 80)
    expected = model.mutagenesis(sequences)
    wrong = kernel._both
    monkeypatch.setattr(kernel, "_both", lambda *given: wrong(*given) + 1)
    np.testing.assert_allclose(model.mutagenesis(sequences), expected, atol=1e-5)


def test_mutagenesis_of_pictures_is_refused():
    with pytest.raises(OptionError, match="belongs to sequences"):
        picture_model().mutagenesis(np.zeros((1, 1, 12, 12), np.uint8))


@pytest.mark.parametrize(("length", "window", "step"), [(11, 4, 3), (4, 4, 1), (3, 4, 2), (30, 4, 9), (29, 7, 2)])
def test_stretches_hold_all_windows(length, window, step):
    codes = np.arange(length, dtype=np.uint8)
    runs = list(stretches(length, window, step, letters=9))
    cut = Overlapping.joined([codes[run[0] : run[-1] + window] for run in runs], window, step)
    starts = windows(length, window, step)
    np.testing.assert_array_equal(np.concatenate(runs), starts)
    assert len(cut) == len(starts)
    for one, start in zip(cut, starts, strict=True):
        np.testing.assert_array_equal(one, codes[start : start + window])
    batch, lengths = cut.rectangle(np.arange(len(cut))[::-1])
    np.testing.assert_array_equal(lengths, cut.lengths[::-1])
    np.testing.assert_array_equal(batch[-1, : lengths[-1]], codes[: min(window, length)])
