"""One file of datasets/: everything about one dataset, its tables and their columns, said once.

What a column may show is an allow-list (`PUBLISHED`): a typo in a privacy class is refused, and a class that is not in the list stays in.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .bounds import Bounds, read_bounds
from .codes import CodeTable
from .declarations import Node, Words, read
from .errors import BadDeclaration

KINDS = {  # kind of a column: its SQLite type
    "id": "TEXT", "ref": "TEXT", "former": "TEXT", "key": "TEXT", "text": "TEXT", "name": "TEXT", "prose": "TEXT", "code": "TEXT", "region": "TEXT",
    "date": "TEXT", "day": "TEXT", "month": "TEXT", "credit_code": "TEXT", "permit_no": "TEXT", "url": "TEXT", "histogram": "TEXT",
    "fen": "INTEGER", "integer": "INTEGER", "flag": "INTEGER", "number": "REAL", "share": "REAL",
}  # fmt: skip
REFERENCES = ("ref", "former")  # to a row of the table `ref`; of a former one it may be gone, and nothing enforces that it is there
PUBLISHED = ("public", "masked")  # an allow-list: what is not in it stays in
PRIVACY = (*PUBLISHED, "private")
RULES = ("given", "derived", "assigned", "declared")


@dataclass(frozen=True)
class Column:
    """One column of one table."""

    name: str
    kind: str
    label: Words
    about: Words
    privacy: str
    rule: str
    unit: str | None
    codes: str | None
    ref: str | None
    search: int
    facet: bool
    required: bool

    @property
    def published(self) -> bool:
        return self.privacy in PUBLISHED

    @property
    def sql_type(self) -> str:
        return KINDS[self.kind]


@dataclass(frozen=True)
class Table:
    """One table; `parent` names the table whose record it is a part of."""

    name: str
    dataset: str
    label: Words
    key: tuple[str, ...]
    parent: str | None
    prefix: str | None
    columns: Mapping[str, Column]
    bounds: Bounds | None = None  # None: made from declarations or from other rows, and so not judged

    @cached_property
    def published(self) -> tuple[Column, ...]:
        """The columns that a reader may see, in declared order."""
        return tuple(column for column in self.columns.values() if column.published)

    def ref_to(self, table: str) -> str | None:
        """The column that names a row of `table`, if there is one."""
        return next((c.name for c in self.columns.values() if c.ref == table), None)


@dataclass(frozen=True)
class Dataset:
    """What is published as one thing: a main table and its parts."""

    name: str
    label: Words
    about: Words
    tables: tuple[str, ...]


def _column(name: str, node: Node, codes: Mapping[str, CodeTable]) -> Column:
    node.only("kind", "label", "about", "privacy", "rule", "unit", "codes", "ref", "search", "facet", "required")
    kind = node.choice("kind", tuple(KINDS))
    column = Column(
        name=name,
        kind=kind,
        label=node.words("label"),
        about=node.words("about"),
        privacy=node.choice("privacy", PRIVACY),
        rule=node.choice("rule", RULES),
        unit=node.text("unit", None),
        codes=node.choice("codes", tuple(codes), None if kind != "code" else ...),
        ref=node.text("ref", None if kind not in REFERENCES else ...),
        search=node.integer("search", 0),
        facet=node.flag("facet"),
        required=node.flag("required"),
    )
    if column.search and not column.published:
        raise node.fail(f"is searched but its privacy is {column.privacy!r}; a reader must not find what they may not see", "search")
    return column


def _table(name: str, dataset: str, node: Node, codes: Mapping[str, CodeTable]) -> Table:
    node.only("label", "key", "parent", "prefix", "columns")
    columns = {key: _column(key, below, codes) for key, below in node.nodes("columns").items()}
    table = Table(name, dataset, node.words("label"), node.texts("key"), node.text("parent", None), node.text("prefix", None), columns)
    for key in table.key:
        if key not in columns:
            raise node.fail(f"{key!r} is not one of its columns", "key")
        if not columns[key].published:
            raise node.fail(f"{key!r} is {columns[key].privacy}; a key is published", "key")
    if any(c.kind == "id" for c in columns.values()) and not table.prefix:
        raise node.fail("is missing; a table with an id needs one letter for it", "prefix")
    return table


def read_datasets(folder: Path, codes: Mapping[str, CodeTable]) -> Iterator[tuple[Dataset, list[Table]]]:
    """Each dataset of a folder with its tables, main table first. Raises BadDeclaration naming file and key."""
    files = sorted(folder.glob("*.yml"))
    if not files:
        raise BadDeclaration(f"{folder}: no dataset is declared here; expected files such as institutions.yml")
    for path in files:
        node = read(path)
        node.only("dataset", "label", "about", "tables", "bounds")
        name = node.text("dataset")
        if name != path.stem:
            raise node.fail(f"{name!r} differs from the file's name", "dataset")
        tables = [_table(key, name, below, codes) for key, below in node.nodes("tables").items()]
        if not tables or tables[0].name != name:
            raise node.fail(f"the first table must be {name!r}", "tables")
        if "bounds" in node.data:
            bounds = read_bounds(node.node("bounds"), {table.name: tuple(table.columns) for table in tables})
            if name not in bounds:
                raise node.fail(f"has none for {name!r}, whose parts go by them where they have none of their own", "bounds")
            tables = [replace(t, bounds=bounds[t.name].over(bounds[name]) if t.name in bounds else bounds[name]) for t in tables]
        yield Dataset(name, node.words("label"), node.words("about"), tuple(t.name for t in tables)), tables
