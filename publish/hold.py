"""Keep a partition at its last good rows: those of the live release take the place of what the candidate has.

A row comes back with its parts, its document and its links, and an institution with its listings and ratings. What has ended by its own date
does not come back, nor what the staged data says was withdrawn or repaired, or might say in words that we could not read. A notice that is
now disputed comes back as disputed (rule 11), and one that is now corrected, or corrected once more, not before somebody has decided: what is
live is wrong then, and what the region says now is what is not believed. Nothing is remembered but what the live release shows: a region that
is still lost tomorrow is compared with the same good rows and held again.

The snapshot that lost a region is no good one, so when the region is itself again nobody is delisted at once: who is still missing is marked
as absent, and goes with the next snapshot that misses them too (rule 2).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from .assembled import VISIBLE, Assembled, named_documents, next_expiry
from .catalogue import Catalogue
from .dataset import Table
from .guards import beyond
from .identity import key_text, make_id
from .link import link
from .partitions import REGION, Place
from .review import Held
from .stage import referred_to_first, staged_tables
from .tables import Working


def hold(connection: Working, candidate: Assembled, catalogue: Catalogue, held: Collection[Held], before: Collection[Place]) -> Assembled:
    """Put the last good rows of `held` into the candidate, and let go of what was held `before` and no longer is.

    `connection` is what measure.attached gives: the candidate (main), the live release (old) and temp.withheld. One transaction.
    """
    places = {(h.source, h.table, h.region) for h in held}
    eased = set(before) - places
    if not places and not eased:
        return candidate
    connection.execute("BEGIN")
    work = _Holding(connection, catalogue, candidate.day)
    work.places("held", places)
    work.places("eased", eased)
    work.heed()
    for table in work.mains:
        work.keep(table)
    work.run("UPDATE main.notices SET state = 'disputed' WHERE id IN (SELECT id FROM temp.turned WHERE state = 'disputed')")
    for table in work.mains:
        work.ease(table)
    work.keep_by_institution()
    work.leave_none_alone()
    work.documents()
    connection.execute("DELETE FROM main.notice_links")
    link(connection, catalogue.regions.county_codes())
    connection.executemany(
        "INSERT INTO main.held_partitions VALUES (?,?,?,?,?)",
        sorted((h.source, h.table, h.region, h.since, h.bound) for h in held),
    )
    tables = {name: connection.one(f'SELECT count(*) FROM main."{name}"') for name in catalogue.tables}
    made = replace(candidate, tables=tables, accounting=work.accounted(candidate.accounting), next_expiry=next_expiry(connection))
    connection.execute("COMMIT")
    return made


class _Holding:
    def __init__(self, connection: Working, catalogue: Catalogue, day: str) -> None:
        self.connection, self.catalogue, self.bound = connection, catalogue, {"day": day}
        self.mains = referred_to_first(t for t in staged_tables(catalogue) if t.prefix and "region_code" in t.columns)
        self.fates: dict[str, Counter[str]] = {}
        connection.execute("CREATE TEMP TABLE back (id TEXT PRIMARY KEY) WITHOUT ROWID")  # of any table: an id says of which

    def places(self, name: str, places: Iterable[Place]) -> None:
        self.connection.execute(
            f"CREATE TEMP TABLE {name} (source TEXT, tbl TEXT, region TEXT, PRIMARY KEY (source, tbl, region)) WITHOUT ROWID"
        )
        self.connection.executemany(f"INSERT INTO {name} VALUES (?,?,?)", sorted(places))

    def shared(self, table: Table) -> list[str]:
        """The columns of a table that the live release has too: what was declared since is empty in a row of its."""
        known = {row[1] for row in self.connection.execute(f'PRAGMA old.table_info("{table.name}")')}
        return [column.name for column in table.published if column.name in known]

    def run(self, sql: str) -> int:
        return self.connection.change(sql, self.bound if ":day" in sql else ())

    def count(self, table: str, **fates: int) -> None:
        self.fates.setdefault(table, Counter()).update(fates)

    def within(self, row: str, places: str, table: Table) -> str:
        return f"({row}.source_id, '{table.name}', {REGION.format(p=row)}) IN (SELECT source, tbl, region FROM temp.{places})"

    def may_return(self, table: Table, row: str) -> str:
        """SQL for a row of the live release that may be shown still, and whose institution is there."""
        visible = VISIBLE.get(table.name, "1").replace("s.", f"{row}.")
        refs = [c for c in table.columns.values() if c.required and c.ref]
        there = "".join(f' AND EXISTS (SELECT 1 FROM main."{c.ref}" r WHERE r.id = {row}."{c.name}")' for c in refs)
        withheld = f" AND {row}.id NOT IN (SELECT id FROM temp.withheld)" if table.prefix else ""
        return f"coalesce({visible}, 0){there}{withheld}"

    def heed(self) -> None:
        """What an authority now says of a held notice, where it says it of few: where many turned, that is what is not believed.

        A notice turned that is in a new state, or that is corrected as before and says something else: it was corrected once more.
        """
        notices = self.catalogue.tables["notices"]
        given = [name for name in self.shared(notices) if notices.columns[name].rule == "given"]
        otherwise = " OR ".join(f'n."{name}" IS NOT o."{name}"' for name in given)
        self.run(
            f"""CREATE TEMP TABLE turned AS SELECT o.id, o.source_id AS source, {REGION.format(p="o")} AS region,
            CASE WHEN n.state IN ('corrected', 'disputed') AND (n.state IS NOT o.state OR n.state = 'corrected' AND ({otherwise})) THEN n.state END AS state
            FROM old.notices o LEFT JOIN main.notices n USING (id) WHERE {self.within("o", "held", notices)} OR {self.within("n", "held", notices)}"""
        )
        for source, region, rows, turned in self.connection.all(
            "SELECT source, region, count(*), count(state) FROM temp.turned GROUP BY 1, 2"
        ):
            allowed = self.catalogue.bounds(source, "notices").allowed
            if beyond(turned / rows, allowed.get("partition_changed", 0.0), rows, allowed.get("small_rows", 0.0)):
                self.connection.execute("DELETE FROM temp.turned WHERE (source, region) = (?, ?)", [source, region])
        self.run("INSERT OR IGNORE INTO temp.withheld SELECT id, state FROM temp.turned WHERE state = 'corrected'")

    def keep(self, table: Table) -> None:
        """Every record that is in a held partition, in the live release or in the candidate, is as it was live."""
        name, touched = table.name, f'temp."touched_{table.name}"'
        self.run(f'CREATE TEMP TABLE "touched_{name}" (id TEXT PRIMARY KEY, was INTEGER NOT NULL) WITHOUT ROWID')
        for side in ("main", "old"):
            self.run(
                f"""INSERT OR IGNORE INTO {touched} SELECT o.id, EXISTS (SELECT 1 FROM main."{name}" n WHERE n.id = o.id)
                FROM {side}."{name}" o WHERE {self.within("o", "held", table)}"""
            )
        if table.ref_to("institutions"):  # with an institution that comes back come its listings
            self.run(
                f"""INSERT OR IGNORE INTO {touched} SELECT o.id, 0 FROM old."{name}" o WHERE o.institution_id IN
                (SELECT b.id FROM temp.back b JOIN temp.touched_institutions t USING (id) WHERE NOT t.was)
                AND NOT EXISTS (SELECT 1 FROM main."{name}" n WHERE n.id = o.id)"""
            )
        ids = f"SELECT id FROM {touched}"
        for child in self.children(table):
            self.run(f'DELETE FROM main."{child.name}" WHERE "{child.ref_to(name)}" IN ({ids})')
        absent = self.run(f'DELETE FROM main."{name}" WHERE absent_since IS NOT NULL AND id IN ({ids})')
        fresh = self.run(f'DELETE FROM main."{name}" WHERE id IN ({ids})')
        kept = self.bring_back(table, f"o.id IN ({ids})", "o.absent_since")
        self.count(name, published=-fresh, held_back=fresh, kept_absent=-absent, kept_held=kept)

    def bring_back(self, table: Table, which: str, absent_since: str) -> int:
        """Rows of the live release, with their parts. Returns how many."""
        name = table.name
        columns = self.shared(table)
        values = ", ".join(absent_since if column == "absent_since" else f'o."{column}"' for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        already = f'EXISTS (SELECT 1 FROM main."{name}" n WHERE n.id = o.id)'
        where = f"WHERE {which} AND NOT {already} AND {self.may_return(table, 'o')}"
        self.run(f'INSERT INTO temp.back SELECT o.id FROM old."{name}" o {where}')
        number = self.run(f'INSERT INTO main."{name}" ({names}) SELECT {values} FROM old."{name}" o {where} ORDER BY o.id')
        for child in self.children(table):
            parts = ", ".join(f'"{column}"' for column in self.shared(child))
            if not parts:
                continue
            up = f'"{child.ref_to(name)}"'
            self.run(
                f"""INSERT OR IGNORE INTO main."{child.name}" ({parts}) SELECT {parts} FROM old."{child.name}"
                WHERE {up} IN (SELECT id FROM temp.back) ORDER BY {up}"""
            )
        return number

    def ease(self, table: Table) -> None:
        """Of a partition that is held no longer: who is still missing is absent for the first time."""
        of = self.within("o", "eased", table)
        if table.ref_to("institutions"):
            ours = self.within("i", "eased", self.catalogue.tables["institutions"])
            of = f"({of} OR o.institution_id IN (SELECT i.id FROM old.institutions i WHERE {ours}))"
        number = self.bring_back(table, f"o.absent_since IS NULL AND {of}", ":day")
        self.count(table.name, kept_absent=number)

    def keep_by_institution(self) -> None:
        """Ratings have the region of their institution: those of a held region, and of an institution that came back, are as they were."""
        for table in staged_tables(self.catalogue):
            up = table.ref_to("institutions")
            if table.prefix or table.parent or not up:
                continue
            institutions = self.catalogue.tables["institutions"]
            held = f"""SELECT i.id FROM main.institutions i WHERE {self.within("i", "held", institutions)} OR {self.within("i", "held", table)}
                UNION SELECT id FROM temp.back"""
            fresh = self.run(f'DELETE FROM main."{table.name}" WHERE "{up}" IN ({held})')
            names = ", ".join(f'"{column}"' for column in self.shared(table))
            kept = self.run(
                f"""INSERT INTO main."{table.name}" ({names}) SELECT {names} FROM old."{table.name}" s WHERE "{up}" IN ({held})
                AND coalesce({VISIBLE.get(table.name, "1")}, 0) ORDER BY {", ".join(f'"{key}"' for key in table.key)}"""
            )
            self.count(table.name, published=-fresh, held_back=fresh, kept_held=kept)

    def leave_none_alone(self) -> None:
        """What refers to an institution that is new in a held region, and so not shown yet, is not shown yet either."""
        for table in staged_tables(self.catalogue):
            up = table.ref_to("institutions")
            if up and not table.parent:
                gone = f'"{up}" NOT IN (SELECT id FROM main.institutions)'
                absent = self.run(f'DELETE FROM main."{table.name}" WHERE absent_since IS NOT NULL AND {gone}') if table.prefix else 0
                fresh = self.run(f'DELETE FROM main."{table.name}" WHERE {gone}')
                self.count(table.name, published=-fresh, held_back=fresh, kept_absent=-absent)

    def children(self, table: Table) -> list[Table]:
        return [child for child in staged_tables(self.catalogue) if child.parent == table.name]

    def documents(self) -> None:
        """The documents that the kept rows name, as they were: the day that one is of is that of its rows, not of what came after."""
        documents = self.catalogue.tables["documents"]
        names = ", ".join(f'"{column}"' for column in self.shared(documents))
        differs = " OR ".join(f'n."{column}" IS NOT o."{column}"' for column in self.shared(documents))

        def kept_as(id: str, source: str, as_of: str | None) -> str:
            return make_id(str(documents.prefix), source, key_text([id, as_of]))

        self.connection.teach(kept_as, 3)
        for table in self.mains:
            ours = "id IN (SELECT id FROM temp.back)"
            wanted = f'SELECT document_id FROM main."{table.name}" WHERE {ours}'
            self.run(f"INSERT OR IGNORE INTO main.documents ({names}) SELECT {names} FROM old.documents WHERE id IN ({wanted}) ORDER BY id")
            self.run(
                f"""CREATE TEMP TABLE "other_{table.name}" AS SELECT o.id, kept_as(o.id, o.source_id, o.as_of) AS kept
                FROM old.documents o JOIN main.documents n ON n.id = o.id WHERE o.id IN ({wanted}) AND ({differs})"""
            )
            values = ", ".join("k.kept" if column == "id" else f'o."{column}"' for column in self.shared(documents))
            self.run(
                f"""INSERT OR IGNORE INTO main.documents ({names}) SELECT {values} FROM old.documents o
                JOIN temp."other_{table.name}" k ON k.id = o.id ORDER BY k.kept"""
            )
            self.run(
                f"""UPDATE main."{table.name}" SET document_id = (SELECT kept FROM temp."other_{table.name}" k WHERE k.id = document_id)
                WHERE {ours} AND document_id IN (SELECT id FROM temp."other_{table.name}")"""
            )
        self.run(f"DELETE FROM main.documents WHERE id NOT IN ({named_documents(self.catalogue.tables.values())})")

    def accounted(self, before: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
        """The accounting, with what the hold did: records that it kept back, and rows that it kept."""
        after = {name: dict(fates) for name, fates in before.items()}
        for name, changes in self.fates.items():
            for fate, number in changes.items():
                after[name][fate] = after[name].get(fate, 0) + number
            after[name] = {fate: number for fate, number in after[name].items() if number or fate in ("records", "published")}
        return after
