"""history.db: every published row's past as validity intervals over releases, and every change with its cause.

A row of a table is valid from the release that first showed it so (`release_from`) up to, not including, the one that showed it otherwise
(`release_to`, NULL while it lasts). Releases are numbered in the order in which they went live. The file is written in one transaction just
before a release goes live; a release that then did not get there is taken back by the next run (`repair`).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from .catalogue import Catalogue
from .dataset import Table
from .diff import Changes

SCHEMA = """
CREATE TABLE IF NOT EXISTS releases (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS changes (
  release INTEGER NOT NULL REFERENCES releases(number), table_name TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
  field TEXT, before ANY, after ANY, cause TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS changes_by_row ON changes (table_name, key);
CREATE INDEX IF NOT EXISTS changes_by_release ON changes (release);
"""


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute("BEGIN")
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    return connection


def _tables(connection: sqlite3.Connection, catalogue: Catalogue) -> list[Table]:
    """Make the tables, and add columns that were declared since."""
    for table in catalogue.tables.values():
        columns = {row[1] for row in connection.execute(f'PRAGMA table_info("{table.name}")')}
        if not columns:
            declared = ", ".join(f'"{c.name}" {c.sql_type}' for c in table.published)
            key = ", ".join(f'"{column}"' for column in table.key)
            connection.execute(
                f'CREATE TABLE "{table.name}" ({declared}, release_from INTEGER NOT NULL, release_to INTEGER, PRIMARY KEY ({key}, release_from)) STRICT, WITHOUT ROWID'
            )
        else:
            for column in table.published:
                if column.name not in columns:
                    connection.execute(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {column.sql_type}')
    return list(catalogue.tables.values())


def record(path: Path, catalogue: Catalogue, release: str, day: str, database: Path, changes: Changes) -> None:
    """Enter a release: `database` is its mingbai.db and `changes` what it changes in the one before."""
    connection = _open(path)
    try:
        tables = _tables(connection, catalogue)
        number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM releases").fetchone()[0]
        connection.execute("INSERT INTO releases VALUES (?,?,?)", [number, release, day])
        connection.execute("ATTACH ? AS fresh", [str(database)])
        if changes.first:
            for table in tables:
                _add(connection, table, number, "")
        else:
            connection.execute("ATTACH ? AS diff", [str(changes.path)])
            connection.execute("INSERT INTO main.changes SELECT ?, * FROM diff.changes ORDER BY table_name, key, kind, field", [number])
            for table in tables:
                if table.name in changes.counts:
                    _apply(connection, table, number)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _add(connection: sqlite3.Connection, table: Table, number: int, where: str) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.published)
    key = ", ".join(f'"{column}"' for column in table.key)
    connection.execute(
        f'INSERT INTO main."{table.name}" ({names}, release_from) SELECT {names}, {number:d} FROM fresh."{table.name}" {where} ORDER BY {key}'
    )


def _apply(connection: sqlite3.Connection, table: Table, number: int) -> None:
    touched = f"SELECT key FROM diff.changes WHERE table_name = '{table.name}'"
    text = " || ' ' || ".join(f'"{column}"' for column in table.key)
    connection.execute(
        f"UPDATE main.\"{table.name}\" SET release_to = ? WHERE release_to IS NULL AND {text} IN ({touched} AND kind <> 'add')", [number]
    )
    _add(connection, table, number, f"WHERE {text} IN ({touched} AND kind <> 'remove')")


def repair(path: Path, catalogue: Catalogue, kept: Sequence[str]) -> list[str]:
    """Take back every release after the last of `kept`: a run entered it and died before it went live. Returns their ids."""
    if not path.is_file():
        return []
    connection = _open(path)
    try:
        last = max((number for number, name in connection.execute("SELECT number, id FROM releases") if name in kept), default=0)
        gone = [name for (name,) in connection.execute("SELECT id FROM releases WHERE number > ? ORDER BY number", [last])]
        if gone:
            for table in _tables(connection, catalogue):
                connection.execute(f'DELETE FROM "{table.name}" WHERE release_from > ?', [last])
                connection.execute(f'UPDATE "{table.name}" SET release_to = NULL WHERE release_to > ?', [last])
            connection.execute("DELETE FROM changes WHERE release > ?", [last])
            connection.execute("DELETE FROM releases WHERE number > ?", [last])
        connection.execute("COMMIT")
    finally:
        connection.close()
    return gone


def seen(path: Path, table: str) -> Mapping[str, tuple[str, str]]:
    """For each id of `table`: the ids of the releases that first showed it and that last changed it."""
    if not path.is_file():
        return {}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        names = dict(connection.execute("SELECT number, id FROM releases"))
        rows = connection.execute(f'SELECT id, min(release_from), max(release_from) FROM "{table}" GROUP BY id').fetchall()
        return {identifier: (names[first], names[last]) for identifier, first, last in rows}
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return {}
        raise
    finally:
        connection.close()


def first_of_source(path: Path) -> Mapping[str, str]:
    """For each source, the release that first had it."""
    return {name: first for name, (first, _) in seen(path, "sources").items()}


def changed(path: Path, table: str) -> set[str]:
    """The ids in a file of changes (diff) whose row of `table` changed."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {key for (key,) in connection.execute("SELECT DISTINCT key FROM changes WHERE table_name = ? AND kind = 'change'", [table])}
    finally:
        connection.close()
