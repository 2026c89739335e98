"""Which release is served now, and the change to the next one while requests are running.

`current` is looked at again and again. When it points to another folder, that release is opened beside the old one and one assignment
makes it the served one: a request that has begun keeps the Reader that it took, the next request takes the new one. The old Reader is
closed when nobody holds it and some seconds have passed. A release that cannot be opened changes nothing but `problem`. What may be told of
the past is opened with it, and its feeds, since the files are removed when the next release is live; without them the rest of the site answers as ever.
"""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadHome
from .archive import Archive, identity_of
from .archive import Identity as FileIdentity
from .feedfile import Feeds, feeds_file
from .older import columns_of
from .past import Past, past_file
from .reader import Reader

log = logging.getLogger(__name__)
GRACE_SECONDS = 5.0  # a request that was broken off may leave one SQL query behind, which ends within its time limit (0.3 s)
Identity = tuple[str, int, int]
Beside = TypeVar("Beside", Past, Feeds)


def _nothing(reader: Reader) -> None:
    pass


class Shelf:
    """The releases of a home that are open; `reader` is the one that the next request gets, None before the first release. `dictionary` says what is
    published today, as `catalogue.dictionary` does."""

    def __init__(self, home: Path, dictionary: Mapping[str, Any], grace_seconds: float = GRACE_SECONDS) -> None:
        self.home = home
        self.archive = Archive(home, columns_of(dictionary))
        self.reader: Reader | None = None
        self.problem: str | None = None
        self.opened: Callable[[Reader], None] = _nothing  # called before a release is served
        self.closed: Callable[[Reader], None] = _nothing  # called when nobody reads it any more
        self._identity: Identity | None = None
        self._grace = grace_seconds
        self._held: Counter[Reader] = Counter()
        self._retired: list[tuple[float, Reader]] = []
        self._beside: dict[tuple[Reader, type], list[tuple[FileIdentity | None, Any]]] = {}
        self._refused: dict[tuple[Reader, type], FileIdentity] = {}

    def past(self, reader: Reader) -> Past | None:
        """What may be told of every release's past up to a live one; None while its file is not there."""
        return self._opened(reader, Past, past_file(reader))

    def feeds(self, reader: Reader) -> Feeds | None:
        """The feeds of a live release; None while their file is not there."""
        return self._opened(reader, Feeds, feeds_file(reader))

    def feeds_seen(self, reader: Reader) -> Feeds | None:
        """The feeds as they were when their file was looked at last, for who cannot wait for a look: `refresh` looks again."""
        kept = self._beside.get((reader, Feeds))
        return kept[-1][1] if kept else None

    def _opened(self, reader: Reader, kind: type[Beside], file: Path) -> Beside | None:
        """What is made of a file beside the releases. One that was made again is opened anew."""
        seen = identity_of(file)
        kept: list[tuple[FileIdentity | None, Beside]] = self._beside.get((reader, kind), [])
        if kept and seen in (None, kept[-1][0]):
            return kept[-1][1]
        try:
            found = kind(reader)
        except BadHome as error:
            if seen is not None and self._refused.get((reader, kind)) != seen:
                self._refused[reader, kind] = seen  # each page asks for it, and the operator is told once
                log.warning("%s", error)
            return None
        self._beside[reader, kind] = [*kept, (seen, found)]
        return found

    def _look(self) -> tuple[Identity, Path] | None:
        """What `current` points to. A release that is re-issued keeps its name and is another folder or manifest all the same."""
        try:
            folder = Path(os.path.realpath(self.home / "current", strict=True))
            manifest = (folder / "manifest.json").stat()
        except OSError:
            return None
        return (str(folder), manifest.st_ino, manifest.st_mtime_ns), folder

    def open_now(self) -> None:
        """Serve what `current` points to, waiting for it to be opened."""
        seen = self._look()
        if seen and seen[0] != self._identity:
            self._serve(seen[0], self._open(seen[1]))

    async def refresh(self) -> None:
        """Serve what `current` points to, opening it in a thread so that requests go on; then close what nobody reads."""
        seen = self._look()
        if seen and seen[0] != self._identity:
            self._serve(seen[0], await asyncio.to_thread(self._open, seen[1]))
        if self.reader:
            self.feeds(self.reader)
        self._sweep()
        self.archive.sweep()

    async def watch(self, poll_seconds: float) -> None:
        while True:
            try:
                await self.refresh()
            except Exception as error:  # a watcher that ended would serve this release for ever
                log.exception("the next release could not be taken")
                self.problem = type(error).__name__
            await asyncio.sleep(poll_seconds)

    def _open(self, folder: Path) -> Reader | None:
        try:
            reader = Reader(folder)
            self.past(reader)
            self.feeds(reader)
            return reader
        except BadHome as error:
            self.problem = self._without_path(str(error))
            return None

    def _without_path(self, problem: str | None) -> str | None:
        """A problem as /status shows it: no path of this machine."""
        return problem and problem.replace(str(self.home), "$MINGBAI_HOME")

    def _serve(self, identity: Identity, reader: Reader | None) -> None:
        if reader is None:
            return
        self.opened(reader)
        old, self.reader = self.reader, reader
        self._identity, self.problem = identity, self._without_path(reader.unsearchable)
        if old is not None:
            self._retired.append((time.monotonic(), old))

    @contextmanager
    def hold(self) -> Iterator[Reader | None]:
        """The release that is served now, kept open until the end of the block."""
        reader = self.reader
        if reader is None:
            yield None
            return
        self._held[reader] += 1
        try:
            yield reader
        finally:
            self._held[reader] -= 1

    def _sweep(self) -> None:
        due = [r for at, r in self._retired if not self._held[r] and time.monotonic() - at >= self._grace]
        self._retired = [(at, r) for at, r in self._retired if r not in due]
        for reader in due:
            del self._held[reader]
            self._close(reader)

    def _close(self, reader: Reader) -> None:
        self.closed(reader)
        for kind in (Past, Feeds):
            self._refused.pop((reader, kind), None)
            for _, opened in self._beside.pop((reader, kind), ()):
                opened.close()
        reader.close()

    def close(self) -> None:
        self.archive.close()
        for reader in [r for _, r in self._retired] + ([self.reader] if self.reader else []):
            self._close(reader)
        self._retired, self.reader, self._identity = [], None, None
