"""Tests of reports on pictures and samples: what suits each kind is there and drawn, and the words are its own."""

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from report_examples import HOSTILE, Page, labelled, pixels, samples, untrained

from seqcnn.data.dataset import Dataset
from seqcnn.model.evaluation import figures
from seqcnn.model.model import Model
from seqcnn.registry import names
from seqcnn.reporting.material import Material
from seqcnn.reporting.recipe import built, settled, trained
from seqcnn.reporting.records import best_and_worst, said
from seqcnn.reporting.sections.confusion import Confusion
from seqcnn.reporting.sections.labels import Labels
from seqcnn.workflow.report import report

#: Words that belong to sequences; a report on anything else has none of them.
FOREIGN = re.compile(
    r"\b(sequences?|motifs?|strands?|reverse complements?|shuffles?|soft-masked|letters?|bp|aa|nan|inf|none pictures)\b"
)
RATE = 800.0
SHOWN = ("pictures", "filters", "methods")


def shown(model: Model, data: Dataset) -> Page:
    """The report, every picture in it readable."""
    page = Page(report(model, data).html)
    image = pytest.importorskip("PIL.Image")
    for tag in page.all("img"):
        found = np.asarray(image.open(io.BytesIO(base64.b64decode(tag["src"].split("base64,")[1]))))
        assert found.size and max(found.shape) <= 400, tag["alt"]
    assert not FOREIGN.search(page.words), FOREIGN.findall(page.words)
    return page


SAMPLED = [
    ("series", 1, {}), ("series", 5, {}), ("gadf", 1, {}), ("gasf", 5, {}), ("mtf", 2, {}), ("recurrence", 1, {}),
    ("spectrogram", 2, {"rate": RATE}), ("spectrogram", 1, {}), ("trajectory", 4, {}), ("bytes", 1, {}),
]  # fmt: skip


@pytest.mark.parametrize(("encoder", "variables", "settings"), SAMPLED)
def test_samples_are_drawn_with_filters_and_maps(encoder: str, variables: int, settings: dict[str, Any]) -> None:
    raw = samples(variables, missing=encoder not in ("bytes", "trajectory"), kind=encoder)
    data = labelled(raw, encoder=encoder)
    model = untrained(data, **settings)
    page = shown(model, data)
    assert set(SHOWN) < set(page.sections)
    assert not {"motifs", "examples"} & set(page.sections)
    alt = [tag["alt"] for tag in page.all("img")]
    assert sum(a.startswith("Response of filter") for a in alt) >= 3
    filters = [a for a in [*alt, *(tag["aria-label"] for tag in page.all("svg"))] if re.fullmatch(r"Filter \d", a)]
    assert len(filters) == 4
    drawn = sum(a.startswith("Picture of") for a in alt) + sum(
        tag["aria-label"].startswith(("Series", "Path", "Bytes")) for tag in page.all("svg")
    )
    assert drawn >= 18
    noun = {"trajectory": "trajectories", "bytes": "files"}.get(encoder, "recordings" if settings else "series")
    assert f"19 {noun} · Residual network" in page.words


def test_every_encoder_of_samples_and_pictures_is_shown() -> None:
    assert {"onehot", "pixels"} | {name for name, _, _ in SAMPLED} == set(names("encoder"))


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (2, np.uint16), (3, np.uint8), (5, np.float32)])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "circular"])
def test_pictures_are_drawn_with_filters_and_maps(channels: int, dtype: type, task: str) -> None:
    data = labelled(pixels(channels, dtype=dtype), task)
    page = shown(untrained(data), data)
    assert set(SHOWN) < set(page.sections)
    assert ("confusion" in page.sections) == (task in ("binary", "multiclass"))
    assert ("scatter" in page.sections) == (task in ("regression", "circular"))
    alt = [tag["alt"] for tag in page.all("img")]
    assert len([a for a in alt if re.fullmatch(r"Filter \d", a)]) == 4
    assert sum(a.startswith("Response of filter") for a in alt) >= 6
    assert sum(a.startswith("Picture of r") for a in alt) > 20
    assert f"17 × 13 px, {channels} channel" in page.words
    assert ("magenta" in page.words) == (channels == 2)
    assert ("the mean is drawn" in page.words) == (channels == 5)


def test_one_record_of_each_class() -> None:
    data = labelled(pixels(3, n=3))
    page = shown(untrained(data), data)
    assert "Worst predicted" in page.words
    assert {"confusion", "pictures", "filters"} < set(page.sections)


@pytest.mark.parametrize("network", ["residual", "rocket"])
def test_without_targets_what_is_missing_is_said(network: str) -> None:
    data = labelled(pixels(3))
    model = untrained(data, network)
    page = shown(model, replace(data, targets=None, task=None))
    assert "No single pictures are shown" in page.words
    assert "Not evaluated" in page.words
    maps = [tag for tag in page.all("img") if tag["alt"].startswith("Response of filter")]
    assert bool(maps) == (network == "residual")


def test_random_filters_are_not_shown_as_if_learned() -> None:
    data = labelled(samples(2), encoder="series")
    model = untrained(data, "rocket")
    told = {"fit": {"strength": 0.1, "features": 77}, "strands": "auto", "positions": "auto", "seed": 5}
    model.record = replace(model.record, options=told, counts={"train": 19, "valid": 2})
    page = shown(model, data)
    assert "no first layer that was learned" in page.words
    assert not [tag for tag in page.all("img") if "ilter" in tag["alt"]]
    assert "They are random and were never trained" in page.words
    assert "no curves of loss" in page.words
    assert "learned from all 21 records" in page.words
    assert "holds no training history" not in page.words
    assert "AdamW" not in page.words


def test_hostile_names_are_escaped_beside_pictures() -> None:
    data = labelled(pixels(3), labels=(HOSTILE, "b", "c"))
    data = replace(data, ids=tuple(f"{HOSTILE}{i}" for i in range(len(data))))
    page = shown(untrained(data), data)
    assert len(page.all("script")) == 1


def test_pages_with_pictures_are_the_same_every_time() -> None:
    data = labelled(samples(1), encoder="spectrogram")
    model = untrained(data, rate=RATE)
    assert report(model, data).html == report(model, data).html


def test_angles_are_told_the_shorter_way_round() -> None:
    data = labelled(pixels(1), "circular")
    model = untrained(data)
    truth = np.array([[359.0], [10.0], [180.0]])
    guess = np.array([[2.0], [350.0], [180.4]])
    logits = model.task.encode(guess)
    material = Material(model, figures(model.task, truth, logits, kept=np.arange(3)), None, data)
    assert said(material, 0) == [("angle", "2°, truly 359°, off by 3°")]
    assert material.losses == pytest.approx([3 / 360, 20 / 360, 0.4 / 360], abs=1e-6)
    best, worst = best_and_worst(material, 1)
    assert (best.records.tolist(), worst.records.tolist()) == ([2], [1])
    assert material.chance("median_error") == 90
    page = shown(model, data)
    assert "guessing would be within 90.0°" in page.words
    assert "360° is 0 again" in page.words


def test_cards_say_and_mark_what_was_predicted_wrong() -> None:
    data = labelled(pixels(3, n=6), "binary")
    model = untrained(data)
    logits = np.array([[-2.0], [3], [1], [2], [-1], [-4]], np.float32)  # truth 0 1 0 1 0 1: two are wrong
    evaluation = figures(model.task, data.targets, logits, kept=np.arange(6), ids=data.ids)
    page = Page(report(model, data, evaluation=evaluation).html)
    assert "2 of the 6 pictures predicted wrong" in page.words
    wrong = [a for tag, a in page.tags if tag == "li" and a.get("class") == "wrong"]
    assert len(wrong) == 2 * 2  # among the worst and, all being drawn, at random; none is among the best
    assert "Called yes from a probability of 0.5 on" in page.words


@pytest.mark.parametrize(
    ("options", "counts", "expected", "absent"),
    [
        ({"augment": ["shift", "flip"], "strength": 0.5, "lr": 0.006}, {"train": 9, "valid": 1},
         ("AdamW", "stopped early", "shift and flip (strength 0.5)", "10% of each label", "calibrated on"), ()),
        ({"augment": [], "mixup": 0.2}, {"train": 9, "valid": 0},
         ("the last weights were kept", "mixup (alpha 0.2)", "no validation records"), ("stopped early",)),
        ({"label_smoothing": 0.0, "precision": "bf16"}, {"train": 9, "valid": 1},
         ("bfloat16",), ("smoothing", "changed")),
        ({"fixed_filters": 2, "filters": ["sobel"], "frozen": True}, {"train": 9},
         ("2 filters", "sobel and stayed"), ()),
        ({"fit": {"strength": 0.25, "features": 7}}, {"train": 9, "valid": 1},
         ("by cross-validation",), ("AdamW", "smoothing")),
    ],
)  # fmt: skip
def test_training_is_told_as_it_was(
    options: dict[str, Any], counts: dict[str, int], expected: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    model = untrained(labelled(pixels(3)))
    model.record = replace(model.record, options=options, counts=counts)
    text = trained(model)
    for words in expected:
        assert words in text
    for words in absent:
        assert words not in text


def test_networks_are_told_as_they_are() -> None:
    data = labelled(pixels(3))
    assert "4 filters of 3 × 3 pixels" in built(untrained(data))
    assert "reads by place." in built(untrained(labelled(pixels(3, height=28, width=28)), "lenet"))
    data = labelled(samples(1), encoder="series")
    assert "9 points wide" in built(untrained(data))
    rocket = untrained(data, "rocket")
    features = rocket.network.out.in_features  # type: ignore[union-attr]
    assert f"{3 * features + 3:,} weights reads the {features:,} features" in built(rocket)
    assert "set weights of 2 and −1" in built(rocket)


@pytest.mark.parametrize(
    ("chosen", "found", "words"),
    [
        ("mirrored", {"rise": 0.01}, "about half of each batch was mirrored"),
        ("as given", {"rise": 0.5}, "less well, so none was used"),
        ("as given", {"explained": -0.1}, "too little to tell"),
    ],
)
def test_what_was_compared_is_told(chosen: str, found: dict[str, float], words: str) -> None:
    model = untrained(labelled(pixels(3)))
    assert settled(model) == ""
    model.record = replace(model.record, choices={"mirror": {"chosen": chosen, "how": "compared", "figures": found}})
    assert words in settled(model)


def test_records_worse_than_those_of_training_are_pointed_out() -> None:
    data = labelled(pixels(3, n=60))
    model = untrained(data)
    stored = {"metrics": {"accuracy": 0.99}, "ci95": {"accuracy": [0.97, 1.0]}}
    model.record = replace(model.record, out_of_fold=stored)
    assert "On records set apart in training the accuracy was 0.990" in shown(model, data).words
    model.record = replace(model.record, out_of_fold={"metrics": {"accuracy": 0.3}, "ci95": {"accuracy": [0.2, 0.4]}})
    assert "On records set apart in training" not in shown(model, data).words


def test_a_network_of_the_callers_own_is_reported() -> None:
    class Own(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.mean = torch.nn.Conv2d(3, 5, 3), torch.nn.AdaptiveAvgPool2d(1)
            self.out = torch.nn.Linear(5, 3)

        def forward(self, x: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
            logits: torch.Tensor = self.out(self.mean(self.conv(x)).flatten(1))
            return logits

    data = labelled(pixels(3))
    model = untrained(data)
    own = Model(model.encoder, Own(), model.task, alphabet=None, longest=17)
    page = shown(own, data)
    assert "The Own network has no first layer of filters" in page.words
    assert "1 Conv2d" in page.words


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_confusion_matrix_agrees_with_counting(task: str) -> None:
    data = labelled(pixels(1, n=37), task)
    model = untrained(data)
    logits = np.random.default_rng(1).normal(size=(37, model.task.outputs)).astype(np.float32)
    evaluation = figures(model.task, data.targets, logits, kept=np.arange(37))
    content = Confusion().content(Material(model, evaluation, None, data))
    counts = [[0] * len(data.labels) for _ in data.labels]
    for truth, row in zip(data.targets[:, 0].astype(int).tolist(), logits, strict=True):
        counts[truth][int(row[0] >= 0) if task == "binary" else int(row.argmax())] += 1
    assert [[count for count, _ in cells] for _, cells, _ in content["rows"]] == counts
    assert content["precision"] == pytest.approx(
        [counts[i][i] / sum(row[i] for row in counts) for i in range(len(counts))]
    )


def test_numbers_and_angles_are_drawn_each_in_their_way() -> None:
    for task, titles in (("regression", 1), ("circular", 2)):
        data = labelled(pixels(1), task)
        page = shown(untrained(data), data)
        drawings = [tag["aria-label"] for tag in page.all("svg") if "angle" in tag["aria-label"]]
        drawings = [title for title in drawings if not title.startswith("Distribution")]
        assert len(drawings) == titles
        assert any("on a circle" in title for title in drawings) == (task == "circular")
        assert ("error of angle (°)" in page.words) == (task == "circular")


def test_labels_that_are_not_known_are_said_and_figures_are_of_the_others() -> None:
    data = labelled(pixels(3, n=5))
    targets = np.array([[1, 0], [np.nan, 1], [1, np.nan], [0, 0], [0, 1.0]])
    data = replace(data, targets=targets, task="multilabel", labels=("big", "odd"))
    model = untrained(data)
    logits = np.array([[2, -2], [2, 2], [-2, 2], [2, -2], [-2, -2]], np.float32)
    material = Material(model, figures(model.task, targets, logits, kept=np.arange(5)), None, data)
    assert said(material, 1) == [("truly", "odd; not known: big"), ("predicted", "big (88%), odd (88%)")]
    assert said(material, 3)[0] == ("truly", "none")
    content = Labels().content(material)
    assert content["names"][2:] == ["precision", "recall"]
    assert [[value for value, _ in row[2][2:]] for row in content["rows"]] == [[0.5, 0.5], [1.0, 0.5]]
