"""Tests of writing: whole or not at all, with the permissions of open, and one line where it cannot be."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqcnn.errors import DiskFullError, FormatError, OutputFileError
from seqcnn.io import writing
from seqcnn.io.cells import cell
from seqcnn.io.tsv import tsv_rows
from seqcnn.io.writing import atomic, atomic_folder, check_writable


@pytest.fixture(params=["nameless", "copied", "named"])
def _either_way(request, monkeypatch):
    """With a file that has no name until it is whole (Linux), also where links are not allowed, and without."""
    if request.param == "copied":

        def forbidden(*args, **options):
            raise OSError(errno.EXDEV, "no link")

        monkeypatch.setattr(os, "link", forbidden)
    if request.param == "named":
        monkeypatch.setattr(writing, "_nameless", lambda folder: None)


@pytest.mark.usefixtures("_either_way")
class TestAtomic:
    def test_text_and_bytes(self, tmp_path):
        for mode, value in (("w", "é\r\n"), ("wb", b"\0\xff")):
            with atomic(tmp_path / "x", mode) as stream:
                stream.write(value)
            data = (tmp_path / "x").read_bytes()
            assert data == (value.encode() if isinstance(value, str) else value)
        assert os.listdir(tmp_path) == ["x"]

    @pytest.mark.parametrize(
        "error", [KeyboardInterrupt("stopped"), FormatError("stopped"), ZeroDivisionError("stopped")]
    )
    def test_nothing_is_left_of_a_failed_run_and_the_old_file_stays(self, tmp_path, error):
        (tmp_path / "x").write_text("old")

        def fail():
            with atomic(tmp_path / "x") as stream:
                stream.write("new")
                stream.flush()
                raise error

        with pytest.raises(type(error), match="stopped"):
            fail()
        assert (tmp_path / "x").read_text() == "old"
        assert os.listdir(tmp_path) == ["x"]

    @pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
    def test_permissions_are_those_of_open(self, tmp_path, umask):
        before = os.umask(umask)
        try:
            with atomic(tmp_path / "x") as stream:
                stream.write("a")
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~umask

    def test_permissions_and_links_of_the_old_file_stay(self, tmp_path):
        (tmp_path / "real").write_text("old")
        (tmp_path / "real").chmod(0o640)
        (tmp_path / "link").symlink_to("real")
        with atomic(tmp_path / "link") as stream:
            stream.write("new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "new"
        assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o640

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
    def test_full_disk(self, tmp_path, monkeypatch, code):
        def full(descriptor):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", full)
        with (
            pytest.raises(DiskFullError, match="x: the disk is full; no partial file remains"),
            atomic(tmp_path / "x") as stream,
        ):
            stream.write("a")
        assert os.listdir(tmp_path) == []

    def test_an_error_of_another_file_is_not_ours(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="elsewhere"), atomic(tmp_path / "x"):
            open(tmp_path / "elsewhere").close()

    def test_a_full_device_is_written_in_place(self):
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full here")
        with pytest.raises(DiskFullError, match="/dev/full: the disk is full"), atomic("/dev/full") as stream:
            stream.write("a")
        with atomic("/dev/null") as stream:
            stream.write("a")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_process_leaves_nothing(tmp_path, number):
    if not hasattr(os, "O_TMPFILE"):
        pytest.skip("files without a name are a feature of Linux")
    program = f"""
        import time
        from seqcnn.io.writing import atomic
        with atomic({str(tmp_path / "x")!r}) as stream:
            stream.write("half")
            stream.flush()
            print("ready", flush=True)
            time.sleep(60)
    """
    run = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.readline()
    run.send_signal(number)
    run.wait()
    run.stdout.close()
    time.sleep(0.05)
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    for place, words in (
        (tmp_path / "no" / "x", "the folder .*no does not exist; make it first"),
        (tmp_path / "file" / "x", "is not a folder"),
        (tmp_path, "is a folder; expected the name of a file"),
    ):
        with pytest.raises(OutputFileError, match=words):
            check_writable(place)
        with pytest.raises(OutputFileError, match=words), atomic(place):
            pass
    with pytest.raises(OutputFileError, match="file is a file; expected the name of a folder"):
        check_writable(tmp_path / "file", folder=True)
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(OutputFileError, match="new cannot be written: permission denied"):
            check_writable(tmp_path / "new")
        tmp_path.chmod(0o700)
    assert check_writable(tmp_path / "new") == tmp_path / "new"


def test_a_folder_is_filled_at_once_and_foreign_files_stay(tmp_path):
    out = tmp_path / "motifs"
    with atomic_folder(out, ours=["logos/*.svg"]) as folder:
        (folder / "motifs.meme").write_text("1")
        (folder / "logos").mkdir()
        for name in ("1.svg", "2.svg"):
            (folder / "logos" / name).write_text(name)
        assert not out.exists()
    (out / "notes.txt").write_text("mine")
    (out / "logos" / "mine.png").write_text("mine")
    with atomic_folder(out, ours=["logos/*.svg"]) as folder:
        (folder / "motifs.meme").write_text("2")
        (folder / "logos").mkdir()
        (folder / "logos" / "1.svg").write_text("new")
    found = {str(p.relative_to(out)): p.read_text() for p in out.rglob("*") if p.is_file()}
    assert found == {"motifs.meme": "2", "logos/1.svg": "new", "logos/mine.png": "mine", "notes.txt": "mine"}
    assert os.listdir(tmp_path) == ["motifs"]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("old")

    def fail(error):
        with atomic_folder(tmp_path / "out") as folder:
            (folder / "a").write_text("new")
            raise error

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        fail(KeyboardInterrupt("stopped"))
    with pytest.raises(DiskFullError, match="out: the disk is full"):
        fail(OSError(errno.ENOSPC, "No space left on device"))
    assert (tmp_path / "out" / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]
    with pytest.raises(OutputFileError, match="the folder .* does not exist"), atomic_folder(tmp_path / "no" / "out"):
        pass


def test_rows_to_a_file_and_to_standard_output(tmp_path, capsys):
    for place in (tmp_path / "x.tsv", "-"):
        with tsv_rows(place, ["id", "score"]) as write:
            write([("a\tb", 0.12345678)])
            write([("c", None)])
    wanted = "id\tscore\na b\t0.123457\nc\t\n"
    assert (tmp_path / "x.tsv").read_text() == wanted
    assert capsys.readouterr().out == wanted


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_keep_six_digits(value):
    assert float(cell(value)) == pytest.approx(value, rel=1e-5, abs=1e-45)
