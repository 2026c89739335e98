"""/changes and the timelines: every change is told once, with its cause and its dates, and what may not be shown any more is not named."""

import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from publish.catalogue import Catalogue
from publish.web.answer import App
from publish.web.plot import MOST, plot
from publish.wording import LANGUAGES, wording
from web_release import (
    ACTIVE,
    CLOSED,
    ENDS_TODAY,
    HOSTILE,
    REPAIRED,
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
RELEASES = FIRST, SECOND, THIRD, OURS, _ = ("2026-11-19", "2026-11-20", "2026-11-21", "2026-11-21.2", TODAY)
NEW, BLACK = "i-eeeeeeeeeee2", "l-bbbbbbbbbbb2"
FORMULA = "=HYPERLINK(1)培训中心"
NAME = "福州市鼓楼区甜果培训中心有限公司（标记）"


def then(number: int) -> Rows:
    """The world in the release of this number, each with a little more."""
    tables = rows("标记")
    institutions = {row["id"]: row for row in tables["institutions"]}
    notices = {row["id"]: row for row in tables["notices"]}
    notices[ACTIVE]["fine_fen"] = 1_200_000 if number >= 3 else 1_000_000
    notices[ACTIVE]["state"] = "corrected" if number >= 3 else "active"
    notices[UNLINKED]["state"] = "disputed" if number >= 3 else "active"
    institutions[SWEET]["name"] = NAME if number >= 2 else "旧甜果培训中心"
    institutions[SWEET]["updated_on"] = "2026-11-01" if number >= 2 else "2026-10-01"
    institutions[SHADY]["address"] = f"{HOSTILE}路" if number >= 2 else "某路"
    institutions[TONG]["name"] = FORMULA if number >= 3 else "厦门同学堂"
    institutions[CLOSED]["address"] = "五四路" if number >= 4 else "五四路 1 号"
    institutions[CLOSED]["absent_since"] = "2026-11-23" if number == 5 else None
    left = {ENDS_TODAY, UNLINKED} if number < 2 else set()
    for table, column in (("notices", "id"), *((table, "notice_id") for table in tables if table.startswith("notice_"))):
        tables[table] = [row for row in tables[table] if row[column] not in left]
    if number < 3:
        tables["notice_statements"] = [row for row in tables["notice_statements"] if row["notice_id"] != UNLINKED]
        tables["permits"] = tables["permits"][1:]
    else:
        tables["institutions"].append({"id": NEW, "name": "深圳新培训中心", "region_code": "440305", "source_id": "platform"})
        tables["permits"].append({"institution_id": NEW, "permit_no": "教民144030570000018"})
    if number in (3, 4):
        tables["listings"].append({"id": BLACK, "institution_id": CLOSED, "list": "black", "authority": "某黑名单机关", "region_code": "350102", "valid_until": "2028-01-01", "as_of": "2026-11-20", "source_id": "platform"})  # fmt: skip
    return tables


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for number, id in enumerate(RELEASES, 1):
        make_release(home, id, catalogue, tables=then(number))
    write_index(home, *RELEASES)
    write_past(home, catalogue, *RELEASES, ours=[OURS])
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(made: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    with sites(made, catalogue, NOON) as make:
        yield make


async def everything(client: httpx.AsyncClient, limit: int = 200, **asked: str) -> list[dict[str, Any]]:
    """All items of a selection, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = (await client.get("/changes.json", params={**asked, "limit": limit})).json()
        found += answer["items"]
        if answer["next"] is None:
            return found
        asked["after"] = answer["next"]


def told(home: Path, where: str = "1") -> set[tuple[Any, ...]]:
    """What changed by the file itself: release, table, key (of what is shown), kind, cause, and the fields."""
    sql = f"""SELECT r.id, table_name, iif(is_shown OR table_name = 'notices', key, NULL), kind, cause, group_concat(field, ' ' ORDER BY field) FROM changes c
        JOIN releases r ON r.number = c.release WHERE kind <> 'columns' AND ({where}) GROUP BY release, table_name, key, kind, cause"""
    with closing(sqlite3.connect(f"file:{home / 'past' / TODAY}.db?mode=ro&immutable=1", uri=True)) as connection:
        return set(connection.execute(sql.replace(" ORDER BY field)", ")")))


def as_told(items: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    return {
        (it["release"], it["table"], it["key"], it["kind"], it["cause"], " ".join(field["field"] for field in it["fields"]) or None)
        for it in items
    }


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({}, "release = 5"),
        ({"from": FIRST}, "1"),
        ({"to": TODAY}, "1"),
        ({"release": SECOND}, "release = 2"),
        ({"release": OURS}, "release = 4"),
        ({"from": SECOND, "to": OURS}, "release IN (3, 4)"),
        ({"from": "2026-11-18", "to": "2026-11-22"}, "release <= 4"),
        ({"from": THIRD, "to": THIRD}, "0"),
        ({"from": FIRST, "region": "350000"}, "region LIKE '35%'"),
        ({"from": FIRST, "region": "350100"}, "region LIKE '3501%'"),
        ({"from": FIRST, "region": "350203"}, "region = '350203'"),
        ({"from": FIRST, "region": "440000"}, "region LIKE '44%'"),
        ({"from": FIRST, "region": "110000"}, "0"),
        ({"from": FIRST, "dataset": "institutions"}, "table_name IN ('institutions', 'permits')"),
        ({"from": FIRST, "dataset": "notices"}, "table_name GLOB 'notice*' AND table_name <> 'notice_links'"),
        ({"from": FIRST, "table": "institutions"}, "table_name = 'institutions'"),
        ({"from": FIRST, "dataset": "institutions", "table": "permits", "kind": "add"}, "table_name = 'permits' AND kind = 'add'"),
        ({"from": FIRST, "cause": "pipeline"}, "cause = 'pipeline'"),
        ({"from": FIRST, "cause": "dispute"}, "cause = 'dispute'"),
        ({"from": FIRST, "cause": "correction"}, "cause = 'correction'"),
        ({"from": FIRST, "kind": "remove"}, "kind = 'remove'"),
        ({"from": FIRST, "kind": "add", "region": "350100", "dataset": "notices"}, "kind = 'add' AND region LIKE '3501%' AND table_name GLOB 'notice*' AND table_name <> 'notice_links'"),
        ({"subject": TONG}, f"subject = '{TONG}'"),
        ({"subject": SWEET}, f"subject IN ('{SWEET}', '{ACTIVE}', '{ENDS_TODAY}')"),
        ({"subject": SWEET, "region": "350102", "kind": "change"}, f"subject IN ('{SWEET}', '{ACTIVE}', '{ENDS_TODAY}') AND region = '350102' AND kind = 'change'"),
        ({"subject": SWEET, "release": THIRD}, f"subject IN ('{SWEET}', '{ACTIVE}', '{ENDS_TODAY}') AND release = 3"),
        ({"subject": "i-nobodynobod2"}, "0"),
    ],
)  # fmt: skip
async def test_a_selection_holds_what_the_file_holds_and_counts_it(site, made, asked, where):
    async with visitor(site()) as client:
        answer = (await client.get("/changes.json", params={**asked, "limit": 200})).json()
        page = await client.get("/changes", params=asked)
    assert as_told(answer["items"]) == told(made, where)
    assert answer["next"] is None
    assert sum(row["rows"] for row in answer["counts"]) == len(answer["items"])
    assert sum(row["add"] + row["change"] + row["remove"] for row in answer["by_release"]) == len(answer["items"])
    assert page.status_code == 200
    assert (f"有变更的行：{len(answer['items'])}" in page.text) == bool(answer["items"])


async def test_pages_give_each_change_once_and_in_order(site):
    async with visitor(site()) as client:
        whole = await everything(client, **{"from": FIRST})
        for limit in (1, 2, 7):
            assert await everything(client, limit, **{"from": FIRST}) == whole
        seen, link = [], f"/changes?limit=3&{urlencode({'from': FIRST})}"
        while link:
            page = (await client.get(link)).text
            seen += re.findall(r'<article class="card change">|<p class="hidden">', page)
            found = re.search(r'rel="next" href="([^"]+)"', page)
            link = found[1].replace("&amp;", "&") if found else ""
    assert [it["release"] for it in whole] == sorted((it["release"] for it in whole), reverse=True)
    assert len(seen) == len(whole) > 15
    tables = [it["table"] for it in whole if it["release"] == THIRD]
    assert tables.index("institutions") < tables.index("listings") < tables.index("notices")


@pytest.mark.parametrize(
    ("name", "value", "known"),
    [
        ("release", "2026-11-22", TODAY),
        ("release", "nonsense", FIRST),
        ("from", "2026-11-40", FIRST),
        ("to", "2026-11-18", FIRST),
        ("to", "2026-11-24", TODAY),
        ("to", "2026-11-20.7", TODAY),
        ("region", "999999", "350000"),
        ("region", "福建", "350000"),
        ("dataset", "permits", "institutions"),
        ("table", "changes", "permits"),
        ("cause", "magic", "source"),
        ("kind", "' OR 1=1 --", "remove"),
        ("after", "x", "next"),
        ("after", f"{TODAY}:999999999", "next"),
        ("after", f"{FIRST}:1", "next"),
        ("limit", "-1", "200"),
        ("subject", "x" * 100, "i-"),
    ],
)
async def test_a_wrong_value_is_refused_with_those_that_exist(site, name, value, known):
    async with visitor(site()) as client:
        for prefix in ("", "/en"):
            answer = await client.get(f"{prefix}/changes.json", params={name: value})
            page = await client.get(f"{prefix}/changes", params={name: value})
            assert (answer.status_code, page.status_code) == (400, 400)
            assert answer.json()["error"] == "choice"
            assert answer.json()["name"] == name
            assert known in answer.json()["known"]
            assert known in answer.json()["message"]
            assert known in text_of(page.text)
        both = await client.get("/changes.json", params={"release": THIRD, "from": FIRST})
        backwards = await client.get("/changes.json", params={"from": TODAY, "to": FIRST})
    assert (both.status_code, backwards.status_code) == (400, 400)


@pytest.mark.parametrize("key", ["regoin", "as_of", "offset", "utm_source"])
@pytest.mark.parametrize("path", ["/changes", "/changes.json", "/changes.csv", "/en/changes"])
async def test_a_key_that_is_none_is_refused_with_those_that_are(site, path, key):
    async with visitor(site()) as client:
        answer = await client.get(path, params={"region": "350000", key: "1"})
    assert (answer.status_code, key in answer.text, "region, dataset, table" in answer.text) == (400, True, True)
    assert "json" not in path or answer.json()["error"] == "key"


async def test_a_change_says_what_why_and_its_three_dates(site):
    async with visitor(site()) as client:
        (name,) = [it for it in await everything(client, release=SECOND, dataset="institutions") if it["subject"] == SWEET]
        page = text_of((await client.get("/changes", params={"release": THIRD})).text)
        english = text_of((await client.get("/en/changes", params={"release": THIRD})).text)
    assert name["fields"] == [
        {"field": "name", "before": "旧甜果培训中心", "after": NAME, "has_values": True},
        {"field": "updated_on", "before": "2026-10-01", "after": "2026-11-01", "has_values": True},
    ]
    assert (name["name"], name["region_name"], name["url"]) == (NAME, "福建省福州市鼓楼区", f"/institutions/{SWEET}")
    assert (name["effective_on"], name["published_on"], name["recorded_on"]) == ("2026-11-01", "2026-11-22", SECOND)
    for said in (
        "更正不重复所更正的内容 → 12,000.00 元",
        "更正",
        "本站记录 2026-11-21 （ 2026-11-21 版本）",
        "教民144030570000018",
        "深圳新培训中心",
        "广东省深圳市南山区",
        "异议或申辩",
    ):
        assert said in page, said
    for said in ("what was corrected is not repeated → 12,000.00 yuan", "Disputed", "corrected", "recorded by us 2026-11-21"):
        assert said in english, said


async def test_what_we_did_ourselves_is_no_change_by_the_source(site):
    async with visitor(site()) as client:
        items = await everything(client, release=OURS)
        for prefix, words in (("", "不是来源的变更"), ("/en", "not changes by the source")):
            assert words in (await client.get(f"{prefix}/changes", params={"release": OURS})).text
            assert words not in (await client.get(f"{prefix}/changes", params={"release": THIRD})).text
            assert words in (await client.get(f"{prefix}/changes", params={"from": FIRST})).text
    assert {it["cause"] for it in items} == {"pipeline"}
    assert {(it["effective_on"], it["published_on"]) for it in items} == {(None, None)}


async def test_the_first_release_says_that_all_of_it_was_new(site):
    async with visitor(site()) as client:
        answer = (await client.get("/changes.json", params={"release": FIRST})).json()
        page = text_of((await client.get("/changes", params={"release": FIRST})).text)
        assert (await client.get("/changes.json", params={"from": FIRST})).json()["first_release"] == {}
        of_permits = (await client.get("/changes.json", params={"to": TODAY, "table": "permits"})).json()
        assert of_permits["first_release"] == {"permits": 2}
    assert answer["items"] == []
    assert (answer["first_release"]["institutions"], answer["first_release"]["permits"]) == (4, 2)
    assert "2026-11-19 是第一个版本，其中各项都是新的" in page.replace(" 2026-11-19 ", "2026-11-19 ")


async def test_a_black_listing_that_is_gone_is_one_line_without_whose_it_was(site):
    async with visitor(site()) as client:
        items = [it for it in await everything(client, **{"from": FIRST, "dataset": "listings"}) if not it["is_shown"]]
        answers = [(await client.get(path, params={"from": FIRST})).text for path in ("/changes", "/changes.json", "/changes.csv")]
    assert [(it["release"], it["kind"], it["event"]) for it in items] == [(TODAY, "remove", "hidden_remove"), (THIRD, "add", "hidden_add")]
    for it in items:
        assert (it["key"], it["subject"], it["name"], it["region"], it["url"], it["fields"]) == (None, None, None, None, None, [])
    for answer in answers:
        assert "某黑名单机关" not in answer
        assert BLACK not in answer
    assert answers[0].count(wording("zh")["changes.hidden"]) == 3 - 1


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_notice_that_ended_this_midnight_is_not_named_any_more(site, lang):
    prefix = "" if lang == "zh" else "/en"
    paths = [f"{prefix}/changes{form}?{query}" for form in ("", ".json", ".csv") for query in (f"from={FIRST}", f"subject={ENDS_TODAY}", f"subject={SWEET}")]  # fmt: skip
    paths += [f"{prefix}/institutions/{SWEET}{form}" for form in ("", ".json")]
    async with visitor(site()) as client:
        before = [(await client.get(path)).text for path in paths]
    async with visitor(site(MIDNIGHT)) as client:
        after = [(await client.get(path)).text for path in paths]
        (item,) = [it for it in await everything(client, **{"from": FIRST}) if it["subject"] == ENDS_TODAY]
        counts = (await client.get("/changes.json", params={"from": FIRST, "limit": 200})).json()
        of_county = (await client.get("/changes.json", params={"from": FIRST, "region": "350102", "limit": 200})).json()
    for path, then_, now in zip(paths, before, after, strict=True):
        assert "今天到期的公告" in then_, path
        for name in ("今天到期", "某培训部"):
            assert name not in now, path
    assert (item["is_shown"], item["name"], item["region"], item["cause"], item["url"]) == (False, None, None, "source", None)
    for answer in (counts, of_county):
        assert sum(row["rows"] for row in answer["counts"]) == len(answer["items"])
    assert ENDS_TODAY not in {it["key"] for it in of_county["items"]}
    async with visitor(site(MIDNIGHT)) as client:
        gone = await client.get(f"{prefix}/notices/{ENDS_TODAY}.json")
        page = text_of((await client.get(f"{prefix}/notices/{ENDS_TODAY}")).text)
    assert gone.status_code == 410
    stone = {"id": ENDS_TODAY, "on": TODAY, "class": "expired"}
    assert gone.json() == {"release": TODAY, "tombstone": stone, "public_from": SECOND, "public_to": None}
    assert SECOND in page


async def test_a_csv_is_the_whole_selection_a_line_a_field_and_computes_nothing(site):
    async with visitor(site()) as client:
        answer = await client.get("/changes.csv", params={"from": FIRST})
        head = await client.head("/changes.csv", params={"from": FIRST})
        items = await everything(client, **{"from": FIRST})
    assert (head.status_code, head.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f"filename=\"mingbai-changes-{FIRST}.csv\"; filename*=UTF-8''%E6%98%8E" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    expected = [(it, field) for it in items for field in it["fields"] or [{}]]
    assert len(lines) == len(expected)
    for line, (it, field) in zip(lines, expected, strict=True):
        assert (line["number"], line["release"], line["table"], line["key"], line["cause"]) == (
            str(it["number"]),
            it["release"],
            it["table"],
            it["key"] or "",
            it["cause"],
        )
        assert line["field"] == field.get("field", "")
    (line,) = [line for line in lines if line["subject"] == TONG and line["field"] == "name"]
    assert line["after"] == f"'{FORMULA}"
    assert not [value for line in lines for value in line.values() if value.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_an_institution_that_went_is_linked_in_the_last_release_that_had_it(catalogue, tmp_path, site):
    for number, id in ((5, FIRST), (2, SECOND)):
        make_release(tmp_path, id, catalogue, tables=then(number))
    write_index(tmp_path, FIRST, SECOND)
    write_past(tmp_path, catalogue, FIRST, SECOND)
    go_live(tmp_path, SECOND)
    async with visitor(site(home=tmp_path)) as client:
        page = (await client.get("/changes")).text
        links = set(re.findall(rf'href="(/institutions/{NEW}[^"]*)"', page))
        assert links == {f"/institutions/{NEW}?as_of={FIRST}"}
        assert (await client.get(links.pop())).status_code == 200


async def test_nothing_that_a_source_wrote_becomes_markup(site):
    async with visitor(site()) as client:
        for path in (f"/changes?from={FIRST}", f"/institutions/{SHADY}", f"/changes?subject={SHADY}"):
            page = (await client.get(path)).text
            assert "<script" not in page.replace('<script type="application/ld+json">', "")  # data that no browser runs
            assert "\u202e" not in page
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        page = (await client.get("/changes", params={"subject": '"><script>'})).text
    assert "<script" not in page


async def test_an_institution_has_a_timeline_with_its_notices(site):
    async with visitor(site()) as client:
        answer = (await client.get(f"/institutions/{SWEET}.json")).json()
        page = (await client.get(f"/institutions/{SWEET}")).text
        then_ = (await client.get(f"/institutions/{SWEET}.json?as_of={SECOND}")).json()
        assert f'href="/changes?subject={SWEET}&amp;to={SECOND}"' in (await client.get(f"/institutions/{SWEET}?as_of={SECOND}")).text
        new = (await client.get(f"/institutions/{NEW}.json")).json()
    happened = [(it["release"], it["table"], it["event"], it["subject"]) for it in answer["timeline"]]
    assert happened == [
        (THIRD, "permits", "added", SWEET),
        (THIRD, "notices", "corrected", ACTIVE),
        (SECOND, "institutions", "changed", SWEET),
        (SECOND, "notices", "came", ENDS_TODAY),
        (FIRST, "institutions", "first", SWEET),
    ]
    assert [it["release"] for it in then_["timeline"]] == [SECOND, SECOND, FIRST]
    assert [(it["table"], it["event"]) for it in new["timeline"]] == [("institutions", "came")], "its permit came with it"
    assert f'href="/changes?subject={SWEET}"' in page
    assert "教民135010270000018" in page
    assert "旧甜果培训中心" in page


async def test_a_notice_has_a_public_log(site):
    async with visitor(site()) as client:
        notice = (await client.get(f"/notices/{UNLINKED}.json")).json()
        corrected = (await client.get(f"/notices/{ACTIVE}.json")).json()
        page = text_of((await client.get(f"/notices/{ACTIVE}")).text)
        closed = (await client.get(f"/institutions/{CLOSED}.json")).json()
    assert [(it["release"], it["event"]) for it in notice["timeline"]] == [(THIRD, "disputed"), (SECOND, "came")], (
        "what was said and what it changed are one"
    )
    assert [(it["release"], it["event"]) for it in corrected["timeline"]] == [(THIRD, "corrected"), (FIRST, "first")]
    assert "更正不重复所更正的内容 → 12,000.00 元" in page
    assert "10,000.00 元" not in page
    assert closed["timeline"][0]["event"] == "absent"
    assert BLACK not in json.dumps(closed["timeline"])


async def test_a_notice_that_is_gone_says_since_when_and_no_more(site):
    async with visitor(site()) as client:
        gone = await client.get(f"/notices/{REPAIRED}.json")
    assert gone.status_code == 410
    assert gone.json().keys() == {"release", "tombstone", "public_from", "public_to"}
    assert (gone.json()["tombstone"].keys(), gone.json()["public_from"]) == ({"id", "on", "class"}, FIRST)


async def test_the_start_page_says_what_the_newest_release_changed(site):
    async with visitor(site()) as client:
        page = (await client.get("/")).text
        then_ = text_of((await client.get(f"/?as_of={THIRD}")).text)
    assert "机构：新增 0，更改 1，移除 0。" in text_of(page)
    assert f'href="/changes?release={TODAY}"' in page
    assert "机构：新增 1，更改 1，移除 0。" in then_


async def test_the_plot_has_the_numbers_of_its_table_and_words_for_who_does_not_see_it(site):
    async with visitor(site()) as client:
        page = (await client.get("/changes", params={"from": FIRST})).text
        answer = (await client.get("/changes.json", params={"from": FIRST})).json()
    assert re.search(r'<svg class="plot"[^>]* role="img" aria-labelledby="plot_title plot_desc">', page)
    assert "<title id=" in page
    assert "<desc id=" in page
    table = page[(start := page.index("<details>")) : page.index("</details>", start)]
    numbers = [tuple(map(int, re.findall(r'<td class="n">(?:<a [^>]*>)?(\d+)', row))) for row in table.split("<tr>")[2:]]
    assert numbers == [(row["add"], row["change"], row["remove"]) for row in reversed(answer["by_release"])]
    assert page.count("<rect") == sum(number > 0 for row in numbers for number in row) + 3


def test_many_releases_are_added_up_by_month():
    releases = [
        {"number": n, "id": f"r{n}", "day": f"2026-{(n - 1) // 28 + 1:02d}-{(n - 1) % 28 + 1:02d}", "is_pipeline": n == 30}
        for n in range(1, MOST + 2)
    ]
    counted = [{"release": n, "kind": kind, "rows": n} for n in range(1, MOST + 2) for kind in ("add", "remove")]
    found = plot(counted, releases)
    assert [(bar.label, bar.first, bar.last, bar.is_pipeline) for bar in found.bars] == [
        ("2026-01", 1, 28, False),
        ("2026-02", 29, 56, True),
        ("2026-03", 57, 61, False),
    ]
    assert [bar.counts["add"] for bar in found.bars] == [sum(range(1, 29)), sum(range(29, 57)), sum(range(57, 62))]
    assert not plot(counted[:2], releases[:MOST]).by_month
    for x, y, width, height, _ in found.boxes:
        assert 0 <= y <= y + height <= 100
        assert 0 <= x <= x + width <= found.width


async def test_without_the_past_changes_say_so_and_the_rest_goes_on(site, made, tmp_path, caplog):
    home = tmp_path / "home"
    shutil.copytree(made, home, symlinks=True)
    file = home / "past" / f"{TODAY}.db"
    whole = file.read_bytes()
    app = site(home=home)
    async with visitor(app) as client:
        assert (await client.get("/changes")).status_code == 200
    for broken in (None, b"torn", whole[:5000]):
        file.unlink()
        if broken is not None:
            file.write_bytes(broken)
        async with visitor(site(home=home)) as client:
            for path in ("/changes", "/changes.csv"):
                assert (await client.get(path)).status_code == 503
            answer = await client.get("/changes.json")
            assert (answer.status_code, answer.json()["error"]) == (503, "no_past")
            for path in ("/", f"/institutions/{SWEET}", f"/notices/{ACTIVE}", f"/institutions/{SWEET}?as_of={FIRST}"):
                page = await client.get(path)
                assert page.status_code == 200
                assert 'id="timeline"' not in page.text
            assert (await client.get(f"/institutions/{SWEET}.json")).json()["timeline"] is None
            told = [record for record in caplog.records if record.name == "publish.web.shelf"]
            assert len(told) == (broken is not None), "once, and not for each page"
            caplog.clear()
            file.unlink(missing_ok=True)
            file.write_bytes(whole)
            assert (await client.get("/changes")).status_code == 200, "it is made again while the server runs"


async def test_a_file_that_is_made_again_is_read_anew(site, made, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(made, home, symlinks=True)
    app = site(home=home)
    file = home / "past" / f"{TODAY}.db"
    async with visitor(app) as client:
        at = f"/regions/{(await everything(client, subject=TONG))[0]['region']}.json"
        assert TONG in {change["subject"] for change in (await client.get(at)).json()["changes"]["newest"]}
        assert {item["subject"] for item in await everything(client, subject=SWEET)} > {SWEET}
        assert (await client.get("/changes.json")).json()["counts"]
        other = tmp_path / "other.db"
        shutil.copy(file, other)
        with closing(sqlite3.connect(other)) as connection:
            connection.executescript(f"DELETE FROM changes WHERE subject = '{TONG}'; DELETE FROM notice_links; DELETE FROM change_counts")
            connection.commit()
        other.replace(file)
        assert await everything(client, subject=TONG) == []
        assert TONG not in {change["subject"] for change in (await client.get(at)).json()["changes"]["newest"]}
        assert {item["subject"] for item in await everything(client, subject=SWEET)} == {SWEET}
        assert (await client.get("/changes.json")).json()["counts"] == []
