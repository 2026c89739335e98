"""A feed of a place that no source tells of says so: whoever reads it must not believe that nothing happened there."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import feedparser
import pytest

from publish.answering import Source
from publish.catalogue import Catalogue, dictionary
from publish.coverage import Coverage
from publish.families import FAMILIES, authority_key
from publish.feedfile import feedfile
from publish.home import Home
from publish.web.server import build_app
from publish.wording import say
from test_feeds_web import AUTHORITY, NOON, SITE, visiting
from web_release import TODAY, go_live, make_release, rows, write_index, write_past

MUCH_LATER = datetime(2027, 3, 1, 4, tzinfo=UTC)
FUJIAN, GULOU, SIMING, FUQING, GUANGDONG, BEIJING = "350000", "350102", "350203", "350181", "440000", "110000"
# of a feed, what /verify would say of a name that nobody has there; of one of notices, whether its sources publish any
CASES = [
    ("notices/region/" + GUANGDONG, "region_not_covered"), ("listings/region/" + GUANGDONG, "region_not_covered"), ("notices/region/" + GULOU, None), ("listings/region/" + GULOU, None),
    ("records/region/" + SIMING, "held"), ("corrections/region/" + FUJIAN, "held"), ("listings/region/" + SIMING, None), ("listings/region/" + FUQING, "region_empty"), ("notices/region/" + FUQING, None),
    ("notices/region/" + BEIJING, "region_empty"), ("listings/region/" + BEIJING, None), ("notices", "region_needed"), ("listings", "region_needed"), ("notices/violation/illegal_fees", "region_needed"),
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Fujian has a source of which the notices of a county are held; Beijing one that has lists alone; the rest of the country has none."""
    home = tmp_path_factory.mktemp("covered")
    tables = rows("x")
    tables["sources"][0]["region_code"] = FUJIAN
    tables["sources"].append({**tables["sources"][0], "id": "beijing", "region_code": BEIJING})
    listing = {**tables["listings"][0], "id": "l-beijing", "source_id": "beijing", "region_code": BEIJING}
    tables["listings"].append(listing)
    tables["listings"].append({**listing, "id": "l-siming", "source_id": "platform", "region_code": SIMING})
    folder = make_release(home, TODAY, catalogue, tables=tables)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["held"] = [{"source": "platform", "table": "notices", "region": SIMING, "since": "2026-11-20"}]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_past(home, catalogue, TODAY)
    write_index(home, TODAY)
    go_live(home, TODAY)
    feedfile(Home(home), catalogue, folder, TODAY, SITE)
    return home


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., Any]]:
    made = {now: build_app(home, dictionary=dictionary(catalogue), now=lambda now=now: now, base_url=SITE) for now in (NOON, MUCH_LATER)}
    yield lambda now=NOON: made[now]
    for app in made.values():
        app.shelf.close()


@pytest.mark.parametrize(("feed", "why"), CASES)
async def test_a_feed_says_whether_nothing_new_means_that_nothing_happened(site, feed, why):
    async with visiting(site()) as client:
        documents = {form: await client.get(f"/feeds/{feed}.{form}") for form in ("atom", "rss", "json")}
        heartbeat = (await client.get(f"/feeds/{feed}/heartbeat.json")).json()
        pages = {lang: unescape((await client.get(f"{'' if lang == 'zh' else '/en'}/feeds/{feed}")).text) for lang in ("zh", "en")}
    said = documents["json"].json()
    assert (said["_mingbai"]["is_covered"], heartbeat["is_covered"]) == (why is None, why is None)
    assert (heartbeat["not_covered"] or {}).get("code") == why
    about = FAMILIES[feed.partition("/")[0]][1]
    read = [feedparser.parse(documents[form].content).feed.subtitle for form in ("atom", "rss")]
    assert read == [said["description"]] * 2
    for form in ("atom", "rss"):
        assert f"<mb:covered>{str(why is None).lower()}</mb:covered>" in documents[form].text
    begins = {lang: say(lang, "feed.silent", why="").strip() for lang in pages}
    if why is None:
        assert said["description"] == about
        assert not any(begins[lang] in page for lang, page in pages.items())
    else:
        assert said["description"].removeprefix(about).strip() == heartbeat["not_covered"]["text"]
        assert all(begins[lang] in page for lang, page in pages.items())


async def test_where_there_is_no_notice_it_is_said_of_now_alone(site):
    """Those that there were may have ended or been withdrawn, and the feed still has their numbers."""
    async with visiting(site()) as client:
        said = (await client.get(f"/feeds/notices/region/{BEIJING}.json")).json()["description"]
        page = unescape((await client.get(f"/en/feeds/notices/region/{BEIJING}")).text)
    assert "覆盖这里的来源现在没有公布中的公告。" in said
    assert "The sources that cover this place publish no notice now." in page


COUNTRYWIDE = Source("country", "000000", "2026-11-20", regions=frozenset({"000000", FUJIAN, "350100", GULOU, SIMING, GUANGDONG}))
BELOW = Source("gulou", GULOU, "2026-11-20", regions=frozenset({"000000", FUJIAN, "350100", GULOU}))


@pytest.mark.parametrize(
    ("sources", "silent", "covered"),
    [
        ([COUNTRYWIDE, BELOW], {}, (None, FUJIAN, GULOU, GUANGDONG)),
        ([replace(COUNTRYWIDE, held=frozenset({SIMING}))], {"held": (None, FUJIAN, SIMING)}, (GULOU, GUANGDONG)),
        ([COUNTRYWIDE, replace(BELOW, is_stale=True)], {"stale_source": (None, FUJIAN, "350100", GULOU)}, (SIMING, GUANGDONG)),
        ([COUNTRYWIDE, replace(BELOW, is_stale=True, regions=frozenset())], {}, (None, FUJIAN, GULOU)),  # it gives nothing of the kind
        ([COUNTRYWIDE, replace(BELOW, held=frozenset({GULOU}))], {"held": (None, FUJIAN, "350100", GULOU)}, (SIMING, GUANGDONG)),
        ([COUNTRYWIDE, replace(BELOW, region=None, is_stale=True)], {"stale_source": (None,)}, (FUJIAN, GUANGDONG)),
    ],
)
def test_a_place_is_told_of_where_nothing_within_it_is_stale_or_held(catalogue, sources, silent, covered):
    """Of a whole it is not told where a part of it is not: /verify, which looks for one name, says that in a note."""
    found = Coverage({"listings": sources, "notices": sources}, catalogue.regions)
    for why, places in [*silent.items(), (None, covered)]:
        for family in ("listings", "notices", "records"):
            keys = [family if place is None else f"{family}/region/{place}" for place in places]
            assert {found.of_feed(key) for key in keys} == {why}
        assert {found.of_feed("notices/violation/illegal_fees") for place in places if place is None} <= {why}


@pytest.mark.parametrize("region", [GUANGDONG, GULOU, SIMING, FUQING, BEIJING])
@pytest.mark.parametrize("now", [NOON, MUCH_LATER])
async def test_a_feed_of_lists_says_what_a_question_for_a_name_says(site, region, now):
    async with visiting(site(now)) as client:
        answer = (await client.get(f"/verify.json?name=无此机构无此机构&region={region}")).json()
        heartbeat = (await client.get(f"/feeds/listings/region/{region}/heartbeat.json")).json()
    told = answer["reasons"][0]["code"]
    assert (heartbeat["not_covered"] or {"code": "not_found"})["code"] == told


@pytest.mark.parametrize("feed", ["notices", "listings/region/" + GULOU, "records/region/" + GUANGDONG])
async def test_a_source_that_goes_stale_is_told_without_a_release(site, feed):
    async with visiting(site()) as client:
        fresh = await client.get(f"/feeds/{feed}.json")
        again = await client.get(f"/feeds/{feed}.json")
    async with visiting(site(MUCH_LATER)) as client:
        stale = await client.get(f"/feeds/{feed}.json")
        page = await client.get(f"/feeds/{feed}")
        atom = await client.get(f"/feeds/{feed}.atom")
    assert fresh.headers["etag"] == again.headers["etag"]
    if GUANGDONG not in feed and feed != "notices":
        assert fresh.json()["_mingbai"]["is_covered"] is True
        assert stale.json()["_mingbai"]["is_covered"] is False
        assert say("zh", "verify.reason.stale_source") in stale.text
        assert say("zh", "verify.reason.stale_source") in page.text
        assert say("zh", "verify.reason.stale_source") in atom.text
        assert stale.headers["etag"] != fresh.headers["etag"]
    else:  # of which it was said before that nobody tells of it
        assert stale.json()["description"] == fresh.json()["description"]


@pytest.mark.parametrize(
    ("query", "covered"),
    [(f"region={GUANGDONG}", False), (f"region={GULOU}", True), ("q=收费", False), (f"province={FUJIAN}&county={GULOU}&q=收费", True), (f"authority={AUTHORITY}", None)],
)  # fmt: skip
async def test_so_does_a_search(site, query, covered):
    async with visiting(site()) as client:
        feed = (await client.get(f"/feeds/notices.json?{query}")).json()
        page = unescape((await client.get(f"/en/feeds/notices?{query}")).text)
    assert feed["_mingbai"].get("is_covered") is covered
    begins = say("en", "feed.silent", why="").strip()
    assert (begins in page) == (covered is False)


async def test_who_chooses_a_region_reads_it_beside_the_addresses(site):
    async with visiting(site()) as client:
        there, here = [unescape((await client.get(f"/feeds?region={region}")).text) for region in (GUANGDONG, GULOU)]
    begins = say("zh", "feed.silent", why="")
    assert there.count(begins) == 2
    assert begins not in here


@pytest.mark.parametrize("feed", [f"notices/authority/{authority_key(AUTHORITY)}", "releases"])
async def test_of_what_is_about_no_place_nothing_is_said(site, feed):
    async with visiting(site()) as client:
        assert "is_covered" not in (await client.get(f"/feeds/{feed}.json")).json()["_mingbai"]
        assert (await client.get(f"/feeds/{feed}/heartbeat.json")).json()["is_covered"] is None


@pytest.fixture(scope="module")
def ageing(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """A release of which nothing ends for years, and its one source is stale from 2026-11-26 on."""
    home = tmp_path_factory.mktemp("ageing")
    tables = rows("x")
    for notice in tables["notices"]:
        notice |= {"public_until": "2029-01-01", "state": "active"}
    tables["listings"] = [row for row in tables["listings"] if row["list"] == "white"]
    tables["sources"][0] |= {"region_code": FUJIAN, "as_of": "2026-11-19", "interval_days": 2}
    folder = make_release(home, TODAY, catalogue, tables=tables)
    write_past(home, catalogue, TODAY)
    write_index(home, TODAY)
    go_live(home, TODAY)
    feedfile(Home(home), catalogue, folder, TODAY, SITE)
    return home


@pytest.mark.parametrize(
    "address", [f"notices/region/{GULOU}.json", f"listings/region/{GULOU}.atom", f"notices.json?county={GULOU}&q=收费"]
)
async def test_who_asks_by_date_alone_is_told_that_a_source_went_stale(ageing, catalogue, address):
    seen = []
    for day in (24, 25, 26):
        app = build_app(ageing, dictionary=dictionary(catalogue), now=lambda day=day: datetime(2026, 11, day, 4, tzinfo=UTC), base_url=SITE)
        async with visiting(app) as client:
            answer = await client.get(f"/feeds/{address}")
            known = {"if-modified-since": seen[-1][1]} if seen else {}
            seen.append(
                (
                    answer.headers["etag"],
                    answer.headers["last-modified"],
                    (await client.get(f"/feeds/{address}", headers=known)).status_code,
                )
            )
        app.shelf.close()
        assert (say("zh", "verify.reason.stale_source") in answer.text) == (day >= 26)
    assert [status for *_, status in seen] == [200, 304, 200]
    assert seen[0][:2] == seen[1][:2]
    assert seen[1][0] != seen[2][0]
    assert seen[2][1] == "Wed, 25 Nov 2026 15:00:00 GMT"
