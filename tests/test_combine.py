"""--combine average: several networks side by side answer as the mean of what each would have answered."""

import json

import numpy as np
import pytest
import torch
from test_training import as_data, pictures, planted

from seqcnn import find_motifs, load
from seqcnn.alphabet import PROTEIN
from seqcnn.cli import main
from seqcnn.errors import OptionError
from seqcnn.inference.predict import predict_logits
from seqcnn.networks import create
from seqcnn.options import TrainOptions
from seqcnn.registry import names
from seqcnn.reporting.recipe import built, trained
from seqcnn.tasks import fit_task
from seqcnn.training.pooling import pooled
from seqcnn.workflow import combined
from seqcnn.workflow.train import train

RNG = np.random.default_rng(5)


def quick(**more):
    """Return options of a short training."""
    return TrainOptions(**{"combine": "average", "epochs": 2, "positions": "free", "strands": "both"} | more)


@pytest.fixture
def seen(monkeypatch):
    """Keep what is averaged: plan, members and out-of-fold answers."""
    kept = []
    plain = combined.average

    def average(*parts):
        kept.append(parts)
        return plain(*parts)

    monkeypatch.setattr(combined, "average", average)
    return kept


def by_hand(plan, members, raw):
    """Return the mean of the members' logits, each on its scale, from each network by itself."""
    total = 0.0
    for one in members:
        logits = predict_logits(plan.encoder, one.learned.network, raw, strands=plan.strands).astype(np.float64)
        layer = one.learned.calibration if one.scale is None else one.scale
        total = total + logits * layer.scale.numpy() + layer.bias.numpy()
    return total / len(members)


@pytest.mark.parametrize(
    "more",
    [{"folds": 3}, {"folds": 2, "strands": "forward", "positions": "aware"}, {"folds": 0, "members": 2}],
    ids=["both strands", "by place", "without folds"],
)
def test_the_average_is_the_mean_of_its_members_and_reloads_as_it_is(seen, tmp_path, more):
    data = planted(40)  # lengths are uneven
    model = train(data, quick(**more), progress=False)
    [(plan, members, folded)] = seen
    assert model.record.options["combined"] == {"networks": len(members), "how": "average"}
    assert len(members) == (more["folds"] or more["members"]) == len(model.network.members)
    mean = by_hand(plan, members, data.raw)
    expected = mean * folded.calibration.scale.numpy() + folded.calibration.bias.numpy()
    np.testing.assert_allclose(model.logits(data), expected, atol=2e-5, rtol=1e-4)
    assert model.network.filters.out_channels == sum(m.learned.network.filters.out_channels for m in members)
    assert model.network.fixed_width == members[0].learned.network.fixed_width
    model.save(tmp_path / "m.safetensors")
    again = load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    assert "mean of their logits" in trained(again) and "Average: networks" in built(again)
    assert model.record.conformity is not None and "teacher" not in model.record.options


def test_out_of_fold_answers_are_those_of_one_network_without_k_mers(seen):
    data = planted(40)
    model = train(data, quick(folds=3), progress=False)
    [(plan, members, folded)] = seen
    standardized = np.zeros_like(folded.logits)
    for one in members:
        standardized[one.held] = by_hand(plan, [one], data.take(one.held).raw)
    expected, _ = pooled(plan.task, standardized, data.targets, folded.fold)
    np.testing.assert_allclose(model.record.oof.logits, expected, atol=2e-5, rtol=1e-4)
    assert folded.blend is None and set(model.baselines) == {"gc", "kmer"}


def test_numbers_are_averaged_in_the_units_of_the_final_task(seen):
    records = [RNG.integers(0, 4, int(n)).astype(np.uint8) for n in RNG.integers(30, 50, 60)]
    heavy = np.exp(3 * RNG.normal(size=60))
    data = as_data(records, heavy, task="regression", labels=("activity",))
    model = train(data, quick(folds=2), progress=False)
    [(plan, members, folded)] = seen
    assert plan.task.transforms == ("log",) and folded.calibration is None
    assert all(one.plan.task.config() == model.task.config() for one in members)
    np.testing.assert_allclose(model.logits(data), by_hand(plan, members, data.raw), atol=2e-5, rtol=1e-4)
    low, high = model.task.low, model.task.high
    assert np.isfinite(model.predict(data)).all() and len(low) == len(high) == 1


def test_given_validation_records_calibrate_the_average(seen):
    data, given = planted(30), planted(20, seed=3)
    model = train(data, quick(members=2, folds=0), valid=given, test=planted(10, seed=4), progress=False)
    [(plan, members, folded)] = seen
    assert [one.number for one in members] == [0, 0] and model.record.oof is None
    mean = by_hand(plan, members, given.raw).astype(np.float32)
    _, layer = pooled(plan.task, mean, given.targets, np.zeros(len(given), np.int64))
    np.testing.assert_allclose(model.calibration.scale, layer.scale, rtol=1e-3)
    np.testing.assert_allclose(folded.logits, model.logits(given), atol=1e-4)
    assert model.record.counts == {"train": 60, "valid": 40, "test": 20}


@pytest.mark.parametrize(
    "network, data",
    [("deepbind", planted(30)), ("residual", pictures(12)), ("auto", pictures(12))],
    ids=["deepbind", "residual", "few pictures"],
)
def test_every_network_that_is_trained_in_steps_can_be_averaged(network, data):
    options = TrainOptions(combine="average", network=network, epochs=1, members=2, folds=0, baselines=False)
    model = train(data, options, progress=False)
    assert type(model.network).__name__ == "Average" and model.network.config["count"] == 2
    assert model.network.config["member"] == ("residual" if network == "auto" else network)
    assert not model.baselines and np.isfinite(model.predict(data)).all()


def test_proteins_are_averaged_too():
    records = [RNG.integers(0, PROTEIN.size, int(n)).astype(np.uint8) for n in RNG.integers(20, 60, 60)]
    data = as_data(records, RNG.integers(0, 3, 60), task="multiclass", labels=tuple("abc"), alphabet=PROTEIN)
    options = TrainOptions(combine="average", epochs=1, members=2, folds=0, positions="free")
    model = train(data, options, progress=False)
    assert model.network.config["member_options"]["padded"]
    np.testing.assert_allclose(model.predict(data).sum(1), 1, atol=1e-5)


def test_the_filters_of_all_are_those_that_motifs_come_from():
    model = train(planted(40), quick(folds=2), progress=False)
    own = torch.cat([member.filters.weight for member in model.network.members])
    assert torch.equal(model.network.filters.weight, own)
    for member in model.network.members:
        torch.nn.init.zeros_(member.filters.weight)
    two = model.network.members[1].filters  # one filter that reads TGACTCA, in the second network alone
    for at, letter in enumerate([3, 2, 0, 1, 3, 1, 0]):
        two.weight.data[5, letter, 0, at] = 1.0
    found = find_motifs(model, planted(40), database=None)
    assert any("TGACTCA" in motif.motif.consensus for motif in found)
    assert all(set(motif.filters) <= set(range(len(own))) for motif in found)


def test_silencing_a_filter_changes_the_answer_by_the_share_of_its_network():
    torch.manual_seed(0)
    network = create(
        "average", in_channels=4, outputs=1, width=60, member_options={"filters": 8, "context": 4}, count=2
    ).eval()
    network.scale[1] = 3.0
    x = torch.eye(4)[torch.randint(0, 4, (3, 60))].mT
    with torch.no_grad():
        activations = network.filter_activations(x)
        silenced = activations.clone()
        silenced[:, 8 + 2] = 0
        second = network.members[1]
        alone = second.forward_with_filters(silenced[:, 8:]) - second(x)
        torch.testing.assert_close(network.forward_with_filters(silenced) - network(x), alone * 3 / 2)
    assert silenced.ne(activations).any()


def test_an_interrupted_average_is_one_of_its_members(monkeypatch):
    from seqcnn.training import folding

    plain, calls = folding.learn, []

    def learn(*arguments, **more):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(*arguments, **more)

    monkeypatch.setattr(folding, "learn", learn)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    model = train(planted(30), quick(folds=3), progress=False)
    assert any("interrupted among the networks to be averaged" in note for note in model.record.notes)
    assert type(model.network).__name__ == "Motif" and "combined" not in model.record.options


def test_a_single_fold_is_calibrated_by_itself():
    truth = RNG.integers(0, 2, (200, 1)).astype(float)
    logits = ((truth * 2 - 1) * 3 + RNG.normal(size=(200, 1))).astype(np.float32)
    task = fit_task("binary", ("no", "yes"), truth, {})
    out, layer = pooled(task, logits, truth, np.zeros(200, np.int64))
    np.testing.assert_allclose(out, layer(torch.from_numpy(logits)).numpy())


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(OptionError, match=r"^--combine average: one network has no others .*pass --members 2 or more"):
        TrainOptions(combine="average", members=1)
    for folds, there in ((3, 3), (None, 5)):
        with pytest.raises(OptionError, match=rf"^--members 2: there are {there} folds.*pass --folds 0"):
            train(planted(40), quick(members=2, folds=folds), progress=False)
    with pytest.raises(OptionError, match=r"--combine: .*did you mean 'average'"):
        TrainOptions(combine="averge")
    with pytest.raises(OptionError, match=r"^--network average: is made of several networks.*pass --combine average"):
        TrainOptions(network="average")
    for network in ("kmer", "composition"):
        with pytest.raises(OptionError, match=rf"^--combine average: the {network} network is fitted at once.*motif"):
            train(planted(20), TrainOptions(combine="average", network=network), progress=False)
    with pytest.raises(OptionError, match=r"^--combine average: the rocket network is fitted at once.*residual"):
        train(pictures(12), TrainOptions(combine="average", network="rocket"), progress=False)


def test_the_average_is_not_listed_and_its_config_is_plain(capsys):
    assert "average" not in names("network")
    assert main(["networks"]) == 0
    assert "average" not in [line.split()[0] for line in capsys.readouterr().out.splitlines() if line]
    network = create("average", in_channels=4, outputs=2, member="deepbind", member_options={"filters": 3}, count=2)
    assert create("average", **json.loads(json.dumps(network.config))).config == network.config
    with pytest.raises(OptionError, match="count.*1 or more"):
        create("average", in_channels=4, outputs=1, count=0)
    assert create("average", in_channels=4, outputs=1, member="kmer", count=2).filters is None
