"""Feeds say the same in three forms, in the same bytes every time, and no text in them breaks a reader or runs in one."""

import json
import locale
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds import Detail, Element, Entry, Feed, Link, Tombstone, atom, cleaned, json_feed, rss
from feeds.clean import WRITTEN, address, spelt

CHINA = timezone(timedelta(hours=8))
ATOM = "{http://www.w3.org/2005/Atom}"
FORMS: list[Callable[[Feed], bytes]] = [rss, atom, json_feed]
FIRST = Entry(
    id="tag:example.org,2026:notices/n-1",
    title="行政处罚：晨星（福州市教育局）",
    url="https://example.org/notices/n-1",
    summary="当事人：晨星 & 小星\n罚款 < 3 万元",
    content_html="<p>违法<strong>事实</strong></p>",
    published=datetime(2026, 11, 20, tzinfo=CHINA),
    updated=datetime(2026, 11, 23, 8, 30, 15, 999, tzinfo=CHINA),
    authority="福州市教育局",
    categories=("行政处罚", "虚假宣传", "行政处罚"),
)
SECOND = replace(
    FIRST, id="tag:example.org,2026:notices/n-2", url="https://example.org/公告/2?a=1&b=2", content_html=None, authority=None, categories=()
)
FEED = Feed(
    id="tag:example.org,2026:feeds/notices",
    title="校外培训机构公告",
    subtitle="新公布的公告",
    url_self="https://example.org/feeds/notices.rss",
    url_html="https://example.org/",
    language="zh-CN",
    updated=datetime(2026, 11, 23, 8, 30, 15, tzinfo=CHINA),
    entries=(FIRST, SECOND),
)


def told(written: bytes) -> dict[str, Any]:
    """What a reader makes of a feed: its title, and of each entry what all forms have."""
    if written.startswith(b"{"):
        parsed = json.loads(written)
        entries = [
            {
                "id": item["id"],
                "title": item["title"],
                "url": item["url"],
                "published": item["date_published"],
                "author": item.get("authors", [{}])[0].get("name"),
                "tags": item.get("tags", []),
                "summary": item.get("summary", item.get("content_text")),
                "content": item.get("content_html"),
            }
            for item in parsed["items"]
        ]
        return {
            "title": parsed["title"],
            "home": parsed["home_page_url"],
            "self": parsed["feed_url"],
            "language": parsed["language"],
            "entries": entries,
        }
    parsed = feedparser.parse(written)
    assert not parsed.bozo, parsed.bozo_exception
    entries = [
        {
            "id": item.id,
            "title": item.title,
            "url": item.link,
            "published": time.strftime("%Y-%m-%dT%H:%M:%SZ", item.published_parsed),
            "author": item.get("author"),
            "tags": [tag.term for tag in item.get("tags", [])],
            "summary": unescape(item.get("summary", "").replace("<br />\n", "\n")),
            "content": item.content[0].value if "content" in item else None,
        }
        for item in parsed.entries
    ]
    link = next(link.href for link in parsed.feed.links if link.rel == "self")
    return {"title": parsed.feed.title, "home": parsed.feed.link, "self": link, "language": parsed.feed.language, "entries": entries}


@pytest.mark.parametrize("form", FORMS)
def test_a_reader_is_told_what_the_feed_says(form: Callable[[Feed], bytes]) -> None:
    common = {"title": FIRST.title, "published": "2026-11-19T16:00:00Z", "summary": FIRST.summary}
    assert told(form(FEED)) == {
        "title": FEED.title,
        "home": FEED.url_html,
        "self": FEED.url_self,
        "language": "zh-CN",
        "entries": [
            {
                **common,
                "id": FIRST.id,
                "url": FIRST.url,
                "author": "福州市教育局",
                "tags": ["行政处罚", "虚假宣传"],
                "content": FIRST.content_html,
            },
            {
                **common,
                "id": SECOND.id,
                "url": "https://example.org/%E5%85%AC%E5%91%8A/2?a=1&b=2",
                "author": None,
                "tags": [],
                "content": None,
            },
        ],
    }


def test_atom_has_what_rfc_4287_requires() -> None:
    feed = etree.fromstring(atom(FEED))
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for required in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{required}")) == 1, required
            assert element.findtext(f"{ATOM}{required}")
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == FEED.title  # for the entry without an authority
    assert {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")} == {
        "self": FEED.url_self,
        "alternate": FEED.url_html,
    }
    assert feed.findtext(f"{ATOM}updated") == "2026-11-23T00:30:15+00:00"
    assert all(entry.find(f"{ATOM}link").get("rel", "alternate") == "alternate" for entry in feed.findall(f"{ATOM}entry"))


def test_rss_has_what_rss_2_requires_and_names_itself() -> None:
    channel = etree.fromstring(rss(FEED)).find("channel")
    assert channel is not None
    assert (channel.findtext("title"), channel.findtext("link"), channel.findtext("description")) == (
        FEED.title,
        FEED.url_html,
        FEED.subtitle,
    )
    assert channel.findtext("lastBuildDate") == "Mon, 23 Nov 2026 00:30:15 +0000"
    assert channel.find(f"{ATOM}link").attrib == {"href": FEED.url_self, "rel": "self", "type": "application/rss+xml"}
    guid = channel.find("item/guid")
    assert (guid.text, guid.get("isPermaLink")) == (FIRST.id, "false")
    assert channel.find("item/author") is None  # it would have to be a mail address


def test_json_has_what_json_feed_requires() -> None:
    feed = json.loads(
        json_feed(replace(FEED, entries=(*FEED.entries, replace(FIRST, id="tag:example.org,2026:3", summary="", content_html=" "))))
    )
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert all({"content_html", "content_text"} & item.keys() for item in feed["items"])
    assert all(item[key] for item in feed["items"] for key in item)


@pytest.mark.parametrize("sizes", [(), (0,), (3,), (1, 1, 1), (1, 0, 2)])
def test_json_in_parts_is_the_same_document(sizes: tuple[int, ...]) -> None:
    entries = [
        replace(FIRST, id=f"tag:example.org,2026:{n}", title="\0<b>", summary="a\0b", number=n, replaces=(1,))
        for n in range(2, 2 + sum(sizes))
    ]
    batches = [tuple(entries[sum(sizes[:place]) : sum(sizes[: place + 1])]) for place in range(len(sizes))]
    feed = replace(FEED, title="\0x", entries=tuple(entries))
    assert b"".join(json_feed.parts(feed, batches)) == json_feed(feed)


@pytest.mark.parametrize("form", FORMS)
def test_a_feed_without_entries_is_a_feed(form: Callable[[Feed], bytes]) -> None:
    assert told(form(replace(FEED, entries=(), subtitle="")))["entries"] == []


@pytest.mark.parametrize("form", FORMS)
def test_a_numbered_feed_that_has_told_nothing_says_so(form: Callable[[Feed], bytes]) -> None:
    nothing, none = form(replace(FEED, entries=(), since="https://example.org/since/0.json")), form(replace(FEED, entries=()))
    if form is json_feed:
        assert json.loads(nothing)["_mingbai"]["last"] == 0
        assert "last" not in json.loads(none)["_mingbai"], "of a feed without numbers"
    else:
        assert etree.fromstring(nothing).findtext(f".//{MB}last") == "0"
        assert etree.fromstring(none).find(f".//{MB}last") is None


WRITE = "import hashlib\nfrom test_feeds import FEED, FORMS\nprint([hashlib.sha256(form(FEED)).hexdigest() for form in FORMS])"


def test_the_same_feed_makes_the_same_bytes_elsewhere_and_later() -> None:
    made = set()
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Shanghai", "C.UTF-8")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language}
        done = subprocess.run(
            [sys.executable, "-c", WRITE], env=environment, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
        made.add(done.stdout)
    assert len(made) == 1


@pytest.mark.parametrize("form", FORMS)
def test_only_given_dates_are_in_a_feed(form: Callable[[Feed], bytes]) -> None:
    old = datetime(2019, 5, 1, 12, tzinfo=UTC)
    written = form(replace(FEED, updated=old, entries=(replace(FIRST, published=old, updated=old),))).decode()
    assert str(datetime.now(UTC).year) not in written.replace("example.org,2026", "")


class Tags(HTMLParser):
    """Every tag and attribute that a browser would see in a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, attrs))


def markup(written: bytes) -> tuple[list[str], list[str]]:
    """The texts that readers show as titles, names and categories, and those that they show as markup."""
    if written.startswith(b"{"):
        feed = json.loads(written)
        plain = [feed["title"], feed["description"], feed["authors"][0]["name"]]
        for item in feed["items"]:
            plain += [item["title"], *(author["name"] for author in item.get("authors", [])), *item.get("tags", [])]
        return plain, [item["content_html"] for item in feed["items"] if "content_html" in item]
    shown: list[str] = []
    plain = []
    for element in etree.fromstring(written).iter(
        "{*}title", "{*}subtitle", "{*}name", "{*}creator", "{*}category", "{*}description", "{*}summary", "{*}encoded", "{*}content"
    ):
        is_markup = element.tag.endswith(("summary", "encoded", "content")) or (
            element.tag == "description" and element.getparent().tag == "item"
        )
        (shown if is_markup else plain).append(element.text or element.get("term", ""))
    return plain, shown


HOSTILE = [
    "<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&ltscript>",
    '<img src=x onerror="alert(1)">',
    "<a href='javascript:alert(1)'>x</a><a href=' JaVaScRiPt:alert(1)'>",
    "<svg><style><img src=x onerror=alert(1)>",
    "]]><script>alert(1)</script><![CDATA[",
    "<!--><script>alert(1)</script>-->",
    "<![foo<script>",
    "<b" * 3000 + "<i>" * 3000 + "</u>" * 3000,
    "A & B，3 < 4 > 2",
    "\x00\x08\x1f\x7f\x9f\ufffe\U0010ffff\ud800",
    "a\u202egnp.exe\u2066",
    "👨‍👩‍👧 重\r\n庆\r",
    "长" * 100_000,
    "",
    "\n \t",
]


@pytest.mark.parametrize("form", FORMS)
@given(text=st.sampled_from(HOSTILE) | st.text() | st.text(alphabet="<>&;/!-[]'\"= \nabscriptonhref:#x3C\0\u202e"))
def test_any_text_leaves_a_feed_that_readers_can_read_and_that_runs_nothing(form: Callable[[Feed], bytes], text: str) -> None:
    entry = replace(FIRST, title=text, summary=text, content_html=text, authority=text, categories=(text,))
    written = form(replace(FEED, title=text, subtitle=text, author=text, entries=(entry, SECOND)))
    assert len(told(written)["entries"]) == 2
    plain, shown = markup(written)
    for line in plain:
        assert line
        assert not Tags(line).seen
        assert unescape(line) == line
    for html in shown:
        for tag, attributes in Tags(html).seen:
            assert tag in {"a", "b", "br", "i", "p", "q", "s", "strong", "u", "hr"}
            assert all(
                name == "href" and tag == "a" and str(value).lower().startswith(("http://", "https://", "mailto:"))
                for name, value in attributes
            )
    assert not set(written.decode()) & set("\u202e\u2066\x00\x7f\ufffe")


def test_markup_keeps_what_is_needed_for_reading() -> None:
    given_, kept = (
        '<h3 class="x">一</h3><ul><li>二<li>三</ul><a href="https://example.org/?a=1&amp;b=2" onclick="x()">四</a><script>五</script>',
        '<h3>一</h3><ul><li>二<li>三</li></li></ul><a href="https://example.org/?a=1&amp;b=2">四</a>',
    )
    assert json.loads(json_feed(replace(FEED, entries=(replace(FIRST, content_html=given_),))))["items"][0]["content_html"] == kept


@given(url=st.from_regex(WRITTEN, fullmatch=True))
def test_an_address_that_is_not_looked_at_is_what_a_look_makes_of_it(url: str) -> None:
    assert address(url) == spelt(url) == url


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "javascript:alert(1)"}, "no http"),
        ({"url": "/notices/1"}, "no http"),
        ({"url": "http://[::1/"}, "no address"),
        ({"id": "n-1"}, "no URI"),
        ({"id": "tag:例,2026:1"}, "no URI"),
        ({"id": SECOND.id}, "comes twice"),
        ({"published": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_what_no_feed_can_have_is_refused_in_words(form: Callable[[Feed], bytes], change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        form(replace(FEED, entries=(replace(FIRST, **change), SECOND)))


AT, FH, MB = "{http://purl.org/atompub/tombstones/1.0}", "{http://purl.org/syndication/history/1.0}", "{https://mingbai.example/ns/feeds/1}"
HUB = Link("hub", "https://hub.example/")
STONE = Tombstone("tag:example.org,2026:notices/n-3", FIRST.published, "公示期满", "expired", 10, (2,))
TOLD = replace(
    FIRST, summary="文件：决定书", content_html=None, details=(Detail("文件", "决定书 <b>", "https://example.org/d?a=1&b"), Detail("网址", "x", "javascript:alert(1)")),
    links=(Link("related", "https://example.org/notices/n-9", "text/html"), Link("via", "https://example.org/d")), event="corrected", concerns=SECOND.id, number=12, replaces=(3, 4),
)  # fmt: skip
WHOLE = replace(
    FEED, entries=(TOLD, replace(SECOND, number=11)), tombstones=(STONE,), links=(HUB, Link("prev-archive", "https://example.org/a/1")), first=1, last=12, is_complete=True,
    since="https://example.org/since/12.json", heartbeat="https://example.org/heartbeat.json", stylesheet="https://example.org/feed.css?a=1&b",
)  # fmt: skip


@pytest.mark.parametrize("form", [rss, atom])
def test_xml_has_the_words_of_the_rfcs_and_of_our_namespace_declared_once(form: Callable[[Feed], bytes]) -> None:
    written = form(WHOLE)
    assert written.split(b"\n")[1] == b'<?xml-stylesheet type="text/css" href="https://example.org/feed.css?a=1&amp;b"?>'
    root = etree.fromstring(written)
    top = root if form is atom else root.find("channel")
    assert written.count(MB[1:-1].encode()) == written.count(AT[1:-1].encode()) == 1
    assert top.find(f"{FH}complete") is not None
    assert top.find(f"{FH}archive") is None
    assert [top.findtext(f"{MB}{name}") for name in ("first", "last", "since", "heartbeat")] == ["1", "12", WHOLE.since, WHOLE.heartbeat]
    assert {link.get("rel"): link.get("href") for link in top.findall(f"{ATOM}link")}.items() >= {
        "hub": HUB.href,
        "prev-archive": "https://example.org/a/1",
    }.items()
    stone = top.find(f"{AT}deleted-entry" if form is atom else f"{MB}deleted")
    assert (stone.get("ref"), stone.get("when")) == (STONE.id, "2026-11-19T16:00:00+00:00")
    assert (
        stone.findtext(f"{AT if form is atom else MB}comment"),
        stone.findtext(f"{MB}reason"),
        stone.findtext(f"{MB}number"),
        stone.findtext(f"{MB}replaces"),
    ) == ("公示期满", "expired", "10", "2")
    entry, other = root.iter(f"{ATOM}entry" if form is atom else "item")
    assert [entry.findtext(f"{MB}{name}") for name in ("event", "concerns", "number", "replaces")] == ["corrected", SECOND.id, "12", "3 4"]
    assert (other.findtext(f"{MB}number"), other.find(f"{MB}replaces")) == ("11", None)
    links = [(link.get("rel"), link.get("href")) for link in entry.findall(f"{ATOM}link")]
    assert links[-2:] == [("related", "https://example.org/notices/n-9"), ("via", "https://example.org/d")]


def test_json_says_the_same_in_objects_of_its_own() -> None:
    feed = json.loads(json_feed(WHOLE))
    ours = feed["_mingbai"]
    assert ours["about"].startswith("https://")
    assert (ours["first"], ours["last"], ours["is_complete"], ours["since"]) == (1, 12, True, WHOLE.since)
    assert ours["deleted"] == [
        {"id": STONE.id, "when": "2026-11-19T16:00:00Z", "comment": "公示期满", "reason": "expired", "number": 10, "replaces": [2]}
    ]
    assert feed["hubs"] == [{"type": "WebSub", "url": HUB.href}]
    said = feed["items"][0]["_mingbai"]
    assert (said["event"], said["number"], said["replaces"], said["concerns"]) == ("corrected", 12, [3, 4], SECOND.id)
    assert feed["items"][1]["_mingbai"] == {"number": 11}


@pytest.mark.parametrize("form", FORMS)
def test_details_are_a_list_in_which_an_address_that_is_none_leads_nowhere(form: Callable[[Feed], bytes]) -> None:
    entry = told(form(WHOLE))["entries"][0]
    expected = '<dl><dt>文件</dt><dd><a href="https://example.org/d?a=1&amp;b">决定书 &lt;b&gt;</a></dd><dt>网址</dt><dd>x</dd></dl>'
    assert (entry["content"] or unescape(entry["summary"])) in (expected, unescape(expected))


@pytest.mark.parametrize("form", FORMS)
def test_elements_made_apart_make_the_same_document(form: Any) -> None:
    elements = form.elements(cleaned(reversed(WHOLE.entries)))[::-1]
    numbered = [Element(one, entry.number, entry.replaces) for one, entry in zip(elements, WHOLE.entries, strict=True)]
    assert form.document(replace(WHOLE, entries=()), numbered) == form(WHOLE)


@pytest.mark.parametrize("form", FORMS)
def test_no_locale_is_set(form: Callable[[Feed], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locale, "setlocale", lambda *given: pytest.fail("another thread may be in it"))
    form(WHOLE)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_in_what_is_beside_the_content_breaks_a_feed(form: Callable[[Feed], bytes], text: str) -> None:
    entry = replace(
        TOLD,
        details=(Detail(text, text, text),),
        links=(Link("via", "https://example.org/" + text[:100].replace("\ud800", ""), "", text),),
        event=text,
        reason=text,
    )
    written = form(replace(WHOLE, entries=(entry,), tombstones=(replace(STONE, comment=text, reason=text),)))
    assert len(told(written)["entries"]) == 1
    for html in markup(written)[1]:
        assert {tag for tag, _ in Tags(html).seen} <= {"dl", "dt", "dd", "br", "a"}
