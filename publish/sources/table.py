"""From the rows of a sheet to records: finding the header, and telling records from what stands around them.

The same for every form that has rows. A table by a Chinese bureau has a merged title, a line with the unit and the date, one or two header rows, records,
sums, and notes about who filled it in. Only records are given; the rest is said in remarks. A column is known by its name, so it may move.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark

HEAD_ROWS = 60  # the header is among the first rows that have anything in them
MERGED_COLUMNS = 255  # a title merged over all 16,384 columns need not be written into each
CELL_LIMIT = 1 << 20  # characters; Excel's own limit is 32,767
TOTAL = re.compile(r"(合\s*计|总\s*计|小\s*计|共\s*计)[:：]?\s*[\d,，]*\s*[家所个条户]?")
NOTE = re.compile(
    r"[（(]?\s*(填表|制表|填报)?(说\s*明|备\s*注|注|附注|单位|人|日期|时间|数据来源|审核人|负责人|联系人|联系电话|联系方式)\s*\d*\s*[:：]"
)


class Row(NamedTuple):
    """One row of a sheet with merged cells filled in. `filled` counts the cells that have something in this very row; marks are (index, kind, text)."""

    number: int
    cells: list[Any]
    filled: int
    marks: tuple[tuple[int, str, str], ...] = ()


class Merged:
    """Fills the cells that a merged range covers with what its first cell says, row after row as they are read."""

    def __init__(self, ranges: Iterable[tuple[int, int, int, int]]) -> None:
        """Ranges are (first row, first column, last row, last column); columns count from 0."""
        self._waiting: dict[int, list[tuple[int, int, int]]] = {}
        for top, left, bottom, right in ranges:
            self._waiting.setdefault(top, []).append((left, bottom, right))
        self._active: list[tuple[int, int, int, Any]] = []

    def skip(self, row: Row) -> None:
        """Take note of a row that has nothing in it: a range that begins there fills nothing."""
        self._waiting.pop(row.number, None)

    def spread(self, row: Row) -> Row:
        """The row with its covered cells filled in; a cell that says something itself is left alone."""
        if not self._active and row.number not in self._waiting:
            return row
        cells = row.cells
        starting = [
            (left, bottom, right, cells[left] if left < len(cells) else None) for left, bottom, right in self._waiting.pop(row.number, ())
        ]
        self._active = [one for one in [*self._active, *starting] if one[1] >= row.number and not _is_blank(one[3])]
        for left, _, right, content in self._active:
            cells = cells + [None] * (min(right, MERGED_COLUMNS) + 1 - len(cells))
            for at in range(left, min(right, MERGED_COLUMNS) + 1):
                if _is_blank(cells[at]):
                    cells[at] = content
        return row._replace(cells=cells)


@dataclass(frozen=True)
class Head:
    """The header: what each column is called, plain, and its field; "" and None where it has no name."""

    number: int
    titles: tuple[str, ...]
    keys: tuple[str | None, ...]
    above: tuple[Remark, ...] = ()


class NoHeader(SourceBroken):
    """There is no row with the declared columns; raised apart so that another sheet or table can be tried."""

    def __init__(self, message: str, share: float) -> None:
        super().__init__(message)
        self.share = share


def plain(cell: object) -> str:
    """A column's name without width, spaces, line breaks and the marks of required fields."""
    return "".join(unicodedata.normalize("NFKC", cell).split()).strip("*:") if isinstance(cell, str) else "" if cell is None else str(cell)


def find(rows: Iterator[Row], where: str, listing: ListingPlan) -> Head:
    """The first row that has every declared column (where none is declared, the first with two texts), consumed from `rows` with what stands above it.

    Raises NoHeader naming the file, the declared and the found columns.
    """
    spelt = {plain(name): name for name in (*listing.fields, *listing.header)}
    need = {plain(name): name for name in listing.header}
    above: list[Remark] = []
    best: tuple[int, Row | None] = (-1, None)
    for row in rows:
        if not row.filled:
            continue
        names = [plain(cell) for cell in row.cells]
        found = sum(name in names for name in need)
        if found == len(need) and (need or sum(isinstance(cell, str) for cell in row.cells) > 1):
            return _head(row.number, names, row.cells, spelt, where, tuple(above))
        best = max(best, (found, row), key=lambda one: one[0])
        above.append(Remark(row.number, "title", _text(row.cells)))
        if len(above) >= HEAD_ROWS:
            break
    count, nearest = best
    share = count / len(need) if need else 0.0
    if nearest is None:
        raise NoHeader(f"{where}: is empty; a header with {', '.join(listing.header) or 'names'} was expected: ask the source", share)
    has = [plain(cell)[:30] for cell in nearest.cells if plain(cell)][:40]
    missing = [name for normal, name in need.items() if normal not in has]
    if share >= 2 / 3:
        raise NoHeader(
            f"{where}: the header in row {nearest.number} has no {', '.join(missing)}; it has {', '.join(has)}: if a column was renamed, declare its new name",
            share,
        )
    raise NoHeader(
        f"{where}: no header in the first {len(above)} rows: {', '.join(listing.header)} expected, row {nearest.number} comes nearest with {', '.join(has)}; is it the right file, sheet and encoding?",
        share,
    )


def body(head: Head, rows: Iterable[Row], where: str, listing: ListingPlan, hear: Hear, *, even: bool = False) -> Iterator[Record]:
    """The records under a header. `even`: a row with more cells than the header is broken (a stray comma has moved all that follow it) and set aside."""
    for remark in head.above:
        hear(remark)
    spelt = {plain(name): name for name in (*listing.fields, *listing.header)}
    first = head.number + 1
    named = [(at, key) for at, key in enumerate(head.keys) if key is not None]
    for row in rows:
        number, cells, filled, marks = row
        if not filled:
            continue
        if number == first and (lower := _lower(head, row, spelt, where)) is not None:
            hear(Remark(number, "title", _text(cells)))
            head = lower
            named = [(at, key) for at, key in enumerate(head.keys) if key is not None]
            continue
        width = len(head.keys)
        if (lost := _aside(head, cells, filled, even)) is not None:
            hear(Remark(number, *lost))
            continue
        if len(cells) < width:
            if even:
                hear(Remark(number, "short_row", f"{len(cells)} cells under {width} columns: {_text(cells)}"))
            cells = cells + [None] * (width - len(cells))
        for at, mark, text in marks:
            hear(Remark(number, mark, text, (head.keys[at] if at < width else None) or letter(at)))
        record = {key: cell if (cell := cells[at]) != "" else None for at, key in named}
        if len(named) < len(cells):
            record |= {letter(at): cell for at, cell in enumerate(cells) if (at >= width or head.keys[at] is None) and not _is_blank(cell)}
        yield number, record


def records(rows: Iterator[Row], where: str, listing: ListingPlan, hear: Hear, *, even: bool = False) -> Iterator[Record]:
    """`find`, then `body`."""
    return body(find(rows, where, listing), rows, where, listing, hear, even=even)


def letter(index: int) -> str:
    """A column without a name, as a spreadsheet shows it: (column C)."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return f"(column {name})"


def _head(number: int, names: list[str], cells: list[Any], spelt: dict[str, str], where: str, above: tuple[Remark, ...] = ()) -> Head:
    """The fields of the columns. A second column of the same name is NAME#2; refused where the mapping knows NAME and not NAME#2, since nobody could say which it means."""
    while names and not names[-1]:
        names = names[:-1]
    seen: dict[str, int] = {}
    keys: list[str | None] = []
    for name, cell in zip(names, cells, strict=False):
        if not name:
            keys.append(None)
            continue
        seen[name] = seen.get(name, 0) + 1
        key = spelt.get(name) or " ".join(str(cell).split())
        if seen[name] > 1:
            if name in spelt and f"{name}#{seen[name]}" not in spelt:
                raise SourceBroken(
                    f"{where}: row {number} has the column {key} twice; declare {key}#{seen[name]} too, or ask the source which one holds"
                )
            key = spelt.get(f"{name}#{seen[name]}", f"{key}#{seen[name]}")
        keys.append(key)
    return Head(number, tuple(names), tuple(keys), above)


def _lower(head: Head, row: Row, spelt: dict[str, str], where: str) -> Head | None:
    """The header's second row, if this is one: what it does not fill itself was merged into it from the first."""
    same = sum(title != "" and plain(cell) == title for cell, title in zip(row.cells, head.titles, strict=False))
    nonblank = filled(row.cells)
    if not same or nonblank == row.filled or same < nonblank - row.filled:
        return None
    width = max(len(head.titles), len(row.cells))
    cells = row.cells + [None] * (width - len(row.cells))
    titles = [*head.titles, *[""] * (width - len(head.titles))]
    keys = [*head.keys, *[None] * (width - len(head.keys))]
    names = [plain(cell) or title for cell, title in zip(cells, titles, strict=True)]
    return _head(row.number, names, [cell if plain(cell) else key for cell, key in zip(cells, keys, strict=True)], spelt, where)


def _aside(head: Head, cells: list[Any], own: int, even: bool) -> tuple[str, str, str | None] | None:
    """Why a row is no record, as (kind, text, column); None when it is one."""
    width = len(head.keys)
    first = next((cell for cell in cells if not _is_blank(cell)), "")
    if isinstance(first, str):
        text = first.strip()
        if TOTAL.fullmatch(text) or (NOTE.match(text) and own * 2 <= max(width, 2)):
            return "total" if TOTAL.fullmatch(text) else "note", _text(cells), None
        if plain(text) in head.titles and all(
            _is_blank(cell) or plain(cell) == title for cell, title in zip(cells, [*head.titles, *[""] * len(cells)], strict=False)
        ):
            return "header_again", _text(cells), None
    if own == 1 and width > 2:
        return "note" if isinstance(first, str) and len(first.strip()) > 1 else "single_cell", _text(cells), None
    for at, cell in enumerate(cells):
        if type(cell) is str and len(cell) > CELL_LIMIT:
            column = head.keys[at] if at < width else None
            return "oversize", f"{len(cell)} characters, at most {CELL_LIMIT} are read: {cell[:80]}…", column or letter(at)
    if even and len(cells) > width and any(not _is_blank(cell) for cell in cells[width:]):
        return "long_row", f"{len(cells)} cells under {width} columns: {_text(cells)}", None
    return None


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _text(cells: list[Any]) -> str:
    said: list[str] = []
    for cell in cells:
        if not _is_blank(cell) and (not said or str(cell) != said[-1]):
            said.append(str(cell)[:200])
    return " | ".join(said)[:400]


def filled(cells: Iterable[Any]) -> int:
    """How many cells have something in them."""
    return sum(not _is_blank(cell) for cell in cells)
