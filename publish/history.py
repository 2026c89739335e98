"""Every published row's past as validity intervals over releases, and every change with its cause: a release is entered in history.db, or taken back.

It is entered in one transaction just before it goes live, with what feeds tell of it (ledger.py); one that then did not get there is taken back
by the next run (`repair`). The form of the file is historyfile.py's.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from . import ledger
from .catalogue import Catalogue
from .dataset import Table
from .diff import Changes
from .errors import BadHome
from .historyfile import CHANGE, COUNTED, opened, tables_of


def record(
    path: Path,
    catalogue: Catalogue,
    release: str,
    day: str,
    database: Path,
    changes: Changes,
    previous: str | None,
    sha256: str | None = None,
    manifest: str | None = None,
) -> None:
    """Enter a release: `database` is its mingbai.db, of this hash as its manifest is of that, and `changes` what it changes in `previous`, the live one.

    Raises BadHome when history does not end with `previous`: its open rows would then not be the ones that were compared.
    """
    connection = opened(path)
    try:
        tables = tables_of(connection, catalogue)
        last = connection.execute("SELECT number, id FROM releases ORDER BY number DESC LIMIT 1").fetchone() or (0, None)
        if last[1] != previous:
            raise BadHome(f"{path}: ends with release {last[1]} and {previous} is live; restore the one that belongs to the other")
        number = last[0] + 1
        connection.execute("INSERT INTO releases VALUES (?,?,?,?,?)", [number, release, day, sha256, manifest])
        connection.execute("ATTACH ? AS fresh", [str(database)])
        _shape(connection, number)
        if changes.first:
            for table in tables:
                _add(connection, table, number)
        else:
            connection.execute("ATTACH ? AS diff", [str(changes.path)])
            connection.execute(
                f"INSERT INTO main.changes SELECT ?, {CHANGE} FROM diff.changes ORDER BY table_name, key, kind, field", [number]
            )
            counted = COUNTED.replace("$changes", f"(SELECT {number:d} AS release, * FROM diff.changes)")
            connection.execute(f"INSERT INTO main.change_counts {counted}")
            for table in tables:
                if table.name in changes.counts:
                    _apply(connection, table, number)
                    if "columns" in changes.counts[table.name]:
                        _columns(connection, table, number)
        ledger.enter(connection, catalogue, number)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _shape(connection: sqlite3.Connection, number: int) -> None:
    """Keep what made the tables and indexes of the release, where that is not as it was: a table or column that is declared later is not in it."""
    made = "SELECT row_number() OVER (ORDER BY rowid) AS place, sql FROM fresh.sqlite_master WHERE sql IS NOT NULL"
    kept = "SELECT place, sql FROM main.shapes WHERE release = (SELECT max(release) FROM main.shapes)"
    if connection.execute(f"SELECT * FROM ({made} EXCEPT {kept}) UNION ALL SELECT * FROM ({kept} EXCEPT {made})").fetchone():
        connection.execute(f"INSERT INTO main.shapes SELECT {number:d}, place, sql FROM ({made})")


def _add(connection: sqlite3.Connection, table: Table, number: int, those: str = "") -> None:
    """Enter rows of the release: all of a table, or `those` that a join picks. A copy of what was made before a column was declared lacks it."""
    there = {row[1] for row in connection.execute(f'PRAGMA fresh.table_info("{table.name}")')}
    names = [f'"{column.name}"' for column in table.published if column.name in there]
    shown = ", ".join(f"f.{name}" for name in names)
    connection.execute(
        f"""INSERT INTO main."{table.name}" ({", ".join(names)}, release_from) SELECT {shown}, {number:d}
        FROM {f"{those} CROSS JOIN" if those else ""} fresh."{table.name}" f {f"USING ({_key(table)})" if those else ""} ORDER BY {_key(table)}"""
    )


def _key(table: Table) -> str:
    return ", ".join(f'"{column}"' for column in table.key)


def _apply(connection: sqlite3.Connection, table: Table, number: int) -> None:
    """End the rows that the release changes or no longer has, and add what it has instead. Only these rows are looked at, each by its key."""
    _touched(connection, table, "diff.changes")
    connection.execute(
        f'UPDATE main."{table.name}" SET release_to = ? WHERE release_to IS NULL AND ({_key(table)}) IN (SELECT {_key(table)} FROM temp.touched WHERE ended)',
        [number],
    )
    _add(connection, table, number, "(SELECT * FROM temp.touched WHERE begun)")


def _touched(connection: sqlite3.Connection, table: Table, changes: str) -> None:
    """temp.touched: the keys in a table of changes, whether the row that was there `ended`, and whether one has `begun`.

    A change names its row by one text (diff.key_of), in which only the last column of the key can have a space.
    """
    declared = ", ".join(f'"{column}" {table.columns[column].sql_type}' for column in table.key)
    connection.execute("DROP TABLE IF EXISTS temp.touched")
    connection.execute(f"CREATE TEMP TABLE touched ({declared}, ended INTEGER, begun INTEGER, PRIMARY KEY ({_key(table)})) WITHOUT ROWID")
    rows = connection.execute(
        f"SELECT key, max(kind <> 'add'), max(kind <> 'remove') FROM {changes} WHERE table_name = ? AND kind <> 'columns' GROUP BY key ORDER BY key",
        [table.name],
    )
    connection.executemany(
        f"INSERT INTO temp.touched VALUES ({'?,' * len(table.key)}?,?)",
        ((*text.split(" ", len(table.key) - 1), ended, begun) for text, ended, begun in rows),
    )


def _columns(connection: sqlite3.Connection, table: Table, number: int) -> None:
    """A column that came holds from this release on: a row that it says something of ends and begins anew.

    Where the column was there before it was private since, and nothing that it said then is kept.
    """
    came = [
        column
        for (column,) in connection.execute(
            "SELECT field FROM diff.changes WHERE table_name = ? AND kind = 'columns' AND after = 1 ORDER BY field", [table.name]
        )
        if column in table.columns and column not in table.key
    ]
    for column in came:
        connection.execute(f'UPDATE main."{table.name}" SET "{column}" = NULL WHERE release_from < ? AND "{column}" IS NOT NULL', [number])
        connection.execute(
            "UPDATE main.changes SET before = NULL, after = NULL WHERE release < ? AND table_name = ? AND field = ? AND kind = 'change'",
            [number, table.name, column],
        )
    if came:
        said, key = " OR ".join(f'"{column}" IS NOT NULL' for column in came), _key(table)
        connection.execute("DROP TABLE IF EXISTS temp.begun")
        connection.execute(
            f"""CREATE TEMP TABLE begun AS SELECT {key} FROM fresh."{table.name}" WHERE {said}
            EXCEPT SELECT {key} FROM main."{table.name}" WHERE release_from = {number:d}"""
        )
        connection.execute(
            f'UPDATE main."{table.name}" SET release_to = ? WHERE release_to IS NULL AND ({key}) IN (SELECT {key} FROM temp.begun)',
            [number],
        )
        _add(connection, table, number, "temp.begun")


def repair(path: Path, catalogue: Catalogue, live: str | None, kept: Sequence[str] = ()) -> list[str]:
    """Take back the release after the live one: a run entered it and died before it went live. Returns its id.

    What was private in the live release and was taken out because it came back stays out. Raises BadHome when there are more of them, or one of `kept` (releases that are whole), which no run leaves: `current` is then not the
    one that belongs to this history.
    """
    if not path.is_file():
        return []
    connection = opened(path)
    try:
        numbers = {name: number for number, name in connection.execute("SELECT number, id FROM releases ORDER BY number")}
        last = numbers.get(live or "", 0)
        gone = [name for name, number in numbers.items() if number > last]
        if len(gone) > 1 or set(gone) & set(kept):
            raise BadHome(
                f"{path}: has {len(gone)} releases after {live or 'none'}, which is live; restore `current` and the releases that belong to it"
            )
        if gone:
            for table in tables_of(connection, catalogue):
                those = "1"  # of the first release no changes are kept
                if last:
                    after = f"(SELECT * FROM main.changes WHERE release > {last:d})"
                    if not connection.execute(f"SELECT 1 FROM {after} WHERE table_name = ? AND kind = 'columns'", [table.name]).fetchone():
                        _touched(connection, table, after)  # else a row may have begun anew of which no change is told
                        those = f"({_key(table)}) IN (SELECT {_key(table)} FROM temp.touched)"
                connection.execute(f'DELETE FROM main."{table.name}" WHERE release_from > ? AND {those}', [last])
                connection.execute(f'UPDATE main."{table.name}" SET release_to = NULL WHERE release_to > ? AND {those}', [last])
            for each in ("changes", "change_counts"):
                connection.execute(f"DELETE FROM {each} WHERE release > ?", [last])
            connection.execute("DELETE FROM shapes WHERE release > ?", [last])
            connection.execute("DELETE FROM releases WHERE number > ?", [last])
            ledger.take_back(connection, last)
        if ledger.lacks(connection, last):  # it was entered before there was a ledger
            tables_of(connection, catalogue)
            ledger.enter(connection, catalogue, last)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return gone
