"""The version of each dataset, MAJOR.MINOR.PATCH, and why it is another one than that of the release before.

Major: a query of yesterday fails or means something else today, because a table or column went (also by being made private), or its kind, unit,
reference, code list or key is another, or a code that it may hold went or has another Chinese label. Minor: tables, columns, codes or rows
came. Patch: rows changed or went. A removal is no more than that: it takes back a wrong row or ends a publication, and what is left means
what it meant. Labels and descriptions of tables and columns are words, and no meaning. Regions are rows with a time of their own, and no code list.

What a column meant is in the manifest of the release that had it (`meaning`). Of a release from before there was such a thing its database is asked
for tables, columns, types and keys, and nothing more is said of it. A dataset that is no longer declared keeps its number, and
goes on from it should it come back.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .dataset import Column
from .home import to_read

FIRST = "1.0.0"
BUMPS = ("major", "minor", "patch", "none")
BUMP = {  # by kind of reason, in the order in which they are told
    "table_removed": "major", "column_removed": "major", "key_changed": "major", "meaning_changed": "major", "codes_changed": "major",
    "table_added": "minor", "column_added": "minor", "codes_added": "minor", "rows_added": "minor",
    "rows_changed": "patch", "rows_removed": "patch",
}  # fmt: skip
ROWS = {"add": "rows_added", "change": "rows_changed", "remove": "rows_removed"}  # by kind of diff's counts
Reason = dict[str, Any]  # table, kind; where it says more: column, rows, codes, before, after
Meaning = Mapping[str, Mapping[str, Mapping[str, str]]]  # dataset > table > column > what it means


@dataclass(frozen=True)
class Shape:
    """One table of a release: the dataset that it is of, its key, the type of each column, and what those mean of which it is known."""

    dataset: str
    key: tuple[str, ...]
    types: Mapping[str, str]
    meaning: Mapping[str, str]

    def code_table(self, column: str) -> str | None:
        kind, _, codes = self.meaning.get(column, "").partition(" ")
        return codes if kind == "code" else None


@dataclass(frozen=True)
class Difference:
    """What is another between two releases but for the shapes: rows by table (`add`, `change`, `remove`), and codes by their table."""

    rows: Mapping[str, Mapping[str, int]]
    codes_changed: Mapping[str, tuple[str, ...]]
    codes_added: Mapping[str, tuple[str, ...]]


def meaning(column: Column) -> str:
    """What a column means, as far as a query depends on it: `fen`, `code lists`, `ref institutions`, `number m2`."""
    return " ".join(filter(None, (column.kind, column.codes, column.ref, column.unit)))


def reasons(table: str, old: Shape | None, new: Shape | None, what: Difference) -> Iterator[Reason]:
    """Why a table makes another version of its dataset."""
    counts = what.rows.get(table, {})
    if old is None or new is None:
        yield {"table": table, "kind": "table_added" if old is None else "table_removed"} | (
            {"rows": counts["add"]} if old is None and "add" in counts else {}
        )
        return
    if old.key != new.key:
        yield {"table": table, "kind": "key_changed", "before": " ".join(old.key), "after": " ".join(new.key)}
    for column in sorted({*old.types, *new.types}):
        about = {"table": table, "column": column}
        if column not in new.types:
            yield {**about, "kind": "column_removed"}
        elif column not in old.types:
            yield {**about, "kind": "column_added"}
        else:
            yield from ({**about, **reason} for reason in _of_column(column, old, new, what))
    yield from ({"table": table, "kind": kind, "rows": counts[count]} for count, kind in ROWS.items() if counts.get(count))


def _of_column(column: str, old: Shape, new: Shape, what: Difference) -> Iterator[Reason]:
    known = column in old.meaning and column in new.meaning
    before, after = (shape.meaning[column] if known else shape.types[column] for shape in (old, new))
    if before != after:
        yield {"kind": "meaning_changed", "before": before, "after": after}
    elif codes := new.code_table(column):
        if changed := what.codes_changed.get(codes):
            yield {"kind": "codes_changed", "codes": list(changed)}
        if added := what.codes_added.get(codes):
            yield {"kind": "codes_added", "codes": list(added)}


def bump(because: Iterable[Reason]) -> str:
    """The largest step that one of the reasons asks for."""
    return min((BUMP[reason["kind"]] for reason in because), key=BUMPS.index, default="none")


def after(version: str, step: str) -> str:
    """The version that comes after one by a step."""
    major, minor, patch = map(int, version.split("."))
    steps = {"major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1)}
    return ".".join(map(str, steps.get(step, (major, minor, patch))))


def versions(before: Mapping[str, str], old: Mapping[str, Shape], new: Mapping[str, Shape], what: Difference) -> dict[str, dict[str, Any]]:
    """By dataset its `version`, that of the release before (`from`, None: it is new), the `bump` and its reasons (`because`).

    `before` are the versions of the release before; a dataset of it without one is taken to have been the first.
    """
    found: dict[str, dict[str, Any]] = {}
    order = list(BUMP)
    there = {shape.dataset for shape in old.values()}
    for dataset in sorted({*before, *there, *(shape.dataset for shape in new.values())}):
        its = [{name: shape for name, shape in shapes.items() if shape.dataset == dataset} for shapes in (old, new)]
        tables = sorted({*its[0], *its[1]}, key=lambda table: (table != dataset, table))  # the main one first
        because = [reason for table in tables for reason in reasons(table, its[0].get(table), its[1].get(table), what)]
        because.sort(key=lambda reason: order.index(reason["kind"]))
        was = before.get(dataset, FIRST if dataset in there else None)
        step = bump(because) if was else "none"
        found[dataset] = {"version": after(was, step) if was else FIRST, "from": was, "bump": step, "because": because}
    return found


def released(
    database: Path, live: Path | None, changes: Path, counts: Mapping[str, Mapping[str, int]], previous: Mapping[str, Any],
    catalogue: Catalogue, goes_on: bool,
) -> dict[str, Any]:  # fmt: skip
    """What the manifest of a release says of its datasets: `versions`, and what its columns mean (`meaning`).

    `database` is its own and `live` that of the release before, whose manifest is `previous`; `changes` and `counts` are what lies between (diff).
    A release that `goes_on` has the columns of the one before as they were made then, whatever is declared now.
    """
    known: Meaning = previous.get("meaning", {})
    declared = {name: table.dataset for name, table in catalogue.tables.items()}
    was_of = declared | {table: dataset for dataset, tables in known.items() for table in tables}
    said = {table: columns for tables in known.values() for table, columns in tables.items()}
    old = {name: Shape(was_of.get(name, name), *parts, said.get(name, {})) for name, parts in (_tables(live) if live else {}).items()}
    new: dict[str, Shape] = {}
    for name, (key, types) in _tables(database).items():
        if goes_on and name in old:
            new[name] = Shape(old[name].dataset, key, types, old[name].meaning)
        else:
            table = catalogue.tables[name]
            new[name] = Shape(table.dataset, key, types, {column.name: meaning(column) for column in table.published})
    what = Difference(counts, *(_codes(changes) if "codes" in old else ({}, {})))
    before = {dataset: one["version"] for dataset, one in previous.get("versions", {}).items()}
    meant: dict[str, dict[str, Mapping[str, str]]] = {}
    for name, shape in new.items():
        if shape.meaning:
            meant.setdefault(shape.dataset, {})[name] = shape.meaning
    return {"versions": versions(before, old, new, what), "meaning": meant}


def _tables(database: Path) -> dict[str, tuple[tuple[str, ...], dict[str, str]]]:
    """Key and types of each table of a release."""
    connection = sqlite3.connect(to_read(database, for_good=True), uri=True)
    found: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {}
    try:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"):
            rows = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", [name]).fetchall()
            key = tuple(column for _, column in sorted((place, column) for column, _, place in rows if place))
            found[name] = key, {column: kind for column, kind, _ in rows}
    finally:
        connection.close()
    return found


def _codes(changes: Path) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """By code table the codes that went or are labelled otherwise in Chinese, and those that came."""
    changed: dict[str, tuple[str, ...]] = {}
    added: dict[str, tuple[str, ...]] = {}
    connection = sqlite3.connect(to_read(changes), uri=True)
    try:
        for key, kind in connection.execute(
            """SELECT key, kind FROM changes WHERE table_name = 'codes'
            AND (kind IN ('add', 'remove') OR kind = 'change' AND field = 'label_zh') ORDER BY key"""
        ):
            table, code = key.split(" ")
            where = added if kind == "add" else changed
            where[table] = (*where.get(table, ()), code)
    finally:
        connection.close()
    return changed, added


def noted(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What releases.json repeats of a manifest for the changelog: the datasets of which something is to be told."""
    told = {dataset: one for dataset, one in manifest.get("versions", {}).items() if one["because"]}
    return {"versions": told, "pipeline": manifest.get("pipeline")}
