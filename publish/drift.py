"""What goes little by little: which of the rows that readers had a week and a month ago they have no longer.

The other guards compare with the live release, and a county that loses a seventh of what is left is within a fifth of the day before, every day.
A window begins with the newest release that is as many days older as the window is long than what is judged; where none is that old, with the
oldest one. It never begins before the newest release that people went back to, nor before one that they approved when they were shown
that the source had lost too much, nor, for a partition, before one that they approved with its loss or that carried out an acceptance
of its change: what somebody has looked at is not asked about again, and who approves a flood of one county has looked at no other. Of a partition
that is held for this, it begins where it began when that was found, or a hold would end by itself when the window has moved past what was lost.

Days are counted from when the newest snapshot was taken and not from today, so that a candidate that is approved on another day is compared
with the same releases. Only counts leave this module; a guard judges them.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from .assembled import VISIBLE
from .audit import Entry, entries
from .bounds import WINDOWS
from .candidate import Candidate
from .catalogue import Catalogue
from .dataset import Table
from .home import Home, release_order, to_read
from .measure import OWN_REASONS, Counts
from .partitions import Place, rows_of
from .restore import OVER
from .review import LOSSES
from .snapshot import load
from .stage import staged_tables
from .tables import Working
from .work import Work

Begins = Mapping[str, str]  # window: the release with which it begins
Where = tuple[str, str, str | None]  # a place, or a source's whole table
ALL: Where = ("", "", None)
OF_WINDOWS = tuple(f"partition_{window}" for window in WINDOWS)


@dataclass(frozen=True)
class Windows:
    """With which releases the windows begin: of all, of a source's tables for which that is another one, and of the partitions for which it is
    another one again: these count in no total."""

    usual: Begins
    of_tables: Mapping[tuple[str, str], Begins]
    apart: Mapping[Place, Begins]

    def of(self, place: Place) -> tuple[Begins, str]:
        """The windows of a partition, and what is put to the names of their counts."""
        return (self.apart[place], "_apart") if place in self.apart else (self.of_tables.get(place[:2], self.usual), "")

    def releases(self) -> set[str]:
        """Every release with which one of them begins."""
        return {name for begins in (self.usual, *self.of_tables.values(), *self.apart.values()) for name in begins.values()}


def windows(work: Work, candidate: Candidate) -> Windows:
    """With what a candidate is compared beside the live release. Nothing where there is no older release here."""
    log, live = entries(work.home), work.live
    assert live is not None
    here = [name for name in work.home.release_ids() if (work.home.releases / name / "mingbai.db").is_file()]
    here = [name for name in here if release_order(name) <= release_order(live)]  # the last one is live
    approved = _approved(log)
    accepted = _carried_out(work.home, log)

    def looked_at(where: Where, before: str = date.max.isoformat()) -> list[str]:
        """The releases with which people have looked at what is lost there; those that they approved only where they are of a day before."""
        source, table, region = where
        wheres = {ALL, (source, table, None), where}
        found = [name for each in wheres for name in approved.get(each, ()) if release_order(name)[0] < before]
        return [*found, accepted[source, table, region]] if region is not None and where in accepted else found

    day = _taken(work, candidate)
    usual = _begins(here, day, looked_at(ALL))
    of_tables = {(source, table): _begins(here, day, looked_at((source, table, None))) for source, table, _ in approved}
    places = {(source, table, region) for source, table, region in (*approved, *accepted) if region is not None}
    apart = {place: _begins(here, day, looked_at(place)) for place in places}
    for row in work.live_manifest().get("held", []):
        if row["bound"] in OF_WINDOWS:
            place, since = (row["source"], row["table"], row["region"]), row["since"]
            # it was held already in those that came after
            apart[place] = _begins(here, date.fromisoformat(since), looked_at(place, before=since))
    return Windows(usual, of_tables, {place: begins for place, begins in apart.items() if begins != of_tables.get(place[:2], usual)})


def losses(candidate: Candidate) -> list[list[str | None]]:
    """Where something is lost as those who approve the candidate are shown: source, table, and region or None for all. What is held is not lost."""
    shown = [f for f in candidate.findings if f.effect == "stop" and f.bound.partition("_")[2] in LOSSES]
    return [list(where) for where in dict.fromkeys((f.source, f.table, f.region) for f in shown)]


def _approved(log: Sequence[Entry]) -> dict[Where, list[str]]:
    """The releases that people approved, by what they were shown as lost: ALL where they went back or the log does not say."""
    found: dict[Where, list[str]] = {}
    for entry in log:
        if entry.act == "release" and entry.about["names"]:
            for source, table, region in entry.about.get("losses", [ALL]):
                found.setdefault((source, table, region), []).append(str(entry.about["release"]))
    return found


def _begins(here: Sequence[str], day: date, looked_at: Collection[str]) -> Begins:
    """With which of the releases that are here, the last one live, each window before `day` begins. Not with the live one, with which all is
    compared anyway; of windows that begin with the same one the shortest."""
    first = max(map(release_order, looked_at), default=("", 0))
    known = [name for name in here if release_order(name) >= first]
    found: dict[str, str] = {}
    for window, days in WINDOWS.items() if known else ():
        since = (day - timedelta(days=days)).isoformat()
        found.setdefault(([name for name in known if release_order(name)[0] <= since] or known[:1])[-1], window)
    return {window: release for release, window in found.items() if release != here[-1]}


def _taken(work: Work, candidate: Candidate) -> date:
    """The day on which the newest snapshot was taken. An archived one can be older than what is live, and counts as if it were of that day."""
    taken = [load(work.home.raw / newest, bodies=False).taken_on for newest, *_ in candidate.inputs.values()]
    live = date.fromisoformat(work.live_manifest()["released_on"])
    return max(live, min(max(taken, default=live), date.fromisoformat(candidate.assembled.day)))


def _carried_out(home: Home, log: Sequence[Entry]) -> dict[Place, str]:
    """By partition whose change somebody has accepted: the first release since in which it was not held."""
    found: dict[Place, str] = {}
    waiting: set[Place] = set()
    here = set(home.release_ids())
    for entry in log:
        if entry.act == "accept":
            waiting.add((entry.about["source"], entry.about["table"], entry.about["region"]))
        elif entry.act == "release" and waiting and entry.about["release"] in here:
            held = {(row["source"], row["table"], row["region"]) for row in home.manifest(entry.about["release"]).get("held", [])}
            found |= dict.fromkeys(waiting - held, str(entry.about["release"]))
            waiting &= held
    return found


def drift(connection: Working, work: Work, candidate: Candidate) -> dict[Place, Counts]:
    """By partition, for each window: how many of its rows stood when it began, and how many of these are gone without a word of their source.

    `connection` is what measure.attached gives. Ratings are not looked at: they have no day of absence and go with their institutions.
    """
    chosen, bound = windows(work, candidate), {"day": candidate.assembled.day}
    counts: dict[Place, Counts] = {}
    for release in sorted(chosen.releases()):
        with _attached(connection, work, release):
            for table, sql in _statements(connection, work.catalogue):
                for source, region, _, stood, gone in connection.all(sql, bound):
                    place = (source, table, region)
                    begins, apart = chosen.of(place)
                    for window in (window for window, name in begins.items() if name == release):
                        found = counts.setdefault(place, {})
                        found[f"stood_{window}{apart}", f"since {release}"] = stood
                        found[f"gone_{window}{apart}", f"since {release}"] = gone
    return counts


@contextmanager
def _attached(connection: Working, work: Work, release: str) -> Iterator[None]:
    """An older release (since), and in temp.over the ids of what its source has taken back or what has ended since, as history and the newest
    snapshot say it. What was taken back, came again and is missing now has not been taken back.
    """
    connection.execute("ATTACH ? AS since", [to_read(work.home.releases / release / "mingbai.db")])
    connection.execute("CREATE TEMP TABLE over (id TEXT PRIMARY KEY) WITHOUT ROWID")
    own = ", ".join(f"'{reason}'" for reason in OWN_REASONS)
    connection.execute(f"INSERT INTO temp.over SELECT id FROM temp.withheld WHERE reason IN ({own})")
    if work.home.history.is_file():
        connection.execute("ATTACH ? AS past", [to_read(work.home.history)])
        marks = ", ".join(f"'{cause}'" for cause in OVER)
        connection.execute(
            f"""INSERT OR IGNORE INTO temp.over SELECT key FROM (SELECT key, cause, max(release) FROM past.changes
            WHERE table_name = 'notices' AND kind = 'remove' AND release > (SELECT number FROM past.releases WHERE id = ?) GROUP BY key)
            WHERE cause IN ({marks})""",
            [release],
        )
        connection.execute("DETACH past")
    yield
    connection.execute("DROP TABLE temp.over")
    connection.execute("DETACH since")


def _statements(connection: Working, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Table and SQL for source, region, NULL, rows that stood, rows of these that are gone. A release from before a table or a column that this
    takes was declared says nothing of that table."""
    for table in staged_tables(catalogue):
        if table.bounds and table.prefix and "region_code" in table.columns and _has_all(connection, table):
            rows = rows_of(table, catalogue, "since")
            still = f'LEFT JOIN main."{table.name}" n ON n.id = s.id AND n.absent_since IS NULL LEFT JOIN temp.over o ON o.id = s.id'
            yield table.name, rows.grouped(["count(*)", "sum(n.id IS NULL AND o.id IS NULL)"], still)


def _has_all(connection: Working, table: Table) -> bool:
    there = {row[1] for row in connection.all(f'PRAGMA since.table_info("{table.name}")')}
    return there.issuperset(
        {"id", "source_id", "region_code", "region_text", "absent_since", *re.findall(r"s\.(\w+)", VISIBLE.get(table.name, ""))}
    )
