"""Build the index of a release's institutions: what is searchable, with which weight, comes from the declarations. Notices have one of their own (texts.py).

Facets of an institution: province, city, county (codes), class, list (each that does not end and whose term was not over, where the institution is on none that may hurt), permit (none, or its
state on the newest day that a source says), supervision. A black, grey or warning listing ends between releases and is no facet: a filter would go on telling it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import search

from .catalogue import Catalogue
from .dataset import Table
from .fresh import over, permit_state
from .home import to_read
from .rules import HARMLESS
from .texts import FILE as NOTICES

FILE = "search/index.db"  # in the folder of a release
TABLE, KIND = "institutions", "institution"
EXACT = ("credit_code", "permit_no")  # kinds that are looked up whole
LEVELS = ("province", "city", "county")
PARTS = {  # facets of an institution from the rows that it has in a table, as a query for them in the order of its id
    "class": ("institution_classes", "SELECT institution_id, class_code FROM institution_classes ORDER BY institution_id, class_code"),
    "list": (
        "listings",
        "SELECT institution_id, list, valid_until FROM listings WHERE absent_since IS NULL ORDER BY institution_id, list",
    ),
    "permit": ("permits", "SELECT institution_id, valid_from, valid_until FROM permits ORDER BY institution_id, permit_no"),
    "supervision": ("fund_supervision", "SELECT institution_id, mode FROM fund_supervision ORDER BY institution_id, mode"),
}


def index(database: Path, catalogue: Catalogue, target: Path) -> int:
    """Write the index of `database` (a release's mingbai.db) to `target`. Returns how many documents it holds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(to_read(database, for_good=True), uri=True)
    try:
        tables = _searched(connection, catalogue)
        weights = {
            c.name if t.parent is None else f"{t.name}.{c.name}": float(c.search) for t in tables.values() for c in t.published if c.search
        }
        return search.build(target, _documents(connection, tables), weights)
    finally:
        connection.close()


def unsearchable(release: Path) -> str | None:
    """Why a release's indexes cannot be opened: an older mingbai may have written them in another form. None where they can."""
    try:
        for opening, file in ((search.open_index, FILE), (search.open_texts, NOTICES)):
            opening(release / file).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _searched(connection: sqlite3.Connection, catalogue: Catalogue) -> dict[str, Table]:
    """The tables with something that is searched, as the database has them: a release that is issued anew may be older than a column."""
    found = {}
    for table in catalogue.tables.values():
        there = {row[1] for row in connection.execute(f'PRAGMA table_info("{table.name}")')}
        columns = {name: column for name, column in table.columns.items() if name in there}
        if TABLE in (table.parent, table.name) and any(column.search for column in columns.values()):
            found[table.name] = replace(table, columns=columns)
    return found


def _documents(connection: sqlite3.Connection, tables: dict[str, Table]) -> Iterator[search.Document]:
    table = tables[TABLE]
    searched, facets = _columns(table, ""), _Facets(connection)
    more = []
    for part in (t for t in tables.values() if t.parent == TABLE):
        columns, upwards = _columns(part, f"{part.name}."), str(part.ref_to(TABLE))
        more.append((columns, _Parts(connection.execute(f'{_select(upwards, columns=columns)} FROM "{part.name}" ORDER BY "{upwards}"'))))
    rows = connection.execute(f'{_select("id", "name", "region_code", columns=searched)} FROM "{TABLE}" ORDER BY id')
    for rank, (identifier, name, region, *values) in enumerate(rows, 1):
        fields: dict[str, str] = {}
        identifiers: list[str] = []
        _take(searched, values, fields, identifiers)
        for columns, its_rows in more:
            for row in its_rows.of(identifier):
                _take(columns, row[1:], fields, identifiers)
        yield search.Document(
            identifier, KIND, name or identifier, fields, tuple(dict.fromkeys(identifiers)), rank, facets.of(identifier, region)
        )


def _select(*names: str, columns: list[tuple[str, str, str]]) -> str:
    every = (*names, *(name for name, _, _ in columns))
    return "SELECT " + ", ".join(f'"{name}"' for name in every)


def _columns(table: Table, prefix: str) -> list[tuple[str, str, str]]:
    """Of each searched column its name, its kind and the name of its field in a document."""
    return [(column.name, column.kind, f"{prefix}{column.name}") for column in table.published if column.search]


def _take(columns: list[tuple[str, str, str]], values: Sequence[Any], fields: dict[str, str], identifiers: list[str]) -> None:
    """Put the values of these columns where they are searched: whole, or as a text behind those that are there."""
    for (_, kind, field), value in zip(columns, values, strict=True):
        if value and kind in EXACT:
            identifiers.append(value)
        elif value:
            fields[field] = f"{fields[field]}\n{value}" if field in fields else value


class _Facets:
    """What institutions are filtered by, in the order of their ids."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        self._parts = {  # a release that is issued anew may be older than a table
            facet: _Parts(connection.execute(sql)) for facet, (table, sql) in PARTS.items() if table in there
        }
        regions = connection.execute("SELECT code, level, parent_code FROM regions ORDER BY code, valid_from")
        self._parents = {code: (level, parent) for code, level, parent in regions}
        self._day = connection.execute("SELECT max(as_of) FROM sources").fetchone()[0] or ""
        self._regions: dict[str, dict[str, str]] = {}

    def of(self, institution: str, region: str | None) -> dict[str, str | tuple[str, ...]]:
        """The facets of the next institution."""
        found: dict[str, str | tuple[str, ...]] = {**self._region(region or "")}
        for facet, part in self._parts.items():
            its = part.of(institution)
            if facet == "permit":
                states = [permit_state({"valid_from": since, "valid_until": until}, self._day) for _, since, until in its]
                found[facet] = tuple(dict.fromkeys(states)) or ("none",)
            elif facet == "list":
                in_force = dict.fromkeys(which for _, which, until in its if not over(until or "9999", self._day))
                found |= {facet: tuple(in_force)} if in_force and in_force.keys() <= set(HARMLESS) else {}
            elif its or facet == "supervision":
                found[facet] = tuple(value for _, value in its) or ("none",)
        return found

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
        self._rows = rows
        self._ahead: tuple[Any, ...] | None = next(rows, None)

    def of(self, identifier: str) -> list[tuple[Any, ...]]:
        found, ahead = [], self._ahead
        while ahead is not None and ahead[0] <= identifier:
            if ahead[0] == identifier:
                found.append(ahead)
            ahead = next(self._rows, None)
        self._ahead = ahead
        return found
