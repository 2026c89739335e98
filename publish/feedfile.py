"""feeds/ID.db: what the site serves of feeds, made for each live release as past/ID.db is: before it goes live, and removed after the next one did.

It has what is told (feedtables.py) and the documents that are asked for most, made ahead (documents.py). All of it may be public: the documents say what
the live release says.

It says as well what it was made for, the site's address and the hubs, so that whoever gives none goes on with them; by which code; and when its documents
became what they are. That moves with every byte of them and is the same wherever the same releases were made: with each release, and by a second where
the same release is made again and says something else, as with another address or in another form of this file.
"""

import gzip
import os
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import orjson

from .catalogue import Catalogue
from .documents import recipe, write_documents
from .errors import BadHome
from .feedtables import fill_tables
from .happened import instant
from .home import Home, sync, to_read
from .tables import Working, working
from .wording import FOLDER, LANGUAGES

VERSION = 2  # of this form; a file of another one is made again
MADE_OF = (  # what decides, beside documents.py and what that looks at, what the file says: the code of it, and the words
    *(
        Path(__file__).with_name(f"{name}.py")
        for name in (
            "amounts",
            "answering",
            "coverage",
            "feedfile",
            "feedtables",
            "fresh",
            "meant",
            "regions",
            "rules",
            "telling",
            "wording",
        )
    ),
    *(FOLDER / f"{lang}.yml" for lang in LANGUAGES),
)
LOOKS = (  # at every row: a file that was cut or overwritten fails at one of them
    "SELECT max(day) FROM releases",
    "SELECT max(kind) FROM feed_events",
    "SELECT max(event) FROM feed_items",
    "SELECT max(act) FROM feed_acts",
    "SELECT max(name) FROM feed_gone",
    "SELECT max(first) FROM feeds",
    "SELECT max(size) FROM documents",
)
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
            connection.execute("ATTACH ? AS history", [to_read(home.history)])
            connection.execute("ATTACH ? AS live", [to_read(release / "mingbai.db")])
            connection.execute("BEGIN")
            fill_tables(connection, live, catalogue, orjson.loads((release / "manifest.json").read_bytes()), identifier)
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
    connection.execute("ATTACH ? AS before", [to_read(before, for_good=True)])
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
    return sqlite3.connect(to_read(path, for_good=True), uri=True)


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
