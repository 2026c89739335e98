"""What a candidate and the live release are like, counted for each partition (partitions.py): a source's rows of one table in one region.

Only counts, so that a source is the sum of its partitions: how many rows there are and were, how many of these are still there, in how many
a column says something else, how many of its values there are, how many rows have a code. All of it is SQL over the two databases and the
staging file, grouped as it runs, so that memory does not grow with the rows. It knows no bound and judges nothing.
"""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .assembled import VISIBLE
from .catalogue import Catalogue
from .dataset import Table
from .home import to_read
from .partitions import Place, Rows, adverse, rows_of, subject
from .stage import staged_tables
from .tables import Working, working

Counts = dict[tuple[str, str], float]  # (what, about which column or code): how many
# Reasons for which a notice is not shown that are its own; any other says that we could not read what decides about it.
OWN_REASONS = ("withdrawn", "repaired", "expired", "minor")
FIRST_DAY = "1949"  # the record of a training institution from before then is a misreading
# What a row must not share with another one of its region, or it was entered twice (rule 9: a name alone may be shared).
TOLD_APART = {
    "institutions": ("name", "address"),
    "notices": ("subject_name", "facts", "decided_on"),
    "listings": ("institution_id", "list", "authority"),
}

# What few rows take over from another one: names, keys and texts that moved among the rows, as when a column is sorted alone or filled down.
ITS_OWN = {"institutions": ("name", "credit_code"), "listings": ("institution_id",), "notices": ("facts",)}


def _usual() -> str:
    """The characters that Chinese is written with: GB 2312, and the 5,401 of the first level of Big5. UTF-8 that was read as GBK is 72% Chinese
    (clean names and texts are 82%), but of characters that nobody writes: of these it has 31%."""
    every = "".join(map(chr, range(0x4E00, 0xA000)))
    big5 = every.encode("big5", "ignore")
    first_level = (one for one, row in zip(big5.decode("big5"), big5[::2], strict=True) if 0xA4 <= row < 0xC9)
    return "".join(sorted({*every.encode("gb2312", "ignore").decode("gb2312"), *first_level}))


_HAN = re.compile(f"[{_usual()}]+")


def han(text: str | None) -> float | None:
    """The share of usual Chinese characters in a text: of a name nearly 1, of one that was read in the wrong encoding much less."""
    return None if not text else sum(map(len, _HAN.findall(text))) / len(text)


@contextmanager
def attached(candidate: Path, live: Path, private: Path, day: str, gone: Iterable[str] = ()) -> Iterator[Working]:
    """A connection to the candidate (main), the live release (old) and the staging file (private), with temp.withheld: id, reason.

    Withheld is what the newest snapshots say must not be shown on `day`: also what they say themselves has ended. Without a staging file nothing is known of it. `gone` are notices that people of ours withdrew, which its source may have again or no longer.
    """
    with working(candidate, journal="DELETE") as connection:
        connection.execute("ATTACH ? AS old", [to_read(live)])
        connection.execute("CREATE TEMP TABLE withheld (id TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID")
        if private.is_file():
            connection.execute("ATTACH ? AS private", [to_read(private)])
            connection.execute("INSERT INTO withheld SELECT id, min(withheld) FROM private.notices WHERE withheld IS NOT NULL GROUP BY id")
            for table, given in (("notices", "s.public_until_rule = 'source'"), ("listings", "s.valid_until IS NOT NULL")):
                connection.execute(
                    f"""INSERT OR IGNORE INTO withheld SELECT s.id, 'ended' FROM private."{table}" s JOIN private.pages p USING (page)
                    WHERE p.generation = 0 AND s.withheld IS NULL AND {given} AND NOT coalesce({VISIBLE[table]}, 0)""",
                    {"day": day},
                )
        connection.executemany("INSERT OR REPLACE INTO withheld VALUES (?, 'withdrawn')", [(notice,) for notice in gone])
        connection.teach(han)
        yield connection


def measure(connection: Working, catalogue: Catalogue, day: str) -> dict[Place, Counts]:
    """The counts of every partition that has rows on either side. `connection` is what `attached` gives."""
    counts: dict[Place, Counts] = defaultdict(lambda: defaultdict(float))
    for table in staged_tables(catalogue):
        known = {row[1] for row in connection.execute(f'PRAGMA old.table_info("{table.name}")')}
        if table.bounds and known and not _is_the_same(connection, table, known):
            _Table(connection, table, catalogue, day, known, counts).all()
    _linked(connection, catalogue, day, counts)
    return {place: dict(found) for place, found in counts.items()}


class _Table:
    def __init__(
        self, connection: Working, table: Table, catalogue: Catalogue, day: str, known: set[str], counts: dict[Place, Counts]
    ) -> None:
        self.connection, self.table, self.counts, self.bound = connection, table, counts, {"day": day}
        self.known = known  # columns that the live release has too: one that is declared since cannot be compared
        self.old, self.new = (rows_of(table, catalogue, side) for side in ("old", "main"))
        self.columns = [
            c
            for c in table.published
            if c.name in known and c.ref not in ("sources", "documents") and c.name not in (*table.key, "absent_since")
        ]
        self.codes = [c for c in table.published if c.name in known and c.kind == "code"]
        self.same = " AND ".join(f'n."{key}" = s."{key}"' for key in table.key)

    def all(self) -> None:
        for rows, when in ((self.old, "before"), (self.new, "now")):
            self._side(rows, when)
        there = f'main."{self.table.name}" n ON {self.same}' + (
            " AND n.absent_since IS NULL" if "absent_since" in self.table.columns else ""
        )
        changed = [(("changed", c.name), f'sum(n."{c.name}" IS NOT s."{c.name}")') for c in self.columns]
        changed += [(("blanked", c.name), f'sum(s."{c.name}" IS NOT NULL AND n."{c.name}" IS NULL)') for c in self.columns]
        changed += [
            (("traded", name), f'sum(n."{name}" IS NOT s."{name}" AND n."{name}" IN (SELECT "{name}" FROM old."{self.table.name}"))')
            for name in ITS_OWN.get(self.table.name, ())
            if name in {c.name for c in self.columns}
        ]
        changed += [(("scaled", c.name), _scaled(c.name)) for c in self.columns if c.kind == "fen"]
        changed += [
            (("cut", c.name), f"""sum(length(n."{c.name}") < length(s."{c.name}") AND instr(s."{c.name}", n."{c.name}") = 1)""")
            for c in self.columns
            if c.kind in ("name", "prose")
        ]
        self._count(self.old, [(("kept", ""), "count(*)"), *changed], f"JOIN {there}")
        new = f'NOT EXISTS (SELECT 1 FROM old."{self.table.name}" n WHERE {self.same})'
        self._count(self.new, [(("added", ""), "count(*)")], where=new)
        if self.table.prefix:
            own = ", ".join(f"'{reason}'" for reason in OWN_REASONS)
            why = [(("explained", ""), f"sum(w.reason IN ({own}))"), (("unreadable", ""), f"sum(w.reason NOT IN ({own}))")]
            self._count(self.old, why, f"JOIN temp.withheld w ON w.id = s.id LEFT JOIN {there}", "n.id IS NULL")
        self._adverse()

    def _side(self, rows: Rows, when: str) -> None:
        wanted = [(("rows", when), "count(*)")]
        for c in self.columns:
            value = f's."{c.name}"'
            wanted.append(((f"filled_{when}", c.name), f"count({value})"))
            if c.kind in ("name", "prose"):
                wanted.append(((f"chinese_{when}", c.name), f"sum(han({value}))"))
            if c.kind == "date" and not c.name.endswith("_until"):
                wanted.append(((f"dates_{when}", c.name), f"sum({value} > :day OR {value} < '{FIRST_DAY}')"))
            if c.kind == "credit_code" and f"{c.name}_text" in self.known:
                wanted.append(((f"written_{when}", c.name), f's."{c.name}_text" IS NOT NULL'.join(("sum(", ")"))))
                wanted.append(((f"invalid_{when}", c.name), f's."{c.name}_text" IS NOT NULL AND {value} IS NULL'.join(("sum(", ")"))))
        if (apart := TOLD_APART.get(self.table.name)) and self.known.issuperset(apart):
            told = " || char(31) || ".join(f"coalesce(s.\"{name}\", '')" for name in apart)
            wanted.append(((f"doubled_{when}", ""), f"count(*) - count(DISTINCT {told})"))
        self._count(rows, wanted)
        for about, value in self._coded():
            sql = rows.grouped(["count(*)"], where=f"{value} IS NOT NULL", by=value)
            for source, region, code, number in self.connection.execute(sql, self.bound):
                self.counts[source, self.table.name, region][f"code_{when}", f"{about}={code}"] += number

    def _coded(self) -> list[tuple[str, str]]:
        coded = [(c.name, f's."{c.name}"') for c in self.codes]
        if self.table.name == "ratings":  # a distribution is the share of each tenth of the scale
            coded += [("scale_max", "s.scale_max"), ("mean_rating", "CAST(10 * s.mean_rating / s.scale_max AS INTEGER)")]
        return coded

    def _count(self, rows: Rows, wanted: list[tuple[tuple[str, str], str]], joined: str = "", where: str = "1") -> None:
        sql = rows.grouped([expression for _, expression in wanted], joined, where)
        for source, region, _, *numbers in self.connection.execute(sql, self.bound):
            found = self.counts[source, self.table.name, region]
            for (key, _), number in zip(wanted, numbers, strict=True):
                found[key] += number or 0

    def _adverse(self) -> None:
        name = self.table.name
        if (ours := adverse(name, "s")) is None:
            return
        still = f"{adverse(name, 'n')} AND {self.same} AND {subject(name, 'n')} IS {subject(name, 's')}"
        gone = f'NOT EXISTS (SELECT 1 FROM main."{name}" n WHERE {still} AND n.absent_since IS NULL)'
        new = f'NOT EXISTS (SELECT 1 FROM old."{name}" n WHERE {still})'
        self._count(self.old, [(("adverse_before", ""), "count(*)")], where=ours)
        self._count(self.old, [(("adverse_removed", ""), "count(*)")], where=f"{ours} AND {gone}")
        self._count(self.new, [(("adverse_added", ""), "count(*)")], where=f"{ours} AND {new}")


def _is_the_same(connection: Working, table: Table, known: set[str]) -> bool:
    """Whether a table of millions says to the letter what it said: on most days the ratings do, and seeing that costs a tenth of measuring it."""
    if table.prefix or table.parent:
        return False
    rows = connection.one(f'SELECT count(*) FROM main."{table.name}"')
    if rows != connection.one(f'SELECT count(*) FROM old."{table.name}"'):
        return False
    names = ", ".join(f'"{c.name}"' for c in table.published if c.name in known)
    keys = ", ".join(f'"{key}"' for key in table.key)  # both sides are read in their order, as diff does it
    others = f'SELECT {names} FROM main."{table.name}" EXCEPT SELECT {names} FROM old."{table.name}" ORDER BY {keys}'
    return not connection.one(f"SELECT EXISTS ({others})")


def since_the_last(connection: Working, catalogue: Catalogue, place: Place) -> Counts:
    """What a partition of the candidate had in the snapshot before the newest and kept: who that one had and the newest has not is in it, marked
    as absent. Nothing for ratings, which are of the newest snapshot alone.
    """
    source, table, region = place
    declared = catalogue.tables[table]
    if "absent_since" not in declared.columns:
        return {}
    place_of = rows_of(declared, catalogue, "main").place
    sql = f'SELECT count(*), count(s.absent_since) FROM main."{table}" s WHERE ({place_of}) = (?, ?)'
    there, absent = connection.all(sql, [source, region])[0]
    return {("rows", "before"): there, ("kept", ""): there - absent}


def _scaled(column: str) -> str:
    """SQL that counts amounts which are a power of ten of what they were, from 10 to 10,000 times as much or as little."""
    before, now = f's."{column}"', f'n."{column}"'
    return f"sum({before} <> {now} AND ({now} IN ({_tens(before)}) OR {before} IN ({_tens(now)})))"


def _tens(value: str) -> str:
    return ", ".join(f"{value} * {10**power}" for power in range(1, 5))


def _linked(connection: Working, catalogue: Catalogue, day: str, counts: dict[Place, Counts]) -> None:
    for side, when in (("old", "before"), ("main", "now")):
        rows = rows_of(catalogue.tables["notices"], catalogue, side)
        sql = rows.grouped(["count(*)"], where=f"EXISTS (SELECT 1 FROM {side}.notice_links k WHERE k.notice_id = s.id)")
        for source, region, _, number in connection.execute(sql, {"day": day}):
            counts[source, "notices", region][f"linked_{when}", ""] += number


def total(partitions: Mapping[Place, Counts], source: str, table: str) -> Counts:
    """The counts of the whole of a source's table: the sum over the partitions that are given."""
    whole: Counts = defaultdict(float)
    for (from_, of, _), counts in partitions.items():
        if (from_, of) == (source, table):
            for key, number in counts.items():
                whole[key] += number
    return dict(whole)


def unread(private: Path) -> dict[str, float]:
    """What of the newest snapshots could not be used as it is, as `SOURCE/LISTING KIND FIELD`: the share of the listing's records."""
    connection = sqlite3.connect(to_read(private), uri=True)
    try:
        rows = connection.execute(
            """SELECT i.source || '/' || i.listing || ' ' || i.kind || ' ' || i.field, sum(i.count) * 1.0 / r.records FROM issues i
            JOIN (SELECT source, listing, sum(records) AS records FROM pages WHERE generation = 0 GROUP BY 1, 2) r USING (source, listing)
            JOIN pages p ON p.page = i.page WHERE p.generation = 0 AND i.kind <> 'screened' AND r.records > 0 GROUP BY i.source, i.listing, i.kind, i.field ORDER BY 1"""
        )
        return {name: round(share, 6) for name, share in rows}
    finally:
        connection.close()
