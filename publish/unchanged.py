"""Which records of a page its source has said before, to the letter: what became of them is in the base and they are not read again.

Of a page that changed nearly every record is what it was: at half a percent of churn two pages of a hundred records in five change, each by one record. What a
record becomes is decided by the record, by its listing and by the year that it is of, and by nothing else on its page, but for its document,
which is therefore looked at again. A record of which anything was remarked is always read again, and so is every record of a listing that
may be about a natural person: there a document depends on whom it names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from .mapping import Plan
from .plans import read
from .snapshot import Page
from .sourcefile import ListingDeclaration
from .sources import unheard


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
