"""A release that is not the newest, as it may be read today: it says what was public then, and the live release what of it still may be (rules 5, 6).

What has ended, was withdrawn or repaired since must not come back by an earlier release, whether that is issued anew already or not. So whatever
can hurt somebody is shown of it only where the live release says the same of the same institution today: a notice, its link, a listing that is not
white. The one exception is a notice of which the live release says that its list no longer has it: that is no word against it, and part of the
past. TEMP views stand before the tables on the reader's own connection, so that no query of ours can forget it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..rules import ENDS, HARMLESS
from . import queries
from .reader import Reader, Row
from .terms import in_force, tombstone

STILL = ("absent",)  # classes of tombstones whose notice may be shown as a part of the past
_NAMED = ", ".join(map(repr, HARMLESS))
VIEWS = {
    "notices": "mingbai_notice(id)",
    "notice_links": "mingbai_link(notice_id, institution_id)",
    "listings": f"list IN ({_NAMED}) OR mingbai_listing(id, institution_id, list)",
}
_NOTICES = "SELECT n.id, n.state FROM notices n WHERE ?1 = '' AND $in_force".replace("$in_force", queries.IN_FORCE)
_LISTINGS = "SELECT s.id, s.institution_id, s.list FROM listings s WHERE s.list NOT IN ($harmless) AND coalesce($end, ?1) >= ?1".replace(
    "$harmless", _NAMED
).replace("$end", ENDS["listings"])
_LINKS = "SELECT notice_id, institution_id FROM notice_links"
_NOTICE = "SELECT id, state, public_until, absent_since FROM main.notices WHERE id = ?"


@dataclass(frozen=True)
class Allowed:
    """What a live release lets be shown of any release on a day."""

    states: Mapping[str, str]  # of the notices, what they are today
    links: frozenset[tuple[str, str]]
    listings: frozenset[tuple[str, str, str]]


def allowed(live: Reader, today: str) -> Allowed:
    """Worked out once a day and release."""
    return live.once(today, "allowed", lambda: _allowed(live, today))


def _allowed(live: Reader, today: str) -> Allowed:
    absent = {id: stone["class"] for id, stone in live.stones.items() if stone["class"] in STILL}
    return Allowed(
        absent | {row["id"]: row["state"] for row in live.rows(_NOTICES, "", today)},
        frozenset((row["notice_id"], row["institution_id"]) for row in live.rows(_LINKS)),
        frozenset((row["id"], row["institution_id"], row["list"]) for row in live.rows(_LISTINGS, today)),
    )


class Older(Reader):
    """Shows nothing that may hurt before `beside` was called; to be called by each request, whose page then waits for nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._live: Reader | None = None
        self._allowed = Allowed({}, frozenset(), frozenset())
        for name, arguments, function in (
            ("mingbai_notice", 1, lambda id: id in self._allowed.states),
            ("mingbai_link", 2, lambda *pair: pair in self._allowed.links or self._allowed.states.get(pair[0]) in STILL),
            ("mingbai_listing", 3, lambda *row: row in self._allowed.listings),
        ):
            self._connection.create_function(name, arguments, function)
        self._connection.execute("PRAGMA query_only=0")
        for table, shown in VIEWS.items():
            self._connection.execute(f'CREATE TEMP VIEW "{table}" AS SELECT * FROM main."{table}" WHERE {shown}')  # noqa: S608
        self._connection.execute("PRAGMA query_only=1")

    def beside(self, live: Reader, today: str) -> None:
        """Show from now on what the live release lets be shown today."""
        found = allowed(live, today)
        self._live = live
        if found is not self._allowed:
            self._allowed, self._kept = found, {}

    def shown_counts(self) -> Mapping[str, int]:
        return dict(self.counts) | {table: self.rows(f'SELECT count(*) AS n FROM "{table}"')[0]["n"] for table in VIEWS}  # noqa: S608

    def reckoned(self, today: str) -> str:
        return min(today, self.released_on)

    def since(self, notice: str) -> Row:
        return {"state_now": self._allowed.states[notice]}

    def gone(self, notice: str, today: str) -> Row | None:
        live = self._live
        if live is None:
            return None
        stone = live.stones.get(notice)
        if stone and stone["class"] not in STILL:
            return {"id": notice, **stone}
        row = live.row(_NOTICE, notice)
        if row and not in_force(row, today):
            return tombstone(row, today, live.released_on)
        if self.row(_NOTICE, notice) and notice not in self._allowed.states:
            return {"id": notice, "on": live.released_on, "class": "unknown"}  # gone from the live release, and nobody says why
        return super().gone(notice, today)
