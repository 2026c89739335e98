"""What feeds/ID.db of a home says, for tests: the ledger, and the documents made ahead."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from publish.home import Home


def served(home: Home, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the file of the live release answers."""
    with closing(sqlite3.connect(f"file:{home.feeds / f'{home.live()}.db'}?mode=ro&immutable=1", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def document(home: Home, feed: str = "notices", form: str = "json") -> bytes:
    """A current document."""
    ((packed,),) = served(home, "SELECT gzip FROM documents WHERE feed = ? AND form = ?", feed, form)
    return gzip.decompress(packed)


def items(home: Home, feed: str = "notices") -> list[dict[str, Any]]:
    """The items of a current document; none of a feed that has told nothing, which has no document either."""
    if not served(home, "SELECT 1 FROM documents WHERE feed = ?", feed):
        return []
    found: list[dict[str, Any]] = json.loads(document(home, feed))["items"]
    return found


def everything_said(home: Home) -> bytes:
    """Every document of the live release, unpacked, and the bytes of the file."""
    documents = served(home, "SELECT gzip FROM documents ORDER BY feed, form")
    return b"".join(gzip.decompress(packed) for (packed,) in documents) + b"".join(path.read_bytes() for path in files(home))


def files(home: Home) -> list[Path]:
    return sorted(home.feeds.iterdir())
