"""A release that is not the newest, as it may be read today: it says what was public then, and the live release what of it still may be (rules 5, 6).

What has ended, was withdrawn or repaired since must not come back by an earlier release, whether that is issued anew already or not. So whatever
can hurt somebody is shown of it only where the live release says the same of the same institution today: a notice, its link, a listing that is not
white. It is all one why the live release does not: a notice that its list merely lost may have been taken off it for the sake of whom it named, and
its source does not say. Of a notice's words, amounts and days (same.py) only those are shown that the live release has too, and nothing of one that is about another party today: they were
changed to mask a person, or to correct, and a correction does not repeat what it corrects. TEMP views stand before the tables on the reader's own
connection, so that no query of ours can forget it. Any other text is shown as it would be published today, with a bare name masked where our recipe put
something else there since, and a column that no longer is not at all.
"""

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import search

from ..errors import BadHome
from ..hidden import nameless, publishable
from ..rules import HARMLESS, last_day
from ..same import CODES, END, PARTY, VALUES, WORDS
from ..screen import SCREENED
from . import queries
from .past import Named, hidden_since, kept, named_since
from .provenance import PARTS
from .reader import NoIndex, Reader, Row
from .terms import in_force, tombstone

SAYS = {**WORDS, "notices": (*WORDS["notices"], *VALUES)}
_NAMED = ", ".join(map(repr, HARMLESS))
VIEWS = {
    "notices": "mingbai_notice(id, subject_kind, subject_name)",
    "notice_statements": "mingbai_statement(notice_id, number)",
    **{table: f"mingbai_code('{part}', notice_id, {column})" for part, (table, column) in CODES.items()},
    "notice_links": "mingbai_link(notice_id, institution_id) AND EXISTS (SELECT 1 FROM notices n WHERE n.id = notice_id)",
    "listings": f"list IN ({_NAMED}) OR mingbai_listing(id, institution_id, list)",
    "documents": "1",
}
_SAID = {  # a word as it may be shown
    "notices": """iif(mingbai_same('notices', id, '$column', "$column"), "$column", NULL)""",
    "documents": """iif(mingbai_same('documents', id, '$column', "$column"), "$column", NULL)""",
    "notice_statements": "mingbai_said(notice_id, number, '$column')",
}
_LIVE = {table: f"SELECT * FROM main.{table} WHERE id = ?1" for table in ("notices", "documents")}  # noqa: S608
_STATEMENT = "SELECT * FROM notice_statements WHERE notice_id = ? AND number = ?"
_NAMING = "SELECT document_id FROM main.notices UNION SELECT document_id FROM main.listings WHERE list NOT IN ($harmless)".replace(
    "$harmless", _NAMED
)
_NOTICES = "SELECT n.id, n.state, n.public_until, n.subject_kind, n.subject_name FROM notices n WHERE ?1 = '' AND $in_force".replace(
    "$in_force", queries.IN_FORCE
)
_LISTINGS = "SELECT l.id, l.institution_id, l.list FROM listings l WHERE ?1 = '' AND l.list NOT IN ($harmless) AND $listed".replace(
    "$harmless", _NAMED
).replace("$listed", queries.LISTED)
_LINKS = "SELECT notice_id, institution_id FROM notice_links"
_CODES = {part: f"SELECT notice_id, {column} AS code FROM main.{table}" for part, (table, column) in CODES.items()}  # noqa: S608
Columns = Mapping[str, Mapping[str, Mapping[str, Any]]]  # of each table, as a data dictionary describes them
SEARCHED = ("institutions", *PARTS.values())  # by their index
log = logging.getLogger(__name__)
_NOTICE = "SELECT id, state, public_until, absent_since FROM main.notices WHERE id = ?"


@dataclass(frozen=True)
class Allowed:
    """What a live release lets be shown of any release on a day."""

    states: Mapping[str, str]  # of the notices, what they are today
    ends: Mapping[str, str]  # and until when
    parties: Mapping[str, tuple[object, ...]]  # whom those are about that the live release has
    links: frozenset[tuple[str, str]]
    codes: frozenset[tuple[str, str, str]]  # penalties and measures of its notices
    listings: frozenset[tuple[str, str, str]]


def columns_of(dictionary: Mapping[str, Any]) -> Columns:
    """The columns of each table of a data dictionary."""
    return {name: table["columns"] for dataset in dictionary.values() for name, table in dataset["tables"].items()}


def allowed(live: Reader, today: str) -> Allowed:
    """Worked out once a day and release."""
    return live.once(today, "allowed", lambda: _allowed(live, today))


def _allowed(live: Reader, today: str) -> Allowed:
    notices = live.rows(_NOTICES, "", today)
    return Allowed(
        {row["id"]: row["state"] for row in notices},
        {row["id"]: row[END] for row in notices},
        {row["id"]: tuple(row[column] for column in PARTY) for row in notices},
        frozenset((row["notice_id"], row["institution_id"]) for row in live.rows(_LINKS)),
        frozenset((part, row["notice_id"], row["code"]) for part, sql in _CODES.items() for row in live.rows(sql)),
        frozenset((row["id"], row["institution_id"], row["list"]) for row in live.rows(_LISTINGS, "", today)),
    )


def _today(table: str, name: str, column: Mapping[str, Any] | None, row: str) -> str:
    """SQL for what is shown of a column: nothing where it is not published today. `row` is SQL for what past.py knows a row by."""
    if column is None:
        return f'NULL AS "{name}"'
    masked = column.get("privacy") == "masked"
    return (
        f"""mingbai_published_{masked:d}('{column["kind"]}', "{name}", '{table}.{name}', {row}) AS "{name}\""""
        if publishable(column["kind"], masked)
        else f'"{name}"'
    )


class Older(Reader):
    """Shows nothing that may hurt before `beside` was called; to be called by each request, whose page then waits for nothing.
    `columns` are those that are published today."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        super().__init__(folder)
        self._live: Reader | None = None
        self._allowed = Allowed({}, {}, {}, frozenset(), frozenset(), frozenset())
        self._named: Named | None = None
        self._naming = frozenset(row["document_id"] for row in self.rows(_NAMING))
        self._last: tuple[tuple[object, ...], Row | None] = (), None
        self._looked: tuple[sqlite3.Connection | None, bool] = None, True
        functions: tuple[tuple[str, int, Callable[..., Any]], ...] = (
            ("mingbai_notice", 3, lambda id, *party: self._allowed.parties.get(id) == party),
            ("mingbai_link", 2, lambda *pair: pair in self._allowed.links),
            ("mingbai_code", 3, lambda *code: code in self._allowed.codes),
            ("mingbai_listing", 3, lambda *row: row in self._allowed.listings),
            ("mingbai_statement", 2, lambda *key: self._now(_STATEMENT, *key) is not None),
            ("mingbai_said", 3, self._said),
            ("mingbai_same", 4, self._same),
            ("mingbai_end", 2, self._end),
            *((f"mingbai_published_{masked:d}", 4, partial(self._published, masked)) for masked in (False, True)),
        )
        for name, arguments, function in functions:
            self._connection.create_function(name, arguments, function)
        self._connection.execute("PRAGMA query_only=0")
        self._views = [table for table in VIEWS if table in self.counts]
        for table in sorted({*VIEWS, *columns} & {*self.counts}):
            there = self.rows("SELECT name, pk FROM pragma_table_info(?, 'main') ORDER BY cid", table)
            names, its = [row["name"] for row in there], columns.get(table, {})
            key = [row["name"] for row in sorted(there, key=lambda row: int(row["pk"])) if row["pk"]]
            known = " || ' ' || ".join(f'"{name}"' for name in key if its.get(name, {}).get("kind") not in SCREENED) or "''"
            words = [name for name in SAYS.get(table, ()) if table != "notices" or name not in PARTY]
            said = {name: _today(table, name, its.get(name), known) for name in names}
            said |= {name: f'{_SAID[table].replace("$column", name)} AS "{name}"' for name in words}
            if table == "notices":
                said[END] = f"mingbai_end(id, {END}) AS {END}"
            shown = ", ".join(said[name] for name in names)
            self._connection.execute(f'CREATE TEMP VIEW "{table}" AS SELECT {shown} FROM main."{table}" WHERE {VIEWS.get(table, "1")}')  # noqa: S608
        self._connection.execute("PRAGMA query_only=1")

    def _published(self, masked: bool, kind: str, text: object, column: str, row: str) -> object:
        """A text as it would be published today; where nobody can say which of them name somebody, any may."""
        is_named = not masked and (self._named is None or (column, row) in self._named)
        look = nameless if is_named else publishable(kind, masked)
        return look(text) if look and isinstance(text, str) else text

    def _now(self, sql: str, *key: object) -> Row | None:
        """A row of the live release; it is asked for once for each of its columns."""
        if self._last[0] != (sql, *key):
            self._last = (sql, *key), self._live.row(sql, *key) if self._live else None
        return self._last[1]

    def _same(self, table: str, id: str, column: str, value: object) -> bool:
        """Whether the live release says the same. A document that it lost says what it said where no notice and no list against somebody names it."""
        if value is None:
            return True
        now = self._now(_LIVE[table], id)
        return now.get(column) == value if now else table == "documents" and id not in self._naming

    def _end(self, id: str, then: str | None) -> str | None:
        """The last day of a notice: that of the live release where it is sooner, for it must not say to be public for longer."""
        now = self._allowed.ends.get(id)
        return now if then and now and last_day(now) < last_day(then) else then

    def _said(self, notice: str, number: int, column: str) -> object:
        """What the live release says in a statement."""
        return (self._now(_STATEMENT, notice, number) or {}).get(column)

    def beside(self, live: Reader, today: str) -> None:
        """Show from now on what the live release lets be shown today."""
        found, named = allowed(live, today), named_since(live, today, self.id)
        self._live = live
        if found is not self._allowed or named != self._named:
            self._allowed, self._named, self._kept, self._last = found, named, {}, ((), None)

    @property
    def index(self) -> search.Index:
        """Not there where what it finds by is hidden today: whoever searches for that would be told that it was there, and whose it is. It cannot say
        either that something is not there, for what is hidden is asked for like anything else. Raises NoIndex."""
        if self._finds_hidden():
            raise NoIndex
        return super().index

    def _finds_hidden(self) -> bool:
        """Whether a text of an institution is hidden today; so it is too where nobody can say."""
        try:
            connection = kept(self._live) if self._live else None
            if self._live is None or connection is None:
                return True
            if self._looked[0] is not connection:  # it is made again when other code hides
                self._looked = connection, not hidden_since(self._live, self, where_searched=True).isdisjoint(SEARCHED)
            return self._looked[1]
        except (BadHome, ValueError, OSError, sqlite3.Error):
            log.exception("what is hidden today of release %s is not known", self.id)
            return True

    def shown_counts(self) -> Mapping[str, int]:
        return dict(self.counts) | {table: self.rows(f'SELECT count(*) AS n FROM "{table}"')[0]["n"] for table in self._views}  # noqa: S608

    def reckoned(self, today: str) -> str:
        return min(today, self.released_on)

    def since(self, notice: str) -> Row:
        then, now = (reader.row(_LIVE["notices"], notice) or {} for reader in (self, self._live) if reader)
        codes = {part: [row["code"] for row in self.rows(f"{sql} WHERE notice_id = ?", notice)] for part, sql in _CODES.items()}
        return {"state_now": self._allowed.states[notice], "not_repeated": list(self._unsaid(then, now, codes))}

    def unsaid(self) -> Mapping[str, tuple[str, ...]]:
        if self._live is None:
            return {}
        then, now = ({row["id"]: row for row in reader.rows("SELECT * FROM main.notices")} for reader in (self, self._live))
        codes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for part, sql in _CODES.items():
            for row in self.rows(sql):
                codes[row["notice_id"]][part].append(row["code"])
        return {id: unsaid for id, row in then.items() if (unsaid := self._unsaid(row, now.get(id, {}), codes.get(id, {})))}

    def _unsaid(self, then: Row, now: Row, codes: Mapping[str, list[str]]) -> tuple[str, ...]:
        """What of a notice is left out, as its JSON calls it."""
        words = [name for name in SAYS["notices"] if then.get(name) is not None and then[name] != now.get(name)]
        end = [END] if self._end(then["id"], then[END]) != then[END] else []
        orders = [part for part, those in codes.items() if any((part, then["id"], code) not in self._allowed.codes for code in those)]
        return (*words, *end, *orders)

    def gone(self, notice: str, today: str) -> Row | None:
        live = self._live
        if live is None:
            return None
        stone = live.stones.get(notice)
        if stone:
            return {"id": notice, **stone}
        row = live.row(_NOTICE, notice)
        if row and not in_force(row, today):
            return tombstone(row, today, live.released_on)
        if self.row(_NOTICE, notice):  # gone from the live release, and nobody says why; or about another party there
            return {"id": notice, "on": live.released_on, "class": "subject_corrected" if notice in self._allowed.states else "unknown"}
        return super().gone(notice, today)
