"""Apply deltas to a release's mingbai.db, for whoever keeps a copy: from the bytes of release A to those of release B, or to nothing.

A delta begins with the bytes that it is for and ends with the SHA-256 of its lines and, when its rows are in, of the bytes that it leads to. So one
that was lost, repeated, put in another order or altered is refused, and so is a copy that somebody wrote to. Everything is done beside the target, which
gets its name at the end. That a delta was made by the publisher is not proved by its own hashes: the published hash is in the release's SHA256SUMS.
Needs no home and no declarations: names come from the copy's own schema, values are bound. datasets/README.md has the same in 30 lines.
"""

import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import orjson

from .canonical import canonical
from .deltas import FORM
from .errors import BadDelta, BadHome
from .home import sync
from .release import file_sha256

LONGEST = 64 << 20  # bytes of a line: all rows that belong to one other
Key = tuple[str | int, ...]
OPS = ("add", "change", "remove", "parts")
WHOLE = "take the whole release, or the deltas that begin with yours (deltas/index.json)"


def _is_database(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def apply(base: Path, deltas: Sequence[Path], target: Path, expected: str | None = None) -> str:
    """Write to `target` what the deltas make, one after the other, of `base` (a mingbai.db or a release's folder). Returns its SHA-256.

    `expected` is the published SHA-256 of the last release's mingbai.db. Raises BadDelta for a delta that cannot be applied, and leaves `target` as it was.
    """
    source = base / "mingbai.db" if base.is_dir() else base
    if not source.is_file():
        raise BadHome(f"{source}: is no file; give the mingbai.db of a release, or the release's folder")
    if not target.parent.is_dir():
        raise BadHome(f"{target.parent}: is no folder; make it first")
    if target.exists() and not _is_database(target):
        raise BadHome(
            f"{target}: is there and is no SQLite database; give another name with --to, or the copy that is to be brought forward"
        )
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        work, step = Path(folder, "work.db"), Path(folder, "step.db")
        shutil.copyfile(source, work)
        at, last = file_sha256(work), None
        for path in deltas:
            head = _apply(work, path, at, last)
            canonical(work, step)
            at, last = file_sha256(step), head["to"]["release"]
            if at != head["to"]["sha256"]:
                raise BadDelta(
                    f"{path}: leads to {at}, expected {head['to']['sha256']}: it was altered or the publisher erred; get it again, or {WHOLE}"
                )
            os.replace(step, work)
        if expected is not None and at != expected.lower():
            raise BadDelta(f"{deltas[-1] if deltas else source}: leads to {at}, and {expected} was asked for; {WHOLE}")
        sync(work)
        os.replace(work, target)
    sync(target.parent)
    return at


def _apply(work: Path, path: Path, at: str, last: str | None) -> dict[str, Any]:
    """Put a delta's rows into `work`, whose bytes are `at` and whose release is `last`, where that is known. Returns its first line."""
    try:
        with open(path, "rb") as file, closing(sqlite3.connect(work, isolation_level=None)) as connection:
            return _Delta(path, file, connection).into(at, last)
    except OSError as error:
        raise BadDelta(f"{path}: cannot be read ({error.strerror}); get it again") from error


class _Delta:
    """One delta while it is read; knows the line that it is at."""

    def __init__(self, path: Path, file: BinaryIO, connection: sqlite3.Connection) -> None:
        self._path, self._file, self._connection = path, file, connection
        self._number, self._digest = 0, hashlib.sha256()

    def _bad(self, found: str, next_step: str = "get it again") -> NoReturn:
        raise BadDelta(f"{self._path}:{self._number}: {found}; {next_step}")

    def _read(self) -> Iterator[dict[str, Any]]:
        """The lines up to the last one, which says the SHA-256 of the others."""
        before = b""
        while data := self._file.readline(LONGEST + 1):
            self._digest.update(before)
            self._number += 1
            if not data.endswith(b"\n"):
                self._bad(f"a line of more than {LONGEST:,} bytes" if len(data) > LONGEST else "ends within a line, cut short")
            try:
                line = orjson.loads(data)
            except orjson.JSONDecodeError as error:
                self._bad(f"is no JSON ({error})")
            if not isinstance(line, dict):
                self._bad("expected an object")
            yield line
            before = data

    def into(self, at: str, last: str | None) -> dict[str, Any]:
        lines = self._read()
        head = self._head(next(lines, {}), at, last)
        self._columns, self._keys = _schema(self._connection)
        self._connection.execute("PRAGMA journal_mode=OFF")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("BEGIN")
        place: tuple[str, Key] = ("", ())
        for line in lines:
            if "table" not in line:
                break
            table, key = self._place(line)
            if (table, key) <= place:
                self._bad(
                    f"{table} {_shown(key)} comes after {place[0]} {_shown(place[1])}, expected the order of tables and keys: lines were moved or repeated"
                )
            place = table, key
            try:
                self._change(table, key, line)
            except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeError) as error:
                self._bad(f"{table} {_shown(key)}: {error}", f"it is for another file, or was altered: {WHOLE}")
        else:
            self._bad("has no last line with the SHA-256 of the others: it was cut short")
        self._end(line)
        self._connection.execute("COMMIT")
        return head

    def _head(self, line: Mapping[str, Any], at: str, last: str | None) -> dict[str, Any]:
        if line.get("mingbai_delta") != FORM:
            self._bad(
                f"mingbai_delta is {line.get('mingbai_delta')!r}, expected {FORM}",
                "give a delta of a release, as NDJSON, or a newer mingbai",
            )
        try:
            begins, to = line["from"], line["to"]
            release, accepted = str(begins["release"]), list(begins["sha256"])
            found = {"to": {"release": str(to["release"]), "sha256": str(to["sha256"])}}
        except (KeyError, TypeError):
            self._bad("expected from and to, each with release and sha256")
        if last is not None and release != last:
            self._bad(
                f"begins with release {release!r}, expected {last!r}: one is missing, repeated or out of order",
                "give the deltas of the releases in order",
            )
        if at not in accepted:
            self._bad(
                f"begins with release {release!r} ({', '.join(map(repr, accepted))}), and the file is {at}: another release, or written to",
                WHOLE,
            )
        return found

    def _end(self, line: Mapping[str, Any]) -> None:
        rows = self._number - 2
        if line.get("sha256") != self._digest.hexdigest() or line.get("lines") != rows:
            self._bad(
                f"{rows} rows and SHA-256 {self._digest.hexdigest()}, expected {line.get('lines')} and {line.get('sha256')}: a line was lost, repeated, moved or altered"
            )
        if self._file.read(1):
            self._number += 1
            self._bad("something follows the last line")

    def _place(self, line: Mapping[str, Any]) -> tuple[str, Key]:
        table, key, op = line["table"], line.get("key"), line.get("op")
        if not isinstance(table, str) or table not in self._keys:
            self._bad(f"table {str(table)[:100]!r} is not in the file, which has {', '.join(sorted(self._keys))}", WHOLE)
        if op not in OPS:
            self._bad(f"op {str(op)[:100]!r} is none of {', '.join(OPS)}")
        columns = self._keys[table][: 1 if op == "parts" else None]
        kinds = [self._columns[table][name] for name in columns]
        if not isinstance(key, list) or len(key) != len(kinds) or not all(map(_is_of, key, kinds)):
            self._bad(f"key {str(key)[:100]} of {table}, expected a value for each of {', '.join(columns)}")
        return table, tuple(key)

    def _change(self, table: str, key: Key, line: Mapping[str, Any]) -> None:
        op, named = line["op"], dict(zip(self._keys[table], key, strict=False))
        where, values = " AND ".join(f'"{name}" = ?' for name in named), list(key)
        if op == "change":
            fields = self._fields(table, line.get("set"), named)
            if not fields:
                self._bad(f"{table} {_shown(key)} is changed in nothing")
            assigned = ", ".join(f'"{name}" = ?' for name in fields)
            if self._connection.execute(f'UPDATE "{table}" SET {assigned} WHERE {where}', [*fields.values(), *values]).rowcount != 1:
                self._bad(f"{table} {_shown(key)} is changed and is not there", WHOLE)
            return
        if op in ("remove", "parts"):  # what is not there has been removed by a new issue
            self._connection.execute(f'DELETE FROM "{table}" WHERE {where}', values)
        rows = line.get("rows") if op == "parts" else [line.get("row")] if op == "add" else []
        if not isinstance(rows, list):
            self._bad(f"rows of {table}, expected a list")
        for row in rows:
            whole = named | self._fields(table, row, named if op == "add" else {})
            if any(whole.get(name) != value for name, value in named.items()):
                self._bad(f"a row of another {table} than {_shown(key)}")
            columns = ", ".join(f'"{name}"' for name in whole)
            self._connection.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({",".join("?" * len(whole))})', list(whole.values()))

    def _fields(self, table: str, fields: object, without: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(fields, dict):
            self._bad(f"fields of {table}, expected an object")
        for name, value in fields.items():
            if name not in self._columns[table] or name in without:
                self._bad(f"{table} has no field {name[:100]!r} that a row could have beside its key", WHOLE)
            if value is not None and not _is_of(value, self._columns[table][name]):
                self._bad(f"{table}.{name} is of another kind than {self._columns[table][name]}")
        return fields


def _is_of(value: object, kind: str) -> bool:
    return isinstance(value, {"TEXT": str, "INTEGER": int, "REAL": float}[kind]) and not isinstance(value, bool)


def _shown(key: Key) -> str:
    return repr(" ".join(str(one)[:100] for one in key))


def _schema(connection: sqlite3.Connection) -> tuple[dict[str, dict[str, str]], dict[str, tuple[str, ...]]]:
    """Kinds of the columns, and the columns of the key, by table."""
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
    rows = {table: connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", [table]).fetchall() for table in names}
    columns = {table: {name: kind for name, kind, _ in found} for table, found in rows.items()}
    keys = {table: tuple(name for name, _, place in sorted(found, key=lambda row: int(row[2])) if place) for table, found in rows.items()}
    return columns, keys
