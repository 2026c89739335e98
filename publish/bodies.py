"""What a webhook says of numbers of a feed: the items that the live release has for them, as in the feed's JSON, and what may be said of each today."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import orjson

from feeds import json_feed

from .channel import Channel
from .documents import asking
from .entries import Teller
from .happened import instant
from .home import to_read
from .work import Work


def bodies(work: Work, file: Path, feed: str, numbers: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """By number `type`, `timestamp` and `data`, from the feeds of the live release. A number that the feed does not have is left out.

    `data` has an `item`, or `deleted` where the entry is no more or was the last thing that happened: a receiver drops what it has of that id.
    """
    with ExitStack() as stack:
        told, live = (stack.enter_context(closing(_opened(path))) for path in (file, work.home.releases / file.stem / "mingbai.db"))
        channel = Channel(asking(told), asking(live), Teller(work.catalogue, work.site), today=work.day.isoformat())
        row = next(iter(channel.feeds("SELECT * FROM feeds WHERE feed = ?", feed)), None)
        placed = [one for number in numbers for one in channel.placed(feed, number, number)]
        if row is None or not placed:
            return {}
        said = channel.told(feed, placed)
        document = orjson.loads(json_feed(channel.filled(channel.head(row, json_feed), placed, said)))
    items = {item["_mingbai"]["number"]: {"item": item} for item in document["items"]}
    items |= {stone["number"]: {"deleted": stone} for stone in document["_mingbai"].get("deleted", [])}
    return {
        one.number: {
            "type": f"{one.event.what}.{one.event.kind}",
            "timestamp": instant(one.event.release).isoformat(),
            "data": {"subject": f"{one.event.what}/{one.event.id}", "release": one.event.release, **items[one.number]},
        }
        for one in placed
    }


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(to_read(path, for_good=True), uri=True)
