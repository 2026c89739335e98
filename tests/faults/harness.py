"""What becomes of a delivery: it is handed over on the day after good releases and goes through the run up to the verdict.

Readers see one of: `go` (published as it is), `set aside` (published without the records that could not be used, which are reported),
`held` (some partitions stay at their last good rows), `stopped` (a person is asked), `refused` (the source broke a promise). Beside that
it is counted how many rows a reader would get that the undamaged delivery does not say; what the last release said is right only where it is held.
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path

from making import snapshot
from publish.candidate import Candidate
from publish.catalogue import Catalogue
from publish.dataset import Table
from publish.errors import SourceBroken
from publish.home import Home
from publish.inputs import fetch, inputs_for
from publish.partitions import REGION
from publish.run import run
from publish.steps import assembled, compare, judge
from publish.work import Access, Work

from .clean import Days, Records

PAGE = 100
FEW_ROWS = 3  # rule 3: what a small partition may lose. So few wrong rows look like an ordinary day's work, and are not called silent
UNLIMITED = Access(rate=0.0)
MAIN = ("institutions", "listings", "notices", "ratings")
PARTS = (
    "institution_aliases",
    "institution_sites",
    "permits",
    "institution_classes",
    "fund_supervision",
    "notice_penalties",
    "notice_measures",
)
COMPARED = {"absent_since": "absent_since IS NOT NULL", "document_id": "document_id IS NULL"}  # a row that is marked as gone is another row
REPORTED = ("set_aside", "part_set_aside", "bad_value", "duplicate_key", "duplicate_part", "missing_field")


@dataclass(frozen=True)
class Outcome:
    """How a delivery ended: the word, the names of the bounds that were passed, partitions held, and rows that readers would get wrong."""

    word: str
    bounds: tuple[str, ...] = ()
    held: int = 0
    wrong: int = 0
    said: str = ""

    @property
    def harmless(self) -> bool:
        """Whether nothing wrong reaches readers without a person who looked, but for what nobody can tell from a day's work."""
        return self.word in ("refused", "stopped") or self.wrong <= FEW_ROWS


@dataclass(frozen=True)
class Ground:
    """A home with good releases of one source; a delivery of the next day can be tried on it again and again."""

    work: Work
    source: str
    truth: Path  # what readers would get of the undamaged delivery
    clean: Outcome
    issues: Mapping[str, int]
    withheld: int

    def outcome(self, address: str) -> Outcome:
        """What becomes of the delivery at an address. Nothing is published and nothing stays behind."""
        before = {path.name for path in self.work.home.raw.iterdir()}
        try:
            candidate = verdict(self.work, self.source, address)
            if candidate is None:
                return Outcome("nothing new")
            return self._read(candidate)
        except SourceBroken as broken:
            return Outcome("refused", said=str(broken))
        finally:
            for path in self.work.home.raw.iterdir():
                if path.name not in before:
                    shutil.rmtree(path)
            self.work.home.clear_candidate()

    def _read(self, candidate: Candidate) -> Outcome:
        said, held = findings(candidate), len(getattr(candidate, "held", ()))
        wrong = differing(candidate.assembled.path, self.truth, self.work.live_database, self.work.catalogue)
        bounds = tuple(dict.fromkeys(said.values()))
        word = getattr(candidate, "outcome", None) or ("stop" if said else "go")
        word = {"go": "go", "go_held": "held", "stop": "stopped"}[word]
        if word == "go" and wrong <= FEW_ROWS and self._reported(candidate):
            word = "set aside"
        return Outcome(word, bounds, held, wrong, "; ".join(said))

    def _reported(self, candidate: Candidate) -> bool:
        """Whether the run counted more records that it could not use than on a clean day."""
        more = sum(candidate.assembled.issues.get(kind, 0) - self.issues.get(kind, 0) for kind in REPORTED)
        return more + withheld(candidate) - self.withheld > 0


def verdict(work: Work, source: str, address: str) -> Candidate | None:
    """The judged candidate of what is at an address, or None where it says nothing new."""
    inputs = inputs_for(work, {source: fetch(work, source, address, UNLIMITED)})
    candidate = judge(work, compare(work, assembled(work, inputs)))
    return candidate if candidate.compared().news or findings(candidate) else None


def findings(candidate: Candidate) -> dict[str, str]:
    """What the gate found, each as it is said, with the name of its bound."""
    found: dict[str, str] = {}
    for finding in candidate.findings:
        found[str(finding)] = getattr(finding, "bound", None) or str(finding).rpartition("(")[2].partition(",")[0]
    return found


def withheld(candidate: Candidate) -> int:
    """How many records of the delivery were kept back, whatever for."""
    fates: Counter[str] = Counter()
    for counts in candidate.assembled.accounting.values():
        fates.update(counts)
    return sum(number for fate, number in fates.items() if fate not in ("records", "published", "kept_absent", "out_of_term"))


def differing(found: Path, truth: Path, live: Path | None, catalogue: Catalogue) -> int:
    """Rows in `found` that the truth has not, but for those of the live release in a partition that is held, and rows of both that `found` has not."""
    with closing(sqlite3.connect(f"file:{found}?mode=ro", uri=True)) as connection:
        for name, path in (("truth", truth), ("live", live)):
            connection.execute(f"ATTACH ? AS {name}", [f"file:{path}?mode=ro"])
        wrong = 0
        for table in (*MAIN, *PARTS):
            names = [row[1] for row in connection.execute(f'PRAGMA main.table_info("{table}")')]
            columns = ", ".join(COMPARED.get(name, f'"{name}"') for name in names)
            main, real, old = (f'SELECT {columns} FROM {side}."{table}" s' for side in ("main", "truth", "live"))
            held = _is_held(catalogue.tables[table])
            each = (
                f"SELECT * FROM ({main} WHERE NOT {held} EXCEPT {real}) UNION ALL SELECT * FROM ({main} WHERE {held} EXCEPT {real} EXCEPT {old})",
                f"SELECT * FROM ({real} INTERSECT {old}) EXCEPT {main}",
            )
            wrong += max(connection.execute(f"SELECT count(*) FROM ({sql})").fetchone()[0] for sql in each)
        return wrong


def _is_held(table: Table) -> str:
    """SQL that is true of a row `s` that stays as it was live: its partition is held, or that of what it belongs to."""

    def held(row: str, name: str) -> str:
        return f"({row}.source_id, '{name}', {REGION.format(p=row)}) IN (SELECT source_id, table_name, region FROM main.held_partitions)"

    own = [held("s", table.name)] if table.prefix else []
    if owner := table.parent or ("institutions" if table.ref_to("institutions") else None):
        there = held("p", owner) if table.prefix or table.parent else f"({held('p', owner)} OR {held('p', table.name)})"
        own.append(f'EXISTS (SELECT 1 FROM main."{owner}" p WHERE p.id = s."{table.ref_to(owner)}" AND {there})')
    return f"({' OR '.join(own)})"


def hand_over(folder: Path, records: Records, now: datetime, as_of: str | None = None) -> str:
    """An archived snapshot of the records, taken at an instant: the address of the delivery."""
    stamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
    day = as_of or now.date().isoformat()
    return str(snapshot(folder, f"platform-{number:05d}", records, as_of=day, page_size=PAGE, taken_at=stamp).folder)


def noon(days: Days) -> datetime:
    """Midday in China of the day that the world stands at."""
    return datetime.combine(days.today, time(4), UTC)


def prepared(folder: Path, catalogue: Catalogue, days: Days) -> tuple[Ground, Records]:
    """Two good releases of a world on two days, and the undamaged delivery of the third."""
    work = Work(Home(folder / "home"), catalogue, noon(days))
    for _ in range(2):
        work = replace(work, now=noon(days))
        result = run(
            work,
            {"platform": hand_over(folder / "handed", days.records(), work.now)},
        )
        assert result.outcome == "released"
        days.step()
    work = replace(work, now=noon(days))
    return grounded(work, "platform", hand_over(folder / "handed", days.records(), work.now), folder / "truth.db"), days.records()


def grounded(work: Work, source: str, address: str, truth: Path) -> Ground:
    """The ground on which the undamaged delivery at `address` is what is true."""
    before = {path.name for path in work.home.raw.iterdir()}
    candidate = verdict(work, source, address)
    assert candidate is not None
    shutil.copyfile(candidate.assembled.path, truth)
    ground = Ground(work, source, truth, Outcome("go"), candidate.assembled.issues, withheld(candidate))
    ground = replace(ground, clean=ground._read(candidate))
    for path in work.home.raw.iterdir():
        if path.name not in before:
            shutil.rmtree(path)
    return ground
