"""What people withdrew and history must forget: which notices are gone, and what they said taken out of every release's past.

What stays is that there was one, when it came and went, and why: rows of the table `withdrawn`, and changes without what they changed. Who
decides that is in withdraw.py, and when it is carried out in carry.py.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from .catalogue import Catalogue
from .historyfile import OF_NOTICES, opened, tables_of
from .home import to_read


def gone(path: Path) -> dict[str, tuple[str, str, str]]:
    """Every notice that is gone because people withdrew it or what was the same decision: class of reason, day, the notice that they signed."""
    if not path.is_file():
        return {}
    connection = sqlite3.connect(to_read(path), uri=True)
    try:
        if not connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'withdrawn'").fetchone()[0]:
            return {}
        return {notice: (reason, day, signed) for notice, reason, day, signed in connection.execute("SELECT * FROM withdrawn")}
    finally:
        connection.close()


def enter_gone(path: Path, found: Mapping[str, tuple[str, str, str]]) -> None:
    """Enter notices of which `gone` is to tell from now on."""
    connection = opened(path)
    try:
        connection.executemany("INSERT OR IGNORE INTO withdrawn VALUES (?,?,?,?)", [(key, *said) for key, said in sorted(found.items())])
        connection.execute("COMMIT")
    finally:
        connection.close()


def forget(path: Path, catalogue: Catalogue) -> None:
    """Take what the notices that are gone said out of every release's past. What stays is that there was one, when it came and went, and why."""
    connection = opened(path)
    try:
        connection.execute("CREATE TEMP TABLE gone AS SELECT notice AS id FROM main.withdrawn")
        tables = {table.name: table for table in tables_of(connection, catalogue)}
        of = {t.name: c for t in tables.values() if (c := "id" if t.name == "notices" else t.ref_to("notices"))}
        taken = [
            connection.execute(f'DELETE FROM main."{name}" WHERE "{column}" IN (SELECT id FROM temp.gone)').rowcount
            for name, column in of.items()
        ]
        for name in of:  # each by its place in the index: what is gone is asked for by every run
            those = "c.key = g.id" if tables[name].key == ("id",) else "c.key >= g.id || ' ' AND c.key < g.id || '!'"
            connection.execute(
                f"""UPDATE changes SET before = NULL, after = NULL WHERE rowid IN (SELECT c.rowid FROM temp.gone g CROSS JOIN changes c
                INDEXED BY changes_of_notices ON c.{OF_NOTICES} AND c.table_name = ? AND {those}) AND (before IS NOT NULL OR after IS NOT NULL)""",
                [name],
            )
        if any(taken):
            named = " UNION ".join(
                f'SELECT document_id FROM main."{t.name}" WHERE document_id IS NOT NULL'
                for t in tables.values()
                if "document_id" in t.columns
            )
            connection.execute(f"CREATE TEMP TABLE unnamed AS SELECT DISTINCT id FROM documents WHERE id NOT IN ({named})")
            connection.execute("DELETE FROM documents WHERE id IN (SELECT id FROM temp.unnamed)")
            connection.execute(
                "UPDATE changes SET before = NULL, after = NULL WHERE table_name = 'documents' AND key IN (SELECT id FROM temp.unnamed)"
            )
        connection.execute("COMMIT")
    finally:
        connection.close()
