"""What was published on a day can be asked for ever, and nothing comes back by it that may not be shown today (rules 5 and 6)."""

import asyncio
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web import archive, facts
from publish.web.answer import App
from publish.web.archive import MOST
from publish.web.older import Columns, Older, columns_of
from publish.web.reader import Reader
from publish.wording import LANGUAGES, wording
from web_release import (
    ACTIVE,
    CLOSED,
    ENDS_TODAY,
    NAMESAKE,
    PERSON,
    SERIOUS,
    SHADY,
    SWEET,
    TODAY,
    TONG,
    UNLINKED,
    Rows,
    go_live,
    make_release,
    rows,
    write_index,
    write_past,
)
from web_visitor import sites, text_of, visitor

NOON, MIDNIGHT = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)
OLD, FIRST, SECOND = "2026-11-20", "2026-11-21", "2026-11-21.2"
REVOKED = {ACTIVE: {"on": "2026-11-22", "class": "revoked"}}
ABSENT = {UNLINKED: {"on": "2026-11-22", "class": "absent"}}
CLOSED_LIST = {"institution_id": CLOSED, "list": "black", "authority": "福州市教育局", "valid_until": "2028-01-01", "as_of": "2026-11-01", "source_id": "platform"}  # fmt: skip
LEFT, STAYS, ENDED, MOVED, ONLY = (f"l-{letter * 11}2" for letter in "wxyzv")
PAGES = ("/", "/search?q=福州", f"/institutions/{SWEET}", f"/notices/{SERIOUS}", "/data")


def then(mark: str) -> Rows:
    """An earlier release: with the black listings of CLOSED that the live one does not have any more, or of somebody else."""
    tables = rows(mark)
    tables["listings"] += [{**CLOSED_LIST, "id": id, "batch_label": f"黑{id[-2]}"} for id in (LEFT, STAYS, ENDED, MOVED)]
    tables["listings"].append({**CLOSED_LIST, "id": ONLY, "institution_id": SHADY})
    tables["notice_links"].append({"notice_id": SERIOUS, "institution_id": SWEET, "method": "exact_name_in_county", "confidence": 0.9})
    return tables


def now(mark: str) -> Rows:
    """The live release: one notice was revoked, one is absent, one is gone and nobody says why, one was corrected, one has
    an earlier end; a wrong link is not made."""
    tables = rows(mark)
    gone = {ACTIVE, UNLINKED, PERSON}
    for table, column in (
        ("notices", "id"),
        ("notice_links", "notice_id"),
        ("notice_penalties", "notice_id"),
        ("notice_measures", "notice_id"),
    ):
        tables[table] = [row for row in tables[table] if row[column] not in gone]
    changed = {SERIOUS: {"state": "corrected"}, NAMESAKE: {"public_until": "2026-11-22"}}
    tables["notices"] = [row | changed.get(row["id"], {}) for row in tables["notices"]]
    tables["listings"] += [
        {**CLOSED_LIST, "id": STAYS},
        {**CLOSED_LIST, "id": ENDED, "valid_until": "2026-11-22"},
        {**CLOSED_LIST, "id": MOVED, "institution_id": TONG},
    ]
    return tables


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for id in (OLD, FIRST, SECOND):
        tables = then(f"旧{id[5:]}")
        make_release(home, id, catalogue, tables=tables)
    folder = make_release(home, TODAY, catalogue, tables=now("新"))
    (folder / "tombstones.json").write_text(json.dumps(REVOKED | ABSENT))
    write_index(home, OLD, FIRST, SECOND, TODAY)
    write_past(home, catalogue, OLD, FIRST, SECOND, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(made: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    with sites(made, catalogue, NOON) as make:
        yield make


@pytest.mark.parametrize(
    ("asked", "release"),
    [(OLD, OLD), (FIRST, FIRST), (SECOND, SECOND), ("2026-11-22", SECOND), (TODAY, TODAY)],
)  # fmt: skip
async def test_a_release_is_meant_by_its_id_and_a_day_means_the_last_one_up_to_it(site, asked, release):
    async with visitor(site()) as client:
        answer = (await client.get(f"/institutions/{SWEET}.json?as_of={asked}")).json()
        found = (await client.get(f"/search.json?q=甜果&as_of={asked}")).json()
        page = text_of((await client.get(f"/institutions/{SWEET}?as_of={asked}")).text)
    mark = "新" if release == TODAY else f"旧{release[5:]}"
    assert answer["name"] == f"福州市鼓楼区甜果培训中心有限公司（{mark}）"
    assert found["results"][0]["name"] == answer["name"]
    for one in (answer, found):
        assert (one["release"], one["asked_as_of"], one["newest_release"]) == (release, asked, TODAY)
    assert (wording("zh")["as_of.left_out"] in page) == (release != TODAY)
    assert ("同一天的其他版本" in page) == (release in (FIRST, SECOND))
    assert ("保留的最后一个版本" in page) == (asked != release)  # of a release that was named nothing is said of its day


LIVE = "/status", "/feeds", "/changes", "/for-institutions", f"/data/{OLD}/"  # links without a past, and to a file of the release


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_of_the_past_says_so_and_its_links_stay_in_it(site, path, lang):
    prefix = "" if lang == "zh" else "/en"
    async with visitor(site(base_url="https://mingbai.example")) as client:
        today = await client.get(prefix + path)
        answer = await client.get(f"{prefix}{path}{'&' if '?' in path else '?'}as_of={OLD}")
        assert answer.status_code == 200
        assert wording(lang)["as_of.left_out"] in unescape(answer.text)
        assert wording(lang)["as_of.left_out"] not in unescape(today.text)
        assert (answer.headers["x-robots-tag"], "x-robots-tag" in today.headers) == ("noindex", False)
        assert answer.headers["etag"] != today.headers["etag"]
        assert (answer.headers["cache-control"], "canonical" in answer.text) == ("no-cache", False)
        links = {unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', answer.text)}
        assert f"{prefix}{path}" in {httpx.URL(link).path + (f"?q={httpx.URL(link).params['q']}" if "q=" in link else "") for link in links}
        (now,) = re.findall(rf'<a href="([^"]*)">{re.escape(wording(lang)["as_of.now"])}</a>', answer.text)
        assert (await client.get(unescape(now))).text == today.text
        links |= {unescape(link) for link in re.findall(r'<link rel="alternate" type="application/json" href="([^"]*)"', answer.text)}
        ours = {link for link in links - {unescape(now)} if not link.removeprefix("/en").startswith(LIVE)}
        strays = {link for link in ours if "as_of=" not in link}
        assert strays == set()
        for link in links:
            assert (await client.get(link)).status_code == 200, link
        for form in re.findall(r"<form.*?</form>", answer.text, re.DOTALL):
            assert 'name="as_of"' in form
        again = await client.get(
            f"{prefix}{path}{'&' if '?' in path else '?'}as_of={OLD}", headers={"if-none-match": answer.headers["etag"]}
        )
        assert (again.status_code, again.headers["x-robots-tag"]) == (304, "noindex")


async def everything(client: httpx.AsyncClient, as_of: str) -> str:
    """All that the site says of a release."""
    paths = [
        *(f"{path}{'&' if '?' in path else '?'}as_of={as_of}" for path in ("/", "/search?q=福州", "/search.json?q=福州", "/data")),
        *(f"/institutions/{id}{end}?as_of={as_of}" for id in (SWEET, TONG, CLOSED) for end in ("", ".json")),
        *(f"/search{end}?q={word}&as_of={as_of}" for word in ("处罚", "公告", "无证办学") for end in ("", ".json")),
    ]
    return "".join([(await client.get(path)).text for path in paths])


async def test_an_ended_notice_is_in_no_earlier_release(site):
    for when, status in ((NOON, 200), (MIDNIGHT, 410)):
        async with visitor(site(when)) as client:
            for end in ("", ".json"):
                answer = await client.get(f"/notices/{ENDS_TODAY}{end}?as_of={OLD}")
                assert (answer.status_code, "某培训部" in answer.text) == (status, status == 200)
            assert (ENDS_TODAY in await everything(client, OLD)) == (status == 200)


@pytest.mark.parametrize(
    ("id", "kind", "on", "title"),
    [(ACTIVE, "revoked", "2026-11-22", "关于超期收费的处罚"), (PERSON, "unknown", TODAY, "关于张某无证办学的处罚"), (NAMESAKE, "expired", "2026-11-22", "同名的公告"), (UNLINKED, "absent", "2026-11-22", "某托管班")],
)  # fmt: skip
@pytest.mark.parametrize("lang", ["", "/en"])
async def test_what_the_live_release_lost_is_in_no_earlier_one_but_its_tombstone(site, id, kind, on, title, lang):
    assert id in {row["id"] for row in then("旧")["notices"]}
    async with visitor(site()) as client:
        page, answer = [await client.get(f"{lang}/notices/{id}{end}?as_of={OLD}") for end in ("", ".json")]
        assert (page.status_code, answer.status_code) == (410, 410)
        assert answer.json()["tombstone"] == {"id": id, "on": on, "class": kind}
        assert title not in page.text + answer.text
        said = await everything(client, OLD)
    assert id not in said
    assert title not in said


async def test_a_notice_says_that_it_was_corrected_or_is_disputed_since(site):
    async with visitor(site()) as client:
        for path in (f"/notices/{SERIOUS}", f"/institutions/{CLOSED}"):
            page = await client.get(f"{path}?as_of={OLD}")
            assert wording("zh")["as_of.today.corrected"] in page.text, path
            assert wording("zh")["as_of.today.corrected"] not in (await client.get(path)).text


async def test_a_black_listing_or_link_that_the_live_release_does_not_have_is_not_shown(site):
    async with visitor(site()) as client:
        closed = (await client.get(f"/institutions/{CLOSED}.json?as_of={OLD}")).json()
        sweet = (await client.get(f"/institutions/{SWEET}.json?as_of={OLD}")).json()
        links = (await client.get(f"/notices/{SERIOUS}.json?as_of={OLD}")).json()["links"]
        cards = (await client.get(f"/search.json?q=旧时光&as_of={OLD}")).json()["results"]
        shady = await client.get(f"/institutions/{SHADY}?as_of={OLD}")
    assert {row["id"] for row in closed["listings"] if row["list"] == "black"} == {STAYS}
    assert {row["id"] for row in cards[0]["listings"] if row["list"] == "black"} == {STAYS}
    assert [row["institution_id"] for row in links] == [CLOSED]
    assert SERIOUS not in {row["id"] for row in sweet["notices"]}
    assert wording("zh")["as_of.no_list"] in shady.text  # it was on lists, so that "not found" would be wrong


async def test_counts_are_of_what_is_shown(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/data?as_of={OLD}")).text)
        shown = len(then("旧")["notices"]) - len((ACTIVE, PERSON, NAMESAKE, UNLINKED, "repaired"))
        start = text_of((await client.get(f"/?as_of={OLD}")).text)
    assert f"公告 {shown}" in page
    assert f"{shown} 条公示期内关于机构的公告" in start
    assert f"{len(then('旧')['listings']) - 4} 列入记录" in start  # three of CLOSED and that of SHADY


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ("2026-11-19", 404, "as_of_unknown"), ("2026-11-20.2", 404, "as_of_unknown"), ("2026-11-23.2", 404, "as_of_unknown"), ("2026-11-24", 400, "as_of_future"), ("2027-01-01.2", 400, "as_of_future"),
        ("2026-11-31", 400, "as_of_malformed"), ("2026-11", 400, "as_of_malformed"), ("yesterday", 400, "as_of_malformed"), ("../../x", 400, "as_of_malformed"), ("２０２６-11-20", 400, "as_of_malformed"),
        ("2026-11-20.0", 400, "as_of_malformed"), ("2026-11-20\n", 400, "as_of_malformed"), ("0000-01-01", 400, "as_of_malformed"),
    ],
)  # fmt: skip
async def test_what_is_no_release_is_said_in_both_languages(site, asked, status, kind, lang):
    prefix = "" if lang == "zh" else "/en"
    async with visitor(site()) as client:
        page = await client.get(f"{prefix}/institutions/{SWEET}", params={"as_of": asked})
        answer = await client.get(f"{prefix}/institutions/{SWEET}.json", params={"as_of": asked})
    assert (page.status_code, answer.status_code, answer.json()["error"]) == (status, status, kind)
    text = wording(lang)[f"problem.{kind}.text"].format(first=OLD, last=TODAY)
    assert text in unescape(page.text)
    assert answer.json()["message"] == text
    if status == 404:
        assert (answer.json()["first"], answer.json()["last"]) == (OLD, TODAY)
    assert "甜果" not in page.text


@pytest.mark.parametrize("path", ["/", "/data", f"/institutions/{SWEET}", f"/institutions/{SWEET}.json"])
async def test_of_two_days_none_is_left_out(site, path):
    async with visitor(site()) as client:
        answer = await client.get(f"{path}?as_of={OLD}&as_of={TODAY}")
        same = await client.get(f"{path}?as_of={TODAY}&as_of=&as_of={TODAY}")
    assert (answer.status_code, same.status_code) == (400, 200)
    assert wording("zh")["problem.twice.text"].format(name="as_of") in unescape(answer.text)


async def test_an_id_that_the_release_did_not_have_is_not_in_that_release(site):
    async with visitor(site()) as client:
        for path in ("/institutions/i-2", "/notices/n-2"):
            page = await client.get(f"{path}?as_of={OLD}")
            assert (page.status_code, wording("zh")["problem.not_then.text"] in page.text) == (404, True)


@pytest.mark.parametrize("path", ["/status.json", "/mingbai/listings.json?_shape=array", f"/institutions/{SWEET}.json"])
async def test_without_a_day_and_where_there_is_no_past_the_live_release_answers(site, path):
    async with visitor(site()) as client:
        plain = await client.get(path)
        asked = await client.get(f"{path}{'&' if '?' in path else '?'}as_of={'' if 'institutions' in path else '2026-11-20'}")
    assert (plain.status_code, asked.status_code) == (200, 200)
    assert asked.text == plain.text or "listings" in path  # there it is the column of that name
    said = asked.text.partition('"timeline"')[0]  # which says what was before
    assert "旧" not in said.replace("旧时光", "").replace("旧名", "")


async def test_few_releases_are_open_at_once_and_the_others_are_closed(tmp_path, catalogue, site):
    ids = [f"2026-11-{day:02}" for day in range(10, 10 + MOST + 3)]
    for id in ids:
        make_release(tmp_path, id, catalogue)
    write_index(tmp_path, *ids)
    go_live(tmp_path, ids[-1])
    app = site(home=tmp_path)
    readers = {}
    async with visitor(app) as client:
        for id in ids[:-1] * 2:
            assert (await client.get(f"/institutions/{SWEET}.json?as_of={id}")).json()["release"] == id
            readers[id] = app.shelf.archive._open[id][1]
        assert list(app.shelf.archive._open) == ids[:-1][-MOST:]
        with pytest.raises(Exception, match="closed"):
            readers[ids[0]].row("SELECT 1 AS one")
        async with app.shelf.archive.hold(ids[0]) as held:
            for id in ids[1:-1]:
                await client.get(f"/?as_of={id}")
            assert held.row("SELECT 1 AS one") == {"one": 1}
        with pytest.raises(Exception, match="closed"):
            held.row("SELECT 1 AS one")


async def test_a_release_that_is_issued_anew_is_opened_anew_and_the_old_bytes_are_let_go(tmp_path, catalogue, site):
    for id, mark in ((OLD, "标记0"), (TODAY, "新")):
        make_release(tmp_path, id, catalogue, mark=mark)
    write_index(tmp_path, OLD, TODAY)
    write_past(tmp_path, catalogue, TODAY)  # of today alone: no mark is told by history
    go_live(tmp_path, TODAY)
    app = site(home=tmp_path)
    anew = tmp_path / "anew"
    for number in range(1, 9):
        make_release(anew / str(number), OLD, catalogue, mark=f"标记{number}")
    folder, running = tmp_path / "releases" / OLD, True
    answers: list[httpx.Response] = []
    async with visitor(app) as client:

        async def visit(path: str) -> None:
            while running:
                answers.append(await client.get(path))
                await asyncio.sleep(0.001)

        paths = (f"/institutions/{SWEET}.json", f"/notices/{ACTIVE}.json", f"/search.json?q=甜果&as_of={OLD}", "/data/about/institutions")
        visitors = [asyncio.create_task(visit(path if "?" in path else f"{path}?as_of={OLD}")) for path in paths]
        for number in range(1, 9):
            await asyncio.sleep(0.1)
            os.rename(folder, folder.with_name(f"{OLD}.superseded.part"))
            await asyncio.sleep(0.02)  # requests meet the gap between the two renames
            os.rename(anew / str(number) / "releases" / OLD, folder)
            shutil.rmtree(folder.with_name(f"{OLD}.superseded.part"))
            begun = len(answers)
            while len(times := Counter(answer.url.path for answer in answers[begun:])) < len(paths) or min(times.values()) < 2:
                await asyncio.sleep(0.005)
            last = {answer.url.path: answer for answer in answers}  # a slow one may have begun before
            assert {mark for answer in last.values() for mark in re.findall(r"标记(\d)", answer.text)} == {str(number)}
        running = False
        await asyncio.gather(*visitors)
        assert {answer.status_code for answer in answers} == {200}
        assert {len(set(re.findall(r"标记(\d)", answer.text))) for answer in answers} == {1}
        left = app.shelf.archive._open[OLD][1]
        shutil.rmtree(folder)
        await app.shelf.refresh()
        with pytest.raises(Exception, match="closed"):  # also when nobody asks for it any more
            left.row("SELECT 1 AS one")
        archive_answer = await client.get(f"/notices/{ACTIVE}?as_of={OLD}")
    assert archive_answer.status_code == 503
    assert wording("zh")["problem.as_of_busy.text"] in archive_answer.text


async def test_a_withdrawal_that_goes_live_while_a_release_is_opened_counts(tmp_path, catalogue, site, monkeypatch):
    make_release(tmp_path, OLD, catalogue)
    make_release(tmp_path, "2026-11-22", catalogue)
    write_index(tmp_path, OLD, "2026-11-22")
    go_live(tmp_path, "2026-11-22")
    app = site(home=tmp_path)
    tables = now("新")
    (make_release(tmp_path, TODAY, catalogue, tables=tables) / "tombstones.json").write_text(json.dumps(REVOKED))
    open_it = archive.Archive._open_anew

    async def slow(self: archive.Archive, *where: Any) -> Any:
        go_live(tmp_path, TODAY)
        await app.shelf.refresh()
        return await open_it(self, *where)

    monkeypatch.setattr(archive.Archive, "_open_anew", slow)
    async with visitor(app) as client:
        assert (await client.get(f"/notices/{ACTIVE}.json?as_of={OLD}")).status_code == 410


async def test_a_release_that_is_issued_anew_while_it_is_opened_is_opened_again(tmp_path, catalogue, site, monkeypatch):
    for home, id, mark in ((tmp_path, OLD, "标记0"), (tmp_path, TODAY, "新"), (tmp_path / "anew", OLD, "标记1")):
        make_release(home, id, catalogue, mark=mark)
    write_index(tmp_path, OLD, TODAY)
    go_live(tmp_path, TODAY)

    def slow(folder: Path, columns: Columns) -> Older:
        reader = Older(folder, columns)
        if (tmp_path / "anew" / "releases" / OLD).exists():
            shutil.rmtree(folder)
            os.rename(tmp_path / "anew" / "releases" / OLD, folder)
        return reader

    monkeypatch.setattr(archive, "Older", slow)
    async with visitor(site(home=tmp_path)) as client:
        assert "标记1" in (await client.get(f"/institutions/{SWEET}.json?as_of={OLD}")).json()["name"]


async def test_what_cannot_be_read_is_never_answered_by_another_release(site):
    async with visitor(site()) as client:
        keys = "&".join(f"k{number}=1" for number in range(60))
        answer = await client.get(f"/institutions/{SWEET}.json?{keys}&as_of={OLD}")
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")


async def test_a_day_whose_first_release_is_not_kept_means_the_one_that_is(site, made, tmp_path):
    (tmp_path / "releases").symlink_to(made / "releases")
    go_live(tmp_path, TODAY)
    app = site(home=tmp_path)
    async with visitor(app) as client:
        path = f"/institutions/{SWEET}.json?as_of="
        assert (await client.get(path + FIRST)).status_code == 404  # without releases.json the live one alone is known
        write_index(tmp_path, OLD, SECOND, TODAY)
        assert (await client.get(path + FIRST)).json()["release"] == SECOND
        write_index(tmp_path, OLD, FIRST, TODAY, "2026-11-24")  # what is not live yet is not shown
        assert (await client.get(path + "2026-11-22")).json()["release"] == FIRST
        assert (await client.get(path + "2026-11-24")).status_code == 400


def test_a_kind_a_region_a_penalty_or_a_measure_that_was_corrected_is_not_told_by_an_earlier_release(tmp_path, catalogue):
    before, after = rows("旧"), rows("新")
    for tables in (before, after):
        tables["notice_penalties"] = [{"notice_id": SERIOUS, "penalty_code": "fine"}]
        tables["notice_measures"] = []
    before["notice_penalties"].append({"notice_id": SERIOUS, "penalty_code": "revoke_permit"})
    before["notice_measures"] = [{"notice_id": SERIOUS, "measure_code": "blacklisted"}]
    wrong, right = {"kind": "blacklist", "region_code": "350103"}, {"kind": "penalty", "region_code": "350102"}
    for tables, said in ((before, wrong), (after, right)):
        tables["notices"] = [row | (said if row["id"] == SERIOUS else {}) for row in tables["notices"]]
    older, live = (
        Older(make_release(tmp_path, OLD, catalogue, tables=before), columns_of(dictionary(catalogue))),
        Reader(make_release(tmp_path, TODAY, catalogue, tables=after)),
    )
    older.beside(live, TODAY)
    found = facts.notice(older, SERIOUS)
    cards = [it for card in facts.cards(older, [CLOSED], TODAY) for it in card["notices_in_force"] if it["id"] == SERIOUS]
    unsaid = older.unsaid()[SERIOUS]
    older.close()
    live.close()
    assert found is not None
    assert (found["kind"], found["region_code"], found["penalties"], found["measures"]) == (None, None, ["fine"], [])
    assert set(wrong) <= set(unsaid), "nor found again by it"
    assert [bool(it["is_blacklisting"] or it["is_revoking"]) for it in cards] == [False], "and no answer is made of it"
