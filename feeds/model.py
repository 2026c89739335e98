"""What a feed is, whichever form it is written in."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. `id` is a URI that never changes (a tag: URI); `published` and `updated` are instants with a time zone.

    `title`, `summary`, `authority` and `categories` are plain text: markup in them is shown, never run. A line break in the summary is one
    for the reader too. `content_html` is markup, of which what a reader needs for reading is kept. `authority` is who the entry is by.
    """

    id: str
    title: str
    url: str
    summary: str
    content_html: str | None
    published: datetime
    updated: datetime
    authority: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its entries, in the order in which readers get them.

    `url_self` is where this document itself is found, so each form has its own; `url_html` is the page for people. `updated` says when the
    content last changed. `author` stands for the entries without an authority; where it is empty, the title does.
    """

    id: str
    title: str
    subtitle: str
    url_self: str
    url_html: str
    language: str
    updated: datetime
    entries: tuple[Entry, ...]
    author: str = ""
