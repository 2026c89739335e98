"""outbox.db: what is still to be said to hubs and newsrooms' webhooks, and what they were told. It survives every crash.

It is filled from the feeds of the live release, never from what a run remembers: a hub's letters are the documents whose ETag is not the one that
it was told of last, a webhook's are the numbers of its feed after the last that was entered for it. So filling twice adds nothing, and a
release that nobody told of (a run that died, a hub that was down for a month) is told of with the next. A letter leaves when it was accepted. Killed between the
answer and that, it is sent again under the same key: at least once, and once by its key.

What a hook's numbers meant when they were entered is known by the marks of the releases (`lived`): a home that is restored from an older copy gives
the same numbers to other events, and those are told again (hooks.py).

Letters of one callee about one subject go in the order of their numbers, one at a time; a dead one holds nobody up. The file is private: it has the secrets.
"""

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson

from .callers import Said
from .errors import BadHome

SCHEMA = """
CREATE TABLE IF NOT EXISTS callees (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL CHECK (kind IN ('hub', 'hook')), url TEXT NOT NULL, feed TEXT NOT NULL, secrets TEXT NOT NULL,
  entered INTEGER NOT NULL, added TEXT NOT NULL, failures INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0, ended TEXT, UNIQUE (kind, url, feed)
) STRICT;
CREATE TABLE IF NOT EXISTS letters (
  callee INTEGER NOT NULL REFERENCES callees(id) ON DELETE CASCADE, subject TEXT NOT NULL, number INTEGER NOT NULL, what TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, since REAL NOT NULL, is_dead INTEGER NOT NULL DEFAULT 0, said TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (callee, subject, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS letters_by_due ON letters (callee, is_dead, due, number);
CREATE TABLE IF NOT EXISTS lived (number INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS told (
  callee INTEGER NOT NULL REFERENCES callees(id) ON DELETE CASCADE, subject TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (callee, subject)
) STRICT, WITHOUT ROWID;
"""
VERSION = 2
READY = """
SELECT l.callee, l.subject, l.number, l.what, l.tries, l.said FROM letters l WHERE l.callee = ? AND l.due <= ? AND l.is_dead = 0 AND NOT EXISTS (
  SELECT 1 FROM letters e WHERE e.callee = l.callee AND e.subject = l.subject AND e.number < l.number AND e.is_dead = 0
) ORDER BY l.due, l.number LIMIT ?
"""
NEXT_DUE = """
SELECT min(max(l.due, c.due)) FROM letters l JOIN callees c ON c.id = l.callee WHERE c.ended IS NULL AND l.is_dead = 0 AND c.id = coalesce(?, c.id) AND NOT EXISTS (
  SELECT 1 FROM letters e WHERE e.callee = l.callee AND e.subject = l.subject AND e.number < l.number AND e.is_dead = 0)
"""
LONGEST = 24 * 3600.0  # that somebody may ask us to wait


@dataclass(frozen=True)
class Patience:
    """How long a letter is tried, and when a callee is left alone. Seconds."""

    first: float = 5.0
    factor: float = 4.0
    longest: float = 6 * 3600.0
    tries: int = 16  # over two days and a half
    settle: float = 2.0  # from a release to its pings: twice what the site takes to see it, or a hub would fetch what was before
    failures: int = 5  # in a row, after which a callee is asked one thing at a time, and less and less often

    def wait(self, times: int, jitter: float) -> float:
        """Seconds after the so-manieth failure; `jitter` between 0 and 1, so that not all who failed together come back together."""
        return min(self.longest, self.first * self.factor ** min(times - 1, 30)) * (0.5 + jitter / 2)


@dataclass(frozen=True)
class Callee:
    """A hub, or one webhook with its feed."""

    id: int
    kind: str
    url: str
    feed: str
    secrets: tuple[str, ...]  # newest first
    entered: int  # the last number of the feed that became a letter
    added: str
    failures: int
    due: float
    ended: str | None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id}>"  # not with its secrets


@dataclass(frozen=True)
class Letter:
    """One thing to say: to a hub that a document (`subject`) is now another (`what`, its ETag), to a webhook a number of its feed."""

    callee: int
    subject: str
    number: int
    what: str
    tries: int
    said: str


class Outbox:
    """The open file. One process writes letters off (deliver.py holds a lock for that); commands beside it may add and remove."""

    def __init__(
        self, connection: sqlite3.Connection, clock: Callable[[], float], patience: Patience, jitter: Callable[[], float] = random.random
    ) -> None:
        self.connection, self.clock, self.patience, self._jitter = connection, clock, patience, jitter

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def forget(self) -> None:
        """Leave nothing of what was taken out in the log beside the file, as far as nobody reads at this moment."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def callees(self, kind: str) -> list[Callee]:
        """Everybody of a kind, oldest first."""
        rows = self.connection.execute(
            "SELECT id, kind, url, feed, secrets, entered, added, failures, due, ended FROM callees WHERE kind = ? ORDER BY id", [kind]
        )
        return [Callee(who, what, url, feed, tuple(orjson.loads(secrets)), *rest) for who, what, url, feed, secrets, *rest in rows]

    def add(self, kind: str, url: str, feed: str = "", secrets: tuple[str, ...] = (), entered: int = 0, added: str = "") -> int:
        """Enter a callee. Returns its id, which no other ever gets."""
        cursor = self.connection.execute(
            "INSERT INTO callees (kind, url, feed, secrets, entered, added) VALUES (?,?,?,?,?,?)",
            [kind, url, feed, orjson.dumps(secrets).decode(), entered, added],
        )
        return int(cursor.lastrowid or 0)

    def ready(self, callee: Callee, how_many: int, under_way: set[tuple[int, str]]) -> list[Letter]:
        """Letters that may go to a callee now, the longest due first: none of a subject of which one is under way or an earlier one waits."""
        if callee.ended is not None or callee.due > self.clock() or how_many <= 0:
            return []
        mine = sum(who == callee.id for who, _ in under_way)
        rows = self.connection.execute(READY, [callee.id, self.clock(), how_many + mine])
        return [letter for row in rows if ((letter := Letter(*row)).callee, letter.subject) not in under_way][:how_many]

    def accepted(self, letter: Letter) -> None:
        """The callee has it. A document that became another while it was told of is told of again."""
        self.connection.execute(
            "DELETE FROM letters WHERE callee = ? AND subject = ? AND number = ? AND what = ?",
            [letter.callee, letter.subject, letter.number, letter.what],
        )
        if letter.what:
            self.connection.execute(
                "INSERT INTO told SELECT id, ?, ? FROM callees WHERE id = ? ON CONFLICT DO UPDATE SET what = excluded.what",
                [letter.subject, letter.what, letter.callee],
            )
        self.connection.execute("UPDATE callees SET failures = 0, due = 0 WHERE id = ? AND failures > 0", [letter.callee])

    def failed(self, letter: Letter, said: Said) -> bool:
        """The callee does not have it. Returns whether it is dead now."""
        now, tries = self.clock(), letter.tries + 1
        asked = min(said.after or 0.0, LONGEST)
        due = now + max(self.patience.wait(tries, self._jitter()), asked)
        dead = tries >= self.patience.tries
        self.connection.execute(
            "UPDATE letters SET tries = ?, due = ?, said = ?, is_dead = ? WHERE callee = ? AND subject = ? AND number = ?",
            [tries, due, said.words, dead, letter.callee, letter.subject, letter.number],
        )
        self.connection.execute("UPDATE callees SET failures = failures + 1 WHERE id = ?", [letter.callee])
        for (failures,) in self.connection.execute("SELECT failures FROM callees WHERE id = ?", [letter.callee]).fetchall():
            over = failures - self.patience.failures
            rest = max(asked, self.patience.wait(over + 1, self._jitter()) if over >= 0 else 0.0)
            self.connection.execute("UPDATE callees SET due = max(due, ?) WHERE id = ?", [now + rest if rest else 0.0, letter.callee])
        return dead

    def end(self, callee: int, why: str | None) -> None:
        """Leave a callee alone, with why; with None call it again."""
        self.connection.execute("UPDATE callees SET ended = ?, failures = 0, due = 0 WHERE id = ?", [why, callee])

    def at_once(self, callee: Callee) -> int:
        """How many letters may be under way to a callee: one where it fails and fails."""
        return 1 if callee.failures >= self.patience.failures else 4

    def next_due(self, callee: int | None = None) -> float | None:
        """When the next letter may go, to anybody or to one; None where none waits."""
        found: float | None = self.connection.execute(NEXT_DUE, [callee]).fetchone()[0]
        return found

    def hurry(self) -> None:
        """Let go at once what failed and waits for its turn, also to who was to be left alone for a while."""
        with self.together():
            self.connection.execute("UPDATE letters SET due = min(due, ?) WHERE is_dead = 0 AND tries > 0", [self.clock()])
            self.connection.execute("UPDATE callees SET due = 0 WHERE ended IS NULL")


def exists(home: Path) -> bool:
    """Whether anybody was ever to be told of anything."""
    return (home / "outbox.db").is_file()


@contextmanager
def outbox(home: Path, clock: Callable[[], float], patience: Patience | None = None) -> Iterator[Outbox]:
    """Open outbox.db of a home, made where it is missing and readable by its owner alone. Raises BadHome where it is of a newer mingbai."""
    path = home / "outbox.db"
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    os.chmod(path, 0o600)  # what SQLite lays beside it gets the same
    with closing(sqlite3.connect(f"file:{quote(str(path))}", isolation_level=None, timeout=30.0, uri=True)) as connection:
        # what a power cut takes from the end is sent again under its key
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise BadHome(f"{path}: is of form {version}, and this mingbai writes {VERSION}; use the newer one")
        if version < VERSION:
            connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
        yield Outbox(connection, clock, patience or Patience())
