"""Build the index of a release's notices: what is searched, counted and asked for by name comes from the declarations.

Rule 8: of a notice about a natural person, or about who could be one, the number of the decision is found and nothing else; such a notice has no value to filter
or to count by. Notices come newest decision first. What a query calls a column is its label, its name, and the word `notices.field.COLUMN` of each language.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from search import DATE, KEYWORD, NUMBER, TEXT, Document, Field, build_texts

from .catalogue import Catalogue
from .dataset import Column, Table
from .home import to_read
from .wording import LANGUAGES, wording

FILE = "search/notices.db"  # in the folder of a release
LEVELS = ("province", "city", "county")
REGION, YEAR = "region", "year"
DATES = ("decided_on", "published_on")
NOT_COUNTED = ("subject_kind",)  # whom a notice is about is no filter: those of persons have none
ABOUT_ALL = "organisation"
FOUND_OF_A_PERSON = ("document_no",)
Values = dict[str, str | tuple[str, ...]]


def texts(database: Path, catalogue: Catalogue, target: Path) -> int:
    """Write the index of the notices of `database` (a release's mingbai.db) to `target`. Returns how many it holds."""
    with closing(sqlite3.connect(to_read(database, for_good=True), uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        notices = _Notices(connection, catalogue)
        return build_texts(target, notices.documents(), notices.fields())


class _Notices:
    """The notices of a database, as it has them: a release that is issued anew may be older than a column."""

    def __init__(self, connection: sqlite3.Connection, catalogue: Catalogue) -> None:
        self._connection, self._catalogue = connection, catalogue
        columns = self._columns(catalogue.tables["notices"])
        self._texts = [column for column in columns if column.search]
        self._codes = [
            column for column in columns if column.facet and column.kind in ("code", "text", "ref") and column.name not in NOT_COUNTED
        ]
        self._dates = [column for column in columns if column.name in DATES]
        self._sums = {column.name.removesuffix("_fen"): column for column in columns if column.kind == "fen"}
        parts = [table for table in catalogue.tables.values() if table.parent == "notices"]
        self._parts = [(table, column) for table in parts for column in self._columns(table) if column.facet and column.name in table.key]
        self._regions = {row["code"]: row for row in connection.execute("SELECT * FROM regions ORDER BY code, valid_from")}

    def fields(self) -> list[Field]:
        """What notices are searched by."""
        codes = [*((column.label.zh, column) for column in self._codes), *((table.label.zh, column) for table, column in self._parts)]
        regions = {code: " ".join(self._path(code)) for code in self._used("region_code")}
        return [
            *(Field(c.name, TEXT, _called(c.name, c.label.zh), float(c.search)) for c in self._texts),
            *(Field(c.name, KEYWORD, _called(c.name, label), labels=self._labels(c)) for label, c in codes),
            Field(REGION, KEYWORD, _called(REGION), labels=regions),
            *(Field(level, KEYWORD) for level in LEVELS),
            Field(YEAR, KEYWORD, _called(YEAR)),
            *(Field(c.name, DATE, _called(c.name, c.label.zh)) for c in self._dates),
            *(Field(name, NUMBER, _called(name, c.label.zh)) for name, c in self._sums.items()),
        ]

    def documents(self) -> Iterator[Document]:
        """The notices, newest decision first."""
        parts: dict[str, dict[str, tuple[str, ...]]] = {column.name: {} for _, column in self._parts}
        for table, column in self._parts:
            upwards = table.ref_to("notices")
            for row in self._connection.execute(f'SELECT "{upwards}", "{column.name}" FROM "{table.name}" ORDER BY 1, 2'):
                parts[column.name][row[0]] = (*parts[column.name].get(row[0], ()), row[1])
        rows = self._connection.execute("SELECT * FROM notices ORDER BY decided_on IS NULL, decided_on DESC, id")
        for rank, row in enumerate(rows, 1):
            said = {column.name: _printed(column, row[column.name]) for column in self._texts if row[column.name]}
            if row["subject_kind"] != ABOUT_ALL:
                said = {name: text for name, text in said.items() if name in FOUND_OF_A_PERSON}
                yield Document(row["id"], "notice", "", said, (), rank)
            else:
                more = {name: values[row["id"]] for name, values in parts.items() if row["id"] in values}
                yield Document(row["id"], "notice", "", said, (), rank, {**self._values(row), **more})

    def _values(self, row: sqlite3.Row) -> Values:
        found: Values = {column.name: row[column.name] for column in (*self._codes, *self._dates) if row[column.name]}
        found |= {name: str(row[column.name] // 100) for name, column in self._sums.items() if row[column.name] is not None}
        if row["decided_on"]:
            found[YEAR] = row["decided_on"][:4]
        if row["region_code"] in self._regions:
            found[REGION] = row["region_code"]
            found |= {region["level"]: region["code"] for region in self._above(row["region_code"]) if region["level"] in LEVELS}
        return found

    def _columns(self, table: Table) -> list[Column]:
        there = {row["name"] for row in self._connection.execute(f'PRAGMA table_info("{table.name}")')}
        return [column for column in table.published if column.name in there]

    def _used(self, column: str) -> list[str]:
        return [
            row[0] for row in self._connection.execute(f'SELECT DISTINCT "{column}" FROM notices WHERE "{column}" IS NOT NULL ORDER BY 1')
        ]

    def _labels(self, column: Column) -> Mapping[str, str]:
        """What the values of a column are called, in both languages."""
        if column.codes:
            return {row.code: f"{row.label_zh} {row.label_en}" for row in self._catalogue.codes[column.codes].rows}
        if column.ref:
            rows = self._connection.execute(f'SELECT id, label_zh, label_en FROM "{column.ref}" ORDER BY id')
            return {row["id"]: f"{row['label_zh']} {row['label_en'] or ''}" for row in rows}
        return {}

    def _above(self, code: str) -> Iterator[sqlite3.Row]:
        """A region and those that it lies in, below the country."""
        seen: set[str] = set()
        while code in self._regions and code not in seen:
            seen.add(code)
            region = self._regions[code]
            if region["level"] == "country":
                return
            yield region
            code = region["parent_code"] or ""

    def _path(self, code: str) -> Iterable[str]:
        """A region's name from the province down, in Chinese in one run, and in English."""
        names: list[Any] = [(region["name_zh"], region["name_en"]) for region in self._above(code)][::-1]
        return ["".join(zh for zh, _ in names), *(en for _, en in names if en)]


def _printed(column: Column, text: str) -> str:
    """A permit number as it is printed, and so as people type it."""
    return f"{text}号" if column.kind == "permit_no" and not text.endswith("号") else text


def _called(name: str, *labels: str) -> tuple[str, ...]:
    words = [wording(lang).get(f"notices.field.{name}") for lang in LANGUAGES]
    return tuple(dict.fromkeys(word for word in (*words, *labels) if word))
