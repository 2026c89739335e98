"""feeds/ID.db: what the site serves of feeds, made for each live release as past/ID.db is: before it goes live, and removed after the next one did.

It has the ledger (ledger.py) as it is, which statement a correction or dispute in it was, whom it tells of that is gone, what each feed is called and how far it goes, and the documents that are asked for most, made ahead
(documents.py). All of it may be public: the ledger has no text, what is gone has the name that /changes tells, and the documents say what the live release says.

It says as well what it was made for, the site's address and the hubs, so that whoever gives none goes on with them; by which code; and when its documents
became what they are. That moves with every byte of them and is the same wherever the same releases were made: with each release, and by a second where
the same release is made again and says something else, as with another address or in another form of this file.
"""

import gzip
import os
import sqlite3
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from .catalogue import Catalogue
from .coverage import coverage, sources_on
from .documents import asking, recipe, write_documents
from .entries import CODES, FACETS, authority_key, instant
from .errors import BadHome
from .home import Home, release_order, sync
from .tables import Working, working
from .wording import FOLDER, LANGUAGES

VERSION = 2  # of this form; a file of another one is made again
MADE_OF = (  # what decides, beside documents.py and what that looks at, what the file says: the code of it, and the words
    *(
        Path(__file__).with_name(f"{name}.py")
        for name in ("amounts", "answering", "coverage", "feedfile", "fresh", "meant", "regions", "rules", "telling", "wording")
    ),
    *(FOLDER / f"{lang}.yml" for lang in LANGUAGES),
)
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
LOOKS = (  # at every row: a file that was cut or overwritten fails at one of them
    "SELECT max(day) FROM releases",
    "SELECT max(kind) FROM feed_events",
    "SELECT max(event) FROM feed_items",
    "SELECT max(act) FROM feed_acts",
    "SELECT max(name) FROM feed_gone",
    "SELECT max(first) FROM feeds",
    "SELECT max(size) FROM documents",
)
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
OTHER = " UNION ALL ".join(
    f"SELECT * FROM (SELECT feed, form, etag FROM {one}.documents EXCEPT SELECT feed, form, etag FROM {other}.documents)"
    for one, other in (("main", "before"), ("before", "main"))
)


def feedfile(home: Home, catalogue: Catalogue, release: Path, identifier: str, site: str, hubs: Sequence[str] = ()) -> Path:
    """Make the file of a release in history, whole or not at all; `release` is its folder. Returns where it is."""
    target = home.feeds / f"{identifier}.db"
    part = target.with_name(f".{target.name}.part")
    home.feeds.mkdir(exist_ok=True)
    before = _before(home)
    try:
        _make(part, home, catalogue, release, identifier, site, hubs, before)
    except Exception:  # whatever a damaged file before leads to: nothing needs it
        if before is None:
            raise
        _make(part, home, catalogue, release, identifier, site, hubs, None)
    sync(part)
    os.replace(part, target)
    sync(home.feeds)
    return target


def made_for(home: Home) -> tuple[str, tuple[str, ...]] | None:
    """The site's address and the hubs that the feeds of the live release are made for; None where nothing says so."""
    try:
        path = home.feeds / f"{home.live()}.db"
        with closing(_read_only(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'made'").fetchone():
                ((document,),) = connection.execute("SELECT gzip FROM documents WHERE feed = 'releases' AND form = 'json'")
                return _said_by(document)
            site, hubs = connection.execute("SELECT site, hubs FROM made").fetchone()
        return str(site), tuple(orjson.loads(hubs))
    except (BadHome, OSError, EOFError, sqlite3.Error, zlib.error, KeyError, TypeError, ValueError):
        return None  # no release, none of these files, or a damaged one: whoever reads that says so


def _said_by(document: bytes) -> tuple[str, tuple[str, ...]]:
    """What a document in JSON was made for: form 1 of the file had it nowhere else."""
    said = orjson.loads(gzip.decompress(document))
    return said["feed_url"].removesuffix("/feeds/releases.json"), tuple(hub["url"] for hub in said.get("hubs", ()))


def moved(home: Home, site: str, hubs: Sequence[str]) -> str | None:
    """A line where feeds are about to be made for another address or other hubs than before."""
    before = made_for(home)
    if before is None or before == (site, tuple(hubs)):
        return None
    now, was = (f"{address} with {', '.join(given) or 'no hub'}" for address, given in ((site, hubs), before))
    return f"feeds are now made for {now}; before it was {was}"


def _make(
    part: Path, home: Home, catalogue: Catalogue, release: Path, identifier: str, site: str, hubs: Sequence[str], before: Path | None
) -> None:
    part.unlink(missing_ok=True)
    live = _read_only(release / "mingbai.db")
    try:
        with working(part) as connection:
            connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("ATTACH ? AS history", [f"file:{quote(str(home.history))}?mode=ro"])
            connection.execute("ATTACH ? AS live", [f"file:{quote(str(release / 'mingbai.db'))}?mode=ro"])
            connection.execute("BEGIN")
            _told(connection)
            _acts(connection)
            if "name" in {column.name for column in catalogue.tables["institutions"].published}:
                connection.execute(GONE)
            _feeds(connection, catalogue)
            _silence(connection, live, catalogue, orjson.loads((release / "manifest.json").read_bytes()), identifier)
            connection.execute("COMMIT")
            for name in ("history", "live"):
                connection.execute(f"DETACH {name}")
            write_documents(connection, live, catalogue, site, hubs, before)
            modified = _modified(connection, home, identifier, before).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            connection.execute(
                "INSERT INTO main.made VALUES (?, ?, ?, ?)", [site, orjson.dumps(list(hubs)).decode(), _made_by(catalogue), modified]
            )
    finally:
        live.close()


def _modified(connection: Working, home: Home, identifier: str, before: Path | None) -> datetime:
    """When the documents became what they are: with the release, and always later than others were that they take the place of."""
    if before is None:
        was = _of_another_form(home)
        return max(instant(identifier), was + timedelta(seconds=1)) if was else instant(identifier)
    connection.execute("ATTACH ? AS before", [f"file:{quote(str(before))}?mode=ro&immutable=1"])
    ((text,),) = connection.execute("SELECT modified FROM before.made")
    is_other = bool(list(connection.execute(f"{OTHER} LIMIT 1")))
    connection.execute("DETACH before")
    was = datetime.fromisoformat(text)
    return max(instant(identifier), was + timedelta(seconds=1)) if is_other else was


def _of_another_form(home: Home) -> datetime | None:
    """When the live release's documents became what they are, where their file is of another form, whose documents may say something else."""
    live = home.live()
    path = home.feeds / f"{live}.db"
    if live is None or _version(path) in (None, 0, VERSION):  # 0: torn
        return None
    was = instant(live)
    for table in ("made", "documents"):  # form 1 said it of each document
        with suppress(sqlite3.Error, TypeError, ValueError), closing(_read_only(path)) as connection:
            ((text,),) = connection.execute(f"SELECT max(modified) FROM {table}")
            was = max(was, datetime.fromisoformat(text))
    return was


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)


def has_feeds(home: Home, catalogue: Catalogue, identifier: str) -> bool:
    """Whether the file of a release is there, in the form that it has today and made by the code and labels of today, and can be read."""
    path = home.feeds / f"{identifier}.db"
    return _version(path) == VERSION and _is_whole(path, _made_by(catalogue))


def _made_by(catalogue: Catalogue) -> str:
    """All that makes documents of a release: what the file was made by. Sources' declarations make none, and not every command is given them all."""
    tables = [
        (table.name, table.label, [(column.name, column.label) for column in table.columns.values()]) for table in catalogue.tables.values()
    ]
    labels = [tables, [(name, table.rows) for name, table in catalogue.codes.items()], catalogue.regions.rows()]
    made_by = orjson.dumps([recipe(), [path.read_text("utf-8") for path in MADE_OF], labels])
    return blake2b(made_by, digest_size=16).hexdigest()


def _is_whole(path: Path, made_by: str) -> bool:
    """Whether every table can be read, as far as that takes no look at the packed documents, and this made them."""
    try:
        with closing(_read_only(path)) as connection:
            for sql in LOOKS:
                connection.execute(sql).fetchone()
            return bool(connection.execute("SELECT recipe FROM made").fetchall() == [(made_by,)])
    except sqlite3.DatabaseError:
        return False


def only(home: Home, identifier: str | None) -> None:
    """Remove the files of other releases: they may show what this one no longer does."""
    for path in home.feeds.glob("*.db") if home.feeds.is_dir() else ():
        if path.stem != identifier:
            path.unlink()


def _version(path: Path) -> int | None:
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        return int.from_bytes(file.read(100)[60:64], "big")  # user_version: https://www.sqlite.org/fileformat.html


def _before(home: Home) -> Path | None:
    """The file of the release that is live, whose documents need not be made again where they say the same."""
    path = home.feeds / f"{home.live()}.db"
    return path if _version(path) == VERSION else None


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
