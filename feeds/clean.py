"""Make a feed safe to write: characters that XML may hold, addresses that are addresses, markup that runs nothing.

Readers disagree on whether a title is text or markup: RSS does not say, and some take Atom's text for markup too. So no title has a
character in it that means something to either: ＜ ＞ ＆ stand where < > and an entity's & would. Summaries are escaped as the markup that RSS
takes them for.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from html import escape, unescape
from html.entities import name2codepoint
from urllib.parse import quote, urlsplit

from .markup import safe_html
from .model import Detail, Entry, Feed, Link, Tombstone

# What XML 1.0 forbids or discourages: controls but tab and line break, surrogates, non-characters. And the marks that turn the direction of
# what follows, with which a name can be made to read as another.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)
URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"{}|\\^`]+")
KEPT = "%/:?@!$&'()*+,;=~-._"  # what stands for itself in a URI behind its host; quote() keeps letters and digits
ADDRESS = re.compile("(https?://)([^/?#]+)([^#]*)(?:#(.*))?", re.IGNORECASE)
# nearly every address: one that says already what is meant, as it is to be written
WRITTEN = re.compile(r"https?://[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-zA-Z0-9/:?@!$&'()*+,;=~._-]*)?")
STRAY = re.compile("%(?![0-9A-Fa-f]{2})")
MARKUP = re.compile(r"&(?=(#?\w+))")  # what a reader may take for an entity; some need no semicolon behind it


def distinct(feed: Feed) -> None:
    """Raises ValueError where an id comes twice: a reader would show one of the two."""
    seen: set[str] = set()
    for id in [entry.id for entry in feed.entries] + [stone.id for stone in feed.tombstones]:
        if id in seen:
            raise ValueError(f"entry {id!r} comes twice; a reader would show one of the two")
        seen.add(id)


def clean(feed: Feed) -> Feed:
    """The same feed with every text, address and instant as it is written in all forms; its entries are cleaned one by one.

    Raises ValueError for what no feed can have: an id that is no URI, an address that is not http(s), an instant without a time zone. Texts
    are never refused.
    """
    title = plain(feed.title) or feed.id
    return replace(
        feed,
        id=_id(feed.id),
        title=title,
        subtitle=plain(feed.subtitle) or title,
        url_self=address(feed.url_self),
        url_html=address(feed.url_html),
        language=line(feed.language),
        updated=_instant(feed.updated, feed.id),
        author=plain(feed.author) or title,
        tombstones=tuple(map(_tombstone, feed.tombstones)),
        links=tuple(map(_link, feed.links)),
        since=feed.since and address(feed.since),
        heartbeat=feed.heartbeat and address(feed.heartbeat),
        stylesheet=feed.stylesheet and address(feed.stylesheet),
    )


def clean_entry(entry: Entry) -> Entry:
    """As `clean`, of one entry; `content_html` says its details."""
    summary = characters(entry.summary).strip()
    content = definitions(entry.details) if entry.details else safe_html(characters(entry.content_html or ""))
    return replace(
        entry,
        id=_id(entry.id),
        title=plain(entry.title) or plain(summary)[:80] or entry.id,
        url=address(entry.url),
        summary=summary,
        content_html=content.strip() or None,
        published=_instant(entry.published, entry.id),
        updated=_instant(entry.updated, entry.id),
        authority=plain(entry.authority or "") or None,
        categories=_once(map(plain, entry.categories)),
        links=tuple(_links(entry.links)),
        event=line(entry.event),
        reason=line(entry.reason),
        concerns=entry.concerns and _id(entry.concerns),
    )


def _tombstone(stone: Tombstone) -> Tombstone:
    when = _instant(stone.when, stone.id)
    return replace(stone, id=_id(stone.id), when=when, comment=plain(stone.comment), reason=line(stone.reason))


def _links(links: Iterable[Link]) -> Iterable[Link]:
    """Those of an entry that lead somewhere: one that a source wrote wrongly stops no feed."""
    for link in links:
        with suppress(ValueError):
            yield _link(link)


def _link(link: Link) -> Link:
    return Link(line(link.rel), address(link.href), line(link.type), plain(link.title))


def characters(text: str) -> str:
    """The text without what XML cannot hold, and with one kind of line break."""
    text = text.replace(
        "\ufffd", "□"
    )  # a character that was lost before us, as Chinese print has it; validators take the other for a fault of ours
    if text.replace("\n", "").isprintable():  # nearly all texts, and a tenth of the time
        return text
    return FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str) -> str:
    """The text on one line."""
    return " ".join(characters(text).split())


def plain(text: str) -> str:
    """The text on one line, the same whether a reader takes it for text or for markup."""
    text = line(text).replace("<", "＜").replace(">", "＞")
    return MARKUP.sub(_no_entity, text) if "&" in text else text


def _no_entity(found: re.Match[str]) -> str:
    name = found[1]
    return "＆" if name in name2codepoint or name == "apos" or not name.isalpha() or unescape(f"&{name}") != f"&{name}" else "&"


def text_html(text: str) -> str:
    """Plain text as markup that shows it."""
    return escape(text, quote=False).replace("\n", "<br>\n")


def definitions(details: Iterable[Detail]) -> str:
    """A definition list as markup. An address that is none leads nowhere: its text is shown all the same."""
    return f"<dl>{''.join(map(_definition, details))}</dl>"


def _definition(detail: Detail) -> str:
    shown = text_html(characters(detail.value).strip())
    with suppress(ValueError):
        shown = f'<a href="{escape(address(detail.url))}">{shown}</a>' if detail.url else shown
    return f"<dt>{_term(detail.label)}</dt><dd>{shown}</dd>"


@lru_cache(maxsize=1_000)
def _term(label: str) -> str:
    return text_html(line(label))


@lru_cache(maxsize=10_000)  # a document's stands in its notice three times, and is half of the time
def address(url: str) -> str:
    """An absolute http(s) address in ASCII (RFC 3986), as far as what is meant can be seen."""
    return url if WRITTEN.fullmatch(url) else spelt(url)


def spelt(url: str) -> str:
    """The same, of any text."""
    found = ADDRESS.fullmatch(line(url))
    try:
        host = urlsplit(found[0]).hostname if found else None
    except ValueError as error:
        raise ValueError(f"{url!r} is no address ({error})") from error
    if not found or not host:
        raise ValueError(f"{url!r} is no http(s) address; feeds link to nothing else")
    scheme, authority, path, fragment = found.groups()
    if not host.isascii():
        with suppress(UnicodeError):
            authority = authority.replace(host, host.encode("idna").decode())
    parts = (
        scheme,
        quote(authority, safe=f"{KEPT}[]"),
        quote(path, safe=KEPT),
        *(() if fragment is None else ("#", quote(fragment, safe=KEPT))),
    )
    return STRAY.sub("%25", "".join(parts))


def _id(identifier: str) -> str:
    if not URI.fullmatch(identifier) or not identifier.isascii():
        raise ValueError(f"id {identifier!r} is no URI; tag:example.org,2026:what is one")
    return identifier


def _instant(instant: datetime, identifier: str) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError(f"{identifier}: {instant.isoformat()} has no time zone")
    return instant.astimezone(UTC).replace(microsecond=0)


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
