"""One database, one sequence of bytes: the home of apsw.

SQLite files with the same rows differ by free pages, the order of inserts, and three counters in the header that say how often and by
which version the file was written. Tables with a rowid are laid out in the order of their keys, with rowids from 1 on: else who puts a row
where it belongs would have other bytes than who had it from the first. VACUUM INTO with a pinned SQLite lays the pages out anew, and the
counters are then set to constants (bytes 24-27 change counter, 40-43 schema cookie, 92-99 version-valid-for and version number:
https://www.sqlite.org/fileformat.html). The result was the same under every SQLite from 3.42 to 3.54. So the bytes are a function of the
rows and of the schema as it stands in sqlite_schema: what was declared in another order is another file.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import apsw

CHANGES = 1  # bytes 92-95 must repeat it, or readers distrust the page count in the header
WRITTEN_BY = 3042000  # the version number of the oldest SQLite that was shown to give the same bytes


def canonical(source: Path, target: Path) -> None:
    """Write the rows of `source` to `target`, whole or not at all, in the one form that they have."""
    part, ordered = (target.with_name(f"{target.name}{end}.part") for end in ("", ".ordered"))
    part.unlink(missing_ok=True)
    try:
        with closing(apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
            unordered = list(_unordered(connection))
            if not unordered:
                _vacuum(connection, part)
        if unordered:
            shutil.copyfile(source, ordered)
            with closing(apsw.Connection(str(ordered), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI)) as connection:
                _order(connection, source, unordered)
                _vacuum(connection, part)
    except (apsw.FullError, apsw.IOError, apsw.CantOpenError) as error:
        raise OSError(errno.ENOSPC, f"cannot be written ({error})", str(target)) from error
    finally:
        ordered.unlink(missing_ok=True)
    with open(part, "r+b") as file:
        for offset, value in ((24, CHANGES), (40, 1), (92, CHANGES), (96, WRITTEN_BY)):
            file.seek(offset)
            file.write(value.to_bytes(4, "big"))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, target)


def _vacuum(connection: apsw.Connection, target: Path) -> None:
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute("VACUUM main INTO ?", (str(target),))


def _unordered(connection: apsw.Connection) -> Iterator[tuple[str, str]]:
    """Name and key of the tables that are not in the order of their keys."""
    tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND wr = 0 AND name NOT LIKE 'sqlite_%'"
    for (name,) in connection.execute(f"{tables} ORDER BY name").fetchall():
        keys = connection.execute("SELECT name, type FROM pragma_table_info(?) WHERE pk", (name,)).fetchall()
        if len(keys) != 1 or keys[0][1] == "INTEGER":  # without a key there is no order; an INTEGER key is the rowid itself
            continue
        key = str(keys[0][0])
        places = f'SELECT rowid AS has, row_number() OVER (ORDER BY "{key}") AS place FROM "{name}"'  # read from the key's own index
        if connection.execute(f"SELECT EXISTS (SELECT 1 FROM ({places}) WHERE has <> place)").fetchall()[0][0]:
            yield str(name), key


def _order(connection: apsw.Connection, source: Path, tables: list[tuple[str, str]]) -> None:
    """Fill tables of a copy of `source` anew, in the order of their keys."""
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("ATTACH ? AS source", (f"file:{quote(str(source))}?mode=ro&immutable=1",))
    connection.execute("BEGIN")
    for name, key in tables:
        connection.execute(f'DELETE FROM main."{name}"')
        connection.execute(f'INSERT INTO main."{name}" SELECT * FROM source."{name}" ORDER BY "{key}"')
    connection.execute("COMMIT")
