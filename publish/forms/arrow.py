"""Rows as Arrow batches: read from a SQLite file by ADBC, or made of Python's rows. The home of ADBC.

ADBC's driver takes the type of a column from the first batch, and one without a value there for INTEGER (apache/arrow-adbc#581): so each query begins with a
row of our own that has a value of the declared type in every column, and is left out again. Measured on 480,000 rating rows: 0.66 s of CPU, where rows
fetched by apsw and made into arrays take 2.36 s.

What all forms of text need of a batch is found once (`Rows`), and lines are joined some thousands at a time: the cells of 65,536 institutions are 90 MB of
XML, which no cache holds and no two cores should hold at once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
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
SIZE, PROSE_SIZE = 8_192, 2_048  # rows of a batch, fewer with texts that can be long
GROUP = 65_536  # rows of a row group of Parquet, of which our own is one; with such texts it is a batch
LINES = 4_096  # that are joined at a time
SIGNS = b'"&<>\\' + bytes(range(32))  # what one of the forms writes otherwise, beside _x and what begins as U+FFFE and U+FFFF do
LONG = 16_383  # units of UTF-16 that each form has room for twice
Part = str | tuple[str, Any, str]  # a constant; or what comes before a value, the values, and what comes after one


@dataclass(frozen=True)
class Texts:
    """A column as texts: one alone where all rows say the same. In those that are `plain` is nothing that a form would write otherwise. `long` says which
    whole numbers have more digits than a spreadsheet keeps; it is None where none has."""

    values: Any
    plain: bool
    long: Any = None


@dataclass(frozen=True)
class Rows:
    """A batch, and its columns as texts."""

    batch: pa.RecordBatch
    texts: list[Texts]
    ends_group: bool = True  # of Parquet

    @property
    def number(self) -> int:
        """How many there are."""
        return int(self.batch.num_rows)


def read(batch: pa.RecordBatch, *, ends_group: bool = True) -> Rows:
    """A batch with what all forms of text need of it."""
    return Rows(batch, [_texts(values) for values in batch.columns], ends_group)


def _texts(values: Any) -> Texts:
    values = values.slice(0, 1) if _says_one_thing(values) else values
    if not pa.types.is_string(values.type):
        return Texts(pc.cast(values, pa.string()), True, _too_long(values))
    _, offsets, data = values.buffers()
    if data is None:
        return Texts(values, True)
    places = memoryview(offsets).cast("i")
    text = bytes(memoryview(data)[places[values.offset] : places[values.offset + len(values)]])
    odd = len(text.translate(None, SIGNS)) < len(text) or (b"_" in text and b"_x" in text) or (not text.isascii() and b"\xef\xbf" in text)
    return Texts(values, not odd and (len(text) <= LONG or pc.max(pc.binary_length(values)).as_py() <= LONG))


def _too_long(values: Any) -> Any:
    if not pa.types.is_integer(values.type):
        return None
    most = 10**LONGEST_NUMBER
    least, greatest = (number or 0 for number in pc.min_max(values).as_py().values())
    return pc.or_(pc.greater_equal(values, most), pc.less_equal(values, -most)) if least <= -most or greatest >= most else None


def _says_one_thing(values: Any) -> bool:
    if values.null_count:
        return bool(values.null_count == len(values))
    first = values[0]
    return bool(first == values[-1]) and bool(pc.all(pc.equal(values, first)).as_py())


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns as the database has them."""
    return pa.schema([(column.name, TYPES[column.sql_type]) for column in columns])


def batch(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> Rows:
    """Rows of Python's values, of which there are some."""
    arrays = [pa.array(values, TYPES[column.sql_type]) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
    return read(pa.record_batch(arrays, schema=schema(columns)))


def batches(database: Path, columns: Sequence[Column], query: str) -> Iterator[Rows]:
    """What a query, which names these columns, gives of a database that nobody writes to, in its order."""
    first = ", ".join(f'{FIRST[column.sql_type]} AS "{column.name}"' for column in columns)
    size, group = (PROSE_SIZE, PROSE_SIZE) if any(column.kind == "prose" for column in columns) else (SIZE, GROUP)
    with sqlite.connect(f"file:{quote(str(database))}?mode=ro&immutable=1") as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": size})
        cursor.execute(f"SELECT {first} UNION ALL SELECT * FROM ({query})")
        ours = 1
        for number, found in enumerate(cursor.fetch_record_batch(), 1):
            rows, ours = found.slice(ours), 0
            if rows.num_rows:
                yield read(rows, ends_group=number * size % group == 0)


def joined(*parts: Part, null: str, number: int) -> Iterator[Any]:
    """So many rows, each joined of constants and columns, as texts of some thousand rows each. `null` is written where a column has no value."""
    flat: list[Any] = [""]  # constants and columns in turn
    for part in parts:
        before, values, after = (part, None, "") if isinstance(part, str) else part
        if values is None:
            flat[-1] += before
        elif len(values) == 1:
            value = values[0].as_py()
            flat[-1] += null if value is None else f"{before}{value}{after}"
        elif values.null_count:
            flat += [part, ""]
        else:
            flat[-1] += before
            flat += [values, after]
    for start in range(0, number, LINES):
        some = min(LINES, number - start)
        if len(flat) == 1:
            yield (flat[0] * some).encode()
            continue
        lines = _joined([_slice(part, start, some) for part in flat if part != ""], null_handling="replace", null_replacement=null)
        if lines.null_count or lines.offset:
            raise ValueError("lines are joined without a gap")
        offsets = memoryview(lines.buffers()[1]).cast("i")
        yield memoryview(lines.buffers()[2])[offsets[0] : offsets[some]]


def _joined(parts: Sequence[Any], **how: str) -> Any:
    return pc.binary_join_element_wise(*parts, "", **how)


def _slice(part: Any, start: int, some: int) -> Any:
    if isinstance(part, str):
        return part
    if isinstance(part, tuple):
        before, values, after = part
        values = _slice(values, start, some)
        return _joined([before, values, after]) if before or after else values
    values = part.slice(start, some)
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def distinct(change: Callable[[Any], Any], columns: Sequence[Any], which: Sequence[bool]) -> list[Any]:
    """Columns, `which` of them as `change` makes them: it gets each text of a column once, and gives null for what it leaves as it is."""
    coded = [
        values.dictionary_encode() if wanted and values.null_count < len(values) else None
        for values, wanted in zip(columns, which, strict=True)
    ]
    among = [one.dictionary for one in coded if one is not None]
    if not among:
        return list(columns)
    changed, made = change(pa.concat_arrays(among)), []
    for values, one in zip(columns, coded, strict=True):
        if one is not None:
            new, changed = changed.slice(0, len(one.dictionary)), changed.slice(len(one.dictionary))
            if new.null_count < len(new):
                values = pa.DictionaryArray.from_arrays(one.indices, pc.coalesce(new, one.dictionary))
        made.append(values)
    return made


def respelt(values: Any, odd: Any, spell: Callable[[str], str]) -> Any:
    """Texts, of which the `odd` ones are spelt otherwise."""
    if not pc.any(odd).as_py():
        return values
    return pc.replace_with_mask(values, odd, pa.array([spell(value) for value in values.filter(odd).to_pylist()], pa.string()))


def release() -> None:
    """Let the system have what Arrow's memory pool keeps for later."""
    pa.default_memory_pool().release_unused()


def ahead(pool: Executor, batches: Iterator[Rows]) -> Iterator[Rows]:
    """Batches, of which the next one is read while one is written."""
    coming = pool.submit(next, batches, None)
    while (batch := coming.result()) is not None:
        coming = pool.submit(next, batches, None)
        yield batch
