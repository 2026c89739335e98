"""What may be told of every release's past: past/ID.db beside the releases, on connections on which what has ended since cannot be read.

The file (publish/past.py) is of the live release and shows what that one shows. A notice ends at midnight, though, and the next release comes
later: so here too a TEMP view stands before each table (ended.py says why, and why its name is one that no visitor's query may hold).
"""

import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import orjson

from ..errors import BadHome
from ..home import PAST_FORM
from .ended import FUNCTION, INNER, Ended, ended
from .reader import Made, Reader, Row, as_row, harden, read_only

FileIdentity = tuple[int, int]
Named = frozenset[tuple[str, str]]
CHANGES = "changes"  # of which a request may leave out all that is about some notices
# no search finds them by region (rule 8); one that was of a person once is one of these in every release
_OTHERS = "SELECT DISTINCT id FROM main.notices WHERE subject_kind IS NOT 'organisation'"
# the documents that only what is over names
_DOCUMENTS = """SELECT document_id FROM (SELECT document_id FROM main.notices WHERE id IN (SELECT value FROM json_each(:notices))
    UNION SELECT document_id FROM main.listings WHERE id IN (SELECT value FROM json_each(:listings))) WHERE document_id IS NOT NULL"""
_COLUMNS = "SELECT m.name AS of, c.name FROM main.sqlite_schema m, pragma_table_info(m.name, 'main') c WHERE m.type = 'table'"
_HIDDEN = "SELECT table_name FROM main.hidden_since WHERE release = (SELECT number FROM main.releases WHERE id = ?) AND is_searched >= ?"
_NAMED = """SELECT s.table_name || '.' || s.field, s.key FROM main.named_since s JOIN main.releases r
    ON r.number >= s.release_from AND r.number < s.release_to WHERE r.id = ?"""
_GONE = "(SELECT value FROM json_each(mingbai_ended('$table')))"
# a count that reads no column would be one of the table itself to the authorizer, which knows no view then; so each view reads one
_NUMBER = """SELECT name FROM pragma_table_info(?, 'main') WHERE "notnull" ORDER BY cid DESC LIMIT 1"""
# of a notice or listing that is over there is that it came and went, and of the listing not whose it was
_CHANGES = """SELECT number, release, table_name, iif(over AND table_name = 'listings', '#' || number, key) AS key, kind, iif(over, NULL, field) AS field, iif(over, NULL, before) AS before,
    iif(over, NULL, after) AS after, cause, iif(over AND table_name = 'listings', NULL, subject) AS subject, iif(over, NULL, region) AS region,
    iif(over, NULL, effective_on) AS effective_on, iif(over, NULL, published_on) AS published_on, iif(over, 0, is_shown) AS is_shown, iif(over, 0, has_values) AS has_values
    FROM (SELECT *, CASE WHEN table_name IN ($parts) THEN subject IN $notices WHEN table_name = 'listings' THEN key IN $listings
      WHEN table_name = 'documents' THEN key IN $documents ELSE 0 END AS over FROM main.changes)
    WHERE (NOT over OR (table_name IN ('notices', 'listings') AND kind IN ('add', 'remove'))) AND coalesce(subject, '') NOT IN $changes"""


def past_ended(reader: Reader, today: str) -> Ended:
    """What of the past is over on a day, although the live release may still hold it; worked out once a day. Raises BadHome without the file."""
    return _once(reader, today, "past", lambda: _without(reader, ended(reader, today), ()))


def past_without_persons(reader: Reader, today: str) -> Ended:
    """The same with all notices about others, and with every change of them."""
    return _once(reader, today, "past without persons", lambda: _without(reader, ended(reader, today), others(reader, today)))


def others(reader: Reader, today: str) -> frozenset[str]:
    """The notices that were about somebody who is no organisation, or may be none, in any release. Raises BadHome without the file."""
    return _once(reader, today, "others", lambda: frozenset(id for (id,) in _there(reader).execute(_OTHERS)))


def _there(reader: Reader) -> sqlite3.Connection:
    connection = kept(reader)
    if connection is None:
        raise BadHome(f"{past_file(reader)}: is not there; run `mingbai run`, which makes it again")
    return connection


def _once(reader: Reader, today: str, what: str, make: Callable[[], Made], of: FileIdentity | None = None) -> Made:
    """What holds for a day and of a file (default: the one that is there): it is made again when other code hides."""
    if of is None:
        _there(reader)
        of = reader.past and reader.past[0]
    return reader.once(today, f"{what}, {of}", make)


def _without(reader: Reader, found: Ended, persons: Collection[str]) -> Ended:
    connection, listings = _there(reader), found.gone["listings"]
    notices = orjson.dumps(sorted({*orjson.loads(found.gone["notices"]), *persons})).decode()
    named = [("notices", ":notices"), ("listings", ":listings")]
    named += [(table, "") for (table, _), other in reader.references.items() if other == "documents" and table not in dict(named)]
    still = "".join(
        f' EXCEPT SELECT document_id FROM main."{table}"' + (f" WHERE id NOT IN (SELECT value FROM json_each({gone}))" if gone else "")
        for table, gone in named
    )
    documents = connection.execute(_DOCUMENTS + still, {"notices": notices, "listings": listings}).fetchall()
    gone = {
        **dict.fromkeys(found.gone, notices),
        "listings": listings,
        "documents": orjson.dumps(sorted(id for (id,) in documents)).decode(),
        CHANGES: orjson.dumps(sorted(persons)).decode(),
    }
    return replace(found, gone=gone)


def kept(reader: Reader) -> sqlite3.Connection | None:
    """A connection to the file as it is, without views. It stays open with the reader: the file is removed when the next release is live, and
    a request that began before goes on."""
    with suppress(OSError):
        found = past_file(reader).stat()
        identity = found.st_ino, found.st_mtime_ns
        if reader.past is None or reader.past[0] != identity:
            reader.past = identity, _opened(reader)
    return reader.past[1] if reader.past else None


def _opened(reader: Reader) -> sqlite3.Connection:
    """A connection to the file. Raises BadHome for one of another form, which tells what is left out today: an older mingbai made it."""
    file = past_file(reader)
    connection = read_only(file)
    (form,) = connection.execute("PRAGMA user_version").fetchone()
    if form != PAST_FORM:
        connection.close()
        raise BadHome(f"{file}: is of form {form} and not {PAST_FORM}; run `mingbai run`, which makes it again")
    return connection


def hidden_since(live: Reader, of: Path | Reader, *, where_searched: bool = False) -> set[str]:
    """The tables of an earlier release, in a folder or open, that say what is hidden today: a text that is published otherwise now, whatever became of its
    row (publish/past.py), and a column, or all of a table, that the live release does not have; of texts only those `where_searched`. Raises ValueError where nobody can say."""
    try:
        connection = kept(live)
    except BadHome as error:
        raise ValueError(str(error)) from error
    if connection is None:
        raise ValueError(f"nothing is known of the past of release {live.id}")
    found = {table for (table,) in connection.execute(_HIDDEN, [of.id if isinstance(of, Reader) else of.name, where_searched])}
    return found | {table for table, _ in _columns(of) - _columns(live)}


def named_since(live: Reader, today: str, release: str) -> Named | None:
    """Where an earlier release has a person's name that our recipe changed since, by table.column and row; None where nobody can say."""
    with suppress(BadHome, sqlite3.Error):
        return _once(live, today, f"named {release}", lambda: frozenset(_there(live).execute(_NAMED, [release])))
    return None


def _columns(of: Path | Reader) -> set[tuple[str, str]]:
    if isinstance(of, Reader):  # whatever lies there since
        return {(row["of"], row["name"]) for row in of.rows(_COLUMNS)}
    with closing(read_only(of / "mingbai.db")) as database:
        return set(database.execute(_COLUMNS))


def shadow_past(connection: sqlite3.Connection, reader: Reader) -> list[str]:
    """Make the inner views of the past on a connection to its file, before it is hardened. Returns the tables, which are `INNER + table` now."""
    kept(reader)
    keys = {"notices": "id", "listings": "id", "documents": "id"}
    keys |= {table: column for (table, column), other in reader.references.items() if other == "notices"}
    names = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name")]
    for name in names:
        (number,) = connection.execute(_NUMBER, [name]).fetchone()
        where = f'"{keys[name]}" NOT IN {_gone(name)}' if name in keys else f'"{number}" >= 0'
        sql = f'SELECT * FROM main."{name}" WHERE {where}'
        if name == CHANGES:
            parts = ", ".join(f"'{table}'" for table in keys if table not in ("listings", "documents"))
            sql = _CHANGES.replace("$parts", parts)
            for table in ("notices", "listings", "documents", CHANGES):
                sql = sql.replace(f"${table}", _gone(table))
        connection.execute(f'CREATE TEMP VIEW "{INNER}{name}" AS {sql}')
    return names


def _gone(table: str) -> str:
    of = table if table in ("listings", "documents", CHANGES) else "notices"
    return _GONE.replace("$table", of)


class Past:
    """The past as the site's own pages ask for it. Raises BadHome when the file is not there, cannot be read or is of another form."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.database = past_file(reader)
        self._ended: Mapping[str, str] = {}
        try:
            kept(reader)  # which file it is, before it is opened
            self._file = reader.past and reader.past[0]
            self._connection = _opened(reader)
            self._connection.create_function(FUNCTION, 1, lambda table: self._ended[table])
            for name in shadow_past(self._connection, reader):
                self._connection.execute(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM temp."{INNER}{name}"')
            self._connection.row_factory = as_row
            harden(self._connection)
            last = self._connection.execute("SELECT id FROM releases ORDER BY number DESC LIMIT 1").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise BadHome(f"{self.database}: cannot be read ({error}); run `mingbai run`, which makes it again") from error
        if last is None or last["id"] != reader.id:
            raise BadHome(f"{self.database}: is not of release {reader.id}; run `mingbai run`, which makes it again")

    def rows(self, today: str, sql: str, *values: object) -> list[Row]:
        """What a query of ours gives on a day in China; its tables are those of the file, without what is over."""
        self._ended = past_ended(self.reader, today).gone
        return self._connection.execute(sql, values).fetchall()

    def once(self, today: str, what: str, make: Callable[[], Made]) -> Made:
        """As a Reader's, of this file."""
        return _once(self.reader, today, what, make, self._file)

    def close(self) -> None:
        self._connection.close()


def past_file(reader: Reader) -> Path:
    """Where the past of a release is, beside the folder of releases."""
    return reader.folder.parent.parent / "past" / f"{reader.id}.db"
