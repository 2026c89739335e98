"""From the staged rows to the tables that a reader gets: one row a key, withheld ones left out, notices linked, every row counted.

A record is one thing: which of several stands is in winners.py. The accounting says of every record what became of it; if it does not add up,
that is a bug and nothing is published.
"""

from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from .assembled import VISIBLE, Assembled, named_documents, next_expiry
from .catalogue import Catalogue
from .dataset import Table
from .home import to_read
from .link import link
from .progress import Progress, silent
from .stage import Staged, referred_to_first, staged_tables
from .tables import Working, create_indexes, create_published, give_back, working
from .winners import fill_parts, leave_out_unshown, report_duplicates, selected, winners


def assemble(
    staged: Staged,
    catalogue: Catalogue,
    day: date,
    path: Path,
    live: Path | None,
    progress: Progress = silent,
    untouched: Collection[str] = (),
) -> Assembled:
    """The database at `path` (replaced whole) as it would be published on `day`, a day in China, after the release whose database is `live`.

    `untouched` are tables that may be taken over from there (untouched.py).
    """
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with working(part) as connection:
        connection.execute("ATTACH ? AS private", [str(staged.path)])
        if live:
            connection.execute("ATTACH ? AS live", [to_read(live)])
        connection.execute("BEGIN")
        made = _assembled(connection, staged, catalogue, day, path, live is not None, progress, untouched if live else ())
        connection.execute("COMMIT")
    give_back()
    progress.finish()
    part.replace(path)
    return made


def _assembled(
    connection: Working,
    staged: Staged,
    catalogue: Catalogue,
    day: date,
    path: Path,
    live: bool,
    progress: Progress,
    untouched: Collection[str],
) -> Assembled:
    # found anew below; the base has those of its release
    connection.execute("DELETE FROM private.issues WHERE kind IN ('duplicate_key', 'duplicate_part')")
    create_published(connection, catalogue)
    _declared(connection, catalogue, staged)
    accounting: dict[str, dict[str, int]] = {}
    tables = staged_tables(catalogue)
    mains = referred_to_first(table for table in tables if table.parent is None and table.name != "documents")
    progress.start("assemble", len(mains))
    for table in mains:
        if table.prefix:
            winners(connection, table, catalogue, staged)
            if live:
                leave_out_unshown(connection, table)
        accounting[table.name] = _main(connection, table, catalogue, day, table.name in untouched)
        for child in tables:
            if child.parent == table.name:
                fill_parts(connection, child, table)
        progress.advance(1)
    _documents(connection, catalogue)
    link(connection, catalogue.regions.county_codes())
    create_indexes(connection, catalogue)
    counts = {name: connection.one(f'SELECT count(*) FROM main."{name}"') for name in catalogue.tables}
    issues = dict(
        connection.all(
            "SELECT kind, sum(count) FROM private.issues JOIN private.pages USING (page) WHERE generation = 0 GROUP BY kind ORDER BY kind"
        )
    )
    unusable = {
        name: (records, aside)
        for name, records, aside in connection.execute(
            """SELECT source || '/' || listing, sum(records), sum(set_aside) + (SELECT count(*) FROM private.notices s JOIN private.pages q USING (page)
              WHERE q.generation = 0 AND q.source = p.source AND q.listing = p.listing AND s.withheld = 'unreadable')
            FROM private.pages p WHERE generation = 0 GROUP BY source, listing ORDER BY 1"""
        )
    }
    expiry = next_expiry(connection)
    _add_up(connection, accounting, catalogue)
    return Assembled(path, day.isoformat(), accounting, unusable, counts, issues, expiry)


def _add_up(connection: Working, accounting: Mapping[str, Mapping[str, int]], catalogue: Catalogue) -> None:
    """Raises AssertionError, a bug of ours, when a record that was read has no fate, or when more or fewer rows are there than were counted."""
    for name, fates in accounting.items():
        listed = "source || '/' || listing IN (SELECT value FROM json_each(?))"
        read = connection.one(
            f"SELECT coalesce(sum(records), 0) FROM private.pages WHERE generation = 0 AND {listed}",
            [_listings(catalogue, name)],
        )
        beside = any(
            name in {table for table, _ in listing.constants}
            for source in catalogue.sources.values()
            for listing in source.listings.values()
        )
        rows = connection.one(f'SELECT count(*) FROM main."{name}"')
        if (read != fates["records"] and not beside) or rows != fates["published"] + fates.get("kept_absent", 0):
            raise AssertionError(f"{name}: {read} records were read, {rows} rows are published, the accounting says {dict(fates)}")


def _declared(connection: Working, catalogue: Catalogue, staged: Staged) -> None:
    rows = []
    for name in sorted(staged.inputs):
        source, newest = catalogue.source(name), staged.inputs[name][0]
        as_of = max((day for day in (newest.as_of(listing) for listing in source.listings) if day), default=newest.taken_on.isoformat())
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


def _fill(connection: Working, table: Table, rows: list[dict[str, Any]]) -> None:
    names = [column.name for column in table.published]
    values = sorted(tuple(row.get(name) for name in names) for row in rows)
    connection.executemany(f'INSERT INTO main."{table.name}" VALUES ({",".join("?" * len(names))})', values)


def _refs(table: Table, main: str) -> str:
    """SQL that is true where every row of ours that the row needs is there."""
    wanted = [c for c in table.columns.values() if c.ref and c.required and c.ref != main and c.ref not in ("sources", "documents")]
    return " AND ".join(f'EXISTS (SELECT 1 FROM main."{c.ref}" r WHERE r.id = s."{c.name}")' for c in wanted) or "1"


def _main(connection: Working, table: Table, catalogue: Catalogue, day: date, untouched: bool) -> dict[str, int]:
    """Fill a main table. Returns what became of the records of the newest snapshots (fate: how many); only kept_absent is beside them."""
    name, refs = table.name, _refs(table, table.name)
    visible = f"coalesce({VISIBLE.get(name, '1')}, 0)"
    key = ", ".join(f's."{column}"' for column in table.key)
    bound = {"day": day.isoformat()}
    fate = f"""CASE WHEN s.withheld IS NOT NULL THEN 'withheld_' || s.withheld WHEN NOT {visible} THEN 'out_of_term'
        WHEN NOT ({refs}) THEN 'unknown_reference' ELSE 'published' END"""
    if table.prefix:
        won = f'temp."won_{name}" w ON w.page = s.page AND w.row = s.row AND w.id = s.id'
        published = connection.change(
            f"""INSERT INTO main."{name}" SELECT {selected(table, "w.absent_since")} FROM private."{name}" s JOIN {won}
            WHERE s.withheld IS NULL AND {visible} AND {refs} ORDER BY {key}""",
            bound,
        )
        fates = f"""SELECT CASE WHEN w.id IS NULL THEN 'duplicate' ELSE {fate} END, count(*) FROM private."{name}" s
            JOIN private.pages p ON p.page = s.page LEFT JOIN {won} WHERE p.generation = 0 GROUP BY 1 ORDER BY 1"""
        counts = dict(connection.all(fates, bound))
    elif untouched and _taken_over(connection, table):
        published = connection.one(f'SELECT count(*) FROM main."{name}"')
        counts = {"published": published}
    else:
        published = connection.change(
            f"""INSERT OR IGNORE INTO main."{name}" SELECT {selected(table)} FROM private."{name}" s CROSS JOIN private.pages p ON p.page = s.page
            WHERE s.withheld IS NULL AND {visible} AND {refs} ORDER BY {key}, p.generation, p.ordinal, s.row""",
            bound,
        )
        newest = f'FROM private."{name}" s CROSS JOIN private.pages p ON p.page = s.page WHERE p.generation = 0'
        if published == connection.one(f'SELECT count(*) FROM private."{name}"') == connection.one(f"SELECT count(*) {newest}"):
            counts = {"published": published}  # nearly always, and millions of rows need not be looked at again
        else:
            counts = dict(connection.all(f"SELECT {fate}, count(*) {newest} GROUP BY 1 ORDER BY 1", bound))
            shown = connection.one(f"SELECT count(*) FROM (SELECT DISTINCT {key} {newest} AND {fate} = 'published')", bound)
            counts |= {"duplicate": counts.get("published", 0) - shown, "published": shown}
    counts["set_aside"] = connection.one(
        "SELECT coalesce(sum(set_aside), 0) FROM private.pages WHERE generation = 0 AND source || '/' || listing IN (SELECT value FROM json_each(?))",
        [_listings(catalogue, name)],
    )
    records = sum(counts.values())
    counts["kept_absent"] = published - counts.get("published", 0)
    if counts.get("duplicate") and table.prefix:
        report_duplicates(connection, table, _listings(catalogue, name))
    return {"records": records, "published": counts.pop("published", 0), **{fate: number for fate, number in counts.items() if number}}


def _taken_over(connection: Working, table: Table) -> bool:
    """Fill a table with the rows of the live release, where these are as many as were read, and all that they refer to is there still."""
    columns = [connection.all("SELECT name, type, pk FROM pragma_table_info(?, ?)", [table.name, side]) for side in ("main", "live")]
    read, live = (connection.one(f'SELECT count(*) FROM {side}."{table.name}"') for side in ("private", "live"))
    if columns[0] != columns[1] or read != live:
        return False
    for column in table.columns.values():
        if column.ref and column.required and column.ref not in ("sources", "documents"):
            named = f'SELECT DISTINCT "{column.name}" AS id FROM live."{table.name}"'
            if connection.one(
                f'SELECT EXISTS (SELECT 1 FROM ({named}) s WHERE NOT EXISTS (SELECT 1 FROM main."{column.ref}" r WHERE r.id = s.id))'
            ):
                return False
    connection.execute(f'INSERT INTO main."{table.name}" SELECT * FROM live."{table.name}"')
    return True


def _listings(catalogue: Catalogue, table: str) -> str:
    names = [
        f'"{source.name}/{listing.name}"'
        for source in catalogue.sources.values()
        for listing in source.listings.values()
        if listing.table == table
    ]
    return f"[{','.join(names)}]"


def _documents(connection: Working, catalogue: Catalogue) -> None:
    """The documents that a published row names. One without a day of its own is of the day that its listing is of.

    A document about several persons was masked for each of them apart: no version hides them all, so its title is left out.
    """
    shown = {
        "as_of": "coalesce(s.as_of, p.as_of)",
        "title": "CASE WHEN (SELECT max(o.withheld) IS NOT NULL AND count(DISTINCT o.title) > 1 FROM temp.versions o WHERE o.id = s.id) THEN NULL ELSE s.title END",
        "url": "CASE WHEN (SELECT max(o.withheld) IS NOT NULL AND min(o.url IS NULL) <> max(o.url IS NULL) FROM temp.versions o WHERE o.id = s.id) THEN NULL ELSE s.url END",
    }
    columns = ", ".join(shown.get(c.name, f's."{c.name}"') for c in catalogue.tables["documents"].published)
    connection.execute(
        """CREATE TEMP TABLE versions AS SELECT DISTINCT id, title, url, withheld FROM private.documents
        WHERE id IN (SELECT id FROM private.documents WHERE withheld IS NOT NULL)"""
    )
    connection.execute("CREATE INDEX temp.versions_by_id ON versions (id)")
    connection.execute(
        f"""INSERT OR IGNORE INTO main.documents SELECT {columns} FROM private.documents s JOIN private.pages p USING (page) WHERE s.id IN ({named_documents(catalogue.tables.values())})
        ORDER BY s.id, s.withheld IS NULL, p.generation, p.ordinal, s.rowid"""
    )
