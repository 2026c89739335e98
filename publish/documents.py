"""Make the current document of every feed ahead, in three forms, packed: table `documents` of feeds/ID.db.

Written is what says something else than in the file before: a document is known by a fingerprint of all that it is made of, and those of a feed
whose fingerprint is the same are copied, so that a file made of nothing and one made of the file before it are the same. An entry is rendered
once, into a temporary table, and put into each of the dozen feeds that it is in with the number that it has there.

Of 17,700 notices in 2,961 feeds (69,244 entries, 8,883 documents of 540 MiB) it took 48 s of CPU and 190 MiB, 2.85 times the same entries written with lxml alone and
not packed; packing is two fifths of that (`make bench ARGS="--feeds 20000"`, before feeds said what no source covers; since then of 2,010 entries 1.5 s, 78 MiB and 2.93 times).

The tag is a hash of the document before it is packed: the same on every copy of the site, whatever zlib that has. A feed that has told nothing has no document here: nothing is in it that would have to be made ahead.
"""

import gzip
import sqlite3
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from hashlib import blake2b, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import brotli
import orjson

import feeds
from feeds import FORMS, Element, Entry, Tombstone, cleaned

from .catalogue import Catalogue
from .channel import Ask, Channel, Placed
from .entries import Teller
from .happened import Event
from .home import to_read
from .notice_entry import Row
from .tables import Working

AT_ONCE = 2_000  # entries that are read and rendered together, some MiB of them
WAITING = 12  # documents that may wait to be written: the packed ones of those that are rendered meanwhile, some MiB
BROTLI = 5  # of 100 entries (377 kB) a document of 18.8 kB in 5 ms; 4: 22.5 kB in 2.5 ms, 9: 18.1 kB in 30 ms, 11: 16.4 kB in 472 ms, gzip 24.4 kB in 3.5 ms
GZIP = 6
SCHEMA = """
CREATE TABLE documents (
  feed TEXT NOT NULL, form TEXT NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, gzip BLOB NOT NULL, brotli BLOB NOT NULL,
  fingerprint TEXT NOT NULL, PRIMARY KEY (feed, form)
) STRICT;
CREATE INDEX IF NOT EXISTS feed_events_by_id ON feed_events (id);
CREATE TEMP TABLE elements (event INTEGER PRIMARY KEY, rss BLOB NOT NULL, atom BLOB NOT NULL, json BLOB NOT NULL);
"""


def write_documents(
    connection: Working, live: sqlite3.Connection, catalogue: Catalogue, site: str, hubs: Sequence[str] = (), before: Path | None = None
) -> int:
    """Fill `documents` of the file in the making, whose other tables are there, from the release's database. Returns how many were written anew.

    `before` is the file of the release before: what says the same is taken from it.
    """
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    if before is not None:
        connection.execute("ATTACH ? AS before", [to_read(before, for_good=True)])
    connection.execute("BEGIN")
    channel = Channel(asking(connection), asking(live), Teller(catalogue, site), hubs)
    with ThreadPoolExecutor(1) as other:  # packing holds no lock, and is two fifths of it all
        made = _Maker(connection, channel, other, before is not None).make()
    connection.execute("DROP TABLE temp.elements")
    connection.execute("COMMIT")
    if before is not None:
        connection.execute("DETACH before")
    return made


class _Maker:
    def __init__(self, connection: Working, channel: Channel, other: Executor, has_before: bool) -> None:
        self.connection, self.channel, self.other = connection, channel, other
        known = connection.execute("SELECT feed, fingerprint FROM before.documents WHERE form = 'atom'") if has_before else ()
        self.before: Mapping[str, str] = dict(known)
        self.digests: dict[int, str] = {}  # of what is told of each event
        self.stones: dict[int, Tombstone] = {}  # events of which a tombstone tells
        self.rendered: set[int] = set()
        self.waiting: deque[Callable[[], None]] = deque()  # what is to be written, in its order: some of it is still being packed

    def make(self) -> int:
        made = 0
        for batch in self._batches():
            told = self._told(
                {one.event.number: one.event for _, placed in batch for one in placed if one.event.number not in self.digests}
            )
            for number, one in told.items():
                self.digests[number] = _digest(one)
            strayed = [self.channel.strayed(row["feed"], placed) for row, placed in batch]
            marked = [(row, placed, gone, self._fingerprint(row, placed, gone)) for (row, placed), gone in zip(batch, strayed, strict=True)]
            new = {row["feed"] for row, *_, mark in marked if self.before.get(row["feed"]) != mark}
            self._render({one.event.number: one.event for row, placed in batch if row["feed"] in new for one in placed}, told)
            for row, placed, gone, mark in marked:
                if row["feed"] in new:
                    self._write(row, placed, gone, mark)
                    made += len(FORMS)
                else:
                    self.waiting.append(partial(self._copy, row["feed"]))
                self._enter(WAITING)
        self._enter(0)
        return made

    def _enter(self, most: int) -> None:
        """Write what waits, until it is so much."""
        while len(self.waiting) > most:
            self.waiting.popleft()()

    def _copy(self, feed: str) -> None:
        self.connection.execute("INSERT INTO main.documents SELECT * FROM before.documents WHERE feed = ? ORDER BY rowid", [feed])

    def _insert(self, feed: str, form: str, size: int, packed: Future[tuple[str, bytes, bytes]], fingerprint: str) -> None:
        etag, *bodies = packed.result()
        values = (feed, form, etag, size, *bodies, fingerprint)
        self.connection.execute("INSERT INTO main.documents VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def _batches(self) -> Iterator[list[tuple[Row, list[Placed]]]]:
        """The feeds that have told something, with what stands in their documents."""
        batch: list[tuple[Row, list[Placed]]] = []
        size = 0
        for row in list(asking(self.connection)("SELECT * FROM feeds WHERE last > 0 ORDER BY feed")):
            placed = self.channel.placed(row["feed"], row["first"], row["last"])
            batch.append((row, placed))
            size += len(placed)
            if size >= AT_ONCE:
                yield batch
                batch, size = [], 0
        yield batch

    def _told(self, events: Mapping[int, Event]) -> dict[int, Entry | Tombstone]:
        told = self.channel.tell(list(events.values()))
        self.stones |= {number: one for number, one in told.items() if isinstance(one, Tombstone)}
        return told

    def _render(self, events: Mapping[int, Event], told: Mapping[int, Entry | Tombstone]) -> None:
        """Put the elements of these events into temp.elements, where they are not there yet."""
        events = {number: event for number, event in events.items() if number not in self.rendered and number not in self.stones}
        told = {**told, **self._told({number: event for number, event in events.items() if number not in told})}
        entries = {number: one for number in events if isinstance(one := told[number], Entry)}
        clean = cleaned(entries.values())
        elements = [form.elements(clean) for form in FORMS]
        self.connection.executemany("INSERT INTO temp.elements VALUES (?, ?, ?, ?)", zip(entries, *elements, strict=True))
        self.rendered |= entries.keys()

    def _fingerprint(self, row: Row, placed: Sequence[Placed], strayed: Mapping[int, Tombstone]) -> str:
        """Of all that the documents of a feed are made of."""
        elements = [(one.number, one.replaces, self.digests[one.event.number], strayed.get(one.event.number)) for one in placed]
        return _digest([recipe(), self.channel.head(row, FORMS[0]), elements])

    def _write(self, row: Row, placed: Sequence[Placed], strayed: Mapping[int, Tombstone], fingerprint: str) -> None:
        gone = {**strayed, **self.stones}  # what the release does not show is that, wherever it would stand
        stones = tuple(
            replace(gone[one.event.number], number=one.number, replaces=one.replaces) for one in placed if one.event.number in gone
        )
        shown = [one for one in placed if one.event.number not in gone]
        numbers = orjson.dumps([one.event.number for one in shown]).decode()
        found = {
            number: written
            for number, *written in self.connection.execute(
                "SELECT * FROM temp.elements WHERE event IN (SELECT value FROM json_each(?))", [numbers]
            )
        }
        for place, form in enumerate(FORMS):
            elements = (Element(found[one.event.number][place], one.number, one.replaces) for one in shown)
            document = form.document(replace(self.channel.head(row, form), tombstones=stones), elements)
            packed = self.other.submit(_packed, document)
            self.waiting.append(partial(self._insert, row["feed"], form.name, len(document), packed, fingerprint))


def _packed(document: bytes) -> tuple[str, bytes, bytes]:
    """The tag of a document, and the document by gzip and by brotli."""
    return sha256(document).hexdigest()[:24], gzip.compress(document, GZIP, mtime=0), brotli.compress(document, quality=BROTLI)


def unbrotli(packed: bytes) -> bytes:
    """What was packed by brotli. Raises ValueError where nothing was, or not all of it is there."""
    try:
        return bytes(brotli.decompress(packed))
    except brotli.error as error:
        raise ValueError(str(error)) from error


def asking(connection: Working | sqlite3.Connection) -> Ask:
    """How a channel asks a database on a connection."""

    def ask(sql: str, *values: Any) -> Iterator[Row]:
        cursor = connection.execute(sql, values)
        names: list[str] = []
        for row in cursor:
            names = names or [column[0] for column in cursor.description]
            yield dict(zip(names, row, strict=True))

    return ask


@cache
def recipe() -> str:
    """Of the code that says and writes what is in documents, and the libraries that it writes with: what another one makes may be other bytes."""
    library, ours = Path(feeds.__file__).parent, Path(__file__).parent
    paths = [
        *sorted(library.glob("*.py")),
        *(ours / f"{name}.py" for name in ("called", "channel", "documents", "entries", "families", "happened", "notice_entry")),
    ]
    versions = [version(name) for name in ("feedgen", "lxml", "orjson")]
    return _digest([[path.read_text("utf-8") for path in paths], versions, brotli.__version__, zlib.ZLIB_RUNTIME_VERSION])


def _digest(value: Any) -> str:
    return blake2b(orjson.dumps(value), digest_size=16).hexdigest()
