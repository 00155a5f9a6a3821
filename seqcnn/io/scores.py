"""Rows of scores in any format: one interface, and a writer for each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from seqcnn.io.bigwig_writing import bigwig_rows
from seqcnn.io.layout import Layout, Write
from seqcnn.io.parquet import parquet_rows
from seqcnn.io.tracks import bed_rows, bedgraph_rows
from seqcnn.io.tsv import Opened, tsv_columns
from seqcnn.io.writing import atomic


@contextmanager
def table_rows(path: str, layout: Layout, *, opened: Opened = atomic) -> Iterator[Write]:
    """Yield a function that writes rows as TSV: window, what was found, and the place where there is one."""
    with tsv_columns(path, layout.names, opened=opened) as put:
        yield lambda rows: put(rows.cells(placed=layout.placed))


#: Format to what opens a file of it; those of text take what opens that.
WRITERS: dict[str, Callable[..., AbstractContextManager[Write]]] = {
    "tsv": table_rows,
    "bed": bed_rows,
    "bedgraph": bedgraph_rows,
    "bigwig": bigwig_rows,
    "parquet": parquet_rows,
}
