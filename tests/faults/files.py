"""Faults of a bureau's delivery: what happens to files before they arrive. The bureau is that of `deliveries`, with a county's worth of rows."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from deliveries.bureau import PENALTIES, WHITE, Day, Row, as_csv, dirty, name, permit, white
from making import credit_code

from .fault import Strength

COUNT = 240
WHOLE = Strength("the file", True)


@dataclass(frozen=True)
class FileFault:
    """A fault that is done to the folder of a delivery."""

    name: str
    about: str
    damage: Callable[[Path, Strength, Random], None]
    strengths: tuple[Strength, ...]

    def done_to(self, folder: Path, strength: Strength) -> None:
        """Damage the files in the folder; the same each time."""
        self.damage(folder, strength, Random(f"{self.name} {strength.label}"))


FILE_FAULTS: dict[str, FileFault] = {}


def file_fault(*strengths: Strength) -> Callable[[Callable[[Path, Strength, Random], None]], Callable[[Path, Strength, Random], None]]:
    """Enter a function as a fault of files."""

    def enter(damage: Callable[[Path, Strength, Random], None]) -> Callable[[Path, Strength, Random], None]:
        words = damage.__name__.replace("_", " ")
        FILE_FAULTS[words] = FileFault(words, (damage.__doc__ or "").strip(), damage, strengths or (WHOLE,))
        return damage

    return enter


def listed(month: int) -> list[Row]:
    """The white list of a month: each month two institutions are new, one is gone and two have moved."""
    rows = [row for row in white(COUNT + 2 * month) if row[0] > month]
    for moved in range(2 * month):
        rows[moved * 7][5] = f"文三路{900 + moved}号"
    return rows


def decided(month: int) -> list[Row]:
    """The penalties of a month: two more each month."""
    return [
        [number, f"西教罚〔2026〕{number}号", name(number * 3), permit(number * 3), f"未经批准增加教学点{number}处。", "罚款", 1.5, None, Day(2026, 8, number % 28 + 1)]
        for number in range(1, 41 + 2 * month)
    ]  # fmt: skip


def write(folder: Path, month: int, day: str) -> Path:
    """The delivery of a month, with the day in its names and titles."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for kind, header, rows in (("白名单", WHITE, listed(month)), ("处罚", PENALTIES, decided(month))):
        text = as_csv(dirty(kind, header, rows)).replace("（截至2026年11月1日）", f"（截至{day}）")
        (folder / f"{kind}-{day}.csv").write_text(text, "utf-8", newline="")
    return folder


def _white(folder: Path) -> Path:
    return next(folder.glob("白名单*"))


def _lines(path: Path) -> tuple[list[str], list[str], list[str]]:
    """What stands above the rows, the rows, and what stands below."""
    lines = path.read_text("utf-8").splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("序号")) + 1
    return lines[:first], lines[first:-2], lines[-2:]


def _write(path: Path, *parts: list[str]) -> None:
    path.write_text("\r\n".join([line for part in parts for line in part]) + "\r\n", "utf-8", newline="")


@file_fault()
def file_missing(folder: Path, strength: Strength, chance: Random) -> None:
    """the folder has no white list"""
    _white(folder).unlink()


@file_fault()
def file_of_no_bytes(folder: Path, strength: Strength, chance: Random) -> None:
    """the file is there and empty"""
    _white(folder).write_bytes(b"")


@file_fault()
def header_alone(folder: Path, strength: Strength, chance: Random) -> None:
    """the export had no rows: the accident of 2025-08-31"""
    above, _, _ = _lines(_white(folder))
    _write(_white(folder), above)


@file_fault()
def error_page_as_a_file(folder: Path, strength: Strength, chance: Random) -> None:
    """the download was a page that says sorry"""
    _white(folder).write_text("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>", "utf-8")


@file_fault(Strength("the last 1%", False, 0.99), Strength("the last tenth", True, 0.9), Strength("the last half", True, 0.5))
def file_cut_off(folder: Path, strength: Strength, chance: Random) -> None:
    """the copy ended early: the accident of 2024-10-12, for one county"""
    above, rows, _ = _lines(_white(folder))
    text = "\r\n".join([*above, *rows])
    start = len("\r\n".join(above))
    _white(folder).write_text(text[: start + round((len(text) - start) * strength.value)], "utf-8", newline="")


@file_fault()
def first_hundred_rows(folder: Path, strength: Strength, chance: Random) -> None:
    """the page shows a hundred rows and nobody went on"""
    above, rows, below = _lines(_white(folder))
    _write(_white(folder), above, rows[:100], below)


@file_fault(Strength("one class of two", True))
def filtered_sheet(folder: Path, strength: Strength, chance: Random) -> None:
    """a filter was on when the sheet was saved"""
    above, rows, below = _lines(_white(folder))
    _write(_white(folder), above, [row for row in rows if ",体育," not in row], below)


@file_fault()
def encoded_twice(folder: Path, strength: Strength, chance: Random) -> None:
    """UTF-8 that was read as GBK and saved, header and all"""
    _white(folder).write_text(_white(folder).read_bytes().decode("gbk", "replace"), "utf-8")


@file_fault()
def encoded_twice_under_a_good_header(folder: Path, strength: Strength, chance: Random) -> None:
    """rows of another encoding were pasted below the header"""
    above, rows, below = _lines(_white(folder))
    _write(_white(folder), above, [row.encode().decode("gbk", "replace").replace("\n", "") for row in rows], below)


@file_fault()
def column_renamed(folder: Path, strength: Strength, chance: Random) -> None:
    """a column of the header has another name"""
    _white(folder).write_text(_white(folder).read_text("utf-8").replace("培训地址", "办学地点"), "utf-8", newline="")


@file_fault(Strength("from the middle", True, 0.5), Strength("all rows", True, 0.0))
def cells_slipped(folder: Path, strength: Strength, chance: Random) -> None:
    """a cell was deleted and those beside it moved left, under the same header"""
    above, rows, below = _lines(_white(folder))
    start = round(len(rows) * strength.value)
    _write(_white(folder), above, rows[:start], [",".join([*(cells := row.split(","))[:1], *cells[2:], ""]) for row in rows[start:]], below)


@file_fault()
def wrong_file(folder: Path, strength: Strength, chance: Random) -> None:
    """the penalties were handed in as the white list"""
    shutil.copyfile(next(folder.glob("处罚*")), _white(folder))


@file_fault()
def last_years_file(folder: Path, strength: Strength, chance: Random) -> None:
    """the file says in its title that it is a year old"""
    text = _white(folder).read_text("utf-8").replace("（截至2027", "（截至2026")
    _white(folder).unlink()
    (folder / "白名单.csv").write_text(text, "utf-8", newline="")


@file_fault()
def two_files_for_one(folder: Path, strength: Strength, chance: Random) -> None:
    """the list of half a year ago lies beside the new one"""
    rows = as_csv(dirty("白名单", WHITE, white(COUNT - 60)))
    (folder / "白名单-2026-05-01.csv").write_text(rows.replace("（截至2026年11月1日）", "（截至2026年5月1日）"), "utf-8", newline="")


@file_fault()
def another_countys_file(folder: Path, strength: Strength, chance: Random) -> None:
    """the list of another county was handed in"""
    rows = [
        [*row[:1], f"宁波市海曙区海帆{row[0]}培训中心", credit_code(50_000 + row[0]), f"教民1330203700{row[0]:04d}1", *row[4:]]
        for row in white(COUNT)
    ]
    _white(folder).write_text(
        as_csv(dirty("白名单", WHITE, rows)).replace("（截至2026年11月1日）", "（截至2027年1月1日）"), "utf-8", newline=""
    )


@file_fault()
def quote_that_does_not_close(folder: Path, strength: Strength, chance: Random) -> None:
    """a quotation mark swallows the rows after it"""
    above, rows, below = _lines(_white(folder))
    at = len(rows) // 3
    _write(_white(folder), above, rows[:at], [rows[at].replace(",", ',"', 1)], rows[at + 1 :], below)


@file_fault()
def another_separator(folder: Path, strength: Strength, chance: Random) -> None:
    """the program writes semicolons"""
    _white(folder).write_text(_white(folder).read_text("utf-8").replace(",", ";"), "utf-8", newline="")


@file_fault(Strength("the file", True))
def permit_numbers_as_numbers(folder: Path, strength: Strength, chance: Random) -> None:
    """a spreadsheet rounded the permit numbers, which are the key"""
    above, rows, below = _lines(_white(folder))
    _write(_white(folder), above, [row.replace(row.split(",")[3], "1.33011E+14") for row in rows], below)


@file_fault(Strength("every 40 rows", False))
def header_on_every_page(folder: Path, strength: Strength, chance: Random) -> None:
    """a print has the header on every page: stepped over"""
    above, rows, below = _lines(_white(folder))
    _write(
        _white(folder), above, [line for at, row in enumerate(rows) for line in ([above[-1], row] if at and at % 40 == 0 else [row])], below
    )


@file_fault(Strength("all rows", True))
def rows_twice(folder: Path, strength: Strength, chance: Random) -> None:
    """every row was pasted twice: reported, and nothing is lost"""
    above, rows, below = _lines(_white(folder))
    _write(_white(folder), above, rows, rows, below)
