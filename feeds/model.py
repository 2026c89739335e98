"""What a feed is, whichever form it is written in.

Beside what every form has of its own there are numbers, by which a reader can prove that it has everything: each element of a feed has one,
without a gap, and an element that stands for earlier ones names theirs. They and what else no form has a word for are in a namespace of our
own in the XML forms, and in `_mingbai` in JSON.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a feed or an entry beside its main one: `related` to what a correction corrects, `via` to where it was published first."""

    rel: str
    href: str
    type: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One line of an entry's content: what it is called and what it is, with an address where it leads somewhere."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. `id` is a URI that never changes (a tag: URI); `published` and `updated` are instants with a time zone.

    `title`, `summary`, `authority`, `categories` and `details` are plain text: markup in them is shown, never run. A line break in them is one
    for the reader too. The content is `details`, as a definition list, or else `content_html`: markup, of which what a reader needs for reading
    is kept. `summary` is the same as text. `authority` is who the entry is by.

    `number` is its place in the feed (0: it has none), `replaces` the earlier numbers that it stands for. `event` says in a word for machines
    what happened and `reason` why; `concerns` is the id of the entry that it is about, where that is another.
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
    details: tuple[Detail, ...] = ()
    links: tuple[Link, ...] = ()
    event: str = ""
    reason: str = ""
    concerns: str = ""
    number: int = 0
    replaces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Says that an entry is no more (RFC 6721), since when, and in `comment` for which class of reason; `reason` is its word for machines."""

    id: str
    when: datetime
    comment: str
    reason: str = ""
    number: int = 0
    replaces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its entries, in the order in which readers get them.

    `url_self` is where this document itself is found, so each form has its own; `url_html` is the page for people. `updated` says when the
    content last changed. `author` stands for the entries without an authority; where it is empty, the title does.

    `first` and `last` are the numbers between which this document has every one; of a feed with numbers that has told nothing both are 0. `links` are those that have a meaning of their own: `hub`
    (WebSub), `current`, `prev-archive` and `next-archive` (RFC 5005). `is_covered` says whether somebody looks at all that the feed is about, so that
    nothing new means that there is nothing; None where that is not said. `is_complete` says that there is nothing beside this document,
    `is_archive` that it will never change (RFC 5005). `since` is the address that replays what came after a number, and `heartbeat` the one
    that says when was looked last; `stylesheet` is a CSS file for who opens the XML. `mark` stands for all that was told up to `last`, `mark_before` up to
    the number before `first`: where a reader has another one for the same number, its numbers mean something else.
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
    tombstones: tuple[Tombstone, ...] = ()
    links: tuple[Link, ...] = ()
    first: int = 0
    last: int = 0
    is_covered: bool | None = None
    is_complete: bool = False
    is_archive: bool = False
    since: str = ""
    heartbeat: str = ""
    mark: str = ""
    mark_before: str = ""
    stylesheet: str = ""


def instant(moment: datetime) -> str:
    """As RFC 3339 has it, in UTC: of what `clean` has brought there."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
