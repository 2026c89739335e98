"""From records as the source spells them to rows as we declare them, strictly.

Every field of every record is mapped, listed under `ignore`, or reported. One bad value is an Issue and the run goes on without it; a
record that lacks what it cannot do without is set aside whole, as an Issue too; a mapped field that a whole page has lost is a promise
broken by the source. Issues carry what was found only for the staff and never leave the private side. It does not know other pages, earlier
releases or a database: what depends on those is staging's.

The records of a page are read together, column by column (records.py, columns.py): it costs a quarter of what each by itself costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .batch import ASIDE, REMARK, Batch, Issue, Telling, shown
from .catalogue import Catalogue
from .columns import Raw
from .errors import SourceBroken
from .mapping import plan
from .parts import Records
from .plans import read
from .records import Maker
from .rows import Unreadable
from .snapshot import Page, Snapshot
from .sourcefile import ListingDeclaration, SourceDeclaration
from .sources import Remark
from .unchanged import Earlier, before, fits, said

__all__ = ["Batch", "Issue", "Validator", "validate"]

WIDE_PAGE = 20  # records from which a mapped field that none of them has counts as gone, where the form allows leaving fields out
TOGETHER = 1_000  # records that are read together: they stay in the cache, and of a delivery of a million not all lie in memory
MAY_LEAVE_OUT = ("ndjson", "json")
Met = dict[str, tuple[int, int]]  # fields: in which row each was met first, and how often


class Validator:
    """Reads the pages of one listing of one snapshot; it keeps memories of values, no rows."""

    def __init__(self, listing: ListingDeclaration, source: SourceDeclaration, catalogue: Catalogue, as_of: str | None) -> None:
        self.listing, self.source, self.as_of = listing, source, as_of
        self.plan = plan(listing, source, catalogue, as_of)
        self.mapped = frozenset(listing.fields) - listing.optional
        self.known = self.mapped | listing.optional | listing.ignore | frozenset(listing.key) | listing.document.fields
        self.maker = Maker(self.plan, listing, source)

    def page(self, folder: Path, page: Page, earlier: Earlier | None = None) -> Batch:
        """The rows and issues of one page of the snapshot in `folder`, but for the rows of records that the `earlier` one has too.

        Raises SourceBroken when it cannot be read or the whole of it lacks a field that is mapped.
        """
        made = Telling(self.source.name, self.listing.name, page.file)
        made.add(self.plan.main.name, [])
        self.maker.documents.begin()
        unknown: Met = {}
        missing: Met = {}
        chunk: list[tuple[int, Any]] = []

        def hear(remark: Remark) -> None:
            if remark.is_row_lost:
                made.batch.records += 1
                made.batch.set_aside += 1
            made.tell((len(chunk), REMARK), remark.row, remark.kind, remark.column or "", shown(remark.text))

        known_before = before(earlier, self.listing) if earlier and page.form == "platform" and fits(self.plan) else {}
        for record in read(folder, page, self.listing, hear):
            chunk.append(record)
            if len(chunk) == TOGETHER:
                self._together(chunk, known_before, unknown, missing, made)
                chunk.clear()
        self._together(chunk, known_before, unknown, missing, made)
        batch = made.batch
        batch.documents = self.maker.documents.rows
        for name, (first, count) in sorted(missing.items()):
            if count == batch.records and (page.form not in MAY_LEAVE_OUT or count >= WIDE_PAGE):
                found = f"; found instead: {', '.join(sorted(unknown))}" if unknown else ""
                raise SourceBroken(
                    f"{self.source.name}/{self.listing.name}, {page.file}: no record has the field {name!r}{found}; compare datasets/sources/{self.source.name}.yml with the source"
                )
            made.tell((0,), first, "missing_field", name, count=count)
        for name, (first, count) in sorted(unknown.items()):
            made.tell((0,), first, "unmapped_field", name, count=count)
        made.done()
        return batch

    def _together(self, chunk: list[tuple[int, Any]], known_before: Mapping[bytes, int], unknown: Met, missing: Met, made: Telling) -> None:
        """Read some records of a page together."""
        made.batch.records += len(chunk)
        at: Sequence[int] = range(len(chunk))
        numbers, fields = zip(*chunk, strict=True) if chunk else ((), ())
        if set(map(type, fields)) - {dict}:
            for place in [place for place in at if type(fields[place]) is not dict]:
                made.set_aside((place, ASIDE), numbers[place], "an object with fields", shown(fields[place]))
            at = [place for place in at if type(fields[place]) is dict]
            numbers, fields = tuple(numbers[place] for place in at), tuple(fields[place] for place in at)
        if at:
            records = Records(at, numbers, Raw(fields))
            lost = self._lost(records, unknown, missing)
            same: dict[int, int] = {}
            if known_before:
                same = {index: was for index, record in enumerate(fields) if (was := known_before.get(said(record))) is not None}
                made.batch.same |= {numbers[index]: was for index, was in same.items()}
            self.maker.make(records, lost, same, made)
        made.done()

    def _lost(self, records: Records, unknown: Met, missing: Met) -> Unreadable:
        """The columns of each record whose field is missing. Names that are unknown or missing are noted."""
        odd = {
            shape: (has - self.known, self.mapped - has)
            for shape in records.raw.shapes
            if not self.mapped <= (has := frozenset(shape)) <= self.known
        }
        lost: Unreadable = {}
        for index, record in enumerate(records.raw.records) if odd else ():
            more, less = odd.get(tuple(record), ((), ()))
            _note(unknown, more, records.numbers[index])
            _note(missing, less, records.numbers[index])
            if less:
                lost[index] = tuple(cell.column for cell in self.plan.cells if cell.key in less)
        return lost


def _note(met: Met, names: Iterable[str], number: int) -> None:
    """Note in which row each name was first seen, and how often."""
    for name in names:
        first, count = met.get(name, (number, 0))
        met[name] = (first, count + 1)


def validate(snapshot: Snapshot, catalogue: Catalogue) -> Iterable[tuple[Page, Batch]]:
    """Each page of the snapshot with what it became, in the order of the snapshot."""
    source = catalogue.source(snapshot.source)
    validators: dict[str, Validator] = {}
    for page in snapshot.pages:
        if page.listing not in validators:
            validators[page.listing] = Validator(source.listings[page.listing], source, catalogue, snapshot.as_of(page.listing))
        yield page, validators[page.listing].page(snapshot.folder, page)
