"""/compare: who stands side by side is in the address alone, in the order that was chosen, and who cannot stand there is said."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from publish.catalogue import Catalogue, dictionary
from publish.web.server import Application, build_app
from publish.web.visit import address
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, CLOSED, NAMESAKE, SHADY, SWEET, TODAY, TONG, go_live, make_release, rows, write_index, write_past
from web_visitor import text_of, visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
BEFORE = "2026-11-22"
MERGED, SPLIT, FIFTH = "i-zzzzzzzzzzz2", "i-yyyyyyyyyyy2", "i-eeeeeeeeeee2"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    tables = rows("标记")
    tables["institutions"].append({**tables["institutions"][2], "id": FIFTH, "name": "第五家"})
    tables["institution_lineage"] = [
        {"predecessor_id": id, "successor_id": successor, "kind": kind, "method": "source", "since": TODAY}
        for id, successor, kind in ((MERGED, SWEET, "merger"), (SPLIT, TONG, "split"), (SPLIT, CLOSED, "split"))
    ]
    make_release(home, BEFORE, catalogue, mark="以前")
    make_release(home, TODAY, catalogue, tables=tables)
    write_past(home, catalogue, BEFORE, TODAY)
    write_index(home, BEFORE, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


def asked(*ids: str, path: str = "/compare") -> str:
    return f"{path}?" + "&".join(f"id={id}" for id in ids)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_four_stand_side_by_side_in_the_order_of_the_address(site, lang):
    async with visitor(site) as client:
        html = (await client.get(address(asked(TONG, SWEET, CLOSED, SHADY), lang))).text
        other = (await client.get(address(asked(SHADY, CLOSED, SWEET, TONG), lang))).text
    heads = [re.findall(r'<th scope="col"><a href="[^"]*/(i-\w+)"', page) for page in (html, other)]
    assert heads == [[TONG, SWEET, CLOSED, SHADY], [SHADY, CLOSED, SWEET, TONG]]
    words, page = wording(lang), text_of(html)
    for said in ("91350100M000100Y43", "第三期", "2026-11-20", words["card.no_fund"], words["rating.none"], f"/notices/{NAMESAKE}"):
        assert said in (html if said.startswith("/") else page), said
    assert page.count(words["rating.ends"].split("{")[0].strip()) == 1
    assert words["compare.full"].split("{")[0].strip() in page
    assert "<script" not in html
    assert "\u202e" not in html
    assert "set-cookie" not in (await _headers(site, asked(TONG)))


async def _headers(site: Application, path: str) -> httpx.Headers:
    async with visitor(site) as client:
        return (await client.get(path)).headers


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("ids", "status", "kind"),
    [
        ((TONG, SWEET, CLOSED, SHADY, FIFTH), 400, "compare_many"),
        ((TONG, SWEET, TONG), 400, "compare_twice"),
        ((TONG, "i-nobody"), 404, "compare_unknown"),
        (("<script>",), 404, "compare_unknown"),
    ],
)
async def test_who_cannot_be_compared_is_told_with_the_rest_one_tap_away(site, lang, ids, status, kind):
    async with visitor(site) as client:
        page = await client.get(address(asked(*ids), lang))
        answer = await client.get(address(asked(*ids, path="/compare.json"), lang))
    assert (page.status_code, answer.status_code, answer.json()["error"]) == (status, status, kind)
    assert wording(lang)[f"problem.{kind}.title"] in page.text
    assert "<script>" not in page.text
    onward = re.search(rf'<a href="([^"]*)">{wording(lang)["compare.onward"]}', page.text)
    assert onward
    rest = list(dict.fromkeys(re.findall(r"id=(i-\w+)", onward[1])))
    assert rest == [id for id in dict.fromkeys(ids) if id not in ("i-nobody", "<script>")][:4]


@pytest.mark.parametrize("query", ["?nothing=1", "?q=a&q=b", "?" + "&".join("id=a" for _ in range(60))])
async def test_another_key_or_too_many_are_refused(site, query):
    async with visitor(site) as client:
        assert (await client.get(f"/compare{query}")).status_code == 400
        assert (await client.get("/compare.json?q=福州")).status_code == 400
        assert (await client.get("/compare.json")).json()["error"] == "compare_none"


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_one_that_is_gone_is_told_with_its_successors_and_not_replaced_unasked(site, lang):
    async with visitor(site) as client:
        merged = (await client.get(address(asked(MERGED, TONG), lang))).text
        split = (await client.get(address(asked(SPLIT, SWEET, path="/compare.json"), lang))).json()
        both = (await client.get(address(asked(MERGED, SWEET), lang))).text
    assert re.findall(r'<th scope="col"><a href="[^"]*/(i-\w+)"', merged) == [TONG]
    assert text_of(wording(lang)["compare.gone"].format(id=MERGED)) in text_of(merged)
    assert f'href="{address(asked(TONG, SWEET), lang).replace("&", "&amp;")}"' in merged
    assert (
        [one["id"] for one in split["institutions"]],
        [(one["id"], {it["id"] for it in one["successors"]}) for one in split["gone"]],
    ) == ([SWEET], [(SPLIT, {TONG, CLOSED})])
    assert 'class="tag"' not in both.partition('class="note"')[2].partition("</div>")[0]  # it stands there already


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_another_is_added_by_a_search_and_one_taken_out_by_a_link(site, lang):
    async with visitor(site) as client:
        empty = (await client.get(address("/compare", lang))).text
        found = (await client.get(address(f"{asked(SWEET)}&q=福州", lang))).text
        nobody = (await client.get(address(f"{asked(SWEET)}&q=並不存在的", lang))).text
    assert '<input id="q" name="q"' in empty
    assert "<table>" not in empty
    offered = found.partition('class="plain offered"')[2]
    assert f'href="{address(asked(SWEET, CLOSED), lang).replace("&", "&amp;")}"' in offered
    assert f"id={SWEET}&amp;id={SWEET}" not in offered
    assert f'<a class="tag" href="{address("/compare", lang)}">' in found
    assert wording(lang)["compare.none"] in nobody


async def test_the_results_of_a_search_can_be_ticked_to_be_compared_without_a_script(site):
    async with visitor(site) as client:
        page = (await client.get("/search?q=福州")).text
        past = (await client.get(f"/search?q=福州&as_of={BEFORE}")).text
    ticks = re.findall(r'<input type="checkbox" name="id" value="(i-\w+)" form="compare">', page)
    assert set(ticks) == {SWEET, CLOSED, FIFTH}
    assert '<form id="compare" class="picked" action="/compare" method="get">' in page
    assert f'<input type="hidden" name="as_of" value="{BEFORE}">' in past.partition('<form id="compare"')[2]


async def test_a_comparison_of_an_earlier_release_stays_in_it(site):
    async with visitor(site) as client:
        page = (await client.get(f"{asked(SWEET, TONG)}&as_of={BEFORE}")).text
        answer = (await client.get(f"{asked(SWEET, TONG, path='/compare.json')}&as_of={BEFORE}")).json()
    assert "（以前）" in page
    links = re.findall(r'<a [^>]*href="(/(?:compare|institutions)[^"]*)"', page.partition("<h1>")[2])
    assert len(links) > 4
    assert all(f"as_of={BEFORE}" in link for link in links)
    assert (answer["release"], answer["asked_as_of"]) == (BEFORE, BEFORE)


async def test_json_has_what_the_page_has_and_a_mean_is_never_alone(site):
    async with visitor(site) as client:
        answer = (await client.get(asked(SWEET, TONG, path="/compare.json"))).json()
    sweet, tong = answer["institutions"]
    assert sweet["notices_in_force"][0]["id"] == ACTIVE
    assert [one["class_code"] for one in sweet["classes"]] == ["subject"]
    assert (sweet["ratings"][0]["count"], len(sweet["ratings"][0]["interval"])) == (60, 2)
    assert (tong["ratings"][0]["mean"], tong["ratings"][0]["suppressed_months"]) == (None, 1)
