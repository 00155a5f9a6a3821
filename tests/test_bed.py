"""Tests of interval files: BED of any width, narrowPeak summits, and lines that are wrong."""

import gzip

import pytest

from seqcnn.errors import FormatError, InputFileError
from seqcnn.io.bed import is_bed, read_bed

LINES = "# made\nbrowser position chr1\ntrack name=peaks\nchr2\t7\t9\n\nchr1\t0\t5\n"


@pytest.mark.parametrize("name", ["a.bed", "a.bed.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_headers_blank_lines_and_any_order_just_work(name, end, tmp_path):
    data = LINES.replace("\n", end).encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found, rows = read_bed(path)
    assert found.chromosomes == ("chr2", "chr1")
    assert found.starts.tolist() == [7, 0] and found.ends.tolist() == [9, 5]
    assert found.strands.tolist() == [0, 0] and found.names == ("", "")
    assert found.summits is None and len(rows) == 2


@pytest.mark.parametrize("columns", range(3, 13))
def test_bed_of_three_to_twelve_columns(columns, tmp_path):
    cells = ["chr1", "10", "60", "peak 1", "900", "-", "10", "60", "0,0,0", "2", "5,5", "0,45"][:columns]
    (tmp_path / "a.bed").write_text("\t".join(cells) + "\n")
    found, _ = read_bed(tmp_path / "a.bed")
    assert found.names == (("peak 1",) if columns > 3 else ("",))
    assert found.strands.tolist() == ([-1] if columns > 5 else [0])
    assert found.summits is None


def test_spaces_separate_where_there_is_no_tab(tmp_path):
    (tmp_path / "a.bed").write_text("chr1   10 60  x 0 +\n")
    assert read_bed(tmp_path / "a.bed")[0].strands.tolist() == [1]


def test_summits_of_narrow_peaks_are_where_windows_are_centred(tmp_path):
    path = tmp_path / "a.narrowPeak"
    path.write_text("chr1\t100\t300\ta\t0\t.\t5\t3\t2\t20\nchr1\t100\t300\tb\t0\t.\t5\t3\t2\t-1\n")
    found, _ = read_bed(path)
    assert found.summits.tolist() == [120, -1]
    assert found.centered(50).starts.tolist() == [95, 175]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chr1\t9\t5", "line 2: start 9 is not before end 5"),
        ("chr1\t5\t5", "line 2: start 5 is not before end 5"),
        ("chr1\t-1\t5", "line 2: start -1 is below 0"),
        ("chr1\tx\t5", "line 2: expected a whole number as start, found 'x'"),
        ("chr1\t1\t5.5", "line 2: expected a whole number as end, found '5.5'"),
        ("chr1\t1", r"line 2: expected chromosome, start and end, found 2 column\(s\)"),
        ("chr1\t1\t5\ta\t0\t?", "line 2, column 6: expected a strand"),
    ],
)
def test_a_wrong_line_is_named(line, said, tmp_path):
    (tmp_path / "a.bed").write_text(f"chr1\t0\t5\n{line}\n")
    with pytest.raises(FormatError, match=f"a.bed, {said}"):
        read_bed(tmp_path / "a.bed")


def test_a_summit_beyond_its_peak_is_named(tmp_path):
    (tmp_path / "a.narrowPeak").write_text("chr1\t100\t300\ta\t0\t.\t5\t3\t2\t200\n")
    with pytest.raises(FormatError, match="line 1, column 10: the summit, 200 from the start, lies beyond the end"):
        read_bed(tmp_path / "a.narrowPeak")


def test_files_without_intervals(tmp_path):
    (tmp_path / "a.bed").write_text("track name=x\n")
    with pytest.raises(FormatError, match="a.bed holds no interval"):
        read_bed(tmp_path / "a.bed")
    with pytest.raises(InputFileError, match="b.bed: no such file"):
        read_bed(tmp_path / "b.bed")
    assert is_bed("A.BED") and not is_bed("a.bedgraph")
