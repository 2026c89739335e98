"""Legacy XLS (BIFF) with xlrd, which reads nothing newer and nothing else. The formulas are found beside it: xlrd gives their values and does not say so."""

import contextlib
import mmap
import os
import struct
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xlrd
from xlrd.compdoc import CompDoc

from ..errors import Mingbai, SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark, table
from .numbers import meaning, value
from .sheets import choose

SIZE_LIMIT = 256 << 20  # read whole; 65,536 rows are its most
BOUNDSHEET, FORMULA, BOF, EOF = 0x85, 0x06, 0x809, 0x0A


def records(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The records of the sheet that the listing means; hidden sheets are read when named only."""
    if path.stat().st_size > SIZE_LIMIT:
        raise SourceBroken(f"{where}: is over {SIZE_LIMIT >> 20} MiB; ask for it in parts or as CSV")
    try:
        with open(os.devnull, "w") as quiet:
            content = path.read_bytes()
            book = xlrd.open_workbook(file_contents=content, formatting_info=True, logfile=quiet, ragged_rows=True)
        formulas = _formulas(content, book.nsheets)
    except Mingbai:
        raise
    except (
        Exception
    ) as error:  # on damaged files xlrd raises struct.error, IndexError, AssertionError, UnicodeDecodeError and classes of its own
        raise SourceBroken(
            f"{where}: is no whole workbook ({str(error)[:100] or type(error).__name__}); cut short, damaged or locked: ask for it again"
        ) from error
    parts: list[tuple[str, Callable[[], Generator[table.Row, None, None]]]] = []
    for index, sheet in enumerate(book.sheets()):
        if sheet.visibility and sheet.name != listing.sheet:
            hear(Remark(0, "sheet_skipped", f"{sheet.name}: is hidden"))
        else:
            parts.append((sheet.name, partial(_rows, book, sheet, formulas.get(index, frozenset()))))
    yield from choose(parts, where, listing, hear)


def _rows(book: Any, sheet: Any, formulas: frozenset[tuple[int, int]]) -> Generator[table.Row, None, None]:
    merged = table.Merged((top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells)
    for at in range(sheet.nrows):
        cells: list[Any] = []
        marks: list[tuple[int, str, str]] = []
        for column, cell in enumerate(sheet.row(at)):
            content, mark = _cell(book, cell)
            if mark is not None:
                marks.append((column, *mark))
            elif (at, column) in formulas:
                marks.append((column, "formula", "="))
            cells.append(content)
        row = table.Row(at + 1, cells, table.filled(cells), tuple(marks))
        if row.filled:
            yield merged.spread(row)
        else:
            merged.skip(row)


def _cell(book: Any, cell: Any) -> tuple[Any, tuple[str, str] | None]:
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            return cell.value, None
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            code = ""
            with contextlib.suppress(IndexError, KeyError, TypeError):
                code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str
            content, doubt = value(cell.value, meaning(code), bool(book.datemode))
            return content, (doubt, repr(cell.value)) if doubt else None
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value), None
        case xlrd.XL_CELL_ERROR:
            return None, ("error_value", xlrd.error_text_from_code.get(cell.value, str(cell.value)))
    return None, None


def _formulas(content: bytes, sheets: int) -> dict[int, frozenset[tuple[int, int]]]:
    """Where each sheet has formulas, from the records of the workbook's stream."""
    with open(os.devnull, "w") as quiet:
        file = CompDoc(content, quiet)
    for name in ("Workbook", "Book"):
        stream, base, size = file.locate_named_stream(name)
        if stream is not None:
            break
    else:
        return {}
    stream = bytes(stream) if isinstance(stream, mmap.mmap) else stream
    found: dict[int, frozenset[tuple[int, int]]] = {}
    starts = [struct.unpack_from("<I", stream, at)[0] for code, at, _ in _walk(stream, base, base + size) if code == BOUNDSHEET]
    for index, start in enumerate(starts[:sheets]):
        found[index] = frozenset(
            struct.unpack_from("<HH", stream, at) for code, at, _ in _walk(stream, base + start, base + size) if code == FORMULA
        )
    return found


def _walk(stream: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(code, position of the content, length) of the records of one substream, charts inside it left out."""
    depth = 0
    while at + 4 <= end:
        code, length = struct.unpack_from("<HH", stream, at)
        depth += code == BOF
        if code == EOF:
            depth -= 1
            if depth <= 0:
                return
        if depth <= 1:
            yield code, at + 4, length
        at += 4 + length
