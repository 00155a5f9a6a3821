"""FASTA and FASTQ as streams of records, and the door to every sequence format."""

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from seqcnn.errors import FormatError
from seqcnn.io.genbank import form_of, parse_flat_file
from seqcnn.io.opening import BLOCK, open_bytes, shown
from seqcnn.sequence import Record

_BLANKS = b" \t\n\v\f"

#: First bytes of formats that are no sequences, and what to do instead.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture; pass a folder with one subfolder of pictures a class"),
    (b"\xff\xd8\xff", "a JPEG picture; pass a folder with one subfolder of pictures a class"),
    (b"%PDF", "a PDF; expected FASTA or FASTQ"),
    (b"BAM\x01", "a BAM file; convert it with 'samtools fasta'"),
    (b"@HD\tVN:", "a SAM file; convert it with 'samtools fasta'"),
    (b"@SQ\tSN:", "a SAM file; convert it with 'samtools fasta'"),
    (b"##fileformat=VCF", "a VCF file; expected FASTA or FASTQ"),
    (b"##gff-version", "a GFF file; extract its sequences first, with 'bedtools getfasta'"),
    (b"MEME version", "a MEME motif file; expected FASTA or FASTQ"),
    (b"CLUSTAL", "a Clustal alignment; convert it to FASTA"),
    (b"#NEXUS", "a NEXUS file; convert it to FASTA"),
    (b"# STOCKHOLM", "a Stockholm alignment; convert it to FASTA"),
)


def read_sequences(path: str | Path) -> Iterator[Record]:
    r"""Yield the records of a FASTA, FASTQ, GenBank or EMBL file, or of standard input for ``-``.

    The format is told by content; gzip is unpacked. Nothing but the record at hand is held in memory.

    Raises
    ------
    InputFileError
        If the file is missing or cannot be read.
    FormatError
        Naming file, line and record, if the file is empty, truncated, malformed or something else.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.fa"
    >>> _ = path.write_bytes(b">one first\nACGT\nAC\n>two\nggg")
    >>> [(record.id, record.letters) for record in read_sequences(path)]
    [('one', b'ACGTAC'), ('two', b'ggg')]
    """
    with open_bytes(path) as stream:
        form = form_of(stream)
        if form is not None:
            yield from parse_flat_file(stream, shown(path), form)
        else:
            yield from parse_fasta(stream, shown(path))


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA or FASTQ file, or of standard input for ``-``; see `read_sequences`."""
    with open_bytes(path) as stream:
        yield from parse_fasta(stream, shown(path))


def parse_fasta(stream: io.BufferedIOBase, name: str) -> Iterator[Record]:
    """Yield the records of a FASTA or FASTQ stream; `name` is how errors call it."""
    texts = _whole_lines(stream)
    line = 1
    for text in texts:
        start = text.lstrip(_BLANKS)
        if not start:
            line += text.count(b"\n")
            continue
        line += text[: len(text) - len(start)].count(b"\n")
        for signature, meaning in _FOREIGN:
            if start.startswith(signature):
                raise FormatError(f"{name} is {meaning}")
        if start[:1] in (b">", b";"):
            yield from _fasta(start, texts, name, line)
        elif start[:1] == b"@":
            yield from _fastq(start, texts, name, line)
        else:
            raise FormatError(f"{name}, line {line}: {_describe(start)}")
        return
    raise FormatError(f"{name} holds only blank lines; expected at least one record")


def looks_like_sequences(path: str | Path) -> bool:
    """Return whether a file begins as FASTA, FASTQ, GenBank or EMBL do."""
    with open_bytes(path) as stream:
        head = stream.peek(BLOCK)[:4096].lstrip()
        return head.startswith((b">", b";", b"@", b"LOCUS ", b"ID   "))


def _whole_lines(stream: io.BufferedIOBase) -> Iterator[bytes]:
    """Yield the stream in pieces of whole lines, each ending in a newline; CR and CRLF become newlines."""
    held: list[bytes] = []
    while block := stream.read1(BLOCK):
        while block.endswith(b"\r") and (more := stream.read(1)):
            block += more
        if b"\r" in block:
            block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        cut = block.rfind(b"\n") + 1
        if cut:
            yield b"".join((*held, block[:cut]))
            held = []
        held.append(block[cut:])
    if last := b"".join(held):
        yield last + b"\n"


def _header(text: bytes, number: int) -> tuple[str, str]:
    """Return identifier and description of a header line; a nameless record is called by its number."""
    try:
        title = text.decode()
    except UnicodeDecodeError:
        title = text.decode("latin-1")
    words = title.split(None, 1)
    return (words[0] if words else str(number)), (words[1].rstrip() if len(words) > 1 else "")


def _fasta(text: bytes, texts: Iterator[bytes], name: str, line: int) -> Iterator[Record]:
    """Yield FASTA records from `text`, which starts at `line`, and the texts after it."""
    header: bytes | None = None  # of the record whose sequence is still being read
    header_line = line
    body: list[bytes] = []
    number = 0
    for piece_of_file in chain((text,), texts):
        comments = b";" in piece_of_file
        pieces = piece_of_file.split(b"\n>")
        for i, piece in enumerate(pieces):
            length = piece.count(b"\n") + (i < len(pieces) - 1)
            if i > 0 or piece.startswith(b">"):
                if header is not None:
                    yield _record(header, body, name, number, header_line)
                header, _, piece = piece.partition(b"\n")
                header_line, body, number = line, [], number + 1
                if i == 0:
                    header = header[1:]
            if comments and b";" in piece:
                piece = b"\n".join(row for row in piece.split(b"\n") if not row.lstrip().startswith(b";"))
            letters = piece.translate(None, _BLANKS)
            if letters:
                if header is None:
                    raise FormatError(
                        f"{name}, line {line}: sequence before the first header line; expected '>' and a name"
                    )
                body.append(letters)
            line += length
    if header is None:
        raise FormatError(f"{name} holds no header line; expected '>' and a name before each sequence")
    yield _record(header, body, name, number, header_line)


def _record(header: bytes, body: list[bytes], name: str, number: int, line: int) -> Record:
    """Return a finished FASTA record; one without sequence is an error."""
    identifier, description = _header(header, number)
    if not body:
        raise FormatError(
            f"{name}, line {line}, record {identifier}: no sequence after the header; add it, or delete the header"
        )
    return Record(identifier, body[0] if len(body) == 1 else b"".join(body), description)


def _fastq(text: bytes, texts: Iterator[bytes], name: str, line: int) -> Iterator[Record]:
    """Yield FASTQ records from `text`, which starts at `line`, and the texts after it; wrapped lines are fine."""
    rows = _rows(text, texts)
    at = line - 1  # number of the line read last
    number = 0
    for title in rows:
        at += 1
        if not title:
            continue
        number += 1
        start = at
        identifier, description = _header(title[1:], number)
        where = f"{name}, line {start}, record {identifier}"
        if not title.startswith(b"@"):
            found = title[:20].decode("latin-1")
            raise FormatError(f"{name}, line {at}: expected '@' and a name (FASTQ), found {found!r}")
        letters: list[bytes] = []
        for row in rows:
            at += 1
            if row.startswith(b"+"):
                break
            letters.append(row)
        else:
            raise FormatError(f"{where}: the file ends within the record (truncated); expected '+' and qualities")
        sequence = b"".join(letters).translate(None, _BLANKS)
        if not sequence:
            raise FormatError(f"{where}: no sequence; delete the record")
        quality = [row for _, row in zip(letters, rows, strict=False)]
        at += len(quality)
        if len(quality) < len(letters):
            raise FormatError(f"{where}: the file ends within the record (truncated); expected more qualities")
        qualities = sum(map(len, quality))
        if qualities != len(sequence):
            raise FormatError(f"{where}: {qualities} qualities for {len(sequence)} letters; expected as many")
        yield Record(identifier, sequence, description)


def _rows(text: bytes, texts: Iterator[bytes]) -> Iterator[bytes]:
    """Yield lines without their ends and trailing blanks."""
    while True:
        for row in text.split(b"\n")[:-1]:
            yield row.rstrip()
        following = next(texts, None)
        if following is None:
            return
        text = following


def _describe(start: bytes) -> str:
    """Return what a file that is no FASTA looks like, and what to do about it."""
    first = start[:2000].split(b"\n")[0]
    low = start[:200].lower()
    if b"\0" in start[:2000] or sum(byte < 9 or 13 < byte < 32 for byte in first) > 0:
        return "binary data, not FASTA or FASTQ; expected text that begins with '>' or '@'"
    if low.startswith((b"<!doctype", b"<html", b"<?xml", b"<")):
        return "this is HTML or XML, not FASTA (a failed download?); expected '>' and a name"
    if low.startswith((b"{", b"[")):
        return "this looks like JSON, not FASTA; expected '>' and a name"
    cells = first.split(b"\t")
    if len(cells) >= 3 and cells[1].isdigit() and cells[2].isdigit():
        return "this looks like BED, not FASTA; extract the sequences first, with 'bedtools getfasta'"
    if len(cells) > 1 or b"," in first:
        return "this looks like a table, not FASTA; name it .csv or .tsv to have it read as one"
    if first.replace(b"-", b"").replace(b"*", b"").isalpha() and b" " not in first:
        return "sequence before the first header line; expected '>' and a name"
    return f"not FASTA or FASTQ; expected '>' and a name, found {first[:30].decode('latin-1')!r}"
