"""Write RSS and Atom with feedgen, without its clock.

feedgen stamps the time of the call when nobody says otherwise, puts later entries first, and takes the last link for RSS's own. A feed of
ours is a function of its entries alone: the same feed gives the same bytes, so an unchanged one keeps its ETag and wakes no reader. For
that reason there is no `generator` either, which would have feedgen's version in it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from feedgen.feed import FeedGenerator

from .clean import text_html
from .extension import EntryExtension, FeedExtension
from .form import Element, Form
from .model import Entry, Feed

ANY = Feed("tag:any", "-", "-", "https://any", "https://any", "", datetime.fromtimestamp(0, UTC), ())  # for elements on their own


class Xml(Form):
    """RSS 2.0 or Atom (RFC 4287), as feedgen lays it out: `tag` is that of an entry, `indent` stands before it, `end` behind the last one."""

    def __init__(self, name: str, tag: str, indent: str, end: str) -> None:
        self.name, self.media_type = name, f"application/{name}+xml"
        self._begin = f"\n{indent}<{tag}>".encode()
        self._close = f"{indent}</{tag}>\n"
        self._number = indent + "  <mb:number>{}</mb:number>\n"
        self._replaces = indent + "  <mb:replaces>{}</mb:replaces>\n"
        self._end = end.encode()

    def _write(self, feed: Feed, entries: Iterable[Entry]) -> bytes:
        generator = _generator(feed, self.media_type)
        for entry in entries:
            _add(generator, entry)
        written: bytes = generator.rss_str(pretty=True) if self.name == "rss" else generator.atom_str(pretty=True)
        return written

    def elements(self, entries: Sequence[Entry]) -> list[bytes]:
        """As it is in Form. No text can look like the beginning of an element: feedgen escapes `<` in each."""
        _, *elements = self._write(ANY, entries).removesuffix(self._end).removesuffix(b"\n").split(self._begin)
        close = self._close.removesuffix("\n").encode()
        return [(self._begin + element).removeprefix(b"\n").removesuffix(b"\n").removesuffix(close) for element in elements]

    def _document(self, feed: Feed, elements: Iterable[Element]) -> bytes:
        declaration, rest = self._write(feed, ()).removesuffix(self._end).split(b"\n", 1)
        style = f'<?xml-stylesheet type="text/css" href="{escape(feed.stylesheet)}"?>\n' if feed.stylesheet else ""
        parts = [declaration, b"\n", style.encode(), rest]
        for written, number, replaces in elements:
            numbers = self._number.format(number) if number else ""
            numbers += self._replaces.format(" ".join(map(str, replaces))) if replaces else ""
            parts += [written, numbers.encode(), self._close.encode()]
        return b"".join([*parts, self._end])


rss = Xml("rss", "item", "    ", "  </channel>\n</rss>\n")
atom = Xml("atom", "entry", "  ", "</feed>\n")


def _generator(feed: Feed, media_type: str) -> Any:
    generator = FeedGenerator()
    generator.register_extension("ours", FeedExtension, EntryExtension)
    generator.ours.feed = feed
    generator.generator("")
    generator.docs("")
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.subtitle)
    generator.description(feed.subtitle)
    generator.author({"name": feed.author})
    generator.updated(feed.updated)  # and RSS's lastBuildDate
    if feed.language:
        generator.language(feed.language)
    generator.link(href=feed.url_self, rel="self", type=media_type)
    generator.link(href=feed.url_html, rel="alternate", type="text/html")  # the last one is RSS's
    return generator


def _add(generator: Any, entry: Entry) -> None:
    item = generator.add_entry(order="append")
    item.ours.entry = entry
    item.id(entry.id)
    item.title(entry.title)
    item.link(href=entry.url)  # the main one; the others are the extension's
    if entry.summary and not entry.details:  # what says the same as the content is no summary (RFC 4287, 4.2.13)
        item.summary(text_html(entry.summary), type="html")
    if entry.content_html:
        item.content(entry.content_html, type="html")
    item.published(entry.published)  # and RSS's pubDate
    item.updated(entry.updated)
    if entry.authority:
        item.author({"name": entry.authority})  # of RSS the extension's: its own must be a mail address
    for category in entry.categories:
        item.category(term=category)
