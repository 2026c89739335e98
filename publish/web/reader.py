"""One release, open for reading: its database, its search index, its manifest and its small tables.

A Reader never changes and never looks at `current`: whoever holds one gets answers of one release only. Connections are read-only and
immutable, so SQLite takes no lock and looks at no journal. Knows nothing of the web.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import search

from ..errors import BadHome
from ..regions import Region, Regions

Row = dict[str, Any]
Made = TypeVar("Made")

STONES = "tombstones.json"  # by publish.stones: what was public once, since when it is gone, for which class of reason
NOTICES = "search/notices.db"
DECLARED_LATER = {  # a release from before that says nothing of them
    "notice_statements": "notice_id, number, kind, said_by, said_on, text, document, fields, recorded_on, settled_on",
    "institution_lineage": "predecessor_id, successor_id, kind, method, since",
}
REGIONS = (
    "SELECT code, valid_from, valid_until, name_zh, name_en, level, parent_code, successor_codes FROM regions ORDER BY code, valid_from"
)
LIMITS = (  # one open SQL query took 1.9 GB without them
    (sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000),  # of one value and one row: a page shows 200 rows
    (sqlite3.SQLITE_LIMIT_SQL_LENGTH, 20_000),
    (sqlite3.SQLITE_LIMIT_COLUMN, 200),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 20),
    (sqlite3.SQLITE_LIMIT_VDBE_OP, 25_000),
    (sqlite3.SQLITE_LIMIT_FUNCTION_ARG, 20),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 500),
    (sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 1),
    (sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0),
)


def harden(connection: sqlite3.Connection) -> None:
    """Bound what one query on `connection` may take, and let it write nothing."""
    for category, limit in LIMITS:
        connection.setlimit(category, limit)
    connection.execute("PRAGMA query_only=1")
    connection.execute("PRAGMA trusted_schema=0")


def read_only(path: Path) -> sqlite3.Connection:
    """A connection to the file of a release: no lock, no journal, any thread."""
    uri = f"file:{quote(str(path))}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, cached_statements=256)


def _connected(database: Path) -> sqlite3.Connection:
    """A hardened connection to the database of a release, whose rows are dicts."""
    connection = read_only(database)
    connection.row_factory = as_row
    for table, columns in DECLARED_LATER.items():
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
            connection.execute(f"CREATE TEMP TABLE {table} ({columns})")
    harden(connection)
    return connection


class NoIndex(Exception):
    """The release has no index that can be read."""


def _opened(opening: Callable[[Path], Made], file: Path) -> tuple[Made | None, str | None]:
    """An index, or why there is none: a release from before the index had another form is itself all the same, but for its search."""
    try:
        return opening(file), None
    except (OSError, ValueError) as error:
        return None, str(error)


def _texts(file: Path, sha256: str | None) -> search.Texts:
    """The notices' index, if its bytes are those that the manifest says: SQLite reads on where a bit fell over, and finds less. Raises ValueError.

    The index of institutions has sums of its own. 20 MB take 15 to 60 ms, once for each time that a release is opened; SQLite's own
    check takes longer and sees no damage within a text.
    """
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(
            f"{file}: damaged: its SHA-256 is {found[:12]}, and the manifest says {(sha256 or 'nothing')[:12]}; restore it from a copy"
        )
    return search.open_texts(file)


class Reader:
    """`unsearchable` says why one of its indexes cannot be read, where it cannot. Raises BadHome when `folder` is no whole release but for them, naming the file that is missing or unreadable."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "mingbai.db"
        try:
            sealed = (folder / "manifest.json").read_bytes()
            self.manifest: dict[str, Any] = json.loads(sealed)
            self.manifest_sha256 = hashlib.sha256(sealed).hexdigest()  # which names the hash of every file: that of the release
            self.id = str(self.manifest["id"])
            self._connection = _connected(self.database)
            self._index, of_index = _opened(search.open_index, folder / "search" / "index.db")
            said = self.manifest.get("files", {}).get(NOTICES, {}).get("sha256")
            self._texts, of_texts = _opened(partial(_texts, sha256=said), folder / NOTICES)
            self.unsearchable = of_index or of_texts
            file = folder / STONES
            self.stones: dict[str, dict[str, str]] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
            self.counts = self._counts()
            self.references = self._references()
            since = {row["id"]: row.get("content_since") for row in self.manifest.get("sources", [])}
            self.sources = [{**row, "content_since": since.get(row["id"])} for row in self.rows("SELECT * FROM sources ORDER BY id")]
            self.held: list[Row] = self.manifest.get("held", [])
            self._held = {(row["source"], row["table"], row["region"]): row["since"] for row in self.held}
            self._labels = {(r["table_name"], r["code"]): (r["label_zh"], r["label_en"]) for r in self.rows("SELECT * FROM codes")}
            # the newest meaning of a code comes last and wins
            regions = self.rows("SELECT code, name_zh, name_en, level, parent_code FROM regions ORDER BY code, valid_from")
            self.regions = {r["code"]: r for r in regions}
        except (OSError, ValueError, KeyError, sqlite3.Error) as error:
            raise BadHome(f"{folder}: is no whole release: {error}; run `mingbai run` to make one") from error
        self.released_on = str(self.manifest.get("released_on") or self.id[:10])
        self.past: tuple[tuple[int, int], sqlite3.Connection] | None = None  # of past.py: its file, by which one it is
        self._kept: dict[str, dict[str, Any]] = {}  # answers that hold for the whole release on a day, by the day

    @property
    def index(self) -> search.Index:
        """Raises NoIndex."""
        if self._index is None:
            raise NoIndex
        return self._index

    @property
    def texts(self) -> search.Texts:
        """Its notices. Raises NoIndex."""
        if self._texts is None:
            raise NoIndex
        return self._texts

    def _counts(self) -> dict[str, int]:
        names = [
            r["name"] for r in self.rows("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
        ]
        known = self.manifest.get("tables", {})
        count = partial(str.format, 'SELECT count(*) AS n FROM "{}"')  # names come from the release's own schema
        return {name: int(known[name]) if name in known else int(self.rows(count(name))[0]["n"]) for name in names}

    def _references(self) -> dict[tuple[str, str], str]:
        """The table that a column refers to, by table and column."""
        return {
            (name, r["from"]): r["table"]
            for name in self.counts
            for r in self.rows('SELECT "from", "table" FROM pragma_foreign_key_list(?)', name)
        }

    def rows(self, sql: str, *values: object) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def batches(self, sql: str, values: Sequence[object], size: int) -> Iterator[list[tuple[object, ...]]]:
        """The rows of a query as they come, without the names of their columns."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        cursor.execute(sql, values)
        while rows := cursor.fetchmany(size):
            yield rows

    def row(self, sql: str, *values: object) -> Row | None:
        found: Row | None = self._connection.execute(sql, values).fetchone()
        return found

    def once(self, today: str, what: str, make: Callable[[], Made]) -> Made:
        """What `make` gives, worked out once for the release and a day. Earlier days are forgotten; of one that is asked for late, as at midnight
        by a thread that began before, it is kept beside the newest."""
        if today not in self._kept:
            newest = max([*self._kept, today])
            for other in {*self._kept} - {newest}:
                self._kept.pop(other, None)
        of_day = self._kept.setdefault(today, {})
        if what not in of_day:
            of_day[what] = make()
        made: Made = of_day[what]
        return made

    @contextmanager
    def apart(self) -> Iterator["Reader"]:
        """The same release on a connection of its own, for another thread to ask, so that nobody else waits. What it keeps (`once`) is kept for all."""
        other = copy(self)
        other._connection, other.past = _connected(self.database), None
        try:
            yield other
            self.territory = other.territory
        finally:
            other._connection.close()
            if other.past:
                other.past[1].close()

    def has(self, today: str, what: str) -> bool:
        """Whether `once` has it for a day."""
        return what in self._kept.get(today, {})

    def shown_counts(self) -> Mapping[str, int]:
        """The rows of each table, of which some may be over today."""
        return self.counts

    def reckoned(self, today: str) -> str:
        """The day on which a source is stale or not: a release that is not the newest is as fresh as it was."""
        return today

    def since(self, notice: str) -> Row:
        """What is to be said of a notice that an older release shows: its state in the live one (`state_now`) and the
        columns that say something else there (`not_repeated`); nothing of the live one's own."""
        return {}

    def unsaid(self) -> Mapping[str, tuple[str, ...]]:
        """The columns that `since` calls not repeated, of every notice that has any."""
        return {}

    def gone(self, notice: str, today: str) -> Row | None:
        """The tombstone of a notice that is not here; None where it never was."""
        stone = self.stones.get(notice)
        return {"id": notice, **stone} if stone else None

    def source_as_of(self, source_id: str | None) -> str | None:
        """The day up to which a source was read; None where it does not say."""
        return next((source["as_of"] for source in self.sources if source["id"] == source_id), None)

    def held_since(self, table: str, row: Row) -> str | None:
        """The day since which a row stays as it was, because its source cut its region short; None where it is not so."""
        return self._held.get((row["source_id"], table, row["region_code"] or row["region_text"] or ""))

    def label(self, table: str, code: str | None, lang: str) -> str:
        """What a code means; the code itself where the release has no word for it, "" for None."""
        if code is None:
            return ""
        zh, en = self._labels.get((table, code), (None, None))
        return str((zh if lang == "zh" else en or zh) or code)

    def codes(self, table: str) -> list[str]:
        """The codes of a code table, in its order."""
        return [code for name, code in self._labels if name == table]

    def region_name(self, code: str, lang: str) -> str:
        """The region's own name; the code where it is unknown."""
        at = self.regions.get(code)
        return str((at["name_zh"] if lang == "zh" else at["name_en"] or at["name_zh"]) if at else code)

    def lies_in(self, code: str | None) -> list[str]:
        """The codes of a region and of those that it lies in, from the province down, itself last; [] for the country and where it is unknown."""
        found: list[str] = []
        at = self.regions.get(code or "")
        while at and at["level"] != "country" and len(found) < 4:
            found.append(at["code"])
            at = self.regions.get(at["parent_code"] or "")
        return found[::-1]

    def region(self, code: str | None, text: str | None, lang: str) -> str:
        """The region's full name from the province down, or the source's own spelling where the code is unknown."""
        names = list(dict.fromkeys(self.region_name(each, lang) for each in reversed(self.lies_in(code))))
        if not names:
            return text or code or ""
        return "".join(reversed(names)) if lang == "zh" else ", ".join(names)

    @cached_property
    def territory(self) -> Regions:
        """The release's regions, to be asked for by name and by what lies in what; 0.1 s to make."""
        return Regions(Region(**row) for row in self.rows(REGIONS))

    def close(self) -> None:
        self._connection.close()
        if self._index:
            self._index.close()
        if self._texts:
            self._texts.close()
        if self.past:
            self.past[1].close()


def as_row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    """A row factory: values by the names of their columns."""
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}
