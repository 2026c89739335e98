"""What is declared under datasets/, read once and checked whole before anything is fetched.

Tables, checks, metadata.yml, dictionaries, search fields and feeds are derived from this and from nothing else. A catalogue knows
declarations only: no database, no network, no clock. What it cannot vouch for it refuses, naming file and key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bounds import Bounds
from .codes import CodeTable, load_codes
from .dataset import Dataset, Table, read_datasets
from .declarations import read
from .errors import BadDeclaration, BadValue
from .hotlines import FILE as HOTLINES
from .hotlines import Hotline, load_hotlines
from .regions import LocalRegion, Regions
from .sourcefile import SourceDeclaration, read_source
from .values import parser


@dataclass(frozen=True)
class Catalogue:
    """Everything declared. `recipe` is the SHA-256 of what makes rows of records: another recipe means that our own doing changed."""

    folder: Path
    more_sources: Path | None
    datasets: Mapping[str, Dataset]
    tables: Mapping[str, Table]
    sources: Mapping[str, SourceDeclaration]
    codes: Mapping[str, CodeTable]
    regions: Regions
    hotlines: tuple[Hotline, ...]
    recipe: str

    def source(self, name: str) -> SourceDeclaration:
        """Raises BadDeclaration with the names that exist."""
        if name not in self.sources:
            raise BadDeclaration(f"source {name!r} has no file datasets/sources/{name}.yml; declared: {', '.join(self.sources)}")
        return self.sources[name]

    def bounds(self, source: str, table: str) -> Bounds:
        """How far a table of a source may move: as the source's file says, and else its dataset's. Without any, nothing is judged."""
        declared = self.tables[table].bounds or Bounds({})
        own = self.sources[source].bounds.get(table) if source in self.sources else None
        return own.over(declared) if own else declared


def default_folder() -> Path:
    """datasets/ of the checkout, or the copy that the wheel carries."""
    here = Path(__file__).resolve().parent
    carried = here / "_datasets"
    return carried if carried.is_dir() else here.parent / "datasets"


def _check(tables: Mapping[str, Table]) -> None:
    prefixes: dict[str, str] = {}
    for table in tables.values():
        where = f"{table.dataset}.yml: tables.{table.name}"
        if table.prefix and prefixes.setdefault(table.prefix, table.name) != table.name:
            raise BadDeclaration(f"{where}.prefix: {table.prefix!r} is already that of {prefixes[table.prefix]}")
        if table.parent is not None and (table.parent not in tables or table.ref_to(table.parent) is None):
            raise BadDeclaration(f"{where}.parent: {table.parent!r} is no table that a column of it refers to")
        for column in table.columns.values():
            if column.ref is not None and column.ref not in tables:
                raise BadDeclaration(f"{where}.columns.{column.name}.ref: {column.ref!r} is no table; declared: {', '.join(tables)}")


def _constants(source: SourceDeclaration, tables: Mapping[str, Table], codes: Mapping[str, CodeTable], regions: Regions) -> None:
    """Refuse a constant that is no value of its column: it goes into every row as it stands."""
    for listing in source.listings.values():
        for (table, name), value in listing.constants.items():
            column, spelled = tables[table].columns[name], name if table == listing.table else f"{table}.{name}"
            try:
                if column.kind == "code":
                    found: object = value if value in codes[str(column.codes)] else None
                elif column.kind == "region":
                    found = regions.resolve(value).code
                else:
                    found = parser(column.kind, unit="yuan")(value)
            except BadValue as error:
                raise BadDeclaration(f"{source.name}.yml: listings.{listing.name}.constants.{spelled}: {error}") from error
            if found != value:
                raise BadDeclaration(
                    f"{source.name}.yml: listings.{listing.name}.constants.{spelled}: {value!r} is no {column.kind} of {column.codes or 'its kind'} as it is stored"
                )


def _recipe(*folders: Path) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.csv")]):
            if path.name == HOTLINES:
                continue  # said on pages and in no row
            said = path.read_bytes() if path.suffix == ".csv" else _without_bounds(path)
            digest.update(f"{path.relative_to(folder)}\0{hashlib.sha256(said).hexdigest()}\n".encode())
    return digest.hexdigest()


def _without_bounds(path: Path) -> bytes:
    """What a file declares about rows: how far they may move is judged when they are made, and a comment makes none."""
    return json.dumps({key: value for key, value in read(path).data.items() if key != "bounds"}, ensure_ascii=False).encode()


def load(folder: Path | None = None, more_sources: Path | None = None) -> Catalogue:
    """The catalogue of `folder` (default: the project's own), with further source files from `more_sources`.

    Raises BadDeclaration at the first thing that is wrong, naming file and key. Nothing is fetched or written.
    """
    folder = folder or default_folder()
    if more_sources is not None and not more_sources.is_dir():
        raise BadDeclaration(f"{more_sources}: is no folder; expected one with source files (*.yml)")
    codes = load_codes(folder / "codes")
    datasets: dict[str, Dataset] = {}
    tables: dict[str, Table] = {}
    for dataset, its_tables in read_datasets(folder, codes):
        datasets[dataset.name] = dataset
        for table in its_tables:
            if table.name in tables:
                raise BadDeclaration(f"{dataset.name}.yml: tables.{table.name}: already declared by {tables[table.name].dataset}.yml")
            tables[table.name] = table
    _check(tables)
    places = [folder / "sources", *([more_sources] if more_sources else [])]
    sources: dict[str, SourceDeclaration] = {}
    for path in (path for place in places for path in sorted(place.glob("*.yml"))):
        source = read_source(path, tables)
        if source.name in sources:
            raise BadDeclaration(f"{path.name}: source: {source.name!r} is declared twice")
        sources[source.name] = source
    local: list[LocalRegion] = [region for source in sources.values() for region in source.local_regions]
    regions = Regions.load(folder / "codes" / "regions.csv", local)
    for source in sources.values():
        _constants(source, tables, codes, regions)
    hotlines = load_hotlines(folder / "codes" / HOTLINES, {row.code for row in regions.rows()})
    recipe = _recipe(folder, *([more_sources] if more_sources else []))
    return Catalogue(folder, more_sources, datasets, tables, sources, codes, regions, hotlines, recipe)


def dictionary(catalogue: Catalogue) -> dict[str, Any]:
    """The data dictionary as plain data: dataset > table > published columns, labels and descriptions in both languages."""
    return {
        dataset.name: {
            "label": vars(dataset.label),
            "about": vars(dataset.about),
            "tables": {name: _described(catalogue.tables[name]) for name in dataset.tables},
        }
        for dataset in catalogue.datasets.values()
    }


def _described(table: Table) -> dict[str, Any]:
    columns = {
        c.name: {
            "label": vars(c.label), "about": vars(c.about), "kind": c.kind, "type": c.sql_type, "privacy": c.privacy,
            **{key: value for key, value in (("unit", c.unit), ("codes", c.codes), ("ref", c.ref)) if value},
        }
        for c in table.published
    }  # fmt: skip
    return {"label": vars(table.label), "key": list(table.key), "columns": columns}
