"""Scoring: rows as records stand, whatever the input's form, in constant memory and with long records in windows."""

import gzip
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_models import dna_model, letters, picture_model, protein_model
from test_sweeps import swept

from seqcnn.data.dataset import Raw
from seqcnn.data.sources.records import Batch
from seqcnn.errors import AlphabetError, DataError, FormatError, InputFileError, OptionError, OutputFileError
from seqcnn.networks import create
from seqcnn.options import ScoreOptions
from seqcnn.sequence import Sequences
from seqcnn.tiling import Windows, windows
from seqcnn.workflow import inputs as module
from seqcnn.workflow.score import score

MODEL = dna_model()
SOME = letters(31, 3, 60, seed=4)
FASTA = "".join(f">r{i} words\n{s}\n" for i, s in enumerate(SOME))


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "some.fa"
    path.write_text(FASTA)
    return path


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines()]


def test_a_row_a_record(fasta: Path, tmp_path: Path) -> None:
    done = score(MODEL, fasta, output=tmp_path / "o.tsv")
    head, *found = rows(tmp_path / "o.tsv")
    assert head == ["id", "start", "end", "length", "score"]
    assert [r[0] for r in found] == [f"r{i}" for i in range(31)]
    assert [r[1:4] for r in found] == [["0", str(len(s)), str(len(s))] for s in SOME]
    np.testing.assert_allclose([float(r[4]) for r in found], MODEL.predict(SOME), rtol=2e-6)
    assert (done.records, done.rows, done.short) == (31, 31, 0)


def test_records_shorter_than_the_network_reads_are_counted(fasta: Path, tmp_path: Path) -> None:
    model = dna_model()
    model.network = create("motif", in_channels=4, outputs=1, filters=6, padded=False)
    done = score(model, fasta, output=tmp_path / "o.tsv")
    assert done.short == sum(len(s) < model.network.minimum_width for s in SOME) > 0
    assert f"{done.short} shorter than the network's shortest input" in " ".join(done.notes)


@pytest.mark.parametrize("chunk", [1, 50, 200])
def test_chunks_do_not_matter(chunk: int, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score(MODEL, fasta, output=tmp_path / "whole.tsv")
    monkeypatch.setattr(module, "CHUNK", chunk)
    score(MODEL, fasta, output=tmp_path / "parts.tsv")
    whole, parts = rows(tmp_path / "whole.tsv"), rows(tmp_path / "parts.tsv")
    assert [r[:4] for r in parts] == [r[:4] for r in whole]
    np.testing.assert_allclose([float(r[4]) for r in parts[1:]], [float(r[4]) for r in whole[1:]], atol=2e-6)


def test_logits(fasta: Path, tmp_path: Path) -> None:
    score(MODEL, fasta, ScoreOptions(output="logit"), output=tmp_path / "o.tsv")
    found = [float(r[4]) for r in rows(tmp_path / "o.tsv")[1:]]
    np.testing.assert_allclose(found, MODEL.logits(SOME)[:, 0], rtol=1e-5, atol=1e-6)


def test_gz_stdin_several_files_and_tables_give_the_same_rows(
    fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    score(MODEL, fasta)
    expected = capsys.readouterr().out
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(FASTA.encode()))
    table = tmp_path / "t.tsv"
    table.write_text("id\tsequence\n" + "".join(f"r{i}\t{s}\n" for i, s in enumerate(SOME)))
    half = FASTA.index(">r15")
    parts = [tmp_path / "a.fa", tmp_path / "b.fa"]
    for path, text in zip(parts, (FASTA[:half], FASTA[half:].lower().replace(">R", ">r")), strict=True):
        path.write_text(text.replace("\n", "\r\n"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FASTA.encode())))
    for inputs in ([packed], [table], parts, ["-"]):
        score(MODEL, inputs)
        assert capsys.readouterr().out == expected


def test_long_records_are_scored_in_windows(tmp_path: Path) -> None:
    long = letters(1, 205, 205, seed=8)[0]
    path = tmp_path / "long.fa"
    path.write_text(f">short\nACGTACGTACGTA\n>long\n{long}\n")
    done = score(MODEL, path, ScoreOptions(window=40, step=15), output=tmp_path / "o.tsv")
    found = rows(tmp_path / "o.tsv")[1:]
    starts = windows(205, 40, 15).tolist()
    assert [r[:4] for r in found] == [
        ["short", "0", "13", "13"],
        *(["long", str(s), str(s + 40), "205"] for s in starts),
    ]
    expected = MODEL.predict([long[s : s + 40] for s in starts])
    np.testing.assert_allclose([float(r[4]) for r in found[1:]], expected, rtol=1e-5)
    assert "scored 2 records in 13 windows" in done.notes[0]
    score(MODEL, path, ScoreOptions(window=40), output=tmp_path / "half.tsv")
    assert [r[1] for r in rows(tmp_path / "half.tsv")[2:4]] == ["0", "20"]


@pytest.mark.parametrize(("step", "said"), [(50, "10 between are unseen"), (10, "one by one: the network surrounds")])
def test_what_windows_cannot_do_is_said(tmp_path: Path, step: int, said: str) -> None:
    path = tmp_path / "long.fa"
    path.write_text(">a\n" + "ACGT" * 60 + "\n>b\nACGTACGT\n")
    scored = score(dna_model(), path, ScoreOptions(window=40, step=step), output=tmp_path / "out.tsv")
    assert said in " ".join(scored.notes)
    assert "1 record shorter than the window" in " ".join(scored.notes)


@pytest.mark.parametrize("window", [None, 6])
def test_rows_without_a_known_letter_are_counted(tmp_path: Path, window: int | None) -> None:
    texts = ["NNNNNNNNNNNN", "ACGTNnNN-NNN", "NNNNNNNNNNNA", "ACGTRYACGTAC"]
    path = tmp_path / "gaps.fa"
    path.write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(texts)))
    scored = score(dna_model(), path, ScoreOptions(window=window, step=window and 3), output=tmp_path / "out.tsv")
    kept = [text[s : s + (window or 12)] for text in texts for s in windows(12, window or 12, 3)]
    blank = sum(set(part.upper()) <= set("N-") for part in kept)
    what = "row" if blank == 1 else "rows"
    assert f"{blank} {what} of N alone: their scores say nothing of a sequence" in scored.notes


def test_windows_that_share_their_work_have_the_scores_of_their_letters(tmp_path: Path) -> None:
    model = swept("motif", strands="both", width=120, padded=False)
    texts = [letters(1, n, n, seed=n, alphabet="ACGTN")[0] for n in (500, 120, 60, 333)]
    path = tmp_path / "long.fa"
    path.write_text("".join(f">r{i}\n{text}\n" for i, text in enumerate(texts)))
    score(model, path, ScoreOptions(window=120, step=7), output=tmp_path / "out.tsv")
    rows = [line.split("\t") for line in (tmp_path / "out.tsv").read_text().splitlines()[1:]]
    expected = [(f"r{i}", int(start)) for i, text in enumerate(texts) for start in windows(len(text), 120, 7)]
    assert [(row[0], int(row[1])) for row in rows] == expected
    cut = [texts[int(row[0][1:])][int(row[1]) : int(row[2])] for row in rows]
    np.testing.assert_allclose([float(row[4]) for row in rows], model.predict(cut), atol=1e-5)


def test_bf16_says_how_far_it_is_from_float32(fasta: Path, tmp_path: Path) -> None:
    scored = score(dna_model(), fasta, ScoreOptions(precision="bf16"), output=tmp_path / "out.tsv")
    score(dna_model(), fasta, output=tmp_path / "exact.tsv")
    assert any("differ from those of float32" in note for note in scored.notes)
    fast, exact = (np.loadtxt(tmp_path / name, skiprows=1, usecols=4, ndmin=1) for name in ("out.tsv", "exact.tsv"))
    np.testing.assert_allclose(fast, exact, atol=0.02)
    with pytest.raises(OptionError, match="compared in float32"):
        score(dna_model(), fasta, ScoreOptions(precision="bf16", neighbours=fasta))


def test_a_record_too_long_is_refused_and_no_file_is_left(tmp_path: Path) -> None:
    path = tmp_path / "long.fa"
    path.write_text(">fits\n" + "A" * 60 + "\n>chr1\n" + "A" * 61 + "\n")
    said = r"long\.fa, record chr1: 61 long, but the longest training record was 40; .* --window 40 --step 20"
    with pytest.raises(DataError, match=said):
        score(MODEL, path, output=tmp_path / "o.tsv")
    assert [p.name for p in tmp_path.iterdir()] == ["long.fa"]
    with pytest.raises(DataError, match="record fits: 60 long, but this network reads at most 44 positions"):
        score(dna_model(width=44), path)
    with pytest.raises(OptionError, match="--window 45: this network reads at most 44"):
        score(dna_model(width=44), path, ScoreOptions(window=45))


def test_rows_appear_while_the_input_is_still_being_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fasta: Path
) -> None:
    seen: list[str] = []

    def endless(path: str, *args: object, **kwargs: object) -> Iterator[Batch]:
        for i in range(400):
            if i == 300:
                seen.append(capsys.readouterr().out)
            yield [f"e{i}"], Sequences.from_codes([np.zeros(50, np.uint8)]), [None]

    monkeypatch.setattr(module, "stream_sequences", endless)
    monkeypatch.setattr(module, "CHUNK", 500)
    score(MODEL, fasta)
    early = seen[0].splitlines()[1:]
    assert len(early) >= 260
    assert len(early) + len(capsys.readouterr().out.splitlines()) == 400


def test_memory_does_not_grow_with_the_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fasta: Path) -> None:
    held: list[int] = []
    real = module.Inputs._send

    def watched(self: module.Inputs, windows: Windows, raw: Raw) -> Raw:
        sent = real(self, windows, raw)
        held.append(len(self.waiting))
        return sent

    monkeypatch.setattr(module.Inputs, "_send", watched)
    monkeypatch.setattr(module, "CHUNK", 60)
    score(MODEL, [fasta] * 3, output=tmp_path / "o.tsv")
    assert len(held) > 20
    assert max(held) <= 2


def test_classes_have_a_column_each(tmp_path: Path) -> None:
    path = tmp_path / "p.fa"
    path.write_text(">a\nMKTAYIAKQR*\n>b\nACDEFGHIKL\n")
    done = score(protein_model(), path, output=tmp_path / "o.tsv")
    found = rows(tmp_path / "o.tsv")
    assert found[0] == ["id", "start", "end", "length", "a", "b", "c"]
    assert found[1][:4] == ["a", "0", "10", "10"]
    assert done.replaced == {"final * dropped": 1}


def test_pictures_and_folders_of_them(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    model = picture_model()
    raw = np.random.default_rng(0).integers(0, 256, (3, 1, 13, 17), np.uint8)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for name, pixels in zip(("a.png", "b.png", "sub/c.png"), raw, strict=True):
        image.fromarray(pixels[0]).save(tmp_path / "in" / name)
    score(model, [tmp_path / "in", tmp_path / "in" / "b.png"], output=tmp_path / "o.tsv")
    found = rows(tmp_path / "o.tsv")[1:]
    assert [r[0] for r in found] == ["a.png", "b.png", "sub/c.png", "b.png"]
    np.testing.assert_allclose([float(r[4]) for r in found], model.predict(raw[[0, 1, 2, 1]]), rtol=1e-5)
    with pytest.raises(OptionError, match="--window: this model reads pictures"):
        score(model, tmp_path / "in", ScoreOptions(window=5))


def test_bad_input_is_named(tmp_path: Path, fasta: Path) -> None:
    with pytest.raises(InputFileError, match="some.fasta: no such file .did you mean 'some.fa'"):
        score(MODEL, [fasta, tmp_path / "some.fasta"])
    with pytest.raises(DataError, match="no input given"):
        score(MODEL, [])
    with pytest.raises(OptionError, match="standard input can be read once only"):
        score(MODEL, ["-", "-"])
    with pytest.raises(OutputFileError, match="does not exist"):
        score(MODEL, fasta, output=tmp_path / "no" / "o.tsv")
    wrong = tmp_path / "wrong.fa"
    wrong.write_text(">a\nACGT\n>b\nAC!T\n")
    with pytest.raises(AlphabetError, match="wrong.fa, record b, position 3: '!'"):
        score(MODEL, wrong, output=tmp_path / "o.tsv")
    assert not (tmp_path / "o.tsv").exists()
    assert score(MODEL, wrong, ScoreOptions(unknown="mask"), output=tmp_path / "o.tsv").replaced
    (tmp_path / "empty.fa").touch()
    with pytest.raises(FormatError, match="empty.fa is empty"):
        score(MODEL, tmp_path / "empty.fa", output=tmp_path / "o.tsv")


def test_a_closed_standard_output_is_said(fasta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputFileError, match="standard output is closed; name a file to write to"):
        score(MODEL, fasta)


def test_pictures_do_not_come_from_standard_input() -> None:
    with pytest.raises(DataError, match="standard input: this model reads pictures"):
        score(picture_model(), "-")


def test_columns_of_a_table_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "t.csv"
    table.write_text("gene,promoter\ng1,ACGTTGCATTACGGGATCCATTGACAGATTACA\n,ACGTTGCATTACGGGATCCATTGACAGATTACC\n")
    score(MODEL, table, ScoreOptions(sequence="promoter", id="gene"))
    assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()] == ["id", "g1", "2"]
    fasta = tmp_path / "t.fa"
    fasta.write_text(">a\nACGTTGCATTACGGGATCCATTGACAGATTACA\n")
    with pytest.raises(OptionError, match="--sequence promoter: belongs to a table"):
        score(MODEL, fasta, ScoreOptions(sequence="promoter"))
