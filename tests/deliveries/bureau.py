"""An invented bureau: its white list and its penalties, and how its programs write them down, with the dirt that each form brings."""

import datetime as dt
import html
import io
from collections.abc import Callable, Sequence
from csv import writer
from pathlib import Path
from typing import Any

import orjson

from making import credit_code

from . import make

WHITE = ("序号", "机构名称", "统一社会信用代码", "办学许可证号", "培训类别", "培训地址", "核准日期", "有效期至", "资金监管", "联系电话")
PENALTIES = ("序号", "决定书文号", "当事人", "办学许可证号", "违法事实", "处罚种类", "罚款（万元）", "没收违法所得（元）", "决定日期")
ABOVE = {"白名单": "西湖区校外培训机构白名单（截至2026年11月1日）", "处罚": "校外培训行政处罚一览（单位：万元、元）"}
BELOW = "注：以上名单由西湖区教育局提供，仅供参考"
FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
EXCEL_BEGAN = dt.date(1899, 12, 30)

Day = dt.date
Row = list[Any]


def permit(number: int) -> str:
    return f"教民1330106700{number:04d}1"


def name(number: int) -> str:
    return f"杭州市西湖区启明{number}培训中心有限公司"


def white(count: int = 40) -> list[Row]:
    """The rows of the white list; days are days, and each form writes them in its way."""
    return [
        [
            number, name(number), "是" if number % 5 == 0 else credit_code(number), permit(number), "艺术、科技" if number % 2 else "体育",
            f"文三路{number}号".translate(FULL_WIDTH), Day(2020, 5, 1) + dt.timedelta(number), Day(2027, 12, number % 28 + 1),
            "风险保证金" if number % 3 else "银行托管", 13800000000 + number,
        ]
        for number in range(1, count + 1)
    ]  # fmt: skip


def penalties() -> list[Row]:
    """The penalties: amounts bare, in full width, with thousands, with a unit of their own, and none."""
    amounts = [(1.5, 12345.67), ("２．５", "1,234.50"), ("8000元", "2万元"), (3, None), (None, 600)]
    return [
        [number, f"西教罚〔2026〕{number}号", name(number), permit(number), "未经批准增加教学点。", "警告、罚款", fine, taken, Day(2026, 10, number)]
        for number, (fine, taken) in enumerate(amounts, 1)
    ]  # fmt: skip


MONEY = {1: (1_500_000, 1_234_567), 2: (2_500_000, 123_450), 3: (800_000, 2_000_000), 4: (3_000_000, None), 5: (None, 60_000)}


def said(cell: Any, number: int) -> Any:
    """A cell as text has it: days in one of four spellings."""
    if not isinstance(cell, Day):
        return "" if cell is None else str(cell)
    spellings = (
        cell.isoformat(),
        f"{cell.year}年{cell.month}月{cell.day}日",
        f"{cell.year}/{cell.month}/{cell.day}",
        cell.isoformat().translate(FULL_WIDTH),
    )
    return spellings[number % 4]


def dirty(kind: str, header: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """The table with what stands around it: a title, a line of its own for the unit, a blank one, the sum, a note."""
    nothing: Row = [None] * (len(header) - 1)
    return [
        [ABOVE[kind], *nothing], ["单位：西湖区教育局", *nothing], [None, *nothing], list(header), *map(list, rows),
        ["合计", f"{len(rows)}家", *nothing[1:]], [BELOW, *nothing],
    ]  # fmt: skip


def as_csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    lines = writer(text)
    for number, row in enumerate(rows):
        lines.writerow([said(cell, number) for cell in row])
    return text.getvalue()


def as_html(rows: Sequence[Row]) -> str:
    def line(row: Row, number: int) -> str:
        cells = [html.escape(str(said(cell, number))) for cell in row]
        if sum(map(bool, cells)) == 1:
            return f'<tr><td colspan="{len(row)}">{cells[0]}</td></tr>'
        return f"<tr>{''.join(f'<td><p>{cell}</p></td>' for cell in cells)}</tr>"

    table = "".join(line(row, number) for number, row in enumerate(rows))
    return f"<!DOCTYPE html><title>公示</title><table><tr><td>首页</td><td>政务公开</td></tr></table><table border=1>{table}</table>"


def as_objects(header: Sequence[str], rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {field: said(cell, number) if isinstance(cell, Day) else cell for field, cell in zip(header, row, strict=True)}
        for number, row in enumerate(rows)
    ]


def _text(suffix: str, write: Callable[[list[Row]], str], encoding: str) -> Callable[[Path, str, Sequence[str], Sequence[Row]], Path]:
    def to(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Row]) -> Path:
        path = folder / f"{kind}-2026-11-01.{suffix}"
        path.write_bytes(write(dirty(kind, header, rows)).encode(encoding))
        return path

    return to


def _serial(cell: Any) -> Any:
    return (cell - EXCEL_BEGAN).days if isinstance(cell, Day) else cell


def _xlsx(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Row]) -> Path:
    """Dates of approval are dates, the others bare serials: a column was pasted as values."""
    last = chr(64 + len(header))
    bare = [[_serial(cell) if at == 7 else cell for at, cell in enumerate(row)] for row in rows]
    return make.xlsx(
        folder / f"{kind}-2026-11-01.xlsx", dirty(kind, header, bare), merged=[f"A1:{last}1", f"A{len(rows) + 6}:{last}{len(rows) + 6}"]
    )


def _xls(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Row]) -> Path:
    dated = [
        [(("date", _serial(cell)) if at != 7 else _serial(cell)) if isinstance(cell, Day) else cell for at, cell in enumerate(row)]
        for row in rows
    ]
    return make.xls(folder / f"{kind}-2026-11-01.xls", dirty(kind, header, dated), merged=[(0, 0, 1, len(header))])


def _ndjson(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Row]) -> Path:
    path = folder / f"{kind}-2026-11-01.ndjson"
    path.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in as_objects(header, rows)))
    return path


def _json(folder: Path, kind: str, header: Sequence[str], rows: Sequence[Row]) -> Path:
    path = folder / f"{kind}-2026-11-01.json"
    path.write_bytes(orjson.dumps(as_objects(header, rows), option=orjson.OPT_INDENT_2))
    return path


FORMS: dict[str, Callable[[Path, str, Sequence[str], Sequence[Row]], Path]] = {
    "csv in UTF-8": _text("csv", as_csv, "utf-8"),
    "csv with a BOM": _text("csv", as_csv, "utf-8-sig"),
    "csv in GB18030": _text("csv", as_csv, "gb18030"),
    "xlsx": _xlsx,
    "xls": _xls,
    "ndjson": _ndjson,
    "json": _json,
    "html": _text("html", as_html, "utf-8"),
    "html in GB18030 called xls": _text("xls", as_html, "gb18030"),
}


def deliver(folder: Path, form: str = "csv in UTF-8", count: int = 40) -> Path:
    """The folder with both files in one form."""
    folder.mkdir(parents=True, exist_ok=True)
    FORMS[form](folder, "白名单", WHITE, white(count))
    FORMS[form](folder, "处罚", PENALTIES, penalties())
    return folder
