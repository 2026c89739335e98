"""Turn a declared listing into what reads its records: for every field, the function that parses it and the column that it fills.

Made once for a listing of a snapshot and then called millions of times, so everything that can be looked up beforehand is. What a value is
read against (the day of the listing, the region that the source covers) is settled here; records, rows and issues are validate's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .catalogue import Catalogue
from .dataset import REFERENCES, Column, Table
from .identity import id_maker, key_part
from .rules import RULES, Row, Rule
from .screen import SCREENED
from .sourcefile import ListingDeclaration, Rows, SourceDeclaration, Target
from .values import parser

MEMO = 65536  # distinct raw values remembered a cell: months, codes and days repeat by the million
MEMO_KINDS = ("date", "day", "month", "code", "region", "integer", "flag")
REFERRED = (
    131072  # 30 MiB of ids: of a table without ids of its own many rows are about one thing, as every institution is rated every month
)
Parse = Callable[[Any], Any]


class Cell(NamedTuple):  # taken apart for every value: a tuple costs half of what attributes do
    """One field of a record: where it is (`key`), what an issue calls it, its parser, its column, and the column for its original text.

    `known` says of texts that were met before what they mean; at most about `most` of them, and only what means something.
    """

    key: str
    name: str
    parse: Parse
    column: str
    text: str | None
    takes_list: bool
    known: dict[Any, Any]
    most: int


@dataclass(frozen=True, slots=True)
class Nested:
    """A field that holds rows of another table: objects with `cells`, plain values (one cell with the key ''), or a text to `split`."""

    key: str
    table: str
    cells: tuple[Cell, ...]
    known: frozenset[str]
    plain: bool
    split: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What is needed of a table for each of its rows; `upwards` is its column for the record's main row."""

    name: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    screened: tuple[str, ...]
    masked: tuple[str, ...]
    prefix: str | None
    make_id: Callable[[str], str] | None
    upwards: str | None
    has_source: bool
    fails_closed: bool  # a notice that cannot be read must not leave its earlier version standing
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole of a listing: the main table's cells, those of other tables that the record itself has, and the nested ones."""

    main: Shape
    cells: tuple[Cell, ...]
    beside: tuple[tuple[str, tuple[Cell, ...]], ...]
    nested: tuple[Nested, ...]
    constants: Row
    constants_beside: Mapping[str, Row]
    shapes: Mapping[str, Shape]
    document: Mapping[str, Cell]


def shape(table: Table, main: Table, source: str) -> Shape:
    """The shape of a table in a listing of `source` whose records are rows of `main`."""
    columns = table.columns.values()
    return Shape(
        table.name,
        tuple(table.columns),
        tuple(c.name for c in columns if c.required),
        tuple(c.name for c in columns if c.published and c.rule == "given" and c.kind in SCREENED),
        tuple(c.name for c in columns if c.privacy == "masked" and c.kind == "text"),
        table.prefix,
        id_maker(table.prefix, source) if table.prefix else None,
        table.ref_to(main.name) if table is not main else None,
        "source_id" in table.columns,
        "public_until" in table.columns,
        RULES.get(table.name),
    )


def plan(listing: ListingDeclaration, source: SourceDeclaration, catalogue: Catalogue, as_of: str | None) -> Plan:
    """How to read the records of a listing that is of the day `as_of`."""
    made = _Maker(source, catalogue, as_of)
    main = catalogue.tables[listing.table]
    cells: list[Cell] = []
    beside: dict[str, list[Cell]] = {}
    nested: list[Nested] = []
    for name, targets in listing.fields.items():
        for target in targets:
            if isinstance(target, Rows):
                fields = target.fields if target.value is None else {"": target.value}
                inner = tuple(made.cell(inner, key, f"{name}.{key}".rstrip(".")) for key, inner in fields.items())
                nested.append(Nested(name, target.table, inner, frozenset(fields), target.value is not None, None))
            elif target.split:
                nested.append(Nested(name, target.table, (made.cell(target, "", name),), frozenset([""]), True, target.split))
            elif target.table == main.name:
                cells.append(made.cell(target, name, name))
            else:
                beside.setdefault(target.table, []).append(made.cell(target, name, name))
    constants: dict[str, Row] = {}
    for (table, column), value in listing.constants.items():
        constants.setdefault(table, {})[column] = value
    rule = listing.document
    places = {
        "title": rule.title_field,
        "url": rule.url_field,
        "as_of": rule.as_of_field,
        "batch_label": rule.batch_field,
        "authority": rule.authority_field,
    }
    return Plan(
        shape(main, main, source.name),
        tuple(cells),
        tuple((table, tuple(several)) for table, several in beside.items()),
        tuple(nested),
        constants.pop(main.name, {}),
        constants,
        {name: shape(table, main, source.name) for name, table in catalogue.tables.items()},
        {column: made.cell(Target("documents", column), name, name) for column, name in places.items() if name},
    )


@dataclass(frozen=True)
class _Maker:
    source: SourceDeclaration
    catalogue: Catalogue
    as_of: str | None

    def cell(self, target: Target, key: str, name: str) -> Cell:
        column = self.catalogue.tables[target.table].columns[target.column]
        parse = self._parser(column, target, name)
        most = (
            MEMO
            if column.kind in MEMO_KINDS
            else 0
            if column.kind not in REFERENCES or self.catalogue.tables[target.table].prefix
            else REFERRED
        )
        return Cell(key, name, parse, target.column, target.text, column.kind == "histogram", {}, most)

    def _parser(self, column: Column, target: Target, name: str) -> Parse:
        lookup = self.source.lookups.get(name, {})
        if column.kind == "code":
            code = self.catalogue.codes[str(column.codes)].code
            return lambda raw: code(lookup.get(raw, raw) if isinstance(raw, str) else raw)
        if column.kind == "region":
            resolve, day, within = self.catalogue.regions.resolve, self.as_of, self.source.region
            return lambda raw: resolve(lookup.get(raw, raw) if isinstance(raw, str) else raw, day, within=within).code
        if column.kind in REFERENCES:
            make = id_maker(str(self.catalogue.tables[str(column.ref)].prefix), self.source.name)
            return lambda raw: make(key_part(raw))
        return parser(column.kind, unit=target.unit, calendar=target.calendar, document_day=self.as_of)
