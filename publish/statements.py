"""What people entered of a notice: a reply, that it is disputed or no longer is, a correction. Read from the log, put into a candidate (rule 11).

The log is what survives: a source may carry the old row for years. A candidate gets it before the gate measures, so that no source is blamed
for it, and again after regions are held, whose rows are those of the live release; doing it again changes nothing. A correction stays until
the same column is corrected again. What was entered of a notice about an organisation is not shown once its source says that it is about
a person: nobody has masked it for that.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from .assembled import VISIBLE, Assembled, next_expiry
from .audit import Entry
from .catalogue import Catalogue
from .home import to_read
from .link import link
from .restore import fates_without, take_out_parts
from .rules import ORGANISATION, SHOWN_STATES
from .screen import SCREENED, screen
from .tables import Working, create_published_table, working

ACTS = ("reply", "dispute", "settle", "correct")
TABLE = "notice_statements"
LINKING = ("subject_name", "subject_kind", "subject_credit_code", "subject_permit_no", "region_code")  # what a notice is linked by


@dataclass(frozen=True)
class Statement:
    """One row of notice_statements. `subject_kind` is that of the notice when it was entered, `values` what a correction says instead."""

    notice_id: str
    number: int
    kind: str
    subject_kind: str
    document: str
    recorded_on: str
    said_by: str | None = None
    said_on: str | None = None
    text: str | None = None
    fields: str | None = None
    settled_on: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def statements(log: Iterable[Entry]) -> tuple[Statement, ...]:
    """Everything that was entered, oldest first; a dispute that was settled knows when. Screened anew: what we can find today is hidden today."""
    found: list[Statement] = []
    numbers: dict[str, int] = {}
    for entry in log:
        if entry.act not in ACTS:
            continue
        about = entry.about
        if entry.act == "settle":
            found = [replace(one, settled_on=about["on"]) if one.notice_id == about["notice"] and is_open(one) else one for one in found]
            continue
        numbers[about["notice"]] = number = numbers.get(about["notice"], 0) + 1
        common = (about["notice"], number)
        last = (about["subject_kind"], screen(about["document"]).text, about["on"])
        if entry.act == "reply":
            said = (screen(about["said_by"]).text, about["said_on"], screen(about["text"]).text)
            found.append(Statement(*common, "reply", *last, *said))
        elif entry.act == "dispute":
            found.append(Statement(*common, "dispute", *last))
        else:
            found.append(Statement(*common, "correction", *last, fields=" ".join(about["given"]), values=about["values"]))
    return tuple(found)


def is_open(one: Statement) -> bool:
    """Whether it is a dispute that is being checked."""
    return one.kind == "dispute" and one.settled_on is None


def put_in(made: Assembled, said: Sequence[Statement], catalogue: Catalogue, base: Path | None = None) -> Assembled:
    """The candidate with what was said of its notices in it.

    `base` is given where its rows are those of the live release, and is that one's staging file: what a source says of the state of a notice
    whose dispute we have settled is known from there alone.
    """
    if not said:
        return made
    with working(made.path, journal="DELETE") as connection:
        if base is not None and base.is_file():
            connection.execute("ATTACH ? AS private", [str(base)])
        connection.execute("BEGIN")
        if not connection.all("SELECT 1 FROM main.sqlite_master WHERE name = ?", [TABLE]):  # released before it was declared
            create_published_table(connection, catalogue, catalogue.tables[TABLE])
        kinds = _kinds(connection, said)
        corrections = [one for one in said if one.kind == "correction" and _still_fits(one, kinds)]
        for one in corrections:
            _correct(connection, one, catalogue)
        _settle(connection, said, base)
        _mark(connection, "corrected", {one.notice_id for one in corrections}, "state = 'active'")
        _mark(connection, "disputed", {one.notice_id for one in said if is_open(one)}, "state <> 'disputed'")
        accounting = _take_out_ended(connection, made, catalogue)
        columns = [column.name for column in catalogue.tables[TABLE].published]
        rows = _rows(said, _kinds(connection, said), columns)
        connection.execute(f'DELETE FROM main."{TABLE}"')
        connection.executemany(f'INSERT INTO main."{TABLE}" VALUES ({",".join("?" * len(columns))})', rows)
        if any(column in LINKING for one in corrections for column in one.values):
            connection.execute("DELETE FROM main.notice_links")
            link(connection, catalogue.regions.county_codes())
        named = ("notices", "documents", *(table.name for table in catalogue.tables.values() if table.ref_to("notices")))
        tables = {**made.tables, **{name: connection.one(f'SELECT count(*) FROM main."{name}"') for name in named}}
        expiry = next_expiry(connection)
        connection.execute("COMMIT")
    return replace(made, tables=tables, accounting=accounting, next_expiry=expiry)


def corrected(said: Iterable[Statement]) -> dict[str, dict[str, Any]]:
    """By notice what corrections say instead of what its source goes on saying."""
    found: dict[str, dict[str, Any]] = {}
    for one in said:
        if one.kind == "correction":
            found.setdefault(one.notice_id, {}).update(one.values)
    return found


def lacks(database: Path, said: Sequence[Statement], catalogue: Catalogue) -> bool:
    """Whether a database does not say of its notices what was entered: the run that was to carry it there died."""
    connection = sqlite3.connect(to_read(database, for_good=True), uri=True)
    try:
        columns = [column.name for column in catalogue.tables[TABLE].published]
        wanted = _rows(said, _kinds(connection, said), columns)
        there = {row[1] for row in connection.execute(f'PRAGMA table_info("{TABLE}")')}
        if not there.issuperset(columns):
            return bool(wanted)
        return wanted != connection.execute(f'SELECT {", ".join(columns)} FROM "{TABLE}" ORDER BY notice_id, number').fetchall()
    finally:
        connection.close()


def _kinds(connection: Working | sqlite3.Connection, said: Sequence[Statement]) -> dict[str, str]:
    """The kind of subject of each notice that something was said of, where the notice is there."""
    ids = orjson.dumps(sorted({one.notice_id for one in said})).decode()
    rows = connection.execute("SELECT id, subject_kind FROM main.notices WHERE id IN (SELECT value FROM json_each(?))", [ids])
    return {str(notice): str(kind) for notice, kind in rows}


def _still_fits(one: Statement, kinds: Mapping[str, str]) -> bool:
    """Whether what was entered may be shown of the notice as it is now."""
    return one.notice_id in kinds and (kinds[one.notice_id] in (ORGANISATION, one.subject_kind) or one.kind == "dispute")


def _rows(said: Sequence[Statement], kinds: Mapping[str, str], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    rows = []
    for one in said:
        if _still_fits(one, kinds):
            shown = one.kind == "reply" or kinds[one.notice_id] == ORGANISATION  # nobody told us the name to hide in the others'
            rows.append(vars(one) | {"document": one.document if shown else None})
    return sorted((tuple(row[column] for column in columns) for row in rows), key=lambda row: row[:2])


def _correct(connection: Working, one: Statement, catalogue: Catalogue) -> None:
    columns = catalogue.tables["notices"].columns
    for name, value in one.values.items():
        if isinstance(value, str) and columns[name].kind in SCREENED:
            value = screen(value).text
        # a corrected date may end it sooner, and never later than its source says
        said = "min(public_until, ?)" if name == "public_until" else "?"
        connection.execute(
            f'UPDATE main.notices SET "{name}" = {said} WHERE id = ? AND "{name}" IS NOT {said}', [value, one.notice_id, value]
        )


def _settle(connection: Working, said: Sequence[Statement], base: Path | None) -> None:
    """In rows of the live release: what is settled is again as its source has it."""
    settled = {one.notice_id for one in said if one.settled_on} if base is not None else set()
    for notice in sorted(settled):
        state = "active"
        if base is not None and base.is_file():
            found = connection.all(
                """SELECT s.state FROM private.notices s JOIN private.pages p USING (page) WHERE s.id = ? AND s.withheld IS NULL
                ORDER BY p.generation, p.ordinal, s.row LIMIT 1""",
                [notice],
            )
            state = found[0][0] if found and found[0][0] in SHOWN_STATES else state
        connection.execute("UPDATE main.notices SET state = ? WHERE id = ? AND state = 'disputed'", [state, notice])


def _mark(connection: Working, state: str, notices: Iterable[str], where: str) -> None:
    connection.executemany(f"UPDATE main.notices SET state = ? WHERE id = ? AND {where}", [(state, one) for one in sorted(notices)])


def _take_out_ended(connection: Working, made: Assembled, catalogue: Catalogue) -> Mapping[str, Mapping[str, int]]:
    """Take out what a corrected date has ended. Returns the accounting without it."""
    over = f"FROM main.notices AS s WHERE NOT coalesce({VISIBLE['notices']}, 0)"
    gone, absent = connection.all(f"SELECT count(*), count(absent_since) {over}", {"day": made.day})[0]
    if not gone:
        return made.accounting
    connection.execute(f"DELETE {over}", {"day": made.day})
    take_out_parts(connection, list(catalogue.tables.values()))
    return {**made.accounting, "notices": fates_without(made.accounting["notices"], gone, absent)}
