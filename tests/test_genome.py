"""Tests of genomes: any stretch against Biopython, in threads and processes; indices made, stale, kept elsewhere."""

import errno
import gzip
import multiprocessing
import os
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.errors import DataError, FormatError, InputFileError
from seqcnn.interval import Intervals
from seqcnn.io.faidx import build_index, read_index
from seqcnn.io.genome import Genome


def written(path: Path, records: dict[str, str], *, width: int = 60, end: str = "\n", last: str = "\n") -> Path:
    parts = []
    for name, sequence in records.items():
        lines = [sequence[i : i + width] for i in range(0, len(sequence), width)]
        parts.append(end.join([f">{name} a chromosome", *lines]))
    path.write_bytes((end.join(parts) + last).encode())
    return path


def random_genome(seed: int = 0) -> dict[str, str]:
    rng = np.random.default_rng(seed)
    return {f"chr{i}": "".join(rng.choice(list("ACGTacgtN"), n)) for i, n in enumerate((1003, 1, 60, 120, 5000), 1)}


@pytest.fixture(scope="module")
def genome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("genome") / "g.fa", random_genome())


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 70), end=st.sampled_from(["\n", "\r\n"]), last=st.sampled_from(["", "\n", "\n\n"]))
def test_any_layout_reads_as_biopython_reads_it(tmp_path_factory, width, end, last):
    path = written(tmp_path_factory.mktemp("layout") / "g.fa", random_genome(), width=width, end=end, last=last)
    found = Genome(path)
    expected = {r.id: str(r.seq) for r in SeqIO.parse(path, "fasta")}
    assert found.lengths == {name: len(sequence) for name, sequence in expected.items()}
    rng = np.random.default_rng(width)
    for name, sequence in expected.items():
        for _ in range(5):
            start, stop = sorted(rng.integers(-20, len(sequence) + 20, 2).tolist())
            inside = sequence[max(start, 0) : max(stop, 0)]
            wanted = "N" * (min(stop, 0) - min(start, 0)) + inside
            assert found.letters(name, start, stop) == wanted.ljust(stop - start, "N").encode()


def test_the_index_is_that_of_samtools(tmp_path):
    path = written(tmp_path / "g.fa", {"a": "ACGTACGTAC", "b": "TTTT"}, width=4)
    Genome(path)
    assert (tmp_path / "g.fa.fai").read_text() == "a\t10\t16\t4\t5\nb\t4\t45\t4\t5\n"
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".fai"] == ["g.fa.fai"]


def test_a_stale_or_foreign_index_is_made_again(tmp_path):
    path = written(tmp_path / "g.fa", {"a": "ACGT" * 30})
    Genome(path)
    written(path, {"b": "TTTTT" * 50})
    index = path.with_name("g.fa.fai")
    os.utime(index, (1, 1))
    assert Genome(path).letters("b", 0, 5) == b"TTTTT"
    index.write_text("b\t99999999\t3\t60\t61\n")
    assert Genome(path).lengths == {"b": 250}
    index.write_text("no index\n")
    assert Genome(path).lengths == {"b": 250}
    assert [e.length for e in read_index(index)] == [250]


def test_an_index_that_cannot_lie_beside_the_file_lies_in_the_cache(tmp_path, monkeypatch):
    path = written(tmp_path / "g.fa", {"a": "ACGT" * 30})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "g.fa.fai").mkdir()  # as good as no permission, for root as well
    assert Genome(path).letters("a", 2, 6) == b"GTAC"
    (kept,) = (tmp_path / "cache").rglob("*.fai")
    before = kept.stat().st_mtime_ns
    assert Genome(path).lengths == {"a": 120}
    assert kept.stat().st_mtime_ns == before


def reading(genome: Genome, seed: int) -> list[tuple[str, int, bytes]]:
    rng = np.random.default_rng(seed)
    names = sorted(genome.lengths)
    found = []
    for _ in range(400):
        name = names[int(rng.integers(len(names)))]
        start = int(rng.integers(-30, genome.lengths[name] + 30))
        found.append((name, start, genome.letters(name, start, start + 77)))
    return found


def wrong(found: list[tuple[str, int, bytes]]) -> int:
    plain = random_genome()
    padded = {name: "N" * 200 + sequence + "N" * 200 for name, sequence in plain.items()}
    return sum(padded[name][start + 200 : start + 277].encode() != letters for name, start, letters in found)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_eight_processes_read_right(genome, method):
    shared = Genome(genome)
    reading(shared, 99)
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context(method)) as pool:
        for found in pool.map(reading, [shared] * 8, range(8)):
            assert wrong(found) == 0


def test_eight_threads_read_right(genome):
    shared, ready = Genome(genome), threading.Barrier(8)

    def work(seed: int) -> int:
        ready.wait()
        return wrong(reading(shared, seed))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [0] * 8


def test_two_processes_may_make_the_index_at_once(tmp_path):
    path = written(tmp_path / "g.fa", random_genome())
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("fork")) as pool:
        assert len(set(map(str, pool.map(lengths_of, [path] * 16)))) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["g.fa", "g.fa.fai"]


def lengths_of(path: Path) -> dict[str, int]:
    return Genome(path).lengths


def test_bgzip_reads_alike_in_threads_and_processes(genome, tmp_path):
    pysam = pytest.importorskip("pysam")
    packed = tmp_path / "g.fa.gz"
    pysam.tabix_compress(str(genome), str(packed))
    shared = Genome(packed)
    assert shared.lengths == Genome(genome).lengths
    assert wrong(reading(shared, 1)) == 0
    with ThreadPoolExecutor(8) as pool:
        assert sum(wrong(found) for found in pool.map(lambda seed: reading(shared, seed), range(8))) == 0
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        assert sum(wrong(found) for found in pool.map(reading, [shared] * 4, range(4))) == 0


def test_a_genome_travels_as_its_path(genome):
    again = pickle.loads(pickle.dumps(Genome(genome)))
    assert len(pickle.dumps(again)) < 1000
    assert wrong(reading(again, 3)) == 0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "g.fa is empty"),
        (b"chr1\t0\t5\n", "expected FASTA, which starts with '>'"),
        (b">a\nACGT\nAC\nACGT\n", "record a: lines of unequal length"),
        (b">a\nACGT\n\nACGT\n", "record a: lines of unequal length"),
        (b">a\nAC\n>a\nGT\n", "two records are called 'a'"),
        (b">\nAC\n", "a record without a name"),
        (
            gzip.compress(b">a\nAC\n", mtime=0),
            r"g\.fa is gzip, in which no place can be found; unpack it \(gunzip -k g\.fa\)",
        ),
    ],
)
def test_files_that_cannot_be_indexed_are_named(data, said, tmp_path):
    path = tmp_path / "g.fa"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=said):
        Genome(path)
    assert [p.name for p in tmp_path.iterdir()] == ["g.fa"]


def test_what_is_not_there_is_said(genome, tmp_path):
    with pytest.raises(InputFileError, match="none.fa: no such file"):
        Genome(tmp_path / "none.fa")
    with pytest.raises(DataError, match=r"has no chromosome 'chr6' .did you mean 'chr5'..; it has chr1, chr2"):
        Genome(genome).letters("chr6", 0, 5)


def test_a_record_without_letters_and_one_without_an_end(tmp_path):
    path = tmp_path / "g.fa"
    path.write_bytes(b">a\n>b\n\n>c\nACGTAC")
    assert [(e.name, e.length) for e in build_index(path)] == [("a", 0), ("b", 0), ("c", 6)]
    found = Genome(path)
    assert found.letters("a", -1, 2) == b"NNN"
    assert found.letters("c", 4, 9) == b"ACNNN"


def test_windows_over_the_edge_are_padded_shifted_or_dropped(genome):
    found = Genome(genome)
    peaks = Intervals.of([("chr3", 0, 10, 1), ("chr3", 20, 31, 1), ("chr3", 55, 60, -1), ("chr2", 0, 1, 0)])
    around = peaks.centered(21)
    assert around.starts.tolist() == [-5, 15, 47, -10]
    for edge, starts, kept in (
        ("pad", [-5, 15, 47, -10], [0, 1, 2, 3]),
        ("shift", [0, 15, 39], [0, 1, 2]),
        ("drop", [15], [1]),
    ):
        fitted, index = around.fitted(found.lengths, edge)
        assert fitted.starts.tolist() == starts and index.tolist() == kept
        assert (fitted.widths == 21).all()
        for letters, name, start in zip(found.windows(fitted), fitted.chromosomes, starts, strict=True):
            assert letters == found.letters(name, start, start + 21)
            assert (b"N" * 5 in letters) == (edge == "pad" and start != 15) or start == 15


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), min_size=1, max_size=6), st.integers(1, 100))
def test_shifted_windows_lie_inside_and_keep_their_width(pairs, width):
    peaks = Intervals.of([("a", start, start + wide, 0) for start, wide in pairs])
    fitted, kept = peaks.centered(width).fitted({"a": 100}, "shift")
    assert len(kept) == len(peaks)
    assert (fitted.starts >= 0).all() and (fitted.ends <= 100).all() and (fitted.widths == width).all()


@pytest.fixture
def packed(genome: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The genome as a bgzip file, with a cache folder of its own."""
    pysam = pytest.importorskip("pysam")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "g.fa.gz"
    pysam.tabix_compress(str(genome), str(path))
    return path


def copies(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.letters"))


def test_a_stale_index_is_said_and_made_again(tmp_path):
    path = written(tmp_path / "g.fa", {"a": "ACGT" * 30})
    assert Genome(path).notes == []
    os.utime(tmp_path / "g.fa.fai", (1, 1))
    assert Genome(path).notes == [f"{path}.fai was older than the file: made again"]
    (tmp_path / "g.fa.fai").write_text("no index\n")
    assert Genome(path).notes == [f"{path}.fai was no index: made again"]
    assert Genome(path).notes == []


def test_the_indices_of_a_bgzip_file_are_made_whole_made_again_and_kept_elsewhere(packed, tmp_path):
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("fork")) as pool:
        assert len(set(map(str, pool.map(lengths_of, [packed] * 16)))) == 1
    assert sorted(p.name for p in packed.parent.iterdir()) == ["g.fa.gz", "g.fa.gz.fai", "g.fa.gz.gzi"]
    import pysam

    plain = written(tmp_path / "other.fa", {"b": "TTTTT" * 50})
    pysam.tabix_compress(str(plain), str(packed), force=True)
    os.utime(f"{packed}.fai", (1, 1))
    found = Genome(packed)
    assert found.lengths == {"b": 250} and found.letters("b", 248, 252) == b"TTNN"
    assert found.notes == [f"{packed}.fai was older than the file: made again"]
    for name in ("fai", "gzi"):
        Path(f"{packed}.{name}").unlink()
        Path(f"{packed}.{name}").mkdir()
    assert Genome(packed).letters("b", 0, 3) == b"TTT"
    assert len(list((tmp_path / "cache" / "seqcnn" / "index").iterdir())) == 2


def test_a_damaged_bgzip_file_is_said(packed):
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FormatError, match=r"g.fa.gz lacks the block that ends a bgzip file \(truncated\)"):
        Genome(packed)
    packed.write_bytes(whole)
    found = Genome(packed)
    packed.write_bytes(whole[:2000] + bytes(500) + whole[2500:])
    os.utime(packed, (1, 1))  # no newer than its index
    with pytest.raises(FormatError, match="g.fa.gz: the bgzip file is damaged or truncated"):
        reading(pickle.loads(pickle.dumps(found)), 1)


def test_what_is_packed_but_no_fasta_is_said(packed, tmp_path, capfd):
    import pysam

    (tmp_path / "x").write_text("chr1\t5\t9\n")
    pysam.tabix_compress(str(tmp_path / "x"), str(packed), force=True)
    with pytest.raises(FormatError, match="g.fa.gz: cannot be indexed; expected FASTA of lines of equal length"):
        Genome(packed)
    assert capfd.readouterr().err == ""


def test_a_copy_reads_alike_in_threads_and_processes(packed, tmp_path):
    shared = Genome(packed, cache=True)
    (copy,) = copies(tmp_path)
    assert f"an unpacked copy was made, {copy.stat().st_size / 1e6:,.1f} MB" in shared.notes[0]
    assert wrong(reading(shared, 1)) == 0 and shared.lengths == Genome(packed).lengths
    with ThreadPoolExecutor(8) as pool:
        assert sum(wrong(found) for found in pool.map(lambda seed: reading(shared, seed), range(8))) == 0
    for method, workers in (("fork", 8), ("spawn", 2)):
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as pool:
            assert sum(wrong(found) for found in pool.map(reading, [shared] * 8, range(8))) == 0
    assert Genome(packed, cache=True).notes == []


def test_a_copy_is_named_by_content_and_made_by_one_of_many_at_once(packed, tmp_path):
    with ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("fork")) as pool:
        assert sum(pool.map(wrong_of_copy, [packed] * 8)) == 0
    (copy,) = copies(tmp_path)
    before = copy.stat().st_ino
    moved = packed.rename(packed.with_name("moved.fa.gz"))
    assert Genome(moved, cache=True).notes == [] and copies(tmp_path)[0].stat().st_ino == before
    import pysam

    pysam.tabix_compress(str(written(tmp_path / "b.fa", {"b": "TTTTT" * 50})), str(moved), force=True)
    assert Genome(moved, cache=True).lengths == {"b": 250} and len(copies(tmp_path)) == 2


def wrong_of_copy(path: Path) -> int:
    return wrong(reading(Genome(path, cache=True), 7))


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign", "empty"])
def test_a_damaged_copy_is_made_again_and_said(damage, packed, tmp_path):
    Genome(packed, cache=True)
    (copy,) = copies(tmp_path)
    whole = copy.read_bytes()
    bad = {
        "flipped": whole[:700] + b"x" + whole[701:],
        "cut": whole[:-3],
        "foreign": b"something else\n" * 20,
        "empty": b"",
    }[damage]
    copy.write_bytes(bad)
    found = Genome(packed, cache=True)
    assert "a damaged copy was made again" in found.notes[0] and wrong(reading(found, 2)) == 0
    assert copy.read_bytes()[: sum(found.lengths.values())] == whole[: sum(found.lengths.values())]


def test_a_copy_that_was_only_touched_stays(packed, tmp_path):
    Genome(packed, cache=True)
    (copy,) = copies(tmp_path)
    os.utime(copy)
    inode = copy.stat().st_ino
    found = Genome(packed, cache=True)
    assert found.notes == [] and copy.stat().st_ino == inode and wrong(reading(found, 3)) == 0


def test_without_room_or_permission_it_goes_on_without_a_copy(packed, tmp_path, monkeypatch):
    (tmp_path / "cache").write_text("no folder")
    found = Genome(packed, cache=True)
    assert "no copy of" in found.notes[0] and "read without one" in found.notes[0]
    assert wrong(reading(found, 4)) == 0
    (tmp_path / "cache").unlink()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = Genome(packed, cache=True)
    assert "--cache: no room in" in found.notes[-1] and copies(tmp_path) == []
    assert wrong(reading(found, 5)) == 0


def test_a_plain_file_gains_nothing_by_a_copy(genome, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert "is not packed, and read as fast without a copy" in Genome(genome, cache=True).notes[0]
    assert copies(tmp_path) == []
