"""The file history.db: its form, how it is opened, and what it is asked of one release or one notice.

A row of a table is valid from the release that first showed it so (`release_from`) up to, not including, the one that showed it otherwise
(`release_to`, NULL while it lasts). Releases are numbered in the order in which they went live. What is entered and taken back is in history.py,
what is forgotten in forgotten.py.
"""

import os
import sqlite3
from pathlib import Path

from . import ledger
from .catalogue import Catalogue
from .dataset import Table
from .errors import BadHome
from .home import to_read

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


def opened(path: Path) -> sqlite3.Connection:
    """A connection with a transaction begun, to a file that has today's form; it is made where there is none."""
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


def tables_of(connection: sqlite3.Connection, catalogue: Catalogue) -> list[Table]:
    """The tables of the catalogue, made in the file where they are not, with the columns that were declared since."""
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


def enter_hashes(path: Path, release: str, database: str, manifest: str) -> None:
    """Enter what the mingbai.db and the manifest of a release are now that it is issued anew."""
    connection = opened(path)
    try:
        connection.execute("UPDATE releases SET sha256 = ?, manifest = ? WHERE id = ?", [database, manifest, release])
        connection.execute("COMMIT")
    finally:
        connection.close()


def hashes(path: Path) -> dict[str, tuple[str | None, str | None]]:
    """Of each release the hashes of its mingbai.db and its manifest, as this home wrote them down when it made them; None where it did not then."""
    if not path.is_file():
        return {}
    connection = sqlite3.connect(to_read(path), uri=True)
    try:
        known = {row[1] for row in connection.execute("PRAGMA table_info(releases)")}
        asked = ", ".join(name if name in known else "NULL" for name in ("sha256", "manifest"))
        return {
            name: (database, manifest) for name, database, manifest in connection.execute(f"SELECT id, {asked} FROM releases ORDER BY id")
        }
    finally:
        connection.close()


def knows(path: Path, notice: str) -> bool:
    """Whether any release has ever shown a notice of this id."""
    if not path.is_file():
        return False
    connection = sqlite3.connect(to_read(path), uri=True)
    try:
        sql = f"SELECT EXISTS (SELECT 1 FROM notices WHERE id = :id) OR EXISTS (SELECT 1 FROM changes WHERE {OF_NOTICES} AND table_name = 'notices' AND key = :id)"
        return bool(connection.execute(sql, {"id": notice}).fetchone()[0])
    finally:
        connection.close()


def number_of(path: Path, release: str) -> int:
    """The place of a release in the order in which they went live. Raises BadHome when history does not know it."""
    connection = sqlite3.connect(to_read(path), uri=True)
    try:
        row = connection.execute("SELECT number FROM releases WHERE id = ?", [release]).fetchone()
    finally:
        connection.close()
    if row is None:
        raise BadHome(f"{path}: does not know release {release}; restore the history that belongs to the releases")
    return int(row[0])
