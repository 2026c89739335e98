"""Which records of a page its source has said before, to the letter: what became of them is in the base and they are not read again.

Of a page that changed nearly every record is what it was: at half a percent of churn two pages of a hundred records in five change, each by one record. What a
record becomes is decided by the record, by its listing and by the year that it is of, and by nothing else on its page, but for its document,
which is therefore looked at again. A record of which anything was remarked is always read again, and so is every record of a listing that
may be about a natural person: there a document depends on whom it names.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .catalogue import Catalogue
from .mapping import Plan
from .plans import read
from .snapshot import Page, Snapshot
from .sourcefile import ListingDeclaration
from .sources import unheard
from .tables import Working

Listing = tuple[str, str]  # source and listing


class Torn(Exception):
    """The base does not have what it says that it has."""


@dataclass(frozen=True)
class Earlier:
    """A page of an earlier snapshot, in `folder`, whose rows are in the base under `number`; `remarked` are the records of which there are issues."""

    folder: Path
    page: Page
    number: int
    remarked: frozenset[int]


def asked(page: Page) -> str:
    """What was asked to get a page, but for the view that it was asked of: the same on every day."""
    return page.url.partition("&snapshot=")[0]


def fits(plan: Plan) -> bool:
    """Whether what becomes of a record of a listing is decided by the record alone."""
    filled = {plan.main.name, *(nested.table for nested in plan.nested), *(table for table, _ in plan.beside), *plan.constants_beside}
    return plan.main.prefix is not None and not any("subject_kind" in plan.shapes[table].columns for table in filled)


def said(record: Mapping[str, Any]) -> bytes:
    """A record of JSON as one text: another one for any other record."""
    return orjson.dumps(record)


def before(earlier: Earlier, listing: ListingDeclaration) -> dict[bytes, int]:
    """The records of an earlier page that need not be read again, as `said`, and where each is in it."""
    records: Iterable[tuple[int, Any]] = read(earlier.folder, earlier.page, listing, unheard)
    return {said(record): number for number, record in records if number not in earlier.remarked and isinstance(record, dict)}


def identity(page: Page, exact: bool = False) -> str:
    """What a page says, and of when: two of one identity give the same rows."""
    # What the as-of decides in a row: the year of a date without one, and which region a code meant (the table is exact to the year). On the
    # platform, whose as-of moves daily, the year is enough, but where a date without one would be after that day: see `_is_early`.
    return f"{page.content_sha256}:{(page.as_of or '')[: 4 if page.form == 'platform' and not exact else 10]}"


def place(snapshot: Snapshot, page: Page) -> tuple[str, str, str, str]:
    """By what pages of two days are held against each other: the listing, what was asked, and the year that they are of."""
    return snapshot.source, page.listing, asked(page), identity(page).rpartition(":")[2]


def earlier_pages(
    connection: Working, pages: list[tuple[Snapshot, Page, int, int]], kept: Mapping[tuple[str, str, str], int]
) -> dict[tuple[str, str, str, str], Earlier]:
    """The pages of earlier snapshots that are kept, by what was asked to get them and by the year that they are of.

    One that was read when a date in it was too early is not among them: what it becomes depends on the day.
    """
    remarked: dict[int, set[int]] = defaultdict(set)
    for page, row in connection.execute("SELECT page, row FROM issues"):
        remarked[page].add(row)
    return {
        place(snapshot, page): Earlier(snapshot.folder, page, at, frozenset(remarked[at]))
        for snapshot, page, generation, _ in pages
        if generation and (at := kept.get((snapshot.source, page.listing, identity(page)))) is not None
    }


def tables_of(catalogue: Catalogue, source: str, listing: str) -> set[str]:
    """The tables that the records of a listing fill, but for documents."""
    declared = catalogue.source(source).listings[listing]
    others = {target.table for several in declared.fields.values() for target in several} | {table for table, _ in declared.constants}
    return {declared.table, *others} - {"documents"}


def repeat(connection: Working, catalogue: Catalogue, repeating: Mapping[Listing, int]) -> None:
    """Give records that are what they were the rows that they were. Raises Torn when the base does not have one of them."""
    connection.execute("CREATE INDEX temp.same_by_was ON same (was_page, was)")
    for (source, listing), records in repeating.items():
        rows = f"""SELECT count(DISTINCT t.rowid) FROM "{catalogue.source(source).listings[listing].table}" s
            CROSS JOIN temp.same t ON t.was_page = s.page AND t.was = s.row WHERE t.page IN (SELECT page FROM pages WHERE (source, listing) = (?, ?))"""
        if connection.one(rows, [source, listing]) != records:
            raise Torn
    filled = {table: listing for listing in repeating for table in tables_of(catalogue, *listing)}
    for name in sorted(filled):
        columns = ", ".join(f's."{column}"' for column in catalogue.tables[name].columns)
        connection.execute(
            f"""INSERT INTO "{name}" SELECT {columns}, t.row, s.withheld, t.page FROM "{name}" s CROSS JOIN temp.same t ON t.was_page = s.page AND t.was = s.row
            ORDER BY t.page, t.row, s.rowid"""
        )
