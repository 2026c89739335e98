"""Build the search index of a release: what is searchable, with which weight, comes from the declarations.

A natural person, and who could be one, is not searchable (rule 8): of a notice about one only the number of the decision is indexed. The static rank puts
institutions before notices, and among them those that are listed before those that left.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from search import Document, build

from .catalogue import Catalogue
from .dataset import Table

KINDS = {"institutions": "institution", "notices": "notice"}
TITLES = {"institutions": ("name",), "notices": ("title", "document_no")}
EXACT = ("credit_code", "permit_no")  # kinds that are looked up whole


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
        if (table.parent or table.name) in KINDS and any(column.search for column in columns.values()):
            found[table.name] = replace(table, columns=columns)
    return found


def _documents(connection: sqlite3.Connection, tables: dict[str, Table]) -> Iterator[Document]:
    rank = 0
    for name, kind in KINDS.items():
        table = tables[name]
        parts = [t for t in tables.values() if t.parent == name]
        cursors = [_Parts(connection, part, str(part.ref_to(name))) for part in parts]
        searched = _columns(table, "")
        facets = [c.name for c in table.published if c.facet or c.kind == "region"]
        for row in connection.execute(f'SELECT * FROM "{name}" ORDER BY id'):
            rank += 1
            fields, identifiers = _texts(searched, row)
            for cursor in cursors:
                for part in cursor.of(row["id"]):
                    more, codes = _texts(cursor.searched, part)
                    identifiers += codes
                    for key, text in more.items():
                        fields[key] = f"{fields[key]}\n{text}" if key in fields else text
            titles = [row[column] for column in TITLES[name] if row[column]]
            if name == "notices" and row["subject_kind"] != "organisation":  # found by the number of the decision and by nothing else
                fields, identifiers = {key: fields[key] for key in ("document_no",) if key in fields}, []
                titles = [row["document_no"]] if row["document_no"] else []
            yield Document(
                row["id"],
                kind,
                (*titles, row["id"])[0],
                fields,
                tuple(dict.fromkeys(identifiers)),
                rank,
                {f: row[f] for f in facets if row[f]},
            )


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
                if kind == "permit_no":
                    identifiers.append(f"{value}号")  # as it is printed, and so as people type it
            else:
                fields[field] = value
    return fields, identifiers


class _Parts:
    """The rows of a part, handed out with their parent: both are read in the order of the id, so nothing is held or looked up."""

    def __init__(self, connection: sqlite3.Connection, table: Table, upwards: str) -> None:
        self.searched, self.upwards = _columns(table, f"{table.name}."), upwards
        self.rows = connection.execute(f'SELECT * FROM "{table.name}" ORDER BY "{upwards}"')
        self.ahead = self.rows.fetchone()

    def of(self, identifier: str) -> Iterator[sqlite3.Row]:
        while self.ahead is not None and self.ahead[self.upwards] < identifier:
            self.ahead = self.rows.fetchone()
        while self.ahead is not None and self.ahead[self.upwards] == identifier:
            yield self.ahead
            self.ahead = self.rows.fetchone()
