"""GenBank and EMBL flat files as records, through Biopython."""

import io
import warnings
from collections.abc import Iterator

from seqcnn.errors import FormatError
from seqcnn.sequence import Record


def parse_flat_file(stream: io.BufferedReader, name: str, form: str) -> Iterator[Record]:
    """Yield the records of a GenBank (``form="genbank"``) or EMBL (``"embl"``) stream; `name` is how errors call it.

    Raises
    ------
    FormatError
        Naming the file and the last record that was read, if it is truncated, malformed or holds no sequence.
    """
    from Bio import BiopythonWarning, SeqIO
    from Bio.Seq import UndefinedSequenceError

    text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline=None)
    records = SeqIO.parse(text, form)  # type: ignore[no-untyped-call]
    last = "the start"
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiopythonWarning)
            warnings.filterwarnings("error", message=".*(Premature end|remature).*")
            try:
                record = next(records)
                letters = bytes(record.seq)
            except StopIteration:
                return
            except UndefinedSequenceError:
                raise FormatError(f"{name}, record {record.id}: no sequence; download it with its sequence") from None
            except (ValueError, AssertionError, IndexError, KeyError, BiopythonWarning) as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                raise FormatError(f"{name}, after {last}: not a whole {form} record ({reason})") from None
        if not letters:
            raise FormatError(f"{name}, record {record.id}: no sequence; download it with its sequence")
        last = f"record {record.id}"
        yield Record(record.id, letters, "" if record.description == "<unknown description>" else record.description)
