"""Write JSON Feed 1.1. Keys stand in the order of the specification, so the same feed gives the same bytes.

What the specification has no word for is in objects called `_mingbai`, as it asks for; the first of them says what they are about.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .clean import clean
from .extension import OURS
from .form import Element, Form, cleaned
from .model import Entry, Feed, Link, Tombstone, instant

VERSION = "https://jsonfeed.org/version/1.1"
END = "}}"  # of an item and its `_mingbai`
NOTHING = b', "_mingbai": {'
STONES = 500  # of a part
CLOSE = b"\n]\n}\n"


class JsonFeed(Form):
    """JSON Feed 1.1, one item a line. It has no date of the feed, no id but its address and no tombstones: those are in `_mingbai`."""

    name = "json"
    media_type = "application/feed+json"

    def elements(self, entries: Sequence[Entry]) -> list[bytes]:
        return [_json(_item(entry)).removesuffix(END).encode() for entry in entries]

    def parts(self, feed: Feed, batches: Iterable[Sequence[Entry]]) -> Iterator[bytes]:
        """The document part by part, with the entries of each batch as it comes instead of `feed.entries`: for what may have no end. That no id
        comes twice is the caller's."""
        yield from self._head(clean(replace(feed, entries=())))
        between = b""
        for batch in batches:
            items = [
                _item_with(written, entry.number, entry.replaces)
                for written, entry in zip(self.elements(cleaned(batch)), batch, strict=True)
            ]
            yield between + b",\n".join(items) if items else b""
            between = b",\n" if items else between
        yield CLOSE

    def _document(self, feed: Feed, elements: Iterable[Element]) -> bytes:
        return self._begin(feed) + b",\n".join(_item_with(*element) for element in elements) + CLOSE

    def _head(self, feed: Feed) -> Iterator[bytes]:
        """How a document begins, part by part where it has many tombstones."""
        stones = feed.tombstones
        begin = self._begin(replace(feed, tombstones=stones[:1]))
        if len(stones) < 2:
            yield begin
            return
        first = _json(_deleted(stones[0])).encode()  # with its id: nothing else in the head is the same
        before, after = begin.split(first)
        yield before + first
        for at in range(1, len(stones), STONES):
            yield b"".join(b", " + _json(_deleted(stone)).encode() for stone in stones[at : at + STONES])
        yield after

    def _begin(self, feed: Feed) -> bytes:
        head = "".join(f"{_json(key)}: {_json(value)},\n" for key, value in _head(feed).items())
        return b'{\n%s"items": [\n' % head.encode()


json_feed = JsonFeed()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _head(feed: Feed) -> dict[str, Any]:
    ours = {
        "about": OURS, "id": feed.id, "updated": instant(feed.updated), "first": feed.first, "last": feed.last, "is_complete": feed.is_complete,
        "is_archive": feed.is_archive, "since": feed.since, "heartbeat": feed.heartbeat, "mark": feed.mark, "mark_before": feed.mark_before,
        "links": [_link(link) for link in feed.links if link.rel != "hub"], "deleted": [_deleted(stone) for stone in feed.tombstones],
    }  # fmt: skip
    covered = {} if feed.is_covered is None else {"is_covered": feed.is_covered}
    head = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": feed.url_html,
        "feed_url": feed.url_self,
        "description": feed.subtitle,
        "authors": [{"name": feed.author}],
        "language": feed.language,
        "hubs": [{"type": "WebSub", "url": link.href} for link in feed.links if link.rel == "hub"],
    }
    return {**_said(head), "_mingbai": {**_said(ours), **({"last": feed.last} if feed.since else {}), **covered}}


def _item(entry: Entry) -> dict[str, Any]:
    """An item without its number, which is put behind the rest of `_mingbai`. It has its content as text, and as markup where there is some."""
    item = {
        "id": entry.id, "url": entry.url, "title": entry.title, "content_html": entry.content_html, "content_text": entry.summary,
        "date_published": instant(entry.published), "date_modified": instant(entry.updated),
        "authors": [{"name": entry.authority}] if entry.authority else None, "tags": list(entry.categories),
    }  # fmt: skip
    ours = {"event": entry.event, "reason": entry.reason, "concerns": entry.concerns, "links": [_link(link) for link in entry.links]}
    said = _said(item)
    if not {"content_html", "content_text"} & said.keys():
        said["content_text"] = entry.title
    return {**said, "_mingbai": _said(ours)}


def _item_with(written: bytes, number: int, replaces: Sequence[int]) -> bytes:
    """The item with its number as the last thing that `_mingbai` says."""
    said = _json(_numbers(number, replaces)).strip("{}")
    if not said and written.endswith(NOTHING):
        return written.removesuffix(NOTHING) + b"}"
    comma = ", " if said and not written.endswith(b"{") else ""
    return written + f"{comma}{said}{END}".encode()


def _link(link: Link) -> dict[str, Any]:
    return _said({"rel": link.rel, "href": link.href, "type": link.type, "title": link.title})


def _deleted(stone: Tombstone) -> dict[str, Any]:
    said = {"id": stone.id, "when": instant(stone.when), "comment": stone.comment, "reason": stone.reason}
    return {**_said(said), **_numbers(stone.number, stone.replaces)}


def _numbers(number: int, replaces: Sequence[int]) -> dict[str, Any]:
    return _said({"number": number, "replaces": list(replaces)})


def _said(written: Mapping[str, Any]) -> dict[str, Any]:
    """What says something: nothing is written empty."""
    return {key: value for key, value in written.items() if value}
