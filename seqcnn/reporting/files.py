"""Files held inside the page as data URIs, compressed where they are large."""

import base64
import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seqcnn.io.cells import cell

#: Text larger than this is held as .gz: base64 adds a third, and the page should stay easy to send.
PLAIN_BYTES = 150_000


@dataclass(frozen=True)
class Held:
    """One file: its name, what is in it, its size in bytes as downloaded, and its data URI."""

    name: str
    text: str
    size: int
    uri: str


def hold(name: str, content: str, text: str) -> Held:
    """Return `content` as a file to download.

    >>> hold("a.tsv", "x", "One letter.").uri
    'data:text/tab-separated-values;charset=utf-8;base64,eA=='
    """
    data = content.encode()
    kind = "text/tab-separated-values" if name.endswith(".tsv") else "text/plain"
    if len(data) > PLAIN_BYTES:
        data = gzip.compress(data, 9, mtime=0)
        return Held(f"{name}.gz", text, len(data), "data:application/gzip;base64," + base64.b64encode(data).decode())
    return Held(name, text, len(data), f"data:{kind};charset=utf-8;base64,{base64.b64encode(data).decode()}")


def hold_rows(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], text: str, *, most: int | None = None
) -> Held:
    """Return rows as a TSV file to download; beyond `most` they are left out, which `text` then says."""
    table = list(rows)
    if most is not None and len(table) > most:
        text = f"{text} The first {most:,} of {len(table):,} lines; the command line writes them all."
        table = table[:most]
    lines = ["\t".join(columns), *("\t".join(map(cell, row)) for row in table)]
    return hold(name, "\n".join(lines) + "\n", text)
