"""Five years of releases, and subscribers who poll when they like: each ends with what an oracle says that the feed told, and nobody with a text that is gone.

The oracle is kept by the test, from what is in each release and from nothing that the ledger says. Subscribers know addresses and what stands in
documents: the current one, the archives that it leads to, a replay. Between their visits there may be any number of releases, midnights at which
something ends, a server that was replaced, and a release that never went live.
"""

import json
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from byhand import put
from publish import forgotten, history
from publish.assembled import Assembled
from publish.catalogue import Catalogue, dictionary
from publish.diff import diff
from publish.families import authority_key
from publish.feedfile import feedfile
from publish.feedfile import only as only_feeds
from publish.home import Home
from publish.index import index
from publish.tables import working
from publish.web.server import build_app
from web_release import _declared, go_live, write_database

SITE = "https://mingbai.example"
FIRST = date(2026, 1, 5)
XIHU, BINJIANG, HANGZHOU, ZHEJIANG = "330106", "330108", "330100", "330000"
ABOVE = {XIHU: (XIHU, HANGZHOU, ZHEJIANG), BINJIANG: (BINJIANG, HANGZHOU, ZHEJIANG), HANGZHOU: (HANGZHOU, ZHEJIANG)}
AUTHORITIES = ("西湖区教育局", "滨江区教育局")
VIOLATIONS = ("illegal_fees", "safety", "contract")
REASONS = ("revoked", "refuted", "personal_data")
FEEDS = (
    "notices", f"notices/region/{XIHU}", "notices/violation/illegal_fees", f"notices/authority/{authority_key(AUTHORITIES[1])}", "records", f"records/region/{BINJIANG}",
    f"records/region/{HANGZHOU}", "records/violation/safety", "corrections", f"corrections/region/{XIHU}", f"corrections/region/{ZHEJIANG}", "listings", f"listings/region/{XIHU}", "releases",
)  # fmt: skip
TOKEN = re.compile(r"密(n-\d+)v(\d+)密")  # in every text of a notice, with which version of it this is
TAG = "tag:mingbai.example,2026:"
Rows = dict[str, dict[str, Any]]  # by id

# -- what is published -------------------------------------------------------------------------------------------------


@dataclass
class Oracle:
    """What each feed has told: by its entry's id what became of it last. Fed with what each release shows."""

    shown: Rows = field(default_factory=dict)
    listed: set[tuple[str, str]] = field(default_factory=set)
    lists: dict[tuple[str, str], str] = field(default_factory=dict)  # what was told last of each
    told: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # feeds in which a notice stands
    alerts: dict[str, bool] = field(default_factory=dict)
    alarmed: set[str] = field(default_factory=set)  # what ever was an alert
    sources: set[str] = field(default_factory=set)
    ends: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))  # feed > entry > what happened last, with a reason
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    gone: dict[str, str] = field(default_factory=dict)  # notices that went, and why
    happened: set[str] = field(default_factory=set)

    def release(self, id: str, notices: Rows, listed: set[tuple[str, str]], withdrawn: Mapping[str, str], ours: bool) -> None:
        day, is_first = date.fromisoformat(id), not self.told["releases"]
        for n, row in sorted(notices.items()):
            was = self.shown.get(n)
            if was is None:
                is_news = not is_first and row["source_id"] in self.sources
                self.alerts[n] = self.alerts.get(n, is_news) and self._is_recent(row, day)
                self.alarmed |= {n} if self.alerts[n] else set()
                if not self.alerts[n]:  # where it was an alert its tombstone stays
                    self.told[n] = {feed for feed in self.told[n] if not feed.startswith("notices")}
                self._tell(n, "again" if n in self.gone else "first", self._facets(n, row, day))
                self.gone.pop(n, None)
            elif was != row:
                corrected = len(row["corrections"]) > len(was["corrections"]) or (row["state"] == "corrected" != was["state"] and not ours)
                settles = (row["state"] == "disputed" != was["state"] and not ours) or (
                    was["state"] == "disputed" != row["state"] and not ours
                )
                self._tell(n, "corrected" if corrected else "changed", self._facets(n, row, day))
                for kind, is_told in (("correction", corrected), ("dispute", settles)):
                    if is_told:
                        feeds = self._facets(n, row, day) | self._places("corrections", row) | self.told[n]
                        self._beside(f"notices/{n}/{kind}s/{id}", kind, feeds)
        for n, was in sorted(self.shown.items()):
            if n not in notices:
                ended = was["public_until"] < id
                reason = withdrawn.get(n) or ("expired" if ended else "unpublished" if ours else "absent")
                self._tell(n, f"tombstone {reason}", set())
                self._removed(n, id, reason)
        for n, reason in withdrawn.items():
            if n not in self.shown and self.gone.get(n, reason) != reason:
                self._removed(n, id, reason)
        if not is_first and not ours:  # going back takes nobody off a list
            for institution, region in listed ^ self.listed:
                kind = "entered" if (institution, region) in listed else "left"
                if kind == "entered" == self.lists.get((institution, region)):
                    continue
                self.lists[institution, region] = kind
                for feed in ("listings", *(f"listings/region/{code}" for code in ABOVE[region])):
                    self._enter(feed, f"{institution} {kind} {id}", kind)
        self._enter("releases", f"releases/{id}", "released")
        self.told["releases"].add("")
        self.sources |= {row["source_id"] for row in notices.values()}
        self.shown, self.listed = {n: {**row, "corrections": list(row["corrections"])} for n, row in notices.items()}, set(listed)

    def _tell(self, n: str, what: str, feeds: set[str]) -> None:
        self.told[n] |= feeds
        for feed in self.told[n]:
            self._enter(feed, f"notices/{n}", what)

    def _removed(self, n: str, id: str, reason: str) -> None:
        self.gone[n] = reason
        feeds = set(self.told[n])
        if reason != "expired":
            feeds |= {"corrections"} | {feed.replace("records", "corrections") for feed in feeds if feed.startswith("records/region/")}
        self._beside(f"notices/{n}/removals/{id}", f"removal {reason}", feeds)

    def _beside(self, entry: str, what: str, feeds: set[str]) -> None:
        for feed in feeds:
            self._enter(feed, entry, what)

    def _enter(self, feed: str, entry: str, what: str) -> None:
        self.ends[feed][entry] = what
        self.numbers[feed] += 1
        self.happened.add(what)

    def _places(self, family: str, row: Mapping[str, Any]) -> set[str]:
        return {family, *(f"{family}/region/{code}" for code in ABOVE.get(row["region_code"], ()))}

    @staticmethod
    def _is_recent(row: Mapping[str, Any], day: date) -> bool:
        return (day - date.fromisoformat(row["decided_on"])).days <= 30

    def _facets(self, n: str, row: Mapping[str, Any], day: date) -> set[str]:
        by = f"violation/{row['violation_type']}", f"authority/{authority_key(row['authority'])}"
        return {
            feed
            for family in (("records", "notices") if self.alerts[n] and self._is_recent(row, day) else ("records",))
            for feed in (*self._places(family, row), *(f"{family}/{facet}" for facet in by))
        }


class World:
    """A home, the releases that go live in it, and a site that serves them at an hour that this says."""

    def __init__(self, folder: Path, catalogue: Catalogue, seed: int) -> None:
        self.catalogue, self.draw = catalogue, random.Random(seed)
        self.home, self.moves = Home(folder / "home-0"), 0
        self.home.releases.mkdir(parents=True)
        self.empty = folder / "empty.db"
        sources = [{"id": id, "label_zh": id, "label_en": id, "publisher_zh": id} for id in "st"]
        write_database(self.empty, catalogue, {**_declared(catalogue), "sources": sources})
        self.day, self.names, self.oracle = FIRST, list[str](), Oracle()
        self.notices: Rows = {}
        self.listed: set[tuple[str, str]] = {("i-1", XIHU)}
        self.withdrawn: dict[str, str] = {}
        self.past: list[tuple[Rows, set[tuple[str, str]]]] = []
        self.made, self.archives = 0, dict[str, bytes]()
        self.app: Any = None

    # -- releases

    def release(self, on: date) -> None:
        """The next release: what the sources did since, or what was there before."""
        self.day, id = on, on.isoformat()
        goes_back = len(self.past) > 3 and self.draw.random() < 0.1
        taken: dict[str, str] = {}
        if goes_back:
            rows, listed = self.past[-self.draw.randrange(2, 4)]
            self.notices, self.listed = {n: dict(row) for n, row in rows.items()}, set(listed)
        else:
            self._sources(taken)
        self.withdrawn |= taken
        for n in [n for n, row in self.notices.items() if n in self.withdrawn or row["public_until"] < id]:
            del self.notices[n]
        self._enter(id, goes_back, taken)
        if self.draw.random() < 0.15:  # it was entered and never went live; the next run takes it back and makes it again
            assert history.repair(self.home.history, self.catalogue, self.names[-1] if self.names else None) == [id]
            shutil.rmtree(self.home.releases / id)
            (self.home.feeds / f"{id}.db").unlink()
            self._enter(id, goes_back, taken)
        go_live(self.home.path, id)
        only_feeds(self.home, id)
        if taken:
            forgotten.forget(self.home.history, self.catalogue)
        self.names.append(id)
        self.oracle.release(id, self.notices, self.listed, self.withdrawn, goes_back)
        self.past.append(({n: {**row, "corrections": list(row["corrections"])} for n, row in self.notices.items()}, set(self.listed)))

    def _sources(self, taken: dict[str, str]) -> None:
        draw, live = self.draw, sorted(self.notices)
        for _ in range(draw.randrange(4, 14)):
            act = draw.choice(
                [
                    "add",
                    "add",
                    "add",
                    "add",
                    "old",
                    "facts",
                    "correct",
                    "dispute",
                    "settle",
                    "move",
                    "vanish",
                    "withdraw",
                    "late",
                    "return",
                    "list",
                    "unlist",
                    "nothing",
                ]
            )
            n = draw.choice(live) if live else ""
            row = self.notices.get(n)
            if act in ("add", "old"):
                self._add(f"n-{self.made}", old=act == "old")
                self.made += 1
            elif act == "return" and (back := sorted(self.oracle.gone.keys() - self.withdrawn.keys() - self.notices.keys())):
                self._add(draw.choice(back), old=True)
            elif act == "late" and (late := sorted(self.oracle.gone.keys() - self.withdrawn.keys() - self.notices.keys())):
                taken[draw.choice(late)] = draw.choice(REASONS)
            elif act == "list":
                self.listed.add((f"i-{draw.randrange(9)}", draw.choice((XIHU, BINJIANG))))
            elif act == "unlist" and self.listed:
                self.listed.discard(draw.choice(sorted(self.listed)))
            elif row is None:
                continue
            elif act == "vanish":
                del self.notices[n]
            elif act == "withdraw" and draw.random() < 0.5:
                taken[n] = draw.choice(REASONS)
            elif act in ("facts", "correct"):
                self._rewrite(n, row)
                if act == "correct":
                    row["state"], row["corrections"] = "corrected", [*row["corrections"], self.day.isoformat()]
            elif act in ("dispute", "settle"):
                row["state"] = "disputed" if act == "dispute" else "active"
            elif act == "move":
                row["region_code"], row["violation_type"] = draw.choice((XIHU, BINJIANG, HANGZHOU, None)), draw.choice(VIOLATIONS)

    def _add(self, n: str, old: bool) -> None:
        draw, days = self.draw, timedelta(days=1)
        row = self.notices[n] = {
            "id": n, "source_id": draw.choice("sssst"), "region_code": draw.choice((XIHU, BINJIANG, HANGZHOU, None)), "authority": draw.choice(AUTHORITIES),
            "violation_type": draw.choice(VIOLATIONS), "state": "active", "document_no": f"决{n}号", "decided_on": (self.day - days * (draw.randrange(31, 400) if old else draw.randrange(31))).isoformat(),
            "public_until": (self.day + days * draw.randrange(1, 700)).isoformat(), "corrections": [], "version": draw.randrange(10**6),
        }  # fmt: skip
        self._rewrite(n, row)

    @staticmethod
    def _rewrite(n: str, row: dict[str, Any]) -> None:
        row["version"] += 1
        row["facts"] = row["title"] = row["subject_name"] = row["penalty_text"] = f"密{n}v{row['version']}密"

    def _enter(self, id: str, ours: bool, taken: Mapping[str, str]) -> None:
        """As a run enters a release, until it goes live."""
        folder = self.home.releases / id
        folder.mkdir()
        database = folder / "mingbai.db"
        shutil.copyfile(self.empty, database)
        corrections = [
            {"notice_id": n, "number": number, "kind": "correction", "recorded_on": on, "fields": "facts"}
            for n, row in self.notices.items()
            for number, on in enumerate(row["corrections"], 1)
        ]
        tables = {
            "institutions": [{"id": f"i-{n}", "name": f"机构{n}"} for n in range(9)],
            "listings": [{"id": f"l-{i}-{region}", "institution_id": i, "region_code": region} for i, region in sorted(self.listed)],
            "notices": [
                {key: value for key, value in row.items() if key not in ("corrections", "version")} for row in self.notices.values()
            ],
            "notice_statements": corrections,
        }
        with working(database) as connection:
            put(connection, tables)
        index(database, self.catalogue, folder / "search" / "index.db")
        manifest = {"id": id, "title": "test", "released_on": id, "previous": None, "sources": [], "tables": {}, "files": {}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        before = self.names[-1] if self.names else None
        live = self.home.releases / before / "mingbai.db" if before else None
        made = Assembled(database, id, {}, {}, {name: len(tables.get(name, ())) for name in self.catalogue.tables}, {}, None)
        changes = diff(made, live, self.catalogue, self.home.path / "changes.db", ours=ours, withdrawn=list(taken))
        forgotten.enter_gone(self.home.history, {n: (reason, id, n) for n, reason in taken.items()})
        history.record(self.home.history, self.catalogue, id, id, database, changes, before)
        feedfile(self.home, self.catalogue, folder, id, SITE)

    # -- the site

    async def serve(self) -> None:
        """What is live, by the server that is there or by another one over a copy of the home; its feeds may have been made anew."""
        chance = self.draw.random()
        if self.app is None or chance < 0.15:
            if self.app is not None:
                self.app.shelf.close()
                self.moves += 1
                there = self.home.path.with_name(f"home-{self.moves}")
                shutil.copytree(self.home.path, there, symlinks=True)
                shutil.rmtree(self.home.path)
                self.home = Home(there)
            self.app = build_app(self.home.path, dictionary=dictionary(self.catalogue), now=self.now, base_url=SITE, grace_seconds=0)
            self.app.shelf.open_now()
        elif chance < 0.3:
            file = self.home.feeds / f"{self.names[-1]}.db"
            was = file.read_bytes()
            file.unlink()
            feedfile(self.home, self.catalogue, self.home.releases / self.names[-1], self.names[-1], SITE)
            assert file.read_bytes() == was, "the same releases give the same bytes"
        await self.app.shelf.refresh()

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 4, tzinfo=UTC)

    async def get(self, client: httpx.AsyncClient, address: str, **headers: str) -> httpx.Response:
        """What the site answers; no text in it is of another day than today's."""
        answer = await client.get(address.removeprefix(SITE), headers=headers)
        for n, version in TOKEN.findall(answer.text):
            row = self.notices.get(n)
            assert row, f"{n} is gone and its text is in {address}"
            assert row["public_until"] >= self.day.isoformat(), f"{n} is gone and its text is in {address}"
            assert row["version"] == int(version), f"{n} says something else by now than {address}"
        if "/archive/" in address and answer.status_code == 200:
            assert self.archives.setdefault(address, answer.content) == answer.content, f"{address} has changed"
            assert not TOKEN.search(answer.text)
        return answer


# -- who subscribes ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Element:
    """What a reader finds in a document: an entry or a tombstone."""

    id: str
    what: str
    number: int
    replaces: tuple[int, ...]
    text: str = ""


def read(body: bytes) -> tuple[dict[str, Any], list[Element]]:
    """A document of any form: first, last, and the address of the archive before it; and its elements."""
    if body.startswith(b"{"):
        feed = json.loads(body)
        ours = feed["_mingbai"]
        links = {link["rel"]: link["href"] for link in ours.get("links", ())}
        found = [
            Element(item["id"], item["_mingbai"]["event"], item["_mingbai"]["number"], tuple(item["_mingbai"].get("replaces", ())), item.get("content_text", "")) for item in feed["items"]
        ]  # fmt: skip
        stones = [
            Element(it["id"], f"tombstone {it['reason']}", it["number"], tuple(it.get("replaces", ()))) for it in ours.get("deleted", ())
        ]
        for item, one in zip(feed["items"], found, strict=True):
            object.__setattr__(one, "what", f"{one.what} {item['_mingbai'].get('reason', '')}".strip())
        return {"first": ours.get("first", 0), "last": ours.get("last", 0), "before": links.get("prev-archive")}, found + stones
    root = etree.fromstring(body)
    mb, a = "{https://mingbai.example/ns/feeds/1}", "{http://www.w3.org/2005/Atom}"
    feed = root if root.tag == f"{a}feed" else root.find("channel")

    def said(element: Any, name: str) -> str:
        return element.findtext(f"{mb}{name}") or ""

    def element(one: Any, id: str, what: str) -> Element:
        text = "".join(one.findtext(tag) or "" for tag in (f"{a}content", f"{a}summary", "description"))
        return Element(
            id, f"{what} {said(one, 'reason')}".strip(), int(said(one, "number")), tuple(map(int, said(one, "replaces").split())), text
        )

    entries = [element(one, one.findtext("guid") or one.findtext(f"{a}id"), said(one, "event")) for one in feed.iter("item", f"{a}entry")]
    stones = [
        element(one, one.get("ref"), "tombstone")
        for one in feed.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry", f"{mb}deleted")
    ]
    before = next((link.get("href") for link in feed.findall(f"{a}link") if link.get("rel") == "prev-archive"), None)
    return {"first": int(said(feed, "first") or 0), "last": int(said(feed, "last") or 0), "before": before}, entries + stones


@dataclass
class Subscriber:
    """Somebody who has a feed in one form and asks for it when they think of it."""

    feed: str
    form: str
    chance: float  # of a visit after a release
    replays: bool  # where something was missed, by since/N; else by the archives
    last: int = 0
    tag: str = ""
    ends: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    async def poll(self, world: World, client: httpx.AsyncClient) -> None:
        answer = await world.get(client, f"/feeds/{self.feed}.{self.form}", **({"if-none-match": self.tag} if self.tag else {}))
        if answer.status_code == 304:
            return
        assert answer.status_code == 200, (self.feed, answer.status_code)
        self.tag = answer.headers["etag"]
        head, elements = read(answer.content)
        documents = [elements]
        if head["first"] > self.last + 1 and self.replays:
            replay = await world.get(client, f"/feeds/{self.feed}/since/{self.last}.json")
            documents = [read(replay.content)[1]]
        while head["first"] > self.last + 1 and not self.replays:
            assert head["before"], f"{self.feed} leads no further than {head['first']}"
            head, elements = read((await world.get(client, head["before"])).content)
            documents.append(elements)
        known = self.last
        for elements in reversed(documents):
            numbers = sorted(number for one in elements for number in (one.number, *one.replaces))
            assert len(numbers) == len(set(numbers)), f"{self.feed} has a number twice"
            for one in sorted(elements, key=lambda one: one.number):
                if one.number > known:  # else it is known; what has ended since is told once more by a tombstone, which any reader heeds
                    self.ends[self._name(one)] = one.what
                elif one.what.startswith("tombstone") and self._name(one) in self.ends:
                    self.texts.pop(self._name(one), None)
                    continue
                self.texts[self._name(one)] = one.text
            fresh = [number for number in numbers if number > self.last]
            assert fresh == list(range(self.last + 1, self.last + 1 + len(fresh))), f"{self.feed} lacks a number after {self.last}"
            self.last += len(fresh)
            known = max(known, self.last)

    @staticmethod
    def _name(one: Element) -> str:
        """As the oracle has it: an institution's coming or going is known by its number, which the oracle does not have."""
        name = one.id.removeprefix(TAG)
        found = re.fullmatch(r"institutions/(i-\d+)/listings/\d+", name)
        return f"{found[1]} {one.what} {name}" if found else name


async def years(world: World, releases: int, every: int) -> list[Subscriber]:
    """Let the world go on, and the subscribers with it, until all have asked once more."""
    draw = world.draw
    subscribers = [
        Subscriber(feed, draw.choice(("json", "atom", "rss")), draw.choice((1.0, 0.5, 0.15, 0.03)), draw.random() < 0.5)
        for feed in FEEDS
        for _ in range(2)
    ] + [
        Subscriber(feed, form, 0.0, replays)
        for feed, form, replays in (("records", "json", True), ("records", "atom", False), ("notices", "rss", False))
    ]
    on = FIRST
    for _ in range(releases):
        world.release(on)
        await world.serve()
        transport = httpx.ASGITransport(app=world.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://site.example", headers={"accept-encoding": "identity"}
        ) as client:
            for one in subscribers:
                if draw.random() < one.chance:
                    await one.poll(world, client)
            world.day = on + timedelta(days=draw.randrange(1, every + 1))  # some days later something may have ended
            for one in subscribers:
                if draw.random() < one.chance / 3:
                    await one.poll(world, client)
            on = world.day + timedelta(days=draw.randrange(1, every + 1))
    world.release(on)
    await world.serve()
    transport = httpx.ASGITransport(app=world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://site.example", headers={"accept-encoding": "identity"}) as client:
        for one in subscribers:
            await one.poll(world, client)
    return subscribers


def judge(world: World, subscribers: list[Subscriber]) -> None:
    for one in subscribers:
        said, expected = dict(one.ends), world.oracle.ends[one.feed]
        if one.feed.startswith("listings"):  # by their number, which makes them differ
            said = {name.rpartition(" ")[0]: what for name, what in said.items()}
            assert len(said) <= len(one.ends)
            expected = {name.rpartition(" ")[0]: what for name, what in expected.items()}
            assert len(one.ends) == world.oracle.numbers[one.feed]
        for name in _strayed(world, one.feed) & expected.keys():  # by an archive, which is as it was, or by what says so today
            assert said[name] in (expected[name], "tombstone corrected")
            assert not TOKEN.search(one.texts.get(name, "")), f"{one.feed} by {one.form} shows what is not of it any more"
            said[name] = expected[name]
        assert said == expected, f"{one.feed} by {one.form}"
        assert one.last == world.oracle.numbers[one.feed], one.feed
        for name, text in one.texts.items():
            for n, version in TOKEN.findall(text):
                assert n in world.notices, f"{one.feed} by {one.form} still has a text of {name}"
                assert world.notices[n]["version"] == int(version), f"{one.feed} by {one.form} has an old text of {name}"
        if one.feed.startswith("notices"):
            told = {re.match(r"notices/(n-\d+)", name)[1] for name in one.ends}  # type: ignore[index]
            assert told <= world.oracle.alarmed, "nobody is alarmed by what is old"


def _strayed(world: World, feed: str) -> set[str]:
    """The notices that are shown and are not of what a feed is about."""
    of = {n: {one.partition("/")[2] for one in world.oracle._facets(n, row, world.day)} for n, row in world.notices.items()}
    return {f"notices/{n}" for n, facets in of.items() if feed.partition("/")[2] not in ("", *facets)}


@pytest.fixture
def world(tmp_path: Path, catalogue: Catalogue, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tmp_path, catalogue, request.param)
    yield made
    if made.app:
        made.app.shelf.close()


@pytest.mark.parametrize("world", [1], indirect=True)
async def test_who_polls_at_random_for_five_years_ends_with_what_was_told(world):
    judge(world, await years(world, 20, every=90))
    assert world.day.year >= FIRST.year + 4


@pytest.mark.bench
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("world", range(2, 5), indirect=True)
async def test_so_does_who_polls_a_site_with_hundreds_of_releases(world):
    judge(world, await years(world, 200, every=9))
    kinds = {what.split()[0] for what in world.oracle.happened}
    assert kinds == {
        "first",
        "again",
        "changed",
        "corrected",
        "correction",
        "dispute",
        "tombstone",
        "removal",
        "entered",
        "left",
        "released",
    }
    assert {what for what in world.oracle.happened if what.startswith("removal")} >= {
        f"removal {reason}" for reason in (*REASONS, "expired", "absent", "unpublished")
    }
    assert world.oracle.numbers["records"] > 1_500
    assert world.moves > 10
