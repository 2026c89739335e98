"""What a candidate would change, counted for a person who has to decide: by table, region, list, field and cause, with names and examples.

It is made of the candidate's own files and the live release and asks nobody. Every value in it is one that readers have or would get: natural
persons are 姓+某 in it as everywhere. It judges nothing; the verdict is the review's.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .candidate import Candidate
from .catalogue import Catalogue
from .home import to_read
from .partitions import REGION, adverse, subject

MAINS = ("institutions", "listings", "notices")
NAMES = 500  # of each way, in the page; whoever has to look at more has a question for the source and not for this page
EXAMPLES = 3
LISTS = {"listings": "list", "notices": "kind"}  # the tables that are held against somebody, and what says how
SAID = {  # of an adverse row: whom it names, since when
    "listings": ("n.subject_name", "coalesce(n.listed_on, n.as_of)"),
    "notices": ("coalesce(n.subject_name, n.title)", "coalesce(n.decided_on, n.published_on)"),
}


@dataclass(frozen=True)
class Movement:
    """How many there were, are, came, went and changed. `missed`: a full list misses them for the first time; they stay once more, marked."""

    before: int = 0
    now: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    missed: int = 0

    @property
    def moved(self) -> int:
        return self.added + self.removed + self.changed + self.missed


@dataclass(frozen=True)
class Named:
    """One adverse listing, or one notice, that comes or goes. `code` is its list, or its kind."""

    table: str
    id: str
    code: str
    name: str
    region: str
    authority: str
    day: str
    cause: str


@dataclass(frozen=True)
class Example:
    """One row that comes, goes or changes; `fields`: name, before, after."""

    table: str
    kind: str
    key: str
    name: str
    fields: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True)
class Summary:
    """`names`: who approved it so far. `regions` is by table and region, `lists` by table and code, `causes` by table, kind and cause."""

    candidate: Candidate
    names: tuple[str, ...]
    catalogue: Catalogue
    tables: Mapping[str, Movement]
    regions: Mapping[str, Mapping[str, Movement]]
    lists: Mapping[str, Mapping[str, Movement]]
    fields: tuple[tuple[str, str, int], ...]
    columns: tuple[tuple[str, str, int], ...]  # columns that come (1) or go (0): what was private can be public all at once
    causes: tuple[tuple[str, str, str, int], ...]
    entering: tuple[Named, ...]
    leaving: tuple[Named, ...]
    adverse: Movement
    examples: tuple[Example, ...]


def summary(candidate: Candidate, live: Path | None, catalogue: Catalogue, names: tuple[str, ...] = ()) -> Summary:
    """What `candidate` would change in `live`, the database of the live release (None: there is none yet)."""
    changes = candidate.compared()
    db = sqlite3.connect(to_read(candidate.assembled.path), uri=True)
    try:
        db.execute("PRAGMA temp_store=FILE")
        db.execute("ATTACH ? AS old", [to_read(live) if live else ":memory:"])
        if live is None:
            for name in catalogue.tables:
                db.execute(f'CREATE TABLE old."{name}" AS SELECT * FROM main."{name}" WHERE 0')
        db.execute("ATTACH ? AS diff", [to_read(changes.path)])
        # a row has as many changes as fields that differ: the row's cause is one of them, and what came or went has one alone
        db.execute(
            "CREATE TEMP TABLE moved AS SELECT table_name, key, kind, max(cause) AS cause FROM diff.changes WHERE key <> '' GROUP BY 1, 2, 3"
        )
        db.execute("CREATE INDEX temp.moved_by_key ON moved (table_name, key)")
        db.execute("CREATE TEMP TABLE missed AS SELECT table_name, key FROM diff.changes WHERE field = 'absent_since' AND before IS NULL")
        db.execute("CREATE INDEX temp.missed_by_key ON missed (table_name, key)")
        return Summary(
            candidate=candidate,
            names=names,
            catalogue=catalogue,
            tables={name: _whole(db, name, changes.counts.get(name, {})) for name in catalogue.tables},
            regions={name: _by(db, name, REGION) for name in MAINS},
            lists={name: _by(db, name, f"{{p}}.{column}") for name, column in LISTS.items()},
            fields=tuple(
                db.execute(
                    "SELECT table_name, field, count(*) FROM diff.changes WHERE kind = 'change' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 20"
                )
            ),
            columns=tuple(db.execute("SELECT table_name, field, after FROM diff.changes WHERE kind = 'columns' ORDER BY 1, 2")),
            causes=tuple(db.execute("SELECT table_name, kind, cause, count(*) FROM moved GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")),
            adverse=Movement(_adverse(db, "old"), _adverse(db, "main"), _gone(db, "main", "old"), _gone(db, "old", "main")),
            entering=tuple(_named(db, "main", "old")),
            leaving=tuple(_named(db, "old", "main")),
            examples=tuple(_examples(db, catalogue)),
        )
    finally:
        db.close()


def _whole(db: sqlite3.Connection, table: str, counts: Mapping[str, int]) -> Movement:
    before, now = (_rows(db, side, table) for side in ("old", "main"))
    missed = db.execute("SELECT count(*) FROM missed WHERE table_name = ?", [table]).fetchone()[0]
    return Movement(before, now, counts.get("add", 0), counts.get("remove", 0), counts.get("change", 0) - missed, missed)


def _rows(db: sqlite3.Connection, side: str, table: str) -> int:
    there = db.execute(f"SELECT count(*) FROM {side}.sqlite_master WHERE name = ?", [table]).fetchone()[0]
    return int(db.execute(f'SELECT count(*) FROM {side}."{table}"').fetchone()[0]) if there else 0  # not: declared since


def _by(db: sqlite3.Connection, table: str, value: str) -> dict[str, Movement]:
    """The movement of a main table by `value`, an expression over a row; those that moved most come first."""
    n, o = value.format(p="n"), value.format(p="o")
    rows = db.execute(
        f"""SELECT value, sum(before), sum(now), sum(added), sum(removed), sum(changed), sum(missed) FROM (
          SELECT {o} AS value, 1 AS before, 0 AS now, 0 AS added, n.id IS NULL OR {n} IS NOT {o} AS removed, 0 AS changed, 0 AS missed
            FROM old."{table}" o LEFT JOIN main."{table}" n ON n.id = o.id
          UNION ALL SELECT {n}, 0, 1, o.id IS NULL OR {n} IS NOT {o}, 0, {n} IS {o} AND c.key IS NOT NULL AND m.key IS NULL, {n} IS {o} AND m.key IS NOT NULL
            FROM main."{table}" n LEFT JOIN old."{table}" o ON n.id = o.id
            LEFT JOIN moved c ON c.table_name = :table AND c.key = n.id AND c.kind = 'change' LEFT JOIN missed m ON m.table_name = :table AND m.key = n.id
        ) GROUP BY value ORDER BY sum(added) + sum(removed) + sum(missed) DESC, sum(changed) DESC, sum(now) DESC, value""",
        {"table": table},
    )
    return {value or "": Movement(*numbers) for value, *numbers in rows}


def _moved(table: str, new: str, old: str) -> str:
    """The rows of one side that are adverse and are not on the same list, not about the same one, or are no notice at all, on the other."""
    code, other = LISTS[table], f"{subject(table, 'o')} IS NOT {subject(table, 'n')}"
    return f'{new}."{table}" n LEFT JOIN {old}."{table}" o ON o.id = n.id WHERE (o.id IS NULL OR o.{code} IS NOT n.{code} OR {other}) AND {adverse(table, "n")}'


def _adverse(db: sqlite3.Connection, side: str) -> int:
    return sum(int(db.execute(f'SELECT count(*) FROM {side}."{table}" n WHERE {adverse(table, "n")}').fetchone()[0]) for table in LISTS)


def _gone(db: sqlite3.Connection, new: str, old: str) -> int:
    return sum(int(db.execute(f"SELECT count(*) FROM {_moved(table, new, old)}").fetchone()[0]) for table in LISTS)


def _named(db: sqlite3.Connection, new: str, old: str) -> Iterator[Named]:
    for table, (name, day) in SAID.items():
        yield from (
            Named(table, *row)
            for row in db.execute(
                f"""SELECT n.id, coalesce(n.{LISTS[table]}, ''), coalesce({name}, ''), {REGION.format(p="n")}, coalesce(n.authority, ''), coalesce({day}, ''),
                  coalesce((SELECT cause FROM moved m WHERE m.table_name = ? AND m.key = n.id ORDER BY kind LIMIT 1), '')
                FROM {_moved(table, new, old)} ORDER BY 2, 4, 3, 1 LIMIT {NAMES:d}""",
                [table],
            )
        )


def _examples(db: sqlite3.Connection, catalogue: Catalogue) -> Iterator[Example]:
    for table in MAINS:
        name = "subject_name" if "subject_name" in catalogue.tables[table].columns else "name"
        for kind in ("add", "remove", "change"):
            side = "old" if kind == "remove" else "main"
            keys = f"SELECT key FROM moved WHERE table_name = ? AND kind = ? ORDER BY key LIMIT {EXAMPLES:d}"
            for key, called in db.execute(
                f"SELECT id, coalesce({name}, '') FROM {side}.\"{table}\" WHERE id IN ({keys}) ORDER BY id", [table, kind]
            ).fetchall():
                fields = db.execute(
                    "SELECT field, before, after FROM diff.changes WHERE table_name = ? AND key = ? AND kind = 'change' AND ? = 'change' ORDER BY field",
                    [table, key, kind],
                )
                yield Example(table, kind, key, called, tuple(fields))
