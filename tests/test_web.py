"""The site as a visitor meets it: what its pages say and never say, in both languages, and what they do when something is wrong."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from string import Formatter
from typing import Any

import httpx
import pytest
from jinja2 import Environment, nodes

from publish import catalogue as declared
from publish.catalogue import Catalogue, dictionary
from publish.web.answer import App
from publish.web.frame import TEMPLATES
from publish.web.server import build_app
from publish.web.wording import LANGUAGES, wording
from web_release import (
    ACTIVE,
    CLOSED,
    ENDS_TODAY,
    PERSON,
    REPAIRED,
    SERIOUS,
    SHADY,
    SWEET,
    TODAY,
    TONG,
    UNLINKED,
    go_live,
    make_release,
    rows,
)

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # in China it is 12:00
LAST_SECOND, MIDNIGHT = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)
PAGES = ("/", "/search", "/search?q=福州", "/search?q=不存在的名称", f"/institutions/{SWEET}", f"/notices/{ACTIVE}", "/data", "/status")
TABLES = (
    "/mingbai",
    "/mingbai/institutions",
    f"/mingbai/institutions/{SWEET}",
    "/mingbai?sql=select+1",
    "/mingbai/notices?_facet=authority",
    "/-/versions",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return declared.load()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, TODAY, catalogue, mark="标记")
    go_live(home, TODAY)
    return home


@asynccontextmanager
async def visitor(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        yield client


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    """A site over the release, at noon of its day unless told otherwise."""
    shelves = []

    def make(now: datetime = NOON, where: Path = home, **more: Any) -> App:
        app = build_app(where, dictionary=dictionary(catalogue), now=lambda: now, **more)
        shelves.append(app.shelf)
        return app

    yield make
    for shelf in shelves:
        shelf.close()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES + TABLES)
async def test_every_page_answers_in_both_languages_behind_the_same_locks(site, path, lang):
    async with visitor(site()) as client:
        answer = await client.get(path if lang == "zh" else f"/en{path}")
    assert answer.status_code == 200
    assert f'<html lang="{wording(lang)["site.lang"]}">' in answer.text
    assert wording(lang)["frame.no_judgement"] in answer.text
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert not re.search(r"<script|\sstyle=|<style|\son\w+=", answer.text)
    # nothing is loaded from elsewhere, and on a page in English every link of the site stays in English
    assert not re.findall(r'(?:src|<link[^>]+href)="https?:', answer.text)
    links = [link for link in re.findall(r'<a [^>]*href="(/[^"]*)"', answer.text) if not link.startswith("/feeds/")]
    strays = [link for link in links if link.startswith("/en/") != (lang == "en")]
    assert len(strays) == (1 if "hreflang" in answer.text else 0)


async def test_a_page_names_its_public_address_in_both_languages(site):
    async with visitor(site(base_url="https://mingbai.example/")) as client:
        page = (await client.get("/en/data")).text
    assert '<link rel="canonical" href="https://mingbai.example/en/data">' in page
    assert '<link rel="alternate" hreflang="zh-Hans" href="https://mingbai.example/data">' in page


async def test_a_listing_says_who_and_when_and_never_safe(site):
    async with visitor(site()) as client:
        page = (await client.get(f"/institutions/{SWEET}")).text
        card = (await client.get("/search?q=甜果")).text
    for html in (page, card):
        assert "列入福州市教育局（标记）第三期白名单，截至 2026-11-20。" in text_of(html).replace(" 2026-11-20 ", " 2026-11-20")
        assert not re.search("安全|放心|可靠|值得信赖", html)


async def test_an_institution_page_has_all_that_is_published(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/institutions/{SWEET}")).text)
        answer = (await client.get(f"/institutions/{SWEET}.json")).json()
    for said in ("91350100M000100Y43", "甜果英语", "学科类：初中英语", "福建省福州市鼓楼区", "已过有效期", "在有效期内", "银行托管，某某银行鼓楼支行", "白名单第三期", "信用代码一致，可信度 100%", "共 60 条评价", "另有 1 个月评价不足 5 条"):  # fmt: skip
        assert said in page, said
    assert [permit["state"] for permit in answer["permits"]] == ["valid", "expired"]
    assert [notice["id"] for notice in answer["notices"]] == [ACTIVE, ENDS_TODAY]
    (rating,) = answer["ratings"]
    assert (rating["count"], rating["histogram"], rating["suppressed_months"]) == (60, [1, 1, 5, 16, 37], 1)


async def test_ratings_under_five_are_not_opened(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/institutions/{TONG}")).text)
    assert "每月不足 5 条，不公布" in page
    assert "平均" not in page


async def test_a_notice_without_a_verified_subject_says_so(site):
    async with visitor(site()) as client:
        unlinked, person, linked = [text_of((await client.get(f"/notices/{id}")).text) for id in (UNLINKED, PERSON, ACTIVE)]
    assert "未能核对主体" in unlinked
    assert "有异议" in unlinked
    assert "张某" in person
    assert "单位不明" in person  # a fine of "2" is no amount
    assert "未能核对主体" not in linked
    assert "12,000.00 元" in linked


@pytest.mark.parametrize(("now", "status"), [(LAST_SECOND, 200), (MIDNIGHT, 410)])
async def test_a_notice_ends_at_midnight_in_china_everywhere(site, now, status):
    async with visitor(site(now)) as client:
        seen = {
            path: await client.get(path)
            for path in (
                f"/notices/{ENDS_TODAY}",
                f"/notices/{ENDS_TODAY}.json",
                f"/mingbai/notices/{ENDS_TODAY}",
                f"/mingbai/notices/{ENDS_TODAY}.json",
            )
        }
        lists = [(await client.get(path)).text for path in ("/", "/search.json?q=今天到期", f"/institutions/{SWEET}", f"/institutions/{SWEET}.json", "/mingbai/notices.json", "/mingbai/notices.csv")]  # fmt: skip
    assert {answer.status_code for answer in seen.values()} == {status}
    titles = ("今天到期", json.dumps("今天到期").strip('"'))  # Datasette's JSON is ASCII
    assert all(any(title in answer.text for title in titles) == (status == 200) for answer in seen.values())
    ids = [ENDS_TODAY in text for text in lists]
    assert ids == [status == 200] * len(lists)


async def test_what_is_no_longer_shown_leaves_id_date_and_class(site):
    async with visitor(site()) as client:
        page = await client.get(f"/notices/{REPAIRED}")
        answer = await client.get(f"/notices/{REPAIRED}.json")
    assert (page.status_code, answer.status_code) == (410, 410)
    assert answer.json()["tombstone"] == {"id": REPAIRED, "on": TODAY, "class": "repaired"}
    assert "已修复" in page.text
    assert "某培训部" not in page.text + answer.text


async def test_not_found_says_what_it_means_and_what_to_do(site):
    async with visitor(site()) as client:
        page = text_of((await client.get("/search?q=並不存在的名稱")).text)
        answer = (await client.get("/search.json?q=並不存在的名稱")).json()
    assert "截至 2026-11-22 ，在我们的来源中未找到" in page
    for heading in ("none.searched", "none.means", "none.means_not", "none.do"):
        assert wording("zh")[heading] in page
    assert (answer["total"], answer["results"], answer["as_of"]) == (0, [], "2026-11-22")


async def test_an_error_is_never_not_found(site, home, catalogue, monkeypatch):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    assert shelf.reader is not None
    shelf.reader.index.close()
    async with visitor(app) as client:
        page, answer = await client.get("/search?q=福州"), await client.get("/search.json?q=福州")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "未找到" not in page.text
    assert wording("zh")["problem.search.text"] in page.text
    assert "results" not in answer.json()


@pytest.mark.parametrize("query", ["？？！", "\x00", "a b c d e f g h i j k l m n o p q r s"])
async def test_what_is_no_question_is_not_answered_with_not_found(site, query):
    async with visitor(site()) as client:
        page = await client.get("/search", params={"q": query})
    assert page.status_code == 400
    assert "未找到" not in page.text


async def test_search_json_gives_ids_within_its_limit(site):
    async with visitor(site()) as client:
        both = (await client.get("/search.json?q=福州&limit=10")).json()
        one = (await client.get("/search.json?q=福州&limit=1")).json()
        notices = (await client.get("/search.json?q=超期收费")).json()["notices"]
    assert {found["id"] for found in both["results"]} == {SWEET, CLOSED}
    assert (len(one["results"]), one["total"]) == (1, both["total"])
    assert [notice["id"] for notice in notices] == [ACTIVE]


async def test_a_hostile_value_is_shown_harmlessly(site):
    async with visitor(site()) as client:
        pages = [
            (await client.get(path)).text
            for path in (
                f"/institutions/{SHADY}",
                "/search?q=恶意",
                "/data",
                "/mingbai/institutions",
                f"/mingbai/institutions/{SHADY}",
                "/search?q=<script>x",
            )
        ]
    for html in pages:
        assert "<script" not in html
        assert "\u202e" not in html
        assert 'href="javascript:' not in html
    assert "&lt;script&gt;" in pages[0]
    assert "长" * 301 not in pages[0]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/institutions/i-222222222222",
        "/notices/x",
        "/mingbai/nothing",
        "/mingbai/institutions/i-2",
        "/_internal",
        "/_memory",
        "/-/threads",
        "/mingbai.db",
        "/feeds/..%2Fmanifest",
        "/static/..%2Fserver.py",
        "/zh",
        "/a//b",
        "/搜索",
    ],
)
async def test_what_is_not_there_is_a_page_of_ours_in_the_visitors_language(site, path):
    async with visitor(site()) as client:
        zh, en = await client.get(path), await client.get(f"/en{path}")
    for answer, lang in ((zh, "zh"), (en, "en")):
        assert answer.status_code == 404
        assert wording(lang)["problem.not_found.title"] in answer.text


@pytest.mark.parametrize("path", ["/nothing.json", "/institutions/i-2.json", "/mingbai/nothing.json", "/mingbai/institutions/i-2.json"])
async def test_an_error_is_json_where_json_was_asked_for(site, path):
    async with visitor(site()) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_bug_is_a_page_that_says_nothing_of_our_insides(site, home, catalogue, caplog):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    assert shelf.reader is not None
    shelf.reader._connection.execute("PRAGMA query_only=0")
    shelf.reader._connection.close()
    async with visitor(app) as client:
        page, answer = await client.get(f"/institutions/{SWEET}"), await client.get(f"/institutions/{SWEET}.json")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "sqlite" not in (page.text + answer.text).lower()
    assert "Cannot operate on a closed database" in caplog.text  # the operator sees it
    assert SWEET not in caplog.text


@pytest.mark.parametrize(
    ("name", "media_type"), [("rss", "application/rss+xml"), ("atom", "application/atom+xml"), ("json", "application/feed+json")]
)
async def test_a_feed_is_a_file_of_the_release(site, home, name, media_type):
    async with visitor(site()) as client:
        whole = await client.get(f"/feeds/notices.{name}")
        head = await client.head(f"/feeds/notices.{name}")
        same = await client.get(f"/feeds/notices.{name}", headers={"if-none-match": whole.headers["etag"]})
        since = await client.get(f"/feeds/notices.{name}", headers={"if-modified-since": whole.headers["last-modified"]})
        other = await client.get(
            f"/feeds/notices.{name}", headers={"if-none-match": '"x"', "if-modified-since": whole.headers["last-modified"]}
        )
    assert whole.headers["content-type"].split(";")[0] == media_type
    assert whole.content == (home / "current" / "feeds" / f"notices.{name}").read_bytes()
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", whole.headers["content-length"])
    assert (same.status_code, since.status_code, other.status_code) == (304, 304, 200)
    assert same.content == b""


async def test_before_the_first_release_the_site_says_so_and_then_serves_it(site, tmp_path, catalogue):
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    async with visitor(app) as client:
        for path in ("/", "/search?q=x", "/data", "/mingbai/institutions", "/feeds/notices.rss"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "还没有可以提供的版本" in answer.text
        assert (await client.get("/search.json?q=x")).json()["error"] == "no_release"
        assert (await client.get("/status")).status_code == 200
        assert (await client.get("/status.json")).json()["serving"] is None
        make_release(tmp_path, TODAY, catalogue)
        go_live(tmp_path, TODAY)
        await shelf.refresh()
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/status.json")).json()["serving"]["id"] == TODAY
    shelf.close()


async def test_a_release_that_cannot_be_opened_changes_nothing_and_is_reported(tmp_path, catalogue):
    make_release(tmp_path, TODAY, catalogue)
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    broken = make_release(tmp_path, "2026-11-24", catalogue)
    (broken / "mingbai.db").write_bytes(b"not a database" * 100)
    go_live(tmp_path, "2026-11-24")
    await shelf.refresh()
    async with visitor(app) as client:
        assert (await client.get("/")).status_code == 200
        status = (await client.get("/status.json")).json()
    assert status["serving"]["id"] == TODAY
    assert "2026-11-24" in status["problem"]
    assert str(tmp_path) not in json.dumps(status)
    shelf.close()


async def test_every_link_leads_somewhere(site):
    asked: dict[str, int] = {}
    to_ask = ["/en/mingbai/listings?_facet=authority&_size=1", "/", "/en/", "/search?q=福州", "/en/search?q=福州", "/mingbai/notices"]
    async with visitor(site()) as client:
        while to_ask and len(asked) < 200:
            path = to_ask.pop(0)
            if path not in asked:
                answer = await client.get(path)
                asked[path] = answer.status_code
                to_ask += [unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', answer.text)]
    assert {path: status for path, status in asked.items() if status != 200} == {}
    assert any(path.startswith("/en/mingbai/listings?") for path in asked if "_next=" in path or "_sort" in path)


async def test_datasettes_tables_link_by_their_route(site):
    async with visitor(site()) as client:
        table = (await client.get("/mingbai/listings")).text
        found = re.search(rf'href="(/mingbai/institutions/{SWEET})"', table)
        assert found
        assert (await client.get(found[1])).status_code == 200
        assert "列入福州" not in table
        row = (await client.get("/en/mingbai/notice_links.json?_shape=array")).json()
    assert {link["notice_id"] for link in row} >= {ACTIVE, SERIOUS}


async def test_datasette_tells_no_path_of_this_machine(site, home):
    async with visitor(site()) as client:
        for path in ("/-/databases.json", "/-/settings.json", "/-/plugins.json", "/-/metadata.json", "/mingbai.json"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert str(home) not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",  # for ever
        "select hex(zeroblob(5000000))",
        "select * from institutions where name like '" + "%a" * 1000 + "'",
        "attach database 'x' as y",
        "update institutions set name = 'x'",
        "select * from pragma_database_list where load_extension('x')",
    ],
)
async def test_open_sql_is_bounded_and_changes_nothing(site, sql, capfd):
    async with visitor(site()) as client:
        answer = await client.get("/mingbai.json", params={"sql": sql})
        page = await client.get("/mingbai", params={"sql": sql})
    assert (answer.status_code, page.status_code) == (400, 400)
    assert "recursive" not in capfd.readouterr().err  # what somebody asked is not logged


async def test_no_more_rows_than_allowed(site):
    async with visitor(site()) as client:
        answer = (
            await client.get(
                "/mingbai.json", params={"sql": "with recursive n(i) as (select 1 union all select i + 1 from n limit 500) select * from n"}
            )
        ).json()
    assert (len(answer["rows"]), answer["truncated"]) == (200, True)


@pytest.mark.parametrize("path", ["/", "/search", "/mingbai/institutions", "/status.json"])
async def test_nothing_can_be_written(site, path):
    async with visitor(site()) as client:
        answer = await client.post(path, content=b"x")
    assert answer.status_code == 405


async def test_the_data_page_describes_every_published_column(site, catalogue):
    async with visitor(site()) as client:
        pages = {lang: (await client.get("/data" if lang == "zh" else "/en/data")).text for lang in LANGUAGES}
    for table in catalogue.tables.values():
        for column in table.columns.values():
            assert (f"<code>{column.name}</code>" in pages["zh"]) or not column.published
        assert f"<code>{table.name}</code>" in pages["en"]
    assert "legal_representative" not in pages["zh"] + pages["en"]


def test_the_two_word_lists_say_the_same_things():
    lists = {lang: wording(lang) for lang in LANGUAGES}
    assert lists["zh"].keys() == lists["en"].keys()
    for key, text in lists["zh"].items():
        assert _holes(text) == _holes(lists["en"][key]), key


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_no_template_holds_a_text_of_its_own():
    env = Environment()
    for path in TEMPLATES.glob("*.html"):
        source = path.read_text("utf-8")
        bare = "".join(value for _, kind, value in env.lex(source) if kind == "data")
        outside = re.sub(r"<[^<>]*>|&[a-z]+;", " ", bare)
        assert not re.search(r"[A-Za-z\u3400-\u9fff]", outside), (path.name, outside)
        said = re.findall(r'(?:title|alt|placeholder|aria-label|value|content)="([^"{]*[A-Za-z\u3400-\u9fff][^"]*)"', bare)
        assert set(said) <= {"width=device-width, initial-scale=1", "light dark", "noindex"}, path.name


def _asked(argument: nodes.Expr) -> Iterator[str]:
    """The keys that an argument of t() can be; one that ends with a dot is the beginning of several."""
    if isinstance(argument, nodes.Const):
        yield str(argument.value)
    elif isinstance(argument, nodes.CondExpr):
        for one in (argument.expr1, argument.expr2):
            yield from _asked(one) if one is not None else ()
    elif isinstance(argument, nodes.Concat):
        yield from (key if key.endswith(".") else f"{key}." for key in _asked(argument.nodes[0]))


def test_every_word_is_used_and_every_used_word_is_there():
    keys = set(wording("zh"))
    asked = {"problem."}  # by Pages.problem
    for path in TEMPLATES.glob("*.html"):
        for call in Environment().parse(path.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                asked |= set(_asked(call.args[0]))
    for path in TEMPLATES.parent.glob("*.py"):
        asked |= {key for key in keys if f'"{key}"' in path.read_text("utf-8")}
    assert {word for word in asked if word not in keys and not (word.endswith(".") and any(key.startswith(word) for key in keys))} == set()
    assert {key for key in keys if key not in asked and not any(word.endswith(".") and key.startswith(word) for word in asked)} == set()


def test_serve_answers_stops_when_told_and_writes_no_query_down(home, root):
    program = (
        "import sys; from pathlib import Path; from publish.web.server import serve; "
        "serve(Path(sys.argv[1]), '127.0.0.1', 0, on_ready=lambda url: print(url, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}search.json?q=secretword") as answer:
            assert json.load(answer)["results"] == []
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}nothing?q=secretword")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"{url}mingbai?sql=select+secretword")
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "secretword" not in out + err
    assert url not in out


async def test_the_release_that_is_served_is_never_written(site, home):
    before = {path: path.read_bytes() for path in (home / "current" / "").resolve().rglob("*") if path.is_file()}
    async with visitor(site()) as client:
        for path in PAGES + TABLES:
            await client.get(path)
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in (home / "current" / "").resolve().rglob("*") if path.is_file()} == set(before)
    assert sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro", uri=True).execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_the_marks_of_a_release_are_in_its_rows():
    assert "旧" in rows("旧")["institutions"][0]["name"]
