"""Tables as Parquet, written by pyarrow a group of rows at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from seqcnn.errors import MissingExtraError
from seqcnn.io.layout import Layout, Rows, Write
from seqcnn.io.writing import atomic
from seqcnn.names import Names

#: Rows of a group: large enough to be read fast, small enough to be held.
GROUP = 1 << 17


@contextmanager
def parquet_rows(path: str, layout: Layout) -> Iterator[Write]:
    """Yield a function that writes the columns of a TSV as Parquet; numbers are 32-bit floats, unrounded.

    Raises
    ------
    MissingExtraError
        If pyarrow is absent.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtraError(f"{path}: Parquet needs pyarrow; install seqcnn[parquet], or write .tsv") from None
    text, whole = pa.string(), pa.int64()
    kinds = [text, whole, whole, whole, *(text if name in layout.texts else pa.float32() for name in layout.columns)]
    schema = pa.schema(list(zip(layout.names, [*kinds, text, whole, whole, text], strict=False)))
    held: list[Any] = []

    def batch(rows: Rows) -> Any:
        columns = rows.cells(placed=layout.placed)
        arrays = [
            pa.array(cells.table, kind).take(pa.array(cells.codes))
            if isinstance(cells, Names)
            else pa.array(cells.astype(kind.to_pandas_dtype()))
            for cells, kind in zip(columns, schema.types, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    with atomic(path, "wb") as stream, parquet.ParquetWriter(stream, schema) as writer:

        def settle() -> None:
            writer.write_table(pa.Table.from_batches(held, schema))
            held.clear()

        def write(rows: Rows) -> None:
            held.append(batch(rows))
            if sum(map(len, held)) >= GROUP:
                settle()

        yield write
        settle()
