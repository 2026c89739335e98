"""A release's workbooks: one for each dataset, a sheet a table, and behind them what its columns mean, where it is from and on which terms.

One with more rows than a sheet holds is made by province, ahead: by the column 4.8 million rating rows take seconds, so that nobody has to wait for their region
and all are in the manifest. They are hard links while their rows are the same; one that has the dataset's name says which there are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from . import licence
from .catalogue import Catalogue
from .dataset import Column, Dataset, Table
from .described import Described
from .dictionary import dictionary_rows, source_rows
from .extracts import of_no_region, rows, under
from .filed import Files
from .forms import FORMS, Page
from .tables import Working
from .wording import LANGUAGES, say

SUFFIX = FORMS["xlsx"].suffix
NO_REGION = "none"  # behind the name of a workbook with what lies in no province


@dataclass(frozen=True)
class Workbooks:
    """The workbooks of a release; `connection` has its database as `new`."""

    database: Path
    catalogue: Catalogue
    it: Described
    files: Files
    connection: Working
    pool: Executor

    def by_province(self, dataset: Dataset, tables: Sequence[Table]) -> None:
        """A workbook for each province, and for what lies in none, and one that says which there are."""
        names = [table.name for table in tables]
        said = {"dataset": dataset.name, "tables": names, "form": "xlsx"}
        provinces = [region for region in self.catalogue.regions.rows() if region.level == "province" and region.valid_until is None]
        listed, pages = [], _digest(self._pages(tables)[:1])
        for code, label in (*((region.code, region.name_zh) for region in provinces), (NO_REGION, say("zh", "downloads.no_region"))):
            there = [(table, self._where(table, code)) for table in tables]
            book, number, places = f"{dataset.name}-{code}{SUFFIX}", *self._in(there)
            if number:
                listed.append((book, code, label, str(number)))
                if not self.files.take([book], names, places=places, pages=pages):
                    self._book(book, {**said, "region": code, "rows": number, "places": places, "pages": pages}, there)
        header = tuple(f"{say('zh', f'downloads.{what}')} {say('en', f'downloads.{what}')}" for what in ("file", "code", "region", "rows"))
        with self.files.new(f"{dataset.name}{SUFFIX}", said) as target:
            self._made(target, (), [Page(dataset.label.zh, header, tuple(listed), (32, 12, 24, 12)), *self._pages(tables)]).close()

    def _where(self, table: Table, code: str) -> str:
        """The condition for the rows of a table in a province."""
        if code == NO_REGION:
            return of_no_region(self.catalogue, table) or "1"
        return under(self.catalogue, table, code) or "0"

    def _in(self, there: Sequence[tuple[Table, str]]) -> tuple[int, str]:
        """How many rows there are, and by what they are known: the same rows elsewhere are others, where what they belong to has moved."""
        number, digest = 0, hashlib.sha256()
        for table, where in there:
            keys = f'SELECT "{table.key[0]}", count(*) FROM new."{table.name}" WHERE {where} GROUP BY 1 ORDER BY 1'
            found = self.connection.all(keys)
            number += sum(several for _, several in found)
            digest.update(orjson.dumps(found))
        return number, digest.hexdigest()

    def _book(self, name: str, said: Mapping[str, Any], there: Sequence[tuple[Table, str]]) -> None:
        from .forms.arrow import ahead, batches

        tables = [table for table, _ in there]
        with self.files.new(name, said) as target:
            made = self._made(target, tables, self._pages(tables)[:1])
            for table, where in there:
                made.sheet()
                for batch in ahead(self.pool, batches(self.database, table.published, rows(table, table.published, where))):
                    made.put(batch)
            made.close()

    def taken(self, book: str, tables: Sequence[Table]) -> bool:
        """Whether the workbook of these tables is that of the earlier release."""
        return self.files.take([book], [table.name for table in tables], pages=_digest(self._pages(tables)))

    def whole(self, stack: ExitStack, book: str, tables: Sequence[Table]) -> Any:
        """The workbook of these tables in the making (forms/workbook.py)."""
        pages = self._pages(tables)
        said = {"dataset": tables[0].dataset, "tables": [table.name for table in tables], "form": "xlsx", "pages": _digest(pages)}
        return self._made(stack.enter_context(self.files.new(book, said)), tables, pages)

    def _made(self, target: Any, tables: Sequence[Table], pages: Sequence[Page]) -> Any:
        from .forms.workbook import Workbook

        return Workbook(target, [(table.label.zh, table.published) for table in tables], pages)

    def _pages(self, tables: Sequence[Table]) -> list[Page]:
        """What stands behind the rows: the dictionary of these tables, the sources, the licence. Nothing of the release itself: neither its id nor up to
        when a source was read, which are others each day, so that a workbook is the same while its rows are."""
        codes = {column.codes for table in tables for column in table.published if column.codes}
        it = replace(
            self.it,
            tables={table.name: table for table in tables},
            codes={name: rows for name, rows in self.it.codes.items() if name in codes},
        )
        sources = [replace(table, columns=_without_days(table.columns)) for table in self.it.tables.values() if table.name == "sources"]
        from_where = replace(self.it, tables={table.name: table for table in sources})
        terms = [[f"{say('zh', 'downloads.licence')} {say('en', 'downloads.licence')}", ""]]
        for lang in LANGUAGES:
            terms += [[licence.name(lang), licence.URL], [licence.terms(lang), ""]]
        return [
            _page("dictionary", list(dictionary_rows(it)), (16, 20, 20, 24, 44, 44)),
            _page("sources", list(source_rows(from_where)), ()),
            _page("licence", terms, (100, 44)),
        ]


def _without_days(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: column for name, column in columns.items() if column.kind not in ("day", "date")}


def _digest(pages: Sequence[Page]) -> str:
    return hashlib.sha256(orjson.dumps(pages)).hexdigest()


def _page(title: str, found: Sequence[Sequence[str]], widths: tuple[int, ...]) -> Page:
    """A sheet of texts, whose first row is its header. What is empty stays empty."""
    header, *below = [tuple(row) for row in found]
    return Page(
        f"{say('zh', f'downloads.{title}')} {say('en', f'downloads.{title}')}",
        header,
        tuple(tuple(text or None for text in row) for row in below),
        (*widths, *[24] * (len(header) - len(widths))),
    )
