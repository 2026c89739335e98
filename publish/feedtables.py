"""The tables of feeds/ID.db but the documents: the ledger as it is, what was settled with each event, who is gone, which feeds there are and how far each goes.

Made of history and of the release, both attached. All of it may be public: the ledger has no text, and what is gone has the name that /changes
tells. Which file they stand in, by what it was made and when it became so is feedfile.py's.
"""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from .catalogue import Catalogue
from .coverage import coverage, sources_on
from .documents import asking
from .families import CODES, FACETS, authority_key
from .home import release_order
from .tables import Working

SHOWN, MOST, DAYS = 100, 500, 7  # a current document has the newest so many numbers, and more where so many days have more
SCHEMA = """
CREATE TABLE made (site TEXT NOT NULL, hubs TEXT NOT NULL, recipe TEXT NOT NULL, modified TEXT NOT NULL) STRICT;
CREATE TABLE releases (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, day TEXT NOT NULL, mark TEXT NOT NULL) STRICT;
CREATE TABLE feed_events (
  number INTEGER PRIMARY KEY, release INTEGER NOT NULL REFERENCES releases(number), what TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT,
  is_alert INTEGER NOT NULL, region TEXT
) STRICT;
CREATE INDEX feed_events_by_release ON feed_events (release);
CREATE TABLE feed_acts (event INTEGER NOT NULL REFERENCES feed_events(number), act TEXT NOT NULL, statement INTEGER) STRICT;
CREATE INDEX feed_acts_by_event ON feed_acts (event);
CREATE TABLE feed_gone (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE feed_items (feed TEXT NOT NULL, seq INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (feed, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE feeds (
  feed TEXT PRIMARY KEY, family TEXT NOT NULL, facet TEXT, code TEXT, label_zh TEXT, label_en TEXT,
  first INTEGER NOT NULL, last INTEGER NOT NULL, updated TEXT,
  silence TEXT
) STRICT, WITHOUT ROWID;
"""
# what an event of its own was, by the release in which history first had the statement, or the dispute settled: no text, and the same for ever
FIRST = "SELECT notice_id, number, min(release_from) AS release FROM history.notice_statements"
ACTS = f"""INSERT INTO main.feed_acts SELECT e.number, s.act, s.number FROM (
    SELECT *, 'correction' AS kind, 'corrected' AS act FROM ({FIRST} WHERE kind = 'correction' GROUP BY 1, 2) UNION ALL
    SELECT *, 'dispute', 'raised' FROM ({FIRST} WHERE kind = 'dispute' GROUP BY 1, 2) UNION ALL
    SELECT *, 'dispute', 'settled' FROM ({FIRST} WHERE kind = 'dispute' AND settled_on IS NOT NULL GROUP BY 1, 2)
  ) s JOIN history.feed_events e ON e.id = s.notice_id AND e.what = 'notice' AND e.release = s.release AND e.kind = s.kind
  WHERE s.notice_id NOT IN (SELECT notice FROM history.withdrawn) ORDER BY 1, 3, 2"""
# a dispute of which its source alone says so
STATES = """INSERT INTO main.feed_acts SELECT e.number, iif(is_now.state = 'disputed', 'raised', 'settled'), NULL FROM main.feed_events e
    JOIN history.notices was ON was.id = e.id AND was.release_from < e.release AND coalesce(was.release_to >= e.release, 1)
    JOIN history.notices is_now ON is_now.id = e.id AND is_now.release_from <= e.release AND coalesce(is_now.release_to > e.release, 1)
  WHERE e.what = 'notice' AND e.kind = 'dispute' AND (was.state = 'disputed') <> (is_now.state = 'disputed')
    AND e.number NOT IN (SELECT event FROM main.feed_acts) AND e.id NOT IN (SELECT notice FROM history.withdrawn) ORDER BY 1"""
# the last public name of institutions whose listings are told of and that the release has no more: the past of the release tells it as well
GONE = """INSERT INTO main.feed_gone SELECT id, name FROM (
    SELECT h.id, h.name, max(h.release_from) FROM history.institutions h WHERE h.id IN (SELECT id FROM main.feed_events WHERE what = 'listing'
      EXCEPT SELECT id FROM live.institutions) GROUP BY h.id) WHERE name IS NOT NULL ORDER BY id"""


def fill_tables(connection: Working, live: sqlite3.Connection, catalogue: Catalogue, manifest: Mapping[str, Any], identifier: str) -> None:
    """Make and fill the tables in `connection`, in which history and the release are attached; `live` is the release by itself."""
    _told(connection)
    _acts(connection)
    if "name" in {column.name for column in catalogue.tables["institutions"].published}:
        connection.execute(GONE)
    _feeds(connection, catalogue)
    _silence(connection, live, catalogue, manifest, identifier)


def _told(connection: Working) -> None:
    """The ledger, as it is in history."""
    for statement in SCHEMA.split(";"):
        connection.execute(statement)
    connection.executemany("INSERT INTO main.releases VALUES (?, ?, ?, ?)", list(_marked(connection)))
    connection.execute(
        "INSERT INTO main.feed_events SELECT number, release, what, id, kind, cause, is_alert, region FROM history.feed_events ORDER BY number"
    )
    connection.execute("INSERT INTO main.feed_items SELECT feed, seq, event FROM history.feed_items ORDER BY feed, seq")


def _acts(connection: Working) -> None:
    """What was entered or settled of a notice with each correction and dispute. Nothing of one that was withdrawn: history forgets it when the release is live,
    and the file that is made again then has to be this one."""
    for table, column, sql in (("notice_statements", "number", ACTS), ("notices", "state", STATES)):
        if any(has[1] == column for has in connection.execute(f"PRAGMA history.table_info({table})")):
            connection.execute(sql)


def _marked(connection: Working) -> Iterator[tuple[int, str, str, str]]:
    """The releases with a mark of all that was told up to each: where two homes have the same one, their numbers mean the same up to there."""
    told = blake2b(digest_size=12)
    for number, id, day in list(connection.execute("SELECT number, id, day FROM history.releases ORDER BY number")):
        for event in connection.execute(
            """SELECT what, id, kind, cause, region, (SELECT group_concat(feed || ' ' || seq, ' ') FROM
              (SELECT feed, seq FROM history.feed_items WHERE event = e.number ORDER BY feed)) FROM history.feed_events e WHERE release = ? ORDER BY number""",
            [number],
        ):
            told.update(orjson.dumps([id, *event]))
        yield number, id, day, told.hexdigest()


def _feeds(connection: Working, catalogue: Catalogue) -> None:
    """The feeds: those that have told something, those of everything, and those of the same facet in the other families."""
    ends: dict[str, int] = dict(connection.execute("SELECT feed, max(seq) FROM main.feed_items GROUP BY feed"))
    facets = {feed.partition("/")[2] for feed in ends}
    wanted = {*ends, *FACETS}
    wanted |= {f"{family}/{facet}" for facet in facets for family, by in FACETS.items() if facet.partition("/")[0] in by}
    authorities = _authorities(connection, {facet.removeprefix("authority/") for facet in facets if facet.startswith("authority/")})
    rows = []
    for feed in sorted(wanted):
        family, _, rest = feed.partition("/")
        facet, _, code = rest.partition("/")
        labels = _labels(catalogue, facet, code, authorities) if facet else (None, None)
        rows.append((feed, family, facet or None, code or None, *labels, ends.get(feed, 0)))
    connection.executemany("INSERT INTO main.feeds VALUES (?, ?, ?, ?, ?, ?, 1, ?, NULL, NULL)", rows)
    connection.execute(
        f"""UPDATE main.feeds SET first = max(1, last + 1 - min({MOST}, max({SHOWN}, coalesce((SELECT last + 1 - min(i.seq) FROM main.feed_items i JOIN main.feed_events e ON e.number = i.event
          JOIN main.releases r ON r.number = e.release WHERE i.feed = feeds.feed AND i.seq > feeds.last - {MOST} AND (e.is_alert OR e.kind <> 'first')
          AND substr(r.id, 1, 10) > (SELECT date(max(substr(id, 1, 10)), '-{DAYS} days') FROM main.releases)), 0)))),
        updated = (SELECT r.id FROM main.feed_items i JOIN main.feed_events e ON e.number = i.event JOIN main.releases r ON r.number = e.release
          WHERE i.feed = feeds.feed AND i.seq = feeds.last)"""
    )


def _silence(connection: Working, live: sqlite3.Connection, catalogue: Catalogue, manifest: Mapping[str, Any], identifier: str) -> None:
    """Why a feed may be silent where something happened, as it was on the day of the release."""
    ask = asking(live)
    sources = sources_on(ask, manifest, release_order(identifier)[0])
    covered = coverage(ask, sources, manifest.get("held", ()), catalogue.regions)
    feeds = [feed for (feed,) in connection.execute("SELECT feed FROM main.feeds")]
    connection.executemany("UPDATE main.feeds SET silence = ? WHERE feed = ?", [(covered.of_feed(feed), feed) for feed in feeds])


def _authorities(connection: Working, keys: Collection[str]) -> Mapping[str, str]:
    """The names of authorities by their keys: of the notices that there are, and else of those that there were."""
    found: dict[str, str] = {}
    for side in ("live", "history"):
        if any(column[1] == "authority" for column in connection.execute(f"PRAGMA {side}.table_info(notices)")) and not found.keys() >= set(
            keys
        ):
            for (name,) in connection.execute(f"SELECT DISTINCT authority FROM {side}.notices WHERE authority IS NOT NULL ORDER BY 1"):
                found.setdefault(str(authority_key(name)), name)
    return found


def _labels(catalogue: Catalogue, facet: str, code: str, authorities: Mapping[str, str]) -> tuple[str, str]:
    """What a facet is called in Chinese and English; by its code where nobody knows any more."""
    if facet == "region":
        at = catalogue.regions.at(code)
        above = catalogue.regions.ancestors(code) if at else ()
        return (
            (catalogue.regions.name(code), ", ".join(row.name_en or row.name_zh for row in (at, *reversed(above)))) if at else (code, code)
        )
    if facet == "authority":
        return (authorities.get(code, code),) * 2
    table = catalogue.codes[CODES[facet]]
    return (table[code].label_zh, table[code].label_en) if code in table else (code, code)
