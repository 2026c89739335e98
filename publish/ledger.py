"""The ledger of what feeds tell, in history.db: every event by its number, and its gap-free number in each feed that it is in.

It is written in the transaction that enters a release and taken back with it, from what history has of that release alone: releases that were
entered before there was a ledger are entered the same way. It holds ids, codes and numbers and never a text, so that nothing has to be
forgotten in it. Whether an event is in a feed is decided here and nowhere else: by what the notice is now, and by where readers have
it already, so that whoever was told of a notice is told of all that becomes of it.
"""

import sqlite3

from .catalogue import Catalogue
from .events import columns, happened
from .families import authority_key
from .regions import COUNTRY

SCHEMA = """
CREATE TABLE IF NOT EXISTS feed_events (
  number INTEGER PRIMARY KEY, release INTEGER NOT NULL, what TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT, is_alert INTEGER NOT NULL,
  region TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS feed_items (feed TEXT NOT NULL, seq INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (feed, seq)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS feed_events_by_id ON feed_events (id);
CREATE INDEX IF NOT EXISTS feed_events_by_release ON feed_events (release);
CREATE INDEX IF NOT EXISTS feed_items_by_event ON feed_items (event);
"""
OWN = "('correction', 'removal', 'dispute')"  # kinds with an entry of their own beside the notice's
NO_CORRECTION = "expired"  # of a notice whose time is over nothing was wrong


def enter(connection: sqlite3.Connection, catalogue: Catalogue, upto: int) -> None:
    """Enter the events of every release up to this number that has none yet."""
    connection.create_function("authority_key", 1, authority_key, deterministic=True)
    for release in range(_last(connection) + 1, upto + 1):
        happened(connection, release, catalogue.tables.values())
        _number(connection, release)
        _facets(connection, catalogue, release)
        _belong(connection)


def lacks(connection: sqlite3.Connection, upto: int) -> bool:
    """Whether a release up to this number has no events: each tells at least of itself."""
    return _last(connection) < upto


def _last(connection: sqlite3.Connection) -> int:
    newest = connection.execute("SELECT release FROM main.feed_events ORDER BY number DESC LIMIT 1").fetchone()
    return int(newest[0]) if newest else 0


def take_back(connection: sqlite3.Connection, last: int) -> None:
    """Take out what the releases after this number told."""
    connection.execute("DELETE FROM main.feed_items WHERE event IN (SELECT number FROM main.feed_events WHERE release > ?)", [last])
    connection.execute("DELETE FROM main.feed_events WHERE release > ?", [last])


def _number(connection: sqlite3.Connection, release: int) -> None:
    """Give the events their numbers: temp.numbered has them with what decides where they belong."""
    connection.execute("DROP TABLE IF EXISTS temp.numbered")
    connection.execute(
        """CREATE TEMP TABLE numbered AS SELECT (SELECT coalesce(max(number), 0) FROM main.feed_events) + row_number() OVER (ORDER BY what, decided, id, place, region) AS number,
        what, id, region, kind, cause, is_alert, spreads FROM temp.happened"""
    )
    connection.execute(
        "INSERT INTO main.feed_events SELECT number, ?, what, id, kind, cause, is_alert, nullif(region, '') FROM temp.numbered ORDER BY number",
        [release],
    )


def _facets(connection: sqlite3.Connection, catalogue: Catalogue, release: int) -> None:
    """temp.facets: by event the ends of the feeds that it belongs to for what its notice is, or its list: '', /region/330106, /violation/…"""
    region, violation, seriousness, authority = columns(connection, "notices", "region_code", "violation_type", "seriousness", "authority")
    connection.execute("DROP TABLE IF EXISTS temp.facets")
    connection.execute("CREATE TEMP TABLE facets (event INTEGER, facet TEXT, PRIMARY KEY (event, facet)) WITHOUT ROWID")
    connection.execute("DROP TABLE IF EXISTS temp.placed")
    connection.execute("CREATE TEMP TABLE placed (event INTEGER PRIMARY KEY, region TEXT NOT NULL)")
    here = """temp.numbered e CROSS JOIN main.notices h ON h.id = e.id AND h.release_from <= :release AND coalesce(h.release_to > :release, 1)
      WHERE e.what = 'notice' AND e.kind NOT IN ('tombstone', 'removal')"""
    connection.execute("INSERT INTO temp.facets SELECT number, '' FROM temp.numbered ORDER BY 1")
    for facet, code in (("violation", violation), ("seriousness", seriousness), ("authority", f"authority_key({authority})")):
        connection.execute(
            f"INSERT INTO temp.facets SELECT e.number, '/{facet}/' || {code} FROM {here} AND {code} IS NOT NULL", {"release": release}
        )
    connection.execute(f"INSERT INTO temp.placed SELECT e.number, {region} FROM {here} AND {region} IS NOT NULL", {"release": release})
    connection.execute("INSERT INTO temp.placed SELECT number, region FROM temp.numbered WHERE what = 'listing' AND region <> ''")
    connection.execute("DROP TABLE IF EXISTS temp.above")
    connection.execute("CREATE TEMP TABLE above (code TEXT, above TEXT, PRIMARY KEY (code, above)) WITHOUT ROWID")
    codes = [code for (code,) in connection.execute("SELECT DISTINCT region FROM temp.placed ORDER BY 1") if code != COUNTRY]
    regions = catalogue.regions
    connection.executemany(
        "INSERT OR IGNORE INTO temp.above VALUES (?, ?)",
        ((code, above) for code in codes for above in (code, *(row.code for row in regions.ancestors(code)))),
    )
    connection.execute(
        "INSERT INTO temp.facets SELECT p.event, '/region/' || a.above FROM temp.placed p CROSS JOIN temp.above a ON a.code = p.region"
    )


def _belong(connection: sqlite3.Connection) -> None:
    """Enter the events into their feeds."""
    connection.execute("DROP TABLE IF EXISTS temp.belongs")
    connection.execute("CREATE TEMP TABLE belongs (feed TEXT, event INTEGER, PRIMARY KEY (feed, event)) WITHOUT ROWID")
    of_notices = "temp.numbered e CROSS JOIN temp.facets f ON f.event = e.number WHERE e.what = 'notice'"
    places = "(f.facet = '' OR f.facet GLOB '/region/*')"
    # where its entry stands already, in readers' hands; one of its own is beside the notice's wherever that is
    stands = f"""temp.numbered e CROSS JOIN main.feed_events o ON o.what = 'notice' AND o.id = e.id AND o.kind NOT IN {OWN} AND o.number < (SELECT min(number) FROM temp.numbered)
      CROSS JOIN main.feed_items i ON i.event = o.number WHERE e.what = 'notice'"""
    for sql in (
        f"SELECT 'records' || f.facet, e.number FROM {of_notices}",
        f"SELECT 'notices' || f.facet, e.number FROM {of_notices} AND e.spreads",
        f"SELECT i.feed, e.number FROM {stands} AND i.feed NOT GLOB 'corrections*' AND (i.feed NOT GLOB 'notices*' OR e.is_alert)",
        f"SELECT 'corrections' || f.facet, e.number FROM {of_notices} AND {places} AND (e.kind IN ('correction', 'dispute') OR (e.kind = 'removal' AND e.cause <> '{NO_CORRECTION}'))",
        f"SELECT 'corrections' || substr(i.feed, 8), e.number FROM {stands} AND i.feed GLOB 'records/region/*' AND e.kind = 'removal' AND e.cause <> '{NO_CORRECTION}'",
        "SELECT 'listings' || f.facet, e.number FROM temp.numbered e CROSS JOIN temp.facets f ON f.event = e.number WHERE e.what = 'listing'",
        "SELECT 'releases', number FROM temp.numbered WHERE what = 'release'",
    ):
        connection.execute(f"INSERT OR IGNORE INTO temp.belongs {sql}")
    connection.execute("DROP TABLE IF EXISTS temp.ends")
    connection.execute(
        """CREATE TEMP TABLE ends AS SELECT feed, coalesce((SELECT max(seq) FROM main.feed_items i WHERE i.feed = b.feed), 0) AS seq
        FROM (SELECT DISTINCT feed FROM temp.belongs) b"""
    )
    connection.execute(
        """INSERT INTO main.feed_items SELECT b.feed, e.seq + row_number() OVER (PARTITION BY b.feed ORDER BY b.event), b.event
        FROM temp.belongs b JOIN temp.ends e USING (feed) ORDER BY 1, 2"""
    )
