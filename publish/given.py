"""A table that somebody gives us to be checked, CSV or XLSX: its header and every row under it, as they are.

The readers of deliveries know which columns a source declared and set aside what looks like a note; here nobody declared anything, a row with a name and
nothing else is a row, and none is left out, so that answers stay beside their rows. It is read whole: such a list has some thousand rows.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import BadValue, SourceBroken
from .sources.delimited import DELIMITERS, rows_of
from .sources.reading import form_of
from .sources.spreadsheet import opened_book
from .sources.table import HEAD_ROWS, Row, plain
from .sources.text import encoding_of

# What the columns of such lists are called, where nobody says; the first that is there counts.
KNOWN: Mapping[str, tuple[str, ...]] = {
    "name": ("名称", "机构名称", "培训机构名称", "校外培训机构名称", "学校名称", "单位名称", "企业名称", "全称", "name"),
    "code": ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "credit_code", "code"),
    "permit": ("办学许可证号", "许可证号", "办学许可证编号", "permit_no", "permit"),
    "region": ("所在区县", "区县", "县区", "县（市、区）", "行政区划", "所属区县", "所属地区", "地区", "region_code", "region"),
}
UNREAD = ("error_value", "formula_without_value", "lost_digits")  # marks of cells that do not say what was meant


@dataclass(frozen=True)
class Given:
    """A table; `columns` are the places of what is asked for. A row is (number in the file, cells as texts, the asked cells, None where unreadable)."""

    header: tuple[str, ...]
    columns: Mapping[str, int]
    rows: tuple[tuple[int, tuple[str, ...], Mapping[str, str] | None], ...]
    above: int  # rows over the header, which are left out


def given(path: Path, named: Mapping[str, str | None]) -> Given:
    """The table in a file. `named` are columns (name, code, permit, region) that the asker names; others are found where they are called as usual.

    Raises BadValue naming the file, the row and what was expected.
    """
    if not path.is_file():
        raise BadValue(f"{path}: is no file; give a CSV or XLSX file")
    where = path.name
    try:
        form = form_of(path)
        if form == "csv":
            return _delimited(path, where, named)
        if form == "xlsx":
            return _workbook(path, where, named)
    except SourceBroken as error:
        raise BadValue(str(error)) from error
    raise BadValue(f"{where}: is {form}; expected CSV or XLSX: save it as one of them and try again")


def _delimited(path: Path, where: str, named: Mapping[str, str | None]) -> Given:
    encoding = encoding_of(path, where, None)
    worst: BadValue | None = None
    for delimiter in DELIMITERS:
        with closing(rows_of(path, where, encoding, delimiter)) as rows:
            try:
                read = list(rows)
                while read and not read[-1].filled:
                    read.pop()
                return _table(read, where, named, even=True)  # an empty row between others has an answer too: lines stay beside theirs
            except BadValue as error:
                worst = worst or error
    assert worst is not None
    raise worst


def _workbook(path: Path, where: str, named: Mapping[str, str | None]) -> Given:
    worst: BadValue | None = None
    with opened_book(path, where) as sheets:
        for name, rows, hidden in sheets:
            if not hidden:
                try:
                    return _table(list(rows(marked=True)), f"{where}, sheet {name}", named)
                except BadValue as error:
                    worst = worst or error
    raise worst or BadValue(f"{where}: has no sheet that is not hidden; show the one that is meant")


def _table(rows: Sequence[Row], where: str, named: Mapping[str, str | None], *, even: bool = False) -> Given:
    """`even`: a row with more cells than the header is broken, since a stray comma has moved all that follow it, and no row is missing; of a
    workbook the rows that have nothing in them are, by their numbers."""
    tried = ((at, _columns([plain(cell).casefold() for cell in row.cells], named)) for at, row in enumerate(rows[:HEAD_ROWS]))
    at, columns = next(((at, columns) for at, columns in tried if columns), (-1, {}))
    if not rows:
        raise BadValue(f"{where}: is empty; a header and rows under it were expected")
    if not columns:
        has = ", ".join(name for name in map(plain, rows[0].cells) if name)[:200]
        wanted = (
            " and ".join(name for name in named.values() if name) or f"one such as {', '.join(KNOWN['name'][:4])} or {KNOWN['code'][0]}"
        )
        raise BadValue(
            f"{where}: has no column {wanted} in its first {HEAD_ROWS} rows; the first has {has}: name one with --column, --code-column or --permit-column"
        )
    width = max(len(row.cells) for row in rows[at:])
    header = tuple(_text(cell) for cell in rows[at].cells)
    found: list[tuple[int, tuple[str, ...], Mapping[str, str] | None]] = []
    number = rows[at].number
    for one in rows[at + 1 :]:
        if not even:
            found += [(empty, ("",) * width, dict.fromkeys(columns, "")) for empty in range(number + 1, one.number)]
        number = one.number
        cells = tuple(_text(cell) for cell in one.cells) + ("",) * (width - len(one.cells))
        broken = (even and len(one.cells) > len(header)) or any(
            mark in UNREAD and place in columns.values() for place, mark, _ in one.marks
        )
        found.append((one.number, cells, None if broken else {key: cells[place] for key, place in columns.items()}))
    return Given(header + ("",) * (width - len(header)), columns, tuple(found), at)


def _columns(titles: list[str], named: Mapping[str, str | None]) -> dict[str, int] | None:
    """Where the columns are in a row, if it is the header: it has every one that is named, and something to look up."""
    columns: dict[str, int] = {}
    for key, names in KNOWN.items():
        asked = named.get(key)
        place = next((titles.index(title) for name in ([asked] if asked else names) if (title := plain(name).casefold()) in titles), None)
        if place is not None:
            columns[key] = place
        elif asked:
            return None
    return columns if columns.keys() - {"region"} else None


def _text(cell: Any) -> str:
    """A cell as a text. A number without a fraction is written without one."""
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else str(cell)
