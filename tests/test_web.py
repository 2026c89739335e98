"""The site as a visitor meets it: what its pages say and never say, in both languages, and what they do when something is wrong."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

from fed import document
from publish.catalogue import Catalogue, dictionary
from publish.home import Home
from publish.web.answer import App
from publish.web.frame import TEMPLATES
from publish.web.server import build_app
from publish.web.visit import address
from publish.wording import LANGUAGES, say, wording
from web_release import (
    ACTIVE,
    CLOSED,
    ENDS_TODAY,
    ITS_DOCUMENT,
    NAMESAKE,
    PERSON,
    REPAIRED,
    SERIOUS,
    SHADY,
    SWEET,
    TODAY,
    TONG,
    UNLINKED,
    go_live,
    make_release,
    rows,
    write_past,
)
from web_visitor import sites, text_of, visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)  # in China it is 12:00
LAST_SECOND, MIDNIGHT = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 23, 16, tzinfo=UTC)
PAGES = (
    "/",
    "/search",
    "/search?q=福州",
    "/search?q=不存在的名称",
    f"/institutions/{SWEET}",
    f"/institutions/{SWEET}/provenance",
    f"/compare?id={SWEET}&id={TONG}",
    f"/notices/{ACTIVE}",
    "/regions",
    "/regions/350102",
    "/data",
    "/data/about/institutions",
    "/words",
    "/for-institutions?code=91350100M000100Y43",
    "/changes",
    "/feeds",
    "/feeds/notices",
    "/status",
)
TYPED = PAGES[:4]  # where somebody types a name, and a script of ours suggests some
OURS = re.compile(r'<script src="/static/suggest\.js\?v=[0-9a-f]{12}" defer></script>')
LINKED = re.compile(r'<script type="application/ld\+json">[^<]*</script>')  # data that no browser runs
TABLES = (
    "/mingbai",
    "/mingbai/institutions",
    f"/mingbai/institutions/{SWEET}",
    "/mingbai?sql=select+1",
    "/history",
    "/history/releases",
    "/mingbai/notices?_facet=authority",
    "/-/versions",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    home = tmp_path_factory.mktemp("home")
    make_release(home, TODAY, catalogue, mark="标记")
    write_past(home, catalogue, TODAY)
    go_live(home, TODAY)
    return home


@pytest.fixture
def site(home: Path, catalogue: Catalogue) -> Iterator[Callable[..., App]]:
    """A site over the release, at noon of its day unless told otherwise."""
    with sites(home, catalogue, NOON) as make:
        yield make


async def test_a_csv_is_whole_or_says_that_it_would_not_be(site):
    async with visitor(site()) as client:
        moved = await client.get("/en/mingbai/regions.csv?validity=x")
        whole = await client.get("/mingbai/regions.csv", follow_redirects=True)
        cut = await client.get("/en/mingbai.csv", params={"sql": "select code from regions"})
        page = await client.get("/mingbai", params={"sql": "select code from regions"})
    assert (moved.status_code, moved.headers["location"]) == (308, "/en/mingbai/regions.csv?validity=x&_stream=on")
    assert len(whole.text.splitlines()) > 4_000
    assert (cut.status_code, "CSV" in cut.text, page.status_code) == (400, True, 200)


@pytest.mark.parametrize("path", ["/mingbai.csv", "/history.csv", "/en/mingbai.csv?sql=", "/history.csv?sql=%20"])
async def test_a_csv_without_sql_is_refused_with_a_word(site, path):
    async with visitor(site()) as client:
        answer = await client.get(path)
    assert answer.status_code == 400
    assert wording("en" if path.startswith("/en") else "zh")["problem.no_sql.title"] in answer.text


async def test_a_demonstration_says_on_each_page_that_it_is_one(home, catalogue, site):
    async with visitor(site()) as client:
        assert wording("zh")["frame.demo"] not in (await client.get("/")).text
    (home / "demo.txt").touch()
    try:
        app = build_app(home, dictionary=dictionary(catalogue))
        async with visitor(app) as client:
            assert wording("en")["frame.demo"] in (await client.get("/en/data")).text
        app.shelf.close()
    finally:
        (home / "demo.txt").unlink()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("path", PAGES + TABLES)
async def test_every_page_answers_in_both_languages_behind_the_same_locks(site, path, lang):
    async with visitor(site()) as client:
        answer = await client.get(path if lang == "zh" else f"/en{path}")
    assert answer.status_code == 200
    assert f'<html lang="{wording(lang)["site.lang"]}">' in answer.text
    assert wording(lang)["frame.no_judgement"] in answer.text
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert not re.search(r"<script|\sstyle=|<style|\son\w+=", LINKED.sub("", OURS.sub("", answer.text)))
    assert ("script-src 'self'" in answer.headers["content-security-policy"]) == bool(OURS.search(answer.text)) == (path in TYPED)
    # nothing is loaded from elsewhere, and on a page in English every link of the site stays in English
    assert not re.findall(r'(?:src|<link[^>]+href)="https?:', answer.text)
    links = [link for link in re.findall(r'<a [^>]*href="(/[^"]*)"', answer.text) if not re.match(r"/feeds/.*\.(atom|rss|json)", link)]
    strays = [link for link in links if link.startswith("/en/") != (lang == "en")]
    assert len(strays) == (1 if "hreflang" in answer.text else 0)


async def test_a_page_names_its_public_address_in_both_languages(site):
    async with visitor(site(base_url="https://mingbai.example/")) as client:
        page = (await client.get("/en/data")).text
    assert '<link rel="canonical" href="https://mingbai.example/en/data">' in page
    assert '<link rel="alternate" hreflang="zh-Hans" href="https://mingbai.example/data">' in page


async def test_a_listing_says_who_and_when_and_never_safe(site):
    async with visitor(site()) as client:
        page = (await client.get(f"/institutions/{SWEET}")).text
        card = (await client.get("/search?q=甜果")).text
    for html in (page, card):
        assert "列入福州市教育局（标记）第三期白名单，截至 2026-11-20。" in text_of(html).replace(" 2026-11-20 ", " 2026-11-20")
        assert not re.search("安全|放心|可靠|值得信赖", html)


async def test_an_institution_page_has_all_that_is_published(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/institutions/{SWEET}")).text)
        answer = (await client.get(f"/institutions/{SWEET}.json")).json()
    for said in ("91350100M000100Y43", "甜果英语", "学科类：初中英语", "福建省福州市鼓楼区", "已过有效期", "在有效期内", "银行托管，某某银行鼓楼支行", "白名单第三期", "信用代码一致，可信度 100%", "共 60 条评价", "另有 1 个月评价不足 5 条"):  # fmt: skip
        assert said in page, said
    assert [permit["state"] for permit in answer["permits"]] == ["valid", "expired"]
    assert [notice["id"] for notice in answer["notices"]] == [ACTIVE, ENDS_TODAY]
    (rating,) = answer["ratings"]
    assert (rating["count"], rating["histogram"], rating["suppressed_months"]) == (60, [1, 1, 5, 16, 37], 1)


async def test_ratings_under_five_are_not_opened(site):
    async with visitor(site()) as client:
        page = text_of((await client.get(f"/institutions/{TONG}")).text)
    assert "每月不足 5 条，不公布" in page
    assert "平均" not in page


async def test_a_notice_without_a_verified_subject_says_so(site):
    async with visitor(site()) as client:
        unlinked, person, linked = [text_of((await client.get(f"/notices/{id}")).text) for id in (UNLINKED, PERSON, ACTIVE)]
    assert "未能核对主体" in unlinked
    assert "有异议" in unlinked
    assert "张某" in person
    assert "来源写法：2，单位不明" in person  # a fine of "2" is no amount
    assert "14,500.00 元（来源写法：1.45，单位：万元）" in person
    assert "未能核对主体" not in linked
    assert "12,000.00 元" in linked


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_title_is_plain_text(site, lang):
    """That of a release's files has a day in it, which texts mark elsewhere."""
    async with visitor(site()) as client:
        said = [(await client.get(f"{address('', lang)}{path}")).text for path in (*PAGES, *TABLES[:-1], f"/data/{TODAY}")]
    titles = [re.search(r"<title>(.*?)</title>", html, re.DOTALL)[1] for html in said]
    shared = [re.search(r'<meta property="og:title" content="(.*?)">', html)[1] for html in said]
    assert [title for title in (*titles, *shared) if "<" in title or "&lt;" in title] == []
    assert all(title.startswith(one) and one for title, one in zip(titles, shared, strict=True))
    assert titles[-1].startswith(wording(lang)["download.title"].format(release=TODAY))


async def test_what_was_said_of_a_notice_stands_wherever_it_is_shown(site):
    async with visitor(site()) as client:
        page, english = [text_of((await client.get(f"{lang}/notices/{ACTIVE}")).text) for lang in ("", "/en")]
        answer = (await client.get(f"/notices/{ACTIVE}.json")).json()
        disputed, start = [text_of((await client.get(path)).text) for path in (f"/notices/{UNLINKED}", "/")]
        seen = [text_of((await client.get(path)).text) for path in (f"/institutions/{SWEET}", "/search?q=甜果", "/search?q=超期收费")]
        found = (await client.get("/search.json?q=甜果")).json()
    for said in (
        "甜果培训中心有限公司于 2026-11-01 回应：",
        "费用已全部退还。",
        "曾有异议，已于 2026-11-20 核对完毕",
        "依机关文件更正：罚款、罚款原文",
        "来函〔2026〕3 号",
    ):
        assert said in page, said
    for said in ("replied on 2026-11-01", "was settled on 2026-11-20", "by a document of the authority: Fine, Fine as printed"):
        assert said in english, said
    assert page.index("认定与处理") < page.index("费用已全部退还") < page.index("日期与状态")
    assert [(one["number"], one["kind"], one["settled_on"]) for one in answer["statements"]] == [(1, "reply", None), (2, "dispute", "2026-11-20"), (3, "correction", None)]  # fmt: skip
    assert "自 2026-11-02 起核对，尚无结果" in disputed
    for html in seen:
        assert "有申辩" in html
    assert "有异议" in start
    assert [(one["state"], one["replies"]) for one in found["results"][0]["notices_in_force"]] == [("active", 1), ("active", 1)]


@pytest.mark.parametrize(("now", "status"), [(LAST_SECOND, 200), (MIDNIGHT, 410)])
async def test_a_notice_ends_at_midnight_in_china_everywhere(site, now, status):
    async with visitor(site(now)) as client:
        seen = {
            path: await client.get(path)
            for path in (
                f"/notices/{ENDS_TODAY}",
                f"/notices/{ENDS_TODAY}.json",
                f"/mingbai/notices/{ENDS_TODAY}",
                f"/mingbai/notices/{ENDS_TODAY}.json",
            )
        }
        lists = [(await client.get(path, follow_redirects=True)).text for path in ("/", "/search.json?q=今天到期", f"/institutions/{SWEET}", f"/institutions/{SWEET}.json", "/mingbai/notices.json", "/mingbai/notices.csv")]  # fmt: skip
    assert {answer.status_code for answer in seen.values()} == {status}
    titles = ("今天到期", json.dumps("今天到期").strip('"'))  # Datasette's JSON is ASCII
    assert all(any(title in answer.text for title in titles) == (status == 200) for answer in seen.values())
    ids = [ENDS_TODAY in text for text in lists]
    assert ids == [status == 200] * len(lists)


TILDES = "".join(f"~{ord(letter):02X}" for letter in ENDS_TODAY)


@pytest.mark.parametrize("lang", ["", "/en"])
@pytest.mark.parametrize(
    "id", [ENDS_TODAY, ENDS_TODAY.replace("n-", "n~2D"), ENDS_TODAY.replace("n-", "~6E-"), TILDES, ENDS_TODAY.replace("-", "%2D")]
)
@pytest.mark.parametrize("end", ["", ".json", "?_format=json", "?_extras=foreign_key_tables"])
async def test_however_an_ended_notice_is_spelt_it_is_gone(site, lang, id, end):
    async with visitor(site(MIDNIGHT)) as client:
        for table in ("notices", "~6Eotices", "%6Eotices"):
            answer = await client.get(f"{lang}/mingbai/{table}/{id}{end}")
            assert (answer.status_code, "某培训部" in answer.text) == (410, False), table


ALL_OF = ("notices", "notice_links", "notice_penalties", "notice_measures", "notice_statements")
WAYS_AROUND = (
    *(f"/mingbai/{table}{end}" for table in (*ALL_OF, "documents") for end in ("", ".json", ".json?_shape=array&_labels=on", ".json?_where=1=1+or+1=1", ".csv?_stream=on&_labels=on", ".json?_nocount=1")),
    *(f"/mingbai{end}?sql=select+*+from+{table}" for table in (*ALL_OF, "documents") for end in ("", ".json", ".csv")),
    *(
        f"/mingbai.json?sql={sql}"
        for table in ALL_OF
        for sql in (
            f"select+*+from+main.{table}", f"select+*+from+[main].[{table.upper()}]", f"with+{table}+as+(select+*+from+main.{table})+select+*+from+{table}",
            f"with+_in_force_{table}+as+(select+*+from+main.{table})+select+*+from+_in_force_{table}", f"select+*+from+(select+*+from+main.{table})+as+_in_force_{table}",
            f"select+json_group_array(a)+from+(select+(select+group_concat(quote(x.notice_id))+from+main.notice_links+x)+as+a+from+{table})",
        )
    ),
    "/mingbai.json?sql=select+mingbai_ended('notices')", "/mingbai.json?sql=select+*+from+json_each(MINGBAI_ENDED('documents'))", "/mingbai/notices.json?_where=id+in+(mingbai_ended('x'))",
    "/mingbai.json?sql=select+*+from+main.documents", "/mingbai.json?sql=select+group_concat(sql)+from+sqlite_temp_master", "/mingbai.json?sql=select+*+from+sqlite_stat4",
    "/mingbai/notices.json?_facet=title&_facet=id&_facet_size=max", "/mingbai/documents.json?_facet=title", f"/mingbai/institutions/{SWEET}.json?_extras=foreign_key_tables",
    "/mingbai/notices.json?_through={%22table%22:%22notice_links%22,%22column%22:%22institution_id%22,%22value%22:%22" + SWEET + "%22}",
    "/mingbai/institutions.json?_where=id+in+(select+institution_id+from+main.notice_links)",
    f"/mingbai/notice_links/{ENDS_TODAY},{SWEET}", f"/mingbai/notice_links/{ENDS_TODAY},{SWEET}.json", f"/mingbai/notice_penalties/{ENDS_TODAY},fine.json",
    f"/mingbai/documents/{ITS_DOCUMENT}", f"/mingbai/documents/{ITS_DOCUMENT}.json", "/search.json?q=今天到期", "/search?q=今天到期的公告", "/", "/data", "/mingbai",
)  # fmt: skip


@pytest.mark.parametrize("path", WAYS_AROUND)
async def test_no_way_around_shows_what_has_ended(site, path):
    said = [ENDS_TODAY, ITS_DOCUMENT, REPAIRED, "今天到期的", json.dumps("今天到期的").strip('"')]
    if "q=今天" in path:
        said = said[:3]  # the page repeats what was asked
    async with visitor(site(MIDNIGHT)) as client:
        answer = await client.get(path)
    # the address stands on the page, in links to the other language
    asked = [f"{path.partition('?')[0].partition('.')[0]}"]
    text = answer.text.replace(asked[0], "") if asked[0].count("/") > 2 else answer.text
    assert answer.status_code in (200, 400, 403, 404), answer.status_code
    assert [one for one in said if one in text] == []


@pytest.mark.parametrize(
    "path",
    [
        way
        for way in WAYS_AROUND
        if "main" not in way and "_in_force_" not in way and "sqlite_" not in way and "ended(" not in way.lower() and "," not in way
    ],
)
async def test_before_the_end_the_same_addresses_answer(site, path):
    async with visitor(site(LAST_SECOND)) as client:
        assert (await client.get(path)).status_code == 200


async def test_counts_are_of_what_is_shown(site):
    async with visitor(site()) as client, visitor(site(MIDNIGHT)) as later:
        for table in (*ALL_OF, "documents"):
            path = f"/mingbai/{table}.json"
            before, after = (await client.get(path)).json(), (await later.get(path)).json()
            assert (after["filtered_table_rows_count"], len(after["rows"])) == (len(after["rows"]), len(before["rows"]) - 1)
            listed = {it["name"]: it["count"] for it in (await later.get("/mingbai.json")).json()["tables"]}
            assert listed[table] == len(after["rows"])
        assert "公告 5" in text_of((await later.get("/data")).text)
        assert (await later.get("/data/about/notices.json")).json()["tables"][0]["rows"] == 5


async def test_tables_of_notices_keep_their_keys_and_links(site):
    async with visitor(site()) as client:
        table = (await client.get("/mingbai/notices.json")).json()
        row = (await client.get(f"/mingbai/notices/{ACTIVE}.json?_extras=foreign_key_tables")).json()
        links = (await client.get("/mingbai/notice_links.json?_labels=on")).json()
        small = (await client.get("/mingbai/notices.json?_size=1&_sort=title")).json()
        following = (await client.get(small["next_url"].replace("http://site.example", ""))).json()
    assert table["primary_keys"] == ["id"]
    assert links["primary_keys"] == ["notice_id", "institution_id"]
    assert row["primary_keys"] == ["id"]
    assert {"value": ACTIVE, "label": "关于超期收费的处罚（标记）"} in [
        link["notice_id"] for link in links["rows"] if isinstance(link, dict)
    ] or any(cell == {"value": ACTIVE, "label": "关于超期收费的处罚（标记）"} for link in links["rows"] for cell in link)
    assert small["rows"] != following["rows"]


@pytest.mark.parametrize(
    "sql",
    [
        "select * from pragma_database_list",
        "select * from pragma_database_list()",
        "select file from PRAGMA_DATABASE_LIST",
        "select * from dbstat",
    ],
)
async def test_no_query_shows_a_path_of_this_machine(site, home, sql):
    async with visitor(site()) as client:
        for end in ("", ".json", ".csv"):
            answer = await client.get(f"/mingbai{end}", params={"sql": sql})
            assert str(home) not in answer.text
            assert answer.status_code == 400 or end == ".csv"  # Datasette has sent 200 when a CSV fails


@pytest.mark.parametrize("table", ["main.notices", "MAIN.notices", "[Main].notice_links", '"mAIN".LISTINGS'])
async def test_no_query_counts_what_has_ended(site, table):
    async with visitor(site()) as client:
        answer = await client.get("/mingbai.json", params={"sql": f"select count(*) from {table}"})
    assert answer.status_code == 400


async def test_the_total_of_a_search_counts_no_ended_notice(site):
    async with visitor(site(MIDNIGHT)) as client:
        answer = (await client.get("/search.json?q=今天到期的公告")).json()
        page = await client.get("/search?q=今天到期的公告")
    assert (answer["total"], answer["results"], answer["notices"]) == (0, [], [])
    assert wording("zh")["none.searched"] in page.text


async def test_ended_notices_do_not_push_others_out_of_the_hits(tmp_path, catalogue):
    tables = rows("标记")
    notice = next(row for row in tables["notices"] if row["id"] == ENDS_TODAY)
    tables["notices"] += [{**notice, "id": f"n-{i:012}", "title": "催缴"} for i in range(30)] + [
        {**notice, "id": "n-zzzzzzzzzzz2", "title": "催缴", "public_until": "2027"}
    ]
    make_release(tmp_path, TODAY, catalogue, tables=tables)
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: MIDNIGHT)
    async with visitor(app) as client:
        assert [it["id"] for it in (await client.get("/search.json?q=催缴")).json()["notices"]] == ["n-zzzzzzzzzzz2"]
    app.shelf.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/status?x=1", 400), ("/status.json?x=1", 400), (f"/mingbai/NOTICES/{ACTIVE}", 404), (f"/mingbai/NOTICES/{ENDS_TODAY}.json", 404), ("/mingbai/Notices", 404), ("/mingbai/sqlite_master", 404), ("/mingbai/notices/" + "x,y", 404),
        ("/mingbai/_in_force_notices", 404), ("/mingbai/notices.json?_sort=x", 400), ("/mingbai/notices?_sort_desc=x", 400), ("/mingbai/notices?_sort=id&_sort_desc=id", 400),
        ("/mingbai/notices?_timelimit=x", 400), ("/mingbai/notices?_size=x", 400), ("/mingbai/notices?_col=x", 400), ("/mingbai/notices?_where=x", 400), ("/mingbai/notices?_facet=x", 400),
        ("/mingbai/notices?_facet_size=x", 200), ("/mingbai/notices?_through=x", 400), ("/mingbai/notices?_through={}", 400), ("/mingbai/notices?_json_infinity=x&_shape=x", 200),
        ("/mingbai/notices.json?_shape=x", 400), ("/mingbai/notices?_next=x,y,z", 200), ("/mingbai/notices?_facet_array=x", 400), ("/mingbai/notices?_facet_date=x", 400), ("/mingbai.json?sql=", 200),
        ("/mingbai/notices?_search=x", 200), ("/mingbai/notices.json?_shape=object", 200), ("/mingbai/notices?_filter_column=x&_filter_op=y&_filter_value=z", 302), ("/mingbai.json?sql=select+%00", 400),
        ("/mingbai/notices?id__x=1", 200), ("/mingbai/notices?id__in=[", 400), ("/mingbai/notices?x__gt=1", 200), ("/mingbai.json?sql=select+:x", 200), ("/mingbai.blob?sql=select+1", 400),
        (f"/mingbai/notices/{ACTIVE}.blob?_blob_column=x", 400), ("/mingbai/notices?_sort=id&_next=x,y", 200), ("/mingbai.json?sql=select+x'ff'", 200), ("/mingbai.json?sql=select+cast(x'ff'+as+text)", 200),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Datasette leaves its other facets unawaited when one fails
async def test_a_wrong_address_is_the_visitors_mistake_and_no_bug_of_ours(site, path, status):
    async with visitor(site()) as client:
        assert (await client.get(path)).status_code == status


async def test_not_found_is_as_of_the_institutions_own_source(site):
    async with visitor(site()) as client:
        pages = [text_of((await client.get(path)).text) for path in (f"/institutions/{SHADY}", "/search?q=恶意")]
    for page in pages:
        assert "截至 2026-01-31 ，在我们的来源中未找到公示期内的公告" in page
        assert "截至 2026-01-31 ，在我们的来源中没有它的列入记录" in page


async def test_a_notice_of_the_same_name_is_named_as_not_matched(site):
    async with visitor(site()) as client:
        pages = [(await client.get(path)).text for path in (f"/institutions/{TONG}", "/search?q=同学堂", f"/en/institutions/{TONG}")]
        answer = (await client.get(f"/institutions/{TONG}.json")).json()
        other = text_of((await client.get(f"/institutions/{SHADY}")).text)
    for page, lang in zip(pages, ("zh", "zh", "en"), strict=True):
        assert wording(lang)["card.namesake"].split("{")[0] in page
        assert f"/notices/{NAMESAKE}" in page
        assert "未找到公示期内的公告" not in page
        assert "no notice in force was found" not in page
    assert "未能核对主体" in pages[0]
    assert [notice["id"] for notice in answer["unmatched_notices"]] == [NAMESAKE]
    assert "未能核对主体" not in other


async def test_a_list_says_the_name_on_it_and_whether_it_has_ended(site):
    async with visitor(site()) as client:
        page, card = [text_of((await client.get(path)).text) for path in (f"/institutions/{TONG}", "/search?q=同学堂")]
        answer = (await client.get(f"/institutions/{TONG}.json")).json()
    for html in (page, card):
        assert "名单所载名称：厦门同学堂（旧名）" in html
        assert html.count("已过名单所示有效期") == 1
        assert "名单所示有效期至 2026-11" in html
    assert {listing["list"]: listing["is_over"] for listing in answer["listings"]} == {"normal": True, "warning": False}


@pytest.mark.parametrize(
    ("now", "shown"), [(datetime(2026, 11, 30, 15, 59, 59, tzinfo=UTC), True), (datetime(2026, 11, 30, 16, tzinfo=UTC), False)]
)
async def test_a_listing_that_may_hurt_ends_at_midnight_in_china_everywhere(site, now, shown):
    paths = (
        f"/institutions/{TONG}", f"/institutions/{TONG}.json", "/search?q=同学堂", "/search.json?q=同学堂", "/mingbai/listings.json?_shape=array",
        "/mingbai/listings.csv?_stream=1", "/mingbai.json?sql=select+id+from+listings&_shape=array",
    )  # fmt: skip
    async with visitor(site(now)) as client:
        for path in paths:
            answer = await client.get(path)
            assert ("旧名" in answer.text or "l-eeeeeeeeeee2" in answer.text) == shown, path
        denied = await client.get("/mingbai.json?sql=select+list+from+main.listings&_shape=array")
        row = await client.get("/mingbai/listings/l-eeeeeeeeeee2")
        start = text_of((await client.get("/")).text)
    assert (denied.status_code, row.status_code) == (400, 200 if shown else 404)
    assert f"{3 + shown} 列入记录" in start


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        *TABLES,
        "/mingbai/documents",
        "/mingbai/sources",
        "/mingbai?sql=select+url+from+documents",
        f"/mingbai/documents/{ITS_DOCUMENT}",
        "/mingbai/documents?_labels=on",
    ],
)
async def test_a_link_to_elsewhere_tells_it_nothing_and_is_http(site, path):
    async with visitor(site()) as client:
        page = (await client.get(path)).text
    for attributes in re.findall(r"<a ([^>]*)>", page):
        href = re.search(r'href="([^"]*)"', attributes)
        assert href
        if not href[1].startswith(("/", "#", "?", "tel:")):  # a number to call is told to nobody
            assert re.match(r"https?://", href[1])
            assert "site.example" in href[1] or 'noopener noreferrer nofollow"' in attributes
    if "documents" in path or "sources" in path:
        assert "noopener noreferrer nofollow" in page


async def test_a_notice_that_was_withdrawn_leaves_what_its_tombstone_says(site, tmp_path, catalogue):
    folder = make_release(tmp_path, TODAY, catalogue)
    (folder / "tombstones.json").write_text(json.dumps({"n-zzzzzzzzzzz2": {"on": "2026-11-22", "class": "refuted"}}))
    go_live(tmp_path, TODAY)
    async with visitor(site(home=tmp_path)) as client:
        for path, words in (("/notices/n-zzzzzzzzzzz2", "异议成立"), ("/en/notices/n-zzzzzzzzzzz2", "Objection upheld")):
            page = await client.get(path)
            assert (page.status_code, words in page.text, "2026-11-22" in page.text) == (410, True, True)
        answer = await client.get("/notices/n-zzzzzzzzzzz2.json")
        assert (answer.status_code, answer.json()["tombstone"]) == (410, {"id": "n-zzzzzzzzzzz2", "on": "2026-11-22", "class": "refuted"})
        assert (await client.get("/notices/n-yyyyyyyyyyy2")).status_code == 404


async def test_what_is_no_longer_shown_leaves_id_date_and_class(site):
    async with visitor(site()) as client:
        page = await client.get(f"/notices/{REPAIRED}")
        answer = await client.get(f"/notices/{REPAIRED}.json")
    assert (page.status_code, answer.status_code) == (410, 410)
    assert answer.json()["tombstone"] == {"id": REPAIRED, "on": TODAY, "class": "repaired"}
    assert "信用修复" in page.text
    assert "某培训部" not in page.text + answer.text


async def test_not_found_says_what_it_means_and_what_to_do(site):
    async with visitor(site()) as client:
        page = text_of((await client.get("/search?q=並不存在的名稱")).text)
        answer = (await client.get("/search.json?q=並不存在的名稱")).json()
    assert "截至 2026-11-22 ，在我们的来源中未找到" in page
    for heading in ("none.searched", "none.means", "none.means_not", "none.do"):
        assert wording("zh")[heading] in page
    assert (answer["total"], answer["results"], answer["as_of"]) == (0, [], "2026-11-22")


async def test_an_error_is_never_not_found(site, home, catalogue, monkeypatch):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    assert shelf.reader is not None
    monkeypatch.setattr(shelf.reader.index, "search", lambda *_, **__: 1 / 0)
    async with visitor(app) as client:
        page, answer = await client.get("/search?q=福州"), await client.get("/search.json?q=福州")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "未找到" not in page.text
    assert wording("zh")["problem.search.text"] in page.text
    assert "results" not in answer.json()


@pytest.mark.parametrize("query", ["？？！", "\x00", "a b c d e f g h i j k l m n o p q r s", "培训" * 70])
async def test_what_is_no_question_is_not_answered_with_not_found(site, query):
    async with visitor(site()) as client:
        page = await client.get("/search", params={"q": query})
    assert page.status_code == 400
    assert "未找到" not in page.text


async def test_search_json_gives_ids_within_its_limit(site):
    async with visitor(site()) as client:
        both = (await client.get("/search.json?q=福州&limit=10")).json()
        one = (await client.get("/search.json?q=福州&limit=1")).json()
        notices = (await client.get("/search.json?q=超期收费")).json()["notices"]
    assert {found["id"] for found in both["results"]} == {SWEET, CLOSED}
    assert (len(one["results"]), one["total"]) == (1, both["total"])
    assert [notice["id"] for notice in notices] == [ACTIVE]


async def test_a_hostile_value_is_shown_harmlessly(site):
    async with visitor(site()) as client:
        pages = [
            (await client.get(path)).text
            for path in (
                f"/institutions/{SHADY}",
                "/search?q=恶意",
                "/data",
                "/mingbai/institutions",
                f"/mingbai/institutions/{SHADY}",
                "/search?q=<script>x",
            )
        ]
    for html in pages:
        assert "<script" not in LINKED.sub("", OURS.sub("", html))
        assert "\u202e" not in html
        assert 'href="javascript:' not in html
    assert "&lt;script&gt;" in pages[0]
    assert "长" * 301 not in pages[0]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/institutions/i-222222222222",
        "/notices/x",
        "/mingbai/nothing",
        "/mingbai/institutions/i-2",
        "/_internal",
        "/_memory",
        "/-/threads",
        "/mingbai.db",
        "/static/..%2Fserver.py",
        "/zh",
        "/a//b",
        "/搜索",
    ],
)
async def test_what_is_not_there_is_a_page_of_ours_in_the_visitors_language(site, path):
    async with visitor(site()) as client:
        zh, en = await client.get(path), await client.get(f"/en{path}")
    for answer, lang in ((zh, "zh"), (en, "en")):
        assert answer.status_code == 404
        assert wording(lang)["problem.not_found.title"] in answer.text


@pytest.mark.parametrize("path", ["/nothing.json", "/institutions/i-2.json", "/mingbai/nothing.json", "/mingbai/institutions/i-2.json"])
async def test_an_error_is_json_where_json_was_asked_for(site, path):
    async with visitor(site()) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


async def test_a_bug_is_a_page_that_says_nothing_of_our_insides(site, home, catalogue, caplog):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    assert shelf.reader is not None
    shelf.reader._connection.execute("PRAGMA query_only=0")
    shelf.reader._connection.close()
    async with visitor(app) as client:
        page, answer = await client.get(f"/institutions/{SWEET}"), await client.get(f"/institutions/{SWEET}.json")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "sqlite" not in (page.text + answer.text).lower()
    assert "Cannot operate on a closed database" in caplog.text  # the operator sees it
    assert SWEET not in caplog.text


@pytest.mark.parametrize(
    ("name", "media_type"), [("rss", "application/rss+xml"), ("atom", "application/atom+xml"), ("json", "application/feed+json")]
)
async def test_a_feed_is_as_it_was_made_for_the_release(site, home, name, media_type):
    async with visitor(site()) as client:
        whole = await client.get(f"/feeds/notices.{name}")
        head = await client.head(f"/feeds/notices.{name}")
        same = await client.get(f"/feeds/notices.{name}", headers={"if-none-match": whole.headers["etag"]})
        since = await client.get(f"/feeds/notices.{name}", headers={"if-modified-since": whole.headers["last-modified"]})
        other = await client.get(
            f"/feeds/notices.{name}", headers={"if-none-match": '"x"', "if-modified-since": whole.headers["last-modified"]}
        )
    assert whole.headers["content-type"].split(";")[0] == media_type
    assert whole.content == document(Home(home), form=name)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", whole.headers["content-length"])
    assert (same.status_code, since.status_code, other.status_code) == (304, 304, 200)
    assert same.content == b""


async def test_before_the_first_release_the_site_says_so_and_then_serves_it(site, tmp_path, catalogue):
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    async with visitor(app) as client:
        for path in ("/", "/search?q=x", "/data", "/mingbai/institutions", "/feeds/notices.rss"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert "还没有可以提供的版本" in answer.text
        assert (await client.get("/search.json?q=x")).json()["error"] == "no_release"
        assert (await client.get("/status")).status_code == 200
        assert (await client.get("/status.json")).json()["serving"] is None
        make_release(tmp_path, TODAY, catalogue)
        go_live(tmp_path, TODAY)
        await shelf.refresh()
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/status.json")).json()["serving"]["id"] == TODAY
    shelf.close()


async def test_a_release_that_cannot_be_opened_changes_nothing_and_is_reported(tmp_path, catalogue):
    make_release(tmp_path, TODAY, catalogue)
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    shelf = app.shelf
    broken = make_release(tmp_path, "2026-11-24", catalogue)
    (broken / "mingbai.db").write_bytes(b"not a database" * 100)
    go_live(tmp_path, "2026-11-24")
    await shelf.refresh()
    async with visitor(app) as client:
        assert (await client.get("/")).status_code == 200
        status = (await client.get("/status.json")).json()
    assert status["serving"]["id"] == TODAY
    assert "2026-11-24" in status["problem"]
    assert str(tmp_path) not in json.dumps(status)
    shelf.close()


async def test_every_link_leads_somewhere(site):
    asked: dict[str, int] = {}
    to_ask = ["/en/mingbai/listings?_facet=authority&_size=1", "/", "/en/", "/search?q=福州", "/en/search?q=福州", "/mingbai/notices"]
    async with visitor(site()) as client:
        while to_ask and len(asked) < 200:
            path = to_ask.pop(0)
            if path not in asked:
                answer = await client.get(path)
                asked[path] = answer.status_code
                to_ask += [unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', answer.text)]
    assert {path: status for path, status in asked.items() if status != 200} == {}
    assert any(path.startswith("/en/mingbai/listings?") for path in asked if "_next=" in path or "_sort" in path)


async def test_datasettes_tables_link_by_their_route(site):
    async with visitor(site()) as client:
        table = (await client.get("/mingbai/listings")).text
        found = re.search(rf'href="(/mingbai/institutions/{SWEET})"', table)
        assert found
        assert (await client.get(found[1])).status_code == 200
        assert "列入福州" not in table
        row = (await client.get("/en/mingbai/notice_links.json?_shape=array")).json()
    assert {link["notice_id"] for link in row} >= {ACTIVE, SERIOUS}


async def test_datasette_tells_no_path_of_this_machine(site, home):
    async with visitor(site()) as client:
        for path in ("/-/databases.json", "/-/settings.json", "/-/plugins.json", "/-/metadata.json", "/mingbai.json"):
            answer = await client.get(path)
            assert answer.status_code == 200
            assert str(home) not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",  # for ever
        "select hex(zeroblob(5000000))",
        "select * from institutions where name like '" + "%a" * 1000 + "'",
        "attach database 'x' as y",
        "update institutions set name = 'x'",
        "select * from pragma_database_list where load_extension('x')",
    ],
)
async def test_open_sql_is_bounded_and_changes_nothing(site, sql, capfd):
    async with visitor(site()) as client:
        answer = await client.get("/mingbai.json", params={"sql": sql})
        page = await client.get("/mingbai", params={"sql": sql})
    assert (answer.status_code, page.status_code) == (400, 400)
    assert "recursive" not in capfd.readouterr().err  # what somebody asked is not logged


async def test_no_more_rows_than_allowed(site):
    asked = {"sql": "with recursive n(i) as (select 1 union all select i + 1 from n limit 500) select * from n"}
    async with visitor(site()) as client:
        answer = (await client.get("/mingbai.json", params=asked)).json()
        page = (await client.get("/mingbai", params=asked)).text
        few = (await client.get("/mingbai", params={"sql": "select 1 as one"})).text
    assert (len(answer["rows"]), answer["truncated"]) == (200, True)
    assert ("/mingbai.csv?" in few, "/mingbai.csv?" in page) == (True, False), "a CSV of them is refused"
    assert wording("zh")["sql.truncated.own"].format(n=200) in page


@pytest.mark.parametrize("path", ["/", "/search", "/mingbai/institutions", "/status.json"])
async def test_nothing_can_be_written(site, path):
    async with visitor(site()) as client:
        answer = await client.post(path, content=b"x")
    assert answer.status_code == 405


def test_one_of_a_thing_is_said_as_one():
    assert [say("en", "source.days", n=n) for n in (1, "1", 2, "1,000", 0)] == ["1 day", "1 day", "2 days", "1,000 days", "0 days"]
    assert say("en", "notices.beyond", n=1).startswith("1 was found")
    plural = {key for key, text in wording("en").items() if re.search(r"\{n\} [a-z]+s\b", text)}
    # never of one: five ratings or none are said, a run that was only once says nothing of times, and the others are of 200 and more
    never = {"rating.count", "changes.of_releases", "status.times", "search.cut", "problem.csv_cut"}
    assert plural <= {*never, "sql.truncated.ready", "sql.truncated.own", "sql.truncated.narrow"}


def test_the_two_word_lists_say_the_same_things():
    lists = {lang: wording(lang) for lang in LANGUAGES}
    assert lists["zh"].keys() == lists["en"].keys()
    for key, text in lists["zh"].items():
        assert _holes(text) == _holes(lists["en"][key]), key


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_no_template_holds_a_text_of_its_own():
    env = Environment()
    for path in TEMPLATES.glob("*.html"):
        source = path.read_text("utf-8")
        bare = "".join(value for _, kind, value in env.lex(source) if kind == "data")
        outside = re.sub(r"<[^<>]*>|&[a-z]+;", " ", bare)
        assert not re.search(r"[A-Za-z\u3400-\u9fff]", outside), (path.name, outside)
        said = re.findall(r'(?:title|alt|placeholder|aria-label|value|content)="([^"{]*[A-Za-z\u3400-\u9fff][^"]*)"', bare)
        assert set(said) <= {"width=device-width, initial-scale=1", "light dark", "noindex", "noarchive, unavailable_after: ", "website"}, (
            path.name
        )


def _asked(argument: nodes.Expr) -> Iterator[str]:
    """The keys that an argument of t() can be; one that ends with a dot is the beginning of several."""
    if isinstance(argument, nodes.Const):
        yield str(argument.value)
    elif isinstance(argument, nodes.CondExpr):
        for one in (argument.expr1, argument.expr2):
            yield from _asked(one) if one is not None else ()
    elif isinstance(argument, nodes.Concat):
        yield from (key if key.endswith(".") else f"{key}." for key in _asked(argument.nodes[0]))


def test_every_word_is_used_and_every_used_word_is_there():
    keys = set(wording("zh"))
    asked = {
        "problem.",
        "history.",
        "reconcile.",
        "notices.field.",
        "notices.problem.",
        "feed.silent.",
        "dictionary.",
        "api.",
        "downloads.",
        "glossary.",
    }  # by Pages.problem, views.described (test_history_tables.py), reconcile.py (test_reconcile.py), noticing.py, publish/coverage.py, publish.dictionary (test_described.py), openapi.py, publish.downloads and glossary.py
    for path in TEMPLATES.glob("*.html"):
        for call in Environment().parse(path.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                asked |= set(_asked(call.args[0]))
    others = (
        TEMPLATES.parents[1] / f"{name}.py" for name in ("answering", "citation", "coverage", "datapackage", "dcat", "licence", "schemaorg")
    )
    for path in (*TEMPLATES.parent.glob("*.py"), *others):
        asked |= {key for key in keys if f'"{key}"' in path.read_text("utf-8")}
    for name in ("reviewpage", "reviewtext"):  # the clerk's page, which says only the part after "review."
        text = (TEMPLATES.parents[1] / f"{name}.py").read_text("utf-8")
        asked |= {f"review.{part}" for part in re.findall(r"""say\(f["']((?:\w+\.)+)\{""", text) if part != "review."}
        asked |= {key for key in keys if re.search(rf"""["']{re.escape(key.removeprefix("review."))}["']""", text)}
    assert {word for word in asked if word not in keys and not (word.endswith(".") and any(key.startswith(word) for key in keys))} == set()
    assert {key for key in keys if key not in asked and not any(word.endswith(".") and key.startswith(word) for word in asked)} == set()


def test_serve_answers_stops_when_told_and_writes_no_query_down(home, root):
    program = (
        "import sys; from pathlib import Path; from publish.web.server import serve; "
        "serve(Path(sys.argv[1]), '127.0.0.1', 0, on_ready=lambda url: print(url, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=root
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}search.json?q=secretword") as answer:
            assert json.load(answer)["results"] == []
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{url}nothing?q=secretword")
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(f"{url}mingbai?sql=select+secretword")
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert "secretword" not in out + err
    assert url not in out


async def test_the_release_that_is_served_is_never_written(site, home):
    before = {path: path.read_bytes() for path in (home / "current" / "").resolve().rglob("*") if path.is_file()}
    async with visitor(site()) as client:
        for path in PAGES + TABLES:
            await client.get(path)
    assert {path: path.read_bytes() for path in before} == before
    assert {path for path in (home / "current" / "").resolve().rglob("*") if path.is_file()} == set(before)
    assert sqlite3.connect(f"file:{home / 'current' / 'mingbai.db'}?mode=ro", uri=True).execute("PRAGMA integrity_check").fetchone() == (
        "ok",
    )


def test_the_marks_of_a_release_are_in_its_rows():
    assert "旧" in rows("旧")["institutions"][0]["name"]


HELD_SINCE = "2026-11-20"


@pytest.fixture(scope="module")
def held_home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """A release in which one county of the platform is held, and the platform says the same for three weeks under a new day."""
    home = tmp_path_factory.mktemp("held")
    tables = {**rows("标记")}
    folder = make_release(home, TODAY, catalogue, tables=tables)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sources"] = [{"id": "platform", "content_since": "2026-11-01"}]
    manifest["held"] = [
        {"source": "platform", "table": table, "region": "350102", "since": HELD_SINCE, "bound": "partition_lost"}
        for table in ("institutions", "notices")
    ]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    go_live(home, TODAY)
    return home


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("", f"来源自 {HELD_SINCE} 起提供的该地区数据异常减少或改变"),
        ("/en", f"Since {HELD_SINCE} the source has suddenly cut this region short"),
    ],
)
async def test_what_is_held_is_marked_wherever_it_is_shown_and_nothing_else_is(site, held_home, lang, words):
    async with visitor(site(home=held_home)) as client:
        for path in (f"/institutions/{SWEET}", f"/notices/{ACTIVE}", "/search?q=甜果", "/"):
            assert words in text_of((await client.get(lang + path)).text), path
        for path in (f"/institutions/{TONG}", f"/notices/{UNLINKED}", "/search?q=同学堂"):
            assert words not in text_of((await client.get(lang + path)).text), path
        for path in ("/data/about/institutions", "/status"):
            page = text_of((await client.get(lang + path)).text).replace(" ", "")
            assert ("福建省福州市鼓楼区（自2026-11-20起）" if not lang else "(since2026-11-20)") in page, path
        assert (await client.get(f"/institutions/{SWEET}.json")).json()["held_since"] == HELD_SINCE
        assert (await client.get(f"/notices/{ACTIVE}.json")).json()["held_since"] == HELD_SINCE
        assert (await client.get("/search.json?q=甜果")).json()["results"][0]["held_since"] == HELD_SINCE
        serving = (await client.get("/status.json")).json()["serving"]
        assert [row["region"] for row in serving["held"]] == ["350102", "350102"]


@pytest.mark.parametrize("lang", ["", "/en"])
@pytest.mark.parametrize("path", [*PAGES, "/institutions/nowhere", "/mingbai/institutions"])
async def test_every_page_says_that_a_source_stands_still_and_that_a_region_is_held(site, held_home, path, lang):
    async with visitor(site(home=held_home)) as client:
        page = text_of((await client.get(lang + path)).text)
    assert ("有 2 个来源超过预期时间没有新内容" if not lang else "Sources without new content for longer than expected: 2") in page
    assert ("部分地区暂停更新" if not lang else "Some regions are not updated for now") in page


async def test_a_source_is_stale_from_the_day_after_three_intervals_without_new_content(site, held_home):
    for day, stale in ((4, False), (5, True)):
        async with visitor(site(now=datetime(2026, 11, day, 4, tzinfo=UTC), home=held_home)) as client:
            serving = (await client.get("/status.json")).json()["serving"]
            assert {source["id"]: source["is_stale"] for source in serving["sources"]}["platform"] == stale
            assert ("platform" in serving["stale_sources"]) == stale


async def test_nothing_is_marked_where_nothing_is_held(site):
    async with visitor(site()) as client:
        for path in PAGES:
            page = text_of((await client.get(path)).text)
            assert "部分地区暂停更新" not in page, path
            assert "异常减少或改变；" not in page, path
