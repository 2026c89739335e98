"""Write an index of full texts: one SQLite file, the same bytes for the same documents (by one version of SQLite)."""

import json
import os
import sqlite3
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from .document import Document
from .fold import fold
from .texts_runs import bits, of
from .texts_tree import TEXT, tokens

FORMAT = "mingbai texts 1"
BATCH = 1_000  # documents held at a time


@dataclass(frozen=True, slots=True)
class Field:
    """What documents are searched by. `kind` is TEXT, KEYWORD, DATE (a day, month or year) or NUMBER; `called` are its names in a query; `labels` are
    words for its values, which a query may use for them."""

    name: str
    kind: str
    called: tuple[str, ...] = ()
    weight: float = 1.0
    labels: Mapping[str, str] = field(default_factory=dict)


def build_texts(path: Path, documents: Iterable[Document], fields: Sequence[Field]) -> int:
    """Write the index to `path`, whole or not at all, and return the number of documents.

    Documents come in the order of their rank, best first; their texts are in `fields`, their values in `facets`. Raises ValueError for a document out of
    order, an id that comes twice, a text or value of no field, and a name that two fields have. An index at `path` stays until the new one is on the disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        count = _write(part, documents, fields)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


def _write(part: Path, documents: Iterable[Document], fields: Sequence[Field]) -> int:
    names = [called for one in fields for called in {fold(called) for called in (one.name, *one.called)}]
    if len(names) != len(set(names)):
        raise ValueError(f"{max(names, key=names.count)!r} is the name of two fields; a query would not say which")
    texts = [one.name for one in fields if one.kind == TEXT]
    values = {one.name: _Values() for one in fields if one.kind != TEXT}
    columns = ", ".join(f"c{number}" for number in range(len(texts)))
    insert = f"INSERT INTO texts (rowid, id, {columns}) VALUES ({', '.join('?' * (len(texts) + 2))})"  # noqa: S608
    connection = sqlite3.connect(part, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # nobody reads the file before it is renamed
        connection.execute("PRAGMA synchronous = OFF")  # one fsync at the end
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
        connection.execute("CREATE TABLE documents (place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT")
        connection.execute("CREATE TABLE facets (name TEXT PRIMARY KEY, known TEXT NOT NULL, codes BLOB NOT NULL) STRICT, WITHOUT ROWID")
        # FTS5 keeps the tokens beside their postings, so that who looks for what must not be there finds it in the bytes
        connection.execute(f"CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, {columns}, tokenize = 'ascii')")
        runs: set[tuple[str, ...]] = set()
        rows, count = _rows(documents, texts, values, runs), 0
        while batch := list(islice(rows, BATCH)):
            connection.executemany("INSERT OR IGNORE INTO documents VALUES (?, ?)", [row[:2] for row in batch])
            connection.executemany(insert, batch)
            count += len(batch)
        if connection.execute("SELECT count(*) FROM documents").fetchone()[0] != count:
            raise ValueError("a document comes twice; an id names one document")
        connection.executemany("INSERT INTO facets VALUES (?, ?, ?)", [(name, *made.stored()) for name, made in sorted(values.items())])
        connection.execute("CREATE TABLE runs (bits BLOB NOT NULL) STRICT")
        connection.execute("INSERT INTO runs VALUES (?)", [bits(runs, len(runs))])
        described = [[one.name, one.kind, list(one.called), one.weight, dict(sorted(one.labels.items()))] for one in fields]
        about = {"format": FORMAT, "fields": json.dumps(described, ensure_ascii=False)}
        connection.executemany("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
        connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        connection.execute("COMMIT")
        connection.execute("VACUUM")
    finally:
        connection.close()
    return count


class _Values:
    """The values of one field: each combination of them that occurs once, and of each document which one it has; 0 is none."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, ...], int] = {(): 0}
        self.codes = array("I")

    def add(self, value: str | tuple[str, ...]) -> None:
        made = (value,) if isinstance(value, str) else tuple(value)
        self.codes.append(self.known.setdefault(made, len(self.known)))

    def stored(self) -> tuple[str, bytes]:
        codes = self.codes[:]
        if sys.byteorder == "big":
            codes.byteswap()
        return json.dumps(list(self.known), ensure_ascii=False), codes.tobytes()


def _rows(
    documents: Iterable[Document], texts: Sequence[str], values: Mapping[str, _Values], runs: set[tuple[str, ...]]
) -> Iterator[tuple[object, ...]]:
    """Each document under its place in the order, with the tokens of its texts; its values are added to `values`, what stands in its texts to `runs`."""
    last = None
    for place, document in enumerate(documents, 1):
        if last is not None and document.rank < last:
            raise ValueError(
                f"document {document.id!r} has rank {document.rank} and comes after rank {last}; hand documents over in their order"
            )
        last = document.rank
        if unknown := (document.fields.keys() - set(texts)) | (document.facets.keys() - values.keys()):
            raise ValueError(f"document {document.id!r} has {min(unknown)!r}, which is no field; fields are {', '.join((*texts, *values))}")
        for name, column in values.items():
            column.add(document.facets.get(name) or ())
        said = {name: tokens(document.fields[name]) for name in texts if name in document.fields}
        for made in said.values():
            runs.update(of(made))
        yield (place, document.id, *(" ".join(said[name]) if name in said else None for name in texts))
