"""Of several records of one key, which one stands: the first of the newest snapshot, with all its parts; the others are reported.

The winners of a table are in temp.won_TABLE while it is assembled. A record that only an earlier full snapshot has is among them with the day
on which it was first missed (rule 2), where it was shown: a snapshot that somebody went back to still has what was withdrawn since. Whether a
winner may be public is not asked here.
"""

from .catalogue import Catalogue
from .dataset import Table
from .stage import Staged
from .tables import Working


def winners(connection: Working, table: Table, catalogue: Catalogue, staged: Staged) -> None:
    """temp.won_TABLE: the record that stands for each id, and the day on which a full snapshot first missed it."""
    connection.execute(
        f'CREATE TEMP TABLE "won_{table.name}" (page INTEGER, row INTEGER, id TEXT, absent_since TEXT, PRIMARY KEY (page, row)) WITHOUT ROWID'
    )
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS missed (source TEXT, listing TEXT, day TEXT, PRIMARY KEY (source, listing))")
    for name, snapshots in staged.inputs.items():
        for listing in catalogue.source(name).listings.values():
            if listing.batch == "full_snapshot":
                day = snapshots[0].as_of(listing.name) or snapshots[0].taken_on.isoformat()
                connection.execute("INSERT OR REPLACE INTO missed VALUES (?,?,?)", [name, listing.name, day[:10]])
    connection.execute(
        f"""INSERT INTO "won_{table.name}"
        SELECT page, row, id, CASE WHEN generation > 0 THEN (SELECT day FROM missed m WHERE m.source = w.source AND m.listing = w.listing) END FROM (
          SELECT p.page, s.row, s.id, p.generation, p.source, p.listing,
                 row_number() OVER (PARTITION BY s.id ORDER BY p.generation, s.withheld IS NULL, p.ordinal, s.row) AS place
          FROM private."{table.name}" s JOIN private.pages p USING (page)
        ) w WHERE place = 1"""
    )


def leave_out_unshown(connection: Working, table: Table) -> None:
    """Take out of temp.won_TABLE what would be kept as absent and is not live. Of a notice, also what says something else than the live one:
    it was corrected since, or its snapshot was not believed. A notice that goes one snapshot early harms nobody."""
    known = {row[1] for row in connection.execute(f'PRAGMA live.table_info("{table.name}")')}
    shown = f'SELECT id FROM live."{table.name}"' if known else "SELECT NULL WHERE 0"  # a table that is declared since has shown nothing
    if known and table.name == "notices":
        said = [c.name for c in table.published if c.name in known and not c.ref and c.name != "absent_since"]
        same = " AND ".join(f's."{name}" IS o."{name}"' for name in said)
        shown = f"""SELECT v.id FROM private.notices s JOIN temp.won_notices v ON v.page = s.page AND v.row = s.row AND v.id = s.id
            JOIN live.notices o ON o.id = s.id WHERE v.absent_since IS NOT NULL AND {same}"""
    connection.execute(f'DELETE FROM temp."won_{table.name}" WHERE absent_since IS NOT NULL AND id NOT IN ({shown})')


def selected(table: Table, since: str = "s.absent_since") -> str:
    """SQL for the public columns of a staged row `s`; `since` is when it was first missed."""
    return ", ".join(since if column.name == "absent_since" else f's."{column.name}"' for column in table.published)


def fill_parts(connection: Working, child: Table, parent: Table) -> None:
    """Fill a table of parts with those of the winners that are public, and report what a record has twice."""
    key = ", ".join(f's."{column}"' for column in child.key)
    upwards = child.ref_to(parent.name)
    source = f"""FROM private."{child.name}" s JOIN temp."won_{parent.name}" w ON w.page = s.page AND w.row = s.row AND w.id = s."{upwards}"
        JOIN main."{parent.name}" m ON m.id = s."{upwards}" """
    added = connection.change(f'INSERT OR IGNORE INTO main."{child.name}" SELECT {selected(child)} {source} ORDER BY {key}, s.rowid')
    if added < connection.one(f"SELECT count(*) {source}"):
        connection.execute(
            f"""INSERT INTO private.issues SELECT p.page, p.source, p.listing, p.file, s.row, 'duplicate_part', '{child.name}', '', 'one row a key in a record', count(*) - 1
            {source} JOIN private.pages p ON p.page = s.page WHERE p.generation = 0 GROUP BY s.page, s.row, {key} HAVING count(*) > 1 ORDER BY s.page, s.row"""
        )


def report_duplicates(connection: Working, table: Table, listings: str) -> None:
    """Report the records of the newest snapshots that did not win; `listings` are those that fill the table, as an array in JSON."""
    connection.execute(
        f"""INSERT INTO private.issues
        SELECT p.page, p.source, p.listing, p.file, s.row, 'duplicate_key', '', replace(s.source_key, char(31), ' / '), 'one record a key', 1
        FROM private."{table.name}" s JOIN private.pages p USING (page) LEFT JOIN temp."won_{table.name}" w ON w.page = s.page AND w.row = s.row AND w.id = s.id
        WHERE p.generation = 0 AND w.id IS NULL AND p.source || '/' || p.listing IN (SELECT value FROM json_each(?)) ORDER BY p.page, s.row""",
        [listings],  # where a record fills this table beside its own, the record is reported there
    )
