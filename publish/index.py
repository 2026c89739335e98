"""Build the index of a release's institutions: what is searchable, with which weight, comes from the declarations. Notices have one of their own (texts.py).

Facets of an institution: province, city, county (codes), class, list (its newest listing, where that list does not end and its term was not over), permit (none, or its
state on the newest day that a source says), supervision. A black, grey or warning listing ends between releases and is no facet: a filter would go on telling it.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from search import Document, build

from .catalogue import Catalogue
from .dataset import Table
from .fresh import over, permit_state
from .rules import HARMLESS

TABLE, KIND = "institutions", "institution"
EXACT = ("credit_code", "permit_no")  # kinds that are looked up whole
LEVELS = ("province", "city", "county")
PARTS = {  # facets of an institution from the rows that it has in a table, as a query for them in the order of its id
    "class": ("institution_classes", "SELECT institution_id, class_code FROM institution_classes ORDER BY institution_id, class_code"),
    "list": (
        "listings",
        """SELECT l.institution_id, l.list, l.valid_until FROM listings l LEFT JOIN documents d ON d.id = l.document_id LEFT JOIN sources s ON s.id = l.source_id
        WHERE l.absent_since IS NULL ORDER BY l.institution_id, coalesce(l.as_of, d.as_of, s.as_of) DESC, l.id""",
    ),
    "permit": ("permits", "SELECT institution_id, valid_from, valid_until FROM permits ORDER BY institution_id, permit_no"),
    "supervision": ("fund_supervision", "SELECT institution_id, mode FROM fund_supervision ORDER BY institution_id, mode"),
}


def index(database: Path, catalogue: Catalogue, target: Path) -> int:
    """Write the index of `database` (a release's mingbai.db) to `target`. Returns how many documents it holds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        tables = _searched(connection, catalogue)
        weights = {
            c.name if t.parent is None else f"{t.name}.{c.name}": float(c.search) for t in tables.values() for c in t.published if c.search
        }
        return build(target, _documents(connection, tables), weights)
    finally:
        connection.close()


def _searched(connection: sqlite3.Connection, catalogue: Catalogue) -> dict[str, Table]:
    """The tables with something that is searched, as the database has them: a release that is issued anew may be older than a column."""
    found = {}
    for table in catalogue.tables.values():
        there = {row["name"] for row in connection.execute(f'PRAGMA table_info("{table.name}")')}
        columns = {name: column for name, column in table.columns.items() if name in there}
        if TABLE in (table.parent, table.name) and any(column.search for column in columns.values()):
            found[table.name] = replace(table, columns=columns)
    return found


def _documents(connection: sqlite3.Connection, tables: dict[str, Table]) -> Iterator[Document]:
    table = tables[TABLE]
    parts = [t for t in tables.values() if t.parent == TABLE]
    more = [(_columns(part, f"{part.name}."), _Parts(connection.execute(_all(part, str(part.ref_to(TABLE)))))) for part in parts]
    searched, facets = _columns(table, ""), _Facets(connection)
    for rank, row in enumerate(connection.execute(f'SELECT * FROM "{TABLE}" ORDER BY id'), 1):
        fields, identifiers = _texts(searched, row)
        for columns, its_rows in more:
            for part in its_rows.of(row["id"]):
                texts, codes = _texts(columns, part)
                identifiers += codes
                for key, text in texts.items():
                    fields[key] = f"{fields[key]}\n{text}" if key in fields else text
        identifiers = list(dict.fromkeys(identifiers))
        yield Document(
            row["id"], KIND, row["name"] or row["id"], fields, tuple(identifiers), rank, facets.of(row["id"], row["region_code"])
        )


def _all(part: Table, upwards: str) -> str:
    """The rows of a part with what they belong to, in the order of that."""
    return f'SELECT "{upwards}", * FROM "{part.name}" ORDER BY "{upwards}"'


def _columns(table: Table, prefix: str) -> list[tuple[str, str, str]]:
    """Of each searched column its name, its kind and the name of its field in a document."""
    return [(column.name, column.kind, f"{prefix}{column.name}") for column in table.published if column.search]


def _texts(searched: list[tuple[str, str, str]], row: sqlite3.Row) -> tuple[dict[str, str], list[str]]:
    fields, identifiers = {}, []
    for name, kind, field in searched:
        value: Any = row[name]
        if value:
            if kind in EXACT:
                identifiers.append(value)
            else:
                fields[field] = value
    return fields, identifiers


class _Facets:
    """What institutions are filtered by, in the order of their ids."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        there = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._parts = {  # a release that is issued anew may be older than a table
            facet: _Parts(connection.execute(sql)) for facet, (table, sql) in PARTS.items() if table in there
        }
        self._parents = {
            row["code"]: (row["level"], row["parent_code"]) for row in connection.execute("SELECT * FROM regions ORDER BY code, valid_from")
        }
        self._day = connection.execute("SELECT max(as_of) FROM sources").fetchone()[0] or ""
        self._regions: dict[str, dict[str, str]] = {}

    def of(self, institution: str, region: str | None) -> dict[str, str | tuple[str, ...]]:
        """The facets of the next institution."""
        rows = {facet: list(part.of(institution)) for facet, part in self._parts.items()}
        found: dict[str, tuple[str, ...]] = dict.fromkeys(rows, ())
        for facet, its in rows.items():
            if facet == "permit":
                found[facet] = tuple(dict.fromkeys(permit_state(dict(row), self._day) for row in its)) or ("none",)
            elif facet == "list":
                found[facet] = tuple(
                    row["list"] for row in its[:1] if row["list"] in HARMLESS and not over(row["valid_until"] or "9999", self._day)
                )
            else:
                found[facet] = tuple(row[1] for row in its) or (("none",) if facet == "supervision" else ())
        return {**self._region(region or ""), **{facet: values for facet, values in found.items() if values}}

    def _region(self, code: str) -> dict[str, str]:
        """A region and those that it lies in, by their level."""
        if code not in self._regions:
            found, above = self._regions.setdefault(code, {}), code
            while above in self._parents and len(found) < len(LEVELS):
                level, parent = self._parents[above]
                if level in LEVELS:
                    found[level] = above
                above = parent or ""
        return self._regions[code]


class _Parts:
    """Rows that belong to an institution or a notice, by their first column, handed out with it: both are read in the order of the id, so nothing is held or looked up."""

    def __init__(self, rows: sqlite3.Cursor) -> None:
        self.rows = rows
        self.ahead = rows.fetchone()

    def of(self, identifier: str) -> Iterator[sqlite3.Row]:
        while self.ahead is not None and self.ahead[0] < identifier:
            self.ahead = self.rows.fetchone()
        while self.ahead is not None and self.ahead[0] == identifier:
            yield self.ahead
            self.ahead = self.rows.fetchone()
