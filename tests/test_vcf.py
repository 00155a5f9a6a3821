"""Tests of VCF files: what is read and refused, and that htslib reads what is written."""

import gzip
from pathlib import Path

import pysam
import pysam.bcftools
import pytest
from Bio import bgzf

from seqcnn.errors import FormatError, OptionError
from seqcnn.io.vcf import EVERY, Header, VcfRecord, haplotypes, read_vcf, vcf_lines, with_info

NAMES = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
HEAD = f"##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000>\n##contig=<ID=chr2,length=50>\n{NAMES}\n"
LINES = (
    "chr1\t7\trs1\ta\tG\t50\tPASS\t.",
    "chr1\t9\t.\tAC\tA,<DEL>,*\t.\tq10\tDP=3;AF=0.5",
    "chr2\t1\t.\tT\t.\t.\t.\t.",
)
TEXT = HEAD + "\n".join(LINES) + "\n"
READ = [
    ("chr1", 6, b"A", (b"G",)),
    ("chr1", 8, b"AC", (b"A", b"<DEL>", b"*")),
    ("chr2", 0, b"T", ()),
]


def packed(path: Path, text: str) -> Path:
    with bgzf.open(str(path), "wb") as stream:
        stream.write(text.encode())
    return path


def records_of(path: Path) -> list[tuple[str, int, bytes, tuple[bytes, ...]]]:
    return [record[1:5] for record in read_vcf(path)[1]]


def test_the_same_records_whatever_the_packing(tmp_path):
    plain, zipped, bgzip = tmp_path / "a.vcf", tmp_path / "b.vcf.gz", packed(tmp_path / "c.vcf.gz", TEXT)
    plain.write_text(TEXT)
    zipped.write_bytes(gzip.compress(TEXT.encode()))
    windows = tmp_path / "d.vcf"
    windows.write_text(TEXT.replace("\n", "\r\n") + "\r\n")
    for path in (plain, zipped, bgzip, windows):
        header, _ = read_vcf(path)
        assert records_of(path) == READ
        assert header.lines == tuple(line.encode() for line in HEAD.splitlines()[:-1])


def test_bcf_is_read_as_the_lines_it_stands_for(tmp_path):
    text = TEXT.replace(NAMES, '##INFO=<ID=DP,Number=1,Type=Integer,Description="">\n##INFO=<ID=AF,Number=A,Type=Float,'
                        'Description="">\n##FILTER=<ID=q10,Description="">\n' + NAMES)  # fmt: skip
    (tmp_path / "a.vcf").write_text(text)
    pysam.bcftools.view("-Ob", "-o", str(tmp_path / "a.bcf"), str(tmp_path / "a.vcf"), catch_stdout=False)
    assert records_of(tmp_path / "a.bcf") == READ
    whole = (tmp_path / "a.bcf").read_bytes()
    (tmp_path / "cut.bcf").write_bytes(whole[: len(whole) - 40])
    with pytest.raises(FormatError, match=r"cut\.bcf: the bgzip file ends early"):
        records_of(tmp_path / "cut.bcf")


@pytest.mark.parametrize("suffix", ["vcf", "vcf.gz", "bcf"])
def test_htslib_reads_what_is_written(tmp_path, suffix):
    (tmp_path / "in.vcf").write_text(HEAD + "chr1\t7\trs1\ta\tG,T\t50\tPASS\tX_OLD=1\nchr2\t1\t.\tT\t.\t.\t.\t.\n")
    header, records = read_vcf(tmp_path / "in.vcf")
    added = ['##INFO=<ID=X_NEW,Number=A,Type=Float,Description="new, one an allele">']
    out = tmp_path / f"out.{suffix}"
    with vcf_lines(out, header.extended(added)) as write:
        write([with_info(record, ["X_NEW=1.5,."] if record.alts else [], drop=b"X_OLD") for record in records])
    with pysam.VariantFile(str(out)) as got:
        first, second = got
        assert dict(got.header.info["X_NEW"].record)["Number"] == "A"
    assert first.info["X_NEW"] == (1.5, None) and "X_OLD" not in first.info
    assert (first.id, first.qual, list(first.filter), first.alts) == ("rs1", 50, ["PASS"], ("G", "T"))
    assert (second.contig, second.pos, second.alts, len(second.info)) == ("chr2", 1, None, 0)
    if suffix == "vcf.gz":
        pysam.tabix_index(str(out), preset="vcf")
        assert [record.pos for record in pysam.VariantFile(str(out)).fetch("chr2")] == [1]


def test_bcf_wants_a_header_that_declares_what_is_used(tmp_path):
    header = Header((b"##fileformat=VCFv4.2", b"##contig=<ID=chr1>"), NAMES.encode())
    said = r"a\.bcf can't be packed as BCF: the header must declare every contig, INFO"
    with pytest.raises(FormatError, match=said), vcf_lines(tmp_path / "a.bcf", header) as write:
        write([b"chr1\t7\t.\tA\tG\t.\t.\tX=1"])
    assert not list(tmp_path.iterdir())


def test_a_header_is_kept_and_extended():
    lines = (b"##fileformat=VCFv4.1", b"##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">", b"##tool=1",
             b"##tool=2", b"##INFO=<ID=DPX,Number=1,Type=Integer,Description=\"d\">")  # fmt: skip
    header = Header(lines, NAMES.encode())
    assert header.extended([]).lines == lines
    longer = header.extended(['##INFO=<ID=DP,Number=A,Type=Float,Description="new">', "##other=3"])
    assert longer.lines == (
        *lines[:1],
        *lines[2:],
        b'##INFO=<ID=DP,Number=A,Type=Float,Description="new">',
        b"##other=3",
    )
    assert Header((), NAMES.encode()).extended([]).lines == (b"##fileformat=VCFv4.2",)
    assert header.declares("INFO", "DP") and not header.declares("contig")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"x\.vcf is empty"),
        ("##fileformat=VCFv4.2\n", r"x\.vcf: no line #CHROM"),
        ("chr1\t7\t.\tA\tG\t.\t.\t.\n", r"x\.vcf, line 1: expected the line #CHROM"),
        ("##a\nchr1\t7\t.\tA\tG\t.\t.\t.\n", r"x\.vcf, line 2: expected the line #CHROM"),
        (HEAD.replace("\tINFO", ""), r"line 4: expected the columns #CHROM POS ID REF ALT QUAL FILTER INFO, found"),
        (HEAD.replace("\t", "  "), r"line 4: .*columns are separated by tabs"),
        (HEAD + "chr1\t7\t.\tA\tG\t.\t.\n", r"line 5: expected 8 columns, found 7$"),
        (HEAD + "chr1\t7\t.\tA", r"line 5: expected 8 columns, found 4; the file ends in it \(truncated\?\)"),
        (HEAD + "chr1 7 . A G . . .\n", r"line 5: expected 8 columns, found 1; columns are separated by tabs"),
        (HEAD + "chr1\tx\t.\tA\tG\t.\t.\t.\n", r"line 5: expected a whole number from 1 as POS, found 'x'"),
        (HEAD + "chr1\t0\t.\tA\tG\t.\t.\t.\n", r"line 5: expected a whole number from 1 as POS, found '0'"),
        (HEAD + "chr1\t-4\t.\tA\tG\t.\t.\t.\n", r"found '-4'"),
        (HEAD + "\nchr1\t1.5\t.\tA\tG\t.\t.\t.\n", r"line 6: .*found '1\.5'"),
        (HEAD + "chr1\t7\t.\t.\tG\t.\t.\t.\n", r"line 5: expected bases as REF, found '\.'"),
        (HEAD + "chr1\t7\t.\tA\tJ\t.\t.\t.\n", r"line 5: expected bases as ALT, found 'J'"),
        (HEAD + "chr1\t7\t.\tA\t-\t.\t.\t.\n", r"line 5: expected bases as ALT, found '-'"),
        (HEAD + "chr1\t7\t.\tA\tG,\t.\t.\t.\n", r"line 5: expected bases as ALT, found 'G,'"),
    ],
)
def test_what_is_no_vcf(tmp_path, text, said):
    (tmp_path / "x.vcf").write_text(text)
    with pytest.raises(FormatError, match=said):
        records_of(tmp_path / "x.vcf")


def test_truncated_files(tmp_path):
    whole = gzip.compress(TEXT.encode())
    (tmp_path / "a.vcf.gz").write_bytes(whole[:-20])
    with pytest.raises(FormatError, match=r"a\.vcf\.gz: the gzip file ends early"):
        records_of(tmp_path / "a.vcf.gz")
    between = packed(tmp_path / "b.vcf.gz", TEXT).read_bytes()[:-28]  # the block that ends a whole file
    (tmp_path / "b.vcf.gz").write_bytes(between)
    with pytest.raises(FormatError, match=r"b\.vcf\.gz: the bgzip file ends early"):
        records_of(tmp_path / "b.vcf.gz")


def test_an_output_of_another_kind(tmp_path):
    with (
        pytest.raises(OptionError, match=r"a\.txt: expected a name that ends in \.vcf"),
        vcf_lines(tmp_path / "a.txt", Header((), NAMES.encode())),
    ):
        pass


def genotyped(cell: str, *samples: str) -> VcfRecord:
    cells = [b""] * 8 + ["\t".join((cell, *samples)).encode()]
    return VcfRecord(9, "chr1", 6, b"A", (b"G", b"T"), cells)


def test_haplotypes_of_genotypes():
    record = genotyped("DP:GT:PS", "3:0|1:7", "3:2|1", "3:0/1:7", "3:2/2:7", "3:.|1:.", "3:1:.", "3:0|3:7")
    assert haplotypes(record, range(7), "a.vcf") == {
        (0, 1): (1, b"7"), (1, 0): (2, b""), (1, 1): (1, b""), (3, 0): (2, EVERY), (3, 1): (2, EVERY), (4, 1): (1, b""),
        (5, 0): (1, EVERY),
    }  # fmt: skip
    assert haplotypes(record, [1], "a.vcf") == {(1, 0): (2, b""), (1, 1): (1, b"")}
    assert haplotypes(genotyped("DP:GT", "3", "3:|0|1"), [0, 1], "a.vcf") == {(1, 1): (1, b"")}
    with pytest.raises(FormatError, match=r"a\.vcf, line 9: --phased needs genotypes \(GT\); found 'DP'"):
        haplotypes(genotyped("DP", "3"), [0], "a.vcf")
