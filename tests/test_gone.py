"""What the newest release does not have any more is told by nothing that tells of earlier ones, whatever became of it: its list may merely have lost it (rules 5, 6)."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import httpx
import pytest

from making import NOON, credit_code, deliver, institution, notice, rating, world
from publish.catalogue import Catalogue, dictionary
from publish.home import Home
from publish.web.server import Application, build_app
from publish.work import Work

SECOND, LAST = "2026-11-02", "2026-11-05"
CODE = credit_code(2)
STAYS, GONE, MASKED = "子丑寅卯", ("甲乙丙丁", "戊己庚辛"), "钱某"


def marked(number: int, mark: str, **more: Any) -> dict[str, Any]:
    """A notice all of whose texts have a mark."""
    texts = {"title": f"关于{mark}的处罚决定", "facts": f"{mark}擅自办学", "penaltyContent": f"责令{mark}停办", "docTitle": f"{mark}决定书", "docNo": f"{mark}罚〔2026〕{number}号"}  # fmt: skip
    return notice(number, decidedOn="2026-10-30", publishedOn="2026-10-31", docUrl=f"https://example.org/n/{number}", **texts, **more)


THERE = marked(1, STAYS)
ORGANISATION = marked(2, GONE[0], creditCode=CODE, penaltyTypes=["吊销许可证件"], measures=["列入黑名单"])
PERSON = marked(3, GONE[1], subjectName="钱小明", subjectType="个人")
FATES = {  # what their source says of the two after the second release, delivery by delivery
    "absent": ([], []),
    "withdrawn, and over": ([{**ORGANISATION, "state": "已撤销"}, {**PERSON, "publicUntil": "2026-11-02"}],),
    "repaired": ([{**it, "state": "已修复"} for it in (ORGANISATION, PERSON)],),
}


@pytest.fixture(scope="module", params=FATES)
def gone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue
) -> Iterator[tuple[Work, Application]]:
    """Three notices came with the second release, and two of them are gone."""
    work = Work(Home(tmp_path_factory.mktemp(request.param) / "home").prepare(), catalogue, NOON)
    there = {**world(3), "institutions": [institution(1), institution(2, creditCode=CODE), institution(3)]}
    for day, notices in enumerate(([], [THERE, ORGANISATION, PERSON], *([THERE, *after] for after in FATES[request.param]))):
        deliver(work, {**there, "notices": notices, "ratings": [rating(1, histogram=(9, day, 2, 3, 4))]}, day)
    app = build_app(work.home.path, dictionary=dictionary(catalogue), now=lambda: datetime.fromisoformat(f"{LAST}T13:00:00+08:00"))
    yield work, app
    app.shelf.close()


def visitor(app: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1", follow_redirects=True)


def then(work: Work, sql: str, *values: Any) -> list[str]:
    """The first column of what the second release answers, which had all three."""
    with closing(sqlite3.connect(f"file:{work.home.releases / SECOND / 'mingbai.db'}?mode=ro&immutable=1", uri=True)) as connection:
        return [str(first) for first, *_ in connection.execute(sql, values)]


def id_of(work: Work, mark: str) -> str:
    (id,) = then(work, "SELECT id FROM notices WHERE instr(title, ?)", mark)
    return id


async def said(client: httpx.AsyncClient, paths: Iterable[str], never: Iterable[str]) -> int:
    """How many of the answers have the notice that stays; none may have any of the texts that are never said."""
    texts = {}
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code == 200, path
        texts[path] = answer.text
    assert not [(path, text) for path, whole in texts.items() for text in never if text in whole]
    return sum(STAYS in whole for whole in texts.values())


async def test_pages_of_an_earlier_release_have_nothing_of_it(gone: tuple[Work, Application]) -> None:
    work, app = gone
    ids = [id_of(work, mark) for mark in GONE]
    institutions = [f"/institutions/{id}{end}" for id in then(work, "SELECT id FROM institutions ORDER BY id") for end in ("", ".json")]
    async with visitor(app) as client:
        pages = ("/", "/en/", "/data", "/notices", "/en/notices", "/notices.json", *institutions)
        assert await said(client, [f"{page}?as_of={SECOND}" for page in pages], (*GONE, *ids, MASKED)) >= 7
        await said(client, [f"/search{end}?q=启明&as_of={SECOND}" for end in ("", ".json")], (*GONE, *ids, MASKED))
        for id in ids:
            for end in ("", ".json"):
                answers = [await client.get(f"{lang}/notices/{id}{end}?as_of={SECOND}") for lang in ("", "/en")]
                assert [answer.status_code for answer in answers] == [410] * 2
                assert not [text for answer in answers for text in (*GONE, MASKED) if text in answer.text]
            now, before = [(await client.get(f"/notices/{id}.json{of}")).json()["tombstone"] for of in ("", f"?as_of={SECOND}")]
            assert now == before, "the same day and class of reason"


async def test_no_search_of_an_earlier_release_finds_it(gone: tuple[Work, Application]) -> None:
    _, app = gone
    async with visitor(app) as client:
        for mark, there in ((STAYS, 1), (GONE[0], 0), (GONE[1], 0)):
            for query in (mark, f"事实:{mark}", f"{mark}罚〔2026〕1号", f"{mark} OR 查无此词"):
                found = (await client.get("/notices.json", params={"q": query, "as_of": SECOND})).json()
                assert found["total"] == len(found["results"]) == there, query
            beside = (await client.get("/search.json", params={"q": mark, "as_of": SECOND})).json()
            assert len(beside["notices"]) == there, mark
        for asked in ({}, {"q": "NOT 查无此词"}, {"q": "停办 OR 措施:黑名单"}, {"kind": "penalty"}, {"q": f"{GONE[1]}罚〔2026〕3号"}):
            found = (await client.get("/notices.json", params={**asked, "as_of": SECOND})).json()
            number = int(GONE[1] not in asked.get("q", ""))
            assert [found["total"], sum(found["facets"]["kind"].values())] == [number] * 2, asked


async def test_no_answer_of_an_earlier_release_is_made_of_it(gone: tuple[Work, Application]) -> None:
    work, app = gone
    parts = ("status", "lists", "reasons", "notes", "notices_in_force", "notices", "unmatched_notices")
    async with visitor(app) as client:
        for asked in ({"code": CODE}, {"name": "杭州市西湖区启明2艺术培训中心有限公司", "region": "330106"}):
            now, before = [(await client.get("/verify.json", params={**asked, **of})).json() for of in ({}, {"as_of": SECOND})]
            assert [before[part] for part in parts] == [now[part] for part in parts]
            assert (now["status"], now["notices_in_force"]) == ("listed", 0)
        for page in [f"/institutions/{id}.json" for id in then(work, "SELECT id FROM institutions")]:
            now, before = [(await client.get(page, params=of)).json() for of in ({}, {"as_of": SECOND})]
            assert [it["id"] for it in before["notices"]] == [it["id"] for it in now["notices"]]


async def test_what_tells_of_changes_and_of_the_past_says_that_it_came_and_went_and_no_more(gone: tuple[Work, Application]) -> None:
    work, app = gone
    ids = [id_of(work, mark) for mark in GONE]
    asked = (f"release={SECOND}", "from=2026-11-01&limit=200", "from=2026-11-01&table=notice_measures", *(f"subject={id}" for id in ids))
    tables = ("notices", "notice_penalties", "notice_measures", "notice_links", "documents", "listings")
    never = (*GONE, MASKED, "revoke_permit", "blacklisted", "吊销许可证件", "列入黑名单")
    of_day = [f"/history/{table}_as_of{form}?release={SECOND}" for table in tables for form in (".json", ".csv")]
    between = [f"/history/{table}_difference.json?from_release={one}&to_release={other}" for table in tables for one, other in ((SECOND, work.live), (work.live, SECOND))]  # fmt: skip
    async with visitor(app) as client:
        assert await said(client, [f"/changes{form}?{each}" for each in asked for form in ("", ".json")], never) >= 4
        assert await said(client, [f"/changes.csv?from=2026-11-01&region={code}" for code in ("330000", "330106")], (*never, *ids)) == 2
        assert await said(client, ["/history/changes.json?_size=max", "/history/change_counts.json?_size=max"], never) == 0
        assert await said(client, [f"/history/notices_as_of?release={SECOND}", *of_day, *between], (*never, *ids)) >= 3
        for id in then(work, "SELECT id FROM institutions"):
            told = (await client.get("/changes.json", params={"subject": id, "limit": "200"})).json()["items"]
            assert not set(ids) & {part for item in told for part in (item["key"] or "").split(" ")}, "it is nobody's"
        for id in ids:
            told = (await client.get("/changes.json", params={"subject": id})).json()["items"]
            parts = ("table", "kind", "is_shown", "region", "effective_on", "published_on", "name")
            assert {tuple(item[part] for part in parts) for item in told} == {("notices", kind, False, None, None, None, None) for kind in ("add", "remove")}  # fmt: skip
            assert not any(item["fields"] for item in told)


async def test_no_delta_and_no_feed_has_it(gone: tuple[Work, Application]) -> None:
    work, app = gone
    institutions = then(work, "SELECT id FROM institutions")
    forms = ("", ".atom", ".rss", ".json", "/since/0.json", "/archive/1.json")
    feeds = [f"/feeds/{key}{form}" for key in ("notices", "records", "corrections", "records/region/330106") for form in forms]
    searches = [f"/feeds/records.{form}?{asked}" for form in ("atom", "json") for asked in ("kind=penalty", "q=处罚决定")]
    async with visitor(app) as client:
        index = (await client.get("/deltas/index.json")).json()
        given = {one["id"]: one["delta"]["is_given"] for one in index["releases"] if one["delta"]}
        assert given[SECOND] is False
        for which in (*given, "day", "week", "month"):
            for form in ("ndjson", "csv"):
                answer = await client.get(f"/deltas/{which}.{form}")
                assert answer.status_code in ((200, 404) if given.get(which, True) else (410,)), which
                assert not [text for text in (*GONE, MASKED) if text in answer.text], which
        assert await said(client, [*feeds, *searches], (*GONE, MASKED)) >= 8
        assert await said(client, [f"/feeds/institutions/{id}.{form}" for id in institutions for form in ("atom", "json")], GONE) == 2
