"""Write an index: one SQLite file, the same bytes for the same documents (by one version of SQLite)."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

from .document import Document
from .fold import compact
from .grams import entire, grams, label, letters

FORMAT = "mingbai search 2"
TITLE = "title"
BATCH = 1_000  # documents held at a time; larger ones were not faster
BETWEEN = "\x1f"  # parts the fields of a stored document; never in a compact text


def build(path: Path, documents: Iterable[Document], weights: Mapping[str, float]) -> int:
    """Write the index to `path`, whole or not at all, and return the number of documents.

    `weights` says which fields there are and how much a match in each is worth; `title` weighs as the heaviest where it is not named.
    Documents come in the order of their rank, best first; memory does not grow with their number.

    Raises ValueError for a document out of order, an id that comes twice and a field without a weight. An index at `path` stays as it
    was until the new one is complete and on the disk.
    """
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        count = _write(part, documents, weights)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


def _write(part: Path, documents: Iterable[Document], weights: Mapping[str, float]) -> int:
    heaviest = max(weights.values(), default=1.0)
    weighed = {TITLE: heaviest, **weights}
    names = sorted(weighed, key=lambda name: (-weighed[name], name))
    columns = [f"c{number}" for number in range(len(names))]
    connection = sqlite3.connect(part, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # nobody reads the file before it is renamed
        connection.execute("PRAGMA synchronous = OFF")  # one fsync at the end
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID")
        connection.execute(
            "CREATE TABLE documents (rank INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, texts TEXT NOT NULL, facets TEXT NOT NULL) STRICT"
        )
        connection.execute(
            f"CREATE VIRTUAL TABLE grams USING fts5(labels, letters, identifiers, {', '.join(columns)}, content = '', columnsize = 0, tokenize = 'ascii')"
        )
        insert = (
            f"INSERT INTO grams (rowid, labels, letters, identifiers, {', '.join(columns)}) VALUES ({', '.join('?' * (len(columns) + 4))})"  # noqa: S608
        )
        count = 0
        rows = _rows(documents, names)
        while batch := list(islice(rows, BATCH)):
            connection.executemany("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", [stored for stored, _ in batch])
            connection.executemany(insert, [indexed for _, indexed in batch])
            count += len(batch)
        twice = connection.execute("SELECT id FROM documents GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1").fetchone()
        if twice:
            raise ValueError(f"document {twice[0]!r} comes twice; an id names one document")
        about = {"format": FORMAT, "fields": json.dumps([[name, weighed[name]] for name in names], ensure_ascii=False)}
        connection.executemany("INSERT INTO about VALUES (?, ?)", sorted(about.items()))
        connection.execute("INSERT INTO grams (grams) VALUES ('optimize')")
        connection.execute("COMMIT")
        connection.execute("VACUUM")
    finally:
        connection.close()
    return count


def _rows(documents: Iterable[Document], names: list[str]) -> Iterator[tuple[tuple[object, ...], tuple[object, ...]]]:
    """For each document what is stored and what is indexed, under its place in the order: FTS5 gives hits by rowid at no cost."""
    known = set(names)
    last = None
    for place, document in enumerate(documents, 1):
        if last is not None and document.rank < last:
            raise ValueError(
                f"document {document.id!r} has rank {document.rank} and comes after rank {last}; hand documents over in the order of their rank"
            )
        if unknown := document.fields.keys() - known:
            raise ValueError(
                f"document {document.id!r} has the field {min(unknown)!r}, which has no weight; weights are for {', '.join(names)}"
            )
        last = document.rank
        texts = dict(document.fields)
        if document.title not in texts.values():
            texts[TITLE] = f"{document.title}\n{texts[TITLE]}" if TITLE in texts else document.title
        identifiers = [value for value in map(compact, document.identifiers) if value]
        facets = {name: [values] if isinstance(values, str) else list(values) for name, values in sorted(document.facets.items())}
        labels = {
            label("kind", document.kind),
            *(label(f"facet.{name}", value) for name, values in facets.items() for value in values),
            *map(entire, identifiers),
        }
        values = [_prepared(texts[name]) if name in texts else _NOTHING for name in names]
        stored = BETWEEN.join(("\n".join(identifiers), *(lines for lines, _ in values)))
        title = document.title.encode("utf-8", "replace").decode()  # a lone surrogate is no text to SQLite
        yield (
            (place, document.id, document.kind, title, stored, json.dumps(facets)),
            (place, " ".join(sorted(labels)), letters(stored), grams(identifiers), *(found for _, found in values)),
        )


_NOTHING = ("", "")


@lru_cache(maxsize=1_024)  # an address is often given twice, a region or a class thousands of times
def _prepared(text: str) -> tuple[str, str]:
    """A text as it is stored and as it is indexed: its compact values, a line each, and their pairs."""
    values = [value for value in map(compact, text.splitlines()) if value]
    return "\n".join(values), grams(values)
