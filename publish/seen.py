"""What feeds know of earlier releases: when a notice, a source and a decision were first shown, and when a notice last changed. Read from history."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .history import OF_NOTICES


@dataclass(frozen=True)
class Seen:
    """What feeds need to know of earlier releases: by notice the releases that first showed and last changed it, by source the first one that
    had a notice of it, and by (document number, authority) the first one that had that decision, under whatever id."""

    seen: Mapping[str, tuple[str, str]]
    first_of_source: Mapping[str, str]
    decisions: Mapping[tuple[str, str], str]


_STATEMENT = "n.notice_id || ' ' || n.number"  # as diff.key_of says it


def _changed(table: str, key: str) -> str:
    """SQL for the release in which a row `n` began, 0 where it only began anew with a column that came: it did not change."""
    those = f"c.{OF_NOTICES} AND c.table_name = '{table}'"
    return f"""iif(n.release_from IN (SELECT c.release FROM changes c WHERE {those} AND c.key = '')
      AND NOT EXISTS (SELECT 1 FROM changes c WHERE {those} AND c.key = {key} AND c.release = n.release_from), 0, n.release_from)"""


def seen(path: Path, before: int | None = None) -> Seen:
    """The past of the notices, up to the release before the one of this number (None: all there is); empty before the first release."""
    if not path.is_file():
        return Seen({}, {}, {})
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        made = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notices'").fetchone()[0]
        if not made:  # the first run died while it made the file
            return Seen({}, {}, {})
        names = dict(connection.execute("SELECT number, id FROM releases"))
        upto = [max(names, default=0) + 1 if before is None else before]
        rows = connection.execute(
            f"SELECT id, min(release_from), max({_changed('notices', 'n.id')}) FROM notices n WHERE release_from < ? GROUP BY id", upto
        ).fetchall()
        sources = connection.execute(
            "SELECT source_id, min(release_from) FROM notices WHERE release_from < ? GROUP BY source_id", upto
        ).fetchall()
        # a notice that somebody replied to has changed for whoever reads of it
        said = dict(
            connection.execute(
                f"SELECT notice_id, max({_changed('notice_statements', _STATEMENT)}) FROM notice_statements n WHERE release_from < ? GROUP BY notice_id",
                upto,
            )
            if connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notice_statements'").fetchone()[0]
            else ()
        )
        decisions = connection.execute(
            """SELECT document_no, authority, min(release_from) FROM notices
            WHERE release_from < ? AND document_no IS NOT NULL AND authority IS NOT NULL GROUP BY 1, 2""",
            upto,
        ).fetchall()
    finally:
        connection.close()
    return Seen(
        {identifier: (names[first], names[max(last, said.get(identifier, 0))]) for identifier, first, last in rows},
        {source: names[first] for source, first in sources},
        {(number, authority): names[first] for number, authority, first in decisions},
    )


def changed(path: Path, number: int | None = None) -> set[str]:
    """The notices that changed, or that something was said of: in a file of changes (diff), or in history with the release of this number."""
    where = "1" if number is None else f"release = {number:d}"
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        sql = f"""SELECT key FROM changes WHERE table_name = 'notices' AND kind = 'change' AND {where}
            UNION SELECT substr(key, 1, instr(key, ' ') - 1) FROM changes WHERE table_name = 'notice_statements' AND {where}"""
        return {key for (key,) in connection.execute(sql)}
    finally:
        connection.close()
