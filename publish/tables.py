"""Make the STRICT tables of the declarations in a SQLite file: the home of sqlite-utils.

Two shapes are made of one declaration: `staged` (private columns included, no key, three columns of our own behind the declared ones)
and `published` (public and masked columns only, keyed). Nothing else in the project spells a CREATE TABLE for declared data.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

import sqlite_utils

from .catalogue import Catalogue
from .dataset import Column, Table

# behind the declared columns of a staged table: the page and the row in it that it is from, and why it is withheld (NULL: it is not)
STAGED = {"row": int, "withheld": str, "page": int}
PYTHON_TYPE = {"TEXT": str, "INTEGER": int, "REAL": float}


def connect(path: Path, *, cache_mib: int = 64) -> sqlite3.Connection:
    """A private, unjournalled connection for a file under a temporary name: a crash costs the file, never a reader.

    Sorting goes to temporary files, so that memory stays at the cache's size however many rows there are.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "locking_mode=EXCLUSIVE",
        "temp_store=FILE",
        f"cache_size=-{cache_mib * 1024}",
        "foreign_keys=OFF",
        "threads=2",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _types(columns: Iterable[Column]) -> dict[str, type]:
    return {column.name: PYTHON_TYPE[column.sql_type] for column in columns}


def create_staged(connection: sqlite3.Connection, table: Table) -> None:
    """The private form of a table. No key: duplicates are wanted here, to be counted and reported."""
    database = sqlite_utils.Database(connection)
    connection.execute(database.create_table_sql(table.name, {**_types(table.columns.values()), **STAGED}, pk=None, strict=True))


def create_published(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """Every table in the form that readers get, empty, with keys and foreign keys but without indexes: those come after the rows."""
    database = sqlite_utils.Database(connection)
    for table in catalogue.tables.values():
        published = table.published
        refs = [(c.name, c.ref, catalogue.tables[c.ref].key[0]) for c in published if c.ref]
        sql = database.create_table_sql(
            table.name, _types(published), pk=table.key if len(table.key) > 1 else table.key[0], not_null=set(table.key), strict=True
        )  # fmt: skip
        for column, other, key in refs:
            sql = sql.replace(f'"{column}" TEXT', f'"{column}" TEXT REFERENCES "{other}"("{key}")', 1)
        # a compound key is the whole way in: without a rowid the table is a third smaller (measured on ratings)
        connection.execute(f"{sql.rstrip().rstrip(';')}{', WITHOUT ROWID' if len(table.key) > 1 else ''}")


def create_indexes(connection: sqlite3.Connection, catalogue: Catalogue) -> None:
    """The indexes that the site and its facets ask for; made after the load, which is 1.6 times cheaper."""
    database = sqlite_utils.Database(connection)
    for table in catalogue.tables.values():
        for column in table.published:
            wanted = column.ref or column.facet or column.kind in ("region", "credit_code", "permit_no")
            if wanted and column.name != table.key[0] and table.name != "ratings":
                database[table.name].create_index([column.name])  # type: ignore[union-attr]
