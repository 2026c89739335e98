"""Which notices our staff withdrew, read from the log of decisions: two different people have to, of one notice for one class of reason.

The log is what survives: every later extraction is held against it, and the source may carry the row for years (rule 6). A withdrawn decision
that comes again under another key is known by its number, its authority and whom it is about.
"""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from .audit import Entry
from .persons import person_key
from .tables import working

PEOPLE = 2
REASONS = (
    "revoked",
    "repaired",
    "refuted",
    "corrected",
    "personal_data",
)  # of datasets/codes/tombstone_reasons.csv, those that people decide
DECISION = ("document_no", "authority", "subject_name")  # what a decision is known by where its source numbers it anew


@dataclass(frozen=True)
class Withdrawal:
    """One notice that people withdrew. `on`: the day in China on which the last of them signed, None while one is missing."""

    notice: str
    reason: str
    names: tuple[str, ...]
    on: str | None
    decision: tuple[str, ...] | None


def withdrawals(log: Sequence[Entry]) -> Mapping[str, Withdrawal]:
    """By notice what people said of withdrawing it, those that wait for another name included."""
    signed: dict[tuple[str, str], dict[str, Entry]] = {}
    for entry in log:
        if entry.act == "withdraw":
            names = signed.setdefault((entry.about["notice"], entry.about["reason"]), {})
            names.setdefault(person_key(entry.by), entry)
    found: dict[str, Withdrawal] = {}
    for (notice, reason), names in signed.items():
        entries = list(names.values())
        on = entries[PEOPLE - 1].about["on"] if len(entries) >= PEOPLE else None
        if notice in found and found[notice].on is not None:
            continue  # what two people decided stays
        decision = entries[-1].about["decision"]
        made = Withdrawal(notice, reason, tuple(entry.by for entry in entries), on, tuple(decision) if decision else None)
        if on is not None or notice not in found:
            found[notice] = made
    return found


def carried(log: Sequence[Entry]) -> Mapping[str, Withdrawal]:
    """Those of which all the people have signed."""
    return {notice: one for notice, one in withdrawals(log).items() if one.on is not None}


def withhold(staged: Path, withdrawn: Mapping[str, Withdrawal]) -> int:
    """Mark in a staging file what was withdrawn, under whatever key its source gives it now. Returns how many rows."""
    if not withdrawn:
        return 0
    same = " AND ".join(f"coalesce({column}, '') = ?" for column in DECISION)
    mark = "UPDATE notices SET withheld = 'withdrawn' WHERE withheld IS NOT 'withdrawn' AND"
    with working(staged, journal="DELETE") as connection:
        connection.execute("BEGIN")
        rows = sum(connection.change(f"{mark} id = ?", [notice]) for notice in sorted(withdrawn))
        for one in withdrawn.values():
            if one.decision:
                rows += connection.change(f"{mark} {same}", one.decision)
        connection.execute("COMMIT")
    return rows


def in_database(path: Path, notices: Collection[str]) -> list[str]:
    """Which of these notices a database has."""
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    try:
        sql = "SELECT id FROM notices WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [notice for (notice,) in connection.execute(sql, [orjson.dumps(sorted(notices)).decode()])]
    finally:
        connection.close()
