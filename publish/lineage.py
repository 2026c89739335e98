"""Which institution's record took the place of which: what their sources say of it, and what a credit code tells.

An id is made of the source's own key, so a source that gives a record another key (a new permit, a merger, a split) gives it another id. The
old id is never another record's: should its key come back, it is the same record again, and nothing has taken its place any more.

Two ways, and never by name (rule 9). A source says so in a mapped field: it counts once the old record is gone, if it was ever published.
Or a record is gone and exactly one of its source and county has its credit code, which no other record of the source has now or had in the last
release in which the old one stood, and which was not there then; and its name, address or permits are known to be the same, as one organiser's code
stands on several schools. A record goes only after two snapshots without it (rule 2) while the new
one is there with the first: so "new" is reckoned from when the old one last stood, which history knows.

A row stays as long as it leads to a record that is there, by however many steps; a step that would close a circle is refused. The source's word
stands in the place of what we found, and a source that says of the old record something else takes back what it said. It is worked out when what is
held is put back: a record that comes back with its region has no successor, and one that is not shown yet is none.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import orjson

from .assembled import Assembled
from .catalogue import Catalogue
from .home import to_read
from .tables import Working, working
from .telling import name_key

TABLE = "institution_lineage"
COLUMNS = "predecessor_id, successor_id, kind, method, since"
# By credit code: a record that is gone, the one that may have its place, what differs between them, and the number of the last release in which
# the old one stood. All records of a source can be given other keys at once, so that history is walked through once and not for each.
PAIRS = """
CREATE TEMP TABLE pairs AS SELECT o.id AS old, n.id AS new, o.source_id AS source, o.credit_code AS code,
  name_key(o.name) AS old_name, name_key(n.name) AS new_name, o.address AS old_address, n.address AS new_address,
  (SELECT group_concat(permit_no, ' ') FROM (SELECT permit_no FROM old.permits p WHERE p.institution_id = o.id ORDER BY 1)) AS old_permits,
  (SELECT group_concat(permit_no, ' ') FROM (SELECT permit_no FROM main.permits p WHERE p.institution_id = n.id ORDER BY 1)) AS new_permits,
  (SELECT max(coalesce(h.release_to - 1, (SELECT max(number) FROM history.releases))) FROM history.institutions h
   WHERE h.id = o.id AND h.absent_since IS NULL) AS number
FROM old.institutions o JOIN main.institutions n ON n.credit_code = o.credit_code AND n.source_id = o.source_id AND n.region_code = o.region_code
WHERE NOT EXISTS (SELECT 1 FROM main.institutions s WHERE s.id = o.id) AND n.absent_since IS NULL
  AND o.region_code IN (SELECT value FROM json_each(?))
  AND (SELECT count(*) FROM main.institutions m WHERE m.credit_code = o.credit_code AND m.source_id = o.source_id) = 1
"""
GOES_BY = {"id", "source_id", "credit_code", "region_code", "name", "address", "absent_since"}
CODED = """
CREATE TEMP TABLE coded AS SELECT id, source_id AS source, credit_code AS code, release_from, release_to FROM history.institutions
WHERE credit_code IN (SELECT code FROM temp.pairs);
CREATE INDEX temp.coded_by_code ON coded (code);
"""
FOUND = """
SELECT old, new, old_name IS NOT new_name, old_address IS NOT new_address, old_permits IS NOT new_permits FROM temp.pairs p
WHERE (old_name = new_name OR old_address = new_address OR old_permits = new_permits)
  AND (SELECT group_concat(c.id) FROM temp.coded c WHERE c.code = p.code AND c.source = p.source AND {then}) = old
  AND NOT EXISTS (SELECT 1 FROM history.institutions c WHERE c.id = p.new AND {then})
ORDER BY old
""".format(then="c.release_from <= p.number AND coalesce(c.release_to, p.number + 1) > p.number")
FIRST_SAID = """SELECT r.day FROM history.institution_lineage l JOIN history.releases r ON r.number = l.release_from
WHERE l.predecessor_id = ? AND l.successor_id = ? ORDER BY l.release_from LIMIT 1"""


class Step(NamedTuple):
    """A row of the table. Without a method it is what a source says now, and not judged yet."""

    predecessor: str
    successor: str
    kind: str | None
    method: str | None
    since: str | None


def lineage(made: Assembled, live: Path | None, history: Path, catalogue: Catalogue, *, goes_back: bool = False) -> Assembled:
    """The candidate with the lineage of its institutions, after the release whose database is `live`. Doing it again changes nothing.

    What `goes_back` to an earlier release has that one's lineage and what is known since; that somebody went back makes nobody a successor.
    """
    with working(made.path, journal="DELETE") as connection:
        if live is None:  # nothing was there whose place could be taken
            steps: list[Step] = []
        else:
            connection.execute("ATTACH ? AS old", [to_read(live)])
            connection.execute("ATTACH ? AS history", [to_read(history)])
            steps = _Lineage(connection, made.day).steps([] if goes_back else sorted(catalogue.regions.county_codes()))
        connection.execute("BEGIN")
        connection.execute(f"DELETE FROM main.{TABLE}")
        connection.executemany(f"INSERT INTO main.{TABLE} ({COLUMNS}) VALUES (?,?,?,?,?)", sorted(steps))
        connection.execute("COMMIT")
    return replace(made, tables={**made.tables, TABLE: len(steps)})


def leading(steps: Iterable[Step], there: set[str]) -> list[Step]:
    """The steps, in this order, that lead from a record that is gone to one that is `there`; one that would close a circle is none."""
    onward: dict[str, dict[str, Step]] = {}

    def reach(start: str) -> set[str]:
        seen, todo = {start}, [start]
        while todo:
            fresh = onward.get(todo.pop(), {}).keys() - seen
            seen |= fresh
            todo += fresh
        return seen

    for step in steps:
        if step.predecessor not in there and step.predecessor not in reach(step.successor):
            onward.setdefault(step.predecessor, {}).setdefault(step.successor, step)
    return [step for several in onward.values() for step in several.values() if reach(step.successor) & there]


class _Lineage:
    def __init__(self, connection: Working, day: str) -> None:
        self.connection, self.day = connection, day
        connection.teach(name_key)

    def steps(self, counties: list[str]) -> list[Step]:
        """Every row that the release is to have."""
        ours, before = self.read("main"), {step[:2]: step for step in self.read("old")}
        there = self.there({id for step in [*ours, *before.values()] for id in step[:2]})
        said = [self.judged(step, before) for step in ours if step.predecessor not in there and (step.method or self.was_shown(step))]
        told = {step.predecessor for step in said}
        # of whom a source speaks now, it has said all that it says: where the other record is there and does not say so, it is said no more
        carried = [step for step in before.values() if not (step.predecessor in told and step.successor in there)]
        known = told | {step.predecessor for step in carried}
        found = [step for step in self.found(counties) if step.predecessor not in known]
        return leading([*said, *carried, *found], there | {step.successor for step in found})

    def read(self, side: str) -> list[Step]:
        if not self.connection.all(f"SELECT 1 FROM {side}.sqlite_master WHERE name = '{TABLE}'"):
            return []
        return [Step(*row) for row in self.connection.execute(f"SELECT {COLUMNS} FROM {side}.{TABLE} ORDER BY 1, 2")]

    def there(self, ids: set[str]) -> set[str]:
        sql = "SELECT id FROM main.institutions WHERE id IN (SELECT value FROM json_each(?))"
        return {id for (id,) in self.connection.execute(sql, [orjson.dumps(sorted(ids)).decode()])}

    def was_shown(self, step: Step) -> bool:
        return bool(self.connection.one("SELECT EXISTS (SELECT 1 FROM history.institutions WHERE id = ?)", [step.predecessor]))

    def judged(self, step: Step, before: dict[tuple[str, str], Step]) -> Step:
        """What a source says now; of what is held, the step as it was live."""
        if step.method:
            return step
        known = before.get(step[:2])
        kind = step.kind or (known.kind if known else None)
        return Step(
            step.predecessor, step.successor, kind, "source", known.since if known else self.since(step.predecessor, step.successor)
        )

    def since(self, predecessor: str, successor: str) -> str:
        """The day of the first release that said so, which is today's where none did."""
        if not self.connection.all(f"SELECT 1 FROM history.sqlite_master WHERE name = '{TABLE}'"):
            return self.day
        first = self.connection.all(FIRST_SAID, [predecessor, successor])
        return str(first[0][0]) if first else self.day

    def found(self, counties: list[str]) -> list[Step]:
        """What the credit codes of records that are gone tell; nothing where an earlier release lacks a column that this goes by."""
        for side in ("old", "history"):
            if not {row[1] for row in self.connection.execute(f"PRAGMA {side}.table_info(institutions)")} >= GOES_BY:
                return []
        self.connection.execute(PAIRS, [orjson.dumps(counties).decode()])
        self.connection.execute(CODED)
        rows = self.connection.all(FOUND)
        return [Step(old, new, _kind(*map(bool, differs)), "credit_code", self.since(old, new)) for old, new, *differs in rows]


def _kind(name: bool, address: bool, permit: bool) -> str:
    """What differs between two records of one legal person; where nothing that tells does, the source has numbered it anew."""
    kinds = [kind for kind, differs in (("rename", name), ("move", address), ("new_permit", permit)) if differs]
    return "several" if len(kinds) > 1 else (*kinds, "renumbered")[0]
