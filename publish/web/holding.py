"""Whether a file that is one with its hash may still be given out: a delta, a download. What of it may hurt somebody stands beside it in its release, and the live
release must still say all of that, in the same state and of notices with the same words and values (same.py; rules 5, 6). Nor may anything be in it that is hidden today
(rule 8). What cannot be read goes nowhere.
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from ..rules import HARMLESS
from ..same import fingerprint
from .ended import ended
from .older import allowed
from .reader import Reader, Row

HELD = {"notices": "notices", "statements": "notice_statements", "documents": "documents"}
WORDS_OF = {
    "notices": "SELECT * FROM notices WHERE id IN (SELECT value FROM json_each(?1))",
    "notice_statements": "SELECT * FROM notice_statements WHERE notice_id IN (SELECT value FROM json_each(?1))",
    "documents": "SELECT * FROM documents WHERE id IN (SELECT value FROM json_each(?1))",
}
ALL_OF = {table: sql.partition(" WHERE ")[0] for table, sql in WORDS_OF.items()}
MANY = 1_000  # 20,000 notices take half a second, for each release that is kept
RETRY_SECONDS = 3600  # the next run makes the live release's files anew
UNREADABLE = (OSError, sqlite3.Error, ValueError, KeyError, TypeError, AttributeError)


def sealed(folder: Path, name: str) -> Any:
    """JSON in a release, as its manifest knows it. Raises ValueError for other bytes."""
    data, manifest = (folder / name).read_bytes(), orjson.loads((folder / "manifest.json").read_bytes())
    if hashlib.sha256(data).hexdigest() != manifest["files"][name]["sha256"]:
        raise ValueError(f"{name}: is not what the manifest says")
    return orjson.loads(data)


def still(live: Reader, today: str, holds: Mapping[str, list[list[str]]]) -> bool:
    """Whether the live release says today of all that may hurt somebody that it is public, in the same state and in the same words."""
    found, over = allowed(live, today), _documents_over(live, today)
    notices, statements, documents = (_words(live, today, table, holds[name]) for name, table in HELD.items())
    return (
        all(found.states.get(id) == state and notices.get((id,)) == words for id, state, words in holds["notices"])
        and all(statements.get((id, number)) == words for id, number, words in holds["statements"])
        and all(tuple(pair) in found.links for pair in holds["links"])
        and all(
            tuple(code) in found.codes for code in holds.get("codes", ())
        )  # one from before they were held has its notices in other words
        and all((id, institution or None, name) in found.listings for id, institution, name in holds["listings"] if name not in HARMLESS)
        and all(words and documents.get((id,)) == words and id not in over for id, words in holds["documents"])
    )


def _documents_over(live: Reader, today: str) -> frozenset[str]:
    """The documents of the live release that only what is over names: its table has them until the next run."""
    return live.once(today, "documents over", lambda: frozenset(orjson.loads(ended(live, today).gone["documents"])))


def _words(live: Reader, today: str, table: str, held: list[list[Any]]) -> Mapping[tuple[Any, ...], str | None]:
    """The fingerprints of the live release's rows of those that are held, by their keys; where these are many, of all, once a day for every release."""
    if len(held) > MANY:
        return live.once(today, f"words of {table}", lambda: _fingerprints(table, live.rows(ALL_OF[table])))
    return _fingerprints(table, live.rows(WORDS_OF[table], orjson.dumps([row[0] for row in held]).decode()))


def _fingerprints(table: str, rows: list[Row]) -> dict[tuple[Any, ...], str | None]:
    return {(row["id"],) if "id" in row else (row["notice_id"], row["number"]): fingerprint(table, row) for row in rows}
