"""Rows of scores in any format: one interface, and a writer for each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from seqcnn.io.bigwig import bigwig_rows
from seqcnn.io.layout import PLACE_COLUMNS, SIGNS, WINDOW_COLUMNS, Layout, Rows, Write
from seqcnn.io.parquet import parquet_rows
from seqcnn.io.tracks import bed_rows, bedgraph_rows
from seqcnn.io.tsv import tsv_rows


@contextmanager
def table_rows(path: str, layout: Layout) -> Iterator[Write]:
    """Yield a function that writes rows as TSV: window, what was found, and the place where there is one."""
    names = [*WINDOW_COLUMNS, *layout.columns, *(PLACE_COLUMNS if layout.placed else ())]
    with tsv_rows(path, names) as put:

        def write(rows: Rows) -> None:
            found = zip(rows.windows, *rows.columns, strict=True)
            if layout.placed:
                put((*w[:4], *cells, *w.where[:3], SIGNS[w.where.strand]) for w, *cells in found)
            else:
                put((*w[:4], *cells) for w, *cells in found)

        yield write


#: Format to what opens a file of it.
WRITERS: dict[str, Callable[[str, Layout], AbstractContextManager[Write]]] = {
    "tsv": table_rows,
    "bed": bed_rows,
    "bedgraph": bedgraph_rows,
    "bigwig": bigwig_rows,
    "parquet": parquet_rows,
}
