"""Prove that what was withdrawn is nowhere in what readers can reach: every byte of every release, and of the files beside them.

Asked are the tables of each release for the notice's id, and the bytes of every file, databases and indexes among them, compressed ones
unpacked, for its id and for what it said, as the source still says it in our private staging. Only texts that no other notice has are looked
for: a phrase that many notices share says nothing. A text so long that SQLite cuts it is found by its id's row. A tombstone has the id, and may.
"""

import gzip
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, cast

from search import compact

from .audit import entries
from .errors import BadHome
from .home import Home
from .statements import statements
from .stones import FILE as STONES
from .withdrawals import PEOPLE, Withdrawal, in_database, withdrawals
from .work import Work

CHUNK = 1 << 20
SHORTEST = 8  # characters of a text that is looked for
SAID = ("title", "facts", "penalty_text", "document_no")  # not whom it was about: an institution keeps its name


def nowhere(work: Work) -> Iterator[str]:
    """A line for each notice that was withdrawn or waits for a name. Raises BadHome naming every file in which something is left."""
    known = withdrawals(entries(work.home))
    done = {notice: one for notice, one in known.items() if one.on is not None}
    left = list(remains(work.home, done))
    for notice, one in known.items():
        if one.on is None:
            yield f"{notice}: {one.reason}, signed by {', '.join(one.names)}; {PEOPLE - len(one.names)} more must sign"
    if left:
        raise BadHome(f"{'; '.join(left[:5])}{f' and {len(left) - 5} more' if len(left) > 5 else ''}; run `mingbai withdraw` for it again")
    for notice, one in done.items():
        yield f"{notice}: {one.reason}, withdrawn {one.on} by {', '.join(one.names)}; nothing of it is left in {len(work.home.release_ids())} releases"


def remains(home: Home, done: Mapping[str, Withdrawal]) -> Iterator[str]:
    """Where something of these notices is left, and what."""
    if not done:
        return
    for identifier in home.release_ids():
        folder = home.releases / identifier
        for notice in in_database(folder / "mingbai.db", done):
            yield f"{folder / 'mingbai.db'}: has {notice}"
        for path in sorted(folder.rglob("*.db")):
            if _free_pages(path):
                yield f"{path}: has free pages, which can hold what was deleted"
    wanted = {text.encode(): notice for notice, text in (*_said(home.base, done), *_replied(home, done))}
    ids = {notice.encode(): notice for notice in done}
    for path in _public(home):
        needles = wanted if path.name == STONES else {**wanted, **ids}
        for needle in sorted(_found(path, needles)):
            yield f"{path}: has {'words' if needle in wanted else 'the id'} of {needles[needle]}"


def _free_pages(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    finally:
        connection.close()


def _public(home: Home) -> Iterator[Path]:
    yield from (path for path in (home.path / "releases.json", home.status) if path.is_file())
    yield from sorted(path for path in home.releases.rglob("*") if path.is_file())


def _said(staged: Path, done: Mapping[str, Withdrawal]) -> Iterator[tuple[str, str]]:
    """What the notices said that no other one says, as it is printed and as it is indexed."""
    if not staged.is_file():
        return
    connection = sqlite3.connect(f"file:{staged}?mode=ro", uri=True)
    try:
        for notice in sorted(done):
            for column in SAID:
                sql = f"""SELECT DISTINCT "{column}" FROM notices s WHERE id = :id AND length("{column}") >= :least
                    AND NOT EXISTS (SELECT 1 FROM notices o WHERE o."{column}" = s."{column}" AND o.id <> :id AND o.withheld IS NULL)"""
                for (text,) in connection.execute(sql, {"id": notice, "least": SHORTEST}).fetchall():
                    yield notice, text
                    yield notice, compact(text)
    finally:
        connection.close()


def _replied(home: Home, done: Mapping[str, Withdrawal]) -> Iterator[tuple[str, str]]:
    """What was replied to the notices."""
    for one in statements(entries(home)):
        if one.notice_id in done and one.text and len(one.text) >= SHORTEST:
            yield one.notice_id, one.text


def _found(path: Path, needles: Iterable[bytes]) -> set[bytes]:
    """Which needles are in the bytes of a file, free pages of a database included."""
    wanted, found = set(needles), set[bytes]()
    keep = max(map(len, wanted), default=1) - 1
    with cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else open(path, "rb") as file:
        before = b""
        while chunk := file.read(CHUNK):
            data = before + chunk
            found |= {needle for needle in wanted - found if needle in data}
            before = data[-keep:] if keep else b""
    return found
