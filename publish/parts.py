"""Make the rows of other tables that records have: in nested fields, and beside their own.

Parts of all records are taken together, as the records are; of each record those of one field come after those of another. A part that lacks
what it cannot do without is set aside by itself.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

from .batch import BESIDE, PART, Order, Telling, shown
from .columns import Column, Plain, Raw, chosen, fill
from .documented import EMPTY
from .identity import KEY_SEPARATOR
from .mapping import Nested, Plan
from .protect import Protector
from .rows import Columns, Rows, finished, ruled, without


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


class Parts:
    """Makes the parts of the records of a listing."""

    def __init__(self, plan: Plan, listing: str, source: str, protector: Protector) -> None:
        self.plan, self.listing, self.source, self.protector = plan, listing, source, protector

    def add(self, records: Records, main: Columns, page: Telling) -> None:
        """Add the parts of records whose rows have the columns `main`."""
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
            columns["id"] = [shape.make_id(f"{self.listing}{KEY_SEPARATOR}{key}") for key in keys]
            columns["document_id"] = owner("document_id")
        if shape.has_source:
            columns["source_id"] = [self.source] * len(owners)
        gone = set[int]()
        index_of: Sequence[int] = range(len(owners))
        for index, name in without(shape.required, columns, owners, gone):
            page.tell((owned.at[index], *place, index, 2), owned.numbers[index], "part_set_aside", f"{table}.{name}", expected="a value")
        if gone:
            index_of = [index for index in index_of if index not in gone]
            columns, owned = chosen(columns, index_of), owned.chosen(index_of)
        columns, withheld = ruled(shape, columns, {}, len(owned.at))
        rows = finished(
            self.protector, shape, columns, owned.numbers, withheld, page, lambda index: (owned.at[index], *place, index_of[index], 3)
        )
        return owned.at, rows


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
