"""The past in SQL: what /history answers, in which words, and that nothing is in it that may no longer be shown."""

import csv
import io
import json
import re
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from making import NOON, institution, notice, query, world
from publish.catalogue import Catalogue, dictionary
from publish.home import Home
from publish.past import has_past
from publish.web import views as of_past
from publish.web.plugin import SETTINGS
from publish.web.server import Application, build_app
from publish.wording import LANGUAGES, wording
from publish.work import Work
from test_past import BLACK, FACTS, deliver
from web_visitor import visitor

FIRST, SECOND, THIRD = "2026-11-01", "2026-11-02", "2026-11-03"
MIDNIGHT = datetime(2027, 10, 30, 16, tzinfo=UTC)  # the second notice and the black listing were of 2026-10-30, for a year
NOTICE = notice(2, facts=FACTS, docTitle="处罚决定甲乙丙", decidedOn="2026-10-30", publishedOn="2026-10-31")
NEW_NAME = "杭州市西湖区启明新艺术培训中心有限公司"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Work:
    """A notice and a black listing come on the second day; on the third one institution has another name."""
    work = Work(Home(tmp_path_factory.mktemp("past") / "home").prepare(), catalogue, NOON)
    deliver(work, {**world(3), "notices": [notice(1)]}, 0)
    more = {**world(3), "notices": [notice(1), NOTICE], "listings": [*world(3)["listings"], BLACK]}
    deliver(work, more, 1)
    renamed = institution(1, orgName=NEW_NAME, updatedOn="2026-11-02")
    deliver(work, {**more, "institutions": [renamed, institution(2), institution(3)]}, 2)
    return work


class Clock:
    def __init__(self) -> None:
        self.now = NOON + timedelta(days=2)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(published: Work, catalogue: Catalogue, clock: Clock) -> Iterator[Application]:
    app = build_app(published.home.path, dictionary=dictionary(catalogue), now=lambda: clock.now, grace_seconds=0)
    yield app
    app.shelf.close()


@pytest.fixture(scope="module")
def steady(published: Work, catalogue: Catalogue) -> Iterator[Application]:
    """One site for all tests that read and move no clock."""
    app = build_app(published.home.path, dictionary=dictionary(catalogue), now=lambda: NOON + timedelta(days=2))
    yield app
    app.shelf.close()


@pytest.fixture
async def site(steady: Application) -> AsyncIterator[httpx.AsyncClient]:
    async with visitor(steady) as client:
        yield client


async def rows(site: httpx.AsyncClient, path: str, **asked: str) -> list[dict[str, Any]]:
    answer = await site.get(f"/history{path}.json", params={"_shape": "array", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def sql(site: httpx.AsyncClient, text: str, **asked: str) -> list[dict[str, Any]]:
    return await rows(site, "", sql=text, **asked)


def known(published: Work) -> tuple[str, str]:
    """The institution with the new name, and the second notice."""
    return query(published, "SELECT id FROM institutions WHERE name = ?", NEW_NAME)[0][0], query(
        published, "SELECT id FROM notices WHERE facts = ?", FACTS
    )[0][0]


async def test_a_row_as_of_each_release_by_address_and_in_sql(site, published):
    id, _ = known(published)
    names = [(row["release"], row["release_day"], row["name"]) for row in await rows(site, "/institutions_as_of", id=id)]
    old = "杭州市西湖区启明1艺术培训中心有限公司"
    assert names == [(FIRST, FIRST, old), (SECOND, SECOND, old), (THIRD, THIRD, NEW_NAME)]
    (row,) = await rows(site, "/institutions_as_of", id=id, release=SECOND)
    (same,) = await sql(site, "SELECT * FROM institutions_as_of WHERE release = :r AND id = :i", r=SECOND, i=id)
    assert (row["name"], same) == (old, row)
    counts = await sql(site, "SELECT release, count(*) AS n FROM notices_as_of GROUP BY release ORDER BY release")
    assert counts == [{"release": FIRST, "n": 1}, {"release": SECOND, "n": 2}, {"release": THIRD, "n": 2}]


async def test_each_release_is_shown_as_its_own_database_has_it(site, published, catalogue):
    for release in (FIRST, SECOND, THIRD):
        with closing(sqlite3.connect(f"file:{published.home.releases / release / 'mingbai.db'}?mode=ro", uri=True)) as own:
            for name in ("institutions", "listings", "notices", "permits", "documents", "sources"):
                columns = ", ".join(f'"{column.name}"' for column in catalogue.tables[name].published)
                key = ", ".join(catalogue.tables[name].key)
                had = own.execute(f"SELECT {columns} FROM {name} ORDER BY {key}").fetchall()
                told = await sql(site, f"SELECT {columns} FROM {name}_as_of WHERE release = :r ORDER BY {key}", r=release)
                assert [tuple(row.values()) for row in told] == had, (release, name)


async def test_a_difference_is_net_and_goes_both_ways(site, published):
    id, new = known(published)
    (row,) = await rows(site, "/institutions_difference", from_release=FIRST, to_release=THIRD)
    assert (row["kind"], row["id"], row["after_name"], row["before_region_code"]) == ("change", id, NEW_NAME, "330106")
    (back,) = await rows(site, "/institutions_difference", from_release=THIRD, to_release=FIRST)
    assert (back["kind"], back["before_name"]) == ("change", NEW_NAME)
    (added,) = await rows(site, "/notices_difference", from_release=FIRST, to_release=THIRD)
    assert (added["kind"], added["id"], added["before_title"], added["after_facts"]) == ("add", new, None, FACTS)
    (removed,) = await rows(site, "/notices_difference", from_release=SECOND, to_release=FIRST)
    assert (removed["kind"], removed["id"], removed["before_facts"], removed["after_facts"]) == ("remove", new, FACTS, None)
    assert await rows(site, "/notices_difference", from_release=SECOND, to_release=THIRD) == []
    assert await rows(site, "/notices_difference", from_release=SECOND, to_release=SECOND) == []


def test_what_changed_and_changed_back_is_no_difference():
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """CREATE TABLE releases (number INTEGER, id TEXT, day TEXT); INSERT INTO releases VALUES (1, 'a', 'a'), (2, 'b', 'b'), (3, 'c', 'c'), (4, 'd', 'd');
        CREATE TABLE t (k TEXT, v TEXT, release_from INTEGER, release_to INTEGER, PRIMARY KEY (k, release_from)) WITHOUT ROWID;
        INSERT INTO t VALUES ('same', 'x', 1, NULL), ('back', 'x', 1, 2), ('back', 'y', 2, 3), ('back', 'x', 3, NULL), ('again', 'x', 1, 2), ('again', 'x', 3, 4),
        ('again', 'z', 4, NULL), ('off', NULL, 2, 3), ('empty', NULL, 1, 3), ('empty', '', 3, NULL);
        CREATE TABLE changes (number, release, table_name, "key", kind, field, "before", "after", cause, subject, region, effective_on, published_on, is_shown);
        CREATE TABLE change_counts (release, table_name, kind, cause, region, "rows");"""
    )
    for name in ("releases", "t", "changes", "change_counts"):
        connection.execute(f'CREATE TEMP VIEW "_in_force_{name}" AS SELECT * FROM main."{name}"')
    of_past.make_views(connection, of_past.views(connection, ["t", "releases"]))
    numbers = "abcd"

    def live(at: str) -> dict[str, Any]:
        number = numbers.index(at) + 1
        return dict(
            connection.execute("SELECT k, v FROM t WHERE release_from <= ? AND coalesce(release_to, 9) > ?", [number, number]).fetchall()
        )

    for one in numbers:
        for other in numbers:
            was, now = live(one), live(other)
            expected = [(k, "add", None, now[k]) for k in now.keys() - was.keys()]
            expected += [(k, "remove", was[k], None) for k in was.keys() - now.keys()]
            expected += [(k, "change", was[k], now[k]) for k in was.keys() & now.keys() if was[k] != now[k]]
            found = connection.execute(
                "SELECT k, kind, before_v, after_v FROM t_difference WHERE from_release = ? AND to_release = ?", [one, other]
            ).fetchall()
            assert sorted(found) == sorted(expected), (one, other)
    assert {kind for (kind,) in connection.execute("SELECT kind FROM t_difference")} == {"add", "remove", "change"}


async def test_releases_and_changes_are_by_id_and_day(site, published):
    id, new = known(published)
    assert [(row["id"], row["day"], row["number"]) for row in await rows(site, "/releases")] == [
        (FIRST, FIRST, 1),
        (SECOND, SECOND, 2),
        (THIRD, THIRD, 3),
    ]
    (name,) = await rows(site, "/changes", subject=id, field="name")
    assert (name["release"], name["recorded_on"], name["kind"], name["after"], name["cause"]) == (
        THIRD,
        THIRD,
        "change",
        NEW_NAME,
        "source",
    )
    (added,) = await rows(site, "/change_counts", table_name="notices")
    assert (added["release"], added["rows"]) == (SECOND, 1)
    assert [row["key"] for row in await rows(site, "/changes", release=SECOND, table_name="notices")] == [new]


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_every_table_has_a_page_that_describes_its_columns(site, lang):
    prefix = "" if lang == "zh" else "/en"
    listed = (await site.get(f"{prefix}/history.json")).json()["tables"]
    front = (await site.get(f"{prefix}/history")).text
    assert len(listed) > 30
    assert {"ratings_as_of", "institutions", "notices", "sqlite_master"} & {table["name"] for table in listed} == set()
    for table in listed:
        page = await site.get(f"{prefix}/history/{table['name']}", params={"_size": "2"})
        assert page.status_code == 200, table
        assert f'<html lang="{wording(lang)["site.lang"]}">' in page.text
        assert f'href="{prefix}/history/{table["name"]}"' in front
        for column in table["columns"]:
            described = re.search(rf"<dt><code>{column}</code></dt><dd>(.+?): .+?</dd>", page.text)
            assert described, (table["name"], column)
        assert not re.search(r"history\.[a-z_.]+</", page.text)
        assert "<form" in page.text
    links = {link for link in re.findall(r'href="(/[^"]*history[^"]*)"', front) if not link.startswith(prefix or "/history")}
    assert links <= {"/history", "/en/history"}
    assert wording(lang)["history.changes_of_an_institution"] in front


def test_every_word_of_the_past_is_said(catalogue):
    said = of_past.described(dictionary(catalogue))
    texts = json.dumps([said, *(of_past.queries(lang) for lang in LANGUAGES)], ensure_ascii=False)
    templates = "".join(path.read_text("utf-8") for path in (Path(of_past.__file__).parent / "templates").glob("*.html"))
    plugin = (Path(of_past.__file__).parent / "plugin.py").read_text("utf-8")
    fields = {
        f"history.asked.{name}" for sql in of_past.QUERIES.values() for name in re.findall(r":(\w+)", sql)
    }  # of the forms of ready questions
    assert fields <= wording("zh").keys()
    for key, text in wording("zh").items():
        if key.startswith("history.") and "{" not in text and key not in fields:
            assert json.dumps(text, ensure_ascii=False)[1:-1] in texts or f"'{key}'" in templates or f'"{key}"' in plugin, key


async def test_pages_csv_sort_and_filters_go_by_key(site, published):
    first = (await site.get("/history/institutions_as_of.json?_size=2")).json()
    assert first["primary_keys"] == ["release", "id"]
    everything, following = first["rows"], first["next_url"]
    while following:
        page = (await site.get(following)).json()
        everything, following = everything + page["rows"], page["next_url"]
    assert len(everything) == 9
    assert everything == sorted(everything, key=lambda row: (row[0], row[2]))
    streamed = list(csv.DictReader(io.StringIO((await site.get("/history/institutions_as_of.csv?_stream=on&release=2026-11-02")).text)))
    assert [row["id"] for row in streamed] == [row[2] for row in everything if row[0] == SECOND]
    down = await rows(site, "/institutions_as_of", release=THIRD, _sort_desc="name")
    assert [row["name"] for row in down] == sorted((row["name"] for row in down), reverse=True)
    assert len(await rows(site, "/institutions_as_of", release=THIRD, name__contains="启明新")) == 1
    row = (await site.get(f"/history/institutions_as_of/{THIRD},{known(published)[0]}.json?_shape=array")).json()
    assert [one["name"] for one in row] == [NEW_NAME]
    assert (await site.get("/history/institutions_as_of?_facet=region_code")).status_code == 400
    assert (await site.get("/history/institutions_as_of?_timelimit=x")).status_code == 400


async def test_the_ready_made_queries_answer_with_releases_or_days(site, published):
    id, _ = known(published)
    for day, name in (("2026-11-02", "启明1"), ("2026-11-03", "启明新")):
        (row,) = await rows(site, "/institution_on_a_day", id=id, day=day)
        assert name in row["name"]
    (row,) = await sql(site, of_past.QUERIES["institution_on_a_day"], id=id, day="2026-11-05")  # to come, for this site
    assert "启明新" in row["name"]
    for none, status in (("", 400), ("2026-10-31", 404), ("gestern", 400), ("2026-11-3", 400), ("2999-01-01", 400)):
        assert (await site.get("/history/institution_on_a_day.json", params={"id": id, "day": none})).status_code == status, none
        assert await sql(site, of_past.QUERIES["institution_on_a_day"], id=id, day=none) == [], none
    assert {row["release"] for row in await rows(site, "/changes_of_an_institution", id=id)} >= {THIRD}
    assert await rows(site, "/corrections_and_withdrawals") == []
    page = await site.get("/en/history/institution_on_a_day", params={"id": id, "day": THIRD})
    assert NEW_NAME in page.text
    assert 'action="/en/history/institution_on_a_day"' in page.text
    assert wording("en")["history.institution_on_a_day.about"] in unescape(page.text)
    assert 'name="day" value="2026-11-03"' in page.text


async def test_a_ready_question_says_what_it_still_needs(site):
    at, none = "/history/left_the_white_list", wording("zh")["table.none"]
    for asked, missing in (({}, "from to region"), ({"from": FIRST, "region": "330000"}, "to"), ({"from": FIRST, "to": SECOND}, "region")):
        page = await site.get(at, params=asked)
        assert page.status_code == 200
        said = wording("zh")["history.to_fill"].split("{")[0]
        note = next(line for line in unescape(page.text).splitlines() if said in line)
        assert none not in page.text
        for key in ("from", "to", "region"):
            assert (wording("zh")[f"history.asked.{key}"] in note) == (key in missing.split()), (asked, key)
            assert wording("zh")[f"history.asked.{key}"] in page.text, "the label of its field"
        for form in (".json", ".csv"):
            answer = await site.get(at + form, params=asked)
            assert (answer.status_code, none in answer.text) == (400, False)
            assert all(f"{key} (" in unescape(answer.text) for key in missing.split()), (asked, form)
    whole = await site.get(at, params={"from": FIRST, "to": SECOND, "region": "330000"})
    assert none in whole.text, "that is an answer"


async def test_a_region_of_a_ready_question_is_a_code_or_leads_to_one(site):
    asked = {"from": FIRST, "to": SECOND}
    for form in ("", ".json"):
        at = f"/en/history/left_the_white_list{form}"
        named = await site.get(at, params={**asked, "region": "浙江"})
        assert (named.status_code, named.headers["location"]) == (308, f"{at}?from={FIRST}&to={SECOND}&region=330000")
        for unknown in ("Atlantis", "999999", "鼓楼区"):
            refused = await site.get(at, params={**asked, "region": unknown})
            assert refused.status_code == 400, unknown
            assert ("320106" if unknown == "鼓楼区" else "330000") in refused.text
    assert (await site.get("/history/left_the_white_list.json", params={**asked, "region": "000000"})).status_code == 200


async def test_who_left_the_white_list_is_who_is_on_none_any_more(published, catalogue, clock, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(published.home.path, home, symlinks=True)
    id, _ = known(published)
    with closing(sqlite3.connect(home / "past" / f"{THIRD}.db")) as past:
        (other,) = past.execute("SELECT id FROM institutions WHERE id <> ? LIMIT 1", [id]).fetchone()
        past.execute("UPDATE listings SET list = 'white', absent_since = NULL")
        columns = [row[1] for row in past.execute("PRAGMA table_info(listings)")]
        for subject, listing in ((id, "l-left"), (other, "l-moved")):  # both leave this one; one of them has another one all the time
            values = {
                "id": listing,
                "institution_id": subject,
                "list": "white",
                "region_code": "330106",
                "release_from": 2,
                "release_to": 3,
            }
            past.execute(f"INSERT INTO listings VALUES ({','.join('?' * len(columns))})", [values.get(column) for column in columns])
        past.execute("DELETE FROM listings WHERE institution_id = ? AND id <> 'l-left'", [id])
        past.commit()
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: clock.now)
    async with visitor(app) as site:
        for region in ("330106", "330100", "330000", "000000"):
            asked = {"from": SECOND, "to": THIRD, "region": region}
            assert [row["institution_id"] for row in await rows(site, "/left_the_white_list", **asked)] == [id], region
        assert await rows(site, "/left_the_white_list", **{**asked, "region": "330110"}) == []
        assert await rows(site, "/left_the_white_list", **{**asked, "from": FIRST}) == []
        for key, day, status in (("to", "2026-12-31", 400), ("to", "2026-11-31", 400), ("to", "zzz", 400), ("from", "2020-01-01", 404)):
            answer = await site.get("/history/left_the_white_list.json", params={**asked, key: day})  # and nobody is said to have left
            assert (answer.status_code, "rows" in answer.json()) == (status, False), (key, day)
        query = {"sql": of_past.QUERIES["left_the_white_list"], "_shape": "array", **asked, "to": "2026-12-31"}
        assert (await site.get("/history.json", params=query)).json() == []
    app.shelf.close()


ENDED = ("notices", "notice_links", "notice_penalties", "notice_measures", "notice_statements", "documents", "listings")
PUBLIC = [f"{table}_{end}" for table in ENDED for end in ("as_of", "difference")] + ["changes"]
WAYS_AROUND = (
    *(f"select * from main.{table}" for table in (*ENDED, "changes", "releases", "institutions")),
    *(f"select * from {table}" for table in (*ENDED, "institutions", "permits")),
    *(f"with {table}_as_of as (select * from main.{table}) select * from {table}_as_of" for table in ENDED),
    *(f"with _in_force_{table} as (select * from main.{table}) select * from _in_force_{table}" for table in ENDED),
    *(f"with _IN_FORCE_{table} as (select * from main.{table}) select * from _IN_FORCE_{table}" for table in ENDED),
    *(f"select * from (select * from main.{table}) as notices_as_of" for table in ENDED),
    "with changes as (select * from main.changes) select * from changes",
    "select * from temp._in_force_notices",
    "select mingbai_ended('notices')",
    "select * from json_each(MINGBAI_ENDED('documents'))",
    "select * from releases where id in (mingbai_ended('listings'))",
    "select count(*) from main.notices",
    "select count(*) from notices",
    "select 1 from main.releases",
    "select count(*) from main.changes",
    "select count(*) from sqlite_schema",
    "select exists (select 1 from listings)",
    "select count(*) from pragma_database_list",
    "select exists (select 1 from main.notices)",
    *(f"select count(*) from {name}" for name in ("MAIN.changes", "Main.notices", "[MAIN].releases", '"mAIN".sqlite_schema', "TEMP._in_force_notices", "Temp.sqlite_schema")),
    "select (select group_concat(quote(x.id)) from main.notices x) from releases",
    *(f"select * from {name}" for name in ("sqlite_master", "main.sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "dbstat", "sqlite_stmt", "sqlite_stat1", "sqlite_dbpage")),
    *(f"select * from pragma_{name}" for name in ("database_list", "table_info('notices')", "table_xinfo('notices')", "index_list('notices')", "table_list", "function_list", "page_count")),
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS_AROUND)
async def test_nothing_but_the_views_can_be_read(site, published, way):
    for end in ("", ".json", ".csv"):
        answer = await site.get(f"/history{end}", params={"sql": way})
        assert answer.status_code == 400 or (end == ".csv" and not answer.text.strip())  # Datasette has sent 200 when a CSV fails
        assert FACTS not in answer.text
        assert str(published.home.path) not in answer.text
    answer = await site.get("/history/releases.json", params={"_where": f"id in (select 1 from ({way}))"})
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/history/notices", "/history/sqlite_master", "/history/_in_force_notices", "/history/NOTICES_AS_OF", "/history/ratings_as_of", "/history.db", "/history/-/x"])  # fmt: skip
async def test_what_is_not_on_the_list_is_not_there(site, path):
    assert (await site.get(path)).status_code == 404


@pytest.mark.parametrize("over", [False, True])
async def test_what_ends_at_midnight_is_in_no_table_of_the_past_after_it(app, published, clock, over):
    """The server runs on over midnight: its threads have been asked before."""
    async with visitor(app) as site:
        await over_midnight(site, published, clock, over)


async def over_midnight(site: httpx.AsyncClient, published: Work, clock: Clock, over: bool) -> None:
    _, new = known(published)
    ((black,),) = query(published, "SELECT id FROM listings WHERE list = 'black'")
    clock.now = MIDNIGHT - timedelta(seconds=1)
    for _ in range(2):
        seen = {}
        for table in PUBLIC:
            for path in (f"{table}.json?_shape=array", f"{table}.csv?_stream=on", f"{table}?_size=200"):
                answer = await site.get(f"/history/{path}")
                assert answer.status_code == 200, path
                seen[path] = answer.text
            seen[f"sql {table}"] = (await site.get("/history.csv", params={"sql": f"select * from {table}"})).text
        for path, text in seen.items():
            words = (FACTS, "处罚决定甲乙丙", "黑名单公告甲乙丙")
            words += tuple(json.dumps(word).strip('"') for word in words)
            ended = clock.now >= MIDNIGHT
            assert not (ended and any(word in text for word in words)), path
            if not path.startswith(("changes", "sql changes")):
                assert not (ended and (new in text or black in text)), path
        whole = "".join(seen.values())
        assert (json.dumps(FACTS).strip('"') in whole, black in seen["listings_as_of.json?_shape=array"]) == (clock.now < MIDNIGHT,) * 2
        if over:
            clock.now = MIDNIGHT
    counted = await sql(
        site, "select distinct region from change_counts where table_name in ('notices', 'notice_links', 'documents', 'listings')"
    )
    assert counted == [{"region": ""}], "before it as after it: who compares them would know where it was"
    told = await rows(site, "/changes", _where=f"key in ('{new}', '{black}')")
    assert {(row["is_shown"], row["region"] is None) for row in told} == ({(0, True)} if over else {(1, False)})
    if over:
        assert {row["key"] for row in told} == {new}, "of a listing not even which"
        (hidden,) = await rows(site, "/changes", _where="table_name = 'listings' and not is_shown")
        assert (hidden["subject"], hidden["region"], hidden["key"][0]) == (None, None, "#")
        assert (await site.get(f"/history/notices_as_of/{THIRD},{new}")).status_code == 404
        assert await sql(site, "select count(*) as n from notices_difference where from_release = :a and to_release = :b", a=FIRST, b=THIRD) == [{"n": 0}]  # fmt: skip


@pytest.mark.parametrize("torn", [None, b"", b"torn", "other"])
async def test_without_its_file_only_the_past_is_away_until_it_is_there_again(published, catalogue, clock, tmp_path, torn):
    home = tmp_path / "home"
    shutil.copytree(published.home.path, home, symlinks=True)
    file = home / "past" / f"{THIRD}.db"
    whole = file.read_bytes()
    file.unlink()
    if torn == "other":
        file.write_bytes(whole)
        with closing(sqlite3.connect(file)) as past:
            past.execute("UPDATE releases SET id = 'another' WHERE number = 3")
            past.commit()
    elif isinstance(torn, bytes):
        file.write_bytes(torn)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: clock.now)
    async with visitor(app) as site:
        for path in ("/history", "/en/history/institutions_as_of", "/history/changes.csv", "/history.json?sql=select+1"):
            answer = await site.get(path)
            assert answer.status_code == 503, path
            assert wording("en" if "/en/" in path else "zh")[f"problem.no_past.{'text' if '.json' in path else 'title'}"] in answer.text
            assert str(home) not in answer.text
        assert (await site.get("/mingbai/institutions.json")).status_code == 200
        assert (await site.get("/-/databases.json")).status_code == 200
        file.unlink(missing_ok=True)
        file.write_bytes(whole)
        file.write_bytes(whole[:68] + b"\0\0\0\1" + whole[72:])
        assert not has_past(Home(home), THIRD), "judged by other code than hides today"
        file.write_bytes(whole)
        assert has_past(Home(home), THIRD)
        assert len(await rows(site, "/releases")) == 3
    app.shelf.close()


async def test_a_request_reads_the_past_of_its_own_release_though_the_next_one_took_its_file(published, catalogue, clock, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(published.home.path, home, symlinks=True)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: clock.now, grace_seconds=0)
    work = Work(Home(home), catalogue, NOON)
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        nonlocal body
        if message["type"] == "http.response.body":
            if not body:
                deliver(work, {**world(3), "notices": [notice(1), NOTICE], "listings": [*world(3)["listings"], BLACK]}, 3)
                for _ in range(2):
                    await app.shelf.refresh()
            body += message["body"]

    path = "/history/releases.csv"
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"_stream=on&_sort_desc=number",
        "headers": [], "scheme": "http",
    }  # fmt: skip
    await app(scope, receive, send)
    assert app.shelf.reader is not None
    assert app.shelf.reader.id == "2026-11-04"
    assert [row["id"] for row in csv.DictReader(io.StringIO(body.decode()))] == [THIRD, SECOND, FIRST]
    async with visitor(app) as site:
        assert [row["id"] for row in await rows(site, "/releases")][-1] == "2026-11-04"
        await app.shelf.refresh()
        assert [one["name"] for one in (await site.get("/-/databases.json")).json()] == ["mingbai-2026-11-04-2", "history-2026-11-04-2"]
    app.shelf.close()


async def test_threads_that_come_late_still_read_a_file_that_is_gone(published, catalogue, clock, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(published.home.path, home, symlinks=True)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: clock.now)
    (home / "past" / f"{THIRD}.db").unlink()
    async with visitor(app) as site:
        assert len(await rows(site, "/releases")) == 3
    app.shelf.close()


async def test_a_query_that_takes_too_long_says_so_in_every_format(site):
    for end in ("", ".json", ".csv"):
        slow = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
        answer = await site.get(f"/history{end}", params={"sql": slow})
        assert (answer.status_code, "mingbai sql --release mingbai.db" in unescape(answer.text).replace('\\"', '"')) == (400, True)
        assert ('href="/data/latest"' in answer.text) == (end != ".json")


@pytest.mark.bench
def test_a_year_of_a_hundred_thousand_institutions_is_read_within_the_limit(tmp_path: Path, catalogue: Catalogue) -> None:
    connection = year(tmp_path / "past.db", catalogue)
    table = catalogue.tables["institutions"]
    for name in ("releases", "institutions", "changes", "change_counts"):
        connection.execute(f'CREATE TEMP VIEW "_in_force_{name}" AS SELECT * FROM main."{name}"')
    of_past.make_views(connection, of_past.views(connection, ["institutions"]))
    (id,) = connection.execute("SELECT id FROM main.institutions LIMIT 1 OFFSET 5000").fetchone()
    one, year_of = "release = '2026-06-06'", "from_release = '2026-01-01' AND to_release = '2026-12-31'"
    deep = f"({year_of.replace(' AND', ' OR', 1)}) AND id > 'i-000000099000'"
    for text in (
        f"SELECT * FROM institutions_as_of WHERE id = '{id}' ORDER BY release, id LIMIT 51",
        f"SELECT count(*) FROM institutions_as_of WHERE {one}",
        f"SELECT * FROM institutions_as_of WHERE {one} AND region_code = '330104' ORDER BY release, id",
        f"SELECT * FROM institutions_difference WHERE {year_of} ORDER BY from_release, to_release, id LIMIT 201",
        f"SELECT * FROM institutions_difference WHERE {year_of} AND {deep} ORDER BY from_release, to_release, id LIMIT 201",
        "SELECT count(*) FROM institutions_difference WHERE from_release = '2026-06-05' AND to_release = '2026-06-06'",
    ):
        took = []
        for _ in range(3):
            began = time.process_time()
            assert connection.execute(text).fetchall()
            took.append(time.process_time() - began)
        assert min(took) < int(SETTINGS["sql_time_limit_ms"]) / 1000, text
    assert table.name in of_past.QUERIES["institution_on_a_day"]


def year(path: Path, catalogue: Catalogue) -> sqlite3.Connection:
    """A file of the past with 100,000 institutions, of which in each of 365 releases 500 change."""
    columns = [column.name for column in catalogue.tables["institutions"].published]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE releases (number INTEGER PRIMARY KEY, id TEXT UNIQUE, day TEXT, is_pipeline INTEGER);"
        "CREATE TABLE changes (number INTEGER PRIMARY KEY, release, table_name, key, kind, field, before, after, cause, subject, region, effective_on, published_on, is_shown);"
        "CREATE TABLE change_counts (release, table_name, kind, cause, region, rows);"
        f"CREATE TABLE institutions ({', '.join(columns)}, release_from INTEGER, release_to INTEGER, PRIMARY KEY (id, release_from)) WITHOUT ROWID;"
    )
    days = [(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)).date().isoformat() for day in range(365)]
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO releases VALUES (?, ?, ?, 0)", [(number, day, day) for number, day in enumerate(days, 1)])

    def intervals() -> Iterator[list[Any]]:
        for number in range(100_000):
            first = number % 200 + 2  # each changes every 200 days
            starts = [1, *range(first, 366, 200)]
            for begins, ends in zip(starts, [*starts[1:], None], strict=True):
                row = {
                    "id": f"i-{number:012}",
                    "name": f"杭州市西湖区启明{number}艺术培训中心有限公司{begins}",
                    "region_code": f"3301{number % 300:02}",
                }
                yield [row.get(column, "一些文字") for column in columns] + [begins, ends]

    connection.executemany(f"INSERT INTO institutions VALUES ({','.join('?' * (len(columns) + 2))})", intervals())
    connection.execute("CREATE INDEX institutions_by_region ON institutions (region_code)")
    connection.execute("COMMIT")
    return connection
