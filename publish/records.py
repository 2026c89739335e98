"""Make rows of the records of a page: those of the listing's own table, and by parts.py those of their parts.

All records are taken one step at a time together: read their values, set aside what lacks something, judge, name documents, hide what is
personal. Each becomes what it would become alone. A record that is set aside leaves no part, and a part is set aside by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .batch import ASIDE, DOCUMENT, HIDDEN, SELF, Telling
from .columns import Column, Raw, chosen, fill
from .documented import EMPTY, Documents
from .identity import key_text
from .judged import Judge
from .mapping import Plan, Shape
from .parts import Parts, Records
from .protect import Protector
from .rows import Columns, Unreadable, finished, ruled, without
from .rules import ORGANISATION
from .sourcefile import ListingDeclaration, SourceDeclaration


class Maker:
    """Makes the rows of one listing; it keeps memories of values, no rows."""

    def __init__(self, plan: Plan, listing: ListingDeclaration, source: SourceDeclaration) -> None:
        self.plan, self.listing, self.source = plan, listing, source.name
        self.judge = Judge(plan) if Judge.fits(plan) else None
        judged = [cell.column for cell in self.judge.cells] if self.judge else []
        self.others = tuple(cell for cell in plan.cells if cell.column not in judged)
        self.protector = Protector()
        self.documents = Documents(plan, listing, source, self.protector)
        self.parts = Parts(plan, listing.name, source.name, self.protector)

    def make(self, records: Records, lost: Unreadable, same: Mapping[int, int], page: Telling) -> None:
        """Add the rows of the records to the page, but for those that are the `same` as before. `lost` are the columns whose field is missing."""
        main, everything = self.plan.main, records
        if same:
            fresh = [index for index in range(len(records.at)) if index not in same]
            records, lost = records.chosen(fresh), _renumbered(lost, fresh)
        raw = records.raw
        judged = self.judge.judged(raw) if self.judge else None
        columns, faults = fill(self.plan.cells if judged is None else self.others, raw)
        unreadable: Unreadable = {}
        for fault in faults:
            unreadable[fault.row] = (*unreadable.get(fault.row, ()), fault.cell.column)
            page.hear((records.at[fault.row], SELF), records.numbers[fault.row], fault)
        for index, several in lost.items():
            unreadable[index] = (*unreadable.get(index, ()), *several)
        columns |= {name: [value] * len(records.at) for name, value in self.plan.constants.items()}
        gone, held = self._lacking(records, raw, columns, judged[0] if judged else {}, page)
        withheld: Column = ()
        if judged is not None:
            columns, withheld = columns | judged[0], judged[1]
        if gone:
            keep = [index for index in range(len(records.at)) if index not in gone]
            records, unreadable = records.chosen(keep), _renumbered(unreadable, keep)
            columns, withheld = chosen(columns, keep), [withheld[index] for index in keep] if judged else ()
        if main.has_source:
            columns["source_id"] = [self.source] * len(records.at)
        names = columns.get("subject_name")
        if judged is None:
            columns, withheld = ruled(main, columns, unreadable, len(records.at))
        if main.prefix:
            columns["document_id"] = self._documents(everything, records, same, _persons(main, names, columns), page)
        rows = finished(self.protector, main, columns, records.numbers, withheld, page, lambda index: (records.at[index], HIDDEN))
        if held:
            rows = [row for _, row in sorted([*zip(records.at, rows, strict=True), *held], key=lambda one: one[0])]
        page.add(main.name, rows)
        if records.at:
            self.parts.add(records, columns, page)

    def _lacking(
        self, records: Records, raw: Raw, columns: Columns, judged: Columns, page: Telling
    ) -> tuple[set[int], list[tuple[int, tuple[Any, ...]]]]:
        """Give the records their ids, and say which lack what they cannot do without; some of these leave a row that stands for them."""
        main, gone, held = self.plan.main, set[int](), []
        if main.make_id:
            nothing = [None] * len(records.at)
            parts = list(zip(*(raw.column(name) or nothing for name in self.listing.key), strict=True))
            for index, several in enumerate(parts):
                if not any(several) and all(map(EMPTY.__contains__, several)):
                    gone.add(index)
                    page.set_aside((records.at[index], ASIDE), records.numbers[index], f"a value for {', '.join(self.listing.key)}")
            columns["source_key"] = keys = list(map(key_text, parts))
            columns["id"] = list(map(main.make_id, keys))
        for index, name in without([name for name in main.required if name not in judged], columns, records.at, gone):
            order, number = (records.at[index], ASIDE), records.numbers[index]
            if main.fails_closed:  # it stands for its id, so that an earlier version of the record is not published in its place
                mine = {column: columns[column][index] for column in ("id", "source_key")}
                held.append((records.at[index], (*map(mine.get, main.columns), number, "unreadable")))
                page.tell(order, number, "set_aside", expected=f"a value for {name}")
            else:
                page.set_aside(order, number, f"a value for {name}")
        return gone, held

    def _documents(
        self, everything: Records, records: Records, same: Mapping[int, int], persons: Sequence[str | None] | None, page: Telling
    ) -> Column:
        """The document of each record. Those that are the same as before name theirs too, in their place: the first one met is shown."""
        asked = records
        if same:
            ours = {*records.at}
            asked = everything.chosen([index for index, at in enumerate(everything.at) if index in same or at in ours])
        ids, told = self.documents.named(asked.raw, persons)
        for order, (index, what) in enumerate(told):
            page.hear((asked.at[index], DOCUMENT, order), 0, what)
        if not same:
            return ids
        given = dict(zip(asked.at, ids, strict=True))
        return [given[at] for at in records.at]


def _persons(main: Shape, names: Column | None, columns: Columns) -> Sequence[str | None] | None:
    """Whose names must not be published with a document: in a table that may be about persons, all that are not an organisation's."""
    if "subject_kind" not in main.columns:
        return None
    nothing: Column = [None] * len(columns["id"])
    kinds = columns.get("subject_kind", nothing)
    return [name if isinstance(name, str) and kind != ORGANISATION else None for name, kind in zip(names or nothing, kinds, strict=True)]


def _renumbered(known: Unreadable, keep: Sequence[int]) -> Unreadable:
    """The same of some of the records."""
    return {index: known[was] for index, was in enumerate(keep) if was in known} if known else {}
