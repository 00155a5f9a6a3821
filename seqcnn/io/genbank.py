"""GenBank and EMBL flat files as records, and their features by type, through Biopython."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqcnn.errors import FormatError
from seqcnn.interval import Intervals
from seqcnn.io.features import Feature, chosen
from seqcnn.io.opening import STDIN, open_bytes, shown
from seqcnn.record import Record

#: Qualifiers that name a feature, the first that is there.
_RANK = ("locus_tag", "label", "gene", "protein_id", "standard_name", "product")
#: Start, end and strand of one part of a feature.
Part = tuple[int, int, int]


def flat_form(path: str | Path) -> str | None:
    """Return ``genbank`` or ``embl`` where a file begins so, else None; standard input is not looked at."""
    if str(path) == STDIN or not Path(path).is_file():
        return None
    with open_bytes(path) as stream:
        return form_of(stream)


def form_of(stream: io.BufferedReader) -> str | None:
    """Return ``genbank`` or ``embl`` where a stream begins so, else None; nothing of it is consumed."""
    head = stream.peek(16)
    return "genbank" if head.startswith(b"LOCUS ") else "embl" if head.startswith(b"ID   ") else None


def parse_flat_file(stream: io.BufferedReader, name: str, form: str) -> Iterator[Record]:
    """Yield the records of a GenBank (``form="genbank"``) or EMBL (``"embl"``) stream; `name` is how errors call it.

    Raises
    ------
    FormatError
        Naming the file and the last record that was read, if it is truncated, malformed or holds no sequence.
    """
    for record in _records(stream, name, form):
        letters = _letters(record)
        if not letters:
            raise FormatError(f"{name}, record {record.id}: no sequence; download it with its sequence")
        yield Record(record.id, letters, "" if record.description == "<unknown description>" else record.description)


def _records(stream: io.BufferedReader, name: str, form: str) -> Iterator[Any]:
    """Yield Biopython's records."""
    from Bio import BiopythonWarning, SeqIO

    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline=None)
    records = SeqIO.parse(text, form)  # type: ignore[no-untyped-call]
    last = "the start"
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiopythonWarning)
            warnings.filterwarnings("error", message=".*(Premature end|remature).*")
            try:
                record = next(records)
            except StopIteration:
                return
            except (ValueError, AssertionError, IndexError, KeyError, BiopythonWarning) as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise FormatError(f"{name}, after {last}: not a whole {form} record ({reason})") from None
        last = f"record {record.id}"
        yield record


def _letters(record: Any) -> bytes:
    """Return the sequence of a record; empty where the file holds none."""
    from Bio.Seq import UndefinedSequenceError

    try:
        return bytes(record.seq)
    except UndefinedSequenceError:
        return b""


@dataclass(frozen=True)
class Features:
    """The features of a flat file.

    Parameters
    ----------
    intervals
        Their spans, from the first base of any part to the last.
    parts
        Of each feature, in the order in which they are read.
    chromosomes
        The sequence of each record, where the file holds it.
    left
        Features left out, as part of them lies in another record or between two bases.
    """

    intervals: Intervals
    parts: tuple[tuple[Part, ...], ...]
    chromosomes: dict[str, bytes]
    left: int = 0


def read_features(path: str | Path, feature: str) -> Features:
    """Return the features of one type, or of several between commas, in a GenBank or EMBL file.

    A feature of several parts (``join``) is the span of them all; one that crosses the origin of a circular record has
    the middle of its longest part as its summit.

    Parameters
    ----------
    path
        The file.
    feature
        CDS, gene, tRNA, ... as the file calls them, or ``promoter``: see `seqcnn.io.features.chosen`.

    Raises
    ------
    FormatError
        If the file is truncated or malformed, or two records share an identifier.
    DataError
        If there is no such feature; the message lists those there are.
    """
    name = shown(path)
    found: list[Feature] = []
    parts: list[tuple[Part, ...]] = []
    chromosomes: dict[str, bytes] = {}
    left = 0
    wanted = {word.strip() for word in feature.split(",")}
    with open_bytes(path) as stream:
        form = form_of(stream)
        if form is None:
            raise FormatError(f"{name}: expected a GenBank or EMBL file, which starts with LOCUS or ID")
        for record in _records(stream, name, form):
            if record.id in chromosomes:
                raise FormatError(f"{name}: two records are called {record.id!r}; give each a name of its own")
            chromosomes[record.id] = _letters(record)
            for item in record.features:
                pieces = _parts(item.location)
                if pieces:
                    found.append(_feature(item, record.id, pieces))
                    parts.append(pieces)
                elif item.type in wanted:
                    left += 1
    intervals, index = chosen(found, feature, name)
    return Features(intervals, tuple(parts[i] for i in index), chromosomes, left)


def _parts(location: Any) -> tuple[Part, ...]:
    """Return the parts of a location as they are read one after the other; none where one cannot be read here."""
    found = []
    for part in () if location is None else location.parts:
        try:
            start, end = int(part.start), int(part.end)
        except TypeError:  # an unknown position
            return ()
        if part.ref is not None or end <= start:
            return ()
        found.append((start, end, part.strand or 0))
    return tuple(found)


def _feature(item: Any, chromosome: str, parts: tuple[Part, ...]) -> Feature:
    """Return a Biopython feature as one of ours."""
    strands = {strand for _, _, strand in parts}
    strand = strands.pop() if len(strands) == 1 else 0
    starts = [start for start, _, _ in parts]
    in_order = starts == sorted(starts, reverse=strand < 0)
    longest = max(parts, key=lambda part: part[1] - part[0])
    first = parts[0]
    called = next((item.qualifiers[key][0] for key in _RANK if item.qualifiers.get(key)), "")
    return Feature(
        item.type,
        chromosome,
        min(starts),
        max(end for _, end, _ in parts),
        strand,
        " ".join(called.split()),
        center=-1 if in_order or not strand else (longest[0] + longest[1]) // 2,
        first=first[1] - 1 if first[2] < 0 else first[0],
    )
