"""history.db: every published row's past as validity intervals over releases, and every change with its cause.

A row of a table is valid from the release that first showed it so (`release_from`) up to, not including, the one that showed it otherwise
(`release_to`, NULL while it lasts). Releases are numbered in the order in which they went live. The file is written in one transaction just
before a release goes live, with what feeds tell of it (ledger.py); a release that then did not get there is taken back by the next run (`repair`).
"""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import ledger
from .catalogue import Catalogue
from .dataset import Table
from .diff import Changes
from .errors import BadHome

OF_NOTICES = "table_name GLOB 'notice*'"  # as the index says it: a query that says it too is answered from there
TOLD = "(table_name <> 'ratings' OR kind <> 'add')"  # likewise; new months of ratings are nine of ten changes, and of them only numbers are told
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS releases (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, sha256 TEXT, manifest TEXT) STRICT;
CREATE TABLE IF NOT EXISTS shapes (release INTEGER NOT NULL, place INTEGER NOT NULL, sql TEXT NOT NULL, PRIMARY KEY (release, place)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  release INTEGER NOT NULL REFERENCES releases(number), table_name TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
  field TEXT, before ANY, after ANY, cause TEXT NOT NULL, subject TEXT, region TEXT, effective_on TEXT, published_on TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS withdrawn (notice TEXT PRIMARY KEY, reason TEXT NOT NULL, day TEXT NOT NULL, signed TEXT NOT NULL) STRICT;
DROP INDEX IF EXISTS changes_by_row;
CREATE INDEX IF NOT EXISTS changes_of_notices ON changes (table_name, key) WHERE {OF_NOTICES};
CREATE INDEX IF NOT EXISTS changes_by_release ON changes (release);
CREATE INDEX IF NOT EXISTS changes_told ON changes (release) WHERE {TOLD};
CREATE TABLE IF NOT EXISTS change_counts (
  release INTEGER NOT NULL, table_name TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT NOT NULL, region TEXT NOT NULL, rows INTEGER NOT NULL,
  PRIMARY KEY (release, table_name, kind, cause, region)
) STRICT, WITHOUT ROWID;
"""
COUNTED = """SELECT release, table_name, kind, cause, coalesce(region, ''), count(DISTINCT key) FROM $changes
  WHERE kind <> 'columns' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"""
# a change as diff found it, behind the release's number
CHANGE = "table_name, key, kind, field, before, after, cause, subject, region, effective_on, published_on"


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    os.chmod(path, 0o600)  # it keeps what has ended and was withdrawn
    connection.execute("PRAGMA cache_size=-65536")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute("PRAGMA secure_delete=ON")  # what is taken out is overwritten, whoever takes it out
    connection.execute("BEGIN")
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for statement in (*SCHEMA.split(";"), *ledger.SCHEMA.split(";")):
        connection.execute(statement)
    known = {row[1] for row in connection.execute("PRAGMA table_info(changes)")}
    for column in CHANGE.split(", "):
        if column not in known:  # entered before it was known of what a change is
            connection.execute(f"ALTER TABLE changes ADD COLUMN {column} TEXT")
            if column == "subject":
                connection.execute("UPDATE changes SET subject = substr(key, 1, instr(key || ' ', ' ') - 1) WHERE kind <> 'columns'")
    for column in ("sha256", "manifest"):  # not known of releases that were entered before
        if column not in {row[1] for row in connection.execute("PRAGMA table_info(releases)")}:
            connection.execute(f"ALTER TABLE releases ADD COLUMN {column} TEXT")
    if "changes" in there and "change_counts" not in there:
        connection.execute(f"INSERT INTO change_counts {COUNTED.replace('$changes', 'changes')}")
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
    connection = _open(path)
    try:
        tables = _tables(connection, catalogue)
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
    connection = _open(path)
    try:
        numbers = {name: number for number, name in connection.execute("SELECT number, id FROM releases ORDER BY number")}
        last = numbers.get(live or "", 0)
        gone = [name for name, number in numbers.items() if number > last]
        if len(gone) > 1 or set(gone) & set(kept):
            raise BadHome(
                f"{path}: has {len(gone)} releases after {live or 'none'}, which is live; restore `current` and the releases that belong to it"
            )
        if gone:
            for table in _tables(connection, catalogue):
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
            _tables(connection, catalogue)
            ledger.enter(connection, catalogue, last)
        connection.execute("COMMIT")
    finally:
        connection.close()
    return gone


def gone(path: Path) -> dict[str, tuple[str, str, str]]:
    """Every notice that is gone because people withdrew it or what was the same decision: class of reason, day, the notice that they signed."""
    if not path.is_file():
        return {}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'withdrawn'").fetchone()[0]:
            return {}
        return {notice: (reason, day, signed) for notice, reason, day, signed in connection.execute("SELECT * FROM withdrawn")}
    finally:
        connection.close()


def enter_gone(path: Path, found: Mapping[str, tuple[str, str, str]]) -> None:
    """Enter notices of which `gone` is to tell from now on."""
    connection = _open(path)
    try:
        connection.executemany("INSERT OR IGNORE INTO withdrawn VALUES (?,?,?,?)", [(key, *said) for key, said in sorted(found.items())])
        connection.execute("COMMIT")
    finally:
        connection.close()


def enter_hashes(path: Path, release: str, database: str, manifest: str) -> None:
    """Enter what the mingbai.db and the manifest of a release are now that it is issued anew."""
    connection = _open(path)
    try:
        connection.execute("UPDATE releases SET sha256 = ?, manifest = ? WHERE id = ?", [database, manifest, release])
        connection.execute("COMMIT")
    finally:
        connection.close()


def hashes(path: Path) -> dict[str, tuple[str | None, str | None]]:
    """Of each release the hashes of its mingbai.db and its manifest, as this home wrote them down when it made them; None where it did not then."""
    if not path.is_file():
        return {}
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        known = {row[1] for row in connection.execute("PRAGMA table_info(releases)")}
        asked = ", ".join(name if name in known else "NULL" for name in ("sha256", "manifest"))
        return {
            name: (database, manifest) for name, database, manifest in connection.execute(f"SELECT id, {asked} FROM releases ORDER BY id")
        }
    finally:
        connection.close()


def forget(path: Path, catalogue: Catalogue) -> None:
    """Take what the notices that are gone said out of every release's past. What stays is that there was one, when it came and went, and why."""
    connection = _open(path)
    try:
        connection.execute("CREATE TEMP TABLE gone AS SELECT notice AS id FROM main.withdrawn")
        tables = {table.name: table for table in _tables(connection, catalogue)}
        of = {t.name: c for t in tables.values() if (c := "id" if t.name == "notices" else t.ref_to("notices"))}
        taken = [
            connection.execute(f'DELETE FROM main."{name}" WHERE "{column}" IN (SELECT id FROM temp.gone)').rowcount
            for name, column in of.items()
        ]
        for name in of:  # each by its place in the index: what is gone is asked for by every run
            those = "c.key = g.id" if tables[name].key == ("id",) else "c.key >= g.id || ' ' AND c.key < g.id || '!'"
            connection.execute(
                f"""UPDATE changes SET before = NULL, after = NULL WHERE rowid IN (SELECT c.rowid FROM temp.gone g CROSS JOIN changes c
                INDEXED BY changes_of_notices ON c.{OF_NOTICES} AND c.table_name = ? AND {those}) AND (before IS NOT NULL OR after IS NOT NULL)""",
                [name],
            )
        if any(taken):
            named = " UNION ".join(
                f'SELECT document_id FROM main."{t.name}" WHERE document_id IS NOT NULL'
                for t in tables.values()
                if "document_id" in t.columns
            )
            connection.execute(f"CREATE TEMP TABLE unnamed AS SELECT DISTINCT id FROM documents WHERE id NOT IN ({named})")
            connection.execute("DELETE FROM documents WHERE id IN (SELECT id FROM temp.unnamed)")
            connection.execute(
                "UPDATE changes SET before = NULL, after = NULL WHERE table_name = 'documents' AND key IN (SELECT id FROM temp.unnamed)"
            )
        connection.execute("COMMIT")
    finally:
        connection.close()


def knows(path: Path, notice: str) -> bool:
    """Whether any release has ever shown a notice of this id."""
    if not path.is_file():
        return False
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        sql = f"SELECT EXISTS (SELECT 1 FROM notices WHERE id = :id) OR EXISTS (SELECT 1 FROM changes WHERE {OF_NOTICES} AND table_name = 'notices' AND key = :id)"
        return bool(connection.execute(sql, {"id": notice}).fetchone()[0])
    finally:
        connection.close()


def number_of(path: Path, release: str) -> int:
    """The place of a release in the order in which they went live. Raises BadHome when history does not know it."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT number FROM releases WHERE id = ?", [release]).fetchone()
    finally:
        connection.close()
    if row is None:
        raise BadHome(f"{path}: does not know release {release}; restore the history that belongs to the releases")
    return int(row[0])
