"""The releases before the live one: which of them is meant by `as_of`, and a few of them open.

A release is meant by its id, or by a day: then it is the newest one of that day or before that is kept. What a day's first release is called
is also how the day is called; the id wins, so that what was cited stays what it was. releases.json says which there are, and what made other
versions of the datasets: it is replaced whole, while a folder that is issued anew is nowhere for a moment. Such a folder is another one under its name and is opened anew.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import date
from itertools import dropwhile
from pathlib import Path

import orjson

from ..errors import BadHome
from ..home import RELEASE_ID, release_order
from ..versions import noted
from .changelog import Entry, entries
from .older import Columns, Older
from .reader import Reader

log = logging.getLogger(__name__)
MOST = 4  # open at once beside those that a request holds; one of 5,000 institutions takes 3 MB and 18 ms to open
TRIES, WAIT_SECONDS = 10, 0.05  # while a release is issued anew, its folder is away for two renames
Identity = tuple[int, int]


class NoSuchRelease(Exception):
    """No release is meant by what was asked for; `kind` is that of a problem, `said` what its text names."""

    def __init__(self, status: int, kind: str, **said: str) -> None:
        super().__init__(kind)
        self.status, self.kind, self.said = status, kind, said


class Archive:
    """The kept releases of a home, of which `columns` are published today. To be used in one event loop."""

    def __init__(self, home: Path, columns: Columns) -> None:
        self._home, self._columns = home, columns
        self._known: tuple[tuple[Identity | None, str], tuple[list[tuple[str, str]], list[Entry], list[Mapping[str, int]]]] | None = None
        self._open: OrderedDict[str, tuple[Identity, Older]] = OrderedDict()
        self._held: Counter[Older] = Counter()
        self._left: list[Older] = []
        self._opening = asyncio.Lock()  # one at a time: many ids asked for at once must not take all threads

    def known(self, live: Reader) -> list[tuple[str, str]]:
        """Id and day of each release up to the live one, oldest first."""
        return self._read(live)[0]

    def rows(self, live: Reader, upto: str) -> list[tuple[str, str, Mapping[str, int]]]:
        """Id, day and the rows of each table as they were published, of each release up to a known one, oldest first."""
        known, _, rows = self._read(live)
        found = [(id, day, of) for (id, day), of in zip(known, rows, strict=True)]
        return found[: [id for id, _ in known].index(upto) + 1]

    def changelog(self, live: Reader, upto: str) -> list[Entry]:
        """The changelog of the datasets up to a known release, newest first; up to the live one it is the same list until it changes."""
        known, found, _ = self._read(live)
        if upto == live.id:
            return found
        later = {id for id, _ in known[[id for id, _ in known].index(upto) + 1 :]}
        return list(dropwhile(lambda entry: entry["release"] in later, found))

    def _read(self, live: Reader) -> tuple[list[tuple[str, str]], list[Entry], list[Mapping[str, int]]]:
        """Of the live release its own manifest is asked, which is there before releases.json says so."""
        file = self._home / "releases.json"
        identity = identity_of(file)
        if self._known is None or self._known[0] != (identity, live.id):
            last = release_order(live.id)
            try:
                rows = orjson.loads(file.read_bytes())["releases"] if identity else []
                older = [row for row in rows if release_order(row["id"]) < last]
                older.sort(key=lambda row: release_order(row["id"]))
                logged = entries(older)
            except (OSError, ValueError, KeyError, TypeError, BadHome):
                log.exception("releases.json cannot be read")
                older, logged = [], []
            its = {"id": live.id, "released_on": live.released_on, "tables": live.counts, **noted(live.manifest)}
            known = [(row["id"], row["released_on"]) for row in (*older, its)]
            counts = [row.get("tables", {}) for row in (*older, its)]
            self._known = (identity, live.id), (known, [*entries([its]), *logged], counts)
        return self._known[1]

    def find(self, asked: str, live: Reader, today: str) -> str:
        """The id of the release that is meant. Raises NoSuchRelease."""
        match = RELEASE_ID.fullmatch(asked)
        if match is None or not asked.isascii() or not is_day(match[1]):
            raise NoSuchRelease(400, "as_of_malformed")
        known = self.known(live)
        if asked in (id for id, _ in known):
            return asked
        if match[1] > today:  # what will be live then is not known, and a link that says so now must not say something else later
            raise NoSuchRelease(400, "as_of_future")
        before = [] if match[2] else [id for id, on in known if on <= asked]
        if not before:
            raise NoSuchRelease(404, "as_of_unknown", first=known[0][0], last=known[-1][0])
        return before[-1]

    def same_day(self, identifier: str, live: Reader) -> list[str]:
        """The other releases of a release's day."""
        return [id for id, _ in self.known(live) if id[:10] == identifier[:10] and id != identifier]

    @asynccontextmanager
    async def hold(self, identifier: str) -> AsyncIterator[Older]:
        """A known release, open until the end of the block. Raises NoSuchRelease when it cannot be opened now."""
        reader = await self._take(identifier)
        self._held[reader] += 1
        try:
            yield reader
        finally:
            self._held[reader] -= 1
            self._close_left()

    async def _take(self, identifier: str) -> Older:
        folder = self._home / "releases" / identifier
        for _ in range(TRIES):
            if reader := self._opened(identifier, folder):
                return reader
            async with self._opening:
                if reader := self._opened(identifier, folder):  # by who was before us
                    return reader
                if reader := await self._open_anew(identifier, folder):
                    return reader
            await asyncio.sleep(WAIT_SECONDS)
        raise NoSuchRelease(503, "as_of_busy")

    def _opened(self, identifier: str, folder: Path) -> Older | None:
        found = self._open.get(identifier)
        if found is None or found[0] != identity_of(folder / "manifest.json"):
            return None
        self._open.move_to_end(identifier)
        return found[1]

    async def _open_anew(self, identifier: str, folder: Path) -> Older | None:
        seen = identity_of(folder / "manifest.json")
        try:
            reader = await asyncio.to_thread(Older, folder, self._columns)
        except BadHome:
            log.exception("release %s cannot be opened", identifier)
            return None
        if seen is None or identity_of(folder / "manifest.json") != seen:  # half of it may be of one issue and half of another
            reader.close()
            return None
        if before := self._open.pop(identifier, None):
            self._left.append(before[1])
        self._open[identifier] = seen, reader
        while len(self._open) > MOST:
            self._left.append(self._open.popitem(last=False)[1][1])
        self._close_left()
        return reader

    def sweep(self) -> None:
        """Let go of those that are issued anew or removed: their bytes are to be gone from the disk too."""
        for identifier, (identity, _) in list(self._open.items()):
            if identity_of(self._home / "releases" / identifier / "manifest.json") != identity:
                self._left.append(self._open.pop(identifier)[1])
        self._close_left()

    def _close_left(self) -> None:
        for reader in [reader for reader in self._left if not self._held[reader]]:
            self._left.remove(reader)
            del self._held[reader]
            reader.close()

    def close(self) -> None:
        """Close all."""
        self._left += [reader for _, reader in self._open.values()]
        self._open.clear()
        self._held.clear()
        self._close_left()


def identity_of(file: Path) -> Identity | None:
    """By which a file is known again; another one takes its name and not its place."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def is_day(text: str) -> bool:
    """Whether a text is a day of the calendar, spelt as we spell it."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
