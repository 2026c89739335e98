"""Small databases written by hand: a live release, a candidate, and the staging file beside it. What the SQL of the gate is tried on.

A row says what its test is about; the rest is filled in so that the row is public on `DAY` and differs from no other row.
"""

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from publish.catalogue import Catalogue
from publish.stage import SCHEMA, staged_tables
from publish.tables import Working, create_published, create_staged, working

DAY = "2026-11-02"
Row = Mapping[str, Any]
Rows = Mapping[str, Iterable[Row]]  # by table
USUAL: dict[str, dict[str, Any]] = {
    "institutions": {"source_id": "s"},
    "listings": {"source_id": "s", "list": "white", "listed_on": "2026-10-01"},
    "notices": {"source_id": "s", "kind": "penalty", "public_until": "2027-10-20", "subject_kind": "organisation"},
    "ratings": {"source_id": "s", "month": "2026-09", "dimension": "overall"},
    "documents": {"source_id": "s"},
    "permits": {"permit_no": "1"},
}
OWN = {"institutions": "name", "listings": "institution_id", "notices": "subject_name"}  # what no two rows share unless they say so


def put(connection: Working, rows: Rows, schema: str = "main") -> None:
    """Insert rows."""
    for table, several in rows.items():
        for row in several:
            own = {OWN[table]: f"{row['id']}机构"} if table in OWN else {}
            whole = {**USUAL.get(table, {}), **own, **row}
            names, marks = ", ".join(f'"{name}"' for name in whole), ",".join("?" * len(whole))
            connection.execute(f'INSERT INTO {schema}."{table}" ({names}) VALUES ({marks})', list(whole.values()))


def published(path: Path, catalogue: Catalogue, rows: Rows, without: Iterable[str] = ()) -> Path:
    """A database as readers get it, without some tables or TABLE.COLUMNs, as an older release would be."""
    with working(path) as connection:
        create_published(connection, catalogue)
        for name in without:
            table, _, column = name.partition(".")
            connection.execute(f'ALTER TABLE "{table}" DROP COLUMN "{column}"' if column else f'DROP TABLE "{table}"')
        put(connection, rows)
    return path


EMPTY: dict[str, bytes] = {}  # by recipe: to make the tables takes longer than all else that is done with them


def in_memory(connection: Working, schema: str, catalogue: Catalogue, rows: Rows) -> None:
    """The same as one more database of a connection."""
    if catalogue.recipe not in EMPTY:
        with closing(Working(":memory:")) as made:
            create_published(made, catalogue)
            EMPTY[catalogue.recipe] = made.serialize("main")
    connection.deserialize(schema, EMPTY[catalogue.recipe])
    put(connection, rows, schema)


def staged(path: Path, catalogue: Catalogue, rows: Rows) -> Path:
    """A staging file: `rows` may have `pages` and `issues` too. Page 0 is of the newest snapshot, page 1 of the one before."""
    with working(path) as connection:
        connection.execute(SCHEMA)
        for table in staged_tables(catalogue):
            create_staged(connection, table)
        page = {"source": "s", "listing": "notices", "file": "", "identity": "", "ordinal": 0, "records": 10, "set_aside": 0}
        put(connection, {"pages": [{**page, "page": number, "generation": number} for number in (0, 1)]})
        put(connection, {name: [{"page": 0, **row} for row in several] for name, several in rows.items()})
    return path
