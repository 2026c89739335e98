"""Documents of feeds that are made on request: a search, an institution, an archive, a replay, and a current one of which something has ended.

They say what the release says on the day at hand, by the same entries as those that were made ahead (publish/channel.py). Those of a search and of an
institution are of the live release alone: a notice that it does not show is not there, and nothing says that it was.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from unicodedata import normalize

import orjson

import search
from feeds import FORMS, Entry, Feed, Tombstone, json_feed

from .. import catalogue
from ..channel import STYLESHEET, TITLE, Channel, Placed
from ..coverage import is_covered, why_silent
from ..entries import Teller
from ..families import FAMILIES
from ..happened import BESIDE, SHOWN, Event, instant, tag
from ..home import CHINA
from . import facts, queries
from .answer import TYPES
from .asked import REGIONS
from .ended import ended
from .feedfile import Feeds
from .notice_question import Question
from .noticing import find
from .reader import Row

NEWEST = 100  # entries of a search
MOST = 1_000_000  # that a search may find
HOUR = timedelta(hours=1)
BATCH = 50  # of a replay, between which others have their turn
SLICE = 500  # numbers of a replay that are looked at in one step
FORM = {form.name: form for form in FORMS}
ABOUT_SEARCH = "符合查询条件的公告，只含现在可以公布的；更正后不再符合、期满或撤下的从中消失，不另作说明，请同时订阅“更正与撤下”。只转载机关已公布的内容，不作评价。"
ABOUT_INSTITUTION = "与该机构关联、在公示期内的公告，和它列入或不在白名单的变动；期满或撤下的公告从中消失，不另作说明，请同时订阅“更正与撤下”。只转载机关已公布的内容，不作评价。"
OF_LISTS = "SELECT number FROM feed_events WHERE what = 'listing' AND id = ?"
OF_NUMBERS = """SELECT e.number, e.what, e.id, e.kind, r.id AS release, e.cause AS reason, e.region FROM feed_events e JOIN releases r ON r.number = e.release
    WHERE e.number IN (SELECT value FROM json_each(?))"""
OVER_IN = f"""SELECT 1 FROM feed_items i JOIN feed_events e ON e.number = i.event WHERE i.feed = ? AND i.seq >= ? AND e.what = 'notice' AND e.kind IN {(*SHOWN, *BESIDE)}
    AND e.id IN (SELECT value FROM json_each(?)) LIMIT 1"""
IN_FORCE = f"SELECT n.id FROM notices n WHERE n.id IN (SELECT value FROM json_each(?1)) AND {queries.IN_FORCE}"


class Other(Exception):
    """Another release is served meanwhile."""


@dataclass(frozen=True)
class Document:
    """A document and when it became what it is: the same on every machine. None: nobody can say, since the feeds were made for another address or hub."""

    body: bytes
    type: str
    modified: datetime | None


@dataclass(frozen=True)
class Maker:
    """Makes documents of a release's feeds on a day, for a site at an address without a slash at its end."""

    feeds: Feeds
    today: str
    site: str
    hubs: Sequence[str] = ()

    @property
    def _channel(self) -> Channel:
        """What the feeds tell today."""
        return Channel(self.feeds.rows, self.feeds.reader.rows, Teller(_declared(), self.site), self.hubs, self.today)

    def is_over(self, row: Row) -> bool:
        """Whether something that the current document of a feed tells may not be told today, although the release has it."""
        gone = ended(self.feeds.reader, self.today).gone["notices"]
        return gone != "[]" and bool(self.feeds.rows(OVER_IN, row["feed"], row["first"], gone))

    def updated(self, row: Row) -> str:
        """When a feed last told something, as its documents say it."""
        return self._channel.updated(row).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def mark(self, row: Row) -> str:
        """What stands for all that a feed told."""
        return self._channel.mark(row["feed"], row["last"])

    def not_of(self, row: Row, notices: Collection[str]) -> frozenset[str]:
        """Those of these notices that are not of what a feed is about, although it told of them once."""
        return self._channel.not_of(row["feed"], notices)

    def current(self, row: Row, form: str) -> Document:
        """The current document of a feed, as what is made ahead would say it today."""
        return self._of_today(self._channel.current(row, FORM[form]), form, [row["feed"]])

    def archive(self, row: Row, page: int, form: str) -> Document:
        """A full archive."""
        made = self._channel.archive(row, page, FORM[form])
        return Document(FORM[form](made), TYPES[f".{form}"], self.modified())

    def since(self, row: Row, after: int, is_served: Callable[[], bool]) -> Iterator[bytes]:
        """Every number after one as JSON, part by part. What is no more comes first, in the head: it takes no room.

        Each step takes little time, however much there is. Raises Other as soon as the release is not `is_served` any more: what is still to come
        may have been withdrawn, and a document without its end is no JSON.
        """
        for part in self._since(row, after):
            if not is_served():
                raise Other("another release is served: ask again")
            yield part

    def _since(self, row: Row, after: int) -> Iterator[bytes]:
        channel = self._channel
        placed = yield from self._placed(channel, row, after)
        gone: list[Placed] = []
        told: list[Placed] = []
        for at in range(0, len(placed), SLICE):
            self._part(channel.strayed(row["feed"], part := placed[at : at + SLICE]), part, gone, told)
            yield b""
        stones: dict[int, Entry | Tombstone] = {}
        for at in range(0, len(gone), SLICE):
            stones |= channel.told(row["feed"], gone[at : at + SLICE])
            yield b""
        head = channel.filled(channel.head(row, json_feed), gone, stones)
        assert not head.entries
        address = f"{self.site}/feeds/{row['feed']}/since/{after}.json"
        yield from json_feed.parts(
            replace(head, url_self=address, first=after + 1 if placed else 0, links=(), mark_before=channel.mark(row["feed"], after)),
            self._batches(channel, told),
        )

    @staticmethod
    def _placed(channel: Channel, row: Row, after: int) -> Generator[bytes, None, list[Placed]]:
        """What stands at the numbers after one, newest first, read in slices; an entry once, with its newest number."""
        found: dict[str, Placed] = {}
        older: dict[str, list[int]] = {}
        for last in range(row["last"], after, -SLICE):
            for one in channel.placed(row["feed"], max(after + 1, last - SLICE + 1), last):
                if found.setdefault(one.event.entry, one) is not one:
                    older.setdefault(one.event.entry, []).extend((*one.replaces, one.number))
            yield b""
        return [
            replace(one, replaces=tuple(sorted((*one.replaces, *older[entry])))) if entry in older else one for entry, one in found.items()
        ]

    def _part(self, strayed: Collection[int], placed: Sequence[Placed], gone: list[Placed], told: list[Placed]) -> None:
        """Put what may be told today and what has gone, or `strayed` from what the feed is about, on their lists."""
        ids = [one.event.id for one in placed if one.event.what == "notice" and one.event.kind in SHOWN]
        shown = {row["id"] for row in self.feeds.reader.rows(IN_FORCE, orjson.dumps(ids).decode(), self.today)}
        for one in placed:
            event = one.event
            is_gone = event.what == "notice" and (
                event.number in strayed or event.kind == "tombstone" or (event.kind in SHOWN and event.id not in shown)
            )
            (gone if is_gone else told).append(one)

    @staticmethod
    def _batches(channel: Channel, placed: list[Placed]) -> Iterator[tuple[Entry, ...]]:
        for at in range(0, len(placed), BATCH):
            batch = placed[at : at + BATCH]
            found = channel.tell([one.event for one in batch])
            entries = [found[one.event.number] for one in batch]
            if any(isinstance(one, Tombstone) for one in entries):  # it would be missing, and a number with it
                raise ValueError("a notice in force has a tombstone")
            yield tuple(
                replace(entry, number=one.number, replaces=one.replaces)
                for entry, one in zip(entries, batch, strict=True)
                if isinstance(entry, Entry)
            )

    # -- of the live release alone -----------------------------------------------------------------------------------

    def institution(self, found: Row, form: str) -> Document:
        """What the release says of an institution: the notices in force that are linked to it, and how it came to the white list or left it."""
        id, numbers = found["id"], self.feeds.newest(is_alert=False)
        told = [numbers[notice["id"]] for notice in found["notices"] if notice["id"] in numbers]
        told += [row["number"] for row in self.feeds.rows(OF_LISTS, id)]
        address = f"{self.site}/feeds/institutions/{id}.{form}"
        head = self._head(f"feeds/institutions/{id}", str(found["name"]), ABOUT_INSTITUTION, address, f"{self.site}/institutions/{id}")
        return self._filled(replace(head, is_complete=True), sorted(told, reverse=True), form)

    def search(self, question: Question, family: str, form: str, asked: str) -> Document | search.Problem:
        """What a search finds today, what was told last first; the problem where the query is none. Raises NoIndex.

        The document names itself by what was `asked`: there are several ways to ask the same, and a reader compares it with the address it has.
        """
        days = {"decided_on": (question.since or None, question.until or None)}
        found = find(self.feeds.reader, self.today, question.query, ranges=days, filters=question.filters, limit=MOST, meant=False)
        if found.problem is not None:
            return found.problem
        numbers = self.feeds.newest(is_alert=family == "notices")
        told = sorted((numbers[id] for id in found.ids if id in numbers), reverse=True)
        link = question.link()
        title = f"{FAMILIES[family][0]} · {self._described(question)}"
        head = self._head(
            f"feeds/{family}?{_composed(question).link()}",
            title,
            ABOUT_SEARCH,
            f"{self.site}/feeds/{family}.{form}?{asked}",
            f"{self.site}/notices?{link}",
        )
        feed, why = self.silence(question)
        about = ABOUT_SEARCH + (f" {why_silent(feed, why)}" if why else "")
        covered = is_covered(feed, why)
        return self._filled(
            replace(head, subtitle=about, is_covered=covered, is_complete=len(told) <= NEWEST), told[:NEWEST], form, _places(question)
        )

    def silence(self, question: Question) -> tuple[str, str | None]:
        """The feed of the place that is asked about, and why that may be silent today."""
        keys = _places(question)
        covered = facts.coverage(self.feeds.reader, self.today)
        return next(((key, why) for key in keys if (why := covered.of_feed(key))), (keys[0], None))

    def _head(self, id: str, title: str, about: str, address: str, page: str) -> Feed:
        return Feed(
            id=tag(id), title=f"{TITLE} · {title}", subtitle=about, url_self=address, url_html=page, language="zh-CN", updated=instant(self.feeds.reader.id),
            entries=(), author=TITLE, stylesheet=f"{self.site}{STYLESHEET}",
        )  # fmt: skip

    def _filled(self, head: Feed, numbers: list[int], form: str, places: Sequence[str] = ()) -> Document:
        """A document of the entries of these events of the ledger, in their order; one that may not be told today is not there. It says why the feeds
        of these places may be silent."""
        rows = {row["number"]: row for row in self.feeds.rows(OF_NUMBERS, orjson.dumps(numbers).decode())}
        events = [
            Event(**{**rows[number], "reason": rows[number]["reason"] or "", "region": rows[number]["region"] or ""}) for number in numbers
        ]
        told = self._channel.tell(events)
        entries = tuple(entry for event in events if isinstance(entry := told[event.number], Entry))
        updated = max((entry.updated for entry in entries), default=head.updated)
        return self._of_today(replace(head, entries=entries, updated=updated), form, places)

    def _of_today(self, feed: Feed, form: str, places: Sequence[str]) -> Document:
        return Document(FORM[form](feed), TYPES[f".{form}"], self.modified(places))

    def modified(self, places: Sequence[str] = ()) -> datetime | None:
        """When a document of the day became what it is: with the feeds, or at the last midnight where something may have ended since, or the feeds of these
        places are not as silent as on the day of the release. That is an hour before, since a release of the new day comes after it, and as much later as
        the feeds were made again for their release."""
        if not self.feeds.is_for(self.site, self.hubs):
            return None
        since = self.feeds.modified
        reader = self.feeds.reader
        now, then = facts.coverage(reader, self.today), facts.coverage_then(reader, self.today)
        if ended(reader, self.today).notices or any(now.of_feed(place) != then.of_feed(place) for place in places):
            midnight = datetime.combine(date.fromisoformat(self.today), time(0), CHINA)
            return max(since, midnight - HOUR + (since - instant(reader.id)))
        return since

    def _described(self, question: Question) -> str:
        """A search in words, for its title."""
        reader = self.feeds.reader
        chosen = [
            reader.region(value, None, "zh")
            if name in REGIONS
            else reader.label(Question.CODES[name], value, "zh")
            if name in Question.CODES
            else value
            for name, value, _ in question.chosen
        ]
        days = f"{question.since}—{question.until}" if question.since or question.until else ""
        return " · ".join(filter(None, (question.query, *chosen, days)))


def _places(question: Question) -> list[str]:
    """The feeds of the places that are asked about."""
    places = next((found for level in reversed(REGIONS) if (found := question.filters.get(level))), ())
    whole = "notices/authority/" if question.filters.get("authority") else "notices"  # of an authority it is not said
    return [f"notices/region/{code}" for code in places] or [whole]


def _composed(question: Question) -> Question:
    """A question with each character written in one way (NFC): as an id, which is compared by its bytes, has it."""
    filters = {name: tuple(normalize("NFC", value) for value in values) for name, values in question.filters.items()}
    return replace(question, query=normalize("NFC", question.query), filters=filters)


@cache
def _declared() -> catalogue.Catalogue:
    """The declarations, which have the labels of entries; 0.2 s to read, and only whoever makes something waits for them."""
    return catalogue.load()
