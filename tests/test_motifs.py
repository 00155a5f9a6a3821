"""Motifs of a model whose filters are known: sites, merging, trimming, shares, importance, significance, files."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.optimize
import torch
from Bio import motifs as bio
from small_models import dataset, letters, picture_model, protein_model

from seqcnn.alphabet import DNA, PROTEIN, Alphabet
from seqcnn.data.dataset import Dataset
from seqcnn.encode.onehot import OneHot
from seqcnn.errors import DataError, FormatError, OptionError, OutputFileError
from seqcnn.io.meme import read_meme, write_meme
from seqcnn.model.model import Model
from seqcnn.model.record import TrainingRecord
from seqcnn.motif import Motif
from seqcnn.motifs import activations, find
from seqcnn.motifs.activations import FirstLayer, strongest_sites
from seqcnn.motifs.cluster import Hits, similarity, worth_keeping
from seqcnn.motifs.find import find_motifs, has_learned
from seqcnn.motifs.found import MotifSet
from seqcnn.motifs.importance import recalibrated, sample
from seqcnn.networks import create
from seqcnn.options import MotifOptions
from seqcnn.sequence import Sequences
from seqcnn.tasks.binary import Binary
from seqcnn.workflow.motifs import motifs as motifs_verb

FACTOR, DECOY = "CGACCGAACTCC", "TTTGCAAA"
LEARNED = {"metrics": {"auroc": 0.9}, "ci95": {"auroc": [0.85, 0.95]}}
NOTHING = {"metrics": {"auroc": 0.55}, "ci95": {"auroc": [0.45, 0.65]}}


def turned(text: str) -> str:
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def filter_of(text: str, width: int = 9) -> np.ndarray:
    """Weights that read `text` at their start: +1 for its letter, -1 for the others."""
    weights = np.zeros((4, width), np.float32)
    for i, letter in enumerate(text):
        weights[:, i] = -1
        weights["ACGT".index(letter), i] = 1
    return weights


def planted_data(n: int = 300) -> Dataset:
    """Records of uneven length; positives hold the factor on either strand, a third of all records the decoy."""
    rng = np.random.default_rng(7)
    sequences, classes = letters(n, 40, 71, seed=11), [float(i % 2) for i in range(n)]
    for i, text in enumerate(sequences):
        planted = [FACTOR if rng.random() < 0.5 else turned(FACTOR)] if classes[i] else []
        planted += [DECOY] if rng.random() < 0.3 else []
        for j, word in enumerate(planted):
            at = 2 + 18 * j + int(rng.integers(5))
            text = text[:at] + word + text[at + len(word) :]
        sequences[i] = text
    return dataset(sequences, classes)


def known_model(figures: dict | None = LEARNED, strands: str = "both") -> Model:
    """DeepBind whose filters are: the factor's left end, its right end on the other strand, the decoy, none, noise."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = create("deepbind", in_channels=4, outputs=1, filters=5, filter_width=9, hidden=0)
    with torch.no_grad():
        bank = np.zeros((5, 4, 1, 9), np.float32)
        for i, text in enumerate((FACTOR[:9], turned(FACTOR)[:9], DECOY)):
            bank[i, :, 0] = filter_of(text)
        network.conv.weight.copy_(torch.from_numpy(bank))
        network.conv.bias.copy_(torch.tensor([-5.0, -5.0, -5.0, -1.0, 1.0]))
        network.out.weight.zero_()
        network.out.weight[0, :2] = 1.0
        network.out.bias.fill_(-3.0)
    task = Binary.fit(("unbound", "bound"), np.array([[0.0], [1.0]]))
    record = TrainingRecord(figures=figures)
    return Model(OneHot("dna"), network, task, alphabet=DNA, longest=71, strands=strands, record=record)


@pytest.fixture(scope="module", autouse=True)
def _no_shuffles() -> Iterator[None]:
    """Matching is tested in test_compare; here it need not draw a null for every query."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "compare", partial(find.compare, shuffles=0))
        yield


@pytest.fixture(scope="module")
def found() -> MotifSet:
    return find_motifs(known_model(), planted_data())


def test_half_filters_on_both_strands_become_one_whole_motif(found: MotifSet) -> None:
    first = found[0]
    assert first.motif.consensus in (FACTOR, turned(FACTOR))
    assert first.filters == (0, 1)
    assert first.motif.information.min() > 1.5
    assert first.significant
    assert first.shares == {"unbound": 0.0, "bound": 1.0}
    assert (first.share_positive, first.share_negative) == (1.0, 0.0)
    assert first.motif.nsites == len(first.sites) == 150
    assert first.positions.sum(1).tolist() == [0, 150]


def test_the_decoy_is_found_but_worth_nothing(found: MotifSet) -> None:
    decoy = next(m for m in found if m.filters == (2,))
    assert decoy.motif.consensus == DECOY
    assert decoy.importance == 0
    assert not decoy.significant
    assert decoy.shares["unbound"] == pytest.approx(decoy.shares["bound"], abs=0.2)


def test_dead_and_flat_filters_are_listed(found: MotifSet) -> None:
    assert found.dead == (3,)
    assert found.flat == (4,)
    assert any("Dead filters, never active: 1 of" in note and "(3)." in note for note in found.notes)


def test_sites_are_where_the_letters_are(found: MotifSet) -> None:
    data = planted_data()
    for m in found:
        for site, row in zip(m.sites, m.sites.records, strict=True):
            text = data.raw[int(row)].tobytes().translate(DNA.spelling).decode()[site.start : site.end]
            assert site.sequence == (turned(text) if site.strand == "-" else text)
            assert site.id == data.ids[row]
            assert 0.5 < site.activation <= 1
        counted = np.array(
            [[s.sequence[i] == letter for letter in "ACGT"] for s in m.sites for i in range(len(m.motif))]
        )
        share = counted.reshape(len(m.sites), len(m.motif), 4).mean(0)
        np.testing.assert_allclose(m.motif.probabilities, share, atol=0.01)
    assert {s.strand for s in found[0].sites} == {"+", "-"}


def test_a_shift_of_all_logits_is_no_importance() -> None:
    """Silencing takes the peak from every record: what shifts all alike tells nothing apart."""
    model, data = known_model(), planted_data()
    chosen = sample(model, data, seed=0)
    noise = torch.randn(1, len(chosen.indices), 1, generator=torch.Generator().manual_seed(0))
    logits = noise + 2 * torch.from_numpy(chosen.targets)
    moved = recalibrated(model, torch.cat([logits, logits - 4, logits + 0.3]), chosen)
    torch.testing.assert_close(moved[1], moved[0], atol=1e-3, rtol=0)
    torch.testing.assert_close(moved[2], moved[0], atol=1e-3, rtol=0)


def test_importance_equals_silencing_by_hand(found: MotifSet) -> None:
    model, data = known_model(), planted_data()
    model.network.eval()
    wholes, silenced, alone, nothing, total, cells = [], [], [], [], torch.zeros(5), 0
    images = []
    for codes in data.raw:
        batch = torch.from_numpy(codes.copy())[None]
        images.append([model.encoder(b) for b in (batch, model.encoder.reverse_complement(batch))])
    with torch.no_grad():
        for pair in images:
            for x in pair:
                a = model.network.filter_activations(x)
                total += a.sum((0, 2, 3))
                cells += a.shape[-1]
        mean = total / cells
        for pair in images:
            acts = [model.network.filter_activations(x) for x in pair]
            whole = torch.stack([model.network.forward_with_filters(a) for a in acts]).mean(0)
            wholes.append(whole.item())
            for quiet, made in (([0, 1], silenced), ([2, 3, 4], alone), ([0, 1, 2, 3, 4], nothing)):
                copies = [a.clone() for a in acts]
                for a in copies:
                    a[:, quiet] = mean[quiet][:, None, None]
                made.append(torch.stack([model.network.forward_with_filters(a) for a in copies]).mean().item())
    classes = data.targets[:, 0]
    sign = np.where(classes == 1, -1, 1)
    share = 1 / (2 * np.where(classes == 1, (classes == 1).sum(), (classes == 0).sum()))

    def losses(logits: list[float]) -> np.ndarray:
        """Each record's loss with the scale and offset that make the mean least, found by another solver."""

        def each(p: np.ndarray) -> np.ndarray:
            return np.logaddexp(0, sign * ((np.array(logits) - np.mean(logits)) * np.exp(p[0]) + p[1]))

        found = scipy.optimize.minimize(lambda p: (each(p) * share).sum() + 1e-5 * (p**2).sum(), [0, 0], tol=1e-12)
        return each(found.x)

    rise = (losses(silenced) - losses(wholes) + losses(nothing) - losses(alone)) / 2
    assert found[0].importance == pytest.approx(np.mean([rise[classes == c].mean() for c in (0, 1)]), rel=2e-3)
    error = np.sqrt(sum(rise[classes == c].var(ddof=1) / (classes == c).sum() for c in (0, 1))) / 2
    assert found[0].importance_se == pytest.approx(error, rel=5e-3)
    low, high = found[0].importance_interval
    assert low < found[0].importance < high
    assert found[0].effects["bound"] > 0


def test_one_strand_reads_one_strand() -> None:
    found = find_motifs(known_model(strands="forward"), planted_data())
    assert all(set(m.sites.strands) == {"+"} for m in found)
    assert len([m for m in found if set(m.filters) & {0, 1}]) == 2


def test_batches_and_order_of_records_do_not_matter(monkeypatch: pytest.MonkeyPatch, found: MotifSet) -> None:
    monkeypatch.setattr(activations, "BATCH_BYTES", {"cpu": 9000, "cuda": 9000})
    monkeypatch.setattr(activations, "_MERGE", 40)
    again = find_motifs(known_model(), planted_data())
    for one, two in zip(found, again, strict=True):
        assert one.motif == two.motif
        assert one.importance == pytest.approx(two.importance, abs=1e-6)
        assert one.sites.sequences == two.sites.sequences or sorted(one.sites.sequences) == sorted(two.sites.sequences)


def test_bounded_sites_are_the_strongest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "_MERGE", 40)
    model, data = known_model(), planted_data()
    layer = FirstLayer.of(model, "cpu")
    few = strongest_sites(layer, data.raw, np.arange(len(data)), keep=17)
    all_ = strongest_sites(layer, data.raw, np.arange(len(data)), keep=len(data))
    np.testing.assert_allclose(few.values, all_.values[:, :17])
    np.testing.assert_allclose(few.mean, all_.mean)
    assert few.values.shape == (5, 17)


def test_nothing_is_significant_where_nothing_was_learned() -> None:
    found = find_motifs(known_model(NOTHING), planted_data())
    assert not found.learned
    assert found.significant == ()
    assert found[0].motif.consensus in (FACTOR, turned(FACTOR))


def test_learned_needs_figures_clearly_beyond_chance() -> None:
    data, model = planted_data(), known_model(None)
    assert has_learned(model, data)  # evaluated here and now: nothing of it was trained on
    for figures, expected in (
        (LEARNED, True),
        (NOTHING, False),
        ({"metrics": {"auroc": 0.6}, "ci95": {"auroc": [0.51, 0.69]}}, False),  # 2.2 standard errors
        ({"metrics": {"auroc": None}, "ci95": {"auroc": None}}, False),
        ({"metrics": {"auroc": 0.1}, "ci95": {"auroc": [0.05, 0.15]}}, False),
    ):
        model.record = TrainingRecord(figures=figures)
        assert has_learned(model, data) is expected


def test_a_threshold_of_its_own() -> None:
    strict = find_motifs(known_model(), planted_data(), options=MotifOptions(threshold=0.99))
    assert strict[0].motif.nsites <= 150
    assert strict.threshold == 0.99
    assert "above 0.99 of its filter's maximum" in strict.notes[0]


def test_models_without_motifs() -> None:
    with pytest.raises(DataError, match="reads pictures"):
        find_motifs(picture_model(), planted_data())
    model = known_model()
    model.network = create("composition", in_channels=4, outputs=1)
    with pytest.raises(DataError, match="Composition has no first layer of filters"):
        find_motifs(model, planted_data())
    with pytest.raises(DataError, match="need targets or negatives"):
        find_motifs(known_model(), replace(planted_data(), targets=None, task=None))


def test_an_untrained_protein_model_has_motifs_of_one_strand() -> None:
    rng = np.random.default_rng(0)
    codes = Sequences.from_codes([rng.integers(0, 20, n).astype(np.uint8) for n in rng.integers(3, 30, 60)])
    targets = np.arange(60.0)[:, None] % 3
    data = Dataset("codes", codes, tuple(map(str, range(60))), targets, "multiclass", ("a", "b", "c"), PROTEIN)
    found = find_motifs(protein_model(), data)
    assert found.database == ""
    assert all(set(m.sites.strands) <= {"+"} for m in found)
    assert all(set(m.shares) == {"a", "b", "c"} for m in found)
    assert all(set(m.effects) == {"a", "b", "c"} for m in found)
    with pytest.raises(OptionError, match="JASPAR holds DNA motifs"):
        found.match("jaspar")


def test_another_database_and_orientation(found: MotifSet, tmp_path: Path) -> None:
    planted = Motif("X1", np.eye(4)[["ACGT".index(c) for c in FACTOR]], DNA, alt="factor", nsites=50)
    write_meme(tmp_path / "x.meme", [planted.reverse_complement()])
    again = find_motifs(known_model(), planted_data(), options=MotifOptions(database=tmp_path / "x.meme"))
    best = again[0].best
    assert (best.name, best.reverse, best.offset) == ("factor", False, 0)
    assert again[0].motif.consensus == turned(FACTOR)
    assert again[0].motif.alt == "factor"
    assert {s.sequence for s in again[0].sites} == {turned(FACTOR)}
    matched = found.match([planted])
    assert matched[0].best.name == "factor"
    assert matched.database == "the given motifs"


def test_the_files(found: MotifSet, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    got = motifs_verb(known_model(), planted_data(), folder)
    assert sorted(p.name for p in folder.iterdir()) == [
        "logos",
        "matches.tsv",
        "motifs.meme",
        "motifs.tsv",
        "sites.tsv",
    ]
    back = read_meme(folder / "motifs.meme")
    assert [m.name for m in back] == [m.name for m in got] == [f"motif_{i + 1}" for i in range(len(got))]
    with open(folder / "motifs.meme") as stream:
        assert len(bio.parse(stream, "minimal")) == len(got)
    table = pd.read_csv(folder / "motifs.tsv", sep="\t")
    assert table["consensus"][0] == found[0].motif.consensus
    assert table["importance"].is_monotonic_decreasing
    assert table["share_bound"][0] == 1
    places = pd.read_csv(folder / "sites.tsv", sep="\t")
    assert list(places.columns) == ["motif", "id", "start", "end", "strand", "sequence", "activation"]
    assert (places["end"] - places["start"] == places["sequence"].str.len()).all()
    assert "qvalue" in pd.read_csv(folder / "matches.tsv", sep="\t").columns
    assert ET.parse(folder / "logos" / "motif_1.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"
    assert got.to_meme() == (folder / "motifs.meme").read_text()
    with pytest.raises(OutputFileError, match="does not exist"):
        motifs_verb(known_model(), planted_data(), tmp_path / "no" / "out")


def test_an_empty_set_writes_headers_only(found: MotifSet, tmp_path: Path) -> None:
    from seqcnn.workflow.motifs import write

    empty = replace(found, motifs=())
    write(found, tmp_path / "out")
    write(empty, tmp_path / "out")  # what an earlier run left is gone
    assert not (tmp_path / "out" / "motifs.meme").exists()
    assert list((tmp_path / "out" / "logos").iterdir()) == []
    assert len((tmp_path / "out" / "motifs.tsv").read_text().splitlines()) == 1
    assert len(empty.to_table()) == 0
    with pytest.raises(FormatError, match="no motif"):
        empty.to_meme()


def test_what_a_notebook_shows(found: MotifSet) -> None:
    assert "motif_1" in repr(found)
    html = found._repr_html_()
    assert html.count("<svg") == len(found)
    assert "bound 100.0%" in html
    odd = replace(found[0], shares={"<script>": 0.5})
    assert "<script>" not in odd._repr_html_()
    assert list(found.to_table()["motif"]) == [m.name for m in found]


@pytest.mark.parametrize("alphabet", [DNA, PROTEIN], ids=lambda a: a.name)
def test_similarity_equals_a_naive_loop(alphabet: Alphabet) -> None:
    rng = np.random.default_rng(2)
    one, two = rng.random((7, alphabet.size)), rng.random((5, alphabet.size))
    complement = alphabet.complement[:4] if alphabet is DNA else None
    best = (0.0, 0, False)
    for reverse in (False, True)[: 1 + (alphabet is DNA)]:
        other = two[::-1, ::-1] if reverse else two
        for offset in range(-4, 7):
            score = sum(one[i + offset] @ other[i] for i in range(5) if 0 <= i + offset < 7)
            score /= np.sqrt((one**2).sum() * (two**2).sum())
            if score > best[0]:
                best = (score, offset, reverse)
    got = similarity(one, two, complement=complement)
    assert got[0] == pytest.approx(best[0])
    assert got[1:] == best[1:]
    assert similarity(one, one, complement=None) == (pytest.approx(1), 0, False)


def test_hits_move_and_turn() -> None:
    raw = dataset(["AACGTTTGCA"], [1]).raw
    row, no, strength = np.array([0]), np.array([False]), np.array([1.0])
    hits = Hits(row, np.array([2]), no, strength, 3)

    def spelled(h: Hits) -> str:
        return h.codes(raw, DNA)[0].tobytes().translate(DNA.spelling).decode()

    assert spelled(hits) == "CGT"
    assert spelled(hits.window(-1, 2)) == "ACG"
    assert spelled(hits.flipped()) == "ACG"
    assert spelled(hits.flipped().window(-1, 2)) == "AAC"
    assert spelled(hits.window(-4, 1)) == "..AAC"
    assert hits.window(-4, 1).counts(raw, DNA).sum(1).tolist() == [0, 0, 1, 1, 1]


def test_what_is_worth_keeping() -> None:
    background = np.full(4, 0.25)
    strong, weak, none = [300, 0, 0, 0], [170, 60, 40, 30], [75, 75, 75, 75]
    rows = [none, strong, none, none, strong, none, weak, none, none, none, none, none, none, weak]
    assert worth_keeping(np.array(rows, float), background) == (1, 5)
    assert worth_keeping(np.array([none, none], float), background) == (0, 0)


def test_threads_do_not_matter_and_are_put_back(monkeypatch: pytest.MonkeyPatch, found: MotifSet) -> None:
    monkeypatch.setattr(activations, "BATCH_BYTES", {"cpu": 9000, "cuda": 9000})
    model = known_model()
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        again = find_motifs(model, planted_data())
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert [m.motif.consensus for m in again] == [m.motif.consensus for m in found]
    assert again[0].importance == pytest.approx(found[0].importance, abs=1e-6)
    assert again[0].positions.tolist() == found[0].positions.tolist()
