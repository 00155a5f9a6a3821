"""Tests of the report: one valid page, nothing fetched, names escaped, each section where it suits and only there."""

import base64
import gzip
import hashlib
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from report_examples import HOSTILE, LABEL, Page, binary, learned_logits, motif_set, report_of
from small_models import dataset, dna_model, letters, picture_model, protein_model, training_data

from seqcnn.alphabet import PROTEIN
from seqcnn.data.dataset import Dataset
from seqcnn.encode.onehot import OneHot
from seqcnn.model.evaluation import figures
from seqcnn.model.model import Model
from seqcnn.motifs.find import find_motifs
from seqcnn.networks import create
from seqcnn.registry import names, resolve
from seqcnn.reporting.bands import auroc_difference, correlation_difference, mean_difference, roc_and_pr
from seqcnn.reporting.document import HTMLReport, build_report
from seqcnn.reporting.files import PLAIN_BYTES, hold, hold_rows
from seqcnn.reporting.tracks import Mark, pieces
from seqcnn.sequence import Sequences, encode
from seqcnn.tasks import fit_task
from seqcnn.workflow.report import report

FETCHING = {"src", "href", "xlink:href", "srcset", "action", "formaction", "poster", "data", "background"}


@pytest.fixture(scope="module")
def learned() -> str:
    """A report on a binary model that learned something, with motifs and hostile names."""
    return report_of(*binary())


@pytest.fixture(scope="module")
def page(learned: str) -> Page:
    return Page(learned)


def test_page_is_a_valid_document(learned: str, page: Page) -> None:
    assert learned.startswith('<!doctype html>\n<html lang="en">')
    assert len(page.all("title")) == len(page.all("main")) == len(page.all("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert all(b <= a + 1 for a, b in pairwise(levels)), levels
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        link = attributes.get("href", "")
        if link.startswith("#"):
            assert link[1:] in ids, link
        for pointer in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(pointer, ids[0]) in ids
    assert all("alt" in image for image in page.all("img"))
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in page.all("svg"))


def test_page_fetches_nothing(learned: str, page: Page) -> None:
    for tag, attributes in page.tags:
        for name in FETCHING & set(attributes):
            assert attributes[name].startswith(("#", "data:")), (tag, name, attributes[name][:80])
    assert not re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", re.sub(r"data:[^\"']+", "", learned))
    assert not re.findall(r"url\((?!#)", learned)
    assert "@import" not in learned


def test_only_the_own_script_may_run(learned: str, page: Page) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", learned, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]


def test_names_are_escaped_everywhere(learned: str, page: Page) -> None:
    assert len(page.all("script")) == 1
    assert HOSTILE not in learned
    assert LABEL not in learned
    assert HOSTILE in page.words
    assert LABEL in page.words
    assert HOSTILE in page.file("predictions.tsv")
    assert HOSTILE in page.file("sites.tsv")


def test_binary_report_has_its_sections(page: Page) -> None:
    expected = [n for n in names("section") if n not in ("scatter", "labels", "pictures", "filters")]
    assert page.sections == expected
    assert "No significant motif" not in page.words
    assert "Nothing was learned" not in page.words
    assert "Resembles CTCF" in page.words
    assert "no significant match" in page.words
    assert "NOT-THIS" not in page.words  # a match that does not beat the shuffles


def test_downloads_hold_motifs_matches_sites_and_predictions(page: Page) -> None:
    _, evaluation, motifs, _ = binary()
    meme = page.file("motifs.meme")
    assert [line.split()[1] for line in meme.splitlines() if line.startswith("MOTIF")] == [m.name for m in motifs]
    table = [line.split("\t") for line in page.file("predictions.tsv").splitlines()]
    assert table[0] == ["id", "truth", "score"]
    assert len(table) == 1 + evaluation.n
    assert float(table[1][2]) == pytest.approx(float(evaluation.scores[0, 0]), rel=1e-5)
    assert "CTCF" in page.file("matches.tsv")


def test_sites_are_drawn_on_records(page: Page) -> None:
    marks = page.all("mark")
    assert marks
    assert all("CTCF" in mark["title"] or "motif_2" in mark["title"] for mark in marks)


def test_nothing_learned_is_said_first() -> None:
    model, evaluation, motifs, data = binary(learned=False)
    shown = Page(report_of(model, evaluation, replace(motifs, learned=False), data))
    assert "Nothing was learned" in shown.words
    assert "No significant motif" in shown.words
    assert not shown.all("mark")
    assert "Resembles CTCF" not in shown.words


def test_worse_than_chance_is_said() -> None:
    model, _, _, data = binary()
    logits = -learned_logits(data.targets[:, 0])
    shown = Page(report_of(model, figures(model.task, data.targets, logits, ids=data.ids), None, data))
    assert "Worse than guessing" in shown.words


def test_out_of_fold_figures_are_labelled() -> None:
    model = dna_model(oof=True)
    shown = Page(report(model, training_data()).html)
    assert "out-of-fold" in shown.words
    assert "each scored by a network trained without it" in shown.words
    assert "examples" in shown.sections
    assert sum("Importance of each letter of " in (m.get("aria-label") or "") for m in shown.all("svg")) == 4
    assert "out-of-fold predictions" in shown.words


def test_missing_pieces_are_stated_not_fatal() -> None:
    model = dna_model()
    data = replace(training_data(), targets=None, task=None)
    shown = Page(report(model, data).html)
    assert "Not evaluated" in shown.words
    assert "There are no motifs to show: importance needs records with a known answer" in shown.words
    assert "There is nothing to download" in shown.words
    bare = Model(model.encoder, model.network, model.task, alphabet=model.alphabet, longest=40)
    shown = Page(build_report(bare, None, None, data))
    assert "no training history" in shown.words
    assert "no shell command is on record" in shown.words


def test_stored_figures_are_shown_where_all_records_were_trained_on() -> None:
    model = dna_model()
    evaluation = binary()[1]
    model.record = replace(model.record, figures=evaluation.to_dict())
    shown = Page(report(model, training_data()).html)
    assert "set apart when the model was trained" in shown.words
    assert "No scores" not in shown.words
    assert "figures" in shown.sections


def test_multiclass_protein_report() -> None:
    model = protein_model()
    labels = ("a", "b", "c")
    codes = Sequences.from_codes([encode(s, PROTEIN) for s in letters(33, 9, 30, seed=5, alphabet="ACDEFGHIKLMN")])
    targets = np.arange(33.0)[:, None] % 3
    data = Dataset("codes", codes, tuple(map(str, range(33))), targets, "multiclass", labels, PROTEIN)
    shown = Page(report(model, data).html)
    assert {"confusion", "labels", "roc", "calibration"} < set(shown.sections)
    assert not {"scatter", "scores", "pictures"} & set(shown.sections)
    assert "Telling 3 classes apart" in shown.words
    assert "aa" in shown.words


def test_regression_report_on_several_targets() -> None:
    rng = np.random.default_rng(0)
    targets = np.exp(2 * rng.normal(size=(41, 2)))
    targets[3, 1] = np.nan
    small = dataset(letters(41, 30, 40, seed=8), [0.0] * 41)
    data = replace(small, targets=targets, task="regression", labels=("height", LABEL))
    task = fit_task("regression", data.labels, targets)
    model = Model(
        OneHot("dna"), create("deepbind", in_channels=4, outputs=2), task, alphabet=small.alphabet, longest=40
    )
    shown = Page(report(model, data).html)
    assert {"scatter", "labels"} < set(shown.sections)
    assert not {"roc", "pr", "scores", "calibration", "confusion"} & set(shown.sections)
    assert "rank correlation" in shown.words
    assert "logarithmic axes" in shown.words


def test_multilabel_report() -> None:
    targets = (np.random.default_rng(0).random((40, 3)) < 0.4).astype(float)
    targets[0, 0] = np.nan
    small = dataset(letters(40, 30, 40, seed=8), [0.0] * 40)
    data = replace(small, targets=targets, task="multilabel", labels=("x", "y", "z"))
    task = fit_task("multilabel", data.labels, targets)
    model = Model(
        OneHot("dna"), create("deepbind", in_channels=4, outputs=3), task, alphabet=small.alphabet, longest=40
    )
    shown = Page(report(model, data).html)
    assert {"labels", "roc", "calibration"} < set(shown.sections)
    assert "Recognizing 3 labels" in shown.words


def test_picture_report() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (25, 1, 13, 17)).astype(np.uint8)
    targets = np.arange(25.0)[:, None] % 2
    ids = tuple(f"{HOSTILE}{i}" for i in range(25))
    data = Dataset("pixels", pixels, ids, targets, "binary", ("plain", "striped"))
    shown = Page(report(picture_model(), data).html)
    assert "pictures" in shown.sections
    assert not {"motifs", "examples"} & set(shown.sections)
    assert len(shown.all("img")) > 20
    assert len(shown.all("script")) == 1


def test_real_motifs_of_an_untrained_network() -> None:
    data = dataset(letters(60, 30, 40, seed=9), [i % 2 for i in range(60)])
    model = dna_model()
    shown = Page(report(model, data, motifs=find_motifs(model, data)).html)
    assert "motifs" in shown.sections


def test_report_saves_itself_and_shows_in_a_notebook(tmp_path: Path, learned: str) -> None:
    made = HTMLReport(learned)
    made.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == learned
    frame = Page(made._repr_html_())
    (attributes,) = frame.all("iframe")
    assert attributes["srcdoc"] == learned


def test_every_section_has_a_template_and_known_tasks() -> None:
    folder = Path(resolve("section", "summary").__module__.replace(".", "/")).parent.parent / "templates"
    top = Path(__file__).resolve().parent.parent
    for name in names("section"):
        section = resolve("section", name)()
        assert section.name == name
        assert set(section.tasks) <= set(names("task"))
        assert (top / folder / f"{name}.j2").is_file()


def test_sections_a_task_declares_exist_and_suit_it() -> None:
    for task in names("task"):
        for name in resolve("task", task).sections:
            assert task in resolve("section", name).tasks


def test_long_tables_are_cut_and_compressed() -> None:
    held = hold_rows("x.tsv", ("a", "b"), [(i, i / 7) for i in range(40_000)], "Rows.", most=30_000)
    assert held.name == "x.tsv.gz"
    assert "first 30,000 of 40,000" in held.text
    lines = gzip.decompress(base64.b64decode(held.uri.split("base64,")[1])).decode().splitlines()
    assert len(lines) == 30_001
    assert hold("x.tsv", "a" * PLAIN_BYTES, "").name == "x.tsv"


def test_pieces_join_to_the_whole_record() -> None:
    rng = np.random.default_rng(0)
    text = "".join(rng.choice(list("ACGT"), 331))
    for longest in (50, 400):
        marks = [
            Mark(int(s), int(s) + 11, "+", int(r), "m", "#000", 1.0)
            for s, r in zip(rng.integers(-5, 330, 6), rng.integers(1, 4, 6), strict=True)
        ]
        cut = pieces(text, marks, longest=longest)
        assert sum(len(p.text) + p.left_out for p in cut) == len(text)
        at = 0
        for piece in cut:
            assert text[at : at + len(piece.text)] == piece.text
            covering = [m for m in marks if m.start <= at < m.end]
            if piece.text and covering:
                assert piece.mark is not None
                assert piece.mark.rank == min(m.rank for m in covering)
            at += len(piece.text) + piece.left_out


def test_curves_agree_with_scikit_learn_and_lie_in_their_bands() -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    rng = np.random.default_rng(1)
    truth = (rng.random(701) < 0.3).astype(float)
    score = np.round(truth + rng.normal(size=701), 1)  # with ties
    roc, pr = roc_and_pr(truth, score, draws=200)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(roc_auc_score(truth, score))
    fpr, tpr, _ = roc_curve(truth, score, drop_intermediate=False)
    assert {(round(x, 9), round(y, 9)) for x, y in zip(fpr, tpr, strict=True)} == {
        (round(x, 9), round(y, 9)) for x, y in zip(roc.x, roc.y, strict=True)
    }
    inside = np.interp(roc.grid, roc.x, roc.y)
    assert ((roc.low <= inside + 1e-9) & (inside <= roc.high + 1e-9)).mean() > 0.95
    assert (pr.low <= pr.high).all()
    assert pr.y[-1] == pytest.approx(truth.mean())


def test_paired_differences_agree_with_their_definitions() -> None:
    from scipy.stats import spearmanr
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(2)
    truth = (rng.random((311, 2)) < 0.4).astype(float)
    ours, theirs = truth + rng.normal(size=(311, 2)), truth + 2 * rng.normal(size=(311, 2))
    delta, low, high = auroc_difference(truth, ours, theirs)
    expected = np.mean(
        [roc_auc_score(truth[:, i], ours[:, i]) - roc_auc_score(truth[:, i], theirs[:, i]) for i in (0, 1)]
    )
    assert delta == pytest.approx(expected)
    draws = []
    for _ in range(300):
        rows = rng.integers(0, 311, 311)
        draws.append(auroc_difference(truth[rows], ours[rows], theirs[rows])[0])
    assert (high - low) / (2 * 1.96) == pytest.approx(np.std(draws), rel=0.2)
    y = rng.normal(size=97)
    a, b = y + rng.normal(size=97), rng.normal(size=97)
    gap = correlation_difference(y, a, b, draws=50)
    assert gap[0] == pytest.approx(spearmanr(y, a).statistic - spearmanr(y, b).statistic)
    assert gap[1] < gap[0] < gap[2]
    assert mean_difference([1, 0, 1], [0, 0, 0])[0] == pytest.approx(2 / 3)


def test_same_report_twice(learned: str) -> None:
    assert report_of(*binary()) == learned


def test_motif_cards_follow_the_table(page: Page) -> None:
    ids = {a.get("id") for _, a in page.tags}
    rows = [a["data-card"] for a in page.all("tr") if "data-card" in a]
    assert rows and set(rows) <= ids
    heads = [a for a in page.all("th") if "aria-sort" in a]
    assert [h["aria-sort"] for h in heads].count("ascending") == 1
    assert motif_set().motifs


def test_a_better_baseline_is_said_first() -> None:
    model, _, motifs, data = binary()
    logits = learned_logits(data.targets[:, 0])
    weak = logits + 9 * np.random.default_rng(5).normal(size=logits.shape).astype(np.float32)
    evaluation = figures(model.task, data.targets, weak, baselines={"kmer": logits}, ids=data.ids)
    shown = Page(report_of(model, evaluation, motifs, data))
    assert "A simpler predictor does better. On the same records the k-mers baseline is ahead" in shown.words
