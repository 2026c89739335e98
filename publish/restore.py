"""Make the data of an earlier release fit to be live again: what has ended, was withdrawn, repaired or corrected since does not come back.

Going back undoes what a source or we did to the data, never what an authority decided about a notice. Where the reason to go back is itself
a flood of withdrawals, these stay withdrawn: a notice that is missing until the next run harms nobody as one that was revoked does.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .assembled import VISIBLE, Assembled, named_documents, next_expiry
from .catalogue import Catalogue
from .dataset import Table
from .errors import BadHome
from .tables import Working, working

OVER = ("withdrawal", "repair", "expiry", "correction")  # causes in history of a notice that is gone, and what it said is wrong or over
WITHHELD = ("withdrawn", "repaired", "expired")  # the same, as the staging file of the live release says it
CHANGED = ("correction", "dispute")  # what is live says it better, or nothing does


def restore(
    path: Path, old: str, live: Path, history: Path, base: Path, manifest: Mapping[str, Any], catalogue: Catalogue, day: date
) -> Assembled:
    """Take out of `path`, a copy of the database of release `old`, what must not come back, judged by `live` (the database of the live release),
    the history and `base` (its staging file). `manifest` is the old release's; its accounting gains `over_since`.

    Raises BadHome when the history does not know the release.
    """
    with working(path) as connection:
        connection.execute("ATTACH ? AS live", [f"{live}"])
        connection.execute("ATTACH ? AS history", [f"{history}"])
        number = connection.execute("SELECT number FROM history.releases WHERE id = ?", [old]).fetchone()
        if number is None:
            raise BadHome(f"{history}: does not know release {old}, so what was withdrawn since cannot be told; restore the history first")
        if base.is_file():
            connection.execute("ATTACH ? AS private", [f"{base}"])

        def take_out() -> None:
            _take_out_notices(connection, catalogue, number[0], base.is_file())
            for name, visible in VISIBLE.items():
                connection.execute(f'DELETE FROM main."{name}" AS s WHERE NOT coalesce({visible}, 0)', {"day": day.isoformat()})

        return _without(connection, path, take_out, manifest, catalogue, day)


def without(path: Path, notices: Collection[str], manifest: Mapping[str, Any], catalogue: Catalogue, day: date) -> Assembled:
    """Take notices out of `path`, a copy of the database of the release of this manifest, with all that belongs to them."""
    with working(path) as connection:
        return _without(
            connection,
            path,
            lambda: connection.executemany("DELETE FROM main.notices WHERE id = ?", [(one,) for one in sorted(notices)]),
            manifest,
            catalogue,
            day,
        )


def _without(
    connection: Working, path: Path, take_out: Callable[[], object], manifest: Mapping[str, Any], catalogue: Catalogue, day: date
) -> Assembled:
    there = {name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    tables = [table for table in catalogue.tables.values() if table.name in there]  # others were declared since
    connection.execute("BEGIN")
    before = _rows(connection, tables)
    take_out()
    take_out_parts(connection, tables)
    after = _rows(connection, tables)
    expiry = next_expiry(connection)
    connection.execute("COMMIT")
    accounting = {
        name: fates_without(fates, *(before[name][place] - after[name][place] for place in (0, 1)))
        for name, fates in manifest["accounting"].items()
    }
    return Assembled(
        path, day.isoformat(), accounting, {}, {name: rows for name, (rows, _) in after.items()}, dict(manifest["issues"]), expiry
    )


def _rows(connection: Working, tables: Sequence[Table]) -> dict[str, tuple[int, int]]:
    """By table how many rows there are, and how many of them are marked as absent."""
    absent = {table.name: "count(absent_since)" if "absent_since" in table.columns else "0" for table in tables}
    return {name: connection.all(f'SELECT count(*), {counted} FROM main."{name}"')[0] for name, counted in absent.items()}


def fates_without(fates: Mapping[str, int], gone: int, gone_absent: int) -> dict[str, int]:
    """The accounting without rows that are gone; what was kept beside the records goes first as far as it is marked, else last."""
    now = dict(fates)
    for fate, most in (("kept_absent", gone_absent), ("published", gone), ("kept_held", gone)):
        taken = min(gone, most, now.get(fate, 0))
        gone -= taken
        if taken:
            now[fate] -= taken
            if fate == "published":
                now["over_since"] = now.get("over_since", 0) + taken
    return {fate: number for fate, number in now.items() if number or fate in ("records", "published")}


def _take_out_notices(connection: Working, catalogue: Catalogue, number: int, staged: bool) -> None:
    marks = ",".join("?" * len(OVER))
    since = "FROM history.changes WHERE table_name = 'notices' AND release > ?"
    connection.execute(
        f"CREATE TEMP TABLE over AS SELECT key AS id {since} AND kind = 'remove' AND cause IN ({marks}) AND key NOT IN (SELECT id FROM live.notices)",
        [number, *OVER],
    )
    if staged:
        connection.execute(
            f"INSERT INTO over SELECT id FROM private.notices WHERE withheld IN ({','.join('?' * len(WITHHELD))}) AND id NOT IN (SELECT id FROM live.notices)",
            WITHHELD,
        )
    connection.execute("DELETE FROM main.notices WHERE id IN (SELECT id FROM over)")
    marks = ",".join("?" * len(CHANGED))
    connection.execute(
        f"CREATE TEMP TABLE better AS SELECT key AS id {since} AND kind = 'change' AND cause IN ({marks}) AND key IN (SELECT id FROM main.notices)",
        [number, *CHANGED],
    )
    notices = catalogue.tables["notices"]
    for table in (notices, *(table for table in catalogue.tables.values() if table.ref_to("notices"))):
        column = "id" if table is notices else table.ref_to("notices")
        connection.execute(f'DELETE FROM main."{table.name}" WHERE "{column}" IN (SELECT id FROM better)')
        _copy(connection, table, f'"{column}" IN (SELECT id FROM better)')
    _copy(connection, catalogue.tables["documents"], "id IN (SELECT document_id FROM main.notices WHERE id IN (SELECT id FROM better))")


def _copy(connection: Working, table: Table, where: str) -> None:
    """Rows of the live release beside those that are there."""
    there = {row[1] for row in connection.execute(f'PRAGMA live.table_info("{table.name}")')}
    names = ", ".join(f'"{column.name}"' for column in table.published if column.name in there)
    if not names:  # declared since
        return
    connection.execute(f'INSERT OR IGNORE INTO main."{table.name}" ({names}) SELECT {names} FROM live."{table.name}" WHERE {where}')


def take_out_parts(connection: Working, tables: Sequence[Table]) -> None:
    """What belonged to a row that is gone, and documents that nothing names any more."""
    for table in tables:
        if upwards := table.ref_to("notices"):
            connection.execute(f'DELETE FROM main."{table.name}" WHERE "{upwards}" NOT IN (SELECT id FROM main.notices)')
    connection.execute("DELETE FROM main.notice_links WHERE institution_id NOT IN (SELECT id FROM main.institutions)")
    connection.execute(f"DELETE FROM main.documents WHERE id NOT IN ({named_documents(tables)})")
