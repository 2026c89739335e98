"""Bureaus' deliveries through the whole run: every form gives the same rows, and what is broken is told and never published by half."""

import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from deliveries import bureau, make
from deliveries.bureau import FORMS, MONEY, PENALTIES, WHITE, deliver, dirty, penalties, permit, white
from making import approved
from publish.candidate import Candidate
from publish.catalogue import Catalogue, load
from publish.errors import BadDeclaration, ReviewNeeded, SourceBroken
from publish.home import Home
from publish.run import run
from publish.work import Result, Work
from unpacked import all_said

NOON = datetime(2026, 11, 1, 4, tzinfo=UTC)
CSV = "白名单-2026-11-01.csv"
AT = dirty("白名单", WHITE, white()).index(list(WHITE)) + 1  # the header's row in a file with its dirt
TABLES = (
    "institutions",
    "institution_classes",
    "permits",
    "fund_supervision",
    "listings",
    "notices",
    "notice_penalties",
    "notice_links",
    "documents",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(more_sources=Path(__file__).parent / "sources")


@pytest.fixture(scope="module")
def good(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release of the bureau's CSV, to be copied."""
    folder = tmp_path_factory.mktemp("good")
    work = Work(Home(folder / "home"), catalogue, NOON)
    assert run(work, {"bureau": str(deliver(folder / "delivery"))}) == Result("released", "2026-11-01")
    return folder


@pytest.fixture
def work(good: Path, catalogue: Catalogue, tmp_path: Path) -> Work:
    """The day after a good release, with the same delivery in the folder."""
    shutil.copytree(good, tmp_path / "bureau", symlinks=True)
    return Work(Home(tmp_path / "bureau" / "home"), catalogue, NOON + timedelta(days=1))


@pytest.fixture
def fresh(catalogue: Catalogue, tmp_path: Path) -> Work:
    return Work(Home(tmp_path / "home"), catalogue, NOON)


def delivery(work: Work) -> Path:
    return work.home.path.parent / "delivery"


def hand_over(work: Work) -> Result:
    # the address is part of what makes a snapshot comparable with the last one
    return run(work, {"bureau": str(delivery(work))})


def rows(work: Work, table: str) -> list[tuple[Any, ...]]:
    return query(work, f'SELECT * FROM "{table}" ORDER BY 1, 2')


def query(work: Work, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{work.live_database}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def issues(work: Work, held: bool = False) -> list[tuple[Any, ...]]:
    """(listing, file, row, kind, field, found, count) of what was staged last: the release's, or the held candidate's."""
    path = work.home.candidate / "private.db" if held else work.home.base
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT i.listing, i.file, i.row, i.kind, i.field, i.found, i.count FROM issues i JOIN pages p USING (page)"
            " WHERE p.source = 'bureau' AND p.generation = 0 ORDER BY 1, 2, 3, 4, 5"
        ).fetchall()


def accounting(work: Work, held: bool = False) -> Mapping[str, Mapping[str, int]]:
    found = Candidate.load(work.home).assembled.accounting if held else work.live_manifest()["accounting"]
    for table, kinds in found.items():
        kept = {kind: number for kind, number in kinds.items() if kind not in ("records", "kept_absent")}
        assert kinds["records"] == sum(kept.values()), (table, kinds)
    return found


def published(home: Home) -> dict[str, bytes | str]:
    found = {path.relative_to(home.path).as_posix(): path.read_bytes() for path in home.releases.rglob("*") if path.is_file()}
    past = {name: (home.path / name).read_bytes() for name in ("releases.json", "history.db")}
    return {**found, **past, "current": os.readlink(home.current)}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(form: str, fresh: Work, good: Path, tmp_path: Path) -> None:
    run(fresh, {"bureau": str(deliver(tmp_path / "delivery", form))})
    usual = replace(fresh, home=Home(good / "home"))
    for table in TABLES:
        assert rows(fresh, table) == rows(usual, table), table
    assert fresh.live_manifest()["accounting"] == {
        "institutions": {"records": 40, "published": 40}, "listings": {"records": 40, "published": 40},
        "notices": {"records": 5, "published": 5}, "ratings": {"records": 0, "published": 0},
    }  # fmt: skip
    assert {
        kind: count for kind, count in fresh.live_manifest()["issues"].items() if kind not in ("title", "note", "total", "table_skipped")
    } == {}


def test_the_rows_are_those_that_the_bureau_meant(good: Path, fresh: Work) -> None:
    work = replace(fresh, home=Home(good / "home"))
    assert query(work, "SELECT document_no, fine_fen, confiscated_fen FROM notices ORDER BY 1") == [
        (f"西教罚〔2026〕{number}号", *amounts) for number, amounts in MONEY.items()
    ]
    assert query(work, "SELECT fine_text, confiscated_text FROM notices WHERE document_no LIKE '%2号'") == [("２．５", "1,234.50")]
    names = query(
        work, "SELECT name, address, opened_on, credit_code IS NULL, credit_code_text FROM institutions WHERE name LIKE '%启明5培%'"
    )
    assert names == [(bureau.name(5), "文三路５号", "2020-05-06", 1, "是")]
    assert query(work, "SELECT permit_no, valid_until FROM permits ORDER BY 1 LIMIT 1") == [(permit(1), "2027-12-02")]
    assert query(work, "SELECT method, count(*) FROM notice_links GROUP BY 1") == [("permit_no", 5)]
    assert query(work, "SELECT DISTINCT as_of FROM documents") == [("2026-11-01",)]
    assert query(work, "SELECT class_code, count(*) FROM institution_classes GROUP BY 1 ORDER BY 1") == [
        ("arts", 20),
        ("sport", 20),
        ("technology", 20),
    ]
    assert b"13800000001" not in all_said([work.home.releases])


@pytest.mark.parametrize("form", FORMS)
def test_the_same_list_in_another_form_is_no_news(form: str, work: Work) -> None:
    for path in delivery(work).iterdir():
        path.unlink()
    deliver(delivery(work), form)
    before = published(work.home)
    assert hand_over(work) == Result("nothing_new", None)
    assert published(work.home) == before


def test_what_stood_around_the_table_is_said_and_where(work: Work) -> None:
    found = {(row, kind) for listing, _, row, kind, *_ in issues(work) if listing == "white"}
    assert found == {(1, "title"), (2, "title"), (AT + 41, "total"), (AT + 42, "note")}


# What is broken: a promise of the source. Nothing is published, and the line names the file.


def put(work: Work, table: Sequence[Sequence[Any]], name: str = CSV) -> None:
    (delivery(work) / name).write_text(bureau.as_csv([list(row) for row in table]), encoding="utf-8")


def instead(work: Work) -> Path:
    """The delivery's folder without its white list."""
    (delivery(work) / CSV).unlink()
    return delivery(work)


def columns(order: Sequence[str], rename: Mapping[str, str] | None = None) -> list[list[Any]]:
    """The white list with these columns in this order."""
    at = [WHITE.index(name) for name in order]
    return [[(rename or {}).get(name, name) for name in order], *([row[place] for place in at] for row in white())]


def cut(work: Work, form: str, share: float) -> None:
    path = FORMS[form](instead(work), "白名单", WHITE, white())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def bomb(work: Work) -> None:
    path = FORMS["xlsx"](instead(work), "白名单", WHITE, white())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.xml", b" " * (64 << 20))


def pasted(work: Work) -> None:
    path = delivery(work) / CSV
    lines = path.read_bytes().splitlines(keepends=True)
    lines[20] = lines[20].decode().encode("gb18030")
    path.write_bytes(b"".join(lines))


def replaced(work: Work, content: bytes) -> None:
    (delivery(work) / CSV).write_bytes(content)


SORRY = "<html><head><title>502</title></head><body><h1>系统繁忙，请稍后再试</h1></body></html>".encode()
BROKEN: dict[str, tuple[Callable[[Work], object], str]] = {
    "an xlsx cut in half": (lambda work: cut(work, "xlsx", 0.5), r"白名单-2026-11-01\.xlsx: is no whole workbook"),
    "an xlsx that lacks its last byte": (lambda work: cut(work, "xlsx", 0.9999), r"白名单-2026-11-01\.xlsx"),
    "an xls cut in half": (lambda work: cut(work, "xls", 0.5), r"白名单-2026-11-01\.xls"),
    "a json cut in half": (lambda work: cut(work, "json", 0.5), r"白名单-2026-11-01\.json.*not whole JSON"),
    "an ndjson cut in a line": (lambda work: cut(work, "ndjson", 0.985), r"白名单-2026-11-01\.ndjson: line 40"),
    "Big5 that nobody declared": (
        lambda work: replaced(
            work, (delivery(work) / CSV).read_text("utf-8").translate(str.maketrans("业务杭亲", "業務杭親")).encode("big5", "replace")
        ),
        rf"{CSV}",
    ),
    "UTF-8 read as latin and saved again": (
        lambda work: replaced(work, (delivery(work) / CSV).read_bytes().decode("latin-1").encode()),
        rf"{CSV}.*no header",
    ),
    "one line in GB18030": (pasted, rf"{CSV}: line \d+ is UTF-8 and line 21 is not"),
    "a column that vanished": (
        lambda work: put(work, columns([name for name in WHITE if name != "培训地址"])),
        rf"{CSV}: the header in row 1 has no 培训地址",
    ),
    "a column that was renamed": (
        lambda work: put(work, columns(WHITE, {"培训地址": "办学场所"})),
        rf"{CSV}.*培训地址.*办学场所.*declare its new name",
    ),
    "a column that is there twice": (
        lambda work: put(work, [[*WHITE, "培训地址"], *([*row, "别处"] for row in white())]),
        rf"{CSV}.*培训地址 twice",
    ),
    "an empty file": (lambda work: replaced(work, b""), rf"{CSV}.*is empty"),
    "a file of blank lines": (lambda work: replaced(work, b"\r\n\r\n,,,\r\n"), rf"{CSV}"),
    "only a header": (lambda work: put(work, [WHITE]), rf"{CSV}: has no records"),
    "only what stands around a table": (lambda work: put(work, dirty("白名单", WHITE, [])), rf"{CSV}: has no records"),
    "an HTML error page named .csv": (lambda work: replaced(work, SORRY), rf"{CSV}"),
    "a JSON error named .csv": (lambda work: replaced(work, b'{"code": 500, "msg": "\xe5\xa4\xb1\xe8\xb4\xa5"}'), rf"{CSV}"),
    "a quote that is not closed": (
        lambda work: replaced(work, (delivery(work) / CSV).read_bytes().replace(f",{bureau.name(7)}".encode(), b',"', 1)),
        rf"{CSV}",
    ),
    "a NUL": (
        lambda work: replaced(work, (delivery(work) / CSV).read_bytes().replace("启明7".encode(), b"\0")),
        rf"{CSV}: line \d+ has a NUL",
    ),
    "a zip bomb": (bomb, r"白名单-2026-11-01\.xlsx.*zip bomb"),
    "a control character in an xlsx": (
        lambda work: make.raw_xlsx(instead(work) / "白名单.xlsx", make.inline(WHITE, ["\x07"] * 10)),
        r"白名单\.xlsx",
    ),
    "no file": (lambda work: instead(work), r"white: no file in .* is called \*白名单\*"),
    "a PDF": (lambda work: replaced(work, b"%PDF-1.7\n"), rf"{CSV}"),
    "a header that ends in half of a character": (
        lambda work: make.raw_xlsx(
            instead(work) / "白名单.xlsx", make.inline([*WHITE[:-1], "_xD83D_"], ["1"] * 10).replace("培训地址", "_xD83D_")
        ),
        r"白名单\.xlsx",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_told_by_name_and_the_last_good_release_stays(case: str, work: Work) -> None:
    spoil, words = BROKEN[case]
    before = published(work.home)
    spoil(work)
    with pytest.raises(SourceBroken, match=words) as error:
        hand_over(work)
    assert "\n" not in str(error.value)
    assert published(work.home) == before
    status = orjson.loads(work.home.status.read_bytes())
    assert status["live"] == "2026-11-01"
    assert (status["last_run"]["at"], status["last_run"]["reason"]) == ("2026-11-02T04:00:00Z", error.value.public)
    assert work.home.detail.read_text("utf-8") == f"{error.value}\n", "the staff are told in full"
    for path in delivery(work).iterdir():
        path.unlink()
    deliver(delivery(work), count=42)
    assert hand_over(work) == Result("released", "2026-11-02"), "a mended delivery goes through"
    assert accounting(work)["institutions"] == {"records": 42, "published": 42}


@pytest.mark.parametrize("case", ["an empty file", "a column that vanished", "one line in GB18030", "a zip bomb"])
def test_the_public_status_names_an_error_of_ours_and_no_class_inside_a_reader(case: str, work: Work) -> None:
    BROKEN[case][0](work)
    with pytest.raises(SourceBroken):
        hand_over(work)
    assert orjson.loads(work.home.status.read_bytes())["last_run"]["outcome"] == "SourceBroken"


# What is bad in a row: an issue that names file and row; every other row is published.


@dataclass(frozen=True)
class Heard:
    """Progress that keeps what it is told."""

    lines: list[str]

    def start(self, label: str, total: int | None) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def finish(self) -> None:
        pass

    def say(self, text: str) -> None:
        self.lines.append(text)


@dataclass(frozen=True)
class Spoilt:
    """A delivery with something wrong in a few of its rows, and what must be said of it: accounting of institutions, issues by (row, kind, field)."""

    spoil: Callable[[Work], object]
    counts: Mapping[str, int]
    said: Sequence[tuple[int, str, str]]
    held: bool = False


def with_cell(number: int, column: str, cell: Any) -> list[list[Any]]:
    table = [list(WHITE), *white()]
    table[number][WHITE.index(column)] = cell
    return table


def formulas(value: str, kind: str = "str") -> Callable[[Work], Path]:
    """The white list as a workbook whose seventh address is a formula, with or without a cached value."""

    def spoil(work: Work) -> Path:
        table = [[str(bureau.said(cell, 0)) for cell in row] for row in [list(WHITE), *white()]]
        sheet = make.inline(*table).replace(
            '<c t="inlineStr"><is><t>文三路７号</t></is></c>', f'<c t="{kind}"><f>CONCATENATE("文三路","7号")</f>{value}</c>'
        )
        return make.raw_xlsx(instead(work) / "白名单-2026-11-01.xlsx", sheet)

    return spoil


def long_cell(form: str) -> Callable[[Work], object]:
    def spoil(work: Work) -> None:
        table = with_cell(7, "培训地址", "长" * (10 << 20))
        FORMS[form](instead(work), "白名单", WHITE, table[1:])

    return spoil


def injected(work: Work) -> None:
    table = [[str(bureau.said(cell, 0)) for cell in row] for row in with_cell(7, "统一社会信用代码", "9133_xD83D_")]
    make.raw_xlsx(instead(work) / "白名单-2026-11-01.xlsx", make.inline(*table))


def half_key(work: Work) -> None:
    table = [[str(bureau.said(cell, 0)) for cell in row] for row in with_cell(7, "办学许可证号", f"{permit(7)}_xD83D_")]
    make.raw_xlsx(instead(work) / "白名单-2026-11-01.xlsx", make.inline(*table))


ALL = {"records": 40, "published": 40}
ASIDE = {"records": 40, "published": 39, "set_aside": 1, "kept_absent": 1}
SPOILT = {
    "a code that nobody knows": Spoilt(lambda work: put(work, with_cell(7, "资金监管", "区块链监管")), ALL, [(8, "bad_value", "资金监管")]),
    "one of several codes that nobody knows": Spoilt(lambda work: put(work, with_cell(7, "培训类别", "艺术、元宇宙")), ALL, [(8, "bad_value", "培训类别")]),
    "a key twice": Spoilt(lambda work: put(work, [*with_cell(7, "办学许可证号", permit(6))]), {"records": 40, "published": 39, "duplicate": 1, "kept_absent": 1}, [(8, "duplicate_key", "")]),
    "a whole row twice": Spoilt(lambda work: put(work, [*with_cell(9, "培训地址", "搬到这里"), white()[6]]), {"records": 41, "published": 40, "duplicate": 1}, [(42, "duplicate_key", "")]),
    "no key": Spoilt(lambda work: put(work, with_cell(7, "办学许可证号", None)), ASIDE, [(8, "set_aside", "")]),
    "no name": Spoilt(lambda work: put(work, with_cell(7, "机构名称", "暂无")), ASIDE, [(8, "bad_value", "机构名称"), (8, "set_aside", "")]),
    "a day that does not exist": Spoilt(lambda work: put(work, with_cell(7, "核准日期", "2026-02-30")), ALL, [(8, "bad_value", "核准日期")]),
    "control characters": Spoilt(lambda work: put(work, with_cell(7, "机构名称", f"{bureau.name(7)}\x07\x0b\x1f\u200b\u202e")), ALL, []),
    "control characters in the key": Spoilt(lambda work: put(work, with_cell(7, "办学许可证号", f"{permit(7)}\u200b")), ALL, []),
    "a key in full width": Spoilt(lambda work: put(work, with_cell(7, "办学许可证号", permit(7).translate(bureau.FULL_WIDTH))), ALL, []),
    "a stray comma": Spoilt(lambda work: replaced(work, bureau.as_csv([list(WHITE), *white()]).replace("文三路７号", "文三路,７号").encode()), ASIDE, [(8, "long_row", "")]),
    "a row that ends early": Spoilt(lambda work: put(work, [row[:7] if number == 7 else row for number, row in enumerate([list(WHITE), *white()])]), ALL, [(8, "short_row", "")]),
    "a column that moved": Spoilt(lambda work: put(work, columns(WHITE[::-1])), ALL, []),
    "a column more": Spoilt(lambda work: put(work, [[*WHITE, "是否连锁"], *([*row, "否"] for row in white())]), ALL, [(2, "unmapped_field", "是否连锁")], held=True),
    "10 MB in one cell of a csv": Spoilt(long_cell("csv in UTF-8"), ASIDE, [(AT + 7, "oversize", "培训地址")]),
    "10 MB in one cell of an ndjson": Spoilt(long_cell("ndjson"), ASIDE, [(7, "oversize", "培训地址")]),
    "10 MB in one cell of a json": Spoilt(long_cell("json"), ASIDE, [(7, "oversize", "培训地址")]),
    "10 MB in one cell of a page": Spoilt(long_cell("html"), ASIDE, [(AT + 7, "oversize", "培训地址")]),
    "a formula with its value": Spoilt(formulas("<v>文三路７号</v>"), ALL, [(8, "formula", "培训地址")]),
    "a formula without its value": Spoilt(formulas(""), ALL, [(8, "formula_without_value", "培训地址")]),
    "an error for a value": Spoilt(formulas("<v>#REF!</v>", "e"), ALL, [(8, "error_value", "培训地址")]),
    "half of a character in a workbook": Spoilt(injected, ALL, [(8, "bad_value", "统一社会信用代码")]),
    "half of a character in a key": Spoilt(half_key, ALL, []),
    "three rows of forty without a key": Spoilt(
        lambda work: put(work, [list(WHITE), *([*row[:3], None, *row[4:]] if row[0] in (7, 8, 9) else row for row in white())]),
        {"records": 40, "published": 37, "set_aside": 3, "kept_absent": 3}, [(8, "set_aside", ""), (9, "set_aside", ""), (10, "set_aside", "")], held=True,
    ),
}  # fmt: skip
AROUND = ("title", "note", "total", "table_skipped", "part_set_aside")


@pytest.mark.parametrize("case", SPOILT)
def test_a_bad_row_is_told_by_file_and_row_and_every_other_row_is_published(case: str, work: Work) -> None:
    spoilt = SPOILT[case]
    before = published(work.home)
    spoilt.spoil(work)
    if spoilt.held:
        with pytest.raises(ReviewNeeded, match=r"set_aside, allowed 0\.05|issues, allowed 0\.02"):
            hand_over(work)
        assert published(work.home) == before
    else:
        outcome = hand_over(work)
        if outcome.release is None:
            assert spoilt.counts == ALL, "nothing new, with rows lost"
            assert published(work.home) == before
            return
    assert accounting(work, spoilt.held)["institutions"] == spoilt.counts
    found = [issue for issue in issues(work, spoilt.held) if issue[0] == "white" and issue[3] not in AROUND]
    assert [(row, kind, field) for _, _, row, kind, field, _, _ in found] == list(spoilt.said)
    assert all("白名单" in file for _, file, *_ in found)
    assert all(len(text) < 300 for *_, text, _ in found)
    if spoilt.held:
        approved(work)
    assert query(work, "SELECT count(*) FROM institutions") == [(40,)], "what is missing for the first time is kept and marked"
    assert query(work, "SELECT count(*) FROM institutions WHERE absent_since = '2026-11-01'") == [(spoilt.counts.get("kept_absent", 0),)]
    assert query(work, "SELECT count(*) FROM notices") == [(5,)]
    names = [name for (name,) in query(work, "SELECT name FROM institutions")]
    assert all(name.isprintable() for name in names)


@pytest.mark.parametrize("nested", [["2026-01-01"], {"a": 1}], ids=repr)
@pytest.mark.parametrize("field", ["机构名称", "培训地址", "核准日期", "有效期至", "资金监管", "培训类别", "办学许可证号"])
def test_a_list_or_an_object_where_a_value_belongs_is_an_issue_of_that_row(field: str, nested: Any, work: Work) -> None:
    found = bureau.as_objects(WHITE, white())
    found[6][field] = nested
    found[8]["培训地址"] = "搬到这里"  # news in any case
    (instead(work) / "白名单-2026-11-01.json").write_bytes(orjson.dumps(found))
    assert hand_over(work).release == "2026-11-02"
    counts = accounting(work)["institutions"]
    assert counts["records"] == 40
    assert (7, field) in {(issue[2], issue[4]) for issue in issues(work)} or counts.get("set_aside") == 1


def test_the_formula_of_a_legacy_workbook_is_said_too(fresh: Work, tmp_path: Path) -> None:
    deliver(tmp_path / "delivery")
    (tmp_path / "delivery" / "处罚-2026-11-01.csv").unlink()
    table = [list(PENALTIES), *([bureau.said(cell, 0) if isinstance(cell, bureau.Day) else cell for cell in row] for row in penalties())]
    table[1][6] = None
    make.xls(tmp_path / "delivery" / "处罚.xls", table, formulas={(1, 6): 1.5})
    run(fresh, {"bureau": str(tmp_path / "delivery")})
    assert query(fresh, "SELECT fine_fen FROM notices WHERE document_no LIKE '%〕1号'") == [(1_500_000,)]
    assert [issue[1:5] for issue in issues(fresh) if issue[3] == "formula"] == [("penalties/000001-处罚.xls", 2, "formula", "罚款（万元）")]


def test_a_cell_of_ten_megabytes_in_a_workbook_sets_its_row_aside(work: Work) -> None:
    table = [[str(bureau.said(cell, 0)) for cell in row] for row in with_cell(7, "培训地址", Random(1).randbytes(5 << 20).hex())]
    make.raw_xlsx(instead(work) / "白名单-2026-11-01.xlsx", make.inline(*table))
    hand_over(work)
    assert accounting(work)["institutions"] == ASIDE
    assert [issue[1:5] for issue in issues(work) if issue[3] == "oversize"] == [
        ("white/000001-白名单-2026-11-01.xlsx", 8, "oversize", "培训地址")
    ]


def test_two_files_of_one_listing_are_both_read_and_each_row_of_both_is_counted(work: Work) -> None:
    rest = [row for row in white(43) if row[0] > 38]
    FORMS["xlsx"](delivery(work), "白名单", WHITE, rest)
    assert hand_over(work).release == "2026-11-02"
    assert accounting(work)["institutions"] == {"records": 45, "published": 43, "duplicate": 2}
    assert [issue[1:4] for issue in issues(work) if issue[3] == "duplicate_key"] == [
        ("white/000002-白名单-2026-11-01.xlsx", AT + number, "duplicate_key") for number in (1, 2)
    ]


def test_a_file_name_that_is_no_unicode_is_read_like_any_other(work: Work) -> None:
    """A Windows archive unpacked on Linux leaves names in GBK."""
    raw = os.fsencode(delivery(work)) + b"/\xb0\xd7" + os.fsencode(CSV)
    os.rename(os.fsencode(delivery(work) / CSV), raw)
    assert hand_over(work) == Result("nothing_new", None)


def test_a_new_row_that_cannot_be_used_is_told_even_where_it_is_all_that_is_new(work: Work) -> None:
    before = published(work.home)
    said: list[str] = []
    put(work, [list(WHITE), *white(), [41, bureau.name(41), None, None, "艺术", "文三路41号", None, None, None, None]])
    outcome = run(replace(work, progress=Heard(said)), {"bureau": str(delivery(work))})
    if outcome.release is not None:
        assert accounting(work)["institutions"] == {"records": 41, "published": 40, "set_aside": 1}
        return
    assert published(work.home) == before
    reason = orjson.loads(work.home.status.read_bytes())["last_run"]["reason"]
    assert "set_aside" in "\n".join([*said, reason]) or "set aside" in "\n".join([*said, reason]), (
        "a school that was handed over is lost in silence"
    )


def test_a_delivery_in_which_too_much_is_unreadable_is_held_even_where_the_rest_is_no_news(work: Work) -> None:
    put(work, [list(WHITE), *white(), *([n, bureau.name(n), None, None, "艺术", "文三路", None, None, None, None] for n in range(41, 61))])
    with pytest.raises(ReviewNeeded, match="set_aside"):
        hand_over(work)


def test_a_delivery_that_is_no_news_is_not_kept_again_by_every_run(work: Work) -> None:
    put(work, columns(WHITE[::-1]))
    assert hand_over(work) == Result("nothing_new", None)
    kept = sorted(path.name for path in work.home.raw.iterdir())
    for day in (2, 3):
        assert run(replace(work, now=NOON + timedelta(days=day)), {"bureau": str(delivery(work))}) == Result("nothing_new", None)
    assert sorted(path.name for path in work.home.raw.iterdir()) == kept, "one copy of the same files a run, for ever"


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ("listings.list: wihte", "listings.list"),
        ("region_code: '999999'", "region_code"),
        ("opened_on: 昨天", "opened_on"),
        ("status: 开心", "status"),
    ],
)
def test_a_constant_that_is_no_value_of_its_column_is_refused_before_anything_is_fetched(wrong: str, key: str, tmp_path: Path) -> None:
    declared = (Path(__file__).parent / "sources" / "bureau.yml").read_text("utf-8")
    old = next(line for line in declared.splitlines() if "listings.list: white" in line)
    constants = {"listings.list": "white"} | dict([wrong.replace("'", "").split(": ")])
    new = "    constants: {" + ", ".join(f"{name}: '{value}'" for name, value in constants.items()) + "}"
    (tmp_path / "bureau.yml").write_text(declared.replace(old, new), encoding="utf-8")
    with pytest.raises(BadDeclaration, match=rf"bureau\.yml.*{key}"):
        load(more_sources=tmp_path)


@pytest.mark.parametrize("count", [8, 40])
def test_a_column_that_a_loose_declaration_maps_and_the_file_has_lost_is_a_broken_promise(count: int, fresh: Work, tmp_path: Path) -> None:
    delivered = tmp_path / "list.csv"
    table = [["机构名称", "办学许可证号", "培训地址"], *([bureau.name(n), permit(n), f"文三路{n}号"] for n in range(1, count + 1))]
    delivered.write_text(bureau.as_csv(table), encoding="utf-8")
    assert run(fresh, {"loose": str(delivered)}).release == "2026-11-01"
    delivered.write_text(bureau.as_csv([row[:2] for row in table]), encoding="utf-8")
    with pytest.raises(SourceBroken, match=r"list\.csv.*培训地址"):
        run(replace(fresh, now=NOON + timedelta(days=1)), {"loose": str(delivered)})
    assert query(fresh, "SELECT count(address) FROM institutions") == [(count,)]


def test_a_file_that_is_not_in_its_declared_encoding_is_told_with_line_and_byte(fresh: Work, tmp_path: Path) -> None:
    delivered = tmp_path / "list.csv"
    delivered.write_bytes(
        bureau.as_csv([["机构名称", "办学许可证号", "培训地址"], [bureau.name(1), permit(1), "文三路1号"]]).encode("gb18030")
    )
    with pytest.raises(SourceBroken, match=r"list\.csv: line 1, byte 0 .* is not utf-8"):
        run(fresh, {"loose": str(delivered)})
    assert fresh.live is None


def monthly(folder: Path, month: int, *numbers: int, facts: str = "无证办学") -> None:
    """The folder with one month's file in it and no other."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    table = [
        ["决定书文号", "当事人", "违法事实", "决定日期"],
        *([f"西教罚〔2026〕{n}号", bureau.name(n), facts, f"2026-0{n}-01"] for n in numbers),
    ]
    (folder / f"处罚-2026-{month:02d}-28.csv").write_text(bureau.as_csv(table), encoding="utf-8")


def shown(work: Work) -> list[tuple[Any, ...]]:
    return query(work, "SELECT document_no, facts FROM notices ORDER BY 1")


def test_increments_add_up_and_correct_what_was_there(fresh: Work, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    outcomes = []
    for day, (numbers, facts) in enumerate([((5, 6), "无证办学"), ((7,), "无证办学"), ((5, 8), "超前收费")]):
        monthly(folder, 8 + day, *numbers, facts=facts)
        outcomes.append(run(replace(fresh, now=NOON + timedelta(days=day)), {"incremental": str(folder)}).release)
        assert accounting(fresh)["notices"]["records"] == len(numbers)
    assert outcomes == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert shown(fresh) == [
        (f"西教罚〔2026〕{number}号", facts) for number, facts in ((5, "超前收费"), (6, "无证办学"), (7, "无证办学"), (8, "超前收费"))
    ]
    assert query(fresh, "SELECT count(*) FROM notices WHERE absent_since IS NOT NULL") == [(0,)], "an increment says nothing about the rest"


def test_an_increment_handed_over_twice_is_nothing_new(fresh: Work, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    for month, number in ((8, 5), (9, 6)):
        monthly(folder, month, number)
        run(replace(fresh, now=NOON + timedelta(days=month)), {"incremental": str(folder)})
    before = {
        path: path.stat().st_mtime_ns for path in fresh.home.path.rglob("*") if path.is_file() and path.name not in ("status.json", "lock")
    }
    assert run(replace(fresh, now=NOON + timedelta(days=10)), {"incremental": str(folder)}).release is None
    after = {
        path: path.stat().st_mtime_ns for path in fresh.home.path.rglob("*") if path.is_file() and path.name not in ("status.json", "lock")
    }
    assert after == before, "not one byte of data"


def test_an_increment_older_than_the_last_may_come_again_after_it(fresh: Work, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    for day, (month, numbers) in enumerate([(8, (5,)), (9, (6,)), (8, (5,)), (10, (7,))]):
        monthly(folder, month, *numbers)
        run(replace(fresh, now=NOON + timedelta(days=day)), {"incremental": str(folder)})
    assert [row[0] for row in shown(fresh)] == [f"西教罚〔2026〕{number}号" for number in (5, 6, 7)]


def test_cumulative_deliveries_repeat_what_was_there_and_lose_nothing_that_is_left_out(fresh: Work, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    for day, numbers in enumerate([(5, 6), (5, 6, 7), (6, 7, 8)]):
        monthly(folder, 8 + day, *numbers)
        assert run(replace(fresh, now=NOON + timedelta(days=day)), {"cumulative": str(folder)}).outcome == "released"
        assert accounting(fresh)["notices"]["published"] == len(numbers)
    assert [row[0] for row in shown(fresh)] == [f"西教罚〔2026〕{number}号" for number in (5, 6, 7, 8)]


def test_a_source_with_lookups_a_split_a_sheet_and_a_form(fresh: Work, tmp_path: Path) -> None:
    folder = tmp_path / "delivery"
    folder.mkdir()
    header = ["名称", "证号", "类别", "所在镇街"]
    listed = [
        ["晨光学堂", "教民133010970000011", "琴棋书画；编程", "城厢街道"],
        ["星火学堂", "教民133010970000021", "体育； 艺术", "萧山区"],
    ]
    make.xlsx(
        folder / "名单.xlsx",
        [["说明"], ["见下一张表"]],
        白名单=[header, *listed],
        注销=[header, ["旧学堂", "教民133010970000031", "体育", "萧山区"]],
    )
    (folder / "处罚.asp").write_bytes(
        bureau.as_html([["文号", "当事人", "日期"], ["萧教罚〔2026〕1号", "晨光学堂", bureau.Day(2026, 10, 1)]]).encode("gb18030")
    )
    run(fresh, {"odd": str(folder)})
    assert query(fresh, "SELECT name, region_code, region_text FROM institutions ORDER BY 1") == [
        ("星火学堂", "330109", "萧山区"), ("晨光学堂", "330109", "城厢街道"),
    ]  # fmt: skip
    classes = query(
        fresh, "SELECT i.name, c.class_code FROM institution_classes c JOIN institutions i ON i.id = c.institution_id ORDER BY 1, 2"
    )
    assert classes == [("星火学堂", "arts"), ("星火学堂", "sport"), ("晨光学堂", "arts"), ("晨光学堂", "technology")]
    assert query(fresh, "SELECT subject_name, decided_on FROM notices") == [("晨光学堂", "2026-10-01")]


def test_an_increment_that_stands_still_is_one_snapshot_however_often_another_source_has_news(work: Work, tmp_path: Path) -> None:
    addresses = {"bureau": str(delivery(work)), "incremental": str(tmp_path / "monthly")}
    for day, count in enumerate((41, 42, 43, 44), 1):
        if day < 3:
            monthly(tmp_path / "monthly", 7 + day, 4 + day)
        deliver(delivery(work), count=count)
        assert run(replace(work, now=NOON + timedelta(days=day)), addresses).outcome == "released"
    kept = next(row["snapshots"] for row in work.live_manifest()["sources"] if row["id"] == "incremental")
    assert len(kept) == 2, [snapshot["id"] for snapshot in kept]
    assert query(work, "SELECT count(*) FROM notices WHERE source_id = 'incremental'") == [(2,)]


def test_two_sources_in_one_run_and_one_of_them_broken_publish_nothing(work: Work, tmp_path: Path) -> None:
    before = published(work.home)
    monthly(tmp_path / "monthly", 8, 5)
    deliver(delivery(work), count=41)
    (tmp_path / "list.csv").write_bytes(b"")
    with pytest.raises(SourceBroken, match=r"list\.csv: is empty"):
        run(work, {"bureau": str(delivery(work)), "incremental": str(tmp_path / "monthly"), "loose": str(tmp_path / "list.csv")})
    assert published(work.home) == before
    assert run(work, {"bureau": str(delivery(work)), "incremental": str(tmp_path / "monthly")}).release == "2026-11-02"
    assert accounting(work)["institutions"]["records"] == 41
    assert accounting(work)["notices"]["records"] == 6
