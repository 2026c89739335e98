"""What the XML forms have beside their own words, in feedgen's extension API.

RFC 5005 (`fh`), RFC 6721 (`at`), links with a meaning, and in a namespace of our own (`mb`) the numbers by which a reader can prove that it
has everything. feedgen 1.0.0 drops the `rel` of an entry's links in Atom, has one link in RSS, and writes RSS dates by setting the locale of
the whole process, which no other thread may do meanwhile: so all but an entry's main link are written here, and its dates by the standard library.
"""

from collections.abc import Sequence
from email.utils import format_datetime
from typing import Any

import feedgen.entry
import feedgen.feed
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.util import xml_elem

from .model import Entry, Feed, Link, Tombstone, instant

OURS = "https://mingbai.example/ns/feeds/1"
ATOM = "{http://www.w3.org/2005/Atom}"
NAMESPACES = {
    "mb": OURS,
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
}
MB, AT, FH, DC, DCTERMS = (f"{{{uri}}}" for uri in NAMESPACES.values())

feedgen.feed.formatRFC2822 = feedgen.entry.formatRFC2822 = format_datetime  # the same text, and no locale is set


class FeedExtension(BaseExtension):  # type: ignore[misc]
    """Of a feed: set `feed`."""

    feed: Feed

    def extend_ns(self) -> dict[str, str]:
        """The prefixes, declared on the root alone; that of tombstones where there are some, since validators warn of what they do not know."""
        return {prefix: uri for prefix, uri in NAMESPACES.items() if prefix != "at" or self.feed.tombstones}

    def extend_atom(self, feed: Any) -> Any:
        """What comes between Atom's own and the entries."""
        _links(feed, "link", self.feed.links)
        self._common(feed)
        for stone in self.feed.tombstones:
            written = xml_elem(f"{AT}deleted-entry", feed, ref=stone.id, when=stone.when.isoformat())
            _deleted(written, stone, f"{AT}comment")
        return feed

    def extend_rss(self, feed: Any) -> Any:
        """The same in a channel, where only our own namespace has a word for a tombstone."""
        channel = feed[0]
        _links(channel, f"{ATOM}link", self.feed.links)
        self._common(channel)
        for stone in self.feed.tombstones:
            _deleted(xml_elem(f"{MB}deleted", channel, ref=stone.id, when=stone.when.isoformat()), stone, f"{MB}comment")
        return feed

    def _common(self, parent: Any) -> None:
        if self.feed.is_complete:
            xml_elem(f"{FH}complete", parent)
        if self.feed.is_archive:
            xml_elem(f"{FH}archive", parent)
        if self.feed.is_covered is not None:
            xml_elem(f"{MB}covered", parent).text = str(self.feed.is_covered).lower()
        numbers = ("first", self.feed.first), ("last", self.feed.last)
        for name, number in numbers if self.feed.last or self.feed.since else ():
            xml_elem(f"{MB}{name}", parent).text = str(number)
        for name, text in (("since", self.feed.since), ("heartbeat", self.feed.heartbeat), ("mark", self.feed.mark)):
            if text:
                xml_elem(f"{MB}{name}", parent).text = text


class EntryExtension(BaseEntryExtension):  # type: ignore[misc]
    """Of an entry: set `entry`. Its number is not here: it is another in each feed, and the rest is the same in all."""

    entry: Entry

    def extend_atom(self, entry: Any) -> Any:
        """Typed links and our own words."""
        _links(entry, "link", self.entry.links)
        return self._ours(entry)

    def extend_rss(self, entry: Any) -> Any:
        """The same, with Atom's links, and what RSS has no word for: who it is by, where that is no mail address, and when it changed."""
        if self.entry.authority:
            xml_elem(f"{DC}creator", entry).text = self.entry.authority
        xml_elem(f"{DCTERMS}modified", entry).text = instant(self.entry.updated)
        _links(entry, f"{ATOM}link", self.entry.links)
        return self._ours(entry)

    def _ours(self, element: Any) -> Any:
        for name, text in (("event", self.entry.event), ("reason", self.entry.reason), ("concerns", self.entry.concerns)):
            if text:
                xml_elem(f"{MB}{name}", element).text = text
        return element


def _deleted(element: Any, stone: Tombstone, comment: str) -> None:
    xml_elem(comment, element).text = stone.comment
    numbers = {"number": str(stone.number or ""), "replaces": " ".join(map(str, stone.replaces))}
    for name, text in {"reason": stone.reason, **numbers}.items():
        if text:
            xml_elem(f"{MB}{name}", element).text = text


def _links(parent: Any, name: str, links: Sequence[Link]) -> None:
    for link in links:
        given = {"rel": link.rel, "href": link.href, "type": link.type, "title": link.title}
        xml_elem(name, parent, **{key: value for key, value in given.items() if value})
