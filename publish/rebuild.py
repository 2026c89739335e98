"""Make the mingbai.db of any release again, of history alone: for an operator, when its files are no longer kept or are damaged.

History has every row with the releases that showed it, and what made the tables of each release. The rows go in by their keys and the file
into its canonical form, so that it is the one that was published, to the byte: it is held against its hash and is not there where it is
another. It shows that history is whole, and not that the snapshots give the same. It is no publication: notices that have ended since are in it. Those that were withdrawn are not, as they are not in the release itself.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .canonical import canonical
from .catalogue import Catalogue
from .downloads import DATABASE, Issue, downloads
from .errors import BadHome
from .filed import read, shared
from .home import DOWNLOADS, Home, to_read
from .release import file_sha256
from .tables import Working, working


@dataclass(frozen=True)
class Rebuilt:
    """`sha256` is that of the file and of what was published, as its manifest says or, where it is not `kept`, history alone."""

    sha256: str
    kept: bool


def rebuild(home: Home, release: str, target: Path) -> Rebuilt:
    """Write the database of a release to `target`, for its owner's eyes only (0600), and hold it against the hash that was published.

    Raises BadHome for a target that is there or is in the home, which is served, and as from_history does.
    """
    if target.exists():
        raise BadHome(f"{target}: is there already; name a file that is not")
    if not target.parent.is_dir() or target.resolve().is_relative_to(home.path.resolve()):
        raise BadHome(f"{target}: is in the home or in no folder; what is rebuilt is for its operator alone: name a file elsewhere")
    try:
        published = home.manifest(release)["files"]["mingbai.db"]["sha256"] if release in home.release_ids() else None
    except (BadHome, KeyError):  # damaged: what it should be is known from history
        published = None
    return Rebuilt(from_history(home.history, release, target, published), published is not None)


def rebuild_downloads(home: Home, catalogue: Catalogue, release: str, database: Path) -> list[str]:
    """Make the downloads of a release again in `downloads/` beside its database (0700). Returns the names of those that are other bytes than were
    published: none, where the declarations and the libraries are those of then.

    Raises BadHome where the folder is there, and for a release that is no longer kept, of which nobody knows what was published.
    """
    folder = database.parent / DOWNLOADS
    if database.name != DATABASE or folder.exists():
        raise BadHome(f"{folder}: name a {DATABASE} in a folder without {DOWNLOADS}/: they are made beside it")
    published, manifest = read(home.releases / release), home.manifest(release)
    if not published:
        raise BadHome(f"{home.releases / release}: has no downloads that could be made again")
    versions = {dataset: one["version"] for dataset, one in manifest.get("versions", {}).items()}
    with tempfile.TemporaryDirectory(prefix=".rebuild-", dir=database.parent) as part:  # 0700, and gone if it fails
        shared(database, Path(part) / DATABASE)
        made = downloads(Path(part), catalogue, Issue(release, manifest["released_on"], versions))
        os.chmod(Path(part) / DOWNLOADS, 0o700)
        os.rename(Path(part) / DOWNLOADS, folder)
    before, after = published["files"], made["files"]
    return sorted(name for name in {*before, *after} if before.get(name, {}).get("sha256") != after.get(name, {}).get("sha256"))


def from_history(history: Path, release: str, target: Path, published: str | None = None) -> str:
    """Write the database of a release to `target` and return its hash. `published` is its hash in its manifest, where that is kept.

    Raises BadHome, and leaves no file, for a release that history does not know or has no hash or no shape of, and where what it gives has
    another hash: then history is damaged, a withdrawal is half carried out, or a column was hidden and shown again since.
    """
    if not history.is_file():
        raise BadHome(f"{history}: is not there, and a release is made again of it alone; restore it from a copy")
    with tempfile.TemporaryDirectory(prefix=".rebuild-", dir=target.parent) as folder:  # 0700
        work, made = Path(folder) / "work.db", Path(folder) / "mingbai.db"
        with working(work) as connection:
            connection.execute("ATTACH ? AS history", [to_read(history)])
            number, entered = _entry(connection, history, release)
            connection.execute("BEGIN")
            _fill(connection, number, _statements(connection, history, release, number))
            connection.execute("COMMIT")
        canonical(work, made)
        os.chmod(made, 0o600)
        found, expected = file_sha256(made), published or entered
        if found != expected:
            raise BadHome(
                f"{history}: gives another database for release {release} (sha256 {found[:12]}) than was published ({str(expected)[:12]}), and no file was written; where a withdrawal is half carried out `mingbai run` ends it, else restore the release or the history from a copy"
            )
        os.replace(made, target)
    return found


def _entry(connection: Working, history: Path, release: str) -> tuple[int, str | None]:
    known = {row[1] for row in connection.execute("PRAGMA history.table_info(releases)")}
    sha256 = "sha256" if "sha256" in known else "NULL"
    rows = connection.all(f"SELECT number, {sha256} FROM history.releases WHERE id = ?", [release])
    if not rows:
        ids = [id for (id,) in connection.all("SELECT id FROM history.releases ORDER BY number")]
        those = f"it has {len(ids)}, {ids[0]} to {ids[-1]}" if ids else "it has none"
        raise BadHome(f"{history}: does not know release {release}; {those}")
    number, entered = rows[0]
    return int(number), entered


def _statements(connection: Working, history: Path, release: str, number: int) -> list[str]:
    """What made the tables and indexes of a release, in the order of its file."""
    last = "SELECT max(release) FROM history.shapes WHERE release <= ?"
    there = connection.all("SELECT 1 FROM history.sqlite_master WHERE name = 'shapes'")
    found = connection.all(f"SELECT sql FROM history.shapes WHERE release = ({last}) ORDER BY place", [number]) if there else []
    if not found:
        raise BadHome(
            f"{history}: entered release {release} before it kept the shape and the hash of a release, so it cannot be made again; restore the release from a copy"
        )
    return [sql for (sql,) in found]


def _fill(connection: Working, number: int, statements: list[str]) -> None:
    """The tables, their rows of that release in the order of their keys, and then the indexes."""
    later = [sql for sql in statements if not sql.startswith("CREATE TABLE")]
    for sql in statements:
        if sql not in later:
            connection.execute(sql)
    tables = [
        name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table' ORDER BY name = 'documents'")
    ]
    naming = [table for table in tables if "document_id" in _columns(connection, table)]
    named = " UNION ".join(f'SELECT document_id FROM main."{table}" WHERE document_id IS NOT NULL' for table in naming)
    for table in tables:
        columns = ", ".join(f'"{name}"' for name in _columns(connection, table))
        key = ", ".join(f'"{name}"' for name in _columns(connection, table, key=True))
        # a document that was of a withdrawn notice too went with it where nothing else in that release named it
        only = f"AND id IN ({named})" if table == "documents" else ""
        connection.execute(
            f"""INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM history."{table}"
            WHERE release_from <= ?1 AND coalesce(release_to > ?1, 1) {only} ORDER BY {key}""",
            [number],
        )
    for sql in later:
        connection.execute(sql)


def _columns(connection: Working, table: str, key: bool = False) -> Iterator[str]:
    """The columns of a table in their order, or those of its key in theirs."""
    rows = connection.all(f'PRAGMA main.table_info("{table}")')
    if key:
        rows = sorted((row for row in rows if row[5]), key=lambda row: row[5])
    yield from (row[1] for row in rows)
