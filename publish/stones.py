"""tombstones.json of a release: of each notice that was once public and is not in it, since when and for which class of reason (rule 6).

No more is said, and nothing of what the notice said. It is made of history and of what the release itself takes out.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import orjson

from .causes import ABSENT, CLASSES
from .historyfile import OF_NOTICES
from .home import to_read

TOMBSTONES = "tombstones.json"
Stones = dict[str, dict[str, str]]


def stone(on: str, reason: str) -> dict[str, str]:
    """All that may still be said of a notice."""
    return {"on": on, "class": reason}


def stones(history: Path, changes: Path, database: Path, day: str, gone: Mapping[str, tuple[str, str, str]]) -> Stones:
    """Of the release in the making: `changes` is what it takes out of the live one, `database` what it has, and `gone` is history's."""
    connection = sqlite3.connect(to_read(changes), uri=True)
    try:
        removed: list[tuple[str, str, str]] = []
        if history.is_file():
            connection.execute("ATTACH ? AS history", [to_read(history)])
            if connection.execute("SELECT count(*) FROM history.sqlite_master WHERE name = 'changes'").fetchone()[0]:
                removed += connection.execute(
                    f"""SELECT c.key, c.cause, r.day FROM history.changes c JOIN history.releases r ON r.number = c.release
                    WHERE c.{OF_NOTICES} AND c.table_name = 'notices' AND c.kind = 'remove' ORDER BY c.release, c.key"""
                )
        removed += [
            (key, cause, day)
            for key, cause in connection.execute(
                "SELECT key, cause FROM main.changes WHERE table_name = 'notices' AND kind = 'remove' ORDER BY key"
            )
        ]
        connection.execute("ATTACH ? AS made", [to_read(database)])
        present = {key for (key,) in connection.execute("SELECT id FROM made.notices")}
    finally:
        connection.close()
    found: Stones = {key: stone(on, CLASSES.get(cause, ABSENT)) for key, cause, on in removed if key not in present}
    return found | {key: stone(on, reason) for key, (reason, on, _) in gone.items() if key not in present}


def read(folder: Path) -> Stones:
    """The tombstones in a release's folder; none where the release is older than they are."""
    try:
        found: Stones = orjson.loads((folder / TOMBSTONES).read_bytes())
    except FileNotFoundError:
        return {}
    return found
