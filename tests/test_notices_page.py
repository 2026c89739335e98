"""/notices: what a journalist asks and finds, and what nobody may find there. The language is in test_texts.py."""

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.nowhere import _forms, _found
from publish.texts import FILE, texts
from publish.web.server import build_app
from publish.wording import LANGUAGES, wording
from search import open_texts, tokens
from web_release import ACTIVE, ENDS_TODAY, NAMESAKE, PERSON, REPAIRED, SERIOUS, TODAY, UNLINKED, go_live, make_release, rows, write_index

SHOWN = {ACTIVE, SERIOUS, UNLINKED, ENDS_TODAY, NAMESAKE}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    path = tmp_path_factory.mktemp("notices")
    make_release(path, TODAY, catalogue)
    go_live(path, TODAY)
    write_index(path, TODAY)
    return path


@pytest.fixture(scope="module")
def visitor(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., Any]]:
    days = [TODAY]
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: datetime.fromisoformat(f"{days[-1]}T12:00:00+08:00"))

    @asynccontextmanager
    async def visit(day: str = TODAY) -> AsyncIterator[httpx.AsyncClient]:
        days.append(day)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            yield client

    yield visit
    app.shelf.close()


async def found(client: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    answer = await client.get("/notices.json", params=asked)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def ids(answer: dict[str, Any]) -> set[str]:
    return {it["id"] for it in answer["results"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("超期收费", {ACTIVE}),
        ("超期 OR 黑名单", {ACTIVE, SERIOUS}),
        ('"超期 收费"', {ACTIVE}),
        ("关于 -超期", set()),
        ("公告 -超期", {SERIOUS, ENDS_TODAY, NAMESAKE}),
        ("地区:厦门", {UNLINKED, NAMESAKE}),
        ("region:Xiamen", {UNLINKED, NAMESAKE}),
        ("地区:福建", SHOWN),
        ("类型:风险提示", {UNLINKED, NAMESAKE}),
        ("type:warning", {UNLINKED, NAMESAKE}),
        ("程度:严重", {SERIOUS}),
        ("文号:榕鼓教罚", {ACTIVE}),
        ("处罚:罚款", {ACTIVE, ENDS_TODAY}),
        ("罚款:1万..2万", {ACTIVE}),
        ("日期:2026-10", SHOWN),
        ("公布:2025", {ENDS_TODAY, NAMESAKE}),
        ("91350100M000100Y43", {ACTIVE}),
        ("作出机关:鼓楼区 风险", {UNLINKED}),
    ],
)
async def test_a_journalist_finds_notices_by_their_words_and_columns(visitor: Any, query: str, expected: set[str]) -> None:
    async with visitor() as client:
        answer = await found(client, q=query)
    assert ids(answer) == expected
    assert answer["total"] == len(expected)


async def test_filters_counts_and_pages_have_one_address(visitor: Any) -> None:
    async with visitor() as client:
        answer = await found(client, q="", kind="warning", sort="oldest", since="2026", limit="1", offset="1")
        assert (answer["total"], len(answer["results"])) == (2, 1)
        assert answer["url"] == "/notices?kind=warning&since=2026&sort=oldest&limit=1&offset=1"
        assert answer["facets"]["kind"] == {"penalty": 2, "warning": 2, "blacklist": 1}, "its own filter is left out"
        assert answer["facets"]["city"] == {"350200": 2}
        assert (await found(client, county="350203", city="350200", province="350000"))["facets"]["city"] == {"350100": 3, "350200": 2}
        assert (await client.get(answer["url"])).status_code == 200
        assert answer["as_of"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_page_says_what_it_found_marks_it_and_links_on(visitor: Any, lang: str) -> None:
    prefix = "" if lang == "zh" else "/en"
    async with visitor() as client:
        page = (await client.get(f"{prefix}/notices", params={"q": "收费", "limit": "1"})).text
        assert "超期<mark>收费</mark>的处罚" in page
        assert wording(lang)["notices.help"] in page
        assert wording(lang)["notices.facet.kind"] in (await client.get(f"{prefix}/notices")).text
        none = (await client.get(f"{prefix}/notices", params={"q": "查无此词"})).text
        assert wording(lang)["notices.none.means"] in none
        for name in ("words", "phrase", "either", "not", "group", "field", "code", "day", "sum", "star"):
            example = wording(lang)[f"notices.help.{name}.query"]
            assert (await client.get(f"{prefix}/notices.json", params={"q": example})).status_code == 200, example


@pytest.mark.parametrize(
    "query",
    [
        "(收费",
        '"收费',
        "来源:",
        "收费 AND",
        "foo:1",
        "日期:去年",
        "罚款:多",
        "培*",
        "-",
        "(" * 60,
        "收 " * 40,
        "收" * 600,
        "日期:2027..2026",
    ],
)
async def test_a_query_that_is_none_is_told_where(visitor: Any, query: str) -> None:
    async with visitor() as client:
        answer = await client.get("/notices.json", params={"q": query})
        if query == "-":
            assert answer.json()["kind"] == "nothing"
        assert (answer.status_code, answer.json()["error"]) == (400, "query")
        assert 0 <= answer.json()["at"] <= len(query)
        for lang in LANGUAGES:
            page = await client.get(f"{'' if lang == 'zh' else '/en'}/notices", params={"q": query})
            assert page.status_code == 400
            assert wording(lang)["notices.problem.title"] in page.text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "x"),
        ("county", "999999"),
        ("sort", "rating"),
        ("since", "2026-13"),
        ("until", "2026..2027"),
        ("year", "26"),
        ("limit", "x"),
        ("colour", "red"),
    ],
)
async def test_a_choice_that_does_not_exist_is_refused_with_those_that_do(visitor: Any, key: str, value: str) -> None:
    async with visitor() as client:
        answer = await client.get("/notices.json", params={"q": "收费", key: value})
        assert (answer.status_code, answer.json()["error"]) == (400, "key" if key == "colour" else "choice")
        assert (await client.get("/en/notices", params={key: value})).status_code == 400


@pytest.mark.parametrize(
    ("since", "until", "is_order"),
    [("2026", "2026", True), ("2026-10", "2026", True), ("2026", "2026-01", True), ("2026-10-15", "2026-10", True), ("2027", "2026-12-31", False), ("2026-11", "2026-10-15", False)],
)  # fmt: skip
async def test_a_range_that_ends_before_it_begins_is_refused(visitor: Any, since: str, until: str, is_order: bool) -> None:
    async with visitor() as client:
        for path in ("/notices", "/notices.json", "/en/notices"):
            answer = await client.get(path, params={"since": since, "until": until})
            assert answer.status_code == (200 if is_order else 400)
        assert is_order or (answer := await client.get("/notices.json", params={"since": since, "until": until})).json()["name"] == "since"
        assert is_order or f"≤ {until}" in answer.json()["message"]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_without_a_query_the_order_is_by_date_and_is_called_so(visitor: Any, lang: str) -> None:
    prefix = "" if lang == "zh" else "/en"
    async with visitor() as client:
        everything = await found(client)
        dates = [it["decided_on"] for it in everything["results"]]
        assert (everything["sort"], everything["url"]) == ("newest", "/notices?")
        assert dates == sorted(dates, reverse=True)
        page = (await client.get(f"{prefix}/notices")).text
        assert f"<strong>{wording(lang)['notices.sort.newest']}</strong>" in page
        assert wording(lang)["notices.sort.relevance"] not in page
        page = (await client.get(f"{prefix}/notices", params={"q": "公告"})).text
        assert f"<strong>{wording(lang)['notices.sort.relevance']}</strong>" in page
        assert (await found(client, q="公告"))["sort"] == "relevance"
        assert (await found(client, q="公告", sort="newest"))["url"].endswith("&sort=newest")
        assert (await client.get("/notices.json", params={"sort": "relevance"})).status_code == 400


@pytest.mark.parametrize(
    ("query", "is_said"),
    [
        ("超期 or 黑名单", True),
        ("超期 And 收费", True),
        ("not 超期", True),
        ("(超期 or 黑名单)", True),
        ("超期 OR 黑名单", False),
        ('"超期 or 黑名单"', False),
        ("order and-so android", False),
        ("超期 收费", False),
    ],
)
async def test_a_small_or_is_a_word_and_is_said_to_be_one(visitor: Any, query: str, is_said: bool) -> None:
    async with visitor() as client:
        assert bool((await found(client, q=query))["hints"]) == is_said
        for lang in LANGUAGES:
            page = (await client.get(f"{'' if lang == 'zh' else '/en'}/notices", params={"q": query})).text
            assert (wording(lang)["notices.hint.operators"] in page) == is_said


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_result_says_the_amounts_that_its_notice_has(visitor: Any, lang: str) -> None:
    async with visitor() as client:
        answer = await found(client, q="罚款:1万..2万")
        assert [(it["fine_fen"], it["fine_text"], it["confiscated_fen"]) for it in answer["results"]] == [(1_200_000, "1.2 万元", None)]
        page = (await client.get(f"{'' if lang == 'zh' else '/en'}/notices", params={"q": "罚款:1万..2万"})).text
        assert wording(lang)["notice.yuan"].format(yuan="12,000.00") in page
        assert wording(lang)["notice.printed"].format(text="1.2 万元") in page
        others = (await client.get(f"{'' if lang == 'zh' else '/en'}/notices", params={"q": "风险提示"})).text
        assert wording(lang)["notice.printed"].partition("{")[0] not in others


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_notices_are_in_the_navigation(visitor: Any, lang: str) -> None:
    prefix = "" if lang == "zh" else "/en"
    async with visitor() as client:
        for path in ("/", "/verify", "/notices"):
            page = (await client.get(f"{prefix}{path}")).text
            assert f'<li><a href="{prefix}/notices">{wording(lang)["frame.notices"]}</a></li>' in page.partition("</nav>")[0]


HOSTILE = [
    "'; DROP TABLE texts; --",
    '" OR 1=1',
    "<script>alert(1)</script>",
    "\x00\x01\x1b",
    "😀" * 100,
    "a" * 10_000,
    "*" * 300,
    "NEAR(a b)",
    "texts:a",
    "{c0}:a",
    "^收",
    "\u202e收费",
]


@pytest.mark.parametrize("query", HOSTILE)
async def test_nothing_that_is_typed_is_an_error_of_ours(visitor: Any, query: str) -> None:
    async with visitor() as client:
        for path in ("/notices", "/notices.json"):
            answer = await client.get(path, params={"q": query})
            assert answer.status_code in (200, 400)
            assert path.endswith(".json") or "<script>alert" not in answer.text


# -- what nobody may find --------------------------------------------------------------------------------------------------


async def test_of_a_person_only_the_number_of_the_decision_is_found(tmp_path: Path, catalogue: Catalogue) -> None:
    made = rows("x")
    person = next(row for row in made["notices"] if row["id"] == PERSON)
    person |= {"document_no": "榕教罚〔2026〕99号", "facts": "张某无证办学", "fine_fen": 100_00, "subject_permit_no": "教民135010270000099"}
    make_release(tmp_path, TODAY, catalogue, tables=None, mark="x").rename(tmp_path / "first")
    folder = make_release(tmp_path, TODAY, catalogue, tables={**_declared(tmp_path / "first"), **made})
    with open_texts(folder / FILE) as index:
        assert index.search("榕教罚〔2026〕99").ids == (PERSON,)
        for query in (
            "张某",
            "无证",
            "教民135010270000099",
            "",
            "NOT 超期",
            "日期:2026",
            "机关:鼓楼",
            "地区:福建",
            "罚款:..1万",
            "无证 OR 类型:penalty",
        ):
            assert PERSON not in index.search(query, limit=100).ids, query
        assert index.search("榕教罚〔2026〕99", filters={"kind": "penalty"}).total == 0


async def test_a_person_is_found_by_the_whole_number_alone(tmp_path: Path, catalogue: Catalogue) -> None:
    made = rows("x")
    next(row for row in made["notices"] if row["id"] == PERSON)["document_no"] = "榕教罚〔2026〕99号"
    make_release(tmp_path, TODAY, catalogue, tables=None, mark="x").rename(tmp_path / "first")
    home = tmp_path / "home"
    make_release(home, TODAY, catalogue, tables={**_declared(tmp_path / "first"), **made})
    write_index(home, [TODAY])
    go_live(home, TODAY)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: datetime.fromisoformat(f"{TODAY}T12:00:00+08:00"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        everybody = await found(client)
        for query in ("榕教罚〔2026〕99号", "榕教罚(2026)99号", "文号:榕教罚〔2026〕99号", "no: 榕教罚〔2026〕99号"):
            answer = await found(client, q=query)
            assert (ids(answer), answer["total"]) == ({PERSON}, 1), query
            assert (await found(client, q=query, offset=1))["results"] == []
            assert (await found(client, q=query, kind="penalty"))["total"] == 0
        for query in ("榕教罚", "文号:榕教罚", "2026", "20*", "99", "榕教罚〔2026〕9", "榕教罚〔2026〕99号 OR 处罚", "NOT 超期"):
            answer = await found(client, q=query, limit=100)
            assert PERSON not in ids(answer), query
            assert answer["total"] == len(answer["results"]), query
        assert PERSON not in ids(everybody)
        beside = (await client.get("/search.json", params={"q": "榕教罚〔2026〕99号"})).json()["notices"]
        assert [it["id"] for it in beside] == [PERSON]
        assert (await client.get("/search.json", params={"q": "榕教罚"})).json()["notices"] == []
    app.shelf.close()


def _declared(folder: Path) -> dict[str, list[dict[str, Any]]]:
    with closing(sqlite3.connect(folder / "mingbai.db")) as connection:
        connection.row_factory = sqlite3.Row
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in ("regions", "codes")}


@pytest.mark.parametrize(("day", "there"), [(TODAY, True), ("2026-11-24", False)])
async def test_what_has_ended_is_in_no_result_count_or_passage(visitor: Any, day: str, there: bool) -> None:
    async with visitor(day) as client:
        for asked in ({"q": "今天到期"}, {"q": "公告"}, {}, {"q": "NOT 超期"}, {"q": "处罚:罚款"}, {"kind": "penalty"}, {"year": "2026"}):
            answer = await found(client, **asked)
            assert (ENDS_TODAY in ids(answer)) == there, asked
            assert REPAIRED not in ids(answer)
            assert answer["total"] == len(answer["results"])
            assert sum(answer["facets"]["year"].values()) == (len(answer["results"]) if "year" not in asked else answer["total"])
            page = (await client.get("/notices", params=asked)).text.replace("<mark>", "").replace("</mark>", "")
            assert ("今天到期的公告" in page) == there
        assert (await found(client, q="今天到其的公告"))["meant"] == ("今天到期的公告" if there else None)
        assert [it["id"] for it in (await client.get("/search.json?q=今天到期")).json()["notices"]] == [ENDS_TODAY] * there


async def test_a_release_without_the_index_is_itself_but_for_this_page(home: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    make_release(tmp_path, TODAY, catalogue)
    go_live(tmp_path, TODAY)
    (tmp_path / "current" / FILE).write_bytes(b"damaged")
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: datetime.fromisoformat(f"{TODAY}T12:00:00+08:00"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        assert (await client.get("/notices?q=收费")).status_code == 503
        assert (await client.get(f"/notices/{ACTIVE}")).status_code == 200
    app.shelf.close()


async def test_a_bit_that_fell_over_in_the_index_is_said_and_nothing_is_called_not_found(tmp_path: Path, catalogue: Catalogue) -> None:
    make_release(tmp_path, TODAY, catalogue)
    go_live(tmp_path, TODAY)
    file = tmp_path / "current" / FILE
    raw = bytearray(file.read_bytes())
    while (at := raw.find("超".encode())) >= 0:  # in the words and in the texts: SQLite opens the file and says that nobody has it
        raw[at + 2] ^= 1
    file.write_bytes(raw)
    open_texts(file).close()
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: datetime.fromisoformat(f"{TODAY}T12:00:00+08:00"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        asked = [await client.get(f"{path}?q=超期") for path in ("/notices", "/notices.json", "/search.json")]
        told = (await client.get("/status.json")).json()["problem"]
    app.shelf.close()
    assert [answer.status_code for answer in asked] == [503, 503, 503]
    assert wording("zh")["problem.unsearchable.text"] in asked[0].text
    assert ("notices.db: damaged" in told, str(tmp_path) in told) == (True, False)


# -- the file --------------------------------------------------------------------------------------------------------------


def test_the_index_of_a_release_is_the_same_whenever_it_is_made(home: Path, catalogue: Catalogue, tmp_path: Path) -> None:
    live = (home / "current").resolve()
    texts(live / "mingbai.db", catalogue, tmp_path / "elsewhere" / "notices.db")
    assert (tmp_path / "elsewhere" / "notices.db").read_bytes() == (live / FILE).read_bytes()
    assert FILE in json.loads((live / "manifest.json").read_text())["files"]


def test_what_was_withdrawn_could_not_hide_in_it(home: Path) -> None:
    text = "当事人一次性收取 12 个月培训费。"
    assert " ".join(tokens(text)) in _forms(text)
    assert _found(home / "current" / FILE, [form.encode() for form in _forms(text)])
    assert _found(home / "current" / FILE, [ACTIVE.encode()])


@pytest.fixture
def open_index(home: Path) -> Iterator[Any]:
    with open_texts(home / "current" / FILE) as opened:
        yield opened


def test_every_text_that_is_searched_is_declared_and_every_field_can_be_named(open_index: Any, catalogue: Catalogue) -> None:
    searched = [column.name for column in catalogue.tables["notices"].published if column.search]
    assert list(open_index.fields) == searched
    from publish.web.noticing import FIELDS

    asked = open_index._file.asked
    for lang in LANGUAGES:
        for name in FIELDS:
            assert asked[wording(lang)[f"notices.field.{name}"].casefold()][0] == name
