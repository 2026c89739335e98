"""Which notices our staff withdrew, read from the log of decisions: two different people have to, of one notice for one class of reason.

The log is what survives: every later extraction is held against it, and the source may carry the row for years (rule 6). Sources number their
records anew and print the same decision twice, so a withdrawal is of a *decision*: a row is that decision when its document number and whom it is
about are the same, however they are spelt, or, where one of them has no number, the day and whom. The log and history keep hashes of these.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unicodedata import normalize

import orjson

from .audit import Entry
from .persons import person_key
from .tables import working

PEOPLE = 2
# of datasets/codes/tombstone_reasons.csv, those that people decide
REASONS = ("revoked", "repaired", "refuted", "corrected", "personal_data")
KNOWN_BY = ("document_no", "decided_on", "subject_credit_code", "subject_name")  # columns of notices by which a decision is known again
_FORMS = re.compile("(有限责任公司|有限公司|股份有限公司|股份公司)$")  # a source that leaves them out means the same one
_PARTS = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True)
class Decision:
    """What a decision is known by: hashes of its number with whom it is about, and of its day with whom. Without a number the first are none."""

    numbered: frozenset[str]
    dated: frozenset[str]

    def is_also(self, other: "Decision") -> bool:
        """Whether they are one decision."""
        if self.numbered and other.numbered:
            return bool(self.numbered & other.numbered)
        return bool(self.dated & other.dated)


def decision(document_no: str | None, decided_on: str | None, credit_code: str | None, name: str | None) -> Decision:
    """What the decision of a notice is known by; the values are those of KNOWN_BY."""
    parts = _PARTS.findall(normalize("NFKC", document_no or ""))  # brackets, blanks and leading zeros are spelt as people like
    number = " ".join(person_key(part).lstrip("0") for part in parts)
    whom = [who for who in (credit_code, _FORMS.sub("", person_key(name or ""))) if who] or [""]
    numbered = {_hash("number", number, who) for who in whom} if number else set[str]()
    if number and whom == [""]:
        numbered = {_hash("number and day", number, decided_on or "")}
    return Decision(frozenset(numbered), frozenset(_hash("day", decided_on, who) for who in whom if decided_on and who))


def _hash(*parts: str) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Withdrawal:
    """One notice that people withdrew. `on`: the day in China on which the last of them signed, None while one is missing."""

    notice: str
    reason: str
    names: tuple[str, ...]
    on: str | None
    decision: Decision


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
        known = [Decision(frozenset(e.about["numbered"]), frozenset(e.about["dated"])) for e in entries]
        whole = Decision(frozenset().union(*(one.numbered for one in known)), frozenset().union(*(one.dated for one in known)))
        if on is not None or notice not in found:
            found[notice] = Withdrawal(notice, reason, tuple(entry.by for entry in entries), on, whole)
    return found


def carried(log: Sequence[Entry]) -> Mapping[str, Withdrawal]:
    """Those of which all the people have signed."""
    return {notice: one for notice, one in withdrawals(log).items() if one.on is not None}


def same(rows: Iterable[Sequence[Any]], withdrawn: Mapping[str, Withdrawal]) -> Iterator[tuple[str, Withdrawal]]:
    """The notices that were withdrawn, under whatever id: of rows of id and KNOWN_BY, those of one of the decisions, with which."""
    by_hash: dict[str, list[Withdrawal]] = {}
    for one in withdrawn.values():
        for known in (*one.decision.numbered, *one.decision.dated):
            by_hash.setdefault(known, []).append(one)
    for identifier, *values in rows:
        if identifier in withdrawn:
            yield identifier, withdrawn[identifier]
            continue
        this = decision(*values)
        for known in sorted((*this.numbered, *this.dated)):
            if found := next((one for one in by_hash.get(known, ()) if this.is_also(one.decision)), None):
                yield identifier, found
                break


def withhold(staged: Path, withdrawn: Mapping[str, Withdrawal]) -> None:
    """Mark in a staging file what was withdrawn, under whatever key its source gives it now."""
    if not withdrawn:
        return
    with working(staged, journal="DELETE") as connection:
        connection.execute("BEGIN")
        rows = connection.execute(f"SELECT id, {', '.join(KNOWN_BY)} FROM notices WHERE withheld IS NOT 'withdrawn'")
        ids = sorted({identifier for identifier, _ in same(rows, withdrawn)})
        connection.executemany("UPDATE notices SET withheld = 'withdrawn' WHERE id = ?", [(identifier,) for identifier in ids])
        connection.execute("COMMIT")


def there(database: Path, withdrawn: Mapping[str, Withdrawal]) -> list[str]:
    """The ids of the notices in a database that are of a withdrawn decision, whatever their id."""
    if not withdrawn:
        return []
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(f"SELECT id, {', '.join(KNOWN_BY)} FROM notices ORDER BY id")
        return [identifier for identifier, _ in same(rows, withdrawn)]
    finally:
        connection.close()


def in_database(database: Path, notices: Iterable[str]) -> list[str]:
    """Which notices of these ids a database has."""
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        sql = "SELECT id FROM notices WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [notice for (notice,) in connection.execute(sql, [orjson.dumps(sorted(notices)).decode()])]
    finally:
        connection.close()
