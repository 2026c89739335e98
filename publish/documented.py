"""The documents that the records of a page name: each once as its source shows it, and once for each natural person whom it is about.

A list of a county has hundreds of records and one document. Which was met first on a page decides what is shown of it, so the records are
asked in their order. Only what becomes of one page is kept here; staging sees to the others.
"""

from collections.abc import Sequence
from typing import Any

from .columns import TEXTS, Column, Fault, Raw, fill
from .identity import id_maker, key_text
from .mapping import Plan
from .masked import hide_person, holds_person
from .protect import Hidden, Protector
from .sourcefile import ListingDeclaration, SourceDeclaration

REMEMBERED = 8192  # rows of documents, by how they are shown
EMPTY: tuple[object, ...] = (None, "", [], {})
Document = tuple[Any, ...]
Told = tuple[int, Fault | Hidden]  # of the record with that index


class Documents:
    """Makes the documents of a listing, page by page; `rows` are those of the page, in the order met."""

    def __init__(self, plan: Plan, listing: ListingDeclaration, source: SourceDeclaration, protector: Protector) -> None:
        self.rule, self.listing, self.source, self.protector = listing.document, listing.name, source, protector
        self.shape = plan.shapes["documents"]
        self.cells = tuple(plan.document.values())
        self.fields = (*self.rule.key, *(cell.key for cell in self.cells))
        self.make_id = id_maker("d", source.name)
        self.known: dict[tuple[Any, ...], tuple[str, Document]] = {}  # some, by all that the source says of them
        self.begin()

    def begin(self) -> None:
        """Another page."""
        self.rows: dict[Document, None] = {}
        self.shown: set[str] = set()  # those that are among the rows as the source shows them

    def named(self, raw: Raw, persons: Sequence[str | None] | None) -> tuple[list[str], list[Told]]:
        """The id of the document of each record, and what was wrong with whose. `persons` are the subjects whose names are not published."""
        nothing = [None] * len(raw.records)
        columns = [raw.column(field) or nothing for field in self.fields]
        said: list[tuple[Any, ...]] = list(zip(*columns, strict=True)) if columns else [()] * len(nothing)
        ids: list[str] = []
        met: list[Document | int] = []  # those that join the rows, in their order: known, or the index of the record that makes one
        for index, (one, person) in enumerate(zip(said, persons or nothing, strict=True)):
            if person is None and TEXTS.issuperset(map(type, one)) and (known := self.known.get(one)):
                identifier, document = known
                if identifier not in self.shown:
                    met.append(document)
            else:
                identifier = self._id(one[: len(self.rule.key)])
                if person is not None or identifier not in self.shown:
                    met.append(index)
            if person is None:
                self.shown.add(identifier)
            ids.append(identifier)
        new = [one for one in met if isinstance(one, int)]
        made, told = self._made(
            raw.chosen(new), [said[one] for one in new], [ids[one] for one in new], [(persons or nothing)[one] for one in new]
        )
        documents = iter(made)
        self.rows |= dict.fromkeys(next(documents) if isinstance(one, int) else one for one in met)
        return ids, [(new[index], what) for index, what in told]

    def _made(
        self, raw: Raw, said: Sequence[tuple[Any, ...]], ids: list[str], persons: Sequence[str | None]
    ) -> tuple[list[Document], list[Told]]:
        """New documents, and what was wrong with which of them."""
        if not ids:
            return [], []
        size = len(ids)
        given = [_is_given(one[: len(self.rule.key)]) for one in said]
        if not all(given):  # what has no document of its own is told of its listing alone
            raw = Raw([record if is_given else {} for record, is_given in zip(raw.records, given, strict=True)])
        found, faults = fill(self.cells, raw)
        unread = {(fault.row, fault.place) for fault in faults}
        # without a day of its own it is of that of its listing: see assemble
        columns: dict[str, Column] = {"title": [self.rule.title] * size, "url": [self.source.url] * size}
        for place, cell in enumerate(self.cells):
            there, instead = raw.column(cell.key) or [None] * size, columns.get(cell.column, [None] * size)
            columns[cell.column] = [
                instead[index] if one is None or one == "" or (index, place) in unread else found[cell.column][index]
                for index, one in enumerate(there)
            ]
        columns |= {"id": ids, "source_id": [self.source.name] * size, "kind": [self.rule.kind] * size}
        if any(persons):
            columns |= {
                name: [_hidden(name, value, person) for value, person in zip(columns[name], persons, strict=True)]
                for name in ("title", "url")
            }
        told: list[Told] = [(fault.row, fault) for fault in faults]
        told += [(hidden.row, hidden) for hidden in self.protector.protect(self.shape, columns)]
        values = zip(*(columns.get(name, [None] * size) for name in self.shape.columns), strict=True)
        made = [(*row, 0, None if person is None else "person") for row, person in zip(values, persons, strict=True)]
        remarked = {index for index, _ in told}
        for index, (one, person) in enumerate(zip(said, persons, strict=True)):
            if person is None and index not in remarked and len(self.known) < REMEMBERED and TEXTS.issuperset(map(type, one)):
                self.known[one] = ids[index], made[index]
        return made, told

    def _id(self, named: tuple[Any, ...]) -> str:
        return self.make_id(key_text([self.rule.kind, self.listing, *(named if _is_given(named) else ())]))


def _hidden(name: str, value: Any, person: str | None) -> Any:
    """A title without the name of a person; an address that holds it is left out."""
    if not person:
        return value
    if name == "title":
        return hide_person(str(value), person) if value else None
    return None if value and holds_person(str(value), person) else value


def _is_given(named: tuple[Any, ...]) -> bool:
    """Whether a record names a document of its own."""
    return any(part not in EMPTY for part in named)
