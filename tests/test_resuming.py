"""Runs of `score` that are cut off: what is kept, what goes on with it, and that rows are whole lines."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_models import dna_model, letters, picture_model, protein_model

from seqcnn.cli import main
from seqcnn.errors import DiskFullError, FormatError, OptionError, OutputFileError
from seqcnn.io import tsv as tsv_module
from seqcnn.io.resuming import Kept
from seqcnn.options import ScoreOptions
from seqcnn.workflow import inputs as module
from seqcnn.workflow.score import score

MODEL = dna_model()
WINDOWS = ScoreOptions(window=40, step=15)
AGAIN = ScoreOptions(window=40, step=15, resume=True)


@pytest.fixture
def fasta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records of one and of many windows, in a folder of their own, computed in chunks that end within records."""
    monkeypatch.setattr(module, "CHUNK", 300)
    path = tmp_path / "some.fa"
    path.write_text("".join(f">r{i}\n{s * (1 + i % 4)}\n" for i, s in enumerate(letters(20, 30, 90, seed=4))))
    (tmp_path / "out").mkdir()
    return path


def cut(at: int, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next run end with an error before it writes so many texts, after half a line."""
    write, left = tsv_module._written, [at]

    def written(stream: Any, text: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            write(stream, text[: len(text) // 2])
            raise error
        write(stream, text)

    monkeypatch.setattr(tsv_module, "_written", written)


def left(path: Path) -> list[str]:
    return sorted(os.listdir(path.parent))


@pytest.mark.parametrize("at", [2, 3, 6, 9])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt("stop"), OSError(errno.ENOSPC, "full"), OSError(errno.EIO, "lost"), MemoryError("stop")]
)
def test_a_run_that_was_cut_off_is_gone_on_with(
    at: int, error: BaseException, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, out = tmp_path / "whole.tsv", tmp_path / "out" / "o.tsv"
    expected = score(MODEL, fasta, WINDOWS, output=whole)
    with monkeypatch.context() as patch:
        cut(at, error, patch)
        with pytest.raises((type(error), OutputFileError), match="stop|full|lost"):
            score(MODEL, fasta, WINDOWS, output=out)
    assert left(out) == [".o.tsv.part", ".o.tsv.resume"]
    kept = (out.parent / ".o.tsv.part").read_bytes()
    assert kept and kept.endswith(b"\n") and whole.read_bytes().startswith(kept)
    done = score(MODEL, fasta, AGAIN, output=out)
    assert out.read_bytes() == whole.read_bytes() and left(out) == ["o.tsv"]
    assert (done.records, done.rows, done.short) == (expected.records, expected.rows, expected.short)
    assert f"went on after {kept.count(bytes([10])) - 1:,} rows written before" in done.notes


def test_several_times_over_and_in_several_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 15)
    (tmp_path / "p.fa").write_text("".join(f">p{i}\n{'MKTAYIAKQR' * (1 + i % 3)}\n" for i in range(15)))
    (tmp_path / "out").mkdir()
    model, names = protein_model(), [f"o.{name}.bed" for name in "abc"]
    score(model, tmp_path / "p.fa", output=tmp_path / "o.bed")
    for resume in (False, True, True):
        with monkeypatch.context() as patch:
            cut(7, KeyboardInterrupt("stop"), patch)  # after the first of three files has its rows
            with pytest.raises(KeyboardInterrupt, match="stop"):
                score(model, tmp_path / "p.fa", ScoreOptions(resume=resume), output=tmp_path / "out" / "o.bed")
    score(model, tmp_path / "p.fa", ScoreOptions(resume=True), output=tmp_path / "out" / "o.bed")
    assert left(tmp_path / "out" / "x") == names
    for name in names:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.fixture
def kept(fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An output that was cut off."""
    out = tmp_path / "out" / "o.tsv"
    with monkeypatch.context() as patch:
        cut(4, KeyboardInterrupt("stop"), patch)
        with pytest.raises(KeyboardInterrupt, match="stop"):
            score(MODEL, fasta, WINDOWS, output=out)
    return out


@pytest.mark.parametrize(
    ("seed", "times", "step", "said"),
    [
        (0, 1, 7, "--step 15, now it is 7; pass the same"),
        (0, 1, None, "--step 15, now it is not given; pass the same"),
        (9, 1, 15, "model [0-9a-f]{16}, now it is [0-9a-f]{16}"),
        (0, 2, 15, r"inputs .*some.fa \(.* bytes, changed at .*\), now it is .*some.fa"),
    ],
)
def test_other_terms_are_refused(seed: int, times: int, step: int | None, said: str, kept: Path, fasta: Path) -> None:
    before = (kept.parent / ".o.tsv.part").read_bytes()
    options = ScoreOptions(window=40, step=step, resume=True)
    model = MODEL if seed == 0 else dna_model(seed=seed)
    with pytest.raises(OptionError, match=f"--resume: .*o.tsv was begun with {said}.*leave --resume out to begin anew"):
        score(model, [fasta] * times, options, output=kept)
    assert (kept.parent / ".o.tsv.part").read_bytes() == before


def test_a_changed_input_is_refused(kept: Path, fasta: Path) -> None:
    fasta.write_text(fasta.read_text()[:-9])
    with pytest.raises(OptionError, match="o.tsv was begun with inputs .*some.fa"):
        score(MODEL, fasta, AGAIN, output=kept)


def test_what_is_damaged_is_refused(kept: Path, fasta: Path) -> None:
    part, record = kept.parent / ".o.tsv.part", kept.parent / ".o.tsv.resume"
    data = part.read_bytes()
    part.write_bytes(data[:-1])
    with pytest.raises(OptionError, match=r"--resume: .*\.o\.tsv\.part is shorter than it was; leave --resume out"):
        score(MODEL, fasta, AGAIN, output=kept)
    part.unlink()
    with pytest.raises(OptionError, match=r"\.o\.tsv\.resume or its \.part file is damaged"):
        score(MODEL, fasta, AGAIN, output=kept)
    part.write_bytes(data)
    record.write_text("{}")
    with pytest.raises(OptionError, match=r"\.o\.tsv\.resume or its \.part file is damaged"):
        score(MODEL, fasta, AGAIN, output=kept)
    score(MODEL, fasta, WINDOWS, output=kept)  # begun anew
    assert left(kept) == ["o.tsv"] and kept.read_bytes().startswith(data)


def test_nothing_to_go_on_with_is_said(fasta: Path, tmp_path: Path) -> None:
    done = score(MODEL, fasta, AGAIN, output=tmp_path / "out" / "o.tsv")
    assert "nothing was kept to go on with" in " ".join(done.notes)


def test_wrong_input_leaves_nothing(fasta: Path, tmp_path: Path) -> None:
    fasta.write_text(fasta.read_text() + ">empty\n>last\nACGT\n")
    with pytest.raises(FormatError, match="some.fa, line 41, record empty: no sequence after the header"):
        score(MODEL, fasta, WINDOWS, output=tmp_path / "out" / "o.tsv")
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("output", "options", "said"),
    [
        ("-", {}, "standard output cannot be gone on with; name a file with -o"),
        ("o.bedgraph", {}, "bedgraph cannot be gone on with; write tsv or bed"),
        ("o.parquet", {}, "parquet cannot be gone on with; write tsv or bed"),
        ("o.tsv.gz", {}, "o.tsv.gz is packed, and cannot be gone on with"),
        ("/dev/null", {}, "/dev/null is no file"),
        ("o.tsv", {"peaks": Path("p.narrowPeak")}, "the output of --peaks cannot be gone on with"),
        ("o.tsv", {"neighbours": Path("x.fa")}, "the output of --neighbours cannot be gone on with"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused(output: str, options: dict[str, Any], said: str, fasta: Path) -> None:
    with pytest.raises(OptionError, match=f"--resume: {said}"):
        score(MODEL, fasta, ScoreOptions(resume=True, **options), output=output)


def test_inputs_that_cannot_be_read_again(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--resume: standard input cannot be read again"):
        score(MODEL, "-", ScoreOptions(resume=True), output=tmp_path / "o.tsv")
    with pytest.raises(OptionError, match="--resume: this model reads pictures; only sequences"):
        score(picture_model(), tmp_path, ScoreOptions(resume=True), output=tmp_path / "o.tsv")


def test_two_runs_do_not_write_one_file(tmp_path: Path) -> None:
    with Kept([str(tmp_path / "o.tsv")], {}), pytest.raises(OutputFileError, match="o.tsv is being written by another"):
        Kept([str(tmp_path / "o.tsv")], {}).__enter__()
    assert os.listdir(tmp_path) == ["o.tsv"]


def test_a_full_disk_is_said_in_one_line(fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(3, OSError(errno.ENOSPC, "full"), monkeypatch)
    with pytest.raises(DiskFullError, match="o.tsv: the disk is full; what was written is kept: free some"):
        score(MODEL, fasta, WINDOWS, output=tmp_path / "out" / "o.tsv")


@pytest.fixture
def long(tmp_path: Path) -> list[str]:
    """A command that takes some seconds."""
    MODEL.save(tmp_path / "m.safetensors")
    sequence = letters(1, 900, 1000, seed=1)[0]
    (tmp_path / "long.fa").write_text("".join(f">c{i}\n{sequence * 30}\n" for i in range(8)))
    files = [str(tmp_path / name) for name in ("m.safetensors", "long.fa")]
    return [sys.executable, "-m", "seqcnn", "score", *files, "--window", "60", "--step", "5"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_process_is_gone_on_with(number: signal.Signals, long: list[str], tmp_path: Path) -> None:
    out, record = tmp_path / "o.tsv", tmp_path / ".o.tsv.resume"
    with subprocess.Popen([*long, "-o", str(out)], stderr=subprocess.PIPE) as run:
        while run.poll() is None and not record.exists():
            time.sleep(0.01)
        run.send_signal(number)
        said = run.communicate()[1].decode()
    assert not out.exists() and run.returncode in (-9, 130, 143)
    if number != signal.SIGKILL:
        assert said.endswith("; what was written is kept: the same command with --resume goes on\n"), said
    assert main([*long[3:], "-o", str(out), "--resume"]) == 0
    assert main([*long[3:], "-o", str(tmp_path / "whole.tsv")]) == 0
    assert out.read_bytes() == (tmp_path / "whole.tsv").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_an_interrupt_leaves_whole_lines_on_standard_output(long: list[str]) -> None:
    with subprocess.Popen(long, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        start = run.stdout.read(1)  # the pipe is full soon, so that the interrupt comes while a text is written
        time.sleep(0.5)
        run.send_signal(signal.SIGINT)
        time.sleep(0.2)
        rest, said = run.communicate()
    assert run.returncode == 130 and said.decode() == "seqcnn: interrupted; nothing half-written is left\n"
    rows = (start + rest).decode().split("\n")
    assert rows[-1] == "" and {len(row.split("\t")) for row in rows[:-1]} == {5}


def test_windows_that_are_no_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    MODEL.save(tmp_path / "m.safetensors")
    path = tmp_path / "s.fa"
    path.write_text(f">tiny\nACGTAC\n>n\n{'N' * 70}\n>good\n{'ACGGT' * 14}\n")
    command = ["score", str(tmp_path / "m.safetensors"), str(path), "--window", "30"]
    for step, code, said in (
        ("0", 2, "error: --step: expected 1 or more, found 0"),
        ("40", 0, "windows begin every 40 letters: 10 between are unseen"),
        ("20", 0, "1 record shorter than the window: one window each, as long as the record"),
    ):
        assert main([*command, "--step", step]) == code
        out, err = capsys.readouterr()
        assert said in err and "Traceback" not in err
        rows = [line.split("\t") for line in out.splitlines()[1:]]
        if code == 0:
            assert rows[0][:4] == ["tiny", "0", "6", "6"] and "changed: 70 N" in err
            assert [row[1:3] for row in rows if row[0] == "n"] == [row[1:3] for row in rows if row[0] == "good"]
            assert len({row[4] for row in rows if row[0] == "n"}) == 1  # nothing to tell one from the other
