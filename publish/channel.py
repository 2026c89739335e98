"""A feed as its documents: what is current, an archive, what came after a number. Read from feeds/ID.db, whose numbers say what stands where, and
from the release, which says what may be told of it today.

An element stands for every earlier number of its entry in the same document, so that the numbers shown and those replaced have no gap. What
the ledger tells of and the release does not show any more, whose term is over on the day at hand, or what is no more of the feed's own region,
violation, seriousness or authority, has a tombstone, never a text. An archive is the
same for ever, byte for byte: it is made of the ledger alone, and its title of the feed's key.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from feeds import Entry, Feed, Form, Link, Tombstone

from .coverage import is_covered, why_silent
from .entries import Teller
from .families import FAMILIES, authority_key
from .happened import BESIDE, ENDED, SHOWN, Event, instant, tag
from .meant import FORMER
from .notice_entry import Notice, Row, notice_entry
from .regions import COUNTRY
from .rules import SHOWN_STATES, last_day

Ask = Callable[..., Iterable[Row]]  # (sql, *values)
PAGE = 100  # numbers of an archive
TITLE = "明白"
STYLESHEET = "/static/feed.css"  # of the site, for who opens the XML in a browser
OF_ITEMS = """SELECT i.seq, e.number, e.what, e.id, e.kind, r.id AS release, e.cause, e.region FROM feed_items i JOIN feed_events e ON e.number = i.event
    JOIN releases r ON r.number = e.release WHERE i.feed = ? AND i.seq BETWEEN ? AND ? ORDER BY i.seq DESC"""
DATES = f"""SELECT e.id, p.id AS published, u.id AS updated FROM (SELECT id, min(release) AS first, max(release) AS last FROM feed_events
    WHERE id IN (SELECT value FROM json_each(?)) AND what = 'notice' AND kind IN {SHOWN} GROUP BY id) e
    JOIN releases p ON p.number = e.first JOIN releases u ON u.number = e.last"""
MARK = """SELECT r.mark FROM feed_items i JOIN feed_events e ON e.number = i.event JOIN releases r ON r.number = e.release
    WHERE i.feed = ? AND i.seq = ?"""
FIRST_RELEASE = "SELECT id FROM releases ORDER BY number LIMIT 1"
ACTS = "SELECT event, act, statement FROM feed_acts WHERE event IN (SELECT value FROM json_each(?)) ORDER BY event, statement, act"
LAST_DAY = "SELECT max(day) AS day FROM releases"
HAS_STATEMENTS = "SELECT 1 FROM sqlite_master WHERE name = 'notice_statements'"  # not in a release from before they were declared
COUNTS = f"""SELECT iif(kind = 'removal' AND cause IN {tuple(ENDED)}, cause, kind) AS what, count(*) AS n FROM feed_events
    WHERE release = (SELECT number FROM releases WHERE id = ?) GROUP BY 1"""
OF_NOTICES = "WHERE notice_id IN (SELECT value FROM json_each(?)) ORDER BY notice_id"
NOTICES = """SELECT n.*, d.title AS document_title, d.url AS document_url, coalesce(d.as_of, s.as_of) AS document_as_of FROM json_each(?) j CROSS JOIN notices n ON n.id = j.value
    LEFT JOIN documents d ON d.id = n.document_id LEFT JOIN sources s ON s.id = n.source_id"""
LINKS = f"SELECT k.*, i.name FROM notice_links k JOIN institutions i ON i.id = k.institution_id {OF_NOTICES}, institution_id"
STATEMENTS = f"SELECT * FROM notice_statements {OF_NOTICES}, number"
PENALTIES = f"SELECT notice_id, penalty_code AS code FROM notice_penalties {OF_NOTICES}, code"
MEASURES = f"SELECT notice_id, measure_code AS code FROM notice_measures {OF_NOTICES}, code"
OF_FACETS = "SELECT id, region_code, violation_type, seriousness, authority FROM notices WHERE id IN (SELECT value FROM json_each(?))"
INSTITUTIONS = "SELECT id, name FROM institutions WHERE id IN (SELECT value FROM json_each(?))"
GONE = "SELECT id, name FROM feed_gone WHERE id IN (SELECT value FROM json_each(?))"
HAS_LINEAGE = "SELECT 1 FROM sqlite_master WHERE name = 'institution_lineage'"
SUCCESSORS = """WITH RECURSIVE onward(old, id, kind) AS (
    SELECT predecessor_id, successor_id, kind FROM institution_lineage WHERE predecessor_id IN (SELECT value FROM json_each(?))
    UNION SELECT o.old, l.successor_id, NULL FROM onward o JOIN institution_lineage l ON l.predecessor_id = o.id)
  SELECT o.old, i.id, i.name, max(o.kind) AS kind FROM onward o JOIN institutions i ON i.id = o.id GROUP BY 1, 2 ORDER BY 1, 2"""
LISTINGS = """SELECT l.institution_id, l.region_code, l.list, l.subject_name, l.authority, l.batch_label, coalesce(l.as_of, d.as_of, s.as_of) AS as_of, l.valid_until, l.absent_since,
    d.url AS document_url FROM listings l LEFT JOIN documents d ON d.id = l.document_id LEFT JOIN sources s ON s.id = l.source_id
    WHERE l.list = 'white' AND l.institution_id IN (SELECT value FROM json_each(?)) ORDER BY l.institution_id, l.id"""
FORMERS = f"SELECT institution_id, name FROM institution_aliases WHERE kind = '{FORMER}' AND institution_id IN (SELECT value FROM json_each(?)) ORDER BY institution_id, name"


@dataclass(frozen=True, slots=True)
class Placed:
    """An event as a document has it: its number there, and the earlier numbers that it stands for."""

    event: Event
    number: int
    replaces: tuple[int, ...] = ()


@dataclass(frozen=True)
class Channel:
    """The feeds of a release. `feeds` asks feeds/ID.db and `live` the release's mingbai.db; `today` is the day in China, where it may be later than the release's."""

    feeds: Ask
    live: Ask
    teller: Teller
    hubs: Sequence[str] = ()
    today: str | None = None

    def placed(self, feed: str, first: int, last: int) -> list[Placed]:
        """What stands at these numbers of a feed, newest first; an entry once, with its newest number."""
        found: dict[str, tuple[int, Event, list[int]]] = {}
        for row in self.feeds(OF_ITEMS, feed, first, last):
            event = Event(row["number"], row["what"], row["id"], row["kind"], row["release"], row["cause"] or "", row["region"] or "")
            newest = found.setdefault(event.entry, (row["seq"], event, []))
            if newest[0] != row["seq"]:
                newest[2].append(row["seq"])
        return [Placed(event, number, tuple(reversed(replaced))) for number, event, replaced in found.values()]

    def tell(self, events: Sequence[Event]) -> dict[int, Entry | Tombstone]:
        """What may be said today of each event, by its number in the ledger. Reads by the batch: some hundred at once cost little more than one."""
        shown = [event for event in events if event.what == "notice" and event.kind in SHOWN]
        notices = self.notices({event.id for event in events if event.what == "notice" and event.kind in (*SHOWN, *BESIDE)})
        dates = {row["id"]: row for row in self._of({event.id for event in shown}, self.feeds, DATES)}
        told: dict[int, Entry | Tombstone] = {event.number: self._notice(event, notices.get(event.id), dates[event.id]) for event in shown}
        listed = {event.id for event in events if event.what == "listing"}
        institutions = {row["id"]: row for row in self._of(listed, self.live, INSTITUTIONS)}
        if gone := listed - institutions.keys():
            institutions |= self._gone_institutions(gone)
        listings, formers = _by(self._of(listed, self.live, LISTINGS), "institution_id"), self._formers(listed)
        acts = _by(self._of({event.number for event in events if event.kind in BESIDE}, self.feeds, ACTS), "event")
        released_on = next(iter(self.feeds(LAST_DAY)))["day"]  # of the live release: the documents made ahead are of that day
        for event in events:
            if event.what == "listing":
                here = [row for row in listings.get(event.id, ()) if (row["region_code"] or "") == event.region]
                told[event.number] = self.teller.listing(event, institutions.get(event.id), here, formers.get(event.id, ()), released_on)
            elif event.what == "release":
                told[event.number] = self.teller.release(event, {row["what"]: row["n"] for row in self.feeds(COUNTS, event.release)})
            elif event.kind == "tombstone":
                told[event.number] = self.teller.tombstone(event)
            elif event.kind == "removal":
                told[event.number] = self.teller.removal(event)
            elif event.kind in BESIDE:
                notice = notices.get(event.id)
                shown_today = notice if notice and not self._gone(event, notice) else None
                told[event.number] = getattr(self.teller, event.kind)(event, acts.get(event.number, ()), shown_today)
        return told

    def told(self, feed: str, placed: Sequence[Placed]) -> dict[int, Entry | Tombstone]:
        """What may be said today in a feed of what stands in it, by the number in the ledger."""
        told = self.tell([one.event for one in placed])
        return told | {number: stone for number, stone in self.strayed(feed, placed).items() if isinstance(told[number], Entry)}

    def strayed(self, feed: str, placed: Sequence[Placed]) -> dict[int, Tombstone]:
        """A tombstone for each notice that the release has and that is not of the feed's facet any more: 「公告 · 严重」 must not go on showing what
        was corrected to 一般. Whoever was told of it there is told so, and what it is now is in the feeds of that."""
        shown = [one.event for one in placed if one.event.what == "notice" and one.event.kind in SHOWN]
        gone = self.not_of(feed, {event.id for event in shown})
        return {event.number: self.teller.tombstone(event, reason="corrected") for event in shown if event.id in gone}

    def not_of(self, feed: str, notices: Collection[str]) -> frozenset[str]:
        """Those of these notices that the release has and that are not of the feed's facet."""
        facet, _, code = feed.partition("/")[2].partition("/")
        rows = self._of(notices, self.live, OF_FACETS) if facet else ()
        return frozenset(row["id"] for row in rows if code not in self._codes(facet, row))

    def _codes(self, facet: str, row: Row) -> Collection[str | None]:
        """The codes of a facet that a notice has: of its region and all above it."""
        if facet == "region":
            code = row["region_code"]
            return (code, *(above.code for above in self.teller.catalogue.regions.ancestors(code))) if code and code != COUNTRY else ()
        if facet == "authority":
            return (authority_key(row["authority"]),)
        return (row["violation_type" if facet == "violation" else facet],)

    def notices(self, ids: Iterable[str]) -> dict[str, Notice]:
        """The notices with these ids that the release has."""
        rows = {row["id"]: row for row in self._of(ids, self.live, NOTICES)}
        links, penalties, measures = (_by(self._of(rows, self.live, sql), "notice_id") for sql in (LINKS, PENALTIES, MEASURES))
        formers = self._formers({link["institution_id"] for several in links.values() for link in several})
        links = {id: [{**link, "former": formers.get(link["institution_id"], ())} for link in several] for id, several in links.items()}
        said = _by(self._of(rows, self.live, STATEMENTS) if list(self.live(HAS_STATEMENTS)) else (), "notice_id")
        return {
            id: Notice(row, links.get(id, ()), said.get(id, ()), *([one["code"] for one in of.get(id, ())] for of in (penalties, measures)))
            for id, row in rows.items()
        }

    def _gone_institutions(self, ids: Collection[str]) -> dict[str, Row]:
        """Institutions that the release has no more: what they were called last, and the ones that took their place."""
        names = {row["id"]: row["name"] for row in self._of(ids, self.feeds, GONE)}
        after = _by(self._of(ids, self.live, SUCCESSORS) if list(self.live(HAS_LINEAGE)) else (), "old")
        return {id: {"name": names.get(id), "successors": after.get(id, ())} for id in ids}

    def _formers(self, institutions: Iterable[str]) -> dict[str, list[str]]:
        """The former names of institutions, by their ids."""
        return {id: [row["name"] for row in rows] for id, rows in _by(self._of(institutions, self.live, FORMERS), "institution_id").items()}

    def current(self, row: Row, form: Form) -> Feed:
        """What subscribers ask for: the newest numbers of a feed, from `first` to `last` of its row in feeds/ID.db."""
        placed = self.placed(row["feed"], row["first"], row["last"])
        return self.filled(self.head(row, form), placed, self.told(row["feed"], placed))

    def head(self, row: Row, form: Form) -> Feed:
        """The current document without what it tells; with why it may be silent where something happened, by `silence` of its row."""
        feed, label, why = row["feed"], row["label_zh"], row.get("silence")
        archives = (
            [Link("prev-archive", self.archive_address(feed, row["last"] // PAGE, form), form.media_type)] if row["last"] >= PAGE else []
        )
        title, about = FAMILIES[row["family"]]
        return Feed(
            id=tag(f"feeds/{feed}"), title=" · ".join(filter(None, (TITLE, title, label))), subtitle=about + (f" {why_silent(feed, why)}" if why else ""), url_self=f"{self._address(feed)}.{form.name}",
            url_html=self._address(feed), language="zh-CN", updated=self.updated(row), entries=(), author=TITLE, links=(*self._hub(), *archives),
            first=row["first"] if row["last"] else 0, last=row["last"], since=f"{self._address(feed)}/since/{row['last']}.json",
            heartbeat=f"{self._address(feed)}/heartbeat.json", is_covered=is_covered(feed, why), stylesheet=f"{self.teller.site}{STYLESHEET}",
            mark=self.mark(feed, row["last"]),
        )  # fmt: skip

    def archive(self, row: Row, page: int, form: Form) -> Feed:
        """The numbers of one full page of a feed, from page 1 on. Its bytes never change."""
        feed, (title, about) = row["feed"], FAMILIES[row["family"]]
        placed = self.placed(feed, (page - 1) * PAGE + 1, page * PAGE)
        before = [Link("prev-archive", self.archive_address(feed, page - 1, form), form.media_type)] if page > 1 else []
        after = Link("next-archive", self.archive_address(feed, page + 1, form), form.media_type)
        bare = Feed(
            id=tag(f"feeds/{feed}"), title=" · ".join(filter(None, (TITLE, title, feed.partition("/")[2], f"存档 {page}"))), subtitle=about,
            url_self=self.archive_address(feed, page, form), url_html=self._address(feed), language="zh-CN", updated=instant(placed[0].event.release), entries=(), author=TITLE,
            links=(Link("current", f"{self._address(feed)}.{form.name}", form.media_type), *before, after), first=(page - 1) * PAGE + 1, last=page * PAGE, is_archive=True,
            stylesheet=f"{self.teller.site}{STYLESHEET}",
        )  # fmt: skip
        told: dict[int, Entry | Tombstone] = {
            one.event.number: self.teller.tombstone(one.event) if one.event.kind == "tombstone" else self.teller.archived(one.event) for one in placed
        }  # fmt: skip
        return self.filled(bare, placed, told)

    @staticmethod
    def filled(feed: Feed, placed: Sequence[Placed], told: Mapping[int, Entry | Tombstone]) -> Feed:
        """A feed with what is told of each event, in its place."""
        numbered = [replace(told[one.event.number], number=one.number, replaces=one.replaces) for one in placed]
        return replace(
            feed,
            entries=tuple(one for one in numbered if isinstance(one, Entry)),
            tombstones=tuple(one for one in numbered if isinstance(one, Tombstone)),
        )

    def updated(self, row: Row) -> datetime:
        """When a feed last told something; of one that never did, when there was the first release."""
        return instant(row["updated"] or next(iter(self.feeds(FIRST_RELEASE)))["id"])

    def mark(self, feed: str, number: int) -> str:
        """What stands for all that was told up to a number of a feed: another one where the number means something else."""
        return next((row["mark"] for row in self.feeds(MARK, feed, number)), "")

    def archive_address(self, feed: str, page: int, form: Form) -> str:
        """Where an archive is."""
        return f"{self._address(feed)}/archive/{page}.{form.name}"

    def _address(self, feed: str) -> str:
        return f"{self.teller.site}/feeds/{feed}"

    def _hub(self) -> tuple[Link, ...]:
        return tuple(Link("hub", hub) for hub in self.hubs)

    def _notice(self, event: Event, notice: Notice | None, dates: Row) -> Entry | Tombstone:
        if gone := self._gone(event, notice):
            return gone
        assert notice is not None
        return notice_entry(self.teller, notice, dates["published"], dates["updated"], event.kind)

    def _gone(self, event: Event, notice: Notice | None) -> Tombstone | None:
        """The tombstone of what may not be shown today."""
        if notice is None or notice.row["state"] not in SHOWN_STATES:
            return self.teller.tombstone(event, reason="unpublished")
        if self.today is not None and (last := last_day(notice.row["public_until"])) < self.today:
            return self.teller.tombstone(event, instant((date.fromisoformat(last) + timedelta(days=1)).isoformat()), "expired")
        return None

    @staticmethod
    def _of(ids: Iterable[str] | Iterable[int], ask: Ask, sql: str) -> Iterable[Row]:
        asked = sorted(ids)
        return ask(sql, orjson.dumps(asked).decode()) if asked else ()


def _by(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found
