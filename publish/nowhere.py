"""Prove that what was withdrawn is nowhere in what readers can reach: every byte of every release, and of the files beside them.

Asked are the tables of each release for the notice's id, and the bytes of every file, databases and indexes among them, compressed ones
unpacked, for its id and for what it said, as the source still says it in our private staging. Only texts that no other notice has are looked
for: a phrase that many notices share says nothing. A text so long that SQLite cuts it is found by its id's row. Tombstones and the past have the id, and may.
"""

import gzip
import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from html import escape
from itertools import chain
from pathlib import Path

from search import compact, tokens

from . import forgotten
from .audit import entries
from .carry import SAID, words
from .documents import unbrotli
from .errors import BadHome
from .home import DELTAS, Home, to_read
from .statements import statements
from .stones import TOMBSTONES
from .withdrawals import PEOPLE, in_database, withdrawals
from .work import Work

CHUNK = 1 << 20
# what gzip, Brotli, zip, SQLite and Arrow raise for bytes that are not as they were written
DAMAGED = (ValueError, OSError, EOFError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile, sqlite3.Error)
_SQLITE = b"SQLite format 3\0"
SHORTEST = 8  # characters of a text that is looked for


def nowhere(work: Work) -> Iterator[str]:
    """A line for each notice that was withdrawn or waits for a name. Raises BadHome naming every file in which something is left."""
    known, gone = withdrawals(entries(work.home)), forgotten.gone(work.home.history)
    for notice, one in known.items():
        if one.on is None:
            yield f"{notice}: {one.reason}, signed by {', '.join(one.names)}; {PEOPLE - len(one.names)} more must sign"
    left = [f"{notice}: was signed and is not carried out" for notice, one in known.items() if one.on is not None and notice not in gone]
    left += remains(work.home, gone)
    if left:
        more = f" and {len(left) - 5} more" if len(left) > 5 else ""
        raise BadHome(
            f"{'; '.join(left[:5])}{more}; `mingbai run` goes on with what a run left undone, anything else has to be removed by hand"
        )
    for notice, (reason, on, signed) in gone.items():
        texts = len(set(_texts(work.home, notice)))
        who = f"by {', '.join(known[signed].names)}" + (f" with {signed}, the same decision" if signed != notice else "")
        yield f"{notice}: {reason}, withdrawn {on} {who}; its id and {texts} texts are in none of {len(work.home.release_ids())} releases"


def remains(home: Home, gone: Collection[str]) -> Iterator[str]:
    """Where something of these notices is left, and what."""
    if not gone:
        return
    for identifier in home.release_ids():
        folder = home.releases / identifier
        for notice in in_database(folder / "mingbai.db", gone):
            yield f"{folder / 'mingbai.db'}: has {notice}"
        for path in sorted(folder.rglob("*.db")):
            if _free_pages(path):
                yield f"{path}: has free pages, which can hold what was deleted"
    said = {form.encode(): notice for notice in gone for text in _texts(home, notice) for form in _forms(text)}
    for path in sorted((*home.past.glob("*.db"), *home.feeds.glob("*.db"))):
        if _free_pages(path):
            yield f"{path}: has free pages, which can hold what was deleted"
    for path in _public(home):
        needles = {**said, **{form.encode(): notice for notice in gone for form in _named(path, notice)}}
        for needle in sorted(_found(path, needles)):
            yield f"{path}: has {'words' if needle in said else 'the id'} of {needles[needle]}"


def _texts(home: Home, notice: str) -> Iterator[str]:
    """What a notice said that no other one says, and what was replied to it."""
    replied = [one.text for one in statements(entries(home)) if one.notice_id == notice and one.text]
    said = (*words(home).get(notice, ()), *replied)
    yield from (text for text in said if len(text) >= SHORTEST and not _said_elsewhere(home, text))


def _forms(text: str) -> set[str]:
    """A text as it is printed, as it is indexed, and escaped as in feeds and tables."""
    return {
        text,
        compact(text),
        " ".join(tokens(text)),
        escape(text),
        escape(text, quote=False),
        json.dumps(text, ensure_ascii=False)[1:-1],
        text.replace('"', '""'),
    }


def _named(path: Path, notice: str) -> list[str]:
    """How a file would have a notice by its id. Tombstones and the past have it, and a delta that takes it out must: that adds or changes nothing of it."""
    if path.name == TOMBSTONES or (path.suffix == ".db" and path.parent.name in (Home.PAST, Home.FEEDS)):
        return []
    if path.parent.name == DELTAS and path.suffix in (".ndjson", ".csv"):
        forms = [form.format(op, notice) for op in ("add", "change") for form in ('"op":"{}","key":["{}"', ",{},{}")]
        return [*forms, f'"notice_id":"{notice}"', f",notice_id,{notice},"]
    return [notice]


def _unpacked(path: Path) -> Iterator[bytes]:
    """What a file has packed whole: the documents that a file of feeds has made ahead, in each of their codings, of which any may be the one that
    is sent."""
    if path.suffix == ".br":
        yield unbrotli(path.read_bytes())
    if path.suffix == ".db" and path.parent.name == Home.FEEDS:
        with closing(sqlite3.connect(to_read(path, for_good=True), uri=True)) as connection:
            for zipped, brotlied in connection.execute("SELECT gzip, brotli FROM documents ORDER BY feed, form"):
                yield gzip.decompress(zipped)
                yield unbrotli(brotlied)


def _said_elsewhere(home: Home, text: str) -> bool:
    """Whether another notice, or a document that others name, says or has said the same: what many share says nothing about one."""
    connection = sqlite3.connect(to_read(home.history), uri=True)
    try:
        where = " OR ".join(f'"{column}" = :text' for column in SAID)
        sql = f"SELECT EXISTS (SELECT 1 FROM notices WHERE {where}) OR EXISTS (SELECT 1 FROM documents WHERE title = :text)"
        return bool(connection.execute(sql, {"text": text}).fetchone()[0])
    finally:
        connection.close()


def _free_pages(path: Path) -> int:
    """How many pages of a database hold nothing now; an index of names has none, and is no database."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            return 0
    connection = sqlite3.connect(to_read(path, for_good=True), uri=True)
    try:
        return int(connection.execute("PRAGMA freelist_count").fetchone()[0])
    finally:
        connection.close()


def _public(home: Home) -> Iterator[Path]:
    yield from (path for path in (home.path / "releases.json", home.status, home.keys) if path.is_file())
    seen = set()  # what releases share is one file
    for path in sorted(
        path for folder in (home.releases, home.chain, home.past, home.feeds) for path in folder.rglob("*") if path.is_file()
    ):
        if (inode := path.stat().st_ino) not in seen:
            seen.add(inode)
            yield path


def _found(path: Path, needles: Iterable[bytes]) -> set[bytes]:
    """Which needles are in a file or in what is packed in it. Raises BadHome for what cannot be unpacked: nobody knows what is in it."""
    try:
        return _seen(path, needles)
    except DAMAGED as error:
        raise BadHome(
            f"{path}: cannot be unpacked ({error}); `mingbai run` makes feeds anew, anything else has to be removed by hand"
        ) from error


def _seen(path: Path, needles: Iterable[bytes]) -> set[bytes]:
    """Which needles are in the bytes of a file, free pages of a database included."""
    from .forms.opened import insides  # Arrow takes a tenth of a second, which no other command should wait for

    wanted, found = set(needles), set[bytes]()
    keep = max(map(len, wanted), default=1) - 1
    for document in _unpacked(path):
        found |= {needle for needle in wanted - found if needle in document}
    with open(path, "rb") as itself:
        for file in chain((itself,), insides(path)):
            before = b""
            while chunk := file.read(CHUNK):
                data = before + chunk
                found |= {needle for needle in wanted - found if needle in data}
                before = data[-keep:] if keep else b""
    return found
