"""A file of any form becomes the records that a person sees in it, or one clear line that says which row is wrong."""

import contextlib
import datetime as dt
import gzip
import io
import json
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deliveries import make
from publish.errors import Mingbai, SourceBroken
from publish.sources import ListingPlan, Remark
from publish.sources.numbers import meaning, value
from publish.sources.reading import form_of, records
from publish.sources.table import CELL_LIMIT

PLAN = ListingPlan("white", header=("机构名称", "办学许可证号"))
CSV = "序号,机构名称,办学许可证号,核准日期\n1,启明1培训中心,教民133010670000011,2026-11-01\n"


def read(path: Path, plan: ListingPlan = PLAN) -> tuple[list[tuple[int, dict[str, Any]]], list[Remark]]:
    remarks: list[Remark] = []
    return list(records(path, form_of(path, plan.form), plan, remarks.append)), remarks


def written(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def kinds(remarks: list[Remark]) -> list[tuple[int, str]]:
    return [(remark.row, remark.kind) for remark in remarks]


def as_html(rows: list[list[Any]]) -> str:
    lines = ("".join(f"<td>{'' if cell is None else cell}</td>" for cell in row) for row in rows)
    return f"<!DOCTYPE html><table><tr><td>导航</td></tr></table><table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def as_csv(rows: list[list[Any]], separator: str = ",") -> str:
    return "".join(separator.join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in rows)


FULL = [
    ["白名单（截至2026年11月1日）", None, None, None],
    [None, None, None, None],
    list(make.HEADER),
    *make.ROWS,
    ["合计", 3, None, None],
    ["说明：由西湖区教育局提供", None, None, None],
]
FORMS: dict[str, Callable[[Path], Path]] = {
    "csv in UTF-8": lambda folder: written(folder, "a.csv", as_csv(FULL)),
    "csv with a BOM": lambda folder: written(folder, "a.csv", as_csv(FULL), "utf-8-sig"),
    "csv in GB18030": lambda folder: written(folder, "a.csv", as_csv(FULL), "gb18030"),
    "csv in UTF-16": lambda folder: written(folder, "a.txt", as_csv(FULL, "\t"), "utf-16"),
    "tsv": lambda folder: written(folder, "a.tsv", as_csv(FULL, "\t")),
    "csv in gzip": lambda folder: written(folder, "a.csv.gz", gzip.compress(as_csv(FULL).encode())),
    "html": lambda folder: written(folder, "a.html", as_html(FULL)),
    "html in GB18030 called xls": lambda folder: written(folder, "a.xls", as_html(FULL), "gb18030"),
    "xlsx": lambda folder: make.xlsx(folder / "a.xlsx", FULL, merged=["A1:D1", "A8:D8"]),
    "xlsx called xls": lambda folder: make.xlsx(folder / "a.xlsx", FULL).rename(folder / "a.xls"),
    "xls": lambda folder: make.xls(folder / "a.xls", FULL, merged=[(0, 0, 1, 4)]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_records_and_says_what_stood_around_them(form: str, tmp_path: Path) -> None:
    found, remarks = read(FORMS[form](tmp_path))
    told = [{name: str(cell) for name, cell in record.items()} for _, record in found]
    assert told == [dict(zip(make.HEADER, map(str, row), strict=True)) for row in make.ROWS]
    assert [number for number, _ in found] == [4, 5, 6]
    assert [(row, kind) for row, kind in kinds(remarks) if row] == [(1, "title"), (7, "total"), (8, "note")]


@pytest.mark.parametrize("name", ["a.ndjson", "a.json", "a.dat"])
def test_json_of_both_kinds_is_read(name: str, tmp_path: Path) -> None:
    rows = [{"机构名称": "启明", "办学许可证号": "1", "sites": [{"a": 1}]}, {"机构名称": "启航", "办学许可证号": "2"}]
    text = json.dumps({"data": {"rows": rows}}) if name == "a.json" else "\n\n".join(json.dumps(row) for row in rows) + "\n"
    found, _ = read(written(tmp_path, name, text), ListingPlan("white", header=("机构名称",), record_path="data.rows"))
    assert [record for _, record in found] == rows
    assert [number for number, _ in found] == ([1, 2] if name == "a.json" else [1, 3])


MOVED = '机构 名称,地址,"办学\n许可证号",＊核准日期\n启明,文三路,教民1,2026\n'


def test_a_column_may_move_and_differ_in_width_and_spaces(tmp_path: Path) -> None:
    found, _ = read(written(tmp_path, "a.csv", MOVED), ListingPlan("white", header=("机构名称", "办学许可证号"), fields=("*核准日期",)))
    assert found == [(2, {"机构名称": "启明", "地址": "文三路", "办学许可证号": "教民1", "*核准日期": "2026"})]


def test_two_header_rows_are_read_as_the_lower_one(tmp_path: Path) -> None:
    text = "<table><tr><th rowspan=2>机构名称</th><th colspan=2>地址</th><th rowspan=2>办学许可证号</th></tr><tr><th>注册</th><th>办学</th></tr><tr><td>a</td><td>b</td><td>c</td><td>d</td></tr></table>"
    assert read(written(tmp_path, "a.html", text))[0] == [(3, {"机构名称": "a", "注册": "b", "办学": "c", "办学许可证号": "d"})]


def test_merged_cells_say_the_same_in_every_row_they_cover(tmp_path: Path) -> None:
    rows = [
        ["区", "机构名称", "办学许可证号"],
        ["东城区", "a", "1"],
        [None, "b", "2"],
        ["西城区", "c", "3"],
        ["以上共三家", None, None],
        [None, None, None],
    ]
    html = "<table><tr><td>区</td><td>机构名称</td><td>办学许可证号</td></tr><tr><td rowspan=2>东城区</td><td>a</td><td>1</td></tr><tr><td>b</td><td>2</td></tr><tr><td>西城区</td><td>c</td><td>3</td></tr></table>"
    for path in (
        make.xlsx(tmp_path / "a.xlsx", rows, merged=["A2:A3", "A5:C6"]),
        make.xls(tmp_path / "a.xls", rows, merged=[(1, 0, 3, 1), (4, 0, 6, 3)]),
        written(tmp_path, "a.html", html),
    ):
        assert [record["区"] for _, record in read(path)[0]] == ["东城区", "东城区", "西城区"], path.name


def test_a_header_on_every_printed_page_is_no_record(tmp_path: Path) -> None:
    found, remarks = read(written(tmp_path, "a.csv", CSV + CSV))
    assert (len(found), kinds(remarks)) == (2, [(3, "header_again")])


def test_a_cell_beside_or_without_a_header_is_not_lost(tmp_path: Path) -> None:
    path = make.xlsx(tmp_path / "a.xlsx", [["机构名称", None, "办学许可证号"], ["a", "b", "c", "d"], ["e", None, "f"]])
    assert [record for _, record in read(path)[0]] == [
        {"机构名称": "a", "(column B)": "b", "办学许可证号": "c", "(column D)": "d"},
        {"机构名称": "e", "办学许可证号": "f"},
    ]


def test_a_row_with_a_stray_comma_is_set_aside_and_a_short_one_is_said(tmp_path: Path) -> None:
    found, remarks = read(written(tmp_path, "a.csv", CSV + "2,启航,西湖区,教民2,2026\n3,启德,教民3\n"))
    assert [number for number, _ in found] == [2, 4]
    assert [(remark.row, remark.kind, remark.is_row_lost) for remark in remarks] == [(3, "long_row", True), (4, "short_row", False)]


JSONS = (".json", ".ndjson", ".page")


def test_a_ten_megabyte_cell_sets_aside_its_row_and_no_other(tmp_path: Path) -> None:
    big = "".join(chr(0x4E00 + number * number % 20011) for number in range(1 << 20)) * 4  # dense enough to be no zip bomb
    rows = [["序号", "机构名称", "办学许可证号"], ["1", big, "a"], ["2", "启明", "b"]]
    objects = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    for path in (
        written(tmp_path, "a.csv", as_csv(rows)),
        make.raw_xlsx(tmp_path / "a.xlsx", make.inline(*rows)),
        written(tmp_path, "a.html", as_html(rows)),
        written(tmp_path, "a.json", orjson.dumps(objects)),
        written(tmp_path, "a.ndjson", b"\n".join(map(orjson.dumps, objects))),
        written(tmp_path, "a.page", orjson.dumps({"records": objects})),
    ):
        found, remarks = read(path, replace(PLAN, form="platform" if path.suffix == ".page" else None))
        assert [record["机构名称"] for _, record in found] == ["启明"], path.name
        lost = [remark for remark in remarks if remark.is_row_lost]
        assert [(remark.row, remark.kind, remark.column) for remark in lost] == [
            (1 if path.suffix in JSONS else 2, "oversize", "机构名称")
        ], path.name
        assert str(len(big)) in lost[0].text
        assert len(lost[0].text) < 300
    assert len(big) > CELL_LIMIT


def test_excel_values_are_what_the_sheet_shows(tmp_path: Path) -> None:
    values = [
        ["机构名称", "办学许可证号", "n"],
        ["a", "day", dt.date(2026, 11, 1)],
        ["b", "instant", dt.datetime(2026, 11, 1, 9, 30)],  # noqa: DTZ001  a sheet knows no time zone
        ["c", "month", dt.date(2026, 11, 1)],
        ["d", "year", dt.date(2026, 1, 1)],
    ]
    values += [
        ["e", "code", 11001],
        ["f", "money", 0.1],
        ["g", "whole", 120.0],
        ["h", "text", "011001"],
        ["i", "long", 110108199001011234],
        ["j", "flag", True],
        ["k", "time", dt.time(9, 30)],
    ]
    formats = {"C2": "yyyy/m/d", "C4": 'yyyy"年"m"月"', "C5": "yyyy", "C6": "000000", "C10": "0", "C11": "General"}
    found, remarks = read(make.xlsx(tmp_path / "a.xlsx", values, formats=formats))
    expected = [
        "2026-11-01",
        "2026-11-01T09:30:00",
        "2026-11",
        "2026",
        "011001",
        0.1,
        120,
        "011001",
        "110108199001011200",
        True,
        "09:30:00",
    ]
    assert [record["n"] for _, record in found] == expected
    assert [(remark.row, remark.kind, remark.column) for remark in remarks] == [(10, "lost_digits", "n")]


def test_legacy_excel_values_are_what_the_sheet_shows(tmp_path: Path) -> None:
    rows = [
        ["机构名称", "办学许可证号", "n"],
        ["a", "x", ("date", 46327.0)],
        ["b", "x", 120.0],
        ["c", "x", 110108199001011234.0],
        ["d", "x", None],
        ["e", "x", ("date", 1.0)],
    ]
    found, remarks = read(make.xls(tmp_path / "a.xls", rows, formulas={(4, 2): 7.0}))
    assert [record["n"] for _, record in found] == ["2026-11-01", 120, "110108199001011232", 7, "1900-01-01"]
    assert [(remark.row, remark.kind) for remark in remarks] == [(4, "lost_digits"), (5, "formula")]


def test_formulas_give_their_cached_value_and_are_said(tmp_path: Path) -> None:
    cells = '<c r="A2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c><c r="B2"><f>1+1</f><v>2</v></c><c r="C2"><f>NOW()</f></c><c r="D2" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    head = make.inline(["机构名称", "办学许可证号", "x", "y"]).removesuffix("</sheetData>")
    found, remarks = read(make.raw_xlsx(tmp_path / "a.xlsx", f'{head}<row r="2">{cells}</row></sheetData>'))
    assert found == [(2, {"机构名称": "ab", "办学许可证号": 2, "x": None, "y": None})]
    assert [(remark.kind, remark.column, remark.text) for remark in remarks] == [
        ("formula", "机构名称", '="a"&"b"'), ("formula", "办学许可证号", "=1+1"), ("formula_without_value", "x", "=NOW()"), ("error_value", "y", "#DIV/0!"),
    ]  # fmt: skip


def test_rich_text_readings_and_escapes_are_read_as_excel_shows_them(tmp_path: Path) -> None:
    texts = "<sst><si><r><t>启</t></r><r><t>明</t></r><rPh><t>qi ming</t></rPh></si><si><t>一_x000D_\n二_x005F_</t></si><si><t>机构名称</t></si><si><t>办学许可证号</t></si></sst>"
    sheet = '<sheetData><row><c t="s"><v>2</v></c><c t="s"><v>3</v></c></row><row r="9"><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row></sheetData>'
    assert read(make.raw_xlsx(tmp_path / "a.xlsx", sheet, **{"xl__sharedStrings.xml": texts}))[0] == [
        (9, {"机构名称": "启明", "办学许可证号": "一\r\n二_"})
    ]


SHEETS = {
    "东城区": [["机构名称", "办学许可证号"], ["a", "1"]],
    "西城区": [["办学许可证号", "机构名称"], ["2", "b"]],
    "填表说明": [["请勿改动", "表头"]],
}


def test_one_sheet_is_named_or_all_are_taken_and_none_is_lost_in_silence(tmp_path: Path) -> None:
    path = make.xlsx(tmp_path / "a.xlsx", [["目录"]], **SHEETS)
    with pytest.raises(SourceBroken, match="东城区, 西城区 all have the header; name one sheet"):
        read(path)
    assert read(path, ListingPlan("w", sheet="西城区", header=PLAN.header))[0] == [(2, {"办学许可证号": "2", "机构名称": "b"})]
    found, remarks = read(path, ListingPlan("w", sheet="*", header=PLAN.header))
    assert [(record["(sheet)"], record["机构名称"]) for _, record in found] == [("东城区", "a"), ("西城区", "b")]
    assert sorted(remark.text.partition(":")[0] for remark in remarks) == ["名单", "填表说明"]
    with pytest.raises(SourceBroken, match="no sheet '南城区', only 名单, 东城区"):
        read(path, ListingPlan("w", sheet="南城区", header=PLAN.header))


GB = "机构名称,办学许可证号\n启明,教民\n".encode("gb18030")
UTF8 = "机构名称,办学许可证号\n启明,教民\n".encode()
BROKEN: dict[str, tuple[str, bytes, ListingPlan, str]] = {
    "two encodings": ("a.csv", UTF8 + "启航,教民二\n".encode("gb18030"), PLAN, "line 1 is UTF-8 and line 3 is not"),
    "two encodings, the other way round": ("a.csv", GB + "启航,教民二\n".encode(), PLAN, "line 3 is UTF-8 and line 1 is not"),
    "UTF-8 cut in a character": ("a.csv", UTF8[:-3], PLAN, "line 1 is UTF-8 and line 2 is not, see line 2, byte 42 .*; cut short"),
    "a BOM and then not UTF-8": ("a.csv", b"\xef\xbb\xbf" + UTF8 + b"\xb0\xa1\n", PLAN, "line 3, byte 49 .b0 a1 0a. is not utf-8"),
    "UTF-8 declared as GB18030": (
        "a.csv",
        "机构名称甲,办学许可证号\n".encode(),
        ListingPlan("w", header=PLAN.header, encoding="gb18030"),
        "no header in the first|is not gb18030",
    ),
    "GB18030 declared as UTF-8": ("a.csv", GB, ListingPlan("w", header=PLAN.header, encoding="utf-8"), "line 1, byte 0 .* is not utf-8"),
    "an encoding that is none": ("a.csv", UTF8, ListingPlan("w", encoding="utf-9"), "encoding 'utf-9' is not known"),
    "a NUL": ("a.csv", UTF8 + b"a,\0\n", PLAN, "line 3 has a NUL"),
    "a quote that is not closed": ("a.csv", UTF8 + '"启航,教民\n启德,教民\n'.encode(), PLAN, "row 3, line 4.*quote"),
    "text after a quote": ("a.csv", UTF8 + '"启航"甲,教民\n'.encode(), PLAN, "row 3, line 3.*quote"),
    "a column that vanished": (
        "a.csv",
        "机构名称,核准日期\n启明,2026\n".encode(),
        PLAN,
        "a.csv: no header .*: 机构名称, 办学许可证号 expected, row 1 comes nearest with 机构名称, 核准日期",
    ),
    "a column that was renamed": (
        "a.csv",
        "名称,许可证编号,机构名称,区\n".encode(),
        ListingPlan("w", header=("机构名称", "许可证号", "区")),
        "the header in row 1 has no 许可证号; it has 名称, 许可证编号",
    ),
    "a column twice": ("a.csv", "机构名称,办学许可证号,机构名称\n".encode(), PLAN, "row 1 has the column 机构名称 twice"),
    "nothing": ("a.csv", b"", PLAN, "is empty"),
    "nothing under no name": ("a", b"", PLAN, "is empty"),
    "half a gzip": ("a.csv.gz", gzip.compress(UTF8 * 99)[:-30], PLAN, "cut short or damaged"),
    "no gzip": ("a.csv.gz", UTF8, PLAN, "cut short or damaged"),
    "half a JSON": ("a.json", b'[{"a": 1}, {"a"', PLAN, "is not whole JSON"),
    "half an NDJSON": ("a.ndjson", b'{"a": 1}\n{"a"', PLAN, "line 2: is not whole JSON"),
    "JSON of another shape": ("a.json", b'{"error": "sorry"}', PLAN, "an array of records was expected at the top, found error"),
    "JSON without its path": (
        "a.json",
        b'{"rows": []}',
        ListingPlan("w", record_path="data.rows"),
        "has no 'data' of record_path data.rows, only rows",
    ),
    "JSON of texts": ("a.json", b'["a"]', PLAN, "record 1: is no object but a"),
    "JSON without a field": ("a.json", b'[{"name": "a"}]', PLAN, "no record has 办学许可证号, 机构名称; found name"),
    "a page without a table": ("a.html", b"<html><body>Sorry", PLAN, "has no table"),
    "a page with another table": ("a.html", b"<table><tr><td>a</td></tr></table>", PLAN, "no header"),
    "a PDF": ("a.xlsx", b"%PDF-1.7", PLAN, "is a PDF; a table"),
    "no workbook": ("a.xlsx", b"\x01\x00\x02", PLAN, "called a workbook and is none"),
    "a zip of something": ("a.xlsx", b"", PLAN, "without a workbook"),
    "Excel 2003 in XML": (
        "a.xls",
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
        PLAN,
        "save it as .xlsx",
    ),
    "an unknown form": ("a.csv", UTF8, ListingPlan("w", form="pdf"), "form 'pdf' is none of"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_one_line_that_names_it(case: str, tmp_path: Path) -> None:
    name, content, plan, message = BROKEN[case]
    path = written(tmp_path, name, content)
    if case == "a zip of something":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("readme.txt", "x")
    with pytest.raises(Mingbai, match=message) as raised:
        read(path, plan)
    assert path.name in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 500


def test_gb18030_that_happens_to_be_utf8_in_places_is_no_mixture(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "机构名称,办学许可证号\n联通,教民\n联,通\n", "gb18030")
    assert [record["机构名称"] for _, record in read(path)[0]] == ["联通", "联"]


WORKBOOKS: dict[str, Callable[[Path], Path]] = {
    "xlsx": lambda path: make.xlsx(path, [make.HEADER, *make.ROWS * 50]),
    "xls": lambda path: make.xls(path, [make.HEADER, *make.ROWS * 50]),
}


@pytest.mark.parametrize("make_one", WORKBOOKS.values(), ids=WORKBOOKS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.97, 0.999])
def test_a_cut_workbook_is_broken_and_never_a_shorter_list(make_one: Callable[[Path], Path], share: float, tmp_path: Path) -> None:
    whole = make_one(tmp_path / "whole")
    content = whole.read_bytes()
    path = written(tmp_path, "a.xlsx", content[: int(len(content) * share)])
    if make_one is WORKBOOKS["xls"] and share == 0.999:
        assert read(path) == read(whole), "the end of an OLE2 file is padding"
        return
    with pytest.raises(SourceBroken, match=r"a\.xlsx: is "):
        read(path)


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    for name, size, members in (("ratio", 20 << 20, 1), ("many", 1, 6000)):
        path = tmp_path / f"{name}.xlsx"
        with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(members):
                with archive.open(f"xl/{number}.xml", "w") as member:
                    for _ in range(max(1, size >> 20)):
                        member.write(bytes(min(size, 1 << 20)))
        with pytest.raises(SourceBroken, match=r"refused as a zip bomb|that is no workbook"):
            read(path)


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ("<sheetData><row><c>", "XML that cannot be read"),
        ("<sheetData><row><c t='s'><v>7</v></c></row></sheetData>", "row 1 names text 7 of 0"),
        ("<sheetData><row><c r='XFD1'><v>7</v></c></row></sheetData>", "row 1 has a cell in .column XFD., at most"),
        ("<sheetData><row><c r='B1'><v>7</v></c><c r='A1'><v>7</v></c></row></sheetData>", "row 1 has .column A. twice or out of order"),
        ("<sheetData><row><c r='<1'><v>7</v></c></row></sheetData>".replace("<1", "&lt;1"), "at most 1024 columns are read"),
        ("<sheetData><row r='x'/></sheetData>", "has 'x' where its XML needs a number"),
        ("<sheetData><row><c t='inlineStr'><is><t>\x01</t></is></c></row></sheetData>", "XML that cannot be read"),
    ],
)
def test_a_damaged_sheet_is_one_line(sheet: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceBroken, match=message):
        read(make.raw_xlsx(tmp_path / "a.xlsx", sheet))


def mutated(whole: bytes) -> st.SearchStrategy[bytes]:
    """The file with a few bytes changed, cut or doubled."""
    place = st.integers(0, len(whole) - 1)
    return st.lists(st.tuples(place, st.binary(max_size=4)), min_size=1, max_size=6).map(lambda edits: _edited(whole, edits))


def _edited(whole: bytes, edits: list[tuple[int, bytes]]) -> bytes:
    content = bytearray(whole)
    for at, new in edits:
        content[at : at + 4] = new
    return bytes(content)


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("wholes")
    return {form: FORMS[form](folder).read_bytes() for form in FORMS} | {"json": b'[{"\xe6\x9c\xba": 1}]'}


@pytest.mark.parametrize("form", ["csv in UTF-8", "csv in GB18030", "csv in gzip", "html", "xlsx", "xls", "json"])
@given(data=st.data())
def test_no_damage_ends_in_a_traceback(
    form: str, data: st.DataObject, wholes: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = data.draw(mutated(wholes[form]))
    path = written(tmp_path_factory.getbasetemp(), "a.csv.gz" if form == "csv in gzip" else f"a.{form.split()[0]}", content)
    with contextlib.suppress(Mingbai):  # either way out is right; any other class is a traceback
        list(records(path, form_of(path), PLAN))


PARTS = ("xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels")


@pytest.mark.parametrize("part", PARTS)
@given(data=st.data())
def test_no_damage_inside_a_workbook_ends_in_a_traceback(
    part: str, data: st.DataObject, wholes: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "inside.xlsx"
    with zipfile.ZipFile(io.BytesIO(wholes["xlsx"])) as whole, zipfile.ZipFile(path, "w") as archive:
        for name in whole.namelist():
            archive.writestr(name, data.draw(mutated(whole.read(name))) if name == part else whole.read(name))
    with contextlib.suppress(Mingbai):
        list(records(path, "xlsx", PLAN))


@pytest.mark.parametrize(
    ("code", "shows"),
    [
        ("General", "number"), ("0.00", "number"), ("#,##0.00_ ;[Red]-#,##0.00", "number"), ("@", "number"), ("000000", "zeros6"), ("yyyy-mm-dd;@", "day"), ("[$-804]yyyy\\年m\\月d\\日", "day"),
        ('yyyy"年"m"月"', "month"), ("yyyy/m/d h:mm", "instant"), ("[h]:mm:ss", "number"), ("h:mm AM/PM", "time"), ("mmm-yy", "month"), ("yyyy", "year"), ('"day "0', "number"), ("d-mmm", "day"),
    ],
)  # fmt: skip
def test_a_number_format_says_what_is_shown(code: str, shows: str) -> None:
    assert meaning(code) == shows


@pytest.mark.parametrize(
    ("serial", "from_1904", "day"),
    [
        (1, False, "1900-01-01"),
        (59, False, "1900-02-28"),
        (60, False, "1900-02-29"),
        (61, False, "1900-03-01"),
        (46327, False, "2026-11-01"),
        (44865, True, "2026-11-01"),
        (0, False, "1899-12-31"),
    ],
)
def test_a_serial_is_the_day_that_excel_shows(serial: int, from_1904: bool, day: str) -> None:
    assert value(serial, "day", from_1904) == (day, None)


@given(
    number=st.one_of(st.floats(), st.integers()),
    shows=st.sampled_from(["day", "instant", "month", "year", "time", "zeros6", "number"]),
    from_1904=st.booleans(),
)
@example(inf, "zeros6", False)
@example(inf, "day", False)
@example(-inf, "day", True)
@example(nan, "month", False)
def test_any_number_has_a_value(number: float, shows: str, from_1904: bool) -> None:
    value(number, shows, from_1904)
