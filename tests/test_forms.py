"""The forms in which rows are given away say the same, cell by cell: each is read back by another library than wrote it."""

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from publish.catalogue import Catalogue
from publish.cells import FORMULA
from publish.cli.sql import _harmless
from publish.dataset import KINDS, Column
from publish.forms import FORMS, PACKINGS, write
from publish.forms.arrow import LINES, batches
from publish.forms.packed import Counted, packer, unpacked
from publish.forms.workbook import CUT, UNITS
from publish.forms.writers import writer

LONG = "長" * 100_000
TEXTS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", "\r=1", "\n=1", "＝1+1", " =1+1", "011001", "123456789012345678", "52110108E1001", "2026-10", "1-2", "MAR1", "50%",
    "", " ", "'", "第一行\n第二行", "甲\r\n乙\r丙", 'a "quoted", text', "\x01\x1f\x7f", "_x000D_", "]]><b>&amp;", "👩‍👩‍👧 𠮷", "\u202eabc\u202c\u200f", "\ufffe", "null", "NULL", "NA", "TRUE", "\\n", LONG,
)  # fmt: skip
BY_KIND: dict[str, Sequence[Any]] = {
    "day": ("2026-10-20", "1899-12-31", "2024-02-29"),
    "date": ("2026-10-20", "2026-10", "2026", "1900-01-01"),
    "flag": (0, 1),
    "fen": (0, 2000, 9_007_199_254_740_993, -1),
    "integer": (0, 7, 2**63 - 1),
    "number": (0.5, 3.0, 1e-7, 4.3333, 1e20),
    "share": (0.1, 1.0),
}


@pytest.fixture(scope="module")
def columns(catalogue: Catalogue) -> list[Column]:
    """One of each kind, and more texts."""
    one = catalogue.tables["notices"].columns["facts"]
    return [replace(one, name=f"c_{kind}", kind=kind, label=replace(one.label, zh=f"列 {kind}")) for kind in KINDS]


def test_every_kind_is_tried(columns: list[Column]) -> None:
    assert {column.kind for column in columns} == set(KINDS)


@pytest.fixture(scope="module")
def rows(columns: list[Column]) -> list[tuple[Any, ...]]:
    """Each value in a column of its kind, and none at all."""
    values = [(None, *BY_KIND.get(column.kind, TEXTS)) for column in columns]
    return [tuple(several[number % len(several)] for several in values) for number in range(max(map(len, values)))]


def written(form: str, columns: Sequence[Column], *batches: Sequence[Any]) -> bytes:
    target = io.BytesIO()
    assert write(form, columns, batches, target, "公告") == sum(map(len, batches))
    return target.getvalue()


def texts(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """What a form without types says: numbers in digits."""
    return [tuple(value if value is None or isinstance(value, str) else float(value) for value in row) for row in rows]


def test_csv_is_exact_and_tells_nothing_from_an_empty_text(columns: list[Column], rows: list[Any], tmp_path: Path) -> None:
    data = written("csv", columns, rows[:3], rows[3:])
    assert data.startswith(b'"c_id","c_ref"')
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    found = duckdb.sql(
        f"SELECT * FROM read_csv('{path}', header=true, all_varchar=true, delim=',', quote='\"', escape='\"', new_line='\\n', allow_quoted_nulls=false, max_line_size=100000000, strict_mode=false)"
    ).fetchall()
    as_numbers = [
        tuple(value if value is None or c.sql_type == "TEXT" else float(value) for c, value in zip(columns, row, strict=True))
        for row in found
    ]
    assert as_numbers == texts(rows)
    lines = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert lines[0] == [column.name for column in columns]
    assert [[cell if c.sql_type == "TEXT" else bool(cell) for c, cell in zip(columns, line, strict=True)] for line in lines[1:]] == [
        [(value or "") if c.sql_type == "TEXT" else value is not None for c, value in zip(columns, row, strict=True)] for row in rows
    ]


def test_numbers_keep_every_digit(columns: list[Column], rows: list[Any]) -> None:
    place = next(number for number, column in enumerate(columns) if column.kind == "fen")
    lines = list(csv.reader(io.StringIO(written("csv", columns, rows).decode(), newline="")))
    assert {line[place] for line in lines[1:]} == {"", "0", "2000", "9007199254740993", "-1"}
    spread = list(csv.reader(io.StringIO(written("spreadsheet", columns, rows).decode("utf-8-sig"), newline="")))
    assert {line[place] for line in spread[1:]} == {"", "0", "2000", "'9007199254740993", "-1"}


def test_the_spreadsheet_edition_has_chinese_headers_and_nothing_that_is_computed(columns: list[Column], rows: list[Any]) -> None:
    data = written("spreadsheet", columns, rows)
    assert data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert lines[0] == [f"列 {kind}" for kind in KINDS]
    for line, row in zip(lines[1:], rows, strict=True):
        for column, cell, value in zip(columns, line, row, strict=True):
            if column.sql_type == "TEXT":
                assert cell in (value or "", f"'{value}"), "the text, or the text behind an apostrophe"
                assert not cell.lstrip(" ").startswith(FORMULA)


@pytest.mark.parametrize(
    ("value", "is_guarded"),
    [
        *((text, True) for text in ("011001", "123456789012345678", "52110108E1001", "1E5", "2026-10", "1-2", "12:30", "1.50", "50%", "2026年10月", "MAR1", "3 Sep", "＋1", " =1", "\n=1")),
        *((text, True) for text in ("\x0b=1", "\u3000=1+1", "\xa0=1+1", "\ufeff=1+1", "\u200b=1", "﹦1+1", "﹢1", "﹣1", "﹫SUM(1)", "TRUE", "false", "#N/A", "#REF!", "上午9:30", "10 PM", "10:30 AM", "Mar 5, 2026", "£12")),
        *((text, True) for text in ("１／２", "１−２", "１．５", "１，２３４", "２０２６．１０．１", "〇", "十月 5", "十月５", "5 十月", "５－十月", "２０２６／十二月／１")),  # LibreOffice, in Chinese
        *((text, False) for text in ("350100", "0", "2026", "2026-10-20", "91350100M000100Y43", "教民1330106700", "i-0042ab", "第三期", "[1,2,3]", "西教罚〔2026〕1号", "May 培训", "", "True North 培训", "上午班", "#1 培训", "3A教育", "12元", "十月", "二〇二六", "三月学堂", "十月围城培训", "一月一课")),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_take_for_a_number_stays_a_text(columns: list[Column], value: str, is_guarded: bool) -> None:
    text = [column for column in columns if column.kind == "text"]
    line = next(
        iter(csv.reader(io.StringIO(written("spreadsheet", text, [(value,)]).decode("utf-8-sig").partition("\r\n")[2], newline="")))
    )
    assert line == [f"'{value}" if is_guarded else value]
    assert _harmless(value) == line[0], "mingbai sql has the same rule"


def test_ndjson_has_every_column_and_null(columns: list[Column], rows: list[Any]) -> None:
    lines = written("ndjson", columns, rows[:1], rows[1:]).decode().split("\n")
    assert lines.pop() == ""
    names = [column.name for column in columns]
    assert [json.loads(line) for line in lines] == [dict(zip(names, row, strict=True)) for row in rows]
    assert list(json.loads(lines[0])) == names


def test_parquet_is_typed_and_says_what_columns_mean(columns: list[Column], rows: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(written("parquet", columns, rows[:5], rows[5:]))
    types = dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '{path}')").fetchall())
    expected = {"day": "DATE", "flag": "BOOLEAN"}
    plain = {"TEXT": "VARCHAR", "INTEGER": "BIGINT", "REAL": "DOUBLE"}
    assert types == {column.name: expected.get(column.kind, plain[column.sql_type]) for column in columns}
    found = duckdb.sql(f"SELECT * FROM '{path}'").fetchall()
    back = [tuple(value.isoformat() if isinstance(value, date) else value for value in row) for row in found]
    assert back == rows
    assert duckdb.sql(f"SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('{path}') ORDER BY 1").fetchall() == [
        (0, 5),
        (1, len(rows) - 5),
    ]
    stats = duckdb.sql(f"SELECT stats_min, stats_max FROM parquet_metadata('{path}') WHERE path_in_schema = 'c_integer'").fetchall()
    assert stats
    assert all(one and other for one, other in stats)


def test_a_row_group_of_parquet_is_several_batches(columns: list[Column], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = [column for column in columns if column.kind == "text"]
    path = tmp_path / "t.parquet"
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        connection.execute("CREATE TABLE t (c_text TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [(f"{number:02}",) for number in range(20)])
        connection.commit()
    monkeypatch.setattr("publish.forms.arrow.SIZE", 4)
    monkeypatch.setattr("publish.forms.arrow.GROUP", 8)
    with open(path, "wb") as file:
        made = writer("parquet", text, file, "")
        for some in batches(tmp_path / "t.db", text, "SELECT c_text FROM t ORDER BY 1"):
            assert some.number <= 4
            made.put(some)
        made.close()
    groups = duckdb.execute("SELECT row_group_num_rows FROM parquet_metadata(?) ORDER BY row_group_id", [str(path)]).fetchall()
    assert groups == [(7,), (8,), (5,)], "our own row is one of the first"
    assert duckdb.execute("SELECT c_text FROM parquet_scan(?)", [str(path)]).fetchall() == [(f"{number:02}",) for number in range(20)]


def cell_of(value: Any) -> Any:
    """A value as a sheet has it."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value if len(value.encode("utf-16-le")) <= 2 * UNITS else value[: UNITS - len(CUT)] + CUT
    return f"{value}" if isinstance(value, int) and abs(value) >= 10**15 else float(value)  # no cell keeps more digits than 15


def read_cell(value: Any) -> Any:
    """What calamine read, as a value of ours."""
    if value == "":
        return None
    if isinstance(value, date):
        return value.isoformat()[:10]
    return value.replace("_xFFFE_", "\ufffe") if isinstance(value, str) else float(value)  # Excel reads that one too


def test_a_workbook_says_the_same(columns: list[Column], rows: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(written("xlsx", columns, rows[:4], rows[4:]))
    header, *found = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("公告").to_python(skip_empty_area=False)
    assert header == [f"{column.label.zh}\n{column.label.en}" for column in columns]
    assert [[read_cell(value) for value in row] for row in found] == [[cell_of(value) for value in row] for row in rows]


def test_a_workbook_has_codes_as_text_days_as_dates_and_no_formula(columns: list[Column], rows: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(written("xlsx", columns, rows))
    sheet = load_workbook(path).active
    assert sheet is not None
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == sheet.dimensions
    for cells, column, values in zip(sheet.iter_cols(min_row=2), columns, zip(*rows, strict=True), strict=True):
        for cell, value in zip(cells, values, strict=True):
            if value is None:
                assert cell.value is None
            elif column.kind in ("day", "date") and len(value) == 10 and value >= "1900-03":
                assert (cell.value, cell.number_format) == (datetime.fromisoformat(value), "yyyy-mm-dd")
            else:
                is_text = column.sql_type == "TEXT" or (isinstance(value, int) and abs(value) >= 10**15)
                assert cell.data_type == ("s" if is_text else "n"), (column.kind, value)
                if column.sql_type == "TEXT" and column.kind not in ("day", "date"):
                    assert cell.number_format == "@", "which stays one when somebody edits it"


def test_the_rows_of_a_sheet_say_their_numbers(columns: list[Column], rows: list[Any]) -> None:
    """xlsx2csv steps over a row that does not, without a word; a cell without its place is the next one to it too."""
    data = written("xlsx", columns, rows[:1], rows[1:4], rows[1:2] * 2 * LINES)
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    numbers = [re.search(r'\br="([0-9]+)"', row) for row in re.findall("<row[^>]*>", sheet)]
    assert [number and int(number[1]) for number in numbers] == list(range(1, 6 + 2 * LINES))


class Pieces(io.BytesIO):
    """A file that remembers how much it was given at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, data: Any, /) -> int:
        """Take all of it."""
        self.sizes.append(memoryview(data).nbytes)
        return super().write(data)


def body(form: str, columns: Sequence[Column], rows: Sequence[Any]) -> bytes:
    """The rows as a form writes them, without what is around them."""
    data = written(form, columns, rows)
    if form == "xlsx":
        data = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml")
        return re.sub(rb'^.*?</row>|(?<=<row) r="[0-9]+"|</sheetData>.*$', b"", data, flags=re.DOTALL)
    return data.removeprefix(written(form, columns))


@pytest.mark.parametrize("form", ["csv", "spreadsheet", "ndjson", "xlsx"])
def test_a_row_among_many_is_written_as_by_itself(form: str, columns: list[Column], rows: list[Any]) -> None:
    short = [tuple("長" if value == LONG else value for value in row) for row in rows]
    whole = [row for row in short if None not in row]
    for several in ([*short, *whole[:1]] * 150, whole[:7] * 700, whole[:1] * 5_000):
        alone = {row: body(form, columns, [row]) for row in set(several)}
        assert body(form, columns, several) == b"".join(alone[row] for row in several)


def test_lines_are_joined_some_thousands_at_a_time(columns: list[Column], rows: list[Any]) -> None:
    target = Pieces()
    write("ndjson", columns, [rows[1:2] * 3 * LINES, rows[1:2] * 2 + rows[2:3] * 2 * LINES], target)
    line = len(written("ndjson", columns, rows[1:2]))
    assert max(target.sizes) <= 2 * LINES * line
    assert target.getvalue().count(b"\n") == 5 * LINES + 2


@pytest.mark.parametrize("form", ["csv", "spreadsheet", "ndjson", "xlsx"])
def test_bytes_do_not_depend_on_how_rows_come(form: str, columns: list[Column], rows: list[Any]) -> None:
    assert written(form, columns, *([row] for row in rows)) == written(form, columns, rows)


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_bytes_do_not_depend_on_how_they_come(packing: str) -> None:
    data = b"".join(b"%d,%d\n" % (number, number * number % 997) for number in range(200_000))
    found = set()
    for size in (len(data), 4_096, 777_777):
        target = io.BytesIO()
        made = packer(packing, Counted(target))
        for start in range(0, len(data), size):
            made.write(data[start : start + size])
        made.close()
        assert unpacked(packing, io.BytesIO(target.getvalue())).read() == data
        found.add(target.getvalue())
    assert len(found) == 1


def test_a_sheet_holds_no_more_than_it_can(columns: list[Column], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.forms.form.SHEET_ROWS", 2)
    with pytest.raises(ValueError, match="do not fit"):
        write("xlsx", columns[:1], [[("a",)] * 3], io.BytesIO())


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_a_file_too(form: str, columns: list[Column]) -> None:
    assert bool(written(form, columns)) == (form != "ndjson")


def test_an_unknown_form_is_none(columns: list[Column]) -> None:
    with pytest.raises(KeyError):
        write("ods", columns, [], io.BytesIO())


HASHED = """
import hashlib, io, sys
from publish.catalogue import load
from publish.forms import FORMS, write
columns = load().tables["notices"].published
rows = [tuple({"TEXT": f"文{n}", "INTEGER": n, "REAL": n / 7}[c.sql_type] if c.kind not in ("day", "date") else "2026-10-20" for c in columns) for n in range(50)]
for form in FORMS:
    target = io.BytesIO()
    write(form, columns, [rows[:20], rows[20:]], target)
    print(form, hashlib.sha256(target.getvalue()).hexdigest())
"""


def test_the_same_rows_are_the_same_bytes_wherever_and_whenever(root: Path, tmp_path: Path) -> None:
    found = set()
    for seed, zone, language in (("1", "Asia/Shanghai", "zh_CN.UTF-8"), ("77", "America/New_York", "C")):
        (tmp_path / seed).mkdir()
        given = {**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "PYTHONUTF8": "1"}
        ran = subprocess.run([sys.executable, "-c", HASHED], cwd=tmp_path / seed, env=given, capture_output=True, text=True, check=True)
        found.add(ran.stdout)
    assert len(found) == 1
    assert len(found.pop().splitlines()) == len(FORMS)
