"""HTML tables with selectolax: what a bureau put on a page, or saved under the name .xls.

A page has tables for its layout around and between those with data; only rows that belong to a table itself count, and only tables that have the header are read.
Several of them (one a district, one a screenful) are read one after another.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark, table
from .text import whole

SIZE_LIMIT = 64 << 20
SPAN_LIMIT = 256
ROWS_LIMIT = 65534  # the standard's own
BREAK = "\x1e"  # stands for <br> while line ends in the markup, which are spaces, are folded


def records(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The records of every table that has the header; the row counts through all tables of the page that are read."""
    text = whole(path, where, listing.encoding)
    if len(text) > SIZE_LIMIT:
        raise SourceBroken(f"{where}: is over {SIZE_LIMIT >> 20} Mi characters; ask for the list as a file")
    page = LexborHTMLParser(text)
    page.strip_tags(["script", "style", "template"])
    for line_break in page.css("br"):
        line_break.replace_with(BREAK)
    tables = page.css("table")
    misses: list[table.NoHeader] = []
    read = offset = 0
    for number, node in enumerate(tables, 1):
        rows = _rows(node, offset)
        try:
            head = table.find(rows, where, listing)
        except table.NoHeader as miss:
            misses.append(miss)
            continue
        read += 1
        yield from table.body(head, rows, f"{where}, table {number}", listing, hear)
        offset += sum(1 for _ in _lines(node))
    if not tables:
        raise SourceBroken(f"{where}: has no table; the page may be made by a script, or be an error page: ask for the list as a file")
    if not read:
        raise max(misses, key=lambda miss: miss.share)
    if misses:
        hear(Remark(0, "table_skipped", f"{len(misses)} of {len(tables)} tables have not the header"))


def _rows(node: LexborNode, offset: int) -> Iterator[table.Row]:
    """The rows of a table with spans filled in, in the manner of the standard: a cell goes to the first free place."""
    hanging: dict[int, tuple[int, Any]] = {}  # column -> (rows still covered, content)
    for number, line in enumerate(_lines(node), offset + 1):
        cells: list[Any] = []
        own = 0
        below: dict[int, tuple[int, Any]] = {}
        for cell in line.iter():
            if cell.tag not in ("td", "th"):
                continue
            while len(cells) in hanging:
                cells.append(hanging[len(cells)][1])
            content = _text(cell) or None
            own += content is not None
            down = _span(cell, "rowspan", ROWS_LIMIT)
            for _ in range(_span(cell, "colspan", SPAN_LIMIT)):
                if len(cells) in hanging:
                    break
                if down > 1:
                    below[len(cells)] = (down - 1, content)
                cells.append(content)
        while hanging and len(cells) <= max(hanging):
            cells.append(hanging[len(cells)][1] if len(cells) in hanging else None)
        hanging = {column: (left - 1, content) for column, (left, content) in hanging.items() if left > 1} | below
        if own:
            yield table.Row(number, cells, own)


def _lines(node: LexborNode) -> Iterator[LexborNode]:
    for child in node.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (line for line in child.iter() if line.tag == "tr")


def _span(cell: LexborNode, name: str, limit: int) -> int:
    said = (cell.attributes.get(name) or "1").strip()
    return min(max(1, int(said)), limit) if said.isascii() and said.isdigit() and len(said) < 9 else 1


def _text(cell: LexborNode) -> str:
    """The text of a cell as a browser shows it: runs of spaces are one, a <br> is a line end."""
    lines = (" ".join(line.replace("\xa0", " ").split()) for line in cell.text(deep=True).split(BREAK))
    return "\n".join(line for line in lines if line)
