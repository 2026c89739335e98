"""`mingbai screen FILE`: a list of one's own against the live release; every row keeps its cells and gets an answer."""

import csv
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

from publish.catalogue import Catalogue, dictionary
from publish.cli import main
from publish.cli.screen import COLUMNS, screened
from publish.errors import BadValue
from publish.given import given
from publish.progress import silent
from publish.web.reader import Reader
from publish.web.server import build_app
from publish.web.verifier import Verifier
from publish.wording import wording
from verify_release import CHAOYANG, GULOU, SOURCES, Broken, code, publish_world, tables
from web_release import TODAY, go_live, make_release

NOW = "2026-11-23T12:00:00+08:00"
ROWS = (
    ("机构名称", "区县", "统一社会信用代码", "电话"),
    ("福州市鼓楼区甜果培训中心有限公司", "福州市鼓楼区", "", "+86 0"),
    ("晨星培训学校", "", "", ""),  # a name and nothing else
    ("", GULOU, code(4), "-5"),
    ("=HYPERLINK(1)", "", "", "@x"),
    ("合计", "", "", ""),  # would be a sum in a bureau's list
    ("无此机构", "鼓楼区", "", ""),
)
STATUSES = ["listed", "cannot_say", "other_list", "not_listed", "not_listed", "cannot_say"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home: Path = tmp_path_factory.mktemp("home")
    publish_world(home, catalogue)
    return home


def screen(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), "--now", NOW, "screen", *map(str, arguments)])


def read(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf"), "spreadsheets take it for another encoding without"
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def text(rows: tuple[tuple[str, ...], ...] = ROWS, delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def workbook(path: Path) -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["某区校外培训机构一览"])
    for row in ROWS:
        sheet.append([f" {cell}" if cell.startswith("=") else cell or None for cell in row])
    book.save(path)


def test_a_list_keeps_its_columns_and_every_row_gets_an_answer(home, tmp_path):
    (tmp_path / "list.csv").write_text(text())
    result = screen(home, tmp_path / "list.csv")
    assert result.exit_code == 0, result.output
    rows = read(tmp_path / "list.csv.screened.csv")
    assert [row["status"] for row in rows] == STATUSES
    assert tuple(rows[0]) == (*ROWS[0], *COLUMNS)
    assert [row["机构名称"] for row in rows] == [f"'{row[0]}" if row[0].startswith("=") else row[0] for row in ROWS[1:]]
    assert [row["电话"] for row in rows] == ["'+86 0", "", "-5", "'@x", "", ""], "no formula, and a number stays one"


@pytest.mark.parametrize(
    "content",
    [
        text().encode(),
        text().encode("utf-8-sig"),
        text().encode("gb18030"),
        text().encode("utf-16"),
        text(delimiter="\t").encode(),
        text(delimiter=";").encode(),
        ("某区校外培训机构一览,,,\r\n" + text()).encode(),
    ],
)
def test_a_table_is_read_in_each_encoding_and_with_each_delimiter(tmp_path, content):
    (tmp_path / "list.csv").write_bytes(content)
    table = given(tmp_path / "list.csv", {})
    assert (table.header, [cells for _, cells, _ in table.rows]) == (ROWS[0], list(ROWS[1:]))
    assert table.rows[0][2] == {"name": ROWS[1][0], "region": "福州市鼓楼区", "code": ""}


def test_a_workbook_is_read_as_well(home, tmp_path):
    workbook(tmp_path / "list.xlsx")
    result = screen(home, tmp_path / "list.xlsx", "--output", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    assert "1 rows above the header are left out" in result.output
    assert [row["status"] for row in read(tmp_path / "out.csv")] == STATUSES


def test_a_row_says_whom_how_and_by_which_list(home, tmp_path):
    (tmp_path / "list.csv").write_text(text())
    screen(home, tmp_path / "list.csv")
    listed, twins, black, *_ = read(tmp_path / "list.csv.screened.csv")
    assert (listed["id"], listed["how"], listed["list"], listed["authority"], listed["batch"]) == (
        "i-white",
        "name",
        "白名单",
        "福州市教育局",
        "第三期",
    )
    assert (listed["as_of"], listed["release"], listed["region"], listed["code"]) == ("2026-11-20", TODAY, "福建省福州市鼓楼区", code(1))
    assert (twins["reason"], twins["id"], twins["list"]) == ("ambiguous", "i-twin-a | i-twin-b", "")
    assert (black["how"], black["list"], black["name"]) == ("code", "黑名单", "乐童培训中心")
    assert "不是" not in listed["said"]
    assert "这不是“在白名单上”" in black["said"]
    assert twins["said"].startswith("不能确定。")


def test_the_list_columns_are_of_lists_that_it_is_on(home, tmp_path):
    (tmp_path / "list.csv").write_text("名称,区县\n大河培训中心,350102\n旧闻培训中心,350203\n")
    screen(home, tmp_path / "list.csv")
    left, stale = read(tmp_path / "list.csv.screened.csv")
    assert [(row["status"], row["list"], row["batch"]) for row in (left, stale)] == [("not_listed", "", ""), ("cannot_say", "", "")]


def test_the_number_of_notices_is_there_where_it_may_be_said_and_is_known(home, tmp_path):
    lines = {
        f",,{code(4)}": "1",
        f",,{code(5)}": "0",
        f",,{code(90)}": "1",  # of nobody in the register
        "乐童培训中心,350102,": "1",
        "乐童培训中心,,": "",
        "无此机构,350102,": "",
        "彩虹培训中心,350103,": "",  # whose county's notices are held
        "小树培训中心,350102,": "",  # one that is linked to nobody has its name
    }
    (tmp_path / "list.csv").write_text("\n".join(("名称,区县,代码", *lines)))
    result = screen(home, tmp_path / "list.csv", "--code-column", "代码")
    assert result.exit_code == 0, result.output
    found = read(tmp_path / "list.csv.screened.csv")
    assert [row["notices_in_force"] for row in found] == list(lines.values())
    for row in found:
        n = row["notices_in_force"]
        assert (f"公示期内有 {n} 条公告。" in row["said"]) == (n not in ("", "0")), row


def test_the_answer_in_words_leaves_out_no_note(home, tmp_path):
    """Above all that its permits are over, and that of a name alone nothing adverse is told."""
    (tmp_path / "list.csv").write_text(text())
    screen(home, tmp_path / "list.csv")
    found = read(tmp_path / "list.csv.screened.csv")
    notes = [(row, key) for row in found for key in row["reason"].split(" | ") if f"verify.note.{key}" in wording("zh")]
    assert notes
    assert all(wording("zh")[f"verify.note.{key}"] in row["said"] for row, key in notes)


ALONE = {"id": "alone", "label_zh": "某区名单", "region_code": CHAOYANG, "interval_days": 30, "as_of": "2026-11-20"}  # gives lists alone
FAR = ("i-far", "远山培训中心", CHAOYANG, code(70))
OF_ONE = [
    # sources, what is held, whom by code, and how many notices it has
    (SOURCES, [], code(5), 0),
    (SOURCES, [("notices", GULOU)], code(5), None),
    (SOURCES, [], code(92), None),  # one that is linked to nobody has its name
    ([{**SOURCES[0], "as_of": "2026-11-01"}], [], code(5), None),  # stale
    ([{**SOURCES[0], "as_of": "2026-11-01"}], [], code(4), 1),
    ([{**SOURCES[0], "region_code": GULOU}, ALONE], [], FAR[3], None),
    ([{**SOURCES[0], "region_code": None}], [], code(5), None),
]


@pytest.mark.parametrize(("sources", "held", "of", "number"), OF_ONE)
async def test_the_number_of_notices_is_the_same_by_every_door_and_0_is_known(tmp_path, catalogue, sources, held, of, number):
    made = tables([*sources, *([] if SOURCES[1] in sources else [SOURCES[1]])])
    made["institutions"].append({"id": FAR[0], "name": FAR[1], "region_code": FAR[2], "credit_code": FAR[3], "source_id": "platform"})
    made["listings"].append(
        {**made["listings"][0], "id": "l-far", "institution_id": FAR[0], "region_code": FAR[2], "source_id": sources[-1]["id"]}
    )
    folder = make_release(tmp_path, TODAY, catalogue, tables=made)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["held"] = [{"source": "platform", "table": table, "region": region, "since": "2026-11-10"} for table, region in held]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    go_live(tmp_path, TODAY)
    (tmp_path / "list.csv").write_text(f"代码\n{of}\n")
    screen(tmp_path, tmp_path / "list.csv", "--code-column", "代码")
    (row,) = read(tmp_path / "list.csv.screened.csv")
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: datetime(2026, 11, 23, 4, tzinfo=UTC))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        said = (await client.get("/verify.json", params={"code": of})).json()
        query = json.dumps({"ids": [row["id"]], "properties": [{"id": "notices_in_force"}]})
        extended = (await client.get("/reconcile", params={"extend": query})).json()["rows"][row["id"]]
    app.shelf.close()
    assert said["institution"]["id"] == row["id"]
    assert said["notices_in_force"] == number
    assert row["notices_in_force"] == ("" if number is None else str(number))
    assert extended["notices_in_force"] == ([] if number is None else [{"int": number}])


def test_a_near_name_shows_the_difference(home, tmp_path):
    (tmp_path / "list.csv").write_text("名称\n甜果培训中心\n")
    screen(home, tmp_path / "list.csv")
    (row,) = read(tmp_path / "list.csv.screened.csv")
    assert (row["status"], row["reason"], row["how"]) == ("cannot_say", "near", "near")
    assert row["difference"] == "地名：无→福州市鼓楼区；行业与组织形式：无→有限公司"


def test_a_row_that_cannot_be_read_is_cannot_say_and_is_not_left_out(home, tmp_path):
    (tmp_path / "list.csv").write_text("名称,区县\n甜果,鼓楼区,多一格\n无此机构\n")
    result = screen(home, tmp_path / "list.csv")
    assert result.exit_code == 0, result.output
    rows = read(tmp_path / "list.csv.screened.csv")
    assert [(row["status"], row["reason"].split(" | ")[0]) for row in rows] == [("cannot_say", "unreadable"), ("not_listed", "not_found")]
    assert list(rows[0].values())[:3] == ["甜果", "鼓楼区", "多一格"]
    assert "只凭您所写的，没有查黑名单和公告" in rows[1]["said"]


def test_an_empty_row_keeps_its_place(home, tmp_path):
    (tmp_path / "list.csv").write_text("名称,区县\n无此机构\n,\n\n无此机构\n,\n")
    assert screen(home, tmp_path / "list.csv").exit_code == 0
    rows = read(tmp_path / "list.csv.screened.csv")
    assert [(row["status"], row["reason"].split(" | ")[0]) for row in rows] == [
        ("not_listed", "not_found"), ("cannot_say", "no_question"), ("cannot_say", "no_question"), ("not_listed", "not_found"),
    ]  # fmt: skip


def test_a_row_of_a_workbook_keeps_its_place_whatever_it_holds(home, tmp_path):
    book = Workbook()
    for cells in (["名称", "备注"], ["无此机构"], ["=B9"], [None, "=B9"], [None, None], ["无此机构"], ["=B9"]):
        book.active.append(cells)  # a formula that was never worked out: openpyxl writes it without its value
    book.save(tmp_path / "list.xlsx")
    assert screen(home, tmp_path / "list.xlsx").exit_code == 0
    rows = read(tmp_path / "list.xlsx.screened.csv")
    assert [row["reason"].split(" | ")[0] for row in rows] == [
        "not_found",
        "unreadable",
        "no_question",
        "no_question",
        "not_found",
        "unreadable",
    ]


def test_a_code_that_is_being_processed_is_none(home, tmp_path):
    (tmp_path / "list.csv").write_text("名称,信用代码,许可证号\n晨星培训学校,是,\n无此机构,办理中,无\n无此机构,不详的,\n")
    screen(home, tmp_path / "list.csv")
    rows = read(tmp_path / "list.csv.screened.csv")
    assert [row["reason"].split(" | ")[0] for row in rows] == ["ambiguous", "not_found", "code_invalid"]


def test_a_code_that_a_spreadsheet_has_cut_is_cannot_say(home, tmp_path):
    book = Workbook()
    book.active.append(["名称", "信用代码"])
    book.active.append(["无此机构", 913501001234567890])
    book.save(tmp_path / "list.xlsx")
    screen(home, tmp_path / "list.xlsx")
    (row,) = read(tmp_path / "list.xlsx.screened.csv")
    assert (row["status"], row["reason"]) == ("cannot_say", "unreadable")


def test_columns_can_be_named_and_ours_make_way(home, tmp_path):
    (tmp_path / "list.csv").write_text(f"status,招牌,where\nopen,晨星培训学校,{GULOU}\n")
    result = screen(home, tmp_path / "list.csv", "--column", "招牌", "--region-column", "where")
    assert result.exit_code == 0, result.output
    (row,) = read(tmp_path / "list.csv.screened.csv")
    assert (row["status"], row["mingbai_status"], row["id"]) == ("open", "listed", "i-twin-a")


@pytest.mark.parametrize(
    ("name", "content", "column", "says"),
    [
        ("a.csv", "负责人,电话\n某,1\n", None, "a.csv: has no column one such as 名称"),
        ("a.csv", "名称\n甜果\n", "招牌", "a.csv: has no column 招牌"),
        ("a.csv", "", None, "a.csv: is empty"),
        ("a.csv", '名称\n"甜果\n', None, "row 2"),
        ("a.xlsx", "PK not a workbook", None, "a.xlsx: is no whole workbook"),
        ("a.json", '[{"名称": "甜果"}]', None, "a.json: is json; expected CSV or XLSX"),
        ("none/a.csv", None, None, "is no file; give a CSV or XLSX file"),
    ],
)
def test_what_is_no_table_is_refused_naming_file_and_what_is_expected(tmp_path, name, content, column, says):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(BadValue, match=re.escape(says)):
        given(tmp_path / name, {"name": column})


def test_an_output_is_never_written_over_and_a_failure_leaves_none(home, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("名称\n甜果\n")
    for output, says in ((source, "is there already"), (tmp_path / "no" / "a.csv", "give another file with --output")):
        result = screen(home, source, "--output", output)
        assert (result.exit_code, says in result.output.splitlines()[-1]) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    source.write_text("负责人\n某\n")
    assert screen(home, source).exit_code == 1


def test_without_a_release_there_is_a_clear_word(tmp_path):
    (tmp_path / "list.csv").write_text("名称\n甜果\n")
    result = screen(tmp_path, tmp_path / "list.csv")
    assert (result.exit_code, "no release yet" in result.output) == (2, True)


def test_an_index_that_is_broken_says_cannot_say_in_each_row_and_is_counted_as_an_error(home, tmp_path):
    (tmp_path / "list.csv").write_text(f"名称\n无此机构\n{code(1)}\n")
    reader = Reader(home / "releases" / TODAY)
    reader._index = Broken()  # type: ignore[assignment]
    data, counts = screened(given(tmp_path / "list.csv", {}), Verifier(reader, TODAY), silent)
    reader.close()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [(row["status"], row["reason"]) for row in rows] == [("cannot_say", "error"), ("listed", "is_listed")]
    assert counts == {"cannot_say": 1, "listed": 1, "error": 1}
