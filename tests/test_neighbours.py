"""Similar records and best classes: against NumPy on the model's features, ties, edges and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from small_models import dna_model, letters, picture_model, protein_model

from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.inference.features import features_of
from seqcnn.options import ScoreOptions
from seqcnn.workflow import inputs, neighbours
from seqcnn.workflow.answers import top_classes
from seqcnn.workflow.score import score

MODEL = dna_model()
KNOWN, FRESH = letters(23, 20, 50, seed=5), letters(9, 20, 50, seed=6)


def fasta(path: Path, texts: list[str], name: str = "r") -> Path:
    path.write_text("".join(f">{name}{i}\n{text}\n" for i, text in enumerate(texts)))
    return path


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def cosines(model, fresh, known):
    """Cosines of features ``(fresh, known)``, in double precision; a direct loop."""
    one, two = (features_of(model.encoder, model.network, model.raw(x), strands=model.strands) for x in (fresh, known))
    one, two = one.astype(float), two.astype(float)
    return np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in two] for a in one])


def test_neighbours_are_those_of_the_cosines_of_the_features(tmp_path: Path) -> None:
    known, fresh = fasta(tmp_path / "known.fa", KNOWN), fasta(tmp_path / "fresh.fa", FRESH, "f")
    done = score(MODEL, fresh, ScoreOptions(neighbours=known, top=4), output=tmp_path / "o.tsv")
    head, *found = rows(tmp_path / "o.tsv")
    assert head == ["id", "start", "end", "length", "rank", "neighbour", "similarity"]
    assert (done.records, len(found)) == (9, 36)
    wanted = cosines(MODEL, FRESH, KNOWN)
    for i, text in enumerate(FRESH):
        mine = found[4 * i : 4 * i + 4]
        order = np.argsort(-wanted[i], kind="stable")[:4]
        assert [r[:5] for r in mine] == [[f"f{i}", "0", str(len(text)), str(len(text)), str(k)] for k in range(1, 5)]
        assert [r[5] for r in mine] == [f"r{k}" for k in order]
        np.testing.assert_allclose([float(r[6]) for r in mine], wanted[i, order], atol=1e-5)


def test_both_strands_are_averaged_before_they_are_compared() -> None:
    found = features_of(MODEL.encoder, MODEL.network, MODEL.raw(KNOWN), strands="both")
    codes, lengths = (torch.from_numpy(a) for a in MODEL.raw(KNOWN).rectangle())
    other = MODEL.encoder.reverse_complement(codes, lengths)
    with torch.no_grad():
        images = [MODEL.encoder.image(x, lengths) for x in (codes, other)]
        wanted = sum(MODEL.network.eval().features(*image) for image in images) / 2
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_record_is_nearest_to_itself(tmp_path: Path) -> None:
    known = fasta(tmp_path / "known.fa", KNOWN)
    score(MODEL, known, ScoreOptions(neighbours=known, top=1), output=tmp_path / "o.tsv")
    found = rows(tmp_path / "o.tsv")[1:]
    assert [r[0] for r in found] == [r[5] for r in found] == [f"r{i}" for i in range(23)]
    assert all(1 - 1e-6 < float(r[6]) <= 1 for r in found)


def test_the_first_of_equals_comes_first(tmp_path: Path) -> None:
    twins = [KNOWN[3], KNOWN[7], KNOWN[3], KNOWN[3], KNOWN[7], KNOWN[3]]
    known, fresh = fasta(tmp_path / "known.fa", twins), fasta(tmp_path / "fresh.fa", [KNOWN[7], KNOWN[3]], "f")
    score(MODEL, fresh, ScoreOptions(neighbours=known, top=3), output=tmp_path / "o.tsv")
    assert [r[5] for r in rows(tmp_path / "o.tsv")[1:]] == ["r1", "r4", "r0", "r0", "r2", "r3"]


@pytest.mark.parametrize("count", [1, 4, 17])
def test_ties_at_the_edge_are_settled_by_place(count: int) -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 2, (17, 3)).astype(np.float32)
    features = rng.integers(0, 2, (5, 3)).astype(np.float32) / 3
    for row, (nearest, similarity) in zip(features, neighbours._nearest(features, table, count), strict=True):
        each = [float(min(row @ other, 1)) for other in table]
        wanted = sorted(range(17), key=lambda k: (-each[k], k))[:count]
        assert nearest.tolist() == wanted
        np.testing.assert_allclose(similarity, [each[k] for k in wanted], rtol=1e-6)


@pytest.mark.parametrize("top, wanted", [(None, 5), (2, 2), (99, 23)])
def test_five_are_named_unless_told_and_never_more_than_there_are(top, wanted, tmp_path: Path) -> None:
    known, fresh = fasta(tmp_path / "known.fa", KNOWN), fasta(tmp_path / "fresh.fa", FRESH)
    score(MODEL, fresh, ScoreOptions(neighbours=known, top=top), output=tmp_path / "o.tsv")
    assert len(rows(tmp_path / "o.tsv")) == 1 + 9 * wanted


def test_chunks_and_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known, fresh = fasta(tmp_path / "known.fa", KNOWN), fasta(tmp_path / "fresh.fa", [FRESH[0] * 4, *FRESH[1:]])
    options = ScoreOptions(neighbours=known, top=2, window=40, step=15)
    score(MODEL, fresh, options, output=tmp_path / "whole.tsv")
    monkeypatch.setattr(inputs, "CHUNK", 60)
    score(MODEL, fresh, options, output=tmp_path / "parts.tsv")
    whole, parts = rows(tmp_path / "whole.tsv"), rows(tmp_path / "parts.tsv")
    assert [r[:6] for r in whole] == [r[:6] for r in parts]
    assert len({tuple(r[:3]) for r in whole if r[0] == "r0"}) > 3  # its windows


def test_similar_pictures(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is an extra")
    model = picture_model()
    raw = np.random.default_rng(0).integers(0, 256, (6, 1, 13, 17), np.uint8)
    for i, pixels in enumerate(raw):
        path = tmp_path / ("known" if i < 4 else "fresh") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        image.fromarray(pixels[0]).save(path)
    options = ScoreOptions(neighbours=tmp_path / "known", top=3)
    score(model, tmp_path / "fresh", options, output=tmp_path / "o.tsv")
    wanted = cosines(model, raw[4:], raw[:4])
    found = rows(tmp_path / "o.tsv")[1:]
    for i in range(2):
        order = np.argsort(-wanted[i])[:3]
        assert [r[5] for r in found[3 * i : 3 * i + 3]] == [f"{k}.png" for k in order]
    one = ScoreOptions(neighbours=tmp_path / "known" / "2.png")
    score(model, tmp_path / "known", one, output=tmp_path / "o.tsv")
    assert float(rows(tmp_path / "o.tsv")[3][6]) == pytest.approx(1, abs=1e-6)


def test_what_cannot_be_compared_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = fasta(tmp_path / "known.fa", KNOWN)
    with pytest.raises(InputFileError, match=r"knwn.fa: no such file \(did you mean 'known.fa'\?\)"):
        score(MODEL, known, ScoreOptions(neighbours=tmp_path / "knwn.fa"))
    (tmp_path / "empty.fa").touch()
    with pytest.raises(FormatError, match="empty.fa is empty"):
        score(MODEL, known, ScoreOptions(neighbours=tmp_path / "empty.fa"))
    with pytest.raises(FormatError, match="empty.fa is empty"):
        score(MODEL, tmp_path / "empty.fa", ScoreOptions(neighbours=known))
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="folder is a folder without pictures"):
        score(picture_model(), tmp_path / "folder", ScoreOptions(neighbours=tmp_path / "folder"))
    with pytest.raises(OptionError, match="--top: expected .* found 0"):
        ScoreOptions(neighbours=known, top=0)
    plain = dna_model()
    plain.network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(1))
    with pytest.raises(OptionError, match="--neighbours: Sequential has no features to compare"):
        score(plain, known, ScoreOptions(neighbours=known))
    assert capsys.readouterr().out == ""  # no lone header


# --- the best classes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("top", [1, 2, 3, 7])
@pytest.mark.parametrize("output", ["probability", "logit"])
def test_the_best_classes_stand_first(top: int, output: str, tmp_path: Path) -> None:
    model = protein_model()
    texts = letters(11, 12, 30, seed=2, alphabet="ACDEFGHIKLMNPQRSTVWY")
    path = fasta(tmp_path / "p.fa", texts)
    score(model, path, ScoreOptions(top=top, output=output), output=tmp_path / "o.tsv")
    head, *found = rows(tmp_path / "o.tsv")
    kept = min(top, 3)
    assert head[4:] == [f"{name}{i}" for i in range(1, kept + 1) for name in ("top", "score")]
    values = model.predict(texts) if output == "probability" else model.logits(texts)
    for row, scores in zip(found, values, strict=True):
        wanted = sorted(range(3), key=lambda k: (-scores[k], k))[:kept]
        assert row[4::2] == ["abc"[k] for k in wanted]
        np.testing.assert_allclose([float(v) for v in row[5::2]], [scores[k] for k in wanted], rtol=1e-5, atol=1e-6)


def test_of_equal_classes_the_first_is_named() -> None:
    scores = np.array([[0.2, 0.4, 0.4], [0.25, 0.25, 0.5]], np.float32)
    columns = top_classes(scores, ("a", "b", "c"), 3)
    assert [column.tolist() for column in columns[::2]] == [["b", "c"], ["c", "a"], ["a", "b"]]


def test_two_classes_have_no_best_ones(tmp_path: Path) -> None:
    path = fasta(tmp_path / "f.fa", FRESH)
    with pytest.raises(OptionError, match="--top: belongs to several classes, or to --neighbours; the task is binary"):
        score(MODEL, path, ScoreOptions(top=2), output=tmp_path / "o.tsv")
    assert not (tmp_path / "o.tsv").exists()
    score(MODEL, path, ScoreOptions(top=2, neighbours=path), output=tmp_path / "o.tsv")
    assert len(rows(tmp_path / "o.tsv")) == 19
