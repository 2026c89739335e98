"""One way through a paged listing, and the promises that hold over all of its pages."""

from dataclasses import dataclass
from typing import Any

from ..errors import SourceBroken
from ..snapshot import Page
from . import ListingPlan
from .attempt import Attempt

EMPTY_PAGES = 1000  # a range of keys can be empty by right; a thousand in a row is a loop


@dataclass(frozen=True)
class Listed:
    """What the platform says about one listing before it is read, and what every page must repeat."""

    as_of: str
    snapshot: str
    total: int


class Walk:
    """One way through a listing: what every step and the end must fulfil.

    When they do not, nobody knows which page is the wrong one: all of them leave the attempt, or the next one would continue from the same contradiction.
    """

    def __init__(self, attempt: Attempt, source: str, listing: ListingPlan, listed: Listed) -> None:
        self.pages: list[Page] = []
        self._attempt, self._listing, self._listed = attempt, listing, listed
        self._what = f"{source}: {listing.name}"
        self._cursors: set[str] = set()
        self._contents: dict[str, int] = {}
        self._got = self._empty = self._looked = 0
        self._unseen = set(listing.header)
        self._fields: list[str] = []

    def look(self, records: list[dict[str, Any]]) -> None:
        """Look for the declared fields until each was in some record."""
        self._looked += 1
        for record in records if self._unseen else ():
            self._unseen.difference_update(record)
            self._fields = self._fields or list(record)

    def step(self, cursor: str, page: Page) -> None:
        number = len(self.pages) + 1
        where = f"{self._what}, page {number}"
        self._got += page.records
        self._empty = 0 if page.records else self._empty + 1
        if cursor in self._cursors:
            raise self._broken(f"{where}: its cursor was there before; the paging runs in a circle: tell the platform")
        if page.records and (first := self._contents.setdefault(page.content_sha256, number)) != number:
            raise self._broken(f"{where}: says the same as page {first}; a page is repeated: run again, then tell the platform")
        if self._got > self._listed.total:
            raise self._broken(f"{where}: {self._got} records so far, its total is {self._listed.total}; run again, then tell the platform")
        if self._empty > EMPTY_PAGES:
            raise self._broken(f"{where}: {self._empty} pages without a record in a row; tell the platform")
        self._cursors.add(cursor)
        self.pages.append(page)

    def end(self) -> None:
        if self._got != self._listed.total:
            raise self._broken(
                f"{self._what}: {self._got} records on {len(self.pages)} pages, its total is {self._listed.total}; a page is missing: run again, then tell the platform"
            )
        if self._unseen and self._fields and self._looked == len(self.pages):
            names = ", ".join(sorted(self._unseen))
            raise self._broken(
                f"{self._what}: no record has {names}; found {', '.join(self._fields[:40])}: its schema changed, correct the declaration"
            )

    def _broken(self, message: str) -> SourceBroken:
        self._attempt.put_aside(self._listing.name)
        return SourceBroken(message)
