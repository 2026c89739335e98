"""XLSX, read from its XML in a stream with the standard library.

Neither library that we have tells all of what a public list needs: openpyxl gives formula or value, never both, and no merged cells while streaming;
calamine gives no formulas, no number formats (`000000`, `yyyy年m月`) and the whole sheet at once; both give an 18-digit number as a float without a word.
CPU seconds for 20,000 rows of 12 columns: this 2.2, openpyxl read-only 3.1, calamine 0.3. Bureaus' lists have at most some ten thousand rows.
"""

import re
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO, Any
from xml.etree import ElementTree

from ..errors import SourceBroken
from ..snapshot import Record
from . import Hear, ListingPlan, Remark, table
from .numbers import BUILT_IN, meaning, value
from .sheets import choose

MEMBERS_LIMIT = 5000
UNPACKED_LIMIT = 1 << 30  # 200,000 rows of 27 columns are 0.2 GiB
STRINGS_LIMIT = 128 << 20  # these are kept in memory
RATIO_LIMIT = 300  # one word in 400,000 cells by openpyxl packs 26 to 1, and a long text repeated in line packs better; a bomb has 1,000
RATIO_FROM = 16 << 20
COLUMNS_LIMIT = 1024
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def records(path: Path, where: str, listing: ListingPlan, hear: Hear) -> Iterator[Record]:
    """The records of the sheet that the listing means; hidden sheets are read when named only."""
    with opened_book(path, where) as sheets:
        for name, _, hidden in sheets:
            if hidden and name != listing.sheet:
                hear(Remark(0, "sheet_skipped", f"{name}: is hidden"))
        meant = [(name, rows) for name, rows, hidden in sheets if not hidden or name == listing.sheet]
        yield from choose(meant, where, listing, hear)


@contextmanager
def opened_book(path: Path, where: str) -> Iterator[list[tuple[str, Callable[..., Generator[table.Row, None, None]], bool]]]:
    """Of each sheet its name, its rows that have something in them, and whether it is hidden. Raises SourceBroken, also in the block."""
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bombs(archive, where)
            book = _Book(archive, where)
            yield [(name, partial(book.rows, part), hidden) for name, part, hidden in book.sheets]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceBroken(f"{where}: is no whole workbook ({error}); cut short, damaged or locked: ask for it again") from error
    except ElementTree.ParseError as error:
        raise SourceBroken(
            f"{where}: has XML that cannot be read ({error}); damaged: open it in a spreadsheet program, save it again, try that"
        ) from error


def _refuse_bombs(archive: zipfile.ZipFile, where: str) -> None:
    """Look at what the archive says of itself before anything is unpacked; zipfile then never unpacks more than it said."""
    members = archive.infolist()
    unpacked, packed = sum(member.file_size for member in members), sum(member.compress_size for member in members)
    if len(members) > MEMBERS_LIMIT or len({member.filename for member in members}) != len(members):
        raise SourceBroken(f"{where}: has {len(members)} members, some perhaps twice; that is no workbook: do not open it, ask the source")
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FROM and unpacked > RATIO_LIMIT * max(1, packed)):
        raise SourceBroken(
            f"{where}: {packed} bytes would unpack to {unpacked} (at most {UNPACKED_LIMIT} and {RATIO_LIMIT} to 1); refused as a zip bomb: ask the source"
        )


class _Book:
    """An open workbook: its sheets in order, its texts, and what each cell style shows."""

    def __init__(self, archive: zipfile.ZipFile, where: str) -> None:
        self._archive, self._where = archive, where
        self._names = {name.replace("\\", "/").lstrip("/").lower(): name for name in archive.namelist()}
        main = next((target for kind, target in self._relations("_rels/.rels", "").values() if kind == "officeDocument"), "xl/workbook.xml")
        book = self._tree(main)
        if book is None:
            raise SourceBroken(f"{where}: is a zip archive without a workbook in it; save it as .xlsx and try again")
        folder, name = main.rpartition("/")[::2]
        related = self._relations(f"{folder}/_rels/{name}.rels", folder)
        self._from_1904 = any(_local(node) == "workbookPr" and node.get("date1904") in ("1", "true") for node in book.iter())
        self.sheets: list[tuple[str, str, bool]] = []
        for node in book.iter():
            if _local(node) == "sheet":
                key = next((text for attribute, text in node.items() if attribute.endswith("}id")), "")
                kind, target = related.get(key, ("worksheet", ""))
                if kind == "worksheet":
                    self.sheets.append((node.get("name", ""), target, node.get("state", "visible") != "visible"))
        parts = dict(related.values())
        self._texts = self._shared(parts.get("sharedStrings", f"{folder}/sharedStrings.xml"))
        self._shows = self._styles(parts.get("styles", f"{folder}/styles.xml"))

    def rows(self, part: str, marked: bool = False) -> Generator[table.Row, None, None]:
        """The rows of one sheet that have something in them, merged cells filled in; `marked`: those too that have only what gives no value."""
        merged = table.Merged(self._merged(part))
        with self._open(part) as file:
            events = ElementTree.iterparse(file, ("start", "end"))
            holder = next((node for event, node in events if event == "start" and _local(node) == "sheetData"), None)
            if holder is None:
                return
            space = len(holder.tag) - len("sheetData")  # a slice of the tag instead of taking it apart: this runs for every element
            number = 0
            for event, node in events:
                if event == "start":
                    continue
                tag = node.tag[space:]
                if tag == "row":
                    number = self._int(node.get("r"), number + 1)
                    row = self._row(number, node, space)
                    holder.clear()
                    if row.filled or (marked and row.marks):
                        yield merged.spread(row)
                    else:
                        merged.skip(row)
                elif tag == "sheetData":
                    return

    def _row(self, number: int, node: ElementTree.Element, space: int) -> table.Row:
        cells: list[Any] = []
        marks: list[tuple[int, str, str]] = []
        for cell in node:
            at = _column(cell.get("r") or "", len(cells))
            if at >= COLUMNS_LIMIT:
                raise SourceBroken(
                    f"{self._where}: row {number} has a cell in {table.letter(at)}, at most {COLUMNS_LIMIT} columns are read; delete what stands beside the table"
                )
            if at < len(cells):
                raise SourceBroken(
                    f"{self._where}: row {number} has {table.letter(at)} twice or out of order; damaged: save it again in a spreadsheet program"
                )
            if at > len(cells):
                cells += [None] * (at - len(cells))
            content, mark = self._cell(cell, number, space)
            cells.append(content)
            if mark is not None:
                marks.append((at, *mark))
        return table.Row(number, cells, table.filled(cells), tuple(marks))

    def _cell(self, cell: ElementTree.Element, number: int, space: int) -> tuple[Any, tuple[str, str] | None]:
        raw = formula = None
        for part in cell:
            tag = part.tag[space:]
            if tag == "v":
                raw = part.text
            elif tag == "f":
                formula = part.text or "shared"
            elif tag == "is":
                raw = _text(part)
        kind = cell.get("t", "n")
        if raw is None:
            return None, None if formula is None else ("formula_without_value", f"={formula}")
        mark = None if formula is None else ("formula", f"={formula}")
        if kind == "e":
            return None, ("error_value", raw)
        if kind == "s":
            if (index := self._int(raw, 0)) >= len(self._texts):
                raise SourceBroken(
                    f"{self._where}: row {number} names text {index} of {len(self._texts)}; damaged or cut short: ask for it again"
                )
            return self._texts[index], mark
        if kind in ("str", "inlineStr"):
            return _unescaped(raw), mark
        if kind == "b":
            return raw.strip() in ("1", "true"), mark
        if kind == "d":
            return raw.removesuffix("T00:00:00").removesuffix("T00:00:00.000"), mark
        try:
            plain_number: int | float = int(raw) if raw.lstrip("-").isdigit() else float(raw)
            style = self._int(cell.get("s"), 0)
            shows = self._shows[style] if style < len(self._shows) else "number"
            content, doubt = value(plain_number, shows, self._from_1904)
        except (ValueError, OverflowError):
            return raw, ("error_value", raw)
        return content, (doubt, raw) if doubt else mark

    def _merged(self, part: str) -> list[tuple[int, int, int, int]]:
        """The merged ranges as (first row, first column, last row, last column); they stand after the rows and are needed before."""
        found: list[tuple[int, int, int, int]] = []
        tail = b""
        with self._open(part) as file:
            while chunk := file.read(1 << 20):
                text = tail + chunk
                last = 0
                for match in MERGED.finditer(text):
                    left, top, right, bottom = match.groups()
                    found.append((int(top), _column(left.decode(), 0), int(bottom), min(_column(right.decode(), 0), COLUMNS_LIMIT)))
                    last = match.end()
                tail = text[max(last, len(text) - 200) :]
        return found

    def _shared(self, part: str) -> list[str]:
        name = self._names.get(part.lower())
        if name is None:
            return []
        if (size := self._archive.getinfo(name).file_size) > STRINGS_LIMIT:
            raise SourceBroken(
                f"{self._where}: has {size >> 20} MiB of texts, at most {STRINGS_LIMIT >> 20} are read; ask for it in parts or as CSV"
            )
        texts: list[str] = []
        with self._open(part) as file:
            root: ElementTree.Element | None = None
            for event, node in ElementTree.iterparse(file, ("start", "end")):
                if root is None:
                    root = node
                if event == "end" and _local(node) == "si":
                    texts.append(_unescaped(_text(node)))
                    root.clear()
        return texts

    def _styles(self, part: str) -> list[str]:
        """What each cell style shows, by its number."""
        tree = self._tree(part)
        if tree is None:
            return []
        codes = dict(BUILT_IN)
        shows: list[str] = []
        for node in tree.iter():
            if _local(node) == "numFmt":
                codes[self._int(node.get("numFmtId"), 0)] = node.get("formatCode", "")
            elif _local(node) == "cellXfs":
                shows = [meaning(codes.get(self._int(style.get("numFmtId"), 0), "general")) for style in node]
        return shows

    def _int(self, said: str | None, otherwise: int) -> int:
        """A count, an index or an id that the XML gives."""
        if said is None:
            return otherwise
        if not re.fullmatch(r"\s*[0-9]{1,10}\s*", said):
            raise SourceBroken(
                f"{self._where}: has {said[:20]!r} where its XML needs a number; damaged: save it again in a spreadsheet program"
            )
        return int(said)

    def _relations(self, part: str, folder: str) -> dict[str, tuple[str, str]]:
        """Id -> (kind, path in the archive)."""
        tree = self._tree(part)
        found: dict[str, tuple[str, str]] = {}
        for node in tree if tree is not None else ():
            target = node.get("Target", "").replace("\\", "/")
            path = target.lstrip("/") if target.startswith("/") else (PurePosixPath(folder) / target).as_posix()
            found[node.get("Id", "")] = (node.get("Type", "").rpartition("/")[2], path)
        return found

    def _tree(self, part: str) -> ElementTree.Element | None:
        if part.lower() not in self._names:
            return None
        with self._open(part) as file:
            return ElementTree.parse(file).getroot()

    def _open(self, part: str) -> IO[bytes]:
        name = self._names.get(part.lower())
        if name is None:
            raise SourceBroken(f"{self._where}: has no {part or 'sheet'}, which its workbook names; damaged or cut short: ask for it again")
        return self._archive.open(name)


def _local(node: ElementTree.Element) -> str:
    """A tag without its namespace: there are two, and both are in use."""
    return str(node.tag).rpartition("}")[2]


def _text(node: ElementTree.Element) -> str:
    """The text of a string item: its runs, without the readings (rPh) that Asian editions add."""
    return "".join((part.text or "") if _local(part) == "t" else _text(part) if _local(part) == "r" else "" for part in node)


def _unescaped(text: str) -> str:
    """Cell text with OOXML's `_x000D_` undone; characters beyond the first plane come as two, and a half alone is no character."""
    if "_x" not in text:
        return text
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _column(reference: str, otherwise: int) -> int:
    """The column of a reference such as AB12, from 0."""
    letters = reference.rstrip("0123456789")
    return _letters(letters) if letters else otherwise


@lru_cache(maxsize=COLUMNS_LIMIT)
def _letters(letters: str) -> int:
    if not re.fullmatch(r"[A-Za-z]{1,3}", letters):
        return 1 << 14  # beyond every sheet, so refused
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter.upper()) - 64
    return index - 1
