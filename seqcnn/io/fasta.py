"""FASTA and FASTQ as streams of records, and the door to every sequence format."""

import io
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from seqcnn.errors import FormatError
from seqcnn.io.genbank import form_of, parse_flat_file
from seqcnn.io.opening import BLOCK, open_bytes, shown
from seqcnn.record import Letters, Record, ends_of, together

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
    return chain.from_iterable(read_letters(path))


def read_letters(path: str | Path) -> Iterator[Letters]:
    """Yield the records of a sequence file as `read_sequences` does, many at a time."""
    with open_bytes(path) as stream:
        form = form_of(stream)
        if form is not None:
            yield from together(parse_flat_file(stream, shown(path), form))
        else:
            yield from parse_fasta(stream, shown(path))


def read_fasta(path: str | Path) -> Iterator[Record]:
    """Yield the records of a FASTA or FASTQ file, or of standard input for ``-``; see `read_sequences`."""
    with open_bytes(path) as stream:
        yield from chain.from_iterable(parse_fasta(stream, shown(path)))


def parse_fasta(stream: io.BufferedIOBase, name: str) -> Iterator[Letters]:
    """Yield the records of a FASTA or FASTQ stream, many at a time; `name` is how errors call it."""
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
            yield from together(_fastq(start, texts, name, line))
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


def _fasta(text: bytes, texts: Iterator[bytes], name: str, line: int) -> Iterator[Letters]:
    """Yield FASTA records from `text`, which starts at `line`, and the texts after it: together those that end in one.

    A record may be longer than many texts, so nothing here keeps its letters once they are yielded.
    """
    head, begun, body, number = b"", line, list[bytes](), 0  # of the record whose sequence is still being read
    for whole in chain((text,), texts):
        before, *pieces = _pieces(_without_comments(whole))
        letters = before.translate(None, _BLANKS)
        if number:
            body.append(letters)
        elif letters:
            raise FormatError(f"{name}, line {line}: sequence before the first header line; expected '>' and a name")
        if pieces:
            if number:
                yield _long(head, body, number, f"{name}, line {begun}")
            *ended, (head, _, rest) = [piece.partition(b"\n") for piece in pieces]
            if ended:
                some = _letters([one[0] for one in ended], [one[2] for one in ended], number + 1)
                if not (lengths := np.diff(some.offsets)).all():
                    row = int(lengths.argmin())
                    at = line + sum(piece.count(b"\n") + 1 for piece in _pieces(whole)[: row + 1]) - 1
                    raise _nothing(f"{name}, line {at}", some.ids[row])
                yield some
            begun = line + whole[: whole.rfind(b"\n>") + 1].count(b"\n")
            body, number = [rest.translate(None, _BLANKS)], number + len(pieces)
        line += whole.count(b"\n")
    if not number:
        raise FormatError(f"{name} holds no header line; expected '>' and a name before each sequence")
    yield _long(head, body, number, f"{name}, line {begun}")


def _pieces(text: bytes) -> list[bytes]:
    """Return what comes before the first header line, and the records from their header lines on, without the '>'."""
    return (b"\n" + text).split(b"\n>")


def _without_comments(text: bytes) -> bytes:
    """Return whole lines without those that begin with a semicolon."""
    if b";" not in text:
        return text
    return b"\n".join(row for row in text.split(b"\n") if not row.lstrip().startswith(b";"))


def _letters(heads: Sequence[bytes], bodies: Sequence[bytes], number: int) -> Letters:
    """Return records, the first of which has this number."""
    joined = b"".join(bodies)
    letters = joined.translate(None, _BLANKS)
    if len(letters) < len(joined):
        bodies = [body.translate(None, _BLANKS) for body in bodies]
    offsets = ends_of(map(len, bodies))
    if (titles := b"\n".join(heads)).isascii():
        ids = titles.decode().split()
        if len(ids) == len(heads) and "\n".join(ids).encode() == titles:  # a word each
            return Letters(ids, letters, offsets)
    named = [_header(head, i) for i, head in enumerate(heads, number)]
    return Letters([name for name, _ in named], letters, offsets, [rest for _, rest in named])


def _long(head: bytes, body: list[bytes], number: int, where: str) -> Letters:
    """Return one record of many pieces, which are taken out of `body`."""
    identifier, description = _header(head, number)
    letters = b"".join(body)
    body.clear()
    if not letters:
        raise _nothing(where, identifier)
    return Letters([identifier], letters, ends_of([len(letters)]), [description])


def _nothing(where: str, identifier: str) -> FormatError:
    return FormatError(f"{where}, record {identifier}: no sequence after the header; add it, or delete the header")


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
