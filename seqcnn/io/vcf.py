"""VCF: records of a file or stream, plain, gzip, bgzip or BCF, and the same records written again with more in INFO."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any, NamedTuple

from seqcnn.errors import FormatError, MissingExtraError, OptionError
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.io.writing import atomic

#: The columns that every VCF has, in this order.
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_NAMES = "\t".join(COLUMNS).encode()
#: Letters of an allele: bases, N and the ambiguity codes.
_BASES = b"ACGTUNRYSWKMBDHV"
#: First bytes of a bgzip block and what its extra field begins with; the empty block that ends a whole file (SAM
#: specification 4.1.2).
_BLOCK, _EXTRA = b"\x1f\x8b\x08\x04", b"BC"
_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
SUFFIXES = (".vcf", ".vcf.gz", ".bcf")


class VcfRecord(NamedTuple):
    """One line of a VCF.

    Parameters
    ----------
    number
        Of the line, from 1; of a BCF that of the line which stands for it.
    chromosome, start
        Name, and 0-based place of the first letter of `ref`.
    ref, alts
        Alleles in upper case; no alternative one where ALT is a dot.
    cells
        The columns as they stand; what follows INFO is one cell.
    """

    number: int
    chromosome: str
    start: int
    ref: bytes
    alts: tuple[bytes, ...]
    cells: list[bytes]


@dataclass(frozen=True)
class Header:
    """The lines above the records.

    Parameters
    ----------
    lines
        Those that begin with ``##``, without line ends.
    columns
        The line ``#CHROM ...``.
    """

    lines: tuple[bytes, ...]
    columns: bytes

    @property
    def samples(self) -> tuple[str, ...]:
        """Names of the samples."""
        return tuple(name.decode("utf-8", "replace") for name in self.columns.split(b"\t")[9:])

    def declares(self, kind: str, start: str = "") -> bool:
        """Return whether a line declares a kind, such as contig, whose ID begins with `start`."""
        return any(line.startswith(f"##{kind}=<ID={start}".encode()) for line in self.lines)

    def extended(self, lines: Iterable[str]) -> "Header":
        """Return the header with more ``##`` lines; those that declare the same ID are replaced."""
        added = [line.encode() for line in lines]
        keys = tuple(found[0] for line in added if (found := re.match(rb"##\w+=<ID=[^,>]+[,>]|##\w+=(?!<)", line)))
        kept = [line for line in self.lines if not (keys and line.startswith(keys))]
        if not kept or not kept[0].startswith(b"##fileformat="):
            kept.insert(0, b"##fileformat=VCFv4.2")
        return Header((*kept, *added), self.columns)


def is_symbolic(alt: bytes) -> str:
    """Return what an alternative allele is that has no letters: symbolic, breakend, star; empty where it has.

    >>> [is_symbolic(alt) for alt in (b"<DEL>", b"G]17:198982]", b"*", b"<*>", b".A", b"ACG")]
    ['symbolic', 'breakend', 'star', 'symbolic', 'breakend', '']
    """
    if not alt.translate(None, _BASES):
        return ""
    if alt == b"*":
        return "star"
    if alt.startswith(b"<"):
        return "symbolic" if alt.endswith(b">") else ""
    single = alt.startswith(b".") != alt.endswith(b".")
    return "breakend" if b"[" in alt or b"]" in alt or (single and not alt.strip(b".").translate(None, _BASES)) else ""


def read_vcf(path: str | Path) -> tuple[Header, Iterator[VcfRecord]]:
    r"""Return the header of a VCF, and its records as they are read; ``-`` is standard input.

    Compression is told by content. Blank lines are passed over; the order is free.

    Raises
    ------
    InputFileError
        If the file is missing.
    FormatError
        Naming file and line, if it is no VCF, cut off, or a line is malformed.
    MissingExtraError
        If it is BCF and pysam is absent.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.vcf"
    >>> text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t7\t.\ta\tg,<DEL>\t.\t.\t.\n"
    >>> _ = path.write_text(text)
    >>> header, records = read_vcf(path)
    >>> [(record.chromosome, record.start, record.ref, record.alts) for record in records]
    [('chr1', 6, b'A', (b'G', b'<DEL>'))]
    """
    name = shown(path)
    lines = _lines(path)
    meta: list[bytes] = []
    for line in lines:
        text = line.rstrip(b"\r\n")
        if text.startswith(b"##"):
            meta.append(text)
        elif text.strip():
            break
    else:
        raise FormatError(f"{name}: no line #CHROM; the VCF ends in its header (truncated?)")
    if not text.startswith(b"#"):
        raise FormatError(
            f"{name}, line {len(meta) + 1}: expected the line #CHROM POS ID ..., found none; no VCF header"
        )
    if text != _NAMES and not text.startswith(_NAMES + b"\t"):
        why = "; columns are separated by tabs" if b"\t" not in text else ""
        raise FormatError(
            f"{name}, line {len(meta) + 1}: expected the columns {' '.join(COLUMNS)}, "
            f"found {text[:80].decode('utf-8', 'replace')!r}{why}"
        )
    return Header(tuple(meta), text), _records(name, lines, len(meta) + 1, text.count(b"\t"))


def _records(name: str, lines: Iterator[bytes], number: int, tabs: int) -> Iterator[VcfRecord]:
    """Yield the records below a header of `number` lines, whose last has so many tabs."""
    for number, line in enumerate(lines, number + 1):  # noqa: B020
        found = line.count(b"\t")
        if found != tabs:
            if not line.strip() or line.startswith(b"#"):
                continue
            cut = "" if line.endswith(b"\n") else "; the file ends in it (truncated?)"
            spaces = "; columns are separated by tabs" if not found else ""
            raise FormatError(f"{name}, line {number}: expected {tabs + 1} columns, found {found + 1}{spaces}{cut}")
        cells = line.rstrip(b"\r\n").split(b"\t", 8)
        chromosome, position, _, ref, alt = cells[:5]
        if not position.isdigit() or not int(position):
            raise FormatError(
                f"{name}, line {number}: expected a whole number from 1 as POS, found {_text(position)!r}"
            )
        ref = ref.upper()
        if not ref or ref.translate(None, _BASES):
            raise FormatError(f"{name}, line {number}: expected bases as REF, found {_text(ref)!r}")
        alts = () if alt == b"." else tuple(alt.upper().split(b","))
        for one in alts:
            if not one or (one.translate(None, _BASES) and not is_symbolic(one)):
                raise FormatError(f"{name}, line {number}: expected bases as ALT, found {_text(alt)!r}")
        yield VcfRecord(number, chromosome.decode("utf-8", "replace"), int(position) - 1, ref, alts, cells)


def _text(cell: bytes) -> str:
    return cell[:40].decode("utf-8", "replace")


def _lines(path: str | Path) -> Iterator[bytes]:
    """Yield the lines of a VCF; of a BCF those that stand for it."""
    name = shown(path)
    with open_bytes(path) as stream:
        if not stream.peek(3).startswith(b"BCF"):
            if str(path) != STDIN:
                _check_end(Path(path))
            yield from stream
            return
    if str(path) == STDIN:
        raise FormatError("standard input is BCF; name the file, or pipe the output of 'bcftools view'")
    _check_end(Path(path))
    pysam = _pysam(name)
    before = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as records:
            yield from str(records.header).encode().splitlines(keepends=True)
            for record in records:
                yield str(record).encode()
    except (OSError, ValueError) as error:
        raise FormatError(f"{name}: the BCF is damaged or cut off ({error}); copy or download it again") from None
    finally:
        pysam.set_verbosity(before)


def _check_end(path: Path) -> None:
    """Refuse a bgzip file without the block that ends a whole one: what is cut between blocks unpacks well."""
    if not path.is_file():
        return  # a pipe has no end to look at
    with open(path, "rb") as stream:
        head = stream.read(14)
        if head[:4] != _BLOCK or head[12:] != _EXTRA:
            return
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - len(_END)))
        if stream.read() != _END:
            raise FormatError(f"{path}: the bgzip file ends early (truncated); copy or download it again")


def _pysam(name: str) -> Any:
    try:
        import pysam
        import pysam.bcftools
    except ImportError:
        raise MissingExtraError(f"{name}: BCF needs pysam; install seqcnn[genome], or use .vcf.gz") from None
    return pysam


#: Haplotype of a sample, and which: 0 or 1 in diploids.
Haplotype = tuple[int, int]
#: Phase set of alleles that are on all haplotypes of a sample, and so belong to any set.
EVERY = b"*"


def haplotypes(record: VcfRecord, samples: Sequence[int], name: str) -> dict[Haplotype, tuple[int, bytes]]:
    r"""Return the alternative alleles that are known to be on a haplotype, with their phase sets.

    Parameters
    ----------
    record
        With genotypes.
    samples
        Columns of the samples to look at, from 0.
    name
        Of the file, for errors.

    Returns
    -------
    dict
        Haplotype to number of the allele (from 1) and phase set: PS; empty where none is given; `EVERY` where all
        haplotypes of the sample carry the allele. Genotypes with ``/`` are left out unless they are homozygous.

    Raises
    ------
    FormatError
        If the record has no GT.

    Examples
    --------
    >>> cells = [b""] * 8 + [b"GT:PS\t0|1:7\t0/1:.\t1/1"]
    >>> haplotypes(VcfRecord(1, "chr1", 6, b"A", (b"G",), cells), [0, 1, 2], "a.vcf")
    {(0, 1): (1, b'7'), (2, 0): (1, b'*'), (2, 1): (1, b'*')}
    """
    form, *genotypes = record.cells[8].split(b"\t") if len(record.cells) > 8 else [b""]
    keys = form.split(b":")
    if b"GT" not in keys:
        raise FormatError(
            f"{name}, line {record.number}: --phased needs genotypes (GT); found {_text(form) or 'none'!r}"
        )
    genotype, phase = keys.index(b"GT"), keys.index(b"PS") if b"PS" in keys else -1
    found: dict[Haplotype, tuple[int, bytes]] = {}
    for sample in samples:
        fields = genotypes[sample].split(b":")
        text = fields[genotype] if genotype < len(fields) else b"."
        if text in (b"0|0", b"0/0", b"./.", b".|.", b"."):
            continue
        alleles = text.lstrip(b"|/").replace(b"|", b"/").split(b"/")
        same = len(set(alleles)) == 1
        if not same and b"|" not in text:
            continue
        given = fields[phase] if 0 <= phase < len(fields) else b""
        group = EVERY if same else b"" if given == b"." else given
        for copy, allele in enumerate(alleles):
            if allele.isdigit() and 0 < int(allele) <= len(record.alts):
                found[sample, copy] = int(allele), group
    return found


def with_info(record: VcfRecord, values: Sequence[str], *, drop: bytes = b"") -> bytes:
    r"""Return the line of a record with more values in INFO; those whose names begin with `drop` go.

    >>> cells = b"1\t7\t.\tA\tG\t.\t.\tX_A=1;DP=3".split(b"\t")
    >>> with_info(VcfRecord(1, "1", 6, b"A", (b"G",), cells), ["X_B=2"], drop=b"X_")
    b'1\t7\t.\tA\tG\t.\t.\tDP=3;X_B=2'
    """
    cells = record.cells
    info = cells[7]
    if drop and drop in info:
        info = b";".join(item for item in info.split(b";") if not item.startswith(drop))
    given = ";".join(values).encode()
    if info in (b"", b"."):
        info = given or b"."
    elif given:
        info += b";" + given
    return b"\t".join((*cells[:7], info, *cells[8:]))


@contextmanager
def vcf_lines(path: str | os.PathLike[str], header: Header) -> Iterator[Callable[[Iterable[bytes]], None]]:
    """Yield a function that writes records, as lines without line ends, below a header.

    The suffix tells plain VCF, bgzip or BCF. The file appears whole or not at all.

    Raises
    ------
    OptionError
        If the suffix is another.
    MissingExtraError
        If it is BCF and pysam is absent.
    """
    name = str(path).lower()
    if not name.endswith(SUFFIXES):
        raise OptionError(f"{path}: expected a name that ends in {', '.join(SUFFIXES)}")
    if name.endswith(".bcf"):
        with atomic(path, "wb") as stream, _packed(path, stream) as plain:
            yield _writer(plain, header)
        return
    with atomic(path, "wb") as stream:
        if not name.endswith(".gz"):
            yield _writer(stream, header)
            return
        from Bio.bgzf import BgzfWriter

        packed: Any = BgzfWriter(fileobj=_Kept(stream))  # type: ignore[no-untyped-call]
        yield _writer(packed, header)
        packed.close()


class _Kept:
    """A stream that closing the writer above must not close."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.write, self.flush = stream.write, stream.flush

    def close(self) -> None:
        self.flush()


@contextmanager
def _packed(path: str | os.PathLike[str], target: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a stream for plain VCF, which is packed as BCF in the end: by bcftools, since pysam's records gain END."""
    from tempfile import TemporaryDirectory

    pysam = _pysam(str(path))
    with TemporaryDirectory() as folder:
        plain, packed = (os.path.join(folder, name) for name in ("plain.vcf", "packed.bcf"))
        with open(plain, "wb") as stream:
            yield stream
        try:
            pysam.bcftools.view("--no-version", "-Ob", "-o", packed, plain, catch_stdout=False)
        except pysam.SamtoolsError:
            raise FormatError(
                f"{path} can't be packed as BCF: the header must declare every contig, INFO, FILTER and FORMAT that "
                "the records use; write .vcf.gz"
            ) from None
        with open(packed, "rb") as stream:
            copyfileobj(stream, target)


def _writer(stream: Any, header: Header) -> Callable[[Iterable[bytes]], None]:
    """Write the header; return the function that writes records."""
    stream.write(b"".join(line + b"\n" for line in (*header.lines, header.columns)))

    def lines(records: Iterable[bytes]) -> None:
        stream.write(b"".join(record + b"\n" for record in records))
        with suppress(AttributeError):
            stream.flush()

    return lines
