"""Feeds as a newsroom meets them: what is served under /feeds, that nothing is missed, and that nothing is said that may not be said today."""

import asyncio
import gzip
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import brotli
import feedparser
import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.channel import Channel
from publish.errors import BadHome
from publish.families import authority_key
from publish.feedfile import feedfile
from publish.home import CHINA, Home
from publish.web import site as web_site
from publish.web.feedfile import Feeds
from publish.web.feedmade import Other
from publish.web.kept import Kept
from publish.web.reader import Reader
from publish.web.server import build_app
from publish.wording import wording
from readmes import block
from web_release import (
    ACTIVE,
    CLOSED,
    PERSON,
    SERIOUS,
    SHADY,
    SWEET,
    TODAY,
    UNLINKED,
    Rows,
    go_live,
    make_release,
    rows,
    write_index,
    write_past,
)
from web_visitor import sites

SITE, HUB = "https://mingbai.example", "https://hub.example/"
NOON, MIDNIGHT = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)
RELEASES = ("2026-11-20", "2026-11-21", "2026-11-22", TODAY)
FRESH, GONE, CORRECTED, LAST_DAY, MOVED = "n-fresh", "n-gone", "n-corrected", "n-lastday", "n-moved"
MANY = 130  # more than an archive
FORMS = {"atom": "application/atom+xml", "rss": "application/rss+xml", "json": "application/feed+json"}
SECRET = "只在公示期内能说的事实"
AUTHORITY = "福州市鼓楼区教育局"


def _notice(id: str, **more: Any) -> dict[str, Any]:
    facts = {
        "facts": f"{SECRET} {id}",
        "subject_name": f"鼓楼区{id}培训中心",
        "title": f"关于{id}的处罚",
        "document_id": None,
        "decided_on": "2026-11-18",
    }
    return {**rows("")["notices"][0], **facts, "document_no": None, "subject_credit_code": None, **more, "id": id}


def _tables(number: int) -> Rows:
    """What each release has: the first is a source's first import; then news, of which one goes, one is corrected and one ends with the last day."""
    found = rows("x")
    if number >= 1:
        found["notices"] += [
            _notice(FRESH),
            _notice(CORRECTED, fine_fen=100),
            _notice(MOVED, seriousness="serious"),
            _notice(LAST_DAY, public_until=TODAY, region_code="350203"),
        ]
        found["notice_links"] += [{"notice_id": LAST_DAY, "institution_id": SWEET, "method": "credit_code", "confidence": 1.0}]
        found["notices"] += [_notice("n-old", decided_on="2026-01-01")]
    if number == 1:
        found["notices"] += [_notice(GONE)]
    if number >= 2:
        found["notices"] += [_notice(f"n-many{n:03}", violation_type="illegal_fees") for n in range(MANY)]
        next(row for row in found["notices"] if row["id"] == CORRECTED)["fine_fen"] = 200
        next(row for row in found["notices"] if row["id"] == MOVED)["seriousness"] = "general"
    if number >= 3:
        found["listings"] += [
            {**found["listings"][0], "id": "l-new", "institution_id": TONG_NEW, "authority": "厦门市教育局", "region_code": "350203"}
        ]
        found["institutions"] += [{**found["institutions"][1], "id": TONG_NEW, "name": "厦门新来的培训中心"}]
    return found


TONG_NEW = "i-newcomer"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for number, id in enumerate(RELEASES):
        make_release(home, id, catalogue, tables=_tables(number))
    write_past(home, catalogue, *RELEASES)
    write_index(home, *RELEASES)
    go_live(home, TODAY)
    make_feeds(home, catalogue)
    return home


def copied(home: Path, to: Path) -> None:
    """The home without its feeds, for a test that makes others."""
    shutil.copytree(home / "releases", to / "releases", copy_function=os.link)
    for name in ("releases.json", "history.db"):
        os.link(home / name, to / name)
    go_live(to, TODAY)


def make_feeds(home: Path, catalogue: Catalogue, site: str = SITE) -> Path:
    return feedfile(Home(home), catalogue, home / "releases" / TODAY, TODAY, site, (HUB,))


@asynccontextmanager
async def visiting(app: Any, host: str = "site.example", **headers: str) -> Any:
    headers.setdefault("accept-encoding", "identity")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{host}", headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., Any]]:
    """A site over the home at a time."""
    with sites(home, catalogue, NOON, base_url=SITE, hubs=(HUB,)) as make:
        yield make


def numbers(feed: dict[str, Any]) -> list[int]:
    """The numbers of a document in JSON, with those that are replaced."""
    told = [item["_mingbai"] for item in feed["items"]] + feed["_mingbai"].get("deleted", [])
    return sorted(number for one in told for number in (one["number"], *one.get("replaces", ())))


# -- documents by HTTP -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "key", ["notices", "records/region/350102", "releases", "notices/region/440000", "institutions/" + SWEET, "notices?q=收费"]
)
async def test_every_feed_is_had_in_three_forms_that_say_the_same(site, key, form):
    path, mark, query = key.partition("?")
    async with visiting(site()) as client:
        answer = await client.get(f"/feeds/{path}.{form}{mark}{query}")
        other = await client.get(f"/feeds/{path}.json{mark}{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{FORMS[form]}; charset=utf-8"  # without it a browser guesses, and guesses wrong
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "unsafe" not in answer.headers["content-security-policy"]
    ids = [item["id"] for item in other.json()["items"]]
    if form != "json":
        read = feedparser.parse(answer.content)
        assert not read.bozo
        assert [entry.id for entry in read.entries] == ids
        assert f'href="{SITE}/feeds/{path}.{form}' in answer.text


@pytest.mark.parametrize(
    "path", ["/feeds/notices.atom", "/feeds/institutions/" + SWEET + ".rss", "/feeds/records/archive/1.json", "/feeds/notices.json?q=收费"]
)
async def test_a_document_is_the_same_in_every_coding_and_is_not_sent_twice(site, path):
    async with visiting(site()) as client:
        seen = {}
        for accept in ("identity", "gzip", "br, gzip", "gzip;q=1.0, br;q=0.5", "br;q=0, *;q=0.1", "x", "gzip;q=0"):
            cold = await client.get(path, headers={"accept-encoding": accept})
            hot = await client.get(path, headers={"accept-encoding": accept})
            head = await client.head(path, headers={"accept-encoding": accept})
            assert (hot.content, hot.headers) == (cold.content, cold.headers)
            assert (head.content, head.headers) == (b"", cold.headers)
            assert cold.headers["vary"] == ("accept-encoding" if ".json" in path else "accept, accept-encoding")
            seen[accept] = cold.headers.get("content-encoding"), cold.headers["etag"], cold.content
            for asked in (
                {"if-none-match": f'"x", W/{cold.headers["etag"]}'},
                {"if-none-match": "*"},
                {"if-modified-since": cold.headers["last-modified"]},
            ):
                same = await client.get(path, headers={"accept-encoding": accept, **asked})
                assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", cold.headers["etag"])
            later = {"if-none-match": '"x"', "if-modified-since": cold.headers["last-modified"]}
            assert (await client.get(path, headers={"accept-encoding": accept, **later})).status_code == 200
    has_brotli = path == "/feeds/notices.atom"  # made ahead
    codings = [coding for coding, _, _ in seen.values()]
    assert codings == [None, "gzip", "br" if has_brotli else "gzip", "gzip", "gzip", None, None]
    assert len({content for _, _, content in seen.values()}) == 1
    assert len({tag for _, tag, _ in seen.values()}) == len(set(codings))  # each is a representation of its own


@pytest.mark.parametrize("path", ["notices.atom", "notices.rss", f"institutions/{SWEET}.atom", "notices.json"])
async def test_a_browser_is_given_the_same_bytes_as_it_shows_them_with_their_style(site, path):
    chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
    registered = f"{FORMS[path[-4:].strip('.')]}; charset=utf-8"
    shown = registered if path.endswith("json") else "application/xml; charset=utf-8"
    async with visiting(site()) as client:
        for _ in ("made", "kept"):
            asked = [
                await client.get(f"/feeds/{path}", headers={"accept": accept})
                for accept in ("*/*", chromium, "application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.1")
            ]
            assert [one.headers["content-type"] for one in asked] == [registered, shown, registered]
            assert len({one.content for one in asked}) == len({one.headers["vary"] for one in asked}) == 1
            tags = [one.headers["etag"] for one in asked]
            assert (tags[0] == tags[2], tags[0] != tags[1]) == (True, shown != registered)  # each is a representation of its own
        same = await client.get(f"/feeds/{path}", headers={"accept": chromium, "if-none-match": tags[1]})
    assert (same.status_code, same.headers["etag"]) == (304, tags[1])


async def test_what_is_made_ahead_leaves_as_it_was_made(site, home):
    packed = {}
    async with visiting(site()) as client:
        for coding in ("br", "gzip"):
            async with client.stream("GET", "/feeds/notices.rss", headers={"accept-encoding": coding}) as answer:
                packed[coding] = b"".join([part async for part in answer.aiter_raw()])
                assert answer.headers["content-length"] == str(len(packed[coding]))
        plain = await client.get("/feeds/notices.rss")
    assert brotli.decompress(packed["br"]) == gzip.decompress(packed["gzip"]) == plain.content


async def test_a_part_of_a_document_can_be_had_and_only_of_the_same_one(site):
    path = "/feeds/notices.json"
    async with visiting(site(), **{"accept-encoding": "br, gzip"}) as client:
        whole = await client.get(path, headers={"accept-encoding": "identity"})
        size, tag = len(whole.content), whole.headers["etag"]
        for asked, status, got, said in (
            ("bytes=0-9", 206, whole.content[:10], f"bytes 0-9/{size}"),
            ("bytes=10-", 206, whole.content[10:], f"bytes 10-{size - 1}/{size}"),
            ("bytes=-7", 206, whole.content[-7:], f"bytes {size - 7}-{size - 1}/{size}"),
            (f"bytes=5-{size * 2}", 206, whole.content[5:], f"bytes 5-{size - 1}/{size}"),
            (f"bytes={size}-", 416, b"", f"bytes */{size}"),
            ("bytes=-0", 416, b"", f"bytes */{size}"),
            ("bytes=9-3", 200, whole.content, None),
            ("bytes=0-1,3-4", 200, whole.content, None),
            ("lines=1-2", 200, whole.content, None),
            ("bytes=-", 200, whole.content, None),
        ):
            answer = await client.get(path, headers={"range": asked})
            assert (answer.status_code, answer.content, answer.headers.get("content-range")) == (status, got, said), asked
        for rests_on, status in ((tag, 206), (whole.headers["last-modified"], 200), ('"x"', 200)):
            assert (await client.get(path, headers={"range": "bytes=0-9", "if-range": rests_on})).status_code == status
        assert (await client.get(path, headers={"range": "bytes=0-9", "if-none-match": tag})).status_code == 304


async def test_a_document_that_was_given_before_is_given_without_a_page(site, monkeypatch):
    app = site()
    async with visiting(app) as client:
        paths = (
            "/feeds/notices.atom",
            "/feeds/notices/region/440000.json",
            f"/feeds/institutions/{SWEET}.rss",
            "/feeds/notices.atom?q=%E6%94%B6%E8%B4%B9",
        )
        first = [await client.get(path) for path in paths]
        monkeypatch.setattr(web_site.Site, "_choose", lambda *_: 1 / 0)
        again = [await client.get(path) for path in paths]
        assert (await client.post(paths[0])).status_code == 500  # which nothing else answers
    assert [(one.status_code, one.content, one.headers) for one in again] == [(200, one.content, one.headers) for one in first]


async def test_whoever_polls_is_not_given_what_was_made_for_another_host(site):
    app = site(base_url=None)
    for host in ("evil.example", "one.example", "two.example"):
        async with visiting(app, host) as client:
            for path in ("notices.json?q=收费", f"institutions/{SWEET}.json", "records/archive/1.json"):
                assert (await client.get(f"/feeds/{path}")).json()["feed_url"].startswith(f"http://{host}/feeds/")


# -- nothing is missed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["notices", "records", "notices/violation/illegal_fees"])
async def test_from_the_current_document_to_the_first_archive_no_number_is_missing(site, key):
    async with visiting(site(), follow="") as client:
        current = (await client.get(f"/feeds/{key}.json")).json()
        last = current["_mingbai"]["last"]
        assert numbers(current) == list(range(current["_mingbai"]["first"], last + 1))
        found, page, pages = set(numbers(current)), current, []
        while before := [link["href"] for link in page["_mingbai"].get("links", ()) if link["rel"] == "prev-archive"]:
            answer = await client.get(before[0].removeprefix(SITE))
            page = answer.json()
            pages.append(answer)
            found |= set(numbers(page))
            after = next(link["href"] for link in page["_mingbai"]["links"] if link["rel"] == "next-archive")
            follows = await client.get(after.removeprefix(SITE))
            assert follows.status_code == (307 if len(pages) == 1 else 200)
        beyond = await client.get(f"/feeds/{key}/archive/{len(pages) + 2}.json")
    assert found == set(range(1, last + 1))
    assert len(pages) == last // 100 >= 1
    assert (beyond.status_code, beyond.json()["last"]) == (404, str(last))
    for answer in pages:
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert SECRET not in answer.text
        assert AUTHORITY not in answer.text
        assert "鼓楼区" not in answer.text
    assert (follows.headers["location"], follows.headers["cache-control"]) == (f"/feeds/{key}.json", "no-store")


async def test_who_asks_names_nothing_that_others_are_given_for_long(site):
    async with visiting(site(base_url=None), host="evil.example") as client:
        current = await client.get("/feeds/records.json")
        archive = await client.get("/feeds/records/archive/1.json")
    assert "link" not in current.headers
    assert archive.headers["cache-control"] == "no-cache"
    async with visiting(site(base_url=None)) as client:
        for path in ("/feeds/records.json", "/feeds/records/archive/1.json"):
            answer = await client.get(path)
            assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("path", ["archive/1.json", "since/0.json", "heartbeat.json"])
async def test_what_cannot_be_searched_has_one_address(site, path):
    async with visiting(site()) as client:
        assert (await client.get(f"/feeds/records/{path}")).status_code == 200
        assert (await client.get(f"/feeds/records/{path}?x=1")).status_code == 400


@pytest.mark.parametrize(
    "path",
    ["", "/notices", "/notices.json", "/notices.atom?q=收费", "/records/archive/1.json", "/records/since/0.json", "/records/heartbeat.json", f"/institutions/{SWEET}.json", ".opml", "/region/350100.opml"],
)  # fmt: skip
async def test_a_day_of_the_past_is_refused_as_any_other_key(site, path):
    async with visiting(site()) as client:
        for key in ("as_of=2026-11-20", "as_of=", "x=1"):
            answer = await client.get(f"/feeds{path}{'&' if '?' in path else '?'}{key}")
            assert (answer.status_code, wording("zh")["problem.key.title"] in answer.text or answer.json()["error"] == "key") == (400, True)


def test_feeds_of_another_release_are_not_those_of_this_one(home, tmp_path):
    copied(home, tmp_path)
    shutil.copytree(home / "feeds", tmp_path / "feeds")
    reader = Reader(tmp_path / "releases" / TODAY)
    Feeds(reader).close()
    with closing(sqlite3.connect(tmp_path / "feeds" / f"{TODAY}.db")) as connection:
        connection.execute("DELETE FROM releases WHERE id = ?", [TODAY])
        connection.commit()
    with pytest.raises(BadHome, match=f"is not of release {TODAY}"):
        Feeds(reader)
    reader.close()


async def test_what_is_kept_takes_so_many_bytes_packed_ones_too(site, monkeypatch):
    monkeypatch.setattr("publish.web.feedfile.Kept", lambda: Kept(20_000))
    app = site(day := MIDNIGHT + timedelta(days=1))
    feeds, today = app.shelf.feeds(app.shelf.reader), day.astimezone(CHINA).date().isoformat()
    asked = [(f"/feeds/{path}", b"") for path in ("records.json", "records.atom", "records.rss", "releases.json", "releases.atom")]
    async with visiting(app) as client:
        for path, _ in asked:
            assert (await client.get(path)).status_code == 200
    kept = [answer for key in asked if (answer := feeds.kept(today).get(key))]
    assert 0 < sum(len(packed) for answer in kept for packed in answer.codings.values()) < 20_000
    assert len(kept) < len(asked)


@pytest.mark.parametrize("after", [0, 1, 60, 138, 139])
async def test_a_replay_gives_every_number_after_one(site, after):
    async with visiting(site()) as client:
        answer = await client.get(f"/feeds/notices/since/{after}.json")
        current = (await client.get("/feeds/notices.json")).json()
    feed = answer.json()
    assert numbers(feed) == list(range(after + 1, current["_mingbai"]["last"] + 1))
    ours = {item["id"]: {**item, "_mingbai": {**item["_mingbai"], "replaces": 0}} for item in feed["items"]}
    theirs = {item["id"]: {**item, "_mingbai": {**item["_mingbai"], "replaces": 0}} for item in current["items"]}
    assert ours.items() <= theirs.items() if not ours else all(theirs[id] == item for id, item in ours.items())
    assert feed["feed_url"] == f"{SITE}/feeds/notices/since/{after}.json"
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])


def test_the_lines_of_the_readme_prove_that_nothing_is_missing_and_see_what_is(site, root, monkeypatch):
    lines = block(root, "python", "prev-archive").replace("feeds/notices.json", "feeds/records.json")
    lost: set[int] = set()

    async def fetch(address: str) -> bytes:
        async with visiting(site()) as client:
            page = (await client.get(address.removeprefix(SITE))).json()
        page["items"] = [item for item in page["items"] if item["_mingbai"]["number"] not in lost]
        return json.dumps(page).encode()

    monkeypatch.setattr("urllib.request.urlopen", lambda address: io.BytesIO(asyncio.run(fetch(address))))
    exec(lines.replace("feeds/records.json", "feeds/notices/region/440000.json"), {})  # which has told nothing yet
    exec(lines, {})
    lost.add(30)
    with pytest.raises(AssertionError, match="something is missing"):
        exec(lines, {})


async def test_a_replay_of_what_never_was_says_how_far_there_is(site):
    async with visiting(site()) as client:
        answer = await client.get("/feeds/notices/since/140.json")
    assert (answer.status_code, answer.json()["last"]) == (404, "139")
    assert "139" in answer.json()["message"]


async def test_the_heartbeat_says_that_it_was_looked_and_wakes_nobody(site, home, tmp_path):
    (home / "status.json").write_text(
        json.dumps({"sources": {name: {"last_checked": f"2026-11-23T0{n}:00:00Z"} for n, name in enumerate(("slow", "platform"))}})
    )
    async with visiting(site()) as client:
        tag = (await client.get("/feeds/notices.atom")).headers["etag"]
        current = (await client.get("/feeds/notices.json")).json()
        told = (await client.get("/feeds/notices/heartbeat.json")).json()
        (home / "status.json").write_text(json.dumps({"sources": {"slow": {"last_checked": "2026-11-23T09:00:00Z"}}}))
        other = (await client.get("/feeds/notices/heartbeat.json")).json()
        assert (await client.get("/feeds/notices.atom")).headers["etag"] == tag
    assert (told["last"], told["updated"], told["release"]) == (139, "2026-11-21T16:00:00Z", TODAY)
    assert (told["checked_at"], told["as_of"]) == ("2026-11-23T00:00:00Z", "2026-01-31")
    assert told["updated"] == current["_mingbai"]["updated"]
    assert told["since"] == f"{SITE}/feeds/notices/since/139.json"
    assert other["checked_at"] is None  # one was looked at, nobody knows of the other


INSTANT, DAY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), re.compile(r"\d{4}-\d\d-\d\d")


@pytest.mark.parametrize("feed", ["releases", "notices", "notices/region/440000", "listings"])
async def test_every_time_of_a_heartbeat_is_an_instant_or_a_day(site, home, feed):
    (home / "status.json").write_text(
        json.dumps({"sources": {name: {"last_checked": "2026-11-23T00:00:00Z"} for name in ("slow", "platform")}})
    )
    async with visiting(site()) as client:
        told = (await client.get(f"/feeds/{feed}/heartbeat.json")).json()
        current = (await client.get(f"/feeds/{feed}.json")).json()
    assert told["updated"] == current["_mingbai"]["updated"]
    assert all(INSTANT.fullmatch(moment) for moment in (told["updated"], told["checked_at"]))
    assert DAY.fullmatch(told["as_of"])
    assert all(INSTANT.fullmatch(one["checked_at"]) and DAY.fullmatch(one["as_of"]) for one in told["sources"])


async def test_who_polls_sees_that_a_number_means_something_else(site, home, tmp_path, catalogue):
    """The home was restored from an older copy and went on otherwise: one more event in the third release."""
    copied(home, tmp_path)
    (tmp_path / "history.db").unlink()
    shutil.copy(home / "history.db", tmp_path / "history.db")
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        connection.execute("UPDATE feed_events SET cause = 'x' WHERE number = (SELECT max(number) FROM feed_events WHERE release = 3)")
        connection.commit()
    make_feeds(tmp_path, catalogue)
    seen = []
    for where in (home, tmp_path):
        async with visiting(site(home=where)) as client:
            current = (await client.get("/feeds/records.json")).json()["_mingbai"]
            last = current["last"]
            first = int((await client.get("/feeds/records/archive/1.json")).json()["_mingbai"]["first"])
            since = [(await client.get(f"/feeds/records/since/{number}.json")).json()["_mingbai"] for number in (first, last)]
            beat = (await client.get("/feeds/records/heartbeat.json")).json()
            xml = [(await client.get(f"/feeds/records.{form}")).text for form in ("atom", "rss")]
            beyond = (await client.get(f"/feeds/records/since/{last + 1}.json")).json()
            none = (await client.get("/feeds/notices/region/440000.json")).json()["_mingbai"]
        assert current["mark"] == beat["mark"] == since[0]["mark"] == since[1]["mark_before"]
        assert all(f"<mb:mark>{current['mark']}</mb:mark>" in text for text in xml)
        assert (beyond["error"], "旧备份" in beyond["message"], "mark" in none) == ("feed_beyond", True, False)
        seen.append((since[0]["mark_before"], current["mark"]))
    assert seen[0][0] == seen[1][0]  # the first import is the same in both
    assert seen[0][1] != seen[1][1]


# -- nothing is said that may not be -----------------------------------------------------------------------------------


async def test_what_is_not_serious_any_more_is_in_no_document_of_what_is_serious(site):
    async with visiting(site()) as client:
        for path in (
            "notices/seriousness/serious.json",
            "notices/seriousness/serious.atom",
            "notices/seriousness/serious",
            "notices/seriousness/serious/since/0.json",
        ):
            text = (await client.get(f"/feeds/{path}")).text
            is_page = path.endswith("/serious")  # which says that there was one, and not which: who took it has its number
            assert (MOVED in text) != is_page, path
            assert f"{MOVED}培训中心" not in text, path
            assert f"关于{MOVED}的处罚" not in text, path
        stones = [
            (await client.get(f"/feeds/notices/seriousness/serious{path}.json")).json()["_mingbai"]["deleted"] for path in ("", "/since/0")
        ]
        assert f"{MOVED}培训中心" in (await client.get("/feeds/notices/since/0.json")).text
    assert [[(one["id"].rpartition("/")[2], one["reason"]) for one in found] for found in stones] == [[(MOVED, "corrected")]] * 2
    assert not any("来源" in one["comment"] for found in stones for one in found)  # a clerk may have corrected it


async def test_what_stands_for_ever_for_those_who_took_it_is_not_for_search_engines(site):
    async with visiting(site()) as client:
        for path in ("archive/1.atom", "archive/1.json", "since/0.json"):
            assert (await client.get(f"/feeds/records/violation/illegal_fees/{path}")).headers["x-robots-tag"] == "noindex"


async def test_at_midnight_a_notice_that_ends_is_in_no_document_and_its_number_is(site):
    paths = (
        "/feeds/notices.json", "/feeds/notices.atom", "/feeds/notices.rss", "/feeds/records.json", "/feeds/notices/region/350203.json", "/feeds/notices/since/0.json",
        f"/feeds/institutions/{SWEET}.json", "/feeds/notices.json?county=350203", "/feeds/records.atom?county=350203", "/feeds/notices/region/350203",
    )  # fmt: skip
    async with visiting(site()) as before, visiting(site(MIDNIGHT)) as after:
        for path in paths:
            was, now = await before.get(path), await after.get(path)
            assert (was.status_code, now.status_code) == (200, 200)
            assert f"{LAST_DAY}培训中心" in was.text or f"关于{LAST_DAY}的处罚" in was.text, path
            assert f"{LAST_DAY}培训中心" not in now.text, path
            assert f"关于{LAST_DAY}的处罚" not in now.text, path
            if "etag" in was.headers:
                assert was.headers["etag"] != now.headers["etag"]
                stale = await after.get(path, headers={"if-modified-since": was.headers.get("last-modified", "")})
                assert stale.status_code == 200
            if path.endswith(".json") and "institutions" not in path:
                assert numbers(now.json()) == numbers(was.json())
        for path in ("/feeds/notices.json?county=350203", f"/feeds/institutions/{SWEET}.json"):
            assert LAST_DAY not in (await after.get(path)).text  # nothing says that it was there
        gone = (await after.get("/feeds/notices.json")).json()["_mingbai"]["deleted"]
        other = await after.get("/feeds/notices/violation/illegal_fees.atom")
        same = await before.get("/feeds/notices/violation/illegal_fees.atom")
    (stone,) = [one for one in gone if one["id"].endswith(LAST_DAY)]
    assert (stone["reason"], stone["when"]) == ("expired", "2026-11-23T16:00:00Z")
    assert other.headers["etag"] == same.headers["etag"]  # of which nothing has ended


async def test_an_answer_that_is_kept_is_kept_for_the_day(home, catalogue):
    clock = [NOON]
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: clock[0], base_url=SITE)
    paths = [
        f"{lang}/feeds/{path}"
        for lang in ("", "/en")
        for path in ("notices.json", f"institutions/{SWEET}.atom", "records.json?county=350203")
    ]
    async with visiting(app) as client:
        for path in paths * 2:
            assert f"{LAST_DAY}培训中心" in (await client.get(path)).text
        clock[0] = MIDNIGHT
        for path in paths:
            assert f"{LAST_DAY}培训中心" not in (await client.get(path)).text
    app.shelf.close()


async def test_a_document_of_midnight_is_older_than_the_release_that_follows(site):
    async with visiting(site(MIDNIGHT)) as client:
        answer = await client.get("/feeds/notices.atom")
    assert answer.headers["last-modified"] == "Mon, 23 Nov 2026 15:00:00 GMT"


@pytest.mark.parametrize("now", [NOON, MIDNIGHT])
async def test_last_modified_moves_with_the_etag_also_where_the_same_release_is_told_for_another_hub(home, catalogue, tmp_path, now):
    paths = ("/feeds/notices.atom", "/feeds/records.json", f"/feeds/institutions/{SWEET}.rss", "/feeds/notices.json?q=收费")
    copied(home, tmp_path)
    had = {path: {} for path in paths}
    for hubs in ((HUB,), (), (HUB,)):
        feedfile(Home(tmp_path), catalogue, tmp_path / "releases" / TODAY, TODAY, SITE, hubs)
        app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: now, base_url=SITE, hubs=hubs)
        async with visiting(app) as client:
            for path, before in had.items():
                answer = await client.get(path)
                for since, etag in before.items():
                    status = (await client.get(path, headers={"if-modified-since": since})).status_code
                    assert status == 200 or etag == answer.headers["etag"], (path, since)
                before[answer.headers["last-modified"]] = answer.headers["etag"]
        app.shelf.close()
    assert [len(set(before.values())) for before in had.values()] == [2, 2, 1, 1]
    assert [len(before) for before in had.values()] == [3] * 4


async def test_a_document_that_is_made_for_another_address_than_the_feeds_does_not_say_when_it_changed(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url="https://elsewhere.example", hubs=(HUB,))
    async with visiting(app) as client:
        for path in (f"/feeds/institutions/{SWEET}.rss", "/feeds/notices.json?q=收费", "/feeds/records/archive/1.json"):
            answer = await client.get(path)
            assert (answer.status_code, "last-modified" in answer.headers, "etag" in answer.headers) == (200, False, True)
    app.shelf.close()


@pytest.mark.parametrize("family", ["notices", "records"])
async def test_a_search_is_a_feed_by_the_rules_of_the_search_and_of_alerts(site, family):
    async def ids(client: httpx.AsyncClient, query: str) -> set[str]:
        answer = await client.get(f"/feeds/{family}.json?{query}")
        assert answer.headers["x-robots-tag"] == "noindex"
        return {item["id"].rpartition("/")[2] for item in answer.json()["items"]}

    async with visiting(site()) as client:
        assert await ids(client, "q=corrected") == {CORRECTED}
        assert await ids(client, "region=350203&q=lastday") == await ids(client, "county=350203&q=lastday") == {LAST_DAY}
        assert await ids(client, "region=440000") == set()
        # first imports, and old decisions, alarm nobody
        assert await ids(client, "kind=blacklist") == (set() if family == "notices" else {SERIOUS})
        assert ("n-old" in await ids(client, "q=old")) == (family == "records")
        # a person's notice is found by nothing but the whole number of its decision
        for query in ("q=张某", "q=无证办学", "kind=penalty&year=2026", f"authority={AUTHORITY}"):
            assert PERSON not in await ids(client, query)
        found = (await client.get("/notices.json?violation_type=illegal_fees&limit=100")).json()
        newest = (await client.get(f"/feeds/{family}.json?violation_type=illegal_fees")).json()
        assert found["total"] == MANY
        assert len(newest["items"]) == 100
        assert newest["_mingbai"].get("is_complete") is None
        assert (await client.get(f"/feeds/{family}.json?q=corrected")).json()["_mingbai"]["is_complete"] is True
        assert "number" not in newest["items"][0]["_mingbai"]  # those are of feeds that have all
        plain = await client.get(f"/feeds/{family}.json?q=&region=")
    assert (plain.status_code, plain.headers["location"]) == (308, f"/feeds/{family}.json")


async def test_a_search_that_is_none_says_where_and_why_as_the_page_of_notices_does(site):
    async with visiting(site()) as client:
        for lang in ("", "/en"):
            feed = await client.get(f"{lang}/feeds/notices.json?q=(")
            assert feed.json() == (await client.get(f"{lang}/notices.json?q=(")).json()
            assert {"kind", "at", "near"} <= feed.json().keys()
            atom = await client.get(f"{lang}/feeds/notices.atom?q=(")
            assert feed.json()["message"] in unescape(atom.text)


async def test_a_region_is_named_to_a_search_as_it_is_to_a_question(site):
    async with visiting(site()) as client:
        for name in ("厦门", "Xiamen", "xiamen shi", "350200"):
            feed = (await client.get(f"/feeds/records.json?region={name}")).json()
            assert {item["id"].rpartition("/")[2] for item in feed["items"]} == {UNLINKED, LAST_DAY, "n-ggggggggggg2"}, name
            assert feed["home_page_url"] == f"{SITE}/notices?city=350200"


async def test_a_search_that_fails_is_no_empty_feed(site, monkeypatch, caplog):
    app = site()
    monkeypatch.setattr("publish.web.feedmade.find", lambda *_, **__: 1 / 0)
    async with visiting(app) as client:
        answer = await client.get("/feeds/notices.json?q=秘密的词")
    assert (answer.status_code, answer.json()["error"]) == (500, "search")
    assert "秘密" not in caplog.text


async def test_a_feed_of_an_institution_says_what_is_linked_to_it_and_no_more(site):
    async with visiting(site()) as client:
        feed = (await client.get(f"/feeds/institutions/{SWEET}.json")).json()
        new = (await client.get(f"/feeds/institutions/{TONG_NEW}.json")).json()
        hostile = await client.get(f"/feeds/institutions/{SHADY}.atom")
        page = await client.get(f"/feeds/institutions/{SWEET}")
    assert {item["id"].rpartition("/")[2] for item in feed["items"]} == {ACTIVE, "n-eeeeeeeeeee2", LAST_DAY}
    assert feed["_mingbai"]["is_complete"] is True
    assert feed["home_page_url"] == f"{SITE}/institutions/{SWEET}"
    assert [item["title"].partition("：")[2] for item in new["items"]] == [
        "列入厦门市教育局第三期白名单，截至 2026-11-20（福建省厦门市思明区）"
    ]
    assert not feedparser.parse(hostile.content).bozo
    assert "<script" not in hostile.text
    assert (page.status_code, page.headers["location"]) == (308, f"/institutions/{SWEET}")


# -- what is not there -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/feeds/nothing.atom", 404, "/feeds/corrections"), ("/feeds/nothing", 404, "/feeds/corrections"), ("/feeds/notices.xml", 404, ".atom"), ("/feeds/notices/", 404, "/feeds/notices"),
        ("/feeds/notices/place/350102.json", 404, "/feeds/notices/region/"), ("/feeds/releases/region/350102.json", 404, "/feeds/releases"), ("/feeds/notices/region/999999.json", 404, "350102"),
        ("/feeds/notices/region/000000.json", 404, "350102"), ("/feeds/notices/violation/nothing.json", 404, "illegal_fees"), ("/feeds/notices/seriousness/x.rss", 404, "serious"),
        ("/feeds/notices/seriousness/minor.atom", 404, "：general, serious。"), ("/feeds/records/seriousness/minor", 404, "：general, serious。"), ("/feeds?seriousness=minor", 400, "：general, serious。"),
        ("/feeds/notices/authority/0123456789ab.json", 404, "/feeds"), ("/feeds/notices/archive/0.json", 404, "/feeds/notices"), ("/feeds/notices/since/x.json", 404, "/feeds/notices"),
        ("/feeds/institutions/i-nobody.json", 404, "/feeds/institutions"), ("/feeds/nothing.opml", 404, "/feeds/records"), ("/feeds/..%2Fmanifest", 404, "/feeds/notices"),
        ("/feeds/notices.json?place=1", 400, "violation_type"), ("/feeds/notices.json?limit=1", 400, "violation_type"), ("/feeds/notices.json?kind=x", 400, "penalty"), ("/feeds/records.json?region=1", 400, "350102"),
        ("/feeds/notices/region/350102.json?kind=penalty", 400, "/feeds/notices?"), ("/feeds/releases.json?q=x", 400, "/feeds/notices?"), ("/feeds/notices.json?q=(", 400, "bracket"), ("/feeds?violation=x", 400, "illegal_fees"),
        ("/feeds?x=1", 400, "region"), ("/feeds?region=350102&region=350104", 400, "“region”写了几个不同的值"), ("/feeds/region/999999.opml", 404, "350102"), ("/feeds/region/000000.opml", 404, "350102"), ("/feeds/region/350100.opml?q=x", 400, "/feeds/notices?"), ("/feeds/notices/since/3.atom", 404, "/feeds/notices/since/3.json"), ("/feeds/records/region/350102/heartbeat.rss", 404, "/feeds/records/region/350102/heartbeat.json"),
        ("/feeds/notices/since/3", 404, "/feeds/notices/since/3.json"), ("/feeds/notices.json?region=Fuzhou", 400, "福建省福州市 350100, 江西省抚州市 361000"), ("/feeds/notices.atom?q=(", 400, "查询"), ("/feeds/notices/since/3.xml", 404, "/feeds/notices"), ("/feeds/releases?q=x", 400, "/feeds/notices?"), ("/feeds/notices?place=1", 400, "violation_type"),
        ("/feeds/notices.json?region=Nowhere", 400, "拼音"), ("/feeds/notices/region/Xiamen.json", 404, "/feeds/notices/region/350200 (福建省厦门市)"), ("/feeds/listings/region/Fuzhou", 404, "/feeds/listings/region/361000"),
        ("/feeds/listings.json?region=610822", 400, "/feeds/listings/region/610822.json"), ("/feeds/corrections?region=610822", 400, "/feeds/corrections/region/610822"), ("/feeds/notices/heartbeat.json?x=1", 400, "：/feeds/notices/heartbeat.json。"),
        ("/feeds/notices.atom?county=350203&city=350100", 400, "350102"), ("/feeds/notices.json?region=Gulou, Fuzhou&county=350203", 400, "twice"), ("/feeds/notices.json?region=Xiamen&county=350102", 400, "350203"),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_refused_with_a_word_on_what_is(site, path, status, says):
    async with visiting(site()) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert says in unescape(answer.text)
    assert answer.headers["content-type"].startswith("application/json" if ".json" in path else "text/html")


async def test_without_the_file_feeds_say_so_and_the_other_pages_work(site, home, tmp_path):
    copied(home, tmp_path)
    async with visiting(site(home=tmp_path)) as client:
        for path in ("/feeds", "/feeds/notices", "/feeds/notices.atom", "/feeds/notices.json"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert wording("zh")["problem.feed_unavailable.text"] in answer.text
        for path in ("/", f"/notices/{ACTIVE}", f"/institutions/{SWEET}", "/notices?q=收费"):
            assert (await client.get(path)).status_code == 200


async def test_a_file_that_is_made_again_is_served_without_a_restart(site, home, tmp_path, catalogue):
    copied(home, tmp_path)
    make_feeds(tmp_path, catalogue)
    app = site(home=tmp_path)
    async with visiting(app) as client:
        before = [await client.get("/feeds/notices.json") for _ in range(2)]
        make_feeds(tmp_path, catalogue, "https://other.example")
        await app.shelf.refresh()
        after = await client.get("/feeds/notices.json")
    assert [one.json()["feed_url"] for one in before] == [f"{SITE}/feeds/notices.json"] * 2
    assert after.json()["feed_url"] == "https://other.example/feeds/notices.json"


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["", "/en"])
async def test_a_page_of_a_feed_has_its_addresses_and_what_it_told_last(site, lang):
    async with visiting(site()) as client:
        page = unescape((await client.get(f"{lang}/feeds/notices/region/350100")).text)
        corrections = unescape((await client.get(f"{lang}/feeds/corrections")).text)
        listings = unescape((await client.get(f"{lang}/feeds/listings")).text)
    words = wording("en" if lang else "zh")
    for form in FORMS:
        assert f">{SITE}/feeds/notices/region/350100.{form}</code>" in page
        assert f'type="{FORMS[form]}"' in page
    for part in ("since/0.json", "heartbeat.json", "archive/1.atom"):
        assert f"{SITE}/feeds/notices/region/350100/{part}" in page
    assert "福州" in page or "Fuzhou" in page
    assert "关于n-many129的处罚" in page
    assert words["feed.kind.removal"] in corrections
    assert GONE in corrections
    assert f"关于{GONE}的处罚" not in corrections
    assert "厦门新来的培训中心" in listings
    assert words["feed.kind.entered"] in listings


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("region=350102", ["notices/region/350102", "records/region/350102", "corrections/region/350102", "listings/region/350102"]), ("region=福州", ["notices/region/350100"]),
        ("violation=illegal_fees", ["notices/violation/illegal_fees"]), ("seriousness=serious", ["records/seriousness/serious"]), (f"authority={AUTHORITY[:4]}", [f"notices/authority/{authority_key(AUTHORITY)}"]),
        ("region=350102&violation=illegal_fees", ["notices.atom?county=350102&violation_type=illegal_fees"]), ("q=收费", ["notices.rss?q=%E6%94%B6%E8%B4%B9"]), ("region=鼓楼区", ["?region=350102"]),
        ("region=Xiamen", ["notices/region/350200"]), ("region=Gulou, Fuzhou", ["listings/region/350102"]), ("region=Fuzhou", ["?region=350100", "?region=361000"]), ("region=Xiamen&q=收费", ["notices.atom?q=%E6%94%B6%E8%B4%B9&city=350200"]),
    ],
)  # fmt: skip
async def test_a_choice_gives_the_addresses_of_what_was_chosen(site, query, keys):
    async with visiting(site()) as client:
        page = unescape((await client.get(f"/feeds?{query}")).text)
        for key in keys:
            assert key in page
            if not key.startswith("?"):
                assert (await client.get(f"/feeds/{key}")).status_code == 200


async def test_no_feed_is_offered_of_what_is_never_published(site):
    async with visiting(site()) as client:
        page, opml = [(await client.get(path)).text for path in ("/feeds", "/feeds.opml")]
    assert "/seriousness/serious" in page
    assert [text for text in (page, opml) if "/seriousness/minor" in text or 'value="minor"' in text] == []


@pytest.mark.parametrize("query", ["q=(收费", "q=(收费&region=350102", "q=(收费&region=Fuzhou"])
async def test_a_query_that_is_none_is_given_no_address_and_told_why(site, query):
    async with visiting(site()) as client:
        page = unescape((await client.get(f"/feeds?{query}")).text)
        why = (await client.get("/feeds/notices.json?q=(收费")).json()["message"]
    assert wording("zh")["problem.query.text"].format(why=why) in page
    assert wording("zh")["feed.chosen"] not in page
    assert page.count('id="chosen"') == 1


async def test_places_that_lie_in_each_other_can_be_asked_for_together(site):
    async with visiting(site()) as client:
        for query in (
            "region=350102&province=350000",
            "region=350102&county=350102",
            "county=350102&county=350203&city=350100&city=350200",
            "region=350102&region=350203",
        ):
            assert (await client.get(f"/feeds/records.json?{query}")).status_code == 200, query


@pytest.mark.parametrize(
    ("page", "key"),
    [
        ("/", "notices"), ("/data", "notices"), ("/notices?county=350102", "notices/region/350102"), ("/notices?province=350000&sort=newest", "notices/region/350000"), ("/notices", "notices"),
        ("/notices?q=%E6%94%B6%E8%B4%B9&kind=penalty", "notices?q=%E6%94%B6%E8%B4%B9&kind=penalty"), (f"/institutions/{SWEET}", f"institutions/{SWEET}"), (f"/notices/{ACTIVE}", f"notices/authority/{authority_key(AUTHORITY)}"),
        ("/feeds/listings", "listings"), (f"/institutions/{SWEET}?as_of=2026-11-20", "notices"), ("/nothing", "notices"), (f"/institutions/{CLOSED}", f"institutions/{CLOSED}"), (f"/notices/{UNLINKED}", f"notices/authority/{authority_key(AUTHORITY)}"),
    ],
)  # fmt: skip
async def test_every_page_leads_a_reader_to_the_feed_of_what_it_shows(site, page, key):
    async with visiting(site()) as client:
        html = (await client.get(page)).text
        path, mark, query = key.partition("?")
        found = {
            unescape(href): type
            for type, href in re.findall(
                r'<link rel="alternate" type="(application/(?:atom|rss|feed)\+\w+)" title="[^"]+" href="([^"]+)"', html
            )
        }
        assert found == {f"/feeds/{path}.{form}{mark}{query}": type for form, type in FORMS.items()}
        for href, type in found.items():
            answer = await client.get(href)
            assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, type)
        assert 'href="/feeds"' in html


async def test_a_search_for_notices_leads_to_its_feed(site):
    async with visiting(site()) as client:
        page = (await client.get("/notices?q=收费&county=350102")).text
        (link,) = [unescape(found) for found in re.findall(rf'<a href="([^"]+)">{wording("zh")["feed.subscribe_search"]}</a>', page)]
        subscribe = await client.get(link)
        feed, of_one = [
            (await client.get(f"/feeds/{one}.json?{more}")).json() for one, more in (("notices", "q=收费"), (f"institutions/{SWEET}", ""))
        ]
    assert subscribe.status_code == 200
    about = wording("zh")["feed.family.notices.about"]
    assert about not in subscribe.text  # it tells of no withdrawal
    assert f'<a href="/feeds/corrections">{wording("zh")["feed.beside"]}</a>' in subscribe.text
    assert all("不另作说明，请同时订阅“更正与撤下”" in one["description"] for one in (feed, of_one))
    for family in ("notices", "records"):
        assert f"{SITE}/feeds/{family}.atom?q=%E6%94%B6%E8%B4%B9&amp;county=350102" in subscribe.text
    assert '<meta name="robots" content="noindex">' in subscribe.text


@pytest.mark.parametrize("path", ["/feeds.opml", "/feeds/notices.opml", "/en/feeds/listings.opml"])
async def test_the_list_of_feeds_can_be_imported_and_each_is_there(site, path):
    async with visiting(site()) as client:
        answer = await client.get(path)
        root = ElementTree.fromstring(answer.content)
        outlines = [one for one in root.iter("outline") if one.get("type") == "rss"]
        assert answer.headers["content-type"].startswith("text/x-opml")
        assert (root.tag, root.get("version"), root.find("head/title") is not None) == ("opml", "2.0", True)
        assert len(outlines) > 4
        for one in outlines:
            assert (await client.get(one.attrib["xmlUrl"].removeprefix(SITE))).status_code == 200
            assert (await client.get(one.attrib["htmlUrl"].removeprefix(SITE))).status_code == 200
            assert one.attrib["text"]


@pytest.mark.parametrize("code", ["350100", "350102", "440000"])  # of the last nothing was told yet
@pytest.mark.parametrize("lang", ["", "/en"])
async def test_a_region_has_a_list_of_its_feeds(site, code, lang):
    async with visiting(site()) as client:
        answer = await client.get(f"{lang}/feeds/region/{code}.opml")
        outlines = [one for one in ElementTree.fromstring(answer.content).iter("outline") if one.get("type") == "rss"]
        there = [(await client.get(one.attrib["xmlUrl"].removeprefix(SITE))).status_code for one in outlines]
        pages = [(await client.get(f"{lang}/feeds{path}")).text for path in (f"/corrections/region/{code}", f"?region={code}")]
        whole = (await client.get(f"{lang}/feeds/corrections")).text
    assert [one.attrib["xmlUrl"] for one in outlines] == [
        f"{SITE}/feeds/{family}/region/{code}.atom" for family in ("notices", "records", "corrections", "listings")
    ]
    assert there == [200] * 4
    assert all(f'href="{lang}/feeds/region/{code}.opml"' in page for page in pages)
    assert "/feeds/region/" not in whole


async def test_the_stylesheet_that_the_xml_names_is_there(site):
    async with visiting(site()) as client:
        (href,) = re.findall(r'<\?xml-stylesheet type="text/css" href="([^"]+)"', (await client.get("/feeds/notices.atom")).text)
        answer = await client.get(href.removeprefix(SITE))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("now", [NOON, datetime(2027, 12, 1, 4, tzinfo=UTC)])  # on the second day all has ended
async def test_a_replay_is_the_same_in_slices_of_any_size(site, monkeypatch, size, now):
    async with visiting(site(now)) as client:
        whole = (await client.get("/feeds/records/since/3.json")).content
        monkeypatch.setattr("publish.web.feedmade.SLICE", size)
        monkeypatch.setattr(sys.modules["feeds.json_feed"], "STONES", size)
        assert (await client.get("/feeds/records/since/3.json")).content == whole


async def test_a_replay_is_made_beside_the_loop_in_steps_that_end(site, monkeypatch):
    """Each step reads at most a slice, and none is made in the thread of the loop."""
    asked: list[tuple[bool, int]] = []
    placed, tell = Channel.placed, Channel.tell

    def placing(self: Channel, feed: str, first: int, last: int) -> Any:
        asked.append((threading.current_thread() is threading.main_thread(), last - first + 1))
        return placed(self, feed, first, last)

    def telling(self: Channel, events: Any) -> Any:
        asked.append((threading.current_thread() is threading.main_thread(), len(events)))
        return tell(self, events)

    monkeypatch.setattr("publish.web.feedmade.SLICE", 40)
    monkeypatch.setattr("publish.web.feedmade.BATCH", 40)
    async with visiting(site(datetime(2027, 12, 2, 4, tzinfo=UTC))) as client:
        monkeypatch.setattr(Channel, "placed", placing)
        monkeypatch.setattr(Channel, "tell", telling)
        await client.get("/feeds/records/since/0.json")
    assert len(asked) > 6
    assert not any(in_loop for in_loop, _ in asked)
    assert max(size for _, size in asked) <= 40


async def test_a_replay_that_streams_over_a_change_tells_nothing_more_of_what_was_served(home, tmp_path, catalogue):
    copied(home, tmp_path)
    make_feeds(tmp_path, catalogue)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON, base_url=SITE, grace_seconds=0)
    shelf, body = app.shelf, b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal body
        if message["type"] == "http.response.body":
            if not body and message.get("body"):
                go_live(tmp_path, RELEASES[0])
                (tmp_path / "feeds" / f"{TODAY}.db").unlink()
                await shelf.refresh()
                await asyncio.sleep(0)
                await shelf.refresh()
            body += message["body"]

    path = "/feeds/notices/since/0.json"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "scheme": "http",
    }
    with pytest.raises(Other):
        await app(scope, receive, send)
    assert shelf.reader is not None
    assert shelf.reader.id == RELEASES[0]
    assert SECRET not in body.decode()
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    shelf.close()


# -- as other people's readers poll ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(home: Path, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, root: Path) -> Iterator[tuple[str, Path]]:
    """The site on a port of this machine, and its home."""
    there = tmp_path_factory.mktemp("served")
    copied(home, there)
    make_feeds(there, catalogue)
    told = f"""
import sys
from pathlib import Path
from publish.web.server import serve
serve(Path(sys.argv[1]), "127.0.0.1", 0, base_url={SITE!r}, hubs=({HUB!r},), on_ready=lambda url: print(url, flush=True))
"""
    server = subprocess.Popen([sys.executable, "-c", told, str(there)], stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip().rstrip("/"), there
    finally:
        server.terminate()
        server.communicate(timeout=20)


@pytest.mark.parametrize(
    "path",
    ["notices.atom", "notices.rss", "listings.atom", "notices/region/440000.atom", "records/archive/1.rss", f"institutions/{SWEET}.atom", "records.rss?q=%E6%94%B6%E8%B4%B9"],
)  # fmt: skip
def test_who_polls_with_feedparser_is_not_woken_by_a_look_that_found_nothing(served, path):
    address, there = served
    first = feedparser.parse(f"{address}/feeds/{path}")
    assert (first.status, first.bozo) == (200, False)
    for hour in range(2):  # each run looks at the sources and finds nothing new; somebody reads that in the heartbeat
        (there / "status.json").write_text(json.dumps({"sources": {"platform": {"last_checked": f"2026-11-23T0{hour}:00:00Z"}}}))
        with urllib.request.urlopen(f"{address}/feeds/notices/heartbeat.json") as heartbeat:
            checked = {one["id"]: one["checked_at"] for one in json.load(heartbeat)["sources"]}
        assert checked["platform"] == f"2026-11-23T0{hour}:00:00Z"
        for known in ({"etag": first.etag}, {"modified": first.modified}, {"etag": first.etag, "modified": first.modified}):
            again = feedparser.parse(f"{address}/feeds/{path}", **known)
            assert (again.status, again.entries) == (304, []), known
    new = feedparser.parse(f"{address}/feeds/{path}", etag='"another"', modified=first.modified)
    assert (new.status, len(new.entries)) == (200, len(first.entries))
