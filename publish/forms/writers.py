"""One writer for each form that is a stream: CSV, its spreadsheet edition, NDJSON, Parquet. They take Arrow batches and write as these come.

Everything is done by the column, in Arrow, without the interpreter's lock: 480,000 rating rows take 0.2 s of CPU as CSV, where the csv module takes 1.4, and
1.0 s as NDJSON, where orjson takes 1.7 row by row. Text columns stand in quotes in CSV, so that NULL (nothing) and an empty text ("") differ. The exact CSV
ends its lines with LF, the spreadsheet edition with CRLF as RFC 4180 has it: command-line tools take a CR for a part of the last cell.

Parquet: a `day` is date32, since the kind promises a whole day; a `date` can be a year or a month and stays text; a flag is a boolean. Row groups are batches.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from ..cells import AS_IT_IS, GUARDED
from ..dataset import Column
from .arrow import each_text, joined, schema, too_long
from .form import Target
from .workbook import OneSheet

BOM = b"\xef\xbb\xbf"
ESCAPED = r'["\\\x00-\x1f]'  # what JSON escapes in a text
PARQUET = {"day": pa.date32(), "flag": pa.bool_()}  # by kind; else as the database has it


class Writer(Protocol):
    """Takes batches in their order, and nothing after `close`."""

    def put(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""

    def close(self) -> None:
        """Write what comes at the end. The file stays open."""


def writer(form: str, columns: Sequence[Column], target: Target, title: str) -> Writer:
    """The writer of a form. Raises KeyError where there is none."""
    made: dict[str, Any] = {"csv": Csv, "spreadsheet": Spreadsheet, "ndjson": Ndjson, "parquet": Parquet}
    return OneSheet(columns, target, title) if form == "xlsx" else made[form](columns, target)


def _csv(batch: pa.RecordBatch, eol: str) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    csv.write_csv(batch, sink, csv.WriteOptions(include_header=False, eol=eol, quoting_style="needed"))
    return sink.getvalue()


def _header(names: Sequence[str], eol: str) -> bytes:
    return ",".join('"' + name.replace('"', '""') + '"' for name in names).encode() + eol.encode()


class Csv:
    """The exact edition: UTF-8 without a mark, names of columns as declared, every value as it is."""

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        self._target = target
        target.write(_header([column.name for column in columns], "\n"))

    def put(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        self._target.write(_csv(batch, "\n"))

    def close(self) -> None:
        """Nothing comes at the end."""


class Spreadsheet:
    """The edition that a double click opens: with the mark of UTF-8, Chinese headers, and nothing that a spreadsheet computes or takes for a number (cells.py)."""

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        self._target = target
        target.write(BOM + _header([column.label.zh for column in columns], "\r\n"))

    def put(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        columns = [_kept_whole(values) for values in each_text(_guarded, batch)]
        self._target.write(_csv(pa.record_batch(columns, names=batch.schema.names), "\r\n"))

    def close(self) -> None:
        """Nothing comes at the end."""


def _guarded(values: pa.Array) -> pa.Array:
    guarded = pc.and_not(pc.match_substring_regex(values, GUARDED), pc.match_substring_regex(values, AS_IT_IS))
    return pc.if_else(guarded, pc.binary_join_element_wise("'", values, ""), values) if pc.any(guarded).as_py() else values


def _kept_whole(values: pa.Array) -> pa.Array:
    if (long := too_long(values)) is None:
        return values
    numbers = pc.cast(values, pa.string())
    return pc.if_else(long, pc.binary_join_element_wise("'", numbers, ""), numbers)


class Ndjson:
    """One object a line with every column, null where there is no value."""

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        self._target = target
        self._keys = [f"{',' if number else '{'}{_json(column.name)}:" for number, column in enumerate(columns)]

    def put(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        parts = [
            part for key, values in zip(self._keys, each_text(_jsoned, batch), strict=True) for part in (key, pc.cast(values, pa.string()))
        ]
        self._target.write(joined(*parts, "}\n", null="null"))

    def close(self) -> None:
        """Nothing comes at the end."""


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


def _jsoned(values: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(values, ESCAPED)).as_py():
        return pa.array([None if value is None else _json(value) for value in values.to_pylist()], pa.string())
    return pc.binary_join_element_wise('"', values, '"', "")


class Parquet:
    """Typed, in the order of the rows, with statistics and, of each column, what it is called and means."""

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        plain = schema(columns)
        fields = [
            pa.field(
                column.name,
                PARQUET.get(column.kind, plain.field(column.name).type),
                metadata={
                    "label_zh": column.label.zh,
                    "label_en": column.label.en,
                    "about_zh": column.about.zh,
                    "about_en": column.about.en,
                },
            )
            for column in columns
        ]
        self._schema = pa.schema(fields)
        self._writer = parquet.ParquetWriter(pa.PythonFile(target, "w"), self._schema, compression="zstd", write_statistics=True)

    def put(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch as a row group."""
        arrays = [pc.cast(values, field.type) for values, field in zip(batch.columns, self._schema, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema), row_group_size=max(batch.num_rows, 1))

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()
