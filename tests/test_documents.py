"""Every feed's document is made ahead from the ledger's numbers and the release's rows, and what says the same is not made again."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
import feedparser
import pytest
from lxml import etree

from feed_file import EVENTS, FEEDS, write_feed_file, write_live
from feeds import FORMS, Form, Tombstone, json_feed
from publish import documents
from publish.catalogue import Catalogue
from publish.channel import Channel
from publish.documents import asking, write_documents
from publish.entries import Teller
from publish.families import authority_key
from publish.happened import Event
from publish.tables import working
from web_release import HOSTILE, rows

SITE, HUB = "https://mingbai.example", "https://hub.example/"
N1, N2, N3 = "n-aaaaaaaaaaa2", "n-bbbbbbbbbbb2", "n-ccccccccccc2"
FACTS = "收取 12 个月培训费"
Made = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture
def tables() -> dict[str, list[dict[str, Any]]]:
    """A release that has the first and the third notice of the ledger."""
    made = rows("x")
    kept = [row for row in made["notices"] if row["id"] == N1]
    made["notices"] = [
        *kept,
        {**kept[0], "id": N3, "subject_name": None, "document_id": None, "facts": HOSTILE, "authority": None, "fine_fen": None},
    ]
    for name in ("notice_penalties", "notice_measures", "notice_statements", "notice_links"):
        made[name] = [row for row in made[name] if row["notice_id"] == N1]
    return made


@pytest.fixture
def make(tmp_path: Path, catalogue: Catalogue, tables: dict[str, list[dict[str, Any]]]) -> Callable[..., tuple[int, Path]]:
    """Write a feeds file of the release; what is given goes to the file's tables and to `write_documents`."""
    count = iter(range(100))

    def written(before: Path | None = None, *, hubs: tuple[str, ...] = (HUB,), **file: Any) -> tuple[int, Path]:
        number = next(count)
        path = tmp_path / f"feeds{number}.db"
        write_feed_file(path, **file)
        with closing(write_live(tmp_path / f"live{number}.db", catalogue, tables)) as live, working(path) as connection:
            return write_documents(connection, live, catalogue, SITE, hubs, before), path

    return written


def of(path: Path) -> Made:
    """The documents of a file by feed and form, unpacked."""
    with closing(sqlite3.connect(path)) as connection:
        found = list(asking(connection)("SELECT * FROM documents"))
    for row in found:
        row["body"] = gzip.decompress(row["gzip"])
        assert brotli.decompress(row["brotli"]) == row["body"]
        assert (row["size"], row["etag"]) == (len(row["body"]), sha256(row["body"]).hexdigest()[:24])
    return {(row["feed"], row["form"]): row for row in found}


def numbers(body: bytes) -> list[tuple[str, int, list[int]]]:
    """(id, number, replaced) of everything in a document, entries and tombstones, as a reader of any form finds them."""
    if body.startswith(b"{"):
        feed = json.loads(body)
        items = [(item["id"], item["_mingbai"]) for item in feed["items"]]
        items += [(stone["id"], stone) for stone in feed["_mingbai"].get("deleted", ())]
        return [(id, ours["number"], ours.get("replaces", [])) for id, ours in items]
    found = []
    for element in etree.fromstring(body).iter("{*}entry", "{*}item", "{*}deleted-entry", "{*}deleted"):
        id = element.get("ref") or element.findtext("{*}id") or element.findtext("guid")
        assert id is not None
        replaced = (element.findtext("{*}replaces") or "").split()
        found.append((id, int(element.findtext("{*}number") or 0), [int(one) for one in replaced]))
    return found


def test_each_document_has_every_number_once_shown_or_stood_for(make: Callable[..., tuple[int, Path]]) -> None:
    count, path = make()
    made = of(path)
    assert count == len(made) == 3 * sum(bool(list(items)) for _, items in FEEDS.values()), "one without numbers has none"
    for (feed, _), row in made.items():
        told = numbers(row["body"])
        last = len(list(FEEDS[feed][1]))
        assert sorted(number for _, shown, replaced in told for number in (shown, *replaced)) == list(range(1, last + 1)), feed
        assert len({id for id, _, _ in told}) == len(told)
    assert numbers(made["notices", "json"]["body"])[0] == ("tag:mingbai.example,2026:notices/n-bbbbbbbbbbb2/removals/2026-11-21.2", 7, [])
    stones = json.loads(made["notices", "json"]["body"])["_mingbai"]["deleted"]
    assert stones == [
        {"id": "tag:mingbai.example,2026:notices/n-bbbbbbbbbbb2", "when": "2026-11-20T16:00:01Z", "comment": "信用修复", "reason": "repaired", "number": 6, "replaces": [2]}
    ]  # fmt: skip


def test_nothing_adverse_is_said_but_by_the_entry_of_a_notice_that_the_release_has(make: Callable[..., tuple[int, Path]]) -> None:
    made = of(make()[1])
    for (feed, form), row in made.items():
        text = row["body"].decode()
        assert (FACTS in text) == (feed in ("notices", "notices/region/350102")), (feed, form)
        items = json.loads(made[feed, "json"]["body"])["items"]
        for item in items:
            assert (FACTS in item["content_text"]) == (item["id"] == f"tag:mingbai.example,2026:notices/{N1}")


def test_what_the_release_has_no_more_has_a_tombstone_whatever_the_ledger_says(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    tables["notices"] = [row for row in tables["notices"] if row["id"] != N1]
    for name in ("notice_penalties", "notice_measures", "notice_statements", "notice_links"):
        tables[name] = []
    for (feed, form), row in of(make()[1]).items():
        assert FACTS not in row["body"].decode()
        if form == "json" and feed == "notices":
            stones = json.loads(row["body"])["_mingbai"]["deleted"]
            assert (f"tag:mingbai.example,2026:notices/{N1}", "unpublished") in [(stone["id"], stone["reason"]) for stone in stones]


@pytest.mark.parametrize(
    ("facet", "code", "column", "now"),
    [
        ("seriousness", "serious", "seriousness", "ordinary"), ("violation", "illegal_fees", "violation_type", "unlicensed"), ("region", "350102", "region_code", "350103"),
        ("authority", authority_key("某局"), "authority", "另一局"),
    ],
)  # fmt: skip
def test_a_feed_of_a_facet_shows_no_notice_that_is_not_of_it_any_more(
    make: Callable[..., tuple[int, Path]],
    tables: dict[str, list[dict[str, Any]]],
    tmp_path: Path,
    catalogue: Catalogue,
    facet: str,
    code: str,
    column: str,
    now: str,
) -> None:
    tables["notices"][0] |= {"authority": "某局", "seriousness": "serious", "violation_type": "illegal_fees"}
    feed = f"notices/{facet}/{code}"
    feeds = {"notices": ("notices", range(2, 9)), feed: ("notices", (2, 5, 6))}
    _, before = make(feeds=feeds)
    assert FACTS in of(before)[feed, "json"]["body"].decode(), "while it is of it"
    tables["notices"][0][column] = now
    _, path = make(before, feeds=feeds)
    for form in FORMS:
        body = of(path)[feed, form.name]["body"]
        assert FACTS not in body.decode()
        assert sorted(number for _, shown, replaced in numbers(body) for number in (shown, *replaced)) == [1, 2, 3]
        assert FACTS in of(path)["notices", form.name]["body"].decode()
        with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(tmp_path / "live1.db")) as live:
            channel = Channel(asking(connection), asking(live), Teller(catalogue, SITE), (HUB,))
            (row,) = asking(connection)("SELECT * FROM feeds WHERE feed = ?", feed)
            assert form(channel.current(row, form)) == body
    (stone,) = json.loads(of(path)[feed, "json"]["body"])["_mingbai"]["deleted"]
    assert (stone["reason"], stone["when"], stone["replaces"]) == ("corrected", "2026-11-20T16:00:01Z", [1])


def test_a_title_says_first_what_must_not_be_missed_and_what_ended_was_not_withdrawn(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    kinds = (("again", "source"), ("correction", "correction"), ("dispute", "dispute"))
    gone = ("expired", "absent", "revoked", "unpublished")
    events = (
        *((3, "notice", N1, *kind, None) for kind in kinds),
        *((3, "notice", f"n-{reason}", "removal", reason, None) for reason in gone),
        (3, "release", "2026-11-21.2", "released", "source", None),
    )
    said = {
        "notice_id": N1,
        "recorded_on": "2026-11-21",
        "said_by": None,
        "said_on": None,
        "text": None,
        "document": None,
        "settled_on": None,
        "fields": None,
    }
    tables["notice_statements"] = [
        {**said, "number": 1, "kind": "correction", "fields": "fine_fen facts"},
        {**said, "number": 2, "kind": "dispute"},
    ]

    def told(state: str) -> tuple[list[str], list[str]]:
        tables["notices"][0]["state"] = state
        made = make(events=events, feeds={"notices": ("notices", range(1, 9))}, acts=[(2, "corrected", 1), (3, "raised", 2)])
        items = json.loads(of(made[1])["notices", "json"]["body"])["items"]
        return [item["title"] for item in items][::-1], [item["content_text"] for item in items][::-1]

    titles, texts = told("active")
    assert titles[0].startswith("〔再次公布〕行政处罚：")
    assert titles[1] == f"更正：行政处罚 {N1}（{tables['notices'][0]['authority']}）"
    assert "罚款金额" in texts[1] or "罚款" in texts[1]
    assert "违法事实" in texts[1]
    assert FACTS not in texts[1]
    assert str(tables["notices"][0]["subject_name"]) not in titles[1] + texts[1] + titles[2] + texts[2], "no tombstone would take it back"
    assert titles[2].startswith(f"异议提出：行政处罚 {N1}")
    assert "异议于 2026-11-21 提出" in texts[2]
    assert titles[3:7] == [
        "公示结束：公告 n-expired",
        "来源不再列出：公告 n-absent",
        "撤下：公告 n-revoked（决定被撤销）",
        "本站不再公布：公告 n-unpublished",
    ]
    assert {"公示结束的公告：1", "来源不再列出的公告：1", "撤下的公告：1", "本站不再公布的公告：1"} <= set(texts[7].split("\n"))
    assert told("disputed")[0][0].startswith("〔有异议〕行政处罚：")
    assert told("corrected")[0][0].startswith("〔已更正〕行政处罚：")
    tables["notices"] = tables["notices"][1:]
    for name in ("notice_penalties", "notice_measures", "notice_statements", "notice_links"):
        tables[name] = []
    hidden = json.loads(of(make(events=events, feeds={"notices": ("notices", range(1, 9))})[1])["notices", "json"]["body"])["items"]
    assert [item["title"] for item in hidden][-2:] == [f"异议：公告 {N1}", f"更正：公告 {N1}"]


def test_an_entry_is_of_the_release_that_first_had_it_and_of_the_one_that_changed_it(make: Callable[..., tuple[int, Path]]) -> None:
    items = {item["id"]: item for item in json.loads(of(make()[1])["notices", "json"]["body"])["items"]}
    own = items[f"tag:mingbai.example,2026:notices/{N1}"]
    assert (own["date_published"], own["date_modified"]) == ("2026-11-20T16:00:00Z", "2026-11-20T16:00:01Z")
    said = items[f"tag:mingbai.example,2026:notices/{N1}/corrections/2026-11-21.2"]
    assert said["_mingbai"]["concerns"] == own["id"]
    assert {"rel": "related", "href": own["url"], "type": "text/html"} in said["_mingbai"]["links"]
    assert said["date_published"] == "2026-11-20T16:00:01Z", "the second release of a day is a second later"


def test_an_institution_that_nobody_can_name_any_more_is_called_by_its_number(make: Callable[..., tuple[int, Path]]) -> None:
    left, entered = json.loads(of(make()[1])["listings", "json"]["body"])["items"]
    assert left["title"] == "机构 i-zzzzzzzzzzz2：不在最新一期名单中（福建省厦门市思明区）"
    assert (
        entered["title"]
        == "福州市鼓楼区甜果培训中心有限公司（x）：列入福州市教育局（x）第三期白名单，截至 2026-11-20（福建省福州市鼓楼区）"
    )
    assert "名单：列入福州市教育局（x）第三期白名单，截至 2026-11-20" in entered["content_text"]
    assert entered["tags"] == ["列入白名单"]


def test_an_institution_that_is_gone_has_its_name_and_who_took_its_place(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    """Its own address leads to another institution, which may be on the list that it left."""
    gone, next_one, last = "i-zzzzzzzzzzz2", "i-yyyyyyyyyyy2", tables["institutions"][0]
    step = {"method": "source", "since": "2026-11-23"}

    def told(kind: str, *lineage: tuple[str, str, str]) -> dict[str, Any]:
        tables["institution_lineage"] = [{"predecessor_id": old, "successor_id": new, "kind": kind, **step} for old, new, kind in lineage]
        events = ((4, "listing", gone, kind, "source", "350203"),)
        made = make(gone=[(gone, "厦门市思明区晨星培训中心")], events=events, feeds={"listings": ("listings", (1,))})[1]
        item = json.loads(of(made)["listings", "json"]["body"])["items"][0]
        assert item["url"] == f"{SITE}/changes?subject={gone}"
        assert f"/institutions/{gone}" not in item["url"] + item["content_html"]
        return dict(item)

    assert told("left")["title"] == "厦门市思明区晨星培训中心：不在最新一期名单中（福建省厦门市思明区）"
    assert "后继机构" not in told("left")["content_text"]
    merged = told("left", (gone, last["id"], "merger"))
    assert f"后继机构：{last['name']}（合并）" in merged["content_text"].split("\n")
    assert f'href="{SITE}/institutions/{last["id"]}"' in merged["content_html"]
    by_steps = told("left", (gone, next_one, "merger"), (next_one, last["id"], "rename"))
    assert f"后继机构：{last['name']}" in by_steps["content_text"].split("\n"), "of several steps no kind is told"
    assert "此后：不在最新一期名单中" in told("entered")["content_text"]
    assert "此后" not in told("entered", (gone, last["id"], "merger"))["content_text"], "it may be on it as the other"


def test_a_change_of_the_white_list_says_whose_list_it_is_which_and_as_of_when(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    """Rule 1: 列入 X 局 Y 批白名单，截至 D. Whose list was left no row says, and no other list of the region is taken for it."""

    def told(**changed: Any) -> dict[str, Any]:
        tables["listings"][0] |= changed
        return {item["_mingbai"]["event"]: item for item in json.loads(of(make()[1])["listings", "json"]["body"])["items"]}

    entered = told(subject_name="甜果旧名")["entered"]
    assert "名单所载名称：甜果旧名" in entered["content_text"].split("\n")
    tables["institution_aliases"].append({"institution_id": tables["listings"][0]["institution_id"], "name": "甜果 旧名", "kind": "former"})
    assert "名单所载名称：甜果旧名（曾用名）" in told()["entered"]["content_text"].split("\n")
    assert "名单所载名称" not in told(subject_name="福州市鼓楼区甜果培训中心有限公司(x)")["entered"]["content_text"], (
        "its name, with other brackets"
    )
    tables["listings"].append(
        {**tables["listings"][0], "id": "l-other", "institution_id": "i-bbbbbbbbbbb2", "region_code": "350203", "authority": "厦门市教育局"}
    )
    left = told()["left"]
    assert left["content_text"].split("\n") == [
        "机构：机构 i-zzzzzzzzzzz2",
        "地区：福建省厦门市思明区",
        "变动：不在最新一期名单中（2026-11-23 的版本）",
    ]
    gone = told(absent_since="2026-11-22")["entered"]
    assert gone["title"].endswith("：列入白名单（福建省福州市鼓楼区）")
    assert "此后：不在最新一期名单中" in gone["content_text"]
    assert "第三期" not in gone["content_text"]


@pytest.mark.parametrize(
    ("changed", "title", "later"),
    [
        ({"valid_until": "2026-11-23"}, "列入福州市教育局（x）第三期白名单，截至 2026-11-20", None), ({"valid_until": "2026-11-22"}, "列入白名单", "此后：名单所示的有效期已过"),
        ({"as_of": "2026-11-24"}, "列入白名单", "名单：列入福州市教育局（x）第三期白名单，截至 2026-11-24"), ({"as_of": "2026-11"}, "列入福州市教育局（x）第三期白名单，截至 2026-11", None),
    ],
)  # fmt: skip
def test_the_title_of_who_entered_says_of_no_list_that_is_over_or_was_made_later(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]], changed: dict[str, Any], title: str, later: str | None
) -> None:
    """The entry is of 2026-11-23, as is the release; the row is what the list says now."""
    tables["listings"][0] |= changed
    entered = json.loads(of(make()[1])["listings", "json"]["body"])["items"][1]
    assert entered["title"] == f"福州市鼓楼区甜果培训中心有限公司（x）：{title}（福建省福州市鼓楼区）"
    lines = entered["content_text"].split("\n")
    assert later in lines if later else f"名单：{title}" in lines


def test_a_notice_that_has_a_former_name_says_so(make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]) -> None:
    def line(name: str) -> str:
        tables["notices"][0]["subject_name"] = name
        (item,) = [one for one in json.loads(of(make()[1])["notices", "json"]["body"])["items"] if one["id"].endswith(f"notices/{N1}")]
        return next(said for said in item["content_text"].split("\n") if said.startswith("核对："))

    tables["institution_aliases"].append(
        {"institution_id": tables["notice_links"][0]["institution_id"], "name": "甜果旧名", "kind": "former"}
    )
    assert line("甜果旧名").endswith("（信用代码一致，可信度 1.00；公告所载是它的曾用名）")
    assert line("甜果英语").endswith("（信用代码一致，可信度 1.00）"), "a brand is no former name"


def test_a_second_file_takes_over_what_says_the_same(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]]
) -> None:
    _, first = make()
    assert make(first)[0] == 0
    tables["notices"][1]["facts"] = "改正后的事实"
    count, second = make(first)
    assert count == 3, "of the one feed that has the third notice"
    before, after = of(first), of(second)
    assert {feed for feed, _ in before if before[feed, "atom"] != after[feed, "atom"]} == {"notices"}
    _, anew = make()
    assert second.read_bytes() == anew.read_bytes()


@pytest.mark.parametrize("change", [{"hubs": ()}, {"feeds": {**FEEDS, "notices": ("notices", range(2, 8))}}])
def test_another_address_or_number_makes_another_document(make: Callable[..., tuple[int, Path]], change: dict[str, Any]) -> None:
    _, first = make()
    count, second = make(first, **change)
    assert count
    assert second.read_bytes() == make(**change)[1].read_bytes()


def test_other_code_makes_every_document_again(make: Callable[..., tuple[int, Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    count, first = make()
    monkeypatch.setattr(documents, "recipe", lambda: "another")
    assert make(first)[0] == count


def test_other_words_of_what_strayed_make_another_document(
    make: Callable[..., tuple[int, Path]], tables: dict[str, list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = {"notices": ("notices", range(2, 9)), "notices/seriousness/minor": ("notices", (2, 5, 6))}
    _, first = make(feeds=feeds)
    told = Teller.tombstone

    def otherwise(teller: Teller, event: Event, *rest: Any, **more: Any) -> Tombstone:
        stone = told(teller, event, *rest, **more)
        return replace(stone, comment="别的话") if more.get("reason") == "corrected" else stone

    monkeypatch.setattr(Teller, "tombstone", otherwise)
    count, second = make(first, feeds=feeds)
    assert count == 3, "those of the one feed that it strayed from"
    assert second.read_bytes() == make(feeds=feeds)[1].read_bytes()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_document_is_what_the_site_would_write_on_request(
    make: Callable[..., tuple[int, Path]], form: Form, tmp_path: Path, catalogue: Catalogue
) -> None:
    _, path = make()
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(tmp_path / "live0.db")) as live:
        channel = Channel(asking(connection), asking(live), Teller(catalogue, SITE), (HUB,))
        for row in list(asking(connection)("SELECT * FROM feeds WHERE last > 0")):
            assert form(channel.current(row, form)) == of(path)[row["feed"], form.name]["body"]


@pytest.mark.parametrize(("today", "shown"), [("2027-10-15", True), ("2027-10-16", False)])
def test_a_term_ends_with_its_day_whether_a_release_was_made_or_not(
    make: Callable[..., tuple[int, Path]], tmp_path: Path, catalogue: Catalogue, today: str, shown: bool
) -> None:
    _, path = make()
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(tmp_path / "live0.db")) as live:
        channel = Channel(asking(connection), asking(live), Teller(catalogue, SITE), today=today)
        (row,) = asking(connection)("SELECT * FROM feeds WHERE feed = 'notices'")
        feed = channel.current(row, json_feed)
    assert (FACTS in json_feed(feed).decode()) == shown
    if not shown:
        ended = next(stone for stone in feed.tombstones if stone.id.endswith(N1))
        assert (ended.reason, ended.when.isoformat()) == ("expired", "2027-10-16T00:00:00+08:00")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_archive_says_nothing_of_what_was_found_and_never_changes(
    make: Callable[..., tuple[int, Path]], form: Form, catalogue: Catalogue, tables: dict[str, list[dict[str, Any]]]
) -> None:
    events = (*EVENTS[1:8], *((3, "notice", f"n-{number:012d}", "removal", "expired", None) for number in range(93)))
    written = set()
    for feeds, more in (({"notices": ("notices", range(1, 101))}, ()), ({"notices": ("notices", range(1, 103))}, EVENTS[8:10])):
        _, path = make(events=(*events, *more), feeds=feeds)
        with closing(sqlite3.connect(path)) as connection:
            channel = Channel(
                asking(connection),
                lambda sql, *values: pytest.fail("the release is not asked"),
                Teller(catalogue, SITE),
                (HUB,),
                "2026-12-01",
            )
            (row,) = asking(connection)("SELECT * FROM feeds")
            written.add(form(channel.archive({**row, "label_zh": "某局" * len(written)}, 1, form)))
    (archive,) = written
    assert sorted(number for _, shown, replaced in numbers(archive) for number in (shown, *replaced)) == list(range(1, 101))
    words = {text for row in tables["notices"] for text in row.values() if isinstance(text, str) and len(text) > 4 and not text.isascii()}
    assert not [word for word in words if word in archive.decode()]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_the_newest_numbers_are_there_and_the_rest_is_in_archives(
    make: Callable[..., tuple[int, Path]], form: Form, catalogue: Catalogue
) -> None:
    events = tuple((2, "notice", f"n-{number:012d}", "removal", "expired", None) for number in range(250))
    _, path = make(events=events, feeds={"notices": ("notices", range(1, 251))})
    body = of(path)["notices", form.name]["body"]
    assert [number for _, number, _ in numbers(body)] == list(range(250, 150, -1))
    with closing(sqlite3.connect(path)) as connection:
        channel = Channel(asking(connection), asking(connection), Teller(catalogue, SITE))
        (row,) = asking(connection)("SELECT * FROM feeds")
        archive = form(channel.archive(row, 2, form))
        assert [number for _, number, _ in numbers(archive)] == list(range(200, 100, -1))
    address = f"{SITE}/feeds/notices/archive/{{}}.{form.name}".format
    assert address(2).encode() in body
    assert [address(page).encode() in archive for page in (1, 3)] == [True, True]
    if form is not json_feed:
        links = {link.rel: link.href for link in feedparser.parse(archive).feed.links}
        assert (links["prev-archive"], links["next-archive"]) == (address(1), address(3))
        assert links["current"] == f"{SITE}/feeds/notices.{form.name}"
        assert b"<fh:archive/>" in archive
