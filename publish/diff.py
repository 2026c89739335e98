"""What a candidate would change in the live release: rows added, changed (field, before, after) and removed, each with its cause.

The comparison runs inside SQLite over both files in key order, so its memory does not grow with the data. Changes are written to a file
of their own that review, history and feeds read. It judges nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .assemble import Assembled
from .catalogue import Catalogue
from .dataset import Table
from .progress import Progress, silent
from .tables import Working, working

SCHEMA = """CREATE TABLE changes (
  table_name TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, field TEXT, before ANY, after ANY, cause TEXT NOT NULL
) STRICT"""
CAUSES = ("source", "correction", "expiry", "repair", "withdrawal", "dispute", "pipeline")
ABOUT_THE_RUN = ("sources", "documents")  # their as-of days move when nothing else does: that is not news


@dataclass(frozen=True)
class Changes:
    """`path` is a SQLite file with one table, `changes`; `counts` is table > add/change/remove > rows. `first`: there was nothing before."""

    path: Path
    first: bool
    counts: Mapping[str, Mapping[str, int]]

    @property
    def news(self) -> bool:
        """Whether a reader would see anything new in the data."""
        return self.first or any(number for table, kinds in self.counts.items() if table not in ABOUT_THE_RUN for number in kinds.values())


def key_of(table: Table, alias: str) -> str:
    """SQL for the key of a row as one text: the columns with a space between them (no key column holds one)."""
    return " || ' ' || ".join(f'{alias}."{column}"' for column in table.key)


def diff(
    candidate: Assembled,
    live: Path | None,
    catalogue: Catalogue,
    path: Path,
    *,
    ours: bool = False,
    private: Path | None = None,
    withdrawn: Collection[str] = (),
    progress: Progress = silent,
) -> Changes:
    """Compare the candidate with the live release's database (None: there is none yet, and only counts are made).

    `ours` says that the recipe changed: no difference is then blamed on the source. `private` is the staging file, which knows why a notice
    was withheld; `withdrawn` are notices that people of ours took out.
    """
    path.unlink(missing_ok=True)
    with working(path) as connection:
        connection.execute(SCHEMA)
        if live is None:
            return Changes(path, True, {name: {"add": rows} for name, rows in candidate.tables.items()})
        connection.execute("ATTACH ? AS new", [str(candidate.path)])
        connection.execute("ATTACH ? AS old", [str(live)])
        connection.execute("BEGIN")
        progress.start("diff", len(catalogue.tables))
        counts: dict[str, dict[str, int]] = {}
        for table in catalogue.tables.values():
            kinds = _table(connection, table, "pipeline" if ours else "source")
            if kinds:
                counts[table.name] = kinds
            progress.advance(1)
        _ends(connection, private, candidate.day, withdrawn)  # whoever's doing the rest is: what was withdrawn was withdrawn
        if not ours:
            _causes(connection)
        _causes_of_statements(connection)
        _causes_of_lineage(connection)
        _causes_of_parts(connection, catalogue)
        connection.execute("COMMIT")
    progress.finish()
    return Changes(path, False, counts)


def _table(connection: Working, table: Table, cause: str) -> dict[str, int]:
    name, insert = table.name, "INSERT INTO changes"
    old_columns = {row[1] for row in connection.execute(f'PRAGMA old.table_info("{name}")')}
    new_columns = {row[1] for row in connection.execute(f'PRAGMA new.table_info("{name}")')}
    if not new_columns:  # a copy of what was made before the table was declared
        return {}
    if not old_columns:
        added = connection.change(
            f"{insert} SELECT ?, {key_of(table, 'n')}, 'add', NULL, NULL, NULL, 'pipeline' FROM new.\"{name}\" n", [name]
        )
        return {"add": added} if added else {}
    fields = [c.name for c in table.published if c.name not in table.key and c.name in old_columns]
    same = " AND ".join(f'n."{column}" = o."{column}"' for column in table.key)
    joined = f'new."{name}" n CROSS JOIN old."{name}" o ON {same}'
    unlike = sorted(old_columns ^ new_columns)
    for column in unlike:  # a column that came or went is news: until it is released, what was made private is still public
        was = column in old_columns
        connection.change(f"{insert} VALUES (?, '', 'columns', ?, ?, ?, 'pipeline')", [name, column, int(was), int(not was)])
    kinds = {"columns": len(unlike)}
    differs = " OR ".join(f'n."{field}" IS NOT o."{field}"' for field in fields)
    if differs:
        kinds["change"] = connection.one(f"SELECT count(*) FROM {joined} WHERE {differs}")
    if kinds.get("change"):
        for field in fields:
            connection.change(
                f'{insert} SELECT ?, {key_of(table, "n")}, \'change\', ?, o."{field}", n."{field}", ? FROM {joined} WHERE n."{field}" IS NOT o."{field}"',
                [name, field, cause],
            )
    before, after = (connection.one(f'SELECT count(*) FROM {side}."{name}"') for side in ("old", "new"))
    kinds["add"] = connection.change(
        f'{insert} SELECT ?, {key_of(table, "n")}, \'add\', NULL, NULL, NULL, ? FROM new."{name}" n WHERE NOT EXISTS (SELECT 1 FROM old."{name}" o WHERE {same})',
        [name, cause],
    )
    if before != after - kinds["add"]:
        kinds["remove"] = connection.change(
            f'{insert} SELECT ?, {key_of(table, "o")}, \'remove\', NULL, NULL, NULL, ? FROM old."{name}" o WHERE NOT EXISTS (SELECT 1 FROM new."{name}" n WHERE {same})',
            [name, cause],
        )
    return {kind: number for kind, number in kinds.items() if number}


def _ends(connection: Working, private: Path | None, day: str, withdrawn: Collection[str]) -> None:
    """Notices end for causes of their own: by time, or because they were repaired or withdrawn."""
    connection.execute(
        "UPDATE changes SET cause = 'expiry' WHERE kind = 'remove' AND table_name = 'notices' AND key IN (SELECT id FROM old.notices WHERE public_until < ?)",
        [day],
    )
    if private is not None and private.is_file():
        connection.execute("ATTACH ? AS private", [str(private)])
        connection.execute(  # what was corrected in a region that is held: neither text is shown
            "UPDATE changes SET cause = 'correction' WHERE kind = 'remove' AND table_name = 'notices' AND cause <> 'expiry' AND key IN (SELECT id FROM private.notices WHERE state = 'corrected' AND withheld IS NULL)"
        )
        for state, cause in (("withdrawn", "withdrawal"), ("repaired", "repair"), ("expired", "expiry")):
            connection.execute(
                "UPDATE changes SET cause = ? WHERE kind = 'remove' AND table_name = 'notices' AND key IN (SELECT id FROM private.notices WHERE withheld = ?)",
                [cause, state],
            )
    connection.executemany(
        "UPDATE changes SET cause = 'withdrawal' WHERE kind = 'remove' AND table_name = 'notices' AND key = ?",
        [(one,) for one in withdrawn],
    )


def _causes(connection: Working) -> None:
    """A notice that was corrected or disputed did not just change, where the state itself changed: its other changes are not the dispute's."""
    for state, cause in (("corrected", "correction"), ("disputed", "dispute")):
        connection.execute(
            """UPDATE changes SET cause = ? WHERE kind = 'change' AND table_name = 'notices' AND key IN (
              SELECT c.key FROM changes c WHERE c.table_name = 'notices' AND c.field = 'state' AND c.after = ?)""",
            [cause, state],
        )


def _causes_of_statements(connection: Working) -> None:
    """What our staff entered is no source's doing: a correction, and a reply or a dispute, with what they change in the notice itself."""
    if not connection.all("SELECT 1 FROM new.sqlite_master WHERE name = 'notice_statements'"):
        return
    connection.execute(
        """CREATE TEMP TABLE stated AS SELECT c.rowid AS change, s.notice_id AS notice, s.kind AS kind FROM changes c
        JOIN new.notice_statements s ON s.notice_id = substr(c.key, 1, instr(c.key, ' ') - 1) AND s.number = substr(c.key, instr(c.key, ' ') + 1) + 0
        WHERE c.table_name = 'notice_statements'"""
    )
    connection.execute(
        """UPDATE changes SET cause = CASE s.kind WHEN 'correction' THEN 'correction' ELSE 'dispute' END FROM temp.stated s WHERE changes.rowid = s.change"""
    )
    for kind, cause, which in (
        ("dispute", "dispute", "table_name = 'notices' AND kind = 'change' AND field = 'state' AND key"),
        ("correction", "correction", "table_name = 'notices' AND kind = 'change' AND key"),
        ("correction", "correction", "table_name = 'notice_links' AND cause = 'source' AND substr(key, 1, instr(key, ' ') - 1)"),
    ):
        connection.execute(
            f"UPDATE changes SET cause = ? WHERE {which} IN (SELECT notice FROM temp.stated WHERE kind = ?)",
            [cause, kind],
        )


def _causes_of_lineage(connection: Working) -> None:
    """Whose successor a record is by its credit code we found and no source said; nor does one say that we no longer find it."""
    for side in ("new", "old"):
        if connection.all(f"SELECT 1 FROM {side}.sqlite_master WHERE name = 'institution_lineage'"):
            connection.execute(
                f"""UPDATE changes SET cause = 'pipeline' WHERE table_name = 'institution_lineage' AND kind = ? AND key IN (
                SELECT predecessor_id || ' ' || successor_id FROM {side}.institution_lineage WHERE method <> 'source')""",
                ["add" if side == "new" else "remove"],
            )


def _causes_of_parts(connection: Working, catalogue: Catalogue) -> None:
    """What went or changed with its notice did so for the notice's reason. The key of a part begins with its parent's."""
    for table in catalogue.tables.values():
        if table.ref_to("notices") == table.key[0]:
            connection.execute(
                """UPDATE changes SET cause = n.cause FROM (SELECT key, kind, cause FROM changes WHERE table_name = 'notices' AND cause NOT IN ('source', 'pipeline')) n
                WHERE table_name = ? AND changes.kind = n.kind AND substr(changes.key, 1, instr(changes.key, ' ') - 1) = n.key""",
                [table.name],
            )
