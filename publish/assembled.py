"""What was assembled: the database of a candidate, what became of the records, and which of its rows may be public on a day.

Whoever changes such a database later (hold.py, restore.py, statements.py) asks here what has to be true of it afterwards. How it is filled is
assemble.py's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .dataset import Table
from .rules import ENDS
from .tables import Working

# What is public on a day: not ended, not dated in the future, and of ratings closed months only (an open one would show single ratings).
VISIBLE = {
    "notices": f"{ENDS['notices']} >= :day AND coalesce(s.decided_on, '') <= :day AND coalesce(s.published_on, '') <= :day",
    "listings": f"coalesce({ENDS['listings']}, :day) >= :day",
    "ratings": "s.month < substr(:day, 1, 7)",
}


@dataclass(frozen=True)
class Assembled:
    """The candidate for a release: its database and, for each main table, what became of the records (reason: how many)."""

    path: Path
    day: str
    accounting: Mapping[str, Mapping[str, int]]
    unusable: Mapping[str, tuple[int, int]]  # source/listing: records, and how many of them could not be used
    tables: Mapping[str, int]
    issues: Mapping[str, int]
    next_expiry: str | None  # the first day on which a published notice is no longer public


def next_expiry(connection: Working) -> str | None:
    """The last day on which everything that the candidate shows may be shown; None where nothing of it ends."""
    ends = " UNION ALL ".join(f"SELECT min({end}) AS day FROM main.{name} s" for name, end in ENDS.items())
    day: str | None = connection.one(f"SELECT min(day) FROM ({ends})")
    return day


def named_documents(tables: Iterable[Table]) -> str:
    """SQL for the ids of the documents that a row of these tables names."""
    naming = [table.name for table in tables if "document_id" in table.columns]
    return " UNION ".join(f'SELECT document_id FROM main."{name}" WHERE document_id IS NOT NULL' for name in naming)
