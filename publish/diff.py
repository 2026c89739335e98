"""What a candidate would change in the live release: rows added, changed (field, before, after) and removed, each with its cause and dates.

The comparison runs inside SQLite over both files in key order, so its memory does not grow with the data. Changes are written to a file
of their own that review, history and feeds read. It judges nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .about import about
from .assembled import Assembled
from .catalogue import Catalogue
from .causes import causes
from .dataset import Table
from .progress import Progress, silent
from .tables import Working, working
from .undone import undone

SCHEMA = """CREATE TABLE changes (
  table_name TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, field TEXT, before ANY, after ANY, cause TEXT NOT NULL,
  subject TEXT, region TEXT, effective_on TEXT, published_on TEXT
) STRICT"""
ABOUT_THE_RUN = ("sources", "documents")  # their as-of days move when nothing else does: that is not news


@dataclass(frozen=True)
class Changes:
    """`path` is a SQLite file with one table, `changes`; `counts` is table > add/change/remove > rows. `first`: there was nothing before."""

    path: Path
    first: bool
    counts: Mapping[str, Mapping[str, int]]

    @property
    def news(self) -> bool:
        """Whether a reader would see anything new in the data."""
        return self.first or any(number for table, kinds in self.counts.items() if table not in ABOUT_THE_RUN for number in kinds.values())


def key_of(table: Table, alias: str) -> str:
    """SQL for the key of a row as one text: the columns with a space between them, of which only the last can hold one."""
    return " || ' ' || ".join(f'{alias}."{column}"' for column in table.key)


def diff(
    candidate: Assembled,
    live: Path | None,
    catalogue: Catalogue,
    path: Path,
    *,
    ours: bool = False,
    private: Path | None = None,
    withdrawn: Collection[str] = (),
    before: Path | None = None,
    progress: Progress = silent,
) -> Changes:
    """Compare the candidate with the live release's database (None: there is none yet, and only counts are made).

    `ours` says that the recipe changed: no difference is then blamed on the source. `private` is the staging file, which knows why a notice
    was withheld; `withdrawn` are notices that people of ours took out. `before` is the database of the release before the live one, where that
    went back.
    """
    path.unlink(missing_ok=True)
    with working(path) as connection:
        connection.execute(SCHEMA)
        if live is None:
            return Changes(path, True, {name: {"add": rows} for name, rows in candidate.tables.items()})
        connection.execute("ATTACH ? AS new", [str(candidate.path)])
        connection.execute("ATTACH ? AS old", [str(live)])
        connection.execute("BEGIN")
        progress.start("diff", len(catalogue.tables))
        counts: dict[str, dict[str, int]] = {}
        for table in catalogue.tables.values():
            kinds = _table(connection, catalogue, table, "pipeline" if ours else "source")
            if kinds:
                counts[table.name] = kinds
            progress.advance(1)
        causes(connection, catalogue, candidate.day, ours=ours, private=private, withdrawn=withdrawn)
        if before is not None:
            undone(connection, catalogue, before)
        connection.execute("COMMIT")
    progress.finish()
    return Changes(path, False, counts)


def _table(connection: Working, catalogue: Catalogue, table: Table, cause: str) -> dict[str, int]:
    name, insert = table.name, "INSERT INTO changes"
    added, changed, removed = (about(table, catalogue, row, kind) for row, kind in (("n", "add"), ("n", "change"), ("o", "remove")))
    old_columns = {row[1] for row in connection.execute(f'PRAGMA old.table_info("{name}")')}
    new_columns = {row[1] for row in connection.execute(f'PRAGMA new.table_info("{name}")')}
    if not new_columns:  # a copy of what was made before the table was declared
        return {}
    if not old_columns:
        rows = connection.change(
            f"{insert} SELECT ?, {key_of(table, 'n')}, 'add', NULL, NULL, NULL, 'pipeline', {added} FROM new.\"{name}\" n", [name]
        )
        return {"add": rows} if rows else {}
    fields = [c.name for c in table.published if c.name not in table.key and c.name in old_columns]
    unlike = sorted(old_columns ^ new_columns)
    for column in unlike:  # a column that came or went is news: until it is released, what was made private is still public
        was = column in old_columns
        connection.change(
            f"{insert} VALUES (?, '', 'columns', ?, ?, ?, 'pipeline', NULL, NULL, NULL, NULL)", [name, column, int(was), int(not was)]
        )
    same, of = (" AND ".join(f'n."{column}" = {row}."{column}"' for column in table.key) for row in ("o", "t"))
    keys = ", ".join(f'"{column}"' for column in table.key)
    both = ", ".join(f'"{column}"' for column in (*table.key, *fields))
    # both sides are read in the order of their keys, side by side: looking millions of ratings up took twice as long
    connection.execute(
        f'CREATE TEMP TABLE touched AS SELECT {keys} FROM (SELECT {both} FROM new."{name}" EXCEPT SELECT {both} FROM old."{name}" ORDER BY {keys})'
    )
    touched, there = f'temp.touched t CROSS JOIN new."{name}" n ON {of}', f'EXISTS (SELECT 1 FROM old."{name}" o WHERE {same})'
    kinds = {"columns": len(unlike), "change": connection.one(f"SELECT count(*) FROM {touched} WHERE {there}")}
    for field in fields if kinds["change"] else ():
        connection.change(
            f'{insert} SELECT ?, {key_of(table, "n")}, \'change\', ?, o."{field}", n."{field}", ?, {changed} FROM {touched} CROSS JOIN old."{name}" o ON {same} WHERE n."{field}" IS NOT o."{field}"',
            [name, field, cause],
        )
    kinds["add"] = connection.change(
        f"{insert} SELECT ?, {key_of(table, 'n')}, 'add', NULL, NULL, NULL, ?, {added} FROM {touched} WHERE NOT {there}", [name, cause]
    )
    connection.execute("DROP TABLE temp.touched")
    before, after = (connection.one(f'SELECT count(*) FROM {side}."{name}"') for side in ("old", "new"))
    if before != after - kinds["add"]:
        kinds["remove"] = connection.change(
            f'{insert} SELECT ?, {key_of(table, "o")}, \'remove\', NULL, NULL, NULL, ?, {removed} FROM old."{name}" o WHERE NOT EXISTS (SELECT 1 FROM new."{name}" n WHERE {same})',
            [name, cause],
        )
    return {kind: number for kind, number in kinds.items() if number}
