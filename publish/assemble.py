"""From the staged rows to the tables that a reader gets: one row a key, withheld ones left out, notices linked, every row counted.

A record is one thing: of several with one key the first of the newest snapshot wins with all its parts, and the others are reported. A
record that only an earlier full snapshot has is kept once more, marked with the day it was first missed (rule 2). The accounting says of
every record what became of it; if it does not add up, that is a bug and nothing is published.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .catalogue import Catalogue
from .dataset import Table
from .link import link
from .progress import Progress, silent
from .stage import Staged, staged_tables
from .tables import connect, create_indexes, create_published

VISIBLE = {"notices": "s.public_until >= :day"}  # rule 5: what has ended is not published, whatever the source still shows


@dataclass(frozen=True)
class Assembled:
    """The candidate for a release: its database and, for each main table, what became of the records (reason: how many)."""

    path: Path
    day: str
    accounting: Mapping[str, Mapping[str, int]]
    tables: Mapping[str, int]
    issues: Mapping[str, int]
    next_expiry: str | None  # the first day on which a published notice is no longer public


def assemble(staged: Staged, catalogue: Catalogue, day: date, path: Path, progress: Progress = silent) -> Assembled:
    """The database at `path` (replaced whole) as it would be published on `day`, a day in China."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    connection = connect(part)
    connection.execute("ATTACH ? AS private", [str(staged.path)])
    connection.execute("BEGIN")
    connection.execute("DELETE FROM private.issues WHERE kind = 'duplicate_key'")  # found anew below; the base has those of its release
    create_published(connection, catalogue)
    _declared(connection, catalogue, staged)
    accounting: dict[str, dict[str, int]] = {}
    tables = staged_tables(catalogue)
    mains = [table for table in tables if table.parent is None and table.name != "documents"]
    mains.sort(key=lambda table: [table.ref_to(other.name) is not None for other in mains].count(True))  # what others refer to comes first
    progress.start("assemble", len(mains))
    for table in mains:
        if table.prefix:
            _winners(connection, table, catalogue, staged)
        accounting[table.name] = _main(connection, table, catalogue, day)
        for child in tables:
            if child.parent == table.name:
                _children(connection, child, table)
        progress.advance(1)
    _documents(connection, catalogue, staged)
    link(connection, catalogue.regions.county_codes())
    create_indexes(connection, catalogue)
    counts = {name: _one(connection, f'SELECT count(*) FROM main."{name}"') for name in catalogue.tables}
    issues = dict(
        connection.execute(
            "SELECT kind, sum(count) FROM private.issues JOIN private.pages USING (page) WHERE generation = 0 GROUP BY kind ORDER BY kind"
        ).fetchall()
    )
    expiry = _one(connection, "SELECT min(public_until) FROM main.notices")
    for name, kinds in accounting.items():
        missing = kinds["records"] - sum(number for kind, number in kinds.items() if kind not in ("records", "kept_absent"))
        assert missing == 0, f"{name}: {missing} records are not accounted for: {kinds}"
    connection.execute("COMMIT")
    connection.close()
    progress.finish()
    part.replace(path)
    return Assembled(path, day.isoformat(), accounting, counts, issues, expiry)


def _one(connection: sqlite3.Connection, sql: str, parameters: Any = ()) -> Any:
    return connection.execute(sql, parameters).fetchone()[0]


def _declared(connection: sqlite3.Connection, catalogue: Catalogue, staged: Staged) -> None:
    rows = []
    for name in sorted(staged.inputs):
        source, newest = catalogue.source(name), staged.inputs[name][0]
        as_of = max((day for day in (newest.as_of(listing) for listing in source.listings) if day), default=newest.taken_at[:10])
        rows.append(
            {
                "id": name, "label_zh": source.label.zh, "label_en": source.label.en, "publisher_zh": source.publisher.zh, "publisher_en": source.publisher.en,
                "region_code": source.region, "url": source.url, "licence": source.licence, "batch_kind": source.batch, "interval_days": source.interval_days,
                "as_of": as_of,
            }
        )  # fmt: skip
    _fill(connection, catalogue.tables["sources"], rows)
    _fill(connection, catalogue.tables["regions"], [vars(region) for region in catalogue.regions.rows()])
    codes = [
        {"table_name": name, "code": code.code, "label_zh": code.label_zh, "label_en": code.label_en}
        for name, table in sorted(catalogue.codes.items())
        for code in table.rows
    ]
    _fill(connection, catalogue.tables["codes"], codes)


def _fill(connection: sqlite3.Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    names = [column.name for column in table.published]
    values = sorted(tuple(row.get(name) for name in names) for row in rows)
    connection.executemany(f'INSERT INTO main."{table.name}" VALUES ({",".join("?" * len(names))})', values)


def _winners(connection: sqlite3.Connection, table: Table, catalogue: Catalogue, staged: Staged) -> None:
    """temp.won_TABLE: the record that stands for each id, and the day on which a full snapshot first missed it."""
    connection.execute(
        f'CREATE TEMP TABLE "won_{table.name}" (page INTEGER, row INTEGER, id TEXT, absent_since TEXT, PRIMARY KEY (page, row)) WITHOUT ROWID'
    )
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS missed (source TEXT, listing TEXT, day TEXT, PRIMARY KEY (source, listing))")
    for name, snapshots in staged.inputs.items():
        for listing in catalogue.source(name).listings.values():
            if listing.batch == "full_snapshot":
                day = snapshots[0].as_of(listing.name) or snapshots[0].taken_at[:10]
                connection.execute("INSERT OR REPLACE INTO missed VALUES (?,?,?)", [name, listing.name, day[:10]])
    connection.execute(
        f"""INSERT INTO "won_{table.name}"
        SELECT page, row, id, CASE WHEN generation > 0 THEN (SELECT day FROM missed m WHERE m.source = w.source AND m.listing = w.listing) END FROM (
          SELECT p.page, s.row, s.id, p.generation, p.source, p.listing,
                 row_number() OVER (PARTITION BY s.id ORDER BY p.generation, p.ordinal, s.row) AS place
          FROM private."{table.name}" s JOIN private.pages p USING (page)
        ) w WHERE place = 1"""
    )


def _selected(table: Table, since: str = "s.absent_since") -> str:
    return ", ".join(since if column.name == "absent_since" else f's."{column.name}"' for column in table.published)


def _refs(table: Table, main: str) -> str:
    """SQL that is true where every row of ours that the row needs is there."""
    wanted = [c for c in table.columns.values() if c.ref and c.required and c.ref != main and c.ref not in ("sources", "documents")]
    return " AND ".join(f'EXISTS (SELECT 1 FROM main."{c.ref}" r WHERE r.id = s."{c.name}")' for c in wanted) or "1"


def _main(connection: sqlite3.Connection, table: Table, catalogue: Catalogue, day: date) -> dict[str, int]:
    name, visible, refs = table.name, VISIBLE.get(table.name, "1"), _refs(table, table.name)
    key = ", ".join(f's."{column}"' for column in table.key)
    bound = {"day": day.isoformat()}
    before = connection.total_changes
    if table.prefix:
        source = f'private."{name}" s JOIN temp."won_{name}" w ON w.page = s.page AND w.row = s.row AND w.id = s.id JOIN private.pages p ON p.page = s.page'
        connection.execute(
            f'INSERT INTO main."{name}" SELECT {_selected(table, "w.absent_since")} FROM {source} WHERE s.withheld IS NULL AND {visible} AND {refs} ORDER BY {key}',
            bound,
        )
        newest = _one(connection, f"SELECT count(*) FROM {source} WHERE p.generation = 0")
        shown = _one(
            connection, f"SELECT count(*) FROM {source} WHERE p.generation = 0 AND s.withheld IS NULL AND {visible} AND {refs}", bound
        )
        withheld = dict(
            connection.execute(
                f"SELECT withheld, count(*) FROM {source} WHERE p.generation = 0 AND s.withheld IS NOT NULL GROUP BY 1 ORDER BY 1"
            ).fetchall()
        )
        ended = _one(connection, f"SELECT count(*) FROM {source} WHERE p.generation = 0 AND s.withheld IS NULL AND NOT ({visible})", bound)
    else:
        source = f'private."{name}" s CROSS JOIN private.pages p ON p.page = s.page'
        connection.execute(
            f'INSERT OR IGNORE INTO main."{name}" SELECT {_selected(table)} FROM {source} WHERE s.withheld IS NULL AND {refs} ORDER BY {key}, p.generation, p.ordinal, s.row'
        )
        total = _one(connection, f'SELECT count(*) FROM private."{name}"')
        shown = connection.total_changes - before
        if shown == total == _one(connection, f"SELECT count(*) FROM {source} WHERE p.generation = 0"):
            newest = total
        else:
            newest = _one(connection, f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {source} WHERE p.generation = 0)")
            shown = _one(connection, f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {source} WHERE p.generation = 0 AND {refs})")
        withheld, ended = {}, 0
    staged = _one(connection, f'SELECT count(*) FROM private."{name}" s JOIN private.pages p ON p.page = s.page WHERE p.generation = 0')
    aside = _one(
        connection,
        "SELECT coalesce(sum(set_aside), 0) FROM private.pages WHERE generation = 0 AND source || '/' || listing IN (SELECT value FROM json_each(?))",
        [_listings(catalogue, name)],
    )
    published = connection.total_changes - before
    counts = {
        "records": staged + aside,
        "published": shown,
        **{f"withheld_{why}": number for why, number in withheld.items()},
        "ended": ended,
    }
    counts |= {
        "duplicate": staged - newest,
        "set_aside": aside,
        "unknown_reference": newest - shown - ended - sum(withheld.values()),
        "kept_absent": published - shown,
    }
    if staged > newest and table.prefix:
        _report_duplicates(connection, table)
    return {kind: number for kind, number in counts.items() if number or kind in ("records", "published")}


def _listings(catalogue: Catalogue, table: str) -> str:
    names = [
        f'"{source.name}/{listing.name}"'
        for source in catalogue.sources.values()
        for listing in source.listings.values()
        if listing.table == table
    ]
    return f"[{','.join(names)}]"


def _report_duplicates(connection: sqlite3.Connection, table: Table) -> None:
    connection.execute(
        f"""INSERT INTO private.issues
        SELECT p.page, p.source, p.listing, p.file, s.row, 'duplicate_key', '', replace(s.source_key, char(31), ' / '), 'one record a key', 1
        FROM private."{table.name}" s JOIN private.pages p USING (page) LEFT JOIN temp."won_{table.name}" w ON w.page = s.page AND w.row = s.row AND w.id = s.id
        WHERE p.generation = 0 AND w.id IS NULL ORDER BY p.page, s.row"""
    )


def _children(connection: sqlite3.Connection, child: Table, parent: Table) -> None:
    key = ", ".join(f's."{column}"' for column in child.key)
    upwards = child.ref_to(parent.name)
    connection.execute(
        f"""INSERT OR IGNORE INTO main."{child.name}" SELECT {_selected(child)} FROM private."{child.name}" s
        JOIN temp."won_{parent.name}" w ON w.page = s.page AND w.row = s.row AND w.id = s."{upwards}"
        JOIN main."{parent.name}" m ON m.id = s."{upwards}" ORDER BY {key}, s.rowid"""
    )


def _documents(connection: sqlite3.Connection, catalogue: Catalogue, staged: Staged) -> None:
    """The documents that a published row names. One without a day of its own is of the day that its listing is of."""
    named = " UNION ".join(f'SELECT document_id FROM main."{t.name}"' for t in catalogue.tables.values() if "document_id" in t.columns)
    columns = ", ".join(
        "coalesce(s.as_of, p.as_of)" if c.name == "as_of" else f's."{c.name}"' for c in catalogue.tables["documents"].published
    )
    connection.execute(
        f"INSERT OR IGNORE INTO main.documents SELECT {columns} FROM private.documents s JOIN private.pages p USING (page) WHERE s.id IN ({named}) ORDER BY s.id, p.generation, p.ordinal"
    )
