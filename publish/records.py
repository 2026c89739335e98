"""Make rows of the records of a page: those of the listing's own table, and those of their parts.

All records are taken one step at a time together: read their values, set aside what lacks something, judge, name documents, hide what is
personal. Each becomes what it would become alone. A record that is set aside leaves no part, and a part is set aside by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

from .batch import ASIDE, BESIDE, DOCUMENT, HIDDEN, PART, SELF, Order, Telling, shown
from .columns import Column, Plain, Raw, chosen, fill
from .documented import EMPTY, Documents
from .identity import KEY_SEPARATOR, key_text
from .judged import Judge
from .mapping import Nested, Plan, Shape
from .protect import Protector
from .rules import ORGANISATION, Row
from .sourcefile import ListingDeclaration, SourceDeclaration

Columns = dict[str, Column]
Unreadable = dict[int, tuple[str, ...]]
Rows = list[tuple[Any, ...]]


class Owners(NamedTuple):
    """The records of parts: where each stands and is told of, and its row in the file."""

    at: Sequence[int]
    numbers: Sequence[int]

    def chosen(self, keep: Sequence[int]) -> Self:
        """Some of them."""
        return type(self)([self.at[index] for index in keep], [self.numbers[index] for index in keep])


class Records(NamedTuple):
    """Records that are read together, where each stands among them and is told of, and its row in the file."""

    at: Sequence[int]
    numbers: Sequence[int]
    raw: Raw

    def chosen(self, keep: Sequence[int]) -> Self:
        """Some of them."""
        return type(self)([self.at[index] for index in keep], [self.numbers[index] for index in keep], self.raw.chosen(keep))


class Maker:
    """Makes the rows of one listing; it keeps memories of values, no rows."""

    def __init__(self, plan: Plan, listing: ListingDeclaration, source: SourceDeclaration) -> None:
        self.plan, self.listing, self.source = plan, listing, source.name
        self.judge = Judge(plan) if Judge.fits(plan) else None
        judged = [cell.column for cell in self.judge.cells] if self.judge else []
        self.others = tuple(cell for cell in plan.cells if cell.column not in judged)
        self.protector = Protector()
        self.documents = Documents(plan, listing, source, self.protector)

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
            columns, withheld = _ruled(main, columns, unreadable, len(records.at))
        if main.prefix:
            columns["document_id"] = self._documents(everything, records, same, _persons(main, names, columns), page)
        rows = self._finished(main, columns, records.numbers, withheld, page, lambda index: (records.at[index], HIDDEN))
        if held:
            rows = [row for _, row in sorted([*zip(records.at, rows, strict=True), *held], key=lambda one: one[0])]
        page.add(main.name, rows)
        if records.at:
            self._parts(records, columns, page)

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
        for index, name in _without([name for name in main.required if name not in judged], columns, records.at, gone):
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

    def _finished(
        self,
        shape: Shape,
        columns: Columns,
        numbers: Sequence[int],
        withheld: Column,
        page: Telling,
        order: Callable[[int], Order],
    ) -> Rows:
        """The rows of a table as they are staged, with what is personal taken out."""
        for hidden in self.protector.protect(shape, columns):
            page.hear(order(hidden.row), numbers[hidden.row], hidden)
        nothing = [None] * len(numbers)
        return list(zip(*(columns.get(name, nothing) for name in shape.columns), numbers, withheld, strict=True))

    def _parts(self, records: Records, main: Columns, page: Telling) -> None:
        made: dict[str, list[tuple[Sequence[int], Rows]]] = {}
        raw = records.raw
        for place, nested in enumerate(self.plan.nested):
            owners, items = _items(nested, raw.column(nested.key))
            if not items:
                continue
            owned = Owners(records.at, records.numbers).chosen(owners)
            parts = Plain(items) if nested.plain else Raw([item if isinstance(item, dict) else {"": item} for item in items])
            if isinstance(parts, Raw) and not all(map(nested.known.issuperset, parts.shapes)):
                _unmapped(nested, parts, owned, place, page)
            columns, faults = fill(nested.cells, parts)
            for fault in faults:
                page.hear((owned.at[fault.row], PART, place, fault.row, 1), owned.numbers[fault.row], fault)
            made.setdefault(nested.table, []).append(self._part(nested.table, columns, owned, owners, main, page, (PART, place)))
        beside: dict[str, Columns] = {table: {} for table in self.plan.constants_beside}
        for place, (table, cells) in enumerate(self.plan.beside):
            beside[table], faults = fill(cells, raw)
            for fault in faults:
                page.hear((records.at[fault.row], BESIDE, 0, place), records.numbers[fault.row], fault)
        everyone = range(len(records.at))
        for place, (table, columns) in enumerate(beside.items()):
            constants = self.plan.constants_beside.get(table, {})
            columns |= {name: [value] * len(records.at) for name, value in constants.items()}
            made.setdefault(table, []).append(
                self._part(table, columns, Owners(records.at, records.numbers), everyone, main, page, (BESIDE, 1, place))
            )
        for table, several in made.items():
            if len(several) > 1:  # of each record those of one field after those of another
                each = [(at, row) for owners, rows in several for at, row in zip(owners, rows, strict=True)]
                page.add(table, [row for _, row in sorted(each, key=lambda one: one[0])])
            else:
                page.add(table, several[0][1])

    def _part(
        self, table: str, columns: Columns, owned: Owners, owners: Sequence[int], main: Columns, page: Telling, place: Order
    ) -> tuple[Sequence[int], Rows]:
        """Rows of another table that records have, and where the record of each stands."""
        shape = self.plan.shapes[table]

        def owner(name: str) -> Column:
            return [main[name][index] for index in owners] if name in main else [None] * len(owners)

        if shape.upwards:
            columns[shape.upwards] = owner("id")
        if shape.make_id:
            columns["source_key"] = keys = owner("source_key") if self.plan.main.make_id else [""] * len(owners)
            columns["id"] = [shape.make_id(f"{self.listing.name}{KEY_SEPARATOR}{key}") for key in keys]
            columns["document_id"] = owner("document_id")
        if shape.has_source:
            columns["source_id"] = [self.source] * len(owners)
        gone = set[int]()
        index_of: Sequence[int] = range(len(owners))
        for index, name in _without(shape.required, columns, owners, gone):
            page.tell((owned.at[index], *place, index, 2), owned.numbers[index], "part_set_aside", f"{table}.{name}", expected="a value")
        if gone:
            index_of = [index for index in index_of if index not in gone]
            columns, owned = chosen(columns, index_of), owned.chosen(index_of)
        columns, withheld = _ruled(shape, columns, {}, len(owned.at))
        rows = self._finished(shape, columns, owned.numbers, withheld, page, lambda index: (owned.at[index], *place, index_of[index], 3))
        return owned.at, rows


def _without(required: Sequence[str], columns: Columns, rows: Sequence[int], gone: set[int]) -> list[tuple[int, str]]:
    """The rows that lack a column, each with the first that it lacks. They join those that are `gone`."""
    found = []
    for name in required:
        values = columns.get(name)
        if values is not None and None not in values:
            continue
        for index in range(len(rows)):
            if index not in gone and (values is None or values[index] is None):
                gone.add(index)
                found.append((index, name))
    return found


def _ruled(shape: Shape, columns: Columns, unreadable: Unreadable, size: int) -> tuple[Columns, Column]:
    """The columns after the table's rule, which looks at whole rows, and why each row is withheld."""
    if shape.rule is None:
        return columns, [None] * size
    rows: list[Row] = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    withheld = [shape.rule(row, unreadable.get(index, ())) for index, row in enumerate(rows)]
    return {name: [row.get(name) for row in rows] for name in shape.columns}, withheld


def _persons(main: Shape, names: Column | None, columns: Columns) -> Sequence[str | None] | None:
    """Whose names must not be published with a document: in a table that may be about persons, all that are not an organisation's."""
    if "subject_kind" not in main.columns:
        return None
    nothing: Column = [None] * len(columns["id"])
    kinds = columns.get("subject_kind", nothing)
    return [name if isinstance(name, str) and kind != ORGANISATION else None for name, kind in zip(names or nothing, kinds, strict=True)]


def _items(nested: Nested, column: Column | None) -> tuple[list[int], list[Any]]:
    """The parts that records have in a nested field, and the index of the record of each."""
    owners: list[int] = []
    items: list[Any] = []
    for index, raw in enumerate(column or ()):
        if not raw and raw in EMPTY:
            continue
        several = [part.strip() for part in str(raw).split(nested.split)] if nested.split is not None else raw
        if isinstance(several, list):
            owners += [index] * len(several)
            items += several
        else:
            owners.append(index)
            items.append(several)
    return owners, items


def _unmapped(nested: Nested, parts: Raw, owned: Owners, place: int, page: Telling) -> None:
    """Tell of fields of parts that are not declared."""
    for index, item in enumerate(parts.records):
        for name in sorted(item.keys() - nested.known):
            page.tell(
                (owned.at[index], PART, place, index, 0),
                owned.numbers[index],
                "unmapped_field",
                f"{nested.key}.{name}".rstrip("."),
                shown(item[name]),
            )


def _renumbered(known: Unreadable, keep: Sequence[int]) -> Unreadable:
    """The same of some of the records."""
    return {index: known[was] for index, was in enumerate(keep) if was in known} if known else {}
