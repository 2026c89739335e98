"""Rows as Arrow batches: read from a SQLite file by ADBC, or made of Python's rows. The home of ADBC.

ADBC's driver takes the type of a column from the first batch, and one without a value there for INTEGER (apache/arrow-adbc#581): so each query begins with a
row of our own that has a value of the declared type in every column, and is left out again. Measured on 480,000 rating rows: 0.66 s of CPU, where rows
fetched by apsw and made into arrays take 2.36 s.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import adbc_driver_sqlite.dbapi as sqlite
import pyarrow as pa
import pyarrow.compute as pc

from ..cells import LONGEST_NUMBER
from ..dataset import Column

TYPES = {"TEXT": pa.string(), "INTEGER": pa.int64(), "REAL": pa.float64()}
FIRST = {"TEXT": "''", "INTEGER": "0", "REAL": "0.5"}
FEW = 1 << 20  # bytes of a batch whose texts are looked at together: a regular expression costs Arrow 0.1 ms before its first row
SIZE, PROSE_SIZE = 65_536, 2_048  # rows of a batch, fewer with texts that can be long; it is a row group of Parquet, and so no setting


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns as the database has them."""
    return pa.schema([(column.name, TYPES[column.sql_type]) for column in columns])


def batch(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> pa.RecordBatch:
    """Rows of Python's values as a batch."""
    arrays = [pa.array(values, TYPES[column.sql_type]) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
    return pa.record_batch(arrays, schema=schema(columns))


def batches(database: Path, columns: Sequence[Column], query: str) -> Iterator[pa.RecordBatch]:
    """What a query, which names these columns, gives of a database that nobody writes to, in its order."""
    first = ", ".join(f'{FIRST[column.sql_type]} AS "{column.name}"' for column in columns)
    size = PROSE_SIZE if any(column.kind == "prose" for column in columns) else SIZE
    with sqlite.connect(f"file:{quote(str(database))}?mode=ro&immutable=1") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": size})
        cursor.execute(f"SELECT {first} UNION ALL SELECT * FROM ({query})")
        ours = 1
        for found in cursor.fetch_record_batch():
            rows, ours = found.slice(ours), 0
            if rows.num_rows:
                yield rows


def each_text(change: Callable[[pa.Array], pa.Array], batch: pa.RecordBatch) -> list[pa.Array]:
    """The columns of a batch, those of texts as `change` makes them, which knows nothing of columns or rows."""
    texts = [values for values in batch.columns if pa.types.is_string(values.type)]
    if texts and batch.nbytes <= FEW:
        whole = change(pa.concat_arrays(texts))
        changed = iter([whole.slice(number * batch.num_rows, batch.num_rows) for number in range(len(texts))])
    else:
        changed = map(change, texts)
    return [next(changed) if pa.types.is_string(values.type) else values for values in batch.columns]


def joined(*parts: Any, null: str) -> memoryview:
    """Columns and constants, joined row by row into one text."""
    lines = pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement=null)
    if lines.null_count or lines.offset:
        raise ValueError("lines are joined without a gap")
    offsets = memoryview(lines.buffers()[1]).cast("i")
    return memoryview(lines.buffers()[2])[offsets[0] : offsets[len(lines)]]


def too_long(values: pa.Array) -> pa.Array | None:
    """Which whole numbers have more digits than a spreadsheet keeps; None where none has."""
    if not pa.types.is_integer(values.type):
        return None
    most = 10**LONGEST_NUMBER
    found = pc.or_(pc.greater_equal(values, most), pc.less_equal(values, -most))
    return found if pc.any(found).as_py() else None


def ahead(pool: Executor, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches, of which the next one is read while one is written."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch
