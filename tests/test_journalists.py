"""What the site tells who works with its data: a page for each dataset, Datasette's tables in words, and the status of sources and runs."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import httpx
import pytest

from described_release import make
from publish.catalogue import Catalogue, dictionary
from publish.web import tablesearch
from publish.web.server import Application, build_app
from publish.wording import LANGUAGES, wording
from web_release import ACTIVE, HOSTILE, PERSON, SWEET, TODAY, TONG, go_live, make_release, write_past
from web_visitor import visitor

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
BEFORE = "2026-11-22"
ROWS_BEFORE = {"institutions": 3, "institution_aliases": 7, "notices": 1}
RAW = "原文13800000000"
KNOWN = [
    {"table": "institutions", "column": "opened_on", "kind": "bad_value", "count": 1234},
    {"table": "institutions", "column": None, "kind": "set_aside", "count": 5},
    {"table": "permits", "column": "valid_until", "kind": "bad_value", "count": 6},
]
NOT_TOLD = [
    {"table": "institutions", "column": "phone", "kind": "bad_value", "count": 97531},
    {"table": "institutions", "column": None, "kind": RAW, "count": 97531},
    {"table": RAW, "column": None, "kind": "set_aside", "count": 97531},
]
STATUS = {
    "live": TODAY,
    "last_run": {"at": "2026-11-23T03:00:00Z", "outcome": "ReviewNeeded", "reason": "a change is held", "detail": RAW},
    "runs": [
        {"first": "2026-11-22T01:00:00Z", "last": "2026-11-23T03:00:00Z", "times": 9, "outcome": "ReviewNeeded", "reason": "held", "release": None, "found": RAW},
        {"first": "2026-11-21T01:00:00Z", "last": "2026-11-21T01:00:00Z", "times": 1, "outcome": "released", "reason": f"release {TODAY}", "release": TODAY},
        {"first": "2026-11-20T01:00:00Z", "last": "2026-11-20T01:00:00Z", "times": 1, "outcome": HOSTILE, "reason": HOSTILE, "release": HOSTILE},
        {"first": RAW, "last": None, "times": RAW, "outcome": RAW, "reason": RAW, "release": RAW},
    ],
    "waiting": [
        {"source": "platform", "table": "notices", "bound": "total_adverse_added", "since": "2026-11-22T01:00:00Z", "subject": RAW, "digest": "0123456789abcdef"},
        {"source": None, "table": None, "bound": "restores", "since": "2026-11-22T01:00:00Z"},
    ],
    "sources": {"platform": {"last_checked": "2026-11-23T03:00:00Z", "content_since": "2026-11-20", "address": RAW}},
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """Two releases, of which the newer one has files to take away, something that could not be read, and a source with an evil name."""
    home = tmp_path_factory.mktemp("home")
    make_release(home, BEFORE, catalogue, mark="旧")
    evil = f"</script><script>alert(1)</script>{HOSTILE}".replace("'", "''")
    make(home, catalogue, (f"UPDATE sources SET label_zh = '{evil}', label_en = NULL WHERE id = 'second'",))
    path = home / "releases" / TODAY / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["known_issues"] = [*KNOWN, *NOT_TOLD]
    manifest["sources"] = [
        {"id": "platform", "content_since": "2026-11-20", "tables": ["documents", "institutions", "listings", "notices", "ratings"]},
        {"id": "second", "content_since": "2026-10-31", "tables": ["institutions"]},
        {"id": "slow", "content_since": "2026-01-31", "tables": ["listings"]},
    ]
    manifest["held"] = [{"source": "platform", "table": "notices", "region": "350203", "since": "2026-11-21", "bound": "partition_lost"}]
    step = {"table": "institutions", "kind": "rows_added", "rows": 1}
    manifest["versions"] = {"institutions": {"version": "2.5.1", "from": "2.5.0", "bump": "minor", "because": [step]}}
    path.write_text(json.dumps(manifest))
    write_past(home, catalogue, BEFORE, TODAY)
    index = [
        {"id": BEFORE, "released_on": BEFORE, "tables": ROWS_BEFORE},
        {"id": TODAY, "released_on": TODAY, "tables": manifest["tables"]},
    ]
    (home / "releases.json").write_text(json.dumps({"live": TODAY, "releases": index}))
    (home / "status.json").write_text(json.dumps(STATUS))
    go_live(home, TODAY)
    return home


@pytest.fixture(scope="module")
def site(home: Path, catalogue: Catalogue) -> Iterator[Application]:
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: NOON)
    yield app
    app.shelf.close()


async def ask(site: Application, path: str, **params: str) -> httpx.Response:
    async with visitor(site) as client:
        return await client.get(path, params=params or None)


def text_of(html: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


# -- a dataset ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
async def test_each_dataset_has_a_page_that_describes_every_published_column_and_no_other(site, catalogue, lang):
    prefix = "" if lang == "zh" else "/en"
    overview = (await ask(site, f"{prefix}/data")).text
    pages = {}
    for name, declared in catalogue.datasets.items():
        assert f'href="{prefix}/data/about/{name}"' in overview
        answer = await ask(site, f"{prefix}/data/about/{name}")
        pages[name] = answer.text
        assert (answer.status_code, len(re.findall("<h1>", answer.text))) == (200, 1)
        assert vars(declared.about)[lang] in text_of(answer.text)
    for table in catalogue.tables.values():
        page = pages[table.dataset]
        for column in table.columns.values():
            assert (f"<code>{column.name}</code>" in page) or not column.published, column.name
            assert not column.codes or not column.published or f'href="#codes-{column.codes}"' in page
        assert f"<code>{table.name}</code>" in page
    assert "legal_representative" not in "".join(pages.values())
    masked = wording(lang)["data.privacy.masked"]
    assert [name for name, page in pages.items() if masked in page] == sorted(
        {table.dataset for table in catalogue.tables.values() if any(column.privacy == "masked" for column in table.published)},
        key=list(pages).index,
    )


async def test_every_example_on_a_page_has_an_answer(site, catalogue):
    async with visitor(site) as client:
        for name in catalogue.datasets:
            page = (await client.get(f"/data/about/{name}")).text
            links = re.findall(r'<dd><a href="([^"]+)"><code>([^<]+)</code>', page)
            assert len(links) >= 5, name
            for link, shown in links:
                assert shown == f"http://site.example{link}"
                answer = await client.get(unescape(link))
                assert (answer.status_code, len(answer.content) > 2) == (200, True), link
                assert "csv" in link or answer.json(), link
                assert "csv?region" not in link or len(answer.text.splitlines()) > 1, f"{link} finds nothing"


async def test_rows_over_time_are_those_that_each_release_had_when_it_was_published(site):
    said = (await ask(site, "/data/about/institutions.json")).json()
    counts = {table["name"]: table["rows"] for table in said["tables"]}
    assert [(row["release"], row["rows"].get("institutions")) for row in said["rows_over_time"]] == [(BEFORE, 3), (TODAY, 4)]
    assert said["rows_over_time"][1]["rows"] == counts
    page = (await ask(site, "/en/data/about/institutions")).text
    assert len(re.findall('<rect class="level"', page)) == 2
    for release, rows in ((BEFORE, 3), (TODAY, 4)):
        assert re.search(
            rf'href="/en/changes\?release={release}&amp;dataset=institutions">{release}</a></th><td class="n">{rows}</td>', page
        )
    assert '<td class="n">7</td>' in page


async def test_rows_of_today_stand_beside_those_as_published_where_something_has_ended_since(home, catalogue):
    app = build_app(home, dictionary=dictionary(catalogue), now=lambda: datetime(2027, 12, 1, 4, tzinfo=UTC))
    said = (await ask(app, "/data/about/notices.json")).json()
    app.shelf.close()
    notices = next(table for table in said["tables"] if table["name"] == "notices")
    assert notices["rows"] < notices["rows_as_published"] == said["rows_over_time"][-1]["rows"]["notices"]


async def test_known_issues_are_numbers_of_tables_and_columns_that_are_published_and_nothing_else(site):
    said = (await ask(site, "/data/about/institutions.json")).json()["known_issues"]
    assert said == KNOWN
    for path in ("/data/about/institutions", "/en/data/about/institutions", "/data/about/institutions.json", "/data/about/notices"):
        text = (await ask(site, path)).text
        assert (RAW in text, "97531" in text or "97,531" in text, "phone" in text) == (False, False, False), path
    page = text_of((await ask(site, "/data/about/institutions")).text)
    assert "读不出的值，按空值处理 机构 · 设立日期 opened_on 1,234" in page
    notices = text_of((await ask(site, "/en/data/about/notices")).text)
    assert "Xiamen" in notices
    assert "not updated since 2026-11-21 (Region - rows lost)" in notices
    then = text_of((await ask(site, f"/data/about/institutions?as_of={BEFORE}")).text)
    assert wording("zh")["known.unsaid"] in then  # which is not that nothing was wrong


async def test_a_dataset_names_the_sources_that_fill_it(site):
    for name, sources in (("institutions", ["platform", "second"]), ("listings", ["platform", "slow"]), ("notice_links", [])):
        assert (await ask(site, f"/data/about/{name}.json")).json()["sources"] == sources
    assert wording("zh")["dataset.no_source"] in (await ask(site, "/data/about/notice_links")).text


async def test_a_dataset_is_cited_as_such_and_machines_are_told(site):
    page = (await ask(site, "/data/about/institutions")).text
    assert f"/data/about/institutions?as_of={TODAY}" in page
    assert page.count("@dataset{") == page.count(f"@dataset{{mingbai-{TODAY}-institutions,") == 1
    said = json.loads(re.search(r'<script type="application/ld\+json">([^<]*)</script>', page)[1])
    assert (said["@type"], said["@id"]) == ("Dataset", f"http://site.example/data/{TODAY}/#institutions")
    assert "<script>alert" not in page
    assert "2.5.1" in text_of(page)
    for file in ("institutions.csv", "institutions.xlsx", "permits.parquet"):
        assert f'href="/data/{TODAY}/{file}"' in page


async def test_as_of_then_a_dataset_is_what_it_was_and_gives_no_file_of_now(site):
    said = (await ask(site, f"/data/about/institutions.json?as_of={BEFORE}")).json()
    assert (said["release"], said["version"], [row["release"] for row in said["rows_over_time"]]) == (BEFORE, None, [BEFORE])
    page = (await ask(site, f"/data/about/institutions?as_of={BEFORE}")).text
    assert ('id="files"' in page, 'id="programs"' in page, f"/data/{TODAY}/" in page) == (False, False, False)
    now = await ask(site, f"/data/about/institutions?as_of={TODAY}")
    assert (now.status_code, 'id="programs"' in now.text) == (200, True)


@pytest.mark.parametrize("lang", ["", "/en"])
@pytest.mark.parametrize(
    ("path", "status", "said"), [("nothing", 404, "institutions, listings"), ("institutions?x=1", 400, "as_of"), ("Institutions", 404, "")]
)
async def test_a_dataset_that_is_not_there_is_answered_with_those_that_are(site, lang, path, status, said):
    answer = await ask(site, f"{lang}/data/about/{path}")
    assert (answer.status_code, said in answer.text) == (status, True)


# -- Datasette's tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["", "/en"])
async def test_a_table_is_searched_in_chinese_in_every_form(site, lang):
    page = await ask(site, f"{lang}/mingbai/institutions", _search="甜果")
    assert (page.status_code, SWEET in page.text, TONG in page.text) == (200, True, False)
    assert 'value="甜果"' in page.text
    assert f"{lang}/search?q=%E7%94%9C%E6%9E%9C" in page.text
    assert [row["id"] for row in (await ask(site, f"{lang}/mingbai/institutions.json", _search="tianguo", _shape="array")).json()] == [
        SWEET
    ]
    rows = (await ask(site, f"{lang}/mingbai/institutions.csv", _search="甜果", _stream="on")).text.splitlines()
    assert (len(rows), rows[1].startswith(SWEET)) == (2, True)
    notices = (await ask(site, f"{lang}/mingbai/notices.json", _search="超期收费", _shape="array")).json()
    assert [row["id"] for row in notices] == [ACTIVE]
    none = await ask(site, f"{lang}/mingbai/institutions", _search="甜果", region_code="350203")
    assert wording("zh" if not lang else "en")["table.none"] in none.text  # together with a filter


async def test_a_search_of_the_table_finds_no_person_that_the_site_does_not(site):
    for words in ("张某", "无证办学"):
        found = (await ask(site, "/mingbai/notices.json", _search=words, _shape="array")).json()
        assert PERSON not in [row["id"] for row in found]


async def test_more_than_a_table_shows_is_said(site, monkeypatch):
    monkeypatch.setattr(tablesearch, "MOST", 1)
    page = text_of((await ask(site, "/mingbai/institutions", _search="福州")).text)
    assert wording("zh")["table.search_cut"].format(n=1) in page


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("path", "query", "kind"),
    [
        ("mingbai/listings", {"_search": "甜果"}, "no_table_search"),
        ("mingbai/institutions", {"_search_name": "甜果"}, "no_table_search"),
        ("mingbai/institutions", {"_search": "甜果", "_fts_table": "institutions"}, "no_table_search"),
        ("history/institutions_as_of", {"_search": "甜果"}, "no_table_search"),
        ("mingbai/institutions", {"_search": "。"}, "no_question"),
        ("mingbai/notices", {"_search": "("}, "not_understood"),
    ],
)
async def test_what_cannot_be_searched_is_refused_and_never_answered_with_every_row(site, lang, path, query, kind):
    prefix = "" if lang == "zh" else "/en"
    page = await ask(site, f"{prefix}/{path}", **query)
    assert (page.status_code, wording(lang)[f"problem.{kind}.title"] in page.text) == (400, True)
    said = await ask(site, f"{prefix}/{path}.json", **query)
    assert (said.status_code, said.json()["error"]) == (400, kind)


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("", ("白名单", "福建省福州市鼓楼区", "全国平台（2026-11-23）")),
        ("/en", ("White list", "Gulou, Fuzhou, Fujian", "National platform (2026-11-23)")),
    ],
)
async def test_codes_regions_and_references_are_shown_by_their_names(site, lang, words):
    for path in (f"{lang}/mingbai/listings", f"{lang}/mingbai/listings/l-aaaaaaaaaaa2"):
        page = (await ask(site, path)).text
        for word in words[:2]:
            assert f'{word} <span class="code">' in page, (path, word)
    page = (await ask(site, f"{lang}/mingbai/listings")).text
    assert f'<a href="{lang}/mingbai/sources/platform">{words[2]}</a> <span class="code">platform</span>' in page
    assert f'<a href="{lang}/mingbai/institutions/{SWEET}">福州市鼓楼区甜果培训中心有限公司' in page
    facets = text_of((await ask(site, f"{lang}/mingbai/listings", _facet="list")).text)
    assert f"{words[0]} 1" in facets
    then = (await ask(site, f"{lang}/history/listings_as_of", release=TODAY)).text
    assert f'{words[0]} <span class="code">white</span>' in then


# -- the status --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("", ("2026-11-23 11:00 UTC+8", "2026-11-20", "1 天", "公告：全部：黑名单类记录增加；自 2026-11-22 09:00 UTC+8 起", "（自 2026-11-22 09:00 UTC+8 起 9 次", "福建省厦门市思明区：自 2026-11-21 起暂停更新", "未完成")),
        ("/en", ("2026-11-23 11:00 UTC+8", "2026-11-20", "1 day", "Whole source - added to the black lists; since 2026-11-22 09:00 UTC+8", "(9 times since 2026-11-22 09:00 UTC+8", "not updated since 2026-11-21", "not finished")),
    ],
)  # fmt: skip
async def test_the_status_says_of_each_source_how_fresh_it_is_and_what_waits_since_when(site, lang, words):
    page = text_of((await ask(site, f"{lang}/status")).text)
    for word in words:
        assert re.sub(r"\s", "", word) in re.sub(r"\s", "", page), word
    assert f'href="{lang}/changes?release={TODAY}"' in (await ask(site, f"{lang}/status")).text


@pytest.mark.parametrize("path", ["/status", "/en/status", "/status.json"])
async def test_the_status_tells_what_is_named_and_nothing_else_of_its_file(site, path):
    text = (await ask(site, path)).text
    assert (RAW in text, "0123456789abcdef" in text, "<script>alert" in text and not path.endswith("json")) == (False, False, False)


async def test_the_status_as_json_says_the_same(site):
    said = (await ask(site, "/status.json")).json()["status"]
    assert [run["times"] for run in said["runs"]] == [9, 1, 1]  # the fourth is none
    assert [(one["source"], one["table"], one["bound"]) for one in said["waiting"]] == [
        ("platform", "notices", "total_adverse_added"),
        (None, None, "restores"),
    ]
    assert said["sources"] == {"platform": {"last_checked": "2026-11-23T03:00:00Z", "content_since": "2026-11-20"}}


@pytest.mark.parametrize("broken", [b"", b"[]", b"{", b'{"runs": 1, "waiting": [1], "sources": [], "last_run": "x"}'])
async def test_a_status_that_cannot_be_read_is_no_error(home, catalogue, tmp_path, broken: bytes):
    (tmp_path / "status.json").write_bytes(broken)
    for name in ("releases", "past", "feeds", "releases.json"):
        (tmp_path / name).symlink_to(home / name)
    go_live(tmp_path, TODAY)
    app = build_app(tmp_path, dictionary=dictionary(catalogue), now=lambda: NOON)
    page, said = await ask(app, "/status"), await ask(app, "/status.json")
    app.shelf.close()
    assert (page.status_code, wording("zh")["status.no_last"] in page.text, said.status_code) == (200, True, 200)
