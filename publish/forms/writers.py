"""One writer for each form that is a stream: CSV, its spreadsheet edition, NDJSON, Parquet. They take Arrow batches and write as these come.

Everything is done by the column, in Arrow, without the interpreter's lock: 480,000 rating rows take 0.2 s of CPU as CSV, where the csv module takes 1.4, and
1.0 s as NDJSON, where orjson takes 1.7 row by row. Text columns stand in quotes in CSV, so that NULL (nothing) and an empty text ("") differ. The exact CSV
ends its lines with LF, the spreadsheet edition with CRLF as RFC 4180 has it: command-line tools take a CR for a part of the last cell.

Parquet: a `day` is date32, since the kind promises a whole day; a `date` can be a year or a month and stays text; a flag is a boolean.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from ..cells import AS_IT_IS, GUARDED
from ..dataset import Column
from .arrow import Part, Rows, distinct, joined, respelt, schema
from .form import Target
from .workbook import OneSheet

BOM = b"\xef\xbb\xbf"
ESCAPED = r'["\\\x00-\x1f]'  # what JSON escapes in a text
PARQUET = {"day": pa.date32(), "flag": pa.bool_()}  # by kind; else as the database has it


class Writer(Protocol):
    """Takes batches in their order, and nothing after `close`."""

    def put(self, rows: Rows) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what comes at the end. The file stays open."""


def writer(form: str, columns: Sequence[Column], target: Target, title: str) -> Writer:
    """The writer of a form. Raises KeyError where there is none."""
    made: dict[str, Any] = {"csv": Csv, "spreadsheet": Spreadsheet, "ndjson": Ndjson, "parquet": Parquet}
    return OneSheet(columns, target, title) if form == "xlsx" else made[form](columns, target)


def _header(names: Sequence[str], eol: str) -> bytes:
    return ",".join('"' + name.replace('"', '""') + '"' for name in names).encode() + eol.encode()


class _Lines:
    """What forms of a line a row have in common: `_spelt` gives the columns of some rows as parts of lines."""

    null = ""

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        self._target = target
        self._is_text = [column.sql_type == "TEXT" for column in columns]

    def put(self, rows: Rows) -> None:
        """Write some rows."""
        for lines in joined(*self._spelt(rows), null=self.null, number=rows.number):
            self._target.write(lines)

    def _spelt(self, rows: Rows) -> Iterable[Part]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing comes at the end."""


class Csv(_Lines):
    """The exact edition: UTF-8 without a mark, names of columns as declared, every value as it is."""

    eol = "\n"

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        super().__init__(columns, target)
        target.write(self._head(columns))

    def _head(self, columns: Sequence[Column]) -> bytes:
        return _header([column.name for column in columns], self.eol)

    def _spelt(self, rows: Rows) -> Iterable[Part]:
        for number, (values, is_text) in enumerate(zip(self._values(rows), self._is_text, strict=True)):
            quote = '"' if is_text else ""
            yield "," if number else ""
            yield quote, values, quote
        yield self.eol

    def _values(self, rows: Rows) -> list[Any]:
        return [text.values if text.plain else pc.replace_substring(text.values, '"', '""') for text in rows.texts]


class Spreadsheet(Csv):
    """The edition that a double click opens: with the mark of UTF-8, Chinese headers, and nothing that a spreadsheet computes or takes for a number (cells.py)."""

    eol = "\r\n"

    def _head(self, columns: Sequence[Column]) -> bytes:
        return BOM + _header([column.label.zh for column in columns], self.eol)

    def _values(self, rows: Rows) -> list[Any]:
        numbers = [
            values if text.long is None else pc.if_else(text.long, pc.binary_join_element_wise("\"'", values, '"', ""), values)
            for values, text in zip(super()._values(rows), rows.texts, strict=True)
        ]
        return distinct(_guarded, numbers, self._is_text)


def _guarded(values: pa.Array) -> pa.Array:
    guarded = pc.match_substring_regex(values, GUARDED)
    if pc.any(guarded).as_py():
        guarded = pc.and_not(guarded, pc.match_substring_regex(values, AS_IT_IS))
    return pc.if_else(guarded, pc.binary_join_element_wise("'", values, ""), pa.scalar(None, pa.string()))


class Ndjson(_Lines):
    """One object a line with every column, null where there is no value."""

    null = "null"

    def __init__(self, columns: Sequence[Column], target: Target) -> None:
        super().__init__(columns, target)
        self._keys = [f"{',' if number else '{'}{_json(column.name)}:" for number, column in enumerate(columns)]

    def _spelt(self, rows: Rows) -> Iterable[Part]:
        for key, text, is_text in zip(self._keys, rows.texts, self._is_text, strict=True):
            quote = '"' if is_text else ""
            yield key
            yield quote, text.values if text.plain else _jsoned(text.values), quote
        yield "}\n"


def _json(text: str) -> str:
    return orjson.dumps(text).decode()


def _jsoned(values: pa.Array) -> pa.Array:
    return respelt(values, pc.match_substring_regex(values, ESCAPED), lambda text: _json(text)[1:-1])


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
        self._schema, self._held = pa.schema(fields), list[pa.RecordBatch]()
        self._writer = parquet.ParquetWriter(pa.PythonFile(target, "w"), self._schema, compression="zstd", write_statistics=True)

    def put(self, rows: Rows) -> None:
        """Hold some rows, and write them with those before where they end a row group."""
        arrays = [pc.cast(values, field.type) for values, field in zip(rows.batch.columns, self._schema, strict=True)]
        self._held.append(pa.record_batch(arrays, schema=self._schema))
        if rows.ends_group:
            self._write()

    def close(self) -> None:
        """Write what is still held, and the footer."""
        self._write()
        self._writer.close()

    def _write(self) -> None:
        if self._held:
            group = pa.Table.from_batches(self._held).combine_chunks()  # in one piece: where pages end does not depend on batches
            self._held.clear()
            self._writer.write_table(group, row_group_size=len(group))
