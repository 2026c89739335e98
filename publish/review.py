"""Judge a candidate before anybody sees it: go, or wait for a person.

Bounds are shares of the live release, judged for each source in total and for each of its regions, because a county that is lost moves
the total by less than one percent (35 of 50 real accidents did). A first release has nothing to be compared with and is held only when it
is empty or when too many records were unreadable. Whoever accepts the change repeats the digest: it names exactly what was looked at.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .assemble import Assembled
from .catalogue import Catalogue
from .diff import Changes
from .errors import ReviewNeeded

# Rule 3: a partition may lose 20%, a small one 3 rows, a source 5% in total. The rest are from pipelines that were read (OpenSanctions
# allows growth to 2 times; a prototype blocked 10 of 10 disasters with 50%); a source file overrides each under `bounds`.
BOUNDS = {"total_lost": 0.05, "total_added": 0.5, "partition_lost": 0.2, "small_partition_rows": 3.0, "set_aside": 0.05}
GUARDED = ("institutions", "listings", "notices")
COUNTED = ("ratings", "permits", "fund_supervision")  # no region of their own: a fifth of the whole is as much as a partition may lose


@dataclass(frozen=True)
class Finding:
    """One bound that was passed, in what (a region, or None for the whole source), about what, and what follows: `hold` or `stop`."""

    bound: str
    source: str
    table: str
    region: str | None
    subject: str
    before: float
    now: float
    allowed: float
    effect: str
    names: int = 1

    def __str__(self) -> str:
        where = " ".join(filter(None, (self.source, self.table, self.region, self.subject)))
        if not (self.before or self.now or self.allowed):
            return f"{where} ({self.bound})"
        return f"{where}: {_number(self.before)} before, {_number(self.now)} now ({self.bound}, allowed {self.allowed:g})"


@dataclass(frozen=True)
class Held:
    """A partition that stays at its last good rows since a day, and the bound that it passed first."""

    source: str
    table: str
    region: str
    since: str
    bound: str


@dataclass(frozen=True)
class Verdict:
    """What was found and what follows. `digest` names the candidate: approve that and no other. `names`: how many people must."""

    digest: str
    findings: tuple[Finding, ...]
    outcome: str
    names: int


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}"


def review(
    candidate: Assembled, changes: Changes, live: Path | None, catalogue: Catalogue, recipe: str, inputs: Mapping[str, tuple[str, ...]]
) -> Verdict:
    """The verdict on a candidate made of `inputs` (ids of snapshots by source) with `recipe`."""
    whole = [candidate.day, recipe, *(f"{name} {' '.join(snapshots)}" for name, snapshots in sorted(inputs.items()))]
    digest = hashlib.sha256("\n".join(whole).encode()).hexdigest()[:16]
    found = tuple(_findings(candidate, changes, live, catalogue))
    return Verdict(digest, found, "stop" if found else "go", 1 if found else 0)


def require(digest: str, needed: int, findings: Sequence[Finding], names: Sequence[str]) -> None:
    """Raises ReviewNeeded, with the digest to approve, while fewer than `needed` different people (`names`) have approved it."""
    if len(names) >= needed:
        return
    first = "; ".join(str(finding) for finding in findings[:3])
    more = f" and {len(findings) - 3} more" if len(findings) > 3 else ""
    said = (
        f"{', '.join(names)} approved it and {needed - len(names)} more must"
        if names
        else f"{needed} must approve it"
        if needed > 1
        else ""
    )
    raise ReviewNeeded(
        f"held for review: {first}{more}. Nothing was published. {said}{'. ' if said else ''}Look with `mingbai review`; with a name and a reason: mingbai approve {digest}"
    )


def _findings(candidate: Assembled, changes: Changes, live: Path | None, catalogue: Catalogue) -> Iterator[Finding]:
    for name, (records, aside) in candidate.unusable.items():
        source, _, listing = name.partition("/")
        allowed = _bounds(catalogue, source)["set_aside"]
        if records and aside / records > allowed:
            yield Finding("set_aside", source, listing, None, "", records, records - aside, allowed, "stop")
    connection = sqlite3.connect(f"file:{candidate.path}?mode=ro", uri=True)
    try:
        if live is None:
            if candidate.tables["institutions"] + candidate.tables["notices"] == 0:
                yield Finding("empty", "all", "institutions", None, "", 0, 0, 0, "stop")
            return
        connection.execute("ATTACH ? AS old", [f"file:{live}?mode=ro"])
        for table in GUARDED:
            yield from _partitions(connection, table, catalogue, candidate.day)
        for table in COUNTED:
            before, now = (connection.execute(f'SELECT count(*) FROM {side}."{table}"').fetchone()[0] for side in ("old", "main"))
            if before and (before - now) / before > BOUNDS["partition_lost"]:
                yield Finding("table_lost", "all", table, None, "", before, now, BOUNDS["partition_lost"], "stop")
    finally:
        connection.close()


def _partitions(connection: sqlite3.Connection, table: str, catalogue: Catalogue, day: str) -> Iterator[Finding]:
    # what was absent before was judged then, and what ended by its own date is not lost
    stood = "o.absent_since IS NULL" + (" AND o.public_until >= :day" if table == "notices" else "")
    sql = f"""SELECT o.source_id, coalesce(o.region_code, o.region_text, ''), count(*), sum(n.id IS NOT NULL AND n.absent_since IS NULL)
    FROM old."{table}" o LEFT JOIN main."{table}" n ON n.id = o.id WHERE {stood} GROUP BY 1, 2 ORDER BY 1, 2"""
    totals: dict[str, list[int]] = {}
    for source, region, before, now in connection.execute(sql, {"day": day}):
        total = totals.setdefault(source, [0, 0])
        total[0] += before
        total[1] += now
        bounds = _bounds(catalogue, source)
        lost = before - now
        vanished = now == 0 and before >= bounds["small_partition_rows"]
        if vanished or (lost > bounds["small_partition_rows"] and lost / before > bounds["partition_lost"]):
            yield Finding("partition_lost", source, table, region or None, "", before, now, bounds["partition_lost"], "stop")
    added = dict(
        connection.execute(
            f'SELECT source_id, count(*) FROM main."{table}" n WHERE NOT EXISTS (SELECT 1 FROM old."{table}" o WHERE o.id = n.id) GROUP BY 1'
        )
    )
    for source, (before, now) in totals.items():
        bounds = _bounds(catalogue, source)
        few = bounds["small_partition_rows"] if table == "notices" else 0  # one repaired of ten is an ordinary day
        if now == 0 or (before - now > few and (before - now) / before > bounds["total_lost"]):
            yield Finding("total_lost", source, table, None, "", before, now, bounds["total_lost"], "stop")
        new = added.get(source, 0)
        if new > bounds["small_partition_rows"] and new / before > bounds["total_added"]:
            yield Finding("total_added", source, table, None, "", before, before + new, bounds["total_added"], "stop")


def _bounds(catalogue: Catalogue, source: str) -> dict[str, float]:
    return {**BOUNDS, **(catalogue.sources[source].bounds if source in catalogue.sources else {})}
