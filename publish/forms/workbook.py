"""Workbooks: XlsxWriter makes all of the file but the rows, which Arrow makes by the column. The home of XlsxWriter.

XlsxWriter writes a cell in ten microseconds: 480,000 rating rows take 43 s of CPU, here 1.5. So it is given the sheets with their header alone, and the rows are
put in where its `sheetData` ends (ECMA-376, 18.3.1.80; a cell without a reference is the next one of its row; a row without a number is the next one too,
and xlsx2csv steps over it, so they have theirs). Whatever begins a text is a text: there
is no formula in a sheet of rows, and a whole number of more than 15 digits is a text too, since no cell keeps them. A whole day is a date, also in a column of dates where others are a year or a month, which are texts; what a cell does not
hold (32,767 units of UTF-16) is cut and says so.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import lru_cache, partial
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from ..dataset import Column
from . import form
from .arrow import Part, Rows, Texts, distinct, joined, respelt
from .form import Page, Target
from .packed import archive, entry

UNITS = 32_767  # of a cell
CUT = "…（超出单元格上限，全文见 CSV 或 NDJSON；cut, the whole text is in the CSV and NDJSON）"
CREATED = datetime(2020, 1, 1)  # noqa: DTZ001 - of no zone: it is written as it stands, and says nothing
DATES = ("day", "date")
NUMBER_FORMATS = {"text": "@", "date": "yyyy-mm-dd", "number": "General"}
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
FIRST_DAY = "1900-03-01"  # before it Excel counts a day that never was
EPOCH = 25_569  # 1970-01-01 in Excel's days
ODD = r"[\x00-\x08\x0b-\x1f\x{FFFE}\x{FFFF}]|_x[0-9A-Fa-f]{4}_"  # what XML does not have, and what looks like the way to write it
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
TEXT = ('<c t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>")
_COLUMNS = re.compile(rb'<col min="(\d+)" max="(\d+)" width="[^"]*"(?: style="(\d+)")?')
_FILTER = re.compile(rb'(<autoFilter ref="A1:[A-Z]+)1')
_FILTERED = re.compile(rb'(<definedName name="_xlnm._FilterDatabase" localSheetId="([0-9]+)"[^>]*>[^<]*[$][A-Z]+[$])1(?=<)')
_SHEET = re.compile(r"[\[\]:*?/\\']")


class Workbook:
    """A workbook in the making: `sheet`, then `put` for each batch, for each table; then `close`."""

    def __init__(self, target: Target, sheets: Sequence[tuple[str, Sequence[Column]]], pages: Sequence[Page] = ()) -> None:
        self._columns = [tuple(columns) for _, columns in sheets]
        self._package = dict(_package(tuple((title, tuple(columns)) for title, columns in sheets), tuple(pages)))
        self._file = archive(target)
        self._counts: list[int] = []
        self._open = ExitStack()  # the entry of the sheet that is being written

    def sheet(self) -> None:
        """Begin the next sheet of rows."""
        self._end()
        self._counts.append(0)
        name = f"xl/worksheets/sheet{len(self._counts)}.xml"
        head, _, self._tail = self._package.pop(name).partition(b"</sheetData>")
        self._styles = [int(style or 0) for first, last, style in _COLUMNS.findall(head) for _ in range(int(first), int(last) + 1)]
        self._rows = self._open.enter_context(entry(self._file, name))
        self._rows.write(re.sub(rb"<dimension [^>]*/>", b"", head))

    def put(self, rows: Rows) -> None:
        """Write some rows. Raises ValueError where a sheet does not hold them."""
        self._counts[-1] += rows.number
        if self._counts[-1] > form.SHEET_ROWS:
            raise ValueError(f"more than {form.SHEET_ROWS} rows do not fit on a sheet")
        columns = self._columns[len(self._counts) - 1]
        are_dates = [column.kind in DATES for column in columns]
        style = next((style for style, is_date in zip(self._styles, are_dates, strict=True) if is_date), 0)
        values = distinct(partial(_dates, style=style), [_escaped(text) for text in rows.texts], are_dates)
        several = zip(values, rows.texts, columns, self._styles, strict=True)
        cells = [("", cells, "") if column.kind in DATES else _cells(cells, text, column, style) for cells, text, column, style in several]
        last = self._counts[-1] + 1  # the header is the first row
        numbers = pc.cast(pa.array(range(last - rows.number + 1, last + 1), pa.int32()), pa.string())
        for some in joined(('<row r="', numbers, '">'), *cells, "</row>", null="<c/>", number=rows.number):
            self._rows.write(some)

    def close(self) -> None:
        """Write what is around the sheets."""
        self._end()
        for name, data in self._package.items():
            with entry(self._file, name) as file:
                file.write(_FILTERED.sub(self._filtered, data))
        self._file.close()

    def _end(self) -> None:
        if self._counts:
            self._rows.write(b"</sheetData>" + _FILTER.sub(rb"\g<1>%d" % (self._counts[-1] + 1), self._tail))
        self._open.close()

    def _filtered(self, found: re.Match[bytes]) -> bytes:
        """The name of a sheet's filter, which is as long as the sheet."""
        return found[1] + b"%d" % (self._counts[int(found[2])] + 1)


@lru_cache(32)
def _package(sheets: tuple[tuple[str, tuple[Column, ...]], ...], pages: tuple[Page, ...]) -> Mapping[str, bytes]:
    """The files of a workbook with these sheets, of which those of rows have a header and a filter on it."""
    data = BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"created": CREATED})
    bold, wrapped = (book.add_format({"bold": bold, "text_wrap": True, "valign": "top"}) for bold in (True, False))
    formats = {kind: book.add_format({"num_format": spelt}) for kind, spelt in NUMBER_FORMATS.items()}
    taken: set[str] = set()
    for title, columns in sheets:
        sheet = book.add_worksheet(_title(title, taken))
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _width(column), formats[_written_as(column)])
            sheet.write_string(0, place, f"{column.label.zh}\n{column.label.en}", bold)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, 0, len(columns) - 1)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    for page in pages:
        sheet = book.add_worksheet(_title(page.title, taken))
        for place, (name, width) in enumerate(zip(page.header, page.widths or [24] * len(page.header), strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, name, bold)
        for row, texts in enumerate(page.rows, 1):
            for place, text in enumerate(texts):
                if text is not None:
                    sheet.write_string(row, place, _cut(text), wrapped)
        sheet.freeze_panes(1, 0)
    book.close()
    with zipfile.ZipFile(data) as made:
        return {name: made.read(name) for name in made.namelist()}


class OneSheet:
    """A workbook of one sheet, as a writer among the others."""

    def __init__(self, columns: Sequence[Column], target: Target, title: str, pages: Sequence[Page] = ()) -> None:
        self._book = Workbook(target, [(title, columns)], pages)
        self._book.sheet()

    def put(self, rows: Rows) -> None:
        """Write some rows."""
        self._book.put(rows)

    def close(self) -> None:
        """Write what is around the sheet."""
        self._book.close()


def _written_as(column: Column) -> str:
    return "date" if column.kind in DATES else "text" if column.sql_type == "TEXT" else "number"


def _width(column: Column) -> int:
    return {"prose": 48, "name": 36, "url": 36}.get(column.kind, 14)


def _title(title: str, taken: set[str]) -> str:
    """A name that a sheet can have, and no other one here has."""
    plain = _SHEET.sub(" ", title)[:31].strip() or "data"
    found, number = plain, 2
    while found.lower() in taken:
        found, number = f"{plain[:28]} {number}", number + 1
    taken.add(found.lower())
    return found


def _cells(values: pa.Array, text: Texts, column: Column, style: int) -> Part:
    """The cells of a column as XML. The format of a text stays one when somebody edits the cell."""
    if column.sql_type == "TEXT":
        return TEXT[0].replace("<c ", f'<c s="{style}" ') if style else TEXT[0], values, TEXT[1]
    if text.long is None:
        return "<c><v>", values, "</v></c>"
    before, after = TEXT
    numbers, texts = pc.binary_join_element_wise("<c><v>", values, "</v></c>", ""), pc.binary_join_element_wise(before, values, after, "")
    return "", pc.if_else(text.long, texts, numbers), ""


def _dates(values: pa.Array, style: int) -> pa.Array:
    """The cells of dates as XML."""
    whole = pc.and_(pc.match_substring_regex(values, DAY), pc.greater_equal(values, FIRST_DAY))
    days = pc.cast(pc.if_else(whole, values, pa.scalar(None, pa.string())), pa.date32())
    serials = pc.cast(pc.add(pc.cast(days, pa.int32()), EPOCH), pa.string())
    before, after = TEXT
    return pc.coalesce(
        pc.binary_join_element_wise(f'<c s="{style}"><v>', serials, "</v></c>", ""), pc.binary_join_element_wise(before, values, after, "")
    )


def _escaped(text: Texts) -> pa.Array:
    values = text.values
    if not text.plain:
        odd = pc.or_(pc.match_substring_regex(values, ODD), pc.greater(pc.utf8_length(values), UNITS // 2))
        values = respelt(values, odd, lambda text: _ODD.sub(_spelt, _cut(text)))
        for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
            values = pc.replace_substring(values, sign, name)
    return values


def _spelt(odd: re.Match[str]) -> str:
    return f"_x{ord(odd[0]):04X}_"


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * UNITS else units[: 2 * (UNITS - len(CUT))].decode("utf-16-le", "ignore") + CUT
