"""One file of datasets/sources/: who publishes, how often, and which field of theirs is which column of ours.

The source's own spelling appears here and nowhere else. A field is mapped, listed under `ignore`, or reported: there is no fourth way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bounds import Bounds, read_bounds
from .dataset import Table
from .declarations import Node, Words, read
from .regions import LocalRegion

BATCH_KINDS = ("full_snapshot", "incremental", "cumulative")
FORMS = ("csv", "xlsx", "xls", "ndjson", "json", "html")
UNITS = ("yuan", "wanyuan")
DOCUMENT_KINDS = ("register", "batch", "decision", "delivery")


@dataclass(frozen=True)
class Target:
    """Where one field goes: `table.column`, and the column that keeps its original text, if any."""

    table: str
    column: str
    text: str | None = None
    unit: str | None = None
    calendar: str = "ce"
    split: str | None = None  # the cell holds several values with this between them: a row each


@dataclass(frozen=True)
class Rows:
    """A nested object or list: a row of `table` for each item, with `fields`, or with `value` where the items are plain."""

    table: str
    fields: Mapping[str, Target]
    value: Target | None


@dataclass(frozen=True)
class DocumentRule:
    """How a record's document is known: by fields of the record, else the one document of the listing."""

    kind: str
    title: str | None
    title_field: str | None = None
    url_field: str | None = None
    as_of_field: str | None = None
    batch_field: str | None = None
    authority_field: str | None = None
    key: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields of a record that it reads."""
        named = (self.title_field, self.url_field, self.as_of_field, self.batch_field, self.authority_field, *self.key)
        return frozenset(name for name in named if name)


@dataclass(frozen=True)
class ListingDeclaration:
    """One listing of a source (an address of the API, or a file of a delivery) and what its records become."""

    name: str
    table: str
    path: str
    key: tuple[str, ...]
    fields: Mapping[str, tuple[Target | Rows, ...]]  # a field can go to several places
    ignore: frozenset[str]
    optional: frozenset[
        str
    ]  # mapped fields with parts of a record, which it may leave out; a value that is missing must never be taken for an empty one
    constants: Mapping[tuple[str, str], str]
    document: DocumentRule
    batch: str
    header: tuple[str, ...]
    sheet: str | None
    encoding: str | None
    record_path: str | None
    form: str | None  # where neither the address nor the bytes tell it: csv, xlsx, xls, ndjson, json, html
    allow_empty: bool
    page_size: int | None  # where not as the source's


@dataclass(frozen=True)
class SourceDeclaration:
    """One source. `bounds` stand, by table, in the place of those that the datasets declare."""

    name: str
    label: Words
    publisher: Words
    region: str
    url: str | None
    licence: str | None
    address: str | None
    batch: str
    interval_days: int
    listings: Mapping[str, ListingDeclaration]
    lookups: Mapping[str, Mapping[str, str]]
    local_regions: tuple[LocalRegion, ...]
    bounds: Mapping[str, Bounds]
    rate: float  # requests a second, 0 for no limit
    page_size: int


def _column(node: Node, key: str, spelled: str, main: str, tables: Mapping[str, Table]) -> tuple[str, str]:
    table, _, column = spelled.rpartition(".")
    table = table or main
    if table not in tables or column not in tables[table].columns:
        known = ", ".join(tables[table].columns) if table in tables else ", ".join(tables)
        raise node.fail(f"{spelled!r} is no column; expected one of {known}", key)
    if tables[table].columns[column].rule not in ("given", "derived"):
        raise node.fail(f"{spelled!r} is {tables[table].columns[column].rule} by us and cannot be mapped", key)
    return table, column


def _target(node: Node, key: str, main: str, tables: Mapping[str, Table]) -> Target:
    value = node.data[key]
    if isinstance(value, str):
        return _money_needs_unit(node, key, Target(*_column(node, key, value, main, tables)), tables)
    below = node.node(key)
    below.only("to", "text", "unit", "calendar", "split")
    table, column = _column(below, "to", below.text("to"), main, tables)
    text = below.text("text", None)
    if text is not None:
        text_table, text = _column(below, "text", text, main, tables)
        if text_table != table:
            raise below.fail("is in another table than the value", "text")
    target = Target(
        table, column, text, below.choice("unit", UNITS, None), below.choice("calendar", ("ce", "roc"), "ce"), below.text("split", None)
    )
    return _money_needs_unit(below, "unit", target, tables)


def _money_needs_unit(node: Node, key: str, target: Target, tables: Mapping[str, Table]) -> Target:
    if tables[target.table].columns[target.column].kind == "fen" and target.unit is None:
        raise node.fail("money needs `unit`: yuan or wanyuan", key)
    return target


def _field(node: Node, key: str, main: str, tables: Mapping[str, Table]) -> tuple[Target | Rows, ...]:
    value = node.data[key]
    if isinstance(value, list):
        several = Node({f"{key}[{place}]": item for place, item in enumerate(value)}, node.where)
        return tuple(target for name in several.data for target in _field(several, name, main, tables))
    if not (isinstance(value, dict) and "rows" in value):
        return (_target(node, key, main, tables),)
    below = node.node(key)
    below.only("rows", "fields", "value")
    table = below.choice("rows", tuple(tables))
    inner = below.node("fields", {})
    plain = _target(below, "value", table, tables) if "value" in below.data else None
    if (plain is None) == (not inner.data):
        raise below.fail("needs either `fields` (items are objects) or `value` (items are plain)")
    return (Rows(table, {name: _target(inner, name, table, tables) for name in inner.data}, plain),)


def _document(node: Node, title: str) -> DocumentRule:
    if "document" not in node.data:
        return DocumentRule("register", title)
    below = node.node("document")
    names = ("title_field", "url_field", "as_of_field", "batch_field", "authority_field")
    below.only("kind", "title", "key", *names)
    fields: dict[str, Any] = {name: below.text(name, None) for name in names}
    return DocumentRule(kind=below.choice("kind", DOCUMENT_KINDS), title=below.text("title", title), key=below.texts("key", ()), **fields)


def _listing(name: str, node: Node, tables: Mapping[str, Table], source_label: str, batch: str) -> ListingDeclaration:
    node.only(
        "table",
        "path",
        "key",
        "document",
        "fields",
        "ignore",
        "optional",
        "constants",
        "batch",
        "header",
        "sheet",
        "encoding",
        "record_path",
        "allow_empty",
        "form",
        "page_size",
    )
    table = node.choice("table", tuple(tables))
    fields = node.node("fields")
    constants = node.node("constants", {})
    key = node.texts("key")
    if not key:
        raise node.fail("is empty; expected the fields that tell one record from another (never the name alone)", "key")
    listing = ListingDeclaration(
        name=name,
        table=table,
        path=node.text("path"),
        key=key,
        fields={field: _field(fields, field, table, tables) for field in fields.data},
        ignore=frozenset(node.texts("ignore", ())),
        optional=frozenset(node.texts("optional", ())),
        constants={_column(constants, field, field, table, tables): constants.text(field) for field in constants.data},
        document=_document(node, source_label),
        batch=node.choice("batch", BATCH_KINDS, batch),
        header=node.texts("header", ()),
        sheet=node.text("sheet", None),
        encoding=node.text("encoding", None),
        record_path=node.text("record_path", None),
        form=node.choice("form", FORMS, None),
        allow_empty=node.flag("allow_empty"),
        page_size=node.integer("page_size", 0) or None,
    )
    both = listing.ignore & listing.fields.keys()
    if both:
        raise node.fail(f"{sorted(both)[0]!r} is mapped as well", "ignore")
    for field in sorted(listing.optional):
        if not all(isinstance(target, Rows) for target in listing.fields.get(field, (None,))):
            raise node.fail(f"{field!r} is no mapped field with rows of another table; no other may be left out", "optional")
    given = {(t.table, t.column) for several in listing.fields.values() for t in several if isinstance(t, Target)} | set(listing.constants)
    for column in tables[table].columns.values():
        if column.required and column.rule == "given" and (table, column.name) not in given:
            raise node.fail(f"nothing gives the required column {table}.{column.name}", "fields")
    return listing


def read_source(path: Path, tables: Mapping[str, Table]) -> SourceDeclaration:
    """The source declared in `path`. Raises BadDeclaration naming file and key."""
    node = read(path)
    node.only(
        "source",
        "label",
        "publisher",
        "region",
        "url",
        "licence",
        "address",
        "batch",
        "interval_days",
        "listings",
        "lookups",
        "local_regions",
        "bounds",
        "rate",
        "page_size",
    )
    name = node.text("source")
    if name != path.stem:
        raise node.fail(f"{name!r} differs from the file's name", "source")
    label: Words = node.words("label")
    batch = node.choice("batch", BATCH_KINDS)
    lookups = {
        key: {term: below.text(term) for term in below.data}
        for key, below in (node.nodes("lookups") if "lookups" in node.data else {}).items()
    }
    local = node.nodes("local_regions") if "local_regions" in node.data else {}
    judged = {table.name: tuple(table.columns) for table in tables.values() if table.bounds}
    return SourceDeclaration(
        name=name,
        label=label,
        publisher=node.words("publisher"),
        region=node.text("region"),
        url=node.text("url", None),
        licence=node.text("licence", None),
        address=node.text("address", None),
        batch=batch,
        interval_days=node.integer("interval_days"),
        listings={key: _listing(key, below, tables, label.zh, batch) for key, below in node.nodes("listings").items()},
        lookups=lookups,
        local_regions=tuple(LocalRegion(code=code, name=below.text("name"), parent=below.text("parent")) for code, below in local.items()),
        bounds=read_bounds(node.node("bounds", {}), judged),
        rate=float(node.number("rate", 10.0)),
        page_size=node.integer("page_size", 1000),
    )
