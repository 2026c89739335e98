"""Every document of every feed is held against the rules of other people's validators, whatever the sources have written in it."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import feedparser
import pytest
from jsonschema import Draft202012Validator, FormatChecker

import test_browser
from fed import served
from feed_rules import ATOM, JSON_FEED, OPML, RSS, WARNINGS, errors, findings
from making import deliver, notice, on, world
from publish.catalogue import Catalogue, dictionary
from publish.feedfile import feedfile
from publish.home import Home
from publish.web.server import build_app
from tab import serving
from test_feeds_web import HUB, NOON, RELEASES, SITE, _tables, visiting
from web_release import ACTIVE, SHADY, SWEET, TODAY, go_live, make_release, write_index, write_past

LATER = datetime(2026, 11, 24, tzinfo=UTC)
# What a validator warns of in what we write, and why it stays: extensions that it does not know; what one release changed, changed at one time.
KNOWN_WARNINGS = {"UnknownNamespace", "DuplicateUpdated"}
LONG = "长" * 100_000
HOSTILE = {
    "controls": "甲\x00乙\x01\x0b\x1f\x7f\x85\x9f丙\r\n丁\t戊",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>点</a>",
    "cdata": "甲 ]]> 乙 <![CDATA[ 丙 ]]]]><![CDATA[> <!-- 丁 --> <?php ?> <!DOCTYPE x>",
    "entities": "A&1 AT&amp;T &lt;b&gt; &nbsp &#60;script&#62; &alpha 甲&乙 &x;",
    "emoji": "👩‍👩‍👧‍👦 🇨🇳 \U0001f9d1🏽‍🏫 e\u0301",
    "directions": "\u202e名称\u202c \u2066a\u2069 \u200f右\u200e",
    "non-characters": "\ufffe\uffff\ufdd0\U0010ffff",
    "lone \ufffd": "\ufffd",
    "long": LONG,
    "blank": " \t\n ",
    "mail": "<nobody@mail.example> nobody@mail.example",
}
ADDRESSES = {
    "brackets": "https://platform.example/决定书[1].pdf",
    "percent": "https://platform.example/100%.pdf?a=%zz&b=%E5",
    "script": "javascript:alert(1)",
    "host": "https://教育局.例子/文件",
    "quotes": "https://platform.example/\"'<>`{}|^\\ x",
    "nothing": "https://",
    "twice": "https://platform.example/a#b#c",
    "port": "https://platform.example:99999999/",
}


def hostile_rows() -> dict[str, list[dict[str, Any]]]:
    """A notice for each text and each address, with the text wherever a source's text can be."""
    pattern = {**_tables(1)["notices"][0]}
    notices, documents, statements = [], [], []
    for n, text in enumerate(HOSTILE.values()):
        said = {
            name: text if name == "facts" else text[:2_000]
            for name in (
                "title",
                "subject_name",
                "authority",
                "facts",
                "penalty_text",
                "document_no",
                "region_text",
                "violation_text",
                "fine_text",
            )
        }
        notices.append(
            {**pattern, **said, "id": f"n-hostile{n}", "decided_on": "2026-11-18", "document_id": f"d-hostile{n}", "violation_type": None, "fine_fen": None}
        )  # fmt: skip
        documents.append(
            {"id": f"d-hostile{n}", "source_id": "platform", "kind": "decision", "title": text[:2_000], "url": f"https://platform.example/{text[:500]}", "as_of": "2026-11-18"}
        )  # fmt: skip
        statements.append(
            {"notice_id": f"n-hostile{n}", "number": 1, "kind": "reply", "said_by": text[:2_000], "said_on": "2026-11-18", "text": text, "document": text[:2_000], "recorded_on": "2026-11-19"}
        )  # fmt: skip
    for n, url in enumerate(ADDRESSES.values()):
        notices.append({**pattern, "id": f"n-address{n}", "decided_on": "2026-11-18", "document_id": f"d-address{n}", "document_no": None})
        documents.append(
            {"id": f"d-address{n}", "source_id": "platform", "kind": "decision", "title": url, "url": url, "as_of": "2026-11-18"}
        )
    return {"notices": notices, "documents": documents, "notice_statements": statements}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    for number, id in enumerate(RELEASES):
        tables = _tables(number)
        if number:
            for name, rows in hostile_rows().items():
                tables[name] += rows
        make_release(home.path, id, catalogue, tables=tables)
    write_past(home.path, catalogue, *RELEASES)
    write_index(home.path, *RELEASES)
    go_live(home.path, TODAY)
    feedfile(home, catalogue, home.path / "releases" / TODAY, TODAY, SITE, (HUB,))
    return home


@pytest.fixture(scope="module")
def app(home: Home, catalogue: Catalogue) -> Iterator[Any]:
    made = build_app(home.path, dictionary=dictionary(catalogue), now=lambda: NOON, base_url=SITE, hubs=(HUB,))
    with closing(made.shelf):
        yield made


def documents(home: Home) -> list[str]:
    """Paths below /feeds/, without their form: every feed that has told something, its archives, empty ones, an institution's, searches."""
    feeds = served(home, "SELECT feed, last FROM feeds ORDER BY feed")
    assert len(feeds) > 40
    feeds = [
        (feed, last) for feed, last in feeds if "/region/" not in feed or feed.endswith(("350102", "350203"))
    ]  # those above say the same
    archives = [f"{feed}/archive/{page}" for feed, last in feeds for page in range(1, last // 100 + 1)]
    assert any(archive.startswith("records/region") for archive in archives)
    return [feed for feed, _ in feeds] + archives + [
        "notices/region/440000", "notices/violation/safety", f"institutions/{SWEET}", f"institutions/{SHADY}", "institutions/i-newcomer",
        "records?q=%E6%94%B6%E8%B4%B9", "notices?q=n-many", "notices?region=350203&kind=penalty", "records?q=%22%3Cb%3E+%E6%94%B6%22", f"records?q={'a' * 200}", "records?q=e%CC%81+%C3%A9&authority=e%CC%81",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["atom", "rss"])
async def test_every_document_passes_the_rules_of_the_w3c_validator(home, app, form):
    found, told_of_stones = {}, {}
    async with visiting(app) as client:
        for key in documents(home):
            path, mark, query = key.partition("?")
            answer = await client.get(f"/feeds/{path}.{form}{mark}{query}")
            assert answer.status_code == 200, key
            address = answer.url.copy_with(host="mingbai.example", scheme="https")
            found[key] = findings(answer.content, str(address), answer.headers["content-type"], LATER)
            told_of_stones[key] = "<at:deleted-entry" in answer.text or "<mb:deleted" in answer.text
            if key.count("/") < 2:  # those of a facet hold the same entries, and it takes its time
                read = feedparser.parse(answer.content)
                assert not read.bozo, (key, read.bozo_exception)
    assert {key: errors(one) for key, one in found.items() if errors(one)} == {}
    assert {key for key, one in found.items() if one["UnknownNamespace"] > 1} == {key for key in found if told_of_stones[key]}
    assert {key: warned for key, one in found.items() if (warned := one.keys() - KNOWN_WARNINGS)} == {}


async def test_every_document_is_a_json_feed(home, app):
    judge = Draft202012Validator(JSON_FEED, format_checker=FormatChecker())
    async with visiting(app) as client:
        for key in (*documents(home), "records/since/0", "notices/since/100"):
            path, mark, query = key.partition("?")
            answer = await client.get(f"/feeds/{path}.json{mark}{query}")
            feed = answer.json()
            assert [f"{key}: {error.json_path} {error.message[:200]}" for error in judge.iter_errors(feed)] == []
            assert answer.headers["content-type"].startswith("application/feed+json")
            ids = [item["id"] for item in feed["items"]]
            assert len(set(ids)) == len(ids)
            assert "about" in feed["_mingbai"], "custom objects say what they are about"


@pytest.mark.parametrize(
    "path", ["/feeds.opml", "/en/feeds.opml", "/feeds/notices.opml", "/feeds/releases.opml", "/feeds/region/350102.opml"]
)
async def test_the_list_of_feeds_passes_them_too(app, path):
    async with visiting(app) as client:
        answer = await client.get(path)
    assert findings(answer.content, f"{SITE}{path}", answer.headers["content-type"], LATER) == {}


BROKEN = {
    ATOM: [
        ("", "<!DOCTYPE feed>", "InvalidDoctype"), ("</feed>", "", "SAXError"), ("<id>tag:mingbai.example,2026:", "<id>tag:mingbai:", "InvalidTAG"), ("<author>", "<author><email>x</email>", "UndefinedElement"),
        ("<title>", "<title/><title>", "DuplicateElement"), ('rel="self"', 'rel="via"', "MissingSelf"), (".atom\" rel=\"self\"", '.rss" rel="self"', "SelfDoesntMatchLocation"), ("<fh:archive/>", "<fh:complete/>", "FeedRelInCompleteFeed"),
        ('rel="current"', 'rel="via"', "MissingCurrentInArchive"), ('rel="related"', 'rel="next-archive"', "FeedHistoryRelInEntry"), ('rel="related"', 'rel="friend"', "UnregisteredAtomLinkRel"), ("</feed>", "<title>x</title></feed>", "MisplacedMetadata"),
        ("<updated>2026", "<updated>2036", "ImplausibleDate"), ("+00:00</updated>", "</updated>", "InvalidRFC3339Date"), ("<category ", "<kategorie ", "UndefinedElement"), ("<link ", "<link hreef='x' ", "UnexpectedAttribute"), ("</entry>", "x</entry>", "UnexpectedText"),
        ('rel="hub"', 'rel="alternate" type="text/html"', "DuplicateAtomLink"), ("</title>", "&lt;/b&gt;</title>", "ContainsHTML"), ("</title>", "&amp;nbsp;</title>", "ContainsHTML"), ("</title>", "\x85</title>", "BadCharacters"), ("https://mingbai.example/notices", "//x/notices", "ContainsRelRef"),
        ("https://mingbai.example/notices", "https://x/[1]", "InvalidFullLink"), ("&lt;dd&gt;", "&lt;dd onclick='x'&gt;", "SecurityRiskAttr"), ("&lt;/dd&gt;", "", "NotHtml"), ("&lt;dd&gt;", "&lt;dd&gt;&lt;script&gt;&lt;/script&gt;", "SecurityRisk"),
        ('xmlns:fh="', 'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:fh="', "AvoidNamespacePrefix"), ('category term="', 'category name="', "UnexpectedAttribute"), ('ref="tag:mingbai.example,2026', 'ref="tag:x', "InvalidTAG"), ('type="html"', 'type="text/html"', "InvalidTextType"),
    ],
    RSS: [
        ('version="2.0"', 'version="2"', "InvalidRSSVersion"), ('isPermaLink="false"', "", "InvalidPermalink"), ("<guid", "<id", "SAXError"), ("+0000", "CEST", "InvalidRFC2822Date"), (">Sat,", ">Sun,", "IncorrectDOW"), ("<language>zh-CN", "<language>chinese", "InvalidLanguage"),
        ("</channel>", "<language>zh-CN</language></channel>", "DuplicateElement"), ("</channel>", "<atom:link rel='via' href='https://x/'/></channel>", "MisplacedItem"), ("</item>", "<author>x</author></item>", "UndefinedElement"), ("<description>", "<dc:title>", "SAXError"),
        ("notices/n-many128</guid>", "notices/n-many129</guid>", "DuplicateValue"), ("<title>", "<title>&lt;b", "CharacterData"), ("</channel>", "<mb/></channel>", "UndefinedElement"), ("<category>", "<category> </category><category>", "NotBlank"),
    ],
    OPML: [("2.0", "3.0", "InvalidOPMLVersion"), (' text="', ' name="', "MissingAttribute"), ('type="rss" ', "", "MissingOutlineType"), ("zh-CN", "chinese", "InvalidLanguage"), ("https://mingbai.example/feeds/notices.atom", "/feeds/notices.atom", "InvalidFullLink")],
}  # fmt: skip


async def test_the_rules_find_what_breaks_them(home, app):
    """A rule that cannot fail says nothing: each of these is one change to a document in which nothing is found."""
    async with visiting(app) as client:
        paths = {
            ATOM: ["/feeds/corrections.atom", "/feeds/records/archive/1.atom", "/feeds/notices.atom"],
            RSS: ["/feeds/corrections.rss", "/feeds/notices.rss"],
            OPML: ["/feeds.opml"],
        }
        for kind, several in paths.items():
            answers = [await client.get(path) for path in several]
            for old, new, name in BROKEN[kind]:
                text = next(answer for answer in answers if old in answer.text)
                broken = text.text.replace(old, new) if old else text.text.replace("?>\n", f"?>\n{new}", 1)
                found = findings(broken.encode(), f"{SITE}{text.url.path}", text.headers["content-type"], LATER)
                assert name in found, (name, old, found)
                assert name in WARNINGS or name in errors(found)


async def test_a_hostile_text_is_shown_as_a_text_and_nothing_of_it_is_lost(app):
    async with visiting(app) as client:
        feed = (await client.get("/feeds/notices/since/0.json")).json()
    said = {item["id"].rpartition("/")[2]: item for item in feed["items"]}
    number = {name: f"n-hostile{n}" for n, name in enumerate(HOSTILE)}
    assert "<script>alert(1)</script>" in said[number["markup"]]["content_text"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in said[number["markup"]]["content_html"]
    assert LONG in said[number["long"]]["content_text"]
    assert all(len(item["title"]) < 300 for item in said.values()), "a title is for reading"
    assert "＜script＞" in said[number["markup"]]["title"]
    assert HOSTILE["emoji"] in said[number["emoji"]]["title"]
    assert json.dumps(feed).count("\\u202e") == 0
    assert ACTIVE not in said, "the first import of a source alarms nobody"


async def test_an_editor_sees_in_the_title_what_is_disputed(app):
    """Whoever reads nothing but titles must not take a notice that is disputed for one that is not."""
    async with visiting(app) as client:
        titles = [item["title"] for item in (await client.get("/feeds/records/since/0.json")).json()["items"]]
    assert "〔有异议〕风险提示：思明区某托管班（福州市鼓楼区教育局）" in titles
    assert "行政处罚：福州市鼓楼区甜果培训中心有限公司：罚款 12,000 元、责令改正（福州市鼓楼区教育局）" in titles


async def test_a_hostile_text_that_comes_through_a_run_leaves_every_feed_valid(work, catalogue):
    """What gets through is the run's to say; of that nothing may break a feed."""
    notices = [
        notice(n, facts=text, title=text[:200], subjectName=f"{text[:40]}培训中心", authority=f"西湖区{text[:20]}教育局", decidedOn="2026-10-30")
        for n, text in enumerate(HOSTILE.values(), 2)
    ]  # fmt: skip
    deliver(work, {**world(), "notices": [notice(1)]}, 0)
    deliver(work, {**world(), "notices": [notice(1), *notices]}, 1)
    told = served(work.home, "SELECT feed FROM feeds WHERE last > 0 ORDER BY feed")
    assert len(told) > 10
    made = build_app(work.home.path, dictionary=dictionary(catalogue), now=lambda: on(work, 1).now, base_url=work.site)
    with closing(made.shelf):
        async with visiting(made) as client:
            for (feed,) in told:
                for form in ("atom", "rss"):
                    answer = await client.get(f"/feeds/{feed}.{form}")
                    found = findings(answer.content, f"{work.site}{answer.url.path}", answer.headers["content-type"], LATER)
                    assert found.keys() <= KNOWN_WARNINGS, (feed, form, found)
            shown = (await client.get("/feeds/notices.json")).json()["items"]
    assert len(shown) > 3


# -- in a browser ------------------------------------------------------------------------------------------------------

tab = test_browser.tab


@pytest.fixture(scope="module")
def url(home: Home, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, root: Path) -> Iterator[str]:
    """A server over the home, whose documents know it by its address."""
    there = Home(tmp_path_factory.mktemp("served") / "home")
    shutil.copytree(home.path, there.path, symlinks=True)
    with serving(there.path, root, NOON) as address:
        feedfile(there, catalogue, there.path / "releases" / TODAY, TODAY, address)
        time.sleep(2)  # it looks once a second
        yield address


@pytest.mark.browser
@pytest.mark.parametrize(
    "path",
    [
        "/feeds/notices", "/en/feeds/records", "/feeds?authority=script", "/feeds/notices.atom", "/feeds/notices.rss", "/feeds/notices.json", "/feeds/records.atom?q=%22%3Cscript%3E%22",
        "/feeds/records/archive/1.atom", f"/feeds/institutions/{SHADY}.rss", "/feeds.opml", "/notices/n-hostile1",
    ],
)  # fmt: skip
def test_nothing_of_a_hostile_text_runs_in_a_browser_and_nothing_is_loaded_from_elsewhere(tab, url, path):
    tab.ask("Page.setDownloadBehavior", behavior="deny")
    tab.open(f"{url}{path}")
    asked = [event["params"]["request"]["url"] for event in tab.events if event.get("method") == "Network.requestWillBeSent"]
    assert asked
    assert not [one for one in asked if not one.startswith((url, "data:"))]
    assert not [event for event in tab.events if event.get("method") in ("Page.javascriptDialogOpening", "Runtime.exceptionThrown")]
    in_page = "document.getElementsByTagNameNS('http://www.w3.org/1999/xhtml', 'script')"
    assert tab.value(f"[...{in_page}].filter(it => !it.src.startsWith(location.origin + '/static/')).length") == 0
    assert tab.value("[...document.querySelectorAll('*')].filter(it => [...it.attributes].some(one => /^on/i.test(one.name))).length") == 0
    others = set(tab.value("[...document.links].map(a => a.href).filter(to => !/^https?:/.test(to))"))
    assert others <= {"tel:12345"}  # the hotline, which is declared and no source's
    assert not any(mark in tab.value("document.documentElement.textContent") for mark in "\u202e\u2066")
