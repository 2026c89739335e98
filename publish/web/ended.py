"""What of a release is over on a day, and connections on which nobody can read it.

The tables hold notices, and listings that may hurt, until the next release; they end at midnight. Visitors may write SQL, so a condition in our own queries is
not enough: on a visitor's connection a TEMP view stands before each table that shows a notice, and an authorizer denies the table itself
to everything but that view. SQLite tells the authorizer the name of the *FROM item* that reads, and a visitor can give a CTE any name:
`WITH notices AS (SELECT * FROM main.notices)` reads as "notices". So the table is read by an inner view whose name no query may hold.
"""

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import orjson

from .queries import IN_FORCE, LISTED
from .reader import Reader

INNER = "_in_force_"  # an identifier has no escapes in SQLite: a query that does not hold this text cannot name an inner view
FUNCTION = "mingbai_ended"  # the keys that are gone, for the views alone
PRAGMAS = ("foreign_key_list", "function_list", "index_info", "index_list", "index_xinfo", "table_info", "table_xinfo")  # tell of no file
# statistics hold values of the tables, the others show the file, views or the queries of others
INSIDES = ("dbstat", "sqlite_dbpage", "sqlite_stat1", "sqlite_stat4", "sqlite_stmt", "sqlite_temp_master", "sqlite_temp_schema")
ROWS_OF_JSON = ("json_each", "json_tree")  # table-valued, of what they are given
# by the table itself: before that of an older release stands a view, and what it leaves out is over too
_NOTICES = "SELECT m.id FROM main.notices m WHERE ?1 = '' AND m.id NOT IN (SELECT n.id FROM notices n WHERE $in_force) ORDER BY 1".replace(
    "$in_force", IN_FORCE
)
_LISTINGS = "SELECT m.id FROM main.listings m WHERE ?1 = '' AND m.id NOT IN (SELECT l.id FROM listings l WHERE $listed) ORDER BY 1".replace(
    "$listed", LISTED
)
_DOCUMENTS = "SELECT d.id FROM ($names) d WHERE d.id IS NOT NULL$by_nobody ORDER BY 1"
_NAMES = 'SELECT document_id AS id FROM main."$table" WHERE id IN (SELECT value FROM json_each($gone))'
_STILL = 'SELECT 1 FROM main."$table" o WHERE o."$column" = d.id'
_NOT = " AND o.id NOT IN (SELECT value FROM json_each($gone))"
_GONE = 'SELECT count(*) AS n FROM "$table" WHERE "$column" IN (SELECT value FROM json_each(?))'
_INNER_VIEW = """CREATE TEMP VIEW "$inner" AS SELECT * FROM main."$table"
    WHERE "$column" NOT IN (SELECT value FROM json_each(mingbai_ended('$table')))"""
_VIEW = 'CREATE TEMP VIEW "$table" AS SELECT * FROM temp."$inner"'


def _named(sql: str, table: str, column: str) -> str:
    """With the names of the release's own schema filled in."""
    return sql.replace("$inner", INNER + table).replace("$table", table).replace("$column", column)


@dataclass(frozen=True)
class Ended:
    """`gone` are the keys that are not shown, as a JSON array by table; `counts` are the rows of every table that are."""

    gone: dict[str, str]
    counts: dict[str, int]
    notices: int


_of_day: ContextVar[Ended] = ContextVar("ended")  # of the request whose query a thread runs


def keys(reader: Reader) -> dict[str, str]:
    """The tables that show a notice, or have an end of their own, each with its column that says of which notice (or document) a row is."""
    refer = {table: column for (table, column), other in reader.references.items() if other == "notices"}
    return {"notices": "id", "listings": "id", "documents": "id", **refer}


def ended(reader: Reader, today: str) -> Ended:
    """What of the release is over on a day; worked out once a day."""
    return reader.once(today, "ended", lambda: _ended(reader, today))


def _ended(reader: Reader, today: str) -> Ended:
    notices, listings = (orjson.dumps([row["id"] for row in reader.rows(sql, "", today)]).decode() for sql in (_NOTICES, _LISTINGS))
    return without(reader, notices, listings)


def without(reader: Reader, notices: str, listings: str) -> Ended:
    """What of a release is not shown where these notices and listings are not, each a JSON array of ids: also their parts, and documents that nothing else names."""
    gone = {**dict.fromkeys(keys(reader), notices), "listings": listings}
    gone["documents"] = orjson.dumps([row["id"] for row in reader.rows(_documents(reader), notices, listings)]).decode()
    counts = dict(reader.shown_counts())
    for table, column in keys(reader).items():
        counts[table] -= reader.rows(_named(_GONE, table, column), gone[table])[0]["n"]
    return Ended(gone, counts, len(orjson.loads(notices)))


def _documents(reader: Reader) -> str:
    """SQL for the documents that only what is over names: ?1 are the notices and ?2 the listings that are."""
    given = {"notices": "?1", "listings": "?2"}
    names = " UNION ".join(_NAMES.replace("$table", table).replace("$gone", gone) for table, gone in given.items())
    still = [
        _named(_STILL, table, column) + (_NOT.replace("$gone", given[table]) if table in given else "")
        for (table, column), other in reader.references.items()
        if other == "documents"
    ]
    by_nobody = "".join(f" AND NOT EXISTS ({each})" for each in still)
    return _DOCUMENTS.replace("$names", names).replace("$by_nobody", by_nobody)


@contextmanager
def on_day(what: Ended) -> Iterator[None]:
    """Within the block the views of this thread's connections leave out `what`."""
    token = _of_day.set(what)
    try:
        yield
    finally:
        _of_day.reset(token)


def tell(connection: sqlite3.Connection) -> None:
    """Let the inner views of a connection ask what is over on the day at hand."""
    connection.create_function(FUNCTION, 1, lambda table: _of_day.get().gone[table])  # fails outside of on_day
    connection.execute("PRAGMA temp_store=MEMORY")


def shadow(connection: sqlite3.Connection, reader: Reader) -> None:
    """Put the views before the tables. To be called before the connection is hardened, which ends all writing, also to TEMP."""
    tell(connection)
    for table, column in keys(reader).items():
        connection.execute(_named(_INNER_VIEW, table, column))
        connection.execute(_named(_VIEW, table, column))


def guard(connection: sqlite3.Connection, shadowed: Collection[str], alone: Collection[str] | None = None) -> None:
    """Deny the tables behind the views, and what tells of files; with `alone` also all but these views. To be called last."""

    def stays(name: str, column: str | None, base: str | None, by: str | None) -> bool:
        """Whether `alone` leaves something unread. Rows are also counted without a column; what has no schema is of the query itself."""
        if alone is None or name in ROWS_OF_JSON:
            return False
        if not column:
            return name.startswith(("sqlite_", "pragma_")) or (name in shadowed and (base == "main" or name not in alone))
        inner = name.startswith(INNER) and name.removeprefix(INNER) in shadowed
        return base is not None and not (inner or name in alone if base == "temp" else by == INNER + name)

    def allow(action: int, one: str | None, two: str | None, base: str | None, by: str | None) -> int:
        name, base = (one or "").casefold(), base and base.casefold()  # SQLite tells of count(*) the schema as the query spells it
        if action == sqlite3.SQLITE_PRAGMA:
            return sqlite3.SQLITE_OK if name in PRAGMAS and alone is None else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ:
            hidden = name in INSIDES or (base == "main" and name in shadowed and by != INNER + name) or stays(name, two, base, by)
            return sqlite3.SQLITE_DENY if hidden else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            name = (two or "").casefold()
            return sqlite3.SQLITE_DENY if name == FUNCTION and not (by or "").startswith(INNER) else sqlite3.SQLITE_OK
        return sqlite3.SQLITE_OK

    connection.set_authorizer(allow)
