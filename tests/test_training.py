"""Tests of training: the loop, calibration, selection, seeding, and the verb train on tiny data."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seqcnn.alphabet import DNA, PROTEIN
from seqcnn.data.dataset import Dataset
from seqcnn.data.hashes import record_hashes
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import DataError, OptionError, OutOfMemoryError, SeqcnnError, TrainingError
from seqcnn.motifs.activations import FirstLayer, strongest_sites
from seqcnn.networks import create
from seqcnn.options import TrainOptions
from seqcnn.runtime import seeded
from seqcnn.sequence import Sequences, reverse_complement
from seqcnn.tasks import fit_task
from seqcnn.training import learner, loop, pieces
from seqcnn.training.calibrate import fit_calibration
from seqcnn.training.loop import fit
from seqcnn.training.planning import varying
from seqcnn.training.precision import pick_precision
from seqcnn.training.schedule import Recipe, parameter_groups
from seqcnn.training.seeding import enriched_motifs
from seqcnn.training.selection import Probes, better, choose_positions, choose_strands
from seqcnn.workflow.train import train

MOTIF = np.array([0, 1, 1, 2, 3, 0, 2, 2, 1])  # ACCGTAGGC
FAST = TrainOptions(epochs=2, strands="both", positions="free", test=("0.2",), precision="32")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def planted(n=120, *, length=60, strands=True, place=None, seed=0, motif=MOTIF):
    """Return a binary Dataset whose positives hold the motif, on either strand unless told, anywhere unless told."""
    rng = np.random.default_rng(seed)
    records = [rng.integers(0, 4, length + int(rng.integers(0, 9)), dtype=np.uint8) for _ in range(2 * n)]
    for record in records[n:]:
        at = int(rng.integers(0, length - len(motif))) if place is None else place
        record[at : at + len(motif)] = motif
        if strands and rng.random() < 0.5:
            record[:] = reverse_complement(record, DNA)
    return as_data(records, np.repeat([0.0, 1.0], n))


def as_data(records, target, task="binary", labels=("without", "with"), alphabet=DNA):
    ids = tuple(f"r{i}" for i in range(len(records)))
    targets = np.asarray(target, float).reshape(len(records), -1)
    return Dataset("codes", Sequences.from_codes(records), ids, targets, task, labels, alphabet, negatives="file")


def pictures(n=60, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 60, (3 * n, 1, 16, 18), dtype=np.uint8)
    target = np.repeat([0.0, 1.0, 2.0], n)
    for k in (1, 2):
        pixels[target == k, :, 3:9, 4 * k : 4 * k + 3] += 150
    ids = tuple(map(str, range(3 * n)))
    return Dataset("pixels", pixels, ids, target[:, None], "multiclass", ("none", "left", "right"))


def run(data, *, recipe=None, seed=0, network=None, **more):
    with seeded(seed):
        net = create("deepbind", in_channels=4, outputs=1, filters=8, filter_width=11, **(network or {}))
    task = fit_task("binary", data.labels, data.targets)
    index = np.random.default_rng(1).permutation(len(data))
    cut = len(data) // 5
    recipe = recipe or Recipe(epochs=3, batch_size=16, lr=3e-3)
    arguments = {"train": index[cut:], "valid": index[:cut], "recipe": recipe, "precision": "32", "seed": seed} | more
    return net, fit(net, OneHot("dna"), task, data, **arguments)


# --- the loop -------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights_and_leaves_the_callers_random_state():
    data = planted(40)
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    before, numpys = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, one = run(data)
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpys).all()  # noqa: NPY002
    torch.manual_seed(5)
    second, two = run(data)
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name
    assert one.history == two.history
    third, _ = run(data, seed=1)
    assert not torch.equal(first.filters.weight, third.filters.weight)


def test_a_batch_in_pieces_takes_the_same_step(monkeypatch):
    data = planted(40)
    recipe = Recipe(epochs=1, batch_size=24, lr=3e-3)
    whole, _ = run(data, recipe=recipe, network={"dropout": 0})
    sizes = []
    plain = pieces.rectangle
    monkeypatch.setattr(pieces, "rectangle", lambda raw, part, **k: sizes.append(len(part)) or plain(raw, part, **k))
    monkeypatch.setitem(pieces._PIECE_BYTES, "cpu", 10 * 8 * 4 * 69)  # ten records of eight filters
    divided, _ = run(data, recipe=recipe, network={"dropout": 0})
    assert set(sizes) == {8}
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(tensor, divided.state_dict()[name], atol=1e-5, rtol=1e-4)


def test_history_names_each_epoch_and_the_best_weights_are_kept():
    data = planted(60)
    net, found = run(data, recipe=Recipe(epochs=6, batch_size=16, lr=0.03))
    assert [h["epoch"] for h in found.history] == list(range(1, len(found.history) + 1))
    assert {"loss", "lr", "valid_loss", "auroc"} <= set(found.history[0])
    losses = [h["valid_loss"] for h in found.history]
    assert found.best_epoch == 1 + int(np.argmin(losses))
    again, shorter = run(data, recipe=Recipe(epochs=6, batch_size=16, lr=0.03, patience=1))
    assert len(shorter.history) <= len(found.history)
    assert net.training == again.training


def test_training_without_a_validation_part_keeps_the_last_weights():
    _, found = run(planted(20), valid=np.zeros(0, np.int64))
    assert found.best_epoch == 3 and "valid_loss" not in found.history[0]
    assert found.calibration.scale.item() == pytest.approx(1)


def test_the_last_weights_are_kept_where_the_recipe_asks_for_them():
    data = planted(60)
    recipe = Recipe(epochs=15, batch_size=16, lr=0.1)
    best, found = run(data, recipe=recipe)
    last, again = run(data, recipe=replace(recipe, latest=True))
    assert found.best_epoch < again.best_epoch == len(again.history) == 15
    assert any((p != q).any() for p, q in zip(best.parameters(), last.parameters(), strict=True))


def test_ctrl_c_keeps_the_best_model_so_far(monkeypatch):
    calls = []
    plain = loop._Run._step

    def interrupted(self, *arguments):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return plain(self, *arguments)

    monkeypatch.setattr(loop._Run, "_step", interrupted)
    _, found = run(planted(80), recipe=Recipe(epochs=50, batch_size=16))
    assert found.interrupted and len(found.history) == 3
    assert "interrupted in epoch 4 of 50: epoch" in found.notes[0]


def test_ctrl_c_before_the_first_epoch_stops(monkeypatch):
    def interrupted(self, *arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop._Run, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt, match="^$"):
        run(planted(20))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory: you tried to allocate"),
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
    ],
)
def test_out_of_memory_names_the_batch_size_that_fits(monkeypatch, error):
    plain = loop._Run._step

    def small_memory(self, indices, *arguments):
        if len(indices) > 10:
            raise error
        return plain(self, indices, *arguments)

    monkeypatch.setattr(loop._Run, "_step", small_memory)
    with pytest.raises(OutOfMemoryError, match="batches of 64 records do not fit in memory; 8 do: pass --batch-size 8"):
        run(planted(60), recipe=Recipe(epochs=1, batch_size=64))


def test_other_errors_pass_through(monkeypatch):
    def broken(self, *arguments):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loop._Run, "_step", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        run(planted(20))


def test_a_loss_that_is_not_finite_is_tried_again_slower_then_refused(monkeypatch):
    plain, calls = loop._Run._step, []

    def sometimes(self, *arguments):
        calls.append(self.recipe.lr)
        return plain(self, *arguments) + (float("nan") if self.recipe.lr > 1e-3 else 0.0)

    monkeypatch.setattr(loop._Run, "_step", sometimes)
    _, found = run(planted(40))
    assert "not finite; trained again" in found.notes[0] and calls[-1] == pytest.approx(3e-4)
    monkeypatch.setattr(loop._Run, "_step", lambda self, *arguments: plain(self, *arguments) * float("nan"))
    with pytest.raises(TrainingError, match="not even at a learning rate of 0.0003"):
        run(planted(40))


def test_the_library_under_the_loop_says_nothing(capfd):
    run(planted(20), precision="bf16")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("lightning_fabric").level in (logging.NOTSET, logging.INFO, logging.WARNING)


def test_only_matrices_decay():
    network = create("deepbind", in_channels=4, outputs=1)
    matrices, vectors = parameter_groups(network, 0.1)
    assert matrices["weight_decay"] == 0.1 and all(p.dim() > 1 for p in matrices["params"])
    assert vectors["weight_decay"] == 0 and all(p.dim() < 2 for p in vectors["params"])


def test_bf16_is_chosen_only_where_the_machine_computes_in_it(monkeypatch):
    for able in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda able=able: able)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert pick_precision("auto", torch.device("cpu")) == ("bf16" if able else "32")
    assert pick_precision("32", torch.device("cpu")) == "32"


# --- calibration ----------------------------------------------------------------------------------------------------


def test_calibration_finds_the_scale_and_offset_that_made_the_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (4000, 1)).astype(np.float32)
    truth = (rng.random((4000, 1)) < 1 / (1 + np.exp(-(0.5 * logits - 1)))).astype(float)
    task = fit_task("binary", ("a", "b"), truth)
    layer = fit_calibration(task, logits, task.encode(truth))
    assert layer.scale.item() == pytest.approx(0.5, abs=0.05) and layer.bias.item() == pytest.approx(-1, abs=0.15)


def test_calibration_undoes_class_weights_without_any_record():
    task = fit_task("binary", ("a", "b"), np.repeat([0.0, 1.0], [90, 30])[:, None])
    layer = fit_calibration(task, np.zeros((0, 1), np.float32), np.zeros((0, 1), np.float32))
    assert layer.bias.item() == pytest.approx(-np.log(3), abs=1e-4) and layer.scale.item() == pytest.approx(1)


@pytest.mark.parametrize("sign", [1, -1])
def test_calibration_stays_finite_and_keeps_the_order(sign):
    truth = np.repeat([0.0, 1.0], 40)[:, None]
    task = fit_task("binary", ("a", "b"), truth)
    layer = fit_calibration(task, (sign * (truth * 9 - 4)).astype(np.float32), task.encode(truth))
    assert torch.isfinite(layer.scale).all() and 0 < layer.scale.item() < 50


def test_calibration_of_several_classes_has_one_temperature():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (600, 1)).astype(float)
    task = fit_task("multiclass", ("a", "b", "c"), truth)
    logits = 5 * (np.eye(3)[truth[:, 0].astype(int)] + rng.normal(0, 1, (600, 3))).astype(np.float32)
    layer = fit_calibration(task, logits, task.encode(truth))
    z, t = torch.from_numpy(logits), torch.from_numpy(task.encode(truth))
    assert task.record_loss(layer(z), t).mean() < task.record_loss(z, t).mean()
    assert len(set(layer.scale.tolist())) == 1 and layer.scale[0] < 1


# --- selection ------------------------------------------------------------------------------------------------------


def test_better_needs_both_significance_and_size():
    rng = np.random.default_rng(0)
    base = rng.random(1000)
    assert better(base, base * 0.9)[0]
    assert not better(base, base * 0.999)[0]
    assert not better(base, base + rng.normal(0, 1, 1000))[0]


@pytest.mark.parametrize("strands", [True, False])
def test_strands_are_found(strands):
    data = planted(400, strands=strands)
    task = fit_task("binary", data.labels, data.targets)
    assert choose_strands(Probes(data, task)).chosen == ("both" if strands else "forward")


@pytest.mark.parametrize("strands", ["both", "forward"])
def test_positions_are_found(strands):
    free, fixed = planted(400, strands=False), planted(400, strands=False, place=12, motif=MOTIF[:3])
    for data, chosen in ((free, "free"), (fixed, "aware")):
        task = fit_task("binary", data.labels, data.targets)
        choice = choose_positions(Probes(data, task), strands=strands)
        assert choice.chosen == chosen and {"free", "aware", "z"} <= set(choice.figures)


def test_the_network_has_the_last_word_on_positions_that_explain_something(monkeypatch):
    data = planted(400, strands=False, place=12, motif=MOTIF[:3])
    monkeypatch.setattr("seqcnn.training.selection._MUCH", 1.0)
    task = fit_task("binary", data.labels, data.targets)
    choice = choose_positions(
        Probes(data, task), strands="forward", trial=lambda aware: np.ones(50) + np.arange(50) / 100
    )
    assert choice.chosen == "free" and choice.figures["screening"]["aware"] < choice.figures["screening"]["free"]


def test_nothing_to_learn_is_both_and_free():
    data = planted(300, strands=False, seed=4)
    data = replace(data, targets=np.random.default_rng(0).permutation(data.targets))
    task = fit_task("binary", data.labels, data.targets)
    assert choose_strands(Probes(data, task)).chosen == "both"
    assert choose_positions(Probes(data, task), strands="both").chosen == "free"


# --- seeding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("both", [True, False])
def test_an_enriched_motif_is_found_and_shuffles_give_none(both):
    data = planted(300, strands=both)
    codes = np.minimum(data.raw.rectangle()[0], 4)
    found = enriched_motifs(codes[300:], codes[:300], width=15, n=2, alphabet=DNA, both=both)
    word = "".join(map(str, found[0].argmax(0)))
    wanted = ["".join(map(str, MOTIF)), "".join(map(str, 3 - MOTIF[::-1]))]
    assert any(w in word for w in (wanted if both else wanted[:1]))
    assert enriched_motifs(codes[:150], codes[150:300], width=15, n=2, alphabet=DNA, both=both) == []


# --- the verb -------------------------------------------------------------------------------------------------------


def test_train_gives_a_model_with_test_figures_and_baselines():
    data = planted(200)
    model = train(data, FAST, command="seqcnn train with.fa without.fa")
    record = model.record
    assert record.counts["test"] == 80 and sum(record.counts.values()) == 400
    assert record.n_per_class["with"] + record.n_per_class["without"] == record.counts["train"]
    assert set(record.figures["baselines"]) == set(model.baselines) == {"gc", "kmer"}
    assert record.figures["source"] == "test data" and record.figures["n"] == 80
    assert record.choices["strands"] == {"chosen": "both", "how": "given", "figures": {}}
    assert len(record.history) == 2 and record.options["best_epoch"] in (1, 2)
    hashes = record_hashes(data.raw, DNA)
    assert len(record.trained_hashes) == 320 and np.isin(record.trained_hashes, hashes).all()
    assert model.predict(data).shape == (400,)


def test_the_same_seed_gives_the_same_model():
    data = planted(60)
    one, two = train(data, FAST), train(data, FAST)
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(tensor, two.network.state_dict()[name])
    np.testing.assert_array_equal(one.predict(data), two.predict(data))
    assert one.record.figures == two.record.figures


def test_few_records_get_out_of_fold_figures_for_each_record():
    data = planted(60)
    model = train(data, replace(FAST, test=(), folds=3))
    oof = model.record.oof
    assert model.record.figures is None and model.record.out_of_fold["source"] == "out-of-fold"
    assert model.record.out_of_fold["n"] == 120 == len(oof.logits) and oof.ids == data.ids
    assert np.isfinite(oof.logits).all() and set(oof.baselines) == {"gc", "kmer"}
    assert (oof.hashes == record_hashes(data.raw, DNA)).all()
    assert model.record.counts == {"train": 108, "valid": 12, "test": 0}


def test_no_record_is_predicted_by_a_fold_that_saw_it(monkeypatch):
    from seqcnn.training import folding

    data, seen = planted(40), {}
    plain_learn, plain_predict = learner.learn, folding.predict

    def spying(plan, records, *, train, valid, **more):
        learned = plain_learn(plan, records, train=train, valid=valid, **more)
        known = records.take(np.concatenate([train, valid])).raw
        seen[id(learned.network)] = set(record_hashes(known, DNA).tolist())
        return learned

    def checking(plan, learned, raw, **more):
        assert not seen[id(learned.network)] & set(record_hashes(raw, DNA).tolist())
        return plain_predict(plan, learned, raw, **more)

    monkeypatch.setattr(folding, "learn", spying)
    monkeypatch.setattr(folding, "predict", checking)
    train(data, replace(FAST, test=(), folds=2, epochs=1, baselines=False))
    assert len(seen) == 2


def test_given_valid_and_test_records_are_used_and_duplicates_counted():
    data, valid, test = planted(60), planted(20, seed=8), planted(25, seed=9)
    records = list(test.raw)
    records[:3] = [data.raw[0], reverse_complement(data.raw[1], DNA), data.raw[2]]
    test = replace(test, raw=Sequences.from_codes(records))
    model = train(data, replace(FAST, test=()), valid=valid, test=test)
    assert model.record.counts == {"train": 120, "valid": 40, "test": 50}
    assert model.record.figures["n"] == 47 and model.record.figures["excluded"] == {"trained_on": 3}
    assert any(note.startswith("3 test records are also among") for note in model.record.notes)


def test_parts_of_the_data_are_obeyed():
    data = planted(60)
    parts = np.where(np.arange(120) % 3 == 0, "test", "train")
    model = train(replace(data, parts=parts), replace(FAST, test=(), split="column:part"))
    assert model.record.counts["test"] == 40 and model.record.counts["valid"] == 8
    with pytest.raises(OptionError, match="column:part: the data name no parts"):
        train(data, replace(FAST, split="column:part"))


@pytest.mark.parametrize("task", ["regression", "multilabel", "multiclass"])
def test_other_tasks_train(task):
    data = planted(60)
    rng = np.random.default_rng(0)
    hit = data.targets[:, 0]
    targets, labels = {
        "regression": (np.c_[np.exp(3 * rng.normal(size=120) + hit), hit + rng.normal(size=120)], ("u", "v")),
        "multilabel": (np.c_[hit, rng.integers(0, 2, 120)], ("x", "y")),
        "multiclass": (hit + (rng.random(120) < 0.3), ("a", "b", "c")),
    }[task]
    targets = np.asarray(targets, float).reshape(120, -1)
    if task != "multiclass":
        targets[5, 1] = np.nan
    targets[7] = np.nan
    model = train(replace(data, targets=targets, task=task, labels=labels), replace(FAST, test=(), folds=2, epochs=1))
    assert model.predict(data).shape == (120, len(model.task.columns))
    assert "1 records without a target were left out" in model.record.notes
    assert model.record.oof.truth.shape == (119, targets.shape[1])
    assert any("heavy-tailed" in note for note in model.record.notes) == (task == "regression")


def test_pictures_train_through_lenet():
    model = train(pictures(), TrainOptions(network="lenet", epochs=6, test=("0.2",), precision="32"))
    assert type(model.network).__name__ == "LeNet" and model.record.figures["metrics"]["accuracy"] > 0.6
    assert set(model.baselines) == {"composition"} and model.strands == "forward"


def test_proteins_train_forward():
    rng = np.random.default_rng(0)
    records = [rng.integers(0, 20, rng.integers(12, 60), dtype=np.uint8) for _ in range(80)]
    data = as_data(records, np.repeat([0, 1], 40), alphabet=PROTEIN)
    model = train(data, TrainOptions(epochs=1, test=("0.2",), positions="free", precision="32"))
    assert model.strands == "forward" and set(model.baselines) == {"composition", "kmer"}
    with pytest.raises(OptionError, match="--strands both: these records have no other strand"):
        train(data, TrainOptions(strands="both"))


def test_a_position_aware_model_has_the_window_of_the_longest_record():
    model = train(planted(40), replace(FAST, positions="aware", strands="forward", epochs=1))
    assert model.fixed_width == planted(40).lengths.max()
    assert model.predict(["ACGT" * 5]).shape == (1,)


@pytest.mark.parametrize("network", ["kmer", "composition", "deepbind", "basset"])
def test_any_network_goes_through_the_same_verb(network):
    data = planted(60, length=150)
    model = train(data, replace(FAST, network=network, positions="auto", epochs=1))
    assert type(model.network).__name__.lower() == network
    assert model.predict(data).shape == (120,)
    assert model.record.choices["positions"]["chosen"] in ("fixed", "free", "aware")


def test_rare_classes_are_weighed_and_the_probabilities_calibrated():
    data = planted(300)
    data = data.take(np.r_[np.arange(300), 300 + np.arange(60)])
    model = train(data, replace(FAST, epochs=12))
    assert model.task.class_weights[1] / model.task.class_weights[0] == pytest.approx(5, rel=0.1)
    assert model.predict(data).mean() == pytest.approx(1 / 6, abs=0.07)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"valid": ("0.6",), "test": ("0.5",)}, "--valid 0.6 --test 0.5: no record would be left"),
        ({"test": ("1.5",)}, "--test: expected one fraction from 0 to below 1, or files, found 1.5"),
        ({"valid": ("some.fa",)}, "--valid: expected a fraction, or a data set that was read from 'some.fa'"),
        ({"network": "lenet", "positions": "aware"}, "the lenet network has no such choice"),
    ],
)
def test_options_that_do_not_suit_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        train(planted(20), TrainOptions(**options))


def test_data_are_refused_before_any_training(monkeypatch):
    monkeypatch.setattr(loop, "fit", None)
    with pytest.raises(DataError, match="class 'without': expected 10 records or more, found 9"):
        train(planted(9))


def test_a_second_ctrl_c_stops_and_the_first_leaves_the_baselines_out(monkeypatch):
    from seqcnn.workflow import train as verb

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "fit_baselines", interrupted)
    model = verb.train(planted(40), replace(FAST, epochs=1))
    assert not model.baselines and "interrupted: the baselines were left out" in model.record.notes


@pytest.mark.parametrize("where", ["figures", "calibration"])
def test_ctrl_c_after_the_last_epoch_keeps_the_model(where, monkeypatch):
    from seqcnn.workflow import train as verb

    pressed = []

    def once(plain, number):
        def run(*arguments, **more):
            pressed.append(1)
            if len(pressed) == number:
                raise KeyboardInterrupt
            return plain(*arguments, **more)

        return run

    if where == "figures":
        monkeypatch.setattr(verb, "evaluate", once(verb.evaluate, 1))
    else:  # the first calibration steers the only epoch, the second is the model's
        monkeypatch.setattr(loop, "fit_calibration", once(loop.fit_calibration, 2))
    options = replace(FAST, epochs=1, strands="forward", positions="free", test=("0.2",))
    model = verb.train(planted(40), options)
    assert model.predict(planted(5)).shape == (10,)
    assert any("interrupted" in note for note in model.record.notes)


def test_splice_sites_are_forward_and_position_aware():
    path = Path(__file__).parents[2] / "shared" / "data" / "splice_uci" / "splice.csv.gz"
    if not path.exists():
        pytest.skip("the real data are not beside this checkout")
    import csv
    import gzip

    from seqcnn.sequence import encode

    with gzip.open(path, "rt") as stream:
        rows = list(csv.reader(stream))[1:]
    labels = ("EI", "IE", "N")
    records = [encode(row[2].strip(), DNA) for row in rows]
    data = as_data(records, [labels.index(row[0].strip()) for row in rows], "multiclass", labels)
    data = data.take(np.random.default_rng(0).permutation(len(data))[:1200])
    task = fit_task("multiclass", labels, data.targets)
    assert choose_strands(Probes(data, task)).chosen == "forward"
    assert choose_positions(Probes(data, task), strands="forward").chosen == "aware"


def variants(n=120, *, width=80, first=30, sites=4, alphabet=PROTEIN):
    """Return a Dataset of variants of one sequence, whose number follows from the letters at a few sites."""
    rng = np.random.default_rng(3)
    codes = np.tile(rng.integers(0, alphabet.size, width, dtype=np.uint8), (n, 1))
    codes[:, first : first + sites] = rng.integers(0, alphabet.size, (n, sites))
    return as_data(list(codes), codes[:, first : first + 2].sum(1), "regression", ("fitness",), alphabet)


def test_of_variants_of_one_sequence_only_what_varies_is_read():
    data = variants()
    model = train(data, TrainOptions(epochs=2, positions="aware", precision="32"), progress=False)
    assert model.network.config["span"] == [30, 34]
    assert "only letters 31 to 34 of 80 differ between records: no other is read" in model.record.notes
    changed = data.raw.buffer.reshape(120, 80).copy()
    changed[:, :30], changed[:, 34:] = 7, 8
    np.testing.assert_array_equal(model.logits(Sequences.from_codes(changed)), model.logits(data.raw))
    changed = data.raw.buffer.reshape(120, 80).copy()
    changed[:, 33] = 7
    assert (model.logits(Sequences.from_codes(changed)) != model.logits(data.raw)).any()
    layer = FirstLayer.of(model, "cpu")
    found = strongest_sites(layer, data.raw, np.arange(len(data)))
    assert set(found.starts[np.isfinite(found.values)]) <= set(range(30 - layer.width + 1, 34))


@pytest.mark.parametrize(("alphabet", "strands", "positions"), [(PROTEIN, "auto", "free"), (DNA, "both", "aware")])
def test_where_places_do_not_matter_or_strands_are_one_all_letters_are_read(alphabet, strands, positions):
    options = TrainOptions(epochs=1, positions=positions, strands=strands, precision="32")
    assert train(variants(alphabet=alphabet), options, progress=False).network.config["span"] is None


def test_records_that_differ_everywhere_or_in_length_are_no_variants():
    raw = variants().raw
    assert varying(raw, 80) == (30, 34) and varying(raw, 79) is None
    assert (
        varying(variants(first=1, sites=40).raw, 80) == (1, 41) and varying(variants(first=1, sites=41).raw, 80) is None
    )
    late = Sequences.from_codes([*list(raw)[:1] * 2000, np.full(80, 5, np.uint8)])  # told by the last record alone
    assert varying(late, 80) is None
    assert varying(Sequences.from_codes([*raw, raw[0][:70]]), 80) is None
    assert varying(Sequences.from_codes([raw[0]] * 30), 80) is None


def test_errors_are_ours():
    assert issubclass(TrainingError, SeqcnnError)
