"""Everything under /feeds for machines: documents, archives, replays, heartbeats, and what is refused with a word on what there is.

A document that was made ahead leaves as it is until something in it has ended; then, and for all that is not made ahead, it is rendered for the day.
Answers are kept for the day, so that whoever polls takes none of our time. Nobody's search is written down.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import search

from ..channel import PAGE
from ..coverage import is_covered, why_silent
from ..families import CODES, FACETS, authority_key, told_by
from . import facts, feed_question
from .answer import SHOWN_AS, TYPES, Answer, as_json, moved, packed
from .asked import NoSuchChoice
from .feedfile import FORMS, SEARCHED, Feeds
from .feedlists import FeedLists
from .feedmade import Document, Maker
from .frame import Frame
from .notice_question import Question
from .noticing import misunderstood, why_misunderstood
from .reader import NoIndex, Reader, Row
from .shelf import Shelf
from .visit import Visit, address, spelt

AGAIN = (("cache-control", "no-cache"),)  # a cache asks again: a notice ends at midnight
FOR_EVER = (("cache-control", "public, max-age=31536000, immutable"),)
UNFOUND = ("x-robots-tag", "noindex")  # numbers of what was withdrawn stand there for those who took it, not for search engines
NOT_KEPT = (("cache-control", "no-store"),)
FORM_OF = f"(?P<form>{'|'.join(FORMS)})"
KEY = "(?P<key>[a-z]{1,20}(/[a-z]{1,20}/[A-Za-z0-9_]{1,64})?)"
log = logging.getLogger(__name__)
Made = Callable[[Visit, Reader, Feeds], Answer]


class NoSuchFeed(Exception):
    """There is no feed at the address; `known` says what there is."""

    def __init__(self, known: str) -> None:
        super().__init__(known)
        self.known = known


class FeedPages:
    """`render` and `problem` are those of Pages, `status` gives what the last run said."""

    def __init__(
        self,
        shelf: Shelf,
        render: Callable[..., Answer],
        problem: Callable[..., Answer],
        status: Callable[[], Mapping[str, Any] | None],
        frame: Frame,
        hubs: Sequence[str],
    ) -> None:
        self._shelf, self._problem, self._status, self._frame, self._hubs = shelf, problem, status, frame, hubs
        self._lists = FeedLists(render, frame)
        self._routes: list[tuple[re.Pattern[str], Made]] = [
            (re.compile(pattern), made)
            for pattern, made in (
                (r"/feeds", self._lists.index),
                (r"/feeds(/(?P<key>[a-z]{1,20}))?\.opml", self._opml),
                (r"/feeds/region/(?P<code>[0-9]{1,12})\.opml", self._region_opml),
                (rf"/feeds/institutions/(?P<id>[A-Za-z0-9_-]{{1,64}})(\.{FORM_OF})?", self._institution),
                (rf"/feeds/{KEY}/archive/(?P<page>[1-9][0-9]{{0,8}})\.{FORM_OF}", self._archive),
                (rf"/feeds/{KEY}/since/(?P<after>[0-9]{{1,12}})\.json", self._since),
                (rf"/feeds/{KEY}/heartbeat\.json", self._heartbeat),
                (rf"/feeds/{KEY}/(?P<what>since/[0-9]{{1,12}}|heartbeat)(\.{FORM_OF})?", self._only_json),
                (rf"/feeds/{KEY}\.{FORM_OF}", self._document),
                (rf"/feeds/{KEY}", self._page),
            )
        ]

    def hot(self, reader: Reader, today: str, path: str, query: bytes) -> Answer | None:
        """An answer that was given before on this day and needs nothing of a page."""
        feeds = self._shelf.feeds_seen(reader)
        return feeds.kept(today).get((path, query)) if feeds else None

    def page(self, visit: Visit, reader: Reader) -> Answer:
        feeds = self._shelf.feeds(reader)
        if feeds is None:
            return self._problem(visit, 503, "feed_unavailable")
        if answer := feeds.kept(visit.today).get(_asked(visit)):
            return answer
        onward = {"onward": address("/feeds", visit.lang), "onward_said": "feed.to_index"}
        try:
            for pattern, made in self._routes:
                if match := pattern.fullmatch(visit.path):
                    parts = {name: text for name, text in match.groupdict().items() if text is not None}
                    return made(replace(visit, parts=parts), reader, feeds)
            raise NoSuchFeed(f"{', '.join(f'/feeds/{family}' for family in FACETS)}; {', '.join(f'.{form}' for form in FORMS)}")
        except NoSuchFeed as no:
            return self._problem(visit, 404, "feed", {"known": no.known}, **onward)
        except NoSuchChoice as no:
            return self._problem(visit, 400, no.kind, {"name": no.name, "known": no.known}, **onward)
        except ValueError:  # more keys than anybody has to ask for
            return self._problem(visit, 400, "bad_request")

    def _feed(self, visit: Visit, feeds: Feeds) -> Row:
        """The feed of an address, with why it may be silent today and, as `told_silence`, when its documents were made. Raises NoSuchFeed."""
        key = visit.parts.get("key", "notices")
        if found := feeds.find(key):
            return {**found, "silence": facts.coverage(feeds.reader, visit.today).of_feed(key), "told_silence": found.get("silence")}
        family, facet = (*key.split("/"), "")[:2]
        if family not in FACETS:
            raise NoSuchFeed(", ".join(f"/feeds/{one}" for one in FACETS))
        if facet not in FACETS[family]:
            raise NoSuchFeed(", ".join((f"/feeds/{family}", *(f"/feeds/{family}/{one}/…" for one in FACETS[family]))))
        if facet in CODES:
            raise NoSuchFeed(", ".join(told_by(facet, feeds.reader.codes(CODES[facet]))))
        meant = feed_question.places(key.rpartition("/")[2], feeds.reader, visit.today) if facet == "region" else ()
        if meant:
            raise NoSuchFeed(", ".join(f"/feeds/{family}/region/{code} ({feeds.reader.region(code, None, visit.lang)})" for code in meant))
        raise NoSuchFeed(f"/feeds/{family}/{facet}/{'350102' if facet == 'region' else 'd41d8cd98f00'} → /feeds")

    def of_notice(self, notice: Row, reader: Reader) -> str:
        """The feed that somebody who reads a notice may want: that of its authority, else of its region, else all."""
        feeds = self._shelf.feeds(reader)
        keys = [f"notices/authority/{authority_key(notice['authority'])}"] if notice["authority"] else []
        keys += [f"notices/region/{notice['region_code']}"] if notice["region_code"] else []
        return next((key for key in keys if feeds and feeds.find(key)), "notices")

    def _page(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        feed = self._feed(visit, feeds)
        if visit.pairs and feed["feed"] in SEARCHED:
            return self._lists.search(visit, feeds, feed["feed"], feed_question.question(visit, reader))
        feed_question.nothing(visit, feed["feed"])
        return self._lists.page(visit, reader, feeds, feed)

    def _opml(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        feed_question.nothing(visit, visit.path.removeprefix("/feeds/"))
        return self._lists.opml(visit, feeds, self._feed(visit, feeds)["feed"] if "key" in visit.parts else None)

    def _region_opml(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        feed_question.nothing(visit, f"region/{visit.parts['code']}.opml")
        if made := self._lists.region_opml(visit, feeds, visit.parts["code"]):
            return made
        raise NoSuchFeed("/feeds/region/350102.opml → /feeds")

    # -- documents ---------------------------------------------------------------------------------------------------

    def _document(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        feed, form = self._feed(visit, feeds), visit.parts["form"]
        if visit.pairs and feed["feed"] in SEARCHED:
            return self._search(visit, reader, feeds, feed_question.question(visit, reader))
        feed_question.nothing(visit, feed["feed"])
        made, maker = feeds.document(feed["feed"], form), self._maker(visit, feeds)
        if made and feed["silence"] == feed["told_silence"] and not maker.is_over(feed):
            headers = (*_headers(feeds.modified, TYPES[f".{form}"]), *self._links(feed, form), ("etag", f'"{made["etag"]}"'))
            codings = {name: made[column] for name, column in (("br", "brotli"), ("gzip", "gzip")) if made[column]}
            return self._keep(visit, feeds, Answer(200, b"", TYPES[f".{form}"], headers, codings=codings), is_ours=True)
        return self._keep(visit, feeds, _answer(maker.current(feed, form), (*AGAIN, *self._links(feed, form))))

    def _links(self, feed: Row, form: str) -> tuple[tuple[str, str], ...]:
        """What a WebSub hub looks for before it brings a document to its subscribers (section 4 of the recommendation). Nothing where the site was
        not told its address: whoever asks would name it."""
        if not (self._hubs and self._frame.is_told):
            return ()
        named = [(hub, "hub") for hub in self._hubs] + [(f"{self._frame.root}/feeds/{feed['feed']}.{form}", "self")]
        return (("link", ", ".join(f'<{where}>; rel="{rel}"' for where, rel in named)),)

    def _search(self, visit: Visit, reader: Reader, feeds: Feeds, question: Question) -> Answer:
        """What a search for notices finds, as a document of its own; by the same rules of what may be found (noticing.py)."""
        family, form = visit.parts["key"], visit.parts["form"]
        if not question.pairs():
            return moved(f"/feeds/{family}.{form}")
        try:
            made = self._maker(visit, feeds).search(question, family, form, visit.query)
        except NoIndex:
            return self._problem(visit, 503, "unsearchable")
        except Exception:  # what the index cannot answer is "cannot say", never an empty feed
            log.exception("the index of notices failed")  # without the query
            return self._problem(visit, 500, "search")
        if isinstance(made, search.Problem):
            if visit.wants_json:
                return misunderstood(visit, made)
            return self._problem(visit, 400, "query", {"why": why_misunderstood(visit, made)}, onward=address("/notices", visit.lang))
        return self._keep(visit, feeds, _answer(made, (*AGAIN, UNFOUND)))

    def _institution(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        id, form = visit.parts["id"], visit.parts.get("form")
        if form is None:
            return moved(spelt(visit, f"/institutions/{id}"))
        feed_question.nothing(visit, f"institutions/{id}")
        found = facts.institution(reader, id, visit.today)
        if found is None:
            later = facts.successors(reader, id)
            if len(later) == 1:
                return moved(f"/feeds/institutions/{later[0]['id']}.{form}")
            raise NoSuchFeed(
                ", ".join(f"/feeds/institutions/{one['id']}.{form}" for one in later) or f"/institutions/… → /feeds/institutions/….{form}"
            )
        return self._keep(visit, feeds, _answer(self._maker(visit, feeds).institution(found, form)))

    # -- all of a feed -----------------------------------------------------------------------------------------------

    def _archive(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        """A page that is full is as it is for ever; the address of the one that is being filled leads to the current document."""
        feed, form, page = self._feed(visit, feeds), visit.parts["form"], int(visit.parts["page"])
        feed_question.nothing(visit, feed["feed"])
        full = feed["last"] // PAGE
        if page > full + 1:
            return self._problem(visit, 404, "feed_number", {"last": str(feed["last"])})
        if page > full:
            return Answer(
                307, b"", headers=(("location", f"/feeds/{feed['feed']}.{form}"), *NOT_KEPT, ("access-control-allow-origin", "*"))
            )
        kept = FOR_EVER if self._frame.is_told else AGAIN
        return self._keep(visit, feeds, _answer(self._maker(visit, feeds).archive(feed, page, form), (*kept, UNFOUND)))

    def _since(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        feed, after = self._feed(visit, feeds), int(visit.parts["after"])
        feed_question.nothing(visit, feed["feed"])
        if after > feed["last"]:
            return self._problem(visit, 404, "feed_beyond", {"last": str(feed["last"])})
        parts = self._maker(visit, feeds).since(feed, after, lambda: self._shelf.reader is reader)
        return Answer(200, b"", TYPES[".json"], (*AGAIN, UNFOUND, ("access-control-allow-origin", "*")), parts, in_threads=True)

    def _heartbeat(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        """That it was looked, and as of when what was found is: what no document says, since it would be another one each time."""
        feed, last_run = self._feed(visit, feeds), self._status() or {}
        maker = self._maker(visit, feeds)
        feed_question.nothing(visit, feed["feed"])
        checked = {name: source.get("last_checked") for name, source in last_run.get("sources", {}).items()}
        sources = [
            {"id": source["id"], "as_of": source["as_of"], "checked_at": checked.get(source["id"]), "is_stale": source["is_stale"]}
            for source in facts.sources(reader, visit.today)
        ]
        looked = [source["checked_at"] for source in sources]
        return as_json(
            {
                "feed": feed["feed"],
                "release": reader.id,
                "last": feed["last"],
                "mark": maker.mark(feed) or None,
                "updated": maker.updated(feed),
                "checked_at": min(looked) if looked and all(looked) else None,
                "as_of": facts.freshness(reader, visit.today)["oldest_as_of"],
                "is_covered": is_covered(feed["feed"], feed["silence"]),
                "not_covered": feed["silence"] and {"code": feed["silence"], "text": why_silent(feed["feed"], feed["silence"], visit.lang)},
                "sources": sources,
                "since": f"{self._frame.root}/feeds/{feed['feed']}/since/{feed['last']}.json",
            }
        )

    def _only_json(self, visit: Visit, reader: Reader, feeds: Feeds) -> Answer:
        address = f"/feeds/{self._feed(visit, feeds)['feed']}/{visit.parts['what']}.json"
        return self._problem(visit, 404, "feed_json", {"known": address}, onward=address, onward_said="feed.to_json")

    def _maker(self, visit: Visit, feeds: Feeds) -> Maker:
        return Maker(feeds, visit.today, self._frame.root, self._hubs)

    def _keep(self, visit: Visit, feeds: Feeds, answer: Answer, is_ours: bool = False) -> Answer:
        """The answer, kept for the day where it holds for everybody: one that was made here holds the site's address, and only where the site was
        told its own is that the same for whoever asks."""
        if answer.status != 200 or not (is_ours or self._frame.is_told):
            return answer
        feeds.kept(visit.today).keep(_asked(visit), answer)
        return answer


def _asked(visit: Visit) -> tuple[str, bytes]:
    """What is asked for, in whichever language: a document is the same in both."""
    return visit.path, visit.query.encode("latin-1")


def _headers(modified: datetime | None, type: str, more: tuple[tuple[str, str], ...] = AGAIN) -> tuple[tuple[str, str], ...]:
    changed = (("last-modified", format_datetime(modified.astimezone(UTC), usegmt=True)),) if modified else ()
    return (
        *more,
        *changed,
        ("vary", "accept, accept-encoding" if type in SHOWN_AS else "accept-encoding"),
        ("accept-ranges", "bytes"),
        ("access-control-allow-origin", "*"),
    )


def _answer(made: Document, more: tuple[tuple[str, str], ...] = AGAIN) -> Answer:
    """A document as it leaves, packed."""
    return packed(made.body, made.type, _headers(made.modified, made.type, more))
