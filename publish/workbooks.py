"""A release's workbooks: one for each dataset, a sheet a table, and behind them what its columns mean, where it is from and on which terms.

One with more rows than a sheet holds is made by province, or what is below it, ahead: by the column 4.8 million rating rows take seconds, so that nobody has to wait for their region
and all are in the manifest. They are hard links while their rows are the same; one that has the dataset's name says which there are.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from . import licence
from .catalogue import Catalogue
from .dataset import Column, Dataset, Table
from .described import Described
from .dictionary import dictionary_rows, source_rows
from .extracts import outside, rows, under
from .filed import Files
from .forms import FORMS, Page, form
from .regions import Region
from .tables import Working
from .wording import LANGUAGES, say

SUFFIX = FORMS["xlsx"].suffix
NO_REGION = "none"  # behind the name of a workbook with what lies in no province, or in none of the regions below one


@dataclass(frozen=True)
class _Part:
    """What a workbook has, by a condition for each table."""

    code: str
    label: str
    where: tuple[str, ...]


@dataclass(frozen=True)
class Workbooks:
    """The workbooks of a release; `connection` has its database as `new`."""

    database: Path
    catalogue: Catalogue
    it: Described
    files: Files
    connection: Working
    pool: Executor
    counted: dict[tuple[str, ...], tuple[int, int, str]] = field(default_factory=dict)  # what `_in` found, which asks for all rows

    def by_region(self, dataset: Dataset, tables: Sequence[Table]) -> None:
        """A workbook for each province, of one that is too large for each region in it, and for what lies in none; and one that says which there are."""
        names = [table.name for table in tables]
        said = {"dataset": dataset.name, "tables": names, "form": "xlsx"}
        provinces = [region for region in self.catalogue.regions.rows() if region.level == "province" and region.valid_until is None]
        whole = _Part(NO_REGION, say("zh", "downloads.no_region"), tuple("1" for _ in tables))
        listed, total, pages = [], 0, _digest(self._pages(tables)[:1])
        for part in self._parts(tables, whole, provinces):
            most, number, places = self._in(there := list(zip(tables, part.where, strict=True)))
            if not number:
                continue
            book, total = f"{dataset.name}-{part.code}{SUFFIX}", total + number
            fits = most <= form.SHEET_ROWS
            listed.append((book if fits else _both("too_large"), part.code, part.label, str(number)))
            if fits and not self.files.take([book], names, places=places, pages=pages):
                self._book(book, {**said, "region": part.code, "rows": number, "places": places, "pages": pages}, there)
        if total != sum(self.connection.one(f'SELECT count(*) FROM new."{name}"') for name in names):
            raise ValueError(f"{dataset.name}: the workbooks of its regions have {total} rows, which are not all")
        header = tuple(_both(what) for what in ("file", "code", "region", "rows"))
        with self.files.new(f"{dataset.name}{SUFFIX}", said) as target:
            self._made(target, (), [Page(dataset.label.zh, header, tuple(listed), (32, 16, 24, 12)), *self._pages(tables)]).close()

    def _parts(self, tables: Sequence[Table], whole: _Part, regions: Sequence[Region]) -> Iterator[_Part]:
        """The parts of a whole: its regions, of those that no sheet holds what lies in them, and what lies in none."""
        for region in regions:
            part = _Part(region.code, self.catalogue.regions.name(region.code), self._where(tables, region.code))
            below = [one for one in self.catalogue.regions.rows() if one.parent_code == region.code and one.valid_until is None]
            if below and self._in(list(zip(tables, part.where, strict=True)))[0] > form.SHEET_ROWS:
                rest = replace(part, code=f"{part.code}-{NO_REGION}", label=f"{part.label}{say('zh', 'downloads.no_other')}")
                yield from self._parts(tables, rest, below)
            else:
                yield part
        codes = [region.code for region in regions]
        those = [outside(self.catalogue, table, codes) or "1" for table in tables]
        yield replace(whole, where=tuple(f"({where}) AND ({rest})" for where, rest in zip(whole.where, those, strict=True)))

    def _where(self, tables: Sequence[Table], code: str) -> tuple[str, ...]:
        """The conditions for the rows of tables in a region."""
        return tuple(under(self.catalogue, table, code) or "0" for table in tables)

    def _in(self, there: Sequence[tuple[Table, str]]) -> tuple[int, int, str]:
        """How many rows the largest table has there and how many all have, and by what they are known: the same rows elsewhere are others, where what they
        belong to has moved."""
        asked = tuple(f"{table.name} {where}" for table, where in there)
        if asked in self.counted:
            return self.counted[asked]
        most, number, digest = 0, 0, hashlib.sha256()
        for table, where in there:
            keys, before = f'SELECT "{table.key[0]}", count(*) FROM new."{table.name}" WHERE {where} GROUP BY 1 ORDER BY 1', number
            found = self.connection.all(keys)
            number += sum(several for _, several in found)
            digest.update(orjson.dumps(found))
            most = max(most, number - before)
        return self.counted.setdefault(asked, (most, number, digest.hexdigest()))

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
        terms = [[_both("licence"), ""]]
        for lang in LANGUAGES:
            terms += [[licence.name(lang), licence.URL], [licence.terms(lang), ""]]
        return [
            _page("dictionary", list(dictionary_rows(it)), (16, 20, 20, 24, 44, 44)),
            _page("sources", list(source_rows(from_where)), ()),
            _page("licence", terms, (100, 44)),
        ]


def _both(what: str) -> str:
    return f"{say('zh', f'downloads.{what}')} {say('en', f'downloads.{what}')}"


def _without_days(columns: Mapping[str, Column]) -> dict[str, Column]:
    return {name: column for name, column in columns.items() if column.kind not in ("day", "date")}


def _digest(pages: Sequence[Page]) -> str:
    return hashlib.sha256(orjson.dumps(pages)).hexdigest()


def _page(title: str, found: Sequence[Sequence[str]], widths: tuple[int, ...]) -> Page:
    """A sheet of texts, whose first row is its header. What is empty stays empty."""
    header, *below = [tuple(row) for row in found]
    return Page(
        _both(title),
        header,
        tuple(tuple(text or None for text in row) for row in below),
        (*widths, *[24] * (len(header) - len(widths))),
    )
