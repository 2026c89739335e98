"""/search and its suggestions: links that add and remove filters, counts that keep their word, pages to the last result, and everything told that is
not there. Of many invented institutions, so that there is something to choose from."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publish.catalogue import Catalogue, dictionary
from publish.web.alike import alike
from publish.web.answer import Answer, App
from publish.web.kept import EACH, Kept
from publish.web.question import Question
from publish.web.server import build_app
from publish.web.visit import pairs_of
from publish.wording import LANGUAGES, wording
from search import open_index
from web_release import ACTIVE, NAMESAKE, PERSON, SERIOUS, SWEET, TODAY, _declared, go_live, make_release, rows, write_index, write_past
from web_visitor import visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
OLD = "2026-11-20"
REGIONS = (("350102", "福建省福州市鼓楼区"), ("350103", "福建省福州市台江区"), ("350203", "福建省厦门市思明区"), ("110101", "北京市东城区"))
BRANDS = ("晨曦", "晨溪", "启明", "小桔灯", "向日葵", "青禾")


def many() -> dict[str, list[dict[str, Any]]]:
    """The rows of web_release and 48 more institutions: each brand twice in each region, of several classes, lists and permits."""
    tables = rows("标记")
    for number in range(48):
        code, text = REGIONS[number % 4]
        id, brand = f"i-many{number:07}2", BRANDS[number % 6]
        name = f"{text[-6:-3] if '省' in text else '北京市'}{brand}美术培训中心{'' if number < 24 else '有限公司'}"
        tables["institutions"].append(
            {"id": id, "name": name, "region_code": code, "region_text": text, "address": f"第 {number} 号", "source_id": "platform"}
        )
        tables["institution_classes"].append({"institution_id": id, "class_code": ("arts", "sport", "subject")[number % 3]})
        if number % 3 == 0:
            tables["institution_classes"].append({"institution_id": id, "class_code": "technology"})
            tables["permits"].append(
                {"institution_id": id, "permit_no": f"教民13501027{number:07}", "valid_until": "2027-12-31" if number % 2 else "2020-12-31"}
            )
        if number % 4 == 0:
            tables["listings"].append(
                {
                    "id": f"l-many{number:07}2",
                    "institution_id": id,
                    "list": "white",
                    "authority": "某局",
                    "source_id": "platform",
                    "as_of": "2026-11-20",
                    "listed_on": "2026-11-20",
                }
            )
    tables["institution_aliases"].append({"institution_id": "i-many00000002", "name": "画画<b>屋</b>", "kind": "brand"})
    return tables


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    for id in (OLD, TODAY):
        make_release(home, id, catalogue, tables={**_declared(catalogue), **many()})
    write_index(home, OLD, TODAY)
    write_past(home, catalogue, OLD, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[App]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


def links(html: str, inside: str) -> list[tuple[str, str]]:
    """Address and text of the links in the first element that begins with `inside`."""
    part = html[html.index(inside) :]
    return [
        (unescape(to), unescape(re.sub("<[^>]+>", "", text)).strip())
        for to, text in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', part[: part.index("</ul>")], re.S)
    ]


def facet(html: str, name: str) -> list[tuple[str, str, int]]:
    """Of each value of a facet the address, the label and the count."""
    part = html[html.index(f'id="facet-{name}"') :]
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a> <span class="quiet">([\d,]+)</span>', part[: part.index("</ul>")])
    return [(unescape(to), label, int(count.replace(",", ""))) for to, label, count in found]


def total(html: str) -> int:
    found = re.search(r'<h2 id="institutions">\D*([\d,]+)', html)
    return int(found[1].replace(",", "")) if found else 0


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_facet_says_how_many_its_link_finds(site, lang):
    prefix = "" if lang == "zh" else "/en"
    async with visitor(site) as client:
        start = (await client.get(f"{prefix}/search?q=美术")).text
        followed = 0
        for name in ("province", "class", "list", "permit"):
            for to, label, count in facet(start, name):
                page = (await client.get(to)).text
                assert (label, total(page)) == (label, count)
                assert wording(lang)["search.chosen"] in page
                followed += 1
    assert total(start) == 48
    assert followed >= 9
    assert [label for _, label, _ in facet(start, "province")] == (["北京市", "福建省"] if lang == "zh" else ["Beijing", "Fujian"])


EVERY = ("white", "normal", "black", "grey", "warning", "unheard")
LISTS = {  # what an institution is on, each with its last day and whether it is absent, and the lists that it counts under
    "一": ([("white", None, None)], {"white"}),
    "二": ([("white", None, None), ("black", None, None)], set()),
    "三": ([("grey", "2026-12-31", None), ("white", None, None)], set()),
    "四": ([("white", None, None), ("normal", None, None)], {"white", "normal"}),
    "五": ([("white", None, None), ("warning", "2026-10", None)], {"white"}),
    "六": ([("white", "2026-10", None), ("normal", None, "2026-11-01")], set()),
    "七": ([("unheard", None, None), ("white", None, None)], set()),
}


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_where_nobody_is_called_so_the_heading_says_so_on_every_page(site, lang):
    prefix, words = "" if lang == "zh" else "/en", wording(lang)
    near, chosen = (words[f"search.near{end}"].format(n=48).partition("48")[0] for end in ("", "_chosen"))
    async with visitor(site) as client:
        pages = {
            question: (await client.get(f"{prefix}/search?q={question}")).text
            for question in (
                "美术",
                "美术&offset=20",
                "美术&province=110000",
                "福州市晨曦美术培训中心",
                "福州市晨曦美术培训中心&sort=region",
                "甜果英语",
                "91350100M000100Y43",
            )
        }
    headings = [re.search('<h2 id="institutions">(.*?)</h2>', page)[1] for page in pages.values()]
    assert [heading.startswith(near) for heading in headings] == [True, True, *[False] * 5]
    assert headings[2].startswith(chosen)


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_notice_that_names_exactly_what_was_asked_stands_above_who_is_only_near(site, lang):
    prefix, words = "" if lang == "zh" else "/en", wording(lang)
    names = (
        "厦门同学堂艺术培训中心（标记）",
        "福州市鼓楼区甜果培训中心有限公司",
        "福州旧时光体育培训有限公司",
        "思明区某托管班",
        "张某",
        "美术",
        "某培训部",
    )
    async with visitor(site) as client:
        pages = [(await client.get(f"{prefix}/search", params={"q": name})).text for name in names]
        before = (await client.get(f"{prefix}/search", params={"q": names[1], "as_of": OLD})).text
    above = [re.search('<h2 id="institutions">(.*?)<article', page, re.S) for page in (*pages, before)]
    told = [re.findall(r"/notices/(n-\w+)", found[1]) if found else None for found in above]
    assert told == [[NAMESAKE], [ACTIVE], [SERIOUS], None, None, [], None, [ACTIVE]]  # None: no institution is near
    assert [words["notice.unlinked"] in found[1] for found in above[:3]] == [True, False, False]
    assert words["search.named"].format(n=1) in above[0][1]
    assert f"/notices/{PERSON}" not in "".join(pages)


@pytest.mark.parametrize("turned", [False, True])
def test_who_is_on_a_list_that_may_hurt_counts_under_none_whatever_the_ids(tmp_path, catalogue, turned):
    tables = {**_declared(catalogue), **rows("标记")}
    for place, (name, (on, _)) in enumerate(LISTS.items()):
        id = f"i-lists{place:06}2"
        tables["institutions"].append({"id": id, "name": f"{name}号点名培训中心", "source_id": "platform"})
        for number, (which, until, absent) in enumerate(reversed(on) if turned else on):
            listing = {
                "id": f"l-lists{place:03}{number:03}2",
                "institution_id": id,
                "list": which,
                "authority": "某局",
                "source_id": "platform",
            }
            tables["listings"].append({**listing, "as_of": "2026-11-20", "valid_until": until, "absent_since": absent})
    folder = make_release(tmp_path, TODAY, catalogue, tables=tables)
    with open_index(folder / "search" / "index.db") as index:
        found = index.search("点名培训中心", count=("list",))
        having = {which: {hit.title[0] for hit in index.search("点名培训中心", filters={"list": which}).hits} for which in EVERY}
    assert found.total == len(LISTS)
    assert having == {which: {name for name, (_, under) in LISTS.items() if which in under} for which in EVERY}
    assert found.facets["list"] == {which: len(names) for which, names in having.items() if names}


async def test_a_region_is_chosen_from_the_province_down_and_left_the_same_way(site):
    async with visitor(site) as client:
        start = (await client.get("/search?q=美术")).text
        assert 'id="facet-city"' not in start
        province = (await client.get(next(to for to, label, _ in facet(start, "province") if label == "福建省"))).text
        assert 'id="facet-county"' not in province
        city = (await client.get(next(to for to, label, _ in facet(province, "city") if label == "福州市"))).text
        county = await client.get(next(to for to, label, _ in facet(city, "county") if label == "台江区"))
        assert str(county.url.query, "ascii") == f"q={quote('美术')}&province=350000&city=350100&county=350103"
        assert total(county.text) == 12
        # another province leaves the city and the county; and the chosen one leads back to all
        other, back = (next(to for to, label, _ in facet(county.text, "province") if label == name) for name in ("北京市", "✓ 福建省"))
        beijing = (await client.get(other)).text
        assert (other, back) == (f"/search?q={quote('美术')}&province=110000", f"/search?q={quote('美术')}")
    assert 'id="facet-county"' not in beijing  # one alone narrows nothing
    assert total(beijing) == 12


async def test_several_values_of_a_facet_are_any_of_them_and_two_facets_are_both(site):
    async with visitor(site) as client:
        one = (await client.get("/search.json?q=美术&class=arts&limit=100")).json()
        both = (await client.get("/search.json?q=美术&class=arts&class=sport&limit=100")).json()
        crossed = (await client.get("/search.json?q=美术&class=arts&class=sport&province=110000&limit=100")).json()
    assert (one["total"], both["total"], crossed["total"]) == (16, 32, 8)
    assert one["facets"]["class"] == both["facets"]["class"]  # a facet's own filter is left out of its counts
    assert {found["region_code"] for found in crossed["results"]} == {"110101"}
    assert both["facets"]["province"] == {"110000": 8, "350000": 24}


@pytest.mark.parametrize("sort", ["relevance", "region"])
async def test_pages_lead_to_every_result_once(site, sort):
    async with visitor(site) as client:
        page, seen, pages = (await client.get(f"/search?q=美术&limit=10&sort={sort}")).text, [], 1
        while True:
            seen += re.findall(r'<h3><a href="/institutions/([^"]+)"', page)
            onward = re.search(r'rel="next" href="([^"]+)"', page)
            if onward is None:
                break
            page, pages = (await client.get(unescape(onward[1]))).text, pages + 1
        beyond = (await client.get("/search?q=美术&limit=10&offset=500")).text
    assert (len(seen), len(set(seen)), pages) == (48, 48, 5)
    assert wording("zh")["search.first"] in beyond
    assert "未找到" not in beyond


async def test_results_by_region_stand_in_the_order_of_their_codes_and_never_of_ratings(site):
    async with visitor(site) as client:
        found = (await client.get("/search.json?q=美术&sort=region&limit=100")).json()["results"]
        refused = await client.get("/search.json?q=美术&sort=rating")
    codes = [it["region_code"] for it in found]
    assert codes == sorted(codes)
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("q=美术&provnce=350000", "province"), ("q=美术&province=999999", "350000"), ("q=美术&city=350000", "130100"), ("q=美术&class=art", "arts"),
        ("q=美术&list=black", "white"), ("q=美术&permit=x", "expired"), ("q=美术&supervision=<b>", "escrow"), ("q=美术&sort=mean_rating", "region"),
        ("q=美术&limit=-1", "100"), ("q=美术&offset=1e3", "0"), ("province=350000", "q"),
    ],
)  # fmt: skip
async def test_a_key_or_a_value_that_is_not_there_is_told_with_those_that_are(site, query, told):
    async with visitor(site) as client:
        page, english, answer = [await client.get(path) for path in (f"/search?{query}", f"/en/search?{query}", f"/search.json?{query}")]
    assert {page.status_code, english.status_code, answer.status_code} == {400}
    assert told in answer.json()["message"]
    assert told in page.text
    assert "<b>" not in page.text + english.text
    assert "results" not in answer.json()


async def test_who_is_told_of_a_wrong_key_can_search_without_it(site):
    async with visitor(site) as client:
        page = (await client.get("/search?q=美术&province=350000&from=timeline")).text
        onward = unescape(re.search(rf'<a href="([^"]+)">{wording("zh")["problem.onward"]}', page)[1])
        assert total((await client.get(onward)).text) == 36


@pytest.mark.parametrize(
    "query",
    ["' OR 1=1 --", '"', "a* NEAR b", "((((" * 200, "\u202e美术", "<script>alert(1)</script>", "%", "😀", "美" * 3000, "q\x00x", "-美术"],
)
@pytest.mark.parametrize("path", ["/search", "/search.json", "/suggest.json"])
async def test_whatever_is_typed_is_answered_in_words(site, path, query):
    async with visitor(site) as client:
        answer = await client.get(path, params={"q": query})
    assert answer.status_code in (200, 400)
    assert path.endswith(".json") or not re.search("<script>alert|\u202e", answer.text)


async def test_each_state_has_one_address_however_it_was_spelt(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON, base_url="https://mingbai.example")
    async with visitor(app) as client:
        spelt = [
            "/search?offset=0&class=sport&q=+美术++&class=arts&sort=relevance&limit=20&province=",
            "/search?q=美术&class=sport&class=arts",
        ]
        pages = [(await client.get(path)).text for path in spelt]
        url = (await client.get("/search.json?limit=20&q=美术&class=sport&class=arts&offset=20")).json()["url"]
    app.shelf.close()
    to = [re.search(r'<link rel="canonical" href="([^"]+)"', page)[1] for page in pages]
    assert to[0] == to[1] == f"https://mingbai.example/search?q={quote('美术')}&amp;class=sport&amp;class=arts"
    assert url == f"/search?q={quote('美术')}&class=sport&class=arts&offset=20"


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_result_says_why_it_is_one_and_marks_it(site, lang):
    async with visitor(site) as client:
        prefix = "" if lang == "zh" else "/en"
        name = (await client.get(f"{prefix}/search?q=小桔灯")).text
        alias = (await client.get(f"{prefix}/search?q=画画")).text
        code = (await client.get(f"{prefix}/search?q=91350100M000100Y43")).text
        permit = (await client.get(f"{prefix}/search?q=教民135010270000018")).text
    assert "<mark>小桔灯</mark>" in name
    assert "<mark>画画</mark>&lt;b&gt;屋&lt;/b&gt;" in alias
    words = dictionary_of(lang)
    assert words["why.inside"].format(field={"zh": "机构名称", "en": "Name"}[lang]) in name
    assert words["why.whole"].format(field={"zh": "统一社会信用代码", "en": "Unified social credit code"}[lang]) in code
    assert "<code><mark>91350100M000100Y43</mark></code>" in code
    assert words["why.whole"].format(field={"zh": "办学许可证号", "en": "Permit number"}[lang]) in permit


def dictionary_of(lang: str) -> dict[str, str]:
    return dict(wording(lang))


async def test_json_says_why_how_well_and_whether_it_is_the_same(site):
    async with visitor(site) as client:
        whole = (await client.get("/search.json?q=北京市晨溪美术培训中心")).json()
        part = (await client.get("/search.json?q=小桔灯")).json()
    first = whole["results"][0]
    assert (first["name"], first["exact"], first["score"]) == ("北京市晨溪美术培训中心", True, 1.0)
    assert first["why"][0] == {"field": "name", "how": "whole"}
    assert not any(found["exact"] for found in part["results"])
    assert {
        "release",
        "query",
        "as_of",
        "total",
        "results",
        "notices",
        "facets",
        "meant",
        "filters",
        "sort",
        "limit",
        "offset",
        "url",
    } <= whole.keys()
    assert set(whole["facets"]) == set(Question.FACETS)


async def test_neighbours_that_could_be_confused_are_told_apart(site):
    async with visitor(site) as client:
        page = (await client.get("/search?q=晨曦美术培训中心有限公司")).text
        alone = (await client.get("/search?q=甜果")).text
    assert "名称几乎相同" in page
    assert "名称几乎相同" not in alone
    card = page[page.index('<article class="card">') :]
    card = card[: card.index("</article>")]
    assert re.search(r'<p class="tell">.*区.* · .*第.*号.* · .*没有写信用代码', card, re.S)


@pytest.mark.parametrize(
    ("names", "near"),
    [
        (("福州晨曦培训中心", "福州晨溪培训中心", "福州启明星培训学校"), [1, 1, 0]),
        (("鼓楼区甜果中心", "台江区甜果中心"), [1, 1]),  # another district
        (("甜果（福州）", "甜果(福州)"), [1, 1]),
        (("甜果", "苦果"), [0, 0]),  # too little is the same
        (("甜果中心", "甜果中心有限公司"), [0, 0]),
        ((), []),
    ],
)
def test_names_are_alike_that_differ_in_one_place_by_two_characters(names, near):
    assert alike(names) == near


async def test_not_found_within_a_choice_says_what_would_be_found_without_it(site):
    async with visitor(site) as client:
        page = (await client.get("/search?q=甜果&province=110000&class=subject")).text
        wider = [(to, text) for to, text in links(page, wording("zh")["none.wider"]) if to.startswith("/search")]
        found = (await client.get(wider[0][0])).text
    assert "在所选范围内未找到" in page
    assert [text for _, text in wider] == ["不限省份"]
    assert total(found) == 1
    assert wording("zh")["none.means.1"] not in page, "something like it was published"


async def test_suggestions_name_institutions_with_their_region_and_a_name_of_several_names_none(site):
    async with visitor(site) as client:
        zh, en = [(await client.get(f"{prefix}/suggest.json?q=福州市鼓楼区甜")).json()["suggestions"] for prefix in ("", "/en")]
        several = (await client.get("/suggest.json?q=北京市晨")).json()["suggestions"]
        nothing = (await client.get("/suggest.json?q=")).json()["suggestions"]
        notices = (await client.get("/suggest.json?q=关于超期收费")).json()["suggestions"]
        wrong = await client.get("/suggest.json?q=x&as_of=2026-11-20")
    assert (zh[0]["id"], zh[0]["region"], zh[0]["url"]) == (SWEET, "福建省福州市鼓楼区", f"/institutions/{SWEET}")
    assert en[0]["url"] == f"/en/institutions/{SWEET}"
    shared = next(it for it in several if it["text"] == "北京市晨溪美术培训中心")  # which two have: it is searched for
    assert (shared["id"], shared["url"]) == (None, None)
    assert (nothing, notices) == ([], [])
    assert wrong.status_code == 400  # suggestions are of the newest release


async def test_an_earlier_release_is_searched_with_its_filters_and_its_links_stay_in_it(site):
    async with visitor(site) as client:
        page = (await client.get(f"/search?q=美术&as_of={OLD}")).text
        to, _, count = facet(page, "province")[0]
        there = (await client.get(to)).text
        answer = (await client.get(f"/search.json?q=美术&class=arts&as_of={OLD}")).json()
    assert f"as_of={OLD}" in to
    assert total(there) == count == 12
    assert "data-suggest" not in page
    assert (answer["release"], answer["total"]) == (OLD, 16)


async def test_an_answer_is_kept_no_longer_than_its_day_and_its_release(home, catalogue, monkeypatch):
    now = [NOON]
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: now[0])
    reader, asked = app.shelf.reader, []
    found = reader.index.search
    monkeypatch.setattr(reader.index, "search", lambda *those, **more: asked.append(1) or found(*those, **more))
    async with visitor(app) as client:
        first, second = await client.get("/search.json?q=甜果"), await client.get("/search.json?q=甜果")
        assert (len(asked), first.content) == (1, second.content)
        assert (await client.get("/en/search.json?q=甜果")).json()["url"].startswith("/en/")
        now[0] += timedelta(days=1)
        await client.get("/search.json?q=甜果")
        assert len(asked) == 3
    app.shelf.close()


def test_no_more_answers_are_kept_than_there_is_room_for():
    path = "/suggest.json"
    kept = Kept(6 * (EACH + len(path) + 800))
    for number in range(9):
        kept.keep((path, b"%300d" % number), Answer(200, b"x" * 500))
    kept.keep((path, b"whole"), Answer(200, b"x" * 6 * (EACH + 800)))
    there = [number for number in range(9) if kept.get((path, b"%300d" % number))]
    assert there == [3, 4, 5, 6, 7, 8], "an address counts as its answer does"
    assert kept.get((path, b"whole")) is None


def test_an_answer_takes_the_room_of_all_its_codings():
    kept = Kept(2 * (EACH + 1_100))
    for number in range(3):
        kept.keep(("/feeds/notices.atom", b"%d" % number), Answer(200, b"", codings={"gzip": b"x" * 600, "br": b"x" * 400}))
    assert [number for number in range(3) if kept.get(("/feeds/notices.atom", b"%d" % number))] == [1, 2]


def test_an_answer_to_a_query_that_nobody_asks_twice_is_not_kept():
    kept = Kept()
    for size in (900, 2_000, 60_000):
        kept.keep(("/search", b"q" * size), Answer(200, b"x"))
    assert [bool(kept.get(("/search", b"q" * size))) for size in (900, 2_000, 60_000)] == [True, False, False]


@given(st.text(alphabet=st.sampled_from("%=&+;ab0EeFf4B8\xe4学 ")) | st.text().map(quote) | st.text().map(quote_plus))
@example("%E4%B8a%AD=%zz&=&&a")
@example("&".join("a" * 50))
def test_a_query_string_is_read_as_the_library_reads_it(query):
    assert pairs_of(query) == parse_qsl(query, keep_blank_values=True, max_num_fields=50)


def test_a_query_string_with_more_keys_than_anybody_asks_for_is_refused():
    with pytest.raises(ValueError, match="more than 50"):
        pairs_of("&".join(["a=1"] * 51))


@given(st.text())
@example("汇奇")
@example("学 a")
def test_a_state_is_spelt_as_the_library_spells_it(typed):
    try:
        right = quote_plus(typed)
    except UnicodeEncodeError:
        right = None
    assert right is None or Question(typed[:200], typed=typed).link() == (f"q={quote_plus(typed[:200])}" if typed else "")


@pytest.mark.parametrize(
    ("path", "key", "one", "other"),
    [
        ("/search", "q", "甜果", "美术"), ("/search", "sort", "region", "relevance"), ("/search", "limit", "1", "2"), ("/suggest", "q", "甜", "美"), ("/notices", "q", "收费", "办学"),
        ("/notices", "since", "2026", "2025"), ("/verify", "name", "甜果", "美术"), ("/changes", "region", "350100", "350200"), ("/feeds/notices", "q", "收费", "办学"),
    ],
)  # fmt: skip
async def test_of_two_values_of_which_one_can_be_meant_none_is_left_out_silently(site, path, key, one, other):
    words = {"q": "甜果"} if (path, key) in (("/search", "sort"), ("/search", "limit")) else {}
    async with visitor(site) as client:
        said = await client.get(f"{path}.json", params={**words, key: [one, other]})
        assert (said.status_code, said.json()["error"], said.json()["name"]) == (400, "twice", key)
        assert said.json()["message"] == wording("zh")["problem.twice.text"].format(name=key)
        again = await client.get(f"{path}.json", params={**words, key: [one, one]})
        assert again.status_code == 200, "the same once more says the same"
        several = [await client.get(f"{facets}.json", params={"q": "甜果", name: values}) for facets, name, values in (("/search", "class", ["arts", "sport"]), ("/notices", "kind", ["penalty", "warning"]))]  # fmt: skip
        assert [answer.status_code for answer in several] == [200, 200]


@pytest.mark.parametrize("path", ["/search.json", "/en/search.json", "/suggest.json", "/en/suggest.json"])
@pytest.mark.parametrize(
    "query", ["=美术", "=美术&class=arts&limit=3&offset=3", "=", "=x&nothing=1", "=美术&limit=x", "=？", "=美术&as_of=2026-11-20"]
)
async def test_what_leaves_the_short_way_is_what_the_long_way_says(site, monkeypatch, path, query):
    long = site.shelf.hold
    taken = []
    monkeypatch.setattr(site.shelf, "hold", lambda: taken.append(1) or long())
    async with visitor(site) as client:
        short, whole = await client.get(f"{path}?q{query}"), await client.get(f"{path}?%71{query}")
        head, known = (
            await client.head(f"{path}?q{query}"),
            await client.get(f"{path}?q{query}", headers={"if-none-match": short.headers.get("etag", "x")}),
        )
    assert len(taken) == (
        2 if "as_of" not in query else 4
    )  # the first and the last left before a release was held, unless the page is of an earlier one
    assert (short.status_code, short.content, short.headers) == (whole.status_code, whole.content, whole.headers)
    assert (head.status_code, head.headers["content-type"]) == (short.status_code, short.headers["content-type"])
    assert known.status_code == (304 if short.status_code == 200 else short.status_code)
    assert short.headers["content-security-policy"].startswith("default-src 'none'")


def spoil(folder: Path) -> None:
    """An index as the engine before this one wrote it."""
    file = folder / "search" / "index.db"
    file.unlink()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
        connection.execute("INSERT INTO about VALUES ('format', 'mingbai search 1')")


@pytest.mark.parametrize("end", ["", ".json"])
async def test_an_earlier_release_whose_index_is_of_another_form_says_so_and_its_other_pages_work(tmp_path, catalogue, end):
    for id in (OLD, TODAY):
        make_release(tmp_path, id, catalogue, mark="标记")
    write_index(tmp_path, OLD, TODAY)
    write_past(tmp_path, catalogue, OLD, TODAY)
    go_live(tmp_path, TODAY)
    spoil(tmp_path / "releases" / OLD)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    async with visitor(app) as client:
        then, now = await client.get(f"/search{end}?q=甜果&as_of={OLD}"), await client.get(f"/search{end}?q=甜果")
        others = [
            (await client.get(f"{path}?as_of={OLD}")).status_code
            for path in ("/", "/data", f"/institutions/{SWEET}", f"/institutions/{SWEET}.json")
        ]
    app.shelf.close()
    assert (then.status_code, now.status_code, others) == (503, 200, [200] * 4)
    assert wording("zh")["problem.unsearchable.text"] in then.text
    assert "未找到" not in then.text
    assert f"/history/institutions_as_of?release={OLD}" in then.text, "which can be asked"
    assert "results" not in then.text


async def test_a_release_that_cannot_be_searched_is_served_all_the_same(tmp_path, catalogue):
    for id in (OLD, TODAY):
        make_release(tmp_path, id, catalogue, mark=id)
    spoil(tmp_path / "releases" / TODAY)
    write_index(tmp_path, OLD, TODAY)
    go_live(tmp_path, OLD)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    go_live(tmp_path, TODAY)
    await app.shelf.refresh()
    async with visitor(app) as client:
        asked = await client.get("/search.json?q=甜果")
        assert asked.status_code == 503  # the release before could be searched, and may hold what was withdrawn since
        assert (await client.get(f"/institutions/{SWEET}.json")).json()["release"] == TODAY
        told = (await client.get("/status.json")).json()["problem"]
    app.shelf.close()
    assert "index.db" in told
    assert str(tmp_path) not in told
    alone = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    async with visitor(alone) as client:
        codes = [(await client.get(path)).status_code for path in ("/", f"/institutions/{SWEET}", "/search?q=甜果", "/suggest.json?q=甜果")]
        assert "index.db" in (await client.get("/status.json")).json()["problem"]
    alone.shelf.close()
    assert codes == [200, 200, 503, 503]
