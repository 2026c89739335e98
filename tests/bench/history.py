"""`make bench ARGS="--history 365"`: history at full size, one release a day.

The first release is made of the reference platform by a real run. Each day after it a copy of its mingbai.db is changed by SQL (half a percent
of the institutions: three fifths changed, a fifth gone with all that is theirs, a fifth new; the same share of the notices; every 30 days a
month of ratings), and the real `diff` and `history.record` do what a run does with it. Some releases are kept in their canonical form to hold the rebuilt ones
against. Nothing here asserts but the hashes: seconds are those of a shared machine, and each stands beside that of copying the mingbai.db.
"""

import random
import resource
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from publish import forgotten, history
from publish.assembled import Assembled
from publish.canonical import canonical
from publish.catalogue import Catalogue, load
from publish.dataset import Table
from publish.diff import Changes, diff
from publish.rebuild import from_history
from publish.release import file_sha256

FIRST = date(2026, 11, 1)
CHURN = 0.005
MONTH = 30  # days after which ratings get another month
SHOWN = (2, 30, 100, 365)  # releases whose cost is printed, with the last
SAMPLES = 12  # releases of which the canonical form is kept as its hash
AT_ONCE = 15  # releases over which a cost is the median


def first_release(home: Path, size: int) -> Path:
    """The mingbai.db of a release of `size` institutions, made by a real run."""
    from run import mingbai, platform, timed  # the other half of `make bench`

    with platform(size, 1, 0, size // 3) as address:  # a third of them can no longer be shown
        timed(mingbai(home, 0, "run", "--source", f"platform={address}", "--rate", "0"))
    return home / "current" / "mingbai.db"


class Days:
    """Changes a database as the next day does. `ids` are those that are there, of institutions and of notices; temp.picked has those of the day."""

    def __init__(self, catalogue: Catalogue, path: Path) -> None:
        self.tables = catalogue.tables
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-65536"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(
            "CREATE TEMP TABLE picked (id TEXT PRIMARY KEY, fresh TEXT, act TEXT, place INTEGER, name TEXT) WITHOUT ROWID"
        )
        self.ids = {
            name: [i for (i,) in self.connection.execute(f"SELECT id FROM {name} ORDER BY id")] for name in ("institutions", "notices")
        }

    def pick(self, number: int) -> None:
        """Choose what the day of this number changes."""
        drawn = random.Random(number)
        self.connection.execute("DELETE FROM temp.picked")
        for name, there in self.ids.items():
            fifth = max(round(len(there) * CHURN / 5), 1)
            drawn.shuffle(there)
            fresh = [f"{there[0][:2]}{drawn.getrandbits(64):016x}" for _ in range(fifth)]
            rows = [(i, None, "change", n, name) for n, i in enumerate(there[: 3 * fifth])]
            rows += [(i, None, "gone", n, name) for n, i in enumerate(there[3 * fifth : 4 * fifth])]
            rows += [(i, new, "copy", n, name) for n, (i, new) in enumerate(zip(there[4 * fifth : 5 * fifth], fresh, strict=True))]
            self.connection.executemany("INSERT INTO temp.picked VALUES (?,?,?,?,?)", rows)
            self.ids[name] = [*there[: 3 * fifth], *there[4 * fifth :], *fresh]

    def next(self, number: int) -> None:
        """Change it."""
        connection = self.connection
        connection.execute("BEGIN")
        for name in self.ids:
            self._change(connection, name, number)
            self._copies(connection, name)
            self._gone(connection, name)
        if number % MONTH == 0:
            connection.execute(
                """INSERT INTO ratings SELECT institution_id, strftime('%Y-%m', month || '-01', '+1 month'), dimension, scale_max, rating_count, histogram,
                mean_rating, is_suppressed, source_id FROM ratings WHERE month = (SELECT max(month) FROM ratings)"""
            )
        connection.execute("COMMIT")

    def touched(self, path: Path, number: int) -> None:
        """Write a database with the rows that the day may change: two of them differ as the two whole ones do, and are compared in a tenth of the time."""
        path.unlink(missing_ok=True)
        connection = self.connection
        connection.execute("ATTACH ? AS part", [str(path)])
        connection.execute("PRAGMA part.journal_mode=OFF")
        connection.execute("BEGIN")
        for name, sql in connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'table' ORDER BY rowid").fetchall():
            connection.execute(sql.replace(f'CREATE TABLE "{name}"', f'CREATE TABLE part."{name}"', 1))
            columns = [column for other in self.ids if (column := "id" if name == other else self.tables[name].ref_to(other))]
            these = " OR ".join(f'"{column}" IN (SELECT id FROM temp.picked UNION SELECT fresh FROM temp.picked)' for column in columns)
            if name in ("documents", "sources") or (name == "ratings" and number % MONTH == 0):
                these = "1"
            connection.execute(f'INSERT INTO part."{name}" SELECT * FROM main."{name}" WHERE {these or "0"}')
        connection.execute("COMMIT")
        connection.execute("DETACH part")

    def _change(self, connection: sqlite3.Connection, name: str, number: int) -> None:
        def those(every: int) -> str:
            return f"IN (SELECT id FROM temp.picked WHERE act = 'change' AND name = '{name}' AND place % {every} = 0)"

        if name == "notices":
            connection.execute(
                f"UPDATE notices SET penalty_text = 'no. {number} ' || penalty_text, fine_fen = {number} WHERE id {those(1)}"
            )
            return
        day = (FIRST + timedelta(days=number)).isoformat()
        connection.execute(
            f"UPDATE institutions SET address = substr(address, 1, length(address) - 3) || '{number:03d}', updated_on = '{day}' WHERE id {those(1)}"
        )
        connection.execute(f"UPDATE institutions SET name = substr(name, 1, 3) || '{number}' || substr(name, 4) WHERE id {those(10)}")
        connection.execute(f"UPDATE permits SET valid_until = '{day}' WHERE institution_id {those(3)}")
        connection.execute(f"UPDATE institution_sites SET floor_area_m2 = floor_area_m2 + 0.5 WHERE institution_id {those(5)}")
        connection.execute(f"UPDATE listings SET as_of = '{day}' WHERE institution_id {those(2)}")

    def _parts(self, name: str) -> list[tuple[Table, str]]:
        return [(table, column) for table in self.tables.values() if (column := table.ref_to(name))]

    def _copies(self, connection: sqlite3.Connection, name: str) -> None:
        """Others like those that were picked: a new id, and all parts."""
        if name == "notices":  # each has a document of its own
            self._insert(
                connection,
                name,
                self.tables["documents"],
                {"id": "'d-' || substr(p.fresh, 3)"},
                "notices m ON m.id = p.id JOIN documents s ON s.id = m.document_id",
            )
        own = {"document_id": "CASE WHEN s.document_id IS NULL THEN NULL ELSE 'd-' || substr(p.fresh, 3) END"} if name == "notices" else {}
        self._insert(connection, name, self.tables[name], {"id": "p.fresh", **own}, f"{name} s ON s.id = p.id")
        for table, column in self._parts(name):
            new = {column: "p.fresh"} | ({"id": "'l-' || substr(p.fresh, 3, 12) || substr(s.id, 15)"} if table.prefix else {})
            if not (table.name == "notice_links" and name == "institutions"):
                self._insert(connection, name, table, new, f'"{table.name}" s ON s."{column}" = p.id')

    def _insert(self, connection: sqlite3.Connection, name: str, table: Table, new: dict[str, str], joined: str) -> None:
        values = ", ".join(new.get(column.name, f's."{column.name}"') for column in table.published)
        connection.execute(
            f"INSERT INTO \"{table.name}\" SELECT {values} FROM temp.picked p JOIN {joined} WHERE p.act = 'copy' AND p.name = '{name}'"
        )

    def _gone(self, connection: sqlite3.Connection, name: str) -> None:
        those = f"IN (SELECT id FROM temp.picked WHERE act = 'gone' AND name = '{name}')"
        documents = connection.execute(
            f"SELECT DISTINCT document_id FROM {name} WHERE id {those} UNION SELECT document_id FROM listings WHERE institution_id {those}"
        ).fetchall()
        for table, column in self._parts(name):
            connection.execute(f'DELETE FROM "{table.name}" WHERE "{column}" {those}')
        connection.execute(f"DELETE FROM {name} WHERE id {those}")
        naming = [table.name for table in self.tables.values() if "document_id" in table.columns]
        unnamed = " AND ".join(f'NOT EXISTS (SELECT 1 FROM "{table}" t WHERE t.document_id = d.id)' for table in naming)
        connection.executemany(f"DELETE FROM documents AS d WHERE id = ? AND {unnamed}", documents)


def timed(task: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU seconds of a task, and what it returned."""
    wall, cpu = time.monotonic(), time.process_time()
    made = task()
    return time.monotonic() - wall, time.process_time() - cpu, made


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {statistics.median(ordered) * 1e6:,.0f} µs, p95 {ordered[int(len(ordered) * 0.95)] * 1e6:,.0f} µs"


def measure(size: int, days: int, home: Path | None = None) -> None:
    """The cost of history over `days` releases; `home` has a first release already."""
    folder = Path(tempfile.mkdtemp(prefix="mingbai-history-"))
    try:
        catalogue = load()
        first = home / "current" / "mingbai.db" if home else first_release(folder / "home", size)
        past, now = folder / "history.db", folder / "now.db"
        shutil.copyfile(first, now)
        world = Days(catalogue, now)
        hashes = {1: file_sha256(first)}
        print(
            f"{len(world.ids['institutions']):,} institutions, {len(world.ids['notices']):,} notices, mingbai.db {first.stat().st_size / 2**20:,.0f} MiB",
            flush=True,
        )
        wall, cpu, _ = timed(lambda: history.record(past, catalogue, "r1", FIRST.isoformat(), now, Changes(now, True, {}), None, hashes[1]))
        print(f"  release 1: {wall:.2f} s (cpu {cpu:.2f} s), history {past.stat().st_size / 2**20:,.0f} MiB", flush=True)
        sampled = {1 + round(n * (days - 1) / (SAMPLES - 1)) for n in range(SAMPLES)} | {n for n in (*SHOWN, days) if n <= days}
        costs: list[tuple[float, float]] = []
        for number in range(2, days + 1):
            show = number in SHOWN or number == days
            world.pick(number)
            if show:
                copied, _, _ = timed(lambda: shutil.copyfile(now, folder / "before.db"))
            world.touched(folder / "old.db", number)
            world.next(number)
            world.touched(folder / "new.db", number)
            made = Assembled(folder / "new.db", (FIRST + timedelta(days=number - 1)).isoformat(), {}, {}, {}, {}, None)
            changes = diff(made, folder / "old.db", catalogue, folder / "changes.db")
            if show:
                whole = replace(made, path=now)
                _, compared, same = timed(lambda whole=whole: diff(whole, folder / "before.db", catalogue, folder / "whole.db"))
                assert same.counts == changes.counts, (same.counts, changes.counts)
            sha256 = None
            if number in sampled:
                canonical(now, folder / "canonical.db")
                hashes[number] = sha256 = file_sha256(folder / "canonical.db")
            took = timed(
                lambda made=made, changes=changes, number=number, sha256=sha256: history.record(
                    past, catalogue, f"r{number}", made.day, now, changes, f"r{number - 1}", sha256
                )
            )
            costs.append(took[:2])
            if show:
                wall, cpu = (statistics.median(column) for column in zip(*costs[-AT_ONCE:], strict=True))
                ratio = past.stat().st_size / (folder / "canonical.db").stat().st_size
                print(
                    f"  release {number}: added in {wall:.2f} s (cpu {cpu:.2f} s, x{cpu / copied:.1f} of copying the file, {copied:.2f} s); diff cpu {compared:.2f} s; "
                    f"history {past.stat().st_size / 2**20:,.0f} MiB, x{ratio:.2f} of the mingbai.db; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB",
                    flush=True,
                )
        world.connection.close()
        ask(past, catalogue, days, world)
        again(past, folder, hashes)
    finally:
        shutil.rmtree(folder)


def ask(past: Path, catalogue: Catalogue, days: int, world: Days) -> None:
    """What readers ask of history, by one connection: an institution with its parts as of a release, and the difference of two releases."""
    drawn = random.Random(0)
    parts = [(table, column) for table, column in world._parts("institutions") if table.key[0] == column]
    with closing(sqlite3.connect(f"file:{past}?mode=ro", uri=True)) as connection:
        valid = "release_from <= :n AND (release_to IS NULL OR release_to > :n)"

        def as_of() -> None:
            asked = {"id": drawn.choice(world.ids["institutions"]), "n": drawn.randint(1, days)}
            for table, column in [(catalogue.tables["institutions"], "id"), *parts]:
                connection.execute(f'SELECT * FROM "{table.name}" WHERE "{column}" = :id AND {valid}', asked).fetchall()

        def difference(near: int) -> None:
            since = drawn.randint(1, max(days - near, 1))
            until = min(since + near, days) if near else drawn.randint(since, days)
            connection.execute(
                "SELECT table_name, kind, cause, count(*) FROM changes WHERE release > ? AND release <= ? GROUP BY 1, 2, 3", [since, until]
            ).fetchall()

        print(f"  an institution as of a release, with its parts: {quantiles([timed(as_of)[0] for _ in range(1000)])}")
        print(f"  the difference of a release and the next, counted: {quantiles([timed(lambda: difference(1))[0] for _ in range(100)])}")
        print(f"  the difference of any two releases, counted: {quantiles([timed(lambda: difference(0))[0] for _ in range(40)])}")
    wall, cpu, _ = timed(lambda: forgotten.forget(past, catalogue))
    print(f"  forgotten.forget, of nothing new: {wall:.2f} s (cpu {cpu:.2f} s)", flush=True)
    wall, cpu, _ = timed(lambda: history.repair(past, catalogue, f"r{days - 1}"))
    print(f"  history.repair, of a release that did not go live: {wall:.2f} s (cpu {cpu:.2f} s)", flush=True)


def again(past: Path, folder: Path, hashes: dict[int, str]) -> None:
    """Rebuild the releases whose hash is known. Exits when one is not what it was."""
    costs = []
    for number in sorted(hashes):
        if number <= max(hashes) - 1 or len(hashes) == 1:  # the last one was taken back
            wall, cpu, found = timed(lambda number=number: from_history(past, f"r{number}", folder / f"again{number}.db"))
            assert found == hashes[number] == file_sha256(folder / f"again{number}.db"), number
            (folder / f"again{number}.db").unlink()
            costs.append((wall, cpu))
    print(
        f"  {len(costs)} releases rebuilt to the byte: {statistics.median(c[0] for c in costs):.2f} s (cpu {statistics.median(c[1] for c in costs):.2f} s) each",
        flush=True,
    )
