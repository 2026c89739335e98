"""The pages of regions: their numbers are those of the data and of the pages behind them, and what cannot be known is not said to be none."""

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web import changed, changes, facts, feedmade, noticing, queries, region_pages, regional
from publish.web.frame import STATIC
from publish.web.plot import MOST, by_time
from publish.web.reader import Reader
from publish.web.server import Application, build_app
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, HOSTILE, PERSON, TODAY, go_live, make_release, rows, write_index, write_past
from web_visitor import visitor

NOON, MIDNIGHT = datetime(2026, 11, 23, 4, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)
BEFORE = "2026-11-22"
PLACES = ("350000", "350100", "350102", "350200", "350203")
NEW_PERSON, CROWDED = "n-newperson002", "i-00000000001z"
AHEAD = ("coverage", "overview", "ended", "unmatched", "notices unseen", "past", "releases", "notices linked", "first release", "others")
HELD, UNCOVERED, SPLIT, EMPTY = "350203", "330000", "110103", "350105"


def _tables(mark: str) -> dict[str, list[dict[str, Any]]]:
    """The release of web_release, whose national source is one of Fujian here, with more of everything that is counted."""
    tables = rows(mark)
    tables["sources"][0]["region_code"] = "350000"
    first, listing, notice = tables["institutions"][0], tables["listings"][0], tables["notices"][0]
    for n in range(45):
        id = f"i-{n:011d}z"
        tables["institutions"].append(
            {
                **first,
                "id": id,
                "name": f"第{n:02d}家培训中心（{mark}）",
                "credit_code": None,
                "region_code": "350104",
                "region_text": None,
                "address": f"仓山街 {n} 号{HOSTILE if n == 7 else ''}",
            }
        )
        tables["institution_classes"].append({"institution_id": id, "class_code": "sport" if n % 3 else "arts"})
        tables["listings"].append(
            {
                **listing,
                "id": f"l-{n:011d}z",
                "institution_id": id,
                "list": ("white", "black", "grey", "warning")[n % 4],
                "region_code": "350104",
                "listed_on": f"2026-{n % 9 + 1:02d}-03",
                "valid_until": "2028",
            }
        )
    for n in range(3):  # newer than the black list that the second one is on
        tables["listings"].append(
            {**listing, "id": f"l-newer{n}newer2", "institution_id": CROWDED, "region_code": "350104", "as_of": "2026-11-21"}
        )
    for n, decided in enumerate(("2026", "2026-03", "2026-03-09", None, "2025-12-31")):
        tables["notices"].append({**notice, "id": f"n-{n:011d}z", "region_code": "350104", "decided_on": decided, "document_id": None})
    if mark == TODAY:  # a person of whom the newest release tells first
        new = {"id": NEW_PERSON, "region_code": "350104", "subject_kind": "person", "subject_name": "李某", "title": "关于李某的处罚"}
        tables["notices"].append({**notice, **new, "published_on": TODAY, "document_id": None})
        tables["notice_penalties"].append({"notice_id": NEW_PERSON, "penalty_code": "fine"})
        tables["notices"].append({**notice, "id": "n-unknownwho2", "region_code": "350104", "subject_kind": "unknown", "document_id": None})
    tables["listings"].append({**listing, "id": "l-twicetwice2", "listed_on": "2026"})  # the same list twice is one institution
    return tables  # fmt: skip


ORDERED = "SELECT id FROM institutions ORDER BY region_code, name, id"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for id in (BEFORE, TODAY):
        folder = make_release(home, id, catalogue, tables=_tables(id))
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        manifest["held"] = [{"source": "platform", "table": "listings", "region": HELD, "since": "2026-11-20"}]
        (folder / "manifest.json").write_text(json.dumps(manifest))
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def sites(home: Path, catalogue: Catalogue) -> Iterator[dict[datetime, Application]]:
    said = dictionary(catalogue)
    made = {now: build_app(home, dictionary=said, now=lambda now=now: now) for now in (NOON, MIDNIGHT)}
    yield made
    for app in made.values():
        app.shelf.close()


@pytest.fixture
def site(sites: dict[datetime, Application]) -> Application:
    return sites[NOON]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


async def test_the_numbers_of_a_region_are_those_of_the_data(site, catalogue):
    tables = _tables(TODAY)
    shown = [row for row in tables["notices"] if row["state"] in ("active", "corrected", "disputed") and row["public_until"] >= TODAY[: len(row["public_until"])]]  # fmt: skip
    region = {row["id"]: row.get("region_code") or "" for row in tables["institutions"]}
    on = {
        (row["list"], row["institution_id"])
        for row in tables["listings"]
        if not row.get("absent_since") and (row.get("valid_until") or "9999") >= TODAY[: len(row.get("valid_until") or "9999")]
    }
    async with visitor(site) as client:
        for code in PLACES:
            its = (await client.get(f"/regions/{code}.json")).json()
            begins = regional.place(code)
            inside = [id for id, at in region.items() if at.startswith(begins)]
            assert its["counts"]["institutions"] == its["total"] == len(inside), code
            lists = Counter(name for name, id in on if id in inside)
            lists["adverse"] = len({id for name, id in on if id in inside and name in ("black", "grey", "warning")})
            none = 0 if its["coverage"]["listings"]["is_covered"] else None
            assert its["counts"]["lists"] == {
                name: lists[name] or none for name in (*(row.code for row in catalogue.codes["lists"].rows), "adverse")
            }, code
            assert its["classes"] == Counter(row["class_code"] for row in tables["institution_classes"] if row["institution_id"] in inside)
            here = [row for row in shown if (row["region_code"] or "").startswith(begins)]
            assert its["counts"]["notices_in_force"] == sum(row["subject_kind"] == "organisation" for row in here)


def _numbers(html: str) -> set[tuple[int, str]]:
    """Each number that is a link, with its address."""
    found = re.findall(r'<a [^>]*?href="([^"#]*)(?:#[a-z_]*)?"[^>]*>([\d,]+)</a>', html)
    return {(int(number.replace(",", "")), unescape(href)) for href, number in found if href.startswith("/")}


async def _behind(client: httpx.AsyncClient, href: str) -> int:
    """The number that the page behind a link shows, by its JSON."""
    path, _, query = href.partition("?")
    said = await client.get(f"{path}.json?{query}")
    assert said.status_code == 200, href
    found = said.json()
    if path.startswith("/mingbai/"):
        return int(found["filtered_table_rows_count"])
    return sum(row["rows"] for row in found["counts"]) if path == "/changes" else int(found["total"])


async def test_behind_every_number_is_a_page_with_that_very_number(site):
    seen: dict[str, int] = {}
    async with visitor(site) as client:
        for path in ("/regions", *(f"/regions/{code}" for code in PLACES)):
            for number, href in _numbers((await client.get(path)).text):
                seen[href] = number
        assert {href: await _behind(client, href) for href in seen} == seen
        for href, number in seen.items():
            assert re.search(rf"(?<!\d){number:,}(?!\d)", text_of((await client.get(href)).text)), href
    kinds = (
        "/regions/350104",
        "list=white",
        "list=adverse",
        "/notices?county=350104",
        "since=2026-03",
        "/mingbai/listings?",
        "/changes?region=",
    )
    assert [kind for kind in kinds if not any(kind in href for href in seen)] == []


async def test_what_is_counted_in_words_is_behind_its_link_too(site):
    async with visitor(site) as client:
        page = (await client.get("/regions/350000")).text
        for key in ("region.undated", "region.all_listings", "region.all_changes"):
            words = re.escape(wording("zh")[key]).replace(r"\{n\}", "([0-9]+)")
            links = re.findall(rf'<a href="([^"]*)">{words}</a>', page)
            assert links, key
            for href, number in links:
                assert await _behind(client, unescape(href)) == int(number), href
        start = (await client.get("/")).text
        for code, number in re.findall(r'href="/regions\?class=(\w+)">[^<]*</a> <span class="quiet">(\d+)', start):
            assert f"{number} 家" in text_of((await client.get(f"/regions?class={code}")).text)
            sums = re.findall(r"<strong>(\d+)</strong>", (await client.get(f"/regions?class={code}")).text)
            assert sum(map(int, sums)) == int(number)


async def test_a_region_that_no_source_covers_reads_cannot_say_and_never_none(site):
    async with visitor(site) as client:
        for lang, prefix in (("zh", ""), ("en", "/en")):
            page = text_of((await client.get(f"{prefix}/regions/{UNCOVERED}")).text)
            words = wording(lang)
            assert words["region.no_source"] in page
            assert words["verify.reason.region_not_covered"] in page
            assert page.count(words["region.cannot_say"]) >= 6
            everywhere = text_of((await client.get(f"{prefix}/regions")).text)
            assert words["region.cannot_say"] in everywhere
        answer = (await client.get(f"/regions/{UNCOVERED}.json")).json()
    assert answer["coverage"]["listings"]["is_covered"] is answer["coverage"]["notices"]["is_covered"] is False
    assert answer["coverage"]["notices"]["not_covered"]["code"] == "region_not_covered"
    assert answer["sources"] == []
    assert answer["hotlines"][-1]["number"] == "12345"


async def test_of_a_region_of_which_the_sources_have_nothing_no_number_reads_0(site):
    async with visitor(site) as client:
        for lang, prefix in (("zh", ""), ("en", "/en")):
            words, at = wording(lang), f"{prefix}/regions/{EMPTY}"
            page = text_of((await client.get(at)).text)
            assert page.count(words["region.cannot_say"]) >= 7, "institutions, four lists, notices and why"
            for said in ("region.institutions", "region.found"):
                assert words[said].format(as_of="2026-11-22", n=0) not in page
            assert words["region.unsaid"].split("{")[0] in page
            assert f"0 {words['start.notices_in_force']}" not in page
            table = (await client.get(f"{prefix}/regions/350100")).text
            (county,) = re.findall(rf'<tr><th scope="row"><a href="[^"]*/{EMPTY}">.*?</tr>', table)
            assert text_of(county).count(words["region.cannot_say"]) == 4
        answer = (await client.get(f"/regions/{EMPTY}.json")).json()
        (of_city,) = (one for one in (await client.get("/regions/350100.json")).json()["regions"] if one["code"] == EMPTY)
        some = (await client.get("/regions/350102.json")).json()
    for counts in (answer["counts"], of_city):
        assert (counts["institutions"], counts["notices_in_force"], set(counts["lists"].values())) == (None, None, {None})
    assert answer["coverage"]["notices"]["not_covered"] == {"code": "region_nothing", "text": wording("zh")["feed.silent.region_nothing"]}
    assert of_city["is_covered"] == {"listings": False, "notices": False}
    assert some["coverage"]["notices"]["is_covered"]


async def test_a_held_partition_is_told_and_nothing_found_there_is_not_none(site):
    async with visitor(site) as client:
        page = text_of((await client.get(f"/regions/{HELD}")).text)
        whole = (await client.get("/regions/350000.json")).json()
        covered = (await client.get("/regions/350102.json")).json()
        zero = (await client.get("/regions/350102")).text
    assert wording("zh")["verify.reason.held"] in page
    assert "自 2026-11-20 起" in page
    assert whole["coverage"]["listings"]["not_covered"]["code"] == "held"
    assert whole["sources"][0]["held"] == [[HELD, "2026-11-20"]]
    assert covered["coverage"]["listings"] == {"is_covered": True, "not_covered": None}
    assert (covered["sources"][0]["held"], "<strong>0</strong> 家列入黑名单" in zero) == ([], True)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_page_says_what_its_numbers_do_not_mean_and_promises_nothing(site, lang):
    async with visitor(site) as client:
        for path in ("/regions", "/regions/350000", "/regions/350104?class=arts", "/regions/350104?address=nowhere"):
            page = await client.get(path if lang == "zh" else f"/{lang}{path}")
            assert page.status_code == 200
            assert not re.search("安全|放心|可靠|\\bsafe\\b", page.text)
            assert wording(lang)["frame.no_judgement"] in page.text
        assert text_of(wording(lang)["region.none"]).split("{as_of}")[1][:10] in text_of(page.text)


async def test_a_term_that_ends_at_midnight_is_in_no_number_from_then_on(sites):
    async with visitor(sites[NOON]) as client, visitor(sites[MIDNIGHT]) as later:
        before, after = [(await one.get("/regions/350102.json")).json() for one in (client, later)]
        page = (await later.get("/regions/350102")).text
    assert before["counts"]["notices_in_force"] - after["counts"]["notices_in_force"] == 1
    assert "今天到期的公告" not in page + json.dumps(after, ensure_ascii=False)


async def test_who_is_no_organisation_is_found_and_counted_by_no_region(site):
    others = {row["id"] for row in _tables(TODAY)["notices"] if row["subject_kind"] != "organisation"}
    assert {PERSON, NEW_PERSON} < others
    places = [path for code in ("350000", "350100", "350102", "350104") for path in (f"/regions/{code}", f"/changes?region={code}")]
    async with visitor(site) as client:
        for path in ("/", "/en/", "/regions", "/regions.json", *places, *(path.replace("?", ".json?") for path in places if "?" in path)):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert [it for it in (*others, "张某", "李某", "subject_kind__not", "not_about") if it in answer.text] == [], path
        for code in ("350000", "350100", "350102", "350104"):
            answer = await client.get(f"/regions/{code}.json")
            assert [it for it in (*others, "not_about") if it in answer.text] == [], code
        found = (await client.get("/notices.json?county=350102&limit=100")).json()
        answer = (await client.get("/regions/350102.json")).json()
        assert found["total"] == answer["counts"]["notices_in_force"]
        of_one = (await client.get(f"/changes.json?region=350104&subject={NEW_PERSON}")).json()
        assert (of_one["items"], of_one["counts"]) == ([], [])
        assert (await client.get(f"/changes.json?subject={NEW_PERSON}")).json()["items"] != []


async def test_the_start_page_and_the_pages_behind_it_count_the_same_notices(site):
    async with visitor(site) as client:
        start = text_of((await client.get("/")).text)
        total = (await client.get("/notices.json")).json()["total"]
        english = text_of((await client.get("/en/")).text)
    assert f"{total} {wording('zh')['start.notices_in_force']}" in start
    assert f"{total} {wording('en')['start.notices_in_force']}" in english


@pytest.fixture(scope="module")
def white(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Application]:
    """A site whose sources have a white list and no other."""
    home, tables = tmp_path_factory.mktemp("white"), rows(TODAY)
    tables["sources"][0]["region_code"] = "350000"
    tables["listings"] = [row for row in tables["listings"] if row["list"] == "white"]
    make_release(home, TODAY, catalogue, tables=tables)
    go_live(home, TODAY)
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_list_that_no_source_has_is_not_said_to_be_empty(white, lang):
    words, prefix = wording(lang), "" if lang == "zh" else f"/{lang}"
    async with visitor(white) as client:
        page = text_of((await client.get(f"{prefix}/regions/350102")).text)
        answer = (await client.get(f"{prefix}/regions/350102.json")).json()
        above = (await client.get(f"{prefix}/regions/350000.json")).json()["regions"]
        whole = (await client.get(f"{prefix}/regions.json")).json()
        table = (await client.get(f"{prefix}/regions/350100")).text
    assert answer["coverage"]["listings"]["is_covered"]
    assert answer["counts"]["lists"] == {**dict.fromkeys(answer["counts"]["lists"]), "white": 1}
    assert {"black", "grey", "warning", "adverse"} < set(answer["counts"]["lists"])
    assert [one["lists"]["adverse"] for one in above] == [None] * len(above)
    assert (whole["counts"]["lists"]["black"], whole["without_region"]["lists"]["white"]) == (None, None)
    assert page.count(words["region.cannot_say"]) == 3
    assert words["region.silent.lists"].split("{")[0] in page
    (county,) = re.findall(r'<tr><th scope="row"><a href="[^"]*/350102">.*?</tr>', table)
    assert [text_of(cell).strip() for cell in re.findall(r'<td class="n">(.*?)</td>', county)] == [
        "2",
        "1",
        words["region.cannot_say"],
        "3",
    ]


@pytest.mark.parametrize("path", ["/regions/350104", "/search?q=第01家培训中心"])
async def test_a_list_that_may_hurt_is_never_hidden_by_newer_ones(site, path):
    async with visitor(site) as client:
        (card,) = re.findall(
            rf'<article class="card">\s*<h3><a href="/institutions/{CROWDED}".*?</article>', (await client.get(path)).text, re.DOTALL
        )
    assert text_of(card).index("黑名单") < text_of(card).index("白名单")
    assert wording("zh")["card.more"].format(n=1) in text_of(card)


async def test_a_notice_of_the_same_name_is_told_of_in_a_region_too(site):
    async with visitor(site) as client:
        page = text_of((await client.get("/regions/350203")).text)
    assert wording("zh")["card.namesake"].format(n=1) in page


async def test_what_looks_at_many_institutions_is_found_beside_the_loop(home, catalogue, monkeypatch):
    made: list[str] = []
    apart = Reader.apart
    monkeypatch.setattr(regional, "QUICK", 10)
    monkeypatch.setattr(Reader, "apart", lambda reader: made.append("") or apart(reader))
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    async with visitor(app) as client:
        await client.get("/regions")
        for query, times in (("", 0), ("list=black", 1), ("class=arts", 1), ("offset=5", 0), ("offset=20", 1), ("address=x", 1)):
            made.clear()
            assert (await client.get(f"/regions/350104?{query}")).status_code == 200
            assert len(made) == times, query
        made.clear()
        assert (await client.get("/regions/350203?list=warning")).status_code == 200
        assert made == []  # there are few
    app.shelf.close()


async def test_only_few_look_into_addresses_at_once_and_the_others_wait_or_come_again(home, catalogue, monkeypatch):
    inside, most, go = [0], [0], threading.Event()

    def institutions(*asked: object) -> tuple[int, list[str]]:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        go.wait(10)
        inside[0] -= 1
        return 0, []

    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    async with visitor(app) as client:
        await client.get("/regions")
        monkeypatch.setattr(regional, "institutions", institutions)
        monkeypatch.setattr(region_pages, "MOST_WAITING", 3)
        monkeypatch.setattr(regional, "QUICK", 10)
        asking = [asyncio.create_task(client.get(f"/regions/350104?address={n}")) for n in range(region_pages.MOST_AT_ONCE + 3)]
        await asyncio.sleep(0.2)
        refused = await client.get("/regions/350104.json?address=x")
        page = await client.get("/regions/350104?address=x")
        go.set()
        answers = await asyncio.gather(*asking)
    app.shelf.close()
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    assert (refused.json()["error"], page.status_code) == ("export_busy", 503)
    assert wording("zh")["problem.export_busy.text"] in page.text
    assert {answer.status_code for answer in answers} == {200}
    assert most == [region_pages.MOST_AT_ONCE]


async def test_institutions_are_paged_by_class_list_and_a_part_of_an_address(site):
    async with visitor(site) as client:
        first = (await client.get("/regions/350104.json")).json()
        seen = [row["id"] for row in first["institutions"]]
        for offset in (20, 40):
            seen += [row["id"] for row in (await client.get(f"/regions/350104.json?offset={offset}")).json()["institutions"]]
        assert (len(seen), len(set(seen)), first["total"]) == (45, 45, 45)
        both = (await client.get("/regions/350104.json?class=arts&list=white")).json()
        assert (both["total"], both["filters"]) == (4, {"class": "arts", "list": "white"})  # 0, 12, 24, 36
        for asked in ("仓山街7号", "仓 山街 7号", "山街　7"):
            there = (await client.get(f"/regions/350100.json?address={quote(asked)}")).json()
            assert [row["name"][:4] for row in there["institutions"]] == ["第07家"], asked
        for asked in ("%", "_", "' OR 1=1 --", "没有的路"):
            assert (await client.get(f"/regions/350104.json?address={quote(asked)}")).json()["total"] == 0
        page = (await client.get("/regions/350104?offset=20")).text
        assert 'rel="prev" href="/regions/350104#institutions"' in page
        assert 'rel="next" href="/regions/350104?offset=40#institutions"' in page
        assert wording("zh")["region.beyond"] in (await client.get("/regions/350104?offset=99999")).text


@pytest.mark.parametrize(
    "chosen", [{}, {"class": "arts"}, {"list": "white"}, {"list": "black"}, {"list": "adverse"}, {"class": "none such"}]
)
def test_a_page_of_institutions_is_looked_for_only_in_the_regions_in_which_it_lies(home, chosen):
    reader = Reader((home / "current").resolve())
    for code in ("350000", "350100", "350104", "350203", "110000"):
        total, every = regional.institutions(reader, TODAY, code, chosen, 1_000, 0)
        pages = [regional.institutions(reader, TODAY, code, chosen, 7, offset) for offset in range(0, total + 14, 7)]
        assert [id for _, ids in pages for id in ids] == every, code
        assert {n for n, _ in pages} == {total} == {len(every)}, code
        assert every == [row["id"] for row in reader.rows(ORDERED) if row["id"] in every], code
        before = (
            [regional._places(reader, TODAY, regional.beneath(reader, code, TODAY), regional._key(chosen), 7, total - 1)] if total else []
        )
        assert all(len(codes) == 1 and offset < total for codes, offset in before), code
    reader.close()


async def test_what_a_source_wrote_is_shown_harmlessly(site):
    async with visitor(site) as client:
        page = (await client.get(f"/regions/350104?address={quote('<script>alert(1)</script>')}&limit=100")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("class=x", "arts"), ("list=safe", "adverse"), ("class=arts&class=sport", "sport"), ("offset=-1", "0, 1, 2"), ("limit=x", "1–100"), ("address=" + "a" * 101, "1–100"),
        ("as_of=2026-11-22", "class, list, address"), ("nothing=1", "class, list, address"), ("class=%3Cscript%3E", "arts"),
    ],
)  # fmt: skip
async def test_what_is_no_choice_is_refused_with_those_that_are(site, query, named):
    async with visitor(site) as client:
        for end in ("", ".json"):
            answer = await client.get(f"/regions/350100{end}?{query}")
            assert answer.status_code == 400
            assert named in unescape(answer.text)
            assert "<script>" not in answer.text
        assert (await client.get("/regions?class=x")).status_code == 400
        assert (await client.get("/regions?" + "&".join(["class=arts"] * 60))).status_code == 400
        assert (await client.get("/regions/350100?" + "&".join(["class=arts"] * 60))).status_code == 400


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/regions/371202", "/regions/370116"),  # abolished, with one successor
        ("/en/regions/371202.json?class=arts", "/en/regions/370116.json?class=arts"),
        ("/regions/110100", "/regions/110000"),  # no place
        ("/regions/350102001", "/regions/350102"),
        ("/regions/福州市", "/regions/350100"),
        ("/regions/000000", "/regions"),
        ("/en/regions/000000.json", "/en/regions.json"),
    ],
)
async def test_a_code_that_is_no_region_now_leads_to_the_one_that_has_its_place(site, path, to):
    async with visitor(site) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (308, to)
        assert (await client.get(to)).status_code == 200


async def test_a_region_that_was_split_names_those_it_went_to(site, catalogue):
    split = next(row for row in catalogue.regions.rows() if row.valid_until and len(catalogue.regions.successors(row.code)) > 1)
    async with visitor(site) as client:
        page = (await client.get(f"/regions/{split.code}")).text
        answer = (await client.get(f"/regions/{split.code}.json")).json()
    heirs = [row.code for row in catalogue.regions.successors(split.code)]
    assert answer["successors"] == heirs
    assert [code for code in heirs if f'href="/regions/{code}"' not in page] == []
    assert split.valid_until in page


@pytest.mark.parametrize("code", ["999999", "abc", "鼓楼区", "%3Cscript%3E", "1" * 60, "350102L99"])
async def test_an_unknown_region_is_not_found_with_those_that_there_are(site, code):
    async with visitor(site) as client:
        for end in ("", ".json"):
            answer = await client.get(f"/regions/{code}{end}")
            assert answer.status_code == 404
            assert re.search("350102|350000", answer.text)
        assert (await client.get(f"/regions/{code}/x")).status_code == 404


async def test_a_region_carries_its_feeds_downloads_and_hotlines(site):
    async with visitor(site) as client:
        page = (await client.get("/regions/350100")).text
        links = [unescape(link) for link in re.findall(r'href="(/(?:feeds|data)/[^"]*)"', page)]
        assert {(await client.get(link)).status_code for link in links} == {200}
        csv = (await client.get("/data/institutions.csv?region=350100")).text
        hotline = [text_of((await client.get(path)).text) for path in ("/regions/350100", "/search?q=没有这样的名称", f"/institutions/{_tables(TODAY)['institutions'][0]['id']}")]  # fmt: skip
        institution = (await client.get(f"/institutions/{_tables(TODAY)['institutions'][0]['id']}")).text
    for family in ("notices", "records", "corrections", "listings"):
        for form in ("atom", "rss", "json"):
            assert f'href="/feeds/{family}/region/350100.{form}"' in page
    assert len(csv.strip().splitlines()) - 1 == 47
    assert ["政务服务便民热线 ： 12345" in text.replace("线：", "线 ：") for text in hotline] == [True] * 3
    assert 'href="/regions/350102"' in institution


async def test_the_start_page_has_a_tile_for_every_province_each_in_its_own_place(site):
    async with visitor(site) as client:
        page, english = (await client.get("/")).text, (await client.get("/en/")).text
        past = (await client.get(f"/?as_of={BEFORE}")).text
    tiles = re.findall(r'<li class="p(\d\d)"><a href="/regions/(\d{6})">', page)
    assert len(tiles) == 34
    assert all(code == f"{two}0000" for two, code in tiles)
    places = re.findall(r"\.p(\d\d) \{ grid-area: (\d) / (\d); \}", (STATIC / "site.css").read_text("utf-8"))
    assert {two for two, _, _ in places} == {two for two, _ in tiles}
    assert len({(row, column) for _, row, column in places}) == 34
    assert "福建" in text_of(page)
    assert "48 家" in text_of(page)
    assert wording("zh")["start.none_here"] in page
    assert 'href="/en/regions/350000"' in english
    assert "/regions/" not in past  # the numbers of an earlier release are not behind a link to the newest


async def test_a_name_that_is_not_in_a_region_is_offered_where_it_is(site):
    async with visitor(site) as client:
        for query in ("q=甜果&province=330000", "q=甜果&county=330106"):
            page = (await client.get(f"/search?{query}")).text
            assert wording("zh")["none.elsewhere"] in page, query
            (href,) = {unescape(link) for link in re.findall(r'href="(/search\?[^"]*province=350000[^"]*)">福建省', page)}
            assert (await client.get(href.replace("/search?", "/search.json?"))).json()["total"] == 1
        assert wording("zh")["none.elsewhere"] not in (await client.get("/search?q=没有这样的名称")).text


async def test_the_numbers_are_worked_out_once_a_day(home, catalogue, monkeypatch):
    made: list[str] = []
    count = regional.count
    monkeypatch.setattr(regional, "count", lambda reader, today: made.append(today) or count(reader, today))
    now = [NOON]
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: now[0])
    async with visitor(app) as client:
        for _ in range(3):
            for path in ("/regions", "/regions/350102", "/regions/350102.json?address=x"):
                assert (await client.get(path)).status_code == 200
        now[0] = MIDNIGHT
        await client.get("/regions")
    app.shelf.close()
    assert made == ["2026-11-23", "2026-11-24"]


def test_who_is_still_at_yesterday_throws_nothing_of_today_away(home):
    made: list[str] = []
    days = ("2026-11-22", "2026-11-23", "2026-11-22", "2026-11-23", "2026-11-22", "2026-11-20", "2026-11-23", "2026-11-24", "2026-11-24")
    with closing(Reader((home / "current").resolve())) as reader:
        for day in days:
            reader.once(day, "what", lambda day=day: made.append(day))
        left = [day for day in sorted({*days}) if reader.has(day, "what")]
    assert (made, left) == (["2026-11-22", "2026-11-23", "2026-11-22", "2026-11-20", "2026-11-24"], ["2026-11-24"])


async def test_the_numbers_are_there_before_somebody_asks(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, poll_seconds=0.01)
    asked: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    async def send(message: Any) -> None:
        pass

    running = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, asked.get, send))
    await asked.put({"type": "lifespan.startup"})
    reader = app.shelf.reader
    while not reader.has(TODAY, region_pages.READY):
        await asyncio.sleep(0.02)
    there = {what.partition(",")[0] for what in reader._kept[TODAY]}  # some with the file that it is of
    kept = {what: what in there for what in AHEAD} | {"territory": "territory" in vars(reader)}
    await asked.put({"type": "lifespan.shutdown"})
    await running
    assert kept == dict.fromkeys(kept, True)


@pytest.mark.parametrize("sql", [queries.NOTICE_CARDS, changes.IN_FORCE, feedmade.IN_FORCE, regional._NEWEST])
def test_what_is_asked_of_a_few_notices_does_not_read_all_that_are_in_force(home: Path, sql: str) -> None:
    """The page of each institution and of each notice did, twice: of 11,000 that took 15 ms."""
    reader = Reader((home / "current").resolve())
    values = ["[]", TODAY, 5][: 3 if "?3" in sql else 2]
    steps = [row["detail"] for row in reader.rows(f"EXPLAIN QUERY PLAN {sql}", *values) if row["detail"].split()[1] == "n"]
    reader.close()
    assert [step.rpartition(" ")[2] for step in steps] in (["(id=?)"], ["(region_code=?)"]), steps


async def test_what_else_cannot_be_worked_out_ahead_takes_no_region_down_and_is_tried_once(home, catalogue, monkeypatch, caplog):
    tried: list[str] = []

    def broken(reader: Reader, today: str) -> None:
        tried.append(today)
        raise OSError

    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    for module, maker in ((facts, "overview"), (noticing, "unseen"), (changed, "others")):
        monkeypatch.setattr(module, maker, broken)
    async with visitor(app) as client:
        for path in ("/regions", "/regions/350102", "/regions/350102.json?address=x"):
            assert (await client.get(path)).status_code == 200, path
    app.shelf.close()
    assert tried == [TODAY] * 3
    assert caplog.text.count("could not be worked out ahead") == 3


async def test_a_failure_is_said_and_never_a_number(home, catalogue, monkeypatch):
    def broken(*_: object) -> None:
        raise OSError

    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    monkeypatch.setattr(regional, "count", broken)
    async with visitor(app) as client:
        for path in ("/regions", "/regions/350102", "/regions/350102.json?address=x"):
            assert (await client.get(path)).status_code == 500
    app.shelf.close()


async def test_newest_notices_and_changes_are_those_of_the_region(site):
    async with visitor(site) as client:
        answer = (await client.get("/regions/350102.json")).json()
        other = (await client.get("/regions/350203.json")).json()
    assert ACTIVE in [row["id"] for row in answer["newest_notices"]]
    assert {row["region_code"] for row in other["newest_notices"]} == {"350203"}
    assert {row["region"] for row in answer["changes"]["newest"]} == {"350102"}
    assert [row["release"] for row in answer["changes"]["by_release"]] == [TODAY]


def test_codes_of_what_lies_in_a_region_begin_alike(catalogue):
    above = {row.code: row.parent_code for row in catalogue.regions.rows()}
    inside: dict[str, set[str]] = {}
    for code in above:
        at: str | None = code
        while at and at != "000000":
            inside.setdefault(at, set()).add(code)
            at = above[at]
    for code, those in inside.items():
        assert {other for other in above if other.startswith(regional.place(code))} == those, code


def test_a_plot_by_time_has_every_month_between_the_first_and_the_last():
    made = by_time({"2025-11": 2, "2026-02": 1, "2026": 3})
    assert [(bar.label, bar.total) for bar in made.bars] == [("2025-11", 2), ("2025-12", 0), ("2026", 3), ("2026-01", 0), ("2026-02", 1)]
    everywhere = by_time({"2025-11": 2, "2026-02": 1, "2026": 3, "2020": 1}, everywhere=True)
    assert [(bar.label, bar.total) for bar in everywhere.bars] == [
        ("2020", 1),
        ("2025-11", 2),
        ("2025-12", 0),
        ("2026-01", 3),
        ("2026-02", 4),
    ]
    assert (everywhere.highest, len(everywhere.boxes)) == (4, 4)
    years = by_time({f"{2000 + n}-01": n for n in range(1, 20)})
    assert (years.by_month, len(years.bars), years.bars[-1].label) == (False, 19, "2019")
    assert [bar.label for bar in by_time({"0001-01": 1, "9999-12": 1}).bars] == ["0001", "9999"]  # a source may write any year
    assert len(by_time({f"{year}": 1 for year in range(2000, 2000 + MOST)}).bars) == MOST
    assert (by_time({}).bars, by_time({}).highest) == ([], 0)
