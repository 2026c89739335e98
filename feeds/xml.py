"""Write RSS and Atom with feedgen, without its clock.

feedgen stamps the time of the call when nobody says otherwise, puts later entries first, and takes the last link for RSS's own. A feed of
ours is a function of its entries alone: the same feed gives the same bytes, so an unchanged one keeps its ETag and wakes no reader. For
that reason there is no `generator` either, which would have feedgen's version in it.

feedgen writes RSS dates by setting the process's locale and setting it back: not for several threads at once.
"""

from typing import Any

from feedgen.feed import FeedGenerator

from .clean import clean, text_html
from .model import Entry, Feed


def rss(feed: Feed) -> bytes:
    """RSS 2.0 in UTF-8. Raises ValueError for what no feed can have; see `clean`."""
    generator = _generator(clean(feed), "application/rss+xml")
    written: bytes = generator.rss_str(pretty=True)
    return written


def atom(feed: Feed) -> bytes:
    """Atom (RFC 4287) in UTF-8. Raises ValueError for what no feed can have; see `clean`."""
    generator = _generator(clean(feed), "application/atom+xml")
    written: bytes = generator.atom_str(pretty=True)
    return written


def _generator(feed: Feed, media_type: str) -> Any:
    generator = FeedGenerator()
    generator.load_extension("dc", atom=False)  # RSS's own author must be a mail address; dc:creator is a name
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
    for entry in feed.entries:
        _add(generator, entry)
    return generator


def _add(generator: Any, entry: Entry) -> None:
    item = generator.add_entry(order="append")
    item.id(entry.id)
    item.title(entry.title)
    item.link(href=entry.url)  # the only one: feedgen 1.0.0 drops the rel of an entry's links in Atom, so all would be alternates
    if entry.summary:
        item.summary(text_html(entry.summary), type="html")
    if entry.content_html:
        item.content(entry.content_html, type="html")
    item.published(entry.published)  # and RSS's pubDate
    item.updated(entry.updated)
    if entry.authority:
        item.author({"name": entry.authority})
        item.dc.dc_creator(entry.authority)
    for category in entry.categories:
        item.category(term=category)
