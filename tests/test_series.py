"""Tests of tables of series: every layout read, faults named by line, and what becomes of them as data."""

import gzip
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqcnn.errors import DataError, FormatError, InputFileError, OptionError
from seqcnn.io.series import is_series_table, read_series
from seqcnn.options import DataOptions
from seqcnn.workflow.read import read

NAN = np.nan
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)
ROWS = [("b", [1.5, -2, 3e-3, 4, 5, 6, 7]), ("a", [0, 1, 0, 1, 0, 1, 0]), ("b", [9, 8, 7, 6, 5, 4, -0.25])]
TS = "#words\n@problemName x\n@univariate {}\n@classLabel {}\n@data\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def lines(rows, delimiter="\t", end="\n"):
    return "".join(delimiter.join([label, *(f"{v:g}" for v in values)]) + end for label, values in rows)


def found(path, **options):
    return [(s.label, s.values.tolist()) for s in read_series(path, **options)]


def same(values, wanted):
    np.testing.assert_array_equal(np.array(values, np.float32), np.array(wanted, np.float32))


@pytest.mark.parametrize("name, delimiter, end", [
    ("a.tsv", "\t", "\n"), ("a.csv", ",", "\r\n"), ("a.txt", "  ", "\n"), ("a.csv", ";", "\n"), ("a.dat", ", ", "\n"),
    ("a.tsv.gz", "\t", "\n"), ("a.tab", "\t", "\r\n"),
])  # fmt: skip
def test_a_line_is_a_label_and_values(name, delimiter, end, tmp_path):
    path = write(tmp_path / name, lines(ROWS, delimiter, end))
    assert is_series_table(path)
    series = list(read_series(path))
    assert [s.line for s in series] == [1, 2, 3]
    for s, (label, values) in zip(series, ROWS, strict=True):
        assert s.label == label and s.values.dtype == np.float32
        same(s.values, [values])


@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=9), min_size=1, max_size=5))
def test_what_is_written_is_read(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("series") / "a.csv"
    write(path, "".join(",".join(["x", *map(repr, values)]) + "\n" for values in records))
    for s, values in zip(read_series(path), records, strict=True):
        same(s.values, [values])


def test_blanks_comments_and_a_byte_order_mark_are_no_series(tmp_path):
    text = "\ufeff   1.0000e+00  -6.4e-01  5 6 7 8 9\n\n# a comment\n%another\n   2 1 2 3 4 5 6  \n"
    path = write(tmp_path / "a.txt", text)
    assert is_series_table(path)
    series = list(read_series(path))
    assert [(s.line, s.label) for s in series] == [(1, "1.0000e+00"), (5, "2")]
    same(series[0].values, [[-0.64, 5, 6, 7, 8, 9]])


def test_sktimes_layout(tmp_path):
    path = write(tmp_path / "one.ts", TS.format("true", "true a b") + "1,2,?,4:a\n5.5, 6:b\n")
    assert found(path)[1] == ("b", [[5.5, 6]])
    same(found(path)[0][1], [[1, 2, NAN, 4]])
    several = write(tmp_path / "several.TS.gz", TS.format("false", "true u v") + "1,2,3:4,5:u\n6,7:?,9:v\n")
    assert is_series_table(several)
    (u, first), (v, second) = found(several)
    assert (u, v) == ("u", "v")
    same(first, [[1, 2, 3], [4, 5, NAN]])
    same(second, [[6, 7], [NAN, 9]])
    unlabelled = write(tmp_path / "none.ts", TS.format("false", "false") + "1,2:4,5\n")
    assert found(unlabelled) == [(None, [[1, 2], [4, 5]])]
    numbers = write(tmp_path / "y.ts", TS.format("true", "false").replace("class", "target") + "1,2,3\n")
    assert found(numbers)[0][0] is None
    targets = write(tmp_path / "t.ts", "@targetLabel true\n@data\n1,2,3:0.75\n")
    assert found(targets) == [("0.75", [[1, 2, 3]])]


def test_wekas_layout(tmp_path):
    head = "% words\n@relation x\n@attribute a numeric\n@attribute target {1,2}\n\n@DATA\n"
    plain = write(tmp_path / "a.arff", head + "1,2.5,?,2\n-3,4,5,1\n")
    assert is_series_table(plain)
    same(found(plain)[0][1], [[1, 2.5, NAN]])
    assert found(plain)[1] == ("1", [[-3, 4, 5]])
    relational = write(tmp_path / "r.arff", head + "'1,2,3\\n4,5,?',up\n\"6,7\\n8,9\",down\n")
    (up, first), second = found(relational)
    assert up == "up" and second == ("down", [[6, 7], [8, 9]])
    same(first, [[1, 2, 3], [4, 5, NAN]])


def test_lines_without_labels(tmp_path):
    equal = write(tmp_path / "a.tsv", "1\t2\t3\n4\t5\t6\n")
    assert found(equal, labelled=False) == [(None, [[1, 2, 3]]), (None, [[4, 5, 6]])]
    assert found(equal, length=3) == found(equal, labelled=False)
    assert found(equal, length=2) == found(equal) == [("1", [[2, 3]]), ("4", [[5, 6]])]
    ragged = write(tmp_path / "b.tsv", "1\t2\t3\n4\t5\t6\t7\n")
    assert found(ragged, length=3) == [("1", [[2, 3]]), ("4", [[5, 6, 7]])]


@pytest.mark.parametrize("name, text, series", [
    ("a.csv", "1,2,3,4,5,6,7\n", True),
    ("a.csv", "1,2,3,4,5,6,7", True),
    ("a.csv", "up,2,,4,?,NaN,7,\n", True),
    ("a.csv", "1,2,3\n", False),  # too few to tell
    ("a.csv", "sequence,y\nACGT,1\n", False),
    ("a.csv", "y,a,b,c,d,e,f\n1,2,3,4,5,6,7\n", False),
    ("a.csv", "label,0,1,2,3,4,5,6\n1,2,3,4,5,6,7,8\n", False),
    ("a.csv", ",0,1,2,3,4,5,6\n1,2,3,4,5,6,7,8\n", False),
    ("a.tsv", "\t0\t1\t2\t3\t4\t5\t6\n", False),
    ("a.csv", "0,1,2,3,4,5,6,label\n1,2,3,4,5,6,7,8\n", False),
    ("a.txt", ">r1\nACGT\n", False),
    ("a.txt", ">r1 1 2 3 4 5 6 7 8\nACGT\n", False),
    ("a.txt", "", False),
    ("a.fa", "1,2,3,4,5,6,7,8\n", False),
    ("a.tsv", "1\t" + "\t".join(["0.123456789"] * 5000) + "\n", True),  # longer than what is looked at
])  # fmt: skip
def test_a_table_of_series_is_told_by_its_first_line(name, text, series, tmp_path):
    assert is_series_table(write(tmp_path / name, text)) is series


def test_fasta_named_txt_is_fasta(tmp_path):
    text = "".join(f">r{i} 1 2 3 4 5 6 7 8\n{'ACGTTGCATGGACC'[i:]}ACGTAGGCT\n" for i in range(4))
    data = read(write(tmp_path / "peaks.txt", text))
    assert (data.kind, data.ids[:2]) == ("codes", ("r0", "r1"))


@pytest.mark.parametrize("name, text, words", [
    ("a.tsv", lines(ROWS) + "a\t1\t2\tx3\t4\n", "line 4, value 3: expected a number, found 'x3'"),
    ("a.csv", lines(ROWS, ",") + "a,1,2,3,inf,4\n", "line 4: an infinite value; expected numbers"),
    ("a.csv", "\n" + lines(ROWS, ",") + "a,nan,?,NA,,\n", "line 5: no value but NaN; delete the line"),
    ("a.csv", lines(ROWS, ",") + "a\n", "line 4: no values; expected a label and numbers"),
    ("a.ts", TS.format("false", "true a b") + "1,2:3,4:a\n1,2:b\n", "line 7: expected 2 variables as before, found 1"),
    ("a.ts", TS.format("true", "true a b") + "1,2:a\n1,2,1e99:b\n", "line 7: an infinite value"),
    ("a.ts", TS.format("false", "true a b") + "1,2:(3,4):a\n", "line 6, value 1: expected a number, found '(3'"),
    ("a.ts", "@classLabel true a\n1,2:a\n", "line 2: expected a line of the header (@...) before @data"),
    ("a.arff", "@relation x\n@data\n'1,2\\n3,4',a\n'1,2',b\n", "line 4: expected 2 variables as before, found 1"),
    ("a.arff", "@relation x\n@data\n", "a.arff holds no series; expected lines of a label and values"),
    ("a.ts", "", "a.ts is empty"),
])  # fmt: skip
def test_faults_are_named_by_line(name, text, words, tmp_path):
    path = write(tmp_path / name, text)
    with pytest.raises(FormatError, match=rf"{name}.*{re.escape(words.removeprefix(name))}"):
        list(read_series(path))
    with pytest.raises(FormatError, match=re.escape(words)):
        read(path)


def test_damaged_and_missing_files(tmp_path):
    packed = gzip.compress(lines(ROWS * 40).encode())
    (tmp_path / "cut.tsv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(FormatError, match=r"cut.tsv.gz: the gzip file ends early"):
        list(read_series(tmp_path / "cut.tsv.gz"))
    with pytest.raises(InputFileError, match=r"none.ts: no such file"):
        list(read_series(tmp_path / "none.ts"))
    with pytest.raises(InputFileError, match=r"none.tsv: no such file"):
        read(tmp_path / "none.tsv")


def test_a_table_of_two_text_labels(tmp_path):
    data = read(write(tmp_path / "a.tsv", lines(ROWS)))
    assert (data.kind, data.encoder, data.task, data.labels) == ("samples", "series", "binary", ("a", "b"))
    assert data.targets.ravel().tolist() == [1, 0, 1] and data.ids == ("1", "2", "3")
    for record, (_, values) in zip(data.raw, ROWS, strict=True):
        same(record, [values])
    assert data.summary.notes[0].startswith("read 3 series of length 7")
    assert data.summary.sources[0].records == 3 and data.summary.sources[0].sha256
    turned = read(tmp_path / "a.tsv", DataOptions(positive="a"))
    assert turned.labels == ("b", "a") and turned.targets.ravel().tolist() == [0, 1, 0]


def test_labels_of_numbers(tmp_path):
    def labelled(*labels, **options):
        rows = [(label, ROWS[0][1]) for label in labels]
        return read(write(tmp_path / "a.csv", lines(rows, ",")), DataOptions(**options))

    data = labelled("3", "4", "3", "4")  # the last one is positive where the names don't tell
    assert (data.task, data.labels, data.targets.ravel().tolist()) == ("binary", ("3", "4"), [0, 1, 0, 1])
    data = labelled("1", "2", "2.0")
    assert (data.labels, data.targets.ravel().tolist()) == (("2", "1"), [1, 0, 0])
    assert labelled("-1", "1").labels == ("-1", "1")
    data = labelled("3", "1", "2", "3")
    assert (data.task, data.labels, data.targets.ravel().tolist()) == ("multiclass", ("1", "2", "3"), [2, 0, 1, 2])
    data = labelled("0.5", "1.25", "-7", "NA")
    assert (data.task, data.labels) == ("regression", ("label",))
    np.testing.assert_array_equal(data.targets.ravel(), [0.5, 1.25, -7, NAN])
    assert labelled("1", "2", "3", task="regression").targets.ravel().tolist() == [1, 2, 3]
    data = labelled("23.5", "0.5", "12.25", task="circular", period=24)
    assert (data.task, data.task_options) == ("circular", {"period": 24})
    with pytest.raises(DataError, match=r"a.csv, column 'label': one class only, '4'"):
        labelled("4", "4")
    with pytest.raises(OptionError, match=r"--positive 7: .* holds '1' and '2'"):
        labelled("1", "2", positive="7")


def test_a_label_that_is_missing_leaves_the_values_where_they_are(tmp_path):
    data = read(write(tmp_path / "a.tsv", lines([*ROWS, ("", ROWS[1][1])])))
    np.testing.assert_array_equal(data.targets.ravel(), [1, 0, 1, NAN])
    same(data.raw[3], [ROWS[1][1]])


def test_unequal_lengths_gaps_and_constant_series_are_noted(tmp_path):
    rows = ["a,1,2,?,4,5,6,7", "b,3,3,3,3,,,", "b,1,2,3", "a,nan,8,NA,8,8,8,8,8,8"]
    data = read(write(tmp_path / "a.csv", "\n".join(rows) + "\n"))
    assert data.lengths.tolist() == [7, 4, 3, 9]
    same(data.raw[0], [[1, 2, NAN, 4, 5, 6, 7]])
    notes = " / ".join(data.summary.notes)
    assert "of length 3 to 9" in notes
    assert "missing values, interpolated: 3" in notes
    assert "series that are constant: 2" in notes


def test_the_encoder_asked_for_and_its_settings_are_kept(tmp_path):
    path = write(tmp_path / "a.tsv", lines(ROWS))
    data = read(path, DataOptions(input="gadf", size=16))
    assert (data.encoder, data.settings) == ("gadf", {"size": 16})
    assert read(path, DataOptions(normalize="none")).settings == {"normalize": "none"}
    for name in ("trajectory", "bytes"):
        with pytest.raises(OptionError, match=rf"--input {name}: .*a.tsv holds series; pass series"):
            read(path, DataOptions(input=name))
    for name, words in (("onehot", "sequences"), ("pixels", "pictures")):
        with pytest.raises(DataError, match=rf"a.tsv: series, but --input {name} reads {words}"):
            read(path, DataOptions(input=name))
    with pytest.raises(DataError, match=r"2 series tables: expected one"):
        read([path, path])
    for options, words in (({"alphabet": "dna"}, "--alphabet dna"), ({"weight": "w"}, "--weight")):
        with pytest.raises(OptionError, match=f"{words}: belongs to"):
            read(path, DataOptions(**options))


def test_data_for_a_model_must_be_like_its_own(tmp_path):
    like = read(write(tmp_path / "a.tsv", lines(ROWS)))
    other = write(tmp_path / "b.tsv", lines(ROWS[:2]))
    assert read(other, like=like).labels == like.labels
    with pytest.raises(DataError, match=r"c.tsv, row 2, column 'label': 'c' is no class of the model; expected a, b"):
        read(write(tmp_path / "c.tsv", lines([ROWS[0], ("c", ROWS[1][1])])), like=like)
    two = write(tmp_path / "two.ts", TS.format("false", "true a b") + "1,2:3,4:a\n")
    with pytest.raises(DataError, match=r"two.ts: series of 2 variables; the model reads 1"):
        read(two, like=like)
    with pytest.raises(OptionError, match=r"--input gadf: the model reads series; leave it out"):
        read(other, DataOptions(input="gadf"), like=like)
    none = write(tmp_path / "none.ts", TS.format("true", "false") + "1,2,3\n")
    with pytest.raises(DataError, match=r"none.ts, line 6: no label; expected a label, then values"):
        read(none)


def test_a_table_with_a_header_holds_its_values_in_columns(tmp_path):
    text = "id,hour,w,part,0,1,2\nr1,23.5,1,train,5,,7\nr2,0.5,0,train,1,2,3\nr3,,2,test,4,4,4\nr4,12,0.5,test,1,NA,\n"
    path = write(tmp_path / "t.csv", text)
    options = {"input": "series", "target": ("hour",), "task": "circular", "period": 24.0}
    data = read(path, DataOptions(**options, weight="w"), split="column:part")
    assert (data.kind, data.encoder, data.task, data.task_options) == (
        "samples", "series", "circular", {"period": 24.0},
    )  # fmt: skip
    assert data.ids == ("r1", "r2", "r4") and data.targets.ravel().tolist() == [23.5, 0.5, 12]
    assert data.weights.tolist() == [1, 0, 0.5] and data.parts.tolist() == ["train", "train", "test"]
    same(data.raw[0], [[5, NAN, 7]])
    assert data.lengths.tolist() == [3, 3, 1]
    assert "values of a series: columns 0 to 2" in data.summary.notes
    with pytest.raises(DataError, match=r"t.csv, row 1, column 'part': expected a number of the series, found 'train'"):
        read(path, DataOptions(**options, weight="w"))
    with pytest.raises(FormatError, match=r"t.csv: no column 'v' \(--weight\)"):
        read(path, DataOptions(**options, weight="v"))
    for cell, words in (("-1", "-1"), ("x", "x"), ("inf", "inf"), ("", "")):
        bad = write(tmp_path / "bad.csv", f"hour,w,a,b\n1,1,2,3\n2,{cell},3,4\n")
        with pytest.raises(DataError, match=rf"row 2, column 'w': expected a weight of 0 or more, found '{words}'"):
            read(bad, DataOptions(**options, weight="w"))
    with pytest.raises(DataError, match=r"bad.csv, column 'w': every weight is 0"):
        read(write(tmp_path / "bad.csv", "hour,w,a,b\n1,0,2,3\n2,0,3,4\n"), DataOptions(**options, weight="w"))
    with pytest.raises(DataError, match=r"bad.csv, row 2: no value but NaN; delete the row"):
        read(write(tmp_path / "bad.csv", "hour,a,b\n1,2,3\n2,,\n"), DataOptions(**options))
    for cell in ("inf", "1e99", "x"):
        bad = write(tmp_path / "bad.csv", f"hour,a,b\n1,2,3\n2,5,{cell}\n")
        with pytest.raises(DataError, match=rf"row 2, column 'b': expected a number of the series, found '{cell}'"):
            read(bad, DataOptions(**options))
    with pytest.raises(DataError, match=r"bad.csv: no column is left for the values of a series"):
        read(write(tmp_path / "bad.csv", "id,hour\na,1\nb,2\n"), DataOptions(**options))


def test_a_period_is_above_zero():
    with pytest.raises(OptionError, match="--period: expected a number above 0, found -24"):
        DataOptions(period=-24)


@pytest.mark.parametrize("name, n, variables, length, labels, first", [
    ("GunPoint_TRAIN.tsv.gz", 50, 1, 150, ("2", "1"), -0.64788537),
    ("Coffee_TEST.tsv.gz", 28, 1, 286, ("0", "1"), None),
    ("ArrowHead_TRAIN.tsv.gz", 36, 1, 251, ("0", "1", "2"), None),
    ("ItalyPowerDemand_TEST.tsv.gz", 1029, 1, 24, ("2", "1"), None),
    ("BasicMotions_TEST.ts.gz", 40, 6, 100, ("Badminton", "Running", "Standing", "Walking"), -0.740653),
])  # fmt: skip
def test_the_ucr_archive(name, n, variables, length, labels, first, real_data):
    path = real_data / "ts_ucr" / name
    if not path.exists():
        pytest.skip(f"{path} is not beside this checkout")
    data = read(path)
    assert (len(data), data.raw.variables, data.labels) == (n, variables, labels)
    assert data.lengths.tolist() == [length] * n
    assert data.task == ("binary" if len(labels) == 2 else "multiclass")
    assert first is None or data.raw[0][0, 0] == pytest.approx(first)
