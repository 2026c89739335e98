"""Which notices our staff withdrew, read from the log of decisions: two different people have to, of one notice for one class of reason.

The log is what survives: every later extraction is held against it, and the source may carry the row for years (rule 6). Sources number their
records anew and print the same decision twice, so a withdrawal is of a *decision*: a row is that decision when its document number and whom it is
about are the same, however they are spelt, or, where one of them has no number, the day, whom and the facts. Nobody else's decision may go with it:
a masked name needs the facts beside it, and two credit codes are two. The log keeps hashes of these.
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
from .home import to_read
from .rules import ORGANISATION
from .samename import person_key
from .tables import working

PEOPLE = 2
# of datasets/codes/tombstone_reasons.csv, those that people decide
REASONS = ("revoked", "repaired", "refuted", "corrected", "personal_data")
# columns of notices by which a decision is known again
KNOWN_BY = ("document_no", "decided_on", "subject_credit_code", "subject_name", "subject_kind", "facts")
_FORMS = re.compile("(有限责任公司|有限公司|股份有限公司|股份公司)$")  # a source that leaves them out means the same one
_PARTS = re.compile(r"\d+|[^\W\d_]+")
_YEAR = re.compile("[〇○零一二三四五六七八九]{4}")  # 〔二〇二六〕
_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_FILLERS = str.maketrans("", "", "年字第号")  # 西教罚〔2026〕77号, 2026年西教罚字第77号


@dataclass(frozen=True)
class Decision:
    """What a decision is known by: hashes of its number with whom it is about, of its day with whom and the facts, and of the credit code."""

    numbered: frozenset[str]
    dated: frozenset[str]
    codes: frozenset[str]

    def is_also(self, other: "Decision") -> bool:
        """Whether they are one decision. It errs towards two: what is taken out does not come back."""
        if self.codes and other.codes and not self.codes & other.codes:
            return False
        if self.numbered and other.numbered:
            return bool(self.numbered & other.numbered)
        return bool(self.dated & other.dated)


def decision(
    document_no: str | None, decided_on: str | None, credit_code: str | None, name: str | None, kind: str | None, facts: str | None
) -> Decision:
    """What the decision of a notice is known by; the values are those of KNOWN_BY."""
    written = "".join(normalize("NFKC", document_no or "").split())  # brackets, blanks, 字, 第 and leading zeros are spelt as people like
    numbers = [_number(written), " ".join(filter(None, (person_key(part).lstrip("0").rstrip("字第") for part in _PARTS.findall(written))))]
    said = person_key(facts or "")
    whom = [who for who in (credit_code, _FORMS.sub("", person_key(name or ""))) if who]
    if kind != ORGANISATION:  # a name that is masked is that of many people
        whom = [f"{who} {said}" for who in whom if said]
    return Decision(
        frozenset(_hash("number", number, who) for who in whom for number in numbers if number),
        frozenset(_hash("day", decided_on, who, said) for who in whom if decided_on and said),
        frozenset({_hash("code", credit_code)} if credit_code else ()),
    )


def _number(written: str) -> str:
    """The letters of a number, without those that people leave out, and then its figures: the year may stand before the authority's sign or
    behind it. (The other form beside it is that of entries of the log which were written before.)"""
    parts = [person_key(part) for part in _PARTS.findall(_YEAR.sub(lambda year: year[0].translate(_DIGITS), written))]
    letters = "".join(part.translate(_FILLERS) for part in parts if not part.isdecimal())
    return " ".join(filter(None, (letters, *(part.lstrip("0") for part in parts if part.isdecimal()))))


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
        whole = Decision(*(frozenset(known for entry in entries for known in entry.about[what]) for what in ("numbered", "dated", "codes")))
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


def withhold(staged: Path, withdrawn: Mapping[str, Withdrawal], gone: Iterable[str], corrected: Mapping[str, Mapping[str, Any]]) -> None:
    """Mark in a staging file what was withdrawn, under whatever key its source gives it now, and what is `gone` already (history).

    `corrected` is by notice what it says instead of what its source goes on saying (statements.corrected).
    """
    if not withdrawn:
        return
    with working(staged, journal="DELETE") as connection:
        connection.execute("BEGIN")
        rows = connection.execute(f"SELECT id, {', '.join(KNOWN_BY)} FROM notices WHERE withheld IS NOT 'withdrawn'")
        read = (
            (one, *(corrected.get(one, {}).get(name, value) for name, value in zip(KNOWN_BY, values, strict=True))) for one, *values in rows
        )
        ids = sorted({*gone, *(notice for notice, _ in same(read, withdrawn))})
        connection.executemany("UPDATE notices SET withheld = 'withdrawn' WHERE id = ?", [(notice,) for notice in ids])
        connection.execute("COMMIT")


def there(database: Path, withdrawn: Mapping[str, Withdrawal]) -> list[str]:
    """The ids of the notices in a database that are of a withdrawn decision, whatever their id."""
    if not withdrawn:
        return []
    connection = sqlite3.connect(to_read(database, for_good=True), uri=True)
    try:
        rows = connection.execute(f"SELECT id, {', '.join(KNOWN_BY)} FROM notices ORDER BY id")
        return [identifier for identifier, _ in same(rows, withdrawn)]
    finally:
        connection.close()


def in_database(database: Path, notices: Iterable[str]) -> list[str]:
    """Which notices of these ids a database has."""
    connection = sqlite3.connect(to_read(database, for_good=True), uri=True)
    try:
        sql = "SELECT id FROM notices WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        return [notice for (notice,) in connection.execute(sql, [orjson.dumps(sorted(notices)).decode()])]
    finally:
        connection.close()
