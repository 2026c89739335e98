"""Somebody who is called: a server on loopback that fails as it is told, and the feeds of a live release in a home, small and invented."""

import hashlib
import random
import socket
import sqlite3
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson

from publish.feedfile import VERSION
from publish.work import Work

LOOPBACK = ("127.0.0.0/8",)
SCHEMA = """
CREATE TABLE releases (number INTEGER PRIMARY KEY, id TEXT, day TEXT, mark TEXT) STRICT;
CREATE TABLE feed_events (
  number INTEGER PRIMARY KEY, release INTEGER NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT, is_alert INTEGER NOT NULL
) STRICT;
CREATE TABLE feed_items (feed TEXT NOT NULL, seq INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (feed, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE documents (feed TEXT, form TEXT, etag TEXT, PRIMARY KEY (feed, form)) STRICT;
"""
FORM = f"PRAGMA user_version={VERSION};"


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Asked, BaseHTTPRequestHandler], Any]
"""Returns a status, or a status and headers; None where it has answered, or not, by itself."""


class Receiver(ThreadingHTTPServer):
    """Answers POSTs by `answering`, each of which is in `asked`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answering: Answering = lambda asked, _: 204, context: ssl.SSLContext | None = None) -> None:
        self.answering, self.asked = answering, list[Asked]()
        self._ours = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    def handle_error(self, *_: Any) -> None:
        """A connection that is cut on purpose is no news."""

    def take(self, asked: Asked) -> None:
        with self._ours:
            self.asked.append(asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server: Receiver = self.server  # type: ignore[assignment]
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = Asked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        server.take(asked)
        said = server.answering(asked, self)
        if said is None:
            self.close_connection = True
            return
        status, headers = said if isinstance(said, tuple) else (said, {})
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def reset(handler: BaseHTTPRequestHandler) -> None:
    """Cut the connection as a process does that dies: with a reset."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        handler.connection.close()


@contextmanager
def receiving(answering: Answering = lambda asked, _: 204, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""
    with Receiver(answering, context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Newsroom:
    """A system that applies each number once, by its key, and fails one time in five: before it applied it (500, reset, no answer)
    or after (reset: its own crash), so that it is sent what it has."""

    share: float = 0.2
    slow: float = 0.6
    dice: random.Random = field(default_factory=lambda: random.Random(5))
    applied: list[str] = field(default_factory=list)
    of_subject: dict[str, list[int]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.keys: set[str] = set()

    def __call__(self, asked: Asked, handler: BaseHTTPRequestHandler) -> Any:
        with self.lock:
            fate = "yes" if self.dice.random() >= self.share else self.dice.choice(("500", "503", "reset", "slow", "crash", "crash"))
            if fate == "slow" and self.dice.random() < 0.7:  # each costs the deliverer its whole patience
                fate = "500"
            if fate in ("yes", "crash"):
                self._apply(asked)
            if fate != "yes":
                self.failures[fate] += 1
        if fate == "slow":
            time.sleep(self.slow)
        if fate in ("slow", "reset", "crash"):
            reset(handler)
            return None
        return 204 if fate == "yes" else int(fate)

    def _apply(self, asked: Asked) -> None:
        key = asked.headers["webhook-id"]
        if key in self.keys:
            self.again += 1
            return
        self.keys.add(key)
        self.applied.append(key)
        data = orjson.loads(asked.body)["data"]
        self.of_subject.setdefault(data["subject"], []).append(data["number"])


def bodies(_: Work, file: Path, feed: str, numbers: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is said of numbers of the small feeds: what happened to which notice."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
        found = connection.execute(
            f"SELECT i.seq, e.kind, e.id, r.day FROM feed_items i JOIN feed_events e ON e.number = i.event JOIN releases r ON r.number = e.release WHERE i.feed = ? AND i.seq IN ({','.join('?' * len(numbers))})",
            [feed, *numbers],
        ).fetchall()
    return {
        seq: {"type": f"notice.{kind}", "timestamp": f"{day}T00:00:00+08:00", "data": {"subject": f"notice/{key}"}}
        for seq, kind, key, day in found
    }


def make_live(
    home: Path, releases: Sequence[tuple[str, Sequence[tuple[str, str, str]]]], forms: Sequence[str] = ("atom", "json", "rss")
) -> str:
    """Make the last of `releases` (id, events) live, with the feeds of all: each event a feed, an id and a kind. Returns its id.

    The documents of a feed have another ETag in each release that had an event in it.
    """
    live = releases[-1][0]
    folder = home / "releases" / live
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_bytes(orjson.dumps({"id": live, "released_on": live[:10]}))
    (home / "feeds").mkdir(exist_ok=True)
    part = home / "feeds" / f".{live}.db.part"
    part.unlink(missing_ok=True)
    with closing(sqlite3.connect(part)) as connection:
        connection.executescript(SCHEMA + FORM)
        ends, event = Counter[str](), 0
        for number, (identifier, events) in enumerate(releases, 1):
            mark = hashlib.sha256(repr(releases[:number]).encode()).hexdigest()
            connection.execute("INSERT INTO releases VALUES (?, ?, ?, ?)", [number, identifier, identifier[:10], mark])
            for feed, key, kind in events:
                event += 1
                ends[feed] += 1
                connection.execute("INSERT INTO feed_events VALUES (?,?,'notice',?,?,NULL,1)", [event, number, key, kind])
                connection.execute("INSERT INTO feed_items VALUES (?,?,?)", [feed, ends[feed], event])
                connection.executemany(
                    "INSERT OR REPLACE INTO documents VALUES (?,?,?)", ((feed, form, f'"{feed}-{form}-{ends[feed]}"') for form in forms)
                )
        connection.commit()
    part.replace(home / "feeds" / f"{live}.db")
    link = home / ".current.part"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / live)
    link.replace(home / "current")
    return live
