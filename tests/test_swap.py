"""A new release is served without a restart, and no answer is of two releases."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.answer import App
from publish.web.server import build_app
from publish.web.shelf import Shelf
from web_release import ACTIVE, SWEET, go_live, make_release, rows

SWAPS = 12
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
MARK = re.compile(r"(?:标记|\\u6807\\u8bb0)(\d+)")  # Datasette's JSON is ASCII
PATHS = (
    "/", "/en/search?q=甜果", "/search.json?q=甜果", f"/institutions/{SWEET}", f"/institutions/{SWEET}.json", f"/notices/{ACTIVE}", "/data", "/feeds/notices.json", "/feeds/notices.atom", "/feeds/notices", "/feeds/notices/heartbeat.json",
    "/status.json", "/mingbai/institutions.json?_shape=objects", "/mingbai/institutions", "/mingbai/institutions.csv?_stream=on", "/mingbai/listings.json?_labels=on",
    f"/mingbai/institutions/{SWEET}.json", "/mingbai.json?sql=select+name+from+institutions+union+all+select+title+from+notices", "/mingbai",
)  # fmt: skip


def name(number: int) -> str:
    return f"2026-11-23.{number + 2}"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    made = tmp_path_factory.mktemp("made")
    for number in range(SWAPS + 1):
        make_release(made, name(number), catalogue, mark=f"标记{number}")
    return made / "releases"


@pytest.fixture
def home(tmp_path: Path, releases: Path) -> Path:
    (tmp_path / "releases").symlink_to(releases)
    go_live(tmp_path, name(0))
    return tmp_path


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[tuple[App, Shelf]]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, grace_seconds=0.05)
    shelf = app.shelf
    yield app, shelf
    shelf.close()


def releases_in(answer: httpx.Response) -> set[int]:
    """Every release that an answer shows a sign of: by its rows' marks and by the release that it names."""
    text = answer.text
    return {int(mark) for mark in MARK.findall(text)} | {int(found) - 2 for found in re.findall(r"2026-11-23\.(\d+)", text)}


async def test_every_answer_is_wholly_of_one_release_while_they_change(site, home):
    app, shelf = site
    watching = asyncio.create_task(shelf.watch(0.01))
    answers: list[tuple[str, httpx.Response]] = []
    seen_after: list[tuple[int, set[int]]] = []
    running = True

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:

        async def visit(path: str) -> None:
            while running:
                answers.append((path, await client.get(path)))
                await asyncio.sleep(0.02)  # a page of ours never waits, and would keep the others from their turn

        visitors = [asyncio.create_task(visit(path)) for path in PATHS]
        for number in range(1, SWAPS + 1):
            await asyncio.sleep(0.15)
            go_live(home, name(number))
            while (await client.get("/status.json")).json()["serving"]["id"] != name(number):
                await asyncio.sleep(0.01)
            # nothing of the release before is left in a thread's connection
            fresh = await asyncio.gather(*(client.get("/mingbai/institutions.json?_shape=objects") for _ in range(6)))
            seen_after += [(number, releases_in(answer)) for answer in fresh]
        running = False
        await asyncio.gather(*visitors)
    watching.cancel()

    assert {answer.status_code for _, answer in answers} == {200}
    mixed = [(path, releases_in(answer)) for path, answer in answers if len(releases_in(answer)) != 1]
    assert mixed == []
    assert [(number, found) for number, found in seen_after if found != {number}] == []
    for path in PATHS:
        assert len({next(iter(releases_in(answer))) for asked, answer in answers if asked == path}) > 1, path  # each met a change


async def test_a_csv_that_streams_over_a_change_ends_as_it_began(tmp_path, catalogue):
    for number in (0, 1):
        tables = rows(f"标记{number}")
        tables["institutions"] += [{"id": f"i-{i:012}", "name": f"机构标记{number}", "source_id": "platform"} for i in range(700)]
        make_release(tmp_path, name(number), catalogue, tables=tables)
    go_live(tmp_path, name(0))
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON, grace_seconds=0)
    shelf = app.shelf
    body = b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        nonlocal body
        if message["type"] == "http.response.body":
            if not body:
                go_live(tmp_path, name(1))
                await shelf.refresh()
                await shelf.refresh()  # which closes what nobody holds
            body += message["body"]

    path = "/mingbai/institutions.csv"
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"_stream=on&_size=max",
        "headers": [],
        "scheme": "http",
    }
    await app(scope, receive, send)
    assert shelf.reader is not None
    assert shelf.reader.id == name(1)
    assert set(MARK.findall(body.decode())) == {"0"}
    assert body.decode().count("\n") == 705
    shelf.close()


async def test_an_old_release_is_closed_when_nobody_reads_it(site, home):
    app, shelf = site
    old = shelf.reader
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        await client.get("/mingbai/institutions.json")
        with shelf.hold():
            go_live(home, name(1))
            await shelf.refresh()
            await asyncio.sleep(0.1)
            await shelf.refresh()
            assert old.row("SELECT 1 AS one") == {"one": 1}
        await shelf.refresh()
        with pytest.raises(Exception, match="closed"):
            old.row("SELECT 1 AS one")
        databases = json.loads((await client.get("/-/databases.json")).text)
    assert [database["name"] for database in databases] == ["mingbai-2026-11-23.3-2"]


async def test_a_release_that_was_left_can_be_gone_back_to(site, home):
    app, shelf = site
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example") as client:
        for number in (1, 0, 1):
            go_live(home, name(number))
            await shelf.refresh()
            await asyncio.sleep(0.06)
            await shelf.refresh()
            answer = await client.get("/mingbai/institutions.json")
            assert (answer.status_code, releases_in(answer)) == (200, {number})
