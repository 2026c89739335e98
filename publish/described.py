"""What a release has to be described by: its tables as its own database has them, its codes, sources and files.

A release that is issued anew, or made again, may be older than a table, a column or a code of today's declarations: what is described is what is
there. The words are those of the declarations. Knows no clock, no host and no format of a description.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .dataset import Column, Dataset, Table
from .home import to_read

Row = Mapping[str, Any]


@dataclass(frozen=True)
class File:
    """One file of a release's downloads. `plain` is what is inside one that is packed: its name, bytes and SHA-256."""

    name: str
    type: str
    bytes: int
    sha256: str
    form: str
    table: str | None = None
    dataset: str | None = None
    rows: int | None = None
    plain: tuple[str, int, str] | None = None


@dataclass(frozen=True)
class Described:
    """A release. `versions` are those of its datasets, `codes` the codes of each code table with their labels, in the order of the release."""

    release: str
    day: str
    datasets: Mapping[str, Dataset]
    tables: Mapping[str, Table]
    codes: Mapping[str, tuple[Row, ...]]
    sources: tuple[Row, ...]
    versions: Mapping[str, str]
    files: tuple[File, ...] = ()

    def of(self, dataset: Dataset) -> list[Table]:
        """The tables of a dataset that are there, the main one first."""
        return [self.tables[name] for name in dataset.tables if name in self.tables]

    def codes_of(self, column: Column) -> tuple[Row, ...]:
        """The codes that a column may have; none where its release does not list them."""
        return self.codes.get(column.codes or "", ())


def described(
    database: Path, catalogue: Catalogue, release: str, day: str, versions: Mapping[str, str], files: Iterable[File] = ()
) -> Described:
    """A release by its `mingbai.db`. Raises sqlite3.Error for a file that is none."""
    uri = to_read(database, for_good=True)
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        there: dict[str, set[str]] = {}
        for name in catalogue.tables:
            if columns := {row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", [name])}:
                there[name] = columns
        tables = {name: _as_there(catalogue.tables[name], columns) for name, columns in there.items()}
        codes: dict[str, tuple[Row, ...]] = {}
        if "codes" in tables:
            declared = {name: list(table) for name, table in catalogue.codes.items()}
            for row in map(dict, connection.execute("SELECT table_name, code, label_zh, label_en FROM codes ORDER BY table_name, code")):
                codes[row["table_name"]] = (*codes.get(row["table_name"], ()), row)
            codes = {name: tuple(sorted(rows, key=lambda row: _place(declared.get(row["table_name"], []), row["code"]))) for name, rows in codes.items()}  # fmt: skip
        sources = tuple(map(dict, connection.execute("SELECT * FROM sources ORDER BY id"))) if "sources" in tables else ()
    datasets = {name: one for name, one in catalogue.datasets.items() if any(table in tables for table in one.tables)}
    return Described(release, day, datasets, tables, codes, sources, versions, tuple(files))


def _as_there(table: Table, columns: set[str]) -> Table:
    return replace(table, columns={name: column for name, column in table.columns.items() if column.published and name in columns})


def _place(order: list[str], code: str) -> int:
    return order.index(code) if code in order else len(order)
