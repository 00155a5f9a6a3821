"""Tests of reading tables: cells stay text, every dialect is read, and broken rows are named by line."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.errors import FormatError, InputFileError, MissingExtraError
from seqcnn.io.table import column_of, is_table, read_table, suffix_of


def table(folder, text, name="x.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def cells(frame):
    return frame.to_dict("list")


WANTED = {"id": ["001", "NA", "1e3"], "sequence": ["ACGT", "GG", "T"], "y": ["1.50", "", "nan"]}
TEXT = "id,sequence,y\n001,ACGT,1.50\nNA,GG,\n1e3,T,nan\n"


@pytest.mark.parametrize(
    "text,name",
    [
        (TEXT, "x.csv"),
        (TEXT.replace(",", "\t"), "x.tsv"),
        (TEXT.replace(",", "\t"), "x.tab"),
        (TEXT.replace(",", ";"), "x.csv"),
        (TEXT.replace(",", "\t"), "x.csv"),
        (TEXT, "x.tsv"),
        (TEXT.replace("\n", "\r\n"), "x.csv"),
        (TEXT.replace("\n", "\r"), "x.csv"),
        (TEXT.rstrip("\n"), "x.csv"),
        ("\n" + TEXT.replace("\n", "\n\n"), "x.csv"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "x.csv"),
        (gzip.compress(TEXT.encode(), mtime=0), "x.csv.gz"),
        (TEXT.replace("ACGT", '"ACGT"').replace("001", ' "001" '.strip()), "x.csv"),
        (TEXT.replace("ACGT", "  ACGT "), "x.csv"),
    ],
)
def test_every_dialect(tmp_path, text, name):
    assert cells(read_table(table(tmp_path, text, name))) == WANTED


def test_quoted_cells_hold_delimiters_and_line_ends(tmp_path):
    path = table(tmp_path, 'id,note\n"a,b","two\nlines"\nc,"say ""hi"""\n')
    assert cells(read_table(path)) == {"id": ["a,b", "c"], "note": ["two\nlines", 'say "hi"']}


def test_long_cells_and_the_limit_of_python_is_put_back(tmp_path):
    before = csv.field_size_limit()
    assert len(read_table(table(tmp_path, "sequence\n" + "ACGT" * 100_000 + "\n"))["sequence"][0]) == 400_000
    assert csv.field_size_limit() == before


def test_text_that_is_not_utf8(tmp_path):
    assert cells(read_table(table(tmp_path, "id\nprot\xe9ine\n".encode("latin-1")))) == {"id": ["protéine"]}


cell = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), max_size=8).map(
    str.strip
)


@settings(max_examples=50)
@given(st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=5), st.sampled_from(["x.csv", "x.tsv"]))
def test_written_is_read(tmp_path_factory, rows, name):
    rows = [("x" + a, b, c) for a, b, c in rows]  # a row of empty cells alone is a blank line
    text = io.StringIO()
    writer = csv.writer(text, delimiter="," if name == "x.csv" else "\t", lineterminator="\r\n")
    writer.writerows([("a", "b", "c"), *rows])
    frame = read_table(table(tmp_path_factory.mktemp("t"), text.getvalue(), name))
    assert list(zip(*cells(frame).values(), strict=True)) == rows


@pytest.mark.parametrize(
    "text,words",
    [
        ("", "is empty"),
        ("\n\n", "only blank lines"),
        ("a,b\n", "a header line and no rows"),
        ("a,b\n1,2\n3\n", "line 3: expected 2 cells as in the header, found 1"),
        ("a,b\n1,2\n\n3,4,5\n", "line 4: expected 2 cells as in the header, found 3"),
        ("a,b,a\n1,2,3\n", "column 'a' occurs twice"),
        ('a,b\n"1,2\n3,4\n', "check the quotes of this row"),
        (b"a,b\n\0\0\n", "binary data"),
        ("<html><table>", "HTML or XML"),
        ("a,b\n".encode("utf-16"), "UTF-16"),
        (b"PK\x03\x04", "a zip or Excel file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-8], "the gzip file ends early"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, words):
    with pytest.raises(FormatError, match=words) as caught:
        read_table(table(tmp_path, text))
    assert "x.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_columns(tmp_path):
    with pytest.raises(InputFileError, match=r"y\.csv: no such file"):
        read_table(tmp_path / "y.csv")
    frame = read_table(table(tmp_path, TEXT))
    with pytest.raises(FormatError, match=r"x: no column 'sequense' \(--sequence\); .*did you mean 'sequence'"):
        column_of(frame, "sequense", "x", "--sequence")
    assert column_of(frame, "id", "x", "--id") == WANTED["id"]


def test_parquet_needs_its_extra_or_is_read_as_text(tmp_path):
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtraError, match=r"install seqcnn\[parquet\]"):
            read_table(tmp_path / "x.parquet")
        return
    import pandas as pd

    frame = pd.DataFrame({"id": ["001", None], "n": [3, 4], "y": [0.25, np.nan]})
    frame.to_parquet(tmp_path / "x.parquet")
    assert cells(read_table(tmp_path / "x.parquet")) == {"id": ["001", ""], "n": ["3", "4"], "y": ["0.25", ""]}
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(FormatError, match="not a whole parquet file"):
        read_table(tmp_path / "bad.parquet")


def test_names_of_tables():
    assert suffix_of("a/b.v1.CSV.gz") == ".csv"
    assert [is_table(name) for name in ("a.tsv", "a.parquet", "a.fa", "a.fa.gz", "csv")] == [
        True,
        True,
        False,
        False,
        False,
    ]
