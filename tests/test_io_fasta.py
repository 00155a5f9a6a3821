"""Tests of reading FASTA, FASTQ, GenBank and EMBL: against Biopython, in every spelling, and broken in every way."""

import gzip
import io
import os
import sys
from itertools import chain
from pathlib import Path

import pytest
from Bio import SeqIO
from hypothesis import given, settings
from hypothesis import strategies as st

from seqcnn.errors import FormatError, InputFileError
from seqcnn.io import fasta, opening
from seqcnn.io.fasta import parse_fasta, read_fasta, read_sequences
from seqcnn.io.opening import open_bytes, sha256_of

PLAIN = b">one first of two\nACGTacgtNN\nRY\n>two\nTTTT\n"
RECORDS = [("one", b"ACGTacgtNNRY", "first of two"), ("two", b"TTTT", "")]


def records_of(data: bytes, name: str = "x.fa") -> list[tuple[str, bytes, str]]:
    return [(r.id, r.letters, r.description) for some in parse_fasta(io.BytesIO(data), name) for r in some]


def file_with(folder: Path, data: bytes, name: str = "x.fa") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PLAIN.rstrip(b"\n"),
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b"\r"),
        PLAIN.replace(b"\n", b"\n\n"),
        b"\n\n  \n" + PLAIN + b"\n\n",
        PLAIN.replace(b"RY", b"R\nY"),
        PLAIN.replace(b"NN\n", b"NN  \n").replace(b"TTTT", b"TT TT\t"),
        b";old\n" + PLAIN.replace(b"RY", b"RY\n; a comment > here").replace(b">two", b";x\n>two"),
        PLAIN.replace(b">one first", b"> one\tfirst"),
    ],
    ids=["plain", "no-final-newline", "crlf", "cr", "blank", "blank-around", "wrapped", "spaces", "comments", "tab"],
)
@pytest.mark.parametrize("block", [1, 2, 7, 1 << 20])
def test_every_spelling_of_fasta_is_read(data, block, monkeypatch):
    monkeypatch.setattr(fasta, "BLOCK", block)
    assert records_of(data) == RECORDS


def test_byte_order_mark_and_semicolons_in_headers(tmp_path):
    path = file_with(tmp_path, b"\xef\xbb\xbf>a OS=x;y\nAC;GT\n".replace(b";GT", b"GT"))
    assert [(r.id, r.letters, r.description) for r in read_fasta(path)] == [("a", b"ACGT", "OS=x;y")]


@given(st.lists(st.sampled_from([b"", b"a", b" b", b"c d", b"\xe9", "\xe9".encode()]), min_size=1, max_size=5))
def test_headers_of_any_kind_stand_together(heads):
    expected = []
    for number, head in enumerate(heads, 1):
        first, _, rest = head.decode("utf-8" if head != b"\xe9" else "latin-1").strip().partition(" ")
        expected.append((first or str(number), b"ACGT", rest))
    assert records_of(b"".join(b">%s\nAC\nGT\n" % head for head in heads)) == expected


def test_a_nameless_record_is_called_by_its_number():
    assert [r[0] for r in records_of(b">\nAC\n> \nGT\n>x\nA\n")] == ["1", "2", "x"]


def test_headers_that_are_not_utf8_are_read():
    assert records_of(b">prot\xe9ine \xe9\nAC\n")[0][::2] == ("protéine", "é")
    assert records_of(">gène\nAC\n".encode())[0][0] == "gène"


letters = st.text("ACGTNacgtn-*", min_size=1, max_size=30)
identifiers = st.text('abcXYZ019_.:|/<>"&é', min_size=1, max_size=8).filter(lambda s: not s.startswith(">"))
tables = st.lists(st.tuples(identifiers, letters), min_size=1, max_size=6)


@given(tables, st.integers(1, 12), st.sampled_from(["\n", "\r\n", "\r"]))
def test_fasta_written_is_fasta_read(rows, width, end):
    text = "".join(
        f">{name} more{end}" + "".join(s[i : i + width] + end for i in range(0, len(s), width)) for name, s in rows
    )
    assert records_of(text.encode()) == [(name, s.encode(), "more") for name, s in rows]


@given(tables)
def test_fasta_is_read_as_biopython_does(rows):
    text = "".join(f">{name}\n{s}\n" for name, s in rows)
    wanted = [(r.id, bytes(r.seq)) for r in SeqIO.parse(io.StringIO(text), "fasta")]
    assert [(r[0], r[1]) for r in records_of(text.encode())] == wanted


quality = st.text("".join(map(chr, range(33, 127))), min_size=30, max_size=30)


@given(st.lists(st.tuples(identifiers, letters, quality), min_size=1, max_size=5), st.integers(1, 40))
def test_fastq_is_read_as_biopython_does_and_wrapped(rows, width):
    rows = [(name, s, q[: len(s)]) for name, s, q in rows]
    text = "".join(f"@{name} x\n{s}\n+\n{q}\n" for name, s, q in rows)
    wanted = [(r.id, bytes(r.seq)) for r in SeqIO.parse(io.StringIO(text), "fastq")]
    assert [(r[0], r[1]) for r in records_of(text.encode())] == wanted

    def lines(s: str) -> str:
        return "\n".join(s[i : i + width] for i in range(0, len(s), width))

    wrapped = "".join(f"@{name} x\n{lines(s)}\n+{name}\n{lines(q)}\n" for name, s, q in rows)
    assert [(r[0], r[1]) for r in records_of(wrapped.encode())] == wanted


@pytest.mark.parametrize("form", ["genbank", "embl"])
def test_flat_files_are_read_as_biopython_does(examples, tmp_path, form):
    source = list(SeqIO.parse(examples / "records.gb", "genbank"))
    text = io.StringIO()
    SeqIO.write(source, text, form)
    path = file_with(tmp_path, gzip.compress(text.getvalue().encode()), "x.dat")
    found = [(r.id, r.letters, r.description) for r in read_sequences(path)]
    assert found == [(r.id, bytes(r.seq), r.description) for r in source]
    crlf = file_with(tmp_path, text.getvalue().replace("\n", "\r\n").encode())
    assert [r.letters for r in read_sequences(crlf)] == [bytes(r.seq) for r in source]


def test_broken_genbank(examples, tmp_path):
    text = (examples / "records.gb").read_bytes()
    with pytest.raises(FormatError, match="x.fa, after record SAMPLE3: not a whole genbank record"):
        list(read_sequences(file_with(tmp_path, text[:-60])))
    start = text.index(b"ORIGIN")
    with pytest.raises(FormatError, match="record SAMPLE1: no sequence; download it with its sequence"):
        list(read_sequences(file_with(tmp_path, text[:start] + b"ORIGIN\n//\n")))


# --- gzip, standard input, files


def test_gzip_is_told_by_content_and_may_have_members(tmp_path):
    members = (
        gzip.compress(PLAIN[:20], mtime=0)
        + gzip.compress(PLAIN[20:30], mtime=0)
        + gzip.compress(b"", mtime=0)
        + gzip.compress(PLAIN[30:], mtime=0)
    )
    for data, name in ((members, "x.fa"), (members + b"\0" * 512, "x.gz"), (PLAIN, "plain.fa.gz")):
        assert [(r.id, r.letters, r.description) for r in read_sequences(file_with(tmp_path, data, name))] == RECORDS


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


@pytest.mark.parametrize("data", [PLAIN, gzip.compress(PLAIN, mtime=0)], ids=["plain", "gzip"])
def test_standard_input(monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", Stdin(data))
    assert [(r.id, r.letters, r.description) for r in read_sequences("-")] == RECORDS
    assert not sys.stdin.buffer.closed
    assert sha256_of("-") == ""


def test_records_of_a_pipe_come_as_they_are_written(tmp_path, monkeypatch):
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as sink:
        monkeypatch.setattr(sys, "stdin", type("In", (), {"buffer": source}))
        sink.write(b">a\nAC\n>b\nGG\n")
        sink.flush()
        records = read_sequences("-")
        assert next(records).id == "a"
        sink.close()
        assert [r.id for r in records] == ["b"]


def test_constant_memory(tmp_path):
    path = file_with(tmp_path, b"".join(b">r%d\n%s\n" % (i, b"ACGT" * 25) for i in range(60_000)))
    import tracemalloc

    tracemalloc.start()
    assert sum(len(r.letters) for r in read_sequences(path)) == 6_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * opening.BLOCK


@pytest.mark.parametrize(
    "data,words",
    [
        (b"", "x.fa is empty"),
        (gzip.compress(b"", mtime=0), "x.fa is empty"),
        (b"\n \n\r\n", "x.fa holds only blank lines"),
        (gzip.compress(PLAIN, mtime=0)[:-9], "the gzip file ends early"),
        (gzip.compress(PLAIN, mtime=0)[:-1], "the gzip file ends early"),
        (gzip.compress(PLAIN, mtime=0)[:5], "the gzip file ends early"),
        (gzip.compress(PLAIN, mtime=0)[:-6] + b"abcdef", "the gzip file is damaged"),
        (gzip.compress(PLAIN, mtime=0) + b"more", "the gzip file is damaged"),
        (PLAIN.decode().encode("utf-16"), "UTF-16 text; save it as UTF-8"),
        (b"PK\x03\x04rest", "a zip or Excel file"),
        (b"BZh9rest", "bzip2-compressed"),
        (b"\xfd7zXZ\x00", "xz-compressed"),
        (bytes(range(256)), "line 1: binary data"),
        (b"\x89PNG\r\n\x1a\n", "a PNG picture; pass a folder"),
        (b"<!DOCTYPE html>\n<html>", "line 1: this is HTML or XML"),
        (b'\n{"a": 1}', "line 2: this looks like JSON"),
        (b"id\tsequence\na\tACGT\n", "line 1: this looks like a table"),
        (b"chr1\t100\t200\n", "line 1: this looks like BED"),
        (b"@HD\tVN:1.6\n", "a SAM file"),
        (b"##fileformat=VCFv4.2\n", "a VCF file"),
        (b"MEME version 4\n", "a MEME motif file"),
        (b"words in a row\n", "line 1: not FASTA or FASTQ"),
        (b"ACGT\n>a\nACGT\n", "line 1: sequence before the first header"),
        (b";c\nACGT\n>a\nACGT\n", "line 1: sequence before the first header"),
        (b";only comments\n", "holds no header line"),
        (b">a\nAC\n\n>b\n>c\nAC\n", "line 4, record b: no sequence after the header"),
        (b">a\nAC\r\n>b\r\n \r\n", "line 3, record b: no sequence after the header"),
        (b">a", "line 1, record a: no sequence"),
        (b"@a\nACGT\n+\nII\n@b\nAC\n+\nII\n", "line 1, record a: 2 qualities for 4 letters"),
        (b"@a\nAC\n+\nII\n@b\nAC\n+\nIII\n", "line 5, record b: 3 qualities for 2 letters"),
        (b"@a\nAC\n+\nII\n@b\nAC\n", "line 5, record b: the file ends within the record"),
        (b"@a\nAC\n+\n", "line 1, record a: the file ends within the record"),
        (b"@a\nAC\n+\nII\nb\nAC\n+\nII\n", "line 5: expected '@' and a name"),
        (b"@a\n\n+\n\n", "line 1, record a: no sequence"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path, data, words):
    with pytest.raises(FormatError, match=words) as caught:
        list(read_sequences(file_with(tmp_path, data)))
    assert "\n" not in str(caught.value)
    assert "x.fa" in str(caught.value)


def test_line_numbers_hold_across_blocks(monkeypatch):
    data = b"".join(b">r%d\nACGT\nAC\n" % i for i in range(50)) + b">bad\n>next\nA\n"
    for block in (1, 5, 64, 1 << 20):
        monkeypatch.setattr(fasta, "BLOCK", block)
        with pytest.raises(FormatError, match="line 151, record bad"):
            records_of(data)


def test_files_that_cannot_be_opened(tmp_path):
    (tmp_path / "peaks.fa").write_bytes(PLAIN)
    with pytest.raises(InputFileError, match=r"no such file \(did you mean 'peaks.fa'\?\)"):
        open_bytes(tmp_path / "peak.fa")
    with pytest.raises(InputFileError, match="the folder .*nowhere does not exist"):
        open_bytes(tmp_path / "nowhere" / "x.fa")
    with pytest.raises(InputFileError, match="is a folder; expected a file"):
        open_bytes(tmp_path)
    if os.geteuid() != 0:
        (tmp_path / "peaks.fa").chmod(0)
        with pytest.raises(InputFileError, match="peaks.fa cannot be read: permission denied"):
            open_bytes(tmp_path / "peaks.fa")


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_any_bytes_give_records_or_one_clear_error(data):
    try:
        for record in chain.from_iterable(parse_fasta(io.BytesIO(data), "x.fa")):
            assert record.id
            assert record.letters
    except FormatError as error:
        assert "x.fa" in str(error)
