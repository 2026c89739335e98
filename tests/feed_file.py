"""A feeds file for tests: a release with a few notices, and a ledger that tells of them. Invented, and small enough to be read."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from publish.catalogue import Catalogue
from publish.feedtables import SCHEMA
from publish.tables import working
from web_release import write_database

RELEASES = ("2026-11-20", "2026-11-21", "2026-11-21.2", "2026-11-23")
# (release, what, id, kind, cause, region), in the order of their numbers
EVENTS = (
    (1, "release", "2026-11-20", "released", "source", None),
    (2, "notice", "n-aaaaaaaaaaa2", "first", "source", None),
    (2, "notice", "n-bbbbbbbbbbb2", "first", "source", None),
    (2, "notice", "n-ccccccccccc2", "first", "source", None),
    (3, "notice", "n-aaaaaaaaaaa2", "corrected", "correction", None),
    (3, "notice", "n-aaaaaaaaaaa2", "correction", "correction", None),
    (3, "notice", "n-bbbbbbbbbbb2", "tombstone", "repaired", None),
    (3, "notice", "n-bbbbbbbbbbb2", "removal", "repaired", None),
    (4, "listing", "i-aaaaaaaaaaa2", "entered", "source", "350102"),
    (4, "listing", "i-zzzzzzzzzzz2", "left", "source", "350203"),
    (4, "release", "2026-11-23", "released", "source", None),
)
FEEDS = {
    "notices": ("notices", range(2, 9)), "notices/region/350102": ("notices", (2, 5, 6)), "corrections": ("corrections", (6, 8)),
    "listings": ("listings", (9, 10)), "releases": ("releases", (1, 11)), "notices/region/110000": ("notices", ()),
}  # fmt: skip


def write_feed_file(
    path: Path,
    events: Iterable[tuple[Any, ...]] = EVENTS,
    feeds: dict[str, tuple[str, Iterable[int]]] = FEEDS,
    most: int = 100,
    acts: Iterable[tuple[int, str, int | None]] = (),
    gone: Iterable[tuple[str, str]] = (),
) -> None:
    """The tables of the ledger, of a feed the newest `most` numbers."""
    with working(path) as connection:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.executemany("INSERT INTO releases VALUES (?, ?, ?, '')", [(n, id, id[:10]) for n, id in enumerate(RELEASES, 1)])
        told = [(n, release, what, id, kind, cause, 1, region) for n, (release, what, id, kind, cause, region) in enumerate(events, 1)]
        connection.executemany("INSERT INTO feed_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", told)
        connection.executemany("INSERT INTO feed_acts VALUES (?, ?, ?)", acts)
        connection.executemany("INSERT INTO feed_gone VALUES (?, ?)", gone)
        for feed, (family, items) in feeds.items():
            numbers = list(items)
            connection.executemany("INSERT INTO feed_items VALUES (?, ?, ?)", [(feed, seq, event) for seq, event in enumerate(numbers, 1)])
            facet, _, code = feed.partition("/")[2].partition("/")
            updated = RELEASES[told[numbers[-1] - 1][1] - 1] if numbers else None
            label = code or None
            values = (feed, family, facet or None, code or None, label, label, max(1, len(numbers) + 1 - most), len(numbers), updated)
            connection.execute("INSERT INTO feeds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", values)


def write_live(path: Path, catalogue: Catalogue, tables: dict[str, list[dict[str, Any]]]) -> sqlite3.Connection:
    """A release's database, and a connection to it that only reads."""
    write_database(path, catalogue, tables)
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
