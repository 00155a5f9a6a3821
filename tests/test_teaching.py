"""Teachers and their student: averages, dropout, made-up records, blends, imitation, and the way through train."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from test_training import planted
from torch import nn

from seqcnn import load
from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.batches import common_width
from seqcnn.data.recombination import recombined
from seqcnn.data.splits import split
from seqcnn.nn.dropout import Dropout, reseed
from seqcnn.options import TrainOptions
from seqcnn.sequence import Sequences, encode
from seqcnn.tasks import fit_task
from seqcnn.tasks.imitation import Imitation
from seqcnn.training import folding, schedule, teaching
from seqcnn.training.averaging import Average
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.planning import plan_training
from seqcnn.training.pooling import blended, fit_blend
from seqcnn.training.progress import Shared, Silent
from seqcnn.workflow.train import train

RNG = np.random.default_rng(3)


@pytest.fixture
def quick(monkeypatch, few_filters):
    """Make teachers and students learn little: what is looked at here is the way, not the figures."""
    monkeypatch.setitem(schedule._STEPS, "codes", (100, 5, 10))
    monkeypatch.setattr(teaching, "MADE_UP", 2500)
    monkeypatch.setattr(teaching, "_LETTERS", (0, 12_000_000))  # of short records it would be more sequences
    monkeypatch.setattr(teaching, "STEPS", 60)


def test_an_average_is_the_exponential_mean_of_every_weight_and_statistic():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(4, 3, (1, 5)), nn.BatchNorm2d(3))
    average = Average(network, 40.0)
    expected = {k: v.clone().double() for k, v in network.state_dict().items()}
    for step in range(1, 120):
        network.train()(torch.randn(6, 4, 1, 20))
        with torch.no_grad():
            network[0].weight.add_(torch.randn_like(network[0].weight))
        average.update()
        share = max(1 / 40, 1 / (1 + step / 10))
        for key, value in network.state_dict().items():
            expected[key] += (value.double() - expected[key]) * share
    found = average.network.state_dict()
    for key, value in expected.items():
        if "num_batches" not in key:
            torch.testing.assert_close(found[key].double(), value, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", ["binary", "multiclass"])
def test_a_student_is_calibrated_to_its_teacher(name):
    outputs = {"binary": 1, "multiclass": 3}[name]
    task = fit_task(name, tuple("abc"[: max(2, outputs)]), np.arange(12.0)[:, None] % max(2, outputs))
    theirs = RNG.normal(0, 2, (3000, outputs)).astype(np.float32)
    mine = (theirs - np.linspace(0.5, 1, outputs, dtype=np.float32)) / 1.7
    layer = fit_calibration(task, mine, theirs, weighted=False, taught=True)
    np.testing.assert_allclose(layer.scale.numpy(), 1.7, rtol=0.01)
    found = layer(torch.from_numpy(mine)).numpy() - theirs
    np.testing.assert_allclose(found - found.mean(1, keepdims=True) * (outputs > 1), 0, atol=0.05)


def test_dropout_is_reproducible_and_keeps_the_mean():
    layer, x = Dropout(0.3), torch.ones(400, 500)
    reseed(nn.Sequential(layer), 7)
    first = layer(x)
    reseed(nn.Sequential(layer), 7)
    torch.manual_seed(1)  # the process's own generator has no say
    assert torch.equal(layer(x), first)
    assert abs(float(first.mean()) - 1) < 0.01 and abs(float((first == 0).float().mean()) - 0.3) < 0.01
    whole = Dropout(0.5, maps=True)(torch.ones(30, 40, 1, 9))
    assert ((whole == 0).all(3) | (whole == 2).all(3)).all()
    assert layer.eval()(x) is x


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN])
def test_made_up_records_are_made_of_what_stands_at_that_place(alphabet):
    lengths = RNG.integers(1, 60, 40)
    known = Sequences.from_codes([RNG.integers(0, alphabet.size, n).astype(np.uint8) for n in lengths])
    made = recombined(known, 300, np.random.default_rng(1))
    held = [{int(codes[i]) for codes in known if len(codes) > i} for i in range(60)]
    assert len(made) == 300 and set(made.lengths.tolist()) <= set(lengths.tolist())
    assert all(int(code) in held[i] for codes in made for i, code in enumerate(codes))
    again = recombined(known, 300, np.random.default_rng(1))
    assert (made.buffer == again.buffer).all() and (made.offsets == again.offsets).all()
    originals = {codes.tobytes() for codes in known}
    assert sum(codes.tobytes() in originals for codes in made) < 150


def test_records_of_one_length_keep_letters_that_all_share():
    text = b"ACGTACGTAC"
    records = [text[:4] + RNG.choice(list(b"ACGT"), 3).astype(np.uint8).tobytes() + text[7:] for _ in range(30)]
    made = recombined(Sequences.from_codes([encode(r, DNA) for r in records]), 200, RNG)
    fixed = encode(text, DNA)
    assert all((codes[:4] == fixed[:4]).all() and (codes[7:] == fixed[7:]).all() for codes in made)


def test_the_blend_of_binary_experts_is_logistic_regression():
    n = 4000
    truth = RNG.integers(0, 2, n).astype(float)
    experts = [((truth * 2 - 1) * s + RNG.normal(size=n))[:, None].astype(np.float32) for s in (1.0, 0.5)]
    task = fit_task("binary", ("no", "yes"), truth[:, None], {})
    blend = fit_blend(task, experts, truth[:, None])
    reference = LogisticRegression(C=np.inf).fit(np.hstack(experts), truth)
    np.testing.assert_allclose(blend.weights, reference.coef_[0], rtol=0.02)
    np.testing.assert_allclose(blend.offset, reference.intercept_, atol=0.02)


def test_an_expert_of_noise_gets_no_say_and_each_fold_is_weighed_by_the_others():
    n = 1500
    truth = RNG.integers(0, 3, n).astype(float)
    good = (np.eye(3)[truth.astype(int)] * 3 + RNG.normal(size=(n, 3))).astype(np.float32)
    noise = RNG.normal(size=(n, 3)).astype(np.float32)
    fold = np.arange(n) % 3
    task = fit_task("multiclass", tuple("abc"), truth[:, None], {})
    logits, blend = blended(task, [good, noise], truth[:, None], fold)
    assert blend.weights[1] < 0.1 * blend.weights[0]
    others = fit_blend(task, [good[fold != 1], noise[fold != 1]], truth[fold != 1][:, None])
    np.testing.assert_allclose(logits[fold == 1], others([good[fold == 1], noise[fold == 1]]), rtol=1e-5)


@pytest.mark.parametrize("name, labels", [("binary", "ab"), ("multiclass", "abc"), ("multilabel", "abc")])
def test_imitation_is_the_kullback_leibler_divergence(name, labels):
    targets = RNG.integers(0, 2, (20, len(labels) if name == "multilabel" else 1)).astype(float)
    task = fit_task(name, tuple(labels), targets, {})
    mine, theirs = (torch.randn(20, task.outputs) for _ in range(2))
    if name == "multiclass":
        p, q = theirs.softmax(1), mine.softmax(1)
        expected = (p * (p / q).log()).sum(1)
    else:
        p, q = theirs.sigmoid(), mine.sigmoid()
        expected = (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).sum(1)
    imitation = Imitation(tuple(labels), task)
    torch.testing.assert_close(imitation.record_loss(mine, theirs), expected, atol=1e-5, rtol=1e-4)
    assert imitation.record_loss(theirs, theirs).abs().max() < 1e-6
    assert imitation.metrics(theirs.numpy(), theirs.numpy())["agreement"] == pytest.approx(1.0)


def test_few_widths_are_enough_for_many_lengths():
    widths = {common_width(n) for n in range(1, 2001)}
    assert all(n <= common_width(n) <= n * 9 / 8 + 1 for n in range(1, 2001))
    assert len(widths) < 80


def test_a_shared_progress_adds_up_and_can_be_stopped():
    told = []
    inner = Silent()
    inner.start = lambda what, steps: told.append((what, steps))
    inner.step = lambda done, text: told.append(done)
    shared = Shared(inner, 2, "folds")
    one, other = shared.part(), shared.part()
    one.start("a", 10)
    other.start("b", 10)
    one.step(4, "")
    other.step(3, "")
    one.step(5, "")
    assert told == [("folds", 20), 4, 7, 8]
    shared.stop()
    with pytest.raises(KeyboardInterrupt, match=r"^$"):
        one.step(6, "")


def test_sequences_are_taught_by_default_and_one_network_is_saved(quick, tmp_path):
    data = planted(110)
    model = train(data, TrainOptions(folds=3), progress=False)
    taught = model.record.options["teacher"]
    assert taught["networks"] == 3 and taught["made_up"] >= 2000 and taught["agreement"] > 0.9
    assert set(taught["weights"]) == {"networks", "kmer", "kernel"} and taught["weights"]["networks"] > 0
    assert model.record.out_of_fold["n"] == len(data) and model.record.conformity is not None
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(load(tmp_path / "m.safetensors").predict(data), model.predict(data))
    assert type(model.network).__name__ == "Motif"


def test_teaching_is_the_same_for_the_same_seed(quick):
    data = planted(60)
    one, two = (train(data, TrainOptions(folds=2), progress=False) for _ in range(2))
    np.testing.assert_array_equal(one.predict(data), two.predict(data))
    np.testing.assert_array_equal(one.record.oof.logits, two.record.oof.logits)


def test_a_network_that_is_shaped_by_hand_is_not_taught():
    data = planted(30)
    for options in (TrainOptions(epochs=1, folds=0), TrainOptions(members=1, folds=0, network="motif", epochs=1)):
        assert "teacher" not in train(data, options, progress=False).record.options


def test_teachers_that_are_given_validation_records_are_blended_on_them(quick):
    data = planted(60)
    model = train(
        data, TrainOptions(members=2, folds=0), valid=planted(20, seed=5), test=planted(20, seed=6), progress=False
    )
    assert model.record.options["teacher"]["networks"] == 2
    assert model.record.oof is None and model.record.figures["n"] == 40
    assert model.record.counts == {"train": 120, "valid": 40, "test": 40}


def test_ctrl_c_among_the_teachers_keeps_one_of_them(quick, monkeypatch):
    plain, calls = folding.learn, []

    def learn(*arguments, **more):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return plain(*arguments, **more)

    monkeypatch.setattr(folding, "learn", learn)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    data = planted(40)
    model = train(data, TrainOptions(folds=4), progress=False)
    assert any("interrupted among the teachers" in note for note in model.record.notes)
    assert len(calls) == 3 and model.record.oof is None and np.isfinite(model.predict(data)).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_teachers_side_by_side(monkeypatch, threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(folding, "workers", lambda *_: threads)
    told = []

    class Pressing(Silent):
        def step(self, done, text):
            told.append(done)
            if len(told) == 40:
                raise KeyboardInterrupt

    data = planted(40)
    plan, _ = plan_training(data, TrainOptions(), split(data, valid=0.1, test=0, seed=0), Silent())
    with pytest.raises(folding.InterruptedFolds, match=r"^$"):
        folding.out_of_fold(plan, data, np.arange(80) % 4, progress=Pressing(), taught=True)
    assert len(told) < 60
