"""Tests of interval files: BED of any width, narrowPeak summits, and lines that are wrong."""

import gzip

import pytest

from seqcnn.errors import FormatError, InputFileError
from seqcnn.io.bed import is_bed, read_bed, read_bed_table

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


@pytest.mark.parametrize(
    "head", ["chrom\tstart\tend\tname\tx", "#Chr\tStart\tEnd\tname\tx", "#chrom\tchromStart\tchromEnd\tname\tx"]
)
def test_a_line_of_names_is_no_interval_and_names_the_columns(head, tmp_path):
    (tmp_path / "a.bed").write_text(f"# made\ntrack name=x\n{head}\nchr1\t5\t9\tp\t2.5\n")
    found, frame = read_bed_table(tmp_path / "a.bed")
    assert found.lines.tolist() == [4] and found.names == ("p",)
    assert frame.columns.tolist()[-2:] == ["name", "x"] and frame["x"].tolist() == ["2.5"]
    assert len(read_bed(tmp_path / "a.bed")[0]) == 1


def test_columns_without_names_have_those_of_the_format_or_their_numbers(tmp_path):
    (tmp_path / "a.bed").write_text("\t".join(["chr1", "5", "9", "a", "0", "+", *map(str, range(8))]) + "\n")
    columns = read_bed_table(tmp_path / "a.bed")[1].columns.tolist()
    assert columns[:6] == ["chrom", "start", "end", "name", "score", "strand"] and columns[11:] == [
        "blockStarts",
        "13",
        "14",
    ]
    (tmp_path / "a.broadPeak").write_text("chr1\t5\t9\ta\t0\t.\t1.5\t2\t3\n")
    assert read_bed_table(tmp_path / "a.broadPeak")[1].columns.tolist()[6:] == ["signalValue", "pValue", "qValue"]


def test_byte_order_mark_scores_with_points_and_chromosomes_called_oddly(tmp_path):
    data = "\ufeffchr1\t1\t5\ta\t3.75\t+\r\n\r\ntracks_7\t1\t5\tb\t1e-3\t-\r\n".encode()
    (tmp_path / "a.bed").write_bytes(data)
    found, _ = read_bed(tmp_path / "a.bed")
    assert found.chromosomes == ("chr1", "tracks_7") and found.strands.tolist() == [1, -1]
    assert found.lines.tolist() == [1, 3] and found.take([1]).lines.tolist() == [3]


@pytest.mark.parametrize("number", ["1_000", "99999999999999999999", "1e6", "1,000", "٣x"])
def test_numbers_that_are_none_are_named(number, tmp_path):
    (tmp_path / "a.bed").write_text(f"chr1\t0\t{number}\n")
    with pytest.raises(FormatError, match=f"a.bed, line 1: expected a whole number as end, found '{number}'"):
        read_bed(tmp_path / "a.bed")


def test_an_empty_file_is_said(tmp_path):
    (tmp_path / "a.bed").write_bytes(b"")
    with pytest.raises(FormatError, match="a.bed is empty"):
        read_bed(tmp_path / "a.bed")
    (tmp_path / "b.bed").write_text("chrom\tstart\tend\n")
    with pytest.raises(FormatError, match="b.bed holds no interval"):
        read_bed(tmp_path / "b.bed")


def test_columns_named_twice_are_refused_in_tables(tmp_path):
    (tmp_path / "a.bed").write_text("#chrom\tstart\tend\tx\tx\nchr1\t1\t5\ta\tb\n")
    with pytest.raises(FormatError, match="column 'x' occurs twice in the line of names"):
        read_bed_table(tmp_path / "a.bed")


def test_a_line_of_names_says_where_name_and_strand_stand(tmp_path):
    (tmp_path / "a.bed").write_text("#chrom\tstart\tend\tx\ty\tz\tStrand\tName\nchr1\t1\t5\ta\tb\tc\t-\tp\n")
    found, frame = read_bed_table(tmp_path / "a.bed")
    assert found.names == ("p",) and found.strands.tolist() == [-1] and frame["z"].tolist() == ["c"]
    (tmp_path / "a.bed").write_text("chrom\tstart\tend\tx\ty\tz\nchr1\t1\t5\ta\tb\tc\n")
    assert read_bed(tmp_path / "a.bed")[0].names == ("",)
