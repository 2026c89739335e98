"""Workbooks as bureaus' programs write them. XLSX by openpyxl or part by part; XLS record by record, since no kept library writes it."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

HEADER = ("序号", "机构名称", "办学许可证号", "核准日期")
ROWS = [[number, f"启明{number}培训中心", f"教民133010670000{number}1", "2026-11-01"] for number in range(1, 4)]


def xlsx(
    path: Path,
    rows: Sequence[Sequence[Any]],
    merged: Sequence[str] = (),
    formats: dict[str, str] | None = None,
    **sheets: Sequence[Sequence[Any]],
) -> Path:
    """A workbook by openpyxl: one sheet of `rows`, then the named ones."""
    book = Workbook()
    first = book.active
    assert first is not None
    first.title = "名单"
    for row in rows:
        first.append(list(row))
    for area in merged:
        first.merge_cells(area)
    for cell, code in (formats or {}).items():
        first[cell].number_format = code
    for name, content in sheets.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(list(row))
    book.save(path)
    return path


def raw_xlsx(path: Path, sheet: str, **parts: str) -> Path:
    """A workbook from the XML of its only sheet's inside; `parts` replace or add members, '/' written as '__'."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    content = {
        "_rels/.rels": f'<Relationships><Relationship Id="r1" Type="{relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Type="{relations}/worksheet" Target="/xl/worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{sheet}</worksheet>',
    } | {name.replace("__", "/"): text for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return path


def inline(*rows: Sequence[str]) -> str:
    """Sheet data with every cell as an inline string and no references."""
    cells = ("".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) for row in rows)
    return f"<sheetData>{''.join(f'<row>{row}</row>' for row in cells)}</sheetData>"


def xls(
    path: Path,
    rows: Sequence[Sequence[Any]],
    merged: Sequence[tuple[int, int, int, int]] = (),
    formulas: dict[tuple[int, int], float] | None = None,
) -> Path:
    """A BIFF8 workbook of one sheet in an OLE2 file: texts, numbers, ("date", serial) and formulas by their cached number."""

    def record(code: int, content: bytes) -> bytes:
        return struct.pack("<HH", code, len(content)) + content

    def text(words: str, length: str = "<H") -> bytes:
        return struct.pack(length, len(words)) + b"\x01" + words.encode("utf-16-le")

    def xf(format_key: int) -> bytes:
        return record(0xE0, struct.pack("<HHHBBIIIH", 0, format_key, 0, 0, 0, 0, 0, 0, 0)[:20])

    def bof(kind: int) -> bytes:
        return record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))

    font = record(0x31, struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0) + text("Arial", "<B"))
    end = record(0x0A, b"")
    before = (
        bof(0x05)
        + record(0x42, struct.pack("<H", 1200))
        + font * 4
        + record(0x41E, struct.pack("<H", 164) + text("yyyy-mm-dd"))
        + xf(0)
        + xf(164)
    )
    name = text("名单", "<B")
    start = len(before) + 4 + 6 + len(name) + len(end)
    stream = before + record(0x85, struct.pack("<IH", start, 0) + name) + end + bof(0x10)
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                stream += record(0x204, struct.pack("<HHH", at, column, 0) + text(cell))
            elif isinstance(cell, tuple):
                stream += record(0x203, struct.pack("<HHHd", at, column, 1, cell[1]))
            elif cell is not None:
                stream += record(0x203, struct.pack("<HHHd", at, column, 0, cell))
    for (at, column), cached in (formulas or {}).items():
        stream += record(0x06, struct.pack("<HHHdHIH", at, column, 0, cached, 0, 0, 3) + b"\x1e\x01\x00")
    if merged:
        stream += record(
            0xE5,
            struct.pack("<H", len(merged))
            + b"".join(struct.pack("<HHHH", top, bottom, left, right) for top, left, bottom, right in merged),
        )
    return _ole2(path, stream + end)


def _ole2(path: Path, stream: bytes) -> Path:
    """One stream called Workbook in an OLE2 file, padded so that it needs no short sectors."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    chain = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    assert len(chain) <= 128, "one sector of FAT is enough for a test"
    fat = struct.pack("<128I", *chain, *[0xFFFFFFFF] * (128 - len(chain)))

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        letters = name.encode("utf-16-le")
        return (
            letters.ljust(64, b"\0")
            + struct.pack("<HBBiii", len(letters) + 2, kind, 1, -1, -1, child)
            + bytes(36)
            + struct.pack("<III", first, size, 0)
        )

    folder = (entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, -1, 2, len(stream))).ljust(512, b"\0")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0) + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    path.write_bytes(head + fat + folder + stream)
    return path
