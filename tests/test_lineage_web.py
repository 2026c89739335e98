"""An old address leads to whoever took the place of an institution, and its page of an earlier release stays what it was."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.answer import App
from publish.web.server import build_app
from publish.wording import LANGUAGES, wording
from web_release import CLOSED, SWEET, TODAY, TONG, Rows, go_live, make_release, rows, write_index, write_past

OLD, FIRST, BETWEEN = "2026-11-20", "2026-11-18", "2026-11-21"
WAS, BEFORE, SPLIT, LOOP, ROUND, DEAD, WAS_SPLIT = (f"i-{letter * 11}2" for letter in "mnopqrs")
LINEAGE = [
    (BEFORE, WAS, "renumbered", "credit_code", "2026-11-19"),
    (WAS, SWEET, "rename", "source", TODAY),
    (SPLIT, TONG, "split", "source", BETWEEN),
    (SPLIT, CLOSED, "split", "source", BETWEEN),
    (WAS_SPLIT, SPLIT, None, "source", BETWEEN),
    (LOOP, ROUND, "merger", "source", TODAY),  # no run makes these: the site must not hang where one did
    (ROUND, LOOP, "merger", "source", TODAY),
    (DEAD, "i-0000000000000000", "move", "credit_code", TODAY),
]
NEXT = {WAS: SWEET, BEFORE: SWEET}


def release(mark: str, *lineage: tuple[str | None, ...], more: tuple[str, ...] = ()) -> Rows:
    tables = rows(mark)
    names = ("predecessor_id", "successor_id", "kind", "method", "since")
    tables["institution_lineage"] = [dict(zip(names, row, strict=True)) for row in lineage]
    tables["institutions"] += [{"id": id, "name": f"旧名机构{id[-3]}", "source_id": "platform"} for id in more]
    return tables


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, FIRST, catalogue, tables=release("1", more=(WAS, BEFORE, SPLIT)))
    make_release(home, OLD, catalogue, tables=release("2", LINEAGE[0], more=(WAS, SPLIT)))
    make_release(home, TODAY, catalogue, tables=release("3", *LINEAGE))
    write_index(home, FIRST, OLD, TODAY)
    write_past(home, catalogue, FIRST, OLD, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[[], App]]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: datetime(2026, 11, 23, 4, tzinfo=UTC))
    yield lambda: app
    app.shelf.close()


def visitor(app: App) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.example")


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("suffix", ["", ".json"])
@pytest.mark.parametrize("query", ["", "?a=1&as_of=", "?next=//evil.example/%0d%0aSet-Cookie:x=1", f"?as_of={TODAY}"])
async def test_an_old_address_leads_to_the_one_that_took_its_place(site, prefix, suffix, query):
    async with visitor(site()) as client:
        for old, new in NEXT.items():
            answer = await client.get(f"{prefix}/institutions/{old}{suffix}{query}")
            assert (answer.status_code, answer.headers["location"]) == (308, f"{prefix}/institutions/{new}{suffix}{query}")
            assert (answer.headers["cache-control"], answer.headers["access-control-allow-origin"]) == ("no-cache", "*")
            assert (await client.head(f"{prefix}/institutions/{old}{suffix}{query}")).status_code == 308
            assert (await client.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize("id", [LOOP, ROUND, DEAD, "i-0000000000000000", "i-never"])
async def test_what_leads_nowhere_is_not_found(site, id):
    async with visitor(site()) as client:
        for end in ("", ".json"):
            assert (await client.get(f"/institutions/{id}{end}")).status_code == 404
            assert (await client.get(f"/institutions/{id}{end}?as_of={OLD}")).status_code == 404


@pytest.mark.parametrize("path", ["/institutions//evil.example", "/institutions/%2f%2fevil.example", f"/institutions/{WAS}/..%2f..", "/institutions/\\evil"])  # fmt: skip
async def test_no_address_leads_to_another_site(site, path):
    async with visitor(site()) as client:
        assert "evil" not in (await client.get(path)).headers.get("location", "")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("id", [SPLIT, WAS_SPLIT])
async def test_of_several_the_visitor_chooses(site, lang, id):
    prefix = "" if lang == "zh" else "/en"
    async with visitor(site()) as client:
        page = await client.get(f"{prefix}/institutions/{id}")
        answer = await client.get(f"{prefix}/institutions/{id}.json")
    assert (page.status_code, answer.status_code) == (300, 300)
    assert {page.headers["cache-control"], answer.headers["cache-control"]} == {"no-cache"}
    text = unescape(page.text)
    assert wording(lang)["lineage.several.text"] in text
    for new, name in ((TONG, "厦门同学堂艺术培训中心（3）"), (CLOSED, "福州旧时光体育培训有限公司（3）")):
        assert f'<a href="{prefix}/institutions/{new}">{name}</a>' in text
    assert answer.json()["id"] == id
    assert {row["id"]: row["name"] for row in answer.json()["successors"]} == {
        TONG: "厦门同学堂艺术培训中心（3）",
        CLOSED: "福州旧时光体育培训有限公司（3）",
    }


async def test_the_page_of_an_earlier_release_is_as_it_was_and_says_who_followed(site):
    async with visitor(site()) as client:
        for id, name, after in ((WAS, "旧名机构m", (SWEET,)), (SPLIT, "旧名机构o", (TONG, CLOSED))):
            page = await client.get(f"/institutions/{id}?as_of={OLD}")
            assert (page.status_code, name in page.text, wording("zh")["lineage.after"] in page.text) == (200, True, True)
            assert all(f'href="/institutions/{new}"' in page.text for new in after)
        was = (await client.get(f"/institutions/{WAS}.json?as_of={OLD}")).json()
        assert was["successors"] == [{"id": SWEET, "kind": "rename", "method": "source", "since": TODAY}]
        assert [row["id"] for row in was["predecessors"]] == [BEFORE]
        moved = await client.get(f"/en/institutions/{BEFORE}?as_of={OLD}")
        assert (moved.status_code, moved.headers["location"]) == (308, f"/en/institutions/{WAS}?as_of={OLD}")
        assert (await client.get(f"/institutions/{BEFORE}?as_of={FIRST}")).status_code == 200


@pytest.mark.parametrize(("lang", "kind", "method"), [("zh", "更名", "来源所述"), ("en", "Rename", "Stated by the source")])
async def test_an_institution_names_whom_it_followed_with_a_link_to_what_that_was(site, lang, kind, method):
    prefix = "" if lang == "zh" else "/en"
    async with visitor(site()) as client:
        page = unescape((await client.get(f"{prefix}/institutions/{SWEET}")).text)
        found = (await client.get(f"{prefix}/institutions/{SWEET}.json")).json()
        shown = [f"{prefix}/institutions/{row['id']}?as_of={row['shown_in']}" for row in found["predecessors"]]
        assert [(await client.get(link)).status_code for link in shown] == [200, 200]
        others = (await client.get(f"{prefix}/institutions/{TONG}.json")).json()
    assert [
        (row["id"], row["successor_id"], row["kind"], row["method"], row["since"], row["shown_in"]) for row in found["predecessors"]
    ] == [
        (WAS, SWEET, "rename", "source", TODAY, OLD),
        (BEFORE, WAS, "renumbered", "credit_code", "2026-11-19", FIRST),
    ]
    assert found["successors"] == []
    assert all(f'<a href="{link}">' in page for link in shown)
    assert all(word in page for word in (wording(lang)["lineage.before"], kind, method))
    assert [row["id"] for row in others["predecessors"]] == [SPLIT, WAS_SPLIT]
    assert others["predecessors"][1]["kind"] is None


async def test_a_release_from_before_lineage_was_declared_has_none(tmp_path, catalogue):
    folder = make_release(tmp_path, TODAY, catalogue, mark="旧")
    with closing(sqlite3.connect(folder / "mingbai.db")) as connection:
        connection.execute("DROP TABLE institution_lineage")
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: datetime(2026, 11, 23, 4, tzinfo=UTC))
    async with visitor(app) as client:
        assert (await client.get(f"/institutions/{SWEET}.json")).json()["predecessors"] == []
        assert (await client.get(f"/institutions/{WAS}")).status_code == 404
    app.shelf.close()
